//! Many readers of events: how long until all have been told of a hijack.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use routewarden_bench::program::Program;
use routewarden_core::{AsPathBuf, Asn, Prefix};
use routewarden_wire::bmp::{PeerHeader, PeerType, RouteDistinguisher, Tlv};
use routewarden_wire::encode::{self, AttributeWriter, OpenParts, PeerUpParts};
use routewarden_wire::{AsnWidth, Nlri, RouteOrigin, Safi};
use serde_json::{Value, json};

use super::megabytes;

/// Hijacks that are told, one after the other.
const HIJACKS: u8 = 20;
const VICTIM: Asn = Asn(64_502);
const CARRIER: Asn = Asn(64_511);
/// How long a reader waits for an event.
const WITHIN: Duration = Duration::from_secs(30);
/// A reader does little.
const STACK_OCTETS: usize = 128 * 1024;
/// Type of the Information TLV with the name of the system (RFC 7854 §4.4).
const SYS_NAME: u16 = 2;

/// Connects a router and readers, lets hijacks happen, and measures.
pub(crate) fn run(
    program: &mut Program,
    (http, bmp): (SocketAddr, SocketAddr),
    count: usize,
) -> Result<Value> {
    let before = megabytes(program)?;
    let mut router = Router::connect(bmp)?;
    let began = Instant::now();
    wait(|| program.status().is_ok_and(|status| status.get("ready") == Some(&true.into())));
    let ready = began.elapsed();
    let (tell, told) = sync_channel(count.max(1) * 4);
    for _ in 0..count {
        let reader = listen(http)?;
        let tell = tell.clone();
        thread::Builder::new().stack_size(STACK_OCTETS).spawn(move || follow(reader, &tell))?;
    }
    let with_readers = megabytes(program)?;
    let mut latencies = Vec::new();
    for number in 0..HIJACKS {
        let begun = Instant::now();
        router.hijack(number)?;
        latencies.extend(tellings(&told, count)?.into_iter().map(|at| at.duration_since(begun)));
    }
    latencies.sort_unstable();
    let at = |percent: usize| {
        let last = latencies.len().saturating_sub(1);
        latencies.get((latencies.len() * percent / 100).min(last)).map(Duration::as_secs_f64)
    };
    program.ensure_running()?;
    Ok(json!({
        "readers": count,
        "hijacks": HIJACKS,
        "told": latencies.len(),
        "tables_in_after_secs": ready.as_secs_f64(),
        "secs_p50": at(50),
        "secs_p99": at(99),
        "secs_max": at(100),
        "resident_mb_before": before,
        "resident_mb_with_readers": with_readers,
        "resident_mb_after": megabytes(program)?,
    }))
}

fn wait(mut look: impl FnMut() -> bool) {
    while !look() {
        thread::sleep(Duration::from_millis(100));
    }
}

/// When each reader was told of the newest hijack.
fn tellings(told: &Receiver<Instant>, count: usize) -> Result<Vec<Instant>> {
    let next = |n| {
        let at = told.recv_timeout(WITHIN);
        at.with_context(|| format!("only {n} of {count} readers were told within {WITHIN:?}"))
    };
    (0..count).map(next).collect()
}

/// A connection that has been answered.
fn listen(http: SocketAddr) -> Result<BufReader<TcpStream>> {
    let mut stream = TcpStream::connect(http)?;
    stream.write_all(b"GET /api/v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
    let mut reader = BufReader::with_capacity(4_096, stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    ensure!(line.starts_with("HTTP/1.1 200"), "a reader was answered {line}");
    Ok(reader)
}

/// Tells of every incident that is opened, until the stream ends.
fn follow(reader: BufReader<TcpStream>, tell: &SyncSender<Instant>) {
    for line in reader.lines().map_while(Result::ok) {
        let is_opened = line.starts_with("data:") && line.contains("\"incident_opened\"");
        if is_opened && tell.send(Instant::now()).is_err() {
            return;
        }
    }
}

/// A BMP router with one peer.
struct Router {
    socket: TcpStream,
}

fn peer() -> PeerHeader {
    let addr = Ipv4Addr::new(192, 0, 2, 1);
    PeerHeader {
        peer_type: PeerType::Global,
        flags: 0,
        distinguisher: RouteDistinguisher(0),
        addr: addr.into(),
        asn: Asn(64_497),
        bgp_id: addr,
        time: None,
    }
}

fn block(number: u8, third: u8, len: u8) -> Result<Prefix> {
    // Private use (RFC 1918): there are too few blocks for documentation.
    Prefix::new(Ipv4Addr::new(10, number, third, 0).into(), len).context("a prefix")
}

impl Router {
    /// With the victim's routes, all in.
    fn connect(bmp: SocketAddr) -> Result<Self> {
        let mut router = Router { socket: TcpStream::connect(bmp)? };
        let mut octets = encode::bmp_initiation(&[Tlv { tlv_type: SYS_NAME, value: b"bench" }])?;
        let peer = peer();
        let asn = peer.asn.0.to_be_bytes();
        let capabilities = [encode::four_octet_asn(&asn)];
        let open = encode::open(&OpenParts {
            asn: peer.asn,
            hold_time: 90,
            bgp_id: peer.bgp_id,
            capabilities: &capabilities,
        })?;
        octets.extend(encode::bmp_peer_up(&PeerUpParts {
            peer,
            local_addr: Ipv4Addr::new(192, 0, 2, 254).into(),
            ports: [179, 40_000],
            opens: [&open, &open],
            tlvs: &[],
        })?);
        router.socket.write_all(&octets)?;
        for number in 0..HIJACKS {
            router.announce(block(number, 0, 16)?, VICTIM)?;
        }
        router.monitoring(&encode::update(&[], &[], &[])?)?;
        Ok(router)
    }

    /// Another AS announces a part of a block.
    fn hijack(&mut self, number: u8) -> Result<()> {
        self.announce(block(number, 128, 17)?, Asn(64_512 + u32::from(number)))
    }

    fn announce(&mut self, prefix: Prefix, origin: Asn) -> Result<()> {
        let path = [peer().asn, CARRIER, origin];
        let mut attributes = AttributeWriter::new(AsnWidth::Four);
        attributes.origin(RouteOrigin::Igp).as_path(AsPathBuf::sequence(path).as_path())?;
        attributes.next_hop(Ipv4Addr::new(192, 0, 2, 1));
        let nlri = Nlri { prefix, path_id: None, safi: Safi::Unicast };
        self.monitoring(&encode::update(&[], attributes.octets(), &[nlri])?)
    }

    fn monitoring(&mut self, body: &[u8]) -> Result<()> {
        let update = encode::message(2, body)?;
        Ok(self.socket.write_all(&encode::bmp_route_monitoring(&peer(), &update)?)?)
    }
}
