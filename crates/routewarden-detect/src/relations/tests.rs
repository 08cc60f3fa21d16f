//! Inference on a made-up Internet whose relationships are known.

use super::*;
use routewarden_core::AsPathBuf;

/// 4 ASes at the top with 20 stubs each, 12 networks that buy from two of them, 24 that buy from two of
/// those, 120 stubs; neighbours of the middle levels peer.
fn topology() -> RelationTable {
    let mut links = Vec::new();
    let mut sells = |provider: u32, customer: u32| {
        links.push(Link::given(Asn(provider), Asn(customer), Relation::Customer));
    };
    for n in 0..80 {
        sells(10 + n % 4, 2000 + n);
    }
    for n in 0..12 {
        sells(10 + n % 4, 100 + n);
        sells(10 + (n + 1 + n / 4) % 4, 100 + n);
    }
    for n in 0..24 {
        sells(100 + n % 12, 200 + n);
        sells(100 + (n * 5 + 3) % 12, 200 + n);
    }
    for n in 0..120 {
        sells(200 + n % 24, 1000 + n);
        if n % 3 == 0 {
            sells(200 + (n * 7 + 5) % 24, 1000 + n);
        }
    }
    for a in 10..14 {
        for b in a + 1..14 {
            links.push(Link::given(Asn(a), Asn(b), Relation::Peer));
        }
    }
    for n in 0..12 {
        links.push(Link::given(Asn(100 + n), Asn(100 + (n + 2) % 12), Relation::Peer));
    }
    for n in 0..24 {
        links.push(Link::given(Asn(200 + n), Asn(200 + (n + 7) % 24), Relation::Peer));
    }
    RelationTable::from_links(links)
}

fn ases(topology: &RelationTable) -> Vec<Asn> {
    let mut all: Vec<Asn> = topology.iter().flat_map(|link| [link.a, link.b]).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The route of every AS to one origin: customers' routes first, then peers', then providers', then
/// short ones; repeated until nothing changes.
fn routes_to(origin: Asn, all: &[Asn], topology: &RelationTable) -> Vec<Option<(u8, Vec<Asn>)>> {
    let mut routes: Vec<Option<(u8, Vec<Asn>)>> = vec![None; all.len()];
    routes[all.binary_search(&origin).unwrap()] = Some((0, vec![origin]));
    loop {
        let mut is_changed = false;
        for (place, &asn) in all.iter().enumerate() {
            for (neighbor, held) in topology.neighbors(asn) {
                let Some((had, path)) = &routes[all.binary_search(&neighbor).unwrap()] else {
                    continue;
                };
                let class = match held {
                    Relation::Customer => 1,
                    Relation::Peer => 2,
                    Relation::Provider => 3,
                };
                let is_exported = *had <= 1 || held == Relation::Provider;
                if !is_exported || path.contains(&asn) {
                    continue;
                }
                let better = (class, [&[asn][..], path].concat());
                // Of equal routes each AS prefers one of its own.
                let taste = |path: &[Asn]| (asn.0 * 37 + path[1].0 * 101 + origin.0) % 97;
                let rank = |(class, path): &(u8, Vec<Asn>)| {
                    (
                        *class,
                        path.len(),
                        if path.len() > 1 { taste(path) } else { 0 },
                        path[path.len().min(2) - 1],
                    )
                };
                if routes[place].as_ref().is_none_or(|now| rank(now) > rank(&better)) {
                    routes[place] = Some(better);
                    is_changed = true;
                }
            }
        }
        if !is_changed {
            return routes;
        }
    }
}

fn paths(topology: &RelationTable) -> Vec<Vec<Asn>> {
    let all = ases(topology);
    let is_vantage_point = |asn: Asn| asn.0 < 14 || asn.0.is_multiple_of(3) && asn.0 < 1030;
    let mut paths = Vec::new();
    for &origin in &all {
        let routes = routes_to(origin, &all, topology);
        let seen = all.iter().zip(routes).filter(|&(&asn, _)| is_vantage_point(asn));
        paths.extend(seen.filter_map(|(_, route)| Some(route?.1)));
    }
    paths
}

fn set_of<'a>(paths: impl IntoIterator<Item = &'a Vec<Asn>>) -> PathSet {
    let mut set = PathSet::new(Vec::new());
    for path in paths {
        set.insert(AsPathBuf::sequence(path.iter().copied()).as_path());
    }
    set
}

