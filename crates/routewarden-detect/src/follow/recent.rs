//! What routes were before they changed: of the last minutes, in bounded room.

use std::collections::VecDeque;

use routewarden_core::rib::RouteChange;
use routewarden_core::{PeerId, Prefix, Timestamp};

/// Most octets of changes kept to look back at: some 600,000 changes.
pub const RECENT_OCTETS_MAX: usize = 64 << 20;
/// Changes are kept for so long at most.
pub const RECENT_SECS_MAX: i64 = 1_800;
/// Room is taken and given back in pieces of this size.
const CHUNK_OCTETS: usize = 1 << 18;
/// Longest record beside the attributes.
const HEAD_OCTETS: usize = 8 + 8 + 4 + 2 + 4;

const IS_ROUTE: u8 = 1;
const HAS_BEFORE: u8 = 2;
const WAS_UNKNOWN: u8 = 4;
const IS_UP: u8 = 8;
const IS_IPV4: u8 = 16;

/// What a record tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What<'a> {
    /// A route changed.
    Route {
        /// The prefix.
        prefix: Prefix,
        /// Attributes before; `None` without a route.
        before: Option<&'a [u8]>,
        /// Whether the route before had been lost to sight.
        was_unknown: bool,
    },
    /// A session was lost.
    PeerDown,
    /// A session is back.
    PeerUp,
}

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) seq: u64,
    pub(super) time: Timestamp,
    pub(super) peer: PeerId,
    pub(super) what: What<'a>,
}

#[derive(Debug, Default)]
struct Chunk {
    octets: Vec<u8>,
    /// The latest time in it.
    latest: Timestamp,
}

/// The last changes, oldest first.
#[derive(Debug, Default)]
pub(super) struct Recent {
    chunks: VecDeque<Chunk>,
    octets: usize,
    /// From this time on nothing is missing.
    known_since: Timestamp,
}

impl Recent {
    /// Keeps what happens from `now` on.
    pub(super) fn since(now: Timestamp) -> Self {
        Recent { known_since: now, ..Recent::default() }
    }

    /// From when on all changes are there.
    pub(super) fn known_since(&self) -> Timestamp {
        self.known_since
    }

    #[inline]
    pub(super) fn push_route(&mut self, seq: u64, change: &RouteChange, before: Option<&[u8]>) {
        let prefix = change.prefix;
        let flags = IS_ROUTE
            | if before.is_some() { HAS_BEFORE } else { 0 }
            | if change.before_unknown { WAS_UNKNOWN } else { 0 }
            | if prefix.is_ipv4() { IS_IPV4 } else { 0 };
        let bits = prefix.bits().to_be_bytes();
        let bits = bits.get(..if prefix.is_ipv4() { 4 } else { 16 }).unwrap_or_default();
        let before = before.unwrap_or_default();
        self.push((seq, change.time, change.peer), (flags, prefix.len()), (bits, before));
    }

    pub(super) fn push_session(
        &mut self,
        seq: u64,
        (time, peer): (Timestamp, PeerId),
        is_up: bool,
    ) {
        let flags = if is_up { IS_UP } else { 0 };
        self.push((seq, time, peer), (flags, 0), (&[], &[]));
    }

    #[inline]
    fn push(
        &mut self,
        (seq, time, peer): (u64, Timestamp, PeerId),
        (flags, len): (u8, u8),
        (bits, before): (&[u8], &[u8]),
    ) {
        let octets = HEAD_OCTETS + bits.len() + before.len();
        let has_room = self
            .chunks
            .back()
            .is_some_and(|last| last.octets.len() + octets <= last.octets.capacity());
        if !has_room {
            self.begin_chunk(time, octets);
        }
        let Some(Chunk { octets: out, latest }) = self.chunks.back_mut() else { return };
        *latest = time.max(*latest);
        let before_len = u32::try_from(before.len()).unwrap_or(0).to_be_bytes();
        out.extend_from_slice(&seq.to_be_bytes());
        out.extend_from_slice(&time.micros().to_be_bytes());
        out.extend_from_slice(&peer.0.to_be_bytes());
        out.extend_from_slice(&[flags, len]);
        out.extend_from_slice(&before_len);
        out.extend_from_slice(bits);
        out.extend_from_slice(before);
    }

    /// Makes room for a record; what is too old, or too much, goes.
    #[cold]
    fn begin_chunk(&mut self, now: Timestamp, octets: usize) {
        let wanted = octets.max(CHUNK_OCTETS);
        let mut spare = Vec::new();
        while let Some(first) = self.chunks.front() {
            let is_old = now.secs_since(first.latest) > RECENT_SECS_MAX;
            if !is_old && self.octets + wanted <= RECENT_OCTETS_MAX {
                break;
            }
            let Some(first) = self.chunks.pop_front() else { break };
            self.octets -= first.octets.capacity();
            // What has the same time may have been in it.
            let next = Timestamp::from_micros(first.latest.micros().saturating_add(1));
            self.known_since = self.known_since.max(next);
            spare = first.octets;
        }
        spare.clear();
        if spare.capacity() != wanted {
            spare = Vec::with_capacity(wanted);
        }
        self.octets += spare.capacity();
        self.chunks.push_back(Chunk { octets: spare, latest: Timestamp::default() });
    }

    /// All that is kept, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        self.chunks.iter().flat_map(|chunk| {
            let mut rest = chunk.octets.as_slice();
            std::iter::from_fn(move || read(&mut rest))
        })
    }
}

