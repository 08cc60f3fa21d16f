//! The detector from events to incidents, in documentation space (bogon checks off unless said).

use routewarden_core::facts::{
    AsNameTable, FactKind, FactSource, Facts, Organisation, OrganisationTable, Sourced, Vrp,
    VrpTable,
};
use routewarden_core::{
    AddressFamily, AsPathBuf, Asn, EventBatch, Peer, PeerId, PeerTable, Prefix, RouteAttributes,
    RouteEvent, RouteEventKind, SegmentKind, Timestamp,
};

use crate::{Config, Detector, FactsChange, Incident, IncidentKind, IncidentState, Report};

mod constituency;
mod leaks;
mod links;
mod live;
mod origins;
mod outages;
mod rpki;

const VICTIM: u32 = 64502;
const CULPRIT: u32 = 64503;

/// A collector with five peer ASes, 64496 to 64500, and what it recorded.
struct Lab {
    config: Config,
    facts: Facts,
    batch: EventBatch,
    /// Number of events that are the table, once it is complete.
    table: Option<usize>,
    changes: Vec<(usize, Timestamp, FactsChange)>,
    /// Order in which the peers are numbered.
    order: Vec<u32>,
}

fn p(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn source(kind: FactKind) -> FactSource {
    FactSource {
        kind,
        name: "test".to_owned(),
        sha256: None,
        date: None,
        entries: 1,
        skipped: std::collections::BTreeMap::new(),
    }
}

fn at(secs: u32) -> Timestamp {
    Timestamp::from_secs(1_700_000_000 + secs)
}

impl Lab {
    fn new() -> Self {
        Lab {
            config: Config { bogons: false, ..Config::default() },
            facts: Facts::default(),
            batch: EventBatch::default(),
            table: None,
            changes: Vec::new(),
            order: (0..6).collect(),
        }
    }

    fn push(&mut self, secs: u32, peer: u32, kind: RouteEventKind) {
        self.batch.events.push(RouteEvent { time: at(secs), peer, kind });
    }

    fn announce_path(&mut self, secs: u32, peer: u32, prefix: &str, path: &AsPathBuf) {
        let attributes = RouteAttributes::from_path(path.as_path());
        let attributes = self.batch.push_attributes(&attributes).unwrap();
        self.push(secs, peer, RouteEventKind::Announcement { prefix: p(prefix), attributes });
    }

    /// Peer `n` (AS 64496 + n) announces the prefix through AS 64510 and `tail`.
    fn announce(&mut self, secs: u32, peer: u32, prefix: &str, tail: &[u32]) {
        let first = [64496 + peer, 64510];
        let path = AsPathBuf::sequence(first.iter().chain(tail).copied().map(Asn));
        self.announce_path(secs, peer, prefix, &path);
    }

    /// All peers but the second session have the route in the table.
    fn stands(&mut self, prefix: &str, tail: &[u32]) {
        for peer in 0..5 {
            let first = [64496 + peer, 64510];
            let path = AsPathBuf::sequence(first.iter().chain(tail).copied().map(Asn));
            let attributes = RouteAttributes::from_path(path.as_path());
            let attributes = self.batch.push_attributes(&attributes).unwrap();
            let prefix = p(prefix);
            self.push(
                0,
                peer,
                RouteEventKind::TableEntry { prefix, attributes, originated: at(0) },
            );
        }
    }

    /// The table is complete.
    fn begin(&mut self) {
        self.table = Some(self.batch.events.len());
    }

    fn change(&mut self, secs: u32, change: FactsChange) {
        self.changes.push((self.batch.events.len(), at(secs), change));
    }

    /// All peers announce the prefix with an Only-to-Customer attribute.
    fn all_announce_otc(&mut self, secs: u32, prefix: &str, tail: &[u32], otc: u32) {
        for peer in 0..5 {
            let first = [64496 + peer, 64510];
            let path = AsPathBuf::sequence(first.iter().chain(tail).copied().map(Asn));
            let otc = Some(Asn(otc));
            let attributes = RouteAttributes { otc, ..RouteAttributes::from_path(path.as_path()) };
            let attributes = self.batch.push_attributes(&attributes).unwrap();
            self.push(secs, peer, RouteEventKind::Announcement { prefix: p(prefix), attributes });
        }
    }

    fn all_withdraw(&mut self, secs: u32, prefix: &str) {
        (0..5).for_each(|peer| self.withdraw(secs, peer, prefix));
    }

    fn all_announce(&mut self, secs: u32, prefix: &str, tail: &[u32]) {
        for peer in 0..5 {
            self.announce(secs, peer, prefix, tail);
        }
    }

    fn withdraw(&mut self, secs: u32, peer: u32, prefix: &str) {
        self.push(secs, peer, RouteEventKind::Withdrawal { prefix: p(prefix) });
    }

    /// What is found; the same when the detector is saved and restored in between.
    fn run(&self) -> Report {
        let report = self.run_restored_at(None);
        let events = self.batch.events.len();
        for at in [0, events / 3, events / 2, events * 4 / 5, events] {
            let again = self.run_restored_at(Some(at));
            assert_eq!(again.incidents, report.incidents, "restored at event {at} of {events}");
            assert_eq!(again.counters, report.counters, "restored at event {at} of {events}");
        }
        report
    }

    fn run_restored_at(&self, restored_at: Option<usize>) -> Report {
        let mut peers = PeerTable::default();
        for &n in &self.order {
            peers.intern(&lab_peer(n));
        }
        let ids: Vec<PeerId> = (0..6).map(|n| peers.intern(&lab_peer(n))).collect();
        let mut detector = Detector::new(self.config, self.facts.clone());
        let mut start = 0;
        let mut feed = |detector: &mut Detector, end: usize| {
            if let Some(at) = restored_at.filter(|at| (start..=end).contains(at)) {
                detector.apply(&self.batch, start..at, &ids, &peers);
                *detector = restored(detector);
                start = at;
            }
            detector.apply(&self.batch, start..end, &ids, &peers);
            start = end;
        };
        if let Some(table) = self.table {
            feed(&mut detector, table);
            detector.begin_updates();
        }
        for (end, time, change) in &self.changes {
            feed(&mut detector, *end);
            detector.change_facts(*time, change.clone());
            // As between the parts of a long run.
            detector = Detector::from_shards(detector.into_shards()).unwrap();
        }
        feed(&mut detector, self.batch.events.len());
        detector.report()
    }

    fn incidents(&self) -> Vec<Incident> {
        self.run().incidents
    }
}

/// A peer of the lab. Peer 5 is a second session of AS64496.
fn lab_peer(n: u32) -> Peer {
    let addr = format!("2001:db8::{n}").parse().unwrap();
    Peer { collector: "lab".to_owned(), asn: Asn(64496 + n % 5), addr }
}

/// The detector as it is after a restart.
fn restored(detector: &Detector) -> Detector {
    let mut state = Vec::new();
    detector.save(&mut state).unwrap();
    let facts = Facts { vrps: None, aspas: None, ..detector.facts().clone() };
    Detector::restore(&mut state.as_slice(), facts).unwrap()
}

fn sourced<T>(kind: FactKind, table: T) -> Sourced<T> {
    Sourced { table, source: source(kind) }
}

fn vrp(prefix: &str, max_len: u8, asn: u32) -> Vrp {
    let ta = routewarden_core::facts::TrustAnchorId::default();
    Vrp { prefix: p(prefix), max_len, asn: Asn(asn), ta }
}

/// The victim's and the culprit's own prefixes stand.
fn both_stand() -> Lab {
    let mut lab = Lab::new();
    lab.stands("203.0.113.0/24", &[64511, VICTIM]);
    lab.stands("198.51.100.0/24", &[CULPRIT]);
    lab.begin();
    lab
}

fn only(incidents: &[Incident]) -> &Incident {
    let [incident] = incidents else { panic!("{incidents:#?}") };
    incident
}

fn kinds(incidents: &[Incident]) -> Vec<IncidentKind> {
    incidents.iter().map(|incident| incident.kind).collect()
}

fn has(incident: &Incident, rule: &str) -> bool {
    incident.evidence.iter().chain(&incident.counter_evidence).any(|line| line.rule == rule)
}

/// The victim's prefix stands with all peers from second 0.
fn lab_with_victim() -> Lab {
    let mut lab = Lab::new();
    lab.all_announce(0, "203.0.113.0/24", &[64511, VICTIM]);
    lab
}

#[test]
fn a_more_specific_by_a_stranger_is_one_incident_with_its_life() {
    let mut lab = lab_with_victim();
    lab.all_announce(100, "203.0.113.128/25", &[CULPRIT]);
    lab.announce(400, 0, "203.0.113.128/25", &[VICTIM]);
    for peer in 1..5 {
        lab.withdraw(500 + peer, peer, "203.0.113.128/25");
    }
    let incidents = lab.incidents();
    let [incident] = incidents.as_slice() else { panic!("{incidents:?}") };
    assert_eq!(incident.kind, IncidentKind::SubPrefixHijack);
    assert_eq!(
        (incident.culprits.as_slice(), incident.victims.as_slice()),
        ([Asn(CULPRIT)].as_slice(), [Asn(VICTIM)].as_slice())
    );
    assert_eq!(incident.propagators, [Asn(64510)]);
    assert_eq!((incident.first_seen, incident.ended_at), (at(100), Some(at(504))));
    assert_eq!(incident.state, IncidentState::Ended);
    assert_eq!((incident.vantage_points.seen, incident.vantage_points.of), (5, 5));
    let [done] = incident.countermeasures.as_slice() else { panic!("{incident:?}") };
    assert_eq!((done.time, done.prefix), (at(400), p("203.0.113.128/25")));
}

#[test]
fn two_sessions_of_one_as_are_one_witness() {
    let mut lab = lab_with_victim();
    lab.announce(100, 0, "203.0.113.128/25", &[CULPRIT]);
    lab.announce(100, 5, "203.0.113.128/25", &[CULPRIT]);
    assert_eq!(lab.incidents().len(), 1, "one of five vantage points is a sizeable share");
    lab.config.quorum = Some(2);
    let report = lab.run();
    assert!(report.incidents.is_empty());
    assert_eq!(report.counters.below_quorum, 1);
    lab.announce(101, 1, "203.0.113.128/25", &[CULPRIT]);
    assert_eq!(lab.incidents().len(), 1);
}

#[test]
fn the_numbers_of_peers_and_the_order_of_equal_times_change_nothing() {
    let mut lab = lab_with_victim();
    lab.all_announce(100, "203.0.113.0/24", &[CULPRIT]);
    lab.withdraw(200, 3, "203.0.113.0/24");
    let first = lab.incidents();
    assert_eq!(first.len(), 1);
    lab.order.reverse();
    assert_eq!(lab.incidents(), first);
}

#[test]
fn an_as_set_that_holds_the_owner_is_no_claim() {
    let mut lab = lab_with_victim();
    for peer in 0..5 {
        let mut path = AsPathBuf::sequence([64496 + peer, 64509].map(Asn));
        path.push_segment(SegmentKind::Set, [VICTIM, 64508].map(Asn));
        lab.announce_path(100, peer, "203.0.113.0/24", &path);
    }
    assert!(lab.incidents().is_empty());
}

#[test]
fn a_foreign_as_set_is_the_aggregators_claim() {
    let mut lab = lab_with_victim();
    for peer in 0..5 {
        let mut path = AsPathBuf::sequence([64496 + peer, CULPRIT].map(Asn));
        path.push_segment(SegmentKind::Set, [64508, 64507].map(Asn));
        lab.announce_path(100, peer, "203.0.113.0/24", &path);
    }
    let incidents = lab.incidents();
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].culprits, [Asn(CULPRIT)]);
}

