//! `TABLE_DUMP` records (RFC 6396 §4.2) and the deprecated `BGP4MP_ENTRY`.

use std::net::IpAddr;

use routewarden_core::{AddressFamily, Asn, Prefix, Timestamp};

use crate::attributes::{AttributeContext, Attributes};
use crate::cursor::Cursor;
use crate::mrt::table_dump as subtype;
use crate::nlri::{family_and_safi, family_of, read_prefix};
use crate::{AsnWidth, Error, Part, RawRecord, Record, Safi, Unsupported};

/// One record of a table dump whose entries name their peer themselves. Today's writers put
/// one entry into a record, those of before 2001 many.
#[derive(Clone, Copy, Debug)]
pub struct TableDump<'a> {
    raw: RawRecord<'a>,
    form: Form<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Form<'a> {
    TableDump { family: AddressFamily, entries: &'a [u8] },
    Bgp4mpEntry(TableDumpEntry<'a>),
}

/// One route of a table dump.
#[derive(Clone, Copy, Debug)]
pub struct TableDumpEntry<'a> {
    /// The prefix.
    pub prefix: Prefix,
    /// Unicast or multicast.
    pub safi: Safi,
    /// Status octet: 1 in all known files.
    pub status: u16,
    /// When the peer sent the route, as the collector says.
    pub originated: Timestamp,
    /// Address of the peer.
    pub peer_addr: IpAddr,
    /// ASN of the peer.
    pub peer_asn: Asn,
    /// Next hop outside of the attributes (`BGP4MP_ENTRY` only).
    pub next_hop: Option<IpAddr>,
    /// Octets of the attributes.
    pub attribute_octets: &'a [u8],
    asn_width: AsnWidth,
}

impl<'a> TableDumpEntry<'a> {
    /// Finds and checks the attributes.
    pub fn attributes(&self) -> Attributes<'a> {
        let context = AttributeContext { asn_width: self.asn_width, is_rib_entry: true };
        Attributes::scan(self.attribute_octets, context)
    }
}

fn family(subtype: u16) -> Option<AddressFamily> {
    match subtype {
        subtype::AFI_IPV4 => Some(AddressFamily::Ipv4),
        subtype::AFI_IPV6 => Some(AddressFamily::Ipv6),
        _ => None,
    }
}

/// View and sequence numbers before the entries.
const HEADER_OCTETS: usize = 4;

pub(crate) fn decode<'a>(raw: &RawRecord<'a>) -> Result<Record<'a>, Error> {
    let Some(family) = family(raw.header.subtype) else {
        return Ok(Record::Unsupported(Unsupported::of_type(raw)));
    };
    match raw.body.get(HEADER_OCTETS..) {
        None | Some([]) => Err(raw.malformed(raw.body, Part::TableDump)),
        Some(entries) => Ok(Record::TableDump(TableDump {
            raw: *raw,
            form: Form::TableDump { family, entries },
        })),
    }
}

/// Reads a `BGP4MP_ENTRY` as OpenBGPD writes it ("table-mp"): own ASN and address first.
pub(crate) fn decode_bgp4mp_entry<'a>(raw: &RawRecord<'a>) -> Result<Record<'a>, Error> {
    let mut rest = Cursor::new(raw.body);
    let entry = read_bgp4mp_entry(&mut rest);
    match entry.ok_or_else(|| raw.malformed(rest.rest(), Part::Bgp4mpEntry))? {
        Ok(entry) => Ok(Record::TableDump(TableDump { raw: *raw, form: Form::Bgp4mpEntry(entry) })),
        Err((afi, safi)) => Ok(Record::Unsupported(Unsupported::Family { afi, safi })),
    }
}

type EntryOrFamily<'a> = Result<TableDumpEntry<'a>, (u16, u8)>;

