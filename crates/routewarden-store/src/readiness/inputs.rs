//! Frozen inputs of a period: replaced while it lasts, never changed once it is closed.

use routewarden_core::Timestamp;
use routewarden_core::facts::Sha256;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::value::RawValue;
use sha2::Digest;

use super::{
    ClosedRow, READINESS_INPUTS_OCTETS_MAX, READINESS_SOURCES_OCTETS_MAX, append, check_period,
    check_room, scores,
};
use crate::journal::{Head, JournalKind};
use crate::period::TimeSpan;
use crate::version::check_time;
use crate::{StoreError, StoreReader};

/// What readiness in a period was measured from, ready to be kept.
#[derive(Clone, Debug)]
pub struct ReadinessInputs {
    period: TimeSpan,
    data: Vec<u8>,
    sources: Box<RawValue>,
    measured_at: Timestamp,
    sha256: Sha256,
}

impl ReadinessInputs {
    /// `data` has a form that the store does not know of, at most [`READINESS_INPUTS_OCTETS_MAX`];
    /// `sources` is JSON that tells what it was made of, at most [`READINESS_SOURCES_OCTETS_MAX`].
    ///
    /// # Errors
    /// When a limit is exceeded, or the period is empty.
    pub fn new(
        period: TimeSpan,
        data: Vec<u8>,
        sources: Box<RawValue>,
        measured_at: Timestamp,
    ) -> Result<Self, StoreError> {
        check_period(period)?;
        check_time(measured_at)?;
        for (what, octets, max) in [
            ("readiness inputs", data.len(), READINESS_INPUTS_OCTETS_MAX),
            ("readiness sources", sources.get().len(), READINESS_SOURCES_OCTETS_MAX),
        ] {
            if octets > max {
                return Err(StoreError::OverLimit { what, max });
            }
        }
        let sha256 = sha256(&data);
        Ok(ReadinessInputs { period, data, sources, measured_at, sha256 })
    }

    /// Hash of the data.
    pub fn sha256(&self) -> Sha256 {
        self.sha256
    }
}

pub(super) fn sha256(octets: &[u8]) -> Sha256 {
    Sha256(sha2::Sha256::digest(octets).into())
}

/// A period of which the store has inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadinessPeriod {
    /// The period.
    pub period: TimeSpan,
    /// JSON, as it was given.
    pub sources: String,
    /// Hash of the inputs.
    pub sha256: Sha256,
    /// Octets of the inputs.
    pub octets: u64,
    /// When it was measured.
    pub measured_at: Timestamp,
    /// Whether it changes no more.
    pub is_closed: bool,
}

/// See [`crate::Store::put_readiness_inputs`].
pub(crate) fn put(
    conn: &Connection,
    head: &mut Head,
    inputs: &ReadinessInputs,
    (closes, now): (bool, Timestamp),
) -> Result<(), StoreError> {
    let period = inputs.period;
    match known(conn, period)? {
        Some(known) if known.is_closed => {
            let is_same = known.sha256 == inputs.sha256 && known.sources == inputs.sources.get();
            return if is_same { Ok(()) } else { Err(StoreError::PeriodClosed) };
        }
        Some(_) => {}
        None => check_room(conn, "readiness_inputs")?,
    }
    let seq = closes.then(|| close(conn, head, inputs, now)).transpose()?;
    let sql = "INSERT INTO readiness_inputs (since, until, data, sources, sha256, measured_at, seq) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (since, until) DO UPDATE SET \
               data = ?3, sources = ?4, sha256 = ?5, measured_at = ?6, seq = ?7";
    conn.prepare_cached(sql)?.execute(params![
        period.from.micros(),
        period.until.micros(),
        inputs.data,
        inputs.sources.get(),
        inputs.sha256.0,
        inputs.measured_at.micros(),
        seq
    ])?;
    Ok(())
}

/// Writes the digests into the journal, and those of the scores that are there already.
fn close(
    conn: &Connection,
    head: &mut Head,
    inputs: &ReadinessInputs,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let TimeSpan { from, until } = inputs.period;
    let row = ClosedRow {
        from,
        until,
        measured_at: inputs.measured_at,
        inputs_sha256: inputs.sha256,
        sources_sha256: sha256(inputs.sources.get().as_bytes()),
    };
    let seq = append(conn, head, (JournalKind::ReadinessClosed, until), &row, now)?;
    scores::seal(conn, head, inputs.period, now)?;
    Ok(seq)
}

const COLUMNS: &str = "since, until, sources, sha256, length(data), measured_at, seq IS NOT NULL";

fn period(row: &rusqlite::Row<'_>) -> rusqlite::Result<ReadinessPeriod> {
    let time = |column| row.get(column).map(Timestamp::from_micros);
    Ok(ReadinessPeriod {
        period: TimeSpan { from: time(0)?, until: time(1)? },
        sources: row.get(2)?,
        sha256: Sha256(row.get(3)?),
        octets: row.get::<_, i64>(4)?.unsigned_abs(),
        measured_at: time(5)?,
        is_closed: row.get(6)?,
    })
}

fn known(conn: &Connection, span: TimeSpan) -> Result<Option<ReadinessPeriod>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM readiness_inputs WHERE since = ?1 AND until = ?2");
    let mut known = conn.prepare_cached(&sql)?;
    Ok(known.query_row([span.from.micros(), span.until.micros()], period).optional()?)
}

/// Whether a period is closed.
pub(super) fn is_closed(conn: &Connection, span: TimeSpan) -> Result<bool, StoreError> {
    Ok(known(conn, span)?.is_some_and(|known| known.is_closed))
}

impl StoreReader {
    /// The periods of which there are inputs: the one that ends last first, of those that end together
    /// the shorter.
    pub fn readiness_periods(&self) -> Result<Vec<ReadinessPeriod>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM readiness_inputs ORDER BY until DESC, since DESC");
        let mut rows = self.conn()?.prepare_cached(&sql)?;
        let rows = rows.query_map((), period)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The inputs of a period, and what is known of them.
    ///
    /// # Errors
    /// [`StoreError::RecordChanged`] when they are not what was kept.
    pub fn readiness_inputs(
        &self,
        span: TimeSpan,
    ) -> Result<Option<(ReadinessPeriod, Vec<u8>)>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS}, data FROM readiness_inputs WHERE since = ?1 AND until = ?2");
        let mut rows = self.conn()?.prepare_cached(&sql)?;
        let found = rows.query_row([span.from.micros(), span.until.micros()], |row| {
            Ok((period(row)?, row.get::<_, Vec<u8>>(7)?))
        });
        let Some((about, data)) = found.optional()? else { return Ok(None) };
        if sha256(&data) != about.sha256 {
            return Err(StoreError::RecordChanged { what: "readiness inputs", until: span.until });
        }
        Ok(Some((about, data)))
    }
}
