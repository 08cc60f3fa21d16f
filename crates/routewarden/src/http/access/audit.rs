//! The audit log: `/audit`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use routewarden_core::Timestamp;
use routewarden_store::access::AuditRow;
use serde::Serialize;
use utoipa::ToSchema;

use super::Access;
use crate::http::Problem;
use crate::http::api::parameters::Parameters;

/// Most rows in a page.
pub const AUDIT_ITEMS_MAX: usize = 500;
/// Rows in a page unless asked for.
const AUDIT_ITEMS: usize = 50;

/// A page of the audit log, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct AuditPage {
    items: Vec<AuditItem>,
    /// For the parameter `cursor`; null on the last page.
    #[schema(required)]
    next: Option<i64>,
}

/// What somebody did.
#[derive(Serialize, ToSchema)]
pub(super) struct AuditItem {
    seq: i64,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Null when nobody was logged in.
    #[schema(required)]
    user: Option<String>,
    /// Number of the token that was used.
    #[schema(required)]
    token: Option<i64>,
    address: String,
    verb: String,
    object: String,
    detail: String,
    outcome: String,
    /// Hash over this row and the one before.
    hash: String,
}

impl From<AuditRow> for AuditItem {
    fn from(row: AuditRow) -> Self {
        let hash = row.hash.to_string();
        let AuditRow { seq, at, user, token, address, verb, object, detail, outcome, .. } = row;
        AuditItem { seq, at, user, token, address, verb, object, detail, outcome, hash }
    }
}

/// What was done, newest first
#[utoipa::path(
    get,
    path = "/audit",
    operation_id = "listAudit",
    params(
        ("cursor" = Option<i64>, Query, description = "Next of the page before", minimum = 1),
        ("limit" = Option<usize>, Query, description = "50 unless given", minimum = 1, maximum = 500),
    ),
    responses((status = 200, description = "A page", body = AuditPage))
)]
pub(crate) async fn list(State(access): State<Arc<Access>>, uri: Uri) -> Result<Response, Problem> {
    let mut parameters = Parameters::of(&uri)?;
    let cursor = parameters.take("cursor", "the cursor of a page", |text| {
        text.parse().ok().filter(|seq: &i64| *seq > 0)
    })?;
    let limit = parameters.number("limit", 1..=AUDIT_ITEMS_MAX, AUDIT_ITEMS)?;
    parameters.finish()?;
    let before = cursor.unwrap_or(i64::MAX);
    let rows = access.look(move |file| file.audit_before(before, limit)).await?;
    let last = rows.last().map(|row| row.seq).filter(|seq| rows.len() == limit && *seq > 1);
    let items = rows.into_iter().map(Into::into).collect();
    Ok(Json(AuditPage { items, next: last }).into_response())
}
