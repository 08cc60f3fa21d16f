//! Who announced what: routes by origin, from tables and updates, or from known origins.

use std::collections::{BTreeSet, HashMap};

use foldhash::fast::FixedState;
use routewarden_core::facts::{Facts, OriginTable, RovState, Sourced};
use routewarden_core::{AddressFamily, Asn, Origin, Prefix, Timestamp};
use routewarden_measure::{AddressSpace, InputKind, PathsTold};

use super::Source;

/// Most routes (prefix and origin) kept: ten times the table of the Internet.
pub(crate) const ROUTES_MAX: usize = 16_000_000;
/// Peers are told apart up to so many.
pub(crate) const PEERS_COUNTED_MAX: usize = 8;

/// Routes while they are gathered, with the peer ASes that had each.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    routes: HashMap<(Prefix, Asn), Peers, FixedState>,
    peers: Vec<Asn>,
    over_limit: u64,
}

/// The first peer ASes that had a route.
#[derive(Clone, Copy, Debug, Default)]
struct Peers {
    asns: [u32; PEERS_COUNTED_MAX],
    count: u8,
}

impl Peers {
    fn add(&mut self, peer: Asn) {
        let count = usize::from(self.count);
        if self.asns.iter().take(count).any(|&held| held == peer.0) {
            return;
        }
        if let Some(free) = self.asns.get_mut(count) {
            *free = peer.0;
            self.count += 1;
        }
    }
}

impl Seen {
    /// A peer AS had a route of an origin.
    pub(crate) fn add(&mut self, peer: Asn, prefix: Prefix, origin: Asn) {
        if let Err(at) = self.peers.binary_search(&peer) {
            self.peers.insert(at, peer);
        }
        if self.routes.len() >= ROUTES_MAX && !self.routes.contains_key(&(prefix, origin)) {
            self.over_limit += 1;
            return;
        }
        self.routes.entry((prefix, origin)).or_default().add(peer);
    }

    /// Routes beyond [`ROUTES_MAX`], which were not taken.
    pub(crate) fn over_limit(&self) -> u64 {
        self.over_limit
    }

    /// Origins of RPKI-invalid routes, however few peers had them; none without VRPs.
    pub(crate) fn invalid_origins(&self, facts: &Facts) -> BTreeSet<Asn> {
        let is_invalid = |(prefix, origin): &&(Prefix, Asn)| {
            let state = facts.rov(prefix, Origin::As(*origin));
            state.is_some_and(|(state, _)| state == RovState::Invalid)
        };
        self.routes.keys().filter(is_invalid).map(|&(_, origin)| origin).collect()
    }

    /// Those that at least so many peer ASes had; where fewer are heard, all of them must have had
    /// it.
    pub(crate) fn announced(self, name: &str, least_peers: usize) -> Announced {
        let least = least_peers.clamp(1, PEERS_COUNTED_MAX).min(self.peers.len());
        let routes = self.routes.into_iter();
        let routes = routes.filter(|(_, peers)| usize::from(peers.count) >= least);
        Announced::new(routes.map(|((prefix, origin), _)| (origin, prefix)).collect(), name, least)
    }
}

/// Routes of a period.
#[derive(Clone, Debug, Default)]
pub(crate) struct Announced {
    /// By origin, then prefix; each once.
    routes: Vec<(Asn, Prefix)>,
    source: Option<Source>,
    told: PathsTold,
}

impl Announced {
    /// `least_peers` peer ASes had each at least; 0 when that is not known.
    fn new(mut routes: Vec<(Asn, Prefix)>, name: &str, least_peers: usize) -> Self {
        routes.sort_unstable();
        routes.dedup();
        routes.shrink_to_fit();
        let entries = routes.len() as u64;
        let input = InputKind::Routes;
        let name = match least_peers {
            0 => name.to_owned(),
            1 => format!("{name}: seen by 1 peer AS"),
            _ => format!("{name}: seen by {least_peers} peer ASes"),
        };
        let source = Source { input, name, date: None, sha256: None, entries };
        Announced { routes, source: Some(source), told: PathsTold::default() }
    }

    /// Of the running table, as it was at a time.
    pub(crate) fn of_table(routes: Vec<(Prefix, Asn)>, at: Timestamp, least_peers: usize) -> Self {
        let routes = routes.into_iter().map(|(prefix, origin)| (origin, prefix)).collect();
        let mut announced = Announced::new(routes, "table", least_peers);
        if let Some(source) = &mut announced.source {
            source.date = Some(at);
        }
        announced
    }

    /// Known origins, as they stand.
    pub(crate) fn of_origins(origins: &Sourced<OriginTable>) -> Self {
        let pairs = origins.iter();
        let pairs = pairs.flat_map(|(prefix, asns)| asns.iter().map(move |&asn| (asn, prefix)));
        let mut announced = Announced::new(pairs.collect(), &origins.source.name, 0);
        let entries = announced.routes.len() as u64;
        announced.source =
            Some(Source { entries, ..Source::of(InputKind::Routes, &origins.source) });
        announced
    }

