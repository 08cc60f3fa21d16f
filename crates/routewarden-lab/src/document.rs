//! The TOML document as it is written, before any check of meaning.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;
use toml::value::Datetime;

/// `scenario.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    pub(crate) format: Spanned<u32>,
    pub(crate) id: String,
    pub(crate) title: String,
    /// Name of the file that tells the story, beside the scenario.
    #[serde(default = "default_story")]
    pub(crate) story: String,
    #[serde(default)]
    pub(crate) reconstruction: bool,
    #[serde(default)]
    pub(crate) sources: Vec<String>,
    #[serde(default)]
    pub(crate) refs: Vec<String>,
    /// Whether bogon checks make sense: off for scenarios in documentation space.
    #[serde(default = "default_bogons")]
    pub(crate) bogons: bool,
    /// Time of the table.
    pub(crate) start: Spanned<Datetime>,
    /// End of observation.
    pub(crate) end: Spanned<Datetime>,
    #[serde(default)]
    pub(crate) unexpected_confidence_min: Option<Spanned<u8>>,
    pub(crate) collector: Vec<Collector>,
    #[serde(default)]
    pub(crate) peer: Vec<Spanned<PeerEntry>>,
    #[serde(default)]
    pub(crate) facts: FactsTable,
    pub(crate) constituency: Option<Spanned<ConstituencyEntry>>,
    #[serde(default)]
    pub(crate) table: Vec<TableEntry>,
    #[serde(default)]
    pub(crate) event: Vec<Spanned<Event>>,
    #[serde(default)]
    pub(crate) expect: Vec<Spanned<Expect>>,
}

fn default_story() -> String {
    "README.md".to_owned()
}

fn default_bogons() -> bool {
    true
}

/// A collector and its peers whose addresses do not matter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Collector {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) peers: Vec<Spanned<u32>>,
}

/// A peer with its address.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PeerEntry {
    pub(crate) collector: String,
    pub(crate) asn: u32,
    pub(crate) addr: IpAddr,
}

/// Routes that stand at the start.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TableEntry {
    pub(crate) prefixes: Spanned<Vec<Spanned<String>>>,
    pub(crate) paths: Spanned<Vec<Spanned<String>>>,
    pub(crate) originated: Option<Spanned<Datetime>>,
    pub(crate) collector: Option<Spanned<String>>,
    pub(crate) from: Option<Spanned<IpAddr>>,
}

/// Something that happens.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Event {
    pub(crate) at: Spanned<Datetime>,
    pub(crate) announce: Option<Spanned<Vec<Spanned<String>>>>,
    pub(crate) withdraw: Option<Spanned<Vec<Spanned<String>>>>,
    pub(crate) peer_up: Option<Spanned<Vec<Spanned<u32>>>>,
    pub(crate) peer_down: Option<Spanned<Vec<Spanned<u32>>>>,
    pub(crate) vrps: Option<Spanned<VrpChanges>>,
    pub(crate) aspas: Option<Spanned<AspaChanges>>,
    pub(crate) paths: Option<Spanned<Vec<Spanned<String>>>>,
    pub(crate) peers: Option<Spanned<Vec<Spanned<u32>>>>,
    pub(crate) collector: Option<Spanned<String>>,
    pub(crate) from: Option<Spanned<IpAddr>>,
    pub(crate) late_by: Option<Spanned<u32>>,
}

/// VRPs that come and go.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct VrpChanges {
    pub(crate) add: Vec<VrpEntry>,
    pub(crate) remove: Vec<VrpEntry>,
}

/// ASPAs that come and go.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AspaChanges {
    pub(crate) add: Vec<AspaEntry>,
    pub(crate) remove: Vec<Spanned<u32>>,
}

