//! New and grown update files of a directory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use routewarden_core::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use super::{FollowError, Stopped, decode, note, pause};
use crate::Error;
use crate::live::{SourceContext, SourceState};
use crate::sources::{DIRECTORY_DEPTH_MAX, InputFile, InputKind, Sources};
use crate::stream::StreamOptions;

/// Seconds between two looks at the directory.
pub const DIRECTORY_EVERY_SECS: u64 = 5;
/// Seconds for which a file must not have changed to be taken as complete.
pub const DIRECTORY_SETTLE_SECS: u64 = 10;
/// Most files of a directory; further ones are counted and left out.
pub const DIRECTORY_FILES_MAX: usize = 100_000;
/// Endings of files that are being written.
const UNFINISHED: [&str; 2] = ["part", "tmp"];

/// A directory whose files are followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectoryConfig {
    /// The directory; those in it belong to it.
    pub path: PathBuf,
    /// Seconds between two looks; [`DIRECTORY_EVERY_SECS`] by default.
    #[serde(default = "every_secs")]
    pub every_secs: u64,
    /// Seconds for which a file must not have changed; [`DIRECTORY_SETTLE_SECS`] by default. One
    /// that was renamed from `*.part`, `*.tmp` or a hidden name is complete at once.
    #[serde(default = "settle_secs")]
    pub settle_secs: u64,
    /// Whether files that are there at the start are read too.
    #[serde(default)]
    pub existing: bool,
}

fn every_secs() -> u64 {
    DIRECTORY_EVERY_SECS
}

fn settle_secs() -> u64 {
    DIRECTORY_SETTLE_SECS
}

impl DirectoryConfig {
    /// Looks the configuration over. The directory may come to be later.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with it.
    pub fn check(&self) -> Result<(), FollowError> {
        if self.every_secs == 0 {
            return Err(FollowError::Times { field: "every_secs" });
        }
        Ok(())
    }
}

/// Follows a directory until the context is cancelled or the pipeline ends, on a blocking thread.
///
/// # Errors
///
/// The configuration cannot be used, or the thread failed.
pub async fn follow_directory(
    context: SourceContext,
    config: &DirectoryConfig,
) -> Result<(), FollowError> {
    config.check()?;
    let watcher = Watcher {
        started: context.clock.now(),
        context: context.clone(),
        runtime: Handle::current(),
        config: config.clone(),
        files: BTreeMap::new(),
        unfinished: BTreeSet::new(),
    };
    let joined = tokio::task::spawn_blocking(move || watcher.run()).await;
    context.status.set_state(SourceState::Stopped, context.clock.now());
    joined.map_err(|_| FollowError::Thread)
}

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    octets: u64,
    modified: Option<SystemTime>,
    /// Device and number of its inode.
    inode: (u64, u64),
}

impl Shape {
    fn of(metadata: &Metadata) -> Self {
        Shape {
            octets: metadata.len(),
            modified: metadata.modified().ok(),
            inode: (metadata.dev(), metadata.ino()),
        }
    }
}

/// A file that was seen.
struct Seen {
    shape: Shape,
    /// Since when it has that shape.
    since: Timestamp,
    is_complete: bool,
    /// What was read of it: its shape then, and the events handed on.
    read: Option<(Shape, u64)>,
    /// Only events from then on are wanted: it was there before.
    from: Option<Timestamp>,
}

struct Watcher {
    context: SourceContext,
    runtime: Handle,
    config: DirectoryConfig,
    started: Timestamp,
    files: BTreeMap<PathBuf, Seen>,
    /// Inodes that were seen under the name of an unfinished file.
    unfinished: BTreeSet<(u64, u64)>,
}

impl Watcher {
    fn run(mut self) {
        let (context, every) = (self.context.clone(), self.config.every_secs);
        context.status.session_up(context.clock.now());
        let mut is_first = true;
        while !context.cancel.is_cancelled() {
            match self.look(is_first) {
                Ok(()) => is_first = false,
                Err(error) => note(&context, &error),
            }
            if self.read_ready().is_err() {
                break;
            }
            pause(&self.runtime, &context.cancel, Duration::from_secs(every));
        }
        context.status.session_down(context.clock.now());
    }

