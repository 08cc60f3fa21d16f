//! Reading a store on a connection of its own.

use std::path::Path;

use routewarden_core::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};
use serde::Serialize;

use crate::journal::{self, JournalRow, Verified};
use crate::query::{Cursor, Driver, IncidentFilter, PAGE_MAX, Part, Query};
use crate::record::stored_at;
use crate::reports::{self, ReportKey};
use crate::store::STORE_FILE;
use crate::version::StoredVersion;
use crate::{StoreError, schema};

/// Most rows of the journal, gaps or versions of facts in one answer.
pub const ROWS_MAX: usize = 10_000;

/// A connection that only reads. It sees what was committed when each call begins, never waits for
/// the writer, and may be sent to another thread.
pub struct StoreReader {
    pub(crate) conn: Connection,
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

const COLUMNS: &str = "i.number, i.id, i.detector_id, i.kind, i.state, i.class, i.confidence, \
                       i.severity, i.first_seen, i.last_seen, i.ended_at, i.opened_at, \
                       i.updated_at, i.version, i.reported";

fn summary(row: &Row<'_>) -> rusqlite::Result<IncidentSummary> {
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

/// A page of incidents, first seen last first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentPage {
    /// Incidents.
    pub incidents: Vec<IncidentSummary>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<Cursor>,
}

/// The present state of a feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FeedStateRow {
    /// Name of the feed.
    pub feed: String,
    /// Its state.
    pub state: String,
    /// Since when.
    pub since: Timestamp,
    /// JSON, as it was noted.
    pub detail: Option<String>,
}

/// A time in which a feed was not heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GapRow {
    /// Name of the feed.
    pub feed: String,
    /// The last that was heard before.
    pub from: Timestamp,
    /// The first that was heard after; `null` while it lasts.
    pub to: Option<Timestamp>,
    /// Whether what was missed has been fetched.
    pub filled: bool,
    /// JSON, as it was noted.
    pub detail: Option<String>,
}

/// A version of facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FactsVersionRow {
    /// Name of the facts.
    pub name: String,
    /// Their version.
    pub version: String,
    /// From when on.
    pub applied_at: Timestamp,
    /// JSON, as it was noted.
    pub detail: Option<String>,
}

/// How many incidents of a kind and class were first seen on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IncidentCount {
    /// Midnight, UTC, at which the day begins.
    pub day: Timestamp,
    /// Kind.
    pub kind: String,
    /// Class of the severity.
    pub class: String,
    /// Incidents.
    pub count: u64,
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
        Ok(StoreReader { conn: schema::open_reader(path)? })
    }

    /// A page of the incidents that meet the filter, first seen last first; at most `limit` and
    /// [`PAGE_MAX`].
    pub fn list(
        &self,
        filter: &IncidentFilter,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Result<IncidentPage, StoreError> {
        let limit = limit.clamp(1, PAGE_MAX);
        // Of one moment: a page has two parts.
        let tx = self.conn.unchecked_transaction()?;
        let parts = match cursor {
            None => vec![Part::All],
            Some(cursor) => vec![Part::SameTime(cursor), Part::Before(cursor)],
        };
        let driver = Driver::of(&tx, filter)?;
        let mut incidents = Vec::new();
        for part in parts {
            // One more, to tell whether there is a next page.
            let missing = limit + 1 - incidents.len();
            let query = Query::page(driver, filter, part, missing);
            let mut rows = tx.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM incidents i WHERE i.number IN ({}) \
                 ORDER BY i.first_seen DESC, i.number DESC",
                query.sql
            ))?;
            let rows = rows.query_map(params_from_iter(query.values), summary)?;
            for row in rows {
                incidents.push(row?);
            }
        }
        let has_more = incidents.len() > limit;
        incidents.truncate(limit);
        let next = incidents
            .last()
            .filter(|_| has_more)
            .map(|last| Cursor { first_seen: last.first_seen.micros(), number: last.number });
        Ok(IncidentPage { incidents, next })
    }

    /// The incident that has the id in the store, or had it in the detector, whole.
    pub fn get(&self, id: &str) -> Result<Option<(IncidentSummary, StoredVersion)>, StoreError> {
        let tx = self.conn.unchecked_transaction()?;
        let sql = format!(
            "SELECT {COLUMNS}, i.seq FROM incident_ids d JOIN incidents i USING (number) \
             WHERE d.detector_id = ?1"
        );
        let found = tx
            .prepare_cached(&sql)?
            .query_row([id], |row| Ok((summary(row)?, row.get(15)?)))
            .optional()?;
        found.map(|(summary, seq)| Ok((summary, stored_at(&tx, seq)?))).transpose()
    }

    /// The version that a report tells of.
    pub fn version_of(&self, key: &ReportKey) -> Result<Option<StoredVersion>, StoreError> {
        let tx = self.conn.unchecked_transaction()?;
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
        let mut rows = self.conn.prepare_cached(&sql)?;
        let rows = rows.query_map(params![id, after, bounded(limit)], journal::row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Rows of the journal from a number on; at most `limit` and [`ROWS_MAX`].
    pub fn journal(&self, from_seq: i64, limit: usize) -> Result<Vec<JournalRow>, StoreError> {
        let sql = format!(
            "SELECT {} FROM journal WHERE seq >= ?1 ORDER BY seq LIMIT ?2",
            journal::COLUMNS
        );
        let mut rows = self.conn.prepare_cached(&sql)?;
        let rows = rows.query_map(params![from_seq, bounded(limit)], journal::row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The present state of every feed, by name.
    pub fn feed_states(&self) -> Result<Vec<FeedStateRow>, StoreError> {
        let mut rows = self
            .conn
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
        let mut rows = self.conn.prepare_cached(
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

    /// Versions of facts, applied last first; at most `limit` and [`ROWS_MAX`].
    pub fn facts_versions(&self, limit: usize) -> Result<Vec<FactsVersionRow>, StoreError> {
        let mut rows = self.conn.prepare_cached(
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
        let mut rows = self.conn.prepare_cached(
            "SELECT day, kind, class, count FROM incident_counts WHERE day >= ?1 AND day < ?2",
        )?;
        let rows = rows.query_map(params![from.micros(), before.micros()], |row| {
            Ok(IncidentCount {
                day: Timestamp::from_micros(row.get(0)?),
                kind: row.get(1)?,
                class: row.get(2)?,
                count: row.get::<_, i64>(3)?.unsigned_abs(),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Follows the hashes over the whole journal.
    ///
    /// # Errors
    /// [`StoreError::ChainBroken`] at the first row that is not what was recorded.
    pub fn verify(&self) -> Result<Verified, StoreError> {
        let tx = self.conn.unchecked_transaction()?;
        journal::verify(&tx)
    }
}

fn bounded(limit: usize) -> i64 {
    i64::try_from(limit.min(ROWS_MAX)).unwrap_or(i64::MAX)
}
