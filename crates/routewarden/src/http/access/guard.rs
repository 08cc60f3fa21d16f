//! The guard before every route.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use routewarden_core::facts::Sha256;
use routewarden_store::access::{AccessFile, Identity, Outcome, Role, Verb};

use super::credentials::{Brought, brought};
use super::routes::{Needs, ROUTES, Route};
use super::{Access, Credential, Principal, origin};
use crate::access::hash_of;
use crate::http::Problem;
use crate::http::rate::ClientAddress;

/// Seconds after which it is looked again whether the reader of a stream may still read it.
pub const RECHECK_SECS: u64 = 30;

/// Lets a request on when it may go on, with who asks.
pub(super) async fn guard(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    // What no route takes is nobody's secret: the fallback says so.
    let Some(path) = parts.extensions.get::<MatchedPath>().cloned() else {
        return next.run(Request::from_parts(parts, body)).await;
    };
    let route = match route_of(&parts.method, path.as_str()) {
        Ok(route) => route,
        Err(problem) => return problem.into_response(),
    };
    let principal = match access.admit(route, &parts).await {
        Ok(principal) => principal,
        Err(problem) => return problem.into_response(),
    };
    let export = principal.clone().filter(|_| route.exports && is_export(&parts.uri));
    let (uri, client) = (parts.uri.clone(), parts.extensions.get::<ClientAddress>().copied());
    if let Some(principal) = &principal {
        parts.extensions.insert(principal.clone());
    }
    let response = next.run(Request::from_parts(parts, body)).await;
    if let Some(principal) = export.filter(|_| response.status().is_success())
        && let Err(problem) = access.record_export(client, &principal, &uri).await
    {
        return problem.into_response();
    }
    match principal {
        Some(principal) if is_stream(response.headers()) => {
            while_allowed(access, principal, response)
        }
        _ => response,
    }
}

/// What is asked for. A route that is not in the table is refused, whatever is behind it.
fn route_of(method: &Method, path: &str) -> Result<&'static Route, Problem> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    let of_path = || ROUTES.iter().filter(|route| route.path == path);
    if let Some(route) = of_path().find(|route| route.method == *method) {
        return Ok(route);
    }
    let methods: Vec<&str> = of_path()
        .flat_map(|route| match route.method {
            Method::GET => vec!["GET", "HEAD"],
            _ => vec![route.method.as_str()],
        })
        .collect();
    if methods.is_empty() {
        let detail = "it is not said who may use this route";
        return Err(Problem::new(StatusCode::FORBIDDEN, "not_allowed", detail));
    }
    let methods = methods.join(",");
    let detail = format!("only {methods} are taken here");
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
    Err(match HeaderValue::from_str(&methods) {
        Ok(allow) => problem.with_header(header::ALLOW, allow),
        Err(_) => problem,
    })
}

fn is_export(uri: &Uri) -> bool {
    let mut pairs = uri.query().unwrap_or_default().split('&');
    pairs.any(|pair| pair.starts_with("format=") && pair != "format=json")
}

fn is_stream(headers: &HeaderMap) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE);
    media_type.is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"))
}

/// A stream ends when its reader may no longer read it.
fn while_allowed(access: Arc<Access>, principal: Principal, response: Response) -> Response {
    let ended = async move {
        loop {
            tokio::time::sleep(access.recheck).await;
            if matches!(access.is_still(&principal).await, Ok(false)) {
                return;
            }
        }
    };
    let (head, body) = response.into_parts();
    let body = body.into_data_stream().take_until(Box::pin(ended));
    Response::from_parts(head, Body::from_stream(body))
}

