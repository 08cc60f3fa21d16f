//! What a routing table shows of a constituency: who originates what, and who stands next to whom.

use std::collections::{BTreeMap, BTreeSet};

use super::Constituency;
use crate::facts::OriginTable;
use crate::{AddressFamily, AsPath, Asn, Prefix};

/// Most routes kept, counted once for each peer AS; and most pairs of neighbours.
pub const OBSERVED_MAX: usize = 50_000_000;

/// What to look for in a table.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// ASes, ascending: what they originate and who stands next to them.
    pub asns: &'a [Asn],
    /// Whose address space: what anybody originates in it.
    pub space: Option<&'a Constituency>,
}

impl Scope<'_> {
    fn has_asn(&self, asn: Asn) -> bool {
        self.asns.binary_search(&asn).is_ok()
    }

    fn has_space(&self, prefix: &Prefix) -> bool {
        self.space.is_some_and(|space| space.covering(prefix).next().is_some())
    }
}

/// The routes of a table that lie in a [`Scope`].
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Peer ASes that had the route; none when only origins are known.
    routes: BTreeMap<(Prefix, Asn), BTreeSet<Asn>>,
    /// By AS and neighbour: paths in which they stand next to each other.
    neighbours: BTreeMap<(Asn, Asn), u64>,
    /// All peer ASes of the table.
    peers: BTreeSet<Asn>,
    has_v4: bool,
    has_v6: bool,
    /// Routes kept, once for each peer AS.
    kept: usize,
    over_limit: u64,
}

impl Observed {
    /// Takes a route of a table.
    pub fn add_route(&mut self, scope: Scope<'_>, peer: Asn, prefix: Prefix, path: AsPath<'_>) {
        self.peers.insert(peer);
        self.see_family(&prefix);
        if let Some(origin) = path.origin()
            && (scope.has_asn(origin) || scope.has_space(&prefix))
        {
            self.add((prefix, origin), Some(peer));
        }
        let mut nearer: Option<Asn> = None;
        for asn in path.collapsed() {
            if let Some(neighbour) = nearer
                && scope.has_asn(asn)
            {
                if self.neighbours.len() < OBSERVED_MAX {
                    *self.neighbours.entry((asn, neighbour)).or_default() += 1;
                } else {
                    self.over_limit += 1;
                }
            }
            nearer = Some(asn);
        }
    }

    /// Takes all pairs of a table of origins.
    pub fn add_origins(&mut self, scope: Scope<'_>, origins: &OriginTable) {
        for (prefix, asns) in origins.iter() {
            self.see_family(&prefix);
            let is_inside = scope.has_space(&prefix);
            for &asn in asns.iter().filter(|&&asn| is_inside || scope.has_asn(asn)) {
                self.add((prefix, asn), None);
            }
        }
    }

    fn add(&mut self, route: (Prefix, Asn), peer: Option<Asn>) {
        if self.kept >= OBSERVED_MAX {
            self.over_limit += 1;
            return;
        }
        let peers = self.routes.entry(route).or_default();
        self.kept += usize::from(peer.is_none_or(|peer| peers.insert(peer)));
    }

    fn see_family(&mut self, prefix: &Prefix) {
        match prefix.family() {
            AddressFamily::Ipv4 => self.has_v4 = true,
            AddressFamily::Ipv6 => self.has_v6 = true,
        }
    }

    /// Prefixes with an origin and the number of peer ASes that had the route, in order.
    pub fn routes(&self) -> impl Iterator<Item = (Prefix, Asn, usize)> {
        self.routes.iter().map(|(&(prefix, origin), peers)| (prefix, origin, peers.len()))
    }

    /// The same at `prefix` and at its more-specifics.
    pub fn covered(&self, prefix: &Prefix) -> impl Iterator<Item = (Prefix, Asn, usize)> {
        let top = *prefix;
        let rest = self.routes.range((top, Asn(0))..);
        let inside = rest.take_while(move |((held, _), _)| top.covers(held));
        inside.map(|(&(prefix, origin), peers)| (prefix, origin, peers.len()))
    }

    /// Neighbours of an AS on the way to the collectors, with the number of paths, ascending.
    pub fn neighbours(&self, asn: Asn) -> impl Iterator<Item = (Asn, u64)> {
        let all = self.neighbours.range((asn, Asn(0))..=(asn, Asn(u32::MAX)));
        all.map(|(&(_, neighbour), &paths)| (neighbour, paths))
    }

    /// Distinct peer ASes of the table; 0 when only origins are known.
    pub fn peer_count(&self) -> usize {
        self.peers.len()
    }

    /// Routes and neighbours in scope that were left out at [`OBSERVED_MAX`].
    pub fn over_limit(&self) -> u64 {
        self.over_limit
    }

    /// Whether the table has routes of that family, in scope or not: else their absence says
    /// nothing.
    pub fn has_family(&self, family: AddressFamily) -> bool {
        match family {
            AddressFamily::Ipv4 => self.has_v4,
            AddressFamily::Ipv6 => self.has_v6,
        }
    }
}
