//! Adding to trails, ending them, and making room.

use std::collections::HashMap;
use std::sync::Arc;

use routewarden_core::{Peer, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::block::{Block, BlockBuilder, Item};
use super::{
    TRAIL_BLOCK_EVENTS_MAX, TRAIL_EVENTS_MAX, TrailAction, TrailEvent, TrailFault, TrailFaults,
    TrailPart, TrailWrite,
};
use crate::StoreError;

/// Numbers of the peers, as far as they were asked for. To be emptied when a transaction fails.
pub(crate) type SourceIds = HashMap<Arc<Peer>, i64>;

/// A trail's row, as it is changed.
struct Row {
    since: i64,
    ended_at: Option<i64>,
    through: u64,
    blocks: i64,
    events: u64,
    octets: u64,
    faults: TrailFaults,
}

/// A trail that is added to.
struct Appending<'a> {
    conn: &'a Connection,
    sources: &'a mut SourceIds,
    number: i64,
    row: Row,
}

/// Adds to a trail what it does not have yet. Those of incidents that are not stored are passed
/// over.
pub(crate) fn append(
    conn: &Connection,
    sources: &mut SourceIds,
    write: &TrailWrite,
) -> Result<(), StoreError> {
    let number = write.number;
    let row = match row(conn, number)? {
        Some(row) => row,
        None if is_stored(conn, number)? => Row::begun(write),
        None => return Ok(()),
    };
    let through = row.through;
    let mut appending = Appending { conn, sources, number, row };
    for part in write.parts.iter().filter(|part| part.position > through) {
        appending.part(part)?;
    }
    let new = write.events.iter().filter(|(position, _)| *position > through);
    appending.events(new.map(|(_, event)| event))?;
    let row = &mut appending.row;
    row.through = row.through.max(write.through);
    row.faults = row.faults.with(write.faults);
    row.ended_at = write.ended_at.map(Timestamp::micros);
    appending.put_row()
}

/// Ends all trails but these: nobody will add to them any more.
pub(crate) fn end_others(
    conn: &Connection,
    kept: &[i64],
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut open = conn.prepare("SELECT number FROM trails WHERE ended_at IS NULL")?;
    let open: Vec<i64> = open.query_map((), |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut end = conn.prepare(
        "UPDATE trails SET ended_at = max(?2, since), faults = faults | ?3 WHERE number = ?1",
    )?;
    let mut ended = 0;
    for number in open.into_iter().filter(|number| !kept.contains(number)) {
        end.execute(params![number, now.micros(), TrailFault::Restarted.bit()])?;
        ended += 1;
    }
    Ok(ended)
}

/// The highest position that any trail has.
pub(crate) fn position(conn: &Connection) -> Result<u64, StoreError> {
    let sql = "SELECT coalesce(max(through), 0) FROM trails";
    Ok(conn.query_row(sql, (), |row| row.get::<_, i64>(0))?.unsigned_abs())
}

/// Empties trails until all together have at most so many octets: those that ended first, first.
/// Gives how many.
pub(crate) fn make_room(conn: &Connection, octets_max: u64) -> Result<u64, StoreError> {
    let sql = "SELECT coalesce(sum(octets), 0) FROM trails";
    let mut octets = conn.query_row(sql, (), |row| row.get::<_, i64>(0))?.unsigned_abs();
    let mut emptied = 0;
    let mut ended = conn.prepare(
        "SELECT number, octets FROM trails WHERE ended_at IS NOT NULL AND octets > 0 \
         ORDER BY ended_at, number",
    )?;
    let mut ended = ended.query(())?;
    while octets > octets_max
        && let Some(row) = ended.next()?
    {
        let (number, freed): (i64, i64) = (row.get(0)?, row.get(1)?);
        conn.execute("DELETE FROM trail_blocks WHERE number = ?1", [number])?;
        let sql = "UPDATE trails SET octets = 0, faults = faults | ?2 WHERE number = ?1";
        conn.execute(sql, params![number, TrailFault::Removed.bit()])?;
        octets = octets.saturating_sub(freed.unsigned_abs());
        emptied += 1;
    }
    Ok(emptied)
}

impl Row {
    fn begun(write: &TrailWrite) -> Self {
        let parts = write.parts.iter().map(|part| part.since);
        let events = write.events.iter().map(|(_, event)| event.time);
        Row {
            since: parts.chain(events).min().unwrap_or_default().micros(),
            ended_at: None,
            through: 0,
            blocks: 0,
            events: 0,
            octets: 0,
            faults: TrailFaults::default(),
        }
    }
}

fn row(conn: &Connection, number: i64) -> Result<Option<Row>, StoreError> {
    let sql = "SELECT since, ended_at, through, blocks, events, octets, faults FROM trails \
               WHERE number = ?1";
    let row = conn.prepare_cached(sql)?.query_row([number], |row| {
        Ok(Row {
            since: row.get(0)?,
            ended_at: row.get(1)?,
            through: row.get::<_, i64>(2)?.unsigned_abs(),
            blocks: row.get(3)?,
            events: row.get::<_, i64>(4)?.unsigned_abs(),
            octets: row.get::<_, i64>(5)?.unsigned_abs(),
            faults: TrailFaults(row.get(6)?),
        })
    });
    Ok(row.optional()?)
}

fn is_stored(conn: &Connection, number: i64) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM incidents WHERE number = ?1)";
    Ok(conn.prepare_cached(sql)?.query_row([number], |row| row.get(0))?)
}

