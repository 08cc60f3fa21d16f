//! Prefixes with who announces them to whom.

use routewarden_core::{AddressFamily, Prefix, Share};

use super::standing::Standing;
use super::{
    LOOK_PREFIXES_MAX, LOOK_ROUTES_MAX, LOOK_STEP_ROUTES, Matching, PREFIX_WORK, PrefixLook,
    SeenPrefix,
};
use crate::Detector;
use crate::engine::DetectorShard;

/// A look at prefixes under way.
#[derive(Debug)]
pub(super) struct PrefixWalk {
    prefix: Prefix,
    matching: Matching,
    prefixes_max: usize,
    last: Option<Prefix>,
    /// Routes shown so far.
    routes: usize,
    prefixes: Vec<SeenPrefix>,
    truncated: bool,
}

impl PrefixWalk {
    pub(super) fn new((prefix, matching): (Prefix, Matching), prefixes_max: usize) -> Self {
        PrefixWalk {
            prefix,
            matching,
            prefixes_max: prefixes_max.min(LOOK_PREFIXES_MAX),
            last: None,
            routes: 0,
            prefixes: Vec::new(),
            truncated: false,
        }
    }

    pub(super) fn step(&mut self, detector: &Detector) -> Option<PrefixLook> {
        let mut work = 0;
        while work < LOOK_STEP_ROUTES {
            let Some((prefix, shard)) = self.next(detector) else {
                return Some(self.finish(detector));
            };
            self.last = Some(prefix);
            work += PREFIX_WORK + shard.rib.held_routes(&prefix).count();
            if shard.rib.routes(&prefix).next().is_none() {
                continue;
            }
            if self.prefixes.len() >= self.prefixes_max {
                self.truncated = true;
                return Some(self.finish(detector));
            }
            let standing = Standing::of(shard, prefix, None);
            let (seen, is_cut) = standing.seen(detector, LOOK_ROUTES_MAX - self.routes);
            self.routes += seen.routes.len();
            self.truncated |= is_cut;
            self.prefixes.push(seen);
        }
        None
    }

    /// The next prefix, with the shard that answers for it.
    fn next<'a>(&self, detector: &'a Detector) -> Option<(Prefix, &'a DetectorShard)> {
        let home = |prefix: &Prefix| {
            detector.shards().find(|shard| shard.shard.share(prefix) == Share::Home)
        };
        let (asked, last) = (&self.prefix, self.last);
        match self.matching {
            Matching::Exact => last.is_none().then(|| Some((*asked, home(asked)?)))?,
            Matching::Covering => {
                // All that covers a prefix lies with it.
                let shard = home(asked)?;
                let is_behind = |held: &Prefix| last.is_none_or(|last| held.len() < last.len());
                Some((shard.rib.covering(asked).find(is_behind)?, shard))
            }
            Matching::Covered => next_covered(detector, asked, last),
        }
    }

    fn finish(&mut self, detector: &Detector) -> PrefixLook {
        PrefixLook {
            prefix: self.prefix,
            at: detector.now(),
            total_peers: detector.total_peers(),
            prefixes: std::mem::take(&mut self.prefixes),
            truncated: self.truncated,
        }
    }
}

/// The first prefix behind `last` that lies in `asked`, with the shard that answers for it.
pub(super) fn next_covered<'a>(
    detector: &'a Detector,
    asked: &Prefix,
    last: Option<Prefix>,
) -> Option<(Prefix, &'a DetectorShard)> {
    let from = last.unwrap_or(*asked);
    let next_of = |shard: &'a DetectorShard| {
        let mut held = shard.rib.covered_from(asked, &from);
        let is_next = |held: &Prefix| Some(*held) != last && shard.shard.share(held) == Share::Home;
        Some((held.find(is_next)?, shard))
    };
    detector.shards().filter_map(next_of).min_by_key(|&(prefix, _)| prefix)
}

/// The first prefix behind `last` in the whole table, IPv4 first, with the shard that answers for it.
pub(super) fn next_of_all(
    detector: &Detector,
    last: Option<Prefix>,
) -> Option<(Prefix, &DetectorShard)> {
    let of_v6 = |last| next_covered(detector, &Prefix::v6(0, 0)?, last);
    match last.map(|last| last.family()) {
        Some(AddressFamily::Ipv6) => of_v6(last),
        _ => next_covered(detector, &Prefix::v4(0, 0)?, last).or_else(|| of_v6(None)),
    }
}
