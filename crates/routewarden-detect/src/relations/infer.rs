//! Relationships from triples of neighbours (the steps of `ASRank` after the clique).

use routewarden_core::facts::{Relation, RelationTable};

use super::confidence::Votes;
use super::graph::{Graph, Hop, Triple, at};

/// A provider of less transit degree than its customer must be seen in so many distinct paths.
const UPHILL_PATHS_MIN: u32 = 3;
/// From this transit degree on, an AS without a provider is taken for a network that peers with all
/// greater ones, not for one whose providers were not seen.
const PROVIDERLESS_DEGREE_MIN: u32 = 10;
/// A vantage point that shows at most this share, in thousandths, of all origins gives the collector
/// the routes of its customers only.
const PARTIAL_ORIGINS_MAX: u64 = 20;
/// A network at the top sells to those whose transit degree is at most this fraction of its own.
const SMALL_BELOW_TOP_MIN: u32 = 20;
/// Rounds in which peerings that look like transit are changed.
const REVISIONS_MAX: usize = 3;
/// Passes over all triples before the rest is left to the later steps.
const ROUNDS_MAX: usize = 8;

/// Relationship of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Rel {
    #[default]
    Unknown,
    /// The lesser end sells transit to the greater.
    AProvides,
    /// The greater end sells transit to the lesser.
    BProvides,
    Peers,
}

pub(super) struct Inference<'g> {
    pub(super) graph: &'g Graph,
    pub(super) triples: &'g [Triple],
    rels: Vec<Rel>,
    /// By link: given, and not for inference to change.
    is_given: Vec<bool>,
    /// By AS.
    in_clique: Vec<bool>,
}

impl<'g> Inference<'g> {
    pub(super) fn new(graph: &'g Graph, triples: &'g [Triple], clique: &'g [u32]) -> Self {
        let mut in_clique = vec![false; graph.asns.len()];
        for &member in clique {
            if let Some(flag) = in_clique.get_mut(member as usize) {
                *flag = true;
            }
        }
        let rels = vec![Rel::Unknown; graph.links.len()];
        let is_given = vec![false; graph.links.len()];
        Inference { graph, triples, rels, is_given, in_clique }
    }

    /// Takes relationships as they are given.
    pub(super) fn believe(&mut self, given: &RelationTable) {
        let links = self.rels.iter_mut().zip(&mut self.is_given).zip(&self.graph.links);
        for ((rel, is_given), &(a, b)) in links {
            let known = given.relation(self.graph.asn(a), self.graph.asn(b));
            *is_given = known.is_some();
            *rel = match known {
                None => Rel::Unknown,
                Some(Relation::Customer) => Rel::AProvides,
                Some(Relation::Provider) => Rel::BProvides,
                Some(Relation::Peer) => Rel::Peers,
            };
        }
    }

    /// All steps in their order.
    pub(super) fn run(&mut self) {
        self.peer_within_clique();
        self.propagate();
        self.stubs_of_partial_vantage_points();
        if self.peer_providerless() {
            self.propagate();
        }
        self.small_below_top();
        self.fold();
        for rel in self.rels.iter_mut().filter(|rel| **rel == Rel::Unknown) {
            *rel = Rel::Peers;
        }
        self.revise_peers();
    }

