//! Backups: one file each, whole and checked; and the way back.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use routewarden_core::facts::Sha256;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use sha2::Digest;

use crate::journal::{self, Verified};
use crate::reader::StoreReader;
use crate::store::{STORE_FILE, lock};
use crate::{StoreError, schema};

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupReport {
    /// Octets of the file.
    pub octets: u64,
    /// Hash of the file.
    pub sha256: Sha256,
    /// Version of the schema.
    pub version: i64,
    /// The journal, every hash followed.
    pub journal: Verified,
}

impl StoreReader {
    /// Copies the store as it is now into one file, looks the copy over and only then gives it its
    /// name. The writer goes on meanwhile.
    ///
    /// # Errors
    /// When there is a file already, the disk fails, or the copy is not in order.
    pub fn backup(&self, path: &Path) -> Result<BackupReport, StoreError> {
        if path.exists() {
            return Err(StoreError::WouldOverwrite);
        }
        let partial = beside(path, ".partial");
        remove(&partial)?;
        let report = self.copy_to(&partial).and_then(|()| check_backup(&partial));
        let done = report.and_then(|report| {
            // A link fails where a rename would take the place of a file made meanwhile.
            fs::hard_link(&partial, path)?;
            sync_folder_of(path)?;
            Ok(report)
        });
        remove(&partial)?;
        done
    }

    fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        let mut copy = Connection::open(path)?;
        // All pages in one step are of one moment.
        match Backup::new(&self.conn, &mut copy)?.step(-1)? {
            StepResult::Done => {}
            _ => return Err(StoreError::Busy),
        }
        // Else the copy would want a log beside it.
        copy.pragma_update(None, "journal_mode", "DELETE")?;
        copy.close().map_err(|(_, error)| error)?;
        File::open(path)?.sync_all()?;
        Ok(())
    }
}

/// Looks a backup over: whose it is, its version, the file, every hash of its journal.
///
/// # Errors
/// When it is not a backup of this or an older program, or is not in order.
pub fn check_backup(path: &Path) -> Result<BackupReport, StoreError> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    let version = schema::check_identity(&conn)?;
    if version == 0 {
        return Err(StoreError::NotAStore { found: 0 });
    }
    schema::check_integrity(&conn)?;
    let journal = journal::verify(&conn)?;
    conn.close().map_err(|(_, error)| error)?;
    let (octets, sha256) = hash_of(path)?;
    Ok(BackupReport { octets, sha256, version, journal })
}

/// Puts a backup in the place of the store in a folder. Nobody may have that store open. A store
/// with anything in it is only replaced by `force`, and then kept beside, as `routewarden.db.replaced`.
///
/// # Errors
/// When the backup is not in order, the store is in use or not empty, or the disk fails.
pub fn restore(backup: &Path, data_dir: &Path, force: bool) -> Result<BackupReport, StoreError> {
    let _lock = lock(data_dir)?;
    let place = data_dir.join(STORE_FILE);
    let is_there = place.exists();
    if is_there && !force && !is_empty(&place)? {
        return Err(StoreError::WouldOverwrite);
    }
    let partial = beside(&place, ".partial");
    fs::copy(backup, &partial)?;
    File::open(&partial)?.sync_all()?;
    // What is looked over is the copy: it is what will be used.
    let report = check_backup(&partial).inspect_err(|_| drop(remove(&partial)))?;
    if is_there {
        set_aside(&place)?;
    }
    fs::rename(&partial, &place)?;
    sync_folder_of(&place)?;
    Ok(report)
}

/// Whether nothing was ever recorded in the store.
fn is_empty(place: &Path) -> Result<bool, StoreError> {
    let conn = schema::open_writer(place)?;
    Ok(journal::head(&conn)?.seq == 0)
}

/// Moves a store away with its log: a log left behind would be taken for that of the next store.
fn set_aside(place: &Path) -> Result<(), StoreError> {
    for suffix in ["-wal", "-shm", ""] {
        let old = beside(place, suffix);
        if old.exists() {
            fs::rename(&old, beside(&beside(place, ".replaced"), suffix))?;
        }
    }
    sync_folder_of(place)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(fault) if fault.kind() != std::io::ErrorKind::NotFound => Err(fault.into()),
        _ => Ok(()),
    }
}

/// A new name in a folder is on the disk only when the folder is.
fn sync_folder_of(path: &Path) -> Result<(), StoreError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(())
}

fn hash_of(path: &Path) -> Result<(u64, Sha256), StoreError> {
    let mut file = File::open(path)?;
    let mut hash = sha2::Sha256::new();
    let mut octets = 0;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut buffer)?;
        let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
        hash.update(read);
        octets += count as u64;
    }
    Ok((octets, Sha256(hash.finalize().into())))
}
