//! Hears BMP routers or BGP neighbours and prints their events, or measures how fast one session
//! can be heard.
//!
//! ```text
//! hear bmp CONFIG.toml [SECONDS]      hear bgp CONFIG.toml [SECONDS]
//! hear measure-bmp UPDATES            hear measure-bgp UPDATES
//! ```

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "an example is an edge: it speaks, and looks at the clock"
)]

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use routewarden_core::{AsPathBuf, Asn, Prefix, RouteEventKind, Timestamp};
use routewarden_feeds::live::bgp::BgpSpeaker;
use routewarden_feeds::live::bmp::BmpStation;
use routewarden_feeds::live::{
    Clock, LiveItem, LiveQueue, SourceContext, SourceHandle, SourceKind, queue,
};
use routewarden_wire::bmp::{PeerHeader, PeerType, RouteDistinguisher};
use routewarden_wire::encode::{self, AttributeWriter, OpenParts, PeerUpParts};
use routewarden_wire::{AsnWidth, Nlri, RouteOrigin, Safi};
use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

struct Wall;

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let secs = u32::try_from(since.as_secs()).unwrap_or(u32::MAX);
        Timestamp::from_secs_micros(secs, since.subsec_micros())
    }
}

fn surroundings(kind: SourceKind) -> (SourceContext, LiveQueue) {
    let (sink, queue) = queue(256);
    let status = SourceHandle::new("example", kind);
    let context =
        SourceContext { status, sink, clock: Arc::new(Wall), cancel: CancellationToken::new() };
    (context, queue)
}

/// Binds a source and runs it; gives where it listens.
fn start(kind: SourceKind, config: &str, context: SourceContext) -> Outcome<SocketAddr> {
    let addrs = if kind == SourceKind::Bmp {
        let station = BmpStation::bind(toml::from_str(config)?)?;
        let addrs = station.local_addrs();
        tokio::spawn(station.run(context));
        addrs
    } else {
        let speaker = BgpSpeaker::bind(toml::from_str(config)?)?;
        let addrs = speaker.local_addrs();
        tokio::spawn(speaker.run(context));
        addrs
    };
    addrs.first().copied().ok_or_else(|| "nothing to listen on".into())
}

async fn hear(kind: SourceKind, config: &str, secs: u64) -> Outcome<()> {
    let (context, mut queue) = surroundings(kind);
    let status = context.status.clone();
    let cancel = context.cancel.clone();
    start(kind, &std::fs::read_to_string(config)?, context)?;
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(secs)).await;
        cancel.cancel();
    });
    while let Some(item) = queue.recv().await {
        let LiveItem::Batch(live) = item else { continue };
        for event in &live.batch.events {
            let peer = usize::try_from(event.peer).ok().and_then(|at| live.batch.new_peers.get(at));
            let Some(peer) = peer else { continue };
            let what = match event.kind {
                RouteEventKind::Announcement { prefix, attributes } => {
                    let octets = live.batch.attributes(attributes);
                    let route = routewarden_core::RouteAttributes::decode(octets);
                    let path = route.map(|route| route.as_path.to_string()).unwrap_or_default();
                    format!("A {prefix} {path}")
                }
                RouteEventKind::Withdrawal { prefix } => format!("W {prefix}"),
                other => format!("{other:?}"),
            };
            println!("{} {} {} {} {what}", event.time, peer.collector, peer.asn, peer.addr);
        }
    }
    println!("{:#?}", status.snapshot());
    Ok(())
}

fn open(asn: u32) -> Outcome<Vec<u8>> {
    let wide = asn.to_be_bytes();
    let capabilities = [encode::four_octet_asn(&wide)];
    let bgp_id = Ipv4Addr::new(192, 0, 2, 1);
    let parts = OpenParts { asn: Asn(asn), hold_time: 0, bgp_id, capabilities: &capabilities };
    Ok(encode::open(&parts)?)
}

/// UPDATEs of one prefix each, as busy routers send them: a new path every time.
fn updates(count: u32) -> Outcome<Vec<Vec<u8>>> {
    (0..count)
        .map(|number| {
            let path =
                AsPathBuf::sequence([64496, 64497, 65536 + number % 16, 64498, 64499].map(Asn));
            let mut attributes = AttributeWriter::new(AsnWidth::Four);
            attributes.origin(RouteOrigin::Igp).as_path(path.as_path())?;
            attributes.next_hop(Ipv4Addr::new(192, 0, 2, 1));
            attributes.communities(&[(64496, 1), (64496, 2), (64497, 3)])?;
            let prefix = Prefix::v4(0x0a00_0000 | (number % 0x1_0000) << 8, 24);
            let prefix = prefix.ok_or("no prefix")?;
            let nlri = Nlri { prefix, path_id: None, safi: Safi::Unicast };
            Ok(encode::message(2, &encode::update(&[], attributes.octets(), &[nlri])?)?)
        })
        .collect()
}

