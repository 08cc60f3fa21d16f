//! Evidence of claims that stand by themselves: bogons, route origin validation, bad practice.

use routewarden_core::Asn;
use routewarden_core::facts::{InvalidReason, RovState};

use crate::claim::{Claim, ClaimKind};
use crate::detector::Detector;
use crate::findings::PathFinding;
use crate::incident::{Evidence, FactValue};
use crate::rules;

const BOGON_WEIGHT: i32 = 60;
const ADMINISTRATIVE_WEIGHT: i32 = 50;
const ROV_INVALID_ASN_WEIGHT: i32 = 60;
const ROV_INVALID_AS0_WEIGHT: i32 = 60;
const ROV_INVALID_MAX_LENGTH_WEIGHT: i32 = 45;
const WIDELY_SEEN_WEIGHT: i32 = 10;
const VRP_CHANGE_WEIGHT: i32 = 15;
const NEW_NEIGHBOUR_WEIGHT: i32 = 40;
const NOT_LISTED_WEIGHT: i32 = 20;
const UNEXPECTED_WEIGHT: i32 = 40;
const MORE_SPECIFIC_WEIGHT: i32 = 30;
const HYGIENE_WEIGHT: i32 = 60;
const INVALID_WEIGHT: i32 = 25;
const VALID_WEIGHT: i32 = -40;

/// Rules of claims that stand by themselves.
pub(crate) const PLAIN_RULES: [(&str, i32); 14] = [
    ("bogon_prefix", BOGON_WEIGHT),
    ("administrative_bogon", ADMINISTRATIVE_WEIGHT),
    ("bogon_asn", BOGON_WEIGHT),
    ("rov_only_invalid_asn", ROV_INVALID_ASN_WEIGHT),
    ("rov_only_invalid_max_length", ROV_INVALID_MAX_LENGTH_WEIGHT),
    ("rov_only_invalid_as0", ROV_INVALID_AS0_WEIGHT),
    ("turned_invalid_by_vrp_change", VRP_CHANGE_WEIGHT),
    ("constituents_new_neighbour", NEW_NEIGHBOUR_WEIGHT),
    ("constituents_new_prefix", UNEXPECTED_WEIGHT),
    ("own_more_specific", MORE_SPECIFIC_WEIGHT),
    ("more_specific_is_invalid", INVALID_WEIGHT),
    ("more_specific_is_valid", VALID_WEIGHT),
    ("upstream_not_listed", NOT_LISTED_WEIGHT),
    ("bad_practice", HYGIENE_WEIGHT),
];

/// Evidence of claims that stand by themselves: bogons and ROV.
pub(super) fn plain_evidence(detector: &Detector, claim: &Claim) -> Vec<Evidence> {
    let key = claim.key;
    let mut lines = match key.kind {
        ClaimKind::BogonPrefix => bogon_prefix_evidence(detector, claim),
        ClaimKind::BogonAsn => bogon_asn_evidence(detector, claim),
        ClaimKind::RpkiInvalid => rpki_evidence(claim),
        ClaimKind::NewNeighbour => new_neighbour_evidence(claim),
        ClaimKind::Unexpected => vec![unexpected_evidence(claim)],
        ClaimKind::MoreSpecific => more_specific_evidence(claim),
        ClaimKind::AsSet | ClaimKind::LongPath | ClaimKind::Prepending => {
            vec![hygiene_evidence(claim)]
        }
        // Leaks and links are weighed as a whole. An origin claim whose victims are no longer
        // known has nothing to rest on.
        ClaimKind::Origin | ClaimKind::LessSpecific | ClaimKind::Leak | ClaimKind::ForgedLink => {
            Vec::new()
        }
    };
    if matches!(key.kind, ClaimKind::Leak | ClaimKind::ForgedLink) {
        return lines;
    }
    let of = detector.vantage_points(key.prefix.family());
    let seen = claim.witnesses.len();
    if of >= 3 && seen * 2 >= of {
        let text = format!("{seen} of {of} vantage point ASes had the route.");
        lines.push(line(
            "widely_seen",
            WIDELY_SEEN_WEIGHT,
            text,
            [("seen", seen.into()), ("of", of.into())],
        ));
    }
    lines
}

