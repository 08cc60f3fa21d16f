//! Following the routes of watched space, one change after the other, and looking back a little: by
//! the time an incident is told of, what led to it has already happened.
//!
//! ```text
//! RouteChange ─► Recent: what each change replaced (bounded) ─► look_back: the routes of before
//!             └► SpaceSet: is it watched? ─► WatchedChange, to be taken after each batch
//! ```
//!
//! What a peer sends of its table after coming up is its state, not a change, unless it differs from
//! what it had sent. Nothing here decides anything: it is not saved, and detection does not see it.

mod recent;
mod spaces;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use routewarden_core::rib::{RouteChange, Session};
use routewarden_core::{AddressFamily, PeerId, Prefix, Share, Timestamp};
use serde::{Deserialize, Serialize};

use crate::detector::Detector;
use crate::engine::DetectorShard;
pub use recent::{RECENT_OCTETS_MAX, RECENT_SECS_MAX};
use recent::{Recent, What};
use spaces::SpaceSet;

/// Prefixes of the table that are looked into when a peer's table shows what it did not send again.
const NOT_SENT_AGAIN_MAX: usize = 65_536;

/// Space that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Space {
    /// The prefix.
    pub prefix: Prefix,
    /// Whether it is the prefix alone; else with all more-specifics.
    pub is_exact: bool,
}

impl Space {
    /// Whether the prefix lies in it.
    pub fn holds(&self, prefix: &Prefix) -> bool {
        if self.is_exact { self.prefix == *prefix } else { self.prefix.covers(prefix) }
    }
}

/// What happened to a route or a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WatchedAction {
    /// The peer has another route to the prefix, or its first one.
    Announced {
        /// The prefix.
        prefix: Prefix,
        /// Canonical octets; see [`routewarden_core::RouteAttributes`].
        attributes: Box<[u8]>,
    },
    /// The peer has no route to the prefix any more.
    Withdrawn {
        /// The prefix.
        prefix: Prefix,
    },
    /// The peer's session was lost, and the table that it sent afterwards has no route to the
    /// prefix.
    NotSentAgain {
        /// The prefix.
        prefix: Prefix,
    },
    /// The peer's session was lost: its routes are unknown, not gone.
    PeerDown,
    /// The peer is heard again.
    PeerUp,
}

/// One thing that happened in watched space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchedChange {
    /// Number of the event that told it.
    pub seq: u64,
    /// The event's time.
    pub time: Timestamp,
    /// The peer.
    pub peer: PeerId,
    /// What happened.
    pub action: WatchedAction,
}

/// A peer's route to a prefix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchedRoute {
    /// The peer.
    pub peer: PeerId,
    /// The prefix.
    pub prefix: Prefix,
    /// Canonical octets of its attributes.
    pub attributes: Box<[u8]>,
}

/// How much a look back may give.
#[derive(Clone, Copy, Debug)]
pub struct LookBackLimits {
    /// Most prefixes.
    pub prefixes_max: usize,
    /// Most routes.
    pub routes_max: usize,
    /// Most changes.
    pub changes_max: usize,
}

/// The routes of some space as they were, and all that happened to them since.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// Whence on it is known: what was asked for, or as far back as was kept.
    pub since: Timestamp,
    /// Routes right before, by prefix.
    pub routes: Vec<WatchedRoute>,
    /// What happened since, in order.
    pub changes: Vec<WatchedChange>,
    /// Whether there were more prefixes than asked for.
    pub lacks_prefixes: bool,
    /// Whether there were more routes.
    pub lacks_routes: bool,
    /// Whether there were more changes: the last ones are missing.
    pub lacks_changes: bool,
}

/// What a shard keeps to follow changes.
#[derive(Default)]
pub(crate) struct Follower {
    recent: Recent,
    spaces: SpaceSet,
    /// Changes not taken yet, with the watches that they are for; those of sessions are for all.
    changes: Vec<(Vec<i64>, WatchedChange)>,
}

impl DetectorShard {
    /// Follows a change of the table.
    pub(crate) fn follow_route(&mut self, change: &RouteChange) {
        let Some(follower) = &mut self.follower else { return };
        if change.before == change.after {
            // Lost to sight, and back as it was.
            return;
        }
        let (seq, table) = (self.seq, self.rib.attributes());
        // A new route of a table that is being sent stood before: nobody knows since when.
        if !change.in_transfer || change.before.is_some() {
            let before = change.before.map(|id| table.octets_of(id));
            follower.recent.push_route(seq, change, before);
        }
        let watches = follower.spaces.watches(&change.prefix);
        if watches.is_empty() || self.shard.share(&change.prefix) != Share::Home {
            return;
        }
        let prefix = change.prefix;
        let action = match change.after {
            Some(id) => WatchedAction::Announced { prefix, attributes: table.octets_of(id).into() },
            None => WatchedAction::Withdrawn { prefix },
        };
        let change = WatchedChange { seq, time: change.time, peer: change.peer, action };
        follower.changes.push((watches, change));
    }

