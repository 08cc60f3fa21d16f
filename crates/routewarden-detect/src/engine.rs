//! Events in, claims out: the Adj-RIB-In, what was learned, and the life of every claim.
//!
//! The work is divided by prefix block ([`Shard`]). Every shard is shown every event: it follows
//! the sessions of all peers and numbers the events, so it knows what any other knows of them, and
//! takes into its table, learns and judges the prefixes that are its own. Prefixes shorter than a
//! block are known to all and counted in one.

mod assert;
mod presence;
mod revalidate;
mod saved;

use std::ops::Range;
use std::sync::Arc;

use hashbrown::HashMap;
use routewarden_core::facts::Facts;
use routewarden_core::rib::{AdjRibIn, AttributeId, RibCounters, RibLimits, RouteChange, Session};
use routewarden_core::{
    AddressFamily, Asn, EventBatch, Origin, Peer, PeerId, PeerTable, Prefix, PrefixMap,
    RouteAttributes, RouteEvent, RouteEventKind, Shard, Share, Timestamp,
};

use self::assert::Asserted;
use crate::changes::ChangeLog;
use crate::claim::{Claim, ClaimKey, ClaimKind, Reaction};
use crate::findings::PathFinding;
use crate::follow::Follower;
use crate::knowledge::{
    KNOWN_PREFIXES_MAX, KnownFrom, KnownOrigin, LINKS_MAX, OriginHabit, Topology,
};
use crate::outage::Outages;
use crate::path_knowledge::{Look, PathKnowledge};
use crate::session_log::SessionLog;
use crate::{Config, Counters, rules};

type Hasher = foldhash::fast::FixedState;

/// Turns the route events of one shard into claims. Deterministic: the same events and facts give
/// the same claims, whatever the numbers of the peers.
pub struct DetectorShard {
    pub(crate) shard: Shard,
    pub(crate) config: Config,
    pub(crate) facts: Arc<Facts>,
    pub(crate) rib: AdjRibIn,
    pub(crate) habit: OriginHabit,
    pub(crate) topology: Topology,
    /// What the table and the facts say of links; the same in every shard.
    pub(crate) knowledge: Arc<PathKnowledge>,
    /// The VRPs in use, as cited.
    vrps_source: Option<Arc<str>>,
    pub(crate) outages: Outages,
    /// The same in every shard.
    pub(crate) session_log: SessionLog,
    /// What changes of facts showed; kept by the first shard for all.
    pub(crate) changes: ChangeLog,
    pub(crate) claims: Vec<Claim>,
    pub(crate) counters: Counters,
    pub(crate) peers: PeerTable,
    pub(crate) now: Timestamp,
    /// Number of the event, the same in every shard.
    pub(crate) seq: u64,
    /// Number of the first event that is news.
    pub(crate) first_news: Option<u64>,
    by_key: HashMap<ClaimKey, usize, Hasher>,
    /// Prefixes that were ever claimed, with their active claims: no more than their peers show.
    by_prefix: PrefixMap<Vec<usize>>,
    /// Whether updates have begun: a table entry after that is news, not the starting state.
    updates_begun: bool,
    /// Whether a table was given: without one, absence from the RIB means nothing.
    pub(crate) has_table: bool,
    /// Keeps what changes, for those who ask; detection does not look into it.
    pub(crate) follower: Option<Box<Follower>>,
    /// Routes and known prefixes that another shard counts.
    routes_elsewhere: usize,
    known_elsewhere: usize,
}

/// What a shard counts, before an event that another one counts too.
struct Tally {
    counters: Counters,
    rib: RibCounters,
    routes: usize,
    known: usize,
}

impl DetectorShard {
    /// A shard that knows `facts` and has seen nothing. Limits are divided among the shards.
    pub(crate) fn new(config: Config, facts: &Arc<Facts>, shard: Shard) -> Self {
        let mut new = DetectorShard {
            shard,
            config,
            rib: AdjRibIn::with_limits(RibLimits::default().of_shard(shard)),
            habit: OriginHabit::with_limit(shard.part_of(KNOWN_PREFIXES_MAX)),
            topology: Topology::with_limit(shard.part_of(LINKS_MAX)),
            knowledge: Arc::default(),
            vrps_source: facts.vrps.as_ref().map(|vrps| rules::cite(&vrps.source).into()),
            outages: Outages::default(),
            session_log: SessionLog::default(),
            changes: ChangeLog::default(),
            facts: Arc::clone(facts),
            claims: Vec::new(),
            counters: Counters::default(),
            peers: PeerTable::default(),
            now: Timestamp::default(),
            seq: 0,
            first_news: None,
            by_key: HashMap::default(),
            by_prefix: PrefixMap::default(),
            updates_begun: false,
            has_table: false,
            follower: None,
            routes_elsewhere: 0,
            known_elsewhere: 0,
        };
        new.learn_origins();
        new.learn_constituency();
        new
    }