fn read<'a>(rest: &mut &'a [u8]) -> Option<Record<'a>> {
    let seq = u64::from_be_bytes(*take(rest)?);
    let time = Timestamp::from_micros(i64::from_be_bytes(*take(rest)?));
    let peer = PeerId(u32::from_be_bytes(*take(rest)?));
    let &[flags, len] = take(rest)?;
    let before_len = usize::try_from(u32::from_be_bytes(*take(rest)?)).ok()?;
    let what = if flags & IS_ROUTE == 0 {
        if flags & IS_UP == 0 { What::PeerDown } else { What::PeerUp }
    } else {
        let prefix = if flags & IS_IPV4 != 0 {
            Prefix::v4(u32::from_be_bytes(*take(rest)?), len)?
        } else {
            Prefix::v6(u128::from_be_bytes(*take(rest)?), len)?
        };
        let (before, after) = rest.split_at_checked(before_len)?;
        *rest = after;
        let before = (flags & HAS_BEFORE != 0).then_some(before);
        What::Route { prefix, before, was_unknown: flags & WAS_UNKNOWN != 0 }
    };
    Some(Record { seq, time, peer, what })
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (head, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(secs: u32, prefix: &str) -> RouteChange {
        RouteChange {
            time: Timestamp::from_secs(secs),
            peer: PeerId(7),
            prefix: prefix.parse().unwrap(),
            before: None,
            before_unknown: secs % 2 == 1,
            after: None,
            in_transfer: false,
        }
    }

    #[test]
    fn what_is_put_in_comes_out_in_order() {
        let mut recent = Recent::since(Timestamp::from_secs(5));
        let prefixes = ["192.0.2.0/24", "2001:db8::/32", "0.0.0.0/0", "2001:db8::1/128"];
        for (secs, prefix) in (10..).zip(prefixes) {
            recent.push_route(
                u64::from(secs),
                &change(secs, prefix),
                Some(&[u8::try_from(secs).unwrap(); 3]),
            );
        }
        recent.push_session(20, (Timestamp::from_secs(20), PeerId(9)), false);
        recent.push_session(21, (Timestamp::from_secs(21), PeerId(9)), true);
        recent.push_route(22, &change(22, "192.0.2.0/25"), None);
        let records: Vec<Record<'_>> = recent.iter().collect();
        let seqs: Vec<u64> = records.iter().map(|record| record.seq).collect();
        assert_eq!(seqs, [10, 11, 12, 13, 20, 21, 22]);
        for (record, prefix) in records.iter().zip(prefixes) {
            let before = [u8::try_from(record.seq).unwrap(); 3];
            let what = What::Route {
                prefix: prefix.parse().unwrap(),
                before: Some(&before),
                was_unknown: record.seq % 2 == 1,
            };
            assert_eq!(record.what, what);
            assert_eq!((record.time.secs().unsigned_abs(), record.peer), (record.seq, PeerId(7)));
        }
        assert_eq!([records[4].what, records[5].what], [What::PeerDown, What::PeerUp]);
        let last = "192.0.2.0/25".parse().unwrap();
        let withdrawn = What::Route { prefix: last, before: None, was_unknown: false };
        assert_eq!(records[6].what, withdrawn);
        assert_eq!(recent.known_since(), Timestamp::from_secs(5));
    }

    #[test]
    fn it_is_bounded_in_octets_and_in_time_and_knows_what_is_missing() {
        let mut recent = Recent::default();
        let before = vec![0; 1_000];
        let pushes = RECENT_OCTETS_MAX / 1_000 * 3 / 2;
        for seq in 0..pushes {
            let secs = u32::try_from(seq / 1_000).unwrap();
            recent.push_route(seq as u64, &change(secs, "192.0.2.0/24"), Some(&before));
            assert!(recent.octets <= RECENT_OCTETS_MAX);
        }
        let kept: Vec<u64> = recent.iter().map(|record| record.seq).collect();
        assert_eq!(kept.last(), Some(&(pushes as u64 - 1)));
        let is_known = |record: &Record<'_>| record.time >= recent.known_since();
        let known = recent.iter().filter(is_known).count();
        assert!(kept.len() * 9 / 10 < known && known < kept.len());
        assert!(kept.len() * 1_000 > RECENT_OCTETS_MAX * 9 / 10, "{}", kept.len());

        let late =
            u32::try_from(pushes / 1_000).unwrap() + 2 * u32::try_from(RECENT_SECS_MAX).unwrap();
        for secs in late..late + 1_000 {
            recent.push_route(0, &change(secs, "192.0.2.0/24"), Some(&before));
        }
        let old = recent.iter().filter(|record| record.time.secs() < i64::from(late)).count();
        assert!(old * 1_000 <= CHUNK_OCTETS, "what lies in one piece with later ones: {old}");
        assert!(recent.octets < 8 * CHUNK_OCTETS);
        assert!(recent.known_since() > Timestamp::from_secs(10));
    }

    #[test]
    fn a_long_record_has_a_piece_of_its_own() {
        let mut recent = Recent::default();
        let long = vec![3; CHUNK_OCTETS * 2];
        recent.push_route(1, &change(1, "192.0.2.0/24"), Some(&long));
        recent.push_route(2, &change(2, "192.0.2.0/24"), Some(&[1]));
        let lengths: Vec<usize> = recent
            .iter()
            .map(|record| match record.what {
                What::Route { before, .. } => before.map_or(0, <[u8]>::len),
                _ => 0,
            })
            .collect();
        assert_eq!(lengths, [long.len(), 1]);
    }
}
