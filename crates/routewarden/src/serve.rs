//! `serve`: the feeds as they come, decided on at once, and nothing lost.
//!
//! ```text
//! sources (tokio) ─► LiveQueue (bounded) ─► Engine (one thread) ─► Journal: store, log of reports
//! facts (tokio) ──► orders (bounded) ────►   │    └─► event log, saved states
//! HTTP, systemd (tokio) ◄── Board ◄──────────┘
//! ```
//!
//! Everything is started and joined here.

mod board;
mod clock;
mod core;
mod engine;
mod feeds;
mod journal;
mod log;
mod record;
mod saved;
mod sources;
mod tidings;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use routewarden_core::Timestamp;
use routewarden_core::facts::Facts;
use routewarden_detect as detect;
use routewarden_feeds::live::{Clock, QUEUED_BATCHES_MAX, queue};
use routewarden_store::ServiceEvent;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::board::Board;
use self::clock::SteadyClock;
use self::core::Core;
use self::engine::{Engine, Order, Parts, Settings};
use self::feeds::Feeds;
use self::journal::Journal;
use self::log::LogWriter;
use self::record::Record;
use self::saved::Saved;
use self::sources::Source;
use self::tidings::Tidings;
use crate::config::Config;
use crate::http::HttpServer;
use crate::{facts, notify_systemd};

/// Orders that may wait for the engine.
const ORDERS_MAX: usize = 16;
/// The state is saved when the log since the last one is so long.
const LOG_OCTETS_MAX: u64 = 1 << 30;
/// How long the sources have to end their sessions.
const SOURCES_END: Duration = Duration::from_secs(10);

/// Runs until it is told to stop.
///
/// # Errors
/// When it cannot start, or cannot keep what it decided last.
pub(crate) fn run(config: &Config) -> Result<()> {
    let clock: Arc<SteadyClock> = Arc::new(SteadyClock::of_machine());
    let now = clock.now();
    std::fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("cannot make {}", config.data_dir.display()))?;
    let mut journal = Journal::open(&config.data_dir, config.detect.report_confidence, now)?;
    let facts = facts::of_config(config)?;
    let sources = sources::of(config);
    let (saved, core, log) = start_state(config, facts, &sources, (&mut journal, now))?;
    let settings = settings(config);
    let since = now.plus_secs(-settings.forget_after_secs);
    let tidings = Tidings::told_of(journal.told(since)?);

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let dyn_clock: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
    let (sink, queue) = queue(QUEUED_BATCHES_MAX);
    let (orders, orders_received) = mpsc::channel(ORDERS_MAX);
    let handles: Vec<_> = sources.iter().map(|source| source.handle.clone()).collect();
    let feeds = Feeds::new(handles.clone());
    let board = Arc::new(Board::new(Arc::clone(&dyn_clock), handles, QUEUED_BATCHES_MAX));
    let cancel = CancellationToken::new();

    let http = runtime.block_on(HttpServer::bind(&config.http));
    let http = http.with_context(|| format!("cannot listen on {}", config.http.listen))?;
    info!(address = %http.local_addr()?, "HTTP");
    let edge = CancellationToken::new();
    let http = runtime.spawn(http.run(board.clone(), edge.clone()));
    runtime.spawn(notify_systemd::watchdog(board.heartbeat(), edge.clone()));
    watch_signals(&runtime, &cancel)?;
    let source_tasks = sources::start(sources, runtime.handle(), (&sink, &dyn_clock), &cancel);
    drop(sink);
    let facts_tasks = facts_live(config, &runtime, &orders, &cancel);
    drop(orders);

    let engine = Engine::new(Parts {
        core,
        saved,
        log,
        queue,
        orders: orders_received,
        journal,
        tidings,
        feeds,
        board: Arc::clone(&board),
        clock,
        settings,
    });
    let on = runtime.handle().clone();
    let engine = std::thread::Builder::new()
        .name("engine".to_owned())
        .spawn(move || engine.run(&on))
        .context("cannot start a thread")?;
    notify_systemd::ready("watching");
    runtime.block_on(cancel.cancelled());
    notify_systemd::stopping("ending");
    info!("stopping");
    runtime.block_on(end(source_tasks));
    runtime.block_on(end(facts_tasks));
    let result = engine.join().map_err(|_| anyhow::anyhow!("the engine failed"))?;
    edge.cancel();
    runtime.block_on(end(vec![http]));
    runtime.shutdown_timeout(SOURCES_END);
    info!("stopped");
    result
}

