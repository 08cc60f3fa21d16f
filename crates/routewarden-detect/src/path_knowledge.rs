//! What is known of links between ASes when updates begin, and what a path shows against it.
//!
//! Made once of the table at the start and the facts, for all shards together, so that every shard
//! judges alike. The ranks of knowledge: OTC in the route itself, then ASPA, then what the operator
//! says, then a relationship file, then what the table lets infer.

use std::borrow::Cow;
use std::collections::BTreeMap;

use hashbrown::HashSet;
use routewarden_core::facts::{
    AspaOffence, AspaState, AspaTable, Facts, Hop, Relation, RelationTable,
};
use routewarden_core::{AddressFamily, AsPath, AsPathBuf, Asn, SegmentKind};
use serde::{Deserialize, Serialize};

use crate::Config;
use crate::findings::{LeakFinding, LeakProof, LinkFinding, PathFinding};
use crate::incident::{ForgedLink, LeakTriple};
use crate::knowledge::link;
use crate::path::{
    Basis, HOPS_MAX, KnownRelation, Leak, LeakType, OtcFinding, find_leak, known_relation,
    otc_finding,
};
use crate::relations::{LinkModel, PathSet};

type Hasher = foldhash::fast::FixedState;

/// Fewest distinct paths of a table that relations are inferred from: from less, chance speaks.
const INFER_PATHS_MIN: usize = 10_000;
/// Least confidence of a relation that a leak may rest on, in percent.
const RELATION_PERCENT_MIN: u8 = 70;

/// Whom a leaker has a route from, the leaker, and whom it gave it to.
pub(crate) type Parties = (Option<Asn>, Asn, Option<Asn>);

/// Knowledge of links and relations.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct PathKnowledge {
    /// Given and inferred; what is given goes before.
    relations: RelationTable,
    /// Links that paths of the table show.
    links: HashSet<u64, Hasher>,
    /// The ASes of these links.
    ases: HashSet<Asn, Hasher>,
    /// The parties of what would be leaks, but stood in the table: wrong relations, or nobody minds.
    habitual: HashSet<Parties, Hasher>,
    model: Option<LinkModel>,
    clique: Vec<Asn>,
    /// Whether the table is complete: before, no path is looked into.
    pub(crate) is_ready: bool,
    /// Whether a table was given: without one no link is known to be new.
    pub(crate) has_links: bool,
    /// Vantage point ASes that send the whole table, IPv4 and IPv6; none without a table.
    full_feeds: [usize; 2],
}

impl PathKnowledge {
    /// Knowledge from the facts and the paths of the table, none when there was no table.
    pub(crate) fn new(
        facts: &Facts,
        paths: &PathSet,
        mut links: HashSet<u64, Hasher>,
        full_feeds: [usize; 2],
    ) -> Self {
        if !facts.route_servers.is_empty() {
            // Who stand on both sides of a route server are neighbours.
            for path in paths.iter() {
                links.extend(path.iter().zip(path.iter().skip(1)).map(|(&a, &b)| link(a, b)));
            }
        }
        let has_links = !links.is_empty();
        let is_large = paths.len() >= INFER_PATHS_MIN;
        let given = facts.relations.as_ref().map(|facts| &facts.table);
        let ases = links.iter().flat_map(|&link| crate::knowledge::ends(link)).collect();
        let mut new = PathKnowledge {
            ases,
            links,
            is_ready: true,
            has_links,
            full_feeds,
            ..PathKnowledge::default()
        };
        if is_large {
            let inferred = crate::relations::infer(paths, given);
            new.model = Some(LinkModel::new(paths, &inferred));
            new.relations = inferred.table;
            new.clique = inferred.clique;
        } else if let Some(given) = given {
            new.relations = given.clone();
            new.clique = transit_free(given);
        }
        new
    }

    /// Takes the parties of leaks that the table shows for a habit.
    pub(crate) fn learn_habits(&mut self, leaks: HashSet<Parties, Hasher>) {
        self.habitual = leaks;
    }

    /// The parties of leaks that are taken for a habit.
    pub(crate) fn habits(&self) -> impl Iterator<Item = Parties> {
        self.habitual.iter().copied()
    }

    fn is_habit(&self, leak: LeakTriple) -> bool {
        self.habitual.contains(&parties(leak))
    }

