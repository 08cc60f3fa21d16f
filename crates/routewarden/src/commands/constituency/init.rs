//! `routewarden constituency init`: a document to read through, with the source of every line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Context, Result};
use routewarden_core::facts::constituency::{ID_OCTETS_MAX, Observed, Scope, TEXT_OCTETS_MAX};
use routewarden_core::facts::{Constituency, FactKind, Facts, Relation, RovState};
use routewarden_core::{Asn, Origin, Prefix};
use routewarden_feeds::facts::load_constituency;

use super::{Seen, observe};
use crate::cli::{FactArgs, InitArgs};
use crate::{Exit, facts};

pub(super) fn run(args: &InitArgs) -> Result<Exit> {
    let facts = facts::load(&FactArgs {
        origins: args.table.origins.clone(),
        orgs: args.orgs.clone(),
        as_names: args.as_names.clone(),
        vrps: args.vrps.clone(),
        ..FactArgs::default()
    })?;
    let asns: Vec<Asn> = wanted(args, &facts).into_iter().collect();
    anyhow::ensure!(
        !asns.is_empty(),
        "no AS has an organisation in {}",
        args.country.as_deref().unwrap_or_default()
    );
    let seen = observe(&args.table, &facts, Scope { asns: &asns, space: None }, args.quiet)?;
    let mut members = members(&asns, &facts);
    list_own(&mut members, seen.as_ref());
    let mut text = render(args, &facts, seen.as_ref(), &members)?;
    let mut read = read_back(&text)?;
    if args.accept_standing {
        // Whose space it is, is known only now: the table is read once more.
        let scope = Scope { asns: &asns, space: Some(&read) };
        let standing = observe(&args.table, &facts, scope, args.quiet)?;
        accept(&mut members, &read, standing.as_ref());
        text = render(args, &facts, seen.as_ref(), &members)?;
        read = read_back(&text)?;
    }
    match &args.output {
        Some(path) => {
            let file = File::create_new(path);
            let mut file = file.with_context(|| format!("cannot create {}", path.display()))?;
            file.write_all(text.as_bytes())?;
        }
        None => io::stdout().write_all(text.as_bytes())?,
    }
    if !args.quiet {
        writeln!(
            io::stderr(),
            "{} members, {} ASes, {} prefixes",
            read.members().len(),
            asns.len(),
            read.prefix_count()
        )?;
    }
    let is_incomplete = seen.is_some_and(|seen| seen.is_incomplete);
    Ok(if is_incomplete { Exit::Incomplete } else { Exit::Done })
}

/// What we write is read strictly: a slip of ours must not wait for its first use.
fn read_back(text: &str) -> Result<Constituency> {
    let path = Path::new("the document written");
    Ok(load_constituency(path, None, &mut text.as_bytes())?.facts.table)
}

/// The ASes named, and those of the country.
fn wanted(args: &InitArgs, facts: &Facts) -> BTreeSet<Asn> {
    let mut asns: BTreeSet<Asn> = args.asn.iter().copied().collect();
    if let (Some(country), Some(organisations)) = (&args.country, &facts.organisations) {
        let of_country =
            organisations.iter().filter(|(_, organisation)| *organisation.country == **country);
        asns.extend(of_country.map(|(asn, _)| asn));
    }
    asns
}

/// A member in the making.
#[derive(Default)]
struct Draft {
    name: String,
    country: String,
    asns: Vec<Asn>,
    /// Where its ASes come from.
    source: String,
    /// Origins of each prefix, with the number of peer ASes that had the route.
    prefixes: BTreeMap<Prefix, BTreeMap<Asn, usize>>,
}

/// Members by id: ASes of one organisation together, where organisations are known.
fn members(asns: &[Asn], facts: &Facts) -> BTreeMap<String, Draft> {
    let mut members: BTreeMap<String, Draft> = BTreeMap::new();
    let mut ids: BTreeMap<&str, String> = BTreeMap::new();
    for &asn in asns {
        let known = facts.organisations.as_ref().and_then(|table| table.organisation(asn));
        // Ids without a name are made up for ASes of unknown holders.
        let known = known.filter(|organisation| !organisation.name.is_empty());
        let id = match known {
            Some(organisation) => ids
                .entry(&organisation.id)
                .or_insert_with(|| unused_id(&organisation.id, asn, &members))
                .clone(),
            None => format!("as{}", asn.0),
        };
        let member = members.entry(id).or_default();
        member.asns.push(asn);
        if let Some(organisation) = known {
            member.name = organisation.name.to_string();
            member.country = organisation.country.to_string();
            member.source = format!(
                "organisation {} in {}",
                organisation.id,
                facts.organisations.as_ref().map_or("", |table| &table.source.name)
            );
        } else {
            facts.as_name(asn).unwrap_or_default().clone_into(&mut member.name);
            "no organisation known".clone_into(&mut member.source);
        }
    }
    members
}

