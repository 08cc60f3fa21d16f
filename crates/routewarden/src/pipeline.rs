//! Inputs to incidents: the one place where files, facts and the detector meet.
//!
//! Decoding runs on the threads of the stream, detection on those of the shards; here the events
//! pass in the order of the merge.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use routewarden_core::facts::Facts;
use routewarden_core::{PeerTable, Timestamp};
use routewarden_detect::{Config, Detector, FactsChange, Report};
use routewarden_feeds::sources::{IgnoredFile, InputFile, InputKind, Sources, first_record};
use routewarden_feeds::stream::{StreamOptions, THREADS_MAX, open_tables, open_updates, tables_at};
use routewarden_feeds::transport::Limits;
use routewarden_feeds::{MergedStream, Report as InputReport};

use crate::progress::Bar;
use crate::shards::Shards;

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
    /// Facts that change, by time.
    pub(crate) changes: Vec<(Timestamp, FactsChange)>,
    /// Decoding threads; as many as cores when not given.
    pub(crate) threads: Option<u32>,
    /// Shards of the detector; half as many as threads when not given.
    pub(crate) shards: Option<u32>,
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
    /// Inputs that name nothing and were passed over, as asked.
    pub(crate) errors: Vec<anyhow::Error>,
}

/// Runs the job.
pub(crate) fn run(job: Job) -> Result<Outcome> {
    let Found { files: mut tables, mut ignored, mut errors } = find(&job.tables, job.keep_going)?;
    let inputs = find(&job.inputs, job.keep_going)?;
    ignored.extend(inputs.ignored);
    errors.extend(inputs.errors);
    let inputs = inputs.files;
    let (found_tables, updates): (Vec<InputFile>, Vec<InputFile>) =
        inputs.into_iter().partition(|file| file.kind == Some(InputKind::Table));
    let found_tables = dated_by_content(found_tables);
    tables = dated_by_content(tables);
    let begins = first_updates(&updates);
    let (found_tables, mut unused_tables) = before_updates(found_tables, &begins);
    tables.extend(found_tables);
    let (tables, more_unused) = one_for_each_collector(tables, job.from, &begins);
    unused_tables.extend(more_unused);

    let threads = threads(job.threads);
    // Decompressing and decoding take more than half of the work.
    let shards = job.shards.unwrap_or(threads.get().div_ceil(2));
    let detector = Detector::with_shards(job.config, job.facts, shards);
    let mut shards = Shards::start(detector, threads)?;
    let mut peers = PeerTable::default();
    let mut options = StreamOptions {
        from: job.from,
        until: job.until,
        table_times: BTreeMap::new(),
        keep_going: job.keep_going,
        threads: NonZeroUsize::try_from(threads).ok(),
        ..StreamOptions::default()
    };
    let stream = open_tables(tables, &options)?;
    let table_report = feed(stream, &mut peers, &mut shards, ("tables", job.quiet))?;
    // What the table tells of links is worked out of all shards together.
    let mut detector = shards.finish()?;
    detector.begin_updates();
    let entries = table_report.total().elements.table_entries;
    ensure!(
        job.tables.is_empty() || entries > 0,
        "no table entries in --rib {}: is it a table dump?",
        job.tables.join(" ")
    );
    options.table_times = table_report.table_times();
    let mut update_report = InputReport::default();
    for (part, change) in parts(job.changes, (job.from, job.until)) {
        if let Some((time, change)) = change {
            detector.change_facts(time, change);
        }
        (options.from, options.until) = part;
        let stream = open_updates(updates.clone(), &options)?;
        let mut shards = Shards::start(detector, threads)?;
        let part = feed(stream, &mut peers, &mut shards, ("updates", job.quiet))?;
        update_report.add_window(part);
        detector = shards.finish()?;
    }
    Ok(Outcome {
        report: detector.report(),
        inputs: [table_report, update_report],
        unused_tables,
        ignored,
        errors,
    })
}

/// A period of events.
type Period = (Option<Timestamp>, Option<Timestamp>);

/// The period in parts, between which facts change: the files are read once for each.
fn parts(
    mut changes: Vec<(Timestamp, FactsChange)>,
    (from, until): Period,
) -> Vec<(Period, Option<(Timestamp, FactsChange)>)> {
    changes.sort_by_key(|&(time, _)| time);
    let ends = changes.iter().map(|&(time, _)| Some(time)).chain([until]);
    let ends: Vec<Option<Timestamp>> = ends.collect();
    let begins = std::iter::once(from).chain(changes.iter().map(|&(time, _)| Some(time)));
    let periods: Vec<Period> = begins.zip(ends).collect();
    let changes = std::iter::once(None).chain(changes.into_iter().map(Some));
    periods.into_iter().zip(changes).collect()
}

