//! A look at the first record of a file.

use std::io;
use std::path::Path;
use std::sync::Arc;

use routewarden_core::Timestamp;

use super::InputKind;
use crate::transport::{Compression, Limits, Progress, Transport};

/// MRT common header (RFC 6396 §2).
const HEADER_OCTETS: usize = 12;
/// 1993-01-01: MRT is younger than that, so an earlier time is no MRT header.
const FIRST_TIME_SECS: u32 = 725_846_400;

/// What the first record of a file tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstRecord {
    /// Time in its header, whole seconds.
    pub time: Timestamp,
    /// Table or updates, by its type.
    pub kind: InputKind,
}

/// Reads the header of the first record; `None` when it is no MRT header.
pub fn first_record(path: &Path, limits: Limits) -> io::Result<Option<FirstRecord>> {
    let mut transport = Transport::open(path, limits, Arc::new(Progress::default()))?;
    let mut header = [0; HEADER_OCTETS];
    let mut held = 0;
    while let Some(free) = header.get_mut(held..).filter(|free| !free.is_empty()) {
        match transport.read(free) {
            Ok(0) | Err(_) => return Ok(None),
            Ok(octets) => held += octets,
        }
    }
    Ok(parse(header))
}

/// Whether the file starts like a compressed file or an MRT file. Does not decompress.
pub(super) fn plausible_start(path: &Path) -> io::Result<bool> {
    let mut header = [0; HEADER_OCTETS];
    let mut file = std::fs::File::open(path)?;
    match io::Read::read_exact(&mut file, &mut header) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
        Err(error) => return Err(error),
    }
    Ok(Compression::of(&header) != Compression::Plain || parse(header).is_some())
}

fn parse(header: [u8; HEADER_OCTETS]) -> Option<FirstRecord> {
    let [t0, t1, t2, t3, k0, k1, s0, s1, l0, l1, l2, l3] = header;
    let secs = u32::from_be_bytes([t0, t1, t2, t3]);
    let octets = u32::from_be_bytes([l0, l1, l2, l3]);
    let kind = match (u16::from_be_bytes([k0, k1]), u16::from_be_bytes([s0, s1])) {
        // BGP4MP_ENTRY and BGP4MP_SNAPSHOT, deprecated, were tables (RFC 6396 §C).
        (12 | 13, _) | (16, 2 | 3) => InputKind::Table,
        (11 | 16 | 17 | 32 | 33 | 48 | 49, _) => InputKind::Updates,
        _ => return None,
    };
    let plausible = secs >= FIRST_TIME_SECS && octets <= crate::stream::RECORD_OCTETS_MAX;
    plausible.then_some(FirstRecord { time: Timestamp::from_secs(secs), kind })
}
