//! Compares what is kept of closed periods with what the journal says of them.

use std::collections::BTreeMap;

use routewarden_core::Timestamp;
use routewarden_core::facts::Sha256;
use rusqlite::Connection;

use super::inputs::sha256;
use super::{ClosedRow, SUBJECT, ScoredRow, scores};
use crate::StoreError;
use crate::journal::{self, JournalKind};
use crate::schema::pragma;

/// The version of the store that began to keep readiness.
const SINCE_VERSION: i64 = 5;

/// What the journal says, by the number of the row.
#[derive(Default)]
struct Told {
    closed: BTreeMap<i64, ClosedRow>,
    /// The last of each profile and period only.
    scored: BTreeMap<(String, Timestamp, Timestamp), (i64, ScoredRow)>,
}

/// Compares every closed period, and its scores, with the journal.
///
/// # Errors
/// [`StoreError::RecordChanged`] at the first that is not what was recorded, or is missing.
pub(crate) fn verify(conn: &Connection) -> Result<(), StoreError> {
    // A backup of before has nothing of it.
    if pragma(conn, "user_version")? < SINCE_VERSION {
        return Ok(());
    }
    let told = Told::read(conn)?;
    verify_inputs(conn, told.closed)?;
    verify_scores(conn, told.scored)
}

impl Told {
    fn read(conn: &Connection) -> Result<Self, StoreError> {
        let sql =
            format!("SELECT {} FROM journal WHERE subject = ?1 ORDER BY seq", journal::COLUMNS);
        let mut rows = conn.prepare(&sql)?;
        let mut rows = rows.query([SUBJECT])?;
        let mut told = Told::default();
        while let Some(row) = rows.next()? {
            let row = journal::row(row)?;
            match JournalKind::from_name(&row.kind) {
                Some(JournalKind::ReadinessClosed) => {
                    told.closed.insert(row.seq, row.read()?);
                }
                Some(JournalKind::ReadinessScored) => {
                    let scored: ScoredRow = row.read()?;
                    let key = (scored.profile.clone(), scored.from, scored.until);
                    told.scored.insert(key, (row.seq, scored));
                }
                // Anybody's feed may be named so.
                _ => {}
            }
        }
        Ok(told)
    }
}

fn verify_inputs(conn: &Connection, mut told: BTreeMap<i64, ClosedRow>) -> Result<(), StoreError> {
    let changed = |until| StoreError::RecordChanged { what: "readiness inputs", until };
    let sql = "SELECT since, until, measured_at, sha256, data, sources, seq FROM readiness_inputs \
               WHERE seq IS NOT NULL ORDER BY until, since";
    let mut rows = conn.prepare(sql)?;
    let mut rows = rows.query(())?;
    while let Some(row) = rows.next()? {
        let time = |column| row.get(column).map(Timestamp::from_micros);
        let until = time(1)?;
        let (data, sources) = (row.get_ref(4)?.as_blob(), row.get_ref(5)?.as_str());
        let (Ok(data), Ok(sources)) = (data, sources) else { return Err(changed(until)) };
        let found = ClosedRow {
            from: time(0)?,
            until,
            measured_at: time(2)?,
            inputs_sha256: sha256(data),
            sources_sha256: sha256(sources.as_bytes()),
        };
        let is_own = Sha256(row.get(3)?) == found.inputs_sha256;
        if !is_own || told.remove(&row.get(6)?) != Some(found) {
            return Err(changed(until));
        }
    }
    told.into_values().next().map_or(Ok(()), |missing| Err(changed(missing.until)))
}

fn verify_scores(
    conn: &Connection,
    mut told: BTreeMap<(String, Timestamp, Timestamp), (i64, ScoredRow)>,
) -> Result<(), StoreError> {
    let changed = |until| StoreError::RecordChanged { what: "readiness scores", until };
    for known in scores::all(conn)? {
        let about = &known.record.about;
        let key = (about.profile.clone(), about.period.from, about.period.until);
        let is_sound = match (known.seq, told.remove(&key)) {
            (None, None) => true,
            (Some(seq), Some((told_seq, row))) => {
                seq == told_seq && scores::is_as_told(conn, &known, &row)?
            }
            _ => false,
        };
        if !is_sound {
            return Err(changed(about.period.until));
        }
    }
    told.into_values().next().map_or(Ok(()), |(_, missing)| Err(changed(missing.until)))
}
