//! Lists of incidents: every filter, page by page, against a plain look at all of them.

use std::ops::ControlFlow;

use proptest::prelude::*;
use routewarden_core::Prefix;

use super::*;
use crate::order::Part;
use crate::query::{Driver, Query};
use crate::{Cursor, IncidentFilter, Order, PAGE_MAX, PrefixMatch, ROWS_MAX, StoreReader};

const KINDS: [&str; 3] = ["origin_hijack", "route_leak", "outage"];
const ORDERS: [Order; 4] =
    [Order::NewestFirst, Order::OldestFirst, Order::WorstFirst, Order::SurestFirst];
const CLASSES: [&str; 2] = ["high", "low"];
const COUNTRIES: [&str; 3] = ["NL", "DE", "FR"];
const MEMBERS: [&str; 3] = ["bank", "hospital", "university"];
const PREFIXES: [&str; 7] = [
    "0.0.0.0/0",
    "192.0.0.0/16",
    "192.0.2.0/24",
    "192.0.2.128/25",
    "198.51.100.0/24",
    "2001:db8::/32",
    "2001:db8:1::/48",
];

/// Incidents that have something of everything; many were first seen at the same time.
fn incidents() -> Vec<IncidentVersion> {
    let incident = |n: usize| {
        let version = IncidentVersion {
            key: n.to_string(),
            kind: KINDS[n % 3].to_owned(),
            class: CLASSES[n % 5 % 2].to_owned(),
            first_seen: at(u32::try_from(n / 7).unwrap()),
            last_seen: at(500),
            asns: vec![
                (Asn(64496 + u32::try_from(n % 4).unwrap()), AsnRole::Culprit),
                (Asn(64496 + u32::try_from(n % 6).unwrap()), AsnRole::Victim),
            ],
            prefixes: [PREFIXES[n % 7], PREFIXES[n % 11 % 7]]
                .map(|prefix| prefix.parse().unwrap())
                .to_vec(),
            countries: vec![COUNTRIES[n % 3].to_owned(), COUNTRIES[n % 4 % 3].to_owned()],
            members: MEMBERS[..n % 4].iter().map(|member| (*member).to_owned()).collect(),
            severity: u8::try_from(n % 5).unwrap(),
            confidence: u8::try_from(n % 9).unwrap(),
            ..hijack(&format!("id{n:03}"))
        };
        if n.is_multiple_of(2) { ended(&version, 600) } else { version }
    };
    (0..150).map(incident).collect()
}

fn meets(filter: &IncidentFilter, it: &IncidentVersion) -> bool {
    let text = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|w| w == found);
    filter.is_open.is_none_or(|open| open == it.ended_at.is_none())
        && text(&filter.state, &it.state)
        && text(&filter.kind, &it.kind)
        && text(&filter.class, &it.class)
        && filter.country.as_ref().is_none_or(|country| it.countries.contains(country))
        && filter.member.as_ref().is_none_or(|member| it.members.contains(member))
        && filter.touches_members.is_none_or(|touches| touches != it.members.is_empty())
        && (it.ended_at.is_none() || filter.order.rank().is_none())
        && filter.first_seen_from.is_none_or(|from| it.first_seen >= from)
        && filter.first_seen_before.is_none_or(|before| it.first_seen < before)
        && filter.asn.is_none_or(|(asn, role)| {
            it.asns.iter().any(|(other, has)| *other == asn && role.is_none_or(|role| role == *has))
        })
        && filter.prefix.is_none_or(|(prefix, relation)| {
            it.prefixes.iter().any(|other| match relation {
                PrefixMatch::Exact => *other == prefix,
                PrefixMatch::Covering => other.covers(&prefix),
                PrefixMatch::Covered => prefix.covers(other),
            })
        })
}

