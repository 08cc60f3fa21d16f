//! What happened, as the metrics count it, and who had part in it.

use std::collections::{BTreeMap, BTreeSet};

use routewarden_core::facts::Facts;
use routewarden_core::{Asn, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{NoData, Period};

/// Most events of one period.
pub const EVENTS_MAX: usize = 4_000_000;
/// Most parts of ASes in the events of one period.
pub const ENTRIES_MAX: usize = 32_000_000;

/// What an event is, as the framework tells events apart (design page on MANRS, sections 2.2, 2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Routes passed on beyond their scope (RFC 7908).
    RouteLeak,
    /// An AS originates, or claims to lead to, what is another's.
    Misorigination,
    /// A route to space that is never routable: a full bogon.
    BogonPrefix,
    /// A route to space that, a registry says, nobody holds.
    AdministrativeBogonPrefix,
    /// A path with an ASN that is never routable: a full bogon.
    BogonAsn,
    /// A path with an ASN that, a registry says, nobody holds.
    AdministrativeBogonAsn,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [EventKind; 6] = [
        EventKind::RouteLeak,
        EventKind::Misorigination,
        EventKind::BogonPrefix,
        EventKind::AdministrativeBogonPrefix,
        EventKind::BogonAsn,
        EventKind::AdministrativeBogonAsn,
    ];
}

/// Part of an AS in an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It did it.
    Culprit,
    /// It stands next to a culprit and passed it on.
    Accomplice,
}

/// One event: an incident of the detector, or one appearance of it. An incident that was gone for a
/// time may be given as several events with its id, one for each time it was there; given as one, its
/// pauses count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Event {
    /// First seen.
    pub from: Timestamp,
    /// When nobody had it any more; `None` while it lasts.
    pub until: Option<Timestamp>,
    /// Id of the incident.
    pub id: String,
    /// What it is.
    pub kind: EventKind,
    /// ASes that did it.
    pub culprits: Vec<Asn>,
    /// ASes next to a culprit that passed it on: next hop only.
    pub accomplices: Vec<Asn>,
    /// 0 to 100: how sure.
    pub confidence: u8,
    /// Whether people found it to be a false positive: then it is named and not counted.
    pub is_dismissed: bool,
}

impl Event {
    /// Leaves out accomplices that are none (design page on MANRS, section 2.5): route servers, which
    /// decide nothing, and ASes of a culprit's own organisation.
    pub fn excuse(&mut self, facts: &Facts) {
        let culprits = &self.culprits;
        self.accomplices.retain(|&accomplice| {
            let is_sibling =
                |&culprit: &Asn| facts.same_organisation(culprit, accomplice) == Some(true);
            facts.route_servers.binary_search(&accomplice).is_err()
                && !culprits.iter().any(is_sibling)
        });
    }

    /// Whether it has any part in the period.
    fn is_in(&self, period: Period) -> bool {
        let is_over = self.until.is_some_and(|until| until <= period.from());
        self.from < period.until() && (self.from >= period.from() || !is_over)
    }
}

/// Why events make no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventTableError {
    /// More than [`EVENTS_MAX`] events in the period.
    #[error("{events} events exceed the limit of {}", EVENTS_MAX)]
    TooManyEvents {
        /// Events of the period.
        events: usize,
    },
    /// More than [`ENTRIES_MAX`] ASes in them.
    #[error("the events name more than {} ASes", ENTRIES_MAX)]
    TooManyEntries,
}

/// How large a table may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TableLimits {
    pub(crate) events: usize,
    pub(crate) entries: usize,
}

impl Default for TableLimits {
    fn default() -> Self {
        TableLimits { events: EVENTS_MAX, entries: ENTRIES_MAX }
    }
}

/// The events of one period, by AS.
#[derive(Clone, Debug)]
pub struct EventTable {
    period: Period,
    /// By time, then id.
    events: Vec<Event>,
    /// By AS, then role, then position of the event.
    entries: Vec<(Asn, Role, u32)>,
    missing: BTreeMap<EventKind, NoData>,
}

impl EventTable {
    /// The events that have a part in the period, given in any order; equal ones count once.
    pub fn new(period: Period, events: Vec<Event>) -> Result<Self, EventTableError> {
        Self::within(period, events, TableLimits::default())
    }

