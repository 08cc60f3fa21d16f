//! A block: scores of some hundred networks, compressed.
//!
//! Octets: the version (1), then zstd of a list of ASN and JSON in `postcard`'s form.

use serde::{Deserialize, Serialize};

use super::READINESS_SCORE_OCTETS_MAX;

const VERSION: u8 = 1;
/// Most networks of a block: one is read to learn of one network.
pub(super) const ASES_MAX: usize = 256;
/// Octets of JSON from which on a block is full.
const FULL_OCTETS: usize = 1 << 20;
/// What a block may decompress to: the last network may exceed the above, and each has its number and length.
const DECODED_OCTETS_MAX: usize = FULL_OCTETS + READINESS_SCORE_OCTETS_MAX + ASES_MAX * 16;
/// Level of compression.
const LEVEL: i32 = 3;

/// Networks with their scores, ascending.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Block<'a>(#[serde(borrow)] pub(super) Vec<(u32, &'a str)>);

impl<'a> Block<'a> {
    /// Networks in blocks.
    pub(super) fn all(scores: impl Iterator<Item = (u32, &'a str)>) -> Vec<Self> {
        let (mut blocks, mut block, mut octets) = (Vec::new(), Block::default(), 0);
        for (asn, json) in scores {
            block.0.push((asn, json));
            octets += json.len();
            if block.0.len() >= ASES_MAX || octets >= FULL_OCTETS {
                blocks.push(std::mem::take(&mut block));
                octets = 0;
            }
        }
        if !block.0.is_empty() {
            blocks.push(block);
        }
        blocks
    }

    /// The octets; `None` when they cannot be made.
    pub(super) fn encode(&self) -> Option<Vec<u8>> {
        let plain = postcard::to_stdvec(self).ok()?;
        let mut octets = vec![VERSION];
        octets.extend(zstd::bulk::compress(&plain, LEVEL).ok()?);
        Some(octets)
    }

    /// The list in decompressed octets.
    pub(super) fn read(plain: &'a [u8]) -> Option<Self> {
        postcard::from_bytes(plain).ok()
    }

    /// The scores of a network.
    pub(super) fn of(&self, asn: u32) -> Option<&'a str> {
        let place = self.0.binary_search_by_key(&asn, |(asn, _)| *asn).ok()?;
        self.0.get(place).map(|(_, json)| *json)
    }
}

/// Decompresses a block, to be read by [`Block::read`].
pub(super) fn decompress(octets: &[u8]) -> Option<Vec<u8>> {
    let compressed = octets.strip_prefix(&[VERSION])?;
    zstd::bulk::decompress(compressed, DECODED_OCTETS_MAX).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_again_and_bounded() {
        let small: Vec<(u32, String)> = (0..600).map(|n| (n * 3, format!("[{n}]"))).collect();
        let large = "x".repeat(READINESS_SCORE_OCTETS_MAX);
        let large = (9_000..9_040).map(|n| (n, large.as_str()));
        let all: Vec<_> = small.iter().map(|(n, json)| (*n, json.as_str())).chain(large).collect();
        let blocks = Block::all(all.iter().copied());
        assert!(blocks.iter().all(|block| block.0.len() <= ASES_MAX));
        let mut read = Vec::new();
        for block in &blocks {
            let plain = decompress(&block.encode().unwrap()).unwrap();
            let block = Block::read(&plain).unwrap();
            for (asn, json) in &block.0 {
                assert_eq!(block.of(*asn), Some(*json));
                read.push((*asn, (*json).to_owned()));
            }
            assert_eq!(block.of(1), None);
        }
        assert_eq!(read, all.iter().map(|(n, json)| (*n, (*json).to_owned())).collect::<Vec<_>>());
        assert!(Block::all(std::iter::empty()).is_empty());
    }

    #[test]
    fn what_is_no_block_is_told() {
        let good = Block(vec![(1, "{}")]).encode().unwrap();
        let mut other = good.clone();
        other[0] = 9;
        for bad in [&good[..good.len() - 1], &other, b"", b"\x01x"] {
            assert!(decompress(bad).is_none());
        }
        for bad in [&[][..], &[5, 1]] {
            assert!(Block::read(bad).is_none());
        }
        let bomb =
            [&[VERSION], &*zstd::bulk::compress(&vec![0; DECODED_OCTETS_MAX + 1], 3).unwrap()];
        assert!(decompress(&bomb.concat()).is_none());
    }
}
