//! Looks at made-up tables.

use routewarden_core::facts::{
    AsNameTable, AspaTable, FactKind, FactSource, Facts, InvalidReason, Link, Organisation,
    OrganisationTable, Relation, RelationTable, RovState, Sourced, TrustAnchorId, Vrp, VrpTable,
};
use routewarden_core::{
    EventBatch, PeerId, PeerTable, RouteAttributes, RouteEvent, RouteEventKind, SegmentKind,
};

use super::*;
use crate::Config;
use crate::path::Basis;

fn p(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn at(secs: u32) -> Timestamp {
    Timestamp::from_secs(1_700_000_000 + secs)
}

fn sourced<T>(kind: FactKind, table: T) -> Sourced<T> {
    let source = FactSource {
        kind,
        name: "test".to_owned(),
        sha256: None,
        date: None,
        entries: 1,
        skipped: std::collections::BTreeMap::new(),
    };
    Sourced { table, source }
}

/// A collector whose peers are AS64496 and up, and what they announced.
#[derive(Default)]
struct Table {
    facts: Facts,
    peers: PeerTable,
    ids: Vec<PeerId>,
    batch: EventBatch,
}

impl Table {
    fn push(&mut self, secs: u32, peer: u32, kind: RouteEventKind) {
        for number in u32::try_from(self.ids.len()).unwrap()..=peer {
            let addr = format!("2001:db8::{number:x}").parse().unwrap();
            let asn = Asn(64_496 + number);
            let peer = Peer { collector: format!("c{}", number % 2), asn, addr };
            self.ids.push(self.peers.intern(&peer));
        }
        self.batch.events.push(RouteEvent { time: at(secs), peer, kind });
    }

    fn announce_path(&mut self, secs: u32, peer: u32, prefix: Prefix, path: &AsPathBuf) {
        let attributes = RouteAttributes::from_path(path.as_path());
        let attributes = self.batch.push_attributes(&attributes).unwrap();
        self.push(secs, peer, RouteEventKind::Announcement { prefix, attributes });
    }

    fn announce(&mut self, secs: u32, peer: u32, prefix: &str, path: &[u32]) {
        let path = AsPathBuf::sequence(path.iter().copied().map(Asn));
        self.announce_path(secs, peer, p(prefix), &path);
    }

    fn detector(&self, shards: u32) -> Detector {
        let config = Config { bogons: false, ..Config::default() };
        let mut detector = Detector::with_shards(config, self.facts.clone(), shards);
        detector.keep_by_as();
        detector.apply(&self.batch, 0..self.batch.events.len(), &self.ids, &self.peers);
        detector
    }

    /// The same, however many shards there are.
    fn look(&self, query: Query) -> Answer {
        let one = look(&self.detector(1), query);
        let many = look(&self.detector(7), query);
        match (&one, many) {
            // Attribute sets are counted in each shard.
            (Answer::Asn(one), Answer::Asn(mut many)) => {
                assert_eq!(one.neighbors.len(), many.neighbors.len());
                many.neighbors.clone_from(&one.neighbors);
                assert_eq!(*one, many);
            }
            (one, many) => assert_eq!(*one, many),
        }
        one
    }

    fn prefixes(&self, prefix: &str, matching: Matching, prefixes_max: usize) -> PrefixLook {
        let query = Query::Prefixes { prefix: p(prefix), matching, prefixes_max };
        let Answer::Prefixes(answer) = self.look(query) else { panic!("not of prefixes") };
        answer
    }

    fn asn(&self, asn: u32) -> AsLook {
        let Answer::Asn(answer) = self.look(Query::Asn(Asn(asn))) else { panic!("not of an AS") };
        answer
    }
}

fn look(detector: &Detector, query: Query) -> Answer {
    let mut walk = Walk::new(query);
    loop {
        if let Some(answer) = walk.step(detector) {
            return answer;
        }
    }
}

fn of_prefixes(look: &PrefixLook) -> Vec<Prefix> {
    look.prefixes.iter().map(|seen| seen.prefix).collect()
}

/// AS64502 stands with two peers, AS64503 with one; VRPs and ASPAs are for the former.
fn contested() -> Table {
    let mut table = Table::default();
    let vrp = Vrp {
        prefix: p("192.0.2.0/24"),
        max_len: 24,
        asn: Asn(64_502),
        ta: TrustAnchorId::default(),
    };
    table.facts.vrps = Some(sourced(FactKind::Vrps, VrpTable::from_vrps(vec![vrp])));
    let aspas = AspaTable::from_records(vec![
        (Asn(64_502), vec![Asn(64_510)]),
        (Asn(64_503), vec![Asn(64_511)]),
    ]);
    table.facts.aspas = Some(sourced(FactKind::Aspas, aspas));
    let names = AsNameTable::from_names(vec![(Asn(64_502), "VICTIM".into())]);
    table.facts.as_names = Some(sourced(FactKind::AsNames, names));
    table.announce(10, 0, "192.0.2.0/24", &[64_496, 64_510, 64_502]);
    table.announce(20, 1, "192.0.2.0/24", &[64_497, 64_510, 64_502]);
    table.announce(30, 2, "192.0.2.0/24", &[64_498, 64_510, 64_503]);
    table.announce(40, 3, "2001:db8::/32", &[64_499, 64_510]);
    table
}

#[test]
fn a_prefix_has_its_origins_and_who_sees_them() {
    let look = contested().prefixes("192.0.2.0/24", Matching::Exact, 10);
    assert_eq!((look.at, look.total_peers, look.truncated), (at(40), [3, 1], false));
    let [seen] = look.prefixes.as_slice() else { panic!("{look:?}") };
    let rov = |state, reason| RovSummary { state: Some(state), reason };
    let expected = [
        SeenOrigin {
            asn: Asn(64_502),
            name: Some("VICTIM".to_owned()),
            peers: 2,
            since: at(10),
            rov: rov(RovState::Valid, None),
            aspa: Some(AspaState::Valid),
        },
        SeenOrigin {
            asn: Asn(64_503),
            name: None,
            peers: 1,
            since: at(30),
            rov: rov(RovState::Invalid, Some(InvalidReason::Asn)),
            aspa: Some(AspaState::Unknown),
        },
    ];
    assert_eq!((seen.peers, seen.origins.as_slice()), (3, expected.as_slice()));
    let routes: Vec<(&str, u32, Timestamp, String)> = seen
        .routes
        .iter()
        .map(|route| {
            let Peer { collector, asn, .. } = &route.peer;
            (collector.as_str(), asn.0, route.since, route.path.to_string())
        })
        .collect();
    let route = |collector, asn: u32, secs, path: &str| (collector, asn, at(secs), path.to_owned());
    assert_eq!(
        routes,
        [
            route("c0", 64_496, 10, "64496 64510 64502"),
            route("c0", 64_498, 30, "64498 64510 64503"),
            route("c1", 64_497, 20, "64497 64510 64502"),
        ]
    );
    let none = contested().prefixes("192.0.2.0/25", Matching::Exact, 10);
    assert!(none.prefixes.is_empty() && !none.truncated);
}

#[test]
fn what_a_lost_or_withdrawing_peer_had_is_not_shown() {
    let mut table = contested();
    table.push(50, 2, RouteEventKind::PeerDown);
    table.push(60, 1, RouteEventKind::Withdrawal { prefix: p("192.0.2.0/24") });
    table.push(60, 3, RouteEventKind::PeerDown);
    let look = table.prefixes("0.0.0.0/0", Matching::Covered, 10);
    assert_eq!((look.total_peers, look.prefixes.len()), ([1, 0], 1));
    assert_eq!((look.prefixes[0].peers, look.prefixes[0].origins[0].asn), (1, Asn(64_502)));
    assert!(table.prefixes("::/0", Matching::Covered, 10).prefixes.is_empty());
    assert_eq!(table.asn(64_503).prefix_count, [0, 0]);
    assert_eq!(table.asn(64_510).prefix_count, [0, 0]);
    assert_eq!(table.asn(64_502).prefix_count, [1, 0]);
}

#[test]
fn without_facts_nothing_is_said_of_them() {
    let table = Table { facts: Facts::default(), ..contested() };
    let look = table.prefixes("192.0.2.0/24", Matching::Exact, 1);
    let origin = &look.prefixes[0].origins[0];
    assert_eq!(origin.rov, RovSummary { state: None, reason: None });
    assert_eq!((origin.aspa, &origin.name), (None, &None));
}

#[test]
fn the_most_common_path_is_judged_without_route_servers() {
    let mut table = contested();
    let aspas = AspaTable::from_records(vec![
        (Asn(64_502), vec![Asn(64_496), Asn(64_497)]),
        (Asn(64_496), vec![Asn(0)]),
    ]);
    table.facts.aspas = Some(sourced(FactKind::Aspas, aspas));
    table.facts.route_servers = vec![Asn(64_510)];
    let state = |table: &Table| {
        table.prefixes("192.0.2.0/24", Matching::Exact, 1).prefixes[0].origins[0].aspa
    };
    assert_eq!(state(&table), Some(AspaState::Valid));
    table.facts.route_servers.clear();
    assert_eq!(state(&table), Some(AspaState::Invalid));
    // Two peers with one path outvote each of the others.
    for peer in [4, 5] {
        table.announce(50, peer, "192.0.2.0/24", &[64_497, 64_502]);
    }
    assert_eq!(state(&table), Some(AspaState::Valid));
}

#[test]
fn a_path_that_ends_in_a_set_is_of_the_as_before_it() {
    let mut table = contested();
    let mut path = AsPathBuf::sequence([Asn(64_500), Asn(64_502)]);
    path.push_segment(SegmentKind::Set, [Asn(64_504), Asn(64_505)]);
    table.announce_path(50, 4, p("192.0.2.0/24"), &path);
    table.announce_path(50, 5, p("198.51.100.0/24"), &path);
    table.announce(50, 6, "203.0.113.0/24", &[]);
    let look = table.prefixes("192.0.2.0/24", Matching::Exact, 1);
    assert_eq!(
        (look.prefixes[0].origins[0].asn, look.prefixes[0].origins[0].peers),
        (Asn(64_502), 3)
    );
    let look = table.asn(64_502);
    assert_eq!(look.prefix_count, [2, 0]);
    // RFC 6811: the origin of a set is none.
    assert_eq!(look.prefixes[1].rov.state, Some(RovState::NotFound));
    let without_origin = table.prefixes("203.0.113.0/24", Matching::Exact, 1);
    assert_eq!(
        (without_origin.prefixes[0].peers, without_origin.prefixes[0].origins.len()),
        (1, 0)
    );
}

#[test]
fn prefixes_that_cover_and_are_covered_in_order_up_to_a_limit() {
    let mut table = Table::default();
    let all =
        ["0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16", "10.0.0.0/24", "10.0.1.0/24", "11.0.0.0/8"];
    for prefix in all {
        table.announce(1, 0, prefix, &[64_496, 64_510]);
    }
    let found = |prefix, matching, max| {
        let look = table.prefixes(prefix, matching, max);
        let texts: Vec<String> = of_prefixes(&look).iter().map(ToString::to_string).collect();
        (texts.join(" "), look.truncated)
    };
    let (covering, covered) = (Matching::Covering, Matching::Covered);
    let answer = |text: &str, is_cut| (text.to_owned(), is_cut);
    assert_eq!(
        found("10.0.0.0/25", covering, 9),
        answer("10.0.0.0/24 10.0.0.0/16 10.0.0.0/8 0.0.0.0/0", false)
    );
    assert_eq!(found("10.0.0.0/16", covering, 2), answer("10.0.0.0/16 10.0.0.0/8", true));
    assert_eq!(
        found("10.0.0.0/8", covered, 4),
        answer("10.0.0.0/8 10.0.0.0/16 10.0.0.0/24 10.0.1.0/24", false)
    );
    assert_eq!(found("0.0.0.0/0", covered, 6), answer(&all.join(" "), false));
    assert_eq!(found("0.0.0.0/0", covered, 5), answer(&all[..5].join(" "), true));
    assert_eq!(
        found("10.0.0.0/15", covered, 9),
        answer("10.0.0.0/16 10.0.0.0/24 10.0.1.0/24", false)
    );
    assert_eq!(found("::/0", covered, 9), answer("", false));
}

#[test]
fn an_as_has_its_prefixes_and_its_neighbours_with_what_they_are_to_it() {
    let mut table = contested();
    let links = vec![
        Link::given(Asn(64_510), Asn(64_502), Relation::Customer),
        Link::given(Asn(64_510), Asn(64_496), Relation::Peer),
    ];
    table.facts.relations = Some(sourced(FactKind::Relations, RelationTable::from_links(links)));
    let organisation =
        Organisation { id: "o".into(), country: "nl".into(), ..Organisation::default() };
    let organisations =
        OrganisationTable::from_records(vec![organisation], vec![(Asn(64_510), "o".into())]);
    table.facts.organisations = Some(sourced(FactKind::Organisations, organisations));
    table.announce(45, 0, "192.0.2.128/25", &[64_496, 64_502]);
    let mut detector = table.detector(1);
    detector.begin_updates();
    let Answer::Asn(look) = look(&detector, Query::Asn(Asn(64_510))) else { panic!() };
    assert_eq!((look.asn, look.country.as_deref(), look.name), (Asn(64_510), Some("NL"), None));
    assert_eq!((look.at, look.prefix_count, look.truncated), (at(45), [0, 1], false));
    let expected = OriginatedPrefix {
        prefix: p("2001:db8::/32"),
        peers: 1,
        since: at(40),
        rov: RovSummary { state: Some(RovState::NotFound), reason: None },
    };
    assert_eq!(look.prefixes, [expected]);
    let neighbors: Vec<_> = look
        .neighbors
        .iter()
        .map(|neighbor| {
            let known = neighbor.relation.map(|known| (known.relation, known.basis));
            (neighbor.asn.0, neighbor.paths, known)
        })
        .collect();
    assert_eq!(
        neighbors,
        [
            (64_502, 2, Some((Relation::Customer, Basis::Aspa))),
            (64_496, 1, Some((Relation::Peer, Basis::Given))),
            (64_497, 1, None),
            (64_498, 1, None),
            (64_499, 1, None),
            (64_503, 1, None),
        ]
    );
    assert_eq!(look.neighbors[0].name.as_deref(), Some("VICTIM"));
    let look = table.asn(64_502);
    assert_eq!(look.prefix_count, [2, 0]);
    assert_eq!(look.prefixes[1].rov.reason, Some(InvalidReason::MaxLength));
    assert_eq!(table.asn(4_294_967_295).prefix_count, [0, 0]);
}

#[test]
fn an_answer_has_no_more_routes_origins_prefixes_or_neighbours_than_its_limits() {
    let mut table = Table::default();
    let peers = u32::try_from(LOOK_ROUTES_MAX / LOOK_PREFIXES_MAX).unwrap() + 1;
    let prefixes = u32::try_from(LOOK_PREFIXES_MAX).unwrap() + 1;
    for number in 0..prefixes {
        let prefix = format!("10.{}.{}.0/24", number / 256, number % 256);
        (0..peers).for_each(|peer| table.announce(1, peer, &prefix, &[64_496 + peer, 1]));
    }
    let look = table.prefixes("10.0.0.0/8", Matching::Covered, usize::MAX);
    let routes: usize = look.prefixes.iter().map(|seen| seen.routes.len()).sum();
    assert_eq!(
        (look.prefixes.len(), routes, look.truncated),
        (LOOK_PREFIXES_MAX, LOOK_ROUTES_MAX, true)
    );
    let all_counted = look.prefixes.iter().all(|seen| seen.peers == peers as usize);
    assert!(all_counted, "peers and origins are complete without routes");
    let look = table.asn(1);
    assert_eq!(
        (look.prefix_count, look.prefixes.len()),
        ([LOOK_PREFIXES_MAX + 1, 0], LOOK_PREFIXES_MAX)
    );
    assert!(look.truncated);

    let mut table = Table::default();
    for number in 0..=u32::try_from(LOOK_NEIGHBORS_MAX).unwrap() {
        table.announce(1, number, "192.0.2.0/24", &[1, 100_000 + number]);
    }
    let look = table.prefixes("192.0.2.0/24", Matching::Exact, 1);
    assert_eq!((look.prefixes[0].origins.len(), look.truncated), (LOOK_ORIGINS_MAX, true));
    let look = table.asn(1);
    assert_eq!((look.neighbors.len(), look.truncated), (LOOK_NEIGHBORS_MAX, true));
    assert_eq!(look.neighbors[0].asn, Asn(100_000));
}

#[test]
fn only_so_many_neighbours_are_looked_at() {
    let mut table = Table::default();
    for number in 0..=u32::try_from(LOOK_NEIGHBORS_SEEN_MAX).unwrap() {
        let path = AsPathBuf::sequence([Asn(1), Asn(100_000 + number)]);
        table.announce_path(1, 0, Prefix::v4(number << 8, 24).unwrap(), &path);
    }
    let Answer::Asn(look) = look(&table.detector(1), Query::Asn(Asn(1))) else { panic!() };
    assert_eq!((look.neighbors.len(), look.truncated), (LOOK_NEIGHBORS_MAX, true));
}

#[test]
fn a_long_look_is_taken_in_steps_and_sees_what_comes_meanwhile() {
    let mut table = Table::default();
    let routes_per_prefix = 50;
    let prefixes = u32::try_from(2 * LOOK_STEP_ROUTES / routes_per_prefix).unwrap();
    for number in 0..prefixes {
        let prefix = format!("10.{}.{}.0/24", number / 256, number % 256);
        for peer in 0..u32::try_from(routes_per_prefix).unwrap() {
            table.announce(1, peer, &prefix, &[64_496 + peer, 1]);
        }
    }
    let mut detector = table.detector(1);
    let mut walk = Walk::new(Query::Asn(Asn(1)));
    assert_eq!(walk.step(&detector), None);
    let before = table.batch.events.len();
    table.announce(2, 0, "10.0.0.0/25", &[64_496, 1]);
    table.announce(2, 0, "192.0.2.0/24", &[64_496, 1]);
    detector.apply(&table.batch, before..before + 2, &table.ids, &table.peers);
    let answer = std::iter::repeat_with(|| walk.step(&detector)).flatten().next();
    let Some(Answer::Asn(look)) = answer else { panic!() };
    assert_eq!(look.prefix_count, [prefixes as usize + 1, 0], "behind the last one, not before it");
}

#[test]
fn a_survey_has_what_enough_peers_have_and_all_who_announce_invalid_routes() {
    let table = contested();
    let Answer::Origins(look) = table.look(Query::Origins { least_peers: 2 }) else { panic!() };
    assert_eq!((look.at, look.peer_ases, look.truncated), (at(40), [3, 1], false));
    // Of IPv6 one peer is heard: it suffices.
    assert_eq!(look.routes, [(p("192.0.2.0/24"), Asn(64_502)), (p("2001:db8::/32"), Asn(64_510))]);
    assert_eq!(look.invalid_origins, [Asn(64_503)].into(), "one peer only has it");
}

/// A path, and its OTC.
type PathAndOtc = (Vec<u32>, Option<Asn>);

/// Prefixes of a part, with their routes.
fn part(table: &Table, after: Option<Prefix>) -> Vec<(Prefix, Vec<PathAndOtc>)> {
    let Answer::Routes(look) = table.look(Query::Routes { after }) else { panic!() };
    assert_eq!(look.next, None);
    let mut all = Vec::new();
    look.for_each(|prefix, routes| {
        let plain = |path: &[Asn]| path.iter().map(|asn| asn.0).collect();
        let mut routes: Vec<_> = routes.iter().map(|&(path, otc)| (plain(path), otc)).collect();
        routes.sort();
        all.push((prefix, routes));
    });
    all
}

#[test]
fn all_routes_come_with_their_paths_and_otc() {
    let mut table = contested();
    let set = |path: &mut AsPathBuf| path.push_segment(SegmentKind::Set, [Asn(64_505)]);
    let mut path = AsPathBuf::sequence([64_497, 64_510].map(Asn));
    set(&mut path);
    table.announce_path(50, 1, p("198.51.100.0/24"), &path);
    let path = AsPathBuf::sequence([64_498, 64_498, 64_510].map(Asn));
    let attributes =
        RouteAttributes { otc: Some(Asn(64_510)), ..RouteAttributes::from_path(path.as_path()) };
    let attributes = table.batch.push_attributes(&attributes).unwrap();
    let prefix = p("198.51.100.0/24");
    table.push(60, 2, RouteEventKind::Announcement { prefix, attributes });

    let of_first = [[64_496, 64_510, 64_502], [64_497, 64_510, 64_502], [64_498, 64_510, 64_503]];
    let first = (p("192.0.2.0/24"), of_first.map(|path| (path.to_vec(), None)).to_vec());
    // The path with a set is left out.
    let second = (prefix, vec![(vec![64_498, 64_510], Some(Asn(64_510)))]);
    let third = (p("2001:db8::/32"), vec![(vec![64_499, 64_510], None)]);
    assert_eq!(part(&table, None), [first, second.clone(), third.clone()]);
    assert_eq!(part(&table, Some(p("192.0.2.0/24"))), [second, third.clone()]);
    let last = third.0;
    assert_eq!(part(&table, Some(prefix)), [third], "on to the next family");
    assert_eq!(part(&table, Some(last)), []);
}
