//! Evidence on a loss of reachability.

use super::{Found, Rule};
use crate::incident::{Evidence, FeedState};
use crate::outage::Loss;
use crate::span::span_in_words;

/// Losses of one origin, or of one country, with all that a rule may look at.
pub(crate) struct OutageCase<'a> {
    pub(crate) losses: &'a [&'a Loss],
    /// Distinct prefixes lost.
    pub(crate) lost: usize,
    /// Whether the origin brought a new prefix into the table on the day before.
    pub(crate) is_replaced: bool,
    /// Prefixes that were known of the origin or country.
    pub(crate) known: usize,
    pub(crate) feeds: FeedState,
    /// Seconds for which most were lost.
    pub(crate) secs: i64,
    pub(crate) is_over: bool,
}

type OutageRule = Rule<fn(&OutageCase<'_>) -> Option<Found>>;

pub(crate) const RULES: &[OutageRule] = &[
    Rule { name: "withdrawn", weight: 40, ask: withdrawn },
    Rule { name: "all_lost", weight: 20, ask: all_lost },
    Rule { name: "several_prefixes", weight: 15, ask: several },
    Rule { name: "lasts", weight: 10, ask: lasts },
    Rule { name: "no_route_left", weight: 10, ask: none_left },
    Rule { name: "feeds_degraded", weight: -40, ask: degraded },
    Rule { name: "replaced", weight: -40, ask: replaced },
    Rule { name: "back_at_once", weight: -35, ask: back_at_once },
];

/// Evidence and counter-evidence, in the order of the rules.
pub(crate) fn weigh(case: &OutageCase<'_>) -> Vec<Evidence> {
    RULES.iter().filter_map(|rule| rule.told((rule.ask)(case))).collect()
}

/// A loss shorter than this is one of many that heal by themselves.
const BRIEF_SECS: i64 = 300;
/// A loss longer than this was noticed.
const LASTING_SECS: i64 = 1_800;
const SEVERAL_PREFIXES_MIN: usize = 5;
/// From this share on, in percent, all that is known counts as lost.
pub(crate) const ALL_PERCENT: usize = 80;

fn withdrawn(case: &OutageCase<'_>) -> Option<Found> {
    let had = case.losses.iter().map(|loss| loss.had).max()?;
    let kept = case.losses.iter().map(|loss| loss.kept).min()?;
    let withdrew = had.saturating_sub(kept);
    Some(
        Found::new(format!(
            "{withdrew} of {had} vantage point ASes that had a route withdrew it within half an hour."
        ))
        .with("had", had)
        .with("kept", kept),
    )
}

fn all_lost(case: &OutageCase<'_>) -> Option<Found> {
    let count = case.lost;
    (case.known > 0 && count * 100 >= case.known * ALL_PERCENT).then(|| {
        Found::new(format!("{count} of {} prefixes known of it are lost.", case.known))
            .with("lost", count)
            .with("known", case.known)
    })
}

fn several(case: &OutageCase<'_>) -> Option<Found> {
    let count = case.lost;
    (count >= SEVERAL_PREFIXES_MIN).then(|| {
        Found::new(format!("{count} prefixes went at the same time.")).with("prefixes", count)
    })
}

fn lasts(case: &OutageCase<'_>) -> Option<Found> {
    (case.secs >= LASTING_SECS).then(|| {
        Found::new(format!("It lasts longer than half an hour: {}.", span_in_words(case.secs)))
            .with("secs", case.secs)
    })
}

fn none_left(case: &OutageCase<'_>) -> Option<Found> {
    case.losses
        .iter()
        .all(|loss| loss.kept == 0)
        .then(|| Found::new("No vantage point has a route of the origin left."))
}

fn degraded(case: &OutageCase<'_>) -> Option<Found> {
    case.feeds.degraded.then(|| {
        Found::new(format!(
            "{} of {} sessions were down at the time: it may be the view that was lost.",
            case.feeds.lost, case.feeds.sessions
        ))
        .with("lost", case.feeds.lost)
        .with("sessions", case.feeds.sessions)
    })
}

/// Renumbering: new prefixes first, then the old ones go.
fn replaced(case: &OutageCase<'_>) -> Option<Found> {
    (case.is_replaced && !case.is_over).then(|| {
        Found::new("The origin had brought new prefixes on the day before: it may have renumbered.")
    })
}

fn back_at_once(case: &OutageCase<'_>) -> Option<Found> {
    (case.is_over && case.secs < BRIEF_SECS).then(|| {
        Found::new(format!("It was back after {}.", span_in_words(case.secs)))
            .with("secs", case.secs)
    })
}
