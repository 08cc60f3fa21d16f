//! Who may use which route, tried on all of them.

use super::super::routes::{ASKERS, row};
use super::*;

const PAGE: &str = include_str!("../../../../../../docs/reference/access.md");

/// A route with values in the place of what its path asks.
fn filled_in(path: &str) -> String {
    [
        ("{id}", "1"),
        ("{asn}", "64496"),
        ("{address}", "192.0.2.0"),
        ("{length}", "24"),
        ("{country}", "NL"),
        ("{name}", "nobody"),
    ]
    .iter()
    .fold(path.to_owned(), |path, (name, value)| path.replace(name, value))
}

/// `yes` when it got past the guard, whatever came then.
async fn answer(
    server: &Server,
    method: &str,
    path: &str,
    credential: Option<&str>,
) -> &'static str {
    let path = filled_in(path);
    let mut ask = Ask::new(method.parse().unwrap(), &path).json(&json!({}));
    ask = match credential {
        Some(token) if token.starts_with("rwt_") => ask.bearer(token),
        Some(cookie) => ask.cookie(cookie),
        None => ask,
    };
    let response = server.send(ask).await;
    match response.status().as_u16() {
        401 => "401",
        403 => "403",
        _ => "yes",
    }
}

/// Method and path of every route that is described, and of those beside the API.
fn all() -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(&crate::http::api::openapi()).unwrap();
    let mut all: Vec<(String, String)> = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            all.push((method.to_uppercase(), format!("{BASE}{path}")));
        }
    }
    for path in ["/healthz", "/readyz", "/status", "/metrics"] {
        all.push(("GET".to_owned(), path.to_owned()));
    }
    all
}

#[test]
fn every_route_that_is_described_is_in_the_table_once_and_no_other() {
    let mut described = all();
    let mut known: Vec<(String, String)> =
        ROUTES.iter().map(|route| (route.method.to_string(), route.path.to_owned())).collect();
    described.sort();
    known.sort();
    assert_eq!(known, described);
}

#[test]
fn the_description_says_what_each_route_needs() {
    let document: Value = serde_json::from_str(&crate::http::api::openapi()).unwrap();
    for route in ROUTES.iter().filter(|route| route.path.starts_with(BASE)) {
        let path = route.path.strip_prefix(BASE).unwrap();
        let method = route.method.as_str().to_lowercase();
        let operation = &document["paths"][path][&method];
        let role = match route.needs {
            Needs::Nothing => Value::Null,
            Needs::Metrics => "viewer".into(),
            Needs::Role(role) | Needs::Login(role) => role.name().into(),
        };
        assert_eq!(operation["x-role"], role, "{method} {path}");
        assert!(operation["security"].is_array(), "{method} {path}");
    }
    let schemes = &document["components"]["securitySchemes"];
    assert!(schemes["cookie"].is_object() && schemes["token"].is_object());
}

/// Each route with each asker; a session for each, since some routes end it.
#[expect(clippy::print_stdout, reason = "for whoever runs it")]
#[tokio::test]
async fn the_matrix_is_what_the_routes_answer() {
    let (server, fresh) = (Server::filled(), Server::empty());
    let mut file = server.file();
    let password = hash_password(PASSWORD).unwrap();
    let gone = NewUser { name: name("gone"), role: Role::Admin, password };
    file.add_user(&server.actor(), &gone).unwrap();
    let expired = server.token("admin", Role::Admin, 1);
    let disabled = server.token("gone", Role::Admin, 60);
    server.disable("gone");
    server.pass(2);
    let token = server.token("admin", Role::Admin, 3_600);
    let mut measured = row("route", &ASKERS) + &row("---", &["---"; ASKERS.len()]);
    for route in &ROUTES {
        let (method, path) = (route.method.as_str(), route.path);
        let mut cells = vec![answer(&server, method, path, None).await];
        for role in Role::ALL {
            let cookie = server.session(role.name());
            cells.push(answer(&server, method, path, Some(&cookie)).await);
        }
        for token in [&token, &expired, &disabled] {
            cells.push(answer(&server, method, path, Some(token)).await);
        }
        cells.push(answer(&fresh, method, path, None).await);
        // What nobody is asked for, everybody gets; a login that fails is no refusal of the guard.
        measured.push_str(&row(&format!("`{method} {path}`"), &cells));
    }
    println!("{measured}");
    assert_eq!(measured, super::super::matrix());
    assert!(PAGE.contains(&measured), "docs/reference/access.md is stale: cargo xtask docs");
}

#[tokio::test]
async fn a_route_that_is_not_in_the_table_is_refused() {
    let access = off();
    let routes = Router::new().route("/forgotten", get(async || "secret"));
    let router = super::super::guarded(routes, access);
    let service = TowerToHyperService::new(router);
    let request = Request::get("/forgotten").body(Body::empty()).unwrap();
    let response = hyper::service::Service::call(&service, request).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    assert!(!body.windows(6).any(|part| part == b"secret"));
}

#[tokio::test]
async fn metrics_and_status_are_open_when_it_is_said() {
    let server = Server::filled_and_configured(|config| config.http.open_metrics = true);
    for path in ["/status", "/metrics"] {
        assert_eq!(server.ask(Ask::get(path)).await.status, 200, "{path}");
    }
    assert_eq!(server.ask(Ask::get("/api/v1/feeds")).await.problem(), is(401, "login_needed"));
    let server = Server::filled();
    let token = server.token("viewer", Role::Viewer, 60);
    let metrics = server.ask(Ask::get("/metrics").bearer(&token)).await;
    assert!(metrics.body.contains("routewarden_program_ready"), "{}", metrics.body);
    assert_eq!(server.ask(Ask::get("/metrics")).await.problem(), is(401, "login_needed"));
}
