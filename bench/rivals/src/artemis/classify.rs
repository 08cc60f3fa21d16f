//! From a route to a class.

use std::fmt;

use routewarden_core::{Asn, Prefix};

use super::{Artemis, Rule};

/// How the prefix stands to the configured one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrefixClass {
    /// The same.
    Exact,
    /// A more-specific.
    Sub,
    /// Nobody may announce it.
    Squatting,
}

/// What is wrong with the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathClass {
    /// The origin.
    Zero,
    /// The neighbour of the origin.
    One,
    /// What stands before the origin, prepends included.
    Pattern,
    /// Nothing that can be told.
    Unknown,
}

/// The class of a hijack, written as `E|0|-|-`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class {
    /// First place.
    pub prefix: PrefixClass,
    /// Second place. The third, the data plane, is never measured.
    pub path: PathClass,
    /// Fourth place, L: passed on against the policy `no-export`.
    pub is_leak: bool,
}

impl Class {
    /// Whether it is a hijack: a wrong path is one, and so is a more-specific whose path tells
    /// nothing, and a breach of policy; the exact prefix with nothing wrong is not.
    fn is_hijack(self) -> bool {
        match (self.prefix, self.path) {
            (PrefixClass::Squatting, path) => path == PathClass::Zero,
            (_, PathClass::Pattern) => !self.is_leak,
            (PrefixClass::Exact, PathClass::Unknown) => self.is_leak,
            _ => true,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = match self.prefix {
            PrefixClass::Exact => 'E',
            PrefixClass::Sub => 'S',
            PrefixClass::Squatting => 'Q',
        };
        let path = match self.path {
            PathClass::Zero => '0',
            PathClass::One => '1',
            PathClass::Pattern => 'P',
            PathClass::Unknown => '-',
        };
        write!(f, "{prefix}|{path}|-|{}", if self.is_leak { 'L' } else { '-' })
    }
}

/// A hijack as one route shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) class: Class,
    /// `None` when nothing tells who it is.
    pub(super) hijacker: Option<Asn>,
    /// The configured prefix that covers the route's.
    pub(super) configured: Prefix,
    /// Position of the rule.
    pub(super) rule: usize,
    /// ASes that have the route.
    pub(super) infected: Vec<Asn>,
}

pub(super) enum Verdict {
    /// No rule covers the prefix.
    NotConfigured,
    /// At least one rule is content.
    Benign,
    Hijack(Found),
}

/// Repeats removed; of a loop, what lies between the two places of the AS, as seen from the origin.
pub fn clean_path(path: &[Asn]) -> Vec<Asn> {
    let mut from_origin: Vec<Asn> = Vec::new();
    for asn in path.iter().rev() {
        match from_origin.iter().position(|seen| seen == asn) {
            Some(at) => from_origin.truncate(at + 1),
            None => from_origin.push(*asn),
        }
    }
    from_origin.reverse();
    from_origin
}

impl Artemis {
    /// Judges a route by the rules of the longest configured prefix that covers it; `original` has
    /// its prepends. One content rule clears it, else the last that is not decides.
    pub(super) fn classify(&self, prefix: &Prefix, original: &[Asn]) -> Verdict {
        let Some((configured, rules)) = self.tree.covering(prefix).next() else {
            return Verdict::NotConfigured;
        };
        let path = clean_path(original);
        let mut last = Verdict::NotConfigured;
        for &index in rules {
            let Some(rule) = self.rules.get(index) else { continue };
            let Some((class, hijacker)) = judge(rule, (prefix, &configured), &path, original)
            else {
                return Verdict::Benign;
            };
            let clean = match class {
                Class { path: PathClass::Zero, .. } => 1,
                Class { path: PathClass::One, .. } | Class { is_leak: true, .. } => 2,
                _ => 3,
            };
            let infected = path.iter().take(path.len().saturating_sub(clean)).copied().collect();
            last = Verdict::Hijack(Found { class, hijacker, configured, rule: index, infected });
        }
        last
    }
}

