//! IP prefixes in canonical network form.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Address family of a [`Prefix`] (RFC 4760 AFI 1 and 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressFamily {
    /// IPv4, 32 bits.
    Ipv4,
    /// IPv6, 128 bits.
    Ipv6,
}

impl AddressFamily {
    /// Bits of an address: 32 or 128.
    pub const fn bits(self) -> u8 {
        match self {
            AddressFamily::Ipv4 => 32,
            AddressFamily::Ipv6 => 128,
        }
    }
}

/// An NLRI prefix (RFC 4271 §4.3) in canonical form: bits beyond `len` are always zero.
///
/// Ordered by family, then address, then length: a less-specific sorts right before its
/// more-specifics.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix {
    family: AddressFamily,
    /// Network address, most significant octet first; IPv4 in the first four octets.
    octets: [u8; 16],
    len: u8,
}

impl Prefix {
    /// The IPv4 prefix `addr/len`; host bits are cleared. `None` when `len > 32`.
    #[inline]
    pub fn v4(addr: u32, len: u8) -> Option<Self> {
        // Masked in 32 bits: shifts of 128 bits take several instructions.
        let mask = u32::MAX.checked_shl(32_u32.checked_sub(u32::from(len))?).unwrap_or(0);
        let octets = (u128::from(addr & mask) << 96).to_be_bytes();
        Some(Prefix { family: AddressFamily::Ipv4, octets, len })
    }

    /// The IPv6 prefix `addr/len`; host bits are cleared. `None` when `len > 128`.
    #[inline]
    pub fn v6(addr: u128, len: u8) -> Option<Self> {
        if len <= 64 {
            // Masked in 64 bits, as the mask of IPv4 in 32.
            let mask = u64::MAX.checked_shl(64 - u32::from(len)).unwrap_or(0);
            let octets = (addr & (u128::from(mask) << 64)).to_be_bytes();
            return Some(Prefix { family: AddressFamily::Ipv6, octets, len });
        }
        (len <= 128).then(|| Self::canonical(AddressFamily::Ipv6, addr, len))
    }

    /// `addr/len` with host bits cleared. `None` when `len` exceeds the family's bits.
    pub fn new(addr: IpAddr, len: u8) -> Option<Self> {
        match addr {
            IpAddr::V4(addr) => Self::v4(u32::from(addr), len),
            IpAddr::V6(addr) => Self::v6(u128::from(addr), len),
        }
    }

    /// Left-aligned bits (IPv4 in the top 32) cut to `len`, which must fit the family.
    fn canonical(family: AddressFamily, bits: u128, len: u8) -> Self {
        let mask = u128::MAX.checked_shl(128 - u32::from(len)).unwrap_or(0);
        Prefix { family, octets: (bits & mask).to_be_bytes(), len }
    }

    /// Address family.
    #[inline]
    pub fn family(&self) -> AddressFamily {
        self.family
    }

    /// Whether this is an IPv4 prefix.
    #[inline]
    pub fn is_ipv4(&self) -> bool {
        self.family == AddressFamily::Ipv4
    }

    /// Prefix length in bits, 0..=32 or 0..=128.
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "a prefix length, not a container's")]
    pub fn len(&self) -> u8 {
        self.len
    }

    /// Network address.
    #[inline]
    pub fn addr(&self) -> IpAddr {
        match self.family {
            AddressFamily::Ipv4 => {
                let [a, b, c, d, ..] = self.octets;
                IpAddr::V4(Ipv4Addr::new(a, b, c, d))
            }
            AddressFamily::Ipv6 => IpAddr::V6(Ipv6Addr::from(self.octets)),
        }
    }

    /// Left-aligned address bits: an IPv4 address stands in the top 32 bits.
    #[inline]
    pub fn bits(&self) -> u128 {
        u128::from_be_bytes(self.octets)
    }

    /// Whether `other` is this prefix or a more-specific of it.
    pub fn covers(&self, other: &Prefix) -> bool {
        let mask = u128::MAX.checked_shl(128 - u32::from(self.len)).unwrap_or(0);
        self.family == other.family
            && self.len <= other.len
            && (self.bits() ^ other.bits()) & mask == 0
    }

    /// The less-specific prefix of `len` bits; `None` when `len` is longer than this prefix.
    pub fn less_specific(&self, len: u8) -> Option<Prefix> {
        (len <= self.len).then(|| Self::canonical(self.family, self.bits(), len))
    }
}

impl Hash for Prefix {
    /// In one step, where a derived one takes four: the lower octets of nearly all prefixes are
    /// zero, so that length and family find room there.
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        let family = u128::from(self.family.bits());
        state.write_u128(self.bits() ^ (family << 8 | u128::from(self.len)));
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.addr(), self.len)
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is added to the length of an IPv6 prefix in the short form, so that it differs from those
/// of IPv4.
const V6_LENGTHS_FROM: u8 = 64;

impl Prefix {
    /// The short form: an octet that tells family and length, then as many octets as the length
    /// needs.
    fn to_octets<T>(self, take: impl FnOnce(&[u8]) -> T) -> T {
        let mut form = [0; 17];
        let (head, octets) = form.split_at_mut(1);
        let from = if self.is_ipv4() { 0 } else { V6_LENGTHS_FROM };
        head.fill(from + self.len);
        octets.copy_from_slice(&self.octets);
        let end = 1 + usize::from(self.len.div_ceil(8));
        take(form.get(..end).unwrap_or_default())
    }

