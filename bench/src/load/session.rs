//! A session over which updates are sent, whatever the protocol.

use std::io::{ErrorKind, Read, Write as _};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use routewarden_core::Timestamp;
use routewarden_wire::update::message_type;
use routewarden_wire::{Nlri, encode};
use socket2::{Domain, Protocol, Socket, Type};

/// A receiver that takes nothing for so long is lost.
const WRITE_WITHIN: Duration = Duration::from_mins(1);
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// Answers of the reading thread that may wait to be written.
const ANSWERS_MAX: usize = 1_024;
/// Written at once.
const WRITE_OCTETS: usize = 256 << 10;
/// Writing takes longer only if it must wait for the receiver.
const UNHINDERED: Duration = Duration::from_millis(1);

/// An UPDATE to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outgoing<'a> {
    /// Number of the peer in the recording.
    pub(super) peer: u16,
    /// Number of the update in the recording, if it stands there.
    pub(super) number: Option<u32>,
    /// The message, header included.
    pub(super) message: &'a [u8],
}

/// An UPDATE with its header that announces IPv4 prefixes, or what stands in the attributes.
pub(super) fn update(attributes: &[u8], announced: &[Nlri]) -> Result<Vec<u8>> {
    let body = encode::update(&[], attributes, announced)?;
    Ok(encode::message(message_type::UPDATE, &body)?)
}

/// How updates look on the wire.
pub(super) trait Framing: Send {
    /// Appends the frame of an UPDATE.
    fn update(&mut self, update: &Outgoing<'_>, now: Timestamp, out: &mut Vec<u8>) -> Result<()>;

    /// Appends what keeps the session alive, when it is time.
    fn keep_alive(&mut self, _now: Instant, _out: &mut Vec<u8>) {}

    /// Appends what says that all peers went down, or came up. `false` when the protocol has no
    /// words for it, and the session itself must end.
    fn peers(&mut self, are_up: bool, now: Timestamp, out: &mut Vec<u8>) -> Result<bool>;

    /// Appends what ends the table of a peer.
    fn end_of_table(&mut self, peer: u16, now: Timestamp, out: &mut Vec<u8>) -> Result<()>;
}

/// A session.
pub(super) struct Session {
    socket: TcpStream,
    framing: Box<dyn Framing>,
    buffer: Vec<u8>,
    is_over: Arc<AtomicBool>,
    answers: Receiver<Vec<u8>>,
    /// Octets written.
    pub(super) octets: u64,
    /// Time for which writing waited.
    pub(super) waited: Duration,
}

impl Session {
    /// A session on a connected socket. `reader` is run on a thread of its own until the receiver
    /// closes the socket; it hands back what is to be written.
    pub(super) fn new(
        socket: TcpStream,
        framing: Box<dyn Framing>,
        reader: impl FnOnce(TcpStream, &SyncSender<Vec<u8>>) + Send + 'static,
    ) -> Result<Self> {
        socket.set_write_timeout(Some(WRITE_WITHIN))?;
        socket.set_nodelay(true)?;
        let is_over = Arc::new(AtomicBool::new(false));
        let (sender, answers) = sync_channel(ANSWERS_MAX);
        let (reading, ended) = (socket.try_clone()?, Arc::clone(&is_over));
        thread::spawn(move || {
            reader(reading, &sender);
            ended.store(true, Ordering::Release);
        });
        let buffer = Vec::with_capacity(2 * WRITE_OCTETS);
        let (octets, waited) = (0, Duration::ZERO);
        Ok(Session { socket, framing, buffer, is_over, answers, octets, waited })
    }

    /// Puts an UPDATE into the buffer, which is written when it is large.
    pub(super) fn put(&mut self, update: &Outgoing<'_>, now: Timestamp) -> Result<()> {
        self.framing.update(update, now, &mut self.buffer)?;
        if self.buffer.len() >= WRITE_OCTETS { self.flush() } else { Ok(()) }
    }

    /// Says that all peers went down or came up; see [`Framing::peers`].
    pub(super) fn put_peers(&mut self, are_up: bool, now: Timestamp) -> Result<bool> {
        self.framing.peers(are_up, now, &mut self.buffer)
    }

    /// Ends the table of a peer.
    pub(super) fn put_end_of_table(&mut self, peer: u16, now: Timestamp) -> Result<()> {
        self.framing.end_of_table(peer, now, &mut self.buffer)
    }

    /// Puts octets into the buffer as they are.
    pub(super) fn put_raw(&mut self, octets: &[u8]) {
        self.buffer.extend_from_slice(octets);
    }

    /// The frame of an UPDATE by itself.
    pub(super) fn frame(&mut self, update: &Outgoing<'_>, now: Timestamp) -> Result<Vec<u8>> {
        let mut frame = Vec::new();
        self.framing.update(update, now, &mut frame)?;
        Ok(frame)
    }

    /// Writes the buffer.
    #[expect(clippy::disallowed_methods, reason = "measuring is what this program is for")]
    pub(super) fn flush(&mut self) -> Result<()> {
        let start = Instant::now();
        self.socket.write_all(&self.buffer)?;
        let took = start.elapsed();
        if took > UNHINDERED {
            self.waited += took;
        }
        self.octets += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Whether the receiver has ended the session.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Answers, keeps alive and writes.
    ///
    /// # Errors
    /// When the receiver has ended the session.
    pub(super) fn tend(&mut self, now: Instant) -> Result<()> {
        if self.is_over() {
            bail!("the receiver ended the session");
        }
        while let Ok(answer) = self.answers.try_recv() {
            self.put_raw(&answer);
        }
        self.framing.keep_alive(now, &mut self.buffer);
        self.flush()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Ends the reading thread; the receiver may have closed it before.
        self.socket.shutdown(Shutdown::Both).ok();
    }
}

/// Connects from an address of this host.
pub(super) fn connect(from: IpAddr, to: SocketAddr) -> Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::new(from, 0).into())?;
    socket.connect_timeout(&to.into(), CONNECT_WITHIN).with_context(|| to.to_string())?;
    Ok(socket.into())
}

/// Reads until the other end closes.
pub(super) fn read_away(mut socket: TcpStream) {
    let mut octets = [0; 4_096];
    loop {
        match socket.read(&mut octets) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}
