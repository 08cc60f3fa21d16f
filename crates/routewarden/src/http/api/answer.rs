//! Answers: JSON that is known again by its `ETag` (RFC 9110 §8.8.3), and links to the next page.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use routewarden_core::facts::Sha256;
use routewarden_store::Cursor;
use serde::Serialize;
use sha2::Digest;
use tokio::sync::OwnedSemaphorePermit;

use crate::http::Problem;

/// To be kept, but asked for each time.
const KEPT: HeaderValue = HeaderValue::from_static("private, no-cache");

/// A document as JSON; 304 when the asker has it.
pub(super) fn json(asked: &HeaderMap, document: &impl Serialize) -> Result<Response, Problem> {
    let octets = serde_json::to_vec(document).map_err(|error| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", error.to_string())
    })?;
    Ok(tagged(asked, "application/json", octets.into()))
}

/// Octets of a media type; 304 when the asker has them.
pub(super) fn tagged(asked: &HeaderMap, media_type: &'static str, octets: Bytes) -> Response {
    let tag = format!("\"{}\"", Sha256(sha2::Sha256::digest(&octets).into()));
    let is_known = asked.get_all(header::IF_NONE_MATCH).iter().any(|tags| knows(tags, &tag));
    let status = if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let mut response = if is_known {
        status.into_response()
    } else {
        ([(header::CONTENT_TYPE, media_type)], octets).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, KEPT);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// Octets that keep a place until they are with the client.
pub(super) fn kept(octets: Vec<u8>, place: OwnedSemaphorePermit) -> Bytes {
    Bytes::from_owner(Kept { octets, _place: place })
}

struct Kept {
    octets: Vec<u8>,
    _place: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.octets
    }
}

/// Whether `If-None-Match` has the tag; weak ones are compared as all others (RFC 9110 §13.1.2).
pub(in crate::http) fn knows(tags: &HeaderValue, tag: &str) -> bool {
    let Ok(tags) = tags.to_str() else { return false };
    tags.split(',')
        .map(str::trim)
        .any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

/// Names the next page in a header `Link` (RFC 8288), relative to what was asked for.
pub(super) fn link_next(response: &mut Response, uri: &Uri, next: Option<Cursor>) {
    let Some(next) = next else { return };
    let others = uri.query().unwrap_or_default().split('&');
    let others = others.filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
    let query = others.fold(String::new(), |query, pair| query + pair + "&");
    let link = format!("<?{query}cursor={next}>; rel=\"next\"");
    if let Ok(link) = HeaderValue::from_str(&link) {
        response.headers_mut().insert(header::LINK, link);
    }
}
