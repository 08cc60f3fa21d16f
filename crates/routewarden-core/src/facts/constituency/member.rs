//! One member of a constituency, and how it is read from its document.

use std::fmt;

use serde::de::{
    Error as _, MapAccess, SeqAccess, Unexpected, Visitor, value::MapAccessDeserializer,
};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{Asn, Prefix};

/// Longest text of a member, in octets: name, contact, AS-SET.
pub const TEXT_OCTETS_MAX: usize = 500;
/// Longest id of a member, in octets.
pub const ID_OCTETS_MAX: usize = 64;
/// Most entries of one list of a member, its prefixes apart.
pub const LIST_ENTRIES_MAX: usize = 10_000;

/// What an asset is worth to the constituency, least first.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Criticality {
    /// Watched, but not a member's own: a supplier, a neighbour.
    Other,
    /// A member's network.
    #[default]
    Member,
    /// What others depend on: DNS, government, bank, hospital, certification authority.
    Tier0,
}

impl Criticality {
    /// Its weight in severity, from 0 to 1.
    pub const fn factor(self) -> f64 {
        match self {
            Criticality::Other => 0.4,
            Criticality::Member => 0.7,
            Criticality::Tier0 => 1.0,
        }
    }
}

/// A prefix that a member holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemberPrefix {
    /// The prefix; its more-specifics belong to the member as well, unless listed apart.
    pub prefix: Prefix,
    /// ASes that may originate it, ascending; empty: the member's own.
    pub origins: Vec<Asn>,
    /// Its own worth; `None`: that of the member.
    pub criticality: Option<Criticality>,
}

/// Someone whose routing is watched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Short name, unique: letters, digits, `-`, `_`, `.`.
    #[serde(deserialize_with = "id")]
    pub id: Box<str>,
    /// Name in words; empty when not given.
    #[serde(default, deserialize_with = "text")]
    pub name: Box<str>,
    /// Sector, as `health` or `energy`; empty when not given.
    #[serde(default, deserialize_with = "text")]
    pub sector: Box<str>,
    /// Its ASes, ascending.
    #[serde(default, deserialize_with = "asns")]
    pub asns: Vec<Asn>,
    /// Its prefixes, in the order of [`Prefix`].
    #[serde(default)]
    pub prefixes: Vec<MemberPrefix>,
    /// Names of its AS-SETs in the registries (RFC 2622 §5.1).
    #[serde(default, deserialize_with = "texts")]
    pub as_sets: Vec<Box<str>>,
    /// Countries it answers for, as ISO 3166 codes of two letters.
    #[serde(default, deserialize_with = "countries")]
    pub countries: Vec<Box<str>>,
    /// What it is worth.
    #[serde(default)]
    pub criticality: Criticality,
    /// ASes that sell it transit, ascending: they stand next to its own in paths. With `peers` empty
    /// as well, neighbours are not checked.
    #[serde(default, deserialize_with = "asns")]
    pub upstreams: Vec<Asn>,
    /// ASes that exchange routes with it unpaid, ascending: they may stand next to its own, too.
    #[serde(default, deserialize_with = "asns")]
    pub peers: Vec<Asn>,
    /// Whom to tell, as `mailto:noc@example.net` or `tel:+1...`.
    #[serde(default, deserialize_with = "texts")]
    pub contacts: Vec<Box<str>>,
}

impl Member {
    /// The name for display: the id when no name is given.
    pub fn label(&self) -> &str {
        if self.name.is_empty() { &self.id } else { &self.name }
    }
}

/// Reads a value by a function from text or number, and says what was expected.
struct One<T> {
    expected: &'static str,
    number: fn(u64) -> Option<T>,
    text: fn(&str) -> Option<T>,
}

impl<T> Clone for One<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for One<T> {}

impl<T> Visitor<'_> for One<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<T, E> {
        let number = u64::try_from(value).ok().and_then(self.number);
        number.ok_or_else(|| E::invalid_value(Unexpected::Signed(value), &self))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<T, E> {
        (self.number)(value).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(value), &self))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<T, E> {
        (self.text)(value).ok_or_else(|| E::invalid_value(Unexpected::Str(value), &self))
    }
}

