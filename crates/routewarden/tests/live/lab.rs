//! The lab: routers in namespaces, and the incidents that they play.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::daemons::{bird, exabgp, frr, gobgp, openbgpd, stayrtr};
use crate::namespaces::{Namespaces, name_begin};
use crate::process::Process;
use crate::topology::{COLLECTOR, COLLECTOR_ADDRESS, PREFIXES, ROUTERS, Router, Software, named};
use crate::waiting::wait_for;

/// All sessions up and every router has every prefix; four to six seconds on two idle cores.
const CONVERGED_WITHIN: Duration = Duration::from_mins(2);

/// Where a node's software runs.
pub(crate) struct Place<'a> {
    namespaces: &'a Namespaces,
    node: &'static str,
    /// For its files.
    pub(crate) folder: &'a Path,
}

impl Place<'_> {
    /// A command to be run there.
    pub(crate) fn command(&self, program: &str) -> Command {
        self.namespaces.command(self.node, program)
    }
}

/// Writes a file of the lab.
pub(crate) fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// A running lab; ended when dropped, also by a panic.
pub(crate) struct Lab {
    // Dropped in this order: programs, namespaces, files.
    processes: BTreeMap<&'static str, Process>,
    namespaces: Namespaces,
    folder: TempDir,
}

impl Lab {
    /// Makes the namespaces and starts the RPKI cache, but no router.
    pub(crate) fn with_cache() -> Self {
        // Short, for the sockets in it.
        let folder = tempfile::Builder::new().prefix(&name_begin()).tempdir().unwrap();
        // Some daemons give up root.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let mut nodes: Vec<_> =
            ROUTERS.iter().map(|router| (router.name, router.address())).collect();
        nodes.push((COLLECTOR, COLLECTOR_ADDRESS.to_owned()));
        for (node, _) in &nodes {
            let path = folder.path().join(node);
            fs::create_dir(&path).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
        }
        let namespaces = Namespaces::make(&nodes);
        let mut lab = Lab { processes: BTreeMap::new(), namespaces, folder };
        lab.start(COLLECTOR, stayrtr::set_up);
        lab
    }

    /// Starts the routers.
    pub(crate) fn start_routers(&mut self) {
        for router in &ROUTERS {
            self.start(router.name, |place| match router.software {
                Software::Bird => bird::set_up(router, place),
                Software::Frr => frr::set_up(router, place),
                Software::GoBgp => gobgp::set_up(router, place),
                Software::OpenBgpd => openbgpd::set_up(router, place),
                Software::ExaBgp => exabgp::set_up(router, place),
            });
        }
        for router in ROUTERS.iter().filter(|router| router.software == Software::GoBgp) {
            wait_for("GoBGP's API", CONVERGED_WITHIN, || {
                let folder = self.folder(router.name);
                gobgp::originate(router, &self.place(router.name, &folder)).then_some(()).ok_or(())
            });
        }
    }

    fn start(&mut self, node: &'static str, set_up: impl FnOnce(&Place<'_>) -> Command) {
        let folder = self.folder(node);
        let command = set_up(&self.place(node, &folder));
        self.processes.insert(node, Process::start(command, &folder.join("stdout")));
    }

    /// Waits until every router that can be asked has every prefix.
    pub(crate) fn wait_until_converged(&mut self) {
        wait_for("convergence", CONVERGED_WITHIN, || {
            self.processes.values_mut().for_each(Process::assert_runs);
            let networks: Vec<_> =
                ROUTERS.iter().map(|router| (router.name, self.networks(router))).collect();
            let all = networks.iter().all(|&(_, count)| count.is_none_or(|n| n == PREFIXES));
            if all { Ok(()) } else { Err(networks) }
        });
    }

    /// Prefixes in a router's table: 0 if it does not answer yet, `None` if it has no table.
    fn networks(&self, router: &Router) -> Option<usize> {
        let folder = self.folder(router.name);
        let place = self.place(router.name, &folder);
        let networks = match router.software {
            Software::Bird => bird::networks(&folder),
            Software::Frr => frr::networks(&folder),
            Software::GoBgp => gobgp::networks(&place),
            Software::OpenBgpd => openbgpd::networks(&place),
            Software::ExaBgp => return None,
        };
        Some(networks.unwrap_or_default())
    }

    /// The namespaces of the nodes.
    pub(crate) fn namespaces(&self) -> &Namespaces {
        &self.namespaces
    }

    /// A node's folder.
    pub(crate) fn folder(&self, node: &str) -> PathBuf {
        self.folder.path().join(node)
    }

    fn place<'a>(&'a self, node: &'static str, folder: &'a Path) -> Place<'a> {
        Place { namespaces: &self.namespaces, node, folder }
    }

    /// Has the hijacker say something.
    pub(crate) fn tell_hijacker(&self, command: &str) {
        exabgp::tell(&self.folder("att"), command);
    }

    /// The leaker begins or ends to tell everyone everything.
    pub(crate) fn set_leak(&self, leaks: bool) {
        let file = if leaks { "bird-leak.conf" } else { "bird.conf" };
        bird::configure(&self.folder("lkr"), file);
    }

    /// The RPKI cache serves these ROAs from now on, beside the victim's ASPA.
    pub(crate) fn set_roas(&self, roas: &[stayrtr::Roa]) {
        stayrtr::write_objects(&self.folder(COLLECTOR), roas);
        self.processes[COLLECTOR].signal(Signal::HUP);
    }

    /// What the RPKI cache said.
    pub(crate) fn cache_said(&self) -> String {
        self.processes[COLLECTOR].said()
    }

    /// AS paths of a prefix in the table of t1b, as FRR prints them; none if it has no such route.
    pub(crate) fn paths_at_t1b(&self, prefix: &str) -> Vec<String> {
        let table = frr::table(&self.folder(named("t1b").name)).unwrap_or_default();
        let routes = table.get(prefix).and_then(Value::as_array).cloned().unwrap_or_default();
        let path = |route: &Value| Some(route.get("path")?.as_str()?.to_owned());
        routes.iter().filter_map(path).collect()
    }
}
