//! The tables that are made of the journal. One function puts a row of the journal into them; it is
//! used when the row is recorded, and again when they are made anew.

use routewarden_core::{Prefix, Timestamp};
use rusqlite::{Connection, params};

use crate::StoreError;
use crate::journal::{self, JournalKind, JournalRow};
use crate::note::Note;
use crate::reports::{self, SentReport};
use crate::retention::RetentionReport;
use crate::verdict;
use crate::version::StoredVersion;

/// The tables, those that refer to others first.
pub(crate) const TABLES: [&str; 13] = [
    "reports",
    "verdicts",
    "incident_ids",
    "incident_asns",
    "incident_countries",
    "incident_members",
    "incident_prefixes",
    "incidents",
    "incident_counts",
    "feed_states",
    "gaps",
    "facts_versions",
    "counters",
];

/// The tables of what an incident may have several of.
const PARTS: [&str; 5] = [
    "incident_ids",
    "incident_asns",
    "incident_countries",
    "incident_members",
    "incident_prefixes",
];

/// Empties the tables and makes them anew of the journal; returns the number of rows read.
pub(crate) fn rebuild(conn: &Connection) -> Result<u64, StoreError> {
    for table in TABLES {
        conn.execute(&format!("DELETE FROM {table}"), ())?;
    }
    let sql = format!("SELECT {} FROM journal ORDER BY seq", journal::COLUMNS);
    let mut rows = conn.prepare(&sql)?;
    let mut rows = rows.query(())?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        put(conn, &journal::row(row)?)?;
        count += 1;
    }
    Ok(count)
}

/// Puts a row of the journal into the tables. Kinds that are not known have none.
fn put(conn: &Connection, row: &JournalRow) -> Result<(), StoreError> {
    let Some(kind) = JournalKind::from_name(&row.kind) else { return Ok(()) };
    match kind {
        JournalKind::IncidentOpened
        | JournalKind::IncidentUpdated
        | JournalKind::IncidentEnded
        | JournalKind::IncidentReopened => {
            put_incident(conn, &row.read::<StoredVersion>()?, true, (row.seq, row.recorded_at))
        }
        JournalKind::ReportSent => reports::put_sent(conn, &row.read::<SentReport>()?, row.seq),
        JournalKind::VerdictGiven | JournalKind::VerdictWithdrawn => {
            verdict::put(conn, &row.read()?, (row.seq, row.at))
        }
        // Digests only.
        JournalKind::ReadinessClosed | JournalKind::ReadinessScored => Ok(()),
        JournalKind::FeedState
        | JournalKind::GapOpened
        | JournalKind::GapClosed
        | JournalKind::GapFilled
        | JournalKind::FactsApplied
        | JournalKind::ServiceStarted
        | JournalKind::ServiceStopped
        | JournalKind::ServiceRecovered => put_note(conn, &row.read::<Note>()?, row.seq),
        JournalKind::RetentionApplied => {
            count_up_to(conn, row.read::<RetentionReport>()?.highest_number)
        }
    }
}

/// Puts a version of an incident into the tables. Its parts are only put where they may be others
/// than those of the version before.
pub(crate) fn put_incident(
    conn: &Connection,
    version: &StoredVersion,
    has_other_parts: bool,
    (seq, recorded_at): (i64, Timestamp),
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO incidents (number, id, detector_id, key, kind, state, class, confidence, \
             severity, first_seen, last_seen, ended_at, opened_at, updated_at, version, reported, \
             digest, seq, is_open) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, \
             ?12 IS NULL) \
         ON CONFLICT (number) DO UPDATE SET detector_id = ?3, key = ?4, kind = ?5, state = ?6, \
             class = ?7, confidence = ?8, severity = ?9, first_seen = ?10, last_seen = ?11, \
             ended_at = ?12, opened_at = ?13, updated_at = ?14, version = ?15, reported = ?16, \
             digest = ?17, seq = ?18, is_open = ?12 IS NULL",
    )?
    .execute(params![
        version.number,
        version.id,
        version.detector_ids.last().unwrap_or(&version.id),
        version.key,
        version.kind,
        version.state,
        version.class,
        version.confidence,
        version.severity,
        version.first_seen.micros(),
        version.last_seen.micros(),
        version.ended_at.map(Timestamp::micros),
        version.opened_at.micros(),
        recorded_at.micros(),
        version.version,
        version.reported,
        version.digest.0,
        seq,
    ])?;
    if has_other_parts {
        put_parts(conn, version)?;
    }
    count_up_to(conn, version.number)?;
    reports::put_pending(conn, version, seq)
}

