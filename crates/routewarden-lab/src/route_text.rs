//! The text forms of prefixes and paths: `192.0.2.0/24 64496`, `+3 64497 64496 {64498,64499}`.

use routewarden_core::as_path::SegmentKind;
use routewarden_core::{AsPathBuf, Asn, Prefix};

use crate::OFFSET_SECS_MAX;
use crate::error::Fault;

/// Most ASNs in one path.
pub const PATH_ASNS_MAX: usize = 255;

/// A prefix, and the origin that a path's `*` stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PrefixText {
    pub(crate) prefix: Prefix,
    pub(crate) origin: Option<Asn>,
}

impl PrefixText {
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let (prefix, origin) = match text.split_once(' ') {
            Some((prefix, origin)) => (prefix, Some(parse_asn(origin.trim())?)),
            None => (text, None),
        };
        Ok(PrefixText { prefix: parse_prefix(prefix)?, origin })
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
}

impl PathText {
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let fault = || Fault::Path { text: text.to_owned() };
        let mut path = PathText {
            offset_secs: 0,
            sequence: Vec::new(),
            set: Vec::new(),
            ends_in_origin: false,
        };
        for (position, word) in text.split_ascii_whitespace().enumerate() {
            let complete = path.ends_in_origin || !path.set.is_empty();
            if complete {
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

    /// The path to a prefix.
    pub(crate) fn with_origin(&self, origin: Option<Asn>) -> AsPathBuf {
        let origin = origin.filter(|_| self.ends_in_origin);
        let mut path = AsPathBuf::sequence(self.sequence.iter().copied().chain(origin));
        if !self.set.is_empty() {
            path.push_segment(SegmentKind::Set, self.set.iter().copied());
        }
        path
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
            assert_eq!(path.with_origin(Some(Asn(64511))).to_string(), display, "{text}");
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
        assert_eq!(text.prefix.to_string(), "2001:db8:1::/48");
        assert_eq!(text.origin, Some(Asn(64512)));
        assert_eq!(PrefixText::parse("192.0.2.0/24").unwrap().origin, None);
        assert!(PrefixText::parse("192.0.2.0/33").is_err());
        assert!(PrefixText::parse("192.0.2.0/24 x").is_err());
    }
}
