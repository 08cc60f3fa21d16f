//! What makes a text no scenario.

use routewarden_core::asn::AsnParseError;
use routewarden_core::prefix::PrefixParseError;
use routewarden_core::time::TimestampParseError;
use routewarden_core::{Asn, Prefix, Timestamp};

/// Why [`Scenario::parse`](crate::Scenario::parse) refused a text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Longer than [`SCENARIO_OCTETS_MAX`](crate::SCENARIO_OCTETS_MAX).
    #[error("scenario of {octets} octets exceeds the limit of {}", crate::SCENARIO_OCTETS_MAX)]
    TooLong {
        /// Octets of the text.
        octets: usize,
    },
    /// Not TOML, a field that does not exist, a missing field, or a value of the wrong type.
    #[error("line {line}: {}", .source.message())]
    Syntax {
        /// Line in the text, from 1.
        line: usize,
        /// The TOML reader's error.
        source: Box<toml::de::Error>,
    },
    /// TOML of the right shape whose content makes no sense.
    #[error("line {line}: {fault}")]
    Invalid {
        /// Line in the text, from 1.
        line: usize,
        /// What is wrong there.
        #[source]
        fault: Fault,
    },
}

impl Error {
    /// Line of the fault, from 1; `None` when it concerns the whole text.
    pub fn line(&self) -> Option<usize> {
        match self {
            Error::TooLong { .. } => None,
            Error::Syntax { line, .. } | Error::Invalid { line, .. } => Some(*line),
        }
    }
}

