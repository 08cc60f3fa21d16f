//! Errors of HTTP as problem details (RFC 9457).

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

/// A problem: what the client is told, as `application/problem+json`.
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    members: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem with its stable name and what is the matter this time.
    pub fn new(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or_default();
        let problem = Problem { status, members: Map::new(), headers: Vec::new() };
        // A relative reference, resolved against the address asked for (RFC 9457 §3.1.1).
        problem
            .with("type", format!("/problems/{kind}").into())
            .with("title", title.into())
            .with("status", status.as_u16().into())
            .with("code", kind.into())
            .with("detail", detail.into().into())
    }

    /// A parameter of the path, the query or the header that is not as it should be.
    pub(super) fn of_parameter(
        code: &'static str,
        parameter: &str,
        detail: impl std::fmt::Display,
    ) -> Self {
        Problem::new(StatusCode::BAD_REQUEST, code, format!("{parameter}: {detail}"))
            .with("parameter", parameter.into())
    }

    /// To be asked again after a time, of which the client is told full seconds, one at least.
    #[must_use]
    pub(super) fn retry_after(self, wait: Duration) -> Self {
        let secs = wait.as_millis().div_ceil(1_000).max(1);
        let secs = u64::try_from(secs).unwrap_or(u64::MAX);
        self.with_header(header::RETRY_AFTER, secs.into())
    }

    /// With a header.
    #[must_use]
    pub(super) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// With a further member (RFC 9457 §3.2).
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.members.insert(name.to_owned(), value);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Value::Object(self.members).to_string();
        let media_type = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status, media_type, body).into_response();
        response.headers_mut().extend(self.headers);
        response
    }
}
