//! Following archives: new update files of the public collectors, or of a directory, as batches.
//!
//! ```text
//! archive ─► cache ─┐  (blocking threads)
//! directory ────────┴► decode ─► LiveSink (waits while it is full)
//! ```
//!
//! The same files fill gaps of RIS Live: [`BackFill::run`].

mod archive;
mod back_fill;
mod decode;
mod directory;
mod table;

pub use archive::{
    ARCHIVE_COLLECTORS_MAX, ARCHIVE_EVERY_SECS, ArchiveConfig, GIVE_UP_AFTER_SECS, LATE_AFTER_SECS,
    follow_archive,
};
pub use back_fill::{BackFill, BackFilled};
pub use directory::{
    DIRECTORY_EVERY_SECS, DIRECTORY_FILES_MAX, DIRECTORY_SETTLE_SECS, DirectoryConfig,
    follow_directory,
};
pub use table::{newest_table, newest_table_in};

use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::{Closed, SourceContext};
use crate::Error;

/// Why a configuration cannot be followed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// Too many collectors, or none.
    #[error("{collectors} collectors; between 1 and {collectors_max} can be followed")]
    Collectors {
        /// How many were named.
        collectors: usize,
        /// The limit.
        collectors_max: usize,
    },
    /// A time of the configuration is zero.
    #[error("{field} must be at least 1")]
    Times {
        /// The field.
        field: &'static str,
    },
    /// The archive or a collector's name.
    #[error(transparent)]
    Feed(#[from] Error),
    /// A thread that read files ended by itself.
    #[error("a reading thread failed")]
    Thread,
}

impl FollowError {
    /// Stable name of the kind.
    pub fn kind(&self) -> &'static str {
        match self {
            FollowError::Collectors { .. } => "follow_collectors",
            FollowError::Times { .. } => "follow_times",
            FollowError::Feed(error) => error.kind(),
            FollowError::Thread => "follow_thread",
        }
    }
}

impl From<crate::archive::ArchiveError> for FollowError {
    fn from(error: crate::archive::ArchiveError) -> Self {
        FollowError::Feed(error.into())
    }
}

/// A pause on a blocking thread, which ends at once when the source is cancelled.
fn pause(runtime: &Handle, cancel: &CancellationToken, wait: Duration) {
    runtime.block_on(async {
        tokio::select! {
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
    });
}

/// Why reading a file stopped before its end.
enum Stopped {
    /// The source was cancelled, or the pipeline has ended.
    Done,
    /// Nothing at all could be read.
    Unreadable(Error),
}

impl From<Closed> for Stopped {
    fn from(_: Closed) -> Self {
        Stopped::Done
    }
}

/// Notes a fault of the feed itself.
fn note(context: &SourceContext, error: &Error) {
    // The causes: which address, what the system said.
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    context.status.fault(error.kind(), text, context.clock.now());
}
