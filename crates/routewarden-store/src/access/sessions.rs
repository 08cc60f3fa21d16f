//! Sessions, and who stands behind a cookie or token.

use routewarden_core::Timestamp;
use routewarden_core::facts::Sha256;
use rusqlite::{OptionalExtension, Row, params};

use super::{AccessError, AccessFile, Actor, Outcome, Role, UserName, Verb, audit, users};
use crate::StoreError;

/// Seconds without use after which a session ends.
pub const SESSION_IDLE_SECS_MAX: i64 = 8 * 3_600;
/// Seconds after which a session ends in any case.
pub const SESSION_SECS_MAX: i64 = 7 * 86_400;
/// Most sessions of a user; a further one ends the one that was used least lately.
pub const SESSIONS_PER_USER_MAX: i64 = 20;
/// The use of a session or token is noted again after so many seconds.
pub const USE_NOTED_SECS: i64 = 300;

/// Who stands behind a cookie or token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user, who is not disabled.
    pub user: UserName,
    /// What may be done: the user's role; of a token the lesser of its own and the user's.
    pub role: Role,
    /// Number of the token, if it is one.
    pub token: Option<i64>,
    /// Whether the use is to be noted: it was not for [`USE_NOTED_SECS`].
    pub is_to_note: bool,
}

fn is_to_note(used_at: Option<Timestamp>, now: Timestamp) -> bool {
    used_at.is_none_or(|used_at| now.secs_since(used_at) >= USE_NOTED_SECS)
}

impl AccessFile {
    /// Who has the session, if it has not ended.
    pub fn session(&self, hash: &Sha256, now: Timestamp) -> Result<Option<Identity>, StoreError> {
        let sql = "SELECT name, role, used_at FROM sessions JOIN users ON id = user \
                   WHERE hash = ?1 AND disabled_at IS NULL \
                   AND sessions.created_at > ?2 AND used_at > ?3";
        let [begun, used] = limits(now);
        let identity = |row: &Row<'_>| {
            let used_at = Timestamp::from_micros(row.get(2)?);
            Ok(Identity {
                user: users::text(row, 0)?,
                role: users::text(row, 1)?,
                token: None,
                is_to_note: is_to_note(Some(used_at), now),
            })
        };
        let mut found = self.conn.prepare_cached(sql)?;
        Ok(found.query_row(params![hash.0, begun, used], identity).optional()?)
    }

    /// Whose token it is, if it has not expired.
    pub fn token(&self, hash: &Sha256, now: Timestamp) -> Result<Option<Identity>, StoreError> {
        let sql = "SELECT name, users.role, tokens.role, tokens.id, used_at \
                   FROM tokens JOIN users ON users.id = user \
                   WHERE hash = ?1 AND disabled_at IS NULL AND expires_at > ?2";
        let identity = |row: &Row<'_>| {
            let [of_user, of_token]: [Role; 2] = [users::text(row, 1)?, users::text(row, 2)?];
            let used_at: Option<i64> = row.get(4)?;
            Ok(Identity {
                user: users::text(row, 0)?,
                role: of_user.min(of_token),
                token: Some(row.get(3)?),
                is_to_note: is_to_note(used_at.map(Timestamp::from_micros), now),
            })
        };
        let mut found = self.conn.prepare_cached(sql)?;
        Ok(found.query_row(params![hash.0, now.micros()], identity).optional()?)
    }

    /// Begins a session of the user whose password is still the one that was looked at.
    ///
    /// # Errors
    /// When there is no such user, or the disk fails.
    pub fn begin_session(
        &mut self,
        actor: &Actor,
        (name, password): (&UserName, &str),
        hash: &Sha256,
    ) -> Result<(), AccessError> {
        let at = actor.at.micros();
        self.writing(|conn| {
            let (id, _) = users::active(conn, name)?;
            let sql = "UPDATE users SET login_at = ?3 WHERE id = ?1 AND password = ?2";
            if conn.execute(sql, params![id, password, at])? == 0 {
                return Err(AccessError::NoSuchUser(name.clone()));
            }
            let [begun, used] = limits(actor.at);
            let over = "DELETE FROM sessions WHERE created_at <= ?1 OR used_at <= ?2";
            conn.execute(over, [begun, used])?;
            let surplus = "DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions \
                           WHERE user = ?1 ORDER BY used_at DESC, hash LIMIT -1 OFFSET ?2)";
            conn.execute(surplus, params![id, SESSIONS_PER_USER_MAX - 1])?;
            let sql =
                "INSERT INTO sessions (hash, user, created_at, used_at) VALUES (?1, ?2, ?3, ?3)";
            conn.execute(sql, params![hash.0, id, at])?;
            let as_user = Actor { user: Some(name.clone()), ..actor.clone() };
            audit::append(conn, &as_user, (Verb::LogIn, name.as_str(), ""), Outcome::Ok)
        })
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn end_session(&mut self, actor: &Actor, hash: &Sha256) -> Result<(), AccessError> {
        self.writing(|conn| {
            conn.execute("DELETE FROM sessions WHERE hash = ?1", [hash.0])?;
            let name = actor.user.as_ref().map(UserName::as_str).unwrap_or_default();
            audit::append(conn, actor, (Verb::LogOut, name, ""), Outcome::Ok)
        })
    }

    /// Notes that a session is used.
    pub fn note_session(&mut self, hash: &Sha256, now: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE sessions SET used_at = max(used_at, ?2) WHERE hash = ?1";
        self.conn.execute(sql, params![hash.0, now.micros()])?;
        Ok(())
    }

    /// Notes that a token is used.
    pub fn note_token(&mut self, id: i64, now: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE tokens SET used_at = ?2 WHERE id = ?1";
        self.conn.execute(sql, params![id, now.micros()])?;
        Ok(())
    }
}

/// Sessions that began, or were used last, at that time or before are over.
fn limits(now: Timestamp) -> [i64; 2] {
    [now.plus_secs(-SESSION_SECS_MAX).micros(), now.plus_secs(-SESSION_IDLE_SECS_MAX).micros()]
}
