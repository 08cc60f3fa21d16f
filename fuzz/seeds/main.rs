//! Writes the seeds of `mrt_record`, `bgp_update`, `bmp_message`, `bgp_message`, `rib_snapshot` and
//! `rib_ops` with our own encoders, into `corpus/`.

mod session;
mod table;

use std::error::Error;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use routewarden_core::{AddressFamily, AsPath, Asn, Prefix, SegmentKind, Timestamp};
use routewarden_wire::attributes::{Aggregator, RouteOrigin, code, flag};
use routewarden_wire::encode::{self, AttributeWriter, Bgp4mpKind, RibEntryParts, TableDumpParts};
use routewarden_wire::mrt::{self, bgp4mp, legacy, table_dump_v2};
use routewarden_wire::{
    AsnWidth, FsmState, Nlri, PeerEntry, PeerIndex, Safi, SessionEnds, StateChange,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

const PEER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const LOCAL: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

fn p(text: &str) -> Prefix {
    text.parse().expect("a prefix")
}

fn nlri(text: &str, path_id: Option<u32>) -> Nlri {
    Nlri { prefix: p(text), path_id, safi: Safi::Unicast }
}

/// Octets of a path: a sequence, and a set when there is one.
fn path(sequence: &[u32], set: &[u32]) -> Vec<u8> {
    let mut wire = Vec::new();
    for (kind, asns) in [(SegmentKind::Sequence, sequence), (SegmentKind::Set, set)] {
        if !asns.is_empty() {
            wire.extend_from_slice(&[kind as u8, asns.len() as u8]);
            wire.extend(asns.iter().flat_map(|asn| asn.to_be_bytes()));
        }
    }
    wire
}

fn plain(width: AsnWidth) -> Outcome<AttributeWriter> {
    let wire = path(&[64496, 64497], &[]);
    let mut attributes = AttributeWriter::new(width);
    attributes.origin(RouteOrigin::Igp);
    attributes.as_path(AsPath::from_wire(&wire)?)?.next_hop(PEER);
    Ok(attributes)
}

fn rich(width: AsnWidth) -> Outcome<AttributeWriter> {
    let wire = path(&[64496, 4_200_000_000], &[64498, 64499]);
    let mut attributes = AttributeWriter::new(width);
    attributes.origin(RouteOrigin::Incomplete);
    attributes.as_path(AsPath::from_wire(&wire)?)?;
    attributes.next_hop(PEER).med(10).local_pref(100).atomic_aggregate();
    attributes.aggregator(Aggregator { asn: Asn(4_200_000_000), addr: PEER })?;
    attributes.communities(&[(65535, 666), (64496, 1)])?;
    attributes.large_communities(&[[64496, 1, 2]])?;
    attributes.ext_communities(&[[0, 2, 0, 1, 0, 0, 0, 1]])?;
    attributes.ipv6_ext_communities(&[[7; 20]])?;
    attributes.originator_id(LOCAL).cluster_list(&[PEER, LOCAL])?.otc(Asn(64496));
    attributes.raw(flag::OPTIONAL | flag::TRANSITIVE | flag::PARTIAL, 128, &[1, 2, 3])?;
    Ok(attributes)
}

/// Names and bodies of UPDATEs.
fn updates(width: AsnWidth) -> Outcome<Vec<(&'static str, Vec<u8>)>> {
    let v4 = [nlri("192.0.2.0/24", None), nlri("198.51.100.0/25", None)];
    let with_ids = [nlri("192.0.2.0/24", Some(1)), nlri("192.0.2.0/24", Some(2))];
    let v6 = [nlri("2001:db8::/32", None), nlri("2001:db8:1::/48", None), nlri("::/0", None)];
    let unicast6 = (AddressFamily::Ipv6, Safi::Unicast);
    let plain = plain(width)?.into_octets();
    let mut reach = rich(width)?;
    let hops = ["2001:db8::1".parse()?, "fe80::1".parse()?];
    reach.mp_reach(unicast6, &hops, &v6)?;
    let mut unreach = AttributeWriter::new(width);
    unreach.mp_unreach(unicast6, &v6)?;
    let mut end = AttributeWriter::new(width);
    end.mp_unreach(unicast6, &[])?;
    let mut old = self::plain(AsnWidth::Two)?;
    old.raw(flag::OPTIONAL | flag::TRANSITIVE, code::AS4_PATH, &path(&[4_200_000_000], &[]))?;
    old.raw(flag::OPTIONAL | flag::TRANSITIVE, code::AS4_AGGREGATOR, &[0, 1, 0, 0, 1, 2, 3, 4])?;
    let mut broken = self::plain(width)?.into_octets();
    broken.extend_from_slice(&[
        0x40,
        code::ORIGIN,
        1,
        9,
        0xc0,
        code::COMMUNITIES,
        5,
        1,
        2,
        3,
        4,
        5,
    ]);
    let mut cut = encode::update(&v4, &plain, &v4)?;
    cut.truncate(cut.len() - 2);
    Ok(vec![
        ("announce", encode::update(&[], &plain, &v4)?),
        ("withdraw", encode::update(&v4, &[], &[])?),
        ("path-ids", encode::update(&with_ids, &plain, &with_ids)?),
        ("rich-mp-reach", encode::update(&[], reach.octets(), &v4)?),
        ("mp-unreach", encode::update(&[], unreach.octets(), &[])?),
        ("end-of-rib", encode::update(&[], &[], &[])?),
        ("end-of-rib-6", encode::update(&[], end.octets(), &[])?),
        ("as4-path", encode::update(&[], old.octets(), &v4)?),
        ("malformed-attributes", encode::update(&[], &broken, &v4)?),
        ("cut", cut),
        // Read as a path identifier and a default route once.
        (
            "prefix-length-33",
            [&encode::update(&[], &plain, &[])?[..], &[33, 192, 0, 2, 0]].concat(),
        ),
        ("prefix-too-long", [&[0, 0, 0, 0, 33, 1, 2, 3, 4, 5][..]].concat()),
    ])
}

fn time() -> Timestamp {
    Timestamp::from_secs(1_893_456_000)
}

fn streams() -> Outcome<Vec<(String, Vec<u8>)>> {
    let mut all = Vec::new();
    let mut add = |name: &str, records: &[((u16, u16), Vec<u8>)]| -> Outcome<()> {
        let mut out = Vec::new();
        for (kind, body) in records {
            encode::push_record(time(), *kind, body, &mut out)?;
        }
        all.push((name.to_owned(), out));
        Ok(())
    };
    let ends = |peer: IpAddr, local: IpAddr| SessionEnds {
        peer_asn: Asn(64496),
        local_asn: Asn(64500),
        interface: 0,
        peer_addr: peer,
        local_addr: local,
    };
    let ends4 = ends(PEER.into(), LOCAL.into());
    let ends6 = ends("2001:db8::1".parse()?, "2001:db8::2".parse()?);

    for (asn_width, name) in [(AsnWidth::Two, "2"), (AsnWidth::Four, "4")] {
        for (body_name, body) in updates(asn_width)? {
            let has_path_ids = body_name == "path-ids";
            let kind = Bgp4mpKind { asn_width, is_local: false, has_path_ids };
            let message = encode::message(2, &body)?;
            let (subtype, record) = encode::bgp4mp_message(kind, &ends4, &message)?;
            add(&format!("bgp4mp-{name}-{body_name}"), &[((mrt::BGP4MP, subtype), record)])?;
        }
        let change = StateChange { ends: ends6, old: FsmState(6), new: FsmState(1) };
        let (subtype, body) = encode::state_change(asn_width, &change)?;
        let kind = Bgp4mpKind { asn_width, is_local: true, has_path_ids: false };
        let (sent, keepalive) = encode::bgp4mp_message(kind, &ends6, &encode::keepalive())?;
        add(
            &format!("bgp4mp-{name}-session"),
            &[((mrt::BGP4MP, subtype), body), ((mrt::BGP4MP_ET, sent), keepalive)],
        )?;
    }

    let index = PeerIndex {
        collector_id: LOCAL,
        view_name: "view".to_owned(),
        peers: [ends4.peer_addr, ends6.peer_addr]
            .map(|addr| PeerEntry { bgp_id: PEER, addr, asn: Asn(4_200_000_000) })
            .to_vec(),
    };
    let index =
        ((mrt::TABLE_DUMP_V2, table_dump_v2::PEER_INDEX_TABLE), encode::peer_index_table(&index)?);
    let four = rich(AsnWidth::Four)?.into_octets();
    let mut short = plain(AsnWidth::Four)?;
    short.mp_reach_short(&["2001:db8::1".parse()?])?;
    let short = short.into_octets();
    for (name, prefix, path_id, attributes) in [
        ("rib-4", p("192.0.2.0/24"), None, &four),
        ("rib-6", p("2001:db8::/32"), None, &short),
        ("rib-4-addpath", p("0.0.0.0/0"), Some(7), &four),
    ] {
        let entries = [0, 1, 9].map(|peer_index| RibEntryParts {
            peer_index,
            originated: time(),
            path_id,
            attributes,
        });
        let (subtype, body) = encode::rib(0, prefix, Safi::Unicast, &entries)?;
        add(name, &[index.clone(), ((mrt::TABLE_DUMP_V2, subtype), body)])?;
    }
    let entry =
        [RibEntryParts { peer_index: 0, originated: time(), path_id: None, attributes: &four }];
    for (name, path_id) in [("rib-generic", None), ("rib-generic-addpath", Some(1))] {
        let (subtype, body) = encode::rib_generic(1, nlri("2001:db8::/32", path_id), &entry)?;
        add(name, &[index.clone(), ((mrt::TABLE_DUMP_V2, subtype), body)])?;
    }

    let two = plain(AsnWidth::Two)?.into_octets();
    let old = TableDumpParts {
        prefix: p("192.0.2.0/24"),
        originated: time(),
        peer_addr: PEER.into(),
        peer_asn: Asn(64496),
        attributes: &two,
    };
    let (subtype, body) = encode::table_dump(0, &[old, old])?;
    add(
        "table-dump",
        &[((mrt::TABLE_DUMP, subtype), body.clone()), ((mrt::TABLE_DUMP, subtype), body)],
    )?;
    let body = encode::bgp4mp_entry(&old, (Asn(64500), LOCAL.into()), PEER.into())?;
    add("bgp4mp-entry", &[((mrt::BGP4MP, bgp4mp::ENTRY), body)])?;

    let body = encode::update(&[], &two, &[nlri("192.0.2.0/24", None)])?;
    let (mrt_type, record) = encode::legacy_message(&ends4, &body)?;
    let change = StateChange { ends: ends4, old: FsmState(5), new: FsmState(6) };
    let (state_type, state) = encode::legacy_state_change(&change)?;
    add(
        "legacy",
        &[((mrt_type, legacy::UPDATE), record), ((state_type, legacy::STATE_CHANGE), state)],
    )?;
    add("unknown-type", &[((99, 0), vec![1, 2, 3]), ((mrt::BGP4MP, 77), vec![])])?;
    Ok(all)
}

fn main() -> Outcome<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, octets) in streams()? {
        fs::write(corpus.join("mrt_record").join(name), octets)?;
    }
    for (width, suffix) in [(AsnWidth::Two, "-2"), (AsnWidth::Four, "")] {
        for (name, octets) in updates(width)? {
            fs::write(corpus.join("bgp_update").join(format!("{name}{suffix}")), octets)?;
        }
    }
    for (name, octets) in session::bmp()? {
        fs::write(corpus.join("bmp_message").join(name), octets)?;
    }
    for (name, octets) in session::bgp()? {
        fs::write(corpus.join("bgp_message").join(name), octets)?;
    }
    for (name, octets) in table::snapshots()? {
        fs::write(corpus.join("rib_snapshot").join(name), octets)?;
    }
    for (name, octets) in table::events() {
        fs::write(corpus.join("rib_ops").join(name), octets)?;
    }
    Ok(())
}
