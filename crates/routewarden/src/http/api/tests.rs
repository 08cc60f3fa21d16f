//! Every route, over a small store.

mod description;
mod hostile;
mod lists;
mod one;
mod readiness;
mod streams;
mod table;
mod trails;

use std::collections::BTreeMap;
use std::future::ready;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use futures_util::future::BoxFuture;
use hyper_util::service::TowerToHyperService;
use routewarden_core::{Asn, Timestamp};
use routewarden_detect::look::Query;
use routewarden_feeds::live::Clock;
use routewarden_store::{AsnRole, IncidentVersion, Note, Store};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::http::rate::{ClientAddress, RateLimit};
use crate::readiness::Observatory;
use crate::status::tests::full;
use crate::status::{Look, NoLook, Snapshot};

/// A day in 2026 on which all tests take place.
const T0: u32 = 1_795_824_000;

fn at(secs: u32) -> Timestamp {
    Timestamp::from_secs(T0 + secs)
}

/// Status of a program that watches, with an observatory over the store of a folder.
struct Fixed(Arc<Observatory>);

impl ServeStatus for Fixed {
    fn snapshot(&self) -> Snapshot {
        Snapshot { now: at(3_600), ..full() }
    }

    fn observatory(&self) -> Option<Arc<Observatory>> {
        Some(Arc::clone(&self.0))
    }

    fn look(&self, query: Query) -> BoxFuture<'_, Result<Look, NoLook>> {
        Box::pin(ready(table::look(query)))
    }
}

/// The whole router over a store of its own.
struct Server {
    dir: TempDir,
    store: Store,
    api: Arc<Api>,
    router: Router,
    cancel: CancellationToken,
    observatory: Arc<Observatory>,
}

/// The time of all tests.
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        at(7_200)
    }
}

fn observatory(folder: &std::path::Path) -> Arc<Observatory> {
    Arc::new(Observatory::new(folder.to_owned(), Arc::new(Stopped)))
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        serde_json::from_str(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Code and parameter of a problem.
    fn problem(&self) -> (u16, String, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.body);
        let problem: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem["status"], self.status.as_u16());
        assert_eq!(problem["type"], format!("/problems/{}", problem["code"].as_str().unwrap()));
        let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
        (self.status.as_u16(), text("code"), text("parameter"))
    }

    /// The query of the next page.
    fn next(&self) -> Option<String> {
        let link = self.header("link");
        let query = link.strip_prefix("<?")?.strip_suffix(">; rel=\"next\"")?;
        Some(query.to_owned())
    }
}

impl Server {
    fn new() -> Self {
        Self::with_connections(64)
    }

    fn with_connections(connections_max: u32) -> Self {
        let dir = TempDir::new().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let cancel = CancellationToken::new();
        let path = dir.path().to_owned();
        let observatory = observatory(dir.path());
        let status = Arc::new(Fixed(Arc::clone(&observatory)));
        let shared = Arc::<Fixed>::clone(&status);
        let api = Arc::new(Api::new(shared, path, connections_max, cancel.clone()));
        let before = (crate::http::access::tests::off(), RateLimit::new(1));
        let router = crate::http::router(status, Arc::clone(&api), before);
        Server { dir, store, api, router, cancel, observatory }
    }

    /// With some incidents, before the table is surveyed.
    fn unsurveyed() -> Self {
        let mut server = Self::new();
        server.record(vec![hijack(1)]);
        server
    }

    /// With some incidents, and a note of each kind.
    fn filled() -> Self {
        let mut server = Self::new();
        server.record(vec![hijack(1), leak(2), hijack(3)]);
        server.record(vec![over(hijack(1))]);
        let detail = serde_json::value::to_raw_value(&json!({ "why": "test" })).ok();
        let feed = "rrc04".to_owned();
        let notes = [
            Note::FeedState {
                feed: feed.clone(),
                state: "ok".to_owned(),
                at: at(1),
                detail: detail.clone(),
            },
            Note::Gap { feed, from: at(5), to: Some(at(9)), filled: true, detail: None },
            Note::FactsApplied {
                name: "vrps".to_owned(),
                version: "sha256 00".to_owned(),
                at: at(2),
                detail,
            },
        ];
        server.store.note(&notes, at(100)).unwrap();
        readiness::survey(&server.observatory);
        server
    }

    fn record(&mut self, versions: Vec<IncidentVersion>) {
        let tick = self.store.record(versions, at(100)).unwrap();
        assert!(tick.refused.is_empty());
    }

    async fn send(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let service = TowerToHyperService::new(self.router.clone());
        hyper::service::Service::call(&service, request).await.unwrap()
    }

