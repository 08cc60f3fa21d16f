//! Network namespaces on one bridge, attached to nothing else.

use std::fs::File;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use rustix::process::{Pid, Signal};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Begins the name of every namespace of this lab: `rw-PID-NUMBER-NODE`.
const NAME_BEGIN: &str = "rw-";

/// How the names of namespaces and folders of this process begin.
pub(crate) fn name_begin() -> String {
    format!("{NAME_BEGIN}{}-", std::process::id())
}

/// Where `ip netns` keeps its handles.
const HANDLES: &str = "/run/netns";
/// The namespace of the bridge.
const SWITCH: &str = "sw";

/// The namespaces of one lab; removed, with all that runs in them, when dropped.
pub(crate) struct Namespaces {
    begin: String,
    nodes: Vec<&'static str>,
}

impl Namespaces {
    /// Makes a namespace for each node, with `eth0` at its address (`/24`) on the common bridge.
    /// What dead runs left is removed before.
    pub(crate) fn make(nodes: &[(&'static str, String)]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        remove_leftovers();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let begin = format!("{}{number}-", name_begin());
        let mut made = Namespaces { begin, nodes: vec![SWITCH] };
        let switch = made.name(SWITCH);
        ip(&format!("netns add {switch}"));
        ip(&format!("-n {switch} link add br0 type bridge"));
        ip(&format!("-n {switch} link set br0 up"));
        for (node, address) in nodes {
            made.attach(node, address);
        }
        made
    }

    fn attach(&mut self, node: &'static str, address: &str) {
        let (switch, name) = (self.name(SWITCH), self.name(node));
        self.nodes.push(node);
        ip(&format!("netns add {name}"));
        ip(&format!("-n {switch} link add v-{node} type veth peer name eth0 netns {name}"));
        ip(&format!("-n {switch} link set v-{node} master br0 up"));
        ip(&format!("-n {name} addr add {address}/24 dev eth0"));
        ip(&format!("-n {name} link set eth0 up"));
        ip(&format!("-n {name} link set lo up"));
    }

    fn name(&self, node: &str) -> String {
        format!("{}{node}", self.begin)
    }

    /// A command to be run in a node's namespace. Its process is the program's own: `ip` becomes it.
    pub(crate) fn command(&self, node: &str, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name(node), program]);
        command
    }

    /// Does work in a node's namespace: what it connects to is there.
    pub(crate) fn inside<T: Send>(&self, node: &str, work: impl FnOnce() -> T + Send) -> T {
        let handle = File::open(Path::new(HANDLES).join(self.name(node))).unwrap();
        let enter_and_work = move || {
            // A namespace is a thread's own; this one ends with the work.
            move_into_link_name_space(handle.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            work()
        };
        thread::scope(|scope| scope.spawn(enter_and_work).join()).expect("the work panicked")
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        for node in &self.nodes {
            remove(&self.name(node));
        }
    }
}

fn ip(arguments: &str) {
    let output = Command::new("ip").args(arguments.split(' ')).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ip {arguments}: {said}");
}

/// Ends what runs in a namespace and removes it; without a word if it is not there.
fn remove(name: &str) {
    let ip_netns = |verb| Command::new("ip").args(["netns", verb, name]).output();
    let pids = ip_netns("pids").map(|output| output.stdout).unwrap_or_default();
    for pid in String::from_utf8_lossy(&pids).lines() {
        if let Some(pid) = pid.trim().parse().ok().and_then(Pid::from_raw) {
            rustix::process::kill_process(pid, Signal::KILL).ok();
        }
    }
    drop(ip_netns("del"));
}

/// Removes the namespaces and folders of runs whose process is no more.
fn remove_leftovers() {
    let Ok(handles) = std::fs::read_dir(HANDLES) else { return };
    for handle in handles.flatten() {
        let name = handle.file_name().to_string_lossy().into_owned();
        if is_of_dead_run(&name) {
            remove(&name);
        }
    }
    let folders = std::fs::read_dir(std::env::temp_dir()).unwrap();
    for folder in folders.flatten() {
        if is_of_dead_run(&folder.file_name().to_string_lossy()) {
            std::fs::remove_dir_all(folder.path()).ok();
        }
    }
}

/// Whether it is named as what this lab makes, by a process that is no more.
fn is_of_dead_run(name: &str) -> bool {
    let owner = name.strip_prefix(NAME_BEGIN).and_then(|rest| rest.split('-').next());
    let owner = owner.and_then(|pid| pid.parse::<u32>().ok());
    owner.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists())
}
