//! The detector that never stops: baseline, time, forgetting, new knowledge.

use super::*;

/// Feeds a part of the lab's events to a detector.
struct Feed<'a> {
    lab: &'a Lab,
    peers: PeerTable,
    ids: Vec<PeerId>,
    done: usize,
}

impl<'a> Feed<'a> {
    fn new(lab: &'a Lab) -> Self {
        let mut peers = PeerTable::default();
        let ids = (0..6).map(|n| peers.intern(&lab_peer(n))).collect();
        Feed { lab, peers, ids, done: 0 }
    }

    fn up_to(&mut self, detector: &mut Detector, end: usize) {
        detector.apply(&self.lab.batch, self.done..end, &self.ids, &self.peers);
        self.done = end;
    }

    fn all(&mut self, detector: &mut Detector) {
        self.up_to(detector, self.lab.batch.events.len());
    }
}

fn detector(lab: &Lab) -> Detector {
    Detector::new(lab.config, lab.facts.clone())
}

#[test]
fn what_sessions_send_in_the_baseline_is_no_news_and_what_comes_after_it_is() {
    let mut lab = lab_with_victim();
    // Two origins from the start: nobody can tell who was first.
    lab.all_announce(1, "198.51.100.0/24", &[64505]);
    lab.all_announce(2, "198.51.100.0/24", &[64506]);
    let baseline = lab.batch.events.len();
    lab.all_announce(100, "203.0.113.128/25", &[CULPRIT]);
    lab.all_withdraw(200, "198.51.100.0/24");
    let mut detector = detector(&lab);
    detector.begin_baseline();
    let mut feed = Feed::new(&lab);
    feed.up_to(&mut detector, baseline);
    assert!(detector.report().incidents.is_empty());
    detector = restored(&detector);
    detector.end_baseline();
    assert!(detector.report().incidents.is_empty());
    feed.all(&mut detector);
    detector.advance(at(5_000));
    let incidents = detector.report().incidents;
    assert_eq!(kinds(&incidents), [IncidentKind::SubPrefixHijack, IncidentKind::PrefixOutage]);
    assert_eq!(incidents[0].victims, [Asn(VICTIM)]);
}

#[test]
fn time_passes_without_events() {
    let mut lab = lab_with_victim();
    lab.all_announce(100, "203.0.113.128/25", &[CULPRIT]);
    let mut detector = detector(&lab);
    Feed::new(&lab).all(&mut detector);
    assert_eq!(only(&detector.report().incidents).state, IncidentState::Spreading);
    detector.advance(at(4_000));
    detector.advance(at(3_000));
    let report = detector.report();
    let incident = only(&report.incidents);
    assert_eq!((incident.state, incident.exposure_secs), (IncidentState::Ongoing, 3_900));
}

#[test]
fn what_ended_is_forgotten_together_with_all_that_its_culprit_did() {
    let mut lab = lab_with_victim();
    lab.all_announce(0, "198.51.100.0/24", &[64505]);
    lab.all_announce(100, "203.0.113.128/25", &[CULPRIT]);
    lab.all_announce(110, "198.51.100.128/25", &[CULPRIT]);
    lab.all_withdraw(200, "203.0.113.128/25");
    let still_on = lab.batch.events.len();
    lab.all_withdraw(5_000, "198.51.100.128/25");
    let mut detector = detector(&lab);
    let mut feed = Feed::new(&lab);
    feed.up_to(&mut detector, still_on);
    detector.advance(at(4_000));
    let before = detector.report().incidents;
    assert_eq!(detector.retire(at(3_000)).claims, 0, "its culprit goes on");
    assert_eq!(detector.report().incidents, before);
    feed.all(&mut detector);
    assert_eq!(detector.retire(at(4_999)).claims, 0);
    detector.advance(at(6_000));
    assert_eq!(detector.retire(at(5_001)).claims, 2);
    assert!(detector.report().incidents.is_empty());
    assert_eq!(detector.claim_count(), 0);
    // What it knew of the prefixes stays: the same again is an incident again.
    let mut again = Lab::new();
    again.all_announce(7_000, "203.0.113.128/25", &[CULPRIT]);
    Feed::new(&again).all(&mut detector);
    assert_eq!(kinds(&detector.report().incidents), [IncidentKind::SubPrefixHijack]);
}

