//! From raw records to what they say.

use crate::bgp4mp::{Message, StateChange};
use crate::peer_index::{PeerIndex, PeerIndexTable};
use crate::rib::RibRecord;
use crate::table_dump::TableDump;
use crate::{Decoded, Error, Part, RawRecord, Warnings, bgp4mp, mrt, rib, table_dump};

/// Octets of an ASN on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AsnWidth {
    /// As before RFC 6793.
    Two,
    /// As in RFC 6793.
    Four,
}

impl AsnWidth {
    /// 2 or 4.
    pub const fn octets(self) -> usize {
        match self {
            AsnWidth::Two => 2,
            AsnWidth::Four => 4,
        }
    }
}

/// What an MRT record says.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Record<'a> {
    /// The peers that RIB records refer to.
    PeerIndexTable(PeerIndexTable<'a>),
    /// All routes to one prefix.
    Rib(RibRecord<'a>),
    /// Routes that name their peer themselves.
    TableDump(TableDump<'a>),
    /// A BGP message.
    Message(Message<'a>),
    /// A session changed its state.
    StateChange(StateChange),
    /// A well-formed record of a kind that is not read.
    Unsupported(Unsupported),
}

/// A kind of record that is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Unsupported {
    /// By its type.
    Type {
        /// MRT type.
        mrt_type: u16,
        /// MRT subtype.
        subtype: u16,
    },
    /// By its address family.
    Family {
        /// AFI.
        afi: u16,
        /// SAFI; 0 when the record has none.
        safi: u8,
    },
}

impl Unsupported {
    pub(crate) fn of_type(raw: &RawRecord<'_>) -> Self {
        Unsupported::Type { mrt_type: raw.header.mrt_type, subtype: raw.header.subtype }
    }

    /// Stable name for counters.
    pub const fn kind(self) -> &'static str {
        match self {
            Unsupported::Type { .. } => "unsupported_record_type",
            Unsupported::Family { .. } => "unsupported_address_family",
        }
    }
}

impl RawRecord<'_> {
    /// The record is malformed where `rest`, the end of its body, begins.
    pub(crate) fn malformed(&self, rest: &[u8], part: Part) -> Error {
        let at = self.body.len().saturating_sub(rest.len());
        Error::Malformed { offset: self.offset, at, part }
    }
}

/// Reads a record. RIB records need the peers of the table before them.
pub fn decode<'a>(
    raw: &RawRecord<'a>,
    peers: Option<&'a PeerIndex>,
) -> Result<Decoded<Record<'a>>, Error> {
    let mut value = Record::of(raw);
    let warnings = value.read(raw, peers)?;
    Ok(Decoded { value, warnings })
}

impl<'a> Record<'a> {
    /// A record that has not been read.
    fn of(raw: &RawRecord<'_>) -> Self {
        Record::Unsupported(Unsupported::of_type(raw))
    }

    /// Reads a record into its place. An UPDATE is some 300 octets long when read, and to move
    /// them right after they were written costs as much as to read them.
    #[inline]
    fn read(
        &mut self,
        raw: &RawRecord<'a>,
        peers: Option<&'a PeerIndex>,
    ) -> Result<Warnings, Error> {
        match raw.header.mrt_type {
            mrt::BGP4MP | mrt::BGP4MP_ET => return bgp4mp::read(raw, self),
            mrt::BGP | mrt::BGP4PLUS | mrt::BGP4PLUS_01 => return bgp4mp::read_legacy(raw, self),
            _ => {}
        }
        let mut warnings = Warnings::NONE;
        *self = match raw.header.mrt_type {
            mrt::TABLE_DUMP_V2 => match raw.header.subtype {
                mrt::table_dump_v2::PEER_INDEX_TABLE => {
                    Record::PeerIndexTable(PeerIndexTable::decode(raw, &mut warnings)?)
                }
                _ => rib::decode(raw, peers, &mut warnings)?,
            },
            mrt::TABLE_DUMP => table_dump::decode(raw)?,
            _ => Record::of(raw),
        };
        Ok(warnings)
    }
}

/// Reads records one after another and remembers the peers.
#[derive(Clone, Debug, Default)]
pub struct MrtDecoder {
    peers: Option<PeerIndex>,
}

impl MrtDecoder {
    /// Before the first record.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a record. A peer index table replaces the one before.
    pub fn decode<'a>(&'a mut self, raw: &RawRecord<'a>) -> Result<Decoded<Record<'a>>, Error> {
        let mut value = Record::of(raw);
        let warnings = self.read(raw, &mut value)?;
        Ok(Decoded { value, warnings })
    }

    /// [`decode`](Self::decode) without moving what was read: `visit` is given the record where it
    /// was put together.
    #[inline]
    pub fn visit<'a, T>(
        &'a mut self,
        raw: &RawRecord<'a>,
        visit: impl FnOnce(Result<Decoded<&Record<'a>>, Error>) -> T,
    ) -> T {
        let mut record = Record::of(raw);
        let warnings = self.read(raw, &mut record);
        visit(warnings.map(|warnings| Decoded { value: &record, warnings }))
    }

    #[inline]
    fn read<'a>(
        &'a mut self,
        raw: &RawRecord<'a>,
        record: &mut Record<'a>,
    ) -> Result<Warnings, Error> {
        let is_table = raw.header.mrt_type == mrt::TABLE_DUMP_V2
            && raw.header.subtype == mrt::table_dump_v2::PEER_INDEX_TABLE;
        if is_table {
            // The entries of the old table must not be given to the peers of a broken new one.
            self.peers = None;
            let warnings = record.read(raw, None)?;
            if let Record::PeerIndexTable(table) = record {
                self.peers = Some(table.to_index());
            }
            return Ok(warnings);
        }
        record.read(raw, self.peers.as_ref())
    }

    /// The peers of the last peer index table.
    pub fn peers(&self) -> Option<&PeerIndex> {
        self.peers.as_ref()
    }
}
