//! `cargo xtask gate`: the instructions that the decoder and the table take on made-up data, held
//! against those of `bench/instructions.toml`.
//!
//! Time varies with the machine and with what else it does; the number of instructions does not.
//! What is left to vary is the compiler, so the file names the one it was made with.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};

/// Where the numbers lie, from the root.
const PATH: &str = "bench/instructions.toml";
/// What the gate says of itself in the file.
const HEAD: &str = "\
# Instructions of bench/gate on made-up data, made by `cargo xtask gate --update`; see
# docs/decisions/0012-benches-and-the-gate.md.

";
/// The cases of `bench/gate/src/main.rs`.
const CASES: [&str; 4] = ["decode_table", "decode_updates", "rib_load", "rib_update"];
/// What a number may grow before it fails, and shrink before it must be made anew.
const TOLERANCE_PERCENT: u64 = 3;
/// The C library copies and fills memory by what the processor offers; valgrind counts some of
/// these instructions once for each octet. Without them the numbers are those of any processor.
const TUNABLES: &str = "glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-ERMS,-FSRM";

/// What `bench/instructions.toml` holds.
#[derive(Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct Baseline {
    /// As `rustc -V` says.
    compiler: String,
    instructions: BTreeMap<String, u64>,
}

/// One case beside its number in the file.
#[derive(Debug)]
struct Comparison {
    case: String,
    counted: u64,
    routes: u64,
    /// `None` when the file has none.
    baseline: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Same,
    More,
    Fewer,
    New,
}

impl Comparison {
    #[expect(clippy::cast_precision_loss, reason = "percents of a few digits")]
    fn percent(&self) -> Option<f64> {
        let baseline = self.baseline.filter(|baseline| *baseline > 0)? as f64;
        Some((self.counted as f64 / baseline - 1.0) * 100.0)
    }

    fn verdict(&self) -> Verdict {
        // In whole numbers, so that the tolerance itself is within it.
        let hundredfold = self.counted.saturating_mul(100);
        match self.baseline.filter(|baseline| *baseline > 0) {
            None => Verdict::New,
            Some(baseline) if hundredfold > baseline.saturating_mul(100 + TOLERANCE_PERCENT) => {
                Verdict::More
            }
            Some(baseline) if hundredfold < baseline.saturating_mul(100 - TOLERANCE_PERCENT) => {
                Verdict::Fewer
            }
            Some(_) => Verdict::Same,
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = self.counted / self.routes.max(1);
        let change = self.percent().map_or("new".to_owned(), |percent| format!("{percent:+.2} %"));
        write!(
            f,
            "{:<15}{:>12} instructions, {each:>5} a route, {change}",
            self.case, self.counted
        )?;
        match self.verdict() {
            Verdict::Same | Verdict::New => Ok(()),
            Verdict::More => write!(f, ": too many"),
            Verdict::Fewer => write!(f, ": fewer; make the file anew"),
        }
    }
}

/// Counts and compares; with `is_update` writes the file anew.
///
/// On a machine that cannot count it says so and is content, but not in continuous integration.
pub(crate) fn main(is_update: bool) -> anyhow::Result<()> {
    let is_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
    if let Some(reason) = hindrance() {
        ensure!(!is_ci && !is_update, "gate: {reason}");
        return crate::say(&format!("gate: skipped, {reason}\n"));
    }
    let root = crate::root();
    let counted = count(&root)?;
    let path = root.join(PATH);
    let compiler = compiler()?;
    if is_update {
        let instructions =
            counted.iter().map(|(case, counts)| (case.clone(), counts.instructions)).collect();
        let text = toml::to_string(&Baseline { compiler, instructions })?;
        std::fs::write(&path, HEAD.to_owned() + &text).with_context(|| PATH.to_owned())?;
        return crate::say(&format!("written: {PATH}\n"));
    }
    let text = std::fs::read_to_string(&path).with_context(|| PATH.to_owned())?;
    let baseline: Baseline = toml::from_str(&text).with_context(|| PATH.to_owned())?;
    let comparisons = compare(counted, &baseline);
    for comparison in &comparisons {
        crate::say(&format!("gate: {comparison}\n"))?;
    }
    let verdicts: Vec<Verdict> = comparisons.iter().map(Comparison::verdict).collect();
    if verdicts.iter().all(|verdict| *verdict == Verdict::Same) {
        return Ok(());
    }
    let advice = "if this is meant: cargo xtask gate --update";
    if baseline.compiler != compiler {
        let text =
            format!("counted with {compiler}, the file with {}: {advice}", baseline.compiler);
        ensure!(!is_ci, "gate: {text}");
        return crate::say(&format!("gate: not judged, {text}\n"));
    }
    if verdicts.contains(&Verdict::More) || verdicts.contains(&Verdict::New) {
        bail!("gate: more than {TOLERANCE_PERCENT} % over {PATH}, or not in it; {advice}");
    }
    crate::say(&format!("gate: {PATH} is out of date; {advice}\n"))
}

/// Why instructions cannot be counted here.
fn hindrance() -> Option<&'static str> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Some("the numbers are those of Linux on x86-64");
    }
    let found = Command::new("valgrind").arg("--version").output();
    match found {
        Ok(output) if output.status.success() => None,
        _ => Some("valgrind is not installed"),
    }
}

