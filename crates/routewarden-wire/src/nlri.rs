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
    octets: &'a [u8],
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

/// What walking over a field found.
#[derive(Clone, Copy)]
struct Walk {
    /// Octets up to the first malformed prefix.
    sound: usize,
    zero_lengths: usize,
    has_stray_bits: bool,
}

impl Walk {
    #[inline]
    fn over(octets: &[u8], bits_max: u8, has_path_ids: bool) -> Self {
        let mut walk = Walk { sound: 0, zero_lengths: 0, has_stray_bits: false };
        let mut rest = Cursor::new(octets);
        loop {
            walk.sound = octets.len() - rest.remaining();
            if rest.remaining() == 0 || (has_path_ids && rest.u32().is_none()) {
                return walk;
            }
            let Some(len) = rest.u8().filter(|&len| len <= bits_max) else { return walk };
            let Some(prefix) = rest.take(usize::from(len.div_ceil(8))) else { return walk };
            match prefix.last() {
                None => walk.zero_lengths += 1,
                Some(last) => {
                    let stray = (8 - len % 8) % 8;
                    walk.has_stray_bits |= u32::from(*last).trailing_zeros() < u32::from(stray);
                }
            }
        }
    }
}

impl<'a> NlriField<'a> {
    pub(crate) const EMPTY: NlriField<'static> = NlriField {
        octets: &[],
        family: AddressFamily::Ipv4,
        safi: Safi::Unicast,
        has_path_ids: false,
    };

    /// Checks a field once, so that iteration over it meets no fault.
    #[inline]
    pub(crate) fn read(
        octets: &'a [u8],
        (family, safi): (AddressFamily, Safi),
        path_ids: PathIds,
        warnings: &mut Warnings,
    ) -> Self {
        // Of the four fields of an UPDATE most are empty.
        if octets.is_empty() {
            return NlriField { octets, family, safi, has_path_ids: false };
        }
        Self::read_some(octets, (family, safi), path_ids, warnings)
    }

    fn read_some(
        octets: &'a [u8],
        (family, safi): (AddressFamily, Safi),
        path_ids: PathIds,
        warnings: &mut Warnings,
    ) -> Self {
        let bits_max = family.bits();
        let mut has_path_ids = path_ids == PathIds::Yes;
        let mut walk = Walk::over(octets, bits_max, has_path_ids);
        if path_ids == PathIds::Guess && (walk.sound < octets.len() || walk.zero_lengths > 1) {
            let with_ids = Walk::over(octets, bits_max, true);
            // Small identifiers read as default routes without them: where none is seen, a default
            // route is no identifier's but damage.
            let is_clean = with_ids.sound == octets.len()
                && (with_ids.zero_lengths <= walk.zero_lengths.min(1)
                    || with_ids.zero_lengths < walk.zero_lengths)
                && !with_ids.has_stray_bits;
            if is_clean {
                warnings.insert(Warning::AddPathGuessed);
                (walk, has_path_ids) = (with_ids, true);
            }
        }
        if walk.sound < octets.len() {
            warnings.insert(Warning::NlriMalformed);
        }
        if walk.has_stray_bits {
            warnings.insert(Warning::NlriStrayBits);
        }
        let octets = octets.get(..walk.sound).unwrap_or_default();
        NlriField { octets, family, safi, has_path_ids }
    }

    /// Whether there is no prefix.
    pub fn is_empty(&self) -> bool {
        self.octets.is_empty()
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
    pub fn iter(&self) -> Nlris<'a> {
        Nlris { rest: Cursor::new(self.octets), field: *self }
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
    rest: Cursor<'a>,
    field: NlriField<'a>,
}

impl Iterator for Nlris<'_> {
    type Item = Nlri;

    #[inline]
    fn next(&mut self) -> Option<Nlri> {
        let path_id = if self.field.has_path_ids { Some(self.rest.u32()?) } else { None };
        let prefix = read_prefix(&mut self.rest, self.field.family)?;
        Some(Nlri { prefix, path_id, safi: self.field.safi })
    }
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
    let stray = (8 - len % 8) % 8;
    octets.last().is_some_and(|&last| u32::from(last).trailing_zeros() < u32::from(stray))
}
