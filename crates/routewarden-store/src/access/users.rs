//! Users.

use routewarden_core::Timestamp;
use routewarden_core::facts::Sha256;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;

use super::{AccessError, AccessFile, Actor, Outcome, Role, UserName, Verb, audit};
use crate::StoreError;

/// Most users, disabled ones among them.
pub const USERS_MAX: i64 = 1_000;

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct User {
    /// The name; it stays for ever.
    pub name: UserName,
    /// What the user may do.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when the password is what it is.
    pub password_at: Timestamp,
    /// When the user logged in last.
    pub login_at: Option<Timestamp>,
    /// Since when the user may not log in.
    pub disabled_at: Option<Timestamp>,
}

/// A user to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The name.
    pub name: UserName,
    /// What the user may do.
    pub role: Role,
    /// Hash of the password, as a PHC string.
    pub password: String,
}

/// What is to be otherwise with a user.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// The new role.
    pub role: Option<Role>,
    /// Hash of the new password, as a PHC string.
    pub password: Option<String>,
    /// Whether the user may no longer log in.
    pub disabled: Option<bool>,
}

const COLUMNS: &str = "name, role, created_at, password_at, login_at, disabled_at";

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    let time = |at: Option<i64>| at.map(Timestamp::from_micros);
    Ok(User {
        name: text(row, 0)?,
        role: text(row, 1)?,
        created_at: Timestamp::from_micros(row.get(2)?),
        password_at: Timestamp::from_micros(row.get(3)?),
        login_at: time(row.get(4)?),
        disabled_at: time(row.get(5)?),
    })
}

/// A text that must have a form.
pub(super) fn text<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text: String = row.get(column)?;
    text.parse().map_err(|error| {
        let sort = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(column, sort, Box::new(error))
    })
}

pub(super) fn has_users(conn: &Connection) -> Result<bool, StoreError> {
    Ok(conn.prepare_cached("SELECT 1 FROM users LIMIT 1")?.exists(())?)
}

fn find(conn: &Connection, name: &UserName) -> Result<User, AccessError> {
    let sql = format!("SELECT {COLUMNS} FROM users WHERE name = ?1");
    let found = conn.prepare_cached(&sql)?.query_row([name.as_str()], user).optional()?;
    found.ok_or_else(|| AccessError::NoSuchUser(name.clone()))
}

/// The number and role of a user who is not disabled.
pub(super) fn active(conn: &Connection, name: &UserName) -> Result<(i64, Role), AccessError> {
    let sql = "SELECT id, role FROM users WHERE name = ?1 AND disabled_at IS NULL";
    let found = conn.prepare_cached(sql)?;
    let found = { found }.query_row([name.as_str()], |row| Ok((row.get(0)?, text(row, 1)?)));
    found.optional()?.ok_or_else(|| AccessError::NoSuchUser(name.clone()))
}

impl AccessFile {
    /// Whether there is any user, if disabled.
    pub fn has_users(&self) -> Result<bool, StoreError> {
        has_users(&self.conn)
    }

