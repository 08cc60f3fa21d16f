//! The thread that decides: takes what the sources hand on, in order, logs it, tells the detector,
//! and reports what is new.

mod trails;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use routewarden_core::Timestamp;
use routewarden_detect::FactsChange;
use routewarden_feeds::live::{Clock, LiveBatch, LiveItem, LiveQueue};
use routewarden_store::{Judged, StoreError};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::back_fill::BackFillAsker;
use super::board::{Board, Progress};
use super::clock::SteadyClock;
use super::core::Core;
use super::feeds::Feeds;
use super::journal::{Journal, Told};
use super::log::LogWriter;
use super::looks::LookDesk;
use super::record::{Record, SavedFacts};
use super::saved::Saved;
use super::tidings::{News, Tidings};
use crate::readiness::ToKeep;
use crate::status::Judgement;

/// Without anything new, what follows from time alone is looked at this often.
const QUIET_REPORT_SECS: i64 = 5;
/// The log is brought to the disk this often.
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// A session that sent nothing for so long has sent its table, End-of-RIB or not.
const TRANSFER_QUIET_SECS: i64 = 10;
/// New tables are learned from at most this often.
const RELEARN_EVERY: Duration = Duration::from_mins(1);
/// What ended is forgotten this often at least; in a tenth of the time that it is kept, if shorter.
const RETIRE_EVERY_MAX: Duration = Duration::from_mins(10);
/// What is old is taken out of the store this often.
const RETENTION_EVERY: Duration = Duration::from_hours(6);
/// After a failure to write, it is tried again this often.
const RETRY_EVERY: Duration = Duration::from_secs(5);
/// Items taken before time is looked at again.
const ITEMS_AT_ONCE: usize = 64;

/// How the engine works.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// How often to look for news, at most.
    pub(crate) report_every: Duration,
    /// Looking for news is followed by a pause of so many times what it took.
    pub(crate) report_share: u32,
    /// The state to start from comes in for at least so long, and at most.
    pub(crate) warm_up_secs: (i64, i64),
    /// How often the state is saved.
    pub(crate) save_every: Duration,
    /// Or when the log has grown by so many octets.
    pub(crate) save_after_octets: u64,
    /// What ended so long ago is forgotten by the detector; the store keeps it.
    pub(crate) forget_after_secs: i64,
    /// What ended is taken out of the store after so many days.
    pub(crate) retention_days: u32,
}

impl Settings {
    fn retire_every(&self) -> Duration {
        let kept = u64::try_from(self.forget_after_secs).unwrap_or(0);
        Duration::from_secs((kept / 10).max(1)).min(RETIRE_EVERY_MAX)
    }
}

/// What others ask of the engine.
pub(crate) enum Order {
    /// New facts.
    Facts(Box<NewFacts>),
    /// Something of the measurements is to be kept.
    Keep(Box<ToKeep>),
    /// Somebody judges an incident.
    Judge(Judgement, oneshot::Sender<Result<Judged, StoreError>>),
    /// A gap was filled from an archive, as far as it had the files.
    Filled {
        /// The source that had the gap.
        source: String,
        /// Its ends.
        gap: (Timestamp, Timestamp),
        /// Whether nothing is missing.
        is_whole: bool,
    },
}

/// A version of facts that takes the place of the one before.
pub(crate) struct NewFacts {
    /// Name of their source, as configured.
    pub(crate) name: String,
    /// What tells the version from others.
    pub(crate) version: String,
    pub(crate) change: FactsChange,
}

/// What the engine is made of.
pub(crate) struct Parts {
    pub(crate) core: Core,
    pub(crate) saved: Saved,
    pub(crate) log: Option<LogWriter>,
    pub(crate) queue: LiveQueue,
    pub(crate) orders: mpsc::Receiver<Order>,
    pub(crate) looks: LookDesk,
    pub(crate) journal: Journal,
    pub(crate) tidings: Tidings,
    pub(crate) feeds: Feeds,
    pub(crate) back_fill: BackFillAsker,
    pub(crate) board: Arc<Board>,
    pub(crate) clock: Arc<SteadyClock>,
    pub(crate) settings: Settings,
    /// Whether the detector knows nothing of what the store has as open.
    pub(crate) has_begun_anew: bool,
}

