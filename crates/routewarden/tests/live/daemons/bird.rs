//! BIRD 2.

use std::path::Path;
use std::process::Command;

use crate::lab::{Place, write};
use crate::topology::{KEY, Neighbour, Router, SIGNERS};

/// Writes `bird.conf` and `bird-leak.conf`, which tells everyone everything; gives the command.
pub(crate) fn set_up(router: &Router, place: &Place<'_>) -> Command {
    let folder = place.folder;
    write(&folder.join("bird.conf"), &config(router, folder, false));
    write(&folder.join("bird-leak.conf"), &config(router, folder, true));
    let mut command = place.command("bird");
    command.arg("-f").arg("-c").arg(folder.join("bird.conf"));
    command.arg("-s").arg(folder.join("bird.ctl")).arg("-P").arg(folder.join("bird.pid"));
    command
}

fn config(router: &Router, folder: &Path, leaks: bool) -> String {
    let own: String = router.own.iter().map(|p| format!("route {p} blackhole; ")).collect();
    let mut text = format!(
        "log \"{}/bird.log\" all;\nrouter id {};\ndebug protocols {{ states }};\n\
         protocol device {{ }}\nprotocol static own {{ ipv4; {own}}}\n",
        folder.display(),
        router.address()
    );
    let asn = router.asn;
    for session in router.sessions() {
        let (mark, preference) = (session.is.mark(), session.is.preference());
        let import = match session.is {
            Neighbour::Collector => "none".to_owned(),
            _ => format!(
                "filter {{ bgp_community.delete([({asn},*)]); bgp_community.add(({asn},{mark})); \
                 bgp_local_pref={preference}; accept; }}"
            ),
        };
        let export = if !session.is.is_up() || leaks {
            "all".to_owned()
        } else {
            format!(
                "filter {{ if ({asn},2) ~ bgp_community || ({asn},3) ~ bgp_community then reject; \
                 accept; }}"
            )
        };
        let signs = session.is == Neighbour::Collector && SIGNERS.contains(&router.name);
        let password = if signs { format!("password \"{KEY}\"; ") } else { String::new() };
        text += &format!(
            "protocol bgp {} {{ {password}local {} as {asn}; neighbor {} as {}; connect delay time 1; \
             connect retry time 2; error wait time 1,5; \
             ipv4 {{ next hop self; import {import}; export {export}; }}; }}\n",
            session.name,
            router.address(),
            session.address,
            session.asn
        );
    }
    text
}

/// Makes a running BIRD take another of its configurations.
pub(crate) fn configure(folder: &Path, file: &str) {
    let said = ask(folder, &format!("configure \"{}\"", folder.join(file).display()));
    assert!(said.contains("Reconfigur"), "{said}");
}

/// Networks in its table.
pub(crate) fn networks(folder: &Path) -> Option<usize> {
    // 9 of 14 routes for 9 networks in table master4
    let said = ask(folder, "show route count table master4");
    said.split(" for ").nth(1)?.split(' ').next()?.parse().ok()
}

fn ask(folder: &Path, question: &str) -> String {
    let socket = folder.join("bird.ctl");
    let output = Command::new("birdc").arg("-s").arg(socket).arg(question).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}
