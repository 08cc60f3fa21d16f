//! The per-peer header (RFC 7854 §4.2, RFC 8671 §4, RFC 9069 §4.2).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use routewarden_core::{AddressFamily, Asn, Timestamp};

use crate::cursor::Cursor;
use crate::{AsnWidth, Part};

/// Octets of the per-peer header.
pub const PEER_HEADER_OCTETS: usize = 42;

/// Flag bits of the per-peer header.
pub(crate) mod flag {
    /// The address is IPv6 (V).
    pub(crate) const IPV6: u8 = 0x80;
    /// After the policy (L).
    pub(crate) const POST_POLICY: u8 = 0x40;
    /// `AS_PATH` with two octets an ASN (A).
    pub(crate) const TWO_OCTET_ASN: u8 = 0x20;
    /// Adj-RIB-Out (O, RFC 8671).
    pub(crate) const ADJ_RIB_OUT: u8 = 0x10;
    /// The Loc-RIB is filtered (F, RFC 9069); the place of V.
    pub(crate) const LOC_RIB_FILTERED: u8 = 0x80;
}

/// What kind of peer a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PeerType {
    /// A peer of the global instance.
    Global,
    /// A peer of a VRF, told apart by a route distinguisher.
    RouteDistinguisher,
    /// A peer of a local instance, told apart by a number of the router's own.
    Local,
    /// The Loc-RIB of an instance (RFC 9069).
    LocRib,
    /// A type that is not known.
    Unknown(u8),
}

impl PeerType {
    /// From the number on the wire.
    pub const fn from_octet(octet: u8) -> Self {
        match octet {
            0 => PeerType::Global,
            1 => PeerType::RouteDistinguisher,
            2 => PeerType::Local,
            3 => PeerType::LocRib,
            other => PeerType::Unknown(other),
        }
    }

    /// The number on the wire.
    pub const fn octet(self) -> u8 {
        match self {
            PeerType::Global => 0,
            PeerType::RouteDistinguisher => 1,
            PeerType::Local => 2,
            PeerType::LocRib => 3,
            PeerType::Unknown(octet) => octet,
        }
    }
}

/// Which of a router's tables a route stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum View {
    /// As the peer sent it.
    AdjRibInPre,
    /// As the router's policy let it in.
    AdjRibInPost,
    /// To be sent to the peer, before the policy (RFC 8671).
    AdjRibOutPre,
    /// As sent to the peer (RFC 8671).
    AdjRibOutPost,
    /// What the router itself uses (RFC 9069).
    LocRib,
}

impl View {
    /// Stable name.
    pub const fn name(self) -> &'static str {
        match self {
            View::AdjRibInPre => "adj_rib_in_pre",
            View::AdjRibInPost => "adj_rib_in_post",
            View::AdjRibOutPre => "adj_rib_out_pre",
            View::AdjRibOutPost => "adj_rib_out_post",
            View::LocRib => "loc_rib",
        }
    }
}

/// Tells the instances of a router apart (RFC 7854 §4.2, RFC 4364 §4.2). The global instance has
/// zero. Text form: `64500:1`, `192.0.2.1:1`, or sixteen hexadecimal digits when the type is not
/// known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteDistinguisher(pub u64);

impl fmt::Display for RouteDistinguisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Type, then two fields of 16 and 32 bits, or of 32 and 16.
        let low = |bits: u32| self.0 & ((1 << bits) - 1);
        match self.0 >> 48 {
            0 => write!(f, "{}:{}", low(48) >> 32, low(32)),
            1 => {
                let addr = u32::try_from(low(48) >> 16).unwrap_or_default();
                write!(f, "{}:{}", Ipv4Addr::from(addr), low(16))
            }
            2 => write!(f, "{}:{}", low(48) >> 16, low(16)),
            _ => write!(f, "{:016x}", self.0),
        }
    }
}

