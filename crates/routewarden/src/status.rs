//! What the running program tells of itself: the document of `/status`, and what follows from it.
//!
//! The pipeline fills a [`Snapshot`]; whether the program is ready, and what somebody should look
//! at, is told from that alone.

use std::future::ready;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use prometheus_client::registry::Registry;
use routewarden_core::Timestamp;
use routewarden_detect::look::{Answer, Query};
use routewarden_detect::{IncidentKind, SeverityClass};
use routewarden_feeds::live::{SourceState, SourceStatus};
use routewarden_store::{Judged, StoreError, Verdict};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::readiness::Observatory;

/// Where the HTTP server asks.
pub trait ServeStatus: Send + Sync + 'static {
    /// The state now. Called for every request of it: it copies and does not wait.
    fn snapshot(&self) -> Snapshot;

    /// Looks at the table of the running program. It waits for its turn, at most some seconds.
    fn look(&self, _query: Query) -> BoxFuture<'_, Result<Look, NoLook>> {
        Box::pin(ready(Err(NoLook::Starting)))
    }

    /// Records what somebody found of an incident. It waits for the engine, which owns the store.
    fn judge(&self, _judgement: Judgement) -> BoxFuture<'_, Result<Judged, NotJudged>> {
        Box::pin(ready(Err(NotJudged::Busy)))
    }

    /// Where networks are measured; `None` where they are not.
    fn observatory(&self) -> Option<Arc<Observatory>> {
        None
    }

    /// Adds metrics that cannot be told from a snapshot, as histograms. Called once. Labels must be
    /// bounded: source, kind, state, class; never prefix, peer or ASN.
    fn register(&self, _registry: &mut Registry) {}
}

/// What a look at the table shows.
#[derive(Clone, Debug)]
pub struct Look {
    /// Whether the state to start from is still coming in: then most of the table is missing.
    pub in_baseline: bool,
    /// What is there.
    pub answer: Answer,
}

/// Why nobody looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoLook {
    /// The program does not watch yet.
    #[error("the program is starting")]
    Starting,
    /// Too many others wait.
    #[error("too many look at the table at this time")]
    Busy,
    /// It took too long.
    #[error("the table was not looked at in time")]
    TooSlow,
    /// The program does not watch any more.
    #[error("the program is ending")]
    Ending,
}

/// What somebody found of an incident.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// Id in the store or of the detector.
    pub id: String,
    /// Name of the user.
    pub by: String,
    /// The verdict with its note; `None` withdraws the one before.
    pub verdict: Option<(Verdict, String)>,
}

/// Why a verdict was not recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotJudged {
    /// The engine has too much to do, or does not work.
    #[error("the program cannot record it at this time")]
    Busy,
    /// The store refuses it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The state of the program at one time.
#[derive(Clone, Debug, Serialize)]
pub struct Snapshot {
    /// Now.
    pub now: Timestamp,
    /// When the program started.
    pub started: Timestamp,
    /// Whether the tables to start from are in.
    pub tables_loaded: bool,
    /// Whether the facts were read once, with success or without.
    pub facts_loaded: bool,
    /// The sources, as configured.
    pub sources: Vec<SourceStatus>,
    /// The health of each feed.
    pub feeds: Vec<FeedStatus>,
    /// The facts in use.
    pub facts: Vec<FactStatus>,
    /// The queues between the parts.
    pub queues: Vec<QueueStatus>,
    /// What is remembered on disk; `None` where nothing is.
    pub store: Option<StoreStatus>,
    /// Incidents that have not ended, by kind and class of severity.
    pub open_incidents: Vec<OpenIncidents>,
    /// When something was last reported.
    pub last_report: Option<Timestamp>,
    /// The program's clock against the machine's.
    pub clock: ClockStatus,
}

/// The program's clock against the machine's time of day. Where that jumps, the program's goes on;
/// it follows forwards when the difference has stood for five minutes.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct ClockStatus {
    /// Seconds that the machine's is ahead.
    pub ahead_secs: i64,
    /// How often it jumped.
    pub jumps: u64,
}

/// Health of a feed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FeedStatus {
    /// Name of its source.
    #[schema(value_type = String)]
    pub source: Arc<str>,
    /// Stable name of its state.
    pub state: &'static str,
    /// Whether what it does not tell says little.
    pub is_degraded: bool,
    /// Why, in words.
    #[schema(required)]
    pub reason: Option<String>,
    /// Rates, lag and gaps, as the health of feeds writes them.
    #[schema(value_type = Object)]
    pub detail: Value,
}

