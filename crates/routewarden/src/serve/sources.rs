//! Starts the sources that the configuration names.

use std::future::Future;
use std::sync::Arc;

use routewarden_core::Timestamp;
use routewarden_feeds::live::bgp::{
    BGP_HOLD_SECS, BGP_OPEN_SECS, BgpConfig, BgpError, BgpNeighbourConfig, BgpSpeaker,
};
use routewarden_feeds::live::bmp::{
    AllowedAddrs, BMP_FIRST_MESSAGE_SECS, BMP_MESSAGE_SECS, BMP_PEERS, BmpConfig, BmpError,
    BmpStation, PolicySide, ViewsConfig,
};
use routewarden_feeds::live::follow::{
    ArchiveConfig, DIRECTORY_SETTLE_SECS, DirectoryConfig, follow_archive, follow_directory,
};
use routewarden_feeds::live::ris_live::{self, RisLiveConfig};
use routewarden_feeds::live::{
    Clock, LiveSink, SourceContext, SourceHandle, SourceKind, SourceState,
};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::config::{Archive, Bgp, Bmp, BmpView, Config, Neighbour, RisLive};

/// A source that is ready to be started.
pub(crate) struct Source {
    pub(crate) handle: SourceHandle,
    settings: Settings,
}

enum Settings {
    RisLive(RisLiveConfig),
    Bmp(BmpConfig),
    Bgp(BgpConfig),
    /// With the time from which on its files are wanted.
    Archive(ArchiveConfig, Timestamp),
    Directory(DirectoryConfig),
}

impl Source {
    /// Whether its sessions send their tables anew when they come back: then nothing is known of
    /// them after a restart.
    pub(crate) fn has_sessions(&self) -> bool {
        matches!(self.handle.snapshot().kind, SourceKind::Bmp | SourceKind::Bgp)
    }
}

impl Source {
    /// Whether what it says while nobody listens is never said again.
    pub(crate) fn is_heard_once(&self) -> bool {
        matches!(self.settings, Settings::RisLive(_))
    }

    /// What makes it impossible to start.
    fn fault(&self) -> Option<String> {
        let fault = match &self.settings {
            Settings::RisLive(config) => config.check().err().map(|error| error.to_string()),
            Settings::Bmp(config) => config.check().err().map(|error| error.to_string()),
            Settings::Bgp(config) => config.check().err().map(|error| error.to_string()),
            Settings::Archive(config, _) => config.check().err().map(|error| error.to_string()),
            Settings::Directory(config) => config.check().err().map(|error| error.to_string()),
        };
        fault.map(|fault| format!("{}: {fault}", self.handle.name()))
    }
}

/// What of the sources of a configuration cannot work, source by source.
pub(crate) fn faults(config: &Config) -> Vec<String> {
    of(config, Timestamp::default()).iter().filter_map(Source::fault).collect()
}

/// All sources of a configuration; archives are followed from `from` on.
pub(crate) fn of(config: &Config, from: Timestamp) -> Vec<Source> {
    let ris_live = config.ris_live.iter().map(|section| Source {
        handle: SourceHandle::new(&section.name, SourceKind::RisLive),
        settings: Settings::RisLive(of_ris_live(section)),
    });
    let bmp = config.bmp.iter().map(|section| Source {
        handle: SourceHandle::new(&section.name, SourceKind::Bmp),
        settings: Settings::Bmp(of_bmp(section)),
    });
    let bgp = config.bgp.iter().map(|section| Source {
        handle: SourceHandle::new(&section.name, SourceKind::Bgp),
        settings: Settings::Bgp(of_bgp(section)),
    });
    let archives = config.archive.iter().filter(|section| section.follow);
    let archives = archives.map(|section| Source {
        handle: SourceHandle::new(&section.name, SourceKind::Archive),
        settings: Settings::Archive(of_archive(config, section), from),
    });
    let directories = config.directory.iter().map(|section| Source {
        handle: SourceHandle::new(&section.collector, SourceKind::Archive),
        settings: Settings::Directory(DirectoryConfig {
            path: section.path.clone(),
            every_secs: section.every.duration().as_secs(),
            settle_secs: DIRECTORY_SETTLE_SECS,
            existing: true,
        }),
    });
    ris_live.chain(bmp).chain(bgp).chain(archives).chain(directories).collect()
}

/// An archive as its follower takes it.
pub(crate) fn of_archive(config: &Config, section: &Archive) -> ArchiveConfig {
    ArchiveConfig {
        collectors: section.collectors.clone(),
        cache_dir: config.cache_dir(section),
        every_secs: section.every.duration().as_secs(),
        route_views_url: section.routeviews_url.clone(),
        ris_url: section.ris_url.clone(),
        proxy: None,
    }
}

fn of_bmp(section: &Bmp) -> BmpConfig {
    let has = |view| section.views.contains(&view);
    let side = |pre, post| match (has(pre), has(post)) {
        (true, true) => PolicySide::Auto,
        (true, false) => PolicySide::Pre,
        (false, true) => PolicySide::Post,
        (false, false) => PolicySide::None,
    };
    BmpConfig {
        listen: vec![section.listen],
        allow: section.allow.iter().map(|range| AllowedAddrs(range.0)).collect(),
        routers: Vec::new(),
        views: ViewsConfig {
            adj_rib_in: side(BmpView::AdjRibInPre, BmpView::AdjRibInPost),
            adj_rib_out: side(BmpView::AdjRibOutPre, BmpView::AdjRibOutPost),
            loc_rib: has(BmpView::LocRib),
        },
        routers_max: usize::try_from(section.routers_max).unwrap_or(usize::MAX),
        peers_max: BMP_PEERS,
        first_message_secs: BMP_FIRST_MESSAGE_SECS,
        message_secs: BMP_MESSAGE_SECS,
    }
}

fn of_bgp(section: &Bgp) -> BgpConfig {
    let neighbour = |neighbour: &Neighbour| BgpNeighbourConfig {
        address: neighbour.address,
        asn: neighbour.asn,
        name: Some(neighbour.name.clone()),
        add_path: neighbour.add_path,
        ask_end_of_rib: true,
        prefixes_max: usize::try_from(neighbour.max_prefixes).unwrap_or(usize::MAX),
        connect_port: None,
        local_address: None,
        tcp_md5_file: neighbour.tcp_md5_file.clone(),
        tcp_ao_file: None,
    };
    BgpConfig {
        listen: vec![section.listen],
        local_asn: section.local_asn,
        router_id: section.router_id,
        hold_secs: BGP_HOLD_SECS,
        open_secs: BGP_OPEN_SECS,
        neighbours: section.neighbours.iter().map(neighbour).collect(),
    }
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
            Settings::Archive(config, from) => {
                let work = context.clone();
                spawn(runtime, context, async move { follow_archive(work, &config, from).await })
            }
            Settings::Directory(config) => {
                let work = context.clone();
                spawn(runtime, context, async move { follow_directory(work, &config).await })
            }
            Settings::Bmp(config) => {
                let work = context.clone();
                spawn(runtime, context, async move {
                    BmpStation::bind(config)?.run(work).await;
                    Ok::<(), BmpError>(())
                })
            }
            Settings::Bgp(config) => {
                let work = context.clone();
                spawn(runtime, context, async move {
                    BgpSpeaker::bind(config)?.run(work).await;
                    Ok::<(), BgpError>(())
                })
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
