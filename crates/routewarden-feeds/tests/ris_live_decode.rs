//! The messages of RIS Live: raw octets and parsed fields tell the same; faults are named.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::string_slice,
    reason = "test code: helpers outside of #[test] functions"
)]

mod common;

use std::fmt::Write;
use std::net::Ipv4Addr;
use std::path::Path;

use common::live::{context, lines};
use futures_util::FutureExt;
use routewarden_core::{AddressFamily, AsPath, SegmentKind, Timestamp};
use routewarden_feeds::live::ris_live::{
    HOST_OCTETS_MAX, MessageFault, RisLiveDecoder, fuzz::ris_live_json,
};
use routewarden_feeds::live::{Batcher, LiveItem, PEERS_OF_SOURCE_MAX, SourceKind, SourceSnapshot};
use routewarden_wire::encode::{self, AttributeWriter};
use routewarden_wire::update::message_type;
use routewarden_wire::{AsnWidth, Nlri, RouteOrigin, Safi};
use serde_json::{Value, json};

/// Events of frames, faults by frame, and the status.
fn decode(frames: &[&str]) -> (Vec<String>, Vec<Option<MessageFault>>, SourceSnapshot) {
    let (context, mut queue) = context(SourceKind::RisLive, 4);
    let (mut decoder, mut batcher) = (RisLiveDecoder::default(), Batcher::new(context.clone()));
    let now = Timestamp::from_secs(1_767_225_600);
    let faults = frames.iter().map(|text| decoder.frame(text, now, &mut batcher).err()).collect();
    decoder.report(&context.status, now);
    batcher.flush().now_or_never().unwrap().unwrap();
    let mut events = Vec::new();
    while let Some(LiveItem::Batch(live)) = queue.try_recv() {
        events.extend(lines(&live));
    }
    (events, faults, context.status.snapshot())
}

/// A frame of a collector with these fields more.
fn frame(kind: &str, fields: &Value) -> String {
    let mut data = json!({
        "timestamp": 1_767_225_599.25, "peer": "192.0.2.1", "peer_asn": "64496",
        "id": "x", "host": "rrc00.ripe.net", "type": kind,
    });
    data.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({"type": "ris_message", "data": data}).to_string()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        write!(text, "{octet:02X}").unwrap();
        text
    })
}

fn nlri(texts: &[&str]) -> Vec<Nlri> {
    let nlri =
        |text: &&str| Nlri { prefix: text.parse().unwrap(), path_id: None, safi: Safi::Unicast };
    texts.iter().map(nlri).collect()
}

/// Raw octets and parsed fields of an UPDATE with everything in it.
fn both_forms(width: AsnWidth) -> (String, Value) {
    let mut path = vec![SegmentKind::Sequence as u8, 2];
    path.extend([64496u32, 65536].iter().flat_map(|asn| asn.to_be_bytes()));
    path.extend([SegmentKind::Set as u8, 2]);
    path.extend([64498u32, 64499].iter().flat_map(|asn| asn.to_be_bytes()));
    let v6 = (AddressFamily::Ipv6, Safi::Unicast);
    let hops = ["2001:db8::1".parse().unwrap(), "fe80::1".parse().unwrap()];
    let mut attributes = AttributeWriter::new(width);
    attributes.origin(RouteOrigin::Egp);
    attributes.as_path(AsPath::from_wire(&path).unwrap()).unwrap();
    attributes.next_hop(Ipv4Addr::new(192, 0, 2, 1)).med(7);
    attributes.communities(&[(64496, 1), (65535, 666)]).unwrap();
    attributes.large_communities(&[[64496, 1, 2]]).unwrap();
    attributes.mp_reach(v6, &hops, &nlri(&["2001:db8:1::/48", "2001:db8:2::/48"])).unwrap();
    attributes.mp_unreach(v6, &nlri(&["2001:db8:3::/48"])).unwrap();
    let body = encode::update(
        &nlri(&["203.0.113.0/24"]),
        attributes.octets(),
        &nlri(&["198.51.100.0/24", "192.0.2.0/25"]),
    );
    let raw = hex(&encode::message(message_type::UPDATE, &body.unwrap()).unwrap());
    let v6 = ["2001:db8:1::/48", "2001:db8:2::/48"];
    let fields = json!({
        "path": [64496, 65536, [64498, 64499]], "origin": "EGP", "med": 7,
        "community": [[64496, 1], [65535, 666]], "large_community": [[64496, 1, 2]],
        "announcements": [
            {"next_hop": "2001:db8::1", "prefixes": v6},
            {"next_hop": "fe80::1", "prefixes": v6},
            {"next_hop": "192.0.2.1", "prefixes": ["198.51.100.0/24", "192.0.2.0/25"]},
        ],
        "withdrawals": ["2001:db8:3::/48", "203.0.113.0/24"],
    });
    (raw, fields)
}

