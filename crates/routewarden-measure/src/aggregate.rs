//! Many ASes as one: a country, a region, a sector, a constituency (design page on MANRS, section
//! 2.3).

use serde::{Deserialize, Serialize, Serializer};

use crate::{Profile, Readiness, ReadinessClass, Score};

/// How much space an AS announces: the weight of its score. Networks of one prefix would else
/// decide every mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressSpace {
    /// IPv4, in /24s.
    pub ipv4_24s: u64,
    /// IPv6, in /48s.
    pub ipv6_48s: u64,
}

/// How many ASes are of each class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ClassCounts {
    /// Ready.
    pub ready: u32,
    /// Aspiring.
    pub aspiring: u32,
    /// Lagging.
    pub lagging: u32,
    /// Without data: in no mean.
    pub no_data: u32,
}

impl ClassCounts {
    fn add(&mut self, class: ReadinessClass) {
        let count = match class {
            ReadinessClass::Ready => &mut self.ready,
            ReadinessClass::Aspiring => &mut self.aspiring,
            ReadinessClass::Lagging => &mut self.lagging,
            ReadinessClass::NoData => &mut self.no_data,
        };
        *count = count.saturating_add(1);
    }

    /// All ASes.
    pub fn total(self) -> u64 {
        [self.ready, self.aspiring, self.lagging, self.no_data].map(u64::from).iter().sum()
    }
}

/// One score over many ASes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActionSummary {
    /// Name in the profile.
    pub id: String,
    /// Mean of the ASes that have data, each counted alike; `null` when none has.
    pub mean: Mean,
    /// Mean by IPv4 space announced.
    pub mean_by_ipv4: Mean,
    /// Mean by IPv6 space announced.
    pub mean_by_ipv6: Mean,
    /// ASes of each class.
    pub classes: ClassCounts,
}

impl ActionSummary {
    fn add(&mut self, score: Option<Score>, class: ReadinessClass, space: AddressSpace) {
        self.classes.add(class);
        if let Some(score) = score {
            self.mean.add(score, 1);
            self.mean_by_ipv4.add(score, space.ipv4_24s);
            self.mean_by_ipv6.add(score, space.ipv6_48s);
        }
    }

    /// Mean now less mean before, from -1 to 1; `None` when there is none of either.
    pub fn trend(&self, before: &ActionSummary) -> Option<f64> {
        let [now, before] = [self.mean.score()?, before.mean.score()?].map(Score::billionths);
        let change = i64::from(now) - i64::from(before);
        // Below 2^32 in size: exact.
        i32::try_from(change).ok().map(|change| f64::from(change) / 1e9)
    }
}

/// A mean, exact until it is asked for: then rounded down to a [`Score`]. Serialised as one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mean {
    /// Billionths times weight.
    sum: u128,
    weight: u128,
}

impl Mean {
    /// Adds a score so many times.
    pub fn add(&mut self, score: Score, weight: u64) {
        let weight = u128::from(weight);
        self.sum = self.sum.saturating_add(u128::from(score.billionths()) * weight);
        self.weight = self.weight.saturating_add(weight);
    }

    /// The mean; `None` of nothing, or of nothing but weights of zero.
    pub fn score(self) -> Option<Score> {
        let billionths = self.sum.checked_div(self.weight)?;
        Some(Score::of_ratio(i64::try_from(billionths).ok()?, 1_000_000_000))
    }
}

impl Serialize for Mean {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.score().serialize(serializer)
    }
}

/// Gathers ASes, in any order, and keeps sums only.
#[derive(Clone, Debug)]
pub struct Aggregate {
    summaries: Vec<ActionSummary>,
}

impl Aggregate {
    /// Of nobody yet.
    pub fn new(profile: &Profile) -> Self {
        let summaries = profile.scores.iter().map(|score| ActionSummary {
            id: score.id.clone(),
            mean: Mean::default(),
            mean_by_ipv4: Mean::default(),
            mean_by_ipv6: Mean::default(),
            classes: ClassCounts::default(),
        });
        Aggregate { summaries: summaries.collect() }
    }

    /// Adds an AS, measured by the same profile.
    pub fn add(&mut self, readiness: &Readiness, space: AddressSpace) {
        for summary in &mut self.summaries {
            let Some(action) = readiness.actions.iter().find(|action| action.id == summary.id)
            else {
                continue;
            };
            summary.add(action.score, action.class, space);
        }
    }

    /// Adds an AS by its scores, one for each of the profile in its order.
    pub fn add_scores(&mut self, profile: &Profile, scores: &[Option<Score>], space: AddressSpace) {
        for (summary, &score) in self.summaries.iter_mut().zip(scores) {
            summary.add(score, profile.classes.class(score), space);
        }
    }

    /// One summary for each score, in the order of the profile.
    pub fn summaries(&self) -> &[ActionSummary] {
        &self.summaries
    }
}
