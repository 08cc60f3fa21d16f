//! `GoBGP`.

use std::process::Command;

use crate::collector;
use crate::lab::{Place, write};
use crate::topology::{BMP_FEEDERS, COLLECTOR_ADDRESS, KEY, Neighbour, Router, SIGNERS};

/// Writes `gobgpd.toml`; gives the command.
pub(crate) fn set_up(router: &Router, place: &Place<'_>) -> Command {
    let file = place.folder.join("gobgpd.toml");
    write(&file, &config(router));
    let mut command = place.command("gobgpd");
    command.arg("-f").arg(file).args(["--api-hosts", "127.0.0.1:50051", "-l", "info"]);
    command
}

fn config(router: &Router) -> String {
    let address = router.address();
    let mut text = format!(
        "[global.config]\n  as = {}\n  router-id = \"{address}\"\n  \
         local-address-list = [\"{address}\"]\n",
        router.asn
    );
    if BMP_FEEDERS.contains(&router.name) {
        text += &format!(
            "[[bmp-servers]]\n  [bmp-servers.config]\n    address = \"{COLLECTOR_ADDRESS}\"\n    \
             port = {}\n    route-monitoring-policy = \"pre-policy\"\n",
            collector::BMP_PORT
        );
    }
    for session in router.sessions() {
        let signs = session.is == Neighbour::Collector && SIGNERS.contains(&router.name);
        let password =
            if signs { format!("    auth-password = \"{KEY}\"\n") } else { String::new() };
        text += &format!(
            "[[neighbors]]
  [neighbors.config]
    neighbor-address = \"{}\"
    peer-as = {}
{password}  [neighbors.timers.config]
    connect-retry = 2
    idle-hold-time-after-reset = 2
  [neighbors.transport.config]
    local-address = \"{address}\"
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = \"ipv4-unicast\"
",
            session.address, session.asn
        );
    }
    text + &policy(router)
}

fn policy(router: &Router) -> String {
    let asn = router.asn;
    let of = |wanted: &dyn Fn(Neighbour) -> bool| {
        let sessions = router.sessions().into_iter().filter(|session| wanted(session.is));
        sessions.map(|session| format!("\"{}\"", session.address)).collect::<Vec<_>>().join(", ")
    };
    let set = |name: &str, addresses: &str| {
        format!(
            "[[defined-sets.neighbor-sets]]\n  neighbor-set-name = \"{name}\"\n  \
             neighbor-info-list = [{addresses}]\n"
        )
    };
    let present: Vec<Neighbour> = Neighbour::SPEAKING
        .into_iter()
        .filter(|&is| router.sessions().iter().any(|session| session.is == is))
        .collect();
    let mut text: String =
        present.iter().map(|&is| set(is.name(), &of(&|other| other == is))).collect();
    text += &set("up", &of(&Neighbour::is_up));
    text += &format!(
        "[[defined-sets.bgp-defined-sets.community-sets]]\n  community-set-name = \"noexp\"\n  \
         community-list = [\"{asn}:2\", \"{asn}:3\"]\n[[policy-definitions]]\n  name = \"imp\"\n"
    );
    text.extend(present.iter().map(|&is| import(asn, is)));
    text + EXPORT
}

fn import(asn: u32, is: Neighbour) -> String {
    let (name, preference, mark) = (is.name(), is.preference(), is.mark());
    format!(
        "  [[policy-definitions.statements]]
    name = \"in-{name}\"
    [policy-definitions.statements.conditions.match-neighbor-set]
      neighbor-set = \"{name}\"
    [policy-definitions.statements.actions]
      route-disposition = \"accept-route\"
    [policy-definitions.statements.actions.bgp-actions]
      set-local-pref = {preference}
      [policy-definitions.statements.actions.bgp-actions.set-community]
        options = \"add\"
        [policy-definitions.statements.actions.bgp-actions.set-community.set-community-method]
          communities-list = [\"{asn}:{mark}\"]
"
    )
}

const EXPORT: &str = r#"[[policy-definitions]]
  name = "exp"
  [[policy-definitions.statements]]
    name = "no-up"
    [policy-definitions.statements.conditions.match-neighbor-set]
      neighbor-set = "up"
    [policy-definitions.statements.conditions.bgp-conditions.match-community-set]
      community-set = "noexp"
    [policy-definitions.statements.actions]
      route-disposition = "reject-route"
[global.apply-policy.config]
  import-policy-list = ["imp"]
  default-import-policy = "accept-route"
  export-policy-list = ["exp"]
  default-export-policy = "accept-route"
"#;

/// Originates what is the router's own; whether its API already listens.
pub(crate) fn originate(router: &Router, place: &Place<'_>) -> bool {
    let add = |prefix: &&str| {
        let mut command = place.command("gobgp");
        command.args(["global", "rib", "add", *prefix, "origin", "igp"]);
        command.output().unwrap().status.success()
    };
    router.own.iter().all(add)
}

/// Networks in its table.
pub(crate) fn networks(place: &Place<'_>) -> Option<usize> {
    let output = place.command("gobgp").args(["global", "rib", "summary"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let after = said.split("Destination: ").nth(1)?;
    after.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}
