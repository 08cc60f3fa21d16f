//! Evidence on a less-specific over prefixes that only others originate.

use super::{Case, Found, OriginRule, Rule, against, support};

pub(super) const RULES: &[OriginRule] = &[
    Rule { name: "less_specific_of_foreign", weight: 25, ask: less_specific },
    Rule { name: "specifics_are_gone", weight: 35, ask: specifics_are_gone },
    Rule { name: "rov_invalid_asn", weight: 30, ask: support::rov_invalid_asn },
    Rule { name: "no_relation", weight: 10, ask: support::no_relation },
    Rule { name: "countries_differ", weight: 10, ask: support::countries_differ },
    Rule { name: "rov_valid", weight: -60, ask: against::rov_valid },
    Rule { name: "same_organisation", weight: -50, ask: against::same_organisation },
    Rule { name: "as_relationship", weight: -40, ask: against::as_relationship },
    Rule { name: "neighbours", weight: -40, ask: against::neighbours },
    Rule { name: "culprit_on_victims_path", weight: -30, ask: against::culprit_on_victims_path },
    Rule { name: "specifics_stand", weight: -20, ask: specifics_stand },
    Rule { name: "barely_seen", weight: -20, ask: against::barely_seen },
    Rule { name: "same_country", weight: -5, ask: against::same_country },
];

#[expect(clippy::unnecessary_wraps, reason = "a rule like any other")]
fn less_specific(case: &Case<'_>) -> Option<Found> {
    let (culprit, prefix, count) = (case.culprit(), case.claim.key.prefix, case.target.below);
    Some(
        Found::new(format!(
            "{culprit} originates {prefix}, new to the table. All that is known inside it ({count} \
             prefixes) is originated by others: {}.",
            case.victims()
        ))
        .with("prefix", prefix)
        .with("more_specifics", count),
    )
}

/// Traffic follows the longest match: a less-specific takes what has no other route.
fn specifics_are_gone(case: &Case<'_>) -> Option<Found> {
    let (stand, known) = (case.target.victim_routes, case.target.below);
    (known > 0 && stand * 2 <= known).then(|| {
        Found::new(format!(
            "{} of the {known} prefixes inside had no route then: their traffic follows the \
             less-specific.",
            known.saturating_sub(stand)
        ))
        .with("without_route", known.saturating_sub(stand))
    })
}

fn specifics_stand(case: &Case<'_>) -> Option<Found> {
    let (stand, known) = (case.target.victim_routes, case.target.below);
    (known > 0 && stand >= known).then(|| {
        Found::new("Every prefix inside has a route of its own: the less-specific takes nothing.")
    })
}
