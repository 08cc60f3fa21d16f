//! The health of feeds, and what it means for incidents.

use std::collections::BTreeMap;
use std::sync::Arc;

use routewarden_core::Timestamp;
use routewarden_detect::{ImpairedFeed, Incident};
use routewarden_feeds::health::{CollectorHealth, FeedGap, FeedMonitor, FeedState, HealthChange};
use routewarden_feeds::live::{LiveBatch, SourceHandle, SourceState};
use serde_json::json;

use crate::status::FeedStatus;

/// An incident rests on what was heard from so long before it on.
const BEFORE_SECS: i64 = 300;
/// Most impaired feeds named in one incident.
const IMPAIRED_MAX: usize = 64;

/// Watches the feeds.
pub(crate) struct Feeds {
    monitor: FeedMonitor,
    sources: Vec<SourceHandle>,
    /// What each source was when it was last looked at.
    states: BTreeMap<String, SourceState>,
    collectors: Vec<CollectorHealth>,
}

impl Feeds {
    pub(crate) fn new(sources: Vec<SourceHandle>) -> Self {
        Feeds {
            monitor: FeedMonitor::default(),
            sources,
            states: BTreeMap::new(),
            collectors: Vec::new(),
        }
    }

    pub(crate) fn hear(&mut self, live: &LiveBatch) {
        self.monitor.note_live(live);
    }

    pub(crate) fn gap(&mut self, source: &str, from: Timestamp, until: Timestamp) {
        self.monitor.note_gap(source, from, until);
    }

    /// Judges all feeds; gives what changed of collectors.
    pub(crate) fn tick(&mut self, now: Timestamp) -> Vec<HealthChange> {
        for source in &self.sources {
            let status = source.snapshot();
            let before = self.states.insert(status.name.to_string(), status.state);
            if before.is_some_and(|before| before != status.state) {
                self.monitor.note_source(&status.name, status.state == SourceState::Up);
            }
        }
        let mut changes = self.monitor.tick(now);
        changes.retain(|change| change.peer.is_none());
        self.collectors = self.monitor.snapshot().collectors;
        changes
    }

    /// Silences of collectors that have ended since it was asked last.
    pub(crate) fn take_ended_gaps(&mut self) -> Vec<(Arc<str>, FeedGap)> {
        self.monitor.take_ended_gaps()
    }

    /// Names the feeds that could not tell all of an incident.
    pub(crate) fn name_impaired(&self, incident: &mut Incident) {
        let from = incident.first_seen.plus_secs(-BEFORE_SECS);
        let until = incident.ended_at;
        let is_within = |began: Timestamp, ended: Option<Timestamp>| {
            until.is_none_or(|until| began <= until) && ended.is_none_or(|ended| ended >= from)
        };
        let mut impaired = Vec::new();
        for health in &self.collectors {
            let collector = &health.collector;
            let feed = |state: &str, from, until| ImpairedFeed {
                collector: collector.clone(),
                state: state.to_owned(),
                from,
                until,
            };
            let is_impaired = matches!(health.state, FeedState::Degraded | FeedState::Down);
            let now = health.since.filter(|_| is_impaired);
            impaired.extend(now.map(|since| feed(health.state.name(), since, None)));
            impaired.extend(health.gaps.iter().map(|gap| feed("gap", gap.from, gap.until)));
        }
        impaired.retain(|feed| is_within(feed.from, feed.until));
        impaired.truncate(IMPAIRED_MAX);
        incident.feeds.impaired = impaired;
    }

    /// For the status page.
    pub(crate) fn statuses(&self) -> Vec<FeedStatus> {
        let status = |health: &CollectorHealth| FeedStatus {
            source: health.collector.as_str().into(),
            state: health.state.name(),
            is_degraded: matches!(health.state, FeedState::Degraded | FeedState::Down),
            reason: serde_json::to_value(health.reason)
                .ok()
                .and_then(|reason| reason.as_str().map(str::to_owned)),
            detail: json!(health),
        };
        self.collectors.iter().map(status).collect()
    }
}
