//! How suspicious a link is that was never seen before: forged, or a new one of honest networks.
//!
//! A forged path needs a link between the forger and an AS on the origin's side that does not exist.
//! New links of honest networks follow habits: networks connect to others near them, sell transit
//! only when they are in that business, and to those smaller than themselves. The score is a sum of
//! points for these habits; how they were found, and what they find: see
//! `docs/decisions/0016-forged-link-score.md`.

mod points;

use routewarden_core::Asn;
use routewarden_core::facts::{Relation, RelationTable};

use super::graph::{Graph, at};
use super::{Inferred, PathSet};
use serde::{Deserialize, Serialize};

/// From this suspicion on a new link is worth an incident of its own: see the decision for what share
/// of honest new links lies above it, and what share of forged ones.
pub const SUSPICIOUS_MIN: u8 = points::SUSPICIOUS_MIN;
/// Most neighbours of the AS with fewer of them that are asked whether they know a neighbour of the
/// other.
const DISTANCE_NEIGHBORS_MAX: usize = 512;
/// Most ASes visited while customer cones are counted; beyond, a cone counts direct customers only.
const CONE_VISITS_MAX: usize = 1 << 26;

/// Links, sizes and relationships as they were.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LinkModel {
    /// Ascending; an AS's number is its place.
    asns: Vec<Asn>,
    transit_degree: Vec<u32>,
    /// ASes in the customer cone, itself included.
    cone: Vec<u32>,
    /// Neighbours of all ASes, one AS after the other, ascending.
    neighbors: Vec<u32>,
    /// Where the neighbours of each AS end.
    ends: Vec<usize>,
    table: RelationTable,
}

/// Points that speak for (above 0) or against a link being forged, with the value behind them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reason {
    /// Stable name, in `snake_case`.
    pub name: &'static str,
    /// What was found; its meaning is that of the name.
    pub value: u32,
    /// Points added.
    pub points: i32,
}

/// Number of reasons of a score.
pub const REASONS: usize = 5;

/// How suspicious a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkScore {
    /// 0 to 100.
    pub suspicion: u8,
    /// What makes it so, always in the same order.
    pub reasons: [Reason; REASONS],
}

/// What is known of the two ends of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkFeatures {
    /// Links between the two on the shortest other way: 2, 3, or 4 for more or none.
    pub distance: u32,
    /// Transit degree of the end on the collector's side.
    pub near_transit_degree: u32,
    /// Transit degree of the end on the origin's side.
    pub far_transit_degree: u32,
    /// Customer cone of the end on the collector's side, itself included.
    pub near_cone: u32,
    /// Customer cone of the end on the origin's side, itself included.
    pub far_cone: u32,
    /// Whether the AS that took the route from the near end is its provider or peer: then the far end
    /// should be a customer.
    pub is_uphill: bool,
    /// Whether the far end was seen before: nobody can forge the path of an AS that has none.
    pub is_far_known: bool,
}

impl LinkModel {
    /// The model of all links in `paths`, with the relationships inferred from them.
    pub fn new(paths: &PathSet, inferred: &Inferred) -> Self {
        let graph = Graph::of(paths);
        let mut lists = vec![Vec::new(); graph.asns.len()];
        for &(a, b) in &graph.links {
            for (from, to) in [(a, b), (b, a)] {
                if let Some(list) = lists.get_mut(from as usize) {
                    list.push(to);
                }
            }
        }
        let (mut neighbors, mut ends) = (Vec::new(), Vec::with_capacity(lists.len()));
        for mut list in lists {
            list.sort_unstable();
            neighbors.append(&mut list);
            ends.push(neighbors.len());
        }
        let table = inferred.table.clone();
        let cone = cones(&graph.asns, &table);
        LinkModel {
            asns: graph.asns,
            transit_degree: graph.transit_degree,
            cone,
            neighbors,
            ends,
            table,
        }
    }

    /// Whether the link was seen.
    pub fn knows(&self, a: Asn, b: Asn) -> bool {
        let numbers = self.number(a).zip(self.number(b));
        numbers.is_some_and(|(a, b)| self.neighbors(a).binary_search(&b).is_ok())
    }

