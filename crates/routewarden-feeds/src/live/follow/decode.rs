//! From files to batches that stand by themselves, on a blocking thread.

use std::num::NonZeroUsize;
use std::sync::Arc;

use hashbrown::HashMap;
use routewarden_core::{EventBatch, PeerTable};
use tokio::runtime::Handle;

use super::Stopped;
use crate::live::{LiveBatch, LiveItem, SourceContext};
use crate::report::Counts;
use crate::sources::InputFile;
use crate::stream::{Run, StreamOptions, open_updates};

/// Reads files of one collector and hands on their events but for the first `skip`; gives how many
/// events there are in all. Waits while the queue is full.
pub(super) fn hand_on(
    (context, runtime): (&SourceContext, &Handle),
    files: Vec<InputFile>,
    options: StreamOptions,
    skip: u64,
) -> Result<u64, Stopped> {
    // One thread decodes: live files are short, and the pipeline needs the cores.
    let options = StreamOptions { threads: Some(NonZeroUsize::MIN), ..options };
    let mut stream = open_updates(files, &options).map_err(Stopped::Unreadable)?;
    let mut table = PeerTable::default();
    let mut events = 0;
    while let Some(run) = stream.next_run(&mut table).map_err(Stopped::Unreadable)? {
        let length = run.range.len() as u64;
        let left_out = skip.saturating_sub(events).min(length);
        events += length;
        if left_out < length {
            let batch = batch_of(&run, usize::try_from(left_out).unwrap_or(usize::MAX), &table);
            send(context, runtime, batch)?;
        }
    }
    let report = stream.finish();
    for error in &report.errors {
        super::note(context, error);
    }
    tell(context, &report.total());
    Ok(events)
}

/// The events of a run but for the first `left_out`, with the peers that they name.
fn batch_of(run: &Run<'_>, left_out: usize, table: &PeerTable) -> EventBatch {
    let mut batch = EventBatch::clone(run.batch);
    batch.new_peers.clear();
    batch.events.clear();
    let mut numbers: HashMap<u32, u32, foldhash::fast::FixedState> = HashMap::default();
    for (id, event) in run.events().skip(left_out) {
        let new = u32::try_from(batch.new_peers.len()).unwrap_or(u32::MAX);
        let number = *numbers.entry(id.0).or_insert(new);
        if number == new {
            // A run names no peer that the table does not have.
            let Some(peer) = table.get(id) else { continue };
            batch.new_peers.push(peer.clone());
        }
        batch.events.push(routewarden_core::RouteEvent { peer: number, ..*event });
    }
    batch
}

fn send(context: &SourceContext, runtime: &Handle, batch: EventBatch) -> Result<(), Stopped> {
    let now = context.clock.now();
    let source = Arc::clone(context.status.name());
    let item = LiveItem::Batch(LiveBatch { source, received: now, batch });
    runtime.block_on(async {
        tokio::select! {
            () = context.cancel.cancelled() => Err(Stopped::Done),
            sent = context.sink.send(item) => sent.map_err(Stopped::from),
        }
    })
}

/// Tells the source's status what was read.
fn tell(context: &SourceContext, counts: &Counts) {
    let now = context.clock.now();
    context.status.heard(counts.records, counts.decompressed_octets, now);
    context.status.elements(&counts.elements);
    for (&kind, &count) in counts.lost.iter().chain(&counts.warnings) {
        context.status.faults(kind, count, now);
    }
    context.status.kinds(counts.skipped.iter().map(|(&kind, &count)| (kind, count)));
}