/// What is known beside BGP.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FactsTable {
    pub(crate) origin: Vec<OriginEntry>,
    pub(crate) vrp: Vec<VrpEntry>,
    pub(crate) aspa: Vec<AspaEntry>,
    pub(crate) route_servers: Vec<u32>,
    pub(crate) organisation: Vec<OrganisationEntry>,
    pub(crate) relation: Vec<Spanned<RelationEntry>>,
    pub(crate) as_name: BTreeMap<Spanned<String>, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OriginEntry {
    pub(crate) prefix: Spanned<String>,
    pub(crate) asns: Vec<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VrpEntry {
    pub(crate) prefix: Spanned<String>,
    pub(crate) asn: u32,
    pub(crate) max_length: Option<Spanned<u8>>,
    pub(crate) trust_anchor: Option<String>,
    pub(crate) expires: Option<Spanned<Datetime>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AspaEntry {
    pub(crate) customer: Spanned<u32>,
    pub(crate) providers: Vec<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrganisationEntry {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) country: Option<String>,
    pub(crate) asns: Vec<Spanned<u32>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RelationEntry {
    pub(crate) provider: Option<u32>,
    pub(crate) customer: Option<u32>,
    pub(crate) peers: Option<[u32; 2]>,
    pub(crate) confidence: Option<Spanned<u8>>,
}

/// Whose networks are watched: the name of a file beside the scenario, or the members.
#[derive(Debug)]
pub(crate) enum ConstituencyEntry {
    File(String),
    Inline(ConstituencyTable),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConstituencyTable {
    pub(crate) member: Vec<MemberEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberEntry {
    pub(crate) id: Spanned<String>,
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) asns: Vec<u32>,
    #[serde(default)]
    pub(crate) prefixes: Vec<Spanned<String>>,
    #[serde(default)]
    pub(crate) countries: Vec<String>,
    pub(crate) criticality: Option<String>,
    #[serde(default)]
    pub(crate) origins: Vec<u32>,
    #[serde(default)]
    pub(crate) upstreams: Vec<u32>,
}

impl<'de> Deserialize<'de> for ConstituencyEntry {
    /// By hand: an untagged enum would lose where the values stand.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = ConstituencyEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a file or a table of members")
            }

            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(ConstituencyEntry::File(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                ConstituencyTable::deserialize(MapAccessDeserializer::new(map))
                    .map(ConstituencyEntry::Inline)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// One incident that detection must report, or none.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Expect {
    pub(crate) silent: bool,
    pub(crate) below: Option<Spanned<u8>>,
    pub(crate) kind: Option<String>,
    pub(crate) culprit: Option<u32>,
    pub(crate) victim: Option<u32>,
    pub(crate) member: Option<String>,
    pub(crate) role: Option<Spanned<String>>,
    pub(crate) prefixes: Vec<Spanned<String>>,
    pub(crate) prefix_count: Option<usize>,
    pub(crate) covering: Vec<Spanned<String>>,
    pub(crate) propagators: Vec<u32>,
    pub(crate) countermeasures: Vec<Spanned<String>>,
    pub(crate) leak: Option<LeakEntry>,
    pub(crate) link: Option<LinkEntry>,
    pub(crate) artemis_class: Option<String>,
    pub(crate) caused_by: Option<Spanned<usize>>,
    pub(crate) not_caused_by: Option<Spanned<usize>>,
    pub(crate) first_seen: Option<Spanned<Datetime>>,
    pub(crate) ended_at: Option<Spanned<Period>>,
    pub(crate) state: Option<Spanned<String>>,
    pub(crate) seen_min: Option<usize>,
    pub(crate) confidence_min: Option<Spanned<u8>>,
    pub(crate) confidence_max: Option<Spanned<u8>>,
    pub(crate) severity_min: Option<Spanned<u8>>,
    pub(crate) severity_max: Option<Spanned<u8>>,
}

/// The triple of a route leak.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LeakEntry {
    #[serde(rename = "type")]
    pub(crate) kind: Option<Spanned<u8>>,
    pub(crate) from: Option<u32>,
    pub(crate) by: u32,
    pub(crate) to: Option<u32>,
}

/// A link between two ASes that does not exist.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkEntry {
    pub(crate) a: u32,
    pub(crate) b: u32,
}

/// A closed period: both ends belong to it.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Period {
    pub(crate) from: Spanned<Datetime>,
    pub(crate) until: Spanned<Datetime>,
}
