//! What is asked in bad faith.

use super::*;

/// Routes that take a body, with one that they take by its fields.
fn bodies() -> Vec<(Method, &'static str, Value)> {
    vec![
        (Method::POST, "/api/v1/session", json!({ "name": "viewer", "password": PASSWORD })),
        (Method::POST, "/api/v1/setup", json!({ "token": "x", "name": "x", "password": PASSWORD })),
        (Method::POST, "/api/v1/password", json!({ "old": PASSWORD, "new": "another password" })),
        (
            Method::POST,
            "/api/v1/users",
            json!({ "name": "x", "role": "viewer", "password": PASSWORD }),
        ),
        (Method::PATCH, "/api/v1/users/viewer", json!({ "role": "viewer", "disabled": true })),
        (
            Method::POST,
            "/api/v1/tokens",
            json!({ "label": "x", "role": "viewer", "expires_at": "2027-01-01T00:00:00Z" }),
        ),
    ]
}

fn assert_refused(answer: &Answer, what: &str) {
    assert!((400..500).contains(&answer.status), "{what}: {} {}", answer.status, answer.body);
    answer.problem();
}

#[tokio::test]
async fn bodies_that_are_not_as_they_should_be_are_refused() {
    let server = Server::filled();
    let cookie = server.session("admin");
    let deep = "[".repeat(8_000);
    let long = format!("{{\"name\":\"{}\"}}", "x".repeat(ACCESS_BODY_OCTETS_MAX));
    for (method, path, right) in bodies() {
        let ask = |body: Vec<u8>| {
            let ask = Ask::new(method.clone(), path).cookie(&cookie);
            Ask { body: Body::from(body), ..ask.with("content-type", "application/json") }
        };
        for (body, expected) in [
            ("", is(400, "body_malformed")),
            ("null", is(400, "body_malformed")),
            ("[]", is(400, "body_malformed")),
            ("\"x\"", is(400, "body_malformed")),
            ("{\"name\":", is(400, "body_malformed")),
            (&*deep, is(400, "body_malformed")),
            (&*long, is(413, "body_too_large")),
            (&"x".repeat(crate::http::BODY_OCTETS_MAX + 1), is(413, "body_too_large")),
        ] {
            let answer = server.ask(ask(body.as_bytes().to_vec())).await;
            assert_eq!(answer.problem(), expected, "{path} {body:.20}");
        }
        assert_eq!(
            server.ask(ask(vec![b'"', 0xff, b'"'])).await.problem(),
            is(400, "body_malformed")
        );
        for wrong in [json!(7), json!(null), json!({}), json!(["x"]), json!(1e300)] {
            for field in right.as_object().unwrap().keys() {
                let mut body = right.clone();
                body[field] = wrong.clone();
                let answer = server.ask(ask(body.to_string().into_bytes())).await;
                assert_eq!(answer.problem(), is(400, "bad_parameter"), "{path} {body}");
                assert_eq!(answer.json()["parameter"], *field, "{path} {body}");
            }
        }
        let mut more = right.clone();
        more["is_admin"] = json!(true);
        let answer = server.ask(ask(more.to_string().into_bytes())).await;
        assert_eq!(answer.problem(), is(400, "unknown_parameter"), "{path}");
        for media_type in
            ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"]
        {
            let ask =
                Ask::new(method.clone(), path).cookie(&cookie).with("content-type", media_type);
            let answer = server.ask(Ask { body: Body::from(right.to_string()), ..ask }).await;
            assert_eq!(answer.problem(), is(415, "unsupported_media_type"), "{path} {media_type}");
        }
        let query = format!("{path}?a=1");
        let answer =
            server.ask(Ask::new(method.clone(), &query).json(&right).cookie(&cookie)).await;
        assert_eq!(answer.problem(), is(400, "unknown_parameter"), "{query}");
    }
}

