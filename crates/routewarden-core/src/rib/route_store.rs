//! Routes of all prefixes in few large allocations: a route takes twelve octets.
//!
//! The routes to one prefix lie together in a block, sorted by peer. Blocks come in classes of
//! capacity, each class in pages of its own; a block that is full moves to the next class.

use super::AttributeId;
use crate::{PeerId, Timestamp};

/// Most peers whose routes can be kept: their numbers are stored in 16 bits.
pub const PEERS_MAX: u32 = 1 << 16;
/// Routes of one page, at least: large enough that the allocator gives it back to the system.
const PAGE_ROUTES: usize = 1 << 14;
/// A stored fraction of a second counts in units of this many microseconds, so that it fits into
/// 16 bits.
const FRACTION_MICROS: u32 = 16;
const MICROS_PER_SEC: i64 = 1_000_000;

/// A time as it is stored: whole seconds and units of 16 microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StoredTime {
    secs: u32,
    fraction: u16,
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
}

/// Blocks of one capacity.
#[derive(Debug, Default)]
struct Class {
    pages: Vec<Box<[StoredRoute]>>,
    free: Vec<u32>,
    /// Blocks ever made in the pages there are.
    made: u32,
}

/// The routes of all prefixes.
#[derive(Debug, Default)]
pub(super) struct RouteStore {
    classes: Vec<Class>,
}

/// Capacity of a class: every number up to 4, then four steps for each doubling.
fn capacity(class: u8) -> usize {
    let class = usize::from(class);
    if class < 4 {
        return class + 1;
    }
    let (doublings, quarter) = ((class - 4) / 4, (class - 4) % 4);
    (5 + quarter) << doublings
}

fn blocks_of_page(class: u8) -> usize {
    (PAGE_ROUTES / capacity(class)).max(1)
}

impl Class {
    fn span(class: u8, block: u32) -> Option<(usize, std::ops::Range<usize>)> {
        let block = usize::try_from(block).ok()?;
        let (page, place) = (block / blocks_of_page(class), block % blocks_of_page(class));
        let start = place * capacity(class);
        Some((page, start..start + capacity(class)))
    }

    fn take(&mut self, class: u8) -> Option<u32> {
        if let Some(block) = self.free.pop() {
            return Some(block);
        }
        let block = self.made;
        self.made = self.made.checked_add(1)?;
        let (page, _) = Self::span(class, block)?;
        if page >= self.pages.len() {
            let routes = blocks_of_page(class) * capacity(class);
            self.pages.push(vec![StoredRoute::default(); routes].into_boxed_slice());
        }
        Some(block)
    }

    fn give_back(&mut self, block: u32) {
        self.free.push(block);
        if u32::try_from(self.free.len()) == Ok(self.made) {
            // The last one in use: all pages go.
            *self = Class::default();
        }
    }
}

impl RouteStore {
    /// The routes of a list, sorted by peer.
    pub(super) fn routes(&self, list: &RouteList) -> &[StoredRoute] {
        let Some((page, span)) = Class::span(list.class, list.block) else { return &[] };
        let class = self.classes.get(usize::from(list.class));
        let block = class.and_then(|class| class.pages.get(page)?.get(span));
        block.and_then(|block| block.get(..list.len())).unwrap_or_default()
    }

    fn block_mut(&mut self, class: u8, block: u32) -> Option<&mut [StoredRoute]> {
        let (page, span) = Class::span(class, block)?;
        self.classes.get_mut(usize::from(class))?.pages.get_mut(page)?.get_mut(span)
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
        self.block_mut(list.class, list.block)?.get_mut(..list.len())?.get_mut(at)
    }

    /// Puts a route in where [`RouteStore::find`] said. `false` when there is no room for it at
    /// all, which the limits of the table never let happen.
    pub(super) fn insert(&mut self, list: &mut RouteList, at: usize, route: StoredRoute) -> bool {
        let has_block = !list.is_empty();
        if (!has_block || list.len() == capacity(list.class)) && !self.grow(list, has_block) {
            return false;
        }
        let len = list.len();
        let Some(block) = self.block_mut(list.class, list.block) else { return false };
        if at < len && len < block.len() {
            block.copy_within(at..len, at + 1);
        }
        let Some(place) = block.get_mut(at) else { return false };
        *place = route;
        list.len += 1;
        true
    }

    fn grow(&mut self, list: &mut RouteList, has_block: bool) -> bool {
        let class = if has_block { list.class + 1 } else { 0 };
        if list.len == u16::MAX {
            return false;
        }
        if self.classes.len() <= usize::from(class) {
            self.classes.resize_with(usize::from(class) + 1, Class::default);
        }
        let Some(block) = self.classes.get_mut(usize::from(class)).and_then(|c| c.take(class))
        else {
            return false;
        };
        if has_block {
            self.move_block(list, class, block);
        }
        (list.class, list.block) = (class, block);
        true
    }

    /// Moves a list's routes into another class and frees their old block.
    fn move_block(&mut self, list: &RouteList, class: u8, block: u32) {
        let (low, high) = self.classes.split_at_mut(usize::from(list.class.max(class)));
        let (Some(smaller), Some(larger)) =
            (low.get_mut(usize::from(list.class.min(class))), high.first_mut())
        else {
            return;
        };
        let (from, to) = if list.class < class { (smaller, larger) } else { (larger, smaller) };
        let source = Class::span(list.class, list.block)
            .and_then(|(page, span)| from.pages.get(page)?.get(span)?.get(..list.len()));
        let target = Class::span(class, block)
            .and_then(|(page, span)| to.pages.get_mut(page)?.get_mut(span)?.get_mut(..list.len()));
        if let (Some(source), Some(target)) = (source, target) {
            target.copy_from_slice(source);
        }
        from.give_back(list.block);
    }

    /// Takes a route out and moves the rest into a smaller block when most of theirs is unused.
    pub(super) fn remove(&mut self, list: &mut RouteList, at: usize) -> Option<StoredRoute> {
        let len = list.len();
        let block = self.block_mut(list.class, list.block)?.get_mut(..len)?;
        let route = *block.get(at)?;
        block.copy_within(at + 1.., at);
        list.len -= 1;
        if list.is_empty() {
            self.classes.get_mut(usize::from(list.class))?.give_back(list.block);
            *list = RouteList::default();
        } else {
            self.shrink(list);
        }
        Some(route)
    }

    fn shrink(&mut self, list: &mut RouteList) {
        let len = list.len();
        if len * 2 > capacity(list.class) {
            return;
        }
        // One step to spare, so that a route that comes and goes does not move the block.
        let fitting = (0..list.class).find(|&class| capacity(class) > len);
        let Some(class) = fitting else { return };
        let Some(block) = self.classes.get_mut(usize::from(class)).and_then(|c| c.take(class))
        else {
            return;
        };
        self.move_block(list, class, block);
        (list.class, list.block) = (class, block);
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
        let capacities: Vec<usize> = (0..14).map(capacity).collect();
        assert_eq!(capacities, [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24]);
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
            prop_assert!(store.classes.iter().all(|class| class.pages.is_empty()));
        }
    }
}
