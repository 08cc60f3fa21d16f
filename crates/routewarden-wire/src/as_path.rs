//! `AS_PATH` of two-octet sessions and its merge with `AS4_PATH` (RFC 6793 §4.2.3).

use routewarden_core::{AsPath, SegmentKind};

use crate::AsnWidth;
use crate::cursor::Cursor;

/// A segment on the wire.
#[derive(Clone, Copy)]
struct WireSegment<'a> {
    kind: SegmentKind,
    octets: &'a [u8],
}

impl WireSegment<'_> {
    fn is_confed(&self) -> bool {
        matches!(self.kind, SegmentKind::ConfedSequence | SegmentKind::ConfedSet)
    }

    /// What the segment adds to the length of the path (RFC 4271 §9.1.2.2.a, RFC 5065 §5.3).
    fn path_length(&self, width: AsnWidth) -> usize {
        match self.kind {
            SegmentKind::Sequence => self.octets.len() / width.octets(),
            SegmentKind::Set => usize::from(!self.octets.is_empty()),
            SegmentKind::ConfedSequence | SegmentKind::ConfedSet => 0,
        }
    }
}

#[inline]
fn next_segment<'a>(rest: &mut Cursor<'a>, width: AsnWidth) -> Option<WireSegment<'a>> {
    let kind = SegmentKind::from_octet(rest.u8()?)?;
    let count = rest.u8()?;
    let octets = rest.take(usize::from(count) * width.octets())?;
    Some(WireSegment { kind, octets })
}

fn segments(octets: &[u8], width: AsnWidth) -> impl Iterator<Item = WireSegment<'_>> {
    let mut rest = Cursor::new(octets);
    std::iter::from_fn(move || next_segment(&mut rest, width))
}

/// What checking a path found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PathCheck {
    pub(crate) has_empty_segment: bool,
    pub(crate) has_confed: bool,
}

/// `None` when the octets are no path.
#[inline]
pub(crate) fn check(octets: &[u8], width: AsnWidth) -> Option<PathCheck> {
    let mut found = PathCheck { has_empty_segment: false, has_confed: false };
    // Nearly every path is one sequence.
    if let Some((&[kind, count], asns)) = octets.split_first_chunk()
        && kind == SegmentKind::Sequence as u8
        && count > 0
        && asns.len() == usize::from(count) * width.octets()
    {
        return Some(found);
    }
    let mut rest = Cursor::new(octets);
    while rest.remaining() > 0 {
        let segment = next_segment(&mut rest, width)?;
        found.has_empty_segment |= segment.octets.is_empty();
        found.has_confed |= segment.is_confed();
    }
    Some(found)
}

/// Appends a segment in four-octet form.
#[inline]
fn push_segment(segment: WireSegment<'_>, width: AsnWidth, out: &mut Vec<u8>) {
    let count = segment.octets.len() / width.octets();
    out.push(segment.kind as u8);
    out.push(u8::try_from(count).unwrap_or(u8::MAX));
    push_asns(segment.octets, width, out);
}

#[inline]
fn push_asns(octets: &[u8], width: AsnWidth, out: &mut Vec<u8>) {
    match width {
        AsnWidth::Four => out.extend_from_slice(octets),
        AsnWidth::Two => {
            let (asns, _) = octets.as_chunks::<2>();
            out.extend(asns.iter().flat_map(|&[high, low]| [0, 0, high, low]));
        }
    }
}

