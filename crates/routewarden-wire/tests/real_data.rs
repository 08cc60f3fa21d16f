//! Every real file gives the counts of `EXPECTED.tsv`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking and tells on the console what it skipped"
)]

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

fn check(rows: &[Expected]) -> Totals {
    let (mut faults, mut totals) = (Vec::new(), Totals::default());
    for row in rows {
        let counts = count(&row.path);
        let ours = columns(&counts);
        for (column, value) in &row.columns {
            let ours = &ours[column.as_str()];
            if ours != value {
                faults.push(format!("{} {column}: {ours} for {value}", row.file));
            }
        }
        totals.add(&row.file, &counts);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    totals
}

/// Faults of all files by kind.
#[derive(Default)]
struct Totals {
    deprecated_entries: u64,
    /// Multicast elements of the 23 files of 2008-02-24.
    multicast_2008: u64,
    kinds: BTreeMap<&'static str, u64>,
}

impl Totals {
    fn add(&mut self, file: &str, counts: &Counts) {
        if file.starts_with("route-views2-20080224/") {
            self.multicast_2008 += counts.multicast();
        }
        self.deprecated_entries += counts.deprecated_entries();
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
    // mrtparse.openbgpd_rib_table-mp: 31 records that neither bgpdump nor bgpkit-parser reads.
    assert_eq!(totals.deprecated_entries, 31);
    // PROVENANCE.md: of these 8,869 announcements and 1,627 withdrawals.
    assert_eq!(totals.multicast_2008, 8_869 + 1_627);
    let kinds = [
        // bird_bgp and bird6_bgp, see the table's notes.
        ("add_path_guessed", 12),
        // OpenBGPD writes AGGREGATOR of eight octets into TABLE_DUMP.
        ("aggregator_width", 375),
        // VPN routes of mrtparse.openbgpd_bgp and mrtparse.quagga_bgp.
        ("family_unsupported", 12),
        // route-views2-2008.cut-at-4096.mrt.
        ("message_cut", 4),
        // bgpdump.updates.nlri_mask_trailing_bits.gz: after 11.13.0.0/13 a cut prefix.
        ("nlri_malformed", 1),
        ("nlri_stray_bits", 1),
        // gobgp-3.10-bad-peer-index.mrt.
        ("peer_index_out_of_range", 3),
        // Two RIB_GENERIC records of VPN routes in mrtparse.openbgpd_rib_table-v2.
        ("unsupported_address_family", 2),
    ];
    assert_eq!(totals.kinds, BTreeMap::from(kinds));
}

#[test]
fn lab_recordings() {
    let Some(data) = common::shared_data() else { return };
    let totals = check(&common::expected(&data.join("lab")));
    // FRR writes a state change before it knows the peer's address (AFI 8).
    assert_eq!(totals.kinds, BTreeMap::from([("unsupported_address_family", 6)]));
}
