//! Trails: each event once, whatever is written again; what is too much; what goes with its incident.

use std::sync::Arc;

use routewarden_core::{AsPathBuf, Peer, Prefix, RouteAttributes};

use super::*;
use crate::trail::make_room;
use crate::{
    RetentionPolicy, StoreError, TRAIL_BLOCK_EVENTS_MAX, TRAIL_EVENTS_MAX, TrailAction, TrailEvent,
    TrailFault, TrailFaults, TrailPart, TrailRoute, TrailSpace, TrailWrite,
};

fn prefix() -> Prefix {
    "192.0.2.0/24".parse().unwrap()
}

fn peer(n: u8) -> Arc<Peer> {
    let addr = format!("198.51.100.{n}").parse().unwrap();
    Arc::new(Peer { collector: "rrc00".to_owned(), asn: Asn(64_500 + u32::from(n)), addr })
}

fn attributes(tail: u32) -> Arc<[u8]> {
    let path = AsPathBuf::sequence([64_511, tail].map(Asn));
    let mut octets = Vec::new();
    assert!(RouteAttributes::from_path(path.as_path()).encode(&mut octets));
    octets.into()
}

fn announced(secs: u32, n: u8, tail: u32) -> TrailEvent {
    let action = TrailAction::Announced { prefix: prefix(), attributes: attributes(tail) };
    TrailEvent { time: at(secs), source: peer(n), action }
}

fn withdrawn(secs: u32, n: u8) -> TrailEvent {
    let action = TrailAction::Withdrawn { prefix: prefix() };
    TrailEvent { time: at(secs), source: peer(n), action }
}

fn part(position: u64, secs: u32) -> TrailPart {
    let route = |n| TrailRoute { source: peer(n), prefix: prefix(), attributes: attributes(1) };
    TrailPart {
        position,
        since: at(secs),
        spaces: vec![TrailSpace { prefix: prefix(), is_exact: false }],
        routes: (1..=3).map(route).collect(),
        faults: TrailFaults::default(),
    }
}

fn write(through: u64) -> TrailWrite {
    TrailWrite {
        number: 1,
        parts: Vec::new(),
        events: Vec::new(),
        through,
        ended_at: None,
        faults: TrailFaults::default(),
    }
}

/// A store with one incident, number 1.
fn fixture() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.record(vec![hijack("a")]);
    fixture
}

impl Fixture {
    fn append(&mut self, write: TrailWrite) {
        self.store.append_trails(&[write]).unwrap();
    }

    fn events(&self) -> Vec<(u64, TrailEvent)> {
        self.store.reader().unwrap().trail_events(1, 0, usize::MAX).unwrap()
    }
}

fn numbered(events: &[TrailEvent]) -> Vec<(u64, TrailEvent)> {
    (1..).zip(events.iter().cloned()).collect()
}

#[test]
fn a_trail_is_read_as_it_was_written_and_page_by_page() {
    let mut fixture = fixture();
    let events: Vec<TrailEvent> = vec![
        announced(1, 1, 666),
        withdrawn(2, 1),
        TrailEvent { time: at(3), source: peer(2), action: TrailAction::PeerDown },
        TrailEvent { time: at(4), source: peer(2), action: TrailAction::PeerUp },
        TrailEvent {
            time: at(4),
            source: peer(2),
            action: TrailAction::NotSentAgain { prefix: "2001:db8::/32".parse().unwrap() },
        },
    ];
    let placed = |from: u64, range: std::ops::Range<usize>| {
        events[range].iter().map(|event| (from, event.clone())).collect()
    };
    fixture.append(TrailWrite { parts: vec![part(5, 0)], events: placed(5, 0..2), ..write(6) });
    fixture.append(TrailWrite { events: placed(9, 2..5), ..write(9) });
    let reader = fixture.store.reader().unwrap();
    let head = reader.trail(1).unwrap().unwrap();
    assert_eq!((head.since, head.ended_at, head.events), (at(0), None, 5));
    assert!(head.faults.is_empty() && head.octets > 0);
    assert_eq!(reader.trail_parts(1, 100).unwrap(), [part(5, 0)]);
    assert_eq!(reader.trail_parts(1, 2).unwrap()[0].routes, part(5, 0).routes[..2]);
    assert_eq!(fixture.events(), numbered(&events));
    for after in 0..=6 {
        let left = numbered(&events).into_iter().filter(|(seq, _)| *seq > after).take(2);
        assert_eq!(reader.trail_events(1, after, 2).unwrap(), left.collect::<Vec<_>>());
    }
    assert_eq!(reader.trail(2).unwrap(), None);
    assert_eq!(fixture.store.trail_position().unwrap(), 9);
}

