//! One incident: whole, its history, its replay.

use super::*;

#[tokio::test]
async fn the_whole_has_the_incident_as_the_detector_gave_it() {
    let mut server = Server::filled();
    let whole = server.ask(&format!("/incidents/{}", id(1))).await.json();
    assert_eq!(whole["incident"]["evidence"][0]["rule"], "rov_invalid");
    assert_eq!(whole["propagators"], json!([64497]));
    assert_eq!((&whole["ended_unseen"], &whole["detector_ids"]), (&false.into(), &json!([id(1)])));
    // The detector has another id for it after a restart: both find it.
    server.store.forget_detector();
    let again = IncidentVersion { id: id(99), ..hijack(3) };
    server.record(vec![again]);
    for known in [id(3), id(99)] {
        let whole = server.ask(&format!("/incidents/{known}")).await.json();
        assert_eq!((&whole["id"], &whole["detector_id"]), (&id(3).into(), &id(99).into()));
    }
}

#[tokio::test]
async fn history_is_paged_and_has_versions_and_reports() {
    let mut server = Server::filled();
    let pending = server.store.pending_reports(10).unwrap();
    server.store.mark_sent(&pending, at(101)).unwrap();
    let path = format!("/incidents/{}/history", id(1));
    let history = server.ask(&path).await.json();
    let items = history["items"].as_array().unwrap();
    let changes: Vec<&str> = items.iter().map(|it| it["change"].as_str().unwrap()).collect();
    assert_eq!(changes, ["opened", "ended", "report_sent", "report_sent"]);
    assert_eq!(history["next"], Value::Null);
    let (opened, sent) = (&items[0], &items[2]);
    assert_eq!((&opened["at"], &opened["version"]), (&json!(at(1)), &1.into()));
    assert_eq!((&opened["reports"], &opened["report"]), (&json!(["opened"]), &Value::Null));
    assert_eq!(opened["vantage_points"]["seen"], 3);
    assert_eq!((&sent["report"], &sent["kind"]), (&"opened".into(), &Value::Null));
    assert_eq!(items[1]["ended_at"], json!(at(600)));
    let (mut paged, mut after) = (Vec::new(), json!(0));
    while after != Value::Null {
        let page = server.ask(&format!("{path}?limit=1&after={after}")).await.json();
        paged.extend(page["items"].as_array().unwrap().clone());
        after = page["next"].clone();
    }
    assert_eq!(&paged, items);
}

#[tokio::test]
async fn a_long_history_is_read_in_parts() {
    let mut server = Server::new();
    for n in 0..50 {
        server.record(vec![IncidentVersion { last_seen: at(20 + n), ..hijack(1) }]);
    }
    let path = format!("/incidents/{}/history", id(1));
    let history = server.ask(&format!("{path}?limit=41")).await.json();
    assert_eq!(history["items"].as_array().unwrap().len(), 41);
    let next = history["next"].as_i64().unwrap();
    let rest = server.ask(&format!("{path}?after={next}")).await.json();
    assert_eq!(rest["items"].as_array().unwrap().len(), 9);
    assert_eq!(rest["next"], Value::Null);
}

#[tokio::test]
async fn a_replay_is_made_of_the_samples_of_all_versions() {
    let mut server = Server::new();
    server.record(vec![hijack(1)]);
    let sample = json!({
        "time": at(40), "collector": "route-views2", "peer_asn": 64510, "peer_addr": "2001:db8::1",
        "prefix": "192.0.2.0/24", "path": "64510 64496"
    });
    let more = body(&json!({ "sample_paths": [sample] }));
    server.record(vec![IncidentVersion { body: more, ..over(hijack(1)) }]);
    let replay = server.ask(&format!("/incidents/{}/replay", id(1))).await.json();
    assert_eq!(replay["query_starttime"], json!(at(1)));
    assert_eq!(replay["query_endtime"], json!(at(600)));
    assert_eq!(replay["targets"], json!([{ "prefix": "192.0.2.0/24" }]));
    assert_eq!(replay["initial_state"], json!([]));
    let source =
        json!({ "id": "rrc04-192.0.2.1", "as_number": 64511, "ip": "192.0.2.1", "rrc": "rrc04" });
    assert!(replay["sources"].as_array().unwrap().contains(&source));
    let events = replay["events"].as_array().unwrap();
    let told: Vec<_> = events
        .iter()
        .map(|it| (it["type"].as_str().unwrap(), it["timestamp"].clone(), it["inferred"] == true))
        .collect();
    let (first, second, end) = (json!(at(1)), json!(at(40)), json!(at(600)));
    assert_eq!(
        told,
        [("A", first, false), ("A", second, false), ("W", end.clone(), true), ("W", end, true)]
    );
    let attributes = json!({
        "source_id": "rrc04-192.0.2.1", "target_prefix": "192.0.2.0/24",
        "path": [64511, 64497, 64498, 64496], "path_text": "64511 {64497,64498} 64496",
        "community": []
    });
    assert_eq!(events[0]["attrs"], attributes);
    assert_eq!(events[3]["attrs"]["path"], json!([]));
    let roles: BTreeMap<u64, &str> = replay["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| (node["as_number"].as_u64().unwrap(), node["role"].as_str().unwrap()))
        .collect();
    let expected = [
        (64496, "culprit"),
        (64497, "propagator"),
        (64498, "other"),
        (64500, "victim"),
        (64510, "source"),
        (64511, "source"),
    ];
    assert_eq!(roles, expected.into());
    assert_eq!(replay["visibility"].as_array().unwrap().len(), 2);
    assert_eq!(replay["countermeasures"][0]["action"], "more_specific");
    let basis = json!({
        "samples": 2, "versions": 2, "events": 0, "complete": false, "reason": "no_trail"
    });
    assert_eq!(replay["basis"], basis);
    assert_eq!(replay["sessions"], json!([]));
}

#[tokio::test]
async fn what_stood_at_the_start_is_the_initial_state() {
    let mut server = Server::new();
    let standing = body(&json!({ "standing": true }));
    server.record(vec![IncidentVersion { body: standing, ..hijack(1) }]);
    let replay = server.ask(&format!("/incidents/{}/replay", id(1))).await.json();
    assert_eq!(replay["initial_state"][0]["source_id"], "rrc04-192.0.2.1");
    assert_eq!(replay["events"], json!([]));
    assert_eq!(replay["query_endtime"], json!(at(11)));
}
