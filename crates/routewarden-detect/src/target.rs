//! Against whom an origin claim stands, and how the parties are related as far as BGP shows.

use routewarden_core::rib::RouteChange;
use routewarden_core::shard::is_short;
use routewarden_core::{Asn, Prefix, Timestamp};

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
    let known_from = origins.iter().map(|known| known.from).max().unwrap_or(KnownFrom::Stream);
    let known_since = origins.iter().map(|known| known.since).min().unwrap_or(change.time);
    let against = Against { victims, covering, known_from, known_since };
    Some(target(detector, key, change, against))
}

/// The victims of a claim that says of the path what it does to its origin.
pub(crate) fn aim_at(
    detector: &DetectorShard,
    key: ClaimKey,
    change: &RouteChange,
    victims: Vec<Asn>,
) -> Target {
    let is_theirs = |known: &KnownOrigin| victims.contains(&known.asn);
    let exact = detector.habit.exact(&key.prefix);
    let nearest =
        detector.habit.covering(key.prefix).find(|near| near.origins.iter().any(is_theirs));
    let known = exact.iter().find(|known| is_theirs(known) && known.since < change.time);
    let (known, covering) = match (known, nearest) {
        (None, Some(near)) => {
            (near.origins.iter().find(|known| is_theirs(known)), Some(near.prefix))
        }
        (known, _) => (known, None),
    };
    let known_from = known.map_or(KnownFrom::Stream, |known| known.from);
    let known_since = known.map_or(change.time, |known| known.since);
    let against = Against { victims, covering, known_from, known_since };
    target(detector, key, change, against)
}

/// The victims of a less-specific: those who originate what it covers. Of the routes counted, each
/// is one of a covered prefix that still has any.
pub(crate) fn aim_below(
    detector: &DetectorShard,
    key: ClaimKey,
    change: &RouteChange,
) -> Option<Target> {
    let below = || detector.habit.more_specifics(key.prefix);
    let origins = || below().flat_map(|known| known.origins);
    let mut victims: Vec<Asn> = origins().map(|known| known.asn).collect();
    victims.sort_unstable();
    victims.dedup();
    victims.truncate(VICTIMS_MAX);
    let known_from = origins().map(|known| known.from).max()?;
    let known_since = origins().map(|known| known.since).min()?;
    let against = Against { victims, covering: None, known_from, known_since };
    let mut target = target(detector, key, change, against);
    for known in below() {
        let mut paths = detector.rib.routes(&known.prefix);
        let attributes = detector.rib.attributes();
        let Some(first) = paths.next() else { continue };
        target.victim_routes += 1;
        let is_via = |route: &routewarden_core::rib::Route| {
            let path = attributes.get(route.attributes).map(|held| held.as_path);
            path.is_some_and(|path| path.asns().any(|asn| asn == key.culprit))
        };
        let is_any_via = is_via(&first) || paths.any(|route| is_via(&route));
        target.victim_routes_via_culprit += usize::from(is_any_via);
    }
    Some(target)
}

/// Most victims named of one less-specific.
const VICTIMS_MAX: usize = 64;

/// Against whom, and how that is known.
struct Against {
    victims: Vec<Asn>,
    covering: Option<Prefix>,
    known_from: KnownFrom,
    known_since: Timestamp,
}

fn target(
    detector: &DetectorShard,
    key: ClaimKey,
    change: &RouteChange,
    against: Against,
) -> Target {
    let Against { victims, covering, known_from, known_since } = against;
    let block = covering.unwrap_or(key.prefix);
    let (victim_routes, victim_routes_via_culprit) = count_routes(detector, &block, key, &victims);
    let below = below(detector, block, key, &victims);
    let victims_cover = detector
        .habit
        .covering(key.prefix)
        .find(|block| block.origins.iter().any(|known| victims.contains(&known.asn)))
        .map(|block| block.prefix);
    Target {
        covering,
        victims_cover,
        known_from,
        known_since,
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
    }
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
