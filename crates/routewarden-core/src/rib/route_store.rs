//! Routes of all prefixes in few large allocations: a route takes twelve octets.
//!
//! The routes to one prefix lie together in a block, sorted by peer; those of a block that is full
//! move to one of the next class.

use super::AttributeId;
use super::blocks::{BlockId, Blocks, capacity, class_of};
use crate::{PeerId, Timestamp};

/// Most peers whose routes can be kept: their numbers are stored in 16 bits.
pub const PEERS_MAX: u32 = 1 << 16;
/// A stored fraction of a second counts in units of this many microseconds, so that it fits into
/// 16 bits.
const FRACTION_MICROS: u32 = 16;
const MICROS_PER_SEC: i64 = 1_000_000;

/// A time as it is stored: whole seconds and units of 16 microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StoredTime {
    pub(super) secs: u32,
    /// Below 62,500.
    pub(super) fraction: u16,
}

impl StoredTime {
    /// `None` when either is out of its range.
    pub(super) fn new(secs: i64, fraction: u64) -> Option<Self> {
        let fraction = u16::try_from(fraction).ok()?;
        let is_sound = i64::from(fraction) * i64::from(FRACTION_MICROS) < MICROS_PER_SEC;
        is_sound.then_some(StoredTime { secs: u32::try_from(secs).ok()?, fraction })
    }
}

impl From<Timestamp> for StoredTime {
    /// Rounded down; times before 1970 count as 1970, those after 2106 as its last second.
    fn from(time: Timestamp) -> Self {
        let secs = u32::try_from(time.secs().max(0)).unwrap_or(u32::MAX);
        let fraction = time.micros().rem_euclid(MICROS_PER_SEC) / i64::from(FRACTION_MICROS);
        StoredTime { secs, fraction: u16::try_from(fraction).unwrap_or(u16::MAX) }
    }
}

impl From<StoredTime> for Timestamp {
    fn from(time: StoredTime) -> Self {
        let micros = u32::from(time.fraction) * FRACTION_MICROS;
        Timestamp::from_secs_micros(time.secs, micros)
    }
}

/// A peer's route to the prefix of its block.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StoredRoute {
    attributes: AttributeId,
    secs: u32,
    fraction: u16,
    peer: u16,
}

impl StoredRoute {
    /// `None` for a peer beyond [`PEERS_MAX`].
    pub(super) fn new(peer: PeerId, attributes: AttributeId, time: StoredTime) -> Option<Self> {
        let peer = u16::try_from(peer.0).ok()?;
        Some(StoredRoute { attributes, secs: time.secs, fraction: time.fraction, peer })
    }

    pub(super) fn peer(self) -> PeerId {
        PeerId(u32::from(self.peer))
    }

    pub(super) fn attributes(self) -> AttributeId {
        self.attributes
    }

    pub(super) fn time(self) -> StoredTime {
        StoredTime { secs: self.secs, fraction: self.fraction }
    }
}

/// Where the routes to one prefix lie. The default is an empty list, which has no block.
#[derive(Debug, Default)]
pub(super) struct RouteList {
    block: u32,
    len: u16,
    class: u8,
}

impl RouteList {
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn len(&self) -> usize {
        usize::from(self.len)
    }

    fn block(&self) -> BlockId {
        BlockId { class: self.class, first: self.block }
    }

    fn set_block(&mut self, block: BlockId) {
        (self.class, self.block) = (block.class, block.first);
    }
}

/// The routes of all prefixes.
#[derive(Debug, Default)]
pub(super) struct RouteStore {
    blocks: Blocks<StoredRoute>,
}

impl RouteStore {
    /// The routes of a list, sorted by peer.
    pub(super) fn routes(&self, list: &RouteList) -> &[StoredRoute] {
        self.blocks.get(list.block()).get(..list.len()).unwrap_or_default()
    }

    /// Place of the peer's route in the list, or where it belongs.
    pub(super) fn find(&self, list: &RouteList, peer: PeerId) -> Result<usize, usize> {
        let routes = self.routes(list);
        // Table dumps come in the order of the peers.
        match routes.last() {
            Some(last) if last.peer() < peer => Err(routes.len()),
            _ => routes.binary_search_by_key(&peer, |route| route.peer()),
        }
    }

    /// The route at a place that [`RouteStore::find`] gave.
    pub(super) fn get_mut(&mut self, list: &RouteList, at: usize) -> Option<&mut StoredRoute> {
        self.blocks.get_mut(list.block()).get_mut(..list.len())?.get_mut(at)
    }

    /// Puts a route in where [`RouteStore::find`] said. `false` when there is no room for it at
    /// all, which the limits of the table never let happen.
    pub(super) fn insert(&mut self, list: &mut RouteList, at: usize, route: StoredRoute) -> bool {
        let has_block = !list.is_empty();
        if (!has_block || list.len() == capacity(list.class)) && !self.grow(list, has_block) {
            return false;
        }
        let len = list.len();
        let block = self.blocks.get_mut(list.block());
        if at < len && len < block.len() {
            block.copy_within(at..len, at + 1);
        }
        let Some(place) = block.get_mut(at) else { return false };
        *place = route;
        list.len += 1;
        true
    }

