//! Adj-RIB-In (RFC 4271 §3.2) of every peer of every collector, with interned attributes.
//!
//! A peer that went down leaves its routes *unknown*, never withdrawn: they stay in the table,
//! do not count as present, and are compared with what the peer sends when it is back.

mod attribute_table;
mod blocks;
mod by_as;
pub mod fuzz;
mod lookup;
mod route_store;
mod session;
pub mod snapshot;

use std::collections::VecDeque;

use hashbrown::HashMap;

use crate::{Asn, PeerId, Prefix, PrefixMap, RouteAttributes, Shard, Timestamp};
pub use attribute_table::{AttributeId, AttributeTable};
pub use by_as::{NEIGHBORS_BY_AS_MAX, ORIGINS_BY_AS_MAX};
pub use route_store::PEERS_MAX;
use route_store::{RouteList, RouteStore, StoredRoute, StoredTime};
pub use session::{Session, TRANSFER_QUIET_SECS, TRANSFER_SECS_MAX};

/// How long a withdrawal is remembered so that an older announcement, arriving late, does not
/// revive the route.
pub const LATE_EVENT_SECS: i64 = 300;
/// Most withdrawals remembered for [`LATE_EVENT_SECS`]; the oldest are forgotten first.
pub const RECENT_WITHDRAWALS_MAX: usize = 1 << 20;

/// Most routes of all peers, unless told otherwise: 150 full tables of today. A route to a known
/// prefix takes 12 to 24 octets.
pub const ROUTES_MAX: usize = 200_000_000;
/// Most prefixes, unless told otherwise: six times the tables of today. The first route to a
/// prefix takes up to 360 octets here and in what detection learns of it.
pub const PREFIXES_MAX: usize = 8_000_000;
/// Most octets of distinct attributes, unless told otherwise.
pub const ATTRIBUTE_OCTETS_MAX: usize = 4 << 30;

/// Bounds on what hostile input can make the table hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RibLimits {
    /// Most routes; see [`ROUTES_MAX`].
    pub routes_max: usize,
    /// Most prefixes; see [`PREFIXES_MAX`].
    pub prefixes_max: usize,
    /// Most octets of distinct attributes; see [`ATTRIBUTE_OCTETS_MAX`].
    pub attribute_octets_max: usize,
}

impl Default for RibLimits {
    fn default() -> Self {
        RibLimits {
            routes_max: ROUTES_MAX,
            prefixes_max: PREFIXES_MAX,
            attribute_octets_max: ATTRIBUTE_OCTETS_MAX,
        }
    }
}

impl RibLimits {
    /// The limits of the table of one shard, when the tables of all hold together what these allow.
    #[must_use]
    pub fn of_shard(self, shard: Shard) -> Self {
        RibLimits {
            routes_max: shard.part_of(self.routes_max),
            prefixes_max: shard.part_of(self.prefixes_max),
            attribute_octets_max: shard.part_of(self.attribute_octets_max),
        }
    }
}

/// Room for this many withdrawals is never given back.
const WITHDRAWALS_ROOM_KEPT: usize = 4_096;

type Hasher = foldhash::fast::FixedState;

/// One peer's route to a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Whose route it is.
    pub peer: PeerId,
    /// Its attributes.
    pub attributes: AttributeId,
    /// Time of the last announcement, rounded down to 16 microseconds.
    pub time: Timestamp,
}

/// What an event changed in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteChange {
    /// The event's time.
    pub time: Timestamp,
    /// The peer whose route changed.
    pub peer: PeerId,
    /// The prefix.
    pub prefix: Prefix,
    /// Attributes before: `None` when the peer had no route. Valid until the next event.
    pub before: Option<AttributeId>,
    /// Whether the route before was lost to sight by a session that went down since.
    pub before_unknown: bool,
    /// Attributes after: `None` for a withdrawal.
    pub after: Option<AttributeId>,
    /// Whether it belongs to the table that the peer sends after coming up. A table has each prefix
    /// once: what takes the place of a route of the same session is news, even while the rest of
    /// the table is still coming.
    pub in_transfer: bool,
}

