//! Every field of every element equals what bgpkit-parser 0.23 reads, in the same order, except
//! for the differences named in [`Rule`], whose numbers are asserted. Of large files only the
//! first records are compared; set `ROUTEWARDEN_FULL=1` for all.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking and tells on the console what it skipped"
)]

mod common;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use bgpkit_parser::models::{
    AsnLength, AttributeValue, Attributes as TheirAttributes, Community, ElemType,
    ExtendedCommunity, MetaCommunity,
};
use bgpkit_parser::{BgpElem, Elementor, chunk_mrt_record};
use routewarden_wire::{
    AsnWidth, AttributeContext, Attributes, Decoded, Element, ElementKind, Error, MrtDecoder, Nlri,
    RawRecord, Record, Warning, for_each_element,
};

/// An element with every field in comparable form.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Flat {
    is_announcement: bool,
    micros: i64,
    peer: (IpAddr, u32),
    prefix: (String, Option<u32>),
    path: Option<String>,
    origin: Option<String>,
    next_hop: Option<IpAddr>,
    numbers: (Option<u32>, Option<u32>, Option<u32>),
    atomic: bool,
    aggregator: Option<(u32, u32)>,
    communities: Vec<u32>,
    large: Vec<[u32; 3]>,
    ext: Vec<[u8; 8]>,
    ipv6_ext: usize,
}

impl Flat {
    /// Names of the fields in which two elements differ.
    fn differing(&self, other: &Flat) -> Vec<&'static str> {
        let fields = [
            ("kind", self.is_announcement == other.is_announcement),
            ("time", self.micros == other.micros),
            ("peer", self.peer == other.peer),
            ("prefix", self.prefix.0 == other.prefix.0),
            ("path_id", self.prefix.1 == other.prefix.1),
            ("path", self.path == other.path),
            ("origin", self.origin == other.origin),
            ("next_hop", self.next_hop == other.next_hop),
            ("numbers", self.numbers == other.numbers),
            ("atomic", self.atomic == other.atomic),
            ("aggregator", self.aggregator == other.aggregator),
            ("communities", self.communities == other.communities),
            ("large", self.large == other.large),
            ("ext", self.ext == other.ext),
            ("ipv6_ext", self.ipv6_ext == other.ipv6_ext),
        ];
        fields.iter().filter(|(_, same)| !same).map(|(name, _)| *name).collect()
    }
}

/// Their extended communities as octets, through their encoder.
fn ext_octets(communities: &[ExtendedCommunity]) -> Vec<[u8; 8]> {
    let context = AttributeContext { asn_width: AsnWidth::Four, is_rib_entry: false };
    let mut out = Vec::new();
    // Few at a time: it does not set the extended length bit by itself.
    for some in communities.chunks(16) {
        let value = AttributeValue::ExtendedCommunities(some.to_vec());
        let octets = TheirAttributes::from_iter([value]).encode(AsnLength::Bits32).unwrap();
        out.extend(Attributes::scan(&octets, context).ext_communities());
    }
    out
}

fn theirs(elem: BgpElem) -> Flat {
    let is_announcement = elem.elem_type == ElemType::ANNOUNCE;
    let (mut communities, mut large, mut ext, mut ipv6_ext) = (vec![], vec![], vec![], 0);
    for community in elem.communities.unwrap_or_default() {
        match community {
            MetaCommunity::Plain(plain) => communities.push(match plain {
                Community::NoExport => 0xffff_ff01,
                Community::NoAdvertise => 0xffff_ff02,
                Community::NoExportSubConfed => 0xffff_ff03,
                Community::Custom(asn, value) => u32::from(asn) << 16 | u32::from(value),
            }),
            MetaCommunity::Large(c) => {
                large.push([c.global_admin, c.local_data[0], c.local_data[1]]);
            }
            MetaCommunity::Extended(c) => ext.push(c),
            MetaCommunity::Ipv6Extended(_) => ipv6_ext += 1,
        }
    }
    // A missing number is 0 there.
    let number = |value: Option<u32>| value.filter(|&value| value != 0);
    Flat {
        is_announcement,
        #[allow(clippy::cast_possible_truncation, reason = "below 2^53")]
        micros: (elem.timestamp * 1e6).round() as i64,
        peer: (elem.peer_ip, elem.peer_asn.into()),
        prefix: (elem.prefix.prefix.to_string(), elem.prefix.path_id),
        path: elem.as_path.map(|path| path.to_string()),
        origin: elem.origin.map(|origin| origin.to_string()),
        next_hop: elem.next_hop,
        numbers: (number(elem.med), number(elem.local_pref), elem.only_to_customer.map(Into::into)),
        atomic: elem.atomic,
        aggregator: elem.aggr_asn.zip(elem.aggr_ip).map(|(asn, ip)| (asn.into(), ip.into())),
        communities,
        large,
        ext: ext_octets(&ext),
        ipv6_ext,
    }
}