/// Facts of one kind from one file, server or cache.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FactStatus {
    /// Stable name of what they are, as `vrps`.
    pub kind: &'static str,
    /// Where they are from: path, URL or name of the cache.
    pub source: String,
    /// Entries in use; `None` while there are none.
    #[schema(required)]
    pub entries: Option<u64>,
    /// When they were last confirmed to be as they are at their source.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub confirmed: Option<Timestamp>,
    /// Whether they are older than they should be.
    pub is_stale: bool,
    /// Attempts that failed since the last success.
    pub failures: u64,
    /// The last failure in words.
    #[schema(required)]
    pub last_failure: Option<String>,
}

/// A bounded queue between two parts.
#[derive(Clone, Debug, Serialize)]
pub struct QueueStatus {
    /// Stable name.
    pub name: &'static str,
    /// Items waiting now.
    pub waiting: u64,
    /// Items that may wait.
    pub capacity: u64,
    /// Most items that ever waited.
    pub most_waiting: u64,
    /// Items ever put in.
    pub items: u64,
    /// How long those who fill it waited in all, in milliseconds.
    pub waited_ms: u64,
    /// Items dropped because it was full.
    pub dropped: u64,
}

/// The store.
#[derive(Clone, Debug, Default, Serialize)]
pub struct StoreStatus {
    /// Octets on disk.
    pub octets: u64,
    /// Entries of the journal.
    pub entries: u64,
    /// When it was last written.
    pub written: Option<Timestamp>,
    /// When the table was last kept.
    pub snapshot: Option<Timestamp>,
    /// When the last backup was made.
    pub backup: Option<Timestamp>,
    /// Writes that failed.
    pub failures: u64,
    /// Why the last write failed; `None` when it did not.
    pub failing: Option<String>,
}

/// How many incidents of one kind and class have not ended.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OpenIncidents {
    /// What they are.
    #[schema(value_type = String)]
    pub kind: IncidentKind,
    /// How bad they are.
    #[schema(value_type = String)]
    pub class: SeverityClass,
    /// How many.
    pub count: u64,
}

/// Something that somebody should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Stable name.
    pub kind: &'static str,
    /// In words.
    pub text: String,
}

/// The document of `/status`.
#[derive(Debug, Serialize)]
pub struct StatusDocument {
    /// Version of the program.
    pub version: &'static str,
    /// Seconds since the start.
    pub uptime_s: i64,
    /// Whether somebody should look.
    pub warning: bool,
    /// Why.
    pub reasons: Vec<Reason>,
    /// Whether the program does all its work.
    pub ready: bool,
    /// The state.
    #[serde(flatten)]
    pub snapshot: Snapshot,
}

impl StatusDocument {
    /// The document of a state.
    pub fn new(snapshot: Snapshot) -> Self {
        let reasons = snapshot.warnings();
        StatusDocument {
            version: env!("CARGO_PKG_VERSION"),
            uptime_s: snapshot.uptime_secs(),
            warning: !reasons.is_empty(),
            reasons,
            ready: snapshot.unready().is_empty(),
            snapshot,
        }
    }
}

impl Snapshot {
    /// A state in which nothing is there yet.
    pub fn new(started: Timestamp, now: Timestamp) -> Self {
        Snapshot {
            now,
            started,
            tables_loaded: false,
            facts_loaded: false,
            sources: Vec::new(),
            feeds: Vec::new(),
            facts: Vec::new(),
            queues: Vec::new(),
            store: None,
            open_incidents: Vec::new(),
            last_report: None,
            clock: ClockStatus::default(),
        }
    }

    /// Seconds since the start; 0 when the clock went back.
    pub fn uptime_secs(&self) -> i64 {
        self.now.secs_since(self.started).max(0)
    }

    /// Why the program does not do all its work; empty when it is ready.
    pub fn unready(&self) -> Vec<Reason> {
        let is_up = self.sources.iter().any(|source| source.state == SourceState::Up);
        let conditions = [
            (self.tables_loaded, "tables_not_loaded", "the tables to start from are not in"),
            (self.facts_loaded, "facts_not_loaded", "the facts are not read"),
            (is_up, "no_source_up", "no source is up"),
        ];
        let lacking = conditions.into_iter().filter(|(holds, ..)| !holds);
        lacking.map(|(_, kind, text)| Reason { kind, text: text.to_owned() }).collect()
    }

