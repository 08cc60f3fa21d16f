//! The journal: rows that are only ever added, each with a hash over it and the one before.

use routewarden_core::Timestamp;
use routewarden_core::facts::Sha256;
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};
use sha2::Digest;

use crate::StoreError;

/// What a row of the journal tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum JournalKind {
    /// An incident is new.
    IncidentOpened,
    /// An incident is otherwise than before.
    IncidentUpdated,
    /// An incident is over.
    IncidentEnded,
    /// An incident that had ended is there again.
    IncidentReopened,
    /// A report went out.
    ReportSent,
    /// Somebody judged an incident.
    VerdictGiven,
    /// The verdict of an incident holds no longer.
    VerdictWithdrawn,
    /// The inputs of a period in which readiness was measured change no more.
    ReadinessClosed,
    /// Readiness in a closed period was scored.
    ReadinessScored,
    /// A feed is in another state.
    FeedState,
    /// A feed has gone deaf.
    GapOpened,
    /// A feed is heard again.
    GapClosed,
    /// What was missed has been fetched.
    GapFilled,
    /// A version of facts is applied.
    FactsApplied,
    /// The service started.
    ServiceStarted,
    /// The service stopped in good order.
    ServiceStopped,
    /// The service found that it had not stopped in good order.
    ServiceRecovered,
    /// Old rows were taken out.
    RetentionApplied,
}

/// All kinds with their names.
const KINDS: [(JournalKind, &str); 18] = [
    (JournalKind::IncidentOpened, "incident_opened"),
    (JournalKind::IncidentUpdated, "incident_updated"),
    (JournalKind::IncidentEnded, "incident_ended"),
    (JournalKind::IncidentReopened, "incident_reopened"),
    (JournalKind::ReportSent, "report_sent"),
    (JournalKind::VerdictGiven, "verdict_given"),
    (JournalKind::VerdictWithdrawn, "verdict_withdrawn"),
    (JournalKind::ReadinessClosed, "readiness_closed"),
    (JournalKind::ReadinessScored, "readiness_scored"),
    (JournalKind::FeedState, "feed_state"),
    (JournalKind::GapOpened, "gap_opened"),
    (JournalKind::GapClosed, "gap_closed"),
    (JournalKind::GapFilled, "gap_filled"),
    (JournalKind::FactsApplied, "facts_applied"),
    (JournalKind::ServiceStarted, "service_started"),
    (JournalKind::ServiceStopped, "service_stopped"),
    (JournalKind::ServiceRecovered, "service_recovered"),
    (JournalKind::RetentionApplied, "retention_applied"),
];

impl JournalKind {
    /// The name in the journal.
    pub fn name(self) -> &'static str {
        KINDS.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        KINDS.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

/// A row of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalRow {
    /// Number, from 1; ascends in the order of recording.
    pub seq: i64,
    /// Event time.
    pub at: Timestamp,
    /// When it was recorded, by the wall clock.
    pub recorded_at: Timestamp,
    /// Name of the kind; see [`JournalKind`].
    pub kind: String,
    /// What it is about: id of an incident, name of a feed or of facts, `service`, `store`,
    /// `readiness`.
    pub subject: String,
    /// JSON.
    pub body: String,
    /// Hash over this row and the hash before.
    pub hash: Sha256,
}

impl JournalRow {
    /// The body.
    pub(crate) fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, StoreError> {
        serde_json::from_str(&self.body)
            .map_err(|source| StoreError::UnreadableRow { seq: self.seq, source })
    }
}

/// What is to be added to the journal.
pub(crate) struct Entry<'a> {
    pub(crate) at: Timestamp,
    pub(crate) recorded_at: Timestamp,
    pub(crate) kind: JournalKind,
    pub(crate) subject: &'a str,
    pub(crate) body: &'a str,
}

/// The end of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of the last row, 0 without any.
    pub seq: i64,
    /// Its hash, zeros without any. Kept elsewhere, it shows whether the past was rewritten.
    pub hash: Sha256,
}

/// Before the first row.
pub(crate) const BEGINNING: Head = Head { seq: 0, hash: Sha256([0; 32]) };

/// What a walk over the journal found in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Rows that are there.
    pub rows: u64,
    /// Numbers that retention took out.
    pub pruned: u64,
    /// The end.
    pub head: Head,
}

/// The columns of a [`JournalRow`].
pub(crate) const COLUMNS: &str = "seq, at, recorded_at, kind, subject, body, hash";

