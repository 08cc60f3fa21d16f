//! The fuzz bodies over damaged records of every type.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use proptest::prelude::*;
use routewarden_core::{AddressFamily, AsPathBuf, Asn, Prefix, SegmentKind, Timestamp};

use super::*;
use crate::encode::{AttributeWriter, Bgp4mpKind, RibEntryParts, TableDumpParts};
use crate::update::message_type;
use crate::{
    Aggregator, FsmState, Nlri, PeerEntry, PeerIndex, RouteOrigin, Safi, SessionEnds, StateChange,
    mrt,
};

fn nlri(text: &str, path_id: Option<u32>) -> Nlri {
    Nlri { prefix: text.parse().unwrap(), path_id, safi: Safi::Unicast }
}

fn attributes(width: AsnWidth, path_id: Option<u32>, is_rib: bool) -> Vec<u8> {
    let mut path = AsPathBuf::sequence([64496, 65551, 64498].map(Asn));
    path.push_segment(SegmentKind::Set, [64499, 64500].map(Asn));
    let next_hop: IpAddr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into();
    let ipv6 = (AddressFamily::Ipv6, Safi::Unicast);
    let aggregator = Aggregator { asn: Asn(65551), addr: Ipv4Addr::new(192, 0, 2, 1) };
    let mut writer = AttributeWriter::new(width);
    writer.origin(RouteOrigin::Igp).as_path(path.as_path()).unwrap();
    writer.next_hop(Ipv4Addr::new(192, 0, 2, 1)).med(1).local_pref(2).atomic_aggregate();
    writer.aggregator(aggregator).unwrap();
    writer.communities(&[(64496, 1), (0xffff, 0xff01)]).unwrap();
    writer.originator_id(Ipv4Addr::LOCALHOST).cluster_list(&[Ipv4Addr::LOCALHOST]).unwrap();
    if is_rib {
        writer.mp_reach_short(&[next_hop]).unwrap();
    } else {
        writer.mp_reach(ipv6, &[next_hop], &[nlri("2001:db8:1::/48", path_id)]).unwrap();
        writer.mp_unreach(ipv6, &[nlri("2001:db8:2::/47", path_id)]).unwrap();
    }
    writer.ext_communities(&[[0, 2, 3, 4, 5, 6, 7, 8]]).unwrap();
    writer.ipv6_ext_communities(&[[9; 20]]).unwrap();
    writer.large_communities(&[[64496, 1, 2]]).unwrap().otc(Asn(64496));
    writer.raw(0xc0, 99, &[1, 2, 3]).unwrap();
    writer.into_octets()
}

fn update_body(width: AsnWidth, path_id: Option<u32>) -> Vec<u8> {
    let withdrawn = [nlri("198.51.100.0/24", path_id), nlri("203.0.113.128/25", path_id)];
    let announced = [nlri("192.0.2.0/24", path_id), nlri("198.51.100.0/23", path_id)];
    encode::update(&withdrawn, &attributes(width, path_id, false), &announced).unwrap()
}

fn ends() -> SessionEnds {
    SessionEnds {
        peer_asn: Asn(64496),
        local_asn: Asn(64511),
        interface: 0,
        peer_addr: Ipv4Addr::new(192, 0, 2, 1).into(),
        local_addr: Ipv4Addr::new(192, 0, 2, 2).into(),
    }
}

