//! What is wrong with a configuration, and where.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// Findings that are told; of more, only how many.
pub const FINDINGS_MAX: usize = 100;

/// Whether a finding stops the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// The configuration is refused.
    Error,
    /// It is taken, but somebody should look.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Line from 1 on.
    pub line: usize,
    /// Column in characters, from 1 on.
    pub column: usize,
    /// Whether it stops the program.
    pub weight: Weight,
    /// Stable name of what is wrong.
    pub kind: &'static str,
    /// The key, as `bgp[0].neighbours[1].asn`; empty for the file as a whole.
    pub key: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Finding {
    /// `FILE:LINE:COLUMN: error: KEY: MESSAGE`
    pub fn line_for(&self, file: &Path) -> String {
        let weight = match self.weight {
            Weight::Error => "error",
            Weight::Warning => "warning",
        };
        let (line, column, message) = (self.line, self.column, &self.message);
        let key = if self.key.is_empty() { String::new() } else { format!("{}: ", self.key) };
        format!("{}:{line}:{column}: {weight}: {key}{message}", file.display())
    }
}

/// Everything that is wrong with a file, in its order. At least one finding is an error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Refused {
    /// The file.
    pub file: PathBuf,
    /// At most [`FINDINGS_MAX`].
    pub findings: Vec<Finding>,
    /// How many further ones there are.
    pub untold: usize,
}

impl Refused {
    pub(super) fn new(file: &Path, mut findings: Vec<Finding>) -> Self {
        // The errors are told before the warnings are cut off.
        findings.sort_by_key(|finding| (finding.weight, finding.line, finding.column));
        let untold = findings.len().saturating_sub(FINDINGS_MAX);
        findings.truncate(FINDINGS_MAX);
        findings.sort_by_key(|finding| (finding.line, finding.column, finding.weight));
        Refused { file: file.to_owned(), findings, untold }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration is refused")?;
        for finding in &self.findings {
            write!(f, "\n{}", finding.line_for(&self.file))?;
        }
        if self.untold > 0 {
            write!(f, "\nand {} more", self.untold)?;
        }
        Ok(())
    }
}
