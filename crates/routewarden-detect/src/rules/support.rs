//! Evidence for a hijack.

use routewarden_core::Prefix;
use routewarden_core::facts::{FactSource, InvalidReason, Relation, RovState};
use routewarden_core::shard::is_short;

use super::{Case, Found, OriginRule, Rule};
use crate::findings::PathFinding;
use crate::knowledge::KnownFrom;
use crate::span::span_in_words;

pub(super) const RULES: &[OriginRule] = &[
    Rule { name: "foreign_origin", weight: 30, ask: foreign_origin },
    Rule { name: "more_specific_of_foreign_prefix", weight: 35, ask: more_specific },
    Rule { name: "rov_invalid_asn", weight: 30, ask: rov_invalid_asn },
    Rule { name: "rov_invalid_max_length", weight: 15, ask: rov_invalid_max_length },
    Rule { name: "victim_reacted", weight: 25, ask: victim_reacted },
    Rule { name: "victim_announces_again", weight: 10, ask: victim_announces_again },
    Rule { name: "foreign_host_route", weight: 15, ask: foreign_host_route },
    Rule { name: "unknown_upstream", weight: 5, ask: unknown_upstream },
    Rule { name: "no_relation", weight: 10, ask: no_relation },
    Rule { name: "countries_differ", weight: 10, ask: countries_differ },
    Rule { name: "exclusive_space", weight: 10, ask: exclusive_space },
    Rule { name: "widely_seen", weight: 10, ask: widely_seen },
    Rule { name: "returned_to_victim", weight: 15, ask: returned_to_victim },
];

/// The prefix-origin table, when the victims are known from it.
fn origins<'a>(case: &Case<'a>) -> Option<&'a FactSource> {
    let origins = case.facts.origins.as_ref().map(|facts| &facts.source);
    origins.filter(|_| case.target.known_from == KnownFrom::OriginTable)
}

fn known_from(from: KnownFrom) -> &'static str {
    match from {
        KnownFrom::Stream => "the updates before",
        KnownFrom::OriginTable => "the prefix-origin table",
        KnownFrom::Table => "the routing table at the start",
        KnownFrom::Operator => "its holder's own statement",
    }
}

fn foreign_origin(case: &Case<'_>) -> Option<Found> {
    if case.target.covering.is_some() {
        return None;
    }
    let (culprit, prefix) = (case.culprit(), case.claim.key.prefix);
    let (victims, from) = (case.victims(), known_from(case.target.known_from));
    Some(
        Found::new(format!(
            "{culprit} originates {prefix}, which by {from} is originated by {victims}."
        ))
        .citing(origins(case))
        .with("prefix", prefix)
        .with("known_from", from)
        .with("known_since", case.target.known_since),
    )
}

fn more_specific(case: &Case<'_>) -> Option<Found> {
    let covering = case.target.covering?;
    let (culprit, prefix) = (case.culprit(), case.claim.key.prefix);
    let (victims, from) = (case.victims(), known_from(case.target.known_from));
    Some(
        Found::new(format!(
            "{culprit} originates {prefix}, new to the table, inside {covering}, which by {from} \
             is originated by {victims}. The more-specific draws the traffic wherever it is seen."
        ))
        .citing(origins(case))
        .with("prefix", prefix)
        .with("covering", covering)
        .with("known_from", from)
        .with("known_since", case.target.known_since),
    )
}

/// RFC 6811 §2: covered, and no covering VRP has the origin.
pub(super) fn rov_invalid_asn(case: &Case<'_>) -> Option<Found> {
    (case.claim.rov == Some((RovState::Invalid, Some(InvalidReason::Asn)))).then(|| {
        let (culprit, prefix) = (case.culprit(), case.claim.key.prefix);
        Found::new(format!("RPKI: {prefix} is covered by VRPs, and none allows {culprit}."))
            .citing(case.vrps())
    })
}

/// RFC 6811 §2: a covering VRP has the origin, but no length as long as this.
fn rov_invalid_max_length(case: &Case<'_>) -> Option<Found> {
    (case.claim.rov == Some((RovState::Invalid, Some(InvalidReason::MaxLength)))).then(|| {
        let (culprit, prefix) = (case.culprit(), case.claim.key.prefix);
        Found::new(format!("RPKI: {culprit} has a VRP, but {prefix} is longer than it allows."))
            .citing(case.vrps())
    })
}

/// The victim announced more-specifics of the claimed prefix, or a prefix it did not announce.
fn victim_reacted(case: &Case<'_>) -> Option<Found> {
    let strong = |prefix| prefix != case.claim.key.prefix || case.has_table;
    let reactions = || case.claim.reactions.iter().filter(|reaction| strong(reaction.prefix));
    let first = reactions().next()?;
    let mut prefixes: Vec<Prefix> = reactions().map(|r| r.prefix).collect();
    prefixes.sort_unstable();
    let listed: Vec<String> = prefixes.iter().map(ToString::to_string).collect();
    let span = span_in_words(first.time.secs_since(case.claim.first_seen));
    Some(
        Found::new(format!(
            "{} reacted after {span}: it announced {}, which it had not announced \
             before.",
            first.origin,
            listed.join(", ")
        ))
        .with("prefixes", prefixes.into_iter().collect::<crate::FactValue>())
        .with("first", first.time),
    )
}

