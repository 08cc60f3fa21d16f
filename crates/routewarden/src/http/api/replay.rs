//! The paths of an incident over time, in the shape of `BGPlay`: of its trail, where it has one; else as
//! far as its versions tell.
//!
//! ```text
//! versions ─► samples::Gathered ──► Scene (of the samples, without a trail) ─► Replay
//! trail ────► trail::scene ───────► Scene ──────────────────────────────────────┘
//! ```

mod samples;
mod trail;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use routewarden_core::{Asn, Peer, Prefix, Timestamp};
use routewarden_detect::{Countermeasure, SamplePath};
use routewarden_store::{StoreError, StoreReader, TrailFault};
use serde::Serialize;
use utoipa::ToSchema;

use self::samples::Gathered;
pub use self::trail::{REPLAY_EVENTS_MAX, REPLAY_ROUTES_MAX};
use super::history::{Row, walk};
use super::incidents::no_incident;
use super::parameters::Parameters;
use super::path::IncidentId;
use super::route::NO_TRAIL;
use super::{Api, answer};
use crate::http::Problem;

/// Most rows of the journal that are looked at: versions and reports.
pub const REPLAY_VERSIONS_MAX: usize = 1_000;

/// The paths of an incident over time.
#[derive(Debug, Serialize, ToSchema)]
struct Replay {
    /// Id of the incident in the store.
    id: String,
    /// First announcement seen.
    #[schema(value_type = String, format = DateTime)]
    query_starttime: Timestamp,
    /// When it ended, or was seen last; the last event, if that is later.
    #[schema(value_type = String, format = DateTime)]
    query_endtime: Timestamp,
    /// Prefixes shown.
    targets: Vec<Target>,
    /// Peers of collectors that showed them.
    sources: Vec<Source>,
    /// ASes of all paths, and those of the incident.
    nodes: Vec<Node>,
    /// Routes that stood at the start.
    initial_state: Vec<Route>,
    /// What came after, in order of time.
    events: Vec<Event>,
    /// Times in which a source was not heard: its routes are unknown then, not gone.
    sessions: Vec<Absence>,
    /// How many vantage points had it, one point for each version.
    visibility: Vec<Visibility>,
    /// What the victims did.
    countermeasures: Vec<Reaction>,
    /// What it is made of.
    basis: Basis,
}

#[derive(Debug, Serialize, ToSchema)]
struct Target {
    #[schema(value_type = String)]
    prefix: Prefix,
}

/// A peer of a collector.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
struct Source {
    id: String,
    #[schema(value_type = u64)]
    as_number: Asn,
    #[schema(value_type = String)]
    ip: IpAddr,
    /// Name of the collector.
    rrc: String,
}

/// An AS.
#[derive(Debug, Serialize, ToSchema)]
struct Node {
    #[schema(value_type = u64)]
    as_number: Asn,
    /// Its name, where the incident has it.
    #[schema(required)]
    owner: Option<String>,
    /// `culprit`, `victim`, `propagator`, `source` or `other`.
    role: &'static str,
}

/// A route of a source.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Route {
    source_id: String,
    #[schema(value_type = String)]
    target_prefix: Prefix,
    /// ASNs in order, with the members of sets one after another.
    #[schema(value_type = Vec<u64>)]
    path: Vec<Asn>,
    /// The path as text, which tells sets apart.
    path_text: String,
    community: Vec<String>,
}

/// An announcement or a withdrawal.
#[derive(Debug, Serialize, ToSchema)]
struct Event {
    /// `A`: announced; `W`: withdrawn.
    #[serde(rename = "type")]
    action: &'static str,
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    /// Whether nobody said so at that time: it follows from what was seen later.
    inferred: bool,
    /// Of a withdrawal, the path is empty.
    attrs: Route,
}

/// A time in which a source was not heard.
#[derive(Debug, Serialize, ToSchema)]
struct Absence {
    source_id: String,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// Null while it lasts.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    until: Option<Timestamp>,
}

