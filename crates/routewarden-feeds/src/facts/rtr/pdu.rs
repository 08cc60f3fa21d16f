//! Protocol data units: decoding and encoding, without I/O (RFC 8210 §5).

use routewarden_core::facts::{TrustAnchorId, Vrp};
use routewarden_core::{AddressFamily, Asn, Prefix};

use super::ASPA_PROVIDERS_MAX;

/// Largest PDU taken: an ASPA of [`ASPA_PROVIDERS_MAX`] providers has 40,016 octets.
pub const PDU_OCTETS_MAX: usize = 64 << 10;
/// Highest version of the protocol spoken: draft-ietf-sidrops-8210bis.
pub const VERSION_MAX: u8 = 2;
/// Octets of the header that every PDU begins with.
pub const HEADER_OCTETS: usize = 8;

/// Codes of Error Reports (RFC 8210 §12).
pub mod code {
    /// The PDU is malformed, or the session is not the one agreed upon.
    pub const CORRUPT_DATA: u16 = 0;
    /// Something went wrong inside.
    pub const INTERNAL_ERROR: u16 = 1;
    /// The cache has no data yet; not fatal.
    pub const NO_DATA: u16 = 2;
    /// The PDU is sound and does not belong here.
    pub const INVALID_REQUEST: u16 = 3;
    /// The version is not spoken.
    pub const UNSUPPORTED_VERSION: u16 = 4;
    /// The type of PDU is not known.
    pub const UNSUPPORTED_TYPE: u16 = 5;
    /// A record was withdrawn that was not announced.
    pub const UNKNOWN_WITHDRAWAL: u16 = 6;
    /// A record was announced twice.
    pub const DUPLICATE_ANNOUNCEMENT: u16 = 7;
    /// The version changed after it was agreed upon.
    pub const UNEXPECTED_VERSION: u16 = 8;
}

/// Types of PDUs.
pub mod pdu_type {
    /// Serial Notify.
    pub const SERIAL_NOTIFY: u8 = 0;
    /// Serial Query.
    pub const SERIAL_QUERY: u8 = 1;
    /// Reset Query.
    pub const RESET_QUERY: u8 = 2;
    /// Cache Response.
    pub const CACHE_RESPONSE: u8 = 3;
    /// IPv4 Prefix.
    pub const IPV4_PREFIX: u8 = 4;
    /// IPv6 Prefix.
    pub const IPV6_PREFIX: u8 = 6;
    /// End of Data.
    pub const END_OF_DATA: u8 = 7;
    /// Cache Reset.
    pub const CACHE_RESET: u8 = 8;
    /// Router Key, from version 1.
    pub const ROUTER_KEY: u8 = 9;
    /// Error Report.
    pub const ERROR_REPORT: u8 = 10;
    /// ASPA, from version 2.
    pub const ASPA: u8 = 11;
}

/// A PDU with the version in its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pdu {
    /// Version of the protocol, 0 to [`VERSION_MAX`].
    pub version: u8,
    /// What it says.
    pub body: PduBody,
}

/// What a PDU says (RFC 8210 §5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PduBody {
    /// The cache has news.
    SerialNotify {
        /// Session ID.
        session: u16,
        /// Serial number of the news.
        serial: u32,
    },
    /// Asks for what changed since a serial number.
    SerialQuery {
        /// Session ID.
        session: u16,
        /// Serial number of what is held.
        serial: u32,
    },
    /// Asks for everything.
    ResetQuery,
    /// Records follow.
    CacheResponse {
        /// Session ID.
        session: u16,
    },
    /// A VRP, announced or withdrawn. Its trust anchor is not said.
    Prefix {
        /// Announced, not withdrawn.
        announce: bool,
        /// The VRP.
        vrp: Vrp,
    },
    /// The records are complete.
    EndOfData {
        /// Session ID.
        session: u16,
        /// Serial number of what is now held.
        serial: u32,
        /// When to ask again; not in version 0.
        intervals: Option<Intervals>,
    },
    /// What changed is not known: everything is to be asked for.
    CacheReset,
    /// A router's key for `BGPsec`, passed over by us.
    RouterKey {
        /// Announced, not withdrawn.
        announce: bool,
        /// Subject key identifier.
        identifier: [u8; 20],
        /// AS of the router.
        asn: Asn,
        /// Subject public key info, DER.
        key: Box<[u8]>,
    },
    /// Something was wrong.
    ErrorReport {
        /// See [`code`].
        code: u16,
        /// The PDU that was wrong, or its beginning.
        pdu: Box<[u8]>,
        /// Diagnostic text; octets that are not UTF-8 are replaced.
        text: Box<str>,
    },
    /// Providers of a customer; none in a withdrawal of the current layout.
    Aspa {
        /// Announced, not withdrawn.
        announce: bool,
        /// How it is written.
        layout: AspaLayout,
        /// The customer.
        customer: Asn,
        /// Its providers, in the order given.
        providers: Box<[Asn]>,
    },
}

