//! A table on disk: saved to a stream of octets and restored from it.
//!
//! The form is described in `docs/reference/rib-snapshot.md`: a magic and a version, then frames
//! with length and checksum. The same content gives the same octets, whatever the order in which
//! it came and the numbers its peers have.

mod read;
mod write;

use std::io::{self, Read, Write};

use super::{AdjRibIn, RibLimits};
use crate::{PeerId, PeerTable, RouteAttributes};

/// The first octets of a snapshot.
pub const MAGIC: [u8; 8] = *b"RWADJRIB";
/// The version of the form that is written, and the only one that is read.
pub const VERSION: u32 = 1;
/// Most octets of one frame; a writer begins a new one after `FRAME_OCTETS`.
pub const FRAME_OCTETS_MAX: usize = 2 << 20;
/// Longest name of a collector.
pub const COLLECTOR_OCTETS_MAX: usize = 4_096;
/// Octets after which a frame is closed.
const FRAME_OCTETS: usize = 64 << 10;
/// Times are kept up to this far from 1970: twice as far as MRT can tell.
const TIME_SECS_MAX: i64 = 1 << 33;

/// What a frame holds, in the order in which they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum FrameKind {
    Peers = 1,
    Routes = 2,
    Withdrawals = 3,
    End = 4,
}

impl FrameKind {
    fn from_octet(octet: u8) -> Option<Self> {
        [FrameKind::Peers, FrameKind::Routes, FrameKind::Withdrawals, FrameKind::End]
            .into_iter()
            .find(|&kind| kind as u8 == octet)
    }
}

/// Numbers of things in the snapshot, told at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Totals {
    peers: u64,
    prefixes: u64,
    routes: u64,
    attribute_sets: u64,
    withdrawals: u64,
}

/// What kept a table from being saved or restored. Offsets count from the magic.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The stream failed.
    #[error("the stream of the snapshot failed")]
    Io(#[from] io::Error),
    /// The first octets are not [`MAGIC`].
    #[error("not a snapshot of a table")]
    NotASnapshot,
    /// Another version than [`VERSION`].
    #[error("version {0} of the snapshot is not known")]
    UnknownVersion(u32),
    /// The stream ends before the last frame does.
    #[error("the snapshot ends too early, in the frame at octet {offset}")]
    Ended {
        /// Where the frame begins.
        offset: u64,
    },
    /// The octets of a frame are not those that were written.
    #[error("wrong checksum of the frame at octet {offset}")]
    Checksum {
        /// Where the frame begins.
        offset: u64,
    },
    /// Something that no writer gives.
    #[error("malformed {field} before octet {offset}")]
    Malformed {
        /// What is malformed.
        field: &'static str,
        /// Where reading stopped.
        offset: u64,
    },
    /// More than the limits of the table allow.
    #[error("too many {what} before octet {offset}")]
    OverLimit {
        /// What there is too much of.
        what: &'static str,
        /// Where reading stopped.
        offset: u64,
    },
    /// The peers given do not name a peer of the table.
    #[error("peer {} of the table has no name", .0.0)]
    UnknownPeer(PeerId),
    /// The name of a collector exceeds [`COLLECTOR_OCTETS_MAX`].
    #[error("the name of a collector exceeds {COLLECTOR_OCTETS_MAX} octets")]
    NameTooLong,
}

impl AdjRibIn {
    /// Writes the table: peers with their sessions, routes, attributes, the withdrawals remembered,
    /// and counters. `peers` names its peers. Flags of attributes are not written.
    ///
    /// What is kept for the next event only is left out. `out` should be buffered or take writes of
    /// 64 KiB well.
    ///
    /// # Errors
    /// When `out` fails or `peers` lacks a peer of the table.
    pub fn save(&self, peers: &PeerTable, out: &mut impl Write) -> Result<(), SnapshotError> {
        write::save(self, peers, out)
    }

    /// Reads a table that [`AdjRibIn::save`] wrote. It behaves as the one saved from there on. Its
    /// peers are added to `peers`; their numbers may be others than they were. `classify` gives
    /// the flags of each attribute set, as in [`AdjRibIn::announce`].
    ///
    /// Memory grows only with what was read. Nothing after the last frame is read.
    ///
    /// # Errors
    /// When `input` fails, is no snapshot, is damaged, or exceeds `limits`. Peers may have been
    /// added then.
    pub fn restore(
        input: &mut impl Read,
        limits: RibLimits,
        peers: &mut PeerTable,
        classify: &mut impl FnMut(&RouteAttributes<'_>) -> u8,
    ) -> Result<Self, SnapshotError> {
        read::restore(input, limits, peers, classify)
    }
}

#[cfg(test)]
mod tests;
