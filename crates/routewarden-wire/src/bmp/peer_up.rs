//! Peer Up (RFC 7854 §4.10, RFC 9069 §4.3).

use std::net::IpAddr;

use super::peer_header::{flag, read_addr};
use super::{PeerHeader, PeerType, Tlvs, View};
use crate::cursor::Cursor;
use crate::nlri::FamilySet;
use crate::session::{BGP_EXTENDED_MESSAGE_OCTETS_MAX, RawBgpMessage};
use crate::update::message_type;
use crate::{Negotiated, Open, Part};

/// A peer's session was established.
#[derive(Clone, Copy, Debug)]
pub struct PeerUp<'a> {
    /// The peer.
    pub peer: PeerHeader,
    /// Address of the router in the session.
    pub local_addr: IpAddr,
    /// Port of the router.
    pub local_port: u16,
    /// Port of the peer.
    pub remote_port: u16,
    /// What the router sent.
    pub sent: Open<'a>,
    /// What the peer sent.
    pub received: Open<'a>,
    /// What else there is to say ([`super::information`]).
    pub tlvs: Tlvs<'a>,
}

/// Families with path identifiers in the UPDATEs of a peer, by direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerUpForms {
    /// From the peer to the router.
    pub received: FamilySet,
    /// From the router to the peer.
    pub sent: FamilySet,
    /// Of a Loc-RIB.
    pub loc_rib: FamilySet,
}

impl PeerUpForms {
    /// Those of a view.
    #[inline]
    pub const fn of(&self, view: View) -> FamilySet {
        match view {
            View::AdjRibInPre | View::AdjRibInPost => self.received,
            View::AdjRibOutPre | View::AdjRibOutPost => self.sent,
            View::LocRib => self.loc_rib,
        }
    }
}

fn open<'a>(rest: &mut Cursor<'a>) -> Result<Open<'a>, Part> {
    // Of a message that is no OPEN the length is worth nothing.
    let raw = RawBgpMessage::next(rest.rest(), 0, BGP_EXTENDED_MESSAGE_OCTETS_MAX);
    let raw = raw.ok().flatten().filter(|raw| raw.message_type == message_type::OPEN);
    let raw = raw.ok_or(Part::BmpPeerUp)?;
    let open = raw.decode_open().map_err(|_| Part::Open)?;
    let _open = rest.take(raw.octets());
    Ok(open)
}

impl<'a> PeerUp<'a> {
    pub(super) fn read(rest: &mut Cursor<'a>) -> Result<Self, Part> {
        let peer = PeerHeader::read(rest)?;
        let is_ipv6 = peer.peer_type != PeerType::LocRib && peer.flags & flag::IPV6 != 0;
        let local_addr = read_addr(rest, is_ipv6).ok_or(Part::BmpPeerUp)?;
        let local_port = rest.u16().ok_or(Part::BmpPeerUp)?;
        let remote_port = rest.u16().ok_or(Part::BmpPeerUp)?;
        let sent = open(rest)?;
        let received = open(rest)?;
        let tlvs = Tlvs::read(rest)?;
        Ok(PeerUp { peer, local_addr, local_port, remote_port, sent, received, tlvs })
    }

    /// Which NLRI come with path identifiers.
    pub fn forms(&self) -> PeerUpForms {
        PeerUpForms {
            received: Negotiated::of(&self.sent, &self.received).path_ids,
            sent: Negotiated::of(&self.received, &self.sent).path_ids,
            loc_rib: Negotiated::loc_rib_path_ids(&self.sent),
        }
    }
}
