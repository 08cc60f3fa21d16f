//! Tokens of programs.

use routewarden_core::Timestamp;
use routewarden_core::facts::Sha256;
use rusqlite::{OptionalExtension, Row, params};
use serde::Serialize;

use super::{AccessError, AccessFile, Actor, Outcome, Role, UserName, Verb, audit, users};
use crate::StoreError;

/// Most days for which a token may be valid.
pub const TOKEN_DAYS_MAX: i64 = 366;
/// Most tokens of a user, expired ones among them.
pub const TOKENS_PER_USER_MAX: i64 = 64;
/// Longest label of a token.
pub const LABEL_OCTETS_MAX: usize = 64;

/// A token, without its secret, which nobody knows but its owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Token {
    /// Number; never given again.
    pub id: i64,
    /// Whose it is.
    pub user: UserName,
    /// What it is for.
    pub label: String,
    /// What may be done with it, if its owner may.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is not valid.
    pub expires_at: Timestamp,
    /// When it was used last, give or take [`super::USE_NOTED_SECS`].
    pub used_at: Option<Timestamp>,
}

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// SHA-256 of its text.
    pub hash: Sha256,
    /// What it is for: 1 to [`LABEL_OCTETS_MAX`] octets without control characters.
    pub label: String,
    /// At most that of its owner.
    pub role: Role,
    /// At most [`TOKEN_DAYS_MAX`] from now.
    pub expires_at: Timestamp,
}

const SELECT: &str = "SELECT tokens.id, name, label, tokens.role, tokens.created_at, expires_at, \
                      used_at FROM tokens JOIN users ON users.id = user";

fn token(row: &Row<'_>) -> rusqlite::Result<Token> {
    let used_at: Option<i64> = row.get(6)?;
    Ok(Token {
        id: row.get(0)?,
        user: users::text(row, 1)?,
        label: row.get(2)?,
        role: users::text(row, 3)?,
        created_at: Timestamp::from_micros(row.get(4)?),
        expires_at: Timestamp::from_micros(row.get(5)?),
        used_at: used_at.map(Timestamp::from_micros),
    })
}

impl NewToken {
    fn check(&self, owner: Role, now: Timestamp) -> Result<(), AccessError> {
        if self.role > owner {
            return Err(AccessError::RoleTooHigh);
        }
        if self.expires_at <= now || self.expires_at > now.plus_secs(TOKEN_DAYS_MAX * 86_400) {
            return Err(AccessError::BadExpiry);
        }
        let is_whole = (1..=LABEL_OCTETS_MAX).contains(&self.label.len());
        if !is_whole || self.label.chars().any(char::is_control) {
            return Err(AccessError::BadLabel);
        }
        Ok(())
    }
}

impl AccessFile {
    /// The tokens of a user, or all, in the order in which they were made.
    pub fn tokens(&self, owner: Option<&UserName>) -> Result<Vec<Token>, StoreError> {
        let sql = format!("{SELECT} WHERE ?1 IS NULL OR name = ?1 ORDER BY tokens.id");
        let mut tokens = self.conn.prepare_cached(&sql)?;
        let tokens = tokens.query_map([owner.map(UserName::as_str)], token)?;
        Ok(tokens.collect::<Result<_, _>>()?)
    }

    /// Makes a token of a user.
    ///
    /// # Errors
    /// When there is no such user, the token is not as [`NewToken`] says, the user has
    /// [`TOKENS_PER_USER_MAX`], or the disk fails.
    pub fn add_token(
        &mut self,
        actor: &Actor,
        owner: &UserName,
        new: &NewToken,
    ) -> Result<Token, AccessError> {
        self.writing(|conn| {
            let (user, role) = users::active(conn, owner)?;
            new.check(role, actor.at)?;
            let sql = "SELECT count(*) FROM tokens WHERE user = ?1";
            let count: i64 = conn.query_row(sql, [user], |row| row.get(0))?;
            if count >= TOKENS_PER_USER_MAX {
                let what = "tokens of a user";
                return Err(AccessError::OverLimit { what, max: TOKENS_PER_USER_MAX });
            }
            let sql = "INSERT INTO tokens (hash, user, label, role, created_at, expires_at) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let [at, expires_at] = [actor.at.micros(), new.expires_at.micros()];
            conn.execute(
                sql,
                params![new.hash.0, user, new.label, new.role.name(), at, expires_at],
            )?;
            let id = conn.last_insert_rowid();
            let detail = format!("{owner} {} until {} {}", new.role, new.expires_at, new.label);
            let what = (Verb::TokenAdd, &*id.to_string(), &*detail);
            audit::append(conn, actor, what, Outcome::Ok)?;
            let sql = format!("{SELECT} WHERE tokens.id = ?1");
            Ok(conn.query_row(&sql, [id], token)?)
        })
    }

    /// Takes a token away, of a user or, without one, of anybody.
    ///
    /// # Errors
    /// When there is no such token, or the disk fails.
    pub fn revoke_token(
        &mut self,
        actor: &Actor,
        id: i64,
        owner: Option<&UserName>,
    ) -> Result<(), AccessError> {
        self.writing(|conn| {
            let sql = format!("{SELECT} WHERE tokens.id = ?1");
            let found = conn.query_row(&sql, [id], token).optional()?;
            let found = found.filter(|found| owner.is_none_or(|owner| *owner == found.user));
            let found = found.ok_or(AccessError::NoSuchToken(id))?;
            conn.execute("DELETE FROM tokens WHERE id = ?1", [id])?;
            let detail = format!("{} {}", found.user, found.label);
            let what = (Verb::TokenRevoke, &*id.to_string(), &*detail);
            audit::append(conn, actor, what, Outcome::Ok)
        })
    }
}
