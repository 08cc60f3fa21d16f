//! Loads tables, replays updates, withdraws everything, and says what each step cost in time and
//! memory. One JSON object on standard output.
//!
//! Give uncompressed files, so that decompression is not what is measured; `--threads 1` pinned to
//! one core measures decoding and loading together.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use routewarden_bench::memory::resident_octets;
use routewarden_core::rib::{AdjRibIn, LATE_EVENT_SECS, RibLimits};
use routewarden_core::{PeerId, PeerTable, Prefix, RouteEventKind};
use routewarden_feeds::sources::Sources;
use routewarden_feeds::stream::{Run, StreamOptions, load_rib, open_updates};
use routewarden_feeds::transport::Limits;
use serde_json::{Map, Value};

/// Measures the Adj-RIB-In.
#[derive(Debug, Parser)]
struct Arguments {
    /// Tables to load.
    #[arg(long, required = true)]
    table: Vec<PathBuf>,
    /// Updates to replay after that.
    updates: Vec<PathBuf>,
    /// Only routes of the first so many peers.
    #[arg(long)]
    peers: Option<u32>,
    /// File to save the loaded table to, and to restore it from.
    #[arg(long)]
    snapshot: Option<PathBuf>,
    /// Threads that decode.
    #[arg(long, default_value = "1")]
    threads: NonZeroUsize,
}

#[expect(clippy::disallowed_methods, reason = "measuring is what this program is for")]
#[expect(clippy::cast_precision_loss, reason = "rates of a few digits")]
fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut state =
        State { rib: AdjRibIn::default(), peers_max: arguments.peers.unwrap_or(u32::MAX) };
    let mut options =
        StreamOptions { threads: Some(arguments.threads), ..StreamOptions::default() };
    let mut peers = PeerTable::default();
    let mut out = Map::new();

    let before = resident_now()?;
    let start = Instant::now();
    let report =
        load_rib(files(&arguments.table)?, &options, &mut peers, |_, run| state.take(&run))?;
    let secs = start.elapsed().as_secs_f64();
    let routes = state.rib.route_count();
    let resident = resident_now()?;
    out.insert("routes".to_owned(), routes.into());
    out.insert("prefixes".to_owned(), state.rib.prefix_count().into());
    out.insert("peers".to_owned(), peers.len().into());
    out.insert("attribute_sets".to_owned(), state.rib.attributes().len().into());
    out.insert("attribute_octets".to_owned(), state.rib.attributes().octets().into());
    out.insert("load_seconds".to_owned(), secs.into());
    out.insert("routes_per_second".to_owned(), rate(routes, secs));
    out.insert("resident_before".to_owned(), before.into());
    out.insert("resident_loaded".to_owned(), resident.into());
    out.insert("octets_per_route".to_owned(), rate(resident.saturating_sub(before), routes as f64));

    measure_look_ups(&state.rib, &mut out);
    if let Some(path) = &arguments.snapshot {
        measure_snapshot(path, &state.rib, &peers, &mut out)?;
    }
    options.table_times = report.table_times();
    let mut stream = open_updates(files(&arguments.updates)?, &options)?;
    let start = Instant::now();
    let mut events = 0;
    stream.for_each(&mut peers, |_, run| {
        events += run.range.len();
        state.take(&run);
        std::ops::ControlFlow::Continue(())
    })?;
    stream.finish();
    let secs = start.elapsed().as_secs_f64();
    out.insert("events".to_owned(), events.into());
    out.insert("events_per_second".to_owned(), rate(events, secs));
    out.insert("routes_replayed".to_owned(), state.rib.route_count().into());
    out.insert("resident_replayed".to_owned(), resident_now()?.into());

    state.withdraw_all();
    out.insert("routes_withdrawn".to_owned(), state.rib.route_count().into());
    out.insert("resident_withdrawn".to_owned(), resident_now()?.into());
    writeln!(std::io::stdout(), "{}", Value::Object(out))?;
    Ok(())
}

