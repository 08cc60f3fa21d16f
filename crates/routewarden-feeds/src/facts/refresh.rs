//! Facts out of files and URLs, read again when they change.
//!
//! ```text
//! schedule, "now" ─► is it another one? (ETag, date; mtime, size, hash) ─► load ─► FactUpdate
//!                                     └ no, or a failure: the last good table stays
//! ```
//!
//! [`run`] keeps one source. A file got by HTTP is kept in a folder with what the server said of it,
//! so that the next start has it at once and asks for a newer one only. What is unusable never takes
//! the place of what is good. [`FactBoard`] shows versions, ages and failures.

mod cache;
mod error;
mod fetch;
mod status;
mod table;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use routewarden_core::Timestamp;
use routewarden_core::facts::{FactKind, Sha256};
use serde::Deserialize;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use ureq::Agent;

use crate::live::{Backoff, Clock};
use cache::{Cache, Manifest, secs};
use fetch::Validators;

pub use error::RefreshError;
pub use fetch::FETCH_TIME_MAX;
pub use status::{FactBoard, FactState, FactStatus};
pub use table::{FactTable, FactUpdate, FactVersion};

/// Most octets of one file as it is got or stands on disk, compressed if it is, when the
/// configuration says nothing else. All VRPs of 2025 with their sources are 300 MB of JSON.
pub const FETCH_OCTETS_MAX: u64 = 512 << 20;
/// Seconds between two looks at a URL when the configuration says nothing else.
pub const URL_EVERY_SECS: u32 = 3600;
/// Seconds between two looks at a file when the configuration says nothing else.
pub const FILE_EVERY_SECS: u32 = 10;
/// Periods without a success after which a table is stale.
pub const STALE_PERIODS: u32 = 3;
/// Shortest age in seconds at which a table is stale.
pub const STALE_SECS_MIN: u32 = 600;
/// First wait after a failure; doubled from there on to the period.
pub const RETRY_WAIT: Duration = Duration::from_secs(30);

/// Where facts are.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Location {
    /// `http://` or `https://`.
    Url(String),
    /// Anything else.
    Path(PathBuf),
}

impl From<String> for Location {
    fn from(text: String) -> Self {
        if text.starts_with("https://") || text.starts_with("http://") {
            Location::Url(text)
        } else {
            Location::Path(text.into())
        }
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Location::Url(url) => f.write_str(url),
            Location::Path(path) => write!(f, "{}", path.display()),
        }
    }
}

/// One source of facts: `[[facts]]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactFeed {
    /// Name, for status and updates; unique.
    pub name: String,
    /// Which facts; `vrps` stands for a validator's file, with its ASPAs.
    pub kind: FactKind,
    /// URL or path.
    pub location: Location,
    /// Seconds between two looks. Default [`URL_EVERY_SECS`] or [`FILE_EVERY_SECS`].
    pub every_secs: Option<u32>,
    /// Most octets as the file stands, compressed if it is. Default [`FETCH_OCTETS_MAX`].
    #[serde(default = "octets_max")]
    pub octets_max: u64,
}

const fn octets_max() -> u64 {
    FETCH_OCTETS_MAX
}

impl FactFeed {
    /// A source with the defaults.
    pub fn new(name: &str, kind: FactKind, location: &str) -> Self {
        FactFeed {
            name: name.to_owned(),
            kind,
            location: location.to_owned().into(),
            every_secs: None,
            octets_max: FETCH_OCTETS_MAX,
        }
    }

    fn every_secs(&self) -> u32 {
        let default = match self.location {
            Location::Url(_) => URL_EVERY_SECS,
            Location::Path(_) => FILE_EVERY_SECS,
        };
        self.every_secs.unwrap_or(default).max(1)
    }

    /// Age in seconds at which its table is stale.
    pub fn stale_after_secs(&self) -> u32 {
        self.every_secs().saturating_mul(STALE_PERIODS).max(STALE_SECS_MIN)
    }
}

/// What a source of facts gets.
#[derive(Clone)]
pub struct RefreshContext {
    /// Where new tables go; a full one makes the source wait.
    pub updates: mpsc::Sender<FactUpdate>,
    /// Where it tells of itself.
    pub board: FactBoard,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// When cancelled, [`run`] returns.
    pub cancel: CancellationToken,
    /// `notify_waiters` makes every source look at once.
    pub now: Arc<Notify>,
    /// Folder for files got by HTTP; it exists.
    pub cache_dir: PathBuf,
    /// Proxy for HTTP, as a URL.
    pub proxy: Option<String>,
}

