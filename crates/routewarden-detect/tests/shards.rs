//! The number of shards changes nothing in what is found.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test's helpers fail the test")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use routewarden_core::facts::{
    AspaTable, Constituency, Criticality, FactKind, FactSource, Facts, Link, Member, MemberPrefix,
    Organisation, OrganisationTable, OriginTable, Relation, RelationTable, Sourced, TrustAnchors,
    Vrp, VrpTable,
};
use routewarden_core::{
    AddressFamily, AsPathBuf, Asn, EventBatch, Peer, PeerId, PeerTable, Prefix, RouteAttributes,
    RouteEvent, RouteEventKind, SegmentKind, Timestamp,
};
use routewarden_detect::{Config, Detector, FactsChange, IncidentKind, Report};

const PEERS: u32 = 6;

/// Blocks of several shards, with more-specifics; and prefixes that every shard knows.
const PREFIXES: [&str; 18] = [
    "0.0.0.0/0",
    "202.0.0.0/7",
    "::/0",
    "2000::/3",
    "192.0.2.0/24",
    "192.0.2.0/25",
    "192.0.2.128/25",
    "198.51.0.0/16",
    "198.51.100.0/24",
    "198.51.100.64/26",
    "203.0.112.0/22",
    "203.0.113.0/24",
    "203.0.113.0/25",
    "203.0.113.128/26",
    "2001:db8::/32",
    "2001:db8:1::/48",
    "3fff::/20",
    "3fff:1::/32",
];

#[derive(Clone, Debug)]
enum Op {
    Announce {
        prefix: usize,
        tail: Vec<u32>,
        more: More,
    },
    Withdraw {
        prefix: usize,
    },
    /// All peers withdraw it.
    Lose {
        prefix: usize,
    },
    /// All peers withdraw everything.
    LoseAll,
    /// One origin begins to originate so many more-specifics of a /16.
    Burst {
        origin: u32,
        count: u32,
    },
    Up,
    Down,
    EndOfRib,
    /// New VRPs and ASPAs, one of a few sets each.
    Change {
        vrps: usize,
        aspas: Option<usize>,
    },
}

/// What an announcement has beside its path.
#[derive(Clone, Debug)]
struct More {
    in_table: bool,
    otc: Option<u32>,
    is_blackhole: bool,
    has_set: bool,
    repeats: usize,
}

fn more() -> impl Strategy<Value = More> {
    let weighted = prop::bool::weighted;
    let otc = prop::option::weighted(0.1, asn());
    let repeats = prop_oneof![9 => Just(1_usize), 1 => Just(2), 1 => Just(12)];
    (weighted(0.1), otc, weighted(0.1), weighted(0.05), repeats).prop_map(
        |(in_table, otc, is_blackhole, has_set, repeats)| More {
            in_table,
            otc,
            is_blackhole,
            has_set,
            repeats,
        },
    )
}

/// One of them is reserved.
fn asn() -> impl Strategy<Value = u32> + Clone {
    (3010_u32..3020).prop_map(|asn| if asn == 3019 { 64510 } else { asn })
}

fn op() -> impl Strategy<Value = Op> {
    let prefix = 0..PREFIXES.len();
    let tail = prop::collection::vec(asn(), 1..5);
    prop_oneof![
        24 => (prefix.clone(), tail, more())
            .prop_map(|(prefix, tail, more)| Op::Announce { prefix, tail, more }),
        6 => prefix.clone().prop_map(|prefix| Op::Withdraw { prefix }),
        2 => prefix.prop_map(|prefix| Op::Lose { prefix }),
        1 => Just(Op::LoseAll),
        1 => (asn(), 90_u32..120).prop_map(|(origin, count)| Op::Burst { origin, count }),
        2 => Just(Op::Up),
        2 => Just(Op::Down),
        2 => Just(Op::EndOfRib),
        2 => (0_usize..4, prop::option::of(0_usize..3))
            .prop_map(|(vrps, aspas)| Op::Change { vrps, aspas }),
    ]
}

