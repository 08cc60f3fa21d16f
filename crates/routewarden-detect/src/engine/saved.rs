//! A shard taken apart for saving, and put together again; what it need not keep for ever.

use hashbrown::HashSet;
use routewarden_core::{Asn, PrefixMap, Timestamp};

use super::{DetectorShard, Hasher};
use crate::claim::Claim;
use crate::state::{Progress, ShardRest, ShardRestRef};

impl DetectorShard {
    /// What is saved of the shard beside its table.
    pub(crate) fn rest(&self) -> ShardRestRef<'_> {
        ShardRestRef {
            habit: &self.habit,
            topology: &self.topology,
            outages: &self.outages,
            session_log: &self.session_log,
            changes: &self.changes,
            claims: &self.claims,
            counters: self.counters,
            progress: Progress {
                now: self.now,
                seq: self.seq,
                first_news: self.first_news,
                updates_begun: self.updates_begun,
                has_table: self.has_table,
                routes_elsewhere: self.routes_elsewhere,
                known_elsewhere: self.known_elsewhere,
            },
        }
    }

    /// Takes what [`DetectorShard::rest`] gave.
    pub(crate) fn set_rest(&mut self, rest: ShardRest) {
        let ShardRest {
            habit,
            topology,
            outages,
            session_log,
            changes,
            claims,
            counters,
            progress,
        } = rest;
        (self.habit, self.topology, self.outages) = (habit, topology, outages);
        (self.session_log, self.changes) = (session_log, changes);
        self.counters = counters;
        (self.now, self.seq, self.first_news) = (progress.now, progress.seq, progress.first_news);
        (self.updates_begun, self.has_table) = (progress.updates_begun, progress.has_table);
        self.routes_elsewhere = progress.routes_elsewhere;
        self.known_elsewhere = progress.known_elsewhere;
        self.set_claims(claims);
    }

    /// Takes claims in place of those held, and finds them again.
    fn set_claims(&mut self, claims: Vec<Claim>) {
        self.by_key.clear();
        self.by_prefix = PrefixMap::default();
        for (index, claim) in claims.iter().enumerate() {
            self.by_key.insert(claim.key, index);
            let active = self.by_prefix.get_or_default(claim.key.prefix);
            if claim.is_active() {
                active.push(index);
            }
        }
        self.claims = claims;
    }

    /// Ends claims that only sessions show which were lost before `before` and never came back.
    pub(crate) fn end_out_of_sight(&mut self, before: Timestamp) -> usize {
        let DetectorShard { claims, by_prefix, rib, .. } = self;
        let mut ended = 0;
        for (index, claim) in claims.iter_mut().enumerate().filter(|(_, claim)| claim.is_active()) {
            let lost = |peer| {
                let session = rib.session(peer).filter(|session| session.is_down())?;
                session.last_heard().filter(|&at| at < before)
            };
            if claim.lose_sight(&lost) {
                ended += 1;
                if let Some(active) = by_prefix.get_mut(&claim.key.prefix) {
                    active.retain(|&other| other != index);
                }
            }
        }
        ended
    }

    /// Culprits with a claim that is active, or ended at `before` or later, and that `counts`.
    pub(crate) fn busy_culprits(
        &self,
        before: Timestamp,
        counts: &dyn Fn(&Claim) -> bool,
    ) -> HashSet<Asn, Hasher> {
        let is_busy = |claim: &&Claim| claim.ended_at.is_none_or(|at| at >= before);
        let busy = self.claims.iter().filter(is_busy).filter(|claim| counts(claim));
        busy.map(|claim| claim.key.culprit).collect()
    }

    /// Forgets the claims that are not to be kept; gives their number.
    pub(crate) fn retain_claims(&mut self, keep: &dyn Fn(&Claim) -> bool) -> usize {
        let before = self.claims.len();
        let mut claims = std::mem::take(&mut self.claims);
        claims.retain(|claim| keep(claim));
        let forgotten = before - claims.len();
        // Also without a loss: prefixes that were once claimed need not be looked at for ever.
        claims.shrink_to(claims.len() * 2);
        self.set_claims(claims);
        forgotten
    }
}
