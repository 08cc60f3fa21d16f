//! From changes of ROAs and ASPAs to incidents.

use std::collections::{BTreeMap, BTreeSet};

use routewarden_core::facts::{AspaFinding, AspaFindingKind, RoaFinding, RoaFindingKind, Vrp};
use routewarden_core::{Asn, Prefix, Timestamp};

use super::build::id_of;
use crate::changes::{Change, ChangeFinding};
use crate::detector::Detector;
use crate::incident::{Evidence, FactValue, Incident, IncidentKind, IncidentState};
use crate::rules;

const ANCHOR_LOSS_WEIGHT: i32 = 90;
const FOREIGN_WEIGHT: i32 = 80;
const REMOVED_WEIGHT: i32 = 70;
const LOOSENED_WEIGHT: i32 = 60;
const EXPIRING_WEIGHT: i32 = 50;
const ASPA_FOREIGN_WEIGHT: i32 = 70;
const ASPA_CHANGED_WEIGHT: i32 = 40;

/// Weight of a finding that only goes with a graver one.
const BESIDE_WEIGHT: i32 = 1;

/// Rules of changes of what the RPKI says.
pub(crate) const CHANGE_RULES: [(&str, i32); 7] = [
    ("trust_anchor_lost_vrps", ANCHOR_LOSS_WEIGHT),
    ("foreign_asn_authorised", FOREIGN_WEIGHT),
    ("roa_removed", REMOVED_WEIGHT),
    ("max_length_raised", LOOSENED_WEIGHT),
    ("roa_expiring", EXPIRING_WEIGHT),
    ("foreign_provider_attested", ASPA_FOREIGN_WEIGHT),
    ("aspa_changed", ASPA_CHANGED_WEIGHT),
];

impl Detector {
    /// One incident for each trust anchor, and for each member whose ROAs, and each AS whose ASPA,
    /// changed at one time.
    pub(super) fn change_incidents(&self) -> Vec<Incident> {
        let mut of_members: BTreeMap<(Timestamp, &str), Vec<(&Change, &RoaFinding)>> =
            BTreeMap::new();
        let mut incidents = Vec::new();
        for change in &self.change_log().changes {
            match &change.finding {
                ChangeFinding::Aspa(finding) => {
                    incidents.push(self.aspa_incident(change, finding));
                }
                ChangeFinding::Roa(finding) => {
                    let who = finding.member.as_deref().unwrap_or(&finding.trust_anchor);
                    of_members.entry((change.time, who)).or_default().push((change, finding));
                }
            }
        }
        incidents.extend(of_members.into_values().filter_map(|found| self.roa_incident(&found)));
        incidents
    }

    fn roa_incident(&self, found: &[(&Change, &RoaFinding)]) -> Option<Incident> {
        let &(change, first) = found.first()?;
        let time = change.time;
        let is_anchor = first.kind == RoaFindingKind::TrustAnchorLoss;
        let kind = if is_anchor { IncidentKind::TrustAnchorLoss } else { IncidentKind::RoaChange };
        let mut evidence: Vec<Evidence> =
            found.iter().map(|(change, finding)| roa_evidence(change, finding)).collect();
        // The gravest speaks; the others are told beside it.
        evidence.sort_by_key(|line| -line.weight);
        for line in evidence.iter_mut().skip(1) {
            line.weight = BESIDE_WEIGHT;
        }
        let is_foreign = |finding: &&RoaFinding| finding.kind == RoaFindingKind::ForeignAsn;
        let findings = || found.iter().map(|&(_, finding)| finding);
        let culprits: BTreeSet<Asn> =
            findings().filter(is_foreign).filter_map(|finding| finding.asn).collect();
        let culprits: Vec<Asn> = culprits.into_iter().collect();
        let prefixes: BTreeSet<Prefix> =
            findings().flat_map(|finding| finding.prefixes.iter().copied()).collect();
        let prefixes: Vec<Prefix> = prefixes.into_iter().collect();
        let who = first.member.as_deref().unwrap_or(&first.trust_anchor);
        let incident = (kind, id_of(&format!("{} {who} {time}", kind.name()), time), time);
        let victims = self.asns_of(first.member.as_deref());
        let mut incident = self.change(incident, (culprits, victims), evidence, &prefixes);
        if is_anchor {
            incident.prefix_count = first.vrps;
        }
        let ends = found.iter().map(|(change, _)| change.ended_at);
        if let Some(end) = ends.collect::<Option<Vec<_>>>().and_then(|e| e.into_iter().max()) {
            incident.ended_at = Some(end);
            incident.exposure_secs = end.secs_since(time);
            incident.state = IncidentState::Ended;
        }
        Some(incident)
    }