    /// Vantage point ASes that send the whole table of the family.
    pub(crate) fn full_feeds(&self, family: AddressFamily) -> usize {
        let [v4, v6] = self.full_feeds;
        if family == AddressFamily::Ipv4 { v4 } else { v6 }
    }

    /// What `b` is to `a`: by ASPA, then by the operator, then by what is given or inferred.
    pub(crate) fn relation(&self, facts: &Facts, a: Asn, b: Asn) -> Option<KnownRelation> {
        let aspas = facts.aspas.as_ref().map(|facts| &facts.table);
        let known = known_relation(aspas, Some(&self.relations), a, b);
        if known.is_none_or(|known| known.basis > Basis::Operator)
            && let Some(relation) = stated(facts, a, b)
        {
            return Some(KnownRelation { relation, basis: Basis::Operator, confidence: 100 });
        }
        known.filter(|known| known.confidence >= RELATION_PERCENT_MIN)
    }

    fn find_leak(&self, facts: &Facts, path: &[Asn], receiver: Option<Asn>) -> Option<Leak> {
        find_leak(path, |a, b| self.relation(facts, a, b), receiver)
    }

    /// Whether the two are known to be neighbours, from the table or a fact.
    pub(crate) fn is_link(&self, facts: &Facts, a: Asn, b: Asn) -> bool {
        self.links.contains(&link(a, b))
            || self.relations.link(a, b).is_some()
            || stated(facts, a, b).is_some()
            || facts.aspas.as_ref().is_some_and(|aspas| {
                aspas.table.hop(a, b) == Hop::Provider || aspas.table.hop(b, a) == Hop::Provider
            })
    }

    /// Whether the AS stands in any path of the table.
    pub(crate) fn is_known(&self, asn: Asn) -> bool {
        self.ases.contains(&asn)
    }

    pub(crate) fn is_of_clique(&self, asn: Asn) -> bool {
        self.clique.binary_search(&asn).is_ok()
    }
}

/// A path that is looked into, the collector's peer first, prepends collapsed.
pub(crate) struct Look<'a> {
    pub(crate) knowledge: &'a PathKnowledge,
    pub(crate) facts: &'a Facts,
    pub(crate) otc: Option<Asn>,
    /// AS of the router that recorded the route, where it is one of the Internet's own.
    pub(crate) receiver: Option<Asn>,
    /// Whether bogon ASNs are told of by themselves; off in documentation space.
    pub(crate) bogons: bool,
}

impl<'a> Look<'a> {
    pub(crate) fn new(
        knowledge: &'a PathKnowledge,
        facts: &'a Facts,
        config: Config,
        otc: Option<Asn>,
    ) -> Self {
        Look { knowledge, facts, otc, receiver: config.receiver, bogons: config.bogons }
    }

    /// What the path shows; the strongest proof of a leak first, a leak before a link.
    pub(crate) fn finding(&self, path: AsPath<'_>) -> Option<PathFinding> {
        let hops = self.hops(path)?;
        let offence = self.offence(&hops);
        if let Some(mut leak) = self.leak_of(&hops, offence) {
            leak.repeats_of_from = leak.triple.from.map_or(0, |from| repeats(path, from));
            return Some(PathFinding::Leak(leak));
        }
        let mut link = self.unknown_link(&hops, offence)?;
        link.repeats = repeats(path, link.link.b);
        Some(PathFinding::Link(link))
    }

    /// The leak that the path shows, if any.
    pub(crate) fn leak_in(&self, path: AsPath<'_>) -> Option<LeakFinding> {
        let hops = self.hops(path)?;
        self.leak_of(&hops, self.offence(&hops))
    }

    fn leak_of(&self, hops: &[Asn], offence: Option<AspaOffence>) -> Option<LeakFinding> {
        let leak = self.leak_by_otc(hops).or_else(|| self.leak_by_aspa(hops, offence?));
        leak.or_else(|| self.leak(hops))
    }

    /// The ASes of a path without sets, route servers taken out: those pass routes on for others.
    fn hops(&self, path: AsPath<'_>) -> Option<Vec<Asn>> {
        let is_plain = |kind| matches!(kind, SegmentKind::Sequence | SegmentKind::ConfedSequence);
        if !path.segments().all(|segment| is_plain(segment.kind)) {
            return None;
        }
        let servers = &self.facts.route_servers;
        let hops: Vec<Asn> = path
            .collapsed()
            .filter(|asn| servers.binary_search(asn).is_err())
            .take(HOPS_MAX + 1)
            .collect();
        let len = hops.len() + usize::from(self.receiver.is_some());
        // A path that comes back to an AS is forged or broken: nobody passed it on like that.
        let is_plain = len >= 2 && hops.len() <= HOPS_MAX && !has_loop(&hops);
        is_plain.then_some(hops)
    }

