//! A table dump and updates that look like those of a collector: few distinct paths for many
//! routes, some communities, some prepending, rarely a set or an aggregator. Deterministic.
//!
//! ASNs and IPv6 addresses are those for documentation (RFC 5398, RFC 3849); IPv4 prefixes those for
//! benchmarks, 198.18.0.0/15 (RFC 2544 §C.2.2).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use routewarden_core::{AddressFamily, AsPathBuf, Asn, Prefix, SegmentKind, Timestamp};
use routewarden_wire::encode::{self, AttributeWriter, Bgp4mpKind, RibEntryParts};
use routewarden_wire::{
    Aggregator, AsnWidth, Error, Nlri, PeerEntry, PeerIndex, RouteOrigin, Safi, SessionEnds, mrt,
};

/// 2024-01-01T00:00:00Z.
const BEGIN: Timestamp = Timestamp::from_secs(1_704_067_200);
/// Type of a BGP UPDATE (RFC 4271 §4.1).
const UPDATE: u8 = 2;
/// Prefixes that follow each other and have one origin.
const GROUP: u32 = 5;
/// Distinct attribute sets that a peer announces.
const SETS: u32 = 4_000;

/// How much to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Prefixes of the table; a fifth of them IPv6. At most about 19,000 differ.
    pub prefixes: u32,
    /// Peers; each has a route to nine tenths of the prefixes of its family.
    pub peers: u16,
    /// UPDATE messages.
    pub messages: u32,
}

impl Size {
    /// What the instructions are counted on: large enough that starting does not count.
    pub const GATE: Size = Size { prefixes: 4_000, peers: 20, messages: 20_000 };
}

/// Numbers that look random and are the same in every run (splitmix64).
#[derive(Clone, Debug)]
pub struct Numbers(u64);

impl Numbers {
    /// Beginning with `seed`.
    pub fn new(seed: u64) -> Self {
        Numbers(seed)
    }

    /// One below `end`, which must not be 0.
    pub fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        u32::try_from(mixed % u64::from(end.max(1))).unwrap_or(0)
    }

    /// Whether it is one of `out_of`.
    pub fn one_in(&mut self, out_of: u32) -> bool {
        self.below(out_of) == 0
    }

    /// One of the 32 ASNs for documentation.
    pub fn asn(&mut self) -> Asn {
        asn(self.below(32))
    }
}

/// The ASN for documentation of that number, counted around (RFC 5398).
fn asn(number: u32) -> Asn {
    let at = number % 32;
    Asn(if at < 16 { 64_496 + at } else { 65_520 + at })
}

/// One of the attribute sets to the prefixes of a group, and their origin: neighbours in a table
/// often share both.
fn set_of(number: u32, variant: u32) -> (u32, Asn) {
    let group = number / GROUP;
    ((group + variant) % SETS, asn(group))
}

/// The prefix of that number: of five, four are IPv4 of 24 to 28 bits and one is IPv6 of 48 bits.
/// `None` when there are no more.
pub fn prefix(number: u32) -> Option<Prefix> {
    let (group, place) = (number / GROUP, number % GROUP);
    if place == 4 {
        return Prefix::v6(0x2001_0db8 << 96 | u128::from(group & 0xffff) << 80, 48);
    }
    let mut at = group * 4 + place;
    for len in 24..=28_u8 {
        let count = 1 << (len - 15);
        if at < count {
            return Prefix::v4(0xc612_0000 | at << (32 - len), len);
        }
        at -= count;
    }
    None
}

fn peer(index: u16) -> PeerEntry {
    let is_ipv6 = index % 5 == 4;
    let number = u32::from(index) + 1;
    let addr = if is_ipv6 {
        IpAddr::V6(Ipv6Addr::from_bits(0x2001_0db8 << 96 | u128::from(number)))
    } else {
        IpAddr::V4(Ipv4Addr::from_bits(0xc000_0200 | number & 0xff))
    };
    let asn = Asn(64_496 + u32::from(index % 16));
    PeerEntry { bgp_id: Ipv4Addr::from_bits(0xc000_0200 | number & 0xff), addr, asn }
}

