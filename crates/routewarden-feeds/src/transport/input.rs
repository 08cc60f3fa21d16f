//! Compressed octets as they lie on the disk, counted.

use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Octets read from a file at once.
const BUFFER_OCTETS: usize = 128 * 1024;

/// How much of the input was read, for a progress bar. Shared between threads.
#[derive(Debug, Default)]
pub struct Progress {
    read: AtomicU64,
    total: AtomicU64,
}

impl Progress {
    /// Octets of (compressed) input read so far.
    pub fn read_octets(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Octets of (compressed) input there are; streams of unknown length count as zero.
    pub fn total_octets(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Notes `octets` more to read.
    pub fn expect(&self, octets: u64) {
        self.total.fetch_add(octets, Ordering::Relaxed);
    }

    fn advance(&self, octets: usize) {
        self.read.fetch_add(octets as u64, Ordering::Relaxed);
    }
}

/// A buffered reader that can look ahead, counts what was consumed, and remembers whether the
/// source itself failed: decoders turn every error into their own.
pub(super) struct Input {
    source: Box<dyn Read + Send>,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    consumed: u64,
    failed: bool,
    progress: Arc<Progress>,
}

impl Input {
    pub(super) fn new(source: Box<dyn Read + Send>, progress: Arc<Progress>) -> Self {
        let buffer = vec![0; BUFFER_OCTETS].into_boxed_slice();
        Input { source, buffer, start: 0, end: 0, consumed: 0, failed: false, progress }
    }

    /// Octets handed on.
    pub(super) fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Whether reading the source failed, as opposed to decoding it.
    pub(super) fn failed(&self) -> bool {
        self.failed
    }

    fn buffered(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Reads once into the free end of the buffer; `false` at the end of the source.
    fn refill(&mut self) -> io::Result<bool> {
        let free = self.buffer.get_mut(self.end..).unwrap_or_default();
        loop {
            match self.source.read(free) {
                Ok(0) => return Ok(false),
                Ok(octets) => {
                    self.end += octets;
                    self.progress.advance(octets);
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failed = true;
                    return Err(error);
                }
            }
        }
    }

    /// The next `count` octets without consuming them; fewer only at the end of the source.
    pub(super) fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        if self.start > 0 && self.end - self.start < count {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        while self.end - self.start < count && self.end < self.buffer.len() {
            if !self.refill()? {
                break;
            }
        }
        let held = self.buffered();
        Ok(held.get(..count).unwrap_or(held))
    }

    /// Consumes zero octets up to the first other one; how many.
    pub(super) fn skip_zeros(&mut self) -> io::Result<u64> {
        let mut skipped = 0;
        loop {
            let held = self.fill_buf()?;
            let zeros = held.iter().take_while(|&&octet| octet == 0).count();
            let all = zeros == held.len();
            self.consume(zeros);
            skipped += zeros as u64;
            if !all || zeros == 0 {
                return Ok(skipped);
            }
        }
    }

    /// Consumes all there is left; how many octets.
    pub(super) fn skip_rest(&mut self) -> io::Result<u64> {
        let mut skipped = 0;
        loop {
            let held = self.fill_buf()?.len();
            if held == 0 {
                return Ok(skipped);
            }
            self.consume(held);
            skipped += held as u64;
        }
    }
}

impl Read for Input {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let held = self.fill_buf()?;
        let count = held.len().min(out.len());
        if let (Some(from), Some(to)) = (held.get(..count), out.get_mut(..count)) {
            to.copy_from_slice(from);
        }
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            self.refill()?;
        }
        Ok(self.buffered())
    }

    fn consume(&mut self, amount: usize) {
        let amount = amount.min(self.end - self.start);
        self.start += amount;
        self.consumed += amount as u64;
    }
}
