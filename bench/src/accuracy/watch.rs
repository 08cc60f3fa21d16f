//! Shows the rivals the events that Routewarden is shown, and finds when its quorum was there.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use routewarden_core::facts::Relation;
use routewarden_core::{
    Asn, EventBatch, PeerId, PeerTable, Prefix, RouteAttributes, RouteEventKind, Timestamp,
};
use routewarden_detect::{QUORUM_DEFAULT, QUORUM_VANTAGE_POINTS_MIN};
use routewarden_feeds::facts::{load_file, load_relations};
use routewarden_rivals::roa::vrp_table;
use routewarden_rivals::{Artemis, Bgpalerter, Naive, Rival, Roa, StartingTable};

use super::OURS;
use super::finding::Finding;

/// Lets the table know the links of a file of AS relations, as the operators concerned do: a
/// customer its provider, peers each other.
pub fn know_relations(table: &mut StartingTable, file: &Path) -> anyhow::Result<()> {
    for link in load_file(file, None, load_relations)?.facts.table.iter() {
        let (provider, customer) = match link.relation {
            Relation::Provider => (link.b, link.a),
            _ => (link.a, link.b),
        };
        table.know_link(provider, customer);
        if link.relation == Relation::Peer {
            table.know_link(customer, provider);
        }
    }
    Ok(())
}

/// The rivals, from the table that they are configured from to their alarms.
pub struct Watch {
    table: StartingTable,
    /// What is announced before is part of the table.
    from: Option<Timestamp>,
    /// Known at the start; `None` when nothing is known of any.
    roas: Option<Vec<Roa>>,
    /// Empty until the first event after the table.
    rivals: Vec<Box<dyn Rival>>,
    witnesses: Witnesses,
}

impl Watch {
    /// With what is known before any event, and the findings of Routewarden whose quorum is looked
    /// for.
    pub fn new(
        table: StartingTable,
        from: Option<Timestamp>,
        roas: Option<Vec<Roa>>,
        findings: &[Finding],
    ) -> Self {
        Watch { table, from, roas, rivals: Vec::new(), witnesses: Witnesses::new(findings) }
    }

    /// Takes the events `run` of a batch, as a detector does.
    pub fn take(
        &mut self,
        batch: &EventBatch,
        run: Range<usize>,
        peer_ids: &[PeerId],
        peers: &PeerTable,
    ) {
        self.witnesses.take(batch, run.clone(), peer_ids, peers);
        let mut at = run.start;
        if self.rivals.is_empty() {
            let events = batch.events.get(run.clone()).unwrap_or_default();
            let is_news = |event: &routewarden_core::RouteEvent| {
                !matches!(event.kind, RouteEventKind::TableEntry { .. })
                    && self.from.is_none_or(|from| event.time >= from)
            };
            at += events.iter().position(is_news).unwrap_or(events.len());
            self.table.learn(batch, run.start..at);
            if let Some(first) = batch.events.get(at).filter(|_| at < run.end) {
                self.begin(peers.len(), first.time);
            }
        }
        for rival in &mut self.rivals {
            rival.apply(batch, at..run.end, peer_ids, peers);
        }
    }

    fn begin(&mut self, peers: usize, time: Timestamp) {
        let vrps = || self.roas.as_deref().map(vrp_table);
        self.rivals = vec![
            Box::new(Artemis::from_table(&self.table, vrps())),
            Box::new(Bgpalerter::from_table(&self.table, vrps(), peers)),
            Box::new(Naive::new(&self.table)),
        ];
        if let Some(roas) = &self.roas {
            for rival in &mut self.rivals {
                rival.replace_roas(time, roas);
            }
        }
    }

    /// From `time` on these are all ROA payloads.
    pub fn replace_roas(&mut self, time: Timestamp, roas: &[Roa], peers: &PeerTable) {
        if self.rivals.is_empty() {
            self.begin(peers.len(), time);
        }
        for rival in &mut self.rivals {
            rival.replace_roas(time, roas);
        }
    }

    /// The table that the rivals were configured from.
    pub fn table(&self) -> &StartingTable {
        &self.table
    }

    /// The findings of all detectors: those of Routewarden, given again, with the time of their
    /// quorum, and those of the rivals.
    pub fn finish(mut self, mut ours: Vec<Finding>) -> Vec<(&'static str, Vec<Finding>)> {
        if self.rivals.is_empty() {
            self.begin(0, Timestamp::default());
        }
        for (finding, reached) in ours.iter_mut().zip(&self.witnesses.reached) {
            let reached = reached.filter(|_| !finding.is_of_standing);
            finding.raised = reached.unwrap_or(finding.first_seen);
        }
        let mut findings = vec![(OURS, ours)];
        for rival in &self.rivals {
            findings.push((rival.name(), Finding::of_alarms(&rival.alarms())));
        }
        findings
    }
}

/// Who has shown each finding so far: announced one of its prefixes with a culprit in the path.
struct Witnesses {
    /// Positions of findings by prefix.
    by_prefix: BTreeMap<Prefix, Vec<usize>>,
    /// Culprits and first time of each finding.
    findings: Vec<(Vec<Asn>, Timestamp)>,
    seen: Vec<BTreeSet<Asn>>,
    reached: Vec<Option<Timestamp>>,
    vantage_points: BTreeSet<Asn>,
    peers_known: usize,
}

impl Witnesses {
    fn new(findings: &[Finding]) -> Self {
        let mut by_prefix: BTreeMap<Prefix, Vec<usize>> = BTreeMap::new();
        for (at, finding) in findings.iter().enumerate() {
            for prefix in &finding.prefixes {
                by_prefix.entry(*prefix).or_default().push(at);
            }
        }
        let about = |finding: &Finding| (finding.culprits.clone(), finding.first_seen);
        Witnesses {
            by_prefix,
            findings: findings.iter().map(about).collect(),
            seen: vec![BTreeSet::new(); findings.len()],
            reached: vec![None; findings.len()],
            vantage_points: BTreeSet::new(),
            peers_known: 0,
        }
    }

    fn take(
        &mut self,
        batch: &EventBatch,
        run: Range<usize>,
        peer_ids: &[PeerId],
        peers: &PeerTable,
    ) {
        let new = peers.iter().skip(self.peers_known).map(|(_, peer)| peer.asn);
        self.vantage_points.extend(new);
        self.peers_known = peers.len();
        for event in batch.events.get(run).unwrap_or_default() {
            let (RouteEventKind::Announcement { prefix, attributes }
            | RouteEventKind::TableEntry { prefix, attributes, .. }) = event.kind
            else {
                continue;
            };
            let Some(about) = self.by_prefix.get(&prefix) else { continue };
            let id = usize::try_from(event.peer).ok().and_then(|index| peer_ids.get(index));
            let Some(peer) = id.and_then(|id| peers.get(*id)) else { continue };
            let Some(route) = RouteAttributes::decode(batch.attributes(attributes)) else {
                continue;
            };
            let few = self.vantage_points.len() < QUORUM_VANTAGE_POINTS_MIN;
            let quorum = if few { 1 } else { QUORUM_DEFAULT };
            for &at in about {
                let Some((culprits, first)) = self.findings.get(at) else { continue };
                let has_culprit = route.as_path.asns().any(|asn| culprits.contains(&asn));
                let (Some(seen), Some(reached)) = (self.seen.get_mut(at), self.reached.get_mut(at))
                else {
                    continue;
                };
                if event.time >= *first && has_culprit && reached.is_none() {
                    seen.insert(peer.asn);
                    *reached = (seen.len() >= quorum).then_some(event.time);
                }
            }
        }
    }
}
