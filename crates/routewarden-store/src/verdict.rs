//! What people found of incidents: a row of the journal each, and a table of those that hold.

use routewarden_core::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use crate::journal::{self, Entry, Head, JournalKind, JournalRow};
use crate::period::TimeSpan;
use crate::reader::bounded;
use crate::version::{NAME_OCTETS_MAX, check_time};
use crate::{StoreError, StoreReader};

/// Longest note to a verdict, in octets.
pub const VERDICT_NOTE_OCTETS_MAX: usize = 4_096;

/// What somebody found of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It was none.
    FalsePositive,
    /// It was one.
    Confirmed,
    /// It cannot be told.
    Unclear,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Verdict; 3] = [Verdict::FalsePositive, Verdict::Confirmed, Verdict::Unclear];

    /// The serialised name.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::FalsePositive => "false_positive",
            Verdict::Confirmed => "confirmed",
            Verdict::Unclear => "unclear",
        }
    }

    /// The verdict of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Verdict::ALL.into_iter().find(|verdict| verdict.name() == name)
    }
}

/// A verdict with who gave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GivenVerdict {
    /// What was found.
    pub verdict: Verdict,
    /// Why, in words; at most [`VERDICT_NOTE_OCTETS_MAX`].
    pub note: String,
    /// Name of the user.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// The incident of which a verdict was given or withdrawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Its id in the store.
    pub id: String,
    /// Its number in the store.
    pub number: i64,
    /// The verdict that holds now.
    pub verdict: Option<GivenVerdict>,
    /// Whether it is another than before: what says nothing new writes nothing.
    pub is_new: bool,
}

/// The verdict that holds of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentVerdict {
    /// Number of the incident in the store.
    pub number: i64,
    /// Its id in the store.
    pub id: String,
    /// The verdict.
    pub given: GivenVerdict,
}

/// A verdict of an incident that was given or withdrawn at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastVerdict {
    /// Number of its row in the journal.
    pub seq: i64,
    /// When it was recorded, by the wall clock.
    pub recorded_at: Timestamp,
    /// When it was given or withdrawn.
    pub at: Timestamp,
    /// Name of the user.
    pub by: String,
    /// The verdict with its note; `None`: the one before was withdrawn.
    pub verdict: Option<(Verdict, String)>,
}

/// Body of a row of the journal.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct VerdictRow {
    number: i64,
    by: String,
    /// `None`: the one before is withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    note: String,
}

/// An incident that may be judged.
struct Subject {
    number: i64,
    id: String,
    verdict: Option<GivenVerdict>,
}

impl Subject {
    /// The incident that has or had the id.
    fn find(conn: &Connection, id: &str) -> Result<Self, StoreError> {
        let sql = "SELECT i.number, i.id FROM incident_ids d JOIN incidents i USING (number) \
                   WHERE d.detector_id = ?1";
        let found = conn.prepare_cached(sql)?.query_row([id], |row| Ok((row.get(0)?, row.get(1)?)));
        let (number, id) = found.optional()?.ok_or(StoreError::UnknownIncident)?;
        Ok(Subject { number, id, verdict: of_incident(conn, number)? })
    }

    /// Records what somebody found at a time, or that it holds no longer.
    fn judge(
        &self,
        conn: &Connection,
        head: &mut Head,
        row: &VerdictRow,
        (at, now): (Timestamp, Timestamp),
    ) -> Result<(), StoreError> {
        let body = serde_json::to_string(row).map_err(StoreError::Json)?;
        let kind = if row.verdict.is_some() {
            JournalKind::VerdictGiven
        } else {
            JournalKind::VerdictWithdrawn
        };
        let entry = Entry { at, recorded_at: now, kind, subject: &self.id, body: &body };
        let seq = journal::append(conn, head, &entry)?;
        put(conn, row, (seq, at))
    }

    fn judged(self, verdict: Option<GivenVerdict>, is_new: bool) -> Judged {
        Judged { id: self.id, number: self.number, verdict, is_new }
    }
}

/// See [`crate::Store::put_verdict`].
pub(crate) fn give(
    conn: &Connection,
    head: &mut Head,
    id: &str,
    given: GivenVerdict,
    now: Timestamp,
) -> Result<Judged, StoreError> {
    if given.note.len() > VERDICT_NOTE_OCTETS_MAX {
        return Err(StoreError::OverLimit { what: "note", max: VERDICT_NOTE_OCTETS_MAX });
    }
    check_who_and_when(&given.by, given.at)?;
    let mut subject = Subject::find(conn, id)?;
    let says_the_same = |known: &GivenVerdict| {
        (known.verdict, &known.note, &known.by) == (given.verdict, &given.note, &given.by)
    };
    if let Some(known) = subject.verdict.take_if(|known| says_the_same(known)) {
        return Ok(subject.judged(Some(known), false));
    }
    let row = VerdictRow {
        number: subject.number,
        by: given.by.clone(),
        verdict: Some(given.verdict),
        note: given.note.clone(),
    };
    subject.judge(conn, head, &row, (given.at, now))?;
    Ok(subject.judged(Some(given), true))
}

