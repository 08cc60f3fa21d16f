//! Peer Down (RFC 7854 §4.9, RFC 9069 §4.4).

use super::{PeerHeader, Tlvs};
use crate::cursor::Cursor;
use crate::update::{MessageFrame, message_type};
use crate::{Notification, Part, Warnings};

/// A peer's session ended.
#[derive(Clone, Copy, Debug)]
pub struct PeerDown<'a> {
    /// The peer.
    pub peer: PeerHeader,
    /// Why.
    pub reason: PeerDownReason<'a>,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerDownReason<'a> {
    /// 1: the router ended it and sent this.
    LocalNotification(Notification<'a>),
    /// 2: the router ended it without a word; the event of its state machine (RFC 4271 §8.1), 0
    /// when none is known.
    LocalEvent(u16),
    /// 3: the peer ended it and sent this.
    RemoteNotification(Notification<'a>),
    /// 4: the peer ended it without a word.
    RemoteClosed,
    /// 5: the router tells no more of this peer; the session goes on.
    Deconfigured,
    /// 6: the Loc-RIB is told no more (RFC 9069 §4.4).
    LocalSystemClosed(Tlvs<'a>),
    /// A reason that is not known.
    Unknown {
        /// The reason.
        reason: u8,
        /// What follows it.
        data: &'a [u8],
    },
}

impl PeerDownReason<'_> {
    /// Stable name.
    pub const fn name(&self) -> &'static str {
        match self {
            PeerDownReason::LocalNotification(_) => "local_notification",
            PeerDownReason::LocalEvent(_) => "local_event",
            PeerDownReason::RemoteNotification(_) => "remote_notification",
            PeerDownReason::RemoteClosed => "remote_closed",
            PeerDownReason::Deconfigured => "deconfigured",
            PeerDownReason::LocalSystemClosed(_) => "local_system_closed",
            PeerDownReason::Unknown { .. } => "unknown",
        }
    }
}

impl<'a> PeerDown<'a> {
    pub(super) fn read(rest: &mut Cursor<'a>) -> Result<Self, Part> {
        let peer = PeerHeader::read(rest)?;
        let reason = rest.u8().ok_or(Part::BmpPeerDown)?;
        let reason = match reason {
            1 => PeerDownReason::LocalNotification(notification(rest)?),
            2 => PeerDownReason::LocalEvent(rest.u16().ok_or(Part::BmpPeerDown)?),
            3 => PeerDownReason::RemoteNotification(notification(rest)?),
            4 => PeerDownReason::RemoteClosed,
            5 => PeerDownReason::Deconfigured,
            6 => PeerDownReason::LocalSystemClosed(Tlvs::read(rest)?),
            reason => PeerDownReason::Unknown { reason, data: rest.rest() },
        };
        Ok(PeerDown { peer, reason })
    }
}

/// The NOTIFICATION that is the rest of the message.
fn notification<'a>(rest: &Cursor<'a>) -> Result<Notification<'a>, Part> {
    MessageFrame::read(rest.rest(), &mut Warnings::default())
        .filter(|frame| !frame.is_cut && frame.message_type == message_type::NOTIFICATION)
        .and_then(|frame| Notification::decode(frame.body))
        .ok_or(Part::BmpPeerDown)
}
