//! `routewarden constituency`.

mod init;

use std::io::{self, Write};

use anyhow::{Context, Result};
use routewarden_core::facts::constituency::{Drift, Observed, Scope, drift};
use routewarden_core::facts::{FactSource, Facts, RelationTable};
use routewarden_core::{Asn, Prefix};
use routewarden_detect::relations::{PathSet, infer};
use serde::Serialize;

use crate::cli::{CheckArgs, ConstituencyCommand, DocumentFormat, FactArgs, TableArgs};
use crate::{Exit, facts, output, tables};

pub(super) fn run(command: &ConstituencyCommand) -> Result<Exit> {
    match command {
        ConstituencyCommand::Init(args) => init::run(args),
        ConstituencyCommand::Check(args) => check(args),
    }
}

/// What a table shows.
struct Seen {
    observed: Observed,
    /// Relations that the paths let infer.
    relations: RelationTable,
    /// Where from, for people.
    source: String,
    is_incomplete: bool,
}

/// Reads the table that was named; `None` when none was.
fn observe(args: &TableArgs, facts: &Facts, scope: Scope<'_>, quiet: bool) -> Result<Option<Seen>> {
    let mut observed = Observed::default();
    if let Some(origins) = &facts.origins {
        observed.add_origins(scope, origins);
        let source = origins.source.name.clone();
        let relations = RelationTable::default();
        return Ok(Some(Seen { observed, relations, source, is_incomplete: false }));
    }
    if args.rib.is_empty() {
        return Ok(None);
    }
    let mut paths = PathSet::default();
    let is_incomplete = tables::read(&args.rib, quiet, |route| {
        observed.add_route(scope, route.peer, route.prefix, route.path);
        paths.insert(route.path);
    })?;
    let is_incomplete = is_incomplete || observed.over_limit() > 0;
    let name = |path: &String| {
        let name = std::path::Path::new(path).file_name();
        name.map_or_else(|| path.clone(), |name| name.to_string_lossy().into_owned())
    };
    let source = args.rib.iter().map(name).collect::<Vec<_>>().join(", ");
    let relations = infer(&paths, None).table;
    Ok(Some(Seen { observed, relations, source, is_incomplete }))
}

/// The document of `check --format json`.
#[derive(Serialize)]
struct Document<'a> {
    name: &'a str,
    members: usize,
    prefixes: usize,
    facts: Vec<&'a FactSource>,
    drift: &'a [Drift],
}

fn check(args: &CheckArgs) -> Result<Exit> {
    let facts = facts::load(&FactArgs {
        constituency: Some(args.constituency.clone()),
        origins: args.table.origins.clone(),
        vrps: args.vrps.clone(),
        ..FactArgs::default()
    })?;
    let constituency = facts.constituency.as_ref().context("no constituency was read")?;
    let mut asns: Vec<Asn> =
        constituency.members().iter().flat_map(|member| member.asns.iter().copied()).collect();
    asns.sort_unstable();
    asns.dedup();
    let scope = Scope { asns: &asns, space: Some(constituency) };
    let seen = observe(&args.table, &facts, scope, args.quiet)?;
    let vrps = facts.vrps.as_ref().map(|sourced| &sourced.table);
    let found = drift(constituency, seen.as_ref().map(|seen| &seen.observed), vrps);
    let document = Document {
        name: constituency.name(),
        members: constituency.members().len(),
        prefixes: constituency.prefix_count(),
        facts: facts.sources().collect(),
        drift: &found,
    };
    print(&document, args.format)?;
    if !args.quiet {
        let source = seen.as_ref().map_or("no table", |seen| &seen.source);
        writeln!(
            io::stderr(),
            "{} members, {} prefixes, {source}: {} differences",
            document.members,
            document.prefixes,
            found.len()
        )?;
    }
    Ok(if !found.is_empty() {
        Exit::Finding
    } else if seen.is_some_and(|seen| seen.is_incomplete) {
        Exit::Incomplete
    } else {
        Exit::Done
    })
}

fn print(document: &Document<'_>, format: DocumentFormat) -> Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match format {
        DocumentFormat::Json => {
            serde_json::to_writer_pretty(&mut out, document)?;
            writeln!(out)?;
        }
        DocumentFormat::Table => {
            let rows = document.drift.iter().map(|drift| {
                [
                    drift.member.to_string(),
                    drift.kind.name().to_owned(),
                    text(drift.prefix),
                    drift.asn.map(|asn: Asn| asn.to_string()).unwrap_or_default(),
                    drift.detail.clone(),
                ]
            });
            output::columns(&mut out, ["member", "kind", "prefix", "asn", "detail"], rows)?;
        }
    }
    out.flush()?;
    Ok(())
}

fn text(prefix: Option<Prefix>) -> String {
    prefix.map(|prefix| prefix.to_string()).unwrap_or_default()
}
