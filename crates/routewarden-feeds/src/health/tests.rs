use routewarden_core::{Asn, Peer, Timestamp};

use super::*;

const START: u32 = 1_767_225_600;

fn t(secs: i64) -> Timestamp {
    Timestamp::from_secs(START).plus_secs(secs)
}

fn peer(collector: &str, number: u32) -> Peer {
    Peer {
        collector: collector.to_owned(),
        asn: Asn(64496 + number),
        addr: "192.0.2.1".parse().unwrap(),
    }
}

/// Plays seconds `from..until`: those of a peer that `speaks` in a second are heard.
fn play(
    monitor: &mut FeedMonitor,
    seconds: std::ops::Range<i64>,
    speaks: impl Fn(i64) -> Vec<Peer>,
) -> Vec<HealthChange> {
    let mut changes = Vec::new();
    for second in seconds {
        changes.extend(monitor.tick(t(second)));
        for peer in speaks(second) {
            monitor.note_batch("live", &peer, 5, (t(second - 1), t(second)));
        }
    }
    changes
}

fn of(monitor: &FeedMonitor, collector: &str) -> CollectorHealth {
    monitor.state_of(&[collector]).remove(0)
}

fn states(changes: &[HealthChange], is_peer: bool) -> Vec<(FeedState, Reason)> {
    let of = changes.iter().filter(|change| change.peer.is_some() == is_peer);
    of.map(|change| (change.after, change.reason)).collect()
}

#[test]
fn a_feed_that_goes_silent_is_degraded_in_time_and_ok_when_it_speaks() {
    let mut monitor = FeedMonitor::default();
    let speaks = |second: i64| if second % 3 == 0 { vec![peer("rrc00", 1)] } else { vec![] };
    let changes = play(&mut monitor, 0..1800, speaks);
    assert_eq!(states(&changes, false), [(FeedState::Ok, Reason::Speaks)]);
    let health = of(&monitor, "rrc00");
    assert_eq!((health.seen_per_minute, health.lag_secs), (100, Some(1.0)));
    assert!((64.0..=128.0).contains(&health.expected_per_minute.unwrap()));
    let changes = play(&mut monitor, 1800..3600, |_| vec![]);
    assert_eq!(states(&changes, false), [(FeedState::Degraded, Reason::Silent)]);
    let found = changes[0].at.secs_since(t(1797));
    assert!((90..=120).contains(&found), "{found}");
    assert_eq!(of(&monitor, "rrc00").last_heard, Some(t(1797)));
    let open = FeedGap { from: t(1797), until: None };
    assert_eq!(monitor.gaps_in("rrc00", t(2000), t(2100)), [open]);
    assert!(monitor.gaps_in("rrc00", t(0), t(1797)).is_empty());
    let changes = play(&mut monitor, 3600..3610, speaks);
    assert_eq!(states(&changes, false), [(FeedState::Ok, Reason::Speaks)]);
    let closed = FeedGap { from: t(1797), until: Some(t(3600)) };
    assert_eq!(of(&monitor, "rrc00").gaps, [closed]);
    assert_eq!(monitor.take_ended_gaps(), [("rrc00".into(), closed)]);
    // One long outage does not make long silence usual.
    assert_eq!(of(&monitor, "rrc00").silence_borne_secs, Some(90));
    assert!(of(&monitor, "rrc00").expected_per_minute.unwrap() > 60.0);
}

#[test]
fn a_quiet_feed_does_not_flap_and_a_changed_habit_is_learnt() {
    let mut monitor = FeedMonitor::default();
    let files = |second: i64| if second % 300 < 5 { vec![peer("rrc01", 1)] } else { vec![] };
    let changes = play(&mut monitor, 0..20_000, files);
    assert_eq!(states(&changes, false), [(FeedState::Ok, Reason::Speaks)]);
    assert_eq!(states(&changes, true), [(FeedState::Ok, Reason::Speaks)]);
    let changes = play(&mut monitor, 20_000..40_000, |_| vec![]);
    assert_eq!(states(&changes, false), [(FeedState::Degraded, Reason::Silent)]);

    let mut monitor = FeedMonitor::default();
    play(&mut monitor, 0..7200, |_| vec![peer("rrc02", 1)]);
    let changes = play(&mut monitor, 7200..40_000, files_of("rrc02"));
    let flaps = states(&changes, false).len();
    assert!((2..=20).contains(&flaps), "{flaps}");
    let late = changes.iter().filter(|change| change.at > t(30_000)).count();
    assert_eq!(late, 0, "by then it is understood");
}

