//! UPDATEs by rule, and the odd ones in hex.

use std::net::Ipv4Addr;

use super::*;
use crate::{Aggregator, RouteOrigin};

const FOUR: SessionContext = SessionContext { asn_width: AsnWidth::Four, has_path_ids: false };
const TWO: SessionContext = SessionContext { asn_width: AsnWidth::Two, has_path_ids: false };

/// Octets of hex digits; spaces are for the reader.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

const ORIGIN: &str = "40 01 01 00";
const PATH: &str = "40 02 06 02 01 0000fbf0";
const NEXT_HOP: &str = "40 03 04 c0000201";
const NLRI: &str = "18 c00002";

/// An UPDATE that announces 192.0.2.0/24 with these attributes.
fn announce(attributes: &[&str]) -> Vec<u8> {
    let attributes = hex(&attributes.concat());
    let length = u16::try_from(attributes.len()).unwrap().to_be_bytes();
    [&[0, 0][..], &length, &attributes, &hex(NLRI)].concat()
}

fn sound() -> Vec<&'static str> {
    vec![ORIGIN, PATH, NEXT_HOP]
}

/// Kinds of the warnings, prefixes announced and withdrawn.
fn outcome(body: &[u8], context: SessionContext) -> (Vec<&'static str>, usize, usize) {
    let update = Update::decode(body, context).unwrap();
    let kinds = update.warnings().iter().map(Warning::kind).collect();
    (kinds, update.announced().count(), update.withdrawn().count())
}

#[track_caller]
fn assert_withdrawn(attributes: &[&str], kind: &'static str) {
    assert_eq!(outcome(&announce(attributes), FOUR), (vec![kind], 0, 1));
}

#[track_caller]
fn assert_used(attributes: &[&str], kind: &'static str) {
    assert_eq!(outcome(&announce(attributes), FOUR), (vec![kind], 1, 0));
}

