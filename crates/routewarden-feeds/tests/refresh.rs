//! Facts that are read again: from files, and from a server on loopback with every fault.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test code: helpers outside of #[test] functions"
)]

mod rtr_cache;

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use routewarden_core::facts::FactKind;
use routewarden_feeds::facts::refresh::{
    FactBoard, FactFeed, FactState, FactStatus, FactTable, FactUpdate, RefreshContext, run,
};
use rtr_cache::{NOW, PATIENCE, StoppedClock};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const VRPS: &str = r#"{"roas":[{"asn":64496,"prefix":"192.0.2.0/24"}]}"#;
const MORE_VRPS: &str = r#"{"roas":[{"asn":64496,"prefix":"192.0.2.0/24"},{"asn":64497,"prefix":"2001:db8::/32"}],
    "aspas":[{"customer_asid":64496,"providers":[64497]}]}"#;

/// What the server does with the next request. The last answer is given for ever.
#[derive(Clone)]
enum Answer {
    /// The body with an entity tag; 304 when the client has it.
    Tagged(&'static str, &'static str),
    Status(u16),
    /// A length, and less.
    Lie(u64, &'static str),
    /// Octets without an end.
    Endless,
}

#[derive(Clone)]
struct Server {
    url: String,
    answers: Arc<Mutex<Vec<Answer>>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(answers: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/dir/vrps.json?x", listener.local_addr().unwrap());
        let answers = Arc::new(Mutex::new(answers.to_vec()));
        let server = Server { url, answers, requests: Arc::default() };
        let state = server.clone();
        // Ends with the process, as its thread holds nothing else.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                state.serve(&stream.unwrap());
            }
        });
        server
    }

    fn put(&self, answer: Answer) {
        *self.answers.lock().unwrap() = vec![answer];
    }

    fn serve(&self, mut stream: &TcpStream) {
        let mut head = String::new();
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { return };
            if line.is_empty() {
                break;
            }
            head.push_str(&line.to_ascii_lowercase());
            head.push('\n');
        }
        self.requests.lock().unwrap().push(head.clone());
        let answer = {
            let mut answers = self.answers.lock().unwrap();
            if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() }
        };
        let text = match answer {
            Answer::Tagged(tag, _) if head.contains(&format!("if-none-match: \"{tag}\"\n")) => {
                "HTTP/1.1 304 Not Modified\r\nconnection: close\r\n\r\n".to_owned()
            }
            Answer::Tagged(tag, body) => format!(
                "HTTP/1.1 200 OK\r\netag: \"{tag}\"\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            ),
            Answer::Status(status) => {
                format!("HTTP/1.1 {status} No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            }
            Answer::Lie(length, body) => format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            ),
            Answer::Endless => "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_owned(),
        };
        let mut sent = stream.write_all(text.as_bytes());
        while matches!(answer, Answer::Endless) && sent.is_ok() {
            sent = stream.write_all(&[b'['; 4096]);
        }
    }
}

struct Source {
    updates: mpsc::Receiver<FactUpdate>,
    board: FactBoard,
    now: Arc<Notify>,
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

impl Source {
    fn start(feed: FactFeed, cache_dir: &Path) -> Self {
        let (sender, updates) = mpsc::channel(1);
        let context = RefreshContext {
            updates: sender,
            board: FactBoard::default(),
            clock: Arc::new(StoppedClock),
            cancel: CancellationToken::new(),
            now: Arc::default(),
            cache_dir: cache_dir.to_owned(),
            proxy: None,
        };
        let (board, now) = (context.board.clone(), Arc::clone(&context.now));
        let cancel = context.cancel.clone();
        Source { updates, board, now, cancel, task: tokio::spawn(run(feed, context)) }
    }

    async fn next(&mut self) -> FactUpdate {
        timeout(PATIENCE, self.updates.recv()).await.expect("an update in time").unwrap()
    }

    fn status(&self) -> FactStatus {
        self.board.snapshot(NOW).remove(0)
    }

    /// Calls for looks until the status is as wanted.
    async fn until(&self, wanted: impl Fn(&FactStatus) -> bool) -> FactStatus {
        let look = async {
            loop {
                self.now.notify_waiters();
                tokio::time::sleep(Duration::from_millis(5)).await;
                if let Some(status) = self.board.snapshot(NOW).pop().filter(&wanted) {
                    return status;
                }
            }
        };
        let found = timeout(PATIENCE, look).await;
        found.unwrap_or_else(|_| panic!("not in time: {:?}", self.status()))
    }

    async fn stop(self) {
        self.cancel.cancel();
        timeout(PATIENCE, self.task).await.expect("it stops").unwrap();
    }
}

fn vrps(update: &FactUpdate) -> usize {
    let FactTable::Rpki { vrps, .. } = &update.table else { panic!("{update:?}") };
    vrps.len()
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        path.extension().unwrap_or_default().to_string_lossy().into_owned()
    };
    let mut all: Vec<String> = entries.map(name).collect();
    all.sort_unstable();
    all
}