    /// Reads the short form; `None` for what no prefix gives.
    fn from_octets(form: &[u8]) -> Option<Self> {
        let (&head, octets) = form.split_first()?;
        let len = head.checked_sub(V6_LENGTHS_FROM).unwrap_or(head);
        let mut all = [0; 16];
        all.get_mut(..octets.len())?.copy_from_slice(octets);
        let bits = u128::from_be_bytes(all);
        let prefix = if head < V6_LENGTHS_FROM {
            Prefix::v4(u32::try_from(bits >> 96).ok()?, len)?
        } else {
            Prefix::v6(bits, len)?
        };
        let is_canonical = prefix.octets == all && octets.len() == usize::from(len.div_ceil(8));
        is_canonical.then_some(prefix)
    }
}

impl Serialize for Prefix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        self.to_octets(|octets| serializer.serialize_bytes(octets))
    }
}

/// Reads the short form.
struct Octets;
impl serde::de::Visitor<'_> for Octets {
    type Value = Prefix;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a prefix in octets")
    }

    fn visit_bytes<E: serde::de::Error>(self, octets: &[u8]) -> Result<Prefix, E> {
        Prefix::from_octets(octets).ok_or_else(|| E::custom("no prefix in these octets"))
    }
}

impl<'de> Deserialize<'de> for Prefix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
            return text.parse().map_err(serde::de::Error::custom);
        }
        deserializer.deserialize_bytes(Octets)
    }
}

/// What made a text no prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrefixParseError {
    /// No `/`, or not an IP address before it.
    #[error("not a prefix: expected ADDRESS/LENGTH")]
    Malformed,
    /// Length not a number or beyond the family's bits.
    #[error("prefix length must be a number from 0 to {max}")]
    Length {
        /// Largest length of the address's family.
        max: u8,
    },
}

impl FromStr for Prefix {
    type Err = PrefixParseError;

    /// Reads `192.0.2.0/24` or `2001:db8::/32`; host bits are cleared.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (addr, len) = text.split_once('/').ok_or(PrefixParseError::Malformed)?;
        let addr: IpAddr = addr.parse().map_err(|_| PrefixParseError::Malformed)?;
        let max = if addr.is_ipv4() { 32 } else { 128 };
        let plain = !len.is_empty() && len.bytes().all(|b| b.is_ascii_digit());
        let len = plain.then(|| len.parse::<u8>().ok()).flatten();
        len.and_then(|len| Prefix::new(addr, len)).ok_or(PrefixParseError::Length { max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn p(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    #[test]
    fn text_is_canonical() {
        assert_eq!(p("192.0.2.77/24").to_string(), "192.0.2.0/24");
        assert_eq!(p("2001:DB8:0:0::1/32").to_string(), "2001:db8::/32");
        assert_eq!(p("0.0.0.0/0").to_string(), "0.0.0.0/0");
        for bad in ["", "192.0.2.0", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/+8", "::/129", "x/8"]
        {
            assert!(bad.parse::<Prefix>().is_err(), "{bad}");
        }
    }

    #[test]
    fn covers_is_by_family_and_bits() {
        assert!(p("192.0.2.0/24").covers(&p("192.0.2.128/25")));
        assert!(p("0.0.0.0/0").covers(&p("192.0.2.0/24")));
        assert!(p("192.0.2.0/24").covers(&p("192.0.2.0/24")));
        assert!(!p("192.0.2.128/25").covers(&p("192.0.2.0/24")));
        assert!(!p("0.0.0.0/0").covers(&p("::/0")));
        assert!(!p("192.0.2.0/24").covers(&p("192.0.3.0/25")));
    }

    #[test]
    fn a_less_specific_sorts_before_its_more_specifics() {
        let mut all = [p("192.0.2.128/25"), p("192.0.2.0/25"), p("192.0.2.0/24"), p("::/0")];
        all.sort_unstable();
        assert_eq!(all, [p("192.0.2.0/24"), p("192.0.2.0/25"), p("192.0.2.128/25"), p("::/0")]);
    }

    proptest! {
        #[test]
        fn text_round_trips(bits: u128, len in 0u8..=128, v4: bool) {
            let prefix = if v4 {
                Prefix::v4((bits >> 96) as u32, len % 33).unwrap()
            } else {
                Prefix::v6(bits, len).unwrap()
            };
            prop_assert_eq!(prefix.to_string().parse::<Prefix>().unwrap(), prefix);
            prop_assert!(prefix.less_specific(prefix.len() / 2).unwrap().covers(&prefix));
            let short = prefix.to_octets(<[u8]>::to_vec);
            prop_assert_eq!(Prefix::from_octets(&short), Some(prefix));
        }

        #[test]
        fn the_short_form_of_a_prefix_is_the_only_one_that_is_read(form: [u8; 18], len in 0usize..18) {
            let form = form.get(..len).unwrap();
            if let Some(prefix) = Prefix::from_octets(form) {
                prop_assert_eq!(prefix.to_octets(<[u8]>::to_vec), form);
            }
        }

        #[test]
        fn host_bits_are_cleared(bits: u128, len in 0u8..=128) {
            let kept = (0..u32::from(len)).fold(0, |kept, bit| kept | bits & (1 << (127 - bit)));
            prop_assert_eq!(Prefix::v6(bits, len).unwrap().bits(), kept);
        }
    }
}
