//! All streams together.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use routewarden_core::Asn;

use super::fault::Fault;
use super::marker::{MarkerSent, Markers};
use super::pacer::SLOT;
use super::recording::Recording;
use super::sent::{Protocol, Sent};
use super::stream::{Begin, Shared, Stream};
use super::{bgp, bmp, ris};

/// AS of the BMP routers themselves.
const ROUTERS_ASN: Asn = Asn(65_551);
/// BMP routers connect from 127.0.2.1 on, BGP neighbours from 127.0.3.1 on.
const ROUTERS: [u8; 3] = [127, 0, 2];
const NEIGHBOURS: [u8; 3] = [127, 0, 3];

/// A RIS Live server.
#[derive(Debug)]
pub struct RisPlan {
    /// Where it listens.
    pub listener: TcpListener,
    /// Updates a second.
    pub rate: f64,
}

/// BMP routers.
#[derive(Clone, Copy, Debug)]
pub struct BmpPlan {
    /// Where the program listens.
    pub to: SocketAddr,
    /// How many routers; the peers are dealt out to them.
    pub routers: u8,
    /// Updates a second of all together.
    pub rate: f64,
}

/// BGP neighbours.
#[derive(Clone, Copy, Debug)]
pub struct BgpPlan {
    /// Where the program listens.
    pub to: SocketAddr,
    /// How many neighbours: the busiest peers.
    pub neighbours: u8,
    /// Updates a second of all together.
    pub rate: f64,
}

/// What is to be sent.
#[derive(Debug)]
pub struct Plan {
    /// As RIS Live.
    pub ris: Option<RisPlan>,
    /// As BMP.
    pub bmp: Option<BmpPlan>,
    /// As BGP.
    pub bgp: Option<BgpPlan>,
    /// For how long.
    pub duration: Duration,
    /// How much of what was missed is made good.
    pub burst: Duration,
    /// After so many updates of a stream comes a marker; none if 0.
    pub marker_every: u64,
    /// From when on: what is announced while the program learns its baseline is habit to it.
    pub markers_from: Duration,
    /// What goes wrong.
    pub faults: Vec<Fault>,
}

impl BgpPlan {
    /// Addresses and ASes of the neighbours, as the program must know them.
    pub fn neighbours(&self, recording: &Recording) -> Vec<(IpAddr, Asn)> {
        let peers = numbered(NEIGHBOURS, self.neighbours).zip(recording.busiest_peers());
        let known = |(addr, peer)| Some((addr, recording.peers().get(usize::from(peer))?.asn));
        peers.filter_map(known).collect()
    }
}

fn numbered([a, b, c]: [u8; 3], count: u8) -> impl Iterator<Item = IpAddr> {
    (1..=count).map(move |d| IpAddr::V4(Ipv4Addr::new(a, b, c, d)))
}

/// The running streams.
#[derive(Debug)]
pub struct Feeder {
    shared: Arc<Shared>,
    streams: Vec<(Protocol, Arc<Mutex<Sent>>)>,
    threads: Vec<JoinHandle<()>>,
}

