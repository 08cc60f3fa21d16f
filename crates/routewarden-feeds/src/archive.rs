//! The public archives of `RouteViews` and RIPE RIS over HTTPS, with a local cache.
//!
//! Files do not start on a fixed grid (a `RouteViews` collector of 2008 was 17 minutes late about
//! every two hours), so a month's directory index tells the names; the grid is used where an
//! archive has no index. The cache has the archives' layout below a directory per collector and
//! can be read later, without network, as any directory.

mod error;
mod fetch;
mod layout;

use std::path::{Path, PathBuf};

use routewarden_core::Timestamp;

use crate::sources::{InputFile, InputKind};
pub use error::ArchiveError;
use fetch::Client;
pub use fetch::{
    ATTEMPTS_MAX, BACKOFF_FIRST, BACKOFF_MAX, CONNECT_TIMEOUT, INDEX_OCTETS_MAX, READ_TIMEOUT,
    REDIRECTS_MAX, Sleep,
};
pub(crate) use fetch::{agent, header};
use layout::NamedFile;
pub use layout::{Collector, Project};

/// Address of the `RouteViews` archive.
pub const ROUTE_VIEWS_URL: &str = "https://archive.routeviews.org";
/// Address of the RIPE RIS archive.
pub const RIS_URL: &str = "https://data.ris.ripe.net";
/// Longest file downloaded: the largest tables of today have about 500 MB.
pub const FILE_OCTETS_MAX: u64 = 8 << 30;
/// Longest time range asked for at once.
pub const WINDOW_DAYS_MAX: i64 = 400;
/// How far before the wanted time a table may lie: collectors sometimes miss one.
pub const TABLE_AGE_SECS_MAX: i64 = 2 * 86_400;

/// Where the archives and the cache are.
#[derive(Clone, Debug)]
pub struct ArchiveOptions {
    /// Base URL of `RouteViews`, without slash at the end.
    pub route_views_url: String,
    /// Base URL of RIPE RIS, without slash at the end.
    pub ris_url: String,
    /// Directory of the cache; made when needed.
    pub cache: PathBuf,
    /// URL of a proxy (`http://host:port`). The environment is not asked for one.
    pub proxy: Option<String>,
    /// Longest file downloaded, in octets.
    pub file_octets_max: u64,
}

impl ArchiveOptions {
    /// The public archives, cached in a directory.
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        ArchiveOptions {
            route_views_url: ROUTE_VIEWS_URL.to_owned(),
            ris_url: RIS_URL.to_owned(),
            cache: cache.into(),
            proxy: None,
            file_octets_max: FILE_OCTETS_MAX,
        }
    }
}

/// A file of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveFile {
    /// Its address.
    pub url: String,
    /// Where it lies, or will lie, in the cache.
    pub path: PathBuf,
    /// Its collector's name.
    pub collector: String,
    /// Updates or a table.
    pub kind: InputKind,
    /// When it starts, by its name.
    pub starts: Timestamp,
    /// Whether the name stands in the archive's index; otherwise it was guessed, and the file
    /// may not exist.
    pub is_listed: bool,
}

/// A file that an archive should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedFile {
    /// The file, by a guessed name.
    pub file: ArchiveFile,
    /// End of the time that it covers.
    pub until: Timestamp,
}

/// Both archives.
#[derive(Debug)]
pub struct Archive {
    options: ArchiveOptions,
    client: Client,
}

impl Archive {
    /// Prepares a client; nothing is sent yet.
    ///
    /// # Errors
    /// When the proxy's address is malformed.
    pub fn new(options: ArchiveOptions) -> Result<Self, ArchiveError> {
        let is_https = |url: &str| url.starts_with("https://");
        // Plain HTTP is for mirrors on the own network; from HTTPS nothing leads back to it.
        let https_only = is_https(&options.route_views_url) && is_https(&options.ris_url);
        let client = Client::new(options.proxy.as_deref(), https_only, options.file_octets_max)?;
        Ok(Archive { options, client })
    }

    /// Updates files that may hold records of `from..until`, in order of time.
    ///
    /// # Errors
    /// When the range is empty or too long, or the archive gives no answer.
    pub fn find_updates(
        &self,
        collector: &Collector,
        (from, until): (Timestamp, Timestamp),
        sleep: Sleep<'_>,
    ) -> Result<Vec<ArchiveFile>, ArchiveError> {
        if from >= until || until.secs_since(from) > WINDOW_DAYS_MAX * 86_400 {
            return Err(ArchiveError::Window { from, until, days_max: WINDOW_DAYS_MAX });
        }
        let mut files = Vec::new();
        for month in layout::months(from, until) {
            files.extend(self.month(collector, InputKind::Updates, &month, sleep)?);
        }
        Ok(chosen(files, |named| layout::covering(named, from, until)))
    }

