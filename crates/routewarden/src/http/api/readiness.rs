//! How ready networks are: see `docs/reference/readiness.md`.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use routewarden_core::Asn;
use routewarden_core::facts::Sha256;
use routewarden_measure::{
    AddressSpace, PROFILE_DEFAULT, Period, Profile, ProviderChoice, ProviderRule, Rank, Readiness,
    ReadinessClass, Score,
};
use serde::Serialize;
use sha2::Digest;

use super::parameters::{self, Parameters, bad};
use super::path::AsnPath;
use super::{Api, answer};
use crate::http::Problem;
use crate::readiness::{
    AsAnswer, Choice, Group, GroupBy, Head, Held, Measured, NotMeasured, Observatory, Row,
    WINDOWS_DAYS, alone, csv, group, groups, page, parquet, past_means, put_trend, ranked, report,
};

/// Names of the orders.
pub(super) const ORDERS: [&str; 2] = ["worst", "best"];
/// Names of the forms of an export.
pub(super) const FORMATS: [&str; 3] = ["csv", "json", "parquet"];
/// Form of a period.
pub(super) const PERIOD_PATTERN: &str = "^((19[7-9][0-9]|2[0-9]{3})-(0[1-9]|1[0-2])|7d|30d|90d)$";
/// Longest id of a group or score, in characters.
const PLAIN_CHARS_MAX: usize = 200;
/// Form of the id of a group or score: 1 to [`PLAIN_CHARS_MAX`], no control characters.
pub(super) const PLAIN_PATTERN: &str = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,200}$";
/// Form of several ASNs.
pub(super) const ASNS_PATTERN: &str = "^[1-9][0-9]{0,8}(,[1-9][0-9]{0,8}){1,9}$";
/// Most networks in a page.
pub const READINESS_ITEMS_MAX: usize = 500;
/// Networks in a page unless asked for.
const READINESS_ITEMS: usize = 50;
/// Most months in the history of a group.
const GROUP_HISTORY_MONTHS_MAX: usize = 12;
/// Most networks side by side.
pub const COMPARED_MAX: usize = 10;

/// Names of the ways to take networks together.
pub(super) fn bys() -> [&'static str; GroupBy::ALL.len()] {
    GroupBy::ALL.map(|(name, _)| name)
}

/// Names of the classes.
pub(super) fn classes() -> [&'static str; 4] {
    CLASSES.map(ReadinessClass::name)
}

const CLASSES: [ReadinessClass; 4] = [
    ReadinessClass::Ready,
    ReadinessClass::Aspiring,
    ReadinessClass::Lagging,
    ReadinessClass::NoData,
];

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
        let this_month = || -> String {
            let now = api.status.observatory().map(|observatory| observatory.now());
            now.unwrap_or_default().to_string().chars().take(7).collect()
        };
        Ok(Asked { profile: profile.to_owned(), period: period.unwrap_or_else(this_month) })
    }
}

/// Measures, and makes an answer of it, on a thread that may block.
async fn measured<T: Send + 'static>(
    api: &Api,
    asked: Asked,
    answer: impl FnOnce(&Observatory, &Held) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let observatory = api.status.observatory();
    let observatory = observatory.ok_or_else(|| refused(&NotMeasured::Starting))?;
    let work = move || {
        let measured = observatory.measured(&asked.profile, &asked.period);
        answer(&observatory, &*measured.map_err(|error| refused(&error))?)
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
        NotMeasured::Starting => problem.retry_after(std::time::Duration::from_secs(5)),
        _ => problem,
    }
}

/// An answer as JSON, made on the thread that measured: it borrows from what was measured.
fn text(document: &impl Serialize) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(document).map_err(|error| internal(&error))
}

fn as_json(asked: &HeaderMap, octets: Vec<u8>) -> Response {
    answer::tagged(asked, "application/json", octets.into())
}

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
        sha256: Sha256(sha2::Sha256::digest(text.as_bytes()).into()).to_string(),
        aspiring_from_percent: profile.classes.aspiring_from_percent,
        ready_from_percent: profile.classes.ready_from_percent,
        id: profile.id,
        title: profile.title,
        source: profile.source,
    })
}

