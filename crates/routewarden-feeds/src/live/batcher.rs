//! Gathers the events of one connection into batches that stand by themselves.

use std::sync::Arc;

use hashbrown::HashMap;
use routewarden_core::event::AttributesRef;
use routewarden_core::{EventBatch, Peer, RouteEvent, RouteEventKind, Timestamp};
use routewarden_wire::{Attributes, Safi, Update};

use super::SourceContext;
use super::queue::{Closed, LiveBatch, LiveItem};
use crate::report::ElementCounts;
use crate::stream::BATCH_EVENTS;
use crate::update_events::{UpdateSink, push_update};

/// A batch whose attributes take so many octets is handed on.
pub const BATCH_OCTETS_MAX: usize = 1 << 20;
/// Most peers that one connection may name; routes of further ones are counted and left out.
pub const PEERS_OF_SOURCE_MAX: usize = 10_000;

/// Gathers events; hands them on when it is full or told to.
pub struct Batcher {
    context: SourceContext,
    batch: EventBatch,
    received: Timestamp,
    /// Numbers of the peers in the batch.
    numbers: HashMap<Arc<Peer>, u32, foldhash::fast::FixedState>,
    /// All peers that the connection named.
    known: HashMap<Arc<Peer>, (), foldhash::fast::FixedState>,
    counts: ElementCounts,
    scratch: Vec<u8>,
}

impl Batcher {
    /// An empty one.
    pub fn new(context: SourceContext) -> Self {
        Batcher {
            context,
            batch: EventBatch::default(),
            received: Timestamp::default(),
            numbers: HashMap::default(),
            known: HashMap::default(),
            counts: ElementCounts::default(),
            scratch: Vec::new(),
        }
    }

    /// Takes the routes of an update, or its End-of-RIB. `time` is when the peer's update was
    /// received by whoever received it first; `received` when we did.
    pub fn update(
        &mut self,
        peer: &Arc<Peer>,
        (time, received): (Timestamp, Timestamp),
        update: &Update<'_>,
    ) {
        self.begin(received);
        if let Some((family, safi)) = update.end_of_rib() {
            if safi == Safi::Unicast {
                self.session(peer, (time, received), RouteEventKind::EndOfRib { family });
            }
            return;
        }
        let mut batch = std::mem::take(&mut self.batch);
        push_update(time, update, &mut PeerSink { batcher: self, peer }, &mut batch);
        self.batch = batch;
    }

    /// Takes what happened to a session: up, down, End-of-RIB.
    pub fn session(
        &mut self,
        peer: &Arc<Peer>,
        (time, received): (Timestamp, Timestamp),
        kind: RouteEventKind,
    ) {
        self.begin(received);
        let mut batch = std::mem::take(&mut self.batch);
        let number = self.number(peer, &mut batch);
        self.batch = batch;
        let Some(peer) = number else { return };
        self.batch.events.push(RouteEvent { time, peer, kind });
        match kind {
            RouteEventKind::PeerUp => self.counts.peer_ups += 1,
            RouteEventKind::PeerDown => self.counts.peer_downs += 1,
            RouteEventKind::EndOfRib { .. } => self.counts.end_of_ribs += 1,
            _ => {}
        }
    }

    fn begin(&mut self, received: Timestamp) {
        if self.batch.events.is_empty() {
            self.received = received;
        }
    }

    /// Whether the batch should be flushed before more is taken.
    pub fn is_full(&self) -> bool {
        self.batch.events.len() >= BATCH_EVENTS || self.batch.arena_octets() >= BATCH_OCTETS_MAX
    }

    /// Whether nothing waits to be flushed.
    pub fn is_empty(&self) -> bool {
        self.batch.events.is_empty()
    }

    /// Hands on what was gathered; waits while the queue is full. Cancel-safe: what was not handed
    /// on stays.
    ///
    /// # Errors
    ///
    /// [`Closed`] when the pipeline has ended.
    pub async fn flush(&mut self) -> Result<(), Closed> {
        self.context.status.elements(&std::mem::take(&mut self.counts));
        if self.batch.events.is_empty() {
            self.clear();
            return Ok(());
        }
        let sink = self.context.sink.clone();
        let permit = sink.reserve().await?;
        let source = Arc::clone(self.context.status.name());
        let batch = std::mem::take(&mut self.batch);
        self.numbers.clear();
        permit.send(LiveItem::Batch(LiveBatch { source, received: self.received, batch }));
        Ok(())
    }

    fn clear(&mut self) {
        self.batch.clear();
        self.numbers.clear();
    }

    fn number(&mut self, peer: &Arc<Peer>, batch: &mut EventBatch) -> Option<u32> {
        if let Some(&number) = self.numbers.get(peer) {
            return Some(number);
        }
        if !self.known.contains_key(peer) {
            if self.known.len() >= PEERS_OF_SOURCE_MAX {
                let text = format!("more than {PEERS_OF_SOURCE_MAX} peers on one connection");
                self.context.status.fault("too_many_peers", text, self.received);
                return None;
            }
            self.known.insert(Arc::clone(peer), ());
        }
        let number = u32::try_from(batch.new_peers.len()).ok()?;
        batch.new_peers.push(Peer::clone(peer));
        self.numbers.insert(Arc::clone(peer), number);
        Some(number)
    }
}

/// The batcher, for the routes of one peer's message.
struct PeerSink<'a> {
    batcher: &'a mut Batcher,
    peer: &'a Arc<Peer>,
}

impl UpdateSink for PeerSink<'_> {
    fn peer(&mut self, batch: &mut EventBatch) -> Option<u32> {
        self.batcher.number(self.peer, batch)
    }

    fn attributes(
        &mut self,
        attributes: &Attributes<'_>,
        batch: &mut EventBatch,
    ) -> Option<AttributesRef> {
        let stored = batch.push_attributes(&attributes.route(&mut self.batcher.scratch));
        if stored.is_none() {
            self.batcher.counts.attributes_too_long += 1;
        }
        stored
    }

    fn counts(&mut self) -> &mut ElementCounts {
        &mut self.batcher.counts
    }
}
