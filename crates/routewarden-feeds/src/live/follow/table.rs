//! The table to begin with, so that there are no blind first hours.

use std::path::Path;

use routewarden_core::Timestamp;

use crate::Error;
use crate::archive::{Archive, ArchiveError, Collector, Sleep};
use crate::sources::{InputFile, InputKind, Sources};

/// The newest table of a collector that starts at or before `at`, brought into the cache; `None`
/// when the archive has none of the two days before. Blocks: not for async tasks. Updates are to
/// be followed from the time of its first record ([`Report::table_times`](crate::Report::table_times)).
///
/// # Errors
///
/// The archive gives no answer, or a table cannot be got.
pub fn newest_table(
    archive: &Archive,
    collector: &Collector,
    at: Timestamp,
    sleep: Sleep<'_>,
) -> Result<Option<InputFile>, Error> {
    for file in archive.find_tables(collector, at, sleep)? {
        match archive.fetch(&file, sleep) {
            Ok(input) => return Ok(Some(input)),
            // Its name was guessed, or it went meanwhile: the one before does as well.
            Err(ArchiveError::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

/// The newest table of each collector in a directory, of those that start at or before `at`
/// (with the first later one of a collector that has no other).
///
/// # Errors
///
/// The directory has no MRT file, or cannot be listed.
pub fn newest_table_in(directory: &Path, at: Timestamp) -> Result<Vec<InputFile>, Error> {
    let mut sources = Sources::default();
    sources.add(directory)?;
    let (mut files, _) = sources.finish();
    files.retain(|file| file.kind == Some(InputKind::Table));
    Ok(crate::stream::tables_at(files, Some(at)).0)
}
