//! Repository chores: `cargo xtask CHORE`.

mod accuracy;
mod compare;
mod docs;
mod gate;
mod layers;
mod load;
mod picture;
mod program;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail, ensure};

const USAGE: &str = "\
usage: cargo xtask CHORE

  check-layers   check that the crates depend on each other as ARCHITECTURE.md says
  docs           make the generated blocks of README.md and docs/, and the picture
  check-docs     check that they are as the program says
  picture        make docs/images/demo.svg out of what the program prints
  gate           count the instructions of the decoder and the table and hold them against
                 bench/instructions.toml; with --update write them there
  accuracy       count how often detection is right, beside other detectors' rules; with --check
                 hold it against bench/accuracy/baseline.tsv; see bench/README.md (--help)
  live-load      put `routewarden serve` under load, with faults, and measure what becomes of it;
                 see bench/README.md (--help)
  api-load       put the read API under load, over a store of a million incidents; see
                 bench/README.md (--help)
  compare        compare with other tools on the same files; see bench/README.md (--help)
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["check-layers"] => check_layers(),
        ["docs"] => write_docs(true),
        ["picture"] => write_docs(false),
        ["check-docs"] => check_docs(),
        ["gate"] => gate::main(false),
        ["gate", "--update"] => gate::main(true),
        ["accuracy", rest @ ..] => accuracy::main(rest),
        ["live-load", rest @ ..] => load::main("live_load", rest),
        ["api-load", rest @ ..] => load::main("api_load", rest),
        ["compare", rest @ ..] => compare::main(rest),
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

/// Makes the picture and, if so told, all pages.
fn write_docs(with_pages: bool) -> anyhow::Result<()> {
    for page in generated(with_pages)? {
        if page.is == page.should_be {
            continue;
        }
        if let Some(directory) = page.path.parent() {
            std::fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
        }
        std::fs::write(&page.path, &page.should_be)
            .with_context(|| page.path.display().to_string())?;
        say(&format!("written: {}\n", page.path.display()))?;
    }
    Ok(())
}

fn check_docs() -> anyhow::Result<()> {
    let pages = generated(true)?;
    let stale: Vec<&docs::Page> = pages.iter().filter(|page| page.is != page.should_be).collect();
    for page in &stale {
        say(&format!("stale: {}\n", page.path.display()))?;
    }
    ensure!(
        stale.is_empty(),
        "{} files are not as the program says: cargo xtask docs",
        stale.len()
    );
    say(&format!("check-docs: {} files are as the program says\n", pages.len()))
}

/// The picture and, if so told, all pages.
fn generated(with_pages: bool) -> anyhow::Result<Vec<docs::Page>> {
    let root = root();
    let program = program::Program::build(&root)?;
    let path = root.join(picture::PATH);
    let is = std::fs::read_to_string(&path).unwrap_or_default();
    let picture = docs::Page { path, is, should_be: picture::svg(&program)? };
    let mut pages = if with_pages { docs::pages(&root, &program)? } else { Vec::new() };
    pages.push(picture);
    Ok(pages)
}

/// The root of the repository.
fn root() -> PathBuf {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    directory.parent().unwrap_or(directory).to_owned()
}

fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Where cargo builds.
fn target_directory() -> anyhow::Result<PathBuf> {
    let metadata = cargo_metadata()?;
    let target = metadata.get("target_directory").and_then(serde_json::Value::as_str);
    Ok(target.context("output of cargo metadata")?.into())
}

/// Members of the workspace with their direct dependencies.
fn cargo_metadata() -> anyhow::Result<serde_json::Value> {
    let manifest = root().join("Cargo.toml");
    let output = Command::new(cargo())
        .args(["metadata", "--format-version", "1", "--no-deps", "--manifest-path"])
        .arg(manifest)
        .output()
        .context("cannot run cargo metadata")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo metadata failed: {}", said.trim());
    serde_json::from_slice(&output.stdout).context("output of cargo metadata is not JSON")
}
