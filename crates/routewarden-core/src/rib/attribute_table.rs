//! Interned attributes: each distinct set is stored once and freed with its last route.

use hashbrown::HashTable;
use std::hash::BuildHasher;

use super::blocks::{BlockId, Blocks, class_of};
use crate::{Asn, Origin, PeerId, RouteAttributes, SegmentKind};

/// Number of an attribute set in an [`AttributeTable`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttributeId(u32);

/// Octets are kept in units of eight.
type Unit = [u8; 8];

#[derive(Debug)]
struct Slot {
    octets: Stored,
    references: u32,
    origin: Option<Asn>,
    flags: u8,
}

/// Where octets lie.
#[derive(Clone, Copy, Debug)]
struct Stored {
    len: u32,
    block: BlockId,
}

/// The octets of all sets.
#[derive(Debug, Default)]
struct Octets {
    blocks: Blocks<Unit>,
}

impl Octets {
    /// There is always room: the limits of the table end far below 2^32 sets of one size.
    fn store(&mut self, octets: &[u8]) -> Stored {
        let class = class_of(octets.len().div_ceil(size_of::<Unit>()));
        let block = self.blocks.take(class).unwrap_or(BlockId { class: u8::MAX, number: 0 });
        let units = self.blocks.get_mut(block).as_flattened_mut();
        let Some(place) = units.get_mut(..octets.len()) else { return Stored { len: 0, block } };
        place.copy_from_slice(octets);
        Stored { len: u32::try_from(octets.len()).unwrap_or(0), block }
    }

    fn free(&mut self, stored: Stored) {
        self.blocks.give_back(stored.block);
    }

    fn get(&self, stored: Stored) -> &[u8] {
        let len = usize::try_from(stored.len).unwrap_or(0);
        self.blocks.get(stored.block).as_flattened().get(..len).unwrap_or_default()
    }
}

/// Peers whose last attribute set is remembered; a power of two. More share places.
const RECENT_PEERS: usize = 256;

/// Attribute sets in canonical octets, counted by reference.
#[derive(Debug)]
pub struct AttributeTable {
    slots: Vec<Slot>,
    /// The set last interned for each peer: half of what a peer says next has the same.
    recent: [u32; RECENT_PEERS],
    stored: Octets,
    free: Vec<u32>,
    index: HashTable<u32>,
    hasher: foldhash::fast::FixedState,
    octets: usize,
}

impl Default for AttributeTable {
    fn default() -> Self {
        AttributeTable {
            slots: Vec::new(),
            recent: [0; RECENT_PEERS],
            stored: Octets::default(),
            free: Vec::new(),
            index: HashTable::new(),
            hasher: foldhash::fast::FixedState::default(),
            octets: 0,
        }
    }
}

impl AttributeTable {
    /// The number of an attribute set that `peer` sent, counting one more reference to it.
    pub(super) fn intern(
        &mut self,
        peer: PeerId,
        octets: &[u8],
        classify: &mut impl FnMut(&RouteAttributes<'_>) -> u8,
    ) -> AttributeId {
        let place = usize::try_from(peer.0).unwrap_or(0) % RECENT_PEERS;
        let recent = self.recent.get(place).copied().unwrap_or(0);
        if let Some(slot) = slot_mut(&mut self.slots, recent)
            && slot.references > 0
            && self.stored.get(slot.octets) == octets
        {
            slot.references += 1;
            return AttributeId(recent);
        }
        let id = self.find_or_store(octets, classify);
        if let Some(recent) = self.recent.get_mut(place) {
            *recent = id.0;
        }
        id
    }

    fn find_or_store(
        &mut self,
        octets: &[u8],
        classify: &mut impl FnMut(&RouteAttributes<'_>) -> u8,
    ) -> AttributeId {
        let hash = self.hasher.hash_one(octets);
        let (slots, stored) = (&mut self.slots, &mut self.stored);
        let same =
            |at: &u32| slot(slots, *at).is_some_and(|slot| stored.get(slot.octets) == octets);
        if let Some(&at) = self.index.find(hash, same) {
            if let Some(slot) = slot_mut(slots, at) {
                slot.references += 1;
            }
            return AttributeId(at);
        }
        self.octets += octets.len();
        let attributes = RouteAttributes::decode(octets);
        let fresh = Slot {
            octets: stored.store(octets),
            references: 1,
            origin: attributes.as_ref().and_then(claimed_origin),
            flags: attributes.as_ref().map_or(0, classify),
        };
        let at = if let Some(at) = self.free.pop() {
            if let Some(slot) = slot_mut(slots, at) {
                *slot = fresh;
            }
            at
        } else {
            slots.push(fresh);
            u32::try_from(slots.len() - 1).unwrap_or(u32::MAX)
        };
        let hasher = &self.hasher;
        self.index.insert_unique(hash, at, |&at| {
            hasher.hash_one(slot(slots, at).map(|slot| stored.get(slot.octets)).unwrap_or_default())
        });
        AttributeId(at)
    }

    /// Gives one reference back; the last frees the octets.
    pub(super) fn release(&mut self, id: AttributeId) {
        let Some(slot) = slot_mut(&mut self.slots, id.0) else { return };
        slot.references = slot.references.saturating_sub(1);
        if slot.references > 0 {
            return;
        }
        let stored = slot.octets;
        let octets = self.stored.get(stored);
        self.octets = self.octets.saturating_sub(octets.len());
        let hash = self.hasher.hash_one(octets);
        self.stored.free(stored);
        if let Ok(entry) = self.index.find_entry(hash, |&at| at == id.0) {
            entry.remove();
            self.free.push(id.0);
        }
        if self.index.is_empty() {
            // Nothing is in use: room for the next millions need not be kept.
            *self = AttributeTable::default();
        }
    }

    /// The attributes.
    pub fn get(&self, id: AttributeId) -> Option<RouteAttributes<'_>> {
        RouteAttributes::decode(self.stored.get(slot(&self.slots, id.0)?.octets))
    }

    /// The AS answerable for the origination: the origin AS; where the path ends in an `AS_SET`,
    /// the AS before it, which did the aggregation. `None` for an empty path or a set alone.
    pub fn claimed_origin(&self, id: AttributeId) -> Option<Asn> {
        slot(&self.slots, id.0)?.origin
    }

    /// The flags given when the attributes were first seen.
    pub fn flags(&self, id: AttributeId) -> u8 {
        slot(&self.slots, id.0).map_or(0, |slot| slot.flags)
    }

    /// Octets of the distinct attribute sets in use.
    pub fn octets(&self) -> usize {
        self.octets
    }

    /// Number of distinct attribute sets in use.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether no attributes are in use.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }
}

fn claimed_origin(attributes: &RouteAttributes<'_>) -> Option<Asn> {
    match Origin::of(attributes.as_path) {
        Origin::As(asn) => Some(asn),
        Origin::None => None,
        Origin::Set => {
            let sequences = attributes.as_path.segments();
            sequences
                .filter(|segment| segment.kind == SegmentKind::Sequence)
                .filter_map(|segment| segment.asns().next_back())
                .last()
        }
    }
}

fn slot(slots: &[Slot], at: u32) -> Option<&Slot> {
    slots.get(usize::try_from(at).ok()?)
}

fn slot_mut(slots: &mut [Slot], at: u32) -> Option<&mut Slot> {
    slots.get_mut(usize::try_from(at).ok()?)
}
