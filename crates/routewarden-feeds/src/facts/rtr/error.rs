//! What ends a session with a cache.

use std::io;

use routewarden_core::Asn;
use routewarden_core::facts::Vrp;

use super::pdu::{PduError, code};
use super::records::{ASPAS_MAX, PROVIDERS_MAX, VRPS_MAX};

/// A session with a cache ended. The data held stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RtrError {
    /// The cache cannot be reached.
    #[error("cannot connect")]
    Connect {
        /// What the system said.
        source: io::Error,
    },
    /// The connection broke.
    #[error("the connection broke")]
    Broken {
        /// What the system said.
        source: io::Error,
    },
    /// The cache closed the connection.
    #[error("the cache closed the connection{}", if *in_pdu { " inside a PDU" } else { "" })]
    Closed {
        /// Octets of a PDU were left.
        in_pdu: bool,
        /// Whether the cache had said anything.
        was_heard: bool,
    },
    /// An answer did not come, did not go on, or did not end in time.
    #[error("no complete answer within {seconds} s")]
    Silent {
        /// The limit.
        seconds: u64,
    },
    /// A PDU cannot be used.
    #[error("at octet {offset} of the connection: {source}")]
    Pdu {
        /// Where the PDU begins.
        offset: u64,
        /// What is wrong.
        source: PduError,
    },
    /// A sound PDU that does not belong here.
    #[error("unexpected PDU: {pdu}")]
    Unexpected {
        /// Its name.
        pdu: &'static str,
    },
    /// The cache does not speak our version; it may speak the one given.
    #[error("the cache speaks version {version}, not {asked}")]
    Unsupported {
        /// The cache's.
        version: u8,
        /// Ours.
        asked: u8,
    },
    /// The version changed after it was agreed upon.
    #[error("version {version} after {agreed} was agreed upon")]
    VersionChanged {
        /// As given.
        version: u8,
        /// As agreed upon.
        agreed: u8,
    },
    /// The session ID is another one: the cache has started anew.
    #[error("session {session} instead of {held}")]
    SessionChanged {
        /// As given.
        session: u16,
        /// As held.
        held: u16,
    },
    /// A VRP was announced that is held.
    #[error("announced twice: {} up to {} from {}", vrp.prefix, vrp.max_len, vrp.asn)]
    DuplicateVrp {
        /// The VRP.
        vrp: Vrp,
    },
    /// A VRP was withdrawn that is not held.
    #[error("withdrawn, not held: {} up to {} from {}", vrp.prefix, vrp.max_len, vrp.asn)]
    UnknownVrp {
        /// The VRP.
        vrp: Vrp,
    },
    /// An ASPA was withdrawn that is not held.
    #[error("withdrawn, not held: ASPA of {customer}")]
    UnknownAspa {
        /// The customer.
        customer: Asn,
    },
    /// More VRPs than [`VRPS_MAX`].
    #[error("more than {VRPS_MAX} VRPs")]
    TooManyVrps,
    /// More ASPAs than [`ASPAS_MAX`], or providers than [`PROVIDERS_MAX`].
    #[error("more than {ASPAS_MAX} ASPAs or {PROVIDERS_MAX} providers")]
    TooManyAspas,
    /// The cache reported an error.
    #[error("the cache reports error {code}: {text:?}")]
    Reported {
        /// See [`code`].
        code: u16,
        /// Its text, cut.
        text: Box<str>,
    },
    /// Building the table failed.
    #[error("the table could not be built")]
    Build,
}

impl RtrError {
    /// Stable name of the kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            RtrError::Connect { .. } => "rtr_connect",
            RtrError::Broken { .. } => "rtr_broken",
            RtrError::Closed { .. } => "rtr_closed",
            RtrError::Silent { .. } => "rtr_silent",
            RtrError::Pdu { source, .. } => source.kind(),
            RtrError::Unexpected { .. } => "rtr_unexpected_pdu",
            RtrError::Unsupported { .. } => "rtr_unsupported_version",
            RtrError::VersionChanged { .. } => "rtr_version_changed",
            RtrError::SessionChanged { .. } => "rtr_session_changed",
            RtrError::DuplicateVrp { .. } => "rtr_duplicate_announcement",
            RtrError::UnknownVrp { .. } | RtrError::UnknownAspa { .. } => "rtr_unknown_withdrawal",
            RtrError::TooManyVrps => "rtr_too_many_vrps",
            RtrError::TooManyAspas => "rtr_too_many_aspas",
            RtrError::Reported { .. } => "rtr_error_report",
            RtrError::Build => "rtr_build",
        }
    }

    /// The code to report it to the cache with, if it is to be (RFC 8210 §12).
    pub const fn report(&self) -> Option<u16> {
        match self {
            RtrError::Pdu { source, .. } => Some(source.code()),
            RtrError::Unexpected { .. } => Some(code::INVALID_REQUEST),
            RtrError::VersionChanged { .. } => Some(code::UNEXPECTED_VERSION),
            RtrError::SessionChanged { .. } => Some(code::CORRUPT_DATA),
            RtrError::DuplicateVrp { .. } => Some(code::DUPLICATE_ANNOUNCEMENT),
            RtrError::UnknownVrp { .. } | RtrError::UnknownAspa { .. } => {
                Some(code::UNKNOWN_WITHDRAWAL)
            }
            RtrError::TooManyVrps | RtrError::TooManyAspas | RtrError::Build => {
                Some(code::INTERNAL_ERROR)
            }
            _ => None,
        }
    }

    /// Whether what is held can no longer be continued: everything is to be asked for anew.
    pub(super) const fn ends_serial(&self) -> bool {
        self.report().is_some() || matches!(self, RtrError::Reported { .. })
    }
}