    /// All users in order of their names.
    pub fn users(&self) -> Result<Vec<User>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM users ORDER BY name");
        let mut users = self.conn.prepare(&sql)?;
        Ok(users.query_map((), user)?.collect::<Result<_, _>>()?)
    }

    /// Hash of the password of a user who is not disabled.
    pub fn password_of(&self, name: &UserName) -> Result<Option<String>, StoreError> {
        let sql = "SELECT password FROM users WHERE name = ?1 AND disabled_at IS NULL";
        let mut found = self.conn.prepare_cached(sql)?;
        Ok(found.query_row([name.as_str()], |row| row.get(0)).optional()?)
    }

    /// Whether somebody has the name, if disabled.
    pub fn knows(&self, name: &UserName) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM users WHERE name = ?1";
        Ok(self.conn.prepare_cached(sql)?.exists([name.as_str()])?)
    }

    /// Makes the first user, an admin.
    ///
    /// # Errors
    /// When there is a user already, or the disk fails.
    pub fn set_up(
        &mut self,
        actor: &Actor,
        name: UserName,
        password: String,
    ) -> Result<User, AccessError> {
        self.writing(|conn| {
            if has_users(conn)? {
                return Err(AccessError::SetUpDone);
            }
            add(conn, actor, &NewUser { name, role: Role::Admin, password }, Verb::SetUp)
        })
    }

    /// Makes a user.
    ///
    /// # Errors
    /// When the name is taken, there are [`USERS_MAX`], or the disk fails.
    pub fn add_user(&mut self, actor: &Actor, new: &NewUser) -> Result<User, AccessError> {
        self.writing(|conn| {
            let count: i64 = conn.query_row("SELECT count(*) FROM users", (), |row| row.get(0))?;
            if count >= USERS_MAX {
                return Err(AccessError::OverLimit { what: "users", max: USERS_MAX });
            }
            add(conn, actor, new, Verb::UserAdd)
        })
    }

    /// Changes a user. With a new password, or disabled, all sessions of the user end.
    ///
    /// # Errors
    /// When there is no such user, nobody could manage users any more, or the disk fails.
    pub fn change_user(
        &mut self,
        actor: &Actor,
        name: &UserName,
        change: &UserChange,
    ) -> Result<User, AccessError> {
        self.writing(|conn| {
            let before = find(conn, name)?;
            if let Some(role) = change.role.filter(|role| *role != before.role) {
                conn.execute(
                    "UPDATE users SET role = ?2 WHERE name = ?1",
                    (name.as_str(), role.name()),
                )?;
                let what = (Verb::UserRole, name.as_str(), role.name());
                audit::append(conn, actor, what, Outcome::Ok)?;
            }
            if let Some(password) = &change.password {
                put_password(conn, actor, (name, password), None)?;
            }
            match change.disabled {
                Some(disabled) if disabled != before.disabled_at.is_some() => {
                    put_disabled(conn, actor, name, disabled)?;
                }
                _ => {}
            }
            let after = find(conn, name)?;
            let is_admin = |user: &User| user.role == Role::Admin && user.disabled_at.is_none();
            if is_admin(&before) && !is_admin(&after) && !has_admin(conn)? {
                return Err(AccessError::LastAdmin(name.clone()));
            }
            Ok(after)
        })
    }

    /// Gives a user another password. All sessions of the user end but the one to be kept.
    ///
    /// # Errors
    /// When there is no such user, or the disk fails.
    pub fn change_password(
        &mut self,
        actor: &Actor,
        (name, password): (&UserName, &str),
        kept: &Sha256,
    ) -> Result<(), AccessError> {
        self.writing(|conn| put_password(conn, actor, (name, password), Some(kept)))
    }
}

fn add(conn: &Connection, actor: &Actor, new: &NewUser, verb: Verb) -> Result<User, AccessError> {
    let at = actor.at.micros();
    let (name, role) = (new.name.as_str(), new.role.name());
    let sql = "INSERT INTO users (name, role, password, password_at, created_at) \
               VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT (name) DO NOTHING";
    if conn.execute(sql, params![name, role, new.password, at])? == 0 {
        return Err(AccessError::NameTaken(new.name.clone()));
    }
    audit::append(conn, actor, (verb, name, role), Outcome::Ok)?;
    find(conn, &new.name)
}

fn put_password(
    conn: &Connection,
    actor: &Actor,
    (name, password): (&UserName, &str),
    kept: Option<&Sha256>,
) -> Result<(), AccessError> {
    let sql = "UPDATE users SET password = ?2, password_at = ?3 WHERE name = ?1";
    if conn.execute(sql, params![name.as_str(), password, actor.at.micros()])? == 0 {
        return Err(AccessError::NoSuchUser(name.clone()));
    }
    end_sessions(conn, name, kept)?;
    audit::append(conn, actor, (Verb::UserPassword, name.as_str(), ""), Outcome::Ok)
}

fn put_disabled(
    conn: &Connection,
    actor: &Actor,
    name: &UserName,
    disabled: bool,
) -> Result<(), AccessError> {
    let since = disabled.then_some(actor.at.micros());
    conn.execute("UPDATE users SET disabled_at = ?2 WHERE name = ?1", (name.as_str(), since))?;
    if disabled {
        end_sessions(conn, name, None)?;
    }
    let verb = if disabled { Verb::UserDisable } else { Verb::UserEnable };
    audit::append(conn, actor, (verb, name.as_str(), ""), Outcome::Ok)
}

fn end_sessions(
    conn: &Connection,
    name: &UserName,
    kept: Option<&Sha256>,
) -> Result<(), AccessError> {
    let kept = kept.map(|hash| hash.0).unwrap_or_default();
    let sql = "DELETE FROM sessions \
               WHERE user = (SELECT id FROM users WHERE name = ?1) AND hash <> ?2";
    conn.execute(sql, params![name.as_str(), kept])?;
    Ok(())
}

fn has_admin(conn: &Connection) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM users WHERE role = 'admin' AND disabled_at IS NULL";
    Ok(conn.prepare_cached(sql)?.exists(())?)
}
