//! Paths as a graph: ASes and links by number, degrees, triples.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use routewarden_core::Asn;

use super::PathSet;

/// Most ASes of a graph: three numbers of ASes fit into one key. 80,000 are in use.
pub const ASES_MAX: usize = 1 << 21;
/// Most links of a graph. The public archives show 0.7 million.
pub const LINKS_MAX: usize = 1 << 24;
/// Most triples of neighbours followed. A collector of 45 peers shows 0.3 million.
pub const TRIPLES_MAX: usize = 1 << 23;

const AS_BITS: u32 = 21;

/// A link walked in one direction: its number, and in the lowest bit whether it is walked from its
/// greater end.
pub(super) type Hop = u32;

/// Numbers of ASes ascend with their ASN, so nothing depends on the order of the paths.
pub(super) struct Graph {
    /// ASNs, ascending; an AS's number is its place.
    pub(super) asns: Vec<Asn>,
    /// Both ends of each link, the lesser first.
    pub(super) links: Vec<(u32, u32)>,
    #[cfg(test)]
    pub(super) degree: Vec<u32>,
    /// For each AS: its neighbours on either side in paths where it stands between.
    pub(super) transit_degree: Vec<u32>,
    /// For each AS: its place by transit degree, the greatest first.
    pub(super) rank: Vec<u32>,
    /// ASes by rank.
    pub(super) by_rank: Vec<u32>,
    /// First ASes of paths, ascending.
    pub(super) vantage_points: Vec<u32>,
    /// Hops of all paths, one path after the other.
    hops: Vec<Hop>,
    /// Where the hops of each path end.
    ends: Vec<usize>,
    /// ASes and links not followed.
    pub(super) over_limit: usize,
}

/// `near` and `far` have `between` between them in paths: `near` is the collector's side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Triple {
    /// From `near` to `between`.
    pub(super) first: Hop,
    /// From `between` to `far`.
    pub(super) second: Hop,
    /// Number of distinct paths.
    pub(super) paths: u32,
    /// Vantage points that have such a path, one bit each, by number modulo 64.
    pub(super) seen_by: u64,
}

pub(super) fn at<T: Copy + Default>(list: &[T], number: u32) -> T {
    list.get(number as usize).copied().unwrap_or_default()
}

fn add<T: std::ops::AddAssign>(list: &mut [T], number: u32, value: T) {
    if let Some(held) = list.get_mut(number as usize) {
        *held += value;
    }
}

/// The number that comes next in a list.
fn next_number<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).unwrap_or(u32::MAX)
}

impl Graph {
    pub(super) fn of(paths: &PathSet) -> Self {
        let mut asns: Vec<Asn> = Vec::new();
        let mut seen = HashMap::with_hasher(FixedState::default());
        for &asn in paths.iter().flatten() {
            if let Entry::Vacant(entry) = seen.entry(asn) {
                entry.insert(0);
                asns.push(asn);
            }
        }
        asns.sort_unstable();
        let mut over_limit = asns.len().saturating_sub(ASES_MAX);
        for asn in asns.drain(ASES_MAX.min(asns.len())..) {
            seen.remove(&asn);
        }
        for (number, asn) in (0..).zip(&asns) {
            seen.insert(*asn, number);
        }
        let mut walk = Walk::new(paths);
        for path in paths.iter() {
            if !walk.path(path.iter().map(|asn| seen.get(asn).copied())) {
                over_limit += 1;
            }
        }
        let ases = asns.len();
        let (mut degree, mut transit_degree) = (vec![0; ases], vec![0; ases]);
        for (&(a, b), &transit) in walk.links.iter().zip(&walk.transit) {
            add(&mut degree, a, 1);
            add(&mut degree, b, 1);
            add(&mut transit_degree, a, u32::from(transit & 1));
            add(&mut transit_degree, b, u32::from(transit >> 1));
        }
        let mut by_rank: Vec<u32> = (0..next_number(&asns)).collect();
        by_rank.sort_by_key(|&asn| {
            (std::cmp::Reverse((at(&transit_degree, asn), at(&degree, asn))), asn)
        });
        let mut rank = vec![0; ases];
        for (place, &asn) in (0..).zip(&by_rank) {
            add(&mut rank, asn, place);
        }
        walk.vantage_points.sort_unstable();
        walk.vantage_points.dedup();
        Graph {
            asns,
            links: walk.links,
            #[cfg(test)]
            degree,
            transit_degree,
            rank,
            by_rank,
            vantage_points: walk.vantage_points,
            hops: walk.hops,
            ends: walk.ends,
            over_limit,
        }
    }

