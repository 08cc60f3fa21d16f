//! All feeds: who is heard, and what changes.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

use hashbrown::HashMap;
use routewarden_core::{Asn, Peer, RouteEventKind, Timestamp};
use serde::Serialize;

use super::feed::{Feed, Level, Present, lag_millis};
use super::snapshot::{CollectorHealth, FeedGap, HealthSnapshot, PeerCounts, PeerHealth, PeerName};
use super::{
    COLLECTORS_KNOWN_MAX, FeedState, GAPS_KEPT_MAX, JUMP_LEAST, PEERS_KNOWN_MAX, PEERS_LOST_LEAST,
    PEERS_LOST_WITHIN, Reason, SILENT_MAX,
};
use crate::live::LiveBatch;

const MINUTE_MICROS: i64 = 60_000_000;
/// Growth of the weight of the present in a minute: it doubles in a [`HALF_LIFE`](super::HALF_LIFE).
const WEIGHT_PER_MINUTE: f32 = 1.001_927_3;
/// Above it all weights are scaled down, long before they lose precision.
const WEIGHT_MAX: f32 = 1e6;
/// Of too many, this part is forgotten at once: so forgetting costs little for each newcomer.
const FORGOTTEN_PART: usize = 16;

type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// A change of a feed's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HealthChange {
    /// The collector.
    pub collector: Arc<str>,
    /// The peer; `None` when it is about the collector.
    pub peer: Option<PeerName>,
    /// State before.
    pub before: FeedState,
    /// State now.
    pub after: FeedState,
    /// Why.
    pub reason: Reason,
    /// Time of the tick that found it.
    pub at: Timestamp,
}

struct Collector {
    number: u32,
    source: Arc<str>,
    feed: Feed,
    gaps: VecDeque<FeedGap>,
    gaps_forgotten: u64,
    /// Heard last before the gap that lasts.
    gap_from: Option<Timestamp>,
}

impl Collector {
    /// One that touches the last one makes it longer: both the source and our watch tell of it. Whether
    /// it is one more.
    fn push_gap(&mut self, from: Timestamp, until: Timestamp) -> bool {
        if let Some(last) = self.gaps.back_mut().filter(|last| last.until >= Some(from)) {
            last.from = last.from.min(from);
            last.until = last.until.max(Some(until));
            return false;
        }
        if self.gaps.len() >= GAPS_KEPT_MAX {
            self.gaps.pop_front();
            self.gaps_forgotten += 1;
        }
        self.gaps.push_back(FeedGap { from, until: Some(until.max(from)) });
        true
    }

