//! Incidents as table, Markdown, CSV, JSON, and the explanation of one.

mod explain;
mod rows;
mod words;

use std::io::{self, Write};

use routewarden_detect::Incident;

pub(crate) use explain::explain;
pub(crate) use rows::quoted;

use crate::cli::Format;

/// Writes incidents in a row or line format. The JSON document is the caller's: it knows the
/// facts and counters that belong to it.
pub(crate) fn write(out: &mut dyn Write, incidents: &[Incident], format: Format) -> io::Result<()> {
    match format {
        Format::Table => rows::table(out, incidents),
        Format::Md => rows::markdown(out, incidents),
        Format::Csv => rows::csv(out, incidents),
        Format::Jsonl | Format::Json => incidents.iter().try_for_each(|incident| {
            serde_json::to_writer(&mut *out, incident)?;
            out.write_all(b"\n")
        }),
    }
}

/// Rows below a header, columns padded to the widest cell.
pub(crate) fn columns<const N: usize>(
    out: &mut dyn Write,
    header: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> io::Result<()> {
    let mut lines = vec![header.map(str::to_owned)];
    lines.extend(rows);
    let mut widths = [0; N];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    lines.iter().try_for_each(|line| {
        let padded: Vec<String> =
            line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(out, "{}", padded.join("  ").trim_end())
    })
}

/// Class of a confidence.
pub(crate) fn confidence_class(confidence: u8) -> &'static str {
    match confidence {
        routewarden_detect::CONFIDENCE_HIGH_MIN.. => "high",
        routewarden_detect::CONFIDENCE_MEDIUM_MIN.. => "medium",
        _ => "low",
    }
}
