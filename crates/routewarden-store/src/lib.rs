//! What was decided, kept: a journal in `SQLite`, and tables that can be rebuilt from it.
//!
//! ```text
//! versions of incidents, verdicts, notes ─► journal (append-only, chained by hashes) ─► tables ─► readers
//!                                                                                   └─► outbox of reports
//! ```
//!
//! A [`Store`] is the one writer; what it has returned from is on the disk. [`StoreReader`]s read on
//! connections of their own. See `docs/reference/store.md`. Who may use the program is in a file of
//! its own; see [`access`].

pub mod access;
mod backup;
mod error;
mod interrupter;
mod journal;
mod note;
mod order;
mod period;
mod query;
mod reader;
mod readiness;
mod record;
mod reports;
mod retention;
mod rows;
mod schema;
mod store;
mod tables;
#[cfg(test)]
mod tests;
mod trail;
mod verdict;
mod version;

pub use backup::{BackupReport, check_backup, restore};
pub use error::StoreError;
pub use interrupter::Interrupter;
pub use journal::{Head, JournalKind, JournalRow, Verified};
pub use note::{Note, ServiceEvent};
pub use order::{Cursor, CursorParseError, Order};
pub use period::{PeriodIncident, TimeSpan};
pub use query::{IncidentFilter, PAGE_MAX, PrefixMatch};
pub use reader::{IncidentPage, IncidentSummary, ROWS_MAX, StoreReader};
pub use readiness::{
    READINESS_ASES_MAX, READINESS_INPUTS_OCTETS_MAX, READINESS_RECORDS_MAX,
    READINESS_ROUTES_OCTETS_MAX, READINESS_SCORE_OCTETS_MAX, READINESS_SOURCES_OCTETS_MAX,
    ReadinessAbout, ReadinessInputs, ReadinessPeriod, ReadinessRecord, ReadinessScores,
};
pub use record::{CONTINUE_SECS, IncidentsUnseen, Recorded, Refused, Tick, VERSIONS_MAX};
pub use reports::{REPORTS_LISTED_MAX, ReportKey};
pub use retention::{READINESS_MONTHS, RetentionPolicy, RetentionReport};
pub use rows::{FactsVersionRow, FeedStateRow, GapRow, IncidentCount};
pub use schema::{APPLICATION_ID, SCHEMA_VERSION};
pub use store::{NOTES_MAX, STORE_FILE, Store};
pub use trail::{
    TRAIL_BLOCK_EVENTS_MAX, TRAIL_BLOCK_OCTETS_MAX, TRAIL_EVENTS_LISTED_MAX, TRAIL_EVENTS_MAX,
    TRAILS_OCTETS_MAX, TrailAction, TrailEvent, TrailFault, TrailFaults, TrailHead, TrailPart,
    TrailRoute, TrailSpace, TrailWrite,
};
pub use verdict::{
    GivenVerdict, IncidentVerdict, Judged, PastVerdict, VERDICT_NOTE_OCTETS_MAX, Verdict,
};
pub use version::{
    AsnRole, BODY_OCTETS_MAX, Change, DETECTOR_IDS_MAX, IncidentVersion, KEY_OCTETS_MAX,
    NAME_OCTETS_MAX, PARTS_MAX, StoredVersion, TIME_MICROS_MAX,
};
