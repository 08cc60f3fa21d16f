//! Infers relationships from recorded or simulated paths and compares them with a file of known ones.
//! One JSON object on standard output.

mod simulation;

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use routewarden_bench::paths;
use routewarden_core::facts::{Relation, RelationTable};
use routewarden_detect::path::{find_leak, known_relation};
use routewarden_detect::relations::{Inferred, PathSet, infer};
use routewarden_feeds::facts::{load_file, load_relations};
use serde_json::{Value, json};

/// Measures the inference of relationships.
#[derive(Debug, Parser)]
struct Arguments {
    /// Relationships to compare with, in CAIDA's as-rel form.
    #[arg(long)]
    truth: Option<PathBuf>,
    /// Use paths of so many vantage points simulated on the topology of `--truth`.
    #[arg(long)]
    simulate: Option<usize>,
    /// Of the topology, only so many-th ASes originate routes.
    #[arg(long, default_value_t = 1)]
    each_origin: usize,
    /// Tables and updates.
    inputs: Vec<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let truth = match &arguments.truth {
        Some(path) => Some(load_file(path, None, load_relations)?.facts.table),
        None => None,
    };
    let mut set = PathSet::new(Vec::new());
    let mut timer = Timer::default();
    if let Some(vantage_points) = arguments.simulate {
        let topology = truth.as_ref().context("--simulate needs --truth")?;
        let spread = (vantage_points, arguments.each_origin);
        simulation::paths(topology, spread, |path| set.insert(path));
    }
    paths::each(&arguments.inputs, |path| timer.time(|| set.insert(path)))?;
    ensure!(!set.is_empty(), "no paths");
    let mut infer_timer = Timer::default();
    let inferred = infer_timer.time(|| infer(&set, None));
    let mut leak_timer = Timer::default();
    let leaks = leak_timer.time(|| leaks(&set, &inferred));
    let clique: Vec<u32> = inferred.clique.iter().map(|asn| asn.0).collect();
    let out = json!({
        "paths": set.len(),
        "counters": format!("{:?}", set.counters()),
        "insert_seconds": timer.secs,
        "infer_seconds": infer_timer.secs,
        "vantage_points": inferred.vantage_points,
        "ases": inferred.ases,
        "links": inferred.links,
        "transit_links": inferred.table.transit_link_count(),
        "peer_links": inferred.table.peer_link_count(),
        "poisoned_paths": inferred.poisoned_paths,
        "clique": clique,
        "paths_with_leak": leaks.0,
        "paths_with_firm_leak": leaks.1,
        "leak_nanos_each_path": leak_timer.secs * 1e9 / f64::from(u32::try_from(set.len())?),
        "agreement": truth.as_ref().map(|truth| agreement(&inferred, truth)),
    });
    writeln!(std::io::stdout(), "{out:#}")?;
    Ok(())
}

/// From this confidence on a leak counts as firm.
const FIRM_MIN: u8 = 80;

/// Paths that show a leak by the relationships inferred, and those of them whose links are firm.
fn leaks(set: &PathSet, inferred: &Inferred) -> (usize, usize) {
    let relation = |a, b| known_relation(None, Some(&inferred.table), a, b);
    let found = set.iter().filter_map(|path| find_leak(path, relation, None));
    found.fold((0, 0), |(all, firm), leak| {
        (all + 1, firm + usize::from(leak.confidence >= FIRM_MIN))
    })
}

/// Time spent in a piece of work done many times.
#[derive(Default)]
struct Timer {
    secs: f64,
}

impl Timer {
    #[expect(clippy::disallowed_methods, reason = "measuring is what this program is for")]
    fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let value = work();
        self.secs += start.elapsed().as_secs_f64();
        value
    }
}

/// How inferred and known relationships of the same links agree: by known class, and by confidence.
fn agreement(inferred: &Inferred, truth: &RelationTable) -> Value {
    #[derive(Clone, Copy, Default)]
    struct Tally {
        all: u64,
        right: u64,
    }
    let mut classes = [[0_u64; 3]; 2];
    let mut buckets = [[Tally::default(); 2]; 11];
    let mut common = 0_u64;
    for link in inferred.table.iter() {
        let Some(known) = truth.relation(link.a, link.b) else { continue };
        common += 1;
        let is_peer = |relation| usize::from(relation == Relation::Peer);
        let outcome = match (known == link.relation, link.relation) {
            (true, _) => 0,
            (false, Relation::Peer) => 1,
            (false, _) => 2,
        };
        if let Some(count) =
            classes.get_mut(is_peer(known)).and_then(|class| class.get_mut(outcome))
        {
            *count += 1;
        }
        let bucket = buckets.get_mut(usize::from(link.confidence) / 10);
        if let Some(tally) = bucket.and_then(|b| b.get_mut(is_peer(link.relation))) {
            tally.all += 1;
            tally.right += u64::from(known == link.relation);
        }
    }
    let class = |counts: [u64; 3]| {
        let [right, as_peer, as_transit] = counts;
        json!({
            "right": right,
            "inferred_as_peer": as_peer,
            "inferred_as_other_transit": as_transit,
            "right_percent": percent(right, right + as_peer + as_transit),
        })
    };
    let confidence: Vec<Value> = (0..)
        .zip(buckets)
        .map(|(tens, [transit, peer]): (u32, [Tally; 2])| {
            json!([
                tens * 10,
                transit.all,
                percent(transit.right, transit.all),
                peer.all,
                percent(peer.right, peer.all)
            ])
        })
        .collect();
    let [transit, peer] = classes;
    json!({
        "common_links": common,
        "known_transit": class(transit),
        "known_peer": class(peer),
        "by_confidence_transit_peer": confidence.iter().map(Value::to_string).collect::<Vec<_>>(),
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts of links are small")]
fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 * 1000.0 / whole as f64).round() / 10.0 }
}
