//! The audit log: rows that are only ever added, each with a hash over it and the one before.

use routewarden_core::Timestamp;
use routewarden_core::facts::Sha256;
use rusqlite::{Connection, Row, params};
use serde::Serialize;

use super::{AccessError, AccessFile, Actor};
use crate::StoreError;
use crate::journal::{BEGINNING, Head, Verified, chained};

/// Longest object or detail of a row.
pub const AUDIT_TEXT_OCTETS_MAX: usize = 4_096;
/// Most rows read at once.
pub const AUDIT_ROWS_MAX: usize = 1_000;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// The first user was made.
    SetUp,
    /// Somebody logged in, or tried to. Object: the user, empty for a name that nobody has.
    LogIn,
    /// Somebody logged out.
    LogOut,
    /// A user was made. Detail: the role.
    UserAdd,
    /// Role of a user. Detail: the new one.
    UserRole,
    /// Password of a user.
    UserPassword,
    /// A user may no longer log in.
    UserDisable,
    /// A user may log in again.
    UserEnable,
    /// A token was made. Object: its number. Detail: owner, role, end, label.
    TokenAdd,
    /// A token is gone. Object: its number. Detail: owner, label.
    TokenRevoke,
    /// Data were taken out. Object: path. Detail: query.
    Export,
    /// The file of users was put back from a backup.
    Restore,
}

impl Verb {
    /// The name in the log.
    pub fn name(self) -> &'static str {
        match self {
            Verb::SetUp => "set_up",
            Verb::LogIn => "log_in",
            Verb::LogOut => "log_out",
            Verb::UserAdd => "user_add",
            Verb::UserRole => "user_role",
            Verb::UserPassword => "user_password",
            Verb::UserDisable => "user_disable",
            Verb::UserEnable => "user_enable",
            Verb::TokenAdd => "token_add",
            Verb::TokenRevoke => "token_revoke",
            Verb::Export => "export",
            Verb::Restore => "restore",
        }
    }
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Ok,
    /// It was refused.
    Refused,
    /// It was refused because of too many attempts. Told once, until others are taken again.
    Limited,
}

impl Outcome {
    /// The name in the log.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Refused => "refused",
            Outcome::Limited => "limited",
        }
    }
}

/// A row of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditRow {
    /// Number, from 1, without gaps.
    pub seq: i64,
    /// When, by the wall clock.
    pub at: Timestamp,
    /// Name of the user who did it, if one was logged in.
    pub user: Option<String>,
    /// Number of the token that was used.
    pub token: Option<i64>,
    /// Address from which it was done, or `command line`.
    pub address: String,
    /// Name of a [`Verb`].
    pub verb: String,
    /// To what it was done.
    pub object: String,
    /// What else there is to say.
    pub detail: String,
    /// Name of an [`Outcome`].
    pub outcome: String,
    /// Hash over this row and the hash before.
    pub hash: Sha256,
}

impl AuditRow {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (user, token): (String, i64) = (row.get(2)?, row.get(3)?);
        Ok(AuditRow {
            seq: row.get(0)?,
            at: Timestamp::from_micros(row.get(1)?),
            user: Some(user).filter(|user| !user.is_empty()),
            token: Some(token).filter(|token| *token != 0),
            address: row.get(4)?,
            verb: row.get(5)?,
            object: row.get(6)?,
            detail: row.get(7)?,
            outcome: row.get(8)?,
            hash: Sha256(row.get(9)?),
        })
    }

    /// The hash that it must have.
    fn hash_after(&self, before: &Sha256) -> Sha256 {
        let user = self.user.as_deref().unwrap_or_default();
        let texts = [user, &self.address, &self.verb, &self.object, &self.detail, &self.outcome];
        chained(before, &[self.seq, self.at.micros(), self.token.unwrap_or_default()], &texts)
    }
}

const COLUMNS: &str = "seq, at, user, token, address, verb, object, detail, outcome, hash";

