//! What is played, in pieces of about a second that stand by themselves.

use std::collections::{HashMap, VecDeque};

use anyhow::Result;
use routewarden_core::{
    EventBatch, Peer, PeerTable, RouteAttributes, RouteEvent, RouteEventKind, Timestamp,
};
use routewarden_detect::FactsChange;
use routewarden_feeds::MergedStream;
use routewarden_lab::{Scenario, Step, Tables};

/// A piece is at most so long.
const PIECE_SECS: i64 = 1;
/// A piece has at most so many events.
const PIECE_EVENTS_MAX: usize = 1_024;

/// What happens next.
#[derive(Debug)]
pub(crate) enum Piece {
    /// Route events up to a time.
    Events {
        /// The latest of their times.
        until: Timestamp,
        /// The events, with all peers that they name.
        batch: EventBatch,
    },
    /// Facts change.
    Facts(Timestamp, Box<FactsChange>),
    /// Nothing up to a time.
    Quiet(Timestamp),
}

impl Piece {
    /// The time that it goes up to.
    pub(crate) fn until(&self) -> Timestamp {
        match self {
            Piece::Events { until, .. } | Piece::Facts(until, _) | Piece::Quiet(until) => *until,
        }
    }
}

/// Pieces in order.
pub(crate) type Pieces = Box<dyn Iterator<Item = Result<Piece>> + Send>;

/// Makes pieces of events as they come.
#[derive(Default)]
struct Cutter {
    first: Timestamp,
    until: Timestamp,
    batch: EventBatch,
    numbers: HashMap<Peer, u32>,
}

impl Cutter {
    /// Adds an event of a batch; gives the piece that is complete without it.
    fn push(&mut self, peer: &Peer, event: &RouteEvent, from: &EventBatch) -> Option<Piece> {
        let is_full = self.batch.events.len() >= PIECE_EVENTS_MAX
            || event.time.secs_since(self.first) >= PIECE_SECS;
        let done = if is_full { self.take() } else { None };
        if self.batch.events.is_empty() {
            (self.first, self.until) = (event.time, event.time);
        }
        self.until = self.until.max(event.time);
        let new = u32::try_from(self.batch.new_peers.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(peer.clone()).or_insert(new);
        if number == new {
            self.batch.new_peers.push(peer.clone());
        }
        if let Some(kind) = self.kind(event.kind, from) {
            self.batch.events.push(RouteEvent { time: event.time, peer: number, kind });
        }
        done
    }

    /// The same with attributes in the piece; `None` for attributes that cannot be read.
    fn kind(&mut self, kind: RouteEventKind, from: &EventBatch) -> Option<RouteEventKind> {
        let mut moved = |at| {
            let attributes = RouteAttributes::decode(from.attributes(at))?;
            self.batch.push_attributes(&attributes)
        };
        Some(match kind {
            RouteEventKind::Announcement { prefix, attributes } => {
                RouteEventKind::Announcement { prefix, attributes: moved(attributes)? }
            }
            RouteEventKind::TableEntry { prefix, attributes, originated } => {
                RouteEventKind::TableEntry { prefix, attributes: moved(attributes)?, originated }
            }
            other => other,
        })
    }

    /// What is there.
    fn take(&mut self) -> Option<Piece> {
        self.numbers.clear();
        let batch = std::mem::take(&mut self.batch);
        (!batch.events.is_empty()).then_some(Piece::Events { until: self.until, batch })
    }
}

/// Pieces of files.
pub(crate) struct ArchivePieces {
    stream: MergedStream,
    peers: PeerTable,
    cutter: Cutter,
    ready: VecDeque<Piece>,
    is_over: bool,
}

impl ArchivePieces {
    pub(crate) fn new(stream: MergedStream) -> Self {
        ArchivePieces {
            stream,
            peers: PeerTable::default(),
            cutter: Cutter::default(),
            ready: VecDeque::new(),
            is_over: false,
        }
    }
}

impl Iterator for ArchivePieces {
    type Item = Result<Piece>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && !self.is_over {
            let run = match self.stream.next_run(&mut self.peers) {
                Ok(Some(run)) => run,
                Ok(None) => {
                    self.is_over = true;
                    self.ready.extend(self.cutter.take());
                    continue;
                }
                Err(error) => {
                    self.is_over = true;
                    return Some(Err(error.into()));
                }
            };
            for (id, event) in run.events() {
                // A run names no peer that the table does not have.
                let Some(peer) = self.peers.get(id) else { continue };
                self.ready.extend(self.cutter.push(peer, event, run.batch));
            }
        }
        self.ready.pop_front().map(Ok)
    }
}

/// The pieces of a scenario, up to its end.
pub(crate) fn of_scenario(scenario: &Scenario, tables: &mut Tables<'_>) -> Vec<Piece> {
    let (mut pieces, mut cutter) = (Vec::new(), Cutter::default());
    for step in scenario.steps() {
        match step {
            Step::Events(batch) => {
                for event in &batch.events {
                    let peer = usize::try_from(event.peer).ok();
                    let Some(peer) = peer.and_then(|at| scenario.peers.get(at)) else { continue };
                    pieces.extend(cutter.push(peer, event, batch));
                }
            }
            Step::Facts(change) => {
                pieces.extend(cutter.take());
                let (vrps, aspas) = tables.change(change);
                let new = FactsChange { vrps, aspas, ..FactsChange::default() };
                pieces.push(Piece::Facts(change.time, Box::new(new)));
            }
        }
    }
    pieces.extend(cutter.take());
    pieces.push(Piece::Quiet(scenario.end));
    pieces
}