/// (peer, seconds since the event before, what)
type Step = (u32, i64, Op);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let secs = prop_oneof![8 => 0_i64..20, 1 => 100_i64..2_000, 1 => -500_i64..0];
    prop::collection::vec((0..PEERS, secs, op()), 1..200)
}

/// Routes of the table: (prefix, peers that have it, path behind the peer, OTC).
type Entry = (usize, u8, Vec<u32>, Option<u32>);

fn table() -> impl Strategy<Value = Vec<Entry>> {
    let tail = prop::collection::vec(asn(), 1..4);
    let otc = prop::option::weighted(0.1, asn());
    prop::collection::vec((0..PREFIXES.len(), any::<u8>(), tail, otc), 0..40)
}

fn p(text: &str) -> Prefix {
    text.parse().unwrap()
}

/// The batch of a world, and after which events its facts change to what.
#[derive(Default)]
struct Recording {
    batch: EventBatch,
    /// Number of events that are the table.
    table: usize,
    changes: Vec<(usize, Timestamp, FactsChange)>,
}

const START: u32 = 1_700_000_000;

impl Recording {
    fn new(table: &[Entry], steps: &[Step]) -> Self {
        let mut new = Recording::default();
        let mut time = Timestamp::from_secs(START);
        for (prefix, holders, tail, otc) in table {
            for peer in (0..PEERS).filter(|peer| holders & (1 << peer) != 0) {
                let more = More { in_table: true, otc: *otc, ..NOTHING_MORE };
                let path = path_of(peer, tail, &more);
                let kind = new.route(time, p(PREFIXES[*prefix]), &path, &more);
                new.push(time, peer, kind);
            }
        }
        new.table = new.batch.events.len();
        for (peer, secs, op) in steps {
            time = time.plus_secs(*secs);
            new.step(time, *peer, op);
        }
        new
    }

    fn push(&mut self, time: Timestamp, peer: u32, kind: RouteEventKind) {
        self.batch.events.push(RouteEvent { time, peer, kind });
    }

    /// An announcement, or an entry of a table.
    fn route(
        &mut self,
        time: Timestamp,
        prefix: Prefix,
        path: &AsPathBuf,
        more: &More,
    ) -> RouteEventKind {
        let communities: &[u8] = if more.is_blackhole { &[0xff, 0xff, 0x02, 0x9a] } else { &[] };
        let attributes = RouteAttributes {
            otc: more.otc.map(Asn),
            communities,
            ..RouteAttributes::from_path(path.as_path())
        };
        let attributes = self.batch.push_attributes(&attributes).unwrap();
        if more.in_table {
            RouteEventKind::TableEntry { prefix, attributes, originated: time }
        } else {
            RouteEventKind::Announcement { prefix, attributes }
        }
    }

    fn lose(&mut self, time: Timestamp, prefix: &str) {
        for peer in 0..PEERS {
            self.push(time, peer, RouteEventKind::Withdrawal { prefix: p(prefix) });
        }
    }

    fn step(&mut self, time: Timestamp, peer: u32, op: &Op) {
        let kind = match op {
            Op::Announce { prefix, tail, more } => {
                let path = path_of(peer, tail, more);
                self.route(time, p(PREFIXES[*prefix]), &path, more)
            }
            Op::Withdraw { prefix } => RouteEventKind::Withdrawal { prefix: p(PREFIXES[*prefix]) },
            Op::Lose { prefix } => return self.lose(time, PREFIXES[*prefix]),
            Op::LoseAll => return PREFIXES.iter().for_each(|prefix| self.lose(time, prefix)),
            Op::Burst { origin, count } => {
                let path = path_of(peer, &[3010, *origin], &NOTHING_MORE);
                for number in 0..*count {
                    let prefix = Prefix::v4(0xc633_0000 | number << 8, 24).unwrap();
                    let kind = self.route(time, prefix, &path, &NOTHING_MORE);
                    self.push(time, peer, kind);
                }
                return;
            }
            Op::Up => RouteEventKind::PeerUp,
            Op::Down => RouteEventKind::PeerDown,
            Op::EndOfRib => RouteEventKind::EndOfRib { family: AddressFamily::Ipv4 },
            Op::Change { vrps, aspas } => {
                let vrps = Some(sourced(FactKind::Vrps, some_vrps(*vrps)));
                let aspas = aspas.map(|aspas| sourced(FactKind::Aspas, some_aspas(aspas)));
                self.changes.push((
                    self.batch.events.len(),
                    time,
                    FactsChange { vrps, aspas, ..FactsChange::default() },
                ));
                return;
            }
        };
        self.push(time, peer, kind);
    }