/// Keeps the facts of one source, until cancelled or until nobody takes its updates.
pub async fn run(feed: FactFeed, context: RefreshContext) {
    let name: Arc<str> = feed.name.as_str().into();
    let location = feed.location.to_string();
    context.board.add((&name, feed.kind), location, feed.stale_after_secs());
    let every = Duration::from_secs(feed.every_secs().into());
    let mut backoff = Backoff::new(RETRY_WAIT.min(every), every);
    let mut keeper = Keeper {
        held: Held::default(),
        agent: None,
        cancel: context.cancel.clone(),
        proxy: context.proxy.clone(),
        cache_dir: context.cache_dir.clone(),
        feed,
    };
    let mut is_first = true;
    loop {
        // Enabled before the look, so that a call for another one meanwhile is not lost.
        let mut now = std::pin::pin!(context.now.notified());
        now.as_mut().enable();
        let at = context.clock.now();
        let (back, outcome) = look(keeper, is_first, at).await;
        let Some(back) = back else { return };
        keeper = back;
        let is_good = outcome.is_ok();
        if deliver(&context, (&name, keeper.feed.kind), outcome).await.is_err() {
            return;
        }
        // The file kept from before is only the beginning: the source is asked right away.
        let wait = if is_first && matches!(keeper.feed.location, Location::Url(_)) {
            Duration::ZERO
        } else if is_good {
            backoff.reset();
            every.mul_f64(0.9 + fastrand::f64() / 5.0)
        } else {
            backoff.next_wait()
        };
        is_first = false;
        tokio::select! {
            () = context.cancel.cancelled() => return,
            () = now => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// What a look at a source found.
enum Found {
    /// Nothing to look at yet.
    Nothing,
    /// What is held is current.
    Same,
    /// Another table, with the time at which the source was last known to have it.
    New(Box<FactTable>, FactVersion, Timestamp),
}

type Outcome = Result<(Found, Timestamp), (RefreshError, Timestamp)>;

/// One look, on a thread that may wait. Without the keeper when the thread panicked.
async fn look(mut keeper: Keeper, is_first: bool, at: Timestamp) -> (Option<Keeper>, Outcome) {
    let looked = tokio::task::spawn_blocking(move || {
        let found = keeper.look(is_first, at);
        (keeper, found)
    });
    match looked.await {
        Ok((keeper, found)) => (Some(keeper), found.map(|f| (f, at)).map_err(|e| (e, at))),
        Err(_) => (None, Err((RefreshError::Interrupted, at))),
    }
}

/// Nobody takes updates any more.
struct Gone;

async fn deliver(
    context: &RefreshContext,
    (name, kind): (&Arc<str>, FactKind),
    outcome: Outcome,
) -> Result<(), Gone> {
    match outcome {
        Ok((Found::Nothing, _)) => {}
        Ok((Found::Same, at)) => context.board.confirmed(name, None, at),
        Ok((Found::New(table, version, confirmed_at), _)) => {
            let shown = Some(version.clone());
            let update = FactUpdate { name: Arc::clone(name), kind, table: *table, version };
            context.board.confirmed(name, shown, confirmed_at);
            tokio::select! {
                () = context.cancel.cancelled() => return Err(Gone),
                sent = context.updates.send(update) => sent.map_err(|_| Gone)?,
            }
        }
        Err((error, at)) => context.board.failed(name, (error.kind(), error.text()), at),
    }
    Ok(())
}

/// The state of one source, for one thread at a time.
struct Keeper {
    feed: FactFeed,
    held: Held,
    agent: Option<Agent>,
    cancel: CancellationToken,
    proxy: Option<String>,
    cache_dir: PathBuf,
}

/// What the table in use was made of.
#[derive(Default)]
struct Held {
    sha256: Option<Sha256>,
    /// Of a file: when it was modified, and its octets.
    stamp: Option<(SystemTime, u64)>,
    /// Of a URL.
    manifest: Option<Manifest>,
}

impl Keeper {
    fn look(&mut self, is_first: bool, at: Timestamp) -> Result<Found, RefreshError> {
        match self.feed.location.clone() {
            Location::Path(path) => self.look_at_file(&path, at),
            Location::Url(url) => {
                let cache = Cache::new(&self.cache_dir, self.feed.kind, &url);
                if is_first {
                    self.resume(&cache, &url)
                } else {
                    self.look_at_url(&cache, &url, at)
                }
            }
        }
    }

    fn look_at_file(&mut self, path: &Path, at: Timestamp) -> Result<Found, RefreshError> {
        let failed = |source| RefreshError::File { path: path.into(), source };
        let octets_max = self.feed.octets_max;
        let metadata = std::fs::metadata(path).map_err(failed)?;
        if metadata.len() > octets_max {
            return Err(RefreshError::TooLarge { octets_max });
        }
        let stamp = metadata.modified().ok().map(|modified| (modified, metadata.len()));
        if stamp.is_some() && stamp == self.held.stamp {
            return Ok(Found::Same);
        }
        let hash = cache::hash(File::open(path).map_err(failed)?, octets_max).map_err(failed)?;
        if self.held.sha256 == Some(hash) {
            self.held.stamp = stamp;
            return Ok(Found::Same);
        }
        let table = table::load(self.feed.kind, path, File::open(path).map_err(failed)?)?;
        self.held.stamp = stamp;
        Ok(self.found(table, None, (at, at)))
    }

    /// The file kept from before, if there is one.
    fn resume(&mut self, cache: &Cache, url: &str) -> Result<Found, RefreshError> {
        let Some(manifest) = cache.read(url) else { return Ok(Found::Nothing) };
        let times = (manifest.fetched_at, manifest.confirmed_at);
        let found = self.load(cache, &cache.data, (url, &manifest.validators), times)?;
        self.held.manifest = Some(manifest);
        Ok(found)
    }

    fn look_at_url(
        &mut self,
        cache: &Cache,
        url: &str,
        at: Timestamp,
    ) -> Result<Found, RefreshError> {
        let agent = match &self.agent {
            Some(agent) => agent.clone(),
            None => self.agent.insert(fetch::client(url, self.proxy.as_deref())?).clone(),
        };
        let known = self.held.manifest.as_ref().map(|held| held.validators.clone());
        let (request, known) = ((&agent, url), known.unwrap_or_default());
        let octets_max = self.feed.octets_max;
        let got = fetch::fetch(request, &known, octets_max, &cache.part, &self.cancel)?;
        let Some(validators) = got else { return self.confirm(cache, None, at) };
        let failed = |source| RefreshError::File { path: cache.part.clone(), source };
        let hash = File::open(&cache.part).and_then(|file| cache::hash(file, u64::MAX));
        if self.held.sha256 == Some(hash.map_err(failed)?) {
            return self.confirm(cache, Some(validators), at);
        }
        let found = self.load(cache, &cache.part, (url, &validators), (secs(at), secs(at)));
        if found.is_err() {
            drop(std::fs::remove_file(&cache.part));
        }
        let found = found?;
        let manifest = Manifest {
            url: url.to_owned(),
            validators,
            sha256: self.held.sha256.map(|hash| hash.to_string()).unwrap_or_default(),
            fetched_at: secs(at),
            confirmed_at: secs(at),
        };
        // A full disk costs the next start its file, not this one its table.
        drop(cache.commit(&manifest));
        self.held.manifest = Some(manifest);
        Ok(found)
    }

    /// The server has what is held.
    fn confirm(
        &mut self,
        cache: &Cache,
        validators: Option<Validators>,
        at: Timestamp,
    ) -> Result<Found, RefreshError> {
        if let Some(manifest) = &mut self.held.manifest {
            manifest.confirmed_at = secs(at);
            manifest.validators = validators.unwrap_or_else(|| manifest.validators.clone());
            cache.write(manifest)?;
        }
        Ok(Found::Same)
    }

    /// Reads a file got by HTTP, by the name it has there.
    fn load(
        &mut self,
        cache: &Cache,
        file: &Path,
        (url, validators): (&str, &Validators),
        (fetched_at, confirmed_at): (u32, u32),
    ) -> Result<Found, RefreshError> {
        let failed = |source| RefreshError::File { path: cache.data.clone(), source };
        let path = url.split(['?', '#']).next().unwrap_or(url);
        let label = path.rsplit('/').find(|part| !part.is_empty()).unwrap_or(path);
        let opened = File::open(file).map_err(failed)?;
        let table = table::load(self.feed.kind, Path::new(label), opened)?;
        let times = (Timestamp::from_secs(fetched_at), Timestamp::from_secs(confirmed_at));
        Ok(self.found(table, validators.etag.clone(), times))
    }

    fn found(
        &mut self,
        table: FactTable,
        etag: Option<String>,
        (fetched_at, confirmed_at): (Timestamp, Timestamp),
    ) -> Found {
        let source = table.source();
        self.held.sha256 = source.sha256;
        let version = FactVersion {
            sha256: source.sha256,
            etag,
            fetched_at,
            date: source.date,
            entries: source.entries,
            rtr: None,
        };
        Found::New(Box::new(table), version, confirmed_at)
    }
}
