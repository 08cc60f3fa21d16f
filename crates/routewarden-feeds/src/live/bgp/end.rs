//! Why a session ended, and what the neighbour and the operator are told.

use std::io;
use std::time::Duration;

use routewarden_wire::notification::{cease, error_code, header_error, open_error};
use routewarden_wire::{Error, Notification, encode};

use super::handshake::Refusal;

/// A neighbour that announced too many prefixes gets no other session for so long.
const PREFIXES_PAUSE: Duration = Duration::from_mins(5);
/// Longest text of a neighbour that is repeated, in characters.
const TEXT_CHARS_MAX: usize = 128;
/// What a neighbour is told when we stop.
const SHUTDOWN_TEXT: &str = "the monitor stops";

/// States in which a message can be out of place (RFC 4271 §8.2.2), with the subcodes of RFC 6608.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FsmState {
    OpenSent = 1,
    OpenConfirm = 2,
    Established = 3,
}

/// Why a session ended.
#[derive(Debug)]
pub(super) enum End {
    /// We were told to.
    Cancelled,
    /// The pipeline has ended.
    Closed,
    /// The neighbour closed the connection without a word.
    ByNeighbour,
    /// The neighbour said why.
    Notified { text: String },
    /// The connection broke.
    Io(io::Error),
    /// The neighbour does not take what we send.
    NotTaken,
    /// No OPEN, or no KEEPALIVE after it.
    OpenTimer,
    /// Nothing was heard for the hold time.
    HoldTimer,
    /// Its OPEN will not do.
    Refused(Refusal),
    /// A message that has no place here.
    Fsm { state: FsmState, message_type: u8 },
    /// What came is no BGP.
    Framing(Error),
    /// A message whose length fields contradict each other; no route in it can be told from
    /// another (RFC 7606 §3).
    Update(Error),
    /// It announced too many prefixes.
    PrefixesMax { max: usize },
}

/// The neighbour ended the session.
pub(super) fn heard_notification(body: &[u8]) -> End {
    let Some(notification) = Notification::decode(body) else { return End::ByNeighbour };
    let Notification { code, subcode, .. } = notification;
    let name = notification.name();
    let text = match notification.shutdown_text() {
        None => format!("{name} ({code}/{subcode})"),
        Some(said) => {
            let said: String = said.chars().take(TEXT_CHARS_MAX).collect();
            format!("{name} ({code}/{subcode}): {said:?}")
        }
    };
    End::Notified { text }
}

impl End {
    /// Kind and words, when it is a fault.
    pub(super) fn fault(&self) -> Option<(&'static str, String)> {
        Some(match self {
            End::Cancelled | End::Closed => return None,
            End::ByNeighbour => ("bgp_closed", "closed without a NOTIFICATION".to_owned()),
            End::Notified { text } => ("bgp_notification", format!("NOTIFICATION {text}")),
            End::Io(error) => ("bgp_io", error.to_string()),
            End::NotTaken => ("bgp_not_taken", "takes nothing that is sent".to_owned()),
            End::OpenTimer => ("bgp_open_timer", "no OPEN or KEEPALIVE in time".to_owned()),
            End::HoldTimer => ("bgp_hold_timer", "silent for the hold time".to_owned()),
            End::Refused(refusal) => (refusal.kind, refusal.text.clone()),
            End::Fsm { state, message_type } => {
                ("bgp_fsm", format!("message of type {message_type} in state {state:?}"))
            }
            End::Framing(error) | End::Update(error) => (error.kind(), error.to_string()),
            End::PrefixesMax { max } => {
                ("bgp_prefixes_max", format!("more than {max} prefixes announced"))
            }
        })
    }

    /// What the neighbour is told.
    pub(super) fn notification(&self) -> Option<Vec<u8>> {
        let (length, kind);
        let (code, subcode, data): (u8, u8, &[u8]) = match self {
            End::Cancelled => return Some(encode::shutdown(SHUTDOWN_TEXT)),
            End::ByNeighbour | End::Notified { .. } | End::Io(_) | End::NotTaken => return None,
            End::Closed => (error_code::CEASE, cease::RESOURCES, &[]),
            End::OpenTimer | End::HoldTimer => (error_code::HOLD_TIMER, 0, &[]),
            End::Refused(refusal) => (error_code::OPEN, refusal.subcode, &refusal.data),
            End::Fsm { state, .. } => (error_code::FSM, *state as u8, &[]),
            End::Framing(Error::MessageLength { length: claimed, .. }) => {
                length = u16::try_from(*claimed).unwrap_or(u16::MAX).to_be_bytes();
                (error_code::MESSAGE_HEADER, header_error::BAD_LENGTH, &length)
            }
            End::Framing(Error::MessageType { message_type, .. }) => {
                kind = [*message_type];
                (error_code::MESSAGE_HEADER, header_error::BAD_TYPE, &kind)
            }
            End::Framing(Error::NoMarker { .. }) => {
                (error_code::MESSAGE_HEADER, header_error::NOT_SYNCHRONISED, &[])
            }
            End::Framing(_) => (error_code::OPEN, open_error::UNSPECIFIC, &[]),
            // Malformed attribute list (RFC 4271 §6.3).
            End::Update(_) => (error_code::UPDATE, 1, &[]),
            End::PrefixesMax { .. } => (error_code::CEASE, cease::PREFIXES_MAX, &[]),
        };
        encode::notification(&Notification { code, subcode, data }).ok()
    }

    /// How long the neighbour is to have no other session.
    pub(super) fn pause(&self) -> Option<Duration> {
        matches!(self, End::PrefixesMax { .. }).then_some(PREFIXES_PAUSE)
    }
}
