//! From losses of prefixes to outages of prefixes, ASes, countries.

use std::collections::{BTreeMap, BTreeSet};

use routewarden_core::{AddressFamily, Asn, Prefix, Timestamp};

use crate::detector::{Detector, OriginStat};
use crate::incident::{Evidence, FeedState, Incident, IncidentKind, IncidentState, VantagePoints};
use crate::outage::Loss;
use crate::rules::leak::BEACON_ORIGIN;
use crate::rules::outage::{self, ALL_PERCENT, OutageCase};
use crate::{CONFIDENCE_REPORTED_MIN, rules};

/// Losses of one origin whose beginnings are closer than this are one outage.
const SAME_OUTAGE_SECS: i64 = 900;
/// An AS with fewer prefixes loses prefixes, not itself.
const AS_PREFIXES_MIN: usize = 2;
/// A loss of fewer prefixes that is over sooner than [`BRIEF_SECS`] healed by itself: not told of.
const BRIEF_PREFIXES_MIN: usize = 10;
const BRIEF_SECS: i64 = 300;
/// Outside a constituency, a loss of a single prefix is told of when it lasts this long.
const SINGLE_SECS: i64 = 1_800;
/// An outage of a country: at least so many prefixes, of so many ASes, and this share of all known.
const COUNTRY_PREFIXES_MIN: usize = 4;
const COUNTRY_ASES_MIN: usize = 3;
const COUNTRY_PERCENT: usize = 50;
/// The feeds count as degraded from this share of lost sessions on, in percent.
const DEGRADED_PERCENT: usize = 25;
/// Sessions lost this long before the start matter.
const BEFORE_SECS: i64 = 300;

impl Detector {
    /// Sessions of the family that were down from five minutes before the period to its end.
    pub(super) fn feed_state(
        &self,
        family: AddressFamily,
        (from, until): (Timestamp, Timestamp),
    ) -> FeedState {
        let from = from.plus_secs(-BEFORE_SECS);
        let absent = self.absent_sessions(from, until);
        let mut sessions = self.sessions_of(family);
        sessions.retain(|peer| absent.binary_search(peer).is_err());
        let lost = self.lost_sessions(from, until);
        let lost = lost.into_iter().filter(|peer| sessions.binary_search(peer).is_ok()).count();
        let degraded = lost * 100 >= sessions.len().max(1) * DEGRADED_PERCENT;
        FeedState { sessions: sessions.len(), lost, degraded, impaired: Vec::new() }
    }

    /// Outages, as of the last event.
    pub(super) fn outage_incidents(&self) -> Vec<Incident> {
        let mut losses = self.losses();
        losses.retain(|loss| loss.origin != BEACON_ORIGIN);
        if losses.is_empty() {
            return Vec::new();
        }
        losses.sort_unstable_by_key(|loss| (loss.origin, loss.from, loss.prefix, loss.lost_at));
        let known = self.prefixes_by_origin();
        let mut incidents = Vec::new();
        let (countries, told) = self.country_outages(&losses, &known);
        losses.retain(|loss| !told.contains(&(loss.prefix, loss.from)));
        for losses in losses.chunk_by(|a, b| a.origin == b.origin) {
            let Some(origin) = losses.first().map(|loss| loss.origin) else { continue };
            let of = known.get(&origin).copied().unwrap_or_default();
            for losses in apart(losses) {
                incidents.extend(self.outage_of(origin, &losses, of));
            }
        }
        incidents.extend(countries);
        incidents
    }

    fn outage_of(&self, origin: Asn, losses: &[&Loss], known: OriginStat) -> Option<Incident> {
        let secs = |loss: &Loss| loss.until.unwrap_or(self.now()).secs_since(loss.from);
        let is_brief = |loss: &Loss| loss.until.is_some() && secs(loss) < BRIEF_SECS;
        let losses: Vec<&Loss> = if distinct(losses) < BRIEF_PREFIXES_MIN {
            losses.iter().copied().filter(|loss| !is_brief(loss)).collect()
        } else {
            losses.to_vec()
        };
        let count = distinct(&losses);
        let longest = losses.iter().map(|loss| secs(loss)).max()?;
        if count == 1 && longest < SINGLE_SECS && self.facts().constituency.is_none() {
            return None;
        }
        let is_whole = count >= AS_PREFIXES_MIN && count * 100 >= known.prefixes * ALL_PERCENT;
        let kind = if is_whole { IncidentKind::AsOutage } else { IncidentKind::PrefixOutage };
        self.outage(kind, (&format!("{origin}"), &[origin]), &losses, known)
    }

