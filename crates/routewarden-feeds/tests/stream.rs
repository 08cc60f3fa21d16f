//! The merge: its order, its limits, and what it reports.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    clippy::let_underscore_must_use,
    clippy::cast_possible_truncation,
    reason = "test code: helpers outside of #[test] functions"
)]

mod common;

use std::fs;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use common::mrt;
use proptest::prelude::*;
use routewarden_core::{PeerTable, Timestamp};
use routewarden_feeds::report::{Counts, FAULT_SAMPLES_MAX};
use routewarden_feeds::transport::Limits;
use routewarden_feeds::{Error, StreamOptions, load_rib, open_updates};

const START: u32 = 1_600_000_000;

fn put(directory: &Path, name: &str, octets: &[u8]) -> PathBuf {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, octets).unwrap();
    path
}

fn gz(octets: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

fn threads(count: usize) -> StreamOptions {
    StreamOptions { threads: NonZeroUsize::new(count), ..StreamOptions::default() }
}

/// Collector and time of each line, short.
fn short(lines: &[String]) -> Vec<String> {
    lines
        .iter()
        .map(|line| {
            let fields: Vec<&str> = line.split(' ').collect();
            let second = fields[0].parse::<Timestamp>().unwrap().secs() - i64::from(START);
            format!("{second} {} {}", fields[1], fields[4..fields.len().min(6)].join(" "))
        })
        .collect()
}

#[test]
fn events_come_by_time_then_collector_then_place() {
    let directory = tempfile::tempdir().unwrap();
    let a: Vec<u8> = [
        mrt::update(START, 1, &[1], &[2, 3]),
        mrt::update(START + 2, 1, &[], &[4]),
        // Older than the one before: it keeps its place and comes as soon as it is reached.
        mrt::update(START + 1, 2, &[5], &[]),
        mrt::state_change(START + 4, 2, 6, 1),
    ]
    .concat();
    let b: Vec<u8> = [
        mrt::update(START + 1, 1, &[], &[6]),
        mrt::update(START + 2, 1, &[], &[7]),
        mrt::message(START + 3, 1, 2, &[0; 4]),
        mrt::state_change(START + 4, 1, 5, 6),
    ]
    .concat();
    put(directory.path(), "rrc00/a", &a);
    put(directory.path(), "rrc01/b", &b);
    let (lines, report) =
        common::read(&[directory.path().to_owned()], &StreamOptions::default()).unwrap();
    assert_eq!(
        short(&lines),
        [
            "0 rrc00 W 198.51.1.0/24",
            "0 rrc00 A 198.51.2.0/24",
            "0 rrc00 A 198.51.3.0/24",
            "1 rrc01 A 198.51.6.0/24",
            "2 rrc00 A 198.51.4.0/24",
            "1 rrc00 W 198.51.5.0/24",
            "2 rrc01 A 198.51.7.0/24",
            "3 rrc01 EndOfRib {",
            "4 rrc00 PeerDown",
            "4 rrc01 PeerUp",
        ]
    );
    let total = report.total();
    assert_eq!((total.records, total.out_of_order), (8, 1));
    assert_eq!(total.elements.events(), 10);
    assert_eq!(total.first_time, Some(Timestamp::from_secs(START)));
    assert_eq!(total.last_time, Some(Timestamp::from_secs(START + 4)));
    assert!(lines[1].contains("64497 65550"), "{}", lines[1]);
}

#[test]
fn peers_are_told_apart_by_collector_asn_and_address() {
    let directory = tempfile::tempdir().unwrap();
    let one = mrt::update(START, 1, &[1], &[]);
    for file in ["rrc00/a", "rrc00/b", "rrc01/a"] {
        put(directory.path(), file, &[one.clone(), mrt::update(START, 2, &[1], &[])].concat());
    }
    let mut table = PeerTable::default();
    let files = common::files(&[directory.path().to_owned()]);
    let mut stream = open_updates(files, &StreamOptions::default()).unwrap();
    let mut events = 0;
    while let Some(run) = stream.next_run(&mut table).unwrap() {
        events += run.events().count();
    }
    assert_eq!((events, table.len()), (6, 4));
}

#[test]
fn other_sorts_of_records_are_counted() {
    let directory = tempfile::tempdir().unwrap();
    let update_file = [
        mrt::table(START, &[1, 2]),
        mrt::update(START, 1, &[], &[1]),
        mrt::message(START, 1, 4, &[]),
        mrt::record(START, 48, 0, &[0; 8]),
        mrt::state_change(START, 1, 1, 3),
    ]
    .concat();
    let path = put(directory.path(), "rrc00/x", &update_file);
    let (lines, report) =
        common::read(std::slice::from_ref(&path), &StreamOptions::default()).unwrap();
    assert_eq!(lines.len(), 1);
    let total = report.total();
    assert_eq!(total.elements.other_kind, 4);
    let skipped: Vec<(&str, u64)> = total.skipped.into_iter().collect();
    assert_eq!(
        skipped,
        [
            ("keepalive", 1),
            ("peer_index_table", 1),
            ("state_change_short_of_established", 1),
            ("unsupported_record_type", 1)
        ]
    );

    let mut entries = 0;
    let mut table = PeerTable::default();
    let files = common::files(&[path]);
    let report = load_rib(files, &StreamOptions::default(), &mut table, |table, run| {
        entries += common::lines(table, &run).len();
    })
    .unwrap();
    assert_eq!((entries, table.len()), (4, 2));
    assert_eq!(report.total().elements.other_kind, 1);
    assert_eq!(report.table_times()["rrc00"], Timestamp::from_secs(START));
}

#[test]
fn the_window_and_the_table_time_count_what_they_leave_out() {
    let directory = tempfile::tempdir().unwrap();
    for collector in ["rrc00", "rrc01"] {
        let octets: Vec<u8> =
            (0..10).flat_map(|at| mrt::update(START + at, 1, &[1], &[2])).collect();
        put(directory.path(), &format!("{collector}/x"), &octets);
    }
    let mut options = StreamOptions {
        from: Some(Timestamp::from_secs(START + 2)),
        until: Some(Timestamp::from_secs(START + 8)),
        ..StreamOptions::default()
    };
    options.table_times.insert("rrc01".to_owned(), Timestamp::from_secs(START + 5));
    let (lines, report) = common::read(&[directory.path().to_owned()], &options).unwrap();
    let of = |collector: &str| lines.iter().filter(|line| line.contains(collector)).count();
    assert_eq!((of("rrc00"), of("rrc01")), (12, 6));
    let left_out: Vec<(u64, u64)> = report
        .files
        .iter()
        .map(|file| (file.counts.elements.before_table, file.counts.elements.outside_window))
        .collect();
    assert_eq!(left_out, [(0, 8), (10, 4)]);
}

#[test]
fn files_far_outside_the_window_are_not_opened() {
    let directory = tempfile::tempdir().unwrap();
    // 2020-09-13T12:26:40Z is START; the names give the times.
    for (name, at) in [("1100", -5200), ("1130", -3400), ("1226", 0), ("1400", 5600)] {
        let secs = u32::try_from(i64::from(START) + at).unwrap();
        let name = format!("rrc00/updates.20200913.{name}");
        put(directory.path(), &name, &mrt::update(secs, 1, &[1], &[]));
    }
    let options = StreamOptions {
        from: Some(Timestamp::from_secs(START - 60)),
        until: Some(Timestamp::from_secs(START + 60)),
        ..StreamOptions::default()
    };
    let (lines, report) = common::read(&[directory.path().to_owned()], &options).unwrap();
    assert_eq!(lines.len(), 1);
    let unopened: Vec<bool> = report.files.iter().map(|file| file.outside_window).collect();
    // The second one may reach into the window: the next one starts in it.
    assert_eq!(unopened, [true, false, false, true]);
    assert_eq!(report.total().elements.outside_window, 1);
}

#[test]
fn a_truncated_file_gives_what_came_before_and_the_feed_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let octets: Vec<u8> =
        (0..2000).flat_map(|at| mrt::update(START + at, 1, &[at as u8], &[])).collect();
    let whole = gz(&octets);
    for (name, packed) in
        [("1", &whole[..whole.len() / 2]), ("2", &whole[..]), ("3", &whole[..whole.len() - 4])]
    {
        put(directory.path(), &format!("rrc00/updates.20200913.122{name}.gz"), packed);
    }
    put(directory.path(), "rrc00/updates.20200913.1225", &octets[..octets.len() - 5]);
    let (lines, report) =
        common::read(&[directory.path().to_owned()], &StreamOptions::default()).unwrap();
    let given: Vec<u64> =
        report.files.iter().map(|file| file.counts.elements.withdrawals).collect();
    assert!((900..1100).contains(&given[0]), "{given:?}");
    assert_eq!(&given[1..], [2000, 2000, 1999]);
    assert_eq!(lines.len() as u64, given.iter().sum::<u64>());
    let kinds: Vec<Vec<&str>> =
        report.files.iter().map(|file| file.counts.lost.keys().copied().collect()).collect();
    assert_eq!(kinds, [vec!["truncated"], vec![], vec!["truncated"], vec!["record_cut"]]);
    let fault = report.files[0].faults[0];
    assert_eq!((fault.kind, fault.record), ("truncated", given[0]));
    assert_eq!(fault.octet, given[0] * mrt::update(0, 1, &[1], &[]).len() as u64);
    let last = report.files[3].faults[0];
    assert_eq!((last.kind, last.record), ("record_cut", 1999));
    // The report can be written out.
    let json = serde_json::to_value(&report.files[0]).unwrap();
    assert_eq!(json["faults"][0]["kind"], "truncated");
}