fn listed(reader: &StoreReader, filter: &IncidentFilter, limit: usize) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), None);
    loop {
        let page = reader.list(filter, cursor, limit).unwrap();
        assert!(page.incidents.len() <= limit);
        ids.extend(page.incidents.into_iter().map(|it| it.id));
        match page.next {
            // Through its text, as a client gives it back.
            Some(next) => cursor = Some(next.to_string().parse::<Cursor>().unwrap()),
            None => return ids,
        }
    }
}

fn filters() -> impl Strategy<Value = IncidentFilter> {
    let some = |texts: &'static [&'static str]| {
        proptest::option::of(proptest::sample::select(texts).prop_map(str::to_owned))
    };
    let asn = (
        64495u32..64503,
        proptest::option::of(prop_oneof![
            Just(AsnRole::Culprit),
            Just(AsnRole::Victim),
            Just(AsnRole::Other),
        ]),
    );
    let relation = prop_oneof![
        Just(PrefixMatch::Exact),
        Just(PrefixMatch::Covering),
        Just(PrefixMatch::Covered)
    ];
    let prefix =
        proptest::sample::select(&PREFIXES[..]).prop_map(|text| text.parse::<Prefix>().unwrap());
    let span = proptest::option::of((0u32..25).prop_map(at));
    (
        (proptest::option::of(any::<bool>()), some(&["ended", "ongoing"])),
        (some(&KINDS), some(&CLASSES), some(&COUNTRIES)),
        (proptest::option::of(asn), proptest::option::of((prefix, relation))),
        (some(&MEMBERS), proptest::option::of(any::<bool>())),
        (span.clone(), span, proptest::sample::select(&ORDERS[..])),
    )
        .prop_map(
            |((is_open, state), (kind, class, country), (asn, prefix), members, span)| {
                IncidentFilter {
                    order: span.2,
                    is_open,
                    state,
                    kind,
                    class,
                    country,
                    asn: asn.map(|(asn, role)| (Asn(asn), role)),
                    prefix,
                    member: members.0,
                    touches_members: members.1,
                    first_seen_from: span.0,
                    first_seen_before: span.1,
                }
            },
        )
}