/// The end of the log.
pub(super) fn head(conn: &Connection) -> Result<Head, StoreError> {
    let sql = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1";
    let mut last = conn.prepare_cached(sql)?;
    let mut rows = last.query(())?;
    Ok(match rows.next()? {
        Some(row) => Head { seq: row.get(0)?, hash: Sha256(row.get(1)?) },
        None => BEGINNING,
    })
}

/// Adds a row. Belongs into the transaction of what it tells of.
pub(super) fn append(
    conn: &Connection,
    actor: &Actor,
    (verb, object, detail): (Verb, &str, &str),
    outcome: Outcome,
) -> Result<(), AccessError> {
    if object.len().max(detail.len()) > AUDIT_TEXT_OCTETS_MAX {
        let what = "octets of a text of the audit log";
        return Err(StoreError::OverLimit { what, max: AUDIT_TEXT_OCTETS_MAX }.into());
    }
    let head = head(conn)?;
    let mut row = AuditRow {
        seq: head.seq + 1,
        at: actor.at,
        user: actor.user.as_ref().map(ToString::to_string),
        token: actor.token,
        address: actor.address.clone(),
        verb: verb.name().to_owned(),
        object: object.to_owned(),
        detail: detail.to_owned(),
        outcome: outcome.name().to_owned(),
        hash: head.hash,
    };
    row.hash = row.hash_after(&head.hash);
    conn.prepare_cached(&format!(
        "INSERT INTO audit ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
    ))?
    .execute(params![
        row.seq,
        row.at.micros(),
        row.user.unwrap_or_default(),
        row.token.unwrap_or_default(),
        row.address,
        row.verb,
        row.object,
        row.detail,
        row.outcome,
        row.hash.0
    ])?;
    Ok(())
}

/// Follows the hashes over the whole log.
///
/// # Errors
/// [`StoreError::ChainBroken`] at the first row that is not what was recorded, or is missing.
pub(super) fn verify(conn: &Connection) -> Result<Verified, StoreError> {
    let mut head = BEGINNING;
    let mut rows = conn.prepare(&format!("SELECT {COLUMNS} FROM audit ORDER BY seq"))?;
    let mut rows = rows.query(())?;
    while let Some(found) = rows.next()? {
        let found = AuditRow::of(found)?;
        let hash = found.hash_after(&head.hash);
        if found.seq != head.seq + 1 || hash != found.hash {
            return Err(StoreError::ChainBroken { seq: head.seq + 1 });
        }
        head = Head { seq: found.seq, hash };
    }
    Ok(Verified { rows: head.seq.unsigned_abs(), pruned: 0, head })
}

impl AccessFile {
    /// Records what changes nothing in this file: an export, a login that failed.
    ///
    /// # Errors
    /// When a text is longer than [`AUDIT_TEXT_OCTETS_MAX`], or the disk fails.
    pub fn record(
        &mut self,
        actor: &Actor,
        what: (Verb, &str, &str),
        outcome: Outcome,
    ) -> Result<(), AccessError> {
        self.writing(|conn| append(conn, actor, what, outcome))
    }

    /// Rows before a number, newest first; at most `limit` and [`AUDIT_ROWS_MAX`].
    pub fn audit_before(&self, seq: i64, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        self.audit_rows("seq < ?1 ORDER BY seq DESC", seq, limit)
    }

    /// Rows from a number on, oldest first; at most `limit` and [`AUDIT_ROWS_MAX`].
    pub fn audit_from(&self, seq: i64, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        self.audit_rows("seq >= ?1 ORDER BY seq", seq, limit)
    }

    fn audit_rows(&self, which: &str, seq: i64, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM audit WHERE {which} LIMIT ?2");
        let mut rows = self.conn.prepare_cached(&sql)?;
        let limit = i64::try_from(limit.min(AUDIT_ROWS_MAX)).unwrap_or(i64::MAX);
        let rows = rows.query_map([seq, limit], AuditRow::of)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