/// Puts what there may be several of.
fn put_parts(conn: &Connection, version: &StoredVersion) -> Result<(), StoreError> {
    let (number, first_seen) = (version.number, version.first_seen.micros());
    let (kind, class, state) = (&version.kind, &version.class, &version.state);
    let is_open = version.ended_at.is_none();
    for table in PARTS {
        conn.prepare_cached(&format!("DELETE FROM {table} WHERE number = ?1"))?
            .execute([number])?;
    }
    let mut put = conn.prepare_cached(
        "INSERT INTO incident_ids (detector_id, number) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    )?;
    for id in version.detector_ids.iter().chain([&version.id]) {
        put.execute(params![id, number])?;
    }
    let mut put = conn.prepare_cached(
        "INSERT INTO incident_asns (asn, first_seen, number, roles, kind, class, state, is_open) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET roles = roles | ?4",
    )?;
    for (asn, role) in &version.asns {
        put.execute(params![asn.0, first_seen, number, role.bit(), kind, class, state, is_open])?;
    }
    put_names(conn, version, "incident_countries (country", texts(&version.countries))?;
    // The empty one stands for any.
    let any = version.members.first().map(|_| "");
    put_names(conn, version, "incident_members (member", texts(&version.members).chain(any))?;
    let mut put = conn.prepare_cached(
        "INSERT INTO incident_prefixes (first, len, first_seen, number, last, kind, class, state, \
             is_open) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for prefix in &version.prefixes {
        let (first, last) = (first_address(prefix), last_address(prefix));
        let len = prefix.len();
        put.execute(params![first, len, first_seen, number, last, kind, class, state, is_open])?;
    }
    Ok(())
}

fn texts(texts: &[String]) -> impl Iterator<Item = &str> {
    texts.iter().map(String::as_str)
}

/// Puts names into a table, told with the column that they have in it.
fn put_names<'a>(
    conn: &Connection,
    version: &StoredVersion,
    place: &str,
    names: impl Iterator<Item = &'a str>,
) -> Result<(), StoreError> {
    let mut put = conn.prepare_cached(&format!(
        "INSERT INTO {place}, first_seen, number, kind, class, state, is_open) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
    ))?;
    for name in names {
        put.execute(params![
            name,
            version.first_seen.micros(),
            version.number,
            version.kind,
            version.class,
            version.state,
            version.ended_at.is_none()
        ])?;
    }
    Ok(())
}

/// Remembers a number so that it is not given again.
pub(crate) fn count_up_to(conn: &Connection, number: i64) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO counters (name, value) VALUES ('incident_number', ?1) \
         ON CONFLICT (name) DO UPDATE SET value = max(value, ?1)",
    )?
    .execute([number])?;
    Ok(())
}

/// The highest number that an incident has ever had, 0 without any.
pub(crate) fn highest_number(conn: &Connection) -> Result<i64, StoreError> {
    let sql = "SELECT coalesce(max(value), 0) FROM counters WHERE name = 'incident_number'";
    Ok(conn.prepare_cached(sql)?.query_row((), |row| row.get(0))?)
}

/// Puts a note into the tables.
pub(crate) fn put_note(conn: &Connection, note: &Note, seq: i64) -> Result<(), StoreError> {
    let detail = note.detail();
    match note {
        Note::FeedState { feed, state, at, .. } => conn
            .prepare_cached(
                "INSERT INTO feed_states (feed, state, since, detail, seq) \
                 VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET state = ?2, \
                 since = ?3, detail = ?4, seq = ?5",
            )?
            .execute(params![feed, state, at.micros(), detail, seq])?,
        Note::Gap { feed, from, to, filled, .. } => conn
            .prepare_cached(
                "INSERT INTO gaps (feed, started_at, ended_at, filled, detail, seq) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET ended_at = ?3, \
                 filled = ?4, detail = ?5, seq = ?6",
            )?
            .execute(params![
                feed,
                from.micros(),
                to.map(Timestamp::micros),
                filled,
                detail,
                seq
            ])?,
        Note::FactsApplied { name, version, at, .. } => conn
            .prepare_cached(
                "INSERT INTO facts_versions (name, version, applied_at, detail, seq) \
                 VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET applied_at = ?3, \
                 detail = ?4, seq = ?5",
            )?
            .execute(params![name, version, at.micros(), detail, seq])?,
        Note::Service { .. } => 0,
    };
    Ok(())
}

/// The first address of a prefix as the tables have it: 4 or 6, then the address from the left.
pub(crate) fn first_address(prefix: &Prefix) -> [u8; 17] {
    address(prefix, prefix.bits())
}

/// The last address of a prefix; bits to the right of an IPv4 address are set too.
pub(crate) fn last_address(prefix: &Prefix) -> [u8; 17] {
    let host_bits = u128::MAX.checked_shr(u32::from(prefix.len())).unwrap_or(0);
    address(prefix, prefix.bits() | host_bits)
}

fn address(prefix: &Prefix, bits: u128) -> [u8; 17] {
    let mut octets = [if prefix.is_ipv4() { 4 } else { 6 }; 17];
    if let Some(rest) = octets.get_mut(1..) {
        rest.copy_from_slice(&bits.to_be_bytes());
    }
    octets
}
