//! An incident: what a CSIRT acts on. One for one cause, with its evidence.

use std::collections::BTreeMap;

use routewarden_core::facts::{InvalidReason, RovState};
use routewarden_core::{Asn, Prefix, Timestamp};
use serde::{Deserialize, Serialize};

/// Kind of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentKind {
    /// An AS originates a prefix that is another's (ARTEMIS class E|0).
    OriginHijack,
    /// An AS originates a more-specific of another's prefix (ARTEMIS class S|0).
    SubPrefixHijack,
    /// Several ASes originate one prefix, and nothing shows it to be a hijack.
    Moas,
    /// A route is invalid by route origin validation (RFC 6811), and nothing more.
    RpkiInvalid,
    /// A route to space that is never routable.
    BogonPrefix,
    /// A path with an ASN that is never routable.
    BogonAsn,
}

impl IncidentKind {
    /// The serialised name.
    pub const fn name(self) -> &'static str {
        match self {
            IncidentKind::OriginHijack => "origin_hijack",
            IncidentKind::SubPrefixHijack => "sub_prefix_hijack",
            IncidentKind::Moas => "moas",
            IncidentKind::RpkiInvalid => "rpki_invalid",
            IncidentKind::BogonPrefix => "bogon_prefix",
            IncidentKind::BogonAsn => "bogon_asn",
        }
    }
}

/// Where an incident is in its life, as of the last event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    /// New vantage points saw it within the last minutes.
    Spreading,
    /// It lasts.
    Ongoing,
    /// It lasts, and the victim has reacted and won back at least half of the vantage points.
    Mitigated,
    /// No vantage point has it any more.
    Ended,
}

impl IncidentState {
    /// The serialised name.
    pub const fn name(self) -> &'static str {
        match self {
            IncidentState::Spreading => "spreading",
            IncidentState::Ongoing => "ongoing",
            IncidentState::Mitigated => "mitigated",
            IncidentState::Ended => "ended",
        }
    }
}

/// Severity class of csirt-practice: ≥80 critical, 60 high, 40 medium, 20 low, else info.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeverityClass {
    /// Below 20.
    Info,
    /// 20 to 39.
    Low,
    /// 40 to 59.
    Medium,
    /// 60 to 79.
    High,
    /// 80 and above.
    Critical,
}

impl SeverityClass {
    /// Class of a severity of 0 to 100.
    pub const fn of(severity: u8) -> Self {
        match severity {
            80.. => SeverityClass::Critical,
            60..=79 => SeverityClass::High,
            40..=59 => SeverityClass::Medium,
            20..=39 => SeverityClass::Low,
            _ => SeverityClass::Info,
        }
    }

    /// The serialised name.
    pub const fn name(self) -> &'static str {
        match self {
            SeverityClass::Info => "info",
            SeverityClass::Low => "low",
            SeverityClass::Medium => "medium",
            SeverityClass::High => "high",
            SeverityClass::Critical => "critical",
        }
    }
}

/// A value behind a line of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FactValue {
    /// A count or ASN.
    Number(i64),
    /// A prefix, name, time or path.
    Text(String),
    /// Several.
    List(Vec<FactValue>),
}

impl From<usize> for FactValue {
    fn from(number: usize) -> Self {
        FactValue::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<i64> for FactValue {
    fn from(number: i64) -> Self {
        FactValue::Number(number)
    }
}

impl From<Asn> for FactValue {
    fn from(asn: Asn) -> Self {
        FactValue::Number(i64::from(asn.0))
    }
}

impl From<Prefix> for FactValue {
    fn from(prefix: Prefix) -> Self {
        FactValue::Text(prefix.to_string())
    }
}

impl From<Timestamp> for FactValue {
    fn from(time: Timestamp) -> Self {
        FactValue::Text(time.to_string())
    }
}

impl From<&str> for FactValue {
    fn from(text: &str) -> Self {
        FactValue::Text(text.to_owned())
    }
}

impl<T: Into<FactValue>> FromIterator<T> for FactValue {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        FactValue::List(items.into_iter().map(Into::into).collect())
    }
}

/// One line of evidence for (weight above zero) or against (below) an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Stable name of the rule.
    pub rule: String,
    /// Points of confidence it adds or takes.
    pub weight: i32,
    /// The reason in words.
    pub text: String,
    /// The values the reason rests on.
    pub facts: BTreeMap<String, FactValue>,
}

