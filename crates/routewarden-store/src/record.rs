//! Recording the versions of a tick: which are new, which go on, which say nothing new.

use std::collections::BTreeMap;

use routewarden_core::facts::Sha256;
use routewarden_core::{Prefix, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use crate::StoreError;
use crate::journal::{self, Entry, Head, JournalKind};
use crate::reports::reports_of;
use crate::tables;
use crate::version::{
    Change, DETECTOR_IDS_MAX, IncidentVersion, StoredVersion, check_time, digest,
};

/// Most versions recorded at once.
pub const VERSIONS_MAX: usize = 100_000;
/// How long after its end an incident is taken up again by one of the same cause.
pub const CONTINUE_SECS: i64 = 6 * 3_600;
/// Most incidents of one cause that are looked at for one to take up.
const CANDIDATES_MAX: i64 = 64;

/// A change that was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Id of the incident in the store.
    pub id: String,
    /// Id that the detector has for it now.
    pub detector_id: String,
    /// Number of the incident in the store.
    pub number: i64,
    /// Number of the version.
    pub version: i64,
    /// What became of it.
    pub change: Change,
    /// What is to be told of it, now in the outbox.
    pub reports: Vec<Change>,
    /// Number of the row in the journal.
    pub seq: i64,
}

/// A version that was not recorded. The others of its tick were.
#[derive(Debug)]
pub struct Refused {
    /// Id that the detector has for it.
    pub detector_id: String,
    /// Why.
    pub error: StoreError,
}

/// What became of the versions of a tick.
#[derive(Debug, Default)]
pub struct Tick {
    /// Changes, each once, in the order of recording.
    pub recorded: Vec<Recorded>,
    /// Versions that are as they were.
    pub unchanged: u64,
    /// Versions of incidents that the detector has under a newer id.
    pub superseded: u64,
    /// Versions that exceed a limit.
    pub refused: Vec<Refused>,
}

/// Open incidents that the detector has spoken of in this run, by number, with its id for them.
pub(crate) type Claims = BTreeMap<i64, String>;

/// An incident of the tables, as far as is needed to compare.
struct Known {
    number: i64,
    detector_id: String,
    digest: Sha256,
    is_over: bool,
    seq: i64,
}

/// Where a version belongs.
enum Place {
    New,
    Known(Known),
    Superseded,
}

/// A recording under way; dropped, nothing of it is kept.
pub(crate) struct Recording<'a> {
    pub(crate) conn: &'a Connection,
    pub(crate) head: Head,
    pub(crate) claims: Claims,
    /// The end of the journal when the detector began.
    pub(crate) run_from: i64,
    pub(crate) now: Timestamp,
    pub(crate) tick: Tick,
}