    /// What a table of origins says is known before any event.
    pub(crate) fn learn_origins(&mut self) {
        let facts = Arc::clone(&self.facts);
        let Some(origins) = &facts.origins else { return };
        let since = origins.source.date.unwrap_or_default();
        for (prefix, asns) in origins.table.iter() {
            self.share(prefix, |this| {
                for &asn in asns {
                    let known = KnownOrigin { asn, since, from: KnownFrom::OriginTable };
                    this.habit.learn(prefix, known);
                }
            });
        }
    }

    /// What a constituent says of its own space is known before any table.
    pub(crate) fn learn_constituency(&mut self) {
        let facts = Arc::clone(&self.facts);
        let Some(constituency) = &facts.constituency else { return };
        let since = constituency.source.date.unwrap_or_default();
        let members = constituency.table.members().iter();
        for listed in members.flat_map(|member| &member.prefixes) {
            let expected = constituency.table.expected_origins(&listed.prefix);
            self.share(listed.prefix, |this| {
                for &asn in expected.unwrap_or_default() {
                    let known = KnownOrigin { asn, since, from: KnownFrom::Operator };
                    this.habit.learn(listed.prefix, known);
                }
            });
        }
    }

    /// Tells of a peer, before its first event. Peers are numbered in this order.
    pub fn introduce(&mut self, peer: &Peer) {
        self.peers.intern(peer);
    }

    /// Takes a run of events. `peer_ids` maps the batch's peer index to the peer's number. Every
    /// shard must be told of the same peers and given the same runs.
    pub fn apply(&mut self, batch: &EventBatch, run: Range<usize>, peer_ids: &[PeerId]) {
        for event in batch.events.get(run).unwrap_or_default() {
            self.seq += 1;
            let Some(&peer) = usize::try_from(event.peer).ok().and_then(|at| peer_ids.get(at))
            else {
                self.count(|counters| &mut counters.events_of_unknown_peer);
                continue;
            };
            self.now = self.now.max(event.time);
            self.rib.tick(event.time);
            self.apply_event(batch, event, peer);
        }
        self.rib.advance(self.now);
    }

    /// Counts what every shard sees: once.
    fn count(&mut self, counter: impl FnOnce(&mut Counters) -> &mut u64) {
        *counter(&mut self.counters) += u64::from(self.shard.is_first());
    }

    /// Does the work on a prefix if it is one of this shard's; if another one answers for it, what
    /// it adds to the counts is taken back.
    fn share(&mut self, prefix: Prefix, work: impl FnOnce(&mut Self)) {
        match self.shard.share(&prefix) {
            Share::Foreign => {}
            Share::Home => work(self),
            Share::Known => {
                let before = self.tally();
                work(self);
                let after = self.tally();
                self.counters = before.counters;
                self.rib.reset_counters(before.rib);
                self.routes_elsewhere = self.routes_elsewhere + after.routes - before.routes;
                self.known_elsewhere = self.known_elsewhere + after.known - before.known;
            }
        }
    }

    fn tally(&self) -> Tally {
        Tally {
            counters: self.counters,
            rib: self.rib.counters(),
            routes: self.rib.route_count(),
            known: self.habit.len(),
        }
    }

