//! Incidents that lasted at some time of a period: found by index, of one moment, one by one.

use std::ops::ControlFlow;

use routewarden_core::Timestamp;
use rusqlite::{Connection, params};

use crate::journal::{self, Head};
use crate::reader::{self, IncidentSummary};
use crate::record::stored_at;
use crate::verdict::{self, GivenVerdict};
use crate::version::StoredVersion;
use crate::{StoreError, StoreReader};

/// Incidents that lasted longer are in an index of their own: `incidents_long`, in `0005_readiness.sql`.
const LONG_MICROS: i64 = 86_400_000_000;

/// A span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeSpan {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end, which is not in it.
    pub until: Timestamp,
}

/// An incident of a period.
#[derive(Clone, Debug)]
pub struct PeriodIncident {
    /// As it is in lists.
    pub summary: IncidentSummary,
    /// The whole of it: its newest version.
    pub stored: StoredVersion,
    /// The verdict that holds of it.
    pub verdict: Option<GivenVerdict>,
}

impl StoreReader {
    /// Hands over all incidents that lasted at some time of a period, until `visit` breaks: those first
    /// seen before its end that have not ended, or ended after its beginning. First seen first, then by
    /// number. All are of one moment: gives the end of the journal at that time.
    pub fn visit_period(
        &self,
        period: TimeSpan,
        mut visit: impl FnMut(PeriodIncident) -> ControlFlow<()>,
    ) -> Result<Head, StoreError> {
        let tx = self.conn()?.unchecked_transaction()?;
        let head = journal::head(&tx)?;
        let mut rows = tx.prepare_cached(&sql())?;
        let (from, until) = (period.from.micros(), period.until.micros());
        let mut rows = rows.query(params![from, until, from.saturating_sub(LONG_MICROS)])?;
        while let Some(row) = rows.next()? {
            self.conn()?;
            let incident = incident(&tx, reader::summary(row)?, row.get(reader::SEQ_COLUMN)?)?;
            if visit(incident).is_break() {
                break;
            }
        }
        Ok(head)
    }
}

fn incident(
    conn: &Connection,
    summary: IncidentSummary,
    seq: i64,
) -> Result<PeriodIncident, StoreError> {
    let stored = stored_at(conn, seq)?;
    let verdict = verdict::of_incident(conn, summary.number)?;
    Ok(PeriodIncident { summary, stored, verdict })
}

/// Three walks in the same order, merged: what was short and cannot have begun more than a day before
/// (`?3`), what was long, and what has not ended.
pub(crate) fn sql() -> String {
    let columns = reader::COLUMNS;
    let walk = |index: &str, test: &str| {
        format!(
            "SELECT {columns}, i.seq FROM incidents i INDEXED BY {index} \
             WHERE i.first_seen < ?2 AND {test}"
        )
    };
    let short = walk(
        "incidents_by_time",
        &format!(
            "i.first_seen > ?3 AND i.ended_at > ?1 AND i.ended_at - i.first_seen <= {LONG_MICROS}"
        ),
    );
    let long = walk(
        "incidents_long",
        &format!("i.ended_at > ?1 AND i.ended_at - i.first_seen > {LONG_MICROS}"),
    );
    let open = walk("incidents_open", "i.is_open = 1");
    format!("{short} UNION ALL {long} UNION ALL {open} ORDER BY 9, 1")
}
