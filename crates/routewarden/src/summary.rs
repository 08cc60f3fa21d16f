//! What was wrong with the inputs, on standard error.

use std::collections::BTreeMap;
use std::io::{self, Write};

use routewarden_feeds::{FileReport, Report};

/// Names every file, record, octet and kind of fault that was kept, unless `quiet`. Whether
/// data is incomplete: a file was cut, corrupt, or passed over.
pub(crate) fn faults(reports: &[Report], quiet: bool) -> io::Result<bool> {
    let mut err = io::stderr().lock();
    let mut is_incomplete = false;
    for report in reports {
        for error in &report.errors {
            is_incomplete = true;
            writeln!(err, "routewarden: skipped: {}", with_causes(error))?;
        }
        for file in &report.files {
            is_incomplete |= file.unreadable.is_some() || is_cut(file);
            if !quiet {
                file_faults(&mut err, file)?;
            }
        }
    }
    Ok(is_incomplete)
}

/// An error and what led to it.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn file_faults(err: &mut dyn Write, file: &FileReport) -> io::Result<()> {
    let path = file.path.display();
    for fault in &file.faults {
        let (record, octet) = (fault.record, fault.octet);
        writeln!(err, "{path}: record {record} at octet {octet}: {}", fault.kind)?;
    }
    if file.faults_beyond > 0 {
        writeln!(err, "{path}: {} more faults", file.faults_beyond)?;
    }
    Ok(())
}

/// Whether the file ended before its time.
fn is_cut(file: &FileReport) -> bool {
    file.counts.lost.keys().any(|kind| ENDING.contains(kind))
}

/// Losses that end a file.
const ENDING: [&str; 9] = [
    "decoder_panicked",
    "truncated",
    "record_cut",
    "corrupt",
    "read_failed",
    "memory_limit",
    "output_limit",
    "ratio_limit",
    "not_mrt",
];

/// `records decoded / with warnings / skipped by kind`, over all inputs.
pub(crate) fn inputs(err: &mut dyn Write, reports: &[Report]) -> io::Result<()> {
    let names = ["tables", "updates"];
    for (name, report) in names.iter().zip(reports).filter(|(_, report)| !report.files.is_empty()) {
        let total = report.total();
        let elements = total.elements;
        writeln!(
            err,
            "{name}: {} files, {} records, {} announcements, {} withdrawals, {} table entries",
            report.files.len(),
            total.records,
            elements.announcements,
            elements.withdrawals,
            elements.table_entries
        )?;
        let multicast = elements.multicast_announcements
            + elements.multicast_withdrawals
            + elements.multicast_table_entries;
        writeln!(
            err,
            "  set aside: {} older than the table, {} outside the time window, {multicast} \
             multicast, {} records out of order",
            elements.before_table, elements.outside_window, total.out_of_order
        )?;
        if elements.other_kind + elements.attributes_too_long > 0 {
            writeln!(
                err,
                "  not taken: {} elements of the other kind (tables among updates, or the \
                 reverse), {} with attributes too long",
                elements.other_kind, elements.attributes_too_long
            )?;
        }
        kinds(err, "with warnings", &total.warnings)?;
        kinds(err, "skipped", &total.skipped)?;
        kinds(err, "lost", &total.lost)?;
    }
    Ok(())
}

/// `what: sum (kind count, ...)`
pub(crate) fn kinds(
    err: &mut dyn Write,
    what: &str,
    counts: &BTreeMap<&'static str, u64>,
) -> io::Result<()> {
    let sum: u64 = counts.values().sum();
    let listed: Vec<String> =
        counts.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    let listed =
        if listed.is_empty() { String::new() } else { format!(" ({})", listed.join(", ")) };
    writeln!(err, "  {what}: {sum}{listed}")
}
