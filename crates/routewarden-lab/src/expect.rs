//! What detection must report of a scenario, and the check of what it did report.

use std::fmt;

use routewarden_core::{Asn, Prefix, Timestamp};
use toml::Spanned;

use crate::document::{Document, Expect};
use crate::error::Fault;
use crate::route_text::parse_prefix;
use crate::scenario::{Checked, Scenario, at, fail, time_of};

/// One incident that must be reported, exactly once.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expectation {
    /// Kind of the incident, as detection names it: `sub_prefix_hijack`.
    pub kind: String,
    /// An AS that must be among the culprits.
    pub culprit: Asn,
    /// An AS that must be among the victims.
    pub victim: Option<Asn>,
    /// Prefixes that must be among the incident's.
    pub prefixes: Vec<Prefix>,
    /// How many prefixes the incident must have.
    pub prefix_count: Option<usize>,
    /// Prefixes that must be among the covering ones.
    pub covering: Vec<Prefix>,
    /// ASes that must be among the propagators.
    pub propagators: Vec<Asn>,
    /// Prefixes that must be among the countermeasures.
    pub countermeasures: Vec<Prefix>,
    /// When it must have been seen first.
    pub first_seen: Option<Timestamp>,
    /// First and last moment at which it may have ended.
    pub ended_at: Option<(Timestamp, Timestamp)>,
    /// By how many ASes it must have been seen at least.
    pub seen_min: usize,
    /// Least confidence.
    pub confidence_min: u8,
}

/// An incident that detection reported, as far as expectations look at it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// Kind.
    pub kind: String,
    /// Culprits.
    pub culprits: Vec<Asn>,
    /// Victims.
    pub victims: Vec<Asn>,
    /// Prefixes.
    pub prefixes: Vec<Prefix>,
    /// Covering prefixes.
    pub covering: Vec<Prefix>,
    /// Propagators.
    pub propagators: Vec<Asn>,
    /// Prefixes of the victim's countermeasures.
    pub countermeasures: Vec<Prefix>,
    /// When it was seen first.
    pub first_seen: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How many ASes saw it.
    pub seen: usize,
    /// Confidence, 0 to 100.
    pub confidence: u8,
}

/// A difference between what was expected and what was reported.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mismatch {
    /// No incident of the expected kind and culprit.
    Missing {
        /// Position of the expectation.
        expectation: usize,
    },
    /// Several incidents where one is expected.
    Repeated {
        /// Position of the expectation.
        expectation: usize,
        /// How many.
        incidents: usize,
    },
    /// The incident is there, but a field differs.
    Field {
        /// Position of the expectation.
        expectation: usize,
        /// Position of the incident.
        incident: usize,
        /// Name of the expectation's field.
        field: &'static str,
    },
    /// An incident that no expectation names.
    Unexpected {
        /// Position of the incident.
        incident: usize,
    },
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mismatch::Missing { expectation } => {
                write!(f, "expectation {}: no such incident", expectation + 1)
            }
            Mismatch::Repeated { expectation, incidents } => {
                write!(f, "expectation {}: {incidents} incidents, not one", expectation + 1)
            }
            Mismatch::Field { expectation, incident, field } => write!(
                f,
                "expectation {}: incident {} differs in {field}",
                expectation + 1,
                incident + 1
            ),
            Mismatch::Unexpected { incident } => {
                write!(f, "incident {} is not expected", incident + 1)
            }
        }
    }
}

impl Scenario {
    /// Compares what was reported with what is expected. Empty when all is as it should be.
    ///
    /// Each expectation must be met by exactly one incident of its kind and culprit, and every
    /// other incident must stay below `unexpected_confidence_min`.
    pub fn check(&self, observed: &[Observed]) -> Vec<Mismatch> {
        let mut mismatches = Vec::new();
        let mut is_named = vec![false; observed.len()];
        for (expectation, expected) in self.expectations.iter().enumerate() {
            let mut incidents = 0;
            for ((incident, seen), is_named) in observed.iter().enumerate().zip(&mut is_named) {
                if expected.names(seen) {
                    *is_named = true;
                    incidents += 1;
                    let fields = expected.differing_fields(seen);
                    mismatches.extend(fields.map(|field| Mismatch::Field {
                        expectation,
                        incident,
                        field,
                    }));
                }
            }
            match incidents {
                0 => mismatches.push(Mismatch::Missing { expectation }),
                1 => {}
                _ => mismatches.push(Mismatch::Repeated { expectation, incidents }),
            }
        }
        for ((incident, seen), is_named) in observed.iter().enumerate().zip(is_named) {
            if !is_named && seen.confidence >= self.unexpected_confidence_min {
                mismatches.push(Mismatch::Unexpected { incident });
            }
        }
        mismatches
    }
}

