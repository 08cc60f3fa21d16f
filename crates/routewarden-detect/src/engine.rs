//! Events in, claims out: the Adj-RIB-In, what was learned, and the life of every claim.
//!
//! The work is divided by prefix block ([`Shard`]). Every shard is shown every event: it follows
//! the sessions of all peers and numbers the events, so it knows what any other knows of them, and
//! takes into its table, learns and judges the prefixes that are its own. Prefixes shorter than a
//! block are known to all and counted in one.

use std::ops::Range;
use std::sync::Arc;

use hashbrown::HashMap;
use routewarden_core::facts::{Facts, RovState};
use routewarden_core::rib::{AdjRibIn, AttributeId, RibCounters, RibLimits, RouteChange};
use routewarden_core::{
    AsPath, Asn, EventBatch, Origin, Peer, PeerId, PeerTable, Prefix, PrefixMap, RouteAttributes,
    RouteEvent, RouteEventKind, Shard, Share, Timestamp,
};

use crate::claim::{Claim, ClaimKey, ClaimKind, Reaction};
use crate::knowledge::{
    KNOWN_PREFIXES_MAX, KnownFrom, KnownOrigin, LINKS_MAX, OriginHabit, Topology,
};
use crate::{Config, Counters};

type Hasher = foldhash::fast::FixedState;

/// Attributes whose path holds a bogon ASN.
const FLAG_BOGON_ASN: u8 = 1;

