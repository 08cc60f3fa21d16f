//! What a scenario says is known beside BGP, and how it changes.

use std::sync::Arc;

use routewarden_core::{Asn, Prefix, Timestamp};

/// The facts of a scenario, in the order they are written (AS names by ASN).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facts {
    /// Who originated a prefix before the scenario.
    pub origins: Vec<OriginFact>,
    /// Validated ROA payloads.
    pub vrps: Vec<VrpFact>,
    /// Provider authorisations, at most one for each customer.
    pub aspas: Vec<AspaFact>,
    /// Route servers of exchanges: they stand in paths without giving transit.
    pub route_servers: Vec<Asn>,
    /// Organisations and their ASes.
    pub organisations: Vec<OrganisationFact>,
    /// Relations between ASes.
    pub relations: Vec<RelationFact>,
    /// Names of ASes.
    pub as_names: Vec<AsNameFact>,
}

/// A prefix and the ASes known to originate it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginFact {
    /// The prefix.
    pub prefix: Prefix,
    /// Its origins.
    pub asns: Vec<Asn>,
}

/// A validated ROA payload (RFC 6811 §2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VrpFact {
    /// The prefix.
    pub prefix: Prefix,
    /// Longest prefix length it allows.
    pub max_length: u8,
    /// The AS it authorises.
    pub asn: Asn,
    /// Name of the trust anchor it was validated under: `arin`.
    pub trust_anchor: Option<Arc<str>>,
    /// When it expires.
    pub expires: Option<Timestamp>,
}

/// An Autonomous System Provider Authorization
/// (draft-ietf-sidrops-aspa-verification).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AspaFact {
    /// The AS that states its providers.
    pub customer: Asn,
    /// Its providers; AS0 alone says that it has none.
    pub providers: Vec<Asn>,
}

/// Facts that change at one moment, with no word of BGP.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FactsChange {
    /// The moment.
    pub time: Timestamp,
    /// VRPs that are new.
    pub vrps_added: Vec<VrpFact>,
    /// VRPs that are gone; each stood before.
    pub vrps_removed: Vec<VrpFact>,
    /// ASPAs that are new or take the place of their customer's.
    pub aspas_added: Vec<AspaFact>,
    /// Customers whose ASPA is gone; each stood before.
    pub aspas_removed: Vec<Asn>,
}

/// An organisation and its ASes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganisationFact {
    /// Identifier.
    pub id: String,
    /// Name.
    pub name: String,
    /// ISO 3166-1 code of the country it is registered in.
    pub country: Option<String>,
    /// Its ASes.
    pub asns: Vec<Asn>,
}

/// A relation between two ASes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelationFact {
    /// The provider, or one of two peers.
    pub left: Asn,
    /// The customer, or the other peer.
    pub right: Asn,
    /// Which of the two.
    pub kind: RelationKind,
    /// How sure it is, 0 to 100.
    pub confidence: Option<u8>,
}

/// Kind of a [`RelationFact`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationKind {
    /// `left` is the provider of `right`.
    ProviderCustomer,
    /// `left` and `right` are peers.
    PeerPeer,
}

/// The name of an AS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsNameFact {
    /// The AS.
    pub asn: Asn,
    /// Its name.
    pub name: String,
}

/// Whose networks are watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Constituency {
    /// Name of the file beside the scenario that lists the members.
    File(String),
    /// The members.
    Members(Vec<ConstituencyMember>),
}

/// A member of the constituency.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConstituencyMember {
    /// Identifier, unique in the scenario.
    pub id: String,
    /// Name.
    pub name: String,
    /// Its ASes.
    pub asns: Vec<Asn>,
    /// Its prefixes.
    pub prefixes: Vec<Prefix>,
    /// ISO 3166-1 codes of its countries.
    pub countries: Vec<String>,
    /// How critical it is, in the words of the constituency: `tier0`.
    pub criticality: Option<String>,
    /// ASes that may originate its prefixes; its own unless given.
    pub origins: Vec<Asn>,
    /// Its upstreams; unknown when empty.
    pub upstreams: Vec<Asn>,
}