#[test]
fn every_filter_lists_what_meets_it_in_order() {
    let mut fixture = Fixture::new();
    let incidents = incidents();
    fixture.record(incidents.clone());
    let reader = fixture.store.reader().unwrap();
    let ids = |filter: &IncidentFilter| {
        let mut found: Vec<_> = incidents.iter().filter(|it| meets(filter, it)).collect();
        let rank = |it: &IncidentVersion| match filter.order {
            Order::NewestFirst | Order::OldestFirst => 0,
            Order::WorstFirst => it.severity,
            Order::SurestFirst => it.confidence,
        };
        found.sort_by_key(|it| std::cmp::Reverse((rank(it), it.first_seen, it.id.clone())));
        if filter.order == Order::OldestFirst {
            found.reverse();
        }
        found.into_iter().map(|it| it.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(listed(&reader, &IncidentFilter::default(), 9).len(), 150);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(400));
    runner
        .run(&(filters(), 1usize..40), |(filter, limit)| {
            prop_assert_eq!(listed(&reader, &filter, limit), ids(&filter));
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_visit_may_end_anywhere_and_go_on_from_there() {
    let mut fixture = Fixture::new();
    fixture.record(incidents());
    let reader = fixture.store.reader().unwrap();
    for order in ORDERS {
        let filter = IncidentFilter { order, ..IncidentFilter::default() };
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let mut left = 7;
            let next = reader.visit(&filter, cursor, 10, |summary, stored| {
                assert_eq!(summary.id, stored.id);
                seen.push(summary.id);
                left -= 1;
                if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            cursor = next.unwrap();
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, listed(&reader, &filter, 150));
    }
}

#[test]
fn hours_are_counted_as_days_are() {
    let mut fixture = Fixture::new();
    let version = |n: u32| IncidentVersion {
        key: n.to_string(),
        first_seen: at(n * 1_200),
        last_seen: at(n * 1_200),
        ..hijack(&n.to_string())
    };
    fixture.record((0..9).map(version).collect());
    let reader = fixture.store.reader().unwrap();
    let counts = reader.counts_by_hour(at(0), at(7_200)).unwrap();
    let told: Vec<_> = counts.iter().map(|it| (it.from, it.count)).collect();
    assert_eq!(told, [(at(0), 3), (at(3_600), 3)]);
}

/// How `SQLite` goes about a page.
fn plan(fixture: &Fixture, filter: &IncidentFilter, part: Part) -> String {
    let query = Query::page(Driver::of(&fixture.store.conn, filter).unwrap(), filter, part, 10);
    let mut plan =
        fixture.store.conn.prepare(&format!("EXPLAIN QUERY PLAN {}", query.sql)).unwrap();
    let lines = plan.query_map(rusqlite::params_from_iter(query.values), |row| row.get(3)).unwrap();
    lines.collect::<Result<Vec<String>, _>>().unwrap().join("\n")
}

/// A store with all incidents, to ask for plans.
fn planned() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.record(incidents());
    fixture
}

fn by_prefix(prefix: &str, relation: PrefixMatch) -> IncidentFilter {
    IncidentFilter {
        prefix: Some((prefix.parse().unwrap(), relation)),
        ..IncidentFilter::default()
    }
}

/// Filters and the index that walks them.
fn walks() -> [(IncidentFilter, &'static str); 12] {
    let any = IncidentFilter::default();
    [
        (any.clone(), "incidents_by_time ("),
        (IncidentFilter { is_open: Some(true), ..any.clone() }, "incidents_open ("),
        (
            IncidentFilter { kind: Some("outage".into()), ..any.clone() },
            "incidents_by_kind (kind=? AND ",
        ),
        (
            IncidentFilter { class: Some("low".into()), ..any.clone() },
            "incidents_by_class (class=? AND ",
        ),
        (
            IncidentFilter { state: Some("ended".into()), ..any.clone() },
            "incidents_by_state (state=? AND ",
        ),
        (
            IncidentFilter {
                state: Some("ended".into()),
                kind: Some("outage".into()),
                ..any.clone()
            },
            "incidents_by_kind_state (kind=? AND state=? AND ",
        ),
        (
            IncidentFilter {
                state: Some("ended".into()),
                kind: Some("outage".into()),
                class: Some("low".into()),
                ..any.clone()
            },
            "incidents_by_all (kind=? AND class=? AND state=? AND ",
        ),
        (
            IncidentFilter { asn: Some((Asn(64496), None)), ..any.clone() },
            "SEARCH d USING PRIMARY KEY (asn=? AND ",
        ),
        (
            IncidentFilter { member: Some("bank".into()), ..any.clone() },
            "SEARCH d USING PRIMARY KEY (member=? AND ",
        ),
        (
            IncidentFilter { touches_members: Some(true), ..any.clone() },
            "SEARCH d USING PRIMARY KEY (member=? AND ",
        ),
        (
            IncidentFilter { country: Some("NL".into()), ..any },
            "SEARCH d USING PRIMARY KEY (country=? AND ",
        ),
        (
            by_prefix("192.0.2.0/24", PrefixMatch::Exact),
            "SEARCH d USING PRIMARY KEY (first=? AND len=? AND ",
        ),
    ]
}

#[test]
fn pages_are_walked_by_an_index_without_sorting() {
    let fixture = planned();
    for (filter, index) in walks() {
        let cursor = Cursor { rank: None, first_seen: 0, number: 1 };
        for (part, end) in [
            (Part::SameTime(cursor), "first_seen=? AND rowid<?)"),
            (Part::SameRank(cursor), "first_seen<?)"),
        ] {
            let plan = plan(&fixture, &filter, part);
            let end = if plan.contains("PRIMARY KEY (") {
                end.replace("rowid", "number")
            } else {
                end.to_owned()
            };
            assert!(plan.contains(&format!("{index}{end}")), "{index}{end}\n{plan}");
            assert!(!plan.contains("B-TREE") && !plan.contains("SCAN"), "{plan}");
        }
        let oldest = IncidentFilter { order: Order::OldestFirst, ..filter };
        let plan = plan(&fixture, &oldest, Part::SameRank(cursor));
        assert!(!plan.contains("B-TREE") && !plan.contains("SCAN"), "{plan}");
    }
}

#[test]
fn pages_of_the_worst_are_walked_by_an_index_without_sorting() {
    let fixture = planned();
    for (order, column) in [(Order::WorstFirst, "severity"), (Order::SurestFirst, "confidence")] {
        let filter = IncidentFilter {
            order,
            kind: Some("outage".into()),
            member: Some("bank".into()),
            asn: Some((Asn(64496), None)),
            ..IncidentFilter::default()
        };
        let cursor = Cursor { rank: Some(7), first_seen: 0, number: 1 };
        for (part, end) in [
            (Part::SameTime(cursor), "=? AND first_seen=? AND rowid<?)"),
            (Part::SameRank(cursor), "=? AND first_seen<?)"),
            (Part::OtherRank(7), "<?)"),
        ] {
            let plan = plan(&fixture, &filter, part);
            let index = format!("incidents_open_by_{column} ({column}{end}");
            assert!(plan.contains(&index) && !plan.contains("B-TREE"), "{index}\n{plan}");
        }
    }
}

#[test]
fn what_the_fewest_have_drives_and_the_rest_is_looked_up() {
    let fixture = planned();
    let asn = Some((Asn(64496), None));
    for (filter, drives) in [
        (IncidentFilter { asn, country: Some("NL".into()), ..IncidentFilter::default() }, "(asn=?"),
        (
            IncidentFilter { asn, member: Some("university".into()), ..IncidentFilter::default() },
            "(member=?",
        ),
        (
            IncidentFilter { asn, ..by_prefix("2001:db8:1::/48", PrefixMatch::Covered) },
            "(first>? AND first<?",
        ),
    ] {
        let plan = plan(&fixture, &filter, Part::All);
        assert!(plan.starts_with("SEARCH d USING PRIMARY KEY"), "{plan}");
        assert!(plan.contains(drives), "{drives}\n{plan}");
    }
    // These gather what matches and sort it.
    let covering = plan(&fixture, &by_prefix("192.0.2.0/24", PrefixMatch::Covering), Part::All);
    assert!(covering.contains("SEARCH d USING PRIMARY KEY (first=? AND len=?"), "{covering}");
    let covered = plan(&fixture, &by_prefix("192.0.2.0/24", PrefixMatch::Covered), Part::All);
    assert!(covered.contains("SEARCH d USING PRIMARY KEY (first>? AND first<?"), "{covered}");
}

#[test]
fn answers_are_bounded_and_counted() {
    let mut fixture = Fixture::new();
    let version = |n: usize| IncidentVersion {
        key: n.to_string(),
        first_seen: at(u32::try_from(n % 2).unwrap() * 86_400),
        last_seen: at(99_999),
        report: false,
        prefixes: (0..6).map(|n| format!("192.0.2.{}/27", n * 32).parse().unwrap()).collect(),
        ..hijack(&n.to_string())
    };
    fixture.record((0..=ROWS_MAX).map(version).collect());
    let reader = fixture.store.reader().unwrap();
    let page = reader.list(&IncidentFilter::default(), None, usize::MAX).unwrap();
    assert_eq!(page.incidents.len(), PAGE_MAX);
    assert_eq!(reader.list(&IncidentFilter::default(), None, 0).unwrap().incidents.len(), 1);
    let rows = reader.journal(2, usize::MAX).unwrap();
    assert_eq!((rows.len(), rows[0].seq), (ROWS_MAX, 2));
    assert_eq!(reader.history("7", 0, usize::MAX).unwrap().len(), 1);
    assert!(reader.history("7", 8, usize::MAX).unwrap().is_empty());
    let counts = reader.counts(at(0).plus_secs(-86_400), at(86_401)).unwrap();
    let told: Vec<_> = counts.iter().map(|it| (it.from, it.kind.as_str(), it.count)).collect();
    let midnight = at(0).plus_secs(-at(0).secs().rem_euclid(86_400));
    assert_eq!(
        told,
        [(midnight, "origin_hijack", 5_001), (midnight.plus_secs(86_400), "origin_hijack", 5_000)]
    );
    assert_eq!(reader.count(&IncidentFilter::default(), 77).unwrap(), 77);
    assert_eq!(reader.count(&IncidentFilter::default(), usize::MAX).unwrap(), 10_001);
    assert_eq!(reader.last_seq().unwrap(), 10_001);
    // A prefix that so many have is walked, not gathered: the answer is the same.
    let everywhere = IncidentFilter {
        prefix: Some(("0.0.0.0/0".parse().unwrap(), PrefixMatch::Covered)),
        ..IncidentFilter::default()
    };
    let plan = plan(&fixture, &everywhere, Part::All);
    assert!(plan.contains("incidents_by_time") && !plan.contains("B-TREE"), "{plan}");
    assert_eq!(reader.list(&everywhere, None, PAGE_MAX).unwrap(), page);
    for (address, is_there) in [("192.0.2.9/32", true), ("192.0.2.250/32", false)] {
        let relation = PrefixMatch::Covering;
        let host = IncidentFilter {
            prefix: Some((address.parse().unwrap(), relation)),
            ..IncidentFilter::default()
        };
        assert_eq!(!reader.list(&host, None, 9).unwrap().incidents.is_empty(), is_there);
    }
}

#[test]
fn a_text_that_is_no_cursor_is_told() {
    for bad in ["", "1", "1.", ".1", "a.b", "256.2.3", "1.2.3.4", "1.99999999999999999999"] {
        assert!(bad.parse::<Cursor>().is_err(), "{bad:?}");
    }
    for (text, order) in [("-1.2", Order::OldestFirst), ("100.1.2", Order::WorstFirst)] {
        let cursor: Cursor = text.parse().unwrap();
        assert_eq!(cursor.to_string(), text);
        for other in ORDERS {
            assert_eq!(cursor.fits(other), other.rank().is_some() == order.rank().is_some());
        }
    }
}

#[test]
fn a_read_that_is_interrupted_ends() {
    let mut fixture = Fixture::new();
    fixture.record(incidents());
    let reader = fixture.store.reader().unwrap();
    let interrupter = reader.interrupter();
    let mut seen = 0;
    let ended = reader.visit(&IncidentFilter::default(), None, 100, |_, _| {
        seen += 1;
        interrupter.interrupt();
        ControlFlow::Continue(())
    });
    assert!(matches!(ended, Err(crate::StoreError::Interrupted)));
    assert_eq!(seen, 1);
    assert!(matches!(reader.last_seq(), Err(crate::StoreError::Interrupted)));

    // In the middle of one statement, too: the join of all rows with all others.
    let path = fixture.dir.path().join(crate::STORE_FILE);
    let conn = crate::schema::open_reader(&path, &crate::schema::STORE).unwrap();
    let interrupter = crate::Interrupter::of(&conn).unwrap();
    let reading = std::thread::spawn(move || {
        let sql = "SELECT count(*) FROM journal a, journal b, journal c, journal d, journal e";
        crate::StoreError::from(conn.query_row(sql, (), |row| row.get::<_, i64>(0)).unwrap_err())
    });
    interrupter.interrupt();
    assert!(matches!(reading.join().unwrap(), crate::StoreError::Interrupted));
}
