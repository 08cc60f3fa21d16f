//! A claim: one AS is seen doing one doubtful thing with one prefix. Claims have a life;
//! incidents are made of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use routewarden_core::facts::{InvalidReason, RovState, Vrp};
use routewarden_core::{AsPath, AsPathBuf, Asn, PeerId, Prefix, Timestamp};
use serde::{Deserialize, Serialize};

use crate::findings::PathFinding;
use crate::knowledge::KnownFrom;

/// What is doubtful.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum ClaimKind {
    /// The culprit originates a prefix known from, or covered by a prefix of, others.
    Origin,
    /// Route origin validation says invalid (RFC 6811).
    RpkiInvalid,
    /// The prefix lies in space that is never routable.
    BogonPrefix,
    /// The path holds an ASN that is never routable.
    BogonAsn,
    /// The culprit originates a less-specific of what only others originate.
    LessSpecific,
    /// The culprit passed on what it has from a provider or peer to another one (RFC 7908).
    Leak,
    /// The culprit stands in the path next to an AS whose neighbour it is not known to be.
    ForgedLink,
    /// The culprit is a neighbour that a constituent is not known to have.
    NewNeighbour,
    /// The culprit, a constituent, originates what neither it nor another is known to.
    Unexpected,
    /// The culprit originates a new more-specific of its own.
    MoreSpecific,
    /// The path ends in an `AS_SET`; the culprit stands before it.
    AsSet,
    /// The path is longer than any real one; the culprit originates it.
    LongPath,
    /// The culprit repeats itself beyond any use.
    Prepending,
}

impl ClaimKind {
    /// Whether the claim is one of who may originate what, judged by the rules of origin claims.
    pub(crate) const fn is_of_origin(self) -> bool {
        matches!(self, ClaimKind::Origin | ClaimKind::LessSpecific)
    }

    /// Whether what the path shows belongs to it.
    pub(crate) const fn is_of_path(self) -> bool {
        matches!(self, ClaimKind::Leak | ClaimKind::ForgedLink | ClaimKind::NewNeighbour)
    }

    /// Whether a standing route shows it, too: it needs no habit.
    pub(crate) const fn needs_no_habit(self) -> bool {
        matches!(self, ClaimKind::RpkiInvalid | ClaimKind::BogonPrefix | ClaimKind::BogonAsn)
    }
}

/// Identity of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct ClaimKey {
    pub(crate) prefix: Prefix,
    pub(crate) kind: ClaimKind,
    pub(crate) culprit: Asn,
}

/// Against whom a claim stands that has a victim, as known when it was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Target {
    /// Origins known of the prefix, or of the nearest covering prefix; sorted.
    pub(crate) victims: Vec<Asn>,
    /// `None`: the exact prefix is the victims'. Else the covering prefix that is.
    pub(crate) covering: Option<Prefix>,
    /// The nearest less-specific that a victim is known to originate.
    pub(crate) victims_cover: Option<Prefix>,
    /// How the victims' origination is known, and since when.
    pub(crate) known_from: KnownFrom,
    pub(crate) known_since: Timestamp,
    /// Whether any peer had a route to the exact prefix from a victim when the claim began.
    pub(crate) victim_was_present: bool,
    /// Of the routes to the victims' prefix: all, and those whose path holds the culprit.
    pub(crate) victim_routes: usize,
    pub(crate) victim_routes_via_culprit: usize,
    /// Known prefixes below the covering prefix: all, and those others than the victims
    /// originate; distinct foreign origins; whether the culprit is one of them.
    pub(crate) below: usize,
    pub(crate) below_foreign: usize,
    pub(crate) culprit_below: usize,
    /// Whether the culprit originates a prefix that covers the victims' (a provider's block).
    pub(crate) culprit_covers: Option<Prefix>,
}

/// Something the victim did against the claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Reaction {
    /// Number of the event.
    pub(crate) seq: u64,
    pub(crate) time: Timestamp,
    pub(crate) prefix: Prefix,
    pub(crate) origin: Asn,
}

/// A path that showed the claim.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) time: Timestamp,
    pub(crate) peer: PeerId,
    pub(crate) path: AsPathBuf,
}