/// What a session begins with, and its UPDATEs.
fn session(kind: SourceKind, updates: Vec<Vec<u8>>) -> Outcome<(Vec<u8>, Vec<u8>)> {
    if kind == SourceKind::Bgp {
        let begin = [open(64496)?, encode::keepalive()].concat();
        return Ok((begin, updates.concat()));
    }
    let addr = Ipv4Addr::new(192, 0, 2, 1);
    let peer = PeerHeader {
        peer_type: PeerType::Global,
        flags: 0,
        distinguisher: RouteDistinguisher(0),
        addr: addr.into(),
        asn: Asn(64496),
        bgp_id: addr,
        time: Some(Wall.now()),
    };
    let (sent, received) = (open(64500)?, open(64496)?);
    let begin = encode::bmp_peer_up(&PeerUpParts {
        peer,
        local_addr: Ipv4Addr::new(192, 0, 2, 2).into(),
        ports: [179, 40_000],
        opens: [&sent, &received],
        tlvs: &[],
    })?;
    let mut octets = Vec::new();
    for update in updates {
        octets.extend(encode::bmp_route_monitoring(&peer, &update)?);
    }
    Ok((begin, octets))
}

/// CPU time of this thread, from `/proc`; ticks of 10 ms.
fn cpu_secs(thread: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/self/task/{thread}/stat"));
    let stat = stat.unwrap_or_default();
    let fields: Vec<&str> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok());
    (ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) / 100.0
}

/// Sends so many updates from another thread; gives what the thread that hears them used.
fn measure(kind: SourceKind, count: u32) -> Outcome<()> {
    const PART: u32 = 65_536;
    let config = match kind {
        SourceKind::Bmp => "listen = [\"127.0.0.1:0\"]\nallow = [\"127.0.0.1\"]".to_owned(),
        _ => "listen = [\"127.0.0.1:0\"]\nlocal_asn = 64500\nrouter_id = \"192.0.2.2\"\n\
              hold_secs = 0\n[[neighbours]]\naddress = \"127.0.0.1\"\nasn = 64496\n"
            .to_owned(),
    };
    let (begin, octets) = session(kind, updates(PART)?)?;
    let rounds = count.div_ceil(PART);
    let total = u64::from(rounds) * u64::from(PART);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let thread = std::fs::read_link("/proc/thread-self")?;
    let thread = thread.file_name().map(|name| name.to_string_lossy().into_owned());
    let thread = thread.ok_or("no thread")?;
    runtime.block_on(async {
        let (context, mut queue) = surroundings(kind);
        let addr = start(kind, &config, context)?;
        // The stream is handed back: closed with our OPEN unread, it would be reset.
        let sender = std::thread::spawn(move || -> Outcome<std::net::TcpStream> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut stream = tokio::net::TcpStream::connect(addr).await?;
                stream.write_all(&begin).await?;
                for _ in 0..rounds {
                    stream.write_all(&octets).await?;
                }
                Ok(stream.into_std()?)
            })
        });
        let (started, before) = (Instant::now(), cpu_secs(&thread));
        let mut announced = 0;
        while announced < total {
            let Some(item) = queue.recv().await else { break };
            if let LiveItem::Batch(live) = item {
                let is_route =
                    |kind| matches!(kind, RouteEventKind::Announcement { .. });
                let routes = live.batch.events.iter().filter(|event| is_route(event.kind));
                announced += u64::try_from(routes.count())?;
            }
        }
        let (wall, cpu) = (started.elapsed().as_secs_f64(), cpu_secs(&thread) - before);
        drop(sender.join().map_err(|_| "the sender panicked")??);
        #[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
        let rate = |secs: f64| announced as f64 / secs;
        println!(
            "{} {announced} updates in {wall:.2} s ({:.0}/s), {cpu:.2} s CPU ({:.0} per CPU second)",
            kind.name(),
            rate(wall),
            rate(cpu)
        );
        Ok(())
    })
}

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match args.as_slice() {
        ["bmp", config] => runtime()?.block_on(hear(SourceKind::Bmp, config, 60)),
        ["bmp", config, secs] => runtime()?.block_on(hear(SourceKind::Bmp, config, secs.parse()?)),
        ["bgp", config] => runtime()?.block_on(hear(SourceKind::Bgp, config, 60)),
        ["bgp", config, secs] => runtime()?.block_on(hear(SourceKind::Bgp, config, secs.parse()?)),
        ["measure-bmp", count] => measure(SourceKind::Bmp, count.parse()?),
        ["measure-bgp", count] => measure(SourceKind::Bgp, count.parse()?),
        _ => Err("hear bmp|bgp CONFIG [SECONDS], or hear measure-bmp|measure-bgp UPDATES".into()),
    }
}
