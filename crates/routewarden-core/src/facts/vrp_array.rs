//! VRPs of one address family: an immutable sorted array with links to less-specifics.
//!
//! Apart from [`PrefixTable`](super::PrefixTable) because validation needs all of a VRP at once:
//! here it stands in one record, so that a look-up of random order touches few cache lines.

use super::vrp::{TrustAnchorId, Vrp};
use crate::{AddressFamily, Asn, Prefix};

/// No further covering VRP.
const NO_LINK: u32 = u32::MAX;

/// Largest number of VRPs of one address family; positions are `u32`.
const VRPS_MAX: usize = NO_LINK as usize - 1;

/// Address bits that the index is keyed by. With real VRPs some 9 IPv4 records share a key.
const INDEX_BITS: u32 = 16;

/// A network address of one family.
pub(super) trait Address: Copy + Ord {
    /// The family's address of a prefix of this family.
    fn of(prefix: &Prefix) -> Self;

    /// Number of leading bits that both have in common.
    fn common_bits(self, other: Self) -> u32;

    /// The first [`INDEX_BITS`] bits.
    fn index_key(self) -> usize;

    /// The prefix of this address and `len` bits.
    fn prefix(self, len: u8) -> Option<Prefix>;
}

/// An IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct V4(u32);

/// An IPv6 address, most significant word first: aligned to 4 octets, a record takes 28, not 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct V6([u32; 4]);

/// The upper 32 of 128 bits.
fn upper_word(bits: u128) -> u32 {
    u32::try_from(bits >> 96).unwrap_or(u32::MAX)
}

impl Address for V4 {
    fn of(prefix: &Prefix) -> Self {
        V4(upper_word(prefix.bits()))
    }

    fn common_bits(self, other: Self) -> u32 {
        (self.0 ^ other.0).leading_zeros()
    }

    fn index_key(self) -> usize {
        (self.0 >> (u32::BITS - INDEX_BITS)) as usize
    }

    fn prefix(self, len: u8) -> Option<Prefix> {
        Prefix::v4(self.0, len)
    }
}

impl V6 {
    fn bits(self) -> u128 {
        self.0.iter().fold(0, |bits, &word| bits << 32 | u128::from(word))
    }
}

impl Address for V6 {
    fn of(prefix: &Prefix) -> Self {
        let bits = prefix.bits();
        V6([0, 32, 64, 96].map(|shift| upper_word(bits << shift)))
    }

    fn common_bits(self, other: Self) -> u32 {
        (self.bits() ^ other.bits()).leading_zeros()
    }

    fn index_key(self) -> usize {
        let [first, ..] = self.0;
        (first >> (u32::BITS - INDEX_BITS)) as usize
    }

    fn prefix(self, len: u8) -> Option<Prefix> {
        Prefix::v6(self.bits(), len)
    }
}

/// A VRP: 16 octets for IPv4, 28 for IPv6.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<A> {
    addr: A,
    pub(super) asn: Asn,
    /// Position of the VRP before it if that has the same prefix, else of the last VRP of the
    /// longest less-specific prefix, else [`NO_LINK`].
    link: u32,
    len: u8,
    pub(super) max_len: u8,
    ta: TrustAnchorId,
}

impl<A: Address> Record<A> {
    fn new(vrp: &Vrp) -> Self {
        Record {
            addr: A::of(&vrp.prefix),
            asn: vrp.asn,
            link: NO_LINK,
            len: vrp.prefix.len(),
            max_len: vrp.max_len,
            ta: vrp.ta,
        }
    }

    fn network(&self) -> (A, u8) {
        (self.addr, self.len)
    }

    fn covers(&self, other: (A, u8)) -> bool {
        covers(self.network(), other)
    }

    fn vrp(&self) -> Option<Vrp> {
        let prefix = self.addr.prefix(self.len)?;
        Some(Vrp { prefix, max_len: self.max_len, asn: self.asn, ta: self.ta })
    }
}

