//! Capabilities of an OPEN (RFC 5492).

use std::iter;

use routewarden_core::{AddressFamily, Asn};

use crate::Safi;
use crate::cursor::Cursor;
use crate::nlri::{FamilySet, family_and_safi};

/// Capability codes.
pub mod code {
    /// Multiprotocol extensions (RFC 4760 §8).
    pub const MULTIPROTOCOL: u8 = 1;
    /// Route refresh (RFC 2918).
    pub const ROUTE_REFRESH: u8 = 2;
    /// Extended message (RFC 8654).
    pub const EXTENDED_MESSAGE: u8 = 6;
    /// Role (RFC 9234 §4.1).
    pub const ROLE: u8 = 9;
    /// Graceful restart (RFC 4724 §3).
    pub const GRACEFUL_RESTART: u8 = 64;
    /// Four-octet ASN (RFC 6793 §3).
    pub const FOUR_OCTET_ASN: u8 = 65;
    /// ADD-PATH (RFC 7911 §4).
    pub const ADD_PATH: u8 = 69;
}

/// Who of a session sends several paths for a prefix (RFC 7911 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum AddPathMode {
    /// The speaker takes them.
    Receive = 1,
    /// The speaker sends them.
    Send = 2,
    /// Both.
    Both = 3,
}

impl AddPathMode {
    const fn from_octet(octet: u8) -> Option<Self> {
        match octet {
            1 => Some(AddPathMode::Receive),
            2 => Some(AddPathMode::Send),
            3 => Some(AddPathMode::Both),
            _ => None,
        }
    }

    /// Whether the speaker takes several paths.
    pub const fn receives(self) -> bool {
        matches!(self, AddPathMode::Receive | AddPathMode::Both)
    }

    /// Whether the speaker sends several paths.
    pub const fn sends(self) -> bool {
        matches!(self, AddPathMode::Send | AddPathMode::Both)
    }
}

/// A capability as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawCapability<'a> {
    /// Code.
    pub code: u8,
    /// Value.
    pub value: &'a [u8],
}

/// What a speaker can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Capability<'a> {
    /// Routes of a family (RFC 4760 §8).
    Multiprotocol {
        /// AFI.
        afi: u16,
        /// SAFI.
        safi: u8,
    },
    /// Route refresh (RFC 2918).
    RouteRefresh,
    /// Messages up to 65,535 octets (RFC 8654).
    ExtendedMessage,
    /// Its role towards the other (RFC 9234 §4.1).
    Role(u8),
    /// Graceful restart (RFC 4724 §3).
    GracefulRestart(GracefulRestart<'a>),
    /// Its ASN, in four octets (RFC 6793 §3).
    FourOctetAsn(Asn),
    /// Several paths for a prefix (RFC 7911 §4).
    AddPath(AddPath<'a>),
    /// One that is not known, or whose value has not the form of its code; it counts as absent.
    Other(RawCapability<'a>),
}

/// Graceful restart (RFC 4724 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GracefulRestart<'a> {
    /// Restart flags, four bits.
    pub flags: u8,
    /// Restart time in seconds, twelve bits.
    pub seconds: u16,
    /// AFI, SAFI and flags of each family: four octets each.
    pub families: &'a [[u8; 4]],
}

/// ADD-PATH families (RFC 7911 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddPath<'a> {
    entries: &'a [[u8; 4]],
}

impl<'a> AddPath<'a> {
    /// AFI, SAFI and mode of each family. Entries with an undefined mode are left out, as the
    /// RFC wants.
    pub fn entries(&self) -> impl Iterator<Item = (u16, u8, AddPathMode)> + use<'a> {
        self.entries.iter().filter_map(|&[high, low, safi, mode]| {
            Some((u16::from_be_bytes([high, low]), safi, AddPathMode::from_octet(mode)?))
        })
    }

    /// The IP families whose mode is such.
    pub fn families(&self, is_such: impl Fn(AddPathMode) -> bool) -> FamilySet {
        let mut families = FamilySet::NONE;
        for (afi, safi, mode) in self.entries() {
            if let Some((family, safi)) = family_and_safi(afi, safi).filter(|_| is_such(mode)) {
                families.insert(family, safi);
            }
        }
        families
    }
}

impl<'a> RawCapability<'a> {
    /// What it means.
    pub fn read(self) -> Capability<'a> {
        let RawCapability { code, value } = self;
        let known = match (code, value) {
            (code::MULTIPROTOCOL, &[high, low, _, safi]) => {
                Some(Capability::Multiprotocol { afi: u16::from_be_bytes([high, low]), safi })
            }
            (code::ROUTE_REFRESH, []) => Some(Capability::RouteRefresh),
            (code::EXTENDED_MESSAGE, []) => Some(Capability::ExtendedMessage),
            (code::ROLE, &[role]) => Some(Capability::Role(role)),
            (code::FOUR_OCTET_ASN, value) => value
                .try_into()
                .ok()
                .map(|asn| Capability::FourOctetAsn(Asn(u32::from_be_bytes(asn)))),
            (code::GRACEFUL_RESTART, value) => read_graceful_restart(value),
            (code::ADD_PATH, value) => match value.as_chunks::<4>() {
                (entries, []) => Some(Capability::AddPath(AddPath { entries })),
                _ => None,
            },
            _ => None,
        };
        known.unwrap_or(Capability::Other(self))
    }
}

fn read_graceful_restart(value: &[u8]) -> Option<Capability<'_>> {
    let (&head, rest) = value.split_first_chunk()?;
    let head = u16::from_be_bytes(head);
    let (families, []) = rest.as_chunks::<4>() else { return None };
    let flags = u8::try_from(head >> 12).unwrap_or_default();
    let restart = GracefulRestart { flags, seconds: head & 0x0fff, families };
    Some(Capability::GracefulRestart(restart))
}

/// The capabilities that stand one after another. Ends at the first that runs past its end.
pub(crate) fn capabilities(octets: &[u8]) -> impl Iterator<Item = RawCapability<'_>> + use<'_> {
    let mut rest = Cursor::new(octets);
    iter::from_fn(move || {
        let code = rest.u8()?;
        let length = rest.u8()?;
        Some(RawCapability { code, value: rest.take(usize::from(length))? })
    })
}

/// Octets before the first capability that runs past the end; all when there is none.
pub(crate) fn sound_octets(octets: &[u8]) -> usize {
    capabilities(octets).map(|capability| 2 + capability.value.len()).sum()
}

impl Capability<'_> {
    /// The IP family of multiprotocol extensions.
    pub fn family(&self) -> Option<(AddressFamily, Safi)> {
        match *self {
            Capability::Multiprotocol { afi, safi } => family_and_safi(afi, safi),
            _ => None,
        }
    }
}
