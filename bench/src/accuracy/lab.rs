//! The corpus of our own laboratory: incidents at the times of `truth.tsv`.

use std::path::Path;

use anyhow::Context as _;
use routewarden_core::{Asn, RouteAttributes, RouteEventKind, Timestamp};
use routewarden_feeds::facts::{load_file, load_vrps};
use routewarden_feeds::stream::Run;
use routewarden_rivals::{Roa, StartingTable};

use super::Case;
use super::files::Recording;
use super::finding::Truth;
use super::watch::{Watch, know_relations};

/// The recordings of the laboratory.
const RECORDINGS: [&str; 3] = ["plain", "roles", "roles-leaker-without"];
/// What each event of `truth.tsv` is.
const KINDS: [(&str, &str); 4] = [
    ("hijack-prefix", "origin_hijack"),
    ("hijack-subprefix", "sub_prefix_hijack"),
    ("hijack-forged", "forged_origin"),
    ("leak", "route_leak"),
];
/// Whose space is hijacked in the laboratory.
const VICTIM: Asn = Asn(64502);

/// A truth with its end, and whether the collector has seen anything of it.
struct Happened {
    truth: Truth,
    end: Timestamp,
    is_seen: bool,
}

/// All recordings of a folder, as the collector has them. `relations` is a file of the relations
/// between the ASes; `program` is Routewarden.
///
/// An incident that never reached the collector (roles stop the leak) is none there.
pub fn cases(folder: &Path, relations: &Path, program: &Path) -> anyhow::Result<Vec<Case>> {
    RECORDINGS.iter().map(|name| case(folder, name, relations, program)).collect()
}

fn case(folder: &Path, name: &str, relations: &Path, program: &Path) -> anyhow::Result<Case> {
    let vrps = folder.join("vrps.json");
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let recording = Recording {
        tables: Vec::new(),
        updates: vec![folder.join(name).join("col/updates.mrt")],
        options: vec![
            "--no-bogons".to_owned(),
            "--vrps".to_owned(),
            text(&vrps),
            "--relations".to_owned(),
            text(relations),
        ],
    };
    let mut happened = truths(&folder.join(name).join("truth.tsv"))?;
    // Whole seconds are recorded.
    let from = happened.iter().map(|one| one.truth.start.secs()).min().unwrap_or_default();
    let from = Timestamp::from_secs(u32::try_from(from)?);

    let ours = recording.detect(program)?;
    let vrps = load_file(&vrps, None, load_vrps)?.facts.table;
    let mut table = StartingTable::default();
    know_relations(&mut table, relations)?;
    let roas = vrps.iter().map(|vrp| Roa {
        ta: vrps.trust_anchor(&vrp).to_owned(),
        prefix: vrp.prefix,
        asn: vrp.asn,
        max_len: vrp.max_len,
        expires: None,
    });
    let mut watch = Watch::new(table, Some(from), Some(roas.collect()), &ours);
    recording.show(&mut watch, |run| look(run, &mut happened))?;
    let findings = watch.finish(ours);
    let truths = happened.into_iter().filter(|one| one.is_seen).map(|one| one.truth).collect();
    Ok(Case { corpus: "lab", name: name.to_owned(), truths, findings })
}

fn truths(file: &Path) -> anyhow::Result<Vec<Happened>> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let rows: Vec<(Timestamp, &str)> =
        text.lines().skip(1).map(row).collect::<Option<_>>().context("truth.tsv")?;
    let mut all = Vec::new();
    for (name, kind) in KINDS {
        let at = |suffix: &str| {
            let event = format!("{name}-{suffix}");
            let is_it = |(_, said): &&(Timestamp, &str)| said.split(' ').next() == Some(&event);
            rows.iter().find(is_it).with_context(|| format!("no {event} in {}", file.display()))
        };
        let ((start, said), (end, _)) = (at("on")?, at("off")?);
        let mut words = said.split(' ').skip(1);
        let culprit: Asn = words.next().context("no ASN in truth.tsv")?.parse()?;
        let prefixes = words.next().map(str::parse).transpose()?;
        let victim = prefixes.is_some().then_some(VICTIM);
        let truth = Truth {
            kind: kind.to_owned(),
            culprit: Some(culprit),
            victim,
            prefixes: prefixes.into_iter().collect(),
            start: *start,
        };
        all.push(Happened { truth, end: *end, is_seen: false });
    }
    Ok(all)
}

/// `1795432610.028368088 hijack-prefix-on AS64503 203.0.113.0/24`, with a tab after the time.
fn row(line: &str) -> Option<(Timestamp, &str)> {
    let (time, said) = line.split_once('\t')?;
    let (secs, nanos) = time.split_once('.')?;
    let nanos: u32 = nanos.parse().ok()?;
    Some((Timestamp::from_secs_micros(secs.parse().ok()?, nanos / 1_000), said))
}

/// Notes which truths have reached the collector: in their time a route with the culprit in its
/// path, for their prefix if they have one, else on its way through the culprit.
fn look(run: &Run<'_>, happened: &mut [Happened]) {
    for (_, event) in run.events() {
        let RouteEventKind::Announcement { prefix, attributes } = event.kind else { continue };
        let Some(route) = RouteAttributes::decode(run.batch.attributes(attributes)) else {
            continue;
        };
        for one in happened.iter_mut() {
            let is_then = event.time.secs() >= one.truth.start.secs() && event.time <= one.end;
            let is_place = one.truth.prefixes.is_empty() || one.truth.prefixes.contains(&prefix);
            let is_at_end =
                one.truth.prefixes.is_empty() && route.as_path.origin() == one.truth.culprit;
            let has_culprit = route.as_path.asns().any(|asn| Some(asn) == one.truth.culprit);
            one.is_seen |= is_then && is_place && has_culprit && !is_at_end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_the_truth() {
        let (time, said) =
            row("1795432610.028368088\thijack-prefix-on AS64503 203.0.113.0/24").unwrap();
        assert_eq!(time.micros(), 1_795_432_610_028_368);
        assert!(said.starts_with("hijack-prefix-on "));
        assert_eq!(row("baseline"), None);
    }
}
