//! Participants of MANRS: JSON of its Observatory, or CSV.

use std::fmt;
use std::io::{BufRead, Read};
use std::path::Path;

use routewarden_core::facts::FactKind;
use routewarden_core::facts::participants::{Participant, ParticipantTable};
use routewarden_core::{Asn, Timestamp};
use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::input::{LineOutcome, looks_like_json, read_head, read_lines};
use super::json::{Member, Scalar, ScalarSeed, read_document};
use super::{FactsError, Loaded, Place, Reading, SkipKind, field};

/// Reads participants. JSON: an array of `{"name": .., "ASNs": [64496], "member_since":
/// "2020-01-02", "programme": ".."}`, or an object with it in `participants` or `data`. CSV: columns by
/// the names of the first line: `ASNs` or `ASN`, several between blanks, semicolons or commas; `name`
/// or `organization`; `programme` or `program`; `member_since` or `since`.
///
/// # Errors
/// See [`FactsError`]. Malformed JSON is an error as a whole; a malformed entry is left out.
pub fn load_participants(
    path: &Path,
    date_hint: Option<Timestamp>,
    reader: &mut dyn BufRead,
) -> Result<Loaded<ParticipantTable>, FactsError> {
    let mut reading = Reading::new(path, FactKind::Participants);
    let head = read_head(reader).map_err(|source| FactsError::Read {
        path: path.into(),
        line: 1,
        source,
    })?;
    let mut all = Vec::new();
    let is_json = looks_like_json(&head);
    let mut whole = head.chain(reader);
    if is_json {
        read_document(&mut reading, &mut whole, |reading, json| {
            DocumentSeed { reading, all: &mut all }.deserialize(json)
        })?;
    } else {
        let mut columns = None;
        read_lines(&mut reading, &mut whole, |_, line| push_line(&mut all, &mut columns, line))?;
    }
    let table = ParticipantTable::from_entries(all);
    let distinct = table.len();
    reading.finish(table, distinct, date_hint)
}

/// Positions of the columns: ASNs, name, programme, since.
type Columns = (usize, [Option<usize>; 3]);

fn push_line(all: &mut Vec<Participant>, columns: &mut Option<Columns>, line: &str) -> LineOutcome {
    let fields = csv_fields(line);
    let Some((asns, others)) = columns else {
        let at = |names: &[&str]| {
            let is_named =
                |field: &String| names.iter().any(|name| field.eq_ignore_ascii_case(name));
            fields.iter().position(is_named)
        };
        let asns = at(&["asns", "asn"]).ok_or(SkipKind::Fields)?;
        let name = at(&["name", "organization", "organisation", "participant"]);
        let programme = at(&["programme", "program"]);
        *columns = Some((asns, [name, programme, at(&["member_since", "since"])]));
        return Ok(0);
    };
    let text = |at: &Option<usize>| at.and_then(|at| fields.get(at)).map_or("", String::as_str);
    let [name, programme, since] = others;
    let asns = fields.get(*asns).ok_or(SkipKind::Fields)?;
    let asns = asns.split([',', ';', ' ']).filter(|asn| !asn.is_empty()).map(field::asn);
    push(all, asns.collect::<Result<_, _>>()?, [text(name), text(programme), text(since)])
}

/// Fields between commas, perhaps in quotes, in which a quote is doubled (RFC 4180 §2).
fn csv_fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut is_quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if is_quoted && chars.next_if_eq(&'"').is_some() => {
                fields.last_mut().into_iter().for_each(|field| field.push('"'));
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(String::new()),
            c => fields.last_mut().into_iter().for_each(|field| field.push(c)),
        }
    }
    fields.into_iter().map(|field| field.trim().to_owned()).collect()
}

fn push(
    all: &mut Vec<Participant>,
    asns: Vec<Asn>,
    [name, programme, since]: [&str; 3],
) -> LineOutcome {
    if asns.is_empty() {
        return Err(SkipKind::Asn);
    }
    let count = asns.len();
    let whole_day = format!("{since}T00:00:00Z");
    let since = since.parse().ok().or_else(|| whole_day.parse().ok());
    all.extend(asns.into_iter().map(|asn| Participant {
        asn,
        programme: programme.into(),
        name: name.into(),
        since,
    }));
    Ok(count)
}

/// A participant; members of other types than these are as if they were missing.
#[derive(Deserialize)]
struct Entry {
    #[serde(default, alias = "ASNs", alias = "asn", alias = "ASN")]
    asns: AsnList,
    #[serde(default, alias = "organization")]
    name: Text,
    #[serde(default, alias = "program")]
    programme: Text,
    #[serde(default, alias = "member_since")]
    since: Text,
}

