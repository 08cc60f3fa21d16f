//! ARTEMIS (Sermpezis et al., 2018, arXiv 1801.01085): rules of the operator, and the hijack classes
//! prefix E|S|Q, path 0|1|P, data plane (never measured), policy L.
//!
//! Written from the description of its rules; no program text of the original is used. Left out:
//! ignoring by thresholds, mitigation, and the classes that the original only names (N, U, B, I, M).

mod classify;
mod hijack;
mod rule;

use std::collections::HashMap;

use routewarden_core::facts::VrpTable;
use routewarden_core::{Asn, Prefix, PrefixMap, Timestamp};

pub use classify::{Class, PathClass, PrefixClass, clean_path};
pub use hijack::{Hijack, RpkiTag};
pub use rule::{AsnSet, CommunityTest, EXPANDED_MAX, Level, Rule, expand};

use classify::{Found, Verdict};

use crate::roa::vrp_table;
use crate::update::Update;
use crate::{ALARMS_MAX, Alarm, AlarmKind, Rival, Roa, StartingTable};

/// The detector with its rules and the hijacks it stores.
#[derive(Debug, Default)]
pub struct Artemis {
    rules: Vec<Rule>,
    /// Rules of each configured prefix, in the order given.
    tree: PrefixMap<Vec<usize>>,
    vrps: Option<VrpTable>,
    hijacks: Vec<Hijack>,
    /// Those that are not withdrawn, by what makes them one.
    open: HashMap<(Prefix, Option<Asn>, Class), usize>,
    /// Those of each prefix that are not withdrawn.
    by_prefix: HashMap<Prefix, Vec<usize>>,
}

impl Artemis {
    /// With these rules; several may name one prefix.
    pub fn new(rules: Vec<Rule>, vrps: Option<VrpTable>) -> Self {
        let mut tree: PrefixMap<Vec<usize>> = PrefixMap::default();
        for (index, rule) in rules.iter().enumerate() {
            for prefix in &rule.prefixes {
                tree.get_or_default(*prefix).push(index);
            }
        }
        Artemis { rules, tree, vrps, ..Artemis::default() }
    }

    /// Configured as its own set-up does from a trusted feed: one rule for each prefix of the
    /// table, with all origins seen for it and, as neighbours, all ASes that were seen beside these
    /// origins, on either side and for any prefix.
    pub fn from_table(table: &StartingTable, vrps: Option<VrpTable>) -> Self {
        let rules = table.origins().map(|(prefix, origins)| {
            let mut neighbours: Vec<Asn> = origins
                .iter()
                .filter_map(|&origin| table.neighbours(origin))
                .flat_map(|of| of.upstreams.iter().chain(&of.downstreams).copied())
                .collect();
            neighbours.sort_unstable();
            neighbours.dedup();
            Rule {
                prefixes: vec![prefix],
                origins: AsnSet::of(origins),
                neighbours: AsnSet::of(&neighbours),
                ..Rule::default()
            }
        });
        Artemis::new(rules.collect(), vrps)
    }

    /// The hijacks stored, oldest first, withdrawn ones included.
    pub fn hijacks(&self) -> &[Hijack] {
        &self.hijacks
    }

    /// Takes one announcement or withdrawal. The position of the hijack it belongs to, in
    /// [`Artemis::hijacks`], when it raised or renewed one.
    pub fn take(&mut self, update: &Update<'_>) -> Option<usize> {
        let Some(route) = update.route else {
            self.withdraw(update.prefix, update.peer.asn, update.time);
            return None;
        };
        let original: Vec<Asn> = route.as_path.asns().collect();
        match self.classify(&update.prefix, &original) {
            Verdict::NotConfigured => None,
            Verdict::Benign => {
                self.withdraw_implicitly(update);
                None
            }
            Verdict::Hijack(found) => self.commit(update, &found),
        }
    }

