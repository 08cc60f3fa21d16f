//! All shards together: what can only be said with every claim in sight.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hashbrown::HashSet;
use routewarden_core::facts::Facts;
use routewarden_core::{
    AddressFamily, Asn, EventBatch, Origin, PeerId, PeerTable, Prefix, Shard, Share, Timestamp,
    shard,
};

use crate::changes::{ChangeLog, FactsChange};
use crate::claim::{Claim, ClaimKey, ClaimKind, Reaction};
use crate::engine::DetectorShard;
use crate::findings::{LinkFinding, PathFinding};
use crate::knowledge::{KnownFrom, Topology};
use crate::outage::Loss;
use crate::path_knowledge::PathKnowledge;
use crate::{Config, Counters};

type Hasher = foldhash::fast::FixedState;

/// What one AS is known to originate.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OriginStat {
    pub(crate) prefixes: usize,
    /// When the last one came that was not known at the start.
    pub(crate) newest: Option<Timestamp>,
}

/// Turns route events into incidents. The number of shards changes nothing in what is found, as
/// long as no limit is reached.
pub struct Detector {
    /// At least one; in their order.
    first: DetectorShard,
    others: Vec<DetectorShard>,
    pub(crate) tallies: Tallies,
}

/// What a report counts once; forgotten with the next event.
#[derive(Default)]
pub(crate) struct Tallies {
    prefixes: OnceCell<BTreeMap<Asn, OriginStat>>,
    claims: OnceCell<BTreeMap<Asn, usize>>,
    news: OnceCell<BTreeMap<Asn, Vec<(Timestamp, Prefix)>>>,
}

impl Detector {
    /// A detector of one shard that knows `facts` and has seen nothing.
    pub fn new(config: Config, facts: Facts) -> Self {
        Detector::with_shards(config, facts, 1)
    }

    /// A detector of so many shards, at least one and at most [`shard::SHARDS_MAX`].
    pub fn with_shards(config: Config, facts: Facts, shards: u32) -> Self {
        let facts = Arc::new(facts);
        let mut all = Shard::all(shards);
        let new = |shard| DetectorShard::new(config, &facts, shard);
        Detector::of(new(all.next().unwrap_or_default()), all.map(new).collect())
    }

    /// The shards, to be run on threads: each is to be shown every event, in the same order.
    pub fn into_shards(self) -> Vec<DetectorShard> {
        std::iter::once(self.first).chain(self.others).collect()
    }

    /// Puts the shards of [`Detector::into_shards`] together again, in their order. `None` when
    /// some are missing or out of place.
    pub fn from_shards(shards: Vec<DetectorShard>) -> Option<Self> {
        let count = u32::try_from(shards.len()).ok()?;
        let is_complete = shards.iter().map(|shard| shard.shard).eq(Shard::all(count));
        let mut shards = shards.into_iter();
        let first = shards.next().filter(|_| is_complete)?;
        Some(Detector::of(first, shards.collect()))
    }

    /// Takes a run of events into every shard, one after the other. `peer_ids` maps the batch's
    /// peer index to the number in `peers`, which holds those of all runs before.
    pub fn apply(
        &mut self,
        batch: &EventBatch,
        run: std::ops::Range<usize>,
        peer_ids: &[PeerId],
        peers: &PeerTable,
    ) {
        self.tallies = Tallies::default();
        for shard in std::iter::once(&mut self.first).chain(&mut self.others) {
            for (_, peer) in peers.iter().skip(shard.peers.len()) {
                shard.introduce(peer);
            }
            shard.apply(batch, run.clone(), peer_ids);
        }
    }

    pub(crate) fn shards(&self) -> impl Iterator<Item = &DetectorShard> {
        std::iter::once(&self.first).chain(&self.others)
    }

    pub(crate) fn config(&self) -> Config {
        self.first.config
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.first.facts
    }

    pub(crate) fn peers(&self) -> &PeerTable {
        &self.first.peers
    }

    /// Time of the latest event, or the one that it was told that it is.
    pub fn now(&self) -> Timestamp {
        self.first.now
    }

    /// Whether a table was given at the start.
    pub(crate) fn has_table(&self) -> bool {
        self.shards().any(|shard| shard.has_table)
    }