#[test]
fn peer_down_is_not_the_end_and_a_table_after_it_is_held_against_the_one_before() {
    let mut lab = Lab::new();
    lab.stands("203.0.113.0/24", &[64511, VICTIM]);
    lab.begin();
    lab.announce(100, 0, "203.0.113.128/25", &[CULPRIT]);
    lab.announce(100, 1, "203.0.113.128/25", &[CULPRIT]);
    lab.push(200, 0, RouteEventKind::PeerDown);
    lab.push(200, 1, RouteEventKind::PeerDown);
    assert_eq!(lab.incidents()[0].ended_at, None, "unknown is not withdrawn");
    for peer in [0, 1] {
        lab.push(300, peer, RouteEventKind::PeerUp);
        // Began while nobody listened.
        lab.announce(301, peer, "203.0.113.64/26", &[64509]);
        lab.push(302, peer, RouteEventKind::EndOfRib { family: AddressFamily::Ipv4 });
    }
    let incidents = lab.incidents();
    let [first, second] = incidents.as_slice() else { panic!("{incidents:?}") };
    assert_eq!(first.ended_at, Some(at(302)), "not sent again: gone");
    assert_eq!((second.first_seen, second.ended_at), (at(301), None));
}

#[test]
fn a_first_table_is_no_news() {
    let mut lab = lab_with_victim();
    for peer in [0, 1] {
        lab.push(300, peer, RouteEventKind::PeerUp);
        // An old foreign more-specific, new to us only because the table is.
        lab.announce(301, peer, "203.0.113.64/26", &[64509]);
        lab.push(302, peer, RouteEventKind::EndOfRib { family: AddressFamily::Ipv4 });
    }
    let report = lab.run();
    assert!(report.incidents.is_empty(), "{report:?}");
    assert_eq!(report.counters.muted_in_transfer, 2);
}

