//! Rules of less-specifics.

use routewarden_core::facts::{InvalidReason, RovState};

use super::origin::Fixture;
use super::*;

/// Four prefixes inside are known, three of them stand.
fn base() -> Fixture {
    let mut fixture = Fixture::sub_prefix();
    fixture.claim.key.kind = ClaimKind::LessSpecific;
    fixture.target.covering = None;
    (fixture.target.below, fixture.target.below_foreign) = (4, 0);
    fixture.target.victim_routes = 3;
    fixture
}

const CASES: &[RuleCase<Fixture>] = &[
    ("specifics_are_gone", |f| f.target.victim_routes = 2, nothing),
    ("specifics_stand", |f| f.target.victim_routes = 4, nothing),
    (
        "rov_invalid_asn",
        |f| f.claim.rov = Some((RovState::Invalid, Some(InvalidReason::Asn))),
        |f| f.claim.rov = Some((RovState::NotFound, None)),
    ),
    ("rov_valid", |f| f.claim.rov = Some((RovState::Valid, None)), nothing),
    ("no_relation", nothing, |f| f.adjacent = true),
    (
        "countries_differ",
        |f| f.facts.organisations = Some(organisations(("A", "NL"), ("B", "BE"))),
        |f| f.facts.organisations = Some(organisations(("A", "NL"), ("B", "NL"))),
    ),
    (
        "same_country",
        |f| f.facts.organisations = Some(organisations(("A", "NL"), ("B", "NL"))),
        |f| f.facts.organisations = Some(organisations(("A", "NL"), ("B", "BE"))),
    ),
    (
        "same_organisation",
        |f| f.facts.organisations = Some(organisations(("A", "NL"), ("A", "NL"))),
        |f| f.facts.organisations = Some(organisations(("A", "NL"), ("B", "NL"))),
    ),
    (
        "as_relationship",
        |f| f.facts.relations = Some(relations(&[(VICTIM, CULPRIT, Relation::Provider)])),
        |f| f.facts.relations = Some(relations(&[(VICTIM, Asn(1), Relation::Provider)])),
    ),
    ("neighbours", |f| f.adjacent = true, nothing),
    ("culprit_on_victims_path", |f| f.target.victim_routes_via_culprit = 1, nothing),
    ("barely_seen", |f| f.vantage_points = 31, |f| f.vantage_points = 30),
];

#[test]
fn each_speaks_alone() {
    assert_each_alone(base, Fixture::lines, CASES);
    assert_all_named("less-specifics", CASES, &["less_specific_of_foreign"]);
    let rules: Vec<_> = base().lines().into_iter().map(|line| line.rule).collect();
    assert_eq!(rules, ["less_specific_of_foreign", "no_relation"]);
}
