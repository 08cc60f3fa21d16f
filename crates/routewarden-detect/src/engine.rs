//! Events in, claims out: the Adj-RIB-In, what was learned, and the life of every claim.

use std::ops::Range;

use hashbrown::{HashMap, HashSet};
use routewarden_core::facts::{Facts, RovState};
use routewarden_core::rib::{AdjRibIn, AttributeId, RouteChange};
use routewarden_core::{
    AsPath, Asn, EventBatch, Origin, PeerId, PeerTable, Prefix, RouteAttributes, RouteEvent,
    RouteEventKind, Timestamp,
};

use crate::claim::{Claim, ClaimKey, ClaimKind, Reaction};
use crate::knowledge::{KnownFrom, KnownOrigin, OriginHabit, Topology};
use crate::{Config, Counters};

type Hasher = foldhash::fast::FixedState;

/// Attributes whose path holds a bogon ASN.
const FLAG_BOGON_ASN: u8 = 1;

/// Turns route events into claims. Deterministic: the same events and facts give the same
/// claims, whatever the numbers of the peers.
pub struct Detector {
    pub(crate) config: Config,
    pub(crate) facts: Facts,
    pub(crate) rib: AdjRibIn,
    pub(crate) habit: OriginHabit,
    pub(crate) topology: Topology,
    pub(crate) claims: Vec<Claim>,
    pub(crate) counters: Counters,
    pub(crate) peers: PeerTable,
    pub(crate) now: Timestamp,
    by_key: HashMap<ClaimKey, usize, Hasher>,
    by_prefix: HashMap<Prefix, Vec<usize>, Hasher>,
    /// Active origin claims by victim: whose announcements may be a reaction.
    by_victim: HashMap<Asn, Vec<usize>, Hasher>,
    /// Whether updates have begun: a table entry after that is news, not the starting state.
    updates_begun: bool,
    /// Whether a table was given: without one, absence from the RIB means nothing.
    has_table: bool,
}

impl Detector {
    /// A detector that knows `facts` and has seen nothing.
    pub fn new(config: Config, facts: Facts) -> Self {
        let mut habit = OriginHabit::default();
        if let Some(origins) = &facts.origins {
            let since = origins.source.date.unwrap_or_default();
            for (prefix, asns) in origins.table.iter() {
                for &asn in asns {
                    habit.learn(prefix, KnownOrigin { asn, since, from: KnownFrom::OriginTable });
                }
            }
        }
        Detector {
            config,
            facts,
            rib: AdjRibIn::default(),
            habit,
            topology: Topology::default(),
            claims: Vec::new(),
            counters: Counters::default(),
            peers: PeerTable::default(),
            now: Timestamp::default(),
            by_key: HashMap::default(),
            by_prefix: HashMap::default(),
            by_victim: HashMap::default(),
            updates_begun: false,
            has_table: false,
        }
    }

    /// Takes a run of events. `peer_ids` maps the batch's peer index to the number in `peers`.
    pub fn apply(
        &mut self,
        batch: &EventBatch,
        run: Range<usize>,
        peer_ids: &[PeerId],
        peers: &PeerTable,
    ) {
        for (_, peer) in peers.iter().skip(self.peers.len()) {
            self.peers.intern(peer);
        }
        for event in batch.events.get(run).unwrap_or_default() {
            let Some(&peer) = usize::try_from(event.peer).ok().and_then(|at| peer_ids.get(at))
            else {
                self.counters.events_of_unknown_peer += 1;
                continue;
            };
            self.now = self.now.max(event.time);
            self.apply_event(batch, event, peer);
        }
    }

