//! Reads of the store: on threads that may block, and only so many at once.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use routewarden_store::{Interrupter, StoreError, StoreReader};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::http::Problem;

/// Most reads of the store at one time.
pub const READS_MAX: usize = 4;
/// Most exports that are made or on their way to a client at one time: each may be large.
pub const EXPORTS_MAX: usize = 4;
/// Milliseconds for which a read or an export waits for its turn.
pub const READ_WAIT_MS_MAX: u64 = 5_000;

/// Readers of the store in a folder, opened when they are needed and kept.
pub(super) struct StoreReads {
    data_dir: PathBuf,
    turns: Arc<Semaphore>,
    exports: Arc<Semaphore>,
    wait: Duration,
    idle: Mutex<Vec<StoreReader>>,
}

impl StoreReads {
    pub(super) fn new(data_dir: PathBuf) -> Self {
        StoreReads {
            data_dir,
            turns: Arc::new(Semaphore::new(READS_MAX)),
            exports: Arc::new(Semaphore::new(EXPORTS_MAX)),
            wait: Duration::from_millis(READ_WAIT_MS_MAX),
            idle: Mutex::default(),
        }
    }

    /// A turn at exporting, to be held until the client has all of it.
    pub(super) async fn export(&self) -> Result<OwnedSemaphorePermit, Problem> {
        turn(&self.exports, self.wait).await
    }

    /// Reads, when it is its turn.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&StoreReader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = turn(&self.turns, self.wait).await?;
        let reads = Arc::clone(self);
        let asked = Asked::default();
        let progress = Arc::clone(&asked.0);
        let read = move || {
            // Held until the work is done.
            let _turn = turn;
            let reader = reads.reader()?;
            progress.begin(&reader)?;
            let result = work(&reader);
            if progress.end() && result.is_ok() {
                reads.idle().push(reader);
            }
            result
        };
        let done = tokio::task::spawn_blocking(read).await;
        drop(asked);
        match done {
            Ok(result) => result.map_err(|error| unavailable(&error)),
            Err(error) => {
                tracing::error!(%error, "a read of the store failed");
                let detail = "the read failed";
                Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail))
            }
        }
    }

    /// Works on a thread that may block, when it is its turn.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = turn(&self.turns, self.wait).await?;
        let work = move || {
            // Held until the work is done.
            let _turn = turn;
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| {
            tracing::error!(%error, "a measurement failed");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the measurement failed")
        })
    }

    fn reader(&self) -> Result<StoreReader, StoreError> {
        let idle = self.idle().pop();
        idle.map_or_else(|| StoreReader::open(&self.data_dir), Ok)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<StoreReader>> {
        // Readers are put in whole: a poisoned lock is as good as any.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A turn at what only so many do at one time.
async fn turn(turns: &Arc<Semaphore>, wait: Duration) -> Result<OwnedSemaphorePermit, Problem> {
    match timeout(wait, Arc::clone(turns).acquire_owned()).await {
        Ok(Ok(turn)) => Ok(turn),
        _ => Err(busy("busy", "too many read the store at this time")),
    }
}

/// Who asked for a read. When it goes, at its end or in the middle, the read ends, too.
#[derive(Default)]
struct Asked(Arc<Progress>);

impl Drop for Asked {
    fn drop(&mut self) {
        if let State::Reading(interrupter) = self.0.replace(State::Over) {
            interrupter.interrupt();
        }
    }
}

/// How far a read is.
#[derive(Default)]
struct Progress(Mutex<State>);

#[derive(Default)]
enum State {
    #[default]
    Waiting,
    Reading(Interrupter),
    Over,
}

impl Progress {
    fn replace(&self, state: State) -> State {
        // A state is put in whole: a poisoned lock is as good as any.
        std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), state)
    }

    /// Begins, if it is still asked for.
    fn begin(&self, reader: &StoreReader) -> Result<(), StoreError> {
        match self.replace(State::Reading(reader.interrupter())) {
            State::Over => Err(StoreError::Interrupted),
            State::Waiting | State::Reading(_) => Ok(()),
        }
    }

    /// Whether it came to its end without being interrupted.
    fn end(&self) -> bool {
        matches!(self.replace(State::Over), State::Reading(_))
    }
}

/// Somebody else has what is asked for: to be asked again.
pub(super) fn busy(code: &'static str, detail: &str) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).retry_after(Duration::from_secs(1))
}

fn unavailable(error: &StoreError) -> Problem {
    tracing::warn!(%error, kind = error.kind(), "the store cannot be read");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", error.to_string())
        .with("kind", error.kind().into())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use axum::response::IntoResponse;
    use routewarden_store::Store;

    use super::*;

    #[tokio::test]
    async fn only_so_many_read_at_once_and_readers_are_used_again() {
        let dir = tempfile::TempDir::new().unwrap();
        drop(Store::open(dir.path()).unwrap());
        let wait = Duration::from_millis(20);
        let reads = Arc::new(StoreReads { wait, ..StoreReads::new(dir.path().to_owned()) });
        let mut slow = Vec::new();
        for _ in 0..READS_MAX {
            let (end, ended) = sync_channel::<()>(1);
            let (begin, begun) = tokio::sync::oneshot::channel();
            let reads = Arc::clone(&reads);
            let read = tokio::spawn(async move {
                let work = move |reader: &StoreReader| {
                    begin.send(()).unwrap();
                    ended.recv().unwrap();
                    reader.last_seq()
                };
                reads.read(work).await
            });
            begun.await.unwrap();
            slow.push((end, read));
        }
        let refused = reads.read(StoreReader::last_seq).await.unwrap_err().into_response();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers()["retry-after"], "1");
        for (end, read) in slow {
            end.send(()).unwrap();
            assert_eq!(read.await.unwrap().unwrap(), 0);
        }
        assert_eq!(reads.read(StoreReader::last_seq).await.unwrap(), 0);
        assert_eq!(reads.idle().len(), READS_MAX);
    }

    #[tokio::test]
    async fn a_read_ends_when_nobody_waits_for_it() {
        let dir = tempfile::TempDir::new().unwrap();
        drop(Store::open(dir.path()).unwrap());
        let reads = Arc::new(StoreReads::new(dir.path().to_owned()));
        let (begin, begun) = tokio::sync::oneshot::channel();
        let (end, ended) = tokio::sync::oneshot::channel();
        let work = move |reader: &StoreReader| -> Result<(), StoreError> {
            begin.send(()).unwrap();
            let fault = std::iter::repeat_with(|| reader.last_seq()).find_map(Result::err).unwrap();
            end.send(fault.kind()).unwrap();
            Err(fault)
        };
        let asker = Arc::clone(&reads);
        let read = tokio::spawn(async move { asker.read(work).await });
        begun.await.unwrap();
        read.abort();
        assert_eq!(ended.await.unwrap(), "interrupted");
        assert_eq!(reads.read(StoreReader::last_seq).await.unwrap(), 0);
    }
}
