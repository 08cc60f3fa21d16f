//! Reading a snapshot. Everything read is taken for hostile.

use std::io::Read;
use std::net::IpAddr;

use super::super::attribute_table::SET_OCTETS_MAX;
use super::super::route_store::{PEERS_MAX, StoredRoute, StoredTime};
use super::super::{
    AdjRibIn, AttributeId, RECENT_WITHDRAWALS_MAX, RibCounters, RibLimits, Session, session_mut,
};
use super::{
    COLLECTOR_OCTETS_MAX, FRAME_OCTETS_MAX, FrameKind, MAGIC, SnapshotError, TIME_SECS_MAX, Totals,
    VERSION,
};
use crate::{Asn, Peer, PeerId, PeerTable, Prefix, RouteAttributes, Timestamp};

pub(super) fn restore(
    input: &mut impl Read,
    limits: RibLimits,
    peers: &mut PeerTable,
    classify: &mut impl FnMut(&RouteAttributes<'_>) -> u8,
) -> Result<AdjRibIn, SnapshotError> {
    let mut frames = Frames { input, payload: Vec::new(), at: 0, begin: 0, end: 0 };
    frames.read_head()?;
    let mut restore = Restore {
        rib: AdjRibIn::with_limits(limits),
        peers: Vec::new(),
        sets: Vec::new(),
        current: None,
        routes: Vec::new(),
        last_secs: 0,
        classify,
    };
    let (mut last_name, mut last_kind) = (None, FrameKind::Peers);
    loop {
        let kind = frames.next_frame()?;
        if kind < last_kind {
            return Err(frames.malformed("order of frames"));
        }
        last_kind = kind;
        while !frames.is_at_end() {
            match kind {
                FrameKind::Peers => restore.peer(&mut frames, peers, &mut last_name)?,
                FrameKind::Routes => restore.prefix(&mut frames)?,
                FrameKind::Withdrawals => restore.withdrawal(&mut frames)?,
                FrameKind::End => return restore.end(&mut frames),
            }
        }
    }
}

/// A peer of the snapshot.
struct SavedPeer {
    id: PeerId,
    last_set: Option<AttributeId>,
}

struct Restore<'a, C> {
    rib: AdjRibIn,
    peers: Vec<SavedPeer>,
    sets: Vec<AttributeId>,
    /// The prefix whose routes come, and the number of the next peer that may have one.
    current: Option<(Prefix, u64)>,
    /// Its routes so far.
    routes: Vec<StoredRoute>,
    last_secs: i64,
    classify: &'a mut C,
}

