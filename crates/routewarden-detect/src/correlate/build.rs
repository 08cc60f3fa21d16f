//! Builds an incident out of the claims of one cause.

use std::collections::{BTreeMap, BTreeSet};

use routewarden_core::facts::{InvalidReason, RovState};
use routewarden_core::{Asn, Prefix, Timestamp};
use sha2::{Digest, Sha256};

use super::{Weighed, victims};
use crate::claim::{Claim, ClaimKind, Sample};
use crate::detector::Detector;
use crate::incident::{
    Countermeasure, CountermeasureAction, Evidence, FactValue, Incident, IncidentKind,
    IncidentState, PREFIXES_LISTED_MAX, RovSummary, SamplePath, SeverityClass, VantagePoints,
};
use crate::severity::{self, Factors};
use crate::{CONFIDENCE_MEDIUM_MIN, rules};

/// Most sample paths in one incident.
const SAMPLE_PATHS_MAX: usize = 8;
/// An incident that gained a vantage point within this time of the last event is spreading.
const SPREADING_SECS: i64 = 300;

impl Detector {
    /// One incident out of the claims of one cause, at least one. `burst` is evidence that
    /// they have only together.
    pub(super) fn build(&self, claims: &[Weighed<'_>], burst: Option<Evidence>) -> Incident {
        // The strongest claim speaks for the incident; ties go to the earliest.
        let strongest = claims.iter().min_by_key(|weighed| {
            (u8::MAX - weighed.confidence, weighed.claim.first_seen, weighed.claim.key)
        });
        let lead = strongest.map(|weighed| weighed.claim);
        let mut lines = strongest.map(|weighed| weighed.evidence.clone()).unwrap_or_default();
        lines.extend(burst);
        let confidence = rules::confidence(&lines);
        let kind = lead.map_or(IncidentKind::Moas, |claim| kind(claim, confidence));
        let all: Vec<&Claim> = claims.iter().map(|weighed| weighed.claim).collect();
        let life = Life::of(&all, self.now());
        let prefixes: BTreeSet<Prefix> = all.iter().map(|claim| claim.key.prefix).collect();
        let prefix_count = prefixes.len();
        let vantage_points = self.points(&all);
        let countermeasures = countermeasures(&all);
        let prefixes: Vec<Prefix> = prefixes.into_iter().collect();
        let severity = severity_of(kind, &prefixes, vantage_points, &life, &lines);
        let victims = self.incident_victims(&all);
        let culprits: BTreeSet<Asn> = all.iter().map(|claim| claim.key.culprit).collect();
        let culprits: Vec<Asn> = culprits.into_iter().collect();
        let propagators = propagators(&all);
        let (evidence, counter_evidence) = lines.into_iter().partition(|line| line.weight > 0);
        Incident {
            id: id(&all),
            kind,
            as_names: self.as_names(culprits.iter().chain(&victims).chain(&propagators)),
            culprits,
            victims,
            propagators,
            covering_prefixes: covering_prefixes(&all),
            prefixes: prefixes.into_iter().take(PREFIXES_LISTED_MAX).collect(),
            prefix_count,
            first_seen: life.first_seen,
            last_seen: life.last_seen,
            ended_at: life.ended_at,
            exposure_secs: life.exposure_secs,
            state: state(&life, vantage_points, !countermeasures.is_empty(), self.now()),
            standing: all.iter().any(|claim| claim.standing),
            vantage_points,
            confidence,
            severity,
            severity_class: SeverityClass::of(severity),
            rov: rov(lead),
            evidence,
            counter_evidence,
            countermeasures,
            sample_paths: self.sample_paths(&all),
        }
    }

    fn incident_victims(&self, claims: &[&Claim]) -> Vec<Asn> {
        let mut found: BTreeSet<Asn> = BTreeSet::new();
        for claim in claims {
            match claim.key.kind {
                ClaimKind::Origin => found.extend(victims(claim)),
                ClaimKind::RpkiInvalid => found.extend(self.vrp_holders(claim)),
                ClaimKind::BogonPrefix | ClaimKind::BogonAsn => {}
            }
        }
        found.into_iter().collect()
    }

    fn points(&self, claims: &[&Claim]) -> VantagePoints {
        let seen: BTreeSet<Asn> =
            claims.iter().flat_map(|claim| claim.witnesses.keys().copied()).collect();
        let of = claims
            .iter()
            .map(|claim| self.vantage_points(claim.key.prefix.family()))
            .max()
            .unwrap_or(0);
        let most = |count: fn(&Claim) -> usize| claims.iter().map(|c| count(c)).max().unwrap_or(0);
        VantagePoints {
            seen: seen.len(),
            of: of.max(seen.len()),
            peak: most(|claim| claim.peak),
            now: most(Claim::present),
        }
    }

    fn as_names<'a>(&self, asns: impl Iterator<Item = &'a Asn>) -> BTreeMap<String, String> {
        let names = self.facts().as_names.as_ref();
        let organisations = self.facts().organisations.as_ref();
        let name = |asn: Asn| {
            names.and_then(|facts| facts.table.name(asn)).map(str::to_owned).or_else(|| {
                let organisation = organisations?.table.organisation(asn)?;
                Some(format!("{}, {}", organisation.name, organisation.country))
            })
        };
        // Names come from files of others and end in terminals: no control characters.
        let clean = |name: String| name.chars().filter(|c| !c.is_control()).collect();
        asns.filter_map(|&asn| Some((asn.0.to_string(), clean(name(asn)?)))).collect()
    }

