//! ASPA verification against the verdicts of an independent implementation.
#![expect(clippy::print_stderr, reason = "tests say when shared data is missing")]
#![expect(clippy::unwrap_used, reason = "clippy exempts test functions only")]

use std::path::Path;

use routewarden_core::facts::{AspaState, AspaTable};
use routewarden_core::{AsPathBuf, Asn};
use serde_json::Value;

/// A file of the shared data, when it is there. In CI it must be.
fn shared(file: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(file);
    if path.exists() {
        return Some(std::fs::read_to_string(path).unwrap());
    }
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "missing: {}", path.display());
    eprintln!("skipped: {} is missing", path.display());
    None
}

fn asns(list: &Value) -> Vec<Asn> {
    let number = |asn: &Value| Asn(u32::try_from(asn.as_u64().unwrap()).unwrap());
    list.as_array().unwrap().iter().map(number).collect()
}

fn table(records: &Value) -> AspaTable {
    let records = records.as_object().unwrap().iter();
    AspaTable::from_records(
        records.map(|(customer, list)| (customer.parse().unwrap(), asns(list))).collect(),
    )
}

#[test]
fn all_vectors_have_their_verdict() {
    let Some(text) = shared("vectors/aspa_vectors.json") else { return };
    let document: Value = serde_json::from_str(&text).unwrap();
    let vectors = document["vectors"].as_array().unwrap();
    for vector in vectors {
        let table = table(vector.get("aspa").unwrap_or(&document["aspa"]));
        let path = AsPathBuf::sequence(asns(&vector["path"]));
        let state = match vector["proc"].as_str().unwrap() {
            "upstream" => table.verify_upstream(path.as_path()),
            _ => table.verify_downstream(path.as_path()),
        };
        let expected = match vector["expected"].as_str().unwrap() {
            "Valid" => AspaState::Valid,
            "Invalid" => AspaState::Invalid,
            _ => AspaState::Unknown,
        };
        assert_eq!(state, expected, "{vector}");
    }
    assert_eq!(vectors.len(), 19);
}
