//! Reference facts: what is known beside BGP. Each optional, each with its source.
//!
//! Tables are immutable once built and give the same answers whatever the order of the input.
//! `routewarden-feeds` reads them from files; nothing here does I/O.

pub mod as_names;
pub mod aspa;
pub mod bogons;
pub mod constituency;
pub mod contacts;
pub mod delegations;
pub mod irr;
pub mod organisations;
pub mod origins;
pub mod participants;
pub mod peering_db;
pub mod prefix_table;
pub mod relations;
pub mod rpki_change;
pub mod source;
pub mod spoofer;
pub mod vrp;
mod vrp_array;
pub mod vrp_diff;

pub use as_names::AsNameTable;
pub use aspa::{AspaOffence, AspaState, AspaTable, AspaVerdict, Hop};
pub use bogons::{
    AsnRange, BOGONS_TSV_SHA256, BogonAsn, BogonList, BogonPrefix, bogon_asn, bogon_prefix,
};
pub use constituency::{Constituency, Criticality, Holding, Member, MemberPrefix, Role, Touch};
pub use contacts::{ContactRole, ContactRoles, ContactTable};
pub use delegations::{CountryCode, Delegation, DelegationStatus, DelegationTable, Registry};
pub use irr::{IrrState, IrrTable};
pub use organisations::{Organisation, OrganisationTable};
pub use origins::OriginTable;
pub use participants::ParticipantTable;
pub use peering_db::PeeringDbTable;
pub use prefix_table::{PrefixRuns, PrefixTable};
pub use relations::{Link, Relation, RelationTable};
pub use rpki_change::{
    ANCHOR_LOSS_DIVISOR, AspaFinding, AspaFindingKind, RoaFinding, RoaFindingKind, RunVrps,
    aspa_changes, lost_anchors, roa_changes,
};
pub use source::{FactKind, FactSource, Sha256, Sourced};
pub use spoofer::{SpooferCounts, SpooferTable};
pub use vrp::{InvalidReason, RovState, TrustAnchorId, TrustAnchors, Validity, Vrp, VrpTable};
pub use vrp_diff::{AnchorChange, Renewal, Revalidation, StandingRoutes, StateChange, VrpDiff};

use crate::{Asn, Origin, Prefix};

/// All facts of one run. A table that is not loaded answers "unknown", never "no".
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Validated ROA payloads.
    pub vrps: Option<Sourced<VrpTable>>,
    /// Provider authorizations.
    pub aspas: Option<Sourced<AspaTable>>,
    /// Known origins of prefixes.
    pub origins: Option<Sourced<OriginTable>>,
    /// Organisations of ASes.
    pub organisations: Option<Sourced<OrganisationTable>>,
    /// Relationships between ASes.
    pub relations: Option<Sourced<RelationTable>>,
    /// Names of ASes.
    pub as_names: Option<Sourced<AsNameTable>>,
    /// Route servers of Internet exchanges, ascending: they stand in paths and sell nothing.
    pub route_servers: Vec<Asn>,
    /// Whom we watch over.
    pub constituency: Option<Sourced<Constituency>>,
    /// What the registries have given out: one table for each file.
    pub delegations: Vec<Sourced<DelegationTable>>,
}

impl Facts {
    /// Route origin validation (RFC 6811 §2); `None` without VRPs, which is not "not found".
    pub fn rov(
        &self,
        prefix: &Prefix,
        origin: Origin,
    ) -> Option<(RovState, Option<InvalidReason>)> {
        Some(self.vrps.as_ref()?.table.state(prefix, origin))
    }

    /// See [`OrganisationTable::same_organisation`]; `None` when not known.
    pub fn same_organisation(&self, a: Asn, b: Asn) -> Option<bool> {
        self.organisations.as_ref()?.table.same_organisation(a, b)
    }

    /// ISO 3166 country code of the organisation of an AS, as its registry gives it; `None` when not
    /// known.
    pub fn country(&self, asn: Asn) -> Option<&str> {
        let organisation = self.organisations.as_ref()?.table.organisation(asn)?;
        Some(&*organisation.country).filter(|country| !country.is_empty())
    }

    /// What `b` is to `a`: see [`RelationTable::relation`]; `None` when not known.
    pub fn relation(&self, a: Asn, b: Asn) -> Option<Relation> {
        self.relations.as_ref()?.table.relation(a, b)
    }

    /// Name of an AS for display; `None` when not known.
    pub fn as_name(&self, asn: Asn) -> Option<&str> {
        self.as_names.as_ref()?.table.name(asn)
    }

    /// What a registry says of the block that `prefix` lies in, with the file that says so; `None`
    /// when none does.
    pub fn delegation(&self, prefix: &Prefix) -> Option<(Delegation, &FactSource)> {
        let mut tables = self.delegations.iter();
        tables.find_map(|sourced| Some((sourced.prefix(prefix)?, &sourced.source)))
    }

    /// What a registry says of an AS, with the file that says so; `None` when none does.
    pub fn asn_delegation(&self, asn: Asn) -> Option<(Delegation, &FactSource)> {
        let mut tables = self.delegations.iter();
        tables.find_map(|sourced| Some((sourced.asn(asn)?, &sourced.source)))
    }

    /// The bogons compiled in.
    pub fn bogons(&self) -> &'static BogonList {
        BogonList::compiled_in()
    }

    /// Sources of the tables loaded, in the order of the fields.
    pub fn sources(&self) -> impl Iterator<Item = &FactSource> {
        let sources = [
            self.vrps.as_ref().map(|sourced| &sourced.source),
            self.aspas.as_ref().map(|sourced| &sourced.source),
            self.origins.as_ref().map(|sourced| &sourced.source),
            self.organisations.as_ref().map(|sourced| &sourced.source),
            self.relations.as_ref().map(|sourced| &sourced.source),
            self.as_names.as_ref().map(|sourced| &sourced.source),
            self.constituency.as_ref().map(|sourced| &sourced.source),
        ];
        let delegations = self.delegations.iter().map(|sourced| &sourced.source);
        sources.into_iter().flatten().chain(delegations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_facts_are_unknown() {
        let facts = Facts::default();
        assert_eq!(facts.rov(&"192.0.2.0/24".parse().unwrap(), Origin::None), None);
        assert_eq!(facts.same_organisation(Asn(64496), Asn(64496)), None);
        assert_eq!(facts.relation(Asn(64496), Asn(64497)), None);
        assert_eq!(facts.sources().count(), 0);
        assert!(!facts.bogons().is_empty());
    }
}
