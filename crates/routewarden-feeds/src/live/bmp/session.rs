//! One router's connection.

use std::time::Duration;

use routewarden_wire::RawBmpMessage;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

use super::config::BmpConfig;
use super::router::{Next, Router};
use crate::live::inbox::Inbox;
use crate::live::{FLUSH_AFTER, SourceContext};

/// How long is waited for octets that must come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waits {
    first: Duration,
    message: Duration,
}

impl Waits {
    pub(super) fn of(config: &BmpConfig) -> Self {
        Waits {
            first: Duration::from_secs(config.first_message_secs),
            message: Duration::from_secs(config.message_secs),
        }
    }
}

/// Why a session ended.
#[derive(Debug)]
enum End {
    /// We were told to.
    Cancelled,
    /// The pipeline has ended.
    Closed,
    /// The router closed it, or said so; inside a message or not.
    ByRouter { is_cut: bool },
    /// A message did not become whole in time.
    Slow,
    /// The connection broke.
    Io(std::io::Error),
    /// What came is no BMP.
    Framing(routewarden_wire::Error),
}

impl End {
    /// Kind and words, when it is a fault.
    fn fault(&self) -> Option<(&'static str, String)> {
        match self {
            End::Cancelled | End::Closed | End::ByRouter { is_cut: false } => None,
            End::ByRouter { is_cut: true } => {
                Some(("bmp_cut", "the session ended inside a message".to_owned()))
            }
            End::Slow => Some(("bmp_slow", "a message did not become whole in time".to_owned())),
            End::Io(error) => Some(("bmp_io", error.to_string())),
            End::Framing(error) => Some((error.kind(), error.to_string())),
        }
    }
}

pub(super) struct Session {
    stream: TcpStream,
    inbox: Inbox,
    router: Router,
    waits: Waits,
    context: SourceContext,
    /// Whether a whole message came.
    is_up: bool,
    /// Until when the message that has begun must be whole.
    deadline: Option<Instant>,
    /// Until when the events must be handed on.
    flush_at: Instant,
}

impl Session {
    pub(super) fn new(
        stream: TcpStream,
        router: Router,
        waits: Waits,
        context: SourceContext,
    ) -> Self {
        let now = Instant::now();
        Session {
            stream,
            inbox: Inbox::default(),
            router,
            waits,
            context,
            is_up: false,
            deadline: Some(now + waits.first),
            flush_at: now,
        }
    }

    pub(super) async fn run(mut self) {
        let end = match self.hear().await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        let now = self.context.clock.now();
        if let Some((kind, text)) = end.fault() {
            self.router.tell(now);
            self.context.status.fault(kind, format!("{}: {text}", self.router.name()), now);
        }
        self.router.lost(now);
        self.router.tell(now);
        // When the pipeline has ended, nobody needs to know.
        let _closed = self.router.flush().await;
        if self.is_up {
            self.context.status.session_down(now);
        }
    }

    async fn hear(&mut self) -> Result<std::convert::Infallible, End> {
        let cancel = self.context.cancel.clone();
        loop {
            let was_empty = self.router.is_empty();
            let deadline = self.deadline.unwrap_or_else(|| Instant::now() + self.waits.message);
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(End::Cancelled),
                () = sleep_until(self.flush_at), if !was_empty => self.flush().await?,
                read = self.inbox.fill(&mut self.stream) => match read {
                    Ok(0) => {
                        let is_cut = !self.inbox.unread().is_empty();
                        return Err(End::ByRouter { is_cut });
                    }
                    Ok(_) => {
                        self.read().await?;
                        if was_empty {
                            self.flush_at = Instant::now() + FLUSH_AFTER;
                        }
                    }
                    Err(error) => return Err(End::Io(error)),
                },
                () = sleep_until(deadline), if self.deadline.is_some() => return Err(End::Slow),
            }
        }
    }

    /// Reads the messages that are whole.
    async fn read(&mut self) -> Result<(), End> {
        let now = self.context.clock.now();
        let (mut messages, begin) = (0, self.inbox.offset());
        let next = self.read_messages(now, &mut messages).await;
        if messages > 0 {
            if !self.is_up {
                self.is_up = true;
                self.context.status.session_up(now);
            }
            self.context.status.heard(messages, self.inbox.offset() - begin, now);
            self.deadline = None;
        }
        self.router.tell(now);
        if next? == Next::Terminated {
            return Err(End::ByRouter { is_cut: false });
        }
        let is_begun = !self.inbox.unread().is_empty();
        if is_begun {
            let deadline = *self.deadline.get_or_insert(Instant::now() + self.waits.message);
            if Instant::now() > deadline {
                return Err(End::Slow);
            }
        }
        Ok(())
    }

    async fn read_messages(
        &mut self,
        now: routewarden_core::Timestamp,
        messages: &mut u64,
    ) -> Result<Next, End> {
        loop {
            let raw = RawBmpMessage::next(self.inbox.unread(), self.inbox.offset());
            let Some(raw) = raw.map_err(End::Framing)? else { return Ok(Next::More) };
            let octets = raw.octets();
            let next = self.router.message(&raw, now);
            self.inbox.consume(octets);
            *messages += 1;
            if next == Next::Terminated {
                return Ok(next);
            }
            if self.router.is_full() {
                self.flush().await?;
            }
        }
    }

    /// Hands on the events. What the router sent meanwhile is not late.
    async fn flush(&mut self) -> Result<(), End> {
        self.router.flush().await.map_err(|_| End::Closed)?;
        if let Some(deadline) = &mut self.deadline {
            *deadline = Instant::now() + self.waits.message;
        }
        self.flush_at = Instant::now() + FLUSH_AFTER;
        Ok(())
    }
}