/// Events that changed nothing, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RibCounters {
    /// Announcements with the attributes the peer had already sent.
    pub duplicate_announcements: u64,
    /// Withdrawals of routes the peer did not have.
    pub needless_withdrawals: u64,
    /// Events older than what the same peer last said of the prefix.
    pub late_events: u64,
    /// Announcements refused because a limit of [`RibLimits`] was reached.
    pub over_limit: u64,
}

/// The table.
#[derive(Debug, Default)]
pub struct AdjRibIn {
    lists: PrefixMap<RouteList>,
    store: RouteStore,
    attributes: AttributeTable,
    sessions: Vec<Session>,
    /// Kept when it is asked for.
    origins: Option<by_as::Origins>,
    recent_withdrawals: HashMap<(PeerId, Prefix), Timestamp, Hasher>,
    withdrawal_order: VecDeque<(Timestamp, PeerId, Prefix)>,
    /// Time of the latest withdrawal ever.
    latest_withdrawal: Timestamp,
    /// Attributes of the last change's `before`, given back with the next event.
    released: Option<AttributeId>,
    route_count: usize,
    counters: RibCounters,
    limits: RibLimits,
    /// Time of the latest event.
    now: Timestamp,
}

impl AdjRibIn {
    /// An empty table with these limits.
    pub fn with_limits(limits: RibLimits) -> Self {
        AdjRibIn { limits, ..AdjRibIn::default() }
    }

    /// Notes the time of an event, whoever's it is: what is remembered for a while is judged by it.
    pub fn tick(&mut self, time: Timestamp) {
        self.now = self.now.max(time);
    }

    /// Notes that `peer` announces something, to whatever prefix: it tells of its session. To be
    /// called before [`AdjRibIn::announce`]. Gives whether a table transfer has ended by its time:
    /// routes from before the reset that the peer has not sent again are gone.
    pub fn hear(&mut self, time: Timestamp, peer: PeerId) -> bool {
        session_mut(&mut self.sessions, peer).on_announcement(time)
    }

