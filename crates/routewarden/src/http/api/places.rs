//! Incidents that touch an AS, a prefix or a country.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use routewarden_core::{Asn, Prefix};
use routewarden_store::{AsnRole, IncidentFilter, PrefixMatch, StoreError, StoreReader};
use serde::Serialize;
use utoipa::ToSchema;

use super::incidents::{page, read_country};
use super::item::Items;
use super::parameters::{self, Parameters, bad};
use super::path::{AsnPath, PrefixPath};
use super::{Api, answer};
use crate::http::Problem;

/// Counts stop there.
pub const COUNTED_MAX: usize = 10_000;
/// Incidents shown of a place.
const SHOWN: usize = 20;

/// What is known of an AS.
#[derive(Debug, Serialize, ToSchema)]
struct AsPage {
    #[schema(value_type = u64)]
    asn: Asn,
    /// Its name, from its newest incidents.
    #[schema(required)]
    name: Option<String>,
    counts: AsCounts,
    /// The newest.
    incidents: Items,
}

/// Incidents of an AS; each stops at 10000.
#[derive(Debug, Serialize, ToSchema)]
struct AsCounts {
    /// That have not ended.
    open: u64,
    culprit: u64,
    victim: u64,
    propagator: u64,
}

/// What is known of a prefix.
#[derive(Debug, Serialize, ToSchema)]
struct PrefixPage {
    #[schema(value_type = String)]
    prefix: Prefix,
    /// Incidents of the very prefix.
    exact: Items,
    /// Incidents of it or a less-specific.
    covering: Items,
    /// Incidents of it or a more-specific.
    covered: Items,
}

/// What is known of a country.
#[derive(Debug, Serialize, ToSchema)]
struct CountryPage {
    /// Two letters.
    country: String,
    counts: CountryCounts,
    /// The newest.
    incidents: Items,
}

/// Incidents of a country; each stops at 10000.
#[derive(Debug, Serialize, ToSchema)]
struct CountryCounts {
    /// That have not ended.
    open: u64,
    all: u64,
}

fn newest(reader: &StoreReader, filter: &IncidentFilter) -> Result<Items, StoreError> {
    let (items, next) = page(reader, filter, None, SHOWN)?;
    Ok(Items::new(items, next))
}

/// Incidents that touch an AS
#[utoipa::path(
    get,
    path = "/asns/{asn}",
    operation_id = "getAsn",
    params(("asn" = String, Path, description = "64496 or AS64496", example = "AS64496")),
    responses((status = 200, description = "The AS", body = AsPage))
)]
pub(super) async fn asn(
    State(api): State<Arc<Api>>,
    AsnPath(asn): AsnPath,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Parameters::of(&uri)?.finish()?;
    let read = move |reader: &StoreReader| {
        let of = |role| IncidentFilter { asn: Some((asn, role)), ..IncidentFilter::default() };
        let count = |role| reader.count(&of(Some(role)), COUNTED_MAX);
        let open = IncidentFilter { is_open: Some(true), ..of(None) };
        let incidents = newest(reader, &of(None))?;
        let name = incidents.items.iter().find_map(|item| item.as_name(asn));
        Ok(AsPage {
            asn,
            name: name.map(str::to_owned),
            counts: AsCounts {
                open: reader.count(&open, COUNTED_MAX)?,
                culprit: count(AsnRole::Culprit)?,
                victim: count(AsnRole::Victim)?,
                propagator: count(AsnRole::Propagator)?,
            },
            incidents,
        })
    };
    answer::json(&headers, &api.reads.read(read).await?)
}

/// Incidents that touch a prefix
#[utoipa::path(
    get,
    path = "/prefixes/{address}/{length}",
    operation_id = "getPrefix",
    params(
        ("address" = String, Path, description = "Its address", example = "192.0.2.0"),
        ("length" = u8, Path, description = "Its length", example = 24, minimum = 0, maximum = 128),
    ),
    responses((status = 200, description = "The prefix", body = PrefixPage))
)]
pub(super) async fn prefix(
    State(api): State<Arc<Api>>,
    PrefixPath(prefix): PrefixPath,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Parameters::of(&uri)?.finish()?;
    let read = move |reader: &StoreReader| {
        let of = |relation| {
            let prefix = Some((prefix, relation));
            newest(reader, &IncidentFilter { prefix, ..IncidentFilter::default() })
        };
        Ok(PrefixPage {
            prefix,
            exact: of(PrefixMatch::Exact)?,
            covering: of(PrefixMatch::Covering)?,
            covered: of(PrefixMatch::Covered)?,
        })
    };
    answer::json(&headers, &api.reads.read(read).await?)
}

/// Incidents that touch a country
#[utoipa::path(
    get,
    path = "/countries/{country}",
    operation_id = "getCountry",
    params(("country" = String, Path, description = "Two letters", pattern = "^[A-Za-z]{2}$")),
    responses((status = 200, description = "The country", body = CountryPage))
)]
pub(super) async fn country(
    State(api): State<Arc<Api>>,
    country: Result<Path<String>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let country = parameters::path("country", country)?;
    let country = read_country(&country).ok_or_else(|| bad("country", "expected two letters"))?;
    Parameters::of(&uri)?.finish()?;
    let read = move |reader: &StoreReader| {
        let all = IncidentFilter { country: Some(country.clone()), ..IncidentFilter::default() };
        let open = IncidentFilter { is_open: Some(true), ..all.clone() };
        let counts = CountryCounts {
            open: reader.count(&open, COUNTED_MAX)?,
            all: reader.count(&all, COUNTED_MAX)?,
        };
        Ok(CountryPage { incidents: newest(reader, &all)?, country, counts })
    };
    answer::json(&headers, &api.reads.read(read).await?)
}
