//! `AS_PATH` as a sequence of segments.

use std::fmt;
use std::ops::Deref;

use crate::Asn;

/// Kind of a path segment (RFC 4271 §4.3, RFC 5065 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum SegmentKind {
    /// `AS_SET`: unordered.
    Set = 1,
    /// `AS_SEQUENCE`: ordered, nearest AS first.
    Sequence = 2,
    /// `AS_CONFED_SEQUENCE`.
    ConfedSequence = 3,
    /// `AS_CONFED_SET`.
    ConfedSet = 4,
}

impl SegmentKind {
    /// From the path segment type octet; `None` for an undefined type.
    pub const fn from_octet(octet: u8) -> Option<Self> {
        match octet {
            1 => Some(SegmentKind::Set),
            2 => Some(SegmentKind::Sequence),
            3 => Some(SegmentKind::ConfedSequence),
            4 => Some(SegmentKind::ConfedSet),
            _ => None,
        }
    }
}

/// One segment of an [`AsPath`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Kind of the segment.
    pub kind: SegmentKind,
    /// Four octets an ASN, most significant first.
    octets: &'a [u8],
}

impl<'a> Segment<'a> {
    /// The ASNs in the order they stand.
    pub fn asns(
        &self,
    ) -> impl DoubleEndedIterator<Item = Asn> + ExactSizeIterator + Clone + use<'a> {
        self.octets.as_chunks::<4>().0.iter().map(|octets| Asn(u32::from_be_bytes(*octets)))
    }

    /// Number of ASNs.
    pub fn count(&self) -> usize {
        self.octets.len() / 4
    }
}

/// A borrowed `AS_PATH` in its four-octet wire form (RFC 4271 §4.3 with RFC 6793 §3):
/// segments of (type, count, ASNs). Always well-formed: the constructor checks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AsPath<'a> {
    octets: &'a [u8],
}

/// What made octets no `AS_PATH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AsPathError {
    /// A segment runs past the end.
    #[error("AS_PATH segment at offset {offset} runs past the attribute")]
    Overrun {
        /// Octets from the start of the path.
        offset: usize,
    },
    /// Undefined segment type.
    #[error("AS_PATH segment at offset {offset} has undefined type {kind}")]
    UnknownSegment {
        /// Octets from the start of the path.
        offset: usize,
        /// The type octet.
        kind: u8,
    },
}

impl<'a> AsPath<'a> {
    /// The empty path, as an AS announces it inside itself.
    pub const EMPTY: AsPath<'static> = AsPath { octets: &[] };

    /// Checks four-octet wire form. An empty segment is accepted (and skipped by readers).
    #[inline]
    pub fn from_wire(octets: &'a [u8]) -> Result<Self, AsPathError> {
        // Nearly every path is one sequence.
        if let Some((&[kind, count], asns)) = octets.split_first_chunk()
            && kind == SegmentKind::Sequence as u8
            && asns.len() == usize::from(count) * 4
        {
            return Ok(AsPath { octets });
        }
        let mut rest = octets;
        while let Some((&kind, tail)) = rest.split_first() {
            let offset = octets.len() - rest.len();
            if SegmentKind::from_octet(kind).is_none() {
                return Err(AsPathError::UnknownSegment { offset, kind });
            }
            let Some((&count, tail)) = tail.split_first() else {
                return Err(AsPathError::Overrun { offset });
            };
            rest = tail.get(usize::from(count) * 4..).ok_or(AsPathError::Overrun { offset })?;
        }
        Ok(AsPath { octets })
    }

