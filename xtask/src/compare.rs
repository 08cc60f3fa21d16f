//! `cargo xtask compare`: our decoder, table, detection and validation beside the tools of the
//! field, on the same files.
//!
//! First it is checked that all decoders read the same routes; then everything is timed in turn.

mod agreement;
mod experiments;
mod inputs;
pub(crate) mod machine;
mod measure;
mod plot;
mod statistics;
mod summary;
mod tools;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Parser;

use agreement::Verdict;
use inputs::Inputs;
use measure::{Sample, Table};
use statistics::{Samples, line};
use summary::Report;
use tools::Tools;

/// Compares with other tools on the same files: first agreement, then time and memory.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask compare")]
struct Options {
    /// Where the folder of the run is made.
    #[arg(long, default_value = "bench/runs")]
    out: PathBuf,
    /// Rounds; in each of them every program runs once.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Folder of the data.
    #[arg(long, default_value = "../shared/data")]
    data: PathBuf,
    /// Smaller inputs, and two rounds at most: to try the comparison, not to quote it.
    #[arg(long)]
    quick: bool,
    /// Only these tables.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Table>,
}

/// Runs the chore with its command line.
pub(crate) fn main(arguments: &[&str]) -> anyhow::Result<()> {
    let name = std::iter::once(&"cargo xtask compare");
    let options = match Options::try_parse_from(name.chain(arguments)) {
        Ok(options) => options,
        Err(error) if !error.use_stderr() => return crate::say(&error.to_string()),
        Err(error) => return Err(error.into()),
    };
    let root = crate::root();
    let tools = Tools::prepare(&root, &crate::target_directory()?)?;
    for found in tools.found.iter().filter(|found| found.version.is_none()) {
        crate::say(&format!("missing: {} ({}): {}\n", found.name, found.what, found.install))?;
    }
    let inputs = Inputs::prepare(&root.join(&options.data), options.quick)?;
    let outcome = run(&options, &tools, &inputs);
    inputs.remove()?;
    outcome
}

fn run(options: &Options, tools: &Tools, inputs: &Inputs) -> anyhow::Result<()> {
    let cores = std::thread::available_parallelism()?.get();
    let machine = machine::machine(&tools.root, cores);
    let versions = machine::versions(tools);
    let folder = folder(&tools.root.join(&options.out), &tools.root)?;
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| path.display().to_string())
    };
    write("machine.txt", &machine)?;
    write("versions.txt", &versions)?;

    let agreement = agreement::check(tools, inputs, options.quick)?;
    let unknown: Vec<String> = agreement
        .iter()
        .filter(|row| row.verdict == Verdict::Unknown)
        .map(|row| format!("{} on {}: {:?}, ours {:?}", row.tool, row.input, row.theirs, row.ours))
        .collect();
    let rounds = if options.quick { options.runs.min(2) } else { options.runs };
    let report = |samples: &Samples| {
        let report = Report {
            is_quick: options.quick,
            rounds,
            machine: &machine,
            versions: &versions,
            tools,
            agreement: &agreement,
            samples,
        };
        write("summary.md", &report.markdown())
    };
    let mut samples = Samples(Vec::new());
    report(&samples)?;
    ensure!(unknown.is_empty(), "decoders disagree:\n{}", unknown.join("\n"));

    let all =
        [Table::Decode, Table::EndToEnd, Table::Rib, Table::Detect, Table::Growth, Table::Rov];
    let tables = if options.only.is_empty() { &all[..] } else { &options.only };
    for experiment in experiments::of(tables, tools, inputs, cores)? {
        samples.0.extend(measure::run(&experiment, rounds)?);
        // What was measured is kept if a later one fails.
        write("raw.tsv", &raw(&samples.0))?;
        report(&samples)?;
    }
    if let Some(svg) = plot::growth(&samples) {
        write("growth.svg", &svg)?;
    }
    crate::say(&format!("written: {}\n", folder.join("summary.md").display()))
}

/// A new folder named by the day.
fn folder(out: &Path, root: &Path) -> anyhow::Result<PathBuf> {
    let day = machine::said(&["date", "-u", "+%Y-%m-%d"], root);
    ensure!(!day.is_empty(), "cannot run date");
    let names = std::iter::once(day.clone()).chain((2..).map(|number| format!("{day}.{number}")));
    let path = names.map(|name| out.join(name)).find(|path| !path.exists()).context("no name")?;
    std::fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
    Ok(path)
}

/// Every single run.
fn raw(samples: &[Sample]) -> String {
    let mut text = String::from(
        "table\tinput\ttool\tround\twall_s\tuser_s\tsystem_s\tresident_octets\tsays\n",
    );
    for sample in samples {
        let says = serde_json::Value::Object(sample.says.clone());
        line(
            &mut text,
            &format!(
                "{}\t{}\t{}\t{}\t{:.6}\t{:.6}\t{:.6}\t{}\t{says}",
                sample.table.name(),
                sample.input,
                sample.tool,
                sample.round,
                sample.wall_secs,
                sample.user_secs,
                sample.system_secs,
                sample.resident_octets,
            ),
        );
    }
    text
}