/// As after a kill: what the log tells again is cut otherwise, and has its end later.
#[test]
fn what_is_written_again_is_there_once() {
    let events: Vec<(u64, TrailEvent)> =
        (0..40).map(|n| (10 + u64::from(n) / 3, announced(n, 1, n))).collect();
    let upto = |through: u64| {
        events.iter().filter(|(position, _)| *position <= through).cloned().collect::<Vec<_>>()
    };
    let mut late = part(10, 0);
    late.faults.add(TrailFault::OpenedLate);
    for killed_after in [10, 11, 15, 23] {
        let mut fixture = fixture();
        // What is looked back at after a restart lacks more; the first is what counts.
        let parts = || vec![late.clone()];
        let through = killed_after;
        let first = vec![part(10, 0)];
        fixture.append(TrailWrite { parts: first, events: upto(through), ..write(through) });
        let mut fixture = fixture.reopened();
        fixture.append(TrailWrite { parts: parts(), events: upto(20), ..write(20) });
        fixture.append(TrailWrite { parts: parts(), events: upto(99), ..write(99) });
        let all: Vec<TrailEvent> = events.iter().map(|(_, event)| event.clone()).collect();
        assert_eq!(fixture.events(), numbered(&all), "{killed_after}");
        let reader = fixture.store.reader().unwrap();
        assert_eq!(reader.trail_parts(1, 100).unwrap().len(), 1);
        assert!(reader.trail(1).unwrap().unwrap().faults.is_empty());
    }
}

