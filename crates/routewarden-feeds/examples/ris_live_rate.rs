//! Measures how fast messages of RIS Live are decoded: an updates file of an archive, put into
//! JSON as the service does, through the decoder into batches, on one thread. And what the health of
//! feeds costs.
//!
//! `cargo run --release -p routewarden-feeds --example ris_live_rate -- FILE`

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement that cannot make its data fails, and says on the console what it found"
)]

use std::fmt::Write;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::FutureExt;
use routewarden_core::{Asn, Peer, Timestamp};
use routewarden_feeds::health::FeedMonitor;
use routewarden_feeds::live::ris_live::RisLiveDecoder;
use routewarden_feeds::live::{
    Batcher, Clock, LiveItem, SourceContext, SourceHandle, SourceKind, queue,
};
use routewarden_feeds::transport::{Limits, Transport};
use routewarden_wire::{Message, MrtDecoder, MrtReader, Record};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

const ROUNDS: usize = 7;

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::default()
    }
}

fn main() {
    let path = PathBuf::from(std::env::args().nth(1).expect("a file"));
    let frames = frames(&path);
    let octets: usize = frames.iter().map(|(raw, _)| raw.len()).sum();
    println!("{} updates, {} octets each", frames.len(), octets / frames.len().max(1));
    for (name, pick) in [("raw", 0), ("parsed", 1)] {
        let texts: Vec<&str> = frames
            .iter()
            .map(|(raw, parsed)| if pick == 0 { raw } else { parsed }.as_str())
            .collect();
        let mut best = u64::MAX;
        let mut events = 0;
        for _ in 0..ROUNDS {
            let begun = cpu_nanos();
            events = decode(&texts);
            best = best.min(cpu_nanos() - begun);
        }
        let rate = texts.len() as u64 * 1_000_000_000 / best.max(1);
        println!("{name}: {rate} updates per CPU second, {events} events");
    }
    notes();
}

/// What it costs to note a batch of a peer: 24 collectors with 10 peers each.
fn notes() {
    let peer = |number: u8| Peer {
        collector: format!("rrc{:02}", number % 24),
        asn: Asn(64496 + u32::from(number)),
        addr: Ipv4Addr::new(192, 0, 2, number).into(),
    };
    let peers: Vec<Peer> = (0..240).map(peer).collect();
    let mut monitor = FeedMonitor::default();
    let (begun, mut noted) = (cpu_nanos(), 0u64);
    for second in 0..2_000 {
        let now = Timestamp::from_secs(second);
        monitor.tick(now);
        for peer in peers.iter().cycle().take(1_440) {
            monitor.note_batch("ris", peer, 3, (now, now));
            noted += 1;
        }
    }
    println!("{} ns for each batch of a peer noted", (cpu_nanos() - begun) / noted);
}

/// CPU time of this thread.
fn cpu_nanos() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    text.split(' ').next().and_then(|nanos| nanos.parse().ok()).expect("a number")
}

fn decode(frames: &[&str]) -> u64 {
    let (sink, mut queue) = queue(1);
    let status = SourceHandle::new("rate", SourceKind::RisLive);
    let clock = Arc::new(Stopped);
    let context = SourceContext { status, sink, clock, cancel: CancellationToken::new() };
    let (mut decoder, mut batcher) = (RisLiveDecoder::default(), Batcher::new(context));
    let mut events = 0;
    let mut hand_on = |batcher: &mut Batcher| {
        batcher.flush().now_or_never().expect("room").expect("open");
        if let Some(LiveItem::Batch(live)) = queue.try_recv() {
            events += live.batch.events.len() as u64;
        }
    };
    for text in frames {
        decoder.frame(text, Timestamp::default(), &mut batcher).expect("a good frame");
        if batcher.is_full() {
            hand_on(&mut batcher);
        }
    }
    hand_on(&mut batcher);
    events
}

/// Each update as the service sends it, with and without raw octets.
fn frames(path: &std::path::Path) -> Vec<(String, String)> {
    let file = Transport::open(path, Limits::default(), Arc::default()).expect("a file");
    let mut reader = MrtReader::new(file, routewarden_wire::Limits::default());
    let (mut decoder, mut frames) = (MrtDecoder::new(), Vec::new());
    while let Some(raw) = reader.next_record() {
        let raw = raw.expect("a record");
        let Ok(decoded) = decoder.decode(&raw) else { continue };
        if let Record::Message(message) = decoded.value
            && let Some(octets) = four_octet_message(&message, raw.body)
        {
            frames.push(frame(raw.header.time, &message, octets));
        }
    }
    frames
}

/// The BGP message of a `BGP4MP_MESSAGE_AS4`: what follows the ends of the session.
fn four_octet_message<'a>(message: &Message<'_>, body: &'a [u8]) -> Option<&'a [u8]> {
    message.update()?;
    let ends = if message.ends.peer_addr.is_ipv4() { 20 } else { 44 };
    body.get(ends..).filter(|octets| octets.starts_with(&[0xff; 16]))
}

fn frame(time: Timestamp, message: &Message<'_>, octets: &[u8]) -> (String, String) {
    let mut scratch = Vec::new();
    let update = message.update().expect("an update");
    let route = update.attributes().route(&mut scratch);
    let path: Vec<u32> =
        route.as_path.segments().flat_map(|segment| segment.asns().map(|asn| asn.0)).collect();
    let community: Vec<(u16, u16)> = route.community_pairs().collect();
    let prefixes: Vec<String> = update.announced().map(|n| n.prefix.to_string()).collect();
    let withdrawals: Vec<String> = update.withdrawn().map(|n| n.prefix.to_string()).collect();
    let mut raw = String::new();
    for octet in octets {
        write!(raw, "{octet:02X}").expect("memory");
    }
    let peer = message.ends.peer_addr;
    let asn = message.ends.peer_asn.0.to_string();
    let secs = time.secs();
    let timestamp = f64::from(u32::try_from(secs).expect("before 2106")) + 0.25;
    let mut data = json!({
        "timestamp": timestamp, "peer": peer, "peer_asn": asn,
        "id": format!("{peer}-{secs}.25-1829343"), "host": "rrc04.ripe.net", "type": "UPDATE",
        "path": path, "community": community, "origin": "IGP", "raw": raw,
        "announcements": [{"next_hop": peer, "prefixes": prefixes}], "withdrawals": withdrawals,
    });
    let text = |data: &Value| json!({"type": "ris_message", "data": data}).to_string();
    let with_raw = sorted_last(&text(&data));
    data.as_object_mut().expect("an object").remove("raw");
    (with_raw, sorted_last(&text(&data)))
}

/// The type first, as the service sends it.
fn sorted_last(text: &str) -> String {
    let data = text.strip_suffix(r#","type":"ris_message"}"#).expect("its end");
    format!(r#"{{"type":"ris_message",{}}}"#, data.trim_start_matches('{'))
}
