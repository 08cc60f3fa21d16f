//! Reads incidents back from what `detect` wrote.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result, bail};
use routewarden_core::facts::Sha256;
use routewarden_detect::Incident;
use serde::Deserialize;
use sha2::Digest;

/// Longest line or document read, in octets.
const INPUT_OCTETS_MAX: u64 = 1 << 30;

#[derive(Deserialize)]
struct Document {
    incidents: Vec<Incident>,
}

/// The incidents of a `json` or `jsonl` file, or of standard input for `-`.
pub(crate) fn read(path: &Path) -> Result<Vec<Incident>> {
    Ok(read_with_digest(path)?.0)
}

/// As [`read`], with the digest of the octets.
pub(crate) fn read_with_digest(path: &Path) -> Result<(Vec<Incident>, Sha256)> {
    let reader: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        Box::new(BufReader::new(file))
    };
    let mut text = String::new();
    let mut limited = std::io::Read::take(reader, INPUT_OCTETS_MAX);
    std::io::Read::read_to_string(&mut limited, &mut text)
        .with_context(|| format!("cannot read {}", path.display()))?;
    if limited.limit() == 0 {
        bail!("{} is larger than {INPUT_OCTETS_MAX} octets", path.display());
    }
    let incidents =
        parse(&text).with_context(|| format!("{} holds no incidents of ours", path.display()))?;
    Ok((incidents, Sha256(sha2::Sha256::digest(text.as_bytes()).into())))
}

fn parse(text: &str) -> Result<Vec<Incident>> {
    if let Ok(document) = serde_json::from_str::<Document>(text) {
        return Ok(document.incidents);
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| {
            serde_json::from_str(line).with_context(|| format!("line {} is no incident", at + 1))
        })
        .collect()
}
