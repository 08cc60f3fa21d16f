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
mod engine;
mod facts;
mod feeds;
mod journal;
mod log;
mod record;
mod saved;
mod sources;
mod tables;
mod tidings;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use routewarden_core::facts::Facts;
use routewarden_core::{PeerTable, Timestamp};
use routewarden_detect as detect;
use routewarden_detect::Detector;
use routewarden_feeds::live::{
    Clock, QUEUED_BATCHES_MAX, SourceContext, SourceHandle, SourceKind, queue,
};
use routewarden_store::{ServiceEvent, StoreReader};
use tokio::runtime::Runtime;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use self::board::Board;
use self::clock::SteadyClock;
use self::core::Core;
use self::engine::{Engine, Parts, Settings};
use self::feeds::Feeds;
use self::journal::Journal;
use self::log::LogWriter;
use self::record::Record;
use self::saved::{Resumed, Saved};
use self::tidings::Tidings;
use crate::config::Config;
use crate::http::HttpServer;
use crate::notify_systemd;

/// Orders that may wait for the engine.
const ORDERS_MAX: usize = 16;
/// The state is saved when the log since the last one is so long.
const LOG_OCTETS_MAX: u64 = 1 << 30;
/// After a restart, files of an archive are read again from so long before the last was heard.
const ARCHIVE_OVERLAP_SECS: i64 = 3_600;
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
    let known = crate::facts::of_config(config)?;
    let Start { saved, core, log, from, is_resumed } =
        start_state(config, known, (&mut journal, now))?;
    let sources = sources::of(config, from);
    let settings = settings(config);
    let tidings = if is_resumed {
        Tidings::told_of(journal.told(now.plus_secs(-settings.forget_after_secs))?)
    } else {
        Tidings::default()
    };

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let dyn_clock: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
    let (sink, queue) = queue(QUEUED_BATCHES_MAX);
    let (orders, orders_received) = mpsc::channel(ORDERS_MAX);
    let cancel = CancellationToken::new();
    let refresh = Arc::new(Notify::new());
    let cache_dir = config.data_dir.join("facts");
    std::fs::create_dir_all(&cache_dir)
        .with_context(|| format!("cannot make {}", cache_dir.display()))?;
    let (facts_view, mut tasks) = facts::start(
        config,
        facts::Surroundings {
            runtime: runtime.handle(),
            orders: orders.clone(),
            clock: Arc::clone(&dyn_clock),
            cancel: cancel.clone(),
            now: Arc::clone(&refresh),
            cache_dir: &cache_dir,
        },
    );
    let mut handles: Vec<_> = sources.iter().map(|source| source.handle.clone()).collect();
    let feeds = Feeds::new(handles.clone());
    let filler = SourceContext {
        status: SourceHandle::new(back_fill::NAME, SourceKind::Archive),
        sink: sink.clone(),
        clock: Arc::clone(&dyn_clock),
        cancel: cancel.clone(),
    };
    let archive = config.archive.first().filter(|_| config.health.backfill);
    let back_fill = match archive.map(|section| sources::of_archive(config, section)) {
        Some(archive) => {
            handles.push(filler.status.clone());
            let (asker, task) =
                back_fill::start(&archive, runtime.handle(), filler, orders.clone())?;
            tasks.push(task);
            asker
        }
        None => back_fill::none(),
    };
    let board =
        Arc::new(Board::new(Arc::clone(&dyn_clock), handles, QUEUED_BATCHES_MAX, facts_view));
    let http = runtime.block_on(HttpServer::bind(&config.http));
    let http = http.with_context(|| format!("cannot listen on {}", config.http.listen))?;
    info!(address = %http.local_addr()?, "HTTP");
    let edge = CancellationToken::new();
    let http = runtime.spawn(http.run(board.clone(), edge.clone()));
    runtime.spawn(notify_systemd::watchdog(board.heartbeat(), edge.clone()));
    watch_signals(&runtime, &cancel, refresh)?;
    let source_tasks = sources::start(sources, runtime.handle(), (&sink, &dyn_clock), &cancel);
    drop(sink);
    drop(orders);
    tasks.extend(backups(config, &runtime, &dyn_clock, &cancel));

    let engine = Engine::new(Parts {
        core,
        saved,
        log,
        queue,
        orders: orders_received,
        journal,
        tidings,
        feeds,
        back_fill,
        board: Arc::clone(&board),
        clock,
        settings,
        has_begun_anew: !is_resumed,
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
    runtime.block_on(end(tasks));
    let result = engine.join().map_err(|_| anyhow::anyhow!("the engine failed"))?;
    edge.cancel();
    runtime.block_on(end(vec![http]));
    runtime.shutdown_timeout(SOURCES_END);
    info!("stopped");
    result
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
        retention_days: config.store.retention_days,
    }
}

