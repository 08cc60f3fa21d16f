//! Ties between incidents of one report: what came of what.

use std::collections::BTreeMap;

use routewarden_core::{Asn, Prefix};

use crate::incident::{Incident, IncidentKind, Related, RelationKind};

/// An effect shows within this time of its cause.
const EFFECT_SECS: i64 = 86_400;
/// Most ties noted of one incident.
const RELATED_MAX: usize = 20;
/// Most incidents that are compared with one another at the same time of the report.
const COMPARED_MAX: usize = 512;

/// Ties incidents, sorted by first seen, to one another.
pub(super) fn relate(incidents: &mut [Incident]) {
    let mut ties: Vec<(usize, usize, RelationKind)> = Vec::new();
    for (at, later) in incidents.iter().enumerate() {
        let before = incidents.get(..at).unwrap_or_default().iter().enumerate().rev();
        let recent = before
            .take_while(|(_, earlier)| {
                later.first_seen.secs_since(earlier.first_seen) <= EFFECT_SECS
            })
            .take(COMPARED_MAX);
        for (other, earlier) in recent {
            if let Some(relation) = relation(earlier, later) {
                ties.push((at, other, relation));
            } else if earlier.first_seen == later.first_seen
                && let Some(relation) = relation(later, earlier)
            {
                ties.push((other, at, relation));
            }
        }
    }
    let ids: Vec<String> = incidents.iter().map(|incident| incident.id.clone()).collect();
    let mut related: BTreeMap<usize, Vec<Related>> = BTreeMap::new();
    for (at, other, relation) in ties {
        let mut note = |at: usize, other: usize, relation| {
            let list = related.entry(at).or_default();
            if let Some(id) = ids.get(other)
                && list.len() < RELATED_MAX
            {
                list.push(Related { id: id.clone(), relation });
            }
        };
        note(at, other, relation);
        note(other, at, relation.reversed());
    }
    for (at, list) in related {
        if let Some(incident) = incidents.get_mut(at) {
            incident.related = list;
            incident.related.sort_unstable();
        }
    }
}

/// What the earlier incident is to the later one.
fn relation(earlier: &Incident, later: &Incident) -> Option<RelationKind> {
    let (cause, effect) = (earlier.kind, later.kind);
    if !earlier.kind.is_serious() && !is_of_rpki(cause) || !shares_space(earlier, later) {
        return None;
    }
    if is_of_rpki(cause) && (effect == IncidentKind::RpkiInvalid || effect.is_outage()) {
        return Some(RelationKind::CausedBy);
    }
    if !overlaps(earlier, later) {
        return None;
    }
    if cause == IncidentKind::RouteLeak
        && effect.is_hijack()
        && is_on_paths(later, &earlier.culprits)
    {
        return Some(RelationKind::CausedBy);
    }
    if cause.is_outage() && effect.is_hijack() {
        return Some(RelationKind::SurfacedBy);
    }
    let has_own_cause = earlier.culprits != later.culprits;
    (has_own_cause && cause.is_serious() && effect.is_serious()).then_some(RelationKind::Coincides)
}

/// Changes of what the RPKI says, and routes that it turned invalid.
fn is_of_rpki(kind: IncidentKind) -> bool {
    matches!(
        kind,
        IncidentKind::RoaChange | IncidentKind::TrustAnchorLoss | IncidentKind::RpkiInvalid
    )
}

fn overlaps(earlier: &Incident, later: &Incident) -> bool {
    earlier.ended_at.is_none_or(|end| end >= later.first_seen)
}

/// Whether a listed prefix of one covers, or is, one of the other.
fn shares_space(a: &Incident, b: &Incident) -> bool {
    let meets = |p: &Prefix, q: &Prefix| p.covers(q) || q.covers(p);
    let short = |incident: &Incident| incident.prefixes.iter().take(LISTED_MAX).copied().collect();
    let (a, b): (Vec<Prefix>, Vec<Prefix>) = (short(a), short(b));
    a.iter().any(|p| b.iter().any(|q| meets(p, q)))
}

/// Prefixes of an incident that are compared with those of another.
const LISTED_MAX: usize = 16;

fn is_on_paths(incident: &Incident, asns: &[Asn]) -> bool {
    let hops = incident.sample_paths.iter().flat_map(|sample| sample.path.split(' '));
    let mut on_paths = hops.filter_map(|hop| hop.parse().ok().map(Asn));
    on_paths.any(|hop| asns.contains(&hop))
}
