//! Network layer reachability information (RFC 4271 §4.3, RFC 4760 §5, RFC 7911 §3).

use routewarden_core::{AddressFamily, Prefix};

use crate::cursor::Cursor;
use crate::{Warning, Warnings};

/// What a route is used for (RFC 4760 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Safi {
    /// Forwarding of unicast packets.
    Unicast = 1,
    /// Reverse path checks of multicast; such routes are no part of the unicast table.
    Multicast = 2,
}

impl Safi {
    /// Stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Safi::Unicast => "unicast",
            Safi::Multicast => "multicast",
        }
    }
}

/// AFI of a family (RFC 4760 §3).
pub const fn afi(family: AddressFamily) -> u16 {
    match family {
        AddressFamily::Ipv4 => 1,
        AddressFamily::Ipv6 => 2,
    }
}

/// Family of an AFI; `None` when it is not IP.
pub(crate) const fn family_of(afi: u16) -> Option<AddressFamily> {
    match afi {
        1 => Some(AddressFamily::Ipv4),
        2 => Some(AddressFamily::Ipv6),
        _ => None,
    }
}

/// Family and use of an AFI and SAFI pair; `None` when it is neither unicast nor multicast IP.
pub(crate) const fn family_and_safi(afi: u16, safi: u8) -> Option<(AddressFamily, Safi)> {
    match (family_of(afi), safi) {
        (Some(family), 1) => Some((family, Safi::Unicast)),
        (Some(family), 2) => Some((family, Safi::Multicast)),
        _ => None,
    }
}

/// One prefix of an UPDATE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Nlri {
    /// The prefix.
    pub prefix: Prefix,
    /// Path identifier (RFC 7911 §3).
    pub path_id: Option<u32>,
    /// Unicast or multicast.
    pub safi: Safi,
}

/// A run of prefixes of one family. Holds no malformed prefix: those were cut off when the
/// field was checked.
#[derive(Clone, Copy, Debug)]
pub struct NlriField<'a> {
    /// The message's body up to the end of the field. What stands before the field lets each
    /// prefix be loaded by the four octets that end with it.
    octets: &'a [u8],
    /// Where the field begins.
    start: u16,
    family: AddressFamily,
    safi: Safi,
    has_path_ids: bool,
}

/// Whether prefixes carry path identifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathIds {
    /// As the record's type says.
    Yes,
    /// Not as the record's type says, and too little is left of the message to doubt it.
    No,
    /// Not as the record's type says; but see [`Warning::AddPathGuessed`].
    Guess,
}

/// A set of address families in use for unicast or multicast (RFC 4760 §3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FamilySet {
    bits: u8,
}

impl FamilySet {
    /// No family.
    pub const NONE: FamilySet = FamilySet { bits: 0 };
    /// IPv4 and IPv6, unicast and multicast.
    pub const ALL: FamilySet = FamilySet { bits: 0b1111 };

    const fn bit(family: AddressFamily, safi: Safi) -> u8 {
        let shift = match family {
            AddressFamily::Ipv4 => 0,
            AddressFamily::Ipv6 => 2,
        };
        (safi as u8) << shift
    }

    /// Adds a family.
    pub const fn insert(&mut self, family: AddressFamily, safi: Safi) {
        self.bits |= FamilySet::bit(family, safi);
    }

    /// Whether the family is in the set.
    pub const fn contains(self, family: AddressFamily, safi: Safi) -> bool {
        self.bits & FamilySet::bit(family, safi) != 0
    }

    /// Families of both sets.
    #[must_use]
    pub const fn intersection(self, other: FamilySet) -> FamilySet {
        FamilySet { bits: self.bits & other.bits }
    }

    /// Families of either set.
    #[must_use]
    pub const fn union(self, other: FamilySet) -> FamilySet {
        FamilySet { bits: self.bits | other.bits }
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.bits == 0
    }
}

/// What walking over a field found.
#[derive(Clone, Copy)]
struct Walk {
    /// Octets up to the first malformed prefix.
    sound: usize,
    zero_lengths: usize,
    has_stray_bits: bool,
}

impl Walk {
    /// Meant to be compiled once for each set of constants it is called with.
    #[inline]
    fn over(octets: &[u8], bits_max: u8, has_path_ids: bool) -> Self {
        let id_octets = if has_path_ids { 4 } else { 0 };
        let mut walk = Walk { sound: 0, zero_lengths: 0, has_stray_bits: false };
        let mut stray_bits = 0;
        while let Some(&len) = octets.get(walk.sound + id_octets) {
            // The last octet of the prefix; of one without octets the length, which is 0.
            let last_at = walk.sound + id_octets + usize::from(len.div_ceil(8));
            let Some(&last) = octets.get(last_at).filter(|_| len <= bits_max) else { break };
            walk.zero_lengths += usize::from(len == 0);
            stray_bits |= last & stray_mask(len);
            walk.sound = last_at + 1;
        }
        walk.has_stray_bits = stray_bits != 0;
        walk
    }
}

