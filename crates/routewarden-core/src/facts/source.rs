//! Where facts come from: the version that evidence cites.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Timestamp;

/// Which facts a source gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// Validated ROA payloads.
    Vrps,
    /// Autonomous System Provider Authorizations.
    Aspas,
    /// Prefixes with their origins.
    Origins,
    /// ASNs with their organisations.
    Organisations,
    /// Relationships between ASes.
    Relations,
    /// Names of ASes.
    AsNames,
    /// Bogon prefixes and ASNs.
    Bogons,
    /// What the registries have given out.
    Delegations,
    /// Members of a constituency.
    Constituency,
    /// Objects of an Internet routing registry.
    Irr,
    /// Networks as they describe themselves in PeeringDB.
    PeeringDb,
    /// Participants of a programme, as MANRS.
    Participants,
    /// Tests for forged source addresses.
    Spoofer,
    /// Contacts that registries name.
    Contacts,
}

impl FactKind {
    /// The serialised name.
    pub const fn name(self) -> &'static str {
        match self {
            FactKind::Vrps => "vrps",
            FactKind::Aspas => "aspas",
            FactKind::Origins => "origins",
            FactKind::Organisations => "organisations",
            FactKind::Relations => "relations",
            FactKind::AsNames => "as_names",
            FactKind::Bogons => "bogons",
            FactKind::Delegations => "delegations",
            FactKind::Constituency => "constituency",
            FactKind::Irr => "irr",
            FactKind::PeeringDb => "peering_db",
            FactKind::Participants => "participants",
            FactKind::Spoofer => "spoofer",
            FactKind::Contacts => "contacts",
        }
    }
}

/// A SHA-256 hash (FIPS 180-4); its text form is 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sha256(pub [u8; 32]);

impl std::fmt::Display for Sha256 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl std::fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl Serialize for Sha256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let digits = text.len() == 64 && text.bytes().all(|octet| octet.is_ascii_hexdigit());
        let mut rest = if digits { text.as_ref() } else { "" };
        let mut hash = [0; 32];
        for octet in &mut hash {
            let (pair, after) =
                rest.split_at_checked(2).ok_or_else(|| D::Error::custom(NO_HASH))?;
            *octet = u8::from_str_radix(pair, 16).map_err(D::Error::custom)?;
            rest = after;
        }
        Ok(Sha256(hash))
    }
}

const NO_HASH: &str = "not a SHA-256 hash: expected 64 hexadecimal digits";

/// One file of facts as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FactSource {
    /// Which facts it gives.
    pub kind: FactKind,
    /// File name without directories.
    pub name: String,
    /// Hash of the file's octets as they stand on disk, compressed if they are: the version.
    pub sha256: Option<Sha256>,
    /// What the facts are "as of": a time inside the file, else a date in its name.
    pub date: Option<Timestamp>,
    /// Entries used.
    pub entries: u64,
    /// Entries left out, by kind of fault.
    pub skipped: BTreeMap<&'static str, u64>,
}

/// A table of facts with its source.
#[derive(Clone, Debug)]
pub struct Sourced<T> {
    /// The facts.
    pub table: T,
    /// Where they come from.
    pub source: FactSource,
}

impl<T> std::ops::Deref for Sourced<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_as_it_is_written_and_nothing_else_is() {
        let hash = Sha256([0xa1; 32]);
        let text = serde_json::to_string(&hash).unwrap();
        assert_eq!(serde_json::from_str::<Sha256>(&text).unwrap(), hash);
        for bad in ["", "a1", &"a1".repeat(33), &"+1".repeat(32), &"é".repeat(32)] {
            assert!(serde_json::from_str::<Sha256>(&format!("\"{bad}\"")).is_err(), "{bad}");
        }
    }

    #[test]
    fn serialised_names_are_stable() {
        let source = FactSource {
            kind: FactKind::AsNames,
            name: "names.txt".to_owned(),
            sha256: Some(Sha256([0xa1; 32])),
            date: Some(Timestamp::from_secs(1_203_878_877)),
            entries: 3,
            skipped: BTreeMap::from([("asn", 1)]),
        };
        let json = serde_json::to_string(&source).unwrap();
        let hash = "a1".repeat(32);
        assert_eq!(
            json,
            format!(
                r#"{{"kind":"as_names","name":"names.txt","sha256":"{hash}","date":"2008-02-24T18:47:57Z","entries":3,"skipped":{{"asn":1}}}}"#
            )
        );
    }
}
