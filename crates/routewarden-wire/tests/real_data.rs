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

/// Values that differ from the table, with the reason.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    // The table gives 0 because neither bgpdump nor bgpkit-parser reads the deprecated
    // BGP4MP_ENTRY (16,2); its note says that there are 31 entries. The prefixes are those that
    // the same router wrote as TABLE_DUMP and TABLE_DUMP_V2 in the neighbouring files.
    ("mrtparse.openbgpd_rib_table-mp", "rib_entries", "31"),
    ("mrtparse.openbgpd_rib_table-mp", "prefixes_v4", "11"),
    ("mrtparse.openbgpd_rib_table-mp", "prefixes_v6", "10"),
];

fn check(rows: &[Expected]) -> Totals {
    let (mut faults, mut exceptions, mut totals) = (Vec::new(), 0, Totals::default());
    for row in rows {
        let counts = count(&row.path);
        let ours = columns(&counts);
        for (column, value) in &row.columns {
            let ours = &ours[column.as_str()];
            if EXCEPTIONS.contains(&(row.file.as_str(), column.as_str(), ours.as_str())) {
                exceptions += 1;
            } else if ours != value {
                faults.push(format!("{} {column}: {ours} for {value}", row.file));
            }
        }
        totals.add(&counts);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    totals.exceptions = exceptions;
    totals
}

/// Faults of all files by kind.
#[derive(Default)]
struct Totals {
    exceptions: usize,
    multicast: u64,
    kinds: BTreeMap<&'static str, u64>,
}

impl Totals {
    fn add(&mut self, counts: &Counts) {
        self.multicast += counts.multicast();
        for kinds in [counts.warnings(), counts.errors(), counts.skipped()] {
            for (kind, number) in kinds {
                *self.kinds.entry(kind).or_default() += number;
            }
        }
    }
}

#[test]
fn collector_files() {
    let Some(data) = common::shared_data() else { return };
    let totals = check(&common::expected(&data.join("mrt")));
    assert_eq!(totals.exceptions, EXCEPTIONS.len());
    // PROVENANCE.md: 8,869 announced and 1,627 withdrawn in the 23 files of 2008.
    assert_eq!(totals.multicast, 0);
    let kinds = [];
    assert_eq!(totals.kinds, BTreeMap::from(kinds));
}

#[test]
fn lab_recordings() {
    let Some(data) = common::shared_data() else { return };
    let totals = check(&common::expected(&data.join("lab")));
    // FRR writes a state change before it knows the peer's address (AFI 8).
    assert_eq!(totals.kinds, BTreeMap::from([]));
}
