//! The BGP Monitoring Protocol, version 3 (RFC 7854), with Adj-RIB-Out (RFC 8671) and Loc-RIB
//! (RFC 9069).
//!
//! [`RawBmpMessage::next`] cuts a message off the octets of a session, [`RawBmpMessage::decode`]
//! reads it. The UPDATE of a Route Monitoring message is read when it is asked for, since what the
//! Peer Up before it said decides how.

mod peer_down;
mod peer_header;
mod peer_up;
mod route_monitoring;
mod statistics;
mod tlv;

pub use peer_down::{PeerDown, PeerDownReason};
pub use peer_header::{PEER_HEADER_OCTETS, PeerHeader, PeerType, RouteDistinguisher, View};
pub use peer_up::{PeerUp, PeerUpForms};
pub use route_monitoring::{RouteMirroring, RouteMonitoring};
pub use statistics::{Statistic, Statistics};
pub use tlv::{Tlv, Tlvs, information, mirroring};

use crate::cursor::Cursor;
use crate::{Error, Part};

/// The version read.
pub const BMP_VERSION: u8 = 3;

/// Longest message that is taken. The longest known has two messages of 65,535 octets (a mirrored
/// one with its fault); none needs as much.
pub const BMP_MESSAGE_OCTETS_MAX: usize = 1 << 18;

/// Octets of the common header (RFC 7854 §4.1).
pub const COMMON_HEADER_OCTETS: usize = 6;

/// BMP message type numbers (RFC 7854 §4.1).
pub mod message_type {
    /// Route Monitoring.
    pub const ROUTE_MONITORING: u8 = 0;
    /// Statistics Report.
    pub const STATISTICS: u8 = 1;
    /// Peer Down.
    pub const PEER_DOWN: u8 = 2;
    /// Peer Up.
    pub const PEER_UP: u8 = 3;
    /// Initiation.
    pub const INITIATION: u8 = 4;
    /// Termination.
    pub const TERMINATION: u8 = 5;
    /// Route Mirroring.
    pub const ROUTE_MIRRORING: u8 = 6;
}

/// A whole message of a session whose body has not been read.
#[derive(Clone, Copy, Debug)]
pub struct RawBmpMessage<'a> {
    /// Where in the session it begins.
    pub offset: u64,
    /// Type.
    pub message_type: u8,
    /// What follows the common header.
    pub body: &'a [u8],
}

impl<'a> RawBmpMessage<'a> {
    /// Cuts the first message off what a router sent: `octets` begin at `offset`. `None` when it
    /// is not whole yet.
    ///
    /// # Errors
    ///
    /// Another version, or a length beyond [`BMP_MESSAGE_OCTETS_MAX`] or below the header's. The
    /// session cannot go on.
    #[inline]
    pub fn next(octets: &'a [u8], offset: u64) -> Result<Option<Self>, Error> {
        let mut rest = Cursor::new(octets);
        let Some(version) = rest.u8() else { return Ok(None) };
        if version != BMP_VERSION {
            return Err(Error::BmpVersion { offset, version });
        }
        let Some(length) = rest.u32() else { return Ok(None) };
        let octets = usize::try_from(length).unwrap_or(usize::MAX);
        if !(COMMON_HEADER_OCTETS..=BMP_MESSAGE_OCTETS_MAX).contains(&octets) {
            return Err(Error::MessageLength {
                offset,
                length,
                least: u32::try_from(COMMON_HEADER_OCTETS).unwrap_or(u32::MAX),
                most: u32::try_from(BMP_MESSAGE_OCTETS_MAX).unwrap_or(u32::MAX),
                part: Part::BmpHeader,
            });
        }
        let Some(message_type) = rest.u8() else { return Ok(None) };
        let body = rest.take(octets - COMMON_HEADER_OCTETS);
        Ok(body.map(|body| RawBmpMessage { offset, message_type, body }))
    }

    /// Octets of the whole message.
    #[inline]
    pub fn octets(&self) -> usize {
        COMMON_HEADER_OCTETS + self.body.len()
    }

    /// Reads the message.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] with the octets since the message's start. The next message can be
    /// read all the same.
    #[inline]
    pub fn decode(&self) -> Result<BmpMessage<'a>, Error> {
        let mut rest = Cursor::new(self.body);
        let decoded = match self.message_type {
            message_type::ROUTE_MONITORING => {
                RouteMonitoring::read(&mut rest).map(BmpMessage::RouteMonitoring)
            }
            message_type::STATISTICS => Statistics::read(&mut rest).map(BmpMessage::Statistics),
            message_type::PEER_DOWN => PeerDown::read(&mut rest).map(BmpMessage::PeerDown),
            message_type::PEER_UP => PeerUp::read(&mut rest).map(BmpMessage::PeerUp),
            message_type::INITIATION => Tlvs::read(&mut rest).map(BmpMessage::Initiation),
            message_type::TERMINATION => Tlvs::read(&mut rest).map(BmpMessage::Termination),
            message_type::ROUTE_MIRRORING => {
                RouteMirroring::read(&mut rest).map(BmpMessage::RouteMirroring)
            }
            message_type => Ok(BmpMessage::Unknown { message_type, body: self.body }),
        };
        decoded.map_err(|part| Error::Malformed {
            offset: self.offset,
            at: self.octets() - rest.remaining(),
            part,
        })
    }
}

/// What a router tells.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum BmpMessage<'a> {
    /// Routes of a peer.
    RouteMonitoring(RouteMonitoring<'a>),
    /// Counters of a peer.
    Statistics(Statistics<'a>),
    /// A peer's session ended.
    PeerDown(PeerDown<'a>),
    /// A peer's session was established.
    PeerUp(PeerUp<'a>),
    /// The router introduces itself.
    Initiation(Tlvs<'a>),
    /// The router says why it ends.
    Termination(Tlvs<'a>),
    /// Messages of a peer as they came.
    RouteMirroring(RouteMirroring<'a>),
    /// A message type that is not known.
    Unknown {
        /// Type.
        message_type: u8,
        /// What follows the common header.
        body: &'a [u8],
    },
}

#[cfg(test)]
mod tests;
