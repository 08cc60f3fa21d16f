//! Runs the program, and finds the data.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use routewarden_detect::Incident;

/// What a run printed and how it ended.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Asserts the exit code, showing what was printed when it differs.
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// The incidents of `--format jsonl`.
    pub(crate) fn incidents(&self) -> Vec<Incident> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

pub(crate) fn routewarden<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Ran {
    let program = env!("CARGO_BIN_EXE_routewarden");
    let Output { status, stdout, stderr } =
        Command::new(program).args(args).current_dir(repository()).output().unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    Ran { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

/// The repository's root.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A path below the shared data beside the repository; `None`, said plainly, when the data is
/// not there. In CI (`CI=true`) its absence is a failure.
pub(crate) fn shared_data(path: &str) -> Option<String> {
    let found = repository().join("../shared/data").join(path);
    if found.exists() {
        return Some(found.to_string_lossy().into_owned());
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "CI lacks {}", found.display());
    eprintln!("skipped: {} is not there", found.display());
    None
}
