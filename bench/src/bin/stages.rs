//! What each stage of `detect` costs: pipelines that end one stage later each, and their
//! differences. One JSON object on standard output.
//!
//! One decoding thread; pin the program to one core, or decoding and detection overlap.

use std::io::{Read, Write};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Parser;
use routewarden_core::facts::Facts;
use routewarden_core::rib::AdjRibIn;
use routewarden_core::{PeerTable, RouteEventKind};
use routewarden_detect::{Config, Detector};
use routewarden_feeds::facts::{load_file, load_vrps};
use routewarden_feeds::sources::{InputFile, Sources};
use routewarden_feeds::stream::{Run, StreamOptions, open_tables, open_updates};
use routewarden_feeds::transport::{Limits, Transport};
use routewarden_wire::{MrtDecoder, MrtReader, for_each_element};
use serde_json::{Map, Value};

/// Measures the stages of detection.
#[derive(Debug, Parser)]
struct Arguments {
    /// The table to start from.
    #[arg(long)]
    table: PathBuf,
    /// Validated ROA payloads, so that every change is validated too. Reading them is not measured.
    #[arg(long)]
    vrps: Option<PathBuf>,
    /// Updates.
    updates: Vec<PathBuf>,
}

impl Arguments {
    fn files(&self) -> impl Iterator<Item = &PathBuf> {
        std::iter::once(&self.table).chain(&self.updates)
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut facts = Facts::default();
    if let Some(path) = &arguments.vrps {
        facts.vrps = Some(load_file(path, None, load_vrps)?.facts);
    }
    let mut out = Map::new();
    let mut before = 0.0;
    let mut add = |stage: &str, secs: f64| {
        out.insert(format!("{stage}_seconds"), (secs - before).into());
        before = secs;
    };
    add("read", timed(|| read(&arguments))?.0);
    add("decode", timed(|| decode(&arguments))?.0);
    let (secs, elements) = timed(|| {
        let mut elements = 0_u64;
        stream(&arguments, |_, run| elements += run.range.len() as u64)?;
        Ok(elements)
    })?;
    add("stream", secs);
    let (secs, rib) = timed(|| {
        let mut rib = AdjRibIn::default();
        stream(&arguments, |_, run| apply(&mut rib, run))?;
        Ok(rib)
    })?;
    add("table", secs);
    let routes = rib.route_count();
    drop(rib);
    let (secs, detector) = timed(|| {
        let mut detector = Detector::new(Config::default(), facts);
        stream(&arguments, |peers, run| {
            detector.apply(run.batch, run.range.clone(), run.peers, peers);
        })?;
        Ok(detector)
    })?;
    add("detect", secs);
    let (secs, report) = timed(|| Ok(detector.report()))?;
    out.insert("report_seconds".to_owned(), secs.into());
    out.insert("elements".to_owned(), elements.into());
    out.insert("routes".to_owned(), routes.into());
    out.insert("incidents".to_owned(), report.incidents.len().into());
    writeln!(std::io::stdout(), "{}", Value::Object(out))?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "measuring is what this program is for")]
fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(f64, T)> {
    let start = Instant::now();
    let value = work()?;
    Ok((start.elapsed().as_secs_f64(), value))
}

fn open(path: &Path) -> Result<Transport> {
    let transport = Transport::open(path, Limits::default(), Arc::default())
        .with_context(|| path.display().to_string())?;
    Ok(transport.with_threads(NonZeroUsize::MIN))
}

/// Reading and decompressing.
fn read(arguments: &Arguments) -> Result<u64> {
    let mut octets = 0;
    let mut buffer = vec![0; 256 << 10];
    for path in arguments.files() {
        let mut transport = open(path)?;
        loop {
            match Read::read(&mut transport, &mut buffer)? {
                0 => break,
                count => octets += count as u64,
            }
        }
    }
    Ok(octets)
}

/// The same, cut into records and decoded to elements, with the attributes that detection reads.
fn decode(arguments: &Arguments) -> Result<u64> {
    let mut octets = 0;
    let mut scratch = Vec::new();
    for path in arguments.files() {
        let mut reader = MrtReader::new(open(path)?, routewarden_wire::Limits::default());
        let mut decoder = MrtDecoder::new();
        while let Some(raw) = reader.next_record() {
            let Ok(raw) = raw else { break };
            let Ok(decoded) = decoder.decode(&raw) else { continue };
            for_each_element(&raw, &decoded.value, |element| {
                if let Ok(element) = element
                    && let Some(attributes) = element.kind.attributes()
                {
                    octets += attributes.route(&mut scratch).as_path.as_wire().len() as u64;
                }
            });
        }
    }
    Ok(octets)
}

/// The same as batches of events: first those of the table, then the updates in the order of time.
fn stream(arguments: &Arguments, mut each: impl FnMut(&PeerTable, &Run<'_>)) -> Result<()> {
    let mut options =
        StreamOptions { threads: Some(NonZeroUsize::MIN), ..StreamOptions::default() };
    let mut peers = PeerTable::default();
    let mut tables = open_tables(found([&arguments.table])?, &options)?;
    tables.for_each(&mut peers, |peers, run| {
        each(peers, &run);
        ControlFlow::Continue(())
    })?;
    options.table_times = tables.finish().table_times();
    let mut updates = open_updates(found(&arguments.updates)?, &options)?;
    updates.for_each(&mut peers, |peers, run| {
        each(peers, &run);
        ControlFlow::Continue(())
    })?;
    updates.finish();
    Ok(())
}

fn found<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Result<Vec<InputFile>> {
    let mut sources = Sources::new(Limits::default());
    for path in paths {
        sources.add(path).with_context(|| path.display().to_string())?;
    }
    Ok(sources.finish().0)
}

/// The table alone, without anything that looks at its changes.
fn apply(rib: &mut AdjRibIn, run: &Run<'_>) {
    for (peer, event) in run.events() {
        match event.kind {
            RouteEventKind::Announcement { prefix, attributes }
            | RouteEventKind::TableEntry { prefix, attributes, .. } => {
                let octets = run.batch.attributes(attributes);
                rib.announce((event.time, peer), prefix, octets, &mut |_| 0);
            }
            RouteEventKind::Withdrawal { prefix } => {
                rib.withdraw((event.time, peer), prefix);
            }
            RouteEventKind::PeerUp | RouteEventKind::PeerDown | RouteEventKind::EndOfRib { .. } => {
            }
        }
    }
}
