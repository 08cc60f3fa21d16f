//! `routewarden scenario run|check`: written incidents through the very same detector.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use routewarden_core::facts::{Role, Touch};
use routewarden_core::{EventBatch, PeerId, PeerTable};
use routewarden_detect::{Config, Detector, FactsChange, Incident, RelationKind, Report};
use routewarden_lab::{Leak, MemberRole, Observed, Scenario, Step, Tables};

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
        let incidents = detect(&scenario)?.incidents;
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
        let observed: Vec<Observed> = detect(&scenario)?.incidents.iter().map(observed).collect();
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

/// What detection reports of a scenario.
pub(crate) fn detect(scenario: &Scenario) -> Result<Report> {
    let config = Config { bogons: scenario.bogons, hygiene: scenario.hygiene, ..Config::default() };
    let mut tables = Tables::new(scenario);
    let mut detector = Detector::new(config, tables.facts().map_err(anyhow::Error::msg)?);
    let mut peers = PeerTable::default();
    let mut ids: Vec<PeerId> = Vec::new();
    let mut feed = |detector: &mut Detector, batch: &EventBatch| {
        ids.extend(batch.new_peers.iter().map(|peer| peers.intern(peer)));
        detector.apply(batch, 0..batch.events.len(), &ids, &peers);
    };
    feed(&mut detector, scenario.table_batch());
    detector.begin_updates();
    for step in scenario.steps() {
        match step {
            Step::Events(batch) => feed(&mut detector, batch),
            Step::Facts(change) => {
                let (vrps, aspas) = tables.change(change);
                detector.change_facts(
                    change.time,
                    FactsChange { vrps, aspas, ..FactsChange::default() },
                );
            }
        }
    }
    Ok(detector.report())
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
        leak: incident.leak.map(|leak| Leak {
            rfc7908_type: leak.rfc7908_type,
            from: leak.from,
            by: leak.by,
            to: leak.to,
        }),
        link: incident.link.map(|link| (link.a, link.b)),
        artemis_class: incident.artemis_class.clone(),
        constituency: incident.constituency.iter().map(role).collect(),
        causes: incident
            .related
            .iter()
            .filter(|related| related.relation == RelationKind::CausedBy)
            .map(|related| related.id.clone())
            .collect(),
    }
}

fn role(touch: &Touch) -> MemberRole {
    let role = match touch.role {
        Role::Victim => "victim",
        Role::Culprit => "culprit",
        Role::OnPath => "on_path",
    };
    MemberRole { member: touch.member.clone(), role: role.to_owned() }
}
