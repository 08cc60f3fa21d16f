use routewarden_core::facts::Facts;
use routewarden_core::{AsPathBuf, Asn, EventBatch, RouteAttributes, RouteEvent, RouteEventKind};
use routewarden_detect::{Config, Incident, IncidentKind};
use routewarden_store::{AsnRole, IncidentVersion, Store};

use super::*;
use crate::serve::core::Core;
use crate::serve::record::Record;

const VICTIM: u32 = 64502;
const CULPRIT: u32 = 64503;
const BLOCK: &str = "203.0.113.0/24";
const PART: &str = "203.0.113.128/25";

fn at(secs: u32) -> Timestamp {
    Timestamp::from_secs(1_795_824_000 + secs)
}

fn p(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn peer(n: u8) -> Peer {
    let addr = format!("198.51.100.{n}").parse().unwrap();
    Peer { collector: "lab".to_owned(), asn: Asn(64496 + u32::from(n)), addr }
}

fn batch(secs: u32, n: u8, kind: impl FnOnce(&mut EventBatch) -> RouteEventKind) -> Record {
    let mut batch = EventBatch::default();
    batch.new_peers.push(peer(n));
    let kind = kind(&mut batch);
    batch.events.push(RouteEvent { time: at(secs), peer: 0, kind });
    Record::Batch { source: "lab".to_owned(), received: at(secs), batch }
}

fn announced(secs: u32, n: u8, prefix: &str, tail: &[u32]) -> Record {
    batch(secs, n, |batch| {
        let path = [64496 + u32::from(n), 64510];
        let path = AsPathBuf::sequence(path.iter().chain(tail).copied().map(Asn));
        let attributes = RouteAttributes::from_path(path.as_path());
        let attributes = batch.push_attributes(&attributes).unwrap();
        RouteEventKind::Announcement { prefix: p(prefix), attributes }
    })
}

fn withdrawn(secs: u32, n: u8, prefix: &str) -> Record {
    batch(secs, n, |_| RouteEventKind::Withdrawal { prefix: p(prefix) })
}

fn core() -> Core {
    let config = Config { bogons: false, ..Config::default() };
    Core::new(Detector::new(config, Facts::default()), PeerTable::default(), false)
}

/// A core that has seen a hijack of a part of a block; what it was told.
fn hijacked() -> (Core, Vec<Record>) {
    let mut records: Vec<Record> =
        (0..3).map(|n| announced(1, n, BLOCK, &[64511, VICTIM])).collect();
    records.push(announced(2, 0, "192.0.2.0/24", &[VICTIM]));
    records.extend((0..3).map(|n| announced(100 + u32::from(n), n, PART, &[CULPRIT])));
    let mut core = core();
    for record in &records {
        core.tell(record.clone());
    }
    (core, records)
}

fn incident(core: &Core) -> Incident {
    let incidents = core.report().incidents;
    let [incident] = incidents.as_slice() else { panic!("{incidents:#?}") };
    assert_eq!(incident.kind, IncidentKind::SubPrefixHijack);
    incident.clone()
}

fn subject(core: &Core) -> Subject {
    Subject { number: 1, is_told: true, incident: incident(core) }
}

fn planned(core: &Core, subject: &Subject, now: u32) -> Option<Watch> {
    plan(subject, (core.trails(), core.detector()), at(now), |_| None)
}

/// What the only trail writes, in words.
fn told(core: &Core) -> (Vec<String>, Vec<(i64, String)>) {
    let writes = core.trail_writes();
    let [write] = writes.as_slice() else { panic!("{writes:#?}") };
    let routes = write.parts.iter().flat_map(|part| &part.routes);
    let routes = routes.map(|route| format!("{} {}", route.source.asn.0, route.prefix)).collect();
    let events = write.events.iter().map(|(_, event)| {
        let asn = event.source.asn.0;
        let what = match &event.action {
            TrailAction::Announced { prefix, attributes } => {
                let path = RouteAttributes::decode(attributes).unwrap().as_path;
                format!("A {asn} {prefix} {}", path.origin().unwrap().0)
            }
            TrailAction::Withdrawn { prefix } => format!("W {asn} {prefix}"),
            TrailAction::NotSentAgain { prefix } => format!("N {asn} {prefix}"),
            TrailAction::PeerDown => format!("down {asn}"),
            TrailAction::PeerUp => format!("up {asn}"),
        };
        (event.time.secs_since(at(0)), what)
    });
    (routes, events.collect())
}

fn owned(events: &[(i64, &str)]) -> Vec<(i64, String)> {
    events.iter().map(|&(secs, what)| (secs, what.to_owned())).collect()
}

#[test]
fn a_trail_has_what_stood_before_and_all_that_came_since() {
    let (mut core, _) = hijacked();
    let watch = planned(&core, &subject(&core), 105).unwrap();
    assert_eq!(watch.spaces, [Space { prefix: p(BLOCK), is_exact: false }]);
    assert_eq!((watch.since, watch.until, watch.faults.is_empty()), (at(100), None, true));
    core.tell(Record::Watch(vec![watch]));
    core.tell(batch(110, 1, |_| RouteEventKind::PeerDown));
    core.tell(announced(120, 2, "203.0.113.0/25", &[VICTIM]));
    core.tell(announced(121, 2, "192.0.2.0/24", &[VICTIM]));
    core.tell(withdrawn(130, 0, PART));
    let (routes, events) = told(&core);
    assert_eq!(routes, ["64496", "64497", "64498"].map(|asn| format!("{asn} {BLOCK}")));
    let expected = [
        (100, "A 64496 203.0.113.128/25 64503"),
        (101, "A 64497 203.0.113.128/25 64503"),
        (102, "A 64498 203.0.113.128/25 64503"),
        (110, "down 64497"),
        (120, "A 64498 203.0.113.0/25 64502"),
        (130, "W 64496 203.0.113.128/25"),
    ];
    assert_eq!(events, owned(&expected));
    core.trails_written(at(131));
    assert!(!core.trails().has_waiting());
    assert_eq!(planned(&core, &subject(&core), 140), None, "it is watched already");
}

#[test]
fn it_goes_on_for_a_while_after_the_end_and_is_taken_up_again_before_that() {
    let (mut core, _) = hijacked();
    core.tell(Record::Watch(planned(&core, &subject(&core), 105).into_iter().collect()));
    (0..3).for_each(|n| core.tell(withdrawn(200, n, PART)));
    let end = planned(&core, &subject(&core), 201).unwrap();
    assert_eq!(end.until, Some(at(200).plus_secs(TRAIL_TAIL_SECS)));
    core.tell(Record::Watch(vec![end]));
    core.advance(at(600));
    core.tell(announced(601, 0, PART, &[CULPRIT]));
    let again = planned(&core, &subject(&core), 601).unwrap();
    assert_eq!(again.until, None);
    core.tell(Record::Watch(vec![again]));
    core.advance(at(2_000));
    assert_eq!(core.trail_writes()[0].ended_at, None);
    core.tell(withdrawn(2_001, 0, PART));
    core.tell(Record::Watch(planned(&core, &subject(&core), 2_001).into_iter().collect()));
    core.advance(at(2_601));
    assert_eq!(core.trail_writes()[0].ended_at, None);
    core.advance(at(2_602));
    assert!(core.trails().is_due(at(2_602)));
    assert_eq!(core.trail_writes()[0].ended_at, Some(at(2_602)));
    core.tell(announced(2_700, 0, BLOCK, &[VICTIM]));
    assert_eq!(told(&core).1.last().unwrap().0, 2_001, "nothing after the end");
    core.trails_written(at(2_700));
    assert_eq!(core.trails().len(), 0);
    assert_eq!(planned(&core, &subject(&core), 2_701), None, "it is over");
}

fn version(id: &str) -> IncidentVersion {
    IncidentVersion {
        id: id.to_owned(),
        key: "key".to_owned(),
        kind: "sub_prefix_hijack".to_owned(),
        state: "ongoing".to_owned(),
        class: "high".to_owned(),
        confidence: 90,
        severity: 70,
        first_seen: at(100),
        last_seen: at(101),
        ended_at: None,
        asns: vec![(Asn(CULPRIT), AsnRole::Culprit)],
        prefixes: vec![p(PART)],
        countries: Vec::new(),
        members: Vec::new(),
        report: true,
        is_withdrawn: false,
        body: serde_json::value::to_raw_value("").unwrap(),
    }
}

/// Wherever the state was saved, the store written last and the program killed: what the log tells
/// again brings each event into the store once.
#[test]
fn killed_at_any_time_it_has_each_event_once() {
    let (core, mut records) = hijacked();
    let begun = records.len();
    records.push(Record::Watch(planned(&core, &subject(&core), 105).into_iter().collect()));
    for n in 0..12 {
        let n = u8::try_from(n).unwrap();
        records.push(announced(110 + u32::from(n), n % 3, PART, &[64600 + u32::from(n), CULPRIT]));
        records.push(Record::Advance(at(110 + u32::from(n))));
    }
    let run = |saved_at: usize, written_at: usize, killed_at: usize| {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        store.record(vec![version("RW-1")], at(105)).unwrap();
        let (mut first, mut state) = (self::core(), Vec::new());
        for (place, record) in records[..killed_at].iter().enumerate() {
            if place == saved_at {
                first.save(&mut state).unwrap();
            }
            first.tell(record.clone());
            if place == written_at {
                store.append_trails(&first.trail_writes()).unwrap();
                first.trails_written(at(200));
            }
        }
        let mut second = Core::restore(&mut state.as_slice(), Facts::default()).unwrap();
        records[saved_at..].iter().for_each(|record| second.tell(record.clone()));
        store.append_trails(&second.trail_writes()).unwrap();
        let reader = store.reader().unwrap();
        assert!(reader.trail(1).unwrap().unwrap().faults.is_empty());
        reader.trail_events(1, 0, 1_000).unwrap()
    };
    let never = records.len();
    let expected = run(0, never, 1);
    assert_eq!(expected.len(), 3 + 12);
    for saved_at in [0, begun - 1, begun, begun + 1, begun + 9] {
        for written_at in [begun, begun + 4, begun + 10, begun + 15] {
            for killed_at in [written_at + 1, records.len()] {
                let killed_at = killed_at.max(saved_at + 1);
                let found = run(saved_at, written_at, killed_at);
                assert_eq!(found, expected, "{saved_at} {written_at} {killed_at}");
            }
        }
    }
}

/// What is kept to look back at is not saved: in the moment between the opening and its writing, a
/// kill costs the beginning, and that is told.
#[test]
fn killed_right_after_it_began_it_says_that_it_lacks_the_beginning() {
    let (core, _) = hijacked();
    let watch = Record::Watch(planned(&core, &subject(&core), 105).into_iter().collect());
    let mut state = Vec::new();
    core.save(&mut state).unwrap();
    let mut again = Core::restore(&mut state.as_slice(), Facts::default()).unwrap();
    again.tell(watch);
    let part = &again.trail_writes()[0].parts[0];
    assert_eq!((part.since, part.routes.len()), (at(102), 6));
    assert!(part.faults.has(TrailFault::OpenedLate));
}

#[test]
fn what_is_not_sure_enough_or_over_has_no_trail() {
    let (core, _) = hijacked();
    let unsure = Subject { is_told: false, ..subject(&core) };
    assert_eq!(planned(&core, &unsure, 105), None);
    let mut over = subject(&core);
    over.incident.ended_at = Some(at(110));
    assert!(planned(&core, &over, 700).is_some());
    assert_eq!(planned(&core, &over, 711), None);
}

#[test]
fn a_large_block_is_watched_by_itself_and_too_many_prefixes_are_told() {
    let mut core = core();
    let mut all = Vec::new();
    for n in 0..400_u32 {
        let prefix = Prefix::v4(0xcb00_0000 + n * 256, 24).unwrap();
        all.push(prefix);
        core.tell(announced(1, 0, &prefix.to_string(), &[VICTIM]));
    }
    let (other, _) = hijacked();
    let mut large = subject(&other);
    large.incident.covering_prefixes = vec![p("203.0.0.0/8")];
    let watch = planned(&core, &large, 105).unwrap();
    let space = |prefix, is_exact| Space { prefix: p(prefix), is_exact };
    assert_eq!(watch.spaces, [space("203.0.0.0/8", true), space(PART, false)]);
    assert!(watch.faults.has(TrailFault::TooManyPrefixes));

    large.incident.covering_prefixes.clear();
    (large.incident.prefix_count, large.incident.prefixes) = (all.len(), all);
    let watch = planned(&core, &large, 105).unwrap();
    assert_eq!(watch.spaces.len(), TRAIL_PREFIXES_MAX);
    assert!(watch.faults.has(TrailFault::TooManyPrefixes));
}

#[test]
fn what_stood_at_the_start_has_no_past() {
    let (mut core, _) = hijacked();
    let mut standing = subject(&core);
    standing.incident.standing = true;
    core.tell(Record::Watch(planned(&core, &standing, 105).into_iter().collect()));
    let writes = core.trail_writes();
    assert!(writes[0].parts[0].faults.has(TrailFault::Standing));
    assert_eq!(writes[0].parts[0].since, at(102));
    // One more than stood: it came at that very time.
    assert_eq!((writes[0].parts[0].routes.len(), writes[0].events.len()), (5, 1));
}

#[test]
fn there_are_only_so_many_trails_and_events_of_one() {
    let (mut core, _) = hijacked();
    let watch = planned(&core, &subject(&core), 105).unwrap();
    let max = i64::try_from(TRAILS_OPEN_MAX).unwrap();
    core.tell(Record::Watch((2..=max).map(|number| Watch { number, ..watch.clone() }).collect()));
    assert!(planned(&core, &subject(&core), 105).is_some());
    let last = Watch { number: max + 1, ..watch.clone() };
    core.tell(Record::Watch(vec![last]));
    assert_eq!(planned(&core, &subject(&core), 105), None);

    let (mut core, _) = hijacked();
    core.tell(Record::Watch(vec![watch]));
    let mut events = EventBatch::default();
    events.new_peers.push(peer(0));
    for n in 0..2 * TRAIL_EVENTS_MAX {
        let path = AsPathBuf::sequence([64496, 64510 + (n % 2) as u32, VICTIM].map(Asn));
        let attributes = RouteAttributes::from_path(path.as_path());
        let attributes = events.push_attributes(&attributes).unwrap();
        let kind = RouteEventKind::Announcement { prefix: p(BLOCK), attributes };
        events.events.push(RouteEvent { time: at(110), peer: 0, kind });
    }
    core.take("lab", at(110), &events);
    core.tell(announced(111, 1, BLOCK, &[64512, VICTIM]));
    let writes = core.trail_writes();
    assert_eq!(writes[0].events.len() as u64, TRAIL_EVENTS_MAX);
    assert!(writes[0].faults.has(TrailFault::TooManyEvents));
    core.trails_written(at(112));
    core.tell(announced(113, 1, BLOCK, &[64513, VICTIM]));
    assert!(!core.trails().has_waiting(), "it is watched no longer");
    assert_eq!(planned(&core, &subject(&core), 114), None, "nor begun again");
}
