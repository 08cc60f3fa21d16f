//! What a measurement rests on beside incidents and routes, and the figures of one AS.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use routewarden_core::facts::participants::Participant;
use routewarden_core::facts::{
    ContactRole, ContactRoles, ContactTable, FactSource, Facts, IrrState, IrrTable,
    ParticipantTable, PeeringDbTable, RovState, Sha256, Sourced, SpooferTable,
};
use routewarden_core::{Asn, Origin, Prefix, Timestamp};
use routewarden_measure::{
    AsInputs, ContactKind, InputKind, IrrCoverage, NamedRoutes, NoData, PathsTold, Period,
    RpkiCounts, Share, SpoofingTests,
};
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
    pub(crate) spoofer: BTreeMap<String, Arc<Sourced<SpooferTable>>>,
    /// Contacts that registries name.
    pub(crate) contacts: BTreeMap<String, Arc<Sourced<ContactTable>>>,
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
        let spoofer = self.beside.spoofer.values().map(|sourced| &sourced.source);
        sources.extend(spoofer.map(of(InputKind::Spoofer)));
        let contacts = self.beside.peering_db.values().map(|sourced| &sourced.source);
        let registries = self.beside.contacts.values().map(|sourced| &sourced.source);
        sources.extend(contacts.chain(registries).map(of(InputKind::Contacts)));
        sources.extend(facts.aspas.iter().map(|a| Source::of(InputKind::Aspas, &a.source)));
        sources.extend(facts.relations.iter().map(|r| Source::of(InputKind::Relations, &r.source)));
        sources
    }

    /// Programmes that an AS takes part in.
    pub(crate) fn participants(&self, asn: Asn) -> impl Iterator<Item = &Participant> {
        self.beside.participants.values().flat_map(move |table| table.of(asn))
    }

    /// Public tests for spoofing in an AS.
    pub(crate) fn spoofing(&self, asn: Asn, period: Period) -> Result<SpoofingTests, NoData> {
        if self.beside.spoofer.is_empty() {
            return Err(NoData::InputMissing { input: InputKind::Spoofer });
        }
        let mut all = SpoofingTests::default();
        for table in self.beside.spoofer.values() {
            let counts = table.tests(asn, period.from(), period.until());
            all.tests = all.tests.saturating_add(counts.tests);
            all.received_prefixes = all.received_prefixes.saturating_add(counts.received_prefixes);
        }
        Ok(all)
    }

    /// What is known of an AS that announced these routes.
    pub(crate) fn of_as(&self, asn: Asn, announced: &Announced, period: Period) -> AsInputs {
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
        inputs.spoofing = self.spoofing(asn, period);
        if let Some(contacts) = self.contacts(asn) {
            inputs.contacts = Ok(contacts);
        }
        inputs.aspa_providers = self.aspa_providers(asn);
        let PathsTold { rov, otc, .. } = announced.told();
        if let Some(rov) = rov {
            let evidence = rov.by_as.get(&asn).copied().unwrap_or_default();
            inputs.invalids_dropped = Ok(evidence.share());
        }
        if let Some(otc) = otc {
            inputs.otc_marked = Ok(otc.by_as.get(&asn).copied().unwrap_or_default());
        }
        inputs
    }

    /// Of the providers that the relationships know, those that the AS's own ASPA names.
    fn aspa_providers(&self, asn: Asn) -> Result<Share, NoData> {
        let missing = |input| NoData::InputMissing { input };
        let aspas = self.facts.aspas.as_ref().ok_or_else(|| missing(InputKind::Aspas))?;
        let relations = self.facts.relations.as_ref();
        let relations = relations.ok_or_else(|| missing(InputKind::Relations))?;
        Ok(Share::of_providers(asn, relations, aspas))
    }

    /// Contacts that can be looked up; `None` where nobody was asked.
    fn contacts(&self, asn: Asn) -> Option<BTreeSet<ContactKind>> {
        let Beside { peering_db, contacts: registries, .. } = &self.beside;
        if peering_db.is_empty() && registries.is_empty() && self.irr.is_none() {
            return None;
        }
        let mut found = self.registered_contacts(asn);
        let networks = self.beside.peering_db.values().filter_map(|table| table.network(asn));
        let contacts = networks.flat_map(|network| &network.contacts);
        let reachable = contacts.filter(|c| !c.email.is_empty() || !c.phone.is_empty());
        found.extend(reachable.filter_map(|contact| peering_db_contact(&contact.role)));
        Some(found)
    }

    /// Contacts that registries name.
    fn registered_contacts(&self, asn: Asn) -> BTreeSet<ContactKind> {
        let roles = self.beside.contacts.values().filter_map(|table| table.roles(asn));
        let kinds = roles.flat_map(ContactRoles::iter).map(|role| match role {
            ContactRole::Administrative => ContactKind::RirAdmin,
            ContactRole::Technical => ContactKind::RirTechnical,
            ContactRole::Noc => ContactKind::RirNoc,
            ContactRole::Abuse => ContactKind::RirAbuse,
        });
        let aut_nums = self.irr.iter().flat_map(|irr| irr.aut_nums(asn));
        let in_irr = aut_nums.filter(|held| held.has_admin_contact || held.has_tech_contact);
        kinds.chain(in_irr.map(|_| ContactKind::Irr)).collect()
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

impl FaultyRoutes {
    /// As advice names them.
    pub(crate) fn named(&self) -> NamedRoutes<'_> {
        NamedRoutes {
            invalid: &self.invalid,
            not_found: &self.not_found,
            unregistered: &self.unregistered,
        }
    }
}
