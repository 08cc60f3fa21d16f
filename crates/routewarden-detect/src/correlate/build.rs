//! Builds an incident out of the claims of one cause.

use std::collections::{BTreeMap, BTreeSet};

use routewarden_core::facts::{AspaState, Criticality, RovState, Touch};
use routewarden_core::{AddressFamily, Asn, Prefix, Timestamp};
use sha2::{Digest, Sha256};

use super::{Group, Weighed, victims};
use crate::claim::{Claim, ClaimKind, Sample};
use crate::detector::Detector;
use crate::findings::{LeakProof, PathFinding};
use crate::incident::{
    Countermeasure, CountermeasureAction, FeedState, ForgedLink, Incident, IncidentKind,
    IncidentState, PREFIXES_LISTED_MAX, RovSummary, SamplePath, SeverityClass, VantagePoints,
};
use crate::knowledge::KnownFrom;
use crate::severity::{self, Factors};
use crate::{CONFIDENCE_MEDIUM_MIN, rules};

/// Most victims listed in one incident.
const VICTIMS_LISTED_MAX: usize = 1_000;
/// Most sample paths in one incident.
const SAMPLE_PATHS_MAX: usize = 8;
/// An incident that gained a vantage point within this time of the last event is spreading.
const SPREADING_SECS: i64 = 300;

impl Detector {
    /// One incident out of the claims of one cause, at least one.
    pub(super) fn build(&self, group: Group<'_>) -> Incident {
        let Group { claims, extra, is_weighed_whole, leak } = group;
        let has_table = self.has_table();
        let usual = usual_kind(&claims, has_table);
        // The strongest claim of the usual kind speaks for the incident; ties go to the earliest.
        let of_usual = claims.iter().filter(|w| kind(w.claim, SURE, has_table) == usual);
        let strongest = of_usual.min_by_key(|weighed| {
            (u8::MAX - weighed.confidence, weighed.claim.first_seen, weighed.claim.key)
        });
        let lead = strongest.map(|weighed| weighed.claim);
        let own = lead.filter(|_| !is_weighed_whole);
        let mut lines = own.map(|claim| self.evidence(claim)).unwrap_or_default();
        lines.extend(extra);
        let confidence = rules::confidence(&lines);
        let kind = match leak {
            Some(_) => IncidentKind::RouteLeak,
            None => lead.map_or(IncidentKind::Moas, |claim| kind(claim, confidence, has_table)),
        };
        let all: Vec<&Claim> = claims.iter().map(|weighed| weighed.claim).collect();
        let life = Life::of(&all, self.now());
        let prefixes: BTreeSet<Prefix> = all.iter().map(|claim| claim.key.prefix).collect();
        let vantage_points = self.points(&all);
        let countermeasures = countermeasures(&all);
        let prefixes: Vec<Prefix> = prefixes.into_iter().collect();
        let mut victims = Detector::incident_victims(&all);
        let culprits: BTreeSet<Asn> = all.iter().map(|claim| claim.key.culprit).collect();
        let mut culprits: Vec<Asn> = culprits.into_iter().collect();
        if kind == IncidentKind::SamePathMoreSpecific {
            // Whoever forged it shows nowhere; the origin is the one to ask, and the victim if so.
            victims = std::mem::take(&mut culprits);
        }
        let propagators = propagators(&all);
        let (evidence, counter_evidence) = lines.into_iter().partition(|line| line.weight > 0);
        let mut incident = Incident {
            artemis_class: lead.and_then(|claim| artemis_class(kind, claim)),
            leak,
            link: lead.and_then(link),
            as_names: self.as_names(culprits.iter().chain(&victims).chain(&propagators)),
            culprits,
            victims,
            propagators,
            covering_prefixes: covering_prefixes(&all),
            state: state(&life, vantage_points, !countermeasures.is_empty(), self.now()),
            standing: all.iter().any(|claim| claim.standing),
            vantage_points,
            confidence,
            rov: rov(lead),
            aspa: lead.and_then(aspa),
            evidence,
            counter_evidence,
            countermeasures,
            sample_paths: self.sample_paths(&all),
            ..Detector::blank(id(&all), kind, (life.first_seen, life.last_seen))
        };
        incident.ended_at = life.ended_at;
        incident.exposure_secs = life.exposure_secs;
        incident.recurrences = all.iter().map(|claim| claim.recurrences).max().unwrap_or(0);
        self.finish(&mut incident, &prefixes);
        incident
    }

