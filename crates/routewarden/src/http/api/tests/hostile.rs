//! What is asked wrongly, or in bad faith.

use super::*;

#[tokio::test]
async fn what_is_wrong_is_named() {
    let server = Server::filled();
    for (path, parameter) in [
        ("/incidents?kind=hijack", "kind"),
        ("/incidents?kind=", "kind"),
        ("/incidents?class=HIGH", "class"),
        ("/incidents?state=open", "state"),
        ("/incidents?open=1", "open"),
        ("/incidents?from=yesterday", "from"),
        ("/incidents?before=2026-13-01", "before"),
        ("/incidents?asn=-1", "asn"),
        ("/incidents?asn=4294967296", "asn"),
        ("/incidents?role=victim", "role"),
        ("/incidents?asn=1&role=thief", "role"),
        ("/incidents?prefix=192.0.2.0", "prefix"),
        ("/incidents?prefix=192.0.2.0/33", "prefix"),
        ("/incidents?match=exact", "match"),
        ("/incidents?prefix=::/0&match=near", "match"),
        ("/incidents?country=NLD", "country"),
        ("/incidents?country=%ff%fe", "country"),
        ("/incidents?member=", "member"),
        ("/incidents?member=a/b", "member"),
        ("/incidents?constituency=yes", "constituency"),
        ("/incidents?sort=-severity", "sort"),
        ("/incidents?sort=-confidence&open=false", "sort"),
        ("/incidents?sort=-severity&open=true&cursor=1.2", "cursor"),
        ("/incidents?cursor=1.2.3", "cursor"),
        ("/incidents?sort=severity", "sort"),
        ("/incidents?limit=0", "limit"),
        ("/incidents?limit=501", "limit"),
        ("/incidents?limit=%2B5", "limit"),
        ("/incidents?limit=99999999999999999999", "limit"),
        ("/incidents?format=csv&limit=10001", "limit"),
        ("/incidents?format=xml", "format"),
        ("/incidents?cursor=1", "cursor"),
        ("/incidents?cursor=99999999999999999999.1", "cursor"),
        ("/incidents/%00", "id"),
        ("/incidents/%ff", "id"),
        ("/incidents/a%20b/history", "id"),
        ("/incidents/RW-20261128-00000001/history?limit=201", "limit"),
        ("/incidents/RW-20261128-00000001/history?after=-1", "after"),
        ("/asns/ASx", "asn"),
        ("/asns/%ff", "asn"),
        ("/prefixes/192.0.2.0/33", "length"),
        ("/prefixes/192.0.2.0/+8", "length"),
        ("/prefixes/x/8", "address"),
        ("/prefixes/%ff/8", "address"),
        ("/countries/n1", "country"),
        ("/table/prefixes/192.0.2.0/33", "length"),
        ("/table/prefixes/192.0.2/24", "address"),
        ("/table/prefixes/192.0.2.0/24?match=near", "match"),
        ("/table/prefixes/192.0.2.0/24?limit=0", "limit"),
        ("/table/prefixes/192.0.2.0/24?limit=201", "limit"),
        ("/table/asns/ASx", "asn"),
        ("/table/asns/%ff", "asn"),
        ("/feeds?gaps_from=x", "gaps_from"),
        ("/statistics?by=year", "by"),
        ("/statistics?from=2026-11-29&before=2026-11-28", "before"),
        ("/statistics?from=0000-01-01&before=9999-12-31", "before"),
        ("/statistics?by=hour&from=2026-01-01&before=2026-11-28", "before"),
    ] {
        let expected = (400, "bad_parameter".to_owned(), parameter.to_owned());
        assert_eq!(server.ask(path).await.problem(), expected, "{path}");
    }
}

