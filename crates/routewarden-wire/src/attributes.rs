//! Path attributes (RFC 4271 §5 and the RFCs of each attribute), read where they lie.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use routewarden_core::{AsPath, Asn, RouteAttributes};

use crate::cursor::Cursor;
use crate::mp::{MpReach, MpUnreach};
use crate::{AsnWidth, Warning, Warnings, as_path};
use rules::{RULES, SLOT_COUNT, check, duplicate};

mod rules;

/// Attribute type codes (IANA "BGP Path Attributes").
pub mod code {
    /// ORIGIN (RFC 4271 §5.1.1).
    pub const ORIGIN: u8 = 1;
    /// `AS_PATH` (RFC 4271 §5.1.2).
    pub const AS_PATH: u8 = 2;
    /// `NEXT_HOP` (RFC 4271 §5.1.3).
    pub const NEXT_HOP: u8 = 3;
    /// `MULTI_EXIT_DISC` (RFC 4271 §5.1.4).
    pub const MED: u8 = 4;
    /// `LOCAL_PREF` (RFC 4271 §5.1.5).
    pub const LOCAL_PREF: u8 = 5;
    /// `ATOMIC_AGGREGATE` (RFC 4271 §5.1.6).
    pub const ATOMIC_AGGREGATE: u8 = 6;
    /// AGGREGATOR (RFC 4271 §5.1.7).
    pub const AGGREGATOR: u8 = 7;
    /// COMMUNITIES (RFC 1997).
    pub const COMMUNITIES: u8 = 8;
    /// `ORIGINATOR_ID` (RFC 4456 §8).
    pub const ORIGINATOR_ID: u8 = 9;
    /// `CLUSTER_LIST` (RFC 4456 §8).
    pub const CLUSTER_LIST: u8 = 10;
    /// `MP_REACH_NLRI` (RFC 4760 §3).
    pub const MP_REACH: u8 = 14;
    /// `MP_UNREACH_NLRI` (RFC 4760 §4).
    pub const MP_UNREACH: u8 = 15;
    /// Extended communities (RFC 4360).
    pub const EXT_COMMUNITIES: u8 = 16;
    /// `AS4_PATH` (RFC 6793 §3).
    pub const AS4_PATH: u8 = 17;
    /// `AS4_AGGREGATOR` (RFC 6793 §3).
    pub const AS4_AGGREGATOR: u8 = 18;
    /// IPv6 address specific extended communities (RFC 5701).
    pub const IPV6_EXT_COMMUNITIES: u8 = 25;
    /// Large communities (RFC 8092).
    pub const LARGE_COMMUNITIES: u8 = 32;
    /// Only to Customer (RFC 9234 §5).
    pub const OTC: u8 = 35;
}

/// Attribute flags (RFC 4271 §4.3).
pub mod flag {
    /// Optional, not well-known.
    pub const OPTIONAL: u8 = 0x80;
    /// Transitive.
    pub const TRANSITIVE: u8 = 0x40;
    /// A router on the way did not know the attribute.
    pub const PARTIAL: u8 = 0x20;
    /// The length has two octets.
    pub const EXTENDED_LENGTH: u8 = 0x10;
}

/// Value of ORIGIN (RFC 4271 §5.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum RouteOrigin {
    /// Interior to the originating AS.
    Igp = 0,
    /// Learned by EGP.
    Egp = 1,
    /// Learned by other means.
    Incomplete = 2,
}

impl RouteOrigin {
    /// From the value octet.
    pub const fn from_octet(octet: u8) -> Option<Self> {
        match octet {
            0 => Some(RouteOrigin::Igp),
            1 => Some(RouteOrigin::Egp),
            2 => Some(RouteOrigin::Incomplete),
            _ => None,
        }
    }

    /// `IGP`, `EGP` or `INCOMPLETE`.
    pub const fn name(self) -> &'static str {
        match self {
            RouteOrigin::Igp => "IGP",
            RouteOrigin::Egp => "EGP",
            RouteOrigin::Incomplete => "INCOMPLETE",
        }
    }
}

/// Who aggregated a route (RFC 4271 §5.1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Aggregator {
    /// Its ASN.
    pub asn: Asn,
    /// Its BGP identifier.
    pub addr: Ipv4Addr,
}

/// Where attributes stand, which decides how they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttributeContext {
    /// Octets of an ASN in `AS_PATH` and AGGREGATOR.
    pub asn_width: AsnWidth,
    /// Whether `MP_REACH_NLRI` may be shortened to its next hop (RFC 6396 §4.3.4).
    pub is_rib_entry: bool,
}

