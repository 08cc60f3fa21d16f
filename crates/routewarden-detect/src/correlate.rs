//! From claims to incidents: one incident for one cause, however many prefixes and peers.

mod build;
mod changes;
mod groups;
mod outages;
mod plain;
mod relate;

pub(crate) use changes::CHANGE_RULES;
pub(crate) use plain::PLAIN_RULES;

use std::collections::{BTreeMap, BTreeSet};

use routewarden_core::facts::InvalidReason;
use routewarden_core::{AddressFamily, Asn, Prefix, Timestamp};

use crate::claim::{Claim, ClaimKey, ClaimKind};
use crate::detector::Detector;
use crate::findings::PathFinding;
use crate::incident::{Evidence, IncidentKind, LeakTriple};
use crate::rules::{self, Case};
use crate::{Incident, QUORUM_DEFAULT, QUORUM_VANTAGE_POINTS_MIN, Report};

/// Claims of one cause that are further apart than this are two incidents.
const SAME_INCIDENT_GAP_SECS: i64 = 3_600;
/// Claims of one culprit whose starts are closer than this belong to one burst.
const BURST_GAP_SECS: i64 = 300;
/// A burst against this many different victims has one cause: the culprit.
const BURST_VICTIMS_MIN: usize = 5;
/// Points of confidence that a burst adds, when most of it has this confidence by itself.
const BURST_WEIGHT: i32 = 20;
const REORIGINATION_WEIGHT: i32 = 50;
const INTERNAL_WEIGHT: i32 = 25;
const BURST_CONFIDENCE_MIN: u8 = 40;

/// A claim with what its evidence comes to. The lines themselves are made again for the one claim
/// that speaks for an incident: a leak has hundreds of thousands.
pub(crate) struct Weighed<'a> {
    pub(crate) claim: &'a Claim,
    pub(crate) confidence: u8,
    /// Whether culprit and victim belong to one organisation.
    is_of_siblings: bool,
}

/// Claims of one cause, at least one.
pub(crate) struct Group<'a> {
    claims: Vec<Weighed<'a>>,
    /// Evidence that they have only together.
    extra: Vec<Evidence>,
    /// Whether what weighs on the single claims counts for nothing.
    is_weighed_whole: bool,
    /// The parties, when it is a leak.
    leak: Option<LeakTriple>,
}

impl<'a> Group<'a> {
    fn of(claims: Vec<Weighed<'a>>) -> Self {
        Group { claims, extra: Vec::new(), is_weighed_whole: false, leak: None }
    }
}

/// Rules of claims that began together.
pub(crate) const BURST_RULES: [(&str, i32); 3] = [
    ("mass_origination", BURST_WEIGHT),
    ("re_origination", REORIGINATION_WEIGHT),
    ("internal_more_specifics", INTERNAL_WEIGHT),
];

/// Routes, by prefix and origin, that some claims tell of others.
#[derive(Default)]
struct Told {
    /// Leaked, or over a forged link.
    on_paths: BTreeSet<(Prefix, Asn)>,
    /// Announced against a hijack.
    reactions: BTreeSet<(Prefix, Asn)>,
}

/// What claims of one cause have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cause {
    kind: ClaimKind,
    culprit: Asn,
    victims: Vec<Asn>,
    reason: Option<bool>,
}

impl Detector {
    /// The incidents, as of the last event.
    pub fn report(&self) -> Report {
        let mut counters = self.counters();
        let mut groups: BTreeMap<Cause, Vec<Weighed<'_>>> = BTreeMap::new();
        let mut by_culprit: BTreeMap<Asn, Vec<Weighed<'_>>> = BTreeMap::new();
        let short = self.short_claims();
        let claims: BTreeMap<ClaimKey, &Claim> =
            self.claims().chain(&short).map(|claim| (claim.key, claim)).collect();
        let told = self.told(&claims);
        for claim in claims.values() {
            let seen = claim.witnesses.len();
            if claim.key.kind == ClaimKind::Origin {
                counters.origin_claims += 1;
                counters.origin_claims_seen_by_two += u64::from(seen >= 2);
                counters.origin_claims_seen_by_five += u64::from(seen >= 5);
            }
            if seen < self.quorum(claim) {
                counters.below_quorum += 1;
            } else if claim.key.kind.is_of_origin() {
                by_culprit.entry(claim.key.culprit).or_default().push(self.weigh(claim));
            } else if !self.is_told_otherwise(claim, &claims, &told) {
                groups.entry(Detector::cause(claim)).or_default().push(self.weigh(claim));
            }
        }
        let mut incidents: Vec<Incident> = Vec::new();
        for claims in by_culprit.into_values() {
            let (built, explained) = self.origin_incidents(claims);
            incidents.extend(built);
            counters.explained += explained;
        }
        for (cause, claims) in groups {
            incidents.extend(self.grouped_incidents(cause.kind, claims));
        }
        incidents.extend(self.outage_incidents());
        incidents.extend(self.change_incidents());
        if self.facts().constituency.is_some() {
            // The loss of a trust anchor concerns everyone.
            incidents.retain(|incident| {
                !incident.constituency.is_empty() || incident.kind == IncidentKind::TrustAnchorLoss
            });
        }
        incidents.sort_by(|a, b| (a.first_seen, &a.id).cmp(&(b.first_seen, &b.id)));
        relate::relate(&mut incidents);
        Report {
            incidents,
            counters,
            vantage_points: self.peer_asns(),
            routes: self.route_count(),
            known_prefixes: self.known_prefixes(),
            known_links: self.known_links(),
        }
    }

