//! All routes of the table, a part at a time: what paths tell of the ASes on them.

use routewarden_core::{Asn, Prefix};

use super::{LOOK_PART_ROUTES, LOOK_STEP_ROUTES, PREFIX_WORK};
use crate::Detector;
use crate::engine::DetectorShard;

/// Part of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoutesLook {
    /// In the order of prefixes, IPv4 first; the routes of a prefix are never parted.
    prefixes: Vec<(Prefix, usize)>,
    /// Each with the end of its ASNs.
    routes: Vec<(usize, Option<Asn>)>,
    asns: Vec<Asn>,
    /// The last prefix looked at, when more may follow.
    pub next: Option<Prefix>,
}

/// A route of a [`RoutesLook`]: its path, the peer first, without sets; and its OTC.
pub type RouteInPart<'a> = (&'a [Asn], Option<Asn>);

impl RoutesLook {
    /// Each prefix with its routes. Routes whose path has anything but sequences are left out.
    pub fn for_each<'a>(&'a self, mut each: impl FnMut(Prefix, &[RouteInPart<'a>])) {
        let (mut route, mut asn) = (0, 0);
        let mut of_prefix = Vec::new();
        for &(prefix, end) in &self.prefixes {
            of_prefix.clear();
            for &(end, otc) in self.routes.get(route..end).unwrap_or_default() {
                of_prefix.push((self.asns.get(asn..end).unwrap_or_default(), otc));
                asn = end;
            }
            route = end;
            each(prefix, &of_prefix);
        }
    }
}

/// A look at part of the table under way.
#[derive(Debug)]
pub(super) struct RoutesWalk {
    last: Option<Prefix>,
    part: RoutesLook,
}

impl RoutesWalk {
    pub(super) fn new(after: Option<Prefix>) -> Self {
        RoutesWalk { last: after, part: RoutesLook::default() }
    }

    pub(super) fn step(&mut self, detector: &Detector) -> Option<RoutesLook> {
        let mut work = 0;
        while work < LOOK_STEP_ROUTES {
            let Some((prefix, shard)) = super::prefixes::next_of_all(detector, self.last) else {
                return Some(std::mem::take(&mut self.part));
            };
            self.last = Some(prefix);
            work += PREFIX_WORK + self.take(shard, prefix);
            if self.part.routes.len() >= LOOK_PART_ROUTES {
                self.part.next = self.last;
                return Some(std::mem::take(&mut self.part));
            }
        }
        None
    }

    /// Takes the routes of a prefix; returns their number.
    fn take(&mut self, shard: &DetectorShard, prefix: Prefix) -> usize {
        let attributes = shard.rib.attributes();
        let mut routes = 0;
        for route in shard.rib.routes(&prefix) {
            routes += 1;
            let Some(attributes) = attributes.get(route.attributes) else { continue };
            if let Some(path) = attributes.as_path.as_sequence() {
                self.part.asns.extend(path);
                self.part.routes.push((self.part.asns.len(), attributes.otc));
            }
        }
        self.part.prefixes.push((prefix, self.part.routes.len()));
        routes
    }
}
