//! An incident that goes on under another id.

use super::*;
use crate::{CONTINUE_SECS, Change, DETECTOR_IDS_MAX, IncidentsUnseen};

fn seen(id: &str, from: u32) -> IncidentVersion {
    IncidentVersion { first_seen: at(from), last_seen: at(from + 10), ..hijack(id) }
}

fn other_space(id: &str) -> IncidentVersion {
    IncidentVersion { prefixes: vec!["203.0.113.0/24".parse().unwrap()], ..hijack(id) }
}

fn only(tick: &Tick) -> (&str, &str, Change) {
    assert_eq!(tick.recorded.len(), 1);
    let it = &tick.recorded[0];
    (&it.id, &it.detector_id, it.change)
}

#[test]
fn after_a_restart_the_same_cause_and_space_go_on() {
    let mut fixture = Fixture::new();
    fixture.record(vec![hijack("a")]);
    let mut fixture = fixture.reopened();
    let more_specific =
        IncidentVersion { prefixes: vec!["192.0.2.128/25".parse().unwrap()], ..seen("b", 50) };
    assert_eq!(only(&fixture.record(vec![more_specific])), ("a", "b", Change::Updated));
    let reader = fixture.store.reader().unwrap();
    let (summary, stored) = reader.get("b").unwrap().unwrap();
    assert_eq!((summary.id.as_str(), summary.first_seen), ("a", at(0)));
    assert_eq!(stored.detector_ids, ["a", "b"]);
    assert_eq!(reader.get("a").unwrap().unwrap().0, summary);
    fixture.assert_rebuilds();
}

#[test]
fn another_cause_or_space_is_another_incident() {
    let mut fixture = Fixture::new();
    fixture.record(vec![hijack("a")]);
    let mut fixture = fixture.reopened();
    let elsewhere =
        IncidentVersion { prefixes: vec!["198.51.100.0/24".parse().unwrap()], ..hijack("b") };
    assert_eq!(only(&fixture.record(vec![elsewhere])), ("b", "b", Change::Opened));
    let other_cause = IncidentVersion { key: "leak|64496|".to_owned(), ..hijack("c") };
    assert_eq!(only(&fixture.record(vec![other_cause])), ("c", "c", Change::Opened));
}

#[test]
fn what_ended_lately_is_opened_again_and_what_ended_long_ago_is_not() {
    let mut fixture = Fixture::new();
    fixture.record(vec![hijack("a")]);
    fixture.record(vec![ended(&hijack("a"), 60)]);
    // In one run the detector knows best what is another incident.
    assert_eq!(only(&fixture.record(vec![other_space("x")])).2, Change::Opened);
    let tick = fixture.record(vec![ended(&other_space("x"), 60), other_space("y")]);
    assert_eq!((&*tick.recorded[1].id, tick.recorded[1].change), ("y", Change::Opened));
    let mut fixture = fixture.reopened();
    let within = 60 + u32::try_from(CONTINUE_SECS).unwrap();
    assert_eq!(only(&fixture.record(vec![seen("b", within)])), ("a", "b", Change::Reopened));
    // The detector still tells of the end under the old id: no news.
    let tick = fixture.record(vec![ended(&hijack("a"), 60)]);
    assert_eq!((tick.recorded.len(), tick.superseded), (0, 1));
    fixture.record(vec![ended(&seen("b", within), within + 60)]);
    let long_after = within + 61 + u32::try_from(CONTINUE_SECS).unwrap();
    assert_eq!(only(&fixture.record(vec![seen("c", long_after)])), ("c", "c", Change::Opened));
    // What is told belatedly from long before goes on in neither.
    fixture.record(vec![ended(&seen("c", long_after), long_after + 60)]);
    let mut fixture = fixture.reopened();
    let early = Timestamp::from_secs(T0 - 2 * u32::try_from(CONTINUE_SECS).unwrap());
    let belated = IncidentVersion {
        first_seen: early,
        last_seen: early,
        ended_at: Some(early.plus_secs(9)),
        ..hijack("d")
    };
    assert_eq!(fixture.record(vec![belated]).recorded[0].change, Change::Opened);
    fixture.assert_rebuilds();
}

/// A late event moves the beginning, and with it the detector's id.
#[test]
fn what_goes_on_under_another_id_is_told_once() {
    let withdrawn =
        |version: &IncidentVersion| IncidentVersion { is_withdrawn: true, ..ended(version, 20) };
    let mut fixture = Fixture::new();
    fixture.record(vec![seen("a", 5)]);
    let tick = fixture.record(vec![hijack("b"), withdrawn(&seen("a", 5))]);
    assert_eq!((only(&tick), tick.superseded), (("a", "b", Change::Updated), 1));
    // Also when it has ended by then.
    let tick = fixture.record(vec![withdrawn(&hijack("b")), ended(&hijack("c"), 15)]);
    assert_eq!((only(&tick), tick.superseded), (("a", "c", Change::Ended), 1));
    // Another one of the same cause does not take the place of what is still there.
    let tick = fixture.record(vec![other_space("x")]);
    assert_eq!(only(&tick), ("x", "x", Change::Opened));
    let tick = fixture.record(vec![withdrawn(&other_space("x")), seen("y", 8)]);
    let told: Vec<_> = tick.recorded.iter().map(|it| (it.id.as_str(), it.change)).collect();
    assert_eq!(told, [("y", Change::Opened), ("x", Change::Ended)]);
    fixture.assert_rebuilds();
}

