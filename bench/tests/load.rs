//! The replayer says what it sent: sinks on loopback count the same, over all three protocols.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use routewarden_bench::load::{
    BgpPlan, BmpPlan, Fault, Feeder, Plan, Protocol, Recording, RisPlan, Sent,
};
use routewarden_core::{AsPathBuf, Asn, Prefix, Timestamp};
use routewarden_wire::capability::{RawCapability, code};
use routewarden_wire::encode::{self, AttributeWriter, Bgp4mpKind, OpenParts, keepalive};
use routewarden_wire::update::message_type;
use routewarden_wire::{
    AsnWidth, BGP_MESSAGE_OCTETS_MAX, FamilySet, Nlri, RawBgpMessage, RawBmpMessage, RouteOrigin,
    Safi, SessionEnds, Update, UpdateForm, bmp, mrt,
};
use serde_json::Value;
use tokio_tungstenite::tungstenite::{Message, client};

const PEERS: u8 = 3;
const ROUTERS: u8 = 2;
const FORM: UpdateForm = UpdateForm {
    asn_width: AsnWidth::Four,
    path_ids: FamilySet::NONE,
    may_guess: false,
    may_lack_next_hop: false,
};

/// Updates, announced and withdrawn prefixes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    updates: u64,
    announced: u64,
    withdrawn: u64,
}

impl Count {
    fn of(sent: Sent) -> Self {
        let Sent { updates, announced, withdrawn, .. } = sent;
        Count { updates, announced, withdrawn }
    }

    fn add(&mut self, body: &[u8]) {
        let update = Update::decode(body, FORM).unwrap();
        if update.end_of_rib().is_none() {
            self.updates += 1;
            self.announced += update.announced().count() as u64;
            self.withdrawn += update.withdrawn().count() as u64;
        }
    }

    fn and(self, other: Count) -> Self {
        Count {
            updates: self.updates + other.updates,
            announced: self.announced + other.announced,
            withdrawn: self.withdrawn + other.withdrawn,
        }
    }
}

/// A made-up recording: each peer announces two prefixes and withdraws one of them.
fn record(folder: &Path) -> Recording {
    let folder = folder.join("rrc99-made-up");
    std::fs::create_dir(&folder).unwrap();
    let nlri = |text: &str| {
        let prefix: Prefix = text.parse().unwrap();
        Nlri { prefix, path_id: None, safi: Safi::Unicast }
    };
    let mut octets = Vec::new();
    for peer in 1..=PEERS {
        let asn = Asn(64_496 + u32::from(peer));
        let mut attributes = AttributeWriter::new(AsnWidth::Four);
        let path = AsPathBuf::sequence([asn, Asn(65_550)]);
        attributes.origin(RouteOrigin::Igp).as_path(path.as_path()).unwrap();
        attributes.next_hop(Ipv4Addr::new(192, 0, 2, peer));
        let both = [nlri("198.51.100.0/25"), nlri("198.51.100.128/25")];
        let ends = SessionEnds {
            peer_asn: asn,
            local_asn: Asn(64_511),
            interface: 0,
            peer_addr: Ipv4Addr::new(192, 0, 2, peer).into(),
            local_addr: Ipv4Addr::new(192, 0, 2, 254).into(),
        };
        for body in [
            encode::update(&[], attributes.octets(), &both).unwrap(),
            encode::update(&both[..1], &[], &[]).unwrap(),
        ] {
            let message = encode::message(message_type::UPDATE, &body).unwrap();
            let kind =
                Bgp4mpKind { asn_width: AsnWidth::Four, is_local: false, has_path_ids: false };
            let (subtype, body) = encode::bgp4mp_message(kind, &ends, &message).unwrap();
            let time = Timestamp::from_secs(1_600_000_000);
            encode::push_record(time, (mrt::BGP4MP, subtype), &body, &mut octets).unwrap();
        }
    }
    let file = folder.join("updates.mrt");
    std::fs::write(&file, octets).unwrap();
    Recording::read(&[file], usize::MAX).unwrap()
}

fn read_all(mut socket: TcpStream) -> Vec<u8> {
    let mut octets = Vec::new();
    // A session that the replayer breaks off may end with a reset.
    socket.read_to_end(&mut octets).ok();
    octets
}

/// A BMP station for so many sessions: what is in their whole messages.
fn bmp_station(listener: TcpListener, sessions: u8) -> JoinHandle<Count> {
    thread::spawn(move || {
        let threads: Vec<_> = (0..sessions)
            .map(|_| listener.accept().unwrap().0)
            .map(|socket| thread::spawn(move || count_bmp(&read_all(socket))))
            .collect();
        threads.into_iter().fold(Count::default(), |sum, one| sum.and(one.join().unwrap()))
    })
}

fn count_bmp(octets: &[u8]) -> Count {
    let mut count = Count::default();
    let mut types = Vec::new();
    let mut at = 0;
    while let Ok(Some(message)) = RawBmpMessage::next(&octets[at..], at as u64) {
        types.push(message.message_type);
        at += message.octets();
        if message.message_type == bmp::message_type::ROUTE_MONITORING {
            // Per-peer header and header of the UPDATE.
            count.add(&message.body[42 + 19..]);
        }
    }
    assert_eq!(types[..2], [bmp::message_type::INITIATION, bmp::message_type::PEER_UP]);
    count
}

