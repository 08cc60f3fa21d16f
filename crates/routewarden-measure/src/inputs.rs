//! What is known of one AS beside its incidents: counts, each known or missing with a reason.

use std::collections::BTreeSet;

use routewarden_core::facts::{AspaTable, IrrState, IrrTable, RelationTable, RovState, VrpTable};
use routewarden_core::{Asn, Origin, Prefix, Timestamp};
use serde::{Deserialize, Serialize};

use crate::frozen::Frozen;

/// Where figures come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// Incidents of the period.
    Incidents,
    /// Delegated files of the registries: which space and ASNs nobody holds.
    Delegations,
    /// Sessions of the CAIDA Spoofer project.
    Spoofer,
    /// Who announced what.
    Routes,
    /// Route objects.
    Irr,
    /// Validated ROA payloads.
    Vrps,
    /// Contacts in registries and PeeringDB.
    Contacts,
    /// Provider authorisations.
    Aspas,
    /// Who is whose provider.
    Relations,
    /// Routes with the Only-to-Customer attribute.
    OtcRoutes,
    /// RPKI-invalid routes and whom they passed.
    InvalidRoutes,
}

impl InputKind {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            InputKind::Incidents => "incidents",
            InputKind::Delegations => "delegated files of the registries",
            InputKind::Spoofer => "sessions of CAIDA Spoofer",
            InputKind::Routes => "announced routes",
            InputKind::Irr => "route objects",
            InputKind::Vrps => "VRPs",
            InputKind::Contacts => "contacts",
            InputKind::Aspas => "ASPAs",
            InputKind::Relations => "relationships of ASes",
            InputKind::OtcRoutes => "routes with OTC",
            InputKind::InvalidRoutes => "RPKI-invalid routes",
        }
    }
}

/// Why a metric has no value. Never a zero, and never a full score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum NoData {
    /// Not given.
    #[error("no {} given", .input.words())]
    InputMissing {
        /// What is not given.
        input: InputKind,
    },
    /// Too old to say anything of the period.
    #[error("{} of {date} too old for the period", .input.words())]
    InputTooOld {
        /// What is too old.
        input: InputKind,
        /// Its date.
        date: Timestamp,
    },
    /// Nobody tested for spoofing in the period.
    #[error("no public test for spoofing in the period")]
    NoTests,
    /// The AS announced no prefix.
    #[error("no prefix announced in the period")]
    NothingAnnounced,
    /// Too little was seen to judge.
    #[error("{have} seen, {least} needed")]
    TooFew {
        /// How many were seen.
        have: u32,
        /// How many the profile asks for.
        least: u32,
    },
}

impl NoData {
    const fn missing(input: InputKind) -> Self {
        NoData::InputMissing { input }
    }
}

/// M5: public tests for spoofing in the period (design page on MANRS, section 2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpoofingTests {
    /// Sessions run in the AS.
    pub tests: u32,
    /// Distinct prefixes from which spoofed packets were received.
    pub received_prefixes: u32,
}

/// M7IRR: routes of the period against route objects. A route announced even briefly counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IrrCoverage {
    /// Routes announced.
    pub announced: u32,
    /// Of these, with a route object of exactly this prefix and origin.
    pub exact: u32,
    /// Of these, without one, but covered by a route object of this origin.
    pub covered: u32,
}

impl IrrCoverage {
    /// Counts the routes of one origin, each given once.
    pub fn of(origin: Asn, routes: impl IntoIterator<Item = Prefix>, irr: &IrrTable) -> Self {
        let mut counts = IrrCoverage::default();
        for prefix in routes {
            counts.announced = counts.announced.saturating_add(1);
            match irr.state(&prefix, Origin::As(origin)) {
                IrrState::Valid => counts.exact = counts.exact.saturating_add(1),
                IrrState::MoreSpecific => counts.covered = counts.covered.saturating_add(1),
                IrrState::InvalidAsn | IrrState::NotFound => {}
            }
        }
        counts
    }
}

/// M7RPKI, M7RPKIN: routes of the period by state of route origin validation (RFC 6811 §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RpkiCounts {
    /// Valid.
    pub valid: u32,
    /// Not found.
    pub not_found: u32,
    /// Invalid.
    pub invalid: u32,
}