/// The engine at work.
pub(crate) struct Engine {
    parts: Parts,
    due: Due,
    /// Events taken when the last report was made.
    reported_events: u64,
    reported_at: Timestamp,
    has_changed: bool,
    progress: Progress,
}

/// When things are to be done next.
struct Due {
    report: Instant,
    sync: Instant,
    relearn: Instant,
    retire: Instant,
    save: Instant,
    retention: Instant,
}

enum Next {
    Item(LiveItem),
    Order(Order),
    /// Time to see what is due, or to look at the table for somebody.
    Tick,
    Closed,
}

impl Engine {
    pub(crate) fn new(parts: Parts) -> Self {
        let now = Instant::now();
        let settings = parts.settings;
        let due = Due {
            report: now,
            sync: now + SYNC_EVERY,
            relearn: now + RELEARN_EVERY,
            retire: now + settings.retire_every(),
            save: now + settings.save_every,
            retention: now + RETENTION_EVERY,
        };
        Engine {
            due,
            reported_events: 0,
            reported_at: Timestamp::default(),
            has_changed: true,
            progress: Progress::default(),
            parts,
        }
    }

    /// Works until all sources have ended; then reports and saves a last time.
    pub(crate) fn run(mut self, runtime: &Handle) -> Result<()> {
        self.parts.core.keep_by_as();
        self.parts.looks.begin();
        loop {
            match runtime.block_on(self.next()) {
                Next::Item(item) => {
                    self.take(item);
                    self.take_waiting();
                }
                Next::Order(order) => self.obey(order),
                Next::Tick => {}
                Next::Closed => break,
            }
            self.tick();
            // Behind what is due: who looks delays no report.
            self.parts.looks.step(&self.parts.core);
        }
        self.finish()
    }

    async fn next(&mut self) -> Next {
        let Parts { queue, orders, looks, .. } = &mut self.parts;
        tokio::select! {
            item = queue.recv() => item.map_or(Next::Closed, Next::Item),
            Some(order) = orders.recv() => Next::Order(order),
            () = tokio::time::sleep_until(self.due.report) => Next::Tick,
            () = looks.ready() => Next::Tick,
        }
    }

    /// Takes some of what waits, so that time is not looked at for each.
    fn take_waiting(&mut self) {
        for _ in 0..ITEMS_AT_ONCE {
            let Some(item) = self.parts.queue.try_recv() else { break };
            self.take(item);
        }
    }

    fn take(&mut self, item: LiveItem) {
        match item {
            LiveItem::Batch(mut live) => {
                let ahead = Core::set_right(&mut live.batch, live.received);
                self.progress.events_ahead += ahead as u64;
                // What is fetched later says nothing about how a feed does.
                if !self.parts.back_fill.is_source(&live.source) {
                    self.parts.feeds.hear(&live);
                }
                self.tell_batch(live);
            }
            LiveItem::Gap { source, from, until } => {
                warn!(%source, %from, %until, "gap in a feed");
                self.progress.gaps += 1;
                self.parts.feeds.gap(&source, from, until);
                self.parts.journal.gap(&source, (from, until), false);
                self.parts.back_fill.ask(&source, (from, until), &self.parts.core);
            }
        }
    }

    fn tell_batch(&mut self, live: LiveBatch) {
        let LiveBatch { source, received, batch } = live;
        let record = Record::Batch { source: source.to_string(), received, batch };
        self.log(&record);
        if let Record::Batch { source, received, batch } = record {
            self.parts.core.take(&source, received, &batch);
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Facts(facts) => {
                let NewFacts { name, version, mut change } = *facts;
                let now = self.parts.clock.now();
                self.parts.journal.facts(&name, &version, now);
                if !self.parts.core.leave_out_known(&mut change) {
                    return;
                }
                info!(name, version, "facts");
                self.log(&Record::Facts(now, SavedFacts::of(&change)));
                let has_relations = change.relations.is_some();
                self.parts.core.change_facts(now, change);
                if has_relations {
                    self.tell(Record::Relearn);
                }
                self.has_changed = true;
                self.due.report = Instant::now();
            }
            Order::Keep(kept) => self.parts.journal.keep(&kept, self.parts.clock.now()),
            Order::Judge(judgement, reply) => {
                let judged = self.parts.journal.judge(judgement, self.parts.clock.now());
                // Who asked may have gone meanwhile.
                let _is_gone = reply.send(judged).is_err();
            }
            Order::Filled { source, gap: (from, until), is_whole } => {
                info!(%source, %from, %until, is_whole, "gap filled from the archive");
                if is_whole {
                    self.parts.journal.gap(&source, (from, until), true);
                }
            }
        }
    }

