//! Opening the file: settings, and migrations forward.

#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::StoreError;
use crate::tables;

/// Marks a database as a store of Routewarden: `RWst`.
pub const APPLICATION_ID: i64 = 0x5257_7374;
/// The version that this program writes, and the newest that it reads.
pub const SCHEMA_VERSION: i64 = 2;
/// How long a lock is waited for.
const BUSY_WAIT: Duration = Duration::from_secs(10);
/// Pages held in memory by a connection, in KiB with a minus as `SQLite` has it: a page of a list, or
/// a tick, touches some thousands of them all over the file.
const CACHE: i64 = -8_192;

/// Size to which the log is cut back after a large tick.
const LOG_OCTETS: i64 = 64 << 20;

/// One step each; the number in the name is the version that it leads to.
const MIGRATIONS: [(i64, &str); 2] =
    [(1, include_str!("sql/0001_journal.sql")), (2, include_str!("sql/0002_tables.sql"))];

/// Opens the file for writing, makes it when it is missing, and brings it to [`SCHEMA_VERSION`].
pub(crate) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    let mut conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(BUSY_WAIT)?;
    // Before any setting: a file of somebody else is not to be touched.
    check_identity(&conn)?;
    // Has an effect on a new file only, and only before the journal mode is set.
    conn.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "journal_size_limit", LOG_OCTETS)?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update(None, "cache_size", CACHE)?;
    migrate(&mut conn, SCHEMA_VERSION)?;
    Ok(conn)
}

/// Opens the file for reading only.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(BUSY_WAIT)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update(None, "cache_size", CACHE)?;
    let found = check_identity(&conn)?;
    if found < SCHEMA_VERSION {
        return Err(StoreError::Older { found, known: SCHEMA_VERSION });
    }
    Ok(conn)
}

/// The file's version, 0 for an empty one.
///
/// # Errors
/// When the file is no store, or newer than this program.
pub(crate) fn check_identity(conn: &Connection) -> Result<i64, StoreError> {
    let found = pragma(conn, "application_id")?;
    let is_empty = pragma(conn, "schema_version")? == 0;
    if found != APPLICATION_ID && !(found == 0 && is_empty) {
        return Err(StoreError::NotAStore { found });
    }
    let version = pragma(conn, "user_version")?;
    if version > SCHEMA_VERSION {
        return Err(StoreError::Newer { found: version, known: SCHEMA_VERSION });
    }
    Ok(version)
}

/// Takes the steps up to `target`, each in one transaction. The tables are made anew with the last
/// step, since they are only views of the journal.
fn migrate(conn: &mut Connection, target: i64) -> Result<(), StoreError> {
    let found = check_identity(conn)?;
    for (version, sql) in MIGRATIONS.iter().filter(|step| step.0 > found && step.0 <= target) {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(sql)?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", version)?;
        if *version == SCHEMA_VERSION {
            tables::rebuild(&tx)?;
        }
        tx.commit()?;
    }
    Ok(())
}

/// The value of a setting that is a number.
pub(crate) fn pragma(conn: &Connection, name: &str) -> Result<i64, StoreError> {
    Ok(conn.pragma_query_value(None, name, |row| row.get(0))?)
}

/// Looks over the whole file.
///
/// # Errors
/// [`StoreError::Damaged`] when something is wrong with it.
pub(crate) fn check_integrity(conn: &Connection) -> Result<(), StoreError> {
    let verdict: String = conn.pragma_query_value(None, "integrity_check", |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(StoreError::Damaged) }
}
