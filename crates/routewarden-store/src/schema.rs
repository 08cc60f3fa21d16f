//! Opening the file: settings, and migrations forward.

#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::journal::{self, Verified};
use crate::store::STORE_FILE;
use crate::{StoreError, readiness, tables};

/// Marks a database as a store of Routewarden: `RWst`.
pub const APPLICATION_ID: i64 = 0x5257_7374;
/// The version that this program writes, and the newest that it reads.
pub const SCHEMA_VERSION: i64 = 5;
/// How long a lock is waited for.
const BUSY_WAIT: Duration = Duration::from_secs(10);
/// After so long it is tried again where `SQLite` itself does not wait.
const BUSY_PAUSE: Duration = Duration::from_millis(10);
/// Pages held in memory by a connection, in KiB with a minus as `SQLite` has it: a page of a list, or
/// a tick, touches some thousands of them all over the file.
const CACHE: i64 = -8_192;

/// Size to which the log is cut back after a large tick.
const LOG_OCTETS: i64 = 64 << 20;

/// One step each; the number in the name is the version that it leads to.
const MIGRATIONS: [(i64, &str); 5] = [
    (1, include_str!("sql/0001_journal.sql")),
    (2, include_str!("sql/0002_tables.sql")),
    (3, include_str!("sql/0003_members.sql")),
    (4, include_str!("sql/0004_trails.sql")),
    (5, include_str!("sql/0005_readiness.sql")),
];

/// A sort of database.
pub(crate) struct Sort {
    /// Its file in the folder of all of them.
    pub(crate) file: &'static str,
    /// Marks it.
    pub(crate) application_id: i64,
    /// The version that this program writes, and the newest that it reads.
    pub(crate) version: i64,
    /// One step each; the number is the version that it leads to.
    pub(crate) steps: &'static [(i64, &'static str)],
    /// Done with the last step, in its transaction.
    pub(crate) finish: fn(&Connection) -> Result<(), StoreError>,
    /// Follows the hashes over its rows that are only ever added.
    pub(crate) verify: fn(&Connection) -> Result<Verified, StoreError>,
    /// Whether nothing was ever recorded in it.
    pub(crate) is_empty: fn(&Connection) -> Result<bool, StoreError>,
}

/// The store.
pub(crate) const STORE: Sort = Sort {
    file: STORE_FILE,
    application_id: APPLICATION_ID,
    version: SCHEMA_VERSION,
    steps: &MIGRATIONS,
    // The tables are only views of the journal.
    finish: |conn| tables::rebuild(conn).map(drop),
    verify,
    is_empty: |conn| Ok(journal::head(conn)?.seq == 0),
};

/// Follows the hashes over the journal, and compares what it has digests of.
///
/// # Errors
/// [`StoreError::ChainBroken`] or [`StoreError::RecordChanged`] at the first that is not what was
/// recorded.
pub(crate) fn verify(conn: &Connection) -> Result<Verified, StoreError> {
    let verified = journal::verify(conn)?;
    readiness::verify(conn)?;
    Ok(verified)
}

/// Opens the file for writing, makes it when it is missing, and brings it to its newest version.
#[expect(clippy::disallowed_methods, reason = "how long a lock is waited for is no time of events")]
pub(crate) fn open_writer(path: &Path, sort: &Sort) -> Result<Connection, StoreError> {
    let until = Instant::now() + BUSY_WAIT;
    loop {
        match try_open_writer(path, sort) {
            // Not every lock is waited for: two that change the mode of the journal would wait for each other.
            Err(StoreError::Busy) if Instant::now() < until => std::thread::sleep(BUSY_PAUSE),
            done => return done,
        }
    }
}

fn try_open_writer(path: &Path, sort: &Sort) -> Result<Connection, StoreError> {
    let mut conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(BUSY_WAIT)?;
    // Before any setting: a file of somebody else is not to be touched.
    check_identity(&conn, sort)?;
    // Has an effect on a new file only, and only before the journal mode is set.
    conn.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "journal_size_limit", LOG_OCTETS)?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update(None, "cache_size", CACHE)?;
    migrate(&mut conn, sort, sort.version)?;
    Ok(conn)
}

/// Opens the file for reading only.
pub(crate) fn open_reader(path: &Path, sort: &Sort) -> Result<Connection, StoreError> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(BUSY_WAIT)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update(None, "cache_size", CACHE)?;
    let found = check_identity(&conn, sort)?;
    if found < sort.version {
        return Err(StoreError::Older { found, known: sort.version });
    }
    Ok(conn)
}

/// The file's version, 0 for an empty one.
///
/// # Errors
/// When the file is of another sort, or newer than this program.
pub(crate) fn check_identity(conn: &Connection, sort: &Sort) -> Result<i64, StoreError> {
    // In this order: another process may give an empty file its sort and its tables in between, at once.
    let is_empty = pragma(conn, "schema_version")? == 0;
    let found = pragma(conn, "application_id")?;
    if found != sort.application_id && !(found == 0 && is_empty) {
        return Err(StoreError::NotAStore { found });
    }
    let version = pragma(conn, "user_version")?;
    if version > sort.version {
        return Err(StoreError::Newer { found: version, known: sort.version });
    }
    Ok(version)
}

/// Takes the steps up to `target`, each in one transaction.
fn migrate(conn: &mut Connection, sort: &Sort, target: i64) -> Result<(), StoreError> {
    let found = check_identity(conn, sort)?;
    for (version, sql) in sort.steps.iter().filter(|step| step.0 > found && step.0 <= target) {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if pragma(&tx, "user_version")? >= *version {
            // Another process took the step meanwhile.
            continue;
        }
        tx.execute_batch(sql)?;
        tx.pragma_update(None, "application_id", sort.application_id)?;
        tx.pragma_update(None, "user_version", version)?;
        if *version == sort.version {
            (sort.finish)(&tx)?;
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
