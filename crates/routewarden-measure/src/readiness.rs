//! The metrics and scores of one AS.

use std::collections::{BTreeMap, BTreeSet};

use routewarden_core::Asn;
use serde::{Serialize, Serializer};

use crate::formula::joined;
use crate::incident::{self, Counted};
use crate::{
    AsInputs, Combine, ContactKind, CountedIncident, EventTable, IrrRule, Measure, Metric, NoData,
    Penalty, Period, Profile, ReadinessClass, RpkiCounts, RpkiRule, Score, ScoreRule, Share,
    ShareRule, WhenMissing, WhenNothingAnnounced,
};

/// A raw value, exact. Serialised as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Raw {
    /// Points; lower is better.
    Penalty(Penalty),
    /// How many.
    Count(u32),
    /// A share; may be below zero, never above one.
    Ratio {
        /// What is divided.
        numerator: i64,
        /// By what; never zero.
        denominator: u64,
    },
}

impl Raw {
    /// With at most four decimals.
    pub fn text(self) -> String {
        let text = format!("{:.4}", self.value());
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    /// As the nearest `f64`.
    pub fn value(self) -> f64 {
        match self {
            Raw::Penalty(penalty) => penalty.points(),
            Raw::Count(count) => f64::from(count),
            #[expect(
                clippy::cast_precision_loss,
                reason = "both come of sums of three 32-bit counts, times at most 255"
            )]
            Raw::Ratio { numerator, denominator } => numerator as f64 / denominator as f64,
        }
    }
}

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Raw::Count(count) => serializer.serialize_u32(*count),
            Raw::Penalty(_) | Raw::Ratio { .. } => serializer.serialize_f64(self.value()),
        }
    }
}

/// What a metric's value is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricState {
    /// A score of the profile is made of it.
    Scored,
    /// It is shown only.
    Informational,
    /// It has no value.
    NoData,
}

/// One metric of one AS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MetricResult {
    /// Name in the profile, as `M2C`.
    pub id: String,
    /// By the formula; `null` without data.
    pub raw: Option<Raw>,
    /// From 0 to 1; `null` without data.
    pub score: Option<Score>,
    /// What it is for.
    pub state: MetricState,
    /// Why it has no data; `null` where it has.
    pub no_data: Option<NoData>,
    /// The figures that went in, by name.
    pub inputs: BTreeMap<&'static str, u64>,
    /// The incidents counted, the first [`INCIDENTS_LISTED_MAX`](crate::INCIDENTS_LISTED_MAX) by
    /// time.
    pub incidents: Vec<CountedIncident>,
}

/// One score of one AS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActionResult {
    /// Name in the profile, as `A1` or `A4-IRR`.
    pub id: String,
    /// From 0 to 1; `null` without data.
    pub score: Option<Score>,
    /// Class of the score.
    pub class: ReadinessClass,
    /// The penalty that the score is made of; `null` where it is made of shares, or without data.
    pub raw: Option<Penalty>,
    /// Metrics of it that have no data.
    pub missing: Vec<String>,
}

/// How ready one AS is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// The AS.
    pub asn: Asn,
    /// Id of the profile.
    pub profile: String,
    /// The time measured.
    pub period: Period,
    /// In the order of the profile.
    pub metrics: Vec<MetricResult>,
    /// In the order of the profile.
    pub actions: Vec<ActionResult>,
}

impl Readiness {
    /// Class of a score; no data where the profile has none of that id.
    pub(crate) fn class_of(&self, score: &str) -> ReadinessClass {
        let action = self.actions.iter().find(|action| action.id == score);
        action.map_or(ReadinessClass::NoData, |action| action.class)
    }

    /// A score in words: how high, or why there is none.
    pub(crate) fn told(&self, score: &str) -> String {
        let Some(action) = self.actions.iter().find(|action| action.id == score) else {
            return format!("{} has no score {score}", self.profile);
        };
        if let Some(score) = action.score {
            let percent = score.percent_words();
            return format!("{} is {percent} %, {}", action.id, action.class.name());
        }
        let missing = self.metrics.iter().filter(|metric| action.missing.contains(&metric.id));
        let reasons: BTreeSet<String> =
            missing.filter_map(|metric| Some(metric.no_data.as_ref()?.to_string())).collect();
        let reasons: Vec<&str> = reasons.iter().map(String::as_str).collect();
        format!("{} has no data ({})", action.id, joined(&reasons))
    }
}

