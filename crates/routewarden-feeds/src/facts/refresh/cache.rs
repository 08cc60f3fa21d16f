//! The last good file of a source, kept for the next start.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use routewarden_core::Timestamp;
use routewarden_core::facts::{self, FactKind};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::RefreshError;
use super::fetch::Validators;

/// Longest manifest read.
const MANIFEST_OCTETS_MAX: u64 = 16 << 10;
const COPY_OCTETS: usize = 64 << 10;

/// What is known of the file kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) url: String,
    pub(super) validators: Validators,
    /// Of the file, in hexadecimal.
    pub(super) sha256: String,
    /// Seconds since 1970.
    pub(super) fetched_at: u32,
    /// Last time the server said that it is the current one, in seconds since 1970.
    pub(super) confirmed_at: u32,
}

/// Where a source keeps its file.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    pub(super) data: PathBuf,
    pub(super) part: PathBuf,
    manifest: PathBuf,
}

impl Cache {
    /// Names are made of the kind and a hash of the URL: nothing of the URL can leave the folder.
    pub(super) fn new(folder: &Path, kind: FactKind, url: &str) -> Self {
        let hash = facts::Sha256(Sha256::digest(url.as_bytes()).into()).to_string();
        let short: String = hash.chars().take(16).collect();
        let stem = format!("{kind:?}-{short}").to_lowercase();
        Cache {
            data: folder.join(format!("{stem}.data")),
            part: folder.join(format!("{stem}.part")),
            manifest: folder.join(format!("{stem}.json")),
        }
    }

    /// The manifest, when it is of this URL and the file kept is as it says.
    pub(super) fn read(&self, url: &str) -> Option<Manifest> {
        let mut text = String::new();
        let file = File::open(&self.manifest).ok()?;
        file.take(MANIFEST_OCTETS_MAX).read_to_string(&mut text).ok()?;
        let manifest: Manifest = serde_json::from_str(&text).ok()?;
        let held = hash(File::open(&self.data).ok()?, u64::MAX).ok()?;
        (manifest.url == url && manifest.sha256 == held.to_string()).then_some(manifest)
    }

    /// Gives the new file its name, then its manifest: between the two, the manifest does not fit
    /// the file and neither is used.
    pub(super) fn commit(&self, manifest: &Manifest) -> Result<(), RefreshError> {
        let failed = |source| RefreshError::File { path: self.data.clone(), source };
        fs::rename(&self.part, &self.data).map_err(failed)?;
        self.write(manifest)
    }

    pub(super) fn write(&self, manifest: &Manifest) -> Result<(), RefreshError> {
        let failed = |source| RefreshError::File { path: self.manifest.clone(), source };
        let text = serde_json::to_vec(manifest).map_err(io::Error::from).map_err(failed)?;
        let next = self.manifest.with_extension("next");
        let written = fs::write(&next, text).and_then(|()| fs::rename(&next, &self.manifest));
        written.map_err(failed)
    }
}

/// Whole seconds, as the manifest has them.
pub(super) fn secs(time: Timestamp) -> u32 {
    u32::try_from(time.secs()).unwrap_or(u32::MAX)
}

/// Hash of a file of at most `octets_max` octets.
pub(super) fn hash(file: File, octets_max: u64) -> io::Result<facts::Sha256> {
    let mut reader = file.take(octets_max);
    let mut hash = Sha256::new();
    let mut buffer = vec![0; COPY_OCTETS];
    loop {
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            return Ok(facts::Sha256(hash.finalize().into()));
        }
        hash.update(buffer.get(..read).unwrap_or_default());
    }
}