    fn sample_paths(&self, claims: &[&Claim]) -> Vec<SamplePath> {
        let sample = |claim: &Claim, sample: &Sample| {
            let peer = self.peers().get(sample.peer)?;
            Some(SamplePath {
                time: sample.time,
                collector: peer.collector.clone(),
                peer_asn: peer.asn,
                peer_addr: peer.addr,
                prefix: claim.key.prefix,
                path: sample.path.to_string(),
            })
        };
        let mut samples: Vec<SamplePath> = claims
            .iter()
            .flat_map(|claim| claim.samples.iter().filter_map(|s| sample(claim, s)))
            .collect();
        samples.sort_unstable();
        // The earliest of every witness AS before further ones of the same.
        let mut shown: BTreeSet<Asn> = BTreeSet::new();
        let (mut chosen, rest): (Vec<_>, Vec<_>) =
            samples.into_iter().partition(|sample| shown.insert(sample.peer_asn));
        chosen.extend(rest);
        chosen.truncate(SAMPLE_PATHS_MAX);
        chosen.sort_unstable();
        chosen
    }
}

/// Begin and end over all claims.
struct Life {
    first_seen: Timestamp,
    last_seen: Timestamp,
    ended_at: Option<Timestamp>,
    spread_at: Timestamp,
    exposure_secs: i64,
}

impl Life {
    fn of(claims: &[&Claim], now: Timestamp) -> Self {
        let ended = claims.iter().map(|claim| claim.ended_at).collect::<Option<Vec<_>>>();
        Life {
            first_seen: claims.iter().map(|claim| claim.first_seen).min().unwrap_or(now),
            last_seen: claims.iter().map(|claim| claim.last_seen).max().unwrap_or(now),
            ended_at: ended.and_then(|times| times.into_iter().max()),
            spread_at: claims.iter().map(|claim| claim.spread_at).max().unwrap_or(now),
            exposure_secs: exposure_secs(claims, now),
        }
    }
}

/// Seconds in which at least one of the claims was seen.
fn exposure_secs(claims: &[&Claim], now: Timestamp) -> i64 {
    let mut intervals: Vec<_> = claims.iter().flat_map(|claim| claim.intervals(now)).collect();
    intervals.sort_unstable();
    let mut covered = Timestamp::default();
    let mut secs = 0;
    for (from, to) in intervals {
        secs += to.secs_since(from.max(covered)).max(0);
        covered = covered.max(to);
    }
    secs
}

fn kind(claim: &Claim, confidence: u8) -> IncidentKind {
    match claim.key.kind {
        ClaimKind::RpkiInvalid => IncidentKind::RpkiInvalid,
        ClaimKind::BogonPrefix => IncidentKind::BogonPrefix,
        ClaimKind::BogonAsn => IncidentKind::BogonAsn,
        ClaimKind::Origin => {
            let covering = claim.target.as_ref().and_then(|target| target.covering);
            match covering {
                Some(_) => IncidentKind::SubPrefixHijack,
                None if confidence >= CONFIDENCE_MEDIUM_MIN => IncidentKind::OriginHijack,
                None => IncidentKind::Moas,
            }
        }
    }
}

fn state(life: &Life, points: VantagePoints, reacted: bool, now: Timestamp) -> IncidentState {
    if life.ended_at.is_some() {
        IncidentState::Ended
    } else if reacted && points.now * 2 <= points.peak {
        IncidentState::Mitigated
    } else if now.secs_since(life.spread_at) <= SPREADING_SECS {
        IncidentState::Spreading
    } else {
        IncidentState::Ongoing
    }
}

fn rov(lead: Option<&Claim>) -> RovSummary {
    match lead.and_then(|claim| claim.rov) {
        Some((state, reason)) => RovSummary { state: Some(state), reason },
        None => RovSummary { state: None, reason: None },
    }
}

fn countermeasures(claims: &[&Claim]) -> Vec<Countermeasure> {
    let found: BTreeSet<Countermeasure> = claims
        .iter()
        .flat_map(|claim| claim.reactions.iter().map(|reaction| (claim.key.prefix, reaction)))
        .map(|(claimed, reaction)| Countermeasure {
            time: reaction.time,
            prefix: reaction.prefix,
            origin: reaction.origin,
            action: if reaction.prefix == claimed {
                CountermeasureAction::SamePrefix
            } else {
                CountermeasureAction::MoreSpecific
            },
        })
        .collect();
    found.into_iter().collect()
}

