//! Tables of every kind, and their versions.

use std::fs::File;
use std::path::Path;

use routewarden_core::Timestamp;
use routewarden_core::facts::{
    AsNameTable, AspaTable, Constituency, ContactTable, DelegationTable, FactKind, FactSource,
    IrrTable, OrganisationTable, OriginTable, ParticipantTable, PeeringDbTable, RelationTable,
    Sha256, Sourced, SpooferTable, VrpTable,
};
use serde::Serialize;

use super::error::RefreshError;
use crate::facts::file::load_opened;
use crate::facts::{
    Load, Rpki, load_as_names, load_constituency, load_contacts, load_delegations, load_irr,
    load_organisations, load_origins, load_participants, load_peering_db, load_relations,
    load_rpki, load_spoofer,
};

/// A table of facts, new as a whole.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum FactTable {
    /// What a validator says; without ASPAs when it says none.
    Rpki {
        /// Validated ROA payloads.
        vrps: Sourced<VrpTable>,
        /// Provider authorizations.
        aspas: Option<Sourced<AspaTable>>,
    },
    /// Known origins of prefixes.
    Origins(Sourced<OriginTable>),
    /// Relationships between ASes.
    Relations(Sourced<RelationTable>),
    /// Organisations of ASes.
    Organisations(Sourced<OrganisationTable>),
    /// Names of ASes.
    AsNames(Sourced<AsNameTable>),
    /// What a registry has given out.
    Delegations(Sourced<DelegationTable>),
    /// Whom we watch over.
    Constituency(Sourced<Constituency>),
    /// Objects of an Internet routing registry.
    Irr(Sourced<IrrTable>),
    /// Networks as they describe themselves.
    PeeringDb(Sourced<PeeringDbTable>),
    /// Participants of a programme.
    Participants(Sourced<ParticipantTable>),
    /// Tests for forged source addresses.
    Spoofer(Sourced<SpooferTable>),
    /// Contacts that registries name.
    Contacts(Sourced<ContactTable>),
}

impl FactTable {
    /// Where it comes from.
    pub fn source(&self) -> &FactSource {
        match self {
            FactTable::Rpki { vrps, .. } => &vrps.source,
            FactTable::Origins(facts) => &facts.source,
            FactTable::Relations(facts) => &facts.source,
            FactTable::Organisations(facts) => &facts.source,
            FactTable::AsNames(facts) => &facts.source,
            FactTable::Delegations(facts) => &facts.source,
            FactTable::Constituency(facts) => &facts.source,
            FactTable::Irr(facts) => &facts.source,
            FactTable::PeeringDb(facts) => &facts.source,
            FactTable::Participants(facts) => &facts.source,
            FactTable::Spoofer(facts) => &facts.source,
            FactTable::Contacts(facts) => &facts.source,
        }
    }
}

/// Reads a table of this kind; `label` names it.
pub(super) fn load(kind: FactKind, label: &Path, file: File) -> Result<FactTable, RefreshError> {
    Ok(match kind {
        FactKind::Vrps => {
            let (vrps, aspas) = Rpki::split(read(label, file, load_rpki)?);
            FactTable::Rpki { vrps, aspas }
        }
        FactKind::Origins => FactTable::Origins(read(label, file, load_origins)?),
        FactKind::Relations => FactTable::Relations(read(label, file, load_relations)?),
        FactKind::Organisations => FactTable::Organisations(read(label, file, load_organisations)?),
        FactKind::AsNames => FactTable::AsNames(read(label, file, load_as_names)?),
        FactKind::Delegations => FactTable::Delegations(read(label, file, load_delegations)?),
        FactKind::Constituency => FactTable::Constituency(read(label, file, load_constituency)?),
        FactKind::Irr => FactTable::Irr(read(label, file, load_irr)?),
        FactKind::PeeringDb => FactTable::PeeringDb(read(label, file, load_peering_db)?),
        FactKind::Participants => FactTable::Participants(read(label, file, load_participants)?),
        FactKind::Spoofer => FactTable::Spoofer(read(label, file, load_spoofer)?),
        FactKind::Contacts => FactTable::Contacts(read(label, file, load_contacts)?),
        _ => return Err(RefreshError::Kind { kind }),
    })
}

fn read<T>(label: &Path, file: File, load: Load<T>) -> Result<Sourced<T>, RefreshError> {
    Ok(load_opened(label, file, None, load)?.facts)
}

/// Which state of a source a table is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FactVersion {
    /// Hash of the file's octets; not of what comes over RTR.
    pub sha256: Option<Sha256>,
    /// Entity tag, as the server gave it.
    pub etag: Option<String>,
    /// When these octets were read or got first.
    pub fetched_at: Timestamp,
    /// What the facts are "as of", when the file says so.
    pub date: Option<Timestamp>,
    /// Entries used.
    pub entries: u64,
    /// Session ID and serial number of RTR.
    pub rtr: Option<(u16, u32)>,
}

/// A new table for the pipeline.
#[derive(Clone, Debug)]
pub struct FactUpdate {
    /// Name of the source, as configured.
    pub name: std::sync::Arc<str>,
    /// Which facts.
    pub kind: FactKind,
    /// The table: it takes the place of the one before of the same name.
    pub table: FactTable,
    /// Its version.
    pub version: FactVersion,
}
