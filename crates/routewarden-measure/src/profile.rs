//! Framework profiles: which metrics there are, what they count, and how scores are made of them.
//! All of it is data; what is computed is in the code.

mod fault;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::document;
use crate::{
    AsInputs, ContactKind, DocumentError, DurationSteps, EventKind, IrrCoverage, NoData,
    ReadinessClass, Role, Score, Share,
};

/// Most metrics of a profile, and most scores.
pub const METRICS_MAX: usize = 64;

/// The profile that is used unless told otherwise.
pub const PROFILE_DEFAULT: &str = "manrs-2024";

/// The profiles compiled in: id and text.
const BUILT_IN: [(&str, &str); 4] = [
    ("manrs-2018", include_str!("profiles/manrs-2018.toml")),
    ("manrs-2023", include_str!("profiles/manrs-2023.toml")),
    (PROFILE_DEFAULT, include_str!("profiles/manrs-2024.toml")),
    ("routewarden-1", include_str!("profiles/routewarden-1.toml")),
];

/// A version of a measurement framework.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Stable name, as `manrs-2024`.
    pub id: String,
    /// In words.
    pub title: String,
    /// What it rests on, and what in it is a choice of ours.
    pub source: String,
    /// Score of a raw penalty of 0.5, in per cent: the curve goes through it.
    pub half_point_percent: u8,
    /// Steps of the duration coefficient.
    pub duration: DurationSteps,
    /// Where the classes begin.
    pub classes: ReadinessSteps,
    /// Metrics, in the order in which they are shown.
    #[serde(rename = "metric")]
    pub metrics: Vec<Metric>,
    /// Scores of actions, in the order in which they are shown.
    #[serde(rename = "score", default)]
    pub scores: Vec<ScoreRule>,
}

impl Profile {
    /// Ids of the profiles compiled in, oldest first.
    pub fn built_in_ids() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|&(id, _)| id)
    }

    /// Text of a profile compiled in, whose digest is its version.
    pub fn built_in_text(id: &str) -> Option<&'static str> {
        BUILT_IN.iter().find(|(built_in, _)| *built_in == id).map(|&(_, text)| text)
    }

    /// A profile compiled in.
    pub fn built_in(id: &str) -> Result<Self, DocumentError> {
        let text = Self::built_in_text(id);
        Self::parse(text.ok_or_else(|| DocumentError::Unknown { id: id.to_owned() })?)
    }

    /// Reads a profile and checks that it makes sense.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let profile: Profile = document::read(text)?;
        fault::check(&profile)?;
        Ok(profile)
    }

    /// Whether a score is made of the metric; else it is informational.
    pub fn is_scored(&self, metric: &str) -> bool {
        self.scores.iter().any(|score| score.metrics.iter().any(|id| id == metric))
    }

    /// Score of a raw penalty of 0.5.
    pub fn half_point(&self) -> Score {
        Score::from_percent(self.half_point_percent)
    }
}

/// Where the classes begin (design page on MANRS, section 2.3: no published table was found).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadinessSteps {
    /// From here on an AS is aspiring, in per cent.
    pub aspiring_from_percent: u8,
    /// From here on it is ready, in per cent.
    pub ready_from_percent: u8,
}

impl ReadinessSteps {
    /// Class of a score.
    pub fn class(self, score: Option<Score>) -> ReadinessClass {
        match score {
            None => ReadinessClass::NoData,
            Some(score) if score >= Score::from_percent(self.ready_from_percent) => {
                ReadinessClass::Ready
            }
            Some(score) if score >= Score::from_percent(self.aspiring_from_percent) => {
                ReadinessClass::Aspiring
            }
            Some(_) => ReadinessClass::Lagging,
        }
    }
}

/// A metric.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// Name, as `M2C`.
    pub id: String,
    /// In words.
    pub title: String,
    /// How it is measured.
    pub measure: Measure,
}

/// How a metric is measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// A penalty for incidents: M1 to M4C.
    Incidents(IncidentRule),
    /// A penalty for prefixes from which spoofed packets came: M5.
    SpoofedPrefixes,
    /// Share of routes with a route object: M7IRR.
    IrrCoverage(IrrRule),
    /// Valid share less a multiple of the invalid share: M7RPKI.
    RpkiValidity(RpkiRule),
    /// Share of RPKI-invalid routes: M7RPKIN.
    RpkiInvalid,
    /// Whether there is a contact: M8.
    Contacts(ContactRule),
    /// Another share of what was seen.
    Share(ShareRule),
}

