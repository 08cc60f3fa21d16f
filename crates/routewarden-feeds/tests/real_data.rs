//! Counts on real data, against `EXPECTED.tsv` of the data folder.

mod common;

use std::path::PathBuf;

use routewarden_core::PeerTable;
use routewarden_feeds::report::Counts;
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

#[test]
fn every_expected_update_count_is_met() {
    let Some(expected) = common::data("mrt/EXPECTED.tsv") else { return };
    for line in std::fs::read_to_string(expected).unwrap().lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let number = |at: usize| fields[at].parse::<u64>().unwrap();
        let Some(report) = update_counts(&format!("mrt/{}", fields[0])) else { return };
        let total = report.total();
        let elements = total.elements;
        let got = (
            elements.announcements + elements.multicast_announcements,
            elements.withdrawals + elements.multicast_withdrawals,
        );
        println!(
            "{} records {}/{} A,W {got:?}/{:?} updown {} lost {:?} warn {:?} skip {:?} other {}",
            fields[0], total.records, number(1), (number(2), number(3)),
            elements.peer_ups + elements.peer_downs, total.lost, total.warnings, total.skipped, elements.other_kind
        );
    }
}

#[test]
fn a_table_gives_its_entries() {
    let Some(path) = common::data("mrt/route-views.jinx.rib.20140530.2200.bz2") else { return };
    let mut table = PeerTable::default();
    let mut entries = 0;
    let files = common::files(&[PathBuf::from(path)]);
    let report = load_rib(files, &StreamOptions::default(), &mut table, |_, run| {
        entries += run.range.len() as u64;
    })
    .unwrap();
    assert_eq!(entries, 503_590);
    assert_eq!(report.total().elements.table_entries, entries);
    let times = report.table_times();
    assert_eq!(times["route-views.jinx"].to_string(), "2014-05-30T22:00:00Z");
}
