//! Evidence on a route leak (RFC 7908). A leak is weighed as a whole: all that one AS leaks at once.

use routewarden_core::facts::{Facts, Relation};
use routewarden_core::{Asn, Timestamp};

use super::{CONVERGENCE_SECS, Found, Rule};
use crate::claim::Claim;
use crate::findings::{LeakProof, PathFinding};
use crate::incident::{Evidence, LeakTriple};
use crate::path::Basis;
use crate::path_knowledge::PathKnowledge;
use crate::span::span_in_words;

/// A leak with all that a rule may look at.
pub(crate) struct LeakCase<'a> {
    pub(crate) claims: &'a [&'a Claim],
    pub(crate) triple: LeakTriple,
    pub(crate) proof: LeakProof,
    pub(crate) facts: &'a Facts,
    pub(crate) knowledge: &'a PathKnowledge,
    pub(crate) origins: &'a [Asn],
    /// Vantage point ASes that saw it, of those that sent routes of the family.
    pub(crate) seen: usize,
    pub(crate) vantage_points: usize,
    pub(crate) now: Timestamp,
}

type LeakRule = Rule<fn(&LeakCase<'_>) -> Option<Found>>;

pub(crate) const RULES: &[LeakRule] = &[
    Rule { name: "otc_says_leak", weight: 70, ask: otc },
    Rule { name: "aspa_invalid_path", weight: 60, ask: aspa },
    Rule { name: "relations_stated", weight: 55, ask: stated },
    Rule { name: "relations_given", weight: 40, ask: given },
    Rule { name: "relations_inferred", weight: 30, ask: inferred },
    Rule { name: "new_triple", weight: 15, ask: new_triple },
    Rule { name: "regular_paths_displaced", weight: 15, ask: displaced },
    Rule { name: "leaks_new_more_specifics", weight: 15, ask: new_more_specifics },
    Rule { name: "many_prefixes", weight: 10, ask: many_prefixes },
    Rule { name: "mass_leak", weight: 15, ask: mass },
    Rule { name: "many_origins", weight: 10, ask: many_origins },
    Rule { name: "sudden", weight: 10, ask: sudden },
    Rule { name: "between_tier_ones", weight: 10, ask: tier_ones },
    Rule { name: "leak_widely_seen", weight: 10, ask: widely_seen },
    Rule { name: "leaker_same_organisation", weight: -50, ask: same_organisation },
    Rule { name: "no_table", weight: -25, ask: no_table },
    Rule { name: "few_prefixes", weight: -20, ask: few_prefixes },
    Rule { name: "from_prepends_to_leaker", weight: -30, ask: prepended },
    Rule { name: "relation_unsure", weight: -10, ask: unsure },
    Rule { name: "relations_old", weight: -15, ask: old },
    Rule { name: "leaker_transit_free", weight: -20, ask: transit_free },
    Rule { name: "beacon", weight: -40, ask: beacon },
    Rule { name: "leak_barely_seen", weight: -20, ask: barely_seen },
    Rule { name: "leak_fleeting", weight: -15, ask: fleeting },
    Rule { name: "leakers_own_customers", weight: -10, ask: own_customers },
];

/// Evidence and counter-evidence, in the order of the rules.
pub(crate) fn weigh(case: &LeakCase<'_>) -> Vec<Evidence> {
    RULES.iter().filter_map(|rule| rule.told((rule.ask)(case))).collect()
}

/// A leak of at least so many prefixes is no odd route.
const MANY_PREFIXES_MIN: usize = 20;
/// A leak of at least so many is one of those that make the news.
const MASS_PREFIXES_MIN: usize = 500;
/// A leak of fewer is as likely a wrong relation.
const FEW_PREFIXES_MAX: usize = 4;
const MANY_ORIGINS_MIN: usize = 5;
/// Seconds in which most of a sudden leak begins.
const SUDDEN_SECS: i64 = 300;

impl LeakCase<'_> {
    fn parties(&self) -> String {
        let LeakTriple { from, by, to, .. } = self.triple;
        let named = |asn: Option<Asn>| asn.map_or_else(|| "others".to_owned(), |a| a.to_string());
        format!("{by} passed on to {} what it has from {}", named(to), named(from))
    }

    fn relation(&self, other: Option<Asn>) -> &'static str {
        let known = other.and_then(|to| self.knowledge.relation(self.facts, self.triple.by, to));
        known.map_or("neighbour", |known| super::support::words(known.relation))
    }

    fn is_proven(&self) -> bool {
        match self.proof {
            LeakProof::Otc(_) | LeakProof::Aspa(_) => true,
            LeakProof::Relations(basis, _) => matches!(basis, Basis::Aspa | Basis::Operator),
        }
    }

    fn by_relations(&self, wanted: &[Basis]) -> Option<Found> {
        let LeakProof::Relations(basis, confidence) = self.proof else { return None };
        wanted.contains(&basis).then(|| {
            let LeakTriple { from, by, to, rfc7908_type } = self.triple;
            let kind = rfc7908_type.map(|kind| format!(", RFC 7908 type {kind}"));
            let name = |asn: Option<Asn>| asn.map(|asn| asn.to_string()).unwrap_or_default();
            let text = format!(
                "{}: {} is a {} of {by}, {} a {}{}. By {}.",
                self.parties(),
                name(from),
                self.relation(from),
                name(to),
                self.relation(to),
                kind.unwrap_or_default(),
                basis_in_words(basis)
            );
            let source = self.facts.relations.as_ref().filter(|_| basis == Basis::Given);
            Found::new(text)
                .citing(source.map(|facts| &facts.source))
                .with("by", by)
                .with("from", from.map(|asn| i64::from(asn.0)).unwrap_or_default())
                .with("to", to.map(|asn| i64::from(asn.0)).unwrap_or_default())
                .with("confidence", i64::from(confidence))
        })
    }

    fn duration_secs(&self) -> i64 {
        self.claims.iter().map(|claim| claim.duration_secs(self.now)).max().unwrap_or(0)
    }

    fn seen_percent(&self) -> usize {
        self.seen * 100 / self.vantage_points.max(1)
    }
}

