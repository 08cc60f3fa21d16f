//! From changes of ROAs and ASPAs to incidents.

use std::collections::BTreeMap;

use routewarden_core::facts::{AspaFinding, AspaFindingKind, RoaFinding, RoaFindingKind, Vrp};
use routewarden_core::{Asn, Prefix, Timestamp};

use super::build::id_of;
use crate::changes::{ChangeFinding, is_of_anchor};
use crate::detector::Detector;
use crate::incident::{Evidence, FactValue, Incident, IncidentKind};
use crate::rules;

const ANCHOR_LOSS_WEIGHT: i32 = 90;
const FOREIGN_WEIGHT: i32 = 80;
const REMOVED_WEIGHT: i32 = 70;
const LOOSENED_WEIGHT: i32 = 60;
const EXPIRING_WEIGHT: i32 = 50;
const ASPA_FOREIGN_WEIGHT: i32 = 70;
const ASPA_CHANGED_WEIGHT: i32 = 40;

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
    /// One incident for each finding of a change.
    pub(super) fn change_incidents(&self) -> Vec<Incident> {
        let build = |(time, finding): &(Timestamp, ChangeFinding)| match finding {
            ChangeFinding::Roa(finding) => self.roa_incident(*time, finding),
            ChangeFinding::Aspa(finding) => self.aspa_incident(*time, finding),
        };
        self.change_log().findings.iter().map(build).collect()
    }

    fn roa_incident(&self, time: Timestamp, finding: &RoaFinding) -> Incident {
        let (kind, rule, weight) = match finding.kind {
            RoaFindingKind::TrustAnchorLoss => {
                (IncidentKind::TrustAnchorLoss, "trust_anchor_lost_vrps", ANCHOR_LOSS_WEIGHT)
            }
            RoaFindingKind::ForeignAsn | RoaFindingKind::As0Added => {
                (IncidentKind::RoaChange, "foreign_asn_authorised", FOREIGN_WEIGHT)
            }
            RoaFindingKind::Removed => (IncidentKind::RoaChange, "roa_removed", REMOVED_WEIGHT),
            RoaFindingKind::Loosened => {
                (IncidentKind::RoaChange, "max_length_raised", LOOSENED_WEIGHT)
            }
            RoaFindingKind::Expiring => (IncidentKind::RoaChange, "roa_expiring", EXPIRING_WEIGHT),
        };
        let vrps = |vrps: &[Vrp]| -> FactValue {
            FactValue::List(vrps.iter().map(|vrp| vrp_text(vrp).as_str().into()).collect())
        };
        let facts = BTreeMap::from([
            ("before".to_owned(), vrps(&finding.before)),
            ("after".to_owned(), vrps(&finding.after)),
            ("vrps".to_owned(), finding.vrps.into()),
            ("trust_anchor".to_owned(), finding.trust_anchor.as_ref().into()),
            ("source".to_owned(), self.vrps_cited().as_str().into()),
        ]);
        let evidence = told(rule, weight, &finding.reason, facts);
        let is_foreign = weight == FOREIGN_WEIGHT;
        let culprits: Vec<Asn> =
            finding.asn.filter(|asn| is_foreign && asn.0 != 0).into_iter().collect();
        let who = finding.member.as_deref().unwrap_or(&finding.trust_anchor);
        let identity = format!("{:?} {who} {:?} {time}", finding.kind, finding.asn);
        let victims = self.asns_of(finding.member.as_deref());
        let incident = (kind, id_of(&identity, time), time);
        let mut incident = self.change(incident, (culprits, victims), evidence, &finding.prefixes);
        if is_of_anchor(finding) {
            incident.prefix_count = finding.vrps;
        }
        incident
    }

    fn aspa_incident(&self, time: Timestamp, finding: &AspaFinding) -> Incident {
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
        ]);
        let evidence = told(rule, weight, &finding.reason, facts);
        let culprits = if is_foreign { finding.providers.clone() } else { Vec::new() };
        let identity = format!("{:?} {} {time}", finding.kind, finding.customer);
        let incident = (IncidentKind::AspaChange, id_of(&identity, time), time);
        self.change(incident, (culprits, vec![finding.customer]), evidence, &[])
    }

    fn change(
        &self,
        (kind, id, time): (IncidentKind, String, Timestamp),
        (culprits, victims): (Vec<Asn>, Vec<Asn>),
        evidence: Evidence,
        prefixes: &[Prefix],
    ) -> Incident {
        let evidence = vec![evidence];
        let mut incident = Incident {
            as_names: self.as_names(culprits.iter().chain(&victims)),
            culprits,
            victims,
            confidence: rules::confidence(&evidence),
            evidence,
            ..self.blank(id, kind, (time, time))
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

    fn vrps_cited(&self) -> String {
        self.facts().vrps.as_ref().map(|facts| rules::cite(&facts.source)).unwrap_or_default()
    }
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