    /// An incident of which nothing is known but its kind and time.
    pub(super) fn blank(
        id: String,
        kind: IncidentKind,
        (first_seen, last_seen): (Timestamp, Timestamp),
    ) -> Incident {
        Incident {
            id,
            kind,
            artemis_class: None,
            leak: None,
            link: None,
            culprits: Vec::new(),
            victims: Vec::new(),
            propagators: Vec::new(),
            prefixes: Vec::new(),
            prefix_count: 0,
            covering_prefixes: Vec::new(),
            first_seen,
            last_seen,
            ended_at: None,
            exposure_secs: 0,
            recurrences: 0,
            state: IncidentState::Ongoing,
            standing: false,
            vantage_points: VantagePoints { seen: 0, of: 0, peak: 0, now: 0 },
            confidence: 1,
            severity: 0,
            severity_class: SeverityClass::Info,
            rov: RovSummary { state: None, reason: None },
            aspa: None,
            constituency: Vec::new(),
            related: Vec::new(),
            feeds: FeedState { sessions: 0, lost: 0, degraded: false, impaired: Vec::new() },
            evidence: Vec::new(),
            counter_evidence: Vec::new(),
            countermeasures: Vec::new(),
            sample_paths: Vec::new(),
            as_names: BTreeMap::new(),
        }
    }

    /// Fills in what follows from the rest: whom of the constituency it touches, the state of the
    /// feeds, how bad it is. `prefixes` are all, those beyond the listed ones included.
    pub(super) fn finish(&self, incident: &mut Incident, prefixes: &[Prefix]) {
        incident.prefix_count = prefixes.len();
        incident.prefixes = prefixes.iter().take(PREFIXES_LISTED_MAX).copied().collect();
        incident.constituency = self.touched(incident, prefixes);
        let family = prefixes.first().map_or(AddressFamily::Ipv4, Prefix::family);
        incident.feeds = self.feed_state(
            family,
            (incident.first_seen, incident.ended_at.unwrap_or(incident.last_seen)),
        );
        let criticality = self.criticality(incident, prefixes);
        incident.severity = severity_of(incident, prefixes, criticality);
        incident.severity_class = SeverityClass::of(incident.severity);
    }

    fn touched(&self, incident: &Incident, prefixes: &[Prefix]) -> Vec<Touch> {
        let Some(constituency) = &self.facts().constituency else { return Vec::new() };
        let paths = incident.sample_paths.iter().flat_map(|sample| sample.path.split(' '));
        let path: Vec<Asn> = paths.filter_map(|hop| hop.parse().ok().map(Asn)).collect();
        let link = incident.link.map(|link| link.b);
        let victims: Vec<Asn> = incident.victims.iter().copied().chain(link).collect();
        // Who only stands on the way of what harms nobody need not know.
        let path = if incident.kind.is_serious() { path } else { Vec::new() };
        constituency.table.touches(&incident.culprits, &victims, prefixes, &path)
    }

    /// The worth of what is concerned: outside a constituency that was given it is least.
    fn criticality(&self, incident: &Incident, prefixes: &[Prefix]) -> f64 {
        let Some(constituency) = &self.facts().constituency else { return NO_CONSTITUENCY };
        let of_space = prefixes.iter().filter_map(|p| constituency.table.criticality_of(p)).max();
        let asns = incident.victims.iter().chain(&incident.culprits);
        let of_asns = asns.filter_map(|&asn| constituency.table.criticality_of_asn(asn)).max();
        of_space.max(of_asns).map_or(OUTSIDE, Criticality::factor)
    }

