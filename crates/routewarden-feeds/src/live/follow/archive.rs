//! New update files of the public archives.

use std::path::PathBuf;
use std::time::Duration;

use routewarden_core::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::{FollowError, Stopped, decode, note, pause};
use crate::archive::{
    Archive, ArchiveError, ArchiveFile, ArchiveOptions, Collector, RIS_URL, ROUTE_VIEWS_URL,
};
use crate::live::{LiveItem, SourceContext, SourceState};
use crate::stream::StreamOptions;

/// Seconds between two looks for the next file.
pub const ARCHIVE_EVERY_SECS: u64 = 30;
/// Seconds after the end of a file's time when it should be there: RIS publishes within five
/// minutes, `RouteViews` within ten. After that the index of the month is asked.
pub const LATE_AFTER_SECS: i64 = 600;
/// Seconds after the end of a file's time when it is given up, and told as a gap.
pub const GIVE_UP_AFTER_SECS: i64 = 3_600;
/// Most collectors of one source.
pub const ARCHIVE_COLLECTORS_MAX: usize = 64;

/// Collectors whose archives are followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchiveConfig {
    /// Collectors, as `rrc04` or `route-views2`.
    pub collectors: Vec<String>,
    /// Directory of the cache.
    pub cache_dir: PathBuf,
    /// Seconds between two looks; [`ARCHIVE_EVERY_SECS`] by default.
    #[serde(default = "every_secs")]
    pub every_secs: u64,
    /// Base URL of `RouteViews`; [`ROUTE_VIEWS_URL`] by default.
    #[serde(default = "route_views_url")]
    pub route_views_url: String,
    /// Base URL of RIPE RIS; [`RIS_URL`] by default.
    #[serde(default = "ris_url")]
    pub ris_url: String,
    /// URL of a proxy.
    #[serde(default)]
    pub proxy: Option<String>,
}

fn every_secs() -> u64 {
    ARCHIVE_EVERY_SECS
}

fn route_views_url() -> String {
    ROUTE_VIEWS_URL.to_owned()
}

fn ris_url() -> String {
    RIS_URL.to_owned()
}

impl ArchiveConfig {
    /// Looks the configuration over.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with it.
    pub fn check(&self) -> Result<(), FollowError> {
        self.known().map(|_| ())
    }

    fn known(&self) -> Result<Vec<Collector>, FollowError> {
        if !(1..=ARCHIVE_COLLECTORS_MAX).contains(&self.collectors.len()) {
            let (collectors, collectors_max) = (self.collectors.len(), ARCHIVE_COLLECTORS_MAX);
            return Err(FollowError::Collectors { collectors, collectors_max });
        }
        if self.every_secs == 0 {
            return Err(FollowError::Times { field: "every_secs" });
        }
        Ok(self.collectors.iter().map(|name| Collector::new(name)).collect::<Result<_, _>>()?)
    }

    /// The archives as configured.
    ///
    /// # Errors
    ///
    /// When the proxy's address is malformed.
    pub fn archive(&self) -> Result<Archive, FollowError> {
        Ok(Archive::new(ArchiveOptions {
            route_views_url: self.route_views_url.clone(),
            ris_url: self.ris_url.clone(),
            proxy: self.proxy.clone(),
            ..ArchiveOptions::new(&self.cache_dir)
        })?)
    }
}

/// Follows the archives of the collectors from `from` on (events before are left out) until the
/// context is cancelled or the pipeline ends. One blocking thread for each collector.
///
/// # Errors
///
/// The configuration cannot be used, or a thread failed.
pub async fn follow_archive(
    context: SourceContext,
    config: &ArchiveConfig,
    from: Timestamp,
) -> Result<(), FollowError> {
    let mut followers = JoinSet::new();
    for collector in config.known()? {
        let follower = Follower {
            archive: config.archive()?,
            collector,
            context: context.clone(),
            runtime: Handle::current(),
            every: Duration::from_secs(config.every_secs),
            from,
            next: from,
        };
        followers.spawn_blocking(move || follower.run());
    }
    let mut outcome = Ok(());
    while let Some(joined) = followers.join_next().await {
        if joined.is_err() {
            // The others cannot be relied on any more to be all: the caller starts anew.
            context.cancel.cancel();
            outcome = Err(FollowError::Thread);
        }
    }
    context.status.set_state(SourceState::Stopped, context.clock.now());
    outcome
}

