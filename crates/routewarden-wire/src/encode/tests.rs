//! `decode ∘ encode = id` for every record type.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use routewarden_core::{AddressFamily, AsPathBuf, Asn, Prefix, SegmentKind, Timestamp};

use super::*;
use crate::update::message_type;
use crate::{
    Aggregator, AsnWidth, Attributes, BgpMessage, Decoded, FsmState, MrtDecoder, Nlri, PeerEntry,
    PeerIndex, RawRecord, Record, RouteOrigin, Safi, SessionContext, SessionEnds, StateChange,
    Update, Warnings, mrt as types,
};

fn prefix(family: AddressFamily) -> BoxedStrategy<Prefix> {
    match family {
        AddressFamily::Ipv4 => {
            (any::<u32>(), 0u8..=32).prop_map(|(a, l)| Prefix::v4(a, l).unwrap()).boxed()
        }
        AddressFamily::Ipv6 => {
            (any::<u128>(), 0u8..=128).prop_map(|(a, l)| Prefix::v6(a, l).unwrap()).boxed()
        }
    }
}

/// Prefixes without the zero-length one, whose repetition is taken for path identifiers.
fn nlri(family: AddressFamily, safi: Safi, has_ids: bool) -> impl Strategy<Value = Vec<Nlri>> {
    let one = (prefix(family), any::<u32>()).prop_map(move |(prefix, id)| {
        let path_id = has_ids.then_some(id);
        Nlri { prefix, path_id, safi }
    });
    vec(one.prop_filter("zero length", |nlri| nlri.prefix.len() > 0), 0..6)
}

fn path(asn_max: u32) -> impl Strategy<Value = AsPathBuf> {
    let kinds = prop_oneof![
        Just(SegmentKind::Set),
        Just(SegmentKind::Sequence),
        Just(SegmentKind::ConfedSequence),
        Just(SegmentKind::ConfedSet)
    ];
    vec((kinds, vec((1..=asn_max).prop_map(Asn), 1..6)), 0..4).prop_map(|segments| {
        let mut path = AsPathBuf::default();
        for (kind, asns) in segments {
            path.push_segment(kind, asns);
        }
        path
    })
}

/// Values of all attributes that the writer writes one by one.
#[derive(Debug, Clone)]
struct Values {
    origin: RouteOrigin,
    path: AsPathBuf,
    next_hop: Ipv4Addr,
    numbers: [Option<u32>; 4],
    aggregator: Option<(u32, u32)>,
    atomic: bool,
    communities: Vec<(u16, u16)>,
    large: Vec<[u32; 3]>,
    ext: Vec<[u8; 8]>,
    clusters: Vec<u32>,
}

fn values(asn_max: u32) -> impl Strategy<Value = Values> {
    let numbers = proptest::array::uniform4(option::of(any::<u32>()));
    let first = (0u8..3, path(asn_max), any::<u32>(), numbers);
    let lists = (
        vec(any::<(u16, u16)>(), 0..80),
        vec(any::<[u32; 3]>(), 0..30),
        vec(any::<[u8; 8]>(), 0..4),
        vec(any::<u32>(), 0..3),
    );
    let aggregator = option::of((1..=asn_max, any::<u32>()));
    (first, aggregator, any::<bool>(), lists).prop_map(|(first, aggregator, atomic, lists)| {
        Values {
            origin: RouteOrigin::from_octet(first.0).unwrap(),
            path: first.1,
            next_hop: Ipv4Addr::from(first.2),
            numbers: first.3,
            aggregator,
            atomic,
            communities: lists.0,
            large: lists.1,
            ext: lists.2,
            clusters: lists.3,
        }
    })
}

fn aggregator_of((asn, addr): (u32, u32)) -> Aggregator {
    Aggregator { asn: Asn(asn), addr: Ipv4Addr::from(addr) }
}

fn write(values: &Values, width: AsnWidth) -> AttributeWriter {
    let mut writer = AttributeWriter::new(width);
    writer.origin(values.origin).as_path(values.path.as_path()).unwrap();
    writer.next_hop(values.next_hop);
    let [med, local_pref, otc, originator] = values.numbers;
    med.map(|med| writer.med(med).octets().len());
    local_pref.map(|value| writer.local_pref(value).octets().len());
    otc.map(|asn| writer.otc(Asn(asn)).octets().len());
    originator.map(|id| writer.originator_id(Ipv4Addr::from(id)).octets().len());
    values.aggregator.map(|a| writer.aggregator(aggregator_of(a)).unwrap().octets().len());
    if values.atomic {
        writer.atomic_aggregate();
    }
    if !values.communities.is_empty() {
        writer.communities(&values.communities).unwrap();
    }
    if !values.large.is_empty() {
        writer.large_communities(&values.large).unwrap();
    }
    if !values.ext.is_empty() {
        writer.ext_communities(&values.ext).unwrap();
    }
    if !values.clusters.is_empty() {
        let ids: Vec<Ipv4Addr> = values.clusters.iter().copied().map(Ipv4Addr::from).collect();
        writer.cluster_list(&ids).unwrap();
    }
    writer
}

