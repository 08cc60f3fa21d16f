//! Answers of RDAP about ASes (RFC 9083 §5.5): which contacts can be reached, not who they are.

mod entities;

use std::fmt;
use std::io::BufRead;
use std::path::Path;

use routewarden_core::facts::FactKind;
use routewarden_core::facts::contacts::{AsContacts, ContactRoles, ContactTable};
use routewarden_core::{Asn, Timestamp};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use self::entities::{EntitiesSeed, seed_of_any};
use super::json::{Member, Scalar, ScalarSeed, other_values, read_document};
use super::{FactsError, Loaded, Place, Reading, SkipKind, field};

/// Most ASes of one registration. A wider one is a block of a registry, whose contacts say nothing of
/// the ASes in it.
pub const REGISTRATION_ASES_MAX: u32 = 1_024;

/// Reads answers about `autnum` objects: one object, an array of them, or several one after the other,
/// as JSON lines. Contacts are `entities`, also those of entities, with one of the roles of
/// [`ContactRole`](routewarden_core::facts::ContactRole) and a `vcardArray` (RFC 7095) that has an `email` or a `tel`. An AS whose answer names
/// none is in the table without any.
///
/// # Errors
/// See [`FactsError`]. Malformed JSON is an error as a whole; another object, as the answer that there is
/// no such AS, is left out.
pub fn load_contacts(
    path: &Path,
    date_hint: Option<Timestamp>,
    mut reader: &mut dyn BufRead,
) -> Result<Loaded<ContactTable>, FactsError> {
    let mut reading = Reading::new(path, FactKind::Contacts);
    let mut answers = Answers::default();
    read_document(&mut reading, &mut reader, |reading, json| {
        loop {
            AnswersSeed { reading, answers: &mut answers }.deserialize(&mut *json)?;
            match json.end() {
                Ok(()) => return Ok(()),
                Err(error) if error.is_io() => return Err(error),
                // Another one follows.
                Err(_) => {}
            }
        }
    })?;
    let table = ContactTable::from_entries(answers.entries);
    let distinct = table.len();
    reading.finish(table, distinct, date_hint)
}

#[derive(Default)]
struct Answers {
    entries: Vec<AsContacts>,
    /// Answers read so far, those left out among them.
    read: u64,
}

/// What is read of an answer.
#[derive(Default)]
struct Answer {
    is_autnum: bool,
    first: Option<Asn>,
    last: Option<Asn>,
    roles: ContactRoles,
}

impl Answer {
    /// Its ASes, with what is said of each.
    fn contacts(&self) -> Result<impl Iterator<Item = AsContacts> + use<>, SkipKind> {
        if !self.is_autnum {
            return Err(SkipKind::RecordType);
        }
        let first = self.first.ok_or(SkipKind::Asn)?;
        let last = self.last.unwrap_or(first);
        let count = last.0.checked_sub(first.0).and_then(|more| more.checked_add(1));
        let registered_ases = count.ok_or(SkipKind::Asn)?;
        if registered_ases > REGISTRATION_ASES_MAX {
            return Err(SkipKind::AsnRange);
        }
        let roles = self.roles;
        let contacts = move |asn| AsContacts { asn: Asn(asn), registered_ases, roles };
        Ok((first.0..=last.0).map(contacts))
    }
}

struct AnswersSeed<'a, 'p> {
    reading: &'a mut Reading<'p>,
    answers: &'a mut Answers,
}