    fn outage(
        &self,
        kind: IncidentKind,
        (name, victims): (&str, &[Asn]),
        losses: &[&Loss],
        known: OriginStat,
    ) -> Option<Incident> {
        let prefixes: BTreeSet<Prefix> = losses.iter().map(|loss| loss.prefix).collect();
        let prefixes: Vec<Prefix> = prefixes.into_iter().collect();
        let from = losses.iter().map(|loss| loss.from).min()?;
        let last = losses.iter().map(|loss| loss.lost_at).max()?;
        let mut ends: Vec<Option<Timestamp>> = losses.iter().map(|loss| loss.until).collect();
        // The outage is over when most are back.
        ends.sort_unstable_by_key(|end| (end.is_none(), *end));
        let ended_at = ends.get(ends.len() / 2).copied().flatten();
        let secs = ended_at.unwrap_or(self.now()).secs_since(from).max(0);
        let family = prefixes.first()?.family();
        let feeds = self.feed_state(family, (from, last));
        let is_over = ended_at.is_some();
        let is_replaced = known
            .newest
            .is_some_and(|newest| newest <= from && from.secs_since(newest) <= REPLACED_SECS);
        let lines = outage::weigh(&OutageCase {
            losses,
            lost: prefixes.len(),
            known: known.prefixes,
            is_replaced,
            feeds,
            secs,
            is_over,
        });
        let confidence = rules::confidence(&lines);
        if confidence < CONFIDENCE_REPORTED_MIN {
            return None;
        }
        let had = losses.iter().map(|loss| loss.had).max()?;
        let kept = losses.iter().map(|loss| loss.kept).min()?;
        let (evidence, counter_evidence): (Vec<Evidence>, Vec<Evidence>) =
            lines.into_iter().partition(|line| line.weight > 0);
        let id = outage_id(kind, name, from);
        let mut incident = Incident {
            victims: victims.to_vec(),
            as_names: self.as_names(victims.iter()),
            ended_at,
            exposure_secs: secs,
            recurrences: recurrences(losses),
            state: if is_over { IncidentState::Ended } else { IncidentState::Ongoing },
            vantage_points: VantagePoints {
                seen: had - kept,
                of: had,
                peak: had - kept,
                now: if is_over { 0 } else { had - kept },
            },
            confidence,
            evidence,
            counter_evidence,
            ..Detector::blank(id, kind, (from, last))
        };
        self.finish(&mut incident, &prefixes);
        Some(incident)
    }

    /// Countries of which a large part is lost at once, and the losses that are told so.
    fn country_outages(
        &self,
        losses: &[&Loss],
        known: &BTreeMap<Asn, OriginStat>,
    ) -> (Vec<Incident>, BTreeSet<(Prefix, Timestamp)>) {
        let mut told = BTreeSet::new();
        if self.facts().organisations.is_none() {
            return (Vec::new(), told);
        }
        let country = |asn: Asn| self.facts().country(asn);
        let mut of_country: BTreeMap<&str, usize> = BTreeMap::new();
        for (&asn, stat) in known {
            if let Some(country) = country(asn) {
                *of_country.entry(country).or_default() += stat.prefixes;
            }
        }
        let mut by_country: BTreeMap<&str, Vec<&Loss>> = BTreeMap::new();
        for &loss in losses {
            if let Some(country) = country(loss.origin) {
                by_country.entry(country).or_default().push(loss);
            }
        }
        let mut incidents = Vec::new();
        for (country, mut losses) in by_country {
            losses.sort_unstable_by_key(|loss| (loss.from, loss.prefix));
            let of = of_country.get(country).copied().unwrap_or(0);
            let together = |a: &&Loss, b: &&Loss| b.from.secs_since(a.from) <= SAME_OUTAGE_SECS;
            for losses in losses.chunk_by(together) {
                let asns: BTreeSet<Asn> = losses.iter().map(|loss| loss.origin).collect();
                let asns: Vec<Asn> = asns.into_iter().collect();
                let prefixes: BTreeSet<Prefix> = losses.iter().map(|loss| loss.prefix).collect();
                let is_large = prefixes.len() >= COUNTRY_PREFIXES_MIN
                    && asns.len() >= COUNTRY_ASES_MIN
                    && prefixes.len() * 100 >= of * COUNTRY_PERCENT;
                if is_large {
                    let of_all = OriginStat { prefixes: of, newest: None };
                    let who = (country, asns.as_slice());
                    incidents.extend(self.outage(IncidentKind::CountryOutage, who, losses, of_all));
                    told.extend(losses.iter().map(|loss| (loss.prefix, loss.from)));
                }
            }
        }
        (incidents, told)
    }
}

/// Losses of one origin, sorted by their beginning, that are one outage: those that begin together,
/// and those of the same prefix that come again soon.
fn apart<'a>(losses: &[&'a Loss]) -> Vec<Vec<&'a Loss>> {
    let mut groups: Vec<Vec<&Loss>> = Vec::new();
    let mut last_of: BTreeMap<Prefix, (usize, &Loss)> = BTreeMap::new();
    let mut latest: Option<(usize, &Loss)> = None;
    for &loss in losses {
        let is_again =
            |before: &Loss| before.until.is_some_and(|end| loss.from.secs_since(end) <= AGAIN_SECS);
        let is_together = |before: &Loss| loss.from.secs_since(before.from) <= SAME_OUTAGE_SECS;
        let again = last_of.get(&loss.prefix).copied().filter(|(_, before)| is_again(before));
        let found = again.or(latest.filter(|(_, before)| is_together(before)));
        let group = found.map_or(groups.len(), |(group, _)| group);
        match groups.get_mut(group) {
            Some(group) => group.push(loss),
            None => groups.push(vec![loss]),
        }
        last_of.insert(loss.prefix, (group, loss));
        latest = Some((group, loss));
    }
    groups
}

/// A prefix that is lost again within this time is lost still.
const AGAIN_SECS: i64 = 3_600;

/// What is new within this time before a loss may take its place.
const REPLACED_SECS: i64 = 86_400;

/// How often a prefix was lost again, at most.
fn recurrences(losses: &[&Loss]) -> u32 {
    let mut counts: BTreeMap<Prefix, u32> = BTreeMap::new();
    for loss in losses {
        *counts.entry(loss.prefix).or_default() += 1;
    }
    counts.values().max().map_or(0, |most| most - 1)
}

fn distinct(losses: &[&Loss]) -> usize {
    losses.iter().map(|loss| loss.prefix).collect::<BTreeSet<_>>().len()
}

fn outage_id(kind: IncidentKind, name: &str, from: Timestamp) -> String {
    super::build::id_of(&format!("{} {name} {from}", kind.name()), from)
}
