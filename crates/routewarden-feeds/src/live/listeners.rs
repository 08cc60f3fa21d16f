//! Sockets that wait for sessions.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::Poll;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};

/// A connection on which nothing is heard for so long is probed, so that a peer that vanished is
/// noticed.
const KEEPALIVE_IDLE: Duration = Duration::from_mins(1);
/// Time between probes.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// How long to wait after the system could not take a connection.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// An address on which nothing can listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {addr}")]
pub struct ListenError {
    /// The address.
    pub addr: SocketAddr,
    /// What the system said.
    pub source: io::Error,
}

/// All sockets of a source.
#[derive(Debug)]
pub(super) struct Listeners {
    listeners: Vec<TcpListener>,
}

impl Listeners {
    pub(super) async fn bind(addrs: &[SocketAddr]) -> Result<Self, ListenError> {
        let mut listeners = Vec::with_capacity(addrs.len());
        for &addr in addrs {
            let bound = TcpListener::bind(addr).await;
            listeners.push(bound.map_err(|source| ListenError { addr, source })?);
        }
        Ok(Listeners { listeners })
    }

    /// Where they listen.
    pub(super) fn local_addrs(&self) -> Vec<SocketAddr> {
        self.listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }

    /// The next connection on any; the peer's address is IPv4 when it came as an IPv4-mapped one.
    /// Waits for ever when there is no socket. Cancel-safe.
    pub(super) async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let accepted = poll_fn(|context| {
            for listener in &self.listeners {
                if let Poll::Ready(accepted) = listener.poll_accept(context) {
                    return Poll::Ready(accepted);
                }
            }
            Poll::Pending
        });
        let (stream, addr) = accepted.await?;
        let keepalive =
            TcpKeepalive::new().with_time(KEEPALIVE_IDLE).with_interval(KEEPALIVE_INTERVAL);
        SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
        Ok((stream, SocketAddr::new(addr.ip().to_canonical(), addr.port())))
    }
}
