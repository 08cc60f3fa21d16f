//! Leaks, Only-to-Customer, faults of paths and peerlock against written vectors.
#![expect(clippy::print_stderr, reason = "tests say when shared data is missing")]
#![expect(clippy::unwrap_used, reason = "clippy exempts test functions only")]

use std::path::Path;

use routewarden_core::facts::{Link, Relation, RelationTable};
use routewarden_core::{AsPathBuf, Asn, SegmentKind};
use routewarden_detect::path::{
    Egress, Hops, Ingress, KnownRelation, NeighborRole, PathFaultKind, Peerlock, PeerlockState,
    egress, find_leak, ingress, known_relation, path_faults, peerlock,
};
use serde_json::Value;

/// The vectors, when they are there. In CI they must be.
fn vectors() -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = path.join("../../../shared/vectors/leaks_otc_rov.json");
    if path.exists() {
        return Some(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap());
    }
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "missing: {}", path.display());
    eprintln!("skipped: {} is missing", path.display());
    None
}

fn asn(number: &Value) -> Asn {
    Asn(u32::try_from(number.as_u64().unwrap()).unwrap())
}

fn asns(list: &Value) -> Vec<Asn> {
    list.as_array().unwrap().iter().map(asn).collect()
}

/// Lists in the list are sets.
fn path(list: &Value) -> AsPathBuf {
    let mut path = AsPathBuf::default();
    for member in list.as_array().unwrap() {
        match member {
            Value::Array(_) => path.push_segment(SegmentKind::Set, asns(member)),
            _ => path.push_segment(SegmentKind::Sequence, [asn(member)]),
        }
    }
    path
}

fn relations(topology: &Value) -> RelationTable {
    let links = |name: &str, relation: Relation| -> Vec<Link> {
        let pairs = topology.get(name).unwrap().as_array().unwrap().iter().map(asns);
        pairs
            .map(|pair| Link::given(*pair.first().unwrap(), *pair.last().unwrap(), relation))
            .collect()
    };
    let given = [links("p2c", Relation::Customer), links("p2p", Relation::Peer)];
    RelationTable::from_links(given.concat())
}

#[test]
fn leaks_of_all_types() {
    let Some(document) = vectors() else { return };
    let table = relations(&document["topology"]);
    let known = |a, b| -> Option<KnownRelation> { known_relation(None, Some(&table), a, b) };
    let cases = document["valley_free"].as_array().unwrap();
    for case in cases {
        let path = path(&case["path"]);
        let leak = find_leak(&Hops::of(path.as_path()).unwrap(), known, None);
        let found =
            leak.map(|leak| (u64::from(leak.kind.number()), leak.by.0, leak.from.0, leak.to.0));
        let expected = &case["expect"];
        let expected = expected.is_object().then(|| {
            let of = |name: &str| asn(&expected[name]).0;
            (expected["type"].as_u64().unwrap(), of("leaker"), of("learned_from"), of("leaked_to"))
        });
        assert_eq!(found, expected, "{case}");
    }
    assert_eq!(cases.len(), 11);
}

fn role(name: &Value) -> NeighborRole {
    match name.as_str().unwrap() {
        "provider" => NeighborRole::Provider,
        "customer" => NeighborRole::Customer,
        "peer" => NeighborRole::Peer,
        "rs" => NeighborRole::RouteServer,
        _ => NeighborRole::RouteServerClient,
    }
}

#[test]
fn rfc9234_rules_on_ingress_and_egress() {
    let Some(document) = vectors() else { return };
    let cases = document["otc"].as_array().unwrap();
    for case in cases {
        let otc = |value: &Value| value.as_u64().map(|_| asn(value));
        let held = otc(&case["otc"]);
        let (verdict, after) = if case["fn"] == "ingress" {
            match ingress(held, role(&case["neighbor_role"]), asn(&case["neighbor_asn"])) {
                Ingress::Accept { otc } => ("ok", otc),
                Ingress::Leak { otc } => ("leak", Some(otc)),
            }
        } else {
            match egress(held, role(&case["to_role"]), asn(&case["my_asn"])) {
                Egress::Send { otc } => ("send", otc),
                Egress::Keep => ("do-not-send", held),
            }
        };
        assert_eq!(case["expect"][0].as_str().unwrap(), verdict, "{case}");
        assert_eq!(otc(&case["expect"][1]), after, "{case}");
    }
    assert_eq!(cases.len(), 20);
}

#[test]
fn faults_of_paths() {
    let Some(document) = vectors() else { return };
    let clique = asns(&document["topology"]["clique"]);
    let cases = document["bogus_paths"].as_array().unwrap();
    let kinds = [
        ("documentation", PathFaultKind::Documentation),
        ("private", PathFaultKind::Private),
        ("AS_TRANS", PathFaultKind::AsTrans),
        ("AS0", PathFaultKind::As0),
        ("AS 4294967295", PathFaultKind::Reserved),
        ("reserved", PathFaultKind::Reserved),
        ("loop", PathFaultKind::Loop),
        ("poisoned", PathFaultKind::Poisoned),
        ("AS_SET not", PathFaultKind::SetInside),
        ("AS_SET origin", PathFaultKind::SetAtEnd),
        ("origin AS2", PathFaultKind::PrependCountTypo),
    ];
    for case in cases {
        let why = case["why"].as_str().unwrap();
        let &(_, kind) = kinds.iter().find(|(start, _)| why.starts_with(start)).unwrap();
        assert!(path_faults(path(&case["path"]).as_path(), &clique).has(kind), "{case}");
    }
    assert_eq!(cases.len(), 12);
}

#[test]
fn peerlock_of_protected_ases() {
    let Some(document) = vectors() else { return };
    let cases = document["peerlock"].as_array().unwrap();
    for case in cases {
        let allowed = asns(&case["allowed_via"]);
        let lock = Peerlock { protected: asn(&case["protected"]), allowed_via: &allowed };
        let expected = case["expect"].as_str().unwrap();
        match peerlock(&asns(&case["path"]), lock, &[Asn(1299), Asn(3356)]) {
            PeerlockState::Direct => assert_eq!(expected, "ok-direct"),
            PeerlockState::ViaAllowed { .. } => assert_eq!(expected, "ok-via-allowed"),
            PeerlockState::Violation { .. } => assert!(expected.starts_with("violation")),
            PeerlockState::NotInPath => panic!("{case}"),
        }
    }
    assert_eq!(cases.len(), 4);
}
