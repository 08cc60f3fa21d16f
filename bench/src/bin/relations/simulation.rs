//! Valley-free paths on a known topology, as routers that prefer customers, then peers, then
//! providers, and then short paths, would choose them.

use std::collections::{BTreeSet, VecDeque};

use routewarden_core::facts::{Relation, RelationTable};
use routewarden_core::{AsPath, AsPathBuf, Asn};

/// How a route was had, the most preferred first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Had {
    Own,
    FromCustomer,
    FromPeer,
    FromProvider,
}

/// A route of an AS: how it was had, its length, and the next AS towards the origin.
type Route = Option<(Had, u32, usize)>;

/// Every `each_origin`th AS originates; `vantage_points` ASes spread evenly over all that sell transit
/// give their routes to the collector.
pub(crate) fn paths(
    topology: &RelationTable,
    (vantage_points, each_origin): (usize, usize),
    mut each: impl FnMut(AsPath<'_>),
) {
    let ases: Vec<Asn> = {
        let all: BTreeSet<Asn> = topology.iter().flat_map(|link| [link.a, link.b]).collect();
        all.into_iter().collect()
    };
    let place = |asn: Asn| ases.binary_search(&asn).unwrap_or_default();
    let neighbors: Vec<Vec<(usize, Relation)>> = ases
        .iter()
        .map(|&asn| topology.neighbors(asn).map(|(other, held)| (place(other), held)).collect())
        .collect();
    let transit: Vec<usize> = (0..ases.len())
        .filter(|&asn| of(&neighbors, asn).iter().any(|&(_, held)| held == Relation::Customer))
        .collect();
    let step = (transit.len() / vantage_points.max(1)).max(1);
    let vantage: Vec<usize> = transit.iter().copied().step_by(step).collect();
    for origin in (0..ases.len()).step_by(each_origin.max(1)) {
        let routes = routes_to(origin, &neighbors);
        for &point in &vantage {
            let mut path = Vec::new();
            let mut asn = point;
            while let Some(Some((had, _, next))) = routes.get(asn).copied() {
                path.extend(ases.get(asn));
                if had == Had::Own {
                    break;
                }
                asn = next;
            }
            each(AsPathBuf::sequence(path).as_path());
        }
    }
}

fn of(neighbors: &[Vec<(usize, Relation)>], asn: usize) -> &[(usize, Relation)] {
    neighbors.get(asn).map_or(&[], Vec::as_slice)
}

/// The neighbours, beginning with another one for each origin: so equal routes are not always had from
/// the same neighbour.
fn by_taste(
    neighbors: &[Vec<(usize, Relation)>],
    asn: usize,
    origin: usize,
) -> impl Iterator<Item = &(usize, Relation)> {
    let all = of(neighbors, asn);
    let start = (asn ^ origin.wrapping_mul(2_654_435_761)) % all.len().max(1);
    let (last, first) = all.split_at(start.min(all.len()));
    first.iter().chain(last)
}

/// The route of every AS to one origin: up to providers, once across to peers, down to customers.
fn routes_to(origin: usize, neighbors: &[Vec<(usize, Relation)>]) -> Vec<Route> {
    let mut routes: Vec<Route> = vec![None; neighbors.len()];
    if let Some(route) = routes.get_mut(origin) {
        *route = Some((Had::Own, 0, origin));
    }
    // Up, breadth first: the shortest customer route of each AS; of equals the least neighbour.
    let mut queue = VecDeque::from([origin]);
    let mut order = vec![origin];
    while let Some(asn) = queue.pop_front() {
        let length = routes.get(asn).copied().flatten().map_or(0, |(_, length, _)| length);
        for &(other, held) in by_taste(neighbors, asn, origin) {
            if held == Relation::Provider
                && take(&mut routes, other, (Had::FromCustomer, length + 1, asn))
            {
                queue.push_back(other);
                order.push(other);
            }
        }
    }
    let mut across = Vec::new();
    for &asn in &order {
        let length = routes.get(asn).copied().flatten().map_or(0, |(_, length, _)| length);
        for &(other, held) in of(neighbors, asn) {
            if held == Relation::Peer {
                across.push((length + 1, other, asn.wrapping_mul(2_654_435_761) % 65_521, asn));
            }
        }
    }
    across.sort_unstable();
    for (length, other, _, asn) in across {
        if take(&mut routes, other, (Had::FromPeer, length, asn)) {
            order.push(other);
        }
    }
    // Down by length: a provider gives its best route, whatever it is.
    let mut by_length: Vec<Vec<usize>> = Vec::new();
    for &asn in &order {
        push(&mut by_length, &routes, asn);
    }
    let mut length = 0;
    while let Some(asns) = by_length.get(length).cloned() {
        for asn in asns {
            for &(other, held) in by_taste(neighbors, asn, origin) {
                let hops = u32::try_from(length + 1).unwrap_or(u32::MAX);
                if held == Relation::Customer
                    && take(&mut routes, other, (Had::FromProvider, hops, asn))
                {
                    push(&mut by_length, &routes, other);
                }
            }
        }
        length += 1;
    }
    routes
}

fn push(by_length: &mut Vec<Vec<usize>>, routes: &[Route], asn: usize) {
    let length = routes.get(asn).copied().flatten().map_or(0, |(_, length, _)| length as usize);
    if by_length.len() <= length {
        by_length.resize(length + 1, Vec::new());
    }
    if let Some(asns) = by_length.get_mut(length) {
        asns.push(asn);
    }
}

/// Whether the AS had no route so far.
fn take(routes: &mut [Route], asn: usize, route: (Had, u32, usize)) -> bool {
    match routes.get_mut(asn) {
        Some(held @ None) => {
            *held = Some(route);
            true
        }
        _ => false,
    }
}
