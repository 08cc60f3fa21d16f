//! OPEN and NOTIFICATION.

use std::net::Ipv4Addr;

use routewarden_core::Asn;

use super::attributes::narrow;
use super::{length_u8, message, push_u16_length};
use crate::capability::{RawCapability, code};
use crate::notification::{SHUTDOWN_TEXT_OCTETS_MAX, cease, error_code};
use crate::open::{EXTENDED, PARAMETER_CAPABILITIES};
use crate::update::message_type;
use crate::{AddPathMode, Error, Notification};

/// An OPEN to write.
#[derive(Clone, Copy, Debug)]
pub struct OpenParts<'a> {
    /// ASN; the capability of RFC 6793 is the caller's to give.
    pub asn: Asn,
    /// Hold time in seconds.
    pub hold_time: u16,
    /// BGP identifier.
    pub bgp_id: Ipv4Addr,
    /// Capabilities, all in one parameter.
    pub capabilities: &'a [RawCapability<'a>],
}

/// An OPEN with its header; with extended lengths (RFC 9072) when the capabilities need them.
pub fn open(parts: &OpenParts<'_>) -> Result<Vec<u8>, Error> {
    let mut value = Vec::new();
    for capability in parts.capabilities {
        value.extend_from_slice(&[capability.code, length_u8(capability.value.len())?]);
        value.extend_from_slice(capability.value);
    }
    let mut body = vec![4];
    body.extend_from_slice(&narrow(parts.asn).to_be_bytes());
    body.extend_from_slice(&parts.hold_time.to_be_bytes());
    body.extend_from_slice(&parts.bgp_id.octets());
    // Type and length of the parameter; 255 in all would say that extended lengths follow.
    let octets = value.len() + 2;
    if value.is_empty() {
        body.push(0);
    } else if octets < usize::from(EXTENDED) {
        body.extend_from_slice(&[length_u8(octets)?, PARAMETER_CAPABILITIES]);
        body.push(length_u8(value.len())?);
    } else {
        body.extend_from_slice(&[EXTENDED, EXTENDED]);
        push_u16_length(value.len() + 3, &mut body)?;
        body.push(PARAMETER_CAPABILITIES);
        push_u16_length(value.len(), &mut body)?;
    }
    body.extend_from_slice(&value);
    message(message_type::OPEN, &body)
}

/// Value of a multiprotocol capability (RFC 4760 §8).
pub fn multiprotocol((afi, safi): (u16, u8)) -> [u8; 4] {
    let [high, low] = afi.to_be_bytes();
    [high, low, 0, safi]
}

/// An entry of an ADD-PATH capability (RFC 7911 §4).
pub fn add_path((afi, safi): (u16, u8), mode: AddPathMode) -> [u8; 4] {
    let [high, low] = afi.to_be_bytes();
    [high, low, safi, mode as u8]
}

/// The four-octet ASN capability (RFC 6793 §3), given its value: the ASN in network order.
pub fn four_octet_asn(value: &[u8; 4]) -> RawCapability<'_> {
    RawCapability { code: code::FOUR_OCTET_ASN, value }
}

/// A NOTIFICATION with its header.
pub fn notification(notification: &Notification<'_>) -> Result<Vec<u8>, Error> {
    let mut body = vec![notification.code, notification.subcode];
    body.extend_from_slice(notification.data);
    message(message_type::NOTIFICATION, &body)
}

/// A Cease for an administrative shutdown, with what to say to the other operator, cut to
/// [`SHUTDOWN_TEXT_OCTETS_MAX`] (RFC 9003).
pub fn shutdown(text: &str) -> Vec<u8> {
    let end = text.floor_char_boundary(SHUTDOWN_TEXT_OCTETS_MAX);
    let text = text.as_bytes().get(..end).unwrap_or_default();
    let mut data = vec![u8::try_from(text.len()).unwrap_or(0)];
    data.extend_from_slice(text);
    let cease = Notification { code: error_code::CEASE, subcode: cease::SHUTDOWN, data: &data };
    notification(&cease).unwrap_or_default()
}
