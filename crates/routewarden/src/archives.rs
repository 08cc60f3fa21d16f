//! `archive:COLLECTOR` inputs: the public archives, through the local cache.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use routewarden_core::Timestamp;
use routewarden_feeds::archive::{Archive, ArchiveError, ArchiveFile, ArchiveOptions, Collector};

use crate::cli::{ArchiveArgs, DetectArgs};
use crate::exit::UsageError;

const SCHEME: &str = "archive:";

/// The inputs with every `archive:COLLECTOR` replaced by the files of its updates.
pub(crate) fn resolve_inputs(args: &DetectArgs) -> Result<Vec<String>> {
    resolve(args, &args.inputs, |archive, collector, quiet| {
        let (Some(from), Some(until)) = (args.from, args.until) else {
            return Err(UsageError("archive: inputs need --from and --until".to_owned()).into());
        };
        updates(archive, collector, (from, until), quiet)
    })
}

/// The tables with every `archive:COLLECTOR` replaced by its last table before `--from`.
pub(crate) fn resolve_tables(args: &DetectArgs) -> Result<Vec<String>> {
    resolve(args, &args.rib, |archive, collector, quiet| {
        let Some(from) = args.from else {
            return Err(UsageError("--rib archive: needs --from".to_owned()).into());
        };
        Ok(vec![table(archive, collector, from, quiet)?])
    })
}

fn resolve(
    args: &DetectArgs,
    inputs: &[String],
    mut find: impl FnMut(&Archive, &Collector, bool) -> Result<Vec<String>>,
) -> Result<Vec<String>> {
    let mut resolved = Vec::new();
    for input in inputs {
        let Some(name) = input.strip_prefix(SCHEME) else {
            resolved.push(input.clone());
            continue;
        };
        let collector = Collector::new(name)?;
        let archive = Archive::new(options(&args.archive)?)?;
        resolved.extend(find(&archive, &collector, args.quiet)?);
    }
    Ok(resolved)
}

fn options(args: &ArchiveArgs) -> Result<ArchiveOptions> {
    let cache = args.cache.clone().or_else(default_cache);
    let cache = cache.context("no home directory: give --cache a directory")?;
    let mut options = ArchiveOptions::new(cache);
    if let Some(url) = &args.routeviews_url {
        options.route_views_url.clone_from(url);
    }
    if let Some(url) = &args.ris_url {
        options.ris_url.clone_from(url);
    }
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

fn table(archive: &Archive, collector: &Collector, at: Timestamp, quiet: bool) -> Result<String> {
    for file in archive.find_tables(collector, at, &mut std::thread::sleep)? {
        tell(archive, &file, (1, 1), quiet)?;
        if let Some(path) = fetch(archive, &file)? {
            return Ok(path);
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
