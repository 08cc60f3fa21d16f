//! Interned attributes: each distinct set is stored once and freed with its last route.

use hashbrown::HashTable;
use std::hash::BuildHasher;

use super::blocks::{BlockId, Blocks, class_of};
use super::by_as::Neighbors;
use crate::{Asn, Origin, PeerId, RouteAttributes, SegmentKind};

/// Number of an attribute set in an [`AttributeTable`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttributeId(u32);

/// Octets are kept in units of eight.
type Unit = [u8; 8];

/// Most octets of one set: several times what an UPDATE can carry (RFC 8654).
pub(super) const SET_OCTETS_MAX: usize = 1 << 20;

/// What stands before the octets of a set: two units.
#[derive(Clone, Copy, Debug)]
struct Header {
    references: u32,
    len: u32,
    origin: Option<Asn>,
    flags: u8,
    class: u8,
}

impl Header {
    const UNITS: usize = 2;

    fn from_units(&[first, second]: &[Unit; Self::UNITS]) -> Self {
        let ((references, len), (origin, rest)) = (halves(first), halves(second));
        let [has_origin, flags, class, _] = rest.to_le_bytes();
        let origin = (has_origin != 0).then_some(Asn(origin));
        Header { references, len, origin, flags, class }
    }

    fn to_units(self) -> [Unit; Self::UNITS] {
        let rest = [u8::from(self.origin.is_some()), self.flags, self.class, 0];
        let origin = self.origin.map_or(0, |asn| asn.0);
        [unit(self.references, self.len), unit(origin, u32::from_le_bytes(rest))]
    }
}

fn unit(low: u32, high: u32) -> Unit {
    (u64::from(high) << 32 | u64::from(low)).to_le_bytes()
}

fn halves(unit: Unit) -> (u32, u32) {
    let both = u64::from_le_bytes(unit);
    let low = u32::try_from(both & u64::from(u32::MAX)).unwrap_or(0);
    (low, u32::try_from(both >> 32).unwrap_or(0))
}

/// Headers and octets of all sets. The number of a set is that of its first unit.
#[derive(Debug, Default)]
struct Sets {
    blocks: Blocks<Unit>,
}

impl Sets {
    /// Stores a set; `None` when it is too long or there is no number for it.
    fn store(&mut self, octets: &[u8], mut header: Header) -> Option<u32> {
        let class = class_of(Header::UNITS + octets.len().div_ceil(size_of::<Unit>()));
        (header.len, header.class) = (u32::try_from(octets.len()).ok()?, class);
        let block = self.blocks.take(class)?;
        let (head, rest) = self.blocks.get_mut(block).split_first_chunk_mut()?;
        *head = header.to_units();
        rest.as_flattened_mut().get_mut(..octets.len())?.copy_from_slice(octets);
        Some(block.first)
    }

    fn free(&mut self, id: u32, class: u8) {
        self.blocks.give_back(BlockId { class, first: id });
    }

    fn header(&self, id: u32) -> Option<Header> {
        Some(Header::from_units(self.blocks.rest(id).first_chunk()?))
    }

    fn octets(&self, id: u32) -> &[u8] {
        let Some((head, rest)) = self.blocks.rest(id).split_first_chunk() else { return &[] };
        let len = usize::try_from(Header::from_units(head).len).unwrap_or(usize::MAX);
        rest.as_flattened().get(..len).unwrap_or_default()
    }

    fn flag(&mut self, id: u32, flags: u8) {
        let Some(head) = self.blocks.rest_mut(id).first_chunk_mut() else { return };
        *head = Header { flags, ..Header::from_units(head) }.to_units();
    }

    /// Changes the number of references; gives the new one.
    fn count(&mut self, id: u32, by: i32) -> u32 {
        let Some(head) = self.blocks.rest_mut(id).first_chunk_mut() else { return 0 };
        let mut header = Header::from_units(head);
        header.references = header.references.saturating_add_signed(by);
        *head = header.to_units();
        header.references
    }
}

/// Peers whose last attribute set is remembered. More than that share places.
const RECENT_PEERS: usize = 128;
const NO_SET: u32 = u32::MAX;

/// Attribute sets in canonical octets, counted by reference.
#[derive(Debug)]
pub struct AttributeTable {
    sets: Sets,
    index: HashTable<u32>,
    /// The set that was interned last for each peer: about half of what it says next is the same.
    recent: [u32; RECENT_PEERS],
    hasher: foldhash::fast::FixedState,
    octets: usize,
    /// Kept when it is asked for.
    neighbors: Option<Neighbors>,
}

impl Default for AttributeTable {
    fn default() -> Self {
        AttributeTable {
            sets: Sets::default(),
            index: HashTable::new(),
            recent: [NO_SET; RECENT_PEERS],
            hasher: foldhash::fast::FixedState::default(),
            octets: 0,
            neighbors: None,
        }
    }
}