impl Recording<'_> {
    /// Records the versions of a tick. Those come first whose ids are the present ones of incidents,
    /// then those whose ids were, so that neither loses its incident to another of the same cause.
    /// What is withdrawn comes last: it has ended only if it does not go on under another id.
    pub(crate) fn versions(&mut self, versions: Vec<IncidentVersion>) -> Result<(), StoreError> {
        if versions.len() > VERSIONS_MAX {
            return Err(StoreError::OverLimit { what: "number of versions", max: VERSIONS_MAX });
        }
        let (mut former, mut unknown, mut withdrawn) = (Vec::new(), Vec::new(), Vec::new());
        for mut version in versions {
            if let Err(error) = version.check() {
                self.tick.refused.push(Refused { detector_id: version.id, error });
                continue;
            }
            version.normalise();
            match self.known_by_id(&version)? {
                Place::New => unknown.push(version),
                Place::Known(known) if version.is_withdrawn => {
                    self.claims.remove(&known.number);
                    withdrawn.push(version);
                }
                Place::Known(known) if known.detector_id == version.id => {
                    self.version(&version, Place::Known(known))?;
                }
                Place::Known(_) | Place::Superseded => former.push(version),
            }
        }
        for version in former.into_iter().chain(unknown) {
            // Asked again: what came before may have changed it.
            let place = match self.known_by_id(&version)? {
                Place::New => self.known_by_key(&version)?,
                place => place,
            };
            self.version(&version, place)?;
        }
        for version in withdrawn {
            match self.known_by_id(&version)? {
                Place::Known(known) if known.detector_id == version.id => {
                    self.version(&version, Place::Known(known))?;
                }
                _ => self.tick.superseded += 1,
            }
        }
        Ok(())
    }

    fn version(&mut self, version: &IncidentVersion, place: Place) -> Result<(), StoreError> {
        let digest = digest(version)?;
        match place {
            Place::Superseded => self.tick.superseded += 1,
            Place::Known(known) => {
                // It may have been ended without a word of the detector: then the same is news.
                let is_same = known.digest == digest
                    && known.detector_id == version.id
                    && known.is_over == version.ended_at.is_some();
                if is_same {
                    self.tick.unchanged += 1;
                    self.claim(known.number, version);
                } else {
                    self.change(version, digest, &known)?;
                }
            }
            Place::New => {
                let number = tables::highest_number(self.conn)? + 1;
                let opened = first_version(version, number, digest, self.now);
                self.write(&opened, Change::Opened, true)?;
                if version.ended_at.is_some() {
                    let over = next_version(opened, version, digest, Change::Ended);
                    self.write(&over, Change::Ended, false)?;
                }
            }
        }
        Ok(())
    }

    fn change(
        &mut self,
        version: &IncidentVersion,
        digest: Sha256,
        known: &Known,
    ) -> Result<(), StoreError> {
        let change = match (known.is_over, version.ended_at.is_some()) {
            (false, true) => Change::Ended,
            (true, false) => Change::Reopened,
            (false, false) | (true, true) => Change::Updated,
        };
        let before = stored_at(self.conn, known.seq)?;
        let next = next_version(before.clone(), version, digest, change);
        self.write(&next, change, has_other_parts(&before, &next))
    }

    /// Writes a version into the journal and the tables.
    pub(crate) fn write(
        &mut self,
        version: &StoredVersion,
        change: Change,
        has_other_parts: bool,
    ) -> Result<(), StoreError> {
        let (kind, at) = match change {
            Change::Opened => (JournalKind::IncidentOpened, version.first_seen),
            Change::Updated => (JournalKind::IncidentUpdated, version.last_seen),
            Change::Ended => {
                (JournalKind::IncidentEnded, version.ended_at.unwrap_or(version.last_seen))
            }
            Change::Reopened => (JournalKind::IncidentReopened, version.last_seen),
        };
        let body = serde_json::to_string(version).map_err(StoreError::Json)?;
        let entry = Entry { at, recorded_at: self.now, kind, subject: &version.id, body: &body };
        let seq = journal::append(self.conn, &mut self.head, &entry)?;
        tables::put_incident(self.conn, version, has_other_parts, (seq, self.now))?;
        let detector_id = version.detector_ids.last().unwrap_or(&version.id).clone();
        if version.ended_at.is_some() {
            self.claims.remove(&version.number);
        } else {
            self.claims.insert(version.number, detector_id.clone());
        }
        self.tick.recorded.push(Recorded {
            id: version.id.clone(),
            detector_id,
            number: version.number,
            version: version.version,
            change,
            reports: version.reports.clone(),
            seq,
        });
        Ok(())
    }

    fn claim(&mut self, number: i64, version: &IncidentVersion) {
        if version.ended_at.is_none() {
            self.claims.insert(number, version.id.clone());
        }
    }

    /// The incident that has or had the id of the version.
    fn known_by_id(&self, version: &IncidentVersion) -> Result<Place, StoreError> {
        let known = self
            .conn
            .prepare_cached(
                "SELECT i.number, i.detector_id, i.digest, i.ended_at IS NOT NULL, i.seq \
                 FROM incident_ids d JOIN incidents i USING (number) WHERE d.detector_id = ?1",
            )?
            .query_row([&version.id], known)
            .optional()?;
        Ok(match known {
            None => Place::New,
            Some(known) if known.detector_id == version.id => Place::Known(known),
            // The end of what has gone on under another id is no news.
            Some(known) if known.is_over && version.ended_at.is_some() => Place::Superseded,
            Some(known) if self.claims.contains_key(&known.number) => Place::Superseded,
            Some(known) => Place::Known(known),
        })
    }

    /// The open or newly ended incident of the same cause and place that nobody speaks of.
    fn known_by_key(&self, version: &IncidentVersion) -> Result<Place, StoreError> {
        let from = version.first_seen.plus_secs(-CONTINUE_SECS).micros();
        let until = version.ended_at.unwrap_or(version.last_seen).plus_secs(CONTINUE_SECS).micros();
        let mut candidates = self.conn.prepare_cached(
            "SELECT number, detector_id, digest, ended_at IS NOT NULL, seq FROM incidents \
             WHERE key = ?1 AND (ended_at IS NULL OR ended_at >= ?2) AND first_seen <= ?3 \
             ORDER BY ended_at IS NOT NULL, ended_at DESC, number DESC LIMIT ?4",
        )?;
        let mut rows = candidates.query(params![version.key, from, until, CANDIDATES_MAX])?;
        while let Some(row) = rows.next()? {
            let known = known(row)?;
            if self.claims.contains_key(&known.number) {
                continue;
            }
            let stored = stored_at(self.conn, known.seq)?;
            // What the detector itself has ended in this run, it holds for another one.
            let is_another = known.is_over && known.seq > self.run_from && !stored.ended_unseen;
            if !is_another && overlap(&stored.prefixes, &version.prefixes) {
                return Ok(Place::Known(known));
            }
        }
        Ok(Place::New)
    }
}

fn known(row: &rusqlite::Row<'_>) -> rusqlite::Result<Known> {
    Ok(Known {
        number: row.get(0)?,
        detector_id: row.get(1)?,
        digest: Sha256(row.get(2)?),
        is_over: row.get(3)?,
        seq: row.get(4)?,
    })
}

