//! RPKI changes that concern a constituency: what its members should know of.

mod aspa;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use aspa::{AspaFinding, AspaFindingKind, aspa_changes};

use super::vrp::{RovState, Vrp, VrpTable};
use super::vrp_diff::{StandingRoutes, VrpDiff};
use super::{Constituency, Holding, Member};
use crate::{Asn, Origin, Prefix, Timestamp};

/// A trust anchor has lost too much when more than one in this many of its VRPs is gone: 20 %.
pub const ANCHOR_LOSS_DIVISOR: usize = 5;
/// Trust anchors with fewer VRPs are not judged as a whole.
pub const ANCHOR_VRPS_MIN: usize = 10;
/// A VRP with less life left than this may be expiring.
pub const EXPIRY_SECS: i64 = 24 * 3600;
/// Most VRPs listed on each side of a finding, and most routes.
pub const FINDING_ENTRIES_MAX: usize = 100;

/// What happened to the VRPs of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoaFindingKind {
    /// More than 20 % of the VRPs of a trust anchor are gone: a fault of the anchor, its
    /// publication point or the validator. Losses under it are not reported one by one.
    TrustAnchorLoss,
    /// A VRP in the member's space authorises an AS that is not expected there.
    ForeignAsn,
    /// A VRP for AS0 (RFC 6483 §4) says that nobody may originate the member's space.
    As0Added,
    /// A VRP is gone, and routes that it made valid are valid no more.
    Removed,
    /// The `max_len` was raised beyond what is announced (RFC 9319 §3).
    Loosened,
    /// VRPs end in less than 24 hours, and others of their trust anchor live longer.
    Expiring,
}

/// One change for one member and one AS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoaFinding {
    /// What happened.
    pub kind: RoaFindingKind,
    /// Id of the member; `None` for a trust anchor.
    pub member: Option<Box<str>>,
    /// The AS of the VRPs; `None` for a trust anchor.
    pub asn: Option<Asn>,
    /// Trust anchor of the first VRP; empty when not known.
    pub trust_anchor: Box<str>,
    /// VRPs that bear on the same, before; at most [`FINDING_ENTRIES_MAX`].
    pub before: Vec<Vrp>,
    /// VRPs that bear on the same, after; at most [`FINDING_ENTRIES_MAX`].
    pub after: Vec<Vrp>,
    /// How many VRPs changed, or expire.
    pub vrps: usize,
    /// The member's standing routes or listed prefixes that it concerns; at most
    /// [`FINDING_ENTRIES_MAX`].
    pub prefixes: Vec<Prefix>,
    /// In words, without a judgement of severity.
    pub reason: String,
}

/// The VRPs of one validator run.
#[derive(Clone, Copy, Debug)]
pub struct RunVrps<'a> {
    /// The VRPs.
    pub table: &'a VrpTable,
    /// When the run was; without it, nothing expires.
    pub at: Option<Timestamp>,
}

/// What changed from one validator run to the next that the constituency should know of: one
/// finding for each kind, member and AS, by these; those of trust anchors first.
///
/// `routes` gives the routes that stand. Where it knows none of a member, its listed prefixes serve.
pub fn roa_changes(
    diff: &VrpDiff,
    old: RunVrps<'_>,
    new: RunVrps<'_>,
    constituency: &Constituency,
    routes: &StandingRoutes<'_>,
) -> Vec<RoaFinding> {
    let lost = lost_anchors(diff);
    let mut changes = Changes { diff, old, new, constituency, routes, groups: BTreeMap::new() };
    for vrp in diff.newly_authorised() {
        changes.added(vrp);
    }
    for vrp in diff.no_longer_authorised() {
        if !lost.iter().any(|loss| *loss.trust_anchor == *diff.trust_anchor(vrp)) {
            changes.removed(vrp);
        }
    }
    changes.expiring(&lost);
    let findings = changes.groups.into_iter().map(|(key, group)| group.finding(key));
    lost.into_iter().chain(findings).collect()
}

