//! MRT records.

use std::net::IpAddr;

use routewarden_core::{AddressFamily, Asn, Prefix, Timestamp};

use super::bgp::push_prefix;
use super::{length_u16, push_addr, push_u16_length};
use crate::mrt::{bgp4mp, table_dump_v2};
use crate::nlri::afi;
use crate::peer_index::{PEER_AS4, PEER_IPV6};
use crate::{AsnWidth, Error, FsmState, PeerIndex, Safi, SessionEnds, StateChange, mrt};

/// Octets of the microseconds of an extended timestamp.
const MICROS_OCTETS: usize = 4;

/// Appends a whole record. The time must lie between 1970 and 2106; microseconds are only kept
/// by types with an extended timestamp.
pub fn push_record(
    time: Timestamp,
    (mrt_type, subtype): (u16, u16),
    body: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let has_micros = mrt::has_extended_timestamp(mrt_type);
    let octets = body.len() + if has_micros { MICROS_OCTETS } else { 0 };
    let max = usize::try_from(u32::MAX).unwrap_or(usize::MAX);
    let length = u32::try_from(octets).map_err(|_| Error::EncodeTooLong { octets, max })?;
    out.extend_from_slice(&secs(time)?.to_be_bytes());
    out.extend_from_slice(&mrt_type.to_be_bytes());
    out.extend_from_slice(&subtype.to_be_bytes());
    out.extend_from_slice(&length.to_be_bytes());
    if has_micros {
        let micros = u32::try_from(time.micros().rem_euclid(1_000_000)).unwrap_or(0);
        out.extend_from_slice(&micros.to_be_bytes());
    }
    out.extend_from_slice(body);
    Ok(())
}

fn secs(time: Timestamp) -> Result<u32, Error> {
    u32::try_from(time.secs()).map_err(|_| Error::EncodeUnrepresentable)
}

fn push_asn(asn: Asn, width: AsnWidth, out: &mut Vec<u8>) -> Result<(), Error> {
    match width {
        AsnWidth::Four => out.extend_from_slice(&asn.0.to_be_bytes()),
        AsnWidth::Two => {
            let asn = u16::try_from(asn.0).map_err(|_| Error::EncodeUnrepresentable)?;
            out.extend_from_slice(&asn.to_be_bytes());
        }
    }
    Ok(())
}

fn family_of(addr: IpAddr) -> AddressFamily {
    if addr.is_ipv4() { AddressFamily::Ipv4 } else { AddressFamily::Ipv6 }
}

/// Body of a `PEER_INDEX_TABLE`. ASNs are written with four octets.
pub fn peer_index_table(index: &PeerIndex) -> Result<Vec<u8>, Error> {
    let mut out = index.collector_id.octets().to_vec();
    push_u16_length(index.view_name.len(), &mut out)?;
    out.extend_from_slice(index.view_name.as_bytes());
    push_u16_length(index.peers.len(), &mut out)?;
    for peer in &index.peers {
        out.push(PEER_AS4 | if peer.addr.is_ipv6() { PEER_IPV6 } else { 0 });
        out.extend_from_slice(&peer.bgp_id.octets());
        push_addr(peer.addr, &mut out);
        push_asn(peer.asn, AsnWidth::Four, &mut out)?;
    }
    Ok(out)
}

/// An entry of a RIB record to write.
#[derive(Clone, Copy, Debug)]
pub struct RibEntryParts<'a> {
    /// Index of the peer.
    pub peer_index: u16,
    /// When the peer sent the route; whole seconds are kept.
    pub originated: Timestamp,
    /// Path identifier: either all entries of a record have one, or none.
    pub path_id: Option<u32>,
    /// Attributes, ASNs with four octets.
    pub attributes: &'a [u8],
}

