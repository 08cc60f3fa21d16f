//! Networks in the order of a score.

use std::cmp::Reverse;

use routewarden_core::Asn;
use routewarden_measure::{Rank, Ranking, ReadinessClass, Score};

use super::groups::GroupBy;
use super::survey::{Measured, Surveyed};

/// Which networks are asked for, and in which order.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// A group; all networks where it is not given.
    pub(crate) group: Option<(GroupBy, String)>,
    /// Position of the score in the profile.
    pub(crate) score: usize,
    /// Only those of this class.
    pub(crate) class: Option<ReadinessClass>,
    /// The highest score first, else the lowest; those without data come last.
    pub(crate) best_first: bool,
}

/// A network in its place.
pub(crate) struct Ranked<'a> {
    pub(crate) surveyed: &'a Surveyed,
    pub(crate) scores: &'a [Option<Score>],
    pub(crate) rank: Option<Rank>,
}

/// The networks of a choice in its order. Places are those among the whole group, whatever class is
/// asked for, and the best score has the first.
pub(crate) fn ranked<'a>(measured: &'a Measured, choice: &Choice) -> Vec<Ranked<'a>> {
    let survey = &measured.survey;
    let is_in = |surveyed: &Surveyed| match &choice.group {
        Some((by, id)) => by.is_in(surveyed, id),
        None => true,
    };
    let rows = survey.ases.iter().zip(&measured.scores);
    let rows = rows.filter(|(surveyed, _)| is_in(surveyed));
    let mut ranked: Vec<Ranked<'_>> =
        rows.map(|(surveyed, scores)| Ranked { surveyed, scores, rank: None }).collect();
    let score = |row: &Ranked<'_>| row.scores.get(choice.score).copied().flatten();
    let ranking = Ranking::new(ranked.iter().map(score));
    for row in &mut ranked {
        row.rank = ranking.rank(score(row));
    }
    if choice.best_first {
        ranked.sort_by_key(|row| (Reverse(score(row)), row.surveyed.asn));
    } else {
        ranked.sort_by_key(|row| (score(row).is_none(), score(row), row.surveyed.asn));
    }
    if let Some(class) = choice.class {
        ranked.retain(|row| survey.profile.classes.class(score(row)) == class);
    }
    ranked
}

/// Where the next page begins: behind the network that the last one ended with.
pub(crate) fn page<'a, 'b>(
    ranked: &'b [Ranked<'a>],
    after: Option<Asn>,
    limit: usize,
) -> (&'b [Ranked<'a>], Option<Asn>) {
    let begin = after.map_or(0, |asn| {
        let at = ranked.iter().position(|row| row.surveyed.asn == asn);
        at.map_or(ranked.len(), |at| at + 1)
    });
    let rest = ranked.get(begin..).unwrap_or_default();
    let page = rest.get(..limit.min(rest.len())).unwrap_or_default();
    let has_more = rest.len() > page.len();
    (page, page.last().filter(|_| has_more).map(|row| row.surveyed.asn))
}
