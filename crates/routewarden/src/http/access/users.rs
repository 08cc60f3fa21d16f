//! Users: `/users`.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::PathRejection;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use routewarden_core::Timestamp;
use routewarden_store::access::{AccessFile, NewUser, Role, User, UserChange, UserName};
use serde::Serialize;
use utoipa::ToSchema;

use super::fields::{self, Fields};
use super::{Access, Principal};
use crate::access::check_password;
use crate::http::Problem;
use crate::http::api::parameters::{Parameters, path};
use crate::http::rate::ClientAddress;

/// All users, in order of their names.
#[derive(Serialize, ToSchema)]
pub(super) struct UsersPage {
    items: Vec<UserItem>,
}

/// A user.
#[derive(Serialize, ToSchema)]
pub(super) struct UserItem {
    name: String,
    role: &'static str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Since when the password is what it is.
    #[schema(value_type = String, format = DateTime)]
    password_at: Timestamp,
    /// When the user logged in last.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    login_at: Option<Timestamp>,
    /// Since when the user may not log in.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    disabled_at: Option<Timestamp>,
}

impl From<User> for UserItem {
    fn from(user: User) -> Self {
        let User { name, role, created_at, password_at, login_at, disabled_at } = user;
        let (name, role) = (name.to_string(), role.name());
        UserItem { name, role, created_at, password_at, login_at, disabled_at }
    }
}

/// A user to be made.
#[derive(ToSchema)]
pub(super) struct UserAdd {
    /// 1 to 64 of a-z, 0-9, dot, underscore and hyphen.
    name: String,
    /// `viewer`, `analyst` or `admin`.
    role: String,
    /// 12 to 1,024 octets.
    password: String,
}

/// What is to be otherwise with a user.
#[derive(ToSchema)]
pub(super) struct UserPatch {
    role: Option<String>,
    /// All sessions of the user end.
    password: Option<String>,
    /// With `true`, all sessions of the user end.
    disabled: Option<bool>,
}

/// All users
#[utoipa::path(
    get,
    path = "/users",
    operation_id = "listUsers",
    responses((status = 200, description = "The users", body = UsersPage))
)]
pub(crate) async fn list(State(access): State<Arc<Access>>, uri: Uri) -> Result<Response, Problem> {
    Parameters::of(&uri)?.finish()?;
    let users = access.look(AccessFile::users).await?;
    Ok(Json(UsersPage { items: users.into_iter().map(Into::into).collect() }).into_response())
}

/// Make a user
#[utoipa::path(
    post,
    path = "/users",
    operation_id = "addUser",
    request_body = UserAdd,
    responses((status = 201, description = "The user", body = UserItem))
)]
pub(crate) async fn add(
    State(access): State<Arc<Access>>,
    Extension(client): Extension<ClientAddress>,
    Extension(principal): Extension<Principal>,
    mut fields: Fields,
) -> Result<Response, Problem> {
    let given = UserAdd {
        name: fields.text("name")?,
        role: fields.text("role")?,
        password: fields.text("password")?,
    };
    fields.finish()?;
    access.files()?;
    let (name, role) = (fields::parsed("name", &given.name)?, fields::parsed("role", &given.role)?);
    let password = access.new_password(&name, given.password).await?;
    let (actor, new) = (access.actor(client, Some(&principal)), NewUser { name, role, password });
    let user = access.change(move |file| file.add_user(&actor, &new)).await?;
    Ok((StatusCode::CREATED, Json(UserItem::from(user))).into_response())
}

/// Change a user
#[utoipa::path(
    patch,
    path = "/users/{name}",
    operation_id = "changeUser",
    params(("name" = String, Path, description = "Name of the user")),
    request_body = UserPatch,
    responses((status = 200, description = "The user as it is now", body = UserItem))
)]
pub(crate) async fn change(
    State(access): State<Arc<Access>>,
    Extension(client): Extension<ClientAddress>,
    Extension(principal): Extension<Principal>,
    name: Result<axum::extract::Path<String>, PathRejection>,
    mut fields: Fields,
) -> Result<Response, Problem> {
    let name: UserName = fields::parsed("name", &path("name", name)?)?;
    let given = UserPatch {
        role: fields.optional_text("role")?,
        password: fields.optional_text("password")?,
        disabled: fields.optional_flag("disabled")?,
    };
    fields.finish()?;
    access.files()?;
    let role: Option<Role> = given.role.map(|role| fields::parsed("role", &role)).transpose()?;
    let password = match given.password {
        Some(password) => Some(access.new_password(&name, password).await?),
        None => None,
    };
    let change = UserChange { role, password, disabled: given.disabled };
    let actor = access.actor(client, Some(&principal));
    let user = access.change(move |file| file.change_user(&actor, &name, &change)).await?;
    Ok(Json(UserItem::from(user)).into_response())
}

impl Access {
    /// The hash of a password that a user may have.
    async fn new_password(&self, user: &UserName, password: String) -> Result<String, Problem> {
        check_password(user, &password).map_err(|fault| fields::bad("password", fault))?;
        Ok(self.passwords.hash(password).await?)
    }
}
