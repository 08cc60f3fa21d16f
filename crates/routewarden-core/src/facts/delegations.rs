//! What the registries have given out, to which country, and what they hold back.

use serde::{Deserialize, Serialize};

use crate::{AddressFamily, Asn, Prefix};

/// A registry of the "extended delegation" files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Registry {
    /// AFRINIC.
    Afrinic,
    /// APNIC.
    Apnic,
    /// ARIN.
    Arin,
    /// IANA, in files that join all.
    Iana,
    /// LACNIC.
    Lacnic,
    /// RIPE NCC.
    Ripencc,
}

impl Registry {
    /// The serialised name, as in the names of its files.
    pub const fn name(self) -> &'static str {
        match self {
            Registry::Afrinic => "afrinic",
            Registry::Apnic => "apnic",
            Registry::Arin => "arin",
            Registry::Iana => "iana",
            Registry::Lacnic => "lacnic",
            Registry::Ripencc => "ripencc",
        }
    }
}

/// What a registry says of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DelegationStatus {
    /// Given out, to be given on.
    Allocated,
    /// Given out, for use.
    Assigned,
    /// Free to be given out: nobody may route it.
    Available,
    /// Held back by the registry: nobody may route it.
    Reserved,
}

impl DelegationStatus {
    /// Whether nobody holds it: a route to it, or an AS of it, is an administrative bogon.
    pub const fn is_unheld(self) -> bool {
        matches!(self, DelegationStatus::Available | DelegationStatus::Reserved)
    }

    /// The word of the file.
    pub const fn name(self) -> &'static str {
        match self {
            DelegationStatus::Allocated => "allocated",
            DelegationStatus::Assigned => "assigned",
            DelegationStatus::Available => "available",
            DelegationStatus::Reserved => "reserved",
        }
    }
}

/// One record of a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Delegation {
    /// The registry.
    pub registry: Registry,
    /// ISO 3166 country code as the registry gives it; `None` when it gives none, or `ZZ`.
    pub country: Option<CountryCode>,
    /// What became of the block.
    pub status: DelegationStatus,
}

/// Two capital letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CountryCode([u8; 2]);

impl CountryCode {
    /// Reads two capital letters; `ZZ`, which stands for no country, is none.
    pub fn new(text: &str) -> Option<Self> {
        let code: [u8; 2] = text.as_bytes().try_into().ok()?;
        let is_code = code.iter().all(u8::is_ascii_uppercase) && code != *b"ZZ";
        is_code.then_some(CountryCode(code))
    }

    /// The letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl std::fmt::Debug for CountryCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for CountryCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Numbers from `first` to `last` with what a registry says of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DelegatedRange<T> {
    /// Lowest number.
    pub first: T,
    /// Highest number.
    pub last: T,
    /// What the registry says.
    pub delegation: Delegation,
}

/// The records of one file, by number. IPv4 blocks are ranges, not prefixes: their sizes need be
/// no powers of two.
#[derive(Clone, Debug, Default)]
pub struct DelegationTable {
    v4: Vec<DelegatedRange<u32>>,
    /// Of addresses: all 128 bits.
    v6: Vec<DelegatedRange<u128>>,
    asns: Vec<DelegatedRange<u32>>,
}

impl DelegationTable {
    /// Builds the table from records in any order; those whose first number is higher than the
    /// last are left out. Where records overlap, which those of a registry do not, the one that
    /// begins last counts.
    pub fn from_ranges(
        v4: Vec<DelegatedRange<u32>>,
        v6: Vec<DelegatedRange<u128>>,
        asns: Vec<DelegatedRange<u32>>,
    ) -> Self {
        DelegationTable { v4: in_order(v4), v6: in_order(v6), asns: in_order(asns) }
    }

