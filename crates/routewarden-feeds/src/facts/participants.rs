//! Participants of MANRS: JSON of its Observatory, or CSV.

mod asns;

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

use self::asns::AsnList;
use super::csv::{self, Header};
use super::input::{LineOutcome, looks_like_json, read_head, read_lines};
use super::json::{Member, Scalar, ScalarSeed, read_document};
use super::{FactsError, Loaded, Place, Reading, SkipKind, field};

/// Reads participants. JSON: an array of them, or an object with it in `participants`, `data` or `items`,
/// or in the name of a programme, as `ixps`. Of each, in the words of the Observatory's API in version 1
/// and 2: `ASNs` or `asns` (numbers, texts, or objects with `asn`); `name`; `member_since` or
/// `memberSince`; `programme`, `program` or `category`; and `status`: those whose is not `approved` or
/// `active` are passed over. CSV: columns by the names of the first line: `ASNs` or `ASN`, several
/// between blanks, semicolons or commas; and the same others, `organization` for the name too.
///
/// Where an entry names no programme, it is that of the list, else of the file's name, as
/// `conformance-net-ops.json`: answers of version 1 do not say. Programmes are `net-ops`, `ixp`, `cdn` and
/// `vendor`, by whichever of their names; others are kept as they stand.
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
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut all = Participants { programme: programme_in(&name), entries: Vec::new() };
    let is_json = looks_like_json(&head);
    let mut whole = head.chain(reader);
    if is_json {
        read_document(&mut reading, &mut whole, |reading, json| {
            let programme = all.programme;
            DocumentSeed { reading, all: &mut all, programme }.deserialize(json)
        })?;
    } else {
        let mut columns = None;
        read_lines(&mut reading, &mut whole, |_, line| push_line(&mut all, &mut columns, line))?;
    }
    let table = ParticipantTable::from_entries(all.entries);
    let distinct = table.len();
    reading.finish(table, distinct, date_hint)
}

/// Programmes by parts of their names, letters only, in small letters.
const PROGRAMMES: [(&str, &str); 7] = [
    ("netops", "net-ops"),
    ("networkoperator", "net-ops"),
    ("ixp", "ixp"),
    ("exchange", "ixp"),
    ("cdn", "cdn"),
    ("contentdelivery", "cdn"),
    ("vendor", "vendor"),
];

/// The programme that a text names.
fn programme_in(text: &str) -> Option<&'static str> {
    let letters = text.chars().filter(char::is_ascii_alphabetic);
    let letters: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    PROGRAMMES.iter().find(|(part, _)| letters.contains(part)).map(|&(_, programme)| programme)
}

/// Participants read so far.
struct Participants {
    /// The one that the name of the file says.
    programme: Option<&'static str>,
    entries: Vec<Participant>,
}

/// What is said of a participant, beside its ASNs.
struct Said<'a> {
    name: &'a str,
    programme: &'a str,
    since: &'a str,
    status: &'a str,
}

impl Participants {
    fn push(
        &mut self,
        asns: Vec<Asn>,
        said: &Said<'_>,
        programme: Option<&'static str>,
    ) -> LineOutcome {
        let is_taken = ["", "approved", "active"];
        if !is_taken.iter().any(|status| said.status.eq_ignore_ascii_case(status)) {
            return Ok(0);
        }
        if asns.is_empty() {
            return Err(SkipKind::Asn);
        }
        let count = asns.len();
        let programme = match said.programme {
            "" => programme.unwrap_or_default(),
            own => programme_in(own).unwrap_or(own),
        };
        let since = said.since.parse().ok();
        self.entries.extend(asns.into_iter().map(|asn| Participant {
            asn,
            programme: programme.into(),
            name: said.name.into(),
            since,
        }));
        Ok(count)
    }
}

/// Positions of the columns: ASNs; name, programme, since, status.
type Columns = (usize, [Option<usize>; 4]);

fn columns_of(line: &str) -> Result<Columns, SkipKind> {
    let header = Header::of(line);
    let at = |names: &[&str]| header.column(names);
    let asns = at(&["asns", "asn", "asnumbers", "asnumber"]).ok_or(SkipKind::Fields)?;
    let name = at(&["name", "organization", "organisation", "participant"]);
    let programme = at(&["programme", "program", "category"]);
    let since = at(&["membersince", "since", "joined"]);
    Ok((asns, [name, programme, since, at(&["status"])]))
}

fn push_line(all: &mut Participants, columns: &mut Option<Columns>, line: &str) -> LineOutcome {
    let Some((asns, others)) = columns else {
        *columns = Some(columns_of(line)?);
        return Ok(0);
    };
    let fields = csv::fields(line);
    let text = |at: Option<usize>| at.and_then(|at| fields.get(at)).map_or("", String::as_str);
    let [name, programme, since, status] = others.map(text);
    let asns = fields.get(*asns).ok_or(SkipKind::Fields)?;
    let asns = asns.split([',', ';', ' ']).filter(|asn| !asn.is_empty()).map(field::asn);
    let said = Said { name, programme, since, status };
    all.push(asns.collect::<Result<_, _>>()?, &said, all.programme)
}

/// A participant; members of other types than these are as if they were missing.
#[derive(Deserialize)]
struct Entry {
    #[serde(default, alias = "ASNs", alias = "asn", alias = "ASN")]
    asns: AsnList,
    #[serde(default, alias = "organization")]
    name: Text,
    #[serde(default, alias = "program", alias = "category")]
    programme: Text,
    #[serde(default, alias = "member_since", alias = "memberSince")]
    since: Text,
    #[serde(default)]
    status: Text,
}

