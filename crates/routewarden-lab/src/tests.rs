use std::fmt::Write as _;

use routewarden_core::{Asn, EventBatch, RouteAttributes, RouteEventKind, Timestamp};

use super::*;

mod knowledge;

const HEAD: &str = r#"
format = 1
id = "t"
title = "t"
bogons = false
start = 2030-01-01T00:00:00Z
end = 2030-01-01T01:00:00Z
[[collector]]
name = "c1"
peers = [64496, 64497]
[[collector]]
name = "c2"
peers = [64496]
[[peer]]
collector = "c2"
asn = 64498
addr = "192.0.2.1"
[[expect]]
silent = true
"#;

fn scenario(rest: &str) -> Result<Scenario, Error> {
    Scenario::parse(&format!("{HEAD}{rest}"))
}

/// Events as text: second, peer position, what.
fn lines<'a>(batches: impl IntoIterator<Item = &'a EventBatch>) -> Vec<String> {
    let start: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
    let line = |batch: &EventBatch, event: &routewarden_core::RouteEvent| {
        let path = |at| RouteAttributes::decode(batch.attributes(at)).unwrap().as_path.to_string();
        let what = match event.kind {
            RouteEventKind::Announcement { prefix, attributes } => {
                format!("A {prefix} {}", path(attributes))
            }
            RouteEventKind::TableEntry { prefix, attributes, originated } => {
                format!("T {prefix} {} {}", path(attributes), originated.secs_since(start))
            }
            RouteEventKind::Withdrawal { prefix } => format!("W {prefix}"),
            other => format!("{other:?}"),
        };
        format!("{} {} {what}", event.time.secs_since(start), event.peer)
    };
    batches.into_iter().flat_map(|b| b.events.iter().map(move |e| line(b, e))).collect()
}

#[test]
fn peers_get_documentation_addresses_in_order() {
    let peers = scenario("").unwrap().peers;
    let texts: Vec<_> =
        peers.iter().map(|p| format!("{} {} {}", p.collector, p.asn, p.addr)).collect();
    assert_eq!(
        texts,
        [
            "c1 AS64496 2001:db8::1",
            "c1 AS64497 2001:db8::2",
            "c2 AS64496 2001:db8:0:1::1",
            "c2 AS64498 192.0.2.1"
        ]
    );
}

#[test]
fn a_path_is_of_every_session_of_its_first_as() {
    let scenario = scenario(
        r#"
[[table]]
prefixes = ["192.0.2.0/24 64511", "198.51.100.0/24 64510"]
paths = ["64496 *", "64497 64499 *"]
originated = 2029-12-31T23:59:50Z
[[event]]
at = 2030-01-01T00:00:10Z
announce = ["192.0.2.0/25"]
paths = ["+2 64496 64510", "64497 {64510,64511}"]
collector = "c1"
[[event]]
at = 2030-01-01T00:00:11Z
announce = ["192.0.2.0/25"]
paths = ["64500 64510"]
from = "192.0.2.1"
"#,
    )
    .unwrap();
    assert_eq!(
        lines([scenario.table_batch()]),
        [
            "0 0 T 192.0.2.0/24 64496 64511 -10",
            "0 2 T 192.0.2.0/24 64496 64511 -10",
            "0 1 T 192.0.2.0/24 64497 64499 64511 -10",
            "0 0 T 198.51.100.0/24 64496 64510 -10",
            "0 2 T 198.51.100.0/24 64496 64510 -10",
            "0 1 T 198.51.100.0/24 64497 64499 64510 -10",
        ]
    );
    assert_eq!(
        lines(scenario.update_batches()),
        [
            "10 1 A 192.0.2.0/25 64497 {64510,64511}",
            "11 3 A 192.0.2.0/25 64500 64510",
            "12 0 A 192.0.2.0/25 64496 64510",
        ]
    );
    assert_eq!(scenario.update_batches().next().unwrap().new_peers, scenario.peers);
}

