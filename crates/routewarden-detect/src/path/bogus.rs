//! Faults that a path shows by itself.

use routewarden_core::{AsPath, Asn, SegmentKind};
use serde::{Deserialize, Serialize};

use super::{HOPS_MAX, Hops, is_among};

/// A longer path is a fault of its own: most ASNs of a path, prepends included.
pub const PATH_ASNS_MAX: usize = 50;
/// From so many times in a row on, an ASN is prepended excessively.
pub const PREPENDS_EXCESSIVE_MIN: usize = 10;
/// An origin up to this number may be the count of a router command `prepend N` taken for an ASN.
pub const PREPEND_COUNT_MAX: u32 = 25;

/// Sorts of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum PathFaultKind {
    /// AS0 (RFC 7607).
    As0,
    /// `AS_TRANS` (RFC 6793 §9).
    AsTrans,
    /// Reserved by IANA: 65535 and 4294967295 (RFC 7300), 65552 to 131071.
    Reserved,
    /// For private use (RFC 6996).
    Private,
    /// For documentation (RFC 5398).
    Documentation,
    /// An AS stands twice, others between.
    Loop,
    /// An `AS_SET` that is not at the end.
    SetInside,
    /// An `AS_SET` at the end (deprecated by RFC 9774).
    SetAtEnd,
    /// Two members of the clique with another AS between.
    Poisoned,
    /// The origin has a number as small as a count of prepends. Some universities have such numbers
    /// too: a sign to be weighed with the prefix's usual origin.
    PrependCountTypo,
    /// More than [`PATH_ASNS_MAX`] ASNs, or more than [`HOPS_MAX`] distinct hops.
    TooLong,
    /// [`PREPENDS_EXCESSIVE_MIN`] or more times the same ASN in a row.
    ExcessivePrepending,
}

/// Number of sorts.
const KINDS: usize = 12;
const ALL: [PathFaultKind; KINDS] = [
    PathFaultKind::As0,
    PathFaultKind::AsTrans,
    PathFaultKind::Reserved,
    PathFaultKind::Private,
    PathFaultKind::Documentation,
    PathFaultKind::Loop,
    PathFaultKind::SetInside,
    PathFaultKind::SetAtEnd,
    PathFaultKind::Poisoned,
    PathFaultKind::PrependCountTypo,
    PathFaultKind::TooLong,
    PathFaultKind::ExcessivePrepending,
];

/// A fault of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PathFault {
    /// Which sort.
    pub kind: PathFaultKind,
    /// The AS at fault, the first from the collector; of sets their first member. `None` for a path
    /// that is too long.
    pub asn: Option<Asn>,
    /// Times in a row for excessive prepending, ASNs of the path where it is too long; else 1.
    pub count: usize,
}

/// The faults of one path, at most one of each sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PathFaults {
    found: [Option<(Option<Asn>, usize)>; KINDS],
}

impl PathFaults {
    /// The faults in the order of [`PathFaultKind`].
    pub fn iter(&self) -> impl Iterator<Item = PathFault> + '_ {
        let found = ALL.iter().zip(&self.found);
        found.filter_map(|(&kind, found)| found.map(|(asn, count)| PathFault { kind, asn, count }))
    }

    /// Whether a fault of this sort was found.
    pub fn has(&self, kind: PathFaultKind) -> bool {
        self.found.get(kind as usize).is_some_and(Option::is_some)
    }

    /// Whether none was found.
    pub fn is_empty(&self) -> bool {
        self.found.iter().all(Option::is_none)
    }

    /// Notes the first of its sort.
    fn note(&mut self, kind: PathFaultKind, asn: Option<Asn>, count: usize) {
        if let Some(slot) = self.found.get_mut(kind as usize) {
            slot.get_or_insert((asn, count));
        }
    }
}

/// What is wrong with an ASN in any path; `None` for one that may be in use.
pub const fn asn_fault(asn: Asn) -> Option<PathFaultKind> {
    match asn.0 {
        0 => Some(PathFaultKind::As0),
        23456 => Some(PathFaultKind::AsTrans),
        64496..=64511 | 65536..=65551 => Some(PathFaultKind::Documentation),
        64512..=65534 | 4_200_000_000..=4_294_967_294 => Some(PathFaultKind::Private),
        65535 | 65552..=131_071 | u32::MAX => Some(PathFaultKind::Reserved),
        _ => None,
    }
}

/// The faults of a path. `clique` lists the ASes without providers, ascending; empty when they are
/// not known.
pub fn path_faults(path: AsPath<'_>, clique: &[Asn]) -> PathFaults {
    let mut faults = PathFaults::default();
    let mut asns = 0;
    // Across segments: some routers split a long run of prepends.
    let mut run = (None, 0);
    let mut pending_set = None;
    for segment in path.segments().filter(|segment| segment.count() > 0) {
        if let Some(member) = pending_set.take() {
            faults.note(PathFaultKind::SetInside, Some(member), 1);
        }
        let is_set = matches!(segment.kind, SegmentKind::Set | SegmentKind::ConfedSet);
        if is_set {
            pending_set = segment.asns().next();
            asns += 1;
        }
        for asn in segment.asns() {
            if segment.kind == SegmentKind::Sequence {
                asns += 1;
                run = if run.0 == Some(asn) { (run.0, run.1 + 1) } else { (Some(asn), 1) };
                note_prepends(&mut faults, asn, run.1);
            }
            // Confederations use private ASNs by design (RFC 5065 §3).
            if matches!(segment.kind, SegmentKind::Sequence | SegmentKind::Set)
                && let Some(kind) = asn_fault(asn)
            {
                faults.note(kind, Some(asn), 1);
            }
        }
    }
    if let Some(member) = pending_set {
        faults.note(PathFaultKind::SetAtEnd, Some(member), 1);
    }
    match Hops::of(path) {
        Some(hops) if asns <= PATH_ASNS_MAX => hop_faults(&mut faults, &hops, path, clique),
        Some(hops) => {
            faults.note(PathFaultKind::TooLong, None, asns);
            hop_faults(&mut faults, &hops, path, clique);
        }
        None => faults.note(PathFaultKind::TooLong, None, asns.max(HOPS_MAX + 1)),
    }
    faults
}

