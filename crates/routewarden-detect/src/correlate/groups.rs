//! What makes one incident out of many claims of one culprit.

use std::collections::{BTreeMap, BTreeSet};

use routewarden_core::facts::Relation;
use routewarden_core::{Asn, Prefix, Timestamp};

use super::{
    BURST_CONFIDENCE_MIN, BURST_GAP_SECS, BURST_VICTIMS_MIN, BURST_WEIGHT, Group, INTERNAL_WEIGHT,
    REORIGINATION_WEIGHT, SAME_INCIDENT_GAP_SECS, Weighed, split_by_gap, split_by_start, victims,
};
use crate::claim::{Claim, ClaimKind, Target};
use crate::detector::Detector;
use crate::findings::{LeakFinding, LinkFinding, PathFinding};
use crate::incident::{Evidence, Incident, LeakTriple};
use crate::rules::leak::{self, LeakCase};
use crate::rules::link::{self, LinkCase};
use crate::{CONFIDENCE_REPORTED_MIN, rules};

/// A burst of so many new more-specifics of one's own is a leak of internal routes (RFC 7908 type 6).
const INTERNAL_PREFIXES_MIN: usize = 100;
/// Least points of a leak or link that is reported.
const REPORTED_MIN: u8 = 20;

impl Detector {
    /// Incidents of the origin claims of one culprit, and how many claims are explained. Bursts
    /// against many victims become one incident, the others one for each set of victims.
    pub(super) fn origin_incidents(&self, mut claims: Vec<Weighed<'_>>) -> (Vec<Incident>, u64) {
        claims.sort_by_key(|weighed| (weighed.claim.first_seen, weighed.claim.key));
        let mut incidents = Vec::new();
        let mut explained = 0;
        let mut by_victims: BTreeMap<Vec<Asn>, Vec<Weighed<'_>>> = BTreeMap::new();
        for burst in split_by_start(claims, BURST_GAP_SECS) {
            let is_customer = |asn, provider| {
                let known = self.knowledge().relation(self.facts(), asn, provider);
                known.is_some_and(|known| known.relation == Relation::Provider)
            };
            if is_re_origination(&burst, is_customer) {
                incidents.push(self.build(re_origination(burst)));
                continue;
            }
            let all = burst.len();
            let doubtful: Vec<Weighed<'_>> =
                burst.into_iter().filter(|w| w.confidence >= CONFIDENCE_REPORTED_MIN).collect();
            explained += (all - doubtful.len()) as u64;
            let victims: BTreeSet<&[Asn]> = doubtful.iter().map(|w| victims(w.claim)).collect();
            let count = victims.len();
            if count >= BURST_VICTIMS_MIN {
                let extra = burst_evidence(&doubtful, count).into_iter().collect();
                incidents.push(self.build(Group { extra, ..Group::of(doubtful) }));
                continue;
            }
            for weighed in doubtful {
                by_victims.entry(victims_of(&weighed)).or_default().push(weighed);
            }
        }
        for claims in by_victims.into_values() {
            incidents.extend(self.apart(claims));
        }
        (incidents, explained)
    }

    fn apart(&self, claims: Vec<Weighed<'_>>) -> Vec<Incident> {
        let apart = split_by_gap(claims, SAME_INCIDENT_GAP_SECS, self.now());
        apart.into_iter().map(|claims| self.build(Group::of(claims))).collect()
    }

    /// Incidents of claims of one other cause.
    pub(super) fn grouped_incidents(
        &self,
        kind: ClaimKind,
        claims: Vec<Weighed<'_>>,
    ) -> Vec<Incident> {
        match kind {
            ClaimKind::Leak => self.wholes(claims, |claims| self.leak_group(claims)),
            ClaimKind::ForgedLink => self.wholes(claims, |claims| self.link_group(claims)),
            ClaimKind::MoreSpecific => self.more_specific_incidents(claims),
            _ => self.apart(claims),
        }
    }

    fn wholes<'a>(
        &self,
        claims: Vec<Weighed<'a>>,
        weigh: impl Fn(Vec<Weighed<'a>>) -> Option<Group<'a>>,
    ) -> Vec<Incident> {
        let apart = split_by_gap(claims, SAME_INCIDENT_GAP_SECS, self.now());
        let groups = apart.into_iter().filter_map(weigh);
        groups.map(|group| self.build(group)).collect()
    }

