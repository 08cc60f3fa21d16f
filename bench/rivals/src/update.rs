//! The announcements and withdrawals of a run of events.

use std::ops::Range;

use routewarden_core::event::AttributesRef;
use routewarden_core::{
    EventBatch, Peer, PeerId, PeerTable, Prefix, RouteAttributes, RouteEventKind, Timestamp,
};

/// An announcement or withdrawal, with who sent it.
#[derive(Clone, Copy, Debug)]
pub struct Update<'a> {
    /// Time of the event.
    pub time: Timestamp,
    /// Who sent it.
    pub peer: &'a Peer,
    /// The prefix.
    pub prefix: Prefix,
    /// The route; `None` for a withdrawal.
    pub route: Option<RouteAttributes<'a>>,
}

/// The announcements and withdrawals of the events `run`, in their order. Events of peers that
/// were not introduced are passed over.
pub fn updates<'a>(
    batch: &'a EventBatch,
    run: Range<usize>,
    peer_ids: &'a [PeerId],
    peers: &'a PeerTable,
) -> impl Iterator<Item = Update<'a>> {
    let events = batch.events.get(run).unwrap_or_default().iter();
    events.filter_map(move |event| {
        let index = usize::try_from(event.peer).ok()?;
        let peer = peers.get(*peer_ids.get(index)?)?;
        let (prefix, route) = match event.kind {
            RouteEventKind::Announcement { prefix, attributes } => {
                (prefix, Some(decoded(batch, attributes)?))
            }
            RouteEventKind::Withdrawal { prefix } => (prefix, None),
            _ => return None,
        };
        Some(Update { time: event.time, peer, prefix, route })
    })
}

fn decoded(batch: &EventBatch, attributes: AttributesRef) -> Option<RouteAttributes<'_>> {
    RouteAttributes::decode(batch.attributes(attributes))
}