/// Tables are few and decide what is left out: their first record tells their time, not their
/// name, which some writers get wrong (`GoBGP` writes the pattern for the date).
pub(crate) fn dated_by_content(mut tables: Vec<InputFile>) -> Vec<InputFile> {
    for table in tables.iter_mut().filter(|table| !table.is_stdin()) {
        // What cannot be read is told when the table is loaded.
        if let Ok(Some(first)) = first_record(&table.path, Limits::default()) {
            table.starts = Some(first.time);
        }
    }
    tables
}

/// When the updates of each collector begin, as far as names or first records tell.
pub(crate) fn first_updates(updates: &[InputFile]) -> BTreeMap<String, Timestamp> {
    let mut begins = BTreeMap::new();
    for file in updates {
        if let Some(starts) = file.starts {
            let begin = begins.entry(file.collector.clone()).or_insert(starts);
            *begin = starts.min(*begin);
        }
    }
    begins
}

/// Tables found among the inputs serve to start from only when no updates are older: starting
/// later would leave those out unasked. `--rib` asks for it.
fn before_updates(
    tables: Vec<InputFile>,
    begins: &BTreeMap<String, Timestamp>,
) -> (Vec<InputFile>, Vec<InputFile>) {
    tables.into_iter().partition(|table| {
        let begin = begins.get(&table.collector).copied();
        begin.is_none() || table.starts.is_none() || table.starts <= begin
    })
}

/// For each collector the last table before the time asked for, or before its first update.
pub(crate) fn one_for_each_collector(
    tables: Vec<InputFile>,
    from: Option<Timestamp>,
    begins: &BTreeMap<String, Timestamp>,
) -> (Vec<InputFile>, Vec<InputFile>) {
    let mut by_collector: BTreeMap<String, Vec<InputFile>> = BTreeMap::new();
    for table in tables {
        by_collector.entry(table.collector.clone()).or_default().push(table);
    }
    let (mut chosen, mut unused) = (Vec::new(), Vec::new());
    for (collector, tables) in by_collector {
        let (one, others) = tables_at(tables, from.or(begins.get(&collector).copied()));
        chosen.extend(one);
        unused.extend(others);
    }
    (chosen, unused)
}

/// What inputs name.
pub(crate) struct Found {
    /// Files in reading order.
    pub(crate) files: Vec<InputFile>,
    pub(crate) ignored: Vec<IgnoredFile>,
    /// Inputs that name nothing and were passed over, as asked.
    pub(crate) errors: Vec<anyhow::Error>,
}

/// The files that inputs name; one that names nothing ends it, unless told to keep going.
pub(crate) fn find(inputs: &[String], keep_going: bool) -> Result<Found> {
    let mut sources = Sources::new(Limits::default());
    let mut errors = Vec::new();
    for input in inputs {
        let added = sources.add(Path::new(input));
        match added.with_context(|| format!("cannot use the input {input}")) {
            Err(error) if keep_going => errors.push(error),
            other => other?,
        }
    }
    let (files, ignored) = sources.finish();
    Ok(Found { files, ignored, errors })
}

fn feed(
    mut stream: MergedStream,
    peers: &mut PeerTable,
    shards: &mut Shards,
    (what, quiet): (&'static str, bool),
) -> Result<InputReport> {
    let bar = Bar::new(what, stream.progress(), quiet);
    let mut failed = None;
    stream.for_each(peers, |table, run| {
        bar.update();
        match shards.take(run, table) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    match failed {
        Some(error) => Err(error),
        None => Ok(stream.finish()),
    }
}

/// Threads to decode with: those asked for, else as many as there are cores.
fn threads(wanted: Option<u32>) -> NonZeroU32 {
    let cores = || std::thread::available_parallelism().ok().and_then(|n| n.try_into().ok());
    let most = u32::try_from(THREADS_MAX).unwrap_or(u32::MAX);
    wanted
        .and_then(NonZeroU32::new)
        .or_else(cores)
        .map_or(NonZeroU32::MIN, |n| NonZeroU32::new(most).map_or(n, |most| n.min(most)))
}