/// What is wrong with one value of a scenario.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A format number other than [`FORMAT`](crate::FORMAT).
    #[error(
        "scenario format {found} is not supported; this program reads format {}",
        crate::FORMAT
    )]
    Format {
        /// The number given.
        found: u32,
    },
    /// Text that is no prefix.
    #[error("{text:?}: {source}")]
    Prefix {
        /// The text.
        text: String,
        /// Why it is none.
        source: PrefixParseError,
    },
    /// Text that is no ASN.
    #[error("{text:?}: {source}")]
    Asn {
        /// The text.
        text: String,
        /// Why it is none.
        source: AsnParseError,
    },
    /// A TOML date or time without the offset to UTC, or beyond the range of time stamps.
    #[error("{text}: {source}")]
    Time {
        /// The value.
        text: String,
        /// Why it is no moment.
        source: TimestampParseError,
    },
    /// Text that is no AS path.
    #[error(
        "{text:?} is not a path: expected [+SECONDS] ASN ASN ..., optionally ending in {{ASN,ASN}} or *, \
         then attributes"
    )]
    Path {
        /// The text.
        text: String,
    },
    /// Text after a path that is no attribute.
    #[error("{text:?} is not an attribute: expected otc=ASN or communities=N:N,N:N, each once")]
    Attribute {
        /// The text.
        text: String,
    },
    /// A range of prefixes without a count, or beyond the address space.
    #[error("{text:?} is not a range: expected PREFIX*COUNT within the address space")]
    Range {
        /// The text.
        text: String,
    },
    /// More ASNs in one path than [`PATH_ASNS_MAX`](crate::PATH_ASNS_MAX).
    #[error("path of {asns} ASNs exceeds the limit of {}", crate::PATH_ASNS_MAX)]
    PathTooLong {
        /// Its ASNs.
        asns: usize,
    },
    /// `*` in a path, and a prefix that names no origin.
    #[error("{prefix:?} names no origin, but a path ends in *: write \"PREFIX ORIGIN\"")]
    OriginMissing {
        /// The prefix as written.
        prefix: String,
    },
    /// A prefix that names an origin no path asks for.
    #[error("{prefix:?} names an origin, but no path ends in *")]
    OriginUnused {
        /// The prefix as written.
        prefix: String,
    },
    /// Two peers with the same collector, ASN and address.
    #[error("the same peer is given twice")]
    PeerTwice,
    /// A `collector` that no `[[collector]]` declares.
    #[error("no collector is named {name:?}")]
    UnknownCollector {
        /// The name.
        name: String,
    },
    /// No session of that AS.
    #[error("{asn} is not a peer{}", .collector.as_ref().map(|c| format!(" of {c}")).unwrap_or_default())]
    UnknownPeer {
        /// The AS.
        asn: Asn,
        /// The collector the event is limited to.
        collector: Option<String>,
    },
    /// No session with that address.
    #[error("no peer has the address {addr}")]
    UnknownAddress {
        /// The address.
        addr: std::net::IpAddr,
    },
    /// An event with none or several of the things that happen.
    #[error(
        "an event has exactly one of announce, withdraw, peer_up, peer_down, vrps, aspas; \
         this has {found}"
    )]
    EventKind {
        /// How many it has.
        found: usize,
    },
    /// A field that the event's kind does not use.
    #[error("{field} has no meaning here")]
    FieldUnused {
        /// Name of the field.
        field: &'static str,
    },
    /// A list that must not be empty.
    #[error("{field} must not be empty")]
    Empty {
        /// Name of the field.
        field: &'static str,
    },
    /// An event before the scenario's start or after its end.
    #[error("{time} is outside the scenario's time {start} to {end}")]
    OutsideTime {
        /// The time.
        time: Timestamp,
        /// Start of the scenario.
        start: Timestamp,
        /// End of the scenario.
        end: Timestamp,
    },
    /// A period that ends before it begins.
    #[error("the period ends before it begins")]
    PeriodReversed,
    /// A number beyond its limit.
    #[error("{field} must be at most {max}")]
    TooLarge {
        /// Name of the field.
        field: &'static str,
        /// The limit.
        max: usize,
    },
    /// More than [`PEERS_MAX`](crate::PEERS_MAX) peers or collectors.
    #[error("more than {} peers or collectors", crate::PEERS_MAX)]
    TooManyPeers,
    /// More than [`ROUTE_EVENTS_MAX`](crate::ROUTE_EVENTS_MAX) events after expansion.
    #[error("more than {} route events", crate::ROUTE_EVENTS_MAX)]
    TooManyEvents,
    /// More than [`FACTS_MAX`](crate::FACTS_MAX) origins or VRPs after expansion.
    #[error("more than {} facts", crate::FACTS_MAX)]
    TooManyFacts,
    /// Removal of a VRP that does not stand then.
    #[error("no VRP for {prefix} and {asn} of that maximum length stands at that time")]
    NoSuchVrp {
        /// Its prefix.
        prefix: Prefix,
        /// The AS it authorises.
        asn: Asn,
    },
    /// Removal of an ASPA that does not stand then.
    #[error("{customer} has no ASPA at that time")]
    NoSuchAspa {
        /// Its customer.
        customer: Asn,
    },
    /// Two ASPAs of one customer in one list.
    #[error("{customer} has two ASPAs: give all providers in one")]
    AspaTwice {
        /// The customer.
        customer: Asn,
    },
    /// A file that is not beside the scenario.
    #[error("{name:?} is not the name of a file beside the scenario")]
    FileName {
        /// The name.
        name: String,
    },
    /// Two members of the constituency with one identifier.
    #[error("two members have the id {id:?}")]
    MemberTwice {
        /// The identifier.
        id: String,
    },
    /// Maximum length of a VRP shorter than its prefix or longer than its family (RFC 9582 §4.3).
    #[error("max_length must lie between the prefix's length and {max}")]
    MaxLength {
        /// Bits of the family.
        max: u8,
    },
    /// Two different claims about the same thing, as two organisations for one AS.
    #[error("{asn} already belongs to another organisation")]
    OrganisationTwice {
        /// The AS.
        asn: Asn,
    },
    /// A relation that is neither provider and customer nor two peers.
    #[error("a relation has either provider and customer, or peers with two ASNs")]
    Relation,
    /// `silent` beside other fields or other expectations.
    #[error("silent = true stands alone: no other field but below, and no other expectation")]
    SilentNotAlone,
    /// An expectation without `kind` and without `silent`.
    #[error("an expectation has a kind, or silent = true")]
    ExpectationIncomplete,
    /// A word that is none of those known.
    #[error("{word:?} is not a {field}: expected {}", .known.join(", "))]
    Word {
        /// The word.
        word: String,
        /// Name of the field.
        field: &'static str,
        /// The words known.
        known: &'static [&'static str],
    },
    /// A type of leak that RFC 7908 does not have.
    #[error("RFC 7908 has leaks of types 1 to 6")]
    LeakType,
    /// The number of an expectation that does not exist, or its own.
    #[error("{field} must be the number of another expectation, from 1 to {max}")]
    OtherExpectation {
        /// Name of the field.
        field: &'static str,
        /// How many there are.
        max: usize,
    },
    /// No expectation at all: nothing would be checked.
    #[error("a scenario states what is expected: add [[expect]]")]
    NoExpectation,
}
