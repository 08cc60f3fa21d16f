//! What the running table has of a prefix or an AS: the looking glass.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use routewarden_core::facts::{AspaState, InvalidReason, Relation, RovState};
use routewarden_core::{Asn, Prefix, Timestamp};
use routewarden_detect::RovSummary;
use routewarden_detect::look::{
    Answer, AsLook, LOOK_PREFIXES_MAX, Matching, Neighbor, OriginatedPrefix, PrefixLook, Query,
    SeenOrigin, SeenPrefix, SeenRoute,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::parameters::Parameters;
use super::path::{AsnPath, PrefixPath};
use super::reads::busy;
use super::{Api, answer};
use crate::http::Problem;
use crate::status::{Look, NoLook};

/// Prefixes in an answer, unless asked for more or less.
const PREFIXES: usize = 50;

/// What the running table has.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum TablePage {
    Prefixes(TablePrefixes),
    Asn(TableAs),
}

/// Prefixes of the running table.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TablePrefixes {
    /// The prefix asked for.
    #[schema(value_type = String)]
    prefix: Prefix,
    /// The time up to which events were taken.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Whether the state to start from is still coming in.
    in_baseline: bool,
    /// Sessions that are not down and have routes.
    total_peers: ByFamily,
    /// Those that are in the table, in the order of `match`.
    prefixes: Vec<TablePrefix>,
    /// Whether prefixes, origins or routes were left out.
    truncated: bool,
}

/// A count of IPv4 and one of IPv6.
#[derive(Debug, Serialize, ToSchema)]
struct ByFamily {
    v4: usize,
    v6: usize,
}

/// A prefix of the running table.
#[derive(Debug, Serialize, ToSchema)]
struct TablePrefix {
    #[schema(value_type = String)]
    prefix: Prefix,
    /// Sessions that have a route to it.
    peers: usize,
    /// Who announces it, most peers first.
    origins: Vec<TableOrigin>,
    /// To whom, by collector, ASN and address.
    routes: Vec<TableRoute>,
}

/// An origin of a prefix.
#[derive(Debug, Serialize, ToSchema)]
struct TableOrigin {
    #[schema(value_type = u32)]
    asn: Asn,
    #[schema(required)]
    name: Option<String>,
    /// Sessions that have a route of it.
    peers: usize,
    /// Since when at the latest.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    rov: TableRov,
    /// Verification of the most common path as from a provider: `valid`, `invalid`, `unknown`, or
    /// null without ASPAs.
    #[schema(value_type = Option<String>, required)]
    aspa: Option<AspaState>,
}

/// Route origin validation of the most common path (RFC 6811), by the VRPs in use.
#[derive(Debug, Serialize, ToSchema)]
struct TableRov {
    /// `valid`, `invalid`, `not_found`, or null without VRPs.
    #[schema(value_type = Option<String>, required)]
    state: Option<RovState>,
    /// Why invalid: `asn`, `max_length`.
    #[schema(value_type = Option<String>, required)]
    reason: Option<InvalidReason>,
}

/// A session's route.
#[derive(Debug, Serialize, ToSchema)]
struct TableRoute {
    collector: String,
    #[schema(value_type = u32)]
    peer_asn: Asn,
    #[schema(value_type = String)]
    peer_addr: IpAddr,
    /// The ASNs of the path in order; those of a set one after another.
    #[schema(value_type = Vec<u32>)]
    path: Vec<Asn>,
    /// The path as text, which tells sets apart.
    path_text: String,
    /// Time of the last announcement.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

/// An AS in the running table.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TableAs {
    #[schema(value_type = u32)]
    asn: Asn,
    #[schema(required)]
    name: Option<String>,
    /// Two letters.
    #[schema(required)]
    country: Option<String>,
    /// The time up to which events were taken.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Whether the state to start from is still coming in.
    in_baseline: bool,
    /// Prefixes that it originates.
    prefix_count: ByFamily,
    /// The first of them.
    prefixes: Vec<TableOriginated>,
    /// ASes next to it in paths, those in most of them first.
    neighbours: Vec<TableNeighbour>,
    /// Whether prefixes or neighbours were left out.
    truncated: bool,
}

/// A prefix that an AS originates.
#[derive(Debug, Serialize, ToSchema)]
struct TableOriginated {
    #[schema(value_type = String)]
    prefix: Prefix,
    /// Sessions that have a route of this origin.
    peers: usize,
    /// Since when at the latest.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    rov: TableRov,
}

/// An AS next to another.
#[derive(Debug, Serialize, ToSchema)]
struct TableNeighbour {
    #[schema(value_type = u32)]
    asn: Asn,
    #[schema(required)]
    name: Option<String>,
    /// What it is to the AS: `provider`, `customer`, `peer`, or null where that is not known.
    #[schema(value_type = Option<String>, required)]
    relation: Option<Relation>,
    /// 0 to 100: how firm that is.
    #[schema(required)]
    confidence: Option<u8>,
    /// Distinct sets of attributes whose path has the two next to each other.
    paths: usize,
}

impl TablePage {
    /// `None` of a survey, which no page asks for.
    fn of(Look { in_baseline, answer }: Look) -> Option<Self> {
        match answer {
            Answer::Prefixes(look) => {
                Some(TablePage::Prefixes(TablePrefixes::of(look, in_baseline)))
            }
            Answer::Asn(look) => Some(TablePage::Asn(TableAs::of(look, in_baseline))),
            Answer::Origins(_) | Answer::Routes(_) => None,
        }
    }
}

