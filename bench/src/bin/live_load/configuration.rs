//! How the program under test is configured.
#![expect(clippy::format_push_string, reason = "a configuration is written once")]

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use routewarden_bench::program::data;
use routewarden_core::Asn;

/// How long the program learns what stands before it tells of anything.
pub(crate) const WARM_UP_SECS: u64 = 20;
/// AS of the program's BGP speaker.
const LOCAL_ASN: u32 = 64_511;

/// Where the program listens and whom it listens to.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    pub(crate) http: SocketAddr,
    pub(crate) bmp: SocketAddr,
    pub(crate) bgp: SocketAddr,
    /// The RIS Live server of the replayer.
    pub(crate) ris: SocketAddr,
    /// The RPKI cache, if one is there.
    pub(crate) rtr: Option<SocketAddr>,
    pub(crate) neighbours: Vec<(IpAddr, Asn)>,
    /// How long what ended is kept in memory, where not as usual.
    pub(crate) ended_kept: Option<&'static str>,
}

pub(crate) fn configuration(folder: &Path, places: &Places) -> String {
    let mut text = format!(
        "data_dir = \"{}\"\n\n[http]\nlisten = \"{}\"\n\n[access]\nmode = \"off\"\n\n[detect]\nbogons = false\nquorum = 1\nreport_confidence = 0\n\
         warm_up = \"{WARM_UP_SECS}s\"\nwarm_up_max = \"{WARM_UP_SECS}s\"\n{}\n\
         [[ris_live]]\nname = \"ris\"\nurl = \"ws://{}/\"\n\n\
         [[bmp]]\nname = \"bmp\"\nlisten = \"{}\"\nallow = [\"127.0.0.0/8\"]\n\n\
         [[bgp]]\nname = \"bgp\"\nlisten = \"{}\"\nlocal_asn = {LOCAL_ASN}\n\
         router_id = \"127.0.0.1\"\n\n",
        data(folder).display(),
        places.http,
        places.ended_kept.map(|kept| format!("ended_kept = \"{kept}\"\n")).unwrap_or_default(),
        places.ris,
        places.bmp,
        places.bgp
    );
    for (number, (address, asn)) in places.neighbours.iter().enumerate() {
        text += &format!(
            "[[bgp.neighbours]]\nname = \"neighbour-{number}\"\naddress = \"{address}\"\n\
             asn = {}\n\n",
            asn.0
        );
    }
    if let Some(rtr) = places.rtr {
        text += &format!("[rpki]\nrtr = [{{ name = \"cache\", address = \"{rtr}\" }}]\n");
    }
    text
}
