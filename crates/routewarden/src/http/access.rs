//! Who may do what over HTTP; see `docs/reference/access.md`.
//!
//! ```text
//! request ─► guard: routes (what it needs) ─► credentials ─► AccessFile (who it is) ─► handler
//!                    └─► origin (no other site's, no other name's)      └─► audit log
//! ```

pub(super) mod audit;
mod credentials;
mod fields;
mod guard;
pub(super) mod login;
mod origin;
mod routes;
pub(super) mod setup;
#[cfg(test)]
pub(super) mod tests;
pub(super) mod tokens;
pub(super) mod users;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, patch, post};
use routewarden_core::facts::Sha256;
use routewarden_core::{Prefix, Timestamp};
use routewarden_feeds::live::Clock;
use routewarden_store::StoreError;
use routewarden_store::access::{AccessError, AccessFile, Actor, Role, UserName};

pub use audit::AUDIT_ITEMS_MAX;
pub use fields::ACCESS_BODY_OCTETS_MAX;
pub(super) use fields::Fields;
pub use guard::RECHECK_SECS;
pub(super) use origin::behind_proxies;
pub use routes::{Needs, ROUTES, Route, matrix};
pub use setup::SETUP_SECS_MAX;

use self::setup::SetupLink;
use super::Problem;
use super::rate::ClientAddress;
use crate::access::{Attempts, HashError, Passwords};
use crate::config::{AccessMode, Config, PublicUrl};

/// Who may do what.
pub struct Access {
    /// None when access control is off.
    files: Option<Files>,
    open_metrics: bool,
    public: Option<PublicUrl>,
    proxies: Vec<Prefix>,
    clock: Arc<dyn Clock>,
    passwords: Passwords,
    attempts: Mutex<Attempts>,
    setup: Mutex<Option<SetupLink>>,
    /// How often it is looked whether the reader of a stream may still read it.
    recheck: Duration,
}

/// The file of users, open twice: whoever looks who somebody is does not wait for a change to be on
/// the disk.
struct Files {
    looks: Arc<tokio::sync::Mutex<AccessFile>>,
    changes: Arc<tokio::sync::Mutex<AccessFile>>,
}

/// Who asks, as found by the guard.
#[derive(Clone, Debug)]
pub(super) struct Principal {
    /// None when access control is off.
    pub(super) user: Option<UserName>,
    pub(super) role: Role,
    pub(super) by: Credential,
}

/// By what somebody is known.
#[derive(Clone, Copy, Debug)]
pub(super) enum Credential {
    /// Access control is off.
    Nothing,
    /// The session with this hash.
    Session(Sha256),
    /// The token of this number, with this hash.
    Token(i64, Sha256),
}

impl Access {
    /// Opens the file of users; while there is none, a link with which the first is made is told of.
    /// `listen` is where the server listens.
    ///
    /// # Errors
    /// When the file cannot be opened, or the link not be written.
    pub fn open(config: &Config, clock: Arc<dyn Clock>, listen: SocketAddr) -> Result<Self> {
        let is_off = config.access.mode == AccessMode::Off;
        let mut access = Access {
            files: None,
            open_metrics: config.http.open_metrics,
            public: config.http.public_url.clone(),
            proxies: config.access.proxies.iter().map(|range| range.0).collect(),
            clock,
            passwords: Passwords::new(),
            attempts: Mutex::default(),
            setup: Mutex::default(),
            recheck: Duration::from_secs(RECHECK_SECS),
        };
        if is_off {
            tracing::warn!("access control is off: whoever reaches {listen} may do everything");
            return Ok(access);
        }
        let open = || AccessFile::open(&config.data_dir).context("cannot open the file of users");
        let (looks, changes) = (open()?, open()?);
        access.setup = Mutex::new(setup::begin(&looks, config, listen, access.clock.now())?);
        let share = |file| Arc::new(tokio::sync::Mutex::new(file));
        access.files = Some(Files { looks: share(looks), changes: share(changes) });
        Ok(access)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        // Counters are right after each step: a poisoned lock is as good as any.
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the audit log says of who asks.
    fn actor(&self, client: ClientAddress, principal: Option<&Principal>) -> Actor {
        let token = principal.and_then(|principal| match principal.by {
            Credential::Token(id, _) => Some(id),
            Credential::Session(_) | Credential::Nothing => None,
        });
        Actor {
            user: principal.and_then(|principal| principal.user.clone()),
            token,
            address: client.0.to_string(),
            at: self.now(),
        }
    }

    fn files(&self) -> Result<&Files, Problem> {
        let detail = "access control is off: there are no users";
        self.files.as_ref().ok_or_else(|| Problem::new(StatusCode::CONFLICT, "access_off", detail))
    }

    /// Looks something up.
    async fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(&AccessFile) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let file = Arc::clone(&self.files()?.looks).lock_owned().await;
        on_thread(move || work(&file)).await?.map_err(|error| unavailable(&error))
    }

    /// Changes something; what is refused is for the caller to tell.
    async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut AccessFile) -> Result<T, AccessError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let mut file = Arc::clone(&self.files()?.changes).lock_owned().await;
        Ok(on_thread(move || work(&mut file)).await??)
    }
}

/// Work that may block; it holds what it needs until it is done, also when nobody waits any more.
async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "work on the file of users failed");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "it failed")
    })
}

fn unavailable(error: &StoreError) -> Problem {
    tracing::warn!(%error, kind = error.kind(), "the file of users cannot be used");
    let detail = "the file of users cannot be used";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "access_unavailable", detail)
        .with("kind", error.kind().into())
}

/// Why a change was not made.
enum Refusal {
    Refused(AccessError),
    Problem(Problem),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Refusal::Problem(problem)
    }
}

impl From<AccessError> for Refusal {
    fn from(error: AccessError) -> Self {
        Refusal::Refused(error)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let error = match refusal {
            Refusal::Problem(problem) => return problem,
            Refusal::Refused(AccessError::Store(error)) => return unavailable(&error),
            Refusal::Refused(error) => error,
        };
        match error {
            AccessError::NoSuchUser(_) | AccessError::NoSuchToken(_) => {
                Problem::new(StatusCode::NOT_FOUND, error.kind(), error.to_string())
            }
            AccessError::RoleTooHigh => fields::bad("role", error),
            AccessError::BadLabel => fields::bad("label", error),
            AccessError::BadExpiry => fields::bad("expires_at", error),
            error => Problem::new(StatusCode::CONFLICT, error.kind(), error.to_string()),
        }
    }
}

impl From<HashError> for Problem {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => {
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", error.to_string())
                    .retry_after(Duration::from_secs(1))
            }
            HashError::Failed(_) => {
                tracing::error!(%error, "a password could not be hashed");
                let detail = "the password could not be hashed";
                Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
            }
        }
    }
}

/// The routes of this module, below the base of the API.
pub(super) fn router(access: Arc<Access>) -> Router {
    Router::new()
        .route("/session", get(login::session).post(login::log_in).delete(login::log_out))
        .route("/setup", post(setup::set_up))
        .route("/password", post(login::change_password))
        .route("/users", get(users::list).post(users::add))
        .route("/users/{name}", patch(users::change))
        .route("/tokens", get(tokens::list).post(tokens::add))
        .route("/tokens/{id}", delete(tokens::revoke))
        .route("/audit", get(audit::list))
        .with_state(access)
}

/// Puts the guard before all routes that are there now.
pub(super) fn guarded(router: Router, access: Arc<Access>) -> Router {
    router.layer(from_fn_with_state(access, guard::guard))
}