    /// The four-octet wire form.
    pub fn as_wire(&self) -> &'a [u8] {
        self.octets
    }

    /// The segments, nearest first.
    pub fn segments(&self) -> Segments<'a> {
        Segments { rest: self.octets }
    }

    /// Whether no AS stands in the path.
    pub fn is_empty(&self) -> bool {
        self.segments().all(|segment| segment.count() == 0)
    }

    /// All ASNs of all segments in the order they stand, prepends and sets included.
    pub fn asns(&self) -> impl Iterator<Item = Asn> + Clone + use<'a> {
        self.segments().flat_map(|segment| segment.asns())
    }

    /// The ASNs of sequences only (confederation segments and sets left out), consecutive
    /// duplicates collapsed: the neighbour of the collector first, the origin last.
    pub fn collapsed(&self) -> impl Iterator<Item = Asn> + Clone + use<'a> {
        let mut last = None;
        self.segments()
            .filter(|segment| segment.kind == SegmentKind::Sequence)
            .flat_map(|segment| segment.asns())
            .filter(move |&asn| {
                let fresh = last != Some(asn);
                last = Some(asn);
                fresh
            })
    }

    /// As [`AsPath::collapsed`], of a path that has an origin and nothing but sequences; else `None`:
    /// in such a path each AS had the route from the next.
    pub fn as_sequence(&self) -> Option<impl Iterator<Item = Asn> + Clone + use<'a>> {
        let is_sequence = self.segments().all(|segment| segment.kind == SegmentKind::Sequence);
        (is_sequence && self.origin().is_some()).then(|| self.collapsed())
    }

    /// The neighbour AS that sent the route: first ASN of the first non-confederation segment.
    pub fn neighbor(&self) -> Option<Asn> {
        self.collapsed().next()
    }

    /// Route origin ASN (RFC 6811 §2): the last ASN of a final `AS_SEQUENCE`. `None` for an
    /// empty path and for a path that ends in a set (see [`AsPath::origin_set`]).
    pub fn origin(&self) -> Option<Asn> {
        let last = self.last_segment()?;
        (last.kind == SegmentKind::Sequence).then(|| last.asns().next_back()).flatten()
    }

    /// Members of the final `AS_SET`, when the path ends in one.
    pub fn origin_set(&self) -> Option<Segment<'a>> {
        self.last_segment().filter(|segment| segment.kind == SegmentKind::Set)
    }

    /// Last non-empty segment, confederation segments left out (RFC 6811 §2).
    fn last_segment(&self) -> Option<Segment<'a>> {
        self.segments()
            .filter(|s| matches!(s.kind, SegmentKind::Sequence | SegmentKind::Set) && s.count() > 0)
            .last()
    }
}

/// Iterator over the segments of an [`AsPath`].
#[derive(Clone, Debug)]
pub struct Segments<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        let (&[kind, count], tail) = self.rest.split_first_chunk::<2>()?;
        let (octets, rest) = tail.split_at_checked(usize::from(count) * 4)?;
        self.rest = rest;
        Some(Segment { kind: SegmentKind::from_octet(kind)?, octets })
    }
}

impl fmt::Display for AsPath<'_> {
    /// The form of `bgpdump`: `1 2 {3,4} (5 6) [7,8]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.segments().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            let (open, between, close) = match segment.kind {
                SegmentKind::Sequence => ("", " ", ""),
                SegmentKind::Set => ("{", ",", "}"),
                SegmentKind::ConfedSequence => ("(", " ", ")"),
                SegmentKind::ConfedSet => ("[", ",", "]"),
            };
            f.write_str(open)?;
            for (position, asn) in segment.asns().enumerate() {
                if position > 0 {
                    f.write_str(between)?;
                }
                write!(f, "{}", asn.0)?;
            }
            f.write_str(close)?;
        }
        Ok(())
    }
}

impl fmt::Debug for AsPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{self}]")
    }
}

impl serde::Serialize for AsPathBuf {
    /// The octets of the four-octet wire form.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.octets.serialize(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for AsPathBuf {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let octets = Vec::<u8>::deserialize(deserializer)?;
        AsPath::from_wire(&octets).map_err(serde::de::Error::custom)?;
        Ok(AsPathBuf { octets })
    }
}

/// An owned [`AsPath`].
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AsPathBuf {
    octets: Vec<u8>,
}

/// Largest number of ASNs in one segment: the count is one octet (RFC 4271 §4.3).
pub const SEGMENT_ASNS_MAX: usize = 255;

