//! One version of an incident, as it comes from the detector and as the journal has it.

use routewarden_core::facts::Sha256;
use routewarden_core::{Asn, Prefix, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::Digest;

use crate::StoreError;

/// Longest body of a version or a note, in octets of JSON.
pub const BODY_OCTETS_MAX: usize = 4 << 20;
/// Longest id, kind, state, class or name, in octets.
pub const NAME_OCTETS_MAX: usize = 256;
/// Longest key of a cause, in octets.
pub const KEY_OCTETS_MAX: usize = 4_096;
/// Most ASNs, prefixes or countries of one incident.
pub const PARTS_MAX: usize = 10_000;
/// Most ids of the detector that are remembered for one incident, besides the first.
pub const DETECTOR_IDS_MAX: usize = 32;

/// Times are from 1970 to the end of the year 9999, so that their text can be read again.
pub const TIME_MICROS_MAX: i64 = 253_402_300_799_999_999;

/// What an AS has to do with an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AsnRole {
    /// Did it.
    Culprit,
    /// Its space it is.
    Victim,
    /// Passed it on.
    Propagator,
    /// Anything else.
    Other,
}

impl AsnRole {
    /// The bit in the column `roles`.
    pub(crate) const fn bit(self) -> i64 {
        match self {
            AsnRole::Culprit => 1,
            AsnRole::Victim => 2,
            AsnRole::Propagator => 4,
            AsnRole::Other => 8,
        }
    }
}

/// What became of an incident with a version of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is new.
    Opened,
    /// It is otherwise than before.
    Updated,
    /// It is over.
    Ended,
    /// It had ended, and is there again.
    Reopened,
}

impl Change {
    /// The serialised name.
    pub const fn name(self) -> &'static str {
        match self {
            Change::Opened => "opened",
            Change::Updated => "updated",
            Change::Ended => "ended",
            Change::Reopened => "reopened",
        }
    }

    /// The change of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Change::Opened, Change::Updated, Change::Ended, Change::Reopened]
            .into_iter()
            .find(|change| change.name() == name)
    }
}

/// A version of an incident, as the detector has it now.
#[derive(Clone, Debug)]
pub struct IncidentVersion {
    /// Id that the detector has for it: the same for one cause within a run.
    pub id: String,
    /// The cause, as `kind|culprits|victims`: by it an incident is known again after a restart.
    pub key: String,
    /// Kind.
    pub kind: String,
    /// State.
    pub state: String,
    /// Class of the severity.
    pub class: String,
    /// 0 to 100.
    pub confidence: u8,
    /// 0 to 100.
    pub severity: u8,
    /// First seen, in event time.
    pub first_seen: Timestamp,
    /// Last seen, in event time.
    pub last_seen: Timestamp,
    /// When it ended, in event time; `None` while it lasts.
    pub ended_at: Option<Timestamp>,
    /// ASes with their roles, at most [`PARTS_MAX`].
    pub asns: Vec<(Asn, AsnRole)>,
    /// Prefixes, at most [`PARTS_MAX`].
    pub prefixes: Vec<Prefix>,
    /// Two-letter codes of countries, at most [`PARTS_MAX`].
    pub countries: Vec<String>,
    /// Ids of the members of the constituency that it touches, at most [`PARTS_MAX`].
    pub members: Vec<String>,
    /// Whether this version is to be told. An incident is told of from the first such version on;
    /// its end and return are always told then.
    pub report: bool,
    /// Whether the detector has it no longer: it goes on under another id, if one of the same cause and
    /// place is told of at the same time, or has ended.
    pub is_withdrawn: bool,
    /// The whole incident as JSON, at most [`BODY_OCTETS_MAX`].
    pub body: Box<RawValue>,
}

impl IncidentVersion {
    /// Sorts what has no order, so that the same content has the same digest.
    pub(crate) fn normalise(&mut self) {
        self.asns.sort_unstable();
        self.asns.dedup();
        self.prefixes.sort_unstable();
        self.prefixes.dedup();
        self.countries.sort_unstable();
        self.countries.dedup();
        // The tables mean all members by the empty one.
        self.members.retain(|member| !member.is_empty());
        self.members.sort_unstable();
        self.members.dedup();
    }