    fn leak_group<'a>(&self, claims: Vec<Weighed<'a>>) -> Option<Group<'a>> {
        let all: Vec<&Claim> = claims.iter().map(|weighed| weighed.claim).collect();
        let found = usual_leak(&all)?;
        let origins: BTreeSet<Asn> = all.iter().filter_map(|claim| claim.origin).collect();
        let origins: Vec<Asn> = origins.into_iter().collect();
        let points = self.points(&all);
        let evidence = leak::weigh(&LeakCase {
            claims: &all,
            triple: found.triple,
            proof: found.proof,
            facts: self.facts(),
            knowledge: self.knowledge(),
            origins: &origins,
            seen: points.seen,
            vantage_points: points.of,
            now: self.now(),
        });
        let leak = Some(found.triple);
        (rules::confidence(&evidence) >= REPORTED_MIN).then(|| Group {
            extra: evidence,
            leak,
            ..Group::of(claims)
        })
    }

    fn link_group<'a>(&self, claims: Vec<Weighed<'a>>) -> Option<Group<'a>> {
        let all: Vec<&Claim> = claims.iter().map(|weighed| weighed.claim).collect();
        let found = strongest_link(&all)?;
        let lead = all.first()?;
        let points = self.points(&all);
        let evidence = link::weigh(&LinkCase {
            claims: &all,
            found,
            facts: self.facts(),
            origin_news: self.origin_news(lead),
            prefixes_of_origin: self.prefixes_of(found.link.b),
            victim_is_present: self.has_other_path(lead, found),
            seen: points.seen,
            vantage_points: points.of,
            now: self.now(),
        });
        (rules::confidence(&evidence) >= REPORTED_MIN)
            .then(|| Group { extra: evidence, ..Group::of(claims) })
    }

    /// New more-specifics with the claim's origin that began within a quarter of an hour of it.
    fn origin_news(&self, lead: &Claim) -> usize {
        const AROUND_SECS: i64 = 900;
        let news = lead.origin.and_then(|origin| self.news_by_origin().get(&origin));
        let is_around = |&&(time, _): &&(Timestamp, Prefix)| {
            time.secs_since(lead.first_seen).abs() <= AROUND_SECS
        };
        let around = news.into_iter().flatten().filter(is_around);
        around.map(|&(_, prefix)| prefix).collect::<BTreeSet<_>>().len()
    }

    /// New more-specifics of one's own: many at once are internal routes that leak; one of a
    /// constituent is worth a word; others are nobody's concern.
    fn more_specific_incidents(&self, mut claims: Vec<Weighed<'_>>) -> Vec<Incident> {
        claims.sort_by_key(|weighed| (weighed.claim.first_seen, weighed.claim.key));
        let mut incidents = Vec::new();
        for burst in split_by_start(claims, BURST_GAP_SECS) {
            if burst.len() >= INTERNAL_PREFIXES_MIN {
                incidents.push(self.build(internal_leak(burst)));
            } else if self.facts().constituency.is_some() {
                let doubtful =
                    burst.into_iter().filter(|w| w.confidence >= CONFIDENCE_REPORTED_MIN);
                incidents.extend(self.apart(doubtful.collect()));
            }
        }
        incidents
    }
}

/// The finding that most claims show; ties go to the lowest triple.
fn usual_leak(claims: &[&Claim]) -> Option<LeakFinding> {
    let mut counts: BTreeMap<(u8, LeakTriple), (usize, LeakFinding)> = BTreeMap::new();
    for claim in claims {
        if let Some(PathFinding::Leak(found)) = claim.finding.as_deref() {
            counts.entry((found.proof.rank(), found.triple)).or_insert((0, *found)).0 += 1;
        }
    }
    let strongest = counts.keys().next()?.0;
    let of_rank = counts.into_iter().filter(|((rank, _), _)| *rank == strongest);
    let most = of_rank.min_by_key(|&((_, triple), (count, _))| (usize::MAX - count, triple));
    most.map(|(_, (_, found))| found)
}

/// The finding that says most against the link.
fn strongest_link<'a>(claims: &[&'a Claim]) -> Option<&'a LinkFinding> {
    let found = claims.iter().filter_map(|claim| match claim.finding.as_deref() {
        Some(PathFinding::Link(found)) => Some(found),
        _ => None,
    });
    // Of equal ones the first.
    found.min_by_key(|found| {
        let suspicion = found.suspicion.as_ref().map_or(0, |&(suspicion, _)| suspicion);
        (
            found.denied_by_aspa.is_none(),
            !found.denied_by_operator,
            !found.is_more_specific,
            u8::MAX - suspicion,
        )
    })
}

