//! The health of feeds on the rates of real data: four hours of a RIS collector as they happened.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test code: helpers outside of #[test] functions"
)]

mod common;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use routewarden_core::{Peer, PeerTable, RouteEventKind, Timestamp};
use routewarden_feeds::health::{FeedMonitor, FeedState, HealthChange, SILENT_MAX};
use routewarden_feeds::{StreamOptions, open_updates};

/// What is heard of a peer in a second: events, and whether its session changed.
type Second = Vec<(usize, u32, Option<bool>)>;

struct Recording {
    peers: Vec<Peer>,
    seconds: BTreeMap<i64, Second>,
}

fn recording() -> Option<Recording> {
    let directory = common::data("mrt/rrc04-20210101")?;
    let mut table = PeerTable::default();
    let mut stream = open_updates(common::files(&[directory]), &StreamOptions::default()).unwrap();
    let mut counts: BTreeMap<(i64, usize), (u32, Option<bool>)> = BTreeMap::new();
    stream
        .for_each(&mut table, |_, run| {
            for (peer, event) in run.events() {
                let held = counts.entry((event.time.secs(), peer.0 as usize)).or_default();
                held.0 += 1;
                match event.kind {
                    RouteEventKind::PeerUp => held.1 = Some(true),
                    RouteEventKind::PeerDown => held.1 = Some(false),
                    _ => {}
                }
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    let mut seconds: BTreeMap<i64, Second> = BTreeMap::new();
    for ((second, peer), (events, session)) in counts {
        seconds.entry(second).or_default().push((peer, events, session));
    }
    Some(Recording { peers: table.iter().map(|(_, peer)| peer.clone()).collect(), seconds })
}

impl Recording {
    /// Plays the recording; from `cut` on nothing is heard any more.
    fn play(&self, monitor: &mut FeedMonitor, cut: i64) -> Vec<HealthChange> {
        let (first, last) = self.span();
        let mut changes = Vec::new();
        for second in first..=last {
            let now = at(second);
            changes.extend(monitor.tick(now));
            let heard = self.seconds.get(&second).filter(|_| second < cut);
            for &(peer, events, session) in heard.into_iter().flatten() {
                let peer = &self.peers[peer];
                monitor.note_batch("ris", peer, events, (now, now));
                if let Some(is_up) = session {
                    monitor.note_session("ris", peer, is_up, now);
                }
            }
        }
        changes
    }

    fn span(&self) -> (i64, i64) {
        (*self.seconds.keys().next().unwrap(), *self.seconds.keys().last().unwrap())
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_secs(u32::try_from(second).unwrap())
}

fn degraded(changes: &[HealthChange], is_peer: bool) -> Vec<&HealthChange> {
    let is = |change: &&HealthChange| {
        change.after == FeedState::Degraded && change.peer.is_some() == is_peer
    };
    changes.iter().filter(is).collect()
}

#[test]
fn real_rates_are_never_taken_for_silence_and_silence_is_found_in_time() {
    let Some(recording) = recording() else { return };
    let (first, last) = recording.span();
    let mut monitor = FeedMonitor::default();
    let changes = recording.play(&mut monitor, last + 1);
    assert_eq!(degraded(&changes, false), [] as [&HealthChange; 0]);
    assert_eq!(degraded(&changes, true), [] as [&HealthChange; 0]);
    let counts = monitor.state_of(&["rrc04"]).remove(0).peers;
    assert_eq!((counts.ok, counts.degraded), (15, 0), "{counts:?}");
    // Cut at random moments, the same on every run: after three minutes, and later.
    let mut random = fastrand::Rng::with_seed(5);
    for begins in std::iter::repeat_n(first + 180, 5).chain(std::iter::repeat_n(first + 900, 25)) {
        let ends = if begins < first + 900 { first + 900 } else { last - 200 };
        let cut = random.i64(begins..ends);
        let mut monitor = FeedMonitor::default();
        let changes = recording.play(&mut monitor, cut);
        let found = degraded(&changes, false);
        assert_eq!(found.len(), 1, "cut at {cut}");
        let after = found[0].at.secs_since(at(cut));
        assert!(after * 1_000_000 <= SILENT_MAX, "cut at {cut}, found after {after} s");
    }
}
