//! What makes a file of facts unusable as a whole.

use std::io;
use std::path::PathBuf;

use routewarden_core::facts::FactKind;
use routewarden_core::facts::constituency::ConstituencyError;

use super::SkippedEntry;

/// A file of facts cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FactsError {
    /// The file cannot be opened.
    #[error("cannot open {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be read to its end: facts that are cut short are not used.
    #[error("{}: cannot read on at line {line}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Line that could not be read, from 1.
        line: u64,
        /// What the system or the decompressor said.
        source: io::Error,
    },
    /// A JSON document is malformed, cut short, or not UTF-8.
    #[error("{}: malformed JSON at line {line}, column {column}; expected {expected}",
        path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Octet of the line, from 1; 0 at its end.
        column: u64,
        /// What the file should hold.
        expected: &'static str,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// No entry is usable.
    #[error("{}: nothing usable, {skipped} entries left out{}; expected {expected}",
        path.display(), first.as_ref().map(|first| format!(" from {first}")).unwrap_or_default())]
    NothingUsable {
        /// The file.
        path: PathBuf,
        /// What the file should hold.
        expected: &'static str,
        /// Entries left out.
        skipped: u64,
        /// The first of them.
        first: Option<Box<SkippedEntry>>,
    },
    /// More entries than [`ENTRIES_MAX`](super::ENTRIES_MAX).
    #[error("{}: more than {entries_max} entries", path.display())]
    TooManyEntries {
        /// The file.
        path: PathBuf,
        /// The limit.
        entries_max: u64,
    },
    /// More decompressed octets than [`OCTETS_MAX`](super::OCTETS_MAX) or, for names,
    /// [`TEXT_FILE_OCTETS_MAX`](super::TEXT_FILE_OCTETS_MAX).
    #[error("{}: more than {octets_max} octets when decompressed", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit.
        octets_max: u64,
    },
    /// A string or number longer than [`JSON_TOKEN_OCTETS_MAX`](super::JSON_TOKEN_OCTETS_MAX).
    #[error("{}: JSON string or number of more than {octets_max} octets at line {line}",
        path.display())]
    JsonToken {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// The limit.
        octets_max: usize,
    },
    /// JSON nested deeper than [`JSON_DEPTH_MAX`](super::JSON_DEPTH_MAX).
    #[error("{}: JSON nested more than {depth_max} deep at line {line}", path.display())]
    JsonDepth {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// The limit.
        depth_max: usize,
    },
    /// A constituency is no TOML, or a value in it is not as documented.
    #[error("{}: line {line}, column {column}: {}", path.display(), fault.message())]
    Toml {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Character of the line, from 1.
        column: usize,
        /// What is wrong.
        fault: Box<toml::de::Error>,
    },
    /// Members of a constituency contradict one another, or are too many.
    #[error("{}: member that begins at line {line}", path.display())]
    Member {
        /// The file.
        path: PathBuf,
        /// Line where the member begins, from 1.
        line: usize,
        /// What is wrong.
        source: ConstituencyError,
    },
}

impl FactsError {
    /// Stable name of the kind, in `snake_case`.
    pub const fn kind(&self) -> &'static str {
        match self {
            FactsError::Open { .. } => "facts_open",
            FactsError::Read { .. } => "facts_read",
            FactsError::Json { .. } => "facts_json",
            FactsError::NothingUsable { .. } => "facts_nothing_usable",
            FactsError::TooManyEntries { .. } => "facts_too_many_entries",
            FactsError::TooLarge { .. } => "facts_too_large",
            FactsError::JsonToken { .. } => "facts_json_token",
            FactsError::JsonDepth { .. } => "facts_json_depth",
            FactsError::Toml { .. } => "facts_toml",
            FactsError::Member { .. } => "facts_member",
        }
    }
}

/// What a file of these facts should hold, for messages.
pub(super) const fn expected(kind: FactKind) -> &'static str {
    match kind {
        FactKind::Vrps => {
            "VRPs: JSON with \"roas\" of asn, prefix, maxLength; \
             or CSV of ASN,IP Prefix,Max Length,Trust Anchor"
        }
        FactKind::Aspas => "ASPAs: JSON with \"aspas\" of customer_asid, providers",
        FactKind::Origins => {
            "origins: lines of PREFIX ASN, ADDRESS LENGTH ASN or ASN PREFIX between tabs; \
             or CSV of net,len,asn"
        }
        FactKind::Organisations => {
            "organisations: JSON lines of type Organization and ASN with organizationId"
        }
        FactKind::Relations => "AS relationships: lines of ASN|ASN|-1 or ASN|ASN|0",
        FactKind::AsNames => "AS names: a JSON object of ASN to name, or lines of ASN and name",
        FactKind::Bogons => "bogons",
        FactKind::Delegations => {
            "delegations: lines of registry|country|ipv4, ipv6 or asn|start|value|date|status"
        }
        FactKind::Constituency => "a constituency: TOML with at least one [[member]]",
        FactKind::Irr => "RPSL: route, route6, as-set or aut-num objects",
        FactKind::PeeringDb => "PeeringDB: JSON with \"data\", or an object of such by type",
        FactKind::Participants => {
            "participants: JSON array of asn, name; or CSV whose first line names a column ASN"
        }
        FactKind::Spoofer => {
            "Spoofer sessions: CSV whose first line names timestamp, asn4, client4, routedspoof; \
             or JSON lines of such"
        }
        FactKind::Contacts => "contacts: RDAP answers about autnum objects",
    }
}