/// Most sample paths kept for a claim, one a witness AS, the earliest.
pub(crate) const SAMPLES_MAX: usize = 8;

/// Most episodes of a claim that are told apart; further ones lengthen the last.
const EPISODES_MAX: usize = 64;

/// A claim's life.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "facts that do not depend on one another")]
pub(crate) struct Claim {
    pub(crate) key: ClaimKey,
    /// Number of the event that made it.
    pub(crate) seq: u64,
    /// First time any peer showed it (for a standing route: when the peer received it).
    pub(crate) first_seen: Timestamp,
    /// Last announcement that showed it.
    pub(crate) last_seen: Timestamp,
    /// When the last peer known to have it lost it; `None` while some peer has it.
    pub(crate) ended_at: Option<Timestamp>,
    /// It stood already in the table given at the start.
    pub(crate) standing: bool,
    /// From when to when it was seen, at most [`EPISODES_MAX`] times; the last one goes on
    /// while `ended_at` is `None`.
    pub(crate) episodes: Vec<(Timestamp, Timestamp)>,
    holders: Vec<(PeerId, Asn)>,
    /// Witness ASes and when each first saw it. The culprit's own sessions are no witnesses.
    pub(crate) witnesses: BTreeMap<Asn, Timestamp>,
    /// Most witness ASes that had it at one time.
    pub(crate) peak: usize,
    /// When a witness was last added.
    pub(crate) spread_at: Timestamp,
    /// How often it began anew after it had ended.
    pub(crate) recurrences: u32,
    /// ASes next to the culprit that passed the route on, with the number of announcements.
    pub(crate) propagators: BTreeMap<Asn, u32>,
    /// Announcements that showed it, and those whose path holds a victim.
    pub(crate) announcements: u32,
    pub(crate) announcements_via_victim: u32,
    pub(crate) samples: Vec<Sample>,
    pub(crate) target: Option<Target>,
    pub(crate) rov: Option<(RovState, Option<InvalidReason>)>,
    /// VRPs that covered the prefix when the claim of route origin validation was made.
    pub(crate) covering_vrps: Vec<Vrp>,
    /// The file that they stand in, as cited.
    pub(crate) vrps_source: Option<Arc<str>>,
    /// Bogon ASNs in the paths.
    pub(crate) bogon_asns: Vec<Asn>,
    pub(crate) reactions: Vec<Reaction>,
    /// Origin of the route that made it.
    pub(crate) origin: Option<Asn>,
    /// Communities of the route that made it hold BLACKHOLE (RFC 7999).
    pub(crate) is_blackhole: bool,
    /// What the path of the route that made it shows.
    pub(crate) finding: Option<Box<PathFinding>>,
    /// The peer that showed it first had another path to the prefix right before.
    pub(crate) has_displaced: bool,
    /// Whether the culprit's own sessions are witnesses: they are those of the router that recorded
    /// everything, not of a collector that the culprit tells whatever it likes.
    pub(crate) is_told_to_us: bool,
    /// A change of VRPs made it, with no BGP update.
    pub(crate) by_vrp_change: bool,
}

/// Most reactions kept for a claim.
const REACTIONS_MAX: usize = 64;

impl Claim {
    pub(crate) fn new(key: ClaimKey, time: Timestamp, seq: u64) -> Self {
        Claim {
            key,
            seq,
            first_seen: time,
            last_seen: time,
            ended_at: None,
            standing: false,
            episodes: vec![(time, time)],
            holders: Vec::new(),
            witnesses: BTreeMap::new(),
            peak: 0,
            spread_at: time,
            recurrences: 0,
            propagators: BTreeMap::new(),
            announcements: 0,
            announcements_via_victim: 0,
            samples: Vec::new(),
            target: None,
            rov: None,
            covering_vrps: Vec::new(),
            vrps_source: None,
            bogon_asns: Vec::new(),
            reactions: Vec::new(),
            origin: None,
            is_blackhole: false,
            finding: None,
            has_displaced: false,
            is_told_to_us: false,
            by_vrp_change: false,
        }
    }

