//! What a scenario says is known beside BGP.

use routewarden_core::{Asn, Prefix};

/// The facts of a scenario, in the order they are written (AS names by ASN).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facts {
    /// Who originated a prefix before the scenario.
    pub origins: Vec<OriginFact>,
    /// Validated ROA payloads.
    pub vrps: Vec<VrpFact>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VrpFact {
    /// The prefix.
    pub prefix: Prefix,
    /// Longest prefix length it allows.
    pub max_length: u8,
    /// The AS it authorises.
    pub asn: Asn,
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
