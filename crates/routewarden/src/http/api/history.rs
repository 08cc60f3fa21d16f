//! The versions of an incident and its reports, as the journal has them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use routewarden_core::Timestamp;
use routewarden_store::{Change, JournalKind, JournalRow, StoreError, StoreReader, StoredVersion};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::incidents::no_incident;
use super::item::{Glance, Seen};
use super::parameters::Parameters;
use super::path::IncidentId;
use super::{Api, answer};
use crate::http::Problem;

/// Most versions and reports in a page.
pub const HISTORY_ITEMS_MAX: usize = 200;
/// Versions and reports in a page unless asked for.
const HISTORY_ITEMS: usize = 100;
/// Rows of the journal held at once: each may have some MiB.
const ROWS_AT_ONCE: usize = 20;

/// A page of the history of an incident.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct History {
    /// Id of the incident in the store.
    id: String,
    /// Versions and reports, oldest first.
    items: Vec<Happened>,
    /// For the parameter `after`; null on the last page.
    #[schema(required)]
    next: Option<i64>,
}

/// A version of an incident, or a report of it: then what only a version has is null.
#[derive(Debug, Serialize, ToSchema)]
struct Happened {
    /// Number of the row in the journal.
    seq: i64,
    /// `opened`, `updated`, `ended`, `reopened`, or `report_sent`.
    change: &'static str,
    /// Event time.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// When it was recorded, by the wall clock.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
    /// Number of the version, from 1.
    version: i64,
    /// What was reported: `opened`, `updated`, `ended`, `reopened`; null for a version.
    #[schema(required)]
    report: Option<&'static str>,
    /// Kind.
    #[schema(required)]
    kind: Option<String>,
    /// State.
    #[schema(required)]
    state: Option<String>,
    /// Class of the severity.
    #[schema(required)]
    class: Option<String>,
    /// 0 to 100.
    #[schema(required)]
    confidence: Option<u8>,
    /// 0 to 100.
    #[schema(required)]
    severity: Option<u8>,
    /// Last announcement seen.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    last_seen: Option<Timestamp>,
    /// When it ended; null while it lasts.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    ended_at: Option<Timestamp>,
    /// Number of prefixes concerned.
    #[schema(required)]
    prefix_count: Option<u64>,
    /// Who saw it.
    #[schema(required)]
    vantage_points: Option<Seen>,
    /// What is to be told with this version.
    reports: Vec<&'static str>,
}

/// Body of the row of a report that went out.
#[derive(Deserialize)]
struct Sent {
    version: i64,
    change: Change,
}

/// What a row tells of an incident.
pub(super) enum Row {
    /// A version.
    Version(Change, Box<StoredVersion>),
    /// A report of a version.
    Report(i64, Change),
}

impl Row {
    /// What a row of the journal tells; `None` for other rows.
    pub(super) fn of(row: &JournalRow) -> Result<Option<Self>, StoreError> {
        let unreadable = |source| StoreError::UnreadableRow { seq: row.seq, source };
        let change = match JournalKind::from_name(&row.kind) {
            Some(JournalKind::IncidentOpened) => Change::Opened,
            Some(JournalKind::IncidentUpdated) => Change::Updated,
            Some(JournalKind::IncidentEnded) => Change::Ended,
            Some(JournalKind::IncidentReopened) => Change::Reopened,
            Some(JournalKind::ReportSent) => {
                let sent: Sent = serde_json::from_str(&row.body).map_err(unreadable)?;
                return Ok(Some(Row::Report(sent.version, sent.change)));
            }
            _ => return Ok(None),
        };
        let stored = serde_json::from_str(&row.body).map_err(unreadable)?;
        Ok(Some(Row::Version(change, Box::new(stored))))
    }
}

impl Happened {
    fn of(row: &JournalRow, told: Row) -> Self {
        let nothing = Happened {
            seq: row.seq,
            change: "report_sent",
            at: row.at,
            recorded_at: row.recorded_at,
            version: 0,
            report: None,
            kind: None,
            state: None,
            class: None,
            confidence: None,
            severity: None,
            last_seen: None,
            ended_at: None,
            prefix_count: None,
            vantage_points: None,
            reports: Vec::new(),
        };
        match told {
            Row::Report(version, change) => {
                Happened { version, report: Some(change.name()), ..nothing }
            }
            Row::Version(change, stored) => {
                let glance = Glance::of(&stored);
                Happened {
                    change: change.name(),
                    version: stored.version,
                    confidence: Some(stored.confidence),
                    severity: Some(stored.severity),
                    last_seen: Some(stored.last_seen),
                    ended_at: stored.ended_at,
                    prefix_count: Some(glance.prefix_count(&stored)),
                    vantage_points: glance.vantage_points,
                    reports: stored.reports.iter().map(|report| report.name()).collect(),
                    kind: Some(stored.kind),
                    state: Some(stored.state),
                    class: Some(stored.class),
                    ..nothing
                }
            }
        }
    }
}

/// Walks the rows of an incident after a row, at most so many. Gives after which row to go on.
pub(super) fn walk(
    reader: &StoreReader,
    id: &str,
    (mut after, limit): (i64, usize),
    mut take: impl FnMut(&JournalRow, Row),
) -> Result<Option<i64>, StoreError> {
    let mut left = limit;
    loop {
        let wanted = left.min(ROWS_AT_ONCE);
        // One more, to tell whether there is more.
        let rows = reader.history(id, after, wanted + 1)?;
        for row in rows.iter().take(wanted) {
            if let Some(told) = Row::of(row)? {
                take(row, told);
            }
            after = row.seq;
        }
        left -= wanted;
        if rows.len() <= wanted {
            return Ok(None);
        }
        if left == 0 {
            return Ok(Some(after));
        }
    }
}

/// The versions of an incident and its reports
#[utoipa::path(
    get,
    path = "/incidents/{id}/history",
    operation_id = "getIncidentHistory",
    params(
        ("id" = String, Path, description = "Id in the store or of the detector"),
        ("after" = Option<i64>, Query, description = "next of the page before", minimum = 0),
        ("limit" = Option<u32>, Query, description = "Items in the page", minimum = 1, maximum = 200),
    ),
    responses((status = 200, description = "A page", body = History))
)]
pub(super) async fn history(
    State(api): State<Arc<Api>>,
    IncidentId(id): IncidentId,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut parameters = Parameters::of(&uri)?;
    let after = parameters.after()?;
    let limit = parameters.number("limit", 1..=HISTORY_ITEMS_MAX, HISTORY_ITEMS)?;
    parameters.finish()?;
    let read = move |reader: &StoreReader| {
        let Some((summary, _)) = reader.get(&id)? else { return Ok(None) };
        let mut items = Vec::new();
        let next = walk(reader, &summary.id, (after, limit), |row, told| {
            items.push(Happened::of(row, told));
        })?;
        Ok(Some(History { id: summary.id, items, next }))
    };
    let history = api.reads.read(read).await?.ok_or_else(no_incident)?;
    answer::json(&headers, &history)
}
