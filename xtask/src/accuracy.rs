//! `cargo xtask accuracy`: how often detection is right, beside other detectors' rules on the same
//! input. The counting is `bench/src/bin/accuracy.rs`; here it is built and run.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use clap::Parser;

use crate::compare::machine;

/// Counts how often detection is right, beside the rivals, on input whose truth is known.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask accuracy")]
struct Options {
    /// Hold scenarios and laboratory against bench/accuracy/baseline.tsv, and write nothing.
    #[arg(long, conflicts_with = "update")]
    check: bool,
    /// Write bench/accuracy/baseline.tsv anew.
    #[arg(long)]
    update: bool,
    /// Where the folder of the run is made.
    #[arg(long, default_value = "bench/accuracy")]
    out: PathBuf,
    /// Name of that folder; the day unless given.
    #[arg(long)]
    date: Option<String>,
    /// Folder of the data, for the windows of the real Internet.
    #[arg(long, default_value = "../shared/data")]
    data: PathBuf,
}

/// Runs the chore with its command line.
pub(crate) fn main(arguments: &[&str]) -> anyhow::Result<()> {
    let name = std::iter::once(&"cargo xtask accuracy");
    let options = match Options::try_parse_from(name.chain(arguments)) {
        Ok(options) => options,
        Err(error) if !error.use_stderr() => return crate::say(&error.to_string()),
        Err(error) => return Err(error.into()),
    };
    let root = crate::root();
    if options.check {
        return run(&root, false, &["check".into()]);
    }
    if options.update {
        return run(&root, false, &["update".into()]);
    }
    let folder = root.join(&options.out).join(match options.date {
        Some(date) => date,
        None => machine::said(&["date", "-u", "+%Y-%m-%d"], &root),
    });
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let cores = std::thread::available_parallelism()?.get();
    let text = machine::machine(&root, cores) + &machine::own_versions(&root);
    std::fs::write(folder.join("machine.txt"), text)?;
    let data = root.join(&options.data);
    run(&root, true, &["run".into(), "--out".into(), folder, "--data".into(), data])
}

/// Builds the two programs, for speed only where hours of the real Internet are read, and runs the
/// one on the other.
fn run(root: &Path, is_release: bool, arguments: &[PathBuf]) -> anyhow::Result<()> {
    let mut build = Command::new(crate::cargo());
    build.args(["build", "--quiet", "-p", "routewarden", "-p", "routewarden-bench"]);
    build.args(["--bin", "routewarden", "--bin", "accuracy"]);
    if is_release {
        build.arg("--release");
    }
    crate::program::forget_own_package(&mut build);
    let built = build.current_dir(root).status().context("cannot run cargo build")?;
    ensure!(built.success(), "cargo build failed");
    let programs = crate::target_directory()?.join(if is_release { "release" } else { "debug" });
    let status = Command::new(programs.join("accuracy"))
        .arg("--root")
        .arg(root)
        .arg("--program")
        .arg(programs.join("routewarden"))
        .args(arguments)
        .status()
        .context("cannot run accuracy")?;
    ensure!(status.success(), "accuracy failed");
    Ok(())
}