/// What to go on from.
struct Start {
    saved: Saved,
    core: Core,
    log: Option<LogWriter>,
    /// Archives are to be followed from then on.
    from: Timestamp,
    /// Whether it goes on from a saved state.
    is_resumed: bool,
}

/// The state to go on from: the last one and the log since; else tables; else nothing.
fn start_state(
    config: &Config,
    facts: Facts,
    (journal, now): (&mut Journal, Timestamp),
) -> Result<Start> {
    let (mut saved, resumed) = Saved::open(&config.data_dir.join("state"), &facts)?;
    if let Some(resumed) = resumed {
        journal.service(ServiceEvent::Recovered, now);
        let (core, log, from) = go_on(config, resumed, (journal, now))?;
        return Ok(Start { saved, core, log: Some(log), from, is_resumed: true });
    }
    journal.service(ServiceEvent::Started, now);
    let mut detector = Detector::new(detector_config(config), facts);
    let loaded = tables::load(config, now, &mut detector)?;
    let from = loaded.as_ref().map_or(now, |loaded| loaded.from);
    let core = match loaded {
        Some(loaded) => Core::new(detector, loaded.peers, false),
        None => Core::new(detector, PeerTable::default(), true),
    };
    let log = saved.save(&core)?;
    Ok(Start { saved, core, log: Some(log), from, is_resumed: false })
}

/// Goes on from a saved state: nobody heard what happened meanwhile.
fn go_on(
    config: &Config,
    resumed: Resumed,
    (journal, now): (&mut Journal, Timestamp),
) -> Result<(Core, LogWriter, Timestamp)> {
    let Resumed { mut core, mut log, records, lost_octets, unreadable } = resumed;
    for reason in &unreadable {
        warn!(reason, "a saved state cannot be read");
    }
    info!(records, lost_octets, routes = core.detector().routes(), "resumed");
    for source in sources::of(config, now) {
        let name = source.handle.name();
        if source.has_sessions() {
            let batch = core.all_down(name, now);
            if !batch.events.is_empty() {
                let record = Record::Batch { source: name.to_string(), received: now, batch };
                log.append(&record)?;
                core.tell(record);
            }
        } else if let Some(&heard) = core.heard().get(&**name) {
            journal.gap(name, (heard, now), false);
        }
    }
    let archives = config.archive.iter().map(|section| section.name.as_str());
    let heard = archives.filter_map(|name| core.heard().get(name)).min().copied();
    let from = heard.map_or(now, |heard| heard.plus_secs(-ARCHIVE_OVERLAP_SECS));
    Ok((core, log, from))
}

fn detector_config(config: &Config) -> detect::Config {
    detect::Config {
        bogons: config.detect.bogons,
        quorum: config.detect.quorum.and_then(|quorum| usize::try_from(quorum).ok()),
        hygiene: config.detect.hygiene,
        ..detect::Config::default()
    }
}

/// Cancels when the program is told to end; reads facts anew when it is told to reload.
fn watch_signals(
    runtime: &Runtime,
    cancel: &CancellationToken,
    refresh: Arc<Notify>,
) -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let _entered = runtime.enter();
    let mut terminate = signal(SignalKind::terminate()).context("cannot watch for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot watch for signals")?;
    let mut reload = signal(SignalKind::hangup()).context("cannot watch for signals")?;
    let cancel = cancel.clone();
    runtime.spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = reload.recv() => {
                    notify_systemd::reloading();
                    info!("facts and constituency are read anew; other changes need a restart");
                    refresh.notify_waiters();
                    notify_systemd::ready("watching");
                }
            }
        }
        cancel.cancel();
    });
    Ok(())
}

/// Makes backups of the store, where that is asked for.
fn backups(
    config: &Config,
    runtime: &Runtime,
    clock: &Arc<dyn Clock>,
    cancel: &CancellationToken,
) -> Option<JoinHandle<()>> {
    let folder = config.store.backup_dir.clone()?;
    let (data_dir, every) = (config.data_dir.clone(), config.store.backup_every.duration());
    let (clock, cancel) = (Arc::clone(clock), cancel.clone());
    Some(runtime.spawn(async move {
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(every) => {}
            }
            let name: String =
                clock.now().to_string().chars().filter(|c| c.is_ascii_alphanumeric()).collect();
            let (file, from) = (folder.join(format!("routewarden-{name}.db")), data_dir.clone());
            let work = move || StoreReader::open(&from)?.backup(&file).map(|report| (file, report));
            match tokio::task::spawn_blocking(work).await {
                Ok(Ok((file, report))) => {
                    info!(file = %file.display(), sha256 = %report.sha256, "backup");
                }
                Ok(Err(failure)) => error!(error = %failure, "no backup"),
                Err(failure) => error!(error = %failure, "no backup"),
            }
        }
    }))
}
