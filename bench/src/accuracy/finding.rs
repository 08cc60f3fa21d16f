//! Truths, findings, and when one is about the other.

use std::collections::BTreeMap;

use anyhow::Context as _;
use routewarden_core::{Asn, Prefix, Timestamp};
use routewarden_rivals::{Alarm, AlarmKind};
use serde_json::Value;

/// An incident that is in the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    /// Kind, as detection names it.
    pub kind: String,
    /// Who did it; none for outages and the like.
    pub culprit: Option<Asn>,
    /// Whose space it is.
    pub victim: Option<Asn>,
    /// Prefixes it is about; none: any.
    pub prefixes: Vec<Prefix>,
    /// When it began.
    pub start: Timestamp,
}

/// What a detector says, in one alarm or many of the same kind and culprit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Kind, as detection names it.
    pub kind: String,
    /// Who is said to have done it.
    pub culprits: Vec<Asn>,
    /// Whose space it is said to be.
    pub victims: Vec<Asn>,
    /// Prefixes it is about, sorted.
    pub prefixes: Vec<Prefix>,
    /// 0 to 100; rivals have none.
    pub confidence: Option<u8>,
    /// First event that belongs to it.
    pub first_seen: Timestamp,
    /// When the detector would have said so: with its quorum.
    pub raised: Timestamp,
    /// Whether it is about routes that stood, and that facts turned: no event brings its quorum.
    pub is_of_standing: bool,
    /// Alarms it stands for.
    pub alarms: usize,
}

impl Truth {
    /// Whether a finding is about this, of whatever kind: the same culprit and a prefix in common.
    /// A finding that names nobody, and a truth without a culprit, are compared by the victim; a
    /// truth that has neither parties nor prefixes (a trust anchor's loss), by the kind.
    pub fn is_touched_by(&self, finding: &Finding) -> bool {
        if self.culprit.is_none() && self.victim.is_none() && self.prefixes.is_empty() {
            return self.kind == finding.kind;
        }
        let culprit = self.culprit.filter(|_| !finding.culprits.is_empty());
        let is_party = if let Some(culprit) = culprit {
            finding.culprits.contains(&culprit)
        } else {
            let mut own = self.victim.iter().chain(&self.culprit).peekable();
            own.peek().is_none() || own.any(|asn| finding.victims.contains(asn))
        };
        let overlaps = |own: &Prefix, other: &Prefix| own.covers(other) || other.covers(own);
        let is_place = self.prefixes.is_empty()
            || finding.prefixes.is_empty()
            || self.prefixes.iter().any(|own| finding.prefixes.iter().any(|p| overlaps(own, p)));
        is_party && is_place
    }

    /// Whether a finding is what should be said: about this, of its kind, with its culprit.
    pub fn is_met_by(&self, finding: &Finding) -> bool {
        let names_culprit = self.culprit.is_none_or(|asn| finding.culprits.contains(&asn));
        self.kind == finding.kind && names_culprit && self.is_touched_by(finding)
    }
}

impl Finding {
    /// Out of an incident as the program writes it. Fields that are not known are passed over, so
    /// that any kind of incident can be read.
    pub fn of_incident(incident: &Value) -> anyhow::Result<Self> {
        let field = |name: &str| incident.get(name).with_context(|| format!("no field {name}"));
        let first_seen: Timestamp = serde_json::from_value(field("first_seen")?.clone())?;
        let confidence: u8 = serde_json::from_value(field("confidence")?.clone())?;
        let mut prefixes: Vec<Prefix> = serde_json::from_value(field("prefixes")?.clone())?;
        prefixes.sort_unstable();
        Ok(Finding {
            kind: field("kind")?.as_str().context("kind is no text")?.to_owned(),
            culprits: serde_json::from_value(field("culprits")?.clone())?,
            victims: serde_json::from_value(field("victims")?.clone())?,
            prefixes,
            confidence: Some(confidence),
            first_seen,
            raised: first_seen,
            is_of_standing: incident["evidence"]
                .as_array()
                .into_iter()
                .flatten()
                .any(|line| line["rule"].as_str() == Some("turned_invalid_by_vrp_change")),
            alarms: 1,
        })
    }

