//! The path attributes that detection reads, in one compact octet form.

use crate::{AsPath, Asn};

/// Who originated a route (RFC 6811 §2): one AS, an `AS_SET`, or nobody (empty path).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// The last ASN of a final `AS_SEQUENCE`.
    As(Asn),
    /// The path ends in an `AS_SET`: no single origin; invalid for ROV if covered.
    Set,
    /// The path is empty, or holds confederation segments only.
    None,
}

impl Origin {
    /// Origin of a path.
    pub fn of(path: AsPath<'_>) -> Self {
        match path.origin() {
            Some(asn) => Origin::As(asn),
            None if path.origin_set().is_some() => Origin::Set,
            None => Origin::None,
        }
    }

    /// The single origin AS, if there is one.
    pub fn asn(self) -> Option<Asn> {
        match self {
            Origin::As(asn) => Some(asn),
            Origin::Set | Origin::None => None,
        }
    }
}

/// Attributes of one route as detection reads them. `encode` gives the canonical octets:
/// equal attributes give equal octets, so octets can be interned and compared.
///
/// Octet form: path length (u16), `AS_PATH` in four-octet wire form, OTC present (u8) and
/// value (u32 if present), number of communities (u16), communities (u32 each), large
/// communities (12 octets each) to the end. All numbers most significant octet first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteAttributes<'a> {
    /// `AS_PATH`, merged with `AS4_PATH` (RFC 6793 §4.2.3).
    pub as_path: AsPath<'a>,
    /// Only-to-Customer (RFC 9234 §5).
    pub otc: Option<Asn>,
    /// Communities (RFC 1997), four octets each.
    pub communities: &'a [u8],
    /// Large communities (RFC 8092), twelve octets each.
    pub large_communities: &'a [u8],
}

/// Longest `AS_PATH` kept, in octets. An UPDATE is at most 65,535 octets (RFC 8654).
pub const AS_PATH_OCTETS_MAX: usize = u16::MAX as usize;
/// Most communities kept for one route; a 64 KiB attribute holds no more.
pub const COMMUNITIES_MAX: usize = 16_383;

impl<'a> RouteAttributes<'a> {
    /// Attributes with nothing but a path.
    pub fn from_path(as_path: AsPath<'a>) -> Self {
        RouteAttributes { as_path, otc: None, communities: &[], large_communities: &[] }
    }

    /// Appends the canonical octets. Returns `false`, appending nothing, when the path exceeds
    /// [`AS_PATH_OCTETS_MAX`] or the communities [`COMMUNITIES_MAX`].
    pub fn encode(&self, out: &mut Vec<u8>) -> bool {
        let path = self.as_path.as_wire();
        let (communities, _) = self.communities.as_chunks::<4>();
        let (Ok(path_len), Ok(count)) =
            (u16::try_from(path.len()), u16::try_from(communities.len()))
        else {
            return false;
        };
        out.extend_from_slice(&path_len.to_be_bytes());
        out.extend_from_slice(path);
        match self.otc {
            None => out.push(0),
            Some(asn) => {
                out.push(1);
                out.extend_from_slice(&asn.0.to_be_bytes());
            }
        }
        out.extend_from_slice(&count.to_be_bytes());
        out.extend_from_slice(communities.as_flattened());
        out.extend_from_slice(self.large_communities.as_chunks::<12>().0.as_flattened());
        true
    }

    /// Reads canonical octets; `None` when they are not what [`RouteAttributes::encode`] wrote.
    pub fn decode(octets: &'a [u8]) -> Option<Self> {
        let (path_len, rest) = octets.split_first_chunk::<2>()?;
        let (path, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*path_len)))?;
        let (has_otc, rest) = rest.split_first()?;
        let (otc, rest) = if *has_otc == 0 {
            (None, rest)
        } else {
            let (value, rest) = rest.split_first_chunk::<4>()?;
            (Some(Asn(u32::from_be_bytes(*value))), rest)
        };
        let (count, rest) = rest.split_first_chunk::<2>()?;
        let count = usize::from(u16::from_be_bytes(*count));
        let (communities, large_communities) = rest.split_at_checked(count * 4)?;
        let as_path = AsPath::from_wire(path).ok()?;
        Some(RouteAttributes { as_path, otc, communities, large_communities })
    }

    /// Communities as (ASN, value) pairs of 16 bits (RFC 1997).
    pub fn community_pairs(&self) -> impl Iterator<Item = (u16, u16)> + use<'a> {
        let (pairs, _) = self.communities.as_chunks::<4>();
        pairs.iter().map(|&[a, b, c, d]| (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AsPathBuf;

    #[test]
    fn octets_round_trip() {
        let path = AsPathBuf::sequence([Asn(64496), Asn(64497)]);
        let attributes = RouteAttributes {
            as_path: path.as_path(),
            otc: Some(Asn(64496)),
            communities: &[0xfb, 0xf0, 0, 1],
            large_communities: &[7; 12],
        };
        let mut octets = Vec::new();
        assert!(attributes.encode(&mut octets));
        assert_eq!(RouteAttributes::decode(&octets), Some(attributes));
        assert_eq!(attributes.community_pairs().collect::<Vec<_>>(), [(64496, 1)]);
        for cut in 0..5 {
            assert_eq!(RouteAttributes::decode(&octets[..cut]), None);
        }
    }
}
