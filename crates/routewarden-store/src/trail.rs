//! Trails: what the routes of an incident's space were before it, and every change since.
//!
//! ```text
//! TrailWrite ─► parts (routes that stood) and events ─► blocks: columns, dictionaries, zstd ─► SQLite
//! ```
//!
//! Trails are evidence beside the journal, not decisions: they are in no chain of hashes, and tables
//! that are made anew leave them alone. What was written is known by its position: to write it
//! again changes nothing.

mod block;
mod read;
mod write;

use std::sync::Arc;

use routewarden_core::{Peer, Prefix, Timestamp};
use serde::{Deserialize, Serialize};

pub(crate) use write::{SourceIds, append, end_others, make_room, position};

/// Most events of one trail.
pub const TRAIL_EVENTS_MAX: u64 = 100_000;
/// Most events, or routes, of one block.
pub const TRAIL_BLOCK_EVENTS_MAX: usize = 4_096;
/// Most octets of distinct attributes in one block; the last set may exceed it.
pub const TRAIL_BLOCK_OCTETS_MAX: usize = 4 << 20;
/// Octets of all trails: beyond, retention empties those that ended first.
pub const TRAILS_OCTETS_MAX: u64 = 4 << 30;
/// Most events of a trail in one answer.
pub const TRAIL_EVENTS_LISTED_MAX: usize = 100_000;

/// What happened to a route or a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrailAction {
    /// The peer has another route to the prefix, or its first one.
    Announced {
        /// The prefix.
        prefix: Prefix,
        /// Canonical octets of the attributes; see [`routewarden_core::RouteAttributes`].
        attributes: Arc<[u8]>,
    },
    /// The peer has no route to the prefix any more.
    Withdrawn {
        /// The prefix.
        prefix: Prefix,
    },
    /// The table that the peer sent after its session was lost has no route to the prefix.
    NotSentAgain {
        /// The prefix.
        prefix: Prefix,
    },
    /// The peer's session was lost: its routes are unknown, not gone.
    PeerDown,
    /// The peer is heard again.
    PeerUp,
}

/// One thing that happened in the space of a trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailEvent {
    /// Its time.
    pub time: Timestamp,
    /// The peer.
    pub source: Arc<Peer>,
    /// What happened.
    pub action: TrailAction,
}

/// A route that stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailRoute {
    /// The peer.
    pub source: Arc<Peer>,
    /// The prefix.
    pub prefix: Prefix,
    /// Canonical octets of the attributes.
    pub attributes: Arc<[u8]>,
}

/// Space of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TrailSpace {
    /// The prefix.
    pub prefix: Prefix,
    /// Whether it is the prefix alone; else with all more-specifics.
    pub is_exact: bool,
}

/// Space from the time on at which it began to be watched, with all routes that stood right before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailPart {
    /// Position of the engine when it was made; tells it from others of the trail.
    pub position: u64,
    /// Right before which time the routes stood.
    pub since: Timestamp,
    /// The space.
    pub spaces: Vec<TrailSpace>,
    /// The routes.
    pub routes: Vec<TrailRoute>,
    /// What it lacks. Counts when the part is written, not when it is passed over; reading gives
    /// none here, but all in [`TrailHead::faults`].
    pub faults: TrailFaults,
}

/// Why a trail is not complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrailFault {
    /// What was kept of the time before did not reach back to the first event of the incident.
    OpenedLate,
    /// The incident stood already when the program began to watch.
    Standing,
    /// More prefixes than are watched for one incident.
    TooManyPrefixes,
    /// More routes than are kept of the time before.
    TooManyRoutes,
    /// More events than are kept.
    TooManyEvents,
    /// The incident came back after the trail had ended.
    Paused,
    /// The program began anew and did not know of it.
    Restarted,
    /// The store failed for longer than events could wait.
    Lost,
    /// Its events were taken out, to make room.
    Removed,
}

impl TrailFault {
    /// All of them, those first that say most.
    pub const ALL: [TrailFault; 9] = [
        TrailFault::Removed,
        TrailFault::TooManyEvents,
        TrailFault::TooManyPrefixes,
        TrailFault::TooManyRoutes,
        TrailFault::Lost,
        TrailFault::Restarted,
        TrailFault::Standing,
        TrailFault::OpenedLate,
        TrailFault::Paused,
    ];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            TrailFault::OpenedLate => "opened_late",
            TrailFault::Standing => "standing",
            TrailFault::TooManyPrefixes => "too_many_prefixes",
            TrailFault::TooManyRoutes => "too_many_routes",
            TrailFault::TooManyEvents => "too_many_events",
            TrailFault::Paused => "paused",
            TrailFault::Restarted => "restarted",
            TrailFault::Lost => "events_lost",
            TrailFault::Removed => "removed",
        }
    }

    /// The bit in the column `faults`.
    const fn bit(self) -> u32 {
        match self {
            TrailFault::OpenedLate => 1,
            TrailFault::Standing => 2,
            TrailFault::TooManyPrefixes => 4,
            TrailFault::TooManyRoutes => 8,
            TrailFault::TooManyEvents => 16,
            TrailFault::Paused => 32,
            TrailFault::Restarted => 64,
            TrailFault::Lost => 128,
            TrailFault::Removed => 256,
        }
    }
}

/// Several [`TrailFault`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrailFaults(u32);

impl TrailFaults {
    /// Adds one.
    pub fn add(&mut self, fault: TrailFault) {
        self.0 |= fault.bit();
    }

    /// Whether it is among them.
    pub fn has(self, fault: TrailFault) -> bool {
        self.0 & fault.bit() != 0
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those of both.
    #[must_use]
    pub fn with(self, other: TrailFaults) -> Self {
        TrailFaults(self.0 | other.0)
    }

    /// Those that there are, the one first that says most.
    pub fn iter(self) -> impl Iterator<Item = TrailFault> {
        TrailFault::ALL.into_iter().filter(move |&fault| self.has(fault))
    }
}

/// What is to be added to the trail of an incident.
#[derive(Clone, Debug)]
pub struct TrailWrite {
    /// Number of the incident.
    pub number: i64,
    /// Space newly watched.
    pub parts: Vec<TrailPart>,
    /// Events with the positions of the engine at which they came, ascending.
    pub events: Vec<(u64, TrailEvent)>,
    /// Position of the engine up to which this is everything.
    pub through: u64,
    /// When it ended; `None`: it goes on.
    pub ended_at: Option<Timestamp>,
    /// Why it is not complete.
    pub faults: TrailFaults,
}

/// What is known of a trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrailHead {
    /// Number of the incident.
    pub number: i64,
    /// From when on everything is in it.
    pub since: Timestamp,
    /// When it ended; `None` while it goes on.
    pub ended_at: Option<Timestamp>,
    /// Events in it.
    pub events: u64,
    /// Octets of its blocks.
    pub octets: u64,
    /// Why it is not complete.
    pub faults: TrailFaults,
}
