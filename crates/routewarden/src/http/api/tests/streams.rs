//! Events, as they are recorded.

use std::time::Duration;

use axum::body::BodyDataStream;
use futures_util::StreamExt;
use tokio::time::timeout;

use super::*;

const DEADLINE: Duration = Duration::from_mins(1);

/// A reader of events.
struct Listener {
    frames: BodyDataStream,
    text: String,
}

impl Listener {
    async fn connect(server: &Server, last: Option<i64>) -> Self {
        let last = last.map(|last| last.to_string());
        let headers: Vec<_> = last.iter().map(|last| ("last-event-id", last.as_str())).collect();
        let response = server.send(&format!("{BASE}/events"), &headers).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        Listener { frames: response.into_body().into_data_stream(), text: String::new() }
    }

    /// The next event: its id, name and data.
    async fn next(&mut self) -> Option<(String, String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let mut lines = event.lines();
                    let found = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                    found.unwrap_or_default().to_owned()
                };
                let told = (field("id"), field("event"), field("data"));
                self.text = rest.to_owned();
                if !told.2.is_empty() {
                    return Some((told.0, told.1, serde_json::from_str(&told.2).unwrap()));
                }
                continue;
            }
            let frame = timeout(DEADLINE, self.frames.next()).await.unwrap()?;
            self.text.push_str(std::str::from_utf8(&frame.unwrap()).unwrap());
        }
    }
}

#[tokio::test]
async fn what_is_recorded_is_told_until_the_end() {
    let mut server = Server::filled();
    let api = Arc::clone(&server.api);
    let follower = tokio::spawn(async move { api.follow().await });
    let mut listener = Listener::connect(&server, None).await;
    // What is recorded before the first look is not told to a reader that just came: told again
    // until it is.
    let mut n = 10;
    let (seq, event, data) = loop {
        server.record(vec![hijack(n)]);
        n += 1;
        let told = timeout(Duration::from_secs(2), listener.next()).await;
        if let Ok(told) = told {
            break told.unwrap();
        }
    };
    assert_eq!((event.as_str(), &data["what"]), ("incident", &"incident_opened".into()));
    assert_eq!(data["seq"].to_string(), seq);
    assert_eq!(data["incident"]["id"], data["subject"]);
    assert_eq!(data["incident"]["culprits"], json!([64496]));
    let pending = server.store.pending_reports(1).unwrap();
    server.store.mark_sent(&pending, at(200)).unwrap();
    let (_, event, data) = loop {
        let told = listener.next().await.unwrap();
        if told.1 == "report" {
            break told;
        }
    };
    assert_eq!((event.as_str(), &data["subject"]), ("report", &pending[0].incident.clone().into()));
    assert_eq!(data.get("incident"), None);
    server.cancel.cancel();
    while listener.next().await.is_some() {}
    timeout(DEADLINE, follower).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_reader_that_comes_back_is_told_what_it_missed() {
    let mut server = Server::filled();
    let mut listener = Listener::connect(&server, Some(2)).await;
    let mut told = Vec::new();
    for _ in 3..=7 {
        let (seq, event, data) = listener.next().await.unwrap();
        told.push((seq, event, data["what"].as_str().unwrap().to_owned()));
    }
    let expected = [
        ("3", "incident", "incident_opened"),
        ("4", "incident", "incident_ended"),
        ("5", "feed", "feed_state"),
        ("6", "feed", "gap_filled"),
        ("7", "facts", "facts_applied"),
    ];
    let text = |(a, b, c): (&str, &str, &str)| (a.to_owned(), b.to_owned(), c.to_owned());
    assert_eq!(told, expected.map(text));
    let count = u32::try_from(CAUGHT_UP_MAX).unwrap();
    server.record((10..10 + count).map(hijack).collect());
    let mut late = Listener::connect(&server, Some(6)).await;
    let (seq, event, data) = late.next().await.unwrap();
    assert_eq!((seq.as_str(), event.as_str(), &data["rows"]), ("", "missed", &1_001.into()));
    let mut in_time = Listener::connect(&server, Some(7)).await;
    for seq in 8..8 + count {
        assert_eq!(in_time.next().await.unwrap().0, seq.to_string());
    }
    // Of another store: it begins anew.
    let mut other = Listener::connect(&server, Some(5_000)).await;
    assert_eq!(other.next().await.unwrap().1, "missed");
}

#[tokio::test]
async fn readers_are_bounded_and_leave_their_place() {
    let server = Server::with_connections(4);
    let first = Listener::connect(&server, None).await;
    let second = Listener::connect(&server, None).await;
    let third = server.ask("/events").await;
    assert_eq!(third.problem(), (503, "too_many_streams".to_owned(), String::new()));
    assert_eq!(third.header("retry-after"), "1");
    drop(first);
    let _third = Listener::connect(&server, None).await;
    drop(second);
    for wrong in ["x", "-1", ""] {
        let answer = server.ask_with(&format!("{BASE}/events"), &[("last-event-id", wrong)]).await;
        let expected = (400, "bad_parameter".to_owned(), "Last-Event-ID".to_owned());
        assert_eq!(answer.problem(), expected, "{wrong:?}");
    }
}
