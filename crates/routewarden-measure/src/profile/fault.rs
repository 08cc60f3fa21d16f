//! What makes a text no profile.

use std::collections::BTreeSet;

use super::{Combine, IncidentRule, METRICS_MAX, Measure, Profile, ScoreRule};
use crate::document::{once, within};
use crate::{DocumentError, DocumentFault};

/// Checks what types cannot say.
pub(super) fn check(profile: &Profile) -> Result<(), DocumentError> {
    within("half_point_percent", usize::from(profile.half_point_percent), 1, 99)?;
    let steps = profile.duration;
    let [step, short] = [steps.step_secs, steps.short_below_secs].map(|secs| secs as usize);
    within("duration.step_secs", step, 1, usize::MAX)?;
    within("duration.short_below_secs", short, 0, step)?;
    let classes = profile.classes;
    let ready = usize::from(classes.ready_from_percent);
    within("classes.ready_from_percent", ready, 0, 100)?;
    let aspiring = usize::from(classes.aspiring_from_percent);
    within("classes.aspiring_from_percent", aspiring, 0, ready)?;
    ids("metric", profile.metrics.iter().map(|metric| metric.id.as_str()))?;
    ids("score", profile.scores.iter().map(|score| score.id.as_str()))?;
    for metric in &profile.metrics {
        match &metric.measure {
            Measure::Incidents(rule) => check_incidents(&metric.id, rule)?,
            Measure::Contacts(rule) if rule.counted.is_empty() => {
                return Err(DocumentError::invalid(
                    &metric.id,
                    DocumentFault::Empty { field: "counted" },
                ));
            }
            _ => {}
        }
    }
    profile.scores.iter().try_for_each(|score| check_score(profile, score))
}

fn ids<'a>(field: &str, ids: impl ExactSizeIterator<Item = &'a str>) -> Result<(), DocumentError> {
    if ids.len() > METRICS_MAX {
        return Err(DocumentError::invalid(field, DocumentFault::TooMany));
    }
    once(ids)
}

fn check_incidents(id: &str, rule: &IncidentRule) -> Result<(), DocumentError> {
    if rule.events.is_empty() {
        return Err(DocumentError::invalid(id, DocumentFault::Empty { field: "events" }));
    }
    if rule.weights.is_empty() {
        return Err(DocumentError::invalid(id, DocumentFault::Empty { field: "weights" }));
    }
    for step in &rule.weights {
        within(id, usize::from(step.confidence_from), 0, 100)?;
        within(id, usize::from(step.percent), 1, 100)?;
    }
    if !rule.weights.is_sorted_by(|a, b| a.confidence_from > b.confidence_from) {
        return Err(DocumentError::invalid(id, DocumentFault::WeightOrder));
    }
    Ok(())
}

fn check_score(profile: &Profile, score: &ScoreRule) -> Result<(), DocumentError> {
    if score.metrics.is_empty() {
        return Err(DocumentError::invalid(&score.id, DocumentFault::Empty { field: "metrics" }));
    }
    let mut seen = BTreeSet::new();
    for name in &score.metrics {
        let Some(metric) = profile.metrics.iter().find(|metric| metric.id == *name) else {
            let metric = name.clone();
            return Err(DocumentError::invalid(&score.id, DocumentFault::UnknownMetric { metric }));
        };
        if !seen.insert(name) {
            return Err(DocumentError::invalid(&score.id, DocumentFault::Twice));
        }
        if score.combine != Combine::Least && !metric.measure.is_penalty() {
            let metric = name.clone();
            return Err(DocumentError::invalid(&score.id, DocumentFault::NoPenalty { metric }));
        }
    }
    Ok(())
}
