//! What the detector has learned: who originates what (habit), who is next to whom (topology).

use hashbrown::{HashMap, HashSet};
use routewarden_core::shard::{BLOCK_LEN_V4, BLOCK_LEN_V6};
use routewarden_core::{AddressFamily, AsPath, Asn, Prefix, PrefixMap, Timestamp};
use serde::{Deserialize, Serialize};

type Hasher = foldhash::fast::FixedState;

/// How an origination came to be known, strongest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum KnownFrom {
    /// First seen in the stream itself, uncontradicted.
    Stream,
    /// A prefix-origin table given as a fact.
    OriginTable,
    /// Standing in a table dump at the start.
    Table,
    /// A constituent says so itself.
    Operator,
}

/// A known origination of a prefix.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct KnownOrigin {
    pub(crate) asn: Asn,
    pub(crate) since: Timestamp,
    pub(crate) from: KnownFrom,
}

/// A known prefix and its origins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownPrefix<'a> {
    pub(crate) prefix: Prefix,
    pub(crate) origins: &'a [KnownOrigin],
}

/// Origins known of each prefix. A prefix has one origin nearly always.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct OriginHabit {
    origins: PrefixMap<Vec<KnownOrigin>>,
    prefixes_max: usize,
}

/// Prefixes shorter than this cover half the Internet: they are nobody's claim on a
/// more-specific. Shorter ones than a shard's block must never be asked for.
pub(crate) const fn covering_len_min(family: AddressFamily) -> u8 {
    match family {
        AddressFamily::Ipv4 => BLOCK_LEN_V4,
        AddressFamily::Ipv6 => BLOCK_LEN_V6,
    }
}

/// Most prefixes whose origins are remembered: six times the tables of today.
pub(crate) const KNOWN_PREFIXES_MAX: usize = 8_000_000;
/// Most origins remembered of one prefix; real prefixes have a handful.
pub(crate) const KNOWN_ORIGINS_MAX: usize = 256;
/// Most AS links remembered: fifty times what is seen of the Internet.
pub(crate) const LINKS_MAX: usize = 50_000_000;

/// Most more-specifics looked at when asking how a covering prefix is used.
const MORE_SPECIFICS_MAX: usize = 512;

impl OriginHabit {
    /// Nothing known; at most so many prefixes will be.
    pub(crate) fn with_limit(prefixes_max: usize) -> Self {
        OriginHabit { prefixes_max, ..OriginHabit::default() }
    }

    /// Notes that `asn` originates `prefix`; whether that was new. At most
    /// [`KNOWN_ORIGINS_MAX`] origins of each prefix.
    pub(crate) fn learn(&mut self, prefix: Prefix, known: KnownOrigin) -> bool {
        if self.origins.len() >= self.prefixes_max && self.origins.get(&prefix).is_none() {
            return false;
        }
        let origins = self.origins.get_or_default(prefix);
        if let Some(old) = origins.iter_mut().find(|old| old.asn == known.asn) {
            old.since = old.since.min(known.since);
            old.from = old.from.max(known.from);
            return false;
        }
        if origins.len() >= KNOWN_ORIGINS_MAX {
            return false;
        }
        origins.push(known);
        true
    }

    /// Origins known of exactly this prefix.
    pub(crate) fn exact(&self, prefix: &Prefix) -> &[KnownOrigin] {
        self.origins.get(prefix).map(Vec::as_slice).unwrap_or_default()
    }

    /// Known prefixes that are less specific than `prefix`, nearest first, down to
    /// [`covering_len_min`].
    pub(crate) fn covering(&self, prefix: Prefix) -> impl Iterator<Item = KnownPrefix<'_>> {
        let len_min = covering_len_min(prefix.family());
        self.origins
            .covering(&prefix)
            .filter(move |(known, _)| *known != prefix)
            .take_while(move |(known, _)| known.len() >= len_min)
            .map(|(prefix, origins)| KnownPrefix { prefix, origins })
    }

    /// Known more-specifics of `prefix` (itself left out), at most [`MORE_SPECIFICS_MAX`].
    pub(crate) fn more_specifics(&self, prefix: Prefix) -> impl Iterator<Item = KnownPrefix<'_>> {
        self.origins
            .covered(&prefix)
            .filter(move |(known, _)| *known != prefix)
            .take(MORE_SPECIFICS_MAX)
            .map(|(prefix, origins)| KnownPrefix { prefix, origins })
    }

    /// All known prefixes with their origins, in no order that means anything.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Prefix, &[KnownOrigin])> {
        self.origins.iter().map(|(prefix, origins)| (*prefix, origins.as_slice()))
    }

    /// Number of prefixes known.
    pub(crate) fn len(&self) -> usize {
        self.origins.len()
    }
}

