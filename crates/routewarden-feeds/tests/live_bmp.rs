//! A BMP station and routers that behave, and such as do not.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking and tells on the console what it skipped"
)]

mod common;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use common::sessions::{PATIENCE, Surroundings, connect, now, until_closed};
use routewarden_core::{AddressFamily, AsPathBuf, Asn, Timestamp};
use routewarden_feeds::live::bmp::{BmpConfig, BmpStation};
use routewarden_feeds::live::{SourceKind, SourceState};
use routewarden_wire::bmp::{PeerHeader, PeerType, RouteDistinguisher, Tlv};
use routewarden_wire::encode::{self, AttributeWriter, OpenParts, PeerUpParts};
use routewarden_wire::{AddPathMode, AsnWidth, Nlri, RawCapability, RouteOrigin, Safi};
use tokio::io::AsyncWriteExt;
use tokio::task::JoinHandle;
use tokio::time::timeout;

struct Station {
    around: Surroundings,
    addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Station {
    fn start(more: &str) -> Self {
        Self::start_at(now(), more)
    }

    fn start_at(now: Timestamp, more: &str) -> Self {
        let text = format!("listen = [\"127.0.0.1:0\"]\nallow = [\"127.0.0.0/29\"]\n{more}");
        let config: BmpConfig = toml::from_str(&text).unwrap();
        let around = Surroundings::new(SourceKind::Bmp, now, 64);
        let station = BmpStation::bind(config).unwrap();
        let addr = station.local_addrs()[0];
        let task = tokio::spawn(station.run(around.context.clone()));
        Station { around, addr, task }
    }

    /// Stops it; gives the events that were left.
    async fn stop(mut self) -> Vec<String> {
        self.around.context.cancel.cancel();
        timeout(PATIENCE, self.task).await.unwrap().unwrap();
        assert_eq!(self.around.status().state, SourceState::Stopped);
        assert_eq!(self.around.status().sessions, 0);
        self.around.rest()
    }
}

fn peer(last: u8) -> PeerHeader {
    PeerHeader {
        peer_type: PeerType::Global,
        flags: 0,
        distinguisher: RouteDistinguisher(0),
        addr: Ipv4Addr::new(192, 0, 2, last).into(),
        asn: Asn(64496),
        bgp_id: Ipv4Addr::new(192, 0, 2, last),
        time: Some(now()),
    }
}

fn open(asn: u32, add_path: Option<AddPathMode>) -> Vec<u8> {
    let value = add_path.map(|mode| encode::add_path((1, 1), mode));
    let wide = asn.to_be_bytes();
    let mut capabilities = vec![encode::four_octet_asn(&wide)];
    capabilities.extend(value.iter().map(|value| RawCapability { code: 69, value }));
    let bgp_id = Ipv4Addr::new(192, 0, 2, 1);
    let parts = OpenParts { asn: Asn(asn), hold_time: 90, bgp_id, capabilities: &capabilities };
    encode::open(&parts).unwrap()
}

fn up_at_port(peer: &PeerHeader, port: u16) -> Vec<u8> {
    let local_addr: IpAddr = match peer.addr {
        IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 254).into(),
        IpAddr::V6(_) => "2001:db8::fe".parse().unwrap(),
    };
    let opens = [
        &open(64500, Some(AddPathMode::Receive))[..],
        &open(peer.asn.0, Some(AddPathMode::Send))[..],
    ];
    let parts = PeerUpParts { peer: *peer, local_addr, ports: [179, port], opens, tlvs: &[] };
    encode::bmp_peer_up(&parts).unwrap()
}

fn up(peer: &PeerHeader) -> Vec<u8> {
    up_at_port(peer, 40_000)
}

fn nlri(prefix: &str, path_id: Option<u32>) -> Nlri {
    Nlri { prefix: prefix.parse().unwrap(), path_id, safi: Safi::Unicast }
}

