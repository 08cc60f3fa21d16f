//! Connects, asks, waits, and begins anew.

use std::sync::Arc;
use std::time::Duration;

use routewarden_core::facts::{FactKind, FactSource, Sourced};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::error::RtrError;
use super::exchange::{Exchange, Held, Step};
use super::pdu::{self, Intervals, PDU_OCTETS_MAX, Pdu, PduBody, VERSION_MAX};
use super::records::{Pending, Records};
use super::{
    CONNECT_TIMEOUT, EXPIRE_DEFAULT, EXPIRE_MAX, EXPIRE_MIN, REFRESH_DEFAULT, RESPONSE_TIME_MAX,
    RETRY_DEFAULT, RETRY_MAX, RETRY_WAIT_MAX, RETRY_WAIT_MIN, RtrCache, RtrContext, RtrTables,
};
use crate::live::{Backoff, SourceState};

/// Octets asked for in one read: with a PDU that is not whole, the buffer holds no more than this
/// and [`PDU_OCTETS_MAX`].
const READ_OCTETS: usize = 64 << 10;
/// Longest wait after a response without any record.
const EMPTY_WAIT: Duration = Duration::from_secs(10);
/// Sessions in a row that a cache closes without a word before a lower version is tried.
const WORDLESS_SESSIONS: u32 = 3;
/// Octets of a wrong PDU that are sent back.
const REPORT_OCTETS_MAX: usize = 512;

/// Keeps the tables of one cache, until cancelled. Every complete response that changes anything
/// gives new tables; a fault ends the session and nothing else.
pub async fn run(cache: RtrCache, context: RtrContext) {
    let version_max = cache.version_max.min(VERSION_MAX);
    let mut client = Client {
        cache,
        context,
        records: Records::default(),
        held: None,
        version: version_max,
        spoken: None,
        wordless: 0,
        backoff: Backoff::new(RETRY_WAIT_MIN, RETRY_WAIT_MAX),
    };
    let cancel = client.context.cancel.clone();
    loop {
        let fault = tokio::select! {
            () = cancel.cancelled() => break,
            fault = client.session() => fault,
        };
        let wait = client.after(&fault, version_max);
        tokio::select! {
            () = cancel.cancelled() => break,
            () = sleep(wait) => {}
        }
    }
    client.context.status.set_state(SourceState::Stopped);
}

struct Client {
    cache: RtrCache,
    context: RtrContext,
    records: Records,
    held: Option<Held>,
    /// Version to begin the next session with.
    version: u8,
    /// The highest version in which the cache has given data.
    spoken: Option<u8>,
    /// Sessions in a row that the cache closed without a word.
    wordless: u32,
    backoff: Backoff,
}

/// Intervals within our limits.
#[derive(Clone, Copy)]
struct Times {
    refresh: Duration,
    retry: Duration,
    expire_secs: u32,
}

impl Times {
    /// RFC 8210 §6 gives the bounds; `refresh` is further bounded by the configuration.
    fn of(intervals: Option<Intervals>, refresh_max: u32) -> Self {
        let told = intervals.unwrap_or(Intervals {
            refresh: REFRESH_DEFAULT,
            retry: RETRY_DEFAULT,
            expire: EXPIRE_DEFAULT,
        });
        Times {
            refresh: Duration::from_secs(told.refresh.clamp(1, refresh_max.max(1)).into()),
            retry: Duration::from_secs(told.retry.clamp(1, RETRY_MAX).into()),
            expire_secs: told.expire.clamp(EXPIRE_MIN, EXPIRE_MAX),
        }
    }
}

struct Connection {
    stream: TcpStream,
    exchange: Exchange,
    buffer: Vec<u8>,
    /// Octets before the buffer.
    offset: u64,
    was_heard: bool,
    times: Times,
    /// When something must have happened, or is to be asked.
    deadline: Instant,
    /// When a response must be complete.
    response_end: Instant,
}

impl Client {
    /// Takes note of a fault and gives how long to wait.
    fn after(&mut self, fault: &RtrError, version_max: u8) -> Duration {
        let now = self.context.clock.now();
        let mut text = fault.to_string();
        if let Some(source) = std::error::Error::source(fault) {
            text = format!("{text}: {source}");
        }
        self.context.status.fault(fault.kind(), text, now);
        self.context.status.set_state(SourceState::Waiting);
        if fault.ends_serial() {
            self.held = None;
        }
        let lower = self.version.checked_sub(1);
        let is_wordless = matches!(fault, RtrError::Closed { was_heard: false, .. });
        self.wordless = if is_wordless { self.wordless + 1 } else { 0 };
        self.version = match fault {
            RtrError::Unsupported { version, .. } => lower.map_or(version_max, |lower| {
                // A cache that says no version below ours is asked for each in turn.
                if *version < self.version { *version } else { lower }
            }),
            // Some caches close the connection when they do not know a version; so does every cache
            // that is just being stopped or started, and it must not cost the ASPAs.
            _ if self.wordless >= WORDLESS_SESSIONS && self.spoken < Some(self.version) => {
                self.wordless = 0;
                lower.unwrap_or(version_max)
            }
            _ if is_wordless => self.version,
            _ => version_max,
        };
        if matches!(fault, RtrError::Unsupported { .. }) && lower.is_some() {
            return Duration::ZERO;
        }
        self.backoff.next_wait()
    }

