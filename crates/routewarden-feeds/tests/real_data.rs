//! Counts on real data, against `EXPECTED.tsv` of the data folder.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    clippy::let_underscore_must_use,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "test code: helpers outside of #[test] functions"
)]

mod common;

use routewarden_core::{PeerTable, Timestamp};
use routewarden_feeds::report::Counts;
use routewarden_feeds::sources::InputKind;
use routewarden_feeds::{Report, StreamOptions, load_rib, open_updates};

fn update_counts(name: &str) -> Option<Report> {
    let path = common::data(name)?;
    let mut table = PeerTable::default();
    let mut stream = open_updates(common::files(&[path]), &StreamOptions::default()).unwrap();
    while stream.next_run(&mut table).unwrap().is_some() {}
    Some(stream.finish())
}

/// Announcements, withdrawals, session changes.
fn updates(counts: &Counts) -> (u64, u64, u64) {
    let elements = &counts.elements;
    (elements.announcements, elements.withdrawals, elements.peer_ups + elements.peer_downs)
}

#[test]
fn the_youtube_slice_has_its_elements() {
    let Some(report) = update_counts("mrt/youtube-2008-slice.mrt") else { return };
    let total = report.total();
    assert_eq!(total.records, 148);
    assert_eq!(updates(&total), (598, 11, 0));
    assert_eq!(total.elements.multicast_announcements, 0);
    assert!(total.lost.is_empty() && total.warnings.is_empty(), "{total:?}");
}

#[test]
fn multicast_is_counted_and_not_given() {
    let name = "mrt/route-views2-20080224/updates.20080224.1924.bz2";
    let Some(report) = update_counts(name) else { return };
    let total = report.total();
    let elements = &total.elements;
    assert_eq!((elements.multicast_announcements, elements.multicast_withdrawals), (3372, 59));
    assert_eq!(updates(&total), (54109 - 3372, 10448 - 59, 0));
    assert_eq!(report.files[0].collector, "route-views2");
    assert_eq!(report.files[0].compression, "bzip2");
}

/// `EXPECTED.tsv` where it says what other parsers give, and we give more.
const DECODED_BY_US_ONLY: [(&str, u64); 1] = [("mrtparse.openbgpd_rib_table-mp", 31)];

#[test]
fn every_expected_count_is_met() {
    let Some(expected) = common::data("mrt/EXPECTED.tsv") else { return };
    for line in std::fs::read_to_string(expected).unwrap().lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let number = |at: usize| fields[at].parse::<u64>().unwrap();
        let name = fields[0];
        let ours = DECODED_BY_US_ONLY.iter().find(|(only, _)| *only == name);
        let entries = ours.map_or(number(5), |&(_, entries)| entries);
        let Some(path) = common::data(&format!("mrt/{name}")) else { return };
        let files = common::files(&[path]);
        let is_table = files[0].kind == Some(InputKind::Table);
        let options = StreamOptions::default();
        let mut table = PeerTable::default();
        let report = if is_table {
            load_rib(files, &options, &mut table, |_, _| {}).unwrap()
        } else {
            let mut stream = open_updates(files, &options).unwrap();
            while stream.next_run(&mut table).unwrap().is_some() {}
            stream.finish()
        };
        let total = report.total();
        let elements = &total.elements;
        let states = elements.peer_ups
            + elements.peer_downs
            + total.skipped.get("state_change_short_of_established").copied().unwrap_or(0);
        assert_eq!(total.records, number(1), "{name}");
        assert_eq!(elements.announcements + elements.multicast_announcements, number(2), "{name}");
        assert_eq!(elements.withdrawals + elements.multicast_withdrawals, number(3), "{name}");
        assert_eq!(states, number(4), "{name}");
        assert_eq!(
            elements.table_entries + elements.multicast_table_entries,
            entries,
            "{name} {:?}",
            total.lost
        );
        let secs =
            |time: Option<Timestamp>| time.map(|time| Timestamp::from_secs(time.secs() as u32));
        assert_eq!(secs(total.first_time), Some(fields[8].parse().unwrap()), "{name}");
        assert_eq!(secs(total.last_time), Some(fields[9].parse().unwrap()), "{name}");
        let lost: u64 = total.lost.values().sum();
        // Far from the ratio at which a file is taken for a bomb.
        assert!(total.decompressed_octets <= 40 * total.compressed_octets, "{name}");
        let is_broken = name == "gobgp-3.10-bad-peer-index.mrt";
        assert_eq!(lost > 0, is_broken, "{name}: {:?}", total.lost);
    }
}

#[test]
fn a_table_gives_its_entries() {
    let Some(path) = common::data("mrt/route-views.jinx.rib.20140530.2200.bz2") else { return };
    let mut table = PeerTable::default();
    let mut entries = 0;
    let files = common::files(&[path]);
    let report = load_rib(files, &StreamOptions::default(), &mut table, |_, run| {
        entries += run.range.len() as u64;
    })
    .unwrap();
    assert_eq!(entries, 503_590);
    assert_eq!(report.total().elements.table_entries, entries);
    let times = report.table_times();
    assert_eq!(times["route-views.jinx"].to_string(), "2014-05-30T22:00:00Z");
}

#[test]
fn updates_before_the_table_are_left_out() {
    let name = "mrt/route-views2-20080224/updates.20080224.1550.bz2";
    let Some(path) = common::data(name) else { return };
    let mut options = StreamOptions::default();
    let table_time: Timestamp = "2008-02-24T16:00:00Z".parse().unwrap();
    options.table_times.insert("route-views2".to_owned(), table_time);
    let (lines, report) = common::read(&[path], &options).unwrap();
    assert!(lines.iter().all(|line| line.as_str() >= "2008-02-24T16:00:00Z"));
    let elements = report.total().elements;
    let multicast = elements.multicast_announcements + elements.multicast_withdrawals;
    let all = elements.events() + elements.before_table + multicast;
    assert_eq!(all, 45_524 + 6_266);
    assert!(elements.before_table > 20_000 && lines.len() > 10_000, "{elements:?}");
}

#[test]
fn damaged_files_never_stop_the_feed() {
    let directory = tempfile::tempdir().unwrap();
    let names = [
        "mrt/youtube-2008-slice.mrt",
        "mrt/mrtparse.quagga_bgp",
        "mrt/route-views.jinx.updates.20140530.2345.bz2",
        "mrt/ris.rrc06.updates.20140530.2215.gz",
    ];
    // Not random, but spread: every run damages the same octets.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap()
    };
    let options = StreamOptions { keep_going: true, ..StreamOptions::default() };
    for name in names {
        let Some(path) = common::data(name) else { return };
        let whole = std::fs::read(path).unwrap();
        for round in 0..40 {
            let mut octets = whole.clone();
            for _ in 0..=round {
                let at = next() % octets.len();
                octets[at] = next() as u8;
            }
            let path = directory.path().join("updates.20140530.2345");
            std::fs::write(&path, octets).unwrap();
            let (lines, report) = common::read(&[path], &options).unwrap();
            let total = report.total();
            assert!(!total.lost.contains_key("decoder_panicked"), "{name} {round}");
            assert_eq!(lines.len() as u64, total.elements.events());
        }
    }
}
