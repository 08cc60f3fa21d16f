//! Names of ASes, for display.

use super::organisations::keep_last_by;
use crate::Asn;

/// ASNs with their names, as `EXAMPLE-AS Example Networks B.V., NL`.
#[derive(Clone, Debug, Default)]
pub struct AsNameTable {
    /// By ASN, with the start of its name in `text`; the next start ends it.
    starts: Vec<(Asn, u32)>,
    text: String,
}

/// Most octets the names of one table take together.
pub const NAME_OCTETS_MAX: usize = u32::MAX as usize;

impl AsNameTable {
    /// Builds the table from names in any order; of names of one ASN the last given counts.
    ///
    /// # Panics
    /// With more than [`NAME_OCTETS_MAX`] octets of names: readers of files cap them far below.
    pub fn from_names(mut names: Vec<(Asn, Box<str>)>) -> Self {
        keep_last_by(&mut names, |a, b| a.0.cmp(&b.0));
        let mut table = AsNameTable::default();
        for (asn, name) in names {
            table.starts.push((asn, u32::try_from(table.text.len()).unwrap_or(u32::MAX)));
            table.text.push_str(&name);
        }
        assert!(table.text.len() <= NAME_OCTETS_MAX, "more octets of names than positions");
        table.text.shrink_to_fit();
        table
    }

    /// The whole name, as `EXAMPLE-AS Example Networks B.V., NL`.
    pub fn name(&self, asn: Asn) -> Option<&str> {
        let at = self.starts.binary_search_by_key(&asn, |&(held, _)| held).ok()?;
        self.name_at(at)
    }

    /// The first word of the name, as `EXAMPLE-AS`.
    pub fn handle(&self, asn: Asn) -> Option<&str> {
        self.name(asn)?.split_whitespace().next()
    }

    /// The country code at the end of the name, as `NL`.
    pub fn country(&self, asn: Asn) -> Option<&str> {
        let (_, country) = self.name(asn)?.rsplit_once(", ")?;
        let is_code = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
        is_code.then_some(country)
    }

    /// All ASNs with their names, by ASN.
    pub fn iter(&self) -> impl Iterator<Item = (Asn, &str)> {
        self.starts.iter().zip(0..).filter_map(|(&(asn, _), at)| Some((asn, self.name_at(at)?)))
    }

    /// Number of ASNs.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether no name is held.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    fn name_at(&self, at: usize) -> Option<&str> {
        let start = self.starts.get(at)?.1 as usize;
        let end = self.starts.get(at + 1).map_or(self.text.len(), |&(_, next)| next as usize);
        self.text.get(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_handle_and_a_country() {
        let names = [(64497, "x"), (64496, "EXAMPLE-AS Exämple, Inc., NL"), (64497, "PLAIN")];
        let names = names.iter().map(|&(asn, name)| (Asn(asn), name.into())).collect();
        let table = AsNameTable::from_names(names);
        assert_eq!(table.name(Asn(64496)), Some("EXAMPLE-AS Exämple, Inc., NL"));
        assert_eq!(table.handle(Asn(64496)), Some("EXAMPLE-AS"));
        assert_eq!(table.country(Asn(64496)), Some("NL"));
        assert_eq!((table.name(Asn(64497)), table.country(Asn(64497))), (Some("PLAIN"), None));
        assert_eq!(table.name(Asn(64498)), None);
        assert_eq!(table.iter().map(|(asn, _)| asn.0).collect::<Vec<_>>(), [64496, 64497]);
    }
}
