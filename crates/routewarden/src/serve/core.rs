//! The detector with what goes with it: the same records give the same incidents, live or after a
//! restart.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};

use routewarden_core::facts::{FactKind, Facts, Sha256, Sourced};
use routewarden_core::{
    Asn, EventBatch, Peer, PeerId, PeerTable, RouteEvent, RouteEventKind, Timestamp,
};
use routewarden_detect::{
    Detector, FactsChange, Incident, Report, Retired, STATE_TEXT_OCTETS_MAX, StateError,
};
use routewarden_store::TrailWrite;
use serde::{Deserialize, Serialize};

use super::record::Record;
use super::trail::{Trails, Watch};

/// An event later than its receipt by more than this is taken for one of the time of receipt: a
/// clock is wrong, and must not carry the others along.
const AHEAD_SECS_MAX: i64 = 5;

/// What decides.
pub(crate) struct Core {
    detector: Detector,
    peers: PeerTable,
    notes: Notes,
    trails: Trails,
}

/// What is kept beside the detector.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Notes {
    /// Names of the sources of each collector.
    sources: BTreeMap<String, BTreeSet<String>>,
    /// Whether the state to start from is still coming in.
    in_baseline: bool,
    /// Peers that had sent routes when paths were learned.
    learned_peers: usize,
    /// Route events taken.
    events: u64,
    /// First and last time told.
    first: Option<Timestamp>,
    now: Timestamp,
    /// When the last event of each source came.
    heard: BTreeMap<String, Timestamp>,
}

impl Core {
    /// Around a detector; `peers` are those it was told of. In the baseline, what comes is the
    /// state to start from.
    pub(crate) fn new(mut detector: Detector, peers: PeerTable, in_baseline: bool) -> Self {
        if in_baseline {
            detector.begin_baseline();
        }
        detector.follow();
        let learned_peers = peers.len();
        let notes = Notes { in_baseline, learned_peers, ..Notes::default() };
        Core { detector, peers, notes, trails: Trails::default() }
    }

    /// Positions of trails follow on this one.
    pub(crate) fn set_trails_after(&mut self, position: u64) {
        self.trails = Trails::after(position);
    }

    /// Tells it something.
    pub(crate) fn tell(&mut self, record: Record) {
        match record {
            Record::Batch { source, received, batch } => self.take(&source, received, &batch),
            Record::Advance(now) => self.advance(now),
            Record::Facts(time, saved) => self.change_facts(time, saved.restore()),
            Record::EndBaseline => self.end_baseline(),
            Record::Relearn => self.relearn(),
            Record::Retire(before) => {
                self.retire(before);
            }
            Record::Watch(watches) => self.watch(watches),
        }
    }

    pub(crate) fn take(&mut self, source: &str, received: Timestamp, batch: &EventBatch) {
        for peer in &batch.new_peers {
            let known = self.notes.sources.get(&peer.collector);
            if !known.is_some_and(|known| known.contains(source)) {
                let known = self.notes.sources.entry(peer.collector.clone()).or_default();
                known.insert(source.to_owned());
            }
        }
        let ids: Vec<PeerId> = batch.new_peers.iter().map(|peer| self.peers.intern(peer)).collect();
        self.detector.apply(batch, 0..batch.events.len(), &ids, &self.peers);
        self.trails.take(&mut self.detector);
        self.notes.events += batch.events.len() as u64;
        self.notes.first = self.notes.first.or(Some(received));
        match self.notes.heard.get_mut(source) {
            Some(heard) => *heard = received.max(*heard),
            None => {
                self.notes.heard.insert(source.to_owned(), received);
            }
        }
    }

    /// Times that are ahead of their receipt are set right; gives how many. To be done before a
    /// batch is logged.
    pub(crate) fn set_right(batch: &mut EventBatch, received: Timestamp) -> usize {
        let latest = received.plus_secs(AHEAD_SECS_MAX);
        let mut ahead = 0;
        for event in batch.events.iter_mut().filter(|event| event.time > latest) {
            event.time = received;
            ahead += 1;
        }
        ahead
    }

    pub(crate) fn advance(&mut self, now: Timestamp) {
        self.notes.now = self.notes.now.max(now);
        self.detector.advance(now);
        self.trails.advance(now, &mut self.detector);
    }