#[test]
fn blocks_are_filled_whatever_the_size_of_the_writes() {
    let mut fixture = fixture();
    let total = TRAIL_BLOCK_EVENTS_MAX * 2 + 100;
    let event = |n: usize| {
        let n = u32::try_from(n).unwrap();
        announced(n, u8::try_from(n % 40).unwrap(), n % 60)
    };
    let mut done = 0;
    for size in [1, 7, 3_000, 5_000, total].into_iter().cycle() {
        let end = total.min(done + size);
        let events = (done..end).map(|n| (end as u64, event(n))).collect();
        fixture.append(TrailWrite { events, ..write(end as u64) });
        done = end;
        if done == total {
            break;
        }
    }
    assert_eq!(fixture.events(), numbered(&(0..total).map(event).collect::<Vec<_>>()));
    let sql = "SELECT count(*), sum(length(data)) FROM trail_blocks";
    let (blocks, octets): (i64, i64) =
        fixture.store.conn.query_row(sql, (), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(blocks, 3);
    let head = fixture.store.reader().unwrap().trail(1).unwrap().unwrap();
    assert_eq!(head.octets, octets.unsigned_abs());
    assert!(head.octets < total as u64 * 12, "{octets} octets for {total} events");
}

#[test]
fn a_trail_has_no_more_events_than_it_may() {
    let mut fixture = fixture();
    let max = usize::try_from(TRAIL_EVENTS_MAX).unwrap();
    let events = (0..max + 5).map(|_| (1, withdrawn(1, 1))).collect();
    fixture.append(TrailWrite { events, ..write(1) });
    fixture.append(TrailWrite { events: vec![(2, withdrawn(2, 1))], ..write(2) });
    let head = fixture.store.reader().unwrap().trail(1).unwrap().unwrap();
    assert_eq!(head.events, TRAIL_EVENTS_MAX);
    assert_eq!(head.faults.iter().collect::<Vec<_>>(), [TrailFault::TooManyEvents]);
    assert_eq!(fixture.events().len(), max);
}

#[test]
fn a_trail_ends_and_goes_on_with_a_pause_or_without() {
    let mut fixture = fixture();
    fixture.append(TrailWrite { parts: vec![part(1, 0)], ..write(1) });
    fixture.append(TrailWrite { ended_at: Some(at(50)), ..write(2) });
    let head = |fixture: &Fixture| fixture.store.reader().unwrap().trail(1).unwrap().unwrap();
    assert_eq!(head(&fixture).ended_at, Some(at(50)));
    fixture.append(TrailWrite { parts: vec![part(3, 40)], ..write(3) });
    assert_eq!((head(&fixture).ended_at, head(&fixture).faults.is_empty()), (None, true));
    fixture.append(TrailWrite { ended_at: Some(at(90)), ..write(4) });
    fixture.append(TrailWrite { parts: vec![part(5, 99)], ..write(5) });
    assert!(head(&fixture).faults.has(TrailFault::Paused));
    let parts = fixture.store.reader().unwrap().trail_parts(1, 100).unwrap();
    assert_eq!(parts.iter().map(|part| part.since).collect::<Vec<_>>(), [at(0), at(40), at(99)]);
}

#[test]
fn trails_that_nobody_knows_of_are_ended_and_others_are_not() {
    let mut fixture = fixture();
    let second = IncidentVersion { key: "other".to_owned(), ..hijack("b") };
    fixture.record(vec![second]);
    for number in 1..=3_i64 {
        let seq = number.unsigned_abs();
        fixture.append(TrailWrite { number, events: vec![(seq, withdrawn(1, 1))], ..write(seq) });
    }
    assert_eq!(fixture.store.end_other_trails(&[2, 9], at(77)).unwrap(), 1);
    let reader = fixture.store.reader().unwrap();
    let [first, second] = [1, 2].map(|number| reader.trail(number).unwrap().unwrap());
    assert_eq!((first.ended_at, second.ended_at), (Some(at(77)), None));
    assert!(first.faults.has(TrailFault::Restarted) && second.faults.is_empty());
    assert_eq!(reader.trail(3).unwrap(), None, "there is no such incident");
}

#[test]
fn a_trail_goes_with_its_incident_and_survives_new_tables_and_a_backup() {
    let mut fixture = fixture();
    fixture.append(TrailWrite {
        parts: vec![part(1, 0)],
        events: vec![(1, withdrawn(1, 1))],
        ended_at: Some(at(60)),
        ..write(1)
    });
    fixture.assert_rebuilds();
    assert_eq!(fixture.events().len(), 1);
    let backup = fixture.dir.path().join("backup");
    fixture.store.reader().unwrap().backup(&backup).unwrap();
    let other = TempDir::new().unwrap();
    crate::restore(&backup, other.path(), false).unwrap();
    let restored = Store::open(other.path()).unwrap();
    assert_eq!(restored.reader().unwrap().trail_events(1, 0, 9).unwrap(), fixture.events());

    fixture.record(vec![ended(&hijack("a"), 60)]);
    let keys = fixture.store.pending_reports(10).unwrap();
    fixture.store.mark_sent(&keys, at(70)).unwrap();
    let policy = RetentionPolicy { incident_days: 1, journal_days: 1, readiness_months: 2 };
    let taken = fixture.store.retention(policy, at(3 * 86_400)).unwrap();
    assert_eq!((taken.incidents, taken.trails), (1, 0));
    for table in ["trails", "trail_blocks"] {
        let sql = format!("SELECT count(*) FROM {table}");
        let left: i64 = fixture.store.conn.query_row(&sql, (), |row| row.get(0)).unwrap();
        assert_eq!(left, 0, "{table}");
    }
}

#[test]
fn what_ended_first_makes_room() {
    let mut fixture = fixture();
    for number in 2..=3 {
        fixture.record(vec![IncidentVersion {
            key: number.to_string(),
            ..hijack(&number.to_string())
        }]);
    }
    for (number, ended_at) in [(1, Some(at(30))), (2, None), (3, Some(at(20)))] {
        let first = u32::try_from(number).unwrap();
        let events = (0..100).map(|n| (1, announced(n, 1, n * 31 + first))).collect();
        fixture.append(TrailWrite { number, events, ended_at, ..write(1) });
    }
    let reader = fixture.store.reader().unwrap();
    let octets = |number| reader.trail(number).unwrap().unwrap().octets;
    let all: u64 = (1..=3).map(octets).sum();
    assert_eq!(make_room(&fixture.store.conn, all).unwrap(), 0);
    assert_eq!(make_room(&fixture.store.conn, all - 1).unwrap(), 1);
    assert!([octets(1), octets(2)].iter().all(|&octets| octets > 0));
    let third = reader.trail(3).unwrap().unwrap();
    assert_eq!((third.octets, third.faults.has(TrailFault::Removed)), (0, true));
    assert!(reader.trail_events(3, 0, 10).unwrap().is_empty());
    assert_eq!(make_room(&fixture.store.conn, 0).unwrap(), 1, "the one that goes on stays");
}

#[test]
fn a_damaged_block_is_an_error_that_names_it() {
    let mut fixture = fixture();
    fixture.append(TrailWrite { events: vec![(1, withdrawn(1, 1))], ..write(1) });
    fixture.store.conn.execute("UPDATE trail_blocks SET data = x'0100'", ()).unwrap();
    let read = fixture.store.reader().unwrap().trail_events(1, 0, 10);
    assert!(matches!(read, Err(StoreError::UnreadableTrail { number: 1, block: 0 })));
    fixture.append(TrailWrite { events: vec![(2, withdrawn(2, 1))], ..write(2) });
    let after = fixture.store.reader().unwrap().trail_events(1, 1, 10).unwrap();
    assert_eq!(after, [(2, withdrawn(2, 1))], "others go on");
}