/// One of the attribute sets of a peer to the prefixes of one origin.
fn attributes(
    peer: &PeerEntry,
    (set, origin): (u32, Asn),
    width: AsnWidth,
) -> Result<AttributeWriter, Error> {
    let mut numbers = Numbers::new(u64::from(set) << 32 | u64::from(peer.asn.0));
    let mut path = vec![peer.asn];
    for _ in 0..numbers.below(5) {
        let asn = numbers.asn();
        let times = if numbers.one_in(12) { 3 } else { 1 };
        path.extend(std::iter::repeat_n(asn, times));
    }
    path.push(origin);
    let mut path = AsPathBuf::sequence(path);
    if numbers.one_in(100) {
        path.push_segment(SegmentKind::Set, [origin, numbers.asn()]);
    }
    let mut writer = AttributeWriter::new(width);
    writer.origin(RouteOrigin::Igp).as_path(path.as_path())?;
    writer.next_hop(Ipv4Addr::from_bits(0xc000_0201));
    if numbers.one_in(3) {
        writer.med(numbers.below(1_000));
    }
    if numbers.one_in(10) {
        writer.atomic_aggregate();
        let addr = Ipv4Addr::from_bits(0xc000_0209);
        writer.aggregator(Aggregator { asn: numbers.asn(), addr })?;
    }
    let communities: Vec<(u16, u16)> = (0..numbers.below(9))
        .map(|_| (64_496 + low(numbers.below(16)), low(numbers.below(3_000))))
        .collect();
    if !communities.is_empty() {
        writer.communities(&communities)?;
    }
    if numbers.one_in(8) {
        let large = [numbers.asn().0, numbers.below(100), numbers.below(100)];
        writer.large_communities(&[large, large.map(|part| part + 1)])?;
    }
    Ok(writer)
}

fn low(number: u32) -> u16 {
    u16::try_from(number & 0xffff).unwrap_or(0)
}

fn is_ipv4(prefix: &Prefix) -> bool {
    prefix.family() == AddressFamily::Ipv4
}

/// A table dump (`TABLE_DUMP_V2`).
///
/// # Errors
/// When something does not fit its field, which no [`Size`] leads to.
pub fn table(size: Size) -> Result<Vec<u8>, Error> {
    let peers: Vec<PeerEntry> = (0..size.peers).map(peer).collect();
    let collector_id = Ipv4Addr::from_bits(0xc000_02fe);
    let index = PeerIndex { collector_id, view_name: String::new(), peers: peers.clone() };
    let mut out = Vec::new();
    let kind = (mrt::TABLE_DUMP_V2, mrt::table_dump_v2::PEER_INDEX_TABLE);
    encode::push_record(BEGIN, kind, &encode::peer_index_table(&index)?, &mut out)?;
    let mut numbers = Numbers::new(1);
    for number in 0..size.prefixes {
        let Some(prefix) = prefix(number) else { break };
        let mut sets = Vec::new();
        for (peer_index, peer) in (0..).zip(&peers) {
            if peer.addr.is_ipv4() == is_ipv4(&prefix) && !numbers.one_in(10) {
                let set = set_of(number, numbers.below(3));
                let age = i64::from(numbers.below(86_400));
                let attributes = attributes(peer, set, AsnWidth::Four)?;
                sets.push((peer_index, BEGIN.plus_secs(-age), attributes));
            }
        }
        let entries: Vec<RibEntryParts<'_>> = sets
            .iter()
            .map(|(peer_index, originated, attributes)| RibEntryParts {
                peer_index: *peer_index,
                originated: *originated,
                path_id: None,
                attributes: attributes.octets(),
            })
            .collect();
        let (subtype, body) = encode::rib(number, prefix, Safi::Unicast, &entries)?;
        encode::push_record(BEGIN, (mrt::TABLE_DUMP_V2, subtype), &body, &mut out)?;
    }
    Ok(out)
}

