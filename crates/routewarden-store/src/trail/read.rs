//! Reading trails.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use routewarden_core::{Asn, Peer, Timestamp};
use rusqlite::{OptionalExtension, params};

use super::block::{Block, Item};
use super::{
    TRAIL_EVENTS_LISTED_MAX, TrailAction, TrailEvent, TrailFaults, TrailHead, TrailPart, TrailRoute,
};
use crate::{StoreError, StoreReader};

/// Peers by number, as far as they were asked for.
type Sources = HashMap<i64, Arc<Peer>>;

impl StoreReader {
    /// What is known of the trail of an incident, by its number.
    pub fn trail(&self, number: i64) -> Result<Option<TrailHead>, StoreError> {
        let sql = "SELECT since, ended_at, events, octets, faults FROM trails WHERE number = ?1";
        let head = self.conn()?.prepare_cached(sql)?.query_row([number], |row| {
            Ok(TrailHead {
                number,
                since: Timestamp::from_micros(row.get(0)?),
                ended_at: row.get::<_, Option<i64>>(1)?.map(Timestamp::from_micros),
                events: row.get::<_, i64>(2)?.unsigned_abs(),
                octets: row.get::<_, i64>(3)?.unsigned_abs(),
                faults: TrailFaults(row.get(4)?),
            })
        });
        Ok(head.optional()?)
    }

    /// The parts of a trail in the order in which they were made, with at most so many routes in
    /// all.
    pub fn trail_parts(
        &self,
        number: i64,
        routes_max: usize,
    ) -> Result<Vec<TrailPart>, StoreError> {
        let sql = "SELECT block, part, since, data FROM trail_blocks \
                   WHERE number = ?1 AND part IS NOT NULL ORDER BY block";
        let mut rows = self.conn()?.prepare_cached(sql)?;
        let mut rows = rows.query([number])?;
        let mut sources = Sources::new();
        let (mut parts, mut left): (Vec<TrailPart>, usize) = (Vec::new(), routes_max);
        while let Some(row) = rows.next()? {
            let position = row.get::<_, i64>(1)?.unsigned_abs();
            let since = Timestamp::from_micros(row.get(2)?);
            let block = decode(row.get_ref(3)?.as_blob(), number, row.get(0)?)?;
            if parts.last().is_none_or(|last| last.position != position) {
                let (spaces, routes, faults) = (block.spaces, Vec::new(), TrailFaults::default());
                parts.push(TrailPart { position, since, spaces, routes, faults });
            }
            let Some(part) = parts.last_mut() else { continue };
            for item in block.items.into_iter().take(left) {
                let source = self.source(&mut sources, item.source)?;
                if let TrailAction::Announced { prefix, attributes } = item.action {
                    part.routes.push(TrailRoute { source, prefix, attributes });
                    left -= 1;
                }
            }
        }
        Ok(parts)
    }

    /// The events of a trail after the one with a number, each with its number, in the order in
    /// which they came in; at most `limit` and [`TRAIL_EVENTS_LISTED_MAX`].
    pub fn trail_events(
        &self,
        number: i64,
        after: u64,
        limit: usize,
    ) -> Result<Vec<(u64, TrailEvent)>, StoreError> {
        let sql = "SELECT block, first, data FROM trail_blocks \
                   WHERE number = ?1 AND part IS NULL AND first + count > ?2 + 1 ORDER BY block";
        let mut rows = self.conn()?.prepare_cached(sql)?;
        let mut rows = rows.query(params![number, i64::try_from(after).unwrap_or(i64::MAX - 1)])?;
        let mut sources = Sources::new();
        let (mut events, limit) = (Vec::new(), limit.min(TRAIL_EVENTS_LISTED_MAX));
        while events.len() < limit
            && let Some(row) = rows.next()?
        {
            let first = row.get::<_, i64>(1)?.unsigned_abs();
            let block = decode(row.get_ref(2)?.as_blob(), number, row.get(0)?)?;
            for (seq, item) in (first..).zip(block.items) {
                if seq <= after || events.len() >= limit {
                    continue;
                }
                let Item { time, source, action } = item;
                let source = self.source(&mut sources, source)?;
                events.push((seq, TrailEvent { time, source, action }));
            }
        }
        Ok(events)
    }

    fn source(&self, known: &mut Sources, id: i64) -> Result<Arc<Peer>, StoreError> {
        if let Some(peer) = known.get(&id) {
            return Ok(Arc::clone(peer));
        }
        let sql = "SELECT collector, asn, addr FROM trail_sources WHERE id = ?1";
        let found = self
            .conn()?
            .prepare_cached(sql)?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?)));
        let (collector, asn, addr) = found.optional()?.ok_or(StoreError::Damaged)?;
        let addr: IpAddr = addr.parse().map_err(|_| StoreError::Damaged)?;
        let peer = Arc::new(Peer { collector, asn: Asn(asn), addr });
        known.insert(id, Arc::clone(&peer));
        Ok(peer)
    }
}

fn decode(
    data: Result<&[u8], rusqlite::types::FromSqlError>,
    number: i64,
    block: i64,
) -> Result<Block, StoreError> {
    let decoded = data.ok().and_then(|data| Block::decode(data).ok());
    decoded.ok_or(StoreError::UnreadableTrail { number, block })
}
