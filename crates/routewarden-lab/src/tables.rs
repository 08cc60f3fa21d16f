//! The facts of a scenario as the tables that detection looks into.

use std::collections::{BTreeMap, BTreeSet};

use routewarden_core::Asn;
use routewarden_core::facts::{
    AsNameTable, AspaTable, Constituency, Criticality, FactKind, FactSource, Facts, Link, Member,
    MemberPrefix, Organisation, OrganisationTable, OriginTable, Relation, RelationTable, Sourced,
    TrustAnchors, Vrp, VrpTable,
};

use crate::facts::{AspaFact, Constituency as Watched, ConstituencyMember, FactsChange, VrpFact};
use crate::{RelationKind, Scenario};

/// VRPs and ASPAs as they stand, while steps change them.
#[derive(Debug, Clone)]
pub struct Tables<'a> {
    scenario: &'a Scenario,
    vrps: Vec<VrpFact>,
    aspas: BTreeMap<Asn, Vec<Asn>>,
}

impl<'a> Tables<'a> {
    /// Those at the start of the scenario.
    pub fn new(scenario: &'a Scenario) -> Self {
        let aspas = scenario
            .facts
            .aspas
            .iter()
            .map(|AspaFact { customer, providers }| (*customer, providers.clone()));
        Tables { scenario, vrps: scenario.facts.vrps.clone(), aspas: aspas.collect() }
    }

    /// All facts as they stand.
    ///
    /// # Errors
    /// Text when the members make no constituency.
    pub fn facts(&self) -> Result<Facts, String> {
        let scenario = self.scenario;
        let given = &scenario.facts;
        let origins: Vec<_> = given
            .origins
            .iter()
            .flat_map(|fact| fact.asns.iter().map(|&asn| (fact.prefix, asn)))
            .collect();
        let names: Vec<_> =
            given.as_names.iter().map(|fact| (fact.asn, fact.name.as_str().into())).collect();
        let servers: BTreeSet<Asn> = given.route_servers.iter().copied().collect();
        Ok(Facts {
            vrps: self.vrps(),
            aspas: self.aspas(),
            origins: self
                .sourced(FactKind::Origins, origins.len(), || OriginTable::from_entries(origins)),
            organisations: self.sourced(FactKind::Organisations, given.organisations.len(), || {
                organisations(scenario)
            }),
            relations: self
                .sourced(FactKind::Relations, given.relations.len(), || relations(scenario)),
            as_names: self
                .sourced(FactKind::AsNames, names.len(), || AsNameTable::from_names(names)),
            route_servers: servers.into_iter().collect(),
            delegations: Vec::new(),
            constituency: self.constituency()?,
        })
    }

    /// Takes a change; gives the tables that it touches as they stand now.
    pub fn change(
        &mut self,
        change: &FactsChange,
    ) -> (Option<Sourced<VrpTable>>, Option<Sourced<AspaTable>>) {
        self.vrps.retain(|vrp| !change.vrps_removed.contains(vrp));
        self.vrps.extend(change.vrps_added.iter().cloned());
        for customer in &change.aspas_removed {
            self.aspas.remove(customer);
        }
        for AspaFact { customer, providers } in &change.aspas_added {
            self.aspas.insert(*customer, providers.clone());
        }
        let has_vrps = !change.vrps_added.is_empty() || !change.vrps_removed.is_empty();
        let has_aspas = !change.aspas_added.is_empty() || !change.aspas_removed.is_empty();
        let at = change.time;
        let dated = |source: FactSource| FactSource { date: Some(at), ..source };
        let vrps = has_vrps.then(|| Sourced {
            table: self.vrp_table(),
            source: dated(self.source(FactKind::Vrps, self.vrps.len())),
        });
        let aspas = has_aspas.then(|| Sourced {
            table: self.aspa_table(),
            source: dated(self.source(FactKind::Aspas, self.aspas.len())),
        });
        (vrps, aspas)
    }