#[derive(Default)]
struct Text(Box<str>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let member = ScalarSeed(Member::of).deserialize(deserializer)?;
        Ok(Text(member.text().unwrap_or_default()))
    }
}

/// One ASN or an array of them; `None` when one of them is none.
struct AsnList(Option<Vec<Asn>>);

impl Default for AsnList {
    fn default() -> Self {
        AsnList(Some(Vec::new()))
    }
}

fn asn_of(scalar: Scalar<'_>) -> Option<Asn> {
    match scalar {
        Scalar::Number(number) => u32::try_from(number).ok().map(Asn),
        Scalar::Text(text) => field::asn(text).ok(),
        Scalar::Other => None,
    }
}

impl<'de> Deserialize<'de> for AsnList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AsnListVisitor)
    }
}

struct AsnListVisitor;

impl<'de> Visitor<'de> for AsnListVisitor {
    type Value = AsnList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an ASN or an array of them")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<AsnList, A::Error> {
        let mut all = Some(Vec::new());
        while let Some(asn) = items.next_element_seed(ScalarSeed(asn_of))? {
            all = all.zip(asn).map(|(mut all, asn)| {
                all.push(asn);
                all
            });
        }
        Ok(AsnList(all))
    }

    fn visit_u64<E>(self, number: u64) -> Result<AsnList, E> {
        Ok(AsnList(asn_of(Scalar::Number(number)).map(|asn| vec![asn])))
    }

    fn visit_str<E>(self, text: &str) -> Result<AsnList, E> {
        Ok(AsnList(asn_of(Scalar::Text(text)).map(|asn| vec![asn])))
    }

    fn visit_unit<E>(self) -> Result<AsnList, E> {
        Ok(AsnList::default())
    }
}

struct DocumentSeed<'a, 'p> {
    reading: &'a mut Reading<'p>,
    all: &'a mut Vec<Participant>,
}

impl<'de> DeserializeSeed<'de> for DocumentSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for DocumentSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of participants")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let is_list = |key: Scalar<'_>| matches!(key, Scalar::Text("participants" | "data"));
        while let Some(is_list) = access.next_key_seed(ScalarSeed(is_list))? {
            let (reading, all) = (&mut *self.reading, &mut *self.all);
            if is_list {
                access.next_value_seed(DocumentSeed { reading, all })?;
            } else {
                access.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut at = 0;
        while let Some(entry) = items.next_element::<Entry>()? {
            at += 1;
            let texts = [&*entry.name.0, &*entry.programme.0, &*entry.since.0];
            let pushed = entry.asns.0.ok_or(SkipKind::Asn);
            match pushed.and_then(|asns| push(self.all, asns, texts)) {
                // The caller sees the count beyond the limit and says so.
                Ok(asns) => self.reading.count(asns).map_err(A::Error::custom)?,
                Err(kind) => self.reading.skipped.skip(kind, Place::Entry(at), b""),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Loaded<ParticipantTable>, FactsError> {
        load_participants(Path::new("t"), None, &mut text.as_bytes())
    }

    #[test]
    fn json_and_csv_give_the_same() {
        for text in [
            r#"{"participants":[{"id":1,"name":"Ex, Ltd","areas_served":["US"],"ASNs":[64496,"AS64497"],
                "member_since":"2020-01-02","programme":"net-ops","filtering":{"conformance":"x"}},
                {"name":"None","ASNs":[]},{"ASNs":["x"]}]}"#,
            "Name,ASNs,Programme,Member_since,Other\n\"Ex, Ltd\",\"64496;AS64497\",net-ops,2020-01-02,1\nNone,,a,b\nx,x\n",
        ] {
            let loaded = load(text).unwrap();
            let table = &loaded.facts.table;
            assert_eq!((table.len(), loaded.samples.len()), (2, 2), "{text}");
            let [entry] = table.of(Asn(64497)) else { panic!() };
            assert_eq!((&*entry.name, &*entry.programme), ("Ex, Ltd", "net-ops"));
            assert_eq!(entry.since.unwrap().to_string(), "2020-01-02T00:00:00Z");
        }
    }

    #[test]
    fn what_names_no_asns_is_refused() {
        assert_eq!(load("a,b\n1,2\n").unwrap_err().kind(), "facts_nothing_usable");
        assert_eq!(load("[1]").unwrap_err().kind(), "facts_json");
        assert_eq!(csv_fields(r#"a,"b ""c"", d", e"#), ["a", "b \"c\", d", "e"]);
    }
}
