//! `serve`: the feeds as they come, decided on at once, and nothing lost.
//!
//! ```text
//! sources (tokio) ─► LiveQueue (bounded) ─► Engine (one thread) ─► Journal: store, log of reports
//! facts (tokio) ──► orders (bounded) ────►   │    └─► event log, saved states
//! HTTP, systemd (tokio) ◄── Board ◄──────────┘
//! ```
//!
//! Everything is started and joined here.

mod back_fill;
mod board;
mod clock;
mod core;
mod edge;
mod engine;
mod facts;
mod feeds;
mod journal;
mod log;
mod record;
mod saved;
mod sources;
mod start;
mod tables;
mod tidings;

pub(crate) use sources::faults as source_faults;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use routewarden_core::Timestamp;
use routewarden_feeds::live::{
    Clock, LiveItem, LiveSink, QUEUED_BATCHES_MAX, SourceContext, SourceHandle, SourceKind, queue,
};
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::back_fill::BackFillAsker;
use self::board::Board;
use self::clock::SteadyClock;
use self::engine::{Engine, Order, Parts};
use self::feeds::Feeds;
use self::journal::Journal;
use crate::config::Config;
use crate::http::HttpServer;
use crate::notify_systemd;

/// Orders that may wait for the engine.
const ORDERS_MAX: usize = 16;
/// How long the sources have to end their sessions.
const SOURCES_END: Duration = Duration::from_secs(10);

/// Runs until it is told to stop.
///
/// # Errors
/// When it cannot start, or cannot keep what it decided last.
pub(crate) fn run(config: &Config) -> Result<()> {
    let clock: Arc<SteadyClock> = Arc::new(SteadyClock::of_machine());
    make(&config.data_dir)?;
    let mut journal =
        Journal::open(&config.data_dir, config.detect.report_confidence, clock.now())?;
    let start = start::state(config, (&mut journal, clock.now()))?;
    let tidings = start.tidings(config, (&journal, clock.now()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let (sink, queue) = queue(QUEUED_BATCHES_MAX);
    let (orders, orders_received) = mpsc::channel(ORDERS_MAX);
    let around = Around {
        config,
        runtime: runtime.handle(),
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        cancel: CancellationToken::new(),
        sink,
        orders,
    };
    let cancel = around.cancel.clone();
    for (source, from) in start.gaps {
        let gap = LiveItem::Gap { source, from, until: clock.now() };
        // The queue is empty, and as long as there are sources.
        let _is_open = runtime.block_on(around.sink.send(gap)).is_ok();
    }
    let Started { board, feeds, back_fill, tasks, edge, http } = start_all(around, start.from)?;
    let engine = Engine::new(Parts {
        core: start.core,
        saved: start.saved,
        log: Some(start.log),
        queue,
        orders: orders_received,
        journal,
        tidings,
        feeds,
        back_fill,
        board,
        clock,
        settings: start::settings(config),
        has_begun_anew: !start.is_resumed,
    });
    let (on, guard) = (runtime.handle().clone(), cancel.clone().drop_guard());
    let work = move || {
        // Whatever ends the engine ends the program.
        let _guard = guard;
        engine.run(&on)
    };
    let engine = std::thread::Builder::new().name("engine".to_owned()).spawn(work);
    let engine = engine.context("cannot start a thread")?;
    notify_systemd::ready("watching");
    runtime.block_on(cancel.cancelled());
    notify_systemd::stopping("ending");
    info!("stopping");
    runtime.block_on(end(tasks));
    let result = engine.join().map_err(|_| anyhow::anyhow!("the engine failed"))?;
    edge.cancel();
    runtime.block_on(end(vec![http]));
    runtime.shutdown_timeout(SOURCES_END);
    info!("stopped");
    result
}

/// What everything that runs on the runtime is given.
struct Around<'a> {
    config: &'a Config,
    runtime: &'a Handle,
    clock: Arc<dyn Clock>,
    cancel: CancellationToken,
    sink: LiveSink,
    orders: mpsc::Sender<Order>,
}

/// What was started on the runtime.
struct Started {
    board: Arc<Board>,
    feeds: Feeds,
    back_fill: BackFillAsker,
    /// Sources, facts, backups: they end when cancelled.
    tasks: Vec<JoinHandle<()>>,
    /// Ends the HTTP server, which tells of the end of all others.
    edge: CancellationToken,
    http: JoinHandle<()>,
}

/// Starts all but the engine. The queue ends with the last of the sources.
#[expect(clippy::needless_pass_by_value, reason = "our own ends of the queues go with it")]
fn start_all(around: Around<'_>, from: Timestamp) -> Result<Started> {
    let Around { config, runtime, clock, cancel, .. } = &around;
    let refresh = Arc::new(Notify::new());
    let cache_dir = config.data_dir.join("facts");
    make(&cache_dir)?;
    let surroundings = facts::Surroundings {
        runtime,
        orders: around.orders.clone(),
        clock: Arc::clone(clock),
        cancel: cancel.clone(),
        now: Arc::clone(&refresh),
        cache_dir: &cache_dir,
    };
    let (view, mut tasks) = facts::start(config, surroundings);
    let sources = sources::of(config, from);
    let mut handles: Vec<_> = sources.iter().map(|source| source.handle.clone()).collect();
    let feeds = Feeds::new(handles.clone());
    let back_fill = start_back_fill(&around, &mut handles, &mut tasks)?;
    let board = Arc::new(Board::new(Arc::clone(clock), handles, QUEUED_BATCHES_MAX, view));
    let http = runtime.block_on(HttpServer::bind(&config.http));
    let http = http.with_context(|| format!("cannot listen on {}", config.http.listen))?;
    info!(address = %http.local_addr()?, "HTTP");
    let edge = CancellationToken::new();
    let http = runtime.spawn(http.run(board.clone(), edge.clone()));
    runtime.spawn(notify_systemd::watchdog(board.heartbeat(), edge.clone()));
    edge::watch_signals(runtime, cancel, refresh)?;
    tasks.extend(edge::backups(config, runtime, (clock, &board), cancel));
    tasks.extend(sources::start(sources, runtime, (&around.sink, clock), cancel));
    Ok(Started { board, feeds, back_fill, tasks, edge, http })
}

/// Gaps are filled where there is an archive to fill them from.
fn start_back_fill(
    around: &Around<'_>,
    handles: &mut Vec<SourceHandle>,
    tasks: &mut Vec<JoinHandle<()>>,
) -> Result<BackFillAsker> {
    let config = around.config;
    let archive = config.archive.first().filter(|_| config.health.backfill);
    let Some(archive) = archive.map(|section| sources::of_archive(config, section)) else {
        return Ok(back_fill::none());
    };
    let filler = SourceContext {
        status: SourceHandle::new(back_fill::NAME, SourceKind::Archive),
        sink: around.sink.clone(),
        clock: Arc::clone(&around.clock),
        cancel: around.cancel.clone(),
    };
    handles.push(filler.status.clone());
    let (asker, task) = back_fill::start(&archive, around.runtime, filler, around.orders.clone())?;
    tasks.push(task);
    Ok(asker)
}

fn make(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// Waits for tasks; those that do not end in time are given up.
async fn end(tasks: Vec<JoinHandle<()>>) {
    for mut task in tasks {
        if tokio::time::timeout(SOURCES_END, &mut task).await.is_err() {
            warn!("a task did not end in time");
            task.abort();
        }
    }
}
