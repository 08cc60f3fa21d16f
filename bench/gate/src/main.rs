//! Does one piece of work on made-up data, for `cargo xtask gate` to count its instructions.
//!
//! `routewarden-gate CASE`; prints the number of routes worked on. The work alone is done in
//! [`gate_measured`], which callgrind knows by its name.

use std::hint::black_box;
use std::io::Write;
use std::process::ExitCode;

use routewarden_gate::synthetic::{self, Size};
use routewarden_gate::work::{self, Table};
use routewarden_wire::Error;

fn main() -> ExitCode {
    let case = std::env::args().nth(1).unwrap_or_default();
    match run(&case) {
        Ok(Some(routes)) if writeln!(std::io::stdout(), "{routes}").is_ok() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Makes the data, does the work; `None` when there is no such case.
fn run(case: &str) -> Result<Option<usize>, Error> {
    let size = Size::GATE;
    Ok(match case {
        "decode_table" => {
            let content = synthetic::table(size)?;
            Some(gate_measured(|| work::decode(black_box(&content))).0)
        }
        "decode_updates" => {
            let content = synthetic::updates(size)?;
            Some(gate_measured(|| work::decode(black_box(&content))).0)
        }
        "rib_load" => {
            let events = work::events(&synthetic::table(size)?);
            let mut table = Table::default();
            Some(gate_measured(|| table.apply(black_box(&events))))
        }
        "rib_update" => {
            let mut table = Table::default();
            table.apply(&work::events(&synthetic::table(size)?));
            let events = work::events(&synthetic::updates(size)?);
            gate_measured(|| table.apply(black_box(&events)));
            Some(events.len())
        }
        _ => None,
    })
}

/// Counting is switched on and off where this is entered and left.
#[inline(never)]
fn gate_measured<T>(work: impl FnOnce() -> T) -> T {
    black_box(work())
}
