//! A BGP speaker that only listens, and neighbours that behave, and such as do not.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking and tells on the console what it skipped"
)]

mod common;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use common::sessions::{PATIENCE, Surroundings, connect, now, until_closed};
use routewarden_core::{AddressFamily, AsPathBuf, Asn};
use routewarden_feeds::live::bgp::{BgpConfig, BgpError, BgpSpeaker};
use routewarden_feeds::live::{SourceKind, SourceState};
use routewarden_tcp_md5::sign;
use routewarden_wire::encode::{self, AttributeWriter, OpenParts};
use routewarden_wire::{
    AddPathMode, AsnWidth, BGP_EXTENDED_MESSAGE_OCTETS_MAX, Nlri, Notification, RawBgpMessage,
    RawCapability, RouteOrigin, Safi,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

const ASN: u32 = 65_550;
/// A SYN that is dropped is not answered.
const NO_ANSWER: Duration = Duration::from_millis(500);

struct Speaker {
    around: Surroundings,
    addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Speaker {
    fn start(more: &str, neighbour: &str) -> Self {
        let text = format!(
            "listen = [\"127.0.0.1:0\"]\nlocal_asn = 64500\nrouter_id = \"192.0.2.2\"\n{more}\n\
             [[neighbours]]\naddress = \"127.0.0.1\"\nasn = {ASN}\nname = \"n1\"\n{neighbour}\n"
        );
        let config: BgpConfig = toml::from_str(&text).unwrap();
        let around = Surroundings::new(SourceKind::Bgp, now(), 64);
        let speaker = BgpSpeaker::bind(config).unwrap();
        let addr = speaker.local_addrs()[0];
        let task = tokio::spawn(speaker.run(around.context.clone()));
        Speaker { around, addr, task }
    }

    async fn stop(mut self) -> Vec<String> {
        self.around.context.cancel.cancel();
        timeout(PATIENCE, self.task).await.unwrap().unwrap();
        assert_eq!(self.around.status().state, SourceState::Stopped);
        assert_eq!(self.around.status().sessions, 0);
        self.around.rest()
    }
}

fn open_with(hold_time: u16, more: &[(u8, &[u8])]) -> Vec<u8> {
    let wide = ASN.to_be_bytes();
    let mut capabilities = vec![
        RawCapability { code: 1, value: &[0, 1, 0, 1] },
        RawCapability { code: 1, value: &[0, 2, 0, 1] },
        encode::four_octet_asn(&wide),
    ];
    capabilities.extend(more.iter().map(|&(code, value)| RawCapability { code, value }));
    let bgp_id = Ipv4Addr::new(192, 0, 2, 1);
    let parts = OpenParts { asn: Asn(ASN), hold_time, bgp_id, capabilities: &capabilities };
    encode::open(&parts).unwrap()
}

fn nlri(prefix: &str, path_id: Option<u32>) -> Nlri {
    Nlri { prefix: prefix.parse().unwrap(), path_id, safi: Safi::Unicast }
}

fn attributes() -> AttributeWriter {
    let path = AsPathBuf::sequence([Asn(ASN), Asn(64499)]);
    let mut attributes = AttributeWriter::new(AsnWidth::Four);
    attributes.origin(RouteOrigin::Igp).as_path(path.as_path()).unwrap();
    attributes.next_hop(Ipv4Addr::new(192, 0, 2, 1));
    attributes
}

fn update(announced: &[Nlri], withdrawn: &[Nlri]) -> Vec<u8> {
    let attributes = if announced.is_empty() { Vec::new() } else { attributes().into_octets() };
    encode::message(2, &encode::update(withdrawn, &attributes, announced).unwrap()).unwrap()
}

fn update6(prefix: &str) -> Vec<u8> {
    let mut attributes = attributes();
    let hop = ["2001:db8::1".parse().unwrap()];
    let family = (AddressFamily::Ipv6, Safi::Unicast);
    attributes.mp_reach(family, &hop, &[nlri(prefix, None)]).unwrap();
    encode::message(2, &encode::update(&[], attributes.octets(), &[]).unwrap()).unwrap()
}

/// The messages in octets, each type with its body.
fn messages(mut octets: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut all = Vec::new();
    while let Some(raw) = RawBgpMessage::next(octets, 0, BGP_EXTENDED_MESSAGE_OCTETS_MAX).unwrap() {
        all.push((raw.message_type, raw.body.to_vec()));
        octets = &octets[raw.octets()..];
    }
    assert!(octets.is_empty());
    all
}

/// Code and subcode of the NOTIFICATION that ends what a speaker sent; asserts that it sent nothing
/// but OPEN, KEEPALIVE and NOTIFICATION.
fn ended_with(octets: &[u8]) -> (u8, u8) {
    let all = messages(octets);
    assert!(all.iter().all(|(kind, _)| matches!(kind, 1 | 3 | 4)), "{all:?}");
    let (kind, body) = all.last().unwrap();
    assert_eq!(*kind, 3, "{all:?}");
    (body[0], body[1])
}

async fn connected(speaker: &Speaker) -> TcpStream {
    connect("127.0.0.1", speaker.addr).await
}

#[tokio::test]
async fn a_session_from_open_to_shutdown_in_which_nothing_is_announced() {
    let mut speaker = Speaker::start("hold_secs = 9", "");
    let mut stream = connected(&speaker).await;
    let octets = [
        open_with(90, &[(2, &[]), (64, &[0, 120]), (9, &[3])]),
        encode::keepalive(),
        update(&[nlri("198.51.100.0/24", None)], &[]),
        update6("2001:db8:1::/48"),
        encode::message(2, &[0; 4]).unwrap(),
        encode::message(5, &[0, 1, 0, 1]).unwrap(),
        update(&[], &[nlri("198.51.100.0/24", None)]),
    ]
    .concat();
    for octet in &octets {
        stream.write_all(&[*octet]).await.unwrap();
    }
    let peer = "n1 65550 127.0.0.1";
    let expected = [
        format!("{peer} PeerUp"),
        format!("{peer} A 198.51.100.0/24 65550 64499"),
        format!("{peer} A 2001:db8:1::/48 65550 64499"),
        format!("{peer} EndOfRib {{ family: Ipv4 }}"),
        format!("{peer} W 198.51.100.0/24"),
    ];
    assert_eq!(speaker.around.lines(5).await, expected);
    // A third of the hold time that we offered, and the neighbour took.
    let mut sent = Vec::new();
    while messages(&sent).iter().filter(|(kind, _)| *kind == 4).count() < 2 {
        let mut octets = [0; 4096];
        let read = timeout(PATIENCE, stream.read(&mut octets)).await.unwrap().unwrap();
        assert!(read > 0);
        sent.extend_from_slice(&octets[..read]);
    }
    let status = speaker.around.status();
    assert_eq!((status.sessions, status.state), (1, SourceState::Up));
    assert_eq!((status.messages, status.octets), (7, octets.len() as u64));
    assert_eq!(status.faults.into_iter().collect::<Vec<_>>(), [("bgp_route_refresh", 1)]);
    assert_eq!(speaker.stop().await, [format!("{peer} PeerDown")]);
    sent.extend(until_closed(&mut stream).await);
    assert_eq!(ended_with(&sent), (6, 2));
    let all = messages(&sent);
    let said = Notification::decode(&all.last().unwrap().1).unwrap().shutdown_text().unwrap();
    assert_eq!(said, "the monitor stops");
    assert_eq!(all[0].0, 1);
}

/// What the speaker sends when it is sent that, and the kind that is counted.
async fn outcome(more: &str, neighbour: &str, octets: &[u8], kind: &'static str) -> (u8, u8) {
    let speaker = Speaker::start(more, neighbour);
    let mut stream = connected(&speaker).await;
    stream.write_all(octets).await.unwrap();
    let sent = until_closed(&mut stream).await;
    speaker.around.until_fault(kind).await;
    speaker.stop().await;
    ended_with(&sent)
}

#[tokio::test]
async fn what_is_wrong_before_the_session_stands_is_told_by_its_code() {
    let mut other_asn = open_with(90, &[]);
    other_asn[20] ^= 1;
    let mut version = open_with(90, &[]);
    version[19] = 3;
    let mut length = open_with(90, &[]);
    length[28] += 1;
    let cases: [(&[u8], (u8, u8), &str); 9] = [
        (&other_asn, (2, 2), "bgp_open_asn"),
        (&version, (2, 1), "bgp_open_version"),
        (&length, (2, 0), "malformed_open"),
        (&open_with(2, &[]), (2, 6), "bgp_open_hold_time"),
        (&encode::keepalive(), (5, 1), "bgp_fsm"),
        (b"GET / HTTP/1.1\r\n", (1, 1), "bgp_no_marker"),
        (&encode::message(9, &[]).unwrap(), (1, 3), "bgp_message_type"),
        (&[&[0xff; 16][..], &[0, 18, 1]].concat(), (1, 2), "bgp_message_length"),
        (
            &[open_with(90, &[]), update(&[nlri("192.0.2.0/24", None)], &[])].concat(),
            (5, 2),
            "bgp_fsm",
        ),
    ];
    for (octets, code, kind) in cases {
        assert_eq!(outcome("", "", octets, kind).await, code, "{kind}");
    }
}

#[tokio::test]
async fn what_is_wrong_in_a_session_ends_it() {
    let up = [open_with(90, &[]), encode::keepalive()].concat();
    let with = |more: &[u8]| [&up[..], more].concat();
    let long = encode::message(2, &[0; 4080]).unwrap();
    let cases: [(Vec<u8>, (u8, u8), &str); 3] = [
        (with(&open_with(90, &[])), (5, 3), "bgp_fsm"),
        // Lengths that contradict each other: nothing in the message can be told from another.
        (with(&encode::message(2, &[0, 1, 8, 0]).unwrap()), (3, 1), "malformed_update"),
        (with(&long), (1, 2), "bgp_message_length"),
    ];
    for (octets, code, kind) in cases {
        assert_eq!(outcome("", "", &octets, kind).await, code, "{kind}");
    }
}

#[tokio::test]
async fn a_neighbour_that_falls_silent_is_dropped() {
    let up = [open_with(3, &[]), encode::keepalive()].concat();
    assert_eq!(outcome("", "", &up, "bgp_hold_timer").await, (4, 0));
    assert_eq!(outcome("open_secs = 1", "", &[0xff; 7], "bgp_open_timer").await, (4, 0));
    // An OPEN alone makes no session.
    let open = open_with(90, &[]);
    assert_eq!(outcome("open_secs = 1", "", &open, "bgp_open_timer").await, (4, 0));
}

#[tokio::test]
async fn too_many_prefixes_end_the_session_and_withdrawn_ones_do_not_count() {
    let mut speaker = Speaker::start("", "prefixes_max = 2");
    let mut stream = connected(&speaker).await;
    let [a, b, c] = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"].map(|p| nlri(p, None));
    let octets = [
        open_with(90, &[]),
        encode::keepalive(),
        update(&[a, b, a], &[]),
        update(&[c], &[a]),
        update(&[a], &[]),
    ];
    stream.write_all(&octets.concat()).await.unwrap();
    let lines = speaker.around.lines(7).await;
    assert!(lines[6].ends_with("PeerDown"), "{lines:?}");
    assert_eq!(ended_with(&until_closed(&mut stream).await), (6, 1));
    speaker.around.until_fault("bgp_prefixes_max").await;
    // For a while the neighbour gets no other session.
    let mut again = connected(&speaker).await;
    assert_eq!(ended_with(&until_closed(&mut again).await), (6, 7));
    speaker.stop().await;
}

#[tokio::test]
async fn a_second_connection_and_a_stranger_get_no_session() {
    let mut speaker = Speaker::start("", "");
    let mut first = connected(&speaker).await;
    first.write_all(&[open_with(90, &[]), encode::keepalive()].concat()).await.unwrap();
    speaker.around.lines(1).await;
    let mut second = connected(&speaker).await;
    assert_eq!(ended_with(&until_closed(&mut second).await), (6, 7));
    let mut stranger = connect("127.0.0.9", speaker.addr).await;
    assert_eq!(until_closed(&mut stranger).await, b"");
    speaker.around.until_fault("bgp_not_allowed").await;
    // The first is as it was; when it ends, the neighbour may come again.
    let cease = Notification { code: 6, subcode: 4, data: b"\x05maint" };
    first.write_all(&encode::notification(&cease).unwrap()).await.unwrap();
    assert_eq!(speaker.around.lines(1).await, ["n1 65550 127.0.0.1 PeerDown"]);
    until_closed(&mut first).await;
    let (_, words) = speaker.around.status().last_fault.unwrap();
    assert_eq!(words, "n1: NOTIFICATION administrative_reset (6/4): \"maint\"");
    let mut third = loop {
        let mut third = connected(&speaker).await;
        let mut head = [0; 19];
        timeout(PATIENCE, third.read_exact(&mut head)).await.unwrap().unwrap();
        if head[18] == 1 {
            break third;
        }
    };
    third.write_all(&[open_with(90, &[]), encode::keepalive()].concat()).await.unwrap();
    assert_eq!(speaker.around.lines(1).await, ["n1 65550 127.0.0.1 PeerUp"]);
    speaker.stop().await;
}

#[tokio::test]
async fn add_path_and_long_messages_are_read_when_both_can() {
    let mut speaker = Speaker::start("", "add_path = true");
    let mut stream = connected(&speaker).await;
    let add_path = encode::add_path((1, 1), AddPathMode::Send);
    let many: Vec<Nlri> =
        (0..1000).map(|id| Nlri { path_id: Some(id), ..nlri("198.51.100.0/24", None) }).collect();
    let octets = [
        open_with(90, &[(69, &add_path), (6, &[])]),
        encode::keepalive(),
        // Some 8,000 octets.
        update(&many, &[]),
        // Of IPv6 no path identifiers were agreed on.
        update6("2001:db8:1::/48"),
    ];
    stream.write_all(&octets.concat()).await.unwrap();
    let lines = speaker.around.lines(1002).await;
    assert!(lines[1..=1000].iter().all(|line| line.contains("A 198.51.100.0/24")));
    assert!(lines[1001].contains("A 2001:db8:1::/48"));
    assert_eq!(speaker.around.status().faults.len(), 0);
    speaker.stop().await;
}

#[tokio::test]
async fn rfc7606_malformed_attributes_withdraw_and_the_session_stands() {
    let mut speaker = Speaker::start("", "");
    let mut stream = connected(&speaker).await;
    let mut broken = attributes();
    broken.raw(0xc0, 8, &[1, 2, 3]).unwrap();
    let body = encode::update(&[], broken.octets(), &[nlri("198.51.100.0/24", None)]).unwrap();
    let octets = [
        open_with(90, &[]),
        encode::keepalive(),
        encode::message(2, &body).unwrap(),
        update(&[nlri("192.0.2.0/24", None)], &[]),
    ];
    stream.write_all(&octets.concat()).await.unwrap();
    let lines = speaker.around.lines(3).await;
    assert_eq!(lines[1], "n1 65550 127.0.0.1 W 198.51.100.0/24");
    assert_eq!(lines[2], "n1 65550 127.0.0.1 A 192.0.2.0/24 65550 64499");
    assert_eq!(speaker.around.status().faults["communities_malformed"], 1);
    speaker.stop().await;
}

#[tokio::test]
async fn a_neighbour_can_be_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let more = format!("connect_port = {port}\nlocal_address = \"127.0.0.3\"");
    let mut speaker = Speaker::start("", &more);
    let (mut stream, from) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    assert_eq!(from.ip(), Ipv4Addr::new(127, 0, 0, 3));
    stream.write_all(&[open_with(90, &[]), encode::keepalive()].concat()).await.unwrap();
    assert_eq!(speaker.around.lines(1).await, ["n1 65550 127.0.0.1 PeerUp"]);
    assert_eq!(speaker.stop().await, ["n1 65550 127.0.0.1 PeerDown"]);
    assert_eq!(ended_with(&until_closed(&mut stream).await), (6, 2));
}

/// Two sides that sign, whichever connects; one that does not is not heard.
#[tokio::test]
async fn a_session_is_signed_by_both_or_there_is_none() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "a key\n").unwrap();
    let signed = format!("tcp_md5_file = {file:?}");
    let us = IpAddr::from(Ipv4Addr::LOCALHOST);

    let mut speaker = Speaker::start("", &signed);
    let socket = TcpSocket::new_v4().unwrap();
    let unanswered = timeout(NO_ANSWER, socket.connect(speaker.addr)).await;
    assert!(unanswered.is_err(), "heard without a key: {unanswered:?}");
    let socket = TcpSocket::new_v4().unwrap();
    sign(&socket, us, b"a key").unwrap();
    let mut stream = timeout(PATIENCE, socket.connect(speaker.addr)).await.unwrap().unwrap();
    stream.write_all(&[open_with(90, &[]), encode::keepalive()].concat()).await.unwrap();
    assert_eq!(speaker.around.lines(1).await, ["n1 65550 127.0.0.1 PeerUp"]);
    speaker.stop().await;

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    sign(&listener, us, b"a key").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut speaker = Speaker::start("", &format!("connect_port = {port}\n{signed}"));
    let (mut stream, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    stream.write_all(&[open_with(90, &[]), encode::keepalive()].concat()).await.unwrap();
    assert_eq!(speaker.around.lines(1).await, ["n1 65550 127.0.0.1 PeerUp"]);
    speaker.stop().await;
}

