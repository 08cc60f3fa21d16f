//! What the program reported, held against the markers.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::Result;
use routewarden_bench::load::MarkerSent;
use routewarden_core::{Asn, Timestamp};
use routewarden_detect::IncidentKind;
use serde::Deserialize;
use serde_json::{Value, json};

/// A line of the log of reports, as far as it is looked at.
#[derive(Debug, Deserialize)]
struct Line {
    /// Id in the store: what it was first told as.
    id: String,
    report: String,
    at: Timestamp,
    incident: Lead,
}

#[derive(Debug, Deserialize)]
struct Lead {
    kind: IncidentKind,
    culprits: Vec<Asn>,
    victims: Vec<Asn>,
}

/// An incident's reports.
#[derive(Debug, Default)]
struct Told {
    opens: u64,
    ends: u64,
    is_open: bool,
    /// Reports that cannot follow the one before: an end of what is not open, and the like.
    out_of_turn: u64,
}

/// All reports.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    incidents: BTreeMap<String, Told>,
    kinds: BTreeMap<IncidentKind, u64>,
    /// First report of a pair of culprit and victim.
    pairs: BTreeMap<(Asn, Asn), Timestamp>,
    torn: u64,
}

impl Reports {
    /// Reads the log of reports.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let mut reports = Reports::default();
        for line in BufReader::new(File::open(path)?).lines() {
            match serde_json::from_str::<Line>(&line?) {
                Ok(line) => reports.add(&line),
                Err(_) => reports.torn += 1,
            }
        }
        Ok(reports)
    }

    fn add(&mut self, line: &Line) {
        let told = self.incidents.entry(line.id.clone()).or_default();
        let (must_be_open, is_open) = match line.report.as_str() {
            "open" | "reopen" => (false, true),
            "end" => (true, false),
            _ => (told.is_open, told.is_open),
        };
        told.out_of_turn += u64::from(told.is_open != must_be_open);
        told.is_open = is_open;
        match line.report.as_str() {
            "open" => {
                told.opens += 1;
                *self.kinds.entry(line.incident.kind).or_default() += 1;
                if let ([culprit], [victim]) = (&*line.incident.culprits, &*line.incident.victims) {
                    self.pairs.entry((*culprit, *victim)).or_insert(line.at);
                }
            }
            "end" => told.ends += 1,
            _ => {}
        }
    }

    /// As JSON, with the latency from the sending of a marker to its report.
    pub(crate) fn to_json(&self, markers: &[MarkerSent]) -> Value {
        let mut latencies: Vec<f64> = Vec::new();
        let mut missing = Vec::new();
        for marker in markers {
            match self.pairs.get(&(marker.culprit, marker.victim)) {
                Some(&at) => latencies.push(seconds_between(marker.at, at)),
                None => missing.push(marker.to_json()),
            }
        }
        latencies.sort_by(f64::total_cmp);
        let at = |hundredths: usize| {
            latencies.get((latencies.len() * hundredths / 100).min(latencies.len().max(1) - 1))
        };
        let count = |is: fn(&&Told) -> bool| self.incidents.values().filter(is).count();
        let kinds: BTreeMap<&str, u64> =
            self.kinds.iter().map(|(kind, &count)| (kind.name(), count)).collect();
        json!({
            "incidents": self.incidents.len(),
            "opened_by_kind": kinds,
            "ended": count(|told| told.ends > 0),
            "opened_twice": count(|told| told.opens > 1),
            "never_opened": count(|told| told.opens == 0),
            "out_of_turn": self.incidents.values().map(|told| told.out_of_turn).sum::<u64>(),
            "torn_lines": self.torn,
            "markers": {
                "sent": markers.len(),
                "told": latencies.len(),
                "missing": missing,
                "latency_secs": {"p50": at(50), "p99": at(99), "max": latencies.last()},
            },
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds of a run")]
fn seconds_between(earlier: Timestamp, later: Timestamp) -> f64 {
    (later.micros() - earlier.micros()) as f64 / 1e6
}