    /// A peer shows the claim.
    pub(crate) fn enter(&mut self, time: Timestamp, (peer, asn): (PeerId, Asn), path: AsPath<'_>) {
        self.first_seen = self.first_seen.min(time);
        self.last_seen = self.last_seen.max(time);
        if self.ended_at.take().is_some() {
            self.recurrences += 1;
            if self.episodes.len() < EPISODES_MAX {
                self.episodes.push((time, time));
            }
        } else if let [only] = self.episodes.as_mut_slice() {
            only.0 = only.0.min(time);
        }
        self.announcements += 1;
        if let Some(target) = &self.target
            && path.collapsed().any(|hop| target.victims.contains(&hop))
        {
            self.announcements_via_victim += 1;
        }
        if let Some(propagator) = before_in_path(path, self.key.culprit) {
            *self.propagators.entry(propagator).or_default() += 1;
        }
        let is_new = !self.is_held_by(peer);
        if is_new {
            self.holders.push((peer, asn));
        }
        if asn == self.key.culprit && !self.is_told_to_us {
            return;
        }
        if let std::collections::btree_map::Entry::Vacant(vacant) = self.witnesses.entry(asn) {
            vacant.insert(time);
            self.spread_at = time;
            if self.samples.len() < SAMPLES_MAX {
                self.samples.push(Sample { time, peer, path: path.into() });
            }
        }
        if is_new {
            self.peak = self.peak.max(self.present());
        }
    }

    /// A peer has it no more.
    pub(crate) fn leave(&mut self, time: Timestamp, peer: PeerId) {
        let before = self.holders.len();
        self.holders.retain(|&(holder, _)| holder != peer);
        if self.holders.len() < before && self.holders.is_empty() {
            self.ended_at = Some(time);
            if let Some(last) = self.episodes.last_mut() {
                last.1 = time;
            }
        }
    }

    /// Ends it when every peer that shows it is lost to sight; `lost_at` tells since when a peer
    /// is. Whether it was.
    pub(crate) fn lose_sight(&mut self, lost_at: &dyn Fn(PeerId) -> Option<Timestamp>) -> bool {
        let mut last = None;
        for &(peer, _) in &self.holders {
            let Some(at) = lost_at(peer) else { return false };
            last = last.max(Some((at, peer)));
        }
        let Some((at, _)) = last else { return false };
        let at = at.max(self.last_seen);
        for (peer, _) in self.holders.clone() {
            self.leave(at, peer);
        }
        true
    }

    /// Whether the peer is known to have it.
    pub(crate) fn is_held_by(&self, peer: PeerId) -> bool {
        self.holders.iter().any(|&(holder, _)| holder == peer)
    }

    /// Number of witness ASes that have it now.
    pub(crate) fn present(&self) -> usize {
        let mut asns: Vec<Asn> = self
            .holders
            .iter()
            .map(|&(_, asn)| asn)
            .filter(|&asn| asn != self.key.culprit || self.is_told_to_us)
            .collect();
        asns.sort_unstable();
        asns.dedup();
        asns.len()
    }

    /// Whether some peer is known to have it.
    pub(crate) fn is_active(&self) -> bool {
        self.ended_at.is_none()
    }

    pub(crate) fn push_reaction(&mut self, reaction: Reaction) {
        let known = self
            .reactions
            .iter()
            .any(|old| old.prefix == reaction.prefix && old.origin == reaction.origin);
        if !known && self.reactions.len() < REACTIONS_MAX {
            self.reactions.push(reaction);
        }
    }

    /// From when to when it was seen, to `now` when it still is.
    pub(crate) fn intervals(&self, now: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        let mut intervals = self.episodes.clone();
        if let (None, Some(last)) = (self.ended_at, intervals.last_mut()) {
            last.1 = now;
        }
        intervals
    }

    /// Seconds it was seen.
    pub(crate) fn duration_secs(&self, now: Timestamp) -> i64 {
        self.intervals(now).iter().map(|(from, to)| to.secs_since(*from).max(0)).sum()
    }
}

/// The AS that stands right before `asn` in the path, on the collector's side.
fn before_in_path(path: AsPath<'_>, asn: Asn) -> Option<Asn> {
    let mut previous = None;
    for hop in path.collapsed() {
        if hop == asn {
            return previous;
        }
        previous = Some(hop);
    }
    None
}
