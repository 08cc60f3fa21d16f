//! Rules of links that nobody knows.

use routewarden_core::facts::{AspaOffence, Facts};

use super::*;
use crate::claim::Reaction;
use crate::relations::SUSPICIOUS_MIN;
use crate::rules::link::{LinkCase, weigh};

struct Fixture {
    claims: Vec<Claim>,
    found: LinkFinding,
    facts: Facts,
    origin_news: usize,
    prefixes_of_origin: usize,
    victim_is_present: bool,
    seen: usize,
    vantage_points: usize,
    now: Timestamp,
}

/// One of ten prefixes of the victim comes over a link with the culprit since 1,000 seconds.
fn base() -> Fixture {
    Fixture {
        claims: vec![claim(ClaimKind::ForgedLink, 0)],
        found: unknown_link(CULPRIT, VICTIM),
        facts: Facts::default(),
        origin_news: 0,
        prefixes_of_origin: 10,
        victim_is_present: true,
        seen: 4,
        vantage_points: 10,
        now: at(1_000),
    }
}

fn lines(fixture: &Fixture) -> Vec<Evidence> {
    let claims: Vec<&Claim> = fixture.claims.iter().collect();
    weigh(&LinkCase {
        claims: &claims,
        found: &fixture.found,
        facts: &fixture.facts,
        origin_news: fixture.origin_news,
        prefixes_of_origin: fixture.prefixes_of_origin,
        victim_is_present: fixture.victim_is_present,
        seen: fixture.seen,
        vantage_points: fixture.vantage_points,
        now: fixture.now,
    })
}

fn end(fixture: &mut Fixture, secs: u32) {
    fixture.claims.iter_mut().for_each(|claim| claim.leave(at(secs), PeerId(0)));
}

fn react(fixture: &mut Fixture, secs: u32) {
    let prefix = "203.0.113.0/25".parse().unwrap();
    let reaction = Reaction { seq: 9, time: at(secs), prefix, origin: VICTIM };
    fixture.claims[0].push_reaction(reaction);
}

fn suspicion(fixture: &mut Fixture, points: u8) {
    fixture.found.suspicion = Some((points, vec![("degree".into(), 3)]));
}

const CASES: &[RuleCase<Fixture>] = &[
    (
        "aspa_denies_link",
        |f| f.found.denied_by_aspa = Some(AspaOffence { customer: VICTIM, not_provider: CULPRIT }),
        nothing,
    ),
    ("operator_denies_link", |f| f.found.denied_by_operator = true, nothing),
    ("unlike_a_real_link", |f| suspicion(f, SUSPICIOUS_MIN), |f| suspicion(f, SUSPICIOUS_MIN - 1)),
    ("like_a_real_link", |f| suspicion(f, 0), |f| suspicion(f, SUSPICIOUS_MIN / 2)),
    ("new_more_specific", |f| f.found.is_more_specific = true, nothing),
    ("victim_reacted_to_link", |f| react(f, 120), |f| react(f, 119)),
    ("link_gone_again", |f| end(f, 900), nothing),
    ("link_widely_seen", |f| f.seen = 5, nothing),
    ("link_barely_seen", |f| (f.seen, f.vantage_points) = (1, 11), |f| f.seen = 1),
    (
        "link_same_organisation",
        |f| f.facts.organisations = Some(organisations(("A", "NL"), ("A", "NL"))),
        |f| f.facts.organisations = Some(organisations(("A", "NL"), ("B", "NL"))),
    ),
    ("whole_network_moved", |f| f.claims = whole(4), |f| f.claims = whole(3)),
    ("old_paths_gone", |f| f.victim_is_present = false, nothing),
    (
        "origin_deaggregates",
        |f| (f.found.is_more_specific, f.origin_news) = (true, 3),
        |f| (f.found.is_more_specific, f.origin_news) = (true, 2),
    ),
    ("origin_prepends_to_link", |f| f.found.repeats = 2, nothing),
    ("link_of_beacon", |f| f.claims[0].origin = Some(Asn(12654)), nothing),
    ("lasts_quietly", |f| f.now = at(3_600), |f| f.now = at(3_599)),
    ("far_from_origin", |f| f.found.depth = 1, nothing),
    ("link_fleeting", |f| end(f, 299), |f| end(f, 300)),
];

fn whole(count: u32) -> Vec<Claim> {
    (0..count).map(|n| claim(ClaimKind::ForgedLink, n)).collect()
}

fn base_of_five() -> Fixture {
    Fixture { prefixes_of_origin: 5, ..base() }
}

#[test]
fn each_speaks_alone() {
    assert_each_alone(base_of_five, lines, CASES);
    assert_all_named("links", CASES, &["unknown_link"]);
    let rules: Vec<_> = lines(&base()).into_iter().map(|line| line.rule).collect();
    assert_eq!(rules, ["unknown_link"]);
}

/// What ASPA or the operator denies is not excused by how it looks.
#[test]
fn what_is_denied_has_no_benign_look() {
    let benign: fn(&mut Fixture) = |f| {
        suspicion(f, 0);
        (f.found.repeats, f.found.depth, f.victim_is_present) = (3, 1, false);
        (f.claims, f.now) = (whole(5), at(9_000));
    };
    let mut plain = base_of_five();
    benign(&mut plain);
    assert_eq!(confidence(&lines(&plain)), 1);
    let mut denied = base_of_five();
    benign(&mut denied);
    denied.found.denied_by_operator = true;
    assert!(lines(&denied).iter().all(|line| line.weight > 0));
}
