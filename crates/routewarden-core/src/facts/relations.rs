//! Business relationships between ASes.

use serde::{Deserialize, Serialize};

use crate::Asn;

/// What one AS is to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// It sells transit to the other.
    Provider,
    /// It buys transit from the other.
    Customer,
    /// They exchange their own and their customers' routes.
    Peer,
}

impl Relation {
    /// The relation seen from the other side.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Relation::Provider => Relation::Customer,
            Relation::Customer => Relation::Provider,
            Relation::Peer => Relation::Peer,
        }
    }
}

/// One link: `b` is `relation` of `a`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Link {
    /// One AS.
    pub a: Asn,
    /// The other.
    pub b: Asn,
    /// What `b` is to `a`.
    pub relation: Relation,
    /// How firm it is, 0 to 100. Links of a file without a figure: 100.
    pub confidence: u8,
    /// Whether the relationship was inferred from paths, not given.
    pub is_inferred: bool,
}

impl Link {
    /// A link as given: `b` is `relation` of `a`.
    pub const fn given(a: Asn, b: Asn, relation: Relation) -> Self {
        Link { a, b, relation, confidence: 100, is_inferred: false }
    }

    /// An inferred link: `b` is `relation` of `a`.
    pub const fn inferred(a: Asn, b: Asn, relation: Relation, confidence: u8) -> Self {
        Link { a, b, relation, confidence, is_inferred: true }
    }

    /// The link seen from the other side.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Link { a: self.b, b: self.a, relation: self.relation.reversed(), ..self }
    }
}

/// Relationships of all links known, in both directions: 12 octets each.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RelationTable {
    /// Both directions of each link, by `a`, then `b`.
    links: Vec<Link>,
    transit_links: usize,
    conflicts: usize,
}

impl RelationTable {
    /// Builds the table from links in any order. Of several links between the same two ASes the
    /// first given counts; see [`RelationTable::conflicts`]. A link of an AS to itself is left
    /// out.
    pub fn from_links(links: Vec<Link>) -> Self {
        let mut both: Vec<Link> = links
            .into_iter()
            .filter(|link| link.a != link.b)
            .flat_map(|link| [link, link.reversed()])
            .collect();
        both.sort_by_key(|link| (link.a, link.b));
        let mut conflicting_directions = 0;
        both.dedup_by(|later, kept| {
            let same = (later.a, later.b) == (kept.a, kept.b);
            conflicting_directions += usize::from(same && later.relation != kept.relation);
            same
        });
        both.shrink_to_fit();
        let transit_links = both.iter().filter(|l| l.relation == Relation::Provider).count();
        RelationTable { links: both, transit_links, conflicts: conflicting_directions / 2 }
    }

    /// What `b` is to `a`: [`Relation::Provider`] says that `b` is a provider of `a`. `None`
    /// when no link is known, which does not say that there is none.
    pub fn relation(&self, a: Asn, b: Asn) -> Option<Relation> {
        self.link(a, b).map(|link| link.relation)
    }

    /// As [`RelationTable::relation`], with how firm it is.
    pub fn link(&self, a: Asn, b: Asn) -> Option<Link> {
        let at = self.links.binary_search_by_key(&(a, b), |link| (link.a, link.b)).ok()?;
        self.links.get(at).copied()
    }

    /// All neighbours of `asn` with what they are to it, ascending.
    pub fn neighbors(&self, asn: Asn) -> impl Iterator<Item = (Asn, Relation)> + use<'_> {
        let start = self.links.partition_point(|link| link.a < asn);
        let end = self.links.partition_point(|link| link.a <= asn);
        let links = self.links.get(start..end).unwrap_or_default();
        links.iter().map(|link| (link.b, link.relation))
    }

    /// Providers of `asn`, ascending.
    pub fn providers(&self, asn: Asn) -> impl Iterator<Item = Asn> + use<'_> {
        self.neighbors_that_are(asn, Relation::Provider)
    }

    /// Customers of `asn`, ascending.
    pub fn customers(&self, asn: Asn) -> impl Iterator<Item = Asn> + use<'_> {
        self.neighbors_that_are(asn, Relation::Customer)
    }

    /// Peers of `asn`, ascending.
    pub fn peers(&self, asn: Asn) -> impl Iterator<Item = Asn> + use<'_> {
        self.neighbors_that_are(asn, Relation::Peer)
    }

    /// Whether any link of `asn` is known.
    pub fn is_known(&self, asn: Asn) -> bool {
        self.neighbors(asn).next().is_some()
    }

    /// All links once, `a < b`, by `a`, then `b`.
    pub fn iter(&self) -> impl Iterator<Item = Link> {
        self.links.iter().copied().filter(|link| link.a < link.b)
    }

    /// Number of links between a provider and a customer.
    pub fn transit_link_count(&self) -> usize {
        self.transit_links
    }

    /// Number of links between peers.
    pub fn peer_link_count(&self) -> usize {
        self.links.len() / 2 - self.transit_links
    }

    /// Number of links given again with another relation, and left out.
    pub fn conflicts(&self) -> usize {
        self.conflicts
    }

    fn neighbors_that_are(
        &self,
        asn: Asn,
        relation: Relation,
    ) -> impl Iterator<Item = Asn> + use<'_> {
        self.neighbors(asn).filter(move |&(_, held)| held == relation).map(|(asn, _)| asn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(a: u32, b: u32, relation: Relation) -> Link {
        Link::given(Asn(a), Asn(b), relation)
    }

    #[test]
    fn relations_are_known_from_both_sides() {
        let table = RelationTable::from_links(vec![
            link(64497, 64496, Relation::Provider),
            link(64498, 64496, Relation::Provider),
            link(64497, 64498, Relation::Peer),
            link(64499, 64499, Relation::Peer),
        ]);
        assert_eq!(table.relation(Asn(64497), Asn(64496)), Some(Relation::Provider));
        assert_eq!(table.relation(Asn(64496), Asn(64497)), Some(Relation::Customer));
        assert_eq!(table.relation(Asn(64498), Asn(64497)), Some(Relation::Peer));
        assert_eq!(table.relation(Asn(64496), Asn(64499)), None);
        assert_eq!(table.customers(Asn(64496)).collect::<Vec<_>>(), [Asn(64497), Asn(64498)]);
        assert_eq!(table.providers(Asn(64497)).collect::<Vec<_>>(), [Asn(64496)]);
        assert_eq!(table.peers(Asn(64497)).collect::<Vec<_>>(), [Asn(64498)]);
        assert!(table.is_known(Asn(64498)) && !table.is_known(Asn(64499)));
        assert_eq!((table.transit_link_count(), table.peer_link_count()), (2, 1));
        assert_eq!((table.iter().count(), table.conflicts()), (3, 0));
    }

    #[test]
    fn the_first_of_conflicting_links_counts() {
        let table = RelationTable::from_links(vec![
            link(64497, 64496, Relation::Provider),
            link(64496, 64497, Relation::Peer),
            link(64496, 64497, Relation::Customer),
        ]);
        assert_eq!(table.relation(Asn(64497), Asn(64496)), Some(Relation::Provider));
        assert_eq!(table.relation(Asn(64496), Asn(64497)), Some(Relation::Customer));
        assert_eq!(table.conflicts(), 1);
    }
}
