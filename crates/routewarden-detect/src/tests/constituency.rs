//! Whom an incident touches, and what only a constituent is told.

use routewarden_core::facts::{Constituency, Criticality, Member, MemberPrefix, Role};

use super::*;
use crate::SeverityClass;

pub(super) fn member(id: &str, asn: u32, prefixes: &[&str]) -> Member {
    let listed =
        |prefix: &&str| MemberPrefix { prefix: p(prefix), origins: vec![], criticality: None };
    Member {
        id: id.into(),
        asns: vec![Asn(asn)],
        prefixes: prefixes.iter().map(listed).collect(),
        ..Member::default()
    }
}

pub(super) fn watch(lab: &mut Lab, members: Vec<Member>) {
    let constituency = Constituency::new("test", members).unwrap();
    lab.facts.constituency = Some(sourced(FactKind::Constituency, constituency));
}

#[test]
fn roles_are_told_and_what_touches_nobody_is_not() {
    let mut lab = both_stand();
    lab.all_announce(100, "203.0.113.128/25", &[CULPRIT]);
    assert!(lab.incidents()[0].constituency.is_empty());
    let members = vec![
        member("bank", VICTIM, &[]),
        member("school", CULPRIT, &[]),
        member("isp", 64510, &[]),
    ];
    watch(&mut lab, members);
    let incidents = lab.incidents();
    let touched: Vec<_> =
        only(&incidents).constituency.iter().map(|t| (t.member.as_str(), t.role)).collect();
    assert_eq!(touched, [("bank", Role::Victim), ("isp", Role::OnPath), ("school", Role::Culprit)]);
    watch(&mut lab, vec![member("other", 64508, &["192.0.2.0/24"])]);
    assert!(lab.incidents().is_empty());
}

#[test]
fn space_that_its_holder_does_not_announce_is_squatted() {
    let mut lab = both_stand();
    watch(&mut lab, vec![member("bank", VICTIM, &["192.0.2.0/24"])]);
    lab.all_announce(100, "192.0.2.0/24", &[CULPRIT]);
    let incidents = lab.incidents();
    assert_eq!(only(&incidents).kind, IncidentKind::Squatting);
    assert_eq!(incidents[0].artemis_class.as_deref(), Some("Q|0|-|-"));
    // Without a table nobody knows that it was not announced.
    let mut lab = Lab::new();
    watch(&mut lab, vec![member("bank", VICTIM, &["192.0.2.0/24"])]);
    lab.begin();
    lab.all_announce(100, "192.0.2.0/24", &[CULPRIT]);
    assert_ne!(only(&lab.incidents()).kind, IncidentKind::Squatting);
}

#[test]
fn what_many_depend_on_is_grave_and_what_a_roa_allows_is_not() {
    let mut lab = both_stand();
    lab.announce(100, 0, "203.0.113.128/25", &[CULPRIT]);
    assert!(lab.incidents()[0].severity < 60);
    let mut bank = member("bank", VICTIM, &[]);
    bank.criticality = Criticality::Tier0;
    watch(&mut lab, vec![bank]);
    let incidents = lab.incidents();
    assert_eq!(only(&incidents).severity_class, SeverityClass::High);
    let mut lab = both_stand();
    lab.all_announce(100, "203.0.113.0/25", &[64508]);
    lab.all_announce(200, "203.0.113.0/26", &[64511, VICTIM]);
    let grave = lab.incidents()[0].severity;
    let table = VrpTable::from_vrps(vec![vrp("203.0.113.0/25", 25, 64508)]);
    lab.facts.vrps = Some(sourced(FactKind::Vrps, table));
    let incidents = lab.incidents();
    let hijack = incidents.iter().find(|incident| incident.culprits == [Asn(64508)]).unwrap();
    assert!(has(hijack, "rov_valid"));
    assert_eq!((grave, hijack.severity), (53, 39));
}

#[test]
fn a_constituents_new_prefix_and_more_specific_are_told() {
    let mut lab = both_stand();
    watch(&mut lab, vec![member("bank", VICTIM, &[])]);
    lab.all_announce(100, "192.0.2.0/24", &[64511, VICTIM]);
    lab.all_announce(200, "203.0.113.128/25", &[64511, VICTIM]);
    let incidents = lab.incidents();
    let expected = [IncidentKind::UnexpectedOrigination, IncidentKind::SamePathMoreSpecific];
    assert_eq!(kinds(&incidents), expected);
    assert!(incidents[1].culprits.is_empty(), "whoever forged it shows nowhere");
    assert_eq!(incidents[1].artemis_class.as_deref(), Some("S|-|-|-"));
    lab.facts.constituency = None;
    assert!(lab.incidents().is_empty());
}

#[test]
fn bad_practice_of_a_constituent_is_told_without_being_asked() {
    let mut lab = both_stand();
    let tail: Vec<u32> = std::iter::once(64511).chain([VICTIM; 10]).collect();
    lab.all_announce(100, "203.0.113.0/24", &tail);
    assert!(lab.incidents().is_empty());
    watch(&mut lab, vec![member("bank", VICTIM, &[])]);
    assert_eq!(kinds(&lab.incidents()), [IncidentKind::ExcessivePrepending]);
    lab.facts.constituency = None;
    lab.config.hygiene = true;
    assert_eq!(kinds(&lab.incidents()), [IncidentKind::ExcessivePrepending]);
}
