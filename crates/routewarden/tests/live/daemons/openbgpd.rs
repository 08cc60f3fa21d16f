//! `OpenBGPD`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::Value;

use crate::lab::{Place, write};
use crate::topology::{Neighbour, Router};

/// Debian's package changes its root to here; only systemd's tmpfiles make it.
const CHROOT: &str = "/run/openbgpd";

/// Writes `bgpd.conf`; gives the command.
pub(crate) fn set_up(router: &Router, place: &Place<'_>) -> Command {
    fs::create_dir_all(CHROOT).unwrap();
    let file = place.folder.join("bgpd.conf");
    write(&file, &config(router, place));
    // It refuses a configuration that others may read.
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let mut command = place.command("/usr/sbin/bgpd");
    command.args(["-d", "-v", "-f"]).arg(file);
    command
}

fn config(router: &Router, place: &Place<'_>) -> String {
    let asn = router.asn;
    let mut text = format!(
        "AS {asn}\nrouter-id {address}\nlisten on {address}\nfib-update no\nconnect-retry 2\n\
         socket \"{}/bgpd.sock\"\n",
        place.folder.display(),
        address = router.address()
    );
    text.extend(router.own.iter().map(|prefix| format!("network {prefix}\n")));
    for session in router.sessions() {
        text += &format!(
            "neighbor {} {{\n remote-as {}\n descr \"{}\"\n}}\n",
            session.address, session.asn, session.name
        );
    }
    text += "deny from any\ndeny to any\nmatch to any set nexthop self\n";
    for session in router.sessions() {
        let address = &session.address;
        if session.is != Neighbour::Collector {
            text += &format!(
                "allow from {address} set {{ localpref {} community {asn}:{} }}\n",
                session.is.preference(),
                session.is.mark()
            );
        }
        text += &format!("allow to {address}\n");
        if session.is.is_up() {
            text += &format!(
                "deny to {address} community {asn}:2\ndeny to {address} community {asn}:3\n"
            );
        }
    }
    text
}

/// Networks in its table.
pub(crate) fn networks(place: &Place<'_>) -> Option<usize> {
    let mut command = Command::new("bgpctl");
    command.arg("-s").arg(place.folder.join("bgpd.sock")).args(["-j", "show", "rib", "best"]);
    let said: Value = serde_json::from_slice(&command.output().unwrap().stdout).ok()?;
    Some(said.get("rib")?.as_array()?.len())
}