fn with(fields: &Value, name: &str, value: Value) -> Value {
    let mut fields = fields.clone();
    fields[name] = value;
    fields
}

#[test]
fn raw_octets_and_parsed_fields_give_the_same_events() {
    let (raw, fields) = both_forms(AsnWidth::Four);
    let (narrow, _) = both_forms(AsnWidth::Two);
    let raw_only = frame("UPDATE", &json!({"raw": raw}));
    let (expected, _, status) = decode(&[&raw_only]);
    assert_eq!(expected.len(), 6, "{expected:#?}");
    assert!(
        expected[0].starts_with("2025-12-31T23:59:59.250000Z rrc00 AS64496 192.0.2.1 W 203."),
        "{expected:#?}"
    );
    assert!(expected[2].contains("A 198.51.100.0/24 64496 65536 {64498,64499}"), "{expected:#?}");
    assert_eq!(status.kinds["update_raw"], 1);
    for (form, kind) in [
        (fields.clone(), "update_parsed_raw_missing"),
        (with(&fields, "raw", json!("")), "update_parsed_raw_missing"),
        (with(&fields, "raw", json!(raw.to_lowercase())), "update_raw"),
        (with(&fields, "raw", json!(narrow)), "update_two_octet_asns"),
        (with(&fields, "raw", json!(raw[1..])), "update_parsed_raw_unreadable"),
        (with(&fields, "raw", json!(raw[..raw.len() - 2])), "update_parsed_raw_unreadable"),
        (with(&fields, "raw", json!(format!("00{}", &raw[2..]))), "update_parsed_raw_unreadable"),
        (with(&fields, "raw", json!("zz")), "update_parsed_raw_unreadable"),
        (with(&fields, "raw", json!(hex(&encode::keepalive()))), "update_parsed_raw_unreadable"),
    ] {
        let (events, faults, status) = decode(&[&frame("UPDATE", &form)]);
        assert_eq!(events, expected, "{form}");
        assert!(faults[0].is_none());
        assert_eq!(status.kinds[kind], 1, "{form} {:?}", status.kinds);
        assert_eq!(status.kinds["update"], 1);
    }
}

#[test]
fn the_sample_of_the_service_is_read_both_ways() {
    let Some(path) = common::data("live/ris-live-stream.libbgpstream.json") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    let frames: Vec<&str> = text.lines().collect();
    let (events, faults, status) = decode(&frames);
    assert_eq!(events.len(), 2, "{events:#?}");
    assert!(events[0].starts_with(
        "2019-03-26T19:19:47.890000Z rrc00 AS11708 72.22.223.9 A 45.161.192.0/23 11708 32097 1299 "
    ));
    assert_eq!(events[1], "2019-03-26T18:31:21.880000Z rrc01 AS24931 195.66.224.59 PeerDown");
    let kinds: Vec<Option<&str>> =
        faults.iter().map(|f| f.as_ref().map(MessageFault::kind)).collect();
    assert_eq!(kinds, [None, None, None, None, None, None, Some("json_malformed")]);
    for (kind, count) in [
        ("update_raw", 1),
        ("peer_state", 1),
        ("open", 1),
        ("notification", 1),
        ("keepalive", 1),
        ("service_error", 1),
    ] {
        assert_eq!(status.kinds[kind], count, "{kind}");
    }
    assert_eq!(status.last_fault.unwrap().1, "this is a test error message");
    let mut update: Value = serde_json::from_str(frames[0]).unwrap();
    update["data"].as_object_mut().unwrap().remove("raw");
    let (parsed, _, status) = decode(&[&update.to_string()]);
    assert_eq!(parsed, events[..1]);
    assert_eq!(status.kinds["update_parsed_raw_missing"], 1);
}