impl Expectation {
    /// Whether the incident is the one meant: same kind, culprit and, if given, victim.
    fn names(&self, seen: &Observed) -> bool {
        self.kind == seen.kind
            && seen.culprits.contains(&self.culprit)
            && self.victim.is_none_or(|victim| seen.victims.contains(&victim))
    }

    fn differing_fields(&self, seen: &Observed) -> impl Iterator<Item = &'static str> + use<> {
        let has_all = |want: &[Prefix], have: &[Prefix]| want.iter().all(|p| have.contains(p));
        let ended = match (self.ended_at, seen.ended_at) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some((from, until)), Some(at)) => (from..=until).contains(&at),
        };
        let fields = [
            ("prefixes", has_all(&self.prefixes, &seen.prefixes)),
            ("prefix_count", self.prefix_count.is_none_or(|n| n == seen.prefixes.len())),
            ("covering", has_all(&self.covering, &seen.covering)),
            ("propagators", self.propagators.iter().all(|asn| seen.propagators.contains(asn))),
            ("countermeasures", has_all(&self.countermeasures, &seen.countermeasures)),
            ("first_seen", self.first_seen.is_none_or(|at| at == seen.first_seen)),
            ("ended_at", ended),
            ("seen_min", seen.seen >= self.seen_min),
            ("confidence_min", seen.confidence >= self.confidence_min),
        ];
        fields.into_iter().filter(|(_, is_met)| !is_met).map(|(field, _)| field)
    }

    pub(crate) fn all_of(document: &Document) -> Checked<Vec<Expectation>> {
        let Some(first) = document.expect.first() else {
            return fail(&document.format, Fault::NoExpectation);
        };
        if let Some(silent) = document.expect.iter().find(|entry| entry.get_ref().silent) {
            let entry = silent.get_ref();
            let is_alone = document.expect.len() == 1
                && entry.kind.is_none()
                && entry.culprit.is_none()
                && entry.victim.is_none()
                && entry.first_seen.is_none()
                && entry.ended_at.is_none()
                && entry.prefixes.is_empty()
                && entry.confidence_min.is_none();
            return if is_alone { Ok(Vec::new()) } else { fail(first, Fault::SilentNotAlone) };
        }
        document.expect.iter().map(Expectation::of).collect()
    }

    fn of(entry: &Spanned<Expect>) -> Checked<Self> {
        let expect = entry.get_ref();
        let (Some(kind), Some(culprit)) = (expect.kind.clone(), expect.culprit) else {
            return fail(entry, Fault::ExpectationIncomplete);
        };
        let confidence_min = match &expect.confidence_min {
            None => 0,
            Some(value) if *value.get_ref() <= 100 => *value.get_ref(),
            Some(value) => {
                return fail(value, Fault::TooLarge { field: "confidence_min", max: 100 });
            }
        };
        let ended_at = match &expect.ended_at {
            None => None,
            Some(period) => {
                let (from, until) = (&period.get_ref().from, &period.get_ref().until);
                let (from, until) = (time_of(from)?, time_of(until)?);
                if until < from {
                    return fail(period, Fault::PeriodReversed);
                }
                Some((from, until))
            }
        };
        Ok(Expectation {
            kind,
            culprit: Asn(culprit),
            victim: expect.victim.map(Asn),
            prefixes: prefixes_of(&expect.prefixes)?,
            prefix_count: expect.prefix_count,
            covering: prefixes_of(&expect.covering)?,
            propagators: expect.propagators.iter().copied().map(Asn).collect(),
            countermeasures: prefixes_of(&expect.countermeasures)?,
            first_seen: expect.first_seen.as_ref().map(time_of).transpose()?,
            ended_at,
            seen_min: expect.seen_min.unwrap_or(0),
            confidence_min,
        })
    }
}

fn prefixes_of(texts: &[Spanned<String>]) -> Checked<Vec<Prefix>> {
    texts.iter().map(|text| at(text, parse_prefix(text.get_ref()))).collect()
}
