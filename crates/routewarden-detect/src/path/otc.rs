//! Only to Customer (RFC 9234): the rules of a speaker, and what a passive observer can tell.

use routewarden_core::Asn;
use routewarden_core::facts::Relation;

use super::leak::LeakType;
use super::{Basis, KnownRelation};

/// What the neighbour is to the speaker (RFC 9234 §4.2: the pairs of roles).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NeighborRole {
    /// It sells transit to the speaker.
    Provider,
    /// It is a route server.
    RouteServer,
    /// It is a client of the speaker, a route server.
    RouteServerClient,
    /// It buys transit from the speaker.
    Customer,
    /// It is a peer.
    Peer,
}

/// What becomes of a route on its way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ingress {
    /// It is eligible, with this OTC attribute.
    Accept {
        /// The attribute from here on.
        otc: Option<Asn>,
    },
    /// It is a route leak; it keeps its attribute.
    Leak {
        /// The attribute as received.
        otc: Asn,
    },
}

/// What becomes of a route on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Egress {
    /// It is sent, with this OTC attribute.
    Send {
        /// The attribute sent.
        otc: Option<Asn>,
    },
    /// It must not be propagated.
    Keep,
}

/// RFC 9234 §5, rules on ingress: `otc` is the attribute received from `neighbor`.
pub fn ingress(otc: Option<Asn>, role: NeighborRole, neighbor: Asn) -> Ingress {
    match (otc, role) {
        (Some(otc), NeighborRole::Customer | NeighborRole::RouteServerClient) => {
            Ingress::Leak { otc }
        }
        (Some(otc), NeighborRole::Peer) if otc != neighbor => Ingress::Leak { otc },
        (None, NeighborRole::Provider | NeighborRole::Peer | NeighborRole::RouteServer) => {
            Ingress::Accept { otc: Some(neighbor) }
        }
        (otc, _) => Ingress::Accept { otc },
    }
}

/// RFC 9234 §5, rules on egress: `otc` is the attribute held, `speaker` the sender's ASN.
pub fn egress(otc: Option<Asn>, role: NeighborRole, speaker: Asn) -> Egress {
    let is_up =
        matches!(role, NeighborRole::Provider | NeighborRole::Peer | NeighborRole::RouteServer);
    let is_marked = matches!(
        role,
        NeighborRole::Customer | NeighborRole::Peer | NeighborRole::RouteServerClient
    );
    match otc {
        Some(_) if is_up => Egress::Keep,
        None if is_marked => Egress::Send { otc: Some(speaker) },
        otc => Egress::Send { otc },
    }
}

/// What the attribute of a recorded route says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtcFinding {
    /// No hop after the marking AS is known to go to a provider or a peer.
    Consistent,
    /// The marking AS is not in the path: it hides (a route server), or the mark is forged.
    Absent,
    /// The route went to a provider or a peer after it was marked "only to customers".
    Leak(OtcLeak),
}

/// A leak by signed intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtcLeak {
    /// Sort of the leak; `None` when what `from` is to `by` is not known, or is said to be a
    /// customer in spite of the mark.
    pub kind: Option<LeakType>,
    /// The AS that the leaker had the route from.
    pub from: Asn,
    /// The leaker.
    pub by: Asn,
    /// The provider or peer it passed the route to.
    pub to: Asn,
    /// Place of the leaker in the path, from 0 at the collector's neighbour.
    pub at: usize,
    /// On what rests that `to` is no customer.
    pub basis: Basis,
    /// Confidence in that relationship.
    pub confidence: u8,
}

/// The passive test: after the AS that OTC names, a route may only go to customers (RFC 9234 §5).
/// The first hop of that AS itself is not tested: OTC is set towards peers, too.
///
/// `path` is neighbour first, prepends collapsed; `relation(a, b)` tells what `b` is to `a`. See
/// [`find_leak`](super::find_leak) for `receiver`. The leak nearest to the origin is given.
pub fn otc_finding(
    path: &[Asn],
    otc: Asn,
    relation: impl Fn(Asn, Asn) -> Option<KnownRelation>,
    receiver: Option<Asn>,
) -> OtcFinding {
    // Of several places the nearest to the collector: the fewest hops are doubted.
    let Some(marker) = path.iter().position(|&asn| asn == otc) else { return OtcFinding::Absent };
    let leak = (0..marker).rev().find_map(|at| {
        let (&by, &from) = (path.get(at)?, path.get(at + 1)?);
        let to = match at.checked_sub(1) {
            Some(before) => *path.get(before)?,
            None => receiver.filter(|&receiver| receiver != by)?,
        };
        let out = relation(by, to).filter(|known| known.relation != Relation::Customer)?;
        let into = relation(by, from);
        let kind = into.and_then(|known| LeakType::of(known.relation, out.relation));
        let (basis, confidence) = (out.basis, out.confidence);
        Some(OtcLeak { kind, from, by, to, at, basis, confidence })
    });
    leak.map_or(OtcFinding::Consistent, OtcFinding::Leak)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1 is a provider of 2, 3 a provider of 2, 2 and 4 are peers, 5 is a customer of 2.
    fn relation(a: Asn, b: Asn) -> Option<KnownRelation> {
        let relation = match (a.0, b.0) {
            (2, 1 | 3) | (5, 2) => Relation::Provider,
            (1 | 3, 2) | (2, 5) => Relation::Customer,
            (2, 4) | (4, 2) => Relation::Peer,
            _ => return None,
        };
        Some(KnownRelation { relation, basis: Basis::Given, confidence: 90 })
    }

    fn finding(path: &[u32], otc: u32, receiver: Option<u32>) -> OtcFinding {
        let path: Vec<Asn> = path.iter().copied().map(Asn).collect();
        otc_finding(&path, Asn(otc), relation, receiver.map(Asn))
    }

    #[test]
    fn rfc9234_a_marked_route_may_go_to_customers_only() {
        let OtcFinding::Leak(leak) = finding(&[3, 2, 1, 9], 1, None) else { panic!() };
        assert_eq!((leak.from, leak.by, leak.to, leak.at), (Asn(1), Asn(2), Asn(3), 1));
        assert_eq!(leak.kind, Some(LeakType::ProviderToProvider));
        assert_eq!(finding(&[5, 2, 1, 9], 1, None), OtcFinding::Consistent);
        assert_eq!(finding(&[3, 2, 1, 9], 3, None), OtcFinding::Consistent, "marked by the last");
        assert_eq!(finding(&[3, 2, 1, 9], 7, None), OtcFinding::Absent);
        assert_eq!(finding(&[4, 2, 5], 2, None), OtcFinding::Consistent, "towards its own peer");
    }

    #[test]
    fn the_sort_is_open_when_the_hop_in_is_not_known() {
        let OtcFinding::Leak(leak) = finding(&[4, 2, 8, 9], 9, None) else { panic!() };
        assert_eq!((leak.kind, leak.by, leak.to), (None, Asn(2), Asn(4)));
    }

    #[test]
    fn the_receiver_is_the_last_hop() {
        let OtcFinding::Leak(leak) = finding(&[2, 1], 1, Some(3)) else { panic!() };
        assert_eq!((leak.by, leak.to, leak.at), (Asn(2), Asn(3), 0));
        assert_eq!(finding(&[2, 1], 1, Some(2)), OtcFinding::Consistent);
        assert_eq!(finding(&[2, 1], 1, None), OtcFinding::Consistent);
    }
}
