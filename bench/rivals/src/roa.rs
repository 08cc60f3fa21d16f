//! Payloads of ROAs, as a validator prints them.

use routewarden_core::facts::{TrustAnchorId, Vrp, VrpTable};
use routewarden_core::{Asn, Prefix, Timestamp};

/// A payload with where it comes from and how long it lasts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Roa {
    /// Trust anchor; empty when not told.
    pub ta: String,
    /// Prefix.
    pub prefix: Prefix,
    /// The AS authorised.
    pub asn: Asn,
    /// Longest length allowed.
    pub max_len: u8,
    /// When it or a certificate above it expires, if told.
    pub expires: Option<Timestamp>,
}

/// The payloads, to validate routes by.
pub fn vrp_table(roas: &[Roa]) -> VrpTable {
    let vrp = |roa: &Roa| Vrp {
        prefix: roa.prefix,
        max_len: roa.max_len,
        asn: roa.asn,
        ta: TrustAnchorId::default(),
    };
    VrpTable::from_vrps(roas.iter().map(vrp).collect())
}