    fn aspa_incident(&self, change: &Change, finding: &AspaFinding) -> Incident {
        let time = change.time;
        let is_foreign = finding.kind == AspaFindingKind::ForeignProvider;
        let (rule, weight) = if is_foreign {
            ("foreign_provider_attested", ASPA_FOREIGN_WEIGHT)
        } else {
            ("aspa_changed", ASPA_CHANGED_WEIGHT)
        };
        let asns = |asns: &[Asn]| -> FactValue { asns.iter().copied().collect() };
        let facts = BTreeMap::from([
            ("before".to_owned(), asns(&finding.before)),
            ("after".to_owned(), asns(&finding.after)),
            ("source".to_owned(), change.source.as_ref().into()),
        ]);
        let evidence = told(rule, weight, &finding.reason, facts);
        let culprits = if is_foreign { finding.providers.clone() } else { Vec::new() };
        let identity = format!("{:?} {} {time}", finding.kind, finding.customer);
        let incident = (IncidentKind::AspaChange, id_of(&identity, time), time);
        self.change(incident, (culprits, vec![finding.customer]), vec![evidence], &[])
    }

    fn change(
        &self,
        (kind, id, time): (IncidentKind, String, Timestamp),
        (culprits, victims): (Vec<Asn>, Vec<Asn>),
        evidence: Vec<Evidence>,
        prefixes: &[Prefix],
    ) -> Incident {
        let mut incident = Incident {
            as_names: self.as_names(culprits.iter().chain(&victims)),
            culprits,
            victims,
            confidence: rules::confidence(&evidence),
            evidence,
            ..Detector::blank(id, kind, (time, time))
        };
        incident.exposure_secs = self.now().secs_since(time).max(0);
        self.finish(&mut incident, prefixes);
        incident
    }

    fn asns_of(&self, member: Option<&str>) -> Vec<Asn> {
        let constituency = self.facts().constituency.as_ref();
        let found = constituency.and_then(|facts| facts.table.member(member?));
        found.map(|member| member.asns.clone()).unwrap_or_default()
    }
}

fn roa_evidence(change: &Change, finding: &RoaFinding) -> Evidence {
    let (rule, weight) = match finding.kind {
        RoaFindingKind::TrustAnchorLoss => ("trust_anchor_lost_vrps", ANCHOR_LOSS_WEIGHT),
        RoaFindingKind::ForeignAsn | RoaFindingKind::As0Added => {
            ("foreign_asn_authorised", FOREIGN_WEIGHT)
        }
        RoaFindingKind::Removed => ("roa_removed", REMOVED_WEIGHT),
        RoaFindingKind::Loosened => ("max_length_raised", LOOSENED_WEIGHT),
        RoaFindingKind::Expiring => ("roa_expiring", EXPIRING_WEIGHT),
    };
    let vrps = |vrps: &[Vrp]| -> FactValue {
        FactValue::List(vrps.iter().map(|vrp| vrp_text(vrp).as_str().into()).collect())
    };
    let facts = BTreeMap::from([
        ("before".to_owned(), vrps(&finding.before)),
        ("after".to_owned(), vrps(&finding.after)),
        ("vrps".to_owned(), finding.vrps.into()),
        ("trust_anchor".to_owned(), finding.trust_anchor.as_ref().into()),
        ("source".to_owned(), change.source.as_ref().into()),
    ]);
    told(rule, weight, &finding.reason, facts)
}

fn vrp_text(vrp: &Vrp) -> String {
    format!("{} up to /{} {}", vrp.prefix, vrp.max_len, vrp.asn)
}

/// The reason as a sentence.
fn told(rule: &str, weight: i32, reason: &str, facts: BTreeMap<String, FactValue>) -> Evidence {
    let mut letters = reason.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let text = format!("{first}{}.", letters.as_str());
    Evidence { rule: rule.to_owned(), weight, text, facts }
}
