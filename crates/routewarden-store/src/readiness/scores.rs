//! Scores of all networks by a profile in a period.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use routewarden_core::facts::Sha256;
use routewarden_core::{Asn, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::value::RawValue;
use sha2::Digest;

use super::block::{self, Block};
use super::{
    READINESS_ASES_MAX, READINESS_SCORE_OCTETS_MAX, ScoredRow, append, check_period, check_room,
    inputs,
};
use crate::journal::{Head, JournalKind};
use crate::period::TimeSpan;
use crate::version::{NAME_OCTETS_MAX, check_time};
use crate::{StoreError, StoreReader};

/// What scores are of, and what they were made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadinessAbout {
    /// Id of the profile.
    pub profile: String,
    /// The period.
    pub period: TimeSpan,
    /// Hash of the profile.
    pub profile_sha256: Sha256,
    /// Hash of the inputs of the period.
    pub inputs_sha256: Sha256,
    /// Hash of the events that were counted.
    pub events_sha256: Sha256,
    /// When they were made.
    pub measured_at: Timestamp,
}

/// Scores, ready to be kept.
#[derive(Clone, Debug)]
pub struct ReadinessScores {
    about: ReadinessAbout,
    blocks: Vec<EncodedBlock>,
    ases: u64,
    sha256: Sha256,
}

#[derive(Clone, Debug)]
struct EncodedBlock {
    first: u32,
    last: u32,
    data: Vec<u8>,
}

impl ReadinessScores {
    /// For each network JSON, at most [`READINESS_SCORE_OCTETS_MAX`]; at most [`READINESS_ASES_MAX`].
    ///
    /// # Errors
    /// When a limit is exceeded, or the period is empty.
    pub fn new(
        about: ReadinessAbout,
        scores: &BTreeMap<Asn, Box<RawValue>>,
    ) -> Result<Self, StoreError> {
        check_period(about.period)?;
        check_time(about.measured_at)?;
        let longest = scores.values().map(|json| json.get().len()).max().unwrap_or(0);
        for (what, count, max) in [
            ("name of the profile", about.profile.len(), NAME_OCTETS_MAX),
            ("number of networks", scores.len(), READINESS_ASES_MAX),
            ("scores of a network", longest, READINESS_SCORE_OCTETS_MAX),
        ] {
            if count > max {
                return Err(StoreError::OverLimit { what, max });
            }
        }
        let all = scores.iter().map(|(asn, json)| (asn.0, json.get()));
        let blocks = Block::all(all.clone()).iter().map(encoded).collect::<Result<_, _>>()?;
        let mut hash = ScoresHash::default();
        all.for_each(|(asn, json)| hash.update(asn, json));
        Ok(ReadinessScores { about, blocks, ases: scores.len() as u64, sha256: hash.finish() })
    }

    /// Hash of all scores: for each network, ascending, its ASN (4 octets), the length of its JSON (8
    /// octets, most significant first) and the JSON.
    pub fn sha256(&self) -> Sha256 {
        self.sha256
    }
}

fn encoded(block: &Block<'_>) -> Result<EncodedBlock, StoreError> {
    let ends = block.0.first().zip(block.0.last());
    let made = ends.zip(block.encode()).map(|((first, last), data)| EncodedBlock {
        first: first.0,
        last: last.0,
        data,
    });
    made.ok_or_else(|| StoreError::Io(std::io::Error::other("scores cannot be compressed")))
}

/// See [`ReadinessScores::sha256`].
#[derive(Default)]
struct ScoresHash(sha2::Sha256);

impl ScoresHash {
    fn update(&mut self, asn: u32, json: &str) {
        self.0.update(asn.to_be_bytes());
        self.0.update((json.len() as u64).to_be_bytes());
        self.0.update(json.as_bytes());
    }

    fn finish(self) -> Sha256 {
        Sha256(self.0.finalize().into())
    }
}

/// Scores that the store has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadinessRecord {
    /// What they are of, and what they were made of.
    pub about: ReadinessAbout,
    /// Hash of all of them; see [`ReadinessScores::sha256`].
    pub scores_sha256: Sha256,
    /// Number of networks.
    pub ases: u64,
    /// Whether the journal has the digests, since the period is closed.
    pub is_closed: bool,
}

impl ReadinessRecord {
    /// As it is in a closed period.
    fn of(scores: &ReadinessScores) -> Self {
        ReadinessRecord {
            about: scores.about.clone(),
            scores_sha256: scores.sha256,
            ases: scores.ases,
            is_closed: true,
        }
    }

