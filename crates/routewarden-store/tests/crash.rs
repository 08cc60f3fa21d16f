//! Killed at any moment, a store loses nothing that was recorded, and has nothing twice.
#![expect(clippy::unwrap_used, reason = "clippy exempts test functions only")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use routewarden_core::{Asn, Timestamp};
use routewarden_store::{
    AsnRole, IncidentFilter, IncidentVersion, Store, StoreReader, check_backup,
};
use serde_json::value::to_raw_value;

/// Names the folder of the store to the child; without it the child's test has nothing to do.
const FOLDER: &str = "ROUTEWARDEN_STORE_CRASH_TEST";
const KILLS: u32 = 20;
/// Incidents of a tick.
const TICK: u32 = 5;

fn version(run: u32, n: u32, ended: bool) -> IncidentVersion {
    let time = Timestamp::from_secs(1_795_824_000 + n);
    IncidentVersion {
        id: format!("run{run}-{n}"),
        // The same cause in every run: what is open or has ended lately is to go on.
        key: format!("key{n}"),
        kind: "origin_hijack".to_owned(),
        state: if ended { "ended" } else { "ongoing" }.to_owned(),
        class: "high".to_owned(),
        confidence: 90,
        severity: 70,
        first_seen: time,
        last_seen: time,
        ended_at: ended.then(|| time.plus_secs(60)),
        asns: vec![(Asn(64496), AsnRole::Culprit)],
        prefixes: vec!["192.0.2.0/24".parse().unwrap()],
        countries: vec!["NL".to_owned()],
        members: vec!["example".to_owned()],
        report: true,
        is_withdrawn: false,
        body: to_raw_value(&"x".repeat(500)).unwrap(),
    }
}

/// The child: records ticks until it is killed, and says what is recorded once it is; takes reports
/// from the outbox, says them and marks them.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let mut store = Store::open(Path::new(&folder)).unwrap();
    let run = u32::try_from(store.head().seq).unwrap();
    let mut out = std::io::stdout().lock();
    writeln!(out, "ready").unwrap();
    for tick in 0.. {
        let now = Timestamp::from_secs(1_795_900_000 + tick);
        // Each incident is there in one tick and over in the next.
        let versions =
            (0..2 * TICK).map(|n| version(run, (tick + n / TICK) * TICK + n % TICK, n < TICK));
        let recorded = store.record(versions.collect(), now).unwrap();
        for it in &recorded.recorded {
            writeln!(out, "recorded {} {}", it.id, it.version).unwrap();
        }
        let keys = store.pending_reports(7).unwrap();
        for key in &keys {
            writeln!(out, "told {key}").unwrap();
        }
        out.flush().unwrap();
        store.mark_sent(&keys, now).unwrap();
    }
}

/// Starts a child, kills it after it has said so many lines, and returns all that it said.
fn run_and_kill(folder: &Path, lines: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut all: Vec<String> =
        said.by_ref().skip_while(|line| !line.ends_with("ready")).take(lines).collect();
    assert!(!all.is_empty(), "the child did not begin");
    // SIGKILL: whatever it does at the moment, it does not end it.
    child.kill().unwrap();
    all.extend(said);
    child.wait().unwrap();
    // The last line may be cut off.
    all.into_iter().filter(|line| line.split(' ').count() > 1).collect()
}

#[test]
fn killed_twenty_times_it_loses_nothing_and_doubles_nothing() {
    let dir = tempfile::TempDir::new().unwrap();
    // The same numbers of lines in every run of the test; the moments differ all the same.
    let mut random = fastrand::Rng::with_seed(7);
    let (mut recorded, mut told) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..KILLS {
        let lines = random.usize(1..400);
        for line in run_and_kill(dir.path(), lines) {
            match line.split_once(' ') {
                Some(("recorded", what)) => {
                    assert!(recorded.insert(what.to_owned()), "{what} twice");
                }
                Some(("told", key)) => drop(told.insert(key.to_owned())),
                _ => {}
            }
        }
    }
    assert_whole(dir.path(), &recorded, &told);
}

fn assert_whole(dir: &Path, recorded: &BTreeSet<String>, told: &BTreeSet<String>) {
    let mut store = Store::open(dir).unwrap();
    let verified = store.verify().unwrap();
    let backup = dir.join("backup.db");
    store.reader().unwrap().backup(&backup).unwrap();
    assert_eq!(check_backup(&backup).unwrap().journal, verified);

    let reader = StoreReader::open(dir).unwrap();
    let mut keys = BTreeSet::new();
    let (mut cursor, mut count) = (None, 0);
    loop {
        let page = reader.list(&IncidentFilter::default(), cursor, 1_000).unwrap();
        for it in &page.incidents {
            let (_, stored) = reader.get(&it.id).unwrap().unwrap();
            assert!(keys.insert(stored.key), "{} is there twice", it.id);
        }
        count += page.incidents.len();
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let mut in_journal = BTreeSet::new();
    let mut from = 1;
    loop {
        let rows = reader.journal(from, 1_000).unwrap();
        let Some(last) = rows.last() else { break };
        from = last.seq + 1;
        for row in rows.iter().filter(|row| row.kind.starts_with("incident_")) {
            let body: serde_json::Value = serde_json::from_str(&row.body).unwrap();
            let name = format!("{} {}", row.subject, body.get("version").unwrap());
            assert!(in_journal.insert(name), "{} twice in the journal", row.subject);
        }
    }
    assert!(count > 0 && !recorded.is_empty());
    let lost: Vec<_> = recorded.difference(&in_journal).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");

    // What was told or is still to be told is all there is to tell, each once.
    let pending = store.pending_reports(10_000).unwrap();
    let opened = told
        .iter()
        .cloned()
        .chain(pending.iter().map(ToString::to_string))
        .filter(|key| key.ends_with(":opened"))
        .collect::<BTreeSet<_>>();
    assert_eq!(opened.len(), count);
    store.mark_sent(&pending, Timestamp::from_secs(1_796_000_000)).unwrap();
    assert!(store.pending_reports(1).unwrap().is_empty());
    assert!(store.rebuild().unwrap() > 0);
}
