//! An incident: what a CSIRT acts on. One for one cause, with its evidence.

use std::collections::BTreeMap;

use routewarden_core::facts::{AspaState, InvalidReason, RovState, Touch};
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
    /// An AS originates space that its holder does not announce (ARTEMIS class Q|0).
    Squatting,
    /// An AS originates a less-specific of others' prefixes and so takes what they leave.
    LessSpecificHijack,
    /// The path ends in the rightful origin over a link that does not exist (E|1 or S|1).
    ForgedOrigin,
    /// As [`IncidentKind::ForgedOrigin`], with the forged link deeper in the path (type N).
    ForgedPath,
    /// A new more-specific with the rightful origin and known links (type U).
    SamePathMoreSpecific,
    /// A route passed on beyond its intended scope (RFC 7908).
    RouteLeak,
    /// Several ASes originate one prefix, and nothing shows it to be a hijack.
    Moas,
    /// A route is invalid by route origin validation (RFC 6811), and nothing more.
    RpkiInvalid,
    /// A ROA for a constituent's space was added, removed or loosened.
    RoaChange,
    /// An ASPA of a constituent was changed.
    AspaChange,
    /// A trust anchor lost a large part of its VRPs at once.
    TrustAnchorLoss,
    /// A route to space that is never routable.
    BogonPrefix,
    /// A path with an ASN that is never routable.
    BogonAsn,
    /// An AS announces host routes of another's space, as for blackholing (RFC 7999).
    BlackholeAbuse,
    /// A prefix is no longer seen by those who had it.
    PrefixOutage,
    /// An AS's prefixes are no longer seen by those who had them.
    AsOutage,
    /// A large part of a country's prefixes is no longer seen.
    CountryOutage,
    /// A constituent has a neighbour that it never had.
    NewNeighbour,
    /// A constituent originates what it never did.
    UnexpectedOrigination,
    /// A path ends in an `AS_SET` (RFC 9774).
    AsSet,
    /// A path of more than 50 ASes.
    LongPath,
    /// An AS prepends itself ten times or more.
    ExcessivePrepending,
}

impl IncidentKind {
    /// Every kind.
    pub const ALL: [IncidentKind; 24] = [
        IncidentKind::OriginHijack,
        IncidentKind::SubPrefixHijack,
        IncidentKind::Squatting,
        IncidentKind::LessSpecificHijack,
        IncidentKind::ForgedOrigin,
        IncidentKind::ForgedPath,
        IncidentKind::SamePathMoreSpecific,
        IncidentKind::RouteLeak,
        IncidentKind::Moas,
        IncidentKind::RpkiInvalid,
        IncidentKind::RoaChange,
        IncidentKind::AspaChange,
        IncidentKind::TrustAnchorLoss,
        IncidentKind::BogonPrefix,
        IncidentKind::BogonAsn,
        IncidentKind::BlackholeAbuse,
        IncidentKind::PrefixOutage,
        IncidentKind::AsOutage,
        IncidentKind::CountryOutage,
        IncidentKind::NewNeighbour,
        IncidentKind::UnexpectedOrigination,
        IncidentKind::AsSet,
        IncidentKind::LongPath,
        IncidentKind::ExcessivePrepending,
    ];

    /// The serialised name.
    pub const fn name(self) -> &'static str {
        match self {
            IncidentKind::OriginHijack => "origin_hijack",
            IncidentKind::SubPrefixHijack => "sub_prefix_hijack",
            IncidentKind::Squatting => "squatting",
            IncidentKind::LessSpecificHijack => "less_specific_hijack",
            IncidentKind::ForgedOrigin => "forged_origin",
            IncidentKind::ForgedPath => "forged_path",
            IncidentKind::SamePathMoreSpecific => "same_path_more_specific",
            IncidentKind::RouteLeak => "route_leak",
            IncidentKind::Moas => "moas",
            IncidentKind::RpkiInvalid => "rpki_invalid",
            IncidentKind::RoaChange => "roa_change",
            IncidentKind::AspaChange => "aspa_change",
            IncidentKind::TrustAnchorLoss => "trust_anchor_loss",
            IncidentKind::BogonPrefix => "bogon_prefix",
            IncidentKind::BogonAsn => "bogon_asn",
            IncidentKind::BlackholeAbuse => "blackhole_abuse",
            IncidentKind::PrefixOutage => "prefix_outage",
            IncidentKind::AsOutage => "as_outage",
            IncidentKind::CountryOutage => "country_outage",
            IncidentKind::NewNeighbour => "new_neighbour",
            IncidentKind::UnexpectedOrigination => "unexpected_origination",
            IncidentKind::AsSet => "as_set",
            IncidentKind::LongPath => "long_path",
            IncidentKind::ExcessivePrepending => "excessive_prepending",
        }
    }

    /// Whether someone took what is another's, by whatever means.
    pub const fn is_hijack(self) -> bool {
        matches!(
            self,
            IncidentKind::OriginHijack
                | IncidentKind::SubPrefixHijack
                | IncidentKind::Squatting
                | IncidentKind::LessSpecificHijack
                | IncidentKind::ForgedOrigin
                | IncidentKind::ForgedPath
                | IncidentKind::BlackholeAbuse
        )
    }

    /// Whether it takes, leaks or loses traffic, and is no notice or hygiene.
    pub const fn is_serious(self) -> bool {
        self.is_hijack() || self.is_outage() || matches!(self, IncidentKind::RouteLeak)
    }

    /// Whether reachability was lost, by whatever means.
    pub const fn is_outage(self) -> bool {
        matches!(
            self,
            IncidentKind::PrefixOutage | IncidentKind::AsOutage | IncidentKind::CountryOutage
        )
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

/// Class of a severity: from 80 critical, 60 high, 40 medium, 20 low, else info.
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

/// A route leak's three parties (RFC 7908 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LeakTriple {
    /// Type of RFC 7908 §3, 1 to 6; `null` when the relations do not tell.
    pub rfc7908_type: Option<u8>,
    /// Whom the leaker has the routes from; `null` where the type has none (6).
    pub from: Option<Asn>,
    /// The leaker.
    pub by: Asn,
    /// Whom the leaker gave them to; `null` where it is everyone (5, 6).
    pub to: Option<Asn>,
}

