//! RIB records of `TABLE_DUMP_V2` (RFC 6396 §4.3, RFC 8050 §4).

use routewarden_core::{AddressFamily, Prefix, Timestamp};

use crate::attributes::{AttributeContext, Attributes};
use crate::cursor::Cursor;
use crate::mrt::table_dump_v2 as subtype;
use crate::nlri::{family_and_safi, has_stray_bits, read_prefix};
use crate::{
    AsnWidth, Error, Part, PeerEntry, PeerIndex, RawRecord, Record, Safi, Unsupported, Warning,
    Warnings,
};

/// All routes of a table to one prefix.
#[derive(Clone, Copy, Debug)]
pub struct RibRecord<'a> {
    /// Sequence number of the record.
    pub sequence: u32,
    /// The prefix.
    pub prefix: Prefix,
    /// Unicast or multicast.
    pub safi: Safi,
    /// Path identifier before the prefix (`RIB_GENERIC_ADDPATH`).
    pub path_id: Option<u32>,
    /// Number of entries the record claims to hold.
    pub claimed_count: u16,
    has_path_ids: bool,
    raw: RawRecord<'a>,
    entries: &'a [u8],
    peers: &'a PeerIndex,
}

/// What the subtype says of a record.
#[derive(Clone, Copy)]
enum Form {
    Family { family: AddressFamily, safi: Safi, has_path_ids: bool },
    Generic { has_path_ids: bool },
}

fn form_of(subtype: u16) -> Option<Form> {
    let form = |family, safi, has_path_ids| Some(Form::Family { family, safi, has_path_ids });
    match subtype {
        subtype::RIB_IPV4_UNICAST => form(AddressFamily::Ipv4, Safi::Unicast, false),
        subtype::RIB_IPV4_MULTICAST => form(AddressFamily::Ipv4, Safi::Multicast, false),
        subtype::RIB_IPV6_UNICAST => form(AddressFamily::Ipv6, Safi::Unicast, false),
        subtype::RIB_IPV6_MULTICAST => form(AddressFamily::Ipv6, Safi::Multicast, false),
        subtype::RIB_IPV4_UNICAST_ADDPATH => form(AddressFamily::Ipv4, Safi::Unicast, true),
        subtype::RIB_IPV4_MULTICAST_ADDPATH => form(AddressFamily::Ipv4, Safi::Multicast, true),
        subtype::RIB_IPV6_UNICAST_ADDPATH => form(AddressFamily::Ipv6, Safi::Unicast, true),
        subtype::RIB_IPV6_MULTICAST_ADDPATH => form(AddressFamily::Ipv6, Safi::Multicast, true),
        subtype::RIB_GENERIC => Some(Form::Generic { has_path_ids: false }),
        subtype::RIB_GENERIC_ADDPATH => Some(Form::Generic { has_path_ids: true }),
        _ => None,
    }
}

pub(crate) fn decode<'a>(
    raw: &RawRecord<'a>,
    peers: Option<&'a PeerIndex>,
    warnings: &mut Warnings,
) -> Result<Record<'a>, Error> {
    let Some(form) = form_of(raw.header.subtype) else {
        return Ok(Record::Unsupported(Unsupported::of_type(raw)));
    };
    let mut rest = Cursor::new(raw.body);
    let header = read_header(&mut rest, form);
    let broken = || raw.malformed(rest.rest(), Part::RibHeader);
    let header = header.ok_or_else(broken)?;
    let Ok((family, safi)) = header.family else {
        let Err((afi, safi)) = header.family else { return Err(broken()) };
        return Ok(Record::Unsupported(Unsupported::Family { afi, safi }));
    };
    let prefix_at = rest.rest();
    let len = prefix_at.first().copied().unwrap_or(0);
    let prefix =
        read_prefix(&mut rest, family).ok_or_else(|| raw.malformed(prefix_at, Part::RibHeader))?;
    let octets = prefix_at.get(1..prefix_at.len() - rest.remaining()).unwrap_or_default();
    if has_stray_bits(octets, len) {
        warnings.insert(Warning::NlriStrayBits);
    }
    let claimed_count = rest.u16().ok_or_else(|| raw.malformed(rest.rest(), Part::RibHeader))?;
    let peers = peers.ok_or(Error::PeerTableMissing { offset: raw.offset })?;
    Ok(Record::Rib(RibRecord {
        sequence: header.sequence,
        prefix,
        safi,
        path_id: header.path_id,
        claimed_count,
        has_path_ids: header.entries_have_path_ids,
        raw: *raw,
        entries: rest.rest(),
        peers,
    }))
}

