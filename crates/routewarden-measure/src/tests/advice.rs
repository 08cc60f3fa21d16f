//! Advice promises what scoring again gives, and no more.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::{
    ADVICE_INCIDENTS_MAX, ADVICE_MAX, Advice, AdviceKind, ContactKind, IrrCoverage, NamedRoutes,
    RpkiCounts, Score, Share, SpoofingTests,
};

fn advice_of(profile: &str, events: Vec<Event>, inputs: &AsInputs) -> Vec<Advice> {
    let profile = Profile::built_in(profile).unwrap();
    let events = EventTable::new(month(), events).unwrap();
    let measurement = Measurement::new(&profile, &events);
    let now = measurement.readiness(CULPRIT, inputs);
    measurement.advice(&now, inputs, NamedRoutes::default())
}

fn of_kind(advice: &[Advice], kind: AdviceKind) -> &Advice {
    advice.iter().find(|advice| advice.kind == kind).unwrap_or_else(|| panic!("{advice:?}"))
}

fn rpki(valid: u32, not_found: u32, invalid: u32) -> AsInputs {
    AsInputs { rpki: Ok(RpkiCounts { valid, not_found, invalid }), ..AsInputs::default() }
}

#[test]
fn routes_are_mended_one_way_at_a_time_and_the_best_comes_first() {
    let profile = Profile::built_in("manrs-2024").unwrap();
    let events = EventTable::new(month(), Vec::new()).unwrap();
    let measurement = Measurement::new(&profile, &events);
    let inputs = rpki(90, 8, 2);
    let now = measurement.readiness(CULPRIT, &inputs);
    let invalid: Vec<_> =
        ["192.0.2.0/24", "198.51.100.0/24"].iter().map(|text| text.parse().unwrap()).collect();
    let routes = NamedRoutes { invalid: &invalid, ..NamedRoutes::default() };
    let advice = measurement.advice(&now, &inputs, routes);
    assert_eq!(advice.len(), 2);
    let Advice { score, now, after, kind, text, prefixes, .. } = &advice[0];
    assert_eq!((score.as_str(), *kind), ("A4-RPKI", AdviceKind::MendInvalid));
    assert_eq!((*now, *after), (Some(Score::from_percent(70)), Some(Score::from_percent(92))));
    assert!(text.starts_with("Make 2 RPKI-invalid routes valid"), "{text}");
    assert!(text.contains(": 192.0.2.0/24, 198.51.100.0/24."), "{text}");
    assert_eq!(*prefixes, invalid);
    let second = (advice[1].kind, advice[1].after);
    assert_eq!(second, (AdviceKind::CreateRoas, Some(Score::from_percent(78))));
}

#[test]
fn what_raises_nothing_is_not_advised() {
    assert_eq!(advice_of("manrs-2024", Vec::new(), &rpki(4, 0, 0)), []);
    assert_eq!(advice_of("manrs-2024", Vec::new(), &AsInputs::default()), []);
    let hopeless = advice_of("manrs-2024", Vec::new(), &rpki(0, 50, 50));
    assert_eq!(hopeless.iter().map(|a| a.kind).collect::<Vec<_>>(), [AdviceKind::MendInvalid]);
}

#[test]
fn an_incident_counts_until_the_period_is_over_unless_it_is_found_to_be_false() {
    let events = vec![hijack("short", 0, 60), hijack("long", DAY, 2 * DAY + 60)];
    let advice = advice_of("manrs-2024", events, &AsInputs::default());
    let ids: Vec<&str> = advice.iter().flat_map(|advice| &advice.events).map(|id| &**id).collect();
    assert_eq!(ids, ["long", "short"]);
    assert_eq!(advice[0].after, Some(Score::from_percent(60)));
    for advice in &advice {
        assert_eq!((advice.score.as_str(), advice.kind), ("A1", AdviceKind::FalsePositive));
        assert!(advice.text.contains("counts until the period is over. "));
        assert!(advice.text.contains("Only if it is found to be false"), "{}", advice.text);
        assert!(advice.kind.holds_when_over());
    }
}

#[test]
fn merged_events_are_judged_together_and_one_of_several_metrics_once() {
    let mut bogon = hijack("a", 0, 60);
    bogon.kind = EventKind::BogonAsn;
    let events = vec![hijack("a", 0, 60), bogon, hijack("x", DAY, DAY + 60)];
    let advice = advice_of("manrs-2024", events, &AsInputs::default());
    assert_eq!(advice[0].events, BTreeSet::from(["a".to_owned()]));
    assert!(advice[0].text.contains("(M2 and M4)"), "{}", advice[0].text);
    assert_eq!(advice[0].after, Some(Score::from_percent(60)));
    assert_eq!(advice.len(), 2);

    let touching = vec![hijack("a", 0, 60), hijack("b", 60, 90)];
    let advice = advice_of("manrs-2024", touching, &AsInputs::default());
    assert_eq!(advice.len(), 1);
    assert_eq!(advice[0].events, ["a", "b"].map(str::to_owned).into());
    assert_eq!(advice[0].after, Some(Score::ONE));
}

