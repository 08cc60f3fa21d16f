//! The HTTP server: whether the program lives, whether it is ready, its status, its metrics.
//!
//! It only reads. Everything that a client may take is bounded: connections, headers, bodies, time.

mod connections;
mod problem;
mod stall;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use connections::{
    ANSWER_SECS_MAX, DRAIN_SECS_MAX, HEADER_OCTETS_MAX, HEADER_SECS_MAX, HEADERS_MAX,
};
pub use problem::Problem;
pub use stall::STALL_SECS_MAX;

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
    connections_max: u32,
}

impl HttpServer {
    /// Listens.
    ///
    /// # Errors
    ///
    /// When the address cannot be had.
    pub async fn bind(config: &Http) -> io::Result<Self> {
        let listener = TcpListener::bind(config.listen).await?;
        Ok(HttpServer { listener, connections_max: config.connections_max })
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
    /// [`DRAIN_SECS_MAX`].
    pub async fn run(self, status: Arc<dyn ServeStatus>, cancel: CancellationToken) {
        let router = router(status);
        connections::serve(self.listener, self.connections_max, router, cancel).await;
    }
}

struct Shared {
    status: Arc<dyn ServeStatus>,
    metrics: Metrics,
}

/// All paths.
fn router(status: Arc<dyn ServeStatus>) -> Router {
    let metrics = Metrics::new(Arc::clone(&status));
    Router::new()
        .route("/healthz", get(async || Json(json!({ "status": "alive" }))))
        .route("/readyz", get(readyz))
        .route("/status", get(status_document))
        .route("/metrics", get(metrics_text))
        .fallback(async || Problem::new(StatusCode::NOT_FOUND, "not_found", "no such path"))
        .method_not_allowed_fallback(async || {
            let detail = "only GET and HEAD are taken here";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
        })
        .layer(DefaultBodyLimit::max(BODY_OCTETS_MAX))
        .layer(from_fn(secure))
        .with_state(Arc::new(Shared { status, metrics }))
}

async fn secure(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in SECURITY_HEADERS {
        response.headers_mut().insert(name, value);
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