    /// Follows a session: to be called before the table is told.
    pub(crate) fn follow_session(&mut self, (time, peer): (Timestamp, PeerId), is_up: bool) {
        let was_down = self.rib.session(peer).is_some_and(Session::is_down);
        let Some(follower) = &mut self.follower else { return };
        if was_down != is_up {
            return;
        }
        follower.recent.push_session(self.seq, (time, peer), is_up);
        if self.shard.is_first() && !follower.spaces.is_empty() {
            let action = if is_up { WatchedAction::PeerUp } else { WatchedAction::PeerDown };
            let change = WatchedChange { seq: self.seq, time, peer, action };
            follower.changes.push((Vec::new(), change));
        }
    }

    /// A peer's table is complete: watched routes of the family that it did not send again are gone.
    pub(crate) fn follow_table_end(
        &mut self,
        (time, peer): (Timestamp, PeerId),
        family: Option<AddressFamily>,
    ) {
        let DetectorShard { follower, rib, shard, seq, .. } = self;
        let Some(follower) = follower else { return };
        let Some(session) = rib.session(peer).copied() else { return };
        let mut gone = BTreeSet::new();
        for space in follower.spaces.iter() {
            let below = rib.covered(&space.prefix).take(NOT_SENT_AGAIN_MAX);
            let prefixes = below.take_while(|held| !space.is_exact || *held == space.prefix);
            let is_asked = |prefix: &Prefix| {
                family.is_none_or(|family| prefix.family() == family)
                    && shard.share(prefix) == Share::Home
            };
            for prefix in prefixes.filter(is_asked) {
                let held = rib.held_route(&prefix, peer);
                if held.is_some_and(|route| session.is_unknown(route.time)) {
                    gone.insert(prefix);
                }
            }
        }
        for prefix in gone {
            let action = WatchedAction::NotSentAgain { prefix };
            let change = WatchedChange { seq: *seq, time, peer, action };
            follower.changes.push((follower.spaces.watches(&prefix), change));
        }
    }

    /// What this shard answers for of a look back.
    fn look_back(&self, spaces: &SpaceSet, since: Timestamp, limits: LookBackLimits) -> Past {
        let Some(follower) = &self.follower else { return Past::default() };
        let since = since.max(follower.recent.known_since());
        let undone = Undone::of(&follower.recent, spaces, since);
        let mut past = Past { since, ..Past::default() };
        let mut prefixes: BTreeSet<Prefix> =
            undone.routes.keys().map(|&(prefix, _)| prefix).collect();
        for space in spaces.iter() {
            let below = self.rib.covered(&space.prefix).take(limits.prefixes_max + 1);
            prefixes.extend(below.take_while(|held| !space.is_exact || *held == space.prefix));
        }
        past.lacks_prefixes = prefixes.len() > limits.prefixes_max;
        let own = prefixes.iter().filter(|prefix| self.shard.share(prefix) == Share::Home);
        for prefix in own.take(limits.prefixes_max) {
            self.look_back_at(*prefix, &undone, &mut past);
        }
        if self.shard.is_first() {
            past.changes.extend(undone.sessions.values().flatten().cloned());
        }
        past
    }

    fn look_back_at(&self, prefix: Prefix, undone: &Undone<'_>, past: &mut Past) {
        let table = self.rib.attributes();
        let mut peers: BTreeMap<PeerId, Option<&[u8]>> = BTreeMap::new();
        for route in self.rib.held_routes(&prefix) {
            let is_unknown =
                self.rib.session(route.peer).is_some_and(|session| session.is_unknown(route.time));
            let is_touched = undone.routes.contains_key(&(prefix, route.peer));
            if !is_unknown || is_touched || undone.was_lost(route.peer) {
                peers.insert(route.peer, Some(table.octets_of(route.attributes)));
            }
        }
        let touched = undone.routes.range((prefix, PeerId(0))..=(prefix, PeerId(u32::MAX)));
        for (&(_, peer), _) in touched {
            peers.entry(peer).or_default();
        }
        for (peer, mut now) in peers {
            let steps = undone.routes.get(&(prefix, peer)).map(Vec::as_slice).unwrap_or_default();
            let mut changes = Vec::with_capacity(steps.len());
            for step in steps.iter().rev() {
                let action = match now {
                    Some(octets) => WatchedAction::Announced { prefix, attributes: octets.into() },
                    None => WatchedAction::Withdrawn { prefix },
                };
                changes.push(WatchedChange { seq: step.seq, time: step.time, peer, action });
                now = step.before;
            }
            past.changes.extend(changes.into_iter().rev());
            let was_unknown = steps.first().is_some_and(|step| step.was_unknown);
            if let Some(octets) = now.filter(|_| !was_unknown || undone.was_lost(peer)) {
                past.routes.push(WatchedRoute { peer, prefix, attributes: octets.into() });
            }
        }
    }
}