    fn relation(&self, a: Asn, b: Asn) -> Option<KnownRelation> {
        self.knowledge.relation(self.facts, a, b)
    }

    /// RFC 9234 §5: who stands behind OTC has the route from a provider, a peer or a route server
    /// and may give it to customers only.
    fn leak_by_otc(&self, hops: &[Asn]) -> Option<LeakFinding> {
        let otc = self.otc?;
        let found = otc_finding(hops, otc, |a, b| self.relation(a, b), self.receiver);
        let OtcFinding::Leak(found) = found else { return None };
        let triple = LeakTriple {
            rfc7908_type: found.kind.map(LeakType::number),
            from: Some(found.from),
            by: found.by,
            to: Some(found.to),
        };
        let proof = LeakProof::Otc(otc);
        let leak = LeakFinding { triple, proof, at: found.at, repeats_of_from: 0 };
        (!self.knowledge.is_habit(triple)).then_some(leak)
    }

    fn leak(&self, hops: &[Asn]) -> Option<LeakFinding> {
        let leak = self.knowledge.find_leak(self.facts, hops, self.receiver)?;
        let triple = LeakTriple {
            rfc7908_type: Some(leak.kind.number()),
            from: Some(leak.from),
            by: leak.by,
            to: Some(leak.to),
        };
        let proof = LeakProof::Relations(leak.basis, leak.confidence);
        let leak = LeakFinding { triple, proof, at: leak.at, repeats_of_from: 0 };
        (!self.knowledge.is_habit(triple)).then_some(leak)
    }

    /// A path that attestations contradict, although all its links are real ones.
    fn leak_by_aspa(&self, hops: &[Asn], offence: AspaOffence) -> Option<LeakFinding> {
        let at = hops.iter().position(|&asn| asn == offence.not_provider)?;
        let is_link = self.knowledge.is_link(self.facts, offence.customer, offence.not_provider);
        if !is_link {
            return None;
        }
        // Where relations show the valley, they tell better who leaked.
        let at = self.knowledge.find_leak(self.facts, hops, self.receiver).map_or(at, |l| l.at);
        let triple = self.triple(hops, at);
        let proof = LeakProof::Aspa(offence);
        let leak = LeakFinding { triple, proof, at, repeats_of_from: 0 };
        (!self.knowledge.is_habit(triple)).then_some(leak)
    }

    /// The parties when the AS at this position leaks.
    fn triple(&self, hops: &[Asn], at: usize) -> LeakTriple {
        let by = hops.get(at).copied().unwrap_or_default();
        let from = hops.get(at + 1).copied();
        let to = match at.checked_sub(1) {
            Some(before) => hops.get(before).copied(),
            None => self.receiver,
        };
        let relation = |other: Option<Asn>| Some(self.relation(by, other?)?.relation);
        let kinds = relation(from).zip(relation(to));
        let kind = kinds.and_then(|(from, to)| LeakType::of(from, to));
        let rfc7908_type = kind.map(LeakType::number);
        LeakTriple { rfc7908_type, from, by, to }
    }

    /// The hop that attestations contradict. The receiver at a public collector is not known, so
    /// the path as a whole is verified as from a provider; where a hop inside it is known to have
    /// the route from a customer or peer, what it received is verified as such.
    fn offence(&self, hops: &[Asn]) -> Option<AspaOffence> {
        let aspas: &AspaTable = &self.facts.aspas.as_ref()?.table;
        if !hops.iter().any(|&asn| aspas.providers(asn).is_some()) {
            return None;
        }
        let whole = AsPathBuf::sequence(hops.iter().copied());
        let verdict = aspas.downstream(whole.as_path());
        if verdict.state == AspaState::Invalid {
            return verdict.up;
        }
        let receivers = self.receiver.into_iter().chain(hops.iter().copied());
        let skip = usize::from(self.receiver.is_none());
        for (at, receiver) in receivers.enumerate() {
            let received = hops.get(at + skip..).unwrap_or_default();
            let Some(&sender) = received.first() else { break };
            let from = self.relation(receiver, sender).map(|known| known.relation);
            if !matches!(from, Some(Relation::Customer | Relation::Peer)) {
                continue;
            }
            let part = AsPathBuf::sequence(received.iter().copied());
            let verdict = aspas.upstream(part.as_path());
            if verdict.state == AspaState::Invalid {
                return verdict.up;
            }
        }
        None
    }

