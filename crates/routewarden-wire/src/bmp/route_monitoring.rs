//! Route Monitoring (RFC 7854 §4.6) and Route Mirroring (§4.7).

use super::{COMMON_HEADER_OCTETS, PEER_HEADER_OCTETS, PeerHeader, PeerType, Tlvs};
use crate::cursor::Cursor;
use crate::nlri::FamilySet;
use crate::update::{HEADER_OCTETS, MessageFrame, message_type};
use crate::{Error, Part, Update, UpdateForm, Warnings};

/// Routes of a peer: one UPDATE.
#[derive(Clone, Copy, Debug)]
pub struct RouteMonitoring<'a> {
    /// The peer and the view.
    pub peer: PeerHeader,
    /// The whole BGP message, with its header.
    pub message: &'a [u8],
}

impl<'a> RouteMonitoring<'a> {
    #[inline]
    pub(super) fn read(rest: &mut Cursor<'a>) -> Result<Self, Part> {
        Ok(RouteMonitoring { peer: PeerHeader::read(rest)?, message: rest.rest() })
    }

    /// Reads the UPDATE of the message at `offset` of the session. `path_ids` are the families
    /// that the Peer Up says come with path identifiers; NLRI of others are read with them when
    /// only so they make sense. The warnings are of the message's frame; [`Update::warnings`] are
    /// those of what is in it.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] when there is no UPDATE, or one that ends before its length.
    #[inline]
    pub fn decode_update(
        &self,
        path_ids: FamilySet,
        offset: u64,
    ) -> Result<(Update<'a>, Warnings), Error> {
        const AT: usize = COMMON_HEADER_OCTETS + PEER_HEADER_OCTETS;
        let malformed = |at, part| Error::Malformed { offset, at: AT + at, part };
        let mut warnings = Warnings::NONE;
        let frame = MessageFrame::read(self.message, &mut warnings)
            .filter(|frame| !frame.is_cut)
            .ok_or(malformed(0, Part::BgpHeader))?;
        if frame.message_type != message_type::UPDATE {
            return Err(malformed(HEADER_OCTETS - 1, Part::BmpRouteMonitoring));
        }
        let form = UpdateForm {
            asn_width: self.peer.asn_width(),
            path_ids,
            may_guess: true,
            may_lack_next_hop: self.peer.peer_type == PeerType::LocRib,
        };
        let update = Update::decode(frame.body, form);
        Ok((update.ok_or(malformed(HEADER_OCTETS, Part::Update))?, warnings))
    }
}

/// Messages of a peer, as they came.
#[derive(Clone, Copy, Debug)]
pub struct RouteMirroring<'a> {
    /// The peer.
    pub peer: PeerHeader,
    /// The messages and what is to be said of them ([`super::mirroring`]).
    pub tlvs: Tlvs<'a>,
}

impl<'a> RouteMirroring<'a> {
    pub(super) fn read(rest: &mut Cursor<'a>) -> Result<Self, Part> {
        Ok(RouteMirroring { peer: PeerHeader::read(rest)?, tlvs: Tlvs::read(rest)? })
    }
}