/// The versions of the framework
#[utoipa::path(
    get,
    path = "/readiness/profiles",
    operation_id = "getReadinessProfiles",
    responses((status = 200, description = "Metrics and scores of each", body = Object))
)]
pub(super) async fn profiles(uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    Parameters::of(&uri)?.finish()?;
    let profiles = Profile::built_in_ids().filter_map(profile_answer).collect();
    answer::json(&headers, &Profiles { profiles })
}

/// The periods that may be asked for
#[utoipa::path(
    get,
    path = "/readiness/periods",
    operation_id = "getReadinessPeriods",
    responses((status = 200, description = "Months and windows", body = Object))
)]
pub(super) async fn periods(
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
    answer::json(&headers, &serde_json::json!({ "periods": months, "windows": windows }))
}

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

/// Groups with what changed since the month before; a window has none before it.
fn with_trend(
    observatory: &Observatory,
    measured: &Measured,
    by: GroupBy,
    mut groups: Vec<Group>,
) -> Result<Vec<Group>, Problem> {
    let profile = &measured.survey.profile.id;
    let Some(before) = Observatory::month_before(&measured.survey.span) else { return Ok(groups) };
    let kept = observatory.kept(profile, &before).map_err(|error| refused(&error))?;
    let Some(kept) = kept else { return Ok(groups) };
    for group in &mut groups {
        put_trend(group, &past_means(measured, &kept, (by, &group.id)));
    }
    Ok(groups)
}

/// Means of a group in the months that were kept, the present one included.
fn group_history(
    observatory: &Observatory,
    measured: &Measured,
    group: (GroupBy, &str),
) -> Result<Vec<PastMonth>, Problem> {
    let profile = &measured.survey.profile.id;
    let months = observatory.months().map_err(|error| refused(&error))?;
    let mut history = Vec::new();
    for month in months.iter().take(GROUP_HISTORY_MONTHS_MAX).rev() {
        let period = month.id();
        let kept = observatory.kept(profile, period).map_err(|error| refused(&error))?;
        let Some(kept) = kept else { continue };
        let scores = past_means(measured, &kept, group).into_iter();
        let scores = scores.map(|(id, score)| PastScore { id, score }).collect();
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
    path = "/readiness/groups/{by}",
    operation_id = "listReadinessGroups",
    params(
        ("by" = String, Path, description = "By what they are taken together"),
        ("period" = Option<String>, Query, description = "A month as 2026-10, or 7d, 30d, 90d"),
        ("profile" = Option<String>, Query, description = "Version of the framework"),
    ),
    responses((status = 200, description = "The groups", body = Object))
)]
pub(super) async fn list_groups(
    State(api): State<Arc<Api>>,
    by: Result<Path<String>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (by, way) = read_by(by)?;
    let mut query = Parameters::of(&uri)?;
    let asked = Asked::of(&api, &mut query)?;
    query.finish()?;
    let answer = move |observatory: &Observatory, held: &Held| {
        let head = Head::of(&held.measured.survey);
        let groups = with_trend(observatory, &held.measured, way, groups(&held.measured, way))?;
        text(&GroupList { head, by: &by, groups })
    };
    Ok(as_json(&headers, measured(&api, asked, answer).await?))
}

/// One group of networks
#[utoipa::path(
    get,
    path = "/readiness/groups/{by}/{group}",
    operation_id = "getReadinessGroup",
    params(
        ("by" = String, Path, description = "By what they are taken together"),
        ("group" = String, Path, description = "Which of them", example = "FR"),
        ("period" = Option<String>, Query, description = "A month as 2026-10, or 7d, 30d, 90d"),
        ("profile" = Option<String>, Query, description = "Version of the framework"),
    ),
    responses((status = 200, description = "The group", body = Object))
)]
pub(super) async fn one_group(
    State(api): State<Arc<Api>>,
    place: Result<Path<(String, String)>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (by, id) = parameters::path("by", place)?;
    let (by, way) = read_by(Ok(Path(by)))?;
    let mut query = Parameters::of(&uri)?;
    let asked = Asked::of(&api, &mut query)?;
    query.finish()?;
    let answer = move |observatory: &Observatory, held: &Held| {
        let group = group(&held.measured, way, &id).ok_or_else(no_group)?;
        let mut group = with_trend(observatory, &held.measured, way, vec![group])?;
        let history = group_history(observatory, &held.measured, (way, &id))?;
        let group = group.pop().ok_or_else(no_group)?;
        text(&OneGroup { head: Head::of(&held.measured.survey), by: &by, group, history })
    };
    Ok(as_json(&headers, measured(&api, asked, answer).await?))
}

