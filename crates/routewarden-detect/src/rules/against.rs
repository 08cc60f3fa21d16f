//! Counter-evidence: the benign explanations, by name.

use routewarden_core::facts::{Relation, RovState};
use routewarden_core::{AddressFamily, Asn};

use super::{CONVERGENCE_SECS, Case, Found, OriginRule, Rule};
use crate::knowledge::KnownFrom;
use crate::span::span_in_words;

pub(super) const RULES: &[OriginRule] = &[
    Rule { name: "rov_valid", weight: -60, ask: rov_valid },
    Rule { name: "same_organisation", weight: -50, ask: same_organisation },
    Rule { name: "as_relationship", weight: -40, ask: as_relationship },
    Rule { name: "neighbours", weight: -40, ask: neighbours },
    Rule { name: "victim_on_path", weight: -40, ask: victim_on_path },
    Rule { name: "culprit_on_victims_path", weight: -30, ask: culprit_on_victims_path },
    Rule { name: "culprit_covers_victim", weight: -30, ask: culprit_covers_victim },
    Rule { name: "culprit_already_in_block", weight: -30, ask: culprit_already_in_block },
    Rule { name: "delegated_space", weight: -25, ask: delegated_space },
    Rule { name: "ddos_protection", weight: -35, ask: ddos_protection },
    Rule { name: "transfer", weight: -25, ask: transfer },
    Rule { name: "multi_origin_habit", weight: -15, ask: multi_origin_habit },
    Rule { name: "weak_baseline", weight: -15, ask: weak_baseline },
    Rule { name: "young_baseline", weight: -20, ask: young_baseline },
    Rule { name: "flapping", weight: -15, ask: flapping },
    Rule { name: "fat_finger", weight: -15, ask: fat_finger },
    Rule { name: "mistyped_origin", weight: -40, ask: mistyped_origin },
    Rule { name: "mistyped_prefix", weight: -35, ask: mistyped_prefix },
    Rule { name: "converging", weight: -10, ask: converging },
    Rule { name: "barely_seen", weight: -20, ask: barely_seen },
    Rule { name: "fleeting", weight: -10, ask: fleeting },
    Rule { name: "long_prefix", weight: -10, ask: long_prefix },
    Rule { name: "same_country", weight: -5, ask: same_country },
];

/// RFC 6811 §2. A forged ROA or origin passes too; therefore this does not silence.
pub(super) fn rov_valid(case: &Case<'_>) -> Option<Found> {
    matches!(case.claim.rov, Some((RovState::Valid, _))).then(|| {
        let text = format!("RPKI: a VRP allows {} to originate it.", case.culprit());
        Found::new(text).citing(case.vrps())
    })
}

pub(super) fn same_organisation(case: &Case<'_>) -> Option<Found> {
    case.same_organisation().then(|| {
        let organisations = case.facts.organisations.as_ref();
        let name = organisations
            .and_then(|facts| facts.table.organisation(case.culprit()))
            .map(|organisation| organisation.name.to_string())
            .unwrap_or_default();
        Found::new(format!("The culprit and the victim belong to one organisation: {name}."))
            .citing(case.organisations())
            .with("organisation", name.as_str())
    })
}

/// Relation of the culprit to a victim, as given in the relationship facts.
pub(super) fn relation(case: &Case<'_>) -> Option<(Asn, Relation)> {
    let relations = case.facts.relations.as_ref()?;
    let to = |&victim: &Asn| Some((victim, relations.table.relation(victim, case.culprit())?));
    case.target.victims.iter().find_map(to)
}

/// Whether the culprit is a provider of a victim: it may blackhole what its customer asks for.
pub(super) fn is_of_provider(case: &Case<'_>) -> bool {
    let relation = relation(case).map(|(_, relation)| relation);
    relation == Some(Relation::Provider)
        || (relation.is_none() && case.target.victim_routes_via_culprit > 0)
        || case.same_organisation()
}

