//! What can go wrong with an archive.

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
}

impl ArchiveError {
    /// Stable name of the kind.
    pub fn kind(&self) -> &'static str {
        match self {
            ArchiveError::Collector { .. } => "archive_collector",
        }
    }
}