/// A page of networks.
#[derive(Serialize)]
struct Networks<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    score: &'a str,
    total: usize,
    ases: Vec<Network<'a>>,
    next: Option<Asn>,
}

#[derive(Serialize)]
struct Network<'a> {
    asn: Asn,
    name: Option<&'a str>,
    country: Option<&'a str>,
    address_space: AddressSpace,
    rank: Option<Rank>,
    scores: Vec<NetworkScore<'a>>,
    /// Programmes that it takes part in.
    participant: Vec<&'a str>,
}

#[derive(Serialize)]
struct NetworkScore<'a> {
    id: &'a str,
    score: Option<Score>,
    class: ReadinessClass,
}

fn programmes(held: &Held, asn: Asn) -> Vec<&str> {
    held.base.references.participants(asn).map(|one| &*one.programme).collect()
}

fn network_scores<'a>(profile: &'a Profile, scores: &[Option<Score>]) -> Vec<NetworkScore<'a>> {
    let named = profile.scores.iter().zip(scores);
    let named = named.map(|(rule, &score)| NetworkScore {
        id: &rule.id,
        score,
        class: profile.classes.class(score),
    });
    named.collect()
}

/// A text of the form [`PLAIN_PATTERN`].
fn plain(text: &str) -> Option<String> {
    let length = text.chars().count();
    let is_plain = (1..=PLAIN_CHARS_MAX).contains(&length) && !text.chars().any(char::is_control);
    is_plain.then(|| text.to_owned())
}

/// Which networks, in which order, and which page.
struct Listing {
    group: Option<(GroupBy, String)>,
    score: Option<String>,
    class: Option<ReadinessClass>,
    best_first: bool,
    after: Option<Asn>,
    limit: usize,
}

impl Listing {
    fn of(query: &mut Parameters) -> Result<Self, Problem> {
        let by = query.one_of("by", &bys())?.and_then(GroupBy::named);
        let id = query.take("id", "the id of a group", plain)?;
        let group = match (by, id) {
            (Some(by), Some(id)) => Some((by, id)),
            (None, None) => None,
            _ => return Err(no_group()),
        };
        let score = query.take("score", "the id of a score", plain)?;
        let class = query.one_of("class", &classes())?;
        let class = class.and_then(|name| CLASSES.into_iter().find(|class| class.name() == name));
        let order = query.one_of("order", &ORDERS)?;
        let limit = query.number("limit", 1..=READINESS_ITEMS_MAX, READINESS_ITEMS)?;
        let after = u32::try_from(query.after()?).map_err(|_| no_page())?;
        let after = Some(Asn(after)).filter(|asn| asn.0 > 0);
        Ok(Listing { group, score, class, best_first: order == Some("best"), after, limit })
    }

    fn page(&self, held: &Held) -> Result<Vec<u8>, Problem> {
        let measured = &held.measured;
        let survey = &measured.survey;
        let rules = &survey.profile.scores;
        // A profile may have no scores: then networks come by their ASN.
        let at = match self.score.as_deref() {
            None => 0,
            Some(asked) => rules.iter().position(|rule| rule.id == asked).ok_or_else(|| {
                let detail = "the profile has no such score";
                Problem::new(StatusCode::NOT_FOUND, "no_score", detail)
            })?,
        };
        let (group, class, best_first) = (self.group.clone(), self.class, self.best_first);
        let ranked = ranked(measured, &Choice { group, score: at, class, best_first });
        let (rows, next) = page(&ranked, self.after, self.limit);
        let ases = rows.iter().map(|row| Network {
            asn: row.surveyed.asn,
            name: row.surveyed.name.as_deref(),
            country: row.surveyed.country.as_deref(),
            address_space: row.surveyed.space,
            rank: row.rank,
            scores: network_scores(&survey.profile, row.scores),
            participant: programmes(held, row.surveyed.asn),
        });
        text(&Networks {
            head: Head::of(survey),
            score: rules.get(at).map_or("", |rule| &rule.id),
            total: ranked.len(),
            ases: ases.collect(),
            next,
        })
    }
}