fn announcement(nlri: Nlri, attributes: &Attributes<'_>, micros: i64) -> Flat {
    let mut scratch = Vec::new();
    // Confederation segments have no brackets of their own there.
    let path = attributes.as_path(&mut scratch).map(|path| {
        let text = path.to_string().replace('[', "{").replace(']', "}");
        text.replace(['(', ')'], "")
    });
    let number = |value: Option<u32>| value.filter(|&value| value != 0);
    Flat {
        is_announcement: true,
        micros,
        path,
        origin: attributes.origin().map(|origin| origin.name().to_owned()),
        next_hop: attributes.next_hop(),
        numbers: (
            number(attributes.med()),
            number(attributes.local_pref()),
            attributes.otc().map(|asn| asn.0),
        ),
        atomic: attributes.atomic_aggregate(),
        aggregator: attributes.aggregator().map(|a| (a.asn.0, a.addr.into())),
        communities: attributes
            .communities()
            .map(|(asn, value)| u32::from(asn) << 16 | u32::from(value))
            .collect(),
        large: attributes.large_communities().collect(),
        ext: attributes.ext_communities().collect(),
        ipv6_ext: attributes.ipv6_ext_communities().count(),
        ..withdrawal(nlri, micros)
    }
}

fn withdrawal(nlri: Nlri, micros: i64) -> Flat {
    Flat {
        is_announcement: false,
        micros,
        peer: (IpAddr::from([0; 4]), 0),
        prefix: (nlri.prefix.to_string(), nlri.path_id),
        path: None,
        origin: None,
        next_hop: None,
        numbers: (None, None, None),
        atomic: false,
        aggregator: None,
        communities: Vec::new(),
        large: Vec::new(),
        ext: Vec::new(),
        ipv6_ext: 0,
    }
}

/// Our elements in their order: announcements first.
fn ours(raw: &RawRecord<'_>, record: &Record<'_>) -> Vec<Flat> {
    let (mut announced, mut withdrawn) = (Vec::new(), Vec::new());
    for_each_element(raw, record, |element: Result<Element<'_>, Error>| {
        let Ok(element) = element else { return };
        let micros = element.time.micros();
        let peer = (element.peer_addr, element.peer_asn.0);
        match element.kind {
            ElementKind::Announcement { nlri, attributes } => {
                announced.push(Flat { peer, ..announcement(nlri, attributes, micros) });
            }
            // Their time of a table entry is when it originated.
            ElementKind::TableEntry { nlri, attributes, originated } => {
                let flat = announcement(nlri, attributes, originated.micros());
                announced.push(Flat { peer, ..flat });
            }
            ElementKind::Withdrawal { nlri } => {
                withdrawn.push(Flat { peer, ..withdrawal(nlri, micros) });
            }
            ElementKind::StateChange { .. } => {}
        }
    });
    announced.append(&mut withdrawn);
    announced
}

/// Records compared of each file, unless `ROUTEWARDEN_FULL=1` is set.
const RECORDS_MAX: usize = 4_000;

/// A known difference. Counted in records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rule {
    /// They do not pass on the path identifiers of RIB entries (RFC 8050 §4.1).
    RibPathIdsDropped,
    /// They drop all NLRI of a field with a malformed end; RFC 4271 §4.3 makes the bits beyond
    /// a prefix's length irrelevant, and the prefixes before the fault are sound.
    MalformedNlriDropsAll,
    /// They do not merge `AS4_PATH` into the path of `TABLE_DUMP` entries (RFC 6793 §4.2.3).
    TableDumpAs4PathIgnored,
    /// They do not read the deprecated `BGP4MP_ENTRY`.
    Bgp4mpEntryUnread,
    /// They refuse a BGP message that a collector cut.
    CutMessageRefused,
    /// Not explained: the test fails.
    Unexplained,
}

