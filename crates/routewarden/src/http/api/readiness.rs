//! How ready networks are: see `docs/reference/readiness.md`.
//!
//! ```text
//! query ─► Asked (profile, period) and a question ─► Observatory, on a thread that may block ─► answer
//! ```

pub(super) mod compared;
pub(super) mod frameworks;
pub(super) mod groups;
pub(super) mod networks;
pub(super) mod observatory_shape;
pub(super) mod taken_out;

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use routewarden_core::Asn;
use routewarden_measure::{PROFILE_DEFAULT, Period, Profile};
use serde::Serialize;
use utoipa::IntoParams;

pub use compared::COMPARED_MAX;
pub use networks::READINESS_ITEMS_MAX;

use super::parameters::Parameters;
use super::{Api, answer};
use crate::http::Problem;
use crate::readiness::{AsAnswer, GroupBy, Held, NotMeasured, Observatory, WINDOWS_DAYS};

/// Form of a period.
pub(super) const PERIOD_PATTERN: &str = "^((19[7-9][0-9]|2[0-9]{3})-(0[1-9]|1[0-2])|7d|30d|90d)$";
/// Longest id of a group or score, in characters.
const PLAIN_CHARS_MAX: usize = 200;
/// Form of the id of a group or score: 1 to [`PLAIN_CHARS_MAX`], no control characters.
pub(super) const PLAIN_PATTERN: &str = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,200}$";
/// After so long the first survey may be done.
const SURVEY_WAIT: Duration = Duration::from_secs(5);

/// Names of the ways to take networks together.
pub(super) fn bys() -> [&'static str; GroupBy::ALL.len()] {
    GroupBy::ALL.map(|(name, _)| name)
}

/// What every question may say.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the form of a query, for the description")]
struct When {
    /// A month as 2026-10, or 7d, 30d, 90d
    period: Option<String>,
    /// Version of the framework
    profile: Option<String>,
}

/// Profile and period of a question.
struct Asked {
    profile: String,
    period: String,
}

impl Asked {
    fn of(api: &Api, query: &mut Parameters) -> Result<Self, Problem> {
        let known: Vec<&'static str> = Profile::built_in_ids().collect();
        let profile = query.one_of("profile", &known)?.unwrap_or(PROFILE_DEFAULT);
        let is_period = |text: &str| {
            let is_window = WINDOWS_DAYS.iter().any(|days| text == format!("{days}d"));
            (is_window || text.parse::<Period>().is_ok()).then(|| text.to_owned())
        };
        let period = query.take("period", "a month as 2026-10, or 7d, 30d, 90d", is_period)?;
        let period = period.unwrap_or_else(|| Self::this_month(api));
        Ok(Asked { profile: profile.to_owned(), period })
    }

    fn this_month(api: &Api) -> String {
        let now = api.status.observatory().map(|observatory| observatory.now());
        now.unwrap_or_default().to_string().chars().take(7).collect()
    }
}

/// Reads a question, measures on a thread that may block, and makes an answer of both there: it borrows
/// from what was measured.
async fn answered<Q: Send + 'static>(
    api: &Api,
    uri: &Uri,
    read: impl FnOnce(&mut Parameters) -> Result<Q, Problem>,
    answer: impl FnOnce(&Observatory, &Held, Q) -> Result<Vec<u8>, Problem> + Send + 'static,
) -> Result<Vec<u8>, Problem> {
    let mut query = Parameters::of(uri)?;
    let asked = Asked::of(api, &mut query)?;
    let question = read(&mut query)?;
    query.finish()?;
    measured(api, asked, |observatory, held| answer(observatory, held, question)).await
}

/// Measures on a thread that may block, and makes an answer there.
async fn measured(
    api: &Api,
    asked: Asked,
    answer: impl FnOnce(&Observatory, &Held) -> Result<Vec<u8>, Problem> + Send + 'static,
) -> Result<Vec<u8>, Problem> {
    let observatory = api.status.observatory();
    let observatory = observatory.ok_or_else(|| refused(&NotMeasured::Starting))?;
    let work = move || {
        let held = observatory.measured(&asked.profile, &asked.period);
        answer(&observatory, &*held.map_err(|error| refused(&error))?)
    };
    api.reads.work(work).await?
}

fn refused(error: &NotMeasured) -> Problem {
    let (status, code) = match error {
        NotMeasured::Starting => (StatusCode::SERVICE_UNAVAILABLE, "measuring"),
        NotMeasured::Never(_) => (StatusCode::NOT_FOUND, "not_measured"),
        NotMeasured::Profile(_) | NotMeasured::Period(_) => {
            (StatusCode::BAD_REQUEST, "bad_parameter")
        }
        NotMeasured::Events(_) => (StatusCode::SERVICE_UNAVAILABLE, "too_many_events"),
        NotMeasured::Store(_) | NotMeasured::Frozen(_) | NotMeasured::Json(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, "store_unavailable")
        }
    };
    let problem = Problem::new(status, code, error.to_string());
    match error {
        NotMeasured::Starting => problem.retry_after(SURVEY_WAIT),
        _ => problem,
    }
}

fn text(document: &impl Serialize) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(document).map_err(|error| internal(&error))
}

fn as_json(asked: &HeaderMap, octets: Vec<u8>) -> Response {
    answer::tagged(asked, "application/json", octets.into())
}

/// A text of the form [`PLAIN_PATTERN`].
fn plain(text: &str) -> Option<String> {
    let length = text.chars().count();
    let is_plain = (1..=PLAIN_CHARS_MAX).contains(&length) && !text.chars().any(char::is_control);
    is_plain.then(|| text.to_owned())
}

/// Scores of a month that was kept.
#[derive(Serialize)]
struct PastMonth {
    period: String,
    scores: Vec<PastScore>,
}

#[derive(Serialize)]
struct PastScore {
    id: String,
    /// Of a network its score, of a group the mean.
    score: Option<f64>,
}

fn as_answer(held: &Held, asn: Asn) -> Option<AsAnswer<'_>> {
    let survey = &held.measured.survey;
    // What was announced in a month that is over is only known in numbers.
    let routes = held.is_now.then_some(&held.base.announced);
    Some(AsAnswer::of(survey, survey.surveyed(asn)?, &held.base.references, routes))
}

fn internal(error: &dyn std::error::Error) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", error.to_string())
}

fn no_group() -> Problem {
    let detail = "no network is in that group: by and id name one together";
    Problem::new(StatusCode::NOT_FOUND, "no_group", detail)
}

fn no_network(asn: Asn) -> Problem {
    let detail = format!("{asn} announced nothing and has no part in an incident");
    Problem::new(StatusCode::NOT_FOUND, "no_as", detail)
}
