//! Autonomous system numbers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A four-octet autonomous system number (RFC 6793 §3).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Asn(pub u32);

impl Asn {
    /// `AS_TRANS`, the placeholder of a four-octet ASN in a two-octet path (RFC 6793 §9).
    pub const TRANS: Asn = Asn(23456);
}

impl fmt::Display for Asn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AS{}", self.0)
    }
}

/// What made a text no ASN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AsnParseError {
    /// Neither `64496`, `AS64496` nor asdot `1.10` (RFC 5396 §2).
    #[error("not an ASN: expected a number up to 4294967295, optionally after \"AS\"")]
    Malformed,
}

impl FromStr for Asn {
    type Err = AsnParseError;

    /// Accepts asplain with or without `AS`, and asdot (RFC 5396 §2).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = text.as_bytes();
        let digits = match bytes {
            [b'A' | b'a', b'S' | b's', ..] => text.get(2..).unwrap_or_default(),
            _ => text,
        };
        let number = |part: &str| -> Option<u32> {
            let plain = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| part.parse().ok()).flatten()
        };
        let value = match digits.split_once('.') {
            None => number(digits),
            Some((high, low)) => match (number(high), number(low)) {
                (Some(high), Some(low)) if high <= 0xffff && low <= 0xffff => {
                    Some((high << 16) | low)
                }
                _ => None,
            },
        };
        value.map(Asn).ok_or(AsnParseError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc5396_forms_are_read_and_others_refused() {
        for (text, number) in [("64496", 64496), ("AS64496", 64496), ("as1.10", 65546), ("0", 0)] {
            assert_eq!(text.parse::<Asn>(), Ok(Asn(number)), "{text}");
        }
        for text in ["", "AS", "+1", "-1", "4294967296", "1.65536", "1.2.3", " 1", "ASx"] {
            assert_eq!(text.parse::<Asn>(), Err(AsnParseError::Malformed), "{text:?}");
        }
        assert_eq!(Asn(64496).to_string(), "AS64496");
    }
}