impl Feeder {
    /// Starts the streams.
    pub fn start(recording: Arc<Recording>, plan: Plan) -> Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "measuring is what this program is for")]
        let begun = Instant::now();
        let shared = Arc::new(Shared {
            recording,
            markers: Markers::default(),
            marker_every: plan.marker_every,
            markers_from: plan.markers_from,
            begun,
            duration: plan.duration,
            burst: plan.burst,
            is_stopped: AtomicBool::new(false),
            done: AtomicUsize::new(0),
        });
        let mut feeder = Feeder { shared, streams: Vec::new(), threads: Vec::new() };
        if let Some(ris) = plan.ris {
            feeder.start_ris(ris, &plan.faults)?;
        }
        if let Some(bmp) = plan.bmp {
            feeder.start_bmp(bmp, &plan.faults)?;
        }
        if let Some(bgp) = plan.bgp {
            feeder.start_bgp(bgp, &plan.faults)?;
        }
        Ok(feeder)
    }

    fn peers(&self) -> Result<u16> {
        u16::try_from(self.shared.recording.peers().len()).context("peers")
    }

    fn start_ris(&mut self, plan: RisPlan, faults: &[Fault]) -> Result<()> {
        plan.listener.set_nonblocking(true)?;
        let peers: Vec<u16> = (0..self.peers()?).collect();
        let (recording, own) = (Arc::clone(&self.shared.recording), peers.clone());
        let begin: Begin = Box::new(move || ris::begin(&recording, &own, &plan.listener));
        self.start_stream(Protocol::RisLive, peers, plan.rate, faults, begin)
    }

    fn start_bmp(&mut self, plan: BmpPlan, faults: &[Fault]) -> Result<()> {
        let rate = plan.rate / f64::from(plan.routers.max(1));
        for (from, index) in numbered(ROUTERS, plan.routers).zip(0_u16..) {
            let routers = u16::from(plan.routers);
            let peers: Vec<u16> =
                (0..self.peers()?).filter(|peer| peer % routers == index).collect();
            let (recording, own) = (Arc::clone(&self.shared.recording), peers.clone());
            let begin: Begin = Box::new(move || {
                bmp::begin(&recording, &own, (from, plan.to), ROUTERS_ASN).map(Some)
            });
            let faults = if index == 0 { faults } else { &[] };
            self.start_stream(Protocol::Bmp, peers, rate, faults, begin)?;
        }
        Ok(())
    }

    fn start_bgp(&mut self, plan: BgpPlan, faults: &[Fault]) -> Result<()> {
        let rate = plan.rate / f64::from(plan.neighbours.max(1));
        let peers = self.shared.recording.busiest_peers();
        let mut faults = faults;
        for (from, number) in numbered(NEIGHBOURS, plan.neighbours).zip(peers) {
            let peer = self.shared.recording.peers().get(usize::from(number)).cloned();
            let peer = peer.context("no such peer")?;
            let begin: Begin = Box::new(move || bgp::begin(&peer, (from, plan.to)).map(Some));
            self.start_stream(Protocol::Bgp, vec![number], rate, faults, begin)?;
            faults = &[];
        }
        Ok(())
    }

    fn start_stream(
        &mut self,
        protocol: Protocol,
        peers: Vec<u16>,
        rate: f64,
        faults: &[Fault],
        begin: Begin,
    ) -> Result<()> {
        let updates = self.shared.recording.updates_of(|peer| peers.contains(&peer));
        let mut faults: Vec<Fault> =
            faults.iter().copied().filter(|fault| fault.protocol == protocol).collect();
        faults.sort_by_key(|fault| fault.at);
        let told = Arc::<Mutex<Sent>>::default();
        self.streams.push((protocol, Arc::clone(&told)));
        let (shared, faults) = (Arc::clone(&self.shared), VecDeque::from(faults));
        let stream = Stream { protocol, peers, updates, rate, faults, begin, shared, told };
        let thread = thread::Builder::new().name(protocol.name().to_owned());
        self.threads.push(thread.spawn(move || stream.run())?);
        Ok(())
    }

    /// What was sent so far, by protocol.
    pub fn sent(&self) -> BTreeMap<Protocol, Sent> {
        let mut all: BTreeMap<Protocol, Sent> = BTreeMap::new();
        for (protocol, told) in &self.streams {
            let told = *told.lock().unwrap_or_else(PoisonError::into_inner);
            *all.entry(*protocol).or_default() += told;
        }
        all
    }

    /// The markers sent so far.
    pub fn markers(&self) -> Vec<MarkerSent> {
        self.shared.markers.sent()
    }

    /// Whether every stream has sent all.
    pub fn is_done(&self) -> bool {
        self.shared.done.load(Ordering::Acquire) == self.streams.len()
    }

    /// Waits until every stream has sent all. Their sessions stay up.
    pub fn wait(&self) {
        while !self.is_done() {
            thread::sleep(SLOT);
        }
    }

    /// Ends the sessions.
    pub fn stop(mut self) {
        self.shared.is_stopped.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            // A stream that panicked has said so.
            thread.join().ok();
        }
    }
}
