//! Peerlock: an AS that is reached only directly or through named upstreams.

use routewarden_core::Asn;
use routewarden_core::facts::Relation;

use super::{KnownRelation, is_among};

/// How a protected AS may be reached.
#[derive(Clone, Copy, Debug)]
pub struct Peerlock<'a> {
    /// The protected AS.
    pub protected: Asn,
    /// The upstreams through which it may be reached, ascending. None for an AS of the clique.
    pub allowed_via: &'a [Asn],
}

/// What a path says of a protected AS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerlockState {
    /// The protected AS is not in the path.
    NotInPath,
    /// It is reached directly: it is the first AS, or next to an AS of the clique.
    Direct,
    /// It is reached through a named upstream.
    ViaAllowed {
        /// The upstream.
        via: Asn,
    },
    /// It is reached through somebody else.
    Violation {
        /// The AS next to it.
        via: Asn,
    },
}

/// Tests a path that a network receives. `clique` lists the ASes without providers, ascending.
///
/// The first AS of a path is the receiver's neighbour and stands for what it sends: a public
/// collector, which is sent full tables by customers of the protected AS, passes the path without
/// its first AS, as the second AS of the path has received it.
pub fn peerlock(path: &[Asn], lock: Peerlock<'_>, clique: &[Asn]) -> PeerlockState {
    let Some(at) = path.iter().position(|&asn| asn == lock.protected) else {
        return PeerlockState::NotInPath;
    };
    let Some(&via) = at.checked_sub(1).and_then(|before| path.get(before)) else {
        return PeerlockState::Direct;
    };
    if is_among(lock.allowed_via, via) {
        PeerlockState::ViaAllowed { via }
    } else if lock.allowed_via.is_empty() && is_among(clique, via) {
        PeerlockState::Direct
    } else {
        PeerlockState::Violation { via }
    }
}

/// A member of the clique behind a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BehindCustomer {
    /// The member of the clique.
    pub member: Asn,
    /// The customer that passed its route on.
    pub by: Asn,
    /// The provider that took it.
    pub to: Asn,
    /// Place of the customer in the path, from 0 at the collector's neighbour.
    pub at: usize,
}

/// Peerlock-lite: no customer has a route of a clique member to give. The relationship of every
/// other hop may be unknown; so this sees leaks that [`find_leak`](super::find_leak) cannot.
///
/// `relation(a, b)` tells what `b` is to `a`. The violation nearest to the member is given.
pub fn peerlock_lite(
    path: &[Asn],
    clique: &[Asn],
    relation: impl Fn(Asn, Asn) -> Option<KnownRelation>,
) -> Option<BehindCustomer> {
    let last = path.iter().rposition(|&asn| is_among(clique, asn))?;
    let &member = path.get(last)?;
    (1..last).rev().find_map(|at| {
        let (&by, &to) = (path.get(at)?, path.get(at - 1)?);
        if is_among(clique, by) {
            return None;
        }
        let known = relation(by, to)?;
        (known.relation == Relation::Provider).then_some(BehindCustomer { member, by, to, at })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::Basis;

    fn asns(numbers: &[u32]) -> Vec<Asn> {
        numbers.iter().copied().map(Asn).collect()
    }

    #[test]
    fn a_protected_as_is_reached_directly_or_through_its_upstreams() {
        let clique = asns(&[174, 1299]);
        let (none, allowed) = (asns(&[]), asns(&[1299]));
        let state = |protected, allowed_via: &[Asn], path: &[u32]| {
            let lock = Peerlock { protected: Asn(protected), allowed_via };
            peerlock(&asns(path), lock, &clique)
        };
        assert_eq!(state(174, &none, &[3, 2]), PeerlockState::NotInPath);
        assert_eq!(state(174, &none, &[174, 2]), PeerlockState::Direct);
        assert_eq!(state(174, &none, &[1299, 174, 2]), PeerlockState::Direct);
        assert_eq!(state(174, &none, &[9, 174, 2]), PeerlockState::Violation { via: Asn(9) });
        assert_eq!(
            state(6830, &allowed, &[1299, 6830]),
            PeerlockState::ViaAllowed { via: Asn(1299) }
        );
        // Another clique member is no named upstream.
        assert_eq!(state(6830, &allowed, &[174, 6830]), PeerlockState::Violation { via: Asn(174) });
    }

    #[test]
    fn a_clique_member_never_stands_behind_a_customer() {
        let clique = asns(&[10, 20]);
        let relation = |a: Asn, b: Asn| {
            let relation = match (a.0, b.0) {
                (7, 10) => Relation::Provider,
                (10, 7) => Relation::Customer,
                _ => return None,
            };
            Some(KnownRelation { relation, basis: Basis::Given, confidence: 100 })
        };
        let found = peerlock_lite(&asns(&[9, 10, 7, 8, 20, 5]), &clique, relation).unwrap();
        assert_eq!((found.member, found.by, found.to, found.at), (Asn(20), Asn(7), Asn(10), 2));
        assert_eq!(peerlock_lite(&asns(&[9, 10, 7, 8, 5]), &clique, relation), None);
        assert_eq!(peerlock_lite(&asns(&[7, 10, 20, 5]), &clique, relation), None);
    }
}