fn compiler() -> anyhow::Result<String> {
    let output = Command::new("rustc").arg("-V").current_dir(crate::root()).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// What one case took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counts {
    instructions: u64,
    routes: u64,
}

fn count(root: &Path) -> anyhow::Result<BTreeMap<String, Counts>> {
    let built = Command::new(crate::cargo())
        .args(["build", "--release", "--quiet", "--package", "routewarden-gate"])
        .current_dir(root)
        .status()
        .context("cannot run cargo build")?;
    ensure!(built.success(), "cargo build failed");
    let program = crate::target_directory()?.join("release/routewarden-gate");
    let counted = CASES.map(|case| {
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg("--toggle-collect=*gate_measured*")
            .arg(&program)
            .arg(case)
            .env("GLIBC_TUNABLES", TUNABLES)
            .output()
            .context("cannot run valgrind")?;
        let (said, log) = (
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        );
        ensure!(output.status.success(), "{case}: {}\n{log}", output.status);
        let instructions = collected(&log).with_context(|| format!("{case}: no count in {log}"))?;
        ensure!(instructions > 0, "{case}: gate_measured was not found in the program");
        Ok((case.to_owned(), Counts { instructions, routes: said.trim().parse()? }))
    });
    counted.into_iter().collect()
}

/// The number of `==123== Collected : 456`.
fn collected(log: &str) -> Option<u64> {
    let (_, after) = log.split_once("Collected : ")?;
    after.split_whitespace().next()?.parse().ok()
}

fn compare(counted: BTreeMap<String, Counts>, baseline: &Baseline) -> Vec<Comparison> {
    let of = |(case, counts): (String, Counts)| Comparison {
        baseline: baseline.instructions.get(&case).copied(),
        counted: counts.instructions,
        routes: counts.routes,
        case,
    };
    counted.into_iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(counted: u64, baseline: Option<u64>) -> Verdict {
        Comparison { case: "decode".to_owned(), counted, routes: 1, baseline }.verdict()
    }

    #[test]
    fn three_percent_are_tolerated_either_way() {
        assert_eq!(verdict(1_030, Some(1_000)), Verdict::Same);
        assert_eq!(verdict(970, Some(1_000)), Verdict::Same);
        assert_eq!(verdict(1_031, Some(1_000)), Verdict::More);
        assert_eq!(verdict(969, Some(1_000)), Verdict::Fewer);
        assert_eq!(verdict(1_000, None), Verdict::New);
        assert_eq!(verdict(1_000, Some(0)), Verdict::New);
    }

    #[test]
    fn the_count_in_the_log_of_callgrind() {
        let log = "==6314== Events    : Ir\n==6314== Collected : 30838230\n==6314== \n";
        assert_eq!(collected(log), Some(30_838_230));
        assert_eq!(collected("==6314== Events    : Ir\n"), None);
    }

    #[test]
    fn the_file_has_every_case_and_no_other() {
        let text = std::fs::read_to_string(crate::root().join(PATH)).unwrap();
        let baseline: Baseline = toml::from_str(&text).unwrap();
        assert!(baseline.instructions.keys().eq(CASES), "{:?}", baseline.instructions);
        assert!(text.starts_with(HEAD));
    }
}