    /// Whether any peer is known to have a route to the prefix originated by `origin`.
    pub(crate) fn is_originated_by(&self, prefix: &Prefix, origin: Asn) -> bool {
        let home = self.first.shard.home_of(prefix);
        self.shards().nth(home).is_some_and(|shard| shard.rib.is_originated_by(prefix, origin))
    }

    /// Whether the two ASes were next to each other in a path of event number `seq` or before.
    pub(crate) fn adjacent(&self, a: Asn, b: Asn, seq: u64) -> bool {
        self.shards().any(|shard| shard.topology.adjacent(a, b, seq))
    }

    /// The table is complete: what was read so far is the state to start from, and what its paths
    /// and the facts tell of links is worked out for all shards. To be called once, before the
    /// first update; without it no path is looked into.
    pub fn begin_updates(&mut self) {
        self.learn_paths(&HashSet::default(), &HashSet::default());
    }

    /// Distinct ASes of the peers that send the whole table: half as much as the largest, or more.
    pub(crate) fn full_feeds(&self, family: AddressFamily) -> usize {
        let mut routes: BTreeMap<PeerId, usize> = BTreeMap::new();
        for shard in self.shards() {
            for (peer, session) in shard.rib.sessions() {
                *routes.entry(peer).or_default() += session.route_count(family);
            }
            // What every shard knows counts once.
            let elsewhere = |prefix: &&Prefix| {
                prefix.family() == family && shard.shard.share(prefix) == Share::Known
            };
            for prefix in shard.rib.prefixes().filter(elsewhere) {
                for route in shard.rib.held_routes(prefix) {
                    *routes.entry(route.peer).or_default() -= 1;
                }
            }
        }
        let most = routes.values().max().copied().unwrap_or(0);
        let is_full = |&(_, &count): &(&PeerId, &usize)| count > 0 && count * 2 >= most;
        let full = routes.iter().filter(is_full).filter_map(|(&peer, _)| self.peers().get(peer));
        full.map(|peer| peer.asn).collect::<BTreeSet<_>>().len()
    }

    pub(crate) fn shards_mut(&mut self) -> impl Iterator<Item = &mut DetectorShard> {
        std::iter::once(&mut self.first).chain(&mut self.others)
    }

    pub(crate) fn knowledge(&self) -> &PathKnowledge {
        &self.first.knowledge
    }

    /// New facts from `time` on, between two events: what they touch is judged anew.
    pub fn change_facts(&mut self, time: Timestamp, change: FactsChange) {
        self.tallies = Tallies::default();
        // The shards hold the facts together; when all let go, they need not be copied.
        let mut facts = Arc::default();
        for shard in self.shards_mut() {
            facts = std::mem::take(&mut shard.facts);
        }
        let mut facts = Arc::unwrap_or_clone(facts);
        let has_new_aspas = change.aspas.is_some();
        let has_new_origins = change.origins.is_some();
        let has_new_members = change.constituency.is_some();
        let mut log = std::mem::take(&mut self.first.changes);
        let touched =
            log.apply(time, &mut facts, change, &|block, tell| self.standing(block, tell));
        self.first.changes = log;
        let facts = Arc::new(facts);
        let knowledge = Arc::clone(&self.first.knowledge);
        for shard in self.shards_mut() {
            shard.change_facts(time, (&facts, &knowledge), &touched);
            if has_new_origins {
                shard.learn_origins();
            }
            if has_new_members {
                shard.learn_constituency();
            }
            if has_new_aspas || has_new_members {
                shard.reclassify();
            }
        }
    }