    /// Runs of at most `run` events, none across a change of facts or the end of the table.
    fn report(
        &self,
        config: Config,
        facts: &Facts,
        has_table: bool,
        shards: u32,
        run: usize,
    ) -> Report {
        let mut peers = PeerTable::default();
        let peer = |n: u32| Peer {
            collector: "lab".to_owned(),
            asn: Asn(3006 + n % 5),
            addr: format!("2001:db8::{n}").parse().unwrap(),
        };
        let ids: Vec<PeerId> = (0..PEERS).map(|n| peers.intern(&peer(n))).collect();
        let mut detector = Detector::with_shards(config, facts.clone(), shards);
        let mut start = 0;
        let mut feed = |detector: &mut Detector, end: usize| {
            while start < end {
                let next = end.min(start.saturating_add(run));
                detector.apply(&self.batch, start..next, &ids, &peers);
                start = next;
            }
        };
        feed(&mut detector, self.table);
        if has_table {
            detector.begin_updates();
        }
        for (end, time, change) in &self.changes {
            feed(&mut detector, *end);
            detector.change_facts(*time, change.clone());
        }
        feed(&mut detector, self.batch.events.len());
        Detector::from_shards(detector.into_shards()).unwrap().report()
    }
}

const NOTHING_MORE: More =
    More { in_table: false, otc: None, is_blackhole: false, has_set: false, repeats: 1 };

fn path_of(peer: u32, tail: &[u32], more: &More) -> AsPathBuf {
    let (last, before) = tail.split_last().unwrap();
    let asns = [3006 + peer % 5].into_iter().chain(before.iter().copied());
    let asns = asns.chain(std::iter::repeat_n(*last, more.repeats));
    let mut path = AsPathBuf::sequence(asns.map(Asn));
    if more.has_set {
        path.push_segment(SegmentKind::Set, [3012, 64510].map(Asn));
    }
    path
}

fn source(kind: FactKind) -> FactSource {
    FactSource {
        kind,
        name: "test".to_owned(),
        sha256: None,
        date: None,
        entries: 3,
        skipped: BTreeMap::new(),
    }
}

fn sourced<T>(kind: FactKind, table: T) -> Sourced<T> {
    Sourced { table, source: source(kind) }
}

/// Four sets of VRPs that differ in what is covered and by whom; the last has lost an anchor.
fn some_vrps(set: usize) -> VrpTable {
    let mut anchors = TrustAnchors::default();
    let (lab, other) = (anchors.intern("lab"), anchors.intern("other"));
    let vrp =
        |prefix: &str, max_len, asn, ta| Vrp { prefix: p(prefix), max_len, asn: Asn(asn), ta };
    let mut vrps = match set {
        0 => vec![],
        1 => vec![vrp("203.0.112.0/22", 24, 3012, lab), vrp("2001:db8::/32", 48, 3014, lab)],
        2 => vec![
            vrp("203.0.112.0/22", 22, 3013, lab),
            vrp("198.51.0.0/16", 16, 3015, lab),
            vrp("2000::/3", 3, 3011, lab),
        ],
        _ => vec![vrp("203.0.112.0/22", 24, 0, lab), vrp("202.0.0.0/7", 7, 3013, lab)],
    };
    if set != 3 {
        let block = |number: u32| Prefix::v4(0xc000_0200 | number << 3, 29).unwrap();
        let asn = Asn(3016);
        vrps.extend((0..20).map(|n| Vrp { prefix: block(n), max_len: 29, asn, ta: other }));
    }
    VrpTable::from_vrps(vrps).with_trust_anchors(anchors)
}

