//! Evidence on a link in a path that nobody knows: a forged origin (type 1) or path (type N).
//! Weighed as a whole: all prefixes that come over the link.

use routewarden_core::facts::Facts;
use routewarden_core::{Asn, Timestamp};

use super::leak::BEACON_ORIGIN;
use super::{CONVERGENCE_SECS, Found, Rule};
use crate::claim::{Claim, Reaction};
use crate::findings::LinkFinding;
use crate::incident::Evidence;
use crate::span::span_in_words;

/// A link with all that a rule may look at.
pub(crate) struct LinkCase<'a> {
    pub(crate) claims: &'a [&'a Claim],
    /// The strongest of what the claims found of the link.
    pub(crate) found: &'a LinkFinding,
    pub(crate) facts: &'a Facts,
    /// New more-specifics of the origin within a quarter of an hour of the first, these included.
    pub(crate) origin_news: usize,
    /// Prefixes that the origin is known to originate.
    pub(crate) prefixes_of_origin: usize,
    /// Whether the origin's route by another link stands.
    pub(crate) victim_is_present: bool,
    pub(crate) seen: usize,
    pub(crate) vantage_points: usize,
    pub(crate) now: Timestamp,
}

type LinkRule = Rule<fn(&LinkCase<'_>) -> Option<Found>>;

pub(crate) const RULES: &[LinkRule] = &[
    Rule { name: "unknown_link", weight: 20, ask: unknown_link },
    Rule { name: "aspa_denies_link", weight: 45, ask: aspa_denies },
    Rule { name: "operator_denies_link", weight: 45, ask: operator_denies },
    Rule { name: "unlike_a_real_link", weight: 25, ask: unlike },
    Rule { name: "new_more_specific", weight: 15, ask: more_specific },
    Rule { name: "victim_reacted_to_link", weight: 20, ask: victim_reacted },
    Rule { name: "link_gone_again", weight: 10, ask: gone_again },
    Rule { name: "link_widely_seen", weight: 10, ask: widely_seen },
    Rule { name: "link_same_organisation", weight: -50, ask: same_organisation },
    Rule { name: "like_a_real_link", weight: -20, ask: like },
    Rule { name: "whole_network_moved", weight: -25, ask: whole_network },
    Rule { name: "old_paths_gone", weight: -15, ask: old_paths_gone },
    Rule { name: "origin_deaggregates", weight: -20, ask: deaggregates },
    Rule { name: "origin_prepends_to_link", weight: -30, ask: origin_prepends },
    Rule { name: "link_of_beacon", weight: -40, ask: beacon },
    Rule { name: "lasts_quietly", weight: -10, ask: lasts_quietly },
    Rule { name: "far_from_origin", weight: -15, ask: far_from_origin },
    Rule { name: "link_barely_seen", weight: -15, ask: barely_seen },
    Rule { name: "link_fleeting", weight: -10, ask: fleeting },
];

/// Evidence and counter-evidence, in the order of the rules.
pub(crate) fn weigh(case: &LinkCase<'_>) -> Vec<Evidence> {
    RULES.iter().filter_map(|rule| rule.told((rule.ask)(case))).collect()
}
/// A link of a network that brings at least this share of its prefixes is a new provider.
const WHOLE_PERCENT: usize = 80;
/// A network of fewer prefixes tells nothing by their share.
const WHOLE_PREFIXES_MIN: usize = 3;

impl LinkCase<'_> {
    fn ends(&self) -> (Asn, Asn) {
        (self.found.link.a, self.found.link.b)
    }

    fn is_denied(&self) -> bool {
        self.found.denied_by_aspa.is_some() || self.found.denied_by_operator
    }

    fn seen_percent(&self) -> usize {
        self.seen * 100 / self.vantage_points.max(1)
    }

    fn suspicion(&self) -> Option<u8> {
        self.found.suspicion.as_ref().map(|&(suspicion, _)| suspicion)
    }

    fn is_over(&self) -> bool {
        self.claims.iter().all(|claim| claim.ended_at.is_some())
    }

    fn duration_secs(&self) -> i64 {
        self.claims.iter().map(|claim| claim.duration_secs(self.now)).max().unwrap_or(0)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a rule like any other")]
fn unknown_link(case: &LinkCase<'_>) -> Option<Found> {
    let (a, b) = case.ends();
    let place = match case.found.depth {
        0 => format!("{b}, the origin"),
        1 => format!("{b}, one hop before the origin"),
        depth => format!("{b}, {depth} hops before the origin"),
    };
    Some(
        Found::new(format!(
            "The path goes from {place}, to {a}: a link that no path of the table and no fact shows."
        ))
        .with("a", a)
        .with("b", b),
    )
}

fn aspa_denies(case: &LinkCase<'_>) -> Option<Found> {
    let offence = case.found.denied_by_aspa?;
    let source = case.facts.aspas.as_ref().map(|facts| &facts.source);
    let text = format!(
        "ASPA: {} names its providers, and {} is none of them. The path is invalid.",
        offence.customer, offence.not_provider
    );
    Some(Found::new(text).citing(source))
}

fn operator_denies(case: &LinkCase<'_>) -> Option<Found> {
    let (a, b) = case.ends();
    let source = case.facts.constituency.as_ref().map(|facts| &facts.source);
    case.found.denied_by_operator.then(|| {
        Found::new(format!("{b} is a constituent, and its list of upstreams does not name {a}."))
            .citing(source)
    })
}

/// The reasons behind a suspicion, as facts.
fn with_reasons(mut found: Found, case: &LinkCase<'_>) -> Found {
    for (name, value) in case.found.suspicion.iter().flat_map(|(_, reasons)| reasons) {
        found = found.with(name, *value);
    }
    found
}

fn unlike(case: &LinkCase<'_>) -> Option<Found> {
    let suspicion = case.suspicion()?;
    (suspicion >= crate::relations::SUSPICIOUS_MIN).then(|| {
        let text = format!(
            "By the places of both in the topology hardly any real link looks like it: {suspicion} \
             of 100."
        );
        with_reasons(Found::new(text), case)
    })
}

fn like(case: &LinkCase<'_>) -> Option<Found> {
    let suspicion = case.suspicion()?;
    (suspicion < crate::relations::SUSPICIOUS_MIN / 2 && !case.is_denied()).then(|| {
        let text =
            format!("By the places of both in the topology it may be real: {suspicion} of 100.");
        with_reasons(Found::new(text), case)
    })
}

fn more_specific(case: &LinkCase<'_>) -> Option<Found> {
    case.found.is_more_specific.then(|| {
        let prefix = case.claims.first().map(|claim| claim.key.prefix.to_string());
        Found::new(format!(
            "{} was not announced before, only what covers it: the more-specific draws the traffic \
             wherever it is seen.",
            prefix.unwrap_or_default()
        ))
    })
}

fn victim_reacted(case: &LinkCase<'_>) -> Option<Found> {
    let began = case.claims.iter().map(|claim| claim.first_seen).min()?;
    let late = |reaction: &&Reaction| reaction.time.secs_since(began) >= REACTION_SECS_MIN;
    let reaction = case.claims.iter().flat_map(|claim| &claim.reactions).filter(late).min()?;
    if deaggregates(case).is_some() {
        return None;
    }
    Some(
        Found::new(format!(
            "{} announced {} at {}, which it had not announced before.",
            reaction.origin, reaction.prefix, reaction.time
        ))
        .with("time", reaction.time),
    )
}

/// A victim needs at least this long to notice and act; what comes sooner is one plan.
const REACTION_SECS_MIN: i64 = 120;
/// New more-specifics of the origin, at the same time and elsewhere, that make it a plan of its own.
const DEAGGREGATED_MIN: usize = 3;

fn deaggregates(case: &LinkCase<'_>) -> Option<Found> {
    let count = case.origin_news;
    (count >= DEAGGREGATED_MIN && case.found.is_more_specific && !case.is_denied()).then(|| {
        Found::new(format!(
            "The origin announced {count} new more-specifics around that time, over several links: \
             a plan of its own."
        ))
        .with("prefixes", count)
    })
}

/// A new provider stays; a forged path goes.
fn gone_again(case: &LinkCase<'_>) -> Option<Found> {
    (case.is_over() && case.victim_is_present && case.duration_secs() < 86_400).then(|| {
        let secs = case.duration_secs();
        Found::new(format!(
            "The link was gone after {}, and the origin is as before.",
            span_in_words(secs)
        ))
        .with("secs", secs)
    })
}

fn widely_seen(case: &LinkCase<'_>) -> Option<Found> {
    (case.vantage_points >= 3 && case.seen_percent() >= 50).then(|| seen(case, "saw"))
}

fn barely_seen(case: &LinkCase<'_>) -> Option<Found> {
    (case.vantage_points >= 10 && case.seen_percent() < 10).then(|| seen(case, "alone saw"))
}

fn seen(case: &LinkCase<'_>, verb: &str) -> Found {
    Found::new(format!("{} of {} vantage point ASes {verb} it.", case.seen, case.vantage_points))
        .with("seen", case.seen)
        .with("of", case.vantage_points)
}

fn same_organisation(case: &LinkCase<'_>) -> Option<Found> {
    let (a, b) = case.ends();
    let source = case.facts.organisations.as_ref().map(|facts| &facts.source);
    (case.facts.same_organisation(a, b) == Some(true))
        .then(|| Found::new(format!("{a} and {b} belong to one organisation.")).citing(source))
}

fn whole_network(case: &LinkCase<'_>) -> Option<Found> {
    let (count, of) = (case.claims.len(), case.prefixes_of_origin);
    let is_whole = of >= WHOLE_PREFIXES_MIN && count * 100 >= of * WHOLE_PERCENT;
    (is_whole && !case.is_denied()).then(|| {
        Found::new(format!("{count} of the origin's {of} prefixes come over it: a new provider."))
            .with("prefixes", count)
            .with("of", of)
    })
}

fn old_paths_gone(case: &LinkCase<'_>) -> Option<Found> {
    (!case.victim_is_present && !case.is_denied()).then(|| {
        Found::new("No path over another link is left: the origin has moved, or lost its provider.")
    })
}

fn far_from_origin(case: &LinkCase<'_>) -> Option<Found> {
    (case.found.depth > 0 && !case.is_denied()).then(|| {
        Found::new("The link is not the origin's own: new links between transit networks are many.")
            .with("depth", case.found.depth)
    })
}

/// Who prepends towards a neighbour knows it: a forger gains nothing by a longer path.
fn origin_prepends(case: &LinkCase<'_>) -> Option<Found> {
    let (a, b) = case.ends();
    (case.found.repeats > 1 && !case.is_denied()).then(|| {
        let times = case.found.repeats;
        Found::new(format!("{b} stands {times} times in a row before {a}: it sets its path there."))
            .with("times", times)
    })
}

fn beacon(case: &LinkCase<'_>) -> Option<Found> {
    let is_beacon = case.claims.iter().all(|claim| claim.origin == Some(BEACON_ORIGIN));
    is_beacon.then(|| {
        Found::new(format!(
            "All are beacons of {BEACON_ORIGIN}, withdrawn and announced to show such paths."
        ))
    })
}

/// A victim that loses its traffic acts within the hour.
const QUIET_SECS: i64 = 3_600;

fn lasts_quietly(case: &LinkCase<'_>) -> Option<Found> {
    let secs = case.duration_secs();
    let is_quiet = !case.is_over() && secs >= QUIET_SECS && victim_reacted(case).is_none();
    (is_quiet && !case.is_denied()).then(|| {
        Found::new(format!(
            "It has stood for {}, and the origin has not reacted.",
            span_in_words(secs)
        ))
        .with("secs", secs)
    })
}

fn fleeting(case: &LinkCase<'_>) -> Option<Found> {
    let secs = case.duration_secs();
    (case.is_over() && secs < CONVERGENCE_SECS && case.seen_percent() < 50 && !case.is_denied())
        .then(|| {
            Found::new(format!("It lasted {}: maybe convergence.", span_in_words(secs)))
                .with("secs", secs)
        })
}
