//! Recordings: shown to the rivals here, and to Routewarden as a user would.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use routewarden_core::{PeerTable, Timestamp};
use routewarden_feeds::sources::{InputFile, Sources};
use routewarden_feeds::stream::{Run, StreamOptions, open_tables, open_updates};
use routewarden_feeds::transport::Limits;

use super::finding::Finding;
use super::watch::Watch;

/// Files of one recording.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// Tables to start from.
    pub tables: Vec<PathBuf>,
    /// Updates: files or folders.
    pub updates: Vec<PathBuf>,
    /// Further options of `routewarden detect`, with the facts.
    pub options: Vec<String>,
}

impl Recording {
    /// What `routewarden detect` finds in it.
    pub fn detect(&self, program: &Path) -> anyhow::Result<Vec<Finding>> {
        let mut command = Command::new(program);
        command.args(["detect", "-q", "--format", "jsonl"]).args(&self.options);
        for table in &self.tables {
            command.arg("--rib").arg(table);
        }
        let output = command
            .args(&self.updates)
            .output()
            .with_context(|| format!("cannot run {}", program.display()))?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "routewarden detect: {}: {said}", output.status);
        let text = String::from_utf8(output.stdout)?;
        text.lines().map(|line| Finding::of_incident(&serde_json::from_str(line)?)).collect()
    }

    /// Shows all events to the rivals. Times of the first and last update; `None` without any.
    pub fn show(
        &self,
        watch: &mut Watch,
        mut see: impl FnMut(&Run<'_>),
    ) -> anyhow::Result<Option<(Timestamp, Timestamp)>> {
        let mut options = StreamOptions::default();
        let mut peers = PeerTable::default();
        let mut tables = open_tables(found(&self.tables)?, &options)?;
        tables.for_each(&mut peers, |peers, run| {
            watch.take(run.batch, run.range, run.peers, peers);
            ControlFlow::Continue(())
        })?;
        options.table_times = tables.finish().table_times();
        let mut updates = open_updates(found(&self.updates)?, &options)?;
        let mut period: Option<(Timestamp, Timestamp)> = None;
        updates.for_each(&mut peers, |peers, run| {
            for (_, event) in run.events() {
                let (from, until) = period.unwrap_or((event.time, event.time));
                period = Some((from.min(event.time), until.max(event.time)));
            }
            see(&run);
            watch.take(run.batch, run.range, run.peers, peers);
            ControlFlow::Continue(())
        })?;
        updates.finish();
        Ok(period)
    }
}

fn found(paths: &[PathBuf]) -> anyhow::Result<Vec<InputFile>> {
    let mut sources = Sources::new(Limits::default());
    for path in paths {
        sources.add(path).with_context(|| path.display().to_string())?;
    }
    Ok(sources.finish().0)
}