    fn tell(&mut self, record: Record) {
        self.log(&record);
        self.parts.core.tell(record);
        self.has_changed = true;
    }

    /// Logs a record. Where that fails, detection goes on and the state is saved as soon as it can
    /// be again: the disk may be full.
    fn log(&mut self, record: &Record) {
        let Some(log) = &mut self.parts.log else { return };
        if let Err(failure) = log.append(record) {
            error!(error = %anyhow::Error::from(failure), "events are not logged");
            self.lose_log();
        }
    }

    fn lose_log(&mut self) {
        self.parts.log = None;
        self.progress.unlogged_since = Some(self.parts.clock.now());
        self.due.save = Instant::now() + RETRY_EVERY;
    }

    fn tick(&mut self) {
        let started = Instant::now();
        if started < self.due.report {
            return;
        }
        let now = self.parts.clock.now();
        self.log(&Record::Advance(now));
        self.parts.core.advance(now);
        self.look_after_tables(now, started);
        self.look_after_feeds(now);
        if started >= self.due.sync {
            self.due.sync = started + SYNC_EVERY;
            self.sync();
        }
        if started >= self.due.retire {
            self.due.retire = started + self.parts.settings.retire_every();
            let before = now.plus_secs(-self.parts.settings.forget_after_secs);
            self.tell(Record::Retire(before));
        }
        if started >= self.due.retention {
            self.due.retention = started + RETENTION_EVERY;
            self.parts.journal.forget(self.parts.settings.retention_days, now);
        }
        self.report(now);
        self.keep_trails(now);
        self.save_if_due(started);
        let took = started.elapsed();
        let pause = self.parts.settings.report_every.max(took * self.parts.settings.report_share);
        self.due.report = Instant::now() + pause;
        self.show(now);
    }

    /// Ends the baseline; learns from tables that came later.
    fn look_after_tables(&mut self, now: Timestamp, started: Instant) {
        let (least, most) = self.parts.settings.warm_up_secs;
        if self.parts.core.in_baseline() {
            let Some(first) = self.parts.core.first_heard() else { return };
            let passed = now.secs_since(first);
            if !self.parts.board.are_facts_ready() && passed < most {
                return;
            }
            let is_open = self.parts.core.transfers(now, TRANSFER_QUIET_SECS) > 0;
            if passed >= most || (passed >= least && !is_open) {
                self.tell(Record::EndBaseline);
                info!(
                    routes = self.parts.core.detector().routes(),
                    "the state to start from is complete"
                );
                self.due.save = started;
            }
        } else if started >= self.due.relearn {
            self.due.relearn = started + RELEARN_EVERY;
            if self.parts.core.has_new_tables()
                && self.parts.core.transfers(now, TRANSFER_QUIET_SECS) == 0
            {
                self.tell(Record::Relearn);
            }
        }
    }

    /// Judges the feeds; what changed is told and remembered.
    fn look_after_feeds(&mut self, now: Timestamp) {
        for change in self.parts.feeds.tick(now) {
            let (before, after) = (change.before.name(), change.after.name());
            info!(collector = %change.collector, before, after, reason = ?change.reason, "feed");
            self.parts.journal.feed_state(&change);
        }
        for (collector, gap) in self.parts.feeds.take_ended_gaps() {
            let until = gap.until.unwrap_or(now);
            self.parts.journal.gap(&collector, (gap.from, until), false);
        }
        self.progress.feeds = self.parts.feeds.statuses();
    }

