//! `routewarden detect`.

use std::io::{self, Write};

use anyhow::Result;
use routewarden_core::facts::FactSource;
use routewarden_detect::{Config, Counters, Incident, Report, SeverityClass};
use serde::Serialize;

use crate::cli::{DetectArgs, Format};
use crate::exit::UsageError;
use crate::pipeline::{self, Job, Outcome};
use crate::{Exit, archives, facts, output, summary};

/// The document of `--format json`.
#[derive(Serialize)]
struct Document<'a> {
    generator: &'static str,
    version: &'static str,
    facts: &'a [FactSource],
    counters: Counters,
    vantage_points: usize,
    routes: usize,
    incidents: &'a [Incident],
}

pub(super) fn run(args: &DetectArgs) -> Result<Exit> {
    if let (Some(from), Some(until)) = (args.from, args.until)
        && from >= until
    {
        return Err(UsageError(format!("--from {from} is not before --until {until}")).into());
    }
    if !args.vrps_at.is_empty() && args.inputs.iter().any(|input| input == "-") {
        let text = "--vrps-at reads the updates once for each part: give files, not `-`";
        return Err(UsageError(text.to_owned()).into());
    }
    let facts = facts::load(&args.facts)?;
    let sources: Vec<FactSource> = facts.sources().cloned().collect();
    let (tables, inputs) = archives::resolve(args)?;
    let outcome = pipeline::run(Job {
        tables,
        inputs,
        facts,
        config: Config {
            bogons: !args.no_bogons,
            quorum: args.quorum,
            from: args.from,
            hygiene: args.hygiene,
            receiver: args.recorded_by,
        },
        changes: facts::load_changes(&args.vrps_at)?,
        from: args.from,
        until: args.until,
        threads: args.threads,
        shards: args.shards,
        keep_going: args.keep_going,
        quiet: args.quiet,
    })?;
    let (shown, hidden): (Vec<Incident>, Vec<Incident>) = outcome
        .report
        .incidents
        .iter()
        .cloned()
        .partition(|incident| incident.confidence >= args.min_confidence);
    print(&shown, &outcome.report, &sources, args.format)?;
    for error in &outcome.errors {
        writeln!(io::stderr(), "routewarden: skipped: {error:#}")?;
    }
    let counters = outcome.report.counters;
    let is_incomplete = summary::faults(&outcome.inputs, args.quiet)?
        || !outcome.errors.is_empty()
        || counters.routes_over_limit > 0
        || counters.claims_over_limit > 0;
    if !args.quiet {
        summarise(&outcome, &sources, &shown, hidden.len())?;
    }
    Ok(exit(args, &shown, is_incomplete))
}

fn exit(args: &DetectArgs, shown: &[Incident], is_incomplete: bool) -> Exit {
    let least = args.fail_on.map(SeverityClass::from);
    if least.is_some_and(|least| shown.iter().any(|incident| incident.severity_class >= least)) {
        Exit::Finding
    } else if is_incomplete {
        Exit::Incomplete
    } else {
        Exit::Done
    }
}

fn print(
    incidents: &[Incident],
    report: &Report,
    facts: &[FactSource],
    format: Format,
) -> Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    if format == Format::Json {
        let document = Document {
            generator: "routewarden",
            version: env!("CARGO_PKG_VERSION"),
            facts,
            counters: report.counters,
            vantage_points: report.vantage_points,
            routes: report.routes,
            incidents,
        };
        serde_json::to_writer_pretty(&mut out, &document)?;
        out.write_all(b"\n")?;
    } else {
        output::write(&mut out, incidents, format)?;
    }
    out.flush()?;
    Ok(())
}

fn summarise(
    outcome: &Outcome,
    facts: &[FactSource],
    shown: &[Incident],
    hidden: usize,
) -> Result<()> {
    let mut err = io::stderr().lock();
    let report = &outcome.report;
    writeln!(err)?;
    summary::inputs(&mut err, &outcome.inputs)?;
    for table in &outcome.unused_tables {
        writeln!(
            err,
            "table not used: {} (another serves, or updates are older; --rib starts from it)",
            table.path.display()
        )?;
    }
    for file in &outcome.ignored {
        writeln!(err, "not read ({:?}): {}", file.reason, file.path.display())?;
    }
    facts_used(&mut err, facts)?;
    let counters = report.counters;
    writeln!(
        err,
        "knowledge: {} vantage point ASes, {} routes, {} prefixes with known origin, {} AS links; \
         {} duplicate and {} late events",
        report.vantage_points,
        report.routes,
        report.known_prefixes,
        report.known_links,
        counters.duplicates,
        counters.late_events
    )?;
    writeln!(
        err,
        "new origins: {} doubtful, {} of them seen by two ASes, {} by five; {} explained, {} claims \
         below the quorum, {} muted in table transfers",
        counters.origin_claims,
        counters.origin_claims_seen_by_two,
        counters.origin_claims_seen_by_five,
        counters.explained,
        counters.below_quorum,
        counters.muted_in_transfer
    )?;
    exceptions(&mut err, &counters)?;
    let count = |class: &str| {
        shown.iter().filter(|i| output::confidence_class(i.confidence) == class).count()
    };
    writeln!(
        err,
        "incidents: {} ({} of high, {} of medium, {} of low confidence); {hidden} below \
         --min-confidence",
        shown.len(),
        count("high"),
        count("medium"),
        count("low")
    )?;
    Ok(())
}

fn facts_used(err: &mut dyn Write, facts: &[FactSource]) -> io::Result<()> {
    for fact in facts {
        let date = fact.date.map(|date| date.to_string()).unwrap_or_default();
        let digest = fact.sha256.map(|digest| digest.to_string()).unwrap_or_default();
        let digest: String = digest.chars().take(12).collect();
        let skipped: u64 = fact.skipped.values().sum();
        writeln!(
            err,
            "facts: {} entries, {skipped} skipped, {} {date} sha256 {digest}",
            fact.entries, fact.name
        )?;
    }
    Ok(())
}

fn exceptions(err: &mut dyn Write, counters: &Counters) -> io::Result<()> {
    if counters.before_start > 0 {
        writeln!(
            err,
            "before --from: {} route changes brought the tables up to date",
            counters.before_start
        )?;
    }
    if counters.routes_over_limit > 0 || counters.claims_over_limit > 0 {
        writeln!(
            err,
            "LIMIT REACHED: {} announcements not taken, {} claims not followed",
            counters.routes_over_limit, counters.claims_over_limit
        )?;
    }
    Ok(())
}
