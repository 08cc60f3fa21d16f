//! From a BGP UPDATE to route events: the one way for archives and live sessions.

use routewarden_core::event::AttributesRef;
use routewarden_core::{EventBatch, RouteEvent, RouteEventKind, Timestamp};
use routewarden_wire::{Attributes, Safi, Update};

use crate::report::ElementCounts;

/// Who keeps the peers and the counts of the events given.
pub(crate) trait UpdateSink {
    /// Number of the peer in the batch's list; introduces it when it is new. Asked only when there
    /// is a unicast route. `None`, counted by the sink, when there are too many peers.
    fn peer(&mut self, batch: &mut EventBatch) -> Option<u32>;
    /// Keeps the attributes in the batch. `None`, counted by the sink, when they are too long.
    fn attributes(
        &mut self,
        attributes: &Attributes<'_>,
        batch: &mut EventBatch,
    ) -> Option<AttributesRef>;
    /// Where the elements are counted.
    fn counts(&mut self) -> &mut ElementCounts;
}

/// Gives the routes of an update as events; whether there was any, of any kind.
///
/// Withdrawals come before announcements: a prefix in both is announced (RFC 4271 §4.3).
pub(crate) fn push_update(
    time: Timestamp,
    update: &Update<'_>,
    sink: &mut impl UpdateSink,
    batch: &mut EventBatch,
) -> bool {
    let multicast =
        |counts: &ElementCounts| counts.multicast_announcements + counts.multicast_withdrawals;
    let before = (batch.events.len(), multicast(sink.counts()));
    withdrawals(time, update, sink, batch);
    announcements(time, update, sink, batch);
    (batch.events.len(), multicast(sink.counts())) != before
}

fn withdrawals(
    time: Timestamp,
    update: &Update<'_>,
    sink: &mut impl UpdateSink,
    batch: &mut EventBatch,
) {
    let (mut known, mut is_refused) = (None, false);
    update.for_each_field(|field, is_announced| {
        if is_announced || is_refused {
            return;
        }
        if field.safi() == Safi::Multicast {
            let counts = sink.counts();
            return field.for_each(|_| counts.multicast_withdrawals += 1);
        }
        known = known.or_else(|| sink.peer(batch));
        is_refused = known.is_none();
        let Some(peer) = known else { return };
        let counts = sink.counts();
        field.for_each(|nlri| {
            let kind = RouteEventKind::Withdrawal { prefix: nlri.prefix };
            batch.events.push(RouteEvent { time, peer, kind });
            counts.withdrawals += 1;
        });
    });
}

fn announcements(
    time: Timestamp,
    update: &Update<'_>,
    sink: &mut impl UpdateSink,
    batch: &mut EventBatch,
) {
    let (mut known, mut is_refused) = (None, false);
    update.for_each_field(|field, is_announced| {
        if !is_announced || is_refused {
            return;
        }
        if field.safi() == Safi::Multicast {
            let counts = sink.counts();
            return field.for_each(|_| counts.multicast_announcements += 1);
        }
        // Once for all prefixes of the message, and only if there is one.
        known = known.or_else(|| {
            let peer = sink.peer(batch)?;
            Some((peer, sink.attributes(update.attributes(), batch)?))
        });
        is_refused = known.is_none();
        let Some((peer, attributes)) = known else { return };
        let counts = sink.counts();
        field.for_each(|nlri| {
            let kind = RouteEventKind::Announcement { prefix: nlri.prefix, attributes };
            batch.events.push(RouteEvent { time, peer, kind });
            counts.announcements += 1;
        });
    });
}