/// Lists what the members' ASes originate.
fn list_own(members: &mut BTreeMap<String, Draft>, seen: Option<&Seen>) {
    let mut routes: BTreeMap<Asn, Vec<(Prefix, usize)>> = BTreeMap::new();
    for (prefix, origin, peers) in seen.into_iter().flat_map(|seen| seen.observed.routes()) {
        routes.entry(origin).or_default().push((prefix, peers));
    }
    for member in members.values_mut() {
        for &asn in &member.asns {
            for &(prefix, peers) in routes.get(&asn).into_iter().flatten() {
                member.prefixes.entry(prefix).or_default().insert(asn, peers);
            }
        }
    }
}

/// Lists what others originate in the members' space, under the member that holds it.
fn accept(members: &mut BTreeMap<String, Draft>, whose: &Constituency, standing: Option<&Seen>) {
    let routes = standing.into_iter().flat_map(|seen| seen.observed.routes());
    for (prefix, origin, peers) in routes {
        let is_expected = |all: &[Asn]| all.binary_search(&origin).is_ok();
        if whose.expected_origins(&prefix).is_some_and(is_expected) {
            continue;
        }
        let holder = whose.covering(&prefix).next();
        if let Some(member) = holder.and_then(|held| members.get_mut(&*held.member.id)) {
            member.prefixes.entry(prefix).or_default().insert(origin, peers);
        }
    }
}

/// An id of plain characters that no member has.
fn unused_id(id: &str, asn: Asn, members: &BTreeMap<String, Draft>) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let suffix = format!("-as{}", asn.0);
    let plain: String = id.chars().map(plain).skip_while(|&c| c == '-').collect();
    let plain: String = plain.chars().take(ID_OCTETS_MAX - suffix.len()).collect();
    if members.contains_key(&plain) || plain.is_empty() { plain + &suffix } else { plain }
}

fn render(
    args: &InitArgs,
    facts: &Facts,
    seen: Option<&Seen>,
    members: &BTreeMap<String, Draft>,
) -> Result<String> {
    let mut out = String::new();
    writeln!(out, "# Written by routewarden {} constituency init.", env!("CARGO_PKG_VERSION"))?;
    out.push_str("# It says what is seen, which is not always what should be: read it through.\n");
    out.push_str("# Fields: docs/reference/constituency.md\n");
    // One validator file gives VRPs and ASPAs.
    for source in facts.sources().filter(|source| source.kind != FactKind::Aspas) {
        let date = source.date.map(|date| format!(", {date}")).unwrap_or_default();
        writeln!(out, "# from {} ({} entries{date})", comment(&source.name), source.entries)?;
    }
    if let Some(seen) = seen.filter(|_| !args.table.rib.is_empty()) {
        let peers = seen.observed.peer_count();
        writeln!(out, "# from {} ({peers} peer ASes)", comment(&seen.source))?;
    }
    writeln!(out, "\nname = {}", quoted(&args.name))?;
    let nothing = Observed::default();
    let observed = seen.map_or(&nothing, |seen| &seen.observed);
    for (id, member) in members {
        writeln!(out, "\n[[member]]\nid = {}\nname = {}", quoted(id), quoted(&member.name))?;
        let asns: Vec<String> = member.asns.iter().map(|asn| asn.0.to_string()).collect();
        writeln!(out, "asns = [{}]  # {}", asns.join(", "), comment(&member.source))?;
        if !member.country.is_empty() && is_country(&member.country) {
            writeln!(out, "countries = [{}]", quoted(&member.country))?;
        }
        write_prefixes(&mut out, facts, observed, member)?;
        match seen {
            Some(seen) => write_neighbours(&mut out, facts, seen, member)?,
            None => out.push_str("upstreams = []  # none seen: not checked\n"),
        }
        out.push_str("# contacts = [\"mailto:\", \"tel:\"]\n");
    }
    Ok(out)
}

