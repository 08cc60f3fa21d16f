//! BMP messages.

use std::net::IpAddr;

use super::{push_addr, push_u16_length};
use crate::Error;
use crate::bmp::{
    BMP_VERSION, COMMON_HEADER_OCTETS, PeerHeader, PeerType, Statistic, Tlv, message_type,
};

/// A BMP message of that type.
pub fn bmp_message(message_type: u8, body: &[u8]) -> Result<Vec<u8>, Error> {
    let octets = COMMON_HEADER_OCTETS + body.len();
    let max = usize::try_from(u32::MAX).unwrap_or(usize::MAX);
    let length = u32::try_from(octets).map_err(|_| Error::EncodeTooLong { octets, max })?;
    let mut out = Vec::with_capacity(octets);
    out.push(BMP_VERSION);
    out.extend_from_slice(&length.to_be_bytes());
    out.push(message_type);
    out.extend_from_slice(body);
    Ok(out)
}

fn push_sixteen(addr: IpAddr, out: &mut Vec<u8>) {
    if addr.is_ipv4() {
        out.extend_from_slice(&[0; 12]);
    }
    push_addr(addr, out);
}

/// The per-peer header. V is set by the address, but for a Loc-RIB; all other flags are those
/// given.
fn peer_header(peer: &PeerHeader) -> Result<Vec<u8>, Error> {
    let mut flags = peer.flags;
    if peer.peer_type != PeerType::LocRib {
        flags = flags & 0x7f | if peer.addr.is_ipv6() { 0x80 } else { 0 };
    }
    let mut out = vec![peer.peer_type.octet(), flags];
    out.extend_from_slice(&peer.distinguisher.0.to_be_bytes());
    push_sixteen(peer.addr, &mut out);
    out.extend_from_slice(&peer.asn.0.to_be_bytes());
    out.extend_from_slice(&peer.bgp_id.octets());
    let time = peer.time.unwrap_or_default();
    let secs = u32::try_from(time.secs()).map_err(|_| Error::EncodeUnrepresentable)?;
    let micros = u32::try_from(time.micros().rem_euclid(1_000_000)).unwrap_or(0);
    out.extend_from_slice(&secs.to_be_bytes());
    out.extend_from_slice(&micros.to_be_bytes());
    Ok(out)
}

fn push_tlvs<'a>(tlvs: impl IntoIterator<Item = Tlv<'a>>, out: &mut Vec<u8>) -> Result<(), Error> {
    for tlv in tlvs {
        out.extend_from_slice(&tlv.tlv_type.to_be_bytes());
        push_u16_length(tlv.value.len(), out)?;
        out.extend_from_slice(tlv.value);
    }
    Ok(())
}

/// An Initiation.
pub fn bmp_initiation(tlvs: &[Tlv<'_>]) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    push_tlvs(tlvs.iter().copied(), &mut body)?;
    bmp_message(message_type::INITIATION, &body)
}

/// A Termination.
pub fn bmp_termination(tlvs: &[Tlv<'_>]) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    push_tlvs(tlvs.iter().copied(), &mut body)?;
    bmp_message(message_type::TERMINATION, &body)
}

/// A Peer Up to write.
#[derive(Clone, Copy, Debug)]
pub struct PeerUpParts<'a> {
    /// The peer.
    pub peer: PeerHeader,
    /// Address of the router; of the peer's family.
    pub local_addr: IpAddr,
    /// Ports of the router and the peer.
    pub ports: [u16; 2],
    /// OPENs sent and received, whole messages.
    pub opens: [&'a [u8]; 2],
    /// What else there is to say.
    pub tlvs: &'a [Tlv<'a>],
}

/// A Peer Up.
pub fn bmp_peer_up(parts: &PeerUpParts<'_>) -> Result<Vec<u8>, Error> {
    let mut body = peer_header(&parts.peer)?;
    push_sixteen(parts.local_addr, &mut body);
    for port in parts.ports {
        body.extend_from_slice(&port.to_be_bytes());
    }
    for open in parts.opens {
        body.extend_from_slice(open);
    }
    push_tlvs(parts.tlvs.iter().copied(), &mut body)?;
    bmp_message(message_type::PEER_UP, &body)
}

/// A Peer Down: the reason and what follows it.
pub fn bmp_peer_down(peer: &PeerHeader, reason: u8, data: &[u8]) -> Result<Vec<u8>, Error> {
    let mut body = peer_header(peer)?;
    body.push(reason);
    body.extend_from_slice(data);
    bmp_message(message_type::PEER_DOWN, &body)
}

/// A Route Monitoring around an UPDATE with its header.
pub fn bmp_route_monitoring(peer: &PeerHeader, update: &[u8]) -> Result<Vec<u8>, Error> {
    let mut body = peer_header(peer)?;
    body.extend_from_slice(update);
    bmp_message(message_type::ROUTE_MONITORING, &body)
}

/// A Route Mirroring.
pub fn bmp_route_mirroring(peer: &PeerHeader, tlvs: &[Tlv<'_>]) -> Result<Vec<u8>, Error> {
    let mut body = peer_header(peer)?;
    push_tlvs(tlvs.iter().copied(), &mut body)?;
    bmp_message(message_type::ROUTE_MIRRORING, &body)
}

/// A Statistics Report; of the counters, type and value are written.
pub fn bmp_statistics(peer: &PeerHeader, counters: &[Statistic<'_>]) -> Result<Vec<u8>, Error> {
    let mut body = peer_header(peer)?;
    let count = u32::try_from(counters.len()).map_err(|_| Error::EncodeUnrepresentable)?;
    body.extend_from_slice(&count.to_be_bytes());
    let tlvs =
        counters.iter().map(|counter| Tlv { tlv_type: counter.stat_type, value: counter.value });
    push_tlvs(tlvs, &mut body)?;
    bmp_message(message_type::STATISTICS, &body)
}
