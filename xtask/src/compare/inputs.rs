//! The files that are compared on, uncompressed where that is asked.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

/// What slow tools get of an input: its first records, about so many octets.
const HEAD_OCTETS: u64 = 8 << 20;

/// The inputs of a run. All of them are files of the folder `mrt` of the data.
#[derive(Debug)]
pub(super) struct Inputs {
    pub(super) data: PathBuf,
    /// Uncompressed copies, outside the repository.
    pub(super) scratch: PathBuf,
    /// Compressed table dump and updates of route-views2, 2008-02-24, and of jinx, 2014-05-30.
    pub(super) table: PathBuf,
    pub(super) table_jinx: PathBuf,
    pub(super) updates: Vec<PathBuf>,
    /// Compressed updates of rrc12, 2021-01-01.
    pub(super) updates_rrc12: Vec<PathBuf>,
    /// Uncompressed table and updates of 2008, one file each.
    pub(super) plain_table: PathBuf,
    pub(super) plain_updates: Vec<PathBuf>,
    /// What is decoded: (name, uncompressed file).
    pub(super) decoded: Vec<(String, PathBuf)>,
    /// The first records of these, for slow tools.
    pub(super) heads: Vec<(String, PathBuf)>,
}

impl Inputs {
    /// Uncompresses what is needed. A quick run takes a smaller table and fewer updates.
    pub(super) fn prepare(data: &Path, is_quick: bool) -> anyhow::Result<Self> {
        let mrt = data.join("mrt");
        let scratch =
            std::env::temp_dir().join(format!("routewarden-compare-{}", std::process::id()));
        let (files_2008, files_rrc12) = if is_quick { (2, 1) } else { (usize::MAX, usize::MAX) };
        let table_jinx = mrt.join("route-views.jinx.rib.20140530.2200.bz2");
        let table = mrt.join("route-views2-20080224.1600.rib.bz2");
        let updates = listed(&mrt.join("route-views2-20080224"), files_2008)?;
        let updates_rrc12 = listed(&mrt.join("rrc12-20210101"), files_rrc12)?;

        // Names tell the collector and the time.
        let plain = scratch.join("route-views2");
        std::fs::create_dir_all(&plain).with_context(|| plain.display().to_string())?;
        let plain_table = plain.join("rib.20080224.1600");
        uncompress(&table, &plain_table)?;
        let mut plain_updates = Vec::new();
        for file in &updates {
            let to = plain.join(file.file_stem().context("no name")?);
            uncompress(file, &to)?;
            plain_updates.push(to);
        }
        let all_2008 = scratch.join("updates-2008.mrt");
        join(&plain_updates, &all_2008)?;
        let mut parts = Vec::new();
        for file in &updates_rrc12 {
            let to = scratch.join(file.file_name().context("no name")?).with_extension("part");
            uncompress(file, &to)?;
            parts.push(to);
        }
        let all_rrc12 = scratch.join("updates-rrc12.mrt");
        join(&parts, &all_rrc12)?;
        let (table_name, decoded_table) = if is_quick {
            let plain_jinx = scratch.join("table-jinx.mrt");
            uncompress(&table_jinx, &plain_jinx)?;
            ("table of jinx, 2014-05-30", plain_jinx)
        } else {
            ("table of route-views2, 2008-02-24", plain_table.clone())
        };
        let decoded = vec![
            (table_name.to_owned(), decoded_table),
            (format!("{} update files of route-views2, 2008-02-24", updates.len()), all_2008),
            (format!("{} update files of rrc12, 2021-01-01", updates_rrc12.len()), all_rrc12),
        ];
        let mut heads = Vec::new();
        for (name, path) in &decoded {
            let to = path.with_extension("head");
            head(path, &to, HEAD_OCTETS)?;
            heads.push((format!("first 8 MiB of: {name}"), to));
        }
        Ok(Inputs {
            data: data.to_owned(),
            scratch,
            table,
            table_jinx,
            updates,
            updates_rrc12,
            plain_table,
            plain_updates,
            decoded,
            heads,
        })
    }

    /// Removes the uncompressed copies.
    pub(super) fn remove(&self) -> anyhow::Result<()> {
        std::fs::remove_dir_all(&self.scratch).with_context(|| self.scratch.display().to_string())
    }
}

/// The files of a folder in the order of their names, which is that of time.
fn listed(folder: &Path, most: usize) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
    files.sort();
    files.truncate(most);
    ensure!(!files.is_empty(), "{} is empty", folder.display());
    Ok(files)
}

/// By a program of its own: what this one holds in memory would count for each child it starts.
pub(super) fn uncompress(from: &Path, to: &Path) -> anyhow::Result<()> {
    let command = match from.extension().and_then(|extension| extension.to_str()) {
        Some("bz2") => "bzip2",
        Some("gz") => "gzip",
        _ => {
            std::fs::copy(from, to).with_context(|| from.display().to_string())?;
            return Ok(());
        }
    };
    let out = File::create(to).with_context(|| to.display().to_string())?;
    let mut child = Command::new(command);
    child.arg("-dc").arg(from).stdin(Stdio::null()).stdout(out);
    let status = child.status().with_context(|| format!("cannot run {command}"))?;
    ensure!(status.success(), "{command} -dc {}: {status}", from.display());
    Ok(())
}

fn join(parts: &[PathBuf], to: &Path) -> anyhow::Result<()> {
    let mut out = File::create(to)?;
    for part in parts {
        std::io::copy(&mut File::open(part)?, &mut out)?;
    }
    Ok(())
}

/// The first whole MRT records (RFC 6396 §2) of about `octets`.
fn head(from: &Path, to: &Path, octets: u64) -> anyhow::Result<()> {
    let mut file = File::open(from)?;
    let mut end = 0;
    while end < octets {
        let mut header = [0; 12];
        file.seek(SeekFrom::Start(end))?;
        if file.read_exact(&mut header).is_err() {
            break;
        }
        let [.., a, b, c, d] = header;
        end += 12 + u64::from(u32::from_be_bytes([a, b, c, d]));
    }
    file.seek(SeekFrom::Start(0))?;
    let mut out = File::create(to)?;
    std::io::copy(&mut file.take(end), &mut out)?;
    out.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_ends_after_a_whole_record() {
        let folder = std::env::temp_dir().join(format!("routewarden-head-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut record = [0; 12 + 20];
        record[11] = 20;
        let (from, to) = (folder.join("from"), folder.join("to"));
        std::fs::write(&from, record.repeat(5)).unwrap();
        for (octets, expected) in [(1, 32), (32, 32), (33, 64), (1_000, 160)] {
            head(&from, &to, octets).unwrap();
            assert_eq!(std::fs::metadata(&to).unwrap().len(), expected);
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
