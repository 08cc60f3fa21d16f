//! Where a request comes from: which machine, and which web site.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use routewarden_core::Prefix;

use super::Access;
use crate::http::Problem;
use crate::http::rate::ClientAddress;

/// Header without which nothing is changed: a page of another site cannot set it without asking, and
/// is never allowed to.
const OURS: HeaderName = HeaderName::from_static("x-routewarden");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Most addresses looked at in `X-Forwarded-For`.
const HOPS_MAX: usize = 16;

/// Looks who is behind the proxies that are believed.
pub(in crate::http) async fn behind_proxies(
    State(access): State<Arc<Access>>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(peer) = request.extensions().get::<ClientAddress>().copied() {
        let client = access.client(peer, request.headers());
        request.extensions_mut().insert(client);
    }
    next.run(request).await
}

impl Access {
    /// The client behind the proxies that are believed: the last address that is none of theirs.
    pub(super) fn client(&self, peer: ClientAddress, headers: &HeaderMap) -> ClientAddress {
        let peer = peer.0.to_canonical();
        if !is_in(&self.proxies, peer) {
            return ClientAddress(peer);
        }
        let lists = headers.get_all(FORWARDED_FOR).iter().rev();
        let lists = lists.map(|value| value.to_str().unwrap_or_default());
        let hops = lists.flat_map(|list| list.rsplit(',')).take(HOPS_MAX);
        let mut client = peer;
        for hop in hops {
            // What is no address was not written by a proxy of ours.
            let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
            client = address.to_canonical();
            if !is_in(&self.proxies, client) {
                break;
            }
        }
        ClientAddress(client)
    }

    /// Refuses what the page of another site may have sent.
    pub(super) fn check_site(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let refused = |detail| Err(Problem::new(StatusCode::FORBIDDEN, "cross_site", detail));
        if headers.get(OURS).is_none_or(|value| value != "1") {
            return refused("what changes something needs the header X-Routewarden: 1");
        }
        let mut origins = headers.get_all(header::ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, _) => Ok(()),
            (Some(origin), None) if self.is_ours(origin.to_str().unwrap_or_default(), headers) => {
                Ok(())
            }
            _ => refused("the header Origin names another site"),
        }
    }

    fn is_ours(&self, origin: &str, headers: &HeaderMap) -> bool {
        let origin = origin.to_ascii_lowercase();
        let is_public = self.public.as_ref().is_some_and(|url| url.to_string() == origin);
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let is_here = host.is_some_and(|host| {
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            authority == Some(&*host.to_ascii_lowercase())
        });
        is_public || is_here
    }
}

fn is_in(ranges: &[Prefix], address: IpAddr) -> bool {
    let bits = if address.is_ipv4() { 32 } else { 128 };
    Prefix::new(address, bits)
        .is_some_and(|address| ranges.iter().any(|range| range.covers(&address)))
}

/// Refuses names that are not this machine's: without users, a page whose name is made to point to
/// this machine could read everything (DNS rebinding).
pub(super) fn check_host(uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let host = headers.get(header::HOST).map(|host| host.to_str().unwrap_or_default());
    let host = uri.authority().map(Authority::as_str).or(host);
    let is_right = host.is_none_or(|host| {
        let name = host.rsplit_once(':').map_or(host, |(name, port)| {
            if port.bytes().all(|octet| octet.is_ascii_digit()) { name } else { host }
        });
        let literal = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        name.eq_ignore_ascii_case("localhost") || literal.unwrap_or(name).parse::<IpAddr>().is_ok()
    });
    let detail = "without users, only an address or localhost may be asked for";
    let wrong = || Problem::new(StatusCode::MISDIRECTED_REQUEST, "wrong_host", detail);
    if is_right { Ok(()) } else { Err(wrong()) }
}