/// As [`victim_reacted`], but with no table it is not known whether the victim had the route.
fn victim_announces_again(case: &Case<'_>) -> Option<Found> {
    if case.has_table {
        return None;
    }
    let reactions = &case.claim.reactions;
    let own = reactions.iter().find(|reaction| reaction.prefix == case.claim.key.prefix)?;
    Some(
        Found::new(format!(
            "{} announced {} itself at {}; without a table at the start it is not known whether \
             it did before.",
            own.origin, own.prefix, own.time
        ))
        .with("time", own.time),
    )
}

/// A host route is announced to have traffic thrown away: by its holder or its provider, or by one
/// who means harm.
fn foreign_host_route(case: &Case<'_>) -> Option<Found> {
    let is_providers = super::against::is_of_provider(case);
    (case.is_blackhole() && !is_providers).then(|| {
        Found::new(format!(
            "It is a route for blackholing, and nothing shows {} to be a provider of {}.",
            case.culprit(),
            case.victims()
        ))
    })
}

/// The culprit is reached over a link that no path of the table and no fact shows.
fn unknown_upstream(case: &Case<'_>) -> Option<Found> {
    let Some(PathFinding::Link(found)) = case.claim.finding.as_deref() else { return None };
    let upstream = found.link.a;
    if !case.is_culprit_known {
        // Of a new AS every link is new.
        return None;
    }
    Some(
        Found::new(format!(
            "It came by {upstream}, which no path of the table and no fact shows next to {}.",
            case.culprit()
        ))
        .with("upstream", upstream),
    )
}

/// Nothing in BGP or in the facts connects the two.
pub(super) fn no_relation(case: &Case<'_>) -> Option<Found> {
    let target = case.target;
    let related = case.adjacent
        || target.victim_routes_via_culprit > 0
        || target.culprit_below > 0
        || target.culprit_covers.is_some()
        || case.claim.announcements_via_victim > 0
        || case.same_organisation()
        || super::against::relation(case).is_some();
    let facts = match (&case.facts.organisations, &case.facts.relations) {
        (None, None) => "AS organisations and relationships were not given",
        (Some(_), None) => "no organisation joins them; AS relationships were not given",
        (None, Some(_)) => "no relationship joins them; AS organisations were not given",
        (Some(_), Some(_)) => "no organisation or relationship joins them",
    };
    (!related).then(|| {
        Found::new(format!(
            "{} and {} were never neighbours in any path, and neither is on the other's paths; \
             {facts}.",
            case.culprit(),
            case.victims()
        ))
        .citing(case.organisations())
    })
}

pub(super) fn countries_differ(case: &Case<'_>) -> Option<Found> {
    let (culprit, victim) = case.countries()?;
    (culprit != victim).then(|| {
        Found::new(format!("The culprit is registered in {culprit}, the victim in {victim}."))
            .citing(case.organisations())
            .with("culprit", culprit)
            .with("victim", victim)
    })
}

/// All that is known of the block is the victim's: it is not space handed out to others. What is
/// shorter than a shard's block is not looked into.
fn exclusive_space(case: &Case<'_>) -> Option<Found> {
    let target = case.target;
    let weak = target.known_from == KnownFrom::Stream && super::against::is_weakly_known(case);
    let block = target.covering.unwrap_or(case.claim.key.prefix);
    let is_exclusive = target.victims.len() == 1 && target.below_foreign == 0;
    (is_exclusive && !weak && !is_short(&block)).then(|| {
        Found::new(format!(
            "All that is known inside {block} ({} more-specifics) is originated by {} alone.",
            target.below,
            case.victims()
        ))
        .with("block", block)
        .with("more_specifics", target.below)
    })
}

/// From this share of the vantage points on, in percent, a route counts as widely seen.
const WIDELY_PERCENT: usize = 50;

fn widely_seen(case: &Case<'_>) -> Option<Found> {
    (case.vantage_points >= 3 && case.seen_percent() >= WIDELY_PERCENT).then(|| {
        Found::new(format!(
            "{} of {} vantage point ASes had the route.",
            case.claim.witnesses.len(),
            case.vantage_points
        ))
        .with("seen", case.claim.witnesses.len())
        .with("of", case.vantage_points)
    })
}

/// A change of owner, or a delegation, lasts; what is gone again while the owner's route stands
/// as before was neither.
fn returned_to_victim(case: &Case<'_>) -> Option<Found> {
    let ended = case.claim.ended_at?;
    let stood_before = match case.target.covering {
        None => case.target.victim_was_present,
        Some(_) => case.target.victim_routes > 0,
    };
    let is_steady = case.claim.recurrences < super::against::FLAPPING_RECURRENCES_MIN;
    let returned = stood_before && case.victim_is_present && is_steady;
    let block = case.target.covering.unwrap_or(case.claim.key.prefix);
    returned.then(|| {
        Found::new(format!(
            "The route was gone after {}, and {} originates {block} as before.",
            span_in_words(case.duration_secs()),
            case.victims()
        ))
        .with("ended_at", ended)
    })
}

pub(super) const fn words(relation: Relation) -> &'static str {
    match relation {
        Relation::Provider => "provider",
        Relation::Customer => "customer",
        Relation::Peer => "peer",
    }
}
