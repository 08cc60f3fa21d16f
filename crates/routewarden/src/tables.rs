//! The routes of table dumps, for verbs that need no detector.

use anyhow::{Result, ensure};
use routewarden_core::{AsPath, Asn, PeerTable, Prefix, RouteAttributes, RouteEventKind};
use routewarden_feeds::sources::InputKind;
use routewarden_feeds::{StreamOptions, load_rib};

use crate::{pipeline, summary};

/// Gives every route of some table dumps to `each`, with the peer's AS. Whether the data is
/// incomplete: a file was cut or corrupt.
pub(crate) fn read(
    inputs: &[String],
    quiet: bool,
    mut each: impl FnMut(Asn, Prefix, AsPath<'_>),
) -> Result<bool> {
    let mut files = pipeline::find(inputs, false)?.files;
    files.retain(|file| file.kind != Some(InputKind::Updates));
    let mut entries = 0_u64;
    let report =
        load_rib(files, &StreamOptions::default(), &mut PeerTable::default(), |peers, run| {
            for (peer, event) in run.events() {
                let RouteEventKind::TableEntry { prefix, attributes, .. } = event.kind else {
                    continue;
                };
                let path = RouteAttributes::decode(run.batch.attributes(attributes));
                if let (Some(peer), Some(attributes)) = (peers.get(peer), path) {
                    entries += 1;
                    each(peer.asn, prefix, attributes.as_path);
                }
            }
        })?;
    ensure!(entries > 0, "no table entries in --rib {}: is it a table dump?", inputs.join(" "));
    Ok(summary::faults(&[report], quiet)?)
}
