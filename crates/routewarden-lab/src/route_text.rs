//! The text forms of prefixes and paths: `192.0.2.0/25*2 64496`,
//! `+3 64497 64496 {64498,64499} otc=64497`.

use routewarden_core::as_path::SegmentKind;
use routewarden_core::{AsPathBuf, Asn, Prefix, RouteAttributes};

use crate::OFFSET_SECS_MAX;
use crate::error::Fault;

/// Most ASNs in one path.
pub const PATH_ASNS_MAX: usize = 255;

/// Most communities of one path.
pub const PATH_COMMUNITIES_MAX: usize = 64;

/// Prefixes of one length that follow one another, and the origin that a path's `*` stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PrefixText {
    pub(crate) range: PrefixRange,
    pub(crate) origin: Option<Asn>,
}

impl PrefixText {
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let (range, origin) = match text.split_once(' ') {
            Some((range, origin)) => (range, Some(parse_asn(origin.trim())?)),
            None => (text, None),
        };
        Ok(PrefixText { range: PrefixRange::parse(range)?, origin })
    }
}

/// `192.0.2.0/24`, or `10.0.0.0/24*300`: that prefix and the next ones of its length, 300 in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PrefixRange {
    first: Prefix,
    count: u32,
}

impl PrefixRange {
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let Some((first, count)) = text.split_once('*') else {
            return Ok(PrefixRange { first: parse_prefix(text)?, count: 1 });
        };
        let first = parse_prefix(first)?;
        // Its network bits turned over: how many prefixes of its length follow this one.
        let host_bits = 128u32.saturating_sub(u32::from(first.len()));
        let later = (!first.bits()).checked_shr(host_bits).unwrap_or(0);
        let fits = |&count: &u32| count > 0 && u128::from(count - 1) <= later;
        let count = parse_plain(count).filter(fits);
        let count = count.ok_or_else(|| Fault::Range { text: text.to_owned() })?;
        Ok(PrefixRange { first, count })
    }

    pub(crate) fn first(&self) -> Prefix {
        self.first
    }

    pub(crate) fn count(&self) -> usize {
        usize::try_from(self.count).unwrap_or(usize::MAX)
    }

    pub(crate) fn prefixes(self) -> impl Iterator<Item = Prefix> {
        let PrefixRange { first, count } = self;
        let step = u128::from(first.len() > 0)
            .checked_shl(128u32.saturating_sub(u32::from(first.len())))
            .unwrap_or(0);
        (0..u128::from(count)).filter_map(move |number| {
            let bits = first.bits().wrapping_add(step.wrapping_mul(number));
            if first.is_ipv4() {
                Prefix::v4(u32::try_from(bits >> 96).ok()?, first.len())
            } else {
                Prefix::v6(bits, first.len())
            }
        })
    }
}

pub(crate) fn parse_prefix(text: &str) -> Result<Prefix, Fault> {
    text.parse().map_err(|source| Fault::Prefix { text: text.to_owned(), source })
}

pub(crate) fn parse_asn(text: &str) -> Result<Asn, Fault> {
    text.parse().map_err(|source| Fault::Asn { text: text.to_owned(), source })
}

/// A path, when it is sent, and whether the prefix's origin is to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathText {
    /// Seconds after the event's time.
    pub(crate) offset_secs: u32,
    sequence: Vec<Asn>,
    set: Vec<Asn>,
    ends_in_origin: bool,
    otc: Option<Asn>,
    communities: Vec<u8>,
}

/// What a route carries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Attributes {
    path: AsPathBuf,
    otc: Option<Asn>,
    /// Four octets each (RFC 1997).
    communities: Vec<u8>,
}

impl Attributes {
    pub(crate) fn as_route(&self) -> RouteAttributes<'_> {
        RouteAttributes {
            otc: self.otc,
            communities: &self.communities,
            ..RouteAttributes::from_path(self.path.as_path())
        }
    }
}

