//! Live sources: sessions that hand on route events as they happen.
//!
//! ```text
//! RIS Live, BMP, BGP, new archive files ─► Batcher ─► LiveSink (bounded) ─► the pipeline
//! ```
//!
//! A source is an async function that runs until it is cancelled. It reconnects by itself, hands on
//! batches that need no state to be read, and tells of itself through its [`SourceHandle`]. The
//! queue to the pipeline is bounded: a full one makes the source wait, so that its peer is slowed
//! by TCP. Time comes from the [`Clock`] passed in.

mod backoff;
mod batcher;
pub mod bgp;
pub mod bmp;
mod collector_name;
pub mod follow;
mod inbox;
mod listeners;
mod queue;
pub mod ris_live;
mod status;
mod tally;

pub use backoff::Backoff;
pub use batcher::{BATCH_OCTETS_MAX, Batcher, PEERS_OF_SOURCE_MAX};
pub use collector_name::{COLLECTOR_NAME_OCTETS_MAX, is_collector_name};
pub use listeners::ListenError;
pub use queue::{Closed, LiveBatch, LiveItem, LiveQueue, LiveSink, QUEUED_BATCHES_MAX, queue};
pub use status::{
    FAULT_KINDS_MAX, SourceHandle, SourceKind, SourceSnapshot, SourceState, SourceStatus,
};

use std::sync::Arc;
use std::time::Duration;

use routewarden_core::Timestamp;
use tokio_util::sync::CancellationToken;

/// Events of a session are handed on after so long, however few they are.
const FLUSH_AFTER: Duration = Duration::from_millis(20);

/// Tells the time of day; only the program has one that looks at the wall.
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;
}

/// What every live source gets.
#[derive(Clone)]
pub struct SourceContext {
    /// Where the source tells of itself.
    pub status: SourceHandle,
    /// Where its batches go.
    pub sink: LiveSink,
    /// Time of receipt.
    pub clock: Arc<dyn Clock>,
    /// When cancelled, the source ends its sessions, flushes and returns.
    pub cancel: CancellationToken,
}
