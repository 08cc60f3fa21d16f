//! The read API under `/api/v1`; see `docs/reference/api.md`.
//!
//! ```text
//! query ─► Parameters ─► StoreReads (bounded, on threads that may block) ─► JSON with ETag, CSV
//! query ─► Parameters ─► the running table, by way of ServeStatus ─► JSON
//! journal ─► follower (one task) ─► readers of /events
//! ```

mod answer;
mod csv;
mod document;
mod events;
mod history;
mod incidents;
mod item;
pub(super) mod parameters;
mod path;
mod places;
mod program;
mod readiness;
mod reads;
mod replay;
mod route;
mod table;
#[cfg(test)]
mod tests;
mod updates;
mod verdict;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, put};
use tokio_util::sync::CancellationToken;

pub(super) use answer::knows;
pub use document::openapi;
pub use events::{CAUGHT_UP_MAX, STREAM_WAITING_MAX, STREAMS_MAX};
pub use history::HISTORY_ITEMS_MAX;
pub use incidents::{EXPORT_ITEMS_MAX, EXPORT_OCTETS_MAX, PAGE_ITEMS_MAX};
pub use item::PARTIES_LISTED_MAX;
pub use parameters::QUERY_OCTETS_MAX;
pub use places::COUNTED_MAX;
pub use program::{DAYS_MAX, GAPS_MAX, HOURS_MAX, VERSIONS_MAX};
pub use readiness::{COMPARED_MAX, READINESS_ITEMS_MAX};
pub use reads::{EXPORTS_MAX, READ_WAIT_MS_MAX, READS_MAX};
pub use replay::{REPLAY_EVENTS_MAX, REPLAY_ROUTES_MAX, REPLAY_VERSIONS_MAX};
pub use updates::UPDATES_ITEMS_MAX;

use self::events::Streams;
use self::reads::StoreReads;
use crate::status::ServeStatus;

/// Where the API is.
pub(super) const BASE: &str = "/api/v1";

/// What the routes share.
pub(super) struct Api {
    status: Arc<dyn ServeStatus>,
    reads: Arc<StoreReads>,
    streams: Streams,
    document: Bytes,
}

impl Api {
    /// Over the store in a folder, which need not be there yet. Streams end when it is cancelled.
    pub(super) fn new(
        status: Arc<dyn ServeStatus>,
        data_dir: PathBuf,
        connections_max: u32,
        cancel: CancellationToken,
    ) -> Self {
        Api {
            status,
            reads: Arc::new(StoreReads::new(data_dir)),
            streams: Streams::new(connections_max, cancel),
            document: openapi().into(),
        }
    }

    /// Tells the readers of `/events` what is recorded, until it is cancelled.
    pub(super) async fn follow(&self) {
        self.streams.follow(&self.reads).await;
    }
}

/// All routes of the API, below [`BASE`]. Whoever guards them puts a layer on it.
pub(super) fn router(api: Arc<Api>) -> Router {
    Router::new()
        .route("/incidents", get(incidents::list))
        .route("/incidents/{id}", get(incidents::one))
        .route("/incidents/{id}/history", get(history::history))
        .route("/incidents/{id}/replay", get(replay::replay))
        .route("/incidents/{id}/updates", get(updates::updates))
        .route("/incidents/{id}/verdict", put(verdict::put).delete(verdict::withdraw))
        .route("/asns/{asn}", get(places::asn))
        .route("/prefixes/{address}/{length}", get(places::prefix))
        .route("/countries/{country}", get(places::country))
        .route("/table/prefixes/{address}/{length}", get(table::prefix))
        .route("/table/asns/{asn}", get(table::asn))
        .route("/feeds", get(program::feeds))
        .route("/facts", get(program::facts))
        .route("/statistics", get(program::statistics))
        .route("/readiness/profiles", get(readiness::frameworks::profiles))
        .route("/readiness/periods", get(readiness::frameworks::periods))
        .route("/readiness/groups/{by}", get(readiness::groups::list))
        .route("/readiness/groups/{by}/{group}", get(readiness::groups::one))
        .route("/readiness/ases", get(readiness::networks::list))
        .route("/readiness/ases/{asn}", get(readiness::networks::one))
        .route("/readiness/compare", get(readiness::compared::compare))
        .route("/readiness/providers", get(readiness::compared::providers))
        .route("/readiness/report", get(readiness::taken_out::report))
        .route("/readiness/export", get(readiness::taken_out::export))
        .route(
            "/readiness/observatory/v2/scores/summary",
            get(readiness::observatory_shape::summary),
        )
        .route("/events", get(events::events))
        .route("/openapi.json", get(document::document))
        .with_state(api)
}
