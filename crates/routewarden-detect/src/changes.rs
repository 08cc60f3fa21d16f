//! Facts that change while the detector runs, and what the changes say by themselves.

use routewarden_core::facts::{
    AspaFinding, AspaTable, Facts, RoaFinding, RoaFindingKind, RunVrps, Sourced, StandingRoutes,
    VrpDiff, VrpTable, aspa_changes, lost_anchors, roa_changes,
};
use routewarden_core::{Prefix, Timestamp};

/// Tables that take the place of those before.
#[derive(Clone, Debug, Default)]
pub struct FactsChange {
    /// New VRPs.
    pub vrps: Option<Sourced<VrpTable>>,
    /// New ASPAs.
    pub aspas: Option<Sourced<AspaTable>>,
}

/// What one change said.
#[derive(Clone, Debug)]
pub(crate) enum ChangeFinding {
    Roa(RoaFinding),
    Aspa(AspaFinding),
}

/// Findings with their times, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChangeLog {
    pub(crate) findings: Vec<(Timestamp, ChangeFinding)>,
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
            let old = facts.vrps.as_ref().map_or(&nothing, |facts| &facts.table);
            let diff = VrpDiff::between(old, &new.table);
            let at = |known: Option<Timestamp>| known.or(Some(time));
            let before = facts.vrps.as_ref().and_then(|facts| facts.source.date);
            let found = match &facts.constituency {
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
            self.note(time, found.into_iter().map(ChangeFinding::Roa));
            facts.vrps = Some(new);
        }
        if let Some(new) = change.aspas {
            if let Some(constituency) = &facts.constituency {
                let old = facts.aspas.iter().flat_map(|facts| facts.table.iter());
                let found = aspa_changes(old, new.table.iter(), &constituency.table);
                self.note(time, found.into_iter().map(ChangeFinding::Aspa));
            }
            facts.aspas = Some(new);
        }
        touched
    }

    fn note(&mut self, time: Timestamp, found: impl Iterator<Item = ChangeFinding>) {
        let room = FINDINGS_MAX.saturating_sub(self.findings.len());
        self.findings.extend(found.take(room).map(|finding| (time, finding)));
    }
}

/// Whether a finding is of a whole trust anchor.
pub(crate) fn is_of_anchor(finding: &RoaFinding) -> bool {
    finding.kind == RoaFindingKind::TrustAnchorLoss
}
