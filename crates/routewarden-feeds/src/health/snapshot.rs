//! The health of feeds for readers: the status page, incidents.

use std::net::IpAddr;

use routewarden_core::Timestamp;
use serde::Serialize;

use super::{FeedState, Reason};

/// A time in which a collector was not heard, or may not have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FeedGap {
    /// Heard last before it.
    pub from: Timestamp,
    /// Heard first after it; `None` while it lasts.
    pub until: Option<Timestamp>,
}

/// A peer of a collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct PeerName {
    /// Its ASN.
    pub asn: u32,
    /// Its address.
    pub addr: IpAddr,
}

/// Peers of a collector by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PeerCounts {
    /// Not known long enough.
    pub unknown: usize,
    /// Speak as usual.
    pub ok: usize,
    /// Silent.
    pub degraded: usize,
    /// Session down.
    pub down: usize,
}

impl PeerCounts {
    pub(super) fn count(&mut self, state: FeedState) {
        match state {
            FeedState::Unknown => self.unknown += 1,
            FeedState::Ok => self.ok += 1,
            FeedState::Degraded => self.degraded += 1,
            FeedState::Down => self.down += 1,
        }
    }
}

/// Health of a collector.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CollectorHealth {
    /// Its name.
    pub collector: String,
    /// The source that last heard it.
    pub source: Option<String>,
    /// Whether it can be relied on.
    pub state: FeedState,
    /// Why.
    pub reason: Reason,
    /// Since when it is in that state.
    pub since: Option<Timestamp>,
    /// When it was last heard.
    pub last_heard: Option<Timestamp>,
    /// Median of the events in a minute, once known.
    pub expected_per_minute: Option<f32>,
    /// Events of the last minute.
    pub seen_per_minute: u64,
    /// Seconds from event to receipt, median of the last batches.
    pub lag_secs: Option<f64>,
    /// Seconds of silence that are borne.
    pub silence_borne_secs: Option<i64>,
    /// Its peers.
    pub peers: PeerCounts,
    /// The latest gaps, oldest first.
    pub gaps: Vec<FeedGap>,
    /// Gaps no longer kept.
    pub gaps_forgotten: u64,
}

impl CollectorHealth {
    /// Of a collector that was never heard.
    pub(super) fn never_heard(collector: &str) -> Self {
        CollectorHealth {
            collector: collector.to_owned(),
            source: None,
            state: FeedState::Unknown,
            reason: Reason::NeverHeard,
            since: None,
            last_heard: None,
            expected_per_minute: None,
            seen_per_minute: 0,
            lag_secs: None,
            silence_borne_secs: None,
            peers: PeerCounts::default(),
            gaps: Vec::new(),
            gaps_forgotten: 0,
        }
    }
}

/// Health of a peer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PeerHealth {
    /// Its collector.
    pub collector: String,
    /// The peer.
    #[serde(flatten)]
    pub peer: PeerName,
    /// Whether it can be relied on.
    pub state: FeedState,
    /// Why.
    pub reason: Reason,
    /// Since when it is in that state.
    pub since: Timestamp,
    /// When it was last heard.
    pub last_heard: Timestamp,
    /// Median of the events in a minute, once known.
    pub expected_per_minute: Option<f32>,
    /// Events of the last minute.
    pub seen_per_minute: u64,
    /// Seconds from event to receipt, median of the last batches.
    pub lag_secs: Option<f64>,
    /// Seconds of silence that are borne.
    pub silence_borne_secs: i64,
}

/// Health of all feeds, by name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HealthSnapshot {
    /// Time of the last tick.
    pub at: Timestamp,
    /// Collectors by name.
    pub collectors: Vec<CollectorHealth>,
    /// Peers by collector, ASN, address.
    pub peers: Vec<PeerHealth>,
    /// Peers forgotten because there were too many.
    pub peers_forgotten: u64,
    /// Collectors forgotten because there were too many.
    pub collectors_forgotten: u64,
    /// Jumps of our clock.
    pub clock_jumps: u64,
}
