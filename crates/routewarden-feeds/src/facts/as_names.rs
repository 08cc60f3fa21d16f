//! Names of ASes: JSON object or lines.

use std::fmt;
use std::io::{BufRead, Read};
use std::path::Path;

use routewarden_core::facts::{AsNameTable, FactKind};
use routewarden_core::{Asn, Timestamp};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};

use super::input::{LineOutcome, looks_like_json, read_head, read_lines};
use super::json::{Scalar, ScalarSeed, read_document};
use super::{FactsError, Loaded, Place, Reading, SkipKind, field};

/// Reads names of ASes: one JSON object as `{"64496": "EXAMPLE-AS Example, NL"}`, or lines as
/// `64496 EXAMPLE-AS Example, NL`, with or without `AS` before the number. Comments begin with
/// `#`, `;` or `%`.
///
/// # Errors
/// See [`FactsError`]. Malformed JSON is an error as a whole; a malformed entry is left out.
pub fn load_as_names(
    path: &Path,
    date_hint: Option<Timestamp>,
    reader: &mut dyn BufRead,
) -> Result<Loaded<AsNameTable>, FactsError> {
    let mut reading = Reading::new(path, FactKind::AsNames);
    let head = read_head(reader).map_err(|source| FactsError::Read {
        path: path.into(),
        line: 1,
        source,
    })?;
    let mut names = Vec::new();
    let is_json = looks_like_json(&head);
    let mut whole = head.chain(reader);
    if is_json {
        read_document(&mut reading, &mut whole, |reading, json| {
            NamesSeed { reading, names: &mut names }.deserialize(json)
        })?;
    } else {
        read_lines(&mut reading, &mut whole, |_, line| push_line(&mut names, line))?;
    }
    let table = AsNameTable::from_names(names);
    let distinct = table.len();
    reading.finish(table, distinct, date_hint)
}

type Names = Vec<(Asn, Box<str>)>;

fn push_line(names: &mut Names, line: &str) -> LineOutcome {
    if line.starts_with(['#', ';', '%']) {
        return Ok(0);
    }
    let (asn, name) = line.split_once([' ', '\t']).ok_or(SkipKind::Fields)?;
    push(names, field::asn(asn), Some(name.trim().into()))
}

fn push(names: &mut Names, asn: Result<Asn, SkipKind>, name: Option<Box<str>>) -> LineOutcome {
    let name = name.filter(|name| !name.trim().is_empty()).ok_or(SkipKind::Name)?;
    names.push((asn?, name));
    Ok(1)
}

struct NamesSeed<'a, 'p> {
    reading: &'a mut Reading<'p>,
    names: &'a mut Names,
}

impl<'de> DeserializeSeed<'de> for NamesSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for NamesSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of ASN to name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let asn_of = |key: Scalar<'_>| match key {
            Scalar::Text(text) => field::asn(text),
            Scalar::Number(_) | Scalar::Other => Err(SkipKind::Asn),
        };
        let name_of = |value: Scalar<'_>| match value {
            Scalar::Text(text) => Some(Box::from(text)),
            Scalar::Number(_) | Scalar::Other => None,
        };
        let mut entry = 0;
        while let Some(asn) = access.next_key_seed(ScalarSeed(asn_of))? {
            entry += 1;
            let name = access.next_value_seed(ScalarSeed(name_of))?;
            match push(self.names, asn, name) {
                // The caller sees the count beyond the limit and says so.
                Ok(entries) => self.reading.count(entries).map_err(A::Error::custom)?,
                Err(kind) => self.reading.skipped.skip(kind, Place::Entry(entry), b""),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Loaded<AsNameTable> {
        load_as_names(Path::new("t"), None, &mut text.as_bytes()).unwrap()
    }

    #[test]
    fn json_and_lines_give_the_same() {
        for text in [
            r#"{"64496": "EXAMPLE-AS Ex\u00e4mple, NL", "64497": "", "x": "X", "64498": [1]}"#,
            "# comment\nAS64496\tEXAMPLE-AS Exämple, NL\n64497 \nx X\n64498  \t\n",
        ] {
            let loaded = load(text);
            assert_eq!(loaded.facts.name(Asn(64496)), Some("EXAMPLE-AS Exämple, NL"), "{text}");
            assert_eq!(loaded.facts.len(), 1);
            assert_eq!(loaded.samples.len(), 3, "{:?}", loaded.samples);
        }
    }
}
