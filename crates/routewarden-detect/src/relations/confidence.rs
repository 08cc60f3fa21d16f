//! How firm each inferred relationship is: who sees what speaks for it, and against it.

use super::graph::{Hop, Triple};
use super::infer::{Inference, Rel};

/// Confidence of a relationship within the clique: the clique is found as a whole.
const CLIQUE_CONFIDENCE: u8 = 95;
/// Confidence of a peering without a contradiction, in percent.
const PEERS_CONFIDENCE_MAX: u32 = 85;
/// The same where many see the link: only a provider's routes spread so far.
const PEERS_SEEN_BY_MANY_CONFIDENCE_MAX: u32 = 65;
/// The same where fewer vantage points are heard than it takes to see transit.
const PEERS_SEEN_BY_FEW_CONFIDENCE_MAX: u32 = 50;
/// A link is seen by many from this fraction of the vantage points on.
const MANY_DIVISOR: u32 = 8;
/// With fewer vantage points transit is often not seen as such.
const VANTAGE_POINTS_MIN: u32 = 20;

/// What speaks for one end of a link selling transit to the other, and that it is used at all: one
/// bit for each vantage point, by number modulo 64.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Votes {
    a_provides: u64,
    b_provides: u64,
    seen_by: u64,
}

impl Votes {
    /// The votes on every link, in their order. For transit speak triples in which one end passes
    /// on what only a customer gets or gives.
    pub(super) fn of_links(inference: &Inference<'_>) -> Vec<Self> {
        let mut votes = vec![Votes::default(); inference.graph.links.len()];
        for triple in inference.triples {
            let Triple { first, second, seen_by, .. } = *triple;
            for hop in [first, second] {
                if let Some(votes) = votes.get_mut((hop >> 1) as usize) {
                    votes.seen_by |= seen_by;
                }
            }
            if inference.near_is_above(first)
                && let Some(votes) = votes.get_mut((second >> 1) as usize)
            {
                votes.sell(second, seen_by);
            }
            if inference.near_is_above(second ^ 1)
                && let Some(votes) = votes.get_mut((first >> 1) as usize)
            {
                votes.sell(first ^ 1, seen_by);
            }
        }
        votes
    }

    fn sell(&mut self, hop: Hop, seen_by: u64) {
        if hop & 1 == 0 {
            self.a_provides |= seen_by;
        } else {
            self.b_provides |= seen_by;
        }
    }

    /// Vantage points for the lesser end selling transit, and for the greater.
    pub(super) fn sides(&self) -> [u32; 2] {
        [self.a_provides.count_ones(), self.b_provides.count_ones()]
    }

    /// Vantage points that see no transit on the link, and those that do.
    fn peering(&self) -> [u32; 2] {
        let transit = self.a_provides | self.b_provides;
        [(self.seen_by & !transit).count_ones(), transit.count_ones()]
    }

    /// Whether the link is no peering: two thirds of those who see it see transit.
    pub(super) fn show_transit(&self) -> bool {
        let [without, with] = self.peering();
        with > 2 * without
    }

    /// (for + 1) / (for + against + 2): one half for what nobody supports or contradicts.
    fn transit_confidence([supporting, contradicting]: [u32; 2]) -> u8 {
        percent(100 * (supporting + 1), supporting + contradicting + 2)
    }

    /// That nobody sees transit is weak evidence: at most what the position of the link allows.
    fn peers_confidence(&self, vantage_points: u32) -> u8 {
        let [without, with] = self.peering();
        let most = if vantage_points < VANTAGE_POINTS_MIN {
            PEERS_SEEN_BY_FEW_CONFIDENCE_MAX
        } else if self.seen_by.count_ones() * MANY_DIVISOR > vantage_points {
            PEERS_SEEN_BY_MANY_CONFIDENCE_MAX
        } else {
            PEERS_CONFIDENCE_MAX
        };
        percent(most * (without + 1), without + with + 1)
    }
}

/// Confidence of every link, in their order, 0 to 100.
pub(super) fn of_links(inference: &Inference<'_>) -> Vec<u8> {
    // As many as there are bits to tell them apart.
    let vantage_points = inference.graph.vantage_points.len().min(64);
    let vantage_points = u32::try_from(vantage_points).unwrap_or(64);
    let links = inference.graph.links.iter().zip(inference.relations());
    links
        .zip(Votes::of_links(inference))
        .map(|((&(a, b), relation), votes)| {
            if inference.is_in_clique(a) && inference.is_in_clique(b) {
                return CLIQUE_CONFIDENCE;
            }
            let [a_provides, b_provides] = votes.sides();
            match relation {
                Rel::AProvides => Votes::transit_confidence([a_provides, b_provides]),
                Rel::BProvides => Votes::transit_confidence([b_provides, a_provides]),
                Rel::Peers | Rel::Unknown => votes.peers_confidence(vantage_points),
            }
        })
        .collect()
}

fn percent(part: u32, whole: u32) -> u8 {
    u8::try_from(part.checked_div(whole).unwrap_or(0)).map_or(100, |percent| percent.min(100))
}