fn line<const N: usize>(
    rule: &str,
    weight: i32,
    text: String,
    facts: [(&str, FactValue); N],
) -> Evidence {
    let facts = facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Evidence { rule: rule.to_owned(), weight, text, facts }
}

fn bogon_prefix_evidence(detector: &Detector, claim: &Claim) -> Vec<Evidence> {
    let prefix = claim.key.prefix;
    let Some(bogon) = detector.facts().bogons().prefix(&prefix) else {
        return administrative_evidence(detector, claim).into_iter().collect();
    };
    let text = format!(
        "{} originates {prefix}, which lies in {} ({}, {}): never routable.",
        claim.key.culprit,
        bogon.block,
        bogon.reason,
        bogon.rfc.unwrap_or(bogon.registry)
    );
    let reference = bogon.rfc.unwrap_or(bogon.registry);
    let facts = [("block", bogon.block.into()), ("reference", reference.into())];
    vec![line("bogon_prefix", BOGON_WEIGHT, text, facts)]
}

/// Space that a registry has given to nobody, or taken back.
fn administrative_evidence(detector: &Detector, claim: &Claim) -> Option<Evidence> {
    let prefix = claim.key.prefix;
    let (delegation, source) = detector.facts().delegation(&prefix)?;
    let text = format!(
        "{} originates {prefix}, which by the registry nobody holds (status {}): an administrative \
         bogon.",
        claim.key.culprit,
        delegation.status.name()
    );
    let facts = [
        ("status", delegation.status.name().into()),
        ("source", rules::cite(source).as_str().into()),
    ];
    Some(line("administrative_bogon", ADMINISTRATIVE_WEIGHT, text, facts))
}

fn bogon_asn_evidence(detector: &Detector, claim: &Claim) -> Vec<Evidence> {
    let reasons = claim.bogon_asns.iter().filter_map(|&asn| {
        let bogon = detector.facts().bogons().asn(asn)?;
        Some(format!("{asn} ({}, {})", bogon.reason, bogon.rfc.unwrap_or(bogon.registry)))
    });
    let reasons: Vec<String> = reasons.collect();
    let text = format!(
        "{} passes on {} with a path that holds {}: never routable.",
        claim.key.culprit,
        claim.key.prefix,
        reasons.join(", ")
    );
    let asns: FactValue = claim.bogon_asns.iter().copied().collect();
    vec![line("bogon_asn", BOGON_WEIGHT, text, [("bogon_asns", asns)])]
}

fn rpki_evidence(claim: &Claim) -> Vec<Evidence> {
    let Some((RovState::Invalid, reason)) = claim.rov else { return Vec::new() };
    let prefix = claim.key.prefix;
    let covering: Vec<String> = claim
        .covering_vrps
        .iter()
        .map(|vrp| format!("{} up to /{} {}", vrp.prefix, vrp.max_len, vrp.asn))
        .collect();
    let is_as0 =
        !claim.covering_vrps.is_empty() && claim.covering_vrps.iter().all(|vrp| vrp.asn == Asn(0));
    let (rule, weight, why) = if is_as0 {
        let why =
            "its VRPs are for AS0: its holder says that nobody may originate it (RFC 6483 §4)";
        ("rov_only_invalid_as0", ROV_INVALID_AS0_WEIGHT, why)
    } else if reason == Some(InvalidReason::MaxLength) {
        let why = "its VRP allows no prefix that long";
        ("rov_only_invalid_max_length", ROV_INVALID_MAX_LENGTH_WEIGHT, why)
    } else {
        let why = "no covering VRP allows this origin";
        ("rov_only_invalid_asn", ROV_INVALID_ASN_WEIGHT, why)
    };
    let text = format!(
        "RPKI: {prefix} originated by {} is invalid (RFC 6811): {why}. Covering VRPs: {}.",
        claim.key.culprit,
        covering.join("; ")
    );
    let facts = [
        ("vrps", covering.iter().map(String::as_str).collect()),
        ("source", claim.vrps_source.as_deref().unwrap_or_default().into()),
    ];
    let mut lines = vec![line(rule, weight, text, facts)];
    if claim.by_vrp_change {
        let text = format!(
            "The route stood; a change of VRPs turned it invalid at {}, with no BGP update.",
            claim.first_seen
        );
        let facts = [("at", claim.first_seen.into())];
        lines.push(line("turned_invalid_by_vrp_change", VRP_CHANGE_WEIGHT, text, facts));
    }
    lines
}