/// One stream with a record of every type.
fn stream() -> Vec<u8> {
    let time = Timestamp::from_secs_micros(1_203_878_877, 5);
    let mut out = Vec::new();
    let mut push = |types: (u16, u16), body: &[u8]| {
        encode::push_record(time, types, body, &mut out).unwrap();
    };
    for asn_width in [AsnWidth::Two, AsnWidth::Four] {
        for path_id in [None, Some(1)] {
            let kind = Bgp4mpKind { asn_width, is_local: false, has_path_ids: path_id.is_some() };
            let body = update_body(asn_width, path_id);
            let message = encode::message(message_type::UPDATE, &body).unwrap();
            let (subtype, body) = encode::bgp4mp_message(kind, &ends(), &message).unwrap();
            push((mrt::BGP4MP_ET, subtype), &body);
        }
        let change = StateChange { ends: ends(), old: FsmState(5), new: FsmState(6) };
        let (subtype, body) = encode::state_change(asn_width, &change).unwrap();
        push((mrt::BGP4MP, subtype), &body);
    }
    let (mrt_type, body) =
        encode::legacy_message(&ends(), &update_body(AsnWidth::Two, None)).unwrap();
    push((mrt_type, mrt::legacy::UPDATE), &body);
    let peer =
        PeerEntry { bgp_id: Ipv4Addr::LOCALHOST, addr: ends().peer_addr, asn: ends().peer_asn };
    let index = PeerIndex {
        collector_id: Ipv4Addr::LOCALHOST,
        view_name: "v".to_owned(),
        peers: vec![peer],
    };
    push((mrt::TABLE_DUMP_V2, 1), &encode::peer_index_table(&index).unwrap());
    let prefix: Prefix = "192.0.2.0/24".parse().unwrap();
    let old = attributes(AsnWidth::Two, None, true);
    let new = attributes(AsnWidth::Four, None, true);
    for path_id in [None, Some(1)] {
        let entry = RibEntryParts { peer_index: 0, originated: time, path_id, attributes: &new };
        let (subtype, body) = encode::rib(0, prefix, Safi::Unicast, &[entry, entry]).unwrap();
        push((mrt::TABLE_DUMP_V2, subtype), &body);
        let entry = RibEntryParts { path_id: None, ..entry };
        let nlri = Nlri { prefix, path_id, safi: Safi::Multicast };
        let (subtype, body) = encode::rib_generic(0, nlri, &[entry]).unwrap();
        push((mrt::TABLE_DUMP_V2, subtype), &body);
    }
    let entry = TableDumpParts {
        prefix,
        originated: time,
        peer_addr: ends().peer_addr,
        peer_asn: ends().peer_asn,
        attributes: &old,
    };
    let (subtype, body) = encode::table_dump(0, &[entry, entry]).unwrap();
    push((mrt::TABLE_DUMP, subtype), &body);
    let local = (ends().local_asn, ends().local_addr);
    let body = encode::bgp4mp_entry(&entry, local, ends().local_addr).unwrap();
    push((mrt::BGP4MP, mrt::bgp4mp::ENTRY), &body);
    out
}

#[test]
fn every_record_type_is_clean_before_damage() {
    let octets = stream();
    let mut reader = MrtReader::new(octets.as_slice(), Limits::default());
    let mut decoder = MrtDecoder::new();
    let mut counts = Counts::new();
    while let Some(raw) = reader.next_record() {
        let raw = raw.unwrap();
        counts.add(&raw, &decoder.decode(&raw));
    }
    assert_eq!(counts.mrt_records(), 14);
    assert!(counts.warnings().is_empty(), "{:?}", counts.warnings());
    assert!(counts.errors().is_empty() && counts.skipped().is_empty());
    assert_eq!((counts.announcements(), counts.withdrawals()), (15, 15));
    assert_eq!((counts.rib_entries(), counts.deprecated_entries()), (8, 1));
    assert_eq!(counts.state_changes(), 2);
}

/// The inputs kept for a target.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let files = std::fs::read_dir(folder).unwrap();
    files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
}

#[test]
fn corpora_of_sessions_are_read_and_so_is_what_damage_makes_of_them() {
    for (target, body) in ["bmp_message", "bgp_message"].into_iter().zip([bmp_message, bgp_message])
    {
        let inputs = corpus(target);
        assert!(inputs.len() >= 8, "{target}");
        for octets in inputs {
            body(&octets);
            for until in 0..octets.len() {
                body(&octets[..until]);
            }
            for value in [0, 1, 0x7f, 0xff] {
                for at in 0..octets.len() {
                    let mut damaged = octets.clone();
                    damaged[at] = value;
                    body(&damaged);
                }
            }
        }
    }
}

#[test]
fn no_cut_panics() {
    let octets = stream();
    for until in 0..octets.len() {
        mrt_record(&octets[..until]);
    }
    for path_id in [None, Some(1)] {
        for width in [AsnWidth::Two, AsnWidth::Four] {
            let body = update_body(width, path_id);
            for until in 0..=body.len() {
                bgp_update(&body[..until]);
            }
        }
    }
}

#[test]
fn no_octet_value_panics() {
    let octets = stream();
    let body = update_body(AsnWidth::Two, None);
    for value in [0, 1, 0x10, 0x7f, 0x80, 0xff] {
        for at in 0..octets.len() {
            let mut damaged = octets.clone();
            damaged[at] = value;
            mrt_record(&damaged);
        }
        for at in 0..body.len() {
            let mut damaged = body.clone();
            damaged[at] = value;
            bgp_update(&damaged);
        }
    }
}

proptest! {
    #[test]
    fn no_damage_panics(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        noise in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        for original in [stream(), update_body(AsnWidth::Four, None)] {
            let mut damaged = original;
            for (at, bits) in &flips {
                let at = at.index(damaged.len());
                damaged[at] ^= bits;
            }
            mrt_record(&damaged);
            bgp_update(&damaged);
        }
        for body in [mrt_record, bgp_update, bmp_message, bgp_message] {
            body(&noise);
        }
        for (target, body) in [("bmp_message", bmp_message as fn(&[u8])), ("bgp_message", bgp_message)] {
            for mut damaged in corpus(target) {
                for (at, bits) in &flips {
                    let at = at.index(damaged.len());
                    damaged[at] ^= bits;
                }
                body(&damaged);
            }
        }
    }
}
