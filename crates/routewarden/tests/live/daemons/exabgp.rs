//! `ExaBGP`: the hijacker. Takes commands as lines from a FIFO.

use std::fs::{File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::lab::{Place, write};
use crate::topology::Router;

/// Writes `exabgp.conf` and makes the FIFO; gives the command.
pub(crate) fn set_up(router: &Router, place: &Place<'_>) -> Command {
    let folder = place.folder;
    let fifo = folder.join("fifo");
    let made = Command::new("mkfifo").arg("-m").arg("666").arg(&fifo).status().unwrap();
    assert!(made.success());
    let feed = folder.join("feed.sh");
    write(&feed, &format!("#!/bin/sh\nexec 3<>{0}\nexec cat <&3\n", fifo.display()));
    std::fs::set_permissions(&feed, Permissions::from_mode(0o755)).unwrap();
    write(&folder.join("exabgp.conf"), &config(router, folder));
    let mut command = place.command("exabgp");
    command.arg(folder.join("exabgp.conf"));
    command.envs([
        ("exabgp.daemon.user", "root"),
        ("exabgp.daemon.drop", "false"),
        ("exabgp.api.cli", "false"),
        ("exabgp.log.destination", "stdout"),
        ("exabgp.tcp.port", "179"),
        ("exabgp.tcp.acl", "false"),
    ]);
    command
}

fn config(router: &Router, folder: &Path) -> String {
    let sessions = router.sessions();
    let [provider] = sessions.as_slice() else { panic!("the hijacker has one provider") };
    let own: String = router.own.iter().map(|p| format!("route {p} next-hop self; ")).collect();
    let address = router.address();
    format!(
        "process inject {{ run {}/feed.sh; encoder text; }}\nneighbor {} {{\n router-id {address}; \
         local-address {address}; local-as {}; peer-as {};\n family {{ ipv4 unicast; }}\n \
         api {{ processes [ inject ]; }}\n static {{ {own}}}\n}}\n",
        folder.display(),
        provider.address,
        router.asn,
        provider.asn
    )
}

/// Has it do something: `announce route ...`, `withdraw route ...`.
pub(crate) fn tell(folder: &Path, command: &str) {
    let mut fifo = File::options().write(true).open(folder.join("fifo")).unwrap();
    writeln!(fifo, "{command}").unwrap();
}
