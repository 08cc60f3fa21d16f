//! The real archive of 2008-02-24, and the RIS collectors of 2021-01-01.

use std::collections::BTreeMap;

use routewarden_core::facts::Role;
use routewarden_core::{Asn, Prefix, Timestamp};
use routewarden_detect::{CountermeasureAction, Incident, IncidentKind};

use crate::program::{routewarden, shared_data};

fn p(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn t(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn detect(mut args: Vec<String>) -> String {
    args.splice(0..0, ["detect", "-q", "--format", "jsonl"].map(str::to_owned));
    routewarden(args).expect(0).stdout
}

fn parse(jsonl: &str) -> Vec<Incident> {
    jsonl.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// All but the kind is the same with a table and without.
fn assert_is_the_youtube_hijack(incidents: &[Incident], kind: IncidentKind) {
    let named: Vec<&Incident> = incidents
        .iter()
        .filter(|i| i.culprits.contains(&Asn(17557)) && i.victims.contains(&Asn(36561)))
        .collect();
    let [incident] = named.as_slice() else { panic!("{named:#?}") };
    assert_eq!(incident.kind, kind);
    assert_eq!(incident.prefixes, [p("208.65.153.0/24")]);
    assert_eq!(incident.covering_prefixes, [p("208.65.152.0/22")]);
    assert_eq!(incident.first_seen, t("2008-02-24T18:47:57Z"));
    let ended = incident.ended_at.unwrap();
    assert!(t("2008-02-24T21:00:49Z") <= ended && ended <= t("2008-02-24T21:01:34Z"), "{ended}");
    assert_eq!(incident.propagators, [Asn(3491)]);
    assert!(incident.vantage_points.seen >= 35, "{:?}", incident.vantage_points);
    assert!(incident.confidence >= 80);
    let done: Vec<_> =
        incident.countermeasures.iter().map(|done| (done.time, done.prefix, done.action)).collect();
    let expected = [
        (t("2008-02-24T20:07:25Z"), p("208.65.153.0/24"), CountermeasureAction::SamePrefix),
        (t("2008-02-24T20:18:43Z"), p("208.65.153.0/25"), CountermeasureAction::MoreSpecific),
        (t("2008-02-24T20:18:43Z"), p("208.65.153.128/25"), CountermeasureAction::MoreSpecific),
    ];
    assert_eq!(done, expected);
}

#[test]
fn youtube_2008_with_the_table_and_few_others_are_sure() {
    let names = ["mrt/route-views2-20080224.1600.rib.bz2", "asorg/20080402.as-org2info.jsonl.gz"];
    let [Some(rib), Some(orgs)] = names.map(shared_data) else { return };
    let updates = shared_data("mrt/route-views2-20080224").unwrap();
    let args = ["--rib", &rib, "--orgs", &orgs, &updates].map(str::to_owned);
    let first = detect(args.to_vec());
    let incidents = parse(&first);
    assert_is_the_youtube_hijack(&incidents, IncidentKind::SubPrefixHijack);
    let is_attack = |i: &&Incident| i.kind.is_hijack() || i.kind == IncidentKind::RouteLeak;
    let is_sure = |i: &&Incident| i.confidence >= 80;
    let sure = incidents.iter().filter(is_attack).filter(is_sure).count();
    assert!(sure <= 3, "{sure} hijacks and leaks in under six hours");
    let is_known =
        |i: &Incident| i.artemis_class.as_deref() == Some("S|0|-|-") && i.confidence > 90;
    assert_eq!(incidents.iter().filter(|i| is_known(i)).count(), 1, "YouTube alone");
    assert_eq!(detect(args.to_vec()), first, "two runs give the same bytes");
    for [threads, shards] in [["1", "1"], ["2", "8"], ["16", "256"]] {
        let how = ["--threads", threads, "--shards", shards].map(str::to_owned);
        let again = detect(args.iter().cloned().chain(how).collect());
        assert_eq!(again, first, "{threads} threads, {shards} shards");
    }
}

#[test]
fn youtube_2008_with_prefix_origins_of_may_only() {
    let Some(origins) = shared_data("origins/pyasn.ipasn_20080501_v12.dat.gz") else { return };
    let updates = shared_data("mrt/route-views2-20080224").unwrap();
    let incidents = parse(&detect(vec!["--origins".to_owned(), origins, updates]));
    assert_is_the_youtube_hijack(&incidents, IncidentKind::OriginHijack);
}

/// A constituency of three that had a part in it is told of it, each by its part, and of nothing
/// that touches none of them.
#[test]
fn youtube_2008_as_those_see_it_whom_it_touches() {
    let Some(updates) = shared_data("mrt/route-views2-20080224") else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("members.toml");
    std::fs::write(
        &file,
        "[[member]]\nid = \"video\"\nasns = [36561]\nprefixes = [\"208.65.152.0/22\"]\n\
         [[member]]\nid = \"telecom\"\nasns = [17557]\n\
         [[member]]\nid = \"transit\"\nasns = [3491]\n",
    )
    .unwrap();
    let run = |threads: &str, shards: &str| {
        let file = file.to_string_lossy();
        let args = ["--threads", threads, "--shards", shards, "--constituency", &file, &updates];
        detect(args.map(str::to_owned).to_vec())
    };
    let first = run("1", "1");
    assert_eq!(first, run("2", "8"));
    let incidents = parse(&first);
    assert_is_the_youtube_hijack(&incidents, IncidentKind::SubPrefixHijack);
    for incident in &incidents {
        assert!(!incident.constituency.is_empty(), "{incident:#?}");
    }
    let hijack = incidents.iter().find(|i| i.culprits == [Asn(17557)]).unwrap();
    let touched: Vec<_> =
        hijack.constituency.iter().map(|touch| (touch.member.as_str(), touch.role)).collect();
    let expected = [("telecom", Role::Culprit), ("transit", Role::OnPath), ("video", Role::Victim)];
    assert_eq!(touched, expected);
}

/// The real VRPs change in mid-stream: half an hour's renewals make no noise, and the loss of all
/// but a few is one incident for each trust anchor.
#[test]
fn vrps_that_change_in_mid_stream() {
    let names = [
        "rpki/rpkiclient_summary_20250720T093135Z.json.bz2",
        "rpki/rpkiclient_summary_20250720T100145Z.json.bz2",
        "mrt/ris.rrc06.updates.20140530.2215.gz",
    ];
    let [Some(old), Some(new), Some(updates)] = names.map(shared_data) else { return };
    let run = |more: &[&str]| {
        let args = ["--vrps", &old, &updates].into_iter().chain(more.iter().copied());
        parse(&detect(args.map(str::to_owned).collect()))
    };
    let at = |file: &str| format!("2014-05-30T22:17:00Z={file}");
    let kinds = |incidents: &[Incident]| -> Vec<IncidentKind> {
        incidents.iter().map(|incident| incident.kind).collect()
    };
    let before = run(&["--shards", "1"]);
    let renewed = run(&["--shards", "8", "--vrps-at", &at(&new)]);
    assert_eq!(kinds(&renewed), kinds(&before));
    let lost = run(&["--vrps-at", &at("testdata/lab/vrps.json")]);
    let is_loss = |incident: &&Incident| incident.kind == IncidentKind::TrustAnchorLoss;
    assert_eq!(lost.iter().filter(is_loss).count(), 5, "one for each registry: {lost:#?}");
    assert!(lost.iter().filter(is_loss).all(|loss| loss.first_seen == t("2014-05-30T22:17:00Z")));
}

#[test]
fn two_collectors_in_any_order_give_the_same_bytes() {
    let names = ["mrt/rrc04-20210101", "mrt/rrc12-20210101", "asorg/20211001.as-org2info.jsonl.gz"];
    let [Some(rrc04), Some(rrc12), Some(orgs)] = names.map(shared_data) else { return };
    let run = |inputs: [&String; 2], threads: &str, shards: &str| {
        let args =
            ["--orgs", &orgs, inputs[0], inputs[1], "--threads", threads, "--shards", shards];
        detect(args.map(str::to_owned).to_vec())
    };
    let forth = run([&rrc04, &rrc12], "2", "2");
    assert!(!forth.is_empty());
    assert_eq!(forth, run([&rrc12, &rrc04], "2", "8"));
    assert_eq!(forth, run([&rrc12, &rrc04], "1", "1"));
}

/// Columns of `EXPECTED.tsv` that `--count --format json` gives under the same name.
const COLUMNS: [&str; 9] = [
    "mrt_records",
    "announcements",
    "withdrawals",
    "state_changes",
    "rib_entries",
    "prefixes_v4",
    "prefixes_v6",
    "first_time",
    "last_time",
];

#[test]
fn mrt_count_equals_the_expected_counts_of_every_file() {
    for folder in ["mrt", "lab"] {
        let Some(table) = shared_data(&format!("{folder}/EXPECTED.tsv")) else { return };
        let text = std::fs::read_to_string(table).unwrap();
        let mut lines = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
        let header = lines.next().unwrap();
        let rows: BTreeMap<String, Vec<&str>> =
            lines.map(|row| (shared_data(&format!("{folder}/{}", row[0])).unwrap(), row)).collect();
        let flags = ["mrt", "-q", "--count", "--format", "json"].map(str::to_owned);
        let ran = routewarden(flags.into_iter().chain(rows.keys().cloned())).expect(0);
        let mut files = 0;
        for line in ran.stdout.lines() {
            let counted: serde_json::Value = serde_json::from_str(line).unwrap();
            let row = &rows[counted["file"].as_str().unwrap()];
            for column in COLUMNS {
                let expected = row[header.iter().position(|name| *name == column).unwrap()];
                let found = match &counted[column] {
                    serde_json::Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                // The table has whole seconds; extended timestamps have more.
                let found = found.split('.').next().unwrap().trim_end_matches('Z').to_owned();
                assert_eq!(found, expected.trim_end_matches('Z'), "{} {column}", row[0]);
            }
            files += 1;
        }
        assert_eq!(files, rows.len());
    }
}