/// Asks of every prefix what covers it and what it covers.
#[expect(clippy::disallowed_methods, reason = "measuring is what this program is for")]
fn measure_look_ups(rib: &AdjRibIn, out: &mut Map<String, Value>) {
    let prefixes: Vec<Prefix> = rib.prefixes().copied().collect();
    let per_prefix = |secs: f64| rate(prefixes.len(), secs);
    let start = Instant::now();
    let covering: usize = prefixes.iter().map(|prefix| rib.covering(prefix).count()).sum();
    out.insert("covering_per_second".to_owned(), per_prefix(start.elapsed().as_secs_f64()));
    out.insert("covering_found".to_owned(), covering.into());
    let start = Instant::now();
    let covered = |prefix: &Prefix| rib.covered(prefix).take(COVERED_MAX).count();
    let covered: usize = prefixes.iter().map(covered).sum();
    out.insert("covered_per_second".to_owned(), per_prefix(start.elapsed().as_secs_f64()));
    out.insert("covered_found".to_owned(), covered.into());
}

/// Saves the table to a file, restores it, and holds the octets of a second saving against those
/// of the first.
#[expect(clippy::disallowed_methods, reason = "measuring is what this program is for")]
fn measure_snapshot(
    path: &Path,
    rib: &AdjRibIn,
    peers: &PeerTable,
    out: &mut Map<String, Value>,
) -> Result<()> {
    let start = Instant::now();
    rib.save(peers, &mut BufWriter::with_capacity(1 << 20, File::create(path)?))?;
    out.insert("save_seconds".to_owned(), start.elapsed().as_secs_f64().into());
    let octets = std::fs::metadata(path)?.len();
    out.insert("snapshot_octets".to_owned(), octets.into());
    let start = Instant::now();
    let mut input = BufReader::with_capacity(1 << 20, File::open(path)?);
    let mut names = PeerTable::default();
    let again = AdjRibIn::restore(&mut input, RibLimits::default(), &mut names, &mut |_| 0)?;
    out.insert("restore_seconds".to_owned(), start.elapsed().as_secs_f64().into());
    let mut second = Vec::new();
    again.save(&names, &mut second)?;
    ensure!(std::fs::read(path)? == second, "the restored table is another one");
    Ok(())
}

/// Most more-specifics asked for at a time.
const COVERED_MAX: usize = 512;

struct State {
    rib: AdjRibIn,
    peers_max: u32,
}

impl State {
    fn take(&mut self, run: &Run<'_>) {
        for (peer, event) in run.events() {
            if peer.0 >= self.peers_max {
                continue;
            }
            self.rib.tick(event.time);
            match event.kind {
                RouteEventKind::Announcement { prefix, attributes }
                | RouteEventKind::TableEntry { prefix, attributes, .. } => {
                    let octets = run.batch.attributes(attributes);
                    self.rib.hear(event.time, peer);
                    self.rib.announce((event.time, peer), prefix, octets, &mut |_| 0);
                }
                RouteEventKind::Withdrawal { prefix } => {
                    self.rib.withdraw((event.time, peer), prefix);
                }
                RouteEventKind::PeerUp
                | RouteEventKind::PeerDown
                | RouteEventKind::EndOfRib { .. } => {}
            }
        }
    }

    fn withdraw_all(&mut self) {
        let held: Vec<(Prefix, PeerId)> = self
            .rib
            .prefixes()
            .flat_map(|prefix| self.rib.routes(prefix).map(|route| (*prefix, route.peer)))
            .collect();
        let end = routewarden_core::Timestamp::from_secs(u32::MAX);
        for (prefix, peer) in held {
            self.rib.withdraw((end, peer), prefix);
        }
        // The last route's attributes are held until the next event, withdrawals for a while.
        self.rib.advance(end.plus_secs(2 * LATE_EVENT_SECS));
    }
}

fn files(paths: &[PathBuf]) -> Result<Vec<routewarden_feeds::sources::InputFile>> {
    let mut sources = Sources::new(Limits::default());
    for path in paths {
        sources.add(path).with_context(|| format!("cannot use {}", path.display()))?;
    }
    Ok(sources.finish().0)
}

#[expect(clippy::cast_precision_loss, reason = "rates of a few digits")]
fn rate(count: usize, per: f64) -> Value {
    (count as f64 / per).into()
}

fn resident_now() -> Result<usize> {
    resident_octets().context("there is no /proc/self/statm")
}
