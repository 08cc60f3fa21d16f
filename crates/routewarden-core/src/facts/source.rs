//! Where facts come from: the version that evidence cites.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

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
