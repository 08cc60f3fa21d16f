//! Bogons: prefixes and ASNs that are never legitimately routed, compiled in.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde::{Serialize, Serializer};

use super::prefix_table::PrefixTable;
use super::source::{FactKind, FactSource, Sha256};
use crate::{Asn, Prefix, Timestamp};

/// The list as text: see its head for the registries, their date and the meaning of a row.
pub const BOGONS_TSV: &str = include_str!("bogons.tsv");

/// Hash of [`BOGONS_TSV`], its version for evidence. A test of `routewarden-feeds` recomputes it:
/// this crate has no hash function.
pub const BOGONS_TSV_SHA256: Sha256 = Sha256([
    0x62, 0x52, 0xe5, 0x18, 0x7b, 0x8e, 0x62, 0x91, 0xb1, 0x7c, 0x0c, 0x7a, 0xd4, 0xf6, 0x01, 0x8e,
    0x8b, 0x9e, 0x6f, 0x32, 0xf3, 0x50, 0xd4, 0xed, 0xca, 0x8a, 0xa2, 0x42, 0xbc, 0x4f, 0xfb, 0xd2,
]);

static COMPILED_IN: LazyLock<BogonList> = LazyLock::new(|| BogonList::parse(BOGONS_TSV));

/// A block of addresses that is never legitimately routed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BogonPrefix {
    /// The longest listed block that covers the route.
    pub block: Prefix,
    /// What the registry says the block is for, as `Private-Use`.
    pub reason: &'static str,
    /// The RFC that names the block, as `RFC 1918`.
    pub rfc: Option<&'static str>,
    /// Short name of the IANA registry, as `ipv4-special`: the head of the list explains them.
    pub registry: &'static str,
    /// Month since which routes in the block are bogons, as `1996-02`: the registry's allocation
    /// date, or that of the RFC that ended the block's use. None when the registry has no date.
    pub since: Option<&'static str>,
}

/// A range of ASNs that never legitimately appear in a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BogonAsn {
    /// The range.
    pub range: AsnRange,
    /// What the registry says the range is for, as `Private Use`.
    pub reason: &'static str,
    /// The RFC that names the range, as `RFC 6996`; none for space IANA merely holds back.
    pub rfc: Option<&'static str>,
    /// Short name of the IANA registry, as `as-special`.
    pub registry: &'static str,
}

/// ASNs from `first` to `last`, both included. Text form: `64496-64511`, or `0` alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AsnRange {
    /// Lowest ASN.
    pub first: Asn,
    /// Highest ASN.
    pub last: Asn,
}

impl AsnRange {
    /// Whether the ASN is in the range.
    pub fn contains(self, asn: Asn) -> bool {
        self.first <= asn && asn <= self.last
    }
}

impl fmt::Display for AsnRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first.0)
        } else {
            write!(f, "{}-{}", self.first.0, self.last.0)
        }
    }
}

impl Serialize for AsnRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a prefix row says of routes in its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Bogon,
    MoreSpecifics,
    Allowed,
}

/// A list of bogons.
#[derive(Clone, Debug, Default)]
pub struct BogonList {
    prefixes: PrefixTable<(Rule, BogonPrefix)>,
    asns: Vec<BogonAsn>,
    date: Option<Timestamp>,
}