#[test]
fn what_goes_on_is_to_be_ended_without_a_promise() {
    let mut lasting = hijack("lasts", 30 * DAY, 0);
    lasting.until = None;
    let advice = advice_of("manrs-2024", vec![lasting], &AsInputs::default());
    let end = of_kind(&advice, AdviceKind::EndIncident);
    assert_eq!((end.after, advice[0].kind), (None, AdviceKind::FalsePositive));
    assert!(end.text.contains("each whole 24 h"), "{}", end.text);
    assert!(!end.kind.holds_when_over());
}

#[test]
fn what_has_passed_is_not_promised_away() {
    let inputs = AsInputs {
        spoofing: Ok(SpoofingTests { tests: 1, received_prefixes: 2 }),
        otc_marked: Ok(Share { part: 10, whole: 20 }),
        invalids_dropped: Ok(Share { part: 35, whole: 40 }),
        ..AsInputs::default()
    };
    let advice = advice_of("routewarden-1", Vec::new(), &inputs);
    let scores: Vec<&str> = advice.iter().map(|advice| advice.score.as_str()).collect();
    assert_eq!(scores, ["A2", "A1-ROV", "A1-OTC"]);
    for advice in &advice {
        assert_eq!(advice.after, None, "{advice:?}");
        assert!(advice.text.contains("until the period is over"), "{advice:?}");
    }
    let untested = AsInputs { spoofing: Ok(SpoofingTests::default()), ..AsInputs::default() };
    let advice = advice_of("manrs-2024", Vec::new(), &untested);
    let test = of_kind(&advice, AdviceKind::TestSpoofing);
    assert_eq!((test.score.as_str(), test.now, test.after), ("A2", None, None));
}

#[test]
fn a_contact_and_route_objects_and_providers_are_asked_for() {
    let inputs = AsInputs {
        contacts: Ok(BTreeSet::from([ContactKind::RirAbuse])),
        irr: Ok(IrrCoverage { announced: 4, exact: 1, covered: 1 }),
        aspa_providers: Ok(Share { part: 1, whole: 2 }),
        ..AsInputs::default()
    };
    let advice = advice_of("routewarden-1", Vec::new(), &inputs);
    for (kind, score) in [
        (AdviceKind::GiveContact, "A3"),
        (AdviceKind::RegisterRoutes, "A4-IRR"),
        (AdviceKind::NameProviders, "A4-ASPA"),
    ] {
        let advice = of_kind(&advice, kind);
        assert_eq!((advice.score.as_str(), advice.after), (score, Some(Score::ONE)));
    }
    assert!(of_kind(&advice, AdviceKind::RegisterRoutes).text.contains("for 2 routes"));
}

#[test]
fn advice_is_limited_to_what_costs_most() {
    let count = i64::try_from(ADVICE_INCIDENTS_MAX).unwrap() + 20;
    let mut events: Vec<Event> =
        (0..count).map(|n| hijack(&format!("{n:03}"), n * 3_600, n * 3_600 + 60)).collect();
    events.push(hijack("worst", 20 * DAY, 25 * DAY));
    let advice = advice_of("manrs-2024", events, &AsInputs::default());
    assert_eq!(advice.len(), ADVICE_MAX);
    assert_eq!(advice[0].events, BTreeSet::from(["worst".to_owned()]));
}

proptest! {
    /// What is promised for a verdict is what the verdict gives.
    #[test]
    fn a_verdict_gives_what_was_promised(
        spans in prop::collection::vec((0i64..20, 0i64..3), 1..12),
        confidence in 40u8..100,
    ) {
        let events: Vec<Event> = spans.iter().enumerate().map(|(n, &(from, days))| {
            let mut event = hijack(&n.to_string(), from * DAY, (from + days) * DAY + 60);
            event.confidence = confidence;
            event
        }).collect();
        for advice in advice_of("routewarden-1", events.clone(), &AsInputs::default()) {
            let mut judged = events.clone();
            for event in &mut judged {
                event.is_dismissed = advice.events.contains(&event.id);
            }
            let after = readiness_of(CULPRIT, "routewarden-1", judged, &AsInputs::default());
            prop_assert_eq!(after.actions[0].score, advice.after);
            prop_assert!(advice.after > advice.now);
        }
    }
}
