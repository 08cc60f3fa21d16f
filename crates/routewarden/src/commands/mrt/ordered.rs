//! Work on numbered files on several threads, its output in the files' order.
//!
//! ```text
//! work(0), work(1), ... ─► pieces of output, each file's in a queue ─► take(): file 0, then 1, ...
//! ```
//!
//! The file whose turn it is may always queue a few pieces, so nothing can wait for ever. Files
//! behind it queue as long as all of them together stay below a limit.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};

/// Files begun and not yet written out, for each thread: small ones do not wait for a large one.
const FILES_PER_THREAD_MAX: usize = 8;
/// Octets queued by all files before those whose turn it is not wait.
const QUEUED_OCTETS_MAX: usize = 64 << 20;
/// Pieces the file whose turn it is may queue.
const HEAD_PIECES_MAX: usize = 4;
/// Octets of a piece; what is written at once may exceed it.
const PIECE_OCTETS: usize = 64 << 10;

/// What comes of a file.
enum Next<R> {
    Piece(Vec<u8>),
    /// The file has ended: what it came to, or nothing when reading it panicked.
    End(Option<R>),
}

struct Queue<R> {
    pieces: VecDeque<Vec<u8>>,
    end: Option<Next<R>>,
}

struct State<R> {
    /// Files begun, from the one whose turn it is.
    queues: VecDeque<Queue<R>>,
    /// Number of the file whose turn it is.
    head: usize,
    queued_octets: usize,
    /// Pieces to use again: as many as were ever queued at once.
    free: Vec<Vec<u8>>,
    is_cancelled: bool,
}

/// Does `work` for every file on as many threads. What it writes goes to `out` in the files' order;
/// at the end of a file, `end` gets its number and what it came to, or nothing when it panicked.
pub(super) fn for_each<R: Send>(
    files: usize,
    threads: NonZeroUsize,
    work: impl Fn(usize, &mut Output<'_, R>) -> R + Sync,
    out: &mut impl Write,
    mut end: impl FnMut(usize, Option<R>) -> Result<()>,
) -> Result<()> {
    let threads = threads.get().min(files);
    let ordered = Ordered::new(files, threads);
    std::thread::scope(|scope| {
        for started in 0..threads {
            let thread = std::thread::Builder::new().name("decode".to_owned());
            match thread.spawn_scoped(scope, || ordered.work(&work)) {
                Ok(_) => {}
                // One thread does the work too.
                Err(_) if started > 0 => break,
                Err(error) => return Err(error).context("cannot start a thread"),
            }
        }
        let mut written = Ok(());
        while written.is_ok()
            && let Some((number, next)) = ordered.take()
        {
            written = match next {
                Next::Piece(piece) => {
                    let result = out.write_all(&piece);
                    ordered.recycle(piece);
                    result.map_err(Into::into)
                }
                Next::End(result) => end(number, result),
            };
        }
        ordered.cancel();
        written
    })
}

/// The queues between the threads and the one that writes.
struct Ordered<R> {
    state: Mutex<State<R>>,
    /// Told when a thread may go on.
    room: Condvar,
    /// Told when there is something to take.
    ready: Condvar,
    files: usize,
    files_begun_max: usize,
}

impl<R> Ordered<R> {
    fn new(files: usize, threads: usize) -> Self {
        let state = State {
            queues: VecDeque::new(),
            head: 0,
            queued_octets: 0,
            free: Vec::new(),
            is_cancelled: false,
        };
        Ordered {
            state: Mutex::new(state),
            room: Condvar::new(),
            ready: Condvar::new(),
            files,
            files_begun_max: threads.saturating_mul(FILES_PER_THREAD_MAX),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<R>> {
        // Nothing that may panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Body of a thread: takes file after file, until there are no more or nobody reads.
    fn work(&self, file: &impl Fn(usize, &mut Output<'_, R>) -> R) {
        while let Some(number) = self.begin() {
            let result = catch_unwind(AssertUnwindSafe(|| {
                let mut output = Output { ordered: self, number, piece: Vec::new() };
                let result = file(number, &mut output);
                // That nobody reads is seen at the next file.
                let _sent = output.flush().is_ok();
                result
            }));
            self.end(number, Next::End(result.ok()));
        }
    }

    /// The next file, once there is room for it.
    fn begin(&self) -> Option<usize> {
        let mut state = self.lock();
        loop {
            let number = state.head + state.queues.len();
            if state.is_cancelled || number >= self.files {
                return None;
            }
            if state.queues.len() < self.files_begun_max {
                state.queues.push_back(Queue { pieces: VecDeque::new(), end: None });
                return Some(number);
            }
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Queues a piece, once there is room for it; `false` when nobody reads.
    fn push(&self, number: usize, piece: Vec<u8>) -> bool {
        let mut state = self.lock();
        loop {
            if state.is_cancelled {
                return false;
            }
            let place = number - state.head;
            let queued_octets = state.queued_octets;
            let Some(queue) = state.queues.get_mut(place) else { return false };
            let is_head_short = place == 0 && queue.pieces.len() < HEAD_PIECES_MAX;
            if is_head_short || queued_octets < QUEUED_OCTETS_MAX {
                state.queued_octets += piece.len();
                if let Some(queue) = state.queues.get_mut(place) {
                    queue.pieces.push_back(piece);
                }
                drop(state);
                if place == 0 {
                    self.ready.notify_one();
                }
                return true;
            }
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn end(&self, number: usize, end: Next<R>) {
        let mut state = self.lock();
        let place = number - state.head;
        if let Some(queue) = state.queues.get_mut(place) {
            queue.end = Some(end);
        }
        drop(state);
        if place == 0 {
            self.ready.notify_one();
        }
    }

    /// Waits for what comes next, with its file's number; `None` when the last file has ended.
    fn take(&self) -> Option<(usize, Next<R>)> {
        let mut state = self.lock();
        loop {
            let head = state.head;
            if head == self.files {
                return None;
            }
            if let Some(queue) = state.queues.front_mut() {
                let piece = queue.pieces.pop_front();
                if let Some(piece) = piece {
                    state.queued_octets -= piece.len();
                    drop(state);
                    self.room.notify_all();
                    return Some((head, Next::Piece(piece)));
                }
                if let Some(end) = queue.end.take() {
                    state.queues.pop_front();
                    state.head += 1;
                    drop(state);
                    self.room.notify_all();
                    return Some((head, end));
                }
            }
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn recycle(&self, mut piece: Vec<u8>) {
        piece.clear();
        self.lock().free.push(piece);
    }

    /// Tells the threads that nobody reads any more.
    fn cancel(&self) {
        self.lock().is_cancelled = true;
        self.room.notify_all();
    }
}

/// Output of a file. Fails as a broken pipe does when nobody reads.
pub(super) struct Output<'a, R> {
    ordered: &'a Ordered<R>,
    number: usize,
    piece: Vec<u8>,
}

impl<R> Write for Output<'_, R> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        if self.piece.len() + octets.len() > PIECE_OCTETS {
            self.flush()?;
        }
        if self.piece.capacity() == 0 {
            let free = self.ordered.lock().free.pop();
            self.piece = free.unwrap_or_else(|| Vec::with_capacity(PIECE_OCTETS));
        }
        self.piece.extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = std::mem::take(&mut self.piece);
        let is_read = if piece.is_empty() {
            !self.ordered.lock().is_cancelled
        } else {
            self.ordered.push(self.number, piece)
        };
        if is_read { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
    }
}

#[cfg(test)]
mod tests;
