//! Facts keyed by prefix: immutable sorted arrays with parent links.

use crate::{AddressFamily, Prefix};

/// No less-specific prefix in the table.
const NO_PARENT: u32 = u32::MAX;

/// Largest number of prefixes in one table; positions are `u32`.
pub const PREFIXES_MAX: usize = NO_PARENT as usize - 1;

/// An immutable map from prefix to `T` with lookups of less- and more-specifics.
///
/// Sorted arrays, a position is a number: IPv4 prefixes take 8 octets, IPv6 prefixes 18, the
/// link to the next less-specific prefix 4, and then the value. A lookup is a binary search and,
/// for [`covering`](PrefixTable::covering), a walk along parent links.
#[derive(Clone, Debug)]
pub struct PrefixTable<T> {
    /// Address in the upper 32 of 40 bits, length in the lower 8: sorts as [`Prefix`] does.
    v4: Vec<u64>,
    v6: Vec<Prefix>,
    /// By position (IPv4 first): position of the longest less-specific prefix, or [`NO_PARENT`].
    parents: Vec<u32>,
    values: Vec<T>,
}

impl<T> Default for PrefixTable<T> {
    fn default() -> Self {
        PrefixTable { v4: Vec::new(), v6: Vec::new(), parents: Vec::new(), values: Vec::new() }
    }
}

impl<T> PrefixTable<T> {
    /// Builds the table from entries in any order. Values of the same prefix are merged into the
    /// first by `merge`, in the order given.
    ///
    /// # Panics
    /// With more than [`PREFIXES_MAX`] prefixes: readers of files cap entries far below.
    pub fn from_entries(
        mut entries: Vec<(Prefix, T)>,
        mut merge: impl FnMut(&mut T, T),
    ) -> PrefixTable<T> {
        // Stable, so that `merge` sees the order given.
        entries.sort_by_key(|&(prefix, _)| prefix);
        let mut table = PrefixTable::default();
        let mut less_specifics: Vec<(Prefix, u32)> = Vec::new();
        let mut last = None;
        for (prefix, value) in entries {
            if last == Some(prefix) {
                if let Some(held) = table.values.last_mut() {
                    merge(held, value);
                }
                continue;
            }
            last = Some(prefix);
            assert!(table.values.len() < PREFIXES_MAX, "more prefixes than positions");
            let position = u32::try_from(table.values.len()).unwrap_or(NO_PARENT);
            while less_specifics.last().is_some_and(|(other, _)| !other.covers(&prefix)) {
                less_specifics.pop();
            }
            table.parents.push(less_specifics.last().map_or(NO_PARENT, |&(_, parent)| parent));
            less_specifics.push((prefix, position));
            match prefix.family() {
                AddressFamily::Ipv4 => table.v4.push(v4_key(&prefix)),
                AddressFamily::Ipv6 => table.v6.push(prefix),
            }
            table.values.push(value);
        }
        table.v4.shrink_to_fit();
        table.v6.shrink_to_fit();
        table.parents.shrink_to_fit();
        table.values.shrink_to_fit();
        table
    }

    /// The value of exactly this prefix.
    pub fn get(&self, prefix: &Prefix) -> Option<&T> {
        let position = match prefix.family() {
            AddressFamily::Ipv4 => self.v4.binary_search(&v4_key(prefix)).ok()?,
            AddressFamily::Ipv6 => self.v4.len() + self.v6.binary_search(prefix).ok()?,
        };
        self.values.get(position)
    }

    /// Entries that cover `prefix`: the exact one first (if held), then ever less specific.
    pub fn covering(&self, prefix: &Prefix) -> Covering<'_, T> {
        // Whatever covers `prefix` sorts at or before it, and covers or is all that stands
        // between: so it is found among the predecessor and the predecessor's less-specifics.
        let (start, end) = match prefix.family() {
            AddressFamily::Ipv4 => {
                let key = v4_key(prefix);
                (0, self.v4.partition_point(|&other| other <= key))
            }
            AddressFamily::Ipv6 => {
                let end = self.v6.partition_point(|other| other <= prefix);
                (self.v4.len(), self.v4.len() + end)
            }
        };
        let mut next = if end > start { end - 1 } else { NO_PARENT as usize };
        while let Some(held) = self.prefix_at(next) {
            if held.covers(prefix) {
                break;
            }
            next = self.parent_of(next);
        }
        Covering { table: self, next }
    }

    /// Entries covered by `prefix`: the exact one first (if held), then its more-specifics in
    /// the order of [`Prefix`].
    pub fn covered(&self, prefix: &Prefix) -> impl Iterator<Item = (Prefix, &T)> + use<'_, T> {
        let first = match prefix.family() {
            AddressFamily::Ipv4 => {
                let key = v4_key(prefix);
                self.v4.partition_point(|&other| other < key)
            }
            AddressFamily::Ipv6 => self.v4.len() + self.v6.partition_point(|other| other < prefix),
        };
        let prefix = *prefix;
        self.iter_from(first).take_while(move |(held, _)| prefix.covers(held))
    }

    /// All entries in the order of [`Prefix`].
    pub fn iter(&self) -> impl Iterator<Item = (Prefix, &T)> {
        self.iter_from(0)
    }

    /// Number of prefixes.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether no prefix is held.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    fn iter_from(&self, first: usize) -> impl Iterator<Item = (Prefix, &T)> + use<'_, T> {
        let values = self.values.get(first..).unwrap_or_default();
        (first..).zip(values).map_while(|(at, value)| Some((self.prefix_at(at)?, value)))
    }

    fn prefix_at(&self, position: usize) -> Option<Prefix> {
        match self.v4.get(position) {
            Some(&key) => v4_prefix(key),
            None => self.v6.get(position.checked_sub(self.v4.len())?).copied(),
        }
    }

    fn parent_of(&self, position: usize) -> usize {
        self.parents.get(position).map_or(NO_PARENT as usize, |&parent| parent as usize)
    }
}

