//! `cargo xtask live-load`: `routewarden serve` under load. The measuring is
//! `bench/src/bin/live_load`; here both programs are built for speed and it is run.

use std::ffi::OsString;
use std::process::Command;

use anyhow::{Context as _, ensure};

/// Runs the chore with its command line.
pub(crate) fn main(arguments: &[&str]) -> anyhow::Result<()> {
    let root = crate::root();
    let status = Command::new(crate::cargo())
        .args(["build", "--release", "--package", "routewarden", "--package", "routewarden-bench"])
        .args(["--bin", "routewarden", "--bin", "live_load"])
        .current_dir(&root)
        .status()
        .context("cannot run cargo build")?;
    ensure!(status.success(), "cargo build failed");
    let built = crate::target_directory()?.join("release");
    let program: OsString = built.join("routewarden").into();
    let status = Command::new(built.join("live_load"))
        .args(arguments)
        .arg("--program")
        .arg(program)
        .current_dir(&root)
        .status()
        .context("cannot run live_load")?;
    ensure!(status.success(), "live_load failed");
    Ok(())
}