/// The bits of a prefix's last octet that lie beyond its length.
#[inline]
fn stray_mask(len: u8) -> u8 {
    0x7f >> (len.wrapping_sub(1) % 8)
}

impl<'a> NlriField<'a> {
    pub(crate) const EMPTY: NlriField<'static> = NlriField {
        octets: &[],
        start: 0,
        family: AddressFamily::Ipv4,
        safi: Safi::Unicast,
        has_path_ids: false,
    };

    /// Reads the field `octets[start..]` into an empty one and checks it once, so that iteration
    /// over it meets no fault. `octets` is the beginning of the message's body.
    #[inline]
    pub(crate) fn read(
        &mut self,
        octets: &'a [u8],
        start: usize,
        (family, safi): (AddressFamily, Safi),
        path_ids: PathIds,
        warnings: &mut Warnings,
    ) {
        (self.family, self.safi) = (family, safi);
        // Of the four fields of an UPDATE most are empty.
        if octets.len() > start {
            self.octets = octets;
            self.start = u16::try_from(start).unwrap_or(u16::MAX);
            self.check(path_ids, warnings);
        }
    }

    #[inline]
    fn check(&mut self, path_ids: PathIds, warnings: &mut Warnings) {
        self.has_path_ids = path_ids == PathIds::Yes;
        let walk = self.walk(self.has_path_ids);
        let is_sound = walk.sound == self.field_octets().len();
        if !is_sound || walk.zero_lengths > 1 || walk.has_stray_bits {
            self.repair(walk, path_ids, warnings);
        }
    }

    /// What there is to say of a field that is not entirely as it should be.
    #[inline(never)]
    fn repair(&mut self, mut walk: Walk, path_ids: PathIds, warnings: &mut Warnings) {
        let octets = self.field_octets();
        if path_ids == PathIds::Guess && (walk.sound < octets.len() || walk.zero_lengths > 1) {
            let with_ids = Walk::over(octets, self.family.bits(), true);
            // Small identifiers read as default routes without them: where none is seen, a default
            // route is no identifier's but damage.
            let is_clean = with_ids.sound == octets.len()
                && (with_ids.zero_lengths <= walk.zero_lengths.min(1)
                    || with_ids.zero_lengths < walk.zero_lengths)
                && !with_ids.has_stray_bits;
            if is_clean {
                warnings.insert(Warning::AddPathGuessed);
                (walk, self.has_path_ids) = (with_ids, true);
            }
        }
        if walk.has_stray_bits {
            warnings.insert(Warning::NlriStrayBits);
        }
        if walk.sound < octets.len() {
            warnings.insert(Warning::NlriMalformed);
            let end = usize::from(self.start) + walk.sound;
            self.octets = self.octets.get(..end).unwrap_or_default();
        }
    }

    #[inline]
    fn walk(&self, has_path_ids: bool) -> Walk {
        let octets = self.field_octets();
        match (self.family, has_path_ids) {
            // Nearly every field.
            (AddressFamily::Ipv4, false) => Walk::over(octets, 32, false),
            (AddressFamily::Ipv6, false) => Walk::over(octets, 128, false),
            (family, has_path_ids) => Walk::over(octets, family.bits(), has_path_ids),
        }
    }

    #[inline]
    fn field_octets(&self) -> &'a [u8] {
        self.octets.get(usize::from(self.start)..).unwrap_or_default()
    }

    /// Whether there is no prefix.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.octets.len() <= usize::from(self.start)
    }

    /// Address family of all prefixes.
    pub fn family(&self) -> AddressFamily {
        self.family
    }

    /// Unicast or multicast.
    pub fn safi(&self) -> Safi {
        self.safi
    }

    /// Whether the prefixes carry path identifiers.
    pub fn has_path_ids(&self) -> bool {
        self.has_path_ids
    }

    /// The prefixes in the order they stand.
    #[inline]
    pub fn iter(&self) -> Nlris<'a> {
        Nlris { at: usize::from(self.start), field: *self }
    }

    /// Gives every prefix in order. Faster than [`iter`](Self::iter): what kind of prefixes they
    /// are is asked once.
    #[inline]
    pub fn for_each(&self, mut visit: impl FnMut(Nlri)) {
        let mut rest = self.iter();
        if self.family == AddressFamily::Ipv4 && !self.has_path_ids {
            while let Some(nlri) = rest.next_of(AddressFamily::Ipv4, false) {
                visit(nlri);
            }
        } else {
            while let Some(nlri) = rest.next_of(self.family, self.has_path_ids) {
                visit(nlri);
            }
        }
    }
}

impl<'a> IntoIterator for &NlriField<'a> {
    type Item = Nlri;
    type IntoIter = Nlris<'a>;

    fn into_iter(self) -> Nlris<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for NlriField<'a> {
    type Item = Nlri;
    type IntoIter = Nlris<'a>;