impl Measure {
    /// Whether it is a penalty, which may be added to others.
    pub fn is_penalty(&self) -> bool {
        matches!(self, Measure::Incidents(_) | Measure::SpoofedPrefixes)
    }
}

/// Which events a metric counts, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentRule {
    /// Kinds of events.
    pub events: BTreeSet<EventKind>,
    /// Part that the AS has in them.
    pub role: Role,
    /// An event counts as no shorter than this, in seconds: what the source can tell.
    #[serde(default)]
    pub lasts_at_least_secs: u32,
    /// Weights by confidence, highest confidence first. What is below the last does not count.
    pub weights: Vec<ConfidenceWeight>,
}

impl IncidentRule {
    /// Weight of an event of a confidence, in per cent; `None` when it does not count.
    pub fn weight_percent(&self, confidence: u8) -> Option<u8> {
        let step = self.weights.iter().find(|step| confidence >= step.confidence_from)?;
        Some(step.percent)
    }
}

/// The weight of events from a confidence on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfidenceWeight {
    /// Least confidence, 0 to 100.
    pub confidence_from: u8,
    /// Weight, 1 to 100 per cent.
    pub percent: u8,
}

/// How registered routes are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IrrRule {
    /// Which route object is enough.
    pub accept: IrrMatch,
    /// What an AS gets that announced nothing.
    pub when_nothing_announced: WhenNothingAnnounced,
}

/// Which route object makes a route registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IrrMatch {
    /// One of the same prefix and origin.
    Exact,
    /// One of the same origin whose prefix covers the route's.
    Covering,
}

impl IrrMatch {
    /// Registered routes, at most those announced.
    pub(crate) fn registered(self, counts: IrrCoverage) -> u32 {
        let registered = match self {
            IrrMatch::Exact => counts.exact,
            IrrMatch::Covering => counts.exact.saturating_add(counts.covered),
        };
        registered.min(counts.announced)
    }
}

/// What an AS gets that announced nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenNothingAnnounced {
    /// No data.
    NoData,
    /// The full score: nothing is unregistered. So did the prototype of 2018.
    Full,
}

/// How RPKI states are weighed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RpkiRule {
    /// How many times the invalid share is taken from the valid share.
    pub invalid_factor: u8,
}

/// Which contacts count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactRule {
    /// One of these is enough.
    pub counted: BTreeSet<ContactKind>,
}

/// A share, and how much must have been seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareRule {
    /// Share of what.
    pub of: ShareOf,
    /// With fewer seen there is no data; at least one.
    pub least: u32,
}

/// Of what a share is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShareOf {
    /// See [`AsInputs::aspa_providers`].
    AspaProviders,
    /// See [`AsInputs::otc_marked`].
    OtcMarked,
    /// See [`AsInputs::invalids_dropped`].
    InvalidsDropped,
}

impl ShareOf {
    pub(crate) fn share(self, inputs: &AsInputs) -> &Result<Share, NoData> {
        match self {
            ShareOf::AspaProviders => &inputs.aspa_providers,
            ShareOf::OtcMarked => &inputs.otc_marked,
            ShareOf::InvalidsDropped => &inputs.invalids_dropped,
        }
    }

    /// In words: which of which.
    pub(crate) const fn words(self) -> (&'static str, &'static str) {
        match self {
            ShareOf::AspaProviders => {
                ("providers that the AS's own ASPA names", "its providers seen in paths")
            }
            ShareOf::OtcMarked => (
                "those with OTC",
                "routes that the AS got from a provider or peer and gave to a customer",
            ),
            ShareOf::InvalidsDropped => {
                ("those that the AS did not pass on", "RPKI-invalid routes offered to it")
            }
        }
    }
}

/// How the score of an action, or of a half of it, is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreRule {
    /// Name, as `A1` or `A4-IRR`.
    pub id: String,
    /// In words.
    pub title: String,
    /// Ids of the metrics.
    pub metrics: Vec<String>,
    /// How several become one.
    pub combine: Combine,
    /// What a metric without data means.
    pub when_missing: WhenMissing,
}

/// How several metrics become one score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Combine {
    /// Penalties are added, then put on the curve.
    Sum,
    /// The largest penalty is put on the curve.
    Max,
    /// The least of the metrics' own scores.
    Least,
}

/// What a metric without data means for a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenMissing {
    /// The score has no data.
    NoData,
    /// The score is made of the others, if there are any.
    Rest,
}
