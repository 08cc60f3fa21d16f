//! The one writer of a store.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use routewarden_core::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use crate::journal::{self, Entry, Head, JournalKind, Verified};
use crate::note::Note;
use crate::reader::StoreReader;
use crate::readiness::{self, ReadinessInputs, ReadinessScores};
use crate::record::{Claims, IncidentsUnseen, Recording, Tick};
use crate::reports::{self, ReportKey};
use crate::retention::{self, RetentionPolicy, RetentionReport};
use crate::trail::{self, SourceIds, TrailWrite};
use crate::verdict::{self, GivenVerdict, Judged};
use crate::version::{IncidentVersion, StoredVersion};
use crate::{StoreError, schema, tables};

/// The file of a store in its folder.
pub const STORE_FILE: &str = "routewarden.db";
/// Locked as long as a store is open for writing.
const LOCK_FILE: &str = "routewarden.lock";
/// Most notes recorded at once.
pub const NOTES_MAX: usize = 10_000;

/// The writer of a store. There is one at a time; it belongs to one thread.
pub struct Store {
    pub(crate) conn: Connection,
    head: Head,
    claims: Claims,
    run_from: i64,
    trail_sources: SourceIds,
    path: PathBuf,
    _lock: File,
}

impl Store {
    /// Opens the store in a folder, makes it when there is none, and migrates it when it is of an
    /// older version.
    ///
    /// # Errors
    /// When another process writes to it, the file is damaged, of another program or newer, or the
    /// disk fails.
    pub fn open(data_dir: &Path) -> Result<Self, StoreError> {
        let lock = lock(data_dir)?;
        let path = data_dir.join(STORE_FILE);
        let conn = schema::open_writer(&path, &schema::STORE)?;
        let head = journal::head(&conn)?;
        let (claims, run_from) = (Claims::new(), head.seq);
        let trail_sources = SourceIds::new();
        Ok(Store { conn, head, claims, run_from, trail_sources, path, _lock: lock })
    }

    /// Another connection, for reading; for use on any thread.
    pub fn reader(&self) -> Result<StoreReader, StoreError> {
        StoreReader::open_file(&self.path)
    }

    /// Records the versions of a tick in one transaction. When it returns, they are on the disk.
    ///
    /// A version is of a stored incident when the detector had its id before; or else when one of
    /// the same key, with overlapping prefixes, is open or ended within [`crate::CONTINUE_SECS`],
    /// and the detector does not speak of it in this run, nor has ended it itself in this run. What
    /// says nothing new writes nothing.
    ///
    /// # Errors
    /// When there are more than [`crate::VERSIONS_MAX`], or the disk fails; nothing is kept then.
    /// A single version that exceeds a limit is in [`Tick::refused`].
    pub fn record(
        &mut self,
        versions: Vec<IncidentVersion>,
        now: Timestamp,
    ) -> Result<Tick, StoreError> {
        self.recording(now, |recording| recording.versions(versions))
    }

    /// Ends the open incidents that the detector has not spoken of since the store was opened or
    /// [`Store::forget_detector`] was called: to be called when it has seen the tables anew.
    ///
    /// # Errors
    /// When the disk fails; nothing is kept then.
    pub fn end_unseen(&mut self, unseen: IncidentsUnseen) -> Result<Tick, StoreError> {
        self.recording(unseen.now, |recording| recording.end_unseen(unseen))
    }

    /// The detector begins anew and will have other ids for what it had before.
    pub fn forget_detector(&mut self) {
        self.claims.clear();
        self.run_from = self.head.seq;
    }

