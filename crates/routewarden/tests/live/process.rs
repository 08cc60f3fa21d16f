//! A program that runs in a namespace.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal};

use crate::waiting::wait_for;

/// How long a program may take to end when asked.
const END_WITHIN: Duration = Duration::from_secs(10);

/// A running program, with the processes it made; killed when dropped.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it in a process group of its own; what it says goes to `log`.
    pub(crate) fn start(mut command: Command, log: &Path) -> Self {
        let out = File::options().create(true).append(true).open(log).unwrap();
        command.stdin(Stdio::null()).stdout(out.try_clone().unwrap()).stderr(out);
        let child = command.process_group(0).spawn().unwrap();
        Process { child, log: log.to_owned() }
    }

    fn group(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends a signal to the program itself.
    pub(crate) fn signal(&self, signal: Signal) {
        rustix::process::kill_process(self.group(), signal).unwrap();
    }

    /// What it said so far.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Fails, with what it said, if it has ended.
    pub(crate) fn assert_runs(&mut self) {
        if let Some(status) = self.child.try_wait().unwrap() {
            panic!("{} ended with {status}:\n{}", self.log.display(), self.said());
        }
    }

    /// Asks it to end (SIGTERM) and waits; gives the exit code.
    pub(crate) fn end(mut self) -> Option<i32> {
        self.signal(Signal::TERM);
        wait_for("the end of a program asked to end", END_WITHIN, || {
            self.child.try_wait().unwrap().ok_or(())
        })
        .code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        rustix::process::kill_process_group(self.group(), Signal::KILL).ok();
        drop(self.child.wait());
    }
}
