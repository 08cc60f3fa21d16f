//! Rules of leaks.

use hashbrown::HashSet;
use routewarden_core::facts::{AspaOffence, Facts};

use super::*;
use crate::claim::Target;
use crate::findings::{LeakFinding, LeakProof, PathFinding};
use crate::incident::LeakTriple;
use crate::knowledge::{KnownFrom, link};
use crate::path::Basis;
use crate::path_knowledge::PathKnowledge;
use crate::relations::PathSet;
use crate::rules::leak::{LeakCase, weigh};

const FROM: Asn = Asn(64500);
const TO: Asn = Asn(64501);

struct Fixture {
    claims: Vec<Claim>,
    proof: LeakProof,
    facts: Facts,
    has_table: bool,
    origins: Vec<Asn>,
    seen: usize,
    vantage_points: usize,
}

fn triple() -> LeakTriple {
    LeakTriple { rfc7908_type: Some(1), from: Some(FROM), by: CULPRIT, to: Some(TO) }
}

/// Ten prefixes of one origin leak by given relations, seen by four of ten.
fn base() -> Fixture {
    let between = [(CULPRIT, FROM, Relation::Provider), (CULPRIT, TO, Relation::Provider)];
    Fixture {
        claims: leaked(10),
        proof: LeakProof::Relations(Basis::Given, 100),
        facts: Facts { relations: Some(relations(&between)), ..Facts::default() },
        has_table: true,
        origins: vec![VICTIM],
        seen: 4,
        vantage_points: 10,
    }
}

fn leaked(count: u32) -> Vec<Claim> {
    (0..count).map(|n| claim(ClaimKind::Leak, n)).collect()
}

fn lines(fixture: &Fixture) -> Vec<Evidence> {
    let claims: Vec<&Claim> = fixture.claims.iter().collect();
    let links: HashSet<u64, _> =
        [link(FROM, VICTIM)].into_iter().filter(|_| fixture.has_table).collect();
    let knowledge = PathKnowledge::new(&fixture.facts, &PathSet::new(Vec::new()), links, [0, 0]);
    weigh(&LeakCase {
        claims: &claims,
        triple: triple(),
        proof: fixture.proof,
        facts: &fixture.facts,
        knowledge: &knowledge,
        origins: &fixture.origins,
        seen: fixture.seen,
        vantage_points: fixture.vantage_points,
        now: at(1_000),
    })
}

fn otc(fixture: &mut Fixture) {
    fixture.proof = LeakProof::Otc(FROM);
}

fn aspa(fixture: &mut Fixture) {
    fixture.proof = LeakProof::Aspa(AspaOffence { customer: FROM, not_provider: CULPRIT });
}

fn by(fixture: &mut Fixture, basis: Basis, confidence: u8) {
    fixture.proof = LeakProof::Relations(basis, confidence);
}

fn end(fixture: &mut Fixture, secs: u32) {
    fixture.claims.iter_mut().for_each(|claim| claim.leave(at(secs), PeerId(0)));
}

/// Gives the ASes a hundred customers each.
fn at_the_top(fixture: &mut Fixture, asns: &[Asn]) {
    let customers = |&asn: &Asn| (1..101).map(move |n| (asn, Asn(n), Relation::Customer));
    let links: Vec<_> = asns.iter().flat_map(customers).collect();
    fixture.facts.relations = Some(relations(&links));
}

fn dated(fixture: &mut Fixture, days: i64) {
    let source = &mut fixture.facts.relations.as_mut().unwrap().source;
    source.date = Some(at(1_000).plus_secs(-days * 86_400));
}

fn prepended(fixture: &mut Fixture, repeats_of_from: usize) {
    let proof = fixture.proof;
    let finding = LeakFinding { triple: triple(), proof, at: 1, repeats_of_from };
    for claim in &mut fixture.claims {
        claim.finding = Some(Box::new(PathFinding::Leak(finding)));
    }
}