    /// What claims tell of other claims.
    fn told(&self, claims: &BTreeMap<ClaimKey, &Claim>) -> Told {
        let mut told = Told::default();
        for claim in claims.values().filter(|claim| claim.witnesses.len() >= self.quorum(claim)) {
            let reactions = claim.reactions.iter().map(|done| (done.prefix, done.origin));
            match claim.key.kind {
                ClaimKind::Origin => told.reactions.extend(reactions),
                ClaimKind::Leak | ClaimKind::ForgedLink if !claim.standing => {
                    told.on_paths.extend(claim.origin.map(|origin| (claim.key.prefix, origin)));
                }
                _ => {}
            }
        }
        told
    }

    fn peer_asns(&self) -> usize {
        self.peers().iter().map(|(_, peer)| peer.asn).collect::<BTreeSet<_>>().len()
    }

    /// Whether the same route is already told: as a hijack with its ROV state as evidence, or as
    /// coming over a link that was no news when the claim was made.
    fn is_told_otherwise(
        &self,
        claim: &Claim,
        claims: &BTreeMap<ClaimKey, &Claim>,
        told: &Told,
    ) -> bool {
        let is_reported = |kind| {
            let other = claims.get(&ClaimKey { kind, ..claim.key });
            other.is_some_and(|other| other.witnesses.len() >= self.quorum(other))
        };
        match (claim.key.kind, claim.finding.as_deref()) {
            // What the victim of a hijack announces against it is no news of its own, nor is what
            // comes over a forged link.
            (ClaimKind::MoreSpecific, _) => {
                let route = (claim.key.prefix, claim.key.culprit);
                told.reactions.contains(&route) || told.on_paths.contains(&route)
            }
            (ClaimKind::RpkiInvalid, _) => {
                is_reported(ClaimKind::Origin)
                    || (self.facts().constituency.is_some() && is_reported(ClaimKind::MoreSpecific))
                    || claim.origin.is_some_and(|o| told.on_paths.contains(&(claim.key.prefix, o)))
            }
            (_, Some(PathFinding::Link(found))) => {
                let key = ClaimKey { culprit: found.link.b, ..claim.key };
                let origin = ClaimKey { kind: ClaimKind::Origin, ..key };
                claims.contains_key(&origin) || self.was_link(found.link.a, found.link.b, claim.seq)
            }
            _ => false,
        }
    }

    fn quorum(&self, claim: &Claim) -> usize {
        self.quorum_of(claim.key.prefix.family())
    }

    /// Least number of witness ASes of a claim on a prefix of the family.
    pub(crate) fn quorum_of(&self, family: AddressFamily) -> usize {
        self.config().quorum.unwrap_or_else(|| {
            let of = self.vantage_points(family);
            if of < QUORUM_VANTAGE_POINTS_MIN { 1 } else { QUORUM_DEFAULT }
        })
    }

    fn cause(claim: &Claim) -> Cause {
        let (victims, reason) = match (claim.key.kind, claim.finding.as_deref()) {
            (ClaimKind::RpkiInvalid, _) => {
                let reason = claim.rov.and_then(|(_, reason)| reason);
                (Detector::vrp_holders(claim), reason.map(|reason| reason == InvalidReason::Asn))
            }
            (_, Some(PathFinding::Link(found))) => (vec![found.link.a, found.link.b], None),
            _ => (Vec::new(), None),
        };
        Cause { kind: claim.key.kind, culprit: claim.key.culprit, victims, reason }
    }

    /// ASes that covering VRPs name, the culprit and AS0 left out; sorted.
    fn vrp_holders(claim: &Claim) -> Vec<Asn> {
        let holders: BTreeSet<Asn> = claim
            .covering_vrps
            .iter()
            .map(|vrp| vrp.asn)
            .filter(|&asn| asn != Asn(0) && asn != claim.key.culprit)
            .collect();
        holders.into_iter().collect()
    }

