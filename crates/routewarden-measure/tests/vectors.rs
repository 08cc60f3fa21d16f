//! Metrics and scores against written vectors.
#![expect(clippy::print_stderr, reason = "tests say when shared data is missing")]
#![expect(clippy::unwrap_used, reason = "clippy exempts test functions only")]

use std::path::Path;

use routewarden_core::facts::{Vrp, VrpTable};
use routewarden_core::{Asn, Timestamp};
use routewarden_measure::{
    ActionResult, AsInputs, Event, EventKind, EventTable, IrrCoverage, Measurement, MetricResult,
    PROFILE_DEFAULT, Penalty, Period, Profile, Readiness, RpkiCounts, Score, SpoofingTests,
};
use serde_json::Value;

const CULPRIT: Asn = Asn(64496);

/// The vectors, when they are there. In CI they must be.
fn vectors() -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = path.join("../../../shared/vectors/manrs_metrics.json");
    if path.exists() {
        return Some(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap());
    }
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "missing: {}", path.display());
    eprintln!("skipped: {} is missing", path.display());
    None
}

/// The cases of a group; never none.
fn cases<'a>(document: &'a Value, group: &str) -> &'a [Value] {
    let cases = document.get(group).unwrap()["cases"].as_array().unwrap();
    assert!(!cases.is_empty(), "{group}");
    cases
}

fn count(case: &Value, field: &str) -> u32 {
    u32::try_from(case[field].as_u64().unwrap()).unwrap()
}

fn month() -> Period {
    "2026-10".parse().unwrap()
}

fn after_start(secs: i64) -> Timestamp {
    month().from().plus_secs(secs)
}

/// Measures the culprit of hijacks given in seconds of the month.
fn hijacks(profile: &str, spans: &[(i64, i64)]) -> Readiness {
    let events = spans.iter().enumerate().map(|(number, &(from, until))| Event {
        from: after_start(from),
        until: Some(after_start(until)),
        id: format!("event-{number}"),
        kind: EventKind::Misorigination,
        culprits: vec![CULPRIT],
        accomplices: Vec::new(),
        confidence: 90,
        is_dismissed: false,
    });
    measured(profile, events.collect(), &AsInputs::default())
}

fn measured(profile: &str, events: Vec<Event>, inputs: &AsInputs) -> Readiness {
    let profile = Profile::built_in(profile).unwrap();
    let events = EventTable::new(month(), events).unwrap();
    Measurement::new(&profile, &events).readiness(CULPRIT, inputs)
}

fn metric<'a>(readiness: &'a Readiness, id: &str) -> &'a MetricResult {
    readiness.metrics.iter().find(|metric| metric.id == id).unwrap()
}

fn action<'a>(readiness: &'a Readiness, id: &str) -> &'a ActionResult {
    readiness.actions.iter().find(|action| action.id == id).unwrap()
}

fn raw(readiness: &Readiness, id: &str) -> f64 {
    metric(readiness, id).raw.unwrap().value()
}

/// Holds a score against a case's, `null` for no data.
fn assert_score(score: Option<Score>, case: &Value, tolerance: f64) {
    match (score, case["score"].as_f64()) {
        (Some(score), Some(expected)) => {
            let off = (score.fraction() - expected).abs();
            assert!(off <= tolerance, "{case}: {}", score.fraction());
        }
        (score, expected) => assert!(score.is_none() && expected.is_none(), "{case}: {score:?}"),
    }
}

#[test]
fn no_group_of_vectors_is_passed_over() {
    let Some(document) = vectors() else { return };
    let mut groups: Vec<&str> = document.as_object().unwrap().keys().map(String::as_str).collect();
    groups.sort_unstable();
    let tested = [
        "duration_coefficient",
        "incident_merge",
        "m5",
        "m7irr",
        "m7rpki",
        "normalise",
        "note",
        "raw_sum",
        "readiness_class",
        "rov",
    ];
    assert_eq!(groups, tested);
}

#[test]
fn duration_coefficients() {
    let Some(document) = vectors() else { return };
    for case in cases(&document, "duration_coefficient") {
        let found = hijacks(PROFILE_DEFAULT, &[(0, case["seconds"].as_i64().unwrap())]);
        assert_eq!(Some(raw(&found, "M2")), case["c"].as_f64(), "{case}");
    }
}

#[test]
fn overlapping_and_touching_events_are_one_incident() {
    let Some(document) = vectors() else { return };
    for case in cases(&document, "incident_merge") {
        let spans = |field: &str| -> Vec<(i64, i64)> {
            let spans = case[field].as_array().unwrap().iter();
            spans.map(|span| (span[0].as_i64().unwrap(), span[1].as_i64().unwrap())).collect()
        };
        let found = hijacks(PROFILE_DEFAULT, &spans("intervals"));
        let incidents = metric(&found, "M2").incidents.iter();
        let start = month().from();
        let found: Vec<(i64, i64)> =
            incidents.map(|i| (i.from.secs_since(start), i.until.secs_since(start))).collect();
        assert_eq!(found, spans("merged"), "{case}");
    }
}

