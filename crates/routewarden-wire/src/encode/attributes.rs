//! Path attributes.

use std::net::{IpAddr, Ipv4Addr};

use routewarden_core::{AddressFamily, AsPath, Asn, SegmentKind};

use super::{length_u8, length_u16, push_addr, push_nlri};
use crate::attributes::{code, flag};
use crate::nlri::afi;
use crate::{Aggregator, AsnWidth, Error, Nlri, RouteOrigin, Safi};

const WELL_KNOWN: u8 = flag::TRANSITIVE;
const OPTIONAL: u8 = flag::OPTIONAL;
const OPTIONAL_TRANSITIVE: u8 = flag::OPTIONAL | flag::TRANSITIVE;

/// Writes path attributes one after another.
#[derive(Clone, Debug)]
pub struct AttributeWriter {
    asn_width: AsnWidth,
    octets: Vec<u8>,
}

impl AttributeWriter {
    /// For a session or record with ASNs of that width.
    pub fn new(asn_width: AsnWidth) -> Self {
        AttributeWriter { asn_width, octets: Vec::new() }
    }

    /// The attributes written.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The attributes written.
    pub fn into_octets(self) -> Vec<u8> {
        self.octets
    }

    /// Any attribute. The extended length bit is set when needed, and kept when given.
    pub fn raw(&mut self, flags: u8, code: u8, value: &[u8]) -> Result<&mut Self, Error> {
        let is_extended = flags & flag::EXTENDED_LENGTH != 0 || value.len() > usize::from(u8::MAX);
        if is_extended {
            let length = length_u16(value.len())?.to_be_bytes();
            self.octets.extend_from_slice(&[flags | flag::EXTENDED_LENGTH, code]);
            self.octets.extend_from_slice(&length);
        } else {
            self.octets.extend_from_slice(&[flags, code, length_u8(value.len())?]);
        }
        self.octets.extend_from_slice(value);
        Ok(self)
    }

    fn u32(&mut self, flags: u8, code: u8, value: u32) -> &mut Self {
        self.octets.extend_from_slice(&[flags, code, 4]);
        self.octets.extend_from_slice(&value.to_be_bytes());
        self
    }

    /// ORIGIN.
    pub fn origin(&mut self, origin: RouteOrigin) -> &mut Self {
        self.octets.extend_from_slice(&[WELL_KNOWN, code::ORIGIN, 1, origin as u8]);
        self
    }

    /// `AS_PATH`; with two octets an ASN also `AS4_PATH`, when the path needs it (RFC 6793
    /// §4.2.2).
    pub fn as_path(&mut self, path: AsPath<'_>) -> Result<&mut Self, Error> {
        if self.asn_width == AsnWidth::Four {
            return self.raw(WELL_KNOWN, code::AS_PATH, path.as_wire());
        }
        let (mut old, mut new, mut needs_new) = (Vec::new(), Vec::new(), false);
        for segment in path.segments() {
            let head = [segment.kind as u8, length_u8(segment.count())?];
            let is_confed =
                matches!(segment.kind, SegmentKind::ConfedSequence | SegmentKind::ConfedSet);
            old.extend_from_slice(&head);
            if !is_confed {
                new.extend_from_slice(&head);
            }
            for asn in segment.asns() {
                needs_new |= u16::try_from(asn.0).is_err();
                old.extend_from_slice(&narrow(asn).to_be_bytes());
                if !is_confed {
                    new.extend_from_slice(&asn.0.to_be_bytes());
                }
            }
        }
        self.raw(WELL_KNOWN, code::AS_PATH, &old)?;
        if needs_new {
            self.raw(OPTIONAL_TRANSITIVE, code::AS4_PATH, &new)?;
        }
        Ok(self)
    }

    /// `NEXT_HOP`.
    pub fn next_hop(&mut self, addr: Ipv4Addr) -> &mut Self {
        self.u32(WELL_KNOWN, code::NEXT_HOP, u32::from(addr))
    }

    /// `MULTI_EXIT_DISC`.
    pub fn med(&mut self, med: u32) -> &mut Self {
        self.u32(OPTIONAL, code::MED, med)
    }

    /// `LOCAL_PREF`.
    pub fn local_pref(&mut self, local_pref: u32) -> &mut Self {
        self.u32(WELL_KNOWN, code::LOCAL_PREF, local_pref)
    }

    /// `ATOMIC_AGGREGATE`.
    pub fn atomic_aggregate(&mut self) -> &mut Self {
        self.octets.extend_from_slice(&[WELL_KNOWN, code::ATOMIC_AGGREGATE, 0]);
        self
    }

    /// AGGREGATOR; with two octets an ASN also `AS4_AGGREGATOR`, when needed.
    pub fn aggregator(&mut self, aggregator: Aggregator) -> Result<&mut Self, Error> {
        let addr = aggregator.addr.octets();
        let wide = [aggregator.asn.0.to_be_bytes(), addr].concat();
        if self.asn_width == AsnWidth::Four {
            return self.raw(OPTIONAL_TRANSITIVE, code::AGGREGATOR, &wide);
        }
        let mut value = narrow(aggregator.asn).to_be_bytes().to_vec();
        value.extend_from_slice(&addr);
        self.raw(OPTIONAL_TRANSITIVE, code::AGGREGATOR, &value)?;
        if u16::try_from(aggregator.asn.0).is_err() {
            self.raw(OPTIONAL_TRANSITIVE, code::AS4_AGGREGATOR, &wide)?;
        }
        Ok(self)
    }

