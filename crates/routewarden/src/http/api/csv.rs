//! Incidents as CSV (RFC 4180) that a spreadsheet may open.

use super::item::Item;
use crate::output::quoted;

/// The columns; new ones come at the end.
pub(super) const HEADER: [&str; 22] = [
    "id",
    "number",
    "kind",
    "state",
    "class",
    "confidence",
    "severity",
    "first_seen",
    "last_seen",
    "ended_at",
    "culprits",
    "victims",
    "prefixes",
    "prefix_count",
    "countries",
    "seen",
    "of",
    "rov_state",
    "members",
    "opened_at",
    "updated_at",
    "version",
];

/// Adds the line of the columns' names.
pub(super) fn put_header(out: &mut Vec<u8>) {
    put(HEADER.map(str::to_owned), out);
}

/// Adds the line of an incident.
pub(super) fn put_row(item: &Item, out: &mut Vec<u8>) {
    put(item.cells(), out);
}

fn put(cells: [String; HEADER.len()], out: &mut Vec<u8>) {
    let line = cells.map(|cell| quoted(&harmless(cell))).join(",");
    out.extend_from_slice(line.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// A cell that no spreadsheet takes for a formula.
fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_made_harmless() {
        for (cell, is) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("a=1", "a=1"),
            ("", ""),
        ] {
            assert_eq!(harmless(cell.to_owned()), is);
        }
        assert_eq!(
            quoted(&harmless("=HYPERLINK(\"x\",1)".to_owned())),
            "\"'=HYPERLINK(\"\"x\"\",1)\""
        );
    }
}
