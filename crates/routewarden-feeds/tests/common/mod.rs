//! What the tests share: where the real data lies, and how to read a stream.
#![allow(dead_code, reason = "every test file uses its own part")]

pub(crate) mod mrt;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use routewarden_core::{EventBatch, PeerTable, RouteAttributes, RouteEventKind};
use routewarden_feeds::sources::Sources;
use routewarden_feeds::{Error, InputFile, Report, Run, StreamOptions, open_updates};

/// Path of real data. `None` (said on standard error) when it is absent, except in CI.
pub(crate) fn data(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    let in_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(!in_ci, "CI must have the real data: {} is missing", path.display());
    eprintln!("skipped: no {}", path.display());
    None
}

/// The files of some inputs.
pub(crate) fn files(inputs: &[PathBuf]) -> Vec<InputFile> {
    let mut sources = Sources::default();
    for input in inputs {
        sources.add(input).unwrap();
    }
    sources.finish().0
}

/// One line per event: all that a consumer can see of it.
pub(crate) fn lines(table: &PeerTable, run: &Run<'_>) -> Vec<String> {
    run.events()
        .map(|(peer, event)| {
            let peer = table.get(peer).unwrap();
            assert_eq!(peer.collector, run.collector);
            let what = what(run.batch, event.kind);
            format!("{} {} {} {} {what}", event.time, peer.collector, peer.asn, peer.addr)
        })
        .collect()
}

fn what(batch: &EventBatch, kind: RouteEventKind) -> String {
    match kind {
        RouteEventKind::Announcement { prefix, attributes }
        | RouteEventKind::TableEntry { prefix, attributes, .. } => {
            let octets = batch.attributes(attributes);
            let path = RouteAttributes::decode(octets).unwrap().as_path;
            format!("A {prefix} {path} {octets:02x?}")
        }
        RouteEventKind::Withdrawal { prefix } => format!("W {prefix}"),
        other => format!("{other:?}"),
    }
}

/// Reads all updates of some inputs.
pub(crate) fn read(
    inputs: &[PathBuf],
    options: &StreamOptions,
) -> Result<(Vec<String>, Report), Error> {
    let mut table = PeerTable::default();
    let mut stream = open_updates(files(inputs), options)?;
    let mut all = Vec::new();
    stream.for_each(&mut table, |table, run| {
        all.extend(lines(table, &run));
        ControlFlow::Continue(())
    })?;
    Ok((all, stream.finish()))
}
