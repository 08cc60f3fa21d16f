//! From events to the incidents that are counted: clipped to the period, merged where they overlap
//! (design page on MANRS, section 2.1).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use routewarden_core::{Asn, Timestamp};
use serde::Serialize;

use crate::{Coefficient, DurationSteps, Event, EventTable, IncidentRule, NoData, Penalty, Period};

/// Most incidents listed of one metric; all are counted.
pub const INCIDENTS_LISTED_MAX: usize = 1_000;
/// Most ids of events listed of one incident; all events are counted.
pub const EVENT_IDS_LISTED_MAX: usize = 1_000;

/// What a metric counts as one: events of one weight that overlap or touch in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CountedIncident {
    /// Beginning, within the period.
    pub from: Timestamp,
    /// End: of the period where the event lasts, later where the profile has a least duration.
    pub until: Timestamp,
    /// For how long it lasted.
    pub coefficient: Coefficient,
    /// In per cent.
    pub weight_percent: u8,
    /// Ids of the first [`EVENT_IDS_LISTED_MAX`] events by time, in order of the alphabet.
    pub events: BTreeSet<String>,
}

/// The incidents of one metric of one AS.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counted {
    pub(crate) penalty: Penalty,
    /// All of them.
    pub(crate) incident_count: u32,
    /// The first [`INCIDENTS_LISTED_MAX`] by time.
    pub(crate) incidents: Vec<CountedIncident>,
    /// Events counted.
    pub(crate) events: u32,
    /// Events that people found to be false positives.
    pub(crate) dismissed: u32,
    /// Events too doubtful for the profile.
    pub(crate) doubtful: u32,
}

/// Counts what an AS has part in by one rule of a profile.
pub(crate) fn count(
    rule: &IncidentRule,
    steps: DurationSteps,
    table: &EventTable,
    asn: Asn,
) -> Result<Counted, NoData> {
    if let Some(reason) = rule.events.iter().find_map(|&kind| table.missing(kind)) {
        return Err(reason.clone());
    }
    let mut counted = Counted::default();
    let mut by_weight: BTreeMap<u8, Vec<(Span, &Event)>> = BTreeMap::new();
    let events = table.of(asn, rule.role).filter(|event| rule.events.contains(&event.kind));
    for event in events {
        if event.is_dismissed {
            counted.dismissed += 1;
        } else if let Some(percent) = rule.weight_percent(event.confidence) {
            counted.events += 1;
            let span = Span::of(event, table.period(), rule.lasts_at_least_secs);
            by_weight.entry(percent).or_default().push((span, event));
        } else {
            counted.doubtful += 1;
        }
    }
    let mut incidents: Vec<CountedIncident> = Vec::new();
    for (percent, spans) in by_weight {
        incidents.extend(merge(spans, percent, steps));
    }
    incidents.sort_by_key(|incident| (incident.from, incident.until, incident.weight_percent));
    for incident in &incidents {
        let cost = Penalty::weighted(incident.coefficient, incident.weight_percent);
        counted.penalty = counted.penalty.plus(cost);
    }
    counted.incident_count = u32::try_from(incidents.len()).unwrap_or(u32::MAX);
    incidents.truncate(INCIDENTS_LISTED_MAX);
    counted.incidents = incidents;
    Ok(counted)
}

/// A stretch of time, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Span {
    from: Timestamp,
    until: Timestamp,
}

impl Span {
    /// The part of an event in the period, no shorter than the source can tell. An event that lasts
    /// ends with the period.
    fn of(event: &Event, period: Period, at_least_secs: u32) -> Self {
        let from = event.from.max(period.from());
        let until = event.until.map_or(period.until(), |until| until.min(period.until()));
        Span { from, until: until.max(from.plus_secs(i64::from(at_least_secs))) }
    }

    fn lasted(self) -> Duration {
        let micros = self.until.micros().saturating_sub(self.from.micros());
        Duration::from_micros(u64::try_from(micros).unwrap_or_default())
    }
}

/// Events of one weight that overlap or touch become one.
fn merge(
    mut spans: Vec<(Span, &Event)>,
    weight_percent: u8,
    steps: DurationSteps,
) -> Vec<CountedIncident> {
    spans.sort_unstable();
    let mut merged: Vec<(Span, BTreeSet<String>)> = Vec::new();
    for (span, event) in spans {
        match merged.last_mut() {
            Some((last, ids)) if span.from <= last.until => {
                last.until = last.until.max(span.until);
                if ids.len() < EVENT_IDS_LISTED_MAX {
                    ids.insert(event.id.clone());
                }
            }
            _ => merged.push((span, BTreeSet::from([event.id.clone()]))),
        }
    }
    let counted = merged.into_iter().map(|(span, events)| CountedIncident {
        from: span.from,
        until: span.until,
        coefficient: steps.coefficient(span.lasted()),
        weight_percent,
        events,
    });
    counted.collect()
}
