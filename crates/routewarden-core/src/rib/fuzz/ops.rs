//! Random events on a table beside a naive model of it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use super::super::{AdjRibIn, LATE_EVENT_SECS, RibCounters, RibLimits, RouteChange};
use crate::{AsPathBuf, Asn, Peer, PeerId, PeerTable, Prefix, RouteAttributes, Timestamp};

const PEERS: u8 = 5;
/// Time goes on by at most a second with each step, so that no withdrawal is forgotten.
const STEPS_MAX: i64 = LATE_EVENT_SECS - 40;
const START_SECS: u32 = 1_000_000;

/// A peer of the model by its number, which a table may number differently.
fn peer(number: u8) -> Peer {
    let addr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, number));
    Peer { collector: "model".to_owned(), asn: Asn(64_496 + u32::from(number)), addr }
}

/// Twelve prefixes of both families that nest.
fn prefix(octet: u8) -> Option<Prefix> {
    let (bits, len) = (u32::from(octet & 4) << 24 | u32::from(octet & 8) << 12, octet & 3);
    if octet & 16 == 0 {
        Prefix::v4(192 << 24 | bits, 8 * (len + 1))
    } else {
        Prefix::v6(u128::from(32 << 24 | bits) << 96, 42 * len + 2)
    }
}

/// What the model keeps of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    origin: u32,
    time: Timestamp,
}

#[derive(Default)]
struct Model {
    routes: BTreeMap<(Prefix, u8), Known>,
    withdrawn: BTreeMap<(Prefix, u8), Timestamp>,
    downs: BTreeMap<u8, Timestamp>,
    counters: RibCounters,
}

/// The origin before, whether that was unknown, and the origin after.
type Change = (Option<u32>, bool, Option<u32>);

impl Model {
    fn is_unknown(&self, peer: u8, time: Timestamp) -> bool {
        self.downs.get(&peer).is_some_and(|down| time < *down)
    }

    fn announce(&mut self, key: (Prefix, u8), time: Timestamp, origin: u32) -> Option<Change> {
        let held = self.routes.get(&key).copied();
        if self.withdrawn.get(&key).is_some_and(|at| *at > time)
            || held.is_some_and(|held| held.time > time)
        {
            self.counters.late_events += 1;
            return None;
        }
        self.routes.insert(key, Known { origin, time });
        let is_unknown = held.is_some_and(|held| self.is_unknown(key.1, held.time));
        if held.is_some_and(|held| held.origin == origin) && !is_unknown {
            self.counters.duplicate_announcements += 1;
            return None;
        }
        Some((held.map(|held| held.origin), is_unknown, Some(origin)))
    }

    fn withdraw(&mut self, key: (Prefix, u8), time: Timestamp) -> Option<Change> {
        let latest = self.withdrawn.entry(key).or_insert(time);
        *latest = time.max(*latest);
        let Some(held) = self.routes.get(&key).copied() else {
            self.counters.needless_withdrawals += 1;
            return None;
        };
        if held.time > time {
            self.counters.late_events += 1;
            return None;
        }
        self.routes.remove(&key);
        Some((Some(held.origin), self.is_unknown(key.1, held.time), None))
    }
}

struct Table {
    rib: AdjRibIn,
    peers: PeerTable,
}

impl Table {
    fn id(&mut self, number: u8) -> PeerId {
        self.peers.intern(&peer(number))
    }

    fn read(&self, change: Option<RouteChange>) -> Option<Change> {
        let origin = |id| self.rib.attributes().claimed_origin(id).map(|asn| asn.0);
        let change = change?;
        let (before, after) = (change.before.and_then(origin), change.after.and_then(origin));
        Some((before, change.before_unknown, after))
    }

    /// Saves the table and restores it for peers that have other numbers.
    fn swap(self, is_reversed: bool) -> Self {
        let mut octets = Vec::new();
        assert!(self.rib.save(&self.peers, &mut octets).is_ok());
        let mut peers = PeerTable::default();
        if is_reversed {
            for number in (0..PEERS).rev() {
                peers.intern(&peer(number));
            }
        }
        let limits = RibLimits::default();
        let input = &mut octets.as_slice();
        let restored = AdjRibIn::restore(input, limits, &mut peers, &mut |_| 0);
        assert!(restored.is_ok(), "a table that was saved can be restored");
        let Ok(rib) = restored else { return self };
        let mut again = Vec::new();
        assert!(rib.save(&peers, &mut again).is_ok() && again == octets);
        Table { rib, peers }
    }
}

