//! From facts as written to [`Facts`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use routewarden_core::Asn;
use toml::Spanned;

use crate::FACTS_MAX;
use crate::document::{
    AspaEntry, ConstituencyEntry, FactsTable, MemberEntry, OrganisationEntry, RelationEntry,
    VrpEntry,
};
use crate::error::Fault;
use crate::facts::{
    AsNameFact, AspaFact, Constituency, ConstituencyMember, Facts, OrganisationFact, OriginFact,
    RelationFact, RelationKind, VrpFact,
};
use crate::route_text::{PrefixRange, parse_asn, parse_prefix};
use crate::scenario::{Checked, at, fail, percent, time_of};

pub(crate) fn facts_of(table: &FactsTable) -> Checked<Facts> {
    let mut facts = Facts::default();
    let mut origins = 0;
    for entry in &table.origin {
        if entry.asns.is_empty() {
            return fail(&entry.prefix, Fault::Empty { field: "asns" });
        }
        let asns: Vec<Asn> = entry.asns.iter().copied().map(Asn).collect();
        let range = range_of(&entry.prefix, &mut origins, asns.len())?;
        facts
            .origins
            .extend(range.prefixes().map(|prefix| OriginFact { prefix, asns: asns.clone() }));
    }
    facts.vrps = vrps_of(&table.vrp)?;
    facts.aspas = aspas_of(&table.aspa)?;
    facts.route_servers = table.route_servers.iter().copied().map(Asn).collect();
    facts.organisations = organisations_of(&table.organisation)?;
    facts.relations = table.relation.iter().map(relation_of).collect::<Checked<_>>()?;
    for (asn, name) in &table.as_name {
        let number = at(asn, parse_asn(asn.get_ref()))?;
        facts.as_names.push(AsNameFact { asn: number, name: name.clone() });
    }
    facts.as_names.sort_by_key(|fact| fact.asn);
    Ok(facts)
}

/// The prefixes of a fact with `each` ASes. They are added to the facts that `there` are, and all
/// must stay within the limit.
fn range_of(text: &Spanned<String>, there: &mut usize, each: usize) -> Checked<PrefixRange> {
    let range = at(text, PrefixRange::parse(text.get_ref()))?;
    *there = there.saturating_add(range.count().saturating_mul(each));
    if *there > FACTS_MAX {
        return fail(text, Fault::TooManyFacts);
    }
    Ok(range)
}

pub(crate) fn vrps_of(entries: &[VrpEntry]) -> Checked<Vec<VrpFact>> {
    let (mut vrps, mut there) = (Vec::new(), 0);
    for entry in entries {
        let range = range_of(&entry.prefix, &mut there, 1)?;
        let (length, max) = (range.first().len(), range.first().family().bits());
        let max_length = match &entry.max_length {
            None => length,
            Some(value) if (length..=max).contains(value.get_ref()) => *value.get_ref(),
            Some(value) => return fail(value, Fault::MaxLength { max }),
        };
        let expires = entry.expires.as_ref().map(time_of).transpose()?;
        let trust_anchor: Option<Arc<str>> = entry.trust_anchor.as_deref().map(Arc::from);
        vrps.extend(range.prefixes().map(|prefix| VrpFact {
            prefix,
            max_length,
            asn: Asn(entry.asn),
            trust_anchor: trust_anchor.clone(),
            expires,
        }));
    }
    Ok(vrps)
}

pub(crate) fn aspas_of(entries: &[AspaEntry]) -> Checked<Vec<AspaFact>> {
    let mut seen = BTreeSet::new();
    let aspa_of = |entry: &AspaEntry| {
        let customer = Asn(*entry.customer.get_ref());
        if entry.providers.is_empty() {
            return fail(&entry.customer, Fault::Empty { field: "providers" });
        }
        if !seen.insert(customer) {
            return fail(&entry.customer, Fault::AspaTwice { customer });
        }
        let providers = entry.providers.iter().copied().map(Asn).collect();
        Ok(AspaFact { customer, providers })
    };
    entries.iter().map(aspa_of).collect()
}

fn organisations_of(entries: &[OrganisationEntry]) -> Checked<Vec<OrganisationFact>> {
    let mut organisation_of: BTreeMap<Asn, &str> = BTreeMap::new();
    let mut organisations = Vec::new();
    for entry in entries {
        for asn in &entry.asns {
            let number = Asn(*asn.get_ref());
            if organisation_of.insert(number, &entry.id).is_some() {
                return fail(asn, Fault::OrganisationTwice { asn: number });
            }
        }
        organisations.push(OrganisationFact {
            id: entry.id.clone(),
            name: entry.name.clone(),
            country: entry.country.clone(),
            asns: entry.asns.iter().map(|asn| Asn(*asn.get_ref())).collect(),
        });
    }
    Ok(organisations)
}

fn relation_of(entry: &Spanned<RelationEntry>) -> Checked<RelationFact> {
    let relation = entry.get_ref();
    let (left, right, kind) = match (relation.provider, relation.customer, relation.peers) {
        (Some(provider), Some(customer), None) => {
            (provider, customer, RelationKind::ProviderCustomer)
        }
        (None, None, Some([left, right])) => (left, right, RelationKind::PeerPeer),
        _ => return fail(entry, Fault::Relation),
    };
    let confidence = percent("confidence", relation.confidence.as_ref())?;
    Ok(RelationFact { left: Asn(left), right: Asn(right), kind, confidence })
}

pub(crate) fn constituency_of(entry: &Spanned<ConstituencyEntry>) -> Checked<Constituency> {
    let members = match entry.get_ref() {
        ConstituencyEntry::Inline(table) => &table.member,
        ConstituencyEntry::File(name) => {
            let is_plain = !name.is_empty()
                && !name.starts_with('.')
                && !name.contains(['/', '\\', ':', '\0']);
            return if is_plain {
                Ok(Constituency::File(name.clone()))
            } else {
                fail(entry, Fault::FileName { name: name.clone() })
            };
        }
    };
    if members.is_empty() {
        return fail(entry, Fault::Empty { field: "member" });
    }
    let mut ids = BTreeSet::new();
    for member in members {
        if !ids.insert(member.id.get_ref()) {
            return fail(&member.id, Fault::MemberTwice { id: member.id.get_ref().clone() });
        }
    }
    Ok(Constituency::Members(members.iter().map(member_of).collect::<Checked<_>>()?))
}

fn member_of(entry: &MemberEntry) -> Checked<ConstituencyMember> {
    let asns = |numbers: &[u32]| numbers.iter().copied().map(Asn).collect::<Vec<_>>();
    let prefix = |text: &Spanned<String>| at(text, parse_prefix(text.get_ref()));
    let own = asns(&entry.asns);
    Ok(ConstituencyMember {
        id: entry.id.get_ref().clone(),
        name: entry.name.clone().unwrap_or_else(|| entry.id.get_ref().clone()),
        prefixes: entry.prefixes.iter().map(prefix).collect::<Checked<_>>()?,
        countries: entry.countries.clone(),
        criticality: entry.criticality.clone(),
        origins: if entry.origins.is_empty() { own.clone() } else { asns(&entry.origins) },
        upstreams: asns(&entry.upstreams),
        asns: own,
    })
}
