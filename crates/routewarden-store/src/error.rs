//! What kept the store from doing its work.

use std::io;

use routewarden_core::Timestamp;
use rusqlite::ErrorCode;

/// What kept the store from doing its work. Nothing of the failed call is kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No room on the disk (`SQLITE_FULL`). It works again when there is.
    #[error("no room on the disk for the store")]
    DiskFull,
    /// Another process has the store open for writing.
    #[error("the store is in use by another process")]
    InUse,
    /// A lock was held longer than the store waits.
    #[error("the store is busy")]
    Busy,
    /// The file is damaged, or no database.
    #[error("the file of the store is damaged or no database")]
    Damaged,
    /// A database of another program.
    #[error("a database, but not a store of Routewarden: application id {found:#010x}")]
    NotAStore {
        /// Its `application_id`.
        found: i64,
    },
    /// Written by a newer program.
    #[error("the store has version {found}, this program knows versions up to {known}")]
    Newer {
        /// Version of the file.
        found: i64,
        /// Newest version that this program knows.
        known: i64,
    },
    /// Written by an older program, and opened for reading only.
    #[error("the store has version {found} and must be migrated to {known} first")]
    Older {
        /// Version of the file.
        found: i64,
        /// Version that this program reads.
        known: i64,
    },
    /// A row of the journal is not what was recorded, or is missing.
    #[error("the journal is not what was recorded, at number {seq}")]
    ChainBroken {
        /// Number of the row.
        seq: i64,
    },
    /// A row of the journal has a body that this program does not read.
    #[error("the journal has a row that cannot be read, number {seq}")]
    UnreadableRow {
        /// Number of the row.
        seq: i64,
        /// What was wrong with the body.
        source: serde_json::Error,
    },
    /// A part of a trail cannot be read.
    #[error("the trail of incident number {number} cannot be read, block {block}")]
    UnreadableTrail {
        /// Number of the incident.
        number: i64,
        /// Number of the block.
        block: i64,
    },
    /// No incident has that id.
    #[error("no incident has that id")]
    UnknownIncident,
    /// What is closed is not changed.
    #[error("the period is closed: its inputs are not changed")]
    PeriodClosed,
    /// What is kept of a closed period is not what the journal says, or is missing.
    #[error("the {what} of the period until {until} are not what was recorded")]
    RecordChanged {
        /// What it is.
        what: &'static str,
        /// The end of the period.
        until: Timestamp,
    },
    /// More than a limit of the store allows.
    #[error("{what} exceeds {max}")]
    OverLimit {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// A time before 1970 or after [`crate::TIME_MICROS_MAX`], or a period that ends before it begins.
    #[error("a time before 1970 or after the year 9999, or a period without length")]
    TimeOutOfRange,
    /// A store or backup would be overwritten.
    #[error("there is something already where it would be written")]
    WouldOverwrite,
    /// The reader was interrupted; see [`crate::Interrupter`].
    #[error("the read was interrupted")]
    Interrupted,
    /// Something could not be written as JSON.
    #[error("cannot be written as JSON")]
    Json(#[source] serde_json::Error),
    /// A file could not be read or written.
    #[error("a file of the store could not be read or written")]
    Io(#[from] io::Error),
    /// Any other fault of `SQLite`.
    #[error("the database failed")]
    Database(#[source] rusqlite::Error),
}

impl StoreError {
    /// A stable name for counters and logs.
    pub fn kind(&self) -> &'static str {
        match self {
            StoreError::DiskFull => "disk_full",
            StoreError::InUse => "in_use",
            StoreError::Busy => "busy",
            StoreError::Damaged => "damaged",
            StoreError::NotAStore { .. } => "not_a_store",
            StoreError::Newer { .. } => "newer",
            StoreError::Older { .. } => "older",
            StoreError::ChainBroken { .. } => "chain_broken",
            StoreError::UnreadableRow { .. } => "unreadable_row",
            StoreError::UnreadableTrail { .. } => "unreadable_trail",
            StoreError::UnknownIncident => "unknown_incident",
            StoreError::PeriodClosed => "period_closed",
            StoreError::RecordChanged { .. } => "record_changed",
            StoreError::OverLimit { .. } => "over_limit",
            StoreError::TimeOutOfRange => "time_out_of_range",
            StoreError::WouldOverwrite => "would_overwrite",
            StoreError::Interrupted => "interrupted",
            StoreError::Json(_) => "json",
            StoreError::Io(fault) if fault.kind() == io::ErrorKind::StorageFull => "disk_full",
            StoreError::Io(_) => "io",
            StoreError::Database(_) => "database",
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::DiskFull,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged,
            Some(ErrorCode::OperationInterrupted) => StoreError::Interrupted,
            _ => StoreError::Database(error),
        }
    }
}
