//! RIS Live sessions against a server on loopback that behaves and misbehaves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test code: helpers outside of #[test] functions"
)]

mod common;

use std::time::Duration;

use common::live::{DEADLINE, context, next_lines, until};
use futures_util::{SinkExt, StreamExt};
use routewarden_feeds::live::ris_live::{MESSAGE_OCTETS_MAX, RisLiveConfig, run};
use routewarden_feeds::live::{LiveQueue, SourceContext, SourceKind, SourceState};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

type Session = WebSocketStream<TcpStream>;

struct Server {
    listener: TcpListener,
}

impl Server {
    async fn start() -> Self {
        Server { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    fn config(&self) -> RisLiveConfig {
        let url = format!("ws://{}/v1/ws/", self.listener.local_addr().unwrap());
        RisLiveConfig { url, hosts: vec!["rrc00".to_owned()], ..RisLiveConfig::default() }
    }

    async fn stream(&self) -> TcpStream {
        tokio::time::timeout(DEADLINE, self.listener.accept()).await.expect("a client").unwrap().0
    }

    /// The next session, with its path and first subscription.
    async fn session(&self) -> (Session, String, Value) {
        let mut path = String::new();
        #[expect(clippy::result_large_err, reason = "the callback's type is the library's")]
        let note = |request: &Request, response: Response| {
            path = request.uri().to_string();
            Ok(response)
        };
        let stream = self.stream().await;
        let mut session = tokio_tungstenite::accept_hdr_async(stream, note).await.unwrap();
        let subscription = session.next().await.unwrap().unwrap().into_text().unwrap();
        let subscription = serde_json::from_str(&subscription).unwrap();
        (session, path, subscription)
    }
}

fn state(peer: u8, state: &str) -> Message {
    let data = json!({
        "timestamp": 1_767_225_600.5, "peer": format!("192.0.2.{peer}"), "peer_asn": "64496",
        "host": "rrc00", "type": "RIS_PEER_STATE", "state": state,
    });
    Message::text(json!({"type": "ris_message", "data": data}).to_string())
}

struct Client {
    context: SourceContext,
    queue: LiveQueue,
    task: JoinHandle<()>,
}

impl Client {
    fn start(config: RisLiveConfig, capacity: usize) -> Self {
        let (context, queue) = context(SourceKind::RisLive, capacity);
        let source = context.clone();
        let task = tokio::spawn(async move { run(source, &config).await.unwrap() });
        Client { context, queue, task }
    }

    fn faults(&self, kind: &str) -> u64 {
        self.context.status.snapshot().faults.get(kind).copied().unwrap_or(0)
    }

    async fn stop(self) {
        self.context.cancel.cancel();
        tokio::time::timeout(DEADLINE, self.task).await.expect("it ends").unwrap();
        assert_eq!(self.context.status.snapshot().state, SourceState::Stopped);
    }
}

#[tokio::test]
async fn a_good_stream_is_heard_and_ended_politely() {
    let server = Server::start().await;
    let mut client = Client::start(server.config(), 16);
    let (mut session, path, subscription) = server.session().await;
    assert_eq!(path, "/v1/ws/?client=routewarden");
    assert_eq!(subscription["type"], "ris_subscribe");
    assert_eq!(subscription["data"]["host"], "rrc00");
    assert_eq!(subscription["data"]["socketOptions"]["includeRaw"], true);
    for peer in 1..=3 {
        session.send(state(peer, "up")).await.unwrap();
    }
    let lines = next_lines(&mut client.queue, 3).await;
    assert_eq!(lines[2], "2026-01-01T00:00:00.500000Z rrc00 AS64496 192.0.2.3 PeerUp");
    let status = client.context.status.snapshot();
    assert_eq!((status.state, status.sessions, status.connects), (SourceState::Up, 1, 1));
    assert_eq!((status.messages, status.elements.peer_ups), (3, 3));
    let closed = tokio::spawn(async move {
        while let Some(Ok(message)) = session.next().await {
            if message.is_close() {
                return true;
            }
        }
        false
    });
    client.stop().await;
    assert!(closed.await.unwrap(), "the client said good-bye");
}

#[tokio::test]
async fn a_session_that_breaks_is_made_anew_and_the_gap_told() {
    let server = Server::start().await;
    let mut client = Client::start(server.config(), 16);
    let (mut session, ..) = server.session().await;
    session.send(state(1, "up")).await.unwrap();
    assert_eq!(next_lines(&mut client.queue, 1).await.len(), 1);
    // Half a frame: the head says 100 octets, three come.
    session.send(state(2, "up")).await.unwrap();
    let mut stream = session.into_inner();
    stream.write_all(&[0x81, 100, b'{', b'"', b't']).await.unwrap();
    drop(stream);
    assert_eq!(next_lines(&mut client.queue, 1).await.len(), 1);
    let (mut session, ..) = server.session().await;
    assert_eq!(client.faults("websocket_protocol") + client.faults("connection_broken"), 1);
    session.send(Message::text(r#"{"type":"pong"}"#)).await.unwrap();
    session.send(state(1, "down")).await.unwrap();
    let lines = next_lines(&mut client.queue, 2).await;
    assert_eq!((lines[0].as_str(), lines[1].contains("PeerDown")), ("gap", true), "{lines:?}");
    session.close(None).await.unwrap();
    // A session without a message leaves the gap open.
    let (mut silent, ..) = server.session().await;
    silent.close(None).await.unwrap();
    let (mut session, ..) = server.session().await;
    session.send(state(1, "up")).await.unwrap();
    let lines = next_lines(&mut client.queue, 2).await;
    assert_eq!((lines[0].as_str(), lines[1].contains("PeerUp")), ("gap", true), "{lines:?}");
    assert_eq!(client.faults("closed"), 2);
    client.stop().await;
}

#[tokio::test]
async fn what_the_framing_survives_does_not_end_the_session() {
    let server = Server::start().await;
    let mut client = Client::start(server.config(), 16);
    let (mut session, ..) = server.session().await;
    let longest = format!("{{\"type\":\"{}\"}}", "x".repeat(MESSAGE_OCTETS_MAX - 11));
    assert_eq!(longest.len(), MESSAGE_OCTETS_MAX);
    for message in [
        Message::text("garbage"),
        Message::text(r#"{"type":"ris_message","data":5}"#),
        Message::binary(vec![0, 1, 2]),
        Message::text(longest),
        Message::Ping(vec![1].into()),
        state(1, "up"),
    ] {
        session.send(message).await.unwrap();
    }
    assert_eq!(next_lines(&mut client.queue, 1).await.len(), 1);
    let pong = async {
        while let Some(Ok(message)) = session.next().await {
            if message.is_pong() {
                return true;
            }
        }
        false
    };
    assert!(tokio::time::timeout(DEADLINE, pong).await.unwrap());
    let status = client.context.status.snapshot();
    for kind in ["json_malformed", "json_shape", "binary_frame"] {
        assert_eq!(status.faults[kind], 1, "{kind}");
    }
    assert_eq!((status.connects, status.kinds["unknown_type"]), (1, 1));
    drop(session);
    client.stop().await;
}

#[tokio::test]
async fn broken_framing_ends_the_session_with_a_name() {
    let long = u64::try_from(MESSAGE_OCTETS_MAX + 1).unwrap();
    let huge = [&[0x81, 127][..], &long.to_be_bytes(), b"{"].concat();
    for (octets, kind) in [
        (huge.as_slice(), "message_too_long"),
        (&[0x81, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "message_too_long"),
        (&[0x83, 1, 0], "websocket_protocol"),
        (&[0xf1, 1, b'x'], "websocket_protocol"),
        (&[0x81, 1, 0xff], "not_utf8"),
    ] {
        let server = Server::start().await;
        let client = Client::start(server.config(), 16);
        let mut stream = server.session().await.0.into_inner();
        stream.write_all(octets).await.unwrap();
        until(|| client.faults(kind) == 1).await;
        client.stop().await;
    }
    // No websocket at all.
    let server = Server::start().await;
    let client = Client::start(server.config(), 16);
    let mut stream = server.stream().await;
    stream
        .write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
        .await
        .unwrap();
    until(|| client.faults("connect") == 1).await;
    client.stop().await;
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let server = Server::start().await;
    let config = RisLiveConfig { ping_secs: 1, silence_secs: 2, ..server.config() };
    let client = Client::start(config, 16);
    let (mut session, ..) = server.session().await;
    let ping = tokio::time::timeout(DEADLINE, session.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(ping.into_text().unwrap().as_str(), r#"{"type":"ping"}"#);
    until(|| client.faults("silent") == 1).await;
    let (mut answering, ..) = server.session().await;
    for _ in 0..3 {
        answering.next().await.unwrap().unwrap();
        answering.send(Message::text(r#"{"type":"pong"}"#)).await.unwrap();
    }
    assert_eq!(client.faults("silent"), 1, "pongs are signs of life");
    client.stop().await;
}

#[tokio::test]
async fn a_slow_server_is_heard_octet_by_octet() {
    let server = Server::start().await;
    let mut client = Client::start(server.config(), 16);
    let (session, ..) = server.session().await;
    let mut stream = session.into_inner();
    stream.set_nodelay(true).unwrap();
    let Message::Text(text) = state(1, "up") else { panic!("text") };
    let length = u16::try_from(text.len()).unwrap().to_be_bytes();
    let octets = [&[0x81, 126][..], &length, text.as_bytes()].concat();
    for octet in octets {
        stream.write_all(&[octet]).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(next_lines(&mut client.queue, 1).await.len(), 1);
    client.stop().await;
}

#[tokio::test]
async fn a_full_queue_slows_the_server_and_loses_nothing() {
    const MESSAGES: usize = 40_000;
    let server = Server::start().await;
    let mut client = Client::start(server.config(), 1);
    let (mut session, ..) = server.session().await;
    let sender = tokio::spawn(async move {
        for at in 0..MESSAGES {
            let message = state(u8::try_from(at % 250).unwrap(), "up");
            if at % 64 == 0 { session.send(message).await } else { session.feed(message).await }
                .unwrap();
        }
        session.flush().await.unwrap();
        session
    });
    // Nothing is taken until the client cannot hand on any more.
    until(|| client.queue.waiting() == 1).await;
    assert!(!sender.is_finished());
    assert_eq!(next_lines(&mut client.queue, MESSAGES).await.len(), MESSAGES);
    drop(sender.await.unwrap());
    client.stop().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_asked_again_with_pauses() {
    let server = Server::start().await;
    let config = server.config();
    drop(server);
    let client = Client::start(config, 1);
    until(|| client.faults("connect") == 2).await;
    let begun = tokio::time::Instant::now();
    client.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(5), "a pause is cancelled");
}

#[tokio::test]
async fn tls_to_a_server_without_is_a_named_fault() {
    let server = Server::start().await;
    let mut config = server.config();
    config.url = config.url.replace("ws://", "wss://");
    let client = Client::start(config, 1);
    let mut stream = server.stream().await;
    let mut hello = [0; 1];
    stream.read_exact(&mut hello).await.unwrap();
    assert_eq!(hello, [22], "a TLS handshake record (RFC 8446 §5.1)");
    stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    until(|| client.faults("connect") == 1).await;
    client.stop().await;
}
