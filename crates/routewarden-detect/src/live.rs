//! What a detector that never stops needs beside events: time that passes, a state to start from
//! without a table dump, new knowledge of paths, and forgetting.

use std::sync::Arc;

use hashbrown::HashSet;
use routewarden_core::facts::FactSource;
use routewarden_core::{AddressFamily, Asn, Peer, Timestamp};

use crate::claim::{Claim, ClaimKind};
use crate::detector::{Detector, Tallies};
use crate::findings::PathFinding;
use crate::knowledge::link;
use crate::path_knowledge::{Parties, PathKnowledge, parties};
use crate::relations::PathSet;

type Hasher = foldhash::fast::FixedState;

/// An ended claim below the quorum is forgotten after this long: it was never told of.
const NOISE_KEPT_SECS: i64 = 2 * 3_600;
/// An ended claim is forgotten after this long, even while its culprit does other things.
const CLAIM_KEPT_SECS_MAX: i64 = 7 * 86_400;
/// A claim that only lost sessions show is over after they were gone for this long.
const OUT_OF_SIGHT_SECS: i64 = 86_400;

/// What was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retired {
    /// Claims ended because nobody who showed them is heard any more.
    pub out_of_sight: usize,
    /// Claims.
    pub claims: usize,
    /// Losses of prefixes.
    pub losses: usize,
    /// Losses of sessions.
    pub session_losses: usize,
    /// Findings on changes of facts.
    pub changes: usize,
}

/// A session as the events show it.
#[derive(Clone, Debug)]
pub struct SessionView<'a> {
    /// The peer.
    pub peer: &'a Peer,
    /// Whether it is known to be down.
    pub is_down: bool,
    /// Whether it is sending its table.
    pub is_in_transfer: bool,
    /// Time of its last announcement or state change.
    pub last_heard: Option<Timestamp>,
    /// Routes held, IPv4 and IPv6.
    pub routes: [usize; 2],
}

impl Detector {
    /// Time passes without an event: what is told of the present follows. Never goes back.
    pub fn advance(&mut self, now: Timestamp) {
        for shard in self.shards_mut() {
            shard.now = shard.now.max(now);
            shard.rib.advance(now);
        }
    }

    /// From now on until [`Detector::begin_updates`], what comes is the state to start from, not
    /// news: for sessions that send their table, where no table dump was given.
    pub fn begin_baseline(&mut self) {
        self.set_from(Some(Timestamp::from_secs(u32::MAX)));
    }

    pub(crate) fn set_from(&mut self, from: Option<Timestamp>) {
        for shard in self.shards_mut() {
            shard.config.from = from;
            shard.has_table |= from.is_none() && shard.rib.route_count() > 0;
        }
    }

    /// The state to start from is complete ([`Detector::begin_baseline`]): as
    /// [`Detector::begin_updates`] after a table dump.
    pub fn end_baseline(&mut self) {
        self.set_from(None);
        self.begin_updates();
    }

    /// Works out anew what the table and the facts tell of links and relations, as
    /// [`Detector::begin_updates`] did. What stands now for a claimed leak or forged link is no
    /// habit by that.
    pub fn relearn(&mut self) {
        let (mut forged, mut leaking) = (HashSet::<u64, Hasher>::default(), HashSet::default());
        for claim in self.claims() {
            match claim.finding.as_deref() {
                Some(PathFinding::Link(found)) => {
                    forged.insert(link(found.link.a, found.link.b));
                }
                Some(PathFinding::Leak(found)) => {
                    leaking.insert(parties(found.triple));
                }
                None => {}
            }
        }
        self.learn_paths(&forged, &leaking);
        for shard in self.shards_mut() {
            shard.reclassify();
        }
    }

    /// Makes what is known of paths; links of `forged` and parties of `leaking` are left out.
    pub(crate) fn learn_paths(
        &mut self,
        forged: &HashSet<u64, Hasher>,
        leaking: &HashSet<Parties, Hasher>,
    ) {
        let mut paths = PathSet::new(self.facts().route_servers.clone());
        if !self.config().bogons {
            paths = paths.with_reserved_asns();
        }
        for attributes in self.shards().flat_map(|shard| shard.rib.attributes().iter()) {
            paths.insert(attributes.as_path);
        }
        let feeds = [AddressFamily::Ipv4, AddressFamily::Ipv6].map(|f| self.full_feeds(f));
        let links = self.shards().flat_map(|shard| shard.topology.links());
        let links = links.filter(|link| !forged.contains(link)).collect();
        let mut knowledge = PathKnowledge::new(self.facts(), &paths, links, feeds);
        let mut habits: HashSet<Parties, Hasher> =
            self.shards().flat_map(|shard| shard.standing_leaks(&knowledge)).collect();
        habits.extend(self.knowledge().habits());
        habits.retain(|parties| !leaking.contains(parties));
        knowledge.learn_habits(habits);
        let knowledge = Arc::new(knowledge);
        for shard in self.shards_mut() {
            shard.knowledge = Arc::clone(&knowledge);
        }
    }