/// Routers that send no End-of-RIB would be deaf for long.
#[test]
fn what_changes_a_route_just_sent_is_news_while_the_table_is_still_coming() {
    let mut lab = lab_with_victim();
    for peer in [0, 1] {
        lab.push(200, peer, RouteEventKind::PeerUp);
        lab.announce(201, peer, "203.0.113.0/24", &[64511, VICTIM]);
        lab.announce(202, peer, "203.0.113.0/24", &[CULPRIT]);
        lab.announce(203, peer, "203.0.113.64/26", &[64509]);
    }
    let report = lab.run();
    let [incident] = report.incidents.as_slice() else { panic!("{report:?}") };
    assert_eq!((incident.kind, incident.first_seen), (IncidentKind::OriginHijack, at(202)));
    assert_eq!(report.counters.muted_in_transfer, 2);
}

#[test]
fn a_route_of_the_owner_or_its_cover_is_no_claim() {
    let mut lab = lab_with_victim();
    lab.all_announce(100, "203.0.113.128/25", &[VICTIM]);
    lab.all_announce(100, "198.51.100.0/24", &[64508]);
    let report = lab.run();
    assert!(report.incidents.is_empty());
    assert_eq!(report.counters.origin_claims, 0);
}

#[test]
fn what_happened_before_the_time_asked_for_is_the_state_to_start_from() {
    let mut lab = lab_with_victim();
    lab.all_announce(50, "203.0.113.64/26", &[64509]);
    lab.all_announce(100, "203.0.113.128/25", &[CULPRIT]);
    assert_eq!(lab.incidents().len(), 2);
    lab.config.from = Some(at(100));
    let report = lab.run();
    let [incident] = report.incidents.as_slice() else { panic!("{report:?}") };
    assert_eq!(incident.culprits, [Asn(CULPRIT)]);
    assert_eq!(report.counters.before_start, 10);
}

