//! Messages of a BGP session, cut from the octets as they come in (RFC 4271 §4.1, §6.1).

use crate::cursor::Cursor;
use crate::update::{HEADER_OCTETS, message_type};
use crate::{BgpMessage, Error, Notification, Open, Part, Update, UpdateForm};

/// Longest message without RFC 8654.
pub const BGP_MESSAGE_OCTETS_MAX: usize = 4096;
/// Longest message with RFC 8654; OPEN and KEEPALIVE stay below
/// [`BGP_MESSAGE_OCTETS_MAX`].
pub const BGP_EXTENDED_MESSAGE_OCTETS_MAX: usize = 65_535;

/// Octets of the fixed fields of each type with its header, the least length (RFC 4271 §4, §6.1).
fn least_octets(message_type: u8) -> Option<usize> {
    Some(match message_type {
        message_type::OPEN => 29,
        message_type::UPDATE => 23,
        message_type::NOTIFICATION => 21,
        message_type::KEEPALIVE => HEADER_OCTETS,
        message_type::ROUTE_REFRESH => 23,
        _ => return None,
    })
}

/// A whole message of a session whose body has not been read.
#[derive(Clone, Copy, Debug)]
pub struct RawBgpMessage<'a> {
    /// Where in the session it begins.
    pub offset: u64,
    /// Type.
    pub message_type: u8,
    /// What follows the header.
    pub body: &'a [u8],
}

impl<'a> RawBgpMessage<'a> {
    /// Cuts the first message off what a session sent: `octets` begin at `offset`. `None` when
    /// it is not whole yet. `octets_max` is one of the two limits above.
    ///
    /// # Errors
    ///
    /// What RFC 4271 §6.1 calls a message header error. The session cannot go on.
    pub fn next(octets: &'a [u8], offset: u64, octets_max: usize) -> Result<Option<Self>, Error> {
        let mut rest = Cursor::new(octets);
        let Some(marker) = rest.array::<16>() else {
            let is_marker = octets.iter().all(|&octet| octet == 0xff);
            return if is_marker { Ok(None) } else { Err(Error::NoMarker { offset }) };
        };
        if marker != [0xff; 16] {
            return Err(Error::NoMarker { offset });
        }
        let (Some(length), Some(message_type)) = (rest.u16(), rest.u8()) else { return Ok(None) };
        let least =
            least_octets(message_type).ok_or(Error::MessageType { offset, message_type })?;
        let most = match message_type {
            message_type::KEEPALIVE => HEADER_OCTETS,
            message_type::OPEN => BGP_MESSAGE_OCTETS_MAX,
            _ => octets_max,
        };
        let body_octets = usize::from(length)
            .checked_sub(HEADER_OCTETS)
            .filter(|_| (least..=most).contains(&usize::from(length)));
        let body_octets = body_octets.ok_or(Error::MessageLength {
            offset,
            length: u32::from(length),
            least: u32::try_from(least).unwrap_or(u32::MAX),
            most: u32::try_from(most).unwrap_or(u32::MAX),
            part: Part::BgpHeader,
        })?;
        Ok(rest.take(body_octets).map(|body| RawBgpMessage { offset, message_type, body }))
    }

    /// Octets of the whole message.
    pub fn octets(&self) -> usize {
        HEADER_OCTETS + self.body.len()
    }

    /// Reads the message.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] with the part, when the body is too short for its fixed fields.
    pub fn decode(&self, form: UpdateForm) -> Result<BgpMessage<'a>, Error> {
        let (offset, body) = (self.offset, self.body);
        let malformed = |part| Error::Malformed { offset, at: HEADER_OCTETS, part };
        Ok(match self.message_type {
            message_type::OPEN => BgpMessage::Open(body),
            message_type::UPDATE => {
                BgpMessage::Update(Update::decode(body, form).ok_or(malformed(Part::Update))?)
            }
            message_type::NOTIFICATION => BgpMessage::Notification(
                Notification::decode(body).ok_or(malformed(Part::Notification))?,
            ),
            message_type::KEEPALIVE => BgpMessage::Keepalive,
            message_type::ROUTE_REFRESH => BgpMessage::RouteRefresh(body),
            message_type => BgpMessage::Unknown { message_type, body },
        })
    }

    /// Reads the OPEN in a body; the place of a fault is counted from the start of the message.
    ///
    /// # Errors
    ///
    /// See [`Open::decode`].
    pub fn decode_open(&self) -> Result<Open<'a>, Error> {
        Open::decode(self.body).map_err(|error| within(error, self.offset, HEADER_OCTETS))
    }
}

/// The error of a part that begins `before` octets into the message at `offset`.
pub(crate) fn within(error: Error, offset: u64, before: usize) -> Error {
    match error {
        Error::Malformed { at, part, .. } => Error::Malformed { offset, at: at + before, part },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode;

    fn next(octets: &[u8]) -> Result<Option<usize>, Error> {
        let raw = RawBgpMessage::next(octets, 7, BGP_MESSAGE_OCTETS_MAX)?;
        Ok(raw.map(|raw| raw.octets()))
    }

    #[test]
    fn a_message_is_cut_off_once_it_is_whole() {
        let two = [encode::keepalive(), encode::message(2, &[0; 4]).unwrap()].concat();
        for until in 0..19 {
            assert_eq!(next(&two[..until]).unwrap(), None);
        }
        assert_eq!(next(&two).unwrap(), Some(19));
        assert_eq!(next(&two[19..41]).unwrap(), None);
        assert_eq!(next(&two[19..]).unwrap(), Some(23));
    }

    #[test]
    fn header_errors_are_told_before_the_message_is_whole() {
        let head =
            |length: u16, kind: u8| [&[0xff; 16][..], &length.to_be_bytes(), &[kind]].concat();
        assert!(matches!(next(&[0xff, 0xfe]), Err(Error::NoMarker { offset: 7 })));
        for (length, kind) in [(18, 4), (20, 4), (22, 2), (28, 1), (20, 3), (4097, 2)] {
            let error = next(&head(length, kind)).unwrap_err();
            assert_eq!((error.kind(), error.offset()), ("bgp_message_length", 7));
        }
        assert!(matches!(next(&head(19, 9)), Err(Error::MessageType { message_type: 9, .. })));
        let long = head(4097, 2);
        assert!(RawBgpMessage::next(&long, 0, BGP_EXTENDED_MESSAGE_OCTETS_MAX).unwrap().is_none());
        // An OPEN stays short even so (RFC 8654 §4).
        assert!(RawBgpMessage::next(&head(4097, 1), 0, BGP_EXTENDED_MESSAGE_OCTETS_MAX).is_err());
    }
}
