//! Who is logged in: `/session`, `/password`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use routewarden_store::access::{AccessError, AccessFile, Actor, Outcome, UserName, Verb};
use serde::Serialize;
use utoipa::ToSchema;

use super::credentials;
use super::fields::{self, Fields};
use super::{Access, Credential, Principal, Refusal};
use crate::access::{Secret, TooMany, check_password};
use crate::http::Problem;
use crate::http::api::parameters::Parameters;
use crate::http::rate::ClientAddress;

/// Who is logged in.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionDocument {
    /// Null when nobody is, or access control is off.
    #[schema(required)]
    user: Option<SessionUser>,
    /// Whether the first user is still to be made.
    setup_needed: bool,
    /// `users`, or `off`: everybody may do everything.
    mode: &'static str,
}

/// A user who is logged in.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionUser {
    name: String,
    /// `viewer`, `analyst` or `admin`; of a token the lesser of its own and its owner's.
    role: &'static str,
}

/// What a user gives to log in.
#[derive(ToSchema)]
pub(super) struct LogIn {
    name: String,
    password: String,
}

/// What a user gives for another password.
#[derive(ToSchema)]
pub(super) struct PasswordChange {
    old: String,
    new: String,
}

impl SessionDocument {
    fn of(principal: &Principal) -> Self {
        let user =
            |name: &UserName| SessionUser { name: name.to_string(), role: principal.role.name() };
        SessionDocument {
            user: principal.user.as_ref().map(user),
            setup_needed: false,
            mode: "users",
        }
    }
}

/// Who is logged in, if anybody is
#[utoipa::path(
    get,
    path = "/session",
    operation_id = "getSession",
    responses((status = 200, description = "The session", body = SessionDocument))
)]
pub(crate) async fn session(
    State(access): State<Arc<Access>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Parameters::of(&uri)?.finish()?;
    if access.files.is_none() {
        let document = SessionDocument { user: None, setup_needed: false, mode: "off" };
        return Ok(Json(document).into_response());
    }
    let document = if let Some(principal) = access.identify(&headers).await? {
        SessionDocument::of(&principal)
    } else {
        let setup_needed = !access.look(AccessFile::has_users).await?;
        SessionDocument { user: None, setup_needed, mode: "users" }
    };
    Ok(Json(document).into_response())
}

/// Log in
#[utoipa::path(
    post,
    path = "/session",
    operation_id = "logIn",
    request_body = LogIn,
    responses((status = 200, description = "The session that begins", body = SessionDocument))
)]
pub(crate) async fn log_in(
    State(access): State<Arc<Access>>,
    Extension(client): Extension<ClientAddress>,
    mut fields: Fields,
) -> Result<Response, Problem> {
    let given = LogIn { name: fields.text("name")?, password: fields.text("password")? };
    fields.finish()?;
    access.files()?;
    let (name, hash) = access.authenticate(client, None, &given.name, given.password).await?;
    access.begin_session(client, (name, hash)).await
}

/// Log out
#[utoipa::path(
    delete,
    path = "/session",
    operation_id = "logOut",
    responses((status = 204, description = "The session has ended"))
)]
pub(crate) async fn log_out(
    State(access): State<Arc<Access>>,
    Extension(client): Extension<ClientAddress>,
    Extension(principal): Extension<Principal>,
    uri: Uri,
) -> Result<Response, Problem> {
    Parameters::of(&uri)?.finish()?;
    let session = principal.session(&access)?;
    let actor = access.actor(client, Some(&principal));
    access.change(move |file| file.end_session(&actor, &session)).await?;
    Ok(with_cookie(StatusCode::NO_CONTENT.into_response(), credentials::ended(access.is_https())))
}

