//! The trails of incidents: their space is watched from right before the first event until some time
//! after the end. Part of the state: told the same records, it has the same trails.
//!
//! ```text
//! plan: what to watch ─► Record::Watch ─► Trails: look back, then each change ─► TrailWrite ─► store
//! ```
//!
//! What was handed to the store stays here until the store has it; what it is handed again after a
//! restart it knows by its position.

mod plan;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use routewarden_core::{Peer, PeerId, PeerTable, Prefix, Timestamp};
use routewarden_detect::{
    Detector, LookBackLimits, Past, Space, WatchedAction, WatchedChange, WatchedRoute,
};
use routewarden_store::{
    TRAIL_EVENTS_MAX, TrailAction, TrailEvent, TrailFault, TrailFaults, TrailPart, TrailRoute,
    TrailSpace, TrailWrite,
};
use serde::{Deserialize, Serialize};

pub(crate) use plan::{Subject, plan};

/// Most trails at one time; further incidents have none.
pub(crate) const TRAILS_OPEN_MAX: usize = 1_000;
/// Most prefixes watched for an incident, as far as the table has them when it begins.
pub(crate) const TRAIL_PREFIXES_MAX: usize = 256;
/// Most routes kept of the time before an incident.
pub(crate) const TRAIL_ROUTES_MAX: usize = 65_536;
/// A trail goes on for so long after the end of its incident.
pub(crate) const TRAIL_TAIL_SECS: i64 = 600;
/// Most octets of attributes that may wait for the store.
pub(crate) const TRAILS_WAITING_OCTETS_MAX: usize = 64 << 20;
/// Octets counted for an event beside its attributes.
const EVENT_OCTETS: usize = 64;
/// When so many events wait, they are written.
const WRITE_EVENTS: usize = 1_024;
/// What waits is written after so many seconds.
const WRITE_AFTER_SECS: i64 = 5;

/// Space to be watched for an incident, or the end of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Watch {
    /// Number of the incident in the store.
    pub(crate) number: i64,
    /// From when on its trail is wanted.
    pub(crate) since: Timestamp,
    /// It stood already when the program began: nobody knows since when it did.
    pub(crate) is_standing: bool,
    /// It has had a trail, which ended.
    pub(crate) is_again: bool,
    /// Its space, beside what is watched for it already.
    pub(crate) spaces: Vec<Space>,
    /// When to end; `None`: not yet.
    pub(crate) until: Option<Timestamp>,
    /// What of the incident is not watched.
    pub(crate) faults: TrailFaults,
}

/// A trail that goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Trail {
    spaces: Vec<Space>,
    /// Peers that had routes in it.
    sources: BTreeSet<PeerId>,
    until: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    faults: TrailFaults,
    /// Events it has had, written or not.
    events: u64,
    /// Not written yet.
    parts: Vec<Part>,
    waiting: Vec<(u64, WatchedChange)>,
    /// Whether faults or the end are not written yet.
    has_news: bool,
}

/// Space that began to be watched, with its routes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    position: u64,
    since: Timestamp,
    spaces: Vec<Space>,
    routes: Vec<WatchedRoute>,
    faults: TrailFaults,
}

/// All trails that go on, by number of the incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trails {
    /// Counts batches and watches: what each of them brings has its position.
    position: u64,
    open: BTreeMap<i64, Trail>,
    waiting_events: usize,
    waiting_octets: usize,
    /// Whether a trail has had all events that it may.
    has_full: bool,
    /// When something was written last.
    written_at: Timestamp,
}

impl Trails {
    /// None yet; positions follow on those of the store.
    pub(crate) fn after(position: u64) -> Self {
        Trails { position, ..Trails::default() }
    }

    /// Watches again what was watched when the state was saved.
    pub(crate) fn resume(&self, detector: &mut Detector) {
        detector.follow();
        for (&number, trail) in self.open.iter().filter(|(_, trail)| trail.is_followed()) {
            detector.watch(number, &trail.spaces);
        }
    }

    /// Takes what a batch brought.
    pub(crate) fn take(&mut self, detector: &mut Detector) {
        self.position += 1;
        for (watches, change) in detector.take_watched() {
            if watches.is_empty() {
                self.take_session(&change);
            }
            for number in watches {
                self.push(number, change.clone());
            }
        }
        self.leave_full(detector);
    }

    /// What befell a session concerns the trails that have its routes.
    fn take_session(&mut self, change: &WatchedChange) {
        let concerned = |(_, trail): &(&i64, &Trail)| {
            trail.is_followed() && trail.sources.contains(&change.peer)
        };
        let numbers: Vec<i64> = self.open.iter().filter(concerned).map(|(&it, _)| it).collect();
        for number in numbers {
            self.push(number, change.clone());
        }
    }

