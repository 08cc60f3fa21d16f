//! Why facts could not be refreshed.

use std::io;
use std::path::PathBuf;

use routewarden_core::facts::FactKind;

use crate::facts::FactsError;

/// A refresh failed; the table before it stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefreshError {
    /// No connection, or no answer.
    #[error("no answer")]
    Request {
        /// What went wrong.
        source: Box<ureq::Error>,
    },
    /// The server refuses.
    #[error("HTTP status {status}")]
    Status {
        /// HTTP status.
        status: u16,
    },
    /// More octets than the limit: see [`FETCH_OCTETS_MAX`](super::FETCH_OCTETS_MAX).
    #[error("more than {octets_max} octets")]
    TooLarge {
        /// The limit.
        octets_max: u64,
    },
    /// The connection broke in mid-file.
    #[error("broke off after {octets} octets")]
    BrokenOff {
        /// Octets got.
        octets: u64,
        /// What the system said.
        source: io::Error,
    },
    /// Fewer octets than the server said.
    #[error("{octets} octets instead of {expected}")]
    Length {
        /// Octets got.
        octets: u64,
        /// Octets announced.
        expected: u64,
    },
    /// A file cannot be read or written.
    #[error("{}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file got is not what it should be.
    #[error("unusable")]
    Facts {
        /// What is wrong.
        #[from]
        source: FactsError,
    },
    /// There are no files of these facts.
    #[error("no files of {kind:?}")]
    Kind {
        /// Which facts.
        kind: FactKind,
    },
    /// The proxy's address is malformed.
    #[error("malformed proxy address")]
    Proxy {
        /// What is wrong with it.
        source: Box<ureq::Error>,
    },
    /// It was cancelled, or the reader panicked.
    #[error("interrupted")]
    Interrupted,
}

impl RefreshError {
    /// Stable name of the kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            RefreshError::Request { .. } => "refresh_request",
            RefreshError::Status { .. } => "refresh_status",
            RefreshError::TooLarge { .. } => "refresh_too_large",
            RefreshError::BrokenOff { .. } => "refresh_broken_off",
            RefreshError::Length { .. } => "refresh_length",
            RefreshError::File { .. } => "refresh_file",
            RefreshError::Facts { source } => source.kind(),
            RefreshError::Kind { .. } => "refresh_kind",
            RefreshError::Proxy { .. } => "refresh_proxy",
            RefreshError::Interrupted => "refresh_interrupted",
        }
    }

    /// In words, with its causes.
    pub(super) fn text(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(source) = cause {
            text = format!("{text}: {source}");
            cause = source.source();
        }
        text
    }
}
