//! Every rule alone: a case in which it speaks, and one in which it is silent.

mod leak;
mod less_specific;
mod link;
mod origin;
mod outage;

use std::collections::BTreeMap;

use proptest::prelude::*;
use routewarden_core::facts::{
    FactKind, FactSource, Link, Organisation, OrganisationTable, Relation, RelationTable, Sourced,
};
use routewarden_core::{AsPathBuf, Asn, PeerId, Timestamp};

use super::{confidence, rule_weights};
use crate::claim::{Claim, ClaimKey, ClaimKind};
use crate::findings::LinkFinding;
use crate::incident::{Evidence, ForgedLink};

const CULPRIT: Asn = Asn(64503);
const VICTIM: Asn = Asn(64502);

fn at(secs: u32) -> Timestamp {
    Timestamp::from_secs(1_000_000 + secs)
}

fn source(kind: FactKind) -> FactSource {
    FactSource {
        kind,
        name: "test".to_owned(),
        sha256: None,
        date: None,
        entries: 0,
        skipped: BTreeMap::new(),
    }
}

/// The culprit's organisation and the victim's, each with its country.
fn organisations(culprit: (&str, &str), victim: (&str, &str)) -> Sourced<OrganisationTable> {
    let organisation = |(id, country): (&str, &str)| Organisation {
        id: id.into(),
        name: format!("Organisation {id}").into(),
        country: country.into(),
    };
    Sourced {
        table: OrganisationTable::from_records(
            vec![organisation(culprit), organisation(victim)],
            vec![(CULPRIT, culprit.0.into()), (VICTIM, victim.0.into())],
        ),
        source: source(FactKind::Organisations),
    }
}

fn relations(links: &[(Asn, Asn, Relation)]) -> Sourced<RelationTable> {
    let links = links.iter().map(|&(a, b, relation)| Link::given(a, b, relation)).collect();
    Sourced { table: RelationTable::from_links(links), source: source(FactKind::Relations) }
}

/// A claim of the culprit's on the `n`th /24, held by one peer since second 0.
fn claim(kind: ClaimKind, n: u32) -> Claim {
    let prefix = routewarden_core::Prefix::v4(0x2000_0000 | n << 8, 24).unwrap();
    let mut claim = Claim::new(ClaimKey { prefix, kind, culprit: CULPRIT }, at(0), u64::from(n));
    let path = AsPathBuf::sequence([Asn(64496), CULPRIT, VICTIM]);
    claim.enter(at(0), (PeerId(0), Asn(64496)), path.as_path());
    claim.origin = Some(VICTIM);
    claim
}

/// A rule, what makes it speak, and what leaves it silent.
type RuleCase<F> = (&'static str, fn(&mut F), fn(&mut F));

/// Asserts that each rule speaks in one case and not in the other, and that what it says moves the
/// confidence its way only.
fn assert_each_alone<F>(
    base: impl Fn() -> F,
    lines: impl Fn(&F) -> Vec<Evidence>,
    cases: &[RuleCase<F>],
) {
    for &(rule, speak, silence) in cases {
        let told = |change: fn(&mut F)| {
            let mut fixture = base();
            change(&mut fixture);
            lines(&fixture)
        };
        let (spoken, silent) = (told(speak), told(silence));
        let line = spoken.iter().find(|line| line.rule == rule);
        let Some(line) = line else { panic!("{rule} is silent: {spoken:#?}") };
        assert!(!silent.iter().any(|line| line.rule == rule), "{rule} speaks: {silent:#?}");
        let (with, without) = (confidence(&spoken), confidence(&silent));
        if line.weight > 0 {
            assert!(with >= without, "{rule}: {with} with it, {without} without");
        } else {
            assert!(with <= without, "{rule}: {with} with it, {without} without");
        }
    }
}

/// Asserts that the cases and `elsewhere` name every rule of the list.
fn assert_all_named<F>(list: &str, cases: &[RuleCase<F>], elsewhere: &[&str]) {
    let weights = rule_weights();
    let (_, rules) = weights.iter().find(|(name, _)| *name == list).unwrap();
    let mut rules: Vec<&str> = rules.iter().map(|&(rule, _)| rule).collect();
    let mut named: Vec<&str> =
        cases.iter().map(|&(rule, ..)| rule).chain(elsewhere.iter().copied()).collect();
    rules.sort_unstable();
    named.sort_unstable();
    named.dedup();
    assert_eq!(named, rules, "{list}");
}

fn nothing<F>(_: &mut F) {}

#[test]
fn names_are_unique_within_a_list_and_have_one_weight_in_all() {
    let mut weights: BTreeMap<(&str, &str), i32> = BTreeMap::new();
    let mut signs: BTreeMap<&str, bool> = BTreeMap::new();
    for (list, rules) in rule_weights() {
        for (rule, weight) in rules {
            assert_ne!(weight, 0, "{rule}");
            assert_eq!(weights.insert((list, rule), weight), None, "{rule} twice in {list}");
            assert_eq!(*signs.entry(rule).or_insert(weight > 0), weight > 0, "{rule}");
        }
    }
}

proptest! {
    /// Whatever stands: one more reason for it never lowers the confidence, one against never
    /// raises it.
    #[test]
    fn confidence_is_monotone(weights in prop::collection::vec(-100_i32..100, 0..20), more in -100_i32..100) {
        let line = |&weight: &i32| Evidence {
            rule: String::new(),
            weight,
            text: String::new(),
            facts: BTreeMap::new(),
        };
        let mut lines: Vec<Evidence> = weights.iter().map(line).collect();
        let before = confidence(&lines);
        lines.push(line(&more));
        let after = confidence(&lines);
        prop_assert!((1..=99).contains(&after));
        let is_kept = if more >= 0 { after >= before } else { after <= before };
        prop_assert!(is_kept, "{} {}", before, after);
    }
}

/// A link that nobody knows, and nothing else is said of it.
fn unknown_link(a: Asn, b: Asn) -> LinkFinding {
    LinkFinding {
        link: ForgedLink { a, b },
        depth: 0,
        repeats: 1,
        suspicion: None,
        denied_by_aspa: None,
        aspa: None,
        denied_by_operator: false,
        is_more_specific: false,
    }
}