#[tokio::test]
async fn a_key_that_is_missing_is_an_error_and_no_unsigned_session() {
    let text = "listen = [\"127.0.0.1:0\"]\nlocal_asn = 64500\nrouter_id = \"192.0.2.2\"\n\
                [[neighbours]]\naddress = \"192.0.2.1\"\nasn = 64496\n\
                tcp_md5_file = \"/nonexistent/key\"\n";
    let error = BgpSpeaker::bind(toml::from_str(text).unwrap()).unwrap_err();
    assert!(matches!(error, BgpError::Key { .. }), "{error}");
    assert_eq!(error.to_string(), "cannot use the key of 192.0.2.1, of tcp_md5_file");
}

/// Routes that no queue can hold.
const ROUTES: usize = 300_000;

#[tokio::test]
async fn a_full_queue_slows_the_neighbour_which_still_gets_keepalives() {
    let mut speaker = Speaker::start("hold_secs = 3", "");
    let (mut from, mut to) = connected(&speaker).await.into_split();
    let sender = tokio::spawn(async move {
        to.write_all(&[open_with(90, &[]), encode::keepalive()].concat()).await.unwrap();
        let many = update(&[nlri("198.51.100.0/24", None)], &[]).repeat(1000);
        for _ in 0..ROUTES / 1000 {
            to.write_all(&many).await.unwrap();
        }
        to
    });
    // The first KEEPALIVE, and then three that come while nothing is taken.
    let mut sent = Vec::new();
    while messages(&sent).iter().filter(|(kind, _)| *kind == 4).count() < 4 {
        let mut octets = [0; 4096];
        let read = timeout(PATIENCE, from.read(&mut octets)).await.unwrap().unwrap();
        assert!(read > 0, "the session ended");
        sent.extend_from_slice(&octets[..read]);
    }
    let lines = speaker.around.lines(ROUTES + 1).await;
    assert_eq!(lines.iter().filter(|line| line.contains(" A ")).count(), ROUTES);
    drop(sender.await.unwrap());
    speaker.stop().await;
}