fn update(prefix: &str, path_id: Option<u32>) -> Vec<u8> {
    let path = AsPathBuf::sequence([Asn(64496), Asn(64499)]);
    let mut attributes = AttributeWriter::new(AsnWidth::Four);
    attributes.origin(RouteOrigin::Igp).as_path(path.as_path()).unwrap();
    attributes.next_hop(Ipv4Addr::new(192, 0, 2, 1));
    let body = encode::update(&[], attributes.octets(), &[nlri(prefix, path_id)]).unwrap();
    encode::message(2, &body).unwrap()
}

/// A route of a peer that sends path identifiers.
fn route(peer: &PeerHeader, prefix: &str) -> Vec<u8> {
    encode::bmp_route_monitoring(peer, &update(prefix, Some(7))).unwrap()
}

fn end_of_rib(peer: &PeerHeader, family: AddressFamily) -> Vec<u8> {
    let mut attributes = AttributeWriter::new(AsnWidth::Four);
    if family == AddressFamily::Ipv6 {
        attributes.mp_unreach((family, Safi::Unicast), &[]).unwrap();
    }
    let body = encode::update(&[], attributes.octets(), &[]).unwrap();
    encode::bmp_route_monitoring(peer, &encode::message(2, &body).unwrap()).unwrap()
}

fn withdrawal(peer: &PeerHeader, prefix: &str) -> Vec<u8> {
    let body = encode::update(&[nlri(prefix, Some(7))], &[], &[]).unwrap();
    encode::bmp_route_monitoring(peer, &encode::message(2, &body).unwrap()).unwrap()
}

#[tokio::test]
async fn a_router_tells_of_a_peer_from_up_to_down() {
    let text = "[[routers]]\naddress = \"127.0.0.1\"\nname = \"r1\"\n";
    let mut station = Station::start(text);
    let mut router = connect("127.0.0.1", station.addr).await;
    let peer = PeerHeader { time: Some(now().plus_secs(-5)), ..peer(1) };
    let octets = [
        encode::bmp_initiation(&[Tlv { tlv_type: 2, value: b"r" }]).unwrap(),
        up(&peer),
        route(&peer, "198.51.100.0/24"),
        end_of_rib(&peer, AddressFamily::Ipv4),
        end_of_rib(&peer, AddressFamily::Ipv6),
        withdrawal(&peer, "198.51.100.0/24"),
        encode::bmp_peer_down(&peer, 4, &[]).unwrap(),
    ]
    .concat();
    // As it may come: octet by octet.
    for octet in &octets {
        router.write_all(&[*octet]).await.unwrap();
    }
    let expected = [
        "-5 r1 64496 192.0.2.1 PeerUp",
        "-5 r1 64496 192.0.2.1 A 198.51.100.0/24 64496 64499",
        "-5 r1 64496 192.0.2.1 EndOfRib { family: Ipv4 }",
        "-5 r1 64496 192.0.2.1 EndOfRib { family: Ipv6 }",
        "-5 r1 64496 192.0.2.1 W 198.51.100.0/24",
        "-5 r1 64496 192.0.2.1 PeerDown",
    ];
    assert_eq!(station.around.lines(6).await, expected);
    let status = station.around.status();
    assert_eq!((status.messages, status.octets), (7, octets.len() as u64));
    assert_eq!((status.sessions, status.connects, status.state), (1, 1, SourceState::Up));
    assert_eq!(status.faults.len(), 0, "{:?}", status.faults);
    drop(router);
    station.around.until("waiting", |status| status.state == SourceState::Waiting).await;
    assert_eq!(station.stop().await, Vec::<String>::new());
}