/// The version in a row of the journal.
pub(crate) fn stored_at(conn: &Connection, seq: i64) -> Result<StoredVersion, StoreError> {
    let body: Option<String> = conn
        .prepare_cached("SELECT body FROM journal WHERE seq = ?1")?
        .query_row([seq], |row| row.get(0))
        .optional()?;
    let body = body.ok_or(StoreError::ChainBroken { seq })?;
    serde_json::from_str(&body).map_err(|source| StoreError::UnreadableRow { seq, source })
}

fn first_version(
    version: &IncidentVersion,
    number: i64,
    digest: Sha256,
    now: Timestamp,
) -> StoredVersion {
    let reports = reports_of(Change::Opened, false, version.report);
    StoredVersion {
        id: version.id.clone(),
        number,
        version: 1,
        detector_ids: vec![version.id.clone()],
        key: version.key.clone(),
        kind: version.kind.clone(),
        state: version.state.clone(),
        class: version.class.clone(),
        confidence: version.confidence,
        severity: version.severity,
        first_seen: version.first_seen,
        last_seen: version.last_seen,
        ended_at: version.ended_at,
        ended_unseen: false,
        opened_at: now,
        reported: !reports.is_empty(),
        reports,
        asns: version.asns.clone(),
        prefixes: version.prefixes.clone(),
        countries: version.countries.clone(),
        members: version.members.clone(),
        digest,
        body: version.body.clone(),
    }
}

/// What `before` becomes with the version.
fn next_version(
    before: StoredVersion,
    version: &IncidentVersion,
    digest: Sha256,
    change: Change,
) -> StoredVersion {
    let reports = reports_of(change, before.reported, version.report);
    StoredVersion {
        id: before.id,
        number: before.number,
        version: before.version + 1,
        detector_ids: with_present(before.detector_ids, &version.id),
        first_seen: before.first_seen.min(version.first_seen),
        last_seen: before.last_seen.max(version.last_seen),
        opened_at: before.opened_at,
        reported: before.reported || !reports.is_empty(),
        reports,
        ..first_version(version, before.number, digest, before.opened_at)
    }
}

/// Whether the tables of parts have something else for the one than for the other.
fn has_other_parts(before: &StoredVersion, after: &StoredVersion) -> bool {
    let parts = |it: &StoredVersion| {
        (it.first_seen, it.kind.clone(), it.class.clone(), it.state.clone(), it.ended_at.is_none())
    };
    parts(before) != parts(after)
        || before.detector_ids != after.detector_ids
        || before.asns != after.asns
        || before.prefixes != after.prefixes
        || before.countries != after.countries
        || before.members != after.members
}

/// The ids with the present one last; beyond the limit the oldest is forgotten.
fn with_present(mut ids: Vec<String>, present: &str) -> Vec<String> {
    ids.retain(|id| id != present);
    if ids.len() >= DETECTOR_IDS_MAX {
        ids.remove(0);
    }
    ids.push(present.to_owned());
    ids
}

/// Whether a prefix of the one covers or is one of the other, both sorted; also when neither has any.
fn overlap(ours: &[Prefix], theirs: &[Prefix]) -> bool {
    let covered = |prefix: &Prefix| {
        let next = theirs.partition_point(|other| other < prefix);
        theirs.get(next).is_some_and(|other| prefix.covers(other))
    };
    let covering = |prefix: &Prefix| {
        (0..=prefix.len())
            .filter_map(|len| prefix.less_specific(len))
            .any(|wider| theirs.binary_search(&wider).is_ok())
    };
    (ours.is_empty() && theirs.is_empty())
        || ours.iter().any(|prefix| covered(prefix) || covering(prefix))
}

/// Open incidents that nobody speaks of any more, and what is to become of them.
#[derive(Clone, Copy, Debug)]
pub struct IncidentsUnseen {
    /// When they ended, as far as is known.
    pub ended_at: Timestamp,
    /// The wall clock.
    pub now: Timestamp,
}

impl Recording<'_> {
    /// Ends the open incidents that are not claimed. Their body stays as it was.
    pub(crate) fn end_unseen(&mut self, unseen: IncidentsUnseen) -> Result<(), StoreError> {
        check_time(unseen.ended_at)?;
        let mut open = self.conn.prepare_cached(
            "SELECT number, seq FROM incidents WHERE ended_at IS NULL ORDER BY number",
        )?;
        let open: Vec<(i64, i64)> =
            open.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        for (number, seq) in open {
            if self.claims.contains_key(&number) {
                continue;
            }
            let mut ended = stored_at(self.conn, seq)?;
            ended.version += 1;
            ended.ended_at = Some(unseen.ended_at.max(ended.last_seen));
            ended.ended_unseen = true;
            "ended".clone_into(&mut ended.state);
            ended.reports = reports_of(Change::Ended, ended.reported, false);
            self.write(&ended, Change::Ended, true)?;
        }
        Ok(())
    }
}
