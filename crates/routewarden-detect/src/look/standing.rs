//! The routes that stand to one prefix.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use routewarden_core::facts::AspaState;
use routewarden_core::{AsPath, AsPathBuf, Asn, Origin, Peer, Prefix, SegmentKind, Timestamp};

use super::{LOOK_ORIGINS_MAX, SeenOrigin, SeenPrefix, SeenRoute};
use crate::engine::DetectorShard;
use crate::{Detector, RovSummary};

/// The routes to a prefix, as they lie in the table.
pub(super) struct Standing<'a> {
    prefix: Prefix,
    origins: BTreeMap<Asn, OfOrigin<'a>>,
    routes: Vec<(&'a Peer, AsPath<'a>, Timestamp)>,
}

/// Those of one origin: at least one.
struct OfOrigin<'a> {
    since: Timestamp,
    paths: BTreeMap<AsPath<'a>, usize>,
}

impl<'a> Standing<'a> {
    /// All routes to a prefix, or those of one origin only.
    pub(super) fn of(shard: &'a DetectorShard, prefix: Prefix, only: Option<Asn>) -> Self {
        let attributes = shard.rib.attributes();
        let mut standing = Standing { prefix, origins: BTreeMap::new(), routes: Vec::new() };
        for route in shard.rib.routes(&prefix) {
            let origin = attributes.claimed_origin(route.attributes);
            if only.is_some() && origin != only {
                continue;
            }
            let Some(held) = attributes.get(route.attributes) else { continue };
            let Some(peer) = shard.peers.get(route.peer) else { continue };
            standing.routes.push((peer, held.as_path, route.time));
            let Some(asn) = origin else { continue };
            let new = || OfOrigin { since: route.time, paths: BTreeMap::new() };
            let of_origin = standing.origins.entry(asn).or_insert_with(new);
            of_origin.since = route.time.min(of_origin.since);
            *of_origin.paths.entry(held.as_path).or_default() += 1;
        }
        standing
    }

    pub(super) fn peers(&self) -> usize {
        self.routes.len()
    }

    /// The origin, if it is there.
    pub(super) fn origin(&self, detector: &Detector, asn: Asn) -> Option<SeenOrigin> {
        let of_origin = self.origins.get(&asn)?;
        // The most common path; of several the shortest, then the first.
        let (path, _) =
            of_origin.paths.iter().max_by_key(|&(path, count)| (count, Reverse(path)))?;
        Some(SeenOrigin {
            asn,
            name: detector.as_name(asn),
            peers: of_origin.paths.values().sum(),
            since: of_origin.since,
            rov: detector.rov_of(&self.prefix, *path),
            aspa: detector.aspa_of(*path),
        })
    }

    /// All of it, with at most so many routes; whether something was left out.
    pub(super) fn seen(mut self, detector: &Detector, routes_max: usize) -> (SeenPrefix, bool) {
        let mut origins: Vec<SeenOrigin> =
            self.origins.keys().filter_map(|&asn| self.origin(detector, asn)).collect();
        origins.sort_by_key(|origin| (Reverse(origin.peers), origin.asn));
        let is_cut = origins.len() > LOOK_ORIGINS_MAX || self.routes.len() > routes_max;
        origins.truncate(LOOK_ORIGINS_MAX);
        let peers = self.peers();
        self.routes.sort_unstable_by_key(|&(peer, ..)| peer);
        let route = |(peer, path, since): (&Peer, AsPath<'_>, Timestamp)| {
            let peer = peer.clone();
            SeenRoute { peer, path: AsPathBuf::from(path), since }
        };
        let routes = self.routes.into_iter().take(routes_max).map(route).collect();
        (SeenPrefix { prefix: self.prefix, peers, origins, routes }, is_cut)
    }
}

impl Detector {
    fn rov_of(&self, prefix: &Prefix, path: AsPath<'_>) -> RovSummary {
        match self.facts().rov(prefix, Origin::of(path)) {
            Some((state, reason)) => RovSummary { state: Some(state), reason },
            None => RovSummary { state: None, reason: None },
        }
    }

    /// The path verified as from a provider, route servers taken out: those pass routes on for
    /// others.
    fn aspa_of(&self, path: AsPath<'_>) -> Option<AspaState> {
        let aspas = &self.facts().aspas.as_ref()?.table;
        let servers = &self.facts().route_servers;
        let is_plain = |kind| matches!(kind, SegmentKind::Sequence | SegmentKind::ConfedSequence);
        if servers.is_empty() || !path.segments().all(|segment| is_plain(segment.kind)) {
            return Some(aspas.verify_downstream(path));
        }
        let hops = path.collapsed().filter(|asn| servers.binary_search(asn).is_err());
        Some(aspas.verify_downstream(AsPathBuf::sequence(hops).as_path()))
    }
}
