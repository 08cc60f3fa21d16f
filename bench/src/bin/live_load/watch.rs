//! What is seen of the program while it runs.

use std::time::{Duration, Instant};

use routewarden_bench::program::Program;
use serde_json::{Value, json};

/// What was seen in one second.
#[derive(Clone, Debug)]
struct Sample {
    at: Duration,
    resident: u64,
    processor_secs: f64,
    waiting: u64,
    degraded: Vec<String>,
    failing: Option<String>,
}

/// All that was seen.
#[derive(Debug)]
pub(crate) struct Watch {
    begun: Instant,
    samples: Vec<Sample>,
    unanswered: u64,
    most_waiting: u64,
    dropped: u64,
}

/// Announcements and withdrawals that the program counted over one kind of source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) announced: u64,
    pub(crate) withdrawn: u64,
}

impl Watch {
    pub(crate) fn new(begun: Instant) -> Self {
        Watch { begun, samples: Vec::new(), unanswered: 0, most_waiting: 0, dropped: 0 }
    }

    /// Looks once.
    pub(crate) fn look(&mut self, program: &Program, now: Instant) {
        let (Ok(status), Ok((resident, processor_secs))) = (program.status(), program.usage())
        else {
            self.unanswered += 1;
            return;
        };
        let queues = list(&status, "queues");
        let most = |name: &str| queues.iter().filter_map(|q| q.get(name)?.as_u64()).max();
        self.most_waiting = self.most_waiting.max(most("most_waiting").unwrap_or_default());
        self.dropped = self.dropped.max(most("dropped").unwrap_or_default());
        let feeds = list(&status, "feeds");
        let is_degraded = |feed: &&Value| feed.get("is_degraded").is_some_and(|is| is == true);
        let source = |feed: &Value| Some(feed.get("source")?.as_str()?.to_owned());
        self.samples.push(Sample {
            at: now.duration_since(self.begun),
            resident,
            processor_secs,
            waiting: most("waiting").unwrap_or_default(),
            degraded: feeds.iter().filter(is_degraded).filter_map(source).collect(),
            failing: status.pointer("/store/failing").and_then(Value::as_str).map(str::to_owned),
        });
    }

    /// As JSON: memory in MB, its slope over the second half in MB an hour, queues, processor.
    #[expect(clippy::cast_precision_loss, reason = "megabytes and seconds")]
    pub(crate) fn to_json(&self) -> Value {
        let megabytes = |octets: u64| octets as f64 / 1e6;
        let mut resident: Vec<u64> = self.samples.iter().map(|sample| sample.resident).collect();
        resident.sort_unstable();
        let later = self.samples.get(self.samples.len() / 2..).unwrap_or_default();
        let points: Vec<(f64, f64)> = later
            .iter()
            .map(|sample| (sample.at.as_secs_f64() / 3_600.0, megabytes(sample.resident)))
            .collect();
        let processor: f64 = rises(self.samples.iter().map(|sample| sample.processor_secs));
        let degraded: Vec<Value> = changes(self.samples.iter().map(|s| (s.at, s.degraded.clone())));
        let failing: Vec<Value> = changes(self.samples.iter().map(|s| (s.at, s.failing.clone())));
        json!({
            "samples": self.samples.len(),
            "unanswered": self.unanswered,
            "resident_mb": {
                "min": resident.first().copied().map(megabytes),
                "median": resident.get(resident.len() / 2).copied().map(megabytes),
                "max": resident.last().copied().map(megabytes),
                "slope_per_hour_of_second_half": slope(&points),
            },
            "processor_secs": processor,
            "queue": {
                "most_waiting": self.most_waiting,
                "most_waiting_at_a_look": self.samples.iter().map(|sample| sample.waiting).max(),
                "dropped": self.dropped,
            },
            "degraded": degraded,
            "store_failing": failing,
        })
    }
}

fn list(status: &Value, name: &str) -> Vec<Value> {
    status.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
}

/// What the program counted over the sources of a kind.
pub(crate) fn counted(status: &Value, kind: &str) -> Counted {
    let sources = list(status, "sources");
    let of_kind = sources.iter().filter(|source| source.get("kind").is_some_and(|k| k == kind));
    let sum = |names: [&str; 2]| {
        let elements = of_kind.clone().filter_map(|source| source.get("elements"));
        let number = |elements: &Value, name| elements.get(name).and_then(Value::as_u64);
        elements.flat_map(|e| names.map(|name| number(e, name).unwrap_or_default())).sum()
    };
    Counted {
        announced: sum(["announcements", "multicast_announcements"]),
        withdrawn: sum(["withdrawals", "multicast_withdrawals"]),
    }
}

/// Sum of what was added, whenever it began at 0 again.
fn rises(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut before = 0.0;
    numbers.fold(0.0, |sum, number| {
        let rise = if number >= before { number - before } else { number };
        before = number;
        sum + rise
    })
}

/// The values and when each began.
fn changes<T: PartialEq + serde::Serialize + Default>(
    values: impl Iterator<Item = (Duration, T)>,
) -> Vec<Value> {
    let mut before = T::default();
    let mut changes = Vec::new();
    for (at, value) in values {
        if value != before {
            changes.push(json!({"at_secs": at.as_secs_f64(), "value": value}));
            before = value;
        }
    }
    changes
}

/// Slope of the line of least squares; 0 with fewer than two points.
#[expect(clippy::cast_precision_loss, reason = "a count of seconds")]
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean = |axis: fn(&(f64, f64)) -> f64| points.iter().map(axis).sum::<f64>() / count;
    let (x_mean, y_mean) = (mean(|p| p.0), mean(|p| p.1));
    let covariance: f64 = points.iter().map(|(x, y)| (x - x_mean) * (y - y_mean)).sum();
    let variance: f64 = points.iter().map(|(x, _)| (x - x_mean).powi(2)).sum();
    if variance > 0.0 { covariance / variance } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_slope_and_a_restart_is_no_fall() {
        assert!((slope(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]) - 2.0).abs() < 1e-9);
        assert!(slope(&[(1.0, 3.0)]).abs() < 1e-9);
        assert!((rises([1.0, 3.0, 0.5, 1.0].into_iter()) - 4.0).abs() < 1e-9);
    }

    #[test]
    fn what_the_program_counted_is_summed_over_sources_of_a_kind() {
        let elements = json!({"announcements": 2, "multicast_announcements": 1, "withdrawals": 4});
        let status = json!({"sources": [
            {"kind": "bmp", "elements": elements},
            {"kind": "bgp", "elements": elements},
            {"kind": "bgp", "elements": elements},
        ]});
        assert_eq!(counted(&status, "bgp"), Counted { announced: 6, withdrawn: 8 });
    }
}