    /// Whether an AS that passed the route on next to the culprit stands next to a victim in paths
    /// from before the claim.
    fn is_by_neighbour(&self, claim: &Claim, victims: &[Asn]) -> bool {
        claim.propagators.keys().any(|&propagator| {
            victims.iter().any(|&victim| self.adjacent(propagator, victim, claim.seq))
        })
    }

    /// A prefix that the culprit is known to originate and whose text differs from the claimed one
    /// in one digit. Looked for only where the claim was short: then it may have been a slip.
    fn near_own_prefix(&self, claim: &Claim) -> Option<Prefix> {
        const SLIP_SECS: i64 = 300;
        /// Who errs in more prefixes than this did not mistype one.
        const SLIPS_MAX: usize = 4;
        let is_one_of_many = self.claims_against(claim.key.culprit) > SLIPS_MAX;
        if is_one_of_many || claim.duration_secs(self.now()) >= SLIP_SECS {
            return None;
        }
        let ClaimKey { prefix, culprit, .. } = claim.key;
        let text = prefix.to_string();
        let (addr, len) = text.split_once('/')?;
        let digits = if prefix.is_ipv4() { "0123456789" } else { "0123456789abcdef" };
        for (at, old) in addr.char_indices().filter(|(_, old)| digits.contains(*old)) {
            let (before, after) = (addr.get(..at)?, addr.get(at + 1..)?);
            for new in digits.chars().filter(|&new| new != old) {
                let near = format!("{before}{new}{after}/{len}").parse().ok();
                if let Some(near) = near.filter(|near| self.is_known_origin(near, culprit)) {
                    return Some(near);
                }
            }
        }
        None
    }

    fn weigh<'a>(&self, claim: &'a Claim) -> Weighed<'a> {
        let evidence = self.evidence(claim);
        let is_of_siblings = evidence.iter().any(|line| line.rule == "same_organisation");
        Weighed { claim, confidence: rules::confidence(&evidence), is_of_siblings }
    }

    /// Evidence and counter-evidence of one claim.
    fn evidence(&self, claim: &Claim) -> Vec<Evidence> {
        match &claim.target {
            Some(target) if claim.key.kind.is_of_origin() => rules::weigh(&Case {
                claim,
                target,
                facts: self.facts(),
                vantage_points: self.vantage_points(claim.key.prefix.family()),
                has_table: self.has_table(),
                adjacent: target
                    .victims
                    .iter()
                    .any(|&victim| self.adjacent(victim, claim.key.culprit, claim.seq)),
                is_by_victims_neighbour: self.is_by_neighbour(claim, &target.victims),
                is_culprit_known: self.knowledge().is_known(claim.key.culprit),
                near_own_prefix: self.near_own_prefix(claim),
                victim_is_present: target.victims.iter().any(|&victim| {
                    let block = target.covering.unwrap_or(claim.key.prefix);
                    self.is_originated_by(&block, victim)
                }),
                now: self.now(),
            }),
            _ => plain::plain_evidence(self, claim),
        }
    }
}

pub(crate) fn victims(claim: &Claim) -> &[Asn] {
    claim.target.as_ref().map(|target| target.victims.as_slice()).unwrap_or_default()
}

/// Splits claims, sorted by first seen, where one starts more than `gap_secs` after the one
/// before.
fn split_by_start(claims: Vec<Weighed<'_>>, gap_secs: i64) -> Vec<Vec<Weighed<'_>>> {
    split(claims, |last, next| next.first_seen.secs_since(last.first_seen) > gap_secs)
}

/// Splits claims where one starts more than `gap_secs` after all before had ended. An exact
/// prefix and a more-specific are one deed only when they overlap.
fn split_by_gap(
    mut claims: Vec<Weighed<'_>>,
    gap_secs: i64,
    now: Timestamp,
) -> Vec<Vec<Weighed<'_>>> {
    claims.sort_by_key(|weighed| (weighed.claim.first_seen, weighed.claim.key));
    let is_more_specific =
        |claim: &Claim| claim.target.as_ref().is_some_and(|t| t.covering.is_some());
    let mut latest = Timestamp::default();
    split(claims, |last, next| {
        latest = latest.max(last.ended_at.unwrap_or(now));
        let gap = if is_more_specific(last) == is_more_specific(next) { gap_secs } else { 0 };
        next.first_seen.secs_since(latest) > gap
    })
}

fn split<'a>(
    claims: Vec<Weighed<'a>>,
    mut is_apart: impl FnMut(&Claim, &Claim) -> bool,
) -> Vec<Vec<Weighed<'a>>> {
    let mut runs: Vec<Vec<Weighed<'a>>> = Vec::new();
    for weighed in claims {
        match runs.last_mut() {
            Some(run) if !run.last().is_some_and(|last| is_apart(last.claim, weighed.claim)) => {
                run.push(weighed);
            }
            _ => runs.push(vec![weighed]),
        }
    }
    runs
}