fn rule(decoded: &Decoded<Record<'_>>, ours: &[Flat], theirs: &Result<Vec<Flat>, String>) -> Rule {
    let warnings = decoded.warnings;
    let only_differ_in = |field: &str| {
        theirs.as_ref().is_ok_and(|theirs| {
            theirs.len() == ours.len()
                && theirs.iter().zip(ours).all(|(a, b)| a == b || a.differing(b) == [field])
        })
    };
    match &decoded.value {
        Record::Rib(_) if only_differ_in("path_id") => Rule::RibPathIdsDropped,
        Record::TableDump(dump) => {
            let mut entries = dump.entries().flatten();
            if entries.all(|entry| entry.next_hop.is_some()) && theirs.is_err() {
                Rule::Bgp4mpEntryUnread
            } else if only_differ_in("path")
                && dump.entries().flatten().all(|e| e.attributes().as4_path_octets().is_some())
            {
                Rule::TableDumpAs4PathIgnored
            } else {
                Rule::Unexplained
            }
        }
        Record::Message(_) if warnings.contains(Warning::MessageCut) && theirs.is_err() => {
            Rule::CutMessageRefused
        }
        Record::Message(_) if warnings.contains(Warning::NlriMalformed) => {
            let is_subset = theirs
                .as_ref()
                .is_ok_and(|theirs| theirs.iter().all(|element| ours.contains(element)));
            if is_subset { Rule::MalformedNlriDropsAll } else { Rule::Unexplained }
        }
        _ => Rule::Unexplained,
    }
}

#[derive(Default)]
struct Tally {
    elements: u64,
    rules: BTreeMap<Rule, u64>,
    samples: Vec<String>,
}

fn compare(path: &Path, records_max: usize, tally: &mut Tally) {
    let content = common::read(path).unwrap();
    let mut rest = content.as_slice();
    let mut their_rest = content.as_slice();
    let mut decoder = MrtDecoder::new();
    let mut elementor = Elementor::new();
    for _ in 0..records_max {
        if rest.is_empty() {
            break;
        }
        let (raw, after) = RawRecord::from_octets(rest).unwrap();
        rest = after;
        let chunk = chunk_mrt_record(&mut their_rest);
        let their_elements = match chunk {
            Err(error) => Err(error.to_string()),
            Ok(chunk) => chunk
                .parse()
                .map_err(|error| error.to_string())
                .map(|record| elementor.record_to_elems(record).into_iter().map(theirs).collect()),
        };
        let Ok(decoded) = decoder.decode(&raw) else {
            if their_elements.is_ok() {
                tally.samples.push(format!("{} {} only we fail", path.display(), raw.index));
            }
            continue;
        };
        let our_elements = ours(&raw, &decoded.value);
        tally.elements += our_elements.len() as u64;
        let is_same = match &their_elements {
            Ok(elements) => *elements == our_elements,
            Err(_) => our_elements.is_empty(),
        };
        if is_same {
            continue;
        }
        let rule = rule(&decoded, &our_elements, &their_elements);
        *tally.rules.entry(rule).or_default() += 1;
        if rule == Rule::Unexplained && tally.samples.len() < 5 {
            let what = match &their_elements {
                Err(error) => format!("error {error}"),
                Ok(elements) if elements.len() != our_elements.len() => {
                    format!("{} for {}", our_elements.len(), elements.len())
                }
                Ok(elements) => {
                    let at = elements.iter().zip(&our_elements).find(|(a, b)| a != b).unwrap();
                    format!("{:?}: {:?} for {:?}", at.0.differing(at.1), at.1, at.0)
                }
            };
            let head = format!("{} {:?}", path.display(), raw.header);
            tally.samples.push(format!("{head} {what}"));
        }
    }
}

#[test]
fn every_field_of_every_element() {
    let Some(data) = common::shared_data() else { return };
    let mut tally = Tally::default();
    let is_full = std::env::var("ROUTEWARDEN_FULL").is_ok();
    let records_max = if is_full { usize::MAX } else { RECORDS_MAX };
    for folder in ["mrt", "lab"] {
        for row in common::expected(&data.join(folder)) {
            compare(&row.path, records_max, &mut tally);
        }
    }
    println!("{} elements, {:?}", tally.elements, tally.rules);
    assert!(tally.samples.is_empty(), "{}", tally.samples.join("\n"));
    let known = [
        (Rule::RibPathIdsDropped, 75),
        (Rule::MalformedNlriDropsAll, 1),
        (Rule::TableDumpAs4PathIgnored, 831),
        (Rule::Bgp4mpEntryUnread, 31),
        (Rule::CutMessageRefused, 4),
    ];
    assert_eq!(tally.rules, BTreeMap::from(known));
}