    fn push(&mut self, number: i64, change: WatchedChange) {
        let Some(trail) = self.open.get_mut(&number) else { return };
        if trail.events >= TRAIL_EVENTS_MAX {
            trail.fault(TrailFault::TooManyEvents);
            self.has_full = true;
            return;
        }
        let octets = octets(&change);
        if self.waiting_octets + octets > TRAILS_WAITING_OCTETS_MAX {
            trail.fault(TrailFault::Lost);
            return;
        }
        self.waiting_octets += octets;
        self.waiting_events += 1;
        trail.events += 1;
        trail.sources.insert(change.peer);
        trail.waiting.push((self.position, change));
    }

    /// Trails that may have no more events are watched no longer.
    fn leave_full(&mut self, detector: &mut Detector) {
        if !std::mem::take(&mut self.has_full) {
            return;
        }
        for (&number, trail) in &mut self.open {
            if trail.faults.has(TrailFault::TooManyEvents) && !trail.spaces.is_empty() {
                trail.spaces.clear();
                detector.unwatch(number);
            }
        }
    }

    /// Begins a trail, or changes one that goes on.
    pub(crate) fn watch(&mut self, watch: Watch, detector: &mut Detector) {
        self.position += 1;
        let Watch { number, since, is_standing, is_again, spaces, until, faults } = watch;
        let known = self.open.get(&number);
        let old = known.map(|trail| trail.spaces.clone()).unwrap_or_default();
        let is_full = known.is_some_and(|trail| trail.faults.has(TrailFault::TooManyEvents));
        let new: Vec<Space> = spaces.into_iter().filter(|space| !old.contains(space)).collect();
        let trail = self.open.entry(number).or_default();
        (trail.until, trail.ended_at, trail.has_news) = (until, None, true);
        trail.faults = trail.faults.with(faults);
        if is_full || new.is_empty() {
            return;
        }
        let wanted = if is_standing { detector.now() } else { since };
        let limits = LookBackLimits {
            prefixes_max: TRAIL_PREFIXES_MAX,
            routes_max: TRAIL_ROUTES_MAX,
            changes_max: usize::try_from(TRAIL_EVENTS_MAX).unwrap_or(usize::MAX),
        };
        let past = detector.look_back(&new, wanted, limits);
        let lacks = [
            (is_standing && !is_again, TrailFault::Standing),
            (past.since > wanted && !is_again, TrailFault::OpenedLate),
            (past.lacks_prefixes, TrailFault::TooManyPrefixes),
            (past.lacks_routes, TrailFault::TooManyRoutes),
        ];
        let mut faults = TrailFaults::default();
        lacks.into_iter().filter(|lack| lack.0).for_each(|lack| faults.add(lack.1));
        if past.lacks_changes {
            trail.fault(TrailFault::TooManyEvents);
            self.has_full = true;
        }
        detector.watch(number, &new);
        trail.spaces.extend_from_slice(&new);
        self.take_past(number, (new, faults), past, &old);
        self.leave_full(detector);
    }

    fn take_past(
        &mut self,
        number: i64,
        (spaces, faults): (Vec<Space>, TrailFaults),
        past: Past,
        old: &[Space],
    ) {
        let Past { since, routes, changes, .. } = past;
        let octets: usize = routes.iter().map(|route| route.attributes.len() + EVENT_OCTETS).sum();
        self.waiting_octets += octets;
        let Some(trail) = self.open.get_mut(&number) else { return };
        trail.sources.extend(routes.iter().map(|route| route.peer));
        let of_routes = changes.iter().filter(|change| prefix(change).is_some());
        trail.sources.extend(of_routes.map(|change| change.peer));
        trail.parts.push(Part { position: self.position, since, spaces, routes, faults });
        for change in changes {
            let is_new = match prefix(&change) {
                Some(prefix) => !old.iter().any(|space| space.holds(&prefix)),
                None => old.is_empty() && self.has_source(number, change.peer),
            };
            if is_new {
                self.push(number, change);
            }
        }
    }

    fn has_source(&self, number: i64, peer: PeerId) -> bool {
        self.open.get(&number).is_some_and(|trail| trail.sources.contains(&peer))
    }

    /// Time passes: trails whose time is over end.
    pub(crate) fn advance(&mut self, now: Timestamp, detector: &mut Detector) {
        for (&number, trail) in &mut self.open {
            if trail.ended_at.is_none() && trail.until.is_some_and(|until| until < now) {
                trail.ended_at = Some(now);
                trail.has_news = true;
                detector.unwatch(number);
            }
        }
    }

