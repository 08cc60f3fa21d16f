//! What can go wrong with RIS Live.

use std::time::Duration;

use tokio_tungstenite::tungstenite::Error as WsError;
use tokio_tungstenite::tungstenite::error::CapacityError;

/// A configuration that cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RisLiveError {
    /// The URL is not one of a websocket.
    #[error("not a ws:// or wss:// URL: {url}")]
    Url {
        /// The URL.
        url: String,
    },
    /// The client's name has other characters than letters, digits, `.`, `_` and `-`.
    #[error("a client's name has letters, digits, `.`, `_` and `-`, at most {octets_max}")]
    Client {
        /// The limit.
        octets_max: usize,
    },
    /// A filter is empty or too long.
    #[error("a filter of {field} is empty or longer than {octets_max} octets")]
    Filter {
        /// The field of the configuration.
        field: &'static str,
        /// The limit.
        octets_max: usize,
    },
    /// The filters give too many subscriptions: they are multiplied.
    #[error("{subscriptions} subscriptions, more than {subscriptions_max}")]
    Subscriptions {
        /// What the filters give.
        subscriptions: usize,
        /// The limit.
        subscriptions_max: usize,
    },
    /// A time of the configuration is zero, or the silence allowed is not longer than the time
    /// between two pings.
    #[error("ping_secs must be at least 1 and silence_secs longer than it")]
    Times,
}

impl RisLiveError {
    /// Stable name of the kind.
    pub fn kind(&self) -> &'static str {
        match self {
            RisLiveError::Url { .. } => "ris_live_url",
            RisLiveError::Client { .. } => "ris_live_client",
            RisLiveError::Filter { .. } => "ris_live_filter",
            RisLiveError::Subscriptions { .. } => "ris_live_subscriptions",
            RisLiveError::Times => "ris_live_times",
        }
    }
}

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionFault {
    /// No session came about in time.
    #[error("no session within {} s", after.as_secs())]
    ConnectTimeout {
        /// The limit.
        after: Duration,
    },
    /// No session came about.
    #[error("cannot connect: {source}")]
    Connect {
        /// What went wrong.
        source: Box<WsError>,
    },
    /// The session broke.
    #[error("the session broke: {source}")]
    Broken {
        /// What went wrong.
        source: Box<WsError>,
    },
    /// The server closed the session.
    #[error("the server closed the session{}", code.map(|code| format!(" with code {code}")).unwrap_or_default())]
    Closed {
        /// The code of its close frame (RFC 6455 §7.4).
        code: Option<u16>,
    },
    /// Nothing was heard, not even an answer to a ping.
    #[error("nothing heard for {} s", after.as_secs())]
    Silent {
        /// The limit.
        after: Duration,
    },
    /// The server answers pings, but a subscription without narrow filters gave nothing.
    #[error("no message of a collector for {} s", after.as_secs())]
    Idle {
        /// The limit.
        after: Duration,
    },
}

impl SessionFault {
    /// Stable name of the kind.
    pub fn kind(&self) -> &'static str {
        match self {
            SessionFault::ConnectTimeout { .. } => "connect_timeout",
            SessionFault::Connect { .. } => "connect",
            SessionFault::Closed { .. } => "closed",
            SessionFault::Silent { .. } => "silent",
            SessionFault::Idle { .. } => "idle",
            SessionFault::Broken { source } => match **source {
                WsError::Capacity(CapacityError::MessageTooLong { .. }) => "message_too_long",
                WsError::Utf8(_) => "not_utf8",
                WsError::Protocol(_) => "websocket_protocol",
                WsError::Io(_) | WsError::Tls(_) => "connection_broken",
                _ => "session_broken",
            },
        }
    }
}

/// Why a message was passed over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MessageFault {
    /// Not JSON.
    #[error("not JSON: {source}")]
    NotJson {
        /// Where, and what was wrong.
        source: serde_json::Error,
    },
    /// JSON of another shape than RIS Live has.
    #[error("not a message of RIS Live: {source}")]
    Shape {
        /// Where, and what was wrong.
        source: serde_json::Error,
    },
    /// A field has a value that cannot be.
    #[error("field {field} cannot be read")]
    Field {
        /// The field.
        field: &'static str,
    },
    /// A field that this type of message must have is missing.
    #[error("field {field} is missing")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// The raw octets cannot be read, and neither can the parsed fields.
    #[error("the parsed fields give no BGP message: {source}")]
    NoMessage {
        /// Why they cannot be encoded.
        source: routewarden_wire::Error,
    },
}

impl MessageFault {
    /// Stable name of the kind.
    pub fn kind(&self) -> &'static str {
        match self {
            MessageFault::NotJson { .. } => "json_malformed",
            MessageFault::Shape { .. } => "json_shape",
            MessageFault::Field { .. } => "field_malformed",
            MessageFault::Missing { .. } => "field_missing",
            MessageFault::NoMessage { .. } => "bgp_unencodable",
        }
    }
}

impl From<serde_json::Error> for MessageFault {
    fn from(source: serde_json::Error) -> Self {
        if source.is_data() {
            MessageFault::Shape { source }
        } else {
            MessageFault::NotJson { source }
        }
    }
}