impl BogonList {
    /// The list compiled into this program.
    pub fn compiled_in() -> &'static BogonList {
        &COMPILED_IN
    }

    /// The block that makes a route to `prefix` a bogon. `None` for a less-specific that merely
    /// contains a block, as the default route.
    pub fn prefix(&self, prefix: &Prefix) -> Option<BogonPrefix> {
        let (block, (rule, bogon)) = self.prefixes.covering(prefix).next()?;
        let is_bogon = match rule {
            Rule::Bogon => true,
            Rule::MoreSpecifics => block != *prefix,
            Rule::Allowed => false,
        };
        is_bogon.then_some(*bogon)
    }

    /// The range that makes an ASN a bogon.
    pub fn asn(&self, asn: Asn) -> Option<BogonAsn> {
        self.asns.iter().copied().find(|bogon| bogon.range.contains(asn))
    }

    /// State of the registries that the list gives.
    pub fn date(&self) -> Option<Timestamp> {
        self.date
    }

    /// The list as a source of facts, for evidence.
    pub fn source(&self) -> FactSource {
        FactSource {
            kind: FactKind::Bogons,
            name: "bogons.tsv".to_owned(),
            sha256: Some(BOGONS_TSV_SHA256),
            date: self.date,
            entries: self.len() as u64,
            skipped: BTreeMap::new(),
        }
    }

    /// Number of rows: blocks (exceptions included) and ranges.
    pub fn len(&self) -> usize {
        self.prefixes.len() + self.asns.len()
    }

    /// Whether nothing is listed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows that are not understood are left out: a test shows that there are none.
    fn parse(text: &'static str) -> Self {
        let mut list = BogonList::default();
        let mut prefixes = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let mut fields = line.split('\t');
            match fields.next() {
                Some("prefix") => prefixes.extend(prefix_row(fields)),
                Some("asn") => list.asns.extend(asn_row(fields)),
                Some("date") => list.date = fields.next().and_then(|date| date.parse().ok()),
                _ => {}
            }
        }
        // Blocks are distinct: nothing is merged.
        list.prefixes = PrefixTable::from_entries(prefixes, |_, _| ());
        list
    }
}

fn prefix_row(
    mut fields: impl Iterator<Item = &'static str>,
) -> Option<(Prefix, (Rule, BogonPrefix))> {
    let block: Prefix = fields.next()?.parse().ok()?;
    let rule = match fields.next()? {
        "bogon" => Rule::Bogon,
        "more_specifics" => Rule::MoreSpecifics,
        "allowed" => Rule::Allowed,
        _ => return None,
    };
    let since = given(fields.next()?);
    let rfc = given(fields.next()?);
    let (registry, reason) = (fields.next()?, fields.next()?);
    Some((block, (rule, BogonPrefix { block, reason, rfc, registry, since })))
}

fn asn_row(mut fields: impl Iterator<Item = &'static str>) -> Option<BogonAsn> {
    let (first, last) = fields.next()?.split_once('-')?;
    let range = AsnRange { first: first.parse().ok()?, last: last.parse().ok()? };
    let _rule = fields.next()?;
    let _since = fields.next()?;
    let rfc = given(fields.next()?);
    Some(BogonAsn { range, rfc, registry: fields.next()?, reason: fields.next()? })
}

