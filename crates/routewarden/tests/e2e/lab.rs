//! The recordings of our own lab: incidents at the times of `truth.tsv`.

use routewarden_core::{Asn, Timestamp};
use routewarden_detect::{Incident, IncidentKind};

use crate::program::{repository, routewarden};

/// (from, to) in microseconds since 1970 of an incident of the truth, by its name.
fn truth(recording: &str, name: &str) -> (i64, i64) {
    let path = repository().join(format!("testdata/lab/{recording}/truth.tsv"));
    let text = std::fs::read_to_string(path).unwrap();
    let time = |event: &str| {
        let line = text.lines().find(|line| {
            line.split('\t').nth(1).is_some_and(|said| said.split(' ').next() == Some(event))
        });
        let (secs, nanos) = line.unwrap().split('\t').next().unwrap().split_once('.').unwrap();
        secs.parse::<i64>().unwrap() * 1_000_000 + nanos.parse::<i64>().unwrap() / 1_000
    };
    (time(&format!("{name}-on")), time(&format!("{name}-off")))
}

fn detect(recording: &str, vrps: bool) -> Vec<Incident> {
    let updates = format!("testdata/lab/{recording}/col/updates.mrt");
    let mut args = vec!["detect", "-q", "--no-bogons", "--format", "jsonl"];
    if vrps {
        args.extend(["--vrps", "testdata/lab/vrps.json"]);
    }
    args.push(&updates);
    routewarden(args).expect(0).incidents()
}

/// The recording has whole seconds; the truth is finer.
const TOLERANCE_MICROS: i64 = 1_000_000;

fn assert_at(incident: &Incident, (from, to): (i64, i64)) {
    let ended = incident.ended_at.unwrap();
    let is_near = |time: Timestamp, truth: i64| (time.micros() - truth).abs() <= TOLERANCE_MICROS;
    assert!(is_near(incident.first_seen, from), "{} {from}", incident.first_seen);
    assert!(is_near(ended, to), "{ended} {to}");
    assert_eq!(incident.culprits, [Asn(64503)]);
    assert_eq!(incident.victims, [Asn(64502)]);
}

#[test]
fn both_hijacks_are_found_at_the_second_and_nothing_else_is_sure() {
    for recording in ["plain", "roles", "roles-leaker-without"] {
        for vrps in [false, true] {
            let incidents = detect(recording, vrps);
            let [prefix, sub_prefix] = incidents.as_slice() else { panic!("{incidents:#?}") };
            assert_eq!(prefix.kind, IncidentKind::OriginHijack, "{recording}");
            assert_at(prefix, truth(recording, "hijack-prefix"));
            assert_eq!(sub_prefix.kind, IncidentKind::SubPrefixHijack, "{recording}");
            assert_at(sub_prefix, truth(recording, "hijack-subprefix"));
            assert!(sub_prefix.confidence >= 80);
            assert_eq!(prefix.confidence >= 80, vrps, "{recording}: a VRP makes it sure");
        }
    }
}

#[test]
fn nothing_else_is_sure_at_any_other_router() {
    for recording in ["plain", "roles", "roles-leaker-without"] {
        for router in ["m1", "m2", "m4", "t1a", "t1b", "vic", "lkr"] {
            let updates = format!("testdata/lab/{recording}/{router}/updates.mrt");
            let args = ["detect", "-q", "--no-bogons", "--format", "jsonl", &updates];
            for incident in routewarden(args).expect(0).incidents() {
                let is_true = incident.culprits == [Asn(64503)] && incident.victims == [Asn(64502)];
                assert!(incident.confidence < 80 || is_true, "{recording} {router} {incident:#?}");
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
