//! The parsed fields of an UPDATE, made a BGP message again: so both forms of a message take the
//! same way to events.

use std::fmt;
use std::net::IpAddr;

use hashbrown::HashSet;
use routewarden_core::{AddressFamily, AsPath, Prefix, SegmentKind};
use routewarden_wire::encode::{self, AttributeWriter};
use routewarden_wire::{AsnWidth, Nlri, RouteOrigin, Safi};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::MessageFault;
use super::message::{self, AsnField, Text};

/// Most ASNs of a path segment (RFC 4271 §4.3).
const SEGMENT_ASNS_MAX: usize = 255;

/// What an UPDATE says, as the service parsed it.
#[derive(Debug, Deserialize)]
struct Parsed<'a> {
    #[serde(default)]
    path: Vec<Hop>,
    #[serde(default)]
    community: Vec<(u16, u16)>,
    #[serde(default)]
    large_community: Vec<[u32; 3]>,
    #[serde(borrow, default)]
    origin: Option<Text<'a>>,
    #[serde(borrow, default)]
    announcements: Vec<Group<'a>>,
    #[serde(borrow, default)]
    withdrawals: Vec<Text<'a>>,
}

/// Prefixes announced with one next hop.
#[derive(Debug, Deserialize)]
struct Group<'a> {
    /// An address; of IPv6 perhaps also the link-local one, after a comma.
    #[serde(borrow)]
    next_hop: Text<'a>,
    #[serde(borrow)]
    prefixes: Vec<Text<'a>>,
}

/// An element of a path.
#[derive(Debug)]
enum Hop {
    Asn(u32),
    Set(Vec<u32>),
}

impl<'de> Deserialize<'de> for Hop {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HopVisitor;
        impl<'de> Visitor<'de> for HopVisitor {
            type Value = Hop;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an ASN or a list of them")
            }

            fn visit_u64<E: serde::de::Error>(self, asn: u64) -> Result<Hop, E> {
                u32::try_from(asn).map(Hop::Asn).map_err(|_| E::custom("an ASN has 32 bits"))
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Hop, S::Error> {
                let mut set = Vec::new();
                while let Some(AsnField(asn)) = seq.next_element()? {
                    set.push(asn);
                }
                Ok(Hop::Set(set))
            }
        }
        deserializer.deserialize_any(HopVisitor)
    }
}

/// The bodies of UPDATEs that say what the parsed fields say: withdrawals first, then the
/// announcements by next hop, IPv4 before IPv6. Empty when there are no routes.
pub(super) fn bodies(text: &str) -> Result<Vec<Vec<u8>>, MessageFault> {
    let parsed: Parsed<'_> = message::data(text)?;
    let no_message = |source| MessageFault::NoMessage { source };
    let mut bodies = Vec::new();
    let withdrawn = prefixes(&parsed.withdrawals, "withdrawals")?;
    if !withdrawn.is_empty() {
        bodies.push(withdrawal(&withdrawn).map_err(no_message)?);
    }
    let attributes = attributes(&parsed).map_err(no_message)?;
    for (next_hops, family, announced) in groups(&parsed.announcements)? {
        let body = announcement(&attributes, &next_hops, family, &announced);
        bodies.push(body.map_err(no_message)?);
    }
    Ok(bodies)
}

type Announced = (Vec<IpAddr>, AddressFamily, Vec<Nlri>);

