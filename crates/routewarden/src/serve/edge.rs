//! What the machine tells the program, and what is made of the store from time to time.

use std::sync::Arc;

use anyhow::{Context, Result};
use routewarden_feeds::live::Clock;
use routewarden_store::{StoreReader, access};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::board::Board;
use crate::config::Config;
use crate::notify_systemd;

/// Cancels when the program is told to end; reads facts anew when it is told to reload.
pub(super) fn watch_signals(
    runtime: &Handle,
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
pub(super) fn backups(
    config: &Config,
    runtime: &Handle,
    (clock, board): (&Arc<dyn Clock>, &Arc<Board>),
    cancel: &CancellationToken,
) -> Option<JoinHandle<()>> {
    let folder = config.store.backup_dir.clone()?;
    let (data_dir, every) = (config.data_dir.clone(), config.store.backup_every.duration());
    let (clock, board, cancel) = (Arc::clone(clock), Arc::clone(board), cancel.clone());
    Some(runtime.spawn(async move {
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(every) => {}
            }
            let name: String =
                clock.now().to_string().chars().filter(char::is_ascii_alphanumeric).collect();
            let (file, from) = (folder.join(format!("routewarden-{name}.db")), data_dir.clone());
            let work = move || {
                let report = StoreReader::open(&from)?.backup(&file)?;
                access::back_up(&from, &file).map(|_| (file, report))
            };
            match tokio::task::spawn_blocking(work).await {
                Ok(Ok((file, report))) => {
                    board.backed_up(clock.now());
                    info!(file = %file.display(), sha256 = %report.sha256, "backup");
                }
                Ok(Err(failure)) => error!(error = %failure, "no backup"),
                Err(failure) => error!(error = %failure, "no backup"),
            }
        }
    }))
}
