//! Inputs to incidents: the one place where files, facts and the detector meet.
//!
//! Decoding runs on the threads of the stream; detection here, in the order of the merge.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use routewarden_core::facts::Facts;
use routewarden_core::{PeerTable, Timestamp};
use routewarden_detect::{Config, Detector, Report};
use routewarden_feeds::sources::{IgnoredFile, InputFile, InputKind, Sources};
use routewarden_feeds::stream::{StreamOptions, open_tables, open_updates, tables_at};
use routewarden_feeds::transport::Limits;
use routewarden_feeds::{MergedStream, Report as InputReport};

use crate::progress::Bar;

/// What to run.
pub(crate) struct Job {
    /// Tables to start from: files, folders, patterns.
    pub(crate) tables: Vec<String>,
    /// Inputs; tables among them join the tables.
    pub(crate) inputs: Vec<String>,
    pub(crate) facts: Facts,
    pub(crate) config: Config,
    pub(crate) from: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    pub(crate) keep_going: bool,
    pub(crate) quiet: bool,
}

/// What came of it.
pub(crate) struct Outcome {
    pub(crate) report: Report,
    /// What became of the tables' and of the updates' files.
    pub(crate) inputs: [InputReport; 2],
    /// Tables of a collector that were not used because a later one was.
    pub(crate) unused_tables: Vec<InputFile>,
    pub(crate) ignored: Vec<IgnoredFile>,
}

/// Runs the job.
pub(crate) fn run(job: Job) -> Result<Outcome> {
    let (mut tables, mut ignored) = find(&job.tables)?;
    let (inputs, more) = find(&job.inputs)?;
    ignored.extend(more);
    let (more_tables, updates): (Vec<InputFile>, Vec<InputFile>) =
        inputs.into_iter().partition(|file| file.kind == Some(InputKind::Table));
    tables.extend(more_tables);
    let (tables, unused_tables) = tables_at(tables, job.from);

    let mut detector = Detector::new(job.config, job.facts);
    let mut peers = PeerTable::default();
    let mut options = StreamOptions {
        from: job.from,
        until: job.until,
        table_times: BTreeMap::new(),
        keep_going: job.keep_going,
        ..StreamOptions::default()
    };
    let stream = open_tables(tables, &options)?;
    let table_report = feed(stream, &mut peers, &mut detector, ("tables", job.quiet))?;
    options.table_times = table_report.table_times();
    let stream = open_updates(updates, &options)?;
    let update_report = feed(stream, &mut peers, &mut detector, ("updates", job.quiet))?;
    Ok(Outcome {
        report: detector.report(),
        inputs: [table_report, update_report],
        unused_tables,
        ignored,
    })
}

/// The files that inputs name, in reading order.
pub(crate) fn find(inputs: &[String]) -> Result<(Vec<InputFile>, Vec<IgnoredFile>)> {
    let mut sources = Sources::new(Limits::default());
    for input in inputs {
        sources.add(Path::new(input)).with_context(|| format!("cannot use the input {input}"))?;
    }
    Ok(sources.finish())
}

fn feed(
    mut stream: MergedStream,
    peers: &mut PeerTable,
    detector: &mut Detector,
    (what, quiet): (&'static str, bool),
) -> Result<InputReport> {
    let bar = Bar::new(what, stream.progress(), quiet);
    stream.for_each(peers, |table, run| {
        detector.apply(run.batch, run.range, run.peers, table);
        bar.update();
        std::ops::ControlFlow::Continue(())
    })?;
    Ok(stream.finish())
}
