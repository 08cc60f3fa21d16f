//! Writes batches, each attribute set once.

use std::collections::BTreeMap;

use routewarden_core::event::AttributesRef;
use routewarden_core::{EventBatch, Peer, RouteEvent};

use crate::route_text::Attributes;

/// A batch being written.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) batch: EventBatch,
    known: BTreeMap<Attributes, AttributesRef>,
}

impl Writer {
    pub(crate) fn new(peers: &[Peer]) -> Self {
        let mut batch = EventBatch::default();
        batch.new_peers = peers.to_vec();
        Writer { batch, known: BTreeMap::new() }
    }

    /// The batch, complete. What is written from now on goes to the next of the stream.
    pub(crate) fn next_batch(&mut self) -> EventBatch {
        std::mem::replace(self, Writer::new(&[])).batch
    }

    /// Where the batch has the attributes. `None` when it has no room for more.
    pub(crate) fn attributes(&mut self, attributes: &Attributes) -> Option<AttributesRef> {
        if let Some(&known) = self.known.get(attributes) {
            return Some(known);
        }
        let at = self.batch.push_attributes(&attributes.as_route())?;
        self.known.insert(attributes.clone(), at);
        Some(at)
    }

    pub(crate) fn push(&mut self, event: RouteEvent) {
        self.batch.events.push(event);
    }
}
