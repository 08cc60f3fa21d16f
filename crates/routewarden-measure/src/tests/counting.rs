//! Which events count, for whom, and for how long.

use proptest::prelude::*;
use routewarden_core::facts::{Facts, Organisation, OrganisationTable};
use routewarden_core::facts::{FactKind, FactSource, Sourced};

use super::*;

#[test]
fn the_published_example_is_three_and_a_half() {
    let spans = [(0, 29 * 60), (DAY, DAY + 13 * 3_600), (3 * DAY, 3 * DAY + 25 * 3_600)];
    let events: Vec<Event> =
        spans.iter().enumerate().map(|(n, &(a, b))| hijack(&n.to_string(), a, b)).collect();
    assert_eq!(raw_of(CULPRIT, "manrs-2024", "M2", &events), Some(3.5));
    assert_eq!(raw_of(ACCOMPLICE, "manrs-2024", "M2C", &events), Some(3.5));
    assert_eq!(raw_of(ACCOMPLICE, "manrs-2024", "M2", &events), Some(0.0));
}

#[test]
fn an_as_is_no_accomplice_of_itself() {
    let mut own = hijack("a", 0, 3_600);
    own.accomplices = vec![CULPRIT, ACCOMPLICE, ACCOMPLICE];
    assert_eq!(raw_of(CULPRIT, "manrs-2024", "M2C", &[own.clone()]), Some(0.0));
    assert_eq!(raw_of(ACCOMPLICE, "manrs-2024", "M2C", &[own]), Some(1.0));
}

#[test]
fn events_are_clipped_to_the_period() {
    let before = hijack("ended before", -7_200, -1);
    let ends_as_it_begins = hijack("ends as the period begins", -7_200, 0);
    let reaches_in = hijack("reaches in", -DAY, 60);
    let after = hijack("after", 31 * DAY, 32 * DAY);
    let events = [before, ends_as_it_begins, reaches_in, after];
    assert_eq!(raw_of(CULPRIT, "manrs-2024", "M2", &events), Some(0.5));

    let mut lasting = hijack("lasts", 29 * DAY, 29 * DAY);
    lasting.until = None;
    assert_eq!(raw_of(CULPRIT, "manrs-2024", "M2", &[lasting]), Some(3.0));
}

#[test]
fn what_lasts_ends_with_what_has_passed_of_the_period() {
    let period = month().up_to(at(3_600)).unwrap();
    let mut lasting = hijack("lasts", 0, 0);
    lasting.until = None;
    let table = EventTable::new(period, vec![lasting]).unwrap();
    let profile = Profile::built_in("manrs-2024").unwrap();
    let found = Measurement::new(&profile, &table).readiness(CULPRIT, &AsInputs::default());
    let [incident] = &metric_of(&found, "M2").incidents[..] else { panic!("one incident") };
    assert_eq!((incident.until, incident.coefficient.points()), (at(3_600), 1.0));
}

#[test]
fn a_full_bogon_counts_at_least_one_and_an_administrative_one_is_not_scored() {
    let brief = [event("b", EventKind::BogonPrefix, 31 * DAY - 60, 31 * DAY - 60)];
    assert_eq!(raw_of(CULPRIT, "manrs-2024", "M3", &brief), Some(1.0));
    assert_eq!(raw_of(CULPRIT, "manrs-2018", "M3", &brief), Some(2.0));
    assert_eq!(raw_of(CULPRIT, "routewarden-1", "M3", &brief), Some(0.0));

    let administrative = [event("b", EventKind::AdministrativeBogonAsn, 0, 3_600)];
    let found =
        readiness_of(CULPRIT, "manrs-2024", administrative.to_vec(), &AsInputs::default());
    assert_eq!(metric_of(&found, "M4").raw.unwrap().value(), 0.0);
    let shown = metric_of(&found, "M4-administrative");
    assert_eq!(shown.raw.unwrap().value(), 1.0);
    assert_eq!(shown.state, crate::MetricState::Informational);
    assert_eq!(found.actions[0].score, Some(crate::Score::ONE));
    assert_eq!(raw_of(CULPRIT, "manrs-2023", "M4", &administrative), Some(1.0));
}

#[test]
fn a_false_positive_is_named_and_not_counted() {
    let mut dismissed = hijack("no", 0, 3_600);
    dismissed.is_dismissed = true;
    let events = vec![dismissed, hijack("yes", DAY, DAY + 60)];
    let found = readiness_of(CULPRIT, "manrs-2024", events, &AsInputs::default());
    let metric = metric_of(&found, "M2");
    assert_eq!(metric.raw.unwrap().value(), 0.5);
    assert_eq!((metric.inputs["events"], metric.inputs["dismissed"]), (1, 1));
}

#[test]
fn leaks_weigh_by_confidence_and_weights_are_not_merged() {
    let leak = |id: &str, from, until, confidence| Event {
        confidence,
        ..event(id, EventKind::RouteLeak, from, until)
    };
    let sure = leak("sure", 0, 3_600, 80);
    let likely = leak("likely", 1_800, 5_400, 79);
    let doubtful = leak("doubtful", 0, DAY, 49);
    let all = [sure, likely, doubtful];
    assert_eq!(raw_of(CULPRIT, "routewarden-1", "M1", &all), Some(1.5));
    assert_eq!(raw_of(CULPRIT, "manrs-2024", "M1", &all), Some(1.0));
    let found = readiness_of(CULPRIT, "routewarden-1", all.to_vec(), &AsInputs::default());
    assert_eq!(metric_of(&found, "M1").inputs["doubtful"], 1);
}

