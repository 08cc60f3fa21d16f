//! `archive:COLLECTOR` against a loopback server with the layout of the RIS archive.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::program::{repository, routewarden};

const MONTH: &str = "/rrc99/2026.11/";
const FILE: &str = "updates.20261123.1115.gz";

/// Serves the lab's recording as the only file of November 2026 until the test ends; counts
/// how often it was fetched.
fn serve(fetched: Arc<AtomicUsize>) -> u16 {
    let recording = std::fs::read(repository().join("testdata/lab/plain/col/updates.mrt")).unwrap();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&recording).unwrap();
    let gz = gz.finish().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.unwrap(), &gz, &fetched);
        }
    });
    port
}

fn answer(mut stream: TcpStream, gz: &[u8], fetched: &AtomicUsize) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let request = lines.next().unwrap().unwrap();
    while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
    let path = request.split(' ').nth(1).unwrap();
    let index = format!("<a href=\"{FILE}\">{FILE}</a>");
    let (status, body) = match path {
        path if path == MONTH => ("200 OK", index.as_bytes()),
        path if path == format!("{MONTH}{FILE}") => {
            fetched.fetch_add(1, Ordering::Relaxed);
            ("200 OK", gz)
        }
        _ => ("404 Not Found", b"".as_slice()),
    };
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")
        .unwrap();
    stream.write_all(body).unwrap();
}

#[test]
fn a_collector_and_a_time_are_enough_and_nothing_is_fetched_twice() {
    let fetched = Arc::new(AtomicUsize::new(0));
    let url = format!("http://127.0.0.1:{}", serve(Arc::clone(&fetched)));
    let cache = tempfile::tempdir().unwrap();
    let cache_path = cache.path().to_string_lossy().into_owned();
    let window = ["--from", "2026-11-23T11:16:00Z", "--until", "2026-11-23T11:19:00Z"];
    let run = || {
        let mut args = vec!["detect", "--no-bogons", "--format", "jsonl", "archive:rrc99"];
        args.extend(["--ris-url", &url, "--cache", &cache_path]);
        args.extend(window);
        routewarden(args).expect(0)
    };
    let first = run();
    assert_eq!(first.incidents().len(), 2, "{}", first.stderr);
    assert!(first.stderr.contains(&format!("fetching 1 of 1: {url}{MONTH}{FILE}")));
    assert_eq!(first.incidents()[0].sample_paths[0].collector, "rrc99");
    let second = run();
    assert_eq!(second.stdout, first.stdout);
    assert_eq!(fetched.load(Ordering::Relaxed), 1);
}
