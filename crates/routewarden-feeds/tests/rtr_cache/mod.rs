//! An RTR client under test, and caches that do as they are told.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::sync::Arc;
use std::time::Duration;

use routewarden_core::facts::{TrustAnchorId, Vrp};
use routewarden_core::{Asn, Timestamp};
use routewarden_feeds::facts::rtr::pdu::{self, Intervals, Pdu, PduBody};
use routewarden_feeds::facts::rtr::{self, RtrCache, RtrContext, RtrHandle, RtrStatus, RtrTables};
use routewarden_feeds::live::Clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);
pub(crate) const SESSION: u16 = 0xb230;

/// It is always [`NOW`].
pub(crate) struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        NOW
    }
}

/// A client that runs.
pub(crate) struct Client {
    pub(crate) status: RtrHandle,
    pub(crate) tables: watch::Receiver<Option<Arc<RtrTables>>>,
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

impl Client {
    pub(crate) fn start(cache: RtrCache) -> Self {
        let (sender, tables) = watch::channel(None);
        let (status, cancel) = (RtrHandle::new(&cache.name), CancellationToken::new());
        let context = RtrContext {
            status: status.clone(),
            tables: sender,
            clock: Arc::new(StoppedClock),
            cancel: cancel.clone(),
        };
        let task = tokio::spawn(rtr::run(cache, context));
        Client { status, tables, cancel, task }
    }

    pub(crate) fn snapshot(&self) -> RtrStatus {
        self.status.snapshot(NOW)
    }

    /// The next tables.
    pub(crate) async fn next(&mut self) -> Arc<RtrTables> {
        timeout(PATIENCE, self.tables.changed()).await.expect("tables in time").unwrap();
        self.tables.borrow_and_update().clone().unwrap()
    }

    /// Waits until the status is as wanted.
    pub(crate) async fn until(&self, wanted: impl Fn(&RtrStatus) -> bool) -> RtrStatus {
        let look = async {
            loop {
                let status = self.snapshot();
                if wanted(&status) {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let found = timeout(PATIENCE, look).await;
        found.unwrap_or_else(|_| panic!("not in time: {:?}", self.snapshot()))
    }

    pub(crate) async fn stop(self) {
        self.cancel.cancel();
        timeout(PATIENCE, self.task).await.expect("it stops").unwrap();
    }
}

/// A cache on loopback.
pub(crate) struct FakeCache {
    listener: TcpListener,
}

impl FakeCache {
    pub(crate) async fn bind() -> (Self, RtrCache) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        (FakeCache { listener }, RtrCache::new("test", &address))
    }

    pub(crate) async fn accept(&self) -> Session {
        let (stream, _) =
            timeout(PATIENCE, self.listener.accept()).await.expect("a client comes").unwrap();
        Session { stream, buffer: Vec::new() }
    }
}

/// The cache's side of a session.
pub(crate) struct Session {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Session {
    /// The next PDU of the client; `None` when it closed.
    pub(crate) async fn recv(&mut self) -> Option<Pdu> {
        loop {
            if let Some((pdu, octets)) = pdu::decode(&self.buffer).unwrap() {
                self.buffer.drain(..octets);
                return Some(pdu);
            }
            let read = self.stream.read_buf(&mut self.buffer);
            match timeout(PATIENCE, read).await.expect("the client says something") {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The code of the error that the client reports; the connection ends then.
    pub(crate) async fn error(&mut self) -> Option<u16> {
        let mut code = None;
        while let Some(pdu) = self.recv().await {
            if let PduBody::ErrorReport { code: reported, .. } = pdu.body {
                code = Some(reported);
            }
        }
        code
    }

    pub(crate) async fn raw(&mut self, octets: &[u8]) {
        // The client may have closed already.
        drop(self.stream.write_all(octets).await);
    }

    pub(crate) async fn send(&mut self, version: u8, bodies: impl IntoIterator<Item = PduBody>) {
        let mut octets = Vec::new();
        for body in bodies {
            pdu::encode(&Pdu { version, body }, &mut octets);
        }
        self.raw(&octets).await;
    }

    /// A whole response.
    pub(crate) async fn respond(&mut self, (session, serial): (u16, u32), records: Vec<PduBody>) {
        let all = std::iter::once(PduBody::CacheResponse { session });
        self.send(2, all.chain(records).chain([end(session, serial)])).await;
    }
}

pub(crate) fn end(session: u16, serial: u32) -> PduBody {
    let intervals = Some(Intervals { refresh: 3600, retry: 600, expire: 7200 });
    PduBody::EndOfData { session, serial, intervals }
}

pub(crate) fn prefix(prefix: &str, asn: u32, announce: bool) -> PduBody {
    let prefix: routewarden_core::Prefix = prefix.parse().unwrap();
    let ta = TrustAnchorId::default();
    PduBody::Prefix { announce, vrp: Vrp { prefix, max_len: prefix.len(), asn: Asn(asn), ta } }
}

pub(crate) fn announce(text: &str, asn: u32) -> PduBody {
    prefix(text, asn, true)
}

pub(crate) fn withdraw(text: &str, asn: u32) -> PduBody {
    prefix(text, asn, false)
}