    fn vrps(&self) -> Option<Sourced<VrpTable>> {
        self.sourced(FactKind::Vrps, self.vrps.len(), || self.vrp_table())
    }

    fn vrp_table(&self) -> VrpTable {
        let mut anchors = TrustAnchors::default();
        let entries = self.vrps.iter().map(|fact| {
            let vrp = Vrp {
                prefix: fact.prefix,
                max_len: fact.max_length,
                asn: fact.asn,
                ta: anchors.intern(fact.trust_anchor.as_deref().unwrap_or_default()),
            };
            let expires = fact.expires.and_then(|time| u32::try_from(time.secs()).ok());
            (vrp, expires.unwrap_or(0))
        });
        let entries: Vec<(Vrp, u32)> = entries.collect();
        VrpTable::from_expiring(entries).with_trust_anchors(anchors)
    }

    fn aspas(&self) -> Option<Sourced<AspaTable>> {
        self.sourced(FactKind::Aspas, self.aspas.len(), || self.aspa_table())
    }

    fn aspa_table(&self) -> AspaTable {
        AspaTable::from_records(self.aspas.iter().map(|(&asn, list)| (asn, list.clone())).collect())
    }

    fn constituency(&self) -> Result<Option<Sourced<Constituency>>, String> {
        let Some(Watched::Members(members)) = &self.scenario.constituency else { return Ok(None) };
        let members: Vec<Member> = members.iter().map(member).collect();
        let count = members.len();
        let table = Constituency::new("", members).map_err(|error| error.to_string())?;
        Ok(self.sourced(FactKind::Constituency, count, || table))
    }

    fn source(&self, kind: FactKind, entries: usize) -> FactSource {
        FactSource {
            kind,
            name: self.scenario.id.clone(),
            sha256: None,
            date: Some(self.scenario.start),
            entries: u64::try_from(entries).unwrap_or(u64::MAX),
            skipped: BTreeMap::new(),
        }
    }

    /// The table, unless nothing is known for it.
    fn sourced<T>(
        &self,
        kind: FactKind,
        entries: usize,
        table: impl FnOnce() -> T,
    ) -> Option<Sourced<T>> {
        (entries > 0).then(|| Sourced { table: table(), source: self.source(kind, entries) })
    }
}

fn member(given: &ConstituencyMember) -> Member {
    let prefixes = given.prefixes.iter().map(|&prefix| MemberPrefix {
        prefix,
        origins: given.origins.clone(),
        criticality: None,
    });
    Member {
        id: given.id.as_str().into(),
        name: given.name.as_str().into(),
        asns: given.asns.clone(),
        prefixes: prefixes.collect(),
        countries: given.countries.iter().map(|country| country.as_str().into()).collect(),
        criticality: match given.criticality.as_deref() {
            Some("tier0") => Criticality::Tier0,
            Some("other") => Criticality::Other,
            _ => Criticality::Member,
        },
        upstreams: given.upstreams.clone(),
        ..Member::default()
    }
}

fn organisations(scenario: &Scenario) -> OrganisationTable {
    let given = &scenario.facts.organisations;
    let organisations = given.iter().map(|fact| Organisation {
        id: fact.id.as_str().into(),
        name: fact.name.as_str().into(),
        country: fact.country.as_deref().unwrap_or_default().into(),
    });
    let members =
        given.iter().flat_map(|fact| fact.asns.iter().map(|&asn| (asn, fact.id.as_str().into())));
    OrganisationTable::from_records(organisations.collect(), members.collect())
}

fn relations(scenario: &Scenario) -> RelationTable {
    let links = scenario.facts.relations.iter().map(|fact| {
        let relation = match fact.kind {
            RelationKind::ProviderCustomer => Relation::Customer,
            RelationKind::PeerPeer => Relation::Peer,
        };
        let given = Link::given(fact.left, fact.right, relation);
        Link { confidence: fact.confidence.unwrap_or(given.confidence), ..given }
    });
    RelationTable::from_links(links.collect())
}
