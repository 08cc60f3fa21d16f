//! Health of feeds: what each collector and peer usually says, and whether it says it now.
//!
//! Pure and deterministic: time is passed in. [`FeedMonitor::note_batch`] is called for what is
//! heard and [`FeedMonitor::tick`] every second or so (every ten at the longest), by the thread
//! that notes, so that a queue that waits is not taken for silence.
//!
//! What is usual is learnt from the feed itself, by distributions over powers of two in which what
//! is [`HALF_LIFE`] old counts half:
//!
//! - *expected rate*: the median of the events in a minute. A median, because rates of BGP have
//!   heavy tails: one reset of a session makes a minute of a thousand usual ones. Not by time of
//!   day: a day's rhythm is a factor of two, which does not matter here.
//! - *usual gap* g: 99 % of the time the last message is less than g old. By time, not by number of
//!   gaps: of ten thousand gaps in an hour the one of a minute is what counts.
//! - a feed is *degraded* when it is silent for longer than 4 g (a peer: [`TOLERANCE_PEER`] g), at
//!   least [`SILENT_LEAST`]. A collector that normally speaks every 22 s or oftener is degraded at
//!   the latest 90 s and one tick after its last word; slower ones later, so that they do not flap.
//!
//! A feed is `unknown` until it was heard over [`LEARN`]; a collector that speaks all the time until it
//! was heard over [`LEARN_LEAST`] and [`LEARN_GAPS`] usual gaps.

mod feed;
mod histogram;
mod monitor;
mod snapshot;

pub use monitor::{FeedMonitor, HealthChange};
pub use snapshot::{CollectorHealth, FeedGap, HealthSnapshot, PeerCounts, PeerHealth, PeerName};

use serde::Serialize;

const SECOND: i64 = 1_000_000;

/// Time over which a feed must be heard before it is judged, in microseconds.
pub const LEARN: i64 = 600 * SECOND;
/// The same for a collector whose usual gaps are short, in microseconds.
pub const LEARN_LEAST: i64 = 60 * SECOND;
/// Usual gaps over which a collector must have been heard by then.
pub const LEARN_GAPS: i64 = 20;
/// Least silence that degrades a feed, in microseconds.
pub const SILENT_LEAST: i64 = 90 * SECOND;
/// Longest silence before a collector that normally speaks is degraded, in microseconds.
pub const SILENT_MAX: i64 = 120 * SECOND;
/// Usual gaps of a collector that are borne.
pub const TOLERANCE_COLLECTOR: i64 = 4;
/// Usual gaps of a peer that are borne.
pub const TOLERANCE_PEER: i64 = 8;
/// Least lag that degrades a collector, in microseconds: four times the usual one and this.
pub const LAG_LEAST: i64 = 120 * SECOND;
/// After that time what was learnt counts half, in microseconds.
pub const HALF_LIFE: i64 = 6 * 3_600 * SECOND;
/// A step of the clock between two ticks that is longer, or goes back, is a jump of the clock, in
/// microseconds.
pub const JUMP_LEAST: i64 = 60 * SECOND;
/// Most peers known; then those heard least recently are forgotten, and counted.
pub const PEERS_KNOWN_MAX: usize = 20_000;
/// Most collectors known; then those heard least recently are forgotten, and counted.
pub const COLLECTORS_KNOWN_MAX: usize = 512;
/// Most gaps kept of a collector; then the oldest are forgotten, and counted.
pub const GAPS_KEPT_MAX: usize = 64;
/// Least number of peers that must be lost before that degrades their collector.
pub const PEERS_LOST_LEAST: usize = 3;
/// Peers lost longer ago are no news, in microseconds.
pub const PEERS_LOST_WITHIN: i64 = 3_600 * SECOND;

/// Whether a feed can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedState {
    /// Not heard long enough to know what is usual.
    Unknown,
    /// Speaks as usual.
    Ok,
    /// Says less, or says it later, than usual.
    Degraded,
    /// Its session or source is down.
    Down,
}

impl FeedState {
    /// The serialised name.
    pub const fn name(self) -> &'static str {
        match self {
            FeedState::Unknown => "unknown",
            FeedState::Ok => "ok",
            FeedState::Degraded => "degraded",
            FeedState::Down => "down",
        }
    }
}

/// Why a feed is in its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// What is usual is being learnt.
    Learning,
    /// Never heard.
    NeverHeard,
    /// Nothing is wrong.
    Speaks,
    /// Silent for longer than is usual.
    Silent,
    /// What it says is late.
    Lagging,
    /// At least half of the peers that normally speak are silent or down.
    PeersLost,
    /// The peer's session is down.
    SessionDown,
    /// The source that hears the collector is down.
    SourceDown,
}

#[cfg(test)]
mod tests;