impl<'de, T> serde::de::DeserializeSeed<'de> for One<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// A list of such values, at most [`LIST_ENTRIES_MAX`].
struct List<T>(One<T>);

impl<'de, T> Visitor<'de> for List<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list, each {}", self.0.expected)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.0)? {
            if list.len() >= LIST_ENTRIES_MAX {
                return Err(A::Error::custom(format_args!(
                    "a list of more than {LIST_ENTRIES_MAX} entries"
                )));
            }
            list.push(item);
        }
        Ok(list)
    }
}

const ASN: One<Asn> = One {
    expected: "an ASN that is not reserved, as 64496 or \"AS64496\"",
    number: |number| u32::try_from(number).ok().map(Asn).filter(is_usable),
    text: |text| text.parse().ok().filter(is_usable),
};

const ID: One<Box<str>> = One {
    expected: "an id of 1 to 64 letters, digits, \"-\", \"_\" or \".\"",
    number: |_| None,
    text: |text| {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        let fits = (1..=ID_OCTETS_MAX).contains(&text.len());
        (fits && text.bytes().all(is_plain)).then(|| text.into())
    },
};

const TEXT: One<Box<str>> = One {
    expected: "a text of at most 500 octets without control characters",
    number: |_| None,
    text: |text| {
        (text.len() <= TEXT_OCTETS_MAX && !text.contains(char::is_control)).then(|| text.into())
    },
};

const COUNTRY: One<Box<str>> = One {
    expected: "a country code of two capital letters",
    number: |_| None,
    text: |text| {
        let is_code = text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase());
        is_code.then(|| text.into())
    },
};

/// Not AS0 (RFC 7607), `AS_TRANS` (RFC 6793 §9) or the last of each size (RFC 7300).
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that `Option::filter` takes")]
fn is_usable(asn: &Asn) -> bool {
    !matches!(asn.0, 0 | 23456 | 65535 | u32::MAX)
}

fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<str>, D::Error> {
    deserializer.deserialize_any(ID)
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<str>, D::Error> {
    deserializer.deserialize_any(TEXT)
}

fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Box<str>>, D::Error> {
    deserializer.deserialize_seq(List(TEXT))
}

fn countries<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Box<str>>, D::Error> {
    deserializer.deserialize_seq(List(COUNTRY))
}

fn asns<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Asn>, D::Error> {
    deserializer.deserialize_seq(List(ASN))
}

/// The long form of a prefix.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PrefixEntry {
    #[serde(deserialize_with = "prefix")]
    prefix: Prefix,
    #[serde(default, deserialize_with = "asns")]
    origins: Vec<Asn>,
    #[serde(default)]
    criticality: Option<Criticality>,
}

const PREFIX: One<Prefix> = One {
    expected: "a prefix without host bits that is no default route, as \"192.0.2.0/24\"",
    number: |_| None,
    text: |text| {
        let prefix: Prefix = text.parse().ok()?;
        // Host bits are a slip: which prefix was meant is not ours to guess.
        let (addr, _) = text.split_once('/')?;
        let is_exact = addr.parse() == Ok(prefix.addr());
        (is_exact && prefix.len() > 0).then_some(prefix)
    },
};

fn prefix<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Prefix, D::Error> {
    deserializer.deserialize_any(PREFIX)
}

impl<'de> Deserialize<'de> for MemberPrefix {
    /// `"192.0.2.0/24"`, or a table of `prefix`, `origins` and `criticality`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = MemberPrefix;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(PREFIX.expected)
            }

            fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<MemberPrefix, E> {
                let prefix = PREFIX.visit_str(value)?;
                Ok(MemberPrefix { prefix, origins: Vec::new(), criticality: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<MemberPrefix, A::Error> {
                let entry = PrefixEntry::deserialize(MapAccessDeserializer::new(map))?;
                let PrefixEntry { prefix, origins, criticality } = entry;
                Ok(MemberPrefix { prefix, origins, criticality })
            }
        }

        deserializer.deserialize_any(Either)
    }
}