#[test]
fn a_withdrawal_is_by_all_who_hold_the_route_unless_peers_are_named() {
    let scenario = scenario(
        r#"
[[table]]
prefixes = ["192.0.2.0/24", "198.51.100.0/24"]
paths = ["64496 64511", "64497 64511", "64498 64511"]
[[event]]
at = 2030-01-01T00:00:01Z
peer_down = [64497]
[[event]]
at = 2030-01-01T00:00:03Z
withdraw = ["192.0.2.0/24"]
[[event]]
at = 2030-01-01T00:00:04Z
withdraw = ["198.51.100.0/24"]
peers = [64496]
collector = "c1"
[[event]]
at = 2030-01-01T00:00:02Z
withdraw = ["192.0.2.0/24"]
from = "192.0.2.1"
[[event]]
at = 2030-01-01T00:00:05Z
peer_up = [64497]
"#,
    )
    .unwrap();
    assert_eq!(
        lines(scenario.update_batches()),
        [
            "1 1 PeerDown",
            "2 3 W 192.0.2.0/24",
            "3 0 W 192.0.2.0/24",
            "3 2 W 192.0.2.0/24",
            "4 0 W 198.51.100.0/24",
            "5 1 PeerUp",
        ]
    );
}

#[test]
fn a_late_record_keeps_its_time_and_loses_its_place() {
    let scenario = scenario(
        r#"
[[event]]
at = 2030-01-01T00:00:03Z
late_by = 2
announce = ["192.0.2.0/24"]
paths = ["64497 64511"]
[[event]]
at = 2030-01-01T00:00:04Z
withdraw = ["192.0.2.0/24"]
peers = [64497]
"#,
    )
    .unwrap();
    assert_eq!(
        lines(scenario.update_batches()),
        ["4 1 W 192.0.2.0/24", "3 1 A 192.0.2.0/24 64497 64511"]
    );
}

#[test]
fn long_streams_are_split_into_batches_and_read_back_whole() {
    let mut text = String::new();
    for second in 0..60 {
        let prefixes: Vec<_> = (0..40).map(|n| format!("\"192.0.2.{n}/32\"")).collect();
        write!(
            text,
            "[[event]]\nat = 2030-01-01T00:00:{second:02}Z\nannounce = [{}]\n\
             paths = [\"64497 {}\"]\n",
            prefixes.join(","),
            64500 + second
        )
        .unwrap();
    }
    let scenario = scenario(&text).unwrap();
    let batches: Vec<&EventBatch> = scenario.update_batches().collect();
    assert_eq!(batches.iter().map(|b| b.events.len()).collect::<Vec<_>>(), [1024, 1024, 352]);
    assert_eq!(batches.iter().map(|b| b.new_peers.len()).collect::<Vec<_>>(), [4, 0, 0]);
    assert_eq!(lines(batches)[2399], "59 1 A 192.0.2.39/32 64497 64559");
}

#[test]
fn facts_are_read() {
    let facts = scenario(
        r#"
[facts.as_name]
65536 = "Example Two"
64496 = "Example One"
[[facts.origin]]
prefix = "192.0.2.0/24"
asns = [64511, 64510]
[[facts.vrp]]
prefix = "2001:db8::/32"
max_length = 48
asn = 64496
[[facts.organisation]]
id = "o1"
name = "One"
country = "CH"
asns = [64496, 65536]
[[facts.relation]]
provider = 64496
customer = 64497
[[facts.relation]]
peers = [64496, 64498]
"#,
    )
    .unwrap()
    .facts;
    assert_eq!(facts.origins[0].asns, [Asn(64511), Asn(64510)]);
    assert_eq!((facts.vrps[0].max_length, facts.vrps[0].asn), (48, Asn(64496)));
    assert_eq!(facts.organisations[0].country.as_deref(), Some("CH"));
    assert_eq!(facts.relations[0].kind, RelationKind::ProviderCustomer);
    assert_eq!(facts.relations[1].kind, RelationKind::PeerPeer);
    assert_eq!(facts.as_names.iter().map(|n| n.asn.0).collect::<Vec<_>>(), [64496, 65536]);
}

const ASPA: &str = "[[facts.aspa]]\ncustomer = 1\nproviders = [2]\n";

