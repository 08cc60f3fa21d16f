//! The explanation of one incident, for an engineer who doubts it.

use std::fmt::Write as _;
use std::io::{self, Write};

use routewarden_core::facts::{AspaState, InvalidReason, RovState};
use routewarden_detect::{Evidence, FactValue, Incident, IncidentState, span_in_words};

use super::{confidence_class, words};

const WIDTH: usize = 96;
const LABEL: usize = 10;

/// Writes the explanation, without control characters: names and texts come from files.
pub(crate) fn explain(out: &mut dyn Write, incident: &Incident) -> io::Result<()> {
    let mut text = Vec::new();
    write_all(&mut text, incident)?;
    let text: String = String::from_utf8_lossy(&text)
        .chars()
        .filter(|character| *character == '\n' || !character.is_control())
        .collect();
    out.write_all(text.as_bytes())
}

fn write_all(out: &mut dyn Write, incident: &Incident) -> io::Result<()> {
    writeln!(
        out,
        "{}  {}  confidence {} ({})  severity {} ({})\n",
        incident.id,
        incident.kind.name(),
        incident.confidence,
        confidence_class(incident.confidence),
        incident.severity,
        incident.severity_class.name()
    )?;
    labelled(out, "What", &words::what(incident))?;
    labelled(out, "When", &when(incident))?;
    labelled(out, "Seen by", &seen_by(incident))?;
    if !incident.propagators.is_empty() {
        let text = format!("{} passed it on.", words::names(incident, &incident.propagators));
        labelled(out, "Through", &text)?;
    }
    if incident.vantage_points.of > 0 && !incident.kind.is_outage() {
        labelled(out, "RPKI", &rpki(incident))?;
    }
    if let Some(class) = &incident.artemis_class {
        labelled(out, "Class", &format!("{class} (ARTEMIS: prefix, path, data plane, policy)."))?;
    }
    if !incident.constituency.is_empty() {
        labelled(out, "Touches", &words::touched(incident))?;
    }
    labelled(out, "Feeds", &words::feeds(incident))?;
    for related in &incident.related {
        labelled(out, "Related", &format!("{} {}.", related.relation.words(), related.id))?;
    }
    section(out, "Evidence for", &incident.evidence)?;
    section(out, "Evidence against", &incident.counter_evidence)?;
    countermeasures(out, incident)?;
    sample_paths(out, incident)?;
    next_steps(out, incident)
}

fn when(incident: &Incident) -> String {
    let span = span_in_words(incident.exposure_secs);
    let begin = if incident.standing { "standing at the start, since" } else { "from" };
    if let Some(end) = incident.ended_at {
        return format!("{begin} {} to {end}: {span}. Ended.", incident.first_seen);
    }
    let state = match incident.state {
        IncidentState::Spreading => "Still spreading",
        IncidentState::Mitigated => "Mitigated, but it lasts",
        IncidentState::Ongoing | IncidentState::Ended => "It lasts",
    };
    format!("{begin} {}: {span} so far. {state}.", incident.first_seen)
}

fn seen_by(incident: &Incident) -> String {
    let points = incident.vantage_points;
    if points.of == 0 {
        return "no vantage point: it is a change of facts, not of routes.".to_owned();
    }
    let share = points.peak * 100 / points.of.max(1);
    format!(
        "{} of {} vantage point ASes; at its peak {} at one time ({share} %), at the end {}.",
        points.seen, points.of, points.peak, points.now
    )
}

fn rpki(incident: &Incident) -> String {
    let rov = match (incident.rov.state, incident.rov.reason) {
        (None, _) => "not checked: no VRPs were given (--vrps).",
        (Some(RovState::Valid), _) => "valid.",
        (Some(RovState::NotFound), _) => "not found: no ROA covers it.",
        (Some(RovState::Invalid), Some(InvalidReason::MaxLength)) => {
            "invalid: longer than the ROA allows."
        }
        (Some(RovState::Invalid), Some(InvalidReason::Asn)) => {
            "invalid: no covering ROA allows the origin."
        }
        (Some(RovState::Invalid), None) => "invalid.",
    };
    match incident.aspa {
        Some(AspaState::Invalid) => format!("{rov} ASPA: the path is invalid."),
        Some(AspaState::Valid) => format!("{rov} ASPA: the path is valid."),
        Some(AspaState::Unknown) | None => rov.to_owned(),
    }
}

fn section(out: &mut dyn Write, title: &str, lines: &[Evidence]) -> io::Result<()> {
    writeln!(out, "\n{title}")?;
    if lines.is_empty() {
        writeln!(out, "  none")?;
    }
    lines.iter().try_for_each(|line| {
        let source = match line.facts.get("source") {
            Some(FactValue::Text(source)) => format!(" Source: {source}."),
            _ => String::new(),
        };
        let text = format!("{}{source} [{}]", line.text, line.rule);
        wrapped(out, &format!("  {:+4}  ", line.weight), &text)
    })
}

fn countermeasures(out: &mut dyn Write, incident: &Incident) -> io::Result<()> {
    if incident.countermeasures.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nWhat the victim did")?;
    incident.countermeasures.iter().try_for_each(|done| {
        let (time, origin, prefix, action) =
            (done.time, done.origin, done.prefix, done.action.words());
        writeln!(out, "  {time}  {origin} announced {prefix} ({action})")
    })
}

fn sample_paths(out: &mut dyn Write, incident: &Incident) -> io::Result<()> {
    if incident.sample_paths.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nPaths that showed it (collector, peer, prefix, AS path)")?;
    incident.sample_paths.iter().try_for_each(|s| {
        writeln!(
            out,
            "  {}  {} {} {}  {}  {}",
            s.time, s.collector, s.peer_asn, s.peer_addr, s.prefix, s.path
        )
    })
}

fn next_steps(out: &mut dyn Write, incident: &Incident) -> io::Result<()> {
    writeln!(out, "\nNext")?;
    words::steps(incident).iter().try_for_each(|step| wrapped(out, "  - ", step))
}

fn labelled(out: &mut dyn Write, label: &str, text: &str) -> io::Result<()> {
    wrapped(out, &format!("{label:LABEL$}"), text)
}

/// Writes `text` after `lead`, wrapped at [`WIDTH`], further lines indented under the first.
fn wrapped(out: &mut dyn Write, lead: &str, text: &str) -> io::Result<()> {
    let indent = " ".repeat(lead.len());
    let mut line = lead.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            writeln!(out, "{}", line.trim_end())?;
            line.clone_from(&indent);
            is_empty = true;
        }
        let space = if is_empty { "" } else { " " };
        // Writing to a String does not fail.
        let _written = write!(line, "{space}{word}").is_ok();
        is_empty = false;
    }
    writeln!(out, "{}", line.trim_end())
}
