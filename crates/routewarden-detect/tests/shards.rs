//! The number of shards changes nothing in what is found.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test's helpers fail the test")]

use proptest::prelude::*;
use routewarden_core::facts::{FactKind, FactSource, Facts, OriginTable, Sourced};
use routewarden_core::{
    AddressFamily, AsPathBuf, Asn, EventBatch, Peer, PeerId, PeerTable, Prefix, RouteAttributes,
    RouteEvent, RouteEventKind, Timestamp,
};
use routewarden_detect::{Config, Detector, Report};

const PEERS: u32 = 6;

/// Blocks of several shards, with more-specifics; and prefixes that every shard knows.
const PREFIXES: [&str; 16] = [
    "0.0.0.0/0",
    "202.0.0.0/7",
    "::/0",
    "2000::/3",
    "192.0.2.0/24",
    "192.0.2.0/25",
    "192.0.2.128/25",
    "198.51.100.0/24",
    "198.51.100.64/26",
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
    Announce { prefix: usize, tail: Vec<u32>, in_table: bool },
    Withdraw { prefix: usize },
    Up,
    Down,
    EndOfRib,
}

fn op() -> impl Strategy<Value = Op> {
    let prefix = 0..PREFIXES.len();
    let tail = prop::collection::vec(64500_u32..64509, 1..4);
    prop_oneof![
        12 => (prefix.clone(), tail, prop::bool::weighted(0.1))
            .prop_map(|(prefix, tail, in_table)| Op::Announce { prefix, tail, in_table }),
        4 => prefix.prop_map(|prefix| Op::Withdraw { prefix }),
        1 => Just(Op::Up),
        1 => Just(Op::Down),
        1 => Just(Op::EndOfRib),
    ]
}

/// (peer, seconds since the event before, what)
type Step = (u32, i64, Op);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let secs = prop_oneof![8 => 0_i64..20, 1 => 100_i64..2_000, 1 => -500_i64..0];
    prop::collection::vec((0..PEERS, secs, op()), 1..250)
}

fn batch(steps: &[Step]) -> EventBatch {
    let mut batch = EventBatch::default();
    let mut time = Timestamp::from_secs(1_700_000_000);
    for (peer, secs, op) in steps {
        time = time.plus_secs(*secs);
        let prefix = |at: usize| -> Prefix { PREFIXES[at].parse().unwrap() };
        let kind = match op {
            Op::Announce { prefix: at, tail, in_table } => {
                let asns = [64496 + peer % 5].into_iter().chain(tail.iter().copied());
                let path = AsPathBuf::sequence(asns.map(Asn));
                let attributes = RouteAttributes::from_path(path.as_path());
                let attributes = batch.push_attributes(&attributes).unwrap();
                let prefix = prefix(*at);
                if *in_table {
                    let originated = time.plus_secs(-secs.abs());
                    RouteEventKind::TableEntry { prefix, attributes, originated }
                } else {
                    RouteEventKind::Announcement { prefix, attributes }
                }
            }
            Op::Withdraw { prefix: at } => RouteEventKind::Withdrawal { prefix: prefix(*at) },
            Op::Up => RouteEventKind::PeerUp,
            Op::Down => RouteEventKind::PeerDown,
            Op::EndOfRib => RouteEventKind::EndOfRib { family: AddressFamily::Ipv4 },
        };
        batch.events.push(RouteEvent { time, peer: *peer, kind });
    }
    batch
}

fn facts() -> Facts {
    let entries = [("203.0.113.0/24", 64502), ("202.0.0.0/7", 64503), ("2001:db8::/32", 64504)];
    let entries: Vec<(Prefix, Asn)> =
        entries.iter().map(|&(prefix, asn)| (prefix.parse().unwrap(), Asn(asn))).collect();
    let source = FactSource {
        kind: FactKind::Origins,
        name: "test".to_owned(),
        sha256: None,
        date: None,
        entries: 3,
        skipped: std::collections::BTreeMap::new(),
    };
    Facts {
        origins: Some(Sourced { source, table: OriginTable::from_entries(entries) }),
        ..Facts::default()
    }
}

/// Runs the events in runs of `run` events.
fn report(batch: &EventBatch, config: Config, shards: u32, run: usize) -> Report {
    let mut peers = PeerTable::default();
    let peer = |n: u32| Peer {
        collector: "lab".to_owned(),
        asn: Asn(64496 + n % 5),
        addr: format!("2001:db8::{n}").parse().unwrap(),
    };
    let ids: Vec<PeerId> = (0..PEERS).map(|n| peers.intern(&peer(n))).collect();
    let mut detector = Detector::with_shards(config, facts(), shards);
    for start in (0..batch.events.len()).step_by(run) {
        detector.apply(batch, start..batch.events.len().min(start + run), &ids, &peers);
    }
    let detector = Detector::from_shards(detector.into_shards()).unwrap();
    detector.report()
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
        steps in steps(), bogons: bool, quorum in prop::option::of(1_usize..3), late_start: bool,
    ) {
        let batch = batch(&steps);
        let from = late_start.then(|| Timestamp::from_secs(1_700_000_300));
        let config = Config { bogons, quorum, from, ..Config::default() };
        let one = text(&report(&batch, config, 1, usize::MAX));
        for shards in [2, 3, 8, 256] {
            prop_assert_eq!(&text(&report(&batch, config, shards, 7)), &one, "{} shards", shards);
        }
    }
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
        (peer, 10, Op::Announce { prefix, tail: vec![64510, origin], in_table: false })
    };
    let mut steps = vec![announce(0, "202.0.0.0/7", 64505), announce(1, "202.0.0.0/7", 64505)];
    steps.extend(["203.0.113.128/26", "203.0.113.0/25"].map(|own| announce(2, own, 64503)));
    for shards in [1, 8, 256] {
        let config = Config { bogons: false, ..Config::default() };
        let report = report(&batch(&steps), config, shards, 1);
        let short: Prefix = "202.0.0.0/7".parse().unwrap();
        let incident = report.incidents.iter().find(|incident| incident.prefixes == [short]);
        let incident = incident.expect("the claim on the short prefix");
        let reactions: Vec<String> =
            incident.countermeasures.iter().map(|done| done.prefix.to_string()).collect();
        assert_eq!(reactions, ["203.0.113.128/26", "203.0.113.0/25"], "{shards} shards");
    }
}
