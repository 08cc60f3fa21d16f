//! The decoding threads.
//!
//! A *lane* is one file. Every collector has its lanes in the order of time; the merge reads the
//! first one. A thread takes the lane that is needed most, decodes one batch into its queue, and
//! gives the lane back, so a few threads serve any number of collectors: the first lane of a
//! collector always has room for [`HEAD_BATCHES_MIN`] batches and can therefore never be starved
//! by others (which would stop the merge for good). Threads left over run ahead into the files
//! to come, within [`QUEUED_BATCHES_MAX`]: bzip2 is slow, and files are independent.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use routewarden_core::EventBatch;

use super::decode::{FileDecoder, FileTask, Step};
use crate::Error;
use crate::report::{Fault, FileReport};
use crate::transport::Progress;

/// Batches that the first lane of a collector may always queue.
pub const HEAD_BATCHES_MIN: usize = 2;
/// Batches queued in all, beyond [`HEAD_BATCHES_MIN`] per collector.
pub const QUEUED_BATCHES_MAX: usize = 64;
/// Octets of attributes queued in all before no more than that is decoded ahead.
pub const QUEUED_OCTETS_MAX: usize = 64 << 20;
/// Batches with more octets of attributes are not kept for reuse.
const RECYCLED_OCTETS_MAX: usize = 4 << 20;
/// Most decoding threads.
pub const THREADS_MAX: usize = 16;
/// Files of one collector that may be decoded ahead of the one the merge reads.
pub const FILES_AHEAD_MAX: usize = 32;

/// What became of a lane.
pub(super) struct Outcome {
    pub(super) report: FileReport,
    /// Set when nothing could be read.
    pub(super) error: Option<Error>,
}

enum Slot {
    Untouched,
    Parked(Box<FileDecoder>),
    Busy,
    Done(Box<Outcome>),
}

struct Lane {
    task: Arc<FileTask>,
    slot: Slot,
    queue: VecDeque<EventBatch>,
}

/// The lanes of one collector that the merge has not finished with.
struct Lanes {
    lanes: VecDeque<Lane>,
    /// Lanes the merge has finished with: number of the first one in `lanes`.
    finished: usize,
}

struct State {
    collectors: Vec<Lanes>,
    /// Batches in all queues, and their octets of attributes.
    queued: usize,
    queued_octets: usize,
    /// Files open.
    open: usize,
    /// Lanes not done.
    remaining: usize,
    /// The collector the merge waits for.
    wanted: Option<usize>,
    free: Vec<EventBatch>,
    is_cancelled: bool,
}

/// What the merge gets when it asks for more of a collector.
pub(super) enum Next {
    Batch(EventBatch),
    /// The file has ended; its peers are forgotten.
    FileEnd(Box<Outcome>),
    End,
}

pub(super) struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    /// Told when a lane may have become eligible.
    work: Condvar,
    /// Told when the merge may go on.
    ready: Condvar,
    progress: Arc<Progress>,
    files_open_max: usize,
}

/// A lane taken by a thread.
struct Job {
    collector: usize,
    number: usize,
    task: Arc<FileTask>,
    decoder: Option<Box<FileDecoder>>,
    batch: EventBatch,
}

