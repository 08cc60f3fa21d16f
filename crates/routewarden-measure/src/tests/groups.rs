//! Many ASes, and what the tables say of routes.

use routewarden_core::facts::irr::{IrrBuilder, IrrRoute};

use super::*;
use crate::{AddressSpace, Aggregate, ClassCounts, IrrCoverage, Score, SpoofingTests};

/// An AS from whose prefixes spoofed packets came; `None`: nobody tested.
fn spoofing(prefixes: Option<u32>) -> Readiness {
    let tests = prefixes.map(|received_prefixes| SpoofingTests { tests: 1, received_prefixes });
    let spoofing = Ok(tests.unwrap_or_default());
    let inputs = AsInputs { spoofing, ..AsInputs::default() };
    readiness_of(CULPRIT, "manrs-2024", Vec::new(), &inputs)
}

fn space(ipv4_24s: u64) -> AddressSpace {
    AddressSpace { ipv4_24s, ipv6_48s: 0 }
}

fn group(members: &[(Option<u32>, u64)]) -> Aggregate {
    let mut group = Aggregate::new(&Profile::built_in("manrs-2024").unwrap());
    for &(prefixes, size) in members {
        group.add(&spoofing(prefixes), space(size));
    }
    group
}

#[test]
fn a_mean_leaves_out_those_without_data_and_counts_them() {
    let group = group(&[(Some(0), 1), (Some(2), 3), (None, 1_000)]);
    let summary = &group.summaries()[1];
    assert_eq!(summary.id, "A2");
    assert_eq!(summary.mean.score(), Some(Score::from_percent(68)));
    assert_eq!(summary.mean_by_ipv4.score(), Some(Score::from_percent(52)));
    assert_eq!(summary.mean_by_ipv6.score(), None);
    let classes = ClassCounts { ready: 1, aspiring: 0, lagging: 1, no_data: 1 };
    assert_eq!((summary.classes, summary.classes.total()), (classes, 3));
    let json = serde_json::to_value(summary).unwrap();
    assert_eq!(json["mean"], 0.68);
    assert_eq!(json["mean_by_ipv6"], serde_json::Value::Null);
}

#[test]
fn a_trend_is_the_change_of_the_mean() {
    let [before, now, nobody] = [group(&[(Some(2), 1)]), group(&[(Some(0), 1)]), group(&[])];
    let [before, now, nobody] = [&before, &now, &nobody].map(|group| &group.summaries()[1]);
    assert_eq!(now.trend(before), Some(0.64));
    assert_eq!(before.trend(now), Some(-0.64));
    assert_eq!(now.trend(nobody), None);
}

#[test]
fn routes_are_counted_by_their_route_objects() {
    let mut irr = IrrBuilder::default();
    let prefix = "192.0.2.0/24".parse().unwrap();
    irr.route(&IrrRoute { prefix, origin: CULPRIT, source: "TEST", modified: None });
    let irr = irr.build();
    let routes = ["192.0.2.0/24", "192.0.2.0/25", "198.51.100.0/24"];
    let routes = || routes.iter().map(|route| route.parse().unwrap());
    let own = IrrCoverage { announced: 3, exact: 1, covered: 1 };
    assert_eq!(IrrCoverage::of(CULPRIT, routes(), &irr), own);
    let others = IrrCoverage { announced: 3, exact: 0, covered: 0 };
    assert_eq!(IrrCoverage::of(ACCOMPLICE, routes(), &irr), others);
}

#[test]
fn the_table_names_each_as_once() {
    let mut twice = hijack("b", DAY, 2 * DAY);
    twice.accomplices.clear();
    let table = EventTable::new(month(), vec![hijack("a", 0, 60), twice]).unwrap();
    assert_eq!(table.asns().collect::<Vec<_>>(), [CULPRIT, ACCOMPLICE]);
}