/// One attribute as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawAttribute<'a> {
    /// Flags octet.
    pub flags: u8,
    /// Type code.
    pub code: u8,
    /// Value.
    pub value: &'a [u8],
}

/// Where a value lies; a start of 0 means absent, since no value starts there.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    start: u16,
    len: u16,
}

impl Slot {
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "of 65,535 octets at most")]
    fn of(start: usize, len: usize) -> Self {
        Slot { start: start as u16, len: len as u16 }
    }
}

/// The path attributes of a route. One pass notes where each known attribute lies and checks
/// it (RFC 7606); values are read when asked for. Needs no memory of its own.
#[derive(Clone, Copy, Debug)]
pub struct Attributes<'a> {
    octets: &'a [u8],
    context: AttributeContext,
    count: u16,
    slots: [Slot; SLOT_COUNT],
    warnings: Warnings,
}

impl<'a> Attributes<'a> {
    /// Finds and checks the attributes. Octets beyond 65,535 are never looked at: no length
    /// field can name them.
    #[inline]
    pub fn scan(octets: &'a [u8], context: AttributeContext) -> Self {
        let mut attributes = Self::unread(context);
        attributes.note_all(octets);
        attributes
    }

    /// No attributes.
    #[inline]
    pub(crate) fn unread(context: AttributeContext) -> Self {
        Attributes {
            octets: &[],
            context,
            count: 0,
            slots: [Slot::default(); SLOT_COUNT],
            warnings: Warnings::NONE,
        }
    }

    /// Scans into an empty value, where it stands.
    pub(crate) fn note_all(&mut self, octets: &'a [u8]) {
        let octets = octets.get(..usize::from(u16::MAX)).unwrap_or(octets);
        self.octets = octets;
        let (mut at, mut count) = (0, 0);
        while at < octets.len() {
            let Some((raw, start)) = attribute_at(octets, at) else {
                self.warnings.insert(Warning::AttributeOverrun);
                break;
            };
            self.note(raw, start);
            at = start + raw.value.len();
            count += 1;
        }
        self.count = count;
    }

    #[inline]
    fn note(&mut self, raw: RawAttribute<'a>, start: usize) {
        let Some(rule) = RULES.get(usize::from(raw.code)) else { return };
        let Some(slot) = self.slots.get_mut(usize::from(rule.slot)) else { return };
        if slot.start != 0 {
            self.warnings.insert(duplicate(raw.code));
            return;
        }
        // In table dumps the flags are the writer's, not the peer's: BIRD leaves them 0.
        let flags = raw.flags & (flag::OPTIONAL | flag::TRANSITIVE);
        if flags != rule.flags && !self.context.is_rib_entry {
            self.warnings.insert(Warning::AttributeFlags);
        }
        if raw.value.len() != usize::from(rule.length) {
            match check(raw, self.context) {
                Ok(None) => {}
                Ok(Some(warning)) => self.warnings.insert(warning),
                Err(warning) => {
                    self.warnings.insert(warning);
                    return;
                }
            }
        }
        *slot = Slot::of(start, raw.value.len());
    }

    #[inline]
    fn slot(&self, code: u8) -> Slot {
        let rule = RULES.get(usize::from(code));
        let slot = rule.and_then(|rule| self.slots.get(usize::from(rule.slot)));
        slot.copied().unwrap_or_default()
    }

