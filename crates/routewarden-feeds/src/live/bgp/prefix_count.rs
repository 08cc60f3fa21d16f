//! How many prefixes a neighbour announces.

use std::hash::BuildHasher;

use hashbrown::HashSet;
use routewarden_wire::{Nlri, Update};

/// Hashes what is counted; seeded anew in each process, so that nobody can make prefixes that fall
/// together.
type Hasher = foldhash::fast::RandomState;

/// The prefixes (paths, with ADD-PATH) that a neighbour announces, by their hashes: their number is
/// all that is asked.
#[derive(Debug, Default)]
pub(super) struct PrefixCount {
    hasher: Hasher,
    announced: HashSet<u64, Hasher>,
}

impl PrefixCount {
    /// Takes an update; whether no more than `max` are announced.
    pub(super) fn update(&mut self, update: &Update<'_>, max: usize) -> bool {
        update.for_each_field(|field, is_announced| {
            let hash = |nlri: Nlri| self.hasher.hash_one((nlri.prefix, nlri.path_id, nlri.safi));
            if is_announced {
                field.for_each(|nlri| {
                    if self.announced.len() <= max {
                        self.announced.insert(hash(nlri));
                    }
                });
            } else {
                field.for_each(|nlri| {
                    self.announced.remove(&hash(nlri));
                });
            }
        });
        self.announced.len() <= max
    }
}