/// Subtype and body of a RIB record.
pub fn rib(
    sequence: u32,
    prefix: Prefix,
    safi: Safi,
    entries: &[RibEntryParts<'_>],
) -> Result<(u16, Vec<u8>), Error> {
    let has_path_ids = entries.first().is_some_and(|entry| entry.path_id.is_some());
    let subtype = match (prefix.family(), safi, has_path_ids) {
        (AddressFamily::Ipv4, Safi::Unicast, false) => table_dump_v2::RIB_IPV4_UNICAST,
        (AddressFamily::Ipv4, Safi::Multicast, false) => table_dump_v2::RIB_IPV4_MULTICAST,
        (AddressFamily::Ipv6, Safi::Unicast, false) => table_dump_v2::RIB_IPV6_UNICAST,
        (AddressFamily::Ipv6, Safi::Multicast, false) => table_dump_v2::RIB_IPV6_MULTICAST,
        (AddressFamily::Ipv4, Safi::Unicast, true) => table_dump_v2::RIB_IPV4_UNICAST_ADDPATH,
        (AddressFamily::Ipv4, Safi::Multicast, true) => table_dump_v2::RIB_IPV4_MULTICAST_ADDPATH,
        (AddressFamily::Ipv6, Safi::Unicast, true) => table_dump_v2::RIB_IPV6_UNICAST_ADDPATH,
        (AddressFamily::Ipv6, Safi::Multicast, true) => table_dump_v2::RIB_IPV6_MULTICAST_ADDPATH,
    };
    let mut out = sequence.to_be_bytes().to_vec();
    push_prefix(&prefix, &mut out);
    push_entries(entries, has_path_ids, &mut out)?;
    Ok((subtype, out))
}

/// Subtype and body of a `RIB_GENERIC` record. With path identifier, which then is that of the
/// NLRI, it becomes `RIB_GENERIC_ADDPATH`; the entries must have none.
pub fn rib_generic(
    sequence: u32,
    nlri: crate::Nlri,
    entries: &[RibEntryParts<'_>],
) -> Result<(u16, Vec<u8>), Error> {
    let mut out = sequence.to_be_bytes().to_vec();
    out.extend_from_slice(&afi(nlri.prefix.family()).to_be_bytes());
    out.push(nlri.safi as u8);
    super::push_nlri(&[nlri], &mut out)?;
    push_entries(entries, false, &mut out)?;
    let subtype = match nlri.path_id {
        None => table_dump_v2::RIB_GENERIC,
        Some(_) => table_dump_v2::RIB_GENERIC_ADDPATH,
    };
    Ok((subtype, out))
}

fn push_entries(
    entries: &[RibEntryParts<'_>],
    has_path_ids: bool,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    push_u16_length(entries.len(), out)?;
    for entry in entries {
        if entry.path_id.is_some() != has_path_ids {
            return Err(Error::EncodeUnrepresentable);
        }
        out.extend_from_slice(&entry.peer_index.to_be_bytes());
        out.extend_from_slice(&secs(entry.originated)?.to_be_bytes());
        if let Some(path_id) = entry.path_id {
            out.extend_from_slice(&path_id.to_be_bytes());
        }
        push_u16_length(entry.attributes.len(), out)?;
        out.extend_from_slice(entry.attributes);
    }
    Ok(())
}

/// An entry of a `TABLE_DUMP` or `BGP4MP_ENTRY` record to write.
#[derive(Clone, Copy, Debug)]
pub struct TableDumpParts<'a> {
    /// Prefix.
    pub prefix: Prefix,
    /// When the peer sent the route; whole seconds are kept.
    pub originated: Timestamp,
    /// Address of the peer, of the prefix's family in `TABLE_DUMP`.
    pub peer_addr: IpAddr,
    /// ASN of the peer, of two octets.
    pub peer_asn: Asn,
    /// Attributes, ASNs with two octets.
    pub attributes: &'a [u8],
}

/// Status octet of all known files.
const STATUS: u8 = 1;

/// Subtype and body of a `TABLE_DUMP` record. All entries must be of one family.
pub fn table_dump(sequence: u16, entries: &[TableDumpParts<'_>]) -> Result<(u16, Vec<u8>), Error> {
    let first = entries.first().ok_or(Error::EncodeUnrepresentable)?;
    let family = first.prefix.family();
    let mut out = vec![0, 0];
    out.extend_from_slice(&sequence.to_be_bytes());
    for entry in entries {
        if entry.prefix.family() != family || family_of(entry.peer_addr) != family {
            return Err(Error::EncodeUnrepresentable);
        }
        push_addr(entry.prefix.addr(), &mut out);
        out.extend_from_slice(&[entry.prefix.len(), STATUS]);
        out.extend_from_slice(&secs(entry.originated)?.to_be_bytes());
        push_addr(entry.peer_addr, &mut out);
        push_asn(entry.peer_asn, AsnWidth::Two, &mut out)?;
        push_u16_length(entry.attributes.len(), &mut out)?;
        out.extend_from_slice(entry.attributes);
    }
    Ok((afi(family), out))
}

/// Body of a `BGP4MP_ENTRY` as OpenBGPD writes it; `next_hop` of the prefix's family, the local
/// address of the peer's.
pub fn bgp4mp_entry(
    entry: &TableDumpParts<'_>,
    (local_asn, local_addr): (Asn, IpAddr),
    next_hop: IpAddr,
) -> Result<Vec<u8>, Error> {
    let family = family_of(entry.peer_addr);
    if family_of(local_addr) != family || family_of(next_hop) != entry.prefix.family() {
        return Err(Error::EncodeUnrepresentable);
    }
    let mut out = Vec::new();
    push_asn(local_asn, AsnWidth::Two, &mut out)?;
    push_asn(entry.peer_asn, AsnWidth::Two, &mut out)?;
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&afi(family).to_be_bytes());
    push_addr(local_addr, &mut out);
    push_addr(entry.peer_addr, &mut out);
    out.extend_from_slice(&[0, 0, 0, STATUS]);
    out.extend_from_slice(&secs(entry.originated)?.to_be_bytes());
    out.extend_from_slice(&afi(entry.prefix.family()).to_be_bytes());
    out.extend_from_slice(&[Safi::Unicast as u8, entry.prefix.family().bits() / 8]);
    push_addr(next_hop, &mut out);
    push_prefix(&entry.prefix, &mut out);
    push_u16_length(entry.attributes.len(), &mut out)?;
    out.extend_from_slice(entry.attributes);
    Ok(out)
}

/// Which BGP4MP message record to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bgp4mpKind {
    /// Octets of an ASN.
    pub asn_width: AsnWidth,
    /// Whether the collector sent the message.
    pub is_local: bool,
    /// Whether NLRI carry path identifiers.
    pub has_path_ids: bool,
}

impl Bgp4mpKind {
    /// The subtype.
    pub const fn subtype(self) -> u16 {
        match (self.asn_width, self.is_local, self.has_path_ids) {
            (AsnWidth::Two, false, false) => bgp4mp::MESSAGE,
            (AsnWidth::Four, false, false) => bgp4mp::MESSAGE_AS4,
            (AsnWidth::Two, true, false) => bgp4mp::MESSAGE_LOCAL,
            (AsnWidth::Four, true, false) => bgp4mp::MESSAGE_AS4_LOCAL,
            (AsnWidth::Two, false, true) => bgp4mp::MESSAGE_ADDPATH,
            (AsnWidth::Four, false, true) => bgp4mp::MESSAGE_AS4_ADDPATH,
            (AsnWidth::Two, true, true) => bgp4mp::MESSAGE_LOCAL_ADDPATH,
            (AsnWidth::Four, true, true) => bgp4mp::MESSAGE_AS4_LOCAL_ADDPATH,
        }
    }
}

fn push_ends(ends: &SessionEnds, width: AsnWidth, out: &mut Vec<u8>) -> Result<(), Error> {
    let family = family_of(ends.peer_addr);
    if family_of(ends.local_addr) != family {
        return Err(Error::EncodeUnrepresentable);
    }
    push_asn(ends.peer_asn, width, out)?;
    push_asn(ends.local_asn, width, out)?;
    out.extend_from_slice(&ends.interface.to_be_bytes());
    out.extend_from_slice(&afi(family).to_be_bytes());
    push_addr(ends.peer_addr, out);
    push_addr(ends.local_addr, out);
    Ok(())
}

/// Subtype and body of a BGP4MP message record around a whole BGP message.
pub fn bgp4mp_message(
    kind: Bgp4mpKind,
    ends: &SessionEnds,
    message: &[u8],
) -> Result<(u16, Vec<u8>), Error> {
    let mut out = Vec::new();
    push_ends(ends, kind.asn_width, &mut out)?;
    out.extend_from_slice(message);
    Ok((kind.subtype(), out))
}

/// Subtype and body of a state change record.
pub fn state_change(width: AsnWidth, change: &StateChange) -> Result<(u16, Vec<u8>), Error> {
    let mut out = Vec::new();
    push_ends(&change.ends, width, &mut out)?;
    push_states(change.old, change.new, &mut out);
    let subtype = match width {
        AsnWidth::Two => bgp4mp::STATE_CHANGE,
        AsnWidth::Four => bgp4mp::STATE_CHANGE_AS4,
    };
    Ok((subtype, out))
}

fn push_states(old: FsmState, new: FsmState, out: &mut Vec<u8>) {
    out.extend_from_slice(&old.0.to_be_bytes());
    out.extend_from_slice(&new.0.to_be_bytes());
}

/// Type and body of a record of type BGP or BGP4PLUS; `message` stands without BGP header, and
/// the subtype must say what it is.
pub fn legacy_message(ends: &SessionEnds, message: &[u8]) -> Result<(u16, Vec<u8>), Error> {
    let mrt_type = legacy_type(ends.peer_addr);
    if ends.peer_addr.is_ipv4() != ends.local_addr.is_ipv4() {
        return Err(Error::EncodeUnrepresentable);
    }
    let mut out = Vec::new();
    push_asn(ends.peer_asn, AsnWidth::Two, &mut out)?;
    push_addr(ends.peer_addr, &mut out);
    push_asn(ends.local_asn, AsnWidth::Two, &mut out)?;
    push_addr(ends.local_addr, &mut out);
    out.extend_from_slice(message);
    // A length beyond what BGP has is refused, as for messages with header.
    length_u16(message.len())?;
    Ok((mrt_type, out))
}

/// Type and body of a state change of type BGP or BGP4PLUS: without the collector's end.
pub fn legacy_state_change(change: &StateChange) -> Result<(u16, Vec<u8>), Error> {
    let mut out = Vec::new();
    push_asn(change.ends.peer_asn, AsnWidth::Two, &mut out)?;
    push_addr(change.ends.peer_addr, &mut out);
    push_states(change.old, change.new, &mut out);
    Ok((legacy_type(change.ends.peer_addr), out))
}

fn legacy_type(peer_addr: IpAddr) -> u16 {
    if peer_addr.is_ipv4() { mrt::BGP } else { mrt::BGP4PLUS }
}
