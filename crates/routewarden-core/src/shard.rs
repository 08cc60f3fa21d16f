//! Sharding by prefix block: which part of the address space a table looks after.

use crate::{AddressFamily, Prefix};

/// Prefixes of one block (IPv4 of one /8, IPv6 of one /16) lie in one shard, so that all that
/// covers a prefix, down to its block, lies with it.
pub const BLOCK_LEN_V4: u8 = 8;
/// See [`BLOCK_LEN_V4`].
pub const BLOCK_LEN_V6: u8 = 16;

/// Most shards: there are no more blocks of IPv4.
pub const SHARDS_MAX: u32 = 256;

/// An odd number with well-mixed bits: 2^32 divided by the golden ratio. Blocks that are in use
/// stand side by side; multiplying spreads them over the shards.
const MIX: u32 = 0x9e37_79b9;

/// One of `count` shards. The default is the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    count: u32,
}

/// What a prefix is to a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// The shard holds it and answers for it.
    Home,
    /// Shorter than a block: every shard knows it, another one answers for it.
    Known,
    /// Another shard's.
    Foreign,
}

impl Shard {
    /// All there is, in one shard.
    pub const WHOLE: Shard = Shard { index: 0, count: 1 };

    /// Shards 0 to `count` - 1, of at least one and at most [`SHARDS_MAX`].
    pub fn all(count: u32) -> impl Iterator<Item = Shard> {
        let count = count.clamp(1, SHARDS_MAX);
        (0..count).map(move |index| Shard { index, count })
    }

    /// Whether this is the first one: it counts what all of them see.
    pub fn is_first(self) -> bool {
        self.index == 0
    }

    /// This shard's part of a limit of all shards together, rounded up.
    pub fn part_of(self, limit: usize) -> usize {
        limit.div_ceil(usize::try_from(self.count).unwrap_or(1))
    }

    /// What the prefix is to this shard.
    #[inline]
    pub fn share(self, prefix: &Prefix) -> Share {
        if self.count == 1 || self.index == home(prefix, self.count) {
            Share::Home
        } else if is_short(prefix) {
            Share::Known
        } else {
            Share::Foreign
        }
    }

    /// Place of the shard that answers for the prefix.
    pub fn home_of(self, prefix: &Prefix) -> usize {
        usize::try_from(home(prefix, self.count)).unwrap_or(0)
    }
}

impl Default for Shard {
    fn default() -> Self {
        Shard::WHOLE
    }
}

/// Whether the prefix is shorter than a block.
#[inline]
pub fn is_short(prefix: &Prefix) -> bool {
    match prefix.family() {
        AddressFamily::Ipv4 => prefix.len() < BLOCK_LEN_V4,
        AddressFamily::Ipv6 => prefix.len() < BLOCK_LEN_V6,
    }
}

#[inline]
fn home(prefix: &Prefix, count: u32) -> u32 {
    let first = u32::try_from(prefix.bits() >> 96).unwrap_or(0);
    let block = match prefix.family() {
        AddressFamily::Ipv4 => first >> (32 - BLOCK_LEN_V4),
        AddressFamily::Ipv6 => 1 << 16 | first >> (32 - BLOCK_LEN_V6),
    };
    // The upper half of the product is a number below `count`.
    let scaled = u64::from(block.wrapping_mul(MIX)) * u64::from(count);
    u32::try_from(scaled >> 32).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn prefix(bits: u128, len: u8, v4: bool) -> Prefix {
        if v4 {
            Prefix::v4((bits >> 96) as u32, len % 33).unwrap()
        } else {
            Prefix::v6(bits, len % 129).unwrap()
        }
    }

    proptest! {
        #[test]
        fn every_prefix_has_one_home_and_lies_with_its_block(
            bits: u128, len: u8, v4: bool, count in 1u32..=SHARDS_MAX,
        ) {
            let prefix = prefix(bits, len, v4);
            let shares: Vec<Share> = Shard::all(count).map(|s| s.share(&prefix)).collect();
            prop_assert_eq!(shares.iter().filter(|&&s| s == Share::Home).count(), 1);
            prop_assert_eq!(shares[Shard::all(count).next().unwrap().home_of(&prefix)], Share::Home);
            let others = if is_short(&prefix) { Share::Known } else { Share::Foreign };
            prop_assert!(shares.iter().all(|&s| s == Share::Home || s == others));
            let block_len = if v4 { BLOCK_LEN_V4 } else { BLOCK_LEN_V6 };
            if let Some(block) = prefix.less_specific(block_len) {
                for shard in Shard::all(count) {
                    prop_assert_eq!(shard.share(&block), shard.share(&prefix));
                }
            }
        }
    }

    #[test]
    fn blocks_in_use_spread_over_the_shards() {
        for count in [2, 8, 16] {
            let mut v4 = vec![0; count as usize];
            for block in 1..224_u32 {
                let prefix = Prefix::v4(block << 24, 8).unwrap();
                v4[Shard::all(count).next().unwrap().home_of(&prefix)] += 1;
            }
            let even = 223 / count;
            assert!(v4.iter().all(|&blocks| blocks >= even - 2 && blocks <= even + 2), "{v4:?}");
        }
    }
}
