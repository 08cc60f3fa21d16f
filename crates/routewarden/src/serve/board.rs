//! What the program knows of itself: filled by the engine, read by the HTTP server.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use routewarden_core::Timestamp;
use routewarden_detect::look::Query;
use routewarden_detect::{Counters, Incident, IncidentKind, SeverityClass};
use routewarden_feeds::live::{Clock, SourceHandle};
use routewarden_store::Judged;
use tokio::sync::{mpsc, oneshot, watch};

use super::engine::Order;
use super::facts::FactsView;
use super::journal::Counts;
use super::looks::LookAsker;
use crate::notify_systemd::Heartbeat;
use crate::readiness::Observatory;
use crate::status::{
    ClockStatus, FeedStatus, Judgement, Look, NoLook, NotJudged, OpenIncidents, QueueStatus,
    ServeStatus, Snapshot, StoreStatus,
};

/// Bounds of the time from the first event of an incident to its report, in seconds.
const DELAY_BOUNDS: [f64; 12] =
    [0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0];

/// How long a verdict waits for the engine, twice at most.
const JUDGE_WAIT: Duration = Duration::from_secs(5);

/// Figures of the engine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    pub(crate) now: Option<Timestamp>,
    pub(crate) in_baseline: bool,
    pub(crate) events: u64,
    pub(crate) events_ahead: u64,
    pub(crate) gaps: u64,
    pub(crate) routes: usize,
    pub(crate) attribute_octets: usize,
    pub(crate) claims: usize,
    pub(crate) counters: Counters,
    pub(crate) queue_waiting: usize,
    pub(crate) queue_most: usize,
    pub(crate) queue_items: u64,
    pub(crate) queue_waited: Duration,
    pub(crate) log_octets: u64,
    pub(crate) unlogged_since: Option<Timestamp>,
    pub(crate) unrecorded: usize,
    pub(crate) saves: u64,
    pub(crate) saved_at: Option<Timestamp>,
    pub(crate) save_took: Duration,
    pub(crate) report_took: Duration,
    pub(crate) reported_at: Option<Timestamp>,
    pub(crate) open: BTreeMap<(IncidentKind, SeverityClass), u64>,
    pub(crate) journal: Counts,
    pub(crate) store_failing: bool,
    pub(crate) store_octets: u64,
    pub(crate) trails: usize,
    pub(crate) clock_ahead_secs: i64,
    pub(crate) clock_jumps: u64,
    pub(crate) feeds: Vec<FeedStatus>,
}

/// The board.
pub(crate) struct Board {
    started: Timestamp,
    clock: Arc<dyn Clock>,
    queue_capacity: u64,
    sources: Vec<SourceHandle>,
    progress: Mutex<Progress>,
    /// When the last backup was made.
    backup: Mutex<Option<Timestamp>>,
    facts: FactsView,
    looks: LookAsker,
    observatory: Arc<Observatory>,
    orders: mpsc::Sender<Order>,
    heartbeat: Heartbeat,
    /// Route events taken when it was last looked for news.
    taken: watch::Sender<u64>,
    delay: Histogram,
    figures: Figures,
}

/// Figures that are told to Prometheus beside those of the status.
#[derive(Default)]
struct Figures {
    routes: Gauge,
    attribute_octets: Gauge,
    claims: Gauge,
    events: Gauge,
    log_octets: Gauge,
    save_secs: Gauge<f64, std::sync::atomic::AtomicU64>,
    report_secs: Gauge<f64, std::sync::atomic::AtomicU64>,
    unrecorded: Gauge,
    trails: Gauge,
    clock_ahead: Gauge,
    clock_jumps: Gauge,
    events_ahead: Gauge,
}

impl Board {
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        sources: Vec<SourceHandle>,
        queue_capacity: usize,
        (facts, looks, observatory): (FactsView, LookAsker, Arc<Observatory>),
        orders: mpsc::Sender<Order>,
    ) -> Self {
        Board {
            started: clock.now(),
            clock,
            queue_capacity: queue_capacity as u64,
            sources,
            progress: Mutex::default(),
            backup: Mutex::default(),
            facts,
            looks,
            observatory,
            orders,
            heartbeat: Heartbeat::default(),
            taken: watch::Sender::default(),
            delay: Histogram::new(DELAY_BOUNDS),
            figures: Figures::default(),
        }
    }

    pub(crate) fn heartbeat(&self) -> Heartbeat {
        self.heartbeat.clone()
    }

    /// Route events taken, told each time the engine has looked for news.
    pub(crate) fn taken(&self) -> watch::Receiver<u64> {
        self.taken.subscribe()
    }

    /// Whether all facts were read once, with success or without.
    pub(crate) fn are_facts_ready(&self) -> bool {
        self.facts.is_ready(self.clock.now())
    }

    /// An incident was told of for the first time.
    pub(crate) fn opened(&self, incident: &Incident, now: Timestamp) {
        let micros = now.micros().saturating_sub(incident.first_seen.micros()).max(0);
        #[expect(clippy::cast_precision_loss, reason = "a few hours in microseconds are exact")]
        self.delay.observe(micros as f64 / 1e6);
    }

    /// A backup was made.
    pub(crate) fn backed_up(&self, now: Timestamp) {
        *lock(&self.backup) = Some(now);
    }

    /// The figures of the moment.
    pub(crate) fn show(&self, progress: Progress) {
        let figures = &self.figures;
        let gauge = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        figures.routes.set(gauge(progress.routes as u64));
        figures.attribute_octets.set(gauge(progress.attribute_octets as u64));
        figures.claims.set(gauge(progress.claims as u64));
        figures.events.set(gauge(progress.events));
        figures.log_octets.set(gauge(progress.log_octets));
        figures.unrecorded.set(gauge(progress.unrecorded as u64));
        figures.trails.set(gauge(progress.trails as u64));
        figures.clock_ahead.set(progress.clock_ahead_secs);
        figures.clock_jumps.set(gauge(progress.clock_jumps));
        figures.events_ahead.set(gauge(progress.events_ahead));
        figures.save_secs.set(progress.save_took.as_secs_f64());
        figures.report_secs.set(progress.report_took.as_secs_f64());
        let taken = progress.events;
        *lock(&self.progress) = progress;
        self.taken.send_replace(taken);
        self.heartbeat.beat();
    }

    fn store(&self, progress: &Progress) -> StoreStatus {
        let failing = progress.store_failing.then(|| "see the log".to_owned());
        let unlogged = progress.unlogged_since;
        let unlogged = unlogged.map(|since| format!("events are not logged since {since}"));
        StoreStatus {
            octets: progress.store_octets,
            entries: progress.journal.recorded,
            written: progress.reported_at,
            snapshot: progress.saved_at,
            backup: *lock(&self.backup),
            failures: progress.journal.failures,
            failing: failing.or(unlogged),
        }
    }
}