#[test]
fn a_bomb_ends_its_file_only() {
    let directory = tempfile::tempdir().unwrap();
    let mut octets = mrt::update(START, 1, &[1], &[]);
    octets.extend(mrt::record(START, 48, 0, &vec![0; 8 << 20]));
    put(directory.path(), "rrc00/updates.20200913.1221.gz", &gz(&octets));
    put(directory.path(), "rrc00/updates.20200913.1222", &mrt::update(START, 1, &[1], &[]));
    let limits = Limits { ratio_free_octets: 1 << 20, ..Limits::default() };
    let options = StreamOptions { limits, ..StreamOptions::default() };
    let (lines, report) = common::read(&[directory.path().to_owned()], &options).unwrap();
    assert_eq!(lines.len(), 2);
    assert_eq!(report.total().lost, [("ratio_limit", 1)].into());
}

#[test]
fn bad_records_are_counted_and_the_first_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let mut octets = Vec::new();
    for at in 0..30 {
        octets.extend(mrt::update(START + at, 1, &[1], &[]));
        octets.extend(mrt::record(START + at, 16, 4, &[0; 5]));
    }
    let path = put(directory.path(), "rrc00/x", &octets);
    let (lines, report) = common::read(&[path], &StreamOptions::default()).unwrap();
    assert_eq!(lines.len(), 30);
    let file = &report.files[0];
    assert_eq!(file.counts.lost, [("malformed_bgp4mp_header", 30)].into());
    assert_eq!(file.faults.len(), FAULT_SAMPLES_MAX);
    assert_eq!(file.faults_beyond, 30 - FAULT_SAMPLES_MAX as u64);
    assert_eq!(file.faults[1].record, 3);
    let size = mrt::update(START, 1, &[1], &[]).len() as u64;
    assert_eq!(file.faults[1].octet, 2 * size + 17);
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_unless_asked_to_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let good = mrt::update(START, 1, &[1], &[]);
    put(directory.path(), "rrc01/good", &good);
    let text =
        put(directory.path(), "rrc00/text", b"nothing of the kind, but longer than a header");
    let short = put(directory.path(), "rrc00/short", b"short");
    let cut = put(directory.path(), "rrc00/cut.gz", &gz(&good)[..12]);
    let empty = put(directory.path(), "rrc00/empty", b"");
    for (path, kind) in [(&text, "not_mrt"), (&short, "not_mrt"), (&cut, "truncated")] {
        let inputs = [path.clone(), directory.path().join("rrc01/good")];
        let error = common::read(&inputs, &StreamOptions::default()).unwrap_err();
        assert_eq!(error.kind(), kind, "{}", path.display());
        let options = StreamOptions { keep_going: true, ..StreamOptions::default() };
        let (lines, report) = common::read(&inputs, &options).unwrap();
        assert_eq!(lines.len(), 1);
        assert_eq!(report.errors.len(), 1);
        assert_eq!(report.files[0].unreadable, Some(kind));
    }
    let (_, report) = common::read(&[empty], &StreamOptions::default()).unwrap();
    assert_eq!(report.total().lost, [("empty_file", 1)].into());

    let mut files = common::files(&[directory.path().join("rrc01/good")]);
    files[0].path = directory.path().join("gone");
    let mut stream = open_updates(files, &StreamOptions::default()).unwrap();
    let gone = stream.next_run(&mut PeerTable::default());
    assert!(matches!(gone, Err(Error::Open { .. })));
}

