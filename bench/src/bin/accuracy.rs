//! Counts how often detection is right; `cargo xtask accuracy` builds and runs it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::{Parser, Subcommand};
use routewarden_bench::accuracy::{Case, baseline, lab, report, scenarios, score, windows};

/// Counts how often detection is right, beside the rivals, on input whose truth is known.
#[derive(Debug, Parser)]
struct Arguments {
    /// Root of the repository.
    #[arg(long)]
    root: PathBuf,
    /// Routewarden's program.
    #[arg(long)]
    program: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Hold scenarios and laboratory against the baseline; fail when something fell.
    Check,
    /// Write the baseline anew.
    Update,
    /// Count everything and write the tables into a folder.
    Run {
        /// The folder, which is there.
        #[arg(long)]
        out: PathBuf,
        /// Folder of the data, with the windows of the real Internet.
        #[arg(long)]
        data: PathBuf,
    },
}

const BASELINE: &str = "bench/accuracy/baseline.tsv";

fn main() -> ExitCode {
    match count(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed; the exit code still tells.
            drop(writeln!(std::io::stderr(), "error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn count(arguments: Arguments) -> anyhow::Result<()> {
    let root = &arguments.root;
    let mut cases = scenarios::cases(&root.join("scenarios"))?;
    let relations = root.join("bench/accuracy/lab.as-rel.txt");
    cases.extend(lab::cases(&root.join("testdata/lab"), &relations, &arguments.program)?);
    let path = root.join(BASELINE);
    match arguments.what {
        What::Check => check(&cases, &path),
        What::Update => {
            write(&path, &baseline::write(&baseline::of(&score::score(&cases))))?;
            say(&format!("written: {BASELINE}"))
        }
        What::Run { out, data } => run(cases, &out, &data, &arguments.program),
    }
}

fn check(cases: &[Case], path: &Path) -> anyhow::Result<()> {
    let scores = score::score(cases);
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut falls = baseline::falls(&baseline::read(&text)?, &baseline::of(&scores));
    falls.extend(baseline::broken_silences(&scores));
    for fall in &falls {
        say(&format!("accuracy: {fall}"))?;
    }
    ensure!(
        falls.is_empty(),
        "accuracy: {} figures are worse than {BASELINE}; if this is meant: cargo xtask accuracy --update",
        falls.len()
    );
    say(&format!("accuracy: {} cases, nothing fell below {BASELINE}", cases.len()))
}

fn run(mut cases: Vec<Case>, out: &Path, data: &Path, program: &Path) -> anyhow::Result<()> {
    let scores = score::score(&cases);
    write(&out.join("results.tsv"), &report::results_tsv(&scores))?;
    let (windows, missing) = windows::windows(data, program)?;
    write(&out.join("windows.tsv"), &report::windows_tsv(&windows))?;
    write(&out.join("constituency.tsv"), &report::constituency_tsv(&windows))?;
    cases.sort_by(|a, b| (a.corpus, &a.name).cmp(&(b.corpus, &b.name)));
    write(&out.join("findings.tsv"), &report::findings_tsv(&cases))?;
    write(&out.join("summary.md"), &report::summary(&scores, &windows, &missing))?;
    say(&format!("written: {}", out.join("summary.md").display()))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| path.display().to_string())
}

fn say(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}").context("standard output")
}