    fn watch(&mut self, watches: Vec<Watch>) {
        for watch in watches {
            self.trails.watch(watch, &mut self.detector);
        }
    }

    /// Takes out of a change what is in use already; whether anything is left.
    pub(crate) fn leave_out_known(&self, change: &mut FactsChange) -> bool {
        let known: Vec<(FactKind, Sha256)> = self
            .detector
            .fact_sources()
            .filter_map(|source| Some((source.kind, source.sha256?)))
            .collect();
        let FactsChange {
            vrps,
            aspas,
            origins,
            organisations,
            relations,
            as_names,
            constituency,
            delegations,
        } = change;
        let kept = [
            keep_new(&known, vrps),
            keep_new(&known, aspas),
            keep_new(&known, origins),
            keep_new(&known, organisations),
            keep_new(&known, relations),
            keep_new(&known, as_names),
            keep_new(&known, constituency),
            delegations.is_some(),
        ];
        kept.contains(&true)
    }

    pub(crate) fn change_facts(&mut self, time: Timestamp, change: FactsChange) {
        self.detector.change_facts(time, change);
    }

    fn end_baseline(&mut self) {
        if std::mem::take(&mut self.notes.in_baseline) {
            self.detector.end_baseline();
            // What came until now is no history.
            self.trails.resume(&mut self.detector);
            self.notes.learned_peers = self.heard_peers();
        }
    }

    fn relearn(&mut self) {
        if self.notes.in_baseline {
            // It is learned when the tables are in.
            return;
        }
        self.detector.relearn();
        self.notes.learned_peers = self.heard_peers();
    }

    pub(crate) fn retire(&mut self, before: Timestamp) -> Retired {
        self.detector.retire(before)
    }

    /// The incidents as of now.
    pub(crate) fn report(&self) -> Report {
        self.detector.report()
    }

    /// Keeps what looks at an AS need from now on.
    pub(crate) fn keep_by_as(&mut self) {
        self.detector.keep_by_as();
    }

    pub(crate) fn detector(&self) -> &Detector {
        &self.detector
    }

    pub(crate) fn trails(&self) -> &Trails {
        &self.trails
    }

    /// What the trails have for the store.
    pub(crate) fn trail_writes(&self) -> Vec<TrailWrite> {
        self.trails.writes(&self.peers)
    }

    /// The store has it.
    pub(crate) fn trails_written(&mut self, now: Timestamp) {
        self.trails.written(now);
    }

    /// Whether the state to start from is still coming in.
    pub(crate) fn in_baseline(&self) -> bool {
        self.notes.in_baseline
    }

    /// Whether an incident began while the program was watching: only then does the time from its
    /// first event to its report say something.
    pub(crate) fn is_live(&self, incident: &Incident) -> bool {
        !incident.standing && self.notes.first.is_some_and(|first| incident.first_seen >= first)
    }

    /// When the first event was received.
    pub(crate) fn first_heard(&self) -> Option<Timestamp> {
        self.notes.first
    }

    /// When the last event of each source was received, by its name.
    pub(crate) fn heard(&self) -> &BTreeMap<String, Timestamp> {
        &self.notes.heard
    }

    /// Route events taken.
    pub(crate) fn events(&self) -> u64 {
        self.notes.events
    }

    /// Whether a collector was heard from a source.
    fn is_heard_from(&self, collector: &str, source: &str) -> bool {
        self.notes.sources.get(collector).is_some_and(|held| held.contains(source))
    }

    /// The collectors that were heard from a source, by name.
    pub(crate) fn collectors_of(&self, source: &str) -> impl Iterator<Item = &str> {
        let of = self.notes.sources.iter().filter(move |(_, held)| held.contains(source));
        of.map(|(collector, _)| collector.as_str())
    }

    /// Whether sessions have sent their tables since paths were last learned, and none is sending.
    pub(crate) fn has_new_tables(&self) -> bool {
        self.heard_peers() > self.notes.learned_peers
    }

    fn heard_peers(&self) -> usize {
        self.detector.sessions().filter(|session| session.routes != [0, 0]).count()
    }

