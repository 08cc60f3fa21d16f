//! Connections: how many, how long, how large.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Problem;
use super::rate::ClientAddress;
use super::stall::StallGuard;

/// Most headers of a request.
pub const HEADERS_MAX: usize = 64;
/// Most octets of a request before its body.
pub const HEADER_OCTETS_MAX: usize = 16 * 1024;
/// Seconds in which the headers of a request must be in; a connection that is kept open without a
/// request ends after them, too.
pub const HEADER_SECS_MAX: u64 = 10;
/// Seconds in which an answer must begin.
pub const ANSWER_SECS_MAX: u64 = 30;
/// Seconds that answers under way are given at the end.
pub const DRAIN_SECS_MAX: u64 = 5;

/// Wait after a failed accept: the system lacks something, as file descriptors.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Takes connections until it is cancelled, then drains them.
pub(super) async fn serve(
    listener: TcpListener,
    connections_max: u32,
    router: Router,
    cancel: CancellationToken,
) {
    let slots = usize::try_from(connections_max).unwrap_or(Semaphore::MAX_PERMITS);
    let slots = Arc::new(Semaphore::new(slots));
    let connections = TaskTracker::new();
    loop {
        // While all slots are taken, further connections wait in the listener's backlog.
        let next = async {
            let slot = Arc::clone(&slots).acquire_owned().await.ok()?;
            Some((slot, listener.accept().await))
        };
        let accepted = tokio::select! {
            () = cancel.cancelled() => break,
            accepted = next => accepted,
        };
        match accepted {
            Some((slot, Ok(client))) => {
                let connection = connection(client, router.clone(), cancel.clone());
                connections.spawn(async move {
                    connection.await;
                    drop(slot);
                });
            }
            Some((_, Err(error))) => {
                tracing::warn!(%error, "cannot accept an HTTP connection");
                sleep(ACCEPT_AGAIN).await;
            }
            None => break,
        }
    }
    drop(listener);
    connections.close();
    // A client that is still there then is left.
    if timeout(Duration::from_secs(DRAIN_SECS_MAX), connections.wait()).await.is_err() {
        tracing::warn!(open = connections.len(), "HTTP connections were cut off at the end");
    }
}

async fn connection(
    (stream, address): (TcpStream, SocketAddr),
    router: Router,
    cancel: CancellationToken,
) {
    let service = TowerToHyperService::new(router);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(ClientAddress(address.ip()));
        let answer = hyper::service::Service::call(&service, request);
        async move { Ok::<_, Infallible>(in_time(answer).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(HEADER_SECS_MAX))
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEADER_OCTETS_MAX)
        .serve_connection(TokioIo::new(StallGuard::new(stream)), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = cancel.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an HTTP connection ended");
    }
}

async fn in_time(answer: impl Future<Output = Result<Response, Infallible>>) -> Response {
    match timeout(Duration::from_secs(ANSWER_SECS_MAX), answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(never)) => match never {},
        Err(_) => {
            let detail = format!("no answer within {ANSWER_SECS_MAX} s");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_slow", detail).into_response()
        }
    }
}
