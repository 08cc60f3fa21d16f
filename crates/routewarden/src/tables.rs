//! The routes of tables and updates, for verbs that need no detector.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use anyhow::{Result, ensure};
use routewarden_core::{
    AsPath, Asn, PeerTable, Prefix, RouteAttributes, RouteEventKind, Timestamp,
};
use routewarden_feeds::sources::InputKind;
use routewarden_feeds::stream::{Run, open_tables, open_updates};
use routewarden_feeds::{MergedStream, Report, StreamOptions, load_rib};

use crate::progress::Bar;
use crate::{pipeline, summary};

/// Gives every route of some table dumps to `each`. Whether the data is incomplete: a file was cut or
/// corrupt.
///
/// # Errors
/// When there is none, or no input can be read.
pub(crate) fn read(
    inputs: &[String],
    quiet: bool,
    each: impl FnMut(SeenRoute<'_>),
) -> Result<bool> {
    let (entries, is_incomplete) = read_tables(inputs, quiet, each)?;
    ensure!(entries > 0, "no table entries in --rib {}: is it a table dump?", inputs.join(" "));
    Ok(is_incomplete)
}

/// As [`read`], with the number of routes: there may be none.
pub(crate) fn read_tables(
    inputs: &[String],
    quiet: bool,
    mut each: impl FnMut(SeenRoute<'_>),
) -> Result<(u64, bool)> {
    let mut files = pipeline::find(inputs, false)?.files;
    files.retain(|file| file.kind != Some(InputKind::Updates));
    let mut entries = 0_u64;
    let report =
        load_rib(files, &StreamOptions::default(), &mut PeerTable::default(), |peers, run| {
            entries += each_route(peers, &run, &mut each);
        })?;
    Ok((entries, summary::faults(&[report], quiet)?))
}

/// A route as a peer announced it, or as a table has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SeenRoute<'a> {
    pub(crate) time: Timestamp,
    pub(crate) peer: Asn,
    pub(crate) prefix: Prefix,
    pub(crate) path: AsPath<'a>,
    /// Value of the Only-to-Customer attribute (RFC 9234).
    pub(crate) otc: Option<Asn>,
}

/// Gives every route of a run to `each`; returns their number.
fn each_route(peers: &PeerTable, run: &Run<'_>, each: &mut impl FnMut(SeenRoute<'_>)) -> u64 {
    let mut count = 0;
    for (peer, event) in run.events() {
        if let RouteEventKind::Announcement { prefix, attributes, .. }
        | RouteEventKind::TableEntry { prefix, attributes, .. } = event.kind
            && let Some(peer) = peers.get(peer)
            && let Some(route) = RouteAttributes::decode(run.batch.attributes(attributes))
        {
            count += 1;
            let RouteAttributes { as_path: path, otc, .. } = route;
            each(SeenRoute { time: event.time, peer: peer.asn, prefix, path, otc });
        }
    }
    count
}

/// How inputs are read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reading {
    /// Threads to decode with; as many as cores when not given.
    pub(crate) threads: Option<u32>,
    /// Whether inputs that cannot be read are passed over.
    pub(crate) keep_going: bool,
    pub(crate) quiet: bool,
    /// Updates from then on, and before then.
    pub(crate) window: (Option<Timestamp>, Option<Timestamp>),
}

/// What became of the inputs.
pub(crate) struct ReadInputs {
    /// Of the tables', and of the updates' files.
    pub(crate) reports: [Report; 2],
    /// Inputs that name nothing and were passed over, as asked.
    pub(crate) errors: Vec<anyhow::Error>,
}

/// Gives every route of tables, then of updates, to `each`. Updates older than a table are given, too:
/// they tell of what was announced as well.
pub(crate) fn read_all(
    inputs: &[String],
    reading: Reading,
    mut each: impl FnMut(SeenRoute<'_>),
) -> Result<ReadInputs> {
    let found = pipeline::find(inputs, reading.keep_going)?;
    let (tables, updates) =
        found.files.into_iter().partition(|file| file.kind == Some(InputKind::Table));
    let mut options = StreamOptions {
        keep_going: reading.keep_going,
        threads: reading.threads.and_then(|threads| NonZeroUsize::new(threads as usize)),
        ..StreamOptions::default()
    };
    let mut peers = PeerTable::default();
    let mut all = |stream: MergedStream, what: &'static str| -> Result<Report> {
        let mut stream = stream;
        let bar = Bar::new(what, stream.progress(), reading.quiet);
        stream.for_each(&mut peers, |peers, run| {
            bar.update();
            each_route(peers, &run, &mut each);
            ControlFlow::Continue(())
        })?;
        Ok(stream.finish())
    };
    let tables = all(open_tables(tables, &options)?, "tables")?;
    options.table_times = BTreeMap::new();
    (options.from, options.until) = reading.window;
    let updates = all(open_updates(updates, &options)?, "updates")?;
    Ok(ReadInputs { reports: [tables, updates], errors: found.errors })
}