impl PathText {
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let fault = || Fault::Path { text: text.to_owned() };
        let mut path = PathText {
            offset_secs: 0,
            sequence: Vec::new(),
            set: Vec::new(),
            ends_in_origin: false,
            otc: None,
            communities: Vec::new(),
        };
        let mut has_attributes = false;
        for (position, word) in text.split_ascii_whitespace().enumerate() {
            if word.contains('=') {
                path.read_attribute(word)?;
                has_attributes = true;
                continue;
            }
            if has_attributes || path.ends_in_origin || !path.set.is_empty() {
                return Err(fault());
            }
            if let Some(offset) = word.strip_prefix('+') {
                let secs = parse_plain(offset).filter(|&secs| secs <= OFFSET_SECS_MAX);
                path.offset_secs = secs.filter(|_| position == 0).ok_or_else(fault)?;
            } else if word == "*" {
                path.ends_in_origin = true;
            } else if let Some(members) =
                word.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'))
            {
                path.set = members.split(',').map(parse_asn).collect::<Result<_, _>>()?;
            } else {
                path.sequence.push(parse_asn(word)?);
            }
        }
        let asns = path.sequence.len() + path.set.len();
        if asns == 0 {
            return Err(fault());
        }
        if asns > PATH_ASNS_MAX {
            return Err(Fault::PathTooLong { asns });
        }
        Ok(path)
    }

    /// The peer that sends the path: its first ASN. `None` when it begins with a set.
    pub(crate) fn neighbor(&self) -> Option<Asn> {
        self.sequence.first().copied()
    }

    pub(crate) fn ends_in_origin(&self) -> bool {
        self.ends_in_origin
    }

    /// `otc=ASN` (RFC 9234) or `communities=N:N,N:N` (RFC 1997), each once.
    fn read_attribute(&mut self, word: &str) -> Result<(), Fault> {
        let fault = || Fault::Attribute { text: word.to_owned() };
        match word.split_once('=') {
            Some(("otc", asn)) if self.otc.is_none() => self.otc = Some(parse_asn(asn)?),
            Some(("communities", list)) if self.communities.is_empty() => {
                for community in list.split(',') {
                    let (left, right) = community.split_once(':').ok_or_else(fault)?;
                    for half in [left, right] {
                        let half = parse_plain(half).and_then(|half| u16::try_from(half).ok());
                        self.communities.extend(half.ok_or_else(fault)?.to_be_bytes());
                    }
                }
                if self.communities.len() > 4 * PATH_COMMUNITIES_MAX {
                    return Err(Fault::TooLarge {
                        field: "the number of communities",
                        max: PATH_COMMUNITIES_MAX,
                    });
                }
            }
            _ => return Err(fault()),
        }
        Ok(())
    }

    /// What a route to a prefix carries.
    pub(crate) fn with_origin(&self, origin: Option<Asn>) -> Attributes {
        let origin = origin.filter(|_| self.ends_in_origin);
        let mut path = AsPathBuf::sequence(self.sequence.iter().copied().chain(origin));
        if !self.set.is_empty() {
            path.push_segment(SegmentKind::Set, self.set.iter().copied());
        }
        Attributes { path, otc: self.otc, communities: self.communities.clone() }
    }
}

