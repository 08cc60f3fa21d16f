//! Incidents of a period, against a plain look at all of them.

use std::ops::ControlFlow;

use proptest::prelude::*;

use super::*;
use crate::{GivenVerdict, TimeSpan, Verdict, period};

const HOUR: u32 = 3_600;

/// Each is first seen at an hour and lasts some hours, or goes on.
fn recorded(spans: &[(u32, Option<u32>)]) -> Fixture {
    let mut fixture = Fixture::new();
    let version = |(n, (from, hours)): (usize, &(u32, Option<u32>))| {
        let version = IncidentVersion {
            key: n.to_string(),
            first_seen: at(from * HOUR),
            last_seen: at(from * HOUR),
            ..hijack(&n.to_string())
        };
        hours.map_or(version.clone(), |hours| ended(&version, (from + hours) * HOUR))
    };
    fixture.record(spans.iter().enumerate().map(version).collect());
    fixture
}

fn hours(from: u32, until: u32) -> TimeSpan {
    TimeSpan { from: at(from * HOUR), until: at(until * HOUR) }
}

fn visited(fixture: &Fixture, period: TimeSpan) -> Vec<String> {
    let mut ids = Vec::new();
    let visit = |incident: crate::PeriodIncident| {
        assert_eq!(incident.summary.id, incident.stored.id);
        assert_eq!(incident.summary.version, incident.stored.version);
        ids.push(incident.summary.id);
        ControlFlow::Continue(())
    };
    let head = fixture.store.reader().unwrap().visit_period(period, visit).unwrap();
    assert_eq!(head, fixture.store.head());
    ids
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn all_that_lasted_in_a_period_are_visited_once_in_order(
        spans in proptest::collection::vec((0u32..200, proptest::option::of(0u32..60)), 0..60),
        (from, length) in (0u32..200, 1u32..100),
    ) {
        let fixture = recorded(&spans);
        let until = from + length;
        let mut expected: Vec<_> = spans
            .iter()
            .enumerate()
            .filter(|(_, (first, hours))| {
                *first < until && hours.is_none_or(|hours| first + hours > from)
            })
            .map(|(n, (first, _))| (*first, n))
            .collect();
        expected.sort_unstable();
        let expected: Vec<_> = expected.into_iter().map(|(_, n)| n.to_string()).collect();
        prop_assert_eq!(visited(&fixture, hours(from, until)), expected);
    }
}

#[test]
fn a_visit_has_verdicts_and_ends_when_it_is_told_to() {
    let mut fixture = recorded(&[(0, None), (1, None), (2, Some(1))]);
    let verdict = GivenVerdict {
        verdict: Verdict::FalsePositive,
        note: String::new(),
        by: "alice".to_owned(),
        at: at(9),
    };
    fixture.store.put_verdict("1", verdict.clone(), at(9)).unwrap();
    let mut seen = Vec::new();
    let reader = fixture.store.reader().unwrap();
    let visit = |incident: crate::PeriodIncident| {
        seen.push((incident.summary.id, incident.verdict));
        if seen.len() == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    reader.visit_period(hours(0, 9), visit).unwrap();
    assert_eq!(seen, [("0".to_owned(), None), ("1".to_owned(), Some(verdict))]);
    reader.interrupter().interrupt();
    let interrupted = reader.visit_period(hours(0, 9), |_| ControlFlow::Continue(()));
    assert!(matches!(interrupted, Err(crate::StoreError::Interrupted)));
}

#[test]
fn a_period_is_walked_by_indexes_without_sorting() {
    let fixture = recorded(&[(0, None)]);
    let sql = format!("EXPLAIN QUERY PLAN {}", period::sql());
    let mut plan = fixture.store.conn.prepare(&sql).unwrap();
    let lines = plan.query_map([0, 0, 0], |row| row.get(3)).unwrap();
    let plan = lines.collect::<Result<Vec<String>, _>>().unwrap().join("\n");
    for walk in [
        "incidents_by_time (first_seen>? AND first_seen<?)",
        "incidents_long (first_seen<?)",
        "incidents_open (first_seen<?)",
    ] {
        assert!(plan.contains(walk), "{walk}\n{plan}");
    }
    assert!(!plan.contains("B-TREE") && !plan.contains("SCAN"), "{plan}");
}