/// Links inferred as they are, and all links seen: of transit, of peers.
fn score(inferred: &Inferred, topology: &RelationTable) -> [(usize, usize); 2] {
    let mut score = [(0, 0); 2];
    for link in inferred.table.iter() {
        let known = topology.relation(link.a, link.b).unwrap();
        let class = &mut score[usize::from(known == Relation::Peer)];
        class.0 += usize::from(known == link.relation);
        class.1 += 1;
    }
    score
}

#[test]
fn a_known_internet_is_found_again() {
    let topology = topology();
    let set = set_of(&paths(&topology));
    let inferred = infer(&set, None);
    assert_eq!(inferred.clique, [Asn(10), Asn(11), Asn(12), Asn(13)]);
    assert_eq!(inferred.poisoned_paths, 0);
    let [transit, peers] = score(&inferred, &topology);
    assert!(transit.0 * 100 >= transit.1 * 97, "{transit:?}");
    assert!(peers.0 * 100 >= peers.1 * 85, "{peers:?}");
    assert!(transit.1 > 200 && peers.1 > 20, "{transit:?} {peers:?}");
    // Who sells to whom is firm where many see it.
    let firm: Vec<Link> = inferred.table.iter().filter(|link| link.confidence >= 80).collect();
    assert!(firm.len() > 50);
    let right = firm.iter().filter(|link| topology.relation(link.a, link.b) == Some(link.relation));
    assert!(right.count() * 100 >= firm.len() * 97);
}

#[test]
fn the_order_of_the_paths_does_not_matter() {
    let topology = topology();
    let paths = paths(&topology);
    let forward: Vec<Link> = infer(&set_of(&paths), None).table.iter().collect();
    let backward: Vec<Link> = infer(&set_of(paths.iter().rev()), None).table.iter().collect();
    assert_eq!(forward, backward);
}

#[test]
fn a_few_leaks_change_little() {
    let topology = topology();
    let mut paths = paths(&topology);
    // 100 passes routes of one of its providers to the other, and 200 those of its peer.
    let providers: Vec<Asn> = topology.providers(Asn(100)).collect();
    for origin in 1000..1003 {
        paths.push(vec![providers[0], Asn(100), providers[1], Asn(origin)]);
    }
    let inferred = infer(&set_of(&paths), None);
    assert_eq!(inferred.clique, [Asn(10), Asn(11), Asn(12), Asn(13)]);
    assert_eq!(inferred.poisoned_paths, 3);
    assert_eq!(inferred.table.relation(Asn(100), providers[0]), Some(Relation::Provider));
}

#[test]
fn what_is_given_wins_and_is_marked() {
    let topology = topology();
    let set = set_of(&paths(&topology));
    let given = RelationTable::from_links(vec![
        Link::given(Asn(10), Asn(11), Relation::Provider),
        Link::given(Asn(5), Asn(6), Relation::Peer),
    ]);
    let inferred = infer(&set, Some(&given));
    let link = inferred.table.link(Asn(10), Asn(11)).unwrap();
    assert_eq!(link, Link::given(Asn(10), Asn(11), Relation::Provider));
    assert!(inferred.table.link(Asn(5), Asn(6)).is_some(), "not seen in any path");
    assert!(inferred.table.link(Asn(12), Asn(13)).unwrap().is_inferred);
}

#[test]
fn no_paths_no_relations() {
    let inferred = infer(&PathSet::new(Vec::new()), None);
    assert!(inferred.clique.is_empty() && inferred.table.iter().next().is_none());
}