/// Whether the two are known to be neighbours that give each other no right to their space.
fn is_blackhole_of_peer(case: &Case<'_>) -> bool {
    case.is_blackhole() && !is_of_provider(case) && relation(case).is_some()
}

pub(super) fn as_relationship(case: &Case<'_>) -> Option<Found> {
    if is_blackhole_of_peer(case) {
        return None;
    }
    let (victim, relation) = relation(case)?;
    let words = super::support::words(relation);
    Some(
        Found::new(format!("{} is a {words} of {victim}.", case.culprit()))
            .citing(case.facts.relations.as_ref().map(|facts| &facts.source))
            .with("relation", words)
            .with("victim", victim),
    )
}

pub(super) fn neighbours(case: &Case<'_>) -> Option<Found> {
    (case.adjacent && !is_blackhole_of_peer(case)).then(|| {
        Found::new(format!(
            "{} and {} are neighbours in paths seen: likely provider and customer.",
            case.culprit(),
            case.victims()
        ))
    })
}

/// The victim passed the route on itself: it agrees.
fn victim_on_path(case: &Case<'_>) -> Option<Found> {
    let (via, all) = (case.claim.announcements_via_victim, case.claim.announcements);
    (via > 0).then(|| {
        Found::new(format!(
            "{} passed the route on itself: it is on the path in {via} of {all} announcements.",
            case.victims()
        ))
        .with("via_victim", i64::from(via))
        .with("announcements", i64::from(all))
    })
}

pub(super) fn culprit_on_victims_path(case: &Case<'_>) -> Option<Found> {
    let (via, all) = (case.target.victim_routes_via_culprit, case.target.victim_routes);
    (via > 0 && !is_blackhole_of_peer(case)).then(|| {
        Found::new(format!(
            "{} carries the victim's own routes ({via} of {all}): likely its provider.",
            case.culprit()
        ))
        .with("via_culprit", via)
        .with("routes", all)
    })
}

fn culprit_covers_victim(case: &Case<'_>) -> Option<Found> {
    let block = case.target.culprit_covers?;
    Some(
        Found::new(format!(
            "{} originates {block}, which covers the prefix: likely space it handed out.",
            case.culprit()
        ))
        .with("block", block),
    )
}

fn culprit_already_in_block(case: &Case<'_>) -> Option<Found> {
    let count = case.target.culprit_below;
    (count > 0).then(|| {
        Found::new(format!(
            "{} already originated {count} other prefixes in the same block.",
            case.culprit()
        ))
        .with("prefixes", count)
    })
}

/// From this number of foreign more-specifics on, a block counts as handed out to others.
const DELEGATED_PREFIXES_MIN: usize = 2;

fn delegated_space(case: &Case<'_>) -> Option<Found> {
    let target = case.target;
    let block = target.covering?;
    (target.below_foreign >= DELEGATED_PREFIXES_MIN).then(|| {
        Found::new(format!(
            "{block} is space handed out to others: {} of {} known more-specifics have foreign \
             origins.",
            target.below_foreign, target.below
        ))
        .with("foreign", target.below_foreign)
        .with("more_specifics", target.below)
    })
}

/// Services that originate their customers' prefixes while they scrub an attack, as known in 2026;
/// ascending. No registry has such a list.
const DDOS_PROTECTION: [(Asn, &str); 12] = [
    (Asn(13_335), "Cloudflare"),
    (Asn(19_551), "Imperva"),
    (Asn(19_905), "Vercara"),
    (Asn(32_787), "Akamai Prolexic"),
    (Asn(34_309), "Link11"),
    (Asn(55_002), "F5"),
    (Asn(57_724), "DDoS-Guard"),
    (Asn(59_796), "StormWall"),
    (Asn(197_068), "Qrator"),
    (Asn(198_949), "Radware"),
    (Asn(200_020), "NBIP-NaWas"),
    (Asn(209_242), "Cloudflare"),
];