#[tokio::test]
async fn all_peers_of_a_lost_router_go_down() {
    let mut station = Station::start("");
    let mut router = connect("127.0.0.2", station.addr).await;
    let vrf = PeerHeader {
        peer_type: PeerType::RouteDistinguisher,
        distinguisher: RouteDistinguisher(0x0000_fbf4_0000_0001),
        ..peer(1)
    };
    let v6 = PeerHeader { addr: "2001:db8::1".parse().unwrap(), flags: 0x80, ..peer(1) };
    for peer in [peer(1), vrf, v6] {
        router.write_all(&up(&peer)).await.unwrap();
        router.write_all(&route(&peer, "198.51.100.0/24")).await.unwrap();
    }
    // A peer that sent nothing was never up.
    router.write_all(&up(&peer(9))).await.unwrap();
    let ups = station.around.lines(6).await;
    assert_eq!(ups[0], "bmp-127.0.0.2 64496 192.0.2.1 PeerUp");
    assert_eq!(ups[2], "bmp-127.0.0.2/vrf-64500:1 64496 192.0.2.1 PeerUp");
    drop(router);
    let expected = [
        "bmp-127.0.0.2 64496 192.0.2.1 PeerDown",
        "bmp-127.0.0.2 64496 2001:db8::1 PeerDown",
        "bmp-127.0.0.2/vrf-64500:1 64496 192.0.2.1 PeerDown",
    ];
    assert_eq!(station.around.lines(3).await, expected);
    assert_eq!(station.stop().await, Vec::<String>::new());
}

#[tokio::test]
async fn cancelling_ends_the_sessions_and_tells_of_their_peers() {
    let mut station = Station::start("");
    let mut router = connect("127.0.0.1", station.addr).await;
    router.write_all(&[up(&peer(1)), route(&peer(1), "192.0.2.0/24")].concat()).await.unwrap();
    station.around.lines(2).await;
    assert_eq!(station.stop().await, ["bmp-127.0.0.1 64496 192.0.2.1 PeerDown"]);
}

fn with_flags(flags: u8) -> PeerHeader {
    PeerHeader { flags, ..peer(1) }
}

#[tokio::test]
async fn after_the_policy_is_used_only_until_there_is_something_before_it() {
    let mut station = Station::start("");
    let mut router = connect("127.0.0.1", station.addr).await;
    let (pre, post, out) = (with_flags(0), with_flags(0x40), with_flags(0x10));
    let loc = PeerHeader {
        peer_type: PeerType::LocRib,
        addr: Ipv4Addr::UNSPECIFIED.into(),
        ..with_flags(0)
    };
    let octets = [
        up(&pre),
        route(&post, "198.51.100.0/24"),
        route(&out, "198.51.100.0/24"),
        route(&loc, "198.51.100.0/24"),
        route(&pre, "203.0.113.0/24"),
        route(&post, "203.0.113.0/24"),
        // The same session, told of once more for the other view.
        up(&post),
        route(&pre, "192.0.2.0/24"),
    ];
    router.write_all(&octets.concat()).await.unwrap();
    let expected = [
        "bmp-127.0.0.1/post 64496 192.0.2.1 PeerUp",
        "bmp-127.0.0.1/post 64496 192.0.2.1 A 198.51.100.0/24 64496 64499",
        "bmp-127.0.0.1/post 64496 192.0.2.1 PeerDown",
        "bmp-127.0.0.1 64496 192.0.2.1 PeerUp",
        "bmp-127.0.0.1 64496 192.0.2.1 A 203.0.113.0/24 64496 64499",
        "bmp-127.0.0.1 64496 192.0.2.1 A 192.0.2.0/24 64496 64499",
    ];
    assert_eq!(station.around.lines(6).await, expected);
    let faults = station.around.status().faults;
    for kind in [
        "bmp_not_used_adj_rib_in_post",
        "bmp_not_used_adj_rib_out_pre",
        "bmp_not_used_loc_rib",
        "bmp_peer_up_again",
    ] {
        assert_eq!(faults.get(kind), Some(&1), "{kind}");
    }
    station.stop().await;
}

