//! Rules of originations.

use routewarden_core::facts::{Facts, InvalidReason, RovState};

use super::*;
use crate::claim::{Reaction, Target};
use crate::findings::PathFinding;
use crate::knowledge::KnownFrom;
use crate::rules::{Case, against, support, weigh};

/// A sub-prefix claim of one unrelated AS, seen by 3 of 4 vantage points, still there.
#[expect(clippy::struct_excessive_bools, reason = "facts that do not depend on one another")]
pub(super) struct Fixture {
    pub(super) claim: Claim,
    pub(super) target: Target,
    pub(super) facts: Facts,
    pub(super) vantage_points: usize,
    pub(super) has_table: bool,
    pub(super) adjacent: bool,
    pub(super) is_by_victims_neighbour: bool,
    pub(super) is_culprit_known: bool,
    pub(super) near_own_prefix: Option<routewarden_core::Prefix>,
    pub(super) victim_is_present: bool,
    pub(super) now: Timestamp,
}

impl Fixture {
    pub(super) fn sub_prefix() -> Self {
        let key = ClaimKey {
            prefix: "203.0.113.128/25".parse().unwrap(),
            kind: ClaimKind::Origin,
            culprit: CULPRIT,
        };
        let mut claim = Claim::new(key, at(0), 1);
        for peer in 0..3 {
            let path = AsPathBuf::sequence([Asn(64496 + peer), Asn(64500), CULPRIT]);
            claim.enter(at(peer), (PeerId(peer), Asn(64496 + peer)), path.as_path());
        }
        let target = Target {
            victims: vec![VICTIM],
            covering: Some("203.0.113.0/24".parse().unwrap()),
            victims_cover: Some("203.0.113.0/24".parse().unwrap()),
            known_from: KnownFrom::Table,
            known_since: Timestamp::from_secs(1),
            victim_was_present: false,
            victim_routes: 4,
            victim_routes_via_culprit: 0,
            below: 0,
            below_foreign: 0,
            culprit_below: 0,
            culprit_covers: None,
        };
        Fixture {
            claim,
            target,
            facts: Facts::default(),
            vantage_points: 4,
            has_table: true,
            adjacent: false,
            is_by_victims_neighbour: false,
            is_culprit_known: true,
            near_own_prefix: None,
            victim_is_present: false,
            now: at(3_600),
        }
    }

    fn exact() -> Self {
        let mut fixture = Fixture::sub_prefix();
        fixture.target.covering = None;
        fixture.target.victim_was_present = true;
        fixture.victim_is_present = true;
        fixture
    }

    pub(super) fn lines(&self) -> Vec<Evidence> {
        weigh(&Case {
            is_by_victims_neighbour: self.is_by_victims_neighbour,
            is_culprit_known: self.is_culprit_known,
            near_own_prefix: self.near_own_prefix,
            claim: &self.claim,
            target: &self.target,
            facts: &self.facts,
            vantage_points: self.vantage_points,
            has_table: self.has_table,
            adjacent: self.adjacent,
            victim_is_present: self.victim_is_present,
            now: self.now,
        })
    }

    /// The rules that hold, in the order of the tables.
    fn rules(&self) -> Vec<String> {
        self.lines().into_iter().map(|line| line.rule).collect()
    }

    fn holds(&self, rule: &str) -> bool {
        self.rules().iter().any(|held| held == rule)
    }

    fn end(&mut self, secs: u32) {
        for peer in 0..3 {
            self.claim.leave(at(secs), PeerId(peer));
        }
    }
}

#[test]
fn an_unrelated_more_specific_of_exclusive_space_rests_on_these_rules() {
    let fixture = Fixture::sub_prefix();
    let expected =
        ["more_specific_of_foreign_prefix", "no_relation", "exclusive_space", "widely_seen"];
    assert_eq!(fixture.rules(), expected);
    assert_eq!(confidence(&fixture.lines()), 65);
}

#[test]
fn a_foreign_origin_of_the_exact_prefix_is_another_rule() {
    let rules = Fixture::exact().rules();
    assert_eq!(rules, ["foreign_origin", "no_relation", "exclusive_space", "widely_seen"]);
}

