//! The distinct paths to infer from.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use routewarden_core::{AsPath, Asn, SegmentKind};

use crate::path::HOPS_MAX;
use crate::path::bogus::asn_fault;

/// Most distinct paths kept. A collector of 45 peers has one million.
pub const PATHS_MAX: usize = 16 << 20;
/// Most ASNs of all paths kept: 4 octets each.
pub const PATH_SET_ASNS_MAX: usize = 64 << 20;

/// ASNs of the collectors' own networks, which some peers' paths begin with.
const COLLECTORS: [Asn; 3] = [Asn(6447), Asn(12654), Asn(3130)];

/// What became of the paths given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PathCounters {
    /// Paths given.
    pub given: u64,
    /// Of these, known before.
    pub known: u64,
    /// Left out: fewer than two ASes.
    pub short: u64,
    /// Left out: an `AS_SET` in the path.
    pub with_set: u64,
    /// Left out: an AS stands twice, others between.
    pub loops: u64,
    /// Left out: an ASN that nobody can have (reserved, private, documentation, `AS_TRANS`).
    pub reserved: u64,
    /// Left out: more than [`HOPS_MAX`] ASes.
    pub long: u64,
    /// Left out: [`PATHS_MAX`] or [`PATH_SET_ASNS_MAX`] reached.
    pub over_limit: u64,
}

/// Distinct, sanitised paths: neighbour first, origin last, prepends collapsed, route servers taken
/// out; without loops, sets and ASNs that nobody can have.
#[derive(Clone, Default)]
pub struct PathSet {
    /// ASNs of all paths, one path after the other.
    asns: Vec<Asn>,
    /// Where each path ends.
    ends: Vec<usize>,
    index: HashTable<u32>,
    hasher: FixedState,
    /// ASNs taken out of paths, ascending.
    transparent: Vec<Asn>,
    takes_reserved: bool,
    counters: PathCounters,
}

impl PathSet {
    /// An empty set. `route_servers` are taken out of paths: they pass routes on, and have no
    /// business relationship with those they stand between.
    pub fn new(mut route_servers: Vec<Asn>) -> Self {
        route_servers.sort_unstable();
        route_servers.dedup();
        PathSet { transparent: route_servers, ..PathSet::default() }
    }

    /// Takes paths with ASNs that nobody can have, too: for labs in documentation space.
    #[must_use]
    pub fn with_reserved_asns(self) -> Self {
        PathSet { takes_reserved: true, ..self }
    }

    /// Takes a path as recorded.
    pub fn insert(&mut self, path: AsPath<'_>) {
        self.counters.given += 1;
        let mut clean = [Asn(0); HOPS_MAX];
        let Some(len) = self.sanitise(path, &mut clean) else { return };
        let clean = clean.get(..len).unwrap_or_default();
        let hash = self.hash(clean);
        if self.index.find(hash, |&held| self.path(held) == clean).is_some() {
            self.counters.known += 1;
            return;
        }
        let is_full = self.ends.len() >= PATHS_MAX || self.asns.len() + len > PATH_SET_ASNS_MAX;
        let Some(number) = u32::try_from(self.ends.len()).ok().filter(|_| !is_full) else {
            self.counters.over_limit += 1;
            return;
        };
        self.asns.extend_from_slice(clean);
        self.ends.push(self.asns.len());
        let (asns, ends, hasher) = (&self.asns, &self.ends, &self.hasher);
        self.index.insert_unique(hash, number, |&held| hasher.hash_one(path_at(asns, ends, held)));
    }

