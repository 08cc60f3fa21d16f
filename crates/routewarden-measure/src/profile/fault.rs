//! What makes a text no profile.

use std::collections::BTreeSet;

use super::{Combine, IncidentRule, METRICS_MAX, Measure, Profile, ScoreRule};

/// Why there is no such profile.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// None of that id is compiled in.
    #[error(
        "no profile {id:?}: known are {}",
        Profile::built_in_ids().collect::<Vec<_>>().join(", ")
    )]
    Unknown {
        /// The id asked for.
        id: String,
    },
    /// Longer than [`PROFILE_OCTETS_MAX`](crate::PROFILE_OCTETS_MAX).
    #[error("profile of {octets} octets exceeds the limit of {}", crate::PROFILE_OCTETS_MAX)]
    TooLong {
        /// Octets of the text.
        octets: usize,
    },
    /// Not TOML, a field that does not exist, a missing field, or a value of the wrong type.
    #[error("line {line}: {}", .source.message())]
    Syntax {
        /// Line in the text, from 1.
        line: usize,
        /// The TOML reader's error.
        source: Box<toml::de::Error>,
    },
    /// Of the right shape, but it makes no sense.
    #[error("{at}: {fault}")]
    Invalid {
        /// The metric, score or field.
        at: String,
        /// What is wrong there.
        #[source]
        fault: ProfileFault,
    },
}

/// What is wrong in a profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileFault {
    /// A number outside its range.
    #[error("{value} is not between {min} and {max}")]
    Range {
        /// The number.
        value: u64,
        /// The least allowed.
        min: u64,
        /// The most allowed.
        max: u64,
    },
    /// More than [`METRICS_MAX`].
    #[error("more than {}", METRICS_MAX)]
    TooMany,
    /// A list that must not be empty.
    #[error("{field} must not be empty")]
    Empty {
        /// Name of the list.
        field: &'static str,
    },
    /// Two of one id.
    #[error("this id is given twice")]
    Twice,
    /// Weights that do not begin with the highest confidence, or name one twice.
    #[error("weights must be given from the highest confidence down")]
    WeightOrder,
    /// A metric that the profile does not have.
    #[error("no metric is named {metric:?}")]
    UnknownMetric {
        /// The name.
        metric: String,
    },
    /// Shares cannot be added to penalties.
    #[error("{metric} is no penalty: combine = \"least\" is for shares")]
    NoPenalty {
        /// The metric.
        metric: String,
    },
}

fn invalid(at: &str, fault: ProfileFault) -> ProfileError {
    ProfileError::Invalid { at: at.to_owned(), fault }
}

fn within(at: &str, value: u32, min: u32, max: u32) -> Result<(), ProfileError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    let (value, min, max) = (u64::from(value), u64::from(min), u64::from(max));
    Err(invalid(at, ProfileFault::Range { value, min, max }))
}

/// Checks what types cannot say.
pub(super) fn check(profile: &Profile) -> Result<(), ProfileError> {
    within("half_point_percent", u32::from(profile.half_point_percent), 1, 99)?;
    let steps = profile.duration;
    within("duration.step_secs", steps.step_secs, 1, u32::MAX)?;
    within("duration.short_below_secs", steps.short_below_secs, 0, steps.step_secs)?;
    let classes = profile.classes;
    let ready = u32::from(classes.ready_from_percent);
    within("classes.ready_from_percent", ready, 0, 100)?;
    let aspiring = u32::from(classes.aspiring_from_percent);
    within("classes.aspiring_from_percent", aspiring, 0, ready)?;
    ids("metric", profile.metrics.iter().map(|metric| metric.id.as_str()))?;
    ids("score", profile.scores.iter().map(|score| score.id.as_str()))?;
    for metric in &profile.metrics {
        match &metric.measure {
            Measure::Incidents(rule) => check_incidents(&metric.id, rule)?,
            Measure::Contacts(rule) if rule.counted.is_empty() => {
                return Err(invalid(&metric.id, ProfileFault::Empty { field: "counted" }));
            }
            _ => {}
        }
    }
    profile.scores.iter().try_for_each(|score| check_score(profile, score))
}

fn ids<'a>(field: &str, ids: impl Iterator<Item = &'a str>) -> Result<(), ProfileError> {
    let mut seen = BTreeSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(invalid(id, ProfileFault::Twice));
        }
        if seen.len() > METRICS_MAX {
            return Err(invalid(field, ProfileFault::TooMany));
        }
    }
    Ok(())
}

fn check_incidents(id: &str, rule: &IncidentRule) -> Result<(), ProfileError> {
    if rule.events.is_empty() {
        return Err(invalid(id, ProfileFault::Empty { field: "events" }));
    }
    if rule.weights.is_empty() {
        return Err(invalid(id, ProfileFault::Empty { field: "weights" }));
    }
    for step in &rule.weights {
        within(id, u32::from(step.confidence_from), 0, 100)?;
        within(id, u32::from(step.percent), 1, 100)?;
    }
    if !rule.weights.is_sorted_by(|a, b| a.confidence_from > b.confidence_from) {
        return Err(invalid(id, ProfileFault::WeightOrder));
    }
    Ok(())
}

fn check_score(profile: &Profile, score: &ScoreRule) -> Result<(), ProfileError> {
    if score.metrics.is_empty() {
        return Err(invalid(&score.id, ProfileFault::Empty { field: "metrics" }));
    }
    let mut seen = BTreeSet::new();
    for name in &score.metrics {
        let Some(metric) = profile.metrics.iter().find(|metric| metric.id == *name) else {
            let metric = name.clone();
            return Err(invalid(&score.id, ProfileFault::UnknownMetric { metric }));
        };
        if !seen.insert(name) {
            return Err(invalid(&score.id, ProfileFault::Twice));
        }
        if score.combine != Combine::Least && !metric.measure.is_penalty() {
            let metric = name.clone();
            return Err(invalid(&score.id, ProfileFault::NoPenalty { metric }));
        }
    }
    Ok(())
}