    fn all_gaps(&self) -> impl Iterator<Item = FeedGap> {
        let open = self.gap_from.map(|from| FeedGap { from, until: None });
        self.gaps.iter().copied().chain(open)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct PeerKey {
    collector: u32,
    asn: Asn,
    addr: IpAddr,
}

struct PeerFeed {
    collector: Arc<str>,
    feed: Feed,
}

/// Peers of a collector that normally speak, and those of them lost lately.
#[derive(Clone, Copy, Default)]
struct Speakers {
    all: usize,
    lost: usize,
}

/// Watches the health of feeds; see the [module](super).
pub struct FeedMonitor {
    collectors: Map<Arc<str>, Collector>,
    peers: Map<PeerKey, PeerFeed>,
    next_number: u32,
    now: Present,
    /// Time of the last tick, by the wall clock.
    wall: Option<Timestamp>,
    minute: i64,
    peers_max: usize,
    collectors_max: usize,
    peers_forgotten: u64,
    collectors_forgotten: u64,
    clock_jumps: u64,
    /// Silences that ended and were not taken yet: of one collector each, so few.
    ended: Vec<(Arc<str>, FeedGap)>,
    /// Events, time of the latest, and last change of the session, for each peer of a batch.
    scratch: Vec<(u32, Timestamp, Option<bool>)>,
}

impl Default for FeedMonitor {
    fn default() -> Self {
        Self::new(PEERS_KNOWN_MAX, COLLECTORS_KNOWN_MAX)
    }
}

impl FeedMonitor {
    /// Nothing heard yet; at most so many peers and collectors are kept in mind.
    pub fn new(peers_max: usize, collectors_max: usize) -> Self {
        FeedMonitor {
            collectors: Map::default(),
            peers: Map::default(),
            next_number: 0,
            now: Present { micros: 0, weight: 1.0 },
            wall: None,
            minute: 0,
            peers_max: peers_max.max(1),
            collectors_max: collectors_max.max(1),
            peers_forgotten: 0,
            collectors_forgotten: 0,
            clock_jumps: 0,
            ended: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// A source handed on so many events of a peer; `event_time` is that of the last one. What was
    /// filled back from an archive is not to be noted: it was not heard when it happened.
    pub fn note_batch(
        &mut self,
        source: &str,
        peer: &Peer,
        events: u32,
        (event_time, received): (Timestamp, Timestamp),
    ) {
        let lag = Some(lag_millis(event_time, received));
        let now = self.now;
        let feed = self.peer(source, peer, events, lag, received);
        feed.hear(events, lag, now);
    }

    /// A peer's session came up or went down.
    pub fn note_session(&mut self, source: &str, peer: &Peer, is_up: bool, received: Timestamp) {
        let now = self.now;
        let feed = self.peer(source, peer, 0, None, received);
        feed.hear(0, None, now);
        feed.down = (!is_up).then_some(Reason::SessionDown);
    }

    /// Notes what a source handed on, peer by peer, session changes included.
    pub fn note_live(&mut self, live: &LiveBatch) {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        scratch.resize(live.batch.new_peers.len(), (0, Timestamp::default(), None));
        for event in &live.batch.events {
            let at = usize::try_from(event.peer).unwrap_or(usize::MAX);
            let Some((count, time, session)) = scratch.get_mut(at) else { continue };
            *count += 1;
            *time = event.time;
            match event.kind {
                RouteEventKind::PeerUp => *session = Some(true),
                RouteEventKind::PeerDown => *session = Some(false),
                _ => {}
            }
        }
        for (peer, &(count, time, session)) in live.batch.new_peers.iter().zip(&scratch) {
            if count > 0 {
                self.note_batch(&live.source, peer, count, (time, live.received));
            }
            if let Some(is_up) = session {
                self.note_session(&live.source, peer, is_up, live.received);
            }
        }
        self.scratch = scratch;
    }

    /// A source lost its session, or has one again. The collectors that it heard last are down
    /// until they are heard again.
    pub fn note_source(&mut self, source: &str, is_up: bool) {
        for collector in self.collectors.values_mut().filter(|held| &*held.source == source) {
            collector.feed.down = (!is_up).then_some(Reason::SourceDown);
        }
    }

    /// A source may have missed what happened between these times.
    pub fn note_gap(&mut self, source: &str, from: Timestamp, until: Timestamp) {
        for collector in self.collectors.values_mut().filter(|held| &*held.source == source) {
            // It is the same one as that which our own watch has found.
            collector.gap_from = None;
            collector.push_gap(from, until);
        }
    }

    /// The silences of collectors that have ended since it was asked last. Those that a source told
    /// of ([`FeedMonitor::note_gap`]) are not among them.
    pub fn take_ended_gaps(&mut self) -> Vec<(Arc<str>, FeedGap)> {
        std::mem::take(&mut self.ended)
    }

    /// The peer's feed; the collector hears with it.
    fn peer(
        &mut self,
        source: &str,
        peer: &Peer,
        events: u32,
        lag: Option<u32>,
        received: Timestamp,
    ) -> &mut Feed {
        let now = self.now;
        if !self.collectors.contains_key(peer.collector.as_str()) {
            self.forget_collectors();
            let number = self.next_number;
            self.next_number = self.next_number.wrapping_add(1);
            let collector = Collector {
                number,
                source: source.into(),
                feed: Feed::new(Level::Collector, now),
                gaps: VecDeque::new(),
                gaps_forgotten: 0,
                gap_from: None,
            };
            self.collectors.insert(peer.collector.as_str().into(), collector);
        }
        let mut number = 0;
        if let Some(collector) = self.collectors.get_mut(peer.collector.as_str()) {
            number = collector.number;
            if *collector.source != *source {
                collector.source = source.into();
            }
            if let Some(from) = collector.gap_from.take()
                && collector.push_gap(from, received)
            {
                let gap = FeedGap { from, until: Some(received.max(from)) };
                self.ended.push((peer.collector.as_str().into(), gap));
            }
            collector.feed.hear(events, lag, now);
        }
        let key = PeerKey { collector: number, asn: peer.asn, addr: peer.addr };
        if !self.peers.contains_key(&key) {
            self.forget_peers();
        }
        let known = || PeerFeed {
            collector: peer.collector.as_str().into(),
            feed: Feed::new(Level::Peer, now),
        };
        &mut self.peers.entry(key).or_insert_with(known).feed
    }

    /// Goes on to `now` and judges all feeds; gives what changed, by collector, then peer.
    pub fn tick(&mut self, now: Timestamp) -> Vec<HealthChange> {
        self.advance(now);
        let minute = self.now.micros.div_euclid(MINUTE_MICROS);
        let is_minute = minute > self.minute;
        self.minute = minute;
        let mut changes = Vec::new();
        let speakers = self.tick_peers(is_minute, now, &mut changes);
        self.tick_collectors(is_minute, now, &speakers, &mut changes);
        // The collector comes before its peers: `None` is least.
        changes.sort_by(|a, b| (&a.collector, a.peer).cmp(&(&b.collector, b.peer)));
        changes
    }

    fn advance(&mut self, now: Timestamp) {
        let last = self.wall.replace(now).unwrap_or(now);
        let step = now.micros().saturating_sub(last.micros());
        if !(0..=JUMP_LEAST).contains(&step) {
            // How long it really was, nobody knows; the next step tells again.
            self.clock_jumps += 1;
            let present = self.now;
            self.collectors.values_mut().for_each(|held| held.feed.forget_lag(present));
            self.peers.values_mut().for_each(|held| held.feed.forget_lag(present));
            return;
        }
        self.now.micros += step;
        let minutes = self.now.micros.div_euclid(MINUTE_MICROS) - self.minute;
        for _ in 0..minutes {
            self.now.weight *= WEIGHT_PER_MINUTE;
        }
        if self.now.weight > WEIGHT_MAX {
            let by = 1.0 / self.now.weight;
            self.collectors.values_mut().for_each(|held| held.feed.scale(by));
            self.peers.values_mut().for_each(|held| held.feed.scale(by));
            self.now.weight = 1.0;
        }
    }

    fn tick_peers(
        &mut self,
        is_minute: bool,
        at: Timestamp,
        changes: &mut Vec<HealthChange>,
    ) -> BTreeMap<u32, Speakers> {
        let now = self.now;
        let mut speakers: BTreeMap<u32, Speakers> = BTreeMap::new();
        self.peers.iter_mut().for_each(|(key, PeerFeed { collector, feed })| {
            if is_minute {
                feed.learn_minute(now);
            }
            let judged = feed.judge(now);
            if let Some(before) = feed.enter(judged, now) {
                changes.push(HealthChange {
                    collector: Arc::clone(collector),
                    peer: Some(PeerName { asn: key.asn.0, addr: key.addr }),
                    before,
                    after: feed.state,
                    reason: feed.reason,
                    at,
                });
            }
            // Collectors also have peers that are always down, and tell it again and again.
            let is_speaker = feed.expected().is_some_and(|median| median > 0.0);
            if is_speaker && feed.is_learnt() && feed.borne() <= SILENT_MAX {
                let is_lost = matches!(feed.state, FeedState::Degraded | FeedState::Down);
                let is_recent = now.micros - feed.since <= PEERS_LOST_WITHIN;
                let speakers = speakers.entry(key.collector).or_default();
                speakers.all += usize::from(!is_lost || is_recent);
                speakers.lost += usize::from(is_lost && is_recent);
            }
        });
        speakers
    }

    fn tick_collectors(
        &mut self,
        is_minute: bool,
        at: Timestamp,
        speakers: &BTreeMap<u32, Speakers>,
        changes: &mut Vec<HealthChange>,
    ) {
        let now = self.now;
        self.collectors.iter_mut().for_each(|(name, collector)| {
            let feed = &mut collector.feed;
            if is_minute {
                feed.learn_minute(now);
            }
            let mut judged = feed.judge(now);
            let Speakers { all, lost } =
                speakers.get(&collector.number).copied().unwrap_or_default();
            if judged.0 == FeedState::Ok && lost >= PEERS_LOST_LEAST && lost * 2 >= all {
                judged = (FeedState::Degraded, Reason::PeersLost);
            }
            let change = feed.enter(judged, now).map(|before| HealthChange {
                collector: Arc::clone(name),
                peer: None,
                before,
                after: feed.state,
                reason: feed.reason,
                at,
            });
            changes.extend(change);
            let is_unheard = feed.state == FeedState::Down || feed.reason == Reason::Silent;
            if is_unheard && collector.gap_from.is_none() {
                collector.gap_from = Some(ago(at, now.micros - feed.heard));
            }
        });
    }

    /// Makes room for a collector.
    fn forget_collectors(&mut self) {
        if self.collectors.len() < self.collectors_max {
            return;
        }
        self.collectors_forgotten += forget(&mut self.collectors, |held| held.feed.heard);
        let mut kept: Vec<u32> = self.collectors.values().map(|held| held.number).collect();
        kept.sort_unstable();
        let before = self.peers.len();
        self.peers.retain(|key, _| kept.binary_search(&key.collector).is_ok());
        self.peers_forgotten += (before - self.peers.len()) as u64;
    }

    /// Makes room for a peer.
    fn forget_peers(&mut self) {
        if self.peers.len() >= self.peers_max {
            self.peers_forgotten += forget(&mut self.peers, |held| held.feed.heard);
        }
    }

    /// Health of some collectors, by name; those never heard are `unknown`.
    pub fn state_of(&self, collectors: &[&str]) -> Vec<CollectorHealth> {
        let mut names: Vec<&str> = collectors.to_vec();
        names.sort_unstable();
        names.dedup();
        let counts = self.peer_counts();
        let health = |name: &str| match self.collectors.get(name) {
            Some(collector) => self.collector_health(name, collector, &counts),
            None => CollectorHealth::never_heard(name),
        };
        names.into_iter().map(health).collect()
    }

    /// Gaps of a collector that touch the time `from..until`, oldest first.
    pub fn gaps_in(&self, collector: &str, from: Timestamp, until: Timestamp) -> Vec<FeedGap> {
        let touches = |gap: &FeedGap| gap.from < until && gap.until.is_none_or(|end| end >= from);
        let gaps = self.collectors.get(collector).into_iter().flat_map(Collector::all_gaps);
        gaps.filter(touches).collect()
    }

    /// Health of all, for the status page.
    pub fn snapshot(&self) -> HealthSnapshot {
        let counts = self.peer_counts();
        let mut collectors: Vec<CollectorHealth> = self
            .collectors
            .iter()
            .map(|(name, collector)| self.collector_health(name, collector, &counts))
            .collect();
        collectors.sort_by(|a, b| a.collector.cmp(&b.collector));
        let mut peers: Vec<PeerHealth> =
            self.peers.iter().map(|(key, held)| self.peer_health(*key, held)).collect();
        peers.sort_by(|a, b| (&a.collector, a.peer).cmp(&(&b.collector, b.peer)));
        HealthSnapshot {
            at: self.wall.unwrap_or_default(),
            collectors,
            peers,
            peers_forgotten: self.peers_forgotten,
            collectors_forgotten: self.collectors_forgotten,
            clock_jumps: self.clock_jumps,
        }
    }

    fn peer_counts(&self) -> BTreeMap<u32, PeerCounts> {
        let mut counts: BTreeMap<u32, PeerCounts> = BTreeMap::new();
        self.peers.iter().for_each(|(key, held)| {
            counts.entry(key.collector).or_default().count(held.feed.state);
        });
        counts
    }

    fn collector_health(
        &self,
        name: &str,
        held: &Collector,
        counts: &BTreeMap<u32, PeerCounts>,
    ) -> CollectorHealth {
        let feed = &held.feed;
        CollectorHealth {
            collector: name.to_owned(),
            source: Some(held.source.as_ref().to_owned()),
            state: feed.state,
            reason: feed.reason,
            since: Some(self.wall_of(feed.since)),
            last_heard: Some(self.wall_of(feed.heard)),
            expected_per_minute: feed.expected(),
            seen_per_minute: feed.clone().seen(self.now),
            lag_secs: feed.lag_micros().map(secs),
            silence_borne_secs: feed.is_learnt().then(|| feed.borne() / 1_000_000),
            peers: counts.get(&held.number).copied().unwrap_or_default(),
            gaps: held.all_gaps().collect(),
            gaps_forgotten: held.gaps_forgotten,
        }
    }

    fn peer_health(&self, key: PeerKey, held: &PeerFeed) -> PeerHealth {
        let feed = &held.feed;
        PeerHealth {
            collector: held.collector.as_ref().to_owned(),
            peer: PeerName { asn: key.asn.0, addr: key.addr },
            state: feed.state,
            reason: feed.reason,
            since: self.wall_of(feed.since),
            last_heard: self.wall_of(feed.heard),
            expected_per_minute: feed.expected(),
            seen_per_minute: feed.clone().seen(self.now),
            lag_secs: feed.lag_micros().map(secs),
            silence_borne_secs: feed.borne() / 1_000_000,
        }
    }

    /// A time of ours by the wall clock as it goes now, whatever it showed then.
    fn wall_of(&self, micros: i64) -> Timestamp {
        ago(self.wall.unwrap_or_default(), self.now.micros - micros)
    }
}

/// So many microseconds before, whole seconds up.
fn ago(now: Timestamp, micros: i64) -> Timestamp {
    now.plus_secs(-(micros.saturating_add(999_999) / 1_000_000))
}

fn secs(micros: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "for the eye")]
    let micros = micros as f64;
    micros / 1e6
}

/// Forgets the part of the entries that were heard least recently; gives how many.
fn forget<K: Eq + std::hash::Hash, V>(held: &mut Map<K, V>, heard: impl Fn(&V) -> i64) -> u64 {
    let count = held.len().div_ceil(FORGOTTEN_PART);
    let mut times: Vec<i64> = held.values().map(&heard).collect();
    let (_, &mut limit, _) = times.select_nth_unstable(count.saturating_sub(1));
    let mut left = count;
    held.retain(|_, value| {
        let is_kept = left == 0 || heard(value) > limit;
        left -= usize::from(!is_kept);
        is_kept
    });
    (count - left) as u64
}
