//! What is new, what has changed, what is over; and the outbox of reports.

use serde_json::value::RawValue;

use super::*;
use crate::version::check_time;
use crate::{
    BODY_OCTETS_MAX, Change, JournalKind, KEY_OCTETS_MAX, NAME_OCTETS_MAX, NOTES_MAX, Note,
    PARTS_MAX, ServiceEvent, StoreError, TIME_MICROS_MAX, VERSIONS_MAX,
};

fn changes(tick: &Tick) -> Vec<(&str, i64, Change)> {
    tick.recorded.iter().map(|it| (it.id.as_str(), it.version, it.change)).collect()
}

#[test]
fn each_change_is_told_once() {
    let mut fixture = Fixture::new();
    let hijack = hijack("a");
    assert_eq!(changes(&fixture.record(vec![hijack.clone()])), [("a", 1, Change::Opened)]);
    let same = fixture.record(vec![hijack.clone(), hijack.clone()]);
    assert_eq!((changes(&same).len(), same.unchanged), (0, 2));
    let more = IncidentVersion { confidence: 95, ..hijack.clone() };
    assert_eq!(changes(&fixture.record(vec![more.clone()])), [("a", 2, Change::Updated)]);
    let over = ended(&more, 60);
    assert_eq!(changes(&fixture.record(vec![over.clone()])), [("a", 3, Change::Ended)]);
    assert_eq!(fixture.record(vec![over]).unchanged, 1);
    assert_eq!(changes(&fixture.record(vec![more])), [("a", 4, Change::Reopened)]);

    let reader = fixture.store.reader().unwrap();
    let kinds: Vec<_> =
        reader.history("a", 0, 10).unwrap().into_iter().map(|row| row.kind).collect();
    assert_eq!(
        kinds,
        ["incident_opened", "incident_updated", "incident_ended", "incident_reopened"]
    );
    let (summary, stored) = reader.get("a").unwrap().unwrap();
    assert_eq!((summary.version, summary.confidence, summary.ended_at), (4, 95, None));
    assert_eq!(stored.body.get(), hijack.body.get());
    fixture.assert_rebuilds();
}

#[test]
fn what_came_and_went_within_a_tick_is_opened_and_ended() {
    let mut fixture = Fixture::new();
    let tick = fixture.record(vec![ended(&hijack("a"), 20)]);
    assert_eq!(changes(&tick), [("a", 1, Change::Opened), ("a", 2, Change::Ended)]);
    assert_eq!(fixture.record(vec![ended(&hijack("a"), 20)]).unchanged, 1);
    let keys = fixture.store.pending_reports(10).unwrap();
    let told: Vec<_> = keys.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["a:1:opened", "a:2:ended"]);
    fixture.assert_rebuilds();
}

#[test]
fn reports_are_pending_until_they_are_marked_and_are_marked_once() {
    let mut fixture = Fixture::new();
    fixture.record(vec![hijack("a")]);
    let mut fixture = fixture.reopened();
    let keys = fixture.store.pending_reports(10).unwrap();
    assert_eq!(keys.len(), 1);
    let told = fixture.store.version_of(&keys[0]).unwrap().unwrap();
    assert_eq!((told.version, told.body.get()), (1, hijack("a").body.get()));
    let unknown = crate::ReportKey { version: 9, ..keys[0].clone() };
    assert!(fixture.store.reader().unwrap().version_of(&unknown).unwrap().is_none());
    assert_eq!(fixture.store.mark_sent(&keys, at(101)).unwrap(), 1);
    assert_eq!(fixture.store.mark_sent(&keys, at(102)).unwrap(), 0);
    assert!(fixture.store.pending_reports(10).unwrap().is_empty());
    fixture.assert_rebuilds();
    assert!(fixture.store.pending_reports(10).unwrap().is_empty());
}

#[test]
fn an_incident_is_told_of_from_the_first_version_that_is_to_be_told() {
    let mut fixture = Fixture::new();
    let quiet = IncidentVersion { report: false, ..hijack("a") };
    assert!(fixture.record(vec![quiet.clone()]).recorded[0].reports.is_empty());
    let tick = fixture.record(vec![hijack("a")]);
    assert_eq!(tick.recorded[0].reports, [Change::Opened]);
    let quieter = IncidentVersion { confidence: 10, ..quiet.clone() };
    assert!(fixture.record(vec![quieter.clone()]).recorded[0].reports.is_empty());
    // Whoever was told that it began is told that it is over, in any case.
    assert_eq!(fixture.record(vec![ended(&quieter, 60)]).recorded[0].reports, [Change::Ended]);

    let other = |id: &str| IncidentVersion { key: "other".to_owned(), ..hijack(id) };
    let quiet = IncidentVersion { report: false, ..other("b") };
    fixture.record(vec![quiet]);
    let tick = fixture.record(vec![ended(&other("b"), 60)]);
    assert_eq!(tick.recorded[0].reports, [Change::Opened, Change::Ended]);
    fixture.assert_rebuilds();
}

