//! Reading a store on a connection of its own.

use std::ops::ControlFlow;
use std::path::Path;

use routewarden_core::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};
use serde::Serialize;

use crate::interrupter::Interrupter;
use crate::journal::{self, JournalRow, Verified};
use crate::order::{Cursor, Part};
use crate::query::{Driver, IncidentFilter, PAGE_MAX, Query};
use crate::record::stored_at;
use crate::reports::{self, ReportKey};
use crate::rows::{FactsVersionRow, FeedStateRow, GapRow, IncidentCount};
use crate::store::STORE_FILE;
use crate::version::StoredVersion;
use crate::{StoreError, schema};

/// Most rows of the journal, gaps or versions of facts in one answer.
pub const ROWS_MAX: usize = 10_000;

/// A connection that only reads. It sees what was committed when each call begins, never waits for
/// the writer, and may be sent to another thread.
pub struct StoreReader {
    conn: Connection,
    interrupter: Interrupter,
}

/// An incident in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IncidentSummary {
    /// Number, from 1.
    pub number: i64,
    /// Id.
    pub id: String,
    /// Id that the detector has for it now.
    pub detector_id: String,
    /// Kind.
    pub kind: String,
    /// State.
    pub state: String,
    /// Class of the severity.
    pub class: String,
    /// 0 to 100.
    pub confidence: u8,
    /// 0 to 100.
    pub severity: u8,
    /// First seen.
    pub first_seen: Timestamp,
    /// Last seen.
    pub last_seen: Timestamp,
    /// When it ended; `null` while it lasts.
    pub ended_at: Option<Timestamp>,
    /// When it was recorded first, by the wall clock.
    pub opened_at: Timestamp,
    /// When this version was recorded, by the wall clock.
    pub updated_at: Timestamp,
    /// Number of this version, from 1.
    pub version: i64,
    /// Whether it has been told of, or is to be.
    pub reported: bool,
}

/// The columns that [`summary`] reads, in its order.
pub(crate) const COLUMNS: &str = "i.number, i.id, i.detector_id, i.kind, i.state, i.class, i.confidence, \
                       i.severity, i.first_seen, i.last_seen, i.ended_at, i.opened_at, \
                       i.updated_at, i.version, i.reported";

/// The place of `i.seq` after [`COLUMNS`].
pub(crate) const SEQ_COLUMN: usize = 15;

pub(crate) fn summary(row: &Row<'_>) -> rusqlite::Result<IncidentSummary> {
    let time = |column| row.get(column).map(Timestamp::from_micros);
    Ok(IncidentSummary {
        number: row.get(0)?,
        id: row.get(1)?,
        detector_id: row.get(2)?,
        kind: row.get(3)?,
        state: row.get(4)?,
        class: row.get(5)?,
        confidence: row.get(6)?,
        severity: row.get(7)?,
        first_seen: time(8)?,
        last_seen: time(9)?,
        ended_at: row.get::<_, Option<i64>>(10)?.map(Timestamp::from_micros),
        opened_at: time(11)?,
        updated_at: time(12)?,
        version: row.get(13)?,
        reported: row.get(14)?,
    })
}

/// A page of incidents, in the order asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentPage {
    /// Incidents.
    pub incidents: Vec<IncidentSummary>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<Cursor>,
}

impl StoreReader {
    /// Opens the store in a folder for reading.
    ///
    /// # Errors
    /// When there is none, or it is damaged, of another program or of another version.
    pub fn open(data_dir: &Path) -> Result<Self, StoreError> {
        Self::open_file(&data_dir.join(STORE_FILE))
    }

    pub(crate) fn open_file(path: &Path) -> Result<Self, StoreError> {
        let conn = schema::open_reader(path, &schema::STORE)?;
        let interrupter = Interrupter::of(&conn)?;
        Ok(StoreReader { conn, interrupter })
    }

    /// Ends what this reader does, from another thread.
    pub fn interrupter(&self) -> Interrupter {
        self.interrupter.clone()
    }

    /// The connection, unless it has been interrupted: short statements end before that is looked at.
    pub(crate) fn conn(&self) -> Result<&Connection, StoreError> {
        if self.interrupter.is_set() { Err(StoreError::Interrupted) } else { Ok(&self.conn) }
    }

