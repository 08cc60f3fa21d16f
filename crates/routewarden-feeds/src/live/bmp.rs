//! A BMP station (RFC 7854): routers connect to it and tell what their peers sent.
//!
//! ```text
//! listener ─► one session per router ─► Router (peers, views) ─► Batcher ─► LiveSink
//! ```
//!
//! The peers of a router named `r1` have the collector `r1` as they are sent, `r1/post` after the
//! policy, `r1/out-pre` and `r1/out` for Adj-RIB-Out (RFC 8671), `r1/loc` for the Loc-RIB
//! (RFC 9069); those of a VRF have `r1/vrf-64500:1`, and `r1/vrf-64500:1/post` and so on. So no view
//! is ever taken for another.
//!
//! A peer comes up when its first routes come in, not with the Peer Up before them, which does not
//! say in which view they will come. When the router's session is lost, so are all its peers.

mod config;
mod event_time;
mod router;
mod session;
mod views;

pub use config::{
    AllowedAddrs, BMP_FIRST_MESSAGE_SECS, BMP_MESSAGE_SECS, BMP_PEERS, BMP_PEERS_MAX, BMP_ROUTERS,
    BMP_ROUTERS_MAX, BMP_WAIT_SECS_MAX, BmpConfig, BmpConfigError, BmpRouterConfig,
};
pub use event_time::{TIME_AHEAD_SECS_MAX, TIME_BEHIND_SECS_MAX};
pub use views::{PolicySide, ViewsConfig};

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use self::router::Router;
use self::session::{Session, Waits};
use super::listeners::{ACCEPT_PAUSE, ListenError, Listeners};
use super::{SourceContext, SourceState};

/// Why a station cannot begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BmpError {
    /// The configuration contradicts itself.
    #[error(transparent)]
    Config(#[from] BmpConfigError),
    /// It cannot listen.
    #[error(transparent)]
    Listen(#[from] ListenError),
}

/// A session that is running: how to end it, and how to know that it has ended.
struct Running {
    cancel: CancellationToken,
    ended: oneshot::Receiver<()>,
}

/// A station that listens.
#[derive(Debug)]
pub struct BmpStation {
    config: BmpConfig,
    listeners: Listeners,
}

impl BmpStation {
    /// Checks the configuration and listens; to be called within a runtime.
    ///
    /// # Errors
    ///
    /// See [`BmpError`].
    pub fn bind(config: BmpConfig) -> Result<Self, BmpError> {
        config.check()?;
        let listeners = Listeners::bind(&config.listen, &[])?;
        Ok(BmpStation { config, listeners })
    }

    /// Where it listens.
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        self.listeners.local_addrs()
    }

    /// Hears routers until it is cancelled.
    pub async fn run(self, context: SourceContext) {
        context.status.set_state(SourceState::Waiting, context.clock.now());
        let mut sessions = JoinSet::new();
        let mut running: BTreeMap<IpAddr, Running> = BTreeMap::new();
        loop {
            tokio::select! {
                biased;
                () = context.cancel.cancelled() => break,
                Some(_) = sessions.join_next() => {
                    running.retain(|_, session| session.ended.try_recv().is_err_and(
                        |error| error == oneshot::error::TryRecvError::Empty,
                    ));
                }
                accepted = self.listeners.accept() => match accepted {
                    Ok((stream, addr)) => {
                        if self.may_connect(&context, addr, sessions.len(), &running) {
                            self.begin(&context, (stream, addr), &mut sessions, &mut running);
                        }
                    }
                    Err(error) => {
                        context.status.fault("accept", error.to_string(), context.clock.now());
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        // The sessions were cancelled with the context.
        while sessions.join_next().await.is_some() {}
        context.status.set_state(SourceState::Stopped, context.clock.now());
    }

    fn may_connect(
        &self,
        context: &SourceContext,
        addr: SocketAddr,
        sessions: usize,
        running: &BTreeMap<IpAddr, Running>,
    ) -> bool {
        let now = context.clock.now();
        if !self.config.is_allowed(addr.ip()) {
            let text = format!("{addr} is not among the routers allowed");
            context.status.fault("bmp_not_allowed", text, now);
            return false;
        }
        let is_known = running.contains_key(&addr.ip());
        if !is_known && sessions >= self.config.routers_max {
            let text = format!("{addr}: more than {} routers", self.config.routers_max);
            context.status.fault("bmp_too_many_routers", text, now);
            return false;
        }
        true
    }

    /// Begins a session. One that the router still has is dead, as far as the router knows: it is
    /// ended, and the new one begins when it has told of its lost peers.
    fn begin(
        &self,
        context: &SourceContext,
        (stream, addr): (TcpStream, SocketAddr),
        sessions: &mut JoinSet<()>,
        running: &mut BTreeMap<IpAddr, Running>,
    ) {
        let cancel = context.cancel.child_token();
        let (end, ended) = oneshot::channel();
        let before = running.insert(addr.ip(), Running { cancel: cancel.clone(), ended });
        if before.is_some() {
            let text = format!("{addr} connected anew before its session had ended");
            context.status.fault("bmp_session_replaced", text, context.clock.now());
        }
        let name = self.config.name_of(addr.ip());
        let context = SourceContext { cancel, ..context.clone() };
        let views = self.config.views_of(addr.ip());
        let router = Router::new(name, views, self.config.peers_max, context.clone());
        let session = Session::new(stream, router, Waits::of(&self.config), context);
        sessions.spawn(async move {
            if let Some(before) = before {
                before.cancel.cancel();
                // An error means that it has ended.
                let _ended = before.ended.await;
            }
            session.run().await;
            drop(end);
        });
    }
}