/// A passive BGP speaker for one session.
fn bgp_speaker(listener: TcpListener) -> JoinHandle<Count> {
    thread::spawn(move || {
        let (mut socket, from) = listener.accept().unwrap();
        assert_eq!(from.ip(), Ipv4Addr::new(127, 0, 3, 1));
        let asn = 64_511_u32.to_be_bytes();
        let capability = RawCapability { code: code::FOUR_OCTET_ASN, value: &asn };
        let parts = OpenParts {
            asn: Asn(64_511),
            hold_time: 90,
            bgp_id: Ipv4Addr::LOCALHOST,
            capabilities: &[capability],
        };
        socket.write_all(&encode::open(&parts).unwrap()).unwrap();
        socket.write_all(&keepalive()).unwrap();
        let octets = read_all(socket);
        let (mut count, mut at, mut first) = (Count::default(), 0, None);
        while let Ok(Some(message)) =
            RawBgpMessage::next(&octets[at..], at as u64, BGP_MESSAGE_OCTETS_MAX)
        {
            at += message.octets();
            first.get_or_insert(message.message_type);
            if message.message_type == message_type::UPDATE {
                count.add(message.body);
            }
        }
        assert_eq!(first, Some(message_type::OPEN));
        count
    })
}

/// A RIS Live client; it counts the raw octets and checks that the fields say the same.
fn ris_client(addr: SocketAddr) -> JoinHandle<Count> {
    thread::spawn(move || {
        let (mut socket, _) =
            client(format!("ws://{addr}/"), TcpStream::connect(addr).unwrap()).unwrap();
        let subscribe = r#"{"type":"ris_subscribe","data":{"socketOptions":{"acknowledge":true}}}"#;
        socket.send(Message::text(subscribe)).unwrap();
        let (mut count, mut is_acknowledged) = (Count::default(), false);
        while let Ok(message) = socket.read() {
            let Message::Text(text) = message else { continue };
            let message: Value = serde_json::from_str(&text).unwrap();
            if message["type"] == "ris_subscribe_ok" {
                is_acknowledged = true;
                continue;
            }
            let data = &message["data"];
            assert_eq!(data["host"], "rrc99.ripe.net");
            let raw = data["raw"].as_str().unwrap();
            let octets: Vec<u8> = (0..raw.len() / 2)
                .map(|index| raw.get(index * 2..index * 2 + 2).unwrap())
                .map(|digits| u8::from_str_radix(digits, 16).unwrap())
                .collect();
            let before = count;
            count.add(&octets[19..]);
            let withdrawals = data["withdrawals"].as_array().unwrap().len() as u64;
            assert_eq!(count.withdrawn - before.withdrawn, withdrawals);
        }
        assert!(is_acknowledged);
        count
    })
}

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    (listener, addr)
}

#[test]
fn what_is_counted_as_sent_arrives() {
    let folder = tempfile::tempdir().unwrap();
    let recording = Arc::new(record(folder.path()));
    assert_eq!((recording.len(), recording.peers().len()), (6, usize::from(PEERS)));
    let (bmp_listener, bmp) = listener();
    let (bgp_listener, bgp) = listener();
    let (ris_listener, ris) = listener();
    let rate = 2_000.0;
    let plan = Plan {
        ris: Some(RisPlan { listener: ris_listener, rate }),
        bmp: Some(BmpPlan { to: bmp, routers: ROUTERS, rate }),
        bgp: Some(BgpPlan { to: bgp, neighbours: 1, rate }),
        duration: Duration::from_millis(700),
        burst: Duration::from_secs(1),
        marker_every: 300,
        markers_from: Duration::ZERO,
        faults: vec!["bmp:flap@0".parse::<Fault>().unwrap()],
    };
    let sinks = [
        (Protocol::RisLive, ris_client(ris)),
        (Protocol::Bmp, bmp_station(bmp_listener, ROUTERS)),
        (Protocol::Bgp, bgp_speaker(bgp_listener)),
    ];
    let feeder = Feeder::start(recording, plan).unwrap();
    feeder.wait();
    let sent = feeder.sent();
    let markers = feeder.markers();
    feeder.stop();
    for (protocol, sink) in sinks {
        let (sent, heard) = (sent[&protocol], sink.join().unwrap());
        assert_eq!(Count::of(sent), heard, "{protocol:?}");
        assert!(sent.updates > 0 && sent.lost_sessions == 0, "{sent:?}");
        assert!(markers.iter().any(|marker| marker.protocol == protocol), "{markers:?}");
    }
}

/// A peer that is closed on comes back with its table.
#[test]
fn a_session_begins_with_the_table_of_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let recording = Arc::new(record(folder.path()));
    let (bmp_listener, bmp) = listener();
    let plan = Plan {
        ris: None,
        bmp: Some(BmpPlan { to: bmp, routers: 1, rate: 500.0 }),
        bgp: None,
        duration: Duration::from_millis(1_500),
        burst: Duration::from_secs(1),
        marker_every: 0,
        markers_from: Duration::ZERO,
        faults: vec!["bmp:close@1".parse().unwrap()],
    };
    let sink = bmp_station(bmp_listener, 2);
    let feeder = Feeder::start(recording, plan).unwrap();
    feeder.wait();
    let sent = feeder.sent()[&Protocol::Bmp];
    feeder.stop();
    assert_eq!(Count::of(sent), sink.join().unwrap());
    assert_eq!((sent.sessions, sent.lost_sessions, sent.faults), (2, 1, 1));
    // What stands: for each peer one prefix, or for one of them both.
    assert!((3..=4).contains(&sent.of_tables), "{sent:?}");
}