fn some_aspas(set: usize) -> AspaTable {
    let records: &[(u32, &[u32])] = match set {
        0 => &[],
        1 => &[(3012, &[3010, 3011]), (3014, &[3015])],
        _ => &[(3012, &[3017]), (3013, &[3011]), (3016, &[0])],
    };
    let asns = |asns: &[u32]| asns.iter().copied().map(Asn).collect();
    let records = records.iter().map(|&(customer, providers)| (Asn(customer), asns(providers)));
    AspaTable::from_records(records.collect())
}

fn relations() -> RelationTable {
    let given = |a: u32, b: u32, relation| Link::given(Asn(a), Asn(b), relation);
    let mut links = vec![
        given(3010, 3011, Relation::Peer),
        given(3012, 3010, Relation::Provider),
        given(3012, 3011, Relation::Provider),
        given(3013, 3010, Relation::Provider),
        given(3014, 3010, Relation::Provider),
        given(3014, 3011, Relation::Provider),
        given(3015, 3014, Relation::Provider),
        given(3016, 3017, Relation::Peer),
        given(3017, 3018, Relation::Peer),
    ];
    links.extend((3006..3011).map(|peer| given(peer, 3011, Relation::Peer)));
    RelationTable::from_links(links)
}

fn constituency() -> Constituency {
    let listed = |prefix: &str, origins: &[u32]| MemberPrefix {
        prefix: p(prefix),
        origins: origins.iter().copied().map(Asn).collect(),
        criticality: None,
    };
    let member = |id: &str, asns: &[u32], prefixes, upstreams: &[u32]| Member {
        id: id.into(),
        asns: asns.iter().copied().map(Asn).collect(),
        prefixes,
        upstreams: upstreams.iter().copied().map(Asn).collect(),
        ..Member::default()
    };
    let mut bank = member(
        "bank",
        &[3012],
        vec![listed("203.0.112.0/22", &[]), listed("2001:db8::/32", &[3014])],
        &[3010, 3011],
    );
    bank.criticality = Criticality::Tier0;
    let school = member("school", &[3015, 3016], vec![listed("192.0.2.0/24", &[])], &[]);
    // What one of them holds is shorter than a block.
    let isp = member("isp", &[3013], vec![listed("202.0.0.0/7", &[])], &[3010]);
    Constituency::new("test", vec![bank, school, isp]).unwrap()
}

fn organisations() -> OrganisationTable {
    let organisation = |id: &str, country: &str| Organisation {
        id: id.into(),
        name: id.into(),
        country: country.into(),
    };
    let countries = ["NL", "BE"].map(|country| organisation(country, country));
    let of = |asn: u32| (Asn(asn), ["NL", "BE"][usize::from(asn.is_multiple_of(4))].into());
    OrganisationTable::from_records(countries.to_vec(), (3006..3019).map(of).collect())
}

/// Which facts are given.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts that do not depend on one another")]
struct Given {
    origins: bool,
    relations: bool,
    constituency: bool,
    organisations: bool,
    route_server: bool,
    aspas: usize,
    vrps: usize,
}

fn given() -> impl Strategy<Value = Given> {
    (any::<[bool; 5]>(), 0_usize..3, 0_usize..4).prop_map(|(flags, aspas, vrps)| {
        let [origins, relations, constituency, organisations, route_server] = flags;
        Given { origins, relations, constituency, organisations, route_server, aspas, vrps }
    })
}

const NOTHING_GIVEN: Given = Given {
    origins: false,
    relations: false,
    constituency: false,
    organisations: false,
    route_server: false,
    aspas: 0,
    vrps: 0,
};

