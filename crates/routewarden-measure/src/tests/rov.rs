//! Who drops RPKI-invalid routes.

use std::collections::BTreeMap;

use proptest::prelude::*;
use routewarden_core::facts::RovState;
use routewarden_core::{Asn, Prefix};

use crate::{
    AsInputs, Profile, ROV_CONTROL_PATHS_MAX, ROV_INVALIDS_MAX, ROV_LEAST_DEFAULT,
    ROV_PATH_ASNS_MAX, RovBuilder, RovEvidence, RovVerdict, Score,
};

const ORIGIN: u32 = 9;

fn path(asns: &[u32]) -> Vec<Asn> {
    asns.iter().copied().map(Asn).collect()
}

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

/// An invalid prefix by number.
fn invalid(number: u32) -> Prefix {
    Prefix::v4(0x0a00_0000 + (number << 8), 24).unwrap()
}

fn builder(control: &[&[u32]]) -> RovBuilder {
    let mut builder = RovBuilder::new([Asn(ORIGIN)]);
    for asns in control {
        builder.add(prefix("192.0.2.0/24"), RovState::Valid, &path(asns));
    }
    builder
}

fn of(found: &BTreeMap<Asn, RovEvidence>, asn: u32) -> (u32, u32) {
    found.get(&Asn(asn)).map_or((0, 0), |held| (held.offered, held.dropped))
}

#[test]
fn who_has_a_neighbour_with_the_route_and_has_it_not_dropped_it() {
    let mut builder = builder(&[&[1, 5, ORIGIN], &[2, 5, ORIGIN]]);
    builder.add(invalid(0), RovState::Invalid, &path(&[1, 5, 5, ORIGIN]));
    let found = builder.finish();
    assert_eq!((of(&found, 1), of(&found, 2), of(&found, 5)), ((1, 0), (1, 1), (1, 0)));
    assert_eq!(of(&found, ORIGIN), (0, 0));
}

#[test]
fn nobody_is_asked_for_what_the_neighbour_had_not() {
    let mut builder = builder(&[&[1, 5, ORIGIN], &[2, 6, ORIGIN]]);
    builder.add(invalid(0), RovState::Invalid, &path(&[2, 6, ORIGIN]));
    let found = builder.finish();
    assert_eq!(of(&found, 1), (0, 0));
    assert_eq!((of(&found, 2), of(&found, 6)), ((1, 0), (1, 0)));
}

#[test]
fn silence_behind_an_as_that_drops_says_nothing() {
    // 1 drops all, 2 passes all on; 5 is heard through 1 only, 6 through both.
    let mut builder =
        builder(&[&[1, 5, ORIGIN], &[1, 6, ORIGIN], &[2, 6, ORIGIN], &[2, 7, ORIGIN]]);
    for number in 0..3 {
        builder.add(invalid(number), RovState::Invalid, &path(&[2, 6, ORIGIN]));
    }
    builder.add(invalid(3), RovState::Invalid, &path(&[2, 7, ORIGIN]));
    let found = builder.finish();
    assert_eq!(of(&found, 1), (3, 3));
    assert_eq!(of(&found, 5), (0, 0));
    assert_eq!(of(&found, 2), (4, 0));
    assert_eq!((of(&found, 6), of(&found, 7)), ((3, 0), (1, 0)));
}

#[test]
fn what_a_peer_has_by_another_way_says_nothing_of_this_one() {
    let mut both = builder(&[&[1, 6, ORIGIN], &[2, 6, ORIGIN], &[1, 7, ORIGIN]]);
    both.add(invalid(0), RovState::Invalid, &path(&[1, 7, ORIGIN]));
    both.add(invalid(1), RovState::Invalid, &path(&[2, 6, ORIGIN]));
    let mut one = builder(&[&[1, 6, ORIGIN], &[1, 7, ORIGIN]]);
    one.add(invalid(0), RovState::Invalid, &path(&[1, 7, ORIGIN]));
    let (both, one) = (both.finish(), one.finish());
    assert_eq!(of(&both, 6), (2, 1), "the second peer has it not at all");
    assert_eq!((of(&one, 6), of(&one, 7)), ((0, 0), (1, 0)), "the only one has it by 7");
}

#[test]
fn a_peer_with_few_routes_is_no_dropper_and_families_stand_apart() {
    let mut builder = builder(&[&[1, 5, ORIGIN]]);
    let v6 = prefix("2001:db8::/32");
    builder.add(v6, RovState::Invalid, &path(&[3, 5, ORIGIN]));
    builder.add(invalid(0), RovState::Invalid, &path(&[3, 5, ORIGIN]));
    let found = builder.finish();
    assert_eq!((of(&found, 1), of(&found, 3)), ((1, 1), (0, 0)));
}

#[test]
fn other_origins_and_loops_are_left_out() {
    let mut builder = builder(&[&[1, 5, ORIGIN]]);
    builder.add(invalid(0), RovState::Invalid, &path(&[1, 5, 8]));
    builder.add(invalid(1), RovState::Invalid, &path(&[1, 5, 1, ORIGIN]));
    builder.add(invalid(2), RovState::Invalid, &[]);
    assert_eq!((builder.over_limit(), builder.finish().len()), (0, 0));
}

