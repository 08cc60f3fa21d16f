//! `routewarden serve` as a program under test: started, asked and ended.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal};
use serde_json::Value;

const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Clock ticks a second in `/proc`: the same on every Linux (`USER_HZ`).
const TICKS: f64 = 100.0;
const PAGE_OCTETS: u64 = 4_096;

/// A port of loopback that is free now.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// `routewarden serve` with a folder of its own.
#[derive(Debug)]
pub struct Program {
    binary: PathBuf,
    folder: PathBuf,
    http: SocketAddr,
    child: Child,
}

impl Program {
    /// Writes the configuration below `folder` and starts it. Its HTTP server is at `http`.
    ///
    /// # Errors
    /// When the file cannot be written or the program cannot be run.
    pub fn start(
        binary: &Path,
        folder: &Path,
        http: SocketAddr,
        configuration: &str,
    ) -> Result<Self> {
        fs::write(folder.join("routewarden.toml"), configuration)?;
        let child = spawn(binary, folder)?;
        let (binary, folder) = (binary.to_owned(), folder.to_owned());
        Ok(Program { binary, folder, http, child })
    }

    /// Kills it without warning and starts it again.
    ///
    /// # Errors
    /// When it cannot be killed or run.
    pub fn kill_and_restart(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        self.child = spawn(&self.binary, &self.folder)?;
        Ok(())
    }

    /// Asks it to end, and waits; whether it ended with success.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub fn stop(mut self) -> Result<bool> {
        rustix::process::kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        Ok(self.child.wait()?.success())
    }

    /// Fails if it has ended by itself.
    ///
    /// # Errors
    /// When it has.
    pub fn ensure_running(&mut self) -> Result<()> {
        let ended = self.child.try_wait()?;
        ensure!(ended.is_none(), "the program ended: {ended:?}; see {}", self.log().display());
        Ok(())
    }

    /// What it said.
    pub fn log(&self) -> PathBuf {
        self.folder.join("routewarden.log")
    }

    /// Its reports.
    pub fn reports(&self) -> PathBuf {
        data(&self.folder).join("reports.jsonl")
    }

    /// `GET /status`.
    ///
    /// # Errors
    /// When it does not answer in time, or not with JSON.
    pub fn status(&self) -> Result<Value> {
        let config = ureq::Agent::config_builder().timeout_global(Some(ANSWER_WITHIN)).build();
        let agent = ureq::Agent::new_with_config(config);
        let url = format!("http://{}/status", self.http);
        let body = agent.get(url).call()?.body_mut().read_to_string()?;
        Ok(serde_json::from_str(&body)?)
    }

    /// Resident octets (proc(5), `statm`) and seconds of processor time (`stat`).
    ///
    /// # Errors
    /// When it is gone.
    pub fn usage(&self) -> Result<(u64, f64)> {
        let read = |name| fs::read_to_string(format!("/proc/{}/{name}", self.child.id()));
        let statm = read("statm")?;
        let pages: u64 = statm.split(' ').nth(1).context("statm")?.parse()?;
        let stat = read("stat")?;
        // The name, in parentheses, may hold spaces; user and system time are fields 14 and 15.
        let (_, fields) = stat.rsplit_once(')').context("stat")?;
        let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
        let ticks: f64 = ticks.collect::<Result<Vec<f64>, _>>()?.iter().sum();
        Ok((pages * PAGE_OCTETS, ticks / TICKS))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The folder of its store.
pub fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

fn spawn(binary: &Path, folder: &Path) -> Result<Child> {
    let log = File::options().create(true).append(true).open(folder.join("routewarden.log"))?;
    let mut command = Command::new(binary);
    command.arg("serve").arg("--config").arg(folder.join("routewarden.toml"));
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    command.spawn().with_context(|| binary.display().to_string())
}