#[test]
fn a_claim_that_only_lost_sessions_show_ends_after_a_day() {
    let mut lab = lab_with_victim();
    lab.announce(100, 0, "203.0.113.128/25", &[CULPRIT]);
    lab.push(200, 0, RouteEventKind::PeerDown);
    let mut detector = detector(&lab);
    Feed::new(&lab).all(&mut detector);
    for (secs, ended) in [(80_000, 0), (90_000, 1), (90_001, 0)] {
        detector.advance(at(secs));
        assert_eq!(detector.retire(at(0)).out_of_sight, ended, "{secs}");
    }
    assert_eq!(only(&detector.report().incidents).ended_at, Some(at(200)));
}

#[test]
fn losses_of_prefixes_and_sessions_are_forgotten_when_they_are_over() {
    let mut lab = lab_with_victim();
    lab.begin();
    lab.all_withdraw(100, "203.0.113.0/24");
    lab.all_announce(5_000, "203.0.113.0/24", &[64511, VICTIM]);
    lab.push(6_300, 1, RouteEventKind::PeerDown);
    lab.push(6_310, 1, RouteEventKind::PeerUp);
    lab.push(6_320, 2, RouteEventKind::PeerDown);
    let mut detector = detector(&lab);
    detector.begin_baseline();
    let mut feed = Feed::new(&lab);
    feed.up_to(&mut detector, lab.table.unwrap());
    detector.end_baseline();
    feed.all(&mut detector);
    assert_eq!(kinds(&detector.report().incidents), [IncidentKind::PrefixOutage]);
    let none = detector.retire(at(4_000));
    assert_eq!((none.losses, none.session_losses), (0, 0));
    let some = detector.retire(at(6_400));
    assert_eq!((some.losses, some.session_losses), (1, 1));
    assert!(detector.report().incidents.is_empty());
    let down: Vec<Asn> = detector.sessions().filter(|s| s.is_down).map(|s| s.peer.asn).collect();
    assert_eq!(down, [Asn(64498)]);
}

#[test]
fn new_tables_teach_links_but_not_those_that_are_claimed_to_be_forged() {
    let mut lab = both_stand();
    lab.all_announce(100, "203.0.113.0/24", &[CULPRIT, VICTIM]);
    let aspas = vec![(Asn(VICTIM), vec![Asn(64511)]), (Asn(64510), vec![Asn(0)])];
    let table = routewarden_core::facts::AspaTable::from_records(aspas);
    lab.facts.aspas = Some(sourced(FactKind::Aspas, table));
    let mut detector = detector(&lab);
    let mut feed = Feed::new(&lab);
    feed.up_to(&mut detector, lab.table.unwrap());
    detector.begin_updates();
    feed.all(&mut detector);
    let before = detector.report().incidents;
    assert_eq!(kinds(&before), [IncidentKind::ForgedOrigin]);
    detector.relearn();
    assert_eq!(detector.report().incidents, before);
    // Another vantage point's change of path over the same link still adds to it.
    let mut more = Lab::new();
    more.announce(200, 5, "203.0.113.0/24", &[64509, CULPRIT, VICTIM]);
    Feed::new(&more).all(&mut detector);
    assert_eq!(kinds(&detector.report().incidents), [IncidentKind::ForgedOrigin]);
}

#[test]
fn the_first_vrps_are_the_state_to_start_from() {
    let mut lab = lab_with_victim();
    constituency::watch(&mut lab, vec![constituency::member("bank", VICTIM, &["203.0.113.0/24"])]);
    let first = vec![vrp("203.0.113.0/24", 24, 64509)];
    let change = |vrps| FactsChange {
        vrps: Some(sourced(FactKind::Vrps, VrpTable::from_vrps(vrps))),
        ..FactsChange::default()
    };
    let mut detector = detector(&lab);
    Feed::new(&lab).all(&mut detector);
    detector.change_facts(at(50), change(first.clone()));
    let incidents = detector.report().incidents;
    assert_eq!(kinds(&incidents), [IncidentKind::RpkiInvalid], "standing routes are validated");
    let second = [first, vec![vrp("203.0.113.0/24", 24, 64508)]].concat();
    detector.change_facts(at(60), change(second));
    let incidents = detector.report().incidents;
    assert!(kinds(&incidents).contains(&IncidentKind::RoaChange), "{incidents:?}");
}
