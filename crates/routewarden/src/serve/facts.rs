//! Facts that are kept current while the program runs.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use routewarden_core::Timestamp;
use routewarden_core::facts::{DelegationTable, FactKind, Sourced};
use routewarden_detect::FactsChange;
use routewarden_feeds::facts::refresh::{
    self, FactBoard, FactFeed, FactState, FactTable, FactUpdate, Location, RefreshContext,
};
use routewarden_feeds::facts::rpki::{self, RpkiConfig};
use routewarden_feeds::facts::rtr::{RtrCache, RtrHandle};
use routewarden_feeds::live::{Clock, SourceState};
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::engine::{NewFacts, Order};
use super::survey::BesideHolder;
use crate::config::{Config, FactFile, Period, Place};
use crate::status::FactStatus;

/// Name of what was chosen of several sources of VRPs.
const CHOSEN: &str = "rpki";
/// Updates that may wait to be forwarded.
const UPDATES_MAX: usize = 4;

/// What the status page reads of the facts.
#[derive(Clone)]
pub(crate) struct FactsView {
    board: FactBoard,
    caches: Vec<RtrHandle>,
}

/// What keeping the facts needs.
pub(crate) struct Surroundings<'a> {
    pub(crate) runtime: &'a Handle,
    pub(crate) orders: mpsc::Sender<Order>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) cancel: CancellationToken,
    /// Notified when every source is to be asked at once.
    pub(crate) now: Arc<Notify>,
    /// Folder for what was fetched.
    pub(crate) cache_dir: &'a Path,
}

/// Starts keeping the facts of a configuration.
pub(crate) fn start(
    config: &Config,
    around: Surroundings<'_>,
    beside: BesideHolder,
) -> (FactsView, Vec<JoinHandle<()>>) {
    let (updates, received) = mpsc::channel(UPDATES_MAX);
    let context = RefreshContext {
        updates,
        board: FactBoard::default(),
        clock: around.clock,
        cancel: around.cancel,
        now: around.now,
        cache_dir: around.cache_dir.to_owned(),
        proxy: None,
    };
    let rpki_config = rpki_of(config);
    let view = FactsView { board: context.board.clone(), caches: rpki::handles(&rpki_config) };
    let mut tasks = Vec::new();
    for feed in feeds_of(config) {
        tasks.push(around.runtime.spawn(refresh::run(feed, context.clone())));
    }
    if !rpki_config.rtr.is_empty() || !rpki_config.files.is_empty() {
        let keep = rpki::run(rpki_config, view.caches.clone(), context);
        tasks.push(around.runtime.spawn(keep));
    }
    tasks.push(around.runtime.spawn(forward(received, around.orders, beside)));
    (view, tasks)
}

/// Hands new tables on: to the engine, or to those who measure.
async fn forward(
    mut received: mpsc::Receiver<FactUpdate>,
    orders: mpsc::Sender<Order>,
    beside: BesideHolder,
) {
    let mut delegations: BTreeMap<Arc<str>, Sourced<DelegationTable>> = BTreeMap::new();
    while let Some(update) = received.recv().await {
        let FactUpdate { name, table, version, .. } = update;
        let mut change = FactsChange::default();
        match table {
            FactTable::Rpki { vrps, aspas } => (change.vrps, change.aspas) = (Some(vrps), aspas),
            FactTable::Origins(table) => change.origins = Some(table),
            FactTable::Relations(table) => change.relations = Some(table),
            FactTable::Organisations(table) => change.organisations = Some(table),
            FactTable::AsNames(table) => change.as_names = Some(table),
            FactTable::Constituency(table) => change.constituency = Some(table),
            FactTable::Delegations(table) => {
                delegations.insert(Arc::clone(&name), table);
                change.delegations = Some(delegations.values().cloned().collect());
            }
            other => beside.take(&name, other),
        }
        let version = match (version.rtr, version.sha256) {
            (Some((session, serial)), _) => format!("rtr {session}/{serial}"),
            (None, Some(sha256)) => format!("sha256 {sha256}"),
            (None, None) => version.fetched_at.to_string(),
        };
        let facts = NewFacts { name: name.to_string(), version, change };
        if orders.send(Order::Facts(Box::new(facts))).await.is_err() {
            return;
        }
    }
}