    /// The updates file that there should be next at or after `from`, if all started on time; `None`
    /// only at the end of time. Nothing is asked of the archive.
    pub fn expected_update(&self, collector: &Collector, from: Timestamp) -> Option<ExpectedFile> {
        let kind = InputKind::Updates;
        let month = layout::month_of(from);
        let until = |named: &NamedFile| named.time.plus_secs(collector.grid_secs(kind, named.time));
        let named = collector.grid(kind, &month).into_iter().find(|named| until(named) > from)?;
        let until = until(&named);
        Some(ExpectedFile { file: self.file_of(collector, (kind, &month), named, false), until })
    }

    /// Tables that start at or before `at`, latest first, of the [`TABLE_AGE_SECS_MAX`] before
    /// it. The first one is the table to begin with; the others are there in case the archive
    /// lacks it.
    ///
    /// # Errors
    /// When the archive gives no answer.
    pub fn find_tables(
        &self,
        collector: &Collector,
        at: Timestamp,
        sleep: Sleep<'_>,
    ) -> Result<Vec<ArchiveFile>, ArchiveError> {
        let oldest = at.plus_secs(-TABLE_AGE_SECS_MAX);
        let mut files = Vec::new();
        for month in layout::months(oldest, at.plus_secs(1)) {
            files.extend(self.month(collector, InputKind::Table, &month, sleep)?);
        }
        files.retain(|file| oldest <= file.starts && file.starts <= at);
        files.sort_by_key(|file| std::cmp::Reverse(file.starts));
        Ok(files)
    }

    /// Brings a file into the cache, unless it is there, and describes it as an input.
    ///
    /// # Errors
    /// When it does not exist, or cannot be got after [`ATTEMPTS_MAX`] attempts. What was got of
    /// it stays in the cache (`.part`) and is resumed the next time.
    pub fn fetch(&self, file: &ArchiveFile, sleep: Sleep<'_>) -> Result<InputFile, ArchiveError> {
        self.client.file(&file.url, &file.path, sleep)?;
        let metadata = std::fs::metadata(&file.path);
        let metadata =
            metadata.map_err(|source| ArchiveError::Cache { path: file.path.clone(), source })?;
        Ok(InputFile {
            path: file.path.clone(),
            collector: file.collector.clone(),
            kind: Some(file.kind),
            starts: Some(file.starts),
            octets: metadata.len(),
        })
    }

    /// Whether a file is in the cache.
    pub fn is_cached(&self, file: &ArchiveFile) -> bool {
        file.path.is_file()
    }

    /// Directory of the cache.
    pub fn cache(&self) -> &Path {
        &self.options.cache
    }

    /// The files of a month by the archive's index, or by the grid when there is none.
    fn month(
        &self,
        collector: &Collector,
        kind: InputKind,
        month: &str,
        sleep: Sleep<'_>,
    ) -> Result<Vec<ArchiveFile>, ArchiveError> {
        let directory = self.directory(collector, kind, month);
        let listed = self
            .client
            .page(&directory, sleep)?
            .map(|html| layout::files_in_index(&html, kind))
            .filter(|files| !files.is_empty());
        let is_listed = listed.is_some();
        let named = listed.unwrap_or_else(|| collector.grid(kind, month));
        let file = |named| self.file_of(collector, (kind, month), named, is_listed);
        Ok(named.into_iter().map(file).collect())
    }

    /// Address of a month, with slash at the end.
    fn directory(&self, collector: &Collector, kind: InputKind, month: &str) -> String {
        let base = match collector.project() {
            Project::RouteViews => &self.options.route_views_url,
            Project::Ris => &self.options.ris_url,
        };
        let directory = collector.remote_directory(kind, month);
        format!("{}/{directory}/", base.trim_end_matches('/'))
    }

    fn file_of(
        &self,
        collector: &Collector,
        (kind, month): (InputKind, &str),
        NamedFile { time, name }: NamedFile,
        is_listed: bool,
    ) -> ArchiveFile {
        let cache = self.options.cache.join(collector.local_directory(kind, month));
        ArchiveFile {
            url: format!("{}{name}", self.directory(collector, kind, month)),
            path: cache.join(name),
            collector: collector.name().to_owned(),
            kind,
            starts: time,
            is_listed,
        }
    }
}

/// Keeps the files whose names `choose` keeps.
fn chosen(
    mut files: Vec<ArchiveFile>,
    choose: impl FnOnce(&[NamedFile]) -> Vec<NamedFile>,
) -> Vec<ArchiveFile> {
    files.sort_by(|a, b| (a.starts, &a.url).cmp(&(b.starts, &b.url)));
    let names: Vec<NamedFile> =
        files.iter().map(|file| NamedFile { time: file.starts, name: file.url.clone() }).collect();
    let kept = choose(&names);
    files.retain(|file| {
        let name = NamedFile { time: file.starts, name: file.url.clone() };
        kept.binary_search(&name).is_ok()
    });
    files
}