    /// Out of alarms: those of one kind and culprit are one finding, as an analyst would see them;
    /// without a culprit those of one kind and victim, and about links those of one link. Raised
    /// with the first.
    pub fn of_alarms(alarms: &[Alarm]) -> Vec<Self> {
        let mut groups: BTreeMap<_, Finding> = BTreeMap::new();
        for alarm in alarms {
            let is_link = alarm.kind == AlarmKind::NewNeighbour;
            let party = alarm.victim.filter(|_| is_link || alarm.culprit.is_none());
            let group = groups.entry((alarm.kind, alarm.culprit, party)).or_insert(Finding {
                kind: alarm.kind.name().to_owned(),
                culprits: alarm.culprit.into_iter().chain(other_end(alarm)).collect(),
                victims: Vec::new(),
                prefixes: Vec::new(),
                confidence: None,
                first_seen: alarm.time,
                raised: alarm.time,
                is_of_standing: false,
                alarms: 0,
            });
            group.alarms += 1;
            group.prefixes.push(alarm.prefix);
            group.victims.extend(alarm.victim);
            group.first_seen = group.first_seen.min(alarm.time);
            group.raised = group.first_seen;
        }
        let mut findings: Vec<Finding> = groups.into_values().collect();
        for finding in &mut findings {
            finding.prefixes.sort_unstable();
            finding.prefixes.dedup();
            finding.victims.sort_unstable();
            finding.victims.dedup();
        }
        findings.sort_by_key(|finding| finding.first_seen);
        findings
    }
}

/// An alarm about a link blames neither of its ends more than the other.
fn other_end(alarm: &Alarm) -> Option<Asn> {
    alarm.victim.filter(|_| alarm.kind == AlarmKind::NewNeighbour)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm(secs: u32, prefix: &str, culprit: Option<u32>) -> Alarm {
        Alarm {
            time: Timestamp::from_secs(secs),
            kind: AlarmKind::OriginHijack,
            prefix: prefix.parse().unwrap(),
            culprit: culprit.map(Asn),
            victim: Some(Asn(64500)),
        }
    }

    #[test]
    fn alarms_of_one_culprit_are_one_finding() {
        let alarms = [
            alarm(5, "192.0.2.0/25", Some(64510)),
            alarm(3, "192.0.2.0/24", Some(64510)),
            alarm(4, "192.0.2.0/24", Some(64511)),
            alarm(2, "192.0.2.0/24", None),
        ];
        let findings = Finding::of_alarms(&alarms);
        let said: Vec<(i64, usize)> =
            findings.iter().map(|finding| (finding.raised.secs(), finding.alarms)).collect();
        assert_eq!(said, [(2, 1), (3, 2), (4, 1)]);
        assert_eq!(findings[1].victims, [Asn(64500)]);
    }

    #[test]
    fn a_finding_is_about_a_truth_by_culprit_and_prefix() {
        let truth = Truth {
            kind: "sub_prefix_hijack".to_owned(),
            culprit: Some(Asn(64510)),
            victim: Some(Asn(64500)),
            prefixes: vec!["192.0.2.0/24".parse().unwrap()],
            start: Timestamp::from_secs(1),
        };
        let touches = |prefix, culprit| {
            let findings = Finding::of_alarms(&[alarm(1, prefix, culprit)]);
            truth.is_touched_by(&findings[0])
        };
        assert!(touches("192.0.2.128/25", Some(64510)));
        assert!(touches("192.0.0.0/16", Some(64510)));
        assert!(!touches("198.51.100.0/24", Some(64510)));
        assert!(!touches("192.0.2.0/24", Some(64511)));
        assert!(touches("192.0.2.0/24", None), "the victim is right");
        let nobody = &Finding::of_alarms(&[alarm(1, "192.0.2.0/24", None)])[0];
        let same_kind = Truth { kind: "origin_hijack".to_owned(), ..truth.clone() };
        assert!(same_kind.is_touched_by(nobody) && !same_kind.is_met_by(nobody));
        let somebody = &Finding::of_alarms(&[alarm(1, "192.0.2.0/24", Some(64510))])[0];
        assert!(same_kind.is_met_by(somebody) && !truth.is_met_by(somebody), "by its kind");
        let outage = Truth { culprit: None, ..truth.clone() };
        assert!(outage.is_touched_by(&Finding::of_alarms(&[alarm(1, "192.0.2.0/24", None)])[0]));
    }
}