/// How an ASPA PDU is written. The layouts share type and version, and are told apart without
/// doubt: in the earlier one the third octet is always 0 and there are at least 16 octets; in the
/// current one the third octet is 1, or 0 in a PDU of exactly 12 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AspaLayout {
    /// draft-ietf-sidrops-8210bis up to -10: flags, address family and count after the length.
    Draft10 {
        /// The address family octet: 0 for IPv4, 1 for IPv6.
        family: u8,
    },
    /// The later drafts: flags in the third octet, for both families.
    Current,
}

/// Intervals of End of Data in seconds (RFC 8210 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intervals {
    /// After a success, ask again.
    pub refresh: u32,
    /// After a failure, ask again.
    pub retry: u32,
    /// Without a success, the data is no longer to be relied upon.
    pub expire: u32,
}

/// A PDU cannot be used. Offsets count from the start of the PDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PduError {
    /// A version that is not spoken.
    #[error("version {version} at octet 0")]
    Version {
        /// As given.
        version: u8,
    },
    /// A type that is not known, or not in this version.
    #[error("PDU type {pdu_type} of version {version} at octet 1")]
    Type {
        /// As given.
        pdu_type: u8,
        /// As given.
        version: u8,
    },
    /// Longer than [`PDU_OCTETS_MAX`].
    #[error("length {length} at octet 4 of PDU type {pdu_type}, above {PDU_OCTETS_MAX}")]
    TooLong {
        /// Its type.
        pdu_type: u8,
        /// As given.
        length: u32,
    },
    /// A length that the type does not have.
    #[error("length {length} at octet {offset} does not fit PDU type {pdu_type}")]
    Length {
        /// Its type.
        pdu_type: u8,
        /// As given.
        length: u32,
        /// Where the length stands.
        offset: usize,
    },
    /// A prefix length beyond the family's bits, or bits set beyond it, or a `maxLength` that does
    /// not lie between.
    #[error("prefix length {len}, maxLength {max_len} at octet 9")]
    Prefix {
        /// As given.
        len: u8,
        /// As given.
        max_len: u8,
    },
    /// Bits of the address are set beyond the prefix length.
    #[error("host bits at octet 12")]
    HostBits,
    /// An announced ASPA without providers, or with more than [`ASPA_PROVIDERS_MAX`].
    #[error("{count} providers in an ASPA, not 1 to {ASPA_PROVIDERS_MAX}")]
    Providers {
        /// How many.
        count: usize,
    },
}

impl PduError {
    /// Stable name of the kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            PduError::Version { .. } => "rtr_version",
            PduError::Type { .. } => "rtr_type",
            PduError::TooLong { .. } => "rtr_too_long",
            PduError::Length { .. } => "rtr_length",
            PduError::Prefix { .. } => "rtr_prefix",
            PduError::HostBits => "rtr_host_bits",
            PduError::Providers { .. } => "rtr_providers",
        }
    }

    /// The code to report it with: see [`code`].
    pub const fn code(&self) -> u16 {
        match self {
            PduError::Version { .. } => code::UNSUPPORTED_VERSION,
            PduError::Type { .. } => code::UNSUPPORTED_TYPE,
            _ => code::CORRUPT_DATA,
        }
    }
}