#[test]
fn a_verdict_needs_the_whole_interval() {
    let verdict = |offered, dropped| RovEvidence { offered, dropped }.judged(20).verdict;
    assert_eq!(verdict(19, 19), RovVerdict::Unknown);
    assert_eq!(verdict(0, 0), RovVerdict::Unknown);
    assert_eq!(verdict(20, 20), RovVerdict::Drops);
    assert_eq!(verdict(20, 18), RovVerdict::Partly);
    assert_eq!(verdict(20, 0), RovVerdict::Passes);
    assert_eq!(verdict(1_000, 500), RovVerdict::Partly);
    assert_eq!(RovEvidence::default().judged(0).verdict, RovVerdict::Unknown);
}

#[test]
fn the_interval_is_wilsons() {
    let judged = RovEvidence { offered: 40, dropped: 38 }.judged(20);
    let [low, high] = [judged.low, judged.high].map(|end| end.unwrap().fraction());
    assert!((low - 0.834_960).abs() < 1e-5 && (high - 0.986_178).abs() < 1e-5, "{low} {high}");
    let text = "Of 40 RPKI-invalid routes offered to it, 38 were not passed on (83 to 99 % with 95 % \
                confidence): it drops them.";
    assert_eq!(judged.text, text);
    let json = serde_json::to_value(RovEvidence::default().judged(20)).unwrap();
    assert_eq!((&json["verdict"], &json["n"]), (&"unknown".into(), &0.into()));
    assert_eq!(json["low"], serde_json::Value::Null);
}

#[test]
fn the_evidence_is_a_metric() {
    let least = |id: &str| Profile::built_in(id).unwrap().rov_least();
    assert_eq!((least("routewarden-1"), least("manrs-2024")), (20, ROV_LEAST_DEFAULT));
    let share = RovEvidence { offered: 20, dropped: 15 }.share();
    let inputs = AsInputs { invalids_dropped: Ok(share), ..AsInputs::default() };
    let found = super::readiness_of(Asn(1), "routewarden-1", Vec::new(), &inputs);
    assert_eq!(super::metric_of(&found, "ROV").score, Some(Score::from_percent(75)));
}

#[test]
fn what_is_kept_is_limited() {
    let mut small = RovBuilder::within([Asn(ORIGIN)], 5);
    small.add(prefix("192.0.2.0/24"), RovState::Valid, &path(&[1, 5, ORIGIN]));
    small.add(prefix("192.0.2.0/24"), RovState::Valid, &path(&[2, 5, ORIGIN]));
    assert_eq!(small.over_limit(), 1);

    let long: Vec<u32> =
        (100..100 + u32::try_from(ROV_PATH_ASNS_MAX).unwrap()).chain([ORIGIN]).collect();
    let mut full = builder(&[&long]);
    assert_eq!(full.over_limit(), 1);
    full.add(prefix("192.0.2.0/24"), RovState::NotFound, &path(&[1, 5, ORIGIN]));
    for number in (0..u32::try_from(ROV_INVALIDS_MAX).unwrap() + 10).rev() {
        full.add(invalid(number), RovState::Invalid, &path(&[2, 5, ORIGIN]));
    }
    let offered = u32::try_from(ROV_INVALIDS_MAX).unwrap();
    assert_eq!(of(&full.clone().finish(), 1), (offered, offered));
    for peer in 0..u32::try_from(ROV_CONTROL_PATHS_MAX).unwrap() {
        full.add(prefix("192.0.2.0/24"), RovState::NotFound, &path(&[100 + peer, 5, ORIGIN]));
    }
    let found = full.finish();
    assert_eq!(found.len(), ROV_CONTROL_PATHS_MAX);
    assert!(found.contains_key(&Asn(1)));
}

proptest! {
    #[test]
    fn the_order_does_not_matter_and_counts_make_sense(
        routes in prop::collection::vec((0u32..6, 0u32..8, 1u32..5, 5u32..8), 0..60),
    ) {
        let build = |routes: &mut dyn Iterator<Item = &(u32, u32, u32, u32)>| {
            let mut builder = RovBuilder::new([Asn(ORIGIN)]);
            for &(number, state, peer, transit) in routes {
                let state = if state < 4 { RovState::Invalid } else { RovState::NotFound };
                builder.add(invalid(number), state, &path(&[peer, transit, ORIGIN]));
            }
            builder.finish()
        };
        let found = build(&mut routes.iter());
        prop_assert_eq!(&found, &build(&mut routes.iter().rev()));
        for (asn, held) in found {
            prop_assert!(held.offered > 0 && held.dropped <= held.offered, "{asn} {held:?}");
            let judged = held.judged(1);
            let share = f64::from(held.dropped) / f64::from(held.offered);
            let [low, high] = [judged.low, judged.high].map(|end| end.unwrap().fraction());
            prop_assert!(low <= share + 1e-9 && share <= high + 1e-9);
        }
    }
}
