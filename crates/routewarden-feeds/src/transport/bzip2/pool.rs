//! Threads that decode blocks ahead, one set for the whole program.
//!
//! The threads are started when the first file of several blocks is read, sleep when there is
//! nothing to do, and end with the program. Nobody depends on them: who needs a block that no
//! thread has begun decodes it himself.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};

use super::block::{Block, Flaw, Scratch};
use super::scan::Piece;
use crate::transport::CORES;

/// Most threads.
const THREADS_MAX: usize = 32;
/// Most blocks in flight for each thread, of all files together: decoding, waiting for it, or
/// waiting to be read. Each takes its compressed octets (4 MiB at most, 0.1 to 0.9 MB as a rule)
/// and, decoded, at most 1.7 MB.
const BLOCKS_PER_THREAD: usize = 8;

pub(super) type Decoded = Result<Block, Flaw>;

static POOL: LazyLock<Pool> = LazyLock::new(Pool::start);

/// Memory of decoders that are not at work, at most one for each core.
static SCRATCHES: Mutex<Vec<Scratch>> = Mutex::new(Vec::new());

struct Pool {
    shared: Arc<Shared>,
    threads: usize,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<VecDeque<Arc<Task>>>,
    work: Condvar,
    in_flight: AtomicUsize,
}

/// A block to decode.
struct Task {
    state: Mutex<State>,
    done: Condvar,
}

enum State {
    Waiting(Arc<Piece>),
    Running,
    Done(Decoded),
    Taken,
}

/// A block that is decoded ahead. Dropped, it is forgotten.
pub(super) struct Job {
    task: Arc<Task>,
    pool: Arc<Shared>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a lock guards here is whole at any time, and no code that may panic runs under it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Decodes a block on this thread.
pub(super) fn decode(piece: &Piece) -> Decoded {
    let kept = lock(&SCRATCHES).pop();
    let mut scratch = kept.unwrap_or_else(Scratch::new);
    let decoded = scratch.decode(&piece.octets, piece.start_bit, piece.end_bit);
    let mut scratches = lock(&SCRATCHES);
    if scratches.len() < CORES.min(THREADS_MAX) {
        scratches.push(scratch);
    }
    decoded
}

/// Threads there are, to help those that read.
pub(super) fn threads() -> usize {
    POOL.threads
}

/// Lets a thread of the pool decode the block; `None` when too many are in flight already.
pub(super) fn submit(piece: &Arc<Piece>) -> Option<Job> {
    let pool = &POOL.shared;
    let blocks_max = POOL.threads * BLOCKS_PER_THREAD;
    let one_more = |blocks| (blocks < blocks_max).then_some(blocks + 1);
    pool.in_flight.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
    let state = Mutex::new(State::Waiting(Arc::clone(piece)));
    let task = Arc::new(Task { state, done: Condvar::new() });
    lock(&pool.queue).push_back(Arc::clone(&task));
    pool.work.notify_one();
    Some(Job { task, pool: Arc::clone(pool) })
}

impl Pool {
    /// One thread less than there are cores: those that read help.
    fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let spawn = || {
            let shared = Arc::clone(&shared);
            let thread = std::thread::Builder::new().name("bzip2".to_owned());
            thread.spawn(move || shared.work_off()).is_ok()
        };
        let threads = (1..CORES.min(THREADS_MAX)).take_while(|_| spawn()).count();
        Pool { shared, threads }
    }
}

impl Shared {
    fn work_off(&self) {
        let mut queue = lock(&self.queue);
        loop {
            match queue.pop_front() {
                Some(task) => {
                    drop(queue);
                    task.run();
                    queue = lock(&self.queue);
                }
                None => queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

impl Task {
    /// Decodes the block unless another thread has begun or nobody wants it; whether it did.
    fn run(&self) -> bool {
        let piece = {
            let mut state = lock(&self.state);
            let State::Waiting(piece) = &*state else { return false };
            let piece = Arc::clone(piece);
            *state = State::Running;
            piece
        };
        let decoded = catch_unwind(AssertUnwindSafe(|| decode(&piece)));
        let mut state = lock(&self.state);
        if matches!(*state, State::Running) {
            *state = State::Done(decoded.unwrap_or(Err(Flaw::Corrupt("the bzip2 decoder failed"))));
        }
        drop(state);
        self.done.notify_all();
        true
    }
}

impl Job {
    /// Decodes the block on this thread if no other has begun; whether it did.
    pub(super) fn help(&self) -> bool {
        self.task.run()
    }

    /// Whether another thread is at it.
    pub(super) fn is_running(&self) -> bool {
        matches!(*lock(&self.task.state), State::Running)
    }

    /// Waits for the block.
    pub(super) fn wait(self) -> Decoded {
        self.task.run();
        let mut state = lock(&self.task.state);
        loop {
            match std::mem::replace(&mut *state, State::Taken) {
                State::Done(decoded) => return decoded,
                State::Running => *state = State::Running,
                State::Waiting(_) | State::Taken => {
                    return Err(Flaw::Corrupt("the bzip2 decoder failed"));
                }
            }
            state = self.task.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let old = std::mem::replace(&mut *lock(&self.task.state), State::Taken);
        if matches!(old, State::Waiting(_)) {
            lock(&self.pool.queue).retain(|task| !Arc::ptr_eq(task, &self.task));
        }
        self.pool.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
