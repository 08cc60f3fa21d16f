//! BGP neighbours (RFC 4271) that connect.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use routewarden_core::{AddressFamily, Asn, Timestamp};
use routewarden_wire::capability::{RawCapability, code};
use routewarden_wire::encode::{
    self, AttributeWriter, OpenParts, four_octet_asn, keepalive, multiprotocol,
};
use routewarden_wire::update::message_type;
use routewarden_wire::{AsnWidth, BGP_MESSAGE_OCTETS_MAX, RawBgpMessage, Safi};

use super::bmp::bgp_id;
use super::recording::Peer;
use super::session::{Framing, Outgoing, Session, connect, read_away, update};

/// Hold time that neighbours ask for, in seconds.
const HOLD_SECS: u16 = 90;
/// Between two KEEPALIVEs: a third of the hold time or less.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(10);
/// From the connection to Established.
const ESTABLISHED_WITHIN: Duration = Duration::from_secs(10);

/// An OPEN with 4-octet ASNs and both unicast families.
pub(super) fn open(asn: Asn, bgp_id: Ipv4Addr) -> Result<Vec<u8>> {
    let families = [multiprotocol((1, 1)), multiprotocol((2, 1))];
    let asn_octets = asn.0.to_be_bytes();
    let mut capabilities = vec![four_octet_asn(&asn_octets)];
    let of_family = |value| RawCapability { code: code::MULTIPROTOCOL, value };
    capabilities.extend(families.iter().map(|family| of_family(family.as_slice())));
    let parts = OpenParts { asn, hold_time: HOLD_SECS, bgp_id, capabilities: &capabilities };
    Ok(encode::open(&parts)?)
}

/// End-of-RIB of both unicast families (RFC 4724 §2).
pub(super) fn end_of_rib() -> Result<[Vec<u8>; 2]> {
    let mut of_ipv6 = AttributeWriter::new(AsnWidth::Four);
    of_ipv6.mp_unreach((AddressFamily::Ipv6, Safi::Unicast), &[])?;
    Ok([update(&[], &[])?, update(of_ipv6.octets(), &[])?])
}

struct Neighbour {
    kept_alive: Instant,
}

/// Connects as a peer and brings the session up.
pub(super) fn begin(peer: &Peer, (from, to): (IpAddr, SocketAddr)) -> Result<Session> {
    let mut socket = connect(from, to)?;
    socket.set_read_timeout(Some(ESTABLISHED_WITHIN))?;
    socket.write_all(&open(peer.asn, bgp_id(peer))?)?;
    expect(&mut socket, message_type::OPEN)?;
    socket.write_all(&keepalive())?;
    expect(&mut socket, message_type::KEEPALIVE)?;
    socket.set_read_timeout(None)?;
    #[expect(clippy::disallowed_methods, reason = "a timer of the protocol")]
    let neighbour = Neighbour { kept_alive: Instant::now() };
    Session::new(socket, Box::new(neighbour), |socket, _| read_away(socket))
}

/// Reads one message, which must be of that type.
fn expect(socket: &mut TcpStream, expected: u8) -> Result<()> {
    let mut octets = vec![0; 19];
    socket.read_exact(&mut octets).context("the header of a message")?;
    let length =
        octets.get(16..18).map(|length| length.iter().fold(0, |n, &o| n << 8 | usize::from(o)));
    octets.resize(length.unwrap_or_default().max(19), 0);
    socket.read_exact(octets.get_mut(19..).unwrap_or_default()).context("the rest of it")?;
    let message = RawBgpMessage::next(&octets, 0, BGP_MESSAGE_OCTETS_MAX)?.context("cut")?;
    let found = message.message_type;
    ensure!(found == expected, "message of type {found} for {expected}: {:02x?}", message.body);
    Ok(())
}

impl Framing for Neighbour {
    fn update(&mut self, update: &Outgoing<'_>, _now: Timestamp, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(update.message);
        Ok(())
    }

    fn keep_alive(&mut self, now: Instant, out: &mut Vec<u8>) {
        if now.duration_since(self.kept_alive) >= KEEPALIVE_EVERY {
            self.kept_alive = now;
            out.extend(keepalive());
        }
    }

    fn peers(&mut self, are_up: bool, _now: Timestamp, _out: &mut Vec<u8>) -> Result<bool> {
        Ok(are_up)
    }

    fn end_of_table(&mut self, _peer: u16, _now: Timestamp, out: &mut Vec<u8>) -> Result<()> {
        for message in end_of_rib()? {
            out.extend(message);
        }
        Ok(())
    }
}
