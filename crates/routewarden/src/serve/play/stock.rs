//! What is to be played: files or a scenario, read as far as the state to start from.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use routewarden_core::{PeerId, PeerTable, Timestamp};
use routewarden_detect as detect;
use routewarden_detect::Detector;
use routewarden_feeds::sources::{InputFile, InputKind};
use routewarden_feeds::stream::{StreamOptions, open_tables, open_updates};
use routewarden_lab::{Scenario, Tables};
use tracing::{info, warn};

use super::pieces::{ArchivePieces, Piece, Pieces, of_scenario};
use crate::config::Config;
use crate::serve::start::detector_config;
use crate::{facts, pipeline};

/// Name of the file in the folder of a scenario.
const SCENARIO_FILE: &str = "scenario.toml";

/// What is to be played.
pub(crate) struct Stock {
    pub(crate) detector: Detector,
    /// The peers that the detector was told of.
    pub(crate) peers: PeerTable,
    /// Whether there was a table to start from.
    pub(crate) has_table: bool,
    /// When it begins.
    pub(crate) begins: Timestamp,
    pub(crate) pieces: Pieces,
}

impl Stock {
    /// Opens files and folders, or the folder of a scenario; reads the tables among them.
    ///
    /// # Errors
    /// When they cannot be read, or nothing is to be played.
    pub(crate) fn open(config: &Config, inputs: &[PathBuf]) -> Result<Self> {
        match inputs {
            [one] if one.ends_with(SCENARIO_FILE) => Stock::of_scenario(one),
            [one] if one.join(SCENARIO_FILE).exists() => {
                Stock::of_scenario(&one.join(SCENARIO_FILE))
            }
            _ => Stock::of_files(config, inputs),
        }
    }

    fn of_scenario(file: &Path) -> Result<Self> {
        let about = || format!("cannot play {}", file.display());
        let text = std::fs::read_to_string(file).with_context(about)?;
        let scenario = Scenario::parse(&text).with_context(about)?;
        let mut tables = Tables::new(&scenario);
        let config = detect::Config {
            bogons: scenario.bogons,
            hygiene: scenario.hygiene,
            ..detect::Config::default()
        };
        let facts = tables.facts().map_err(anyhow::Error::msg).with_context(about)?;
        let mut detector = Detector::new(config, facts);
        let mut peers = PeerTable::default();
        let table = scenario.table_batch();
        let ids: Vec<PeerId> = table.new_peers.iter().map(|peer| peers.intern(peer)).collect();
        detector.apply(table, 0..table.events.len(), &ids, &peers);
        detector.begin_updates();
        info!(scenario = scenario.id, title = scenario.title, "a scenario is played");
        let pieces = of_scenario(&scenario, &mut tables);
        Ok(Stock {
            detector,
            peers,
            has_table: true,
            begins: scenario.start,
            pieces: Box::new(pieces.into_iter().map(Ok)),
        })
    }

    fn of_files(config: &Config, inputs: &[PathBuf]) -> Result<Self> {
        let inputs: Vec<String> =
            inputs.iter().map(|input| input.to_string_lossy().into_owned()).collect();
        let found = pipeline::find(&inputs, false)?;
        for ignored in &found.ignored {
            warn!(path = %ignored.path.display(), "not played");
        }
        let is_table = |file: &InputFile| file.kind == Some(InputKind::Table);
        let (tables, updates): (Vec<_>, Vec<_>) = found.files.into_iter().partition(is_table);
        let tables = pipeline::dated_by_content(tables);
        let begins = pipeline::first_updates(&updates);
        let (tables, unused) = pipeline::one_for_each_collector(tables, None, &begins);
        for table in unused {
            warn!(path = %table.path.display(), "not used: another table of the same collector is");
        }
        let mut detector = Detector::new(detector_config(config), facts::of_config(config)?);
        let mut peers = PeerTable::default();
        let has_table = !tables.is_empty();
        let mut options = StreamOptions::default();
        let mut stream = open_tables(tables, &options).context("cannot read the tables")?;
        stream.for_each(&mut peers, |peers, run| {
            detector.apply(run.batch, run.range, run.peers, peers);
            ControlFlow::Continue(())
        })?;
        options.table_times = stream.finish().table_times();
        if has_table {
            detector.begin_updates();
            info!(routes = detector.routes(), peers = peers.len(), "tables");
        }
        let stream = open_updates(updates, &options).context("cannot read the updates")?;
        let mut pieces = ArchivePieces::new(stream);
        let first = pieces.next().transpose()?;
        let begins = first.as_ref().map(Piece::until);
        ensure!(begins.is_some(), "nothing to play: no updates in {}", inputs.join(" "));
        let pieces = Box::new(first.into_iter().map(Ok).chain(pieces));
        Ok(Stock { detector, peers, has_table, begins: begins.unwrap_or_default(), pieces })
    }
}