fn covering_prefixes(claims: &[&Claim]) -> Vec<Prefix> {
    let found: BTreeSet<Prefix> = claims
        .iter()
        .filter_map(|claim| claim.target.as_ref()?.victims_cover)
        .take(PREFIXES_LISTED_MAX)
        .collect();
    found.into_iter().collect()
}

/// Most propagators listed.
const PROPAGATORS_MAX: usize = 16;

fn propagators(claims: &[&Claim]) -> Vec<Asn> {
    let mut counts: BTreeMap<Asn, u64> = BTreeMap::new();
    for claim in claims {
        for (&asn, &count) in &claim.propagators {
            *counts.entry(asn).or_default() += u64::from(count);
        }
    }
    let mut ordered: Vec<(Asn, u64)> = counts.into_iter().collect();
    ordered.sort_by_key(|&(asn, count)| (u64::MAX - count, asn));
    ordered.into_iter().take(PROPAGATORS_MAX).map(|(asn, _)| asn).collect()
}

fn severity_of(
    kind: IncidentKind,
    prefixes: &[Prefix],
    points: VantagePoints,
    life: &Life,
    lines: &[Evidence],
) -> u8 {
    let is_slip = lines.iter().any(|line| line.rule == "fat_finger");
    let intent = match kind {
        IncidentKind::OriginHijack | IncidentKind::SubPrefixHijack if !is_slip => 0.6,
        _ => 0.3,
    };
    let share = |count: usize| u32::try_from(count).map_or(1.0, f64::from);
    Factors {
        visibility: share(points.peak) / share(points.of.max(1)),
        space: severity::space(prefixes),
        criticality: 0.4,
        duration: severity::duration(life.exposure_secs),
        intent,
    }
    .severity()
}

/// Date of the start and eight hex digits of a digest over what never changes while an incident
/// lives: its kind of claim, the culprit, and the earliest claim's prefix, victims and time.
fn id(claims: &[&Claim]) -> String {
    let Some(first) = claims.iter().min_by_key(|claim| (claim.first_seen, claim.key)) else {
        return String::new();
    };
    let mut digest = Sha256::new();
    let key = first.key;
    digest.update(format!(
        "{:?} {} {} {} {:?}",
        key.kind,
        key.culprit,
        key.prefix,
        first.first_seen,
        victims(first)
    ));
    let short = digest.finalize().iter().take(4).fold(0u32, |id, &byte| id << 8 | u32::from(byte));
    let date: String = first.first_seen.to_string().chars().take(10).collect();
    format!("RW-{}-{short:08x}", date.replace('-', ""))
}

const BOGON_WEIGHT: i32 = 60;
const ROV_INVALID_ASN_WEIGHT: i32 = 60;
const ROV_INVALID_MAX_LENGTH_WEIGHT: i32 = 45;
const WIDELY_SEEN_WEIGHT: i32 = 10;

/// Rules that are not among those of origin claims.
pub(crate) const PLAIN_RULES: [(&str, i32); 5] = [
    ("mass_origination", super::BURST_WEIGHT),
    ("bogon_prefix", BOGON_WEIGHT),
    ("bogon_asn", BOGON_WEIGHT),
    ("rov_only_invalid_asn", ROV_INVALID_ASN_WEIGHT),
    ("rov_only_invalid_max_length", ROV_INVALID_MAX_LENGTH_WEIGHT),
];

/// Evidence of claims that stand by themselves: bogons and ROV.
pub(super) fn plain_evidence(detector: &Detector, claim: &Claim) -> Vec<Evidence> {
    let key = claim.key;
    let mut lines = match key.kind {
        ClaimKind::BogonPrefix => bogon_prefix_evidence(detector, claim),
        ClaimKind::BogonAsn => bogon_asn_evidence(detector, claim),
        ClaimKind::RpkiInvalid => rpki_evidence(detector, claim),
        // An origin claim whose victims are no longer known has nothing to rest on.
        ClaimKind::Origin => Vec::new(),
    };
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
    let Some(bogon) = detector.facts().bogons().prefix(&prefix) else { return Vec::new() };
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

fn rpki_evidence(detector: &Detector, claim: &Claim) -> Vec<Evidence> {
    let (Some(vrps), Some((RovState::Invalid, reason))) = (&detector.facts().vrps, claim.rov)
    else {
        return Vec::new();
    };
    let prefix = claim.key.prefix;
    let origin = routewarden_core::Origin::As(claim.key.culprit);
    let validity = vrps.table.validate(&prefix, origin);
    let covering: Vec<String> = validity
        .covering
        .iter()
        .map(|vrp| format!("{} up to /{} {}", vrp.prefix, vrp.max_len, vrp.asn))
        .collect();
    let (rule, weight, why) = if reason == Some(InvalidReason::MaxLength) {
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
        ("source", rules::cite(&vrps.source).as_str().into()),
    ];
    vec![line(rule, weight, text, facts)]
}