    /// An announcement or table entry of `peer`. `octets` are canonical attribute octets;
    /// `classify` gives the flags of attributes not seen before. `None`: nothing changed.
    pub fn announce(
        &mut self,
        (time, peer): (Timestamp, PeerId),
        prefix: Prefix,
        octets: &[u8],
        classify: &mut impl FnMut(&RouteAttributes<'_>) -> u8,
    ) -> Option<RouteChange> {
        self.release();
        if self.withdrawn_later_than(peer, prefix, time) {
            self.counters.late_events += 1;
            return None;
        }
        if self.is_over_limit(peer, prefix) {
            self.counters.over_limit += 1;
            return None;
        }
        let session = session_mut(&mut self.sessions, peer);
        let stored = StoredTime::from(time);
        let list = self.lists.get_or_default(prefix);
        let found = self.store.find(list, peer);
        let held = found.ok().and_then(|at| self.store.get_mut(list, at));
        if held.as_ref().is_some_and(|route| route.time() > stored) {
            self.counters.late_events += 1;
            return None;
        }
        let Some(after) = self.attributes.intern(peer, octets, classify) else {
            if list.is_empty() {
                self.lists.remove(&prefix);
            }
            self.counters.over_limit += 1;
            return None;
        };
        let mut change = RouteChange {
            time,
            peer,
            prefix,
            before: None,
            before_unknown: false,
            after: Some(after),
            in_transfer: session.is_in_transfer(),
        };
        // Peers beyond the limit were refused above.
        let route = StoredRoute::new(peer, after, stored)?;
        match held {
            None => {
                self.store.insert(list, found.unwrap_or_else(|at| at), route);
                session.count_route(prefix.family(), 1);
                self.route_count += 1;
            }
            Some(held) => {
                change.before = Some(held.attributes());
                change.before_unknown = session.is_unknown(held.time().into());
                change.in_transfer &= change.before_unknown;
                *held = route;
                // Both references were counted; the old one goes with the next event.
                self.released = change.before;
                if change.before == change.after && !change.before_unknown {
                    self.counters.duplicate_announcements += 1;
                    return None;
                }
            }
        }
        self.follow_origins(&prefix, change.before, change.after);
        Some(change)
    }

    /// A withdrawal by `peer`. `None`: nothing changed.
    pub fn withdraw(
        &mut self,
        (time, peer): (Timestamp, PeerId),
        prefix: Prefix,
    ) -> Option<RouteChange> {
        self.release();
        self.remember_withdrawal(time, peer, prefix);
        let Some(list) = self.lists.get_mut(&prefix) else {
            self.counters.needless_withdrawals += 1;
            return None;
        };
        let Ok(at) = self.store.find(list, peer) else {
            self.counters.needless_withdrawals += 1;
            return None;
        };
        let is_late = |route: &StoredRoute| route.time() > StoredTime::from(time);
        if self.store.routes(list).get(at).is_some_and(is_late) {
            self.counters.late_events += 1;
            return None;
        }
        let route = self.store.remove(list, at)?;
        if list.is_empty() {
            self.lists.remove(&prefix);
        }
        let session = session_mut(&mut self.sessions, peer);
        session.count_route(prefix.family(), -1);
        self.route_count -= 1;
        self.released = Some(route.attributes());
        let before_unknown = session.is_unknown(route.time().into());
        self.follow_origins(&prefix, self.released, None);
        Some(RouteChange {
            time,
            peer,
            prefix,
            before: Some(route.attributes()),
            before_unknown,
            after: None,
            in_transfer: false,
        })
    }

    /// The session of `peer`, made on first use.
    pub fn session_mut(&mut self, peer: PeerId) -> &mut Session {
        session_mut(&mut self.sessions, peer)
    }

    /// The session of `peer`, if anything was heard of it.
    pub fn session(&self, peer: PeerId) -> Option<&Session> {
        self.sessions.get(usize::try_from(peer.0).ok()?)
    }

    /// All sessions by peer number.
    pub fn sessions(&self) -> impl Iterator<Item = (PeerId, &Session)> {
        self.sessions.iter().zip(0..).map(|(session, id)| (PeerId(id), session))
    }

    /// Routes to exactly this prefix that are known to be present, by peer number.
    pub fn routes(&self, prefix: &Prefix) -> impl Iterator<Item = Route> + use<'_> {
        self.held_routes(prefix)
            .filter(|route| !self.session(route.peer).is_some_and(|s| s.is_unknown(route.time)))
    }

