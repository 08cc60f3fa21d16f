//! Every real file gives the counts of `EXPECTED.tsv`.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::Expected;
use routewarden_wire::{Counts, Limits, MrtDecoder, MrtReader};

fn count(path: &Path) -> Counts {
    let mut reader = MrtReader::new(common::open(path), Limits::default());
    let mut decoder = MrtDecoder::new();
    let mut counts = Counts::new();
    while let Some(raw) = reader.next_record() {
        match raw {
            Ok(raw) => counts.add(&raw, &decoder.decode(&raw)),
            Err(error) => counts.add_error(&error),
        }
    }
    counts
}

fn columns(counts: &Counts) -> BTreeMap<&'static str, String> {
    let time = |time: Option<routewarden_core::Timestamp>| {
        time.map(|t| routewarden_core::Timestamp::default().plus_secs(t.secs()).to_string())
    };
    BTreeMap::from([
        ("mrt_records", counts.mrt_records().to_string()),
        ("announcements", counts.announcements().to_string()),
        ("withdrawals", counts.withdrawals().to_string()),
        ("state_changes", counts.state_changes().to_string()),
        ("rib_entries", counts.rib_entries().to_string()),
        ("prefixes_v4", counts.prefixes_v4().to_string()),
        ("prefixes_v6", counts.prefixes_v6().to_string()),
        ("first_time", time(counts.first_time()).unwrap_or_default()),
        ("last_time", time(counts.last_time()).unwrap_or_default()),
    ])
}

fn check(rows: &[Expected]) {
    let mut faults = Vec::new();
    for row in rows {
        let counts = count(&row.path);
        let ours = columns(&counts);
        for (column, value) in &row.columns {
            if ours[column.as_str()] != *value {
                faults.push(format!("{} {column}: {} for {value}", row.file, ours[column.as_str()]));
            }
        }
        println!("{} w{:?} e{:?} s{:?}", row.file, counts.warnings(), counts.errors(), counts.skipped());
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn collector_files() {
    let Some(data) = common::shared_data() else { return };
    check(&common::expected(&data.join("mrt")));
}

#[test]
fn lab_recordings() {
    let Some(data) = common::shared_data() else { return };
    check(&common::expected(&data.join("lab")));
}