/// One finding for each trust anchor that lost more than 20 % of its VRPs.
pub fn lost_anchors(diff: &VrpDiff) -> Vec<RoaFinding> {
    let is_lost = |before: usize, removed: usize| {
        before >= ANCHOR_VRPS_MIN && removed > before / ANCHOR_LOSS_DIVISOR
    };
    let lost = diff.anchors().iter().filter(|anchor| is_lost(anchor.before, anchor.removed));
    lost.map(|anchor| RoaFinding {
        kind: RoaFindingKind::TrustAnchorLoss,
        member: None,
        asn: None,
        trust_anchor: anchor.name.clone(),
        before: Vec::new(),
        after: Vec::new(),
        vrps: anchor.removed,
        prefixes: Vec::new(),
        reason: format!(
            "{} of {} VRPs of trust anchor {:?} are gone",
            anchor.removed, anchor.before, anchor.name
        ),
    })
    .collect()
}

/// What findings are grouped by.
type Key = (RoaFindingKind, Box<str>, Asn);

/// A finding in the making.
#[derive(Default)]
struct Group {
    label: String,
    trust_anchor: Box<str>,
    before: Kept<Vrp>,
    after: Kept<Vrp>,
    prefixes: Kept<Prefix>,
    vrps: usize,
    /// When the first of its VRPs expires.
    expires: Option<u32>,
}

/// The first [`FINDING_ENTRIES_MAX`] of what is given, in order.
struct Kept<T>(BTreeSet<T>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Kept(BTreeSet::new())
    }
}

impl<T: Ord> Extend<T> for Kept<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, items: I) {
        for item in items {
            if self.0.len() >= FINDING_ENTRIES_MAX {
                return;
            }
            self.0.insert(item);
        }
    }
}

impl Group {
    fn finding(self, (kind, member, asn): Key) -> RoaFinding {
        RoaFinding {
            kind,
            reason: self.reason(kind, asn),
            member: Some(member),
            asn: Some(asn),
            trust_anchor: self.trust_anchor,
            before: self.before.0.into_iter().collect(),
            after: self.after.0.into_iter().collect(),
            vrps: self.vrps,
            prefixes: self.prefixes.0.into_iter().collect(),
        }
    }

    fn reason(&self, kind: RoaFindingKind, asn: Asn) -> String {
        let (vrps, whose) = (self.vrps, &self.label);
        match kind {
            RoaFindingKind::ForeignAsn => format!(
                "{vrps} VRPs were added that authorise {asn} in the space of {whose}, where it is \
                 not expected"
            ),
            RoaFindingKind::As0Added => format!(
                "{vrps} VRPs for AS0 were added that cover space of {whose}: nobody may originate it \
                 but whom another VRP authorises"
            ),
            RoaFindingKind::Removed => format!(
                "{vrps} VRPs of {asn} are gone, and prefixes of {whose} that they made valid are \
                 valid no more"
            ),
            RoaFindingKind::Loosened => format!(
                "the maxLength of {vrps} VRPs of {asn} for {whose} was raised beyond what is \
                 announced: a forged origin would be valid for the more-specifics"
            ),
            RoaFindingKind::Expiring => {
                let first = self.expires.map(Timestamp::from_secs);
                let first = first.map(|time| time.to_string()).unwrap_or_default();
                format!(
                    "{vrps} VRPs of {asn} for {whose} are due to expire, the first at {first}, and \
                     have not been renewed as others of their trust anchor have"
                )
            }
            RoaFindingKind::TrustAnchorLoss => format!("{vrps} VRPs are gone"),
        }
    }
}

struct Changes<'a> {
    diff: &'a VrpDiff,
    old: RunVrps<'a>,
    new: RunVrps<'a>,
    constituency: &'a Constituency,
    routes: &'a StandingRoutes<'a>,
    groups: BTreeMap<Key, Group>,
}