#[test]
fn rov_weighs_by_state_and_reason() {
    let cases = [
        ((RovState::Invalid, Some(InvalidReason::Asn)), "rov_invalid_asn"),
        ((RovState::Invalid, Some(InvalidReason::MaxLength)), "rov_invalid_max_length"),
        ((RovState::Valid, None), "rov_valid"),
    ];
    for (rov, rule) in cases {
        let mut fixture = Fixture::sub_prefix();
        fixture.claim.rov = Some(rov);
        assert!(fixture.holds(rule), "{rule}");
    }
    let mut fixture = Fixture::sub_prefix();
    fixture.claim.rov = Some((RovState::NotFound, None));
    assert_eq!(fixture.lines(), Fixture::sub_prefix().lines());
}

#[test]
fn a_reaction_counts_fully_only_when_it_is_known_to_be_new() {
    let mut fixture = Fixture::sub_prefix();
    let prefix = fixture.claim.key.prefix;
    fixture.claim.push_reaction(Reaction { seq: 1, time: at(600), prefix, origin: VICTIM });
    assert!(fixture.holds("victim_reacted") && !fixture.holds("victim_announces_again"));
    fixture.has_table = false;
    assert!(!fixture.holds("victim_reacted") && fixture.holds("victim_announces_again"));
    let half = "203.0.113.128/26".parse().unwrap();
    fixture.claim.push_reaction(Reaction { seq: 1, time: at(700), prefix: half, origin: VICTIM });
    assert!(fixture.holds("victim_reacted"));
}

#[test]
fn every_relation_speaks_against_and_undoes_no_relation() {
    type Change = fn(&mut Fixture);
    let changes: [(&str, Change); 7] = [
        ("neighbours", |f| f.adjacent = true),
        ("victim_on_path", |f| f.claim.announcements_via_victim = 1),
        ("culprit_on_victims_path", |f| f.target.victim_routes_via_culprit = 1),
        ("culprit_covers_victim", |f| {
            f.target.culprit_covers = Some("203.0.0.0/16".parse().unwrap());
        }),
        ("culprit_already_in_block", |f| f.target.culprit_below = 1),
        ("same_organisation", |f| {
            f.facts.organisations = Some(organisations(("ORG-A", "NL"), ("ORG-A", "NL")));
        }),
        ("as_relationship", |f| {
            f.facts.relations = Some(relations(&[(VICTIM, CULPRIT, Relation::Customer)]));
        }),
    ];
    let before = confidence(&Fixture::sub_prefix().lines());
    for (rule, change) in changes {
        let mut fixture = Fixture::sub_prefix();
        change(&mut fixture);
        assert!(fixture.holds(rule), "{rule}");
        assert!(!fixture.holds("no_relation"), "{rule}");
        assert!(confidence(&fixture.lines()) < before, "{rule}");
    }
}

#[test]
fn countries_count_when_both_are_known() {
    let mut fixture = Fixture::sub_prefix();
    fixture.facts.organisations = Some(organisations(("ORG-A", "NL"), ("ORG-B", "BE")));
    assert!(fixture.holds("countries_differ"));
    fixture.facts.organisations = Some(organisations(("ORG-A", "NL"), ("ORG-B", "NL")));
    assert!(fixture.holds("same_country"));
    fixture.facts.organisations = Some(organisations(("ORG-A", ""), ("ORG-B", "NL")));
    assert!(!fixture.holds("same_country") && !fixture.holds("countries_differ"));
}

#[test]
fn delegated_space_is_no_exclusive_space() {
    let mut fixture = Fixture::sub_prefix();
    (fixture.target.below, fixture.target.below_foreign) = (5, 2);
    assert!(fixture.holds("delegated_space") && !fixture.holds("exclusive_space"));
}

#[test]
fn an_exact_prefix_that_goes_back_to_its_owner_was_no_move() {
    let mut fixture = Fixture::exact();
    fixture.end(900);
    assert!(fixture.holds("returned_to_victim") && !fixture.holds("transfer"));
    let mut covered = Fixture::sub_prefix();
    covered.end(900);
    covered.victim_is_present = true;
    assert!(covered.holds("returned_to_victim"), "the covering route stands as before");
    let mut moved = Fixture::exact();
    moved.victim_is_present = false;
    assert!(moved.holds("transfer") && !moved.holds("returned_to_victim"));
    let mut moved_before = Fixture::exact();
    moved_before.target.victim_was_present = false;
    assert!(moved_before.holds("transfer"));
    moved_before.has_table = false;
    assert!(!moved_before.holds("transfer"), "without a table absence means nothing");
}

