//! Decompression ahead of the reader gives what decompression in place gives.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test code: helpers outside of #[test] functions"
)]

use std::collections::BTreeSet;
use std::io::{self, Cursor, Read, Write};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

use routewarden_feeds::transport::{Limits, READ_AHEAD_THREADS_MAX, Transport, TransportFault};

/// Longer than all that is read ahead.
const LINES: u32 = 120_000;
/// What the decoder of records asks for at least: beyond damage, gzip loses what was asked for.
const LARGE_READ: usize = 256 << 10;
const MANY: usize = 8;
/// Places at which files are cut or damaged.
const PLACES: usize = 31;

/// The threads are counted for the whole program, and so for all tests of this file.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn has_cores() -> bool {
    let has_cores = std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1);
    if !has_cores {
        eprintln!("skipped: on one core nothing is read ahead");
    }
    has_cores
}

fn text() -> Vec<u8> {
    let line = |n: u32| format!("{n} {}\n", n.wrapping_mul(2_654_435_761)).into_bytes();
    (0..LINES).flat_map(line).collect()
}

fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

fn every_compression(octets: &[u8]) -> [(&'static str, Vec<u8>); 3] {
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 0);
    xz.write_all(octets).unwrap();
    let mut zstd = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
    zstd.include_checksum(true).unwrap();
    zstd.write_all(octets).unwrap();
    [("gzip", gzip(octets)), ("xz", xz.finish().unwrap()), ("zstd", zstd.finish().unwrap())]
}

fn open(source: impl Read + Send + 'static, limits: Limits, threads: usize) -> Transport {
    let transport = Transport::from_reader(Box::new(source), limits, Arc::default()).unwrap();
    transport.with_threads(NonZeroUsize::new(threads).unwrap())
}

/// What can be told of an input: its octets, its fault, and what was passed over.
#[derive(PartialEq)]
struct Told {
    octets: Vec<u8>,
    fault: Option<String>,
    given: u64,
    consumed: u64,
    trailing: u64,
}

fn drain(mut transport: Transport, size: usize) -> Told {
    let (mut octets, mut buffer) = (Vec::new(), vec![0; size]);
    let fault = loop {
        match transport.read(&mut buffer) {
            Ok(0) => break None,
            Ok(count) => octets.extend_from_slice(&buffer[..count]),
            Err(fault) => break Some(format!("{}: {fault}", fault.kind())),
        }
    };
    assert_eq!(transport.read(&mut buffer).unwrap(), 0, "the end stays the end");
    let (given, consumed) = (transport.decompressed_octets(), transport.compressed_octets());
    Told { octets, fault, given, consumed, trailing: transport.trailing_octets() }
}

/// Asserts that an input gives the same with and without a thread; what it gives.
fn same(packed: &[u8], limits: Limits, sizes: &[usize], what: &str) -> Told {
    let here = drain(open(Cursor::new(packed.to_vec()), limits, 1), LARGE_READ);
    for &size in sizes {
        for threads in [1, MANY] {
            let other = drain(open(Cursor::new(packed.to_vec()), limits, threads), size);
            assert_eq!(here.fault, other.fault, "{what}, reads of {size}, {threads} threads");
            let is_same = here == other;
            assert!(is_same, "{what}, reads of {size}, {threads} threads: different octets");
        }
    }
    here
}

#[test]
fn whole_files_and_what_follows_them() {
    let _alone = alone();
    let text = text();
    for (name, mut packed) in every_compression(&text) {
        for (rest, trailing) in [(vec![], 0), (packed.clone(), 0), (b"garbage".to_vec(), 7)] {
            let length = packed.len();
            packed.extend(rest);
            let told = same(&packed, Limits::default(), &[1000, LARGE_READ, 1 << 20], name);
            assert!(told.fault.is_none() && told.octets.starts_with(&text));
            assert_eq!((told.trailing, told.consumed), (trailing, packed.len() as u64), "{name}");
            packed.truncate(length);
        }
    }
}

#[test]
fn cut_files() {
    let _alone = alone();
    let text = text();
    for (name, packed) in every_compression(&text) {
        for part in 0..PLACES {
            let cut = packed.len() * part / PLACES;
            let sizes = [LARGE_READ, 70_000];
            let told = same(&packed[..cut], Limits::default(), &sizes, &format!("{name} {cut}"));
            assert!(text.starts_with(&told.octets));
            assert_eq!(told.fault.is_some(), cut > 0, "{name} cut at {cut}");
        }
    }
}

#[test]
fn damaged_files() {
    let _alone = alone();
    let text = text();
    for (name, packed) in every_compression(&text) {
        for part in 1..PLACES {
            let mut packed = packed.clone();
            let at = packed.len() * part / PLACES;
            packed[at] ^= 0x55;
            let told = same(&packed, Limits::default(), &[LARGE_READ], &format!("{name} {at}"));
            assert!(told.fault.is_some_and(|fault| fault.starts_with("corrupt")), "{name} {at}");
        }
    }
}

