//! Every prefix of the table with its origins: what a survey of all networks begins with.

use std::collections::{BTreeMap, BTreeSet};

use routewarden_core::facts::{Facts, RovState};
use routewarden_core::{Asn, Origin, Prefix, Timestamp};

use super::{LOOK_ALL_ROUTES_MAX, LOOK_STEP_ROUTES, PREFIX_WORK};
use crate::Detector;
use crate::engine::DetectorShard;

/// All prefixes with the origins that enough peer ASes have.
#[derive(Clone, Debug)]
pub struct OriginsLook {
    /// The time up to which events were taken.
    pub at: Timestamp,
    /// Prefix and origin, in the order of prefixes.
    pub routes: Vec<(Prefix, Asn)>,
    /// Whether routes were left out for their number.
    pub truncated: bool,
    /// Who announces an RPKI-invalid route, however few peers have it.
    pub invalid_origins: BTreeSet<Asn>,
    /// Peer ASes that have routes and are not down, IPv4 and IPv6.
    pub peer_ases: [usize; 2],
    /// The facts in use at that time.
    pub facts: Box<Facts>,
}

impl PartialEq for OriginsLook {
    fn eq(&self, other: &Self) -> bool {
        (self.at, &self.routes, self.truncated) == (other.at, &other.routes, other.truncated)
    }
}

impl Eq for OriginsLook {}

/// A look at all prefixes under way.
#[derive(Debug)]
pub(super) struct OriginsWalk {
    least_peers: usize,
    last: Option<Prefix>,
    routes: Vec<(Prefix, Asn)>,
    truncated: bool,
    invalid_origins: BTreeSet<Asn>,
    /// Peer ASes of each family, once they are counted.
    peer_ases: Option<[usize; 2]>,
}

impl OriginsWalk {
    pub(super) fn new(least_peers: usize) -> Self {
        OriginsWalk {
            least_peers,
            last: None,
            routes: Vec::new(),
            truncated: false,
            invalid_origins: BTreeSet::new(),
            peer_ases: None,
        }
    }

    pub(super) fn step(&mut self, detector: &Detector) -> Option<OriginsLook> {
        let peer_ases = *self.peer_ases.get_or_insert_with(|| peer_ases(detector));
        let mut work = 0;
        while work < LOOK_STEP_ROUTES {
            let Some((prefix, shard)) = super::prefixes::next_of_all(detector, self.last) else {
                return Some(self.finish(detector, peer_ases));
            };
            self.last = Some(prefix);
            let place = super::family_place(prefix.family());
            let heard = peer_ases.get(place).copied().unwrap_or_default();
            // Where fewer are heard, all of them must have it.
            let least = self.least_peers.min(heard).max(1);
            work += self.take((detector.facts(), shard), prefix, least);
        }
        None
    }

    /// Takes the origins of a prefix; returns how much work that was.
    fn take(
        &mut self,
        (facts, shard): (&Facts, &DetectorShard),
        prefix: Prefix,
        least: usize,
    ) -> usize {
        let attributes = shard.rib.attributes();
        let mut peers: BTreeMap<Asn, Vec<Asn>> = BTreeMap::new();
        let mut routes = 0;
        for route in shard.rib.routes(&prefix) {
            routes += 1;
            let Some(origin) = attributes.claimed_origin(route.attributes) else { continue };
            let Some(peer) = shard.peers.get(route.peer) else { continue };
            let of_origin = peers.entry(origin).or_default();
            // Sessions of one AS are one witness.
            if of_origin.len() < least && !of_origin.contains(&peer.asn) {
                of_origin.push(peer.asn);
            }
        }
        for (origin, peers) in peers {
            let state = facts.rov(&prefix, Origin::As(origin));
            if state.is_some_and(|(state, _)| state == RovState::Invalid) {
                self.invalid_origins.insert(origin);
            }
            if peers.len() < least {
                continue;
            }
            if self.routes.len() >= LOOK_ALL_ROUTES_MAX {
                self.truncated = true;
                continue;
            }
            self.routes.push((prefix, origin));
        }
        PREFIX_WORK + routes
    }

    fn finish(&mut self, detector: &Detector, peer_ases: [usize; 2]) -> OriginsLook {
        OriginsLook {
            at: detector.now(),
            routes: std::mem::take(&mut self.routes),
            truncated: self.truncated,
            invalid_origins: std::mem::take(&mut self.invalid_origins),
            peer_ases,
            facts: Box::new(detector.facts().clone()),
        }
    }
}

/// Peer ASes that have routes and are not down, IPv4 and IPv6.
fn peer_ases(detector: &Detector) -> [usize; 2] {
    [0, 1].map(|place| {
        let up = detector.sessions().filter(|session| !session.is_down);
        let having = up.filter(|session| session.routes.get(place).is_some_and(|&n| n > 0));
        let asns: BTreeSet<Asn> = having.map(|session| session.peer.asn).collect();
        asns.len()
    })
}