#[test]
fn a_transfer_without_end_of_rib_ends_by_time() {
    let mut lab = lab_with_victim();
    lab.announce(100, 0, "203.0.113.128/25", &[CULPRIT]);
    lab.push(200, 0, RouteEventKind::PeerDown);
    lab.push(210, 0, RouteEventKind::PeerUp);
    lab.announce(211, 0, "203.0.113.0/24", &[64511, VICTIM]);
    lab.announce(500, 0, "198.51.100.0/24", &[64508]);
    assert_eq!(lab.incidents()[0].ended_at, None);
    lab.announce(511, 0, "198.51.100.0/24", &[64507, 64508]);
    assert_eq!(lab.incidents()[0].ended_at, Some(at(511)));
}

#[test]
fn exposure_leaves_out_the_time_between_episodes() {
    let mut lab = lab_with_victim();
    for start in [0, 20_000] {
        lab.all_announce(100 + start, "203.0.113.128/25", &[CULPRIT]);
        for peer in 0..5 {
            lab.withdraw(160 + start, peer, "203.0.113.128/25");
        }
    }
    let incidents = lab.incidents();
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].exposure_secs, 120);
    assert_eq!(incidents[0].ended_at, Some(at(20_160)));
}

#[test]
fn evidence_names_the_file_it_rests_on() {
    let mut lab = lab_with_victim();
    let organisation = |id: &str, country: &str| Organisation {
        id: id.into(),
        name: id.into(),
        country: country.into(),
    };
    let table = OrganisationTable::from_records(
        vec![organisation("ORG-A", "NL"), organisation("ORG-B", "BE")],
        vec![(Asn(CULPRIT), "ORG-A".into()), (Asn(VICTIM), "ORG-B".into())],
    );
    lab.facts.organisations = Some(Sourced { table, source: source(FactKind::Organisations) });
    lab.all_announce(100, "203.0.113.128/25", &[CULPRIT]);
    let incidents = lab.incidents();
    assert_eq!(lab.facts.country(Asn(VICTIM)), Some("BE"));
    assert_eq!(lab.facts.country(Asn(64_511)), None);
    let line = incidents[0].evidence.iter().find(|line| line.rule == "countries_differ").unwrap();
    assert_eq!(line.facts["source"], crate::FactValue::Text("test".to_owned()));
}

#[test]
fn what_recurs_is_one_incident() {
    let mut lab = lab_with_victim();
    for round in 0..3 {
        lab.all_announce(100 + round * 100, "203.0.113.128/25", &[CULPRIT]);
        for peer in 0..5 {
            lab.withdraw(150 + round * 100, peer, "203.0.113.128/25");
        }
    }
    let incidents = lab.incidents();
    assert_eq!(incidents.len(), 1);
    assert_eq!((incidents[0].first_seen, incidents[0].ended_at), (at(100), Some(at(350))));
}