/// Change one's own password; all other sessions of the user end
#[utoipa::path(
    post,
    path = "/password",
    operation_id = "changePassword",
    request_body = PasswordChange,
    responses((status = 204, description = "It is changed"))
)]
pub(crate) async fn change_password(
    State(access): State<Arc<Access>>,
    Extension(client): Extension<ClientAddress>,
    Extension(principal): Extension<Principal>,
    mut fields: Fields,
) -> Result<Response, Problem> {
    let given = PasswordChange { old: fields.text("old")?, new: fields.text("new")? };
    fields.finish()?;
    let session = principal.session(&access)?;
    let name = principal.user.clone().map(|user| user.to_string()).unwrap_or_default();
    let (name, _) = access.authenticate(client, Some(&principal), &name, given.old).await?;
    check_password(&name, &given.new).map_err(|fault| fields::bad("new", fault))?;
    let hash = access.passwords.hash(given.new).await?;
    let actor = access.actor(client, Some(&principal));
    access.change(move |file| file.change_password(&actor, (&name, &hash), &session)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

impl Principal {
    /// The session, where the guard has asked for a login.
    fn session(&self, access: &Access) -> Result<routewarden_core::facts::Sha256, Problem> {
        access.files()?;
        match self.by {
            Credential::Session(hash) => Ok(hash),
            Credential::Token(..) | Credential::Nothing => Err(failed()),
        }
    }
}

/// Which of name and password was wrong is not said.
fn failed() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "login_failed", "the name or the password is wrong")
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

impl Access {
    /// The user with that name and password, and the hash that the password was held against. It
    /// takes the same time and says the same whether there is such a user.
    async fn authenticate(
        &self,
        client: ClientAddress,
        principal: Option<&Principal>,
        name: &str,
        password: String,
    ) -> Result<(UserName, String), Problem> {
        let name: Option<UserName> = name.parse().ok();
        let counted = name.as_ref().map(UserName::as_str).unwrap_or_default();
        let (place, actor) = (client.place(), self.actor(client, principal));
        let begun = self.attempts().begin(place, counted, actor.at);
        if let Err(too_many) = begun {
            return Err(self.limited(actor, name, too_many).await);
        }
        let known = match name.clone() {
            Some(name) => self.look(move |file| file.password_of(&name)).await?,
            None => None,
        };
        let is_right = self.passwords.is_right(password, known.clone()).await?;
        match (name, known) {
            (Some(name), Some(hash)) if is_right => {
                self.attempts().was_right(place, name.as_str());
                Ok((name, hash))
            }
            (name, _) => {
                self.record_refusal(actor, name, Outcome::Refused).await?;
                Err(failed())
            }
        }
    }

    async fn limited(&self, actor: Actor, name: Option<UserName>, too_many: TooMany) -> Problem {
        if too_many.is_first
            && let Err(problem) = self.record_refusal(actor, name, Outcome::Limited).await
        {
            return problem;
        }
        let detail = format!("too many attempts: try again in {} s", too_many.retry_after);
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", detail)
            .retry_after(Duration::from_secs(too_many.retry_after))
    }

    /// A name that nobody has is not recorded: it may be a password in the wrong field.
    async fn record_refusal(
        &self,
        actor: Actor,
        name: Option<UserName>,
        outcome: Outcome,
    ) -> Result<(), Problem> {
        let record = self.change(move |file| {
            let name = name.filter(|name| file.knows(name).unwrap_or(false));
            let object = name.as_ref().map(UserName::as_str).unwrap_or_default();
            file.record(&actor, (Verb::LogIn, object, ""), outcome)
        });
        Ok(record.await?)
    }

    /// Begins a session, and answers with it and its cookie.
    pub(super) async fn begin_session(
        &self,
        client: ClientAddress,
        (name, password): (UserName, String),
    ) -> Result<Response, Problem> {
        let secret = Secret::random().map_err(|error| {
            tracing::error!(%error, "no session could be made");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "no session could be made")
        })?;
        let (actor, hash) = (self.actor(client, None), secret.hash());
        let begun = self.change(move |file| {
            file.begin_session(&actor, (&name, &password), &hash)?;
            Ok(file.session(&hash, actor.at)?)
        });
        let identity = match begun.await {
            Ok(Some(identity)) => identity,
            // Disabled, or with another password, since it was looked at.
            Ok(None) | Err(Refusal::Refused(AccessError::NoSuchUser(_))) => return Err(failed()),
            Err(refusal) => return Err(refusal.into()),
        };
        let by = Credential::Session(hash);
        let principal = Principal { user: Some(identity.user), role: identity.role, by };
        let response = Json(SessionDocument::of(&principal)).into_response();
        Ok(with_cookie(response, credentials::begun(&secret, self.is_https())))
    }
}