fn basis_in_words(basis: Basis) -> &'static str {
    match basis {
        Basis::Aspa => "ASPA",
        Basis::Operator => "the operator's statement",
        Basis::Given => "the relationship file",
        Basis::Inferred => "inference from the paths of the table",
    }
}

fn otc(case: &LeakCase<'_>) -> Option<Found> {
    let LeakProof::Otc(marked) = case.proof else { return None };
    let text = format!(
        "The route carries OTC of {marked}: from there on it may go to customers only (RFC 9234 \
         §5). But {}, its {}.",
        case.parties(),
        case.relation(case.triple.to)
    );
    Some(Found::new(text).with("otc", marked))
}

fn aspa(case: &LeakCase<'_>) -> Option<Found> {
    let LeakProof::Aspa(offence) = case.proof else { return None };
    let (customer, not) = (offence.customer, offence.not_provider);
    let source = case.facts.aspas.as_ref();
    let text = format!(
        "The path is invalid by ASPA: {customer} does not name {not} as a provider, yet its routes \
         go up through it. {}.",
        case.parties()
    );
    let found = Found::new(text).citing(source.map(|facts| &facts.source));
    Some(found.with("customer", customer).with("not_provider", not))
}

fn stated(case: &LeakCase<'_>) -> Option<Found> {
    case.by_relations(&[Basis::Aspa, Basis::Operator])
}

fn given(case: &LeakCase<'_>) -> Option<Found> {
    case.by_relations(&[Basis::Given])
}

fn inferred(case: &LeakCase<'_>) -> Option<Found> {
    case.by_relations(&[Basis::Inferred])
}

/// In the table no path goes this way up again.
fn new_triple(case: &LeakCase<'_>) -> Option<Found> {
    (case.knowledge.has_links && !case.is_proven()).then(|| {
        Found::new("No path of the table went up again between these three: it is no habit.")
    })
}

/// What a route optimizer makes for itself gets out: more-specifics that nobody announced.
fn new_more_specifics(case: &LeakCase<'_>) -> Option<Found> {
    let is_new = |claim: &&&Claim| {
        claim.target.as_ref().is_some_and(|target| target.covering.is_some())
            && !claim.has_displaced
    };
    let count = case.claims.iter().filter(is_new).count();
    (count * 2 >= case.claims.len()).then(|| {
        Found::new(format!(
            "{count} of {} prefixes are new more-specifics of the origins' own: they draw traffic \
             wherever they are seen.",
            case.claims.len()
        ))
        .with("more_specifics", count)
    })
}

