//! A map from prefix to value that changes all the time and knows less- and more-specifics.
//!
//! For facts, which never change, see [`PrefixTable`](crate::facts::PrefixTable).

use std::hash::BuildHasher;

use hashbrown::HashTable;

use crate::prefix_set::PrefixSet;
use crate::{AddressFamily, Prefix};

/// Most prefixes in one map; positions are `u32`.
pub const PREFIXES_MAX: usize = u32::MAX as usize;
/// Room for this many prefixes is never given back.
const ROOM_KEPT: usize = 4_096;
/// Lengths of prefixes: 0 to 128 bits.
const LENGTHS: usize = 129;

/// A map from prefix to `T` with exact look-ups by hash and look-ups of less- and more-specifics.
///
/// A prefix takes 18 octets and its value in one array, 5 to 10 octets in the hash index, and
/// about 20 octets (IPv4) or 34 octets (IPv6) in a sorted set. An exact look-up is one probe of
/// the index, none when it asks for the prefix that was changed last, as the entries of a table
/// dump do. [`covering`](PrefixMap::covering) probes once for each shorter length in use;
/// [`covered`](PrefixMap::covered) is a search in the sorted set, then one probe for each prefix
/// given.
#[derive(Debug)]
pub struct PrefixMap<T> {
    /// Positions in `entries`, by hash of the prefix.
    index: HashTable<u32>,
    entries: Vec<(Prefix, T)>,
    sorted: PrefixSet,
    /// Prefixes of each length, by family.
    lengths: [[u32; LENGTHS]; 2],
    /// Position of the entry found or made last by a call that may change it.
    last: usize,
    hasher: foldhash::fast::FixedState,
}

impl<T> Default for PrefixMap<T> {
    fn default() -> Self {
        PrefixMap {
            index: HashTable::new(),
            entries: Vec::new(),
            sorted: PrefixSet::default(),
            lengths: [[0; LENGTHS]; 2],
            last: 0,
            hasher: foldhash::fast::FixedState::default(),
        }
    }
}

impl<T: serde::Serialize> serde::Serialize for PrefixMap<T> {
    /// A sequence of prefix and value, ascending.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq as _;
        let mut all = serializer.serialize_seq(Some(self.len()))?;
        for entry in self.iter_sorted() {
            all.serialize_element(&entry)?;
        }
        all.end()
    }
}

/// Reads the entries.
struct Entries<T>(std::marker::PhantomData<T>);
impl<'de, T: serde::Deserialize<'de> + Default> serde::de::Visitor<'de> for Entries<T> {
    type Value = PrefixMap<T>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a sequence of prefix and value")
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut all: A) -> Result<PrefixMap<T>, A::Error> {
        let mut map = PrefixMap::default();
        while let Some((prefix, value)) = all.next_element::<(Prefix, T)>()? {
            if map.len() >= PREFIXES_MAX {
                return Err(serde::de::Error::custom("too many prefixes"));
            }
            *map.get_or_default(prefix) = value;
        }
        Ok(map)
    }
}

impl<'de, T: serde::Deserialize<'de> + Default> serde::Deserialize<'de> for PrefixMap<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Entries(std::marker::PhantomData))
    }
}

impl<T> PrefixMap<T> {
    /// The value of exactly this prefix.
    pub fn get(&self, prefix: &Prefix) -> Option<&T> {
        self.entries.get(self.position(prefix)?).map(|(_, value)| value)
    }

    /// The value of exactly this prefix, to be changed.
    pub fn get_mut(&mut self, prefix: &Prefix) -> Option<&mut T> {
        let at = self.position(prefix)?;
        self.last = at;
        self.entries.get_mut(at).map(|(_, value)| value)
    }

    /// The value of exactly this prefix, which is added with a default value when it is not held.
    ///
    /// # Panics
    /// With more than [`PREFIXES_MAX`] prefixes; whoever reads input caps them far below.
    #[expect(clippy::indexing_slicing, reason = "a position of the index or the one just made")]
    pub fn get_or_default(&mut self, prefix: Prefix) -> &mut T
    where
        T: Default,
    {
        self.last = self.position(&prefix).unwrap_or_else(|| self.push(prefix, T::default()));
        &mut self.entries[self.last].1
    }

