//! The corpus of written incidents: every folder of `scenarios/`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use routewarden_core::{Asn, EventBatch, Prefix, RouteAttributes, RouteEventKind, Timestamp};
use routewarden_core::{PeerId, PeerTable};
use routewarden_lab::{FactsChange, RelationKind, Scenario, Step, VrpFact};
use routewarden_rivals::{Roa, StartingTable};

use super::Case;
use super::finding::{Finding, Truth};
use super::watch::Watch;

/// All scenarios of a folder, by name. One that cannot be read is an error: none is left out.
pub fn cases(folder: &Path) -> anyhow::Result<Vec<Case>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            files.push(path.join("scenario.toml"));
        }
    }
    files.sort();
    ensure!(!files.is_empty(), "no scenarios in {}", folder.display());
    files.iter().map(|file| case(file)).collect()
}

fn case(file: &Path) -> anyhow::Result<Case> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let scenario = Scenario::parse(&text).with_context(|| file.display().to_string())?;
    let incidents = routewarden::detect_scenario(&scenario)?.incidents;
    let findings = incidents.iter().map(|incident| {
        Finding::of_incident(&serde_json::to_value(incident)?)
            .with_context(|| file.display().to_string())
    });
    let ours: Vec<Finding> = findings.collect::<anyhow::Result<_>>()?;

    let mut roas = roas(&scenario.facts.vrps);
    let is_told = scenario.steps().iter().any(|step| matches!(step, Step::Facts(_)));
    let known = (is_told || !roas.is_empty()).then(|| roas.clone());
    let mut watch = Watch::new(table(&scenario), None, known, &ours);
    let (mut peers, mut ids): (PeerTable, Vec<PeerId>) = (PeerTable::default(), Vec::new());
    let mut show = |batch: &EventBatch, watch: &mut Watch, peers: &mut PeerTable| {
        ids.extend(batch.new_peers.iter().map(|peer| peers.intern(peer)));
        watch.take(batch, 0..batch.events.len(), &ids, peers);
    };
    show(scenario.table_batch(), &mut watch, &mut peers);
    for step in scenario.steps() {
        match step {
            Step::Events(batch) => show(batch, &mut watch, &mut peers),
            Step::Facts(change) => {
                changed(&mut roas, change);
                watch.replace_roas(change.time, &roas, &peers);
            }
        }
    }
    let findings = watch.finish(ours);
    let truths = truths(&scenario);
    Ok(Case { corpus: "scenarios", name: scenario.id.clone(), truths, findings })
}

/// What the rivals know beside the routes: origins and neighbours that the scenario states.
fn table(scenario: &Scenario) -> StartingTable {
    let mut table = StartingTable::default();
    for fact in &scenario.facts.origins {
        for asn in &fact.asns {
            table.know_origin(fact.prefix, *asn);
        }
    }
    for fact in &scenario.facts.relations {
        table.know_link(fact.left, fact.right);
        if fact.kind == RelationKind::PeerPeer {
            table.know_link(fact.right, fact.left);
        }
    }
    table
}

fn roas(facts: &[VrpFact]) -> Vec<Roa> {
    let roa = |fact: &VrpFact| Roa {
        ta: fact.trust_anchor.as_deref().unwrap_or_default().to_owned(),
        prefix: fact.prefix,
        asn: fact.asn,
        max_len: fact.max_length,
        expires: fact.expires,
    };
    facts.iter().map(roa).collect()
}

/// The payloads after a change; one is removed by prefix, ASN and length.
fn changed(roas: &mut Vec<Roa>, change: &FactsChange) {
    let is_same = |roa: &Roa, gone: &VrpFact| {
        (roa.prefix, roa.asn, roa.max_len) == (gone.prefix, gone.asn, gone.max_length)
    };
    roas.retain(|roa| !change.vrps_removed.iter().any(|gone| is_same(roa, gone)));
    roas.extend(self::roas(&change.vrps_added));
}

fn truths(scenario: &Scenario) -> Vec<Truth> {
    let truth = |expected: &routewarden_lab::Expectation| {
        let mut truth = truth(&expected.kind, expected.culprit, expected.victim);
        truth.prefixes.clone_from(&expected.prefixes);
        truth.start = expected.first_seen.unwrap_or_else(|| start(scenario, &truth));
        truth
    };
    scenario.expectations.iter().map(truth).collect()
}

fn truth(kind: &str, culprit: impl Into<Option<Asn>>, victim: Option<Asn>) -> Truth {
    let (kind, culprit) = (kind.to_owned(), culprit.into());
    Truth { kind, culprit, victim, prefixes: Vec::new(), start: Timestamp::default() }
}

/// When what is expected begins, if the scenario does not say: with the first event about one of
/// its prefixes that has the culprit in its path; or with the first event.
fn start(scenario: &Scenario, truth: &Truth) -> Timestamp {
    let is_place = |prefix: &Prefix| {
        truth.prefixes.is_empty() || truth.prefixes.iter().any(|own| own.covers(prefix))
    };
    let mut first = None;
    for batch in scenario.update_batches() {
        for event in &batch.events {
            first = first.or(Some(event.time));
            if let RouteEventKind::Announcement { prefix, attributes } = event.kind
                && is_place(&prefix)
                && let Some(route) = RouteAttributes::decode(batch.attributes(attributes))
                && truth.culprit.is_none_or(|asn| route.as_path.asns().any(|hop| hop == asn))
            {
                return event.time;
            }
        }
    }
    first.unwrap_or(scenario.start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accuracy::OURS;
    use crate::accuracy::score::{Status, judge};

    fn case_of(name: &str) -> Case {
        let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
        case(&scenarios.join(name).join("scenario.toml")).unwrap()
    }

    /// Detector, seconds from the start to the first event and to the alarm, of what is true.
    fn delays(case: &Case) -> Vec<(&str, i64, i64)> {
        let mut delays = Vec::new();
        for (detector, findings) in &case.findings {
            let statuses = judge(&case.truths, &findings.iter().collect::<Vec<_>>());
            for (finding, status) in findings.iter().zip(statuses) {
                if let Status::True(at) = status {
                    let since = |time: Timestamp| time.secs_since(case.truths[at].start);
                    delays.push((*detector, since(finding.first_seen), since(finding.raised)));
                }
            }
        }
        delays
    }

    /// The ten peers have the hijack three seconds one after the other.
    #[test]
    fn a_quorum_takes_until_the_second_peer() {
        let case = case_of("subprefix-hijack");
        let expected = [(OURS, 0, 3), ("artemis", 0, 0), ("bgpalerter", 3, 3), ("naive", 0, 0)];
        assert_eq!(delays(&case), expected);
        assert_eq!((case.name.as_str(), case.truths.len()), ("subprefix-hijack", 1));
    }

    /// BGPalerter looks at trust anchors every 900 s; the change is ten minutes after the hour.
    #[test]
    fn payloads_that_change_are_shown_to_those_who_look() {
        let case = case_of("trust-anchor-loss");
        let theirs: Vec<_> = delays(&case).into_iter().filter(|(who, ..)| *who != OURS).collect();
        assert_eq!(theirs, [("bgpalerter", 300, 300)]);
    }

    #[test]
    fn the_rivals_are_not_told_who_belongs_together() {
        let case = case_of("silent-same-organisation-moas");
        assert_eq!(case.truths, []);
        let counts: Vec<usize> = case.findings.iter().map(|(_, all)| all.len()).collect();
        assert_eq!(counts, [0, 1, 1, 1]);
    }
}
