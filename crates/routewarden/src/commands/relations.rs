//! `routewarden relations`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};

use anyhow::{Context, Result, ensure};
use routewarden_core::facts::{FactSource, Relation};
use routewarden_core::{Asn, Timestamp};
use routewarden_detect::relations::{Inferred, PathSet, infer};
use routewarden_feeds::Report;

use crate::cli::{FactArgs, RelationsArgs};
use crate::tables::{self, ReadInputs, Reading};
use crate::{Exit, facts, summary};

pub(super) fn run(args: &RelationsArgs) -> Result<Exit> {
    let named = FactArgs { relations: args.relations.clone(), ..FactArgs::default() };
    let given = facts::load(&named)?.relations;
    let read = read(args)?;
    ensure!(read.paths.counters().given > 0, "no paths in {}", args.inputs.join(" "));
    let inferred = infer(&read.paths, given.as_ref().map(|given| &given.table));
    let head = Head { args, read: &read, given: given.as_ref().map(|given| &given.source) };
    match &args.output {
        Some(path) => {
            let file = File::create(path);
            let file = file.with_context(|| format!("cannot write {}", path.display()))?;
            write_links(&mut BufWriter::new(file), &head, &inferred)?;
        }
        None => write_links(&mut BufWriter::new(io::stdout().lock()), &head, &inferred)?,
    }
    for error in &read.errors {
        writeln!(io::stderr(), "routewarden: skipped: {error:#}")?;
    }
    let is_over_limit = read.paths.counters().over_limit > 0 || inferred.over_limit > 0;
    let is_incomplete =
        summary::faults(&read.reports, args.quiet)? || !read.errors.is_empty() || is_over_limit;
    if !args.quiet {
        summarise(&read, &inferred)?;
    }
    Ok(if is_incomplete { Exit::Incomplete } else { Exit::Done })
}

/// What the inputs gave.
struct Read {
    paths: PathSet,
    /// Time of the latest record.
    latest: Option<Timestamp>,
    reports: [Report; 2],
    /// Inputs that name nothing and were passed over, as asked.
    errors: Vec<anyhow::Error>,
}

fn read(args: &RelationsArgs) -> Result<Read> {
    let mut paths = PathSet::new(args.route_servers.clone());
    if args.no_bogons {
        paths = paths.with_reserved_asns();
    }
    let mut latest = None;
    let reading = Reading {
        threads: args.threads,
        keep_going: args.keep_going,
        quiet: args.quiet,
        ..Reading::default()
    };
    let read = tables::read_all(&args.inputs, reading, |route| {
        paths.insert(route.path);
        latest = Some(route.time).max(latest);
    })?;
    let ReadInputs { reports, errors } = read;
    Ok(Read { paths, latest, reports, errors })
}

/// What the head of the output tells.
struct Head<'a> {
    args: &'a RelationsArgs,
    read: &'a Read,
    given: Option<&'a FactSource>,
}

/// CAIDA's as-rel form: `provider|customer|-1` and `peer|peer|0`.
fn write_links(out: &mut dyn Write, head: &Head<'_>, inferred: &Inferred) -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    writeln!(out, "# inferred by routewarden {version} from: {}", head.args.inputs.join(" "))?;
    if let Some(date) = head.read.latest {
        writeln!(out, "# date: {date}")?;
    }
    if let Some(given) = head.given {
        writeln!(out, "# given: {} ({} links), which win", given.name, given.entries)?;
    }
    writeln!(
        out,
        "# {} paths of {} vantage points; {} ASes, {} links",
        head.read.paths.len(),
        inferred.vantage_points,
        inferred.ases,
        inferred.links
    )?;
    writeln!(out, "# clique: {}", listed(&inferred.clique))?;
    for link in inferred.table.iter() {
        let (a, b, code) = match link.relation {
            Relation::Customer => (link.a, link.b, "-1"),
            Relation::Provider => (link.b, link.a, "-1"),
            Relation::Peer => (link.a, link.b, "0"),
        };
        write!(out, "{}|{}|{code}", a.0, b.0)?;
        // A given link has no figure of ours: read back, it is a given one.
        if head.args.confidence && link.is_inferred {
            write!(out, "|{}", link.confidence)?;
        }
        writeln!(out)?;
    }
    out.flush()?;
    Ok(())
}

fn listed(asns: &[Asn]) -> String {
    asns.iter().map(|asn| asn.0.to_string()).collect::<Vec<_>>().join(" ")
}

fn summarise(read: &Read, inferred: &Inferred) -> Result<()> {
    let mut err = io::stderr().lock();
    summary::inputs(&mut err, &read.reports)?;
    let counters = read.paths.counters();
    writeln!(
        err,
        "paths: {} given, {} distinct, {} vantage points",
        counters.given,
        read.paths.len(),
        inferred.vantage_points
    )?;
    let left_out = [
        ("too_short", counters.short),
        ("with_as_set", counters.with_set),
        ("loop", counters.loops),
        ("reserved_asn", counters.reserved),
        ("too_long", counters.long),
        ("over_limit", counters.over_limit),
        ("poisoned", inferred.poisoned_paths as u64),
    ];
    let left_out: BTreeMap<&'static str, u64> =
        left_out.into_iter().filter(|&(_, count)| count > 0).collect();
    summary::kinds(&mut err, "left out", &left_out)?;
    writeln!(
        err,
        "links: {} transit, {} peers; clique {}",
        inferred.table.transit_link_count(),
        inferred.table.peer_link_count(),
        listed(&inferred.clique)
    )?;
    if inferred.over_limit > 0 {
        writeln!(
            err,
            "  not followed: {} ASes, links or triples over the limit",
            inferred.over_limit
        )?;
    }
    Ok(())
}