    async fn ask_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let (head, body) = self.send(path, headers).await.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let body = String::from_utf8_lossy(&body).into_owned();
        Answer { status: head.status, headers: head.headers, body }
    }

    async fn ask(&self, path: &str) -> Answer {
        self.ask_with(&format!("{BASE}{path}"), &[]).await
    }

    /// Ids of a list.
    async fn ids(&self, query: &str) -> Vec<String> {
        ids_of(&self.ask(&format!("/incidents?{query}")).await.json()["items"])
    }
}

fn ids_of(items: &Value) -> Vec<String> {
    let items = items.as_array().unwrap();
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// What the detector says of an incident, as far as the API reads it.
fn body(extra: &Value) -> Box<serde_json::value::RawValue> {
    let mut body = json!({
        "prefix_count": 1,
        "standing": false,
        "vantage_points": { "seen": 3, "of": 11, "peak": 3, "now": 2 },
        "rov": { "state": "invalid", "reason": "asn" },
        "constituency": [{ "member": "example", "name": "Example Ltd", "role": "victim" }],
        "as_names": { "64496": "CULPRIT-AS", "64500": "VICTIM-AS", "64511": "PEER-AS" },
        "sample_paths": [{
            "time": at(1), "collector": "rrc04", "peer_asn": 64511, "peer_addr": "192.0.2.1",
            "prefix": "192.0.2.0/24", "path": "64511 {64497,64498} 64496"
        }],
        "countermeasures": [{
            "time": at(30), "prefix": "192.0.2.0/25", "origin": 64500, "action": "more_specific"
        }],
        "evidence": [{ "rule": "rov_invalid", "weight": 30, "text": "invalid", "facts": {} }]
    });
    let more = extra.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(more);
    serde_json::value::to_raw_value(&body).unwrap()
}

/// A hijack of 192.0.2.0/24 by AS64496 from AS64500.
fn hijack(n: u32) -> IncidentVersion {
    IncidentVersion {
        id: format!("RW-20261128-{n:08x}"),
        key: n.to_string(),
        kind: "origin_hijack".to_owned(),
        state: "ongoing".to_owned(),
        class: "high".to_owned(),
        confidence: 90,
        severity: 70,
        first_seen: at(n),
        last_seen: at(n + 10),
        ended_at: None,
        asns: vec![
            (Asn(64496), AsnRole::Culprit),
            (Asn(64500), AsnRole::Victim),
            (Asn(64497), AsnRole::Propagator),
        ],
        prefixes: vec!["192.0.2.0/24".parse().unwrap()],
        countries: vec!["NL".to_owned()],
        members: vec!["example".to_owned()],
        report: true,
        is_withdrawn: false,
        body: body(&json!({})),
    }
}

/// A leak of `2001:db8::/32` by AS64499.
fn leak(n: u32) -> IncidentVersion {
    IncidentVersion {
        kind: "route_leak".to_owned(),
        class: "low".to_owned(),
        asns: vec![(Asn(64499), AsnRole::Culprit)],
        prefixes: vec!["2001:db8::/32".parse().unwrap()],
        countries: vec!["FR".to_owned()],
        members: Vec::new(),
        ..hijack(n)
    }
}

/// The same, over.
fn over(version: IncidentVersion) -> IncidentVersion {
    IncidentVersion {
        state: "ended".to_owned(),
        ended_at: Some(at(600)),
        last_seen: at(590),
        ..version
    }
}

fn id(n: u32) -> String {
    hijack(n).id
}

/// Every route with values for what its path asks, and what its JSON must have.
fn routes() -> BTreeMap<String, &'static str> {
    let one = format!("/incidents/{}", id(1));
    [
        ("/incidents".to_owned(), "items"),
        (format!("{one}/history"), "items"),
        (format!("{one}/replay"), "events"),
        (format!("{one}/updates"), "items"),
        (one, "incident"),
        ("/asns/AS64496".to_owned(), "counts"),
        ("/prefixes/192.0.2.0/24".to_owned(), "covering"),
        ("/countries/nl".to_owned(), "counts"),
        ("/table/prefixes/192.0.2.0/24".to_owned(), "total_peers"),
        ("/table/asns/AS64496".to_owned(), "neighbours"),
        ("/feeds".to_owned(), "gaps"),
        ("/facts".to_owned(), "versions"),
        ("/statistics".to_owned(), "buckets"),
        ("/readiness/profiles".to_owned(), "profiles"),
        ("/readiness/periods".to_owned(), "windows"),
        ("/readiness/groups/country".to_owned(), "groups"),
        ("/readiness/groups/country/NL".to_owned(), "group"),
        ("/readiness/ases".to_owned(), "ases"),
        ("/readiness/ases/AS64496".to_owned(), "actions"),
        ("/readiness/observatory/v2/scores/summary".to_owned(), "scores"),
        ("/openapi.json".to_owned(), "openapi"),
    ]
    .into()
}
