//! Which claims a route makes: what it says against facts, habit and known links.

use routewarden_core::facts::RovState;
use routewarden_core::rib::{AttributeId, RouteChange};
use routewarden_core::{AsPath, Asn, Origin, Prefix, RouteAttributes, SegmentKind, Timestamp};

use super::DetectorShard;
use crate::Config;
use crate::claim::{ClaimKey, ClaimKind};
use crate::findings::{LinkFinding, PathFinding};
use crate::knowledge::{KnownFrom, KnownOrigin};
use crate::path::{PathFaultKind, path_faults};
use crate::path_knowledge::{Look, Parties, PathKnowledge, parties};
use crate::relations::SUSPICIOUS_MIN;

/// Attributes whose path holds a bogon ASN.
pub(super) const FLAG_BOGON_ASN: u8 = 1;
/// Attributes whose path shows something by itself.
pub(super) const FLAG_PATH: u8 = 2;
/// Attributes against good practice: a set, an endless path.
pub(super) const FLAG_HYGIENE: u8 = 4;

/// What became known less than this long ago is still news.
const NEWS_SECS: i64 = 300;

/// What one route claims.
#[derive(Default)]
pub(super) struct Asserted {
    pub(super) keys: Vec<ClaimKey>,
    /// What its path shows, for the claim of the path among the keys.
    pub(super) finding: Option<PathFinding>,
}

impl Asserted {
    fn push(&mut self, prefix: Prefix, kind: ClaimKind, culprit: Asn) {
        self.keys.push(ClaimKey { prefix, kind, culprit });
    }
}

impl DetectorShard {
    /// What attributes not seen before are marked with.
    pub(crate) fn flags(look: &Look<'_>, config: Config, attributes: &RouteAttributes<'_>) -> u8 {
        let path = attributes.as_path;
        let mut flags = 0;
        if config.bogons && path.asns().any(|asn| look.facts.bogons().asn(asn).is_some()) {
            flags |= FLAG_BOGON_ASN;
        }
        let is_watched = || {
            let constituency = look.facts.constituency.as_ref();
            let is_member = |asn| {
                constituency.is_some_and(|facts| facts.table.members_of_asn(asn).next().is_some())
            };
            path.asns().any(is_member)
        };
        if hygiene_of(path).is_some() && (config.hygiene || is_watched()) {
            flags |= FLAG_HYGIENE;
        }
        if look.knowledge.is_ready && look.finding(path).is_some() {
            flags |= FLAG_PATH;
        }
        flags
    }

    /// The parties of all leaks that the attributes in use show, by this knowledge.
    pub(crate) fn standing_leaks(
        &self,
        knowledge: &PathKnowledge,
    ) -> impl Iterator<Item = Parties> {
        self.rib.attributes().iter().filter_map(move |attributes| {
            let look = Look { knowledge, ..self.look(attributes.otc) };
            look.leak_in(attributes.as_path).map(|leak| parties(leak.triple))
        })
    }

