//! A route's attributes as the API shows them, and what a trail lacks.

use std::fmt::Write as _;

use routewarden_core::{Asn, RouteAttributes, Timestamp};
use routewarden_store::{StoreError, StoreReader, TrailHead};

/// Code of an incident without a trail.
pub(super) const NO_TRAIL: &str = "no_trail";
/// Code of a trail in whose time a feed was not heard.
const GAP: &str = "gap";

/// Attributes as text and numbers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ShownAttributes {
    /// ASNs in order, with the members of sets one after another.
    pub(super) path: Vec<Asn>,
    /// The path as text, which tells sets apart.
    pub(super) path_text: String,
    /// Communities (RFC 1997) as `ASN:VALUE`, then large ones (RFC 8092) as `ASN:A:B`.
    pub(super) communities: Vec<String>,
}

impl ShownAttributes {
    /// Of canonical octets; empty for others.
    pub(super) fn of(octets: &[u8]) -> Self {
        let Some(attributes) = RouteAttributes::decode(octets) else { return Self::default() };
        let pairs = attributes.community_pairs().map(|(asn, value)| format!("{asn}:{value}"));
        let (large, _) = attributes.large_communities.as_chunks::<12>();
        let mut path_text = String::new();
        // Writing to a string never fails.
        let _written = write!(path_text, "{}", attributes.as_path).is_ok();
        ShownAttributes {
            path: attributes.as_path.asns().collect(),
            path_text,
            communities: pairs.chain(large.iter().map(large_text)).collect(),
        }
    }
}

fn large_text(octets: &[u8; 12]) -> String {
    let (parts, _) = octets.as_chunks::<4>();
    let parts: Vec<String> =
        parts.iter().map(|&part| u32::from_be_bytes(part).to_string()).collect();
    parts.join(":")
}

/// Why a trail does not have every change of every vantage point; `None` when it does.
pub(super) fn lack_of(
    reader: &StoreReader,
    head: &TrailHead,
    until: Timestamp,
) -> Result<Option<&'static str>, StoreError> {
    if let Some(fault) = head.faults.iter().next() {
        return Ok(Some(fault.name()));
    }
    Ok(reader.has_gap(head.since, until)?.then_some(GAP))
}

#[cfg(test)]
mod tests {
    use routewarden_core::AsPathBuf;

    use super::*;

    #[test]
    fn communities_of_both_sorts_are_told() {
        let path = AsPathBuf::sequence([64511, 64496].map(Asn));
        let mut octets = Vec::new();
        let attributes = RouteAttributes {
            as_path: path.as_path(),
            otc: None,
            communities: &[0xfb, 0xff, 0, 1, 0xff, 0xff, 2, 0x9a],
            large_communities: &[0, 0, 0xfb, 0xf0, 0, 0, 0, 7, 0, 0, 0, 9],
        };
        assert!(attributes.encode(&mut octets));
        let shown = ShownAttributes::of(&octets);
        assert_eq!(shown.path_text, "64511 64496");
        assert_eq!(shown.communities, ["64511:1", "65535:666", "64496:7:9"]);
        assert_eq!(ShownAttributes::of(&octets[..3]), ShownAttributes::default());
    }
}