fn read_bgp4mp_entry<'a>(rest: &mut Cursor<'a>) -> Option<EntryOrFamily<'a>> {
    let _local_asn = rest.asn(AsnWidth::Two)?;
    let peer_asn = rest.asn(AsnWidth::Two)?;
    let _interface = rest.u16()?;
    let peer_afi = rest.u16()?;
    let Some(peer_family) = family_of(peer_afi) else { return Some(Err((peer_afi, 1))) };
    let _local_addr = rest.addr(peer_family)?;
    let peer_addr = rest.addr(peer_family)?;
    let _view = rest.u16()?;
    let status = rest.u16()?;
    let originated = Timestamp::from_secs(rest.u32()?);
    let (afi, safi) = (rest.u16()?, rest.u8()?);
    let Some((family, safi)) = family_and_safi(afi, safi) else { return Some(Err((afi, safi))) };
    let next_hop_length = rest.u8()?;
    let mut next_hop = Cursor::new(rest.take(usize::from(next_hop_length))?);
    let next_hop = match next_hop_length {
        4 => next_hop.addr(AddressFamily::Ipv4),
        16 | 32 => next_hop.addr(AddressFamily::Ipv6),
        _ => None,
    };
    let prefix = read_prefix(rest, family)?;
    let attribute_length = rest.u16()?;
    let attribute_octets = rest.take(usize::from(attribute_length))?;
    Some(Ok(TableDumpEntry {
        prefix,
        safi,
        status,
        originated,
        peer_addr,
        peer_asn,
        next_hop,
        attribute_octets,
        asn_width: AsnWidth::Two,
    }))
}

fn read_entry<'a>(rest: &mut Cursor<'a>, family: AddressFamily) -> Option<TableDumpEntry<'a>> {
    let addr = rest.addr(family)?;
    let prefix = Prefix::new(addr, rest.u8()?)?;
    let status = u16::from(rest.u8()?);
    let originated = Timestamp::from_secs(rest.u32()?);
    let peer_addr = rest.addr(family)?;
    let peer_asn = rest.asn(AsnWidth::Two)?;
    let attribute_length = rest.u16()?;
    let attribute_octets = rest.take(usize::from(attribute_length))?;
    Some(TableDumpEntry {
        prefix,
        safi: Safi::Unicast,
        status,
        originated,
        peer_addr,
        peer_asn,
        next_hop: None,
        attribute_octets,
        asn_width: AsnWidth::Two,
    })
}

/// Whether the entries of a batched record would be whole with `shortfall` octets more, as in
/// records of an early writer (see [`MrtReader`](crate::MrtReader)).
pub(crate) fn lacks(subtype: u16, body: &[u8], shortfall: usize) -> bool {
    let Some(family) = family(subtype) else { return false };
    let address = usize::from(family.bits() / 8);
    let fixed = address * 2 + 8;
    let Some(entries) = body.get(HEADER_OCTETS..) else { return false };
    let mut rest = Cursor::new(entries);
    loop {
        if rest.take(fixed).is_none() {
            return false;
        }
        let Some(length) = rest.u16() else { return false };
        if rest.take(usize::from(length)).is_none() {
            return rest.remaining() + shortfall == usize::from(length);
        }
        if rest.remaining() == 0 {
            return false;
        }
    }
}

impl<'a> TableDump<'a> {
    /// The entries in the order they stand; a broken entry is an error and the last thing
    /// given.
    pub fn entries(&self) -> impl Iterator<Item = Result<TableDumpEntry<'a>, Error>> + use<'a> {
        let (family, entries, mut single) = match self.form {
            Form::TableDump { family, entries } => (family, entries, None),
            Form::Bgp4mpEntry(entry) => (AddressFamily::Ipv4, [].as_slice(), Some(entry)),
        };
        let raw = self.raw;
        let mut rest = Cursor::new(entries);
        std::iter::from_fn(move || {
            if let Some(entry) = single.take() {
                return Some(Ok(entry));
            }
            if rest.remaining() == 0 {
                return None;
            }
            let at = rest.rest();
            let entry = read_entry(&mut rest, family);
            if entry.is_none() {
                rest = Cursor::new(&[]);
            }
            Some(entry.ok_or_else(|| raw.malformed(at, Part::TableDump)))
        })
    }
}
