//! The rules. Each is one question with one fixed weight, asked of a case: an origin claim
//! ([`Case`]), a leak, a link, an outage. The confidence is their sum, kept between 1 and 99.
//!
//! A rule looks at nothing but its case, so each is tested alone, and adding evidence of one
//! sign moves the confidence one way only.

mod against;
pub(crate) mod leak;
mod less_specific;
pub(crate) mod link;
pub(crate) mod outage;
mod support;

use std::collections::BTreeMap;

use routewarden_core::facts::{FactSource, Facts};
use routewarden_core::{Asn, Prefix, Timestamp};

use crate::claim::{Claim, ClaimKind, Target};
use crate::incident::{Evidence, FactValue};

/// BGP has converged after this long.
const CONVERGENCE_SECS: i64 = 300;

/// An origin claim with all that a rule may look at.
#[expect(clippy::struct_excessive_bools, reason = "facts that do not depend on one another")]
pub(crate) struct Case<'a> {
    pub(crate) claim: &'a Claim,
    pub(crate) target: &'a Target,
    pub(crate) facts: &'a Facts,
    /// Peer ASes that sent routes of the family.
    pub(crate) vantage_points: usize,
    /// Whether a table was given at the start, so that absence means absence.
    pub(crate) has_table: bool,
    /// Whether a victim and the culprit were neighbours in a path before the claim was made, or in
    /// the one that made it.
    pub(crate) adjacent: bool,
    /// Whether an AS that passed the route on next to the culprit is a neighbour of a victim.
    pub(crate) is_by_victims_neighbour: bool,
    /// Whether the culprit stood in any path before the news began.
    pub(crate) is_culprit_known: bool,
    /// A prefix of the culprit's own that is one digit away from the claimed one.
    pub(crate) near_own_prefix: Option<Prefix>,
    /// Whether a victim originates the prefix, or the covering one, at the last event.
    pub(crate) victim_is_present: bool,
    /// Time of the last event.
    pub(crate) now: Timestamp,
}

/// What a rule found: words and the values behind them.
pub(crate) struct Found {
    text: String,
    facts: BTreeMap<String, FactValue>,
}

impl Found {
    fn new(text: impl Into<String>) -> Self {
        Found { text: text.into(), facts: BTreeMap::new() }
    }

    /// Names the file that the reason rests on, with its version.
    fn citing(self, source: Option<&FactSource>) -> Self {
        match source {
            Some(source) => self.with("source", cite(source).as_str()),
            None => self,
        }
    }

    fn with(mut self, name: &str, value: impl Into<FactValue>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }
}

/// `name, date, sha256 and its first twelve digits`
pub(crate) fn cite(source: &FactSource) -> String {
    let date = source.date.map(|date| format!(", {date}")).unwrap_or_default();
    let digest = source.sha256.map(|digest| digest.to_string()).unwrap_or_default();
    let digest: String = digest.chars().take(12).collect();
    let separator = if digest.is_empty() { "" } else { ", sha256 " };
    format!("{}{date}{separator}{digest}", source.name)
}

/// A weighed question, asked of a case by `F`.
pub(crate) struct Rule<F> {
    pub(crate) name: &'static str,
    pub(crate) weight: i32,
    ask: F,
}

/// A question about who may originate what.
type OriginRule = Rule<fn(&Case<'_>) -> Option<Found>>;

const RULES: [&[OriginRule]; 2] = [support::RULES, against::RULES];

/// Evidence and counter-evidence of a case, in the order of the rule tables.
pub(crate) fn weigh(case: &Case<'_>) -> Vec<Evidence> {
    let rules = if case.claim.key.kind == ClaimKind::LessSpecific {
        [less_specific::RULES, &[]]
    } else {
        RULES
    };
    rules.into_iter().flatten().filter_map(|rule| rule.told((rule.ask)(case))).collect()
}

/// Name and weight of every rule, for the documentation, by what they weigh.
pub fn rule_weights() -> Vec<(&'static str, Vec<(&'static str, i32)>)> {
    fn of<F>(rules: &[Rule<F>]) -> Vec<(&'static str, i32)> {
        rules.iter().map(|rule| (rule.name, rule.weight)).collect()
    }
    let origin = RULES.into_iter().flat_map(of).chain(crate::correlate::BURST_RULES).collect();
    vec![
        ("originations", origin),
        ("less-specifics", of(less_specific::RULES)),
        ("leaks", of(leak::RULES)),
        ("links", of(link::RULES)),
        ("outages", of(outage::RULES)),
        ("changes of ROAs and ASPAs", crate::correlate::CHANGE_RULES.to_vec()),
        ("claims that stand by themselves", crate::correlate::PLAIN_RULES.to_vec()),
    ]
}

impl<F> Rule<F> {
    /// The evidence, when the question was answered.
    pub(crate) fn told(&self, found: Option<Found>) -> Option<Evidence> {
        let found = found?;
        Some(Evidence {
            rule: self.name.to_owned(),
            weight: self.weight,
            text: found.text,
            facts: found.facts,
        })
    }
}

/// The sum of the weights, as a confidence.
pub(crate) fn confidence(evidence: &[Evidence]) -> u8 {
    let sum: i32 = evidence.iter().map(|line| line.weight).sum();
    u8::try_from(sum.clamp(1, 99)).unwrap_or(1)
}

impl Case<'_> {
    pub(super) fn culprit(&self) -> Asn {
        self.claim.key.culprit
    }

    /// Whether the route is one for blackholing: a host route, or a more-specific with BLACKHOLE.
    pub(super) fn is_blackhole(&self) -> bool {
        let prefix = self.claim.key.prefix;
        prefix.len() == prefix.family().bits()
            || (self.claim.is_blackhole && self.target.covering.is_some())
    }

    /// Share of the vantage points that saw it, in percent.
    pub(super) fn seen_percent(&self) -> usize {
        self.claim.witnesses.len() * 100 / self.vantage_points.max(1)
    }

    pub(super) fn same_organisation(&self) -> bool {
        let Some(organisations) = &self.facts.organisations else { return false };
        let same = |victim| organisations.table.same_organisation(victim, self.culprit());
        self.target.victims.iter().any(|&victim| same(victim) == Some(true))
    }

    pub(super) fn country(&self, asn: Asn) -> Option<&str> {
        self.facts.country(asn)
    }

    /// Countries of the culprit and of the first victim whose country is known.
    pub(super) fn countries(&self) -> Option<(&str, &str)> {
        let culprit = self.country(self.culprit())?;
        let victim = self.target.victims.iter().find_map(|&victim| self.country(victim))?;
        Some((culprit, victim))
    }

    pub(super) fn vrps(&self) -> Option<&FactSource> {
        self.facts.vrps.as_ref().map(|facts| &facts.source)
    }

    pub(super) fn organisations(&self) -> Option<&FactSource> {
        self.facts.organisations.as_ref().map(|facts| &facts.source)
    }

    pub(super) fn victims(&self) -> String {
        let names: Vec<String> = self.target.victims.iter().map(ToString::to_string).collect();
        names.join(", ")
    }

    pub(super) fn duration_secs(&self) -> i64 {
        self.claim.duration_secs(self.now)
    }
}

#[cfg(test)]
mod tests;
