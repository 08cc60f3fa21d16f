//! `cargo xtask live-load` and `api-load`: `routewarden serve` under load. The measuring is in
//! `bench/src/bin`; here both programs are built for speed and it is run.

use std::ffi::OsString;
use std::process::Command;

use anyhow::{Context as _, ensure};

/// Runs the chore whose measuring program has that name, with its command line.
pub(crate) fn main(measuring: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let root = crate::root();
    let status = Command::new(crate::cargo())
        .args(["build", "--release", "--package", "routewarden", "--package", "routewarden-bench"])
        .args(["--bin", "routewarden", "--bin", measuring])
        .current_dir(&root)
        .status()
        .context("cannot run cargo build")?;
    ensure!(status.success(), "cargo build failed");
    let built = crate::target_directory()?.join("release");
    let program: OsString = built.join("routewarden").into();
    let status = Command::new(built.join(measuring))
        .args(arguments)
        .arg("--program")
        .arg(program)
        .current_dir(&root)
        .status()
        .with_context(|| format!("cannot run {measuring}"))?;
    ensure!(status.success(), "{measuring} failed");
    Ok(())
}
