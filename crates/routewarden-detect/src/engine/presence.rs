//! Who has a prefix: outages show in it.

use routewarden_core::rib::{AttributeId, RouteChange};
use routewarden_core::{Asn, Prefix, Timestamp};

use super::DetectorShard;
use crate::knowledge::KnownFrom;
use crate::outage::Presence;

/// An origin first seen in the updates is established after this long.
const ESTABLISHED_SECS: i64 = 6 * 3_600;

impl DetectorShard {
    /// Who has the prefix after the change, where that may tell of an outage.
    pub(super) fn watch_presence(&mut self, change: &RouteChange) {
        let full_feeds = self.knowledge.full_feeds(change.prefix.family());
        if full_feeds == 0 {
            return;
        }
        let attributes = self.rib.attributes();
        let origin_of = |id: Option<AttributeId>| id.and_then(|id| attributes.claimed_origin(id));
        let (before, after) = (origin_of(change.before), origin_of(change.after));
        let (time, prefix) = (change.time, change.prefix);
        if let Some(lost) = before
            && change.after.is_none()
        {
            let watched = self.outages.origin(&prefix).unwrap_or(lost);
            if watched == lost && self.is_established(&prefix, lost, time) {
                let now = self.presence(&prefix, lost);
                self.outages.on_withdrawal((time, prefix, lost), now, full_feeds);
            }
        }
        if after.is_some()
            && after != before
            && let Some(watched) = self.outages.origin(&prefix)
        {
            let now = self.presence(&prefix, watched);
            self.outages.on_announcement(time, &prefix, now);
        }
    }

    /// Whether the origin is known of the prefix for hours: what came only just may go again.
    fn is_established(&self, prefix: &Prefix, origin: Asn, now: Timestamp) -> bool {
        let known = self.habit.exact(prefix).iter().find(|known| known.asn == origin);
        known.is_some_and(|known| {
            known.from != KnownFrom::Stream || now.secs_since(known.since) >= ESTABLISHED_SECS
        })
    }

    /// Distinct ASes that have the prefix, as far as nobody said otherwise.
    fn presence(&self, prefix: &Prefix, origin: Asn) -> Presence {
        let attributes = self.rib.attributes();
        let mut holders: Vec<(Asn, bool)> = self
            .rib
            .held_routes(prefix)
            .filter_map(|route| {
                let asn = self.peers.get(route.peer)?.asn;
                Some((asn, attributes.claimed_origin(route.attributes) == Some(origin)))
            })
            .collect();
        // Of several sessions of one AS, one with the origin's route suffices.
        holders.sort_unstable_by_key(|&(asn, is_of_origin)| (asn, !is_of_origin));
        holders.dedup_by_key(|&mut (asn, _)| asn);
        let of_origin = holders.iter().filter(|&&(_, is_of_origin)| is_of_origin).count();
        Presence { of_origin, of_any: holders.len() }
    }
}