impl Pool {
    /// Starts `threads` threads on the lanes of every collector; none when it is one, and who asks
    /// for a batch decodes it.
    pub(super) fn start(
        collectors: Vec<Vec<FileTask>>,
        threads: usize,
        progress: Arc<Progress>,
    ) -> Result<Self, Error> {
        let lane =
            |task| Lane { task: Arc::new(task), slot: Slot::Untouched, queue: VecDeque::new() };
        let collectors: Vec<Lanes> = collectors
            .into_iter()
            .map(|tasks| Lanes { lanes: tasks.into_iter().map(lane).collect(), finished: 0 })
            .collect();
        let state = State {
            queued: 0,
            queued_octets: 0,
            open: 0,
            remaining: collectors.iter().map(|lanes| lanes.lanes.len()).sum(),
            wanted: None,
            free: Vec::new(),
            is_cancelled: false,
            collectors,
        };
        let files_open_max = state.collectors.len() + threads;
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            work: Condvar::new(),
            ready: Condvar::new(),
            progress,
            files_open_max,
        });
        let mut pool = Pool { shared, threads: Vec::with_capacity(threads) };
        if threads == 1 {
            return Ok(pool);
        }
        for _ in 0..threads {
            let shared = Arc::clone(&pool.shared);
            let thread = std::thread::Builder::new()
                .name("decode".to_owned())
                .spawn(move || shared.work_off())
                .map_err(|source| Error::Thread { source });
            match thread {
                Ok(thread) => pool.threads.push(thread),
                // One thread does the work too.
                Err(error) if pool.threads.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(pool)
    }

    /// Waits for what comes next of a collector.
    pub(super) fn next(&self, collector: usize) -> Next {
        let mut state = self.shared.lock();
        loop {
            let Some(lanes) = state.collectors.get_mut(collector) else { return Next::End };
            let Some(lane) = lanes.lanes.front_mut() else { return Next::End };
            if let Some(batch) = lane.queue.pop_front() {
                state.queued -= 1;
                state.queued_octets -= batch.arena_octets();
                drop(state);
                self.shared.work.notify_one();
                return Next::Batch(batch);
            }
            if let Slot::Done(_) = lane.slot
                && let Some(Lane { slot: Slot::Done(outcome), .. }) = lanes.lanes.pop_front()
            {
                lanes.finished += 1;
                drop(state);
                self.shared.work.notify_one();
                return Next::FileEnd(outcome);
            }
            state.wanted = Some(collector);
            if self.threads.is_empty() {
                let job = state.next_job(self.shared.files_open_max);
                drop(state);
                match job {
                    Some(job) => self.shared.work(job),
                    // The first lane of a collector can always be worked on.
                    None => return Next::End,
                }
                state = self.shared.lock();
            } else {
                state = wait(&self.shared.ready, state);
            }
            state.wanted = None;
        }
    }

    /// Gives a batch back so that its memory is used again.
    pub(super) fn recycle(&self, mut batch: EventBatch) {
        if batch.arena_octets() > RECYCLED_OCTETS_MAX {
            return;
        }
        batch.clear();
        let mut state = self.shared.lock();
        if state.free.len() < QUEUED_BATCHES_MAX {
            state.free.push(batch);
        }
    }

    /// Tells the threads to stop after the batch they are at.
    fn cancel(&self) {
        self.shared.lock().is_cancelled = true;
        self.shared.work.notify_all();
    }

    /// Stops the threads and waits for them, unless one of them may wait for a pipe.
    pub(super) fn stop(&mut self, is_waiting_allowed: bool) {
        self.cancel();
        for thread in self.threads.drain(..) {
            if is_waiting_allowed {
                // A panic of the decoder was caught and is in the report.
                drop(thread.join());
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No thread panics while it holds the lock; if one did, the state is still consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work_off(&self) {
        while let Some(job) = self.take() {
            self.work(job);
        }
    }

    fn work(&self, job: Job) {
        let (collector, number) = (job.collector, job.number);
        let task = Arc::clone(&job.task);
        let progress = Arc::clone(&self.progress);
        let done = catch_unwind(AssertUnwindSafe(|| run(job, progress)));
        let (batch, slot) = done.unwrap_or_else(|_| {
            let mut report = task.report();
            report.lose(Fault { kind: "decoder_panicked", record: 0, octet: 0 });
            (None, Slot::Done(Box::new(Outcome { report, error: None })))
        });
        self.give_back(collector, number, batch, slot);
    }

    /// Waits for a lane to decode; `None` when all is done.
    fn take(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.is_cancelled || state.remaining == 0 {
                return None;
            }
            if let Some(job) = state.next_job(self.files_open_max) {
                return Some(job);
            }
            state = wait(&self.work, state);
        }
    }

    fn give_back(&self, collector: usize, number: usize, batch: Option<EventBatch>, slot: Slot) {
        let mut state = self.lock();
        let is_done = matches!(slot, Slot::Done(_));
        if let Some(lanes) = state.collectors.get_mut(collector)
            && let Some(lane) = lanes.lanes.get_mut(number - lanes.finished)
        {
            lane.slot = slot;
            if let Some(batch) = batch {
                let octets = batch.arena_octets();
                lane.queue.push_back(batch);
                state.queued += 1;
                state.queued_octets += octets;
            }
        }
        if is_done {
            state.open -= 1;
            state.remaining -= 1;
        }
        let all_done = state.remaining == 0;
        let is_wanted = state.wanted == Some(collector);
        drop(state);
        if is_wanted {
            self.ready.notify_one();
        }
        if all_done {
            self.work.notify_all();
        } else {
            self.work.notify_one();
        }
    }
}

impl State {
    /// Takes the lane that is needed most.
    fn next_job(&mut self, files_open_max: usize) -> Option<Job> {
        let (collector, depth) = self.most_needed(files_open_max)?;
        self.take(collector, depth)
    }

    /// The lane to decode next, as (collector, place in its queue of lanes).
    fn most_needed(&self, files_open_max: usize) -> Option<(usize, usize)> {
        let mut best = None;
        let has_room = self.queued < QUEUED_BATCHES_MAX && self.queued_octets < QUEUED_OCTETS_MAX;
        for (collector, lanes) in self.collectors.iter().enumerate() {
            for (depth, lane) in lanes.lanes.iter().enumerate().take(FILES_AHEAD_MAX) {
                let is_untouched = matches!(lane.slot, Slot::Untouched);
                let is_eligible = match lane.slot {
                    Slot::Busy | Slot::Done(_) => false,
                    _ if depth == 0 => has_room || lane.queue.len() < HEAD_BATCHES_MIN,
                    Slot::Untouched => has_room && self.open < files_open_max,
                    Slot::Parked(_) => has_room,
                };
                if is_eligible {
                    let is_unwanted = self.wanted != Some(collector);
                    let need = (depth > 0, is_unwanted, depth, lane.queue.len(), collector);
                    best = best.min(Some(need)).or(Some(need));
                }
                if is_untouched {
                    break;
                }
            }
        }
        best.map(|(_, _, depth, _, collector)| (collector, depth))
    }

    fn take(&mut self, collector: usize, depth: usize) -> Option<Job> {
        let batch = self.free.pop().unwrap_or_default();
        let lanes = self.collectors.get_mut(collector)?;
        let number = lanes.finished + depth;
        let lane = lanes.lanes.get_mut(depth)?;
        let decoder = match std::mem::replace(&mut lane.slot, Slot::Busy) {
            Slot::Parked(decoder) => Some(decoder),
            Slot::Untouched | Slot::Busy | Slot::Done(_) => {
                self.open += 1;
                None
            }
        };
        Some(Job { collector, number, task: Arc::clone(&lane.task), decoder, batch })
    }
}

/// Decodes one batch of a lane.
fn run(job: Job, progress: Arc<Progress>) -> (Option<EventBatch>, Slot) {
    let Job { task, decoder, mut batch, .. } = job;
    let decoder = match decoder {
        Some(decoder) => Ok(decoder),
        None => FileDecoder::open(&task, progress).map(Box::new),
    };
    let mut decoder = match decoder {
        Ok(decoder) => decoder,
        Err(error) => {
            let mut report = task.report();
            report.unreadable = Some(error.kind());
            return (None, Slot::Done(Box::new(Outcome { report, error: Some(error) })));
        }
    };
    let step = decoder.fill(&mut batch);
    let has_content = !batch.events.is_empty() || !batch.new_peers.is_empty();
    let batch = has_content.then_some(batch);
    match step {
        Step::More => (batch, Slot::Parked(decoder)),
        Step::End(error) => {
            let report = decoder.into_report(error.as_ref());
            (batch, Slot::Done(Box::new(Outcome { report, error })))
        }
    }
}

fn wait<'a>(condition: &Condvar, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
    condition.wait(state).unwrap_or_else(PoisonError::into_inner)
}
