//! What may be asked for: versions of the framework, and periods.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use routewarden_measure::{PROFILE_DEFAULT, Profile};
use serde::Serialize;

use super::refused;
use crate::http::Problem;
use crate::http::api::parameters::Parameters;
use crate::http::api::{Api, answer};
use crate::readiness::{MeasuredMonth, NotMeasured, WINDOWS_DAYS, sha256};

/// The profiles there are.
#[derive(Serialize)]
struct Profiles {
    profiles: Vec<ProfileAnswer>,
}

#[derive(Serialize)]
struct ProfileAnswer {
    id: String,
    title: String,
    source: String,
    sha256: String,
    is_default: bool,
    aspiring_from_percent: u8,
    ready_from_percent: u8,
    metrics: Vec<ProfileMetric>,
    scores: Vec<ProfileScore>,
}

#[derive(Serialize)]
struct ProfileMetric {
    id: String,
    title: String,
    formula: String,
    is_scored: bool,
}

#[derive(Serialize)]
struct ProfileScore {
    id: String,
    title: String,
    metrics: Vec<String>,
}

fn profile_answer(id: &str) -> Option<ProfileAnswer> {
    let text = Profile::built_in_text(id)?;
    let profile = Profile::parse(text).ok()?;
    let metrics = profile.metrics.iter().map(|metric| ProfileMetric {
        id: metric.id.clone(),
        title: metric.title.clone(),
        formula: profile.formula(metric),
        is_scored: profile.is_scored(&metric.id),
    });
    let scores = profile.scores.iter().map(|score| ProfileScore {
        id: score.id.clone(),
        title: score.title.clone(),
        metrics: score.metrics.clone(),
    });
    Some(ProfileAnswer {
        metrics: metrics.collect(),
        scores: scores.collect(),
        is_default: profile.id == PROFILE_DEFAULT,
        sha256: sha256(text.as_bytes()).to_string(),
        aspiring_from_percent: profile.classes.aspiring_from_percent,
        ready_from_percent: profile.classes.ready_from_percent,
        id: profile.id,
        title: profile.title,
        source: profile.source,
    })
}

/// The periods there are.
#[derive(Serialize)]
struct Periods {
    periods: Vec<MeasuredMonth>,
    windows: [String; WINDOWS_DAYS.len()],
}

/// The versions of the framework
#[utoipa::path(
    get,
    tag = "readiness",
    path = "/readiness/profiles",
    operation_id = "getReadinessProfiles",
    responses((status = 200, description = "Metrics and scores of each", body = Object))
)]
pub(in crate::http::api) async fn profiles(
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Parameters::of(&uri)?.finish()?;
    let profiles = Profile::built_in_ids().filter_map(profile_answer).collect();
    answer::json(&headers, &Profiles { profiles })
}

/// The periods that may be asked for
#[utoipa::path(
    get,
    tag = "readiness",
    path = "/readiness/periods",
    operation_id = "getReadinessPeriods",
    responses((status = 200, description = "Months and windows", body = Object))
)]
pub(in crate::http::api) async fn periods(
    State(api): State<Arc<Api>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Parameters::of(&uri)?.finish()?;
    let Some(observatory) = api.status.observatory() else {
        return Err(refused(&NotMeasured::Starting));
    };
    let windows = WINDOWS_DAYS.map(|days| format!("{days}d"));
    let months = api.reads.work(move || observatory.months()).await?;
    let months = months.map_err(|error| refused(&error))?;
    answer::json(&headers, &Periods { periods: months, windows })
}
