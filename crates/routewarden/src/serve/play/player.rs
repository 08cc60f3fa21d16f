//! Hands on the pieces when it is their time.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use routewarden_core::Timestamp;
use routewarden_feeds::live::{LiveBatch, LiveItem, LiveSink, SourceHandle, SourceState};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::pieces::{Piece, Pieces};
use super::{ArchiveTime, Speed};
use crate::serve::engine::{NewFacts, Order};

/// With [`Speed::Max`], the engine looks for news at least once in so many seconds of the archive.
const STEP_SECS: i64 = 10;

/// Plays.
pub(crate) struct Player {
    pub(crate) pieces: Pieces,
    pub(crate) speed: Speed,
    pub(crate) time: Arc<ArchiveTime>,
    pub(crate) status: SourceHandle,
    pub(crate) sink: LiveSink,
    pub(crate) orders: mpsc::Sender<Order>,
    /// Route events that the engine had taken when it last looked for news.
    pub(crate) taken: watch::Receiver<u64>,
    pub(crate) cancel: CancellationToken,
}

/// Why playing stops.
enum Stop {
    /// The program ends.
    Cancelled,
    Failed(anyhow::Error),
}

/// Starts playing; goes on, silent, until it is cancelled, since the program ends with its sources.
pub(crate) fn start(player: Player, runtime: &Handle) -> JoinHandle<()> {
    let on = runtime.clone();
    // Files are read in between: not for a thread that others wait for.
    runtime.spawn_blocking(move || on.block_on(player.run()))
}

impl Player {
    async fn run(mut self) {
        let mut sent = Sent::default();
        self.time.start(self.speed);
        self.status.set_state(SourceState::Up, self.time.now());
        match self.play(&mut sent).await {
            Ok(()) => info!(events = sent.events, until = %self.time.now(), "all was played"),
            Err(Stop::Cancelled) => return,
            Err(Stop::Failed(failure)) => {
                error!(error = format!("{failure:#}"), "the replay ends early");
                self.status.fault("failed", format!("{failure:#}"), self.time.now());
            }
        }
        self.time.end();
        self.cancel.cancelled().await;
    }

    async fn play(&mut self, sent: &mut Sent) -> Result<(), Stop> {
        while let Some(piece) = self.pieces.next() {
            let piece = piece.map_err(Stop::Failed)?;
            self.wait_for(piece.until(), sent).await?;
            match piece {
                Piece::Events { batch, .. } => {
                    let received = self.time.now();
                    sent.events += batch.events.len() as u64;
                    self.status.heard(batch.events.len() as u64, 0, received);
                    let source = Arc::clone(self.status.name());
                    let item = LiveItem::Batch(LiveBatch { source, received, batch });
                    self.sink.send(item).await.map_err(|_| Stop::Cancelled)?;
                }
                Piece::Facts(time, change) => {
                    self.all_taken(sent.events).await?;
                    let (name, version) = (super::NAME.to_owned(), time.to_string());
                    let facts = NewFacts { name, version, change: *change };
                    let order = Order::Facts(Box::new(facts));
                    self.orders.send(order).await.map_err(|_| Stop::Cancelled)?;
                    self.obeyed().await?;
                }
                Piece::Quiet(_) => {}
            }
        }
        self.all_taken(sent.events).await
    }

    /// Waits until the archive's clock has come to a time.
    async fn wait_for(&mut self, time: Timestamp, sent: &mut Sent) -> Result<(), Stop> {
        while let Some(wait) = self.time.until(time) {
            if wait.is_zero() {
                return Ok(());
            }
            self.sleep(wait).await?;
        }
        // It stands: it is we who set it.
        while time.secs_since(self.time.now()) > 0 {
            let next = sent.looked_at.plus_secs(STEP_SECS).max(self.time.now());
            if time <= next {
                break;
            }
            self.time.reach(next);
            self.all_taken(sent.events).await?;
            sent.looked_at = self.time.now();
        }
        self.time.reach(time);
        Ok(())
    }

    async fn sleep(&self, wait: Duration) -> Result<(), Stop> {
        tokio::select! {
            () = self.cancel.cancelled() => Err(Stop::Cancelled),
            () = tokio::time::sleep(wait) => Ok(()),
        }
    }

    /// Waits until the engine has taken so many events and looked for news after that.
    async fn all_taken(&mut self, events: u64) -> Result<(), Stop> {
        self.taken.mark_unchanged();
        loop {
            self.looked().await?;
            if *self.taken.borrow() >= events {
                return Ok(());
            }
        }
    }

    /// Waits until the engine has obeyed all orders.
    async fn obeyed(&mut self) -> Result<(), Stop> {
        while self.orders.capacity() < self.orders.max_capacity() {
            self.looked().await?;
        }
        // It has received the last one, and obeys before it looks for news again.
        self.taken.mark_unchanged();
        self.looked().await
    }

    /// Waits until the engine has looked for news.
    async fn looked(&mut self) -> Result<(), Stop> {
        tokio::select! {
            () = self.cancel.cancelled() => Err(Stop::Cancelled),
            changed = self.taken.changed() => changed.map_err(|_| Stop::Cancelled),
        }
    }
}

/// How far it has come.
#[derive(Default)]
struct Sent {
    events: u64,
    /// Time of the archive at which the engine last looked for news, with [`Speed::Max`].
    looked_at: Timestamp,
}
