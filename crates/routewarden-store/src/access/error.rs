//! Why something about users was not done.

use super::{LABEL_OCTETS_MAX, TOKEN_DAYS_MAX, UserName};
use crate::StoreError;

/// Why something about users was not done. Nothing of the failed call is kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// There is a user already: the first one is made once.
    #[error("there is a user already")]
    SetUpDone,
    /// The name is taken, if by a user who is disabled.
    #[error("there is a user {0} already")]
    NameTaken(UserName),
    /// There is no such user, or it is disabled.
    #[error("there is no user {0}")]
    NoSuchUser(UserName),
    /// There is no such token, or it is somebody else's.
    #[error("there is no token {0}")]
    NoSuchToken(i64),
    /// Nobody could manage users any more.
    #[error("{0} is the last active admin")]
    LastAdmin(UserName),
    /// A token may not do more than its owner.
    #[error("the role of a token is at most that of its owner")]
    RoleTooHigh,
    /// A label must say something, on one line.
    #[error("a label has 1 to {LABEL_OCTETS_MAX} octets and no control characters")]
    BadLabel,
    /// A token must expire, and not too late.
    #[error("a token must expire within {TOKEN_DAYS_MAX} days, and not before now")]
    BadExpiry,
    /// More than a limit allows.
    #[error("{what}: at most {max}")]
    OverLimit {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        max: i64,
    },
    /// The file of users failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AccessError {
    /// A stable name.
    pub fn kind(&self) -> &'static str {
        match self {
            AccessError::SetUpDone => "set_up_done",
            AccessError::NameTaken(_) => "name_taken",
            AccessError::NoSuchUser(_) => "no_such_user",
            AccessError::NoSuchToken(_) => "no_such_token",
            AccessError::LastAdmin(_) => "last_admin",
            AccessError::RoleTooHigh => "role_too_high",
            AccessError::BadLabel => "bad_label",
            AccessError::BadExpiry => "bad_expiry",
            AccessError::OverLimit { .. } => "over_limit",
            AccessError::Store(error) => error.kind(),
        }
    }
}

impl From<rusqlite::Error> for AccessError {
    fn from(error: rusqlite::Error) -> Self {
        AccessError::Store(error.into())
    }
}