impl TablePrefixes {
    fn of(look: PrefixLook, in_baseline: bool) -> Self {
        let PrefixLook { prefix, at, total_peers, prefixes, truncated } = look;
        TablePrefixes {
            prefix,
            at,
            in_baseline,
            total_peers: total_peers.into(),
            prefixes: prefixes.into_iter().map(Into::into).collect(),
            truncated,
        }
    }
}

impl TableAs {
    fn of(look: AsLook, in_baseline: bool) -> Self {
        let AsLook { asn, name, country, at, prefix_count, prefixes, neighbors, truncated } = look;
        TableAs {
            asn,
            name,
            country,
            at,
            in_baseline,
            prefix_count: prefix_count.into(),
            prefixes: prefixes.into_iter().map(Into::into).collect(),
            neighbours: neighbors.into_iter().map(Into::into).collect(),
            truncated,
        }
    }
}

impl From<[usize; 2]> for ByFamily {
    fn from([v4, v6]: [usize; 2]) -> Self {
        ByFamily { v4, v6 }
    }
}

impl From<SeenPrefix> for TablePrefix {
    fn from(SeenPrefix { prefix, peers, origins, routes }: SeenPrefix) -> Self {
        TablePrefix {
            prefix,
            peers,
            origins: origins.into_iter().map(Into::into).collect(),
            routes: routes.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<SeenOrigin> for TableOrigin {
    fn from(SeenOrigin { asn, name, peers, since, rov, aspa }: SeenOrigin) -> Self {
        TableOrigin { asn, name, peers, since, rov: rov.into(), aspa }
    }
}

impl From<RovSummary> for TableRov {
    fn from(RovSummary { state, reason }: RovSummary) -> Self {
        TableRov { state, reason }
    }
}

impl From<SeenRoute> for TableRoute {
    fn from(SeenRoute { peer, path, since }: SeenRoute) -> Self {
        TableRoute {
            collector: peer.collector,
            peer_asn: peer.asn,
            peer_addr: peer.addr,
            path: path.as_path().asns().collect(),
            path_text: path.to_string(),
            since,
        }
    }
}

impl From<OriginatedPrefix> for TableOriginated {
    fn from(OriginatedPrefix { prefix, peers, since, rov }: OriginatedPrefix) -> Self {
        TableOriginated { prefix, peers, since, rov: rov.into() }
    }
}

impl From<Neighbor> for TableNeighbour {
    fn from(Neighbor { asn, name, relation, paths }: Neighbor) -> Self {
        TableNeighbour {
            asn,
            name,
            relation: relation.map(|known| known.relation),
            confidence: relation.map(|known| known.confidence),
            paths,
        }
    }
}

impl From<NoLook> for Problem {
    fn from(refused: NoLook) -> Self {
        let code = match refused {
            NoLook::Starting => "starting",
            NoLook::Busy => "busy",
            NoLook::TooSlow => "too_slow",
            NoLook::Ending => "ending",
        };
        busy(code, &refused.to_string())
    }
}

async fn look(api: &Api, headers: &HeaderMap, query: Query) -> Result<Response, Problem> {
    let page = TablePage::of(api.status.look(query).await?).ok_or(NoLook::Busy)?;
    answer::json(headers, &page)
}

/// Who announces a prefix now, to whom
#[utoipa::path(
    get,
    path = "/table/prefixes/{address}/{length}",
    operation_id = "getTablePrefix",
    params(
        ("address" = String, Path, description = "Its address", example = "192.0.2.0"),
        ("length" = u8, Path, description = "Its length", example = 24, minimum = 0, maximum = 128),
        ("match" = Option<String>, Query, description = "The same (the default), the same and less-specifics, the same and more-specifics"),
        ("limit" = Option<u32>, Query, description = "Most prefixes; 50 unless given", minimum = 1, maximum = 200),
    ),
    responses((status = 200, description = "What the table has", body = TablePrefixes))
)]
pub(super) async fn prefix(
    State(api): State<Arc<Api>>,
    PrefixPath(prefix): PrefixPath,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut parameters = Parameters::of(&uri)?;
    let matching = parameters.one_of("match", &["exact", "covering", "covered"])?;
    let prefixes_max = parameters.number("limit", 1..=LOOK_PREFIXES_MAX, PREFIXES)?;
    parameters.finish()?;
    let matching = match matching {
        Some("covering") => Matching::Covering,
        Some("covered") => Matching::Covered,
        _ => Matching::Exact,
    };
    look(&api, &headers, Query::Prefixes { prefix, matching, prefixes_max }).await
}

/// What an AS announces now, and who its neighbours are
#[utoipa::path(
    get,
    path = "/table/asns/{asn}",
    operation_id = "getTableAsn",
    params(("asn" = String, Path, description = "64496 or AS64496", example = "AS64496")),
    responses((status = 200, description = "What the table has", body = TableAs))
)]
pub(super) async fn asn(
    State(api): State<Arc<Api>>,
    AsnPath(asn): AsnPath,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Parameters::of(&uri)?.finish()?;
    look(&api, &headers, Query::Asn(asn)).await
}
