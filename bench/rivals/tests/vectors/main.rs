//! The rivals against the test cases of the originals, which lie in `../shared/vectors` beside the
//! repository: data of others, so not in it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "test code: a panic is a failed test, and a skip is told on standard error"
)]

mod artemis;
mod bgpalerter;

use std::path::Path;

use routewarden_core::{AsPathBuf, Asn, Peer, Prefix, SegmentKind, Timestamp};
use serde_json::Value;

/// A file of the vectors; `None`, said aloud, where it is not there. In continuous integration it
/// must be.
fn vectors(name: &str) -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors").join(name);
    if !path.exists() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "CI lacks {}", path.display());
        eprintln!("skipped: {} is not there", path.display());
        return None;
    }
    Some(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
}

/// A prefix; an address alone is one of full length.
fn prefix(text: &str) -> Prefix {
    let bits = if text.contains(':') { 128 } else { 32 };
    let text = if text.contains('/') { text.to_owned() } else { format!("{text}/{bits}") };
    text.parse().unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn asn(value: &Value) -> Asn {
    Asn(value.as_u64().unwrap().try_into().unwrap())
}

fn asns(value: &Value) -> Vec<Asn> {
    list(value).iter().map(asn).collect()
}

/// A path; a list in it is a set.
fn path(value: &Value) -> AsPathBuf {
    let mut path = AsPathBuf::default();
    for hop in list(value) {
        match hop {
            Value::Array(_) => path.push_segment(SegmentKind::Set, asns(hop)),
            _ => path.push_segment(SegmentKind::Sequence, [asn(hop)]),
        }
    }
    path
}

fn peer(asn: Asn, addr: &str) -> Peer {
    Peer { collector: "vectors".to_owned(), asn, addr: addr.parse().unwrap() }
}

fn time(secs: u64) -> Timestamp {
    Timestamp::from_secs(secs.try_into().unwrap())
}
