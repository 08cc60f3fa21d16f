//! Messages and state changes: BGP4MP (RFC 6396 §4.4, RFC 8050 §3) and the deprecated types
//! BGP and BGP4PLUS (RFC 6396 appendix B.2).

use std::net::{IpAddr, Ipv4Addr};

use routewarden_core::{AddressFamily, Asn};

use crate::cursor::Cursor;
use crate::mrt::{bgp4mp as subtype, legacy};
use crate::nlri::family_of;
use crate::update::{BgpMessage, MessageFrame, SessionContext, Update, message_type};
use crate::{
    AsnWidth, Error, Part, RawRecord, Record, Unsupported, Warning, Warnings, mrt, table_dump,
};

/// Longest message of the types BGP and BGP4PLUS, which has no header to bound it: what the length
/// field of a header can say (RFC 4271 §4.1). Each octet of it may be a route.
pub const LEGACY_MESSAGE_OCTETS_MAX: usize = u16::MAX as usize;

/// Both ends of a session, as a collector names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionEnds {
    /// ASN of the peer.
    pub peer_asn: Asn,
    /// ASN of the collector.
    pub local_asn: Asn,
    /// SNMP index of the interface, usually 0.
    pub interface: u16,
    /// Address of the peer; unspecified when the record has none.
    pub peer_addr: IpAddr,
    /// Address of the collector; unspecified when the record has none.
    pub local_addr: IpAddr,
}

/// A BGP message that a collector received or sent.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The session.
    pub ends: SessionEnds,
    /// Whether the collector sent the message (subtypes `*_LOCAL`).
    pub is_local: bool,
    /// What the subtype says of the octets.
    pub context: SessionContext,
    /// The message.
    pub bgp: BgpMessage<'a>,
}

impl<'a> Message<'a> {
    /// The UPDATE, if it is one.
    #[inline]
    pub fn update(&self) -> Option<&Update<'a>> {
        match &self.bgp {
            BgpMessage::Update(update) => Some(update),
            _ => None,
        }
    }
}

/// State of a BGP session (RFC 4271 §8.2.2, RFC 6396 §4.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FsmState(pub u16);

impl FsmState {
    /// Idle.
    pub const IDLE: FsmState = FsmState(1);
    /// Established: routes are exchanged.
    pub const ESTABLISHED: FsmState = FsmState(6);

    /// The state's name; `unknown` when the number is not registered.
    pub const fn name(self) -> &'static str {
        match self.0 {
            1 => "idle",
            2 => "connect",
            3 => "active",
            4 => "open_sent",
            5 => "open_confirm",
            6 => "established",
            _ => "unknown",
        }
    }
}

/// A session changed its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// The session.
    pub ends: SessionEnds,
    /// State before.
    pub old: FsmState,
    /// State after.
    pub new: FsmState,
}

impl StateChange {
    /// Whether the session came up.
    pub fn is_up(&self) -> bool {
        self.new == FsmState::ESTABLISHED && self.old != FsmState::ESTABLISHED
    }

    /// Whether the session went down.
    pub fn is_down(&self) -> bool {
        self.old == FsmState::ESTABLISHED && self.new != FsmState::ESTABLISHED
    }
}

#[derive(Clone, Copy)]
enum Form {
    StateChange(AsnWidth),
    Entry,
    Message { asn_width: AsnWidth, is_local: bool, has_path_ids: bool },
}

fn form_of(subtype: u16) -> Option<Form> {
    let message = |asn_width, is_local, has_path_ids| {
        Some(Form::Message { asn_width, is_local, has_path_ids })
    };
    match subtype {
        subtype::STATE_CHANGE => Some(Form::StateChange(AsnWidth::Two)),
        subtype::STATE_CHANGE_AS4 => Some(Form::StateChange(AsnWidth::Four)),
        subtype::ENTRY => Some(Form::Entry),
        subtype::MESSAGE => message(AsnWidth::Two, false, false),
        subtype::MESSAGE_AS4 => message(AsnWidth::Four, false, false),
        subtype::MESSAGE_LOCAL => message(AsnWidth::Two, true, false),
        subtype::MESSAGE_AS4_LOCAL => message(AsnWidth::Four, true, false),
        subtype::MESSAGE_ADDPATH => message(AsnWidth::Two, false, true),
        subtype::MESSAGE_AS4_ADDPATH => message(AsnWidth::Four, false, true),
        subtype::MESSAGE_LOCAL_ADDPATH => message(AsnWidth::Two, true, true),
        subtype::MESSAGE_AS4_LOCAL_ADDPATH => message(AsnWidth::Four, true, true),
        _ => None,
    }
}

