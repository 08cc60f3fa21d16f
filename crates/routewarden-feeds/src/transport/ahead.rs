//! Decompression ahead of the reader, on a thread of the input's own.
//!
//! ```text
//! members ─► block ─► [at most BLOCKS_AHEAD_MAX] ─► the reader
//!    ▲                                                  │
//!    └────────────────── empty blocks ──────────────────┘
//! ```
//!
//! The thread ends at the end of the input, at a fault, or when the reader is gone.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::members::Members;
use super::{CORES, Compression, TransportFault};

/// Most threads that read ahead, of all inputs together.
pub const READ_AHEAD_THREADS_MAX: usize = 32;
/// Most blocks of an input that are decompressed and wait to be read.
pub const BLOCKS_AHEAD_MAX: usize = 4;
/// Most octets of a block. Shorter inputs are not worth a thread.
pub(super) const BLOCK_OCTETS: usize = 256 << 10;

/// Threads that read ahead at this time.
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// The right to one thread.
struct Permit;

impl Permit {
    /// `None` when there are enough threads: the readers themselves take one core.
    fn take() -> Option<Permit> {
        let threads_max = (*CORES - 1).min(READ_AHEAD_THREADS_MAX);
        let one_more = |threads| (threads < threads_max).then_some(threads + 1);
        THREADS.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok().map(|_| Permit)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        THREADS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What one read gave, and where the input stood after it.
struct Block {
    octets: Vec<u8>,
    filled: usize,
    compressed_octets: u64,
    trailing_octets: u64,
    fault: Option<TransportFault>,
}

/// The reader's side.
pub(super) struct Ahead {
    compression: Compression,
    /// `None` at the end of the input.
    blocks: Option<Receiver<Block>>,
    empty: SyncSender<Vec<u8>>,
    /// The thread, if it may be waited for.
    thread: Option<JoinHandle<()>>,
    block: Block,
    /// Place in the block.
    at: usize,
    given: u64,
}

impl Ahead {
    /// Goes on with an input on another thread. Gives it back when there are enough of them.
    pub(super) fn start(members: Members, is_pipe: bool) -> Result<Self, Box<Members>> {
        let Some(permit) = Permit::take() else { return Err(Box::new(members)) };
        let block = Block {
            octets: Vec::new(),
            filled: 0,
            compressed_octets: members.compressed_octets(),
            trailing_octets: members.trailing_octets(),
            fault: None,
        };
        let (compression, given) = (members.compression(), members.decompressed_octets());
        let (to_reader, blocks) = sync_channel(BLOCKS_AHEAD_MAX);
        // Room for all blocks there are: one is with the thread, one with the reader.
        let (empty, from_reader) = sync_channel(BLOCKS_AHEAD_MAX + 2);
        // Handed over when the thread runs: it stays here when none can be started.
        let (hand_over, handed_over) = sync_channel(1);
        let thread = std::thread::Builder::new().name("read-ahead".to_owned()).spawn(move || {
            if let Ok(members) = handed_over.recv() {
                run(members, &to_reader, &from_reader);
            }
            drop(permit);
        });
        let Ok(thread) = thread else { return Err(Box::new(members)) };
        hand_over.send(members).map_err(|unsent| Box::new(unsent.0))?;
        let thread = (!is_pipe).then_some(thread);
        Ok(Ahead { compression, blocks: Some(blocks), empty, thread, block, at: 0, given })
    }

    /// Octets given so far.
    pub(super) fn given(&self) -> u64 {
        self.given
    }

    /// Octets of the input consumed for the block being given out and those before it.
    pub(super) fn compressed_octets(&self) -> u64 {
        self.block.compressed_octets
    }

    /// Octets that belong to no member, up to the end of that block.
    pub(super) fn trailing_octets(&self) -> u64 {
        self.block.trailing_octets
    }

    /// As [`Transport::read`](super::Transport::read).
    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, TransportFault> {
        if out.is_empty() {
            return Ok(0);
        }
        while self.at == self.block.filled {
            let Some(blocks) = &self.blocks else { return Ok(0) };
            let Ok(block) = blocks.recv() else { return Err(self.thread_failed()) };
            let used = std::mem::replace(&mut self.block, block);
            self.at = 0;
            if used.filled > 0 {
                // The thread may have ended.
                drop(self.empty.try_send(used.octets));
            }
            if self.block.filled == 0 {
                self.end();
                return self.block.fault.take().map_or(Ok(0), Err);
            }
        }
        let held = self.block.octets.get(self.at..self.block.filled).unwrap_or_default();
        let count = held.len().min(out.len());
        if let (Some(from), Some(to)) = (held.get(..count), out.get_mut(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        self.given += count as u64;
        Ok(count)
    }

    /// The thread ended without telling why: it panicked.
    fn thread_failed(&mut self) -> TransportFault {
        self.end();
        let at = (self.block.compressed_octets, self.given);
        TransportFault::of(self.compression, false, at, io::Error::other("the decompressor failed"))
    }

    /// Lets the thread end, and waits for it.
    fn end(&mut self) {
        self.blocks = None;
        if let Some(thread) = self.thread.take() {
            // A panic was told of in its place.
            drop(thread.join());
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.end();
    }
}

/// Decompresses block by block: all of them, until a fault, or until nobody takes them.
fn run(mut members: Members, blocks: &SyncSender<Block>, empty: &Receiver<Vec<u8>>) {
    loop {
        let mut octets = empty.try_recv().unwrap_or_else(|_| vec![0; BLOCK_OCTETS]);
        // One read, however short it is: the source may be a pipe that gives no more for long.
        let (filled, fault) = match members.read(&mut octets) {
            Ok(filled) => (filled, None),
            Err(fault) => (0, Some(fault)),
        };
        let block = Block {
            octets,
            filled,
            compressed_octets: members.compressed_octets(),
            trailing_octets: members.trailing_octets(),
            fault,
        };
        if blocks.send(block).is_err() || filled == 0 {
            return;
        }
    }
}
