//! Rules of measuring.
#![expect(clippy::float_cmp, reason = "raw values are exact")]

mod advice;
mod counting;
mod formula;
mod frozen;
mod groups;
mod paths;
mod profiles;
mod programmes;
mod providers;
mod rank;
mod rov;
mod scoring;

use routewarden_core::{Asn, Timestamp};

use crate::{
    AsInputs, Event, EventKind, EventTable, Measurement, MetricResult, Period, Profile, Readiness,
};

const CULPRIT: Asn = Asn(64496);
const ACCOMPLICE: Asn = Asn(64497);

fn month() -> Period {
    "2026-10".parse().unwrap()
}

/// Seconds after the month began.
fn at(secs: i64) -> Timestamp {
    month().from().plus_secs(secs)
}

const DAY: i64 = 86_400;

/// An event by [`CULPRIT`], passed on by [`ACCOMPLICE`], in seconds of the month.
fn event(id: &str, kind: EventKind, from: i64, until: i64) -> Event {
    Event {
        from: at(from),
        until: Some(at(until)),
        id: id.to_owned(),
        kind,
        culprits: vec![CULPRIT],
        accomplices: vec![ACCOMPLICE],
        confidence: 90,
        is_dismissed: false,
    }
}

fn hijack(id: &str, from: i64, until: i64) -> Event {
    event(id, EventKind::Misorigination, from, until)
}

fn readiness_of(asn: Asn, profile: &str, events: Vec<Event>, inputs: &AsInputs) -> Readiness {
    let profile = Profile::built_in(profile).unwrap();
    let events = EventTable::new(month(), events).unwrap();
    Measurement::new(&profile, &events).readiness(asn, inputs)
}

fn metric_of(readiness: &Readiness, id: &str) -> MetricResult {
    readiness.metrics.iter().find(|metric| metric.id == id).unwrap().clone()
}

/// Raw value of a metric; `None` without data.
fn raw_of(asn: Asn, profile: &str, metric: &str, events: &[Event]) -> Option<f64> {
    let readiness = readiness_of(asn, profile, events.to_vec(), &AsInputs::default());
    metric_of(&readiness, metric).raw.map(crate::Raw::value)
}
