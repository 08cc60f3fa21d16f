//! Information TLVs (RFC 7854 §4.4).

use std::iter;

use crate::Part;
use crate::cursor::Cursor;

/// Types of the information TLVs of Initiation, Peer Up and Termination.
pub mod information {
    /// Free text (RFC 7854 §4.4); in a Termination likewise (§4.5).
    pub const STRING: u16 = 0;
    /// `sysDescr` in an Initiation (RFC 7854 §4.4); in a Termination the reason, two octets (§4.5).
    pub const SYS_DESCR: u16 = 1;
    /// `sysName` in an Initiation (RFC 7854 §4.4).
    pub const SYS_NAME: u16 = 2;
    /// VRF or table name in Peer Up and Peer Down of a Loc-RIB (RFC 9069 §4.3, §5).
    pub const TABLE_NAME: u16 = 3;
    /// Administrative label in a Peer Up (RFC 8671 §6.3).
    pub const ADMIN_LABEL: u16 = 4;
}

/// Types of the TLVs of Route Mirroring (RFC 7854 §4.7).
pub mod mirroring {
    /// A BGP message.
    pub const MESSAGE: u16 = 0;
    /// Two octets: 0 the message was errored, 1 messages were lost.
    pub const INFORMATION: u16 = 1;
}

/// One type, length, value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// Type.
    pub tlv_type: u16,
    /// Value.
    pub value: &'a [u8],
}

/// TLVs that are known to be whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tlvs<'a> {
    octets: &'a [u8],
}

fn next<'a>(rest: &mut Cursor<'a>) -> Option<Tlv<'a>> {
    let tlv_type = rest.u16()?;
    let length = rest.u16()?;
    Some(Tlv { tlv_type, value: rest.take(usize::from(length))? })
}

impl<'a> Tlvs<'a> {
    /// Reads all that is left; leaves `rest` at the TLV that is not whole.
    pub(super) fn read(rest: &mut Cursor<'a>) -> Result<Self, Part> {
        let octets = rest.rest();
        while rest.remaining() > 0 {
            let mut ahead = *rest;
            next(&mut ahead).ok_or(Part::BmpTlv)?;
            *rest = ahead;
        }
        Ok(Tlvs { octets })
    }

    /// The TLVs in the order they stand.
    pub fn iter(&self) -> impl Iterator<Item = Tlv<'a>> + use<'a> {
        let mut rest = Cursor::new(self.octets);
        iter::from_fn(move || next(&mut rest))
    }

    /// Value of the first TLV of that type.
    pub fn value(&self, tlv_type: u16) -> Option<&'a [u8]> {
        self.iter().find(|tlv| tlv.tlv_type == tlv_type).map(|tlv| tlv.value)
    }

    /// All octets.
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }
}
