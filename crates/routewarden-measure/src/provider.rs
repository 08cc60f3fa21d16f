//! Which upstream to take: candidates side by side, by what matters to a customer.

use std::collections::BTreeSet;

use routewarden_core::Asn;
use serde::{Deserialize, Serialize};

use crate::document::{self, once, within};
use crate::formula::joined;
use crate::{DocumentError, DocumentFault, METRICS_MAX, Ranking, Readiness, ReadinessClass, Score};

/// Fewest candidates that are compared.
pub const CANDIDATES_MIN: usize = 2;
/// Most candidates that are compared.
pub const CANDIDATES_MAX: usize = 10;

/// What matters to a customer, as a data file gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderRule {
    /// What it rests on.
    pub source: String,
    /// A candidate of whose weight less is known has no place, in per cent.
    pub known_least_percent: u8,
    /// Scores no further apart than this are as good as equal, in per cent.
    pub close_percent: u8,
    /// In the order in which reasons are told; 100 per cent together.
    #[serde(rename = "weight")]
    pub weights: Vec<ProviderWeight>,
}

/// What one score matters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderWeight {
    /// Id of the score. A profile that has none of it gives no data.
    pub score: String,
    /// How much, in per cent.
    pub percent: u8,
    /// What it is about, in words.
    pub subject: String,
    /// What it says in favour, in words.
    pub good: String,
    /// What it says against, in words.
    pub bad: String,
}

/// Why candidates cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CandidatesError {
    /// Fewer than [`CANDIDATES_MIN`] or more than [`CANDIDATES_MAX`].
    #[error("{given} candidates: from {} to {} are compared", CANDIDATES_MIN, CANDIDATES_MAX)]
    Number {
        /// How many were given.
        given: usize,
    },
    /// One is given twice.
    #[error("{asn} is given twice")]
    Twice {
        /// The AS.
        asn: Asn,
    },
}

/// Candidates in their places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProviderChoice {
    /// Best first, by ASN where equal; those without a place last.
    pub candidates: Vec<ProviderCandidate>,
    /// In words.
    pub advice: String,
}

/// One candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProviderCandidate {
    /// The AS.
    pub asn: Asn,
    /// From 1, shared by equals; `null` where too little is known.
    pub place: Option<u32>,
    /// How many share the place; `null` without one.
    pub ties: Option<u32>,
    /// Share of the weight that has data.
    pub known: Score,
    /// Weighted mean of what is known; `null` where that is too little.
    pub score: Option<Score>,
    /// One for each weight.
    pub reasons: Vec<ProviderReason>,
}

/// What one score says of a candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProviderReason {
    /// In favour, against, or `null`: not known. In favour is only a score that is ready.
    #[serde(rename = "for")]
    pub is_for: Option<bool>,
    /// How much it matters, in per cent.
    pub weight: u8,
    /// The score.
    pub score_id: String,
    /// In words.
    pub text: String,
}

impl ProviderRule {
    /// Text of the rule compiled in, whose digest is its version.
    pub const BUILT_IN_TEXT: &'static str = include_str!("data/providers.toml");

    /// The rule compiled in.
    pub fn built_in() -> Result<Self, DocumentError> {
        Self::parse(Self::BUILT_IN_TEXT)
    }

