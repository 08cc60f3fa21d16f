//! The updates of an incident's trail, page by page.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use routewarden_core::{Asn, Prefix, Timestamp};
use routewarden_store::{StoreError, StoreReader, TrailAction, TrailEvent};
use serde::Serialize;
use utoipa::ToSchema;

use super::incidents::no_incident;
use super::parameters::Parameters;
use super::path::IncidentId;
use super::route::{NO_TRAIL, ShownAttributes, lack_of};
use super::{Api, answer};
use crate::http::Problem;

/// Most updates in a page.
pub const UPDATES_ITEMS_MAX: usize = 1_000;
/// Updates in a page unless asked for.
const UPDATES_ITEMS: usize = 100;

/// A page of the updates of an incident.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Updates {
    /// Id of the incident in the store.
    id: String,
    /// Whether the trail has every change of every vantage point.
    complete: bool,
    /// Why it does not; null when it does.
    #[schema(required)]
    reason: Option<&'static str>,
    /// Updates in the order in which they came in.
    items: Vec<Update>,
    /// For the parameter `after`; null on the last page.
    #[schema(required)]
    next: Option<u64>,
}

/// What a vantage point said of a prefix, or what befell its session.
#[derive(Debug, Serialize, ToSchema)]
struct Update {
    /// Number of the update in the trail, from 1.
    seq: u64,
    /// Its time.
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    /// Name of the collector.
    collector: String,
    /// The peer's ASN.
    #[schema(value_type = u32)]
    peer_asn: Asn,
    /// The peer's address.
    #[schema(value_type = String)]
    peer_addr: IpAddr,
    /// `A`: announced; `W`: withdrawn; `down`, `up`: the session was lost, is back.
    #[serde(rename = "type")]
    action: &'static str,
    /// Whether nobody said so: the peer did not send the route again after its session was lost.
    inferred: bool,
    /// The prefix; null for a session.
    #[schema(value_type = Option<String>, required)]
    prefix: Option<Prefix>,
    /// The path as text, which tells sets apart; empty unless announced.
    path_text: String,
    /// ASNs in order, with the members of sets one after another.
    #[schema(value_type = Vec<u32>)]
    path: Vec<Asn>,
    /// Communities as `ASN:VALUE` and `ASN:A:B`.
    communities: Vec<String>,
}

impl Update {
    fn of((seq, event): (u64, TrailEvent)) -> Self {
        let (action, prefix, octets) = match &event.action {
            TrailAction::Announced { prefix, attributes } => ("A", Some(*prefix), &**attributes),
            TrailAction::Withdrawn { prefix } | TrailAction::NotSentAgain { prefix } => {
                ("W", Some(*prefix), [].as_slice())
            }
            TrailAction::PeerDown => ("down", None, [].as_slice()),
            TrailAction::PeerUp => ("up", None, [].as_slice()),
        };
        let ShownAttributes { path, path_text, communities } = ShownAttributes::of(octets);
        Update {
            seq,
            time: event.time,
            collector: event.source.collector.clone(),
            peer_asn: event.source.asn,
            peer_addr: event.source.addr,
            action,
            inferred: matches!(event.action, TrailAction::NotSentAgain { .. }),
            prefix,
            path_text,
            path,
            communities,
        }
    }
}

/// The updates of an incident, as vantage points sent them
#[utoipa::path(
    get,
    path = "/incidents/{id}/updates",
    operation_id = "getIncidentUpdates",
    params(
        ("id" = String, Path, description = "Id in the store or of the detector"),
        ("after" = Option<u64>, Query, description = "next of the page before", minimum = 0),
        ("limit" = Option<u32>, Query, description = "Items in the page", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, description = "A page", body = Updates))
)]
pub(super) async fn updates(
    State(api): State<Arc<Api>>,
    IncidentId(id): IncidentId,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut parameters = Parameters::of(&uri)?;
    let after = parameters.after()?;
    let limit = parameters.number("limit", 1..=UPDATES_ITEMS_MAX, UPDATES_ITEMS)?;
    parameters.finish()?;
    let read = move |reader: &StoreReader| page(reader, &id, (after.unsigned_abs(), limit));
    let updates = api.reads.read(read).await?.ok_or_else(no_incident)?;
    answer::json(&headers, &updates)
}

fn page(
    reader: &StoreReader,
    id: &str,
    (after, limit): (u64, usize),
) -> Result<Option<Updates>, StoreError> {
    let Some((summary, stored)) = reader.get(id)? else { return Ok(None) };
    let Some(head) = reader.trail(summary.number)? else {
        let (reason, items) = (Some(NO_TRAIL), Vec::new());
        return Ok(Some(Updates { id: summary.id, complete: false, reason, items, next: None }));
    };
    let until = stored.ended_at.unwrap_or(stored.last_seen);
    let reason = lack_of(reader, &head, until)?;
    // One more, to tell whether there is more.
    let mut events = reader.trail_events(summary.number, after, limit + 1)?;
    let has_more = events.len() > limit;
    events.truncate(limit);
    let next = events.last().filter(|_| has_more).map(|(seq, _)| *seq);
    let items = events.into_iter().map(Update::of).collect();
    Ok(Some(Updates { id: summary.id, complete: reason.is_none(), reason, items, next }))
}