fn facts(given: Given) -> Facts {
    let entries = [("203.0.113.0/24", 3012), ("202.0.0.0/7", 3013), ("2001:db8::/32", 3014)];
    let entries = entries.map(|(prefix, asn)| (p(prefix), Asn(asn))).to_vec();
    let origins = || sourced(FactKind::Origins, OriginTable::from_entries(entries));
    Facts {
        origins: given.origins.then(origins),
        relations: given.relations.then(|| sourced(FactKind::Relations, relations())),
        constituency: given.constituency.then(|| sourced(FactKind::Constituency, constituency())),
        organisations: given
            .organisations
            .then(|| sourced(FactKind::Organisations, organisations())),
        route_servers: given.route_server.then_some(Asn(3018)).into_iter().collect(),
        aspas: (given.aspas > 0).then(|| sourced(FactKind::Aspas, some_aspas(given.aspas))),
        vrps: (given.vrps > 0).then(|| sourced(FactKind::Vrps, some_vrps(given.vrps))),
        ..Facts::default()
    }
}

fn config() -> impl Strategy<Value = Config> {
    let from = prop::option::of(Just(Timestamp::from_secs(START + 300)));
    let receiver = prop::option::weighted(0.2, Just(Asn(3011)));
    (any::<[bool; 2]>(), prop::option::of(1_usize..3), from, receiver).prop_map(
        |([bogons, hygiene], quorum, from, receiver)| Config {
            bogons,
            quorum,
            from,
            hygiene,
            receiver,
        },
    )
}

/// All that a report says, as text.
fn text(report: &Report) -> String {
    let Report { incidents, counters, vantage_points, routes, known_prefixes, known_links } =
        report;
    serde_json::to_string_pretty(&serde_json::json!({
        "incidents": incidents,
        "counters": counters,
        "sums": [vantage_points, routes, known_prefixes, known_links],
    }))
    .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn any_number_of_shards_finds_the_same(
        table in table(),
        steps in steps(),
        config in config(),
        given in given(),
        has_table in prop::bool::weighted(0.9),
    ) {
        let recording = Recording::new(&table, &steps);
        let facts = facts(given);
        let report = |shards, run| text(&recording.report(config, &facts, has_table, shards, run));
        let one = report(1, usize::MAX);
        for shards in [2, 3, 8, 256] {
            let many = report(shards, 7);
            if many != one {
                let lines = many.lines().zip(one.lines()).filter(|(many, one)| many != one);
                let lines: Vec<_> = lines.take(12).collect();
                prop_assert!(false, "{} shards: {:#?}", shards, lines);
            }
        }
    }
}

/// A random world is worth comparing only when much happens in it.
#[test]
fn random_worlds_have_incidents_of_nearly_every_kind() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen: std::collections::BTreeSet<&str> = std::collections::BTreeSet::new();
    let worlds = (table(), steps(), config(), given());
    for _ in 0..300 {
        let (table, steps, config, given) = worlds.new_tree(&mut runner).unwrap().current();
        let recording = Recording::new(&table, &steps);
        let report = recording.report(config, &facts(given), true, 1, usize::MAX);
        seen.extend(report.incidents.iter().map(|incident| incident.kind.name()));
    }
    let missing: Vec<_> = IncidentKind::ALL
        .iter()
        .map(|kind| kind.name())
        .filter(|kind| !seen.contains(kind))
        .collect();
    // No path of these worlds is that long.
    assert_eq!(missing, ["long_path"]);
}

#[test]
fn shards_out_of_place_are_no_detector() {
    let shards = || Detector::with_shards(Config::default(), Facts::default(), 3).into_shards();
    assert!(Detector::from_shards(shards()).is_some());
    let mut turned = shards();
    turned.reverse();
    assert!(Detector::from_shards(turned).is_none());
    let mut few = shards();
    few.truncate(2);
    assert!(Detector::from_shards(few).is_none());
    assert!(Detector::from_shards(Vec::new()).is_none());
}

