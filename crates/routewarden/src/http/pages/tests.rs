//! Pages that were built, and pages that were not.

use axum::body::to_bytes;

use super::*;

const LONG: &[u8] = b"script script script";
static BUILT: &[File] = &[
    File { path: "/assets/index-1a2b3c.js", digest: "aa", octets: LONG, gzip: Some(b"packed") },
    File { path: "/icon.svg", digest: "bb", octets: b"<svg/>", gzip: None },
    File { path: "/index.html", digest: "cc", octets: b"<!doctype html>", gzip: None },
];

fn with(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
}

async fn body(response: Response) -> String {
    String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().into()).unwrap()
}

fn header_of(response: &Response, name: header::HeaderName) -> &str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn every_page_is_the_one_document_under_the_strict_policy() {
    for path in [
        "/",
        "/incidents",
        "/incidents/RW-20080224-1a2b3c4d",
        "/as/64500",
        "/prefix/192.0.2.0/24",
        "/country/NL",
        "/table",
        "/feeds",
        "/readiness",
        "/readiness/country/NL",
        "/settings",
        "/settings/users",
        "/setup",
        "/index.html",
    ] {
        let response = answer(BUILT, path, &HeaderMap::new());
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(header_of(&response, header::CONTENT_SECURITY_POLICY), PAGES_POLICY);
        assert_eq!(header_of(&response, header::CONTENT_TYPE), "text/html; charset=utf-8");
        assert_eq!(header_of(&response, header::CACHE_CONTROL), "no-cache");
        assert_eq!(body(response).await, "<!doctype html>", "{path}");
    }
}

#[tokio::test]
async fn what_is_nothing_is_not_found_with_a_page_for_those_who_read_pages() {
    let reader = with(&[(header::ACCEPT, "text/html,application/xhtml+xml")]);
    for path in ["/nothing", "/asx", "/metrics/x"] {
        let response = answer(BUILT, path, &reader);
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(body(response).await, "<!doctype html>", "{path}");
        let response = answer(BUILT, path, &HeaderMap::new());
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert!(body(response).await.contains("not_found"), "{path}");
    }
    for path in ["/api/v1/nothing", "/api", "/assets/gone-000000.js"] {
        let response = answer(BUILT, path, &reader);
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert!(body(response).await.contains("not_found"), "{path}");
    }
}

#[tokio::test]
async fn a_file_of_the_bundle_is_kept_for_ever_and_packed_for_those_who_take_it() {
    let path = "/assets/index-1a2b3c.js";
    let plain = answer(BUILT, path, &HeaderMap::new());
    assert_eq!(header_of(&plain, header::CACHE_CONTROL), "public, max-age=31536000, immutable");
    assert_eq!(header_of(&plain, header::CONTENT_TYPE), "text/javascript; charset=utf-8");
    assert_eq!(header_of(&plain, header::ETAG), "\"aa\"");
    assert_eq!(header_of(&plain, header::CONTENT_ENCODING), "");
    assert_eq!(body(plain).await.as_bytes(), LONG);

    let packed = answer(BUILT, path, &with(&[(header::ACCEPT_ENCODING, "br, gzip;q=0.8")]));
    assert_eq!(header_of(&packed, header::CONTENT_ENCODING), "gzip");
    assert_eq!(header_of(&packed, header::VARY), "accept-encoding");
    assert_eq!(header_of(&packed, header::ETAG), "\"aa-gzip\"");
    assert_eq!(body(packed).await, "packed");

    for refused in ["gzip;q=0", "gzip; q=0.0", "br", "gzipped"] {
        let response = answer(BUILT, path, &with(&[(header::ACCEPT_ENCODING, refused)]));
        assert_eq!(header_of(&response, header::CONTENT_ENCODING), "", "{refused}");
    }
}

#[tokio::test]
async fn what_the_browser_has_is_not_sent_again() {
    for (path, accepted, tag) in
        [("/", "", "\"cc\""), ("/assets/index-1a2b3c.js", "gzip", "W/\"aa-gzip\"")]
    {
        let asked = with(&[(header::ACCEPT_ENCODING, accepted), (header::IF_NONE_MATCH, tag)]);
        let response = answer(BUILT, path, &asked);
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{path}");
        assert_eq!(body(response).await, "");
    }
    let other = with(&[(header::IF_NONE_MATCH, "\"aa-gzip\"")]);
    assert_eq!(answer(BUILT, "/assets/index-1a2b3c.js", &other).status(), StatusCode::OK);
}

#[tokio::test]
async fn without_the_pages_one_says_how_to_build_them() {
    let response = answer(&[], "/incidents", &HeaderMap::new());
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header_of(&response, header::CONTENT_TYPE), "text/html; charset=utf-8");
    assert_eq!(header_of(&response, header::CONTENT_SECURITY_POLICY), PAGES_POLICY);
    let text = body(response).await;
    assert!(text.contains("make web") && text.contains("<!doctype html>"), "{text}");
}

#[tokio::test]
async fn only_get_and_head_are_answered() {
    for (method, status) in [
        (Method::GET, StatusCode::OK),
        (Method::HEAD, StatusCode::OK),
        (Method::POST, StatusCode::NOT_FOUND),
        (Method::DELETE, StatusCode::NOT_FOUND),
    ] {
        let response = serve(method, Uri::from_static("/incidents"), HeaderMap::new()).await;
        assert_eq!(response.status(), status);
    }
}

#[test]
fn what_is_embedded_is_in_order_and_holds_what_it_names() {
    assert!(FILES.is_sorted_by(|a, b| a.path < b.path));
    for file in FILES.iter().filter(|file| file.path.starts_with(ASSETS)) {
        let stem = file.path.rsplit('/').next().unwrap();
        assert!(stem.contains('-'), "{stem} has no digest in its name");
    }
    if let Some(index) = find(FILES, "/index.html") {
        let text = std::str::from_utf8(index.octets).unwrap();
        for part in text.split('"').filter(|part| part.starts_with("/assets/")) {
            assert!(find(FILES, part).is_some(), "{part}");
        }
        assert!(!text.contains("<style") && !text.contains("<script>"), "the policy forbids it");
    }
}