    fn apply_event(&mut self, batch: &EventBatch, event: &RouteEvent, peer: PeerId) {
        let time = event.time;
        match event.kind {
            RouteEventKind::Announcement { prefix, attributes } => {
                self.count(|counters| &mut counters.announcements);
                self.note_news(time);
                if self.rib.session(peer).is_some_and(Session::is_down) {
                    self.session_log.on_up(peer, time);
                    self.follow_session((time, peer), true);
                }
                let has_transfer_ended = self.rib.hear(time, peer);
                self.share(prefix, |this| {
                    let octets = batch.attributes(attributes);
                    if let Some(change) = this.announce((time, peer), prefix, octets) {
                        this.on_change_or_baseline(&change);
                    }
                });
                if has_transfer_ended {
                    self.drop_routes_not_sent_again((time, peer), None);
                }
            }
            RouteEventKind::Withdrawal { prefix } => {
                self.count(|counters| &mut counters.withdrawals);
                self.note_news(time);
                self.share(prefix, |this| {
                    if let Some(change) = this.rib.withdraw((time, peer), prefix) {
                        this.on_change_or_baseline(&change);
                    }
                });
            }
            RouteEventKind::TableEntry { prefix, attributes, originated } => {
                self.count(|counters| &mut counters.table_entries);
                let received = if originated > Timestamp::default() { originated } else { time };
                let received = received.min(time);
                let has_transfer_ended = self.rib.hear(received, peer);
                self.rib.session_mut(peer).on_table_entry();
                self.share(prefix, |this| {
                    let octets = batch.attributes(attributes);
                    this.on_entry_in_dump((received, peer), prefix, octets);
                });
                if has_transfer_ended {
                    self.drop_routes_not_sent_again((time, peer), None);
                }
            }
            RouteEventKind::PeerUp => {
                self.follow_session((time, peer), true);
                self.session_log.on_up(peer, time);
                self.rib.session_mut(peer).on_up(time);
            }
            RouteEventKind::PeerDown => {
                self.follow_session((time, peer), false);
                self.session_log.on_down(peer, time);
                self.rib.session_mut(peer).on_down(time);
            }
            RouteEventKind::EndOfRib { family } => {
                self.rib.session_mut(peer).on_end_of_rib();
                self.drop_routes_not_sent_again((time, peer), Some(family));
            }
        }
    }

    /// From the first update on, what comes is news.
    fn note_news(&mut self, time: Timestamp) {
        if !self.updates_begun && !self.is_before_start(time) {
            self.updates_begun = true;
            self.first_news = Some(self.seq);
        }
    }

    fn on_entry_in_dump(&mut self, at: (Timestamp, PeerId), prefix: Prefix, octets: &[u8]) {
        let Some(mut change) = self.announce(at, prefix, octets) else { return };
        if self.updates_begun {
            change.in_transfer = true;
            self.follow_route(&change);
            self.on_change(&change);
        } else {
            self.has_table = true;
            self.on_table_entry(&change);
        }
    }

    fn is_before_start(&self, time: Timestamp) -> bool {
        self.config.from.is_some_and(|from| time < from)
    }

    /// What happened before the time asked for brings the table up to that time.
    fn on_change_or_baseline(&mut self, change: &RouteChange) {
        if !self.is_before_start(change.time) {
            self.follow_route(change);
            self.watch_presence(change);
            self.on_change(change);
            return;
        }
        self.counters.before_start += 1;
        // Standing claims (bogons, ROV) follow the table.
        self.leave_others(change, &[]);
        self.on_table_entry(change);
    }

    fn claims_max(&self) -> usize {
        self.shard.part_of(CLAIMS_MAX)
    }

    /// The peer shows no claim on the prefix but these.
    fn leave_others(&mut self, change: &RouteChange, shown: &[ClaimKey]) {
        let DetectorShard { by_prefix, claims, .. } = self;
        let Some(active) = by_prefix.get_mut(&change.prefix) else { return };
        active.retain(|&index| {
            let Some(claim) = claims.get_mut(index) else { return false };
            if !shown.contains(&claim.key) {
                claim.leave(change.time, change.peer);
            }
            claim.is_active()
        });
    }