/// The victim's reaction is seen by the shard of its prefix, the claim belongs to another.
#[test]
fn a_reaction_to_a_claim_on_a_short_prefix_is_seen_wherever_it_happens() {
    let announce = |peer, prefix: &str, origin| {
        let prefix = PREFIXES.iter().position(|known| *known == prefix).unwrap();
        (peer, 10, Op::Announce { prefix, tail: vec![64510, origin], more: NOTHING_MORE })
    };
    let mut steps = vec![announce(0, "202.0.0.0/7", 3015), announce(1, "202.0.0.0/7", 3015)];
    steps.extend(["203.0.113.128/26", "203.0.113.0/25"].map(|own| announce(2, own, 3013)));
    for shards in [1, 8, 256] {
        let config = Config { bogons: false, ..Config::default() };
        let recording = Recording::new(&[], &steps);
        let given = Given { origins: true, ..NOTHING_GIVEN };
        let report = recording.report(config, &facts(given), false, shards, 1);
        let short = p("202.0.0.0/7");
        let incident = report.incidents.iter().find(|incident| incident.prefixes == [short]);
        let incident = incident.expect("the claim on the short prefix");
        let reactions: Vec<String> =
            incident.countermeasures.iter().map(|done| done.prefix.to_string()).collect();
        assert_eq!(reactions, ["203.0.113.128/26", "203.0.113.0/25"], "{shards} shards");
    }
}

/// With so many paths relations are inferred and links scored: their order must not matter.
#[test]
fn a_table_that_relations_are_inferred_from_gives_the_same_in_any_number_of_shards() {
    let mut recording = Recording::default();
    let time = Timestamp::from_secs(START);
    let table = More { in_table: true, ..NOTHING_MORE };
    // Five at the top, forty that sell, five hundred that buy of two of them.
    let block = |n: u32| Prefix::v4((1 + n % 220) << 24 | (n / 220) << 16, 16).unwrap();
    for n in 0..2_500_u32 {
        for peer in 0..PEERS {
            let top = 3100 + (n / 500 + peer) % 5;
            let seller = 3200 + (n % 500 + peer % 2 * 11) % 40;
            let path = path_of(peer, &[top, seller, 4000 + n % 500], &table);
            let kind = recording.route(time, block(n), &path, &table);
            recording.push(time, peer, kind);
        }
    }
    recording.table = recording.batch.events.len();
    // A buyer between its two sellers, and one next to another.
    for (n, tail) in [(41, vec![3100, 3212, 4001, 3201, 4041]), (4, vec![3102, 3219, 4499, 4004])] {
        for peer in 0..PEERS {
            let path = path_of(peer, &tail, &NOTHING_MORE);
            let kind = recording.route(time.plus_secs(100), block(n), &path, &NOTHING_MORE);
            recording.push(time.plus_secs(100), peer, kind);
        }
    }
    let config = Config { bogons: false, ..Config::default() };
    let report = |shards| recording.report(config, &Facts::default(), true, shards, 500);
    let one = report(1);
    let mut kinds: Vec<_> = one.incidents.iter().map(|incident| incident.kind).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, [IncidentKind::ForgedOrigin, IncidentKind::RouteLeak]);
    let rules = one.incidents.iter().flat_map(|incident| &incident.evidence);
    let rules: Vec<&str> = rules.map(|line| line.rule.as_str()).collect();
    assert!(rules.contains(&"relations_inferred") && rules.contains(&"unlike_a_real_link"));
    for shards in [2, 8, 256] {
        assert_eq!(text(&report(shards)), text(&one), "{shards} shards");
    }
    // What is given goes before what is inferred: the one before buys of the leaker.
    let given = Link::given(Asn(4001), Asn(3201), Relation::Customer);
    let table = RelationTable::from_links(vec![given]);
    let relations = Some(sourced(FactKind::Relations, table));
    let facts = Facts { relations, ..Facts::default() };
    let report = recording.report(config, &facts, true, 1, 500);
    assert!(report.incidents.iter().all(|incident| incident.kind != IncidentKind::RouteLeak));
}
