//! From raw values to scores and classes.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::{
    ContactKind, IrrCoverage, MetricState, NoData, Penalty, ReadinessClass, RpkiCounts, Score,
    Share, SpoofingTests,
};

fn action<'a>(readiness: &'a Readiness, id: &str) -> &'a crate::ActionResult {
    readiness.actions.iter().find(|action| action.id == id).unwrap()
}

/// With everything known, and good.
fn all_known() -> AsInputs {
    AsInputs {
        spoofing: Ok(SpoofingTests { tests: 1, received_prefixes: 0 }),
        irr: Ok(IrrCoverage { announced: 4, exact: 3, covered: 1 }),
        rpki: Ok(RpkiCounts { valid: 4, not_found: 0, invalid: 0 }),
        contacts: Ok(BTreeSet::from([ContactKind::PeeringDbNoc])),
        aspa_providers: Ok(Share { part: 2, whole: 2 }),
        otc_marked: Ok(Share { part: 20, whole: 20 }),
        invalids_dropped: Ok(Share { part: 20, whole: 20 }),
    }
}

#[test]
fn nothing_bad_is_ready_and_nothing_known_is_no_data() {
    for profile in Profile::built_in_ids() {
        let good = readiness_of(CULPRIT, profile, Vec::new(), &all_known());
        for action in &good.actions {
            let found = (action.score, action.class);
            assert_eq!(found, (Some(Score::ONE), ReadinessClass::Ready), "{profile} {action:?}");
        }
        let unknown = readiness_of(CULPRIT, profile, Vec::new(), &AsInputs::default());
        for action in unknown.actions.iter().filter(|action| action.id != "A1") {
            assert_eq!((action.score, action.class), (None, ReadinessClass::NoData), "{action:?}");
            assert_eq!(action.missing.len(), 1);
        }
    }
}

#[test]
fn action_one_adds_its_penalties_before_the_curve() {
    let mut events = vec![hijack("a", 0, 60), event("b", EventKind::BogonAsn, DAY, DAY + 3_600)];
    events.push(event("leak", EventKind::RouteLeak, 0, 3_600));
    let found = readiness_of(CULPRIT, "manrs-2024", events.clone(), &AsInputs::default());
    let filtering = action(&found, "A1");
    assert_eq!(filtering.raw.unwrap().points(), 1.5);
    assert!((filtering.score.unwrap().fraction() - 0.412_807).abs() < 5e-6);
    assert_eq!(filtering.class, ReadinessClass::Lagging);
    assert_eq!(metric_of(&found, "M1").state, MetricState::Informational);
    assert_eq!(metric_of(&found, "M2").state, MetricState::Scored);

    let largest = Profile::built_in_text("manrs-2024").unwrap().replacen("\"sum\"", "\"max\"", 1);
    let profile = Profile::parse(&largest).unwrap();
    let table = EventTable::new(month(), events.clone()).unwrap();
    let found = Measurement::new(&profile, &table).readiness(CULPRIT, &AsInputs::default());
    assert_eq!(action(&found, "A1").raw.unwrap().points(), 1.0);

    let with_leaks = readiness_of(CULPRIT, "manrs-2023", events, &AsInputs::default());
    assert_eq!(action(&with_leaks, "A1").raw.unwrap().points(), 2.5);
}

#[test]
fn a_missing_metric_means_what_the_profile_says() {
    let missing = NoData::InputMissing { input: crate::InputKind::Incidents };
    let table = EventTable::new(month(), vec![hijack("a", 0, 60)]).unwrap();
    let table = table.without(EventKind::BogonAsn, missing);
    let text = Profile::built_in_text("manrs-2024").unwrap();
    let strict = Profile::parse(text).unwrap();
    let found = Measurement::new(&strict, &table).readiness(CULPRIT, &AsInputs::default());
    assert_eq!(action(&found, "A1").score, None);
    assert_eq!(action(&found, "A1").missing, ["M4", "M4C"]);

    let lenient = text.replace("when_missing = \"no_data\"", "when_missing = \"rest\"");
    let lenient = Profile::parse(&lenient).unwrap();
    let found = Measurement::new(&lenient, &table).readiness(CULPRIT, &AsInputs::default());
    assert_eq!(action(&found, "A1").raw.unwrap().points(), 0.5);
    assert_eq!(action(&found, "A1").class, ReadinessClass::Aspiring);
    assert_eq!(action(&found, "A1").missing, ["M4", "M4C"]);
    assert_eq!(action(&found, "A2").class, ReadinessClass::NoData);
}