    /// Number of ASes put into `clean`; `None`, and counted, when the path is left out.
    fn sanitise(&mut self, path: AsPath<'_>, clean: &mut [Asn; HOPS_MAX]) -> Option<usize> {
        let counters = &mut self.counters;
        let is_set = |kind| matches!(kind, SegmentKind::Set | SegmentKind::ConfedSet);
        if path.segments().any(|segment| is_set(segment.kind) && segment.count() > 0) {
            counters.with_set += 1;
            return None;
        }
        let mut len = 0;
        for asn in path.collapsed() {
            if !self.takes_reserved && asn_fault(asn).is_some() {
                counters.reserved += 1;
                return None;
            }
            let is_collector = len == 0 && COLLECTORS.contains(&asn);
            if is_collector || self.transparent.binary_search(&asn).is_ok() {
                continue;
            }
            let so_far = clean.get(..len).unwrap_or_default();
            // Prepends around a route server meet once it is out.
            if so_far.last() == Some(&asn) {
                continue;
            }
            if so_far.contains(&asn) {
                counters.loops += 1;
                return None;
            }
            let Some(place) = clean.get_mut(len) else {
                counters.long += 1;
                return None;
            };
            *place = asn;
            len += 1;
        }
        if len < 2 {
            counters.short += 1;
            return None;
        }
        Some(len)
    }

    fn hash(&self, path: &[Asn]) -> u64 {
        self.hasher.hash_one(path)
    }

    fn path(&self, number: u32) -> &[Asn] {
        path_at(&self.asns, &self.ends, number)
    }

    /// All paths in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = &[Asn]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let path = self.asns.get(start..end).unwrap_or_default();
            start = end;
            path
        })
    }

    /// Number of distinct paths.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no path.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// ASNs of all paths together.
    pub(super) fn asn_count(&self) -> usize {
        self.asns.len()
    }

    /// What became of the paths given.
    pub fn counters(&self) -> PathCounters {
        self.counters
    }
}

fn path_at<'a>(asns: &'a [Asn], ends: &[usize], number: u32) -> &'a [Asn] {
    let number = number as usize;
    let start = number.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
    let end = ends.get(number).copied().unwrap_or(start);
    asns.get(start..end).unwrap_or_default()
}

impl std::fmt::Debug for PathSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PathSet").field("paths", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use routewarden_core::AsPathBuf;

    fn insert(set: &mut PathSet, asns: &[u32]) {
        set.insert(AsPathBuf::sequence(asns.iter().copied().map(Asn)).as_path());
    }

    #[test]
    fn paths_are_cleaned_and_kept_once() {
        let mut set = PathSet::new(vec![Asn(99), Asn(98)]);
        insert(&mut set, &[1, 1, 2, 3]);
        insert(&mut set, &[1, 2, 2, 3]);
        insert(&mut set, &[1, 99, 2, 98, 2, 3]);
        insert(&mut set, &[6447, 1, 2]);
        let paths: Vec<Vec<u32>> =
            set.iter().map(|path| path.iter().map(|asn| asn.0).collect()).collect();
        assert_eq!(paths, [vec![1, 2, 3], vec![1, 2]]);
        let counters = set.counters();
        assert_eq!((counters.given, counters.known), (4, 2));
    }

    #[test]
    fn what_tells_nothing_is_counted_and_left_out() {
        let mut set = PathSet::new(Vec::new());
        insert(&mut set, &[1, 2, 1]);
        insert(&mut set, &[1, 65000, 2]);
        insert(&mut set, &[1, 23456]);
        let mut lab = PathSet::new(Vec::new()).with_reserved_asns();
        insert(&mut lab, &[64500, 64501]);
        assert_eq!(lab.len(), 1);
        insert(&mut set, &[1]);
        insert(&mut set, &(1..=65).collect::<Vec<_>>());
        let mut path = AsPathBuf::sequence([Asn(1), Asn(2)]);
        path.push_segment(SegmentKind::Set, [Asn(3)]);
        set.insert(path.as_path());
        assert!(set.is_empty());
        let PathCounters { loops, reserved, short, long, with_set, .. } = set.counters();
        assert_eq!((loops, reserved, short, long, with_set), (1, 2, 1, 1, 1));
    }

    #[test]
    fn many_paths_are_told_apart() {
        let mut set = PathSet::new(Vec::new());
        for _ in 0..2 {
            for asn in 1..5000 {
                insert(&mut set, &[asn, asn + 1, 10_000 / asn + 6000]);
            }
        }
        let PathCounters { given, known, loops, .. } = set.counters();
        assert_eq!(set.len() as u64 + known + loops, given);
        assert!(set.len() >= 4990, "{}", set.len());
    }
}
