//! Looks at the table, as the engine would answer them.

use routewarden_core::facts::{AspaState, InvalidReason, Relation, RovState};
use routewarden_core::{AsPathBuf, Peer, Prefix, SegmentKind};
use routewarden_detect::RovSummary;
use routewarden_detect::look::{
    Answer, AsLook, LOOK_PREFIXES_MAX, Matching, Neighbor, OriginatedPrefix, PrefixLook,
    SeenOrigin, SeenPrefix, SeenRoute,
};
use routewarden_detect::path::{Basis, KnownRelation};

use super::*;

fn p(text: &str) -> Prefix {
    text.parse().unwrap()
}

const INVALID: RovSummary =
    RovSummary { state: Some(RovState::Invalid), reason: Some(InvalidReason::Asn) };

fn seen(prefix: Prefix) -> SeenPrefix {
    let mut path = AsPathBuf::sequence([Asn(64511)]);
    path.push_segment(SegmentKind::Set, [Asn(64498), Asn(64499)]);
    let peer =
        Peer { collector: "rrc04".to_owned(), asn: Asn(64511), addr: "192.0.2.1".parse().unwrap() };
    let origin = SeenOrigin {
        asn: Asn(64511),
        name: Some("PEER-AS".to_owned()),
        peers: 1,
        since: at(1),
        rov: INVALID,
        aspa: Some(AspaState::Unknown),
    };
    let routes = vec![SeenRoute { peer, path, since: at(1) }];
    SeenPrefix { prefix, peers: 1, origins: vec![origin], routes }
}

fn of_prefix(prefix: Prefix, matching: Matching, prefixes_max: usize) -> PrefixLook {
    let prefixes = match matching {
        Matching::Exact => vec![seen(prefix)],
        Matching::Covering => vec![seen(prefix), seen(p("0.0.0.0/0"))],
        Matching::Covered => vec![seen(p("192.0.2.0/25")); prefixes_max],
    };
    let truncated = matching == Matching::Covered;
    PrefixLook { prefix, at: at(100), total_peers: [3, 2], prefixes, truncated }
}

fn of_asn(asn: Asn) -> AsLook {
    let neighbor = |asn, relation: Option<Relation>| Neighbor {
        asn: Asn(asn),
        name: None,
        relation: relation.map(|relation| KnownRelation {
            relation,
            basis: Basis::Inferred,
            confidence: 70,
        }),
        paths: 9,
    };
    let originated =
        OriginatedPrefix { prefix: p("192.0.2.0/24"), peers: 3, since: at(1), rov: INVALID };
    AsLook {
        asn,
        name: Some("CULPRIT-AS".to_owned()),
        country: Some("NL".to_owned()),
        at: at(100),
        prefix_count: [1, 0],
        prefixes: vec![originated],
        neighbors: vec![neighbor(64511, Some(Relation::Provider)), neighbor(64512, None)],
        truncated: false,
    }
}

/// The engine's answer; of some ASes, why there is none.
pub(super) fn look(query: Query) -> Result<Look, NoLook> {
    let answer = match query {
        Query::Prefixes { prefix, matching, prefixes_max } => {
            Answer::Prefixes(of_prefix(prefix, matching, prefixes_max))
        }
        Query::Asn(Asn(1)) => return Err(NoLook::Starting),
        Query::Asn(Asn(2)) => return Err(NoLook::Busy),
        Query::Asn(Asn(3)) => return Err(NoLook::TooSlow),
        Query::Asn(Asn(4)) => return Err(NoLook::Ending),
        Query::Asn(asn) => Answer::Asn(of_asn(asn)),
        Query::Origins { .. } | Query::Routes { .. } => return Err(NoLook::Busy),
    };
    Ok(Look { in_baseline: true, answer })
}

#[tokio::test]
async fn a_prefix_has_its_origins_and_routes() {
    let server = Server::new();
    let page = server.ask("/table/prefixes/192.0.2.77/24").await.json();
    let expected = json!({
        "prefix": "192.0.2.0/24", "at": at(100), "in_baseline": true,
        "total_peers": { "v4": 3, "v6": 2 },
        "prefixes": [{
            "prefix": "192.0.2.0/24", "peers": 1,
            "origins": [{
                "asn": 64511, "name": "PEER-AS", "peers": 1, "since": at(1),
                "rov": { "state": "invalid", "reason": "asn" }, "aspa": "unknown"
            }],
            "routes": [{
                "collector": "rrc04", "peer_asn": 64511, "peer_addr": "192.0.2.1",
                "path": [64511, 64498, 64499], "path_text": "64511 {64498,64499}", "since": at(1)
            }]
        }],
        "truncated": false
    });
    assert_eq!(page, expected);
}

#[tokio::test]
async fn prefixes_are_asked_for_as_told() {
    let server = Server::new();
    for (query, found) in [
        ("", 1),
        ("?match=exact", 1),
        ("?match=covering", 2),
        ("?match=covered", 50),
        ("?match=covered&limit=7", 7),
        ("?match=covered&limit=200", LOOK_PREFIXES_MAX),
    ] {
        let page = server.ask(&format!("/table/prefixes/192.0.2.0/24{query}")).await.json();
        assert_eq!(page["prefixes"].as_array().unwrap().len(), found, "{query}");
    }
}

#[tokio::test]
async fn an_as_has_its_prefixes_and_neighbours() {
    let server = Server::new();
    let page = server.ask("/table/asns/as64496").await.json();
    let expected = json!({
        "asn": 64496, "name": "CULPRIT-AS", "country": "NL", "at": at(100), "in_baseline": true,
        "prefix_count": { "v4": 1, "v6": 0 },
        "prefixes": [{
            "prefix": "192.0.2.0/24", "peers": 3, "since": at(1),
            "rov": { "state": "invalid", "reason": "asn" }
        }],
        "neighbours": [
            { "asn": 64511, "name": null, "relation": "provider", "confidence": 70, "paths": 9 },
            { "asn": 64512, "name": null, "relation": null, "confidence": null, "paths": 9 }
        ],
        "truncated": false
    });
    assert_eq!(page, expected);
}

#[tokio::test]
async fn why_nobody_looked_is_told() {
    let server = Server::new();
    for (asn, code) in [(1, "starting"), (2, "busy"), (3, "too_slow"), (4, "ending")] {
        let answer = server.ask(&format!("/table/asns/{asn}")).await;
        assert_eq!(answer.problem(), (503, code.to_owned(), String::new()));
        assert_eq!(answer.header("retry-after"), "1");
    }
}
