//! One answer out of several sources of VRPs and ASPAs, with the local exceptions applied.
//!
//! Sources are in order of preference: RTR caches, then files and URLs. The first one that has a
//! table that is not stale gives the VRPs; when all are stale, the first one that has any. They are
//! not united: what one validator has dropped must not live on through another. ASPAs come from the
//! same source if it can say any, else from the next one that can.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use routewarden_core::facts::FactKind;
use serde::Deserialize;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::refresh::{self, FactFeed, FactTable, FactUpdate, FactVersion, RefreshContext};
use super::rtr::{self, RtrCache, RtrContext, RtrHandle, RtrTables};
use super::slurm::{Slurm, SlurmError};

/// Seconds between two looks at the SLURM files, and at the ages of the sources.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Updates that may wait for the choice.
const WAITING_MAX: usize = 4;
/// Name under which SLURM files stand on the board, and of the update that results.
const NAME: &str = "rpki";

/// Where VRPs and ASPAs come from: `[rpki]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RpkiConfig {
    /// RTR caches, the preferred one first.
    pub rtr: Vec<RtrCache>,
    /// Files and URLs of validators, the preferred one first; their `kind` is `vrps`.
    pub files: Vec<FactFeed>,
    /// SLURM files (RFC 8416), together.
    pub slurm: Vec<PathBuf>,
}

/// What a source has given last.
#[derive(Clone)]
enum Given {
    Rtr(Arc<RtrTables>),
    File(Box<FactUpdate>),
}

impl Given {
    fn has_aspas(&self) -> bool {
        match self {
            Given::Rtr(tables) => tables.aspas.is_some(),
            Given::File(update) => {
                matches!(&update.table, FactTable::Rpki { aspas: Some(_), .. })
            }
        }
    }

    fn table(&self) -> FactTable {
        match self {
            Given::Rtr(tables) => {
                FactTable::Rpki { vrps: tables.vrps.clone(), aspas: tables.aspas.clone() }
            }
            Given::File(update) => update.table.clone(),
        }
    }

    fn version(&self) -> FactVersion {
        match self {
            Given::Rtr(tables) => FactVersion {
                sha256: None,
                etag: None,
                fetched_at: tables.at,
                date: tables.vrps.source.date,
                entries: tables.vrps.source.entries,
                rtr: Some((tables.session, tables.serial)),
            },
            Given::File(update) => update.version.clone(),
        }
    }
}

/// Handles of the RTR clients of a configuration, for the status page: by their order.
pub fn handles(config: &RpkiConfig) -> Vec<RtrHandle> {
    config.rtr.iter().map(|cache| RtrHandle::new(&cache.name)).collect()
}

/// Keeps VRPs and ASPAs, until cancelled: every update is [`FactTable::Rpki`] of the name `rpki`.
/// `handles` are those of [`handles`]. When SLURM files cannot be used the exceptions that were in
/// force stay so, and the failure stands on the board.
pub async fn run(config: RpkiConfig, handles: Vec<RtrHandle>, context: RefreshContext) {
    let name: Arc<str> = NAME.into();
    let files = config.slurm.iter().map(|path| path.display().to_string());
    let location = files.collect::<Vec<_>>().join(", ");
    context.board.add((&name, FactKind::Vrps), location, refresh::STALE_SECS_MIN);
    let (given, mut receiver) = mpsc::channel(WAITING_MAX);
    let mut tasks = JoinSet::new();
    for ((place, cache), status) in config.rtr.iter().enumerate().zip(&handles) {
        let (tables, newest) = watch::channel(None);
        let clock = Arc::clone(&context.clock);
        let cancel = context.cancel.clone();
        let client = RtrContext { status: status.clone(), tables, clock, cancel };
        tasks.spawn(rtr::run(cache.clone(), client));
        tasks.spawn(forward_rtr(place, newest, given.clone()));
    }
    for (at, feed) in config.files.iter().enumerate() {
        let (updates, news) = mpsc::channel(1);
        let feed = FactFeed { kind: FactKind::Vrps, ..feed.clone() };
        tasks.spawn(refresh::run(feed, RefreshContext { updates, ..context.clone() }));
        tasks.spawn(forward_file(config.rtr.len() + at, news, given.clone()));
    }
    drop(given);
    let slurm = Slurm::default();
    let mut choice =
        Choice { config, handles, context, name, given: BTreeMap::new(), slurm, last: None };
    choice.look_at_slurm().await;
    let cancel = choice.context.cancel.clone();
    loop {
        tokio::select! {
            () = cancel.cancelled() => break,
            Some((place, given)) = receiver.recv() => {
                choice.given.insert(place, given);
                choice.last = choice.last.filter(|&last| last.0 != place && last.1 != Some(place));
            }
            () = tokio::time::sleep(LOOK_EVERY) => choice.look_at_slurm().await,
            () = choice.context.now.notified() => choice.look_at_slurm().await,
        }
        if !choice.give().await {
            break;
        }
    }
    tasks.shutdown().await;
}