#[test]
fn visibility_counts_as_a_share_of_the_vantage_points() {
    let mut fixture = Fixture::sub_prefix();
    fixture.vantage_points = 100;
    assert!(fixture.holds("barely_seen") && !fixture.holds("widely_seen"));
    fixture.end(10);
    assert!(fixture.holds("fleeting"));
    fixture.vantage_points = 20;
    assert!(!fixture.holds("barely_seen") && !fixture.holds("widely_seen"));
}

#[test]
fn weak_knowledge_flapping_and_slips_speak_against() {
    let mut fixture = Fixture::sub_prefix();
    fixture.target.known_from = KnownFrom::Stream;
    fixture.target.victim_routes = 1;
    assert!(fixture.holds("weak_baseline") && !fixture.holds("exclusive_space"));
    fixture.target.victim_routes = 3;
    assert!(!fixture.holds("weak_baseline"));
    fixture.claim.recurrences = 3;
    assert!(fixture.holds("flapping"));
    assert!(!fixture.holds("fat_finger"), "neighbouring ASNs are no slip by themselves");
    fixture.claim.announcements_via_victim = 1;
    assert!(fixture.holds("fat_finger"));
    let mut habit = Fixture::exact();
    habit.target.victims.push(Asn(64999));
    assert!(habit.holds("multi_origin_habit") && !habit.holds("exclusive_space"));
}

#[test]
fn one_digit_slips_are_of_equal_length() {
    assert!(against::differ_by_one_digit(Asn(64502), Asn(64512)));
    assert!(!against::differ_by_one_digit(Asn(64502), Asn(64502)));
    assert!(!against::differ_by_one_digit(Asn(64502), Asn(6450)));
    assert!(!against::differ_by_one_digit(Asn(64502), Asn(46502)));
}

#[test]
fn a_long_prefix_is_long_by_family() {
    // A /25 that most accept is not held against the claim; one that few saw is.
    assert!(!Fixture::sub_prefix().holds("long_prefix"));
    let mut fixture = Fixture::sub_prefix();
    fixture.vantage_points = 100;
    assert!(fixture.holds("long_prefix"));
}

#[test]
fn weights_have_the_sign_of_their_table() {
    assert!(support::RULES.iter().all(|rule| rule.weight > 0));
    assert!(against::RULES.iter().all(|rule| rule.weight < 0));
}

fn blackhole(fixture: &mut Fixture) {
    fixture.claim.key.prefix = "203.0.113.128/32".parse().unwrap();
}

fn exact(fixture: &mut Fixture) {
    fixture.target.covering = None;
    fixture.target.victim_was_present = true;
    fixture.victim_is_present = true;
}

fn over_unknown_link(fixture: &mut Fixture) {
    let link = unknown_link(Asn(64500), CULPRIT);
    fixture.claim.finding = Some(Box::new(PathFinding::Link(link)));
}

fn related(fixture: &mut Fixture, relation: Relation) {
    fixture.facts.relations = Some(relations(&[(VICTIM, CULPRIT, relation)]));
}

const CASES: &[RuleCase<Fixture>] = &[
    ("foreign_host_route", blackhole, |f| {
        blackhole(f);
        related(f, Relation::Provider);
    }),
    ("unknown_upstream", over_unknown_link, |f| {
        over_unknown_link(f);
        f.is_culprit_known = false;
    }),
    ("mistyped_origin", |f| (exact(f), f.is_by_victims_neighbour = true).0, exact),
    (
        "mistyped_prefix",
        |f| {
            f.near_own_prefix = Some("203.0.112.128/25".parse().unwrap());
            f.end(299);
        },
        |f| {
            f.near_own_prefix = Some("203.0.112.128/25".parse().unwrap());
            f.end(400);
        },
    ),
    (
        "converging",
        |f| {
            exact(f);
            (f.victim_is_present, f.now) = (false, at(299));
        },
        |f| {
            exact(f);
            f.now = at(299);
        },
    ),
    (
        "young_baseline",
        |f| (f.target.known_from, f.target.known_since) = (KnownFrom::Stream, at(0).plus_secs(-9)),
        |f| (f.target.known_from, f.target.known_since) = (KnownFrom::Stream, at(0).plus_secs(-10)),
    ),
];

#[test]
fn each_speaks_alone() {
    assert_each_alone(Fixture::sub_prefix, Fixture::lines, CASES);
    // What a peer blackholes is not its customer's wish; what a provider does is.
    let mut peer = Fixture::sub_prefix();
    blackhole(&mut peer);
    related(&mut peer, Relation::Peer);
    assert!(peer.holds("foreign_host_route") && !peer.holds("as_relationship"));
}
