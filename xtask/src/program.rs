//! The program, built and run for the documentation.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

/// `cargo run` sets variables of our own package; build scripts that look at them would run anew.
pub(crate) fn forget_own_package(build: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            build.env_remove(&name);
        }
    }
}

/// The built program.
pub(crate) struct Program {
    root: PathBuf,
    /// `PATH` with the program's directory first.
    path: OsString,
}

impl Program {
    /// Builds it.
    pub(crate) fn build(root: &Path) -> anyhow::Result<Self> {
        let mut build = Command::new(crate::cargo());
        forget_own_package(&mut build);
        let built = build
            .args(["build", "--quiet", "--package", "routewarden"])
            .current_dir(root)
            .status()
            .context("cannot run cargo build")?;
        ensure!(built.success(), "cargo build failed");
        let directory = crate::target_directory()?.join("debug");
        let others = std::env::var_os("PATH").unwrap_or_default();
        let all = std::iter::once(directory).chain(std::env::split_paths(&others));
        Ok(Program { root: root.to_owned(), path: std::env::join_paths(all)? })
    }

    /// What a command line prints, on standard output and standard error together.
    pub(crate) fn run(&self, command: &str) -> anyhow::Result<String> {
        let output = Command::new("sh")
            .args(["-c", &format!("exec 2>&1\n{command}")])
            .current_dir(&self.root)
            .env("PATH", &self.path)
            .env("LC_ALL", "C")
            .output()
            .context("cannot run sh")?;
        String::from_utf8(output.stdout).context("output is not UTF-8")
    }
}
