//! BMP routers (RFC 7854).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use routewarden_core::{Asn, Timestamp};
use routewarden_wire::bmp::{PeerHeader, PeerType, RouteDistinguisher, Tlv};
use routewarden_wire::encode::{
    PeerUpParts, bmp_initiation, bmp_peer_down, bmp_peer_up, bmp_route_monitoring,
};

use super::bgp::{end_of_rib, open};
use super::clock::now;
use super::recording::{Peer, Recording};
use super::session::{Framing, Outgoing, Session, connect, read_away};

/// Ports of router and peer.
const PORTS: [u16; 2] = [179, 50_179];
/// Peer Down: the router's peer closed the session without a NOTIFICATION (RFC 7854 §4.9).
const REMOTE_CLOSED: u8 = 4;
/// Information TLVs (RFC 7854 §4.4).
const SYS_DESCR: u16 = 1;
const SYS_NAME: u16 = 2;
/// Where the time of a per-peer header lies in a message.
const TIME_AT: usize = 6 + 34;
/// Octets of the per-peer header with the common header before it.
const HEADERS_OCTETS: usize = 6 + 42;

struct Router {
    recording: Arc<Recording>,
    peers: Vec<u16>,
    asn: Asn,
    /// By the numbers of all peers: common and per-peer header of a Route Monitoring.
    headers: Vec<[u8; HEADERS_OCTETS]>,
}

/// Connects as a router of that AS, says who it is and that its peers are up.
pub(super) fn begin(
    recording: &Arc<Recording>,
    peers: &[u16],
    (from, to): (IpAddr, SocketAddr),
    asn: Asn,
) -> Result<Session> {
    let socket = connect(from, to)?;
    let header = |peer: &Peer| -> Result<[u8; HEADERS_OCTETS]> {
        let octets = bmp_route_monitoring(&peer_header(peer, Timestamp::default()), &[])?;
        octets.as_slice().try_into().context("headers of a Route Monitoring")
    };
    let headers = recording.peers().iter().map(header).collect::<Result<_>>()?;
    let router = Router { recording: Arc::clone(recording), peers: peers.to_vec(), asn, headers };
    let mut session = Session::new(socket, Box::new(router), |socket, _| read_away(socket))?;
    let name = format!("replayer-{from}");
    session.put_raw(&bmp_initiation(&[
        Tlv { tlv_type: SYS_DESCR, value: b"replayer of recorded updates" },
        Tlv { tlv_type: SYS_NAME, value: name.as_bytes() },
    ])?);
    session.put_peers(true, now())?;
    session.flush()?;
    Ok(session)
}

fn peer_header(peer: &Peer, time: Timestamp) -> PeerHeader {
    PeerHeader {
        peer_type: PeerType::Global,
        flags: 0,
        distinguisher: RouteDistinguisher(0),
        addr: peer.addr,
        asn: peer.asn,
        bgp_id: bgp_id(peer),
        time: Some(time),
    }
}

/// Made up: the recording does not have it.
pub(super) fn bgp_id(peer: &Peer) -> Ipv4Addr {
    match peer.addr {
        IpAddr::V4(addr) => addr,
        IpAddr::V6(addr) => {
            let [.., a, b, c, d] = addr.octets();
            Ipv4Addr::from_bits(u32::from_be_bytes([a, b, c, d]).max(1))
        }
    }
}

impl Framing for Router {
    fn update(&mut self, update: &Outgoing<'_>, now: Timestamp, out: &mut Vec<u8>) -> Result<()> {
        let header = self.headers.get(usize::from(update.peer)).context("no such peer")?;
        let mut header = *header;
        let length = u32::try_from(HEADERS_OCTETS + update.message.len())?;
        let micros = u32::try_from(now.micros().rem_euclid(1_000_000))?;
        let time = u64::from(u32::try_from(now.secs())?) << 32 | u64::from(micros);
        let mut set = |at: usize, octets: &[u8]| {
            if let Some(field) = header.get_mut(at..at + octets.len()) {
                field.copy_from_slice(octets);
            }
        };
        set(1, &length.to_be_bytes());
        set(TIME_AT, &time.to_be_bytes());
        out.extend_from_slice(&header);
        out.extend_from_slice(update.message);
        Ok(())
    }

    fn peers(&mut self, are_up: bool, now: Timestamp, out: &mut Vec<u8>) -> Result<bool> {
        for &number in &self.peers {
            let peer = self.recording.peers().get(usize::from(number)).context("no such peer")?;
            let header = peer_header(peer, now);
            if !are_up {
                out.extend(bmp_peer_down(&header, REMOTE_CLOSED, &[])?);
                continue;
            }
            let local_addr = match peer.addr {
                IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
                IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
            };
            let sent = open(self.asn, Ipv4Addr::new(192, 0, 2, 1))?;
            let received = open(peer.asn, bgp_id(peer))?;
            let parts = PeerUpParts {
                peer: header,
                local_addr,
                ports: PORTS,
                opens: [&sent, &received],
                tlvs: &[],
            };
            out.extend(bmp_peer_up(&parts)?);
        }
        Ok(true)
    }

    fn end_of_table(&mut self, peer: u16, now: Timestamp, out: &mut Vec<u8>) -> Result<()> {
        for message in end_of_rib()? {
            self.update(&Outgoing { peer, number: None, message: &message }, now, out)?;
        }
        Ok(())
    }
}