/// Reads the PDU at the start of `octets`, with the octets it takes; `None` when there are too few.
/// A wrong length is an error as soon as the header is there.
///
/// # Errors
/// See [`PduError`]. Nothing after the PDU can be trusted then.
pub fn decode(octets: &[u8]) -> Result<Option<(Pdu, usize)>, PduError> {
    let Some((header, _)) = octets.split_first_chunk::<HEADER_OCTETS>() else { return Ok(None) };
    let &[version, pdu_type, upper, lower, l0, l1, l2, l3] = header;
    let length = u32::from_be_bytes([l0, l1, l2, l3]);
    if version > VERSION_MAX {
        return Err(PduError::Version { version });
    }
    let size = usize::try_from(length).unwrap_or(usize::MAX);
    if size > PDU_OCTETS_MAX {
        return Err(PduError::TooLong { pdu_type, length });
    }
    let head = Head { version, pdu_type, upper, lower, length };
    head.check_length()?;
    let Some(body) = octets.get(HEADER_OCTETS..size) else { return Ok(None) };
    let body = head.body(body)?;
    Ok(Some((Pdu { version, body }, size)))
}

#[derive(Clone, Copy)]
struct Head {
    version: u8,
    pdu_type: u8,
    upper: u8,
    lower: u8,
    length: u32,
}

impl Head {
    fn bad_length(self) -> PduError {
        PduError::Length { pdu_type: self.pdu_type, length: self.length, offset: 4 }
    }

    fn check_length(self) -> Result<(), PduError> {
        let Head { version, pdu_type, length, .. } = self;
        let fits = match pdu_type {
            pdu_type::SERIAL_NOTIFY | pdu_type::SERIAL_QUERY => length == 12,
            pdu_type::RESET_QUERY | pdu_type::CACHE_RESPONSE | pdu_type::CACHE_RESET => length == 8,
            pdu_type::IPV4_PREFIX => length == 20,
            pdu_type::IPV6_PREFIX => length == 32,
            pdu_type::END_OF_DATA => length == if version == 0 { 12 } else { 24 },
            pdu_type::ROUTER_KEY if version >= 1 => length >= 32,
            pdu_type::ERROR_REPORT => length >= 16,
            pdu_type::ASPA if version >= 2 => length >= 12 && length % 4 == 0,
            _ => return Err(PduError::Type { pdu_type, version }),
        };
        if fits { Ok(()) } else { Err(self.bad_length()) }
    }

    fn body(self, body: &[u8]) -> Result<PduBody, PduError> {
        let session = u16::from_be_bytes([self.upper, self.lower]);
        let mut fields = Fields(body);
        let short = || self.bad_length();
        Ok(match self.pdu_type {
            pdu_type::SERIAL_NOTIFY => {
                PduBody::SerialNotify { session, serial: fields.u32().ok_or_else(short)? }
            }
            pdu_type::SERIAL_QUERY => {
                PduBody::SerialQuery { session, serial: fields.u32().ok_or_else(short)? }
            }
            pdu_type::RESET_QUERY => PduBody::ResetQuery,
            pdu_type::CACHE_RESPONSE => PduBody::CacheResponse { session },
            pdu_type::CACHE_RESET => PduBody::CacheReset,
            pdu_type::IPV4_PREFIX => self.prefix(fields, AddressFamily::Ipv4)?,
            pdu_type::IPV6_PREFIX => self.prefix(fields, AddressFamily::Ipv6)?,
            pdu_type::END_OF_DATA => PduBody::EndOfData {
                session,
                serial: fields.u32().ok_or_else(short)?,
                intervals: fields.intervals(),
            },
            pdu_type::ROUTER_KEY => PduBody::RouterKey {
                announce: self.upper & 1 == 1,
                identifier: fields.take().ok_or_else(short)?,
                asn: Asn(fields.u32().ok_or_else(short)?),
                key: fields.0.into(),
            },
            pdu_type::ASPA => self.aspa(fields)?,
            _ => error_report(session, fields)?,
        })
    }

