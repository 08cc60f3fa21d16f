//! New links of recorded updates against forged ones: what the score of a link tells. A model is made
//! of the first inputs; links that appear in `--later` are taken for honest; forged ones are made by
//! putting a random AS before a random origin. One JSON object on standard output.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::Parser;
use routewarden_bench::paths;
use routewarden_core::Asn;
use routewarden_detect::relations::{LinkModel, PathSet, infer};
use serde_json::{Value, json};

/// Measures the score of links.
#[derive(Debug, Parser)]
struct Arguments {
    /// Updates whose new links are taken for honest.
    #[arg(long)]
    later: Vec<PathBuf>,
    /// Forged links to make.
    #[arg(long, default_value_t = 20_000)]
    forged: usize,
    /// Only forgers that sell transit.
    #[arg(long)]
    transit_forgers: bool,
    /// Tables and updates before.
    inputs: Vec<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut before = PathSet::new(Vec::new());
    paths::each(&arguments.inputs, |path| before.insert(path))?;
    let inferred = infer(&before, None);
    let (model_secs, model) = timed(|| LinkModel::new(&before, &inferred));
    let mut later = PathSet::new(Vec::new());
    paths::each(&arguments.later, |path| later.insert(path))?;
    let honest = honest(&later, &model);
    let forged = forged(&before, &model, &arguments);
    let mut out = std::io::stdout();
    let (score_secs, honest_scores) = timed(|| scores(&model, &honest));
    let forged_scores = scores(&model, &forged);
    let above = |scores: &[u8], least: u8| scores.iter().filter(|&&score| score >= least).count();
    let points: Vec<Value> = (0..=100)
        .step_by(5)
        .map(|least| {
            json!([
                least,
                share(above(&honest_scores, least), honest_scores.len()),
                share(above(&forged_scores, least), forged_scores.len())
            ])
        })
        .collect();
    let document = json!({
        "honest": honest_scores.len(),
        "forged": forged_scores.len(),
        "model_seconds": model_secs,
        "score_micros": score_secs * 1e6 / f64::from(u32::try_from(honest.len().max(1))?),
        "threshold_false_recall": points.iter().map(Value::to_string).collect::<Vec<_>>(),
    });
    writeln!(out, "{document:#}")?;
    Ok(())
}

/// A path and the place of a link in it.
type Place = (Vec<Asn>, usize);

fn scores(model: &LinkModel, links: &[Place]) -> Vec<u8> {
    links.iter().filter_map(|(path, at)| Some(model.score(path, *at)?.suspicion)).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts of links are small")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 * 1000.0 / whole as f64).round() / 10.0 }
}

#[expect(clippy::disallowed_methods, reason = "measuring is what this program is for")]
fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let value = work();
    (start.elapsed().as_secs_f64(), value)
}

/// Each new link where it first stands.
fn honest(later: &PathSet, model: &LinkModel) -> Vec<Place> {
    let mut seen = BTreeSet::new();
    let mut links = Vec::new();
    for path in later.iter() {
        for (at, pair) in path.windows(2).enumerate() {
            let &[near, far] = pair else { continue };
            if !model.knows(near, far)
                && (model.knows_as(near) || model.knows_as(far))
                && seen.insert((near.min(far), near.max(far)))
            {
                links.push((path.to_vec(), at));
            }
        }
    }
    links
}

/// The path of a random AS, with an origin that it is not next to put behind it.
fn forged(before: &PathSet, model: &LinkModel, arguments: &Arguments) -> Vec<Place> {
    let paths: Vec<&[Asn]> = before.iter().collect();
    let origins: BTreeSet<Asn> = paths.iter().filter_map(|path| path.last().copied()).collect();
    let origins: Vec<Asn> = origins.into_iter().collect();
    let transit: BTreeSet<Asn> = paths
        .iter()
        .flat_map(|path| path.get(1..path.len().saturating_sub(1)).unwrap_or_default())
        .copied()
        .collect();
    let mut by_origin: Vec<&[Asn]> = paths.clone();
    by_origin.sort_by_key(|path| path.last().copied());
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut pick = |count: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % (count.max(1) as u64)).unwrap_or_default()
    };
    let mut links = Vec::new();
    for _ in 0..arguments.forged * 100 {
        if links.len() >= arguments.forged {
            break;
        }
        let (Some(&forger), Some(&victim)) =
            (origins.get(pick(origins.len())), origins.get(pick(origins.len())))
        else {
            break;
        };
        if forger == victim
            || model.knows(forger, victim)
            || arguments.transit_forgers && !transit.contains(&forger)
        {
            continue;
        }
        let start = by_origin.partition_point(|path| path.last() < Some(&forger));
        let end = by_origin.partition_point(|path| path.last() <= Some(&forger));
        if let Some(path) = by_origin.get(start + pick(end - start))
            && !path.contains(&victim)
        {
            links.push(([*path, &[victim]].concat(), path.len() - 1));
        }
    }
    links
}
