//! Lists of incidents, and one of them.

use std::ops::ControlFlow;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use routewarden_core::facts::constituency::ID_OCTETS_MAX;
use routewarden_core::{Asn, Timestamp};
use routewarden_detect::{IncidentKind, IncidentState, SeverityClass};
use routewarden_store::{
    AsnRole, Cursor, IncidentFilter, IncidentSummary, Order, PAGE_MAX, PrefixMatch, StoreError,
    StoreReader, StoredVersion,
};

use super::item::{Item, Items, Whole};
use super::parameters::{Parameters, bad};
use super::path::IncidentId;
use super::{Api, answer, csv};
use crate::http::Problem;

/// Most incidents in a page of JSON.
pub const PAGE_ITEMS_MAX: usize = 500;
/// Incidents in a page of JSON unless asked for.
const PAGE_ITEMS: usize = 50;
/// Most incidents in a page of CSV or JSON Lines.
pub const EXPORT_ITEMS_MAX: usize = 10_000;
/// A page of CSV or JSON Lines ends with the incident with which it has so many octets.
pub const EXPORT_OCTETS_MAX: usize = 32 << 20;

/// Names of the states.
pub(super) const STATES: [&str; 4] = [
    IncidentState::Spreading.name(),
    IncidentState::Ongoing.name(),
    IncidentState::Mitigated.name(),
    IncidentState::Ended.name(),
];
/// Names of the classes.
pub(super) const CLASSES: [&str; 5] = [
    SeverityClass::Info.name(),
    SeverityClass::Low.name(),
    SeverityClass::Medium.name(),
    SeverityClass::High.name(),
    SeverityClass::Critical.name(),
];

const FORMATS: [&str; 3] = ["json", "csv", "jsonl"];
/// Names of the orders.
pub(super) const ORDERS: [&str; 4] = ["-first_seen", "first_seen", "-severity", "-confidence"];
const MATCHES: [&str; 3] = ["exact", "covering", "covered"];
const ROLES: [&str; 3] = ["culprit", "victim", "propagator"];

/// Names of the kinds.
pub(super) fn kinds() -> [&'static str; IncidentKind::ALL.len()] {
    IncidentKind::ALL.map(IncidentKind::name)
}

/// Incidents, a page at a time
#[utoipa::path(
    get,
    path = "/incidents",
    operation_id = "listIncidents",
    params(
        ("kind" = Option<String>, Query, description = "Kind"),
        ("class" = Option<String>, Query, description = "Class of the severity"),
        ("state" = Option<String>, Query, description = "State"),
        ("open" = Option<bool>, Query, description = "Whether it has not ended"),
        ("from" = Option<String>, Query, description = "First seen at that time or later", example = "2026-11-28"),
        ("before" = Option<String>, Query, description = "First seen before that time", example = "2026-11-29"),
        ("asn" = Option<String>, Query, description = "Culprit, victim or propagator", example = "AS64496"),
        ("role" = Option<String>, Query, description = "With asn: as what"),
        ("prefix" = Option<String>, Query, description = "A prefix", example = "192.0.2.0/24"),
        ("match" = Option<String>, Query, description = "With prefix: covering: the incident's is the same or covers it; covered (the default): the same or a more-specific"),
        ("country" = Option<String>, Query, description = "Two letters", pattern = "^[A-Za-z]{2}$"),
        ("member" = Option<String>, Query, description = "Id of a member of the constituency", example = "example"),
        ("constituency" = Option<bool>, Query, description = "Whether it touches any member of the constituency"),
        ("sort" = Option<String>, Query, description = "Newest first (the default), oldest, and with open=true the worst or surest first"),
        ("limit" = Option<u32>, Query, description = "Items in the page: at most 500, with format at most 10000", minimum = 1, maximum = 10_000),
        ("cursor" = Option<String>, Query, description = "next of the page before"),
        ("format" = Option<String>, Query, description = "json (the default), csv, jsonl"),
    ),
    responses((status = 200, description = "A page", content(
        (Items = "application/json"),
        (String = "text/csv"),
        (String = "application/jsonl"),
    )))
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut parameters = Parameters::of(&uri)?;
    let filter = filter(&mut parameters)?;
    let format = parameters.one_of("format", &FORMATS)?.unwrap_or("json");
    let (most, default) = match format {
        "json" => (PAGE_ITEMS_MAX, PAGE_ITEMS),
        _ => (EXPORT_ITEMS_MAX, EXPORT_ITEMS_MAX),
    };
    let limit = parameters.number("limit", 1..=most, default)?;
    let of_list =
        |text: &str| text.parse().ok().filter(|cursor: &Cursor| cursor.fits(filter.order));
    let cursor = parameters.take("cursor", "the next of a page of this list", of_list)?;
    parameters.finish()?;
    let (mut response, next) = if format == "json" {
        let read = move |reader: &StoreReader| page(reader, &filter, cursor, limit);
        let (items, next) = api.reads.read(read).await?;
        (answer::json(&headers, &Items::new(items, next))?, next)
    } else {
        let is_csv = format == "csv";
        let place = api.reads.export().await?;
        let read = move |reader: &StoreReader| export(reader, &filter, (cursor, limit), is_csv);
        let (octets, next) = api.reads.read(read).await?;
        let media_type = if is_csv { "text/csv; charset=utf-8" } else { "application/jsonl" };
        (answer::tagged(&headers, media_type, answer::kept(octets, place)), next)
    };
    answer::link_next(&mut response, &uri, next);
    Ok(response)
}