fn ddos_protection(case: &Case<'_>) -> Option<Found> {
    let culprit = case.culprit();
    let (_, name) = DDOS_PROTECTION.iter().find(|(asn, _)| *asn == culprit)?;
    Some(
        Found::new(format!(
            "{culprit} is of {name}, a DDoS protection service: it originates what it is asked to \
             protect."
        ))
        .with("service", *name),
    )
}

/// A change of owner: the old origin is gone, and the new one stays.
fn transfer(case: &Case<'_>) -> Option<Found> {
    let exact = case.target.covering.is_none();
    let gone_before = case.has_table && !case.target.victim_was_present && case.claim.is_active();
    let gone_now = !case.victim_is_present
        && case.claim.is_active()
        && case.duration_secs() >= CONVERGENCE_SECS;
    (exact && case.has_table && (gone_before || gone_now)).then(|| {
        let when = if gone_before { "did not originate it any more" } else { "has stopped" };
        Found::new(format!("{} {when}: a move to a new origin.", case.victims()))
    })
}

fn multi_origin_habit(case: &Case<'_>) -> Option<Found> {
    let several = case.target.covering.is_none() && case.target.victims.len() > 1;
    several.then(|| {
        let count = case.target.victims.len();
        Found::new(format!("The prefix had {count} origins before: several are its habit."))
            .with("origins", count)
    })
}

/// The victims' origination is known from this stream alone, and not from most of its peers.
pub(super) fn is_weakly_known(case: &Case<'_>) -> bool {
    case.target.known_from == KnownFrom::Stream
        && case.target.victim_routes * 2 < case.vantage_points
}

fn weak_baseline(case: &Case<'_>) -> Option<Found> {
    is_weakly_known(case).then(|| {
        Found::new(
            "Who used the prefix before is known only from these updates, from few peers. Give \
             a table (--rib) or prefix origins (--origins).",
        )
        .with("routes", case.target.victim_routes)
    })
}

/// What was learned less than this long before says little: the collector may have just begun.
const YOUNG_SECS: i64 = 10;

fn young_baseline(case: &Case<'_>) -> Option<Found> {
    let secs = case.claim.first_seen.secs_since(case.target.known_since);
    (case.target.known_from == KnownFrom::Stream && secs < YOUNG_SECS).then(|| {
        Found::new(format!("Who used the prefix before is known for {} only.", span_in_words(secs)))
            .with("secs", secs)
    })
}

/// A route that comes and goes this often is unstable, not an attack.
pub(super) const FLAPPING_RECURRENCES_MIN: u32 = 3;

fn flapping(case: &Case<'_>) -> Option<Found> {
    let count = case.claim.recurrences;
    (count >= FLAPPING_RECURRENCES_MIN).then(|| {
        Found::new(format!("The route vanished and came back {count} times."))
            .with("recurrences", i64::from(count))
    })
}

/// Largest ASN that is more likely a typed prepend count than an origin (GRIP).
const PREPEND_COUNT_MAX: u32 = 25;

/// A mistyped prepend: the wrong ASN stands behind the victim's own in the path.
fn fat_finger(case: &Case<'_>) -> Option<Found> {
    let culprit = case.culprit();
    let through_victim = case.claim.announcements_via_victim > 0;
    let slip = |&&victim: &&Asn| through_victim && differ_by_one_digit(victim, culprit);
    if culprit.0 <= PREPEND_COUNT_MAX {
        return Some(Found::new(format!("{culprit} may be a prepend count typed as an ASN.")));
    }
    let victim = case.target.victims.iter().find(slip)?;
    Some(Found::new(format!("{culprit} and {victim} differ in one digit: maybe a typing slip.")))
}