impl<C: FnMut(&RouteAttributes<'_>) -> u8> Restore<'_, C> {
    fn peer<R: Read>(
        &mut self,
        frames: &mut Frames<'_, R>,
        table: &mut PeerTable,
        last_name: &mut Option<Peer>,
    ) -> Result<(), SnapshotError> {
        let collector = std::str::from_utf8(frames.octets()?).map(str::to_owned);
        let collector = collector.ok().filter(|name| name.len() <= COLLECTOR_OCTETS_MAX);
        let collector = collector.ok_or_else(|| frames.malformed("name of a collector"))?;
        let asn = u32::try_from(frames.number()?).map_err(|_| frames.malformed("ASN"))?;
        let octets = frames.octets()?;
        let addr = match (<[u8; 4]>::try_from(octets), <[u8; 16]>::try_from(octets)) {
            (Ok(v4), _) => IpAddr::from(v4),
            (_, Ok(v6)) => IpAddr::from(v6),
            _ => return Err(frames.malformed("address of a peer")),
        };
        let flags = frames.octet()?;
        let session = Session::from_saved(flags, || frames.time())?;
        let session = session.ok_or_else(|| frames.malformed("flags of a session"))?;
        let name = Peer { collector, asn: Asn(asn), addr };
        if last_name.as_ref().is_some_and(|last| *last >= name) {
            return Err(frames.malformed("order of peers"));
        }
        let id = table.intern(&name);
        if id.0 >= PEERS_MAX {
            return Err(frames.over_limit("peers"));
        }
        *last_name = Some(name);
        if flags != 0 {
            *session_mut(&mut self.rib.sessions, id) = session;
        }
        self.peers.push(SavedPeer { id, last_set: None });
        Ok(())
    }

    /// Reads routes to a prefix, which may be the rest of one that the last frame began.
    fn prefix<R: Read>(&mut self, frames: &mut Frames<'_, R>) -> Result<(), SnapshotError> {
        let prefix = frames.prefix()?;
        match self.current {
            Some((current, _)) if current == prefix => {}
            Some((current, _)) if current > prefix => {
                return Err(frames.malformed("order of prefixes"));
            }
            _ => {
                self.finish_prefix(frames)?;
                if self.rib.lists.len() >= self.rib.limits.prefixes_max {
                    return Err(frames.over_limit("prefixes"));
                }
                self.current = Some((prefix, 0));
            }
        }
        let mut next_peer = 0;
        loop {
            let gap = frames.number()?;
            if gap == 0 {
                break;
            }
            let number = (gap - 1).checked_add(next_peer);
            let number = number.ok_or_else(|| frames.malformed("number of a peer"))?;
            if self.current.is_none_or(|(_, least)| number < least) {
                return Err(frames.malformed("order of routes"));
            }
            next_peer = number + 1;
            self.current = Some((prefix, next_peer));
            if self.rib.route_count + self.routes.len() >= self.rib.limits.routes_max {
                return Err(frames.over_limit("routes"));
            }
            self.route(number, frames)?;
        }
        if self.routes.is_empty() {
            return Err(frames.malformed("prefix without routes"));
        }
        Ok(())
    }

    fn route<R: Read>(
        &mut self,
        number: u64,
        frames: &mut Frames<'_, R>,
    ) -> Result<(), SnapshotError> {
        let step = frames.number()?;
        let secs = self.last_secs.checked_add(unzigzag(step >> 1));
        let secs = secs.filter(|secs| u32::try_from(*secs).is_ok());
        self.last_secs = secs.ok_or_else(|| frames.malformed("time of a route"))?;
        let fraction = if step & 1 == 0 { 0 } else { frames.number()? };
        let time = StoredTime::new(self.last_secs, fraction);
        let time = time.ok_or_else(|| frames.malformed("time of a route"))?;
        let code = frames.number()?;
        let at = usize::try_from(number).ok();
        let Some(peer) = at.and_then(|at| self.peers.get_mut(at)) else {
            return Err(frames.malformed("number of a peer"));
        };
        let attributes = &mut self.rib.attributes;
        let id = match code {
            0 => {
                let room = self.rib.limits.attribute_octets_max.saturating_add(SET_OCTETS_MAX);
                if attributes.octets() >= room {
                    return Err(frames.over_limit("octets of attributes"));
                }
                let id = attributes.intern(peer.id, frames.octets()?, self.classify);
                let id = id.ok_or_else(|| frames.over_limit("octets of attributes"))?;
                self.sets.push(id);
                id
            }
            1 => peer.last_set.ok_or_else(|| frames.malformed("number of an attribute set"))?,
            _ => {
                let at = usize::try_from(code - 1).ok();
                let at = at.and_then(|back| self.sets.len().checked_sub(back));
                let id = at.and_then(|at| self.sets.get(at)).copied();
                id.ok_or_else(|| frames.malformed("number of an attribute set"))?
            }
        };
        if code != 0 {
            attributes.refer(id);
        }
        peer.last_set = Some(id);
        let route = StoredRoute::new(peer.id, id, time);
        self.routes.push(route.ok_or_else(|| frames.malformed("number of a peer"))?);
        Ok(())
    }

    /// Puts the routes read into the table.
    fn finish_prefix<R: Read>(&mut self, frames: &Frames<'_, R>) -> Result<(), SnapshotError> {
        let Some((prefix, _)) = self.current.take() else { return Ok(()) };
        if !self.routes.is_sorted_by_key(|route| route.peer()) {
            self.routes.sort_unstable_by_key(|route| route.peer());
        }
        let rib = &mut self.rib;
        if !rib.store.fill(rib.lists.get_or_default(prefix), &self.routes) {
            return Err(frames.over_limit("routes"));
        }
        for route in &self.routes {
            session_mut(&mut rib.sessions, route.peer()).count_route(prefix.family(), 1);
        }
        rib.route_count += self.routes.len();
        self.routes.clear();
        Ok(())
    }

    fn withdrawal<R: Read>(&mut self, frames: &mut Frames<'_, R>) -> Result<(), SnapshotError> {
        let (number, time, prefix) = (frames.number()?, frames.time()?, frames.prefix()?);
        let peer = usize::try_from(number >> 1).ok().and_then(|at| self.peers.get(at));
        let peer = peer.ok_or_else(|| frames.malformed("number of a peer"))?.id;
        if self.rib.withdrawal_order.len() >= RECENT_WITHDRAWALS_MAX {
            return Err(frames.over_limit("withdrawals"));
        }
        self.rib.withdrawal_order.push_back((time, peer, prefix));
        if number & 1 == 1 {
            self.rib.recent_withdrawals.insert((peer, prefix), time);
        }
        Ok(())
    }

    fn end<R: Read>(mut self, frames: &mut Frames<'_, R>) -> Result<AdjRibIn, SnapshotError> {
        self.finish_prefix(frames)?;
        self.rib.now = frames.time()?;
        self.rib.latest_withdrawal = frames.time()?;
        self.rib.counters = RibCounters {
            duplicate_announcements: frames.number()?,
            needless_withdrawals: frames.number()?,
            late_events: frames.number()?,
            over_limit: frames.number()?,
        };
        let told = Totals {
            peers: frames.number()?,
            prefixes: frames.number()?,
            routes: frames.number()?,
            attribute_sets: frames.number()?,
            withdrawals: frames.number()?,
        };
        let found = Totals {
            peers: self.peers.len() as u64,
            prefixes: self.rib.lists.len() as u64,
            routes: self.rib.route_count as u64,
            attribute_sets: self.sets.len() as u64,
            withdrawals: self.rib.withdrawal_order.len() as u64,
        };
        if told != found || !frames.is_at_end() {
            return Err(frames.malformed("last frame"));
        }
        Ok(self.rib)
    }
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

/// Reads frame after frame.
struct Frames<'a, R> {
    input: &'a mut R,
    /// Kind and content of the frame, once its checksum was found right.
    payload: Vec<u8>,
    /// Place in the payload.
    at: usize,
    /// Offsets of the frame's first octet and of the one behind it.
    begin: u64,
    end: u64,
}

impl<R: Read> Frames<'_, R> {
    fn read_head(&mut self) -> Result<(), SnapshotError> {
        let magic: [u8; MAGIC.len()] = self.exact()?;
        if magic != MAGIC {
            return Err(SnapshotError::NotASnapshot);
        }
        let version = u32::from_be_bytes(self.exact()?);
        if version != VERSION {
            return Err(SnapshotError::UnknownVersion(version));
        }
        Ok(())
    }

    fn exact<const N: usize>(&mut self) -> Result<[u8; N], SnapshotError> {
        let mut octets = [0; N];
        self.input.read_exact(&mut octets).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => SnapshotError::Ended { offset: self.begin },
            _ => SnapshotError::Io(error),
        })?;
        self.end += N as u64;
        Ok(octets)
    }

    fn next_frame(&mut self) -> Result<FrameKind, SnapshotError> {
        self.begin = self.end;
        let len = u32::from_be_bytes(self.exact()?);
        let checksum = u32::from_be_bytes(self.exact()?);
        self.payload.clear();
        self.at = 0;
        let len_max = FRAME_OCTETS_MAX as u64;
        if u64::from(len) > len_max {
            return Err(self.malformed("length of a frame"));
        }
        // Grows with what arrives, not with what the frame claims.
        let mut rest = self.input.by_ref().take(u64::from(len));
        let read = rest.read_to_end(&mut self.payload)?;
        if read as u64 != u64::from(len) {
            return Err(SnapshotError::Ended { offset: self.begin });
        }
        self.end += u64::from(len);
        if crc32fast::hash(&self.payload) != checksum {
            return Err(SnapshotError::Checksum { offset: self.begin });
        }
        let kind = self.octet()?;
        FrameKind::from_octet(kind).ok_or_else(|| self.malformed("kind of a frame"))
    }

    fn is_at_end(&self) -> bool {
        self.at >= self.payload.len()
    }

    fn offset(&self) -> u64 {
        self.end - self.payload.len() as u64 + self.at as u64
    }

    fn malformed(&self, field: &'static str) -> SnapshotError {
        SnapshotError::Malformed { field, offset: self.offset() }
    }

    fn over_limit(&self, what: &'static str) -> SnapshotError {
        SnapshotError::OverLimit { what, offset: self.offset() }
    }

    fn octet(&mut self) -> Result<u8, SnapshotError> {
        let octet = self.payload.get(self.at).copied();
        let octet = octet.ok_or_else(|| self.malformed("end of a frame"))?;
        self.at += 1;
        Ok(octet)
    }

    fn number(&mut self) -> Result<u64, SnapshotError> {
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let octet = self.octet()?;
            let bits = u64::from(octet & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            value |= bits << shift;
            if octet & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.malformed("number"))
    }

    fn octets(&mut self) -> Result<&[u8], SnapshotError> {
        let len = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        let end = self.at.checked_add(len).filter(|&end| end <= self.payload.len());
        let end = end.ok_or_else(|| self.malformed("length of octets"))?;
        let octets = self.payload.get(self.at..end).unwrap_or_default();
        self.at = end;
        Ok(octets)
    }

    fn time(&mut self) -> Result<Timestamp, SnapshotError> {
        let micros = unzigzag(self.number()?);
        if micros.unsigned_abs() > TIME_SECS_MAX.unsigned_abs() * 1_000_000 {
            return Err(self.malformed("time"));
        }
        Ok(Timestamp::from_micros(micros))
    }

    fn prefix(&mut self) -> Result<Prefix, SnapshotError> {
        let (family, len) = (self.octet()?, self.octet()?);
        let mut octets = [0; 16];
        for place in octets.iter_mut().take(usize::from(len.div_ceil(8))) {
            *place = self.octet()?;
        }
        let bits = u128::from_be_bytes(octets);
        let prefix = match family {
            4 => u32::try_from(bits >> 96).ok().and_then(|addr| Prefix::v4(addr, len)),
            6 => Prefix::v6(bits, len),
            _ => None,
        };
        // Written octets hold no bits beyond the length.
        prefix.filter(|prefix| prefix.bits() == bits).ok_or_else(|| self.malformed("prefix"))
    }
}
