//! What a source tells of itself: for the health of feeds, the status page and the metrics.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use routewarden_core::Timestamp;
use serde::Serialize;

use crate::report::ElementCounts;

/// Kinds of faults counted one by one; further kinds are counted as `other`.
pub const FAULT_KINDS_MAX: usize = 64;

/// How a source hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// RIS Live over a websocket.
    RisLive,
    /// A BMP station (RFC 7854).
    Bmp,
    /// A passive BGP speaker (RFC 4271).
    Bgp,
    /// New files of an archive or a folder.
    Archive,
}

impl SourceKind {
    /// The serialised name.
    pub const fn name(self) -> &'static str {
        match self {
            SourceKind::RisLive => "ris_live",
            SourceKind::Bmp => "bmp",
            SourceKind::Bgp => "bgp",
            SourceKind::Archive => "archive",
        }
    }
}

/// Whether a source is connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceState {
    /// Not yet connected since the start.
    #[default]
    Starting,
    /// Connected, or listening with at least one session.
    Up,
    /// Waits before it tries again, or for a peer to come.
    Waiting,
    /// Ended for good: cancelled, or it cannot work as configured.
    Stopped,
}

/// What is known of a source.
#[derive(Clone, Debug, Serialize)]
pub struct SourceStatus {
    /// Name, as configured.
    pub name: Arc<str>,
    /// How it hears.
    pub kind: SourceKind,
    /// Whether it is connected.
    pub state: SourceState,
    /// Since when it is in that state.
    pub since: Option<Timestamp>,
    /// Sessions that are up: BMP routers, BGP neighbours, one for RIS Live.
    pub sessions: usize,
    /// Sessions ever made.
    pub connects: u64,
    /// Messages heard.
    pub messages: u64,
    /// Messages by type, as the kind of source names them.
    pub kinds: BTreeMap<&'static str, u64>,
    /// Octets heard.
    pub octets: u64,
    /// Time of the last message, by the wall clock.
    pub heard_at: Option<Timestamp>,
    /// Elements handed on, or why not.
    pub elements: ElementCounts,
    /// What was wrong, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// The last fault in words, with its time.
    pub last_fault: Option<(Timestamp, String)>,
}

/// A copy of the status, for readers.
pub type SourceSnapshot = SourceStatus;

/// A source's own end of its status; clones share it.
#[derive(Clone, Debug)]
pub struct SourceHandle {
    status: Arc<Mutex<SourceStatus>>,
    name: Arc<str>,
}

impl SourceHandle {
    /// A source that has not begun.
    pub fn new(name: &str, kind: SourceKind) -> Self {
        let name: Arc<str> = name.into();
        let status = SourceStatus {
            name: Arc::clone(&name),
            kind,
            state: SourceState::Starting,
            since: None,
            sessions: 0,
            connects: 0,
            messages: 0,
            kinds: BTreeMap::new(),
            octets: 0,
            heard_at: None,
            elements: ElementCounts::default(),
            faults: BTreeMap::new(),
            last_fault: None,
        };
        SourceHandle { status: Arc::new(Mutex::new(status)), name }
    }

    /// Name, as configured.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The status now.
    pub fn snapshot(&self) -> SourceSnapshot {
        self.with(|status| status.clone())
    }

    /// A session came up.
    pub fn session_up(&self, now: Timestamp) {
        self.with(|status| {
            status.sessions += 1;
            status.connects += 1;
            SourceHandle::enter(status, SourceState::Up, now);
        });
    }

    /// A session ended; without any left, the source waits.
    pub fn session_down(&self, now: Timestamp) {
        self.with(|status| {
            status.sessions = status.sessions.saturating_sub(1);
            if status.sessions == 0 {
                SourceHandle::enter(status, SourceState::Waiting, now);
            }
        });
    }

    /// The source is in a state that no session tells of.
    pub fn set_state(&self, state: SourceState, now: Timestamp) {
        self.with(|status| SourceHandle::enter(status, state, now));
    }

    fn enter(status: &mut SourceStatus, state: SourceState, now: Timestamp) {
        if status.state != state || status.since.is_none() {
            status.state = state;
            status.since = Some(now);
        }
    }

    /// Messages were heard. To be told once for each read, not once for each message.
    pub fn heard(&self, messages: u64, octets: u64, now: Timestamp) {
        self.with(|status| {
            status.messages += messages;
            status.octets += octets;
            status.heard_at = status.heard_at.max(Some(now));
        });
    }

    /// Messages of these types were heard. To be told once for each read.
    pub fn kinds(&self, counts: impl IntoIterator<Item = (&'static str, u64)>) {
        self.with(|status| {
            for (kind, count) in counts {
                *status.kinds.entry(kind).or_default() += count;
            }
        });
    }

    /// Something was wrong: a stable kind, and words with source, offset or field.
    pub fn fault(&self, kind: &'static str, text: String, now: Timestamp) {
        self.faults(kind, 1, now);
        self.with(|status| status.last_fault = Some((now, text)));
    }

    /// Something was wrong so many times.
    pub fn faults(&self, kind: &'static str, count: u64, _now: Timestamp) {
        self.with(|status| {
            let is_known = status.faults.contains_key(kind);
            let kind =
                if is_known || status.faults.len() < FAULT_KINDS_MAX { kind } else { "other" };
            *status.faults.entry(kind).or_default() += count;
        });
    }

    /// Elements were handed on, or not.
    pub fn elements(&self, counts: &ElementCounts) {
        self.with(|status| status.elements.add(counts));
    }

    fn with<T>(&self, work: impl FnOnce(&mut SourceStatus) -> T) -> T {
        // The work cannot leave it half done: a poisoned lock is as good as any.
        work(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
