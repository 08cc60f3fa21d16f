//! The first run: a link with which the first user is made, once.

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use routewarden_core::Timestamp;
use routewarden_core::facts::Sha256;
use routewarden_store::access::{AccessFile, UserName};
use utoipa::ToSchema;

use super::Access;
use super::fields::{self, Fields};
use super::login::SessionDocument;
use crate::access::{Secret, check_password, hash_of};
use crate::config::Config;
use crate::http::Problem;
use crate::http::rate::ClientAddress;

/// Seconds for which the link is good.
pub const SETUP_SECS_MAX: i64 = 86_400;

/// File in `data_dir` that has the link, too, for those who do not see the journal.
const LINK_FILE: &str = "setup-link";

/// What is kept of the link.
pub(super) struct SetupLink {
    hash: Sha256,
    until: Timestamp,
    file: PathBuf,
}

/// What makes the first user.
#[derive(ToSchema)]
pub(super) struct SetUp {
    /// What stands behind the `#` of the link.
    token: String,
    /// Name of the first user.
    name: String,
    password: String,
}

/// Makes the link while there is no user, and tells of it.
pub(super) fn begin(
    users: &AccessFile,
    config: &Config,
    listen: SocketAddr,
    now: Timestamp,
) -> Result<Option<SetupLink>> {
    let file = config.data_dir.join(LINK_FILE);
    remove(&file).with_context(|| format!("cannot remove {}", file.display()))?;
    if users.has_users().context("cannot read the file of users")? {
        return Ok(None);
    }
    let secret = Secret::random().context("the system has no random octets")?;
    let public = config.http.public_url.as_ref().map(ToString::to_string);
    let base = public.unwrap_or_else(|| format!("http://{}", reachable(listen)));
    // Behind the `#`, so that no proxy sees it.
    let link = format!("{base}/setup#{}", secret.reveal());
    write(&file, &link).with_context(|| format!("cannot write {}", file.display()))?;
    tracing::warn!(%link, "there is no user yet: whoever opens this link within 24 hours makes the first");
    let until = now.plus_secs(SETUP_SECS_MAX);
    Ok(Some(SetupLink { hash: secret.hash(), until, file }))
}

/// An address that can be asked for: who listens on all is reached on the loopback, too.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn write(file: &Path, link: &str) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(file)?;
    writeln!(file, "{link}")
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl Access {
    fn link(&self) -> MutexGuard<'_, Option<SetupLink>> {
        // Put in whole: a poisoned lock is as good as any.
        self.setup.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_link(&self, token: &str) -> bool {
        let now = self.now();
        let hash = hash_of(token);
        self.link().as_ref().is_some_and(|link| link.hash == hash && now < link.until)
    }

    /// The link is used.
    fn end_setup(&self) {
        let Some(link) = self.link().take() else { return };
        if let Err(error) = remove(&link.file) {
            let file = link.file.display();
            tracing::warn!(%error, %file, "the link, which is used, could not be removed");
        }
    }
}

fn refused() -> Problem {
    let detail = "the link was used, is too old, or is not that of the last start: start the service \
                  again for a new one, or make the first user with routewarden user add";
    Problem::new(StatusCode::FORBIDDEN, "setup_refused", detail)
}

/// Make the first user, an admin, and log in
#[utoipa::path(
    post,
    path = "/setup",
    operation_id = "setUp",
    request_body = SetUp,
    responses((status = 200, description = "The session that begins", body = SessionDocument))
)]
pub(crate) async fn set_up(
    State(access): State<Arc<Access>>,
    Extension(client): Extension<ClientAddress>,
    mut fields: Fields,
) -> Result<Response, Problem> {
    let given = SetUp {
        token: fields.text("token")?,
        name: fields.text("name")?,
        password: fields.text("password")?,
    };
    fields.finish()?;
    access.files()?;
    if !access.is_link(&given.token) {
        return Err(refused());
    }
    let name: UserName = fields::parsed("name", &given.name)?;
    check_password(&name, &given.password).map_err(|fault| fields::bad("password", fault))?;
    let hash = access.passwords.hash(given.password).await?;
    let (actor, made) = (access.actor(client, None), (name.clone(), hash.clone()));
    access.change(move |file| file.set_up(&actor, made.0, made.1)).await?;
    access.end_setup();
    access.begin_session(client, (name, hash)).await
}