    pub(crate) fn within(
        period: Period,
        mut events: Vec<Event>,
        limits: TableLimits,
    ) -> Result<Self, EventTableError> {
        events.retain(|event| event.is_in(period));
        events.sort_unstable();
        events.dedup();
        if events.len() > limits.events {
            return Err(EventTableError::TooManyEvents { events: events.len() });
        }
        let mut entries = Vec::new();
        for (position, event) in (0..).zip(&events) {
            let accomplices = event.accomplices.iter().filter(|asn| !event.culprits.contains(asn));
            entries.extend(event.culprits.iter().map(|&asn| (asn, Role::Culprit, position)));
            entries.extend(accomplices.map(|&asn| (asn, Role::Accomplice, position)));
            if entries.len() > limits.entries {
                return Err(EventTableError::TooManyEntries);
            }
        }
        entries.sort_unstable();
        entries.dedup();
        Ok(EventTable { period, events, entries, missing: BTreeMap::new() })
    }

    /// The table, saying that events of a kind could not be found out.
    #[must_use]
    pub fn without(mut self, kind: EventKind, reason: NoData) -> Self {
        self.missing.insert(kind, reason);
        self
    }

    /// Why events of a kind could not be found out; `None` when they could.
    pub(crate) fn missing(&self, kind: EventKind) -> Option<&NoData> {
        self.missing.get(&kind)
    }

    /// The period.
    pub fn period(&self) -> Period {
        self.period
    }

    /// The events in which an AS has a part, by time.
    pub fn of(&self, asn: Asn, role: Role) -> impl Iterator<Item = &Event> {
        let start = self.entries.partition_point(|&(a, r, _)| (a, r) < (asn, role));
        let of_as = self.entries.get(start..).unwrap_or_default().iter();
        of_as
            .take_while(move |&&(a, r, _)| (a, r) == (asn, role))
            .filter_map(move |&(_, _, position)| self.events.get(position as usize))
    }

    /// The ASes that have a part in any, ascending.
    pub fn asns(&self) -> impl Iterator<Item = Asn> {
        let mut last = None;
        let all = self.entries.iter().map(|&(asn, _, _)| asn);
        all.filter(move |&asn| last.replace(asn) != Some(asn))
    }
}

/// The events of one AS, of which some may be dismissed for a trial.
pub(crate) struct OneAs {
    table: EventTable,
    /// Positions of those dismissed for now.
    dismissed: Vec<usize>,
}

impl OneAs {
    /// Those of a table.
    pub(crate) fn of(table: &EventTable, asn: Asn) -> Self {
        let start = table.entries.partition_point(|&(held, _, _)| held < asn);
        let end = table.entries.partition_point(|&(held, _, _)| held <= asn);
        let entries = table.entries.get(start..end).unwrap_or_default();
        let mut positions: Vec<u32> = entries.iter().map(|&(_, _, position)| position).collect();
        positions.sort_unstable();
        positions.dedup();
        let events = positions.iter().filter_map(|&at| table.events.get(at as usize).cloned());
        let entries = entries.iter().filter_map(|&(asn, role, position)| {
            let at = positions.binary_search(&position).ok()?;
            Some((asn, role, u32::try_from(at).ok()?))
        });
        let (period, missing) = (table.period, table.missing.clone());
        let table =
            EventTable { period, events: events.collect(), entries: entries.collect(), missing };
        OneAs { table, dismissed: Vec::new() }
    }

    pub(crate) fn table(&self) -> &EventTable {
        &self.table
    }

    /// As if people had found these to be false.
    pub(crate) fn dismiss(&mut self, ids: &BTreeSet<String>) {
        for (at, event) in self.table.events.iter_mut().enumerate() {
            if !event.is_dismissed && ids.contains(&event.id) {
                event.is_dismissed = true;
                self.dismissed.push(at);
            }
        }
    }

    /// As before.
    pub(crate) fn restore(&mut self) {
        for at in self.dismissed.drain(..) {
            if let Some(event) = self.table.events.get_mut(at) {
                event.is_dismissed = false;
            }
        }
    }
}