#[test]
fn the_raw_metric_is_the_sum_over_incidents() {
    let Some(document) = vectors() else { return };
    for case in cases(&document, "raw_sum") {
        let mut start = 0;
        let mut spans = Vec::new();
        for secs in case["durations_s"].as_array().unwrap() {
            let until = start + secs.as_i64().unwrap();
            spans.push((start, until));
            start = until + 60;
        }
        let found = hijacks(PROFILE_DEFAULT, &spans);
        assert_eq!(Some(raw(&found, "M2")), case["raw"].as_f64(), "{case}");
        assert_eq!(metric(&found, "M2").incidents.len(), spans.len());
    }
}

/// A penalty of whole halves.
fn penalty(points: f64) -> Penalty {
    let half = Profile::built_in(PROFILE_DEFAULT).unwrap().duration;
    let half = Penalty::weighted(half.coefficient(std::time::Duration::from_secs(1)), 100);
    let mut sum = Penalty::default();
    while sum.points() < points {
        sum = sum.plus(half);
    }
    sum
}

#[test]
fn penalties_are_normalised_by_the_curve() {
    let Some(document) = vectors() else { return };
    let half_point = Profile::built_in(PROFILE_DEFAULT).unwrap().half_point();
    let tolerance = document["normalise"]["tolerance"].as_f64().unwrap();
    for case in cases(&document, "normalise") {
        let raw = penalty(case["raw"].as_f64().unwrap());
        assert_score(Some(Score::of_penalty(raw, half_point)), case, tolerance);
    }
}

#[test]
fn spoofing_without_a_test_is_no_data() {
    let Some(document) = vectors() else { return };
    let tolerance = document["m5"]["tolerance"].as_f64().unwrap();
    for case in cases(&document, "m5") {
        let tests = SpoofingTests {
            tests: count(case, "tests_in_month"),
            received_prefixes: count(case, "received_prefixes"),
        };
        let inputs = AsInputs { spoofing: Ok(tests), ..AsInputs::default() };
        for profile in ["manrs-2023", "manrs-2024", "routewarden-1"] {
            let found = measured(profile, Vec::new(), &inputs);
            assert_score(metric(&found, "M5").score, case, tolerance);
            assert_score(action(&found, "A2").score, case, tolerance);
        }
    }
}

#[test]
fn rpki_validity_takes_ten_times_the_invalid_share() {
    let Some(document) = vectors() else { return };
    let tolerance = document["m7rpki"]["tolerance"].as_f64().unwrap();
    for case in cases(&document, "m7rpki") {
        let [valid, not_found, invalid] =
            ["valid", "not_found", "invalid"].map(|field| count(case, field));
        let counts = RpkiCounts { valid, not_found, invalid };
        let inputs = AsInputs { rpki: Ok(counts), ..AsInputs::default() };
        let found = measured(PROFILE_DEFAULT, Vec::new(), &inputs);
        let off = (raw(&found, "M7RPKI") - case["raw"].as_f64().unwrap()).abs();
        assert!(off <= tolerance, "{case}");
        assert_score(action(&found, "A4-RPKI").score, case, tolerance);
    }
}

#[test]
fn irr_coverage_of_nothing_is_no_data() {
    let Some(document) = vectors() else { return };
    for case in cases(&document, "m7irr") {
        let counts = IrrCoverage {
            announced: count(case, "announced"),
            exact: count(case, "registered"),
            covered: 0,
        };
        let inputs = AsInputs { irr: Ok(counts), ..AsInputs::default() };
        let found = measured(PROFILE_DEFAULT, Vec::new(), &inputs);
        assert_score(action(&found, "A4-IRR").score, case, 0.0);
    }
    let inputs = AsInputs { irr: Ok(IrrCoverage::default()), ..AsInputs::default() };
    let prototype = measured("manrs-2018", Vec::new(), &inputs);
    assert_eq!(metric(&prototype, "M7IRR").score, Some(Score::ONE));
}

#[test]
fn classes_begin_where_the_profile_says() {
    let Some(document) = vectors() else { return };
    let classes = Profile::built_in(PROFILE_DEFAULT).unwrap().classes;
    for case in cases(&document, "readiness_class") {
        let class = classes.class(case["score"].as_f64().map(Score::nearest));
        assert_eq!(class.name().replace('_', "-"), case["class"].as_str().unwrap(), "{case}");
    }
}

#[test]
fn routes_are_counted_by_their_rpki_state() {
    let Some(document) = vectors() else { return };
    for group in [&document["rov"], &document["rov"]["as0"]] {
        let vrps = group["vrps"].as_array().unwrap().iter().map(|vrp| Vrp {
            prefix: vrp["prefix"].as_str().unwrap().parse().unwrap(),
            max_len: u8::try_from(count(vrp, "max_length")).unwrap(),
            asn: Asn(count(vrp, "asn")),
            ta: routewarden_core::facts::TrustAnchorId::default(),
        });
        let vrps = VrpTable::from_vrps(vrps.collect());
        for case in group["cases"].as_array().unwrap() {
            let prefix = case["prefix"].as_str().unwrap().parse().unwrap();
            let counts = RpkiCounts::of(Asn(count(case, "origin")), [prefix], &vrps);
            let expected = match case["state"].as_str().unwrap() {
                "valid" => RpkiCounts { valid: 1, ..RpkiCounts::default() },
                "invalid" => RpkiCounts { invalid: 1, ..RpkiCounts::default() },
                _ => RpkiCounts { not_found: 1, ..RpkiCounts::default() },
            };
            assert_eq!(counts, expected, "{case}");
        }
    }
}
