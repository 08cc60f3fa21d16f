//! What an AS originates, and who stands next to it.

use std::cmp::Reverse;

use hashbrown::HashMap;
use routewarden_core::{Asn, Prefix, Share};

use super::standing::Standing;
use super::{
    AsLook, LOOK_NEIGHBORS_MAX, LOOK_NEIGHBORS_SEEN_MAX, LOOK_PREFIXES_MAX, LOOK_STEP_ROUTES,
    Neighbor, OriginatedPrefix, PREFIX_WORK, SeenOrigin, family_place,
};
use crate::Detector;
use crate::engine::DetectorShard;

type Hasher = foldhash::fast::FixedState;

/// A look at an AS under way.
#[derive(Debug)]
pub(super) struct AsWalk {
    asn: Asn,
    last: Option<Prefix>,
    prefix_count: [usize; 2],
    prefixes: Vec<OriginatedPrefix>,
    truncated: bool,
}

impl AsWalk {
    pub(super) fn new(asn: Asn) -> Self {
        AsWalk { asn, last: None, prefix_count: [0, 0], prefixes: Vec::new(), truncated: false }
    }

    pub(super) fn step(&mut self, detector: &Detector) -> Option<AsLook> {
        let mut work = 0;
        while work < LOOK_STEP_ROUTES {
            let Some((prefix, shard)) = self.next(detector) else {
                return Some(self.finish(detector));
            };
            self.last = Some(prefix);
            work += PREFIX_WORK;
            work += if self.prefixes.len() < LOOK_PREFIXES_MAX {
                self.show(detector, (prefix, shard))
            } else {
                self.count(prefix, shard)
            };
        }
        None
    }

    /// The next prefix that it originates, with the shard that answers for it.
    fn next<'a>(&self, detector: &'a Detector) -> Option<(Prefix, &'a DetectorShard)> {
        let next_of = |shard: &'a DetectorShard| {
            let mut held = shard.rib.originated_by(self.asn, self.last.as_ref());
            Some((held.find(|held| shard.shard.share(held) == Share::Home)?, shard))
        };
        detector.shards().filter_map(next_of).min_by_key(|&(prefix, _)| prefix)
    }

    /// Shows a prefix; gives the routes that were looked at.
    fn show(&mut self, detector: &Detector, (prefix, shard): (Prefix, &DetectorShard)) -> usize {
        let standing = Standing::of(shard, prefix, Some(self.asn));
        if let Some(SeenOrigin { peers, since, rov, .. }) = standing.origin(detector, self.asn) {
            self.prefixes.push(OriginatedPrefix { prefix, peers, since, rov });
            self.count_one(prefix);
        }
        shard.rib.held_routes(&prefix).count()
    }

    /// Counts a prefix that is not shown; gives the routes that were looked at.
    fn count(&mut self, prefix: Prefix, shard: &DetectorShard) -> usize {
        let attributes = shard.rib.attributes();
        let mut looked_at = 0;
        let mut routes = shard.rib.routes(&prefix).inspect(|_| looked_at += 1);
        if routes.any(|route| attributes.claimed_origin(route.attributes) == Some(self.asn)) {
            self.truncated = true;
            self.count_one(prefix);
        }
        looked_at
    }

    fn count_one(&mut self, prefix: Prefix) {
        if let Some(count) = self.prefix_count.get_mut(family_place(prefix.family())) {
            *count += 1;
        }
    }

    fn finish(&mut self, detector: &Detector) -> AsLook {
        let (neighbors, is_cut) = neighbors(detector, self.asn);
        AsLook {
            asn: self.asn,
            name: detector.as_name(self.asn),
            country: detector.country(self.asn),
            at: detector.now(),
            prefix_count: self.prefix_count,
            prefixes: std::mem::take(&mut self.prefixes),
            neighbors,
            truncated: self.truncated || is_cut,
        }
    }
}

/// The neighbours of an AS that stand in most paths; whether some were left out.
fn neighbors(detector: &Detector, asn: Asn) -> (Vec<Neighbor>, bool) {
    let all = detector.shards().flat_map(|shard| shard.rib.neighbors_of(asn));
    let mut counts: HashMap<Asn, usize, Hasher> = HashMap::default();
    let mut is_cut = false;
    for (neighbor, count) in all {
        if counts.len() >= LOOK_NEIGHBORS_SEEN_MAX && !counts.contains_key(&neighbor) {
            is_cut = true;
            break;
        }
        *counts.entry(neighbor).or_default() += usize::try_from(count).unwrap_or(usize::MAX);
    }
    let mut all: Vec<(Asn, usize)> = counts.into_iter().collect();
    let order = |&(asn, count): &(Asn, usize)| (Reverse(count), asn);
    if all.len() > LOOK_NEIGHBORS_MAX {
        is_cut = true;
        all.select_nth_unstable_by_key(LOOK_NEIGHBORS_MAX, order);
        all.truncate(LOOK_NEIGHBORS_MAX);
    }
    all.sort_unstable_by_key(order);
    let shown = |(neighbor, paths)| Neighbor {
        asn: neighbor,
        name: detector.as_name(neighbor),
        relation: detector.knowledge().relation(detector.facts(), asn, neighbor),
        paths,
    };
    (all.into_iter().map(shown).collect(), is_cut)
}
