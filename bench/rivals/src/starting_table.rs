//! What stands before the watch begins: the source of every rival's configuration.

use std::collections::BTreeMap;
use std::ops::Range;

use routewarden_core::{Asn, EventBatch, Prefix, PrefixMap, RouteAttributes, RouteEventKind};

/// Neighbours of an AS in the paths seen, both lists sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Neighbours {
    /// Those on the side of the collector: it announces to them.
    pub upstreams: Vec<Asn>,
    /// Those on the side of the origin: it takes routes from them.
    pub downstreams: Vec<Asn>,
}

/// Origins of each prefix and neighbours of each AS, as an operator who sets up a detector knows
/// them: from the routes standing then, and from the facts given beside.
#[derive(Debug, Default)]
pub struct StartingTable {
    origins: PrefixMap<Vec<Asn>>,
    neighbours: BTreeMap<Asn, Neighbours>,
    /// Path read last: tables repeat the same one often.
    last_path: Vec<Asn>,
}

impl StartingTable {
    /// Takes the announcements and table entries among the events `run`. Withdrawals are not
    /// followed: what was announced is taken as known.
    pub fn learn(&mut self, batch: &EventBatch, run: Range<usize>) {
        for event in batch.events.get(run).unwrap_or_default() {
            if let RouteEventKind::Announcement { prefix, attributes }
            | RouteEventKind::TableEntry { prefix, attributes, .. } = event.kind
                && let Some(route) = RouteAttributes::decode(batch.attributes(attributes))
            {
                self.learn_route(prefix, &route);
            }
        }
    }

    fn learn_route(&mut self, prefix: Prefix, route: &RouteAttributes<'_>) {
        match (route.as_path.origin(), route.as_path.origin_set()) {
            (Some(origin), _) => self.know_origin(prefix, origin),
            (None, Some(set)) => set.asns().for_each(|asn| self.know_origin(prefix, asn)),
            (None, None) => {}
        }
        if route.as_path.collapsed().eq(self.last_path.iter().copied()) {
            return;
        }
        let path: Vec<Asn> = route.as_path.collapsed().collect();
        for (left, right) in path.iter().zip(path.iter().skip(1)) {
            self.know_link(*left, *right);
        }
        self.last_path = path;
    }

    /// Knows an origin beside those of the routes.
    pub fn know_origin(&mut self, prefix: Prefix, origin: Asn) {
        insert(self.origins.get_or_default(prefix), origin);
    }

    /// Knows that `upstream` takes routes of `downstream`.
    pub fn know_link(&mut self, upstream: Asn, downstream: Asn) {
        insert(&mut self.neighbours.entry(downstream).or_default().upstreams, upstream);
        insert(&mut self.neighbours.entry(upstream).or_default().downstreams, downstream);
    }

    /// All prefixes with their origins, sorted.
    pub fn origins(&self) -> impl Iterator<Item = (Prefix, &[Asn])> {
        self.origins.iter_sorted().map(|(prefix, origins)| (prefix, origins.as_slice()))
    }

    /// Every AS that originates a prefix, sorted.
    pub fn origin_asns(&self) -> Vec<Asn> {
        let mut all: Vec<Asn> = self.origins().flat_map(|(_, origins)| origins).copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Neighbours of an AS, if it was seen beside another.
    pub fn neighbours(&self, asn: Asn) -> Option<&Neighbours> {
        self.neighbours.get(&asn)
    }
}

/// Into a sorted list, once.
fn insert(sorted: &mut Vec<Asn>, asn: Asn) {
    if let Err(at) = sorted.binary_search(&asn) {
        sorted.insert(at, asn);
    }
}
