//! `make bench`: decoding, the table, validation and detection on made-up data, and decoding on real
//! data too where they lie beside the project.
//!
//! `cargo bench -p routewarden-bench --bench speed -- NAME` runs those whose name holds NAME; criterion compares
//! each with its run before.

#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a bench that cannot make its data fails, and says on the console what it found"
)]

use std::hint::black_box;
use std::io::Read;
use std::net::Ipv4Addr;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use routewarden_bench::memory::resident_octets;
use routewarden_core::facts::{Facts, TrustAnchors, Vrp, VrpTable};
use routewarden_core::{
    AsPathBuf, Asn, EventBatch, Origin, Peer, PeerId, PeerTable, Prefix, RouteAttributes,
    RouteEvent, RouteEventKind, Timestamp,
};
use routewarden_detect::{Config, Detector};
use routewarden_feeds::sources::Sources;
use routewarden_feeds::stream::{MergedStream, StreamOptions, open_tables, open_updates};
use routewarden_feeds::transport::{Limits, Transport};
use routewarden_gate::synthetic::{self, Numbers, Size};
use routewarden_gate::work::{self, Table};

/// About 600,000 routes and 150,000 updates.
const SIZE: Size = Size { prefixes: 19_000, peers: 45, messages: 60_000 };
/// VRPs and routes of the validation.
const VRPS: u32 = 100_000;

fn table() -> Vec<u8> {
    synthetic::table(SIZE).expect("made-up data fit their fields")
}

fn updates() -> Vec<u8> {
    synthetic::updates(SIZE).expect("made-up data fit their fields")
}

/// A file of the real data, uncompressed; `None` where they are not.
fn real(name: &str) -> Option<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/mrt").join(name);
    let mut content = Vec::new();
    Transport::open(&path, Limits::default(), Arc::default())
        .ok()?
        .read_to_end(&mut content)
        .ok()
        .map(|_| content)
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    let contents = [
        ("table", Some(table())),
        ("updates", Some(updates())),
        ("real_table", real("route-views.jinx.rib.20140530.2200.bz2")),
        ("real_updates", real("rrc12-20210101/updates.20210101.0740.gz")),
    ];
    for (name, content) in contents {
        let Some(content) = content else {
            eprintln!("decode/{name}: skipped, no data");
            continue;
        };
        group.throughput(Throughput::Elements(work::decode(&content).0 as u64));
        group.bench_function(name, |bencher| bencher.iter(|| work::decode(black_box(&content))));
    }
}

fn rib(criterion: &mut Criterion) {
    // Measured before anything large was freed, or the table would lie where it was.
    let content = table();
    let load = work::events(&content);
    let before = resident_octets().expect("there is a /proc");
    let mut loaded = Table::default();
    let routes = loaded.apply(&load);
    let after = resident_octets().expect("there is a /proc");
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let each = after.saturating_sub(before) as f64 / routes as f64;
    drop((loaded, content));
    eprintln!("rib: {routes} routes, {each:.1} octets each (resident size of the process)");

    let mut group = criterion.benchmark_group("rib");
    group.sample_size(20);
    group.throughput(Throughput::Elements(load.len() as u64));
    group.bench_function("load", |bencher| {
        bencher.iter_batched(
            Table::default,
            |mut table| {
                table.apply(black_box(&load));
                table
            },
            BatchSize::PerIteration,
        );
    });
    let updates = work::events(&updates());
    group.throughput(Throughput::Elements(updates.len() as u64));
    group.bench_function("update", |bencher| {
        let loaded = || {
            let mut table = Table::default();
            table.apply(&load);
            table
        };
        bencher.iter_batched(
            loaded,
            |mut table| {
                table.apply(black_box(&updates));
                table
            },
            BatchSize::PerIteration,
        );
    });
}

fn rov(criterion: &mut Criterion) {
    let mut numbers = Numbers::new(3);
    let ta = TrustAnchors::default().intern("made-up");
    let mut some_prefix = |most: u8| {
        let len = 16 + u8::try_from(numbers.below(u32::from(most) - 15)).unwrap_or(0);
        let prefix = Prefix::v4(0x0a00_0000 | numbers.below(1 << 24), len);
        (prefix.expect("at most 32 bits"), numbers.asn())
    };
    let vrps: Vec<Vrp> = (0..VRPS)
        .map(|_| {
            let (prefix, asn) = some_prefix(22);
            Vrp { prefix, max_len: 24, asn, ta }
        })
        .collect();
    let routes: Vec<(Prefix, Origin)> =
        (0..VRPS).map(|_| some_prefix(24)).map(|(prefix, asn)| (prefix, Origin::As(asn))).collect();
    let mut group = criterion.benchmark_group("rov");
    group.throughput(Throughput::Elements(vrps.len() as u64));
    group.sample_size(20);
    group.bench_function("build", |bencher| {
        bencher.iter_batched(|| vrps.clone(), VrpTable::from_vrps, BatchSize::PerIteration);
    });
    let table = VrpTable::from_vrps(vrps.clone());
    group.throughput(Throughput::Elements(routes.len() as u64));
    group.bench_function("validate", |bencher| {
        bencher.iter(|| {
            for (prefix, origin) in &routes {
                black_box(table.state(prefix, *origin));
            }
        });
    });
}

