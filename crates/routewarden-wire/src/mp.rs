//! `MP_REACH_NLRI` and `MP_UNREACH_NLRI` (RFC 4760 §3, §4).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use routewarden_core::AddressFamily;

use crate::Safi;
use crate::cursor::Cursor;
use crate::nlri::family_and_safi;

/// Octets of a route distinguisher before a VPN next hop (RFC 4364 §4.2).
const ROUTE_DISTINGUISHER_OCTETS: usize = 8;

/// `MP_REACH_NLRI`.
#[derive(Clone, Copy, Debug)]
pub struct MpReach<'a> {
    /// AFI and SAFI; `None` in the shortened form of a RIB entry (RFC 6396 §4.3.4).
    pub afi_safi: Option<(u16, u8)>,
    /// Next hop octets.
    pub next_hop_octets: &'a [u8],
    /// NLRI octets; empty in the shortened form.
    pub nlri_octets: &'a [u8],
}

impl<'a> MpReach<'a> {
    /// `None` when the value ends early or the next hop of an IP family has no known length.
    /// The shortened form begins with a next hop length, never 0; the full form with an AFI
    /// below 256.
    pub(crate) fn read(value: &'a [u8], may_be_short: bool) -> Option<Self> {
        let mut rest = Cursor::new(value);
        if may_be_short && value.first().is_some_and(|&octet| octet != 0) {
            let length = rest.u8()?;
            let next_hop_octets = rest.take(usize::from(length))?;
            let reach = MpReach { afi_safi: None, next_hop_octets, nlri_octets: &[] };
            return (is_next_hop_length(next_hop_octets.len()) && rest.remaining() == 0)
                .then_some(reach);
        }
        let afi = rest.u16()?;
        let safi = rest.u8()?;
        let length = rest.u8()?;
        let next_hop_octets = rest.take(usize::from(length))?;
        // Once the number of SNPAs (RFC 2858 §2), reserved since RFC 4760.
        let _snpa_count = rest.u8()?;
        let reach =
            MpReach { afi_safi: Some((afi, safi)), next_hop_octets, nlri_octets: rest.rest() };
        let is_ip = family_and_safi(afi, safi).is_some();
        (!is_ip || is_next_hop_length(next_hop_octets.len())).then_some(reach)
    }

    /// Family of the NLRI; `None` in the shortened form and for families that are not read.
    pub fn family(&self) -> Option<(AddressFamily, Safi)> {
        self.afi_safi.and_then(|(afi, safi)| family_and_safi(afi, safi))
    }

    /// The next hop, the global one when there are two (RFC 2545 §3).
    pub fn next_hop(&self) -> Option<IpAddr> {
        let octets = self.next_hop_octets;
        match octets.len() {
            4 => octets.first_chunk::<4>().map(|o| IpAddr::V4(Ipv4Addr::from(*o))),
            12 => octets.last_chunk::<4>().map(|o| IpAddr::V4(Ipv4Addr::from(*o))),
            16 | 32 => octets.first_chunk::<16>().map(|o| IpAddr::V6(Ipv6Addr::from(*o))),
            24 | 48 => octets
                .get(ROUTE_DISTINGUISHER_OCTETS..)?
                .first_chunk::<16>()
                .map(|o| IpAddr::V6(Ipv6Addr::from(*o))),
            _ => None,
        }
    }

    /// The link-local next hop beside a global one.
    pub fn next_hop_link_local(&self) -> Option<Ipv6Addr> {
        let octets = self.next_hop_octets;
        let has_two = matches!(octets.len(), 32 | 48);
        has_two.then(|| octets.last_chunk::<16>().map(|o| Ipv6Addr::from(*o)))?
    }
}

fn is_next_hop_length(length: usize) -> bool {
    matches!(length, 4 | 12 | 16 | 24 | 32 | 48)
}

/// `MP_UNREACH_NLRI`.
#[derive(Clone, Copy, Debug)]
pub struct MpUnreach<'a> {
    /// AFI.
    pub afi: u16,
    /// SAFI.
    pub safi: u8,
    /// NLRI octets.
    pub nlri_octets: &'a [u8],
}

impl<'a> MpUnreach<'a> {
    pub(crate) fn read(value: &'a [u8]) -> Option<Self> {
        let mut rest = Cursor::new(value);
        Some(MpUnreach { afi: rest.u16()?, safi: rest.u8()?, nlri_octets: rest.rest() })
    }

    /// Family of the NLRI; `None` for families that are not read.
    pub fn family(&self) -> Option<(AddressFamily, Safi)> {
        family_and_safi(self.afi, self.safi)
    }
}
