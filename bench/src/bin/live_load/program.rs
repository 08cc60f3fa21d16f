//! The program under test: the one place where it is configured, started, asked and ended.
#![expect(clippy::format_push_string, reason = "a configuration is written once")]

use std::fs::{self, File};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use routewarden_core::Asn;
use rustix::process::{Pid, Signal};
use serde_json::Value;

/// How long the program learns what stands before it tells of anything.
pub(crate) const WARM_UP_SECS: u64 = 20;
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// AS of the program's BGP speaker.
const LOCAL_ASN: u32 = 64_511;
/// Clock ticks a second in `/proc`: the same on every Linux (`USER_HZ`).
const TICKS: f64 = 100.0;
const PAGE_OCTETS: u64 = 4_096;

/// Where the program listens and whom it listens to.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    pub(crate) http: SocketAddr,
    pub(crate) bmp: SocketAddr,
    pub(crate) bgp: SocketAddr,
    /// The RIS Live server of the replayer.
    pub(crate) ris: SocketAddr,
    /// The RPKI cache, if one is there.
    pub(crate) rtr: Option<SocketAddr>,
    pub(crate) neighbours: Vec<(IpAddr, Asn)>,
    /// How long what ended is kept in memory, where not as usual.
    pub(crate) ended_kept: Option<&'static str>,
}

/// A port of loopback that is free now.
pub(crate) fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// `routewarden serve` with a folder of its own.
#[derive(Debug)]
pub(crate) struct Program {
    binary: PathBuf,
    folder: PathBuf,
    http: SocketAddr,
    child: Child,
}

impl Program {
    /// Writes the configuration below `folder` and starts it.
    pub(crate) fn start(binary: &Path, folder: &Path, places: &Places) -> Result<Self> {
        let config = folder.join("routewarden.toml");
        fs::write(&config, configuration(folder, places))?;
        let child = spawn(binary, folder)?;
        let (binary, folder) = (binary.to_owned(), folder.to_owned());
        Ok(Program { binary, folder, http: places.http, child })
    }

    /// Kills it without warning and starts it again.
    pub(crate) fn kill_and_restart(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        self.child = spawn(&self.binary, &self.folder)?;
        Ok(())
    }

    /// Asks it to end, and waits; whether it ended with success.
    pub(crate) fn stop(mut self) -> Result<bool> {
        rustix::process::kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        Ok(self.child.wait()?.success())
    }

    /// Fails if it has ended by itself.
    pub(crate) fn ensure_running(&mut self) -> Result<()> {
        let ended = self.child.try_wait()?;
        ensure!(ended.is_none(), "the program ended: {ended:?}; see {}", self.log().display());
        Ok(())
    }

    /// What it said.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("routewarden.log")
    }

    /// Its reports.
    pub(crate) fn reports(&self) -> PathBuf {
        data(&self.folder).join("reports.jsonl")
    }

    /// `GET /status`.
    pub(crate) fn status(&self) -> Result<Value> {
        let config = ureq::Agent::config_builder().timeout_global(Some(ANSWER_WITHIN)).build();
        let agent = ureq::Agent::new_with_config(config);
        let url = format!("http://{}/status", self.http);
        let body = agent.get(url).call()?.body_mut().read_to_string()?;
        Ok(serde_json::from_str(&body)?)
    }

    /// Resident octets (proc(5), `statm`) and seconds of processor time (`stat`).
    pub(crate) fn usage(&self) -> Result<(u64, f64)> {
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

fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

fn spawn(binary: &Path, folder: &Path) -> Result<Child> {
    let log = File::options().create(true).append(true).open(folder.join("routewarden.log"))?;
    let mut command = Command::new(binary);
    command.arg("serve").arg("--config").arg(folder.join("routewarden.toml"));
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    command.spawn().with_context(|| binary.display().to_string())
}

fn configuration(folder: &Path, places: &Places) -> String {
    let mut text = format!(
        "data_dir = \"{}\"\n\n[http]\nlisten = \"{}\"\n\n[detect]\nbogons = false\nquorum = 1\nreport_confidence = 0\n\
         warm_up = \"{WARM_UP_SECS}s\"\nwarm_up_max = \"{WARM_UP_SECS}s\"\n{}\n\
         [[ris_live]]\nname = \"ris\"\nurl = \"ws://{}/\"\n\n\
         [[bmp]]\nname = \"bmp\"\nlisten = \"{}\"\nallow = [\"127.0.0.0/8\"]\n\n\
         [[bgp]]\nname = \"bgp\"\nlisten = \"{}\"\nlocal_asn = {LOCAL_ASN}\n\
         router_id = \"127.0.0.1\"\n\n",
        data(folder).display(),
        places.http,
        places.ended_kept.map(|kept| format!("ended_kept = \"{kept}\"\n")).unwrap_or_default(),
        places.ris,
        places.bmp,
        places.bgp
    );
    for (number, (address, asn)) in places.neighbours.iter().enumerate() {
        text += &format!(
            "[[bgp.neighbours]]\nname = \"neighbour-{number}\"\naddress = \"{address}\"\n\
             asn = {}\n\n",
            asn.0
        );
    }
    if let Some(rtr) = places.rtr {
        text += &format!("[rpki]\nrtr = [{{ name = \"cache\", address = \"{rtr}\" }}]\n");
    }
    text
}
