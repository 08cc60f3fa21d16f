//! Which ASes originate which prefix, as a table dump or registry says.

use super::prefix_table::PrefixRuns;
use crate::{Asn, Origin, Prefix};

/// Prefixes with the set of ASes that originate them. A default route is a prefix as any other:
/// where the input has one, it covers everything.
#[derive(Clone, Debug, Default)]
pub struct OriginTable {
    origins: PrefixRuns<Asn>,
}

impl OriginTable {
    /// Builds the table from pairs in any order; equal pairs are kept once.
    pub fn from_entries(entries: Vec<(Prefix, Asn)>) -> Self {
        OriginTable { origins: PrefixRuns::from_entries(entries) }
    }

    /// Origins of exactly this prefix, ascending; empty when the prefix is not held.
    pub fn origins(&self, prefix: &Prefix) -> &[Asn] {
        self.origins.get(prefix)
    }

    /// Whether `origin` is known to originate exactly this prefix.
    pub fn is_originated_by(&self, prefix: &Prefix, origin: Asn) -> bool {
        self.origins(prefix).binary_search(&origin).is_ok()
    }

    /// Prefixes that cover `prefix` with their origins: exact first, then ever less specific.
    pub fn covering(&self, prefix: &Prefix) -> impl Iterator<Item = (Prefix, &[Asn])> + use<'_> {
        self.origins.covering(prefix)
    }

    /// Prefixes covered by `prefix` with their origins, in the order of [`Prefix`].
    pub fn covered(&self, prefix: &Prefix) -> impl Iterator<Item = (Prefix, &[Asn])> + use<'_> {
        self.origins.covered(prefix)
    }

    /// Its pairs as [`StandingRoutes`](super::StandingRoutes).
    pub fn standing(&self) -> impl Fn(&Prefix, &mut dyn FnMut(Prefix, Origin)) + '_ {
        |top, each| {
            for (prefix, asns) in self.covered(top) {
                for &asn in asns {
                    each(prefix, Origin::As(asn));
                }
            }
        }
    }

    /// All prefixes with their origins, in the order of [`Prefix`].
    pub fn iter(&self) -> impl Iterator<Item = (Prefix, &[Asn])> {
        self.origins.iter()
    }

    /// Number of prefixes.
    pub fn len(&self) -> usize {
        self.origins.prefix_count()
    }

    /// Number of pairs of prefix and origin.
    pub fn origin_count(&self) -> usize {
        self.origins.item_count()
    }

    /// Whether no prefix is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_may_have_several_origins() {
        let prefix: Prefix = "192.0.2.0/24".parse().unwrap();
        let pairs = [64499, 64497, 64499].map(|asn| (prefix, Asn(asn)));
        let table = OriginTable::from_entries(pairs.to_vec());
        assert_eq!(table.origins(&prefix), [Asn(64497), Asn(64499)]);
        assert!(table.is_originated_by(&prefix, Asn(64499)));
        assert!(!table.is_originated_by(&prefix, Asn(64498)));
        assert_eq!((table.len(), table.origin_count()), (1, 2));
        let covering: Vec<_> = table.covering(&"192.0.2.7/32".parse().unwrap()).collect();
        assert_eq!(covering, [(prefix, [Asn(64497), Asn(64499)].as_slice())]);
    }
}
