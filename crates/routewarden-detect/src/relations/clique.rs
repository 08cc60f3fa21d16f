//! The clique at the top: ASes that reach everything without buying transit, all peers of each
//! other (the third step of `ASRank`).

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::graph::{Graph, at};

/// ASes of the greatest transit degree among which the clique is looked for.
const CANDIDATES: usize = 10;
/// ASes by rank that may join the clique.
const RANK_MAX: usize = 50;
/// Of the paths that show two ASes next to each other, the share in thousandths that may have a
/// third candidate before them: more say that the second buys transit from the first.
const TRANSIT_SHARE_MAX: u64 = 50;
/// Fewest such paths that say so: leaks and typing errors are few.
const TRANSIT_PATHS_MIN: u64 = 6;

/// Numbers of the members, ascending.
pub(super) fn find(graph: &Graph) -> Vec<u32> {
    let top: Vec<u32> = graph.by_rank.iter().copied().take(RANK_MAX).collect();
    let top: Vec<u32> = top.into_iter().filter(|&asn| at(&graph.transit_degree, asn) > 0).collect();
    let pairs = Pairs::of(graph, &top);
    let candidates = top.get(..CANDIDATES.min(top.len())).unwrap_or_default();
    let mut search = Search { graph, pairs: &pairs, top: &top, candidates, best: Vec::new() };
    search.extend(candidates, &mut Vec::new());
    let mut members = search.best;
    members.sort_unstable();
    members
}

/// The search for the greatest set of ASes that are all peers.
struct Search<'a> {
    graph: &'a Graph,
    pairs: &'a Pairs,
    top: &'a [u32],
    candidates: &'a [u32],
    best: Vec<u32>,
}

impl Search<'_> {
    /// Tries every set of candidates that are all peers of each other: 1024 at most.
    fn extend(&mut self, rest: &[u32], members: &mut Vec<u32>) {
        let fits = |&asn: &u32| !members.contains(&asn) && self.pairs.fits(members, asn);
        if !self.candidates.iter().any(fits) {
            let filled = self.fill(members);
            if self.weight(&filled) > self.weight(&self.best) {
                self.best = filled;
            }
            return;
        }
        let mut rest = rest;
        while let Some((&asn, others)) = rest.split_first() {
            rest = others;
            if self.pairs.fits(members, asn) {
                members.push(asn);
                self.extend(rest, members);
                members.pop();
            }
        }
    }

    /// The members, and all down the ranking that fit.
    fn fill(&self, members: &[u32]) -> Vec<u32> {
        let mut filled = members.to_vec();
        for &asn in self.top {
            if !filled.contains(&asn) && self.pairs.fits(&filled, asn) {
                filled.push(asn);
            }
        }
        filled
    }

    /// The number of members counts, then their transit degrees: by degree alone one network that
    /// peers with everybody would keep out all those that it does not peer with.
    fn weight(&self, members: &[u32]) -> (usize, u64) {
        let degree = |&asn: &u32| u64::from(at(&self.graph.transit_degree, asn));
        (members.len(), members.iter().map(degree).sum())
    }
}

/// How the ASes at the top stand next to each other in paths.
struct Pairs {
    /// Paths that show the second next to the first, farther from the collector.
    adjacent: HashMap<(u32, u32), u64, FixedState>,
    /// Of these, paths with this third one right before the first.
    behind: HashMap<(u32, u32, u32), u64, FixedState>,
}

impl Pairs {
    fn of(graph: &Graph, top: &[u32]) -> Self {
        let mut is_top = vec![false; graph.asns.len()];
        for &asn in top {
            if let Some(flag) = is_top.get_mut(asn as usize) {
                *flag = true;
            }
        }
        let mut pairs = Pairs { adjacent: HashMap::default(), behind: HashMap::default() };
        for path in graph.paths() {
            let mut before = None;
            for &hop in path {
                let (near, far) = (graph.near(hop), graph.far(hop));
                if !(at(&is_top, near) && at(&is_top, far)) {
                    before = None;
                    continue;
                }
                *pairs.adjacent.entry((near, far)).or_default() += 1;
                if let Some(third) = before {
                    *pairs.behind.entry((third, near, far)).or_default() += 1;
                }
                before = Some(near);
            }
        }
        pairs
    }

    /// Whether an AS is a neighbour of all members, and with it nobody among them passes the routes
    /// of one on to another.
    fn fits(&self, members: &[u32], asn: u32) -> bool {
        members.iter().all(|&member| {
            self.adjacent(asn, member) + self.adjacent(member, asn) > 0
                && !self.is_customer(asn, member, members)
                && !self.is_customer(member, asn, members)
                && members
                    .iter()
                    .all(|&other| other == member || !self.passes_on(asn, member, other))
        })
    }

    fn adjacent(&self, near: u32, far: u32) -> u64 {
        self.adjacent.get(&(near, far)).copied().unwrap_or(0)
    }

    fn is_customer(&self, provider: u32, customer: u32, thirds: &[u32]) -> bool {
        thirds.iter().any(|&third| self.passes_on(third, provider, customer))
    }

    /// Whether `provider` passes the routes of `customer` on to `third`, and not by accident.
    fn passes_on(&self, third: u32, provider: u32, customer: u32) -> bool {
        let paths = self.behind.get(&(third, provider, customer)).copied().unwrap_or(0);
        paths >= TRANSIT_PATHS_MIN
            && paths * 1000 > self.adjacent(provider, customer) * TRANSIT_SHARE_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relations::PathSet;
    use routewarden_core::{AsPathBuf, Asn};

    /// 1, 2, 3 are peers at the top; 4 buys from 1 and 2; each has customers of its own.
    #[test]
    fn customers_of_the_top_are_no_members() {
        let mut set = PathSet::new(Vec::new());
        let mut insert = |path: &[u32]| {
            set.insert(AsPathBuf::sequence(path.iter().copied().map(Asn)).as_path());
        };
        for stub in 0..20 {
            for (one, other) in [(1, 2), (1, 3), (2, 1), (2, 3), (3, 1), (3, 2)] {
                insert(&[one, other, 100 * other + stub]);
            }
            insert(&[1, 4, 400 + stub]);
            insert(&[2, 4, 400 + stub]);
            insert(&[3, 1, 4, 400 + stub]);
            insert(&[4, 1, 100 + stub]);
            insert(&[4, 2, 3, 300 + stub]);
        }
        // A leak: 3 passes a route of 2 on to 1.
        insert(&[1, 3, 2, 200]);
        let graph = Graph::of(&set);
        let members: Vec<u32> = find(&graph).iter().map(|&n| graph.asn(n).0).collect();
        assert_eq!(members, [1, 2, 3]);
    }

    #[test]
    fn no_paths_no_clique() {
        assert!(find(&Graph::of(&PathSet::new(Vec::new()))).is_empty());
    }
}
