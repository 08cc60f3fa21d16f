//! Forged links, where the table is too small to score them.

use routewarden_core::facts::{AspaState, AspaTable};

use super::*;
use crate::ForgedLink;

#[test]
fn a_forged_origin_names_its_link_and_class() {
    let mut lab = both_stand();
    lab.all_announce(100, "203.0.113.0/24", &[CULPRIT, VICTIM]);
    lab.all_announce(900, "203.0.113.0/24", &[64511, VICTIM]);
    let incidents = lab.incidents();
    let incident = only(&incidents);
    assert_eq!(incident.kind, IncidentKind::ForgedOrigin);
    assert_eq!(incident.artemis_class.as_deref(), Some("E|1|-|-"));
    assert_eq!(incident.link, Some(ForgedLink { a: Asn(CULPRIT), b: Asn(VICTIM) }));
    assert_eq!((incident.first_seen, incident.ended_at), (at(100), Some(at(900))));
    assert!(has(incident, "link_gone_again") && incident.aspa.is_none());
    // The same with an attestation of whom the victim buys of.
    let records = vec![(Asn(VICTIM), vec![Asn(64511)]), (Asn(64510), vec![Asn(0)])];
    let aspa = AspaTable::from_records(records);
    lab.facts.aspas = Some(sourced(FactKind::Aspas, aspa));
    let denied = lab.incidents();
    assert_eq!(only(&denied).aspa, Some(AspaState::Invalid));
    assert!(has(&denied[0], "aspa_denies_link"));
    assert!(denied[0].confidence > incident.confidence);
}

/// A peer that has the route from a customer or peer sees the contradiction, one above does not:
/// whichever is heard first.
#[test]
fn what_a_later_witness_proves_counts() {
    let denied = |order: [u32; 2]| {
        let mut lab = both_stand();
        let records = vec![(Asn(VICTIM), vec![Asn(64511)]), (Asn(64510), vec![Asn(0)])];
        lab.facts.aspas = Some(sourced(FactKind::Aspas, AspaTable::from_records(records)));
        for (secs, peer) in (100..).zip(order) {
            let first = 64496 + peer;
            // Without the AS that attests to have no provider nothing contradicts.
            let path: &[u32] = if peer == 0 {
                &[first, CULPRIT, VICTIM]
            } else {
                &[first, 64510, CULPRIT, VICTIM]
            };
            let path = AsPathBuf::sequence(path.iter().copied().map(Asn));
            lab.announce_path(secs, peer, "203.0.113.0/24", &path);
        }
        let incidents = lab.incidents();
        assert_eq!(only(&incidents).vantage_points.peak, 2);
        (incidents[0].aspa, incidents[0].confidence)
    };
    let (aspa, confidence) = denied([0, 1]);
    assert_eq!(aspa, Some(AspaState::Invalid));
    assert_eq!(denied([1, 0]), (aspa, confidence));
}

#[test]
fn a_more_specific_and_a_deeper_link_are_classes_of_their_own() {
    let mut lab = both_stand();
    lab.all_announce(100, "203.0.113.0/25", &[CULPRIT, VICTIM]);
    let incidents = lab.incidents();
    assert_eq!(only(&incidents).artemis_class.as_deref(), Some("S|1|-|-"));
    assert!(has(&incidents[0], "new_more_specific"));
    let mut lab = both_stand();
    lab.all_announce(100, "203.0.113.0/25", &[CULPRIT, 64511, VICTIM]);
    let incidents = lab.incidents();
    assert_eq!(only(&incidents).kind, IncidentKind::ForgedPath);
    assert_eq!(incidents[0].artemis_class.as_deref(), Some("S|N|-|-"));
}

#[test]
fn a_known_link_is_none_and_without_a_table_none_is_new() {
    let mut lab = Lab::new();
    lab.stands("203.0.113.0/24", &[64511, VICTIM]);
    lab.stands("203.0.112.0/24", &[CULPRIT, VICTIM]);
    lab.begin();
    lab.all_announce(100, "203.0.113.0/24", &[CULPRIT, VICTIM]);
    assert!(lab.incidents().is_empty());
    let mut lab = Lab::new();
    lab.begin();
    lab.all_announce(0, "203.0.113.0/24", &[64511, VICTIM]);
    lab.all_announce(100, "203.0.113.0/24", &[CULPRIT, VICTIM]);
    assert!(lab.incidents().is_empty());
}

/// Who stands on both sides of a route server are neighbours.
#[test]
fn a_link_across_a_route_server_is_known_from_the_table() {
    let mut lab = Lab::new();
    lab.facts.route_servers = vec![Asn(64509)];
    lab.stands("203.0.113.0/24", &[64511, 64509, VICTIM]);
    lab.begin();
    lab.all_announce(100, "203.0.113.128/25", &[64511, 64509, VICTIM]);
    assert!(lab.incidents().is_empty(), "{:#?}", lab.incidents());
    lab.all_announce(200, "203.0.113.128/25", &[64511, VICTIM]);
    assert!(lab.incidents().is_empty(), "{:#?}", lab.incidents());
}
