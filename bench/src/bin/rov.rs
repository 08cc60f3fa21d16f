//! Route origin validation on real data: build time, memory and validations per second.
//!
//! `rov VRPS ORIGINS...`: a file of VRPs and files of prefix-origin pairs, in any form that
//! `routewarden_feeds::facts` reads. Prints one JSON object.
#![expect(clippy::print_stdout, reason = "this is the program's output")]

use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use routewarden_bench::memory::resident_octets;
use routewarden_core::facts::{RovState, VrpTable};
use routewarden_core::{Origin, Prefix};
use routewarden_feeds::facts::{load_file, load_origins, load_vrps};
use serde_json::json;

/// Passes over all routes in each order; the median counts.
const PASSES: usize = 7;

/// Copies of the table held while the memory of one more is measured.
const BALLAST: usize = 16;

type Route = (Prefix, Origin);

fn main() -> Result<()> {
    let mut files = std::env::args_os().skip(1).map(PathBuf::from);
    let vrp_file = files.next().context("usage: rov VRPS ORIGINS...")?;
    let mut vrps: Vec<_> = load_file(&vrp_file, None, load_vrps)?.facts.table.iter().collect();
    let mut routes: Vec<Route> = Vec::new();
    for file in files {
        let origins = load_file(&file, None, load_origins)?.facts.table;
        let pairs = origins.iter().flat_map(|(prefix, origins)| {
            origins.iter().map(move |&origin| (prefix, Origin::As(origin)))
        });
        routes.extend(pairs);
    }
    routes.sort_unstable_by_key(|route| route.0);

    shuffle(&mut vrps);
    let build_ms = median((0..PASSES).map(|_| {
        let vrps = vrps.clone();
        timed(|| VrpTable::from_vrps(vrps)).0
    }));
    let first = VrpTable::from_vrps(vrps);
    // Allocators keep what was freed: fill that with copies before the one that is measured.
    let ballast = vec![first.clone(); BALLAST];
    let rss_before = resident_octets().context("there is no /proc/self/statm")?;
    let table = first.clone();
    let rss_after = resident_octets().context("there is no /proc/self/statm")?;
    drop((first, ballast));

    let sorted = median((0..PASSES).map(|_| timed(|| count(&table, &routes)).0));
    let states = count(&table, &routes);
    shuffle(&mut routes);
    let shuffled = median((0..PASSES).map(|_| timed(|| count(&table, &routes)).0));
    #[expect(clippy::cast_precision_loss, reason = "a rate of some 7 digits")]
    let per_second = |time: Duration| routes.len() as f64 / time.as_secs_f64();
    println!(
        "{}",
        json!({
            "vrps": table.len(),
            "build_ms": build_ms.as_secs_f64() * 1e3,
            "table_octets": table.heap_octets(),
            "rss_before": rss_before,
            "rss_after": rss_after,
            "validations": routes.len(),
            "validations_per_s_sorted": per_second(sorted).round(),
            "validations_per_s_shuffled": per_second(shuffled).round(),
            "valid": states.valid,
            "invalid": states.invalid,
            "not_found": states.not_found,
        })
    );
    Ok(())
}

#[derive(Default)]
struct States {
    valid: u64,
    invalid: u64,
    not_found: u64,
}

fn count(table: &VrpTable, routes: &[Route]) -> States {
    let mut states = States::default();
    for (prefix, origin) in routes {
        match black_box(table.state(prefix, *origin)).0 {
            RovState::Valid => states.valid += 1,
            RovState::Invalid => states.invalid += 1,
            RovState::NotFound => states.not_found += 1,
        }
    }
    states
}

#[expect(clippy::disallowed_methods, reason = "this program measures time")]
fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let value = black_box(work());
    (start.elapsed(), value)
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Fisher-Yates with a fixed xorshift64: the same order in every run.
fn shuffle<T>(items: &mut [T]) {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for last in (1..items.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let other = state % (last as u64 + 1);
        items.swap(last, usize::try_from(other).unwrap_or(last));
    }
}
