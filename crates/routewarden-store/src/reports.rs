//! What is to be told of incidents, and what has been: an outbox that is committed together with
//! what it tells of.

use routewarden_core::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::journal::{self, Entry, Head, JournalKind};
use crate::record::stored_at;
use crate::version::{Change, StoredVersion};

/// Most reports asked for at once.
pub const REPORTS_LISTED_MAX: usize = 10_000;

/// What tells a report from all others, for whoever receives it twice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReportKey {
    /// Id of the incident in the store.
    pub incident: String,
    /// Number of its version.
    pub version: i64,
    /// What is told.
    pub change: Change,
}

impl std::fmt::Display for ReportKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.incident, self.version, self.change.name())
    }
}

/// Body of the row in the journal that says that a report went out.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct SentReport {
    number: i64,
    version: i64,
    change: Change,
}

/// What is to be told with a version.
pub(crate) fn reports_of(change: Change, was_reported: bool, report: bool) -> Vec<Change> {
    match (was_reported, change) {
        (true, Change::Ended | Change::Reopened) => vec![change],
        (true, _) if report => vec![Change::Updated],
        (false, Change::Ended) if report => vec![Change::Opened, Change::Ended],
        (false, _) if report => vec![Change::Opened],
        _ => Vec::new(),
    }
}

/// Puts what is to be told with a version into the outbox.
pub(crate) fn put_pending(
    conn: &Connection,
    version: &StoredVersion,
    seq: i64,
) -> Result<(), StoreError> {
    let mut put = conn.prepare_cached(
        "INSERT INTO reports (number, version, change, state, seq) VALUES (?1, ?2, ?3, 'pending', ?4)",
    )?;
    for change in &version.reports {
        put.execute(params![version.number, version.version, change.name(), seq])?;
    }
    Ok(())
}

/// Marks a report as sent in the outbox.
pub(crate) fn put_sent(conn: &Connection, sent: &SentReport, seq: i64) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE reports SET state = 'sent', sent_seq = ?4 \
         WHERE number = ?1 AND version = ?2 AND change = ?3",
    )?
    .execute(params![sent.number, sent.version, sent.change.name(), seq])?;
    Ok(())
}

/// Reports that are still to be sent, in the order in which they were recorded.
pub(crate) fn pending(conn: &Connection, limit: usize) -> Result<Vec<ReportKey>, StoreError> {
    let limit = limit.min(REPORTS_LISTED_MAX);
    let mut pending = conn.prepare_cached(
        "SELECT i.id, r.version, r.change FROM reports r JOIN incidents i USING (number) \
         WHERE r.state = 'pending' ORDER BY r.seq, r.change DESC LIMIT ?1",
    )?;
    let mut rows = pending.query([i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        let change: String = row.get(2)?;
        if let Some(change) = Change::from_name(&change) {
            keys.push(ReportKey { incident: row.get(0)?, version: row.get(1)?, change });
        }
    }
    Ok(keys)
}

/// The version that a report tells of; `None` when there is no such report.
pub(crate) fn version_of(
    conn: &Connection,
    key: &ReportKey,
) -> Result<Option<StoredVersion>, StoreError> {
    let seq = conn
        .prepare_cached(
            "SELECT r.seq FROM reports r JOIN incidents i USING (number) \
             WHERE i.id = ?1 AND r.version = ?2 AND r.change = ?3",
        )?
        .query_row(params![key.incident, key.version, key.change.name()], |row| row.get(0))
        .optional()?;
    seq.map(|seq| stored_at(conn, seq)).transpose()
}

/// Records that reports went out; returns how many of them had been pending.
pub(crate) fn mark_sent(
    conn: &Connection,
    head: &mut Head,
    keys: &[ReportKey],
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut count = 0;
    for key in keys {
        let mut number = conn.prepare_cached(
            "SELECT r.number FROM reports r JOIN incidents i USING (number) WHERE i.id = ?1 \
             AND r.version = ?2 AND r.change = ?3 AND r.state = 'pending'",
        )?;
        let mut rows = number.query(params![key.incident, key.version, key.change.name()])?;
        let Some(row) = rows.next()? else { continue };
        let sent = SentReport { number: row.get(0)?, version: key.version, change: key.change };
        let body = serde_json::to_string(&sent).map_err(StoreError::Json)?;
        let entry = Entry {
            at: now,
            recorded_at: now,
            kind: JournalKind::ReportSent,
            subject: &key.incident,
            body: &body,
        };
        let seq = journal::append(conn, head, &entry)?;
        put_sent(conn, &sent, seq)?;
        count += 1;
    }
    Ok(count)
}