/// Vantage points at a version.
#[derive(Debug, Serialize, ToSchema)]
struct Visibility {
    /// Event time of the version.
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    version: i64,
    seen: u64,
    now: u64,
    of: u64,
}

/// What a victim announced against it.
#[derive(Debug, Serialize, ToSchema)]
struct Reaction {
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    #[schema(value_type = String)]
    prefix: Prefix,
    #[schema(value_type = u64)]
    origin: Asn,
    /// `same_prefix` or `more_specific`.
    action: String,
}

/// What a replay is made of.
#[derive(Debug, Serialize, ToSchema)]
struct Basis {
    /// Sample paths; 0 where there is a trail.
    samples: usize,
    /// Versions looked at.
    versions: usize,
    /// Events of the trail; 0 without one.
    events: u64,
    /// Whether every change of every vantage point is in it.
    complete: bool,
    /// Why it is not complete; null when it is.
    #[schema(required)]
    reason: Option<&'static str>,
}

/// What is shown, wherever it is from.
#[derive(Default)]
struct Scene {
    targets: BTreeSet<Prefix>,
    sources: BTreeSet<Source>,
    /// ASes of all paths.
    asns: BTreeSet<Asn>,
    initial_state: Vec<Route>,
    /// In order of time.
    events: Vec<Event>,
    sessions: Vec<Absence>,
    samples: usize,
    trail_events: u64,
    reason: Option<&'static str>,
}

impl Source {
    fn of_peer(peer: &Peer) -> Self {
        Source {
            id: format!("{}-{}", peer.collector, peer.addr),
            as_number: peer.asn,
            ip: peer.addr,
            rrc: peer.collector.clone(),
        }
    }

    fn of_sample(sample: &SamplePath) -> Self {
        Source {
            id: format!("{}-{}", sample.collector, sample.peer_addr),
            as_number: sample.peer_asn,
            ip: sample.peer_addr,
            rrc: sample.collector.clone(),
        }
    }
}

impl Event {
    fn withdrawn(
        timestamp: Timestamp,
        (source_id, target_prefix): (String, Prefix),
        inferred: bool,
    ) -> Self {
        let (path, path_text, community) = (Vec::new(), String::new(), Vec::new());
        let attrs = Route { source_id, target_prefix, path, path_text, community };
        Event { action: "W", timestamp, inferred, attrs }
    }
}

impl Reaction {
    fn of(countermeasure: &Countermeasure) -> Self {
        let action = serde_json::to_value(countermeasure.action).ok();
        let action = action.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
        Reaction {
            time: countermeasure.time,
            prefix: countermeasure.prefix,
            origin: countermeasure.origin,
            action: action.to_owned(),
        }
    }
}

/// The paths of an incident over time
#[utoipa::path(
    get,
    path = "/incidents/{id}/replay",
    operation_id = "getIncidentReplay",
    params(("id" = String, Path, description = "Id in the store or of the detector")),
    responses((status = 200, description = "As BGPlay has it", body = Replay))
)]
pub(super) async fn replay(
    State(api): State<Arc<Api>>,
    IncidentId(id): IncidentId,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Parameters::of(&uri)?.finish()?;
    let read = move |reader: &StoreReader| -> Result<Option<Replay>, StoreError> {
        let Some((summary, _)) = reader.get(&id)? else { return Ok(None) };
        let mut gathered = Gathered::default();
        walk(reader, &summary.id, (0, REPLAY_VERSIONS_MAX), |row, told| {
            if let Row::Version(_, stored) = told {
                gathered.take(row.at, *stored);
            }
        })?;
        let scene = match reader.trail(summary.number)? {
            None => gathered.scene(NO_TRAIL),
            Some(head) if head.faults.has(TrailFault::Removed) => {
                gathered.scene(TrailFault::Removed.name())
            }
            Some(head) => trail::scene(reader, &head, gathered.until())?,
        };
        Ok(gathered.replay(scene))
    };
    let replay = api.reads.read(read).await?.ok_or_else(no_incident)?;
    answer::json(&headers, &replay)
}