/// Each text, the words of its fault, and the line of `HEAD` plus text it stands on.
#[test]
fn faults_name_their_line() {
    let head = HEAD.lines().count();
    let event = "[[event]]\nat = 2030-01-01T00:00:03Z\n";
    for (text, line, words) in [
        ("nonsense", 1, "expected"),
        ("[[event]]\nat = 2030-01-01T00:00:03Z\ncolour = 3", 3, "unknown field"),
        (event, 1, "exactly one of"),
        (&format!("{event}announce = [\"192.0.2.0/24\"]\nwithdraw = []"), 1, "this has 2"),
        (&format!("{event}announce = [\"192.0.2.0/24\"]"), 1, "paths must not be empty"),
        (&format!("{event}announce = []\npaths = [\"64496\"]"), 3, "must not be empty"),
        (&format!("{event}announce = [\"192.0.2.0/33\"]\npaths = [\"64496\"]"), 3, "0 to 32"),
        (&format!("{event}announce = [\"192.0.2.0/24\"]\npaths = [\n\"64496\",\n\"x\"]"), 6, "ASN"),
        (&format!("{event}announce = [\"192.0.2.0/24\"]\npaths = [\"64511\"]"), 4, "not a peer"),
        (&format!("{event}announce = [\"::/0\"]\npaths = [\"64496 *\"]"), 3, "names no origin"),
        (&format!("{event}announce = [\"::/0 1\"]\npaths = [\"64496\"]"), 3, "names an origin"),
        (&format!("{event}peer_down = [64511]"), 3, "not a peer"),
        (
            &format!("{event}peer_down = [64497]\ncollector = \"c2\""),
            3,
            "AS64497 is not a peer of c2",
        ),
        (&format!("{event}peer_down = [64497]\ncollector = \"c3\""), 4, "no collector"),
        (&format!("{event}withdraw = [\"::/0\"]\nfrom = \"192.0.2.9\""), 4, "no peer has"),
        (&format!("{event}withdraw = [\"::/0\"]\npaths = [\"64496\"]"), 4, "no meaning"),
        ("[[event]]\nat = 2030-01-01T02:00:00Z\npeer_up = [64496]", 3, "outside"),
        ("[[event]]\nat = 2030-01-01T00:00:00\npeer_up = [64496]", 2, "not a time"),
        ("[[event]]\nat = 2030-01-01T00:00:00+01:00\npeer_up = [64496]", 2, "not a time"),
        ("[[facts.vrp]]\nprefix = \"::/0\"\nmax_length = 129\nasn = 1", 3, "max_length"),
        ("[[facts.relation]]\nprovider = 1", 1, "a relation"),
        ("[[facts.relation]]\npeers = [1, 2]\nconfidence = 101", 3, "at most 100"),
        ("[[facts.vrp]]\nprefix = \"10.0.0.0/8*257\"\nasn = 1", 2, "not a range"),
        ("[[facts.vrp]]\nprefix = \"10.0.0.0/32*200001\"\nasn = 1", 2, "more than 200000 facts"),
        ("[[facts.origin]]\nprefix = \"::/32*150000\"\nasns = [1, 2]", 2, "more than 200000 facts"),
        (
            "[[facts.vrp]]\nprefix = \"::/0\"\nasn = 1\nexpires = 2030-01-01T00:00:00",
            4,
            "not a time",
        ),
        ("[[facts.aspa]]\ncustomer = 1\nproviders = []", 2, "must not be empty"),
        (&format!("{ASPA}{ASPA}"), 5, "two ASPAs"),
        (&format!("{event}vrps = {{}}"), 1, "must not be empty"),
        (&format!("{event}vrps = {{ colour = 1 }}"), 3, "unknown field"),
        (&format!("{event}vrps = {{ remove = [{{ prefix = \"::/0\", asn = 1 }}] }}"), 1, "no VRP"),
        (&format!("{event}aspas = {{ remove = [1] }}"), 1, "has no ASPA"),
        (&format!("{event}aspas = {{ remove = [1] }}\ncollector = \"c1\""), 4, "no meaning"),
        (&format!("{event}aspas = {{ remove = [1] }}\nlate_by = 1"), 4, "no meaning"),
        (
            &format!("{event}announce = [\"::/0\"]\npaths = [\"64496 med=1\"]"),
            4,
            "not an attribute",
        ),
        (&format!("{event}withdraw = [\"10.0.0.0/32*200001\"]"), 3, "more than 200000"),
        ("[constituency]\nmember = []", 1, "must not be empty"),
        (
            "[[constituency.member]]\nid = \"a\"\n[[constituency.member]]\nid = \"a\"",
            4,
            "two members",
        ),
        ("[[constituency.member]]\nid = \"a\"\nprefixes = [\"x\"]", 3, "not a prefix"),
        ("[[constituency.member]]\nid = \"a\"\ncolour = 1", 3, "unknown field"),
        ("[[expect]]\nkind = \"moas\"\nculprit = 1", -1, "stands alone"),
        ("[[table]]\nprefixes = [\"::/0\"]\npaths = [\"+3 64496\"]", 3, "no meaning"),
        ("[[peer]]\ncollector = \"c2\"\nasn = 64498\naddr = \"192.0.2.1\"", 1, "twice"),
    ] {
        let error = scenario(text).expect_err(text);
        let expected = head.checked_add_signed(line).unwrap();
        let shown = error.to_string();
        assert!(shown.contains(words), "{text}\n{shown}");
        assert_eq!(error.line(), Some(expected), "{text}\n{shown}");
        assert!(shown.starts_with(&format!("line {expected}: ")), "{shown}");
    }
}