fn given(field: &'static str) -> Option<&'static str> {
    (field != "-").then_some(field)
}

/// [`BogonList::prefix`] of the list compiled in.
pub fn bogon_prefix(prefix: &Prefix) -> Option<BogonPrefix> {
    BogonList::compiled_in().prefix(prefix)
}

/// [`BogonList::asn`] of the list compiled in.
pub fn bogon_asn(asn: Asn) -> Option<BogonAsn> {
    BogonList::compiled_in().asn(asn)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(prefix: &str) -> Option<String> {
        bogon_prefix(&prefix.parse().unwrap()).map(|bogon| bogon.block.to_string())
    }

    #[test]
    fn every_row_of_the_list_is_read() {
        let rows = |kind| BOGONS_TSV.lines().filter(|line| line.starts_with(kind)).count();
        let list = BogonList::compiled_in();
        assert_eq!((list.prefixes.len(), list.asns.len()), (rows("prefix\t"), rows("asn\t")));
        assert_eq!(list.date(), "2025-10-09".parse().ok());
        for line in BOGONS_TSV.lines().filter(|line| !line.starts_with(['#', 'd'])) {
            assert_eq!(line.split('\t').filter(|field| !field.is_empty()).count(), 7, "{line}");
        }
        for (held, (_, bogon)) in list.prefixes.iter() {
            assert!(BOGONS_TSV.contains(&format!("\t{held}\t")), "host bits in {held}");
            assert!(bogon.rfc.is_none_or(|rfc| rfc.starts_with("RFC ")), "{held}");
        }
    }

    #[test]
    fn blocks_and_their_more_specifics_are_bogons() {
        for (prefix, expected) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("10.1.2.0/24", "10.0.0.0/8"),
            ("100.127.0.0/16", "100.64.0.0/10"),
            ("172.31.255.0/24", "172.16.0.0/12"),
            ("192.0.0.8/32", "192.0.0.0/24"),
            ("192.0.0.0/24", "192.0.0.0/24"),
            ("198.19.0.0/16", "198.18.0.0/15"),
            ("239.1.0.0/16", "224.0.0.0/4"),
            ("255.255.255.255/32", "255.255.255.255/32"),
            ("2001:0:1::/48", "2001::/32"),
            ("2001:db8:1::/48", "2001:db8::/32"),
            ("2001:2f::/32", "2001:20::/28"),
            ("2002:c000:201::/48", "2002::/16"),
            ("3fff:fff::/32", "3fff::/20"),
            ("5f00:1::/32", "5f00::/16"),
            ("4000::/16", "4000::/3"),
            ("fd00::/8", "fc00::/7"),
            ("::/128", "::/128"),
            ("64:ff9b::/96", "64:ff9b::/96"),
            ("ff02::/16", "ff00::/8"),
        ] {
            assert_eq!(block(prefix).as_deref(), Some(expected), "{prefix}");
        }
    }

    #[test]
    fn less_specifics_and_exceptions_are_no_bogons() {
        for prefix in [
            "0.0.0.0/0",
            "::/0",
            "0.0.0.0/1",
            "192.0.0.0/2",
            "172.0.0.0/8",
            "172.32.0.0/12",
            "192.0.0.9/32",
            "192.0.0.10/32",
            "192.0.0.0/16",
            "100.128.0.0/10",
            "8.8.8.0/24",
            "2000::/3",
            "2001::/32",
            "2001::/23",
            "2002::/16",
            "2001:30::/28",
            "2400::/12",
            "2a00::/12",
        ] {
            assert_eq!(block(prefix), None, "{prefix}");
        }
    }

    #[test]
    fn outside_of_2000_3_every_route_is_a_bogon() {
        // RFC 4291 §2.4; the blocks listed leave no gap.
        for (top, len) in (0u128..256).flat_map(|top| (1..=8).map(move |len| (top, len))) {
            let prefix = Prefix::v6(top << 120, len).unwrap();
            let global: Prefix = "2000::/3".parse().unwrap();
            let outside = !global.covers(&prefix) && !prefix.covers(&global);
            assert_eq!(bogon_prefix(&prefix).is_some(), outside, "{prefix}");
        }
    }

    #[test]
    fn bogon_asns_are_found_at_their_borders() {
        let reason = |asn| bogon_asn(Asn(asn)).map(|bogon| (bogon.range.to_string(), bogon.rfc));
        for (asn, range, rfc) in [
            (0, "0", Some("RFC 7607")),
            (23456, "23456", Some("RFC 6793")),
            (64496, "64496-64511", Some("RFC 5398")),
            (64511, "64496-64511", Some("RFC 5398")),
            (64512, "64512-65534", Some("RFC 6996")),
            (65534, "64512-65534", Some("RFC 6996")),
            (65535, "65535", Some("RFC 7300")),
            (65536, "65536-65551", Some("RFC 5398")),
            (65552, "65552-131071", None),
            (131_071, "65552-131071", None),
            (4_200_000_000, "4200000000-4294967294", Some("RFC 6996")),
            (u32::MAX, "4294967295", Some("RFC 7300")),
        ] {
            assert_eq!(reason(asn), Some((range.to_owned(), rfc)), "{asn}");
        }
        for asn in [1, 23455, 23457, 64495, 131_072, 4_199_999_999] {
            assert_eq!(reason(asn), None, "{asn}");
        }
    }
}