    /// Calls back with the prefix and origin of every standing route at or below a prefix, in the
    /// order of the prefixes.
    fn standing(&self, block: &Prefix, tell: &mut dyn FnMut(Prefix, Origin)) {
        let own = |shard: &DetectorShard, prefix: &Prefix| shard.shard.share(prefix) == Share::Home;
        let covered = |shard: &'_ DetectorShard| -> Vec<Prefix> {
            shard.rib.covered(block).filter(|prefix| own(shard, prefix)).collect()
        };
        let mut prefixes: Vec<Prefix> = self.shards().flat_map(covered).collect();
        prefixes.sort_unstable();
        for prefix in prefixes {
            let home = self.first.shard.home_of(&prefix);
            let Some(shard) = self.shards().nth(home) else { continue };
            for route in shard.rib.routes(&prefix) {
                if let Some(held) = shard.rib.attributes().get(route.attributes) {
                    tell(prefix, Origin::of(held.as_path));
                }
            }
        }
    }

    pub(crate) fn change_log(&self) -> &ChangeLog {
        &self.first.changes
    }

    fn of(first: DetectorShard, others: Vec<DetectorShard>) -> Self {
        Detector { first, others, tallies: Tallies::default() }
    }

    /// Sessions that sent routes of the family; sorted.
    pub(crate) fn sessions_of(&self, family: AddressFamily) -> Vec<PeerId> {
        let all = self.shards().flat_map(|shard| shard.rib.sessions());
        let of_family = all.filter(|(_, session)| session.has_announced(family));
        let mut peers: Vec<PeerId> = of_family.map(|(peer, _)| peer).collect();
        peers.sort_unstable();
        peers.dedup();
        peers
    }

    /// Sessions that were down in the period; sorted.
    pub(crate) fn lost_sessions(&self, from: Timestamp, until: Timestamp) -> Vec<PeerId> {
        self.first.session_log.lost_in(from, until)
    }

    /// Sessions that were down all through the period; sorted.
    pub(crate) fn absent_sessions(&self, from: Timestamp, until: Timestamp) -> Vec<PeerId> {
        self.first.session_log.absent_in(from, until)
    }

    /// Losses of prefixes, of every shard those on its own.
    pub(crate) fn losses(&self) -> Vec<&Loss> {
        let own =
            |shard: &DetectorShard, loss: &Loss| shard.shard.share(&loss.prefix) == Share::Home;
        self.shards()
            .flat_map(|shard| shard.outages.losses().iter().filter(move |l| own(shard, l)))
            .collect()
    }

    /// Whether the AS is known to originate the prefix.
    pub(crate) fn is_known_origin(&self, prefix: &Prefix, origin: Asn) -> bool {
        let home = self.first.shard.home_of(prefix);
        let exact = self.shards().nth(home).map(|shard| shard.habit.exact(prefix));
        exact.is_some_and(|known| known.iter().any(|known| known.asn == origin))
    }

    /// What each AS is known to originate.
    pub(crate) fn prefixes_by_origin(&self) -> BTreeMap<Asn, OriginStat> {
        let mut counts: BTreeMap<Asn, OriginStat> = BTreeMap::new();
        for shard in self.shards() {
            let own = |prefix: &Prefix| shard.shard.share(prefix) == Share::Home;
            for (prefix, origins) in shard.habit.iter() {
                for known in origins.iter().filter(|_| own(&prefix)) {
                    let stat = counts.entry(known.asn).or_default();
                    stat.prefixes += 1;
                    if known.from == KnownFrom::Stream {
                        stat.newest = stat.newest.max(Some(known.since));
                    }
                }
            }
        }
        counts
    }

    /// Number of prefixes that one AS is known to originate.
    pub(crate) fn prefixes_of(&self, origin: Asn) -> usize {
        let all = self.tallies.prefixes.get_or_init(|| self.prefixes_by_origin());
        all.get(&origin).map_or(0, |stat| stat.prefixes)
    }

    /// Number of origin claims against each culprit.
    pub(crate) fn claims_against(&self, culprit: Asn) -> usize {
        let count = || {
            let mut counts: BTreeMap<Asn, usize> = BTreeMap::new();
            for claim in self.claims().filter(|claim| claim.key.kind == ClaimKind::Origin) {
                *counts.entry(claim.key.culprit).or_default() += 1;
            }
            counts
        };
        self.tallies.claims.get_or_init(count).get(&culprit).copied().unwrap_or(0)
    }

    /// New more-specifics inside their own origin's space, by origin.
    pub(crate) fn news_by_origin(&self) -> &BTreeMap<Asn, Vec<(Timestamp, Prefix)>> {
        self.tallies.news.get_or_init(|| {
            let mut news: BTreeMap<Asn, Vec<(Timestamp, Prefix)>> = BTreeMap::new();
            for claim in self.claims() {
                let is_news = match claim.finding.as_deref() {
                    Some(PathFinding::Link(found)) => found.is_more_specific,
                    _ => claim.key.kind == ClaimKind::MoreSpecific,
                };
                if let Some(origin) = claim.origin.filter(|_| is_news) {
                    news.entry(origin).or_default().push((claim.first_seen, claim.key.prefix));
                }
            }
            news
        })
    }

    /// Whether the link was there when the news began; without news, before event number `seq`.
    pub(crate) fn was_link(&self, a: Asn, b: Asn, seq: u64) -> bool {
        let first = self.first.first_news.unwrap_or(seq);
        self.adjacent(a, b, first.saturating_sub(1))
    }

    /// Whether a peer has a route to the claimed prefix, or to what covers it, that ends in the
    /// claim's origin and does not come over the link.
    pub(crate) fn has_other_path(&self, claim: &Claim, found: &LinkFinding) -> bool {
        let block = claim.target.as_ref().and_then(|target| target.covering);
        let block = block.unwrap_or(claim.key.prefix);
        let home = self.first.shard.home_of(&block);
        let Some(shard) = self.shards().nth(home) else { return false };
        let attributes = shard.rib.attributes();
        let (a, b) = (found.link.a, found.link.b);
        shard.rib.routes(&block).filter_map(|route| attributes.get(route.attributes)).any(|held| {
            let hops = || held.as_path.collapsed();
            let has_link = hops().zip(hops().skip(1)).any(|pair| pair == (a, b));
            held.as_path.origin() == claim.origin && !has_link
        })
    }

    /// Distinct ASes of the peers that sent routes of the prefix's family.
    pub(crate) fn vantage_points(&self, family: AddressFamily) -> usize {
        let asns: HashSet<Asn, Hasher> = self
            .shards()
            .flat_map(|shard| shard.rib.sessions())
            .filter(|(_, session)| session.has_announced(family))
            .filter_map(|(id, _)| Some(self.peers().get(id)?.asn))
            .collect();
        asns.len()
    }

    pub(crate) fn counters(&self) -> Counters {
        self.shards().fold(Counters::default(), |mut sum, shard| {
            let rib = shard.rib.counters();
            sum.add(&shard.counters);
            sum.routes_over_limit += rib.over_limit;
            sum.late_events += rib.late_events;
            sum.duplicates += rib.duplicate_announcements;
            sum
        })
    }

    pub(crate) fn route_count(&self) -> usize {
        self.shards().map(DetectorShard::route_count).sum()
    }

    pub(crate) fn known_prefixes(&self) -> usize {
        self.shards().map(DetectorShard::known_prefixes).sum()
    }

    pub(crate) fn known_links(&self) -> usize {
        Topology::count_all(self.shards().map(|shard| &shard.topology))
    }

    /// The claims of every shard on prefixes that are its own.
    pub(crate) fn claims(&self) -> impl Iterator<Item = &Claim> {
        let own = |shard: &DetectorShard, claim: &Claim| {
            shard.shard.share(&claim.key.prefix) == Share::Home
        };
        self.shards().flat_map(move |shard| shard.claims.iter().filter(move |c| own(shard, c)))
    }

    /// Claims on prefixes shorter than a block: each shard has noted the reactions on its own
    /// prefixes; here are all.
    pub(crate) fn short_claims(&self) -> Vec<Claim> {
        let is_short = |claim: &&Claim| shard::is_short(&claim.key.prefix);
        self.claims().filter(is_short).map(|claim| self.with_all_reactions(claim)).collect()
    }

    fn with_all_reactions(&self, claim: &Claim) -> Claim {
        let elsewhere = |key: ClaimKey| {
            self.shards().flat_map(move |shard| shard.claims.iter().filter(move |c| c.key == key))
        };
        let mut reactions: Vec<Reaction> =
            elsewhere(claim.key).flat_map(|claim| claim.reactions.iter().copied()).collect();
        // In the order of the events, as one shard would have noted them.
        reactions.sort_unstable();
        let mut whole = claim.clone();
        whole.reactions.clear();
        for reaction in reactions {
            whole.push_reaction(reaction);
        }
        whole
    }
}
