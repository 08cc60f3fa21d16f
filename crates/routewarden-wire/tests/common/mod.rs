//! Where the real data lie, and how to read them.

#![allow(dead_code, reason = "every test binary uses a part of this")]

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

/// The shared real data beside the repository, or `None` with a plain message. On CI
/// (`CI=true`) missing data are a failure.
pub(crate) fn shared_data() -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if data.join("mrt/EXPECTED.tsv").is_file() {
        return Some(data);
    }
    let message = format!("real routing data not found at {}", data.display());
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{message}");
    eprintln!("skipped: {message}");
    None
}

/// Opens a file, through gzip or bzip2 by its name.
pub(crate) fn open(path: &Path) -> Box<dyn Read> {
    let file = BufReader::new(File::open(path).unwrap());
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => Box::new(flate2::read::MultiGzDecoder::new(file)),
        Some("bz2") => Box::new(bzip2::read::MultiBzDecoder::new(file)),
        _ => Box::new(file),
    }
}

/// The decompressed content.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    open(path).read_to_end(&mut content)?;
    Ok(content)
}

/// One row of `EXPECTED.tsv`.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    pub(crate) file: String,
    /// `mrt_records` to `last_time`.
    pub(crate) columns: Vec<(String, String)>,
    pub(crate) path: PathBuf,
}

impl Expected {
    pub(crate) fn number(&self, column: &str) -> u64 {
        let found = self.columns.iter().find(|(name, _)| name == column);
        found.unwrap().1.parse().unwrap()
    }
}

/// The rows of an `EXPECTED.tsv`.
pub(crate) fn expected(folder: &Path) -> Vec<Expected> {
    let table = std::fs::read_to_string(folder.join("EXPECTED.tsv")).unwrap();
    let mut lines = table.lines();
    let names: Vec<&str> = lines.next().unwrap().split('\t').collect();
    assert_eq!(names[1], "mrt_records");
    assert_eq!(names[9], "last_time");
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let columns = names.iter().zip(&cells).skip(1).take(9);
            Expected {
                file: cells[0].to_owned(),
                columns: columns.map(|(n, c)| ((*n).to_owned(), (*c).to_owned())).collect(),
                path: folder.join(cells[0]),
            }
        })
        .collect()
}