/// Networks in the order of a score
#[utoipa::path(
    get,
    path = "/readiness/ases",
    operation_id = "listReadiness",
    params(
        ("by" = Option<String>, Query, description = "By what networks are taken together; needs id"),
        ("id" = Option<String>, Query, description = "Id of a group; needs by"),
        ("score" = Option<String>, Query, description = "Id of a score; the first of the profile when not given"),
        ("class" = Option<String>, Query, description = "ready, aspiring, lagging or no_data"),
        ("order" = Option<String>, Query, description = "worst (when not given) or best first"),
        ("limit" = Option<usize>, Query, description = "Most networks", minimum = 1, maximum = 500),
        ("after" = Option<i64>, Query, description = "The next of a page", minimum = 0, maximum = 4_294_967_295_i64),
        ("period" = Option<String>, Query, description = "A month as 2026-10, or 7d, 30d, 90d"),
        ("profile" = Option<String>, Query, description = "Version of the framework"),
    ),
    responses((status = 200, description = "A page of networks", body = Object))
)]
pub(super) async fn list_ases(
    State(api): State<Arc<Api>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut query = Parameters::of(&uri)?;
    let asked = Asked::of(&api, &mut query)?;
    let listing = Listing::of(&mut query)?;
    query.finish()?;
    let answer = move |_: &Observatory, held: &Held| listing.page(held);
    Ok(as_json(&headers, measured(&api, asked, answer).await?))
}

/// One network.
#[derive(Serialize)]
struct OneAs<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    #[serde(flatten)]
    answer: AsAnswer<'a>,
    history: Vec<PastMonth>,
}

/// Scores of a network in the months that were kept, oldest first.
fn history(observatory: &Observatory, asn: Asn, profile: &str) -> Result<Vec<PastMonth>, Problem> {
    let kept = observatory.history(asn, profile).map_err(|error| refused(&error))?;
    let months = kept.into_iter().map(|(period, scored)| {
        let scores = scored.scores.into_iter();
        PastMonth { period, scores: scores.map(|(id, score)| PastScore { id, score }).collect() }
    });
    Ok(months.collect())
}

fn as_answer(held: &Held, asn: Asn) -> Option<AsAnswer<'_>> {
    let survey = &held.measured.survey;
    // What was announced in a month that is over is only known in numbers.
    let routes = held.is_now.then_some(&held.base.announced);
    Some(AsAnswer::of(survey, survey.surveyed(asn)?, &held.base.references, routes))
}

/// How ready a network is, with everything that went in
#[utoipa::path(
    get,
    path = "/readiness/ases/{asn}",
    operation_id = "getReadiness",
    params(
        ("asn" = String, Path, description = "64496 or AS64496", example = "AS64496"),
        ("period" = Option<String>, Query, description = "A month as 2026-10, or 7d, 30d, 90d"),
        ("profile" = Option<String>, Query, description = "Version of the framework"),
    ),
    responses((status = 200, description = "The network", body = Object))
)]
pub(super) async fn one_as(
    State(api): State<Arc<Api>>,
    AsnPath(asn): AsnPath,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut query = Parameters::of(&uri)?;
    let asked = Asked::of(&api, &mut query)?;
    query.finish()?;
    let answer = move |observatory: &Observatory, held: &Held| {
        let answer = as_answer(held, asn).ok_or_else(|| no_network(asn))?;
        let survey = &held.measured.survey;
        let history = history(observatory, asn, &survey.profile.id)?;
        text(&OneAs { head: Head::of(survey), answer, history })
    };
    Ok(as_json(&headers, measured(&api, asked, answer).await?))
}

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
    path = "/readiness/compare",
    operation_id = "compareReadiness",
    params(
        ("asns" = String, Query, description = "2 to 10 ASNs", example = "64496,64497"),
        ("period" = Option<String>, Query, description = "A month as 2026-10, or 7d, 30d, 90d"),
        ("profile" = Option<String>, Query, description = "Version of the framework"),
    ),
    responses((status = 200, description = "The networks", body = Object))
)]
pub(super) async fn compare(
    State(api): State<Arc<Api>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut query = Parameters::of(&uri)?;
    let asked = Asked::of(&api, &mut query)?;
    let asns = read_asns(&mut query)?;
    query.finish()?;
    let answer = move |_: &Observatory, held: &Held| {
        let (mut ases, mut missing_asns) = (Vec::new(), Vec::new());
        for &asn in &asns {
            match as_answer(held, asn) {
                Some(answer) => ases.push(answer),
                None => missing_asns.push(asn),
            }
        }
        text(&Compared { head: Head::of(&held.measured.survey), ases, missing_asns })
    };
    Ok(as_json(&headers, measured(&api, asked, answer).await?))
}

