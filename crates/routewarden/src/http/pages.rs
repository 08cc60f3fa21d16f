//! The web pages: one document for every page, and what it brings with it.
//!
//! They are embedded by `build.rs` from `web/dist`. The document is the same whatever page is asked
//! for; which it shows is up to its script, by the path. Files below `/assets/` have a digest of
//! their content in their names and never change.

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};

use super::Problem;
use super::api::knows;

/// What the pages may do: load what this server has, and nothing else; no script or style stands in
/// the document itself.
pub const PAGES_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self'; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'";

/// First parts of the paths that are pages; see `web/src/app/routes.ts`.
const PAGES: [&str; 11] = [
    "",
    "incidents",
    "as",
    "prefix",
    "country",
    "table",
    "feeds",
    "readiness",
    "settings",
    "setup",
    "index.html",
];
/// Below it names change with their content.
const ASSETS: &str = "/assets/";
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// To be kept, but asked for each time.
const KEPT: HeaderValue = HeaderValue::from_static("no-cache");

/// Shown when the program was built without the pages.
const NOT_BUILT: &str = include_str!("pages/not-built.html");

/// A file of the pages.
#[derive(Debug)]
struct File {
    /// From the root, with a slash before it.
    path: &'static str,
    /// Of the octets, in hexadecimal digits.
    digest: &'static str,
    octets: &'static [u8],
    /// Compressed, where that is smaller.
    gzip: Option<&'static [u8]>,
}

/// All files, by path; none when the pages were not built.
static FILES: &[File] = &include!(concat!(env!("OUT_DIR"), "/pages.in"));

/// The page or file of a path that is no route.
pub(super) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return missing().into_response();
    }
    answer(FILES, uri.path(), &headers)
}

fn missing() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", "no such path")
}

fn answer(files: &[File], path: &str, headers: &HeaderMap) -> Response {
    if let Some(file) = find(files, path) {
        let kept = if path.starts_with(ASSETS) { FOREVER } else { KEPT };
        return file.response(headers, kept);
    }
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let is_page = PAGES.contains(&first);
    // Whoever reads answers with their eyes gets a page also where there is none: it says so.
    if !is_page && (first == "api" || path.starts_with(ASSETS) || !reads_pages(headers)) {
        return missing().into_response();
    }
    let mut response = match find(files, "/index.html") {
        Some(index) => index.response(headers, KEPT),
        None => page(Html(NOT_BUILT).into_response()),
    };
    if !is_page && response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}

fn find<'a>(files: &'a [File], path: &str) -> Option<&'a File> {
    let at = files.binary_search_by(|file| file.path.cmp(path)).ok()?;
    files.get(at)
}

fn reads_pages(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accepted| accepted.to_str().ok())
        .is_some_and(|accepted| accepted.contains("text/html"))
}

impl File {
    fn response(&self, asked: &HeaderMap, kept: HeaderValue) -> Response {
        let gzip = self.gzip.filter(|_| takes_gzip(asked));
        // The compressed octets are another representation (RFC 9110 §8.8.3.3).
        let tag = format!("\"{}{}\"", self.digest, if gzip.is_some() { "-gzip" } else { "" });
        let is_known = asked.get_all(header::IF_NONE_MATCH).iter().any(|tags| knows(tags, &tag));
        let mut response = if is_known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let octets = gzip.unwrap_or(self.octets);
            ([(header::CONTENT_TYPE, media_type(self.path))], octets).into_response()
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, kept);
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        if gzip.is_some() && !is_known {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        page(response)
    }
}

/// With the policy of the pages.
fn page(mut response: Response) -> Response {
    let policy = HeaderValue::from_static(PAGES_POLICY);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// Whether gzip is among what is accepted, and not with a quality of 0 (RFC 9110 §12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter();
    accepted.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|coding| coding.eq_ignore_ascii_case("gzip"));
        let is_refused = parts.any(|part| {
            part.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()).is_some_and(|q| q == 0.0)
        });
        is_gzip && !is_refused
    })
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "json" => "application/json",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
