//! Which events count, for whom, and for how long.

use proptest::prelude::*;
use routewarden_core::facts::{
    FactKind, FactSource, Facts, Organisation, OrganisationTable, Sourced,
};

use super::*;
use crate::EventTableError;
use crate::event::TableLimits;

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
    let incidents = metric_of(&found, "M2").incidents;
    assert_eq!(incidents.len(), 1);
    assert_eq!((incidents[0].until, incidents[0].coefficient.points()), (at(3_600), 1.0));
}

#[test]
fn a_full_bogon_counts_at_least_one_and_an_administrative_one_is_not_scored() {
    let brief = [event("b", EventKind::BogonPrefix, 31 * DAY - 60, 31 * DAY - 60)];
    assert_eq!(raw_of(CULPRIT, "manrs-2024", "M3", &brief), Some(1.0));
    assert_eq!(raw_of(CULPRIT, "manrs-2018", "M3", &brief), Some(2.0));
    assert_eq!(raw_of(CULPRIT, "routewarden-1", "M3", &brief), Some(0.0));

    let administrative = [event("b", EventKind::AdministrativeBogonAsn, 0, 3_600)];
    let found = readiness_of(CULPRIT, "manrs-2024", administrative.to_vec(), &AsInputs::default());
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
    let events = vec![hijack("a", 0, 60), hijack("b", 0, 60), hijack("before", -60, -1)];
    let table = |limits| EventTable::within(month(), events.clone(), limits);
    assert!(table(TableLimits { events: 2, entries: 4 }).is_ok());
    let too_many = table(TableLimits { events: 1, entries: 4 }).unwrap_err();
    assert_eq!(too_many, EventTableError::TooManyEvents { events: 2 });
    let too_many = table(TableLimits { events: 2, entries: 3 }).unwrap_err();
    assert_eq!(too_many, EventTableError::TooManyEntries);
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

/// Spans marked on a line where even places are seconds and odd ones the time between them: what
/// touches is joined.
fn joined_by_marking(spans: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut marked = vec![false; 1_202];
    for &(from, until) in spans {
        let [from, until] = [from, until].map(|at| usize::try_from(at).unwrap());
        marked[2 * from..=2 * until].fill(true);
    }
    let mut joined = Vec::new();
    let mut start = None;
    for (place, &is_marked) in marked.iter().enumerate() {
        match (start, is_marked) {
            (None, true) => start = Some(place),
            (Some(from), false) => {
                joined.push((from, place - 1));
                start = None;
            }
            _ => {}
        }
    }
    let secs = |place: usize| i64::try_from(place / 2).unwrap();
    joined.into_iter().map(|(from, until)| (secs(from), secs(until))).collect()
}

proptest! {
    #[test]
    fn each_moment_counts_once_whatever_the_order(
        spans in prop::collection::vec((0i64..500, 0i64..60), 0..30),
        turn: prop::sample::Index,
    ) {
        let spans: Vec<(i64, i64)> = spans.iter().map(|&(from, l)| (from, from + l)).collect();
        let mut events: Vec<Event> =
            spans.iter().enumerate().map(|(n, &(a, b))| hijack(&n.to_string(), a, b)).collect();
        let found = readiness_of(CULPRIT, "manrs-2024", events.clone(), &AsInputs::default());
        let places = events.len();
        if places > 0 {
            events.rotate_left(turn.index(places));
            events.reverse();
        }
        let turned = readiness_of(CULPRIT, "manrs-2024", events, &AsInputs::default());
        prop_assert_eq!(&found, &turned);

        let start = month().from();
        let incidents = metric_of(&found, "M2").incidents;
        let merged: Vec<(i64, i64)> = incidents
            .iter()
            .map(|i| (i.from.secs_since(start), i.until.secs_since(start)))
            .collect();
        prop_assert_eq!(merged, joined_by_marking(&spans));
    }
}
