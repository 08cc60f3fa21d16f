//! Verdicts of people: given, taken back, kept as long as the incident.

use super::*;
use crate::{
    GivenVerdict, JournalKind, NAME_OCTETS_MAX, ROWS_MAX, RetentionPolicy, StoreError, TimeSpan,
    VERDICT_NOTE_OCTETS_MAX, Verdict,
};

const DAY: u32 = 86_400;

fn given(verdict: Verdict, note: &str, secs: u32) -> GivenVerdict {
    GivenVerdict { verdict, note: note.to_owned(), by: "alice".to_owned(), at: at(secs) }
}

/// With two incidents, numbers 1 and 2.
fn fixture() -> Fixture {
    let mut fixture = Fixture::new();
    let second = IncidentVersion { key: "other".to_owned(), ..hijack("b") };
    fixture.record(vec![hijack("a"), second]);
    fixture
}

#[test]
fn a_verdict_is_given_changed_and_withdrawn() {
    let mut fixture = fixture();
    let first = given(Verdict::FalsePositive, "a test of ours", 20);
    let judged = fixture.store.put_verdict("a", first.clone(), at(21)).unwrap();
    assert_eq!((judged.id.as_str(), judged.number, judged.is_new), ("a", 1, true));
    assert_eq!(judged.verdict, Some(first.clone()));
    let second = given(Verdict::Confirmed, "", 30);
    fixture.store.put_verdict("a", second.clone(), at(31)).unwrap();
    let reader = fixture.store.reader().unwrap();
    assert_eq!(reader.verdict(1).unwrap(), Some(second));
    assert_eq!(reader.verdict(2).unwrap(), None);
    fixture.assert_rebuilds();
    let judged = fixture.store.withdraw_verdict("a", "bob", at(40), at(41)).unwrap();
    assert_eq!((judged.verdict, judged.is_new), (None, true));
    assert_eq!(reader.verdict(1).unwrap(), None);
    fixture.assert_rebuilds();

    let history = reader.verdict_history("a", 0, 9).unwrap();
    let told: Vec<_> = history.iter().map(|it| (it.by.as_str(), it.at, it.recorded_at)).collect();
    assert_eq!(
        told,
        [("alice", at(20), at(21)), ("alice", at(30), at(31)), ("bob", at(40), at(41))]
    );
    assert_eq!(history[0].verdict, Some((first.verdict, first.note)));
    assert_eq!(history[2].verdict, None);
    assert_eq!(reader.verdict_history("a", history[0].seq, 1).unwrap(), history[1..2]);
    assert!(reader.verdict_history("b", 0, ROWS_MAX).unwrap().is_empty());
}

#[test]
fn what_says_nothing_new_writes_nothing() {
    let mut fixture = fixture();
    let first = given(Verdict::Unclear, "?", 20);
    fixture.store.put_verdict("a", first.clone(), at(20)).unwrap();
    let head = fixture.store.head();
    let later = GivenVerdict { at: at(50), ..first.clone() };
    let again = fixture.store.put_verdict("a", later, at(50)).unwrap();
    assert_eq!((again.verdict.as_ref(), again.is_new), (Some(&first), false));
    assert!(!fixture.store.withdraw_verdict("b", "bob", at(50), at(50)).unwrap().is_new);
    assert_eq!(fixture.store.head(), head);
    let other = GivenVerdict { by: "bob".to_owned(), ..first };
    assert!(fixture.store.put_verdict("a", other, at(50)).unwrap().is_new);
}

#[test]
fn what_is_unknown_or_too_much_is_refused() {
    let mut fixture = fixture();
    let head = fixture.store.head();
    let good = given(Verdict::Confirmed, "", 20);
    let mut refused = |id: &str, verdict: GivenVerdict| {
        fixture.store.put_verdict(id, verdict, at(20)).unwrap_err()
    };
    assert_eq!(refused("none", good.clone()).kind(), "unknown_incident");
    let note = "n".repeat(VERDICT_NOTE_OCTETS_MAX + 1);
    let over = refused("a", GivenVerdict { note, ..good.clone() });
    assert!(matches!(over, StoreError::OverLimit { what: "note", .. }));
    let by = "u".repeat(NAME_OCTETS_MAX + 1);
    assert_eq!(refused("a", GivenVerdict { by: by.clone(), ..good.clone() }).kind(), "over_limit");
    let before_1970 = Timestamp::from_micros(-1);
    assert_eq!(
        refused("a", GivenVerdict { at: before_1970, ..good.clone() }).kind(),
        "time_out_of_range"
    );
    for (id, by, kind) in [("none", "bob", "unknown_incident"), ("a", &by, "over_limit")] {
        let error = fixture.store.withdraw_verdict(id, by, at(20), at(20)).unwrap_err();
        assert_eq!(error.kind(), kind);
    }
    assert_eq!(fixture.store.head(), head);
    let note = "n".repeat(VERDICT_NOTE_OCTETS_MAX);
    fixture.store.put_verdict("a", GivenVerdict { note, ..good }, at(20)).unwrap();
}

