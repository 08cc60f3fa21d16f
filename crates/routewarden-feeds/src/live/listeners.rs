//! Sockets that wait for sessions.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::Poll;
use std::time::Duration;

use routewarden_tcp_md5::sign;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// A connection on which nothing is heard for so long is probed, so that a peer that vanished is
/// noticed.
const KEEPALIVE_IDLE: Duration = Duration::from_mins(1);
/// Time between probes.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// How long to wait after the system could not take a connection.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Connections that wait to be taken.
const BACKLOG: u32 = 1_024;

/// The key of TCP MD5 for an address.
pub(super) type Key = (IpAddr, Vec<u8>);

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
    /// Listens on all of them. Who has a key is heard only if it signs.
    pub(super) fn bind(addrs: &[SocketAddr], keys: &[Key]) -> Result<Self, ListenError> {
        let bind = |&addr| listen(addr, keys).map_err(|source| ListenError { addr, source });
        Ok(Listeners { listeners: addrs.iter().map(bind).collect::<Result<_, _>>()? })
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

/// The keys are there before the first connection can come.
fn listen(addr: SocketAddr, keys: &[Key]) -> io::Result<TcpListener> {
    let socket = new_socket(addr.ip())?;
    // A port that was left a moment ago can be taken again.
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    for (peer, key) in keys {
        match (addr.ip(), *peer) {
            (IpAddr::V6(_), IpAddr::V4(peer)) => sign(&socket, peer.to_ipv6_mapped().into(), key)?,
            (IpAddr::V4(_), IpAddr::V6(_)) => {}
            (_, peer) => sign(&socket, peer, key)?,
        }
    }
    socket.listen(BACKLOG)
}

/// A socket of the family of an address.
pub(super) fn new_socket(ip: IpAddr) -> io::Result<TcpSocket> {
    if ip.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }
}