#[tokio::test]
async fn a_url_is_asked_for_what_is_new_and_kept_for_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&[Answer::Tagged("a", VRPS)]);
    let feed = FactFeed::new("validator", FactKind::Vrps, &server.url);
    let mut source = Source::start(feed.clone(), folder.path());
    let first = source.next().await;
    assert_eq!((vrps(&first), &*first.name), (1, "validator"));
    assert_eq!(first.version.etag.as_deref(), Some("\"a\""));
    assert_eq!(first.table.source().name, "vrps.json");
    let status = source.until(|status| status.version.is_some()).await;
    assert_eq!((status.state, status.age_secs), (FactState::Fresh, Some(0)));

    // Asked with the tag, and not given again.
    let count = || server.requests.lock().unwrap().len();
    let before = count();
    source.until(|_| count() > before + 1).await;
    assert!(server.requests.lock().unwrap().last().unwrap().contains("if-none-match: \"a\""));
    assert!(source.updates.try_recv().is_err());

    server.put(Answer::Tagged("b", MORE_VRPS));
    source.now.notify_waiters();
    let second = source.next().await;
    assert_eq!(vrps(&second), 2);
    assert_ne!(second.version.sha256, first.version.sha256);
    source.until(|status| status.version == Some(second.version.clone())).await;
    source.stop().await;

    // The server is gone: the next start has the last good table, and says so.
    server.put(Answer::Status(503));
    let mut source = Source::start(feed, folder.path());
    let kept = source.next().await;
    assert_eq!((vrps(&kept), kept.version), (2, second.version));
    let status = source.until(|status| status.failures > 0).await;
    assert_eq!(status.last_error.unwrap().1, "refresh_status");
    assert_eq!(status.state, FactState::Fresh);
    let later = source.board.snapshot(NOW.plus_secs(3 * 3600 + 1)).remove(0);
    assert_eq!((later.state, later.age_secs), (FactState::Stale, Some(10_801)));
    assert_eq!(files(folder.path()), ["data", "json"]);
    source.stop().await;
}

#[tokio::test]
async fn what_is_unusable_never_takes_the_place_of_what_is_good() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&[Answer::Tagged("a", VRPS)]);
    let feed = FactFeed::new("validator", FactKind::Vrps, &server.url);
    let mut source = Source::start(FactFeed { octets_max: 100_000, ..feed }, folder.path());
    assert_eq!(vrps(&source.next().await), 1);
    for (answer, kind) in [
        (Answer::Status(404), "refresh_status"),
        (Answer::Lie(2 << 30, "["), "refresh_too_large"),
        (Answer::Endless, "refresh_too_large"),
        (Answer::Lie(500, VRPS), "refresh_broken_off"),
        (Answer::Tagged("b", "{\"roas\":[}"), "facts_json"),
        (Answer::Tagged("c", "{\"roas\":[]}"), "facts_nothing_usable"),
    ] {
        let before = source.status().failures;
        server.put(answer);
        // What was under way may still fail as before.
        let is_there = |status: &FactStatus| {
            status.failures > before + 1
                && status.last_error.as_ref().is_some_and(|error| error.1 == kind)
        };
        let status = source.until(is_there).await;
        assert_eq!(status.version.unwrap().entries, 1, "{kind}");
        // The next try may be under way, with a file of its own.
        source.until(|_| files(folder.path()) == ["data", "json"]).await;
    }
    assert!(source.updates.try_recv().is_err());
    server.put(Answer::Tagged("d", MORE_VRPS));
    source.now.notify_waiters();
    assert_eq!(vrps(&source.next().await), 2);
    source.until(|status| !status.is_failing).await;
    source.stop().await;
}

#[tokio::test]
async fn a_file_is_read_again_when_its_content_is_another() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("vrps.json");
    let feed = FactFeed::new("file", FactKind::Vrps, file.to_str().unwrap());
    let mut source = Source::start(feed, folder.path());
    let status = source.until(|status| status.failures > 0).await;
    assert_eq!((status.state, status.last_error.unwrap().1), (FactState::Failed, "refresh_file"));
    std::fs::write(&file, VRPS).unwrap();
    source.now.notify_waiters();
    let first = source.next().await;
    source.until(|status| !status.is_failing).await;
    // Touched, not changed.
    let handle = std::fs::File::options().append(true).open(&file).unwrap();
    handle.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    std::fs::write(&file, "{").unwrap();
    source.until(|status| status.is_failing).await;
    std::fs::write(&file, VRPS).unwrap();
    source.until(|status| !status.is_failing).await;
    assert!(source.updates.try_recv().is_err());
    std::fs::write(&file, MORE_VRPS).unwrap();
    source.now.notify_waiters();
    let second = source.next().await;
    assert_eq!((vrps(&first), vrps(&second)), (1, 2));
    let FactTable::Rpki { aspas, .. } = &second.table else { panic!() };
    let aspas = aspas.as_ref().unwrap();
    assert_eq!((aspas.len(), aspas.source.sha256), (1, second.version.sha256));
    source.stop().await;
}

#[test]
fn a_source_is_configured_by_name_kind_and_location() {
    let text = "name = \"v\"\nkind = \"vrps\"\nlocation = \"https://example.invalid/v.json\"\n";
    let feed: FactFeed = toml::from_str(text).unwrap();
    assert_eq!(feed, FactFeed::new("v", FactKind::Vrps, "https://example.invalid/v.json"));
    assert_eq!(feed.stale_after_secs(), 10_800);
    assert!(toml::from_str::<FactFeed>(&format!("{text}other = 1\n")).is_err());
}
