//! What detection must report of a scenario, and the check of what it did report.

use std::fmt;

use routewarden_core::{Asn, Prefix, Timestamp};

use crate::scenario::Scenario;

/// One incident that must be reported, exactly once.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expectation {
    /// Kind of the incident, as detection names it: `sub_prefix_hijack`.
    pub kind: String,
    /// An AS that must be among the culprits.
    pub culprit: Option<Asn>,
    /// An AS that must be among the victims.
    pub victim: Option<Asn>,
    /// A member of the constituency that must be touched, in this role if one is given.
    pub member: Option<String>,
    /// The role: `victim`, `culprit` or `on_path`.
    pub role: Option<String>,
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
    /// The triple of the leak; what is not given is not compared.
    pub leak: Option<Leak>,
    /// The two ASes, in any order, whose link does not exist.
    pub link: Option<(Asn, Asn)>,
    /// ARTEMIS's class: `S|0|-|-`.
    pub artemis_class: Option<String>,
    /// Position of the expectation whose incident must be named as the cause.
    pub caused_by: Option<usize>,
    /// Position of the expectation whose incident must not be named as the cause.
    pub not_caused_by: Option<usize>,
    /// When it must have been seen first.
    pub first_seen: Option<Timestamp>,
    /// First and last moment at which it may have ended.
    pub ended_at: Option<(Timestamp, Timestamp)>,
    /// Its state at the end.
    pub state: Option<String>,
    /// By how many ASes it must have been seen at least.
    pub seen_min: usize,
    /// Least and most confidence.
    pub confidence: (u8, u8),
    /// Least and most severity.
    pub severity: (u8, u8),
}

/// The triple of a route leak.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Leak {
    /// Type of RFC 7908 §3, 1 to 6.
    pub rfc7908_type: Option<u8>,
    /// From whom the leaker had the route.
    pub from: Option<Asn>,
    /// The leaker.
    pub by: Asn,
    /// To whom it passed the route on.
    pub to: Option<Asn>,
}

impl Leak {
    /// Whether `seen` agrees with all that is given.
    fn is_met_by(&self, seen: &Leak) -> bool {
        self.by == seen.by
            && (self.rfc7908_type.is_none() || self.rfc7908_type == seen.rfc7908_type)
            && (self.from.is_none() || self.from == seen.from)
            && (self.to.is_none() || self.to == seen.to)
    }
}

/// A member of the constituency that an incident touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRole {
    /// Identifier of the member.
    pub member: String,
    /// As what: `victim`, `culprit` or `on_path`.
    pub role: String,
}

/// An incident that detection reported, as far as expectations look at it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// Identifier.
    pub id: String,
    /// Kind.
    pub kind: String,
    /// Culprits.
    pub culprits: Vec<Asn>,
    /// Victims.
    pub victims: Vec<Asn>,
    /// Prefixes, as far as they are listed.
    pub prefixes: Vec<Prefix>,
    /// How many prefixes.
    pub prefix_count: usize,
    /// Covering prefixes.
    pub covering: Vec<Prefix>,
    /// Propagators.
    pub propagators: Vec<Asn>,
    /// Prefixes of the victim's countermeasures.
    pub countermeasures: Vec<Prefix>,
    /// Triple of the leak.
    pub leak: Option<Leak>,
    /// Link that does not exist.
    pub link: Option<(Asn, Asn)>,
    /// ARTEMIS's class.
    pub artemis_class: Option<String>,
    /// Members of the constituency that it touches.
    pub constituency: Vec<MemberRole>,
    /// Identifiers of the incidents named as its cause.
    pub causes: Vec<String>,
    /// When it was seen first.
    pub first_seen: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Its state.
    pub state: String,
    /// How many ASes saw it.
    pub seen: usize,
    /// Confidence, 0 to 100.
    pub confidence: u8,
    /// Severity, 0 to 100.
    pub severity: u8,
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
    /// Each expectation must be met by exactly one incident that it names, and every other
    /// incident must stay below `unexpected_confidence_min`.
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
                    let fields = fields.chain(self.differing_causes(expected, seen, observed));
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

    fn differing_causes(
        &self,
        expected: &Expectation,
        seen: &Observed,
        observed: &[Observed],
    ) -> impl Iterator<Item = &'static str> + use<> {
        let is_cause = |position: usize| {
            let cause = self.expectations.get(position);
            let mut meant = observed.iter().filter(|other| cause.is_some_and(|c| c.names(other)));
            meant.any(|other| seen.causes.contains(&other.id))
        };
        let fields = [
            ("caused_by", expected.caused_by.is_none_or(is_cause)),
            ("not_caused_by", !expected.not_caused_by.is_some_and(is_cause)),
        ];
        fields.into_iter().filter(|(_, is_met)| !is_met).map(|(field, _)| field)
    }
}

impl Expectation {
    /// Whether the incident is the one meant: same kind and, if given, culprit, victim, member.
    fn names(&self, seen: &Observed) -> bool {
        self.kind == seen.kind
            && self.culprit.is_none_or(|culprit| seen.culprits.contains(&culprit))
            && self.victim.is_none_or(|victim| seen.victims.contains(&victim))
            && self.member.as_ref().is_none_or(|member| {
                seen.constituency.iter().any(|touched| touched.member == *member)
            })
    }

    /// Whether the member is touched in the role that is given.
    fn has_role(&self, seen: &Observed) -> bool {
        self.role.as_ref().is_none_or(|role| {
            seen.constituency.iter().any(|touched| {
                Some(&touched.member) == self.member.as_ref() && touched.role == *role
            })
        })
    }

    fn has_link(&self, seen: &Observed) -> bool {
        let ordered = |(a, b): (Asn, Asn)| if a <= b { (a, b) } else { (b, a) };
        self.link.is_none() || self.link.map(ordered) == seen.link.map(ordered)
    }

    fn differing_fields(&self, seen: &Observed) -> impl Iterator<Item = &'static str> + use<> {
        let has_all = |want: &[Prefix], have: &[Prefix]| want.iter().all(|p| have.contains(p));
        let is_given = |want: Option<&String>, have| want.is_none() || want == have;
        let ended = match (self.ended_at, seen.ended_at) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some((from, until)), Some(at)) => (from..=until).contains(&at),
        };
        let fields = [
            ("prefixes", has_all(&self.prefixes, &seen.prefixes)),
            ("prefix_count", self.prefix_count.is_none_or(|n| n == seen.prefix_count)),
            ("covering", has_all(&self.covering, &seen.covering)),
            ("propagators", self.propagators.iter().all(|asn| seen.propagators.contains(asn))),
            ("countermeasures", has_all(&self.countermeasures, &seen.countermeasures)),
            ("role", self.has_role(seen)),
            ("leak", self.leak.is_none_or(|leak| seen.leak.is_some_and(|s| leak.is_met_by(&s)))),
            ("link", self.has_link(seen)),
            ("artemis_class", is_given(self.artemis_class.as_ref(), seen.artemis_class.as_ref())),
            ("first_seen", self.first_seen.is_none_or(|at| at == seen.first_seen)),
            ("ended_at", ended),
            ("state", is_given(self.state.as_ref(), Some(&seen.state))),
            ("seen_min", seen.seen >= self.seen_min),
            ("confidence_min", seen.confidence >= self.confidence.0),
            ("confidence_max", seen.confidence <= self.confidence.1),
            ("severity_min", seen.severity >= self.severity.0),
            ("severity_max", seen.severity <= self.severity.1),
        ];
        fields.into_iter().filter(|(_, is_met)| !is_met).map(|(field, _)| field)
    }
}
