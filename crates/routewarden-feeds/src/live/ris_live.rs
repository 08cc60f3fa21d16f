//! RIS Live: the updates of RIPE RIS collectors as JSON over a websocket (RFC 6455).
//!
//! ```text
//! text frame ─► message (borrowed JSON) ─► raw BGP octets ─► Batcher
//!                                      └─► parsed JSON ─► BGP octets ┘  (raw missing or unreadable)
//! ```
//!
//! A message that cannot be read is counted by its kind and passed over. Broken framing ends the
//! session; it is tried again with capped, jittered waits, and what may have been missed is told
//! as a [`LiveItem::Gap`](super::LiveItem::Gap) between the last and the first message heard.

mod config;
mod decode;
mod error;
pub mod fuzz;
mod message;
mod parsed;
mod session;

use std::time::Duration;

use routewarden_core::Timestamp;
use tokio::time::{Instant, timeout};

pub use config::{
    CLIENT_OCTETS_MAX, FILTER_OCTETS_MAX, IDLE_AFTER, MessageType, PING_SECS, RIS_LIVE_CLIENT,
    RIS_LIVE_URL, Require, RisLiveConfig, SILENCE_SECS, SUBSCRIPTIONS_MAX,
};
pub use decode::{HOST_OCTETS_MAX, RisLiveDecoder};
pub use error::{MessageFault, RisLiveError, SessionFault};
pub use session::CONNECT_TIMEOUT;

use super::{Backoff, Batcher, SourceContext, SourceState};

/// Longest websocket message. The prefixes of the longest BGP message (65,535 octets, RFC 8654)
/// fit in as text.
pub const MESSAGE_OCTETS_MAX: usize = 1 << 20;
/// Least wait before a new attempt.
pub const RECONNECT_LEAST: Duration = Duration::from_secs(1);
/// Longest wait before a new attempt.
pub const RECONNECT_MAX: Duration = Duration::from_mins(1);
/// A session that lasted so long was a good one: the next failure waits the least.
pub const STABLE_AFTER: Duration = Duration::from_mins(1);
/// How long the last batch may wait for the pipeline when the source is cancelled.
const LAST_FLUSH: Duration = Duration::from_secs(5);

/// What a session leaves to the next one.
struct Hearing {
    batcher: Batcher,
    decoder: RisLiveDecoder,
    /// When a collector's message was last heard, by the wall clock.
    last_heard: Option<Timestamp>,
    /// When was heard last by a session that is over, unless the gap was told.
    gap_from: Option<Timestamp>,
    /// When was heard first by the session after it.
    gap_until: Option<Timestamp>,
}

/// How a session ended.
enum Ended {
    /// The source was told to end, or the pipeline has ended.
    Done,
    Lost(SessionFault),
}

/// Hears RIS Live until the context is cancelled or the pipeline ends.
///
/// # Errors
///
/// The configuration cannot be used; nothing was tried then.
pub async fn run(context: SourceContext, config: &RisLiveConfig) -> Result<(), RisLiveError> {
    let plan = config.plan()?;
    let mut backoff = Backoff::new(RECONNECT_LEAST, RECONNECT_MAX);
    let mut hearing = Hearing {
        batcher: Batcher::new(context.clone()),
        decoder: RisLiveDecoder::default(),
        last_heard: None,
        gap_from: None,
        gap_until: None,
    };
    loop {
        let begun = Instant::now();
        let Ended::Lost(fault) = session::run(&context, &plan, &mut hearing).await else { break };
        let now = context.clock.now();
        context.status.fault(fault.kind(), fault.to_string(), now);
        context.status.set_state(SourceState::Waiting, now);
        hearing.gap_from = hearing.gap_from.or(hearing.last_heard);
        if begun.elapsed() >= STABLE_AFTER {
            backoff.reset();
        }
        tokio::select! {
            () = context.cancel.cancelled() => break,
            () = tokio::time::sleep(backoff.next_wait()) => {}
        }
    }
    if timeout(LAST_FLUSH, hearing.batcher.flush()).await.is_err() {
        let text = "the pipeline took no more at the end".to_owned();
        context.status.fault("last_batch_lost", text, context.clock.now());
    }
    context.status.set_state(SourceState::Stopped, context.clock.now());
    Ok(())
}
