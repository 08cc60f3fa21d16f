//! Networks: in the order of a score, and one by itself.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use routewarden_core::Asn;
use routewarden_measure::{AddressSpace, Profile, Rank, ReadinessClass, Score};
use serde::Serialize;

use super::{
    PastMonth, PastScore, When, answered, as_answer, as_json, bys, no_group, no_network, plain,
    refused, text,
};
use crate::http::Problem;
use crate::http::api::Api;
use crate::http::api::parameters::Parameters;
use crate::http::api::path::AsnPath;
use crate::readiness::{AsAnswer, Choice, GroupBy, Head, Held, Observatory, page, ranked};

/// Most networks in a page.
pub const READINESS_ITEMS_MAX: usize = 500;
/// Networks in a page unless asked for.
const READINESS_ITEMS: usize = 50;
/// Names of the orders.
pub(in crate::http::api) const ORDERS: [&str; 2] = ["worst", "best"];

/// Names of the classes.
pub(in crate::http::api) fn classes() -> [&'static str; 4] {
    CLASSES.map(ReadinessClass::name)
}

const CLASSES: [ReadinessClass; 4] = [
    ReadinessClass::Ready,
    ReadinessClass::Aspiring,
    ReadinessClass::Lagging,
    ReadinessClass::NoData,
];

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

fn no_page() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no_page", "no page begins there")
}

/// Networks in the order of a score
#[utoipa::path(
    get,
    tag = "readiness",
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
        When,
    ),
    responses((status = 200, description = "A page of networks", body = Object))
)]
pub(in crate::http::api) async fn list(
    State(api): State<Arc<Api>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let answer = answered(&api, &uri, Listing::of, |_, held, listing| listing.page(held));
    Ok(as_json(&headers, answer.await?))
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

/// How ready a network is, with everything that went in
#[utoipa::path(
    get,
    tag = "readiness",
    path = "/readiness/ases/{asn}",
    operation_id = "getReadiness",
    params(
        ("asn" = String, Path, description = "64496 or AS64496", example = "AS64496"),
        When,
    ),
    responses((status = 200, description = "The network", body = Object))
)]
pub(in crate::http::api) async fn one(
    State(api): State<Arc<Api>>,
    AsnPath(asn): AsnPath,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let answer = answered(
        &api,
        &uri,
        |_| Ok(()),
        move |observatory, held, ()| {
            let answer = as_answer(held, asn).ok_or_else(|| no_network(asn))?;
            let survey = &held.measured.survey;
            let history = history(observatory, asn, &survey.profile.id)?;
            text(&OneAs { head: Head::of(survey), answer, history })
        },
    );
    Ok(as_json(&headers, answer.await?))
}