fn sound_and(attribute: &'static str) -> Vec<&'static str> {
    [sound(), vec![attribute]].concat()
}

#[test]
fn a_sound_update_has_no_warnings() {
    assert_eq!(outcome(&announce(&sound()), FOUR), (vec![], 1, 0));
}

#[test]
fn rfc7606_3_missing_mandatory_attributes_are_treated_as_withdraw() {
    assert_withdrawn(&[PATH, NEXT_HOP], "origin_missing");
    assert_withdrawn(&[ORIGIN, NEXT_HOP], "as_path_missing");
    assert_withdrawn(&[ORIGIN, PATH], "next_hop_missing");
}

#[test]
fn rfc7606_3_wrong_flags_are_treated_as_withdraw() {
    assert_withdrawn(&["c0 01 01 00", PATH, NEXT_HOP], "attribute_flags");
    // The partial and extended length bits do not matter.
    assert_eq!(outcome(&announce(&["70 01 0001 00", PATH, NEXT_HOP]), FOUR), (vec![], 1, 0));
}

#[test]
fn rfc7606_3_the_first_of_two_attributes_is_used() {
    let body = announce(&sound_and("40 01 01 02"));
    assert_eq!(outcome(&body, FOUR), (vec!["attribute_duplicate"], 1, 0));
    let update = Update::decode(&body, FOUR).unwrap();
    assert_eq!(update.attributes().origin(), Some(RouteOrigin::Igp));
    let unreach = "80 0f 03 000201";
    assert_withdrawn(&[ORIGIN, PATH, NEXT_HOP, unreach, unreach], "mp_duplicate");
}

#[test]
fn rfc7606_4_an_overrun_keeps_the_nlri() {
    assert_withdrawn(&sound_and("80 04 05 00000001"), "attribute_overrun");
    assert_withdrawn(&sound_and("80 04"), "attribute_overrun");
}

#[test]
fn rfc7606_7_malformed_values_are_treated_as_withdraw() {
    assert_withdrawn(&["40 01 01 03", PATH, NEXT_HOP], "origin_malformed");
    assert_withdrawn(&["40 01 02 0000", PATH, NEXT_HOP], "origin_malformed");
    assert_withdrawn(&[ORIGIN, "40 02 06 05 01 0000fbf0", NEXT_HOP], "as_path_malformed");
    assert_withdrawn(&[ORIGIN, "40 02 06 02 02 0000fbf0", NEXT_HOP], "as_path_malformed");
    assert_withdrawn(&[ORIGIN, PATH, "40 03 03 c00002"], "next_hop_malformed");
    assert_withdrawn(&sound_and("80 04 03 000001"), "med_malformed");
    assert_withdrawn(&sound_and("40 05 05 0000000001"), "local_pref_malformed");
    assert_withdrawn(&sound_and("c0 08 00"), "communities_malformed");
    assert_withdrawn(&sound_and("c0 08 05 0000000000"), "communities_malformed");
    assert_withdrawn(&sound_and("80 09 03 000000"), "originator_id_malformed");
    assert_withdrawn(&sound_and("80 0a 03 000000"), "cluster_list_malformed");
    assert_withdrawn(&sound_and("80 0e 03 000201"), "mp_reach_malformed");
    assert_withdrawn(&sound_and("80 0e 07 000201 02 0000 00"), "mp_reach_malformed");
    assert_withdrawn(&sound_and("80 0f 02 0002"), "mp_unreach_malformed");
    assert_withdrawn(&sound_and("c0 10 04 00000000"), "ext_communities_malformed");
    assert_withdrawn(&sound_and("c0 19 04 00000000"), "ipv6_ext_communities_malformed");
}

#[test]
fn rfc7606_7_some_malformed_attributes_are_only_left_out() {
    assert_used(&sound_and("40 06 01 00"), "atomic_aggregate_malformed");
    assert_used(&sound_and("c0 07 05 0000000000"), "aggregator_malformed");
}

#[test]
fn rfc8092_and_rfc9234_lengths() {
    assert_withdrawn(&sound_and("c0 20 04 00000000"), "large_communities_malformed");
    assert_withdrawn(&sound_and("c0 23 03 00fbf0"), "otc_malformed");
}

#[test]
fn an_empty_path_segment_is_skipped() {
    assert_used(&[ORIGIN, "40 02 08 01 00 02 01 0000fbf0", NEXT_HOP], "as_path_empty_segment");
}

#[test]
fn rfc7606_5_prefixes_before_the_fault_are_used() {
    let body = [announce(&sound()), hex("21 c0000200 00")].concat();
    assert_eq!(outcome(&body, FOUR), (vec!["nlri_malformed"], 1, 0));
}

#[test]
fn rfc4271_bits_beyond_a_prefix_are_masked_off() {
    let body = [announce(&sound()), hex("0d 0b0d")].concat();
    let update = Update::decode(&body, FOUR).unwrap();
    assert!(update.warnings().contains(Warning::NlriStrayBits));
    let prefixes: Vec<String> = update.announced().map(|nlri| nlri.prefix.to_string()).collect();
    assert_eq!(prefixes, ["192.0.2.0/24", "11.8.0.0/13"]);
}

#[test]
fn rfc4724_end_of_rib() {
    use routewarden_core::AddressFamily::{Ipv4, Ipv6};
    let end = |body: &str| Update::decode(&hex(body), FOUR).unwrap().end_of_rib();
    assert_eq!(end("0000 0000"), Some((Ipv4, Safi::Unicast)));
    assert_eq!(end("0000 0006 80 0f 03 000201"), Some((Ipv6, Safi::Unicast)));
    assert_eq!(end("0000 0006 80 0f 03 000102"), Some((Ipv4, Safi::Multicast)));
    assert_eq!(end("0000 0008 80 0f 05 000201 08 20"), None);
    assert_eq!(end("0002 0820 0006 80 0f 03 000201"), None);
    assert_eq!(end("0000 000a 40010100 80 0f 03 000201"), None);
}

#[test]
fn rfc6793_the_path_is_merged() {
    let text = |as_path: &str, as4: &str, more: &str| {
        let body = announce(&[ORIGIN, as_path, NEXT_HOP, as4, more]);
        let update = Update::decode(&body, TWO).unwrap();
        let mut scratch = vec![1, 2, 3];
        update.attributes().as_path(&mut scratch).unwrap().to_string()
    };
    let path = "40 02 0a 02 04 fbf0 5ba0 5ba0 fbf3";
    let as4 = "c0 11 0e 02 03 00010001 00010002 0000fbf3";
    assert_eq!(text(path, as4, ""), "64496 65537 65538 64499");
    // Longer than AS_PATH: ignored.
    assert_eq!(text("40 02 04 02 01 5ba0", as4, ""), "23456");
    // Beside AS4_AGGREGATOR an AGGREGATOR that is not AS_TRANS overrules both.
    let old = "c0 07 06 fbf0 c0000201 c0 12 08 00010001 c0000201";
    assert_eq!(text(path, as4, old), "64496 23456 23456 64499");
    let new = "c0 07 06 5ba0 c0000201 c0 12 08 00010001 c0000201";
    assert_eq!(text(path, as4, new), "64496 65537 65538 64499");
    // An AS_SET counts as one, leading confederation segments stay.
    let confed = "40 02 10 03 01 fde8 02 02 fbf0 5ba0 01 02 0001 0002";
    assert_eq!(text(confed, "c0 11 06 02 01 00010001", ""), "(65000) 64496 23456 65537");
    // Confederation segments in AS4_PATH are left out.
    let as4 = "c0 11 0c 03 01 0000fde8 02 01 00010001";
    assert_eq!(text("40 02 06 02 02 fbf0 5ba0", as4, ""), "64496 65537");
}

#[test]
fn rfc6793_aggregator_is_merged() {
    let aggregator = |attributes: &str, context| {
        let body = announce(&[ORIGIN, "40 02 00", NEXT_HOP, attributes]);
        Update::decode(&body, context).unwrap().attributes().aggregator()
    };
    let addr = Ipv4Addr::new(192, 0, 2, 1);
    let as4 = "c0 12 08 00010001 c0000201";
    let of = |asn| Some(Aggregator { asn: routewarden_core::Asn(asn), addr });
    assert_eq!(aggregator(&format!("c0 07 06 5ba0 c0000201 {as4}"), TWO), of(65_537));
    assert_eq!(aggregator(&format!("c0 07 06 fbf0 c0000201 {as4}"), TWO), of(64_496));
    assert_eq!(aggregator(as4, TWO), None);
    // Four octets in a session of two, as OpenBGPD writes tables, and the other way round.
    assert_eq!(aggregator("c0 07 08 00010001 c0000201", TWO), of(65_537));
    assert_eq!(aggregator("c0 07 06 fbf0 c0000201", FOUR), of(64_496));
}

#[test]
fn rfc6793_6_four_octet_sessions_ignore_as4_attributes() {
    assert_used(&sound_and("c0 11 06 02 01 00010001"), "as4_in_four_octet_session");
}

#[test]
fn rfc7911_path_identifiers_are_guessed_only_when_all_else_fails() {
    // Identifier 1: plain reading gives 0.0.0.0/0 three times.
    let length = hex("0000 0014");
    let attributes = hex(&sound().concat());
    let update = |nlri: &str| [&length[..], &attributes, &hex(nlri)].concat();
    let body = update("00000001 18 c00002 00000001 18 c63364");
    assert_eq!(outcome(&body, FOUR), (vec!["add_path_guessed"], 2, 0));
    let read = Update::decode(&body, FOUR).unwrap();
    assert!(read.announced().all(|nlri| nlri.path_id == Some(1)));
    // A default route is one.
    assert_eq!(outcome(&update("00 18 c00002"), FOUR), (vec![], 2, 0));
    // Two paths to the default route, withdrawn at once.
    let withdrawn = hex("000a 00000001 00 00000002 00 0000");
    assert_eq!(outcome(&withdrawn, FOUR), (vec!["add_path_guessed"], 0, 2));
    // Malformed either way.
    assert_eq!(outcome(&update("00000001 21 c00002"), FOUR).0[0], "nlri_malformed");
}

/// A message with header; `length` is what the header says.
fn message(length: u16, message_type: u8, body: &[u8]) -> Vec<u8> {
    [&[0xff; 16][..], &length.to_be_bytes(), &[message_type], body].concat()
}

#[test]
fn a_message_cut_in_the_withdrawn_routes_gives_those_before_the_cut() {
    let octets = message(4_096, 2, &hex("00ff 18c00002 18c63364 18cb"));
    let decoded = BgpMessage::decode(&octets, FOUR).unwrap();
    let BgpMessage::Update(update) = decoded.value else { panic!() };
    assert_eq!(decoded.warnings.iter().collect::<Vec<_>>(), [Warning::MessageCut]);
    assert_eq!((update.withdrawn().count(), update.announced().count()), (2, 0));
}

#[test]
fn a_message_cut_in_the_attributes_neither_announces_nor_withdraws() {
    let whole = announce(&sound_and("80 0e 0d 000101 04 c0000201 00 18 c63364"));
    for until in 4..whole.len() - 4 {
        let octets = message(4_096, 2, &whole[..until]);
        let decoded = BgpMessage::decode(&octets, FOUR).unwrap();
        let BgpMessage::Update(update) = decoded.value else { panic!() };
        assert!(decoded.warnings.contains(Warning::AttributesCut), "{until}");
        assert_eq!((update.withdrawn().count(), update.announced().count()), (0, 0), "{until}");
    }
    // Cut in the length of the attributes.
    let octets = message(4_096, 2, &whole[..3]);
    let decoded = BgpMessage::decode(&octets, FOUR).unwrap();
    assert_eq!(decoded.warnings.iter().collect::<Vec<_>>(), [Warning::MessageCut]);
}

#[test]
fn message_headers() {
    let keepalive = message(19, 4, &[]);
    let decoded = BgpMessage::decode(&keepalive, FOUR).unwrap();
    assert!(matches!(decoded.value, BgpMessage::Keepalive) && decoded.warnings.is_empty());
    let trailing = message(19, 4, &[1]);
    let decoded = BgpMessage::decode(&trailing, FOUR).unwrap();
    assert!(decoded.warnings.contains(Warning::MessageTrailing));
    let mut marker = keepalive.clone();
    marker[0] = 0;
    let decoded = BgpMessage::decode(&marker, FOUR).unwrap();
    assert!(decoded.warnings.contains(Warning::MarkerNotOnes));
    assert!(BgpMessage::decode(&message(18, 4, &[]), FOUR).is_none());
    assert!(BgpMessage::decode(&keepalive[..18], FOUR).is_none());
    let long = message(60_000, 2, &[&[0; 4][..], &vec![0; 59_977]].concat());
    assert!(BgpMessage::decode(&long, FOUR).is_some());
}

#[test]
fn multicast_is_marked_and_other_families_are_not_read() {
    let reach = "80 0e 0d 000102 04 c0000201 00 18 c63364";
    let update = announce(&sound_and(reach));
    let read = Update::decode(&update, FOUR).unwrap();
    let safis: Vec<Safi> = read.announced().map(|nlri| nlri.safi).collect();
    assert_eq!(safis, [Safi::Unicast, Safi::Multicast]);
    let vpn = "80 0e 09 000180 04 c0000201 00";
    assert_used(&sound_and(vpn), "family_unsupported");
}

/// 33 192.0.2.0 is also a path identifier and a default route.
#[test]
fn a_prefix_length_out_of_range_is_no_default_route() {
    for length in [33, 129, 255] {
        let mut body = announce(&sound());
        body.truncate(body.len() - hex(NLRI).len());
        body.extend_from_slice(&[length, 192, 0, 2, 0]);
        assert_eq!(outcome(&body, FOUR), (vec!["nlri_malformed"], 0, 0));
    }
}
