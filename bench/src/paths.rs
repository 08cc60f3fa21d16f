//! The paths of recorded files.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::{Context, Result};
use routewarden_core::{AsPath, PeerTable, RouteAttributes, RouteEventKind};
use routewarden_feeds::sources::{InputFile, InputKind, Sources};
use routewarden_feeds::stream::{Run, StreamOptions, open_tables, open_updates};
use routewarden_feeds::transport::Limits;

/// Gives the path of every announcement and table entry, tables first.
///
/// # Errors
/// An input that names nothing, or a file that cannot be read.
pub fn each(inputs: &[PathBuf], mut take: impl FnMut(AsPath<'_>)) -> Result<()> {
    let mut sources = Sources::new(Limits::default());
    for path in inputs {
        sources.add(path).with_context(|| path.display().to_string())?;
    }
    let (tables, updates): (Vec<InputFile>, Vec<InputFile>) =
        sources.finish().0.into_iter().partition(|file| file.kind == Some(InputKind::Table));
    let options = StreamOptions { threads: NonZeroUsize::new(2), ..StreamOptions::default() };
    let mut peers = PeerTable::default();
    let mut run = |run: &Run<'_>| {
        for (_, event) in run.events() {
            if let RouteEventKind::Announcement { attributes, .. }
            | RouteEventKind::TableEntry { attributes, .. } = event.kind
                && let Some(route) = RouteAttributes::decode(run.batch.attributes(attributes))
            {
                take(route.as_path);
            }
        }
        ControlFlow::Continue(())
    };
    open_tables(tables, &options)?.for_each(&mut peers, |_, part| run(&part))?;
    open_updates(updates, &options)?.for_each(&mut peers, |_, part| run(&part))?;
    Ok(())
}
