//! `PEER_INDEX_TABLE` (RFC 6396 §4.3.1).

use std::net::{IpAddr, Ipv4Addr};

use routewarden_core::{AddressFamily, Asn};

use crate::cursor::Cursor;
use crate::{AsnWidth, Error, Part, RawRecord, Warning, Warnings};

/// Peer type bit: the address is IPv6.
pub(crate) const PEER_IPV6: u8 = 1;
/// Peer type bit: the ASN has four octets.
pub(crate) const PEER_AS4: u8 = 2;

/// A peer of a table dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PeerEntry {
    /// BGP identifier.
    pub bgp_id: Ipv4Addr,
    /// Address.
    pub addr: IpAddr,
    /// ASN.
    pub asn: Asn,
}

/// A `PEER_INDEX_TABLE` where it lies.
#[derive(Clone, Copy, Debug)]
pub struct PeerIndexTable<'a> {
    /// BGP identifier of the collector.
    pub collector_id: Ipv4Addr,
    /// View name, usually empty.
    pub view_name: &'a [u8],
    /// Number of peers the table claims to hold.
    pub claimed_count: u16,
    peers: &'a [u8],
}

impl<'a> PeerIndexTable<'a> {
    pub(crate) fn decode(raw: &RawRecord<'a>, warnings: &mut Warnings) -> Result<Self, Error> {
        let mut rest = Cursor::new(raw.body);
        let mut head = || {
            let collector_id = Ipv4Addr::from(rest.u32()?);
            let name_length = rest.u16()?;
            let view_name = rest.take(usize::from(name_length))?;
            let claimed_count = rest.u16()?;
            Some((collector_id, view_name, claimed_count))
        };
        let (collector_id, view_name, claimed_count) =
            head().ok_or_else(|| raw.malformed(rest.rest(), Part::PeerIndexTable))?;
        let table = PeerIndexTable { collector_id, view_name, claimed_count, peers: rest.rest() };
        if table.peers().count() < usize::from(claimed_count) {
            warnings.insert(Warning::PeerTableCut);
        }
        Ok(table)
    }

    /// The peers in the order of their index; fewer than claimed when the table is cut.
    pub fn peers(&self) -> impl Iterator<Item = PeerEntry> + use<'a> {
        let mut rest = Cursor::new(self.peers);
        let next = move || {
            let peer_type = rest.u8()?;
            let bgp_id = Ipv4Addr::from(rest.u32()?);
            let is_ipv6 = peer_type & PEER_IPV6 != 0;
            let addr =
                rest.addr(if is_ipv6 { AddressFamily::Ipv6 } else { AddressFamily::Ipv4 })?;
            let has_as4 = peer_type & PEER_AS4 != 0;
            let asn = rest.asn(if has_as4 { AsnWidth::Four } else { AsnWidth::Two })?;
            Some(PeerEntry { bgp_id, addr, asn })
        };
        std::iter::from_fn(next).take(usize::from(self.claimed_count))
    }

    /// An owned copy, to look peers up while the RIB records are read.
    pub fn to_index(&self) -> PeerIndex {
        PeerIndex {
            collector_id: self.collector_id,
            view_name: String::from_utf8_lossy(self.view_name).into_owned(),
            peers: self.peers().collect(),
        }
    }
}

/// The peers that RIB records refer to by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerIndex {
    /// BGP identifier of the collector.
    pub collector_id: Ipv4Addr,
    /// View name, usually empty.
    pub view_name: String,
    /// Peers by index.
    pub peers: Vec<PeerEntry>,
}

impl PeerIndex {
    /// The peer with that index.
    pub fn get(&self, index: u16) -> Option<&PeerEntry> {
        self.peers.get(usize::from(index))
    }
}