    /// Reads a rule and checks that it makes sense.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let rule: ProviderRule = document::read(text)?;
        within("known_least_percent", usize::from(rule.known_least_percent), 1, 100)?;
        within("close_percent", usize::from(rule.close_percent), 0, 100)?;
        within("weight", rule.weights.len(), 1, METRICS_MAX)?;
        once(rule.weights.iter().map(|weight| weight.score.as_str()))?;
        for weight in &rule.weights {
            within(&weight.score, usize::from(weight.percent), 1, 100)?;
        }
        let percent = rule.weights.iter().map(|weight| u32::from(weight.percent)).sum();
        if percent != 100 {
            return Err(DocumentError::invalid("weight", DocumentFault::Whole { percent }));
        }
        Ok(rule)
    }

    /// Compares candidates, all measured by one profile over one period.
    pub fn choose(&self, candidates: &[Readiness]) -> Result<ProviderChoice, CandidatesError> {
        if !(CANDIDATES_MIN..=CANDIDATES_MAX).contains(&candidates.len()) {
            return Err(CandidatesError::Number { given: candidates.len() });
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = candidates.iter().find(|candidate| !seen.insert(candidate.asn)) {
            return Err(CandidatesError::Twice { asn: twice.asn });
        }
        let mut placed: Vec<ProviderCandidate> =
            candidates.iter().map(|candidate| self.weigh(candidate)).collect();
        let ranking = Ranking::new(placed.iter().map(|candidate| candidate.score));
        for candidate in &mut placed {
            let rank = ranking.rank(candidate.score);
            candidate.place = rank.map(|rank| rank.place);
            candidate.ties = rank.map(|rank| rank.ties);
        }
        placed.sort_by_key(|candidate| (candidate.place.unwrap_or(u32::MAX), candidate.asn));
        let advice = self.advice(&placed);
        Ok(ProviderChoice { candidates: placed, advice })
    }

    /// A candidate by itself, without a place.
    fn weigh(&self, candidate: &Readiness) -> ProviderCandidate {
        let mut known_percent = 0u8;
        let mut sum = 0i64;
        for weight in &self.weights {
            let action = candidate.actions.iter().find(|action| action.id == weight.score);
            if let Some(score) = action.and_then(|action| action.score) {
                known_percent += weight.percent;
                sum += i64::from(score.billionths()) * i64::from(weight.percent);
            }
        }
        let whole = u64::from(Score::ONE.billionths()) * u64::from(known_percent);
        let is_enough = known_percent >= self.known_least_percent;
        ProviderCandidate {
            asn: candidate.asn,
            place: None,
            ties: None,
            known: Score::from_percent(known_percent),
            score: is_enough.then(|| Score::of_ratio(sum, whole)),
            reasons: self.weights.iter().map(|weight| weight.reason(candidate)).collect(),
        }
    }

    fn advice(&self, placed: &[ProviderCandidate]) -> String {
        let unplaced: Vec<String> = placed
            .iter()
            .filter(|candidate| candidate.place.is_none())
            .map(|candidate| candidate.asn.to_string())
            .collect();
        let unplaced: Vec<&str> = unplaced.iter().map(String::as_str).collect();
        let least = self.known_least_percent;
        let Some(first) = placed.first().filter(|candidate| candidate.place.is_some()) else {
            return format!("No verdict: of no candidate is {least} % of what matters known.");
        };
        let mut sentences = vec![self.lead(first, placed)];
        if !unplaced.is_empty() {
            let names = joined(&unplaced);
            sentences.push(format!("{names}: no verdict, less than {least} % is known."));
        }
        let with_place = placed.iter().filter(|candidate| candidate.place.is_some());
        let mut bases = with_place.map(ProviderCandidate::unknown);
        let basis = bases.next();
        if bases.any(|other| Some(other) != basis) {
            sentences.push("Their scores do not rest on the same figures.".to_owned());
        }
        sentences.join(" ")
    }

    /// What is said of the first place.
    fn lead(&self, first: &ProviderCandidate, placed: &[ProviderCandidate]) -> String {
        let equals: Vec<String> = placed
            .iter()
            .filter(|candidate| candidate.place == Some(1))
            .map(|candidate| candidate.asn.to_string())
            .collect();
        let equals: Vec<&str> = equals.iter().map(String::as_str).collect();
        if equals.len() > 1 {
            return format!("{} share the first place.", joined(&equals));
        }
        let asn = first.asn;
        let second = placed.get(1).and_then(|candidate| Some((candidate.asn, candidate.score?)));
        let Some((next, second)) = second else {
            return format!(
                "{asn} is the only one of which enough is known: nothing to choose by."
            );
        };
        let ahead = first.score.unwrap_or(second).billionths() - second.billionths();
        if ahead <= Score::from_percent(self.close_percent).billionths() {
            return format!("{asn} comes first, but hardly ahead of {next}.");
        }
        let against: Vec<&str> = first
            .reasons
            .iter()
            .filter(|reason| reason.is_for == Some(false))
            .map(|reason| reason.text.as_str())
            .collect();
        match against.as_slice() {
            [] => format!("{asn} comes first; nothing known speaks against it."),
            against => format!("{asn} comes first. Against it: {}.", against.join("; ")),
        }
    }
}

impl ProviderCandidate {
    /// Scores of it that are not known.
    fn unknown(&self) -> Vec<&str> {
        let unknown = self.reasons.iter().filter(|reason| reason.is_for.is_none());
        unknown.map(|reason| reason.score_id.as_str()).collect()
    }
}

impl ProviderWeight {
    fn reason(&self, candidate: &Readiness) -> ProviderReason {
        let is_for = match candidate.class_of(&self.score) {
            ReadinessClass::NoData => None,
            class => Some(class == ReadinessClass::Ready),
        };
        let says = match is_for {
            Some(true) => self.good.clone(),
            Some(false) => self.bad.clone(),
            None => format!("{}: not known", self.subject),
        };
        ProviderReason {
            is_for,
            weight: self.percent,
            score_id: self.score.clone(),
            text: format!("{says} ({})", candidate.told(&self.score)),
        }
    }
}