#[test]
fn what_could_not_be_found_out_is_no_data() {
    let missing = crate::NoData::InputMissing { input: crate::InputKind::Delegations };
    let table = EventTable::new(month(), vec![event("b", EventKind::BogonPrefix, 0, 60)]).unwrap();
    let table = table.without(EventKind::AdministrativeBogonPrefix, missing.clone());
    let profile = Profile::built_in("manrs-2024").unwrap();
    let found = Measurement::new(&profile, &table).readiness(CULPRIT, &AsInputs::default());
    assert_eq!(metric_of(&found, "M3-administrative").no_data, Some(missing));
    assert_eq!(metric_of(&found, "M3-administrative").raw, None);
    assert_eq!(metric_of(&found, "M3").raw.unwrap().value(), 1.0);
}

#[test]
fn route_servers_and_siblings_are_no_accomplices() {
    let organisation =
        |id: &str| Organisation { id: id.into(), name: id.into(), country: "ZZ".into() };
    let members = [(CULPRIT, "ORG-A"), (Asn(64498), "ORG-A"), (Asn(64499), "ORG-B")];
    let table = OrganisationTable::from_records(
        vec![organisation("ORG-A"), organisation("ORG-B")],
        members.map(|(asn, id)| (asn, id.into())).to_vec(),
    );
    let source = FactSource {
        kind: FactKind::Organisations,
        name: "test".to_owned(),
        sha256: None,
        date: None,
        entries: 0,
        skipped: std::collections::BTreeMap::new(),
    };
    let facts = Facts {
        organisations: Some(Sourced { table, source }),
        route_servers: vec![Asn(64500)],
        ..Facts::default()
    };
    let mut event = hijack("a", 0, 60);
    event.accomplices = [64497, 64498, 64499, 64500].map(Asn).to_vec();
    event.excuse(&facts);
    assert_eq!(event.accomplices, [Asn(64497), Asn(64499)]);
}

#[test]
fn more_events_than_the_limit_are_an_error() {
    let many = (0..=crate::EVENTS_MAX).map(|number| Event {
        culprits: Vec::new(),
        accomplices: Vec::new(),
        from: Timestamp::from_micros(month().from().micros() + i64::try_from(number).unwrap()),
        id: String::new(),
        ..hijack("", 0, 60)
    });
    let error = EventTable::new(month(), many.collect()).unwrap_err();
    assert_eq!(error.to_string(), "4000001 events exceed the limit of 4000000");
}

#[test]
fn lists_are_cut_and_counts_are_not() {
    let count = i64::try_from(crate::INCIDENTS_LISTED_MAX).unwrap() + 5;
    let events = (0..count).map(|n| hijack(&format!("{n:05}"), n * 60, n * 60 + 30)).collect();
    let found = readiness_of(CULPRIT, "manrs-2024", events, &AsInputs::default());
    let metric = metric_of(&found, "M2");
    assert_eq!(metric.incidents.len(), crate::INCIDENTS_LISTED_MAX);
    assert_eq!(metric.raw.unwrap().value(), 502.5);
    let touching = (0..count).map(|n| hijack(&format!("{n:05}"), n * 60, n * 60 + 60)).collect();
    let found = readiness_of(CULPRIT, "manrs-2024", touching, &AsInputs::default());
    let metric = metric_of(&found, "M2");
    assert_eq!(metric.incidents[0].events.len(), crate::EVENT_IDS_LISTED_MAX);
    assert_eq!(metric.inputs["events"], 1_005);
}

proptest! {
    /// Whatever the order, and against marking every second of the period.
    #[test]
    fn merging_counts_each_moment_once(
        spans in prop::collection::vec((0i64..500, 1i64..60), 0..30),
        seed: u64,
    ) {
        let mut events: Vec<Event> = spans
            .iter()
            .enumerate()
            .map(|(n, &(from, lasts))| hijack(&n.to_string(), from, from + lasts))
            .collect();
        let found = readiness_of(CULPRIT, "manrs-2024", events.clone(), &AsInputs::default());
        let turn = usize::try_from(seed % 31).unwrap() % events.len().max(1);
        events.rotate_left(turn);
        events.reverse();
        let turned = readiness_of(CULPRIT, "manrs-2024", events, &AsInputs::default());
        prop_assert_eq!(&found, &turned);

        let mut marked = [false; 600];
        // Both ends belong to a span: what touches is one.
        let mut joined = [false; 600];
        for &(from, lasts) in &spans {
            let (from, lasts) = (usize::try_from(from).unwrap(), usize::try_from(lasts).unwrap());
            marked[from..=from + lasts].fill(true);
            joined[from..from + lasts].fill(true);
        }
        let runs = (0..600).filter(|&i| marked[i] && (i == 0 || !joined[i - 1])).count();
        let touching = (1..600).filter(|&i| marked[i] && !joined[i - 1] && joined[i] && false).count();
        let metric = metric_of(&found, "M2");
        prop_assert_eq!(metric.incidents.len(), runs - touching);
    }
}
