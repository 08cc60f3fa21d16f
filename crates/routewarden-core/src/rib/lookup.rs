//! Prefixes of the table that cover another or are covered by it.

use super::AdjRibIn;
use crate::Prefix;

impl AdjRibIn {
    /// Prefixes with routes that cover `prefix`, the exact one first (if held), then ever less
    /// specific. One probe of a hash table for each shorter length in use.
    ///
    /// Routes of lost sessions count: [`AdjRibIn::routes`] tells what is known to be present.
    pub fn covering(&self, prefix: &Prefix) -> impl Iterator<Item = Prefix> + use<'_> {
        self.lists.covering(prefix).map(|(held, _)| held)
    }

    /// Prefixes with routes that `prefix` covers, the exact one first (if held), then its
    /// more-specifics in the order of [`Prefix`]. Found one after the other: whoever answers
    /// hostile questions takes a bounded number.
    ///
    /// Routes of lost sessions count, as in [`AdjRibIn::covering`].
    pub fn covered(&self, prefix: &Prefix) -> impl Iterator<Item = Prefix> + use<'_> {
        self.covered_from(prefix, prefix)
    }

    /// As [`AdjRibIn::covered`], without those before `from`, which is covered, too: to go on with
    /// a search that was left.
    pub fn covered_from(
        &self,
        prefix: &Prefix,
        from: &Prefix,
    ) -> impl Iterator<Item = Prefix> + use<'_> {
        self.lists.covered_from(prefix, from).map(|(held, _)| held)
    }
}
