//! A BGP speaker that only listens (RFC 4271): each neighbour has one session, over which it tells
//! its routes. We send OPEN, KEEPALIVE and NOTIFICATION, and never an UPDATE.
//!
//! ```text
//! listener or connect ─► handshake (OPEN) ─► session (timers, UPDATEs) ─► Batcher ─► LiveSink
//! ```
//!
//! Offered are IPv4 and IPv6 unicast (RFC 4760), four-octet ASNs (RFC 6793), long messages
//! (RFC 8654) and, when configured, the receipt of several paths (RFC 7911). Not offered are route
//! refresh, graceful restart (but for its sign that End-of-RIBs are wanted, when configured) and a
//! role (RFC 9234): we keep no routes for a neighbour that is gone, and its role is towards its
//! real neighbours.

mod config;
mod end;
mod handshake;
mod prefix_count;
mod session;

pub use config::{
    BGP_HOLD_SECS, BGP_NEIGHBOURS_MAX, BGP_OPEN_SECS, BGP_OPEN_SECS_MAX, BGP_PENDING_MAX,
    BGP_PREFIXES, BGP_PREFIXES_MAX, BgpConfig, BgpConfigError, BgpNeighbourConfig,
};

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use routewarden_tcp_md5::sign;
use routewarden_wire::Notification;
use routewarden_wire::encode;
use routewarden_wire::notification::{cease, error_code};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use self::session::{Outcome, Session};
use super::listeners::{ACCEPT_PAUSE, Key, ListenError, Listeners, new_socket};
use super::{Backoff, SourceContext, SourceState};

/// Least and most wait before a neighbour is tried again.
const RETRY: [Duration; 2] = [Duration::from_secs(5), Duration::from_mins(2)];
/// How long a neighbour may take to accept a connection.
const CONNECT_WAIT: Duration = Duration::from_secs(15);
/// How long a neighbour may take to take a short message.
const REFUSAL_WAIT: Duration = Duration::from_secs(1);

/// Why a speaker cannot begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BgpError {
    /// The configuration contradicts itself, or asks for what is not there.
    #[error(transparent)]
    Config(#[from] BgpConfigError),
    /// A key of TCP MD5 that cannot be used.
    #[error("cannot use the key of {address}, of tcp_md5_file")]
    Key {
        /// The neighbour.
        address: IpAddr,
        /// What is wrong.
        source: std::io::Error,
    },
    /// It cannot listen.
    #[error(transparent)]
    Listen(#[from] ListenError),
}

/// The keys of the neighbours that are to sign.
fn keys(config: &BgpConfig) -> Result<Vec<Key>, BgpError> {
    let key = |neighbour: &BgpNeighbourConfig| {
        let address = neighbour.address.to_canonical();
        let key = neighbour.key().map_err(|source| BgpError::Key { address, source });
        key.map(|key| key.map(|key| (address, key))).transpose()
    };
    config.neighbours.iter().filter_map(key).collect()
}

/// Neighbours that have a session, or are about to.
type Busy = Arc<Mutex<BTreeSet<IpAddr>>>;

/// Holds a neighbour's only session; gives it back when dropped.
struct Claim {
    busy: Busy,
    addr: IpAddr,
}

impl Claim {
    /// `None` when the neighbour has a session.
    fn take(busy: &Busy, addr: IpAddr) -> Option<Self> {
        let is_free = busy.lock().unwrap_or_else(PoisonError::into_inner).insert(addr);
        is_free.then(|| Claim { busy: Arc::clone(busy), addr })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.addr);
    }
}

/// A speaker that listens.
#[derive(Debug)]
pub struct BgpSpeaker {
    config: Arc<BgpConfig>,
    listeners: Listeners,
}

impl BgpSpeaker {
    /// Checks the configuration and listens; to be called within a runtime.
    ///
    /// # Errors
    ///
    /// See [`BgpError`].
    pub fn bind(config: BgpConfig) -> Result<Self, BgpError> {
        config.check()?;
        let listeners = Listeners::bind(&config.listen, &keys(&config)?)?;
        Ok(BgpSpeaker { config: Arc::new(config), listeners })
    }

