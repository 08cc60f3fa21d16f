//! How ready a network is, by the measurement framework of MANRS: metrics out of events and counts,
//! scores out of metrics.
//!
//! The formulae are those of section 2 of the design page on MANRS and standards; what they
//! are told (which events count, how long is short, what an action's score is made of, where a
//! class begins) is a [`Profile`], a data file. What is known of an AS comes in as [`Event`]s and
//! [`AsInputs`]; what is not known gives no data with its [reason](NoData), never a zero.
//!
//! Invariants: no I/O, no clock. The same profile, period, events and inputs give the same
//! result, byte for byte, in whatever order they come. Counts, penalties and shares are whole
//! numbers throughout; see [`Penalty`] and [`Score`] for the one place with a root and a power.

mod advice;
mod aggregate;
mod document;
mod event;
mod formula;
mod frozen;
mod incident;
mod inputs;
mod otc;
mod paths;
mod penalty;
mod period;
mod places;
mod profile;
mod programme;
mod provider;
mod rank;
mod readiness;
mod rov;
mod score;

pub use advice::{ADVICE_INCIDENTS_MAX, ADVICE_MAX, Advice, AdviceKind, NamedRoutes};
pub use aggregate::{ActionSummary, AddressSpace, Aggregate, ClassCounts, Mean};
pub use document::{DOCUMENT_OCTETS_MAX, DocumentError, DocumentFault};
pub use event::{ENTRIES_MAX, EVENTS_MAX, Event, EventKind, EventTable, EventTableError, Role};
pub use incident::{CountedIncident, EVENT_IDS_LISTED_MAX, INCIDENTS_LISTED_MAX};
pub use inputs::{
    AsInputs, ContactKind, InputKind, IrrCoverage, NoData, RpkiCounts, Share, SpoofingTests,
};
pub use paths::{OfPaths, PathSeen, PathsBuilder, PathsTold};
pub use penalty::{Coefficient, DurationSteps, PENALTY_UNITS_MAX, Penalty};
pub use period::{PERIOD_DAYS_MAX, Period, PeriodError};
pub use places::{Country, region_name};
pub use profile::{
    Combine, ConfidenceWeight, ContactRule, IncidentRule, IrrMatch, IrrRule, METRICS_MAX, Measure,
    Metric, PROFILE_DEFAULT, Profile, ReadinessSteps, RpkiRule, ScoreRule, ShareOf, ShareRule,
    WhenMissing, WhenNothingAnnounced,
};
pub use programme::{
    ActionConformance, ActionState, Conformance, ConformanceState, MeasuredBy, PROGRAMMES_MAX,
    Programme, ProgrammeAction, Programmes, Which,
};
pub use provider::{
    CANDIDATES_MAX, CANDIDATES_MIN, CandidatesError, ProviderCandidate, ProviderChoice,
    ProviderReason, ProviderRule, ProviderWeight,
};
pub use rank::{Rank, Ranking};
pub use readiness::{ActionResult, Measurement, MetricResult, MetricState, Raw, Readiness};
pub use rov::{
    ROV_ASNS_MAX, ROV_CONTROL_PATHS_MAX, ROV_DROPS_FROM_PERCENT, ROV_INVALIDS_MAX,
    ROV_LEAST_DEFAULT, ROV_PASSES_TO_PERCENT, ROV_PATH_ASNS_MAX, RovBuilder, RovEvidence,
    RovJudgement, RovVerdict,
};
pub use score::{ReadinessClass, Score};

#[cfg(test)]
mod tests;
