//! OPEN (RFC 4271 §4.2) and what two of them negotiate.

use std::iter;
use std::net::Ipv4Addr;

use routewarden_core::{AddressFamily, Asn};

use crate::capability::{self, AddPathMode, Capability, RawCapability};
use crate::cursor::Cursor;
use crate::nlri::FamilySet;
use crate::{AsnWidth, Error, Part, Safi, UpdateForm};

/// Optional parameter type of capabilities (RFC 5492 §4).
pub const PARAMETER_CAPABILITIES: u8 = 2;

/// Length and parameter type that say that extended lengths follow (RFC 9072 §2).
pub(crate) const EXTENDED: u8 = 255;

/// An OPEN whose optional parameters are known to be whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open<'a> {
    /// Version of BGP.
    pub version: u8,
    /// ASN in two octets, or `AS_TRANS` (RFC 6793 §9).
    pub asn_field: u16,
    /// Hold time in seconds.
    pub hold_time: u16,
    /// BGP identifier.
    pub bgp_id: Ipv4Addr,
    /// Whether the lengths of the parameters are of two octets (RFC 9072).
    pub is_extended: bool,
    parameters: &'a [u8],
}

/// An optional parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// Type.
    pub parameter_type: u8,
    /// Value.
    pub value: &'a [u8],
}

fn next_parameter<'a>(rest: &mut Cursor<'a>, is_extended: bool) -> Option<Parameter<'a>> {
    let parameter_type = rest.u8()?;
    let length = if is_extended { rest.u16()? } else { u16::from(rest.u8()?) };
    Some(Parameter { parameter_type, value: rest.take(usize::from(length))? })
}

impl<'a> Open<'a> {
    /// Reads the body of an OPEN: what follows the message header. Of no version but 4 is known
    /// what comes after the version; it is not looked at, and the OPEN has version 0 to 255 and
    /// nothing else.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] with the offset in the body, when a length does not fit what is there.
    pub fn decode(body: &'a [u8]) -> Result<Self, Error> {
        let mut rest = Cursor::new(body);
        let malformed = |rest: &Cursor<'_>| Error::Malformed {
            offset: 0,
            at: body.len() - rest.remaining(),
            part: Part::Open,
        };
        let mut open = read_fixed(&mut rest).ok_or_else(|| malformed(&rest))?;
        if open.version != 4 {
            return Ok(open);
        }
        let length = rest.u8().ok_or_else(|| malformed(&rest))?;
        let mut peek = rest;
        open.is_extended = length == EXTENDED && peek.u8() == Some(EXTENDED);
        let length = if open.is_extended {
            rest = peek;
            rest.u16().map(usize::from)
        } else {
            Some(usize::from(length))
        };
        if length != Some(rest.remaining()) {
            return Err(malformed(&rest));
        }
        open.parameters = rest.rest();
        while rest.remaining() > 0 {
            let at = rest;
            let parameter =
                next_parameter(&mut rest, open.is_extended).ok_or_else(|| malformed(&at))?;
            let is_whole = parameter.parameter_type != PARAMETER_CAPABILITIES
                || capability::sound_octets(parameter.value) == parameter.value.len();
            if !is_whole {
                return Err(malformed(&at));
            }
        }
        Ok(open)
    }

    /// The optional parameters in the order they stand.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter<'a>> + use<'a> {
        let mut rest = Cursor::new(self.parameters);
        let is_extended = self.is_extended;
        iter::from_fn(move || next_parameter(&mut rest, is_extended))
    }

    /// The capabilities of all parameters in the order they stand.
    pub fn raw_capabilities(&self) -> impl Iterator<Item = RawCapability<'a>> + use<'a> {
        self.parameters()
            .filter(|parameter| parameter.parameter_type == PARAMETER_CAPABILITIES)
            .flat_map(|parameter| capability::capabilities(parameter.value))
    }

    /// What the capabilities mean.
    pub fn capabilities(&self) -> impl Iterator<Item = Capability<'a>> + use<'a> {
        self.raw_capabilities().map(RawCapability::read)
    }

    /// The ASN: that of the capability when there is one (RFC 6793 §4.1).
    pub fn asn(&self) -> Asn {
        self.four_octet_asn().unwrap_or(Asn(u32::from(self.asn_field)))
    }

    /// The ASN of the four-octet capability.
    pub fn four_octet_asn(&self) -> Option<Asn> {
        self.capabilities().find_map(|capability| match capability {
            Capability::FourOctetAsn(asn) => Some(asn),
            _ => None,
        })
    }

    /// Whether messages may be longer than 4,096 octets (RFC 8654).
    pub fn has_extended_message(&self) -> bool {
        self.capabilities().any(|capability| capability == Capability::ExtendedMessage)
    }

    /// IP families of the multiprotocol capability; IPv4 unicast when there is none at all
    /// (RFC 4760 §8).
    pub fn families(&self) -> FamilySet {
        let (mut families, mut has_any) = (FamilySet::NONE, false);
        for capability in self.capabilities() {
            has_any |= matches!(capability, Capability::Multiprotocol { .. });
            if let Some((family, safi)) = capability.family() {
                families.insert(family, safi);
            }
        }
        if !has_any {
            families.insert(AddressFamily::Ipv4, Safi::Unicast);
        }
        families
    }

    fn add_path(&self, is_such: impl Fn(AddPathMode) -> bool) -> FamilySet {
        // Of several, the last counts (RFC 7911 §4).
        let last = self.capabilities().filter_map(|capability| match capability {
            Capability::AddPath(add_path) => Some(add_path),
            _ => None,
        });
        last.last().map(|add_path| add_path.families(is_such)).unwrap_or_default()
    }
}

