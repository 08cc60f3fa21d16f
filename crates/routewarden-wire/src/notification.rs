//! NOTIFICATION (RFC 4271 §4.5, §6; RFC 4486, RFC 5492, RFC 8538, RFC 9003, RFC 9234, RFC 9384).

use std::borrow::Cow;

/// Error codes (RFC 4271 §4.5).
pub mod error_code {
    /// Message header error.
    pub const MESSAGE_HEADER: u8 = 1;
    /// OPEN message error.
    pub const OPEN: u8 = 2;
    /// UPDATE message error.
    pub const UPDATE: u8 = 3;
    /// Hold timer expired.
    pub const HOLD_TIMER: u8 = 4;
    /// Finite state machine error.
    pub const FSM: u8 = 5;
    /// Cease.
    pub const CEASE: u8 = 6;
}

/// Subcodes of a message header error (RFC 4271 §6.1).
pub mod header_error {
    /// Connection not synchronised.
    pub const NOT_SYNCHRONISED: u8 = 1;
    /// Bad message length.
    pub const BAD_LENGTH: u8 = 2;
    /// Bad message type.
    pub const BAD_TYPE: u8 = 3;
}

/// Subcodes of an OPEN message error (RFC 4271 §6.2, RFC 5492 §5, RFC 9234 §4.2).
pub mod open_error {
    /// Unspecific.
    pub const UNSPECIFIC: u8 = 0;
    /// Unsupported version number.
    pub const VERSION: u8 = 1;
    /// Bad peer AS.
    pub const PEER_AS: u8 = 2;
    /// Bad BGP identifier.
    pub const BGP_ID: u8 = 3;
    /// Unsupported optional parameter.
    pub const PARAMETER: u8 = 4;
    /// Unacceptable hold time.
    pub const HOLD_TIME: u8 = 6;
    /// Unsupported capability.
    pub const CAPABILITY: u8 = 7;
    /// Role mismatch.
    pub const ROLE: u8 = 11;
}

/// Subcodes of Cease (RFC 4486 §3, RFC 8538, RFC 9384).
pub mod cease {
    /// Maximum number of prefixes reached.
    pub const PREFIXES_MAX: u8 = 1;
    /// Administrative shutdown.
    pub const SHUTDOWN: u8 = 2;
    /// Peer de-configured.
    pub const DECONFIGURED: u8 = 3;
    /// Administrative reset.
    pub const RESET: u8 = 4;
    /// Connection rejected.
    pub const REJECTED: u8 = 5;
    /// Other configuration change.
    pub const CONFIGURATION: u8 = 6;
    /// Connection collision resolution.
    pub const COLLISION: u8 = 7;
    /// Out of resources.
    pub const RESOURCES: u8 = 8;
    /// Hard reset (RFC 8538 §3).
    pub const HARD_RESET: u8 = 9;
    /// BFD down (RFC 9384 §3).
    pub const BFD_DOWN: u8 = 10;
}

/// Longest shutdown communication in octets (RFC 9003 §2).
pub const SHUTDOWN_TEXT_OCTETS_MAX: usize = 255;

/// A NOTIFICATION.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notification<'a> {
    /// Error code.
    pub code: u8,
    /// Error subcode.
    pub subcode: u8,
    /// Data.
    pub data: &'a [u8],
}

impl<'a> Notification<'a> {
    /// Reads the body of a NOTIFICATION; `None` when it is shorter than its codes.
    pub fn decode(body: &'a [u8]) -> Option<Self> {
        let (&[code, subcode], data) = body.split_first_chunk()?;
        Some(Notification { code, subcode, data })
    }

