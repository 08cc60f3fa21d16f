//! What a path shows by itself: a leak, or a link that nobody knows.

use std::borrow::Cow;

use routewarden_core::Asn;
use routewarden_core::facts::{AspaOffence, AspaState};
use serde::{Deserialize, Serialize};

use crate::incident::{ForgedLink, LeakTriple};
use crate::path::Basis;

/// What the path of a claimed route shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PathFinding {
    Leak(LeakFinding),
    Link(LinkFinding),
}

impl PathFinding {
    /// Takes over what the path of a further witness proves better of the same leak or link: which
    /// of them was heard first must not decide.
    pub(crate) fn strengthen(&mut self, other: &PathFinding) {
        match (self, other) {
            (PathFinding::Leak(known), PathFinding::Leak(other))
                if known.triple == other.triple && other.proof.rank() < known.proof.rank() =>
            {
                *known = *other;
            }
            (PathFinding::Link(known), PathFinding::Link(other))
                if known.link == other.link && known.denied_by_aspa.is_none() =>
            {
                known.denied_by_aspa = other.denied_by_aspa;
                known.aspa = known.aspa.or(other.aspa);
            }
            _ => {}
        }
    }
}

/// A route passed on beyond its intended scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LeakFinding {
    pub(crate) triple: LeakTriple,
    pub(crate) proof: LeakProof,
    /// Position of the leaker in the path, the collector's peer first.
    pub(crate) at: usize,
    /// How often the AS that the leaker has the route from stands in a row.
    pub(crate) repeats_of_from: usize,
}

/// What a leak is known by, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum LeakProof {
    /// `OTC` of this AS, and a later hop that goes to a provider or peer (RFC 9234 §5).
    Otc(Asn),
    /// The path is invalid by ASPA at this hop.
    Aspa(AspaOffence),
    /// Both relations are known: the weaker basis, and the lower confidence in percent.
    Relations(Basis, u8),
}

impl LeakProof {
    /// Lower is stronger.
    pub(crate) fn rank(self) -> u8 {
        match self {
            LeakProof::Otc(_) => 0,
            LeakProof::Aspa(_) => 1,
            LeakProof::Relations(basis, _) => 2 + basis as u8,
        }
    }
}

/// Name and value of what makes a link look forged.
pub(crate) type SuspicionReason = (Cow<'static, str>, i64);

/// A link that no path of the table and no fact shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LinkFinding {
    pub(crate) link: ForgedLink,
    /// Hops from `b` to the origin: 0 when `b` is the origin (type 1).
    pub(crate) depth: usize,
    /// How often `b` stands in a row.
    pub(crate) repeats: usize,
    /// How unlike a real link it is, 0 to 100, and why; `None` where the table is too small.
    pub(crate) suspicion: Option<(u8, Vec<SuspicionReason>)>,
    /// The ASPA of `b` does not name `a`.
    pub(crate) denied_by_aspa: Option<AspaOffence>,
    /// Verification of the path.
    pub(crate) aspa: Option<AspaState>,
    /// `b` is a constituent whose statement of upstreams does not name `a`.
    pub(crate) denied_by_operator: bool,
    /// The prefix was not known, only one that covers it.
    pub(crate) is_more_specific: bool,
}
