//! What each route needs: the one place that says so.

use axum::http::Method;
use routewarden_store::access::Role;

/// What a request must bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// A login or a token, of at least this role.
    Role(Role),
    /// A login of at least this role: no token does.
    Login(Role),
    /// A login or a token of a viewer, unless `[http] open_metrics` says otherwise.
    Metrics,
}

/// A route.
#[derive(Clone, Debug)]
pub struct Route {
    /// The method; that of a route for GET is also that for HEAD.
    pub method: Method,
    /// As it is routed.
    pub path: &'static str,
    /// What a request must bring.
    pub needs: Needs,
    /// Whether `format=` other than `json` takes data out, which is recorded.
    pub exports: bool,
}

const fn route(method: Method, path: &'static str, needs: Needs) -> Route {
    Route { method, path, needs, exports: false }
}

const fn read(path: &'static str) -> Route {
    route(Method::GET, path, Needs::Role(Role::Viewer))
}

const fn exported(path: &'static str) -> Route {
    Route { method: Method::GET, path, needs: Needs::Role(Role::Viewer), exports: true }
}

/// All routes. One that is not here is refused.
pub static ROUTES: [Route; 44] = [
    route(Method::GET, "/healthz", Needs::Nothing),
    route(Method::GET, "/readyz", Needs::Nothing),
    route(Method::GET, "/status", Needs::Metrics),
    route(Method::GET, "/metrics", Needs::Metrics),
    exported("/api/v1/incidents"),
    read("/api/v1/incidents/{id}"),
    read("/api/v1/incidents/{id}/history"),
    read("/api/v1/incidents/{id}/replay"),
    read("/api/v1/incidents/{id}/updates"),
    route(Method::PUT, "/api/v1/incidents/{id}/verdict", Needs::Role(Role::Analyst)),
    route(Method::DELETE, "/api/v1/incidents/{id}/verdict", Needs::Role(Role::Analyst)),
    read("/api/v1/asns/{asn}"),
    read("/api/v1/prefixes/{address}/{length}"),
    read("/api/v1/countries/{country}"),
    read("/api/v1/table/prefixes/{address}/{length}"),
    read("/api/v1/table/asns/{asn}"),
    read("/api/v1/feeds"),
    read("/api/v1/facts"),
    read("/api/v1/statistics"),
    read("/api/v1/readiness/profiles"),
    read("/api/v1/readiness/periods"),
    read("/api/v1/readiness/groups/{by}"),
    read("/api/v1/readiness/groups/{by}/{group}"),
    read("/api/v1/readiness/ases"),
    read("/api/v1/readiness/ases/{asn}"),
    read("/api/v1/readiness/compare"),
    read("/api/v1/readiness/providers"),
    read("/api/v1/readiness/report"),
    exported("/api/v1/readiness/export"),
    read("/api/v1/readiness/observatory/v2/scores/summary"),
    read("/api/v1/events"),
    read("/api/v1/openapi.json"),
    route(Method::GET, "/api/v1/session", Needs::Nothing),
    route(Method::POST, "/api/v1/session", Needs::Nothing),
    route(Method::DELETE, "/api/v1/session", Needs::Login(Role::Viewer)),
    route(Method::POST, "/api/v1/setup", Needs::Nothing),
    route(Method::POST, "/api/v1/password", Needs::Login(Role::Viewer)),
    route(Method::GET, "/api/v1/users", Needs::Role(Role::Admin)),
    route(Method::POST, "/api/v1/users", Needs::Login(Role::Admin)),
    route(Method::PATCH, "/api/v1/users/{name}", Needs::Login(Role::Admin)),
    read("/api/v1/tokens"),
    route(Method::POST, "/api/v1/tokens", Needs::Login(Role::Viewer)),
    route(Method::DELETE, "/api/v1/tokens/{id}", Needs::Login(Role::Viewer)),
    route(Method::GET, "/api/v1/audit", Needs::Role(Role::Admin)),
];

/// Who asks, in the columns of [`matrix`].
pub(super) const ASKERS: [&str; 8] = [
    "nobody",
    "viewer",
    "analyst",
    "admin",
    "token of an admin",
    "expired token",
    "disabled user",
    "before the set-up",
];

/// Who may use which route, as a table in Markdown: `yes`, or the status of the refusal.
pub fn matrix() -> String {
    let mut text = row("route", &ASKERS);
    text.push_str(&row("---", &["---"; ASKERS.len()]));
    for route in &ROUTES {
        text.push_str(&row(&format!("`{} {}`", route.method, route.path), &route.answers()));
    }
    text
}

pub(super) fn row(first: &str, cells: &[&str]) -> String {
    format!("| {first} | {} |\n", cells.join(" | "))
}

impl Route {
    /// What each of [`ASKERS`] is answered.
    fn answers(&self) -> [&'static str; ASKERS.len()] {
        let (least, is_token_taken) = match self.needs {
            Needs::Nothing => return ["yes"; ASKERS.len()],
            Needs::Metrics => (Role::Viewer, true),
            Needs::Role(role) => (role, true),
            Needs::Login(role) => (role, false),
        };
        let of = |is_allowed: bool| if is_allowed { "yes" } else { "403" };
        let [viewer, analyst, admin] = Role::ALL.map(|role| of(role >= least));
        ["401", viewer, analyst, admin, of(is_token_taken), "401", "401", "403"]
    }
}
