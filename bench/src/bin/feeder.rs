//! Replays recorded updates over loopback as RIS Live, BMP and BGP, and prints what was sent as JSON.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Parser;
use routewarden_bench::load::{
    BgpPlan, BmpPlan, Fault, Feeder, MarkerSent, Plan, Recording, RisPlan,
};
use serde_json::{Map, Value, json};

/// Replays recorded updates over loopback as live sources send them.
#[derive(Debug, Parser)]
struct Arguments {
    /// Serve RIS Live here.
    #[arg(long, value_name = "ADDR:PORT")]
    ris: Option<SocketAddr>,
    /// Updates a second over it.
    #[arg(long, default_value_t = 10_000.0)]
    ris_rate: f64,
    /// Connect here as BMP routers.
    #[arg(long, value_name = "ADDR:PORT")]
    bmp: Option<SocketAddr>,
    /// Updates a second of all of them.
    #[arg(long, default_value_t = 10_000.0)]
    bmp_rate: f64,
    /// How many routers, from 127.0.2.1 on.
    #[arg(long, default_value_t = 2)]
    routers: u8,
    /// Connect here as BGP neighbours.
    #[arg(long, value_name = "ADDR:PORT")]
    bgp: Option<SocketAddr>,
    /// Updates a second of all of them.
    #[arg(long, default_value_t = 10_000.0)]
    bgp_rate: f64,
    /// How many neighbours, from 127.0.3.1 on.
    #[arg(long, default_value_t = 4)]
    neighbours: u8,
    /// For so many seconds.
    #[arg(long, default_value_t = 10)]
    duration: u64,
    /// Keep the sessions up for so many seconds afterwards.
    #[arg(long, default_value_t = 1)]
    linger: u64,
    /// Make good so many milliseconds of what was missed.
    #[arg(long, default_value_t = 1_000)]
    burst: u64,
    /// A marker after so many updates of a stream; 0 for none.
    #[arg(long, default_value_t = 0)]
    marker_every: u64,
    /// What goes wrong, when and for how long, as `bmp:slow_loris@30+20`; the protocols are `ris_live`,
    /// bmp and bgp, the faults `mid_frame`, garbage, `slow_loris`, flap, silence and close.
    #[arg(long = "fault")]
    faults: Vec<Fault>,
    /// Keep so many updates at most.
    #[arg(long, default_value_t = 200_000)]
    updates_max: usize,
    /// MRT files of updates, in folders named after their collectors.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let recording = Arc::new(Recording::read(&arguments.files, arguments.updates_max)?);
    let ris = arguments.ris.map(TcpListener::bind).transpose()?;
    let (routers, neighbours) = (arguments.routers, arguments.neighbours);
    ensure!(routers > 0 && neighbours > 0, "without routers or neighbours leave the protocol out");
    let plan = Plan {
        ris: ris.map(|listener| RisPlan { listener, rate: arguments.ris_rate }),
        bmp: arguments.bmp.map(|to| BmpPlan { to, routers, rate: arguments.bmp_rate }),
        bgp: arguments.bgp.map(|to| BgpPlan { to, neighbours, rate: arguments.bgp_rate }),
        duration: Duration::from_secs(arguments.duration),
        burst: Duration::from_millis(arguments.burst),
        marker_every: arguments.marker_every,
        markers_from: Duration::ZERO,
        faults: arguments.faults,
    };
    let bgp: Vec<Value> = plan.bgp.map_or_else(Vec::new, |bgp| {
        let neighbours = bgp.neighbours(&recording);
        let known = |(addr, asn): &(std::net::IpAddr, routewarden_core::Asn)| {
            json!({"address": addr.to_string(), "asn": asn.0})
        };
        neighbours.iter().map(known).collect()
    });
    let feeder = Feeder::start(Arc::clone(&recording), plan)?;
    feeder.wait();
    thread::sleep(Duration::from_secs(arguments.linger));
    let sent: Map<String, Value> = feeder
        .sent()
        .into_iter()
        .map(|(protocol, sent)| (protocol.name().to_owned(), sent.to_json()))
        .collect();
    let markers: Vec<Value> = feeder.markers().iter().map(MarkerSent::to_json).collect();
    feeder.stop();
    let summary = json!({
        "recording": {"updates": recording.len(), "peers": recording.peers().len()},
        "neighbours": bgp,
        "sent": sent,
        "markers": markers,
    });
    writeln!(std::io::stdout(), "{summary:#}")?;
    Ok(())
}