impl RpkiCounts {
    /// Counts the routes of one origin, each given once.
    pub fn of(origin: Asn, routes: impl IntoIterator<Item = Prefix>, vrps: &VrpTable) -> Self {
        let mut counts = RpkiCounts::default();
        for prefix in routes {
            let count = match vrps.state(&prefix, Origin::As(origin)).0 {
                RovState::Valid => &mut counts.valid,
                RovState::NotFound => &mut counts.not_found,
                RovState::Invalid => &mut counts.invalid,
            };
            *count = count.saturating_add(1);
        }
        counts
    }

    /// All routes.
    pub fn total(self) -> u64 {
        u64::from(self.valid) + u64::from(self.not_found) + u64::from(self.invalid)
    }
}

/// A contact that can be looked up. Those that count are named by the profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactKind {
    /// `admin-c` or the like in a registry.
    RirAdmin,
    /// `tech-c`, `OrgTechRef` or the like in a registry.
    RirTechnical,
    /// `OrgNocRef` or the like in a registry.
    RirNoc,
    /// `abuse-c` or the like in a registry: not operational.
    RirAbuse,
    /// A contact of the `aut-num` in a routing registry.
    Irr,
    /// Public network operations contact in PeeringDB.
    PeeringDbNoc,
    /// Public technical contact in PeeringDB.
    PeeringDbTechnical,
    /// Public peering contact in PeeringDB.
    PeeringDbPolicy,
    /// Public abuse contact in PeeringDB: not operational.
    PeeringDbAbuse,
}

impl ContactKind {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            ContactKind::RirAdmin => "administrative contact in a registry",
            ContactKind::RirTechnical => "technical contact in a registry",
            ContactKind::RirNoc => "network operations contact in a registry",
            ContactKind::RirAbuse => "abuse contact in a registry",
            ContactKind::Irr => "contact in a routing registry",
            ContactKind::PeeringDbNoc => "public network operations contact in PeeringDB",
            ContactKind::PeeringDbTechnical => "public technical contact in PeeringDB",
            ContactKind::PeeringDbPolicy => "public peering contact in PeeringDB",
            ContactKind::PeeringDbAbuse => "public abuse contact in PeeringDB",
        }
    }
}

/// How many of how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Those that are as they should be.
    pub part: u32,
    /// All.
    pub whole: u32,
}

impl Share {
    /// Of the providers that an AS is known to have, those that its own ASPA names: none where it has
    /// no ASPA.
    pub fn of_providers(asn: Asn, relations: &RelationTable, aspas: &AspaTable) -> Self {
        let named = aspas.providers(asn).unwrap_or_default();
        relations.providers(asn).fold(Share::default(), |share, provider| Share {
            part: share.part.saturating_add(u32::from(named.binary_search(&provider).is_ok())),
            whole: share.whole.saturating_add(1),
        })
    }
}

/// What is known of one AS in the period, beside its incidents. Serialised small: a field that is not
/// given is left out, so that an AS of which nothing is known is `{}`; else it is
/// `{"Ok": figures}` or `{"Err": reason}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Frozen", from = "Frozen")]
pub struct AsInputs {
    /// For M5.
    pub spoofing: Result<SpoofingTests, NoData>,
    /// For M7IRR.
    pub irr: Result<IrrCoverage, NoData>,
    /// For M7RPKI and M7RPKIN.
    pub rpki: Result<RpkiCounts, NoData>,
    /// For M8: the sorts of contacts found; empty when looked up and none was there.
    pub contacts: Result<BTreeSet<ContactKind>, NoData>,
    /// Of its known providers, those that the AS's own ASPA names.
    pub aspa_providers: Result<Share, NoData>,
    /// Of the routes that it got from a provider or peer and gave to a customer, those with OTC
    /// (RFC 9234 §5).
    pub otc_marked: Result<Share, NoData>,
    /// Of the RPKI-invalid routes that a neighbour offered, those that it did not pass on.
    pub invalids_dropped: Result<Share, NoData>,
}

impl Default for AsInputs {
    /// Nothing is given.
    fn default() -> Self {
        AsInputs {
            spoofing: Err(NoData::missing(InputKind::Spoofer)),
            irr: Err(NoData::missing(InputKind::Irr)),
            rpki: Err(NoData::missing(InputKind::Vrps)),
            contacts: Err(NoData::missing(InputKind::Contacts)),
            aspa_providers: Err(NoData::missing(InputKind::Aspas)),
            otc_marked: Err(NoData::missing(InputKind::OtcRoutes)),
            invalids_dropped: Err(NoData::missing(InputKind::InvalidRoutes)),
        }
    }
}