    /// One connection, to its end.
    async fn session(&mut self) -> RtrError {
        let mut connection = match self.connect().await {
            Ok(connection) => connection,
            Err(fault) => return fault,
        };
        let Err(fault) = self.talk(&mut connection).await;
        if let Some(code) = fault.report() {
            connection.report(code, &fault).await;
        }
        fault
    }

    async fn connect(&self) -> Result<Connection, RtrError> {
        let connect = TcpStream::connect(&self.cache.address);
        let stream = match timeout(CONNECT_TIMEOUT, connect).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(source)) => return Err(RtrError::Connect { source }),
            Err(_) => {
                let source = std::io::ErrorKind::TimedOut.into();
                return Err(RtrError::Connect { source });
            }
        };
        self.context.status.set_state(SourceState::Up);
        let now = Instant::now();
        Ok(Connection {
            stream,
            exchange: Exchange::new(self.version, self.held),
            buffer: Vec::new(),
            offset: 0,
            was_heard: false,
            times: Times::of(None, self.cache.refresh_secs_max),
            deadline: now,
            response_end: now,
        })
    }

    async fn talk(&mut self, connection: &mut Connection) -> Result<Never, RtrError> {
        let silence = Duration::from_secs(self.cache.silence_secs.max(1).into());
        let query = connection.exchange.ask();
        connection.send(&query, silence).await?;
        loop {
            if connection.read().await? {
                self.take(connection, silence).await?;
            } else if connection.exchange.is_busy() {
                return Err(RtrError::Silent { seconds: silence.as_secs() });
            } else {
                let query = connection.exchange.ask();
                connection.send(&query, silence).await?;
            }
        }
    }

    /// Takes all whole PDUs out of the buffer.
    async fn take(
        &mut self,
        connection: &mut Connection,
        silence: Duration,
    ) -> Result<(), RtrError> {
        let mut used = 0;
        let mut pdus = 0;
        let outcome = loop {
            let rest = connection.buffer.get(used..).unwrap_or_default();
            let (pdu, octets) = match pdu::decode(rest) {
                Ok(Some(whole)) => whole,
                Ok(None) => break Ok(()),
                Err(source) => {
                    let offset = connection.offset + used as u64;
                    break Err(RtrError::Pdu { offset, source });
                }
            };
            let step = match connection.exchange.take(pdu, &self.records) {
                Ok(step) => step,
                Err(fault) => break Err(fault),
            };
            used += octets;
            pdus += 1;
            if let Err(fault) = self.step(connection, step, silence).await {
                break Err(fault);
            }
        };
        self.context.status.heard(pdus, used as u64);
        connection.buffer.drain(..used.min(connection.buffer.len()));
        connection.offset += used as u64;
        if connection.exchange.is_busy() {
            connection.deadline = (Instant::now() + silence).min(connection.response_end);
        }
        outcome
    }

    async fn step(
        &mut self,
        connection: &mut Connection,
        step: Step,
        silence: Duration,
    ) -> Result<(), RtrError> {
        match step {
            Step::Go => {}
            Step::Ask(query) => connection.send(&query, silence).await?,
            Step::Wait => connection.deadline = Instant::now() + connection.times.retry,
            Step::Empty => {
                let text = "the cache has neither VRPs nor ASPAs".to_owned();
                self.context.status.fault("rtr_no_records", text, self.context.clock.now());
                connection.deadline = Instant::now() + connection.times.retry.min(EMPTY_WAIT);
            }
            Step::Commit(pending, held, intervals) => {
                connection.times = Times::of(intervals, self.cache.refresh_secs_max);
                self.commit(pending, held, connection.times.expire_secs).await?;
                connection.deadline = Instant::now() + connection.times.refresh;
                if let Some(query) = connection.exchange.ask_again() {
                    connection.send(&query, silence).await?;
                }
            }
        }
        Ok(())
    }

    async fn commit(
        &mut self,
        pending: Pending,
        held: Held,
        expire_secs: u32,
    ) -> Result<(), RtrError> {
        let mut records = std::mem::take(&mut self.records);
        let is_first = self.context.tables.borrow().is_none();
        // A table of all VRPs takes long enough to hold up other tasks.
        let built = tokio::task::spawn_blocking(move || {
            let is_changed = records.commit(pending);
            let tables = (is_changed || is_first).then(|| records.tables());
            (records, tables)
        });
        let Ok((records, tables)) = built.await else {
            // Nothing is known of the records any more: ask for all of them.
            return Err(RtrError::Build);
        };
        let len = records.len();
        self.records = records;
        self.held = Some(held);
        self.spoken = self.spoken.max(Some(held.version));
        self.backoff.reset();
        let now = self.context.clock.now();
        self.context.status.confirmed(held, expire_secs, now);
        let Some((vrps, aspas)) = tables else { return Ok(()) };
        self.context.status.changed(len, now);
        let Held { session, serial, version } = held;
        let source = |kind, entries: usize| FactSource {
            kind,
            name: format!("RTR {}, session {session}, serial {serial}", self.cache.name),
            sha256: None,
            date: Some(now),
            entries: entries as u64,
            skipped: std::collections::BTreeMap::new(),
        };
        let vrps = Sourced { source: source(FactKind::Vrps, vrps.len()), table: vrps };
        let aspas = Sourced { source: source(FactKind::Aspas, aspas.len()), table: aspas };
        // Before version 2 the cache has no way to say an ASPA.
        let aspas = (version >= 2).then_some(aspas);
        let tables = RtrTables { vrps, aspas, session, serial, version, at: now };
        self.context.tables.send_replace(Some(Arc::new(tables)));
        Ok(())
    }
}

