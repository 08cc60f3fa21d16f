//! The looking glass of a running service that started from a small table.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use routewarden_core::{AsPathBuf, Asn, Prefix, Timestamp};
use routewarden_wire::encode::{self, AttributeWriter, RibEntryParts};
use routewarden_wire::{AsnWidth, PeerEntry, PeerIndex, RouteOrigin, Safi, mrt};
use serde_json::{Value, json};

use crate::serve::{Service, free, wait};

/// 2026-11-28T12:00:00Z.
const TABLE: Timestamp = Timestamp::from_secs(1_795_867_200);
const VRPS: &str = r#"{"roas": [{"prefix": "203.0.113.0/24", "maxLength": 24, "asn": "AS64502",
    "ta": "lab"}]}"#;
/// Prefixes with the rest of their path behind each peer.
const ROUTES: [(&str, &[u32]); 4] = [
    ("203.0.113.0/24", &[64511, 64502]),
    ("203.0.113.128/25", &[64511, 64503]),
    ("198.51.100.0/24", &[64511, 64502]),
    ("2001:db8::/32", &[64502]),
];

fn peer(number: u16) -> PeerEntry {
    let addr = Ipv4Addr::new(192, 0, 2, u8::try_from(number).unwrap() + 1);
    PeerEntry { bgp_id: addr, addr: addr.into(), asn: Asn(64_496 + u32::from(number)) }
}

/// A table of three peers that each have all routes, told one minute apart.
fn table() -> Vec<u8> {
    let peers: Vec<PeerEntry> = (0..3).map(peer).collect();
    let index = PeerIndex {
        collector_id: Ipv4Addr::new(192, 0, 2, 254),
        view_name: String::new(),
        peers: peers.clone(),
    };
    let mut out = Vec::new();
    let kind = (mrt::TABLE_DUMP_V2, mrt::table_dump_v2::PEER_INDEX_TABLE);
    encode::push_record(TABLE, kind, &encode::peer_index_table(&index).unwrap(), &mut out).unwrap();
    for (number, (prefix, tail)) in (0..).zip(ROUTES) {
        let prefix: Prefix = prefix.parse().unwrap();
        let attributes = |peer: &PeerEntry| {
            let path = std::iter::once(peer.asn).chain(tail.iter().copied().map(Asn));
            let mut writer = AttributeWriter::new(AsnWidth::Four);
            let path = AsPathBuf::sequence(path);
            writer.origin(RouteOrigin::Igp).as_path(path.as_path()).unwrap();
            writer.next_hop(Ipv4Addr::new(192, 0, 2, 1));
            writer.octets().to_vec()
        };
        let sets: Vec<Vec<u8>> = peers.iter().map(attributes).collect();
        let entry = |(peer_index, attributes)| {
            let originated = TABLE.plus_secs(-60 * (i64::from(peer_index) + 1));
            RibEntryParts { peer_index, originated, path_id: None, attributes }
        };
        let entries: Vec<RibEntryParts<'_>> =
            (0..).zip(sets.iter().map(Vec::as_slice)).map(entry).collect();
        let (subtype, body) = encode::rib(number, prefix, Safi::Unicast, &entries).unwrap();
        encode::push_record(TABLE, (mrt::TABLE_DUMP_V2, subtype), &body, &mut out).unwrap();
    }
    out
}

fn configure(folder: &Path, http: SocketAddr) -> PathBuf {
    let tables = folder.join("rrc04");
    std::fs::create_dir(&tables).unwrap();
    std::fs::write(tables.join("bview.20261128.1200"), table()).unwrap();
    let (vrps, config) = (folder.join("vrps.json"), folder.join("routewarden.toml"));
    std::fs::write(&vrps, VRPS).unwrap();
    let text = format!(
        "data_dir = \"{}\"\n[http]\nlisten = \"{http}\"\n[access]\nmode = \"off\"\n[detect]\nbogons = false\n\
         [rpki]\nvrps = \"{}\"\n[[directory]]\npath = \"{}\"\ncollector = \"rrc04\"\n",
        folder.join("data").display(),
        vrps.display(),
        tables.display()
    );
    std::fs::write(&config, text).unwrap();
    config
}

fn ask(http: SocketAddr, path: &str) -> Option<Value> {
    let mut answer = ureq::get(format!("http://{http}/api/v1/table{path}")).call().ok()?;
    Some(serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap())
}

fn of_all(items: &Value, field: &str) -> Vec<Value> {
    items.as_array().unwrap().iter().map(|item| item[field].clone()).collect()
}

#[test]
fn the_table_of_a_running_service_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let http = free();
    let config = configure(folder.path(), http);
    let service = Service::start(&config);
    let prefix = "/prefixes/203.0.113.0/24";
    let look = wait("a look", || ask(http, prefix));
    assert_eq!(look["total_peers"], json!({ "v4": 3, "v6": 3 }));
    assert_eq!((&look["in_baseline"], &look["truncated"]), (&json!(false), &json!(false)));
    let origin = &look["prefixes"][0]["origins"][0];
    assert_eq!((&origin["asn"], &origin["peers"]), (&json!(64502), &json!(3)));
    assert_eq!(origin["rov"], json!({ "state": "valid", "reason": null }));
    assert_eq!(origin["since"], json!(TABLE.plus_secs(-180)));
    let route = json!({
        "collector": "rrc04", "peer_asn": 64497, "peer_addr": "192.0.2.2",
        "path": [64497, 64511, 64502], "path_text": "64497 64511 64502",
        "since": TABLE.plus_secs(-120)
    });
    assert_eq!(look["prefixes"][0]["routes"][1], route);

    let covered = ask(http, &format!("{prefix}?match=covered")).unwrap();
    assert_eq!(of_all(&covered["prefixes"], "prefix"), ["203.0.113.0/24", "203.0.113.128/25"]);
    let culprit = &covered["prefixes"][1]["origins"][0];
    assert_eq!((&culprit["asn"], &culprit["rov"]["reason"]), (&json!(64503), &json!("asn")));
    let covering = ask(http, "/prefixes/203.0.113.255/32?match=covering&limit=1").unwrap();
    assert_eq!(of_all(&covering["prefixes"], "prefix"), ["203.0.113.128/25"]);
    assert_eq!(covering["truncated"], true);

    let look = ask(http, "/asns/64502").unwrap();
    assert_eq!(look["prefix_count"], json!({ "v4": 2, "v6": 1 }));
    assert_eq!(
        of_all(&look["prefixes"], "prefix"),
        ["198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"]
    );
    assert_eq!(of_all(&look["neighbours"], "asn"), [64511, 64496, 64497, 64498].map(Value::from));
    assert_eq!(of_all(&look["neighbours"], "paths"), [3, 1, 1, 1].map(Value::from));
    assert_eq!(service.end(), Some(0));
}