#[tokio::test]
async fn no_parameter_is_passed_over_or_taken_twice() {
    let server = Server::filled();
    for path in routes().into_keys().chain(["/events".to_owned()]) {
        let unknown = server.ask(&format!("{path}?severity=9")).await.problem();
        assert_eq!(unknown, (400, "unknown_parameter".to_owned(), "severity".to_owned()), "{path}");
        let twice = server.ask(&format!("{path}?a=1&a=1")).await.problem();
        assert_eq!(twice, (400, "repeated_parameter".to_owned(), "a".to_owned()), "{path}");
        let long = "x".repeat(QUERY_OCTETS_MAX + 1);
        let long = server.ask(&format!("{path}?{long}")).await.problem();
        assert_eq!(long, (414, "query_too_long".to_owned(), String::new()), "{path}");
    }
    let most = format!("/incidents?{}", "&".repeat(QUERY_OCTETS_MAX));
    assert_eq!(server.ask(&most).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_not_there_is_a_problem() {
    let server = Server::filled();
    for path in ["/incidents/RW-1", "/incidents/RW-1/history", "/incidents/RW-1/replay", "", "/x"] {
        let (status, code, _) = server.ask(path).await.problem();
        assert_eq!((status, code.as_str()), (404, "not_found"), "{path}");
    }
    let request = Request::post(format!("{BASE}/incidents")).body(Body::empty()).unwrap();
    let service = TowerToHyperService::new(server.router.clone());
    let response = hyper::service::Service::call(&service, request).await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
}

/// Every parameter with everything that is not meant for it: an answer or a refusal, no fault.
#[tokio::test]
async fn hostile_values_are_refused_or_harmless() {
    const VALUES: [&str; 14] = [
        "%00",
        "'",
        "%27%20OR%201=1--",
        "%22",
        "%25",
        "%",
        "%zz",
        "%F0%9F%92%A9",
        "%E2%80%AE",
        "-9223372036854775808",
        "9223372036854775807.9223372036854775807",
        "-9223372036854775808.-9223372036854775808",
        "1e309",
        "../../etc/passwd",
    ];
    const NAMES: [&str; 20] = [
        "kind",
        "class",
        "state",
        "open",
        "from",
        "before",
        "asn",
        "role",
        "prefix",
        "match",
        "country",
        "sort",
        "limit",
        "cursor",
        "format",
        "after",
        "by",
        "gaps_from",
        "member",
        "constituency",
    ];
    let server = Server::filled();
    for path in routes().into_keys() {
        for name in NAMES {
            for value in VALUES {
                let path = format!("{path}?{name}={value}");
                let answer = server.ask(&path).await;
                if answer.status != StatusCode::OK {
                    let (status, _, parameter) = answer.problem();
                    assert_eq!((status, parameter.as_str()), (400, name), "{path}");
                }
            }
        }
    }
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let server = Server::filled();
    let ask = async |path: &str, address: &str| {
        let mut request = Request::get(path).body(Body::empty()).unwrap();
        request.extensions_mut().insert(ClientAddress(address.parse().unwrap()));
        let service = TowerToHyperService::new(server.router.clone());
        hyper::service::Service::call(&service, request).await.unwrap()
    };
    let path = format!("{BASE}/openapi.json");
    let mut answers = Vec::new();
    // However slow this machine is, it asks more than once a second.
    while answers.last() != Some(&StatusCode::TOO_MANY_REQUESTS) {
        answers.push(ask(&path, "127.0.0.1").await.status());
    }
    assert!(answers.len() > 4, "{answers:?}");
    let refused = ask(&path, "127.0.0.1").await;
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    assert_eq!(ask(&path, "192.0.2.1").await.status(), StatusCode::OK);
    assert_eq!(ask("/healthz", "127.0.0.1").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn without_a_store_it_says_so() {
    let cancel = CancellationToken::new();
    let mut server = Server::new();
    let status = Arc::new(Fixed(Arc::clone(&server.observatory)));
    let shared = Arc::<Fixed>::clone(&status);
    let api = Arc::new(Api::new(shared, "/nowhere".into(), 8, cancel));
    let before = (crate::http::access::tests::off(), RateLimit::new(1));
    server.router = crate::http::router(status, api, before);
    let answer = server.ask("/incidents").await;
    assert_eq!(answer.problem(), (503, "store_unavailable".to_owned(), String::new()));
    assert!(!answer.body.contains("nowhere"), "{}", answer.body);
    assert_eq!(server.ask("/openapi.json").await.status, StatusCode::OK);
}
