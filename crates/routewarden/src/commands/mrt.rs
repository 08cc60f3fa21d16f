//! `routewarden mrt`.

mod element;
mod ordered;
mod source;

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::num::NonZeroUsize;

use anyhow::{Context, Result, anyhow};
use routewarden_core::Timestamp;
use routewarden_feeds::InputFile;
use routewarden_wire::text::BgpdumpWriter;
use routewarden_wire::{Counts, for_each_element};
use serde::Serialize;

use crate::cli::{MrtArgs, MrtFormat};
use crate::{Exit, pipeline};
use element::ElementText;
use source::{Faults, Source};

/// One object a file of `--count`.
#[derive(Serialize)]
struct FileCounts<'a> {
    file: String,
    mrt_records: u64,
    announcements: u64,
    withdrawals: u64,
    state_changes: u64,
    rib_entries: u64,
    prefixes_v4: u64,
    prefixes_v6: u64,
    first_time: Option<Timestamp>,
    last_time: Option<Timestamp>,
    /// Of the announcements, withdrawals and entries, those that are multicast.
    multicast: u64,
    /// Entries in records of the deprecated subtype `BGP4MP_ENTRY`, in no other count.
    deprecated_entries: u64,
    warnings: &'a BTreeMap<&'static str, u64>,
    skipped: &'a BTreeMap<&'static str, u64>,
    faults: BTreeMap<&'static str, u64>,
}

/// What a file came to.
struct Done {
    records: u64,
    skipped: BTreeMap<&'static str, u64>,
    faults: Faults,
}

/// What all files came to.
#[derive(Default)]
struct Total {
    records: u64,
    with_warnings: BTreeMap<&'static str, u64>,
    skipped: BTreeMap<&'static str, u64>,
    faults: BTreeMap<&'static str, u64>,
    is_incomplete: bool,
}

pub(super) fn run(args: &MrtArgs) -> Result<Exit> {
    let mut files = Vec::new();
    let mut total = Total::default();
    for input in &args.inputs {
        let found = pipeline::find(std::slice::from_ref(input), args.keep_going)?;
        for error in &found.errors {
            skip_file(error, &mut total)?;
        }
        files.extend(found.files);
    }
    let mut out = BufWriter::with_capacity(OUTPUT_OCTETS, io::stdout().lock());
    if args.count && args.format == MrtFormat::Table {
        writeln!(out, "{COUNT_HEADER}")?;
    }
    read_files(&files, args, &mut out, &mut total)?;
    out.flush()?;
    if !args.quiet {
        summarise(&total, files.len())?;
    }
    Ok(if total.is_incomplete { Exit::Incomplete } else { Exit::Done })
}

const OUTPUT_OCTETS: usize = 1 << 16;
const RECORDS_BETWEEN_FLUSHES: u64 = 1 << 14;

fn skip_file(error: &anyhow::Error, total: &mut Total) -> Result<()> {
    total.is_incomplete = true;
    writeln!(io::stderr(), "routewarden: skipped: {error:#}")?;
    Ok(())
}

/// Reads the files, several at once; what is written is the same as when they are read in turn.
fn read_files(
    files: &[InputFile],
    args: &MrtArgs,
    out: &mut impl Write,
    total: &mut Total,
) -> Result<()> {
    let cores = std::thread::available_parallelism();
    let threads = args.threads.or(cores.ok()).unwrap_or(NonZeroUsize::MIN);
    // Standard input may be waited for without end, and so would be its thread.
    let has_stdin = files.iter().any(InputFile::is_stdin);
    if threads == NonZeroUsize::MIN || files.len() < 2 || has_stdin {
        return files
            .iter()
            .try_for_each(|file| total.note(read_file(file, args, threads, out), args));
    }
    let read = |number: usize, out: &mut ordered::Output<'_, Result<Done>>| {
        let file = files.get(number).context("no such file")?;
        read_file(file, args, threads, out)
    };
    ordered::for_each(files.len(), threads, read, out, |number, done| {
        let name = || files.get(number).map(|file| file.path.display().to_string());
        let panicked = || anyhow!("cannot read {}: the decoder failed", name().unwrap_or_default());
        total.note(done.unwrap_or_else(|| Err(panicked())), args)
    })
}

/// Reads a file and writes its elements or its counts.
fn read_file(
    file: &InputFile,
    args: &MrtArgs,
    threads: NonZeroUsize,
    out: &mut impl Write,
) -> Result<Done> {
    let mut source = Source::open(file, threads)?;
    let mut printer = (!args.count).then(|| Printer::new(args.format));
    // Distinct prefixes are kept only when they are asked for.
    let mut counts = args.count.then(Counts::new);
    let mut records = 0;
    source.for_each(|raw, decoded, faults| {
        records += 1;
        if let Some(counts) = &mut counts {
            counts.add(raw, decoded);
            if records % RECORDS_BETWEEN_FLUSHES == 0 {
                // Fails when an earlier file has failed and nobody waits for this one.
                out.flush()?;
            }
        }
        match decoded {
            Ok(decoded) => {
                faults.warn(raw, decoded.warnings);
                if let Some(printer) = &mut printer {
                    printer.print(raw, &decoded.value, faults, out)?;
                }
            }
            Err(error) => faults.lose(raw, error),
        }
        Ok(())
    })?;
    let faults = source.finish();
    if let Some(counts) = &counts {
        write_counts(out, file, counts, &faults, args.format)?;
    }
    let skipped = counts.map(|counts| counts.skipped().clone()).unwrap_or_default();
    Ok(Done { records, skipped, faults })
}

