//! What is remembered besides incidents: feeds, gaps, facts, the service itself.

use routewarden_core::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::StoreError;
use crate::journal::JournalKind;
use crate::version::{BODY_OCTETS_MAX, NAME_OCTETS_MAX, check_time};

/// What befell the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceEvent {
    /// It started.
    Started,
    /// It stopped in good order.
    Stopped,
    /// It found that it had not stopped in good order.
    Recovered,
}

/// Something to be remembered. `detail` is JSON of any form, at most [`BODY_OCTETS_MAX`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// The state of a feed. The same state and detail as before write nothing.
    FeedState {
        /// Name of the feed.
        feed: String,
        /// Its state.
        state: String,
        /// Since when, in event time.
        at: Timestamp,
        /// More about it.
        detail: Option<Box<RawValue>>,
    },
    /// A feed was not heard. Known by its feed and beginning: told again when it ends or is filled.
    Gap {
        /// Name of the feed.
        feed: String,
        /// The last that was heard before it.
        from: Timestamp,
        /// The first that was heard after it; `None` while it lasts.
        to: Option<Timestamp>,
        /// Whether what was missed has been fetched.
        filled: bool,
        /// More about it.
        detail: Option<Box<RawValue>>,
    },
    /// A version of facts is applied from now on.
    FactsApplied {
        /// Name of the facts.
        name: String,
        /// Their version: a hash, a serial, a date.
        version: String,
        /// From when on.
        at: Timestamp,
        /// More about it.
        detail: Option<Box<RawValue>>,
    },
    /// Something befell the service.
    Service {
        /// What.
        event: ServiceEvent,
        /// When.
        at: Timestamp,
        /// More about it.
        detail: Option<Box<RawValue>>,
    },
}

impl Note {
    /// Kind of its row in the journal.
    pub fn kind(&self) -> JournalKind {
        match self {
            Note::FeedState { .. } => JournalKind::FeedState,
            Note::Gap { to: None, .. } => JournalKind::GapOpened,
            Note::Gap { filled: false, .. } => JournalKind::GapClosed,
            Note::Gap { .. } => JournalKind::GapFilled,
            Note::FactsApplied { .. } => JournalKind::FactsApplied,
            Note::Service { event: ServiceEvent::Started, .. } => JournalKind::ServiceStarted,
            Note::Service { event: ServiceEvent::Stopped, .. } => JournalKind::ServiceStopped,
            Note::Service { event: ServiceEvent::Recovered, .. } => JournalKind::ServiceRecovered,
        }
    }

    /// What it is about.
    pub fn subject(&self) -> &str {
        match self {
            Note::FeedState { feed, .. } | Note::Gap { feed, .. } => feed,
            Note::FactsApplied { name, .. } => name,
            Note::Service { .. } => "service",
        }
    }

    /// Its time: of a gap, the end once there is one.
    pub fn at(&self) -> Timestamp {
        match self {
            Note::Gap { from, to, .. } => to.unwrap_or(*from),
            Note::FeedState { at, .. }
            | Note::FactsApplied { at, .. }
            | Note::Service { at, .. } => *at,
        }
    }

    /// More about it, as JSON.
    pub(crate) fn detail(&self) -> Option<&str> {
        match self {
            Note::FeedState { detail, .. }
            | Note::Gap { detail, .. }
            | Note::FactsApplied { detail, .. }
            | Note::Service { detail, .. } => detail.as_deref().map(RawValue::get),
        }
    }

    /// Whether the limits hold.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let second = match self {
            Note::FeedState { state, .. } => state,
            Note::FactsApplied { version, .. } => version,
            Note::Gap { .. } | Note::Service { .. } => "",
        };
        if self.subject().len().max(second.len()) > NAME_OCTETS_MAX {
            return Err(StoreError::OverLimit { what: "name", max: NAME_OCTETS_MAX });
        }
        if self.detail().is_some_and(|detail| detail.len() > BODY_OCTETS_MAX) {
            return Err(StoreError::OverLimit { what: "detail", max: BODY_OCTETS_MAX });
        }
        if let Note::Gap { from, .. } = self {
            check_time(*from)?;
        }
        check_time(self.at())
    }
}