/// Events as the stream gives them.
struct Runs {
    runs: Vec<(Arc<EventBatch>, Range<usize>, Vec<PeerId>)>,
    peers: PeerTable,
}

impl Runs {
    fn of(mut stream: MergedStream, mut peers: PeerTable) -> Self {
        let mut runs = Vec::new();
        let each = |_: &PeerTable, run: routewarden_feeds::Run<'_>| {
            runs.push((run.batch.clone(), run.range.clone(), run.peers.to_vec()));
            ControlFlow::Continue(())
        };
        stream.for_each(&mut peers, each).expect("made-up files can be read");
        Runs { runs, peers }
    }

    fn events(&self) -> usize {
        self.runs.iter().map(|(_, range, _)| range.len()).sum()
    }

    fn apply(&self, detector: &mut Detector) {
        for (batch, range, peers) in &self.runs {
            detector.apply(batch, range.clone(), peers, &self.peers);
        }
    }
}

fn detect(criterion: &mut Criterion) {
    let folder = std::env::temp_dir().join(format!("routewarden-bench-{}", std::process::id()));
    let made = folder.join("made-up");
    std::fs::create_dir_all(&made).expect("there is a folder for files of the moment");
    let write = |name: &str, content: Vec<u8>| -> PathBuf {
        let path = made.join(name);
        std::fs::write(&path, content).expect("there is room for files of the moment");
        path
    };
    let found = |path: &Path| {
        let mut sources = Sources::new(Limits::default());
        sources.add(path).expect("the file was just written");
        sources.finish().0
    };
    let options = StreamOptions::default();
    let file = found(&write("rib.20240101.0000", table()));
    let stream = open_tables(file, &options).expect("a thread can be started");
    let table = Runs::of(stream, PeerTable::default());
    let file = found(&write("updates.20240101.0000", updates()));
    let stream = open_updates(file, &options).expect("a thread can be started");
    let updates = Runs::of(stream, table.peers.clone());
    std::fs::remove_dir_all(&folder).expect("the folder was just made");

    // All addresses and ASNs are for documentation.
    let config = Config { bogons: false, ..Config::default() };
    let loaded = || {
        let mut detector = Detector::new(config, Facts::default());
        table.apply(&mut detector);
        detector
    };
    let mut group = criterion.benchmark_group("detect");
    group.sample_size(10);
    group.throughput(Throughput::Elements(table.events() as u64));
    group.bench_function("table", |bencher| {
        bencher.iter_batched(|| (), |()| loaded(), BatchSize::PerIteration);
    });
    group.throughput(Throughput::Elements(updates.events() as u64));
    group.bench_function("updates", |bencher| {
        bencher.iter_batched(
            loaded,
            |mut detector| {
                updates.apply(&mut detector);
                detector
            },
            BatchSize::PerIteration,
        );
    });
}

/// Peers, prefixes and events of the flood.
const FLOOD: (u32, u32, u32) = (20, 4_000, 100_000);

/// What a hostile peer would send to make detection slow: every announcement changes the origin to
/// one of 32, so nearly each one makes, ends or revives a claim and may be a victim's reaction.
fn flood() -> EventBatch {
    let (peers, prefixes, events) = FLOOD;
    let mut numbers = Numbers::new(7);
    let mut batch = EventBatch::default();
    for event in 0..events {
        let peer = numbers.below(peers);
        let path = AsPathBuf::sequence([Asn(64_496 + peer), numbers.asn(), numbers.asn()]);
        let attributes = RouteAttributes::from_path(path.as_path());
        let attributes = batch.push_attributes(&attributes).expect("a short path");
        let prefix = synthetic::prefix(numbers.below(prefixes)).expect("there are enough");
        let kind = RouteEventKind::Announcement { prefix, attributes };
        let time = Timestamp::from_secs(1_704_067_200 + event / 1_000);
        batch.events.push(RouteEvent { time, peer, kind });
    }
    batch
}

fn detect_flood(criterion: &mut Criterion) {
    let batch = flood();
    let mut table = PeerTable::default();
    let peer = |number| Peer {
        collector: "bench".to_owned(),
        asn: Asn(64_496 + number),
        addr: Ipv4Addr::from_bits(0xc000_0200 | number).into(),
    };
    let ids: Vec<PeerId> = (0..FLOOD.0).map(|number| table.intern(&peer(number))).collect();
    let config = Config { bogons: false, ..Config::default() };
    let mut group = criterion.benchmark_group("detect");
    group.sample_size(10);
    group.throughput(Throughput::Elements(batch.events.len() as u64));
    group.bench_function("flood", |bencher| {
        bencher.iter(|| {
            let mut detector = Detector::new(config, Facts::default());
            detector.apply(&batch, 0..batch.events.len(), &ids, &table);
            detector
        });
    });
}

criterion_group!(benches, rib, decode, rov, detect, detect_flood);
criterion_main!(benches);