    /// Routes to exactly this prefix by peer number, those of lost sessions included: nobody said
    /// that they are gone.
    pub fn held_routes(&self, prefix: &Prefix) -> impl Iterator<Item = Route> + use<'_> {
        let list = self.lists.get(prefix);
        let stored = list.map(|list| self.store.routes(list)).unwrap_or_default();
        stored.iter().map(|route| Route {
            peer: route.peer(),
            attributes: route.attributes(),
            time: route.time().into(),
        })
    }

    /// The peer's route to exactly this prefix, also when its session is lost.
    pub fn held_route(&self, prefix: &Prefix, peer: PeerId) -> Option<Route> {
        let list = self.lists.get(prefix)?;
        let at = self.store.find(list, peer).ok()?;
        let stored = self.store.routes(list).get(at)?;
        Some(Route { peer, attributes: stored.attributes(), time: stored.time().into() })
    }

    /// Whether any peer is known to have a route to the prefix originated by `origin`.
    pub fn is_originated_by(&self, prefix: &Prefix, origin: Asn) -> bool {
        self.routes(prefix)
            .any(|route| self.attributes.claimed_origin(route.attributes) == Some(origin))
    }

    /// The attributes of all routes.
    pub fn attributes(&self) -> &AttributeTable {
        &self.attributes
    }

    /// Gives all attributes in use new flags, as `classify` now gives them.
    pub fn reclassify(&mut self, classify: &mut impl FnMut(&RouteAttributes<'_>) -> u8) {
        self.attributes.reclassify(classify);
    }

    /// Number of routes of all peers, unknown ones included.
    pub fn route_count(&self) -> usize {
        self.route_count
    }

    /// Number of prefixes with at least one route.
    pub fn prefix_count(&self) -> usize {
        self.lists.len()
    }

    /// All prefixes with at least one route, in no particular order.
    pub fn prefixes(&self) -> impl Iterator<Item = &Prefix> {
        self.lists.iter().map(|(prefix, _)| prefix)
    }

    /// Events that changed nothing.
    pub fn counters(&self) -> RibCounters {
        self.counters
    }

    /// Brings the table's housekeeping up to `now`: what is kept for a while only, goes.
    pub fn advance(&mut self, now: Timestamp) {
        self.tick(now);
        self.release();
        self.forget_withdrawals();
    }

    /// Takes back what the last events added to the counters, when another table counts them.
    pub fn reset_counters(&mut self, counters: RibCounters) {
        self.counters = counters;
    }

    /// Whether the announcement would let the table grow beyond its limits. A route that is held
    /// may change as long as there is room for attributes.
    fn is_over_limit(&self, peer: PeerId, prefix: Prefix) -> bool {
        let RibLimits { routes_max, prefixes_max, attribute_octets_max } = self.limits;
        if self.attributes.octets() >= attribute_octets_max || peer.0 >= PEERS_MAX {
            return true;
        }
        if self.route_count < routes_max && self.lists.len() < prefixes_max {
            return false;
        }
        match self.lists.get(&prefix) {
            None => true,
            Some(list) => self.route_count >= routes_max && self.store.find(list, peer).is_err(),
        }
    }

    fn release(&mut self) {
        if let Some(id) = self.released.take() {
            self.attributes.release(id);
        }
    }

    fn withdrawn_later_than(&self, peer: PeerId, prefix: Prefix, time: Timestamp) -> bool {
        // Judged by the time, not by what is still in the map: that depends on other prefixes.
        let is_later = |&at: &Timestamp| at > time && !self.is_forgotten(at);
        // Most announcements are of the present, and nothing later than it is remembered.
        self.latest_withdrawal > time
            && self.recent_withdrawals.get(&(peer, prefix)).is_some_and(is_later)
    }

    fn is_forgotten(&self, withdrawn: Timestamp) -> bool {
        self.now.secs_since(withdrawn) > LATE_EVENT_SECS
    }

    fn remember_withdrawal(&mut self, time: Timestamp, peer: PeerId, prefix: Prefix) {
        self.latest_withdrawal = self.latest_withdrawal.max(time);
        self.forget_withdrawals();
        let latest = self.recent_withdrawals.entry((peer, prefix)).or_insert(time);
        *latest = time.max(*latest);
        self.withdrawal_order.push_back((time, peer, prefix));
    }

    fn forget_withdrawals(&mut self) {
        while let Some(&(at, old_peer, old_prefix)) = self.withdrawal_order.front() {
            if !self.is_forgotten(at) && self.withdrawal_order.len() < RECENT_WITHDRAWALS_MAX {
                break;
            }
            self.withdrawal_order.pop_front();
            if self.recent_withdrawals.get(&(old_peer, old_prefix)) == Some(&at) {
                self.recent_withdrawals.remove(&(old_peer, old_prefix));
            }
        }
        if self.withdrawal_order.is_empty() {
            // After a burst the room for it is given back.
            self.withdrawal_order.shrink_to(WITHDRAWALS_ROOM_KEPT);
            self.recent_withdrawals.shrink_to(WITHDRAWALS_ROOM_KEPT);
        }
    }
}

fn session_mut(sessions: &mut Vec<Session>, peer: PeerId) -> &mut Session {
    let at = usize::try_from(peer.0).unwrap_or(usize::MAX);
    if sessions.len() <= at {
        sessions.resize(at + 1, Session::default());
    }
    // Just made long enough; the last is never used in place of another.
    let last = sessions.len() - 1;
    #[expect(clippy::indexing_slicing, reason = "bounded by the resize above")]
    &mut sessions[at.min(last)]
}

#[cfg(test)]
mod tests;
