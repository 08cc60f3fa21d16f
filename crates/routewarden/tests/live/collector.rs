//! The program under test, as the lab's collector: the one place where it is started and read.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use routewarden_core::Timestamp;
use routewarden_detect::Incident;
use serde::Deserialize;
use serde_json::Value;

use crate::daemons::stayrtr;
use crate::lab::{Lab, write};
use crate::process::Process;
use crate::topology::{
    BGP_FEEDERS, BMP_FEEDERS, COLLECTOR, COLLECTOR_ADDRESS, COLLECTOR_ASN, KEY, SIGNERS, named,
    relations_file,
};

/// Where it takes BMP.
pub(crate) const BMP_PORT: u16 = 11019;
/// Where it answers, in its namespace.
const HTTP: &str = "127.0.0.1:8080";
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// `routewarden serve` in the collector's namespace.
pub(crate) struct Collector {
    process: Process,
    data: PathBuf,
}

/// A line of the log of reports.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Report {
    pub(crate) report: ReportKind,
    /// When it was made, by the wall.
    pub(crate) at: Timestamp,
    pub(crate) incident: Incident,
}

/// What a report tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReportKind {
    Open,
    Update,
    End,
    /// One that ended goes on: what the same AS does to the same victim within an hour is one incident.
    Reopen,
}

impl Collector {
    /// Starts it; does not wait until it listens.
    pub(crate) fn start(lab: &Lab) -> Self {
        let folder = lab.folder(COLLECTOR);
        let data = folder.join("data");
        let relations = folder.join("as-rel.txt");
        write(&relations, &relations_file());
        let key = folder.join("key.md5");
        write(&key, &format!("{KEY}\n"));
        fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
        let file = folder.join("routewarden.toml");
        write(&file, &config(&data, &relations, &key));
        let program = env!("CARGO_BIN_EXE_routewarden");
        let mut command = lab.namespaces().command(COLLECTOR, program);
        command.arg("serve").arg("--config").arg(file);
        Collector { process: Process::start(command, &folder.join("routewarden.log")), data }
    }

    /// Fails, with what it said, if it has ended.
    pub(crate) fn assert_runs(&mut self) {
        self.process.assert_runs();
    }

    /// What it said on standard output and error.
    pub(crate) fn said(&self) -> String {
        self.process.said()
    }

    /// Asks it to end and waits; gives the exit code.
    pub(crate) fn end(self) -> Option<i32> {
        self.process.end()
    }

    /// `GET /status`, or why not.
    pub(crate) fn status(lab: &Lab) -> Result<Status, String> {
        let get = || -> Result<Value, ureq::Error> {
            let config = ureq::Agent::config_builder().timeout_global(Some(ANSWER_WITHIN)).build();
            let agent = ureq::Agent::new_with_config(config);
            let body =
                agent.get(format!("http://{HTTP}/status")).call()?.body_mut().read_to_string()?;
            Ok(serde_json::from_str(&body).unwrap_or(Value::String(body)))
        };
        lab.namespaces().inside(COLLECTOR, get).map(Status).map_err(|error| error.to_string())
    }

    /// Its reports so far: the whole lines of the log.
    pub(crate) fn reports(&self) -> Vec<Report> {
        let text = std::fs::read_to_string(self.data.join("reports.jsonl")).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }
}

fn config(data: &Path, relations: &Path, key: &Path) -> String {
    let allow: Vec<String> =
        BMP_FEEDERS.iter().map(|name| format!("\"{}/32\"", named(name).address())).collect();
    let mut text = format!(
        "data_dir = \"{}\"\n\n[http]\nlisten = \"{HTTP}\"\n\n[access]\nmode = \"off\"\n\n[[bmp]]\nname = \"bmp\"\n\
         listen = \"{COLLECTOR_ADDRESS}:{BMP_PORT}\"\nallow = [{}]\n\n[[bgp]]\nname = \"bgp\"\n\
         listen = \"{COLLECTOR_ADDRESS}:179\"\nlocal_asn = {COLLECTOR_ASN}\n\
         router_id = \"{COLLECTOR_ADDRESS}\"\n\n",
        data.display(),
        allow.join(", ")
    );
    for name in BGP_FEEDERS {
        let router = named(name);
        text += &format!(
            "[[bgp.neighbours]]\nname = \"{name}\"\naddress = \"{}\"\nasn = {}\n",
            router.address(),
            router.asn
        );
        if SIGNERS.contains(&name) {
            text += &format!("tcp_md5_file = \"{}\"\n", key.display());
        }
    }
    text + &format!(
        "\n[rpki]\nrtr = [{{ name = \"stayrtr\", address = \"{COLLECTOR_ADDRESS}:{}\" }}]\n\n\
         [facts]\nrelations = {{ from = \"{}\" }}\n\n[detect]\nbogons = false\nwarm_up = \"5s\"\n",
        stayrtr::PORT,
        relations.display()
    )
}

/// What `/status` tells.
#[derive(Clone, Debug)]
pub(crate) struct Status(Value);

impl Status {
    /// Whether the program does all its work: the tables to start from are in.
    pub(crate) fn is_ready(&self) -> bool {
        self.0.get("ready").is_some_and(|is| is == true)
    }

    /// Sessions of a kind of source that are up.
    pub(crate) fn sessions(&self, kind: &str) -> u64 {
        self.sum("sources", kind, "/sessions")
    }

    /// Announcements heard over a kind of source.
    pub(crate) fn announcements(&self, kind: &str) -> u64 {
        self.sum("sources", kind, "/elements/announcements")
    }

    /// Facts of a kind in use.
    pub(crate) fn facts(&self, kind: &str) -> u64 {
        self.sum("facts", kind, "/entries")
    }

    /// Sum of a number over the members of a list that are of a kind.
    fn sum(&self, list: &str, kind: &str, number: &str) -> u64 {
        let members = self.0.get(list).and_then(Value::as_array).into_iter().flatten();
        let of_kind = members.filter(|member| member.get("kind").is_some_and(|is| is == kind));
        of_kind.filter_map(|member| member.pointer(number)?.as_u64()).sum()
    }
}