    #[inline]
    fn value(&self, code: u8) -> Option<&'a [u8]> {
        let slot = self.slot(code);
        let start = usize::from(slot.start);
        if start == 0 {
            return None;
        }
        self.octets.get(start..start + usize::from(slot.len))
    }

    /// Where the value of an attribute ends, in octets from the first attribute.
    #[inline]
    pub(crate) fn end_of(&self, code: u8) -> usize {
        let slot = self.slot(code);
        usize::from(slot.start) + usize::from(slot.len)
    }

    #[inline]
    fn u32(&self, code: u8) -> Option<u32> {
        self.value(code)?.first_chunk().map(|octets| u32::from_be_bytes(*octets))
    }

    /// The octets of all attributes.
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// How the attributes were read.
    pub fn context(&self) -> AttributeContext {
        self.context
    }

    /// Number of attributes, unknown ones included.
    pub fn count(&self) -> u16 {
        self.count
    }

    /// Faults found.
    #[inline]
    pub fn warnings(&self) -> Warnings {
        self.warnings
    }

    /// All attributes as they stand, unknown and malformed ones included.
    pub fn raw(&self) -> impl Iterator<Item = RawAttribute<'a>> + use<'a> {
        let (octets, mut at) = (self.octets, 0);
        std::iter::from_fn(move || {
            let (raw, start) = attribute_at(octets, at)?;
            at = start + raw.value.len();
            Some(raw)
        })
    }

    /// Whether an attribute is there and well-formed.
    #[inline]
    pub fn has(&self, code: u8) -> bool {
        self.slot(code).start != 0
    }

    /// ORIGIN.
    #[inline]
    pub fn origin(&self) -> Option<RouteOrigin> {
        RouteOrigin::from_octet(*self.value(code::ORIGIN)?.first()?)
    }

    /// `AS_PATH`, merged with `AS4_PATH` where RFC 6793 §4.2.3 says so. Borrowed when the
    /// session has four-octet ASNs, else written to `scratch`, which loses what it held.
    /// `None` when there is none, or it is malformed.
    #[inline]
    pub fn as_path<'s>(&self, scratch: &'s mut Vec<u8>) -> Option<AsPath<'s>>
    where
        'a: 's,
    {
        let octets = self.value(code::AS_PATH)?;
        if self.has(code::AS4_PATH) {
            return self.merged_as_path(octets, scratch);
        }
        match self.context.asn_width {
            AsnWidth::Four => AsPath::from_wire(octets).ok(),
            AsnWidth::Two => as_path::widened(octets, scratch),
        }
    }

    /// `AS_PATH` where there is an `AS4_PATH`.
    #[inline(never)]
    fn merged_as_path<'s>(&self, octets: &'a [u8], scratch: &'s mut Vec<u8>) -> Option<AsPath<'s>>
    where
        'a: 's,
    {
        let width = self.context.asn_width;
        match self.effective_as4_path() {
            Some(as4) => {
                scratch.clear();
                as_path::merge(octets, width, as4, scratch);
                AsPath::from_wire(scratch).ok()
            }
            None if width == AsnWidth::Four => AsPath::from_wire(octets).ok(),
            None => as_path::widened(octets, scratch),
        }
    }

    /// `AS_PATH` as it stands: [`AsnWidth`] octets an ASN.
    #[inline]
    pub fn as_path_octets(&self) -> Option<&'a [u8]> {
        self.value(code::AS_PATH)
    }

    /// `AS4_PATH` as it stands.
    #[inline]
    pub fn as4_path_octets(&self) -> Option<&'a [u8]> {
        self.value(code::AS4_PATH)
    }

    /// `AS4_PATH`, if it counts: not when AGGREGATOR names a real AS beside `AS4_AGGREGATOR`,
    /// because then the route passed an AS that rewrote the path (RFC 6793 §4.2.3).
    #[inline]
    fn effective_as4_path(&self) -> Option<&'a [u8]> {
        let as4 = self.value(code::AS4_PATH)?;
        (!self.is_as4_overruled()).then_some(as4)
    }

    fn is_as4_overruled(&self) -> bool {
        let old = self.value(code::AGGREGATOR).and_then(aggregator);
        self.has(code::AS4_AGGREGATOR) && old.is_some_and(|old| old.asn != Asn::TRANS)
    }

    /// Next hop: `NEXT_HOP`, else that of `MP_REACH_NLRI`.
    #[inline]
    pub fn next_hop(&self) -> Option<IpAddr> {
        self.next_hop_ipv4().map(IpAddr::V4).or_else(|| self.mp_next_hop())
    }

    /// `NEXT_HOP`.
    #[inline]
    pub fn next_hop_ipv4(&self) -> Option<Ipv4Addr> {
        self.u32(code::NEXT_HOP).map(Ipv4Addr::from)
    }

    /// Next hop of `MP_REACH_NLRI`, the global one when there are two.
    pub fn mp_next_hop(&self) -> Option<IpAddr> {
        self.mp_reach()?.next_hop()
    }

    /// Link-local next hop of `MP_REACH_NLRI` (RFC 2545 §3).
    pub fn mp_next_hop_link_local(&self) -> Option<Ipv6Addr> {
        self.mp_reach()?.next_hop_link_local()
    }

    /// `MULTI_EXIT_DISC`.
    #[inline]
    pub fn med(&self) -> Option<u32> {
        self.u32(code::MED)
    }

    /// `LOCAL_PREF`.
    #[inline]
    pub fn local_pref(&self) -> Option<u32> {
        self.u32(code::LOCAL_PREF)
    }

    /// Whether `ATOMIC_AGGREGATE` is there.
    #[inline]
    pub fn atomic_aggregate(&self) -> bool {
        self.has(code::ATOMIC_AGGREGATE)
    }

    /// AGGREGATOR, replaced by `AS4_AGGREGATOR` where RFC 6793 §4.2.3 says so.
    #[inline]
    pub fn aggregator(&self) -> Option<Aggregator> {
        let old = aggregator(self.value(code::AGGREGATOR)?)?;
        let new = self.value(code::AS4_AGGREGATOR).and_then(aggregator);
        match new {
            Some(new) if old.asn == Asn::TRANS => Some(new),
            _ => Some(old),
        }
    }

    /// Only to Customer.
    #[inline]
    pub fn otc(&self) -> Option<Asn> {
        self.u32(code::OTC).map(Asn)
    }

    /// `ORIGINATOR_ID`.
    #[inline]
    pub fn originator_id(&self) -> Option<Ipv4Addr> {
        self.u32(code::ORIGINATOR_ID).map(Ipv4Addr::from)
    }

    /// `CLUSTER_LIST`.
    #[inline]
    pub fn cluster_list(&self) -> impl Iterator<Item = Ipv4Addr> + use<'a> {
        let (ids, _) = self.value(code::CLUSTER_LIST).unwrap_or_default().as_chunks::<4>();
        ids.iter().map(|id| Ipv4Addr::from(*id))
    }

    /// Communities as (ASN, value) pairs (RFC 1997).
    #[inline]
    pub fn communities(&self) -> impl Iterator<Item = (u16, u16)> + use<'a> {
        let (pairs, _) = self.community_octets().as_chunks::<4>();
        pairs.iter().map(|&[a, b, c, d]| (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
    }

    /// Communities, four octets each.
    #[inline]
    pub fn community_octets(&self) -> &'a [u8] {
        self.value(code::COMMUNITIES).unwrap_or_default()
    }

    /// Large communities: global administrator and two values (RFC 8092 §3).
    #[inline]
    pub fn large_communities(&self) -> impl Iterator<Item = [u32; 3]> + use<'a> {
        let (parts, _) = self.large_community_octets().as_chunks::<4>();
        let (triples, _) = parts.as_chunks::<3>();
        triples.iter().map(|triple| triple.map(u32::from_be_bytes))
    }

    /// Large communities, twelve octets each.
    #[inline]
    pub fn large_community_octets(&self) -> &'a [u8] {
        self.value(code::LARGE_COMMUNITIES).unwrap_or_default()
    }

    /// Extended communities, eight octets each (RFC 4360 §2).
    #[inline]
    pub fn ext_communities(&self) -> impl Iterator<Item = [u8; 8]> + use<'a> {
        let (all, _) = self.value(code::EXT_COMMUNITIES).unwrap_or_default().as_chunks::<8>();
        all.iter().copied()
    }

    /// IPv6 address specific extended communities, twenty octets each (RFC 5701 §2).
    #[inline]
    pub fn ipv6_ext_communities(&self) -> impl Iterator<Item = [u8; 20]> + use<'a> {
        let octets = self.value(code::IPV6_EXT_COMMUNITIES).unwrap_or_default();
        octets.as_chunks::<20>().0.iter().copied()
    }

    /// `MP_REACH_NLRI`.
    #[inline]
    pub fn mp_reach(&self) -> Option<MpReach<'a>> {
        MpReach::read(self.value(code::MP_REACH)?, self.context.is_rib_entry)
    }

    /// `MP_UNREACH_NLRI`.
    #[inline]
    pub fn mp_unreach(&self) -> Option<MpUnreach<'a>> {
        MpUnreach::read(self.value(code::MP_UNREACH)?)
    }

    /// What detection reads. A missing or malformed path counts as empty.
    pub fn route<'s>(&self, scratch: &'s mut Vec<u8>) -> RouteAttributes<'s>
    where
        'a: 's,
    {
        RouteAttributes {
            as_path: self.as_path(scratch).unwrap_or(AsPath::EMPTY),
            otc: self.otc(),
            communities: self.community_octets(),
            large_communities: self.large_community_octets(),
        }
    }
}

/// The attribute whose header stands at `at`, and where its value begins.
#[inline]
fn attribute_at(octets: &[u8], at: usize) -> Option<(RawAttribute<'_>, usize)> {
    let &[flags, code, high] = octets.get(at..)?.first_chunk()?;
    let (start, len) = if flags & flag::EXTENDED_LENGTH != 0 {
        let low = *octets.get(at + 3)?;
        (at + 4, usize::from(u16::from_be_bytes([high, low])))
    } else {
        (at + 3, usize::from(high))
    };
    Some((RawAttribute { flags, code, value: octets.get(start..start + len)? }, start))
}

/// The length tells the octets of the ASN: OpenBGPD writes four into records of two.
fn aggregator(value: &[u8]) -> Option<Aggregator> {
    let mut rest = Cursor::new(value);
    let width = if value.len() == 8 { AsnWidth::Four } else { AsnWidth::Two };
    let asn = rest.asn(width)?;
    Some(Aggregator { asn, addr: Ipv4Addr::from(rest.u32()?) })
}