async fn forward_rtr(
    place: usize,
    mut newest: watch::Receiver<Option<Arc<RtrTables>>>,
    given: mpsc::Sender<(usize, Given)>,
) {
    while newest.changed().await.is_ok() {
        let tables = newest.borrow_and_update().clone();
        let Some(tables) = tables else { continue };
        if given.send((place, Given::Rtr(tables))).await.is_err() {
            return;
        }
    }
}

async fn forward_file(
    place: usize,
    mut news: mpsc::Receiver<FactUpdate>,
    given: mpsc::Sender<(usize, Given)>,
) {
    while let Some(update) = news.recv().await {
        if given.send((place, Given::File(Box::new(update)))).await.is_err() {
            return;
        }
    }
}

struct Choice {
    config: RpkiConfig,
    handles: Vec<RtrHandle>,
    context: RefreshContext,
    name: Arc<str>,
    given: BTreeMap<usize, Given>,
    slurm: Slurm,
    /// Places of the sources of VRPs and ASPAs in use; `None` when there is something new.
    last: Option<(usize, Option<usize>)>,
}

impl Choice {
    async fn look_at_slurm(&mut self) {
        if self.config.slurm.is_empty() {
            return;
        }
        let paths = self.config.slurm.clone();
        let read = tokio::task::spawn_blocking(move || Slurm::load(&paths)).await;
        let now = self.context.clock.now();
        match read {
            Ok(Ok(slurm)) => {
                self.context.board.confirmed(&self.name, None, now);
                if slurm != self.slurm {
                    self.slurm = slurm;
                    self.last = None;
                }
            }
            Ok(Err(error)) => self.slurm_failed(&error),
            Err(_) => {}
        }
    }

    fn slurm_failed(&self, error: &SlurmError) {
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
        let text = format!("{error}{}", cause.unwrap_or_default());
        self.context.board.failed(&self.name, (error.kind(), text), self.context.clock.now());
    }

    fn is_stale(&self, place: usize) -> bool {
        let now = self.context.clock.now();
        if let Some(handle) = self.handles.get(place) {
            return handle.snapshot(now).is_stale;
        }
        let feed = self.config.files.get(place - self.handles.len().min(place));
        let state = feed.and_then(|feed| self.context.board.age_of(&feed.name, now));
        state.is_none_or(|(age, stale_after)| age > stale_after)
    }

    /// The places of the sources to be used.
    fn choose(&self) -> Option<(usize, Option<usize>)> {
        let fresh = self.given.keys().copied().find(|&place| !self.is_stale(place));
        let place = fresh.or_else(|| self.given.keys().next().copied())?;
        let can = |place: &usize| self.given.get(place).is_some_and(Given::has_aspas);
        let others = self.given.keys().copied();
        let aspas = std::iter::once(place).chain(others).find(can);
        Some((place, aspas))
    }

    /// Gives the tables in use if they are others than before; false when nobody takes them.
    async fn give(&mut self) -> bool {
        let chosen = self.choose();
        if chosen.is_none() || chosen == self.last {
            return true;
        }
        self.last = chosen;
        let Some((place, aspas_place)) = chosen else { return true };
        let Some(given) = self.given.get(&place).cloned() else { return true };
        let other = aspas_place.and_then(|place| self.given.get(&place)).cloned();
        let (slurm, version) = (self.slurm.clone(), given.version());
        let made = tokio::task::spawn_blocking(move || tables(&given, other.as_ref(), &slurm));
        let Ok(table) = made.await else { return true };
        let (name, kind) = (Arc::clone(&self.name), FactKind::Vrps);
        let shown = Some(version.clone());
        let update = FactUpdate { name, kind, table, version };
        tokio::select! {
            () = self.context.cancel.cancelled() => false,
            sent = self.context.updates.send(update) => {
                let now = self.context.clock.now();
                self.context.board.confirmed(&self.name, shown, now);
                sent.is_ok()
            }
        }
    }
}

/// The tables of one source, ASPAs perhaps of another, with the exceptions.
fn tables(given: &Given, aspas_of: Option<&Given>, slurm: &Slurm) -> FactTable {
    let mut table = given.table();
    if let FactTable::Rpki { vrps, aspas } = &mut table {
        if aspas.is_none()
            && let Some(FactTable::Rpki { aspas: Some(others), .. }) = aspas_of.map(Given::table)
        {
            *aspas = Some(others);
        }
        if !slurm.is_empty() {
            vrps.table = slurm.vrps(&vrps.table);
            vrps.source.name.push_str(" with SLURM");
            if let Some(aspas) = aspas {
                aspas.table = slurm.aspas(&aspas.table);
                aspas.source.name.push_str(" with SLURM");
            }
        }
    }
    table
}
