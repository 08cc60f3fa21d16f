//! One neighbour's session, from its connection to its end (RFC 4271 §8).

use std::sync::Arc;
use std::time::Duration;

use routewarden_core::{Peer, RouteEventKind, Timestamp};
use routewarden_wire::update::message_type;
use routewarden_wire::{
    BGP_EXTENDED_MESSAGE_OCTETS_MAX, BGP_MESSAGE_OCTETS_MAX, BgpMessage, Open, RawBgpMessage,
    UpdateForm, encode,
};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout};

use super::config::{BgpConfig, BgpNeighbourConfig};
use super::end::{End, FsmState, heard_notification};
use super::handshake::{Agreed, check_open, our_open};
use super::prefix_count::PrefixCount;
use crate::live::inbox::Inbox;
use crate::live::tally::Tally;
use crate::live::{Batcher, FLUSH_AFTER, SourceContext};

/// How long the neighbour may take to take a short message.
const WRITE_WAIT: Duration = Duration::from_secs(10);
/// Octets of a BGP message header.
const HEADER_OCTETS: usize = 19;

/// A session with a neighbour whose connection stands.
pub(super) struct Session<S> {
    stream: S,
    inbox: Inbox,
    config: Arc<BgpConfig>,
    neighbour: Arc<BgpNeighbourConfig>,
    context: SourceContext,
    peer: Arc<Peer>,
    batcher: Batcher,
    tally: Tally,
    prefixes: PrefixCount,
    /// Longest message that was agreed on.
    octets_max: usize,
    timers: Timers,
}

/// When something is due.
#[derive(Clone, Copy, Debug)]
struct Timers {
    /// Hold time agreed on.
    hold: Option<Duration>,
    hold_at: Instant,
    keepalive_at: Instant,
    flush_at: Instant,
}

impl Timers {
    fn hold_anew(&mut self) {
        if let Some(hold) = self.hold {
            self.hold_at = Instant::now() + hold;
        }
    }

    fn keepalive_anew(&mut self) {
        if let Some(hold) = self.hold {
            // RFC 4271 §10: a third of the hold time.
            self.keepalive_at = Instant::now() + hold / 3;
        }
    }
}