#[test]
fn a_verdict_is_found_by_every_id_and_stays_with_every_version() {
    let mut fixture = fixture();
    fixture.store.put_verdict("b", given(Verdict::Confirmed, "", 20), at(20)).unwrap();
    fixture.store.forget_detector();
    fixture.record(vec![ended(&hijack("a2"), 60)]);
    let judged = fixture.store.put_verdict("a2", given(Verdict::FalsePositive, "", 70), at(70));
    assert_eq!(judged.unwrap().id, "a");
    fixture.record(vec![IncidentVersion { last_seen: at(80), ..hijack("a2") }]);
    let reader = fixture.store.reader().unwrap();
    assert_eq!(reader.verdict(1).unwrap().unwrap().verdict, Verdict::FalsePositive);
    fixture.assert_rebuilds();
}

#[test]
fn verdicts_of_a_period_are_those_of_its_incidents_page_by_page() {
    let mut fixture = Fixture::new();
    for (n, (from, until)) in
        [(0, Some(10)), (5, Some(20)), (20, None), (0, None)].into_iter().enumerate()
    {
        let version = IncidentVersion {
            key: n.to_string(),
            first_seen: at(from),
            last_seen: at(from),
            ..hijack(&n.to_string())
        };
        let version = until.map_or(version.clone(), |until| ended(&version, until));
        fixture.record(vec![version]);
        let verdict = given(Verdict::FalsePositive, &format!("note {n}"), 99);
        fixture.store.put_verdict(&n.to_string(), verdict, at(99)).unwrap();
    }
    let reader = fixture.store.reader().unwrap();
    let period = TimeSpan { from: at(10), until: at(20) };
    let ids = |after, limit| {
        let found = reader.verdicts(period, after, limit).unwrap();
        found.into_iter().map(|it| (it.number, it.id, it.given.note)).collect::<Vec<_>>()
    };
    let told = |n: i64| (n + 1, n.to_string(), format!("note {n}"));
    assert_eq!(ids(0, usize::MAX), [told(1), told(3)]);
    assert_eq!(ids(0, 1), [told(1)]);
    assert_eq!(ids(2, 1), [told(3)]);
}

#[test]
fn a_verdict_goes_with_its_incident_and_outlives_earlier_versions() {
    let mut fixture = fixture();
    fixture.store.put_verdict("a", given(Verdict::FalsePositive, "", 20), at(20)).unwrap();
    fixture.store.put_verdict("b", given(Verdict::Confirmed, "", 20), at(20)).unwrap();
    fixture.record(vec![ended(&hijack("a"), 60)]);
    let later = IncidentVersion { key: "other".to_owned(), last_seen: at(20 * DAY), ..hijack("b") };
    fixture.store.record(vec![later], at(20 * DAY)).unwrap();
    let keys = fixture.store.pending_reports(10).unwrap();
    fixture.store.mark_sent(&keys, at(70)).unwrap();
    let policy = RetentionPolicy { incident_days: 10, journal_days: 10, readiness_months: 2 };
    assert_eq!(fixture.store.retention(policy, at(30 * DAY)).unwrap().incidents, 1);
    let reader = fixture.store.reader().unwrap();
    assert_eq!(reader.verdict(1).unwrap(), None);
    assert!(reader.verdict_history("a", 0, 9).unwrap().is_empty());
    // Its verdict is now before the only version that the journal still has.
    let rows = reader.history("b", 0, 9).unwrap();
    let kinds: Vec<_> = rows.iter().filter_map(|row| JournalKind::from_name(&row.kind)).collect();
    assert_eq!(kinds[..2], [JournalKind::VerdictGiven, JournalKind::IncidentUpdated], "{kinds:?}");
    fixture.assert_rebuilds();
    assert!(reader.verdict(2).unwrap().is_some());
}

#[test]
fn the_names_are_stable() {
    for verdict in Verdict::ALL {
        assert_eq!(Verdict::from_name(verdict.name()), Some(verdict));
        assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.name());
    }
    assert_eq!(Verdict::from_name("wrong"), None);
}
