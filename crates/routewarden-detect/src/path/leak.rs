//! Route leaks: paths that relationships do not allow.

use routewarden_core::Asn;
use routewarden_core::facts::Relation;
use serde::{Deserialize, Serialize};

use super::{Basis, KnownRelation};

/// Leak types that a path shows (RFC 7908 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum LeakType {
    /// Type 1: a route of a provider goes to another provider ("hairpin").
    ProviderToProvider = 1,
    /// Type 2: a route of a peer goes to another peer.
    PeerToPeer = 2,
    /// Type 3: a route of a provider goes to a peer.
    ProviderToPeer = 3,
    /// Type 4: a route of a peer goes to a provider.
    PeerToProvider = 4,
}

impl LeakType {
    /// By what the AS that the route came from, and the one it went to, are to the AS between.
    /// `None` when the one or the other is a customer: that is no leak.
    pub const fn of(from: Relation, to: Relation) -> Option<Self> {
        match (from, to) {
            (Relation::Provider, Relation::Provider) => Some(LeakType::ProviderToProvider),
            (Relation::Peer, Relation::Peer) => Some(LeakType::PeerToPeer),
            (Relation::Provider, Relation::Peer) => Some(LeakType::ProviderToPeer),
            (Relation::Peer, Relation::Provider) => Some(LeakType::PeerToProvider),
            (Relation::Customer, _) | (_, Relation::Customer) => None,
        }
    }

    /// The number of RFC 7908.
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// A route leak in a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leak {
    /// Which sort.
    pub kind: LeakType,
    /// The AS that the leaker had the route from.
    pub from: Asn,
    /// The leaker.
    pub by: Asn,
    /// The AS it passed the route to.
    pub to: Asn,
    /// Place of the leaker in the path, from 0 at the collector's neighbour.
    pub at: usize,
    /// On what the weaker of the two relationships rests.
    pub basis: Basis,
    /// Confidence in the less certain of the two relationships.
    pub confidence: u8,
}

/// The first leak seen from the origin (RFC 7908 §3): a route had from a provider or a peer that
/// goes to a provider or a peer.
///
/// `relation(a, b)` tells what `b` is to `a`. A hop of unknown relationship is passed over. `receiver`
/// is the AS of the router that recorded the route, where its relationships with its neighbours
/// count; `None` for a public collector, which is nobody's customer or peer.
pub fn find_leak(
    path: &[Asn],
    relation: impl Fn(Asn, Asn) -> Option<KnownRelation>,
    receiver: Option<Asn>,
) -> Option<Leak> {
    (0..path.len().checked_sub(1)?).rev().find_map(|at| {
        let (&by, &from) = (path.get(at)?, path.get(at + 1)?);
        let to = match at.checked_sub(1) {
            Some(before) => *path.get(before)?,
            None => receiver?,
        };
        // A router of the same AS is no hop.
        if to == by {
            return None;
        }
        let is_open = |known: &KnownRelation| known.relation != Relation::Customer;
        let out = relation(by, to).filter(is_open)?;
        let into = relation(by, from).filter(is_open)?;
        Some(Leak {
            kind: LeakType::of(into.relation, out.relation)?,
            from,
            by,
            to,
            at,
            basis: into.basis.max(out.basis),
            confidence: into.confidence.min(out.confidence),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1 and 2 are providers of 3; 3 and 4 are peers, 4 and 5 too; 6 is a customer of 3.
    fn relation(a: Asn, b: Asn) -> Option<KnownRelation> {
        let one_way = |a, b| match (a, b) {
            (3, 1) => Some((Relation::Provider, Basis::Aspa, 100)),
            (3, 2) | (6, 3) => Some((Relation::Provider, Basis::Inferred, 60)),
            (3, 4) | (4, 5) => Some((Relation::Peer, Basis::Given, 90)),
            _ => None,
        };
        let there = one_way(a.0, b.0);
        let back = one_way(b.0, a.0).map(|(held, basis, sure)| (held.reversed(), basis, sure));
        there.or(back).map(|(relation, basis, confidence)| KnownRelation {
            relation,
            basis,
            confidence,
        })
    }

    fn leak(path: &[u32], receiver: Option<u32>) -> Option<(u8, u32, usize, Basis, u8)> {
        let path: Vec<Asn> = path.iter().copied().map(Asn).collect();
        let leak = find_leak(&path, relation, receiver.map(Asn))?;
        Some((leak.kind.number(), leak.by.0, leak.at, leak.basis, leak.confidence))
    }

    #[test]
    fn the_weaker_link_is_the_basis() {
        assert_eq!(leak(&[1, 3, 2], None), Some((1, 3, 1, Basis::Inferred, 60)));
        assert_eq!(leak(&[4, 3, 1], None), Some((3, 3, 1, Basis::Given, 90)));
        assert_eq!(leak(&[1, 3, 4], None), Some((4, 3, 1, Basis::Given, 90)));
        assert_eq!(leak(&[6, 3, 1], None), None);
        assert_eq!(leak(&[1, 3, 6], None), None);
        assert_eq!(leak(&[7, 3, 1], None), None, "unknown");
    }

    #[test]
    fn of_two_leaks_the_one_nearer_to_the_origin_counts() {
        assert_eq!(leak(&[5, 4, 3, 1], None), Some((3, 3, 2, Basis::Given, 90)));
    }

    #[test]
    fn the_receiver_sees_what_its_own_customer_leaks() {
        assert_eq!(leak(&[3, 2], Some(1)), Some((1, 3, 0, Basis::Inferred, 60)));
        assert_eq!(leak(&[3, 2], None), None);
        assert_eq!(leak(&[3, 2], Some(6)), None);
        assert_eq!(leak(&[3, 2], Some(3)), None, "a router of the same AS");
        assert_eq!(leak(&[3], Some(1)), None);
        assert_eq!(leak(&[], Some(1)), None);
    }
}