    /// A page of the incidents that meet the filter, in its order; at most `limit` and
    /// [`PAGE_MAX`].
    pub fn list(
        &self,
        filter: &IncidentFilter,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Result<IncidentPage, StoreError> {
        let tx = self.conn()?.unchecked_transaction()?;
        let (rows, next) = page(&tx, filter, cursor, limit)?;
        Ok(IncidentPage { incidents: rows.into_iter().map(|(summary, _)| summary).collect(), next })
    }

    /// As [`StoreReader::list`], with each incident whole, handed over one by one until `visit`
    /// breaks: the one with which it breaks is the last of the page. Gives where the next begins.
    pub fn visit(
        &self,
        filter: &IncidentFilter,
        cursor: Option<Cursor>,
        limit: usize,
        mut visit: impl FnMut(IncidentSummary, StoredVersion) -> ControlFlow<()>,
    ) -> Result<Option<Cursor>, StoreError> {
        let tx = self.conn()?.unchecked_transaction()?;
        let (rows, next) = page(&tx, filter, cursor, limit)?;
        let mut rows = rows.into_iter().peekable();
        while let Some((summary, seq)) = rows.next() {
            self.conn()?;
            let here = Cursor::after(filter.order, &summary);
            let stored = stored_at(&tx, seq)?;
            if visit(summary, stored).is_break() && rows.peek().is_some() {
                return Ok(Some(here));
            }
        }
        Ok(next)
    }

    /// How many incidents meet the filter; at most `limit` are counted.
    pub fn count(&self, filter: &IncidentFilter, limit: usize) -> Result<u64, StoreError> {
        let tx = self.conn()?.unchecked_transaction()?;
        let query = Query::page(Driver::of(&tx, filter)?, filter, Part::All, limit);
        let count: i64 = tx
            .prepare_cached(&format!("SELECT count(*) FROM ({})", query.sql))?
            .query_row(params_from_iter(query.values), |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    /// The incident that has the id in the store, or had it in the detector, whole.
    pub fn get(&self, id: &str) -> Result<Option<(IncidentSummary, StoredVersion)>, StoreError> {
        let tx = self.conn()?.unchecked_transaction()?;
        let sql = format!(
            "SELECT {COLUMNS}, i.seq FROM incident_ids d JOIN incidents i USING (number) \
             WHERE d.detector_id = ?1"
        );
        let found = tx
            .prepare_cached(&sql)?
            .query_row([id], |row| Ok((summary(row)?, row.get(SEQ_COLUMN)?)))
            .optional()?;
        found.map(|(summary, seq)| Ok((summary, stored_at(&tx, seq)?))).transpose()
    }

    /// The version that a report tells of.
    pub fn version_of(&self, key: &ReportKey) -> Result<Option<StoredVersion>, StoreError> {
        let tx = self.conn()?.unchecked_transaction()?;
        reports::version_of(&tx, key)
    }

    /// Rows of the journal about an incident, by its id in the store, after the row `after`; at
    /// most `limit` and [`ROWS_MAX`].
    pub fn history(
        &self,
        id: &str,
        after: i64,
        limit: usize,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let sql = format!(
            "SELECT {} FROM journal WHERE subject = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
            journal::COLUMNS
        );
        let mut rows = self.conn()?.prepare_cached(&sql)?;
        let rows = rows.query_map(params![id, after, bounded(limit)], journal::row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Rows of the journal from a number on; at most `limit` and [`ROWS_MAX`].
    pub fn journal(&self, from_seq: i64, limit: usize) -> Result<Vec<JournalRow>, StoreError> {
        let sql = format!(
            "SELECT {} FROM journal WHERE seq >= ?1 ORDER BY seq LIMIT ?2",
            journal::COLUMNS
        );
        let mut rows = self.conn()?.prepare_cached(&sql)?;
        let rows = rows.query_map(params![from_seq, bounded(limit)], journal::row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The present state of every feed, by name.
    pub fn feed_states(&self) -> Result<Vec<FeedStateRow>, StoreError> {
        let mut rows = self
            .conn()?
            .prepare_cached("SELECT feed, state, since, detail FROM feed_states ORDER BY feed")?;
        let rows = rows.query_map((), |row| {
            Ok(FeedStateRow {
                feed: row.get(0)?,
                state: row.get(1)?,
                since: Timestamp::from_micros(row.get(2)?),
                detail: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Gaps that lasted at some time from `from` on, newest first; at most `limit` and
    /// [`ROWS_MAX`].
    pub fn gaps(&self, from: Timestamp, limit: usize) -> Result<Vec<GapRow>, StoreError> {
        let mut rows = self.conn()?.prepare_cached(
            "SELECT feed, started_at, ended_at, filled, detail FROM gaps \
             WHERE ended_at IS NULL OR ended_at >= ?1 ORDER BY started_at DESC, feed LIMIT ?2",
        )?;
        let rows = rows.query_map(params![from.micros(), bounded(limit)], |row| {
            Ok(GapRow {
                feed: row.get(0)?,
                from: Timestamp::from_micros(row.get(1)?),
                to: row.get::<_, Option<i64>>(2)?.map(Timestamp::from_micros),
                filled: row.get(3)?,
                detail: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether a feed was not heard at some time between the two, and that was not made good.
    pub fn has_gap(&self, from: Timestamp, until: Timestamp) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM gaps WHERE NOT filled AND started_at <= ?2 \
                   AND (ended_at IS NULL OR ended_at >= ?1))";
        let mut is_there = self.conn.prepare_cached(sql)?;
        Ok(is_there.query_row([from.micros(), until.micros()], |row| row.get(0))?)
    }

    /// Versions of facts, applied last first; at most `limit` and [`ROWS_MAX`].
    pub fn facts_versions(&self, limit: usize) -> Result<Vec<FactsVersionRow>, StoreError> {
        let mut rows = self.conn()?.prepare_cached(
            "SELECT name, version, applied_at, detail FROM facts_versions \
             ORDER BY applied_at DESC, name, version LIMIT ?1",
        )?;
        let rows = rows.query_map([bounded(limit)], |row| {
            Ok(FactsVersionRow {
                name: row.get(0)?,
                version: row.get(1)?,
                applied_at: Timestamp::from_micros(row.get(2)?),
                detail: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Incidents by the day on which they were first seen, by kind and by class; of the days that
    /// begin at `from` or later and before `before`.
    pub fn counts(
        &self,
        from: Timestamp,
        before: Timestamp,
    ) -> Result<Vec<IncidentCount>, StoreError> {
        self.counted(
            "SELECT day, kind, class, count FROM incident_counts WHERE day >= ?1 AND day < ?2 \
             ORDER BY day, kind, class",
            (from, before),
        )
    }

    /// As [`StoreReader::counts`], by the hour. Counted one by one: of a span of days, not of years.
    pub fn counts_by_hour(
        &self,
        from: Timestamp,
        before: Timestamp,
    ) -> Result<Vec<IncidentCount>, StoreError> {
        self.counted(
            "SELECT first_seen / 3600000000 * 3600000000, kind, class, count(*) FROM incidents \
             WHERE first_seen >= ?1 AND first_seen < ?2 GROUP BY 1, kind, class ORDER BY 1, 2, 3",
            (from, before),
        )
    }

    fn counted(
        &self,
        sql: &str,
        (from, before): (Timestamp, Timestamp),
    ) -> Result<Vec<IncidentCount>, StoreError> {
        let mut rows = self.conn()?.prepare_cached(sql)?;
        let rows = rows.query_map(params![from.micros(), before.micros()], |row| {
            Ok(IncidentCount {
                from: Timestamp::from_micros(row.get(0)?),
                kind: row.get(1)?,
                class: row.get(2)?,
                count: row.get::<_, i64>(3)?.unsigned_abs(),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Number of the last row of the journal, 0 without any.
    pub fn last_seq(&self) -> Result<i64, StoreError> {
        let sql = "SELECT COALESCE(max(seq), 0) FROM journal";
        Ok(self.conn()?.prepare_cached(sql)?.query_row((), |row| row.get(0))?)
    }

    /// Follows the hashes over the whole journal, and compares what it has digests of.
    ///
    /// # Errors
    /// [`StoreError::ChainBroken`] at the first row that is not what was recorded;
    /// [`StoreError::RecordChanged`] at the first closed period that is not.
    pub fn verify(&self) -> Result<Verified, StoreError> {
        let tx = self.conn()?.unchecked_transaction()?;
        schema::verify(&tx)
    }
}

/// An incident with the row of the journal that has the whole of it.
type Place = (IncidentSummary, i64);

/// A page of incidents.
fn page(
    conn: &Connection,
    filter: &IncidentFilter,
    cursor: Option<Cursor>,
    limit: usize,
) -> Result<(Vec<Place>, Option<Cursor>), StoreError> {
    let limit = limit.clamp(1, PAGE_MAX);
    let driver = Driver::of(conn, filter)?;
    let mut rows = Vec::new();
    for part in Part::after(cursor) {
        // One more, to tell whether there is a next page.
        let missing = limit + 1 - rows.len();
        let query = Query::page(driver, filter, part, missing);
        let mut found = conn.prepare_cached(&format!(
            "SELECT {COLUMNS}, i.seq FROM incidents i WHERE i.number IN ({}) \
             ORDER BY {}",
            query.sql,
            filter.order.terms("i")
        ))?;
        let found = found.query_map(params_from_iter(query.values), |row| {
            Ok((summary(row)?, row.get(SEQ_COLUMN)?))
        })?;
        for row in found {
            rows.push(row?);
        }
    }
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| has_more);
    let next = last.map(|(last, _)| Cursor::after(filter.order, last));
    Ok((rows, next))
}

pub(crate) fn bounded(limit: usize) -> i64 {
    i64::try_from(limit.min(ROWS_MAX)).unwrap_or(i64::MAX)
}