    /// Stable name of code and subcode; `unknown` when the code is not registered. Subcodes that
    /// are not registered have the name of their code.
    pub const fn name(&self) -> &'static str {
        match (self.code, self.subcode) {
            (error_code::MESSAGE_HEADER, header_error::NOT_SYNCHRONISED) => "not_synchronised",
            (error_code::MESSAGE_HEADER, header_error::BAD_LENGTH) => "bad_message_length",
            (error_code::MESSAGE_HEADER, header_error::BAD_TYPE) => "bad_message_type",
            (error_code::MESSAGE_HEADER, _) => "message_header_error",
            (error_code::OPEN, subcode) => open_error_name(subcode),
            (error_code::UPDATE, 1) => "malformed_attribute_list",
            (error_code::UPDATE, 2) => "unrecognised_well_known_attribute",
            (error_code::UPDATE, 3) => "missing_well_known_attribute",
            (error_code::UPDATE, 4) => "attribute_flags_error",
            (error_code::UPDATE, 5) => "attribute_length_error",
            (error_code::UPDATE, 6) => "invalid_origin",
            (error_code::UPDATE, 8) => "invalid_next_hop",
            (error_code::UPDATE, 9) => "optional_attribute_error",
            (error_code::UPDATE, 10) => "invalid_network_field",
            (error_code::UPDATE, 11) => "malformed_as_path",
            (error_code::UPDATE, _) => "update_error",
            (error_code::HOLD_TIMER, _) => "hold_timer_expired",
            (error_code::FSM, _) => "fsm_error",
            (error_code::CEASE, subcode) => cease_name(subcode),
            _ => "unknown",
        }
    }

    /// What the operator of the peer says, of an administrative shutdown or reset (RFC 9003 §2).
    /// Octets that are no UTF-8 are replaced; `None` when there is no whole text.
    pub fn shutdown_text(&self) -> Option<Cow<'a, str>> {
        let may_have = matches!(
            (self.code, self.subcode),
            (error_code::CEASE, cease::SHUTDOWN | cease::RESET)
        );
        let (&length, text) = self.data.split_first().filter(|_| may_have)?;
        text.get(..usize::from(length)).filter(|text| !text.is_empty()).map(String::from_utf8_lossy)
    }
}

const fn open_error_name(subcode: u8) -> &'static str {
    match subcode {
        open_error::VERSION => "unsupported_version",
        open_error::PEER_AS => "bad_peer_as",
        open_error::BGP_ID => "bad_bgp_identifier",
        open_error::PARAMETER => "unsupported_optional_parameter",
        open_error::HOLD_TIME => "unacceptable_hold_time",
        open_error::CAPABILITY => "unsupported_capability",
        open_error::ROLE => "role_mismatch",
        _ => "open_error",
    }
}

const fn cease_name(subcode: u8) -> &'static str {
    match subcode {
        cease::PREFIXES_MAX => "prefixes_max_reached",
        cease::SHUTDOWN => "administrative_shutdown",
        cease::DECONFIGURED => "peer_deconfigured",
        cease::RESET => "administrative_reset",
        cease::REJECTED => "connection_rejected",
        cease::CONFIGURATION => "configuration_change",
        cease::COLLISION => "connection_collision",
        cease::RESOURCES => "out_of_resources",
        cease::HARD_RESET => "hard_reset",
        cease::BFD_DOWN => "bfd_down",
        _ => "cease",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shutdown_text_is_read_and_a_lying_length_gives_none() {
        let text = |data| Notification { code: 6, subcode: 2, data }.shutdown_text();
        assert_eq!(text(b"\x05hello").as_deref(), Some("hello"));
        assert_eq!(text(b"\x02\xff\xfe").as_deref(), Some("\u{fffd}\u{fffd}"));
        assert_eq!(text(b"\x06hello"), None);
        assert_eq!(text(b"\x00"), None);
        assert_eq!(text(b""), None);
        let other = Notification { code: 4, subcode: 0, data: b"\x05hello" };
        assert_eq!((other.shutdown_text(), other.name()), (None, "hold_timer_expired"));
        assert!(Notification::decode(&[6]).is_none());
    }
}
