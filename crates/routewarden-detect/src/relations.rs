//! Relationships between ASes, inferred from the paths that collectors see.
//!
//! The steps are those published as `ASRank` (Luckie et al., "AS Relationships, Customer Cones, and
//! Validation", IMC 2013), written anew, with a confidence for every link: see
//! `docs/decisions/0015-as-relationships-inferred.md`.

mod clique;
mod confidence;
mod graph;
mod infer;
pub mod link_score;
pub mod path_set;

use routewarden_core::Asn;
use routewarden_core::facts::{Link, Relation, RelationTable};

pub use graph::{ASES_MAX, LINKS_MAX, TRIPLES_MAX};
pub use link_score::{LinkFeatures, LinkModel, LinkScore, SUSPICIOUS_MIN};
pub use path_set::{PathCounters, PathSet};

use graph::Graph;
use infer::{Inference, Rel};

/// What was inferred.
#[derive(Clone, Debug, Default)]
pub struct Inferred {
    /// All links seen, and those given.
    pub table: RelationTable,
    /// The ASes without providers at the top, ascending.
    pub clique: Vec<Asn>,
    /// ASes seen.
    pub ases: usize,
    /// Links seen.
    pub links: usize,
    /// First ASes of paths: those that a collector hears directly.
    pub vantage_points: usize,
    /// Paths left out because two members of the clique have another AS between them.
    pub poisoned_paths: usize,
    /// ASes, links or triples not followed because a limit was reached.
    pub over_limit: usize,
}

/// Infers the relationship of every link in `paths`. What is `given` is believed, helps to infer
/// the rest, and wins over inference. The result does not depend on the order of the paths.
pub fn infer(paths: &PathSet, given: Option<&RelationTable>) -> Inferred {
    let graph = Graph::of(paths);
    let clique = clique::find(&graph);
    let (triples, poisoned_paths, triples_over) = graph.triples(&clique);
    let mut inference = Inference::new(&graph, &triples, &clique);
    if let Some(given) = given {
        inference.believe(given);
    }
    inference.run();
    let confidence = confidence::of_links(&inference);
    let inferred = graph.links.iter().zip(inference.relations()).zip(confidence).map(
        |((&(a, b), relation), confidence)| {
            let relation = match relation {
                Rel::AProvides => Relation::Customer,
                Rel::BProvides => Relation::Provider,
                Rel::Peers | Rel::Unknown => Relation::Peer,
            };
            Link::inferred(graph.asn(a), graph.asn(b), relation, confidence)
        },
    );
    // Of several entries for a link the first counts.
    let given = given.into_iter().flat_map(RelationTable::iter);
    Inferred {
        table: RelationTable::from_links(given.chain(inferred).collect()),
        clique: clique.iter().map(|&member| graph.asn(member)).collect(),
        ases: graph.asns.len(),
        links: graph.links.len(),
        vantage_points: graph.vantage_points.len(),
        poisoned_paths,
        over_limit: graph.over_limit + triples_over,
    }
}

#[cfg(test)]
mod tests;
