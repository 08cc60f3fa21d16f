//! Body for the fuzzer, which a test replays on every run.

use std::sync::Arc;

use futures_util::FutureExt;
use routewarden_core::{RouteAttributes, RouteEventKind, Timestamp};
use tokio_util::sync::CancellationToken;

use super::RisLiveDecoder;
use crate::live::{Batcher, Clock, LiveItem, SourceContext, SourceHandle, SourceKind, queue};

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::default()
    }
}

/// Reads the octets as text frames, one a line, and everything in the batch they give.
///
/// # Panics
///
/// When a batch does not stand by itself, or a refused frame left something behind.
pub fn ris_live_json(octets: &[u8]) {
    let (sink, mut queue) = queue(1);
    let status = SourceHandle::new("fuzz", SourceKind::RisLive);
    let clock = Arc::new(Stopped);
    let context = SourceContext { status, sink, clock, cancel: CancellationToken::new() };
    let (mut decoder, mut batcher) = (RisLiveDecoder::default(), Batcher::new(context.clone()));
    for line in octets.split(|&octet| octet == b'\n') {
        let Ok(text) = std::str::from_utf8(line) else { continue };
        let was_empty = batcher.is_empty();
        let read = decoder.frame(text, Timestamp::default(), &mut batcher);
        assert!(read.is_ok() || batcher.is_empty() == was_empty, "a refused frame gave events");
        if batcher.is_full() {
            break;
        }
    }
    decoder.report(&context.status, Timestamp::default());
    assert!(batcher.flush().now_or_never().is_some(), "the queue has room");
    while let Some(LiveItem::Batch(live)) = queue.try_recv() {
        for event in &live.batch.events {
            assert!(live.batch.new_peers.len() > event.peer as usize);
            if let RouteEventKind::Announcement { attributes, .. } = event.kind {
                let octets = live.batch.attributes(attributes);
                assert!(RouteAttributes::decode(octets).is_some(), "attributes read again");
            }
        }
    }
}