    pub(super) fn asn(&self, number: u32) -> Asn {
        self.asns.get(number as usize).copied().unwrap_or_default()
    }

    /// The AS that a hop starts from, on the collector's side.
    pub(super) fn near(&self, hop: Hop) -> u32 {
        let (a, b) = at(&self.links, hop >> 1);
        if hop & 1 == 0 { a } else { b }
    }

    /// The AS that a hop leads to, on the origin's side.
    pub(super) fn far(&self, hop: Hop) -> u32 {
        self.near(hop ^ 1)
    }

    /// The hops of each path.
    pub(super) fn paths(&self) -> impl Iterator<Item = &[Hop]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let path = self.hops.get(start..end).unwrap_or_default();
            start = end;
            path
        })
    }

    /// The triples of all paths but poisoned ones, by rank of the AS between, then by the others;
    /// the number of poisoned paths; the number of triples over the limit.
    pub(super) fn triples(&self, clique: &[u32]) -> (Vec<Triple>, usize, usize) {
        let mut in_clique = vec![false; self.asns.len()];
        for &member in clique {
            if let Some(is_member) = in_clique.get_mut(member as usize) {
                *is_member = true;
            }
        }
        let (mut poisoned, mut over_limit) = (0, 0);
        let mut triples: HashMap<u64, Triple, FixedState> = HashMap::default();
        for path in self.paths() {
            if self.is_poisoned(path, &in_clique) {
                poisoned += 1;
                continue;
            }
            let seen_by = path.first().map_or(0, |&hop| self.vantage_bit(self.near(hop)));
            for pair in path.windows(2) {
                let &[first, second] = pair else { continue };
                let key = self.key(first, second);
                let is_full = triples.len() >= TRIPLES_MAX;
                match triples.entry(key) {
                    Entry::Occupied(mut entry) => {
                        let triple = entry.get_mut();
                        triple.paths = triple.paths.saturating_add(1);
                        triple.seen_by |= seen_by;
                    }
                    Entry::Vacant(_) if is_full => over_limit += 1,
                    Entry::Vacant(entry) => {
                        entry.insert(Triple { first, second, paths: 1, seen_by });
                    }
                }
            }
        }
        let mut sorted: Vec<(u64, Triple)> = triples.into_iter().collect();
        sorted.sort_unstable_by_key(|&(key, _)| key);
        (sorted.into_iter().map(|(_, triple)| triple).collect(), poisoned, over_limit)
    }

    /// Rank of the AS between, then the others: numbers that do not depend on the paths' order.
    fn key(&self, first: Hop, second: Hop) -> u64 {
        let between = u64::from(at(&self.rank, self.far(first)));
        let (near, far) = (u64::from(self.near(first)), u64::from(self.far(second)));
        between << (2 * AS_BITS) | near << AS_BITS | far
    }

    fn vantage_bit(&self, asn: u32) -> u64 {
        let place = self.vantage_points.binary_search(&asn).unwrap_or_default();
        1 << (place % 64)
    }

    /// Whether two members of the clique have another AS between them.
    fn is_poisoned(&self, path: &[Hop], in_clique: &[bool]) -> bool {
        let mut has_member = false;
        let mut has_left = false;
        let first = path.first().map(|&hop| self.near(hop));
        for asn in first.into_iter().chain(path.iter().map(|&hop| self.far(hop))) {
            if at(in_clique, asn) {
                if has_left {
                    return true;
                }
                has_member = true;
            } else {
                has_left = has_member;
            }
        }
        false
    }
}

/// Links and hops of the paths walked so far.
struct Walk {
    links: Vec<(u32, u32)>,
    /// For each link: bit 0 when its lesser end stands between others on it, bit 1 the greater.
    transit: Vec<u8>,
    numbers: HashMap<u64, u32, FixedState>,
    hops: Vec<Hop>,
    ends: Vec<usize>,
    vantage_points: Vec<u32>,
}