/// The filter of a query.
fn filter(parameters: &mut Parameters) -> Result<IncidentFilter, Problem> {
    let time = |parameters: &mut Parameters, name| {
        let expected = "a time, as 2008-02-24T18:47:57Z, 2008-02-24, or seconds since 1970";
        parameters.take(name, expected, |text| text.parse::<Timestamp>().ok())
    };
    let owned = |name: Option<&str>| name.map(str::to_owned);
    let is_open = flag(parameters, "open")?;
    let order = match parameters.one_of("sort", &ORDERS)? {
        Some("-severity" | "-confidence") if is_open != Some(true) => {
            return Err(bad("sort", "by severity and confidence only with open=true"));
        }
        Some("-severity") => Order::WorstFirst,
        Some("-confidence") => Order::SurestFirst,
        Some("first_seen") => Order::OldestFirst,
        _ => Order::NewestFirst,
    };
    Ok(IncidentFilter {
        order,
        is_open,
        state: owned(parameters.one_of("state", &STATES)?),
        kind: owned(parameters.one_of("kind", &kinds())?),
        class: owned(parameters.one_of("class", &CLASSES)?),
        asn: asn_filter(parameters)?,
        prefix: prefix_filter(parameters)?,
        country: parameters.take("country", "two letters", read_country)?,
        member: parameters.take("member", "the id of a member", read_member)?,
        touches_members: flag(parameters, "constituency")?,
        first_seen_from: time(parameters, "from")?,
        first_seen_before: time(parameters, "before")?,
    })
}

fn flag(parameters: &mut Parameters, name: &str) -> Result<Option<bool>, Problem> {
    Ok(parameters.one_of(name, &["true", "false"])?.map(|flag| flag == "true"))
}

/// The id of a member, as the constituency has it.
fn read_member(text: &str) -> Option<String> {
    let is_id = !text.is_empty()
        && text.len() <= ID_OCTETS_MAX
        && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet));
    is_id.then(|| text.to_owned())
}

fn asn_filter(parameters: &mut Parameters) -> Result<Option<(Asn, Option<AsnRole>)>, Problem> {
    let asn = parameters.take("asn", "an ASN, as 64496 or AS64496", |text| text.parse().ok())?;
    let role = parameters.one_of("role", &ROLES)?.map(|role| match role {
        "culprit" => AsnRole::Culprit,
        "victim" => AsnRole::Victim,
        _ => AsnRole::Propagator,
    });
    match asn {
        None if role.is_some() => Err(bad("role", "only with asn")),
        asn => Ok(asn.map(|asn| (asn, role))),
    }
}

