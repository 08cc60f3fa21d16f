//! From a file on disk to facts with their hash.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use routewarden_core::{Timestamp, facts};
use sha2::{Digest, Sha256};

use super::{FactsError, Load, Loaded};
use crate::transport::{Limits, Progress, Transport};

const BUFFER_OCTETS: usize = 64 << 10;

/// Opens a file, whatever its compression, reads it with one of the `load_*` functions, and sets
/// the source's hash: of the octets as they stand on disk.
///
/// # Errors
/// See [`FactsError`]; [`Read`](FactsError::Read) also for compressed data that is cut or corrupt.
pub fn load_file<T>(
    path: &Path,
    date_hint: Option<Timestamp>,
    load: Load<T>,
) -> Result<Loaded<T>, FactsError> {
    let open = |source| FactsError::Open { path: path.into(), source };
    let file = File::open(path).map_err(open)?;
    load_opened(path, file, date_hint, load)
}

/// As [`load_file`], of a file that is open and may have another name than `path` says.
pub(super) fn load_opened<T>(
    path: &Path,
    file: File,
    date_hint: Option<Timestamp>,
    load: Load<T>,
) -> Result<Loaded<T>, FactsError> {
    let open = |source| FactsError::Open { path: path.into(), source };
    // A directory opens on Unix and fails on the first read: say so here.
    if file.metadata().map_err(open)?.is_dir() {
        return Err(open(io::ErrorKind::IsADirectory.into()));
    }
    let (reader, hash) = HashingReader::new(file);
    let transport =
        Transport::from_reader(Box::new(reader), Limits::default(), Arc::new(Progress::default()))
            .map_err(open)?;
    let mut reader = BufReader::with_capacity(BUFFER_OCTETS, transport);
    let mut loaded = load(path, date_hint, &mut reader)?;
    // Parsers read to the end, and so does the transport: the hash is of the whole file.
    loaded.facts.source.sha256 = Some(hash.sha256());
    Ok(loaded)
}

/// Hashes the octets that pass through, for a decompressor to stand upon.
pub struct HashingReader<R> {
    reader: R,
    hash: Arc<Mutex<Sha256>>,
}

/// Gives the hash of a [`HashingReader`] that has been handed on.
#[derive(Clone)]
pub struct HashHandle(Arc<Mutex<Sha256>>);

impl<R: Read> HashingReader<R> {
    /// Wraps a reader.
    pub fn new(reader: R) -> (Self, HashHandle) {
        let hash = Arc::new(Mutex::new(Sha256::new()));
        (HashingReader { reader, hash: Arc::clone(&hash) }, HashHandle(hash))
    }
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let given = self.reader.read(out)?;
        // Only this reader locks for longer than a copy; a poisoned hash is still a hash.
        let mut hash = self.hash.lock().unwrap_or_else(PoisonError::into_inner);
        hash.update(out.get(..given).unwrap_or_default());
        Ok(given)
    }
}

impl HashHandle {
    /// Hash of the octets read so far.
    pub fn sha256(&self) -> facts::Sha256 {
        let hash = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        facts::Sha256(hash.clone().finalize().into())
    }
}