fn read_fixed<'a>(rest: &mut Cursor<'a>) -> Option<Open<'a>> {
    let version = rest.u8()?;
    let mut open = Open {
        version,
        asn_field: 0,
        hold_time: 0,
        bgp_id: Ipv4Addr::UNSPECIFIED,
        is_extended: false,
        parameters: &[],
    };
    if version == 4 {
        open.asn_field = rest.u16()?;
        open.hold_time = rest.u16()?;
        open.bgp_id = Ipv4Addr::from(rest.array::<4>()?);
    }
    Some(open)
}

/// What two OPENs allow, seen from the one who receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// Octets of an ASN in both directions (RFC 6793).
    pub asn_width: AsnWidth,
    /// IP families of both.
    pub families: FamilySet,
    /// Families that come with path identifiers (RFC 7911).
    pub path_ids: FamilySet,
    /// Whether messages may have up to 65,535 octets (RFC 8654).
    pub has_extended_message: bool,
}

impl Negotiated {
    /// Of the OPENs of the receiver and the sender of UPDATEs.
    pub fn of(receiver: &Open<'_>, sender: &Open<'_>) -> Self {
        let is_wide = receiver.four_octet_asn().is_some() && sender.four_octet_asn().is_some();
        let path_ids = sender
            .add_path(AddPathMode::sends)
            .intersection(receiver.add_path(AddPathMode::receives));
        Negotiated {
            asn_width: if is_wide { AsnWidth::Four } else { AsnWidth::Two },
            families: receiver.families().intersection(sender.families()),
            path_ids,
            has_extended_message: receiver.has_extended_message() && sender.has_extended_message(),
        }
    }

    /// Families of an OPEN with ADD-PATH, whatever the direction: a Loc-RIB has none (RFC 9069
    /// §4.3).
    pub fn loc_rib_path_ids(open: &Open<'_>) -> FamilySet {
        open.add_path(|_| true)
    }

    /// How UPDATEs are to be read by the receiver.
    pub fn form(&self) -> UpdateForm {
        UpdateForm {
            asn_width: self.asn_width,
            path_ids: self.path_ids,
            may_guess: false,
            may_lack_next_hop: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(body: &[u8]) -> usize {
        match Open::decode(body) {
            Err(Error::Malformed { at, part: Part::Open, .. }) => at,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn lengths_that_lie_are_told_with_their_place() {
        let fixed = [4, 0xfb, 0xf0, 0, 90, 192, 0, 2, 1];
        let with = |tail: &[u8]| [&fixed[..], tail].concat();
        assert!(Open::decode(&with(&[0])).is_ok());
        assert_eq!(at(&[]), 0);
        assert_eq!(at(&fixed), 9);
        assert_eq!(at(&with(&[3, 2, 0])), 10);
        assert_eq!(at(&with(&[0, 2, 0])), 10);
        // The parameter, then the capability in it, runs past its end.
        assert_eq!(at(&with(&[2, 2, 1])), 10);
        assert_eq!(at(&with(&[4, 2, 2, 65, 4])), 10);
        // Extended: two octets of length.
        assert!(Open::decode(&with(&[255, 255, 0, 0])).is_ok());
        assert_eq!(at(&with(&[255, 255, 0, 1])), 13);
        let open = with(&[255, 255, 0, 5, 2, 0, 2, 2, 0]);
        let open = Open::decode(&open).unwrap();
        assert!(open.is_extended);
        assert_eq!(open.capabilities().collect::<Vec<_>>(), [Capability::RouteRefresh]);
        // A version that nobody speaks may have any form.
        assert_eq!(Open::decode(&[5]).unwrap().version, 5);
    }
}
