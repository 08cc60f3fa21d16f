//! Watched space: whether a prefix lies in it, told at once where it does not.

use routewarden_core::{AddressFamily, Prefix, PrefixMap};

use super::Space;

/// Leading bits of an address that the coarse filter looks at.
const COARSE_BITS: u8 = 16;
/// Words of the coarse filter of a family: one bit for each value of the leading bits.
const COARSE_WORDS: usize = 1 << (COARSE_BITS - 6);
/// IPv6 addresses have their first bits in common: the filter looks at those after them.
const V6_FROM_BIT: u8 = 16;

/// Watches of one prefix.
#[derive(Debug, Default)]
struct Watches {
    exact: Vec<i64>,
    with_more_specifics: Vec<i64>,
}

impl Watches {
    fn of_mut(&mut self, space: Space) -> &mut Vec<i64> {
        if space.is_exact { &mut self.exact } else { &mut self.with_more_specifics }
    }

    fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.with_more_specifics.is_empty()
    }
}

/// Space with the watches that it is watched for.
#[derive(Debug, Default)]
pub(super) struct SpaceSet {
    map: PrefixMap<Watches>,
    /// By family; empty without any space.
    coarse: [Vec<u64>; 2],
}

impl SpaceSet {
    /// Some space, for one watch.
    pub(super) fn of(spaces: &[Space]) -> Self {
        let mut set = SpaceSet::default();
        set.add(0, spaces);
        set
    }

    pub(super) fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    pub(super) fn add(&mut self, watch: i64, spaces: &[Space]) {
        for &space in spaces {
            let watches = self.map.get_or_default(space.prefix).of_mut(space);
            if !watches.contains(&watch) {
                watches.push(watch);
            }
            mark(&mut self.coarse, &space.prefix);
        }
    }

    pub(super) fn remove(&mut self, watch: i64) {
        let all: Vec<Space> = self.iter().collect();
        for space in all {
            let Some(watches) = self.map.get_mut(&space.prefix) else { continue };
            watches.of_mut(space).retain(|&other| other != watch);
            if watches.is_empty() {
                self.map.remove(&space.prefix);
            }
        }
        let mut coarse = <[Vec<u64>; 2]>::default();
        for (prefix, _) in self.map.iter() {
            mark(&mut coarse, prefix);
        }
        self.coarse = coarse;
    }

    /// All space, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = Space> {
        self.map.iter_sorted().flat_map(|(prefix, watches)| {
            let with = (!watches.with_more_specifics.is_empty()).then_some(false);
            let exact = (!watches.exact.is_empty()).then_some(true);
            with.into_iter().chain(exact).map(move |is_exact| Space { prefix, is_exact })
        })
    }

    /// Whether the prefix lies in it.
    pub(super) fn holds(&self, prefix: &Prefix) -> bool {
        self.may_hold(prefix) && !self.find(prefix).is_empty()
    }

    /// The watches that a prefix is watched for, each once, ascending.
    #[inline]
    pub(super) fn watches(&self, prefix: &Prefix) -> Vec<i64> {
        if self.may_hold(prefix) { self.find(prefix) } else { Vec::new() }
    }

    #[cold]
    fn find(&self, prefix: &Prefix) -> Vec<i64> {
        let mut found = Vec::new();
        for (covering, watches) in self.map.covering(prefix) {
            found.extend_from_slice(&watches.with_more_specifics);
            if covering == *prefix {
                found.extend_from_slice(&watches.exact);
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// `false` where no space can hold the prefix: for nearly all prefixes, after one look.
    #[inline]
    fn may_hold(&self, prefix: &Prefix) -> bool {
        let [v4, v6] = &self.coarse;
        let coarse = if prefix.is_ipv4() { v4 } else { v6 };
        let at = place(prefix);
        coarse.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 != 0)
    }
}

/// The bits of an address that the filter looks at.
#[inline]
fn place(prefix: &Prefix) -> usize {
    let shift = if prefix.is_ipv4() { 0 } else { V6_FROM_BIT };
    let bits = (prefix.bits() << shift) >> (128 - COARSE_BITS);
    usize::try_from(bits).unwrap_or(0)
}

/// Marks all places of the prefix and its more-specifics.
fn mark(coarse: &mut [Vec<u64>; 2], prefix: &Prefix) {
    let [v4, v6] = coarse;
    let (coarse, first_bit) = match prefix.family() {
        AddressFamily::Ipv4 => (v4, 0),
        AddressFamily::Ipv6 => (v6, V6_FROM_BIT),
    };
    coarse.resize(COARSE_WORDS, 0);
    let open_bits = (first_bit + COARSE_BITS).saturating_sub(prefix.len()).min(COARSE_BITS);
    let first = place(prefix);
    for at in first..first + (1 << open_bits) {
        if let Some(word) = coarse.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn prefix() -> impl Strategy<Value = Prefix> {
        (any::<bool>(), any::<u8>(), any::<u8>(), 0u8..=128).prop_map(|(v4, high, low, len)| {
            let bits =
                u128::from(high & 3) << 126 | u128::from(low) << 100 | u128::from(high) << 64;
            if v4 {
                Prefix::v4((bits >> 96) as u32, len % 33).unwrap()
            } else {
                Prefix::v6(bits, len).unwrap()
            }
        })
    }

    proptest! {
        /// As a list that is gone through.
        #[test]
        fn it_holds_what_a_list_holds(
            spaces in prop::collection::vec((prefix(), any::<bool>(), 0i64..4), 0..40),
            gone in prop::collection::vec(0i64..4, 0..3),
            asked in prop::collection::vec(prefix(), 1..60),
        ) {
            let mut set = SpaceSet::default();
            for &(prefix, is_exact, watch) in &spaces {
                set.add(watch, &[Space { prefix, is_exact }]);
            }
            for &watch in &gone {
                set.remove(watch);
            }
            let left = || spaces.iter().filter(|(_, _, watch)| !gone.contains(watch));
            prop_assert_eq!(set.is_empty(), left().count() == 0);
            let own = spaces.iter().map(|space| space.0);
            for asked in asked.into_iter().chain(own) {
                let mut watches: Vec<i64> = left()
                    .filter(|(prefix, is_exact, _)| {
                        if *is_exact { *prefix == asked } else { prefix.covers(&asked) }
                    })
                    .map(|(_, _, watch)| *watch)
                    .collect();
                watches.sort_unstable();
                watches.dedup();
                prop_assert_eq!(set.holds(&asked), !watches.is_empty());
                prop_assert_eq!(set.watches(&asked), watches);
            }
        }
    }
}
