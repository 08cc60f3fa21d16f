//! What readers are given, incidents apart.

use routewarden_core::Timestamp;
use serde::Serialize;

/// The present state of a feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FeedStateRow {
    /// Name of the feed.
    pub feed: String,
    /// Its state.
    pub state: String,
    /// Since when.
    pub since: Timestamp,
    /// JSON, as it was noted.
    pub detail: Option<String>,
}

/// A time in which a feed was not heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GapRow {
    /// Name of the feed.
    pub feed: String,
    /// The last that was heard before.
    pub from: Timestamp,
    /// The first that was heard after; `null` while it lasts.
    pub to: Option<Timestamp>,
    /// Whether what was missed has been fetched.
    pub filled: bool,
    /// JSON, as it was noted.
    pub detail: Option<String>,
}

/// A version of facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FactsVersionRow {
    /// Name of the facts.
    pub name: String,
    /// Their version.
    pub version: String,
    /// From when on.
    pub applied_at: Timestamp,
    /// JSON, as it was noted.
    pub detail: Option<String>,
}

/// How many incidents of a kind and class were first seen on a day, or in an hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IncidentCount {
    /// Midnight, UTC, at which the day begins, or the full hour.
    pub from: Timestamp,
    /// Kind.
    pub kind: String,
    /// Class of the severity.
    pub class: String,
    /// Incidents.
    pub count: u64,
}
