//! The server over real sockets.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use routewarden_core::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::*;
use crate::status::Snapshot;
use crate::status::tests::full;

/// Longer than any limit that is tested.
const DEADLINE: Duration = Duration::from_mins(1);

#[derive(Default)]
struct Fixed {
    is_ready: AtomicBool,
}

impl ServeStatus for Fixed {
    fn snapshot(&self) -> Snapshot {
        if self.is_ready.load(Ordering::Relaxed) {
            full()
        } else {
            Snapshot::new(Timestamp::default(), Timestamp::default())
        }
    }
}

struct Server {
    address: SocketAddr,
    status: Arc<Fixed>,
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(connections_max: u32) -> Self {
        let listen = "127.0.0.1:0".parse().unwrap();
        let server =
            HttpServer::bind(&Http { listen, connections_max, ..Http::default() }).await.unwrap();
        let address = server.local_addr().unwrap();
        let status = Arc::new(Fixed::default());
        let cancel = CancellationToken::new();
        let shared: Arc<dyn ServeStatus> = Arc::<Fixed>::clone(&status);
        let task = tokio::spawn(server.run(
            (shared, access::tests::off()),
            "/nowhere".into(),
            cancel.clone(),
        ));
        Server { address, status, cancel, task }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Head and body of the answer.
    async fn ask(&self, request: &str) -> (String, String) {
        let mut stream = self.connect().await;
        let request = format!("{request} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = rest(&mut stream).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }

    async fn stop(self) {
        self.cancel.cancel();
        timeout(DEADLINE, self.task).await.unwrap().unwrap();
    }
}

/// All that comes until the connection ends.
async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset is an end like any other.
    drop(timeout(DEADLINE, stream.read_to_end(&mut answer)).await.unwrap());
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn life_readiness_status_and_metrics() {
    let server = Server::start(8).await;
    let (head, body) = server.ask("GET /healthz").await;
    assert!(head.starts_with("HTTP/1.1 200") && body.contains("alive"), "{head}");
    let (head, body) = server.ask("GET /readyz").await;
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    assert!(head.contains("content-type: application/problem+json"), "{head}");
    let problem: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(problem["type"], "/problems/not_ready");
    assert_eq!(problem["status"], 503);
    let kinds: Vec<&str> = problem["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["tables_not_loaded", "facts_not_loaded", "no_source_up"]);

    server.status.is_ready.store(true, Ordering::Relaxed);
    let (head, _) = server.ask("GET /readyz").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let (_, body) = server.ask("GET /status").await;
    let status: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&status["warning"], &status["uptime_s"]), (&true.into(), &100.into()));
    assert_eq!(status["sources"][0]["name"], "rrc12");
    let (head, body) = server.ask("GET /metrics").await;
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    assert!(body.contains("\nroutewarden_program_ready 1\n"), "{body}");
    let (head, body) = server.ask("HEAD /status").await;
    assert!(head.starts_with("HTTP/1.1 200") && body.is_empty(), "{head}{body}");
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_served_is_a_problem_with_all_headers() {
    let server = Server::start(8).await;
    for (request, code, kind) in [
        ("GET /nothing", 404, "/problems/not_found"),
        ("GET /../etc/passwd", 404, "/problems/not_found"),
        ("POST /status", 405, "/problems/method_not_allowed"),
        ("DELETE /metrics", 405, "/problems/method_not_allowed"),
    ] {
        let (head, body) = server.ask(request).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {code}")), "{request}: {head}");
        let problem: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&problem["type"], &problem["status"]), (&kind.into(), &code.into()));
        for (name, value) in SECURITY_HEADERS {
            let line = format!("{name}: {}", value.to_str().unwrap());
            assert!(head.lines().any(|found| found == line), "{request}: {line}\n{head}");
        }
        if code == 405 {
            assert!(head.lines().any(|line| line == "allow: GET,HEAD"), "{head}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn large_requests_are_refused() {
    let server = Server::start(8).await;
    let path = "x".repeat(HEADER_OCTETS_MAX);
    let mut stream = server.connect().await;
    stream.write_all(format!("GET /{path} HTTP/1.1\r\n").as_bytes()).await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    let headers = "a: b\r\n".repeat(HEADERS_MAX + 1);
    let mut stream = server.connect().await;
    stream.write_all(format!("GET / HTTP/1.1\r\n{headers}\r\n").as_bytes()).await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let mut stream = server.connect().await;
    stream.write_all(b"\x16\x03\x01 no HTTP at all\r\n\r\n").await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    server.stop().await;
}

/// Each slow client holds one slot, and is cut off; the others are served meanwhile.
#[tokio::test]
async fn slow_clients_are_cut_off() {
    let server = Server::start(4).await;
    let started = Instant::now();
    let mut idle = server.connect().await;
    let mut slow = server.connect().await;
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost:").await.unwrap();
    let mut kept = server.connect().await;
    kept.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let (head, _) = server.ask("GET /healthz").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    for stream in [&mut idle, &mut slow, &mut kept] {
        let _answer = rest(stream).await;
    }
    let took = started.elapsed();
    assert!(took < Duration::from_secs(HEADER_SECS_MAX + 10), "{took:?}");
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_never_comes_holds_nothing_up() {
    let server = Server::start(4).await;
    let mut stream = server.connect().await;
    let head = "POST /status HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_slot() {
    let server = Server::start(1).await;
    let mut first = server.connect().await;
    first.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut octet = [0];
    first.read_exact(&mut octet).await.unwrap();
    let second = server.ask("GET /healthz");
    let mut second = std::pin::pin!(second);
    let early = timeout(Duration::from_millis(50), second.as_mut()).await;
    assert!(early.is_err(), "there is only one slot");
    drop(first);
    let (head, _) = timeout(DEADLINE, second).await.unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    server.cancel.cancel();
}

#[tokio::test]
async fn the_end_is_graceful_and_bounded() {
    let server = Server::start(4).await;
    let mut kept = server.connect().await;
    kept.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut octet = [0];
    kept.read_exact(&mut octet).await.unwrap();
    let mut half = server.connect().await;
    half.write_all(b"GET /healthz HTTP/1.1\r\n").await.unwrap();
    let started = Instant::now();
    let address = server.address;
    server.stop().await;
    assert!(started.elapsed() < Duration::from_secs(DRAIN_SECS_MAX + 5));
    assert!(rest(&mut kept).await.contains("alive"));
    assert!(TcpStream::connect(address).await.is_err());
}