#[tokio::test]
async fn withdrawals_before_the_policy_do_not_end_the_routes_after_it() {
    let mut station = Station::start("");
    let mut router = connect("127.0.0.1", station.addr).await;
    let (pre, post) = (with_flags(0), with_flags(0x40));
    let octets = [
        up(&pre),
        // As FRR does when it keeps no routes before its policy.
        end_of_rib(&post, AddressFamily::Ipv4),
        route(&post, "198.51.100.0/24"),
        withdrawal(&pre, "198.51.100.0/24"),
        route(&post, "203.0.113.0/24"),
        end_of_rib(&pre, AddressFamily::Ipv4),
        withdrawal(&post, "203.0.113.0/24"),
    ];
    router.write_all(&octets.concat()).await.unwrap();
    let expected = [
        "bmp-127.0.0.1/post 64496 192.0.2.1 PeerUp",
        "bmp-127.0.0.1/post 64496 192.0.2.1 A 198.51.100.0/24 64496 64499",
        "bmp-127.0.0.1/post 64496 192.0.2.1 A 203.0.113.0/24 64496 64499",
        "bmp-127.0.0.1 64496 192.0.2.1 PeerUp",
        "bmp-127.0.0.1 64496 192.0.2.1 EndOfRib { family: Ipv4 }",
        "bmp-127.0.0.1/post 64496 192.0.2.1 W 203.0.113.0/24",
    ];
    assert_eq!(station.around.lines(6).await, expected);
    assert_eq!(station.around.status().faults["bmp_nothing_to_begin_with"], 2);
    station.stop().await;
}

#[tokio::test]
async fn views_that_are_configured_have_collectors_of_their_own() {
    let text = "views = { adj_rib_in = \"post\", adj_rib_out = \"post\", loc_rib = true }";
    let mut station = Station::start(text);
    let mut router = connect("127.0.0.1", station.addr).await;
    let loc = PeerHeader {
        peer_type: PeerType::LocRib,
        addr: Ipv4Addr::UNSPECIFIED.into(),
        ..with_flags(0)
    };
    let local = PeerHeader {
        peer_type: PeerType::Local,
        distinguisher: RouteDistinguisher(0x1f),
        ..with_flags(0x40)
    };
    let views = [with_flags(0), with_flags(0x40), with_flags(0x10), with_flags(0x50), loc, local];
    for view in views {
        router.write_all(&route(&view, "198.51.100.0/24")).await.unwrap();
    }
    let lines = station.around.lines(8).await;
    let collectors: Vec<&str> =
        lines.iter().step_by(2).map(|line| line.split(' ').next().unwrap()).collect();
    let expected =
        ["/post", "/out", "/loc", "/local-1f/post"].map(|view| format!("bmp-127.0.0.1{view}"));
    assert_eq!(collectors, expected);
    let faults = station.around.status().faults;
    assert_eq!(faults["bmp_not_used_adj_rib_in_pre"], 1);
    assert_eq!(faults["bmp_routes_without_peer_up"], 6);
    // Of no Peer Up nothing is known of path identifiers: they are guessed.
    assert_eq!(faults["add_path_guessed"], 4);
    station.stop().await;
}

#[tokio::test]
async fn a_peer_that_comes_up_anew_was_down() {
    let mut station = Station::start("");
    let mut router = connect("127.0.0.1", station.addr).await;
    let octets = [
        up(&peer(1)),
        route(&peer(1), "198.51.100.0/24"),
        up_at_port(&peer(1), 40_001),
        route(&peer(1), "198.51.100.0/24"),
    ];
    router.write_all(&octets.concat()).await.unwrap();
    let lines = station.around.lines(5).await;
    let what: Vec<&str> = lines.iter().map(|line| line.split(' ').nth(3).unwrap()).collect();
    assert_eq!(what, ["PeerUp", "A", "PeerDown", "PeerUp", "A"]);
    assert_eq!(station.around.status().faults["bmp_peer_up_without_down"], 1);
    station.stop().await;
}