/// A checked path of two-octet ASNs, widened into `scratch`. That is never shortened, so that it
/// need not be filled with zeros again.
#[inline]
pub(crate) fn widened<'s>(octets: &[u8], scratch: &'s mut Vec<u8>) -> Option<AsPath<'s>> {
    // Nearly every path is one sequence.
    if let Some((&[kind, count], asns)) = octets.split_first_chunk()
        && asns.len() == usize::from(count) * 2
    {
        let length = 2 + usize::from(count) * 4;
        if scratch.len() < length {
            scratch.resize(length, 0);
        }
        let path = scratch.get_mut(..length)?;
        let (head, wide) = path.split_first_chunk_mut()?;
        *head = [kind, count];
        for (wide, asn) in wide.as_chunks_mut::<4>().0.iter_mut().zip(asns.as_chunks().0) {
            *wide = (u32::from(u16::from_le_bytes(*asn)) << 16).to_le_bytes();
        }
        return AsPath::from_wire(path).ok();
    }
    scratch.clear();
    widen(octets, AsnWidth::Two, scratch);
    AsPath::from_wire(scratch).ok()
}

/// Writes a checked path in four-octet form.
pub(crate) fn widen(octets: &[u8], width: AsnWidth, out: &mut Vec<u8>) {
    for segment in segments(octets, width) {
        push_segment(segment, width, out);
    }
}

/// Writes `AS_PATH` merged with `AS4_PATH` in four-octet form (RFC 6793 §4.2.3): the leading
/// part of `AS_PATH` that `AS4_PATH` lacks, then `AS4_PATH`. An `AS4_PATH` longer than the
/// `AS_PATH` is ignored. Both paths must have been checked.
pub(crate) fn merge(octets: &[u8], width: AsnWidth, as4: &[u8], out: &mut Vec<u8>) {
    let new = || segments(as4, AsnWidth::Four).filter(|segment| !segment.is_confed());
    let length: usize = segments(octets, width).map(|s| s.path_length(width)).sum();
    let new_length: usize = new().map(|s| s.path_length(AsnWidth::Four)).sum();
    let Some(mut lacking) = length.checked_sub(new_length).filter(|_| new_length > 0) else {
        widen(octets, width, out);
        return;
    };
    let mut last = None;
    for segment in segments(octets, width) {
        if segment.is_confed() {
            // Kept while it leads or stands next to a segment that is kept.
            last = Some(out.len());
            push_segment(segment, width, out);
            continue;
        }
        if lacking == 0 {
            break;
        }
        last = Some(out.len());
        let count = segment.path_length(width).min(lacking);
        lacking -= count;
        let kept = if segment.kind == SegmentKind::Sequence {
            segment.octets.get(..count * width.octets()).unwrap_or_default()
        } else {
            segment.octets
        };
        push_segment(WireSegment { octets: kept, ..segment }, width, out);
    }
    for segment in new() {
        let joined = last.take().is_some_and(|at| join(segment, at, out));
        if !joined {
            push_segment(segment, AsnWidth::Four, out);
        }
    }
}

/// Extends the segment at `at`, the last of `out`, when both are sequences and fit one.
fn join(segment: WireSegment<'_>, at: usize, out: &mut Vec<u8>) -> bool {
    let added = segment.octets.len() / AsnWidth::Four.octets();
    let Some([kind, count]) = out.get_mut(at..at + 2) else { return false };
    let both = *kind == SegmentKind::Sequence as u8 && segment.kind == SegmentKind::Sequence;
    let Some(total) = u8::try_from(added).ok().and_then(|added| count.checked_add(added)) else {
        return false;
    };
    if both {
        *count = total;
        out.extend_from_slice(segment.octets);
    }
    both
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The scratch holds the octets of longer and shorter paths of before.
        #[test]
        fn widening_at_once_is_widening_by_segments(
            paths in vec(vec((1_u8..=4, vec(any::<u16>(), 0..12)), 0..3), 1..4),
        ) {
            let mut scratch = Vec::new();
            for path in paths {
                let mut octets = Vec::new();
                for (kind, asns) in path {
                    octets.extend([kind, u8::try_from(asns.len()).unwrap()]);
                    octets.extend(asns.iter().flat_map(|asn| asn.to_be_bytes()));
                }
                let mut by_segments = Vec::new();
                widen(&octets, AsnWidth::Two, &mut by_segments);
                let path = widened(&octets, &mut scratch).unwrap();
                prop_assert_eq!(path.as_wire(), by_segments);
            }
        }
    }
}
