//! Turns what a user names (files, directories, patterns, `-`) into the list of input files, each
//! with its collector and its place in time. The list does not depend on the order given.

mod names;
mod sniff;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use routewarden_core::Timestamp;

use crate::Error;
use crate::transport::Limits;
pub use names::{COLLECTOR_LOCAL, collector_of, kind_of, time_of};
pub use sniff::{FirstRecord, first_record};

/// Deepest nesting of directories that is searched.
pub const DIRECTORY_DEPTH_MAX: usize = 8;
/// Most input files of one run: a year of all collectors' five-minute files is less.
pub const FILES_MAX: usize = 4_000_000;

/// What an input file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// Updates: `BGP4MP`.
    Updates,
    /// A table dump: `TABLE_DUMP`, `TABLE_DUMP_V2`.
    Table,
}

/// One input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFile {
    /// Where it lies; `-` is standard input.
    pub path: PathBuf,
    /// Name of its collector, see [`collector_of`].
    pub collector: String,
    /// What it holds, by its name or else its first record; `None` when neither tells.
    pub kind: Option<InputKind>,
    /// When it starts, by its name or else its first record; `None` when neither tells.
    pub starts: Option<Timestamp>,
    /// Octets on the disk; 0 when unknown.
    pub octets: u64,
}

impl InputFile {
    /// Whether this is standard input.
    pub fn is_stdin(&self) -> bool {
        self.path.as_os_str() == "-"
    }

    /// Files of one collector are read in this order: by time, then by name, then by path.
    pub(crate) fn order(&self) -> (&str, Option<Timestamp>, Option<&std::ffi::OsStr>, &Path) {
        (&self.collector, self.starts, self.path.file_name(), &self.path)
    }
}

/// Why a file that was found is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IgnoredReason {
    /// In a searched directory: does not start like MRT.
    NotMrt,
    /// In a searched directory: cannot be opened or read.
    Unreadable,
    /// In a searched directory: an unfinished download (`.part`).
    Unfinished,
    /// The same file was named before.
    Duplicate,
}

/// A file that was found and is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoredFile {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub reason: IgnoredReason,
}

/// Collects inputs.
#[derive(Debug, Default)]
pub struct Sources {
    limits: Limits,
    files: Vec<InputFile>,
    ignored: Vec<IgnoredFile>,
    seen: BTreeSet<PathBuf>,
}

impl Sources {
    /// Nothing yet. `limits` hold for the look at first records.
    pub fn new(limits: Limits) -> Self {
        Sources { limits, ..Sources::default() }
    }

