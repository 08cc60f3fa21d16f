//! Countries and the regions that the United Nations group them by (M49).

use std::sync::LazyLock;

const ROWS: &str = include_str!("data/countries.tsv");

/// The rows, read once.
static COUNTRIES: LazyLock<Vec<Country>> = LazyLock::new(|| {
    let rows = ROWS.lines().filter(|line| !line.starts_with('#'));
    let read = rows.filter_map(|line| {
        let mut fields = line.split('\t');
        Some(Country { code: fields.next()?, name: fields.next()?, region: fields.next()? })
    });
    read.collect()
});

/// A country, or a territory with a code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Country {
    /// ISO 3166-1 code of two letters.
    pub code: &'static str,
    /// Name for display, in English.
    pub name: &'static str,
    /// Sub-region of UN M49, as `Western Europe`.
    pub region: &'static str,
}

impl Country {
    /// All of them, by code.
    pub fn all() -> impl Iterator<Item = Country> {
        COUNTRIES.iter().copied()
    }

    /// That of a code in capitals.
    pub fn of(code: &str) -> Option<Country> {
        let at = COUNTRIES.binary_search_by_key(&code, |country| country.code).ok()?;
        COUNTRIES.get(at).copied()
    }

    /// The region as it stands in an address: `western-europe`.
    pub fn region_id(&self) -> String {
        region_id(self.region)
    }
}

/// A region by its name in words, as `western-europe`.
fn region_id(name: &str) -> String {
    name.to_ascii_lowercase().replace(' ', "-")
}

/// The name of a region in words.
pub fn region_name(id: &str) -> Option<&'static str> {
    Country::all().map(|country| country.region).find(|region| region_id(region) == id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_there_once_and_has_a_region() {
        let codes: Vec<&str> = Country::all().map(|country| country.code).collect();
        assert_eq!(codes.len(), 249);
        assert!(codes.is_sorted() && codes.windows(2).all(|pair| pair[0] != pair[1]));
        let regions: BTreeSet<&str> = Country::all().map(|country| country.region).collect();
        assert_eq!(regions.len(), 23);
        for country in Country::all() {
            assert!(!country.name.is_empty() && !country.region.is_empty(), "{country:?}");
            assert_eq!(region_name(&country.region_id()), Some(country.region));
        }
    }

    #[test]
    fn countries_are_found_by_their_code() {
        let of = |code| Country::of(code).map(|country| (country.name, country.region_id()));
        assert_eq!(of("FR"), Some(("France", "western-europe".to_owned())));
        assert_eq!(of("PK"), Some(("Pakistan", "southern-asia".to_owned())));
        assert_eq!(of("KE"), Some(("Kenya", "eastern-africa".to_owned())));
        assert_eq!((of("ZZ"), of("fr"), region_name("nowhere")), (None, None, None));
    }
}
