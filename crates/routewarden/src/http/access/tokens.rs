//! Tokens of programs: `/tokens`.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::PathRejection;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use routewarden_core::Timestamp;
use routewarden_store::access::{NewToken, Role, Token};
use serde::Serialize;
use utoipa::ToSchema;

use super::fields::{self, Fields};
use super::{Access, Principal};
use crate::access::Secret;
use crate::http::Problem;
use crate::http::api::parameters::{Parameters, path};
use crate::http::rate::ClientAddress;

/// Tokens, in the order in which they were made.
#[derive(Serialize, ToSchema)]
pub(super) struct TokensPage {
    items: Vec<TokenItem>,
}

/// A token, without its secret.
#[derive(Serialize, ToSchema)]
pub(super) struct TokenItem {
    id: i64,
    /// Whose it is.
    user: String,
    label: String,
    role: &'static str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// When it was used last, give or take five minutes.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    used_at: Option<Timestamp>,
}

impl From<Token> for TokenItem {
    fn from(token: Token) -> Self {
        let Token { id, user, label, role, created_at, expires_at, used_at } = token;
        let (user, role) = (user.to_string(), role.name());
        TokenItem { id, user, label, role, created_at, expires_at, used_at }
    }
}

/// A token that was made.
#[derive(Serialize, ToSchema)]
pub(super) struct TokenMade {
    /// The token itself, shown this once.
    token: String,
    #[serde(flatten)]
    item: TokenItem,
}

/// A token to be made.
#[derive(ToSchema)]
pub(super) struct TokenAdd {
    /// What it is for: 1 to 64 octets.
    label: String,
    /// `viewer`, `analyst` or `admin`; at most one's own.
    role: String,
    /// At most 366 days from now.
    #[schema(format = DateTime)]
    expires_at: String,
}

/// One's own tokens; all with `all=true`, for an admin
#[utoipa::path(
    get,
    path = "/tokens",
    operation_id = "listTokens",
    params(("all" = Option<bool>, Query, description = "Those of all users; needs the role admin")),
    responses((status = 200, description = "The tokens", body = TokensPage))
)]
pub(crate) async fn list(
    State(access): State<Arc<Access>>,
    Extension(principal): Extension<Principal>,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut parameters = Parameters::of(&uri)?;
    let all = parameters.one_of("all", &["true", "false"])? == Some("true");
    parameters.finish()?;
    if all && principal.role < Role::Admin {
        let detail = "the tokens of all need the role admin";
        return Err(Problem::new(StatusCode::FORBIDDEN, "not_allowed", detail));
    }
    let owner = principal.user.filter(|_| !all);
    let tokens = access.look(move |file| file.tokens(owner.as_ref())).await?;
    Ok(Json(TokensPage { items: tokens.into_iter().map(Into::into).collect() }).into_response())
}

/// Make a token
#[utoipa::path(
    post,
    path = "/tokens",
    operation_id = "addToken",
    request_body = TokenAdd,
    responses((status = 201, description = "The token", body = TokenMade))
)]
pub(crate) async fn add(
    State(access): State<Arc<Access>>,
    Extension(client): Extension<ClientAddress>,
    Extension(principal): Extension<Principal>,
    mut fields: Fields,
) -> Result<Response, Problem> {
    let given = TokenAdd {
        label: fields.text("label")?,
        role: fields.text("role")?,
        expires_at: fields.text("expires_at")?,
    };
    fields.finish()?;
    access.files()?;
    let Some(owner) = principal.user.clone() else { return Err(access.unknown().await) };
    let role = fields::parsed("role", &given.role)?;
    let expires_at: Timestamp = given
        .expires_at
        .parse()
        .map_err(|_| fields::bad("expires_at", "expected a time, as 2026-12-31T00:00:00Z"))?;
    let secret = Secret::random_token().map_err(|error| {
        tracing::error!(%error, "no token could be made");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "no token could be made")
    })?;
    let actor = access.actor(client, Some(&principal));
    let new = NewToken { hash: secret.hash(), label: given.label, role, expires_at };
    let token = access.change(move |file| file.add_token(&actor, &owner, &new)).await?;
    let made = TokenMade { token: secret.reveal().to_owned(), item: token.into() };
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// Take a token away: one's own, or, for an admin, anybody's
#[utoipa::path(
    delete,
    path = "/tokens/{id}",
    operation_id = "revokeToken",
    params(("id" = i64, Path, description = "Number of the token")),
    responses((status = 204, description = "It is gone"))
)]
pub(crate) async fn revoke(
    State(access): State<Arc<Access>>,
    Extension(client): Extension<ClientAddress>,
    Extension(principal): Extension<Principal>,
    uri: Uri,
    id: Result<axum::extract::Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    Parameters::of(&uri)?.finish()?;
    let id = path("id", id)?;
    let id: i64 = id.parse().map_err(|_| fields::bad("id", "expected the number of a token"))?;
    access.files()?;
    let actor = access.actor(client, Some(&principal));
    let owner = principal.user.filter(|_| principal.role < Role::Admin);
    access.change(move |file| file.revoke_token(&actor, id, owner.as_ref())).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
