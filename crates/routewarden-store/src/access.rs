//! Who may use the program: users, their sessions and tokens, and what they did.
//!
//! ```text
//! AccessFile ─► access.db: users, sessions, tokens; audit (append-only, chained by hashes)
//! ```
//!
//! A file of its own beside the store: it is written by the service and by the command line at the
//! same time, and nothing in it can be made anew. Passwords come here as hashes, cookies and tokens
//! as their SHA-256; whoever calls makes these. Each change writes its row of the audit log in the
//! same transaction: what cannot be recorded is not done. See `docs/reference/access.md`.

mod audit;
mod error;
mod sessions;
#[cfg(test)]
mod tests;
mod tokens;
mod users;

use std::fmt;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use routewarden_core::Timestamp;
use rusqlite::{Connection, TransactionBehavior};
use serde::Serialize;

pub use audit::{AUDIT_ROWS_MAX, AUDIT_TEXT_OCTETS_MAX, AuditRow, Outcome, Verb};
pub use error::AccessError;
pub use sessions::{
    Identity, SESSION_IDLE_SECS_MAX, SESSION_SECS_MAX, SESSIONS_PER_USER_MAX, USE_NOTED_SECS,
};
pub use tokens::{LABEL_OCTETS_MAX, NewToken, TOKEN_DAYS_MAX, TOKENS_PER_USER_MAX, Token};
pub use users::{NewUser, USERS_MAX, User, UserChange};

use crate::StoreError;
use crate::backup::{self, BackupReport, PRIVATE};
use crate::journal::Verified;
use crate::schema::{self, Sort};

/// The file of users in its folder.
pub const ACCESS_FILE: &str = "access.db";
/// Marks a database as a file of users: `RWac`.
pub const ACCESS_APPLICATION_ID: i64 = 0x5257_6163;
/// The version of the file that this program writes, and the newest that it reads.
pub const ACCESS_VERSION: i64 = 1;
/// Longest name of a user.
pub const USER_NAME_OCTETS_MAX: usize = 64;

/// The file of users.
const ACCESS: Sort = Sort {
    file: ACCESS_FILE,
    application_id: ACCESS_APPLICATION_ID,
    version: ACCESS_VERSION,
    steps: &[(1, include_str!("sql/access_0001.sql"))],
    finish: |_| Ok(()),
    verify: audit::verify,
    is_empty: |conn| Ok(!users::has_users(conn)? && audit::head(conn)?.seq == 0),
};

/// What somebody may do; each may what the one before may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Works on incidents.
    Analyst,
    /// Manages users, and reads the audit log.
    Admin,
}

impl Role {
    /// All, the least first.
    pub const ALL: [Role; 3] = [Role::Viewer, Role::Analyst, Role::Admin];

    /// The name, as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Analyst => "analyst",
            Role::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No role has that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected viewer, analyst or admin")]
pub struct RoleParseError;

impl FromStr for Role {
    type Err = RoleParseError;

    fn from_str(text: &str) -> Result<Self, RoleParseError> {
        Role::ALL.into_iter().find(|role| role.name() == text).ok_or(RoleParseError)
    }
}

/// Name of a user: 1 to [`USER_NAME_OCTETS_MAX`] of `a-z`, `0-9`, `.`, `_` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct UserName(String);

impl UserName {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no name of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to {USER_NAME_OCTETS_MAX} of a-z, 0-9, dot, underscore and hyphen")]
pub struct UserNameParseError;

impl FromStr for UserName {
    type Err = UserNameParseError;