fn internal_leak(burst: Vec<Weighed<'_>>) -> Group<'_> {
    let count = burst.len();
    let by = burst.first().map(|weighed| weighed.claim.key.culprit).unwrap_or_default();
    let evidence = Evidence {
        rule: "internal_more_specifics".to_owned(),
        weight: INTERNAL_WEIGHT,
        text: format!(
            "{by} began to originate {count} more-specifics of its own at once: internal routes or \
             those of a route optimizer (RFC 7908 type 6)."
        ),
        facts: BTreeMap::from([("prefixes".to_owned(), count.into())]),
    };
    let leak = Some(LeakTriple { rfc7908_type: Some(6), from: None, by, to: None });
    Group { extra: vec![evidence], leak, ..Group::of(burst) }
}

/// Prefixes of one neighbour that an AS must originate at once to make a re-origination.
const REORIGINATED_PREFIXES_MIN: usize = 3;

/// Whether a burst is a re-origination (RFC 7908 type 5): most of the prefixes are those of ASes
/// whose routes the culprit had itself, and it is not that it originates them for its customers.
fn is_re_origination(burst: &[Weighed<'_>], is_customer: impl Fn(Asn, Asn) -> bool) -> bool {
    // Within one organisation nothing is lost on the way.
    let exact: Vec<&Target> = burst
        .iter()
        .filter(|weighed| !weighed.is_of_siblings)
        .filter_map(|weighed| weighed.claim.target.as_ref())
        .filter(|target| target.covering.is_none())
        .collect();
    let carried = exact.iter().filter(|target| target.victim_routes_via_culprit > 0).count();
    let victims: BTreeSet<&[Asn]> = exact.iter().map(|target| &*target.victims).collect();
    let culprit = burst.first().map(|w| w.claim.key.culprit).unwrap_or_default();
    let of_providers = exact
        .iter()
        .filter(|target| target.victims.iter().any(|&victim| is_customer(culprit, victim)))
        .count();
    (victims.len() >= BURST_VICTIMS_MIN && carried * 2 >= burst.len())
        || (of_providers >= REORIGINATED_PREFIXES_MIN && of_providers * 2 >= burst.len())
}

fn re_origination(burst: Vec<Weighed<'_>>) -> Group<'_> {
    let count = burst.len();
    let by = burst.first().map(|weighed| weighed.claim.key.culprit).unwrap_or_default();
    let evidence = Evidence {
        rule: "re_origination".to_owned(),
        weight: REORIGINATION_WEIGHT,
        text: format!(
            "{by} had the routes to most of these {count} prefixes from others and originates them \
             now as its own: it lost their paths on the way (RFC 7908 type 5)."
        ),
        facts: BTreeMap::from([("prefixes".to_owned(), count.into())]),
    };
    let victims: BTreeSet<Asn> = burst.iter().flat_map(|w| victims(w.claim)).copied().collect();
    let next: BTreeSet<Asn> =
        burst.iter().flat_map(|w| w.claim.propagators.keys()).copied().collect();
    let only = |asns: &BTreeSet<Asn>| asns.first().copied().filter(|_| asns.len() == 1);
    let leak =
        Some(LeakTriple { rfc7908_type: Some(5), from: only(&victims), by, to: only(&next) });
    // What explains a single one of them does not explain all at once.
    Group { extra: vec![evidence], leak, is_weighed_whole: true, ..Group::of(burst) }
}

fn victims_of(weighed: &Weighed<'_>) -> Vec<Asn> {
    victims(weighed.claim).to_vec()
}

/// One AS that begins to originate the space of many unrelated others at once errs or attacks,
/// whatever may be said of a single prefix.
fn burst_evidence(burst: &[Weighed<'_>], victims: usize) -> Option<Evidence> {
    let doubtful = burst.iter().filter(|w| w.confidence >= BURST_CONFIDENCE_MIN).count();
    (doubtful * 2 >= burst.len()).then(|| Evidence {
        rule: "mass_origination".to_owned(),
        weight: BURST_WEIGHT,
        text: format!(
            "The culprit began to originate {} prefixes of {victims} different victims at once.",
            burst.len()
        ),
        facts: BTreeMap::from([
            ("prefixes".to_owned(), burst.len().into()),
            ("victims".to_owned(), victims.into()),
        ]),
    })
}