/// The victim's own provider originates for it, with a slip in the number: the neighbour is right,
/// the origin nearly.
fn mistyped_origin(case: &Case<'_>) -> Option<Found> {
    let culprit = case.culprit();
    let is_near =
        |&&victim: &&Asn| differ_by_one_digit(victim, culprit) || differ_by_a_swap(victim, culprit);
    let victim = case.target.victims.iter().find(is_near)?;
    // A slip in the origin leaves the prefix as it was.
    (case.is_by_victims_neighbour && case.target.covering.is_none()).then(|| {
        Found::new(format!(
            "It comes by a neighbour of {victim}, and {culprit} is {victim} with a slip in the digits."
        ))
        .with("victim", *victim)
    })
}

/// The culprit originates a prefix that is one digit away, and took this one back at once.
fn mistyped_prefix(case: &Case<'_>) -> Option<Found> {
    let own = case.near_own_prefix?;
    (case.duration_secs() < CONVERGENCE_SECS).then(|| {
        Found::new(format!(
            "{} originates {own}, one digit away, and this for {}: a slip.",
            case.culprit(),
            span_in_words(case.duration_secs())
        ))
        .with("own", own)
    })
}

/// The victim's routes to the very prefix are gone, and all is only minutes old: it may be a move.
fn converging(case: &Case<'_>) -> Option<Found> {
    let is_young = case.claim.is_active() && case.duration_secs() < CONVERGENCE_SECS;
    let is_move = case.target.covering.is_none() && !case.victim_is_present;
    (case.has_table && is_young && is_move).then(|| {
        Found::new("It began within the last five minutes, and the old origin is gone everywhere.")
    })
}

/// Whether the decimal forms differ by two neighbouring digits in exchange.
fn differ_by_a_swap(a: Asn, b: Asn) -> bool {
    let (a, b) = (a.0.to_string(), b.0.to_string());
    let differing: Vec<(usize, (u8, u8))> =
        a.bytes().zip(b.bytes()).enumerate().filter(|(_, (a, b))| a != b).collect();
    match differing.as_slice() {
        [(at, (a1, b1)), (next, (a2, b2))] => {
            a.len() == b.len() && *next == at + 1 && a1 == b2 && a2 == b1
        }
        _ => false,
    }
}

/// Whether the decimal forms have equal length and differ in exactly one place.
pub(super) fn differ_by_one_digit(a: Asn, b: Asn) -> bool {
    let (a, b) = (a.0.to_string(), b.0.to_string());
    a.len() == b.len() && a.bytes().zip(b.bytes()).filter(|(a, b)| a != b).count() == 1
}

/// Below this share of the vantage points, in percent, a route counts as barely seen.
const BARELY_PERCENT: usize = 10;

pub(super) fn barely_seen(case: &Case<'_>) -> Option<Found> {
    (case.vantage_points >= 10 && case.seen_percent() < BARELY_PERCENT).then(|| {
        let seen = case.claim.witnesses.len();
        Found::new(format!("Only {seen} of {} vantage point ASes had it.", case.vantage_points))
            .with("seen", seen)
            .with("of", case.vantage_points)
    })
}

fn fleeting(case: &Case<'_>) -> Option<Found> {
    let short = case.claim.ended_at.is_some() && case.duration_secs() < CONVERGENCE_SECS;
    (short && case.seen_percent() < 50).then(|| {
        let secs = case.duration_secs();
        Found::new(format!("It lasted {} and reached few: maybe convergence.", span_in_words(secs)))
            .with("secs", secs)
    })
}

fn long_prefix(case: &Case<'_>) -> Option<Found> {
    let prefix = case.claim.key.prefix;
    let max = match prefix.family() {
        AddressFamily::Ipv4 => 24,
        AddressFamily::Ipv6 => 48,
    };
    (prefix.len() > max && case.seen_percent() < 50 && !case.is_blackhole()).then(|| {
        Found::new(format!(
            "{prefix} is longer than /{max}, which most networks do not accept, and few saw it."
        ))
    })
}

pub(super) fn same_country(case: &Case<'_>) -> Option<Found> {
    let (culprit, victim) = case.countries()?;
    (culprit == victim).then(|| Found::new(format!("Both are registered in {culprit}.")))
}
