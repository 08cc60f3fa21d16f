//! Taking out what is old.

use routewarden_core::Timestamp;
use routewarden_core::facts::Sha256;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use crate::journal::{self, PrunedRun};
use crate::{StoreError, readiness, tables, trail};

/// Months for which readiness is kept unless told otherwise: three years can be compared.
pub const READINESS_MONTHS: u32 = 37;

/// How long what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionPolicy {
    /// Days after its end for which an incident is kept, with all of its journal and verdicts.
    pub incident_days: u32,
    /// Days for which the rest is kept: earlier versions of incidents that are kept, states of
    /// feeds, gaps that are over, facts no longer applied, what befell the service.
    pub journal_days: u32,
    /// Months of 31 days after its end for which readiness in a period is kept.
    pub readiness_months: u32,
}

/// What was taken out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionReport {
    /// Incidents.
    pub incidents: u64,
    /// Rows of the journal, those of the incidents among them.
    pub journal_rows: u64,
    /// Trails of incidents that stay, emptied to make room.
    #[serde(default)]
    pub trails: u64,
    /// Periods with inputs of readiness, and records of scores.
    #[serde(default)]
    pub readiness: u64,
    /// Highest number that an incident has ever had: it is not given again.
    pub highest_number: i64,
}

/// Rows of the journal that are to go: `?1` is the time up to which incidents that ended go, `?2`
/// that for the rest, `?3` that for readiness, which has gone before. Each row of a table that stays keeps the row of the journal it was made of.
const DOOMED: [&str; 8] = [
    // Incidents that are over, with all that was told of them.
    "INSERT INTO doomed_incidents SELECT number, id FROM incidents \
     WHERE ended_at < ?1 AND updated_at < ?1 AND NOT EXISTS (SELECT 1 FROM reports r \
         WHERE r.number = incidents.number AND r.state = 'pending')",
    "INSERT INTO doomed SELECT j.seq FROM doomed_incidents d JOIN journal j ON j.subject = d.id \
     WHERE j.kind GLOB 'incident_*' OR j.kind GLOB 'verdict_*' OR j.kind = 'report_sent'",
    // Earlier versions of incidents that stay, unless they are still to be told.
    "INSERT OR IGNORE INTO doomed SELECT j.seq FROM journal j \
         JOIN incidents i ON i.id = j.subject AND i.seq <> j.seq \
     WHERE j.recorded_at < ?2 AND j.kind GLOB 'incident_*' AND NOT EXISTS (SELECT 1 \
         FROM reports r WHERE r.seq = j.seq AND r.state = 'pending')",
    "INSERT OR IGNORE INTO doomed SELECT r.sent_seq FROM doomed d JOIN reports r ON r.seq = d.seq \
     WHERE r.sent_seq IS NOT NULL",
    // States that are past, gaps that are over, facts that are no longer applied.
    "INSERT OR IGNORE INTO doomed SELECT seq FROM journal WHERE recorded_at < ?2 AND ( \
         (kind = 'feed_state' AND seq NOT IN (SELECT seq FROM feed_states)) \
         OR (kind GLOB 'gap_*' AND seq NOT IN (SELECT seq FROM gaps WHERE ended_at IS NULL)) \
         OR (kind = 'facts_applied' \
             AND seq NOT IN (SELECT max(seq) FROM facts_versions GROUP BY name)))",
    "INSERT OR IGNORE INTO doomed SELECT seq FROM journal WHERE recorded_at < ?2 \
     AND (kind GLOB 'service_*' OR kind = 'retention_applied')",
    // Periods that are gone, and scores in whose place are others.
    "INSERT OR IGNORE INTO doomed SELECT seq FROM journal WHERE subject = 'readiness' \
     AND kind = 'readiness_closed' AND at < ?3",
    "INSERT OR IGNORE INTO doomed SELECT seq FROM journal WHERE subject = 'readiness' \
     AND kind = 'readiness_scored' AND (at < ?3 OR (recorded_at < ?2 \
         AND seq NOT IN (SELECT seq FROM readiness_scores WHERE seq IS NOT NULL)))",
];

