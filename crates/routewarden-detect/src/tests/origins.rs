//! Originations with a benign side: blackholes, slips.

use routewarden_core::facts::{Link, Relation, RelationTable};

use super::*;

fn lab() -> Lab {
    let mut lab = Lab::new();
    lab.stands("203.0.113.0/24", &[64511, VICTIM]);
    lab.begin();
    lab
}

#[test]
fn ones_own_host_route_is_silent_and_a_strangers_is_abuse() {
    let mut lab = lab();
    lab.all_announce(100, "203.0.113.7/32", &[64511, VICTIM]);
    assert!(lab.incidents().is_empty());
    lab.all_announce(200, "203.0.113.8/32", &[CULPRIT]);
    let incidents = lab.incidents();
    assert_eq!(only(&incidents).kind, IncidentKind::BlackholeAbuse);
    assert!(has(&incidents[0], "foreign_host_route"));
    // The victim's provider does what it was asked to.
    let mut asked = self::lab();
    let links = vec![Link::given(Asn(VICTIM), Asn(64511), Relation::Provider)];
    asked.facts.relations = Some(sourced(FactKind::Relations, RelationTable::from_links(links)));
    asked.all_announce(200, "203.0.113.8/32", &[64511]);
    assert!(asked.incidents().iter().all(|incident| incident.confidence < 50));
}

#[test]
fn a_slip_in_the_origin_or_in_the_prefix_is_told_as_such() {
    // 64520 for 64502, by the victim's own provider.
    let mut lab = lab();
    lab.all_announce(100, "203.0.113.0/24", &[64511, 64520]);
    let incidents = lab.incidents();
    assert!(
        incidents
            .iter()
            .all(|incident| has(incident, "mistyped_origin") && incident.confidence < 50)
    );
    assert_eq!(lab.run().counters.origin_claims, 1);
    // 203.0.113 for the culprit's own 203.0.143.
    let mut lab = self::lab();
    lab.table = None;
    lab.stands("203.0.143.0/24", &[CULPRIT]);
    lab.begin();
    lab.all_announce(100, "203.0.113.0/24", &[CULPRIT]);
    lab.all_announce(160, "203.0.113.0/24", &[64511, VICTIM]);
    let incidents = lab.incidents();
    assert!(has(only(&incidents), "mistyped_prefix") && incidents[0].confidence < 50);
    let mut stays = self::lab();
    stays.table = None;
    stays.stands("203.0.143.0/24", &[CULPRIT]);
    stays.begin();
    stays.all_announce(100, "203.0.113.0/24", &[CULPRIT]);
    stays.all_announce(900, "192.0.2.0/24", &[64511]);
    assert!(!has(only(&stays.incidents()), "mistyped_prefix"), "a slip is taken back");
}

#[test]
fn a_less_specific_over_what_others_originate_takes_what_has_no_route() {
    let mut lab = Lab::new();
    lab.stands("203.0.112.0/24", &[64511, VICTIM]);
    lab.stands("203.0.113.0/24", &[64511, VICTIM]);
    lab.begin();
    lab.all_withdraw(50, "203.0.112.0/24");
    lab.all_announce(100, "203.0.112.0/22", &[CULPRIT]);
    let incidents = lab.incidents();
    let incident = only(&incidents);
    assert_eq!(incident.kind, IncidentKind::LessSpecificHijack);
    assert_eq!(
        (incident.culprits.as_slice(), incident.victims.as_slice()),
        ([Asn(CULPRIT)].as_slice(), [Asn(VICTIM)].as_slice())
    );
    assert!(has(incident, "specifics_are_gone"));
    // The owner of a part may announce the whole.
    let mut own = Lab::new();
    own.stands("203.0.112.0/24", &[64511, VICTIM]);
    own.begin();
    own.all_announce(100, "203.0.112.0/22", &[64511, VICTIM]);
    assert!(own.incidents().is_empty());
}
