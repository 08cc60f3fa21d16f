//! What the lab needs of the machine.

use std::path::Path;
use std::process::Command;

use crate::namespaces::name_begin;

/// Commands of the routers and what makes their network, each with its Debian package.
const COMMANDS: [(&str, &str); 9] = [
    ("ip", "iproute2"),
    ("bird", "bird2"),
    ("birdc", "bird2"),
    ("/usr/lib/frr/bgpd", "frr"),
    ("vtysh", "frr"),
    ("gobgpd", "gobgpd"),
    ("bgpctl", "openbgpd"),
    ("exabgp", "exabgp"),
    ("stayrtr", "stayrtr"),
];

/// FRR's BMP and RPKI come as modules; the second is a package of its own.
const FRR_RPKI_MODULES: [&str; 2] = [
    "/usr/lib/x86_64-linux-gnu/frr/modules/bgpd_rpki.so",
    "/usr/lib/aarch64-linux-gnu/frr/modules/bgpd_rpki.so",
];

/// Whether the lab can be built here. Says what is missing; fails when `CI=true`.
pub(crate) fn are_met() -> bool {
    let missing = missing();
    if missing.is_empty() {
        return true;
    }
    let missing = missing.join(", ");
    assert!(std::env::var("CI").as_deref() != Ok("true"), "CI lacks {missing}");
    eprintln!("skipped: the live lab needs {missing}");
    false
}

fn missing() -> Vec<String> {
    let lacks = |(command, package): &(&str, &str)| {
        (!is_command(command)).then(|| format!("{command} (package {package})"))
    };
    let mut missing: Vec<String> = COMMANDS.iter().filter_map(lacks).collect();
    if !FRR_RPKI_MODULES.iter().any(|path| Path::new(path).exists()) {
        missing.push("bgpd_rpki.so (package frr-rpki-rtrlib)".to_owned());
    }
    if missing.is_empty() && !may_make_namespaces() {
        missing.push("the right to make network namespaces (root, CAP_SYS_ADMIN)".to_owned());
    }
    missing
}

fn is_command(command: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders.any(|folder| folder.join(command).is_file())
}

fn may_make_namespaces() -> bool {
    let name = format!("{}try", name_begin());
    let ip = |verb| Command::new("ip").args(["netns", verb, &name]).output();
    let made = ip("add").is_ok_and(|output| output.status.success());
    made && ip("del").is_ok_and(|output| output.status.success())
}
