//! What each known attribute must look like (RFC 7606 §7 and the RFCs of each attribute).

use super::{AttributeContext, RawAttribute, code, flag};
use crate::mp::{MpReach, MpUnreach};
use crate::{AsnWidth, Warning, as_path};

/// What scanning must know of a type code before it looks at the value.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    /// Place in the slots; beyond them for codes that are not kept.
    pub(super) slot: u8,
    /// Optional and transitive bits as specified.
    pub(super) flags: u8,
    /// The only sound length, when every value of that length is sound; else [`ANY_LENGTH`].
    pub(super) length: u16,
}

/// No value is that long: it would not leave room for its header.
const ANY_LENGTH: u16 = u16::MAX;

/// One rule for each type code, so that looking one up cannot fail.
pub(super) const RULES: [Rule; 256] = rules();
pub(super) const SLOT_COUNT: usize = 18;

const fn rules() -> [Rule; 256] {
    let known = [
        (code::ORIGIN, ANY_LENGTH),
        (code::AS_PATH, ANY_LENGTH),
        (code::NEXT_HOP, 4),
        (code::MED, 4),
        (code::LOCAL_PREF, 4),
        (code::ATOMIC_AGGREGATE, 0),
        (code::AGGREGATOR, ANY_LENGTH),
        (code::COMMUNITIES, ANY_LENGTH),
        (code::ORIGINATOR_ID, 4),
        (code::CLUSTER_LIST, ANY_LENGTH),
        (code::MP_REACH, ANY_LENGTH),
        (code::MP_UNREACH, ANY_LENGTH),
        (code::EXT_COMMUNITIES, ANY_LENGTH),
        (code::AS4_PATH, ANY_LENGTH),
        (code::AS4_AGGREGATOR, ANY_LENGTH),
        (code::IPV6_EXT_COMMUNITIES, ANY_LENGTH),
        (code::LARGE_COMMUNITIES, ANY_LENGTH),
        (code::OTC, 4),
    ];
    let mut rules = [Rule { slot: u8::MAX, flags: 0, length: ANY_LENGTH }; 256];
    let mut slot = 0_u8;
    #[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
    while (slot as usize) < known.len() {
        let (code, length) = known[slot as usize];
        rules[code as usize] = Rule { slot, flags: expected_flags(code), length };
        slot += 1;
    }
    rules
}

#[cold]
pub(super) fn duplicate(code: u8) -> Warning {
    match code {
        code::MP_REACH | code::MP_UNREACH => Warning::MpDuplicate,
        _ => Warning::AttributeDuplicate,
    }
}

/// Optional and transitive bits as specified for a known attribute.
const fn expected_flags(code: u8) -> u8 {
    match code {
        code::ORIGIN..=code::NEXT_HOP | code::LOCAL_PREF | code::ATOMIC_AGGREGATE => {
            flag::TRANSITIVE
        }
        code::MED
        | code::ORIGINATOR_ID
        | code::CLUSTER_LIST
        | code::MP_REACH
        | code::MP_UNREACH => flag::OPTIONAL,
        _ => flag::OPTIONAL | flag::TRANSITIVE,
    }
}

/// Checks one attribute: `Err` when it cannot be used, `Ok(Some(_))` when it can.
#[inline]
pub(super) fn check(
    raw: RawAttribute<'_>,
    context: AttributeContext,
) -> Result<Option<Warning>, Warning> {
    let len = raw.value.len();
    let whole = |size: usize| len > 0 && len.is_multiple_of(size);
    let sound = |is_sound: bool, warning| if is_sound { Ok(None) } else { Err(warning) };
    match raw.code {
        code::ORIGIN => {
            let is_sound = matches!(raw.value, [value] if *value <= 2);
            sound(is_sound, Warning::OriginMalformed)
        }
        code::AS_PATH => match as_path::check(raw.value, context.asn_width) {
            None => Err(Warning::AsPathMalformed),
            Some(path) if path.has_empty_segment => Ok(Some(Warning::AsPathEmptySegment)),
            Some(_) => Ok(None),
        },
        code::NEXT_HOP => sound(len == 4, Warning::NextHopMalformed),
        code::MED => sound(len == 4, Warning::MedMalformed),
        code::LOCAL_PREF => sound(len == 4, Warning::LocalPrefMalformed),
        code::ATOMIC_AGGREGATE => sound(len == 0, Warning::AtomicAggregateMalformed),
        code::AGGREGATOR => match len {
            _ if len == 4 + context.asn_width.octets() => Ok(None),
            6 | 8 => Ok(Some(Warning::AggregatorWidth)),
            _ => Err(Warning::AggregatorMalformed),
        },
        code::COMMUNITIES => sound(whole(4), Warning::CommunitiesMalformed),
        code::ORIGINATOR_ID => sound(len == 4, Warning::OriginatorIdMalformed),
        code::CLUSTER_LIST => sound(whole(4), Warning::ClusterListMalformed),
        code::MP_REACH => {
            let is_sound = MpReach::read(raw.value, context.is_rib_entry).is_some();
            sound(is_sound, Warning::MpReachMalformed)
        }
        code::MP_UNREACH => {
            sound(MpUnreach::read(raw.value).is_some(), Warning::MpUnreachMalformed)
        }
        code::EXT_COMMUNITIES => sound(whole(8), Warning::ExtCommunitiesMalformed),
        code::AS4_PATH | code::AS4_AGGREGATOR => check_as4(raw, context),
        code::IPV6_EXT_COMMUNITIES => sound(whole(20), Warning::Ipv6ExtCommunitiesMalformed),
        code::LARGE_COMMUNITIES => sound(whole(12), Warning::LargeCommunitiesMalformed),
        code::OTC => sound(len == 4, Warning::OtcMalformed),
        _ => Ok(None),
    }
}

/// Checks the attributes that carry four-octet ASNs through two-octet sessions.
fn check_as4(raw: RawAttribute<'_>, context: AttributeContext) -> Result<Option<Warning>, Warning> {
    if context.asn_width == AsnWidth::Four {
        return Err(Warning::As4InFourOctetSession);
    }
    if raw.code == code::AS4_AGGREGATOR {
        return if raw.value.len() == 8 { Ok(None) } else { Err(Warning::As4AggregatorMalformed) };
    }
    match as_path::check(raw.value, AsnWidth::Four) {
        None => Err(Warning::As4PathMalformed),
        Some(path) if path.has_confed => Ok(Some(Warning::As4PathConfed)),
        Some(_) => Ok(None),
    }
}
