//! An incident in a list, and whole.

use std::collections::BTreeMap;

use routewarden_core::{Asn, Prefix, Timestamp};
use routewarden_store::{AsnRole, Cursor, GivenVerdict, IncidentSummary, StoredVersion};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa::openapi::{Ref, RefOr, Schema};

use super::verdict::VerdictAnswer;

/// Most culprits, victims and prefixes each of an incident in a list.
pub const PARTIES_LISTED_MAX: usize = 10;

/// An incident in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Item {
    /// Number in the store, from 1.
    number: i64,
    /// Id in the store: it stays.
    id: String,
    /// Id that the detector has for it now.
    detector_id: String,
    /// Kind.
    kind: String,
    /// State.
    state: String,
    /// Class of the severity.
    class: String,
    /// 0 to 100: how sure.
    confidence: u8,
    /// 0 to 100: how bad.
    severity: u8,
    /// First announcement seen.
    #[schema(value_type = String, format = DateTime)]
    first_seen: Timestamp,
    /// Last announcement seen.
    #[schema(value_type = String, format = DateTime)]
    last_seen: Timestamp,
    /// When it ended; null while it lasts.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    ended_at: Option<Timestamp>,
    /// When it was recorded first, by the wall clock.
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    /// When this version was recorded, by the wall clock.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Number of this version, from 1.
    version: i64,
    /// Whether it has been told of, or is to be.
    reported: bool,
    /// ASes that did it; in a list at most ten.
    #[schema(value_type = Vec<u64>)]
    culprits: Vec<Asn>,
    /// ASes whose space it is; in a list at most ten.
    #[schema(value_type = Vec<u64>)]
    victims: Vec<Asn>,
    /// Number of victims.
    victim_count: usize,
    /// Prefixes concerned; in a list at most ten.
    #[schema(value_type = Vec<String>)]
    prefixes: Vec<Prefix>,
    /// Number of prefixes concerned.
    prefix_count: u64,
    /// Two-letter codes of countries.
    countries: Vec<String>,
    /// Who saw it; null where the incident does not tell.
    #[schema(required)]
    vantage_points: Option<Seen>,
    /// Route origin validation; null where the incident does not tell.
    #[schema(required)]
    rov: Option<Rov>,
    /// Members of the constituency that it touches.
    constituency: Vec<Touched>,
    /// Names of the ASes above, by ASN as text.
    as_names: BTreeMap<String, String>,
}

/// Peer ASes of the collectors.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "names of the answer")]
pub(super) struct Seen {
    /// Saw it at any time.
    pub(super) seen: u64,
    /// Sent routes of the address family.
    pub(super) of: u64,
    /// Most that had it at one time.
    pub(super) peak: u64,
    /// Had it at the last event.
    pub(super) now: u64,
}

/// Route origin validation (RFC 6811).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct Rov {
    /// `valid`, `invalid`, `not_found`, or null without VRPs.
    #[schema(required)]
    pub(super) state: Option<String>,
    /// Why invalid: `asn`, `max_length`.
    #[schema(required)]
    pub(super) reason: Option<String>,
}

/// A member of the constituency that is touched.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct Touched {
    /// Id of the member.
    pub(super) member: String,
    /// Its name for display.
    pub(super) name: String,
    /// `victim`, `culprit`, `on_path`.
    pub(super) role: String,
}

/// What a list shows of the incident's own JSON. One that an older program wrote may lack it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Glance {
    pub(super) prefix_count: Option<u64>,
    pub(super) vantage_points: Option<Seen>,
    rov: Option<Rov>,
    constituency: Vec<Touched>,
    as_names: BTreeMap<String, String>,
}

impl Glance {
    pub(super) fn of(stored: &StoredVersion) -> Self {
        serde_json::from_str(stored.body.get()).unwrap_or_default()
    }

    /// Prefixes concerned; those recorded where the incident does not tell.
    pub(super) fn prefix_count(&self, stored: &StoredVersion) -> u64 {
        self.prefix_count.unwrap_or(stored.prefixes.len() as u64)
    }
}

/// ASes of a version in a role, ascending.
pub(super) fn asns(stored: &StoredVersion, role: AsnRole) -> impl Iterator<Item = Asn> {
    stored.asns.iter().filter(move |(_, has)| *has == role).map(|(asn, _)| *asn)
}

impl Item {
    /// As lists show a version that was recorded at a time.
    pub(super) fn listed(stored: &StoredVersion, updated_at: Timestamp) -> Self {
        Self::of(stored, updated_at, PARTIES_LISTED_MAX)
    }

