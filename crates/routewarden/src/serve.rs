//! `serve`: the feeds as they come, decided on at once, and nothing lost.
//!
//! ```text
//! sources (tokio) ─► LiveQueue (bounded) ─► Engine (one thread) ─► Journal: store, log of reports
//! facts (tokio) ──► orders (bounded) ────►   │    └─► event log, saved states
//! HTTP, systemd (tokio) ◄── Board ◄──────────┘
//! HTTP ── looks (bounded), taken between two batches ──► Engine
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
mod looks;
mod play;
mod record;
mod saved;
mod sources;
mod start;
mod survey;
mod tables;
mod tidings;
mod trail;

pub(crate) use clock::SteadyClock;
pub(crate) use sources::faults as source_faults;

use std::path::{Path, PathBuf};
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
use self::engine::{Engine, Order, Parts};
use self::feeds::Feeds;
use self::journal::Journal;
use self::looks::LookAsker;
use self::play::{ArchiveTime, Pieces, Player, Stock};
use self::start::Start;
use self::survey::{BesideHolder, Surveyor};
use crate::cli::Speed;
use crate::config::Config;
use crate::facts::{self as facts_on_disk, BesideFiles};
use crate::http::HttpServer;
use crate::http::access::Access;
use crate::notify_systemd;
use crate::readiness::Observatory;
use crate::status::ServeStatus;

/// Orders that may wait for the engine.
const ORDERS_MAX: usize = 16;
/// In a replay, the table is surveyed this often: its time passes fast.
const REPLAY_SURVEY_EVERY: Duration = Duration::from_secs(30);
/// How long the sources have to end their sessions.
const SOURCES_END: Duration = Duration::from_secs(10);

/// What to play instead of what is heard.
pub(crate) struct Replay {
    /// Files and folders, or the folder of a scenario.
    pub(crate) inputs: Vec<PathBuf>,
    pub(crate) speed: Speed,
}

/// Runs until it is told to stop.
///
/// # Errors
/// When it cannot start, or cannot keep what it decided last.
pub(crate) fn run(config: &Config) -> Result<()> {
    let clock: Arc<SteadyClock> = Arc::new(SteadyClock::of_machine());
    make(&config.data_dir)?;
    let mut journal = open_journal(config, &clock)?;
    let start = start::state(config, (&mut journal, clock.now()))?;
    run_from(config, (start, journal), clock, None)
}

/// Plays, then runs until it is told to stop.
///
/// # Errors
/// As [`run`]; when there is nothing to play, or something in the folder for data.
pub(crate) fn play(config: &Config, replay: &Replay) -> Result<()> {
    make(&config.data_dir)?;
    play::check_empty(config)?;
    let stock = Stock::open(config, &replay.inputs)?;
    let time = Arc::new(ArchiveTime::at(stock.begins));
    let clock: Arc<SteadyClock> = Arc::new(SteadyClock::of_archive(Arc::clone(&time)));
    let beside = BesideHolder::new(facts_on_disk::beside(&BesideFiles::of_config(config))?);
    let config = &play::configuration(config);
    let mut journal = open_journal(config, &clock)?;
    let (start, pieces) = start::to_play(config, stock, (&mut journal, clock.now()))?;
    let playing = Playing { pieces, speed: replay.speed, time, beside };
    run_from(config, (start, journal), clock, Some(playing))
}

/// What is played, and by which clock.
struct Playing {
    pieces: Pieces,
    speed: Speed,
    time: Arc<ArchiveTime>,
    beside: BesideHolder,
}

fn open_journal(config: &Config, clock: &SteadyClock) -> Result<Journal> {
    Journal::open(&config.data_dir, config.detect.report_confidence, clock.now())
}

fn run_from(
    config: &Config,
    (start, journal): (Start, Journal),
    clock: Arc<SteadyClock>,
    playing: Option<Playing>,
) -> Result<()> {
    let settings = start::settings(config, playing.as_ref().map(|playing| playing.speed));
    let tidings = start.tidings(config, (&journal, clock.now()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let beside = playing.as_ref().map(|playing| playing.beside.clone()).unwrap_or_default();
    let (sink, queue) = queue(QUEUED_BATCHES_MAX);
    let (orders, orders_received) = mpsc::channel(ORDERS_MAX);
    let (look_asker, look_desk) = looks::desk();
    let around = Around {
        config,
        runtime: runtime.handle(),
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        cancel: CancellationToken::new(),
        sink,
        orders,
        looks: look_asker,
        playing,
        beside,
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
        looks: look_desk,
        journal,
        tidings,
        feeds,
        back_fill,
        board,
        clock,
        settings,
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
    looks: LookAsker,
    playing: Option<Playing>,
    /// Facts that only measurements rest on.
    beside: BesideHolder,
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
fn start_all(mut around: Around<'_>, from: Timestamp) -> Result<Started> {
    let playing = around.playing.take();
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
    let beside = around.beside.clone();
    let (view, mut tasks) = facts::start(config, surroundings, beside.clone());
    let sources = sources::of(config, from);
    let mut handles: Vec<_> = sources.iter().map(|source| source.handle.clone()).collect();
    let feeds = Feeds::new(handles.clone());
    let back_fill = start_back_fill(&around, &mut handles, &mut tasks)?;
    let status = SourceHandle::new(play::NAME, SourceKind::Archive);
    handles.extend(playing.as_ref().map(|_| status.clone()));
    let observatory = Arc::new(Observatory::new(config.data_dir.clone(), Arc::clone(clock)));
    let board = Arc::new(Board::new(
        Arc::clone(clock),
        handles,
        QUEUED_BATCHES_MAX,
        (view, around.looks.clone(), Arc::clone(&observatory)),
        around.orders.clone(),
    ));
    let surveyor = Surveyor {
        looks: around.looks.clone(),
        beside,
        observatory,
        every: if playing.is_some() {
            REPLAY_SURVEY_EVERY
        } else {
            config.readiness.every.duration()
        },
        orders: around.orders.clone(),
        cancel: cancel.clone(),
    };
    tasks.push(runtime.spawn(surveyor.run()));
    let http = runtime.block_on(HttpServer::bind(&config.http));
    let http = http.with_context(|| format!("cannot listen on {}", config.http.listen))?;
    let listen = http.local_addr()?;
    info!(address = %listen, "HTTP");
    // Users live now, whenever the archive is from.
    let of_users: Arc<dyn Clock> = match playing {
        Some(_) => Arc::new(SteadyClock::of_machine()),
        None => Arc::clone(clock),
    };
    let access = Arc::new(Access::open(config, of_users, listen)?);
    let edge = CancellationToken::new();
    let parts = (Arc::<Board>::clone(&board) as Arc<dyn ServeStatus>, access);
    let http = runtime.spawn(http.run(parts, config.data_dir.clone(), edge.clone()));
    runtime.spawn(notify_systemd::watchdog(board.heartbeat(), edge.clone()));
    edge::watch_signals(runtime, cancel, refresh)?;
    tasks.extend(edge::backups(config, runtime, (clock, &board), cancel));
    tasks.extend(sources::start(sources, runtime, (&around.sink, clock), cancel));
    tasks.extend(playing.map(|Playing { pieces, speed, time, .. }| {
        let (sink, orders) = (around.sink.clone(), around.orders.clone());
        let (taken, cancel) = (board.taken(), cancel.clone());
        play::start(Player { pieces, speed, time, status, sink, orders, taken, cancel }, runtime)
    }));
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
