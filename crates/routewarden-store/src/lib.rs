//! What was decided, kept: a journal in `SQLite`, and tables that can be rebuilt from it.
//!
//! ```text
//! versions of incidents, notes ─► journal (append-only, chained by hashes) ─► tables ─► readers
//!                                                                         └─► outbox of reports
//! ```
//!
//! A [`Store`] is the one writer; what it has returned from is on the disk. [`StoreReader`]s read on
//! connections of their own. See `docs/reference/store.md`.

mod backup;
mod error;
mod journal;
mod note;
mod query;
mod reader;
mod record;
mod reports;
mod retention;
mod schema;
mod store;
mod tables;
#[cfg(test)]
mod tests;
mod version;

pub use backup::{BackupReport, check_backup, restore};
pub use error::StoreError;
pub use journal::{Head, JournalKind, JournalRow, Verified};
pub use note::{Note, ServiceEvent};
pub use query::{Cursor, CursorParseError, IncidentFilter, PAGE_MAX, PrefixMatch};
pub use reader::{
    FactsVersionRow, FeedStateRow, GapRow, IncidentCount, IncidentPage, IncidentSummary, ROWS_MAX,
    StoreReader,
};
pub use record::{CONTINUE_SECS, IncidentsUnseen, Recorded, Refused, Tick, VERSIONS_MAX};
pub use reports::{REPORTS_LISTED_MAX, ReportKey};
pub use retention::{RetentionPolicy, RetentionReport};
pub use schema::{APPLICATION_ID, SCHEMA_VERSION};
pub use store::{NOTES_MAX, STORE_FILE, Store};
pub use version::{
    AsnRole, BODY_OCTETS_MAX, Change, DETECTOR_IDS_MAX, IncidentVersion, KEY_OCTETS_MAX,
    NAME_OCTETS_MAX, PARTS_MAX, StoredVersion, TIME_MICROS_MAX,
};