#[test]
fn limits_stop_at_the_same_octet() {
    let _alone = alone();
    let text = text();
    let zeros = gzip(&vec![0; 4 << 20]);
    for output_octets_max in [1, 300_000, (256 << 10) - 1, 512 << 10, 1_000_001] {
        let limits = Limits { output_octets_max, ..Limits::default() };
        for (name, packed) in every_compression(&text) {
            let told = same(&packed, limits, &[1000, LARGE_READ, 1 << 20], name);
            assert_eq!(told.octets.len() as u64, output_octets_max);
            assert!(told.fault.is_some_and(|fault| fault.starts_with("output_limit")));
        }
    }
    for ratio_free_octets in [0, 300_000, 1 << 20, 3_900_000] {
        let limits = Limits { ratio_max: 20, ratio_free_octets, ..Limits::default() };
        let told = same(&zeros, limits, &[1000, LARGE_READ, 1 << 20], "zeros");
        assert!(told.fault.is_some_and(|fault| fault.starts_with("ratio_limit")));
        let beyond = told.octets.len() as u64 - ratio_free_octets;
        assert!(beyond <= LARGE_READ as u64, "{beyond} octets too many");
    }
}

/// Notes the threads it is read on, and fails or panics at its end if told to.
struct Watched {
    octets: Cursor<Vec<u8>>,
    threads: Arc<Mutex<BTreeSet<String>>>,
    at_end: fn() -> io::Result<usize>,
}

impl Read for Watched {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let thread: ThreadId = std::thread::current().id();
        self.threads.lock().unwrap().insert(format!("{thread:?}"));
        match self.octets.read(out)? {
            0 => (self.at_end)(),
            count => Ok(count),
        }
    }
}

fn watched(octets: Vec<u8>, at_end: fn() -> io::Result<usize>) -> Watched {
    Watched { octets: Cursor::new(octets), threads: Arc::default(), at_end }
}

/// Reads until an input is read ahead, where it may be.
fn begin(transport: &mut Transport) {
    let mut buffer = vec![0; LARGE_READ];
    for _ in 0..3 {
        assert!(transport.read(&mut buffer).unwrap() > 0);
    }
}

#[test]
fn dropped_early_the_thread_and_the_file_are_gone() {
    let _alone = alone();
    let packed = gzip(&text());
    for _ in 0..50 {
        let source = watched(packed.clone(), || Ok(0));
        let threads = Arc::clone(&source.threads);
        let mut transport = open(source, Limits::default(), MANY);
        begin(&mut transport);
        drop(transport);
        assert_eq!(Arc::strong_count(&threads), 1, "the source is still open");
    }
}

#[test]
fn one_thread_is_one_thread() {
    let _alone = alone();
    let packed = gzip(&text());
    let on = |threads| {
        let source = watched(packed.clone(), || Ok(0));
        let seen = Arc::clone(&source.threads);
        drain(open(source, Limits::default(), threads), LARGE_READ);
        BTreeSet::len(&seen.lock().unwrap())
    };
    assert_eq!(on(1), 1);
    if has_cores() {
        assert_eq!(on(2), 2);
    }
}

#[test]
fn threads_are_fewer_than_cores_however_many_files_are_open() {
    let _alone = alone();
    let packed = gzip(&text());
    let threads = Arc::new(Mutex::new(BTreeSet::new()));
    let opened = (0..40).map(|_| {
        let source = Watched { threads: Arc::clone(&threads), ..watched(packed.clone(), || Ok(0)) };
        let mut transport = open(source, Limits::default(), MANY);
        begin(&mut transport);
        transport
    });
    let opened: Vec<Transport> = opened.collect();
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let seen = threads.lock().unwrap().len();
    assert!(seen <= cores.min(READ_AHEAD_THREADS_MAX + 1), "{seen} threads on {cores} cores");
    drop(opened);
}

#[test]
fn a_failing_source_and_a_panic_come_behind_what_was_read_before() {
    let _alone = alone();
    let text = text();
    let mut packed = gzip(&text);
    packed.truncate(packed.len() - 1000);
    let failing = || watched(packed.clone(), || Err(io::Error::other("medium error")));
    let here = drain(open(failing(), Limits::default(), 1), LARGE_READ);
    let ahead = drain(open(failing(), Limits::default(), MANY), LARGE_READ);
    assert!(here.fault.as_ref().is_some_and(|fault| fault.starts_with("read_failed")));
    assert!(here == ahead && text.starts_with(&here.octets) && !here.octets.is_empty());

    if has_cores() {
        let panicking = watched(packed.clone(), || panic!("a panic that the test asks for"));
        let told = drain(open(panicking, Limits::default(), MANY), LARGE_READ);
        assert!(told.fault.is_some_and(|fault| fault.starts_with("corrupt")));
        assert!(text.starts_with(&told.octets) && told.octets.len() > text.len() / 2);
    }
}

#[test]
fn a_fault_keeps_its_kind() {
    let _alone = alone();
    let mut packed = gzip(&text());
    packed.truncate(packed.len() / 2);
    let mut transport = open(Cursor::new(packed), Limits::default(), MANY);
    let mut buffer = vec![0; LARGE_READ];
    let fault = loop {
        match transport.read(&mut buffer) {
            Ok(count) => assert!(count > 0, "a cut was not told of"),
            Err(fault) => break fault,
        }
    };
    let TransportFault::Truncated { decompressed_octets, compressed_octets, .. } = fault else {
        panic!("{fault:?}");
    };
    assert_eq!(decompressed_octets, transport.decompressed_octets());
    assert_eq!(compressed_octets, transport.compressed_octets());
}
