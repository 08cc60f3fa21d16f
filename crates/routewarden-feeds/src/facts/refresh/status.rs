//! What every source of facts tells of itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use routewarden_core::Timestamp;
use routewarden_core::facts::FactKind;
use serde::Serialize;

use super::table::FactVersion;

/// Whether facts are as new as they should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FactState {
    /// Nothing has been tried yet.
    #[default]
    Starting,
    /// A table is held, and was confirmed not long ago.
    Fresh,
    /// A table is held and in use, but was not confirmed for too long.
    Stale,
    /// No table is held: the source has not given a usable one.
    Failed,
}

/// What is known of one source of facts.
#[derive(Clone, Debug, Serialize)]
pub struct FactStatus {
    /// Name, as configured.
    pub name: Arc<str>,
    /// Which facts.
    pub kind: FactKind,
    /// URL, path or address.
    pub location: String,
    /// Whether the facts are as new as they should be.
    pub state: FactState,
    /// Version in use.
    pub version: Option<FactVersion>,
    /// Last time the source said that this is its current version.
    pub confirmed_at: Option<Timestamp>,
    /// Seconds since then.
    pub age_secs: Option<i64>,
    /// Age in seconds from which the table is stale.
    pub stale_after_secs: u32,
    /// Refreshes that failed.
    pub failures: u64,
    /// The last failure: time, kind, words.
    pub last_error: Option<(Timestamp, &'static str, String)>,
    /// Whether the last attempt failed.
    pub is_failing: bool,
}

/// All sources of facts by name, for the status page; clones share it.
#[derive(Clone, Debug, Default)]
pub struct FactBoard(Arc<Mutex<BTreeMap<Arc<str>, FactStatus>>>);

impl FactBoard {
    /// Adds a source that has not begun.
    pub fn add(
        &self,
        (name, kind): (&Arc<str>, FactKind),
        location: String,
        stale_after_secs: u32,
    ) {
        let status = FactStatus {
            name: Arc::clone(name),
            kind,
            location,
            state: FactState::Starting,
            version: None,
            confirmed_at: None,
            age_secs: None,
            stale_after_secs,
            failures: 0,
            last_error: None,
            is_failing: false,
        };
        self.lock(|all| drop(all.insert(Arc::clone(name), status)));
    }

    /// All sources as they stand at `now`, by name.
    pub fn snapshot(&self, now: Timestamp) -> Vec<FactStatus> {
        let mut all: Vec<FactStatus> = self.lock(|all| all.values().cloned().collect());
        for status in &mut all {
            status.age_secs = status.confirmed_at.map(|at| now.secs_since(at));
            status.state = match status.age_secs {
                Some(age) if age <= i64::from(status.stale_after_secs) => FactState::Fresh,
                Some(_) => FactState::Stale,
                None if status.is_failing => FactState::Failed,
                None => FactState::Starting,
            };
        }
        all
    }

    /// Age in seconds of the table of a source, and the age at which it is stale.
    pub(in crate::facts) fn age_of(&self, name: &str, now: Timestamp) -> Option<(i64, i64)> {
        self.lock(|all| {
            let status = all.get(name)?;
            let age = now.secs_since(status.confirmed_at?);
            Some((age, i64::from(status.stale_after_secs)))
        })
    }

    /// The source has confirmed what is in use, or given a new version.
    pub(in crate::facts) fn confirmed(
        &self,
        name: &str,
        version: Option<FactVersion>,
        at: Timestamp,
    ) {
        self.with(name, |status| {
            status.confirmed_at = Some(at);
            status.is_failing = false;
            if version.is_some() {
                status.version = version;
            }
        });
    }

    pub(in crate::facts) fn failed(
        &self,
        name: &str,
        (kind, text): (&'static str, String),
        at: Timestamp,
    ) {
        self.with(name, |status| {
            status.failures += 1;
            status.is_failing = true;
            status.last_error = Some((at, kind, text));
        });
    }

    fn with(&self, name: &str, work: impl FnOnce(&mut FactStatus)) {
        self.lock(|all| {
            if let Some(status) = all.get_mut(name) {
                work(status);
            }
        });
    }

    fn lock<T>(&self, work: impl FnOnce(&mut BTreeMap<Arc<str>, FactStatus>) -> T) -> T {
        // The work cannot leave it half done: a poisoned lock is as good as any.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