    pub(super) fn relations(&self) -> impl Iterator<Item = Rel> + '_ {
        self.rels.iter().copied()
    }

    pub(super) fn rel(&self, hop: Hop) -> Rel {
        at(&self.rels, hop >> 1)
    }

    pub(super) fn is_in_clique(&self, asn: u32) -> bool {
        at(&self.in_clique, asn)
    }

    /// Whether the near end of the hop sells transit to the far one.
    pub(super) fn near_provides(&self, hop: Hop) -> bool {
        self.rel(hop) == if hop & 1 == 0 { Rel::AProvides } else { Rel::BProvides }
    }

    fn is_unknown(&self, hop: Hop) -> bool {
        self.rel(hop) == Rel::Unknown
    }

    /// Whether the near end is a provider or peer of the far one.
    pub(super) fn near_is_above(&self, hop: Hop) -> bool {
        self.rel(hop) == Rel::Peers || self.near_provides(hop)
    }

    fn set(&mut self, hop: Hop, rel: Rel) {
        if let Some(held) = self.rels.get_mut((hop >> 1) as usize) {
            *held = rel;
        }
    }

    /// The near end sells transit to the far one.
    fn set_near_provides(&mut self, hop: Hop) {
        self.set(hop, if hop & 1 == 0 { Rel::AProvides } else { Rel::BProvides });
    }

    fn peer_within_clique(&mut self) {
        for (rel, &(a, b)) in self.rels.iter_mut().zip(&self.graph.links) {
            if *rel == Rel::Unknown && at(&self.in_clique, a) && at(&self.in_clique, b) {
                *rel = Rel::Peers;
            }
        }
    }

    /// From the top down: who passes the routes of a neighbour on to its own provider or peer sells
    /// transit to that neighbour; so does who passes the routes of its own provider or peer on to it.
    fn propagate(&mut self) {
        for _ in 0..ROUNDS_MAX {
            let mut is_changed = false;
            for triple in self.triples {
                let Triple { first, second, .. } = *triple;
                if self.is_unknown(second)
                    && self.near_is_above(first)
                    && self.may_sell(second, triple)
                {
                    self.set_near_provides(second);
                    is_changed = true;
                }
                // Seen from the AS between, the collector's side lies at the end of the hop back.
                let back = first ^ 1;
                if self.is_unknown(first)
                    && self.near_is_above(second ^ 1)
                    && self.may_sell(back, triple)
                {
                    self.set_near_provides(back);
                    is_changed = true;
                }
            }
            if !is_changed {
                return;
            }
        }
    }

    /// Whether a triple is enough to say that the near end of a hop sells transit to the far one.
    fn may_sell(&self, hop: Hop, triple: &Triple) -> bool {
        let (provider, customer) = (self.graph.near(hop), self.graph.far(hop));
        let is_downhill = at(&self.graph.rank, provider) < at(&self.graph.rank, customer);
        !self.is_in_clique(customer) && (is_downhill || triple.paths >= UPHILL_PATHS_MIN)
    }

    /// A vantage point that shows few origins shows its customers: a stub next to it is one.
    fn stubs_of_partial_vantage_points(&mut self) {
        let graph = self.graph;
        let mut origins: Vec<(u32, u32)> = graph
            .paths()
            .filter_map(|path| Some((graph.near(*path.first()?), graph.far(*path.last()?))))
            .collect();
        origins.sort_unstable();
        origins.dedup();
        let all = {
            let mut all: Vec<u32> = origins.iter().map(|&(_, origin)| origin).collect();
            all.sort_unstable();
            all.dedup();
            all.len() as u64
        };
        let partial: Vec<u32> = origins
            .chunk_by(|a, b| a.0 == b.0)
            .filter(|seen| seen.len() as u64 * 1000 <= all * PARTIAL_ORIGINS_MAX)
            .filter_map(|seen| seen.first().map(|&(vantage_point, _)| vantage_point))
            .collect();
        for path in graph.paths() {
            let &[hop] = path else { continue };
            let (near, far) = (graph.near(hop), graph.far(hop));
            if self.is_unknown(hop)
                && at(&graph.transit_degree, far) == 0
                && at(&graph.transit_degree, near) > 0
                && partial.binary_search(&near).is_ok()
            {
                self.set_near_provides(hop);
            }
        }
    }

    /// By AS: whether somebody sells transit to it.
    fn has_provider(&self) -> Vec<bool> {
        let ases = self.graph.asns.len();
        let mut has_provider = vec![false; ases];
        for (rel, &(a, b)) in self.rels.iter().zip(&self.graph.links) {
            let customer = match rel {
                Rel::AProvides => b,
                Rel::BProvides => a,
                Rel::Peers | Rel::Unknown => continue,
            };
            if let Some(flag) = has_provider.get_mut(customer as usize) {
                *flag = true;
            }
        }
        has_provider
    }

    /// Networks of some size for which no provider was found peer with those above them.
    fn peer_providerless(&mut self) -> bool {
        let has_provider = self.has_provider();
        let is_providerless = |asn: u32| {
            !at(&has_provider, asn)
                && !at(&self.in_clique, asn)
                && at(&self.graph.transit_degree, asn) >= PROVIDERLESS_DEGREE_MIN
        };
        let mut is_changed = false;
        for (rel, &(a, b)) in self.rels.iter_mut().zip(&self.graph.links) {
            let (upper, lower) =
                if at(&self.graph.rank, a) < at(&self.graph.rank, b) { (a, b) } else { (b, a) };
            let is_big = |asn| at(&self.graph.transit_degree, asn) >= PROVIDERLESS_DEGREE_MIN;
            if *rel == Rel::Unknown && is_providerless(lower) && is_big(upper) {
                *rel = Rel::Peers;
                is_changed = true;
            }
        }
        is_changed
    }

    /// What a network without providers has next to it is its customer when it is small: a stub, or
    /// of a fraction of its transit degree. Peers of such networks are large.
    fn small_below_top(&mut self) {
        let has_provider = self.has_provider();
        let graph = self.graph;
        let degree = |asn| at(&graph.transit_degree, asn);
        let is_top = |asn| {
            at(&self.in_clique, asn)
                || !at(&has_provider, asn) && degree(asn) >= PROVIDERLESS_DEGREE_MIN
        };
        let sells = |a, b| is_top(a) && degree(b).saturating_mul(SMALL_BELOW_TOP_MIN) <= degree(a);
        for (rel, &(a, b)) in self.rels.iter_mut().zip(&graph.links) {
            if *rel == Rel::Unknown && sells(a, b) {
                *rel = Rel::AProvides;
            } else if *rel == Rel::Unknown && sells(b, a) {
                *rel = Rel::BProvides;
            }
        }
    }

    /// Links taken for peerings on which, now that all others are known, most of those who see them
    /// see transit.
    fn revise_peers(&mut self) {
        for _ in 0..REVISIONS_MAX {
            let votes = Votes::of_links(self);
            let mut is_changed = false;
            for (place, votes) in (0..).zip(&votes) {
                let (a, b) = at(&self.graph.links, place);
                let is_fixed =
                    at(&self.is_given, place) || self.is_in_clique(a) && self.is_in_clique(b);
                if self.rel(place << 1) != Rel::Peers || is_fixed || !votes.show_transit() {
                    continue;
                }
                let a_ranks = at(&self.graph.rank, a) < at(&self.graph.rank, b);
                let [a_provides, b_provides] = votes.sides();
                let a_sells = a_provides > b_provides || a_provides == b_provides && a_ranks;
                self.set(place << 1, if a_sells { Rel::AProvides } else { Rel::BProvides });
                is_changed = true;
            }
            if !is_changed {
                return;
            }
        }
    }

    /// Two unknown links in a row cannot both be between peers: the AS between sells to the lesser.
    fn fold(&mut self) {
        for triple in self.triples {
            let Triple { first, second, .. } = *triple;
            if self.is_unknown(first) && self.is_unknown(second) {
                let rank = |asn| at(&self.graph.rank, asn);
                let (near, far) = (self.graph.near(first), self.graph.far(second));
                let customer = if rank(far) >= rank(near) { second } else { first ^ 1 };
                if rank(self.graph.near(customer)) < rank(self.graph.far(customer)) {
                    self.set_near_provides(customer);
                }
            }
        }
    }
}