    fn into_iter(self) -> Nlris<'a> {
        self.iter()
    }
}

/// Iterator over the prefixes of an [`NlriField`].
#[derive(Clone, Debug)]
pub struct Nlris<'a> {
    field: NlriField<'a>,
    /// Where the next prefix, or its path identifier, stands.
    at: usize,
}

impl Nlris<'_> {
    /// The next prefix of a field of this kind.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "measured: what it gives is taken apart at once")]
    fn next_of(&mut self, family: AddressFamily, has_path_ids: bool) -> Option<Nlri> {
        let NlriField { octets, safi, .. } = self.field;
        let mut at = self.at;
        let path_id = if has_path_ids {
            let id = octets.get(at..)?.first_chunk()?;
            at += id.len();
            Some(u32::from_be_bytes(*id))
        } else {
            None
        };
        let len = *octets.get(at)?;
        let end = at + 1 + usize::from(len.div_ceil(8));
        let prefix = prefix_ending(octets.get(..end)?, len, family)?;
        self.at = end;
        Some(Nlri { prefix, path_id, safi })
    }
}

impl Iterator for Nlris<'_> {
    type Item = Nlri;

    #[inline]
    fn next(&mut self) -> Option<Nlri> {
        self.next_of(self.field.family, self.field.has_path_ids)
    }
}

/// The prefix of `len` bits that `octets` ends with. Where enough stands before it, the address is
/// loaded in one go together with that, which is then shifted out.
#[inline(always)]
#[expect(clippy::inline_always, reason = "measured: what it gives is taken apart at once")]
fn prefix_ending(octets: &[u8], len: u8, family: AddressFamily) -> Option<Prefix> {
    let kept = u32::from(len.div_ceil(8));
    match family {
        AddressFamily::Ipv4 => {
            let spare = 4_u32.checked_sub(kept)?;
            let last = octets.last_chunk::<4>().copied().or_else(|| leading_zeros(octets))?;
            // In 64 bits, where a shift by 32 is one.
            let addr = u64::from(u32::from_be_bytes(last)) << (8 * spare);
            #[expect(clippy::cast_possible_truncation, reason = "what stands before falls off")]
            Prefix::v4(addr as u32, len)
        }
        AddressFamily::Ipv6 if kept <= 8 => {
            let last = octets.last_chunk::<8>().copied().or_else(|| leading_zeros(octets))?;
            let high = u64::from_be_bytes(last).checked_shl(8 * (8 - kept)).unwrap_or(0);
            Prefix::v6(u128::from(high) << 64, len)
        }
        AddressFamily::Ipv6 => {
            let spare = 16_u32.checked_sub(kept)?;
            let last = octets.last_chunk::<16>().copied().or_else(|| leading_zeros(octets))?;
            let addr = u128::from_be_bytes(last).checked_shl(8 * spare).unwrap_or(0);
            Prefix::v6(addr, len)
        }
    }
}

/// Fewer than `N` octets with zeros before them.
#[cold]
fn leading_zeros<const N: usize>(octets: &[u8]) -> Option<[u8; N]> {
    let mut padded = [0; N];
    padded.get_mut(N.checked_sub(octets.len())?..)?.copy_from_slice(octets);
    Some(padded)
}

/// A length octet and as many address octets as it needs; stray bits are masked off.
#[inline]
pub(crate) fn read_prefix(rest: &mut Cursor<'_>, family: AddressFamily) -> Option<Prefix> {
    let len = rest.u8()?;
    let whole = rest.rest();
    let octets = rest.take(usize::from(len.div_ceil(8)))?;
    prefix_of(whole, octets, len, family)
}

/// `whole` begins with `octets`: when it is long enough, the address is loaded in one go and
/// what lies beyond the prefix is masked off.
#[inline]
fn prefix_of(whole: &[u8], octets: &[u8], len: u8, family: AddressFamily) -> Option<Prefix> {
    match family {
        AddressFamily::Ipv4 => {
            let addr = match whole.first_chunk::<4>() {
                Some(chunk) => *chunk,
                None => padded(octets)?,
            };
            Prefix::v4(u32::from_be_bytes(addr), len)
        }
        AddressFamily::Ipv6 => {
            let addr = match whole.first_chunk::<16>() {
                Some(chunk) => *chunk,
                None => padded(octets)?,
            };
            Prefix::v6(u128::from_be_bytes(addr), len)
        }
    }
}

fn padded<const N: usize>(octets: &[u8]) -> Option<[u8; N]> {
    let mut addr = [0; N];
    addr.get_mut(..octets.len())?.copy_from_slice(octets);
    Some(addr)
}

/// Whether a prefix on the wire has bits beyond its length set.
pub(crate) fn has_stray_bits(octets: &[u8], len: u8) -> bool {
    octets.last().is_some_and(|last| last & stray_mask(len) != 0)
}

#[cfg(test)]
mod tests;