fn files_of(collector: &'static str) -> impl Fn(i64) -> Vec<Peer> {
    move |second| if second % 300 < 5 { vec![peer(collector, 1)] } else { vec![] }
}

#[test]
fn what_is_not_learnt_is_unknown() {
    let mut monitor = FeedMonitor::default();
    let slow = |second| if second % 40 == 0 { vec![peer("rrc00", 1)] } else { vec![] };
    for changes in [
        play(&mut monitor, 0..590, slow),
        play(&mut monitor, 590..5000, |_| vec![]),
        // Too short, although it speaks all the time.
        play(&mut monitor, 5000..5050, |_| vec![peer("rrc01", 1)]),
        play(&mut monitor, 5050..6000, |_| vec![]),
    ] {
        assert!(changes.is_empty(), "{changes:?}");
    }
    assert_eq!(of(&monitor, "rrc00").state, FeedState::Unknown);
    assert_eq!(of(&monitor, "rrc09").reason, Reason::NeverHeard);
}

#[test]
fn a_busy_collector_is_judged_after_a_minute_its_peers_later() {
    let mut monitor = FeedMonitor::default();
    let changes = play(&mut monitor, 0..120, |_| vec![peer("rrc00", 1)]);
    assert_eq!(states(&changes, false), [(FeedState::Ok, Reason::Speaks)]);
    assert!(states(&changes, true).is_empty());
    let changes = play(&mut monitor, 120..240, |_| vec![]);
    assert_eq!(states(&changes, false), [(FeedState::Degraded, Reason::Silent)]);
    assert!(states(&changes, true).is_empty());
}

#[test]
fn a_jump_of_the_clock_changes_nothing_but_the_times_shown() {
    for jump in [86_400, -86_400, 61, -2] {
        let mut monitor = FeedMonitor::default();
        let speaks = |_: i64| vec![peer("rrc00", 1)];
        play(&mut monitor, 0..3600, speaks);
        let changes = play(&mut monitor, 3600 + jump..4600 + jump, speaks);
        assert!(changes.is_empty(), "{jump} {changes:?}");
        let health = of(&monitor, "rrc00");
        assert_eq!((health.state, health.lag_secs), (FeedState::Ok, Some(1.0)), "{jump}");
        assert_eq!(health.last_heard, Some(t(4599 + jump)));
        assert_eq!(monitor.snapshot().clock_jumps, 1);
        // And then silence is found as ever.
        let changes = play(&mut monitor, 4600 + jump..4800 + jump, |_| vec![]);
        let found = changes[0].at.secs_since(t(4599 + jump));
        assert!((90..=120).contains(&found), "{jump} {found}");
    }
}

#[test]
fn a_jump_of_the_clock_is_no_lag() {
    let mut monitor = FeedMonitor::default();
    play(&mut monitor, 0..3600, |_| vec![peer("rrc00", 1)]);
    // Our clock goes an hour forward, that of the collector does not.
    for second in 3600..9000 {
        let changes = monitor.tick(t(second + 3600));
        assert!(changes.is_empty(), "{changes:?}");
        monitor.note_batch("live", &peer("rrc00", 1), 1, (t(second), t(second + 3600)));
    }
    assert_eq!(of(&monitor, "rrc00").lag_secs, Some(3600.0));
    // It is learnt; then what comes later than that is late.
    let mut changes = Vec::new();
    for second in 9000..9100 {
        changes.extend(monitor.tick(t(second + 3600)));
        monitor.note_batch("live", &peer("rrc00", 1), 1, (t(0), t(second * 3)));
    }
    assert_eq!(states(&changes, false), [(FeedState::Degraded, Reason::Lagging)]);
    assert!(monitor.gaps_in("rrc00", t(0), t(100_000)).is_empty(), "late is not lost");
}

