//! From incidents to the events that metrics count.

use std::collections::BTreeMap;

use routewarden_core::facts::{Facts, IrrState, IrrTable, RovState};
use routewarden_core::{Asn, Origin, Prefix, Timestamp};
use routewarden_detect::{Incident, IncidentKind};
use routewarden_measure::{Event, EventKind, InputKind};

/// What events are made with.
pub(crate) struct EventSource<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) irr: Option<&'a IrrTable>,
}

/// Events, and why some of them do not count.
#[derive(Debug, Default)]
pub(crate) struct Events {
    pub(crate) list: Vec<Event>,
    /// Reason by id of the incident.
    pub(crate) dismissed: BTreeMap<String, String>,
    /// How far what is known reaches: what lasts then is not known to have lasted longer. `None` where
    /// that is the end of the period.
    known_until: Option<Timestamp>,
}

impl Events {
    /// No events yet; nothing is known from a time on.
    pub(crate) fn until(known_until: Option<Timestamp>) -> Self {
        Events { known_until, ..Events::default() }
    }

    /// Adds an incident, under the id by which it is known; one that no metric counts adds nothing.
    /// `verdict` says why it is a false positive, where people found it to be one.
    pub(crate) fn add(
        &mut self,
        id: &str,
        incident: &Incident,
        verdict: Option<String>,
        source: &EventSource<'_>,
    ) {
        let Some(kind) = kind(incident, source.facts) else { return };
        let reason = verdict.or_else(|| authorised(incident, source));
        let mut event = Event {
            from: incident.first_seen,
            until: incident.ended_at.or(self.known_until),
            id: id.to_owned(),
            kind,
            culprits: incident.culprits.clone(),
            accomplices: accomplices(incident),
            confidence: incident.confidence,
            is_dismissed: reason.is_some(),
        };
        event.excuse(source.facts);
        if let Some(reason) = reason {
            self.dismissed.insert(id.to_owned(), reason);
        }
        self.list.push(event);
    }
}

/// Kinds of events that cannot be found out, each for want of an input.
pub(crate) fn unknown_events(
    has_incidents: bool,
    has_delegations: bool,
) -> impl Iterator<Item = (EventKind, InputKind)> {
    let missing = move |kind: EventKind| match kind {
        _ if !has_incidents => Some(InputKind::Incidents),
        EventKind::AdministrativeBogonPrefix | EventKind::AdministrativeBogonAsn => {
            (!has_delegations).then_some(InputKind::Delegations)
        }
        EventKind::RouteLeak
        | EventKind::Misorigination
        | EventKind::BogonPrefix
        | EventKind::BogonAsn => None,
    };
    EventKind::ALL.into_iter().filter_map(move |kind| Some((kind, missing(kind)?)))
}

/// What the metrics take it for; `None` for what none counts: an origin that several share, RPKI-invalid
/// and nothing more (M7RPKI has it), changes of facts, outages, hygiene.
fn kind(incident: &Incident, facts: &Facts) -> Option<EventKind> {
    match incident.kind {
        IncidentKind::OriginHijack
        | IncidentKind::SubPrefixHijack
        | IncidentKind::Squatting
        | IncidentKind::LessSpecificHijack
        | IncidentKind::ForgedOrigin
        | IncidentKind::ForgedPath
        | IncidentKind::BlackholeAbuse => Some(EventKind::Misorigination),
        IncidentKind::RouteLeak => Some(EventKind::RouteLeak),
        IncidentKind::BogonPrefix => {
            let is_reserved = |prefix| facts.bogons().prefix(prefix).is_some();
            Some(if incident.prefixes.iter().any(is_reserved) {
                EventKind::BogonPrefix
            } else {
                EventKind::AdministrativeBogonPrefix
            })
        }
        // The detector tells of ASNs that are never routable only.
        IncidentKind::BogonAsn => Some(EventKind::BogonAsn),
        IncidentKind::SamePathMoreSpecific
        | IncidentKind::Moas
        | IncidentKind::RpkiInvalid
        | IncidentKind::RoaChange
        | IncidentKind::AspaChange
        | IncidentKind::TrustAnchorLoss
        | IncidentKind::PrefixOutage
        | IncidentKind::AsOutage
        | IncidentKind::CountryOutage
        | IncidentKind::NewNeighbour
        | IncidentKind::UnexpectedOrigination
        | IncidentKind::AsSet
        | IncidentKind::LongPath
        | IncidentKind::ExcessivePrepending => None,
    }
}

/// Of a leak, who took the routes from the leaker; else who stands next to a culprit and passed it on.
fn accomplices(incident: &Incident) -> Vec<Asn> {
    match &incident.leak {
        Some(leak) => leak.to.into_iter().collect(),
        None => incident.propagators.clone(),
    }
}

/// Why it is no misorigination after all: somebody entitled the culprit to every prefix of it, in the
/// RPKI or by route objects (design page on MANRS, section 2.5). What rests on a forged link is not
/// cleared by that: there the origin is the rightful one.
fn authorised(incident: &Incident, source: &EventSource<'_>) -> Option<String> {
    let by_origin = matches!(
        incident.kind,
        IncidentKind::OriginHijack | IncidentKind::SubPrefixHijack | IncidentKind::Squatting
    );
    let &[culprit] = incident.culprits.as_slice() else { return None };
    let is_whole = incident.prefix_count == incident.prefixes.len() && incident.prefix_count > 0;
    if !by_origin || !is_whole {
        return None;
    }
    let is_valid = |prefix: &Prefix| {
        let state = source.facts.rov(prefix, Origin::As(culprit));
        matches!(state, Some((RovState::Valid, _)))
    };
    if incident.prefixes.iter().all(is_valid) {
        return Some(format!("RPKI-valid: ROAs name {culprit}"));
    }
    let irr = source.irr?;
    let is_registered = |prefix: &Prefix| {
        let state = irr.state(prefix, Origin::As(culprit));
        matches!(state, IrrState::Valid | IrrState::MoreSpecific)
    };
    let is_registered = incident.prefixes.iter().all(is_registered);
    is_registered.then(|| format!("registered: route objects name {culprit}"))
}
