//! What an incident is and what to do about it, in words.

use routewarden_core::Asn;
use routewarden_core::facts::{InvalidReason, Role, RovState};
use routewarden_detect::{Incident, IncidentKind, LeakTriple};

/// What happened, in a sentence.
pub(super) fn what(incident: &Incident) -> String {
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
        IncidentKind::Squatting => {
            format!("{culprits} announced {prefixes}, which {victims} holds and does not announce.")
        }
        IncidentKind::LessSpecificHijack => format!(
            "{culprits} announced {prefixes}, over prefixes that only {victims} originates: what \
             they withdraw goes to it."
        ),
        IncidentKind::ForgedOrigin | IncidentKind::ForgedPath => {
            let link = incident.link.map(|link| format!("{} next to {}", link.a, link.b));
            format!(
                "Paths to {prefixes} of {victims} show {}: neighbours that nobody knows of. The \
                 origin is the rightful one, so that origin validation passes it.",
                link.unwrap_or_default()
            )
        }
        IncidentKind::SamePathMoreSpecific => {
            format!(
                "{prefixes} appeared, new, with the rightful origin {culprits} and known links."
            )
        }
        IncidentKind::RouteLeak => leak(incident, &culprits, &prefixes),
        _ => what_else(incident),
    }
}

/// What happened where nobody took or leaked another's traffic.
fn what_else(incident: &Incident) -> String {
    let culprits = names(incident, &incident.culprits);
    let victims = names(incident, &incident.victims);
    let prefixes = listed(incident);
    match incident.kind {
        IncidentKind::RoaChange => {
            format!("The ROAs for space of {victims} changed{}.", and_whom(&culprits))
        }
        IncidentKind::AspaChange => {
            format!("The ASPA of {victims} changed{}.", and_whom(&culprits))
        }
        IncidentKind::TrustAnchorLoss => format!(
            "A trust anchor lost {} VRPs at once: routes that they made valid are unprotected.",
            incident.prefix_count
        ),
        IncidentKind::BlackholeAbuse => format!(
            "{culprits} announced {prefixes} of {victims}, as one does to have traffic thrown away."
        ),
        IncidentKind::PrefixOutage => {
            format!("{prefixes} of {victims} are no longer seen by those who had them.")
        }
        IncidentKind::AsOutage => {
            format!("{victims} is gone: {prefixes} are no longer seen by those who had them.")
        }
        IncidentKind::CountryOutage => {
            format!("A large part of a country is gone: {prefixes} of {victims}.")
        }
        IncidentKind::NewNeighbour => {
            format!(
                "{victims}, a constituent, has {culprits} next to it in paths: a new neighbour."
            )
        }
        IncidentKind::UnexpectedOrigination => {
            format!("{culprits}, a constituent, originates {prefixes}, which it never did.")
        }
        IncidentKind::AsSet => format!("Paths to {prefixes} have an AS_SET behind {culprits}."),
        IncidentKind::LongPath => {
            format!("Paths to {prefixes} of {culprits} have more than 50 ASNs.")
        }
        IncidentKind::ExcessivePrepending => {
            format!("{culprits} stands ten times or more in a row in paths to {prefixes}.")
        }
        // Told by `what`; listed, so that a new kind cannot be left without words.
        IncidentKind::OriginHijack
        | IncidentKind::SubPrefixHijack
        | IncidentKind::Squatting
        | IncidentKind::LessSpecificHijack
        | IncidentKind::ForgedOrigin
        | IncidentKind::ForgedPath
        | IncidentKind::SamePathMoreSpecific
        | IncidentKind::RouteLeak
        | IncidentKind::Moas
        | IncidentKind::RpkiInvalid
        | IncidentKind::BogonPrefix
        | IncidentKind::BogonAsn => String::new(),
    }
}

/// `, and names AS64496`
fn and_whom(culprits: &str) -> String {
    if culprits.is_empty() { String::new() } else { format!(", and name {culprits} now") }
}

fn leak(incident: &Incident, culprits: &str, prefixes: &str) -> String {
    let Some(LeakTriple { rfc7908_type, from, to, .. }) = incident.leak else {
        return format!("{culprits} leaked {prefixes}.");
    };
    let kind = rfc7908_type.map(|kind| format!(" (RFC 7908 type {kind})")).unwrap_or_default();
    let name = |asn: Asn| names(incident, &[asn]);
    match (rfc7908_type, from, to) {
        (_, Some(from), Some(to)) => format!(
            "{culprits} passed on to {} what it has from {}: {prefixes}{kind}.",
            name(to),
            name(from)
        ),
        (Some(5), ..) => format!(
            "{culprits} originates {prefixes} of others, whose routes it carried before{kind}."
        ),
        (Some(6), ..) => {
            format!("{culprits} let out more-specifics of its own: {prefixes}{kind}.")
        }
        _ => format!("{culprits} leaked {prefixes}{kind}."),
    }
}

