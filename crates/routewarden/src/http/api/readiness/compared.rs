//! Networks side by side, and which of them to buy transit from.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use routewarden_core::Asn;
use routewarden_measure::{ProviderCandidate, ProviderRule, Readiness};
use serde::Serialize;

use super::{When, answered, as_answer, as_json, internal, text};
use crate::http::Problem;
use crate::http::api::Api;
use crate::http::api::parameters::{Parameters, bad};
use crate::readiness::{AsAnswer, Head};

/// Form of several ASNs.
pub(in crate::http::api) const ASNS_PATTERN: &str = "^[1-9][0-9]{0,8}(,[1-9][0-9]{0,8}){1,9}$";
/// Most networks side by side.
pub const COMPARED_MAX: usize = 10;

/// Networks side by side.
#[derive(Serialize)]
struct Compared<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    ases: Vec<AsAnswer<'a>>,
    missing_asns: Vec<Asn>,
}

/// ASNs, each once, in the order given.
fn read_asns(query: &mut Parameters) -> Result<Vec<Asn>, Problem> {
    let expected = format!("2 to {COMPARED_MAX} ASNs, as 64496,64497");
    let read = |text: &str| {
        let given: Option<Vec<Asn>> = text.split(',').map(|asn| asn.trim().parse().ok()).collect();
        let given = given.filter(|given| (2..=COMPARED_MAX).contains(&given.len()))?;
        let mut asns: Vec<Asn> = Vec::new();
        for asn in given {
            if !asns.contains(&asn) {
                asns.push(asn);
            }
        }
        Some(asns)
    };
    let asns = query.take("asns", &expected, read)?;
    asns.ok_or_else(|| bad("asns", format_args!("expected {expected}")))
}

/// Networks side by side
#[utoipa::path(
    get,
    tag = "readiness",
    path = "/readiness/compare",
    operation_id = "compareReadiness",
    params(
        ("asns" = String, Query, description = "2 to 10 ASNs", example = "64496,64497"),
        When,
    ),
    responses((status = 200, description = "The networks", body = Object))
)]
pub(in crate::http::api) async fn compare(
    State(api): State<Arc<Api>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let answer = answered(&api, &uri, read_asns, |_, held, asns| {
        let (mut ases, mut missing_asns) = (Vec::new(), Vec::new());
        for &asn in &asns {
            match as_answer(held, asn) {
                Some(answer) => ases.push(answer),
                None => missing_asns.push(asn),
            }
        }
        text(&Compared { head: Head::of(&held.measured.survey), ases, missing_asns })
    });
    Ok(as_json(&headers, answer.await?))
}

/// Which of several networks to buy transit from
#[utoipa::path(
    get,
    tag = "readiness",
    path = "/readiness/providers",
    operation_id = "chooseProvider",
    params(
        ("asns" = String, Query, description = "2 to 10 candidates", example = "64496,64497"),
        When,
    ),
    responses((status = 200, description = "The candidates with reasons", body = Object))
)]
pub(in crate::http::api) async fn providers(
    State(api): State<Arc<Api>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let answer = answered(&api, &uri, read_asns, |_, held, asns| {
        let survey = &held.measured.survey;
        let known = asns.iter().filter_map(|&asn| survey.surveyed(asn));
        let readiness: Vec<Readiness> = known.map(|known| survey.readiness(known)).collect();
        let rule = ProviderRule::built_in().map_err(|error| internal(&error))?;
        let choice = rule
            .choose(&readiness)
            .map_err(|error| Problem::new(StatusCode::NOT_FOUND, "no_choice", error.to_string()))?;
        let named = |candidate: ProviderCandidate| NamedCandidate {
            name: survey.surveyed(candidate.asn).and_then(|known| known.name.as_deref()),
            candidate,
        };
        let candidates = choice.candidates.into_iter().map(named).collect();
        text(&Chosen { head: Head::of(survey), candidates, advice: choice.advice })
    });
    Ok(as_json(&headers, answer.await?))
}

/// Candidates with reasons.
#[derive(Serialize)]
struct Chosen<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    candidates: Vec<NamedCandidate<'a>>,
    /// In words.
    advice: String,
}

#[derive(Serialize)]
struct NamedCandidate<'a> {
    #[serde(flatten)]
    candidate: ProviderCandidate,
    name: Option<&'a str>,
}