#[test]
fn sessions_and_frames_of_the_service() {
    let state = |state: &str| frame("RIS_PEER_STATE", &json!({"state": state}));
    let (up, connected, down) = (state("up"), state("connected"), state("down"));
    let data_first = r#"{"data":{"message":"caf\u00e9"},"type":"ris_error"}"#;
    let update_first = {
        let (raw, _) = both_forms(AsnWidth::Four);
        let whole: Value = serde_json::from_str(&frame("UPDATE", &json!({"raw": raw}))).unwrap();
        format!(r#"{{"data":{},"type":"ris_message"}}"#, whole["data"])
    };
    let number = frame("STATE", &json!({"state": "up", "peer_asn": 64497}));
    let frames = [
        up.as_str(),
        &connected,
        &down,
        &number,
        data_first,
        &update_first,
        r#"{"type":"ris_rrc_list","data":["rrc00",{"a":[1]}]}"#,
        r#"{"type":"ris_subscribe_ok","data":{"subscription":{},"socketOptions":{}}}"#,
        r#"{"type":"pong","data":null}"#,
        r#"{"type":"pong"}"#,
        r#"{"type":"ris_new","data":7}"#,
        &frame("ROUTE_REFRESH", &json!({})),
    ];
    let (events, faults, status) = decode(&frames);
    assert!(faults.iter().all(Option::is_none), "{faults:?}");
    let ends: Vec<&str> = events[..4].iter().map(|e| e.rsplit(' ').next().unwrap()).collect();
    assert_eq!(ends, ["PeerUp", "PeerUp", "PeerDown", "PeerUp"]);
    assert_eq!(events.len(), 10);
    assert_eq!(status.last_fault.unwrap().1, "café");
    for (kind, count) in
        [("peer_state", 4), ("rrc_list", 1), ("subscribe_ok", 1), ("pong", 2), ("unknown_type", 2)]
    {
        assert_eq!(status.kinds[kind], count, "{kind}");
    }
}

#[test]
fn what_cannot_be_read_is_named_and_leaves_nothing() {
    let long_host = "r".repeat(HOST_OCTETS_MAX + 1);
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let deep = frame("UPDATE", &json!({"path": "deep"})).replace("\"deep\"", &deep);
    let bad = |fields: Value| frame("UPDATE", &fields);
    let hop = json!([{"next_hop": "x", "prefixes": ["192.0.2.0/24"]}]);
    let prefix = json!([{"next_hop": "192.0.2.1", "prefixes": ["192.0.2.0/33"]}]);
    let family = json!([{"next_hop": "192.0.2.1,192.0.2.2", "prefixes": ["2001:db8::/32"]}]);
    let huge: Vec<u32> = vec![64496; 20_000];
    let one = json!([{"next_hop": "192.0.2.1", "prefixes": ["192.0.2.0/24"]}]);
    for (text, kind) in [
        (String::new(), "json_malformed"),
        ("ping".to_owned(), "json_malformed"),
        (r#"{"type":"ris_message","data":{"#.to_owned(), "json_malformed"),
        (r#"{"type":"pong"} x"#.to_owned(), "json_malformed"),
        (deep, "json_shape"),
        ("[]".to_owned(), "json_shape"),
        ("{}".to_owned(), "json_shape"),
        (r#"{"type":7}"#.to_owned(), "json_shape"),
        (r#"{"type":"pong","type":"pong"}"#.to_owned(), "json_shape"),
        (r#"{"type":"ris_message"}"#.to_owned(), "json_shape"),
        (r#"{"type":"ris_message","data":[]}"#.to_owned(), "json_shape"),
        (r#"{"type":"ris_error","data":"x"}"#.to_owned(), "json_shape"),
        (bad(json!({"timestamp": "now"})), "json_shape"),
        (bad(json!({"timestamp": -1.0})), "field_malformed"),
        (bad(json!({"timestamp": 1e300})), "field_malformed"),
        (bad(json!({"peer": "192.0.2"})), "field_malformed"),
        (bad(json!({"peer_asn": "AS64496"})), "json_shape"),
        (bad(json!({"peer_asn": 4_294_967_296u64})), "json_shape"),
        (bad(json!({"host": ""})), "field_malformed"),
        (bad(json!({"host": "a b"})), "field_malformed"),
        (bad(json!({"host": long_host})), "field_malformed"),
        (bad(json!({"raw": 7})), "json_shape"),
        (bad(json!({"announcements": hop})), "field_malformed"),
        (bad(json!({"announcements": prefix})), "field_malformed"),
        (bad(json!({"announcements": family})), "bgp_unencodable"),
        (bad(json!({"withdrawals": ["x"]})), "field_malformed"),
        (bad(json!({"path": ["x"]})), "json_shape"),
        (bad(json!({"path": [-1]})), "json_shape"),
        (bad(json!({"community": [[70_000, 1]]})), "json_shape"),
        (bad(json!({"path": huge, "announcements": one})), "bgp_unencodable"),
        (frame("RIS_PEER_STATE", &json!({})), "field_missing"),
        (frame("RIS_PEER_STATE", &json!({"state": "flapping"})), "field_malformed"),
    ] {
        let (events, faults, _) = decode(&[&text]);
        assert_eq!(faults[0].as_ref().map(MessageFault::kind), Some(kind), "{text}");
        assert!(events.is_empty(), "{text}");
    }
    let (events, faults, _) = decode(&[&bad(json!({}))]);
    assert!(events.is_empty() && faults[0].is_none(), "an UPDATE without routes says nothing");
}

#[test]
fn peers_are_bounded() {
    let frames: Vec<String> = (0..=PEERS_OF_SOURCE_MAX)
        .map(|peer| frame("RIS_PEER_STATE", &json!({"state": "up", "peer_asn": peer})))
        .collect();
    let frames: Vec<&str> = frames.iter().map(String::as_str).collect();
    let (events, _, status) = decode(&frames);
    assert_eq!(events.len(), PEERS_OF_SOURCE_MAX);
    assert_eq!(status.faults["too_many_peers"], 1);
}

#[test]
fn the_corpus_of_the_fuzz_target_and_damage_to_it() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/ris_live_json");
    let mut files: Vec<_> =
        std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 10);
    let mut random = fastrand::Rng::with_seed(7);
    for file in files {
        let sound = std::fs::read(file).unwrap();
        ris_live_json(&sound);
        for _ in 0..500 {
            let mut damaged = sound.clone();
            for _ in 0..random.usize(1..6) {
                if damaged.is_empty() {
                    break;
                }
                let at = random.usize(..damaged.len());
                match random.u8(..4) {
                    // Octets that mean something to JSON or to hexadecimal digits.
                    0 => damaged[at] = *random.choice(b"{}[]\",:.-eE09fF\\ \n").unwrap(),
                    1 => damaged[at] = random.u8(..),
                    2 => drop(damaged.remove(at)),
                    _ => damaged.truncate(at.max(1)),
                }
            }
            ris_live_json(&damaged);
        }
    }
}