/// Follows one collector.
struct Follower {
    archive: Archive,
    collector: Collector,
    context: SourceContext,
    runtime: Handle,
    every: Duration,
    from: Timestamp,
    /// Up to where files were read or given up.
    next: Timestamp,
}

impl Follower {
    fn run(mut self) {
        self.context.status.session_up(self.context.clock.now());
        while !self.context.cancel.is_cancelled() {
            match self.look() {
                // There may be more at once, to catch up.
                Ok(true) => {}
                Ok(false) => pause(&self.runtime, &self.context.cancel, self.every),
                Err(Stopped::Done) => break,
                Err(Stopped::Unreadable(error)) => {
                    note(&self.context, &error);
                    pause(&self.runtime, &self.context.cancel, self.every);
                }
            }
        }
        self.context.status.session_down(self.context.clock.now());
    }

    /// Reads the next file, if it is there. Whether it went on.
    fn look(&mut self) -> Result<bool, Stopped> {
        let now = self.context.clock.now();
        let Some(expected) = self.archive.expected_update(&self.collector, self.next) else {
            return Ok(false);
        };
        // A file is there after its time is over.
        if expected.until > now {
            return Ok(false);
        }
        if self.read(&expected.file, expected.until)? {
            return Ok(true);
        }
        if now < expected.until.plus_secs(LATE_AFTER_SECS) {
            return Ok(false);
        }
        self.look_in_index(&expected.file, expected.until, now)
    }

    /// The file did not come under the name expected: what does the archive have?
    fn look_in_index(
        &mut self,
        expected: &ArchiveFile,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, Stopped> {
        let (runtime, cancel) = (self.runtime.clone(), self.context.cancel.clone());
        let mut sleep = |wait| pause(&runtime, &cancel, wait);
        let found = self.archive.find_updates(&self.collector, (self.next, now), &mut sleep);
        let found = found.map_err(|error| Stopped::Unreadable(error.into()))?;
        let listed = found.into_iter().find(|file| file.is_listed && file.starts >= self.next);
        match listed {
            Some(file) if file.starts < until => self.read(&file, until),
            Some(file) => {
                // Later files are there: this one will not come.
                self.give_up(expected, file.starts)?;
                Ok(true)
            }
            None if now >= until.plus_secs(GIVE_UP_AFTER_SECS) => {
                self.give_up(expected, until)?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn read(&mut self, file: &ArchiveFile, until: Timestamp) -> Result<bool, Stopped> {
        let (runtime, cancel) = (self.runtime.clone(), self.context.cancel.clone());
        let mut sleep = |wait| pause(&runtime, &cancel, wait);
        let input = match self.archive.fetch(file, &mut sleep) {
            Ok(input) => input,
            Err(ArchiveError::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(Stopped::Unreadable(error.into())),
        };
        let options = StreamOptions { from: Some(self.from), ..StreamOptions::default() };
        let read = decode::hand_on((&self.context, &self.runtime), vec![input], options, 0);
        match read {
            Err(Stopped::Unreadable(error)) => {
                note(&self.context, &error);
                self.give_up(file, until)?;
            }
            read => {
                read?;
                self.next = until;
            }
        }
        Ok(true)
    }

    /// Goes on without the file; tells the gap.
    fn give_up(&mut self, file: &ArchiveFile, until: Timestamp) -> Result<(), Stopped> {
        let text = format!("{} did not come, or cannot be read", file.url);
        self.context.status.fault("archive_file_missing", text, self.context.clock.now());
        let source = std::sync::Arc::clone(self.context.status.name());
        let gap = LiveItem::Gap { source, from: self.next, until };
        let sink = &self.context.sink;
        self.runtime.block_on(async {
            tokio::select! {
                () = self.context.cancel.cancelled() => Err(Stopped::Done),
                sent = sink.send(gap) => sent.map_err(Stopped::from),
            }
        })?;
        self.next = until;
        Ok(())
    }
}