impl Total {
    /// Adds what a file came to, and names its faults on standard error unless told not to.
    fn note(&mut self, done: Result<Done>, args: &MrtArgs) -> Result<()> {
        let done = match done {
            Err(error) if args.keep_going && !crate::is_broken_pipe(&error) => {
                return skip_file(&error, self);
            }
            other => other?,
        };
        let sum = |into: &mut BTreeMap<&'static str, u64>, from: &BTreeMap<&'static str, u64>| {
            for (kind, count) in from {
                *into.entry(kind).or_default() += count;
            }
        };
        self.records += done.records;
        self.is_incomplete |= done.faults.is_incomplete;
        sum(&mut self.with_warnings, &done.faults.warnings);
        sum(&mut self.faults, &done.faults.losses);
        sum(&mut self.skipped, &done.skipped);
        if !args.quiet {
            done.faults.write_samples(&mut io::stderr().lock())?;
        }
        Ok(())
    }
}

/// Writes the elements of a record in the format asked for.
struct Printer {
    format: MrtFormat,
    bgpdump: BgpdumpWriter,
    text: String,
    scratch: Vec<u8>,
}

impl Printer {
    fn new(format: MrtFormat) -> Self {
        let bgpdump = BgpdumpWriter::new();
        Printer { format, bgpdump, text: String::new(), scratch: Vec::new() }
    }

    fn print(
        &mut self,
        raw: &routewarden_wire::RawRecord<'_>,
        record: &routewarden_wire::Record<'_>,
        faults: &mut Faults,
        out: &mut impl Write,
    ) -> io::Result<()> {
        if self.format == MrtFormat::Bgpdump {
            self.text.clear();
            // Writing to a String does not fail.
            let _written = self.bgpdump.write_record(raw, record, &mut self.text).is_ok();
            return out.write_all(self.text.as_bytes());
        }
        let mut result = Ok(());
        for_each_element(raw, record, |element| match element {
            Err(error) => faults.lose(raw, &error),
            Ok(element) if result.is_ok() => {
                let text = ElementText::of(&element, &mut self.scratch);
                result = match self.format {
                    MrtFormat::Table => text.write_row(out),
                    _ => text.write_json(out),
                };
            }
            Ok(_) => {}
        });
        result
    }
}

const COUNT_HEADER: &str = "     records announcements withdrawals  states rib_entries \
prefixes_v4 prefixes_v6 warnings skipped faults file";

fn write_counts(
    out: &mut impl Write,
    file: &InputFile,
    counts: &Counts,
    faults: &Faults,
    format: MrtFormat,
) -> io::Result<()> {
    let mut all_faults = counts.errors().clone();
    for (kind, count) in &faults.losses {
        let known = all_faults.entry(kind).or_default();
        *known = (*known).max(*count);
    }
    let sum = |counts: &BTreeMap<&'static str, u64>| counts.values().sum::<u64>();
    let name = file.path.display().to_string();
    if format == MrtFormat::Table {
        return writeln!(
            out,
            "{:12} {:13} {:11} {:7} {:11} {:11} {:11} {:8} {:7} {:6} {name}",
            counts.mrt_records(),
            counts.announcements(),
            counts.withdrawals(),
            counts.state_changes(),
            counts.rib_entries(),
            counts.prefixes_v4(),
            counts.prefixes_v6(),
            sum(counts.warnings()),
            sum(counts.skipped()),
            sum(&all_faults),
        );
    }
    serde_json::to_writer(
        &mut *out,
        &FileCounts {
            file: name,
            mrt_records: counts.mrt_records(),
            announcements: counts.announcements(),
            withdrawals: counts.withdrawals(),
            state_changes: counts.state_changes(),
            rib_entries: counts.rib_entries(),
            prefixes_v4: counts.prefixes_v4(),
            prefixes_v6: counts.prefixes_v6(),
            first_time: counts.first_time(),
            last_time: counts.last_time(),
            multicast: counts.multicast(),
            deprecated_entries: counts.deprecated_entries(),
            warnings: counts.warnings(),
            skipped: counts.skipped(),
            faults: all_faults,
        },
    )?;
    out.write_all(b"\n")
}

fn summarise(total: &Total, files: usize) -> io::Result<()> {
    let mut err = io::stderr().lock();
    writeln!(err, "{files} files, {} records decoded", total.records)?;
    crate::summary::kinds(&mut err, "with warnings", &total.with_warnings)?;
    crate::summary::kinds(&mut err, "skipped", &total.skipped)?;
    crate::summary::kinds(&mut err, "lost", &total.faults)
}
