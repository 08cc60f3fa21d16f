//! How often detection is right, on input whose truth is known, beside the rivals on the same input.
//!
//! A *truth* is an incident that was put into the input; a *finding* is what a detector says. What
//! is counted, and how: docs/decisions/0017-accuracy-benchmark.md.

pub mod baseline;
pub mod files;
pub mod finding;
pub mod lab;
pub mod report;
pub mod scenarios;
pub mod score;
pub mod watch;
pub mod windows;

use finding::{Finding, Truth};

/// One piece of input with its truth and what every detector made of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// `scenarios`, `lab`.
    pub corpus: &'static str,
    /// Name within the corpus.
    pub name: String,
    /// What is in it; empty when every finding is a false alarm.
    pub truths: Vec<Truth>,
    /// By detector.
    pub findings: Vec<(&'static str, Vec<Finding>)>,
}

/// Routewarden's name in the results.
pub const OURS: &str = "routewarden";