    /// Marks all attributes in use by what is known now.
    pub(crate) fn reclassify(&mut self) {
        let DetectorShard { rib, facts, knowledge, config, .. } = self;
        rib.reclassify(&mut |attributes: &RouteAttributes<'_>| {
            let look = Look::new(knowledge, facts, *config, attributes.otc);
            DetectorShard::flags(&look, *config, attributes)
        });
    }

    pub(super) fn look(&self, otc: Option<Asn>) -> Look<'_> {
        Look::new(&self.knowledge, &self.facts, self.config, otc)
    }

    /// Claims that the path makes by itself: leaks, links that nobody knows, bad practice.
    pub(super) fn assert_path(&self, change: &RouteChange, id: AttributeId, out: &mut Asserted) {
        let table = self.rib.attributes();
        let flags = table.flags(id);
        let Some(attributes) = table.get(id) else { return };
        if flags & FLAG_HYGIENE != 0
            && let Some((kind, culprit)) = hygiene_of(attributes.as_path)
        {
            out.push(change.prefix, kind, culprit);
        }
        if flags & FLAG_PATH == 0 {
            return;
        }
        match self.look(attributes.otc).finding(attributes.as_path) {
            Some(PathFinding::Leak(leak)) => {
                out.push(change.prefix, ClaimKind::Leak, leak.triple.by);
                out.finding = Some(PathFinding::Leak(leak));
            }
            Some(PathFinding::Link(link)) => self.assert_link(change, id, link, out),
            None => {}
        }
    }

    fn assert_link(
        &self,
        change: &RouteChange,
        id: AttributeId,
        mut found: LinkFinding,
        out: &mut Asserted,
    ) {
        let Some(origin) = self.rib.attributes().claimed_origin(id) else { return };
        let key =
            ClaimKey { prefix: change.prefix, kind: ClaimKind::ForgedLink, culprit: found.link.a };
        let exact = self.habit.exact(&change.prefix);
        let is_news = exact.iter().all(|known| {
            known.from == KnownFrom::Stream && change.time.secs_since(known.since) <= NEWS_SECS
        });
        let is_inside_own = || {
            let near = self.habit.covering(change.prefix).next();
            near.is_some_and(|near| near.origins.iter().any(|known| known.asn == origin))
        };
        found.is_more_specific = is_news && is_inside_own();
        let is_odd = match found.suspicion {
            Some((suspicion, _)) => suspicion >= SUSPICIOUS_MIN,
            None => self.knowledge.has_links,
        };
        let is_known = self.by_key.contains_key(&key);
        let is_suspect = is_known || found.denied_by_aspa.is_some() || found.is_more_specific;
        let neighbour = self.neighbour_of_constituent(&found);
        // An operator's list may be out of date: by itself it makes no forgery.
        if let Some(neighbour) = neighbour.filter(|_| !is_suspect && found.suspicion.is_none()) {
            out.push(change.prefix, ClaimKind::NewNeighbour, neighbour);
        } else if is_suspect || is_odd {
            out.keys.push(key);
        } else if let Some(neighbour) = neighbour {
            out.push(change.prefix, ClaimKind::NewNeighbour, neighbour);
        }
        out.finding = Some(PathFinding::Link(found));
    }

    /// The other end of a link of a constituent.
    fn neighbour_of_constituent(&self, found: &LinkFinding) -> Option<Asn> {
        let constituency = &self.facts.constituency.as_ref()?.table;
        let is_member = |asn| constituency.members_of_asn(asn).next().is_some();
        if is_member(found.link.b) {
            Some(found.link.a)
        } else {
            is_member(found.link.a).then_some(found.link.b)
        }
    }

    /// Claims that need no habit: bogons and route origin validation.
    pub(super) fn assert_without_habit(&self, prefix: Prefix, id: AttributeId, out: &mut Asserted) {
        let table = self.rib.attributes();
        let Some(attributes) = table.get(id) else { return };
        let path = attributes.as_path;
        let mut push = |kind, culprit| out.push(prefix, kind, culprit);
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
            && (self.facts.bogons().prefix(prefix).is_some_and(|b| b.since.is_none_or(reserved))
                || self.is_unheld(prefix))
    }

    /// Whether a registry says that nobody holds the space: an administrative bogon.
    fn is_unheld(&self, prefix: &Prefix) -> bool {
        let delegation = self.facts.delegation(prefix);
        delegation.is_some_and(|(delegation, _)| delegation.status.is_unheld())
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
    pub(super) fn assert_origin(
        &mut self,
        change: &RouteChange,
        id: AttributeId,
        out: &mut Asserted,
    ) {
        let table = self.rib.attributes();
        let Some(culprit) = table.claimed_origin(id) else { return };
        let key = ClaimKey { prefix: change.prefix, kind: ClaimKind::Origin, culprit };
        if self.by_key.contains_key(&key) {
            out.keys.push(key);
            return;
        }
        self.assert_news_again((change.prefix, culprit), out);
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
            out.keys.push(key);
        } else if members.is_none() {
            if exact.is_empty() && !change.in_transfer {
                self.assert_new_prefix((change.prefix, culprit), out);
            }
            let known = KnownOrigin { asn: culprit, since: change.time, from: KnownFrom::Stream };
            self.habit.learn(change.prefix, known);
        }
    }

    /// An origination that contradicts nothing may still be worth a word: a less-specific over what
    /// only others originate, a new prefix of a constituent, a new more-specific of one's own.
    fn assert_new_prefix(&self, (prefix, culprit): (Prefix, Asn), out: &mut Asserted) {
        if !self.knowledge.has_links {
            return;
        }
        if self.is_over_others(prefix, culprit) {
            out.push(prefix, ClaimKind::LessSpecific, culprit);
            return;
        }
        let is_inside_own = self.habit.covering(prefix).next().is_some();
        if is_inside_own {
            out.push(prefix, ClaimKind::MoreSpecific, culprit);
        } else if self.is_unexpected(prefix, culprit) {
            out.push(prefix, ClaimKind::Unexpected, culprit);
        }
    }

    /// What was worth a word when the first peer showed it is so for the others, too.
    fn assert_news_again(&self, (prefix, culprit): (Prefix, Asn), out: &mut Asserted) {
        if self.by_prefix.get(&prefix).is_none() {
            return;
        }
        let kinds = [ClaimKind::LessSpecific, ClaimKind::MoreSpecific, ClaimKind::Unexpected];
        let keys = kinds.map(|kind| ClaimKey { prefix, kind, culprit });
        out.keys.extend(keys.into_iter().filter(|key| self.by_key.contains_key(key)));
    }

    /// Whether all that is known below the prefix is originated by others. A prefix shorter than a
    /// shard's block is nobody's.
    fn is_over_others(&self, prefix: Prefix, culprit: Asn) -> bool {
        if routewarden_core::shard::is_short(&prefix) {
            return false;
        }
        let mut below = self.habit.more_specifics(prefix).peekable();
        below.peek().is_some()
            && below.all(|known| known.origins.iter().all(|known| known.asn != culprit))
    }

    /// Whether a constituent originates what its entry does not list.
    fn is_unexpected(&self, prefix: Prefix, culprit: Asn) -> bool {
        let Some(constituency) = &self.facts.constituency else { return false };
        let expected = constituency.table.expected_origins(&prefix);
        constituency.table.members_of_asn(culprit).next().is_some()
            && expected.is_none_or(|expected| expected.binary_search(&culprit).is_err())
    }
}

/// What of a path is against good practice, and whose doing it is: a set that of the AS before it,
/// a path that is too long that of its origin.
fn hygiene_of(path: AsPath<'_>) -> Option<(ClaimKind, Asn)> {
    let faults = path_faults(path, &[]);
    let culprit = |kind| faults.iter().find(|fault| fault.kind == kind)?.asn;
    if faults.has(PathFaultKind::SetInside) || faults.has(PathFaultKind::SetAtEnd) {
        Some((ClaimKind::AsSet, before_set(path)?))
    } else if let Some(culprit) = culprit(PathFaultKind::ExcessivePrepending) {
        Some((ClaimKind::Prepending, culprit))
    } else if faults.has(PathFaultKind::TooLong) {
        Some((ClaimKind::LongPath, path.asns().last()?))
    } else {
        None
    }
}

/// The AS before the first set: it did the aggregation.
fn before_set(path: AsPath<'_>) -> Option<Asn> {
    let sequences = path.segments().take_while(|segment| segment.kind != SegmentKind::Set);
    sequences.filter_map(|segment| segment.asns().next_back()).last()
}
