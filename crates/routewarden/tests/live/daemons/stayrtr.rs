//! `StayRTR`: the RPKI cache.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::lab::{Place, write};
use crate::topology::COLLECTOR_ADDRESS;

/// Where it listens, at the collector's address.
pub(crate) const PORT: u16 = 8282;
/// Long after any run of the lab.
const EXPIRES: u64 = 4_000_000_000;

/// A VRP: prefix, maximum length, origin.
pub(crate) type Roa = (&'static str, u8, u32);
/// The victim's.
pub(crate) const VICTIMS_ROA: Roa = ("203.0.113.0/24", 24, 64502);
/// The victim's providers, as its ASPA has them.
const VICTIMS_PROVIDERS: [u32; 2] = [64498, 64501];

fn file(folder: &Path) -> PathBuf {
    folder.join("vrps.json")
}

/// Writes its file with the victim's ROA and ASPA; gives the command.
pub(crate) fn set_up(place: &Place<'_>) -> Command {
    write_objects(place.folder, &[VICTIMS_ROA]);
    let mut command = place.command("stayrtr");
    command.args(["-bind", &format!("{COLLECTOR_ADDRESS}:{PORT}")]);
    command.args(["-metrics.addr", "127.0.0.1:9847", "-checktime=false", "-refresh", "3600"]);
    command.arg("-cache").arg(file(place.folder));
    command
}

/// Writes the file that it serves; it reads it again upon SIGHUP.
pub(crate) fn write_objects(folder: &Path, roas: &[Roa]) {
    let roa = |&(prefix, length, asn): &Roa| json!({"prefix": prefix, "maxLength": length, "asn": asn, "ta": "lab", "expires": EXPIRES});
    let roas: Vec<Value> = roas.iter().map(roa).collect();
    let aspa = json!({
        "customer_asid": VICTIMS_ROA.2, "expires": EXPIRES, "providers": VICTIMS_PROVIDERS
    });
    let objects = json!({
        "metadata": {"buildtime": "2026-11-23T10:00:00Z"},
        "roas": roas,
        "bgpsec_keys": [],
        "provider_authorizations": {"ipv4": [aspa], "ipv6": []},
    });
    write(&file(folder), &objects.to_string());
}
