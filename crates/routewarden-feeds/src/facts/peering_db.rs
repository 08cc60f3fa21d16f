//! PeeringDB: answers of its API, or a dump of several.

use std::collections::BTreeMap;
use std::fmt;
use std::io::BufRead;
use std::path::Path;

use routewarden_core::facts::FactKind;
use routewarden_core::facts::peering_db::{Contact, PeeringDbTable, PeeringNetwork};
use routewarden_core::{Asn, Timestamp};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::json::{Member, Members, ObjectSeed, Scalar, ScalarSeed, other_values, read_document};
use super::{FactsError, Loaded, Place, Reading, SkipKind};

/// Most contacts kept of one network.
pub const CONTACTS_MAX: usize = 32;
/// Most exchanges kept of one network.
pub const EXCHANGES_MAX: usize = 1024;
/// Most characters kept of one value.
pub const VALUE_CHARS_MAX: usize = 512;

/// Reads networks out of PeeringDB's JSON: `{"data": [..]}` as its API answers for `net`, or an
/// object of such by type, `{"net": {"data": [..]}, "poc": {"data": [..]}, "netixlan": {"data":
/// [..]}}`, as its dumps have it. Contacts and exchanges are those of `poc` and `netixlan`; all other
/// types are passed over. What an entry is, its members say, not its place.
///
/// # Errors
/// See [`FactsError`]. Malformed JSON is an error as a whole; a malformed entry is left out.
pub fn load_peering_db(
    path: &Path,
    date_hint: Option<Timestamp>,
    mut reader: &mut dyn BufRead,
) -> Result<Loaded<PeeringDbTable>, FactsError> {
    let mut reading = Reading::new(path, FactKind::PeeringDb);
    let mut parts = Parts::default();
    read_document(&mut reading, &mut reader, |reading, json| {
        DocumentSeed { reading, parts: &mut parts }.deserialize(json)
    })?;
    // Contacts and exchanges are parts of a network, no entries.
    reading.entries = parts.networks.len() as u64;
    let table = parts.into_table();
    let distinct = table.len();
    reading.finish(table, distinct, date_hint)
}

const MEMBERS: ObjectSeed<13> = ObjectSeed([
    "id",
    "net_id",
    "asn",
    "name",
    "irr_as_set",
    "info_prefixes4",
    "info_prefixes6",
    "policy_general",
    "info_type",
    "role",
    "email",
    "phone",
    "ix_id",
]);

#[derive(Default)]
struct Parts {
    /// With the number that the other types name it by.
    networks: Vec<(u64, PeeringNetwork)>,
    contacts: BTreeMap<u64, Vec<Contact>>,
    exchanges: BTreeMap<u64, Vec<Box<str>>>,
}

fn text(member: Option<Member>) -> Box<str> {
    let text = member.and_then(Member::text).unwrap_or_default();
    text.trim().chars().take(VALUE_CHARS_MAX).collect::<String>().into()
}

fn number(member: Option<&Member>) -> Option<u64> {
    match member {
        Some(Member::Number(number)) => Some(*number),
        _ => None,
    }
}

fn count(member: Option<&Member>) -> Option<u32> {
    number(member).and_then(|count| u32::try_from(count).ok())
}

impl Parts {
    fn push(&mut self, members: Members<13>) -> Result<(), SkipKind> {
        let members = members.ok_or(SkipKind::Fields)?;
        let [id, net, asn, name, set, v4, v6, policy, kind, role, email, phone, exchange] = members;
        let (net, asn) = (number(net.as_ref()), number(asn.as_ref()));
        if let (Some(net), Some(_)) = (net, exchange) {
            let held = self.exchanges.entry(net).or_default();
            if held.len() < EXCHANGES_MAX {
                held.push(text(name));
            }
        } else if let (Some(net), Some(role)) = (net, role) {
            let held = self.contacts.entry(net).or_default();
            if held.len() < CONTACTS_MAX {
                let (name, email, phone) = (text(name), text(email), text(phone));
                held.push(Contact { role: text(Some(role)), name, email, phone });
            }
        } else if let Some(asn) = asn {
            let asn = Asn(u32::try_from(asn).map_err(|_| SkipKind::Asn)?);
            let network = PeeringNetwork {
                asn,
                name: text(name),
                irr_as_set: text(set),
                prefixes_v4: count(v4.as_ref()),
                prefixes_v6: count(v6.as_ref()),
                policy: text(policy),
                network_type: text(kind),
                contacts: Box::default(),
                exchanges: Box::default(),
            };
            self.networks.push((number(id.as_ref()).ok_or(SkipKind::Fields)?, network));
        }
        Ok(())
    }

