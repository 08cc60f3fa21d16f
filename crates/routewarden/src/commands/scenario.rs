//! `routewarden scenario run|check`: written incidents through the very same detector.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use routewarden_core::facts::{
    AsNameTable, FactKind, FactSource, Facts, Link, Organisation, OrganisationTable, OriginTable,
    Relation, RelationTable, Sourced, TrustAnchorId, Vrp, VrpTable,
};
use routewarden_core::{EventBatch, PeerId, PeerTable};
use routewarden_detect::{Config, Detector, Incident, Report};
use routewarden_lab::{Observed, RelationKind, Scenario};

use crate::cli::{Format, ScenarioCommand};
use crate::{Exit, output};

pub(super) fn run(command: &ScenarioCommand) -> Result<Exit> {
    match command {
        ScenarioCommand::Run { scenarios, format } => replay(scenarios, *format),
        ScenarioCommand::Check { scenarios } => check(scenarios),
    }
}

/// One document over all scenarios, whatever the format.
fn replay(paths: &[PathBuf], format: Format) -> Result<Exit> {
    let mut text = Vec::new();
    let mut all = Vec::new();
    for path in paths {
        let scenario = load(path)?;
        let incidents = detect(&scenario).incidents;
        if format == Format::Table {
            introduce(&mut text, &scenario, path)?;
            output::write(&mut text, &incidents, format)?;
            for incident in &incidents {
                writeln!(text, "\n{}", "-".repeat(96))?;
                output::explain(&mut text, incident)?;
            }
        } else {
            all.extend(incidents);
        }
    }
    match format {
        Format::Table => {}
        Format::Json => {
            serde_json::to_writer_pretty(&mut text, &serde_json::json!({ "incidents": all }))?;
            text.push(b'\n');
        }
        Format::Jsonl | Format::Csv | Format::Md => output::write(&mut text, &all, format)?,
    }
    io::stdout().lock().write_all(&text)?;
    Ok(Exit::Done)
}

fn introduce(out: &mut Vec<u8>, scenario: &Scenario, path: &Path) -> io::Result<()> {
    writeln!(out, "{}", scenario.title)?;
    if scenario.is_reconstruction {
        writeln!(
            out,
            "The input is a reconstruction from published facts, not a recording. The story, and how\n\
             to run the same on the real archive: {}",
            folder(path).join("README.md").display()
        )?;
    }
    writeln!(out)
}

fn check(paths: &[PathBuf]) -> Result<Exit> {
    let mut out = io::stdout().lock();
    let mut failed = 0usize;
    for path in paths {
        let scenario = load(path)?;
        let observed: Vec<Observed> = detect(&scenario).incidents.iter().map(observed).collect();
        let mismatches = scenario.check(&observed);
        failed += usize::from(!mismatches.is_empty());
        writeln!(out, "{} {}", if mismatches.is_empty() { "ok  " } else { "FAIL" }, scenario.id)?;
        for mismatch in mismatches {
            writeln!(out, "     {mismatch}")?;
        }
    }
    writeln!(out, "{} scenarios as expected, {failed} not", paths.len() - failed)?;
    Ok(if failed == 0 { Exit::Done } else { Exit::Error })
}

fn folder(path: &Path) -> &Path {
    if path.is_dir() { path } else { path.parent().unwrap_or(Path::new(".")) }
}

fn load(path: &Path) -> Result<Scenario> {
    let file = if path.is_dir() { path.join("scenario.toml") } else { path.to_owned() };
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("cannot read {}", file.display()))?;
    Scenario::parse(&text).with_context(|| format!("{} is no scenario", file.display()))
}

