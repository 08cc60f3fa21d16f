//! Metrics for Prometheus, in its text format.
//!
//! Names are `routewarden_<part>_<thing>_<unit>[_total]`. Labels are bounded: source, kind, state,
//! class, queue, version; never prefix, peer or ASN.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeGaugeValue, EncodeMetric, prometheus_text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use routewarden_core::Timestamp;
use routewarden_feeds::live::{SourceState, SourceStatus};

use crate::status::{ServeStatus, Snapshot};

/// Media type of what [`Metrics::text`] writes.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

const SOURCE_STATES: [(SourceState, &str); 4] = [
    (SourceState::Starting, "starting"),
    (SourceState::Up, "up"),
    (SourceState::Waiting, "waiting"),
    (SourceState::Stopped, "stopped"),
];

/// All metrics of the program.
pub struct Metrics {
    registry: Registry,
}

impl Metrics {
    /// Those of the state, and those that it registers itself.
    pub fn new(status: Arc<dyn ServeStatus>) -> Self {
        let mut registry = Registry::default();
        status.register(&mut registry);
        registry.register_collector(Box::new(StateCollector(status)));
        Metrics { registry }
    }

    /// The text that Prometheus reads.
    ///
    /// # Errors
    ///
    /// When a metric cannot be written, which a text in memory does not do.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Tells the state at the time of each scrape.
struct StateCollector(Arc<dyn ServeStatus>);

impl fmt::Debug for StateCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StateCollector")
    }
}

impl Collector for StateCollector {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let snapshot = self.0.snapshot();
        let mut families = Families { encoder };
        families.program(&snapshot)?;
        families.sources(&snapshot.sources)?;
        families.source_counts(&snapshot.sources)?;
        families.feeds(&snapshot)?;
        families.facts(&snapshot)?;
        families.queues(&snapshot)?;
        families.store(&snapshot)?;
        families.incidents(&snapshot)
    }
}

type Labels<'a, const N: usize> = [(&'static str, &'a str); N];

struct Families<'a> {
    encoder: DescriptorEncoder<'a>,
}

