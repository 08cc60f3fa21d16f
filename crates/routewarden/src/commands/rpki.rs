//! `routewarden rpki`.

use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use routewarden_core::facts::rpki_change::lost_anchors;
use routewarden_core::facts::{
    AnchorChange, AspaFinding, FactSource, Facts, PrefixRuns, Revalidation, RoaFinding, RovState,
    RunVrps, Sourced, StandingRoutes, Vrp, VrpDiff, VrpTable, aspa_changes, roa_changes,
};
use routewarden_core::{Asn, Origin, Prefix};
use serde::Serialize;

use crate::cli::{DocumentFormat, FactArgs, RpkiCommand, RpkiDiffArgs};
use crate::{Exit, facts, output, tables};

/// Most VRPs printed of each sort in a table; JSON has all.
const VRP_ROWS_MAX: usize = 50;
/// Most distinct routes of tables; with more the data is incomplete.
const ROUTES_MAX: usize = 8_000_000;
/// Most routes of tables kept before those given again are dropped.
const ROUTES_REPEATED_MAX: usize = 4_000_000;

pub(super) fn run(command: &RpkiCommand) -> Result<Exit> {
    match command {
        RpkiCommand::Diff(args) => diff(args),
    }
}

/// A VRP with the name of its trust anchor.
#[derive(Serialize)]
struct VrpRow<'a> {
    #[serde(flatten)]
    vrp: Vrp,
    ta: &'a str,
}

/// The document of `--format json`.
#[derive(Serialize)]
struct Document<'a> {
    old: &'a FactSource,
    new: &'a FactSource,
    trust_anchors: &'a [AnchorChange],
    added: Vec<VrpRow<'a>>,
    removed: Vec<VrpRow<'a>>,
    renewed: usize,
    touched_prefixes: usize,
    /// Absent without routes.
    routes: Option<&'a Revalidation>,
    roa_findings: &'a [RoaFinding],
    aspa_findings: &'a [AspaFinding],
}

fn diff(args: &RpkiDiffArgs) -> Result<Exit> {
    let [old, new] = [run_of(&args.old)?, run_of(&args.new)?];
    let beside = facts::load(&FactArgs {
        origins: args.table.origins.clone(),
        constituency: args.constituency.clone(),
        ..FactArgs::default()
    })?;
    let (old_vrps, new_vrps) = (vrps(&old)?, vrps(&new)?);
    let (routes, is_incomplete) = standing(args, &beside)?;
    let standing = |top: &Prefix, each: &mut dyn FnMut(Prefix, Origin)| {
        for (prefix, origins) in routes.iter().flat_map(|routes| routes.covered(top)) {
            for &origin in origins {
                each(prefix, origin);
            }
        }
    };
    let begin = now();
    let diff = VrpDiff::between(old_vrps, new_vrps);
    let compared = begin.elapsed();
    let begin = now();
    let revalidation = routes.is_some().then(|| diff.revalidate(old_vrps, new_vrps, &standing));
    let revalidated = begin.elapsed();
    let (roas, aspas) = findings(&diff, (&old, &new), &beside, &standing)?;
    let row = |vrp: &Vrp| (*vrp, diff.trust_anchor(vrp));
    let rows = |vrps: &[Vrp]| vrps.iter().map(row).map(|(vrp, ta)| VrpRow { vrp, ta }).collect();
    let document = Document {
        old: &old_vrps.source,
        new: &new_vrps.source,
        trust_anchors: diff.anchors(),
        added: rows(diff.added()),
        removed: rows(diff.removed()),
        renewed: diff.renewed().len(),
        touched_prefixes: diff.touched().len(),
        routes: revalidation.as_ref(),
        roa_findings: &roas,
        aspa_findings: &aspas,
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    match args.format {
        DocumentFormat::Json => {
            serde_json::to_writer_pretty(&mut out, &document)?;
            writeln!(out)?;
        }
        DocumentFormat::Table => table(&mut out, &document)?,
    }
    out.flush()?;
    if !args.quiet {
        let all = routes.as_ref().map_or(0, PrefixRuns::item_count);
        writeln!(
            io::stderr(),
            "compared in {:.1} ms; of {all} routes {} validated anew in {:.3} ms",
            compared.as_secs_f64() * 1e3,
            revalidation.map_or(0, |outcome| outcome.touched),
            revalidated.as_secs_f64() * 1e3
        )?;
    }
    Ok(if is_incomplete { Exit::Incomplete } else { Exit::Done })
}

#[expect(clippy::disallowed_methods, reason = "how long it took, told on standard error only")]
fn now() -> Instant {
    Instant::now()
}

/// The facts of one validator run.
fn run_of(path: &Path) -> Result<Facts> {
    facts::load(&FactArgs { vrps: Some(path.into()), ..FactArgs::default() })
}

fn vrps(facts: &Facts) -> Result<&Sourced<VrpTable>> {
    facts.vrps.as_ref().context("no VRPs were read")
}

type Routes = PrefixRuns<Origin>;

/// The routes that stand, when a table was named, and whether it was incomplete.
fn standing(args: &RpkiDiffArgs, facts: &Facts) -> Result<(Option<Routes>, bool)> {
    let mut routes = Vec::new();
    if let Some(origins) = &facts.origins {
        let pairs =
            origins.iter().flat_map(|(prefix, asns)| asns.iter().map(move |a| (prefix, *a)));
        routes.extend(pairs.map(|(prefix, asn)| (prefix, Origin::As(asn))));
    } else if args.table.rib.is_empty() {
        return Ok((None, false));
    }
    let mut is_incomplete = false;
    if !args.table.rib.is_empty() {
        let mut distinct = 0;
        is_incomplete = tables::read(&args.table.rib, args.quiet, |route| {
            routes.push((route.prefix, Origin::of(route.path)));
            // Peers mostly agree: what they repeat is dropped from time to time.
            if routes.len() - distinct >= ROUTES_REPEATED_MAX {
                routes.sort_unstable();
                routes.dedup();
                routes.truncate(ROUTES_MAX);
                distinct = routes.len();
            }
        })?;
        routes.sort_unstable();
        routes.dedup();
        is_incomplete |= routes.len() >= ROUTES_MAX;
    }
    Ok((Some(PrefixRuns::from_entries(routes)), is_incomplete))
}

fn findings(
    diff: &VrpDiff,
    (old, new): (&Facts, &Facts),
    beside: &Facts,
    standing: &StandingRoutes<'_>,
) -> Result<(Vec<RoaFinding>, Vec<AspaFinding>)> {
    let Some(constituency) = &beside.constituency else {
        return Ok((lost_anchors(diff), Vec::new()));
    };
    let run = |facts| -> Result<RunVrps<'_>> {
        let vrps: &Sourced<VrpTable> = vrps(facts)?;
        Ok(RunVrps { table: &vrps.table, at: vrps.source.date })
    };
    let roas = roa_changes(diff, run(old)?, run(new)?, constituency, standing);
    // A file without ASPAs does not say that there are none.
    let aspas = match (&old.aspas, &new.aspas) {
        (Some(old), Some(new)) => aspa_changes(old.iter(), new.iter(), constituency),
        _ => Vec::new(),
    };
    Ok((roas, aspas))
}

