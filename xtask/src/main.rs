//! Repository chores: `cargo xtask CHORE`.

mod layers;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail, ensure};

const USAGE: &str = "\
usage: cargo xtask CHORE

  check-layers   check that the crates depend on each other as ARCHITECTURE.md says
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["check-layers"] => check_layers(),
        ["help" | "--help" | "-h"] => say(USAGE),
        _ => {
            // Standard error may be closed; the exit code still tells.
            drop(std::io::stderr().write_all(USAGE.as_bytes()));
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(std::io::stderr(), "error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn say(text: &str) -> anyhow::Result<()> {
    std::io::stdout().write_all(text.as_bytes()).context("standard output")
}

fn check_layers() -> anyhow::Result<()> {
    let metadata = cargo_metadata()?;
    let packages = layers::packages(&metadata).context("output of cargo metadata")?;
    let violations = layers::violations(&packages);
    for violation in &violations {
        say(&format!("{violation}\n"))?;
    }
    if !violations.is_empty() {
        bail!("{} dependencies against the layers of ARCHITECTURE.md", violations.len());
    }
    say(&format!("check-layers: {} crates keep to their layers\n", packages.len()))
}

/// Members of the workspace with their direct dependencies.
fn cargo_metadata() -> anyhow::Result<serde_json::Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--manifest-path"])
        .arg(manifest)
        .output()
        .context("cannot run cargo metadata")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo metadata failed: {}", said.trim());
    serde_json::from_slice(&output.stdout).context("output of cargo metadata is not JSON")
}
