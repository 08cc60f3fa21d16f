//! What keeps a record from being read at all.

use std::io;

/// Part of a record in which reading stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// Microseconds of an extended timestamp (RFC 6396 §3).
    ExtendedTimestamp,
    /// `PEER_INDEX_TABLE` (RFC 6396 §4.3.1).
    PeerIndexTable,
    /// Fields of a RIB record before its entries (RFC 6396 §4.3.2, §4.3.3).
    RibHeader,
    /// An entry of a RIB record (RFC 6396 §4.3.4).
    RibEntry,
    /// `TABLE_DUMP` record or an entry of it (RFC 6396 §4.2).
    TableDump,
    /// Deprecated `BGP4MP_ENTRY` record.
    Bgp4mpEntry,
    /// Peer fields of a BGP4MP record (RFC 6396 §4.4).
    Bgp4mpHeader,
    /// State change record (RFC 6396 §4.4.1).
    StateChange,
    /// Record of the deprecated types BGP, BGP4PLUS (RFC 6396 appendix B).
    LegacyBgp,
    /// BGP message header (RFC 4271 §4.1).
    BgpHeader,
    /// Length fields of an UPDATE (RFC 4271 §4.3).
    Update,
    /// OPEN (RFC 4271 §4.2, RFC 9072).
    Open,
    /// NOTIFICATION (RFC 4271 §4.5).
    Notification,
    /// KEEPALIVE (RFC 4271 §4.4).
    Keepalive,
    /// BMP common header (RFC 7854 §4.1).
    BmpHeader,
    /// BMP per-peer header (RFC 7854 §4.2).
    BmpPeerHeader,
    /// Route Monitoring (RFC 7854 §4.6).
    BmpRouteMonitoring,
    /// Statistics Report (RFC 7854 §4.8).
    BmpStatistics,
    /// Peer Down (RFC 7854 §4.9, RFC 9069 §4.4).
    BmpPeerDown,
    /// Peer Up (RFC 7854 §4.10).
    BmpPeerUp,
    /// TLVs of a BMP message (RFC 7854 §4.4, §4.7).
    BmpTlv,
}

impl Part {
    /// Stable name for counters.
    pub const fn kind(self) -> &'static str {
        match self {
            Part::ExtendedTimestamp => "malformed_extended_timestamp",
            Part::PeerIndexTable => "malformed_peer_index_table",
            Part::RibHeader => "malformed_rib_header",
            Part::RibEntry => "malformed_rib_entry",
            Part::TableDump => "malformed_table_dump",
            Part::Bgp4mpEntry => "malformed_bgp4mp_entry",
            Part::Bgp4mpHeader => "malformed_bgp4mp_header",
            Part::StateChange => "malformed_state_change",
            Part::LegacyBgp => "malformed_legacy_bgp",
            Part::BgpHeader => "malformed_bgp_header",
            Part::Update => "malformed_update",
            Part::Open => "malformed_open",
            Part::Notification => "malformed_notification",
            Part::Keepalive => "malformed_keepalive",
            Part::BmpHeader => "malformed_bmp_header",
            Part::BmpPeerHeader => "malformed_bmp_peer_header",
            Part::BmpRouteMonitoring => "malformed_bmp_route_monitoring",
            Part::BmpStatistics => "malformed_bmp_statistics",
            Part::BmpPeerDown => "malformed_bmp_peer_down",
            Part::BmpPeerUp => "malformed_bmp_peer_up",
            Part::BmpTlv => "malformed_bmp_tlv",
        }
    }
}