fn prefix_filter(
    parameters: &mut Parameters,
) -> Result<Option<(routewarden_core::Prefix, PrefixMatch)>, Problem> {
    let expected = "a prefix, as 192.0.2.0/24 or 2001:db8::/32";
    let prefix = parameters.take("prefix", expected, |text| text.parse().ok())?;
    let relation = parameters.one_of("match", &MATCHES)?;
    match prefix {
        None if relation.is_some() => Err(bad("match", "only with prefix")),
        prefix => Ok(prefix.map(|prefix| {
            let relation = match relation {
                Some("exact") => PrefixMatch::Exact,
                Some("covering") => PrefixMatch::Covering,
                _ => PrefixMatch::Covered,
            };
            (prefix, relation)
        })),
    }
}

/// A country as the store has it.
pub(super) fn read_country(text: &str) -> Option<String> {
    let is_country = text.len() == 2 && text.bytes().all(|octet| octet.is_ascii_alphabetic());
    is_country.then(|| text.to_ascii_uppercase())
}

/// A page for a list.
pub(super) fn page(
    reader: &StoreReader,
    filter: &IncidentFilter,
    cursor: Option<Cursor>,
    limit: usize,
) -> Result<(Vec<Item>, Option<Cursor>), StoreError> {
    let mut items = Vec::new();
    let next = reader.visit(filter, cursor, limit, |summary, stored| {
        items.push(Item::listed(&stored, summary.updated_at));
        ControlFlow::Continue(())
    })?;
    Ok((items, next))
}

/// A page as CSV or JSON Lines.
fn export(
    reader: &StoreReader,
    filter: &IncidentFilter,
    (mut cursor, mut left): (Option<Cursor>, usize),
    is_csv: bool,
) -> Result<(Vec<u8>, Option<Cursor>), StoreError> {
    let mut out = Vec::new();
    if is_csv {
        csv::put_header(&mut out);
    }
    loop {
        let (mut is_full, mut failure) = (false, None);
        cursor = reader.visit(filter, cursor, left.min(PAGE_MAX), |summary, stored| {
            if is_csv {
                csv::put_row(&Item::listed(&stored, summary.updated_at), &mut out);
            } else {
                failure = put_line(reader, (&summary, stored), &mut out).err();
            }
            left = left.saturating_sub(1);
            is_full = left == 0 || out.len() >= EXPORT_OCTETS_MAX || failure.is_some();
            if is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if let Some(error) = failure {
            return Err(error);
        }
        if is_full || cursor.is_none() {
            return Ok((out, cursor));
        }
    }
}

/// A line of JSON Lines.
fn put_line(
    reader: &StoreReader,
    (summary, stored): (&IncidentSummary, StoredVersion),
    out: &mut Vec<u8>,
) -> Result<(), StoreError> {
    let verdict = reader.verdict(summary.number)?;
    serde_json::to_writer(&mut *out, &Whole::new(summary, stored, verdict))
        .map_err(StoreError::Json)?;
    out.push(b'\n');
    Ok(())
}

/// One incident, whole
#[utoipa::path(
    get,
    path = "/incidents/{id}",
    operation_id = "getIncident",
    params(("id" = String, Path, description = "Id in the store or of the detector")),
    responses((status = 200, description = "The incident", body = Whole))
)]
pub(super) async fn one(
    State(api): State<Arc<Api>>,
    IncidentId(id): IncidentId,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Parameters::of(&uri)?.finish()?;
    let read = move |reader: &StoreReader| {
        let Some((summary, stored)) = reader.get(&id)? else { return Ok(None) };
        let verdict = reader.verdict(summary.number)?;
        Ok(Some(Whole::new(&summary, stored, verdict)))
    };
    let found = api.reads.read(read).await?;
    answer::json(&headers, &found.ok_or_else(no_incident)?)
}

/// The id is nobody's.
pub(super) fn no_incident() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", "no incident has this id")
}