/// A talk ends with an error only.
enum Never {}

impl Connection {
    async fn send(&mut self, query: &Pdu, silence: Duration) -> Result<(), RtrError> {
        let mut octets = Vec::new();
        pdu::encode(query, &mut octets);
        let silent = || RtrError::Silent { seconds: silence.as_secs() };
        let sent = timeout(silence, self.stream.write_all(&octets)).await;
        sent.map_err(|_| silent())?.map_err(|source| RtrError::Broken { source })?;
        let now = Instant::now();
        self.response_end = now + RESPONSE_TIME_MAX;
        self.deadline = now + silence;
        Ok(())
    }

    /// Waits for octets; false when the deadline came first.
    async fn read(&mut self) -> Result<bool, RtrError> {
        debug_assert!(self.buffer.len() <= PDU_OCTETS_MAX, "a PDU that is too long was refused");
        self.buffer.reserve(READ_OCTETS);
        let mut limited = (&mut self.stream).take(READ_OCTETS as u64);
        tokio::select! {
            biased;
            read = limited.read_buf(&mut self.buffer) => match read {
                Ok(0) => Err(RtrError::Closed {
                    in_pdu: !self.buffer.is_empty(),
                    was_heard: self.was_heard,
                }),
                Ok(_) => {
                    self.was_heard = true;
                    Ok(true)
                }
                Err(source) => Err(RtrError::Broken { source }),
            },
            () = sleep_until(self.deadline) => Ok(false),
        }
    }

    /// Tells the cache what was wrong with the PDU at the start of the buffer. Whether it is heard
    /// is of no consequence.
    async fn report(&mut self, code: u16, fault: &RtrError) {
        let wrong = self.buffer.get(..self.buffer.len().min(REPORT_OCTETS_MAX));
        let body = PduBody::ErrorReport {
            code,
            pdu: wrong.unwrap_or_default().into(),
            text: fault.to_string().into(),
        };
        let mut octets = Vec::new();
        pdu::encode(&Pdu { version: self.exchange.version(), body }, &mut octets);
        let send = async {
            self.stream.write_all(&octets).await?;
            self.stream.shutdown().await
        };
        drop(timeout(CONNECT_TIMEOUT, send).await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_held_within_bounds() {
        let told = |refresh, retry, expire| Some(Intervals { refresh, retry, expire });
        let times = Times::of(told(0, 0, 0), 600);
        assert_eq!((times.refresh.as_secs(), times.retry.as_secs()), (1, 1));
        assert_eq!(times.expire_secs, EXPIRE_MIN);
        let times = Times::of(told(u32::MAX, u32::MAX, u32::MAX), 600);
        assert_eq!((times.refresh.as_secs(), times.retry.as_secs()), (600, u64::from(RETRY_MAX)));
        assert_eq!(times.expire_secs, EXPIRE_MAX);
        assert_eq!(Times::of(None, 86_400).refresh.as_secs(), u64::from(REFRESH_DEFAULT));
    }
}