    /// Whether the AS was seen.
    pub fn knows_as(&self, asn: Asn) -> bool {
        self.number(asn).is_some()
    }

    fn number(&self, asn: Asn) -> Option<u32> {
        let place = self.asns.binary_search(&asn).ok()?;
        u32::try_from(place).ok()
    }

    fn neighbors(&self, number: u32) -> &[u32] {
        let number = number as usize;
        let start = number.checked_sub(1).map_or(0, |before| self.end(before));
        self.neighbors.get(start..self.end(number)).unwrap_or_default()
    }

    fn end(&self, place: usize) -> usize {
        self.ends.get(place).copied().unwrap_or_default()
    }

    /// Scores the link at `path[at]`, `path[at + 1]`, which the model does not know. `path` is
    /// neighbour first, origin last, prepends collapsed. `None` when there is no such link, or both
    /// ends are new.
    pub fn score(&self, path: &[Asn], at: usize) -> Option<LinkScore> {
        let features = self.features(path, at)?;
        Some(points::score(&features))
    }

    /// What the score rests on: see [`LinkModel::score`].
    pub fn features(&self, path: &[Asn], place: usize) -> Option<LinkFeatures> {
        let (&near, &far) = (path.get(place)?, path.get(place + 1)?);
        let (near_number, far_number) = (self.number(near), self.number(far));
        if near_number.is_none() && far_number.is_none() {
            return None;
        }
        let of = |list: &[u32], number: Option<u32>| number.map_or(0, |number| at(list, number));
        let taker = place.checked_sub(1).and_then(|before| path.get(before));
        let taker = taker.and_then(|&taker| self.table.relation(near, taker));
        Some(LinkFeatures {
            distance: self.distance(near_number, far_number),
            near_transit_degree: of(&self.transit_degree, near_number),
            far_transit_degree: of(&self.transit_degree, far_number),
            near_cone: of(&self.cone, near_number).max(1),
            far_cone: of(&self.cone, far_number).max(1),
            is_uphill: matches!(taker, Some(Relation::Provider | Relation::Peer)),
            is_far_known: far_number.is_some(),
        })
    }

    /// 2, 3, or 4 for more.
    fn distance(&self, a: Option<u32>, b: Option<u32>) -> u32 {
        let Some((a, b)) = a.zip(b) else { return 4 };
        let (a, b) = (self.neighbors(a), self.neighbors(b));
        let (few, many) = if a.len() <= b.len() { (a, b) } else { (b, a) };
        if have_common(few, many) {
            return 2;
        }
        let mut next = few.iter().take(DISTANCE_NEIGHBORS_MAX);
        if next.any(|&neighbor| have_common(self.neighbors(neighbor), many)) { 3 } else { 4 }
    }
}

/// Whether two ascending lists have a member in common.
fn have_common(a: &[u32], b: &[u32]) -> bool {
    let (few, many) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    few.iter().any(|number| many.binary_search(number).is_ok())
}

/// The customer cone of each AS: itself, its customers, theirs, and so on.
fn cones(asns: &[Asn], table: &RelationTable) -> Vec<u32> {
    let number = |asn: Asn| asns.binary_search(&asn).ok();
    let customers: Vec<Vec<usize>> =
        asns.iter().map(|&asn| table.customers(asn).filter_map(number).collect()).collect();
    let mut visited = vec![usize::MAX; asns.len()];
    let mut visits = 0;
    let mut stack = Vec::new();
    let mut cone = Vec::with_capacity(asns.len());
    for start in 0..asns.len() {
        let mut count: u32 = 0;
        stack.push(start);
        while let Some(asn) = stack.pop() {
            let Some(mark) = visited.get_mut(asn).filter(|mark| **mark != start) else { continue };
            *mark = start;
            count = count.saturating_add(1);
            visits += 1;
            if visits <= CONE_VISITS_MAX || asn == start {
                stack.extend(customers.get(asn).into_iter().flatten());
            }
        }
        cone.push(count);
    }
    cone
}

#[cfg(test)]
mod tests;
