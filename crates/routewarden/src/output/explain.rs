//! The explanation of one incident, for an engineer who doubts it.

use std::fmt::Write as _;
use std::io::{self, Write};

use routewarden_core::Asn;
use routewarden_core::facts::{InvalidReason, RovState};
use routewarden_detect::{Evidence, Incident, IncidentKind, IncidentState};

use super::{confidence_class, duration};

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
    labelled(out, "What", &what(incident))?;
    labelled(out, "When", &when(incident))?;
    labelled(out, "Seen by", &seen_by(incident))?;
    if !incident.propagators.is_empty() {
        let text = format!("{} passed it on.", names(incident, &incident.propagators));
        labelled(out, "Through", &text)?;
    }
    labelled(out, "RPKI", &rpki(incident))?;
    section(out, "Evidence for", &incident.evidence)?;
    section(out, "Evidence against", &incident.counter_evidence)?;
    countermeasures(out, incident)?;
    sample_paths(out, incident)?;
    next_steps(out, incident)
}

fn what(incident: &Incident) -> String {
    let culprits = names(incident, &incident.culprits);
    let victims = names(incident, &incident.victims);
    let prefixes = listed(incident);
    match incident.kind {
        IncidentKind::SubPrefixHijack => {
            let covering: Vec<String> =
                incident.covering_prefixes.iter().take(3).map(ToString::to_string).collect();
            format!("{culprits} announced {prefixes}, inside {} of {victims}.", covering.join(", "))
        }
        IncidentKind::OriginHijack => {
            format!("{culprits} announced {prefixes} as its own. It is {victims}'s.")
        }
        IncidentKind::Moas => format!(
            "{culprits} began to originate {prefixes}, until then originated by {victims}. \
             Nothing shows it to be a hijack."
        ),
        IncidentKind::RpkiInvalid if incident.victims.is_empty() => {
            if incident.rov.reason == Some(InvalidReason::MaxLength) {
                format!("{culprits} announces {prefixes} against its own ROA.")
            } else {
                format!("{culprits} announces {prefixes}, which an AS0 ROA forbids to route.")
            }
        }
        IncidentKind::RpkiInvalid => {
            format!("{culprits} announces {prefixes}, for which {victims} holds the ROA.")
        }
        IncidentKind::BogonPrefix => {
            format!("{culprits} announces {prefixes}: space that is never routable.")
        }
        IncidentKind::BogonAsn => {
            format!(
                "{culprits} passes on {prefixes} with an ASN in the path that is never routable."
            )
        }
    }
}

/// The first prefixes, and how many more.
fn listed(incident: &Incident) -> String {
    let mut text: Vec<String> = incident.prefixes.iter().take(4).map(ToString::to_string).collect();
    if incident.prefix_count > text.len() {
        text.push(format!("and {} more", incident.prefix_count - text.len()));
    }
    text.join(", ")
}

fn names(incident: &Incident, asns: &[Asn]) -> String {
    let name = |asn: &Asn| match incident.as_names.get(&asn.0.to_string()) {
        Some(name) => format!("{asn} ({name})"),
        None => asn.to_string(),
    };
    let mut text: Vec<String> = asns.iter().take(4).map(name).collect();
    if asns.len() > text.len() {
        text.push(format!("{} more", asns.len() - text.len()));
    }
    text.join(", ")
}

fn when(incident: &Incident) -> String {
    let span = duration(incident.exposure_secs);
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
    let share = points.peak * 100 / points.of.max(1);
    format!(
        "{} of {} vantage point ASes; at its peak {} at one time ({share} %), at the end {}.",
        points.seen, points.of, points.peak, points.now
    )
}

fn rpki(incident: &Incident) -> String {
    match (incident.rov.state, incident.rov.reason) {
        (None, _) => "not checked: no VRPs were given (--vrps).",
        (Some(RovState::Valid), _) => "valid.",
        (Some(RovState::NotFound), _) => "not found: no ROA covers it.",
        (Some(RovState::Invalid), Some(InvalidReason::MaxLength)) => {
            "invalid: longer than the ROA allows."
        }
        (Some(RovState::Invalid), _) => "invalid: no covering ROA allows the origin.",
    }
    .to_owned()
}

fn section(out: &mut dyn Write, title: &str, lines: &[Evidence]) -> io::Result<()> {
    writeln!(out, "\n{title}")?;
    if lines.is_empty() {
        writeln!(out, "  none")?;
    }
    lines.iter().try_for_each(|line| {
        let text = format!("{} [{}]", line.text, line.rule);
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
    let propagators = names(incident, incident.propagators.get(..1).unwrap_or_default());
    let culprits = names(incident, &incident.culprits);
    let victims = names(incident, &incident.victims);
    let mut steps = Vec::new();
    match incident.kind {
        IncidentKind::SubPrefixHijack | IncidentKind::OriginHijack => {
            if incident.ended_at.is_none() {
                if !propagators.is_empty() {
                    steps.push(format!("Ask {propagators} to filter it; then {culprits}."));
                }
                steps.push(format!("Advise {victims} to {}.", counter_announcement(incident)));
            }
            if incident.rov.state != Some(RovState::Invalid) {
                steps.push(format!(
                    "Advise {victims} to publish ROAs for what it announces, maxLength included."
                ));
            }
            steps.push("Keep this explanation and the archive files with the case.".to_owned());
        }
        IncidentKind::Moas => {
            steps.push(format!("Ask {victims} whether it knows of {culprits}."));
        }
        IncidentKind::RpkiInvalid => {
            steps.push(format!("Ask {culprits} to correct the announcement or the ROA."));
        }
        IncidentKind::BogonPrefix | IncidentKind::BogonAsn => {
            steps.push(format!("Ask {culprits} to filter bogons towards its neighbours."));
        }
    }
    writeln!(out, "\nNext")?;
    steps.iter().try_for_each(|step| wrapped(out, "  - ", step))
}

/// Networks accept no prefixes longer than /24 (IPv6 /48).
fn counter_announcement(incident: &Incident) -> &'static str {
    let has_room = incident
        .prefixes
        .iter()
        .all(|prefix| prefix.len() < if prefix.is_ipv4() { 24 } else { 48 });
    if has_room {
        "announce more-specifics of it, as far as /24 (IPv6 /48)"
    } else {
        "announce the same prefixes: longer ones are accepted by few networks"
    }
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