    /// COMMUNITIES.
    pub fn communities(&mut self, communities: &[(u16, u16)]) -> Result<&mut Self, Error> {
        let value: Vec<u8> = communities
            .iter()
            .flat_map(|(asn, value)| [asn.to_be_bytes(), value.to_be_bytes()].concat())
            .collect();
        self.raw(OPTIONAL_TRANSITIVE, code::COMMUNITIES, &value)
    }

    /// Large communities.
    pub fn large_communities(&mut self, communities: &[[u32; 3]]) -> Result<&mut Self, Error> {
        let value: Vec<u8> =
            communities.iter().flatten().flat_map(|part| part.to_be_bytes()).collect();
        self.raw(OPTIONAL_TRANSITIVE, code::LARGE_COMMUNITIES, &value)
    }

    /// Extended communities.
    pub fn ext_communities(&mut self, communities: &[[u8; 8]]) -> Result<&mut Self, Error> {
        self.raw(OPTIONAL_TRANSITIVE, code::EXT_COMMUNITIES, communities.as_flattened())
    }

    /// IPv6 address specific extended communities.
    pub fn ipv6_ext_communities(&mut self, communities: &[[u8; 20]]) -> Result<&mut Self, Error> {
        self.raw(OPTIONAL_TRANSITIVE, code::IPV6_EXT_COMMUNITIES, communities.as_flattened())
    }

    /// `ORIGINATOR_ID`.
    pub fn originator_id(&mut self, id: Ipv4Addr) -> &mut Self {
        self.u32(OPTIONAL, code::ORIGINATOR_ID, u32::from(id))
    }

    /// `CLUSTER_LIST`.
    pub fn cluster_list(&mut self, ids: &[Ipv4Addr]) -> Result<&mut Self, Error> {
        let value: Vec<u8> = ids.iter().flat_map(Ipv4Addr::octets).collect();
        self.raw(OPTIONAL, code::CLUSTER_LIST, &value)
    }

    /// Only to Customer.
    pub fn otc(&mut self, asn: Asn) -> &mut Self {
        self.u32(OPTIONAL_TRANSITIVE, code::OTC, asn.0)
    }

    /// `MP_REACH_NLRI` with one next hop, or a global and a link-local one. All NLRI must be of
    /// the family; they carry path identifiers when the first does.
    pub fn mp_reach(
        &mut self,
        (family, safi): (AddressFamily, Safi),
        next_hops: &[IpAddr],
        nlri: &[Nlri],
    ) -> Result<&mut Self, Error> {
        let mut value = afi(family).to_be_bytes().to_vec();
        value.push(safi as u8);
        push_next_hops(next_hops, &mut value)?;
        value.push(0);
        push_family_nlri((family, safi), nlri, &mut value)?;
        self.raw(OPTIONAL, code::MP_REACH, &value)
    }

    /// `MP_REACH_NLRI` shortened to its next hops, for RIB entries (RFC 6396 §4.3.4).
    pub fn mp_reach_short(&mut self, next_hops: &[IpAddr]) -> Result<&mut Self, Error> {
        let mut value = Vec::new();
        push_next_hops(next_hops, &mut value)?;
        self.raw(OPTIONAL, code::MP_REACH, &value)
    }

    /// `MP_UNREACH_NLRI`. All NLRI must be of the family.
    pub fn mp_unreach(
        &mut self,
        (family, safi): (AddressFamily, Safi),
        nlri: &[Nlri],
    ) -> Result<&mut Self, Error> {
        let mut value = afi(family).to_be_bytes().to_vec();
        value.push(safi as u8);
        push_family_nlri((family, safi), nlri, &mut value)?;
        self.raw(OPTIONAL, code::MP_UNREACH, &value)
    }
}

fn push_family_nlri(
    (family, safi): (AddressFamily, Safi),
    nlri: &[Nlri],
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    if nlri.iter().any(|nlri| nlri.prefix.family() != family || nlri.safi != safi) {
        return Err(Error::EncodeUnrepresentable);
    }
    push_nlri(nlri, out)
}

fn push_next_hops(next_hops: &[IpAddr], out: &mut Vec<u8>) -> Result<(), Error> {
    let mut octets = Vec::new();
    for next_hop in next_hops {
        push_addr(*next_hop, &mut octets);
    }
    if !matches!(octets.len(), 4 | 16 | 32) {
        return Err(Error::EncodeUnrepresentable);
    }
    out.push(length_u8(octets.len())?);
    out.extend_from_slice(&octets);
    Ok(())
}

/// The ASN in two octets, or `AS_TRANS`.
pub(super) fn narrow(asn: Asn) -> u16 {
    /// [`Asn::TRANS`] in two octets.
    const TRANS: u16 = 23456;
    u16::try_from(asn.0).unwrap_or(TRANS)
}
