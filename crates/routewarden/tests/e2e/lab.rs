//! The recordings of our own lab: incidents at the times of `truth.tsv`.

use std::collections::BTreeMap;

use routewarden_core::facts::{AspaState, RovState};
use routewarden_core::{Asn, Prefix, Timestamp};
use routewarden_detect::{ForgedLink, Incident, IncidentKind, LeakTriple};

use crate::program::{repository, routewarden};

const HIJACKER: Asn = Asn(64503);
const VICTIM: Asn = Asn(64502);
const LEAKER: Asn = Asn(64504);

/// An incident of the truth: from when to when, in microseconds since 1970.
type Period = (i64, i64);

/// Incidents of the truth by their names.
fn truth(recording: &str) -> BTreeMap<String, Period> {
    let path = repository().join(format!("testdata/lab/{recording}/truth.tsv"));
    let text = std::fs::read_to_string(path).unwrap();
    let mut periods: BTreeMap<String, Period> = BTreeMap::new();
    for (time, event) in text.lines().skip(1).map(|line| line.split_once('\t').unwrap()) {
        let (secs, nanos) = time.split_once('.').unwrap();
        let micros =
            secs.parse::<i64>().unwrap() * 1_000_000 + nanos.parse::<i64>().unwrap() / 1_000;
        let event = event.split(' ').next().unwrap();
        if let Some(name) = event.strip_suffix("-on") {
            periods.insert(name.to_owned(), (micros, 0));
        } else if let Some(name) = event.strip_suffix("-off") {
            periods.get_mut(name).unwrap().1 = micros;
        }
    }
    periods
}

const VRPS: [&str; 2] = ["--vrps", "testdata/lab/vrps.json"];
const RELATIONS: [&str; 2] = ["--relations", "bench/accuracy/lab.as-rel.txt"];

fn detect(recording: &str, router: &str, options: &[&str]) -> Vec<Incident> {
    let updates = format!("testdata/lab/{recording}/{router}/updates.mrt");
    let mut args = vec!["detect", "-q", "--no-bogons", "--format", "jsonl", &updates];
    args.extend(options);
    routewarden(args).expect(0).incidents()
}

fn all_facts() -> Vec<&'static str> {
    VRPS.into_iter().chain(RELATIONS).collect()
}

/// The recording has whole seconds; the truth is finer.
const TOLERANCE_MICROS: i64 = 1_000_000;

fn assert_at(incident: &Incident, (from, to): Period) {
    let ended = incident.ended_at.unwrap();
    let is_near = |time: Timestamp, truth: i64| (time.micros() - truth).abs() <= TOLERANCE_MICROS;
    assert!(is_near(incident.first_seen, from), "{} {from}", incident.first_seen);
    assert!(is_near(ended, to), "{ended} {to}");
}

fn assert_is_by_hijacker(incident: &Incident, prefix: &str) {
    assert_eq!((&*incident.culprits, &*incident.victims), (&[HIJACKER][..], &[VICTIM][..]));
    assert_eq!(incident.prefixes, [prefix.parse::<Prefix>().unwrap()]);
}

#[test]
fn every_event_of_the_truth_is_found_at_the_second_and_nothing_else() {
    for recording in ["plain", "roles", "roles-leaker-without"] {
        let truth = truth(recording);
        let incidents = detect(recording, "col", &all_facts());
        let [prefix, sub_prefix, forged, leaks @ ..] = incidents.as_slice() else {
            panic!("{recording}: {incidents:#?}")
        };
        assert_eq!(prefix.kind, IncidentKind::OriginHijack, "{recording}");
        assert_is_by_hijacker(prefix, "203.0.113.0/24");
        assert_at(prefix, truth["hijack-prefix"]);
        assert_eq!(sub_prefix.kind, IncidentKind::SubPrefixHijack, "{recording}");
        assert_is_by_hijacker(sub_prefix, "203.0.113.128/25");
        assert_at(sub_prefix, truth["hijack-subprefix"]);
        assert_eq!(forged.kind, IncidentKind::ForgedOrigin, "{recording}");
        assert_is_by_hijacker(forged, "203.0.113.0/24");
        assert_at(forged, truth["hijack-forged"]);
        assert_eq!(forged.link, Some(ForgedLink { a: HIJACKER, b: VICTIM }));
        assert_eq!(forged.rov.state, Some(RovState::Valid), "the origin is right");
        assert_eq!(forged.aspa, Some(AspaState::Invalid), "the path is not");
        assert!(prefix.confidence >= 80 && sub_prefix.confidence >= 80);
        if recording == "plain" {
            let [leak] = leaks else { panic!("{leaks:#?}") };
            assert_at(leak, truth["leak"]);
            assert_is_the_leak(leak);
        } else {
            // Roles (RFC 9234) stop it on the way to the collector.
            assert!(leaks.is_empty(), "{recording}: {leaks:#?}");
        }
    }
}

