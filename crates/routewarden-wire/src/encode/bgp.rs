//! BGP messages.

use routewarden_core::{AddressFamily, Prefix};

use super::{length_u16, push_u16_length};
use crate::update::{HEADER_OCTETS, message_type};
use crate::{Error, Nlri};

/// A BGP message of that type.
pub fn message(message_type: u8, body: &[u8]) -> Result<Vec<u8>, Error> {
    let mut out = vec![0xff; 16];
    out.extend_from_slice(&length_u16(HEADER_OCTETS + body.len())?.to_be_bytes());
    out.push(message_type);
    out.extend_from_slice(body);
    Ok(out)
}

/// A KEEPALIVE.
pub fn keepalive() -> Vec<u8> {
    message(message_type::KEEPALIVE, &[]).unwrap_or_default()
}

/// The body of an UPDATE. Withdrawn and announced NLRI are IPv4 unicast; all others stand in
/// the attributes.
pub fn update(withdrawn: &[Nlri], attributes: &[u8], announced: &[Nlri]) -> Result<Vec<u8>, Error> {
    let is_other = |nlri: &Nlri| !nlri.prefix.is_ipv4() || nlri.safi != crate::Safi::Unicast;
    if withdrawn.iter().chain(announced).any(is_other) {
        return Err(Error::EncodeUnrepresentable);
    }
    let mut field = Vec::new();
    push_nlri(withdrawn, &mut field)?;
    let mut out = Vec::new();
    push_u16_length(field.len(), &mut out)?;
    out.extend_from_slice(&field);
    push_u16_length(attributes.len(), &mut out)?;
    out.extend_from_slice(attributes);
    push_nlri(announced, &mut out)?;
    Ok(out)
}

/// NLRI; either all or none must have a path identifier.
pub fn push_nlri(nlri: &[Nlri], out: &mut Vec<u8>) -> Result<(), Error> {
    let has_path_ids = nlri.first().is_some_and(|first| first.path_id.is_some());
    for nlri in nlri {
        if nlri.path_id.is_some() != has_path_ids {
            return Err(Error::EncodeUnrepresentable);
        }
        if let Some(path_id) = nlri.path_id {
            out.extend_from_slice(&path_id.to_be_bytes());
        }
        push_prefix(&nlri.prefix, out);
    }
    Ok(())
}

/// Length octet and as many address octets as needed.
pub(super) fn push_prefix(prefix: &Prefix, out: &mut Vec<u8>) {
    let octets = prefix.bits().to_be_bytes();
    debug_assert!(prefix.family() == AddressFamily::Ipv6 || prefix.len() <= 32);
    out.push(prefix.len());
    out.extend(octets.iter().take(usize::from(prefix.len().div_ceil(8))));
}
