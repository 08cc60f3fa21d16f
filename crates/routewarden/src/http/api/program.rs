//! What the program knows of its feeds and facts, and how many incidents there were when.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use routewarden_core::Timestamp;
use routewarden_feeds::live::SourceStatus;
use routewarden_store::{FactsVersionRow, FeedStateRow, GapRow, IncidentCount, StoreReader};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::parameters::{Parameters, bad};
use super::{Api, answer};
use crate::http::Problem;
use crate::status::{FactStatus, FeedStatus, OpenIncidents};

/// Most gaps in an answer.
pub const GAPS_MAX: usize = 1_000;
/// Most versions of facts in an answer.
pub const VERSIONS_MAX: usize = 1_000;
/// Most days in an answer.
pub const DAYS_MAX: i64 = 3_700;
/// Most hours in an answer.
pub const HOURS_MAX: i64 = 744;

const DAY_SECS: i64 = 86_400;
const HOUR_SECS: i64 = 3_600;
/// Gaps are told of since so long unless asked for.
const GAPS_SECS: i64 = 7 * DAY_SECS;
/// Days in an answer unless asked for.
const DAYS: i64 = 30;
/// Hours in an answer unless asked for.
const HOURS: i64 = 48;

/// Sources, their health and their gaps.
#[derive(Debug, Serialize, ToSchema)]
struct FeedsPage {
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
    /// The sources, as configured.
    #[schema(value_type = Vec<Object>)]
    sources: Vec<SourceStatus>,
    /// The health of each feed.
    feeds: Vec<FeedStatus>,
    /// The state of each feed that was recorded last.
    recorded: Vec<RecordedState>,
    /// Newest first.
    gaps: Vec<Gap>,
}

/// The state of a feed, as recorded.
#[derive(Debug, Serialize, ToSchema)]
struct RecordedState {
    feed: String,
    state: String,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// As it was noted.
    #[schema(value_type = Option<Object>, required)]
    detail: Option<Box<RawValue>>,
}

/// A time in which a feed was not heard.
#[derive(Debug, Serialize, ToSchema)]
struct Gap {
    feed: String,
    /// The last that was heard before.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// The first that was heard after; null while it lasts.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    to: Option<Timestamp>,
    /// Whether what was missed has been fetched.
    filled: bool,
    /// As it was noted.
    #[schema(value_type = Option<Object>, required)]
    detail: Option<Box<RawValue>>,
}

/// Facts in use, and which versions were applied when.
#[derive(Debug, Serialize, ToSchema)]
struct FactsPage {
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
    facts: Vec<FactStatus>,
    /// Applied last first.
    versions: Vec<FactsVersion>,
}

/// A version of facts.
#[derive(Debug, Serialize, ToSchema)]
struct FactsVersion {
    name: String,
    version: String,
    /// From when on.
    #[schema(value_type = String, format = DateTime)]
    applied_at: Timestamp,
    /// As it was noted.
    #[schema(value_type = Option<Object>, required)]
    detail: Option<Box<RawValue>>,
}

/// Incidents by the time at which they were first seen.
#[derive(Debug, Serialize, ToSchema)]
struct Statistics {
    /// `day` or `hour`.
    by: &'static str,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    before: Timestamp,
    /// Only those with incidents, in order of time, kind and class.
    buckets: Vec<Bucket>,
    /// Incidents that have not ended now, as the engine has it.
    open: Vec<OpenIncidents>,
}

/// How many incidents of a kind and class were first seen in a day or hour.
#[derive(Debug, Serialize, ToSchema)]
struct Bucket {
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    kind: String,
    class: String,
    count: u64,
}

/// JSON as it was noted.
fn noted(detail: Option<String>) -> Option<Box<RawValue>> {
    detail.and_then(|detail| RawValue::from_string(detail).ok())
}

impl From<FeedStateRow> for RecordedState {
    fn from(FeedStateRow { feed, state, since, detail }: FeedStateRow) -> Self {
        RecordedState { feed, state, since, detail: noted(detail) }
    }
}

impl From<GapRow> for Gap {
    fn from(GapRow { feed, from, to, filled, detail }: GapRow) -> Self {
        Gap { feed, from, to, filled, detail: noted(detail) }
    }
}

impl From<FactsVersionRow> for FactsVersion {
    fn from(FactsVersionRow { name, version, applied_at, detail }: FactsVersionRow) -> Self {
        FactsVersion { name, version, applied_at, detail: noted(detail) }
    }
}

