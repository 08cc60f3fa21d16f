//! The HTTP server: whether the program lives, whether it is ready, its status, its metrics, the API
//! and the web pages; who may ask for what.
//!
//! Everything that a client may take is bounded: connections, headers, bodies, time.

pub mod access;
pub mod api;
mod connections;
mod pages;
mod problem;
mod rate;
mod stall;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use connections::{
    ANSWER_SECS_MAX, DRAIN_SECS_MAX, HEADER_OCTETS_MAX, HEADER_SECS_MAX, HEADERS_MAX,
};
pub use pages::PAGES_POLICY;
pub use problem::Problem;
pub use rate::BURST_SECS;
pub use stall::STALL_SECS_MAX;

use self::access::Access;
use self::api::Api;
use self::rate::{ClientAddress, RateLimit};
use crate::config::Http;
use crate::metrics::{MEDIA_TYPE, Metrics};
use crate::status::{ServeStatus, StatusDocument};

/// Largest body of a request.
pub const BODY_OCTETS_MAX: usize = 64 * 1024;

/// Headers of every answer.
const SECURITY_HEADERS: [(HeaderName, HeaderValue); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// A server that listens.
#[derive(Debug)]
pub struct HttpServer {
    listener: TcpListener,
    config: Http,
}

impl HttpServer {
    /// Listens.
    ///
    /// # Errors
    ///
    /// When the address cannot be had.
    pub async fn bind(config: &Http) -> io::Result<Self> {
        let listener = TcpListener::bind(config.listen).await?;
        Ok(HttpServer { listener, config: config.clone() })
    }

    /// Where it listens; tells the port when port 0 was asked for.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until it is cancelled; then the answers that are under way are given, for at most
    /// [`DRAIN_SECS_MAX`]. The store is in `data_dir`.
    pub async fn run(
        self,
        (status, access): (Arc<dyn ServeStatus>, Arc<Access>),
        data_dir: PathBuf,
        cancel: CancellationToken,
    ) {
        let max = self.config.connections_max;
        let api = Arc::new(Api::new(Arc::clone(&status), data_dir, max, cancel.clone()));
        let limit = RateLimit::new(self.config.requests_per_second_max);
        let router = router(status, Arc::clone(&api), (access, limit));
        tokio::join!(api.follow(), connections::serve(self.listener, max, router, cancel));
    }
}

struct Shared {
    status: Arc<dyn ServeStatus>,
    metrics: Metrics,
}

/// All paths, and what is before them.
fn router(
    status: Arc<dyn ServeStatus>,
    api: Arc<Api>,
    (access, limit): (Arc<Access>, RateLimit),
) -> Router {
    let limit = Arc::new((limit, Instant::now()));
    let metrics = Metrics::new(Arc::clone(&status));
    let routes = Router::new()
        .route("/healthz", get(async || Json(json!({ "status": "alive" }))))
        .route("/readyz", get(readyz))
        .route("/status", get(status_document))
        .route("/metrics", get(metrics_text))
        .with_state(Arc::new(Shared { status, metrics }))
        .nest(api::BASE, api::router(api).merge(access::router(Arc::clone(&access))));
    access::guarded(routes, Arc::clone(&access))
        .fallback(pages::serve)
        .layer(from_fn_with_state(limit, limited))
        .layer(from_fn_with_state(access, access::behind_proxies))
        .layer(DefaultBodyLimit::max(BODY_OCTETS_MAX))
        .layer(from_fn(secure))
}

/// Refuses a client that asks the API too often. Health and metrics are not limited: they cost little, and who
/// watches the program must not be shut out by who floods it.
async fn limited(
    State(limit): State<Arc<(RateLimit, Instant)>>,
    request: Request,
    next: Next,
) -> Response {
    let (limit, began) = &*limit;
    let client = request.extensions().get::<ClientAddress>().copied();
    let client = client.filter(|_| request.uri().path().starts_with(api::BASE));
    match client.map_or(Ok(()), |client| limit.take(client, began.elapsed())) {
        Ok(()) => next.run(request).await,
        Err(wait) => {
            let detail = "this address asks too often";
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail)
                .retry_after(wait)
                .into_response()
        }
    }
}

async fn secure(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in SECURITY_HEADERS {
        // What may be kept says so itself, and pages what they may do.
        let may_differ = [header::CACHE_CONTROL, header::CONTENT_SECURITY_POLICY].contains(&name);
        if !may_differ || !headers.contains_key(&name) {
            headers.insert(name, value);
        }
    }
    response
}

async fn readyz(State(shared): State<Arc<Shared>>) -> Response {
    let reasons = shared.status.snapshot().unready();
    if reasons.is_empty() {
        return Json(json!({ "status": "ready" })).into_response();
    }
    let texts: Vec<&str> = reasons.iter().map(|reason| reason.text.as_str()).collect();
    let detail = texts.join("; ");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", detail)
        .with("reasons", json!(reasons))
        .into_response()
}

async fn status_document(State(shared): State<Arc<Shared>>) -> Response {
    Json(StatusDocument::new(shared.status.snapshot())).into_response()
}

async fn metrics_text(State(shared): State<Arc<Shared>>) -> Response {
    match shared.metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response(),
        Err(error) => {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", error.to_string())
                .into_response()
        }
    }
}

#[cfg(test)]
mod tests;