/// The constituents that an incident touches, and as what.
pub(super) fn touched(incident: &Incident) -> String {
    let role = |role| match role {
        Role::Victim => "victim",
        Role::Culprit => "culprit",
        Role::OnPath => "on the path",
    };
    let touched = incident.constituency.iter();
    let each: Vec<String> =
        touched.map(|touch| format!("{} ({})", touch.name, role(touch.role))).collect();
    format!("{}.", each.join(", "))
}

/// What the verdict rests on.
pub(super) fn feeds(incident: &Incident) -> String {
    let feeds = &incident.feeds;
    let state = if feeds.degraded { ": DEGRADED, what was not seen says little" } else { "" };
    format!("{} of {} sessions were down at some time{state}.", feeds.lost, feeds.sessions)
}

/// The first prefixes, and how many more.
fn listed(incident: &Incident) -> String {
    let mut text: Vec<String> = incident.prefixes.iter().take(4).map(ToString::to_string).collect();
    if incident.prefix_count > text.len() {
        text.push(format!("and {} more", incident.prefix_count - text.len()));
    }
    text.join(", ")
}

/// ASes with their names.
pub(super) fn names(incident: &Incident, asns: &[Asn]) -> String {
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

/// What to do.
pub(super) fn steps(incident: &Incident) -> Vec<String> {
    let culprits = names(incident, &incident.culprits);
    let victims = names(incident, &incident.victims);
    match incident.kind {
        IncidentKind::SubPrefixHijack
        | IncidentKind::OriginHijack
        | IncidentKind::Squatting
        | IncidentKind::BlackholeAbuse
        | IncidentKind::LessSpecificHijack => hijack_steps(incident),
        IncidentKind::ForgedOrigin | IncidentKind::ForgedPath => {
            let mut steps = hijack_steps(incident);
            if incident.aspa.is_none() {
                steps.push(format!(
                    "Advise {victims} to publish an ASPA: it makes the forged path invalid."
                ));
            }
            steps
        }
        IncidentKind::RouteLeak => leak_steps(incident),
        IncidentKind::Moas => vec![format!("Ask {victims} whether it knows of {culprits}.")],
        IncidentKind::SamePathMoreSpecific | IncidentKind::UnexpectedOrigination => {
            vec![format!("Ask {culprits} whether it means to announce this.")]
        }
        IncidentKind::NewNeighbour => vec![format!(
            "Ask {victims} whether {culprits} is its neighbour, and enter it in the constituency."
        )],
        IncidentKind::RpkiInvalid => {
            vec![format!("Ask {culprits} to correct the announcement or the ROA.")]
        }
        IncidentKind::RoaChange | IncidentKind::AspaChange => vec![format!(
            "Ask {victims} whether it made the change; if not, its registry account is in other hands."
        )],
        IncidentKind::TrustAnchorLoss => vec![
            "Look at the validator and the anchor's repository before anything else.".to_owned(),
        ],
        IncidentKind::BogonPrefix | IncidentKind::BogonAsn => {
            vec![format!("Ask {culprits} to filter bogons towards its neighbours.")]
        }
        IncidentKind::PrefixOutage | IncidentKind::AsOutage | IncidentKind::CountryOutage => {
            vec![format!(
                "Ask {victims} whether it knows; look for power, cable or political causes."
            )]
        }
        IncidentKind::AsSet | IncidentKind::LongPath | IncidentKind::ExcessivePrepending => {
            vec![format!("Tell {culprits} when there is occasion: it is hygiene, no attack.")]
        }
    }
}

fn hijack_steps(incident: &Incident) -> Vec<String> {
    let propagators = names(incident, incident.propagators.get(..1).unwrap_or_default());
    let culprits = names(incident, &incident.culprits);
    let victims = names(incident, &incident.victims);
    let mut steps = Vec::new();
    if incident.ended_at.is_none() {
        if !propagators.is_empty() {
            steps.push(format!("Ask {propagators} to filter it; then {culprits}."));
        }
        steps.push(format!("Advise {victims} to {}.", counter_announcement(incident)));
    }
    if !matches!(incident.rov.state, Some(RovState::Invalid | RovState::Valid)) {
        steps.push(format!(
            "Advise {victims} to publish ROAs for what it announces, maxLength included."
        ));
    }
    steps.push("Keep this explanation and the archive files with the case.".to_owned());
    steps
}

fn leak_steps(incident: &Incident) -> Vec<String> {
    let culprits = names(incident, &incident.culprits);
    let to = incident.leak.and_then(|leak| leak.to);
    let mut steps = Vec::new();
    if incident.ended_at.is_none() {
        steps.push(format!("Ask {culprits} to correct its export filters."));
    }
    if let Some(to) = to {
        steps.push(format!(
            "Ask {} to filter what it takes from {culprits}: prefixes, maximum prefix count, roles \
             (RFC 9234).",
            names(incident, &[to])
        ));
    }
    steps.push("Keep this explanation and the archive files with the case.".to_owned());
    steps
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
