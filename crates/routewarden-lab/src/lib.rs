//! Scenarios: who announced what, when, with which paths, written down as TOML and replayed
//! as [`EventBatch`](routewarden_core::EventBatch)es through the same pipeline as real archives.
//!
//! A scenario holds the collector peers, the routes standing at its start, the events, the
//! reference facts detection may use, and what detection is expected to report. The format is
//! described field by field in `scenarios/FORMAT.md`.
//!
//! Invariants: no I/O, no async, no clock. [`Scenario::parse`] reads untrusted text: every limit
//! is a named constant, every fault names the line it stands on.

mod document;
mod error;
mod expect;
mod expect_text;
mod facts;
mod facts_text;
mod replay;
mod route_text;
mod scenario;
mod standing;
mod writer;

pub use error::{Error, Fault};
pub use expect::{Expectation, Leak, MemberRole, Mismatch, Observed};
pub use facts::{
    AsNameFact, AspaFact, Constituency, ConstituencyMember, Facts, FactsChange, OrganisationFact,
    OriginFact, RelationFact, RelationKind, VrpFact,
};
pub use replay::{BATCH_EVENTS, Step};
pub use route_text::{PATH_ASNS_MAX, PATH_COMMUNITIES_MAX};
pub use scenario::Scenario;

/// Version of the scenario format this crate reads.
pub const FORMAT: u32 = 1;
/// Largest scenario text, in octets.
pub const SCENARIO_OCTETS_MAX: usize = 4 << 20;
/// Most sessions of collectors with peers in one scenario.
pub const PEERS_MAX: usize = 1_000;
/// Most route events one scenario may expand to, table entries included.
pub const ROUTE_EVENTS_MAX: usize = 200_000;
/// Most origins or VRPs one scenario may expand to, and most VRPs that its events add and remove.
pub const FACTS_MAX: usize = 200_000;
/// Most seconds that a path's `+SECONDS` may add to its event's time.
pub const OFFSET_SECS_MAX: u32 = 86_400;

#[cfg(test)]
mod tests;
