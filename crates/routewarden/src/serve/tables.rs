//! The tables to start from, so that there are no blind first hours.

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context, Result};
use routewarden_core::{PeerTable, Timestamp};
use routewarden_detect::Detector;
use routewarden_feeds::archive::Collector;
use routewarden_feeds::live::follow::{newest_table, newest_table_in};
use routewarden_feeds::sources::InputFile;
use routewarden_feeds::stream::{StreamOptions, open_tables};
use tracing::{info, warn};

use super::sources::of_archive;
use crate::config::Config;

/// What was read.
pub(crate) struct Loaded {
    pub(crate) peers: PeerTable,
    /// Time of the oldest table: updates are wanted from then on.
    pub(crate) from: Timestamp,
}

/// Reads the newest tables of the archives and folders of a configuration into a detector that
/// knows nothing yet. `None` when there is none: one that cannot be had is told of and left out.
pub(crate) fn load(
    config: &Config,
    now: Timestamp,
    detector: &mut Detector,
) -> Result<Option<Loaded>> {
    let tables = find(config, now);
    if tables.is_empty() {
        return Ok(None);
    }
    let options = StreamOptions { keep_going: true, ..StreamOptions::default() };
    let mut stream = open_tables(tables, &options).context("cannot read the tables")?;
    let mut peers = PeerTable::default();
    stream.for_each(&mut peers, |peers, run| {
        detector.apply(run.batch, run.range, run.peers, peers);
        ControlFlow::Continue(())
    })?;
    let report = stream.finish();
    let Some(&from) = report.table_times().values().min() else { return Ok(None) };
    detector.begin_updates();
    info!(routes = detector.routes(), peers = peers.len(), %from, "tables");
    Ok(Some(Loaded { peers, from }))
}

fn find(config: &Config, now: Timestamp) -> Vec<InputFile> {
    let mut tables = Vec::new();
    for section in config.archive.iter().filter(|section| section.start_table) {
        for name in &section.collectors {
            match of_archived(config, section, name, now) {
                Ok(table) => tables.extend(table),
                Err(failure) => {
                    warn!(
                        collector = name,
                        error = format!("{failure:#}"),
                        "no table to start from"
                    );
                }
            }
        }
    }
    for section in &config.directory {
        match newest_table_in(&section.path, now) {
            Ok(found) => tables.extend(found),
            Err(failure) => warn!(path = %section.path.display(), error = %failure, "no table"),
        }
    }
    tables
}

fn of_archived(
    config: &Config,
    section: &crate::config::Archive,
    name: &str,
    now: Timestamp,
) -> Result<Option<InputFile>> {
    let settings = of_archive(config, section);
    make(&settings.cache_dir)?;
    let archive = settings.archive()?;
    let collector = Collector::new(name)?;
    Ok(newest_table(&archive, &collector, now, &mut |wait| std::thread::sleep(wait))?)
}

fn make(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}