    /// Whether the limits hold.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let over = |what, max| Err(StoreError::OverLimit { what, max });
        for (what, name) in
            [("id", &self.id), ("kind", &self.kind), ("state", &self.state), ("class", &self.class)]
        {
            if name.len() > NAME_OCTETS_MAX {
                return over(what, NAME_OCTETS_MAX);
            }
        }
        if self.key.len() > KEY_OCTETS_MAX {
            return over("key", KEY_OCTETS_MAX);
        }
        for (what, names) in [("country", &self.countries), ("member", &self.members)] {
            if names.iter().any(|name| name.len() > NAME_OCTETS_MAX) {
                return over(what, NAME_OCTETS_MAX);
            }
        }
        for (what, count) in [
            ("number of asns", self.asns.len()),
            ("number of prefixes", self.prefixes.len()),
            ("number of countries", self.countries.len()),
            ("number of members", self.members.len()),
        ] {
            if count > PARTS_MAX {
                return over(what, PARTS_MAX);
            }
        }
        let times = [Some(self.first_seen), Some(self.last_seen), self.ended_at];
        for time in times.into_iter().flatten() {
            check_time(time)?;
        }
        if self.body.get().len() > BODY_OCTETS_MAX {
            return over("body", BODY_OCTETS_MAX);
        }
        Ok(())
    }
}

/// Whether the text of a time can be read again.
pub(crate) fn check_time(time: Timestamp) -> Result<(), StoreError> {
    match time.micros() {
        0..=TIME_MICROS_MAX => Ok(()),
        _ => Err(StoreError::TimeOutOfRange),
    }
}

/// A version with its place in the store: the body of a row of the journal. It is complete, so that
/// the row of the tables can be made of the last one alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredVersion {
    /// Id in the store: the first that the detector had for it.
    pub id: String,
    /// Number in the store, from 1.
    pub number: i64,
    /// Number of the version, from 1.
    pub version: i64,
    /// Ids that the detector has had for it, the present one last.
    pub detector_ids: Vec<String>,
    /// Key of the cause.
    pub key: String,
    /// Kind.
    pub kind: String,
    /// State.
    pub state: String,
    /// Class of the severity.
    pub class: String,
    /// 0 to 100.
    pub confidence: u8,
    /// 0 to 100.
    pub severity: u8,
    /// First seen: the earliest of all versions.
    pub first_seen: Timestamp,
    /// Last seen: the latest of all versions.
    pub last_seen: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Whether it was ended since the detector spoke of it no more: then `body` is that of before.
    pub ended_unseen: bool,
    /// When it was recorded first, by the wall clock.
    pub opened_at: Timestamp,
    /// Whether it has been told of, or is to be.
    pub reported: bool,
    /// What is to be told with this version.
    pub reports: Vec<Change>,
    /// ASes with their roles, sorted.
    pub asns: Vec<(Asn, AsnRole)>,
    /// Prefixes, sorted.
    pub prefixes: Vec<Prefix>,
    /// Countries, sorted.
    pub countries: Vec<String>,
    /// Members, sorted. Stores of before version 3 have none.
    #[serde(default)]
    pub members: Vec<String>,
    /// Hash of what the detector gave.
    pub digest: Sha256,
    /// The whole incident as JSON, as the detector gave it.
    pub body: Box<RawValue>,
}

/// The parts of a version that make it another one.
#[derive(Serialize)]
struct Content<'a>(
    (&'a str, &'a str, &'a str, &'a str, u8, u8),
    (Timestamp, Timestamp, Option<Timestamp>, bool),
    (&'a [(Asn, AsnRole)], &'a [Prefix]),
    [&'a [String]; 2],
    &'a RawValue,
);

/// Hash of a normalised version, without the id that the detector has for it.
pub(crate) fn digest(version: &IncidentVersion) -> Result<Sha256, StoreError> {
    let content = Content(
        (
            &version.key,
            &version.kind,
            &version.state,
            &version.class,
            version.confidence,
            version.severity,
        ),
        (version.first_seen, version.last_seen, version.ended_at, version.report),
        (&version.asns, &version.prefixes),
        [&version.countries, &version.members],
        &version.body,
    );
    let text = serde_json::to_vec(&content).map_err(StoreError::Json)?;
    Ok(Sha256(sha2::Sha256::digest(text).into()))
}
