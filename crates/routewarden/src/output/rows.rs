//! One incident a row.

use std::io::{self, Write};

use routewarden_core::Asn;
use routewarden_detect::Incident;

use super::confidence_class;

const HEADERS: [&str; 10] =
    ["id", "kind", "conf", "sev", "culprit", "victim", "prefix", "first seen", "state", "seen by"];

fn cells(incident: &Incident) -> [String; 10] {
    [
        incident.id.clone(),
        incident.kind.name().to_owned(),
        incident.confidence.to_string(),
        format!("{} {}", incident.severity, incident.severity_class.name()),
        some(&incident.culprits, 2),
        some(&incident.victims, 2),
        match incident.prefixes.as_slice() {
            [] => String::new(),
            [only] => only.to_string(),
            [first, ..] => format!("{first} +{}", incident.prefix_count - 1),
        },
        incident.first_seen.to_string(),
        match incident.ended_at {
            Some(_) => {
                format!("ended after {}", routewarden_detect::span_in_words(incident.exposure_secs))
            }
            None => incident.state.name().to_owned(),
        },
        format!("{}/{}", incident.vantage_points.seen, incident.vantage_points.of),
    ]
}

fn some(asns: &[Asn], most: usize) -> String {
    let mut text: Vec<String> = asns.iter().take(most).map(ToString::to_string).collect();
    if asns.len() > most {
        text.push(format!("+{}", asns.len() - most));
    }
    text.join(" ")
}

pub(super) fn table(out: &mut dyn Write, incidents: &[Incident]) -> io::Result<()> {
    super::columns(out, HEADERS, incidents.iter().map(cells))
}

pub(super) fn markdown(out: &mut dyn Write, incidents: &[Incident]) -> io::Result<()> {
    writeln!(out, "| {} |", HEADERS.join(" | "))?;
    writeln!(out, "|{}", " --- |".repeat(HEADERS.len()))?;
    incidents.iter().try_for_each(|incident| writeln!(out, "| {} |", cells(incident).join(" | ")))
}

const CSV_HEADER: &str = "id,kind,confidence,confidence_class,severity,severity_class,culprits,\
victims,propagators,prefixes,prefix_count,covering_prefixes,first_seen,last_seen,ended_at,\
exposure_secs,state,standing,seen,of,rov_state,rov_reason,evidence,counter_evidence";

/// RFC 4180, lists separated by spaces.
pub(super) fn csv(out: &mut dyn Write, incidents: &[Incident]) -> io::Result<()> {
    writeln!(out, "{CSV_HEADER}")?;
    incidents.iter().try_for_each(|incident| {
        let asns = |asns: &[Asn]| join(asns.iter().map(|asn| asn.0));
        let rules = |lines: &[routewarden_detect::Evidence]| join(lines.iter().map(|l| &l.rule));
        let fields = [
            incident.id.clone(),
            incident.kind.name().to_owned(),
            incident.confidence.to_string(),
            confidence_class(incident.confidence).to_owned(),
            incident.severity.to_string(),
            incident.severity_class.name().to_owned(),
            asns(&incident.culprits),
            asns(&incident.victims),
            asns(&incident.propagators),
            join(&incident.prefixes),
            incident.prefix_count.to_string(),
            join(&incident.covering_prefixes),
            incident.first_seen.to_string(),
            incident.last_seen.to_string(),
            incident.ended_at.map(|time| time.to_string()).unwrap_or_default(),
            incident.exposure_secs.to_string(),
            incident.state.name().to_owned(),
            incident.standing.to_string(),
            incident.vantage_points.seen.to_string(),
            incident.vantage_points.of.to_string(),
            json_name(&incident.rov.state),
            json_name(&incident.rov.reason),
            rules(&incident.evidence),
            rules(&incident.counter_evidence),
        ];
        writeln!(out, "{}", fields.map(|field| quoted(&field)).join(","))
    })
}

fn join<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(" ")
}

/// The serialised name of a unit variant, or nothing.
fn json_name(value: &impl serde::Serialize) -> String {
    let name = serde_json::to_value(value).ok();
    name.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}

/// A field of CSV (RFC 4180).
pub(crate) fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}