/// Takes out what is older than the policy says.
pub(crate) fn apply(
    conn: &Connection,
    policy: RetentionPolicy,
    now: Timestamp,
) -> Result<RetentionReport, StoreError> {
    conn.execute("INSERT INTO maintenance (task) VALUES ('retention')", ())?;
    let days_ago = |days: u32| now.plus_secs(-86_400 * i64::from(days));
    let readiness_before = days_ago(policy.readiness_months.saturating_mul(31));
    let readiness = readiness::forget(conn, readiness_before, now)?;
    let rest = [days_ago(policy.incident_days), days_ago(policy.journal_days), readiness_before];
    doom(conn, rest)?;
    let highest_number = tables::highest_number(conn)?;
    // As its row in the journal will do when the tables are made anew.
    tables::count_up_to(conn, highest_number)?;
    remember_runs(conn)?;
    for table in ["reports", "gaps", "facts_versions"] {
        conn.execute(&format!("DELETE FROM {table} WHERE seq IN (SELECT seq FROM doomed)"), ())?;
    }
    for table in ["trails", "trail_blocks"] {
        let sql =
            format!("DELETE FROM {table} WHERE number IN (SELECT number FROM doomed_incidents)");
        conn.execute(&sql, ())?;
    }
    let trails = trail::make_room(conn, trail::TRAILS_OCTETS_MAX)?;
    let incidents = conn.execute(
        "DELETE FROM incidents WHERE number IN (SELECT number FROM doomed_incidents)",
        (),
    )?;
    let rows = conn.execute("DELETE FROM journal WHERE seq IN (SELECT seq FROM doomed)", ())?;
    conn.execute("DELETE FROM maintenance", ())?;
    conn.execute_batch("DELETE FROM doomed_incidents; DELETE FROM doomed")?;
    let (incidents, journal_rows) = (incidents as u64, rows as u64);
    Ok(RetentionReport { incidents, journal_rows, trails, readiness, highest_number })
}

/// Tells what is to go, by the times that [`DOOMED`] asks for.
fn doom(conn: &Connection, before: [Timestamp; 3]) -> Result<(), StoreError> {
    conn.execute_batch(
        "CREATE TEMP TABLE IF NOT EXISTS doomed_incidents (number INTEGER PRIMARY KEY, id TEXT); \
         CREATE TEMP TABLE IF NOT EXISTS doomed (seq INTEGER PRIMARY KEY); \
         DELETE FROM doomed_incidents; DELETE FROM doomed",
    )?;
    for sql in DOOMED {
        let mut doom = conn.prepare(sql)?;
        for (place, before) in (1..).zip(before) {
            if sql.contains(&format!("?{place}")) {
                doom.raw_bind_parameter(place, before.micros())?;
            }
        }
        doom.raw_execute()?;
    }
    Ok(())
}

/// Writes down the runs of numbers that go, joined with those that went before, so that the chain
/// of hashes can be followed over them.
fn remember_runs(conn: &Connection) -> Result<(), StoreError> {
    let mut old = journal::pruned_runs(conn)?.into_iter().peekable();
    let mut runs: Vec<PrunedRun> = Vec::new();
    let mut doomed = conn.prepare(
        "SELECT d.seq, j.hash, b.hash FROM doomed d JOIN journal j USING (seq) \
         LEFT JOIN journal b ON b.seq = d.seq - 1 ORDER BY d.seq",
    )?;
    let mut rows = doomed.query(())?;
    while let Some(row) = rows.next()? {
        let (seq, after) = (row.get(0)?, Sha256(row.get(1)?));
        while let Some(run) = old.next_if(|run| run.first < seq) {
            join(&mut runs, run);
        }
        // Without a row before it, it is the first of all or follows a run, which it is joined to.
        let before = row.get::<_, Option<[u8; 32]>>(2)?.unwrap_or_default();
        join(&mut runs, PrunedRun { first: seq, last: seq, before: Sha256(before), after });
    }
    for run in old {
        join(&mut runs, run);
    }
    conn.execute("DELETE FROM journal_pruned", ())?;
    let mut put = conn.prepare(
        "INSERT INTO journal_pruned (first_seq, last_seq, hash_before, hash_after) \
         VALUES (?1, ?2, ?3, ?4)",
    )?;
    for run in runs {
        put.execute(params![run.first, run.last, run.before.0, run.after.0])?;
    }
    Ok(())
}

/// Adds a run after the others, as part of the last where it follows on it.
fn join(runs: &mut Vec<PrunedRun>, next: PrunedRun) {
    match runs.last_mut() {
        Some(run) if run.last + 1 == next.first => {
            run.last = next.last;
            run.after = next.after;
        }
        _ => runs.push(next),
    }
}

/// Gives pages that are free back to the disk.
pub(crate) fn give_back(conn: &Connection) -> Result<(), StoreError> {
    let mut vacuum = conn.prepare("PRAGMA incremental_vacuum")?;
    let mut rows = vacuum.query(())?;
    while rows.next()?.is_some() {}
    Ok(())
}
