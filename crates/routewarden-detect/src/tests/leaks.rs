//! Leaks, and the ranks of what they are known by.

use routewarden_core::facts::{
    AspaTable, Constituency, Link, Member, OrganisationTable, Relation, RelationTable,
};

use super::*;
use crate::LeakTriple;

const LEAKER: u32 = 64504;
const PREFIXES: [&str; 5] =
    ["192.0.2.0/26", "192.0.2.64/26", "192.0.2.128/26", "198.51.100.0/25", "203.0.113.0/24"];
/// How the victim's routes go when all is well, and how they go when the leaker leaks.
const REGULAR: [u32; 2] = [64511, VICTIM];
const LEAKED: [u32; 3] = [LEAKER, 64511, VICTIM];

fn given(links: &[(u32, u32, Relation)]) -> Sourced<RelationTable> {
    let links = links.iter().map(|&(a, b, relation)| Link::given(Asn(a), Asn(b), relation));
    sourced(FactKind::Relations, RelationTable::from_links(links.collect()))
}

fn providers_of_the_leaker() -> Sourced<RelationTable> {
    given(&[(LEAKER, 64510, Relation::Provider), (LEAKER, 64511, Relation::Provider)])
}

/// All prefixes stand regularly, and the leaker's own.
fn lab() -> Lab {
    let mut lab = Lab::new();
    for prefix in PREFIXES {
        lab.stands(prefix, &REGULAR);
    }
    lab.stands("198.51.100.128/25", &[LEAKER]);
    lab.stands("198.51.100.192/26", &[64511, LEAKER]);
    lab.begin();
    lab
}

fn leak(lab: &mut Lab) {
    for prefix in PREFIXES {
        lab.all_announce(100, prefix, &LEAKED);
    }
}

fn member(asn: u32, upstreams: &[u32]) -> Sourced<Constituency> {
    let member = Member {
        id: "member".into(),
        asns: vec![Asn(asn)],
        upstreams: upstreams.iter().copied().map(Asn).collect(),
        ..Member::default()
    };
    sourced(FactKind::Constituency, Constituency::new("test", vec![member]).unwrap())
}

/// Neither of the two great ones pays anybody.
fn aspas() -> Sourced<AspaTable> {
    let nobody = |asn: u32| (Asn(asn), vec![Asn(0)]);
    sourced(FactKind::Aspas, AspaTable::from_records(vec![nobody(64510), nobody(64511)]))
}

#[test]
fn a_leak_displaces_regular_paths_and_is_one_incident_with_its_parties() {
    let mut lab = lab();
    lab.facts.relations = Some(providers_of_the_leaker());
    leak(&mut lab);
    for prefix in PREFIXES {
        lab.all_announce(400, prefix, &REGULAR);
    }
    let incidents = lab.incidents();
    let incident = only(&incidents);
    let parties = LeakTriple {
        rfc7908_type: Some(1),
        from: Some(Asn(64511)),
        by: Asn(LEAKER),
        to: Some(Asn(64510)),
    };
    assert_eq!((incident.kind, incident.leak), (IncidentKind::RouteLeak, Some(parties)));
    assert_eq!((incident.prefix_count, incident.victims.as_slice()), (5, [Asn(VICTIM)].as_slice()));
    assert_eq!((incident.first_seen, incident.ended_at), (at(100), Some(at(400))));
    assert!(has(incident, "relations_given") && has(incident, "regular_paths_displaced"));
    assert!(incident.confidence >= 80, "{incident:#?}");
    assert_eq!(incident.artemis_class, None);
}

/// What the table shows between the same three is a habit, whatever it is known by.
#[test]
fn what_stood_in_the_table_is_no_leak() {
    type Change = fn(&mut Lab);
    let proofs: [Change; 2] = [
        |lab| lab.facts.relations = Some(providers_of_the_leaker()),
        |lab| lab.facts.aspas = Some(aspas()),
    ];
    for know in proofs {
        let mut lab = Lab::new();
        for prefix in PREFIXES {
            lab.stands(prefix, &REGULAR);
        }
        lab.stands("198.51.100.128/25", &LEAKED);
        lab.begin();
        know(&mut lab);
        leak(&mut lab);
        assert!(lab.incidents().is_empty(), "{:#?}", lab.incidents());
    }
}

#[test]
fn the_strongest_proof_speaks() {
    let rule = |lab: &Lab| {
        let incidents = lab.incidents();
        let leak = incidents.iter().find(|incident| incident.kind == IncidentKind::RouteLeak);
        leak.map(|leak| leak.evidence[0].rule.clone())
    };
    // A file says that the leaker buys of both.
    let mut lab = self::lab();
    leak(&mut lab);
    lab.facts.relations = Some(providers_of_the_leaker());
    assert_eq!(rule(&lab).as_deref(), Some("relations_given"));
    // Its operator says so, too.
    lab.facts.constituency = Some(member(LEAKER, &[64510, 64511]));
    assert_eq!(rule(&lab).as_deref(), Some("relations_stated"));
    // The operator against the file: the one before sells nothing to it, it buys of it.
    lab.facts.constituency = Some(member(64511, &[LEAKER]));
    assert_eq!(rule(&lab), None);
    // ASPA against the operator.
    lab.facts.aspas = Some(aspas());
    assert_eq!(rule(&lab).as_deref(), Some("aspa_invalid_path"));
    // OTC against all.
    let mut marked = self::lab();
    marked.facts = lab.facts.clone();
    for prefix in PREFIXES {
        marked.all_announce_otc(100, prefix, &LEAKED, 64511);
    }
    assert_eq!(rule(&marked).as_deref(), Some("otc_says_leak"));
    assert_eq!(only(&marked.incidents()).leak.unwrap().by, Asn(LEAKER));
}

#[test]
fn siblings_share_their_routes() {
    let mut lab = lab();
    lab.facts.relations = Some(providers_of_the_leaker());
    leak(&mut lab);
    let before = only(&lab.incidents()).confidence;
    let one = Organisation { id: "A".into(), name: "A".into(), country: "NL".into() };
    let asns = [LEAKER, 64511].map(|asn| (Asn(asn), "A".into())).to_vec();
    let table = OrganisationTable::from_records(vec![one], asns);
    lab.facts.organisations = Some(sourced(FactKind::Organisations, table));
    let incident = &lab.incidents()[0];
    assert!(has(incident, "leaker_same_organisation"));
    assert_eq!(incident.confidence, before - 50);
}

/// RFC 7908 type 6: a hundred internal more-specifics at once.
#[test]
fn a_burst_of_more_specifics_of_ones_own_leaks_internal_routes() {
    let mut lab = Lab::new();
    lab.stands("10.0.0.0/8", &[64511, LEAKER]);
    lab.begin();
    for n in 0..100 {
        lab.all_announce(100, &format!("10.{n}.0.0/16"), &[64511, LEAKER]);
    }
    let incidents = lab.incidents();
    let incident = only(&incidents);
    assert_eq!(incident.leak.unwrap().rfc7908_type, Some(6));
    assert_eq!(
        (incident.culprits.as_slice(), incident.prefix_count),
        ([Asn(LEAKER)].as_slice(), 100)
    );
}