/// Why a record, an entry of it, or the rest of a stream could not be read, or why something
/// could not be encoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The reader under the MRT stream failed; the stream ends here.
    #[error("reading failed at offset {offset}")]
    Io {
        /// Octets of the stream read before.
        offset: u64,
        /// The reader's error.
        source: io::Error,
    },
    /// The stream ends inside a record.
    #[error("stream ends inside the record at offset {offset}: {present} of {expected} octets")]
    Truncated {
        /// Where the record begins.
        offset: u64,
        /// Octets of header and body the record should have.
        expected: u64,
        /// Octets that are there.
        present: u64,
    },
    /// A record longer than [`Limits::record_octets_max`](crate::Limits); it was skipped.
    #[error("record at offset {offset} claims {length} octets, more than {max}")]
    RecordTooLong {
        /// Where the record begins.
        offset: u64,
        /// Its length field.
        length: u32,
        /// The limit.
        max: u32,
    },
    /// Not an MRT header: unknown type and an absurd length. The stream ends here.
    #[error("no MRT record at offset {offset}: type {mrt_type}, length {length}")]
    NotMrt {
        /// Where a record should begin.
        offset: u64,
        /// The type field.
        mrt_type: u16,
        /// The length field.
        length: u32,
    },
    /// The record contradicts its format, or ends too early.
    #[error("record at offset {offset} is malformed {at} octets into its body")]
    Malformed {
        /// Where the record begins in the stream.
        offset: u64,
        /// Octets from the start of the body.
        at: usize,
        /// In which part.
        part: Part,
    },
    /// A RIB record before any `PEER_INDEX_TABLE`.
    #[error("RIB record at offset {offset} comes before any peer index table")]
    PeerTableMissing {
        /// Where the record begins.
        offset: u64,
    },
    /// A RIB entry names a peer that the table does not have; the entry is left out.
    #[error("RIB entry in the record at offset {offset} names peer {peer_index} of {peers}")]
    PeerIndexOutOfRange {
        /// Where the record begins.
        offset: u64,
        /// The index.
        peer_index: u16,
        /// Peers in the table.
        peers: usize,
    },
    /// A message of a session claims a length that none has. What follows cannot be found.
    #[error("message at offset {offset} claims {length} octets, not {least} to {most}")]
    MessageLength {
        /// Where in the session the message begins.
        offset: u64,
        /// Its length field.
        length: u32,
        /// Least length.
        least: u32,
        /// Most octets that are taken.
        most: u32,
        /// [`Part::BgpHeader`] or [`Part::BmpHeader`].
        part: Part,
    },
    /// The marker of a message of a session is not all ones (RFC 4271 §6.1): the session is out
    /// of step.
    #[error("message at offset {offset} has no marker")]
    NoMarker {
        /// Where in the session the message should begin.
        offset: u64,
    },
    /// A message of a session is of a BGP type that is not known (RFC 4271 §6.1).
    #[error("message at offset {offset} is of the unknown type {message_type}")]
    MessageType {
        /// Where in the session the message begins.
        offset: u64,
        /// The type.
        message_type: u8,
    },
    /// Another version of BMP than 3 (RFC 7854 §4.1), or no BMP.
    #[error("message at offset {offset} is of BMP version {version}")]
    BmpVersion {
        /// Where in the session the message begins.
        offset: u64,
        /// The version.
        version: u8,
    },
    /// Encoding: a length does not fit its field.
    #[error("{octets} octets do not fit a length field of at most {max}")]
    EncodeTooLong {
        /// Octets to write.
        octets: usize,
        /// Most that the length field holds.
        max: usize,
    },
    /// Encoding: the value has no form in this record type, as a four-octet ASN in a field of
    /// two, or an IPv6 address in an IPv4 record.
    #[error("the value has no form in this record type")]
    EncodeUnrepresentable,
}

impl Error {
    /// Stable name for counters.
    pub const fn kind(&self) -> &'static str {
        match self {
            Error::Io { .. } => "io",
            Error::Truncated { .. } => "truncated",
            Error::RecordTooLong { .. } => "record_too_long",
            Error::NotMrt { .. } => "not_mrt",
            Error::Malformed { part, .. } => part.kind(),
            Error::PeerTableMissing { .. } => "peer_table_missing",
            Error::PeerIndexOutOfRange { .. } => "peer_index_out_of_range",
            Error::MessageLength { part: Part::BmpHeader, .. } => "bmp_message_length",
            Error::MessageLength { .. } => "bgp_message_length",
            Error::NoMarker { .. } => "bgp_no_marker",
            Error::MessageType { .. } => "bgp_message_type",
            Error::BmpVersion { .. } => "bmp_version",
            Error::EncodeTooLong { .. } => "encode_too_long",
            Error::EncodeUnrepresentable => "encode_unrepresentable",
        }
    }

    /// Where in the stream or session the record or message begins; 0 for encoding.
    pub const fn offset(&self) -> u64 {
        match self {
            Error::Io { offset, .. }
            | Error::Truncated { offset, .. }
            | Error::RecordTooLong { offset, .. }
            | Error::NotMrt { offset, .. }
            | Error::Malformed { offset, .. }
            | Error::PeerTableMissing { offset }
            | Error::PeerIndexOutOfRange { offset, .. }
            | Error::MessageLength { offset, .. }
            | Error::NoMarker { offset }
            | Error::MessageType { offset, .. }
            | Error::BmpVersion { offset, .. } => *offset,
            Error::EncodeTooLong { .. } | Error::EncodeUnrepresentable => 0,
        }
    }
}