fn assert_read_back(values: &Values, attributes: &Attributes<'_>, path_text: bool) {
    let mut scratch = Vec::new();
    assert_eq!(attributes.warnings(), Warnings::NONE);
    assert_eq!(attributes.origin(), Some(values.origin));
    let read = attributes.as_path(&mut scratch).unwrap();
    if path_text {
        assert_eq!(read.to_string(), values.path.to_string());
    } else {
        assert_eq!(read, values.path.as_path());
    }
    assert_eq!(attributes.next_hop_ipv4(), Some(values.next_hop));
    let numbers = [
        attributes.med(),
        attributes.local_pref(),
        attributes.otc().map(|asn| asn.0),
        attributes.originator_id().map(u32::from),
    ];
    assert_eq!(numbers, values.numbers);
    assert_eq!(attributes.aggregator(), values.aggregator.map(aggregator_of));
    assert_eq!(attributes.atomic_aggregate(), values.atomic);
    assert_eq!(attributes.communities().collect::<Vec<_>>(), values.communities);
    assert_eq!(attributes.large_communities().collect::<Vec<_>>(), values.large);
    assert_eq!(attributes.ext_communities().collect::<Vec<_>>(), values.ext);
    let clusters: Vec<u32> = attributes.cluster_list().map(u32::from).collect();
    assert_eq!(clusters, values.clusters);
}

fn ends(is_ipv4: bool, asn: u32) -> SessionEnds {
    let (peer_addr, local_addr) = if is_ipv4 {
        (Ipv4Addr::new(192, 0, 2, 1).into(), Ipv4Addr::new(192, 0, 2, 2).into())
    } else {
        let addr = |n| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, n);
        (addr(1).into(), addr(2).into())
    };
    SessionEnds { peer_asn: Asn(asn), local_asn: Asn(64496), interface: 7, peer_addr, local_addr }
}

fn record(time: Timestamp, types: (u16, u16), body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    push_record(time, types, body, &mut out).unwrap();
    out
}