/// Whether the second network is the first or a more-specific of it.
fn covers<A: Address>((addr, len): (A, u8), (other, other_len): (A, u8)) -> bool {
    len <= other_len && addr.common_bits(other) >= u32::from(len)
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct VrpArray<A> {
    /// By network, ASN, `max_len`.
    records: Vec<Record<A>>,
    /// By the first [`INDEX_BITS`] bits of an address: the first record with these bits or
    /// more. One entry more for the end. Empty without records.
    index: Vec<u32>,
}

impl<A> Default for VrpArray<A> {
    fn default() -> Self {
        VrpArray { records: Vec::new(), index: Vec::new() }
    }
}

impl<A: Address> VrpArray<A> {
    /// The VRPs of the given family, in any order; equal VRPs are kept once.
    ///
    /// # Panics
    /// With more than [`VRPS_MAX`] VRPs: readers of files cap entries far below.
    pub(super) fn new(vrps: &[Vrp], family: AddressFamily) -> Self {
        let of_family = vrps.iter().filter(|vrp| vrp.prefix.family() == family);
        let mut records: Vec<Record<A>> = of_family.map(Record::new).collect();
        let key = |record: &Record<A>| (record.network(), record.asn, record.max_len, record.ta);
        records.sort_unstable_by_key(key);
        records.dedup_by_key(|record| key(record));
        records.shrink_to_fit();
        assert!(records.len() <= VRPS_MAX, "more VRPs than positions");
        link(&mut records);
        let index = index(&records);
        VrpArray { records, index }
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn heap_octets(&self) -> usize {
        self.records.capacity() * size_of::<Record<A>>() + self.index.capacity() * size_of::<u32>()
    }

    /// The records that cover `prefix`, most specific prefix first, those of one prefix last to
    /// first.
    pub(super) fn chain(&self, prefix: &Prefix) -> impl Iterator<Item = &Record<A>> + use<'_, A> {
        let next = self.last_covering(prefix);
        std::iter::successors(self.records.get(next), |record| {
            self.records.get(record.link as usize)
        })
    }

    /// VRPs that cover `prefix`: most specific prefix first, then by ASN and `max_len`.
    pub(super) fn covering(&self, prefix: &Prefix) -> impl Iterator<Item = Vrp> + use<'_, A> {
        let mut next = self.last_covering(prefix);
        let runs = std::iter::from_fn(move || {
            let network = self.records.get(next)?.network();
            let before = self.records.get(..next).unwrap_or_default();
            let same = before.iter().rev().take_while(|other| other.network() == network);
            let first = next - same.count();
            let run = self.records.get(first..=next).unwrap_or_default();
            next = run.first().map_or(NO_LINK, |record| record.link) as usize;
            Some(run)
        });
        runs.flatten().filter_map(Record::vrp)
    }

    /// VRPs of `prefix` and its more-specifics, in order.
    pub(super) fn covered(&self, prefix: &Prefix) -> impl Iterator<Item = Vrp> + use<'_, A> {
        let asked = (A::of(prefix), prefix.len());
        let first = self.position(asked.0, |record| record.network() < asked);
        let records = self.records.get(first..).unwrap_or_default().iter();
        records.take_while(move |record| covers(asked, record.network())).filter_map(Record::vrp)
    }

    /// All VRPs in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = Vrp> + use<'_, A> {
        self.records.iter().filter_map(Record::vrp)
    }

    /// Position of the last record of the longest prefix that covers `prefix`; beyond all
    /// records when there is none.
    fn last_covering(&self, prefix: &Prefix) -> usize {
        let asked = (A::of(prefix), prefix.len());
        let end = self.position(asked.0, |record| record.network() <= asked);
        // Whatever covers `asked` sorts at or before it, and covers or is all that stands
        // between: so it is the predecessor, or linked from there.
        let mut next = end.checked_sub(1).unwrap_or(NO_LINK as usize);
        while let Some(record) = self.records.get(next)
            && !record.covers(asked)
        {
            next = record.link as usize;
        }
        next
    }

    /// Number of records before the first that does not satisfy `is_before`, which may change
    /// only among the records that share the first bits of `addr`.
    fn position(&self, addr: A, is_before: impl Fn(&Record<A>) -> bool) -> usize {
        let key = addr.index_key();
        let Some(&[start, end]) = self.index.get(key..key + 2) else { return 0 };
        let (start, end) = (start as usize, end as usize);
        let bucket = self.records.get(start..end).unwrap_or_default();
        start + bucket.partition_point(is_before)
    }
}

/// Sets the links of sorted records.
fn link<A: Address>(records: &mut [Record<A>]) {
    let mut less_specifics: Vec<(Record<A>, u32)> = Vec::new();
    for (position, record) in (0..).zip(records) {
        while less_specifics.last().is_some_and(|(other, _)| !other.covers(record.network())) {
            less_specifics.pop();
        }
        record.link = less_specifics.last().map_or(NO_LINK, |&(_, last)| last);
        match less_specifics.last_mut() {
            Some((other, last)) if other.network() == record.network() => *last = position,
            _ => less_specifics.push((*record, position)),
        }
    }
}

/// The index of sorted records.
fn index<A: Address>(records: &[Record<A>]) -> Vec<u32> {
    if records.is_empty() {
        return Vec::new();
    }
    let keys = 1 << INDEX_BITS;
    let mut index = Vec::with_capacity(keys + 1);
    let mut end = 0;
    for (position, record) in (0..).zip(records) {
        // All keys up to the record's that have no entry yet begin at it.
        while index.len() <= record.addr.index_key() {
            index.push(position);
        }
        end = position + 1;
    }
    index.resize(keys + 1, end);
    index
}
