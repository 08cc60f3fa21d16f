//! What a measurement rests on beside incidents and routes, and the figures of one AS.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use routewarden_core::facts::{
    FactSource, Facts, IrrState, IrrTable, ParticipantTable, PeeringDbTable, RovState, Sha256,
    Sourced,
};
use routewarden_core::{Asn, Origin, Prefix, Timestamp};
use routewarden_measure::{AsInputs, ContactKind, InputKind, IrrCoverage, NoData, RpkiCounts};
use serde::{Deserialize, Serialize};

use super::Announced;

/// Most routes named of one AS; all are counted.
pub(crate) const ROUTES_NAMED_MAX: usize = 100;

/// One input of a measurement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Source {
    pub(crate) input: InputKind,
    pub(crate) name: String,
    pub(crate) date: Option<Timestamp>,
    pub(crate) sha256: Option<Sha256>,
    pub(crate) entries: u64,
}

impl Source {
    /// A file of facts as an input.
    pub(crate) fn of(input: InputKind, source: &FactSource) -> Self {
        Source {
            input,
            name: source.name.clone(),
            date: source.date,
            sha256: source.sha256,
            entries: source.entries,
        }
    }
}

/// Facts that only measurements rest on, by the name of their source.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beside {
    pub(crate) irr: BTreeMap<String, Arc<Sourced<IrrTable>>>,
    pub(crate) peering_db: BTreeMap<String, Arc<Sourced<PeeringDbTable>>>,
    pub(crate) participants: BTreeMap<String, Arc<Sourced<ParticipantTable>>>,
}

/// Facts that measurements rest on. What is not given is unknown, never "no".
#[derive(Debug, Default)]
pub(crate) struct References {
    pub(crate) facts: Facts,
    pub(crate) beside: Beside,
    /// The route objects of all registries.
    pub(crate) irr: Option<IrrTable>,
}

impl References {
    /// Of the facts of detection, and those beside them.
    pub(crate) fn new(mut facts: Facts, beside: Beside) -> Self {
        let route_servers = beside.peering_db.values().flat_map(|table| table.route_servers());
        facts.route_servers.extend(route_servers);
        facts.route_servers.sort_unstable();
        facts.route_servers.dedup();
        let mut tables = beside.irr.values().map(|sourced| &sourced.table);
        let irr = match (tables.len(), tables.next()) {
            (1, Some(only)) => Some(only.clone()),
            (_, first) => first.map(|first| IrrTable::united(std::iter::once(first).chain(tables))),
        };
        References { facts, beside, irr }
    }

    /// Everything given, in the order of [`InputKind`].
    pub(crate) fn sources(&self) -> Vec<Source> {
        let of = |input| move |source: &FactSource| Source::of(input, source);
        let facts = &self.facts;
        let mut sources: Vec<Source> = Vec::new();
        let delegations = facts.delegations.iter().map(|sourced| &sourced.source);
        sources.extend(delegations.map(of(InputKind::Delegations)));
        let irr = self.beside.irr.values().map(|sourced| &sourced.source);
        sources.extend(irr.map(of(InputKind::Irr)));
        sources.extend(facts.vrps.iter().map(|v| Source::of(InputKind::Vrps, &v.source)));
        let contacts = self.beside.peering_db.values().map(|sourced| &sourced.source);
        sources.extend(contacts.map(of(InputKind::Contacts)));
        sources.extend(facts.aspas.iter().map(|a| Source::of(InputKind::Aspas, &a.source)));
        sources.extend(facts.relations.iter().map(|r| Source::of(InputKind::Relations, &r.source)));
        sources
    }

    /// What is known of an AS that announced these routes.
    pub(crate) fn of_as(&self, asn: Asn, announced: &Announced) -> AsInputs {
        let mut inputs = AsInputs::default();
        let no_routes = || NoData::InputMissing { input: InputKind::Routes };
        let has_routes = announced.source().is_some();
        if let Some(irr) = &self.irr {
            let counts = || IrrCoverage::of(asn, announced.of(asn), irr);
            inputs.irr = has_routes.then(counts).ok_or_else(no_routes);
        }
        if let Some(vrps) = &self.facts.vrps {
            let counts = || RpkiCounts::of(asn, announced.of(asn), vrps);
            inputs.rpki = has_routes.then(counts).ok_or_else(no_routes);
        }
        if let Some(contacts) = self.contacts(asn) {
            inputs.contacts = Ok(contacts);
        }
        inputs
    }

    /// Contacts that can be looked up; `None` where nobody was asked.
    fn contacts(&self, asn: Asn) -> Option<BTreeSet<ContactKind>> {
        if self.beside.peering_db.is_empty() {
            return None;
        }
        let networks = self.beside.peering_db.values().filter_map(|table| table.network(asn));
        let contacts = networks.flat_map(|network| &network.contacts);
        let reachable = contacts.filter(|c| !c.email.is_empty() || !c.phone.is_empty());
        Some(reachable.filter_map(|contact| peering_db_contact(&contact.role)).collect())
    }

    /// Routes of an AS that cost it points, with what is wrong: the first [`ROUTES_NAMED_MAX`] each.
    pub(crate) fn faulty_routes(&self, asn: Asn, announced: &Announced) -> FaultyRoutes {
        let state = |prefix: &Prefix| self.facts.rov(prefix, Origin::As(asn)).map(|(s, _)| s);
        let of_state = |wanted| {
            let routes = announced.of(asn).filter(move |prefix| state(prefix) == Some(wanted));
            routes.take(ROUTES_NAMED_MAX).collect()
        };
        let unregistered = self.irr.iter().flat_map(|irr| {
            let is_registered = |prefix: &Prefix| {
                let state = irr.state(prefix, Origin::As(asn));
                matches!(state, IrrState::Valid | IrrState::MoreSpecific)
            };
            announced.of(asn).filter(move |prefix| !is_registered(prefix))
        });
        FaultyRoutes {
            invalid: of_state(RovState::Invalid),
            not_found: of_state(RovState::NotFound),
            unregistered: unregistered.take(ROUTES_NAMED_MAX).collect(),
        }
    }
}

/// Roles of PeeringDB, whose contacts are public ones only where nobody logged in to fetch them.
fn peering_db_contact(role: &str) -> Option<ContactKind> {
    match role {
        "NOC" => Some(ContactKind::PeeringDbNoc),
        "Technical" => Some(ContactKind::PeeringDbTechnical),
        "Policy" => Some(ContactKind::PeeringDbPolicy),
        "Abuse" => Some(ContactKind::PeeringDbAbuse),
        _ => None,
    }
}

/// Routes that cost an AS points.
#[derive(Clone, Debug, Default)]
pub(crate) struct FaultyRoutes {
    pub(crate) invalid: Vec<Prefix>,
    pub(crate) not_found: Vec<Prefix>,
    pub(crate) unregistered: Vec<Prefix>,
}
