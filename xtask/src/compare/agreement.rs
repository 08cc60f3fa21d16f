//! Do all decoders read the same routes out of the same files?
//!
//! Compared are the number of routes and a digest over (time, peer, kind, prefix, path) that does
//! not depend on their order; `bench/src/hash.rs` says exactly what goes in.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use super::inputs::{Inputs, uncompress};
use super::tools::Tools;

/// Small files with forms that the large ones lack, compared in a full run.
const ODD_FILES: [&str; 11] = [
    "route-views.jinx.rib.20140530.2200.bz2",
    "libbgpstream.updates.example.bz2",
    "bgpdump.bview.20020722.2337.gz",
    "bgpdump.updates.et-header.2015.gz",
    "bgpdump.updates.20160811.1600.gz",
    "bgpdump.updates.nlri_mask_trailing_bits.gz",
    "manrs-ixp.namex-bgpd-rib-inet.mrt",
    "manrs-ixp.namex-bgpd-rib-inet6.mrt",
    "route-views2-2008.cut-at-4096.mrt",
    "mrtparse.bird_bgp",
    "mrtparse.openbgpd_rib_table-mp",
];

/// Number and digest of the routes of a file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Routes {
    pub(super) elements: u64,
    pub(super) digest: String,
}

/// A difference that was looked into; see `bench/compare/known.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    tool: String,
    input: String,
    /// What the tool gives.
    elements: u64,
    digest: String,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownFile {
    #[serde(default)]
    known: Vec<Known>,
}

/// What one tool read out of one file, beside what we read.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) input: String,
    pub(super) tool: String,
    pub(super) ours: Routes,
    pub(super) theirs: Routes,
    pub(super) verdict: Verdict,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Same,
    Known(String),
    Unknown,
}

/// Compares all tools on all inputs.
pub(super) fn check(tools: &Tools, inputs: &Inputs, is_quick: bool) -> anyhow::Result<Vec<Row>> {
    let path = tools.root.join("bench/compare/known.toml");
    let known = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let known: KnownFile = toml::from_str(&known).context("bench/compare/known.toml")?;
    let mut files: Vec<(String, PathBuf)> = inputs.decoded.clone();
    if !is_quick {
        for (index, name) in ODD_FILES.iter().enumerate() {
            // bgpdump believes the end of a name.
            let to = inputs.scratch.join(format!("odd-{index}.mrt"));
            uncompress(&inputs.data.join("mrt").join(name), &to)?;
            files.push(((*name).to_owned(), to));
        }
    }
    let mut rows = Vec::new();
    for (input, path) in &files {
        let ours = printed(&tools.ours("elements"), &["--digest"], path)?;
        let mut compare = |tool: &str, theirs: Routes| {
            rows.push(row((input, tool), &ours, theirs, &known.known));
        };
        compare("bgpkit-parser", printed(&tools.ours("elements_bgpkit"), &["--digest"], path)?);
        if tools.has("bgpdump") {
            compare("bgpdump", bgpdump(tools, path)?);
        }
    }
    for (input, path) in inputs.heads.iter().filter(|_| tools.has("mrtparse")) {
        let ours = printed(&tools.ours("elements"), &["--digest"], path)?;
        let script = tools.root.join("bench/compare/mrtparse_routes.py");
        let script = script.to_str().context("the path of the repository is not UTF-8")?;
        let theirs = printed(tools.python.as_os_str(), &[script, "--digest"], path)?;
        rows.push(row((input, "mrtparse"), &ours, theirs, &known.known));
    }
    Ok(rows)
}

fn row((input, tool): (&str, &str), ours: &Routes, theirs: Routes, known: &[Known]) -> Row {
    let is_this = |known: &&Known| {
        known.tool == tool
            && known.input == input
            && (known.elements, known.digest.as_str()) == (theirs.elements, theirs.digest.as_str())
    };
    let verdict = if *ours == theirs {
        Verdict::Same
    } else if let Some(known) = known.iter().find(is_this) {
        Verdict::Known(known.reason.clone())
    } else {
        Verdict::Unknown
    };
    Row { input: input.to_owned(), tool: tool.to_owned(), ours: ours.clone(), theirs, verdict }
}

/// Of a program that prints `elements digest file`.
fn printed(program: &OsStr, arguments: &[&str], file: &Path) -> anyhow::Result<Routes> {
    let output = Command::new(program).args(arguments).arg(file).output()?;
    ensure!(output.status.success(), "{}: {}", program.display(), output.status);
    routes(&String::from_utf8_lossy(&output.stdout))
}

/// Tables are read from its blocks of lines, which tell when a route was originated; updates from
/// its lines.
fn bgpdump(tools: &Tools, file: &Path) -> anyhow::Result<Routes> {
    let form = if is_table(file)? { "-H" } else { "-m" };
    let mut dump = Command::new("bgpdump")
        .args(["-q", form])
        .arg(file)
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run bgpdump")?;
    let text = dump.stdout.take().context("no pipe")?;
    let output = Command::new(tools.ours("digest_bgpdump")).stdin(text).output()?;
    let status = dump.wait()?;
    ensure!(status.success() && output.status.success(), "bgpdump on {}", file.display());
    routes(&String::from_utf8_lossy(&output.stdout))
}

/// Whether a file begins with a record of `TABLE_DUMP` or `TABLE_DUMP_V2` (RFC 6396 §4.2, §4.3).
fn is_table(file: &Path) -> anyhow::Result<bool> {
    let mut header = [0; 6];
    std::io::Read::read_exact(&mut std::fs::File::open(file)?, &mut header)?;
    let [.., high, low] = header;
    Ok(matches!(u16::from_be_bytes([high, low]), 12 | 13))
}

fn routes(line: &str) -> anyhow::Result<Routes> {
    let mut words = line.split_whitespace();
    let elements = words.next().context("no count")?.parse()?;
    Ok(Routes { elements, digest: words.next().context("no digest")?.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(elements: u64, digest: &str) -> Routes {
        Routes { elements, digest: digest.to_owned() }
    }

    #[test]
    fn a_difference_is_known_only_as_it_was_looked_at() {
        let known = [Known {
            tool: "bgpdump".to_owned(),
            input: "a".to_owned(),
            elements: 2,
            digest: "x".to_owned(),
            reason: "why".to_owned(),
        }];
        let verdict = |at, theirs| row(at, &of(3, "y"), theirs, &known).verdict;
        assert_eq!(verdict(("a", "bgpdump"), of(3, "y")), Verdict::Same);
        assert_eq!(verdict(("a", "bgpdump"), of(2, "x")), Verdict::Known("why".to_owned()));
        for (at, theirs) in [
            (("a", "bgpdump"), of(3, "x")),
            (("a", "bgpdump"), of(2, "z")),
            (("b", "bgpdump"), of(2, "x")),
            (("a", "mrtparse"), of(2, "x")),
        ] {
            assert_eq!(verdict(at, theirs), Verdict::Unknown);
        }
    }
}