/// A link between two ASes that is held to be forged: nobody has seen it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ForgedLink {
    /// The end on the collector's side: the culprit.
    pub a: Asn,
    /// The end on the origin's side.
    pub b: Asn,
}

/// How one incident came of, or goes with, another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelationKind {
    /// The other caused this one.
    CausedBy,
    /// This one caused the other.
    Caused,
    /// Same space at the same time, another cause: neither is the cause of the other.
    Coincides,
    /// The other had begun before and made this one visible; it is not its cause.
    SurfacedBy,
    /// This one became visible by the other; it is not its cause.
    Surfaced,
}

impl RelationKind {
    /// In words, before the id of the other.
    pub const fn words(self) -> &'static str {
        match self {
            RelationKind::CausedBy => "caused by",
            RelationKind::Caused => "cause of",
            RelationKind::Coincides => "at the same time, with a cause of its own:",
            RelationKind::SurfacedBy => "came to sight by, but is not caused by",
            RelationKind::Surfaced => "brought to sight, but is not the cause of",
        }
    }

    /// As the other incident has it.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            RelationKind::CausedBy => RelationKind::Caused,
            RelationKind::Caused => RelationKind::CausedBy,
            RelationKind::Coincides => RelationKind::Coincides,
            RelationKind::SurfacedBy => RelationKind::Surfaced,
            RelationKind::Surfaced => RelationKind::SurfacedBy,
        }
    }
}

/// A tie to another incident of the same report.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Related {
    /// Id of the other.
    pub id: String,
    /// How they are tied.
    pub relation: RelationKind,
}

/// A feed that could not tell all for a time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ImpairedFeed {
    /// Name of the collector.
    pub collector: String,
    /// What was the matter, as the health of feeds names it: `degraded`, `down`, `gap`.
    pub state: String,
    /// Since when.
    pub from: Timestamp,
    /// Until when; `null` while it lasts.
    pub until: Option<Timestamp>,
}

/// Sessions that the verdict rests on, from five minutes before the start to the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedState {
    /// Sessions that sent routes of the family.
    pub sessions: usize,
    /// Of these, down at some time.
    pub lost: usize,
    /// Whether so many were down that what was not seen says little.
    pub degraded: bool,
    /// Feeds that could not tell all at some time of it; known only to a service that watches them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub impaired: Vec<ImpairedFeed>,
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
    /// ARTEMIS's class of a hijack, as `S|0|-|-`; `null` for other kinds.
    pub artemis_class: Option<String>,
    /// The parties of a route leak; `null` for other kinds.
    pub leak: Option<LeakTriple>,
    /// The link that nobody has seen before; `null` where the incident rests on none.
    pub link: Option<ForgedLink>,
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
    /// Seconds in which it was seen, up to the end or the last event; pauses are left out.
    pub exposure_secs: i64,
    /// How often it came back after it had ended.
    pub recurrences: u32,
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
    /// Invalid when the verdict rests on an ASPA that the path contradicts; else `null`.
    pub aspa: Option<AspaState>,
    /// Constituents it touches, and as what.
    pub constituency: Vec<Touch>,
    /// Incidents that it is tied to.
    pub related: Vec<Related>,
    /// Sessions that the verdict rests on.
    pub feeds: FeedState,
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