/// How many vantage points saw it. Witnesses are counted by AS, never by session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VantagePoints {
    /// Peer ASes that saw it at any time.
    pub seen: usize,
    /// Peer ASes that sent routes of the address family.
    pub of: usize,
    /// Most peer ASes that had it at one time.
    pub peak: usize,
    /// Peer ASes that had it at the last event.
    pub now: usize,
}

/// Route origin validation of the incident's routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RovSummary {
    /// `valid`, `invalid`, `not_found`; `null` when no VRPs were given.
    pub state: Option<RovState>,
    /// Why invalid.
    pub reason: Option<InvalidReason>,
}

/// Something the victim did against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Countermeasure {
    /// First announcement seen.
    pub time: Timestamp,
    /// Prefix the victim announced.
    pub prefix: Prefix,
    /// The victim.
    pub origin: Asn,
    /// How it works.
    pub action: CountermeasureAction,
}

/// How a countermeasure works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CountermeasureAction {
    /// The very prefix that was hijacked: competes on path length.
    SamePrefix,
    /// A more-specific: wins by longest match.
    MoreSpecific,
}

impl CountermeasureAction {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            CountermeasureAction::SamePrefix => "the same prefix",
            CountermeasureAction::MoreSpecific => "a more-specific",
        }
    }
}

/// A path that showed it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SamplePath {
    /// Time of the announcement.
    pub time: Timestamp,
    /// Collector that recorded it.
    pub collector: String,
    /// The peer's ASN.
    pub peer_asn: Asn,
    /// The peer's address.
    pub peer_addr: std::net::IpAddr,
    /// Prefix announced.
    pub prefix: Prefix,
    /// `AS_PATH`, neighbour first.
    pub path: String,
}

/// Most prefixes listed in one incident; `prefix_count` has the whole number.
pub const PREFIXES_LISTED_MAX: usize = 1_000;

/// An incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Deterministic: the same cause at the same time gives the same id.
    pub id: String,
    /// Kind.
    pub kind: IncidentKind,
    /// ASes that did it.
    pub culprits: Vec<Asn>,
    /// ASes whose space it is.
    pub victims: Vec<Asn>,
    /// ASes next to a culprit that passed it on, most often seen first.
    pub propagators: Vec<Asn>,
    /// Prefixes concerned, at most [`PREFIXES_LISTED_MAX`].
    pub prefixes: Vec<Prefix>,
    /// Number of prefixes concerned.
    pub prefix_count: usize,
    /// Prefixes of the victims that cover them.
    pub covering_prefixes: Vec<Prefix>,
    /// First announcement seen.
    pub first_seen: Timestamp,
    /// Last announcement seen that showed it.
    pub last_seen: Timestamp,
    /// When the last vantage point lost it; `null` while it lasts.
    pub ended_at: Option<Timestamp>,
    /// Seconds from first seen to the end, or to the last event.
    pub exposure_secs: i64,
    /// Where it is in its life.
    pub state: IncidentState,
    /// Whether it stood already in the table given at the start.
    pub standing: bool,
    /// Who saw it.
    pub vantage_points: VantagePoints,
    /// 0 to 100: how sure that it is what `kind` says.
    pub confidence: u8,
    /// 0 to 100: how bad if it is.
    pub severity: u8,
    /// Class of the severity.
    pub severity_class: SeverityClass,
    /// Route origin validation.
    pub rov: RovSummary,
    /// Reasons for.
    pub evidence: Vec<Evidence>,
    /// Reasons against.
    pub counter_evidence: Vec<Evidence>,
    /// What the victims did.
    pub countermeasures: Vec<Countermeasure>,
    /// Paths that showed it.
    pub sample_paths: Vec<SamplePath>,
    /// Names of the ASes above, where known, by ASN.
    pub as_names: BTreeMap<String, String>,
}