/// Takes four octets for each event: what, whose, which prefix, and when.
pub fn rib_ops(octets: &[u8]) {
    let mut table = Table { rib: AdjRibIn::default(), peers: PeerTable::default() };
    let mut model = Model::default();
    let mut now = START_SECS;
    for (&[what, who, which, when], _) in octets.as_chunks::<4>().0.iter().zip(0..STEPS_MAX) {
        let Some(prefix) = prefix(which) else { continue };
        now += u32::from(when >> 7);
        let time = Timestamp::from_secs(now - u32::from(when % 32));
        table.rib.tick(Timestamp::from_secs(now));
        let number = who % PEERS;
        let (key, id) = ((prefix, number), table.id(number));
        match what % 8 {
            0..=3 => {
                let origin = 64_500 + u32::from(what / 64);
                let change = announce(&mut table.rib, (time, id), prefix, origin);
                assert_eq!(table.read(change), model.announce(key, time, origin));
            }
            4 | 5 => {
                let change = table.rib.withdraw((time, id), prefix);
                assert_eq!(table.read(change), model.withdraw(key, time));
            }
            6 => session_event(&mut table, &mut model, number, (what / 8, time)),
            _ => table = table.swap(who >= 128),
        }
        compare(&mut table, &model, &prefix);
    }
}

fn announce(
    rib: &mut AdjRibIn,
    at: (Timestamp, PeerId),
    prefix: Prefix,
    origin: u32,
) -> Option<RouteChange> {
    let path = AsPathBuf::sequence([Asn(64_496), Asn(origin)]);
    let mut octets = Vec::new();
    assert!(RouteAttributes::from_path(path.as_path()).encode(&mut octets));
    rib.hear(at.0, at.1);
    rib.announce(at, prefix, &octets, &mut |_| 0)
}

fn session_event(table: &mut Table, model: &mut Model, number: u8, (what, at): (u8, Timestamp)) {
    let id = table.id(number);
    let session = table.rib.session_mut(id);
    match what % 3 {
        0 => session.on_up(at),
        1 => {
            session.on_down(at);
            model.downs.insert(number, at);
        }
        _ => session.on_end_of_rib(),
    }
}

fn compare(table: &mut Table, model: &Model, prefix: &Prefix) {
    assert_eq!(table.rib.counters(), model.counters);
    assert_eq!(table.rib.route_count(), model.routes.len());
    let ids: BTreeMap<PeerId, u8> = (0..PEERS).map(|number| (table.id(number), number)).collect();
    let rib = &table.rib;
    let mut found: Vec<(Option<u8>, Option<Asn>, Timestamp)> = rib
        .routes(prefix)
        .map(|route| {
            let origin = rib.attributes().claimed_origin(route.attributes);
            (ids.get(&route.peer).copied(), origin, route.time)
        })
        .collect();
    found.sort_unstable();
    let of_prefix = model.routes.iter().filter(|((held, _), _)| held == prefix);
    let present = of_prefix.filter(|((_, peer), known)| !model.is_unknown(*peer, known.time));
    let expected: Vec<_> = present
        .map(|((_, peer), known)| (Some(*peer), Some(Asn(known.origin)), known.time))
        .collect();
    assert_eq!(found, expected);
    let mut held: Vec<Prefix> = model.routes.keys().map(|(held, _)| *held).collect();
    held.dedup();
    assert_eq!(rib.prefix_count(), held.len());
    let covered: Vec<Prefix> = held.iter().filter(|held| prefix.covers(held)).copied().collect();
    assert_eq!(rib.covered(prefix).collect::<Vec<_>>(), covered);
    held.retain(|held| held.covers(prefix));
    held.reverse();
    assert_eq!(rib.covering(prefix).collect::<Vec<_>>(), held);
}