fn clean(decoded: Result<Decoded<Record<'_>>, crate::Error>) -> Record<'_> {
    let decoded = decoded.unwrap();
    assert_eq!(decoded.warnings, Warnings::NONE);
    decoded.value
}

const TIME: Timestamp = Timestamp::from_secs_micros(1_203_878_877, 123_456);

proptest! {
    #[test]
    fn bgp4mp_update_round_trips(
        values in values(65_535),
        withdrawn in nlri(AddressFamily::Ipv4, Safi::Unicast, false),
        announced in nlri(AddressFamily::Ipv4, Safi::Unicast, false),
        reached in nlri(AddressFamily::Ipv6, Safi::Multicast, false),
        unreached in nlri(AddressFamily::Ipv6, Safi::Unicast, false),
        (is_four, is_local, is_ipv4) in any::<(bool, bool, bool)>(),
    ) {
        let asn_width = if is_four { AsnWidth::Four } else { AsnWidth::Two };
        let mut writer = write(&values, asn_width);
        let next_hop = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 9).into();
        writer.mp_reach((AddressFamily::Ipv6, Safi::Multicast), &[next_hop], &reached).unwrap();
        writer.mp_unreach((AddressFamily::Ipv6, Safi::Unicast), &unreached).unwrap();
        let body = update(&withdrawn, writer.octets(), &announced).unwrap();
        let bgp = message(message_type::UPDATE, &body).unwrap();
        let kind = Bgp4mpKind { asn_width, is_local, has_path_ids: false };
        let (subtype, body) = bgp4mp_message(kind, &ends(is_ipv4, 64500), &bgp).unwrap();
        let octets = record(TIME, (types::BGP4MP_ET, subtype), &body);
        let (raw, rest) = RawRecord::from_octets(&octets).unwrap();
        prop_assert!(rest.is_empty());
        prop_assert_eq!(raw.header.time, TIME);
        let mut decoder = MrtDecoder::new();
        let Record::Message(read) = clean(decoder.decode(&raw)) else { panic!() };
        prop_assert_eq!(read.ends, ends(is_ipv4, 64500));
        prop_assert_eq!(read.is_local, is_local);
        let update = read.update().unwrap();
        assert_read_back(&values, update.attributes(), false);
        prop_assert_eq!(update.attributes().mp_next_hop(), Some(next_hop));
        let all: Vec<Nlri> = withdrawn.iter().chain(&unreached).copied().collect();
        prop_assert_eq!(update.withdrawn().collect::<Vec<_>>(), all);
        let all: Vec<Nlri> = announced.iter().chain(&reached).copied().collect();
        prop_assert_eq!(update.announced().collect::<Vec<_>>(), all);
    }

    #[test]
    fn rfc7911_path_identifiers_round_trip(
        values in values(u32::MAX),
        withdrawn in nlri(AddressFamily::Ipv4, Safi::Unicast, true),
        announced in nlri(AddressFamily::Ipv4, Safi::Unicast, true),
        reached in nlri(AddressFamily::Ipv6, Safi::Unicast, true),
    ) {
        let mut writer = write(&values, AsnWidth::Four);
        let family = (AddressFamily::Ipv6, Safi::Unicast);
        writer.mp_reach(family, &[Ipv6Addr::LOCALHOST.into()], &reached).unwrap();
        let body = update(&withdrawn, writer.octets(), &announced).unwrap();
        let context = SessionContext { asn_width: AsnWidth::Four, has_path_ids: true };
        let read = Update::decode(&body, context).unwrap();
        prop_assert_eq!(read.warnings(), Warnings::NONE);
        prop_assert_eq!(read.withdrawn().collect::<Vec<_>>(), withdrawn);
        let all: Vec<Nlri> = announced.iter().chain(&reached).copied().collect();
        prop_assert_eq!(read.announced().collect::<Vec<_>>(), all);
        assert_read_back(&values, read.attributes(), false);
    }

    #[test]
    fn rfc6793_four_octet_asns_survive_a_two_octet_session(values in values(u32::MAX)) {
        // Confederation segments do not pass through AS4_PATH; sequences may be joined.
        let mut values = values;
        let mut plain = AsPathBuf::default();
        for segment in values.path.as_path().segments() {
            if matches!(segment.kind, SegmentKind::Sequence | SegmentKind::Set) {
                plain.push_segment(segment.kind, segment.asns());
            }
        }
        values.path = plain;
        // Without AS_TRANS in AGGREGATOR, AS4_PATH would be ignored beside AS4_AGGREGATOR.
        let body = update(&[], write(&values, AsnWidth::Two).octets(), &[]).unwrap();
        let context = SessionContext { asn_width: AsnWidth::Two, has_path_ids: false };
        let read = Update::decode(&body, context).unwrap();
        assert_read_back(&values, read.attributes(), true);
    }

    #[test]
    fn table_dump_v2_round_trips(
        values in values(u32::MAX),
        (prefix, safi) in prop_oneof![
            (prefix(AddressFamily::Ipv4), Just(Safi::Unicast)),
            (prefix(AddressFamily::Ipv4), Just(Safi::Multicast)),
            (prefix(AddressFamily::Ipv6), Just(Safi::Unicast)),
            (prefix(AddressFamily::Ipv6), Just(Safi::Multicast)),
        ],
        path_ids in option::of(any::<u32>()),
        is_generic: bool,
    ) {
        let peers = PeerIndex {
            collector_id: Ipv4Addr::new(192, 0, 2, 255),
            view_name: "view".to_owned(),
            peers: [true, false]
                .map(|v4| {
                    let ends = ends(v4, 65_551);
                    let bgp_id = Ipv4Addr::new(192, 0, 2, 9);
                    PeerEntry { bgp_id, addr: ends.peer_addr, asn: ends.peer_asn }
                })
                .to_vec(),
        };
        let mut writer = write(&values, AsnWidth::Four);
        writer.mp_reach_short(&[Ipv6Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]).unwrap();
        let originated = Timestamp::from_secs(7);
        let entry_ids = if is_generic { None } else { path_ids };
        let entries = [0, 1, 2].map(|peer_index| RibEntryParts {
            peer_index,
            originated,
            path_id: entry_ids,
            attributes: writer.octets(),
        });
        let table = peer_index_table(&peers).unwrap();
        let (subtype, body) = if is_generic {
            rib_generic(3, Nlri { prefix, path_id: path_ids, safi }, &entries).unwrap()
        } else {
            rib(3, prefix, safi, &entries).unwrap()
        };
        let table = record(TIME, (types::TABLE_DUMP_V2, 1), &table);
        let octets = record(TIME, (types::TABLE_DUMP_V2, subtype), &body);
        let mut decoder = MrtDecoder::new();
        let (raw, _) = RawRecord::from_octets(&table).unwrap();
        clean(decoder.decode(&raw));
        prop_assert_eq!(decoder.peers(), Some(&peers));
        let (raw, _) = RawRecord::from_octets(&octets).unwrap();
        let Record::Rib(read) = clean(decoder.decode(&raw)) else { panic!() };
        prop_assert_eq!((read.prefix, read.safi, read.sequence), (prefix, safi, 3));
        let mut read = read.entries();
        for peer in &peers.peers {
            let entry = read.next().unwrap().unwrap();
            prop_assert_eq!(entry.peer, peer);
            prop_assert_eq!((entry.originated, entry.path_id), (originated, path_ids));
            assert_read_back(&values, &entry.attributes(), false);
        }
        prop_assert_eq!(read.next().unwrap().unwrap_err().kind(), "peer_index_out_of_range");
        prop_assert!(read.next().is_none());
    }

    #[test]
    fn table_dump_and_bgp4mp_entry_round_trip(
        values in values(65_535),
        (is_ipv4, prefixes) in prop_oneof![
            (Just(true), vec(prefix(AddressFamily::Ipv4), 1..4)),
            (Just(false), vec(prefix(AddressFamily::Ipv6), 1..4)),
        ],
    ) {
        let writer = write(&values, AsnWidth::Two);
        let ends = ends(is_ipv4, 64500);
        let parts: Vec<TableDumpParts<'_>> = prefixes
            .iter()
            .map(|&prefix| TableDumpParts {
                prefix,
                originated: Timestamp::from_secs(7),
                peer_addr: ends.peer_addr,
                peer_asn: ends.peer_asn,
                attributes: writer.octets(),
            })
            .collect();
        let (subtype, body) = table_dump(1, &parts).unwrap();
        let mut records = record(TIME, (types::TABLE_DUMP, subtype), &body);
        for part in &parts {
            let local = (ends.local_asn, ends.local_addr);
            let body = bgp4mp_entry(part, local, ends.local_addr).unwrap();
            records.extend(record(TIME, (types::BGP4MP, types::bgp4mp::ENTRY), &body));
        }
        let mut decoder = MrtDecoder::new();
        let mut rest = records.as_slice();
        let mut read = Vec::new();
        while !rest.is_empty() {
            let (raw, after) = RawRecord::from_octets(rest).unwrap();
            let Record::TableDump(dump) = clean(decoder.decode(&raw)) else { panic!() };
            for entry in dump.entries() {
                let entry = entry.unwrap();
                prop_assert_eq!((entry.peer_addr, entry.peer_asn), (ends.peer_addr, ends.peer_asn));
                prop_assert_eq!(entry.originated, Timestamp::from_secs(7));
                assert_read_back(&values, &entry.attributes(), false);
                read.push(entry.prefix);
            }
            rest = after;
        }
        prop_assert_eq!(read, [prefixes.clone(), prefixes].concat());
    }

    #[test]
    fn state_changes_and_legacy_types_round_trip(
        (is_ipv4, is_four) in any::<(bool, bool)>(), old in 0u16..9, new in 0u16..9,
    ) {
        let width = if is_four { AsnWidth::Four } else { AsnWidth::Two };
        let change = StateChange { ends: ends(is_ipv4, 64500), old: FsmState(old), new: FsmState(new) };
        let (subtype, body) = state_change(width, &change).unwrap();
        let modern = record(TIME, (types::BGP4MP, subtype), &body);
        let (mrt_type, body) = legacy_state_change(&change).unwrap();
        let legacy = record(TIME, (mrt_type, types::legacy::STATE_CHANGE), &body);
        let mut decoder = MrtDecoder::new();
        let (raw, _) = RawRecord::from_octets(&modern).unwrap();
        let Record::StateChange(read) = clean(decoder.decode(&raw)) else { panic!() };
        prop_assert_eq!(read, change);
        let (raw, _) = RawRecord::from_octets(&legacy).unwrap();
        let Record::StateChange(read) = clean(decoder.decode(&raw)) else { panic!() };
        prop_assert_eq!((read.old, read.new), (change.old, change.new));
        prop_assert_eq!(read.ends.peer_addr, change.ends.peer_addr);
        let (mrt_type, body) = legacy_message(&change.ends, &[0; 4]).unwrap();
        let legacy = record(TIME, (mrt_type, types::legacy::UPDATE), &body);
        let (raw, _) = RawRecord::from_octets(&legacy).unwrap();
        let Record::Message(read) = clean(decoder.decode(&raw)) else { panic!() };
        prop_assert!(matches!(read.bgp, BgpMessage::Update(_)));
        prop_assert!(read.update().unwrap().end_of_rib().is_some());
    }
}
