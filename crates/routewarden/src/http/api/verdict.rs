//! What somebody found of an incident: `/incidents/{id}/verdict`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use routewarden_core::Timestamp;
use routewarden_store::{GivenVerdict, StoreError, VERDICT_NOTE_OCTETS_MAX, Verdict};
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::incidents::no_incident;
use super::parameters::{Parameters, bad};
use super::path::IncidentId;
use super::reads::busy;
use crate::http::Problem;
use crate::http::access::{Fields, Principal};
use crate::status::{Judgement, NotJudged};

/// Who judges where nobody logs in.
const NOBODY: &str = "-";

/// A verdict with who gave it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VerdictAnswer {
    /// `false_positive`, `confirmed` or `unclear`.
    verdict: &'static str,
    /// Why, in words.
    note: String,
    /// Name of the user; `-` where nobody logs in.
    by: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

impl From<GivenVerdict> for VerdictAnswer {
    fn from(given: GivenVerdict) -> Self {
        let GivenVerdict { verdict, note, by, at } = given;
        VerdictAnswer { verdict: verdict.name(), note, by, at }
    }
}

/// A verdict to be given.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the form of a body, for the description")]
pub(super) struct VerdictPut {
    /// `false_positive`, `confirmed` or `unclear`.
    verdict: String,
    /// Why, in words; at most 4,096 octets.
    note: Option<String>,
}

/// Say what an incident is found to be
#[utoipa::path(
    put,
    path = "/incidents/{id}/verdict",
    operation_id = "putVerdict",
    params(("id" = String, Path, description = "Id in the store or of the detector")),
    request_body = VerdictPut,
    responses((status = 200, description = "The verdict", body = VerdictAnswer))
)]
pub(super) async fn put(
    State(api): State<Arc<Api>>,
    principal: Option<Extension<Principal>>,
    IncidentId(id): IncidentId,
    mut fields: Fields,
) -> Result<Response, Problem> {
    let verdict = fields.text("verdict")?;
    let note = fields.optional_text("note")?.unwrap_or_default();
    fields.finish()?;
    let verdict = Verdict::from_name(&verdict).ok_or_else(|| {
        let names = Verdict::ALL.map(Verdict::name).join(", ");
        bad("verdict", format_args!("expected one of {names}"))
    })?;
    if note.len() > VERDICT_NOTE_OCTETS_MAX {
        return Err(bad("note", format_args!("longer than {VERDICT_NOTE_OCTETS_MAX} octets")));
    }
    let by = name_of(principal);
    let judged = judge(&api, Judgement { id, by, verdict: Some((verdict, note)) }).await?;
    Ok(Json(judged.map(VerdictAnswer::from)).into_response())
}

/// Withdraw the verdict on an incident
#[utoipa::path(
    delete,
    path = "/incidents/{id}/verdict",
    operation_id = "withdrawVerdict",
    params(("id" = String, Path, description = "Id in the store or of the detector")),
    responses((status = 204, description = "There is none any more"))
)]
pub(super) async fn withdraw(
    State(api): State<Arc<Api>>,
    principal: Option<Extension<Principal>>,
    IncidentId(id): IncidentId,
    uri: Uri,
) -> Result<Response, Problem> {
    Parameters::of(&uri)?.finish()?;
    judge(&api, Judgement { id, by: name_of(principal), verdict: None }).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn name_of(principal: Option<Extension<Principal>>) -> String {
    let user = principal.and_then(|Extension(principal)| principal.user);
    user.map_or_else(|| NOBODY.to_owned(), |user| user.to_string())
}

async fn judge(api: &Api, judgement: Judgement) -> Result<Option<GivenVerdict>, Problem> {
    let judged = api.status.judge(judgement).await.map_err(|refused| match refused {
        NotJudged::Store(StoreError::UnknownIncident) => no_incident(),
        NotJudged::Store(error) => {
            tracing::warn!(%error, "a verdict was not recorded");
            let detail = error.to_string();
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", detail)
        }
        NotJudged::Busy => busy("busy", &refused.to_string()),
    })?;
    if judged.is_new
        && let Some(observatory) = api.status.observatory()
    {
        observatory.judged();
    }
    Ok(judged.verdict)
}