fn parse_plain(text: &str) -> Option<u32> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_offset_sequence_set_and_star() {
        for (text, offset, display) in [
            ("64496 64497", 0, "64496 64497"),
            ("+7 64496 64497 64497", 7, "64496 64497 64497"),
            ("64496 {64498,64499}", 0, "64496 {64498,64499}"),
            ("64496 *", 0, "64496 64511"),
            ("  AS64496   64497 ", 0, "64496 64497"),
        ] {
            let path = PathText::parse(text).unwrap();
            assert_eq!(path.offset_secs, offset, "{text}");
            assert_eq!(path.with_origin(Some(Asn(64511))).path.to_string(), display, "{text}");
        }
    }

    #[test]
    fn malformed_paths_are_refused() {
        for text in [
            "",
            " ",
            "+",
            "+5",
            "64496 +5",
            "+5 +6 64496",
            "+86401 64496",
            "64496 * 64497",
            "*",
            "64496 {}",
            "64496 {64497} 64498",
            "64496 {64497",
            "x",
            "64496,64497",
            "+-1 64496",
        ] {
            assert!(PathText::parse(text).is_err(), "{text:?}");
        }
        let long = "64496 ".repeat(PATH_ASNS_MAX);
        assert!(PathText::parse(&long).is_ok());
        let asns = PATH_ASNS_MAX + 1;
        assert_eq!(PathText::parse(&(long + "64497")), Err(Fault::PathTooLong { asns }));
    }

    #[test]
    fn a_prefix_may_name_its_origin() {
        let text = PrefixText::parse("2001:db8:1::/48 64512").unwrap();
        assert_eq!(text.range.first().to_string(), "2001:db8:1::/48");
        assert_eq!(text.origin, Some(Asn(64512)));
        assert_eq!(PrefixText::parse("192.0.2.0/24").unwrap().origin, None);
        assert!(PrefixText::parse("192.0.2.0/33").is_err());
        assert!(PrefixText::parse("192.0.2.0/24 x").is_err());
    }

    #[test]
    fn a_path_may_carry_attributes() {
        let text = "+1 64496 * otc=64496 communities=65535:666,64500:1";
        let given = PathText::parse(text).unwrap().with_origin(Some(Asn(64511)));
        let route = given.as_route();
        assert_eq!(route.as_path.to_string(), "64496 64511");
        assert_eq!(route.otc, Some(Asn(64496)));
        assert_eq!(route.communities, [255, 255, 2, 154, 251, 244, 0, 1]);
        let set = PathText::parse("64496 {64498,64499} otc=64498").unwrap().with_origin(None);
        assert_eq!(set.as_route().as_path.to_string(), "64496 {64498,64499}");
        for text in [
            "otc=64496",
            "64496 otc=x",
            "64496 otc=1 otc=1",
            "64496 otc=1 64497",
            "64496 otc=1 *",
            "64496 med=1",
            "64496 communities=",
            "64496 communities=1",
            "64496 communities=1:65536",
            "64496 communities=1:2:3",
            "64496 communities=1:-2",
            "64496 communities=1:2 communities=1:2",
        ] {
            assert!(PathText::parse(text).is_err(), "{text:?}");
        }
        let many = format!("64496 communities=1:2{}", ",1:2".repeat(PATH_COMMUNITIES_MAX));
        assert!(matches!(PathText::parse(&many), Err(Fault::TooLarge { .. })));
    }

    #[test]
    fn a_range_is_prefixes_in_a_row() {
        let all = |text| {
            let range = PrefixRange::parse(text)?;
            let texts: Vec<String> = range.prefixes().map(|prefix| prefix.to_string()).collect();
            assert_eq!(texts.len(), range.count());
            Ok::<_, Fault>(texts)
        };
        assert_eq!(all("10.0.255.0/24*2").unwrap(), ["10.0.255.0/24", "10.1.0.0/24"]);
        assert_eq!(all("2001:db8:f::/48*2").unwrap(), ["2001:db8:f::/48", "2001:db8:10::/48"]);
        assert_eq!(all("255.255.255.254/32*2").unwrap()[1], "255.255.255.255/32");
        assert_eq!(all("0.0.0.0/0*1").unwrap(), ["0.0.0.0/0"]);
        assert_eq!(all("0.0.0.0/1*2").unwrap(), ["0.0.0.0/1", "128.0.0.0/1"]);
        assert_eq!(all("ffff::/16*1").unwrap(), ["ffff::/16"]);
        for text in [
            "255.255.255.254/32*3",
            "0.0.0.0/0*2",
            "ffff::/16*2",
            "10.0.0.0/24*0",
            "10.0.0.0/24*",
            "10.0.0.0/24*-1",
            "10.0.0.0/24*4294967296",
            "*2",
        ] {
            assert!(all(text).is_err(), "{text}");
        }
    }
}