/// Updates of the peers of [`table`], ten messages a second.
///
/// # Errors
/// As [`table`].
pub fn updates(size: Size) -> Result<Vec<u8>, Error> {
    let mut numbers = Numbers::new(2);
    let mut out = Vec::new();
    for message in 0..size.messages {
        let peer = peer(low(numbers.below(u32::from(size.peers))));
        let is_old = peer.addr.is_ipv4() && numbers.one_in(10);
        let asn_width = if is_old { AsnWidth::Two } else { AsnWidth::Four };
        let first = numbers.below(size.prefixes / GROUP) * GROUP;
        let routes: Vec<Nlri> = (first..first + 1 + numbers.below(GROUP))
            .filter_map(prefix)
            .filter(|prefix| is_ipv4(prefix) == peer.addr.is_ipv4())
            .map(|prefix| Nlri { prefix, path_id: None, safi: Safi::Unicast })
            .collect();
        let (set, origin) = set_of(first, numbers.below(6));
        // Now and then one announces what is another's.
        let origin = if numbers.one_in(500) { numbers.asn() } else { origin };
        let is_withdrawal = numbers.one_in(5);
        let body = update(&peer, &routes, (!is_withdrawal).then_some(((set, origin), asn_width)))?;
        let local_addr = match peer.addr {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(0xc000_02fe)),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(0x2001_0db8 << 96 | 0xfffe)),
        };
        let ends = SessionEnds {
            peer_asn: peer.asn,
            local_asn: Asn(64_511),
            interface: 0,
            peer_addr: peer.addr,
            local_addr,
        };
        let kind = Bgp4mpKind { asn_width, is_local: false, has_path_ids: false };
        let (subtype, body) =
            encode::bgp4mp_message(kind, &ends, &encode::message(UPDATE, &body)?)?;
        let time = BEGIN.plus_secs(i64::from(message / 10));
        encode::push_record(time, (mrt::BGP4MP, subtype), &body, &mut out)?;
    }
    Ok(out)
}

/// Body of an UPDATE with these routes: announced with an attribute set, or withdrawn.
fn update(
    peer: &PeerEntry,
    routes: &[Nlri],
    announced: Option<((u32, Asn), AsnWidth)>,
) -> Result<Vec<u8>, Error> {
    let ipv6 = (AddressFamily::Ipv6, Safi::Unicast);
    match (announced, peer.addr.is_ipv4()) {
        (None, true) => encode::update(routes, &[], &[]),
        (None, false) => {
            let mut writer = AttributeWriter::new(AsnWidth::Four);
            writer.mp_unreach(ipv6, routes)?;
            encode::update(&[], writer.octets(), &[])
        }
        (Some((set, width)), true) => {
            encode::update(&[], attributes(peer, set, width)?.octets(), routes)
        }
        (Some((set, width)), false) => {
            let mut writer = attributes(peer, set, width)?;
            writer.mp_reach(ipv6, &[peer.addr], routes)?;
            encode::update(&[], writer.octets(), &[])
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::work;

    const SMALL: Size = Size { prefixes: 200, peers: 10, messages: 500 };

    #[test]
    fn data_are_the_same_in_every_run() {
        assert_eq!(table(SMALL).unwrap(), table(SMALL).unwrap());
        assert_eq!(updates(SMALL).unwrap(), updates(SMALL).unwrap());
    }

    #[test]
    fn prefixes_differ() {
        let all: BTreeSet<Prefix> = (0..19_000).filter_map(prefix).collect();
        assert_eq!(all.len(), 19_000);
        assert_eq!(all.iter().filter(|prefix| !is_ipv4(prefix)).count(), 3_800);
    }

    #[test]
    fn everything_made_is_decoded() {
        let mut rib = work::Table::default();
        let table = work::events(&table(SMALL).unwrap());
        // 8 of 10 peers are IPv4, and so are 160 of 200 prefixes; a tenth is left out.
        assert!((1_150..1_250).contains(&table.len()), "{}", table.len());
        assert_eq!(rib.apply(&table), table.len());
        let updates = work::events(&updates(SMALL).unwrap());
        assert!(updates.len() > 500, "{}", updates.len());
        assert!(rib.apply(&updates) > 1_000);
    }
}