/// How a session went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Whether it was ever established.
    pub(super) was_established: bool,
    /// How long the neighbour is to have no other.
    pub(super) pause: Option<Duration>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    pub(super) fn new(
        stream: S,
        config: Arc<BgpConfig>,
        neighbour: Arc<BgpNeighbourConfig>,
        context: SourceContext,
    ) -> Self {
        let addr = neighbour.address.to_canonical();
        let peer = Peer { collector: neighbour.collector(), asn: neighbour.asn, addr };
        let now = Instant::now();
        Session {
            stream,
            inbox: Inbox::default(),
            config,
            neighbour,
            batcher: Batcher::new(context.clone()),
            context,
            peer: Arc::new(peer),
            tally: Tally::default(),
            prefixes: PrefixCount::default(),
            octets_max: BGP_MESSAGE_OCTETS_MAX,
            timers: Timers { hold: None, hold_at: now, keepalive_at: now, flush_at: now },
        }
    }

    /// Runs until the session has ended.
    pub(super) async fn run(mut self) -> Outcome {
        let (was_established, end) = match self.handshake().await {
            Err(end) => (false, end),
            Ok(form) => {
                let now = self.context.clock.now();
                self.context.status.session_up(now);
                self.batcher.session(&self.peer, (now, now), RouteEventKind::PeerUp);
                (true, self.established(form).await)
            }
        };
        let now = self.context.clock.now();
        self.tally.tell(&self.context.status, now);
        if let Some((kind, text)) = end.fault() {
            let text = format!("{}: {text}", self.peer.collector);
            self.context.status.fault(kind, text, now);
        }
        if let Some(notification) = end.notification() {
            // Whether it is heard or not, the session is over.
            let _sent = self.send(&notification).await;
            let _shut = timeout(WRITE_WAIT, self.stream.shutdown()).await;
        }
        if was_established {
            self.batcher.session(&self.peer, (now, now), RouteEventKind::PeerDown);
            // When the pipeline has ended, nobody needs to know.
            let _closed = self.batcher.flush().await;
            self.context.status.session_down(now);
        }
        Outcome { was_established, pause: end.pause() }
    }

    async fn send(&mut self, message: &[u8]) -> Result<(), End> {
        match timeout(WRITE_WAIT, self.stream.write_all(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(End::Io(error)),
            Err(_) => Err(End::NotTaken),
        }
    }

    /// OPENs and first KEEPALIVEs; gives how UPDATEs are read.
    async fn handshake(&mut self) -> Result<UpdateForm, End> {
        let ours = our_open(&self.config, &self.neighbour);
        self.send(&ours).await?;
        let theirs = self.await_message(FsmState::OpenSent).await?;
        let Agreed { negotiated, hold_time } = {
            let ours = ours.get(HEADER_OCTETS..).unwrap_or_default();
            let ours = Open::decode(ours).map_err(End::Framing)?;
            let theirs = Open::decode(&theirs);
            check_open(&self.config, &self.neighbour, &ours, theirs).map_err(End::Refused)?
        };
        self.send(&encode::keepalive()).await?;
        self.await_message(FsmState::OpenConfirm).await?;
        if negotiated.has_extended_message {
            self.octets_max = BGP_EXTENDED_MESSAGE_OCTETS_MAX;
        }
        self.timers.hold = hold_time;
        self.timers.hold_anew();
        self.timers.keepalive_anew();
        Ok(negotiated.form())
    }

    /// Waits for the message that the state needs; gives its body.
    async fn await_message(&mut self, state: FsmState) -> Result<Vec<u8>, End> {
        let wanted = match state {
            FsmState::OpenSent => message_type::OPEN,
            FsmState::OpenConfirm | FsmState::Established => message_type::KEEPALIVE,
        };
        let deadline = Instant::now() + Duration::from_secs(self.config.open_secs);
        let cancel = self.context.cancel.clone();
        loop {
            let (unread, offset) = (self.inbox.unread(), self.inbox.offset());
            let raw = RawBgpMessage::next(unread, offset, self.octets_max);
            if let Some(raw) = raw.map_err(End::Framing)? {
                if raw.message_type == message_type::NOTIFICATION {
                    return Err(heard_notification(raw.body));
                }
                if raw.message_type != wanted {
                    return Err(End::Fsm { state, message_type: raw.message_type });
                }
                let (octets, body) = (raw.octets(), raw.body.to_vec());
                self.inbox.consume(octets);
                let octets = u64::try_from(octets).unwrap_or_default();
                self.context.status.heard(1, octets, self.context.clock.now());
                return Ok(body);
            }
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(End::Cancelled),
                () = sleep_until(deadline) => return Err(End::OpenTimer),
                read = self.inbox.fill(&mut self.stream) => match read {
                    Ok(0) => return Err(End::ByNeighbour),
                    Ok(_) => {}
                    Err(error) => return Err(End::Io(error)),
                },
            }
        }
    }

    async fn established(&mut self, form: UpdateForm) -> End {
        // What came with the KEEPALIVE.
        if let Err(end) = self.read(form).await {
            return end;
        }
        let cancel = self.context.cancel.clone();
        loop {
            let Timers { hold, hold_at, keepalive_at, flush_at } = self.timers;
            let was_empty = self.batcher.is_empty();
            let outcome = tokio::select! {
                biased;
                () = cancel.cancelled() => Err(End::Cancelled),
                () = sleep_until(keepalive_at), if hold.is_some() => self.keepalive().await,
                () = sleep_until(flush_at), if !was_empty => self.flush().await,
                read = self.inbox.fill(&mut self.stream) => match read {
                    Ok(0) => Err(End::ByNeighbour),
                    Ok(_) => self.read(form).await,
                    Err(error) => Err(End::Io(error)),
                },
                () = sleep_until(hold_at), if hold.is_some() => Err(End::HoldTimer),
            };
            if let Err(end) = outcome {
                return end;
            }
            if was_empty {
                self.timers.flush_at = Instant::now() + FLUSH_AFTER;
            }
        }
    }

    async fn keepalive(&mut self) -> Result<(), End> {
        self.send(&encode::keepalive()).await?;
        self.timers.keepalive_anew();
        Ok(())
    }

    /// Hands on the events. While the pipeline makes us wait, the neighbour still gets its
    /// KEEPALIVEs, and what it sends meanwhile is not late.
    async fn flush(&mut self) -> Result<(), End> {
        loop {
            let Timers { hold, keepalive_at, .. } = self.timers;
            tokio::select! {
                biased;
                flushed = self.batcher.flush() => {
                    flushed.map_err(|_| End::Closed)?;
                    self.timers.hold_anew();
                    self.timers.flush_at = Instant::now() + FLUSH_AFTER;
                    return Ok(());
                }
                () = sleep_until(keepalive_at), if hold.is_some() => self.keepalive().await?,
            }
        }
    }

    /// Reads the messages that are whole.
    async fn read(&mut self, form: UpdateForm) -> Result<(), End> {
        let now = self.context.clock.now();
        let (mut messages, begin) = (0, self.inbox.offset());
        let outcome = self.read_messages(form, now, &mut messages).await;
        if messages > 0 {
            self.context.status.heard(messages, self.inbox.offset() - begin, now);
            self.timers.hold_anew();
        }
        self.tally.tell(&self.context.status, now);
        outcome
    }

    async fn read_messages(
        &mut self,
        form: UpdateForm,
        now: Timestamp,
        messages: &mut u64,
    ) -> Result<(), End> {
        loop {
            let (unread, offset) = (self.inbox.unread(), self.inbox.offset());
            let raw = RawBgpMessage::next(unread, offset, self.octets_max);
            let Some(raw) = raw.map_err(End::Framing)? else { return Ok(()) };
            match raw.decode(form).map_err(End::Update)? {
                BgpMessage::Update(update) => {
                    for warning in update.warnings().iter() {
                        self.tally.count(warning.kind());
                    }
                    if !self.prefixes.update(&update, self.neighbour.prefixes_max) {
                        return Err(End::PrefixesMax { max: self.neighbour.prefixes_max });
                    }
                    self.batcher.update(&self.peer, (now, now), &update);
                }
                BgpMessage::Keepalive => {}
                BgpMessage::Notification(_) => return Err(heard_notification(raw.body)),
                // We offered none, and have no routes to send again.
                BgpMessage::RouteRefresh(_) => self.tally.count("bgp_route_refresh"),
                _ => {
                    let (state, message_type) = (FsmState::Established, raw.message_type);
                    return Err(End::Fsm { state, message_type });
                }
            }
            let octets = raw.octets();
            self.inbox.consume(octets);
            *messages += 1;
            if self.batcher.is_full() {
                self.flush().await?;
            }
        }
    }
}
