//! What can go wrong with an input as a whole. What is wrong *inside* an input is no error: it
//! is counted in the [`report`](crate::report), and the feed goes on.

use std::io;
use std::path::PathBuf;

use crate::archive::ArchiveError;
use crate::transport::TransportFault;

/// An operating error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be opened.
    #[error("cannot open {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Nothing at all can be read from a file.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: TransportFault,
    },
    /// A file holds no MRT records (RFC 6396).
    #[error("{} is not an MRT file", path.display())]
    NotMrt {
        /// The file.
        path: PathBuf,
    },
    /// A directory cannot be listed.
    #[error("cannot list the directory {}", path.display())]
    ListDirectory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A directory is deeper than [`DIRECTORY_DEPTH_MAX`](crate::sources::DIRECTORY_DEPTH_MAX).
    #[error("the directory {} is nested more than {depth_max} deep", path.display())]
    DirectoryDepth {
        /// The directory.
        path: PathBuf,
        /// The limit.
        depth_max: usize,
    },
    /// More files than [`FILES_MAX`](crate::sources::FILES_MAX).
    #[error("more than {files_max} input files")]
    TooManyFiles {
        /// The limit.
        files_max: usize,
    },
    /// A pattern is malformed.
    #[error("malformed pattern {}", pattern.display())]
    Pattern {
        /// The pattern.
        pattern: PathBuf,
        /// What is wrong with it.
        source: glob::PatternError,
    },
    /// An input names no file: it does not exist, or a pattern or directory gives nothing.
    #[error("no MRT file at {}", input.display())]
    NoFile {
        /// The input as given.
        input: PathBuf,
    },
    /// Standard input was given more than once.
    #[error("standard input (-) can be read once only")]
    StdinTwice,
    /// A thread cannot be started.
    #[error("cannot start a decoding thread")]
    Thread {
        /// What the system said.
        source: io::Error,
    },
    /// An archive cannot be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

impl Error {
    /// Stable name of the kind, in `snake_case`.
    pub fn kind(&self) -> &'static str {
        match self {
            Error::Open { .. } => "open",
            Error::Unreadable { source, .. } => source.kind(),
            Error::NotMrt { .. } => "not_mrt",
            Error::ListDirectory { .. } => "list_directory",
            Error::DirectoryDepth { .. } => "directory_depth",
            Error::TooManyFiles { .. } => "too_many_files",
            Error::Pattern { .. } => "pattern",
            Error::NoFile { .. } => "no_file",
            Error::StdinTwice => "stdin_twice",
            Error::Thread { .. } => "thread",
            Error::Archive(error) => error.kind(),
        }
    }
}
