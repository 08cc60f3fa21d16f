//! Sessions that flap with the whole table of a real collector.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use routewarden_core::{
    AsPathBuf, Asn, Peer, PeerId, PeerTable, Prefix, RouteAttributes, RouteEventKind, Timestamp,
};
use routewarden_detect::IncidentKind;
use routewarden_feeds::sources::Sources;
use routewarden_feeds::{StreamOptions, load_rib};
use routewarden_wire::encode::{self, AttributeWriter, Bgp4mpKind};
use routewarden_wire::update::message_type;
use routewarden_wire::{
    AsnWidth, FsmState, Nlri, RouteOrigin, Safi, SessionEnds, StateChange, mrt,
};

use crate::program::{routewarden, shared_data};

/// Peers that flap: those with most routes.
const PEERS: usize = 4;
/// Prefixes of one UPDATE.
const NLRI_MAX: usize = 200;
const HIJACKER: Asn = Asn(64496);
const NEXT_HOP: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// The prefixes of a peer by their attributes, as canonical octets.
type Table = BTreeMap<Vec<u8>, Vec<Prefix>>;

fn tables(rib: &str) -> (PeerTable, Vec<(PeerId, Table)>) {
    let mut inputs = Sources::default();
    inputs.add(Path::new(rib)).unwrap();
    let (files, _) = inputs.finish();
    let mut peers = PeerTable::default();
    let mut tables: BTreeMap<PeerId, Table> = BTreeMap::new();
    load_rib(files, &StreamOptions::default(), &mut peers, |_, run| {
        for (peer, event) in run.events() {
            if let RouteEventKind::TableEntry { prefix, attributes, .. } = event.kind {
                let octets = run.batch.attributes(attributes).to_vec();
                tables.entry(peer).or_default().entry(octets).or_default().push(prefix);
            }
        }
    })
    .unwrap();
    let size = |table: &Table| table.values().map(Vec::len).sum::<usize>();
    let mut tables: Vec<(PeerId, Table)> = tables.into_iter().collect();
    tables.sort_by_key(|(peer, table)| (std::cmp::Reverse(size(table)), *peer));
    tables.truncate(PEERS);
    (peers, tables)
}

/// Writes what a collector would have recorded.
struct Collector {
    octets: Vec<u8>,
    now: Timestamp,
}

impl Collector {
    fn put(&mut self, subtype: u16, body: &[u8]) {
        let kind = (mrt::BGP4MP, subtype);
        encode::push_record(self.now, kind, body, &mut self.octets).unwrap();
    }

    fn state(&mut self, peer: &Peer, is_up: bool) {
        let (up, down) = (FsmState::ESTABLISHED, FsmState::IDLE);
        let (old, new) = if is_up { (down, up) } else { (up, down) };
        let change = StateChange { ends: ends(peer), old, new };
        let (subtype, body) = encode::state_change(AsnWidth::Four, &change).unwrap();
        self.put(subtype, &body);
    }

    /// The whole table, without End-of-RIB: in 2008 few sent one.
    fn table(&mut self, peer: &Peer, table: &Table) {
        for (octets, prefixes) in table {
            let attributes = RouteAttributes::decode(octets).unwrap();
            let mut writer = AttributeWriter::new(AsnWidth::Four);
            writer.origin(RouteOrigin::Igp).as_path(attributes.as_path).unwrap();
            writer.next_hop(NEXT_HOP);
            for part in prefixes.chunks(NLRI_MAX) {
                let nlri: Vec<Nlri> = part.iter().map(|&prefix| nlri(prefix)).collect();
                let body = encode::update(&[], writer.octets(), &nlri).unwrap();
                let update = encode::message(message_type::UPDATE, &body).unwrap();
                let kind =
                    Bgp4mpKind { asn_width: AsnWidth::Four, is_local: false, has_path_ids: false };
                let (subtype, body) = encode::bgp4mp_message(kind, &ends(peer), &update).unwrap();
                self.put(subtype, &body);
            }
        }
    }
}

fn nlri(prefix: Prefix) -> Nlri {
    Nlri { prefix, path_id: None, safi: Safi::Unicast }
}

fn ends(peer: &Peer) -> SessionEnds {
    SessionEnds {
        peer_asn: peer.asn,
        local_asn: Asn(6447),
        interface: 0,
        peer_addr: peer.addr,
        local_addr: IpAddr::V4(NEXT_HOP),
    }
}

/// One peer alone, twice; then the four with most routes at once; nothing is told of, and they are
/// heard again afterwards.
#[test]
fn sessions_that_flap_with_a_full_table_are_no_incident() {
    let Some(rib) = shared_data("mrt/route-views2-20080224.1600.rib.bz2") else { return };
    let (peers, tables) = tables(&rib);
    let sessions: Vec<(&Peer, &Table)> =
        tables.iter().map(|(id, table)| (peers.get(*id).unwrap(), table)).collect();
    let mut collector =
        Collector { octets: Vec::new(), now: "2008-02-24T18:00:00Z".parse().unwrap() };
    for flapping in [&sessions[..1], &sessions[..1], &sessions[..]] {
        for (peer, _) in flapping {
            collector.state(peer, false);
        }
        collector.now = collector.now.plus_secs(40);
        for (peer, table) in flapping {
            collector.state(peer, true);
            collector.table(peer, table);
            collector.now = collector.now.plus_secs(15);
        }
        collector.now = collector.now.plus_secs(900);
    }
    // They are heard again: a hijack at the end is the one thing that is told of.
    let victim = *sessions[0].1.values().flatten().find(|prefix| prefix.len() == 20).unwrap();
    let target: Prefix = format!("{}/24", victim.addr()).parse().unwrap();
    for (peer, _) in &sessions {
        let path = AsPathBuf::sequence([peer.asn, HIJACKER]);
        let mut octets = Vec::new();
        assert!(RouteAttributes::from_path(path.as_path()).encode(&mut octets));
        collector.table(peer, &Table::from([(octets, vec![target])]));
    }
    let folder = tempfile::tempdir().unwrap();
    // The name says that the collector is that of the table.
    let updates = folder.path().join("route-views2");
    std::fs::create_dir(&updates).unwrap();
    let updates = updates.join("updates.20080224.1800.mrt");
    std::fs::write(&updates, &collector.octets).unwrap();
    let ran = routewarden([
        "detect",
        "--format",
        "jsonl",
        "--no-bogons",
        "--rib",
        &rib,
        updates.to_str().unwrap(),
    ])
    .expect(0);
    let told = ran.incidents();
    let told: Vec<_> = told.iter().map(|i| (i.kind, &*i.prefixes, &*i.culprits)).collect();
    assert_eq!(told, [(IncidentKind::SubPrefixHijack, &[target][..], &[HIJACKER][..])]);
}
