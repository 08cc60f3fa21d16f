//! Bodies of the fuzz targets: plain functions that must not panic on any input. The targets
//! under `fuzz/` call them; tests run them over random octets and over their corpora.

mod ops;

use super::{AdjRibIn, RibLimits, snapshot};
use crate::PeerTable;
pub use ops::rib_ops;

/// Keeps the memory of a run small.
const LIMITS: RibLimits =
    RibLimits { routes_max: 1 << 16, prefixes_max: 1 << 14, attribute_octets_max: 1 << 20 };

/// Reads the octets as a snapshot of a table, as they are and with checksums put right. What is
/// read is written and read again, which must give the same octets.
pub fn rib_snapshot(octets: &[u8]) {
    if read(octets, LIMITS).is_none() {
        read_and_write(&with_checksums(octets));
    } else {
        read_and_write(octets);
    }
}

fn read(mut octets: &[u8], limits: RibLimits) -> Option<(AdjRibIn, PeerTable)> {
    let mut peers = PeerTable::default();
    let rib = AdjRibIn::restore(&mut octets, limits, &mut peers, &mut |_| 0).ok()?;
    Some((rib, peers))
}

fn read_and_write(octets: &[u8]) {
    let Some((rib, peers)) = read(octets, LIMITS) else { return };
    let mut written = Vec::new();
    assert!(rib.save(&peers, &mut written).is_ok(), "what was read can be written");
    // Sums over the whole may exceed a limit that each step kept.
    let again = read(&written, RibLimits::default());
    assert!(again.is_some(), "what was written can be read");
    let Some((again, peers)) = again else { return };
    let mut rewritten = Vec::new();
    assert!(again.save(&peers, &mut rewritten).is_ok());
    assert!(written == rewritten, "the same table gives the same octets");
}

/// The octets with the checksum of every frame put right, as far as the lengths lead.
fn with_checksums(octets: &[u8]) -> Vec<u8> {
    let head = (snapshot::MAGIC.len() + size_of::<u32>()).min(octets.len());
    let (head, mut rest) = octets.split_at(head);
    let mut out = head.to_vec();
    while let Some((len, tail)) = rest.split_first_chunk::<4>() {
        let Some((_, tail)) = tail.split_first_chunk::<4>() else { break };
        let wanted = usize::try_from(u32::from_be_bytes(*len)).unwrap_or(usize::MAX);
        let (payload, tail) = tail.split_at(wanted.min(tail.len()));
        out.extend_from_slice(len);
        out.extend_from_slice(&crc32fast::hash(payload).to_be_bytes());
        out.extend_from_slice(payload);
        rest = tail;
    }
    out
}

#[cfg(test)]
mod tests;
