//! Input files as one time-ordered stream of route events, decoded on threads.

mod decode;
mod emit;
mod merge;
mod pool;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use routewarden_core::{PeerTable, Timestamp};

use crate::Error;
use crate::report::{FileReport, Report};
use crate::sources::{InputFile, InputKind};
use crate::transport::{Limits, Progress};
use decode::FileTask;
use merge::Parts;
pub use merge::{MergedStream, RETIRED_BATCHES_MAX, Run};
use pool::Pool;
pub use pool::{
    FILES_AHEAD_MAX, HEAD_BATCHES_MIN, QUEUED_BATCHES_MAX, QUEUED_OCTETS_MAX, THREADS_MAX,
};

/// Events of a batch before it is handed on. The last record of a batch may exceed it.
pub const BATCH_EVENTS: usize = 4096;
/// Octets of attributes of a batch before it is handed on; the last record may exceed it.
pub const BATCH_ARENA_OCTETS: usize = 2 << 20;
/// Most peers of one file. Collectors have a few hundred.
pub const PEERS_MAX: usize = 1 << 16;
/// Longest MRT record, in octets; longer ones are passed over and counted.
pub const RECORD_OCTETS_MAX: u32 = routewarden_wire::reader::RECORD_OCTETS_MAX;
/// Files are left unopened when their names put them outside the time window by more than
/// this: collectors' clocks and file names are not exact.
pub const WINDOW_SLACK_SECS: i64 = 900;

/// How to read a stream.
#[derive(Clone, Debug, Default)]
pub struct StreamOptions {
    /// Events before this time are counted, not given; those of a collector with a table are
    /// given from the table's time on, to bring the table up to date.
    pub from: Option<Timestamp>,
    /// Events at or after this time are counted, not given.
    pub until: Option<Timestamp>,
    /// Time of the table of a collector, by its name: updates before it are in the table already;
    /// they are counted, not given.
    pub table_times: BTreeMap<String, Timestamp>,
    /// Whether a file that cannot be read at all is noted in the report and passed over.
    pub keep_going: bool,
    /// Limits of each file.
    pub limits: Limits,
    /// Decoding threads, at most [`THREADS_MAX`]; as many as there are cores when `None`. With one,
    /// no thread is started: who asks for a run decodes it. With more, those of [`Transport::with_threads`](crate::transport::Transport::with_threads)
    /// help.
    pub threads: Option<NonZeroUsize>,
}

/// Opens files as one stream of updates: announcements, withdrawals, session changes and
/// End-of-RIB markers. Table entries among them are counted, not given.
///
/// Within a collector the files are read by time, then name. They are opened when they are needed.
///
/// # Errors
/// When no thread can be started.
pub fn open_updates(files: Vec<InputFile>, options: &StreamOptions) -> Result<MergedStream, Error> {
    open(files, InputKind::Updates, options)
}

/// Opens table dumps as one stream of table entries; anything else among them is counted, not
/// given. The time window and table times of the options do not hold for tables.
///
/// # Errors
/// When no thread can be started.
pub fn open_tables(files: Vec<InputFile>, options: &StreamOptions) -> Result<MergedStream, Error> {
    let options =
        StreamOptions { from: None, until: None, table_times: BTreeMap::new(), ..options.clone() };
    open(files, InputKind::Table, &options)
}

/// Reads table dumps and gives all their entries to `each`. The report tells the time of every
/// collector's table ([`Report::table_times`]), to be passed to [`open_updates`].
///
/// # Errors
/// A file that cannot be read at all, unless the options say to keep going.
pub fn load_rib(
    files: Vec<InputFile>,
    options: &StreamOptions,
    table: &mut PeerTable,
    mut each: impl FnMut(&PeerTable, Run<'_>),
) -> Result<Report, Error> {
    let mut stream = open_tables(files, options)?;
    stream.for_each(table, |table, run| {
        each(table, run);
        std::ops::ControlFlow::Continue(())
    })?;
    Ok(stream.finish())
}

/// Of several tables of a collector, keeps the last one that starts at or before `at`; the first
/// one when all are later; the last one when `at` is `None`. Gives (kept, left out), in order.
pub fn tables_at(files: Vec<InputFile>, at: Option<Timestamp>) -> (Vec<InputFile>, Vec<InputFile>) {
    let mut kept: BTreeMap<String, InputFile> = BTreeMap::new();
    let mut left_out = Vec::new();
    for file in files {
        let is_later = at.is_some() && file.starts > at;
        match kept.get_mut(&file.collector) {
            None => {
                kept.insert(file.collector.clone(), file);
            }
            Some(held) if !is_later && held.starts <= file.starts => {
                left_out.push(std::mem::replace(held, file));
            }
            Some(_) => left_out.push(file),
        }
    }
    (kept.into_values().collect(), left_out)
}

fn open(
    mut files: Vec<InputFile>,
    content: InputKind,
    options: &StreamOptions,
) -> Result<MergedStream, Error> {
    files.sort_by(|a, b| a.order().cmp(&b.order()));
    let progress = Arc::new(Progress::default());
    let threads = threads(options);
    let has_stdin = files.iter().any(InputFile::is_stdin);
    let mut report = Report::default();
    let mut collectors: BTreeMap<String, Vec<FileTask>> = BTreeMap::new();
    let mut files = files.into_iter().enumerate().peekable();
    while let Some((place, file)) = files.next() {
        let next = files.peek().filter(|(_, next)| next.collector == file.collector);
        if is_outside_window(&file, next.and_then(|(_, next)| next.starts), options) {
            let InputFile { path, collector, .. } = file;
            report.files.push(FileReport {
                path,
                collector,
                place,
                outside_window: true,
                ..FileReport::default()
            });
            continue;
        }
        progress.expect(file.octets);
        let table_time = options.table_times.get(&file.collector).copied();
        collectors.entry(file.collector.clone()).or_default().push(FileTask {
            file,
            place,
            content,
            from: if table_time.is_some() { None } else { options.from },
            until: options.until,
            table_time,
            limits: options.limits,
            threads,
        });
    }
    let (names, tasks): (Vec<String>, Vec<Vec<FileTask>>) = collectors.into_iter().unzip();
    let pool = Pool::start(tasks, threads.get(), Arc::clone(&progress))?;
    let is_keep_going = options.keep_going;
    Ok(MergedStream::new(Parts {
        pool,
        collectors: names,
        report,
        progress,
        is_keep_going,
        has_stdin,
    }))
}

/// Whether a file's name, and that of the next file of its collector, put it wholly outside the
/// window.
fn is_outside_window(
    file: &InputFile,
    next_starts: Option<Timestamp>,
    options: &StreamOptions,
) -> bool {
    let table_time = options.table_times.get(&file.collector).copied();
    let from = table_time.or(options.from);
    let is_late = match (file.starts, options.until) {
        (Some(starts), Some(until)) => starts >= until.plus_secs(WINDOW_SLACK_SECS),
        _ => false,
    };
    let is_early = match (next_starts, from) {
        (Some(ends), Some(from)) => ends.plus_secs(WINDOW_SLACK_SECS) <= from,
        _ => false,
    };
    is_late || is_early
}

fn threads(options: &StreamOptions) -> NonZeroUsize {
    let cores = std::thread::available_parallelism();
    let wanted = options.threads.or(cores.ok()).unwrap_or(NonZeroUsize::MIN);
    NonZeroUsize::new(THREADS_MAX).map_or(wanted, |most| wanted.min(most))
}
