//! Lists: filters, pages, exports; what touches an AS, a prefix, a country; statistics.

use std::task::Poll;

use super::*;

#[tokio::test]
async fn every_route_answers_with_the_headers_of_its_kind() {
    let server = Server::filled();
    for (path, has) in routes() {
        let answer = server.ask(&path).await;
        assert!(answer.json().get(has).is_some(), "{path}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/json", "{path}");
        assert_eq!(answer.header("cache-control"), "private, no-cache", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        let tag = answer.header("etag");
        assert!(tag.len() == 66 && tag.starts_with('"'), "{path}: {tag}");
        for known in [tag.to_owned(), format!("\"x\", W/{tag}"), "*".to_owned()] {
            let path = format!("{BASE}{path}");
            let again = server.ask_with(&path, &[("if-none-match", &known)]).await;
            assert_eq!((again.status.as_u16(), again.body.as_str()), (304, ""), "{path}");
            assert_eq!(again.header("etag"), tag);
        }
        let other = server.ask_with(&format!("{BASE}{path}"), &[("if-none-match", "\"x\"")]).await;
        assert_eq!(other.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn head_is_answered_as_get_without_a_body() {
    let server = Server::filled();
    for path in routes().into_keys() {
        let path = format!("{BASE}{path}");
        let got = server.ask_with(&path, &[]).await;
        let request = Request::head(&path).body(Body::empty()).unwrap();
        let service = TowerToHyperService::new(server.router.clone());
        let head = hyper::service::Service::call(&service, request).await.unwrap();
        assert_eq!(head.status(), StatusCode::OK, "{path}");
        assert_eq!(head.headers()["etag"], got.header("etag"), "{path}");
        assert_eq!(head.headers()["content-length"], got.body.len().to_string(), "{path}");
        assert!(to_bytes(head.into_body(), 1).await.unwrap().is_empty(), "{path}");
    }
}

#[tokio::test]
async fn an_item_has_what_a_list_shows() {
    let server = Server::filled();
    let list = server.ask("/incidents?open=false").await.json();
    assert_eq!(list["next"], Value::Null);
    let item = &list["items"][0];
    let expected = json!({
        "number": 1, "id": id(1), "detector_id": id(1), "kind": "origin_hijack", "state": "ended",
        "class": "high", "confidence": 90, "severity": 70, "first_seen": at(1),
        "last_seen": at(590), "ended_at": at(600), "opened_at": at(100), "updated_at": at(100),
        "version": 2, "reported": true, "culprits": [64496], "victims": [64500],
        "victim_count": 1, "prefixes": ["192.0.2.0/24"], "prefix_count": 1, "countries": ["NL"],
        "vantage_points": { "seen": 3, "of": 11, "peak": 3, "now": 2 },
        "rov": { "state": "invalid", "reason": "asn" },
        "constituency": [{ "member": "example", "name": "Example Ltd", "role": "victim" }],
        "as_names": { "64496": "CULPRIT-AS", "64500": "VICTIM-AS" }
    });
    assert_eq!(item, &expected);
}

#[tokio::test]
async fn an_item_lists_a_part_of_many_parties_and_the_whole_has_all() {
    let mut server = Server::new();
    let asns = (0..12).map(|n| (Asn(64496 + n), AsnRole::Victim)).collect();
    let prefixes = (0..12).map(|n| format!("192.0.2.{n}/32").parse().unwrap()).collect::<Vec<_>>();
    server.record(vec![IncidentVersion {
        asns,
        prefixes,
        body: serde_json::value::to_raw_value(&json!({ "other": "program" })).unwrap(),
        ..hijack(1)
    }]);
    let list = server.ask("/incidents").await.json();
    let item = &list["items"][0];
    let len = |value: &Value| value.as_array().unwrap().len();
    assert_eq!((len(&item["victims"]), len(&item["prefixes"])), (10, 10));
    assert_eq!((&item["victim_count"], &item["prefix_count"]), (&json!(12), &json!(12)));
    assert_eq!((&item["vantage_points"], &item["rov"]), (&Value::Null, &Value::Null));
    let whole = server.ask(&format!("/incidents/{}", id(1))).await.json();
    assert_eq!((len(&whole["victims"]), len(&whole["prefixes"])), (12, 12));
}

#[tokio::test]
async fn filters_and_orders() {
    let server = Server::filled();
    for (query, found) in [
        ("", vec![3, 2, 1]),
        ("sort=first_seen", vec![1, 2, 3]),
        ("kind=route_leak", vec![2]),
        ("class=high", vec![3, 1]),
        ("state=ended", vec![1]),
        ("open=true", vec![3, 2]),
        ("asn=64496", vec![3, 1]),
        ("asn=AS64497&role=propagator", vec![3, 1]),
        ("asn=AS64497&role=victim", vec![]),
        ("country=fr", vec![2]),
        ("class=high&open=true&country=NL", vec![3]),
        ("member=example", vec![3, 1]),
        ("member=other", vec![]),
        ("constituency=true", vec![3, 1]),
        ("constituency=false", vec![2]),
        ("member=example&constituency=false", vec![]),
        ("open=true&sort=-severity", vec![3, 2]),
        ("open=true&sort=-confidence&kind=route_leak&asn=64499", vec![2]),
    ] {
        let found: Vec<String> = found.into_iter().map(id).collect();
        assert_eq!(server.ids(query).await, found, "{query}");
    }
    let span = format!("from={}&before={}", at(2), at(3));
    assert_eq!(server.ids(&span).await, [id(2)]);
    let seconds = format!("from={}", at(3).secs());
    assert_eq!(server.ids(&seconds).await, [id(3)]);
}

#[tokio::test]
async fn prefixes_that_are_the_same_less_and_more_specific() {
    let server = Server::filled();
    for (query, found) in [
        ("prefix=192.0.2.0/24", vec![3, 1]),
        ("prefix=192.0.2.0%2F24&match=exact", vec![3, 1]),
        ("prefix=192.0.2.77/24&match=exact", vec![3, 1]),
        ("prefix=192.0.2.0/25&match=covering", vec![3, 1]),
        ("prefix=192.0.2.0/25&match=covered", vec![]),
        ("prefix=192.0.2.0/25", vec![]),
        ("prefix=192.0.0.0/16", vec![3, 1]),
        ("prefix=192.0.0.0/16&match=covering", vec![]),
        ("prefix=2001:db8::/48&match=covering", vec![2]),
        ("prefix=::/0", vec![2]),
    ] {
        let found: Vec<String> = found.into_iter().map(id).collect();
        assert_eq!(server.ids(query).await, found, "{query}");
    }
    let page = server.ask("/prefixes/192.0.2.0/25").await.json();
    assert_eq!(page["prefix"], "192.0.2.0/25");
    assert_eq!(ids_of(&page["covering"]["items"]), [id(3), id(1)]);
    assert_eq!(page["exact"], json!({ "items": [], "next": null }));
    let page = server.ask("/prefixes/2001:db8::/16").await.json();
    assert_eq!(
        (&page["prefix"], ids_of(&page["covered"]["items"])),
        (&"2001::/16".into(), vec![id(2)])
    );
}

#[tokio::test]
async fn a_walk_gives_every_incident_once_while_new_ones_come_in() {
    let mut server = Server::new();
    // Several were first seen at the same time.
    let old = |n: u32| IncidentVersion {
        first_seen: at(1_000 + n / 5),
        last_seen: at(2_000),
        ..hijack(n)
    };
    server.record((0..103).map(old).collect());
    let mut seen = Vec::new();
    let mut query = "limit=10".to_owned();
    for round in 0.. {
        let answer = server.ask(&format!("/incidents?{query}")).await;
        let page = answer.json();
        seen.extend(ids_of(&page["items"]));
        let Some(next) = answer.next() else {
            assert_eq!(page["next"], Value::Null);
            break;
        };
        assert!(next.ends_with(page["next"].as_str().unwrap()), "{next}");
        query = next;
        let new =
            IncidentVersion { first_seen: at(1_500), last_seen: at(2_000), ..hijack(500 + round) };
        server.record(vec![new]);
    }
    let mut expected: Vec<u32> = (0..103).collect();
    expected.sort_by_key(|n| std::cmp::Reverse((n / 5, *n)));
    assert_eq!(seen, expected.into_iter().map(id).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_worst_come_first_page_by_page() {
    let mut server = Server::new();
    let version = |n: u32| IncidentVersion {
        severity: u8::try_from(n % 3).unwrap(),
        confidence: u8::try_from(n % 7).unwrap(),
        ..hijack(n)
    };
    server.record((0..20).map(version).collect());
    for (sort, modulus) in [("-severity", 3), ("-confidence", 7)] {
        let (mut seen, mut query) = (Vec::new(), format!("open=true&sort={sort}&limit=3"));
        loop {
            let answer = server.ask(&format!("/incidents?{query}")).await;
            seen.extend(ids_of(&answer.json()["items"]));
            let Some(next) = answer.next() else { break };
            query = next;
        }
        let mut expected: Vec<u32> = (0..20).collect();
        expected.sort_by_key(|n| std::cmp::Reverse((n % modulus, *n)));
        assert_eq!(seen, expected.into_iter().map(id).collect::<Vec<_>>(), "{sort}");
    }
}

#[tokio::test]
async fn csv_that_a_spreadsheet_may_open() {
    let mut server = Server::new();
    let members = json!({ "constituency": [{ "member": "=cmd|'/C calc'!A0", "name": "x", "role": "victim" }] });
    server.record(vec![IncidentVersion { body: body(&members), ..hijack(1) }, over(leak(2))]);
    let answer = server.ask("/incidents?format=csv").await;
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    let lines: Vec<&str> = answer.body.split("\r\n").collect();
    assert_eq!(lines.len(), 4, "{}", answer.body);
    assert_eq!(lines[0], csv::HEADER.join(","));
    let start = format!(
        "{},2,route_leak,ended,low,90,70,{},{},{},64499,,2001:db8::/32,1,FR,3,11,invalid,example,",
        id(2),
        at(2),
        at(590),
        at(600)
    );
    assert!(lines[1].starts_with(&start), "{start}\n{}", lines[1]);
    assert!(lines[2].contains(",'=cmd|'/C calc'!A0,"), "{}", lines[2]);
    let first = server.ask("/incidents?format=csv&limit=1").await;
    let second = server.ask(&format!("/incidents?{}", first.next().unwrap())).await;
    assert!(second.body.starts_with(lines[0]) && second.body.contains(lines[2]));
    assert!(!second.body.contains(lines[1]) && second.next().is_none());
}

#[tokio::test]
async fn json_lines_are_whole_incidents_page_by_page() {
    let mut server = Server::new();
    server.record((0..1_203).map(hijack).collect());
    let answer = server.ask("/incidents?format=jsonl").await;
    assert_eq!(answer.header("content-type"), "application/jsonl");
    let whole = server.ask(&format!("/incidents/{}", id(7))).await;
    let lines: Vec<&str> = answer.body.lines().collect();
    assert_eq!((lines.len(), answer.next()), (1_203, None));
    assert_eq!(lines[1_195], whole.body);
    let answer = server.ask("/incidents?format=jsonl&limit=1100&kind=origin_hijack").await;
    assert_eq!(answer.body.lines().count(), 1_100);
    let rest = server.ask(&format!("/incidents?{}", answer.next().unwrap())).await;
    assert_eq!(rest.body.lines().count(), 103);
}

#[tokio::test]
async fn only_so_many_exports_are_under_way() {
    let server = Server::filled();
    let path = format!("{BASE}/incidents?format=csv");
    let mut under_way = Vec::new();
    for _ in 0..EXPORTS_MAX {
        under_way.push(server.send(&path, &[]).await);
    }
    let mut waiting = std::pin::pin!(server.send(&path, &[]));
    let next = std::future::poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context)));
    assert!(next.await.is_pending());
    // The place is free when the client has all of it.
    let body = under_way.pop().unwrap().into_body();
    assert!(!to_bytes(body, usize::MAX).await.unwrap().is_empty());
    assert_eq!(waiting.await.status(), StatusCode::OK);
}

#[tokio::test]
async fn an_export_of_large_incidents_ends_early() {
    let mut server = Server::new();
    let large = body(&json!({ "text": "x".repeat(3 << 20) }));
    let version = |n| IncidentVersion { body: large.clone(), ..hijack(n) };
    server.record((0..12).map(version).collect());
    let answer = server.ask("/incidents?format=jsonl").await;
    assert!(answer.body.len() >= EXPORT_OCTETS_MAX);
    assert_eq!(answer.body.lines().count(), 11);
    let rest = server.ask(&format!("/incidents?{}", answer.next().unwrap())).await;
    assert_eq!((rest.body.lines().count(), rest.next()), (1, None));
}

#[tokio::test]
async fn an_as_and_a_country_with_and_without_incidents() {
    let server = Server::filled();
    let page = server.ask("/asns/64496").await.json();
    assert_eq!((&page["asn"], &page["name"]), (&64496.into(), &"CULPRIT-AS".into()));
    assert_eq!(page["counts"], json!({ "open": 1, "culprit": 2, "victim": 0, "propagator": 0 }));
    assert_eq!(ids_of(&page["incidents"]["items"]), [id(3), id(1)]);
    let page = server.ask("/asns/AS4294967295").await.json();
    assert_eq!((&page["name"], &page["counts"]["open"]), (&Value::Null, &0.into()));
    let page = server.ask("/countries/nl").await.json();
    assert_eq!(
        (&page["country"], &page["counts"]),
        (&"NL".into(), &json!({ "open": 1, "all": 2 }))
    );
    let page = server.ask("/countries/DE").await.json();
    assert_eq!(page["counts"], json!({ "open": 0, "all": 0 }));
}

#[tokio::test]
async fn feeds_facts_and_statistics() {
    let server = Server::filled();
    let feeds = server.ask("/feeds").await.json();
    assert_eq!(feeds["now"], json!(at(3_600)));
    assert_eq!(feeds["sources"][0]["name"], "rrc12");
    assert_eq!(feeds["recorded"][0]["detail"], json!({ "why": "test" }));
    let gap =
        json!({ "feed": "rrc04", "from": at(5), "to": at(9), "filled": true, "detail": null });
    assert_eq!(feeds["gaps"], json!([gap]));
    let later = format!("/feeds?gaps_from={}", at(10));
    assert_eq!(server.ask(&later).await.json()["gaps"], json!([]));
    let facts = server.ask("/facts").await.json();
    assert_eq!(
        (&facts["facts"][0]["kind"], &facts["versions"][0]["name"]),
        (&"vrps".into(), &"vrps".into())
    );
    let days = server.ask("/statistics").await.json();
    let midnight = at(0).plus_secs(-at(0).secs().rem_euclid(86_400));
    assert_eq!(days["before"], json!(midnight.plus_secs(86_400)));
    assert_eq!(days["from"], json!(midnight.plus_secs(-29 * 86_400)));
    let bucket = |kind, class, count| json!({ "time": midnight, "kind": kind, "class": class, "count": count });
    let buckets = json!([bucket("origin_hijack", "high", 2), bucket("route_leak", "low", 1)]);
    assert_eq!(days["buckets"], buckets);
    assert_eq!(days["open"], json!([{ "kind": "origin_hijack", "class": "high", "count": 2 }]));
    let hours =
        server.ask(&format!("/statistics?by=hour&from={}&before={}", at(1), at(3_601))).await;
    let hours = hours.json();
    assert_eq!((&hours["from"], &hours["before"]), (&json!(at(0)), &json!(at(3_600))));
    assert_eq!(hours["buckets"][0]["count"], 2);
}
