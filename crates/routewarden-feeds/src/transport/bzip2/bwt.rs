//! Undoes the Burrows-Wheeler transform.
//!
//! The text is a chain of places that must be followed one by one: each step waits for memory. But
//! a chain may be entered anywhere. So it is entered at many places at once, and [`LANES`] steps
//! are under way together; each lane notes a *segment* of the text up to where another segment
//! begins, and then takes the next one. In the end the segments are put in order.

use super::block::Run;

/// Places followed at once: as many as there are registers and memory accesses to keep busy.
const LANES: usize = 8;
/// Most steps of all lanes before their octets are put away.
const STEPS: usize = 256;
/// Octets per segment, on average, at least.
const SEGMENT_OCTETS_MIN: usize = 1024;
/// Most segments: the more, the more even the work of the lanes.
const SEGMENTS_MAX: usize = 256;

/// Places of a table, a power of two so that no access is out of bounds: more than the longest
/// block has.
const PLACES: usize = IDLE as usize + 1;
/// The last place, which no block uses: lanes without work turn round here.
const IDLE: u32 = (1 << 20) - 1;
/// An entry of the table: the octet in the lowest 8 bits, above it 20 bits of the next place, and
/// whether a segment begins at that place.
const NEXT_SHIFT: u32 = 8;
const SEGMENT_ENDS: u32 = 1 << 20;

/// A stretch of the text, in the octets of a lane.
#[derive(Clone, Copy, Default)]
struct Segment {
    lane: usize,
    from: usize,
    to: usize,
    /// Segment behind it.
    next: usize,
}

/// Memory to undo transforms with: 4 MiB, and at most 7 MB for the text.
pub(super) struct Inverse {
    table: Box<[u32]>,
    lanes: [Vec<u8>; LANES],
    segments: Vec<Segment>,
}

/// Which places segments begin at: every so many, and the first octet of the text.
#[derive(Clone, Copy)]
struct Starts {
    stride: usize,
    count: usize,
    origin: usize,
}

impl Starts {
    fn new(length: usize, origin: usize) -> Self {
        let count = (length / SEGMENT_OCTETS_MIN).clamp(1, SEGMENTS_MAX);
        let stride = length.div_ceil(count).max(1);
        Starts { stride, count: length.div_ceil(stride), origin }
    }

    /// Place where a segment begins; the one after the last is the origin.
    fn place(&self, segment: usize) -> u32 {
        let place = if segment < self.count { segment * self.stride } else { self.origin };
        u32::try_from(place).unwrap_or(IDLE)
    }

    /// Segment that begins at a place where one begins.
    fn segment(&self, place: usize) -> usize {
        if place.is_multiple_of(self.stride) { place / self.stride } else { self.count }
    }

    /// All segments; the origin is one more unless it is a start anyway.
    fn total(&self) -> usize {
        self.count + usize::from(!self.origin.is_multiple_of(self.stride))
    }

    /// The first place from `place` where a segment begins.
    fn at_or_after(&self, place: usize) -> usize {
        let regular = place.next_multiple_of(self.stride);
        if self.origin >= place { regular.min(self.origin) } else { regular }
    }
}

impl Inverse {
    pub(super) fn new() -> Self {
        let mut table = vec![0; PLACES].into_boxed_slice();
        if let Some(idle) = table.last_mut() {
            *idle = IDLE << NEXT_SHIFT;
        }
        Inverse { table, lanes: Default::default(), segments: Vec::new() }
    }

    /// Gives the text whose transform the runs are, from the one that stands at `origin` in the
    /// order of its rotations. `counts` says how often each octet occurs in the runs.
    pub(super) fn undo(
        &mut self,
        runs: &[Run],
        counts: &[u32; 256],
        origin: usize,
        text: &mut Vec<u8>,
    ) {
        let length = counts.iter().map(|count| *count as usize).sum::<usize>();
        let starts = Starts::new(length, origin);
        self.link(runs, counts, starts);
        self.follow(starts);
        self.join(starts, length, text);
    }