impl AsPathBuf {
    /// A path of one or more `AS_SEQUENCE`s holding `asns`.
    pub fn sequence(asns: impl IntoIterator<Item = Asn>) -> Self {
        let mut path = AsPathBuf::default();
        path.push_segment(SegmentKind::Sequence, asns);
        path
    }

    /// Appends a segment; more than [`SEGMENT_ASNS_MAX`] ASNs are split over several.
    pub fn push_segment(&mut self, kind: SegmentKind, asns: impl IntoIterator<Item = Asn>) {
        let asns: Vec<Asn> = asns.into_iter().collect();
        for chunk in asns.chunks(SEGMENT_ASNS_MAX) {
            self.octets.push(kind as u8);
            self.octets.push(u8::try_from(chunk.len()).unwrap_or(u8::MAX));
            self.octets.extend(chunk.iter().flat_map(|asn| asn.0.to_be_bytes()));
        }
    }

    /// Borrowed form.
    pub fn as_path(&self) -> AsPath<'_> {
        AsPath { octets: &self.octets }
    }
}

impl From<AsPath<'_>> for AsPathBuf {
    fn from(path: AsPath<'_>) -> Self {
        AsPathBuf { octets: path.octets.to_vec() }
    }
}

impl Deref for AsPathBuf {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.octets
    }
}

impl fmt::Display for AsPathBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_path(), f)
    }
}

impl fmt::Debug for AsPathBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_path(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asns(numbers: &[u32]) -> Vec<Asn> {
        numbers.iter().copied().map(Asn).collect()
    }

    #[test]
    fn rfc6811_origin_is_last_of_final_sequence_or_none_for_a_set() {
        let mut path = AsPathBuf::sequence(asns(&[64496, 64497, 64497]));
        assert_eq!(path.as_path().origin(), Some(Asn(64497)));
        assert_eq!(path.as_path().neighbor(), Some(Asn(64496)));
        assert_eq!(path.as_path().collapsed().collect::<Vec<_>>(), asns(&[64496, 64497]));
        path.push_segment(SegmentKind::Set, asns(&[64499, 64498]));
        assert_eq!(path.as_path().origin(), None);
        let set = path.as_path().origin_set().unwrap();
        assert_eq!(set.asns().collect::<Vec<_>>(), asns(&[64499, 64498]));
        assert_eq!(path.to_string(), "64496 64497 64497 {64499,64498}");
        assert_eq!(AsPath::EMPTY.origin(), None);
        assert!(AsPath::EMPTY.is_empty());
    }

    #[test]
    fn rfc5065_confederation_segments_are_no_neighbours_and_no_origins() {
        let mut path = AsPathBuf::default();
        path.push_segment(SegmentKind::ConfedSequence, asns(&[65001, 65002]));
        path.push_segment(SegmentKind::Sequence, asns(&[64496]));
        assert_eq!(path.as_path().neighbor(), Some(Asn(64496)));
        assert_eq!(path.as_path().origin(), Some(Asn(64496)));
        assert_eq!(path.to_string(), "(65001 65002) 64496");
    }

    #[test]
    fn broken_wire_form_names_the_offset() {
        assert_eq!(AsPath::from_wire(&[2]), Err(AsPathError::Overrun { offset: 0 }));
        assert_eq!(
            AsPath::from_wire(&[2, 1, 0, 0, 0, 1, 9, 0]),
            Err(AsPathError::UnknownSegment { offset: 6, kind: 9 })
        );
        assert_eq!(AsPath::from_wire(&[2, 1, 0, 0, 0]), Err(AsPathError::Overrun { offset: 0 }));
    }

    #[test]
    fn long_sequences_are_split() {
        let path = AsPathBuf::sequence((0..300).map(Asn));
        assert_eq!(path.as_path().segments().count(), 2);
        assert_eq!(path.as_path().asns().count(), 300);
        assert!(AsPath::from_wire(&path).is_ok());
    }
}