#[test]
fn a_stream_can_be_dropped_at_any_time() {
    let directory = tempfile::tempdir().unwrap();
    let octets: Vec<u8> =
        (0..60_000).flat_map(|at| mrt::update(START + at, 1, &[], &[1, 2, 3, 4])).collect();
    for name in 0..4 {
        put(directory.path(), &format!("rrc0{name}/updates.20200913.1226"), &octets);
    }
    let files = common::files(&[directory.path().to_owned()]);
    let mut table = PeerTable::default();
    for count in [1, 3] {
        let mut stream = open_updates(files.clone(), &threads(count)).unwrap();
        let progress = stream.progress();
        assert_eq!(progress.total_octets(), 4 * octets.len() as u64);
        stream.next_run(&mut table).unwrap().unwrap();
        drop(stream);
        assert!(progress.read_octets() < progress.total_octets());
    }
}

#[test]
fn many_collectors_need_few_threads() {
    let directory = tempfile::tempdir().unwrap();
    for collector in 0..100 {
        for file in 0..3 {
            let octets: Vec<u8> = (0..40)
                .flat_map(|at| mrt::update(START + file * 40 + at, 1, &[], &[collector]))
                .collect();
            put(directory.path(), &format!("c{collector:03}/updates.20200913.122{file}"), &octets);
        }
    }
    let inputs = [directory.path().to_owned()];
    let (one, report) = common::read(&inputs, &threads(1)).unwrap();
    assert_eq!(one.len(), 100 * 3 * 40);
    assert_eq!(report.total().records, 100 * 3 * 40);
    let (many, _) = common::read(&inputs, &threads(8)).unwrap();
    assert!(one == many);
    let keys: Vec<(&str, &str)> = one
        .iter()
        .map(|line| {
            let mut fields = line.split(' ');
            (fields.next().unwrap(), fields.next().unwrap())
        })
        .collect();
    assert!(keys.is_sorted());
}