    /// The record of the block that all of `prefix` lies in.
    pub fn prefix(&self, prefix: &Prefix) -> Option<Delegation> {
        let bits = prefix.bits();
        let free = prefix.family().bits() - prefix.len();
        match prefix.family() {
            AddressFamily::Ipv4 => {
                let first = u32::try_from(bits >> 96).ok()?;
                let size = u32::MAX.checked_shr(u32::from(32 - free)).unwrap_or(0);
                find(&self.v4, first, first | size)
            }
            AddressFamily::Ipv6 => {
                let size = u128::MAX.checked_shr(u32::from(128 - free)).unwrap_or(0);
                find(&self.v6, bits, bits | size)
            }
        }
    }

    /// The record of the block that the AS lies in.
    pub fn asn(&self, asn: Asn) -> Option<Delegation> {
        find(&self.asns, asn.0, asn.0)
    }

    /// Country of the AS, as the registry gives it.
    pub fn country(&self, asn: Asn) -> Option<CountryCode> {
        self.asn(asn)?.country
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.v4.len() + self.v6.len() + self.asns.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn in_order<T: Copy + Ord>(mut ranges: Vec<DelegatedRange<T>>) -> Vec<DelegatedRange<T>> {
    ranges.retain(|range| range.first <= range.last);
    ranges.sort_unstable();
    ranges.dedup();
    ranges.shrink_to_fit();
    ranges
}

fn find<T: Copy + Ord>(ranges: &[DelegatedRange<T>], first: T, last: T) -> Option<Delegation> {
    let end = ranges.partition_point(|range| range.first <= first);
    let range = ranges.get(end.checked_sub(1)?)?;
    (last <= range.last).then_some(range.delegation)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range<T>(first: T, last: T, country: &str, status: DelegationStatus) -> DelegatedRange<T> {
        let registry = Registry::Ripencc;
        let country = CountryCode::new(country);
        DelegatedRange { first, last, delegation: Delegation { registry, country, status } }
    }

    #[test]
    fn a_block_holds_what_lies_in_it_as_a_whole() {
        use DelegationStatus::{Allocated, Assigned, Available, Reserved};
        let table = DelegationTable::from_ranges(
            vec![
                // 198.51.100.0 to .255 and 192.0.2.0 to 192.0.4.255: three /24.
                range(0xc633_6400, 0xc633_64ff, "ZZ", Reserved),
                range(0xc000_0200, 0xc000_04ff, "NL", Assigned),
                range(9, 8, "NL", Assigned),
            ],
            vec![range(0x2001_0db8 << 96, (0x2001_0db9 << 96) - 1, "", Available)],
            vec![range(64496, 64500, "BE", Allocated), range(64501, 64501, "NL", Reserved)],
        );
        let of = |prefix: &str| {
            let found = table.prefix(&prefix.parse().unwrap());
            found.map(|found| format!("{:?} {:?}", found.status, found.country))
        };
        assert_eq!(of("192.0.4.0/24").as_deref(), Some("Assigned Some(NL)"));
        assert_eq!(of("192.0.2.0/23").as_deref(), Some("Assigned Some(NL)"));
        assert_eq!(of("192.0.4.0/23"), None, "half of it is not in the block");
        assert_eq!(of("198.51.100.255/32").as_deref(), Some("Reserved None"));
        assert_eq!(of("0.0.0.0/0"), None);
        assert_eq!(of("2001:db8::/32").as_deref(), Some("Available None"));
        assert_eq!(of("2001:db8:ffff::1/128").as_deref(), Some("Available None"));
        assert_eq!(of("2001:db9::/32"), None);
        assert_eq!(of("::/0"), None);
        let unheld = |asn| table.asn(Asn(asn)).map(|found| found.status.is_unheld());
        assert_eq!(
            [64495, 64496, 64500, 64501].map(unheld),
            [None, Some(false), Some(false), Some(true)]
        );
        assert_eq!(table.country(Asn(64499)).unwrap().as_str(), "BE");
        assert_eq!(table.len(), 5);
        assert_eq!(
            serde_json::to_string(&table.asn(Asn(64501))).unwrap(),
            r#"{"registry":"ripencc","country":"NL","status":"reserved"}"#
        );
    }
}