    fn prefix(self, mut fields: Fields<'_>, family: AddressFamily) -> Result<PduBody, PduError> {
        let [flags, len, max_len, _] = fields.take().ok_or_else(|| self.bad_length())?;
        let out_of_range = PduError::Prefix { len, max_len };
        let (prefix, is_canonical) = match family {
            AddressFamily::Ipv4 => {
                let bits = fields.u32().ok_or_else(|| self.bad_length())?;
                let prefix = Prefix::v4(bits, len).ok_or(out_of_range)?;
                (prefix, prefix.bits() >> 96 == u128::from(bits))
            }
            AddressFamily::Ipv6 => {
                let bits = u128::from_be_bytes(fields.take().ok_or_else(|| self.bad_length())?);
                let prefix = Prefix::v6(bits, len).ok_or(out_of_range)?;
                (prefix, prefix.bits() == bits)
            }
        };
        let asn = Asn(fields.u32().ok_or_else(|| self.bad_length())?);
        if !(len..=family.bits()).contains(&max_len) {
            return Err(out_of_range);
        }
        if !is_canonical {
            return Err(PduError::HostBits);
        }
        let vrp = Vrp { prefix, max_len, asn, ta: TrustAnchorId::default() };
        Ok(PduBody::Prefix { announce: flags & 1 == 1, vrp })
    }

    fn aspa(self, mut fields: Fields<'_>) -> Result<PduBody, PduError> {
        let short = || self.bad_length();
        let is_current = self.upper & 1 == 1 || self.length == 12;
        let (announce, layout, count) = if is_current {
            (self.upper & 1 == 1, AspaLayout::Current, None)
        } else {
            let [flags, family, upper, lower] = fields.take().ok_or_else(short)?;
            let count = usize::from(u16::from_be_bytes([upper, lower]));
            (flags & 1 == 1, AspaLayout::Draft10 { family }, Some(count))
        };
        let customer = Asn(fields.u32().ok_or_else(short)?);
        let (chunks, _) = fields.0.as_chunks::<4>();
        if let Some(count) = count.filter(|&count| count != chunks.len()) {
            let length = u32::try_from(count).unwrap_or(u32::MAX);
            return Err(PduError::Length { pdu_type: self.pdu_type, length, offset: 10 });
        }
        let providers: Box<[Asn]> =
            chunks.iter().map(|&octets| Asn(u32::from_be_bytes(octets))).collect();
        let count = providers.len();
        if count > ASPA_PROVIDERS_MAX || (announce && count == 0) {
            return Err(PduError::Providers { count });
        }
        Ok(PduBody::Aspa { announce, layout, customer, providers })
    }
}

fn error_report(code: u16, mut fields: Fields<'_>) -> Result<PduBody, PduError> {
    let bad =
        |length: u32, offset| PduError::Length { pdu_type: pdu_type::ERROR_REPORT, length, offset };
    let copied = fields.u32().ok_or(bad(0, 8))?;
    let pdu = fields.octets(copied).ok_or(bad(copied, 8))?;
    let offset = HEADER_OCTETS + 4 + pdu.len();
    let said = fields.u32().ok_or(bad(0, offset))?;
    let text = fields.octets(said).ok_or(bad(said, offset))?;
    Ok(PduBody::ErrorReport { code, pdu: pdu.into(), text: String::from_utf8_lossy(text).into() })
}

/// Fields one after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (&taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(taken)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_be_bytes)
    }

    fn octets(&mut self, count: u32) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(count).ok()?)?;
        self.0 = rest;
        Some(taken)
    }

    fn intervals(&mut self) -> Option<Intervals> {
        let (refresh, retry, expire) = (self.u32()?, self.u32()?, self.u32()?);
        Some(Intervals { refresh, retry, expire })
    }
}