    /// Whether both say the same, whenever they were made.
    fn says_the_same(&self, other: &Self) -> bool {
        let measured_at = self.about.measured_at;
        let about = ReadinessAbout { measured_at, ..other.about.clone() };
        *self == ReadinessRecord { about, ..other.clone() }
    }

    fn journal_row(&self) -> ScoredRow {
        let about = &self.about;
        ScoredRow {
            profile: about.profile.clone(),
            from: about.period.from,
            until: about.period.until,
            measured_at: about.measured_at,
            ases: self.ases,
            profile_sha256: about.profile_sha256,
            inputs_sha256: about.inputs_sha256,
            events_sha256: about.events_sha256,
            scores_sha256: self.scores_sha256,
        }
    }

    /// Writes the digests into the journal.
    fn journal(
        &self,
        conn: &Connection,
        head: &mut Head,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        let until = self.about.period.until;
        append(conn, head, (JournalKind::ReadinessScored, until), &self.journal_row(), now)
    }
}

const COLUMNS: &str = "profile, since, until, profile_sha256, inputs_sha256, events_sha256, \
                       measured_at, scores_sha256, ases, seq IS NOT NULL, s.id, seq";

/// A row with its number, and that of its row in the journal.
pub(super) struct Known {
    pub(super) record: ReadinessRecord,
    pub(super) id: i64,
    pub(super) seq: Option<i64>,
}

fn known(row: &Row<'_>) -> rusqlite::Result<Known> {
    let time = |column| row.get(column).map(Timestamp::from_micros);
    let hash = |column| row.get(column).map(Sha256);
    let about = ReadinessAbout {
        profile: row.get(0)?,
        period: TimeSpan { from: time(1)?, until: time(2)? },
        profile_sha256: hash(3)?,
        inputs_sha256: hash(4)?,
        events_sha256: hash(5)?,
        measured_at: time(6)?,
    };
    let record = ReadinessRecord {
        about,
        scores_sha256: hash(7)?,
        ases: row.get::<_, i64>(8)?.unsigned_abs(),
        is_closed: row.get(9)?,
    };
    Ok(Known { record, id: row.get(10)?, seq: row.get(11)? })
}

/// All records, the period that ends last first, then by profile.
pub(super) fn all(conn: &Connection) -> Result<Vec<Known>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM readiness_scores s ORDER BY until DESC, since DESC, profile"
    );
    let mut rows = conn.prepare_cached(&sql)?;
    let rows = rows.query_map((), known)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn find(conn: &Connection, profile: &str, span: TimeSpan) -> Result<Option<Known>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM readiness_scores s WHERE profile = ?1 AND since = ?2 AND until = ?3"
    );
    let values = params![profile, span.from.micros(), span.until.micros()];
    Ok(conn.prepare_cached(&sql)?.query_row(values, known).optional()?)
}

/// See [`crate::Store::put_readiness_scores`].
pub(crate) fn put(
    conn: &Connection,
    head: &mut Head,
    scores: &ReadinessScores,
    now: Timestamp,
) -> Result<(), StoreError> {
    let about = &scores.about;
    let record = ReadinessRecord::of(scores);
    match find(conn, &about.profile, about.period)? {
        // Of a closed period only: else they are not the same.
        Some(known) if known.record.says_the_same(&record) => return Ok(()),
        Some(known) => {
            conn.execute("DELETE FROM readiness_scores WHERE id = ?1", [known.id])?;
        }
        None => check_room(conn, "readiness_scores")?,
    }
    let is_closed = inputs::is_closed(conn, about.period)?;
    let seq = is_closed.then(|| record.journal(conn, head, now)).transpose()?;
    let sql = "INSERT INTO readiness_scores (profile, since, until, profile_sha256, inputs_sha256, \
               events_sha256, measured_at, scores_sha256, ases, seq) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    conn.prepare_cached(sql)?.execute(params![
        about.profile,
        about.period.from.micros(),
        about.period.until.micros(),
        about.profile_sha256.0,
        about.inputs_sha256.0,
        about.events_sha256.0,
        about.measured_at.micros(),
        scores.sha256.0,
        i64::try_from(scores.ases).unwrap_or(i64::MAX),
        seq
    ])?;
    put_blocks(conn, conn.last_insert_rowid(), &scores.blocks)
}

fn put_blocks(conn: &Connection, id: i64, blocks: &[EncodedBlock]) -> Result<(), StoreError> {
    let sql = "INSERT INTO readiness_blocks (id, first, last, data) VALUES (?1, ?2, ?3, ?4)";
    let mut put = conn.prepare_cached(sql)?;
    for block in blocks {
        put.execute(params![id, block.first, block.last, block.data])?;
    }
    Ok(())
}