/// A profile, held against the events of one period.
#[derive(Clone, Copy, Debug)]
pub struct Measurement<'a> {
    profile: &'a Profile,
    events: &'a EventTable,
}

impl<'a> Measurement<'a> {
    /// Measures by a profile.
    pub fn new(profile: &'a Profile, events: &'a EventTable) -> Self {
        Measurement { profile, events }
    }

    pub(crate) fn profile(&self) -> &'a Profile {
        self.profile
    }

    pub(crate) fn events(&self) -> &'a EventTable {
        self.events
    }

    /// How ready an AS is.
    pub fn readiness(&self, asn: Asn, inputs: &AsInputs) -> Readiness {
        let metrics = self.profile.metrics.iter();
        let values: Vec<(&Metric, Result<Value, NoData>)> =
            metrics.map(|metric| (metric, self.value(&metric.measure, asn, inputs))).collect();
        let actions = self.profile.scores.iter().map(|rule| self.action(rule, &values)).collect();
        let metrics = values.into_iter().map(|(metric, value)| self.metric(metric, value));
        Readiness {
            asn,
            profile: self.profile.id.clone(),
            period: self.events.period(),
            metrics: metrics.collect(),
            actions,
        }
    }

    fn metric(&self, metric: &Metric, value: Result<Value, NoData>) -> MetricResult {
        let id = metric.id.clone();
        match value {
            Ok(value) => MetricResult {
                state: if self.profile.is_scored(&id) {
                    MetricState::Scored
                } else {
                    MetricState::Informational
                },
                id,
                raw: Some(value.raw),
                score: Some(value.score),
                no_data: None,
                inputs: value.inputs,
                incidents: value.incidents,
            },
            Err(reason) => MetricResult {
                id,
                raw: None,
                score: None,
                state: MetricState::NoData,
                no_data: Some(reason),
                inputs: BTreeMap::new(),
                incidents: Vec::new(),
            },
        }
    }

    fn action(
        &self,
        rule: &ScoreRule,
        values: &[(&Metric, Result<Value, NoData>)],
    ) -> ActionResult {
        let mut missing = Vec::new();
        let mut known = Vec::new();
        for (metric, value) in values.iter().filter(|(metric, _)| rule.metrics.contains(&metric.id))
        {
            match value {
                Ok(value) => known.push(value),
                Err(_) => missing.push(metric.id.clone()),
            }
        }
        if rule.when_missing == WhenMissing::NoData && !missing.is_empty() {
            known.clear();
        }
        let penalties = known.iter().filter_map(|value| value.penalty);
        let raw = match rule.combine {
            Combine::Sum => penalties.reduce(Penalty::plus),
            Combine::Max => penalties.max(),
            Combine::Least => None,
        };
        let score = match rule.combine {
            Combine::Least => known.iter().map(|value| value.score).min(),
            Combine::Sum | Combine::Max => raw.map(|raw| self.curve(raw)),
        };
        let class = self.profile.classes.class(score);
        ActionResult { id: rule.id.clone(), score, class, raw, missing }
    }

    fn curve(&self, raw: Penalty) -> Score {
        Score::of_penalty(raw, self.profile.half_point())
    }

    fn value(&self, measure: &Measure, asn: Asn, inputs: &AsInputs) -> Result<Value, NoData> {
        match measure {
            Measure::Incidents(rule) => {
                let steps = self.profile.duration;
                incident::count(rule, steps, self.events, asn).map(|counted| self.counted(counted))
            }
            Measure::SpoofedPrefixes => self.spoofed(inputs),
            Measure::IrrCoverage(rule) => irr_coverage(*rule, inputs),
            Measure::RpkiValidity(rule) => rpki_validity(*rule, inputs),
            Measure::RpkiInvalid => rpki_invalid(inputs),
            Measure::Contacts(rule) => contacts(&rule.counted, inputs),
            Measure::Share(rule) => share(*rule, rule.of.share(inputs).clone()?),
        }
    }

    /// M1 to M4C: the sum of coefficients by weight.
    fn counted(&self, counted: Counted) -> Value {
        let inputs = [
            ("events", counted.events),
            ("incidents", counted.incident_count),
            ("dismissed", counted.dismissed),
            ("doubtful", counted.doubtful),
        ];
        Value {
            penalty: Some(counted.penalty),
            incidents: counted.incidents,
            ..Value::new(Raw::Penalty(counted.penalty), self.curve(counted.penalty), inputs)
        }
    }

    /// M5: distinct prefixes from which spoofed packets came; nothing is known without a test.
    fn spoofed(&self, inputs: &AsInputs) -> Result<Value, NoData> {
        let tests = inputs.spoofing.clone()?;
        if tests.tests == 0 {
            return Err(NoData::NoTests);
        }
        let penalty = Penalty::from_points(tests.received_prefixes);
        let figures = [("tests", tests.tests), ("received_prefixes", tests.received_prefixes)];
        let raw = Raw::Count(tests.received_prefixes);
        Ok(Value { penalty: Some(penalty), ..Value::new(raw, self.curve(penalty), figures) })
    }
}

