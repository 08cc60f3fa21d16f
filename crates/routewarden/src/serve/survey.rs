//! Looks at the whole table now and then, for the measurements of all networks.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use routewarden_core::Asn;
use routewarden_core::facts::Facts;
use routewarden_detect::look::{Answer, OriginsLook, Query, RoutesLook};
use routewarden_feeds::facts::refresh::FactTable;
use routewarden_measure::{PathSeen, PathsBuilder, PathsTold};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::engine::Order;
use super::looks::LookAsker;
use crate::readiness::{Announced, Beside, NotMeasured, Observatory, References, ToKeep};
use crate::status::Look;

/// A route counts when so many peer ASes have it; where fewer are heard, all of them.
const LEAST_PEERS: usize = 5;
/// While the state to start from comes in, and after a failure, it is tried again so soon.
const RETRY_EVERY: Duration = Duration::from_secs(5);

/// Facts that only measurements rest on, as they come.
#[derive(Clone, Default)]
pub(crate) struct BesideHolder(Arc<Mutex<Beside>>);

impl BesideHolder {
    pub(crate) fn new(beside: Beside) -> Self {
        BesideHolder(Arc::new(Mutex::new(beside)))
    }

    /// Takes a table, if it is one of these.
    pub(crate) fn take(&self, name: &str, table: FactTable) {
        let mut beside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = name.to_owned();
        match table {
            FactTable::Irr(table) => drop(beside.irr.insert(name, Arc::new(table))),
            FactTable::PeeringDb(table) => drop(beside.peering_db.insert(name, Arc::new(table))),
            FactTable::Participants(table) => {
                drop(beside.participants.insert(name, Arc::new(table)));
            }
            FactTable::Spoofer(table) => drop(beside.spoofer.insert(name, Arc::new(table))),
            FactTable::Contacts(table) => drop(beside.contacts.insert(name, Arc::new(table))),
            _ => {}
        }
    }

    /// What there is now.
    pub(crate) fn get(&self) -> Beside {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What surveys need.
pub(crate) struct Surveyor {
    pub(crate) looks: LookAsker,
    pub(crate) beside: BesideHolder,
    pub(crate) observatory: Arc<Observatory>,
    pub(crate) every: Duration,
    pub(crate) orders: mpsc::Sender<Order>,
    pub(crate) cancel: CancellationToken,
}

impl Surveyor {
    /// Surveys until it is cancelled.
    pub(crate) async fn run(self) {
        let cancel = self.cancel.clone();
        cancel.run_until_cancelled(self.for_ever()).await;
    }

    async fn for_ever(self) {
        loop {
            let query = Query::Origins { least_peers: LEAST_PEERS };
            let pause = match self.looks.ask(query).await {
                Ok(Look { in_baseline: false, answer: Answer::Origins(look) }) => {
                    self.take(look).await;
                    self.every
                }
                Ok(_) => RETRY_EVERY,
                Err(refused) => {
                    warn!(%refused, "the table was not surveyed");
                    RETRY_EVERY
                }
            };
            sleep(pause).await;
        }
    }

    async fn take(&self, look: OriginsLook) {
        let routes = look.routes.len();
        if look.truncated {
            warn!(routes, "the table has more routes than a survey takes");
        }
        let wants_paths = PathsBuilder::can_tell(&look.facts);
        let (parts, taken) = mpsc::channel(1);
        let (observatory, beside) = (Arc::clone(&self.observatory), self.beside.get());
        let work = tokio::task::spawn_blocking(move || renew(&observatory, look, beside, taken));
        if wants_paths {
            self.hand_out(parts).await;
        } else {
            drop(parts);
        }
        let kept = match work.await {
            Ok(Ok(kept)) => kept,
            Ok(Err(error)) => return warn!(%error, "the survey failed"),
            Err(error) => return warn!(%error, "the survey failed"),
        };
        info!(routes, "surveyed");
        for kept in kept {
            // The engine has ended: so does this.
            let _is_open = self.orders.send(Order::Keep(Box::new(kept))).await.is_ok();
        }
    }

    /// Asks for the routes of the table, a part at a time; after a failure nothing is told of paths.
    async fn hand_out(&self, parts: mpsc::Sender<Part>) {
        let mut after = None;
        loop {
            let part = match self.looks.ask(Query::Routes { after }).await {
                Ok(Look { answer: Answer::Routes(part), .. }) => part,
                Ok(_) => return,
                Err(refused) => {
                    warn!(%refused, "the paths of the table were not surveyed");
                    return;
                }
            };
            after = part.next;
            let is_last = after.is_none();
            // Who takes them has ended only when it failed, which it tells itself.
            if parts.send(Part { routes: part, is_last }).await.is_err() || is_last {
                return;
            }
        }
    }
}

/// Part of the table's routes.
struct Part {
    routes: RoutesLook,
    is_last: bool,
}

/// Measures anew, with what the paths tell.
fn renew(
    observatory: &Observatory,
    look: OriginsLook,
    beside: Beside,
    parts: mpsc::Receiver<Part>,
) -> Result<Vec<ToKeep>, NotMeasured> {
    let told = told(&look.facts, look.invalid_origins, parts);
    let OriginsLook { at, routes, peer_ases, facts, .. } = look;
    let least = LEAST_PEERS.min(peer_ases.into_iter().max().unwrap_or_default());
    let announced = Announced::of_table(routes, at, least).with_told(told);
    observatory.renew(References::new(*facts, beside), announced, at)
}

/// What the paths of all parts tell; nothing when they do not come to an end.
fn told(
    facts: &Facts,
    invalid_origins: BTreeSet<Asn>,
    mut parts: mpsc::Receiver<Part>,
) -> PathsTold {
    let mut builder = PathsBuilder::new(facts, invalid_origins);
    while let Some(Part { routes, is_last }) = parts.blocking_recv() {
        routes.for_each(|prefix, routes| {
            let seen = routes.iter().map(|&(path, otc)| PathSeen { path, otc });
            builder.add(prefix, &seen.collect::<Vec<_>>());
        });
        if is_last {
            let told = builder.finish();
            if told.over_limit > 0 {
                warn!(routes = told.over_limit, "the table has more paths than a survey takes");
            }
            return told;
        }
    }
    PathsTold::default()
}