pub(crate) fn read<'a>(raw: &RawRecord<'a>, record: &mut Record<'a>) -> Result<Warnings, Error> {
    let mut warnings = Warnings::NONE;
    *record = match form_of(raw.header.subtype) {
        Some(Form::Message { asn_width, is_local, has_path_ids }) => {
            let context = SessionContext { asn_width, has_path_ids };
            return read_message(raw, context, is_local, record);
        }
        Some(Form::StateChange(width)) => decode_state_change(raw, width, &mut warnings)?,
        Some(Form::Entry) => table_dump::decode_bgp4mp_entry(raw)?,
        None => Record::Unsupported(Unsupported::of_type(raw)),
    };
    Ok(warnings)
}

/// Why the ends of a session cannot be read.
#[derive(Clone, Copy)]
enum EndsFault {
    Short,
    /// The AFI is not IP.
    Family(u16),
}

#[inline]
fn read_ends(rest: &mut Cursor<'_>, width: AsnWidth) -> Result<SessionEnds, EndsFault> {
    let short = EndsFault::Short;
    let peer_asn = rest.asn(width).ok_or(short)?;
    let local_asn = rest.asn(width).ok_or(short)?;
    let interface = rest.u16().ok_or(short)?;
    let afi = rest.u16().ok_or(short)?;
    let family = family_of(afi).ok_or(EndsFault::Family(afi))?;
    let peer_addr = rest.addr(family).ok_or(short)?;
    let local_addr = rest.addr(family).ok_or(short)?;
    Ok(SessionEnds { peer_asn, local_asn, interface, peer_addr, local_addr })
}

/// The ends when old Zebra wrote nothing but the ASNs.
fn short_ends(rest: &mut Cursor<'_>) -> Option<SessionEnds> {
    let unspecified = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    Some(SessionEnds {
        peer_asn: rest.asn(AsnWidth::Two)?,
        local_asn: rest.asn(AsnWidth::Two)?,
        interface: 0,
        peer_addr: unspecified,
        local_addr: unspecified,
    })
}

/// A two-octet state change of old Zebra without addresses is this long.
const SHORT_STATE_CHANGE_OCTETS: usize = 8;

fn decode_state_change<'a>(
    raw: &RawRecord<'a>,
    width: AsnWidth,
    warnings: &mut Warnings,
) -> Result<Record<'a>, Error> {
    let mut rest = Cursor::new(raw.body);
    let is_short = width == AsnWidth::Two && raw.body.len() == SHORT_STATE_CHANGE_OCTETS;
    let ends = if is_short {
        warnings.insert(Warning::ZebraShortRecord);
        short_ends(&mut rest).ok_or(EndsFault::Short)
    } else {
        read_ends(&mut rest, width)
    };
    let broken = |rest: Cursor<'_>| raw.malformed(rest.rest(), Part::StateChange);
    let ends = match ends {
        Ok(ends) => ends,
        Err(EndsFault::Short) => return Err(broken(rest)),
        Err(EndsFault::Family(afi)) => {
            return Ok(Record::Unsupported(Unsupported::Family { afi, safi: 0 }));
        }
    };
    let (Some(old), Some(new)) = (rest.u16(), rest.u16()) else { return Err(broken(rest)) };
    if rest.remaining() > 0 {
        warnings.insert(Warning::RecordTrailing);
    }
    Ok(Record::StateChange(StateChange { ends, old: FsmState(old), new: FsmState(new) }))
}

/// Old Zebra wrote some OPENs right after the two ASNs: the marker stands there.
fn is_short_open(body: &[u8]) -> bool {
    let Some((marker, rest)) = body.get(4..).and_then(|rest| rest.split_first_chunk::<16>()) else {
        return false;
    };
    *marker == [0xff; 16] && rest.get(2) == Some(&message_type::OPEN)
}

#[inline]
fn read_message<'a>(
    raw: &RawRecord<'a>,
    context: SessionContext,
    is_local: bool,
    record: &mut Record<'a>,
) -> Result<Warnings, Error> {
    let mut warnings = Warnings::NONE;
    let mut rest = Cursor::new(raw.body);
    let ends = if context.asn_width == AsnWidth::Two && is_short_open(raw.body) {
        warnings.insert(Warning::ZebraShortRecord);
        short_ends(&mut rest).ok_or(EndsFault::Short)
    } else {
        read_ends(&mut rest, context.asn_width)
    };
    let ends = match ends {
        Ok(ends) => ends,
        Err(EndsFault::Short) => return Err(raw.malformed(rest.rest(), Part::Bgp4mpHeader)),
        Err(EndsFault::Family(afi)) => {
            *record = Record::Unsupported(Unsupported::Family { afi, safi: 0 });
            return Ok(warnings);
        }
    };
    let broken = || raw.malformed(rest.rest(), Part::BgpHeader);
    let frame = MessageFrame::read(rest.rest(), &mut warnings).ok_or_else(broken)?;
    put_message(ends, is_local, (context, frame), record).ok_or_else(broken)?;
    Ok(warnings_with(warnings, record))
}