/// Keeps the longest run of the AS first found.
fn note_prepends(faults: &mut PathFaults, asn: Asn, times: usize) {
    if times < PREPENDS_EXCESSIVE_MIN {
        return;
    }
    faults.note(PathFaultKind::ExcessivePrepending, Some(asn), times);
    if let Some(Some((Some(held), count))) =
        faults.found.get_mut(PathFaultKind::ExcessivePrepending as usize)
        && *held == asn
    {
        *count = times.max(*count);
    }
}

fn hop_faults(faults: &mut PathFaults, hops: &[Asn], path: AsPath<'_>, clique: &[Asn]) {
    for (place, &asn) in hops.iter().enumerate() {
        if hops.get(..place).is_some_and(|before| before.contains(&asn)) {
            faults.note(PathFaultKind::Loop, Some(asn), 1);
        }
    }
    if let Some(between) = poisoned(hops, clique) {
        faults.note(PathFaultKind::Poisoned, Some(between), 1);
    }
    if let (Some(origin), [.., before, last]) = (path.origin(), hops)
        && origin == *last
        && (1..=PREPEND_COUNT_MAX).contains(&origin.0)
        && before.0 > PREPEND_COUNT_MAX
    {
        faults.note(PathFaultKind::PrependCountTypo, Some(origin), 1);
    }
}

/// The first AS that stands between two members of the clique without being one: they exchange
/// routes directly, so the path is forged, or the AS leaks.
pub fn poisoned(hops: &[Asn], clique: &[Asn]) -> Option<Asn> {
    let first = hops.iter().position(|&asn| is_among(clique, asn))?;
    let last = hops.iter().rposition(|&asn| is_among(clique, asn))?;
    let between = hops.get(first..last)?;
    between.iter().copied().find(|&asn| !is_among(clique, asn))
}

#[cfg(test)]
mod tests {
    use super::*;
    use routewarden_core::AsPathBuf;

    fn sequence(asns: &[u32]) -> AsPathBuf {
        AsPathBuf::sequence(asns.iter().copied().map(Asn))
    }

    fn kinds(path: &AsPathBuf, clique: &[u32]) -> Vec<PathFaultKind> {
        let clique: Vec<Asn> = clique.iter().copied().map(Asn).collect();
        path_faults(path.as_path(), &clique).iter().map(|fault| fault.kind).collect()
    }

    #[test]
    fn the_order_of_all_is_that_of_the_kinds() {
        for (place, kind) in ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, place);
        }
    }

    #[test]
    fn a_plain_path_has_no_fault() {
        assert_eq!(kinds(&sequence(&[174, 174, 3356, 15169]), &[174, 3356]), []);
        assert!(path_faults(AsPath::EMPTY, &[]).is_empty());
        assert_eq!(kinds(&sequence(&[3356, 2]), &[]), [PathFaultKind::PrependCountTypo]);
        assert_eq!(kinds(&sequence(&[2]), &[]), []);
    }

    #[test]
    fn the_clique_is_contiguous() {
        assert_eq!(kinds(&sequence(&[9, 10, 20, 99]), &[10, 20]), []);
        assert_eq!(kinds(&sequence(&[10, 77, 78, 20, 99]), &[10, 20]), [PathFaultKind::Poisoned]);
        let faults = path_faults(sequence(&[10, 77, 20]).as_path(), &[Asn(10), Asn(20)]);
        assert_eq!(faults.iter().next().unwrap().asn, Some(Asn(77)));
    }

    #[test]
    fn lengths_are_counted_with_prepends() {
        let path = sequence(&[[174; 3].as_slice(), &[3356; 12]].concat());
        let faults = path_faults(path.as_path(), &[]);
        let expected =
            PathFault { kind: PathFaultKind::ExcessivePrepending, asn: Some(Asn(3356)), count: 12 };
        assert_eq!(faults.iter().collect::<Vec<_>>(), [expected]);
        assert_eq!(kinds(&sequence(&[3356; 9]), &[]), []);
        let long: Vec<u32> = (1000..1051).collect();
        assert_eq!(kinds(&sequence(&long), &[]), [PathFaultKind::TooLong]);
        assert_eq!(kinds(&sequence(&long[..50]), &[]), []);
        let longer: Vec<u32> = (1000..2000).collect();
        let faults = path_faults(sequence(&longer).as_path(), &[]);
        assert!(faults.has(PathFaultKind::TooLong));
        assert_eq!(faults.iter().next().unwrap().count, 1000);
    }

    #[test]
    fn sets_and_confederations_are_told_apart() {
        let mut path = sequence(&[174]);
        path.push_segment(SegmentKind::Set, [Asn(3356), Asn(1299)]);
        assert_eq!(kinds(&path, &[]), [PathFaultKind::SetAtEnd]);
        path.push_segment(SegmentKind::Sequence, [Asn(64500)]);
        assert_eq!(kinds(&path, &[]), [PathFaultKind::Documentation, PathFaultKind::SetInside]);
        let mut path = AsPathBuf::default();
        path.push_segment(SegmentKind::ConfedSequence, [Asn(65001)]);
        path.push_segment(SegmentKind::Sequence, [Asn(174)]);
        assert_eq!(kinds(&path, &[]), []);
    }
}
