//! One websocket session.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use super::config::Plan;
use super::{Ended, Hearing, MESSAGE_OCTETS_MAX, SessionFault};
use crate::live::{Closed, LiveItem, SourceContext};

/// Longest wait for a session and its subscriptions.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// Frames read before the batch is handed on, full or not.
const FRAMES_PER_ROUND_MAX: usize = 4_096;
/// How long the server has to answer our close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Asks the service itself: a pong frame would only tell that some machine on the way lives.
const PING: &str = r#"{"type":"ping"}"#;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Hears one session until it ends.
pub(super) async fn run(context: &SourceContext, plan: &Plan, hearing: &mut Hearing) -> Ended {
    let connecting = timeout(CONNECT_TIMEOUT, connect(plan));
    let socket = tokio::select! {
        () = context.cancel.cancelled() => return Ended::Done,
        socket = connecting => socket,
    };
    let mut socket = match socket {
        Ok(Ok(socket)) => socket,
        Ok(Err(source)) => return Ended::Lost(SessionFault::Connect { source: Box::new(source) }),
        Err(_) => return Ended::Lost(SessionFault::ConnectTimeout { after: CONNECT_TIMEOUT }),
    };
    context.status.session_up(context.clock.now());
    let ended = hear(context, plan, hearing, &mut socket).await;
    context.status.session_down(context.clock.now());
    if matches!(ended, Ended::Done) {
        // Politeness only: an answer that does not come changes nothing.
        drop(timeout(CLOSE_TIMEOUT, socket.close(None)).await);
    }
    ended
}

async fn connect(plan: &Plan) -> Result<Socket, WsError> {
    let limits = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_OCTETS_MAX))
        .max_frame_size(Some(MESSAGE_OCTETS_MAX));
    let (mut socket, _) = connect_async_with_config(plan.url.as_str(), Some(limits), true).await?;
    for subscription in &plan.subscriptions {
        socket.feed(Message::text(subscription)).await?;
    }
    socket.flush().await?;
    Ok(socket)
}

/// When what was heard last in a session.
struct Heard {
    frame: Instant,
    message: Instant,
}

async fn hear(
    context: &SourceContext,
    plan: &Plan,
    hearing: &mut Hearing,
    socket: &mut Socket,
) -> Ended {
    let mut pings = interval(plan.ping_every);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Heard { frame: Instant::now(), message: Instant::now() };
    loop {
        tokio::select! {
            // What waits to be read comes before the question whether there is silence: the
            // pipeline may have kept us waiting.
            biased;
            () = context.cancel.cancelled() => return Ended::Done,
            frame = socket.next() => {
                let lost = round(context, hearing, socket, frame, &mut heard);
                let handed = tokio::select! {
                    () = context.cancel.cancelled() => return Ended::Done,
                    handed = hand_on(context, hearing) => handed,
                };
                match (handed, lost) {
                    (Err(Closed), _) => return Ended::Done,
                    (Ok(()), Err(fault)) => return Ended::Lost(fault),
                    (Ok(()), Ok(())) => {}
                }
            }
            _ = pings.tick() => {
                if let Err(fault) = ask(plan, socket, &heard).await {
                    return Ended::Lost(fault);
                }
            }
        }
    }
}

/// Reads the frame and those that wait behind it.
fn round(
    context: &SourceContext,
    hearing: &mut Hearing,
    socket: &mut Socket,
    first: Option<Result<Message, WsError>>,
    heard: &mut Heard,
) -> Result<(), SessionFault> {
    let now = context.clock.now();
    let (mut frames, mut texts, mut octets, mut lost) = (0, 0, 0, Ok(()));
    let (mut next, mut has_message) = (Some(first), false);
    while let Some(frame) = next {
        frames += 1;
        match text_of(frame) {
            Err(fault) => {
                lost = Err(fault);
                break;
            }
            Ok(Frame::Text(text)) => {
                texts += 1;
                octets += text.len() as u64;
                match hearing.decoder.frame(&text, now, &mut hearing.batcher) {
                    Ok(is_message) => has_message |= is_message,
                    Err(fault) => context.status.fault(fault.kind(), fault.to_string(), now),
                }
            }
            Ok(Frame::Binary(octets)) => {
                let text = format!("a binary frame of {octets} octets");
                context.status.fault("binary_frame", text, now);
            }
            Ok(Frame::Control) => {}
        }
        let is_enough = hearing.batcher.is_full() || frames >= FRAMES_PER_ROUND_MAX;
        next = if is_enough { None } else { socket.next().now_or_never() };
    }
    context.status.heard(texts, octets, now);
    hearing.decoder.report(&context.status, now);
    heard.frame = Instant::now();
    if has_message {
        heard.message = heard.frame;
        hearing.last_heard = Some(now);
        hearing.gap_until = hearing.gap_until.or(hearing.gap_from.and(Some(now)));
    }
    lost
}

enum Frame {
    Text(tokio_tungstenite::tungstenite::Utf8Bytes),
    Binary(usize),
    Control,
}

fn text_of(frame: Option<Result<Message, WsError>>) -> Result<Frame, SessionFault> {
    match frame {
        None => Err(SessionFault::Closed { code: None }),
        Some(Err(WsError::ConnectionClosed | WsError::AlreadyClosed)) => {
            Err(SessionFault::Closed { code: None })
        }
        Some(Err(source)) => Err(SessionFault::Broken { source: Box::new(source) }),
        Some(Ok(Message::Text(text))) => Ok(Frame::Text(text)),
        Some(Ok(Message::Binary(octets))) => Ok(Frame::Binary(octets.len())),
        Some(Ok(Message::Close(frame))) => {
            Err(SessionFault::Closed { code: frame.map(|frame| frame.code.into()) })
        }
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(Frame::Control),
    }
}

/// Hands on what was read; before the first message of a new session, the gap.
async fn hand_on(context: &SourceContext, hearing: &mut Hearing) -> Result<(), Closed> {
    if let (Some(from), Some(until)) = (hearing.gap_from, hearing.gap_until) {
        let source = Arc::clone(context.status.name());
        context.sink.send(LiveItem::Gap { source, from, until: until.max(from) }).await?;
        // Only now: the wait may be cancelled.
        (hearing.gap_from, hearing.gap_until) = (None, None);
    }
    hearing.batcher.flush().await
}

/// Asks for a sign of life, unless there was none for too long.
async fn ask(plan: &Plan, socket: &mut Socket, heard: &Heard) -> Result<(), SessionFault> {
    let silent = SessionFault::Silent { after: plan.silence };
    if heard.frame.elapsed() >= plan.silence {
        return Err(silent);
    }
    if let Some(after) = plan.idle.filter(|&idle| heard.message.elapsed() >= idle) {
        return Err(SessionFault::Idle { after });
    }
    match timeout(plan.silence, socket.send(Message::text(PING))).await {
        Err(_) => Err(silent),
        Ok(Err(source)) => Err(SessionFault::Broken { source: Box::new(source) }),
        Ok(Ok(())) => Ok(()),
    }
}