#[tokio::test]
async fn a_malformed_message_is_counted_and_nothing_else_is_lost() {
    let mut station = Station::start("");
    let mut router = connect("127.0.0.1", station.addr).await;
    let octets = [
        encode::bmp_message(3, &[0; 50]).unwrap(),
        encode::bmp_message(99, &[]).unwrap(),
        encode::bmp_route_monitoring(&peer(1), &encode::keepalive()).unwrap(),
        encode::bmp_peer_down(&peer(2), 4, &[]).unwrap(),
        route(&PeerHeader { addr: Ipv4Addr::UNSPECIFIED.into(), ..peer(1) }, "192.0.2.0/24"),
        route(&PeerHeader { peer_type: PeerType::Unknown(9), ..peer(1) }, "192.0.2.0/24"),
        route(&PeerHeader { time: Some(now().plus_secs(-86_400)), ..peer(1) }, "192.0.2.0/24"),
        route(&PeerHeader { time: None, ..peer(1) }, "192.0.2.0/24"),
    ];
    router.write_all(&octets.concat()).await.unwrap();
    let lines = station.around.lines(3).await;
    assert!(lines[2].starts_with("bmp-127.0.0.1 64496 192.0.2.1 A 192.0.2.0/24"), "{lines:?}");
    station.around.until_fault("bmp_time_missing").await;
    let faults = station.around.status().faults;
    for kind in [
        "malformed_bmp_peer_up",
        "bmp_unknown_type",
        "malformed_bmp_route_monitoring",
        "bmp_peer_down_without_up",
        "bmp_peer_without_address",
        "bmp_unknown_peer_type",
        "bmp_time_behind",
    ] {
        assert_eq!(faults.get(kind), Some(&1), "{kind} {faults:?}");
    }
    let (_, words) = station.around.status().last_fault.unwrap();
    assert!(words.contains("bmp-127.0.0.1: record at offset 0 is malformed"), "{words}");
    station.stop().await;
}

#[tokio::test]
async fn what_is_no_bmp_ends_the_session() {
    let station = Station::start("");
    for (octets, kind) in [
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "bmp_version"),
        (vec![3, 0xff, 0xff, 0xff, 0xff, 0], "bmp_message_length"),
    ] {
        let mut router = connect("127.0.0.1", station.addr).await;
        router.write_all(&octets).await.unwrap();
        until_closed(&mut router).await;
        station.around.until_fault(kind).await;
    }
    let mut router = connect("127.0.0.1", station.addr).await;
    router.write_all(&up(&peer(1))[..50]).await.unwrap();
    drop(router);
    station.around.until_fault("bmp_cut").await;
    assert_eq!(station.around.status().connects, 0);
    station.stop().await;
}

#[tokio::test]
async fn a_router_that_dribbles_is_dropped() {
    let station = Station::start("first_message_secs = 1\nmessage_secs = 1");
    let mut silent = connect("127.0.0.1", station.addr).await;
    let mut begun = connect("127.0.0.2", station.addr).await;
    let octets = [encode::bmp_initiation(&[]).unwrap(), vec![3, 0, 0]].concat();
    begun.write_all(&octets).await.unwrap();
    until_closed(&mut silent).await;
    until_closed(&mut begun).await;
    station.around.until("both", |status| status.faults.get("bmp_slow") == Some(&2)).await;
    station.stop().await;
}

#[tokio::test]
async fn strangers_and_too_many_are_refused() {
    let mut station = Station::start("routers_max = 1\npeers_max = 1");
    let mut stranger = connect("127.0.0.9", station.addr).await;
    assert_eq!(until_closed(&mut stranger).await, b"");
    station.around.until_fault("bmp_not_allowed").await;
    let mut router = connect("127.0.0.1", station.addr).await;
    let octets = [
        up(&peer(1)),
        up(&peer(2)),
        route(&peer(2), "198.51.100.0/24"),
        route(&peer(1), "198.51.100.0/24"),
    ];
    router.write_all(&octets.concat()).await.unwrap();
    let lines = station.around.lines(2).await;
    assert_eq!(lines[0], "bmp-127.0.0.1 64496 192.0.2.1 PeerUp");
    station.around.until("two", |s| s.faults.get("bmp_too_many_peers") == Some(&2)).await;
    let mut second = connect("127.0.0.2", station.addr).await;
    until_closed(&mut second).await;
    station.around.until_fault("bmp_too_many_routers").await;
    station.stop().await;
}

