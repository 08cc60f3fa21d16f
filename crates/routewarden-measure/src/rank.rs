//! Places among many ASes, with honest ties.

use serde::Serialize;

use crate::Score;

/// The place of a score among others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rank {
    /// From 1: one more than there are better scores. Equal scores share a place: 1, 2, 2, 4.
    pub place: u32,
    /// How many have a score.
    pub of: u32,
    /// How many share the place; 1 when nobody else does.
    pub ties: u32,
}

/// Scores, ranked. What has no data has no place and is not among them.
#[derive(Clone, Debug, Default)]
pub struct Ranking {
    /// Ascending.
    scores: Vec<Score>,
}

impl Ranking {
    /// Of scores in any order; `None` is one without data.
    pub fn new(scores: impl IntoIterator<Item = Option<Score>>) -> Self {
        let mut scores: Vec<Score> = scores.into_iter().flatten().collect();
        scores.sort_unstable();
        scores.shrink_to_fit();
        Ranking { scores }
    }

    /// The place of one of the scores; `None` without data, and for a score that nobody has.
    pub fn rank(&self, score: Option<Score>) -> Option<Rank> {
        let score = score?;
        let worse = self.scores.partition_point(|&held| held < score);
        let not_better = self.scores.partition_point(|&held| held <= score);
        let ties = u32::try_from(not_better - worse).ok().filter(|&ties| ties > 0)?;
        let better = self.scores.len() - not_better;
        Some(Rank { place: u32::try_from(better).ok()?.saturating_add(1), of: self.of(), ties })
    }

    /// How many have a score.
    pub fn of(&self) -> u32 {
        u32::try_from(self.scores.len()).unwrap_or(u32::MAX)
    }
}
