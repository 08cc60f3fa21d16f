//! JSON documents as a stream, under limits: a document never stands in memory.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::error::expected;
use super::{FactsError, Reading};

/// Longest string or number. The longest in use are URIs of some hundred octets.
pub const JSON_TOKEN_OCTETS_MAX: usize = 64 << 10;
/// Deepest nesting. VRPs with their sources take five levels.
pub const JSON_DEPTH_MAX: usize = 32;

const BUFFER_OCTETS: usize = 64 << 10;

/// Deserializer of a document under limits.
pub(super) type Json<'r> =
    serde_json::Deserializer<serde_json::de::IoRead<BufReader<GuardedReader<'r>>>>;

/// Reads one document with `read`, which takes its entries as they come.
pub(super) fn read_document(
    reading: &mut Reading<'_>,
    reader: &mut dyn BufRead,
    read: impl FnOnce(&mut Reading<'_>, &mut Json<'_>) -> serde_json::Result<()>,
) -> Result<(), FactsError> {
    let guarded = GuardedReader::new(reader, reading.limits.octets_max);
    let buffered = BufReader::with_capacity(BUFFER_OCTETS, guarded);
    let mut json = serde_json::Deserializer::from_reader(buffered);
    match read(reading, &mut json).and_then(|()| json.end()) {
        Ok(()) => Ok(()),
        Err(error) => Err(failure(reading, error)),
    }
}

fn failure(reading: &Reading<'_>, error: serde_json::Error) -> FactsError {
    let path = reading.path.to_path_buf();
    let entries_max = reading.limits.entries_max;
    if reading.entries > entries_max {
        return FactsError::TooManyEntries { path, entries_max };
    }
    let (line, column) = (error.line() as u64, error.column() as u64);
    if !error.is_io() {
        let expected = expected(reading.kind);
        return FactsError::Json { path, line, column, expected, source: error };
    }
    let source = io::Error::from(error);
    let breach = source.get_ref().and_then(|inner| inner.downcast_ref::<Breach>());
    match breach {
        Some(Breach::Octets) => {
            FactsError::TooLarge { path, octets_max: reading.limits.octets_max }
        }
        Some(&Breach::Token { line }) => {
            FactsError::JsonToken { path, line, octets_max: JSON_TOKEN_OCTETS_MAX }
        }
        Some(&Breach::Depth { line }) => {
            FactsError::JsonDepth { path, line, depth_max: JSON_DEPTH_MAX }
        }
        None => FactsError::Read { path, line, source },
    }
}

/// A limit that a document breaks.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum Breach {
    #[error("too many octets")]
    Octets,
    #[error("too long a string or number at line {line}")]
    Token { line: u64 },
    #[error("too deep at line {line}")]
    Depth { line: u64 },
}

/// Passes octets on and follows strings and brackets: `serde_json` gathers a string, and the
/// nesting of a value it ignores, in memory without a limit.
pub(super) struct GuardedReader<'r> {
    reader: &'r mut dyn BufRead,
    octets_left: u64,
    line: u64,
    depth: usize,
    token_octets: usize,
    in_string: bool,
    is_escaped: bool,
}

impl<'r> GuardedReader<'r> {
    fn new(reader: &'r mut dyn BufRead, octets_max: u64) -> Self {
        GuardedReader {
            reader,
            octets_left: octets_max,
            line: 1,
            depth: 0,
            token_octets: 0,
            in_string: false,
            is_escaped: false,
        }
    }

    fn follow(&mut self, octet: u8) -> Result<(), Breach> {
        if octet == b'\n' {
            self.line += 1;
        }
        if self.in_string {
            self.token_octets += 1;
            if self.is_escaped {
                self.is_escaped = false;
            } else {
                self.is_escaped = octet == b'\\';
                self.in_string = octet != b'"';
            }
        } else {
            match octet {
                b'"' => {
                    self.in_string = true;
                    self.token_octets = 0;
                }
                b'{' | b'[' => {
                    self.depth += 1;
                    self.token_octets = 0;
                }
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.token_octets = 0;
                }
                b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' => self.token_octets = 0,
                _ => self.token_octets += 1,
            }
        }
        if self.token_octets > JSON_TOKEN_OCTETS_MAX {
            return Err(Breach::Token { line: self.line });
        }
        if self.depth > JSON_DEPTH_MAX {
            return Err(Breach::Depth { line: self.line });
        }
        Ok(())
    }
}

