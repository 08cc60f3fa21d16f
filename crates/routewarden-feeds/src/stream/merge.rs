//! The merge of all collectors by (time, collector, place in the stream).

use std::collections::VecDeque;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use routewarden_core::{EventBatch, PeerId, PeerTable, RouteEvent, Timestamp};

use super::pool::{Next, Outcome, Pool};
use crate::Error;
use crate::report::Report;
use crate::transport::Progress;

/// Batches kept until those who hold them are done, to use their memory again.
pub const RETIRED_BATCHES_MAX: usize = 64;

/// Events of one collector that follow each other in the merged order.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    /// Name of the collector.
    pub collector: &'a str,
    /// The batch the events lie in; it resolves their attributes. Other threads may hold on to it.
    pub batch: &'a Arc<EventBatch>,
    /// Which of the batch's events; never empty.
    pub range: Range<usize>,
    /// Maps [`RouteEvent::peer`] to the caller's [`PeerTable`].
    pub peers: &'a Arc<Vec<PeerId>>,
}

impl<'a> Run<'a> {
    /// The events, each with its peer.
    pub fn events(&self) -> impl Iterator<Item = (PeerId, &'a RouteEvent)> + use<'a> {
        let peers = self.peers;
        let events = self.batch.events.get(self.range.clone()).unwrap_or_default();
        events.iter().filter_map(move |event| {
            let id = usize::try_from(event.peer).ok().and_then(|index| peers.get(index).copied());
            debug_assert!(id.is_some(), "a batch names a peer before it is introduced");
            Some((id?, event))
        })
    }
}

/// One collector's place in the merge.
struct Head {
    collector: String,
    batch: Arc<EventBatch>,
    /// The next event of the batch.
    at: usize,
    peers: Arc<Vec<PeerId>>,
    is_ended: bool,
}

impl Head {
    fn time(&self) -> Option<Timestamp> {
        self.batch.events.get(self.at).map(|event| event.time)
    }
}

/// All files as one stream of events in the order of time.
///
/// The order is that of (time, collector's name, place in the collector's files). It depends on
/// the files only: not on the order in which they were named, nor on threads. A record that is
/// older than the one before it in its file keeps its place: it comes as soon as it is reached.
pub struct MergedStream {
    pool: Pool,
    heads: Vec<Head>,
    /// Batches that the merge has finished with, but perhaps not those who were given runs of them.
    retired: VecDeque<Arc<EventBatch>>,
    report: Report,
    progress: Arc<Progress>,
    is_keep_going: bool,
    is_joined_on_drop: bool,
    is_ended: bool,
}

/// What a [`MergedStream`] is made of.
pub(super) struct Parts {
    pub(super) pool: Pool,
    /// Collectors in the order of their names.
    pub(super) collectors: Vec<String>,
    pub(super) report: Report,
    pub(super) progress: Arc<Progress>,
    pub(super) is_keep_going: bool,
    pub(super) has_stdin: bool,
}

impl MergedStream {
    pub(super) fn new(parts: Parts) -> Self {
        let head = |collector| Head {
            collector,
            batch: Arc::default(),
            at: 0,
            peers: Arc::default(),
            is_ended: false,
        };
        MergedStream {
            pool: parts.pool,
            heads: parts.collectors.into_iter().map(head).collect(),
            retired: VecDeque::new(),
            report: parts.report,
            progress: parts.progress,
            is_keep_going: parts.is_keep_going,
            is_joined_on_drop: !parts.has_stdin,
            is_ended: false,
        }
    }