#[test]
fn a_version_beyond_a_limit_is_refused_and_the_others_are_kept() {
    let mut fixture = Fixture::new();
    let long = |octets| "x".repeat(octets);
    let huge = RawValue::from_string(format!("\"{}\"", long(BODY_OCTETS_MAX))).unwrap();
    let bad = [
        IncidentVersion { id: long(NAME_OCTETS_MAX + 1), ..hijack("a") },
        IncidentVersion { kind: long(NAME_OCTETS_MAX + 1), ..hijack("a") },
        IncidentVersion { key: long(KEY_OCTETS_MAX + 1), ..hijack("a") },
        IncidentVersion { countries: vec![long(NAME_OCTETS_MAX + 1)], ..hijack("a") },
        IncidentVersion { members: vec![long(NAME_OCTETS_MAX + 1)], ..hijack("a") },
        IncidentVersion { asns: vec![(Asn(64496), AsnRole::Other); PARTS_MAX + 1], ..hijack("a") },
        IncidentVersion { body: huge, ..hijack("a") },
        IncidentVersion { first_seen: Timestamp::from_micros(TIME_MICROS_MAX + 1), ..hijack("a") },
    ];
    let count = bad.len();
    let tick = fixture.record(bad.into_iter().chain([hijack("good")]).collect());
    assert_eq!(changes(&tick), [("good", 1, Change::Opened)]);
    assert_eq!(tick.refused.len(), count);
    let kinds: Vec<_> = tick.refused.iter().map(|it| it.error.kind()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "over_limit").count(), count - 1);
    assert_eq!(kinds.last(), Some(&"time_out_of_range"));
    assert!(check_time(Timestamp::from_micros(TIME_MICROS_MAX)).is_ok());
    assert!(check_time(Timestamp::from_micros(-1)).is_err());

    let many = vec![hijack("a"); VERSIONS_MAX + 1];
    assert!(matches!(fixture.store.record(many, at(0)), Err(StoreError::OverLimit { .. })));
}

#[test]
fn notes_make_the_tables_of_feeds_gaps_and_facts() {
    let mut fixture = Fixture::new();
    let feed = |state: &str, secs| Note::FeedState {
        feed: "ris-live".to_owned(),
        state: state.to_owned(),
        at: at(secs),
        detail: Some(body("x")),
    };
    let gap = |to, filled| Note::Gap {
        feed: "ris-live".to_owned(),
        from: at(5),
        to,
        filled,
        detail: None,
    };
    let facts = |version: &str, secs| Note::FactsApplied {
        name: "vrps".to_owned(),
        version: version.to_owned(),
        at: at(secs),
        detail: None,
    };
    let started = Note::Service { event: ServiceEvent::Started, at: at(0), detail: None };
    let notes = [
        started,
        feed("up", 1),
        feed("up", 2),
        gap(None, false),
        feed("down", 6),
        gap(Some(at(9)), false),
        gap(Some(at(9)), true),
        facts("1", 3),
        facts("2", 4),
    ];
    assert_eq!(fixture.store.note(&notes, at(10)).unwrap(), 8);
    let reader = fixture.store.reader().unwrap();
    let states = reader.feed_states().unwrap();
    assert_eq!((states[0].state.as_str(), states[0].since), ("down", at(6)));
    let gaps = reader.gaps(at(9), 10).unwrap();
    assert_eq!((gaps.len(), gaps[0].to, gaps[0].filled), (1, Some(at(9)), true));
    assert!(reader.gaps(at(10), 10).unwrap().is_empty());
    let versions: Vec<_> =
        reader.facts_versions(10).unwrap().into_iter().map(|row| row.version).collect();
    assert_eq!(versions, ["2", "1"]);
    let kinds: Vec<_> = reader
        .journal(1, 10)
        .unwrap()
        .iter()
        .map(|row| JournalKind::from_name(&row.kind).unwrap())
        .collect();
    assert_eq!(
        kinds[2..5],
        [JournalKind::GapOpened, JournalKind::FeedState, JournalKind::GapClosed]
    );
    fixture.assert_rebuilds();
    let many = vec![gap(None, false); NOTES_MAX + 1];
    assert!(matches!(fixture.store.note(&many, at(0)), Err(StoreError::OverLimit { .. })));
    let long = facts(&"x".repeat(NAME_OCTETS_MAX + 1), 0);
    assert!(matches!(fixture.store.note(&[long], at(0)), Err(StoreError::OverLimit { .. })));
}