    /// The link nearest to the origin that nobody knows; `denied` is the hop that attestations
    /// contradict.
    fn unknown_link(&self, hops: &[Asn], denied: Option<AspaOffence>) -> Option<LinkFinding> {
        let is_known = |a, b| self.knowledge.is_link(self.facts, a, b);
        if !self.knowledge.has_links && denied.is_none() {
            return None;
        }
        let is_bogon = |asn| self.bogons && self.facts.bogons().asn(asn).is_some();
        let (at, (a, b)) = hops
            .iter()
            .copied()
            .zip(hops.iter().copied().skip(1))
            .enumerate()
            .filter(|&(_, (a, b))| !is_known(a, b))
            .rfind(|&(_, (a, b))| !is_bogon(a) && !is_bogon(b))?;
        let denied = denied.filter(|offence| (offence.customer, offence.not_provider) == (b, a));
        if !self.knowledge.has_links && denied.is_none() {
            return None;
        }
        // Where both ends are new, a whole island is: nobody's path was forged.
        let suspicion = self.knowledge.model.as_ref().map(|model| {
            let score = model.score(hops, at);
            score.map_or((0, Vec::new()), |score| {
                let reasons =
                    score.reasons.iter().map(|r| (Cow::Borrowed(r.name), i64::from(r.value)));
                (score.suspicion, reasons.collect())
            })
        });
        let constituency = self.facts.constituency.as_ref();
        let is_expected = constituency.and_then(|facts| facts.table.is_expected_upstream(b, a));
        Some(LinkFinding {
            link: ForgedLink { a, b },
            depth: hops.len() - at - 2,
            repeats: 1,
            suspicion,
            aspa: denied.map(|_| AspaState::Invalid),
            denied_by_aspa: denied,
            denied_by_operator: is_expected == Some(false),
            is_more_specific: false,
        })
    }
}

/// ASes that have many customers and no provider; ascending.
fn transit_free(relations: &RelationTable) -> Vec<Asn> {
    let mut customers: BTreeMap<Asn, (usize, bool)> = BTreeMap::new();
    for link in relations.iter().filter(|link| link.relation != Relation::Peer) {
        let (provider, customer) = match link.relation {
            Relation::Provider => (link.b, link.a),
            _ => (link.a, link.b),
        };
        customers.entry(provider).or_default().0 += 1;
        customers.entry(customer).or_default().1 = true;
    }
    let is_free = |&(_, (count, pays)): &(Asn, (usize, bool))| count >= CUSTOMERS_MIN && !pays;
    customers.into_iter().filter(is_free).map(|(asn, _)| asn).collect()
}

/// An AS with fewer customers is not at the top, provider or not.
const CUSTOMERS_MIN: usize = 100;

/// The parties of a leak: the type follows from what is known of them.
pub(crate) fn parties(leak: LeakTriple) -> Parties {
    (leak.from, leak.by, leak.to)
}

fn has_loop(hops: &[Asn]) -> bool {
    let before = |at: usize| hops.get(..at).unwrap_or_default();
    hops.iter().enumerate().any(|(at, hop)| before(at).contains(hop))
}

/// How often the AS stands in a row where it stands first in the path.
fn repeats(path: AsPath<'_>, asn: Asn) -> usize {
    path.asns().skip_while(|hop| *hop != asn).take_while(|hop| *hop == asn).count()
}

/// What `b` is to `a` by what a constituent says of its neighbours.
fn stated(facts: &Facts, a: Asn, b: Asn) -> Option<Relation> {
    let constituency = &facts.constituency.as_ref()?.table;
    let of_a = constituency.stated_relation(a, b);
    let of_b = constituency.stated_relation(b, a).map(Relation::reversed);
    match (of_a, of_b) {
        (Some(of_a), Some(of_b)) if of_a != of_b => None,
        (of_a, of_b) => of_a.or(of_b),
    }
}