/// Which of several networks to buy transit from
#[utoipa::path(
    get,
    path = "/readiness/providers",
    operation_id = "chooseProvider",
    params(
        ("asns" = String, Query, description = "2 to 10 candidates", example = "64496,64497"),
        ("period" = Option<String>, Query, description = "A month as 2026-10, or 7d, 30d, 90d"),
        ("profile" = Option<String>, Query, description = "Version of the framework"),
    ),
    responses((status = 200, description = "The candidates with reasons", body = Object))
)]
pub(super) async fn providers(
    State(api): State<Arc<Api>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut query = Parameters::of(&uri)?;
    let asked = Asked::of(&api, &mut query)?;
    let asns = read_asns(&mut query)?;
    query.finish()?;
    let answer = move |_: &Observatory, held: &Held| {
        let survey = &held.measured.survey;
        let known = asns.iter().filter_map(|&asn| survey.surveyed(asn));
        let readiness: Vec<Readiness> = known.map(|known| survey.readiness(known)).collect();
        let rule = ProviderRule::built_in().map_err(|error| internal(&error))?;
        let choice = rule
            .choose(&readiness)
            .map_err(|error| Problem::new(StatusCode::NOT_FOUND, "no_choice", error.to_string()))?;
        text(&Chosen { head: Head::of(survey), choice })
    };
    Ok(as_json(&headers, measured(&api, asked, answer).await?))
}

/// Candidates with reasons.
#[derive(Serialize)]
struct Chosen<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    #[serde(flatten)]
    choice: ProviderChoice,
}

/// The networks of a group, or one network.
struct Subject {
    by: GroupBy,
    id: String,
    asn: Option<Asn>,
}

impl Subject {
    /// `by` and `id`; the world where neither is given. `by=as` asks for one network.
    fn of(query: &mut Parameters) -> Result<Self, Problem> {
        let names: Vec<&'static str> = bys().into_iter().chain(["as"]).collect();
        let by = query.one_of("by", &names)?;
        let id = query.take("id", "the id of a group, or an ASN", plain)?;
        match (by, id) {
            (None, None) => Ok(Subject { by: GroupBy::World, id: "world".to_owned(), asn: None }),
            (Some("as"), Some(id)) => {
                let asn = id.parse().map_err(|_| no_group())?;
                Ok(Subject { by: GroupBy::World, id: "world".to_owned(), asn: Some(asn) })
            }
            (Some(by), Some(id)) => {
                let by = GroupBy::named(by).unwrap_or(GroupBy::World);
                Ok(Subject { by, id, asn: None })
            }
            _ => Err(no_group()),
        }
    }

    fn rows<'a>(&self, measured: &'a Measured) -> Vec<Row<'a>> {
        let survey = &measured.survey;
        let is_asked = |asn| self.asn.is_none_or(|asked| asked == asn);
        let ases = survey.ases.iter();
        let ases = ases.filter(|s| is_asked(s.asn) && self.by.is_in(s, &self.id));
        ases.map(|surveyed| Row::of(survey, surveyed)).collect()
    }
}