/// Whose routes or session a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerHeader {
    /// Kind of peer.
    pub peer_type: PeerType,
    /// Flags as they stand.
    pub flags: u8,
    /// Which instance.
    pub distinguisher: RouteDistinguisher,
    /// Address of the peer; unspecified for a Loc-RIB.
    pub addr: IpAddr,
    /// ASN of the peer; for a Loc-RIB the router's.
    pub asn: Asn,
    /// BGP identifier of the peer; for a Loc-RIB the router's.
    pub bgp_id: Ipv4Addr,
    /// When the routes were received, or the session changed; `None` when the router does not
    /// tell.
    pub time: Option<Timestamp>,
}

impl PeerHeader {
    #[inline]
    pub(super) fn read(rest: &mut Cursor<'_>) -> Result<Self, Part> {
        let mut fields = *rest;
        let header = read(&mut fields).ok_or(Part::BmpPeerHeader)?;
        *rest = fields;
        Ok(header)
    }

    /// Which table the routes stand in.
    #[inline]
    pub const fn view(&self) -> View {
        let (is_out, is_post) =
            (self.flags & flag::ADJ_RIB_OUT != 0, self.flags & flag::POST_POLICY != 0);
        match (self.peer_type, is_out, is_post) {
            (PeerType::LocRib, _, _) => View::LocRib,
            (_, false, false) => View::AdjRibInPre,
            (_, false, true) => View::AdjRibInPost,
            (_, true, false) => View::AdjRibOutPre,
            (_, true, true) => View::AdjRibOutPost,
        }
    }

    /// Octets of an ASN in the UPDATEs: the A flag tells; a Loc-RIB has four (RFC 9069 §4.2).
    #[inline]
    pub const fn asn_width(&self) -> AsnWidth {
        match self.peer_type {
            PeerType::LocRib => AsnWidth::Four,
            _ if self.flags & flag::TWO_OCTET_ASN != 0 => AsnWidth::Two,
            _ => AsnWidth::Four,
        }
    }

    /// Whether the Loc-RIB is told in part only (RFC 9069 §4.2).
    pub const fn is_loc_rib_filtered(&self) -> bool {
        matches!(self.peer_type, PeerType::LocRib) && self.flags & flag::LOC_RIB_FILTERED != 0
    }
}

/// An address in sixteen octets: an IPv4 address is the last four of them (RFC 7854 §4.2).
#[inline]
pub(super) fn read_addr(rest: &mut Cursor<'_>, is_ipv6: bool) -> Option<IpAddr> {
    if is_ipv6 {
        return rest.addr(AddressFamily::Ipv6);
    }
    let _zero = rest.array::<12>()?;
    rest.addr(AddressFamily::Ipv4)
}

#[inline]
fn read(rest: &mut Cursor<'_>) -> Option<PeerHeader> {
    let peer_type = PeerType::from_octet(rest.u8()?);
    let flags = rest.u8()?;
    let distinguisher = RouteDistinguisher(rest.u64()?);
    // A Loc-RIB has no address, and F in the place of V. Some put one there for all that.
    let octets = Ipv6Addr::from(rest.array::<16>()?);
    let is_ipv6 = flags & flag::IPV6 != 0 && peer_type != PeerType::LocRib;
    let addr = if is_ipv6 { IpAddr::V6(octets) } else { IpAddr::V4(last_four(octets)) };
    let asn = Asn(rest.u32()?);
    let bgp_id = Ipv4Addr::from(rest.array::<4>()?);
    let (secs, micros) = (rest.u32()?, rest.u32()?);
    let time = (secs != 0).then(|| Timestamp::from_secs_micros(secs, micros.min(999_999)));
    Some(PeerHeader { peer_type, flags, distinguisher, addr, asn, bgp_id, time })
}

fn last_four(octets: Ipv6Addr) -> Ipv4Addr {
    let [.., a, b, c, d] = octets.octets();
    Ipv4Addr::new(a, b, c, d)
}