#[test]
fn two_that_the_detector_has_at_the_same_time_stay_two() {
    let mut fixture = Fixture::new();
    let tick = fixture.record(vec![hijack("a"), seen("b", 5)]);
    assert_eq!(tick.recorded.len(), 2);
    let tick = fixture.record(vec![seen("b", 5), hijack("a")]);
    assert_eq!((tick.recorded.len(), tick.unchanged), (0, 2));
    // After a restart, too: the one whose id is known is not given to another.
    let mut fixture = fixture.reopened();
    let tick = fixture.record(vec![seen("c", 7), hijack("a"), seen("d", 8)]);
    let told: Vec<_> =
        tick.recorded.iter().map(|it| (it.id.as_str(), it.detector_id.as_str())).collect();
    assert_eq!((told, tick.unchanged), (vec![("b", "c"), ("d", "d")], 1));
    fixture.assert_rebuilds();
}

#[test]
fn the_present_id_goes_before_a_former_one_and_that_before_a_new_one() {
    let mut fixture = Fixture::new();
    fixture.record(vec![hijack("a")]);
    fixture.store.forget_detector();
    fixture.record(vec![seen("b", 30)]);
    fixture.store.forget_detector();
    let tick = fixture.record(vec![seen("c", 31), hijack("a"), seen("b", 30)]);
    assert_eq!(only(&tick), ("c", "c", Change::Opened));
    assert_eq!((tick.unchanged, tick.superseded), (1, 1));
    fixture.store.forget_detector();
    let tick = fixture.record(vec![seen("d", 31), hijack("a"), seen("c", 31)]);
    let told: Vec<_> =
        tick.recorded.iter().map(|it| (it.id.as_str(), it.detector_id.as_str())).collect();
    assert_eq!((told, tick.unchanged), (vec![("a", "a"), ("d", "d")], 1));
}

#[test]
fn after_a_gap_the_detector_may_have_new_ids() {
    let mut fixture = Fixture::new();
    fixture.record(vec![hijack("a")]);
    fixture.store.forget_detector();
    assert_eq!(only(&fixture.record(vec![seen("b", 30)])), ("a", "b", Change::Updated));
}

#[test]
fn what_nobody_speaks_of_after_a_restart_is_ended_once() {
    let mut fixture = Fixture::new();
    let other = IncidentVersion { key: "other".to_owned(), ..hijack("b") };
    fixture.record(vec![hijack("a"), other.clone()]);
    let mut fixture = fixture.reopened();
    fixture.record(vec![other]);
    let unseen = IncidentsUnseen { ended_at: at(50), now: at(200) };
    let tick = fixture.store.end_unseen(unseen).unwrap();
    assert_eq!(only(&tick), ("a", "a", Change::Ended));
    assert_eq!(tick.recorded[0].reports, [Change::Ended]);
    assert!(fixture.store.end_unseen(unseen).unwrap().recorded.is_empty());
    let (summary, _) = fixture.store.reader().unwrap().get("a").unwrap().unwrap();
    assert_eq!((summary.state.as_str(), summary.ended_at), ("ended", Some(at(50))));
    // It was there all the time: opened again, not a second one, whatever its id.
    assert_eq!(only(&fixture.record(vec![hijack("c")])), ("a", "c", Change::Reopened));
    let mut fixture = fixture.reopened();
    fixture.store.end_unseen(unseen).unwrap();
    assert_eq!(only(&fixture.record(vec![hijack("c")])), ("a", "c", Change::Reopened));
    fixture.assert_rebuilds();
}

#[test]
fn ids_of_the_detector_beyond_the_limit_are_forgotten_but_for_the_first() {
    let mut fixture = Fixture::new();
    for run in 0..DETECTOR_IDS_MAX + 3 {
        fixture.store.forget_detector();
        assert_eq!(fixture.record(vec![seen(&format!("id{run}"), 1)]).recorded[0].id, "id0");
    }
    let reader = fixture.store.reader().unwrap();
    assert!(reader.get("id1").unwrap().is_none());
    let (_, stored) = reader.get("id0").unwrap().unwrap();
    assert_eq!(stored.detector_ids.len(), DETECTOR_IDS_MAX);
    fixture.assert_rebuilds();
}