#[test]
fn sessions_and_sources_that_are_told_to_be_down_are() {
    let mut monitor = FeedMonitor::default();
    play(&mut monitor, 0..700, |_| vec![peer("rrc00", 1), peer("rrc00", 2)]);
    monitor.note_session("live", &peer("rrc00", 2), false, t(700));
    let changes = play(&mut monitor, 700..3000, |_| vec![peer("rrc00", 1)]);
    assert_eq!(states(&changes, true), [(FeedState::Down, Reason::SessionDown)]);
    assert!(states(&changes, false).is_empty(), "one of two peers is no loss of a collector");
    monitor.note_session("live", &peer("rrc00", 2), true, t(3000));
    let changes = monitor.tick(t(3000));
    assert_eq!(states(&changes, true), [(FeedState::Ok, Reason::Speaks)]);
    monitor.note_source("other", false);
    assert!(monitor.tick(t(3001)).is_empty());
    monitor.note_source("live", false);
    let changes = monitor.tick(t(3002));
    assert_eq!(states(&changes, false), [(FeedState::Down, Reason::SourceDown)]);
    monitor.note_gap("live", t(2999), t(3005));
    let changes = play(&mut monitor, 3005..3008, |_| vec![peer("rrc00", 1)]);
    assert_eq!(states(&changes, false), [(FeedState::Ok, Reason::Speaks)]);
    let gaps = monitor.gaps_in("rrc00", t(3000), t(3001));
    assert_eq!(gaps, [FeedGap { from: t(2999), until: Some(t(3005)) }]);
    assert!(monitor.take_ended_gaps().is_empty(), "the source told of it");
}

#[test]
fn a_collector_that_lost_half_of_its_peers_is_degraded() {
    let mut monitor = FeedMonitor::default();
    let peers =
        |of: std::ops::Range<u32>| move |_: i64| of.clone().map(|n| peer("rrc00", n)).collect();
    play(&mut monitor, 0..700, peers(0..6));
    let changes = play(&mut monitor, 700..1000, peers(0..3));
    assert_eq!(states(&changes, false), [(FeedState::Degraded, Reason::PeersLost)]);
    let counts = of(&monitor, "rrc00").peers;
    assert_eq!(counts, PeerCounts { ok: 3, degraded: 3, ..PeerCounts::default() });
    let changes = play(&mut monitor, 1000..1010, peers(0..4));
    assert_eq!(states(&changes, false), [(FeedState::Ok, Reason::Speaks)]);
}

#[test]
fn what_is_kept_is_bounded() {
    let mut monitor = FeedMonitor::new(32, 4);
    for second in 0..40 {
        monitor.tick(t(second));
        monitor.note_batch("live", &peer("rrc00", u32::try_from(second).unwrap()), 1, (t(0), t(0)));
    }
    let snapshot = monitor.snapshot();
    assert_eq!((snapshot.peers.len(), snapshot.peers_forgotten), (32, 8));
    assert_eq!(snapshot.peers[0].peer.asn, 64496 + 8, "the oldest are forgotten");
    for number in 0..6 {
        monitor.tick(t(40 + number));
        monitor.note_batch("live", &peer(&format!("x{number}"), 1), 1, (t(0), t(0)));
    }
    let snapshot = monitor.snapshot();
    let names: Vec<&str> = snapshot.collectors.iter().map(|c| c.collector.as_str()).collect();
    assert_eq!((names, snapshot.collectors_forgotten), (vec!["x2", "x3", "x4", "x5"], 3));
    assert_eq!(snapshot.peers.len(), 4);
    let gaps = i64::try_from(GAPS_KEPT_MAX).unwrap() + 5;
    for gap in 0..gaps {
        monitor.note_gap("live", t(gap * 10), t(gap * 10 + 1));
    }
    let health = of(&monitor, "x5");
    assert_eq!((health.gaps.len(), health.gaps_forgotten), (GAPS_KEPT_MAX, 5));
    assert_eq!(health.gaps[0].from, t(50));
    assert!(
        serde_json::to_string(&monitor.snapshot()).unwrap().contains("\"reason\":\"learning\"")
    );
}