    fn of(stored: &StoredVersion, updated_at: Timestamp, most: usize) -> Self {
        let glance = Glance::of(stored);
        let prefix_count = glance.prefix_count(stored);
        let Glance { vantage_points, rov, constituency, mut as_names, .. } = glance;
        let culprits: Vec<Asn> = asns(stored, AsnRole::Culprit).take(most).collect();
        let victims: Vec<Asn> = asns(stored, AsnRole::Victim).take(most).collect();
        if most == PARTIES_LISTED_MAX {
            let listed = |asn: &String| {
                let mut listed = culprits.iter().chain(&victims);
                listed.any(|known| known.0.to_string() == *asn)
            };
            as_names.retain(|asn, _| listed(asn));
        }
        Item {
            number: stored.number,
            id: stored.id.clone(),
            detector_id: stored.detector_ids.last().unwrap_or(&stored.id).clone(),
            kind: stored.kind.clone(),
            state: stored.state.clone(),
            class: stored.class.clone(),
            confidence: stored.confidence,
            severity: stored.severity,
            first_seen: stored.first_seen,
            last_seen: stored.last_seen,
            ended_at: stored.ended_at,
            opened_at: stored.opened_at,
            updated_at,
            version: stored.version,
            reported: stored.reported,
            culprits,
            victims,
            victim_count: asns(stored, AsnRole::Victim).count(),
            prefixes: stored.prefixes.iter().take(most).copied().collect(),
            prefix_count,
            countries: stored.countries.clone(),
            vantage_points,
            rov,
            constituency,
            as_names,
        }
    }

    /// Name of an AS, where the incident has it.
    pub(super) fn as_name(&self, asn: Asn) -> Option<&str> {
        self.as_names.get(&asn.0.to_string()).map(String::as_str)
    }

    /// The cells of a row; see [`super::csv::HEADER`].
    pub(super) fn cells(&self) -> [String; 22] {
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
        let seen = self.vantage_points.as_ref();
        let count = |count: Option<u64>| count.map(|count| count.to_string()).unwrap_or_default();
        [
            self.id.clone(),
            self.number.to_string(),
            self.kind.clone(),
            self.state.clone(),
            self.class.clone(),
            self.confidence.to_string(),
            self.severity.to_string(),
            self.first_seen.to_string(),
            self.last_seen.to_string(),
            time(self.ended_at),
            joined(self.culprits.iter().map(|asn| asn.0)),
            joined(self.victims.iter().map(|asn| asn.0)),
            joined(&self.prefixes),
            self.prefix_count.to_string(),
            joined(&self.countries),
            count(seen.map(|seen| seen.seen)),
            count(seen.map(|seen| seen.of)),
            self.rov.as_ref().and_then(|rov| rov.state.clone()).unwrap_or_default(),
            joined(self.constituency.iter().map(|touched| &touched.member)),
            self.opened_at.to_string(),
            self.updated_at.to_string(),
            self.version.to_string(),
        ]
    }
}

fn joined<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(" ")
}

/// A page of incidents.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Items {
    /// Incidents.
    pub(super) items: Vec<Item>,
    /// For the parameter `cursor`; null on the last page.
    #[schema(required)]
    pub(super) next: Option<String>,
}

impl Items {
    pub(super) fn new(items: Vec<Item>, next: Option<Cursor>) -> Self {
        Items { items, next: next.map(|next| next.to_string()) }
    }
}

/// An incident, whole.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Whole {
    #[serde(flatten)]
    item: Item,
    /// ASes that passed it on.
    #[schema(value_type = Vec<u64>)]
    propagators: Vec<Asn>,
    /// Every id that a detector had for it, the present one last.
    detector_ids: Vec<String>,
    /// Whether it was ended because the detector spoke of it no more.
    ended_unseen: bool,
    /// What somebody found of it; null where nobody did.
    #[schema(required)]
    verdict: Option<VerdictAnswer>,
    /// The whole incident as the detector gave it.
    #[schema(schema_with = incident_schema)]
    incident: Box<RawValue>,
}

impl Whole {
    pub(super) fn new(
        summary: &IncidentSummary,
        stored: StoredVersion,
        verdict: Option<GivenVerdict>,
    ) -> Self {
        Whole {
            item: Item::of(&stored, summary.updated_at, usize::MAX),
            propagators: asns(&stored, AsnRole::Propagator).collect(),
            detector_ids: stored.detector_ids,
            ended_unseen: stored.ended_unseen,
            verdict: verdict.map(Into::into),
            incident: stored.body,
        }
    }
}

/// Its schema is that of `docs/reference/incident.schema.json`.
fn incident_schema() -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name("Incident"))
}