    fn sync(&mut self) {
        let failed = self.parts.log.as_mut().and_then(|log| log.sync().err());
        if let Some(failure) = failed {
            error!(error = %anyhow::Error::from(failure), "the event log is not on the disk");
            self.lose_log();
        }
    }

    fn report(&mut self, now: Timestamp) {
        if self.parts.core.in_baseline() {
            return;
        }
        let events = self.parts.core.events();
        let is_quiet = events == self.reported_events && !self.has_changed;
        if is_quiet && now.secs_since(self.reported_at) < QUIET_REPORT_SECS {
            self.parts.journal.retry(now);
            return;
        }
        let started = Instant::now();
        let mut report = self.parts.core.report();
        for incident in &mut report.incidents {
            self.parts.feeds.name_impaired(incident);
        }
        let news = self.parts.tidings.of(&report.incidents, now);
        for (what, incident) in &news {
            if *what == News::Opened && self.parts.core.is_live(incident) {
                self.parts.board.opened(incident, now);
            }
        }
        self.progress.open.clear();
        for incident in report.incidents.iter().filter(|incident| incident.ended_at.is_none()) {
            let place = (incident.kind, incident.severity_class);
            *self.progress.open.entry(place).or_default() += 1;
        }
        self.progress.claims = self.parts.core.detector().claim_count();
        self.progress.counters = report.counters;
        let core = &self.parts.core;
        let told = news.into_iter().map(|(what, incident)| Told {
            what,
            countries: core.countries(incident.culprits.iter().chain(&incident.victims)),
            incident,
        });
        self.parts.journal.record(told.collect(), now);
        if std::mem::take(&mut self.parts.has_begun_anew) {
            // What the store has as open and the tables do not show has ended meanwhile.
            self.parts.journal.end_unseen(now);
        }
        self.progress.report_took = started.elapsed();
        (self.reported_events, self.reported_at, self.has_changed) = (events, now, false);
        self.progress.reported_at = Some(now);
    }

    fn save_if_due(&mut self, started: Instant) {
        let octets = self.parts.log.as_ref().map_or(0, LogWriter::octets);
        if started < self.due.save && octets < self.parts.settings.save_after_octets {
            return;
        }
        self.due.save = started + self.parts.settings.save_every;
        if let Err(failure) = self.save() {
            error!(error = format!("{failure:#}"), "the state is not saved");
            self.due.save = started + RETRY_EVERY;
        }
    }

    fn save(&mut self) -> Result<()> {
        let started = Instant::now();
        self.parts.log = Some(self.parts.saved.save(&self.parts.core)?);
        self.progress.unlogged_since = None;
        self.progress.saved_at = Some(self.parts.clock.now());
        self.progress.save_took = started.elapsed();
        self.progress.saves += 1;
        Ok(())
    }

    /// Puts the figures of the moment on the board.
    fn show(&mut self, now: Timestamp) {
        let Parts { core, queue, log, journal, clock, .. } = &self.parts;
        let progress = &mut self.progress;
        progress.now = Some(now);
        progress.events = core.events();
        progress.routes = core.detector().routes();
        progress.attribute_octets = core.detector().attribute_octets();
        progress.in_baseline = core.in_baseline();
        progress.queue_waiting = queue.waiting();
        progress.queue_most = queue.most_waiting();
        progress.queue_waited = queue.waited();
        progress.queue_items = queue.items();
        progress.log_octets = log.as_ref().map_or(0, LogWriter::octets);
        progress.unrecorded = journal.waiting();
        progress.store_octets = journal.octets();
        progress.trails = core.trails().len();
        progress.journal = journal.counts();
        progress.store_failing = journal.failed_at().is_some();
        (progress.clock_ahead_secs, progress.clock_jumps) = clock.difference();
        self.parts.board.show(progress.clone());
    }

    fn finish(mut self) -> Result<()> {
        let now = self.parts.clock.now();
        self.log(&Record::Advance(now));
        self.parts.core.advance(now);
        self.has_changed = true;
        self.report(now);
        self.keep_trails(now);
        self.write_trails(now);
        self.save()?;
        self.show(now);
        self.parts.journal.close(now)
    }
}