    fn commit(&mut self, update: &Update<'_>, found: &Found) -> Option<usize> {
        let key = (update.prefix, found.hijacker, found.class);
        let rule = self.rules.get(found.rule)?;
        let level = update.route.and_then(|route| rule.level(&route));
        let index = if let Some(&index) = self.open.get(&key) {
            index
        } else if self.hijacks.len() >= ALARMS_MAX {
            return None;
        } else {
            let origin = update.route.map(|route| routewarden_core::Origin::of(route.as_path));
            let validity = self.vrps.as_ref().zip(origin);
            let tag = validity.map(|(vrps, origin)| RpkiTag::of(vrps, &update.prefix, origin));
            let victim = rule.origins.first();
            self.hijacks.push(Hijack::new(update, found, tag, victim));
            let index = self.hijacks.len() - 1;
            self.open.insert(key, index);
            self.by_prefix.entry(update.prefix).or_default().push(index);
            index
        };
        let hijack = self.hijacks.get_mut(index)?;
        hijack.seen(update.peer.asn, update.time, &found.infected);
        hijack.annotate(level);
        Some(index)
    }

    /// A benign announcement says that the peer has left the hijack of the same prefix, and that
    /// of the prefix of which it is one half.
    fn withdraw_implicitly(&mut self, update: &Update<'_>) {
        let time = update.time.plus_secs(1);
        self.withdraw(update.prefix, update.peer.asn, time);
        let whole = update.prefix.len().checked_sub(1);
        if let Some(whole) = whole.and_then(|len| update.prefix.less_specific(len)) {
            self.withdraw(whole, update.peer.asn, time);
        }
    }

    fn withdraw(&mut self, prefix: Prefix, peer: Asn, time: Timestamp) {
        let Some(open) = self.by_prefix.get_mut(&prefix) else { return };
        for &index in open.iter() {
            if let Some(hijack) = self.hijacks.get_mut(index) {
                hijack.withdrawn(peer, time);
                if !hijack.is_active {
                    self.open.remove(&(hijack.prefix, hijack.hijacker, hijack.class));
                }
            }
        }
        let is_active = |index: &usize| self.hijacks.get(*index).is_some_and(|h| h.is_active);
        open.retain(is_active);
        if open.is_empty() {
            self.by_prefix.remove(&prefix);
        }
    }
}

impl Rival for Artemis {
    fn name(&self) -> &'static str {
        "artemis"
    }

    fn show(&mut self, update: &Update<'_>) {
        self.take(update);
    }

    /// Only the tags of hijacks to come depend on it.
    fn replace_roas(&mut self, _: Timestamp, roas: &[Roa]) {
        self.vrps = Some(vrp_table(roas));
    }

    fn alarms(&self) -> Vec<Alarm> {
        let of = |hijack: &Hijack| Alarm {
            time: hijack.started,
            kind: kind(hijack.class),
            prefix: hijack.prefix,
            culprit: hijack.hijacker,
            victim: hijack.victim,
        };
        self.hijacks.iter().map(of).collect()
    }
}

/// The class in our words: a policy breach alone is a leak, with another fault it is that fault.
fn kind(class: Class) -> AlarmKind {
    match class {
        Class { path: PathClass::Unknown, is_leak: true, .. } => AlarmKind::RouteLeak,
        Class { prefix: PrefixClass::Squatting, .. } => AlarmKind::Squatting,
        Class { path: PathClass::One, .. } => AlarmKind::ForgedOrigin,
        Class { path: PathClass::Pattern, .. } => AlarmKind::ForgedPath,
        Class { path: PathClass::Zero, prefix: PrefixClass::Exact, .. } => AlarmKind::OriginHijack,
        Class { path: PathClass::Zero, prefix: PrefixClass::Sub, .. } => AlarmKind::SubPrefixHijack,
        Class { path: PathClass::Unknown, .. } => AlarmKind::SamePathMoreSpecific,
    }
}