/// Half of the prefixes lie inside what was known.
fn inside(fixture: &mut Fixture, count: usize) {
    for claim in fixture.claims.iter_mut().take(count) {
        claim.target = Some(Target {
            victims: vec![VICTIM],
            covering: Some("32.0.0.0/8".parse().unwrap()),
            victims_cover: None,
            known_from: KnownFrom::Table,
            known_since: at(0),
            victim_was_present: false,
            victim_routes: 1,
            victim_routes_via_culprit: 0,
            below: 0,
            below_foreign: 0,
            culprit_below: 0,
            culprit_covers: None,
        });
    }
}

fn displaced(fixture: &mut Fixture, count: usize) {
    fixture.claims.iter_mut().take(count).for_each(|claim| claim.has_displaced = true);
}

/// `late` of ten prefixes began six minutes after the first.
fn late(fixture: &mut Fixture, late: usize) {
    fixture.claims.iter_mut().take(late).for_each(|claim| claim.first_seen = at(301));
}

const CASES: &[RuleCase<Fixture>] = &[
    // Each proof against the next weaker one.
    ("otc_says_leak", otc, aspa),
    ("aspa_invalid_path", aspa, |f| by(f, Basis::Operator, 100)),
    ("relations_stated", |f| by(f, Basis::Operator, 100), nothing),
    ("relations_given", nothing, |f| by(f, Basis::Inferred, 95)),
    ("new_triple", nothing, |f| f.has_table = false),
    ("no_table", |f| f.has_table = false, nothing),
    ("regular_paths_displaced", |f| displaced(f, 5), |f| displaced(f, 4)),
    ("leaks_new_more_specifics", |f| inside(f, 5), |f| inside(f, 4)),
    ("many_prefixes", |f| f.claims = leaked(20), |f| f.claims = leaked(19)),
    ("mass_leak", |f| f.claims = leaked(500), |f| f.claims = leaked(499)),
    ("few_prefixes", |f| f.claims = leaked(4), |f| f.claims = leaked(5)),
    (
        "many_origins",
        |f| f.origins = (1..6).map(Asn).collect(),
        |f| f.origins = (1..5).map(Asn).collect(),
    ),
    ("sudden", |f| late(f, 2), |f| late(f, 3)),
    ("between_tier_ones", |f| at_the_top(f, &[FROM, TO]), |f| at_the_top(f, &[FROM])),
    ("leaker_transit_free", |f| at_the_top(f, &[CULPRIT]), nothing),
    ("leak_widely_seen", |f| f.seen = 5, nothing),
    ("leak_barely_seen", |f| (f.seen, f.vantage_points) = (1, 11), |f| f.seen = 1),
    (
        "leaker_same_organisation",
        |f| f.facts.organisations = Some(siblings(TO)),
        |f| f.facts.organisations = Some(siblings(VICTIM)),
    ),
    ("from_prepends_to_leaker", |f| prepended(f, 2), |f| prepended(f, 1)),
    ("relation_unsure", |f| by(f, Basis::Inferred, 89), |f| by(f, Basis::Inferred, 90)),
    ("relations_old", |f| dated(f, 366), |f| dated(f, 365)),
    ("beacon", |f| f.origins = vec![Asn(12654)], |f| f.origins = vec![Asn(12654), VICTIM]),
    ("leak_fleeting", |f| end(f, 299), |f| end(f, 300)),
    (
        "leakers_own_customers",
        |f| f.facts.relations = Some(relations(&[(CULPRIT, VICTIM, Relation::Customer)])),
        nothing,
    ),
];

/// The culprit and another AS in one organisation.
fn siblings(other: Asn) -> Sourced<OrganisationTable> {
    let organisation = Organisation { id: "A".into(), name: "A".into(), country: "NL".into() };
    let table = OrganisationTable::from_records(
        vec![organisation],
        vec![(CULPRIT, "A".into()), (other, "A".into())],
    );
    Sourced { table, source: source(FactKind::Organisations) }
}

#[test]
fn each_speaks_alone() {
    assert_each_alone(base, lines, CASES);
    // Nothing weaker than inference is proof.
    assert_all_named("leaks", CASES, &["relations_inferred"]);
    let mut inferred = base();
    by(&mut inferred, Basis::Inferred, 95);
    let rules: Vec<_> = lines(&inferred).into_iter().map(|line| line.rule).collect();
    assert_eq!(rules, ["relations_inferred", "new_triple", "sudden"]);
}