impl ServeStatus for Board {
    fn snapshot(&self) -> Snapshot {
        let progress = lock(&self.progress).clone();
        let queue = QueueStatus {
            name: "live",
            waiting: progress.queue_waiting as u64,
            capacity: self.queue_capacity,
            most_waiting: progress.queue_most as u64,
            items: progress.queue_items,
            waited_ms: u64::try_from(progress.queue_waited.as_millis()).unwrap_or(u64::MAX),
            dropped: 0,
        };
        let open = progress.open.iter().map(|(&(kind, class), &count)| OpenIncidents {
            kind,
            class,
            count,
        });
        Snapshot {
            tables_loaded: progress.now.is_some() && !progress.in_baseline,
            facts_loaded: self.are_facts_ready(),
            facts: self.facts.statuses(self.clock.now()),
            sources: self.sources.iter().map(SourceHandle::snapshot).collect(),
            queues: vec![queue],
            store: Some(self.store(&progress)),
            feeds: progress.feeds,
            open_incidents: open.collect(),
            last_report: progress.reported_at,
            clock: ClockStatus {
                ahead_secs: progress.clock_ahead_secs,
                jumps: progress.clock_jumps,
            },
            ..Snapshot::new(self.started, self.clock.now())
        }
    }

    fn look(&self, query: Query) -> BoxFuture<'_, Result<Look, NoLook>> {
        Box::pin(self.looks.ask(query))
    }

    fn judge(&self, judgement: Judgement) -> BoxFuture<'_, Result<Judged, NotJudged>> {
        Box::pin(async {
            let (reply, judged) = oneshot::channel();
            let order = Order::Judge(judgement, reply);
            let sent = self.orders.send_timeout(order, JUDGE_WAIT).await;
            sent.map_err(|_| NotJudged::Busy)?;
            let judged = tokio::time::timeout(JUDGE_WAIT, judged).await;
            Ok(judged.map_err(|_| NotJudged::Busy)?.map_err(|_| NotJudged::Busy)??)
        })
    }

    fn observatory(&self) -> Option<Arc<Observatory>> {
        Some(Arc::clone(&self.observatory))
    }

    fn register(&self, registry: &mut Registry) {
        let figures = &self.figures;
        let mut gauges = [
            ("routewarden_table_routes", "Routes of all peers", &figures.routes),
            (
                "routewarden_table_attribute_bytes",
                "Octets of distinct attributes",
                &figures.attribute_octets,
            ),
            ("routewarden_detect_claims", "Claims followed", &figures.claims),
            (
                "routewarden_detect_events",
                "Route events taken since the state began",
                &figures.events,
            ),
            (
                "routewarden_log_segment_bytes",
                "Octets of the event log since the last saved state",
                &figures.log_octets,
            ),
            (
                "routewarden_store_waiting_incidents",
                "Incidents that wait for the store",
                &figures.unrecorded,
            ),
            ("routewarden_trails", "Incidents whose space is watched", &figures.trails),
            (
                "routewarden_clock_jumps",
                "How often the machine's clock jumped",
                &figures.clock_jumps,
            ),
            (
                "routewarden_detect_events_ahead",
                "Events whose time was ahead of their receipt",
                &figures.events_ahead,
            ),
            (
                "routewarden_clock_ahead_seconds",
                "How far the machine's clock is ahead of ours",
                &figures.clock_ahead,
            ),
        ];
        for (name, help, gauge) in &mut gauges {
            registry.register(*name, *help, gauge.clone());
        }
        registry.register(
            "routewarden_state_save_seconds",
            "How long the last saving of the state took",
            figures.save_secs.clone(),
        );
        registry.register(
            "routewarden_detect_report_seconds",
            "How long the last look for news took",
            figures.report_secs.clone(),
        );
        registry.register(
            "routewarden_report_delay_seconds",
            "From the first event of an incident to its being told of",
            self.delay.clone(),
        );
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What it guards is put in whole: a poisoned lock is as good as any.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