    /// Puts routes, sorted by peer, into an empty list. Returns `false` when there is no room.
    pub(super) fn fill(&mut self, list: &mut RouteList, routes: &[StoredRoute]) -> bool {
        let Ok(len) = u16::try_from(routes.len()) else { return false };
        let Some(block) = self.blocks.take(class_of(routes.len())) else { return false };
        if let Some(places) = self.blocks.get_mut(block).get_mut(..routes.len()) {
            places.copy_from_slice(routes);
        }
        list.set_block(block);
        list.len = len;
        true
    }

    fn grow(&mut self, list: &mut RouteList, has_block: bool) -> bool {
        if list.len == u16::MAX {
            return false;
        }
        if has_block {
            return self.move_to(list, list.class + 1);
        }
        let Some(block) = self.blocks.take(0) else { return false };
        list.set_block(block);
        true
    }

    fn move_to(&mut self, list: &mut RouteList, class: u8) -> bool {
        let Some(block) = self.blocks.take(class) else { return false };
        self.blocks.copy(list.block(), block, list.len());
        self.blocks.give_back(list.block());
        list.set_block(block);
        true
    }

    /// Takes a route out and moves the rest into a smaller block when most of theirs is unused.
    pub(super) fn remove(&mut self, list: &mut RouteList, at: usize) -> Option<StoredRoute> {
        let len = list.len();
        let block = self.blocks.get_mut(list.block()).get_mut(..len)?;
        let route = *block.get(at)?;
        block.copy_within(at + 1.., at);
        list.len -= 1;
        if list.is_empty() {
            self.blocks.give_back(list.block());
            *list = RouteList::default();
        } else if list.len() * 2 <= capacity(list.class) {
            // One place to spare, so that a route that comes and goes does not move the block.
            let class = class_of(list.len() + 1);
            if class < list.class {
                self.move_to(list, class);
            }
        }
        Some(route)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_route_takes_twelve_octets_and_a_list_eight() {
        assert_eq!(size_of::<StoredRoute>(), 12);
        assert_eq!(size_of::<RouteList>(), 8);
    }

    #[test]
    fn times_are_kept_to_sixteen_microseconds() {
        let time = Timestamp::from_secs_micros(1_609_455_600, 999_999);
        let kept = Timestamp::from(StoredTime::from(time));
        assert_eq!(kept, Timestamp::from_secs_micros(1_609_455_600, 999_984));
        let whole = Timestamp::from_secs(u32::MAX);
        assert_eq!(Timestamp::from(StoredTime::from(whole)), whole);
        let early = Timestamp::from_secs(0).plus_secs(-5);
        assert_eq!(Timestamp::from(StoredTime::from(early)).secs(), 0);
    }

    proptest! {
        /// Equals sorted maps, whatever comes and goes; and keeps nothing at the end.
        #[test]
        fn behaves_as_sorted_maps(ops in prop::collection::vec((0usize..3, 0u32..60, 0u32..4), 1..600)) {
            let mut store = RouteStore::default();
            let mut lists = [RouteList::default(), RouteList::default(), RouteList::default()];
            let mut models: [BTreeMap<u32, u32>; 3] = Default::default();
            for (which, peer, secs) in ops {
                let (list, model) = (&mut lists[which], &mut models[which]);
                let found = store.find(list, PeerId(peer));
                prop_assert_eq!(found.is_ok(), model.contains_key(&peer));
                let time = StoredTime { secs, fraction: 0 };
                let route = StoredRoute::new(PeerId(peer), AttributeId::default(), time).unwrap();
                match (secs, found) {
                    (0, Ok(at)) => {
                        let gone = store.remove(list, at).unwrap();
                        prop_assert_eq!(Some(gone.time().secs), model.remove(&peer));
                    }
                    (0, Err(_)) => {}
                    (_, Ok(at)) => {
                        *store.get_mut(list, at).unwrap() = route;
                        model.insert(peer, secs);
                    }
                    (_, Err(at)) => {
                        prop_assert!(store.insert(list, at, route));
                        model.insert(peer, secs);
                    }
                }
                for (list, model) in lists.iter().zip(&models) {
                    let kept: Vec<(u32, u32)> =
                        store.routes(list).iter().map(|r| (r.peer().0, r.time().secs)).collect();
                    prop_assert_eq!(kept, model.iter().map(|(&p, &s)| (p, s)).collect::<Vec<_>>());
                }
            }
            for list in &mut lists {
                while !list.is_empty() {
                    store.remove(list, 0);
                }
            }
            prop_assert!(store.blocks.is_empty());
        }
    }
}