struct RibHeader {
    sequence: u32,
    family: Result<(AddressFamily, Safi), (u16, u8)>,
    path_id: Option<u32>,
    entries_have_path_ids: bool,
}

fn read_header(rest: &mut Cursor<'_>, form: Form) -> Option<RibHeader> {
    let sequence = rest.u32()?;
    match form {
        Form::Family { family, safi, has_path_ids } => Some(RibHeader {
            sequence,
            family: Ok((family, safi)),
            path_id: None,
            entries_have_path_ids: has_path_ids,
        }),
        // RFC 8050 §4.2: the identifier is part of the NLRI, the entries are as before.
        Form::Generic { has_path_ids } => {
            let (afi, safi) = (rest.u16()?, rest.u8()?);
            let family = family_and_safi(afi, safi).ok_or((afi, safi));
            let path_id = if has_path_ids && family.is_ok() { Some(rest.u32()?) } else { None };
            Some(RibHeader { sequence, family, path_id, entries_have_path_ids: false })
        }
    }
}

impl<'a> RibRecord<'a> {
    /// The entries in the order they stand. An entry whose peer is unknown is an error and the
    /// next one follows; a broken entry is an error and the last thing given.
    pub fn entries(&self) -> RibEntries<'a> {
        RibEntries { rest: Cursor::new(self.entries), left: self.claimed_count, record: *self }
    }

    /// The peers that the entries refer to.
    pub fn peers(&self) -> &'a PeerIndex {
        self.peers
    }
}

/// One route of a table dump.
#[derive(Clone, Copy, Debug)]
pub struct RibEntry<'a> {
    /// Index of the peer in the table.
    pub peer_index: u16,
    /// The peer.
    pub peer: &'a PeerEntry,
    /// When the peer sent the route, as the collector says.
    pub originated: Timestamp,
    /// Path identifier (RFC 8050 §4.1).
    pub path_id: Option<u32>,
    /// Octets of the attributes. Equal octets mean equal attributes, so they can be interned
    /// before they are read.
    pub attribute_octets: &'a [u8],
}

impl<'a> RibEntry<'a> {
    /// Finds and checks the attributes.
    pub fn attributes(&self) -> Attributes<'a> {
        // RFC 6396 §4.3.4: AS numbers are always four octets here.
        let context = AttributeContext { asn_width: AsnWidth::Four, is_rib_entry: true };
        Attributes::scan(self.attribute_octets, context)
    }
}

/// Iterator over the entries of a [`RibRecord`].
#[derive(Clone, Debug)]
pub struct RibEntries<'a> {
    rest: Cursor<'a>,
    left: u16,
    record: RibRecord<'a>,
}

impl<'a> RibEntries<'a> {
    #[inline]
    fn read(&mut self) -> Option<(u16, Timestamp, Option<u32>, &'a [u8])> {
        let peer_index = self.rest.u16()?;
        let originated = Timestamp::from_secs(self.rest.u32()?);
        let path_id =
            if self.record.has_path_ids { Some(self.rest.u32()?) } else { self.record.path_id };
        let length = self.rest.u16()?;
        Some((peer_index, originated, path_id, self.rest.take(usize::from(length))?))
    }
}

impl<'a> Iterator for RibEntries<'a> {
    type Item = Result<RibEntry<'a>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let Some((peer_index, originated, path_id, attribute_octets)) = self.read() else {
            self.left = 0;
            return Some(Err(self.record.raw.malformed(self.rest.rest(), Part::RibEntry)));
        };
        let Some(peer) = self.record.peers.get(peer_index) else {
            let (offset, peers) = (self.record.raw.offset, self.record.peers.peers.len());
            return Some(Err(Error::PeerIndexOutOfRange { offset, peer_index, peers }));
        };
        Some(Ok(RibEntry { peer_index, peer, originated, path_id, attribute_octets }))
    }
}