    /// Octets read and to be read; may be kept and asked from another thread.
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// The next events; `None` at the end. New peers are added to `table`, which must be the
    /// same on every call.
    ///
    /// # Errors
    /// A file that cannot be read at all, unless the options say to keep going. The stream has
    /// then ended.
    pub fn next_run(&mut self, table: &mut PeerTable) -> Result<Option<Run<'_>>, Error> {
        if self.is_ended {
            return Ok(None);
        }
        for index in 0..self.heads.len() {
            if let Err(error) = self.refill(index, table) {
                self.is_ended = true;
                return Err(error);
            }
        }
        let Some((index, until)) = self.choose() else {
            self.is_ended = true;
            return Ok(None);
        };
        let Some(head) = self.heads.get_mut(index) else { return Ok(None) };
        let start = head.at;
        let rest = head.batch.events.get(start..).unwrap_or_default();
        // The first event was chosen; those up to the next collector's turn go with it.
        let more = rest.iter().skip(1).take_while(|event| match until {
            None => true,
            Some((time, other)) => (event.time, index) < (time, other),
        });
        head.at = start + 1 + more.count();
        Ok(Some(Run {
            collector: &head.collector,
            batch: &head.batch,
            range: start..head.at,
            peers: &head.peers,
        }))
    }

    /// Gives every run to `each` until the end or until `each` breaks.
    ///
    /// # Errors
    /// As [`MergedStream::next_run`].
    pub fn for_each(
        &mut self,
        table: &mut PeerTable,
        mut each: impl FnMut(&PeerTable, Run<'_>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        loop {
            // The run borrows the stream, not the table: the caller may look its peers up.
            let Some(run) = self.next_run(table)? else { return Ok(()) };
            if each(table, run).is_break() {
                return Ok(());
            }
        }
    }

    /// What was read so far: files that the merge has finished with.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Stops the threads and gives the report.
    pub fn finish(mut self) -> Report {
        self.pool.stop(self.is_joined_on_drop);
        let mut report = std::mem::take(&mut self.report);
        report.sort();
        report
    }

    /// Makes sure the head has an event, unless its collector has ended.
    fn refill(&mut self, index: usize, table: &mut PeerTable) -> Result<(), Error> {
        let Some(head) = self.heads.get_mut(index) else { return Ok(()) };
        while !head.is_ended && head.time().is_none() {
            match self.pool.next(index) {
                Next::Batch(batch) => {
                    if !batch.new_peers.is_empty() {
                        let new = batch.new_peers.iter().map(|peer| table.intern(peer));
                        Arc::make_mut(&mut head.peers).extend(new);
                    }
                    let read = std::mem::replace(&mut head.batch, Arc::new(batch));
                    self.retired.push_back(read);
                    recycle(&mut self.retired, &self.pool);
                    head.at = 0;
                }
                Next::FileEnd(outcome) => {
                    head.peers = Arc::default();
                    let Outcome { report, error } = *outcome;
                    self.report.files.push(report);
                    match error {
                        Some(error) if self.is_keep_going => self.report.errors.push(error),
                        Some(error) => return Err(error),
                        None => {}
                    }
                }
                Next::End => head.is_ended = true,
            }
        }
        Ok(())
    }

    /// The head whose event comes first, and the (time, head) at which another one's turn is.
    fn choose(&self) -> Option<(usize, Option<(Timestamp, usize)>)> {
        let mut first: Option<(Timestamp, usize)> = None;
        let mut second = None;
        for (index, head) in self.heads.iter().enumerate() {
            let Some(time) = head.time() else { continue };
            let candidate = (time, index);
            if first.is_none_or(|first| candidate < first) {
                second = first.replace(candidate);
            } else if second.is_none_or(|second| candidate < second) {
                second = Some(candidate);
            }
        }
        first.map(|(_, index)| (index, second))
    }
}

/// Gives back batches that nobody holds any more. The rest wait; beyond a bound the oldest are left
/// to those who hold them.
fn recycle(retired: &mut VecDeque<Arc<EventBatch>>, pool: &Pool) {
    while let Some(oldest) = retired.pop_front() {
        match Arc::try_unwrap(oldest) {
            Ok(batch) => pool.recycle(batch),
            Err(held) if retired.len() < RETIRED_BATCHES_MAX => {
                retired.push_front(held);
                return;
            }
            Err(_held) => {}
        }
    }
}

impl Drop for MergedStream {
    fn drop(&mut self) {
        self.pool.stop(self.is_joined_on_drop);
    }
}
