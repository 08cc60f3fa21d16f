//! The fields of a body: JSON, small, nothing guessed; what is wrong is named, and never repeated,
//! since it may be a password.

use std::fmt::Display;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};

use crate::http::Problem;
use crate::http::api::parameters::Parameters;

/// Most octets of a body.
pub const ACCESS_BODY_OCTETS_MAX: usize = 8 * 1024;

/// A field that is not as it should be.
pub(super) fn bad(field: &str, detail: impl Display) -> Problem {
    Problem::of_parameter("bad_parameter", field, detail)
}

/// What a body gives. Each field is taken once; [`Fields::finish`] refuses what is left.
pub(in crate::http) struct Fields {
    given: Map<String, Value>,
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Parameters::of(request.uri())?.finish()?;
        if !is_json(request.headers()) {
            let detail = "expected Content-Type: application/json";
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Problem::new(status, "unsupported_media_type", detail));
        }
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|rejection: BytesRejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_large(),
            status => Problem::new(status, "body_malformed", "the body cannot be read"),
        })?;
        if body.len() > ACCESS_BODY_OCTETS_MAX {
            return Err(too_large());
        }
        let Ok(Value::Object(given)) = serde_json::from_slice(&body) else {
            let detail = "expected a JSON object";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "body_malformed", detail));
        };
        Ok(Fields { given })
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

fn too_large() -> Problem {
    let detail = format!("the body has more than {ACCESS_BODY_OCTETS_MAX} octets");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
}

impl Fields {
    /// A text that must be there.
    pub(in crate::http) fn text(&mut self, field: &str) -> Result<String, Problem> {
        self.optional_text(field)?.ok_or_else(|| bad(field, "is missing"))
    }

    /// A text that need not be there.
    pub(in crate::http) fn optional_text(
        &mut self,
        field: &str,
    ) -> Result<Option<String>, Problem> {
        match self.given.remove(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(bad(field, "expected a text")),
        }
    }

    /// Yes or no, that need not be there.
    pub(in crate::http) fn optional_flag(&mut self, field: &str) -> Result<Option<bool>, Problem> {
        match self.given.remove(field) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(bad(field, "expected true or false")),
        }
    }

    /// Refuses what nobody has taken.
    pub(in crate::http) fn finish(self) -> Result<(), Problem> {
        match self.given.keys().next() {
            Some(field) => {
                let field: String = field.chars().take(64).collect();
                let detail = "there is no such field here";
                Err(Problem::of_parameter("unknown_parameter", &field, detail))
            }
            None => Ok(()),
        }
    }
}

/// A text of a form.
pub(super) fn parsed<T>(field: &str, text: &str) -> Result<T, Problem>
where
    T: std::str::FromStr<Err: Display>,
{
    text.parse().map_err(|error| bad(field, error))
}