/// Hostile texts in every field: refused or taken as text, never a fault, and never in a header.
#[tokio::test]
async fn texts_that_mean_something_elsewhere_mean_nothing_here() {
    let server = Server::filled();
    let cookie = server.session("admin");
    let users = server.file().users().unwrap();
    for text in [
        "\r\nSet-Cookie: x=y",
        "\u{0}",
        "' OR 1=1 --",
        "viewer\u{0}",
        "VIEWER",
        "v\u{131}ewer",
        "../../etc/passwd",
        "<script>alert(1)</script>",
        "\u{202e}nimda",
        "%00",
        &"x".repeat(4_000),
    ] {
        for (method, path, right) in bodies() {
            for field in right.as_object().unwrap().keys() {
                if right[field].is_boolean() || matches!(field.as_str(), "password" | "old" | "new")
                {
                    continue;
                }
                let mut body = right.clone();
                body[field] = json!(text);
                if field == "label" && text.len() < 64 && !text.contains(char::is_control) {
                    continue;
                }
                let peer = "192.0.2.200";
                let ask = Ask::new(method.clone(), path).json(&body).cookie(&cookie).from(peer);
                let answer = server.ask(ask).await;
                assert_refused(&answer, &format!("{path} {body}"));
                assert!(answer.headers.get("set-cookie").is_none(), "{path} {body}");
                assert!(!answer.body.contains("<script>"), "{}", answer.body);
            }
        }
    }
    assert_eq!(server.file().users().unwrap(), users);
}

#[tokio::test]
async fn what_other_sites_send_changes_nothing() {
    let server = Server::filled_and_configured(|config| {
        config.http.public_url = Some("https://a.example".parse().unwrap());
    });
    let body = json!({ "name": "viewer", "password": PASSWORD });
    let ask = || {
        let mut ask = Ask::post("/api/v1/session", &body);
        ask.headers.retain(|(name, _)| *name != "x-routewarden");
        ask
    };
    for (header, value) in [("x-other", "1"), ("x-routewarden", "0"), ("x-routewarden", "")] {
        let answer = server.ask(ask().with(header, value)).await;
        assert_eq!(answer.problem(), is(403, "cross_site"), "{header}: {value}");
    }
    let ours = |origin: &'static str| {
        ask().with("x-routewarden", "1").with("host", "b.example:8080").with("origin", origin)
    };
    for origin in [
        "null",
        "",
        "https://attacker.example",
        "https://a.example.attacker.example",
        "https://a.example:444",
        "http://a.example",
        "http://b.example",
        "b.example:8080",
        "http://b.example:8080/",
    ] {
        assert_eq!(server.ask(ours(origin)).await.problem(), is(403, "cross_site"), "{origin}");
    }
    let twice = ours("https://a.example").with("origin", "https://attacker.example");
    assert_eq!(server.ask(twice).await.problem(), is(403, "cross_site"));
    for origin in ["https://a.example", "http://b.example:8080", "https://A.EXAMPLE"] {
        assert_eq!(server.ask(ours(origin)).await.status, 200, "{origin}");
    }
}

#[tokio::test]
async fn odd_credentials_are_none() {
    let server = Server::filled();
    let (cookie, token) = (server.session("viewer"), server.token("viewer", Role::Viewer, 60));
    let secret = cookie.strip_prefix("rw_session=").unwrap();
    for odd in [
        "rw_session=",
        "rw_session",
        "rw_session=x",
        &format!("rw_session={secret}x"),
        &format!("rw_session=\"{secret}\""),
        &format!("RW_SESSION={secret}"),
        &format!("__Host-rw={secret}"),
        &format!("{cookie}; {cookie}"),
        &format!("rw_session={}; {cookie}", "0".repeat(43)),
        &format!("rw_session={}", "x".repeat(8_000)),
    ] {
        let answer = server.ask(Ask::get("/api/v1/feeds").cookie(odd)).await;
        assert_eq!(answer.problem(), is(401, "login_needed"), "{odd:.80}");
    }
    let twice = Ask::get("/api/v1/feeds").cookie(&cookie).cookie(&cookie);
    assert_eq!(server.ask(twice).await.status, 401);
    let many = "other=x; ".repeat(500) + &cookie;
    assert_eq!(server.ask(Ask::get("/api/v1/feeds").cookie(&many)).await.status, 200);
    for odd in [
        "Bearer",
        "Bearer ",
        &format!("Bearer  {token}"),
        &format!("Basic {token}"),
        &token,
        &format!("Bearer {secret}"),
        &format!("Bearer {token}, Bearer {token}"),
        "Bearer rwt_é",
    ] {
        // A cookie that is good does not help a token that is not.
        let ask = Ask::get("/api/v1/feeds").with("authorization", odd).cookie(&cookie);
        assert_eq!(server.ask(ask).await.problem(), is(401, "login_needed"), "{odd}");
    }
    let lower = Ask::get("/api/v1/feeds").with("authorization", format!("bearer {token}"));
    assert_eq!(server.ask(lower).await.status, 200);
}