/// See [`crate::Store::withdraw_verdict`].
pub(crate) fn withdraw(
    conn: &Connection,
    head: &mut Head,
    (id, by): (&str, &str),
    (at, now): (Timestamp, Timestamp),
) -> Result<Judged, StoreError> {
    check_who_and_when(by, at)?;
    let subject = Subject::find(conn, id)?;
    if subject.verdict.is_none() {
        return Ok(subject.judged(None, false));
    }
    let (number, by) = (subject.number, by.to_owned());
    let row = VerdictRow { number, by, verdict: None, note: String::new() };
    subject.judge(conn, head, &row, (at, now))?;
    Ok(subject.judged(None, true))
}

fn check_who_and_when(by: &str, at: Timestamp) -> Result<(), StoreError> {
    if by.len() > NAME_OCTETS_MAX {
        return Err(StoreError::OverLimit { what: "name of the user", max: NAME_OCTETS_MAX });
    }
    check_time(at)
}

/// Puts a verdict into the table, or takes the one before out.
pub(crate) fn put(
    conn: &Connection,
    row: &VerdictRow,
    (seq, at): (i64, Timestamp),
) -> Result<(), StoreError> {
    let Some(verdict) = row.verdict else {
        conn.prepare_cached("DELETE FROM verdicts WHERE number = ?1")?.execute([row.number])?;
        return Ok(());
    };
    conn.prepare_cached(
        "INSERT INTO verdicts (number, verdict, note, given_by, given_at, seq) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET verdict = ?2, note = ?3, \
         given_by = ?4, given_at = ?5, seq = ?6",
    )?
    .execute(params![row.number, verdict.name(), row.note, row.by, at.micros(), seq])?;
    Ok(())
}

/// The columns that [`given`] reads, in its order.
const COLUMNS: &str = "v.verdict, v.note, v.given_by, v.given_at";

/// A verdict in the columns of a row.
fn given(row: &Row<'_>) -> Result<GivenVerdict, StoreError> {
    let name = row.get_ref(0)?.as_str().ok();
    let verdict = name.and_then(Verdict::from_name).ok_or(StoreError::Damaged)?;
    let at = Timestamp::from_micros(row.get(3)?);
    Ok(GivenVerdict { verdict, note: row.get(1)?, by: row.get(2)?, at })
}

/// The verdict that holds of an incident, by its number.
pub(crate) fn of_incident(
    conn: &Connection,
    number: i64,
) -> Result<Option<GivenVerdict>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM verdicts v WHERE v.number = ?1");
    let mut rows = conn.prepare_cached(&sql)?;
    let mut rows = rows.query([number])?;
    rows.next()?.map(given).transpose()
}

impl StoreReader {
    /// The verdict that holds of an incident, by its number.
    pub fn verdict(&self, number: i64) -> Result<Option<GivenVerdict>, StoreError> {
        of_incident(self.conn()?, number)
    }

    /// The verdicts that hold of incidents that lasted at some time of a period, by the number of the
    /// incident, after the number `after`; at most `limit` and [`crate::ROWS_MAX`].
    pub fn verdicts(
        &self,
        period: TimeSpan,
        after: i64,
        limit: usize,
    ) -> Result<Vec<IncidentVerdict>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, i.number, i.id FROM verdicts v CROSS JOIN incidents i USING (number) \
             WHERE v.number > ?3 AND i.first_seen < ?2 AND (i.ended_at IS NULL OR i.ended_at > ?1) \
             ORDER BY v.number LIMIT ?4"
        );
        let mut rows = self.conn()?.prepare_cached(&sql)?;
        let (from, until) = (period.from.micros(), period.until.micros());
        let mut rows = rows.query(params![from, until, after, bounded(limit)])?;
        let mut verdicts = Vec::new();
        while let Some(row) = rows.next()? {
            let given = given(row)?;
            verdicts.push(IncidentVerdict { number: row.get(4)?, id: row.get(5)?, given });
        }
        Ok(verdicts)
    }

    /// All verdicts of an incident that were given or withdrawn, by its id in the store, after the row
    /// `after` of the journal; at most `limit` and [`crate::ROWS_MAX`].
    pub fn verdict_history(
        &self,
        id: &str,
        after: i64,
        limit: usize,
    ) -> Result<Vec<PastVerdict>, StoreError> {
        let sql = format!(
            "SELECT {} FROM journal WHERE subject = ?1 AND seq > ?2 \
             AND kind IN ('verdict_given', 'verdict_withdrawn') ORDER BY seq LIMIT ?3",
            journal::COLUMNS
        );
        let mut rows = self.conn()?.prepare_cached(&sql)?;
        let mut rows = rows.query(params![id, after, bounded(limit)])?;
        let mut verdicts = Vec::new();
        while let Some(row) = rows.next()? {
            verdicts.push(PastVerdict::of(&journal::row(row)?)?);
        }
        Ok(verdicts)
    }
}

impl PastVerdict {
    fn of(row: &JournalRow) -> Result<Self, StoreError> {
        let told: VerdictRow = row.read()?;
        Ok(PastVerdict {
            seq: row.seq,
            recorded_at: row.recorded_at,
            at: row.at,
            by: told.by,
            verdict: told.verdict.map(|verdict| (verdict, told.note)),
        })
    }
}