    /// Two-letter codes of the countries of ASes, as far as known, sorted.
    pub(crate) fn countries<'a>(&self, asns: impl Iterator<Item = &'a Asn>) -> Vec<String> {
        let codes: BTreeSet<String> = asns.filter_map(|&asn| self.detector.country(asn)).collect();
        codes.into_iter().collect()
    }

    /// Sessions that are sending their table as of `now`: one that is quiet for so many seconds
    /// has sent it.
    pub(crate) fn transfers(&self, now: Timestamp, quiet_secs: i64) -> usize {
        let is_open = |session: &routewarden_detect::SessionView<'_>| {
            session.is_in_transfer
                && session.last_heard.is_some_and(|at| now.secs_since(at) <= quiet_secs)
        };
        self.detector.sessions().filter(is_open).count()
    }

    /// A batch that says of every session of these sources that it is down: the program was not
    /// there to hear it.
    pub(crate) fn all_down(&self, source: &str, now: Timestamp) -> EventBatch {
        let mut batch = EventBatch::default();
        let of_source = |peer: &Peer| self.is_heard_from(&peer.collector, source);
        for session in self.detector.sessions() {
            if session.is_down || !of_source(session.peer) {
                continue;
            }
            let Ok(peer) = u32::try_from(batch.new_peers.len()) else { break };
            batch.new_peers.push(session.peer.clone());
            batch.events.push(RouteEvent { time: now, peer, kind: RouteEventKind::PeerDown });
        }
        batch
    }

    /// Writes all that is known.
    pub(crate) fn save(&self, out: &mut impl Write) -> Result<(), StateError> {
        let notes = postcard::to_io(&self.notes, &mut *out);
        notes.map_err(|source| StateError::Part { part: "notes", source })?;
        let trails = postcard::to_io(&self.trails, &mut *out);
        trails.map_err(|source| StateError::Part { part: "trails", source })?;
        self.detector.save(out)
    }

    /// Reads what [`Core::save`] wrote; facts other than VRPs and ASPAs are given anew.
    pub(crate) fn restore(input: &mut impl Read, facts: Facts) -> Result<Self, StateError> {
        let mut scratch = vec![0; STATE_TEXT_OCTETS_MAX];
        let (notes, _): (Notes, _) = postcard::from_io((&mut *input, &mut scratch))
            .map_err(|source| StateError::Part { part: "notes", source })?;
        let (trails, _): (Trails, _) = postcard::from_io((&mut *input, &mut scratch))
            .map_err(|source| StateError::Part { part: "trails", source })?;
        let mut detector = Detector::restore(input, facts)?;
        trails.resume(&mut detector);
        let mut peers = PeerTable::default();
        for peer in detector.peer_names() {
            peers.intern(peer);
        }
        Ok(Core { detector, peers, notes, trails })
    }
}

/// Takes out a table that is known; whether it is left.
fn keep_new<T>(known: &[(FactKind, Sha256)], table: &mut Option<Sourced<T>>) -> bool {
    *table = table.take().filter(|table| {
        let hash = table.source.sha256.map(|hash| (table.source.kind, hash));
        hash.is_none_or(|hash| !known.contains(&hash))
    });
    table.is_some()
}

#[cfg(test)]
mod tests {
    use routewarden_core::facts::{FactSource, Organisation, OrganisationTable};
    use routewarden_detect::Config;

    use super::*;

    #[test]
    fn countries_are_codes_of_two_letters() {
        let codes = [(64496, "nl"), (64500, "FR"), (64501, "NL"), (64502, "Utopia"), (64503, "DE")];
        let organisation = |(_, country): &(u32, &str)| Organisation {
            id: (*country).into(),
            country: (*country).into(),
            ..Organisation::default()
        };
        let table = OrganisationTable::from_records(
            codes.iter().map(organisation).collect(),
            codes.iter().map(|(asn, id)| (Asn(*asn), (*id).into())).collect(),
        );
        let source = FactSource {
            kind: FactKind::Organisations,
            name: "test".to_owned(),
            sha256: None,
            date: None,
            entries: 5,
            skipped: BTreeMap::new(),
        };
        let organisations = Some(Sourced { table, source });
        let facts = Facts { organisations, ..Facts::default() };
        let detector = Detector::new(Config::default(), facts);
        let core = Core::new(detector, PeerTable::default(), false);
        let asns = [64496, 64500, 64501, 64502, 64511].map(Asn);
        assert_eq!(core.countries(asns.iter()), ["FR", "NL"]);
    }
}