    /// Forgets what ended before `before` and is told: claims with all others of their culprit,
    /// losses, findings on facts. Noise goes sooner.
    pub fn retire(&mut self, before: Timestamp) -> Retired {
        self.tallies = Tallies::default();
        let now = self.now();
        let mut retired = Retired::default();
        for shard in self.shards_mut() {
            retired.out_of_sight += shard.end_out_of_sight(now.plus_secs(-OUT_OF_SIGHT_SECS));
        }
        let quorums = [AddressFamily::Ipv4, AddressFamily::Ipv6].map(|f| self.quorum_of(f));
        let is_told = move |claim: &Claim| {
            let [v4, v6] = quorums;
            let quorum = if claim.key.prefix.is_ipv4() { v4 } else { v6 };
            claim.witnesses.len() >= quorum
        };
        let busy: HashSet<Asn, Hasher> =
            self.shards().flat_map(|shard| shard.busy_culprits(before, &is_told)).collect();
        let oldest = now.plus_secs(-CLAIM_KEPT_SECS_MAX);
        let noise = now.plus_secs(-NOISE_KEPT_SECS);
        let keep = |claim: &Claim| {
            let Some(ended_at) = claim.ended_at else { return true };
            // A prefix that was lost for a while is news of its origin: see `news_by_origin`.
            let is_news = claim.key.kind == ClaimKind::MoreSpecific;
            if !is_told(claim) || is_news {
                return ended_at >= noise;
            }
            ended_at >= oldest && (ended_at >= before || busy.contains(&claim.key.culprit))
        };
        for shard in self.shards_mut() {
            retired.claims += shard.retain_claims(&keep);
            retired.losses += shard.outages.retire(before);
            retired.session_losses += shard.session_log.retire(before);
            retired.changes += shard.changes.retire(before);
        }
        retired
    }

    /// Sources of the facts in use.
    pub fn fact_sources(&self) -> impl Iterator<Item = &FactSource> {
        self.facts().sources()
    }

    /// Code of the country of an AS, two upper-case letters, where its organisation has one; see
    /// [`routewarden_core::facts::Facts::country`].
    pub fn country(&self, asn: Asn) -> Option<String> {
        let is_code =
            |text: &&str| text.len() == 2 && text.bytes().all(|it| it.is_ascii_alphabetic());
        self.facts().country(asn).filter(is_code).map(str::to_ascii_uppercase)
    }

    /// Number of claims followed.
    pub fn claim_count(&self) -> usize {
        self.shards().map(|shard| shard.claims.len()).sum()
    }

    /// All sessions, in order of arrival.
    pub fn sessions(&self) -> impl Iterator<Item = SessionView<'_>> {
        let all = self.peers().iter();
        all.filter_map(|(id, peer)| {
            let mut sessions = self.shards().filter_map(move |shard| shard.rib.session(id));
            let first = sessions.next()?;
            let routes = [AddressFamily::Ipv4, AddressFamily::Ipv6].map(|family| {
                let all = self.shards().filter_map(|shard| shard.rib.session(id));
                all.map(|session| session.route_count(family)).sum()
            });
            Some(SessionView {
                peer,
                is_down: first.is_down(),
                is_in_transfer: first.is_in_transfer(),
                last_heard: first.last_heard(),
                routes,
            })
        })
    }

    /// The peers that it was told of, in the order of their numbers.
    pub fn peer_names(&self) -> impl Iterator<Item = &Peer> {
        self.peers().iter().map(|(_, peer)| peer)
    }

    /// Routes in the tables of all peers.
    pub fn routes(&self) -> usize {
        self.route_count()
    }

    /// Octets of distinct attributes held.
    pub fn attribute_octets(&self) -> usize {
        self.shards().map(|shard| shard.rib.attributes().octets()).sum()
    }
}
