//! Statistics Report (RFC 7854 §4.8, RFC 8671 §6.2).

use super::{PeerHeader, Tlvs};
use crate::Part;
use crate::cursor::Cursor;

/// Counters of a peer.
#[derive(Clone, Copy, Debug)]
pub struct Statistics<'a> {
    /// The peer.
    pub peer: PeerHeader,
    /// How many the header says there are; not every router counts well.
    pub count: u32,
    tlvs: Tlvs<'a>,
}

/// One counter or gauge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statistic<'a> {
    /// Statistics type.
    pub stat_type: u16,
    /// AFI and SAFI when it is of one family.
    pub family: Option<(u16, u8)>,
    /// The number; `None` when the value is of no known length.
    pub number: Option<u64>,
    /// The value as it stands.
    pub value: &'a [u8],
}

impl<'a> Statistics<'a> {
    pub(super) fn read(rest: &mut Cursor<'a>) -> Result<Self, Part> {
        let peer = PeerHeader::read(rest)?;
        let count = rest.u32().ok_or(Part::BmpStatistics)?;
        let tlvs = Tlvs::read(rest).map_err(|_| Part::BmpStatistics)?;
        Ok(Statistics { peer, count, tlvs })
    }

    /// The counters in the order they stand. Values have 4 or 8 octets; those of one family have
    /// AFI and SAFI before them.
    pub fn iter(&self) -> impl Iterator<Item = Statistic<'a>> + use<'a> {
        self.tlvs.iter().map(|tlv| {
            let mut rest = Cursor::new(tlv.value);
            let family = match tlv.value.len() {
                7 | 11 => rest.u16().zip(rest.u8()),
                _ => None,
            };
            let number = match rest.remaining() {
                4 => rest.u32().map(u64::from),
                8 => rest.u64(),
                _ => None,
            };
            Statistic { stat_type: tlv.tlv_type, family, number, value: tlv.value }
        })
    }
}