pub(crate) fn detect(scenario: &Scenario) -> Report {
    let config = Config { bogons: scenario.bogons, ..Config::default() };
    let mut detector = Detector::new(config, facts(scenario));
    let mut peers = PeerTable::default();
    let mut ids: Vec<PeerId> = Vec::new();
    let mut feed = |batch: &EventBatch, ids: &mut Vec<PeerId>| {
        ids.extend(batch.new_peers.iter().map(|peer| peers.intern(peer)));
        detector.apply(batch, 0..batch.events.len(), ids, &peers);
    };
    feed(scenario.table_batch(), &mut ids);
    for batch in scenario.update_batches() {
        feed(batch, &mut ids);
    }
    detector.report()
}

/// The scenario's facts as tables.
fn facts(scenario: &Scenario) -> Facts {
    let given = &scenario.facts;
    let source = |kind, entries: usize| FactSource {
        kind,
        name: scenario.id.clone(),
        sha256: None,
        date: Some(scenario.start),
        entries: u64::try_from(entries).unwrap_or(u64::MAX),
        skipped: std::collections::BTreeMap::new(),
    };
    let origins = given
        .origins
        .iter()
        .flat_map(|fact| fact.asns.iter().map(|&asn| (fact.prefix, asn)))
        .collect::<Vec<_>>();
    let vrps = given.vrps.iter().map(|fact| Vrp {
        prefix: fact.prefix,
        max_len: fact.max_length,
        asn: fact.asn,
        ta: TrustAnchorId::default(),
    });
    let vrps = vrps.collect::<Vec<_>>();
    Facts {
        origins: (!origins.is_empty()).then(|| Sourced {
            source: source(FactKind::Origins, origins.len()),
            table: OriginTable::from_entries(origins),
        }),
        vrps: (!vrps.is_empty()).then(|| Sourced {
            source: source(FactKind::Vrps, vrps.len()),
            table: VrpTable::from_vrps(vrps),
        }),
        organisations: (!given.organisations.is_empty()).then(|| Sourced {
            source: source(FactKind::Organisations, given.organisations.len()),
            table: organisations(scenario),
        }),
        relations: (!given.relations.is_empty()).then(|| Sourced {
            source: source(FactKind::Relations, given.relations.len()),
            table: relations(scenario),
        }),
        as_names: (!given.as_names.is_empty()).then(|| Sourced {
            source: source(FactKind::AsNames, given.as_names.len()),
            table: AsNameTable::from_names(
                given.as_names.iter().map(|fact| (fact.asn, fact.name.as_str().into())).collect(),
            ),
        }),
    }
}

fn organisations(scenario: &Scenario) -> OrganisationTable {
    let given = &scenario.facts.organisations;
    let organisations = given.iter().map(|fact| Organisation {
        id: fact.id.as_str().into(),
        name: fact.name.as_str().into(),
        country: fact.country.as_deref().unwrap_or_default().into(),
    });
    let members =
        given.iter().flat_map(|fact| fact.asns.iter().map(|&asn| (asn, fact.id.as_str().into())));
    OrganisationTable::from_records(organisations.collect(), members.collect())
}

fn relations(scenario: &Scenario) -> RelationTable {
    let links = scenario.facts.relations.iter().map(|fact| Link {
        a: fact.left,
        b: fact.right,
        relation: match fact.kind {
            RelationKind::ProviderCustomer => Relation::Customer,
            RelationKind::PeerPeer => Relation::Peer,
        },
    });
    RelationTable::from_links(links.collect())
}

fn observed(incident: &Incident) -> Observed {
    Observed {
        id: incident.id.clone(),
        kind: incident.kind.name().to_owned(),
        culprits: incident.culprits.clone(),
        victims: incident.victims.clone(),
        prefixes: incident.prefixes.clone(),
        prefix_count: incident.prefix_count,
        covering: incident.covering_prefixes.clone(),
        propagators: incident.propagators.clone(),
        countermeasures: incident.countermeasures.iter().map(|done| done.prefix).collect(),
        first_seen: incident.first_seen,
        ended_at: incident.ended_at,
        state: incident.state.name().to_owned(),
        seen: incident.vantage_points.seen,
        confidence: incident.confidence,
        severity: incident.severity,
        ..Observed::default()
    }
}