#[test]
fn an_abuse_contact_is_no_operational_contact() {
    let score = |profile: &str, contacts: &[ContactKind]| {
        let contacts = Ok(contacts.iter().copied().collect());
        let inputs = AsInputs { contacts, ..AsInputs::default() };
        metric_of(&readiness_of(CULPRIT, profile, Vec::new(), &inputs), "M8").score
    };
    let abuse = [ContactKind::RirAbuse, ContactKind::PeeringDbAbuse];
    assert_eq!(score("manrs-2024", &abuse), Some(Score::ZERO));
    assert_eq!(score("manrs-2024", &[]), Some(Score::ZERO));
    assert_eq!(score("manrs-2024", &[ContactKind::PeeringDbNoc]), Some(Score::ONE));
    assert_eq!(score("manrs-2018", &[ContactKind::PeeringDbNoc]), Some(Score::ZERO));
    assert_eq!(score("manrs-2018", &[ContactKind::RirTechnical]), Some(Score::ONE));
}

#[test]
fn a_covering_route_object_is_enough_unless_the_profile_wants_the_exact_one() {
    let irr = Ok(IrrCoverage { announced: 4, exact: 1, covered: 2 });
    let inputs = AsInputs { irr, ..AsInputs::default() };
    let found = readiness_of(CULPRIT, "manrs-2024", Vec::new(), &inputs);
    assert_eq!(metric_of(&found, "M7IRR").raw.unwrap().value(), 0.75);
    let exact = Profile::built_in_text("manrs-2024").unwrap().replace("\"covering\"", "\"exact\"");
    let profile = Profile::parse(&exact).unwrap();
    let table = EventTable::new(month(), Vec::new()).unwrap();
    let found = Measurement::new(&profile, &table).readiness(CULPRIT, &inputs);
    assert_eq!(metric_of(&found, "M7IRR").score, Some(Score::from_percent(25)));
}

#[test]
fn the_invalid_share_is_lower_the_better_and_its_raw_value_is_kept_below_zero() {
    let rpki = Ok(RpkiCounts { valid: 1, not_found: 2, invalid: 1 });
    let inputs = AsInputs { rpki, ..AsInputs::default() };
    let found = readiness_of(CULPRIT, "manrs-2024", Vec::new(), &inputs);
    let validity = metric_of(&found, "M7RPKI");
    assert_eq!((validity.raw.unwrap().value(), validity.score), (-2.25, Some(Score::ZERO)));
    let invalid = metric_of(&found, "M7RPKIN");
    let expected = (0.25, Some(Score::from_percent(75)));
    assert_eq!((invalid.raw.unwrap().value(), invalid.score), expected);
    let older = readiness_of(CULPRIT, "manrs-2023", Vec::new(), &inputs);
    assert_eq!(metric_of(&older, "M7RPKI").score, Some(Score::from_percent(25)));
    let none = AsInputs { rpki: Ok(RpkiCounts::default()), ..AsInputs::default() };
    let found = readiness_of(CULPRIT, "manrs-2024", Vec::new(), &none);
    assert_eq!(metric_of(&found, "M7RPKI").no_data, Some(NoData::NothingAnnounced));
    assert_eq!(metric_of(&found, "M7RPKIN").no_data, Some(NoData::NothingAnnounced));
}

#[test]
fn too_few_seen_is_no_data() {
    let inputs =
        AsInputs { invalids_dropped: Ok(Share { part: 19, whole: 19 }), ..AsInputs::default() };
    let found = readiness_of(CULPRIT, "routewarden-1", Vec::new(), &inputs);
    let reason = metric_of(&found, "ROV").no_data;
    assert_eq!(reason, Some(NoData::TooFew { have: 19, least: 20 }));
    assert_eq!(reason.unwrap().to_string(), "19 seen, 20 needed");
    let none = AsInputs { aspa_providers: Ok(Share::default()), ..AsInputs::default() };
    let found = readiness_of(CULPRIT, "routewarden-1", Vec::new(), &none);
    assert_eq!(metric_of(&found, "ASPA").state, MetricState::NoData);
}