/// Writes the digests of all scores in a period that is being closed into the journal.
pub(super) fn seal(
    conn: &Connection,
    head: &mut Head,
    period: TimeSpan,
    now: Timestamp,
) -> Result<(), StoreError> {
    let open = all(conn)?.into_iter().filter(|it| it.record.about.period == period);
    for Known { record, id, .. } in open {
        let seq = record.journal(conn, head, now)?;
        conn.execute("UPDATE readiness_scores SET seq = ?2 WHERE id = ?1", [id, seq])?;
    }
    Ok(())
}

/// Hands over the scores of a record by its number, network by network; gives the hash of all of them,
/// or `None` when `visit` broke before.
fn visit(
    conn: &Connection,
    (id, after): (i64, Option<Asn>),
    mut visit: impl FnMut(Asn, &str) -> ControlFlow<()>,
) -> Result<Option<Sha256>, StoreError> {
    let sql = "SELECT data FROM readiness_blocks WHERE id = ?1 AND last > ?2 ORDER BY first";
    let after = after.map_or(-1, |asn| i64::from(asn.0));
    let mut rows = conn.prepare_cached(sql)?;
    let mut rows = rows.query([id, after])?;
    let mut hash = ScoresHash::default();
    while let Some(row) = rows.next()? {
        let plain = decompressed(row, 0)?;
        let block = Block::read(&plain).ok_or(StoreError::Damaged)?;
        for (asn, json) in block.0.into_iter().filter(|(asn, _)| i64::from(*asn) > after) {
            hash.update(asn, json);
            if visit(Asn(asn), json).is_break() {
                return Ok(None);
            }
        }
    }
    Ok(Some(hash.finish()))
}

fn decompressed(row: &Row<'_>, column: usize) -> Result<Vec<u8>, StoreError> {
    let data = row.get_ref(column)?.as_blob().ok();
    data.and_then(block::decompress).ok_or(StoreError::Damaged)
}

/// Whether the row of the journal has the digests of a record, and the scores are those.
pub(super) fn is_as_told(
    conn: &Connection,
    known: &Known,
    told: &ScoredRow,
) -> Result<bool, StoreError> {
    match visit(conn, (known.id, None), |_, _| ControlFlow::Continue(())) {
        Ok(hash) => Ok(hash == Some(told.scores_sha256) && known.record.journal_row() == *told),
        Err(StoreError::Damaged) => Ok(false),
        Err(error) => Err(error),
    }
}

impl StoreReader {
    /// All records of scores, the period that ends last first, then by profile.
    pub fn readiness_records(&self) -> Result<Vec<ReadinessRecord>, StoreError> {
        Ok(all(self.conn()?)?.into_iter().map(|known| known.record).collect())
    }

    /// Hands over the scores of a profile in a period as JSON, network by network after `after`, until
    /// `visit` breaks; gives the record, or `None` when there is none.
    pub fn visit_readiness(
        &self,
        (profile, period): (&str, TimeSpan),
        after: Option<Asn>,
        each: impl FnMut(Asn, &str) -> ControlFlow<()>,
    ) -> Result<Option<ReadinessRecord>, StoreError> {
        let tx = self.conn()?.unchecked_transaction()?;
        let Some(known) = find(&tx, profile, period)? else { return Ok(None) };
        visit(&tx, (known.id, after), each)?;
        Ok(Some(known.record))
    }

    /// The scores of a network by a profile as JSON, in each period that has them: the one that ends
    /// first first.
    pub fn readiness_of(
        &self,
        asn: Asn,
        profile: &str,
    ) -> Result<Vec<(ReadinessRecord, String)>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, b.data FROM readiness_scores s JOIN readiness_blocks b \
             ON b.id = s.id AND b.first = (SELECT max(first) FROM readiness_blocks \
                 WHERE id = s.id AND first <= ?2) \
             WHERE s.profile = ?1 AND b.last >= ?2 ORDER BY until, since DESC"
        );
        let mut rows = self.conn()?.prepare_cached(&sql)?;
        let mut rows = rows.query(params![profile, asn.0])?;
        let mut history = Vec::new();
        while let Some(row) = rows.next()? {
            let plain = decompressed(row, 12)?;
            let block = Block::read(&plain).ok_or(StoreError::Damaged)?;
            if let Some(json) = block.of(asn.0) {
                history.push((known(row)?.record, json.to_owned()));
            }
        }
        Ok(history)
    }
}
