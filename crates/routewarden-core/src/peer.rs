//! BGP peers of route collectors.

use std::net::IpAddr;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use crate::Asn;

/// A BGP peer of a collector (RFC 6396 §4.3.1): who sent a route, and to which collector.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Peer {
    /// Collector's name, as `route-views2` or `rrc12`; empty when unknown.
    pub collector: String,
    /// The peer's ASN. Witnesses are counted by AS, never by session.
    pub asn: Asn,
    /// The peer's address.
    pub addr: IpAddr,
}

/// Number of a [`Peer`] in a [`PeerTable`]. Its value depends on the order of arrival, so it
/// never appears in an output and never decides an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PeerId(pub u32);

/// All peers seen, numbered in the order of arrival.
#[derive(Clone, Debug, Default)]
pub struct PeerTable {
    peers: Vec<Peer>,
    index: HashMap<Peer, PeerId, foldhash::fast::FixedState>,
}

impl PeerTable {
    /// The peer's number, given on first sight. At most `u32::MAX` peers.
    pub fn intern(&mut self, peer: &Peer) -> PeerId {
        if let Some(&id) = self.index.get(peer) {
            return id;
        }
        let id = PeerId(u32::try_from(self.peers.len()).unwrap_or(u32::MAX));
        self.peers.push(peer.clone());
        self.index.insert(peer.clone(), id);
        id
    }

    /// The peer with that number.
    pub fn get(&self, id: PeerId) -> Option<&Peer> {
        self.peers.get(usize::try_from(id.0).ok()?)
    }

    /// All peers in the order of arrival.
    pub fn iter(&self) -> impl Iterator<Item = (PeerId, &Peer)> {
        self.peers.iter().zip(0..).map(|(peer, id)| (PeerId(id), peer))
    }

    /// Number of peers.
    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// Whether no peer was seen.
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }
}