    fn announce(
        &mut self,
        at: (Timestamp, PeerId),
        prefix: Prefix,
        octets: &[u8],
    ) -> Option<RouteChange> {
        let DetectorShard { rib, topology, facts, config, seq, knowledge, .. } = self;
        let mut classify = |attributes: &RouteAttributes<'_>| {
            topology.learn(attributes.as_path, *seq);
            let look = Look::new(knowledge, facts, *config, attributes.otc);
            DetectorShard::flags(&look, *config, attributes)
        };
        rib.announce(at, prefix, octets, &mut classify)
    }

    /// A route standing at the start: it is the habit; only what is wrong by itself is claimed.
    fn on_table_entry(&mut self, change: &RouteChange) {
        let Some(after) = change.after else { return };
        let mut asserted = Asserted::default();
        self.assert_without_habit(change.prefix, after, &mut asserted);
        for key in asserted.keys {
            if self.claims.len() >= self.claims_max() {
                self.counters.claims_over_limit += 1;
                continue;
            }
            let index = self.claim_index(key, change.time);
            if let Some(claim) = self.claims.get_mut(index) {
                claim.standing = true;
            }
            self.enter(index, change, after, None);
        }
        let Some(attributes) = self.rib.attributes().get(after) else { return };
        let path = attributes.as_path;
        let known = |asn| KnownOrigin { asn, since: change.time, from: KnownFrom::Table };
        let aggregator = self.rib.attributes().claimed_origin(after);
        for asn in
            path.origin_set().iter().flat_map(routewarden_core::Segment::asns).chain(aggregator)
        {
            self.habit.learn(change.prefix, known(asn));
        }
    }

    fn on_change(&mut self, change: &RouteChange) {
        let attributes = self.rib.attributes();
        let origin_of = |id: Option<AttributeId>| id.and_then(|id| attributes.claimed_origin(id));
        let (before, after) = (origin_of(change.before), origin_of(change.after));
        let flagged = [change.before, change.after]
            .iter()
            .any(|id| id.is_some_and(|id| attributes.flags(id) != 0));
        let claimed = self.by_prefix.get(&change.prefix).is_some();
        if before == after && !flagged && !claimed && !change.before_unknown {
            return;
        }
        if let Some(origin) = after
            && before != after
        {
            self.note_reaction(change, origin);
        }
        self.update_claims(change);
    }

    /// Brings the claims on the prefix in line with what the peer now says of it.
    fn update_claims(&mut self, change: &RouteChange) {
        let mut asserted = Asserted::default();
        if let Some(after) = change.after {
            self.assert_without_habit(change.prefix, after, &mut asserted);
            self.assert_path(change, after, &mut asserted);
            self.assert_origin(change, after, &mut asserted);
        }
        self.leave_others(change, &asserted.keys);
        let Some(after) = change.after else { return };
        let Asserted { keys, finding } = asserted;
        for key in keys {
            let known = self.by_key.contains_key(&key);
            if !known && self.claims.len() >= self.claims_max() {
                self.counters.claims_over_limit += 1;
                continue;
            }
            // What a table transfer shows is old: it may add a witness, never make a claim.
            if !known && change.in_transfer && !key.kind.needs_no_habit() {
                self.counters.muted_in_transfer += 1;
                continue;
            }
            let index = self.claim_index(key, change.time);
            if !known {
                self.aim(index, change);
            }
            self.enter(index, change, after, finding.as_ref());
        }
    }

    fn claim_index(&mut self, key: ClaimKey, time: Timestamp) -> usize {
        let (claims, seq) = (&mut self.claims, self.seq);
        let is_told_to_us = self.config.receiver.is_some();
        let by_prefix = &mut self.by_prefix;
        *self.by_key.entry(key).or_insert_with(|| {
            let mut claim = Claim::new(key, time, seq);
            claim.is_told_to_us = is_told_to_us;
            claims.push(claim);
            by_prefix.get_or_default(key.prefix).push(claims.len() - 1);
            claims.len() - 1
        })
    }

    /// A peer shows the claim with these attributes.
    fn enter(
        &mut self,
        index: usize,
        change: &RouteChange,
        id: AttributeId,
        finding: Option<&PathFinding>,
    ) {
        let Some(attributes) = self.rib.attributes().get(id) else { return };
        let path = attributes.as_path;
        let Some(asn) = self.peers.get(change.peer).map(|peer| peer.asn) else { return };
        let Some(claim) = self.claims.get_mut(index) else { return };
        if claim.rov.is_none()
            && let Some(vrps) = &self.facts.vrps
        {
            claim.rov = Some(vrps.table.state(&change.prefix, Origin::of(path)));
            if claim.key.kind == ClaimKind::RpkiInvalid {
                claim.covering_vrps = vrps.table.covering(&change.prefix).take(VRPS_MAX).collect();
                claim.vrps_source.clone_from(&self.vrps_source);
            }
        }
        if claim.witnesses.is_empty() && claim.announcements == 0 {
            claim.origin = self.rib.attributes().claimed_origin(id);
            claim.is_blackhole = attributes.community_pairs().any(|pair| pair == BLACKHOLE);
            if claim.key.kind.is_of_path() || is_of_origination(claim.key, finding) {
                claim.finding = finding.cloned().map(Box::new);
                claim.has_displaced = change.before.is_some() && !change.before_unknown;
            }
        }
        if let (Some(known), Some(finding)) = (claim.finding.as_deref_mut(), finding) {
            known.strengthen(finding);
        }
        if claim.key.kind == ClaimKind::BogonAsn {
            for asn in path.asns().filter(|&asn| self.facts.bogons().asn(asn).is_some()) {
                if !claim.bogon_asns.contains(&asn) && claim.bogon_asns.len() < BOGON_ASNS_MAX {
                    claim.bogon_asns.push(asn);
                }
            }
        }
        let (recurs, prefix) = (!claim.is_active(), claim.key.prefix);
        claim.enter(change.time, (change.peer, asn), path);
        if recurs {
            self.by_prefix.get_or_default(prefix).push(index);
        }
    }

    /// Fills in against whom a new origin claim stands.
    fn aim(&mut self, index: usize, change: &RouteChange) {
        let Some(claim) = self.claims.get(index) else { return };
        let target = match claim.key.kind {
            ClaimKind::Origin => crate::target::aim(self, claim.key, change),
            ClaimKind::LessSpecific => crate::target::aim_below(self, claim.key, change),
            ClaimKind::ForgedLink | ClaimKind::Leak | ClaimKind::MoreSpecific => {
                let origin = change.after.and_then(|id| self.rib.attributes().claimed_origin(id));
                origin.map(|origin| crate::target::aim_at(self, claim.key, change, vec![origin]))
            }
            _ => None,
        };
        if let Some(claim) = self.claims.get_mut(index) {
            claim.target = target;
        }
    }

    /// A victim announces the claimed prefix, or a more-specific, that it did not have before:
    /// a countermeasure.
    fn note_reaction(&mut self, change: &RouteChange, origin: Asn) {
        let DetectorShard { by_prefix, claims, rib, seq, .. } = self;
        let mut is_first_route = None;
        for (claimed, active) in by_prefix.covering(&change.prefix) {
            for &index in active {
                let Some(claim) = claims.get_mut(index) else { continue };
                let Some(target) = &claim.target else { continue };
                if !target.victims.contains(&origin) || change.time <= claim.first_seen {
                    continue;
                }
                let is_new = if claimed == change.prefix {
                    !target.victim_was_present
                } else {
                    *is_first_route.get_or_insert_with(|| is_first(rib, change, origin))
                };
                if is_new {
                    let (seq, time, prefix) = (*seq, change.time, change.prefix);
                    claim.push_reaction(Reaction { seq, time, prefix, origin });
                }
            }
        }
    }

    /// After the transfer, a route from before the reset that was not sent again is gone.
    fn drop_routes_not_sent_again(
        &mut self,
        (time, peer): (Timestamp, PeerId),
        family: Option<AddressFamily>,
    ) {
        let Some(session) = self.rib.session(peer).copied() else { return };
        if !session.is_unknown(Timestamp::default()) {
            // It never went down: there is nothing from before.
            return;
        }
        self.follow_table_end((time, peer), family);
        let mut ended: Vec<(Prefix, usize)> = Vec::new();
        let held = |(_, claim): &(usize, &mut Claim)| claim.is_held_by(peer);
        for (index, claim) in self.claims.iter_mut().enumerate().filter(held) {
            let sent_again = self
                .rib
                .routes(&claim.key.prefix)
                .any(|route| route.peer == peer && !session.is_unknown(route.time));
            if !sent_again {
                claim.leave(time, peer);
            }
            if !claim.is_active() {
                ended.push((claim.key.prefix, index));
            }
        }
        for (prefix, index) in ended {
            if let Some(active) = self.by_prefix.get_mut(&prefix) {
                active.retain(|&other| other != index);
            }
        }
    }

    /// Routes in the table that this shard answers for.
    pub(crate) fn route_count(&self) -> usize {
        self.rib.route_count() - self.routes_elsewhere
    }

    /// Prefixes with known origins that this shard answers for.
    pub(crate) fn known_prefixes(&self) -> usize {
        self.habit.len() - self.known_elsewhere
    }
}

/// Whether the peer is the first to show the prefix with this origin.
fn is_first(rib: &AdjRibIn, change: &RouteChange, origin: Asn) -> bool {
    rib.routes(&change.prefix).all(|route| {
        route.peer == change.peer
            || rib.attributes().claimed_origin(route.attributes) != Some(origin)
    })
}

/// Most claims followed at once; further ones are counted, not followed. The largest leaks known
/// touched less than a million prefixes.
pub const CLAIMS_MAX: usize = 4_000_000;

/// Whether an origin claim comes over a link that nobody knows, right behind the culprit.
fn is_of_origination(key: ClaimKey, finding: Option<&PathFinding>) -> bool {
    key.kind == ClaimKind::Origin
        && matches!(finding, Some(PathFinding::Link(found)) if found.link.b == key.culprit)
}

/// RFC 7999 §5.
const BLACKHOLE: (u16, u16) = (65535, 666);

/// Most VRPs named in one claim.
const VRPS_MAX: usize = 32;

/// Most bogon ASNs named in one claim.
const BOGON_ASNS_MAX: usize = 16;