impl Appending<'_> {
    fn part(&mut self, part: &TrailPart) -> Result<(), StoreError> {
        if let Some(ended_at) = self.row.ended_at
            && part.since.micros() > ended_at
        {
            self.row.faults.add(TrailFault::Paused);
        }
        self.row.faults = self.row.faults.with(part.faults);
        let mut builder = BlockBuilder::of_spaces(part.spaces.clone());
        for route in &part.routes {
            if builder.is_full() {
                self.put_routes(part, &std::mem::take(&mut builder))?;
            }
            let (prefix, attributes) = (route.prefix, Arc::clone(&route.attributes));
            let action = TrailAction::Announced { prefix, attributes };
            let source = self.source(&route.source)?;
            builder.push(&Item { time: part.since, source, action });
        }
        self.put_routes(part, &builder)
    }

    fn put_routes(&mut self, part: &TrailPart, builder: &BlockBuilder) -> Result<(), StoreError> {
        let position = i64::try_from(part.position).unwrap_or(i64::MAX);
        self.put_block(None, Some((position, part.since.micros())), builder)
    }

    fn events<'e>(
        &mut self,
        events: impl Iterator<Item = &'e TrailEvent>,
    ) -> Result<(), StoreError> {
        let mut events = events.peekable();
        if events.peek().is_none() {
            return Ok(());
        }
        let (mut first, mut builder) = self.last_block()?;
        for event in events {
            if self.row.events >= TRAIL_EVENTS_MAX {
                self.row.faults.add(TrailFault::TooManyEvents);
                break;
            }
            if builder.is_full() {
                self.put_events(first, &std::mem::take(&mut builder))?;
                first = self.row.events + 1;
            }
            let source = self.source(&event.source)?;
            builder.push(&Item { time: event.time, source, action: event.action.clone() });
            self.row.events += 1;
        }
        if builder.len() > 0 { self.put_events(first, &builder) } else { Ok(()) }
    }

    /// The block to go on with, taken out, and the number of its first event.
    fn last_block(&mut self) -> Result<(u64, BlockBuilder), StoreError> {
        let new = (self.row.events + 1, BlockBuilder::default());
        let block = self.row.blocks - 1;
        let sql = "SELECT first, count, data FROM trail_blocks \
                   WHERE number = ?1 AND block = ?2 AND part IS NULL";
        let last: Option<(i64, i64, Vec<u8>)> = self
            .conn
            .prepare_cached(sql)?
            .query_row([self.number, block], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((first, count, data)) = last else { return Ok(new) };
        let is_full = usize::try_from(count).is_ok_and(|count| count >= TRAIL_BLOCK_EVENTS_MAX);
        // One that cannot be read stays as it is; those who read it are told.
        let Some(last) = (!is_full).then(|| Block::decode(&data).ok()).flatten() else {
            return Ok(new);
        };
        let sql = "DELETE FROM trail_blocks WHERE number = ?1 AND block = ?2";
        self.conn.prepare_cached(sql)?.execute([self.number, block])?;
        self.row.blocks -= 1;
        self.row.octets = self.row.octets.saturating_sub(data.len() as u64);
        Ok((first.unsigned_abs(), last.into_builder()))
    }

    fn put_events(&mut self, first: u64, builder: &BlockBuilder) -> Result<(), StoreError> {
        let first = i64::try_from(first).unwrap_or(i64::MAX);
        self.put_block(Some(first), None, builder)
    }

    /// The next block: of events, with the number of the first; or of the routes that stood when a
    /// part began, with its position and its time in microseconds.
    fn put_block(
        &mut self,
        first: Option<i64>,
        part: Option<(i64, i64)>,
        builder: &BlockBuilder,
    ) -> Result<(), StoreError> {
        let octets = encoded(builder)?;
        let (position, since) = part.unzip();
        let sql = "INSERT INTO trail_blocks (number, block, first, part, since, count, data) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        self.conn.prepare_cached(sql)?.execute(params![
            self.number,
            self.row.blocks,
            first,
            position,
            since,
            count_of(builder),
            octets
        ])?;
        self.row.blocks += 1;
        self.row.octets += octets.len() as u64;
        Ok(())
    }

    fn put_row(&self) -> Result<(), StoreError> {
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let row = &self.row;
        let sql = "INSERT INTO trails (number, since, ended_at, through, blocks, events, octets, \
                       faults) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
                   ON CONFLICT DO UPDATE SET ended_at = ?3, through = ?4, blocks = ?5, \
                       events = ?6, octets = ?7, faults = ?8";
        self.conn.prepare_cached(sql)?.execute(params![
            self.number,
            row.since,
            row.ended_at,
            count(row.through),
            row.blocks,
            count(row.events),
            count(row.octets),
            row.faults.0
        ])?;
        Ok(())
    }

    /// Number of a peer, given on first sight.
    fn source(&mut self, peer: &Arc<Peer>) -> Result<i64, StoreError> {
        if let Some(&id) = self.sources.get(peer) {
            return Ok(id);
        }
        let values = params![peer.collector, peer.asn.0, peer.addr.to_string()];
        let sql = "SELECT id FROM trail_sources WHERE collector = ?1 AND asn = ?2 AND addr = ?3";
        let known =
            self.conn.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()?;
        let id = if let Some(id) = known {
            id
        } else {
            let sql = "INSERT INTO trail_sources (collector, asn, addr) VALUES (?1, ?2, ?3)";
            self.conn.prepare_cached(sql)?.insert(values)?
        };
        self.sources.insert(Arc::clone(peer), id);
        Ok(id)
    }
}

fn count_of(builder: &BlockBuilder) -> i64 {
    i64::try_from(builder.len()).unwrap_or(i64::MAX)
}

fn encoded(builder: &BlockBuilder) -> Result<Vec<u8>, StoreError> {
    let max = super::TRAIL_BLOCK_OCTETS_MAX;
    builder.encode().ok_or(StoreError::OverLimit { what: "octets of a block of a trail", max })
}
