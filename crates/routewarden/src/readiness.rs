//! How ready networks are: what the measurement framework is told, and what it says.
//!
//! ```text
//! incidents, verdicts ─► events  ┐
//! tables, origins     ─► routes  ├─► survey ─► readiness of each AS ─► answers ─► table, JSON, CSV, pages
//! VRPs, IRR, Spoofer, ─► inputs  ┘
//! contacts
//! ```
//!
//! The formulae are `routewarden-measure`'s; here is where the figures come from, and in what form they
//! go out. The command line and the API give the same documents.

mod answer;
mod events;
mod export;
mod groups;
mod inputs;
mod observatory;
mod observatory_shape;
mod ranking;
mod record;
mod report;
mod routes;
mod survey;

pub(crate) use answer::{AsAnswer, Head};
pub(crate) use events::{EventSource, Events, unknown_events};
pub(crate) use export::{Row, csv, parquet, state_name};
pub(crate) use groups::{Group, GroupBy, alone, group, group_where, groups, past_means, put_trend};
pub(crate) use inputs::{Beside, References, Source};
pub use observatory::Observatory;
pub(crate) use observatory::{Held, MeasuredMonth, NotMeasured, ToKeep, WINDOWS_DAYS};
pub(crate) use observatory_shape::ScoresSummary;
pub(crate) use ranking::{Choice, page, ranked};
pub(crate) use record::sha256;
pub(crate) use report::report;
pub(crate) use routes::{Announced, Seen};
pub(crate) use survey::{Measured, Span, Survey, Surveyed, look_up};