#[test]
fn limits_hold() {
    let error = Scenario::parse(&" ".repeat(SCENARIO_OCTETS_MAX + 1)).unwrap_err();
    assert!(matches!(error, Error::TooLong { .. }), "{error}");
    let prefixes = "\"::/0\",".repeat(300);
    let paths = "\"64496 64499\",".repeat(400);
    let text = format!("[[table]]\nprefixes = [{prefixes}]\npaths = [{paths}]");
    let error = scenario(&text).unwrap_err();
    assert!(matches!(error, Error::Invalid { fault: Fault::TooManyEvents, .. }), "{error}");
    let peers: Vec<String> = (0..=PEERS_MAX).map(|asn| asn.to_string()).collect();
    let error = Scenario::parse(&HEAD.replace("64496, 64497", &peers.join(","))).unwrap_err();
    assert!(matches!(error, Error::Invalid { fault: Fault::TooManyPeers, .. }), "{error}");
    let error = Scenario::parse(&HEAD.replace("format = 1", "format = 2")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 2: scenario format 2 is not supported; this program reads format 1"
    );
    let error = Scenario::parse(&HEAD.replace("[[expect]]\nsilent = true", "")).unwrap_err();
    assert!(matches!(error, Error::Invalid { fault: Fault::NoExpectation, .. }), "{error}");
}

#[test]
fn a_cut_scenario_never_panics() {
    let text = format!("{HEAD}[[event]]\nat = 2030-01-01T00:00:03Z\nannounce = [\"é::/0\"]\n");
    for cut in 0..text.chars().count() {
        let cut: String = text.chars().take(cut).collect();
        drop(Scenario::parse(&cut));
    }
}

