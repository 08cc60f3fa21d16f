//! Changes of what the RPKI says, while routes stand.

use routewarden_core::facts::{Constituency, Member, MemberPrefix};

use super::*;
use crate::RelationKind;

fn vrps(vrps: Vec<Vrp>) -> FactsChange {
    let table = VrpTable::from_vrps(vrps);
    FactsChange { vrps: Some(sourced(FactKind::Vrps, table)), ..FactsChange::default() }
}

fn lab() -> Lab {
    let mut lab = Lab::new();
    lab.stands("203.0.113.0/24", &[64511, VICTIM]);
    lab.begin();
    lab
}

fn watched(lab: &mut Lab) {
    let listed = MemberPrefix { prefix: p("203.0.113.0/24"), origins: vec![], criticality: None };
    let member = Member {
        id: "victim".into(),
        asns: vec![Asn(VICTIM)],
        prefixes: vec![listed],
        ..Member::default()
    };
    let constituency = Constituency::new("test", vec![member]).unwrap();
    lab.facts.constituency = Some(sourced(FactKind::Constituency, constituency));
}

#[test]
fn a_standing_route_turns_invalid_by_a_change_of_vrps_and_back() {
    let mut lab = lab();
    lab.change(100, vrps(vec![vrp("203.0.113.0/24", 24, 64499)]));
    lab.change(400, vrps(vec![]));
    lab.all_announce(500, "198.51.100.0/24", &[64511]);
    let incidents = lab.incidents();
    let incident = only(&incidents);
    assert_eq!(incident.kind, IncidentKind::RpkiInvalid);
    assert_eq!(
        (incident.culprits.as_slice(), incident.victims.as_slice()),
        ([Asn(VICTIM)].as_slice(), [Asn(64499)].as_slice())
    );
    assert_eq!((incident.first_seen, incident.ended_at), (at(100), Some(at(400))));
    assert!(has(incident, "turned_invalid_by_vrp_change"));
    assert_eq!(incident.vantage_points.seen, 5);
}

#[test]
fn a_trust_anchor_that_loses_its_vrps_is_one_incident_until_they_are_back() {
    let of = |count: u8| {
        let block = |n: u8| vrp(&format!("198.51.{n}.0/24"), 24, 64500 + u32::from(n));
        vrps((0..count).map(block).collect())
    };
    let mut lab = lab();
    lab.facts.vrps = of(20).vrps;
    lab.change(100, of(15));
    lab.change(200, of(15));
    let incidents = lab.incidents();
    assert_eq!(only(&incidents).kind, IncidentKind::TrustAnchorLoss);
    assert_eq!((incidents[0].prefix_count, incidents[0].ended_at), (5, None));
    lab.change(300, of(20));
    let incidents = lab.incidents();
    assert_eq!((only(&incidents).first_seen, incidents[0].ended_at), (at(100), Some(at(300))));
    // A fifth is not enough.
    let mut few = self::lab();
    few.facts.vrps = of(20).vrps;
    few.change(100, of(16));
    assert!(few.incidents().is_empty());
}

#[test]
fn a_foreign_roa_in_a_members_space_is_told_of_before_any_route() {
    let mut lab = lab();
    watched(&mut lab);
    lab.facts.vrps = vrps(vec![vrp("203.0.113.0/24", 24, VICTIM)]).vrps;
    let with = vec![vrp("203.0.113.0/24", 24, VICTIM), vrp("203.0.113.0/24", 24, CULPRIT)];
    lab.change(100, vrps(with));
    let incidents = lab.incidents();
    let incident = only(&incidents);
    assert_eq!(incident.kind, IncidentKind::RoaChange);
    assert_eq!(
        (incident.culprits.as_slice(), incident.victims.as_slice()),
        ([Asn(CULPRIT)].as_slice(), [Asn(VICTIM)].as_slice())
    );
    assert!(has(incident, "foreign_asn_authorised"));
    assert_eq!(incident.constituency[0].member, "victim");
}

/// A ROA goes to another, the route turns invalid, and those who validate drop it.
#[test]
fn an_outage_is_traced_to_the_change_of_a_roa() {
    let mut lab = lab();
    watched(&mut lab);
    lab.facts.vrps = vrps(vec![vrp("203.0.113.0/24", 24, VICTIM)]).vrps;
    lab.change(100, vrps(vec![vrp("203.0.113.0/24", 24, CULPRIT)]));
    lab.all_withdraw(200, "203.0.113.0/24");
    lab.all_announce(3_000, "198.51.100.0/24", &[64511]);
    let incidents = lab.incidents();
    let of = |kind| incidents.iter().find(|incident| incident.kind == kind).unwrap();
    let (roa, invalid, outage) = (
        of(IncidentKind::RoaChange),
        of(IncidentKind::RpkiInvalid),
        of(IncidentKind::PrefixOutage),
    );
    assert_eq!(incidents.len(), 3, "{incidents:#?}");
    let tie = |of: &Incident, to: &Incident| {
        of.related.iter().find(|tie| tie.id == to.id).map(|tie| tie.relation)
    };
    assert_eq!(tie(invalid, roa), Some(RelationKind::CausedBy));
    assert_eq!(tie(roa, invalid), Some(RelationKind::Caused));
    assert_eq!(tie(outage, invalid), Some(RelationKind::CausedBy));
}
