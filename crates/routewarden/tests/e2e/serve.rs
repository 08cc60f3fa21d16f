//! The running service from outside: a router tells it of a hijack over BMP, and it is killed.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use routewarden_core::{AsPathBuf, Asn, Timestamp};
use routewarden_wire::bmp::{PeerHeader, PeerType, RouteDistinguisher, Tlv};
use routewarden_wire::encode::{self, AttributeWriter, OpenParts, PeerUpParts};
use routewarden_wire::{AsnWidth, Nlri, RouteOrigin, Safi};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_mins(1);
const VICTIM: u32 = 64502;
pub(crate) const CULPRIT: u32 = 64503;
const BLOCK: &str = "203.0.113.0/24";
pub(crate) const PART: &str = "203.0.113.128/25";
const PEERS: u8 = 3;

/// The service under test; killed when dropped.
pub(crate) struct Service {
    child: Child,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _gone = self.child.kill().is_ok();
        let _status = self.child.wait().is_ok();
    }
}

impl Service {
    pub(crate) fn start(config: &Path) -> Self {
        Service::start_as(Command::new(env!("CARGO_BIN_EXE_routewarden")), config)
    }

    fn start_as(mut command: Command, config: &Path) -> Self {
        command.arg("serve").arg("--config").arg(config).stdin(Stdio::null());
        let log = config.with_extension("log");
        let log = std::fs::File::options().create(true).append(true).open(log).unwrap();
        Service { child: command.stderr(log).spawn().unwrap() }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, as systemd does.
    pub(crate) fn end(mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        wait("the end", || self.child.try_wait().unwrap()).code()
    }
}

/// Looks until there is something.
#[expect(clippy::disallowed_methods, reason = "a deadline")]
pub(crate) fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// An address of the loopback that nobody listens on.
pub(crate) fn free() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

fn peer(number: u8) -> PeerHeader {
    let addr = Ipv4Addr::new(192, 0, 2, number);
    PeerHeader {
        peer_type: PeerType::Global,
        flags: 0,
        distinguisher: RouteDistinguisher(0),
        addr: addr.into(),
        asn: Asn(64496 + u32::from(number)),
        bgp_id: addr,
        time: None,
    }
}

/// A router with peers that send their tables.
pub(crate) fn connect(to: SocketAddr) -> TcpStream {
    let mut router = wait("the BMP station", || TcpStream::connect(to).ok());
    let mut octets = encode::bmp_initiation(&[Tlv { tlv_type: 2, value: b"r1" }]).unwrap();
    for number in 1..=PEERS {
        let peer = peer(number);
        let asn = peer.asn.0.to_be_bytes();
        let capabilities = [encode::four_octet_asn(&asn)];
        let open = OpenParts {
            asn: peer.asn,
            hold_time: 90,
            bgp_id: peer.bgp_id,
            capabilities: &capabilities,
        };
        let open = encode::open(&open).unwrap();
        octets.extend(
            encode::bmp_peer_up(&PeerUpParts {
                peer,
                local_addr: Ipv4Addr::new(192, 0, 2, 254).into(),
                ports: [179, 40_000],
                opens: [&open, &open],
                tlvs: &[],
            })
            .unwrap(),
        );
        octets.extend(announce(number, BLOCK, &[64511, VICTIM]));
        octets.extend(announce(number, "198.51.100.0/24", &[64511, CULPRIT]));
    }
    router.write_all(&octets).unwrap();
    router
}

fn monitoring(number: u8, body: &[u8]) -> Vec<u8> {
    let update = encode::message(2, body).unwrap();
    encode::bmp_route_monitoring(&peer(number), &update).unwrap()
}

fn nlri(prefix: &str) -> Nlri {
    Nlri { prefix: prefix.parse().unwrap(), path_id: None, safi: Safi::Unicast }
}

pub(crate) fn announce(number: u8, prefix: &str, tail: &[u32]) -> Vec<u8> {
    let path = std::iter::once(peer(number).asn).chain(tail.iter().copied().map(Asn));
    let mut attributes = AttributeWriter::new(AsnWidth::Four);
    attributes.origin(RouteOrigin::Igp).as_path(AsPathBuf::sequence(path).as_path()).unwrap();
    attributes.next_hop(Ipv4Addr::new(192, 0, 2, 1));
    monitoring(number, &encode::update(&[], attributes.octets(), &[nlri(prefix)]).unwrap())
}

pub(crate) fn end_of_rib(number: u8) -> Vec<u8> {
    monitoring(number, &encode::update(&[], &[], &[]).unwrap())
}

fn withdraw(number: u8, prefix: &str) -> Vec<u8> {
    monitoring(number, &encode::update(&[nlri(prefix)], &[], &[]).unwrap())
}

pub(crate) fn to_all(router: &mut TcpStream, what: impl Fn(u8) -> Vec<u8>) {
    let octets: Vec<u8> = (1..=PEERS).flat_map(what).collect();
    router.write_all(&octets).unwrap();
}

/// What was reported so far: report, kind, id.
fn reports(data: &Path) -> Vec<(String, String, String)> {
    let text = std::fs::read_to_string(data.join("reports.jsonl")).unwrap_or_default();
    let text_of = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        (text_of(&line["report"]), text_of(&line["incident"]["kind"]), text_of(&line["id"]))
    };
    text.lines().map(line).collect()
}

