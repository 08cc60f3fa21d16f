//! Against whom an origin claim stands, and how the parties are related as far as BGP shows.

use routewarden_core::rib::RouteChange;
use routewarden_core::shard::is_short;
use routewarden_core::{Asn, Prefix};

use crate::claim::{ClaimKey, Target};
use crate::engine::DetectorShard;
use crate::knowledge::{KnownFrom, KnownOrigin};

/// The victims of a new claim: the known origins of the exact prefix, else of the nearest
/// covering prefix.
pub(crate) fn aim(detector: &DetectorShard, key: ClaimKey, change: &RouteChange) -> Option<Target> {
    let exact = detector.habit.exact(&key.prefix);
    let nearest = detector.habit.covering(key.prefix).next();
    let (origins, covering) = match (exact, nearest) {
        ([], Some(near)) => (near.origins, Some(near.prefix)),
        ([], None) => return None,
        (exact, _) => (exact, None),
    };
    let mut victims: Vec<Asn> = origins.iter().map(|known| known.asn).collect();
    victims.sort_unstable();
    let block = covering.unwrap_or(key.prefix);
    let (victim_routes, victim_routes_via_culprit) = count_routes(detector, &block, key, &victims);
    let below = below(detector, block, key, &victims);
    let victims_cover = detector
        .habit
        .covering(key.prefix)
        .find(|block| block.origins.iter().any(|known| victims.contains(&known.asn)))
        .map(|block| block.prefix);
    Some(Target {
        covering,
        victims_cover,
        known_from: origins.iter().map(|known| known.from).max().unwrap_or(KnownFrom::Stream),
        known_since: origins.iter().map(|known| known.since).min().unwrap_or(change.time),
        victim_was_present: victims
            .iter()
            .any(|&victim| was_originated_by(detector, &key.prefix, victim, change)),
        victim_routes,
        victim_routes_via_culprit,
        below: below.all,
        below_foreign: below.foreign,
        culprit_below: below.culprit,
        culprit_covers: culprit_covers(detector, key),
        victims,
    })
}

/// Whether a victim's route to the prefix was there before the change: with another peer, or
/// with the same peer up to now.
fn was_originated_by(
    detector: &DetectorShard,
    prefix: &Prefix,
    victim: Asn,
    change: &RouteChange,
) -> bool {
    let attributes = detector.rib.attributes();
    let before = change.before.and_then(|id| attributes.claimed_origin(id));
    before == Some(victim) || detector.rib.is_originated_by(prefix, victim)
}

/// Routes to the victims' block: all from a victim, and those with the culprit on the path.
fn count_routes(
    detector: &DetectorShard,
    block: &Prefix,
    key: ClaimKey,
    victims: &[Asn],
) -> (usize, usize) {
    let attributes = detector.rib.attributes();
    let paths = detector
        .rib
        .routes(block)
        .filter_map(|route| attributes.get(route.attributes))
        .map(|attributes| attributes.as_path)
        .filter(|path| path.origin().is_some_and(|origin| victims.contains(&origin)));
    paths.fold((0, 0), |(all, via), path| {
        (all + 1, via + usize::from(path.asns().any(|asn| asn == key.culprit)))
    })
}

struct Below {
    all: usize,
    foreign: usize,
    culprit: usize,
}

/// How the block is used below: a block with many foreign more-specifics is delegated space. What
/// is shorter than a shard's block is nobody's to delegate.
fn below(detector: &DetectorShard, block: Prefix, key: ClaimKey, victims: &[Asn]) -> Below {
    let mut below = Below { all: 0, foreign: 0, culprit: 0 };
    if is_short(&block) {
        return below;
    }
    for known in detector.habit.more_specifics(block) {
        if known.prefix == key.prefix {
            continue;
        }
        below.all += 1;
        let originated_by = |asn: Asn| known.origins.iter().any(|known| known.asn == asn);
        let foreign = known.origins.iter().all(|known: &KnownOrigin| !victims.contains(&known.asn));
        below.foreign += usize::from(foreign);
        below.culprit += usize::from(originated_by(key.culprit));
    }
    below
}

/// The nearest block of the culprit's own that covers the claimed prefix: it is the victim's
/// provider, or the space was the culprit's before.
fn culprit_covers(detector: &DetectorShard, key: ClaimKey) -> Option<Prefix> {
    let mut covering = detector.habit.covering(key.prefix);
    covering
        .find(|block| block.origins.iter().any(|known| known.asn == key.culprit))
        .map(|block| block.prefix)
}
