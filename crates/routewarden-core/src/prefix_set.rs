//! A set of prefixes in order.

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::facts::prefix_table::{v4_key, v4_prefix};
use crate::{AddressFamily, Prefix};

/// Prefixes in order, IPv4 first.
#[derive(Debug, Default)]
pub(crate) struct PrefixSet {
    /// As [`v4_key`] gives them: half the size of a [`Prefix`].
    v4: BTreeSet<u64>,
    v6: BTreeSet<Prefix>,
}

impl PrefixSet {
    /// Whether it was not held.
    pub(crate) fn insert(&mut self, prefix: &Prefix) -> bool {
        match prefix.family() {
            AddressFamily::Ipv4 => self.v4.insert(v4_key(prefix)),
            AddressFamily::Ipv6 => self.v6.insert(*prefix),
        }
    }

    /// Whether it was held.
    pub(crate) fn remove(&mut self, prefix: &Prefix) -> bool {
        match prefix.family() {
            AddressFamily::Ipv4 => self.v4.remove(&v4_key(prefix)),
            AddressFamily::Ipv6 => self.v6.remove(prefix),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// The prefixes of the family from this one on.
    pub(crate) fn from(&self, prefix: &Prefix) -> impl Iterator<Item = Prefix> + use<'_> {
        let (v4, v6) = match prefix.family() {
            AddressFamily::Ipv4 => (Some(self.v4.range(v4_key(prefix)..)), None),
            AddressFamily::Ipv6 => (None, Some(self.v6.range(*prefix..))),
        };
        let v4 = v4.into_iter().flatten().filter_map(|&key| v4_prefix(key));
        v4.chain(v6.into_iter().flatten().copied())
    }

    /// The prefixes behind this one, of both families; all, if there is none.
    pub(crate) fn after(&self, last: Option<&Prefix>) -> impl Iterator<Item = Prefix> + use<'_> {
        let (v4, v6) = match last {
            None => (Some(Bound::Unbounded), Bound::Unbounded),
            Some(last) if last.is_ipv4() => (Some(Bound::Excluded(v4_key(last))), Bound::Unbounded),
            Some(last) => (None, Bound::Excluded(*last)),
        };
        let v4 = v4.map(|begin| self.v4.range((begin, Bound::Unbounded)));
        let v4 = v4.into_iter().flatten().filter_map(|&key| v4_prefix(key));
        v4.chain(self.v6.range((v6, Bound::Unbounded)).copied())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Prefix> {
        self.after(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_goes_on_behind_any_prefix() {
        let texts = ["10.0.0.0/8", "10.0.0.0/9", "192.0.2.0/24", "::/0", "2001:db8::/32"];
        let all: Vec<Prefix> = texts.iter().map(|text| text.parse().unwrap()).collect();
        let mut set = PrefixSet::default();
        assert!(set.is_empty() && all.iter().rev().all(|prefix| set.insert(prefix)));
        assert_eq!(set.iter().collect::<Vec<_>>(), all);
        for (at, last) in all.iter().enumerate() {
            assert_eq!(set.after(Some(last)).collect::<Vec<_>>(), all[at + 1..], "{last}");
        }
        let between = "10.0.0.0/10".parse().unwrap();
        assert_eq!(set.after(Some(&between)).next(), Some(all[2]));
        assert!(!set.insert(&all[0]) && set.remove(&all[0]) && !set.remove(&all[0]));
    }
}
