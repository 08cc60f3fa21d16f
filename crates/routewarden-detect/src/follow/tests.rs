use std::collections::BTreeMap;

use proptest::prelude::*;
use routewarden_core::{
    AsPathBuf, Asn, EventBatch, Peer, PeerTable, RouteAttributes, RouteEvent, RouteEventKind,
};

use super::*;
use crate::Config;

const LIMITS: LookBackLimits =
    LookBackLimits { prefixes_max: 100, routes_max: 100, changes_max: 1_000 };
const PEERS: u32 = 4;

fn p(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn at(secs: u32) -> Timestamp {
    Timestamp::from_secs(1_700_000_000 + secs)
}

fn below(prefix: &str) -> Space {
    Space { prefix: p(prefix), is_exact: false }
}

/// Canonical octets of a path.
fn octets(tail: u32) -> Box<[u8]> {
    let path = AsPathBuf::sequence([64_510, tail].map(Asn));
    let mut octets = Vec::new();
    assert!(RouteAttributes::from_path(path.as_path()).encode(&mut octets));
    octets.into()
}

/// A detector that is told one event after the other.
struct Lab {
    detector: Detector,
    peers: PeerTable,
    ids: Vec<PeerId>,
}

/// Seconds, peers and actions of changes.
fn told(changes: &[WatchedChange]) -> Vec<(i64, u32, String)> {
    let action = |action: &WatchedAction| match action {
        WatchedAction::Announced { prefix, attributes } => {
            let tail = RouteAttributes::decode(attributes).unwrap().as_path.origin().unwrap();
            format!("A {prefix} {}", tail.0)
        }
        WatchedAction::Withdrawn { prefix } => format!("W {prefix}"),
        WatchedAction::NotSentAgain { prefix } => format!("N {prefix}"),
        WatchedAction::PeerDown => "down".to_owned(),
        WatchedAction::PeerUp => "up".to_owned(),
    };
    let told = changes
        .iter()
        .map(|change| (change.time.secs_since(at(0)), change.peer.0, action(&change.action)));
    told.collect()
}

impl Lab {
    fn new(shards: u32) -> Self {
        let config = Config { bogons: false, ..Config::default() };
        let mut detector =
            Detector::with_shards(config, routewarden_core::facts::Facts::default(), shards);
        detector.follow();
        let mut peers = PeerTable::default();
        let peer = |n: u32| Peer {
            collector: "lab".to_owned(),
            asn: Asn(64_496 + n),
            addr: format!("192.0.2.{n}").parse().unwrap(),
        };
        let ids = (0..PEERS).map(|n| peers.intern(&peer(n))).collect();
        Lab { detector, peers, ids }
    }

    fn tell(&mut self, secs: u32, peer: u32, kind: impl Fn(&mut EventBatch) -> RouteEventKind) {
        let mut batch = EventBatch::default();
        let kind = kind(&mut batch);
        batch.events.push(RouteEvent { time: at(secs), peer, kind });
        self.detector.apply(&batch, 0..1, &self.ids, &self.peers);
    }

    fn announce(&mut self, secs: u32, peer: u32, prefix: &str, tail: u32) {
        self.tell(secs, peer, |batch| {
            let path = AsPathBuf::sequence([64_510, tail].map(Asn));
            let attributes = RouteAttributes::from_path(path.as_path());
            let attributes = batch.push_attributes(&attributes).unwrap();
            RouteEventKind::Announcement { prefix: p(prefix), attributes }
        });
    }

    fn withdraw(&mut self, secs: u32, peer: u32, prefix: &str) {
        self.tell(secs, peer, |_| RouteEventKind::Withdrawal { prefix: p(prefix) });
    }

    fn taken(&mut self) -> Vec<(i64, u32, String)> {
        let taken = self.detector.take_watched();
        let changes: Vec<_> = taken.into_iter().map(|(_, change)| change).collect();
        told(&changes)
    }
}

#[test]
fn the_past_of_a_hijack_and_what_follows_it() {
    let mut lab = Lab::new(1);
    for peer in 0..3 {
        lab.announce(1, peer, "203.0.113.0/24", 7);
    }
    lab.announce(2, 0, "198.51.100.0/24", 7);
    lab.announce(10, 0, "203.0.113.128/25", 666);
    lab.announce(11, 1, "203.0.113.128/25", 666);
    lab.announce(12, 1, "203.0.113.0/24", 8);
    lab.withdraw(13, 0, "203.0.113.128/25");
    let spaces = [below("203.0.113.0/24")];
    let past = lab.detector.look_back(&spaces, at(10), LIMITS);
    assert_eq!((past.since, past.lacks_changes), (at(10), false));
    let routes = past.routes.iter().map(|route| (route.prefix, route.peer.0, &route.attributes));
    let seven = octets(7);
    let expected = (0..3).map(|peer| (p("203.0.113.0/24"), peer, &seven));
    assert_eq!(routes.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    let told = [
        (10, 0, "A 203.0.113.128/25 666"),
        (11, 1, "A 203.0.113.128/25 666"),
        (12, 1, "A 203.0.113.0/24 8"),
        (13, 0, "W 203.0.113.128/25"),
    ];
    let told: Vec<_> = told.map(|(secs, peer, what)| (secs, peer, what.to_owned())).to_vec();
    assert_eq!(self::told(&past.changes), told);

    lab.detector.watch(5, &spaces);
    lab.announce(20, 2, "203.0.113.128/25", 666);
    lab.announce(20, 2, "203.0.113.128/25", 666);
    lab.announce(21, 2, "198.51.100.0/24", 9);
    lab.withdraw(22, 3, "203.0.113.128/25");
    let taken = lab.detector.take_watched();
    let [(watches, change)] = taken.as_slice() else { panic!("{taken:?}") };
    assert_eq!((watches.as_slice(), change.time), ([5].as_slice(), at(20)));
    lab.detector.unwatch(5);
    lab.announce(30, 2, "203.0.113.128/25", 7);
    assert!(lab.detector.take_watched().is_empty());
}

#[test]
fn an_exact_space_is_the_prefix_alone() {
    let mut lab = Lab::new(1);
    let exact = Space { prefix: p("203.0.113.0/24"), is_exact: true };
    lab.detector.watch(1, &[exact]);
    lab.announce(1, 0, "203.0.113.0/24", 7);
    lab.announce(2, 0, "203.0.113.0/25", 7);
    assert_eq!(lab.taken(), [(1, 0, "A 203.0.113.0/24 7".to_owned())]);
    let past = lab.detector.look_back(&[exact], at(3), LIMITS);
    assert_eq!(past.routes.len(), 1);
    assert_eq!(lab.detector.prefixes_in(&p("203.0.113.0/24"), 10), 2);
    assert_eq!(lab.detector.prefixes_in(&p("203.0.113.0/24"), 1), 1);
}

#[test]
fn a_lost_session_is_neither_a_withdrawal_nor_forgotten() {
    let mut lab = Lab::new(1);
    let spaces = [below("203.0.113.0/24")];
    for prefix in ["203.0.113.0/24", "203.0.113.0/25", "203.0.113.128/25"] {
        lab.announce(1, 0, prefix, 7);
    }
    lab.detector.watch(1, &spaces);
    lab.tell(10, 0, |_| RouteEventKind::PeerDown);
    lab.tell(11, 0, |_| RouteEventKind::PeerDown);
    // As it was, another one, and one that does not come back.
    lab.tell(20, 0, |_| RouteEventKind::PeerUp);
    lab.announce(20, 0, "203.0.113.0/24", 7);
    lab.announce(20, 0, "203.0.113.0/25", 8);
    lab.tell(21, 0, |_| RouteEventKind::EndOfRib { family: AddressFamily::Ipv6 });
    lab.tell(22, 0, |_| RouteEventKind::EndOfRib { family: AddressFamily::Ipv4 });
    let told = [
        (10, 0, "down"),
        (20, 0, "up"),
        (20, 0, "A 203.0.113.0/25 8"),
        (22, 0, "N 203.0.113.128/25"),
    ];
    let told: Vec<_> = told.map(|(secs, peer, what)| (secs, peer, what.to_owned())).to_vec();
    assert_eq!(lab.taken(), told);
    let past = lab.detector.look_back(&spaces, at(5), LIMITS);
    assert_eq!(past.routes.len(), 3, "all that was there before the loss");
    assert_eq!(self::told(&past.changes), told[..3]);
    let past = lab.detector.look_back(&spaces, at(15), LIMITS);
    let prefixes: Vec<_> = past.routes.iter().map(|route| route.prefix).collect();
    assert_eq!(prefixes, [p("203.0.113.0/24")], "what was lost before is unknown");
}

#[test]
fn what_is_too_much_is_cut_and_told() {
    let mut lab = Lab::new(1);
    for secs in 1..20 {
        lab.announce(secs, secs % PEERS, "203.0.113.0/24", secs);
        lab.announce(secs, secs % PEERS, "203.0.113.0/25", secs);
    }
    let spaces = [below("203.0.113.0/24")];
    let cut = |limits| {
        let past = lab.detector.look_back(&spaces, at(10), limits);
        let lacks = [past.lacks_prefixes, past.lacks_routes, past.lacks_changes];
        (lacks, past.routes.len(), past.changes.len())
    };
    let (none, prefixes) = ([false; 3], [true, false, false]);
    let (routes, changes) = ([false, true, false], [false, false, true]);
    assert_eq!(cut(LIMITS), (none, 8, 20));
    assert_eq!(cut(LookBackLimits { prefixes_max: 1, ..LIMITS }), (prefixes, 4, 10));
    assert_eq!(cut(LookBackLimits { routes_max: 3, ..LIMITS }), (routes, 3, 20));
    assert_eq!(cut(LookBackLimits { changes_max: 7, ..LIMITS }), (changes, 8, 7));
}

#[test]
fn what_was_before_one_followed_is_not_known() {
    let mut lab = Lab::new(1);
    lab.announce(10, 0, "203.0.113.0/24", 7);
    lab.detector.follow();
    lab.announce(20, 0, "203.0.113.0/24", 8);
    let past = lab.detector.look_back(&[below("203.0.113.0/24")], at(5), LIMITS);
    assert_eq!(past.since, at(10));
    assert_eq!(past.routes.first().map(|route| &route.attributes), Some(&octets(7)));
}

const PREFIXES: [&str; 6] = [
    "203.0.113.0/24",
    "203.0.113.0/25",
    "203.0.113.128/25",
    "203.0.112.0/23",
    "198.51.100.0/24",
    "2001:db8::/32",
];

type State = BTreeMap<(Prefix, PeerId), Box<[u8]>>;

fn apply(state: &mut State, changes: &[WatchedChange]) {
    for change in changes {
        match &change.action {
            WatchedAction::Announced { prefix, attributes } => {
                state.insert((*prefix, change.peer), attributes.clone());
            }
            WatchedAction::Withdrawn { prefix } => {
                assert!(state.remove(&(*prefix, change.peer)).is_some());
            }
            other => panic!("{other:?}"),
        }
    }
}

proptest! {
    /// The routes of before with what happened since are the routes of now, wherever one looks from;
    /// and what is looked back at is what would have been watched.
    #[test]
    fn the_past_and_its_changes_make_the_present(
        events in prop::collection::vec((0..PEERS, 0usize..6, 0u32..4), 1..120),
        from in 0u32..120,
        shards in 1u32..4,
    ) {
        let mut lab = Lab::new(shards);
        let spaces = [below("203.0.112.0/23"), below("2001:db8::/32")];
        let is_watched =
            |prefix: &Prefix| spaces.iter().any(|space| space.prefix.covers(prefix));
        let (mut now, mut then) = (State::new(), None);
        for (secs, &(peer, prefix, tail)) in (0..).zip(&events) {
            if secs == from {
                then = Some(now.clone());
                lab.detector.watch(1, &spaces);
            }
            let (key, prefix) = ((p(PREFIXES[prefix]), PeerId(peer)), PREFIXES[prefix]);
            if tail == 0 {
                lab.withdraw(secs, peer, prefix);
                now.remove(&key);
            } else {
                lab.announce(secs, peer, prefix, tail);
                if is_watched(&key.0) {
                    now.insert(key, octets(tail));
                }
            }
        }
        let past = lab.detector.look_back(&spaces, at(from), LIMITS);
        prop_assert!(!past.lacks_prefixes && !past.lacks_routes && !past.lacks_changes);
        let mut state: State = past
            .routes
            .iter()
            .map(|route| ((route.prefix, route.peer), route.attributes.clone()))
            .collect();
        prop_assert_eq!(&state, then.as_ref().unwrap_or(&now));
        apply(&mut state, &past.changes);
        prop_assert_eq!(state, now);
        let watched = lab.detector.take_watched();
        let watched: Vec<_> = watched.into_iter().map(|(_, change)| change).collect();
        prop_assert_eq!(past.changes, watched);
    }
}