    fn recording(
        &mut self,
        now: Timestamp,
        work: impl FnOnce(&mut Recording<'_>) -> Result<(), StoreError>,
    ) -> Result<Tick, StoreError> {
        let tx = begin(&mut self.conn)?;
        let (head, claims, run_from) = (self.head, self.claims.clone(), self.run_from);
        let mut recording =
            Recording { conn: &tx, head, claims, run_from, now, tick: Tick::default() };
        work(&mut recording)?;
        let Recording { head, claims, tick, .. } = recording;
        tx.commit()?;
        self.head = head;
        self.claims = claims;
        Ok(tick)
    }

    /// Remembers something about feeds, facts or the service, in one transaction; returns how many
    /// of the notes said something new.
    ///
    /// # Errors
    /// When there are more than [`NOTES_MAX`], one exceeds a limit, or the disk fails; nothing is
    /// kept then.
    pub fn note(&mut self, notes: &[Note], now: Timestamp) -> Result<u64, StoreError> {
        if notes.len() > NOTES_MAX {
            return Err(StoreError::OverLimit { what: "number of notes", max: NOTES_MAX });
        }
        self.writing(|conn, head| {
            let mut count = 0;
            for note in notes {
                note.check()?;
                if is_known(conn, note)? {
                    continue;
                }
                let body = serde_json::to_string(note).map_err(StoreError::Json)?;
                let entry = Entry {
                    at: note.at(),
                    recorded_at: now,
                    kind: note.kind(),
                    subject: note.subject(),
                    body: &body,
                };
                let seq = journal::append(conn, head, &entry)?;
                tables::put_note(conn, note, seq)?;
                count += 1;
            }
            Ok(count)
        })
    }

    /// Reports that are still to be sent, in the order in which they were recorded; at most `limit`
    /// and [`crate::REPORTS_LISTED_MAX`].
    pub fn pending_reports(&self, limit: usize) -> Result<Vec<ReportKey>, StoreError> {
        reports::pending(&self.conn, limit)
    }

    /// The version that a report tells of.
    pub fn version_of(&self, key: &ReportKey) -> Result<Option<StoredVersion>, StoreError> {
        reports::version_of(&self.conn, key)
    }

    /// Records that reports went out; returns how many of them had been pending.
    ///
    /// # Errors
    /// When the disk fails; nothing is kept then.
    pub fn mark_sent(&mut self, keys: &[ReportKey], now: Timestamp) -> Result<u64, StoreError> {
        self.writing(|conn, head| reports::mark_sent(conn, head, keys, now))
    }

    /// Records what somebody found of the incident that has the id, or had it in the detector, in the
    /// place of what was found before. What says the same as before, by the same, writes nothing.
    ///
    /// # Errors
    /// [`StoreError::UnknownIncident`], when a limit is exceeded, or the disk fails.
    pub fn put_verdict(
        &mut self,
        id: &str,
        given: GivenVerdict,
        now: Timestamp,
    ) -> Result<Judged, StoreError> {
        self.writing(|conn, head| verdict::give(conn, head, id, given, now))
    }

    /// Records that the verdict of an incident holds no longer; without one it writes nothing. `at` is
    /// when the user `by` said so, `now` the wall clock.
    ///
    /// # Errors
    /// As of [`Store::put_verdict`].
    pub fn withdraw_verdict(
        &mut self,
        id: &str,
        by: &str,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<Judged, StoreError> {
        self.writing(|conn, head| verdict::withdraw(conn, head, (id, by), (at, now)))
    }

    /// Keeps the inputs of a period, in the place of those before. When it `closes` the period, their
    /// digest goes into the journal, with those of its scores: they are not changed any more. The same
    /// again for a closed period writes nothing.
    ///
    /// # Errors
    /// [`StoreError::PeriodClosed`], when there are [`crate::READINESS_RECORDS_MAX`] others, or the disk
    /// fails; nothing is kept then.
    pub fn put_readiness_inputs(
        &mut self,
        inputs: &ReadinessInputs,
        closes: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.writing(|conn, head| readiness::put_inputs(conn, head, inputs, (closes, now)))
    }

    /// Keeps all scores by a profile in a period, in the place of those before. In a closed period their
    /// digests go into the journal, and the same again writes nothing.
    ///
    /// # Errors
    /// When there are [`crate::READINESS_RECORDS_MAX`] others, or the disk fails; nothing is kept then.
    pub fn put_readiness_scores(
        &mut self,
        scores: &ReadinessScores,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.writing(|conn, head| readiness::put_scores(conn, head, scores, now))
    }

    /// Keeps the routes seen so far in the month that begins at a time, in the place of those before; at
    /// most [`crate::READINESS_ROUTES_OCTETS_MAX`], in a form that the store does not know of.
    ///
    /// # Errors
    /// When there are more, or the disk fails; nothing is kept then.
    pub fn put_readiness_routes(
        &mut self,
        month: Timestamp,
        data: &[u8],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.writing(|conn, _| readiness::put_routes(conn, month, data, now))
    }

    /// Takes out what is older than the policy says, in one transaction, and gives room back to the
    /// disk.
    ///
    /// # Errors
    /// When the disk fails; nothing is taken out then, unless it failed while room was given back.
    pub fn retention(
        &mut self,
        policy: RetentionPolicy,
        now: Timestamp,
    ) -> Result<RetentionReport, StoreError> {
        let report = self.writing(|conn, head| {
            let report = retention::apply(conn, policy, now)?;
            let body = serde_json::to_string(&report).map_err(StoreError::Json)?;
            let entry = Entry {
                at: now,
                recorded_at: now,
                kind: JournalKind::RetentionApplied,
                subject: "store",
                body: &body,
            };
            journal::append(conn, head, &entry)?;
            Ok(report)
        })?;
        retention::give_back(&self.conn)?;
        Ok(report)
    }

    /// Adds to trails of incidents, in one transaction. What a trail has already, by its position,
    /// is passed over; so are trails of incidents that are not stored.
    ///
    /// # Errors
    /// When the disk fails; nothing is kept then.
    pub fn append_trails(&mut self, writes: &[TrailWrite]) -> Result<(), StoreError> {
        let tx = begin(&mut self.conn)?;
        let mut sources = std::mem::take(&mut self.trail_sources);
        for write in writes {
            trail::append(&tx, &mut sources, write)?;
        }
        tx.commit()?;
        self.trail_sources = sources;
        Ok(())
    }

    /// Ends all trails but those of these incidents: nobody will add to them any more. Gives how
    /// many.
    ///
    /// # Errors
    /// When the disk fails; nothing is kept then.
    pub fn end_other_trails(&mut self, kept: &[i64], now: Timestamp) -> Result<u64, StoreError> {
        self.writing(|conn, _| trail::end_others(conn, kept, now))
    }

    /// The highest position of any trail: who begins anew goes on from there.
    pub fn trail_position(&self) -> Result<u64, StoreError> {
        trail::position(&self.conn)
    }

    /// Makes the tables anew of the journal; returns the number of rows read.
    ///
    /// # Errors
    /// When a row cannot be read, or the disk fails; the tables are as they were then.
    pub fn rebuild(&mut self) -> Result<u64, StoreError> {
        self.writing(|conn, _| tables::rebuild(conn))
    }

    /// Follows the hashes over the whole journal, and compares what it has digests of.
    ///
    /// # Errors
    /// [`StoreError::ChainBroken`] at the first row that is not what was recorded;
    /// [`StoreError::RecordChanged`] at the first closed period that is not.
    pub fn verify(&self) -> Result<Verified, StoreError> {
        let tx = self.conn.unchecked_transaction()?;
        schema::verify(&tx)
    }

    /// The end of the journal.
    pub fn head(&self) -> Head {
        self.head
    }

    fn writing<T>(
        &mut self,
        work: impl FnOnce(&Connection, &mut Head) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let tx = begin(&mut self.conn)?;
        let mut head = self.head;
        let result = work(&tx, &mut head)?;
        tx.commit()?;
        self.head = head;
        Ok(result)
    }
}

/// Takes the lock of a store, which is held as long as the file is open.
pub(crate) fn lock(data_dir: &Path) -> Result<File, StoreError> {
    let lock =
        File::options().create(true).truncate(false).write(true).open(data_dir.join(LOCK_FILE))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
        Err(TryLockError::Error(fault)) => Err(fault.into()),
    }
}

fn begin(conn: &mut Connection) -> Result<Transaction<'_>, StoreError> {
    Ok(conn.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

/// Whether the state of a feed is what the tables have already.
fn is_known(conn: &Connection, note: &Note) -> Result<bool, StoreError> {
    let Note::FeedState { feed, state, .. } = note else { return Ok(false) };
    let known: Option<(String, Option<String>)> = conn
        .prepare_cached("SELECT state, detail FROM feed_states WHERE feed = ?1")?
        .query_row([feed], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(known.is_some_and(|(known, detail)| known == *state && detail.as_deref() == note.detail()))
}
