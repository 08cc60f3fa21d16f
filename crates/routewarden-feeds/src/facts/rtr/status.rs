//! What an RTR client tells of itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use routewarden_core::Timestamp;
use serde::Serialize;

use super::exchange::Held;
use crate::live::SourceState;

/// What is known of one cache.
#[derive(Clone, Debug, Serialize)]
pub struct RtrStatus {
    /// Name, as configured.
    pub name: Arc<str>,
    /// Whether it is connected.
    pub state: SourceState,
    /// Version of the protocol that the data was got with.
    pub version: Option<u8>,
    /// Session ID of the data held.
    pub session: Option<u16>,
    /// Serial number of the data held.
    pub serial: Option<u32>,
    /// VRPs held.
    pub vrps: usize,
    /// ASPAs held; those of both families of the earlier layout are counted apart.
    pub aspas: usize,
    /// When the cache last confirmed the data: End of Data, with or without a change.
    pub confirmed_at: Option<Timestamp>,
    /// When the data last changed.
    pub changed_at: Option<Timestamp>,
    /// Seconds since the cache last confirmed the data.
    pub age_secs: Option<i64>,
    /// Expire interval in seconds, as the cache says it, within our limits.
    pub expire_secs: u32,
    /// Whether the data is older than the expire interval. It is still in use.
    pub is_stale: bool,
    /// Connections ever made.
    pub connects: u64,
    /// PDUs heard.
    pub pdus: u64,
    /// Octets heard.
    pub octets: u64,
    /// What ended sessions, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// The last fault in words, with its time.
    pub last_fault: Option<(Timestamp, String)>,
}

/// The client's end of its status; clones share it.
#[derive(Clone, Debug)]
pub struct RtrHandle(Arc<Mutex<RtrStatus>>);

impl RtrHandle {
    /// A client that has not begun.
    pub fn new(name: &str) -> Self {
        RtrHandle(Arc::new(Mutex::new(RtrStatus {
            name: name.into(),
            state: SourceState::Starting,
            version: None,
            session: None,
            serial: None,
            vrps: 0,
            aspas: 0,
            confirmed_at: None,
            changed_at: None,
            age_secs: None,
            expire_secs: super::EXPIRE_DEFAULT,
            is_stale: false,
            connects: 0,
            pdus: 0,
            octets: 0,
            faults: BTreeMap::new(),
            last_fault: None,
        })))
    }

    /// The status at `now`.
    pub fn snapshot(&self, now: Timestamp) -> RtrStatus {
        let mut status = self.with(|status| status.clone());
        status.age_secs = status.confirmed_at.map(|at| now.secs_since(at));
        status.is_stale = status.age_secs.is_some_and(|age| age > i64::from(status.expire_secs));
        status
    }

    pub(super) fn set_state(&self, state: SourceState) {
        self.with(|status| {
            status.connects += u64::from(state == SourceState::Up);
            status.state = state;
        });
    }

    pub(super) fn heard(&self, pdus: u64, octets: u64) {
        self.with(|status| {
            status.pdus += pdus;
            status.octets += octets;
        });
    }

    pub(super) fn confirmed(&self, held: Held, expire_secs: u32, now: Timestamp) {
        self.with(|status| {
            status.version = Some(held.version);
            status.session = Some(held.session);
            status.serial = Some(held.serial);
            status.confirmed_at = Some(now);
            status.expire_secs = expire_secs;
        });
    }

    pub(super) fn changed(&self, (vrps, aspas): (usize, usize), now: Timestamp) {
        self.with(|status| {
            (status.vrps, status.aspas) = (vrps, aspas);
            status.changed_at = Some(now);
        });
    }

    pub(super) fn fault(&self, kind: &'static str, text: String, now: Timestamp) {
        self.with(|status| {
            // Kinds are those of `RtrError`: few.
            *status.faults.entry(kind).or_default() += 1;
            status.last_fault = Some((now, text));
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut RtrStatus) -> T) -> T {
        // The work cannot leave it half done: a poisoned lock is as good as any.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
