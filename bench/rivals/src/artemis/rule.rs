//! What the operator declares.

use std::ops::RangeInclusive;

use routewarden_core::{Asn, Prefix, RouteAttributes};

/// Most prefixes that one range operator may stand for.
pub const EXPANDED_MAX: usize = 65_536;

/// A set of ASNs in a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AsnSet {
    /// `*`.
    Any,
    /// These ranges; none of them is an empty set.
    Only(Vec<RangeInclusive<u32>>),
}

impl Default for AsnSet {
    fn default() -> Self {
        AsnSet::Only(Vec::new())
    }
}

impl AsnSet {
    /// Exactly these.
    pub fn of(asns: &[Asn]) -> Self {
        AsnSet::Only(asns.iter().map(|asn| asn.0..=asn.0).collect())
    }

    /// Adds `*`, a number, or a range as `300-310`. `None` when it is none of these.
    pub fn add(&mut self, text: &str) -> Option<()> {
        if text.trim() == "*" {
            *self = AsnSet::Any;
            return Some(());
        }
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        let range = from.trim().parse().ok()?..=to.trim().parse().ok()?;
        if let AsnSet::Only(ranges) = self {
            ranges.push(range);
        }
        Some(())
    }

    /// Whether the AS is in it.
    pub fn contains(&self, asn: Asn) -> bool {
        match self {
            AsnSet::Any => true,
            AsnSet::Only(ranges) => ranges.iter().any(|range| range.contains(&asn.0)),
        }
    }

    /// Whether it has no member.
    pub fn is_empty(&self) -> bool {
        *self == AsnSet::default()
    }

    /// Its first member, when it names any.
    pub fn first(&self) -> Option<Asn> {
        match self {
            AsnSet::Any => None,
            AsnSet::Only(ranges) => ranges.first().map(|range| Asn(*range.start())),
        }
    }
}

/// Communities of which all must be there, and of which none may be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommunityTest {
    /// All of these.
    pub with: Vec<(u16, u16)>,
    /// None of these.
    pub without: Vec<(u16, u16)>,
}

/// A name that a hijack gets when one of the tests holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// `critical`.
    pub name: String,
    /// One is enough.
    pub tests: Vec<CommunityTest>,
}

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// The prefixes it is about.
    pub prefixes: Vec<Prefix>,
    /// Who may originate them; nobody: any announcement is squatting.
    pub origins: AsnSet,
    /// To whom the origin announces; nobody: not checked.
    pub neighbours: AsnSet,
    /// What may stand before the origin, nearest the origin last; none: not checked.
    pub prepend_patterns: Vec<Vec<Asn>>,
    /// The policy `no-export`: the neighbour must not pass the route on.
    pub no_export: bool,
    /// From the highest to the lowest.
    pub levels: Vec<Level>,
}

impl Rule {
    /// Position of the first level that the communities of a route reach.
    pub(super) fn level(&self, route: &RouteAttributes<'_>) -> Option<(usize, &str)> {
        let has = |community: &(u16, u16)| route.community_pairs().any(|pair| pair == *community);
        let holds =
            |test: &CommunityTest| test.with.iter().all(has) && !test.without.iter().any(has);
        let mut levels = self.levels.iter().enumerate();
        let (at, level) = levels.find(|(_, level)| level.tests.iter().any(holds))?;
        Some((at, level.name.as_str()))
    }
}

/// The prefixes of `10.0.0.0/16^20-24` and the other range operators of RFC 2622 §2: `^-` all
/// more-specifics, `^+` these and the prefix, `^n` and `^n-m` those of such lengths. `None` when it
/// is not a prefix with one, or stands for more than [`EXPANDED_MAX`].
pub fn expand(text: &str) -> Option<Vec<Prefix>> {
    let (prefix, operator) = text.split_once('^').unwrap_or((text, ""));
    let prefix: Prefix = prefix.parse().ok()?;
    let longest = prefix.family().bits();
    let (from, to) = match operator {
        "" => (prefix.len(), prefix.len()),
        "-" => (prefix.len() + 1, longest),
        "+" => (prefix.len(), longest),
        lengths => {
            let (from, to) = lengths.split_once('-').unwrap_or((lengths, lengths));
            (from.parse().ok()?, to.parse().ok()?)
        }
    };
    if from < prefix.len() || to > longest {
        return None;
    }
    let mut expanded = Vec::new();
    for len in from..=to {
        let count = 1_usize.checked_shl(u32::from(len - prefix.len()))?;
        if count > EXPANDED_MAX - expanded.len() {
            return None;
        }
        let step = 1_u128.checked_shl(128 - u32::from(len)).unwrap_or(0);
        let bits = (0..count as u128).map(|number| prefix.bits() | (number * step));
        expanded.extend(bits.filter_map(|bits| of_bits(&prefix, bits, len)));
    }
    Some(expanded)
}

fn of_bits(family_of: &Prefix, bits: u128, len: u8) -> Option<Prefix> {
    if family_of.is_ipv4() {
        Prefix::v4(u32::try_from(bits >> 96).ok()?, len)
    } else {
        Prefix::v6(bits, len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_operators() {
        let count = |text| expand(text).map(|all| all.len());
        assert_eq!(count("10.0.0.0/16"), Some(1));
        assert_eq!(count("10.0.0.0/30^-"), Some(2 + 4));
        assert_eq!(count("10.0.0.0/30^+"), Some(1 + 2 + 4));
        assert_eq!(count("10.0.0.0/16^18"), Some(4));
        assert_eq!(count("10.0.0.0/16^17-18"), Some(2 + 4));
        assert_eq!(count("2001:db8::/32^34"), Some(4));
        assert_eq!(count("10.0.0.0/16^8"), None);
        assert_eq!(count("10.0.0.0/16^33"), None);
        assert_eq!(count("2001:db8::/32^+"), None, "too many");
        assert_eq!(count("10.0.0.0/16^x"), None);
        assert_eq!(count("::/0^0"), Some(1));
        let halves = expand("2001:db8::/32^33").unwrap();
        assert_eq!(halves[1].to_string(), "2001:db8:8000::/33");
    }

    #[test]
    fn sets_of_asns() {
        let mut set = AsnSet::default();
        assert!(set.is_empty() && !set.contains(Asn(1)));
        set.add("300- 310").unwrap();
        set.add("5").unwrap();
        assert!(set.contains(Asn(300)) && set.contains(Asn(310)) && set.contains(Asn(5)));
        assert!(!set.contains(Asn(311)));
        assert_eq!(set.add("x"), None);
        set.add("*").unwrap();
        assert!(set.contains(Asn(311)));
    }
}
