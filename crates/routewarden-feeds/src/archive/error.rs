//! What can go wrong with an archive or its cache.

use std::io;
use std::path::PathBuf;

use routewarden_core::Timestamp;

use crate::transport::Compression;

/// An error of an archive or its cache.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// Not the name of a collector.
    #[error("not a collector's name: {collector:?}")]
    Collector {
        /// The name.
        collector: String,
    },
    /// A time range that is empty, or longer than
    /// [`WINDOW_DAYS_MAX`](super::WINDOW_DAYS_MAX).
    #[error("from {from} until {until} is empty or longer than {days_max} days")]
    Window {
        /// Its start.
        from: Timestamp,
        /// Its end.
        until: Timestamp,
        /// The limit.
        days_max: i64,
    },
    /// The proxy's address is malformed.
    #[error("malformed proxy address")]
    Proxy {
        /// What is wrong with it.
        source: Box<ureq::Error>,
    },
    /// No connection, or no answer.
    #[error("cannot get {url}")]
    Request {
        /// What was asked for.
        url: String,
        /// What went wrong.
        source: Box<ureq::Error>,
    },
    /// The server refuses.
    #[error("{url}: HTTP status {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// HTTP status.
        status: u16,
    },
    /// The archive does not have the file.
    #[error("{url} does not exist")]
    NotFound {
        /// What was asked for.
        url: String,
    },
    /// The connection broke in mid-file.
    #[error("{url} broke off after {octets} octets")]
    BrokenOff {
        /// What was asked for.
        url: String,
        /// Octets got so far, earlier attempts included.
        octets: u64,
        /// What went wrong.
        source: io::Error,
    },
    /// A file has another length than the server said.
    #[error("{url} has {octets} octets where {expected} were announced")]
    Length {
        /// What was asked for.
        url: String,
        /// Octets got.
        octets: u64,
        /// Octets announced.
        expected: u64,
    },
    /// The server gave another part of a file than asked for.
    #[error("{url}: the server did not continue at octet {expected}")]
    Range {
        /// What was asked for.
        url: String,
        /// Where to continue.
        expected: u64,
    },
    /// A file is longer than allowed.
    #[error("{url} is longer than {octets_max} octets")]
    TooLarge {
        /// What was asked for.
        url: String,
        /// The limit.
        octets_max: u64,
    },
    /// A file does not start as its name says: an error page instead of data.
    #[error("{url} is not {expected} data")]
    Content {
        /// What was asked for.
        url: String,
        /// What its name says.
        expected: Compression,
    },
    /// The cache cannot be written or read.
    #[error("cannot use the cache at {}", path.display())]
    Cache {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process is downloading the same file.
    #[error("{} is being downloaded by another process", path.display())]
    Busy {
        /// The unfinished file.
        path: PathBuf,
    },
}

impl ArchiveError {
    /// Stable name of the kind.
    pub fn kind(&self) -> &'static str {
        match self {
            ArchiveError::Collector { .. } => "archive_collector",
            ArchiveError::Window { .. } => "archive_window",
            ArchiveError::Proxy { .. } => "archive_proxy",
            ArchiveError::Request { .. } => "archive_request",
            ArchiveError::Status { .. } => "archive_status",
            ArchiveError::NotFound { .. } => "archive_not_found",
            ArchiveError::BrokenOff { .. } => "archive_broken_off",
            ArchiveError::Length { .. } => "archive_length",
            ArchiveError::Range { .. } => "archive_range",
            ArchiveError::TooLarge { .. } => "archive_too_large",
            ArchiveError::Content { .. } => "archive_content",
            ArchiveError::Cache { .. } => "archive_cache",
            ArchiveError::Busy { .. } => "archive_busy",
        }
    }

    /// Whether trying again may help.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            ArchiveError::Request { source, .. } => matches!(
                **source,
                ureq::Error::Io(_)
                    | ureq::Error::Timeout(_)
                    | ureq::Error::HostNotFound
                    | ureq::Error::ConnectionFailed
                    | ureq::Error::Protocol(_)
            ),
            ArchiveError::Status { status, .. } => matches!(status, 408 | 416 | 429 | 500..=599),
            ArchiveError::BrokenOff { .. }
            | ArchiveError::Length { .. }
            | ArchiveError::Range { .. }
            | ArchiveError::Busy { .. } => true,
            ArchiveError::Collector { .. }
            | ArchiveError::Window { .. }
            | ArchiveError::Proxy { .. }
            | ArchiveError::NotFound { .. }
            | ArchiveError::TooLarge { .. }
            | ArchiveError::Content { .. }
            | ArchiveError::Cache { .. } => false,
        }
    }
}