impl AttributeTable {
    /// Keeps count from now on of who stands next to whom in the paths of the sets in use.
    pub(super) fn keep_neighbors(&mut self, max: usize) {
        let mut neighbors = Neighbors::with_limit(max);
        for attributes in self.iter() {
            neighbors.add(attributes.as_path);
        }
        self.neighbors = Some(neighbors);
    }

    pub(super) fn neighbors(&self) -> Option<&Neighbors> {
        self.neighbors.as_ref()
    }

    /// The number of an attribute set that `peer` sent, counting one more reference to it. `None`
    /// for more than [`SET_OCTETS_MAX`] octets and after 2^32 units of octets.
    pub(super) fn intern(
        &mut self,
        peer: PeerId,
        octets: &[u8],
        classify: &mut impl FnMut(&RouteAttributes<'_>) -> u8,
    ) -> Option<AttributeId> {
        let place = usize::try_from(peer.0).unwrap_or(0) % RECENT_PEERS;
        let recent = self.recent.get(place).copied().unwrap_or(NO_SET);
        if recent != NO_SET && self.sets.octets(recent) == octets {
            self.sets.count(recent, 1);
            return Some(AttributeId(recent));
        }
        let id = self.find_or_store(octets, classify)?;
        if let Some(recent) = self.recent.get_mut(place) {
            *recent = id;
        }
        Some(AttributeId(id))
    }

    fn find_or_store(
        &mut self,
        octets: &[u8],
        classify: &mut impl FnMut(&RouteAttributes<'_>) -> u8,
    ) -> Option<u32> {
        let AttributeTable { sets, index, hasher, .. } = self;
        let hash = hasher.hash_one(octets);
        if let Some(&id) = index.find(hash, |&id| sets.octets(id) == octets) {
            sets.count(id, 1);
            return Some(id);
        }
        if octets.len() > SET_OCTETS_MAX {
            return None;
        }
        let attributes = RouteAttributes::decode(octets);
        let origin = attributes.as_ref().and_then(claimed_origin);
        let flags = attributes.as_ref().map_or(0, classify);
        // The set's place is known to the store only.
        let id = sets.store(octets, Header { references: 1, len: 0, origin, flags, class: 0 })?;
        index.insert_unique(hash, id, |&id| hasher.hash_one(sets.octets(id)));
        self.octets += octets.len();
        if let (Some(neighbors), Some(attributes)) = (&mut self.neighbors, attributes) {
            neighbors.add(attributes.as_path);
        }
        Some(id)
    }

    /// Counts one more reference to a set in use.
    pub(super) fn refer(&mut self, id: AttributeId) {
        self.sets.count(id.0, 1);
    }

    /// The canonical octets; see [`RouteAttributes`].
    pub fn octets_of(&self, id: AttributeId) -> &[u8] {
        self.sets.octets(id.0)
    }

    /// Gives one reference back; the last frees the octets.
    pub(super) fn release(&mut self, id: AttributeId) {
        if self.sets.count(id.0, -1) > 0 {
            return;
        }
        let octets = self.sets.octets(id.0);
        self.octets = self.octets.saturating_sub(octets.len());
        if let Some(neighbors) = &mut self.neighbors
            && let Some(held) = RouteAttributes::decode(octets)
        {
            neighbors.remove(held.as_path);
        }
        let hash = self.hasher.hash_one(octets);
        if let Ok(entry) = self.index.find_entry(hash, |&held| held == id.0) {
            entry.remove();
        }
        for recent in &mut self.recent {
            if *recent == id.0 {
                *recent = NO_SET;
            }
        }
        if let Some(header) = self.sets.header(id.0) {
            self.sets.free(id.0, header.class);
        }
        if self.index.is_empty() {
            // Nothing is in use: room for the next millions need not be kept.
            let neighbors = self.neighbors.take().map(Neighbors::emptied);
            *self = AttributeTable { neighbors, ..AttributeTable::default() };
        }
    }

    /// The attributes.
    pub fn get(&self, id: AttributeId) -> Option<RouteAttributes<'_>> {
        RouteAttributes::decode(self.sets.octets(id.0))
    }

    /// The AS answerable for the origination: the origin AS; where the path ends in an `AS_SET`,
    /// the AS before it, which did the aggregation. `None` for an empty path or a set alone.
    pub fn claimed_origin(&self, id: AttributeId) -> Option<Asn> {
        self.sets.header(id.0)?.origin
    }

    /// The flags given when the attributes were first seen.
    pub fn flags(&self, id: AttributeId) -> u8 {
        self.sets.header(id.0).map_or(0, |header| header.flags)
    }

    /// Gives all sets in use new flags: what they were classified by has changed.
    pub(super) fn reclassify(&mut self, classify: &mut impl FnMut(&RouteAttributes<'_>) -> u8) {
        let AttributeTable { sets, index, .. } = self;
        for &id in index.iter() {
            let flags = RouteAttributes::decode(sets.octets(id)).as_ref().map_or(0, &mut *classify);
            sets.flag(id, flags);
        }
    }

    /// Every attribute set in use, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = RouteAttributes<'_>> {
        self.index.iter().filter_map(|&id| RouteAttributes::decode(self.sets.octets(id)))
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