    /// Whether something should be written now.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        let is_urgent =
            |trail: &Trail| !trail.parts.is_empty() || (trail.has_news && trail.ended_at.is_some());
        self.waiting_events >= WRITE_EVENTS
            || self.open.values().any(is_urgent)
            || (self.has_waiting() && now.secs_since(self.written_at) >= WRITE_AFTER_SECS)
    }

    /// Whether something waits to be written.
    pub(crate) fn has_waiting(&self) -> bool {
        self.open.values().any(Trail::has_waiting)
    }

    /// All that waits.
    pub(crate) fn writes(&self, peers: &PeerTable) -> Vec<TrailWrite> {
        let mut names = Names { peers, known: BTreeMap::new() };
        let waiting = self.open.iter().filter(|(_, trail)| trail.has_waiting());
        waiting.map(|(&number, trail)| trail.write(number, self.position, &mut names)).collect()
    }

    /// The store has what [`Trails::writes`] gave.
    pub(crate) fn written(&mut self, now: Timestamp) {
        for trail in self.open.values_mut() {
            trail.parts.clear();
            trail.waiting.clear();
            trail.has_news = false;
        }
        self.open.retain(|_, trail| trail.ended_at.is_none());
        (self.waiting_events, self.waiting_octets, self.written_at) = (0, 0, now);
    }

    /// Whether an incident has a trail that goes on.
    fn has(&self, number: i64) -> bool {
        self.open.get(&number).is_some_and(|trail| trail.ended_at.is_none())
    }

    /// Whether a watch would change anything of a trail that goes on.
    fn is_changed_by(&self, watch: &Watch) -> bool {
        self.open.get(&watch.number).is_none_or(|trail| {
            let is_full = trail.faults.has(TrailFault::TooManyEvents);
            trail.until != watch.until
                || trail.faults.with(watch.faults) != trail.faults
                || (!is_full && !watch.spaces.is_empty())
        })
    }

    /// The space that is watched for an incident.
    fn spaces(&self, number: i64) -> &[Space] {
        self.open.get(&number).map(|trail| trail.spaces.as_slice()).unwrap_or_default()
    }

    /// Numbers of the incidents whose trails go on.
    pub(crate) fn numbers(&self) -> Vec<i64> {
        self.open.keys().copied().collect()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }
}

impl Trail {
    fn fault(&mut self, fault: TrailFault) {
        self.has_news |= !self.faults.has(fault);
        self.faults.add(fault);
    }

    fn is_followed(&self) -> bool {
        self.ended_at.is_none() && !self.spaces.is_empty()
    }

    fn has_waiting(&self) -> bool {
        self.has_news || !self.parts.is_empty() || !self.waiting.is_empty()
    }

    fn write(&self, number: i64, through: u64, names: &mut Names<'_>) -> TrailWrite {
        let parts = self.parts.iter().map(|part| TrailPart {
            position: part.position,
            since: part.since,
            spaces: part.spaces.iter().map(space).collect(),
            routes: part.routes.iter().filter_map(|route| names.route(route)).collect(),
            faults: part.faults,
        });
        let parts = parts.collect();
        let events = self.waiting.iter();
        let events = events.filter_map(|(at, change)| Some((*at, names.event(change)?)));
        TrailWrite {
            number,
            parts,
            events: events.collect(),
            through,
            ended_at: self.ended_at,
            faults: self.faults,
        }
    }
}

/// The peers by number, each put into memory of its own once.
struct Names<'a> {
    peers: &'a PeerTable,
    known: BTreeMap<PeerId, Arc<Peer>>,
}

impl Names<'_> {
    fn peer(&mut self, id: PeerId) -> Option<Arc<Peer>> {
        if let Some(peer) = self.known.get(&id) {
            return Some(Arc::clone(peer));
        }
        let peer = Arc::new(self.peers.get(id)?.clone());
        self.known.insert(id, Arc::clone(&peer));
        Some(peer)
    }

    fn route(&mut self, route: &WatchedRoute) -> Option<TrailRoute> {
        let source = self.peer(route.peer)?;
        let attributes = route.attributes.as_ref().into();
        Some(TrailRoute { source, prefix: route.prefix, attributes })
    }

    fn event(&mut self, change: &WatchedChange) -> Option<TrailEvent> {
        let source = self.peer(change.peer)?;
        let action = match &change.action {
            WatchedAction::Announced { prefix, attributes } => {
                TrailAction::Announced { prefix: *prefix, attributes: attributes.as_ref().into() }
            }
            WatchedAction::Withdrawn { prefix } => TrailAction::Withdrawn { prefix: *prefix },
            WatchedAction::NotSentAgain { prefix } => TrailAction::NotSentAgain { prefix: *prefix },
            WatchedAction::PeerDown => TrailAction::PeerDown,
            WatchedAction::PeerUp => TrailAction::PeerUp,
        };
        Some(TrailEvent { time: change.time, source, action })
    }
}

fn space(space: &Space) -> TrailSpace {
    TrailSpace { prefix: space.prefix, is_exact: space.is_exact }
}

fn prefix(change: &WatchedChange) -> Option<Prefix> {
    match &change.action {
        WatchedAction::Announced { prefix, .. }
        | WatchedAction::Withdrawn { prefix }
        | WatchedAction::NotSentAgain { prefix } => Some(*prefix),
        WatchedAction::PeerDown | WatchedAction::PeerUp => None,
    }
}

/// What an event counts for while it waits.
fn octets(change: &WatchedChange) -> usize {
    match &change.action {
        WatchedAction::Announced { attributes, .. } => attributes.len() + EVENT_OCTETS,
        _ => EVENT_OCTETS,
    }
}