/// The same vantage points had these prefixes by a regular path right before.
fn displaced(case: &LeakCase<'_>) -> Option<Found> {
    let count = case.claims.iter().filter(|claim| claim.has_displaced).count();
    (count * 2 >= case.claims.len()).then(|| {
        Found::new(format!(
            "For {count} of {} prefixes it displaced a path that was none of a leak.",
            case.claims.len()
        ))
        .with("displaced", count)
    })
}

fn prefixes_at_least(case: &LeakCase<'_>, least: usize, words: &str) -> Option<Found> {
    let count = case.claims.len();
    (count >= least)
        .then(|| Found::new(format!("{words}: {count} prefixes.")).with("prefixes", count))
}

fn many_prefixes(case: &LeakCase<'_>) -> Option<Found> {
    prefixes_at_least(case, MANY_PREFIXES_MIN, "It is more than an odd route")
}

fn mass(case: &LeakCase<'_>) -> Option<Found> {
    prefixes_at_least(case, MASS_PREFIXES_MIN, "It is a mass leak")
}

fn many_origins(case: &LeakCase<'_>) -> Option<Found> {
    let count = case.origins.len();
    (count >= MANY_ORIGINS_MIN).then(|| {
        Found::new(format!("The routes are those of {count} different origins."))
            .with("origins", count)
    })
}

fn sudden(case: &LeakCase<'_>) -> Option<Found> {
    let first = case.claims.iter().map(|claim| claim.first_seen).min()?;
    let is_soon = |claim: &&&Claim| claim.first_seen.secs_since(first) <= SUDDEN_SECS;
    let soon = case.claims.iter().filter(is_soon).count();
    (case.claims.len() > FEW_PREFIXES_MAX && soon * 10 >= case.claims.len() * 8).then(|| {
        Found::new(format!("{soon} of {} prefixes began within five minutes.", case.claims.len()))
            .with("within_five_minutes", soon)
    })
}

/// No network that pays for transit stands between those that pay nobody.
fn tier_ones(case: &LeakCase<'_>) -> Option<Found> {
    let LeakTriple { from, by, to, .. } = case.triple;
    let is_top = |asn: Option<Asn>| asn.is_some_and(|asn| case.knowledge.is_of_clique(asn));
    (is_top(from) && is_top(to) && !is_top(Some(by))).then(|| {
        Found::new("Both neighbours are transit-free: nobody but their peers may join them.")
    })
}

/// From this share of the vantage points on, in percent, a leak counts as widely seen.
const WIDELY_PERCENT: usize = 50;
/// Below this share, in percent, it counts as barely seen.
const BARELY_PERCENT: usize = 10;

fn widely_seen(case: &LeakCase<'_>) -> Option<Found> {
    (case.vantage_points >= 3 && case.seen_percent() >= WIDELY_PERCENT).then(|| seen(case, "saw"))
}

fn barely_seen(case: &LeakCase<'_>) -> Option<Found> {
    (case.vantage_points >= 10 && case.seen_percent() < BARELY_PERCENT)
        .then(|| seen(case, "alone saw"))
}

fn seen(case: &LeakCase<'_>, verb: &str) -> Found {
    Found::new(format!("{} of {} vantage point ASes {verb} it.", case.seen, case.vantage_points))
        .with("seen", case.seen)
        .with("of", case.vantage_points)
}

fn same_organisation(case: &LeakCase<'_>) -> Option<Found> {
    let by = case.triple.by;
    let other = [case.triple.from, case.triple.to].into_iter().flatten();
    let sibling =
        other.into_iter().find(|&other| case.facts.same_organisation(by, other) == Some(true))?;
    let source = case.facts.organisations.as_ref().map(|facts| &facts.source);
    Some(
        Found::new(format!("{by} and {sibling} belong to one organisation."))
            .citing(source)
            .with("sibling", sibling),
    )
}