impl AnswersSeed<'_, '_> {
    fn push<E: serde::de::Error>(&mut self, answer: Option<Answer>) -> Result<(), E> {
        self.answers.read += 1;
        match answer.ok_or(SkipKind::RecordType).and_then(|answer| answer.contacts()) {
            Ok(contacts) => {
                let before = self.answers.entries.len();
                self.answers.entries.extend(contacts);
                let count = self.answers.entries.len() - before;
                // The caller sees the count beyond the limit and says so.
                self.reading.count(count).map_err(E::custom)
            }
            Err(kind) => {
                self.reading.skipped.skip(kind, Place::Entry(self.answers.read), b"");
                Ok(())
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for AnswersSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnswersSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an RDAP answer or an array of them")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, access: A) -> Result<(), A::Error> {
        let answer = AnswerSeed.visit_map(access)?;
        self.push(answer)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        while let Some(answer) = items.next_element_seed(AnswerSeed)? {
            self.push(answer)?;
        }
        Ok(())
    }
}

/// Reads an answer; `None` when it is no object.
struct AnswerSeed;

seed_of_any!(AnswerSeed, Option<Answer>);

impl<'de> Visitor<'de> for AnswerSeed {
    type Value = Option<Answer>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut answer = Answer::default();
        while let Some(key) = access.next_key_seed(ScalarSeed(Member::of))? {
            match key.text().as_deref() {
                Some("objectClassName") => {
                    let is_autnum = |name: Scalar<'_>| matches!(name, Scalar::Text("autnum"));
                    answer.is_autnum = access.next_value_seed(ScalarSeed(is_autnum))?;
                }
                Some("startAutnum") => answer.first = access.next_value_seed(ScalarSeed(asn))?,
                Some("endAutnum") => answer.last = access.next_value_seed(ScalarSeed(asn))?,
                Some("entities") => answer.roles = access.next_value_seed(EntitiesSeed)?,
                _ => drop(access.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Some(answer))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    other_values!(None);
}

/// An ASN as a number, as it should be, or as text.
fn asn(scalar: Scalar<'_>) -> Option<Asn> {
    match scalar {
        Scalar::Number(number) => u32::try_from(number).ok().map(Asn),
        Scalar::Text(text) => field::asn(text).ok(),
        Scalar::Other => None,
    }
}

#[cfg(test)]
mod tests {
    use routewarden_core::facts::ContactRole;

    use super::*;

    fn load(text: &str) -> Result<Loaded<ContactTable>, FactsError> {
        load_contacts(Path::new("t"), None, &mut text.as_bytes())
    }

    fn entity(roles: &str, card: &str, inner: &str) -> String {
        format!(
            r#"{{"objectClassName":"entity","handle":"X","roles":{roles},"entities":[{inner}],
            "vcardArray":["vcard",[["version",{{}},"text","4.0"],["fn",{{}},"text","N"]{card}]]}}"#
        )
    }

    fn answer(first: u32, last: u32, entities: &str) -> String {
        format!(
            r#"{{"rdapConformance":["rdap_level_0"],"entities":[{entities}],"handle":"AS{first}",
            "startAutnum":{first},"endAutnum":{last},"objectClassName":"autnum"}}"#
        )
    }

    const EMAIL: &str = r#",["email",{"type":"work"},"text","x@example.net"]"#;
    const TEL: &str = r#",["TEL",{},"uri","tel:+1-555-0100"]"#;

    fn named(table: &ContactTable, asn: u32) -> Option<Vec<&'static str>> {
        Some(table.roles(Asn(asn))?.iter().map(ContactRole::name).collect())
    }

    #[test]
    fn roles_are_those_of_entities_that_can_be_reached() {
        let inner = entity(r#"["noc","NOC"]"#, TEL, "");
        let entities = [
            entity(r#"["registrant"]"#, EMAIL, &inner),
            entity(r#"["administrative"]"#, "", ""),
            entity(r#"["abuse",7]"#, EMAIL, ""),
            entity(r#"["technical"]"#, r#",["email",{},"text",""]"#, ""),
            r#"{"roles":"technical","vcardArray":[]},{"roles":["technical"]},7"#.to_owned(),
        ];
        let text = answer(64496, 64496, &entities.join(","));
        let loaded = load(&text).unwrap();
        assert_eq!(named(&loaded.facts, 64496).unwrap(), ["noc", "abuse"]);
        assert_eq!(loaded.facts.source.entries, 1);
        assert!(!format!("{:?}", loaded.facts).contains("example"), "no personal data");
    }

    #[test]
    fn one_answer_several_or_an_array_of_them_are_read() {
        let contact = entity(r#"["technical"]"#, EMAIL, "");
        let [a, b] = [answer(64496, 64498, &contact), answer(64499, 64499, "")];
        let error = r#"{"errorCode":404,"title":"Not Found"}"#;
        let block = answer(65536, 65536 + REGISTRATION_ASES_MAX, &contact);
        for text in [
            format!("{a}\n{b}\n{error}\n{block}\n"),
            format!("{a}{b} {error} {block}"),
            format!("[{a},{b},{error},{block}]"),
        ] {
            let loaded = load(&text).unwrap();
            let table = &loaded.facts.table;
            assert_eq!(named(table, 64498), Some(vec!["technical"]));
            assert_eq!(named(table, 64499), Some(vec![]), "known to have none");
            assert_eq!((named(table, 65536), table.len()), (None, 4));
            let told: Vec<_> = loaded.samples.iter().map(|it| (it.kind, it.place)).collect();
            let kinds = [SkipKind::RecordType, SkipKind::AsnRange];
            assert_eq!(told, [(kinds[0], Place::Entry(3)), (kinds[1], Place::Entry(4))]);
        }
        let widest = answer(1, REGISTRATION_ASES_MAX, &contact);
        assert_eq!(load(&widest).unwrap().facts.len(), 1_024);
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in ["[]", "{}", "[7]", "[[1]]", r#"{"objectClassName":"autnum"}"#] {
            assert_eq!(load(text).unwrap_err().kind(), "facts_nothing_usable", "{text}");
        }
        for text in ["", "{", "[1", "7 8", &format!("{}x", answer(1, 1, ""))] {
            assert_eq!(load(text).unwrap_err().kind(), "facts_json", "{text}");
        }
        let backwards = load(&answer(9, 8, "")).unwrap_err();
        assert_eq!(backwards.kind(), "facts_nothing_usable");
    }
}
