//! What readiness was measured from, and what came of it: kept beside the journal, which has the digests
//! of every period that is closed.
//!
//! ```text
//! ReadinessInputs (frozen, opaque) ─► closed ─► journal: digest of the inputs
//! ReadinessScores ─► blocks of some hundred networks, zstd ─► of a closed period: journal: digests
//! ```
//!
//! Records are made ready on any thread ([`ReadinessInputs::new`], [`ReadinessScores::new`]): what is left
//! to the writer is little. Verifying the store compares them with the journal, so that what was
//! changed, or is missing, shows.

mod block;
mod inputs;
mod routes;
mod scores;
mod verify;

use routewarden_core::Timestamp;
use routewarden_core::facts::Sha256;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

pub(crate) use inputs::put as put_inputs;
pub use inputs::{ReadinessInputs, ReadinessPeriod};
pub(crate) use routes::put as put_routes;
pub(crate) use scores::put as put_scores;
pub use scores::{ReadinessAbout, ReadinessRecord, ReadinessScores};
pub(crate) use verify::verify;

use crate::StoreError;
use crate::journal::{self, Entry, Head, JournalKind};
use crate::period::TimeSpan;

/// Longest frozen inputs of a period, in octets.
pub const READINESS_INPUTS_OCTETS_MAX: usize = 64 << 20;
/// Longest JSON of the sources of a period, in octets.
pub const READINESS_SOURCES_OCTETS_MAX: usize = 1 << 20;
/// Most networks of one record of scores.
pub const READINESS_ASES_MAX: usize = 250_000;
/// Longest JSON of one network in a record, in octets.
pub const READINESS_SCORE_OCTETS_MAX: usize = 64 << 10;
/// Most periods with inputs, and most records of scores, that the store keeps of each.
pub const READINESS_RECORDS_MAX: usize = 1_000;
/// Longest routes of a month, in octets.
pub const READINESS_ROUTES_OCTETS_MAX: usize = 128 << 20;

/// What the rows of the journal are about.
const SUBJECT: &str = "readiness";

/// Body of the row of a period that is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ClosedRow {
    from: Timestamp,
    until: Timestamp,
    measured_at: Timestamp,
    inputs_sha256: Sha256,
    sources_sha256: Sha256,
}

/// Body of the row of scores in a period that is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ScoredRow {
    profile: String,
    from: Timestamp,
    until: Timestamp,
    measured_at: Timestamp,
    ases: u64,
    profile_sha256: Sha256,
    inputs_sha256: Sha256,
    events_sha256: Sha256,
    scores_sha256: Sha256,
}

/// Writes a row about a period into the journal; its event time is the end of the period.
fn append(
    conn: &Connection,
    head: &mut Head,
    (kind, until): (JournalKind, Timestamp),
    body: &impl Serialize,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let body = serde_json::to_string(body).map_err(StoreError::Json)?;
    let entry = Entry { at: until, recorded_at: now, kind, subject: SUBJECT, body: &body };
    journal::append(conn, head, &entry)
}

/// Whether the limits hold for a period.
fn check_period(period: TimeSpan) -> Result<(), StoreError> {
    crate::version::check_time(period.from)?;
    crate::version::check_time(period.until)?;
    if period.from < period.until { Ok(()) } else { Err(StoreError::TimeOutOfRange) }
}

/// Whether there is room for another record in a table.
fn check_room(conn: &Connection, table: &str) -> Result<(), StoreError> {
    let sql = format!("SELECT count(*) FROM {table}");
    let count: i64 = conn.prepare_cached(&sql)?.query_row((), |row| row.get(0))?;
    if usize::try_from(count).is_ok_and(|count| count < READINESS_RECORDS_MAX) {
        return Ok(());
    }
    let what = "number of readiness records";
    Err(StoreError::OverLimit { what, max: READINESS_RECORDS_MAX })
}

/// Takes out what is of periods that ended before a time, and routes of all months but the one of `now`
/// and the one before it; gives the number of periods and records. Only where retention may delete.
pub(crate) fn forget(
    conn: &Connection,
    before: Timestamp,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut gone = 0;
    for table in ["readiness_inputs", "readiness_scores"] {
        let sql = format!("DELETE FROM {table} WHERE until < ?1");
        gone += conn.execute(&sql, [before.micros()])?;
    }
    conn.execute(
        "DELETE FROM readiness_routes WHERE month < 1000000 * \
         unixepoch(?1, 'unixepoch', 'start of month', '-1 month')",
        params![now.secs()],
    )?;
    Ok(gone as u64)
}
