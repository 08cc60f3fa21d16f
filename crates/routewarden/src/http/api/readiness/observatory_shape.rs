//! What programs that read MANRS's own Observatory ask, under a base of its own.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use routewarden_core::{Asn, Timestamp};
use routewarden_measure::{PROFILE_DEFAULT, Period};

use super::{Asked, as_json, groups::with_trend, measured, no_group, no_network, text};
use crate::http::Problem;
use crate::http::api::Api;
use crate::http::api::parameters::Parameters;
use crate::readiness::{GroupBy, ScoresSummary, alone, group};

/// Form of a month: its beginning, or as 2026-10.
pub(in crate::http::api) const MONTH_PATTERN: &str =
    "^(19[7-9][0-9]|2[0-9]{3})-(0[1-9]|1[0-2])(-01T00:00:00Z)?$";
/// Form of a place: a country, or the id of a UN region.
pub(in crate::http::api) const PLACE_PATTERN: &str = "^[A-Za-z-]{2,64}$";
/// Longest id of a place.
const PLACE_CHARS_MAX: usize = 64;

/// Whose scores.
enum Whose {
    One(Asn),
    Group(GroupBy, String),
}

impl Whose {
    /// The first given of `asn`, `country` and `region`, which takes a country, too; else the world.
    fn of(query: &mut Parameters) -> Result<Self, Problem> {
        let asn = query.take("asn", "an ASN", |text| text.parse().ok())?;
        let country = query.take("country", "a country, as FR", country)?;
        let region = query.take("region", "a country, as FR, or a UN region", place)?;
        let group = |(by, id)| Whose::Group(by, id);
        let whose = asn.map(Whose::One);
        let whose = whose.or_else(|| country.map(|id| Whose::Group(GroupBy::Country, id)));
        let world = || Whose::Group(GroupBy::World, "world".to_owned());
        Ok(whose.or_else(|| region.map(group)).unwrap_or_else(world))
    }
}

fn country(text: &str) -> Option<String> {
    let is_code = text.len() == 2 && text.bytes().all(|octet| octet.is_ascii_alphabetic());
    is_code.then(|| text.to_ascii_uppercase())
}

/// A country, or the id of a UN region.
fn place(text: &str) -> Option<(GroupBy, String)> {
    if let Some(code) = country(text) {
        return Some((GroupBy::Country, code));
    }
    let is_id = |octet: u8| octet.is_ascii_alphabetic() || octet == b'-';
    let is_region = (2..=PLACE_CHARS_MAX).contains(&text.len()) && text.bytes().all(is_id);
    is_region.then(|| (GroupBy::Region, text.to_ascii_lowercase()))
}

/// A month by its beginning, or as 2026-10.
fn month(text: &str) -> Option<String> {
    let id: String = text.chars().take(7).collect();
    let period: Period = id.parse().ok()?;
    let begins = || text.parse::<Timestamp>().ok().filter(|&time| time == period.from());
    (text == id || begins().is_some()).then_some(id)
}

/// Scores as MANRS's Observatory gives them
#[utoipa::path(
    get,
    tag = "readiness",
    path = "/readiness/observatory/v2/scores/summary",
    operation_id = "getObservatorySummary",
    params(
        ("asn" = Option<u32>, Query, description = "One network"),
        ("country" = Option<String>, Query, description = "A country, as FR"),
        ("region" = Option<String>, Query, description = "A country, or the id of a UN region"),
        ("month" = Option<String>, Query, description = "Its beginning, or as 2026-10"),
    ),
    responses((status = 200, description = "Key figures, from 0 to 1", body = Object))
)]
pub(in crate::http::api) async fn summary(
    State(api): State<Arc<Api>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut query = Parameters::of(&uri)?;
    let whose = Whose::of(&mut query)?;
    let period = query.take("month", "a month: its beginning, or as 2026-10", month)?;
    query.finish()?;
    let period = period.unwrap_or_else(|| Asked::this_month(&api));
    let asked = Asked { profile: PROFILE_DEFAULT.to_owned(), period };
    let answer = measured(&api, asked, move |observatory, held| {
        let summary = match whose {
            Whose::One(asn) => alone(&held.measured, asn).ok_or_else(|| no_network(asn))?,
            Whose::Group(by, id) => {
                let group = group(&held.measured, by, &id).ok_or_else(no_group)?;
                let group = with_trend(observatory, &held.measured, by, vec![group])?.pop();
                group.ok_or_else(no_group)?
            }
        };
        text(&ScoresSummary::of(&summary))
    });
    Ok(as_json(&headers, answer.await?))
}