/// Without a table nobody knows what is usual, unless the stream itself shows it.
fn no_table(case: &LeakCase<'_>) -> Option<Found> {
    (!case.knowledge.has_links && !case.is_proven() && displaced(case).is_none()).then(|| {
        Found::new(
            "Without a table at the start it is not known whether these paths are usual (--rib).",
        )
    })
}

fn few_prefixes(case: &LeakCase<'_>) -> Option<Found> {
    let count = case.claims.len();
    (count <= FEW_PREFIXES_MAX && !case.is_proven()).then(|| {
        Found::new(format!("{count} prefixes only: as likely an arrangement that nobody knows of."))
            .with("prefixes", count)
    })
}

/// Who prepends towards a neighbour uses it as a backup: then it pays it, whatever is inferred.
fn prepended(case: &LeakCase<'_>) -> Option<Found> {
    let from = case.triple.from?;
    let is_backup = |claim: &&&Claim| {
        matches!(claim.finding.as_deref(), Some(PathFinding::Leak(found))
            if found.repeats_of_from > 1)
    };
    let count = case.claims.iter().filter(is_backup).count();
    let is_signed = matches!(case.proof, LeakProof::Otc(_) | LeakProof::Aspa(_));
    (count * 5 >= case.claims.len() && !is_signed).then(|| {
        Found::new(format!(
            "{from} prepends itself towards {}: a path kept for emergencies, as a customer does.",
            case.triple.by
        ))
    })
}

/// From this confidence on, in percent, an inferred relation counts as sure.
const SURE_PERCENT: u8 = 90;

fn unsure(case: &LeakCase<'_>) -> Option<Found> {
    let LeakProof::Relations(Basis::Inferred, confidence) = case.proof else { return None };
    (confidence < SURE_PERCENT).then(|| {
        Found::new(format!("One of the two relations is sure to {confidence} % only."))
            .with("confidence", i64::from(confidence))
    })
}

/// Relations change; those of a file older than this are not those of the day.
const OLD_SECS: i64 = 365 * 86_400;

fn old(case: &LeakCase<'_>) -> Option<Found> {
    let LeakProof::Relations(Basis::Given, _) = case.proof else { return None };
    let source = &case.facts.relations.as_ref()?.source;
    let days = case.now.secs_since(source.date?) / 86_400;
    (days * 86_400 > OLD_SECS).then(|| {
        Found::new(format!("The relationship file is {days} days older than the routes."))
            .citing(Some(source))
            .with("days", days)
    })
}

/// Who sells to everyone and buys from nobody is rather paid by its neighbour by now than leaking.
fn transit_free(case: &LeakCase<'_>) -> Option<Found> {
    (case.knowledge.is_of_clique(case.triple.by) && !case.is_proven()).then(|| {
        Found::new(format!("{} is transit-free: its neighbour may be a customer.", case.triple.by))
    })
}

/// RIPE's routing beacons come and go by the clock and show every path there is.
pub(crate) const BEACON_ORIGIN: Asn = Asn(12654);

fn beacon(case: &LeakCase<'_>) -> Option<Found> {
    let is_beacon = !case.origins.is_empty() && case.origins.iter().all(|&o| o == BEACON_ORIGIN);
    is_beacon.then(|| {
        Found::new(format!(
            "All are beacons of {BEACON_ORIGIN}, withdrawn and announced to show such paths."
        ))
    })
}

fn fleeting(case: &LeakCase<'_>) -> Option<Found> {
    let secs = case.duration_secs();
    let is_over = case.claims.iter().all(|claim| claim.ended_at.is_some());
    let is_small = case.claims.len() < MANY_PREFIXES_MIN && !case.is_proven();
    (is_over && is_small && secs < CONVERGENCE_SECS).then(|| {
        Found::new(format!("It lasted {}: maybe convergence.", span_in_words(secs)))
            .with("secs", secs)
    })
}

/// Whether all that is leaked is of the leaker's own customers: it harms nobody else.
fn own_customers(case: &LeakCase<'_>) -> Option<Found> {
    let relation = |asn: Asn| case.knowledge.relation(case.facts, case.triple.by, asn);
    let is_customer =
        |&asn: &Asn| relation(asn).is_some_and(|known| known.relation == Relation::Customer);
    (!case.origins.is_empty() && case.origins.iter().all(is_customer))
        .then(|| Found::new("All that is leaked is of the leaker's own customers."))
}