#[derive(Default)]
struct Text(Box<str>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let member = ScalarSeed(Member::of).deserialize(deserializer)?;
        Ok(Text(member.text().unwrap_or_default()))
    }
}

struct DocumentSeed<'a, 'p> {
    reading: &'a mut Reading<'p>,
    all: &'a mut Participants,
    /// The programme of entries that name none.
    programme: Option<&'static str>,
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
        // A list, and the programme that its name says.
        let list = |key: Scalar<'_>| match key {
            Scalar::Text("participants" | "data" | "items") => Some(None),
            Scalar::Text("net_ops" | "net-ops" | "netOps") => Some(Some("net-ops")),
            Scalar::Text("ixps") => Some(Some("ixp")),
            Scalar::Text("cdns") => Some(Some("cdn")),
            Scalar::Text("vendors") => Some(Some("vendor")),
            _ => None,
        };
        while let Some(list) = access.next_key_seed(ScalarSeed(list))? {
            let (reading, all) = (&mut *self.reading, &mut *self.all);
            if let Some(named) = list {
                let programme = named.or(self.programme);
                access.next_value_seed(DocumentSeed { reading, all, programme })?;
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
            let said = Said {
                name: &entry.name.0,
                programme: &entry.programme.0,
                since: &entry.since.0,
                status: &entry.status.0,
            };
            let asns = entry.asns.0.ok_or(SkipKind::Asn);
            match asns.and_then(|asns| self.all.push(asns, &said, self.programme)) {
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

    /// What a file of that name says of AS64496: programme, name, year.
    fn of(name: &str, text: &str) -> Vec<(String, String, Option<String>)> {
        let loaded = load_participants(Path::new(name), None, &mut text.as_bytes()).unwrap();
        let entries = loaded.facts.table.of(Asn(64496)).iter();
        let since = |entry: &Participant| {
            entry.since.map(|since| since.to_string().replace("T00:00:00Z", ""))
        };
        entries.map(|it| (it.programme.to_string(), it.name.to_string(), since(it))).collect()
    }

    fn one(programme: &str, since: Option<&str>) -> Vec<(String, String, Option<String>)> {
        vec![(programme.to_owned(), "E".to_owned(), since.map(str::to_owned))]
    }

    #[test]
    fn answers_of_version_1_have_the_programme_in_their_name() {
        let text = r#"{"participants":[{"id":7,"name":"E","areas_served":["US"],"ASNs":[64496],
            "member_since":"2020-01-02","filtering":{"conformance":"conformant"},
            "anti_spoofing":{"conformance":"no-data","score":{"value":null,"severity":"no_data_available"}},
            "routing_information":{"conformance":"x","score_irr":{"value":1.0,"severity":"ready"}}}]}"#;
        for (name, programme) in [
            ("conformance-net-ops.json", "net-ops"),
            ("ixps.json.gz", "ixp"),
            ("manrs_cdns_202610.json", "cdn"),
            ("vendors.json", "vendor"),
            ("t", ""),
        ] {
            assert_eq!(of(name, text), one(programme, Some("2020-01-02")), "{name}");
        }
        let text =
            r#"{"ixps":[{"name":"E","ASNs":[64496]}],"vendors":[{"name":"V","products":[]}]}"#;
        assert_eq!(of("net-ops.json", text), one("ixp", None));
    }

    #[test]
    fn answers_of_version_2_are_read_and_only_those_approved_count() {
        let entry = |status: &str, asns: &str, programme: &str| {
            format!(
                r#"{{"id":"0b5e8f6c-1111-4222-8333-444455556666","name":"E","status":"{status}","asns":{asns},
                "memberSince":"2020-01-02T00:00:00Z","program":"{programme}","countries":["US"]}}"#
            )
        };
        for asns in ["[64496]", r#"["AS64496"]"#, r#"[{"asn":64496,"name":"x"}]"#, "64496"] {
            let text = format!(
                r#"{{"participants":[{},{}],"total":2}}"#,
                entry("approved", asns, "networkOperators"),
                entry("pending", asns, "ixps")
            );
            assert_eq!(
                of("participants.json", &text),
                one("net-ops", Some("2020-01-02")),
                "{asns}"
            );
        }
        let text = format!(r#"{{"items":[{}]}}"#, entry("", "[64496]", "Equipment Vendors"));
        assert_eq!(of("ixps.json", &text), one("vendor", Some("2020-01-02")));
        for asns in [r#"[{"name":"x"}]"#, "[[64496]]", "[-1]", "[1.5]", "[true]", "[null]"] {
            let text = format!("[{}]", entry("", asns, ""));
            assert_eq!(load(&text).unwrap_err().kind(), "facts_nothing_usable", "{asns}");
        }
    }

    #[test]
    fn columns_of_csv_are_told_by_their_names() {
        let text = "Organization,AS Numbers,Category,Member since,Status\n\
                    E,AS64496 AS64497,CDN and Cloud,2020-01-02,Approved\nX,64496,IXP,,left\n";
        assert_eq!(of("net-ops.csv", text), one("cdn", Some("2020-01-02")));
        assert_eq!(of("net-ops.csv", "name,asn\nE,64496\n"), one("net-ops", None));
    }

    #[test]
    fn what_names_no_asns_is_refused() {
        assert_eq!(load("a,b\n1,2\n").unwrap_err().kind(), "facts_nothing_usable");
        assert_eq!(load("[1]").unwrap_err().kind(), "facts_json");
    }
}
