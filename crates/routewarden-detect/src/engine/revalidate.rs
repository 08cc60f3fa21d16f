//! Facts that change while routes stand: what they touch is judged anew, with no BGP update.

use std::sync::Arc;

use routewarden_core::facts::{Facts, RovState};
use routewarden_core::rib::{Route, RouteChange};
use routewarden_core::{Origin, PeerId, Prefix, Timestamp};

use super::DetectorShard;
use crate::claim::{ClaimKey, ClaimKind};
use crate::path_knowledge::PathKnowledge;
use crate::rules;

impl DetectorShard {
    /// New facts from `time` on. Standing routes at or below a prefix of `touched` are validated
    /// anew. Every shard must be told of the same changes, between the same events.
    pub(crate) fn change_facts(
        &mut self,
        time: Timestamp,
        (facts, knowledge): (&Arc<Facts>, &Arc<PathKnowledge>),
        touched: &[Prefix],
    ) {
        self.seq += 1;
        self.now = self.now.max(time);
        self.rib.tick(time);
        self.facts = Arc::clone(facts);
        self.vrps_source = facts.vrps.as_ref().map(|vrps| rules::cite(&vrps.source).into());
        self.knowledge = Arc::clone(knowledge);
        for block in touched {
            let prefixes: Vec<Prefix> = self.rib.covered(block).collect();
            for prefix in prefixes {
                self.share(prefix, |this| this.revalidate(time, prefix));
            }
        }
    }

    /// Brings the claims of route origin validation on one prefix in line with the VRPs.
    fn revalidate(&mut self, time: Timestamp, prefix: Prefix) {
        self.renew_states(prefix);
        let routes: Vec<Route> = self.rib.routes(&prefix).collect();
        for route in routes {
            let Some(culprit) = self.rib.attributes().claimed_origin(route.attributes) else {
                continue;
            };
            let key = ClaimKey { prefix, kind: ClaimKind::RpkiInvalid, culprit };
            if self.state_of(prefix, &route) == Some(RovState::Invalid) {
                self.assert_standing(time, key, &route);
            } else {
                self.drop_claim(time, key, route.peer);
            }
        }
    }

    fn state_of(&self, prefix: Prefix, route: &Route) -> Option<RovState> {
        let path = self.rib.attributes().get(route.attributes)?.as_path;
        let (state, _) = self.facts.rov(&prefix, Origin::of(path))?;
        Some(state)
    }

    fn assert_standing(&mut self, time: Timestamp, key: ClaimKey, route: &Route) {
        let known = self.by_key.contains_key(&key);
        if !known && self.claims.len() >= self.claims_max() {
            self.counters.claims_over_limit += 1;
            return;
        }
        let index = self.claim_index(key, time);
        let Some(claim) = self.claims.get_mut(index) else { return };
        if claim.is_held_by(route.peer) && claim.is_active() {
            return;
        }
        claim.by_vrp_change |= !known;
        let change = RouteChange {
            time,
            peer: route.peer,
            prefix: key.prefix,
            before: Some(route.attributes),
            before_unknown: false,
            after: Some(route.attributes),
            in_transfer: false,
        };
        self.enter(index, &change, route.attributes, None);
    }

    /// The state of a claim's route is what the VRPs say now.
    fn renew_states(&mut self, prefix: Prefix) {
        let DetectorShard { by_prefix, claims, facts, .. } = self;
        for &index in by_prefix.get(&prefix).into_iter().flatten() {
            if let Some(claim) = claims.get_mut(index)
                && claim.key.kind != ClaimKind::RpkiInvalid
                && let Some(origin) = claim.origin
            {
                claim.rov = facts.rov(&prefix, Origin::As(origin));
            }
        }
    }

    fn drop_claim(&mut self, time: Timestamp, key: ClaimKey, peer: PeerId) {
        let Some(&index) = self.by_key.get(&key) else { return };
        let Some(claim) = self.claims.get_mut(index) else { return };
        claim.leave(time, peer);
        if !claim.is_active()
            && let Some(active) = self.by_prefix.get_mut(&key.prefix)
        {
            active.retain(|&other| other != index);
        }
    }
}