fn rpki_of(config: &Config) -> RpkiConfig {
    let section = &config.rpki;
    let file = |name: &str, place: &Option<Place>| {
        place.as_ref().map(|place| feed(name, FactKind::Vrps, place, section.every))
    };
    let files = [file("vrps", &section.vrps), file("aspas", &section.aspas)];
    RpkiConfig {
        rtr: section.rtr.iter().map(|cache| RtrCache::new(&cache.name, &cache.address)).collect(),
        files: files.into_iter().flatten().collect(),
        slurm: section.slurm.iter().cloned().collect(),
    }
}

/// Feeds of all facts but those of the RPKI.
fn feeds_of(config: &Config) -> Vec<FactFeed> {
    let facts = &config.facts;
    let singles = [
        ("origins", FactKind::Origins, &facts.origins),
        ("relations", FactKind::Relations, &facts.relations),
        ("organisations", FactKind::Organisations, &facts.organisations),
        ("as_names", FactKind::AsNames, &facts.as_names),
        ("peeringdb", FactKind::PeeringDb, &facts.peeringdb),
        ("participants", FactKind::Participants, &facts.participants),
        ("spoofer", FactKind::Spoofer, &facts.spoofer),
        ("contacts", FactKind::Contacts, &facts.contacts),
    ];
    let singles = singles.into_iter().filter_map(|(name, kind, file)| {
        file.as_ref().map(|FactFile { from, every }| feed(name, kind, from, *every))
    });
    let lists = [
        ("delegated", FactKind::Delegations, &facts.delegated),
        ("irr", FactKind::Irr, &facts.irr),
    ];
    let lists = lists.into_iter().flat_map(|(name, kind, files)| {
        let number = move |(at, file): (usize, &FactFile)| {
            feed(&format!("{name}-{}", at + 1), kind, &file.from, file.every)
        };
        files.iter().enumerate().map(number)
    });
    let constituency = config.constituency.file.as_ref().map(|path| FactFeed {
        location: Location::Path(path.clone()),
        ..FactFeed::new("constituency", FactKind::Constituency, "")
    });
    singles.chain(lists).chain(constituency).collect()
}

fn feed(name: &str, kind: FactKind, place: &Place, every: Period) -> FactFeed {
    let location = match place {
        Place::Url(url) => Location::Url(url.clone()),
        Place::File(path) => Location::Path(path.clone()),
    };
    let every_secs = u32::try_from(every.duration().as_secs()).ok();
    FactFeed { location, every_secs, ..FactFeed::new(name, kind, "") }
}

impl FactsView {
    /// Whether every source was asked once, with success or without.
    pub(crate) fn is_ready(&self, now: Timestamp) -> bool {
        let asked = |state| state != FactState::Starting;
        let heard = |cache: &RtrHandle| {
            let status = cache.snapshot(now);
            status.confirmed_at.is_some() || !status.faults.is_empty()
        };
        self.board.snapshot(now).iter().all(|status| &*status.name == CHOSEN || asked(status.state))
            && self.caches.iter().all(heard)
    }

    /// For the status page. What was chosen of several sources of VRPs is told by them; local
    /// exceptions are told apart.
    pub(crate) fn statuses(&self, now: Timestamp) -> Vec<FactStatus> {
        let all = self.board.snapshot(now).into_iter();
        let told = all.filter(|status| &*status.name != CHOSEN || !status.location.is_empty());
        let files = told.map(|status| FactStatus {
            kind: if &*status.name == CHOSEN { "slurm" } else { status.kind.name() },
            source: format!("{} ({})", status.name, status.location),
            entries: status.version.as_ref().map(|version| version.entries),
            confirmed: status.confirmed_at,
            is_stale: status.state == FactState::Stale,
            failures: status.failures,
            last_failure: status.last_error.map(|(_, _, text)| text),
        });
        files.chain(self.caches.iter().flat_map(|cache| of_cache(cache, now))).collect()
    }
}

/// VRPs and ASPAs of an RTR cache.
fn of_cache(cache: &RtrHandle, now: Timestamp) -> [FactStatus; 2] {
    let status = cache.snapshot(now);
    let is_held = status.confirmed_at.is_some();
    let fact = |kind, entries: usize| FactStatus {
        kind,
        source: status.name.to_string(),
        entries: is_held.then_some(entries as u64),
        confirmed: status.confirmed_at,
        is_stale: status.is_stale || (is_held && status.state != SourceState::Up),
        failures: status.faults.values().sum(),
        last_failure: status.last_fault.as_ref().map(|(_, text)| text.clone()),
    };
    [fact("vrps", status.vrps), fact("aspas", status.aspas)]
}
