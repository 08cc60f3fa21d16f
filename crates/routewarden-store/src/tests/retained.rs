//! What retention takes out, and what it leaves.

use super::*;
use crate::{IncidentFilter, Note, RetentionPolicy, ServiceEvent};

const DAY: u32 = 86_400;
const POLICY: RetentionPolicy =
    RetentionPolicy { incident_days: 30, journal_days: 10, readiness_months: 2 };

/// An incident of its own that was seen and ended on a day.
fn on_day(store: &mut Store, id: &str, day: u32, ends: bool) {
    let version = IncidentVersion {
        key: id.to_owned(),
        first_seen: at(day * DAY),
        last_seen: at(day * DAY),
        ..hijack(id)
    };
    store.record(vec![version.clone()], at(day * DAY)).unwrap();
    if ends {
        store.record(vec![ended(&version, day * DAY + 60)], at(day * DAY + 60)).unwrap();
    }
}

fn all_sent(store: &mut Store, day: u32) {
    let keys = store.pending_reports(1_000).unwrap();
    store.mark_sent(&keys, at(day * DAY + 90)).unwrap();
}

fn ids(fixture: &Fixture) -> Vec<String> {
    let page = fixture.store.reader().unwrap().list(&IncidentFilter::default(), None, 100).unwrap();
    page.incidents.into_iter().map(|it| it.id).collect()
}

#[test]
fn what_is_old_goes_and_what_stays_can_be_rebuilt() {
    let mut fixture = Fixture::new();
    let store = &mut fixture.store;
    on_day(store, "old", 0, true);
    on_day(store, "standing", 0, false);
    on_day(store, "later", 20, true);
    all_sent(store, 20);
    on_day(store, "untold", 1, true);
    let taken = fixture.store.retention(POLICY, at(45 * DAY)).unwrap();
    assert_eq!(taken.incidents, 1);
    assert_eq!(ids(&fixture), ["later", "untold", "standing"]);
    // Of the old one 4 rows, of the later the opening and its report.
    assert_eq!(taken.journal_rows, 6);
    let verified = fixture.store.verify().unwrap();
    assert_eq!((verified.pruned, verified.rows), (6, 12 - 6 + 1));
    fixture.assert_rebuilds();

    all_sent(&mut fixture.store, 46);
    let taken = fixture.store.retention(POLICY, at(99 * DAY)).unwrap();
    assert_eq!(taken.incidents, 2);
    assert_eq!(ids(&fixture), ["standing"]);
    fixture.assert_rebuilds();
    let mut fixture = fixture.reopened();
    assert_eq!(fixture.store.retention(POLICY, at(99 * DAY)).unwrap().incidents, 0);
    fixture.assert_rebuilds();
    // Numbers are not given again.
    on_day(&mut fixture.store, "new", 100, true);
    let reader = fixture.store.reader().unwrap();
    assert_eq!(reader.get("new").unwrap().unwrap().0.number, 5);
}

#[test]
fn the_last_state_of_feeds_and_facts_and_open_gaps_stay() {
    let mut fixture = Fixture::new();
    let feed = |state: &str, day| Note::FeedState {
        feed: "bmp".to_owned(),
        state: state.to_owned(),
        at: at(day * DAY),
        detail: None,
    };
    let gap = |feed: &str, to: Option<u32>| Note::Gap {
        feed: feed.to_owned(),
        from: at(0),
        to: to.map(|day| at(day * DAY)),
        filled: false,
        detail: None,
    };
    let facts = |version: &str| Note::FactsApplied {
        name: "vrps".to_owned(),
        version: version.to_owned(),
        at: at(0),
        detail: None,
    };
    let started = Note::Service { event: ServiceEvent::Started, at: at(0), detail: None };
    let notes = [
        started,
        feed("up", 0),
        feed("down", 1),
        gap("bmp", None),
        gap("ris", None),
        gap("ris", Some(1)),
        facts("1"),
        facts("2"),
    ];
    fixture.store.note(&notes, at(DAY)).unwrap();
    let taken = fixture.store.retention(POLICY, at(20 * DAY)).unwrap();
    assert_eq!(taken.journal_rows, 5);
    let reader = fixture.store.reader().unwrap();
    assert_eq!(reader.feed_states().unwrap()[0].state, "down");
    assert_eq!(
        reader.gaps(at(0), 9).unwrap().iter().map(|gap| &gap.feed).collect::<Vec<_>>(),
        ["bmp"]
    );
    assert_eq!(reader.facts_versions(9).unwrap()[0].version, "2");
    fixture.assert_rebuilds();
}

#[test]
fn room_is_given_back_to_the_disk() {
    let mut fixture = Fixture::new();
    let version = |n: u32| IncidentVersion {
        key: n.to_string(),
        report: false,
        body: body(&"x".repeat(5_000)),
        ..ended(&hijack(&n.to_string()), 60)
    };
    fixture.record((0..200).map(version).collect());
    let pages =
        |fixture: &Fixture| crate::schema::pragma(&fixture.store.conn, "page_count").unwrap();
    let before = pages(&fixture);
    assert_eq!(fixture.store.retention(POLICY, at(99 * DAY)).unwrap().incidents, 200);
    assert!(pages(&fixture) < before / 4, "{} of {before}", pages(&fixture));
    assert_eq!(fixture.store.verify().unwrap().pruned, 400);
    let runs = crate::journal::pruned_runs(&fixture.store.conn).unwrap();
    assert_eq!(runs.len(), 1);
    fixture.assert_rebuilds();
}