    fn incident_victims(claims: &[&Claim]) -> Vec<Asn> {
        let mut found: BTreeSet<Asn> = BTreeSet::new();
        for claim in claims {
            match claim.key.kind {
                ClaimKind::Origin | ClaimKind::LessSpecific => found.extend(victims(claim)),
                ClaimKind::RpkiInvalid => found.extend(Detector::vrp_holders(claim)),
                ClaimKind::Leak | ClaimKind::ForgedLink => found.extend(claim.origin),
                ClaimKind::NewNeighbour => {
                    let link = link(claim).map(|link| [link.a, link.b]);
                    let other = |&asn: &Asn| asn != claim.key.culprit;
                    found.extend(link.into_iter().flatten().filter(other));
                }
                _ => {}
            }
        }
        // The culprit is no victim of its own deed.
        let culprits = claims.iter().map(|claim| claim.key.culprit).collect();
        found.difference(&culprits).copied().take(VICTIMS_LISTED_MAX).collect()
    }

    pub(super) fn points(&self, claims: &[&Claim]) -> VantagePoints {
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

    pub(super) fn as_names<'a>(
        &self,
        asns: impl Iterator<Item = &'a Asn>,
    ) -> BTreeMap<String, String> {
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

/// A confidence at which no origination is a mere MOAS.
const SURE: u8 = 99;

/// The kind that most of the claims are of, whatever their confidence; of equal ones that of the
/// most confident claim.
fn usual_kind(claims: &[Weighed<'_>], has_table: bool) -> IncidentKind {
    let mut counts: BTreeMap<IncidentKind, (usize, u8)> = BTreeMap::new();
    for weighed in claims {
        let (count, best) = counts.entry(kind(weighed.claim, SURE, has_table)).or_default();
        *count += 1;
        *best = weighed.confidence.max(*best);
    }
    let most = counts.into_iter().max_by_key(|&(_, rank)| rank);
    most.map_or(IncidentKind::Moas, |(kind, _)| kind)
}

fn kind(claim: &Claim, confidence: u8, has_table: bool) -> IncidentKind {
    match claim.key.kind {
        ClaimKind::RpkiInvalid => IncidentKind::RpkiInvalid,
        ClaimKind::BogonPrefix => IncidentKind::BogonPrefix,
        ClaimKind::BogonAsn => IncidentKind::BogonAsn,
        ClaimKind::LessSpecific => IncidentKind::LessSpecificHijack,
        ClaimKind::Leak => IncidentKind::RouteLeak,
        ClaimKind::ForgedLink => match claim.finding.as_deref() {
            Some(PathFinding::Link(found)) if found.depth > 0 => IncidentKind::ForgedPath,
            _ => IncidentKind::ForgedOrigin,
        },
        ClaimKind::NewNeighbour => IncidentKind::NewNeighbour,
        ClaimKind::Unexpected => IncidentKind::UnexpectedOrigination,
        ClaimKind::MoreSpecific => IncidentKind::SamePathMoreSpecific,
        ClaimKind::AsSet => IncidentKind::AsSet,
        ClaimKind::LongPath => IncidentKind::LongPath,
        ClaimKind::Prepending => IncidentKind::ExcessivePrepending,
        ClaimKind::Origin => origin_kind(claim, confidence, has_table),
    }
}

/// Without a table nobody knows that a holder does not announce its space.
fn origin_kind(claim: &Claim, confidence: u8, has_table: bool) -> IncidentKind {
    let target = claim.target.as_ref();
    let is_unused = target.filter(|_| has_table).is_some_and(|target| {
        target.known_from == KnownFrom::Operator
            && target.victim_routes == 0
            && !target.victim_was_present
    });
    let is_more_specific = target.is_some_and(|target| target.covering.is_some());
    if is_unused {
        IncidentKind::Squatting
    } else if is_host_route(&claim.key.prefix) || (claim.is_blackhole && is_more_specific) {
        IncidentKind::BlackholeAbuse
    } else if is_more_specific {
        IncidentKind::SubPrefixHijack
    } else if confidence >= CONFIDENCE_MEDIUM_MIN {
        IncidentKind::OriginHijack
    } else {
        IncidentKind::Moas
    }
}

/// A single address: announced for nothing but blackholing.
fn is_host_route(prefix: &Prefix) -> bool {
    prefix.len() == prefix.family().bits()
}

/// Class of ARTEMIS (Sermpezis et al., 2018, section 3): prefix, path, data plane, policy. Type N is
/// named as in the paper; the tool has no letter for it.
fn artemis_class(kind: IncidentKind, claim: &Claim) -> Option<String> {
    let is_more_specific = claim.target.as_ref().is_some_and(|target| target.covering.is_some());
    let prefix = if is_more_specific { "S" } else { "E" };
    let (prefix, path) = match kind {
        IncidentKind::OriginHijack | IncidentKind::Moas => ("E", "0"),
        IncidentKind::SubPrefixHijack | IncidentKind::BlackholeAbuse => ("S", "0"),
        IncidentKind::Squatting => ("Q", "0"),
        IncidentKind::ForgedOrigin => (prefix, "1"),
        IncidentKind::ForgedPath => (prefix, "N"),
        IncidentKind::SamePathMoreSpecific => ("S", "-"),
        _ => return None,
    };
    Some(format!("{prefix}|{path}|-|-"))
}

fn link(claim: &Claim) -> Option<ForgedLink> {
    match claim.finding.as_deref()? {
        PathFinding::Link(found) => Some(found.link),
        PathFinding::Leak(_) => None,
    }
}

fn aspa(claim: &Claim) -> Option<AspaState> {
    match claim.finding.as_deref()? {
        PathFinding::Link(found) => found.aspa,
        PathFinding::Leak(found) => {
            matches!(found.proof, LeakProof::Aspa(_)).then_some(AspaState::Invalid)
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

/// Worth of an asset where no constituency was given, and outside one that was.
const NO_CONSTITUENCY: f64 = 0.4;
const OUTSIDE: f64 = 0.2;

/// Intent is 1 where a path is forged or space squatted, 0.3 for a likely slip.
fn severity_of(incident: &Incident, prefixes: &[Prefix], criticality: f64) -> u8 {
    let has = |rule: &str| incident.counter_evidence.iter().any(|line| line.rule == rule);
    let intent = match incident.kind {
        IncidentKind::ForgedOrigin | IncidentKind::ForgedPath | IncidentKind::Squatting => 1.0,
        kind if kind.is_hijack() && !has("fat_finger") => 0.6,
        IncidentKind::RouteLeak if has("leakers_own_customers") => 0.0,
        _ => 0.3,
    };
    let points = incident.vantage_points;
    let share = |count: usize| u32::try_from(count).map_or(1.0, f64::from);
    let visibility = share(points.peak) / share(points.of.max(1));
    let severity = Factors {
        visibility,
        space: severity::space(prefixes),
        criticality,
        duration: severity::duration(incident.exposure_secs),
        intent,
    }
    .severity();
    let is_valid = incident.rov.state == Some(RovState::Valid);
    let is_origination = matches!(
        incident.kind,
        IncidentKind::OriginHijack | IncidentKind::Moas | IncidentKind::SubPrefixHijack
    );
    if criticality >= Criticality::Tier0.factor()
        && visibility >= TIER0_VISIBILITY_MIN
        && incident.kind.is_serious()
    {
        severity.max(SEVERITY_HIGH_MIN)
    } else if is_valid && is_origination {
        severity.min(SEVERITY_LOW_MAX)
    } else {
        severity
    }
}

/// What a tenth of the vantage points see of a tier-0 asset is at least of high severity.
const TIER0_VISIBILITY_MIN: f64 = 0.1;
const SEVERITY_HIGH_MIN: u8 = 60;
/// What a ROA allows is at most of low severity.
const SEVERITY_LOW_MAX: u8 = 39;

/// Date of the start and eight hex digits of a digest over what never changes while an incident
/// lives: its kind of claim, the culprit, and the earliest claim's prefix, victims and time.
fn id(claims: &[&Claim]) -> String {
    let Some(first) = claims.iter().min_by_key(|claim| (claim.first_seen, claim.key)) else {
        return String::new();
    };
    let key = first.key;
    let identity = format!(
        "{:?} {} {} {} {:?}",
        key.kind,
        key.culprit,
        key.prefix,
        first.first_seen,
        victims(first)
    );
    id_of(&identity, first.first_seen)
}

/// The id of what never changes while an incident lives.
pub(super) fn id_of(identity: &str, first_seen: Timestamp) -> String {
    let digest = Sha256::digest(identity);
    let short = digest.iter().take(4).fold(0u32, |id, &byte| id << 8 | u32::from(byte));
    let date: String = first_seen.to_string().chars().take(10).collect();
    format!("RW-{}-{short:08x}", date.replace('-', ""))
}
