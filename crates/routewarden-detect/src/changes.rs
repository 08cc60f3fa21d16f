//! Facts that change while the detector runs, and what the changes say by themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use routewarden_core::facts::{
    ANCHOR_LOSS_DIVISOR, AsNameTable, AspaFinding, AspaFindingKind, AspaTable, Constituency,
    DelegationTable, Facts, OrganisationTable, OriginTable, RelationTable, RoaFinding,
    RoaFindingKind, RunVrps, Sourced, StandingRoutes, Vrp, VrpDiff, VrpTable, aspa_changes,
    lost_anchors, roa_changes,
};
use routewarden_core::{Prefix, Timestamp};
use serde::{Deserialize, Serialize};

use crate::rules::cite;

/// Tables that take the place of those before.
#[derive(Clone, Debug, Default)]
pub struct FactsChange {
    /// New VRPs.
    pub vrps: Option<Sourced<VrpTable>>,
    /// New ASPAs.
    pub aspas: Option<Sourced<AspaTable>>,
    /// Origins known of prefixes; those known before stay known.
    pub origins: Option<Sourced<OriginTable>>,
    /// Organisations of ASes.
    pub organisations: Option<Sourced<OrganisationTable>>,
    /// Relationships; see [`Detector::relearn`](crate::Detector::relearn).
    pub relations: Option<Sourced<RelationTable>>,
    /// Names of ASes.
    pub as_names: Option<Sourced<AsNameTable>>,
    /// Whom we watch over.
    pub constituency: Option<Sourced<Constituency>>,
    /// What the registries have given out, all of it.
    pub delegations: Option<Vec<Sourced<DelegationTable>>>,
}

/// What one change said.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum ChangeFinding {
    Roa(RoaFinding),
    Aspa(AspaFinding),
}

/// A finding with the time of its change, and of the one that took it back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) time: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
    /// The new table, as cited.
    pub(crate) source: Arc<str>,
    pub(crate) finding: ChangeFinding,
}

/// Findings in their order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ChangeLog {
    pub(crate) changes: Vec<Change>,
    /// How many VRPs each trust anchor had when it lost too many, by name.
    anchors: BTreeMap<Box<str>, usize>,
}

/// Most findings remembered.
const FINDINGS_MAX: usize = 100_000;

impl ChangeLog {
    /// Compares the new tables with those of `facts`, puts them there, and gives the prefixes whose
    /// standing routes need a new look.
    pub(crate) fn apply(
        &mut self,
        time: Timestamp,
        facts: &mut Facts,
        change: FactsChange,
        routes: &StandingRoutes<'_>,
    ) -> Vec<Prefix> {
        let mut touched = Vec::new();
        if let Some(new) = change.vrps {
            let nothing = VrpTable::default();
            // The first table is no change: what it says is the state to start from.
            let is_first = facts.vrps.is_none();
            let old = facts.vrps.as_ref().map_or(&nothing, |facts| &facts.table);
            let diff = VrpDiff::between(old, &new.table);
            let at = |known: Option<Timestamp>| known.or(Some(time));
            let before = facts.vrps.as_ref().and_then(|facts| facts.source.date);
            let found = match &facts.constituency {
                _ if is_first => Vec::new(),
                Some(constituency) => roa_changes(
                    &diff,
                    RunVrps { table: old, at: before },
                    RunVrps { table: &new.table, at: at(new.source.date) },
                    &constituency.table,
                    routes,
                ),
                None => lost_anchors(&diff),
            };
            touched = diff.touched();
            self.end(time, &new.table, &diff);
            let source = cite(&new.source).into();
            self.note((time, source), found.into_iter().map(ChangeFinding::Roa));
            facts.vrps = Some(new);
        }
        if let Some(new) = change.aspas {
            if let (Some(constituency), Some(_)) = (&facts.constituency, &facts.aspas) {
                let old = facts.aspas.iter().flat_map(|facts| facts.table.iter());
                let found = aspa_changes(old, new.table.iter(), &constituency.table);
                let found = found.into_iter().filter(|finding| is_against(finding.kind));
                let source = cite(&new.source).into();
                self.note((time, source), found.map(ChangeFinding::Aspa));
            }
            facts.aspas = Some(new);
        }
        facts.origins = change.origins.or(facts.origins.take());
        facts.organisations = change.organisations.or(facts.organisations.take());
        facts.relations = change.relations.or(facts.relations.take());
        facts.as_names = change.as_names.or(facts.as_names.take());
        facts.constituency = change.constituency.or(facts.constituency.take());
        if let Some(delegations) = change.delegations {
            facts.delegations = delegations;
        }
        touched
    }

    /// Forgets findings that ended before `before`, and those without an end that were made before
    /// it; gives their number.
    pub(crate) fn retire(&mut self, before: Timestamp) -> usize {
        let had = self.changes.len();
        self.changes.retain(|change| change.ended_at.unwrap_or(change.time) >= before);
        had - self.changes.len()
    }

    /// Ends what the new VRPs take back.
    fn end(&mut self, time: Timestamp, new: &VrpTable, diff: &VrpDiff) {
        let ChangeLog { changes, anchors } = self;
        let has = |vrp: &Vrp| {
            let same = |held: &Vrp| (held.asn, held.max_len) == (vrp.asn, vrp.max_len);
            new.covering(&vrp.prefix).take_while(|held| held.prefix == vrp.prefix).any(|v| same(&v))
        };
        for change in changes.iter_mut().filter(|change| change.ended_at.is_none()) {
            let ChangeFinding::Roa(finding) = &change.finding else { continue };
            let is_over = match finding.kind {
                RoaFindingKind::TrustAnchorLoss => {
                    let had = anchors.get(&finding.trust_anchor).copied().unwrap_or(0);
                    let of_name = diff.anchors().iter().find(|a| a.name == finding.trust_anchor);
                    of_name.is_some_and(|now| {
                        now.after * ANCHOR_LOSS_DIVISOR >= had * (ANCHOR_LOSS_DIVISOR - 1)
                    })
                }
                RoaFindingKind::ForeignAsn
                | RoaFindingKind::As0Added
                | RoaFindingKind::Loosened => !finding.after.iter().any(has),
                RoaFindingKind::Removed => finding.before.iter().all(has),
                RoaFindingKind::Expiring => false,
            };
            change.ended_at = is_over.then_some(time);
        }
        for anchor in diff.anchors() {
            anchors.entry(anchor.name.clone()).or_insert(anchor.before);
        }
    }

    fn note(
        &mut self,
        (time, source): (Timestamp, Arc<str>),
        found: impl Iterator<Item = ChangeFinding>,
    ) {
        let room = FINDINGS_MAX.saturating_sub(self.changes.len());
        let change =
            |finding| Change { time, ended_at: None, source: Arc::clone(&source), finding };
        self.changes.extend(found.take(room).map(change));
    }
}

/// Whether a change of an ASPA may harm: one that is new, or names one more of the expected
/// upstreams, does not.
fn is_against(kind: AspaFindingKind) -> bool {
    match kind {
        AspaFindingKind::ForeignProvider
        | AspaFindingKind::ProviderRemoved
        | AspaFindingKind::Removed => true,
        AspaFindingKind::Added | AspaFindingKind::ProviderAdded => false,
    }
}
