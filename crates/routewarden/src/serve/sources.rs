//! Starts the sources that the configuration names.

use std::future::Future;
use std::sync::Arc;

use anyhow::Result;
use routewarden_feeds::live::ris_live::{self, RisLiveConfig};
use routewarden_feeds::live::{
    Clock, LiveSink, SourceContext, SourceHandle, SourceKind, SourceState,
};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::config::{Config, RisLive};

/// A source that is ready to be started.
pub(crate) struct Source {
    pub(crate) handle: SourceHandle,
    settings: Settings,
}

enum Settings {
    RisLive(RisLiveConfig),
}

impl Source {
    /// Whether its sessions send their tables anew when they come back: then nothing is known of
    /// them after a restart.
    pub(crate) fn has_sessions(&self) -> bool {
        matches!(self.handle.snapshot().kind, SourceKind::Bmp | SourceKind::Bgp)
    }
}

/// All sources of a configuration.
pub(crate) fn of(config: &Config) -> Result<Vec<Source>> {
    let ris_live = config.ris_live.iter().map(|section| Source {
        handle: SourceHandle::new(&section.name, SourceKind::RisLive),
        settings: Settings::RisLive(of_ris_live(section)),
    });
    Ok(ris_live.collect())
}

fn of_ris_live(section: &RisLive) -> RisLiveConfig {
    RisLiveConfig {
        url: section.url.clone(),
        client: section.client.clone(),
        hosts: section.hosts.clone(),
        prefixes: section.prefixes.clone(),
        ..RisLiveConfig::default()
    }
}

/// Starts them on the runtime; each ends when cancelled.
pub(crate) fn start(
    sources: Vec<Source>,
    runtime: &Handle,
    (sink, clock): (&LiveSink, &Arc<dyn Clock>),
    cancel: &CancellationToken,
) -> Vec<JoinHandle<()>> {
    let start = |source: Source| {
        let context = SourceContext {
            status: source.handle,
            sink: sink.clone(),
            clock: Arc::clone(clock),
            cancel: cancel.clone(),
        };
        match source.settings {
            Settings::RisLive(config) => {
                let work = context.clone();
                spawn(runtime, context, async move { ris_live::run(work, &config).await })
            }
        }
    };
    sources.into_iter().map(start).collect()
}

/// A source that cannot work is told of, and leaves the others alone.
fn spawn<E: std::error::Error + Send + Sync + 'static>(
    runtime: &Handle,
    context: SourceContext,
    work: impl Future<Output = Result<(), E>> + Send + 'static,
) -> JoinHandle<()> {
    runtime.spawn(async move {
        if let Err(failure) = work.await {
            let failure = anyhow::Error::from(failure);
            let source = context.status.name();
            error!(%source, error = format!("{failure:#}"), "a source ended");
            let now = context.clock.now();
            context.status.fault("failed", format!("{failure:#}"), now);
            context.status.set_state(SourceState::Stopped, now);
        }
    })
}