impl<'a> Changes<'a> {
    /// Entries of members that a VRP can matter to: the nearest at or above its prefix, and those
    /// below it.
    fn concerned(&self, vrp: &Vrp) -> Vec<Holding<'a>> {
        let constituency = self.constituency;
        let mut all: Vec<Holding<'a>> = constituency.covering(&vrp.prefix).collect();
        // One for its very prefix is among both.
        all.extend(constituency.covered(&vrp.prefix).filter(|h| h.listed.prefix != vrp.prefix));
        all
    }

    fn group(&mut self, kind: RoaFindingKind, member: &Member, vrp: &Vrp) -> &mut Group {
        let group = self.groups.entry((kind, member.id.clone(), vrp.asn)).or_default();
        if group.label.is_empty() {
            member.label().clone_into(&mut group.label);
            group.trust_anchor = self.diff.trust_anchor(vrp).into();
        }
        group
    }

    fn added(&mut self, vrp: &Vrp) {
        let raised = self.raised(vrp);
        let mut counted: BTreeSet<(&str, RoaFindingKind)> = BTreeSet::new();
        for holding in self.concerned(vrp) {
            let prefix = longer(holding.listed.prefix, vrp.prefix);
            let reaches = vrp.max_len >= holding.listed.prefix.len();
            let is_loosened = match raised {
                None => false,
                Some(0) => vrp.max_len > prefix.len(),
                Some(longest) => vrp.max_len > longest,
            };
            let kind = match is_expected(&holding, vrp.asn) {
                _ if vrp.asn == Asn(0) => RoaFindingKind::As0Added,
                Some(false) if reaches => RoaFindingKind::ForeignAsn,
                Some(true) if is_loosened => RoaFindingKind::Loosened,
                _ => continue,
            };
            let old = self.old.table;
            let is_first = counted.insert((&holding.member.id, kind));
            let group = self.group(kind, holding.member, vrp);
            group.prefixes.extend([prefix]);
            group.before.extend(old.covering(&prefix));
            group.after.extend([*vrp]);
            group.vrps += usize::from(is_first);
        }
    }

    /// When all old VRPs of the same prefix and AS were stricter, and there was one: the longest
    /// prefix that the AS announces in it, 0 when it announces none.
    fn raised(&self, vrp: &Vrp) -> Option<u8> {
        let old = self.old.table.covering(&vrp.prefix).take_while(|v| v.prefix == vrp.prefix);
        let before = old.filter(|other| other.asn == vrp.asn).map(|other| other.max_len).max()?;
        let announced = || self.announced(&vrp.prefix, vrp.asn);
        let longest = || announced().iter().map(Prefix::len).max().unwrap_or(0);
        (vrp.max_len > before).then(longest)
    }

    /// Standing prefixes of an AS at and below `prefix`.
    fn announced(&self, prefix: &Prefix, asn: Asn) -> Vec<Prefix> {
        let mut announced = Vec::new();
        (self.routes)(prefix, &mut |route, origin| {
            if origin == Origin::As(asn) {
                announced.push(route);
            }
        });
        announced
    }

    fn removed(&mut self, vrp: &Vrp) {
        // What the AS announces, by member; of members of whom it announces nothing, what they list.
        let mut announced: BTreeMap<&'a str, (&'a Member, Vec<Prefix>)> = BTreeMap::new();
        let mut listed = announced.clone();
        for route in self.announced(&vrp.prefix, vrp.asn) {
            for held in self.constituency.covering(&route) {
                if is_expected(&held, vrp.asn) == Some(true) {
                    let of_member = announced.entry(&held.member.id);
                    of_member.or_insert((held.member, Vec::new())).1.push(route);
                }
            }
        }
        for held in self.concerned(vrp) {
            if is_expected(&held, vrp.asn) == Some(true)
                && !announced.contains_key(&*held.member.id)
            {
                let prefix = longer(held.listed.prefix, vrp.prefix);
                let of_member = listed.entry(&held.member.id);
                of_member.or_insert((held.member, Vec::new())).1.push(prefix);
            }
        }
        for (member, mut routes) in announced.into_values().chain(listed.into_values()) {
            routes.retain(|route| self.is_valid_no_more(route, vrp.asn));
            let Some(first) = routes.first() else { continue };
            let after = self.new.table.covering(first);
            let group = self.group(RoaFindingKind::Removed, member, vrp);
            group.before.extend([*vrp]);
            group.vrps += 1;
            group.after.extend(after);
            group.prefixes.extend(routes);
        }
    }

    fn is_valid_no_more(&self, route: &Prefix, asn: Asn) -> bool {
        let is_valid = |table: &VrpTable| table.state(route, Origin::As(asn)).0 == RovState::Valid;
        is_valid(self.old.table) && !is_valid(self.new.table)
    }

    /// VRPs whose life fell below the limit between both runs: told once, not at every run.
    fn expiring(&mut self, lost: &[RoaFinding]) {
        let Some(now) = self.new.at else { return };
        let limits = expiry_limits(self.new.table, now);
        let before = self.old.at;
        for (vrp, expires) in self.new.table.iter_expiring() {
            let limit = limits.get(vrp.ta.position()).copied().unwrap_or(EXPIRY_SECS);
            let left = |at: Timestamp| i64::from(expires) - at.secs();
            let was_long = before.is_none_or(|before| left(before) >= limit);
            if expires == 0 || left(now) >= limit || !was_long {
                continue;
            }
            let name = self.new.table.trust_anchor(&vrp);
            if lost.iter().any(|loss| *loss.trust_anchor == *name) {
                continue;
            }
            let mut done: BTreeSet<&str> = BTreeSet::new();
            for holding in self.concerned(&vrp) {
                let is_done = done.contains(&*holding.member.id);
                let reaches = vrp.max_len >= holding.listed.prefix.len();
                if is_done || !reaches || is_expected(&holding, vrp.asn) != Some(true) {
                    continue;
                }
                done.insert(&holding.member.id);
                let group = self.group(RoaFindingKind::Expiring, holding.member, &vrp);
                group.trust_anchor = name.into();
                group.prefixes.extend([longer(holding.listed.prefix, vrp.prefix)]);
                group.after.extend([vrp]);
                group.vrps += 1;
                group.expires = Some(group.expires.map_or(expires, |first| first.min(expires)));
            }
        }
    }
}

