//! What following routes costs the detector: updates applied plainly, with what changes kept to look
//! back at, and with so many trails watched on top; how long a look back takes. One JSON object on
//! standard output, with the least of all rounds.
//!
//! Updates are decoded before; pin the program to one core, and keep the machine quiet.

use std::io::Write;
use std::ops::{ControlFlow, Range};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Parser;
use routewarden_core::facts::Facts;
use routewarden_core::{EventBatch, PeerId, PeerTable, Prefix, RouteEventKind};
use routewarden_detect::{Config, Detector, LookBackLimits, Space};
use routewarden_feeds::sources::{InputFile, Sources};
use routewarden_feeds::stream::{StreamOptions, open_tables, open_updates};
use serde_json::json;

/// Length of the blocks that are watched.
const BLOCK_LEN: u8 = 22;
const LIMITS: LookBackLimits =
    LookBackLimits { prefixes_max: 256, routes_max: 65_536, changes_max: 100_000 };

/// Measures what following routes costs.
#[derive(Debug, Parser)]
struct Arguments {
    /// The table to start from.
    #[arg(long)]
    table: PathBuf,
    /// Trails to watch: blocks of prefixes that are updated, spread over the updates.
    #[arg(long, default_value_t = 100)]
    trails: usize,
    /// How often to measure.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Updates.
    #[arg(required = true)]
    updates: Vec<PathBuf>,
}

/// Events of a batch, with the numbers of their peers.
type Run = (Arc<EventBatch>, Range<usize>, Arc<Vec<PeerId>>);

/// All that is applied, decoded.
struct Input {
    table: Vec<Run>,
    updates: Vec<Run>,
    peers: PeerTable,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let input = read(&arguments)?;
    let events: usize = input.updates.iter().map(|(_, range, _)| range.len()).sum();
    let spaces = spaces(&input, arguments.trails);
    let mut least = [f64::INFINITY; 4];
    let mut watched = 0;
    for _ in 0..arguments.rounds {
        for (place, is_followed, trails) in [(0, false, 0), (1, true, 0), (2, true, spaces.len())] {
            let mut detector = with_table(&input);
            if is_followed {
                detector.follow();
            }
            for (number, space) in (1..).zip(spaces.iter().take(trails)) {
                detector.watch(number, &[*space]);
            }
            let (secs, taken) = timed(|| apply(&mut detector, &input));
            keep_least(&mut least, place, secs);
            if trails > 0 {
                watched = taken;
                let since = detector.now().plus_secs(-60);
                let first = spaces.get(..1).unwrap_or_default();
                let (secs, _) = timed(|| detector.look_back(first, since, LIMITS));
                keep_least(&mut least, 3, secs);
            }
        }
    }
    let [plain, followed, with_trails, look_back] = least;
    let percent = |secs: f64| (secs / plain - 1.0) * 100.0;
    let out = json!({
        "events": events, "trails": spaces.len(), "watched_changes": watched,
        "plain_seconds": plain, "followed_seconds": followed, "with_trails_seconds": with_trails,
        "followed_percent": percent(followed), "with_trails_percent": percent(with_trails),
        "look_back_seconds": look_back,
    });
    writeln!(std::io::stdout(), "{out}")?;
    Ok(())
}

fn keep_least(least: &mut [f64], place: usize, secs: f64) {
    if let Some(held) = least.get_mut(place) {
        *held = held.min(secs);
    }
}

#[expect(clippy::disallowed_methods, reason = "measuring is what this program is for")]
fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let value = work();
    (start.elapsed().as_secs_f64(), value)
}

fn read(arguments: &Arguments) -> Result<Input> {
    let mut peers = PeerTable::default();
    let files = |paths: &[PathBuf]| -> Result<Vec<InputFile>> {
        let mut sources = Sources::default();
        for path in paths {
            sources.add(path).with_context(|| path.display().to_string())?;
        }
        Ok(sources.finish().0)
    };
    let mut table = Vec::new();
    let options = StreamOptions::default();
    let mut stream = open_tables(files(std::slice::from_ref(&arguments.table))?, &options)?;
    stream.for_each(&mut peers, |_, run| {
        table.push((Arc::clone(run.batch), run.range, Arc::clone(run.peers)));
        ControlFlow::Continue(())
    })?;
    let table_times = stream.finish().table_times();
    let mut updates = Vec::new();
    let options = StreamOptions { table_times, ..options };
    let mut stream = open_updates(files(&arguments.updates)?, &options)?;
    stream.for_each(&mut peers, |_, run| {
        updates.push((Arc::clone(run.batch), run.range, Arc::clone(run.peers)));
        ControlFlow::Continue(())
    })?;
    Ok(Input { table, updates, peers })
}

fn with_table(input: &Input) -> Detector {
    let mut detector = Detector::new(Config::default(), Facts::default());
    for (batch, range, ids) in &input.table {
        detector.apply(batch, range.clone(), ids, &input.peers);
    }
    detector.begin_updates();
    detector
}

/// Applies all updates; gives how many changes were watched.
fn apply(detector: &mut Detector, input: &Input) -> usize {
    let mut watched = 0;
    for (batch, range, ids) in &input.updates {
        detector.apply(batch, range.clone(), ids, &input.peers);
        watched += detector.take_watched().len();
    }
    watched
}

/// Blocks around announced prefixes, taken evenly out of the updates.
fn spaces(input: &Input, count: usize) -> Vec<Space> {
    let announced = input.updates.iter().flat_map(|(batch, range, _)| {
        let events = batch.events.get(range.clone()).unwrap_or_default();
        events.iter().filter_map(|event| match event.kind {
            RouteEventKind::Announcement { prefix, .. } => Some(prefix),
            _ => None,
        })
    });
    let mut blocks: Vec<Prefix> =
        announced.map(|prefix| prefix.less_specific(BLOCK_LEN).unwrap_or(prefix)).collect();
    blocks.sort_unstable();
    blocks.dedup();
    let step = (blocks.len() / count.max(1)).max(1);
    let chosen = blocks.into_iter().step_by(step).take(count);
    chosen.map(|prefix| Space { prefix, is_exact: false }).collect()
}