/// Waits for tasks; those that do not end in time are given up.
async fn end(tasks: Vec<tokio::task::JoinHandle<()>>) {
    for mut task in tasks {
        if tokio::time::timeout(SOURCES_END, &mut task).await.is_err() {
            warn!("a task did not end in time");
            task.abort();
        }
    }
}

fn settings(config: &Config) -> Settings {
    let secs = |period: crate::config::Period| {
        i64::try_from(period.duration().as_secs()).unwrap_or(i64::MAX)
    };
    Settings {
        report_every: Duration::from_millis(u64::from(config.detect.report_every_ms)),
        warm_up_secs: (secs(config.detect.warm_up), secs(config.detect.warm_up_max)),
        save_every: config.store.snapshot_every.duration(),
        save_after_octets: LOG_OCTETS_MAX,
        forget_after_secs: secs(config.detect.ended_kept),
    }
}

/// The state to go on from: the last one and the log since, or nothing.
fn start_state(
    config: &Config,
    facts: Facts,
    sources: &[Source],
    (journal, now): (&mut Journal, Timestamp),
) -> Result<(Saved, Core, Option<LogWriter>)> {
    let (mut saved, resumed) = Saved::open(&config.data_dir.join("state"), &facts)?;
    let Some(mut resumed) = resumed else {
        journal.service(ServiceEvent::Started, now);
        let core = Core::empty(detector_config(config), facts);
        let log = saved.save(&core)?;
        return Ok((saved, core, Some(log)));
    };
    for reason in &resumed.unreadable {
        warn!(reason, "a saved state cannot be read");
    }
    info!(
        records = resumed.records,
        lost_octets = resumed.lost_octets,
        routes = resumed.core.detector().routes(),
        "resumed"
    );
    journal.service(ServiceEvent::Recovered, now);
    for source in sources {
        // Nobody heard what its sessions said meanwhile.
        let name = source.handle.name();
        if source.has_sessions() {
            let batch = resumed.core.all_down(name, now);
            if !batch.events.is_empty() {
                let record = Record::Batch { source: name.to_string(), received: now, batch };
                resumed.log.append(&record)?;
                resumed.core.tell(record);
            }
        } else if let Some(&heard) = resumed.core.heard().get(&**name) {
            journal.gap(name, heard, now);
        }
    }
    Ok((saved, resumed.core, Some(resumed.log)))
}

fn detector_config(config: &Config) -> detect::Config {
    detect::Config {
        bogons: config.detect.bogons,
        quorum: config.detect.quorum.and_then(|quorum| usize::try_from(quorum).ok()),
        hygiene: config.detect.hygiene,
        ..detect::Config::default()
    }
}

/// Cancels when the program is told to end.
fn watch_signals(runtime: &Runtime, cancel: &CancellationToken) -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let _entered = runtime.enter();
    let mut terminate = signal(SignalKind::terminate()).context("cannot watch for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot watch for signals")?;
    let cancel = cancel.clone();
    runtime.spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        cancel.cancel();
    });
    Ok(())
}

fn facts_live(
    _config: &Config,
    runtime: &Runtime,
    orders: &mpsc::Sender<Order>,
    _cancel: &CancellationToken,
) -> Vec<tokio::task::JoinHandle<()>> {
    let orders = orders.clone();
    vec![runtime.spawn(async move {
        let _told = orders.send(Order::FactsReady).await;
    })]
}
