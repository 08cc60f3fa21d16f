//! Sections of the configuration that say what is known beside BGP, and whom we watch over.

use std::path::PathBuf;

use routewarden_core::Asn;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sources::ASN_MAX;
use super::values::{Period, Place};

/// Most RTR caches.
pub const RTR_CACHES_MAX: usize = 16;
/// Most files of one kind of facts.
pub const FACT_FILES_MAX: usize = 64;
/// Most ASNs of route servers.
pub const ROUTE_SERVERS_MAX: usize = 10_000;
/// Time between two looks at the files of a validator, unless told otherwise.
pub const RPKI_EVERY_DEFAULT: Period = Period::minutes(10);
/// Time between two surveys of the table, unless told otherwise.
pub const READINESS_EVERY_DEFAULT: Period = Period::hours(6);
/// Time between two looks at a file of facts, unless told otherwise.
pub const FACTS_EVERY_DEFAULT: Period = Period::days(1);

/// Validated ROA payloads and ASPAs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Rpki {
    /// Caches that speak the RPKI-to-Router protocol, the preferred one first
    #[schemars(length(max = RTR_CACHES_MAX))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rtr: Vec<RtrCache>,
    /// Validated ROA payloads: JSON of rpki-client or Routinator, or CSV
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vrps: Option<Place>,
    /// ASPAs in JSON, where they are not in the file of the VRPs
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aspas: Option<Place>,
    /// Local exceptions (RFC 8416)
    #[schemars(with = "Option<String>", extend("format" = "path"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slurm: Option<PathBuf>,
    /// Time between two looks at these files
    pub every: Period,
}

impl Default for Rpki {
    fn default() -> Self {
        Rpki { rtr: Vec::new(), vrps: None, aspas: None, slurm: None, every: RPKI_EVERY_DEFAULT }
    }
}

/// A cache that speaks the RPKI-to-Router protocol (RFC 8210).
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RtrCache {
    /// Host and port
    #[schemars(extend("format" = "host-port"))]
    pub address: String,
    /// Name of the cache
    #[schemars(extend("format" = "name"))]
    pub name: String,
}

/// Reference facts, each optional; files may be compressed.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Facts {
    /// ASNs of Internet exchanges' route servers: they stand in paths and sell nothing
    #[schemars(with = "Vec<u32>", length(max = ROUTE_SERVERS_MAX), inner(range(min = 1, max = ASN_MAX)))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub route_servers: Vec<Asn>,
    /// Prefix origins known before: pyasn, CAIDA pfx2as, riswhois, or CSV
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origins: Option<FactFile>,
    /// AS relationships: CAIDA as-rel, or what `relations` writes
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relations: Option<FactFile>,
    /// AS organisations: CAIDA as-org2info in JSON lines
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisations: Option<FactFile>,
    /// AS names: JSON object or lines of ASN and name
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_names: Option<FactFile>,
    /// Dump of the API of `PeeringDB`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peeringdb: Option<FactFile>,
    /// Participants of MANRS
    #[serde(skip_serializing_if = "Option::is_none")]
    pub participants: Option<FactFile>,
    /// Sessions of CAIDA Spoofer, as CSV
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spoofer: Option<FactFile>,
    /// Contacts that registries name: answers of RDAP about ASNs
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contacts: Option<FactFile>,
    /// What the registries have given out: delegated-REGISTRY-extended files
    #[schemars(length(max = FACT_FILES_MAX))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub delegated: Vec<FactFile>,
    /// Dumps of Internet routing registries (RPSL)
    #[schemars(length(max = FACT_FILES_MAX))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub irr: Vec<FactFile>,
}

/// A file of facts, looked at again and again.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FactFile {
    /// Path or URL
    pub from: Place,
    /// Time between two looks at it
    #[serde(default = "facts_every")]
    pub every: Period,
}

/// Whom we watch over; without it, everybody.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Constituency {
    /// The document, as `routewarden constituency init` writes it
    #[schemars(with = "Option<String>", extend("format" = "path"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

/// How ready networks are is measured again and again.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Readiness {
    /// Time between two surveys of the table: who announces what
    pub every: Period,
}

impl Default for Readiness {
    fn default() -> Self {
        Readiness { every: READINESS_EVERY_DEFAULT }
    }
}

// serde takes a default as the name of a function.

fn facts_every() -> Period {
    FACTS_EVERY_DEFAULT
}