/// The records of one collector: gaps between them, so that they are in order.
fn records() -> impl Strategy<Value = Vec<(u32, u8, Vec<u8>, Vec<u8>)>> {
    let prefixes = || prop::collection::vec(any::<u8>(), 0..4);
    prop::collection::vec((0u32..3, 1u8..4, prefixes(), prefixes()), 0..30)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// The sequence depends on the files only, and is that of a plain sort.
    #[test]
    fn the_merge_is_a_stable_sort(
        collectors in prop::collection::vec(records(), 1..5),
        order in any::<prop::sample::Index>(),
        count in 1usize..4,
        cut in any::<prop::sample::Index>(),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let mut inputs = Vec::new();
        let mut expected = Vec::new();
        for (number, records) in collectors.iter().enumerate() {
            let mut secs = START;
            let mut files = [Vec::new(), Vec::new()];
            let cut = cut.index(records.len() + 1);
            for (place, (gap, peer, withdrawn, announced)) in records.iter().enumerate() {
                secs += gap;
                let octets = mrt::update(secs, *peer, withdrawn, announced);
                files[usize::from(place >= cut)].extend(octets);
                // An UPDATE with nothing in it is an End-of-RIB marker.
                let elements = (withdrawn.len() + announced.len()).max(1);
                expected.extend((0..elements).map(|_| (secs, number)));
            }
            for (part, octets) in files.iter().enumerate().filter(|(_, octets)| !octets.is_empty()) {
                let name = format!("rrc0{number}/updates.20200913.122{part}");
                inputs.push(put(directory.path(), &name, octets));
            }
        }
        expected.sort_unstable();
        prop_assume!(!inputs.is_empty());
        let (straight, _) = common::read(&inputs, &threads(count)).unwrap();
        let turn = order.index(inputs.len());
        inputs.rotate_left(turn);
        inputs.reverse();
        let (turned, _) = common::read(&inputs, &threads(1)).unwrap();
        prop_assert_eq!(&straight, &turned);
        let got: Vec<(u32, usize)> = straight
            .iter()
            .map(|line| {
                let mut fields = line.split(' ');
                let time: Timestamp = fields.next().unwrap().parse().unwrap();
                let collector = fields.next().unwrap().trim_start_matches("rrc0");
                (u32::try_from(time.secs()).unwrap(), collector.parse().unwrap())
            })
            .collect();
        prop_assert_eq!(got, expected);
    }
}