/// Turns the route events of one shard into claims. Deterministic: the same events and facts give
/// the same claims, whatever the numbers of the peers.
pub struct DetectorShard {
    pub(crate) shard: Shard,
    pub(crate) config: Config,
    pub(crate) facts: Arc<Facts>,
    pub(crate) rib: AdjRibIn,
    pub(crate) habit: OriginHabit,
    pub(crate) topology: Topology,
    pub(crate) claims: Vec<Claim>,
    pub(crate) counters: Counters,
    pub(crate) peers: PeerTable,
    pub(crate) now: Timestamp,
    /// Number of the event, the same in every shard.
    seq: u64,
    by_key: HashMap<ClaimKey, usize, Hasher>,
    /// Prefixes that were ever claimed, with their active claims: no more than their peers show.
    by_prefix: PrefixMap<Vec<usize>>,
    /// Whether updates have begun: a table entry after that is news, not the starting state.
    updates_begun: bool,
    /// Whether a table was given: without one, absence from the RIB means nothing.
    pub(crate) has_table: bool,
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
            facts: Arc::clone(facts),
            claims: Vec::new(),
            counters: Counters::default(),
            peers: PeerTable::default(),
            now: Timestamp::default(),
            seq: 0,
            by_key: HashMap::default(),
            by_prefix: PrefixMap::default(),
            updates_begun: false,
            has_table: false,
            routes_elsewhere: 0,
            known_elsewhere: 0,
        };
        if let Some(origins) = &facts.origins {
            let since = origins.source.date.unwrap_or_default();
            for (prefix, asns) in origins.table.iter() {
                new.share(prefix, |new| {
                    for &asn in asns {
                        let known = KnownOrigin { asn, since, from: KnownFrom::OriginTable };
                        new.habit.learn(prefix, known);
                    }
                });
            }
        }
        new
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
                self.updates_begun |= !self.is_before_start(time);
                let has_transfer_ended = self.rib.hear(time, peer);
                self.share(prefix, |this| {
                    let octets = batch.attributes(attributes);
                    if let Some(change) = this.announce((time, peer), prefix, octets) {
                        this.on_change_or_baseline(&change);
                    }
                });
                if has_transfer_ended {
                    self.drop_routes_not_sent_again(time, peer);
                }
            }
            RouteEventKind::Withdrawal { prefix } => {
                self.count(|counters| &mut counters.withdrawals);
                self.updates_begun |= !self.is_before_start(time);
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
                self.share(prefix, |this| {
                    let octets = batch.attributes(attributes);
                    this.on_entry_in_dump((received, peer), prefix, octets);
                });
                if has_transfer_ended {
                    self.drop_routes_not_sent_again(time, peer);
                }
            }
            RouteEventKind::PeerUp => self.rib.session_mut(peer).on_up(time),
            RouteEventKind::PeerDown => self.rib.session_mut(peer).on_down(time),
            RouteEventKind::EndOfRib { .. } => {
                self.rib.session_mut(peer).on_end_of_rib();
                self.drop_routes_not_sent_again(time, peer);
            }
        }
    }

    fn on_entry_in_dump(&mut self, at: (Timestamp, PeerId), prefix: Prefix, octets: &[u8]) {
        let Some(mut change) = self.announce(at, prefix, octets) else { return };
        if self.updates_begun {
            change.in_transfer = true;
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
        let DetectorShard { rib, topology, facts, config, seq, .. } = self;
        let mut classify = |attributes: &RouteAttributes<'_>| {
            topology.learn(attributes.as_path, *seq);
            let path = attributes.as_path;
            let bogon = config.bogons && path.asns().any(|asn| facts.bogons().asn(asn).is_some());
            if bogon { FLAG_BOGON_ASN } else { 0 }
        };
        rib.announce(at, prefix, octets, &mut classify)
    }

    /// A route standing at the start: it is the habit; only what is wrong by itself is claimed.
    fn on_table_entry(&mut self, change: &RouteChange) {
        let Some(after) = change.after else { return };
        let mut asserted = Vec::new();
        self.assert_without_habit(change.prefix, after, &mut asserted);
        for key in asserted {
            if self.claims.len() >= self.claims_max() {
                self.counters.claims_over_limit += 1;
                continue;
            }
            let index = self.claim_index(key, change.time);
            if let Some(claim) = self.claims.get_mut(index) {
                claim.standing = true;
            }
            self.enter(index, change, after);
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
        let mut asserted = Vec::new();
        if let Some(after) = change.after {
            self.assert_without_habit(change.prefix, after, &mut asserted);
            self.assert_origin(change, after, &mut asserted);
        }
        self.leave_others(change, &asserted);
        let Some(after) = change.after else { return };
        for key in asserted {
            let known = self.by_key.contains_key(&key);
            if !known && self.claims.len() >= self.claims_max() {
                self.counters.claims_over_limit += 1;
                continue;
            }
            // What a table transfer shows is old: it may add a witness, never make a claim.
            if !known && change.in_transfer && key.kind == ClaimKind::Origin {
                self.counters.muted_in_transfer += 1;
                continue;
            }
            let index = self.claim_index(key, change.time);
            if !known && key.kind == ClaimKind::Origin {
                self.aim(index, change);
            }
            self.enter(index, change, after);
        }
    }

    /// Claims that need no habit: bogons and route origin validation.
    fn assert_without_habit(&self, prefix: Prefix, id: AttributeId, out: &mut Vec<ClaimKey>) {
        let table = self.rib.attributes();
        let Some(attributes) = table.get(id) else { return };
        let path = attributes.as_path;
        let mut push = |kind, culprit| out.push(ClaimKey { prefix, kind, culprit });
        if table.flags(id) & FLAG_BOGON_ASN != 0
            && let Some(culprit) = self.bogon_culprit(path)
        {
            push(ClaimKind::BogonAsn, culprit);
        }
        let Some(origin) = table.claimed_origin(id) else { return };
        if self.is_bogon(&prefix) {
            push(ClaimKind::BogonPrefix, origin);
        }
        if let Some(vrps) = &self.facts.vrps {
            let (state, _) = vrps.table.state(&prefix, Origin::of(path));
            if state == RovState::Invalid {
                push(ClaimKind::RpkiInvalid, origin);
            }
        }
    }

    /// Whether the prefix is never routable, by the registries as of the event's time: what was
    /// reserved later was no bogon before.
    fn is_bogon(&self, prefix: &Prefix) -> bool {
        let reserved = |since: &str| {
            let begin = format!("{since}-01").parse::<Timestamp>();
            begin.is_ok_and(|begin| begin <= self.now)
        };
        self.config.bogons
            && self.facts.bogons().prefix(prefix).is_some_and(|b| b.since.is_none_or(reserved))
    }

    /// The nearest AS on the collector's side of the first bogon ASN that is none itself: it
    /// accepted the path and passed it on.
    fn bogon_culprit(&self, path: AsPath<'_>) -> Option<Asn> {
        let mut culprit = None;
        for asn in path.asns() {
            if self.facts.bogons().asn(asn).is_some() {
                return culprit;
            }
            culprit = Some(asn);
        }
        None
    }

    /// Whether the origination contradicts what is known; what contradicts nothing is learned.
    fn assert_origin(&mut self, change: &RouteChange, id: AttributeId, out: &mut Vec<ClaimKey>) {
        let table = self.rib.attributes();
        let Some(culprit) = table.claimed_origin(id) else { return };
        let key = ClaimKey { prefix: change.prefix, kind: ClaimKind::Origin, culprit };
        if self.by_key.contains_key(&key) {
            out.push(key);
            return;
        }
        let is_bogon_origin = self.config.bogons && self.facts.bogons().asn(culprit).is_some();
        if is_bogon_origin || self.is_bogon(&change.prefix) {
            return;
        }
        let path = table.get(id).map(|attributes| attributes.as_path);
        let members = path.and_then(|path| path.origin_set());
        let entitled = |known: &[KnownOrigin]| {
            known.iter().any(|known| {
                known.asn == culprit
                    || members.is_some_and(|set| set.asns().any(|asn| asn == known.asn))
            })
        };
        let exact = self.habit.exact(&change.prefix);
        if entitled(exact) {
            return;
        }
        let contradicted = if exact.is_empty() {
            self.habit.covering(change.prefix).next().is_some_and(|near| !entitled(near.origins))
        } else {
            true
        };
        if contradicted {
            out.push(key);
        } else if members.is_none() {
            let known = KnownOrigin { asn: culprit, since: change.time, from: KnownFrom::Stream };
            self.habit.learn(change.prefix, known);
        }
    }

    fn claim_index(&mut self, key: ClaimKey, time: Timestamp) -> usize {
        let (claims, seq) = (&mut self.claims, self.seq);
        let by_prefix = &mut self.by_prefix;
        *self.by_key.entry(key).or_insert_with(|| {
            claims.push(Claim::new(key, time, seq));
            by_prefix.get_or_default(key.prefix).push(claims.len() - 1);
            claims.len() - 1
        })
    }

    /// A peer shows the claim with these attributes.
    fn enter(&mut self, index: usize, change: &RouteChange, id: AttributeId) {
        let Some(attributes) = self.rib.attributes().get(id) else { return };
        let path = attributes.as_path;
        let Some(asn) = self.peers.get(change.peer).map(|peer| peer.asn) else { return };
        let Some(claim) = self.claims.get_mut(index) else { return };
        if claim.rov.is_none()
            && let Some(vrps) = &self.facts.vrps
        {
            claim.rov = Some(vrps.table.state(&change.prefix, Origin::of(path)));
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
        let Some(key) = self.claims.get(index).map(|claim| claim.key) else { return };
        let target = crate::target::aim(self, key, change);
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
    fn drop_routes_not_sent_again(&mut self, time: Timestamp, peer: PeerId) {
        let Some(session) = self.rib.session(peer).copied() else { return };
        if !session.is_unknown(Timestamp::default()) {
            // It never went down: there is nothing from before.
            return;
        }
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

/// Most bogon ASNs named in one claim.
const BOGON_ASNS_MAX: usize = 16;
