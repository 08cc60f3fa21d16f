//! Route events: what a collector recorded, in order.

use serde::{Deserialize, Serialize};

use crate::{AddressFamily, Peer, Prefix, RouteAttributes, Timestamp};

/// One thing a collector recorded of one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteEvent {
    /// The collector's time of the record.
    pub time: Timestamp,
    /// Index of the peer in the stream's peer list (see [`EventBatch::new_peers`]).
    pub peer: u32,
    /// What happened.
    pub kind: RouteEventKind,
}

/// What a [`RouteEvent`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RouteEventKind {
    /// The peer announced a unicast route.
    Announcement {
        /// Prefix of the route.
        prefix: Prefix,
        /// Its attributes in the batch.
        attributes: AttributesRef,
    },
    /// The peer withdrew its route to the prefix.
    Withdrawal {
        /// Prefix of the route.
        prefix: Prefix,
    },
    /// An entry of a table dump: the peer had this route at the time of the dump.
    TableEntry {
        /// Prefix of the route.
        prefix: Prefix,
        /// Its attributes in the batch.
        attributes: AttributesRef,
        /// When the route was received, as the dump says (RFC 6396 §4.3.4 "originated time").
        originated: Timestamp,
    },
    /// The session came up (BGP4MP state change to Established).
    PeerUp,
    /// The session went down: its routes are unknown from now on, not withdrawn.
    PeerDown,
    /// End-of-RIB marker (RFC 4724 §2): the initial table transfer is complete.
    EndOfRib {
        /// Address family of the marker.
        family: AddressFamily,
    },
}

/// Where a batch keeps the canonical octets of one attribute set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributesRef {
    start: u32,
    end: u32,
}

/// A run of events of one stream, with their attributes in one arena.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct EventBatch {
    /// Peers first seen in this batch: they extend the stream's peer list, in order.
    pub new_peers: Vec<Peer>,
    /// The events in the order of the stream.
    pub events: Vec<RouteEvent>,
    arena: Vec<u8>,
}

/// Most octets of attributes one batch may hold.
pub const ARENA_OCTETS_MAX: usize = u32::MAX as usize;

impl EventBatch {
    /// Stores attributes for the events to come. `None` when they exceed the limits of
    /// [`RouteAttributes::encode`] or [`ARENA_OCTETS_MAX`].
    pub fn push_attributes(&mut self, attributes: &RouteAttributes<'_>) -> Option<AttributesRef> {
        let start = u32::try_from(self.arena.len()).ok()?;
        if !attributes.encode(&mut self.arena) {
            return None;
        }
        Some(AttributesRef { start, end: u32::try_from(self.arena.len()).ok()? })
    }

    /// Canonical octets of an attribute set of this batch.
    pub fn attributes(&self, at: AttributesRef) -> &[u8] {
        let (start, end) = (usize::try_from(at.start), usize::try_from(at.end));
        start.ok().zip(end.ok()).and_then(|(s, e)| self.arena.get(s..e)).unwrap_or_default()
    }

    /// Octets of attributes held.
    pub fn arena_octets(&self) -> usize {
        self.arena.len()
    }

    /// Empties the batch and keeps its memory.
    pub fn clear(&mut self) {
        self.new_peers.clear();
        self.events.clear();
        self.arena.clear();
    }
}