    /// Notes what is there.
    fn look(&mut self, is_first: bool) -> Result<(), Error> {
        let now = self.context.clock.now();
        let mut found = Found::default();
        found.search(&self.config.path, 0)?;
        if found.left_out > 0 {
            let text = format!("{} files more than {DIRECTORY_FILES_MAX}", found.left_out);
            self.context.status.fault("too_many_files", text, now);
        }
        self.files.retain(|path, _| found.finished.contains_key(path));
        for (path, shape) in found.finished {
            let is_renamed = self.unfinished.contains(&shape.inode);
            let seen = self.files.entry(path).or_insert_with(|| {
                let is_old = is_first && !self.config.existing;
                Seen {
                    shape,
                    since: now,
                    is_complete: is_renamed,
                    read: is_old.then_some((shape, 0)),
                    from: is_old.then_some(self.started),
                }
            });
            if seen.shape != shape {
                (seen.shape, seen.since, seen.is_complete) = (shape, now, is_renamed);
            }
            let settle = i64::try_from(self.config.settle_secs).unwrap_or(i64::MAX);
            seen.is_complete |= now.secs_since(seen.since) >= settle;
        }
        self.unfinished = found.unfinished;
        Ok(())
    }

    /// Reads the files that are complete and were not read as they are now, in order of collector
    /// and time.
    fn read_ready(&mut self) -> Result<(), Stopped> {
        let mut sources = Sources::default();
        for (path, seen) in &mut self.files {
            let is_new = seen.read.is_none_or(|(shape, _)| shape != seen.shape);
            if !seen.is_complete || !is_new {
                continue;
            }
            if let Err(error) = sources.add(path) {
                note(&self.context, &error);
                seen.read = Some((seen.shape, 0));
            }
        }
        for file in sources.finish().0 {
            self.read(file)?;
        }
        Ok(())
    }

    fn read(&mut self, file: InputFile) -> Result<(), Stopped> {
        let Some(seen) = self.files.get_mut(&file.path) else { return Ok(()) };
        let grown = seen.read.filter(|(before, _)| {
            before.inode == seen.shape.inode && before.octets <= seen.shape.octets
        });
        let mut events = grown.map_or(0, |(_, events)| events);
        if file.kind == Some(InputKind::Table) {
            self.context.status.kinds([("table_passed_over", 1)]);
        } else {
            let options = StreamOptions { from: seen.from, ..StreamOptions::default() };
            let read = decode::hand_on((&self.context, &self.runtime), vec![file], options, events);
            match read {
                Ok(all) => events = all,
                Err(Stopped::Unreadable(error)) => note(&self.context, &error),
                Err(Stopped::Done) => return Err(Stopped::Done),
            }
        }
        seen.read = Some((seen.shape, events));
        Ok(())
    }
}

/// What a search found.
#[derive(Default)]
struct Found {
    finished: BTreeMap<PathBuf, Shape>,
    unfinished: BTreeSet<(u64, u64)>,
    left_out: usize,
}

impl Found {
    fn search(&mut self, directory: &Path, depth: usize) -> Result<(), Error> {
        if depth > DIRECTORY_DEPTH_MAX {
            let path = directory.to_owned();
            return Err(Error::DirectoryDepth { path, depth_max: DIRECTORY_DEPTH_MAX });
        }
        let failed = |source| Error::ListDirectory { path: directory.to_owned(), source };
        for entry in fs::read_dir(directory).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            // It may have gone between listing and looking.
            let Ok(metadata) = fs::metadata(&path) else { continue };
            if metadata.is_dir() && !is_hidden(&path) {
                self.search(&path, depth + 1)?;
            } else if metadata.is_file() {
                self.add(path, Shape::of(&metadata));
            }
        }
        Ok(())
    }

    fn add(&mut self, path: PathBuf, shape: Shape) {
        if self.finished.len() + self.unfinished.len() >= DIRECTORY_FILES_MAX {
            self.left_out += 1;
        } else if is_hidden(&path)
            || UNFINISHED.iter().any(|end| path.extension().is_some_and(|e| e == *end))
        {
            self.unfinished.insert(shape.inode);
        } else {
            self.finished.insert(path, shape);
        }
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}
