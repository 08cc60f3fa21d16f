//! The trail of an incident: its replay, its updates page by page.

use routewarden_core::{AsPathBuf, Peer, Prefix, RouteAttributes};
use routewarden_store::{
    TrailAction, TrailEvent, TrailFault, TrailFaults, TrailPart, TrailRoute, TrailSpace, TrailWrite,
};

use super::*;

const BLOCK: &str = "192.0.2.0/24";

fn p(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn peer(n: u8) -> Arc<Peer> {
    let addr = format!("198.51.100.{n}").parse().unwrap();
    Arc::new(Peer { collector: "rrc00".to_owned(), asn: Asn(64510 + u32::from(n)), addr })
}

fn attributes(n: u8, origin: u32) -> Arc<[u8]> {
    let path = AsPathBuf::sequence([64510 + u32::from(n), origin].map(Asn));
    let path = RouteAttributes::from_path(path.as_path());
    let attributes = RouteAttributes { communities: &[0xfc, 0, 0, 7], ..path };
    let mut octets = Vec::new();
    assert!(attributes.encode(&mut octets));
    octets.into()
}

fn announced(secs: u32, n: u8, origin: u32) -> TrailEvent {
    let action = TrailAction::Announced { prefix: p(BLOCK), attributes: attributes(n, origin) };
    TrailEvent { time: at(secs), source: peer(n), action }
}

fn other(secs: u32, n: u8, action: TrailAction) -> TrailEvent {
    TrailEvent { time: at(secs), source: peer(n), action }
}

/// The victim's routes of some peers right before a time.
fn part(position: u64, secs: u32, peers: &[u8]) -> TrailPart {
    let route = |&n: &u8| TrailRoute {
        source: peer(n),
        prefix: p(BLOCK),
        attributes: attributes(n, 64500),
    };
    TrailPart {
        position,
        since: at(secs),
        spaces: vec![TrailSpace { prefix: p(BLOCK), is_exact: false }],
        routes: peers.iter().map(route).collect(),
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

/// An incident, first seen at `at(1)`, with a trail.
fn server(parts: Vec<TrailPart>, events: &[TrailEvent], faults: TrailFaults) -> Server {
    let mut server = Server::new();
    server.record(vec![hijack(1)]);
    server.record(vec![over(hijack(1))]);
    let events = events.iter().map(|event| (9, event.clone())).collect();
    server.store.append_trails(&[TrailWrite { parts, events, faults, ..write(9) }]).unwrap();
    server
}

/// Type, second, source and whether it is inferred.
fn told(replay: &Value) -> Vec<(String, u32, String, bool)> {
    let events = replay["events"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let told = events.iter().map(|event| {
        let time: Timestamp = text(&event["timestamp"]).parse().unwrap();
        let source = text(&event["attrs"]["source_id"]);
        let secs = u32::try_from(time.secs_since(at(0))).unwrap();
        (text(&event["type"]), secs, source, event["inferred"] == true)
    });
    told.collect()
}

fn event(action: &str, secs: u32, n: u8, inferred: bool) -> (String, u32, String, bool) {
    (action.to_owned(), secs, format!("rrc00-198.51.100.{n}"), inferred)
}

#[tokio::test]
async fn a_replay_of_a_trail_has_every_change_of_every_source() {
    let events = [
        announced(5, 1, 64496),
        // Came in late.
        announced(2, 2, 64496),
        other(8, 3, TrailAction::PeerDown),
        other(9, 1, TrailAction::Withdrawn { prefix: p(BLOCK) }),
        other(20, 3, TrailAction::PeerUp),
        other(21, 3, TrailAction::NotSentAgain { prefix: p(BLOCK) }),
        other(700, 4, TrailAction::PeerDown),
    ];
    let server = server(vec![part(5, 1, &[1, 2, 3])], &events, TrailFaults::default());
    let replay = server.ask(&format!("/incidents/{}/replay", id(1))).await.json();
    let expected = [
        event("A", 2, 2, false),
        event("A", 5, 1, false),
        event("W", 9, 1, false),
        event("W", 21, 3, true),
    ];
    assert_eq!(told(&replay), expected);
    let initial = replay["initial_state"].as_array().unwrap();
    assert_eq!(initial.len(), 3);
    let first = json!({
        "source_id": "rrc00-198.51.100.1", "target_prefix": BLOCK, "path": [64511, 64500],
        "path_text": "64511 64500", "community": ["64512:7"]
    });
    assert_eq!(initial[0], first);
    let absent = |n: u8, from, until: Option<u32>| {
        json!({
            "source_id": format!("rrc00-198.51.100.{n}"), "from": at(from), "until": until.map(at)
        })
    };
    assert_eq!(replay["sessions"], json!([absent(3, 8, Some(20)), absent(4, 700, None)]));
    assert_eq!(replay["sources"].as_array().unwrap().len(), 4);
    assert_eq!(replay["targets"], json!([{ "prefix": BLOCK }]));
    assert_eq!(
        (&replay["query_starttime"], &replay["query_endtime"]),
        (&json!(at(1)), &json!(at(600)))
    );
    let basis = json!({
        "samples": 0, "versions": 2, "events": 7, "complete": true, "reason": null
    });
    assert_eq!(replay["basis"], basis);
}

#[tokio::test]
async fn what_differs_when_space_is_watched_again_is_inferred() {
    let events = [announced(5, 1, 64496), announced(90, 3, 64496)];
    let parts = vec![part(5, 1, &[1, 2]), part(8, 80, &[1, 3])];
    let server = server(parts, &events, TrailFaults::default());
    let replay = server.ask(&format!("/incidents/{}/replay", id(1))).await.json();
    let expected = [
        event("A", 5, 1, false),
        event("W", 80, 2, true),
        event("A", 80, 1, true),
        event("A", 80, 3, true),
        event("A", 90, 3, false),
    ];
    assert_eq!(told(&replay), expected);
    assert_eq!(replay["initial_state"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_trail_that_is_not_complete_says_why() {
    let reason = async |server: &Server, complete: bool| {
        let replay = server.ask(&format!("/incidents/{}/replay", id(1))).await.json();
        let updates = server.ask(&format!("/incidents/{}/updates", id(1))).await.json();
        assert_eq!(replay["basis"]["reason"], updates["reason"]);
        assert_eq!(replay["basis"]["complete"], complete);
        assert_eq!(updates["complete"], complete);
        replay["basis"]["reason"].clone()
    };
    let mut faults = TrailFaults::default();
    faults.add(TrailFault::OpenedLate);
    let late = server(vec![part(5, 1, &[1])], &[], faults);
    assert_eq!(reason(&late, false).await, "opened_late");
    faults.add(TrailFault::TooManyEvents);
    let cut = server(vec![part(5, 1, &[1])], &[], faults);
    assert_eq!(reason(&cut, false).await, "too_many_events");

    let mut whole = server(vec![part(5, 1, &[1])], &[], TrailFaults::default());
    assert_eq!(reason(&whole, true).await, Value::Null);
    let gap = |from: u32, to: u32, filled| Note::Gap {
        feed: "rrc00".to_owned(),
        from: at(from),
        to: Some(at(to)),
        filled,
        detail: None,
    };
    whole.store.note(&[gap(900, 950, false)], at(950)).unwrap();
    assert_eq!(reason(&whole, true).await, Value::Null, "that was later");
    whole.store.note(&[gap(100, 200, false)], at(950)).unwrap();
    assert_eq!(reason(&whole, false).await, "gap");
    whole.store.note(&[gap(100, 200, true)], at(960)).unwrap();
    assert_eq!(reason(&whole, true).await, Value::Null, "it was filled");
}

#[tokio::test]
async fn updates_are_paged_in_the_order_in_which_they_came_in() {
    let events = [
        announced(5, 1, 64496),
        announced(2, 2, 64496),
        other(8, 3, TrailAction::PeerDown),
        other(9, 1, TrailAction::Withdrawn { prefix: p(BLOCK) }),
        other(21, 3, TrailAction::NotSentAgain { prefix: p(BLOCK) }),
        other(22, 3, TrailAction::PeerUp),
    ];
    let server = server(vec![part(5, 1, &[1])], &events, TrailFaults::default());
    let path = format!("/incidents/{}/updates", id(1));
    let all = server.ask(&path).await.json();
    assert_eq!((&all["id"], &all["next"]), (&json!(id(1)), &Value::Null));
    let items = all["items"].as_array().unwrap();
    let of = |name: &str| items.iter().map(|item| item[name].clone()).collect::<Vec<_>>();
    assert_eq!(of("seq"), [1, 2, 3, 4, 5, 6]);
    assert_eq!(of("type"), ["A", "A", "down", "W", "W", "up"]);
    assert_eq!(of("inferred"), [false, false, false, false, true, false]);
    let first = json!({
        "seq": 1, "time": at(5), "collector": "rrc00", "peer_asn": 64511,
        "peer_addr": "198.51.100.1", "type": "A", "inferred": false, "prefix": BLOCK,
        "path_text": "64511 64496", "path": [64511, 64496], "communities": ["64512:7"]
    });
    assert_eq!(items[0], first);
    assert_eq!((&items[2]["prefix"], &items[2]["path"]), (&Value::Null, &json!([])));
    for limit in 1..=7 {
        let (mut paged, mut after) = (Vec::new(), json!(0));
        while after != Value::Null {
            let page = server.ask(&format!("{path}?limit={limit}&after={after}")).await.json();
            paged.extend(page["items"].as_array().unwrap().clone());
            after = page["next"].clone();
        }
        assert_eq!(&paged, items, "{limit}");
    }
}

#[tokio::test]
async fn without_a_trail_there_are_no_updates_and_nobody_says_it_is_complete() {
    let server = Server::filled();
    let updates = server.ask(&format!("/incidents/{}/updates", id(1))).await.json();
    let expected =
        json!({ "id": id(1), "complete": false, "reason": "no_trail", "items": [], "next": null });
    assert_eq!(updates, expected);
    assert_eq!(server.ask("/incidents/RW-0/updates").await.problem().1, "not_found");
}

#[tokio::test]
async fn a_replay_too_long_says_so() {
    let events: Vec<TrailEvent> =
        (1..=9).cycle().take(REPLAY_EVENTS_MAX + 1).map(|asn| announced(5, 1, asn)).collect();
    let server = server(vec![part(5, 1, &[1])], &events, TrailFaults::default());
    let replay = server.ask(&format!("/incidents/{}/replay", id(1))).await.json();
    assert_eq!(replay["events"].as_array().unwrap().len(), REPLAY_EVENTS_MAX);
    assert_eq!(replay["basis"]["reason"], "too_long");
    assert_eq!(replay["basis"]["events"], REPLAY_EVENTS_MAX + 1);
}