/// The groups by family. Prefixes that come again with another next hop (the link-local one)
/// are announced once.
fn groups(groups: &[Group<'_>]) -> Result<Vec<Announced>, MessageFault> {
    let (mut announced, mut seen) =
        (Vec::new(), HashSet::<Prefix, foldhash::fast::FixedState>::default());
    for group in groups {
        let next_hops: Result<Vec<IpAddr>, _> =
            group.next_hop.0.split(',').take(2).map(|hop| hop.trim().parse()).collect();
        let next_hops = next_hops.map_err(|_| MessageFault::Field { field: "next_hop" })?;
        let mut all = prefixes(&group.prefixes, "prefixes")?;
        all.retain(|nlri| seen.insert(nlri.prefix));
        let (v4, v6): (Vec<Nlri>, Vec<Nlri>) = all.iter().partition(|nlri| nlri.prefix.is_ipv4());
        for (family, nlri) in [(AddressFamily::Ipv4, v4), (AddressFamily::Ipv6, v6)] {
            if !nlri.is_empty() {
                announced.push((next_hops.clone(), family, nlri));
            }
        }
    }
    announced.sort_by_key(|(_, family, _)| *family == AddressFamily::Ipv6);
    Ok(announced)
}

fn prefixes(texts: &[Text<'_>], field: &'static str) -> Result<Vec<Nlri>, MessageFault> {
    let nlri = |text: &Text<'_>| {
        let prefix = text.0.parse().map_err(|_| MessageFault::Field { field })?;
        Ok(Nlri { prefix, path_id: None, safi: Safi::Unicast })
    };
    texts.iter().map(nlri).collect()
}

fn withdrawal(withdrawn: &[Nlri]) -> Result<Vec<u8>, routewarden_wire::Error> {
    let (v4, v6): (Vec<Nlri>, Vec<Nlri>) = withdrawn.iter().partition(|nlri| nlri.prefix.is_ipv4());
    let mut attributes = AttributeWriter::new(AsnWidth::Four);
    if !v6.is_empty() {
        attributes.mp_unreach((AddressFamily::Ipv6, Safi::Unicast), &v6)?;
    }
    encode::update(&v4, attributes.octets(), &[])
}

fn announcement(
    attributes: &AttributeWriter,
    next_hops: &[IpAddr],
    family: AddressFamily,
    announced: &[Nlri],
) -> Result<Vec<u8>, routewarden_wire::Error> {
    let mut attributes = attributes.clone();
    if let ([IpAddr::V4(next_hop), ..], AddressFamily::Ipv4) = (next_hops, family) {
        attributes.next_hop(*next_hop);
        return encode::update(&[], attributes.octets(), announced);
    }
    attributes.mp_reach((family, Safi::Unicast), next_hops, announced)?;
    encode::update(&[], attributes.octets(), &[])
}

/// The attributes but for next hop and NLRI.
fn attributes(parsed: &Parsed<'_>) -> Result<AttributeWriter, routewarden_wire::Error> {
    let origin = match parsed.origin.as_ref().map(|origin| origin.0.to_ascii_lowercase()) {
        Some(origin) if origin == "igp" => RouteOrigin::Igp,
        Some(origin) if origin == "egp" => RouteOrigin::Egp,
        _ => RouteOrigin::Incomplete,
    };
    let mut attributes = AttributeWriter::new(AsnWidth::Four);
    attributes.origin(origin);
    let wire = path(&parsed.path);
    // What was written segment by segment is always a path.
    attributes.as_path(AsPath::from_wire(&wire).unwrap_or(AsPath::EMPTY))?;
    if !parsed.community.is_empty() {
        attributes.communities(&parsed.community)?;
    }
    if !parsed.large_community.is_empty() {
        attributes.large_communities(&parsed.large_community)?;
    }
    Ok(attributes)
}

/// `AS_PATH` in four-octet wire form.
fn path(hops: &[Hop]) -> Vec<u8> {
    let mut wire = Vec::new();
    let mut sequence = Vec::new();
    for hop in hops {
        match hop {
            Hop::Asn(asn) => sequence.push(*asn),
            Hop::Set(set) => {
                push_segments(SegmentKind::Sequence, &sequence, &mut wire);
                sequence.clear();
                push_segments(SegmentKind::Set, set, &mut wire);
            }
        }
    }
    push_segments(SegmentKind::Sequence, &sequence, &mut wire);
    wire
}

fn push_segments(kind: SegmentKind, asns: &[u32], wire: &mut Vec<u8>) {
    for part in asns.chunks(SEGMENT_ASNS_MAX) {
        wire.push(kind as u8);
        wire.push(u8::try_from(part.len()).unwrap_or(u8::MAX));
        wire.extend(part.iter().flat_map(|asn| asn.to_be_bytes()));
    }
}