    /// What somebody should look at.
    pub fn warnings(&self) -> Vec<Reason> {
        let mut reasons = self.unready();
        let mut add = |kind, text| reasons.push(Reason { kind, text });
        for source in self.sources.iter().filter(|source| source.state != SourceState::Up) {
            let fault = source.last_fault.as_ref();
            let fault = fault.map(|(time, text)| format!("; {time}: {text}")).unwrap_or_default();
            add("source_not_up", format!("the source {} is not up{fault}", source.name));
        }
        for feed in self.feeds.iter().filter(|feed| feed.is_degraded) {
            let reason = feed.reason.as_deref().unwrap_or(feed.state);
            add("feed_degraded", format!("the feed {} is degraded: {reason}", feed.source));
        }
        for fact in &self.facts {
            let why = fact.last_failure.as_deref().map(|text| format!(": {text}"));
            let (kind, source, why) = (fact.kind, &fact.source, why.unwrap_or_default());
            if fact.entries.is_none() {
                add("facts_missing", format!("no {kind} of {source}{why}"));
            } else if fact.is_stale {
                add("facts_stale", format!("the {kind} of {source} are old{why}"));
            }
        }
        for queue in self.queues.iter().filter(|queue| queue.waiting >= queue.capacity) {
            add("queue_full", format!("the queue {} is full: sources are slowed", queue.name));
        }
        if self.clock.ahead_secs != 0 {
            let text = format!("the machine's clock jumped by {} s", self.clock.ahead_secs);
            add("clock_jumped", text);
        }
        if let Some(why) = self.store.as_ref().and_then(|store| store.failing.as_deref()) {
            add("store_failing", format!("the store cannot be written: {why}"));
        }
        reasons
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use routewarden_feeds::live::{SourceHandle, SourceKind};

    use super::*;

    /// A state with something of everything.
    pub(crate) fn full() -> Snapshot {
        let now = Timestamp::from_secs(1_800_000_000);
        let up = SourceHandle::new("rrc12", SourceKind::RisLive);
        up.session_up(now);
        up.heard(3, 300, now);
        up.fault("bad_json", "line\n2 \"x\"".to_owned(), now);
        let down = SourceHandle::new("edge\"1\\", SourceKind::Bmp);
        let feed = |source: &str, state, is_degraded| FeedStatus {
            source: source.into(),
            state,
            is_degraded,
            reason: None,
            detail: Value::Null,
        };
        let fact = |kind, entries, is_stale| FactStatus {
            kind,
            source: "/x".to_owned(),
            entries,
            confirmed: Some(now.plus_secs(-60)),
            is_stale,
            failures: 1,
            last_failure: Some("gone".to_owned()),
        };
        Snapshot {
            tables_loaded: true,
            facts_loaded: true,
            sources: vec![up.snapshot(), down.snapshot()],
            feeds: vec![feed("rrc12", "good", false), feed("edge\"1\\", "silent", true)],
            facts: vec![
                fact("vrps", Some(7), false),
                fact("irr", Some(8), true),
                fact("irr", Some(9), false),
                fact("as_names", None, false),
            ],
            queues: vec![QueueStatus {
                name: "live",
                waiting: 256,
                capacity: 256,
                most_waiting: 256,
                items: 1_000,
                waited_ms: 1_500,
                dropped: 0,
            }],
            store: Some(StoreStatus {
                failing: Some("disk full".to_owned()),
                ..Default::default()
            }),
            open_incidents: vec![OpenIncidents {
                kind: IncidentKind::OriginHijack,
                class: SeverityClass::High,
                count: 2,
            }],
            last_report: Some(now),
            ..Snapshot::new(now.plus_secs(-100), now)
        }
    }

    #[test]
    fn readiness_needs_tables_facts_and_a_source() {
        let now = Timestamp::from_secs(0);
        let kinds = |state: &Snapshot| state.unready().iter().map(|r| r.kind).collect::<Vec<_>>();
        let mut state = Snapshot::new(now, now);
        assert_eq!(kinds(&state), ["tables_not_loaded", "facts_not_loaded", "no_source_up"]);
        state.tables_loaded = true;
        state.facts_loaded = true;
        state.sources = full().sources.split_off(1);
        assert_eq!(kinds(&state), ["no_source_up"]);
        state.sources = full().sources;
        assert_eq!(kinds(&state), [""; 0]);
    }

    #[test]
    fn what_somebody_should_look_at_is_named() {
        let document = StatusDocument::new(full());
        let kinds: Vec<&str> = document.reasons.iter().map(|reason| reason.kind).collect();
        let expected = [
            "source_not_up",
            "feed_degraded",
            "facts_stale",
            "facts_missing",
            "queue_full",
            "store_failing",
        ];
        assert_eq!(kinds, expected);
        assert!(document.warning && document.ready);
        assert_eq!(document.uptime_s, 100);
        let json = serde_json::to_value(&document).unwrap();
        for key in ["version", "started", "warning", "sources", "feeds", "last_report"] {
            assert!(json.get(key).is_some(), "{key}");
        }
    }
}