/// For each trust anchor, by number: the life in seconds below which its VRPs count as expiring.
///
/// 24 hours, but not more than half of what its VRPs have left in the middle: some anchors renew
/// everything each night, so that all their VRPs always end within a day.
fn expiry_limits(table: &VrpTable, now: Timestamp) -> Vec<i64> {
    let mut lives: Vec<Vec<i64>> = vec![Vec::new(); usize::from(u8::MAX) + 1];
    for (vrp, expires) in table.iter_expiring().filter(|&(_, expires)| expires != 0) {
        if let Some(of_anchor) = lives.get_mut(vrp.ta.position()) {
            of_anchor.push(i64::from(expires) - now.secs());
        }
    }
    let limit = |mut lives: Vec<i64>| {
        if lives.len() < ANCHOR_VRPS_MIN {
            return EXPIRY_SECS;
        }
        let middle = lives.len() / 2;
        let (_, median, _) = lives.select_nth_unstable(middle);
        EXPIRY_SECS.min(*median / 2)
    };
    lives.into_iter().map(limit).collect()
}

/// Whether a member expects this AS to originate what it lists there; `None` when it says nothing.
fn is_expected(holding: &Holding<'_>, asn: Asn) -> Option<bool> {
    let (member, listed) = (holding.member, holding.listed);
    if member.asns.is_empty() && listed.origins.is_empty() {
        return None;
    }
    Some(member.asns.contains(&asn) || listed.origins.contains(&asn))
}

/// Of two prefixes of which one covers the other, the more-specific.
fn longer(a: Prefix, b: Prefix) -> Prefix {
    if a.len() > b.len() { a } else { b }
}

#[cfg(test)]
mod tests;