#[test]
fn real_collectors_merge_the_same_in_any_order() {
    let names = [
        "mrt/rrc12-20210101/updates.20210101.0740.gz",
        "mrt/rrc04-20210101/updates.20210101.0740.gz",
        "mrt/rrc04-20210101/updates.20210101.0745.gz",
    ];
    let Some(mut inputs) = names.iter().map(|name| common::data(name)).collect::<Option<Vec<_>>>()
    else {
        return;
    };
    let read = |inputs: &[PathBuf], count| {
        let (lines, report) = common::read(inputs, &threads(count)).unwrap();
        (
            lines,
            report.total(),
            report.files.iter().map(|file| file.path.clone()).collect::<Vec<_>>(),
        )
    };
    let first: (Vec<String>, Counts, Vec<PathBuf>) = read(&inputs, 2);
    assert_eq!(first.0.len() as u64, first.1.elements.events());
    inputs.reverse();
    let second = read(&inputs, 1);
    assert!(first == second, "the order of inputs or the threads decide");
    let time = |line: &String| line.split(' ').next().unwrap().to_owned();
    let both = ["rrc04", "rrc12"].map(|c| first.0.iter().filter(|line| line.contains(c)).count());
    assert!(both.iter().all(|&count| count > 20_000), "{both:?}");
    if first.1.out_of_order == 0 {
        assert!(first.0.iter().map(time).is_sorted());
    }
}

#[test]
fn a_record_that_is_too_long_is_passed_over() {
    let directory = tempfile::tempdir().unwrap();
    let one = mrt::update(START, 1, &[1], &[]);
    let long = mrt::record(START, 16, 4, &vec![0; 17 << 20]);
    let path = put(directory.path(), "rrc00/x", &[one.clone(), long, one.clone()].concat());
    let (lines, report) = common::read(&[path], &StreamOptions::default()).unwrap();
    assert_eq!(lines.len(), 2);
    let fault = report.files[0].faults[0];
    assert_eq!((fault.kind, fault.record), ("record_too_long", 1));
    assert_eq!(fault.octet, one.len() as u64);
}