    fn from_str(text: &str) -> Result<Self, UserNameParseError> {
        let is_known = |octet: u8| matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
        if (1..=USER_NAME_OCTETS_MAX).contains(&text.len()) && text.bytes().all(is_known) {
            Ok(UserName(text.to_owned()))
        } else {
            Err(UserNameParseError)
        }
    }
}

/// Who does something, from where and when: what the audit log says of it.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The user, if one is logged in.
    pub user: Option<UserName>,
    /// Number of the token that was used.
    pub token: Option<i64>,
    /// Address, or how else it was done.
    pub address: String,
    /// By the wall clock.
    pub at: Timestamp,
}

/// The file of users, open. Several processes may have it open for writing.
pub struct AccessFile {
    conn: Connection,
}

impl AccessFile {
    /// Opens the file in a folder for writing, makes it when there is none, and migrates it when it
    /// is of an older version. A new one is readable by its owner only, who is that of the folder.
    ///
    /// # Errors
    /// When it is damaged, of another program or newer, or the disk fails.
    pub fn open(data_dir: &Path) -> Result<Self, StoreError> {
        let path = data_dir.join(ACCESS_FILE);
        match backup::make_private(&path) {
            Ok(()) => give_to_owner(data_dir, &path)?,
            Err(StoreError::Io(fault)) if fault.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        Ok(AccessFile { conn: schema::open_writer(&path, &ACCESS)? })
    }

    /// Opens the file in a folder for reading.
    ///
    /// # Errors
    /// When there is none, or it is damaged, of another program or of another version.
    pub fn open_for_reading(data_dir: &Path) -> Result<Self, StoreError> {
        Ok(AccessFile { conn: schema::open_reader(&data_dir.join(ACCESS_FILE), &ACCESS)? })
    }

    /// Copies the file as it is now into one file, looks the copy over and only then gives it its
    /// name.
    ///
    /// # Errors
    /// When there is a file already, the disk fails, or the copy is not in order.
    pub fn backup(&self, path: &Path) -> Result<BackupReport, StoreError> {
        backup::back_up(&self.conn, path, &ACCESS)
    }

    /// Follows the hashes over the whole audit log.
    ///
    /// # Errors
    /// [`StoreError::ChainBroken`] at the first row that is not what was recorded.
    pub fn verify(&self) -> Result<Verified, StoreError> {
        audit::verify(&self.conn)
    }

    /// Does all of the work or nothing of it.
    fn writing<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T, AccessError>,
    ) -> Result<T, AccessError> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&tx)?;
        tx.commit()?;
        Ok(result)
    }
}

/// Where the backup of the file of users is, beside that of the store.
pub fn backup_beside(store_backup: &Path) -> PathBuf {
    store_backup.with_extension(ACCESS_FILE)
}

/// Copies the file of users in a folder, if there is one, to where it belongs beside the backup of the
/// store.
///
/// # Errors
/// See [`AccessFile::backup`].
pub fn back_up(data_dir: &Path, store_backup: &Path) -> Result<Option<BackupReport>, StoreError> {
    if !data_dir.join(ACCESS_FILE).exists() {
        return Ok(None);
    }
    let file = AccessFile::open_for_reading(data_dir)?;
    file.backup(&backup_beside(store_backup)).map(Some)
}

/// Looks a backup of the file of users over; see [`crate::check_backup`].
///
/// # Errors
/// When it is not a backup of this or an older program, or is not in order.
pub fn check_backup(path: &Path) -> Result<BackupReport, StoreError> {
    backup::check(path, &ACCESS)
}

/// Puts a backup in the place of the file of users; see [`crate::restore`]. All sessions end, and the
/// audit log tells of it.
///
/// # Errors
/// When the backup is not in order, the store is in use or the file not empty, or the disk fails.
pub fn restore(
    copy: &Path,
    data_dir: &Path,
    force: bool,
    actor: &Actor,
) -> Result<BackupReport, AccessError> {
    let report = backup::put_back(copy, data_dir, force, &ACCESS)?;
    let place = data_dir.join(ACCESS_FILE);
    fs::set_permissions(&place, Permissions::from_mode(PRIVATE)).map_err(StoreError::from)?;
    give_to_owner(data_dir, &place)?;
    AccessFile::open(data_dir)?.writing(|conn| {
        conn.execute("DELETE FROM sessions", ())?;
        audit::append(conn, actor, (Verb::Restore, "", ""), Outcome::Ok)
    })?;
    Ok(report)
}

/// A file that the administrator makes belongs to the service, as the folder does.
fn give_to_owner(folder: &Path, file: &Path) -> Result<(), StoreError> {
    let (owner, made) = (folder.metadata()?, file.metadata()?);
    if made.uid() != owner.uid() {
        chown(file, Some(owner.uid()), Some(owner.gid()))?;
    }
    Ok(())
}
