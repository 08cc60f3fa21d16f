//! FRR's bgpd, alone: no zebra, no kernel.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::collector;
use crate::daemons::stayrtr;
use crate::lab::{Place, write};
use crate::topology::{BMP_FEEDERS, COLLECTOR_ADDRESS, Neighbour, Router, WITH_ROV};

/// Debian has it outside of the path.
const PROGRAM: &str = "/usr/lib/frr/bgpd";

/// Writes `bgpd.conf`; gives the command.
pub(crate) fn set_up(router: &Router, place: &Place<'_>) -> Command {
    let folder = place.folder;
    write(&folder.join("bgpd.conf"), &config(router, folder));
    let mut command = place.command(PROGRAM);
    command.args(["-Z", "-S", "-P", "0", "-M", "bgpd_bmp", "-M", "bgpd_rpki"]);
    command.arg("-f").arg(folder.join("bgpd.conf")).arg("-i").arg(folder.join("bgpd.pid"));
    command.arg("--vty_socket").arg(folder);
    command
}

fn config(router: &Router, folder: &Path) -> String {
    let asn = router.asn;
    let mut text = format!(
        "log file {}/bgpd.log informational\nrouter bgp {asn}\n bgp router-id {}\n \
         no bgp ebgp-requires-policy\n no bgp network import-check\n timers bgp 10 30\n",
        folder.display(),
        router.address()
    );
    for session in router.sessions() {
        let neighbour = format!(" neighbor {}", session.address);
        text += &format!(
            "{neighbour} remote-as {}\n{neighbour} timers connect 2\n\
             {neighbour} advertisement-interval 0\n",
            session.asn
        );
    }
    if BMP_FEEDERS.contains(&router.name) {
        text += &format!(
            " bmp targets lab\n  bmp stats interval 10000\n  bmp monitor ipv4 unicast pre-policy\n  \
             bmp monitor ipv4 unicast post-policy\n  \
             bmp connect {COLLECTOR_ADDRESS} port {} min-retry 500 max-retry 2000\n exit\n",
            collector::BMP_PORT
        );
    }
    text += " address-family ipv4 unicast\n";
    text.extend(router.own.iter().map(|prefix| format!("  network {prefix}\n")));
    for session in router.sessions() {
        text += &family(&session.address, session.is);
    }
    text += " exit-address-family\nexit\n";
    text + &policy(router)
}

fn family(address: &str, is: Neighbour) -> String {
    let neighbour = format!("  neighbor {address}");
    let mut text = format!(
        "{neighbour} activate\n{neighbour} next-hop-self\n{neighbour} send-community\n\
         {neighbour} route-map IN-{} in\n{neighbour} soft-reconfiguration inbound\n",
        is.name()
    );
    if is.is_up() {
        text += &format!("{neighbour} route-map OUT-up out\n");
    }
    text
}

fn policy(router: &Router) -> String {
    let asn = router.asn;
    let mut text = format!(
        "bgp community-list standard NOEXP permit {asn}:2\n\
         bgp community-list standard NOEXP permit {asn}:3\n"
    );
    for is in Neighbour::SPEAKING {
        let name = is.name();
        if router.name == WITH_ROV {
            text += &format!("route-map IN-{name} deny 5\n match rpki invalid\n");
        }
        text += &format!(
            "route-map IN-{name} permit 10\n set local-preference {}\n \
             set community {asn}:{} additive\n",
            is.preference(),
            is.mark()
        );
    }
    text += "route-map OUT-up deny 10\n match community NOEXP\nroute-map OUT-up permit 20\n";
    if router.name == WITH_ROV {
        text += &format!(
            "rpki\n rpki polling_period 10\n rpki cache {COLLECTOR_ADDRESS} {} preference 1\n exit\n",
            stayrtr::PORT
        );
    }
    text
}

/// Its table: the JSON of `show bgp ipv4 unicast json`.
pub(crate) fn table(folder: &Path) -> Option<Value> {
    let mut command = Command::new("vtysh");
    command.arg("--vty_socket").arg(folder).args(["-c", "show bgp ipv4 unicast json"]);
    let said = command.output().unwrap().stdout;
    serde_json::from_slice::<Value>(&said).ok()?.get("routes").cloned()
}

/// Networks in its table.
pub(crate) fn networks(folder: &Path) -> Option<usize> {
    Some(table(folder)?.as_object()?.len())
}
