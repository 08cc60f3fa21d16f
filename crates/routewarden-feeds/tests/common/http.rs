//! An archive on loopback that behaves and misbehaves.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::let_underscore_must_use,
    reason = "test code: helpers outside of #[test] functions"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use routewarden_feeds::archive::{Archive, ArchiveOptions};

/// One answer of the server to a path.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// The file, whole or the part asked for.
    Whole(Vec<u8>),
    /// Announces the whole file and closes the connection after so many octets.
    CutAfter(Vec<u8>, usize),
    /// The file, announced with another length.
    Length(Vec<u8>, usize),
    Status(u16),
    /// The file without validator.
    Plain(Vec<u8>),
    /// So many octets of the file, without validator or length.
    Unbounded(Vec<u8>, usize),
}

#[derive(Default)]
struct State {
    /// Answers by path: taken off the front, the last one stays.
    answers: BTreeMap<String, Vec<Answer>>,
    /// `GET` paths with their range, in order.
    requests: Vec<(String, Option<String>)>,
}

pub(crate) struct Server {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(&stream.unwrap(), &shared));
            }
        });
        Server { url, state }
    }

    pub(crate) fn put(&self, path: &str, answers: &[Answer]) {
        self.state.lock().unwrap().answers.insert(path.to_owned(), answers.to_vec());
    }

    pub(crate) fn index(&self, directory: &str, names: &[&str]) {
        let links: Vec<String> =
            names.iter().map(|name| format!("<a href=\"{name}\">{name}</a>\n")).collect();
        let links = links.concat();
        let html = format!("<html><body><a href=\"../\">Parent</a>{links}</body></html>");
        self.put(directory, &[Answer::Whole(html.into_bytes())]);
    }

    pub(crate) fn requests(&self) -> Vec<(String, Option<String>)> {
        self.state.lock().unwrap().requests.clone()
    }

    pub(crate) fn archive(&self, cache: &Path) -> Archive {
        Archive::new(self.options(cache)).unwrap()
    }

    pub(crate) fn options(&self, cache: &Path) -> ArchiveOptions {
        ArchiveOptions {
            route_views_url: self.url.clone(),
            ris_url: format!("{}/", self.url),
            ..ArchiveOptions::new(cache)
        }
    }
}

fn serve(stream: &TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return;
    }
    let path = line.split(' ').nth(1).unwrap().to_owned();
    let (mut range, mut if_range) = (None, None);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let Some((name, value)) = header.trim().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "range" => range = Some(value.to_owned()),
            "if-range" => if_range = Some(value.to_owned()),
            _ => {}
        }
    }
    let answer = {
        let mut state = state.lock().unwrap();
        state.requests.push((path.clone(), range.clone()));
        match state.answers.get_mut(&path) {
            Some(answers) if answers.len() > 1 => answers.remove(0),
            Some(answers) => answers[0].clone(),
            None => Answer::Status(404),
        }
    };
    let mut out = stream;
    let start = range
        .filter(|_| if_range.as_deref() == Some("\"v1\""))
        .map(|range| range.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap());
    let (body, cut, length, has_tag) = match answer {
        Answer::Status(status) => {
            let _ = write!(
                out,
                "HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            return;
        }
        Answer::Whole(body) => (body, None, None, true),
        Answer::CutAfter(body, cut) => (body, Some(cut), None, true),
        Answer::Length(body, length) => (body, None, Some(length), true),
        Answer::Plain(body) => (body, None, None, false),
        Answer::Unbounded(body, octets) => {
            let _ = out.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
            let _ = out.write_all(&body[..octets]);
            return;
        }
    };
    let start: usize = start.unwrap_or(0);
    let part = &body[start.min(body.len())..];
    let length = length.unwrap_or(part.len());
    let mut head = if start > 0 {
        let (last, total) = (body.len() - 1, body.len());
        format!("HTTP/1.1 206 P\r\nContent-Range: bytes {start}-{last}/{total}\r\n")
    } else {
        "HTTP/1.1 200 OK\r\n".to_owned()
    };
    if has_tag {
        head.push_str("ETag: \"v1\"\r\n");
    }
    let _ = write!(out, "{head}Content-Length: {length}\r\nConnection: close\r\n\r\n");
    let _ = out.write_all(&part[..cut.unwrap_or(part.len()).min(part.len())]);
}