    /// Adds an input: a file (taken as it is), a directory (its MRT files, also those of its
    /// directories), a pattern (`*`, `?`, `[...]`, `**`), or `-` for standard input.
    ///
    /// # Errors
    /// When the input names no file or cannot be listed. Inputs added before stay.
    pub fn add(&mut self, input: &Path) -> Result<(), Error> {
        if input.as_os_str() == "-" {
            return self.add_stdin();
        }
        match fs::metadata(input) {
            Ok(metadata) if metadata.is_dir() => self.add_found_directory(input),
            Ok(_) => self.add_file(input),
            Err(_) if is_pattern(input) => self.add_pattern(input),
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
                Err(Error::NoFile { input: input.to_owned() })
            }
            Err(source) => Err(Error::Open { path: input.to_owned(), source }),
        }
    }

    /// The files ordered by collector, then time, then name; and those not read, by path.
    pub fn finish(mut self) -> (Vec<InputFile>, Vec<IgnoredFile>) {
        self.files.sort_by(|a, b| a.order().cmp(&b.order()));
        self.ignored.sort_by(|a, b| a.path.cmp(&b.path));
        (self.files, self.ignored)
    }

    fn add_stdin(&mut self) -> Result<(), Error> {
        let path = PathBuf::from("-");
        if !self.seen.insert(path.clone()) {
            return Err(Error::StdinTwice);
        }
        let collector = COLLECTOR_LOCAL.to_owned();
        self.push(InputFile { path, collector, kind: None, starts: None, octets: 0 })
    }

    fn add_pattern(&mut self, pattern: &Path) -> Result<(), Error> {
        let malformed = |source| Error::Pattern { pattern: pattern.to_owned(), source };
        let matches = glob::glob(&pattern.to_string_lossy()).map_err(malformed)?;
        let mut found = false;
        for path in matches {
            let path = path.map_err(|error| Error::ListDirectory {
                path: error.path().to_owned(),
                source: error.into(),
            })?;
            if path.is_dir() {
                continue;
            }
            found = true;
            self.add_file(&path)?;
        }
        if found { Ok(()) } else { Err(Error::NoFile { input: pattern.to_owned() }) }
    }

    /// A named file is taken even when it does not look like MRT: reading it tells why.
    fn add_file(&mut self, path: &Path) -> Result<(), Error> {
        if !self.first_sight(path) {
            return Ok(());
        }
        let first = match (named_kind(path), named_time(path)) {
            (Some(_), Some(_)) => None,
            _ => first_record(path, self.limits).ok().flatten(),
        };
        self.push(described(path, first))
    }

    fn add_found_directory(&mut self, directory: &Path) -> Result<(), Error> {
        let before = (self.files.len(), self.ignored.len());
        self.search(directory, 0)?;
        let only_duplicates = self
            .ignored
            .get(before.1..)
            .is_some_and(|new| new.iter().any(|file| file.reason == IgnoredReason::Duplicate));
        if self.files.len() > before.0 || only_duplicates {
            return Ok(());
        }
        Err(Error::NoFile { input: directory.to_owned() })
    }

    fn search(&mut self, directory: &Path, depth: usize) -> Result<(), Error> {
        if depth > DIRECTORY_DEPTH_MAX {
            let path = directory.to_owned();
            return Err(Error::DirectoryDepth { path, depth_max: DIRECTORY_DEPTH_MAX });
        }
        let failed = |source| Error::ListDirectory { path: directory.to_owned(), source };
        let entries = fs::read_dir(directory).map_err(failed)?;
        let mut paths = entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(failed)?;
        paths.sort_unstable();
        for path in paths {
            let hidden =
                path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            match fs::metadata(&path) {
                _ if hidden => {}
                Ok(metadata) if metadata.is_dir() => self.search(&path, depth + 1)?,
                Ok(metadata) if metadata.is_file() => self.consider(&path)?,
                Ok(_) => self.ignore(&path, IgnoredReason::NotMrt),
                Err(_) => self.ignore(&path, IgnoredReason::Unreadable),
            }
        }
        Ok(())
    }

    /// A file found in a directory is taken when it is named as in the archives and starts like
    /// a compressed or MRT file, or when its first record is MRT.
    fn consider(&mut self, path: &Path) -> Result<(), Error> {
        if path.extension().is_some_and(|extension| extension == "part") {
            self.ignore(path, IgnoredReason::Unfinished);
            return Ok(());
        }
        let named = named_kind(path).is_some() && named_time(path).is_some();
        let first = if named {
            sniff::plausible_start(path).map(|plausible| (plausible, None))
        } else {
            first_record(path, self.limits).map(|first| (first.is_some(), first))
        };
        match first {
            Err(_) => self.ignore(path, IgnoredReason::Unreadable),
            Ok((false, _)) => self.ignore(path, IgnoredReason::NotMrt),
            Ok((true, first)) => {
                if self.first_sight(path) {
                    self.push(described(path, first))?;
                }
            }
        }
        Ok(())
    }

    /// Whether the file was not named before, under this or another path.
    fn first_sight(&mut self, path: &Path) -> bool {
        let canonical = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let fresh = self.seen.insert(canonical);
        if !fresh {
            self.ignore(path, IgnoredReason::Duplicate);
        }
        fresh
    }

    fn ignore(&mut self, path: &Path, reason: IgnoredReason) {
        self.ignored.push(IgnoredFile { path: path.to_owned(), reason });
    }

    fn push(&mut self, file: InputFile) -> Result<(), Error> {
        if self.files.len() >= FILES_MAX {
            return Err(Error::TooManyFiles { files_max: FILES_MAX });
        }
        self.files.push(file);
        Ok(())
    }
}

fn is_pattern(input: &Path) -> bool {
    input.as_os_str().as_encoded_bytes().iter().any(|octet| b"*?[".contains(octet))
}

fn named_kind(path: &Path) -> Option<InputKind> {
    kind_of(&path.file_name()?.to_string_lossy())
}

fn named_time(path: &Path) -> Option<Timestamp> {
    time_of(&path.file_name()?.to_string_lossy())
}

fn described(path: &Path, first: Option<FirstRecord>) -> InputFile {
    InputFile {
        path: path.to_owned(),
        collector: collector_of(path),
        kind: named_kind(path).or(first.map(|first| first.kind)),
        starts: named_time(path).or(first.map(|first| first.time)),
        octets: fs::metadata(path).map_or(0, |metadata| metadata.len()),
    }
}
