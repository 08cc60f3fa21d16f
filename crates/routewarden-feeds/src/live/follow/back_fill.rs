//! Filling gaps from the archive.

use std::sync::Arc;

use routewarden_core::Timestamp;
use tokio::runtime::Handle;

use super::{FollowError, Stopped, decode, note, pause};
use crate::archive::{Archive, ArchiveError, Collector};
use crate::live::SourceContext;
use crate::stream::StreamOptions;

/// What a gap was filled with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackFilled {
    /// Events handed on.
    pub events: u64,
    /// Files read.
    pub files: u64,
    /// Start of files that the archive does not have (yet), or that cannot be read.
    pub missing: Vec<Timestamp>,
    /// Whether the source was cancelled, or the pipeline ended, before all was read.
    pub is_cancelled: bool,
}

/// Fills gaps of a collector of RIS or `RouteViews`.
#[derive(Clone)]
pub struct BackFill {
    archive: Arc<Archive>,
    context: SourceContext,
}

impl BackFill {
    /// The events go to the context's sink, as of its source.
    pub fn new(archive: Arc<Archive>, context: SourceContext) -> Self {
        BackFill { archive, context }
    }

    /// Hands on what the archive has of a collector from `from` until `until`, in order of time.
    /// Files are published some minutes after their time ([`LATE_AFTER_SECS`](super::LATE_AFTER_SECS)):
    /// those not there yet are `missing`, for another attempt.
    ///
    /// # Errors
    ///
    /// The collector's name or the time is malformed, or the archive gives no answer.
    pub async fn run(
        &self,
        collector: &str,
        (from, until): (Timestamp, Timestamp),
    ) -> Result<BackFilled, FollowError> {
        let collector = Collector::new(collector)?;
        let (fill, runtime) = (self.clone(), Handle::current());
        let read = move || fill.read(&collector, (from, until), &runtime);
        tokio::task::spawn_blocking(read).await.map_err(|_| FollowError::Thread)?
    }

    fn read(
        &self,
        collector: &Collector,
        (from, until): (Timestamp, Timestamp),
        runtime: &Handle,
    ) -> Result<BackFilled, FollowError> {
        let context = &self.context;
        let mut sleep = |wait| pause(runtime, &context.cancel, wait);
        let mut filled = BackFilled::default();
        for file in self.archive.find_updates(collector, (from, until), &mut sleep)? {
            if context.cancel.is_cancelled() {
                filled.is_cancelled = true;
                break;
            }
            let input = match self.archive.fetch(&file, &mut sleep) {
                Ok(input) => input,
                Err(ArchiveError::NotFound { .. }) => {
                    filled.missing.push(file.starts);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let options =
                StreamOptions { from: Some(from), until: Some(until), ..StreamOptions::default() };
            match decode::hand_on((context, runtime), vec![input], options, 0) {
                Ok(events) => {
                    filled.events += events;
                    filled.files += 1;
                }
                Err(Stopped::Unreadable(error)) => {
                    note(context, &error);
                    filled.missing.push(file.starts);
                }
                Err(Stopped::Done) => {
                    filled.is_cancelled = true;
                    break;
                }
            }
        }
        Ok(filled)
    }
}