/// Appends a PDU. What its type or version has no room for is left out: intervals in version 0,
/// octets beyond 32 bits of length.
pub fn encode(pdu: &Pdu, out: &mut Vec<u8>) {
    let start = out.len();
    let (pdu_type, field) = head_of(&pdu.body);
    out.extend_from_slice(&[pdu.version, pdu_type]);
    out.extend_from_slice(&field);
    out.extend_from_slice(&[0; 4]);
    encode_body(pdu, out);
    let length = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(start + 4..start + HEADER_OCTETS) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

/// The type, and the two octets between it and the length.
fn head_of(body: &PduBody) -> (u8, [u8; 2]) {
    match body {
        PduBody::SerialNotify { session, .. } => (pdu_type::SERIAL_NOTIFY, session.to_be_bytes()),
        PduBody::SerialQuery { session, .. } => (pdu_type::SERIAL_QUERY, session.to_be_bytes()),
        PduBody::ResetQuery => (pdu_type::RESET_QUERY, [0; 2]),
        PduBody::CacheResponse { session } => (pdu_type::CACHE_RESPONSE, session.to_be_bytes()),
        PduBody::Prefix { vrp, .. } if vrp.prefix.is_ipv4() => (pdu_type::IPV4_PREFIX, [0; 2]),
        PduBody::Prefix { .. } => (pdu_type::IPV6_PREFIX, [0; 2]),
        PduBody::EndOfData { session, .. } => (pdu_type::END_OF_DATA, session.to_be_bytes()),
        PduBody::CacheReset => (pdu_type::CACHE_RESET, [0; 2]),
        PduBody::RouterKey { announce, .. } => (pdu_type::ROUTER_KEY, [u8::from(*announce), 0]),
        PduBody::ErrorReport { code, .. } => (pdu_type::ERROR_REPORT, code.to_be_bytes()),
        PduBody::Aspa { layout: AspaLayout::Draft10 { .. }, .. } => (pdu_type::ASPA, [0; 2]),
        PduBody::Aspa { announce, .. } => (pdu_type::ASPA, [u8::from(*announce), 0]),
    }
}

fn encode_body(pdu: &Pdu, out: &mut Vec<u8>) {
    match &pdu.body {
        PduBody::SerialNotify { serial, .. } | PduBody::SerialQuery { serial, .. } => {
            out.extend_from_slice(&serial.to_be_bytes());
        }
        PduBody::ResetQuery | PduBody::CacheResponse { .. } | PduBody::CacheReset => {}
        PduBody::Prefix { announce, vrp } => {
            out.extend_from_slice(&[u8::from(*announce), vrp.prefix.len(), vrp.max_len, 0]);
            let octets = vrp.prefix.bits().to_be_bytes();
            let addr_octets = usize::from(vrp.prefix.family().bits() / 8);
            out.extend_from_slice(octets.get(..addr_octets).unwrap_or_default());
            out.extend_from_slice(&vrp.asn.0.to_be_bytes());
        }
        PduBody::EndOfData { serial, intervals, .. } => {
            out.extend_from_slice(&serial.to_be_bytes());
            for seconds in intervals.iter().flat_map(|all| [all.refresh, all.retry, all.expire]) {
                out.extend_from_slice(&seconds.to_be_bytes());
            }
        }
        PduBody::RouterKey { identifier, asn, key, .. } => {
            out.extend_from_slice(identifier);
            out.extend_from_slice(&asn.0.to_be_bytes());
            out.extend_from_slice(key);
        }
        PduBody::ErrorReport { pdu, text, .. } => {
            for octets in [pdu, text.as_bytes()] {
                let length = u32::try_from(octets.len()).unwrap_or(u32::MAX);
                out.extend_from_slice(&length.to_be_bytes());
                out.extend_from_slice(octets);
            }
        }
        PduBody::Aspa { announce, layout, customer, providers } => {
            if let AspaLayout::Draft10 { family } = layout {
                let count = u16::try_from(providers.len()).unwrap_or(u16::MAX);
                out.extend_from_slice(&[u8::from(*announce), *family]);
                out.extend_from_slice(&count.to_be_bytes());
            }
            out.extend_from_slice(&customer.0.to_be_bytes());
            for provider in providers {
                out.extend_from_slice(&provider.0.to_be_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests;
