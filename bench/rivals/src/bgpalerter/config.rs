//! What the operator declares.

use std::collections::BTreeMap;

use routewarden_core::{Asn, PrefixMap};

/// One of the monitors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Monitor {
    /// A foreign origin.
    Hijack,
    /// A more-specific by the right origin.
    NewPrefix,
    /// Withdrawals.
    Visibility,
    /// Patterns of the path.
    Path,
    /// A monitored AS originates what no rule covers.
    Misconfiguration,
    /// A neighbour that is not declared.
    Neighbours,
    /// Invalid, uncovered, or no longer covered.
    Rpki,
    /// Changes of ROAs.
    Roas,
}

/// How the length of the path matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LengthRule {
    /// The alarm is raised only for a longer path.
    pub max: Option<usize>,
    /// Without effect, as in the original.
    pub min: Option<usize>,
}

/// A rule on paths. The patterns are literal text with `.*` for anything, and `$` for the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathRule {
    /// Must be found in the path, ASNs joined by commas.
    pub matches: Option<String>,
    /// Must not.
    pub matches_not: Option<String>,
    /// Of the path, in ASNs.
    pub length: LengthRule,
}

/// What is declared of a prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Who may originate it.
    pub asns: Vec<Asn>,
    /// Whether the rule says nothing of more-specifics.
    pub ignores_more_specifics: bool,
    /// Whether nothing is to be said of it at all.
    pub ignored: bool,
    /// Monitors that leave it out.
    pub excluded: Vec<Monitor>,
    /// When not empty, the only ones that do not.
    pub included: Vec<Monitor>,
    /// Rules on its paths.
    pub paths: Vec<PathRule>,
}

impl Rule {
    /// Whether the monitor looks at it.
    pub(super) fn is_for(&self, monitor: Monitor) -> bool {
        !self.ignored
            && !self.excluded.contains(&monitor)
            && (self.included.is_empty() || self.included.contains(&monitor))
    }
}

/// What is declared of an AS. An empty list: any neighbour on that side is an alarm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MonitoredAs {
    /// Who may stand before it in a path.
    pub upstreams: Vec<Asn>,
    /// Who may stand behind it.
    pub downstreams: Vec<Asn>,
}

/// Least number of peers for each monitor; for misconfiguration of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "one for each monitor")]
pub struct Quorum {
    pub hijack: usize,
    pub new_prefix: usize,
    pub visibility: usize,
    pub path: usize,
    pub misconfiguration: usize,
    pub neighbours: usize,
    pub rpki: usize,
}

impl Default for Quorum {
    fn default() -> Self {
        Quorum {
            hijack: 2,
            new_prefix: 3,
            visibility: 40,
            path: 1,
            misconfiguration: 3,
            neighbours: 0,
            rpki: 1,
        }
    }
}

impl Quorum {
    pub(super) fn of(&self, monitor: Monitor) -> usize {
        match monitor {
            Monitor::Hijack => self.hijack,
            Monitor::NewPrefix => self.new_prefix,
            Monitor::Visibility => self.visibility,
            Monitor::Path => self.path,
            Monitor::Misconfiguration => self.misconfiguration,
            Monitor::Neighbours => self.neighbours,
            Monitor::Rpki => self.rpki,
            // Nobody else sees them.
            Monitor::Roas => 1,
        }
    }
}

/// All of it. Times in seconds of the events.
#[derive(Debug)]
pub struct Config {
    /// By prefix.
    pub rules: PrefixMap<Rule>,
    /// By AS; without neighbours declared these are not looked at.
    pub monitored: BTreeMap<Asn, Option<MonitoredAs>>,
    /// How many must show it.
    pub quorum: Quorum,
    /// How long an alarm below the quorum is kept.
    pub fade_off_secs: i64,
    /// How often that is looked at.
    pub fade_check_secs: i64,
    /// How long an alarm that was sent is not sent again.
    pub interval_secs: i64,
    /// Whether a route that no VRP covers is an alarm.
    pub alerts_uncovered: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            rules: PrefixMap::default(),
            monitored: BTreeMap::new(),
            quorum: Quorum::default(),
            fade_off_secs: 360,
            fade_check_secs: 30,
            interval_secs: 14_400,
            alerts_uncovered: false,
        }
    }
}
