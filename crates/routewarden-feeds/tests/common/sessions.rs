//! A live source under test: its clock, its queue, and what it handed on as text.
#![allow(clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use routewarden_core::Timestamp;
use routewarden_feeds::live::{
    Clock, LiveItem, LiveQueue, SourceContext, SourceHandle, SourceKind, SourceSnapshot, queue,
};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Longest wait for what must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A clock that stands.
pub(crate) struct Standing(pub(crate) Timestamp);

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// The time of tests: 2027-01-15T08:00:00Z.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_secs(1_800_000_000)
}

/// A source's surroundings.
pub(crate) struct Surroundings {
    pub(crate) context: SourceContext,
    pub(crate) queue: LiveQueue,
    /// Lines that were handed on and not yet asked for.
    lines: Vec<String>,
}

impl Surroundings {
    pub(crate) fn new(kind: SourceKind, now: Timestamp, capacity: usize) -> Self {
        let (sink, queue) = queue(capacity);
        let context = SourceContext {
            status: SourceHandle::new("test", kind),
            sink,
            clock: Arc::new(Standing(now)),
            cancel: CancellationToken::new(),
        };
        Surroundings { context, queue, lines: Vec::new() }
    }

    pub(crate) fn status(&self) -> SourceSnapshot {
        self.context.status.snapshot()
    }

    /// The next so many events: time when it is not now, collector, ASN, address and what happened
    /// but for the octets of attributes.
    pub(crate) async fn lines(&mut self, count: usize) -> Vec<String> {
        while self.lines.len() < count {
            let item = timeout(PATIENCE, self.queue.recv()).await;
            let Ok(Some(item)) = item else {
                panic!("{} events of {count}: {:?}", self.lines.len(), self.lines);
            };
            self.take(&item);
        }
        self.lines.drain(..count).collect()
    }

    /// What is left to hand on by a source that has ended.
    pub(crate) fn rest(&mut self) -> Vec<String> {
        while let Some(item) = self.queue.try_recv() {
            self.take(&item);
        }
        std::mem::take(&mut self.lines)
    }

    fn take(&mut self, item: &LiveItem) {
        let LiveItem::Batch(live) = item else { return };
        for event in &live.batch.events {
            let peer = &live.batch.new_peers[event.peer as usize];
            let what = super::what(&live.batch, event.kind);
            let what = what.split(" [").next().unwrap();
            let late = event.time.secs_since(self.context.clock.now());
            let late = if late == 0 { String::new() } else { format!("{late} ") };
            self.lines
                .push(format!("{late}{} {} {} {what}", peer.collector, peer.asn.0, peer.addr));
        }
    }

    /// Waits until the status is such.
    pub(crate) async fn until(&self, what: &str, is_such: impl Fn(&SourceSnapshot) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_such(&self.status()) {
            assert!(Instant::now() < deadline, "not {what}: {:?}", self.status());
            sleep(Duration::from_millis(2)).await;
        }
    }

    /// Waits until a fault was counted.
    pub(crate) async fn until_fault(&self, kind: &'static str) {
        self.until(kind, |status| status.faults.contains_key(kind)).await;
    }
}

/// Connects from an address of the loopback.
pub(crate) async fn connect(from: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    let from: IpAddr = from.parse().unwrap();
    socket.bind(SocketAddr::new(from, 0)).unwrap();
    socket.connect(to).await.unwrap()
}

/// All that the other end sends until it closes; an end by reset is an end.
pub(crate) async fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut octets = Vec::new();
    let _end = timeout(PATIENCE, stream.read_to_end(&mut octets)).await.unwrap();
    octets
}
