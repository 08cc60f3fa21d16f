//! Organisations of ASes: CAIDA as-org2info in JSON lines.

use std::io::{BufRead, Read};
use std::path::Path;

use routewarden_core::facts::{FactKind, Organisation, OrganisationTable};
use routewarden_core::{Asn, Timestamp};
use serde::de::DeserializeSeed;

use super::input::{LineOutcome, read_head, read_lines};
use super::json::{Member, Members, ObjectSeed};
use super::{FactsError, Loaded, Reading, SkipKind, field};

/// Names of the members read; see [`Records::push`].
const MEMBERS: ObjectSeed<5> = ObjectSeed(["type", "organizationId", "asn", "name", "country"]);

/// Reads CAIDA's AS-to-organisation data in JSON lines: `{"type": "Organization",
/// "organizationId": .., "name": .., "country": ..}` and `{"type": "ASN", "asn": "64496",
/// "organizationId": ..}`. Name and country may be missing. Comments begin with `#`.
///
/// # Errors
/// See [`FactsError`].
pub fn load_organisations(
    path: &Path,
    date_hint: Option<Timestamp>,
    reader: &mut dyn BufRead,
) -> Result<Loaded<OrganisationTable>, FactsError> {
    let mut reading = Reading::new(path, FactKind::Organisations);
    let head = read_head(reader).map_err(|source| FactsError::Read {
        path: path.into(),
        line: 1,
        source,
    })?;
    let mut records = Records::default();
    read_lines(&mut reading, &mut head.chain(reader), |_, line| records.push_line(line))?;
    let table = OrganisationTable::from_records(records.organisations, records.members);
    let distinct = table.asn_count() + table.organisation_count() - table.unnamed_count();
    reading.finish(table, distinct, date_hint)
}

#[derive(Default)]
struct Records {
    organisations: Vec<Organisation>,
    members: Vec<(Asn, Box<str>)>,
}

impl Records {
    fn push_line(&mut self, line: &str) -> LineOutcome {
        if line.starts_with('#') {
            return Ok(0);
        }
        let mut json = serde_json::Deserializer::from_str(line);
        let members = MEMBERS.deserialize(&mut json).map_err(|_| SkipKind::Json)?;
        json.end().map_err(|_| SkipKind::Json)?;
        self.push(members)
    }

    fn push(&mut self, members: Members<5>) -> LineOutcome {
        let [kind, id, asn, name, country] = members.ok_or(SkipKind::Json)?;
        let kind = kind.and_then(Member::text).ok_or(SkipKind::RecordType)?;
        let id = id.and_then(Member::text).filter(|id| !id.is_empty());
        let text = |member: Option<Member>| member.and_then(Member::text).unwrap_or_default();
        match &*kind {
            "Organization" => self.organisations.push(Organisation {
                id: id.ok_or(SkipKind::Fields)?,
                name: text(name),
                country: text(country),
            }),
            "ASN" => {
                let asn = match asn.ok_or(SkipKind::Fields)? {
                    Member::Text(text) => field::asn(&text)?,
                    Member::Number(number) => {
                        Asn(u32::try_from(number).map_err(|_| SkipKind::Asn)?)
                    }
                    Member::Other => return Err(SkipKind::Asn),
                };
                self.members.push((asn, id.ok_or(SkipKind::Fields)?));
            }
            _ => return Err(SkipKind::RecordType),
        }
        Ok(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_both_types_are_read() {
        let text = r#"# comment
{"type":"Organization","organizationId":"O1","name":"Exämple","country":"NL","changed":"2008"}
{"type":"Organization","organizationId":"O2"}
{"type":"ASN","asn":"64496","organizationId":"O1","name":"X"}
{"type":"ASN","asn":64497,"organizationId":"O1"}
{"type":"ASN","asn":"64498","organizationId":"O3"}
{"type":"ASN","asn":"64498","organizationId":"O2"}
{"type":"ASN","asn":{"a":[1]},"organizationId":"O2"}
{"type":"ASN","asn":"64499"}
{"type":"Person"}
{"type":"ASN","asn":"64496","organizationId":"O1"} {}
[1]
{"type":
"#;
        let loaded = load_organisations(Path::new("t"), None, &mut text.as_bytes()).unwrap();
        let table = &loaded.facts.table;
        assert_eq!(table.same_organisation(Asn(64496), Asn(64497)), Some(true));
        assert_eq!(&*table.organisation(Asn(64496)).unwrap().name, "Exämple");
        assert_eq!(&*table.organisation(Asn(64498)).unwrap().id, "O2");
        let skipped: Vec<_> = loaded.facts.source.skipped.clone().into_iter().collect();
        assert_eq!(
            skipped,
            [("asn", 1), ("duplicate", 1), ("fields", 1), ("json", 3), ("record_type", 1)]
        );
        assert_eq!(loaded.facts.source.entries, 5);
    }
}