/// A report that prints clean
#[utoipa::path(
    get,
    path = "/readiness/report",
    operation_id = "getReadinessReport",
    params(
        ("by" = Option<String>, Query, description = "By what networks are taken together, or as"),
        ("id" = Option<String>, Query, description = "Id of a group, or an ASN"),
        ("period" = Option<String>, Query, description = "A month as 2026-10, or 7d, 30d, 90d"),
        ("profile" = Option<String>, Query, description = "Version of the framework"),
    ),
    responses((status = 200, description = "The report", content_type = "text/html", body = String))
)]
pub(super) async fn report_page(
    State(api): State<Arc<Api>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut query = Parameters::of(&uri)?;
    let asked = Asked::of(&api, &mut query)?;
    let subject = Subject::of(&mut query)?;
    query.finish()?;
    let answer = move |_: &Observatory, held: &Held| {
        let one = subject.asn.map(|asn| as_answer(held, asn).ok_or_else(|| no_network(asn)));
        let one = one.transpose()?;
        let group = match &one {
            Some(one) => alone(&held.measured, one.asn),
            None => group(&held.measured, subject.by, &subject.id),
        };
        let group = group.ok_or_else(no_group)?;
        let page = report(&held.measured, (subject.by, &group), one.as_ref());
        page.map(String::into_bytes).map_err(|error| internal(&error))
    };
    let page = measured(&api, asked, answer).await?;
    let mut response = answer::tagged(&headers, "text/html; charset=utf-8", page.into());
    // It has its style in it, and nothing else.
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

/// Scores for other programs
#[utoipa::path(
    get,
    path = "/readiness/export",
    operation_id = "exportReadiness",
    params(
        ("by" = Option<String>, Query, description = "By what networks are taken together, or as"),
        ("id" = Option<String>, Query, description = "Id of a group, or an ASN"),
        ("format" = Option<String>, Query, description = "csv (when not given), json or parquet"),
        ("period" = Option<String>, Query, description = "A month as 2026-10, or 7d, 30d, 90d"),
        ("profile" = Option<String>, Query, description = "Version of the framework"),
    ),
    responses(
        (status = 200, description = "One network a row", content(
            (String = "text/csv"), (String = "application/vnd.apache.parquet"), (Object = "application/json")
        ))
    )
)]
pub(super) async fn export(
    State(api): State<Arc<Api>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut query = Parameters::of(&uri)?;
    let asked = Asked::of(&api, &mut query)?;
    let subject = Subject::of(&mut query)?;
    let format = query.one_of("format", &FORMATS)?.unwrap_or("csv");
    query.finish()?;
    let place = api.reads.export().await?;
    let answer = move |_: &Observatory, held: &Held| exported(&held.measured, &subject, format);
    let octets = measured(&api, asked, answer).await?;
    let media_type = match format {
        "parquet" => "application/vnd.apache.parquet",
        "json" => "application/json",
        _ => "text/csv; charset=utf-8",
    };
    Ok(answer::tagged(&headers, media_type, answer::kept(octets, place)))
}

/// Every network with all of its figures.
#[derive(Serialize)]
struct Exported<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    ases: Vec<routewarden_measure::Readiness>,
}

fn exported(measured: &Measured, subject: &Subject, format: &str) -> Result<Vec<u8>, Problem> {
    let rows = subject.rows(measured);
    match format {
        "parquet" => parquet(&measured.survey, &rows).map_err(|error| internal(&error)),
        "json" => {
            let ases = rows.into_iter().map(|row| row.readiness).collect();
            text(&Exported { head: Head::of(&measured.survey), ases })
        }
        _ => {
            let mut octets = Vec::new();
            csv(&mut octets, &measured.survey, &rows).map_err(|error| internal(&error))?;
            Ok(octets)
        }
    }
}

fn internal(error: &dyn std::error::Error) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", error.to_string())
}

fn no_group() -> Problem {
    let detail = "no network is in that group: by and id name one together";
    Problem::new(StatusCode::NOT_FOUND, "no_group", detail)
}

fn no_page() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no_page", "no page begins there")
}

fn no_network(asn: Asn) -> Problem {
    let detail = format!("{asn} announced nothing and has no part in an incident");
    Problem::new(StatusCode::NOT_FOUND, "no_as", detail)
}