impl Families<'_> {
    fn gauge<'l, const N: usize, V: EncodeGaugeValue>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl Iterator<Item = (Labels<'l, N>, V)>,
    ) -> fmt::Result
    where
        ConstGauge<V>: EncodeMetric,
    {
        let mut family = self.encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in rows {
            ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn counter<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl Iterator<Item = (Labels<'l, N>, u64)>,
    ) -> fmt::Result {
        let mut family = self.encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in rows {
            ConstCounter::new(value).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn program(&mut self, state: &Snapshot) -> fmt::Result {
        let version = [([("version", env!("CARGO_PKG_VERSION"))], 1_i64)];
        self.gauge("routewarden_program_info", "Version of the program", version.into_iter())?;
        let started = [([], state.started.secs())];
        let help = "When the program started, in seconds since 1970";
        self.gauge("routewarden_program_start_timestamp_seconds", help, started.into_iter())?;
        let is = |holds: bool| [([], i64::from(holds))].into_iter();
        let help = "Whether the program does all its work";
        self.gauge("routewarden_program_ready", help, is(state.unready().is_empty()))?;
        let help = "Whether somebody should look at the status";
        self.gauge("routewarden_program_warning", help, is(!state.warnings().is_empty()))
    }

    fn sources(&mut self, sources: &[SourceStatus]) -> fmt::Result {
        let states = sources.iter().flat_map(|source| {
            SOURCE_STATES.into_iter().map(move |(state, name)| {
                let labels =
                    [("source", &*source.name), ("kind", source.kind.name()), ("state", name)];
                (labels, i64::from(source.state == state))
            })
        });
        let help = "Whether the source is in the state";
        self.gauge("routewarden_source_state", help, states)?;
        let sessions = sources.iter().map(|source| (of(source), signed(source.sessions as u64)));
        self.gauge("routewarden_source_sessions", "Sessions that are up", sessions)?;
        let heard = sources.iter().filter_map(|source| Some((of(source), source.heard_at?.secs())));
        let help = "When a message was last heard, in seconds since 1970";
        self.gauge("routewarden_source_heard_timestamp_seconds", help, heard)
    }

    fn source_counts(&mut self, sources: &[SourceStatus]) -> fmt::Result {
        let each = |count: fn(&SourceStatus) -> u64| {
            sources.iter().map(move |source| (of(source), count(source)))
        };
        let help = "Sessions ever made";
        self.counter("routewarden_source_connects", help, each(|s| s.connects))?;
        self.counter("routewarden_source_messages", "Messages heard", each(|s| s.messages))?;
        self.counter("routewarden_source_octets", "Octets heard", each(|s| s.octets))?;
        let help = "Route events handed on to detection";
        self.counter("routewarden_source_events", help, each(|s| s.elements.events()))?;
        let faults = sources.iter().flat_map(|source| {
            source
                .faults
                .iter()
                .map(|(kind, &count)| ([("source", &*source.name), ("kind", *kind)], count))
        });
        self.counter("routewarden_source_faults", "What was wrong, by kind", faults)
    }

    fn feeds(&mut self, state: &Snapshot) -> fmt::Result {
        let rows = state.feeds.iter().map(|feed| {
            ([("source", &*feed.source), ("state", feed.state)], i64::from(feed.is_degraded))
        });
        let help = "Whether what the feed does not tell says little, with its state";
        self.gauge("routewarden_feed_degraded", help, rows)
    }

    /// By kind, not by file: the largest age, the sum of entries and failures.
    fn facts(&mut self, state: &Snapshot) -> fmt::Result {
        let mut kinds: Vec<&'static str> = state.facts.iter().map(|fact| fact.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let of_kind = |kind: &'static str| state.facts.iter().filter(move |fact| fact.kind == kind);
        let entries = kinds.iter().map(|&kind| {
            let entries = of_kind(kind).filter_map(|fact| fact.entries).sum();
            ([("kind", kind)], signed(entries))
        });
        self.gauge("routewarden_facts_entries", "Entries in use", entries)?;
        let age = |time: Timestamp| state.now.secs_since(time).max(0);
        let ages = kinds.iter().filter_map(|&kind| {
            let oldest = of_kind(kind).filter_map(|fact| fact.confirmed).map(age).max();
            Some(([("kind", kind)], oldest?))
        });
        let help = "Age of the oldest facts of the kind";
        self.gauge("routewarden_facts_age_seconds", help, ages)?;
        let stale = kinds.iter().map(|&kind| {
            let lacking = of_kind(kind).any(|fact| fact.is_stale || fact.entries.is_none());
            ([("kind", kind)], i64::from(lacking))
        });
        let help = "Whether facts of the kind are lacking or older than they should be";
        self.gauge("routewarden_facts_stale", help, stale)?;
        let failures = kinds
            .iter()
            .map(|&kind| ([("kind", kind)], signed(of_kind(kind).map(|fact| fact.failures).sum())));
        let help = "Attempts that failed since the last success";
        self.gauge("routewarden_facts_failures", help, failures)
    }

    fn queues(&mut self, state: &Snapshot) -> fmt::Result {
        let queues = || state.queues.iter().map(|queue| ([("queue", queue.name)], queue));
        let waiting = queues().map(|(labels, queue)| (labels, signed(queue.waiting)));
        self.gauge("routewarden_queue_waiting_items", "Items that wait", waiting)?;
        let capacity = queues().map(|(labels, queue)| (labels, signed(queue.capacity)));
        self.gauge("routewarden_queue_capacity_items", "Items that may wait", capacity)?;
        let items = queues().map(|(labels, queue)| (labels, queue.items));
        self.counter("routewarden_queue_items", "Items ever put in", items)?;
        let waited = queues().map(|(labels, queue)| (labels, queue.waited_ms / 1_000));
        let help = "Time for which those who fill it waited";
        self.counter("routewarden_queue_waited_seconds", help, waited)?;
        let dropped = queues().map(|(labels, queue)| (labels, queue.dropped));
        let help = "Items dropped because it was full";
        self.counter("routewarden_queue_dropped_items", help, dropped)
    }

    fn store(&mut self, state: &Snapshot) -> fmt::Result {
        let Some(store) = &state.store else { return Ok(()) };
        let one = |value| [([], value)].into_iter();
        self.gauge("routewarden_store_size_bytes", "Octets on disk", one(signed(store.octets)))?;
        let help = "Entries of the journal";
        self.gauge("routewarden_store_journal_entries", help, one(signed(store.entries)))?;
        let failures = [([], store.failures)];
        let help = "Writes that failed";
        self.counter("routewarden_store_failures", help, failures.into_iter())?;
        let times =
            [("write", store.written), ("snapshot", store.snapshot), ("backup", store.backup)];
        let times =
            times.into_iter().filter_map(|(kind, time)| Some(([("kind", kind)], time?.secs())));
        let help = "When it was last done, in seconds since 1970";
        self.gauge("routewarden_store_done_timestamp_seconds", help, times)
    }

    fn incidents(&mut self, state: &Snapshot) -> fmt::Result {
        let open = state.open_incidents.iter().map(|open| {
            ([("kind", open.kind.name()), ("class", open.class.name())], signed(open.count))
        });
        self.gauge("routewarden_incidents_open", "Incidents that have not ended", open)?;
        let last = state.last_report.into_iter().map(|time| ([], time.secs()));
        let help = "When something was last reported, in seconds since 1970";
        self.gauge("routewarden_incidents_report_timestamp_seconds", help, last)
    }
}

fn of(source: &SourceStatus) -> Labels<'_, 2> {
    [("source", &source.name), ("kind", source.kind.name())]
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use prometheus_client::metrics::histogram::Histogram;

    use super::*;
    use crate::status::tests::full;

    struct Fixed;

    impl ServeStatus for Fixed {
        fn snapshot(&self) -> Snapshot {
            full()
        }

        fn register(&self, registry: &mut Registry) {
            let latency = Histogram::new([0.1, 1.0, 10.0]);
            latency.observe(0.5);
            registry.register(
                "routewarden_report_latency_seconds",
                "From route to report",
                latency,
            );
        }
    }

    fn text() -> String {
        Metrics::new(Arc::new(Fixed)).text().unwrap()
    }

    #[test]
    fn the_state_is_told() {
        let text = text();
        for line in [
            "routewarden_source_state{source=\"rrc12\",kind=\"ris_live\",state=\"up\"} 1",
            "routewarden_source_messages_total{source=\"rrc12\",kind=\"ris_live\"} 3",
            "routewarden_source_faults_total{source=\"rrc12\",kind=\"bad_json\"} 1",
            "routewarden_source_sessions{source=\"edge\\\"1\\\\\",kind=\"bmp\"} 0",
            "routewarden_facts_entries{kind=\"irr\"} 17",
            "routewarden_facts_age_seconds{kind=\"vrps\"} 60",
            "routewarden_facts_stale{kind=\"as_names\"} 1",
            "routewarden_queue_waited_seconds_total{queue=\"live\"} 1",
            "routewarden_incidents_open{kind=\"origin_hijack\",class=\"high\"} 2",
            "routewarden_program_ready 1",
            "routewarden_report_latency_seconds_bucket{le=\"1\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }

    #[test]
    fn labels_are_bounded() {
        for line in text().lines().filter(|line| !line.starts_with('#')) {
            let labels = line.split_once('{').map_or("", |(_, rest)| rest);
            for label in labels.split("\",").filter_map(|part| part.split_once("=\"")) {
                let known = ["source", "kind", "state", "class", "queue", "version", "le"];
                assert!(known.contains(&label.0), "{line}");
            }
        }
    }

    /// Debian's package prometheus brings promtool.
    #[test]
    #[expect(clippy::print_stderr, reason = "a skip is told")]
    fn promtool_finds_nothing_wrong() {
        let mut command = Command::new("promtool");
        let command = command.args(["check", "metrics"]).stdin(Stdio::piped());
        let Ok(mut child) = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn() else {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "CI lacks promtool");
            eprintln!("skipped: promtool is not there");
            return;
        };
        child.stdin.take().unwrap().write_all(text().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.trim().is_empty(), "{said}");
    }
}