    /// Fills the table: the place of every octet in sorted order leads to its place in the runs.
    fn link(&mut self, runs: &[Run], counts: &[u32; 256], starts: Starts) {
        let mut places = [0u32; 256];
        let mut before = 0;
        for (place, count) in places.iter_mut().zip(counts) {
            *place = before;
            before += count;
        }
        let (mut at, mut start) = (0u32, starts.at_or_after(0));
        for run in runs {
            let (octet, length) = (run.octet(), run.length());
            let Some(place) = places.get_mut(usize::from(octet)) else { continue };
            let from = *place as usize;
            *place = place.wrapping_add(length);
            let Some(entries) = self.table.get_mut(from..from + length as usize) else { continue };
            let mut entry = at << NEXT_SHIFT | u32::from(octet);
            for to in entries.iter_mut() {
                *to = entry;
                entry = entry.wrapping_add(1 << NEXT_SHIFT);
            }
            let end = at + length;
            while start < end as usize {
                if let Some(last) = entries.get_mut(start - at as usize) {
                    *last |= SEGMENT_ENDS << NEXT_SHIFT;
                }
                start = starts.at_or_after(start + 1);
            }
            at = end;
        }
    }

    /// Notes all segments.
    fn follow(&mut self, starts: Starts) {
        let Inverse { table, lanes, segments } = self;
        let Ok(table) = <&[u32; PLACES]>::try_from(&**table) else { return };
        lanes.iter_mut().for_each(Vec::clear);
        segments.clear();
        segments.resize(starts.total(), Segment::default());
        let mut waiting = 0..starts.total();
        let mut places = [IDLE; LANES];
        let mut under_way = [usize::MAX; LANES];
        let mut busy = 0;
        for (lane, (place, segment)) in places.iter_mut().zip(&mut under_way).enumerate() {
            if let Some(next) = waiting.next() {
                *place = starts.place(next);
                *segment = next;
                busy += 1;
                if let Some(noted) = segments.get_mut(next) {
                    noted.lane = lane;
                }
            }
        }
        let mut octets = [[0; STEPS]; LANES];
        while busy > 0 {
            let steps = steps(table, &mut places, &mut octets);
            let all = lanes.iter_mut().zip(&octets).zip(&mut places).zip(&mut under_way);
            for (lane, (((noted, octets), place), current)) in all.enumerate() {
                let Some(segment) = segments.get_mut(*current) else { continue };
                noted.extend_from_slice(octets.get(..steps).unwrap_or_default());
                if *place & SEGMENT_ENDS == 0 {
                    continue;
                }
                segment.to = noted.len();
                segment.next = starts.segment((*place & !SEGMENT_ENDS) as usize);
                *current = waiting.next().unwrap_or(usize::MAX);
                if let Some(next) = segments.get_mut(*current) {
                    *place = starts.place(*current);
                    (next.lane, next.from) = (lane, noted.len());
                } else {
                    *place = IDLE;
                    busy -= 1;
                }
            }
        }
    }

    /// Puts the segments in order. A text that repeats itself goes round several times.
    fn join(&self, starts: Starts, length: usize, text: &mut Vec<u8>) {
        text.reserve_exact(length);
        let mut segment = starts.segment(starts.origin);
        while text.len() < length {
            let Some(Segment { lane, from, to, next }) = self.segments.get(segment).copied() else {
                return;
            };
            let octets = self.lanes.get(lane).and_then(|lane| lane.get(from..to));
            let missing = length - text.len();
            let octets = octets.unwrap_or_default();
            text.extend_from_slice(octets.get(..missing).unwrap_or(octets));
            segment = next;
        }
    }
}

/// Goes on in all lanes until the segment of one of them ends, at most [`STEPS`]; how many steps
/// that were. The places of lanes whose segment ends are marked.
#[inline(never)]
fn steps(
    table: &[u32; PLACES],
    places: &mut [u32; LANES],
    octets: &mut [[u8; STEPS]; LANES],
) -> usize {
    let mut at = *places;
    let mut done = STEPS;
    for step in 0..STEPS {
        let mut seen = 0;
        for (place, octets) in at.iter_mut().zip(&mut *octets) {
            let entry = table.get(*place as usize % PLACES).copied().unwrap_or(0);
            *place = entry >> NEXT_SHIFT;
            seen |= *place;
            if let Some(octet) = octets.get_mut(step) {
                *octet = entry.to_le_bytes()[0];
            }
        }
        if seen & SEGMENT_ENDS != 0 {
            done = step + 1;
            break;
        }
    }
    *places = at;
    done
}