impl Walk {
    fn new(paths: &PathSet) -> Self {
        Walk {
            links: Vec::new(),
            transit: Vec::new(),
            numbers: HashMap::default(),
            hops: Vec::with_capacity(paths.asn_count().saturating_sub(paths.len())),
            ends: Vec::with_capacity(paths.len()),
            vantage_points: Vec::new(),
        }
    }

    /// `false` when a limit keeps the path out.
    fn path(&mut self, asns: impl Iterator<Item = Option<u32>>) -> bool {
        let start = self.hops.len();
        let mut last = None;
        for asn in asns {
            let Some(asn) = asn else {
                self.hops.truncate(start);
                return false;
            };
            if let Some(near) = last {
                let Some(hop) = self.hop(near, asn) else {
                    self.hops.truncate(start);
                    return false;
                };
                self.hops.push(hop);
            } else if self.vantage_points.last() != Some(&asn) {
                self.vantage_points.push(asn);
            }
            last = Some(asn);
        }
        let hops = self.hops.get(start..).unwrap_or_default();
        for pair in hops.windows(2) {
            let &[first, second] = pair else { continue };
            // The AS between is the far end of the first hop and the near end of the second.
            mark(&mut self.transit, first, 1 - (first & 1));
            mark(&mut self.transit, second, second & 1);
        }
        self.ends.push(self.hops.len());
        true
    }

    fn hop(&mut self, near: u32, far: u32) -> Option<Hop> {
        let (a, b) = (near.min(far), near.max(far));
        let is_full = self.links.len() >= LINKS_MAX;
        let number = match self.numbers.entry(u64::from(a) << 32 | u64::from(b)) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(_) if is_full => return None,
            Entry::Vacant(entry) => {
                let number = next_number(&self.links);
                self.links.push((a, b));
                self.transit.push(0);
                *entry.insert(number)
            }
        };
        Some(number << 1 | u32::from(near > far))
    }
}

/// Notes that the lesser (0) or greater (1) end of the hop's link stands between others.
fn mark(transit: &mut [u8], hop: Hop, end: u32) {
    if let Some(ends) = transit.get_mut((hop >> 1) as usize) {
        *ends |= 1 << end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use routewarden_core::AsPathBuf;

    fn graph(paths: &[&[u32]]) -> Graph {
        let mut set = PathSet::new(Vec::new());
        for path in paths {
            set.insert(AsPathBuf::sequence(path.iter().copied().map(Asn)).as_path());
        }
        Graph::of(&set)
    }

    #[test]
    fn degrees_count_neighbours_once() {
        let graph = graph(&[&[30, 20, 10], &[30, 20, 11], &[12, 20, 10], &[10, 20]]);
        let of = |asn: u32, list: &[u32]| list[graph.asns.binary_search(&Asn(asn)).unwrap()];
        assert_eq!((of(20, &graph.degree), of(20, &graph.transit_degree)), (4, 4));
        assert_eq!((of(10, &graph.degree), of(10, &graph.transit_degree)), (1, 0));
        assert_eq!((of(20, &graph.rank), graph.links.len()), (0, 4));
        let points: Vec<Asn> = graph.vantage_points.iter().map(|&n| graph.asn(n)).collect();
        assert_eq!(points, [Asn(10), Asn(12), Asn(30)]);
    }

    #[test]
    fn triples_count_paths_and_leave_poisoned_ones_out() {
        let graph = graph(&[&[5, 1, 2, 9], &[6, 1, 2, 9], &[5, 1, 7, 2, 8]]);
        let number =
            |asn: u32| u32::try_from(graph.asns.binary_search(&Asn(asn)).unwrap()).unwrap();
        let (triples, poisoned, over) = graph.triples(&[number(1), number(2)]);
        assert_eq!((poisoned, over), (1, 0));
        let shown: Vec<(u32, u32, u32, u32, u32)> = triples
            .iter()
            .map(|t| {
                let asn = |n: u32| graph.asn(n).0;
                let between = asn(graph.far(t.first));
                assert_eq!(between, asn(graph.near(t.second)));
                let (near, far) = (asn(graph.near(t.first)), asn(graph.far(t.second)));
                (near, between, far, t.paths, t.seen_by.count_ones())
            })
            .collect();
        assert_eq!(shown, [(5, 1, 2, 1, 1), (6, 1, 2, 1, 1), (1, 2, 9, 2, 2)]);
    }
}