    fn position(&self, prefix: &Prefix) -> Option<usize> {
        if self.entries.get(self.last).is_some_and(|(last, _)| last == prefix) {
            return Some(self.last);
        }
        let is_same = |&at: &u32| self.prefix_at(at) == Some(prefix);
        let at = self.index.find(self.hasher.hash_one(prefix), is_same)?;
        usize::try_from(*at).ok()
    }

    fn prefix_at(&self, at: u32) -> Option<&Prefix> {
        self.entries.get(usize::try_from(at).ok()?).map(|(prefix, _)| prefix)
    }

    /// Adds a prefix that is not held; gives its position.
    fn push(&mut self, prefix: Prefix, value: T) -> usize {
        let at = self.entries.len();
        assert!(at < PREFIXES_MAX, "more prefixes than positions");
        self.entries.push((prefix, value));
        let PrefixMap { index, entries, hasher, .. } = self;
        let hash_at = |&at: &u32| {
            let entry = usize::try_from(at).ok().and_then(|at| entries.get(at));
            entry.map_or(0, |(prefix, _)| hasher.hash_one(prefix))
        };
        let number = u32::try_from(at).unwrap_or(u32::MAX);
        index.insert_unique(hasher.hash_one(prefix), number, hash_at);
        self.sorted.insert(&prefix);
        if let Some(count) = self.length_mut(&prefix) {
            *count += 1;
        }
        at
    }

    /// Takes a prefix out; memory is given back when hardly any of it is used.
    pub fn remove(&mut self, prefix: &Prefix) -> Option<T> {
        let at = self.position(prefix)?;
        self.forget_position(prefix, at);
        let (_, value) = self.entries.swap_remove(at);
        // The last entry has taken the place; its number in the index follows.
        let moved_from = self.entries.len();
        if let Some((moved, _)) = self.entries.get(at) {
            let hash = self.hasher.hash_one(moved);
            let number = self.index.find_mut(hash, |&held| usize::try_from(held) == Ok(moved_from));
            if let (Some(number), Ok(at)) = (number, u32::try_from(at)) {
                *number = at;
            }
        }
        self.sorted.remove(prefix);
        if let Some(count) = self.length_mut(prefix) {
            *count = count.saturating_sub(1);
        }
        self.give_memory_back();
        Some(value)
    }

    fn forget_position(&mut self, prefix: &Prefix, at: usize) {
        let hash = self.hasher.hash_one(prefix);
        if let Ok(entry) = self.index.find_entry(hash, |&held| usize::try_from(held) == Ok(at)) {
            entry.remove();
        }
    }

    fn give_memory_back(&mut self) {
        let (len, room) = (self.entries.len(), self.entries.capacity());
        if room > ROOM_KEPT && len < room / 8 {
            self.entries.shrink_to(len * 2);
            let PrefixMap { index, entries, hasher, .. } = self;
            index.shrink_to(len * 2, |&at| {
                let entry = usize::try_from(at).ok().and_then(|at| entries.get(at));
                entry.map_or(0, |(prefix, _)| hasher.hash_one(prefix))
            });
        }
    }

    fn length_mut(&mut self, prefix: &Prefix) -> Option<&mut u32> {
        self.lengths.get_mut(family_index(prefix))?.get_mut(usize::from(prefix.len()))
    }

    /// Entries that cover `prefix`: the exact one first (if held), then ever less specific.
    pub fn covering(&self, prefix: &Prefix) -> impl Iterator<Item = (Prefix, &T)> + use<'_, T> {
        let lengths = self.lengths.get(family_index(prefix)).map(<[u32; LENGTHS]>::as_slice);
        let counts = lengths.unwrap_or_default().iter().zip(0..=prefix.len());
        let prefix = *prefix;
        counts.rev().filter(|(count, _)| **count > 0).filter_map(move |(_, len)| {
            let covering = prefix.less_specific(len)?;
            Some((covering, self.get(&covering)?))
        })
    }

    /// Entries covered by `prefix`: the exact one first (if held), then its more-specifics in
    /// the order of [`Prefix`]. Found one after the other: take as many as are wanted.
    pub fn covered(&self, prefix: &Prefix) -> impl Iterator<Item = (Prefix, &T)> + use<'_, T> {
        self.covered_from(prefix, prefix)
    }

    /// As [`PrefixMap::covered`], without those before `from`, which is covered, too.
    pub fn covered_from(
        &self,
        prefix: &Prefix,
        from: &Prefix,
    ) -> impl Iterator<Item = (Prefix, &T)> + use<'_, T> {
        let top = *prefix;
        let from = self.sorted.from(from).take_while(move |held| top.covers(held));
        from.filter_map(|held| Some((held, self.get(&held)?)))
    }

    /// All entries in the order of [`Prefix`], with one probe of the index each.
    pub fn iter_sorted(&self) -> impl Iterator<Item = (Prefix, &T)> {
        self.sorted.iter().filter_map(|held| Some((held, self.get(&held)?)))
    }

    /// All entries, in an order that follows from the history of the map.
    pub fn iter(&self) -> impl Iterator<Item = (&Prefix, &T)> {
        self.entries.iter().map(|(prefix, value)| (prefix, value))
    }

    /// Number of prefixes.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no prefix is held.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