pub(crate) fn has(data: &Path, report: &str) -> Option<String> {
    reports(data).into_iter().find(|(what, ..)| what == report).map(|(.., id)| id)
}

fn status(http: SocketAddr) -> Value {
    let mut answer = ureq::get(format!("http://{http}/status")).call().unwrap();
    serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
}

pub(crate) fn is_ready(http: SocketAddr) -> Option<()> {
    let answer = ureq::get(format!("http://{http}/readyz")).call().ok()?;
    (answer.status() == 200).then_some(())
}

/// A configuration with one BMP station.
pub(crate) fn configure(folder: &Path, http: SocketAddr, bmp: SocketAddr) -> (PathBuf, PathBuf) {
    let (data, config) = (folder.join("data"), folder.join("routewarden.toml"));
    let text = format!(
        "data_dir = \"{}\"\n[http]\nlisten = \"{http}\"\n[access]\nmode = \"off\"\n[detect]\nbogons = false\nwarm_up = \"1s\"\n\
         report_every_ms = 100\n[[bmp]]\nlisten = \"{bmp}\"\nallow = [\"127.0.0.1\"]\n",
        data.display()
    );
    std::fs::write(&config, text).unwrap();
    (data, config)
}

/// The library that lets a program see another time of day; in CI it must be there.
fn faketime() -> Option<PathBuf> {
    let libraries = std::fs::read_dir("/usr/lib").unwrap().filter_map(Result::ok);
    let found = libraries
        .map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.exists());
    if found.is_none() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "CI must have libfaketime");
        eprintln!("skipped: no libfaketime");
    }
    found
}

/// The machine's time of day jumps two hours ahead, then a day back: the program's own time goes
/// on, feeds are not taken for silent, and what happens is told once.
#[test]
fn a_jump_of_the_clock_changes_nothing() {
    let Some(library) = faketime() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (http, bmp) = (free(), free());
    let (data, config) = configure(folder.path(), http, bmp);
    let clock = folder.path().join("clock");
    std::fs::write(&clock, "+0").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_routewarden"));
    command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", &clock);
    command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let service = Service::start_as(command, &config);
    let mut router = connect(bmp);
    to_all(&mut router, end_of_rib);
    wait("the tables", || is_ready(http));

    let jumps = || status(http).pointer("/clock/jumps").and_then(Value::as_u64).unwrap();
    let began = status(http)["now"].as_str().unwrap().parse::<Timestamp>().unwrap();
    assert_eq!(jumps(), 0);
    std::fs::write(&clock, "+7200").unwrap();
    wait("the first jump", || (jumps() == 1).then_some(()));
    to_all(&mut router, |number| announce(number, PART, &[64511, CULPRIT]));
    let id = wait("the report", || has(&data, "open"));
    std::fs::write(&clock, "-86400").unwrap();
    to_all(&mut router, |number| withdraw(number, PART));
    assert_eq!(wait("the end of the hijack", || has(&data, "end")), id);
    let after = status(http);
    let passed = after["now"].as_str().unwrap().parse::<Timestamp>().unwrap().secs_since(began);
    assert!((0..120).contains(&passed), "{passed} s of its own time");
    assert!(after["reasons"].to_string().contains("clock_jumped"), "{after:#}");
    assert!(!after["reasons"].to_string().contains("feed_degraded"), "{after:#}");
    assert_eq!(service.end(), Some(0));
    let told = reports(&data);
    assert!(told.iter().all(|(.., of)| *of == id), "{told:?}");
}

