//! The bounded queue from all sources to the pipeline.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use routewarden_core::{EventBatch, Timestamp};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Batches that may wait for the pipeline; then the sources wait.
pub const QUEUED_BATCHES_MAX: usize = 256;

/// Events of one source. Needs no state to be read: `batch.new_peers` are all peers that its events
/// name, in the order of their numbers.
#[derive(Clone, Debug)]
pub struct LiveBatch {
    /// Name of the source, as configured.
    pub source: Arc<str>,
    /// When its first event was received, by the wall clock.
    pub received: Timestamp,
    /// The events.
    pub batch: EventBatch,
}

/// What sources hand on, in order.
#[derive(Clone, Debug)]
pub enum LiveItem {
    /// Route events.
    Batch(LiveBatch),
    /// The source may have missed what happened between these times.
    Gap {
        /// Name of the source.
        source: Arc<str>,
        /// Last heard before it.
        from: Timestamp,
        /// First heard after it.
        until: Timestamp,
    },
}

/// The pipeline no longer listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

#[derive(Debug, Default)]
struct Counts {
    waiting: AtomicUsize,
    most_waiting: AtomicUsize,
    waited_micros: AtomicU64,
    items: AtomicU64,
}

/// Where sources put what they hear.
#[derive(Clone, Debug)]
pub struct LiveSink {
    sender: mpsc::Sender<LiveItem>,
    counts: Arc<Counts>,
}

/// Room for one item.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    permit: mpsc::Permit<'a, LiveItem>,
    counts: &'a Counts,
}

impl Permit<'_> {
    pub(super) fn send(self, item: LiveItem) {
        self.counts.items.fetch_add(1, Ordering::Relaxed);
        let waiting = self.counts.waiting.fetch_add(1, Ordering::Relaxed) + 1;
        self.counts.most_waiting.fetch_max(waiting, Ordering::Relaxed);
        self.permit.send(item);
    }
}

impl LiveSink {
    /// Waits for room.
    pub(super) async fn reserve(&self) -> Result<Permit<'_>, Closed> {
        let started = Instant::now();
        let permit = self.sender.reserve().await.map_err(|_| Closed)?;
        let waited = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.counts.waited_micros.fetch_add(waited, Ordering::Relaxed);
        Ok(Permit { permit, counts: &self.counts })
    }

    /// Puts an item into the queue; waits while it is full.
    ///
    /// # Errors
    ///
    /// [`Closed`] when the pipeline has ended.
    pub async fn send(&self, item: LiveItem) -> Result<(), Closed> {
        self.reserve().await?.send(item);
        Ok(())
    }
}

/// The pipeline's end of the queue.
#[derive(Debug)]
pub struct LiveQueue {
    receiver: mpsc::Receiver<LiveItem>,
    counts: Arc<Counts>,
}

impl LiveQueue {
    /// The next item; `None` when all sources have ended. For use in an async task.
    pub async fn recv(&mut self) -> Option<LiveItem> {
        let item = self.receiver.recv().await;
        self.note(item.as_ref());
        item
    }

    /// The next item if one waits.
    pub fn try_recv(&mut self) -> Option<LiveItem> {
        let item = self.receiver.try_recv().ok();
        self.note(item.as_ref());
        item
    }

    fn note(&self, item: Option<&LiveItem>) {
        if item.is_some() {
            self.counts.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Items waiting now.
    pub fn waiting(&self) -> usize {
        self.counts.waiting.load(Ordering::Relaxed)
    }

    /// Most items that ever waited.
    pub fn most_waiting(&self) -> usize {
        self.counts.most_waiting.load(Ordering::Relaxed)
    }

    /// Items ever put in.
    pub fn items(&self) -> u64 {
        self.counts.items.load(Ordering::Relaxed)
    }

    /// How long the sources waited in all because the queue was full.
    pub fn waited(&self) -> Duration {
        Duration::from_micros(self.counts.waited_micros.load(Ordering::Relaxed))
    }
}

/// A queue of at most `capacity` items ([`QUEUED_BATCHES_MAX`] in the program).
pub fn queue(capacity: usize) -> (LiveSink, LiveQueue) {
    let (sender, receiver) = mpsc::channel(capacity.max(1));
    let counts = Arc::new(Counts::default());
    (LiveSink { sender, counts: Arc::clone(&counts) }, LiveQueue { receiver, counts })
}
