//! A RIS Live server: one client at a time over a websocket (RFC 6455).

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use anyhow::{Context as _, Result};
use routewarden_core::Timestamp;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket};
use tokio_tungstenite::tungstenite::{Message, accept};

use super::recording::Recording;
use super::ris_json;
use super::session::{Framing, Outgoing, Session};

/// From the handshake to the first subscription.
const SUBSCRIBED_WITHIN: Duration = Duration::from_secs(10);
/// First octet of a text frame and of a pong, each of one frame (RFC 6455 §5.2).
const TEXT: u8 = 0x81;
const PONG: u8 = 0x8a;

/// Appends a frame of the server: not masked.
fn push_frame(first: u8, payload: &[u8], out: &mut Vec<u8>) {
    out.push(first);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ ..126), _) => out.push(length),
        (_, Ok(length)) => {
            out.push(126);
            out.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(payload);
}

struct Server {
    recording: Arc<Recording>,
    peers: Vec<u16>,
    /// Messages of the recording, made when they are first sent.
    made: Vec<Option<Box<[u8]>>>,
    sent: u64,
}

/// Waits for a client that has subscribed; `None` when there is none yet.
pub(super) fn begin(
    recording: &Arc<Recording>,
    peers: &[u16],
    listener: &TcpListener,
) -> Result<Option<Session>> {
    let socket = match listener.accept() {
        Ok((socket, _)) => socket,
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    socket.set_nonblocking(false)?;
    socket.set_read_timeout(Some(SUBSCRIBED_WITHIN))?;
    drop(accept(socket.try_clone()?).map_err(|error| anyhow::anyhow!("handshake: {error}"))?);
    socket.set_read_timeout(None)?;
    let mut made = Vec::new();
    made.resize_with(recording.len(), || None);
    let server = Server { recording: Arc::clone(recording), peers: peers.to_vec(), made, sent: 0 };
    let (tell, subscribed) = sync_channel(1);
    let session = Session::new(socket, Box::new(server), move |socket, answers| {
        read(ReadOnly(socket), answers, &tell);
    })?;
    subscribed.recv_timeout(SUBSCRIBED_WITHIN).context("no subscription")?;
    Ok(Some(session))
}

/// What the client says is read from a half of its own; answers are written by the session.
struct ReadOnly(TcpStream);

impl Read for ReadOnly {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out)
    }
}

impl Write for ReadOnly {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads what the client says until it closes.
fn read(socket: ReadOnly, answers: &SyncSender<Vec<u8>>, subscribed: &SyncSender<()>) {
    let mut socket = WebSocket::from_raw_socket(socket, Role::Server, None);
    while let Ok(message) = socket.read() {
        let mut answer = Vec::new();
        match message {
            Message::Ping(payload) => push_frame(PONG, &payload, &mut answer),
            Message::Text(text) => {
                let said: Value = serde_json::from_str(&text).unwrap_or_default();
                if let Some(said) = reply(&said) {
                    push_frame(TEXT, said.to_string().as_bytes(), &mut answer);
                }
                if said.get("type").is_some_and(|kind| kind == "ris_subscribe") {
                    subscribed.try_send(()).ok();
                }
            }
            Message::Close(_) => return,
            Message::Binary(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
        if !answer.is_empty() && answers.try_send(answer).is_err() {
            return;
        }
    }
}

fn reply(said: &Value) -> Option<Value> {
    match said.get("type")?.as_str()? {
        "ping" => Some(json!({"type": "pong", "data": null})),
        "ris_subscribe" => {
            let data = said.get("data")?;
            let wants = data.pointer("/socketOptions/acknowledge").and_then(Value::as_bool);
            (wants == Some(true)).then(|| {
                let options = data.get("socketOptions").cloned().unwrap_or_default();
                json!({
                    "type": "ris_subscribe_ok",
                    "data": {"subscription": data, "socketOptions": options},
                })
            })
        }
        _ => None,
    }
}

impl Server {
    fn push(&mut self, message: &mut [u8], now: Timestamp, out: &mut Vec<u8>) {
        ris_json::fill(message, now, self.sent);
        self.sent += 1;
        push_frame(TEXT, message, out);
    }
}

impl Framing for Server {
    fn update(&mut self, update: &Outgoing<'_>, now: Timestamp, out: &mut Vec<u8>) -> Result<()> {
        let peers = self.recording.peers();
        let peer = peers.get(usize::from(update.peer)).context("no such peer")?;
        let number = update.number.and_then(|number| usize::try_from(number).ok());
        let known = number.and_then(|number| self.made.get_mut(number)?.take());
        let mut message = match known {
            Some(message) => message,
            None => ris_json::update(peer, update.message)?.into_boxed_slice(),
        };
        self.push(&mut message, now, out);
        if let Some(place) = number.and_then(|number| self.made.get_mut(number)) {
            *place = Some(message);
        }
        Ok(())
    }

    fn peers(&mut self, are_up: bool, now: Timestamp, out: &mut Vec<u8>) -> Result<bool> {
        for number in self.peers.clone() {
            let peer = self.recording.peers().get(usize::from(number)).context("no such peer")?;
            let mut message = ris_json::peer_state(peer, are_up);
            self.push(&mut message, now, out);
        }
        Ok(true)
    }

    fn end_of_table(&mut self, _peer: u16, _now: Timestamp, _out: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }
}