#[tokio::test]
async fn a_router_that_connects_anew_has_lost_its_session() {
    let mut station = Station::start("");
    let mut old = connect("127.0.0.1", station.addr).await;
    old.write_all(&[up(&peer(1)), route(&peer(1), "198.51.100.0/24")].concat()).await.unwrap();
    station.around.lines(2).await;
    let mut new = connect("127.0.0.1", station.addr).await;
    new.write_all(&[up(&peer(1)), route(&peer(1), "203.0.113.0/24")].concat()).await.unwrap();
    let expected = [
        "bmp-127.0.0.1 64496 192.0.2.1 PeerDown",
        "bmp-127.0.0.1 64496 192.0.2.1 PeerUp",
        "bmp-127.0.0.1 64496 192.0.2.1 A 203.0.113.0/24 64496 64499",
    ];
    assert_eq!(station.around.lines(3).await, expected);
    until_closed(&mut old).await;
    let status = station.around.status();
    assert_eq!((status.sessions, status.faults["bmp_session_replaced"]), (1, 1));
    station.stop().await;
}

/// Routes that no queue can hold.
const ROUTES: usize = 300_000;

#[tokio::test]
async fn a_full_queue_slows_the_router_and_loses_nothing() {
    let mut station = Station::start("");
    let mut router = connect("127.0.0.1", station.addr).await;
    let one = route(&peer(1), "198.51.100.0/24");
    let sender = tokio::spawn(async move {
        router.write_all(&up(&peer(1))).await.unwrap();
        let many = one.repeat(1000);
        for _ in 0..ROUTES / 1000 {
            router.write_all(&many).await.unwrap();
        }
        router
    });
    // Nothing is taken until the queue is full.
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while station.around.queue.waiting() < 64 && !sender.is_finished() {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::task::yield_now().await;
    }
    let lines = station.around.lines(ROUTES + 1).await;
    assert_eq!(lines.iter().filter(|line| line.contains(" A ")).count(), ROUTES);
    drop(sender.await.unwrap());
    station.stop().await;
}

/// FRR of the laboratory sends every route before and after its policy, and no End-of-RIB; GoBGP
/// sends them before it only.
#[tokio::test]
async fn recordings_of_real_routers() {
    let Some(data) = common::data("lab/recordings/plain/col") else { return };
    for (file, announced, withdrawn, downs, not_used) in
        // Of each of four peers the first route after the policy came before the one before it, and
        // withdrawals before any route.
        [("bmp.0", 28, 11, 8, 31), ("bmp.1", 34, 5, 3, 0)]
    {
        let recorded: Timestamp = Timestamp::from_secs(1_795_432_640);
        let station = Station::start_at(recorded, "");
        let mut router = connect("127.0.0.1", station.addr).await;
        router.write_all(&std::fs::read(data.join(file)).unwrap()).await.unwrap();
        drop(router);
        station.around.until("heard", |s| s.connects == 1 && s.sessions == 0).await;
        let status = station.around.status();
        let elements = &status.elements;
        assert_eq!(
            (elements.announcements, elements.withdrawals),
            (announced, withdrawn),
            "{file}"
        );
        assert_eq!((elements.peer_ups, elements.peer_downs), (downs, downs), "{file}");
        let post = status.faults.get("bmp_not_used_adj_rib_in_post").copied().unwrap_or(0);
        assert_eq!(post, not_used, "{file} {:?}", status.faults);
        station.stop().await;
    }
}
