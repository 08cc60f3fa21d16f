//! Routes seen so far in a month, to go on with after a start.

use routewarden_core::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::READINESS_ROUTES_OCTETS_MAX;
use crate::version::check_time;
use crate::{StoreError, StoreReader};

/// See [`crate::Store::put_readiness_routes`].
pub(crate) fn put(
    conn: &Connection,
    month: Timestamp,
    data: &[u8],
    now: Timestamp,
) -> Result<(), StoreError> {
    check_time(month)?;
    if data.len() > READINESS_ROUTES_OCTETS_MAX {
        let what = "readiness routes";
        return Err(StoreError::OverLimit { what, max: READINESS_ROUTES_OCTETS_MAX });
    }
    let sql = "INSERT INTO readiness_routes (month, data, saved_at) VALUES (?1, ?2, ?3) \
               ON CONFLICT DO UPDATE SET data = ?2, saved_at = ?3";
    conn.prepare_cached(sql)?.execute(params![month.micros(), data, now.micros()])?;
    Ok(())
}

impl StoreReader {
    /// The routes of the month that begins at a time, as they were put last, and when that was.
    pub fn readiness_routes(
        &self,
        month: Timestamp,
    ) -> Result<Option<(Vec<u8>, Timestamp)>, StoreError> {
        let sql = "SELECT data, saved_at FROM readiness_routes WHERE month = ?1";
        let found = self.conn()?.prepare_cached(sql)?.query_row([month.micros()], |row| {
            Ok((row.get(0)?, Timestamp::from_micros(row.get(1)?)))
        });
        Ok(found.optional()?)
    }
}
