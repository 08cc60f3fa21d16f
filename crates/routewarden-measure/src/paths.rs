//! What the paths of a table tell of the ASes on them: who drops RPKI-invalid routes, and who marks
//! routes with OTC.

use std::collections::BTreeMap;

use routewarden_core::facts::{Facts, RelationTable, RovState, VrpTable};
use routewarden_core::{Asn, Origin, Prefix};

use crate::otc::OtcBuilder;
use crate::{RovBuilder, RovEvidence, Share};

/// A route of a prefix, as a peer of a collector had it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathSeen<'a> {
    /// The peer first, the origin last.
    pub path: &'a [Asn],
    /// Value of the Only-to-Customer attribute.
    pub otc: Option<Asn>,
}

/// Gathers the paths of a table.
#[derive(Clone, Debug)]
pub struct PathsBuilder<'a> {
    rov: Option<(&'a VrpTable, RovBuilder)>,
    invalid_routes: u64,
    otc: Option<OtcBuilder<'a>>,
}

/// Figures of a sort, by AS, and from how many routes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfPaths<T> {
    /// Routes that told: RPKI-invalid ones (prefix and origin), or those with OTC as each peer had them.
    pub routes: u64,
    /// ASes without any are left out.
    pub by_as: BTreeMap<Asn, T>,
}

/// What paths told; `None` where the facts that it needs were not given, or nothing was there to
/// tell of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathsTold {
    /// Who was offered RPKI-invalid routes, and dropped them.
    pub rov: Option<OfPaths<RovEvidence>>,
    /// Of routes given to customers, those with OTC.
    pub otc: Option<OfPaths<Share>>,
    /// Routes that were not taken because of limits.
    pub over_limit: u64,
}

impl<'a> PathsBuilder<'a> {
    /// With what the facts allow. `invalid_origins` are all that announce an RPKI-invalid route.
    pub fn new(facts: &'a Facts, invalid_origins: impl IntoIterator<Item = Asn>) -> Self {
        let vrps = facts.vrps.as_ref().map(|sourced| &sourced.table);
        let relations: Option<&RelationTable> =
            facts.relations.as_ref().map(|sourced| &sourced.table);
        PathsBuilder {
            rov: vrps.map(|vrps| (vrps, RovBuilder::new(invalid_origins))),
            invalid_routes: 0,
            otc: relations.map(OtcBuilder::new),
        }
    }

    /// Whether these facts allow to tell anything.
    pub fn can_tell(facts: &Facts) -> bool {
        facts.vrps.is_some() || facts.relations.is_some()
    }

    /// All routes of a prefix, in any order. Paths may have prepends, and no sets.
    pub fn add(&mut self, prefix: Prefix, routes: &[PathSeen<'_>]) {
        self.add_to_rov(prefix, routes);
        let Some(otc) = &mut self.otc else { return };
        for route in routes {
            let mut path = route.path.to_vec();
            path.dedup();
            otc.add(prefix, &path, route.otc);
        }
    }

    fn add_to_rov(&mut self, prefix: Prefix, routes: &[PathSeen<'_>]) {
        let Some((vrps, rov)) = &mut self.rov else { return };
        let mut states: BTreeMap<Asn, RovState> = BTreeMap::new();
        for origin in routes.iter().filter_map(|route| route.path.last()) {
            states.entry(*origin).or_insert_with(|| vrps.state(&prefix, Origin::As(*origin)).0);
        }
        // Where another origin is valid, an invalid route is not preferred anyway.
        let is_rivalled = states.values().any(|&state| state == RovState::Valid);
        let is_told = |state| state != RovState::Invalid || !is_rivalled;
        let invalid = states.values().filter(|&&state| state == RovState::Invalid);
        self.invalid_routes += if is_rivalled { 0 } else { invalid.count() as u64 };
        for route in routes {
            let state = route.path.last().and_then(|origin| states.get(origin));
            if let Some(&state) = state.filter(|&&state| is_told(state)) {
                rov.add(prefix, state, route.path);
            }
        }
    }

    /// What was told.
    pub fn finish(self) -> PathsTold {
        let mut told = PathsTold::default();
        if let Some((_, rov)) = self.rov {
            told.over_limit = rov.over_limit();
            told.rov = Some(OfPaths { routes: self.invalid_routes, by_as: rov.finish() });
        }
        let otc = self.otc.and_then(OtcBuilder::finish);
        told.otc = otc.map(|(routes, by_as)| OfPaths { routes, by_as });
        told
    }
}