/// Reads the body of a message into its place; `None` when it is malformed.
#[inline]
fn put_message<'a>(
    ends: SessionEnds,
    is_local: bool,
    (context, frame): (SessionContext, MessageFrame<'a>),
    record: &mut Record<'a>,
) -> Option<()> {
    if frame.message_type != message_type::UPDATE {
        let bgp = frame.decode_other()?;
        *record = Record::Message(Message { ends, is_local, context, bgp });
        return Some(());
    }
    let bgp = BgpMessage::Update(Update::unread(context.asn_width));
    *record = Record::Message(Message { ends, is_local, context, bgp });
    match record {
        Record::Message(Message { bgp: BgpMessage::Update(update), .. }) => {
            update.read(frame.body, context.into(), frame.is_cut)
        }
        _ => None,
    }
}

/// The warnings of a message besides those of its frame.
#[inline]
fn warnings_with(mut warnings: Warnings, record: &Record<'_>) -> Warnings {
    if let Record::Message(message) = record {
        warnings.merge(message.bgp.warnings());
    }
    warnings
}

/// Reads a record of type BGP or BGP4PLUS: the message stands without header.
pub(crate) fn read_legacy<'a>(
    raw: &RawRecord<'a>,
    record: &mut Record<'a>,
) -> Result<Warnings, Error> {
    let is_ipv4 = raw.header.mrt_type == mrt::BGP;
    let family = if is_ipv4 { AddressFamily::Ipv4 } else { AddressFamily::Ipv6 };
    let message_type = match raw.header.subtype {
        legacy::UPDATE => message_type::UPDATE,
        legacy::OPEN => message_type::OPEN,
        legacy::NOTIFICATION => message_type::NOTIFICATION,
        legacy::KEEPALIVE => message_type::KEEPALIVE,
        legacy::STATE_CHANGE => {
            *record = decode_legacy_state_change(raw, family)?;
            return Ok(Warnings::NONE);
        }
        _ => {
            *record = Record::Unsupported(Unsupported::of_type(raw));
            return Ok(Warnings::NONE);
        }
    };
    let mut rest = Cursor::new(raw.body);
    let broken = |rest: Cursor<'_>| raw.malformed(rest.rest(), Part::LegacyBgp);
    let ends = read_legacy_ends(&mut rest, family).ok_or_else(|| broken(rest))?;
    if rest.remaining() > LEGACY_MESSAGE_OCTETS_MAX {
        return Err(broken(rest));
    }
    let context = SessionContext { asn_width: AsnWidth::Two, has_path_ids: false };
    let frame = MessageFrame { message_type, body: rest.rest(), is_cut: false };
    put_message(ends, false, (context, frame), record).ok_or_else(|| broken(rest))?;
    Ok(warnings_with(Warnings::NONE, record))
}

fn read_legacy_ends(rest: &mut Cursor<'_>, family: AddressFamily) -> Option<SessionEnds> {
    let peer_asn = rest.asn(AsnWidth::Two)?;
    let peer_addr = rest.addr(family)?;
    let local_asn = rest.asn(AsnWidth::Two)?;
    let local_addr = rest.addr(family)?;
    Some(SessionEnds { peer_asn, local_asn, interface: 0, peer_addr, local_addr })
}

fn decode_legacy_state_change<'a>(
    raw: &RawRecord<'a>,
    family: AddressFamily,
) -> Result<Record<'a>, Error> {
    let mut rest = Cursor::new(raw.body);
    let mut read = || {
        let peer_asn = rest.asn(AsnWidth::Two)?;
        let peer_addr = rest.addr(family)?;
        let local_addr = match family {
            AddressFamily::Ipv4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            AddressFamily::Ipv6 => IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
        };
        let ends = SessionEnds { peer_asn, local_asn: Asn(0), interface: 0, peer_addr, local_addr };
        let (old, new) = (FsmState(rest.u16()?), FsmState(rest.u16()?));
        Some(StateChange { ends, old, new })
    };
    let change = read();
    change.map(Record::StateChange).ok_or_else(|| raw.malformed(rest.rest(), Part::LegacyBgp))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_legacy_update_longer_than_bgp_allows_is_malformed() {
        let decode = |message_octets: usize| {
            let body = vec![0; 12 + message_octets];
            let length = u32::try_from(body.len()).unwrap().to_be_bytes();
            let octets = [&[0, 0, 0, 0, 0, 5, 0, 1][..], &length, &body].concat();
            let (raw, _) = RawRecord::from_octets(&octets).unwrap();
            crate::decode(&raw, None).map(drop)
        };
        assert!(decode(LEGACY_MESSAGE_OCTETS_MAX).is_ok());
        let error = decode(LEGACY_MESSAGE_OCTETS_MAX + 1).unwrap_err();
        assert!(matches!(error, Error::Malformed { at: 12, part: Part::LegacyBgp, .. }));
    }
}