#[test]
fn a_hijack_is_reported_once_however_often_the_program_is_killed_and_its_end_too() {
    let folder = tempfile::tempdir().unwrap();
    let (http, bmp) = (free(), free());
    let (data, config) = configure(folder.path(), http, bmp);

    let service = Service::start(&config);
    let mut router = connect(bmp);
    to_all(&mut router, end_of_rib);
    wait("the tables", || is_ready(http));
    to_all(&mut router, |number| announce(number, PART, &[64511, CULPRIT]));
    let id = wait("the report", || has(&data, "open"));
    service.kill();
    drop(router);

    // The tables come again, the hijack among them; the second time the program is killed in
    // the middle of them.
    for is_whole in [true, false, true] {
        let service = Service::start(&config);
        let mut router = connect(bmp);
        if is_whole {
            to_all(&mut router, |number| announce(number, PART, &[64511, CULPRIT]));
            to_all(&mut router, end_of_rib);
        }
        wait("the tables", || is_ready(http));
        service.kill();
    }
    let service = Service::start(&config);
    let mut router = connect(bmp);
    to_all(&mut router, |number| announce(number, PART, &[64511, CULPRIT]));
    to_all(&mut router, end_of_rib);
    wait("the tables", || is_ready(http));
    to_all(&mut router, |number| withdraw(number, PART));
    assert_eq!(wait("the end of the hijack", || has(&data, "end")), id);
    assert_eq!(service.end(), Some(0));

    let told = reports(&data);
    let count = |report: &str| told.iter().filter(|(what, ..)| what == report).count();
    assert_eq!((count("open"), count("end"), count("reopen")), (1, 1, 0), "{told:?}");
    assert!(told.iter().all(|(_, kind, of)| kind == "sub_prefix_hijack" && *of == id), "{told:?}");
    let data_verb = |verb: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_routewarden"));
        command.args(["data", verb, "--config"]).arg(&config);
        command
    };
    let verified = data_verb("verify").output().unwrap();
    assert!(verified.status.success(), "{verified:?}");
    let backup = folder.path().join("backup.db");
    assert!(data_verb("backup").arg(&backup).status().unwrap().success());
    let refused = data_verb("restore").arg(&backup).output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "a store with something in it is not replaced");
    assert!(data_verb("restore").arg("--force").arg(&backup).status().unwrap().success());
    assert!(data_verb("rebuild").status().unwrap().success());
}

/// What a trail has: seconds apart do not matter, the order does.
fn trail(http: SocketAddr, id: &str) -> Vec<String> {
    let url = format!("http://{http}/api/v1/incidents/{id}/updates?limit=1000");
    let mut answer = ureq::get(url).call().unwrap();
    let page: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let items = page["items"].as_array().unwrap();
    let told = items.iter().map(|item| {
        [&item["type"], &item["peer_asn"].to_string().into(), &item["prefix"], &item["path_text"]]
            .map(text)
            .join(" ")
    });
    told.collect()
}

#[test]
fn the_trail_of_an_incident_has_each_change_once_however_often_the_program_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (http, bmp) = (free(), free());
    let (data, config) = configure(folder.path(), http, bmp);
    let service = Service::start(&config);
    let mut router = connect(bmp);
    to_all(&mut router, end_of_rib);
    wait("the tables", || is_ready(http));
    to_all(&mut router, |number| announce(number, PART, &[64511, CULPRIT]));
    let id = wait("the report", || has(&data, "open"));
    to_all(&mut router, |number| announce(number, BLOCK, &[64512, VICTIM]));
    let mut expected: Vec<String> =
        (64497..64500).map(|asn| format!("A {asn} {PART} {asn} 64511 {CULPRIT}")).collect();
    expected.extend((64497..64500).map(|asn| format!("A {asn} {BLOCK} {asn} 64512 {VICTIM}")));
    wait("the trail", || (trail(http, &id) == expected).then_some(()));
    // Not yet in the store when it is killed: the log has it.
    to_all(&mut router, |number| announce(number, BLOCK, &[64511, VICTIM]));
    to_all(&mut router, |number| withdraw(number, PART));
    assert_eq!(wait("the end of the hijack", || has(&data, "end")), id);
    service.kill();
    drop(router);
    expected.extend((64497..64500).map(|asn| format!("A {asn} {BLOCK} {asn} 64511 {VICTIM}")));
    expected.extend((64497..64500).map(|asn| format!("W {asn} {PART} ")));
    expected.extend((64497..64500).map(|asn| format!("down {asn}  ")));
    for _ in 0..2 {
        let service = Service::start(&config);
        wait("the trail after a kill", || {
            status_or_none(http)?;
            (trail(http, &id) == expected).then_some(())
        });
        service.kill();
    }
}

fn status_or_none(http: SocketAddr) -> Option<()> {
    ureq::get(format!("http://{http}/status")).call().ok().map(|_| ())
}