/// Iterator of [`PrefixTable::covering`].
#[derive(Clone, Debug)]
pub struct Covering<'a, T> {
    table: &'a PrefixTable<T>,
    next: usize,
}

impl<'a, T> Iterator for Covering<'a, T> {
    type Item = (Prefix, &'a T);

    fn next(&mut self) -> Option<Self::Item> {
        let item = (self.table.prefix_at(self.next)?, self.table.values.get(self.next)?);
        self.next = self.table.parent_of(self.next);
        Some(item)
    }
}

/// Of an IPv4 prefix: the 32 bits of the address, then 8 bits of length.
pub(crate) fn v4_key(prefix: &Prefix) -> u64 {
    u64::try_from(prefix.bits() >> 88).unwrap_or(u64::MAX) | u64::from(prefix.len())
}

/// The prefix of a [`v4_key`].
pub(crate) fn v4_prefix(key: u64) -> Option<Prefix> {
    Prefix::v4(u32::try_from(key >> 8).ok()?, u8::try_from(key & 0xff).ok()?)
}

/// An immutable map from prefix to a sorted run of distinct `T`.
#[derive(Clone, Debug)]
pub struct PrefixRuns<T> {
    runs: PrefixTable<Run>,
    items: Vec<T>,
}

/// Where the items of one prefix stand.
#[derive(Clone, Copy, Debug)]
struct Run {
    start: u32,
    len: u32,
}

impl<T> Default for PrefixRuns<T> {
    fn default() -> Self {
        PrefixRuns { runs: PrefixTable::default(), items: Vec::new() }
    }
}

impl<T: Ord> PrefixRuns<T> {
    /// Builds from entries in any order; equal entries are kept once.
    ///
    /// # Panics
    /// With more than [`PREFIXES_MAX`] entries: readers of files cap entries far below.
    pub fn from_entries(mut entries: Vec<(Prefix, T)>) -> Self {
        entries.sort_unstable();
        entries.dedup();
        assert!(entries.len() <= PREFIXES_MAX, "more entries than positions");
        let mut runs: Vec<(Prefix, Run)> = Vec::new();
        let mut items = Vec::with_capacity(entries.len());
        for (start, (prefix, item)) in (0..).zip(entries) {
            match runs.last_mut() {
                Some((last, run)) if *last == prefix => run.len += 1,
                _ => runs.push((prefix, Run { start, len: 1 })),
            }
            items.push(item);
        }
        // Prefixes are distinct here: nothing is merged.
        PrefixRuns { runs: PrefixTable::from_entries(runs, |_, _| ()), items }
    }
}

impl<T> PrefixRuns<T> {
    /// The items of exactly this prefix, sorted; empty when there are none.
    pub fn get(&self, prefix: &Prefix) -> &[T] {
        self.runs.get(prefix).map(|run| self.items_of(*run)).unwrap_or_default()
    }

    /// Runs of the prefixes that cover `prefix`: exact first, then ever less specific.
    pub fn covering(&self, prefix: &Prefix) -> impl Iterator<Item = (Prefix, &[T])> + use<'_, T> {
        self.runs.covering(prefix).map(|(held, run)| (held, self.items_of(*run)))
    }

