//! What stands in the path of a request, read before anything else of it.

use std::net::IpAddr;

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use routewarden_core::{Asn, Prefix};
use routewarden_store::NAME_OCTETS_MAX;

use super::parameters::{self, bad};
use crate::http::Problem;

/// The id of an incident, in the store or of the detector: 1 to [`NAME_OCTETS_MAX`] printable octets
/// of ASCII.
pub(super) struct IncidentId(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for IncidentId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id: String = of(parts, state, "id").await?;
        let plain = id.bytes().all(|octet| octet.is_ascii_graphic());
        if !plain || id.len() > NAME_OCTETS_MAX {
            return Err(bad("id", "expected an id, as RW-20080224-1a2b3c4d"));
        }
        Ok(IncidentId(id))
    }
}

/// An AS number: `64496` or `AS64496`.
pub(super) struct AsnPath(pub(super) Asn);

impl<S: Send + Sync> FromRequestParts<S> for AsnPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let asn: String = of(parts, state, "asn").await?;
        Ok(AsnPath(asn.parse().map_err(|error| bad("asn", error))?))
    }
}

/// A prefix: its address and its length, two parts of the path.
pub(super) struct PrefixPath(pub(super) Prefix);

impl<S: Send + Sync> FromRequestParts<S> for PrefixPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let (address, length): (String, String) = of(parts, state, "address").await?;
        let address: IpAddr = address.parse().map_err(|_| bad("address", "expected an address"))?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let plain = length.bytes().all(|octet| octet.is_ascii_digit());
        let prefix = length.parse().ok().filter(|_| plain);
        let prefix = prefix.and_then(|length| Prefix::new(address, length));
        let expected = || bad("length", format_args!("expected a number from 0 to {most}"));
        Ok(PrefixPath(prefix.ok_or_else(expected)?))
    }
}

/// The parts of the path, or that they are no text.
async fn of<T, S>(parts: &mut Parts, state: &S, name: &str) -> Result<T, Problem>
where
    T: serde::de::DeserializeOwned + Send,
    S: Send + Sync,
{
    let found: Result<Path<T>, PathRejection> = Path::from_request_parts(parts, state).await;
    parameters::path(name, found)
}
