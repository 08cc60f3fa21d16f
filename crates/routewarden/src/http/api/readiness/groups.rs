//! Many networks as one: countries, regions, registries, sectors, the constituency, the world.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use serde::Serialize;

use super::{PastMonth, PastScore, When, answered, as_json, bys, no_group, refused, text};
use crate::http::Problem;
use crate::http::api::Api;
use crate::http::api::parameters::{self, bad};
use crate::readiness::{
    Group, GroupBy, Head, Measured, Observatory, group, groups, past_means, put_trend,
};

/// Most months in the history of a group.
const GROUP_HISTORY_MONTHS_MAX: usize = 12;

/// Many networks as one, each group with its scores.
#[derive(Serialize)]
struct GroupList<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    by: &'a str,
    groups: Vec<Group>,
}

#[derive(Serialize)]
struct OneGroup<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    by: &'a str,
    group: Group,
    /// Means of the months that were kept, oldest first.
    history: Vec<PastMonth>,
}

/// Groups with what changed since the month before; a window has none before it.
pub(super) fn with_trend(
    observatory: &Observatory,
    measured: &Measured,
    by: GroupBy,
    mut groups: Vec<Group>,
) -> Result<Vec<Group>, Problem> {
    let profile = &measured.survey.profile.id;
    let Some(before) = Observatory::month_before(&measured.survey.span) else { return Ok(groups) };
    let kept = observatory.kept(profile, &before).map_err(|error| refused(&error))?;
    let Some(kept) = kept else { return Ok(groups) };
    let means = past_means(measured, &kept, by);
    for group in &mut groups {
        put_trend(group, means.get(&group.id).map_or(&[], Vec::as_slice));
    }
    Ok(groups)
}

/// Means of a group in the months that were kept, the present one included.
fn group_history(
    observatory: &Observatory,
    measured: &Measured,
    (by, id): (GroupBy, &str),
) -> Result<Vec<PastMonth>, Problem> {
    let profile = &measured.survey.profile.id;
    let months = observatory.months().map_err(|error| refused(&error))?;
    let mut history = Vec::new();
    for month in months.iter().take(GROUP_HISTORY_MONTHS_MAX).rev() {
        let period = month.id();
        let kept = observatory.kept(profile, period).map_err(|error| refused(&error))?;
        let Some(kept) = kept else { continue };
        let Some(means) = past_means(measured, &kept, by).remove(id) else { continue };
        let scores = means.into_iter().map(|(id, score)| PastScore { id, score }).collect();
        history.push(PastMonth { period: period.to_owned(), scores });
    }
    Ok(history)
}

fn read_by(by: Result<Path<String>, PathRejection>) -> Result<(String, GroupBy), Problem> {
    let by = parameters::path("by", by)?;
    let way = GroupBy::named(&by);
    let expected = || bad("by", format_args!("expected one of {}", bys().join(", ")));
    Ok((by, way.ok_or_else(expected)?))
}

/// Groups of networks with their scores
#[utoipa::path(
    get,
    tag = "readiness",
    path = "/readiness/groups/{by}",
    operation_id = "listReadinessGroups",
    params(
        ("by" = String, Path, description = "By what they are taken together"),
        When,
    ),
    responses((status = 200, description = "The groups", body = Object))
)]
pub(in crate::http::api) async fn list(
    State(api): State<Arc<Api>>,
    by: Result<Path<String>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (by, way) = read_by(by)?;
    let answer = answered(
        &api,
        &uri,
        |_| Ok(()),
        move |observatory, held, ()| {
            let head = Head::of(&held.measured.survey);
            let groups = with_trend(observatory, &held.measured, way, groups(&held.measured, way))?;
            text(&GroupList { head, by: &by, groups })
        },
    );
    Ok(as_json(&headers, answer.await?))
}

/// One group of networks
#[utoipa::path(
    get,
    tag = "readiness",
    path = "/readiness/groups/{by}/{group}",
    operation_id = "getReadinessGroup",
    params(
        ("by" = String, Path, description = "By what they are taken together"),
        ("group" = String, Path, description = "Which of them", example = "FR"),
        When,
    ),
    responses((status = 200, description = "The group", body = Object))
)]
pub(in crate::http::api) async fn one(
    State(api): State<Arc<Api>>,
    place: Result<Path<(String, String)>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (by, id) = parameters::path("by", place)?;
    let (by, way) = read_by(Ok(Path(by)))?;
    let answer = answered(
        &api,
        &uri,
        |_| Ok(()),
        move |observatory, held, ()| {
            let group = group(&held.measured, way, &id).ok_or_else(no_group)?;
            let mut group = with_trend(observatory, &held.measured, way, vec![group])?;
            let history = group_history(observatory, &held.measured, (way, &id))?;
            let group = group.pop().ok_or_else(no_group)?;
            text(&OneGroup { head: Head::of(&held.measured.survey), by: &by, group, history })
        },
    );
    Ok(as_json(&headers, answer.await?))
}
