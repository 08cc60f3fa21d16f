//! Detection: route changes become claims, claims become incidents with their evidence.
//!
//! Pure and deterministic: the same events and facts give byte-identical incidents. Time is
//! the event's time. Witnesses are counted by AS, never by session.

mod changes;
mod claim;
mod correlate;
mod detector;
mod engine;
mod findings;
mod follow;
mod incident;
mod knowledge;
mod live;
pub mod look;
mod outage;
pub mod path;
mod path_knowledge;
pub mod relations;
mod rules;
mod session_log;
mod severity;
mod span;
mod state;
mod target;

use serde::{Deserialize, Serialize};

pub use changes::FactsChange;
pub use detector::Detector;
pub use engine::{CLAIMS_MAX, DetectorShard};
pub use follow::{
    LookBackLimits, Past, RECENT_OCTETS_MAX, RECENT_SECS_MAX, Space, WatchedAction, WatchedChange,
    WatchedRoute,
};
pub use incident::{
    Countermeasure, CountermeasureAction, Evidence, FactValue, FeedState, ForgedLink, ImpairedFeed,
    Incident, IncidentKind, IncidentState, LeakTriple, PREFIXES_LISTED_MAX, Related, RelationKind,
    RovSummary, SamplePath, SeverityClass, VantagePoints,
};
pub use live::{Retired, SessionView};
pub use rules::rule_weights;
pub use span::span_in_words;
pub use state::{
    STATE_MAGIC, STATE_TEXT_OCTETS_MAX, STATE_VERSION, SavedAspas, SavedVrps, StateError,
};

/// From this confidence on, an incident is of the class "high".
pub const CONFIDENCE_HIGH_MIN: u8 = 80;
/// From this confidence on, an incident is of the class "medium"; below, "low".
pub const CONFIDENCE_MEDIUM_MIN: u8 = 50;

/// Origin claims below this confidence are explained: counted, not reported.
pub const CONFIDENCE_REPORTED_MIN: u8 = 10;

/// What to detect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// Whether bogon prefixes and ASNs are looked for (off for labs in documentation space).
    pub bogons: bool,
    /// Least number of distinct witness ASes before a claim counts; `None`: [`QUORUM_DEFAULT`],
    /// or one where fewer than [`QUORUM_VANTAGE_POINTS_MIN`] vantage point ASes are heard, each
    /// of which is then a sizeable share.
    pub quorum: Option<usize>,
    /// What happened before this time is the state to start from, not news.
    pub from: Option<routewarden_core::Timestamp>,
    /// Whether bad practice is told of everyone, not of constituents only: `AS_SET`s, endless paths.
    pub hygiene: bool,
    /// AS of the router that recorded everything, where it is one of the Internet's own: then its
    /// own neighbours' relations with it count. `None` for public collectors.
    pub receiver: Option<routewarden_core::Asn>,
}

/// Least number of distinct witness ASes before a claim counts, unless told otherwise.
pub const QUORUM_DEFAULT: usize = 2;
/// With fewer vantage point ASes than this, one witness is enough, unless told otherwise.
pub const QUORUM_VANTAGE_POINTS_MIN: usize = 8;

impl Default for Config {
    fn default() -> Self {
        Config { bogons: true, quorum: None, from: None, hygiene: false, receiver: None }
    }
}

/// What went in, and what became of the claims.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Announcements taken.
    pub announcements: u64,
    /// Withdrawals taken.
    pub withdrawals: u64,
    /// Table entries taken.
    pub table_entries: u64,
    /// Route changes before the time asked for, which only brought the table up to date.
    pub before_start: u64,
    /// Events whose peer index was not in the batch's list.
    pub events_of_unknown_peer: u64,
    /// Doubtful originations seen only in a table transfer after a peer came up.
    pub muted_in_transfer: u64,
    /// Doubtful originations (prefix, new origin) seen by any peer.
    pub origin_claims: u64,
    /// Of these, seen by two ASes: what a detector without further knowledge would report.
    pub origin_claims_seen_by_two: u64,
    /// Of these, seen by five ASes.
    pub origin_claims_seen_by_five: u64,
    /// Claims of all kinds below the quorum: not reported.
    pub below_quorum: u64,
    /// Claims not followed because [`CLAIMS_MAX`] were already.
    pub claims_over_limit: u64,
    /// Announcements not taken because the table was full.
    pub routes_over_limit: u64,
    /// Announcements and withdrawals older than what the same peer last said of the prefix.
    pub late_events: u64,
    /// Announcements that repeated what the peer had said.
    pub duplicates: u64,
    /// Origin claims that what is known explains: not reported.
    pub explained: u64,
}

impl Counters {
    /// Adds those of another shard.
    fn add(&mut self, other: &Counters) {
        let Counters {
            announcements,
            withdrawals,
            table_entries,
            before_start,
            events_of_unknown_peer,
            muted_in_transfer,
            origin_claims,
            origin_claims_seen_by_two,
            origin_claims_seen_by_five,
            below_quorum,
            claims_over_limit,
            routes_over_limit,
            late_events,
            duplicates,
            explained,
        } = other;
        self.announcements += announcements;
        self.withdrawals += withdrawals;
        self.table_entries += table_entries;
        self.before_start += before_start;
        self.events_of_unknown_peer += events_of_unknown_peer;
        self.muted_in_transfer += muted_in_transfer;
        self.origin_claims += origin_claims;
        self.origin_claims_seen_by_two += origin_claims_seen_by_two;
        self.origin_claims_seen_by_five += origin_claims_seen_by_five;
        self.below_quorum += below_quorum;
        self.claims_over_limit += claims_over_limit;
        self.routes_over_limit += routes_over_limit;
        self.late_events += late_events;
        self.duplicates += duplicates;
        self.explained += explained;
    }
}

/// What the detector found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Incidents by first seen, then id.
    pub incidents: Vec<Incident>,
    /// What went in.
    pub counters: Counters,
    /// Vantage point ASes heard.
    pub vantage_points: usize,
    /// Routes in the table at the end.
    pub routes: usize,
    /// Prefixes whose origin is known at the end.
    pub known_prefixes: usize,
    /// AS links known at the end.
    pub known_links: usize,
}

#[cfg(test)]
mod tests;