    /// Where they come from; `None` when nothing was given.
    pub(crate) fn source(&self) -> Option<&Source> {
        self.source.as_ref()
    }

    /// With what paths told at that time.
    pub(crate) fn with_told(self, told: PathsTold) -> Self {
        Announced { told, ..self }
    }

    /// What paths told.
    pub(crate) fn told(&self) -> &PathsTold {
        &self.told
    }

    /// Routes, and what their paths told, as inputs.
    pub(crate) fn sources(&self) -> impl Iterator<Item = Source> + '_ {
        let PathsTold { rov, otc, .. } = &self.told;
        let invalid = rov.as_ref().map(|rov| (InputKind::InvalidRoutes, rov.routes));
        let marked = otc.as_ref().map(|otc| (InputKind::OtcRoutes, otc.routes));
        let of = |source: &Source, (input, entries)| Source { input, entries, ..source.clone() };
        self.source.iter().flat_map(move |source| {
            let told = invalid.into_iter().chain(marked);
            std::iter::once(source.clone()).chain(told.map(move |one| of(source, one)))
        })
    }

    /// Prefixes of an origin, ascending.
    pub(crate) fn of(&self, origin: Asn) -> impl Iterator<Item = Prefix> + Clone + '_ {
        let start = self.routes.partition_point(|&(asn, _)| asn < origin);
        let rest = self.routes.get(start..).unwrap_or_default().iter();
        rest.take_while(move |&&(asn, _)| asn == origin).map(|&(_, prefix)| prefix)
    }

    /// All origins, ascending.
    pub(crate) fn origins(&self) -> impl Iterator<Item = Asn> + '_ {
        self.routes.chunk_by(|a, b| a.0 == b.0).filter_map(|run| run.first().map(|&(asn, _)| asn))
    }

    /// All of them.
    pub(crate) fn routes(&self) -> &[(Asn, Prefix)] {
        &self.routes
    }

    /// Takes further ones.
    pub(crate) fn add(&mut self, routes: Vec<(Asn, Prefix)>) {
        self.routes.extend(routes);
        self.routes.sort_unstable();
        self.routes.dedup();
        if let Some(source) = &mut self.source {
            source.entries = self.routes.len() as u64;
        }
    }
}

/// Space that prefixes in ascending order take up together: what lies in another counts once, what
/// is longer than a unit takes up one.
pub(crate) fn space(prefixes: impl Iterator<Item = Prefix>) -> AddressSpace {
    let mut space = AddressSpace::default();
    let mut last: Option<Prefix> = None;
    for prefix in prefixes {
        let (unit, total) = match prefix.family() {
            AddressFamily::Ipv4 => (24, &mut space.ipv4_24s),
            AddressFamily::Ipv6 => (48, &mut space.ipv6_48s),
        };
        let Some(within) = prefix.less_specific(prefix.len().min(unit)) else { continue };
        if last.is_some_and(|last| last.covers(&within)) {
            continue;
        }
        *total = total.saturating_add(1 << (unit - within.len()));
        last = Some(within);
    }
    space
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(announced: &Announced) -> &str {
        &announced.source().unwrap().name
    }

    #[test]
    fn a_route_counts_when_enough_peers_had_it() {
        let mut seen = Seen::default();
        let prefix: Prefix = "192.0.2.0/24".parse().unwrap();
        for peer in 1..=6 {
            seen.add(Asn(peer), prefix, Asn(64_496));
            seen.add(Asn(peer), prefix, Asn(64_496));
        }
        seen.add(Asn(1), prefix, Asn(64_497));
        let announced = seen.announced("table", 5);
        assert_eq!(announced.origins().collect::<Vec<_>>(), [Asn(64_496)]);
        assert_eq!(announced.of(Asn(64_496)).collect::<Vec<_>>(), [prefix]);
        assert_eq!(
            (announced.of(Asn(64_497)).count(), name(&announced)),
            (0, "table: seen by 5 peer ASes")
        );
    }

    #[test]
    fn where_few_are_heard_all_must_have_had_it() {
        let mut seen = Seen::default();
        seen.add(Asn(1), "192.0.2.0/24".parse().unwrap(), Asn(64_496));
        seen.add(Asn(2), "192.0.2.0/24".parse().unwrap(), Asn(64_496));
        seen.add(Asn(2), "198.51.100.0/24".parse().unwrap(), Asn(64_496));
        let announced = seen.announced("table", 5);
        assert_eq!((announced.routes().len(), name(&announced)), (1, "table: seen by 2 peer ASes"));
    }

    #[test]
    fn space_counts_once() {
        let prefixes =
            ["10.0.0.0/23", "10.0.1.0/24", "10.0.4.0/25", "10.0.4.128/25", "2001:db8::/47"];
        let space = space(prefixes.iter().map(|text| text.parse().unwrap()));
        assert_eq!((space.ipv4_24s, space.ipv6_48s), (3, 2));
    }
}
