//! MRT type and subtype numbers (RFC 6396 §4, RFC 8050 §5, IANA "MRT").

/// Deprecated type BGP (RFC 6396 appendix B.2).
pub const BGP: u16 = 5;
/// Deprecated type BGP4PLUS: type BGP with IPv6 addresses (RFC 6396 appendix B.2).
pub const BGP4PLUS: u16 = 9;
/// Deprecated type `BGP4PLUS_01`, read as [`BGP4PLUS`].
pub const BGP4PLUS_01: u16 = 10;
/// `TABLE_DUMP` (RFC 6396 §4.2).
pub const TABLE_DUMP: u16 = 12;
/// `TABLE_DUMP_V2` (RFC 6396 §4.3).
pub const TABLE_DUMP_V2: u16 = 13;
/// BGP4MP (RFC 6396 §4.4).
pub const BGP4MP: u16 = 16;
/// `BGP4MP_ET`: with microseconds (RFC 6396 §4.4, §3).
pub const BGP4MP_ET: u16 = 17;

/// Subtypes of [`TABLE_DUMP`].
pub mod table_dump {
    /// IPv4.
    pub const AFI_IPV4: u16 = 1;
    /// IPv6.
    pub const AFI_IPV6: u16 = 2;
}

/// Subtypes of [`TABLE_DUMP_V2`].
pub mod table_dump_v2 {
    /// The peers that RIB records refer to.
    pub const PEER_INDEX_TABLE: u16 = 1;
    /// IPv4 unicast.
    pub const RIB_IPV4_UNICAST: u16 = 2;
    /// IPv4 multicast.
    pub const RIB_IPV4_MULTICAST: u16 = 3;
    /// IPv6 unicast.
    pub const RIB_IPV6_UNICAST: u16 = 4;
    /// IPv6 multicast.
    pub const RIB_IPV6_MULTICAST: u16 = 5;
    /// Any address family.
    pub const RIB_GENERIC: u16 = 6;
    /// IPv4 unicast with path identifiers (RFC 8050 §4.1).
    pub const RIB_IPV4_UNICAST_ADDPATH: u16 = 8;
    /// IPv4 multicast with path identifiers.
    pub const RIB_IPV4_MULTICAST_ADDPATH: u16 = 9;
    /// IPv6 unicast with path identifiers.
    pub const RIB_IPV6_UNICAST_ADDPATH: u16 = 10;
    /// IPv6 multicast with path identifiers.
    pub const RIB_IPV6_MULTICAST_ADDPATH: u16 = 11;
    /// Any address family with path identifiers (RFC 8050 §4.2).
    pub const RIB_GENERIC_ADDPATH: u16 = 12;
}

/// Subtypes of [`BGP4MP`] and [`BGP4MP_ET`].
pub mod bgp4mp {
    /// State change, two-octet ASNs.
    pub const STATE_CHANGE: u16 = 0;
    /// Message, two-octet ASNs.
    pub const MESSAGE: u16 = 1;
    /// Deprecated: one RIB entry.
    pub const ENTRY: u16 = 2;
    /// Message, four-octet ASNs.
    pub const MESSAGE_AS4: u16 = 4;
    /// State change, four-octet ASNs.
    pub const STATE_CHANGE_AS4: u16 = 5;
    /// Message sent by the collector, two-octet ASNs.
    pub const MESSAGE_LOCAL: u16 = 6;
    /// Message sent by the collector, four-octet ASNs.
    pub const MESSAGE_AS4_LOCAL: u16 = 7;
    /// [`MESSAGE`] with path identifiers (RFC 8050 §3).
    pub const MESSAGE_ADDPATH: u16 = 8;
    /// [`MESSAGE_AS4`] with path identifiers.
    pub const MESSAGE_AS4_ADDPATH: u16 = 9;
    /// [`MESSAGE_LOCAL`] with path identifiers.
    pub const MESSAGE_LOCAL_ADDPATH: u16 = 10;
    /// [`MESSAGE_AS4_LOCAL`] with path identifiers.
    pub const MESSAGE_AS4_LOCAL_ADDPATH: u16 = 11;
}

/// Subtypes of [`BGP`] and [`BGP4PLUS`] (RFC 6396 appendix B.2).
pub mod legacy {
    /// An UPDATE without BGP header.
    pub const UPDATE: u16 = 1;
    /// A state change.
    pub const STATE_CHANGE: u16 = 3;
    /// An OPEN without BGP header.
    pub const OPEN: u16 = 5;
    /// A NOTIFICATION without BGP header.
    pub const NOTIFICATION: u16 = 6;
    /// A KEEPALIVE.
    pub const KEEPALIVE: u16 = 7;
}

/// Whether records of the type begin with microseconds (RFC 6396 §3).
pub const fn has_extended_timestamp(mrt_type: u16) -> bool {
    matches!(mrt_type, BGP4MP_ET | 33 | 49)
}

/// Whether the type is registered.
pub const fn is_known_type(mrt_type: u16) -> bool {
    matches!(mrt_type, 0..=13 | 16 | 17 | 32 | 33 | 48 | 49)
}
