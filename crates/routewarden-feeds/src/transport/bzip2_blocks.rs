//! One bzip2 stream on several cores.
//!
//! The blocks of a stream are independent, but begin at any bit. A scan finds their 48-bit
//! magics; each block is moved to a byte boundary, made a stream of its own, and decoded by a
//! worker. Block data may hold the magic by chance: a block that does not decode is joined with
//! what follows and tried again. CRCs of the blocks and of the stream are checked.

mod scan;

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use bzip2::bufread::BzDecoder;

use super::input::Input;
use scan::{Block, Found, Scanner};

/// Blocks being decoded or waiting to be read, for each worker.
const BLOCKS_PER_WORKER: usize = 2;
/// Most workers of one stream.
const WORKERS_MAX: usize = 8;
/// What a block of level 9 gives, as a rule.
const BLOCK_OUTPUT_OCTETS: usize = 900_000;
/// Most octets one block can give: 900,000 octets before run-length coding, which packs at most
/// 259 equal octets into five.
const BLOCK_OUTPUT_OCTETS_MAX: u64 = 900_000 / 5 * 259;
/// Most pieces of one block: chance magics in one block's data.
const PIECES_MAX: usize = 4;

type Decoded = io::Result<Vec<u8>>;

struct Job {
    block: Arc<Block>,
    done: SyncSender<Decoded>,
}

struct Pending {
    block: Arc<Block>,
    pieces: usize,
    decoded: Receiver<Decoded>,
}

/// A decoder of one bzip2 stream, from its `BZh` to its end.
pub(super) struct Bzip2Blocks {
    scanner: Scanner,
    /// Nothing more comes from the scanner; how that ended, once.
    scanned: Option<io::Result<()>>,
    pending: VecDeque<Pending>,
    pending_max: usize,
    jobs: SyncSender<Job>,
    block: io::Cursor<Vec<u8>>,
}

impl Bzip2Blocks {
    /// Starts at the `BZh` of a stream, with this many workers.
    pub(super) fn new(input: Input, workers: usize) -> io::Result<Self> {
        let workers = workers.clamp(1, WORKERS_MAX);
        let pending_max = workers * BLOCKS_PER_WORKER;
        let (jobs, queue) = sync_channel::<Job>(pending_max);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..workers {
            let queue = Arc::clone(&queue);
            // A worker ends when the decoder, and with it the queue's sender, is dropped.
            std::thread::Builder::new().name("bzip2".to_owned()).spawn(move || work(&queue))?;
        }
        let scanner = Scanner::new(input);
        let block = io::Cursor::new(Vec::new());
        Ok(Bzip2Blocks {
            scanner,
            scanned: None,
            pending: VecDeque::new(),
            pending_max,
            jobs,
            block,
        })
    }

    /// The input, read as far as the scan has gone.
    pub(super) fn get_ref(&self) -> &Input {
        self.scanner.input()
    }

    /// The input; right behind the stream, when the stream has ended.
    pub(super) fn into_inner(self) -> Input {
        self.scanner.into_input()
    }

    /// Keeps the workers busy.
    fn fill(&mut self) -> io::Result<()> {
        while self.scanned.is_none() && self.pending.len() < self.pending_max {
            match self.scanner.next_block() {
                Ok(Found::Block(block)) => self.submit(Arc::new(block), 1, false)?,
                Ok(Found::End) => self.scanned = Some(Ok(())),
                Err(error) => self.scanned = Some(Err(error)),
            }
        }
        Ok(())
    }

    fn submit(&mut self, block: Arc<Block>, pieces: usize, at_front: bool) -> io::Result<()> {
        let (done, decoded) = sync_channel(1);
        let job = Job { block: Arc::clone(&block), done };
        self.jobs.send(job).map_err(|_| io::Error::other("the bzip2 workers are gone"))?;
        let pending = Pending { block, pieces, decoded };
        if at_front {
            self.pending.push_front(pending);
        } else {
            self.pending.push_back(pending);
        }
        Ok(())
    }

    /// The next block's octets; `None` at the end of the stream.
    fn next_decoded(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            self.fill()?;
            let Some(front) = self.pending.pop_front() else {
                return match self.scanned.take() {
                    Some(Err(error)) => Err(error),
                    other => {
                        self.scanned = other;
                        Ok(None)
                    }
                };
            };
            let decoded = front.decoded.recv();
            let error = match decoded {
                Ok(Ok(octets)) => return Ok(Some(octets)),
                Ok(Err(error)) => error,
                Err(_) => return Err(io::Error::other("a bzip2 worker is gone")),
            };
            self.fill()?;
            match self.pending.pop_front() {
                Some(next) if front.pieces < PIECES_MAX => {
                    let whole = front.block.joined(&next.block);
                    self.submit(Arc::new(whole), front.pieces + 1, true)?;
                }
                // The last block of a cut stream: say so rather than that it is corrupt.
                None => return Err(self.scanned.take().and_then(Result::err).unwrap_or(error)),
                Some(_) => return Err(error),
            }
        }
    }
}

impl Read for Bzip2Blocks {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.block.read(out)?;
            if count > 0 || out.is_empty() {
                return Ok(count);
            }
            match self.next_decoded()? {
                Some(octets) => self.block = io::Cursor::new(octets),
                None => return Ok(0),
            }
        }
    }
}

fn work(queue: &Mutex<Receiver<Job>>) {
    loop {
        // Another worker's panic leaves the queue as it was: between two jobs.
        let next = match queue.lock() {
            Ok(queue) => queue.recv(),
            Err(poisoned) => poisoned.into_inner().recv(),
        };
        let Ok(Job { block, done }) = next else { return };
        // The reader may have stopped at an error before: then nobody wants the result.
        let _wanted = done.send(decode(&block)).is_ok();
    }
}

fn decode(block: &Block) -> Decoded {
    let stream = block.to_stream();
    let mut octets = Vec::with_capacity(BLOCK_OUTPUT_OCTETS);
    let limit = BLOCK_OUTPUT_OCTETS_MAX + 1;
    BzDecoder::new(stream.as_slice()).take(limit).read_to_end(&mut octets)?;
    Ok(octets)
}

#[cfg(test)]
mod tests;