/// `None` when the rule is content.
fn judge(
    rule: &Rule,
    (prefix, configured): (&Prefix, &Prefix),
    path: &[Asn],
    original: &[Asn],
) -> Option<(Class, Option<Asn>)> {
    let prefix = if rule.origins.is_empty() {
        PrefixClass::Squatting
    } else if configured.len() < prefix.len() {
        PrefixClass::Sub
    } else {
        PrefixClass::Exact
    };
    let mut from_origin = path.iter().rev().copied();
    let (origin, neighbour) = (from_origin.next()?, from_origin.next());
    let (path_class, mut hijacker) = if !rule.origins.contains(origin) {
        (PathClass::Zero, Some(origin))
    } else if let Some(asn) = neighbour.filter(|asn| is_wrong_neighbour(rule, *asn)) {
        (PathClass::One, Some(asn))
    } else if let Some(breaks) = breaks_patterns(rule, origin, original) {
        (PathClass::Pattern, Some(breaks))
    } else {
        (PathClass::Unknown, None)
    };
    let is_leak = rule.no_export && path.len() > 3;
    if is_leak && hijacker.is_none() {
        hijacker = neighbour;
    }
    let class = Class { prefix, path: path_class, is_leak };
    class.is_hijack().then_some((class, hijacker))
}

fn is_wrong_neighbour(rule: &Rule, asn: Asn) -> bool {
    !rule.neighbours.is_empty() && !rule.neighbours.contains(asn)
}

/// The first AS, from the origin on, that breaks the pattern which fits furthest; `None` when one
/// pattern fits, or there is none.
fn breaks_patterns(rule: &Rule, origin: Asn, original: &[Asn]) -> Option<Asn> {
    let before: Vec<Asn> =
        original.strip_suffix(&[origin]).unwrap_or(original).iter().rev().copied().collect();
    let fits = |pattern: &Vec<Asn>| {
        pattern.iter().rev().zip(&before).take_while(|(wanted, is)| wanted == is).count()
    };
    if rule.prepend_patterns.iter().any(|pattern| fits(pattern) == pattern.len()) {
        return None;
    }
    let furthest = rule.prepend_patterns.iter().map(fits).max()?;
    Some(before.get(furthest).copied().unwrap_or(origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asns(numbers: &[u32]) -> Vec<Asn> {
        numbers.iter().copied().map(Asn).collect()
    }

    #[test]
    fn loops_are_cut_from_the_origin() {
        assert_eq!(clean_path(&asns(&[4, 3, 2, 101, 101, 101])), asns(&[4, 3, 2, 101]));
        assert_eq!(clean_path(&asns(&[4, 3, 2, 102, 3, 2, 102])), asns(&[4, 3, 2, 102]));
        assert_eq!(clean_path(&[]), []);
    }

    #[test]
    fn a_pattern_before_the_origin() {
        let rule = Rule { prepend_patterns: vec![asns(&[7, 1, 1]), asns(&[8])], ..Rule::default() };
        assert_eq!(breaks_patterns(&rule, Asn(1), &asns(&[9, 7, 1, 1, 1])), None);
        assert_eq!(breaks_patterns(&rule, Asn(1), &asns(&[9, 8, 1])), None);
        assert_eq!(breaks_patterns(&rule, Asn(1), &asns(&[9, 7, 1, 1])), Some(Asn(7)));
        assert_eq!(breaks_patterns(&rule, Asn(1), &asns(&[9, 1])), Some(Asn(9)));
        assert_eq!(breaks_patterns(&Rule::default(), Asn(1), &asns(&[9, 1])), None);
    }

    #[test]
    fn fifteen_classes_are_hijacks() {
        let mut hijacks = Vec::new();
        for prefix in [PrefixClass::Sub, PrefixClass::Exact, PrefixClass::Squatting] {
            for path in [PathClass::Zero, PathClass::One, PathClass::Pattern, PathClass::Unknown] {
                for is_leak in [false, true] {
                    let class = Class { prefix, path, is_leak };
                    hijacks.extend(class.is_hijack().then(|| class.to_string()));
                }
            }
        }
        let published = "S|0|-|- S|0|-|L S|1|-|- S|1|-|L S|P|-|- S|-|-|- S|-|-|L \
                         E|0|-|- E|0|-|L E|1|-|- E|1|-|L E|P|-|- E|-|-|L Q|0|-|- Q|0|-|L";
        assert_eq!(hijacks.join(" "), published);
    }
}