/// M7IRR: registered routes of those announced.
fn irr_coverage(rule: IrrRule, inputs: &AsInputs) -> Result<Value, NoData> {
    let counts = inputs.irr.clone()?;
    let registered = rule.accept.registered(counts);
    let figures =
        [("announced", counts.announced), ("exact", counts.exact), ("covered", counts.covered)];
    match (counts.announced, rule.when_nothing_announced) {
        (0, WhenNothingAnnounced::NoData) => Err(NoData::NothingAnnounced),
        (0, WhenNothingAnnounced::Full) => Ok(Value::ratio(1, 1, figures)),
        (announced, _) => Ok(Value::ratio(i64::from(registered), u64::from(announced), figures)),
    }
}

/// M7RPKI: the valid share less a multiple of the invalid share.
fn rpki_validity(rule: RpkiRule, inputs: &AsInputs) -> Result<Value, NoData> {
    let (counts, total, figures) = rpki(inputs)?;
    let lost = i64::from(counts.invalid) * i64::from(rule.invalid_factor);
    Ok(Value::ratio(i64::from(counts.valid) - lost, total, figures))
}

/// M7RPKIN: the invalid share; the score is what remains.
fn rpki_invalid(inputs: &AsInputs) -> Result<Value, NoData> {
    let (counts, total, figures) = rpki(inputs)?;
    let raw = Raw::Ratio { numerator: i64::from(counts.invalid), denominator: total };
    let remain = i64::from(counts.valid) + i64::from(counts.not_found);
    Ok(Value::new(raw, Score::of_ratio(remain, total), figures))
}

fn rpki(inputs: &AsInputs) -> Result<(RpkiCounts, u64, [Figure; 3]), NoData> {
    let counts = inputs.rpki.clone()?;
    let figures =
        [("valid", counts.valid), ("not_found", counts.not_found), ("invalid", counts.invalid)];
    match counts.total() {
        0 => Err(NoData::NothingAnnounced),
        total => Ok((counts, total, figures)),
    }
}

/// M8: whether there is a contact of a sort that counts.
fn contacts(counted: &BTreeSet<ContactKind>, inputs: &AsInputs) -> Result<Value, NoData> {
    let found = inputs.contacts.as_ref().map_err(Clone::clone)?;
    let number = u32::try_from(found.intersection(counted).count()).unwrap_or(u32::MAX);
    let (raw, score) = if number > 0 { (1, Score::ONE) } else { (0, Score::ZERO) };
    Ok(Value::new(Raw::Count(raw), score, [("contact_kinds", number)]))
}

/// A share, where enough was seen.
fn share(rule: ShareRule, share: Share) -> Result<Value, NoData> {
    let least = rule.least.max(1);
    if share.whole < least {
        return Err(NoData::TooFew { have: share.whole, least });
    }
    let part = share.part.min(share.whole);
    let figures = [("part", part), ("whole", share.whole)];
    Ok(Value::ratio(i64::from(part), u64::from(share.whole), figures))
}

/// A figure by name.
type Figure = (&'static str, u32);

/// What a metric comes to.
struct Value {
    raw: Raw,
    score: Score,
    /// Where it is a penalty that can be added to others.
    penalty: Option<Penalty>,
    inputs: BTreeMap<&'static str, u64>,
    incidents: Vec<CountedIncident>,
}

impl Value {
    fn new<const N: usize>(raw: Raw, score: Score, inputs: [Figure; N]) -> Self {
        let inputs = inputs.into_iter().map(|(name, figure)| (name, u64::from(figure))).collect();
        Value { raw, score, penalty: None, inputs, incidents: Vec::new() }
    }

    fn ratio<const N: usize>(numerator: i64, denominator: u64, inputs: [Figure; N]) -> Self {
        let score = Score::of_ratio(numerator, denominator);
        Self::new(Raw::Ratio { numerator, denominator }, score, inputs)
    }
}
