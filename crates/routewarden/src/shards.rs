//! The shards of the detector, each on a thread of its own.

use std::num::NonZeroU32;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use anyhow::{Context, Result, anyhow};
use routewarden_core::{EventBatch, Peer, PeerId, PeerTable};
use routewarden_detect::{Detector, DetectorShard};
use routewarden_feeds::stream::{BATCH_EVENTS, Run};

/// Pieces of work that may wait for one shard; then the stream waits.
const QUEUED_WORK_MAX: usize = 8;

/// The detector at work.
pub(crate) enum Shards {
    /// In the caller's thread, one shard after the other.
    Here(Box<Detector>),
    Threads(Threads),
}

pub(crate) struct Threads {
    shards: Vec<Thread>,
    /// What is to be sent next.
    work: Work,
    /// Events in it.
    events: usize,
    /// Peers that the shards were told of, those of `work` included.
    introduced: usize,
}

struct Thread {
    sender: SyncSender<Arc<Work>>,
    handle: JoinHandle<DetectorShard>,
}

/// Runs of events in their order, with the peers first named in them. Every shard gets the same.
#[derive(Default)]
struct Work {
    new_peers: Vec<Peer>,
    runs: Vec<WorkRun>,
}

struct WorkRun {
    batch: Arc<EventBatch>,
    range: Range<usize>,
    peers: Arc<Vec<PeerId>>,
}

impl Shards {
    /// Starts a thread for each shard, unless all is to be done by one thread.
    pub(crate) fn start(detector: Detector, threads: NonZeroU32) -> Result<Self> {
        if threads.get() == 1 {
            return Ok(Shards::Here(Box::new(detector)));
        }
        let shards: Result<Vec<Thread>> = detector.into_shards().into_iter().map(start).collect();
        Ok(Shards::Threads(Threads {
            shards: shards?,
            work: Work::default(),
            events: 0,
            introduced: 0,
        }))
    }

    /// Takes the events of a run. `table` holds all peers up to it.
    pub(crate) fn take(&mut self, run: Run<'_>, table: &PeerTable) -> Result<()> {
        match self {
            Shards::Here(detector) => {
                detector.apply(run.batch, run.range, run.peers, table);
                Ok(())
            }
            Shards::Threads(threads) => threads.take(run, table),
        }
    }

    /// Waits until all is done.
    pub(crate) fn finish(self) -> Result<Detector> {
        match self {
            Shards::Here(detector) => Ok(*detector),
            Shards::Threads(threads) => threads.finish(),
        }
    }
}

impl Threads {
    fn take(&mut self, run: Run<'_>, table: &PeerTable) -> Result<()> {
        let new = table.iter().skip(self.introduced).map(|(_, peer)| peer.clone());
        self.work.new_peers.extend(new);
        self.introduced = table.len();
        self.events += run.range.len();
        self.work.runs.push(WorkRun {
            batch: Arc::clone(run.batch),
            range: run.range,
            peers: Arc::clone(run.peers),
        });
        if self.events >= BATCH_EVENTS { self.send() } else { Ok(()) }
    }

    fn send(&mut self) -> Result<()> {
        let work = Arc::new(std::mem::take(&mut self.work));
        self.events = 0;
        for shard in &self.shards {
            // A shard that does not listen has panicked; what it said is told when it is joined.
            shard.sender.send(Arc::clone(&work)).map_err(|_| failed())?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Detector> {
        self.send()?;
        let join = |Thread { sender, handle }: Thread| {
            drop(sender);
            handle.join().map_err(|_| failed())
        };
        let shards: Result<Vec<DetectorShard>> = self.shards.into_iter().map(join).collect();
        Detector::from_shards(shards?).context("the shards are not those that were started")
    }
}

fn failed() -> anyhow::Error {
    anyhow!("a thread of the detector failed")
}

fn start(shard: DetectorShard) -> Result<Thread> {
    let (sender, receiver) = sync_channel(QUEUED_WORK_MAX);
    let handle = std::thread::Builder::new()
        .name("detect".to_owned())
        .spawn(move || run(shard, &receiver))
        .context("cannot start a thread")?;
    Ok(Thread { sender, handle })
}

fn run(mut shard: DetectorShard, work: &Receiver<Arc<Work>>) -> DetectorShard {
    for work in work {
        for peer in &work.new_peers {
            shard.introduce(peer);
        }
        for WorkRun { batch, range, peers } in &work.runs {
            shard.apply(batch, range.clone(), peers);
        }
    }
    shard
}