impl From<IncidentCount> for Bucket {
    fn from(IncidentCount { from, kind, class, count }: IncidentCount) -> Self {
        Bucket { time: from, kind, class, count }
    }
}

fn time(parameters: &mut Parameters, name: &str) -> Result<Option<Timestamp>, Problem> {
    let expected = "a time, as 2008-02-24T18:47:57Z, 2008-02-24, or seconds since 1970";
    parameters.take(name, expected, |text| text.parse().ok())
}

/// Sources, their health and their gaps
#[utoipa::path(
    get,
    path = "/feeds",
    operation_id = "getFeeds",
    params(("gaps_from" = Option<String>, Query, description = "Gaps that lasted at some time since then; seven days ago unless given", example = "2026-11-28")),
    responses((status = 200, description = "The feeds", body = FeedsPage))
)]
pub(super) async fn feeds(
    State(api): State<Arc<Api>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut parameters = Parameters::of(&uri)?;
    let gaps_from = time(&mut parameters, "gaps_from")?;
    parameters.finish()?;
    let snapshot = api.status.snapshot();
    let gaps_from = gaps_from.unwrap_or_else(|| snapshot.now.plus_secs(-GAPS_SECS));
    let read =
        move |reader: &StoreReader| Ok((reader.feed_states()?, reader.gaps(gaps_from, GAPS_MAX)?));
    let (recorded, gaps) = api.reads.read(read).await?;
    let page = FeedsPage {
        now: snapshot.now,
        sources: snapshot.sources,
        feeds: snapshot.feeds,
        recorded: recorded.into_iter().map(Into::into).collect(),
        gaps: gaps.into_iter().map(Into::into).collect(),
    };
    answer::json(&headers, &page)
}

/// Facts in use, and which versions were applied when
#[utoipa::path(
    get,
    path = "/facts",
    operation_id = "getFacts",
    responses((status = 200, description = "The facts", body = FactsPage))
)]
pub(super) async fn facts(
    State(api): State<Arc<Api>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Parameters::of(&uri)?.finish()?;
    let snapshot = api.status.snapshot();
    let versions = api.reads.read(|reader| reader.facts_versions(VERSIONS_MAX)).await?;
    let page = FactsPage {
        now: snapshot.now,
        facts: snapshot.facts,
        versions: versions.into_iter().map(Into::into).collect(),
    };
    answer::json(&headers, &page)
}

/// Incidents by day or hour, kind and class
#[utoipa::path(
    get,
    path = "/statistics",
    operation_id = "getStatistics",
    params(
        ("by" = Option<String>, Query, description = "Day (the default) or hour"),
        ("from" = Option<String>, Query, description = "The first one", example = "2026-11-28"),
        ("before" = Option<String>, Query, description = "The one after the last", example = "2026-11-29"),
    ),
    responses((status = 200, description = "Counts", body = Statistics))
)]
pub(super) async fn statistics(
    State(api): State<Arc<Api>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut parameters = Parameters::of(&uri)?;
    let by = parameters.one_of("by", &["day", "hour"])?.unwrap_or("day");
    let (from, before) = (time(&mut parameters, "from")?, time(&mut parameters, "before")?);
    parameters.finish()?;
    let is_day = by == "day";
    let (unit, most, usual) =
        if is_day { (DAY_SECS, DAYS_MAX, DAYS) } else { (HOUR_SECS, HOURS_MAX, HOURS) };
    let snapshot = api.status.snapshot();
    let begin = |time: Timestamp| {
        let micros = unit * 1_000_000;
        Timestamp::from_micros(time.micros().div_euclid(micros) * micros)
    };
    let before = begin(before.unwrap_or_else(|| snapshot.now.plus_secs(unit)));
    let from = begin(from.unwrap_or_else(|| before.plus_secs(-usual * unit)));
    let units = before.secs_since(from) / unit;
    if !(1..=most).contains(&units) {
        return Err(bad("before", format_args!("expected 1 to {most} {by}s after from")));
    }
    let read = move |reader: &StoreReader| {
        if is_day { reader.counts(from, before) } else { reader.counts_by_hour(from, before) }
    };
    let counts = api.reads.read(read).await?;
    let page = Statistics {
        by,
        from,
        before,
        buckets: counts.into_iter().map(Into::into).collect(),
        open: snapshot.open_incidents,
    };
    answer::json(&headers, &page)
}