#[test]
fn a_damaged_scenario_never_panics() {
    let text = format!(
        "{HEAD}[[table]]\nprefixes = [\"::/0 64511\"]\npaths = [\"64496 *\"]\n\
         [[event]]\nat = 2030-01-01T00:00:03Z\nlate_by = 2\nannounce = [\"192.0.2.0/24\"]\n\
         paths = [\"+1 64497 {{64511,64510}} otc=1 communities=1:2,3:4\"]\n\
         [[event]]\nat = 2030-01-01T00:00:04Z\nwithdraw = [\"192.0.2.0/24*2\"]\n{ASPA}\
         [[event]]\nat = 2030-01-01T00:00:04Z\naspas = {{ remove = [1] }}\n\
         [[event]]\nat = 2030-01-01T00:00:04Z\n\
         vrps = {{ add = [{{ prefix = \"10.0.0.0/24*9\", asn = 1 }}] }}\n\
         [[constituency.member]]\nid = \"a\"\nasns = [1]\n"
    );
    assert!(Scenario::parse(&text).is_ok());
    let mut seed = 1u64;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    let signs: Vec<char> = "0129.:-+*{}[]\"=,/\\\nTZ é".chars().collect();
    for _ in 0..5_000 {
        let mut damaged: Vec<char> = text.chars().collect();
        for _ in 0..=next(3) {
            let at = next(damaged.len());
            match next(3) {
                0 => damaged[at] = signs[next(signs.len())],
                1 => damaged.insert(at, signs[next(signs.len())]),
                _ => drop(damaged.remove(at)),
            }
        }
        drop(Scenario::parse(&damaged.iter().collect::<String>()));
    }
}

mod check {
    use super::*;

    fn expecting(text: &str) -> Scenario {
        Scenario::parse(&HEAD.replace("silent = true", text)).unwrap()
    }

    fn hijack() -> Observed {
        Observed {
            kind: "origin_hijack".to_owned(),
            culprits: vec![Asn(64511)],
            victims: vec![Asn(64510)],
            prefixes: vec!["192.0.2.0/24".parse().unwrap()],
            prefix_count: 1,
            first_seen: "2030-01-01T00:00:03Z".parse().unwrap(),
            ended_at: Some("2030-01-01T00:10:00Z".parse().unwrap()),
            seen: 3,
            confidence: 90,
            ..Observed::default()
        }
    }

    const FULL: &str = r#"kind = "origin_hijack"
culprit = 64511
victim = 64510
prefixes = ["192.0.2.0/24"]
prefix_count = 1
first_seen = 2030-01-01T00:00:03Z
ended_at = { from = 2030-01-01T00:10:00Z, until = 2030-01-01T00:10:01Z }
seen_min = 3
confidence_min = 80"#;

    #[test]
    fn a_met_expectation_is_no_mismatch() {
        assert_eq!(expecting(FULL).check(&[hijack()]), []);
    }

    #[test]
    fn every_field_is_compared() {
        let scenario = expecting(FULL);
        let none = Observed {
            prefixes: vec![],
            prefix_count: 0,
            first_seen: "2030-01-01T00:00:04Z".parse().unwrap(),
            ended_at: None,
            seen: 2,
            confidence: 79,
            ..hijack()
        };
        let fields: Vec<_> = scenario.check(&[none]).iter().map(ToString::to_string).collect();
        let expected = ["prefixes", "prefix_count", "first_seen", "ended_at", "seen_min"]
            .into_iter()
            .chain(["confidence_min"])
            .map(|field| format!("expectation 1: incident 1 differs in {field}"));
        assert_eq!(fields, expected.collect::<Vec<_>>());
    }

    #[test]
    fn missing_repeated_and_unexpected_are_told_apart() {
        let scenario = expecting(FULL);
        assert_eq!(scenario.check(&[]), [Mismatch::Missing { expectation: 0 }]);
        assert_eq!(
            scenario.check(&[hijack(), hijack()]),
            [Mismatch::Repeated { expectation: 0, incidents: 2 }]
        );
        let moas = Observed { kind: "moas".to_owned(), ..hijack() };
        assert_eq!(
            scenario.check(&[moas.clone(), hijack()]),
            [Mismatch::Unexpected { incident: 0 }]
        );
        assert_eq!(super::scenario("").unwrap().check(&[moas]).len(), 1);
    }

    #[test]
    fn unexpected_incidents_below_the_limit_are_let_pass() {
        let head = HEAD.replace("bogons = false", "unexpected_confidence_min = 91");
        let scenario = Scenario::parse(&head).unwrap();
        assert_eq!(scenario.check(&[hijack()]), []);
        let surer = Observed { confidence: 91, ..hijack() };
        assert_eq!(scenario.check(&[surer]), [Mismatch::Unexpected { incident: 0 }]);
    }
}
