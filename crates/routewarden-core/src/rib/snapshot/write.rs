//! Writing a snapshot.

use std::io::Write;

use hashbrown::HashMap;

use super::super::route_store::{PEERS_MAX, StoredRoute, StoredTime};
use super::super::{AdjRibIn, AttributeId, Hasher};
use super::{
    COLLECTOR_OCTETS_MAX, FRAME_OCTETS, FrameKind, MAGIC, SnapshotError, TIME_SECS_MAX, Totals,
    VERSION,
};
use crate::{AddressFamily, Peer, PeerId, PeerTable, Prefix, Timestamp};

pub(super) fn save(
    rib: &AdjRibIn,
    peers: &PeerTable,
    out: &mut impl Write,
) -> Result<(), SnapshotError> {
    out.write_all(&MAGIC)?;
    out.write_all(&VERSION.to_be_bytes())?;
    let order = PeerOrder::of(rib, peers)?;
    let mut frames = Frames { out, payload: Vec::with_capacity(FRAME_OCTETS * 2) };
    let mut totals = Totals::default();
    frames.begin(FrameKind::Peers);
    for (peer, name) in &order.peers {
        write_peer(rib, (*peer, name), &mut frames)?;
        totals.peers += 1;
    }
    frames.end()?;
    Routes::new(rib, &order).write(&mut frames, &mut totals)?;
    frames.begin(FrameKind::Withdrawals);
    for &(time, peer, prefix) in &rib.withdrawal_order {
        let Some(number) = order.number(peer) else { continue };
        frames.break_after(FrameKind::Withdrawals)?;
        let is_latest = rib.recent_withdrawals.get(&(peer, prefix)) == Some(&time);
        frames.number(u64::from(number) << 1 | u64::from(is_latest));
        frames.time(time);
        frames.prefix(&prefix);
        totals.withdrawals += 1;
    }
    frames.end()?;
    frames.begin(FrameKind::End);
    frames.time(rib.now);
    frames.time(rib.latest_withdrawal);
    let counters = rib.counters;
    frames.number(counters.duplicate_announcements);
    frames.number(counters.needless_withdrawals);
    frames.number(counters.late_events);
    frames.number(counters.over_limit);
    let Totals { peers, prefixes, routes, attribute_sets, withdrawals } = totals;
    for total in [peers, prefixes, routes, attribute_sets, withdrawals] {
        frames.number(total);
    }
    frames.end()?;
    out.flush()?;
    Ok(())
}

/// The peers of a table in the order of their names: numbers in order of arrival are not written.
struct PeerOrder<'a> {
    peers: Vec<(PeerId, &'a Peer)>,
    /// Place in `peers`, by number.
    numbers: Vec<Option<u32>>,
}

impl<'a> PeerOrder<'a> {
    fn of(rib: &AdjRibIn, names: &'a PeerTable) -> Result<Self, SnapshotError> {
        let withdrawn = rib.withdrawal_order.iter().map(|(_, peer, _)| *peer);
        let heard = rib.sessions().filter(|(_, session)| session.to_saved().0 != 0);
        let mut used: Vec<PeerId> = heard.map(|(peer, _)| peer).collect();
        // Nothing else is kept of peers beyond the limit, whose announcements are refused.
        used.extend(withdrawn.filter(|peer| peer.0 < PEERS_MAX));
        used.sort_unstable();
        used.dedup();
        let mut peers = Vec::with_capacity(used.len());
        for peer in used {
            let name = names.get(peer).ok_or(SnapshotError::UnknownPeer(peer))?;
            if name.collector.len() > COLLECTOR_OCTETS_MAX {
                return Err(SnapshotError::NameTooLong);
            }
            peers.push((peer, name));
        }
        peers.sort_unstable_by_key(|(_, name)| *name);
        let mut numbers = Vec::new();
        for ((peer, _), number) in peers.iter().zip(0..) {
            let at = usize::try_from(peer.0).unwrap_or(usize::MAX);
            if numbers.len() <= at {
                numbers.resize(at + 1, None);
            }
            if let Some(place) = numbers.get_mut(at) {
                *place = Some(number);
            }
        }
        Ok(PeerOrder { peers, numbers })
    }

    fn number(&self, peer: PeerId) -> Option<u32> {
        *self.numbers.get(usize::try_from(peer.0).ok()?)?
    }
}

fn write_peer<W: Write>(
    rib: &AdjRibIn,
    (peer, name): (PeerId, &Peer),
    frames: &mut Frames<'_, W>,
) -> Result<(), SnapshotError> {
    frames.break_after(FrameKind::Peers)?;
    frames.octets(name.collector.as_bytes());
    frames.number(u64::from(name.asn.0));
    match name.addr {
        std::net::IpAddr::V4(addr) => frames.octets(&addr.octets()),
        std::net::IpAddr::V6(addr) => frames.octets(&addr.octets()),
    }
    let session = rib.session(peer).copied().unwrap_or_default();
    let (flags, times) = session.to_saved();
    frames.payload.push(flags);
    times.for_each(|time| frames.time(time));
    Ok(())
}

/// Writes all routes.
struct Routes<'a> {
    rib: &'a AdjRibIn,
    order: &'a PeerOrder<'a>,
    /// Numbers of the sets already written.
    sets: HashMap<AttributeId, u32, Hasher>,
    /// Last set of each peer.
    last_sets: Vec<Option<AttributeId>>,
    last_secs: i64,
}