pub(crate) fn row(row: &Row<'_>) -> rusqlite::Result<JournalRow> {
    Ok(JournalRow {
        seq: row.get(0)?,
        at: Timestamp::from_micros(row.get(1)?),
        recorded_at: Timestamp::from_micros(row.get(2)?),
        kind: row.get(3)?,
        subject: row.get(4)?,
        body: row.get(5)?,
        hash: Sha256(row.get(6)?),
    })
}

/// The end of the journal as it is in the file.
pub(crate) fn head(conn: &Connection) -> Result<Head, StoreError> {
    let mut last =
        conn.prepare_cached("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1")?;
    let mut rows = last.query(())?;
    Ok(match rows.next()? {
        Some(row) => Head { seq: row.get(0)?, hash: Sha256(row.get(1)?) },
        None => BEGINNING,
    })
}

/// Adds a row after `head`, which moves on to it.
pub(crate) fn append(
    conn: &Connection,
    head: &mut Head,
    entry: &Entry<'_>,
) -> Result<i64, StoreError> {
    let seq = head.seq + 1;
    let (at, recorded_at) = (entry.at.micros(), entry.recorded_at.micros());
    let kind = entry.kind.name();
    let hash = chained(&head.hash, &[seq, at, recorded_at], &[kind, entry.subject, entry.body]);
    conn.prepare_cached(
        "INSERT INTO journal (seq, at, recorded_at, kind, subject, body, hash) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![seq, at, recorded_at, kind, entry.subject, entry.body, hash.0])?;
    *head = Head { seq, hash };
    Ok(seq)
}

/// SHA-256 of the hash before, the numbers (8 octets each, most significant first) and the texts,
/// each after its length (8 octets).
pub(crate) fn chained(before: &Sha256, numbers: &[i64], texts: &[&str]) -> Sha256 {
    let mut hash = sha2::Sha256::new();
    hash.update(before.0);
    for number in numbers {
        hash.update(number.to_be_bytes());
    }
    for text in texts {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    Sha256(hash.finalize().into())
}

/// A run of numbers that retention took out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PrunedRun {
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) before: Sha256,
    pub(crate) after: Sha256,
}

/// Runs that were taken out, ascending.
pub(crate) fn pruned_runs(conn: &Connection) -> Result<Vec<PrunedRun>, StoreError> {
    let mut runs = conn.prepare(
        "SELECT first_seq, last_seq, hash_before, hash_after FROM journal_pruned ORDER BY first_seq",
    )?;
    let runs = runs.query_map((), |row| {
        Ok(PrunedRun {
            first: row.get(0)?,
            last: row.get(1)?,
            before: Sha256(row.get(2)?),
            after: Sha256(row.get(3)?),
        })
    })?;
    Ok(runs.collect::<Result<_, _>>()?)
}

/// Follows the hashes over the whole journal.
///
/// # Errors
/// [`StoreError::ChainBroken`] at the first row that is not what was recorded, or is missing.
pub(crate) fn verify(conn: &Connection) -> Result<Verified, StoreError> {
    let runs = pruned_runs(conn)?;
    let mut runs = runs.into_iter().peekable();
    let mut head = BEGINNING;
    let (mut count, mut pruned) = (0, 0);
    let mut rows = conn.prepare(&format!("SELECT {COLUMNS} FROM journal ORDER BY seq"))?;
    let mut rows = rows.query(())?;
    while let Some(found) = rows.next()? {
        let found = row(found)?;
        let broken = StoreError::ChainBroken { seq: head.seq + 1 };
        if let Some(run) = runs.next_if(|run| run.first <= head.seq + 1) {
            if run.first != head.seq + 1 || run.before != head.hash {
                return Err(broken);
            }
            pruned += run.last.abs_diff(run.first) + 1;
            head = Head { seq: run.last, hash: run.after };
        }
        let numbers = [found.seq, found.at.micros(), found.recorded_at.micros()];
        let hash = chained(&head.hash, &numbers, &[&found.kind, &found.subject, &found.body]);
        if found.seq != head.seq + 1 || hash != found.hash {
            return Err(StoreError::ChainBroken { seq: head.seq + 1 });
        }
        head = Head { seq: found.seq, hash };
        count += 1;
    }
    match runs.next() {
        Some(run) => Err(StoreError::ChainBroken { seq: run.first }),
        None => Ok(Verified { rows: count, pruned, head }),
    }
}