    fn apply_event(&mut self, batch: &EventBatch, event: &RouteEvent, peer: PeerId) {
        let time = event.time;
        match event.kind {
            RouteEventKind::Announcement { prefix, attributes } => {
                self.counters.announcements += 1;
                self.updates_begun |= !self.is_before_start(time);
                let octets = batch.attributes(attributes);
                let change = self.announce((time, peer), prefix, octets);
                if let Some(change) = change {
                    self.on_change_or_baseline(&change);
                }
                if let Some(peer) = self.rib.take_ended_transfer() {
                    self.drop_routes_not_sent_again(time, peer);
                }
            }
            RouteEventKind::Withdrawal { prefix } => {
                self.counters.withdrawals += 1;
                self.updates_begun |= !self.is_before_start(time);
                if let Some(change) = self.rib.withdraw((time, peer), prefix) {
                    self.on_change_or_baseline(&change);
                }
            }
            RouteEventKind::TableEntry { prefix, attributes, originated } => {
                self.counters.table_entries += 1;
                let octets = batch.attributes(attributes);
                let received = if originated > Timestamp::default() { originated } else { time };
                let change = self.announce((received.min(time), peer), prefix, octets);
                if let Some(mut change) = change {
                    if self.updates_begun {
                        change.in_transfer = true;
                        self.on_change(&change);
                    } else {
                        self.has_table = true;
                        self.on_table_entry(&change);
                    }
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
        if self.by_prefix.contains_key(&change.prefix) {
            // Standing claims (bogons, ROV) follow the table.
            self.leave_all(change);
        }
        self.on_table_entry(change);
    }

    fn leave_all(&mut self, change: &RouteChange) {
        for &index in self.by_prefix.get(&change.prefix).into_iter().flatten() {
            if let Some(claim) = self.claims.get_mut(index) {
                claim.leave(change.time, change.peer);
            }
        }
    }

    fn announce(
        &mut self,
        at: (Timestamp, PeerId),
        prefix: Prefix,
        octets: &[u8],
    ) -> Option<RouteChange> {
        let Detector { rib, topology, facts, config, .. } = self;
        let mut classify = |attributes: &RouteAttributes<'_>| {
            topology.learn(attributes.as_path);
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
            if self.claims.len() >= CLAIMS_MAX {
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
        let claimed = self.by_prefix.contains_key(&change.prefix);
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
        let on_prefix = self.by_prefix.get(&change.prefix).cloned().unwrap_or_default();
        for index in on_prefix {
            if let Some(claim) = self.claims.get_mut(index)
                && !asserted.contains(&claim.key)
            {
                claim.leave(change.time, change.peer);
            }
        }
        let Some(after) = change.after else { return };
        for key in asserted {
            let known = self.by_key.contains_key(&key);
            if !known && self.claims.len() >= CLAIMS_MAX {
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
        let claims = &mut self.claims;
        let by_prefix = &mut self.by_prefix;
        *self.by_key.entry(key).or_insert_with(|| {
            claims.push(Claim::new(key, time));
            by_prefix.entry(key.prefix).or_default().push(claims.len() - 1);
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
        claim.enter(change.time, (change.peer, asn), path);
    }

    /// Fills in against whom a new origin claim stands.
    fn aim(&mut self, index: usize, change: &RouteChange) {
        let Some(key) = self.claims.get(index).map(|claim| claim.key) else { return };
        let target = crate::target::aim(self, key, change);
        for &victim in target.iter().flat_map(|target| &target.victims) {
            self.by_victim.entry(victim).or_default().push(index);
        }
        if let Some(claim) = self.claims.get_mut(index) {
            claim.target = target;
        }
    }

    /// A victim announces the claimed prefix, or a more-specific, that it did not have before:
    /// a countermeasure.
    fn note_reaction(&mut self, change: &RouteChange, origin: Asn) {
        let Some(indices) = self.by_victim.get(&origin) else { return };
        let mut active = Vec::new();
        for &index in indices {
            let Some(claim) = self.claims.get_mut(index) else { continue };
            if !claim.is_active() || !claim.key.prefix.covers(&change.prefix) {
                if claim.is_active() {
                    active.push(index);
                }
                continue;
            }
            active.push(index);
            let was_present = claim.target.as_ref().is_some_and(|t| t.victim_was_present);
            let is_new = if claim.key.prefix == change.prefix {
                !was_present
            } else {
                // The first peer to show it: nobody else has it from this origin yet.
                self.rib.routes(&change.prefix).all(|route| {
                    route.peer == change.peer
                        || self.rib.attributes().claimed_origin(route.attributes) != Some(origin)
                })
            };
            if is_new && change.time > claim.first_seen {
                let reaction = Reaction { time: change.time, prefix: change.prefix, origin };
                claim.push_reaction(reaction);
            }
        }
        if active.len() < indices.len() {
            // Ended claims are looked at no more; one that recurs keeps its first reactions.
            self.by_victim.insert(origin, active);
        }
    }

    /// After the transfer, a route from before the reset that was not sent again is gone.
    fn drop_routes_not_sent_again(&mut self, time: Timestamp, peer: PeerId) {
        let Some(session) = self.rib.session(peer).copied() else { return };
        for claim in self.claims.iter_mut().filter(|claim| claim.is_held_by(peer)) {
            let sent_again = self
                .rib
                .routes(&claim.key.prefix)
                .any(|route| route.peer == peer && !session.is_unknown(route.time));
            if !sent_again {
                claim.leave(time, peer);
            }
        }
    }

    /// Whether a table was given at the start.
    pub(crate) fn has_table(&self) -> bool {
        self.has_table
    }

    /// Distinct ASes of the peers that sent routes of the prefix's family.
    pub(crate) fn vantage_points(&self, family: routewarden_core::AddressFamily) -> usize {
        let asns: HashSet<Asn, Hasher> = self
            .rib
            .sessions()
            .filter(|(_, session)| session.has_announced(family))
            .filter_map(|(id, _)| Some(self.peers.get(id)?.asn))
            .collect();
        asns.len()
    }
}

/// Most claims followed at once; further ones are counted, not followed. The largest leaks known
/// touched less than a million prefixes.
pub const CLAIMS_MAX: usize = 4_000_000;

/// Most bogon ASNs named in one claim.
const BOGON_ASNS_MAX: usize = 16;