fn write_prefixes(
    out: &mut String,
    facts: &Facts,
    observed: &Observed,
    member: &Draft,
) -> Result<()> {
    if member.prefixes.is_empty() {
        out.push_str("prefixes = []  # none seen\n");
        return Ok(());
    }
    out.push_str("prefixes = [\n");
    for (prefix, origins) in &member.prefixes {
        let origin = |(&asn, peers): (&Asn, &usize)| {
            let seen = match observed.peer_count() {
                0 => String::new(),
                of => format!(", seen by {peers} of {of} peer ASes"),
            };
            let state = match facts.rov(prefix, Origin::As(asn)) {
                None => "",
                Some((RovState::Valid, _)) => ", RPKI valid",
                Some((RovState::Invalid, _)) => ", RPKI INVALID",
                Some((RovState::NotFound, _)) => ", no ROA",
            };
            format!("{asn}{seen}{state}")
        };
        let from: Vec<String> = origins.iter().map(origin).collect();
        let from = from.join("; ");
        if origins.keys().all(|asn| member.asns.contains(asn)) {
            writeln!(out, "  \"{prefix}\",  # {from}")?;
        } else {
            let origins: Vec<String> = origins.keys().map(|asn| asn.0.to_string()).collect();
            let origins = origins.join(", ");
            writeln!(out, "  {{ prefix = \"{prefix}\", origins = [{origins}] }},  # {from}")?;
        }
    }
    out.push_str("]\n");
    Ok(())
}

/// Neighbours by the number of paths, the most first: those that look like peers apart.
fn write_neighbours(out: &mut String, facts: &Facts, seen: &Seen, member: &Draft) -> Result<()> {
    let mut paths: BTreeMap<Asn, u64> = BTreeMap::new();
    for &asn in &member.asns {
        for (neighbour, count) in seen.observed.neighbours(asn) {
            if !member.asns.contains(&neighbour) {
                *paths.entry(neighbour).or_default() += count;
            }
        }
    }
    let all: u64 = paths.values().sum();
    if all == 0 {
        out.push_str("upstreams = []  # none seen: not checked\n");
        return Ok(());
    }
    let mut ranked: Vec<(Asn, u64)> = paths.into_iter().collect();
    ranked.sort_by_key(|&(asn, count)| (std::cmp::Reverse(count), asn));
    // What nothing is known of counts as an upstream: whoever reads it through will see.
    let is_peer = |neighbour: Asn| {
        let relations =
            member.asns.iter().filter_map(|&asn| seen.relations.relation(asn, neighbour));
        let relations: Vec<Relation> = relations.collect();
        !relations.is_empty() && !relations.contains(&Relation::Provider)
    };
    let (peers, upstreams): (Vec<_>, Vec<_>) =
        ranked.into_iter().partition(|&(asn, _)| is_peer(asn));
    for (what, list) in [("upstreams", upstreams), ("peers", peers)] {
        writeln!(out, "{what} = [")?;
        for (asn, count) in list {
            let name = facts.as_name(asn).map(|name| format!(", {}", comment(name)));
            let permille = count * 1_000 / all;
            writeln!(
                out,
                "  {},  # in {count} of {all} paths, {}.{} %{}",
                asn.0,
                permille / 10,
                permille % 10,
                name.unwrap_or_default()
            )?;
        }
        out.push_str("]\n");
    }
    Ok(())
}

fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase())
}

/// A TOML string, within the limits of the document. Names come from registries: anything may
/// stand in them.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    let mut octets = 0;
    for c in text.chars().filter(|c| !c.is_control()) {
        octets += c.len_utf8();
        if octets > TEXT_OCTETS_MAX {
            break;
        }
        if c == '"' || c == '\\' {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// Text that ends no comment.
fn comment(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_registries_cannot_break_the_document() {
        assert_eq!(quoted("A \"B\" \\ \n\u{1b}[2J C"), r#""A \"B\" \\ [2J C""#);
        assert_eq!(quoted(&"é".repeat(400)).len(), TEXT_OCTETS_MAX + 2);
        assert_eq!(comment("a\r\nb"), "ab");
        let mut members = BTreeMap::new();
        assert_eq!(unused_id("@del/1 x", Asn(64496), &members), "del-1-x");
        members.insert("ORG-1".to_owned(), Draft::default());
        assert_eq!(unused_id("ORG-1", Asn(64496), &members), "ORG-1-as64496");
        let long = unused_id(&"x".repeat(90), Asn(u32::MAX), &members);
        assert!(long.len() <= ID_OCTETS_MAX);
    }
}