    /// Runs of the prefixes covered by `prefix`: exact first, then more-specifics in order.
    pub fn covered(&self, prefix: &Prefix) -> impl Iterator<Item = (Prefix, &[T])> + use<'_, T> {
        self.runs.covered(prefix).map(|(held, run)| (held, self.items_of(*run)))
    }

    /// All runs in the order of [`Prefix`].
    pub fn iter(&self) -> impl Iterator<Item = (Prefix, &[T])> {
        self.runs.iter().map(|(held, run)| (held, self.items_of(*run)))
    }

    /// Number of distinct prefixes.
    pub fn prefix_count(&self) -> usize {
        self.runs.len()
    }

    /// Number of items of all prefixes.
    pub fn item_count(&self) -> usize {
        self.items.len()
    }

    fn items_of(&self, run: Run) -> &[T] {
        let start = run.start as usize;
        self.items.get(start..start + run.len as usize).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn p(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    #[test]
    fn covering_and_covered_keep_families_apart() {
        let all = ["0.0.0.0/0", "192.0.2.0/24", "192.0.2.0/25", "::/0", "2001:db8::/32"];
        let entries = all.iter().map(|text| (p(text), *text)).collect();
        let table = PrefixTable::from_entries(entries, |_, _| ());
        let covering = |text| table.covering(&p(text)).map(|(_, v)| *v).collect::<Vec<_>>();
        assert_eq!(covering("192.0.2.1/32"), ["192.0.2.0/25", "192.0.2.0/24", "0.0.0.0/0"]);
        assert_eq!(covering("192.0.2.128/25"), ["192.0.2.0/24", "0.0.0.0/0"]);
        assert_eq!(covering("2001:db8::/32"), ["2001:db8::/32", "::/0"]);
        assert_eq!(covering("::/0"), ["::/0"]);
        let covered = |text| table.covered(&p(text)).map(|(_, v)| *v).collect::<Vec<_>>();
        assert_eq!(covered("192.0.2.0/23"), ["192.0.2.0/24", "192.0.2.0/25"]);
        assert_eq!(covered("0.0.0.0/0"), all[..3]);
        assert_eq!(covered("::/0"), all[3..]);
        assert_eq!(table.len(), 5);
        assert!(PrefixTable::<u8>::default().covering(&p("::/0")).next().is_none());
    }

    #[test]
    fn values_of_one_prefix_merge_in_the_order_given() {
        let entries = vec![(p("::/0"), 'b'), (p("192.0.2.0/24"), 'x'), (p("::/0"), 'a')];
        let entries = entries.into_iter().map(|(prefix, c)| (prefix, c.to_string())).collect();
        let table = PrefixTable::from_entries(entries, |held: &mut String, c| held.push_str(&c));
        assert_eq!(table.get(&p("::/0")).unwrap(), "ba");
        assert_eq!(table.len(), 2);
    }

    #[test]
    fn runs_are_sorted_and_distinct() {
        let runs = PrefixRuns::from_entries(vec![
            (p("192.0.2.0/24"), 2),
            (p("192.0.2.0/24"), 1),
            (p("192.0.2.0/24"), 2),
            (p("192.0.2.0/25"), 7),
        ]);
        assert_eq!(runs.get(&p("192.0.2.0/24")), [1, 2]);
        assert_eq!(runs.get(&p("192.0.2.0/23")), [0; 0]);
        assert_eq!((runs.prefix_count(), runs.item_count()), (2, 3));
        assert_eq!(runs.covering(&p("192.0.2.0/25")).count(), 2);
    }

    /// Prefixes of few distinct bits, so that they nest and repeat.
    fn nested_prefix() -> impl Strategy<Value = Prefix> {
        (any::<bool>(), 0u32..64, 0u8..=8).prop_map(|(v4, bits, len)| {
            if v4 {
                Prefix::v4(bits << 26, len).unwrap()
            } else {
                Prefix::v6(u128::from(bits) << 122, len).unwrap()
            }
        })
    }

    proptest! {
        #[test]
        fn equals_a_naive_list(
            held in prop::collection::vec((nested_prefix(), 0u8..4), 0..60),
            asked in prop::collection::vec(nested_prefix(), 1..30),
        ) {
            let table = PrefixTable::from_entries(
                held.iter().map(|&(prefix, value)| (prefix, vec![value])).collect(),
                |all: &mut Vec<u8>, more| all.extend(more),
            );
            let runs = PrefixRuns::from_entries(held.clone());
            let mut naive: Vec<Prefix> = held.iter().map(|&(prefix, _)| prefix).collect();
            naive.sort_unstable();
            naive.dedup();
            let values = |prefix: &Prefix| -> Vec<u8> {
                held.iter().filter(|(other, _)| other == prefix).map(|&(_, v)| v).collect()
            };
            prop_assert_eq!(table.iter().map(|(prefix, _)| prefix).collect::<Vec<_>>(), naive.clone());
            for prefix in &asked {
                let expected = values(prefix);
                prop_assert_eq!(table.get(prefix).cloned().unwrap_or_default(), expected.clone());
                let mut distinct = expected;
                distinct.sort_unstable();
                distinct.dedup();
                prop_assert_eq!(runs.get(prefix), distinct);
                let mut covering: Vec<Prefix> =
                    naive.iter().copied().filter(|other| other.covers(prefix)).collect();
                covering.sort_unstable_by_key(|other| std::cmp::Reverse(other.len()));
                prop_assert_eq!(
                    table.covering(prefix).map(|(other, _)| other).collect::<Vec<_>>(), covering);
                let covered: Vec<Prefix> =
                    naive.iter().copied().filter(|other| prefix.covers(other)).collect();
                prop_assert_eq!(
                    table.covered(prefix).map(|(other, _)| other).collect::<Vec<_>>(), covered);
                for (other, value) in table.covering(prefix) {
                    prop_assert_eq!(value, &values(&other));
                }
            }
        }
    }
}
