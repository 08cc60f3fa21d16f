//! `archive:COLLECTOR` inputs: the public archives, through the local cache.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use routewarden_core::Timestamp;
use routewarden_feeds::archive::{Archive, ArchiveError, ArchiveFile, ArchiveOptions, Collector};

use crate::cli::{ArchiveArgs, DetectArgs};
use crate::exit::UsageError;

const SCHEME: &str = "archive:";

/// The tables and inputs with every `archive:COLLECTOR` replaced by files of the cache: the last
/// table before `--from`, and the updates from that table (else from `--from`) to `--until`.
pub(crate) fn resolve(args: &DetectArgs) -> Result<(Vec<String>, Vec<String>)> {
    let mut table_times: BTreeMap<String, Timestamp> = BTreeMap::new();
    let tables = replace(args, &args.rib, |archive, collector| {
        let Some(from) = args.from else {
            return Err(UsageError("--rib archive: needs --from".to_owned()).into());
        };
        let (path, starts) = table(archive, collector, from, args.quiet)?;
        table_times.insert(collector.name().to_owned(), starts);
        Ok(vec![path])
    })?;
    let inputs = replace(args, &args.inputs, |archive, collector| {
        let (Some(from), Some(until)) = (args.from, args.until) else {
            return Err(UsageError("archive: inputs need --from and --until".to_owned()).into());
        };
        let begin = table_times.get(collector.name()).copied().unwrap_or(from);
        updates(archive, collector, (begin, until), args.quiet)
    })?;
    Ok((tables, inputs))
}

fn replace(
    args: &DetectArgs,
    inputs: &[String],
    mut find: impl FnMut(&Archive, &Collector) -> Result<Vec<String>>,
) -> Result<Vec<String>> {
    let mut replaced = Vec::new();
    for input in inputs {
        let Some(name) = input.strip_prefix(SCHEME) else {
            replaced.push(input.clone());
            continue;
        };
        let collector = Collector::new(name)?;
        let archive = Archive::new(options(&args.archive)?)?;
        replaced.extend(find(&archive, &collector)?);
    }
    Ok(replaced)
}

fn options(args: &ArchiveArgs) -> Result<ArchiveOptions> {
    let cache = args.cache.clone().or_else(default_cache);
    let cache = cache.context("no home directory: give --cache a directory")?;
    let mut options = ArchiveOptions::new(cache);
    options.route_views_url.clone_from(&args.routeviews_url);
    options.ris_url.clone_from(&args.ris_url);
    options.proxy.clone_from(&args.proxy);
    Ok(options)
}

fn default_cache() -> Option<PathBuf> {
    let directory = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let base = match directory("XDG_CACHE_HOME") {
        Some(cache) => PathBuf::from(cache),
        None => PathBuf::from(directory("HOME")?).join(".cache"),
    };
    Some(base.join("routewarden"))
}

fn updates(
    archive: &Archive,
    collector: &Collector,
    window: (Timestamp, Timestamp),
    quiet: bool,
) -> Result<Vec<String>> {
    let files = archive.find_updates(collector, window, &mut std::thread::sleep)?;
    let mut paths = Vec::new();
    for (at, file) in files.iter().enumerate() {
        tell(archive, file, (at + 1, files.len()), quiet)?;
        paths.extend(fetch(archive, file)?);
    }
    if paths.is_empty() {
        bail!("the archive has no updates of {} in that time", collector.name());
    }
    Ok(paths)
}

fn table(
    archive: &Archive,
    collector: &Collector,
    at: Timestamp,
    quiet: bool,
) -> Result<(String, Timestamp)> {
    for file in archive.find_tables(collector, at, &mut std::thread::sleep)? {
        tell(archive, &file, (1, 1), quiet)?;
        if let Some(path) = fetch(archive, &file)? {
            return Ok((path, file.starts));
        }
    }
    bail!("the archive has no table of {} before {at}", collector.name())
}

/// The file's path in the cache; `None` when its name was guessed and there is no such file.
fn fetch(archive: &Archive, file: &ArchiveFile) -> Result<Option<String>> {
    let mut sleep = |pause: Duration| std::thread::sleep(pause);
    match archive.fetch(file, &mut sleep) {
        Ok(input) => Ok(Some(input.path.to_string_lossy().into_owned())),
        Err(ArchiveError::NotFound { .. }) if !file.is_listed => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot fetch {}", file.url)),
    }
}

fn tell(
    archive: &Archive,
    file: &ArchiveFile,
    (at, of): (usize, usize),
    quiet: bool,
) -> io::Result<()> {
    if quiet || archive.is_cached(file) {
        return Ok(());
    }
    writeln!(io::stderr(), "fetching {at} of {of}: {}", file.url)
}
