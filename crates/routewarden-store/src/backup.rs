//! Backups: one file each, whole and checked; and the way back.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use routewarden_core::facts::Sha256;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use sha2::Digest;

use crate::StoreError;
use crate::journal::Verified;
use crate::reader::StoreReader;
use crate::schema::{self, Sort};
use crate::store::lock;

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupReport {
    /// Octets of the file.
    pub octets: u64,
    /// Hash of the file.
    pub sha256: Sha256,
    /// Version of the schema.
    pub version: i64,
    /// The journal (of the file of users: the audit log), every hash followed.
    pub journal: Verified,
}

impl StoreReader {
    /// Copies the store as it is now into one file, looks the copy over and only then gives it its
    /// name. The writer goes on meanwhile.
    ///
    /// # Errors
    /// When there is a file already, the disk fails, or the copy is not in order.
    pub fn backup(&self, path: &Path) -> Result<BackupReport, StoreError> {
        back_up(self.conn()?, path, &schema::STORE)
    }
}

/// Looks a backup over: whose it is, its version, the file, every hash of its journal.
///
/// # Errors
/// When it is not a backup of this or an older program, or is not in order.
pub fn check_backup(path: &Path) -> Result<BackupReport, StoreError> {
    check(path, &schema::STORE)
}

/// Puts a backup in the place of the store in a folder. Nobody may have that store open. A store
/// with anything in it is only replaced by `force`, and then kept beside, as `routewarden.db.replaced`.
///
/// # Errors
/// When the backup is not in order, the store is in use or not empty, or the disk fails.
pub fn restore(backup: &Path, data_dir: &Path, force: bool) -> Result<BackupReport, StoreError> {
    put_back(backup, data_dir, force, &schema::STORE)
}

/// See [`StoreReader::backup`].
pub(crate) fn back_up(
    conn: &Connection,
    path: &Path,
    sort: &Sort,
) -> Result<BackupReport, StoreError> {
    if path.exists() {
        return Err(StoreError::WouldOverwrite);
    }
    let partial = beside(path, ".partial");
    remove(&partial)?;
    let report = copy_to(conn, &partial).and_then(|()| check(&partial, sort));
    let done = report.and_then(|report| {
        // A link fails where a rename would take the place of a file made meanwhile.
        fs::hard_link(&partial, path)?;
        sync_folder_of(path)?;
        Ok(report)
    });
    remove(&partial)?;
    done
}

fn copy_to(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    make_private(path)?;
    let mut copy = Connection::open(path)?;
    // All pages in one step are of one moment.
    match Backup::new(conn, &mut copy)?.step(-1)? {
        StepResult::Done => {}
        _ => return Err(StoreError::Busy),
    }
    // Else the copy would want a log beside it.
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    copy.close().map_err(|(_, error)| error)?;
    File::open(path)?.sync_all()?;
    Ok(())
}

/// Mode of a file that only its owner may read.
pub(crate) const PRIVATE: u32 = 0o600;

/// Makes an empty file that only its owner may read.
///
/// # Errors
/// When there is one, or the disk fails.
pub(crate) fn make_private(path: &Path) -> Result<(), StoreError> {
    File::options().write(true).create_new(true).mode(PRIVATE).open(path)?;
    Ok(())
}

/// See [`check_backup`].
pub(crate) fn check(path: &Path, sort: &Sort) -> Result<BackupReport, StoreError> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    let version = schema::check_identity(&conn, sort)?;
    if version == 0 {
        return Err(StoreError::NotAStore { found: 0 });
    }
    schema::check_integrity(&conn)?;
    let journal = (sort.verify)(&conn)?;
    conn.close().map_err(|(_, error)| error)?;
    let (octets, sha256) = hash_of(path)?;
    Ok(BackupReport { octets, sha256, version, journal })
}

/// See [`restore`].
pub(crate) fn put_back(
    backup: &Path,
    data_dir: &Path,
    force: bool,
    sort: &Sort,
) -> Result<BackupReport, StoreError> {
    let _lock = lock(data_dir)?;
    let place = data_dir.join(sort.file);
    let is_there = place.exists();
    if is_there && !force && !(sort.is_empty)(&schema::open_writer(&place, sort)?)? {
        return Err(StoreError::WouldOverwrite);
    }
    let partial = beside(&place, ".partial");
    fs::copy(backup, &partial)?;
    File::open(&partial)?.sync_all()?;
    // What is looked over is the copy: it is what will be used.
    let report = check(&partial, sort).inspect_err(|_| drop(remove(&partial)))?;
    if is_there {
        set_aside(&place)?;
    }
    fs::rename(&partial, &place)?;
    sync_folder_of(&place)?;
    Ok(report)
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