    fn into_table(mut self) -> PeeringDbTable {
        let networks = self.networks.into_iter().map(|(id, network)| {
            let mut contacts = self.contacts.remove(&id).unwrap_or_default();
            contacts.sort_unstable();
            let mut exchanges = self.exchanges.remove(&id).unwrap_or_default();
            exchanges.sort_unstable();
            exchanges.dedup();
            PeeringNetwork { contacts: contacts.into(), exchanges: exchanges.into(), ..network }
        });
        PeeringDbTable::from_networks(networks.collect())
    }
}

/// An object with `data`, or with such objects.
struct DocumentSeed<'a, 'p> {
    reading: &'a mut Reading<'p>,
    parts: &'a mut Parts,
}

impl<'de> DeserializeSeed<'de> for DocumentSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

enum Section {
    Data,
    Type,
    Other,
}

impl<'de> Visitor<'de> for DocumentSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with \"data\"")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let section = |key: Scalar<'_>| match key {
            Scalar::Text("data") => Section::Data,
            Scalar::Text("net" | "poc" | "netixlan") => Section::Type,
            _ => Section::Other,
        };
        while let Some(section) = access.next_key_seed(ScalarSeed(section))? {
            let (reading, parts) = (&mut *self.reading, &mut *self.parts);
            match section {
                Section::Data => access.next_value_seed(DataSeed { reading, parts })?,
                Section::Type => access.next_value_seed(DocumentSeed { reading, parts })?,
                Section::Other => drop(access.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

struct DataSeed<'a, 'p> {
    reading: &'a mut Reading<'p>,
    parts: &'a mut Parts,
}

impl<'de> DeserializeSeed<'de> for DataSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for DataSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut entry = 0;
        while let Some(members) = items.next_element_seed(MEMBERS)? {
            entry += 1;
            match self.parts.push(members) {
                // The caller sees the count beyond the limit and says so.
                Ok(()) => self.reading.count(1).map_err(A::Error::custom)?,
                Err(kind) => self.reading.skipped.skip(kind, Place::Entry(entry), b""),
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while access.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }

    other_values!(());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Loaded<PeeringDbTable>, FactsError> {
        load_peering_db(Path::new("t"), None, &mut text.as_bytes())
    }

    const NET: &str = r#"{"id":7,"org_id":1,"asn":64496,"name":"Example","irr_as_set":"RIPE::AS-EX",
        "info_prefixes4":20,"info_prefixes6":null,"policy_general":"Open","info_type":"NSP"}"#;

    #[test]
    fn a_dump_has_networks_with_contacts_and_exchanges() {
        let loaded = load(&format!(
            r#"{{"meta":{{}},"poc":{{"data":[{{"id":1,"net_id":7,"role":"NOC","name":"N","email":"noc@example.net","phone":""}},
            {{"id":2,"net_id":9,"role":"Abuse"}}]}},
            "net":{{"data":[{NET},{{"asn":64497}},{{"id":8,"asn":64511,"info_type":"Route Server"}}]}},
            "netixlan":{{"data":[{{"id":1,"net_id":7,"ix_id":3,"asn":64496,"name":"EX-IX"}}]}},
            "org":{{"data":[{{"id":1,"asn":64499}}]}}}}"#
        ))
        .unwrap();
        let table = &loaded.facts.table;
        assert_eq!((table.len(), loaded.samples.len()), (2, 1));
        let network = table.network(Asn(64496)).unwrap();
        assert_eq!((network.prefixes_v4, network.prefixes_v6), (Some(20), None));
        assert_eq!((&*network.contacts[0].role, &*network.exchanges[0]), ("NOC", "EX-IX"));
        assert_eq!(table.route_servers().collect::<Vec<_>>(), [Asn(64511)]);
    }

    #[test]
    fn an_answer_of_the_api_is_read_and_nonsense_is_not() {
        assert_eq!(load(&format!(r#"{{"data":[{NET}]}}"#)).unwrap().facts.len(), 1);
        assert_eq!(load(r#"{"data":[]}"#).unwrap_err().kind(), "facts_nothing_usable");
        assert_eq!(
            load(r#"{"data":{"x":[1]},"net":{}}"#).unwrap_err().kind(),
            "facts_nothing_usable"
        );
        assert_eq!(load(r#"{"data":["#).unwrap_err().kind(), "facts_json");
    }
}