fn new_neighbour_evidence(claim: &Claim) -> Vec<Evidence> {
    let (culprit, constituent) = match claim.finding.as_deref() {
        Some(PathFinding::Link(found)) if found.link.a == claim.key.culprit => {
            (found.link.a, found.link.b)
        }
        Some(PathFinding::Link(found)) => (found.link.b, found.link.a),
        _ => (claim.key.culprit, claim.key.culprit),
    };
    let text = format!(
        "{culprit} stands next to {constituent}, a constituent, in a path: no path of the table and \
         no fact shows them as neighbours."
    );
    let facts = [("neighbour", culprit.into()), ("constituent", constituent.into())];
    let mut lines = vec![line("constituents_new_neighbour", NEW_NEIGHBOUR_WEIGHT, text, facts)];
    if let Some(PathFinding::Link(found)) = claim.finding.as_deref()
        && found.denied_by_operator
    {
        let text = format!("The entry of {constituent} lists its upstreams without {culprit}.");
        lines.push(line("upstream_not_listed", NOT_LISTED_WEIGHT, text, []));
    }
    lines
}

fn unexpected_evidence(claim: &Claim) -> Evidence {
    let (culprit, prefix) = (claim.key.culprit, claim.key.prefix);
    let text = format!(
        "{culprit}, a constituent, originates {prefix}: neither its entry nor the table has it."
    );
    line("constituents_new_prefix", UNEXPECTED_WEIGHT, text, [("prefix", prefix.into())])
}

fn more_specific_evidence(claim: &Claim) -> Vec<Evidence> {
    let (culprit, prefix) = (claim.key.culprit, claim.key.prefix);
    let text = format!(
        "{culprit} originates {prefix}, new to the table, inside its own space, over known links. If \
         it does not know of it, the path is forged as a whole (type U)."
    );
    let prefix = [("prefix", FactValue::from(prefix))];
    let mut lines = vec![line("own_more_specific", MORE_SPECIFIC_WEIGHT, text, prefix)];
    if matches!(claim.rov, Some((RovState::Valid, _))) {
        let text = "RPKI: a VRP allows it. Its owner has prepared for it.";
        lines.push(line("more_specific_is_valid", VALID_WEIGHT, text.to_owned(), []));
    } else if matches!(claim.rov, Some((RovState::Invalid, _))) {
        let text =
            "RPKI: it is invalid. Its owner would have made a ROA for it, or been told of it.";
        lines.push(line("more_specific_is_invalid", INVALID_WEIGHT, text.to_owned(), []));
    }
    lines
}

fn hygiene_evidence(claim: &Claim) -> Evidence {
    let (culprit, prefix) = (claim.key.culprit, claim.key.prefix);
    let text = match claim.key.kind {
        ClaimKind::AsSet => format!(
            "The path to {prefix} ends in an AS_SET behind {culprit}: deprecated, and invalid by \
             route origin validation wherever a ROA covers it (RFC 9774)."
        ),
        ClaimKind::LongPath => {
            format!(
                "The path to {prefix} of {culprit} has more than 50 ASNs: some routers drop it."
            )
        }
        _ => format!("{culprit} stands ten times or more in a row in the path to {prefix}."),
    };
    line("bad_practice", HYGIENE_WEIGHT, text, [("prefix", prefix.into())])
}