#[test]
fn an_exact_prefix_and_a_later_more_specific_are_two_incidents() {
    let mut lab = lab_with_victim();
    lab.all_announce(100, "203.0.113.0/24", &[CULPRIT]);
    lab.all_announce(110, "203.0.113.0/24", &[64511, VICTIM]);
    lab.all_announce(120, "203.0.113.128/25", &[CULPRIT]);
    let kinds: Vec<_> = lab.incidents().iter().map(|i| (i.kind, i.first_seen)).collect();
    let expected =
        [(IncidentKind::OriginHijack, at(100)), (IncidentKind::SubPrefixHijack, at(120))];
    assert_eq!(kinds, expected);
}

#[test]
fn sample_paths_show_as_many_witnesses_as_they_can() {
    let mut lab = lab_with_victim();
    for host in 0..8 {
        lab.announce(100, 0, &format!("203.0.113.{}/29", host * 8), &[CULPRIT]);
    }
    lab.announce(101, 1, "203.0.113.0/29", &[CULPRIT]);
    let incidents = lab.incidents();
    let witnesses: std::collections::BTreeSet<_> =
        incidents[0].sample_paths.iter().map(|sample| sample.peer_asn.0).collect();
    assert_eq!(witnesses.into_iter().collect::<Vec<_>>(), [64496, 64497]);
}

#[test]
fn control_characters_of_names_are_left_out() {
    let name = "Evil\u{1b}[2J\u{7}, NL";
    let table = AsNameTable::from_names(vec![(Asn(CULPRIT), name.into())]);
    let mut lab = lab_with_victim();
    lab.facts.as_names = Some(Sourced { table, source: source(FactKind::AsNames) });
    lab.all_announce(100, "203.0.113.128/25", &[CULPRIT]);
    assert_eq!(lab.incidents()[0].as_names["64503"], "Evil[2J, NL");
}

#[test]
fn the_id_stays_while_the_incident_grows() {
    let mut lab = lab_with_victim();
    lab.all_announce(100, "203.0.113.128/25", &[CULPRIT]);
    let young = lab.incidents();
    lab.all_announce(160, "203.0.113.0/25", &[CULPRIT]);
    lab.all_announce(200, "203.0.113.0/24", &[CULPRIT]);
    let grown = lab.incidents();
    assert_eq!(grown.len(), 1);
    assert_eq!(grown[0].id, young[0].id);
    assert_eq!(grown[0].prefix_count, 3);
}

#[test]
fn rpki_invalid_alone_is_its_own_kind_and_with_a_claim_it_is_evidence() {
    let vrp = vrp("203.0.113.0/24", 24, VICTIM);
    let mut lab = lab_with_victim();
    let table = VrpTable::from_vrps(vec![vrp]);
    lab.facts.vrps = Some(Sourced { table, source: source(FactKind::Vrps) });
    lab.all_announce(100, "203.0.113.128/25", &[VICTIM]);
    let incidents = lab.incidents();
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].kind, IncidentKind::RpkiInvalid);
    assert!(incidents[0].victims.is_empty(), "the holder of the ROA did it itself");
    assert_eq!(incidents[0].evidence[0].rule, "rov_only_invalid_max_length");
    lab.all_announce(200, "203.0.113.0/25", &[CULPRIT]);
    let incidents = lab.incidents();
    let kinds: Vec<_> = incidents.iter().map(|incident| incident.kind).collect();
    assert_eq!(kinds, [IncidentKind::RpkiInvalid, IncidentKind::SubPrefixHijack]);
    assert!(incidents[1].evidence.iter().any(|line| line.rule == "rov_invalid_asn"));
    assert!(incidents[1].confidence >= 80);
}

#[test]
fn bogons_name_who_let_them_through() {
    let mut lab = Lab::new();
    lab.config.bogons = true;
    for peer in 0..2 {
        let path = AsPathBuf::sequence([3000 + peer, 3010, 64512, 3011].map(Asn));
        lab.announce_path(10, peer, "8.0.0.0/9", &path);
        let path = AsPathBuf::sequence([3000 + peer, 3012].map(Asn));
        lab.announce_path(20, peer, "10.1.0.0/16", &path);
    }
    let incidents = lab.incidents();
    let found: Vec<_> = incidents.iter().map(|i| (i.kind, i.culprits[0].0)).collect();
    assert_eq!(found, [(IncidentKind::BogonAsn, 3010), (IncidentKind::BogonPrefix, 3012)]);
    lab.config.bogons = false;
    assert!(lab.incidents().is_empty());
}