#[test]
fn a_share_is_never_rounded_up() {
    assert_eq!(Score::of_ratio(2, 3).fraction(), 0.666_666_666);
    assert!(Score::of_ratio(i64::MAX - 1, u64::MAX / 2) < Score::ONE);
    assert!(Score::of_ratio(7_999_999_999, 10_000_000_000) < Score::from_percent(80));
    assert_eq!(Score::of_ratio(-1, 3), Score::ZERO);
    assert_eq!(Score::of_ratio(i64::MAX, 1), Score::ONE);
    assert_eq!(Score::of_ratio(1, 0), Score::ZERO);
}

#[test]
fn a_score_is_read_back_as_written() {
    let score = Score::of_penalty(Penalty::from_points(1), Score::from_percent(60));
    let text = serde_json::to_string(&score).unwrap();
    assert!(text.starts_with("0.485577"), "{text}");
    assert_eq!(serde_json::from_str::<Score>(&text).unwrap(), score);
    for wrong in ["1.1", "-0.1", "null"] {
        assert!(serde_json::from_str::<Score>(wrong).is_err(), "{wrong}");
    }
    assert_eq!(Score::nearest(f64::NAN), Score::ZERO);
}

#[test]
fn serialised_readiness_has_numbers_and_reasons() {
    let inputs = AsInputs {
        irr: Ok(IrrCoverage { announced: 4, exact: 3, covered: 0 }),
        ..AsInputs::default()
    };
    let found = readiness_of(CULPRIT, "manrs-2024", vec![hijack("a", 0, 3_600)], &inputs);
    let json = serde_json::to_value(&found).unwrap();
    let metric = |id: &str| {
        json["metrics"].as_array().unwrap().iter().find(|metric| metric["id"] == id).unwrap()
    };
    assert_eq!(json["asn"], 64496);
    assert_eq!(metric("M2")["raw"], 1.0);
    assert_eq!(metric("M2")["incidents"][0]["events"][0], "a");
    assert_eq!(metric("M2")["incidents"][0]["coefficient"], 1.0);
    assert_eq!(metric("M5")["state"], "no_data");
    assert_eq!(metric("M5")["raw"], serde_json::Value::Null);
    assert_eq!(metric("M5")["no_data"]["reason"], "input_missing");
    assert_eq!(metric("M5")["no_data"]["input"], "spoofer");
    assert_eq!(metric("M7IRR")["score"], 0.75);
    assert_eq!(metric("M7IRR")["inputs"]["announced"], 4);
    assert_eq!(json["actions"][0]["class"], "lagging");
}

#[test]
fn penalties_stay_within_their_limit() {
    let steps = Profile::built_in("manrs-2024").unwrap().duration;
    let endless = Penalty::weighted(steps.coefficient(std::time::Duration::MAX), 100);
    assert_eq!(endless.plus(endless).points(), 9_007_199_254_740_992.0 / 200.0);
    assert_eq!(Score::of_penalty(endless, Score::from_percent(60)), Score::ZERO);
}

proptest! {
    /// More never scores better.
    #[test]
    fn the_curve_falls(points in 0u32..100_000) {
        let half_point = Score::from_percent(60);
        let score = |points| Score::of_penalty(Penalty::from_points(points), half_point);
        prop_assert!(score(points + 1) <= score(points));
    }

    #[test]
    fn more_valid_and_fewer_invalid_routes_never_score_worse(
        valid in 0u32..1_000, not_found in 1u32..1_000, invalid in 1u32..1_000,
    ) {
        let score = |valid, not_found, invalid| {
            let rpki = Ok(RpkiCounts { valid, not_found, invalid });
            let inputs = AsInputs { rpki, ..AsInputs::default() };
            let found = readiness_of(CULPRIT, "manrs-2024", Vec::new(), &inputs);
            metric_of(&found, "M7RPKI").score.unwrap()
        };
        let before = score(valid, not_found, invalid);
        prop_assert!(score(valid + 1, not_found - 1, invalid) >= before);
        prop_assert!(score(valid, not_found + 1, invalid - 1) >= before);
    }
}