    /// Where it listens.
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        self.listeners.local_addrs()
    }

    /// Hears the neighbours until it is cancelled; then their sessions are shut down.
    pub async fn run(self, context: SourceContext) {
        context.status.set_state(SourceState::Waiting, context.clock.now());
        let neighbours: BTreeMap<IpAddr, Arc<BgpNeighbourConfig>> = self
            .config
            .neighbours
            .iter()
            .map(|neighbour| (neighbour.address.to_canonical(), Arc::new(neighbour.clone())))
            .collect();
        let busy = Busy::default();
        let mut tasks = JoinSet::new();
        for neighbour in neighbours.values().filter(|neighbour| neighbour.connect_port.is_some()) {
            let (config, neighbour) = (Arc::clone(&self.config), Arc::clone(neighbour));
            tasks.spawn(keep_connected(config, neighbour, Arc::clone(&busy), context.clone()));
        }
        // Sessions and refusals; their number is bounded by neighbours and by `BGP_PENDING_MAX`.
        let mut refusals = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = context.cancel.cancelled() => break,
                Some(_) = tasks.join_next() => {}
                Some(_) = refusals.join_next() => {}
                accepted = self.listeners.accept() => match accepted {
                    Ok((stream, addr)) => match neighbours.get(&addr.ip()) {
                        None => {
                            let text = format!("{addr} is no neighbour");
                            context.status.fault("bgp_not_allowed", text, context.clock.now());
                        }
                        Some(neighbour) => match Claim::take(&busy, addr.ip()) {
                            Some(claim) => {
                                let session = self.session(stream, neighbour, &context);
                                let cancel = context.cancel.clone();
                                tasks.spawn(async move {
                                    let outcome = session.run().await;
                                    pause(outcome, &cancel).await;
                                    drop(claim);
                                });
                            }
                            None => Self::refuse(stream, addr, &context, &mut refusals),
                        },
                    },
                    Err(error) => {
                        context.status.fault("accept", error.to_string(), context.clock.now());
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        while tasks.join_next().await.is_some() {}
        context.status.set_state(SourceState::Stopped, context.clock.now());
    }

    fn session(
        &self,
        stream: TcpStream,
        neighbour: &Arc<BgpNeighbourConfig>,
        context: &SourceContext,
    ) -> Session<TcpStream> {
        let (config, neighbour) = (Arc::clone(&self.config), Arc::clone(neighbour));
        Session::new(stream, config, neighbour, context.clone())
    }

    /// A second connection of a neighbour is closed with a Cease (RFC 4271 §6.8): the session that
    /// stands is kept.
    fn refuse(
        stream: TcpStream,
        addr: SocketAddr,
        context: &SourceContext,
        refusals: &mut JoinSet<()>,
    ) {
        let text = format!("{addr} has a session already");
        context.status.fault("bgp_collision", text, context.clock.now());
        if refusals.len() < BGP_PENDING_MAX {
            refusals.spawn(async move {
                let _told = timeout(REFUSAL_WAIT, send_collision(stream)).await;
            });
        }
    }
}

/// Waits as long as the neighbour is to have no other session.
async fn pause(outcome: Outcome, cancel: &CancellationToken) {
    let Some(pause) = outcome.pause else { return };
    tokio::select! {
        () = cancel.cancelled() => {}
        () = sleep(pause) => {}
    }
}

async fn send_collision(mut stream: TcpStream) -> std::io::Result<()> {
    let cease = Notification { code: error_code::CEASE, subcode: cease::COLLISION, data: &[] };
    stream.write_all(&encode::notification(&cease).unwrap_or_default()).await?;
    stream.shutdown().await
}

/// Connects to a neighbour, and anew whenever the session has ended.
async fn keep_connected(
    config: Arc<BgpConfig>,
    neighbour: Arc<BgpNeighbourConfig>,
    busy: Busy,
    context: SourceContext,
) {
    let [least, most] = RETRY;
    let mut backoff = Backoff::new(least, most);
    let cancel = context.cancel.clone();
    let address = neighbour.address.to_canonical();
    while !cancel.is_cancelled() {
        if let Some(claim) = Claim::take(&busy, address) {
            let connected = tokio::select! {
                () = cancel.cancelled() => return,
                connected = timeout(CONNECT_WAIT, connect(&neighbour)) => connected,
            };
            match connected {
                Ok(Ok(stream)) => {
                    let (config, neighbour) = (Arc::clone(&config), Arc::clone(&neighbour));
                    let session = Session::new(stream, config, neighbour, context.clone());
                    let outcome = session.run().await;
                    if outcome.was_established {
                        backoff.reset();
                    }
                    pause(outcome, &cancel).await;
                }
                failed => {
                    let why = failed.ok().and_then(Result::err).map(|error| error.to_string());
                    let why = why.unwrap_or_else(|| "no answer".to_owned());
                    let text = format!("{address}: {why}");
                    context.status.fault("bgp_connect", text, context.clock.now());
                }
            }
            drop(claim);
        }
        tokio::select! {
            () = cancel.cancelled() => return,
            () = sleep(backoff.next_wait()) => {}
        }
    }
}

async fn connect(neighbour: &BgpNeighbourConfig) -> std::io::Result<TcpStream> {
    let port = neighbour.connect_port.unwrap_or_default();
    let addr = SocketAddr::new(neighbour.address, port);
    let socket = new_socket(addr.ip())?;
    if let Some(key) = neighbour.key()? {
        sign(&socket, addr.ip(), &key)?;
    }
    if let Some(local) = neighbour.local_address {
        socket.bind(SocketAddr::new(local, 0))?;
    }
    socket.connect(addr).await
}
