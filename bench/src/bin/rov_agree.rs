//! Compares route origin validation with what Routinator said.
//!
//! `rov_agree VRPS VALIDITY`: a file of VRPs and the output of `routinator validate --json` with
//! the same VRPs. Prints every disagreement, then the agreements by state.
#![expect(clippy::print_stdout, reason = "this is the program's output")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use anyhow::{Context, Result};
use routewarden_core::facts::RovState;
use routewarden_core::{Asn, Origin, Prefix};
use routewarden_feeds::facts::{load_file, load_vrps};
use serde_json::Value;

fn main() -> Result<()> {
    let mut files = std::env::args_os().skip(1).map(PathBuf::from);
    let mut file = || files.next().context("usage: rov_agree VRPS VALIDITY");
    let table = load_file(&file()?, None, load_vrps)?.facts.table;
    let document: Value = serde_json::from_reader(BufReader::new(File::open(file()?)?))?;
    let routes = document.pointer("/validated_routes").and_then(Value::as_array);
    let mut agreements: BTreeMap<&str, u64> = BTreeMap::new();
    let mut disagreements = 0_u64;
    for route in routes.context("no validated_routes")? {
        let text = |at| route.pointer(at).and_then(Value::as_str).context("not a validated route");
        let prefix: Prefix = text("/route/prefix")?.parse()?;
        let asn = text("/route/origin_asn")?.trim_start_matches("AS").parse()?;
        let theirs = text("/validity/state")?;
        let ours = match table.state(&prefix, Origin::As(Asn(asn))).0 {
            RovState::Valid => "valid",
            RovState::Invalid => "invalid",
            RovState::NotFound => "not-found",
        };
        if ours == theirs {
            *agreements.entry(ours).or_default() += 1;
        } else {
            disagreements += 1;
            println!("{prefix} AS{asn}: {ours}, Routinator: {theirs}");
        }
    }
    println!("agreements {agreements:?}, disagreements {disagreements}");
    Ok(())
}
