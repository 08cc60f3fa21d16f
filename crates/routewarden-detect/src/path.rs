//! What an AS path says by itself and with relationships: faults, leaks, signed intent.
//!
//! Nothing here allocates: these run once for each distinct path. Paths are neighbour first, origin
//! last, prepends collapsed ([`Hops`]).

pub mod bogus;
pub mod leak;
pub mod otc;
pub mod peerlock;

use std::ops::Deref;

use routewarden_core::facts::{AspaTable, Hop, Relation, RelationTable};
use routewarden_core::{AsPath, Asn};
use serde::{Deserialize, Serialize};

pub use bogus::{PathFault, PathFaultKind, PathFaults, path_faults};
pub use leak::{Leak, LeakType, find_leak};
pub use otc::{Egress, Ingress, NeighborRole, OtcFinding, egress, ingress, otc_finding};
pub use peerlock::{Peerlock, PeerlockState, peerlock, peerlock_lite};

/// Most ASes of a path that is looked at hop by hop. Real paths have fewer than 30.
pub const HOPS_MAX: usize = 64;

/// The ASes of a path, prepends collapsed, sets and confederation segments left out: neighbour
/// first, origin last.
#[derive(Clone, Copy, Debug)]
pub struct Hops {
    asns: [Asn; HOPS_MAX],
    len: usize,
}

impl Hops {
    /// `None` for a path of more than [`HOPS_MAX`] ASes.
    pub fn of(path: AsPath<'_>) -> Option<Self> {
        let mut hops = Hops { asns: [Asn(0); HOPS_MAX], len: 0 };
        for asn in path.collapsed() {
            *hops.asns.get_mut(hops.len)? = asn;
            hops.len += 1;
        }
        Some(hops)
    }
}

impl Deref for Hops {
    type Target = [Asn];

    fn deref(&self) -> &[Asn] {
        self.asns.get(..self.len).unwrap_or_default()
    }
}

/// On what a relationship rests, the firmest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// An AS names its providers, signed (ASPA).
    Aspa,
    /// The operator said so.
    Operator,
    /// A file of relationships.
    Given,
    /// Inferred from paths.
    Inferred,
}

/// A relationship with what it rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownRelation {
    /// What the second AS asked of is to the first.
    pub relation: Relation,
    /// On what it rests.
    pub basis: Basis,
    /// How firm it is, 0 to 100.
    pub confidence: u8,
}

/// Confidence in an ASPA: its owner signed it.
pub const ASPA_CONFIDENCE: u8 = 100;

/// What `b` is to `a`, by attestations first, else by a table whose links were given or inferred.
///
/// What an attestation denies is not taken from the table. ASes that name each other as provider
/// are in a mutual relation that is neither: nothing is known then.
pub fn known_relation(
    aspas: Option<&AspaTable>,
    table: Option<&RelationTable>,
    a: Asn,
    b: Asn,
) -> Option<KnownRelation> {
    let hop = |customer, provider| {
        aspas.map_or(Hop::NoAttestation, |aspas| aspas.hop(customer, provider))
    };
    let (up, down) = (hop(a, b), hop(b, a));
    let attested = |relation| {
        Some(KnownRelation { relation, basis: Basis::Aspa, confidence: ASPA_CONFIDENCE })
    };
    match (up, down) {
        (Hop::Provider, Hop::Provider) => return None,
        (Hop::Provider, _) => return attested(Relation::Provider),
        (_, Hop::Provider) => return attested(Relation::Customer),
        _ => {}
    }
    let link = table?.link(a, b)?;
    let is_denied = match link.relation {
        Relation::Provider => up == Hop::NotProvider,
        Relation::Customer => down == Hop::NotProvider,
        Relation::Peer => false,
    };
    let basis = if link.is_inferred { Basis::Inferred } else { Basis::Given };
    (!is_denied).then_some(KnownRelation {
        relation: link.relation,
        basis,
        confidence: link.confidence,
    })
}

/// Whether an AS is one of a sorted list.
fn is_among(sorted: &[Asn], asn: Asn) -> bool {
    sorted.binary_search(&asn).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use routewarden_core::AsPathBuf;
    use routewarden_core::facts::Link;

    #[test]
    fn attestations_go_before_a_table_and_deny_it() {
        let aspas = AspaTable::from_records(vec![
            (Asn(1), vec![Asn(2)]),
            (Asn(3), vec![Asn(4)]),
            (Asn(4), vec![Asn(3)]),
        ]);
        let table = RelationTable::from_links(vec![
            Link::given(Asn(1), Asn(2), Relation::Customer),
            Link::given(Asn(1), Asn(9), Relation::Provider),
            Link::given(Asn(9), Asn(8), Relation::Provider),
            Link::given(Asn(3), Asn(4), Relation::Peer),
            Link::inferred(Asn(8), Asn(7), Relation::Peer, 70),
        ]);
        let known = |a, b| {
            known_relation(Some(&aspas), Some(&table), Asn(a), Asn(b))
                .map(|known| (known.relation, known.basis, known.confidence))
        };
        assert_eq!(known(1, 2), Some((Relation::Provider, Basis::Aspa, 100)));
        assert_eq!(known(2, 1), Some((Relation::Customer, Basis::Aspa, 100)));
        assert_eq!(known(1, 9), None, "1 does not name 9");
        assert_eq!(known(9, 1), None);
        assert_eq!(known(3, 4), None, "each names the other");
        assert_eq!(known(9, 8), Some((Relation::Provider, Basis::Given, 100)));
        assert_eq!(known(7, 8), Some((Relation::Peer, Basis::Inferred, 70)));
        assert_eq!(known_relation(None, None, Asn(1), Asn(2)), None);
    }

    #[test]
    fn hops_collapse_prepends_up_to_a_limit() {
        let path = AsPathBuf::sequence([1, 1, 2, 3, 3].map(Asn));
        assert_eq!(&*Hops::of(path.as_path()).unwrap(), [Asn(1), Asn(2), Asn(3)]);
        let most = u32::try_from(HOPS_MAX).unwrap();
        assert_eq!(
            Hops::of(AsPathBuf::sequence((0..most).map(Asn)).as_path()).unwrap().len(),
            HOPS_MAX
        );
        assert!(Hops::of(AsPathBuf::sequence((0..=most).map(Asn)).as_path()).is_none());
    }
}