fn assert_is_the_leak(leak: &Incident) {
    assert_eq!((leak.kind, &*leak.culprits), (IncidentKind::RouteLeak, &[LEAKER][..]));
    let parties = LeakTriple {
        rfc7908_type: Some(1),
        from: Some(Asn(64498)),
        by: LEAKER,
        to: Some(Asn(64499)),
    };
    assert_eq!(leak.leak, Some(parties));
}

/// The leaker has no role and passes routes on with the OTC of its provider: its other provider
/// sees that, and tells nobody.
#[test]
fn the_leakers_other_provider_has_the_proof_of_otc() {
    let recording = "roles-leaker-without";
    let options: Vec<&str> = all_facts().into_iter().chain(["--recorded-by", "64499"]).collect();
    let incidents = detect(recording, "m2", &options);
    let leak = incidents.iter().find(|i| i.kind == IncidentKind::RouteLeak).unwrap();
    assert_is_the_leak(leak);
    assert_at(leak, truth(recording)["leak"]);
    assert!(leak.evidence.iter().any(|line| line.rule == "otc_says_leak"));
    assert!(leak.confidence >= 80);
    // What its neighbours must not send to a router of the Internet's own is nothing to a collector.
    let incidents = detect(recording, "m2", &all_facts());
    assert!(incidents.iter().all(|incident| incident.kind != IncidentKind::RouteLeak));
}

#[test]
fn without_facts_the_hijacks_are_found_and_nothing_is_sure_that_is_not_true() {
    for recording in ["plain", "roles", "roles-leaker-without"] {
        let truth = truth(recording);
        let incidents = detect(recording, "col", &[]);
        let [prefix, sub_prefix] = incidents.as_slice() else { panic!("{incidents:#?}") };
        assert_at(prefix, truth["hijack-prefix"]);
        assert_at(sub_prefix, truth["hijack-subprefix"]);
        assert!(prefix.confidence < 80, "{recording}: a VRP makes it sure");
        assert!(sub_prefix.confidence >= 80);
    }
}

#[test]
fn nothing_else_is_sure_at_any_other_router() {
    for recording in ["plain", "roles", "roles-leaker-without"] {
        for router in ["m1", "m2", "m4", "t1a", "t1b", "vic", "lkr"] {
            for facts in [Vec::new(), all_facts()] {
                for incident in detect(recording, router, &facts) {
                    let is_true = match incident.kind {
                        IncidentKind::RouteLeak => incident.culprits == [LEAKER],
                        _ => incident.culprits == [HIJACKER] && incident.victims == [VICTIM],
                    };
                    assert!(
                        incident.confidence < 80 || is_true,
                        "{recording} {router} {incident:#?}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_folder_with_a_later_table_still_gives_what_came_before_it() {
    let folder = ["detect", "--no-bogons", "--format", "jsonl", "testdata/lab/plain/col"];
    let ran = routewarden(folder).expect(0);
    assert_eq!(ran.incidents().len(), 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("table not used"), "{}", ran.stderr);
}

#[test]
fn a_table_that_is_none_is_an_error() {
    let updates = "testdata/lab/plain/col/updates.mrt";
    let ran = routewarden(["detect", "--rib", updates, updates]).expect(1);
    assert!(ran.stderr.contains("no table entries"), "{}", ran.stderr);
}