impl<'a> Routes<'a> {
    fn new(rib: &'a AdjRibIn, order: &'a PeerOrder<'a>) -> Self {
        let last_sets = vec![None; order.peers.len()];
        let sets = HashMap::with_capacity_and_hasher(rib.attributes.len(), Hasher::default());
        Routes { rib, order, sets, last_sets, last_secs: 0 }
    }

    fn write<W: Write>(
        mut self,
        frames: &mut Frames<'_, W>,
        totals: &mut Totals,
    ) -> Result<(), SnapshotError> {
        let mut routes: Vec<(u32, StoredRoute)> = Vec::new();
        frames.begin(FrameKind::Routes);
        for (prefix, list) in self.rib.lists.iter_sorted() {
            routes.clear();
            for &route in self.rib.store.routes(list) {
                let number = self.order.number(route.peer());
                routes.push((number.ok_or(SnapshotError::UnknownPeer(route.peer()))?, route));
            }
            if !routes.is_sorted_by_key(|(number, _)| *number) {
                routes.sort_unstable_by_key(|(number, _)| *number);
            }
            frames.break_after(FrameKind::Routes)?;
            frames.prefix(&prefix);
            let mut next_peer = 0;
            for (number, route) in &routes {
                if next_peer > 0 && frames.is_full() {
                    // The rest of the prefix goes on in the next frame.
                    frames.number(0);
                    frames.break_after(FrameKind::Routes)?;
                    frames.prefix(&prefix);
                    next_peer = 0;
                }
                frames.number(u64::from(number - next_peer) + 1);
                next_peer = number + 1;
                self.write_route(*number, *route, frames);
            }
            frames.number(0);
            totals.prefixes += 1;
            totals.routes += routes.len() as u64;
        }
        totals.attribute_sets = self.sets.len() as u64;
        frames.end()
    }

    fn write_route<W: Write>(
        &mut self,
        number: u32,
        route: StoredRoute,
        frames: &mut Frames<'_, W>,
    ) {
        let StoredTime { secs, fraction } = route.time();
        let delta = i64::from(secs) - self.last_secs;
        self.last_secs = i64::from(secs);
        frames.number(zigzag(delta) << 1 | u64::from(fraction > 0));
        if fraction > 0 {
            frames.number(u64::from(fraction));
        }
        let id = route.attributes();
        let last = usize::try_from(number).ok().and_then(|at| self.last_sets.get_mut(at));
        if let Some(last) = last
            && last.replace(id) == Some(id)
        {
            return frames.number(1);
        }
        let next = u32::try_from(self.sets.len()).unwrap_or(u32::MAX);
        if let Some(held) = self.sets.get(&id) {
            return frames.number(u64::from(next - held) + 1);
        }
        self.sets.insert(id, next);
        frames.number(0);
        frames.octets(self.rib.attributes.octets_of(id));
    }
}

/// Maps small numbers of either sign to small ones without.
fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}

/// Collects what is written in frames.
struct Frames<'a, W> {
    out: &'a mut W,
    /// Kind and content of the frame.
    payload: Vec<u8>,
}

impl<W: Write> Frames<'_, W> {
    fn begin(&mut self, kind: FrameKind) {
        self.payload.clear();
        self.payload.push(kind as u8);
    }

    /// Writes the frame, unless it is empty. It is below [`super::FRAME_OCTETS_MAX`]: closed
    /// after [`FRAME_OCTETS`], and no name or attribute set takes it as far as that.
    fn end(&mut self) -> Result<(), SnapshotError> {
        if self.payload.len() <= 1 {
            return Ok(());
        }
        let len = u32::try_from(self.payload.len()).unwrap_or(u32::MAX);
        self.out.write_all(&len.to_be_bytes())?;
        self.out.write_all(&crc32fast::hash(&self.payload).to_be_bytes())?;
        self.out.write_all(&self.payload)?;
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.payload.len() >= FRAME_OCTETS
    }

    /// Begins another frame when this one is full.
    fn break_after(&mut self, kind: FrameKind) -> Result<(), SnapshotError> {
        if self.is_full() {
            self.end()?;
            self.begin(kind);
        }
        Ok(())
    }

    /// Seven bits an octet, the least significant first; all but the last have the top bit set.
    fn number(&mut self, mut value: u64) {
        while value > 0x7f {
            self.payload.push(0x80 | value.to_le_bytes()[0]);
            value >>= 7;
        }
        self.payload.push(value.to_le_bytes()[0]);
    }

    fn octets(&mut self, octets: &[u8]) {
        self.number(octets.len() as u64);
        self.payload.extend_from_slice(octets);
    }

    fn time(&mut self, time: Timestamp) {
        let bound = TIME_SECS_MAX * 1_000_000;
        self.number(zigzag(time.micros().clamp(-bound, bound)));
    }

    fn prefix(&mut self, prefix: &Prefix) {
        let family = if prefix.family() == AddressFamily::Ipv4 { 4 } else { 6 };
        self.payload.extend_from_slice(&[family, prefix.len()]);
        let octets = prefix.bits().to_be_bytes();
        let used = usize::from(prefix.len().div_ceil(8));
        self.payload.extend_from_slice(octets.get(..used).unwrap_or_default());
    }
}
