//! Losses of reachability, and losses of sight.

use super::*;
use crate::RelationKind;

const PREFIXES: [&str; 2] = ["203.0.113.0/24", "198.51.100.0/24"];

fn lab() -> Lab {
    let mut lab = Lab::new();
    for prefix in PREFIXES {
        lab.stands(prefix, &[64511, VICTIM]);
    }
    lab.stands("192.0.2.0/24", &[64511]);
    lab.begin();
    lab
}

/// Something happens elsewhere, so that time passes.
fn pass(lab: &mut Lab, secs: u32) {
    lab.all_announce(secs, "192.0.2.0/24", &[64508, 64511]);
}

#[test]
fn an_as_that_loses_all_is_out_until_most_is_back() {
    let mut lab = lab();
    for prefix in PREFIXES {
        lab.all_withdraw(100, prefix);
    }
    pass(&mut lab, 4_000);
    let incidents = lab.incidents();
    let incident = only(&incidents);
    assert_eq!(
        (incident.kind, incident.victims.as_slice()),
        (IncidentKind::AsOutage, [Asn(VICTIM)].as_slice())
    );
    assert_eq!((incident.first_seen, incident.ended_at), (at(100), None));
    for rule in ["withdrawn", "all_lost", "lasts", "no_route_left"] {
        assert!(has(incident, rule), "{rule}");
    }
    assert!(!incident.feeds.degraded && incident.culprits.is_empty());
    for prefix in PREFIXES {
        lab.all_announce(5_000, prefix, &[64511, VICTIM]);
    }
    let incidents = lab.incidents();
    assert_eq!(only(&incidents).ended_at, Some(at(5_000)));
    assert_eq!((incidents[0].state, incidents[0].exposure_secs), (IncidentState::Ended, 4_900));
}

#[test]
fn a_single_prefix_that_comes_back_soon_is_not_told_of() {
    let mut lab = lab();
    lab.all_withdraw(100, PREFIXES[0]);
    pass(&mut lab, 1_000);
    assert!(lab.incidents().is_empty());
    pass(&mut lab, 2_000);
    assert_eq!(only(&lab.incidents()).kind, IncidentKind::PrefixOutage);
    lab.all_announce(3_000, PREFIXES[0], &[64511, VICTIM]);
    lab.all_withdraw(4_000, PREFIXES[0]);
    pass(&mut lab, 9_000);
    let incidents = lab.incidents();
    assert_eq!((only(&incidents).first_seen, incidents[0].recurrences), (at(100), 1));
}

#[test]
fn a_lost_collector_is_no_outage() {
    let mut lab = lab();
    (0..5).for_each(|peer| lab.push(100, peer, RouteEventKind::PeerDown));
    lab.push(9_000, 0, RouteEventKind::PeerUp);
    assert!(lab.incidents().is_empty());
}

#[test]
fn lost_sessions_degrade_what_is_told() {
    let mut lab = lab();
    for peer in 3..5 {
        lab.push(90, peer, RouteEventKind::PeerDown);
    }
    for peer in 0..5 {
        for prefix in PREFIXES {
            lab.withdraw(100, peer, prefix);
        }
    }
    for peer in 0..3 {
        lab.announce(9_000, peer, "192.0.2.0/24", &[64508, 64511]);
    }
    let incidents = lab.incidents();
    let incident = only(&incidents);
    assert!(incident.feeds.degraded && has(incident, "feeds_degraded"));
    assert_eq!((incident.feeds.lost, incident.feeds.sessions), (2, 5));
}

/// The hijack had another cause: the outage only let it be seen.
#[test]
fn a_hijack_during_an_outage_comes_to_sight_by_it() {
    let mut lab = lab();
    for prefix in PREFIXES {
        lab.all_withdraw(100, prefix);
    }
    pass(&mut lab, 2_500);
    lab.all_announce(3_000, PREFIXES[0], &[CULPRIT]);
    let incidents = lab.incidents();
    let outage = incidents.iter().find(|incident| incident.kind == IncidentKind::AsOutage).unwrap();
    let origin = incidents.iter().find(|i| i.culprits == [Asn(CULPRIT)]).unwrap();
    assert!(origin.kind == IncidentKind::OriginHijack || origin.kind == IncidentKind::Moas);
    let tie = |of: &Incident| of.related.iter().map(|tie| tie.relation).collect::<Vec<_>>();
    if origin.kind == IncidentKind::OriginHijack {
        assert_eq!(tie(origin), [RelationKind::SurfacedBy]);
        assert_eq!(tie(outage), [RelationKind::Surfaced]);
    } else {
        assert!(tie(origin).is_empty());
    }
}