impl Access {
    /// Who asks, if the route lets them.
    async fn admit(&self, route: &Route, parts: &Parts) -> Result<Option<Principal>, Problem> {
        if !parts.method.is_safe() {
            self.check_site(&parts.headers)?;
        }
        let (least, is_login) = match route.needs {
            Needs::Nothing => return Ok(None),
            Needs::Metrics if self.open_metrics => return Ok(None),
            Needs::Metrics => (Role::Viewer, false),
            Needs::Role(role) => (role, false),
            Needs::Login(role) => (role, true),
        };
        if self.files.is_none() {
            origin::check_host(&parts.uri, &parts.headers)?;
        }
        let Some(principal) = self.identify(&parts.headers).await? else {
            return Err(self.unknown().await);
        };
        if principal.role < least {
            let detail = format!("it needs the role {least}, and this is {}", principal.role);
            return Err(Problem::new(StatusCode::FORBIDDEN, "not_allowed", detail));
        }
        if is_login && matches!(principal.by, Credential::Token(..)) {
            let detail = "it needs a login: no token does";
            return Err(Problem::new(StatusCode::FORBIDDEN, "not_allowed", detail));
        }
        Ok(Some(principal))
    }

    /// Who asks.
    pub(super) async fn identify(&self, headers: &HeaderMap) -> Result<Option<Principal>, Problem> {
        if self.files.is_none() {
            let by = Credential::Nothing;
            return Ok(Some(Principal { user: None, role: Role::Admin, by }));
        }
        let (hash, is_token) = match brought(headers, self.is_https()) {
            Brought::Nothing => return Ok(None),
            Brought::Cookie(text) => (hash_of(text), false),
            Brought::Token(text) => (hash_of(text), true),
        };
        let Some(identity) = self.identity(hash, is_token).await? else { return Ok(None) };
        if identity.is_to_note {
            self.note(hash, identity.token).await;
        }
        let by = identity.token.map_or(Credential::Session(hash), |id| Credential::Token(id, hash));
        Ok(Some(Principal { user: Some(identity.user), role: identity.role, by }))
    }

    async fn identity(&self, hash: Sha256, is_token: bool) -> Result<Option<Identity>, Problem> {
        let now = self.now();
        self.look(
            move |file| if is_token { file.token(&hash, now) } else { file.session(&hash, now) },
        )
        .await
    }

    /// Whether who was admitted would be admitted again.
    async fn is_still(&self, principal: &Principal) -> Result<bool, Problem> {
        let found = match principal.by {
            Credential::Nothing => return Ok(true),
            Credential::Session(hash) => self.identity(hash, false).await?,
            Credential::Token(_, hash) => self.identity(hash, true).await?,
        };
        Ok(found.is_some())
    }

    /// Notes a use. When that fails, the session ends early, no more.
    async fn note(&self, hash: Sha256, token: Option<i64>) {
        let now = self.now();
        let noted = self.change(move |file| {
            let noted = match token {
                Some(id) => file.note_token(id, now),
                None => file.note_session(&hash, now),
            };
            Ok(noted?)
        });
        if noted.await.is_err() {
            tracing::warn!("the use of a session or token could not be noted");
        }
    }

    /// Nobody who is known asks.
    pub(super) async fn unknown(&self) -> Problem {
        match self.look(AccessFile::has_users).await {
            Ok(true) => {
                let detail = "it needs a login or a token";
                Problem::new(StatusCode::UNAUTHORIZED, "login_needed", detail)
                    .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
            }
            Ok(false) => {
                let detail = "there is no user yet: the journal of the service has a link with \
                              which the first is made";
                Problem::new(StatusCode::FORBIDDEN, "setup_needed", detail)
            }
            Err(problem) => problem,
        }
    }

    async fn record_export(
        &self,
        client: Option<ClientAddress>,
        principal: &Principal,
        uri: &Uri,
    ) -> Result<(), Problem> {
        if self.files.is_none() {
            return Ok(());
        }
        let unknown = ClientAddress(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let actor = self.actor(client.unwrap_or(unknown), Some(principal));
        let (path, query) = (uri.path().to_owned(), uri.query().unwrap_or_default().to_owned());
        let record = self
            .change(move |file| file.record(&actor, (Verb::Export, &path, &query), Outcome::Ok));
        Ok(record.await?)
    }

    /// Whether users come by TLS.
    pub(super) fn is_https(&self) -> bool {
        self.public.as_ref().is_some_and(|url| url.is_https)
    }
}
