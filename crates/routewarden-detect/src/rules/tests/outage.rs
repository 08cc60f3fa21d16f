//! Rules of outages.

use super::*;
use crate::incident::FeedState;
use crate::outage::Loss;
use crate::rules::outage::{OutageCase, weigh};

struct Fixture {
    loss: Loss,
    lost: usize,
    known: usize,
    is_replaced: bool,
    degraded: bool,
    secs: i64,
    is_over: bool,
}

/// One of ten prefixes is lost for ten minutes, and one of nine vantage points kept it.
fn base() -> Fixture {
    let loss = Loss {
        prefix: "203.0.113.0/24".parse().unwrap(),
        origin: VICTIM,
        from: at(0),
        lost_at: at(10),
        until: None,
        had: 9,
        kept: 1,
    };
    let (is_replaced, degraded, is_over) = (false, false, false);
    Fixture { loss, lost: 1, known: 10, is_replaced, degraded, secs: 600, is_over }
}

fn lines(fixture: &Fixture) -> Vec<Evidence> {
    let &Fixture { ref loss, lost, known, is_replaced, degraded, secs, is_over } = fixture;
    let feeds =
        FeedState { sessions: 4, lost: usize::from(degraded), degraded, impaired: Vec::new() };
    weigh(&OutageCase { losses: &[loss], lost, is_replaced, known, feeds, secs, is_over })
}

const CASES: &[RuleCase<Fixture>] = &[
    ("all_lost", |f| f.lost = 8, |f| f.lost = 7),
    ("several_prefixes", |f| f.lost = 5, |f| f.lost = 4),
    ("lasts", |f| f.secs = 1_800, |f| f.secs = 1_799),
    ("no_route_left", |f| f.loss.kept = 0, nothing),
    ("feeds_degraded", |f| f.degraded = true, nothing),
    ("replaced", |f| f.is_replaced = true, |f| (f.is_replaced, f.is_over) = (true, true)),
    ("back_at_once", |f| (f.is_over, f.secs) = (true, 299), |f| (f.is_over, f.secs) = (true, 300)),
];

#[test]
fn each_speaks_alone() {
    assert_each_alone(base, lines, CASES);
    assert_all_named("outages", CASES, &["withdrawn"]);
    let rules: Vec<_> = lines(&base()).into_iter().map(|line| line.rule).collect();
    assert_eq!(rules, ["withdrawn"]);
}
