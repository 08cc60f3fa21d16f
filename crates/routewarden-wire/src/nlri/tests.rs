//! The fast reading of fields against a plain one.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

#[derive(Debug, PartialEq)]
struct Plain {
    nlri: Vec<Nlri>,
    /// Octets of the field up to the first malformed prefix.
    sound: usize,
    has_stray_bits: bool,
}

/// Reads a field prefix by prefix and bit by bit.
fn plainly(octets: &[u8], family: AddressFamily, has_path_ids: bool) -> Plain {
    let mut rest = Cursor::new(octets);
    let mut plain = Plain { nlri: Vec::new(), sound: 0, has_stray_bits: false };
    let mut next = || {
        let path_id = if has_path_ids { Some(rest.u32()?) } else { None };
        let len = rest.u8().filter(|len| *len <= family.bits())?;
        let octets = rest.take(usize::from(len.div_ceil(8)))?;
        Some((path_id, len, octets, rest.remaining()))
    };
    while let Some((path_id, len, prefix, left)) = next() {
        let mut addr = [0; 16];
        addr[..prefix.len()].copy_from_slice(prefix);
        let bits = u128::from_be_bytes(addr);
        let kept = (0..u32::from(len)).fold(0, |kept, bit| kept | bits & (1 << (127 - bit)));
        plain.has_stray_bits |= bits != kept;
        let prefix = match family {
            AddressFamily::Ipv4 => Prefix::v4(u32::try_from(kept >> 96).unwrap(), len),
            AddressFamily::Ipv6 => Prefix::v6(kept, len),
        };
        plain.nlri.push(Nlri { prefix: prefix.unwrap(), path_id, safi: Safi::Unicast });
        plain.sound = octets.len() - left;
    }
    plain
}

/// Octets that are often prefixes: lengths mostly within the family, and short enough to follow
/// each other.
fn field() -> impl Strategy<Value = Vec<u8>> {
    let octet = prop_oneof![4 => 0_u8..=33, 2 => any::<u8>(), 1 => Just(0), 1 => Just(64)];
    vec(octet, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn fields_are_read_as_plainly(
        before in vec(any::<u8>(), 0..24),
        octets in field(),
        is_ipv4: bool,
        has_path_ids: bool,
    ) {
        let family = if is_ipv4 { AddressFamily::Ipv4 } else { AddressFamily::Ipv6 };
        let path_ids = if has_path_ids { PathIds::Yes } else { PathIds::No };
        let body = [before.clone(), octets.clone()].concat();
        let (mut read, mut warnings) = (NlriField::EMPTY, Warnings::NONE);
        read.read(&body, before.len(), (family, Safi::Unicast), path_ids, &mut warnings);

        let plain = plainly(&octets, family, has_path_ids);
        prop_assert_eq!(&read.iter().collect::<Vec<_>>(), &plain.nlri);
        let mut visited = Vec::new();
        read.for_each(|nlri| visited.push(nlri));
        prop_assert_eq!(&visited, &plain.nlri);
        prop_assert_eq!(read.is_empty(), plain.nlri.is_empty());
        prop_assert_eq!(warnings.contains(Warning::NlriStrayBits), plain.has_stray_bits);
        let is_malformed = plain.sound < octets.len();
        prop_assert_eq!(warnings.contains(Warning::NlriMalformed), is_malformed);
    }
}