fn table(out: &mut dyn Write, document: &Document<'_>) -> Result<()> {
    let sources = [("old", document.old), ("new", document.new)];
    for (which, source) in sources {
        let date = source.date.map(|date| format!(", {date}")).unwrap_or_default();
        writeln!(out, "{which}: {} VRPs of {}{date}", source.entries, source.name)?;
    }
    writeln!(out)?;
    let anchors = document.trust_anchors.iter().map(|anchor| {
        let name = if anchor.name.is_empty() { "(no name)" } else { &*anchor.name };
        let counts = [anchor.before, anchor.after, anchor.added, anchor.removed, anchor.renewed];
        let [before, after, added, removed, renewed] = counts.map(|count| count.to_string());
        [name.to_owned(), before, after, added, removed, renewed]
    });
    let header = ["trust anchor", "before", "after", "added", "removed", "renewed"];
    output::columns(out, header, anchors)?;
    for (what, vrps) in [("added", &document.added), ("removed", &document.removed)] {
        if !vrps.is_empty() {
            writeln!(out, "\n{what}:")?;
        }
        for VrpRow { vrp, ta } in vrps.iter().take(VRP_ROWS_MAX) {
            writeln!(out, "  {} up to /{} {} {ta}", vrp.prefix, vrp.max_len, vrp.asn)?;
        }
        if vrps.len() > VRP_ROWS_MAX {
            writeln!(out, "  and {} more", vrps.len() - VRP_ROWS_MAX)?;
        }
    }
    if let Some(routes) = document.routes {
        writeln!(
            out,
            "\nstanding routes: {} touched, at and below {} prefixes; {} changed state",
            routes.touched,
            document.touched_prefixes,
            routes.changed.len()
        )?;
        for change in &routes.changed {
            let origin = change.origin.asn().map_or("no single origin".to_owned(), name);
            let (before, after) = (state(change.before), state(change.after));
            writeln!(out, "  {} {origin}: {before} -> {after}", change.prefix)?;
        }
    }
    let reasons = document.roa_findings.iter().map(|finding| &finding.reason);
    let reasons = reasons.chain(document.aspa_findings.iter().map(|finding| &finding.reason));
    for (at, reason) in reasons.enumerate() {
        if at == 0 {
            writeln!(out, "\nfindings:")?;
        }
        writeln!(out, "  {reason}")?;
    }
    Ok(())
}

fn name(asn: Asn) -> String {
    asn.to_string()
}

fn state(state: RovState) -> &'static str {
    match state {
        RovState::Valid => "valid",
        RovState::Invalid => "invalid",
        RovState::NotFound => "not found",
    }
}
