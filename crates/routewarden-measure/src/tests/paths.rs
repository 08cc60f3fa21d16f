//! What paths tell of the ASes on them.

use routewarden_core::facts::{
    AspaTable, FactKind, FactSource, Facts, Link, Relation, RelationTable, Sourced, TrustAnchorId,
    Vrp, VrpTable,
};
use routewarden_core::{Asn, Prefix};

use crate::{OfPaths, PathSeen, PathsBuilder, PathsTold, RovEvidence, Share};

const ORIGIN: u32 = 9;

fn sourced<T>(kind: FactKind, table: T) -> Sourced<T> {
    let source = FactSource {
        kind,
        name: "test".to_owned(),
        sha256: None,
        date: None,
        entries: 1,
        skipped: std::collections::BTreeMap::new(),
    };
    Sourced { table, source }
}

/// AS1 and AS2 are customers of AS3, which is a customer of AS4; AS4 and AS5 are peers, and AS5 has the
/// customer [`ORIGIN`].
fn relations() -> RelationTable {
    let provider = |a, b| Link::given(Asn(a), Asn(b), Relation::Provider);
    let peers = Link::given(Asn(4), Asn(5), Relation::Peer);
    RelationTable::from_links(vec![
        provider(1, 3),
        provider(2, 3),
        provider(3, 4),
        provider(ORIGIN, 5),
        peers,
    ])
}

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn with_relations() -> Facts {
    Facts { relations: Some(sourced(FactKind::Relations, relations())), ..Facts::default() }
}

fn path(asns: &[u32]) -> Vec<Asn> {
    asns.iter().copied().map(Asn).collect()
}

/// A path, and its OTC.
type Route<'a> = (&'a [u32], Option<u32>);

/// What the routes of prefixes tell.
fn told(facts: &Facts, prefixes: &[(&str, &[Route<'_>])]) -> PathsTold {
    let mut builder = PathsBuilder::new(facts, [Asn(ORIGIN)]);
    for (text, routes) in prefixes {
        let paths: Vec<_> = routes.iter().map(|(asns, otc)| (path(asns), otc.map(Asn))).collect();
        let seen = paths.iter().map(|(path, otc)| PathSeen { path, otc: *otc });
        builder.add(prefix(text), &seen.collect::<Vec<_>>());
    }
    builder.finish()
}

fn marked(told: &PathsTold, asn: u32) -> Option<(u32, u32)> {
    let share = told.otc.as_ref()?.by_as.get(&Asn(asn))?;
    Some((share.part, share.whole))
}

const P: &str = "192.0.2.0/24";
const Q: &str = "198.51.100.0/24";

#[test]
fn who_gives_a_peers_route_to_a_customer_is_asked_for_otc() {
    let facts = with_relations();
    // AS4 got it from its peer AS5, AS3 from its provider AS4: both gave it to customers. AS5 had it from
    // a customer: it is not asked.
    let told = told(&facts, &[(P, &[(&[1, 3, 4, 5, 5, ORIGIN], Some(4))])]);
    assert_eq!((marked(&told, 4), marked(&told, 3)), (Some((1, 1)), Some((1, 1))));
    assert_eq!((marked(&told, 5), marked(&told, 1), marked(&told, ORIGIN)), (None, None, None));
    assert_eq!(told.otc.unwrap().routes, 1);
}

#[test]
fn otc_that_was_set_later_is_not_his() {
    let facts = with_relations();
    let told = told(&facts, &[(P, &[(&[1, 3, 4, 5, ORIGIN], Some(3))])]);
    assert_eq!((marked(&told, 4), marked(&told, 3)), (Some((0, 1)), Some((1, 1))));
}

#[test]
fn a_prefix_over_a_link_counts_once_and_one_who_saw_the_mark_suffices() {
    let facts = with_relations();
    let same: &[Route<'_>] = &[(&[1, 3, 4, 5, ORIGIN], None), (&[2, 3, 4, 5, ORIGIN], Some(5))];
    let told = told(&facts, &[(P, same), (Q, &[(&[1, 3, 4, 5, ORIGIN], None)])]);
    assert_eq!(marked(&told, 4), Some((1, 2)), "over one link to AS3");
    assert_eq!(marked(&told, 3), Some((1, 3)), "over two links in one prefix, one in the other");
}

#[test]
fn otc_of_somebody_out_of_the_path_tells_nothing() {
    let facts = with_relations();
    let told = told(&facts, &[(P, &[(&[1, 3, 4, 5, ORIGIN], Some(64_500))])]);
    assert_eq!((marked(&told, 4), told.otc.unwrap().by_as.len()), (None, 0));
}

#[test]
fn a_collector_without_any_otc_tells_nothing() {
    let facts = with_relations();
    let told = told(&facts, &[(P, &[(&[1, 3, 4, 5, ORIGIN], None)])]);
    assert_eq!(told, PathsTold::default());
    assert!(PathsBuilder::can_tell(&facts) && !PathsBuilder::can_tell(&Facts::default()));
}

#[test]
fn invalid_routes_are_those_no_valid_one_rivals() {
    let vrp = |asn, text: &str| Vrp {
        asn: Asn(asn),
        prefix: prefix(text),
        max_len: 24,
        ta: TrustAnchorId::default(),
    };
    let vrps = VrpTable::from_vrps(vec![vrp(8, P), vrp(8, Q)]);
    let facts = Facts { vrps: Some(sourced(FactKind::Vrps, vrps)), ..Facts::default() };
    let control: &[Route<'_>] = &[(&[1, 5, ORIGIN], None), (&[2, 5, ORIGIN], None)];
    let told = told(
        &facts,
        &[
            ("203.0.113.0/24", control),
            (P, &[(&[1, 5, ORIGIN], None)]),
            // AS8 announces it, too, and may.
            (Q, &[(&[1, 5, ORIGIN], None), (&[2, 8], None)]),
        ],
    );
    let OfPaths { routes, by_as } = told.rov.unwrap();
    let of = |asn| by_as.get(&Asn(asn)).copied();
    assert_eq!(routes, 1);
    assert_eq!(of(1), Some(RovEvidence { offered: 1, dropped: 0 }));
    assert_eq!(of(2), Some(RovEvidence { offered: 1, dropped: 1 }));
    assert_eq!((of(8), told.otc), (None, None));
}

#[test]
fn an_aspa_names_some_of_the_providers() {
    let links = [(1, 3), (1, 4)].map(|(a, b)| Link::given(Asn(a), Asn(b), Relation::Provider));
    let relations = RelationTable::from_links(links.to_vec());
    let aspas = AspaTable::from_records(vec![(Asn(1), vec![Asn(4), Asn(7)])]);
    let of = |asn| Share::of_providers(Asn(asn), &relations, &aspas);
    assert_eq!(of(1), Share { part: 1, whole: 2 });
    assert_eq!(of(3), Share::default(), "no provider is known");
    let nobody = AspaTable::default();
    assert_eq!(Share::of_providers(Asn(1), &relations, &nobody), Share { part: 0, whole: 2 });
}