fn family_index(prefix: &Prefix) -> usize {
    match prefix.family() {
        AddressFamily::Ipv4 => 0,
        AddressFamily::Ipv6 => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// Prefixes of few distinct bits, so that they nest and repeat.
    fn nested_prefix() -> impl Strategy<Value = Prefix> {
        (any::<bool>(), 0u32..64, 0u8..=8).prop_map(|(v4, bits, len)| {
            if v4 {
                Prefix::v4(bits << 26, len).unwrap()
            } else {
                // Full lengths as well: 128 bits do not fit a mask of 128 bits.
                Prefix::v6(u128::from(bits) << 122, if len == 8 { 128 } else { len }).unwrap()
            }
        })
    }

    #[test]
    fn memory_returns_when_it_empties() {
        let mut map = PrefixMap::<u8>::default();
        let all: Vec<Prefix> = (0..20_000).map(|n| Prefix::v4(n << 8, 24).unwrap()).collect();
        for prefix in &all {
            map.get_or_default(*prefix);
        }
        for prefix in &all {
            assert_eq!(map.remove(prefix), Some(0));
        }
        assert!(map.is_empty() && map.entries.capacity() <= ROOM_KEPT);
        assert!(map.index.capacity() <= 2 * ROOM_KEPT && map.index.is_empty());
        assert_eq!(map.sorted.iter().count(), 0);
    }

    proptest! {
        /// Equals a sorted map and naive searches in it, whatever comes and goes.
        #[test]
        fn equals_a_naive_list(
            ops in prop::collection::vec((nested_prefix(), 0u8..3), 0..120),
            asked in prop::collection::vec(nested_prefix(), 1..30),
        ) {
            let mut map = PrefixMap::<u32>::default();
            let mut model: BTreeMap<Prefix, u32> = BTreeMap::new();
            for (prefix, op) in ops {
                match op {
                    0 => prop_assert_eq!(map.remove(&prefix), model.remove(&prefix)),
                    1 => prop_assert_eq!(map.get_mut(&prefix), model.get_mut(&prefix)),
                    _ => {
                        *map.get_or_default(prefix) += 1;
                        *model.entry(prefix).or_default() += 1;
                    }
                }
                prop_assert_eq!(map.get(&prefix), model.get(&prefix));
                prop_assert_eq!(map.len(), model.len());
            }
            let naive: Vec<(Prefix, &u32)> = model.iter().map(|(p, v)| (*p, v)).collect();
            prop_assert_eq!(map.iter_sorted().collect::<Vec<_>>(), naive.clone());
            let mut all: Vec<(Prefix, &u32)> = map.iter().map(|(p, v)| (*p, v)).collect();
            all.sort_unstable();
            prop_assert_eq!(all, naive.clone());
            for prefix in &asked {
                let mut covering = naive.clone();
                covering.retain(|(held, _)| held.covers(prefix));
                covering.sort_unstable_by_key(|(held, _)| std::cmp::Reverse(held.len()));
                prop_assert_eq!(map.covering(prefix).collect::<Vec<_>>(), covering);
                let mut covered = naive.clone();
                covered.retain(|(held, _)| prefix.covers(held));
                prop_assert_eq!(map.covered(prefix).collect::<Vec<_>>(), covered.clone());
                for from in asked.iter().filter(|from| prefix.covers(from)) {
                    let rest = covered.iter().copied().filter(|(held, _)| held >= from);
                    let found = map.covered_from(prefix, from);
                    prop_assert_eq!(found.collect::<Vec<_>>(), rest.collect::<Vec<_>>());
                }
            }
        }
    }
}