/// AS adjacencies seen in any path so far, each with the number of the event that first showed it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Topology {
    links: HashMap<u64, u64, Hasher>,
    links_max: usize,
}

impl Topology {
    /// No links; at most so many will be kept.
    pub(crate) fn with_limit(links_max: usize) -> Self {
        Topology { links_max, ..Topology::default() }
    }

    /// Notes the links of a path that event number `seq` showed. Numbers never fall.
    pub(crate) fn learn(&mut self, path: AsPath<'_>, seq: u64) {
        let mut previous = None;
        for asn in path.collapsed() {
            if let Some(previous) = previous
                && self.links.len() < self.links_max
            {
                self.links.entry(link(previous, asn)).or_insert(seq);
            }
            previous = Some(asn);
        }
    }

    /// All links, each as one number.
    pub(crate) fn links(&self) -> impl Iterator<Item = u64> {
        self.links.keys().copied()
    }

    /// Whether the two ASes were next to each other in a path of event number `seq` or before.
    pub(crate) fn adjacent(&self, a: Asn, b: Asn, seq: u64) -> bool {
        self.links.get(&link(a, b)).is_some_and(|&first| first <= seq)
    }

    /// Number of distinct links that these know together.
    pub(crate) fn count_all<'a>(all: impl Iterator<Item = &'a Topology>) -> usize {
        let mut all: Vec<&Topology> = all.collect();
        if let [only] = all.as_slice() {
            return only.links.len();
        }
        // The largest need not be copied: only what others know beside it.
        all.sort_by_key(|topology| topology.links.len());
        let Some(largest) = all.pop() else { return 0 };
        let beside: HashSet<u64, Hasher> = all
            .iter()
            .flat_map(|topology| topology.links.keys().copied())
            .filter(|link| !largest.links.contains_key(link))
            .collect();
        largest.links.len() + beside.len()
    }
}

/// The two ASes of a link.
pub(crate) fn ends(link: u64) -> [Asn; 2] {
    let low = u32::try_from(link & u64::from(u32::MAX)).unwrap_or_default();
    let high = u32::try_from(link >> 32).unwrap_or_default();
    [Asn(high), Asn(low)]
}

pub(crate) fn link(a: Asn, b: Asn) -> u64 {
    u64::from(a.0.min(b.0)) << 32 | u64::from(a.0.max(b.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use routewarden_core::AsPathBuf;

    fn p(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    fn known(asn: u32) -> KnownOrigin {
        KnownOrigin { asn: Asn(asn), since: Timestamp::from_secs(1), from: KnownFrom::Table }
    }

    #[test]
    fn covering_is_nearest_first_and_ignores_the_half_internet() {
        let mut habit = OriginHabit::with_limit(100);
        for (prefix, asn) in [("0.0.0.0/0", 1), ("198.0.0.0/8", 2), ("198.51.100.0/24", 3)] {
            assert!(habit.learn(p(prefix), known(asn)));
        }
        assert!(!habit.learn(p("198.0.0.0/8"), known(2)));
        let found: Vec<_> = habit.covering(p("198.51.100.128/25")).map(|k| k.prefix).collect();
        assert_eq!(found, [p("198.51.100.0/24"), p("198.0.0.0/8")]);
        assert_eq!(habit.covering(p("192.0.2.0/24")).count(), 0);
        assert!(habit.learn(p("2001:db8::1/128"), known(4)));
        assert_eq!(habit.covering(p("2001:db8::1/128")).count(), 0);
        let below: Vec<_> = habit.more_specifics(p("198.0.0.0/8")).map(|k| k.prefix).collect();
        assert_eq!(below, [p("198.51.100.0/24")]);
    }

    #[test]
    fn links_have_no_direction_and_prepends_make_none() {
        let mut topology = Topology::with_limit(100);
        let path = AsPathBuf::sequence([1, 2, 2, 3].map(Asn));
        topology.learn(path.as_path(), 7);
        topology.learn(path.as_path(), 9);
        let adjacent = |a, b, seq| topology.adjacent(Asn(a), Asn(b), seq);
        assert!(adjacent(2, 1, 7) && adjacent(2, 3, 8) && !adjacent(2, 1, 6));
        assert!(!adjacent(1, 3, 9) && !adjacent(2, 2, 9));
        let mut other = Topology::with_limit(100);
        other.learn(AsPathBuf::sequence([3, 2, 9].map(Asn)).as_path(), 1);
        assert_eq!(Topology::count_all([&topology].into_iter()), 2);
        assert_eq!(Topology::count_all([&topology, &other].into_iter()), 3);
    }
}
