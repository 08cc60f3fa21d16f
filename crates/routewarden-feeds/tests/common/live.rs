//! A source's context, and what it hands on.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "test code: helpers outside of #[test] functions"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use routewarden_core::{PeerTable, Timestamp};
use routewarden_feeds::Run;
use routewarden_feeds::live::{
    Clock, LiveBatch, LiveItem, LiveQueue, SourceContext, SourceHandle, SourceKind, queue,
};
use tokio_util::sync::CancellationToken;

/// Longest wait for anything in a test.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// A clock that goes one second further whenever it is looked at, from 2026-01-01 on.
#[derive(Default)]
pub(crate) struct Steps(AtomicU32);

impl Clock for Steps {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1_767_225_600 + self.0.fetch_add(1, Ordering::Relaxed))
    }
}

pub(crate) fn context(kind: SourceKind, capacity: usize) -> (SourceContext, LiveQueue) {
    let (sink, queue) = queue(capacity);
    let context = SourceContext {
        status: SourceHandle::new("test", kind),
        sink,
        clock: Arc::new(Steps::default()),
        cancel: CancellationToken::new(),
    };
    (context, queue)
}

/// One line per event.
pub(crate) fn lines(live: &LiveBatch) -> Vec<String> {
    let (mut table, batch) = (PeerTable::default(), Arc::new(live.batch.clone()));
    let peers: Arc<Vec<_>> = Arc::new(batch.new_peers.iter().map(|p| table.intern(p)).collect());
    // A run names one collector; a batch may have events of several.
    let all = 0..batch.events.len();
    all.flat_map(|at| {
        let peer = batch.events[at].peer as usize;
        let run = Run {
            collector: &batch.new_peers[peer].collector,
            batch: &batch,
            range: at..at + 1,
            peers: &peers,
        };
        super::lines(&table, &run)
    })
    .collect()
}

/// The next item.
pub(crate) async fn next(queue: &mut LiveQueue) -> LiveItem {
    let item = tokio::time::timeout(DEADLINE, queue.recv()).await;
    item.expect("an item in time").expect("the source lives")
}

/// Lines of the next batches until there are so many; gaps as lines `gap`.
pub(crate) async fn next_lines(queue: &mut LiveQueue, count: usize) -> Vec<String> {
    let mut all = Vec::new();
    while all.len() < count {
        match next(queue).await {
            LiveItem::Batch(live) => all.extend(lines(&live)),
            LiveItem::Gap { from, until, .. } => {
                assert!(from < until, "{from} {until}");
                all.push("gap".to_owned());
            }
        }
    }
    all
}

/// Waits until something holds.
pub(crate) async fn until(mut holds: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(DEADLINE, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    waited.await.expect("it holds in time");
}