/// A change that is undone.
struct Step<'a> {
    seq: u64,
    time: Timestamp,
    before: Option<&'a [u8]>,
    was_unknown: bool,
}

/// The changes of some space since a time, to be undone.
#[derive(Default)]
struct Undone<'a> {
    routes: BTreeMap<(Prefix, PeerId), Vec<Step<'a>>>,
    sessions: BTreeMap<PeerId, Vec<WatchedChange>>,
}

impl<'a> Undone<'a> {
    fn of(recent: &'a Recent, spaces: &SpaceSet, since: Timestamp) -> Self {
        let mut undone = Undone::default();
        for record in recent.iter().filter(|record| record.time >= since) {
            let (seq, time, peer) = (record.seq, record.time, record.peer);
            let action = match record.what {
                What::Route { prefix, before, was_unknown } => {
                    if spaces.holds(&prefix) {
                        let steps = undone.routes.entry((prefix, peer)).or_default();
                        steps.push(Step { seq, time, before, was_unknown });
                    }
                    continue;
                }
                What::PeerDown => WatchedAction::PeerDown,
                What::PeerUp => WatchedAction::PeerUp,
            };
            let change = WatchedChange { seq, time, peer, action };
            undone.sessions.entry(peer).or_default().push(change);
        }
        undone
    }

    /// Whether the first that is known of the session is its loss: what it had before was present.
    fn was_lost(&self, peer: PeerId) -> bool {
        let first = self.sessions.get(&peer).and_then(|changes| changes.first());
        first.is_some_and(|change| change.action == WatchedAction::PeerDown)
    }
}

impl Detector {
    /// From now on, what changes is kept for a while, to be looked back at. Not saved with the
    /// state: to be called again after it is restored.
    pub fn follow(&mut self) {
        let now = self.now();
        for shard in self.shards_mut() {
            let recent = Recent::since(now);
            shard.follower = Some(Box::new(Follower { recent, ..Follower::default() }));
        }
    }

    /// Watches some space for `watch`, a number of the caller's, beside what it watches for it
    /// already. Without [`Detector::follow`], nothing.
    pub fn watch(&mut self, watch: i64, spaces: &[Space]) {
        for follower in self.shards_mut().filter_map(|shard| shard.follower.as_mut()) {
            follower.spaces.add(watch, spaces);
        }
    }

    /// Watches no longer.
    pub fn unwatch(&mut self, watch: i64) {
        for follower in self.shards_mut().filter_map(|shard| shard.follower.as_mut()) {
            follower.spaces.remove(watch);
        }
    }

    /// What happened in watched space since it was asked last, in order, with the watches that each
    /// is for. What befell sessions comes with none: it concerns all.
    pub fn take_watched(&mut self) -> Vec<(Vec<i64>, WatchedChange)> {
        let followers = self.shards_mut().filter_map(|shard| shard.follower.as_mut());
        let mut changes: Vec<_> =
            followers.flat_map(|follower| std::mem::take(&mut follower.changes)).collect();
        changes.sort_by_key(|(_, change)| change.seq);
        changes
    }

    /// The routes of some space as they were right before `since`, and what happened to them from
    /// then on: as far back as is kept.
    pub fn look_back(&self, spaces: &[Space], since: Timestamp, limits: LookBackLimits) -> Past {
        let set = SpaceSet::of(spaces);
        let mut all = Past::default();
        for shard in self.shards() {
            let past = shard.look_back(&set, since, limits);
            all.since = all.since.max(past.since);
            all.lacks_prefixes |= past.lacks_prefixes;
            all.routes.extend(past.routes);
            all.changes.extend(past.changes);
        }
        all.routes.sort_by_key(|route| (route.prefix, route.peer));
        all.changes.sort_by_key(|change| change.seq);
        all.lacks_routes = all.routes.len() > limits.routes_max;
        all.routes.truncate(limits.routes_max);
        all.lacks_changes = all.changes.len() > limits.changes_max;
        all.changes.truncate(limits.changes_max);
        all
    }

    /// How many prefixes of the table lie in a block, the block itself among them; counted up to
    /// `most`.
    pub fn prefixes_in(&self, block: &Prefix, most: usize) -> usize {
        let own = |shard: &'_ DetectorShard| -> usize {
            let held = shard.rib.covered(block);
            held.filter(|prefix| shard.shard.share(prefix) == Share::Home).take(most).count()
        };
        self.shards().map(own).sum::<usize>().min(most)
    }
}
