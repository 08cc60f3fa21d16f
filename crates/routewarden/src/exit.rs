//! Exit codes.

use std::process::ExitCode;

/// How the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 0: done, with findings or without.
    Done,
    /// 1: an error; the work was not done.
    Error,
    /// 2: wrong usage or configuration.
    Usage,
    /// 3: done, but on incomplete data: a file was cut, corrupt or skipped.
    Incomplete,
    /// 4: `--fail-on` was given, and a finding is at or above it; `constituency check` found a
    /// difference.
    Finding,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::Error => 1,
            Exit::Usage => 2,
            Exit::Incomplete => 3,
            Exit::Finding => 4,
        })
    }
}

/// Arguments that parse, but make no sense together.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct UsageError(pub(crate) String);
