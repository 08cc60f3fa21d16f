//! The lab's incidents: that it plays them, and that the program tells of them.

use std::time::Duration;

use routewarden_core::{Prefix, Timestamp};

use crate::collector::{Collector, Report, ReportKind, Status};
use crate::daemons::stayrtr::VICTIMS_ROA;
use crate::lab::Lab;
use crate::requirements;
use crate::topology::{BGP_FEEDERS, BMP_FEEDERS, PREFIXES};
use crate::truth::{Event, TURNED_PREFIX, TURNED_ROAS, events};
use crate::waiting::{now, seconds_between, wait_for};

/// From the act to the routers' tables, and to the report.
const SOON: Duration = Duration::from_mins(1);
/// From the start of the program to its work: it hears tables for a while before it reports.
const READY_WITHIN: Duration = Duration::from_mins(3);
/// Reports as sure as this are acted upon: none may be of what did not happen.
const SURE: u8 = 50;
/// From the cache's notice to the change of a standing route.
const TURNED_WITHIN_SECS: f64 = 1.0;

/// Without the program: tells a fault of the lab from one of the program.
#[test]
fn the_lab_plays_its_incidents() {
    if !requirements::are_met() {
        return;
    }
    let mut lab = Lab::with_cache();
    lab.start_routers();
    lab.wait_until_converged();
    for event in events() {
        event.begin(&lab);
        wait_for(event.name, SOON, || event.is_at_t1b(&lab));
        event.end(&lab);
        wait_for("its end", SOON, || event.is_at_t1b(&lab).err().ok_or(event.name));
    }
}

#[test]
fn every_incident_is_told_while_it_lasts_and_nothing_else() {
    if !requirements::are_met() {
        return;
    }
    let mut lab = Lab::with_cache();
    lab.start_routers();
    lab.wait_until_converged();
    let mut collector = Collector::start(&lab);
    wait_until_it_knows_all(&lab, &mut collector);

    let mut told = Vec::new();
    let mut seconds = Vec::new();
    for event in events() {
        let (id, took) = play(&lab, &mut collector, &event);
        told.push(id);
        seconds.push(took);
    }
    seconds.sort_by(f64::total_cmp);
    let median = f64::midpoint(seconds[(seconds.len() - 1) / 2], seconds[seconds.len() / 2]);
    let most = seconds[seconds.len() - 1];
    eprintln!("announcement to report: median {median:.3} s, max {most:.3} s");

    told.push(turn_a_standing_route(&lab, &collector));
    assert_nothing_else(&collector.reports(), &told);
    let said = collector.said();
    assert_eq!(collector.end(), Some(0), "{said}");
}

/// All sessions are up, all routes and RPKI objects have come.
fn wait_until_it_knows_all(lab: &Lab, collector: &mut Collector) {
    let knows_all = |status: &Status| {
        status.is_ready()
            && status.sessions("bmp") == BMP_FEEDERS.len() as u64
            && status.sessions("bgp") == BGP_FEEDERS.len() as u64
            && status.announcements("bgp") >= (BGP_FEEDERS.len() * PREFIXES) as u64
            && status.announcements("bmp") >= (BMP_FEEDERS.len() * PREFIXES) as u64
            && status.facts("vrps") == 1
            && status.facts("aspas") == 1
    };
    wait_for("sessions, routes, VRP and ASPA", READY_WITHIN, || {
        collector.assert_runs();
        match Collector::status(lab) {
            Ok(status) if knows_all(&status) => Ok(()),
            other => Err(other),
        }
    });
}

/// Plays an event; gives the incident's id, and the seconds to its report.
fn play(lab: &Lab, collector: &mut Collector, event: &Event) -> (String, f64) {
    let is_of_event = |report: &Report| {
        let incident = &report.incident;
        let is_victim = event.victim.is_none_or(|victim| incident.victims == [victim]);
        incident.kind == event.kind && incident.culprits == [event.culprit] && is_victim
    };
    let began = now();
    event.begin(lab);
    // First, so that a fault of the lab is not taken for one of the program.
    wait_for("its sign at t1b", SOON, || event.is_at_t1b(lab));
    let open = wait_for(event.name, SOON, || {
        collector.assert_runs();
        let mut reports = collector.reports();
        reports.retain(|report| report.at >= began);
        let found = reports
            .iter()
            .find(|r| matches!(r.report, ReportKind::Open | ReportKind::Reopen) && is_of_event(r));
        found.cloned().ok_or_else(|| (reports, collector.said(), Collector::status(lab)))
    });
    let took = seconds_between(began, open.at);
    let id = open.incident.id.to_string();
    let ends = |reports: &[Report]| {
        let is_end = |r: &&Report| r.report == ReportKind::End && r.at >= open.at;
        let ends = reports.iter().filter(|r| r.incident.id.to_string() == id).filter(is_end);
        ends.map(|r| r.at).next()
    };
    assert_eq!(ends(&collector.reports()), None, "{} ended before its end", event.name);
    let over = now();
    event.end(lab);
    let ended: Timestamp = wait_for("the report of its end", SOON, || {
        let reports = collector.reports();
        ends(&reports).ok_or(reports)
    });
    let ended_took = seconds_between(over, ended);
    eprintln!(
        "{}: told after {took:.3} s (confidence {}), its end after {ended_took:.3} s",
        event.name, open.incident.confidence
    );
    (id, took)
}

/// A change of the cache's file makes a standing route invalid, and valid again; gives the id of the
/// incident that tells of it.
fn turn_a_standing_route(lab: &Lab, collector: &Collector) -> String {
    let prefix: Prefix = TURNED_PREFIX.parse().unwrap();
    let find = |kind, since: Timestamp| {
        let reports = collector.reports();
        let found = reports.iter().find(|report| {
            report.report == kind
                && report.at >= since
                && report.incident.prefixes.contains(&prefix)
        });
        found.cloned().ok_or(reports)
    };
    let began = now();
    let notices = notices(lab);
    lab.set_roas(&TURNED_ROAS);
    // The cache's notice comes after it was told to read its file, and before this sees it.
    wait_for("the cache's notice", SOON, || {
        if self::notices(lab) > notices { Ok(()) } else { Err(lab.cache_said()) }
    });
    let open = wait_for("a standing route to turn", SOON, || find(ReportKind::Open, began));
    let took = seconds_between(began, open.at);
    eprintln!("a standing route turned {took:.3} s after the cache was told to read its file");
    assert!(took <= TURNED_WITHIN_SECS, "{took} s");
    let back = now();
    lab.set_roas(&[VICTIMS_ROA]);
    let end = wait_for("it to turn back", SOON, || find(ReportKind::End, back));
    eprintln!("and back {:.3} s after", seconds_between(back, end.at));
    open.incident.id.to_string()
}

fn notices(lab: &Lab) -> usize {
    lab.cache_said().matches("new serial").count()
}

fn assert_nothing_else(reports: &[Report], told: &[String]) {
    let others: Vec<&Report> = reports
        .iter()
        .filter(|report| report.incident.confidence >= SURE)
        .filter(|report| !told.contains(&report.incident.id.to_string()))
        .collect();
    assert!(others.is_empty(), "{others:#?}");
    for id in told {
        let opens = |r: &&Report| r.report == ReportKind::Open && r.incident.id.to_string() == *id;
        assert_eq!(reports.iter().filter(opens).count(), 1, "{id} is told once");
    }
}