impl Read for GuardedReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let given = self.reader.read(out)?;
        self.octets_left = self
            .octets_left
            .checked_sub(given as u64)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, Breach::Octets))?;
        for &octet in out.get(..given).unwrap_or_default() {
            self.follow(octet)
                .map_err(|breach| io::Error::new(io::ErrorKind::InvalidData, breach))?;
        }
        Ok(given)
    }
}

/// Methods of a visitor for all that is neither array nor object: a fault of the entry.
macro_rules! other_values {
    ($fault:expr) => {
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok($fault)
        }

        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok($fault)
        }

        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok($fault)
        }

        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok($fault)
        }

        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok($fault)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($fault)
        }
    };
}
pub(super) use other_values;

/// A value that is neither array nor object, lent while it is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scalar<'a> {
    Number(u64),
    Text(&'a str),
    /// Anything else: a fault of the entry, not of the document.
    Other,
}

/// Reads any value and makes something of it; never fails on a value of another type.
pub(super) struct ScalarSeed<F>(pub(super) F);

impl<'de, T, F: FnOnce(Scalar<'_>) -> T> DeserializeSeed<'de> for ScalarSeed<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T, F: FnOnce(Scalar<'_>) -> T> Visitor<'de> for ScalarSeed<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_u64<E>(self, number: u64) -> Result<T, E> {
        Ok(self.0(Scalar::Number(number)))
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(self.0(Scalar::Text(text)))
    }

    fn visit_i64<E>(self, _: i64) -> Result<T, E> {
        Ok(self.0(Scalar::Other))
    }

    fn visit_f64<E>(self, _: f64) -> Result<T, E> {
        Ok(self.0(Scalar::Other))
    }

    fn visit_bool<E>(self, _: bool) -> Result<T, E> {
        Ok(self.0(Scalar::Other))
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(self.0(Scalar::Other))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<T, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(self.0(Scalar::Other))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<T, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(self.0(Scalar::Other))
    }
}

/// A member of an object, kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Member {
    Number(u64),
    Text(Box<str>),
    /// Present, of another type.
    Other,
}

impl Member {
    pub(super) fn of(scalar: Scalar<'_>) -> Self {
        match scalar {
            Scalar::Number(number) => Member::Number(number),
            Scalar::Text(text) => Member::Text(text.into()),
            Scalar::Other => Member::Other,
        }
    }

    /// The text, if it is one.
    pub(super) fn text(self) -> Option<Box<str>> {
        match self {
            Member::Text(text) => Some(text),
            Member::Number(_) | Member::Other => None,
        }
    }
}

/// Reads any value; of an object the members of these names, the last one of each. `None` when
/// the value is no object.
#[derive(Clone, Copy)]
pub(super) struct ObjectSeed<const N: usize>(pub(super) [&'static str; N]);

/// The members in the order of the names.
pub(super) type Members<const N: usize> = Option<[Option<Member>; N]>;

impl<'de, const N: usize> DeserializeSeed<'de> for ObjectSeed<N> {
    type Value = Members<N>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Members<N>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for ObjectSeed<N> {
    type Value = Members<N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Members<N>, A::Error> {
        let mut members = [const { None }; N];
        let place = |key: Scalar<'_>| match key {
            Scalar::Text(key) => self.0.iter().position(|&name| name == key),
            Scalar::Number(_) | Scalar::Other => None,
        };
        while let Some(at) = access.next_key_seed(ScalarSeed(place))? {
            match at.and_then(|at| members.get_mut(at)) {
                Some(member) => *member = Some(access.next_value_seed(ScalarSeed(Member::of))?),
                None => {
                    access.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Some(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Members<N>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    other_values!(None);
}
