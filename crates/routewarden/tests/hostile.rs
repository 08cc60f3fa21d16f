//! Hostile input against the real program: it never panics, never takes memory without bound, and
//! says what it lost. Results by hand on larger inputs are in `docs/reference/hostile-input.md`.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts test functions only"
)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

#[path = "../../../fuzz/scenario.rs"]
mod scenario;

/// Address space of the program in KiB: 1 GiB, of which thread stacks and arenas are reserved,
/// not used.
const ADDRESS_SPACE_KIB: &str = "1048576";
/// Octets of a compressed bomb: past what is free of the ratio limit.
const BOMB_OCTETS: usize = 96 << 20;
/// How often the recording is repeated for compressed forms, so that they have several blocks.
const REPEATS: usize = 40;

/// What became of a run.
struct Outcome {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Outcome {
    /// Every run, whatever it was given, ends by itself with one of the documented exit codes.
    fn of(args: &[&str]) -> Outcome {
        let output = Command::new("sh")
            .args(["-c", "ulimit -v $0 && exec \"$@\"", ADDRESS_SPACE_KIB])
            .arg(env!("CARGO_BIN_EXE_routewarden"))
            .args(args)
            .output()
            .unwrap();
        let outcome = Outcome {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        let Outcome { code, stderr, .. } = &outcome;
        assert!(!stderr.contains("panicked"), "{args:?}: {stderr}");
        assert!(matches!(code, Some(0..=3)), "{args:?}: {:?}\n{stderr}", output.status);
        if *code == Some(1) {
            assert!(stderr.contains("routewarden: error: "), "{args:?}: {stderr}");
        }
        outcome
    }

    /// Faults named on standard error: (record, octet, kind).
    fn faults(&self) -> Vec<(u64, u64, String)> {
        let fault = |line: &str| {
            let (_, place) = line.split_once(": record ")?;
            let (record, place) = place.split_once(" at octet ")?;
            let (octet, kind) = place.split_once(": ")?;
            Some((record.parse().ok()?, octet.parse().ok()?, kind.to_owned()))
        };
        self.stderr.lines().filter_map(fault).collect()
    }

    /// The only object of `mrt --count --format json`.
    fn counts(&self) -> Counts {
        let value: Value = serde_json::from_str(self.stdout.trim()).unwrap();
        let count = |name: &str| value[name].as_u64().unwrap();
        Counts {
            records: count("mrt_records"),
            elements: count("announcements") + count("withdrawals"),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    records: u64,
    elements: u64,
}

fn detect(path: &Path) -> Outcome {
    Outcome::of(&["detect", "--no-bogons", path.to_str().unwrap()])
}

fn count(path: &Path) -> Outcome {
    Outcome::of(&["mrt", "--count", "--format", "json", path.to_str().unwrap()])
}

/// The recording that everything here is made from.
fn recording() -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/lab");
    fs::read(root.join("plain/col/updates.mrt")).unwrap()
}

/// Where each record begins, and the end.
fn boundaries(stream: &[u8]) -> Vec<usize> {
    let mut at = vec![0];
    while let Some(length) = stream.get(at[at.len() - 1] + 8..at[at.len() - 1] + 12) {
        let length = u32::from_be_bytes(length.try_into().unwrap());
        at.push(at[at.len() - 1] + 12 + usize::try_from(length).unwrap());
    }
    assert_eq!(at.last(), Some(&stream.len()));
    at
}

/// Files that a test makes.
struct Files(TempDir);

impl Files {
    fn new() -> Files {
        Files(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, octets: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, octets).unwrap();
        path
    }
}

const FORMATS: [&str; 4] = ["gz", "bz2", "xz", "zst"];

fn compress(format: &str, octets: &[u8]) -> Vec<u8> {
    let out = Vec::new();
    match format {
        "gz" => {
            let mut encoder = flate2::write::GzEncoder::new(out, flate2::Compression::fast());
            encoder.write_all(octets).unwrap();
            encoder.finish().unwrap()
        }
        "bz2" => {
            let mut encoder = bzip2::write::BzEncoder::new(out, bzip2::Compression::fast());
            encoder.write_all(octets).unwrap();
            encoder.finish().unwrap()
        }
        "xz" => {
            let mut encoder = liblzma::write::XzEncoder::new(out, 0);
            encoder.write_all(octets).unwrap();
            encoder.finish().unwrap()
        }
        _ => {
            let mut encoder = zstd::Encoder::new(out, 1).unwrap();
            encoder.include_checksum(true).unwrap();
            encoder.write_all(octets).unwrap();
            encoder.finish().unwrap()
        }
    }
}

/// A fixed xorshift: the same damage on every run.
struct Damage(u64);

impl Damage {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    fn flip(&mut self, octets: &mut [u8]) {
        let at = self.below(octets.len());
        octets[at] ^= 1 << self.below(8);
    }
}

#[test]
fn a_plain_file_cut_anywhere_gives_its_whole_records() {
    let files = Files::new();
    let stream = recording();
    let starts = boundaries(&stream);
    for percent in 1..=100 {
        let octets = stream.len() * percent / 100;
        let path = files.write("cut.mrt", &stream[..octets]);
        let whole = starts.iter().skip(1).filter(|&&end| end <= octets).count();
        let is_cut = !starts.contains(&octets);
        for (what, outcome) in [("detect", detect(&path)), ("mrt", count(&path))] {
            let said = &outcome.stderr;
            if whole == 0 {
                assert!(matches!(outcome.code, Some(1 | 3)), "{what} {octets}: {said}");
                assert!(said.contains("cut.mrt"), "{what} {octets}: {said}");
                continue;
            }
            let code = if is_cut { 3 } else { 0 };
            assert_eq!(outcome.code, Some(code), "{what} {octets}: {said}");
            let place = format!("cut.mrt: record {whole} at octet {}: ", starts[whole]);
            assert_eq!(said.contains(&place), is_cut, "{what} {octets}: {said}");
        }
        if whole > 0 {
            let counts = count(&path).counts();
            assert_eq!(counts.records, u64::try_from(whole).unwrap());
            let path = files.write("whole.mrt", &stream[..starts[whole]]);
            assert_eq!(counts, count(&path).counts());
        }
    }
}

fn cut_at_every_percent(format: &str) {
    let files = Files::new();
    let stream = recording().repeat(REPEATS);
    let starts = boundaries(&stream);
    let all = Counts { records: 96 * 40, elements: 97 * 40 };
    let packed = compress(format, &stream);
    let mut before = Counts::default();
    for percent in 1..=100 {
        let octets = packed.len() * percent / 100;
        let path = files.write("cut", &packed[..octets]);
        let (detected, counted) = (detect(&path), count(&path));
        if percent == 100 {
            assert_eq!((detected.code, counted.code), (Some(0), Some(0)), "{format}");
            before = counted.counts();
            continue;
        }
        for (what, outcome) in [("detect", &detected), ("mrt", &counted)] {
            let said = &outcome.stderr;
            assert!(matches!(outcome.code, Some(1 | 3)), "{format} {what} {octets}: {said}");
            assert!(said.contains("cut"), "{format} {what} {octets}: {said}");
            if outcome.code == Some(3) {
                let [(record, octet, kind)] = &outcome.faults()[..] else {
                    panic!("{format} {what} {octets}: {said}")
                };
                assert_eq!(kind, "truncated", "{format} {what} {octets}");
                let at = usize::try_from(*record).unwrap();
                let from_to = starts[at]..*starts.get(at + 1).unwrap_or(&usize::MAX);
                assert!(from_to.contains(&usize::try_from(*octet).unwrap()), "{format} {said}");
                if what == "detect" {
                    assert!(said.contains(&format!(" {record} records, ")), "{said}");
                }
            }
        }
        if counted.code == Some(3) {
            let counts = counted.counts();
            assert!(before.records <= counts.records && before.elements <= counts.elements);
            assert!(counts.records <= all.records && counts.elements <= all.elements);
            before = counts;
        }
        if percent == 99 {
            assert!(before.records > 0, "{format} gives nothing of what came before the cut");
        }
    }
    assert_eq!(before, all);
}

#[test]
fn gzip_cut_anywhere_gives_what_came_before() {
    cut_at_every_percent("gz");
}

#[test]
fn bzip2_cut_anywhere_gives_what_came_before() {
    cut_at_every_percent("bz2");
}

#[test]
fn xz_cut_anywhere_gives_what_came_before() {
    cut_at_every_percent("xz");
}

#[test]
fn zstd_cut_anywhere_gives_what_came_before() {
    cut_at_every_percent("zst");
}

#[test]
fn flipped_bits_in_a_plain_file() {
    let files = Files::new();
    let mut damage = Damage(0x9e37_79b9_7f4a_7c15);
    let stream = recording();
    for number in 0..300 {
        let mut damaged = stream.clone();
        for _ in 0..=number % 3 {
            damage.flip(&mut damaged);
        }
        let path = files.write("flipped.mrt", &damaged);
        let (detected, counted) = (detect(&path), count(&path));
        for outcome in [&detected, &counted] {
            // Named, unless the flip left a sound file: in an address, for instance.
            let is_clean = outcome.code == Some(0) && outcome.faults().is_empty();
            assert!(is_clean || outcome.stderr.contains("flipped.mrt"), "{}", outcome.stderr);
        }
        if counted.code != Some(1) {
            // A prefix has an octet at least, whatever the lengths say.
            assert!(counted.counts().elements <= u64::try_from(stream.len()).unwrap());
        }
    }
}

#[test]
fn flipped_bits_in_compressed_files() {
    let files = Files::new();
    let mut damage = Damage(0x2545_f491_4f6c_dd1d);
    let stream = recording().repeat(REPEATS);
    let most = 97 * u64::try_from(REPEATS).unwrap();
    for format in FORMATS {
        let packed = compress(format, &stream);
        let mut told = 0;
        for _ in 0..60 {
            let mut damaged = packed.clone();
            damage.flip(&mut damaged);
            let outcome = count(&files.write("flipped", &damaged));
            told += u32::from(outcome.code != Some(0));
            if outcome.code == Some(3) {
                assert!(!outcome.faults().is_empty(), "{format}: {}", outcome.stderr);
            }
            // What stands before the fault is sound; a flip cannot make much of it.
            if outcome.code != Some(1) {
                assert!(outcome.counts().elements <= 2 * most, "{format}");
            }
        }
        assert!(told > 40, "{format}: {told} of 60 flips were noticed");
    }
}

/// Incompressible, so that there are many blocks.
#[test]
fn a_large_bzip2_file_cut_or_with_a_flipped_bit() {
    let files = Files::new();
    let mut damage = Damage(7);
    let mut stream = Vec::new();
    for _ in 0..120 {
        stream.extend_from_slice(&recording());
        // A record of a type nobody knows, full of noise, which does not pack.
        stream.extend_from_slice(&[0x60, 0, 0, 0, 0, 99, 0, 0, 0, 0, 80, 0]);
        stream.extend((0..20_480 / 8).flat_map(|_| damage.next().to_be_bytes()));
    }
    let packed = compress("bz2", &stream);
    assert!(packed.len() > 2 << 20);
    let whole = count(&files.write("whole", &packed)).counts();
    assert_eq!(whole, Counts { records: 97 * 120, elements: 97 * 120 });
    let mut before = Counts::default();
    for percent in (5..100).step_by(10) {
        let path = files.write("cut", &packed[..packed.len() * percent / 100]);
        for outcome in [detect(&path), count(&path)] {
            assert_eq!(outcome.code, Some(3), "{percent} %: {}", outcome.stderr);
            assert_eq!(outcome.faults().len(), 1, "{percent} %: {}", outcome.stderr);
            assert_eq!(outcome.faults()[0].2, "truncated", "{percent} %");
        }
        let counts = count(&path).counts();
        assert!(before.records < counts.records && counts.records < whole.records, "{percent} %");
        before = counts;
    }
    for _ in 0..10 {
        let mut damaged = packed.clone();
        damage.flip(&mut damaged);
        let path = files.write("flipped", &damaged);
        for outcome in [detect(&path), count(&path)] {
            assert_ne!(outcome.code, Some(0), "{}", outcome.stderr);
        }
    }
}

/// Offset in the first record of the UPDATE's body: MRT and BGP4MP headers, BGP header.
const BODY: usize = 12 + 20 + 19;

/// The recording with octets replaced at an offset.
fn replaced(at: usize, octets: &[u8]) -> Vec<u8> {
    let mut stream = recording();
    stream[at..at + octets.len()].copy_from_slice(octets);
    stream
}

/// What is wrong, where, and the octets there.
type Wrong = (&'static str, usize, &'static [u8]);

#[test]
fn wrong_lengths_inside_a_record_cost_that_record_only() {
    // The first record, octets from BODY: no withdrawn routes (0000), attributes (0014):
    // ORIGIN 40 01 01 00, AS_PATH 40 02 06 02 01 asn4, NEXT_HOP 40 03 04 addr4, NLRI 1a c0000200.
    let (attributes, path, nlri) = (BODY + 4, BODY + 8, BODY + 24);
    let cases: [Wrong; 18] = [
        ("withdrawn length 65535", BODY, &[0xff, 0xff]),
        ("withdrawn length 1", BODY, &[0, 1]),
        ("attributes length 65535", BODY + 2, &[0xff, 0xff]),
        ("attributes length one more", BODY + 2, &[0, 21]),
        ("attributes length one less", BODY + 2, &[0, 19]),
        ("ORIGIN length 0", attributes + 2, &[0]),
        ("ORIGIN length 255", attributes + 2, &[255]),
        ("AS_PATH length one less", path + 2, &[5]),
        ("AS_PATH length one more", path + 2, &[7]),
        ("AS_PATH extended length 65535", path, &[0x50, 2, 0xff, 0xff]),
        ("path segment of 255 ASNs", path + 4, &[255]),
        ("path segment of 0 ASNs", path + 4, &[0]),
        ("path segment of type 9", path + 3, &[9]),
        ("NEXT_HOP length 5", nlri - 5, &[5]),
        ("NLRI length 33", nlri, &[33]),
        ("NLRI length 129", nlri, &[129]),
        ("NLRI length 255", nlri, &[255]),
        ("BGP length 18", BODY - 3, &[0, 18]),
    ];
    let files = Files::new();
    let whole = count(&files.write("whole.mrt", &recording())).counts();
    for (what, at, octets) in cases {
        let path = files.write("wrong.mrt", &replaced(at, octets));
        for outcome in [detect(&path), count(&path)] {
            let faults = outcome.faults();
            assert!(!faults.is_empty(), "{what}: {}", outcome.stderr);
            assert!(faults.iter().all(|fault| (fault.0, fault.1) == (0, 0)), "{what}: {faults:?}");
            assert!(outcome.stderr.contains("wrong.mrt: record 0 at octet 0: "), "{what}");
            let is_prefix = what.starts_with("NLRI");
            assert!(!is_prefix || faults[0].2 == "nlri_malformed", "{what}: {faults:?}");
        }
        let counts = count(&path).counts();
        // Its one route is lost, kept, or withdrawn; an odd octet may read as another.
        assert_eq!(counts.records, whole.records, "{what}");
        let elements = whole.elements - 1..=whole.elements + 4;
        assert!(elements.contains(&counts.elements), "{what}: {counts:?}");
    }
}

#[test]
fn a_lost_record_is_counted_once() {
    let files = Files::new();
    let path = files.write("lost.mrt", &replaced(BODY - 3, &[0, 18]));
    let outcome = Outcome::of(&["mrt", "--count", path.to_str().unwrap()]);
    let row: Vec<&str> = outcome.stdout.lines().last().unwrap().split_whitespace().collect();
    let faults = row[row.len() - 2];
    assert_eq!(faults, "1", "{}", outcome.stdout);
    assert!(outcome.stderr.contains("lost: 1 (malformed_bgp_header 1)"), "{}", outcome.stderr);
}

#[test]
fn wrong_lengths_of_a_record() {
    let files = Files::new();
    let starts = boundaries(&recording());
    let length = u32::try_from(starts[11] - starts[10] - 12).unwrap();
    let lengths = [0, 1, length - 1, length + 1, length + 5000, 17 << 20, (1 << 30) + 1, u32::MAX];
    for wrong in lengths {
        let path = files.write("wrong.mrt", &replaced(starts[10] + 8, &wrong.to_be_bytes()));
        for outcome in [detect(&path), count(&path)] {
            // What follows is read at wrong offsets; that it goes wrong is told.
            let faults = outcome.faults();
            let first = faults.first().map_or(0, |fault| fault.0);
            assert!((10..=11).contains(&first), "length {wrong}: {}", outcome.stderr);
            if wrong > length {
                assert_eq!(outcome.code, Some(3), "length {wrong}: {}", outcome.stderr);
            }
        }
        assert!(count(&path).counts().records >= 10, "length {wrong}");
    }
}

#[test]
fn what_is_no_mrt_file_is_an_error_that_names_it() {
    let files = Files::new();
    let mut damage = Damage(42);
    let random: Vec<u8> =
        (0..5000).flat_map(|_| damage.next().to_be_bytes()).map(|octet| octet | 1).collect();
    fs::create_dir(files.path("directory")).unwrap();
    let paths = [
        files.write("random", &random),
        files.write("text", b"This is no MRT file, but a letter to the operator.\n"),
        files.write("short", b"abc"),
        files.write("json", b"{\"roas\": []}"),
        files.write("magic.gz", &[0x1f, 0x8b, 8]),
        files.write("magic.bz2", b"BZh9"),
        files.write("magic.xz", &[0xfd, b'7', b'z', b'X', b'Z', 0]),
        files.write("magic.zst", &[0x28, 0xb5, 0x2f, 0xfd]),
        files.write("text.gz", &compress("gz", b"A letter, well packed.")),
        files.path("directory"),
        files.path("missing"),
        files.path("missing-*"),
    ];
    for path in paths {
        for outcome in [detect(&path), count(&path)] {
            let said = &outcome.stderr;
            assert_eq!(outcome.code, Some(1), "{}: {said}", path.display());
            assert!(said.contains(path.to_str().unwrap()), "{}: {said}", path.display());
        }
        // Passed over when so told, and the rest is read.
        let good = files.write("good.mrt", &recording());
        let [bad, good] = [&path, &good].map(|path| path.to_str().unwrap());
        let outcome = Outcome::of(&["mrt", "--count", "--format=json", "--keep-going", bad, good]);
        assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("skipped: "), "{}", outcome.stderr);
        assert_eq!(outcome.counts().records, 96);
        let outcome = Outcome::of(&["detect", "--keep-going", bad, good]);
        assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(bad), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(" 96 records, "), "{}", outcome.stderr);
    }
}

#[test]
fn an_empty_file_is_told() {
    let files = Files::new();
    let path = files.write("empty.mrt", b"");
    for outcome in [detect(&path), count(&path)] {
        assert!(outcome.stderr.contains("empty.mrt"), "{}", outcome.stderr);
    }
}

#[test]
fn joined_members_are_one_stream_and_garbage_after_them_is_told() {
    let files = Files::new();
    for format in FORMATS {
        let packed = compress(format, &recording());
        let joined = files.write("joined", &[&packed[..], &packed].concat());
        let outcome = count(&joined);
        assert_eq!((outcome.code, outcome.counts().records), (Some(0), 192), "{format}");
        let trailing = files.write("trailing", &[&packed[..], b"garbage"].concat());
        for outcome in [detect(&trailing), count(&trailing)] {
            let said = &outcome.stderr;
            assert!(matches!(outcome.code, Some(0 | 3)), "{format}: {said}");
            assert!(said.contains("trailing_octets"), "{format}: {said}");
        }
        assert_eq!(count(&trailing).counts().records, 96, "{format}");
    }
}

#[test]
fn a_bomb_ends_at_the_ratio_limit_and_what_came_before_counts() {
    let files = Files::new();
    let mut stream = recording();
    stream.resize(BOMB_OCTETS, 0);
    for format in FORMATS {
        let path = files.write("bomb", &compress(format, &stream));
        for outcome in [detect(&path), count(&path)] {
            let said = &outcome.stderr;
            assert_eq!(outcome.code, Some(3), "{format}: {said}");
            assert!(said.contains("bomb: record "), "{format}: {said}");
            assert!(said.contains(": ratio_limit"), "{format}: {said}");
        }
        assert_eq!(count(&path).counts().elements, 97, "{format}");
    }
}

/// One record, as large as a record may be, full of prefixes of length 0: an octet each.
#[test]
fn a_record_full_of_the_shortest_prefixes() {
    let files = Files::new();
    let mut body = vec![0, 64, 192, 0, 2, 1, 0, 65, 192, 0, 2, 2];
    body.extend_from_slice(&[0, 0, 0, 18]);
    body.extend_from_slice(&[0x40, 1, 1, 0, 0x40, 2, 4, 2, 1, 0, 64, 0x40, 3, 4, 192, 0, 2, 1]);
    body.resize(16 << 20, 0);
    // Type BGP, subtype UPDATE: the message stands without a header that limits its length.
    let mut stream = [&[0x47, 0, 0, 0, 0, 5, 0, 1, 1, 0, 0, 0][..], &body].concat();
    stream.extend_from_slice(&recording());
    let path = files.write("prefixes.mrt", &stream);
    for outcome in [detect(&path), count(&path)] {
        assert!(matches!(outcome.code, Some(0 | 3)), "{}", outcome.stderr);
    }
    assert_eq!(count(&path).counts().records, 97);
}

#[test]
fn wrong_usage_is_exit_2() {
    for args in [
        &["detect"][..],
        &["detect", "--quorum", "many", "x"],
        &["mrt", "--format", "none", "x"],
        &["validate", "192.0.2.0/33", "64496", "--vrps", "x"],
        &["no-such-verb"],
    ] {
        assert_eq!(Outcome::of(args).code, Some(2), "{args:?}");
    }
}

fn vrps() -> Vec<u8> {
    let entry = |n: u32| {
        format!(
            r#"{{"asn":{},"prefix":"10.{}.{}.0/24","maxLength":24,"ta":"lab","expires":1}}"#,
            64496 + n % 16,
            n / 256,
            n % 256
        )
    };
    let entries: Vec<String> = (0..300).map(entry).collect();
    let time = r#"{"buildtime":"2030-01-01T00:00:00Z"}"#;
    format!(r#"{{"metadata":{time},"roas":[{}]}}"#, entries.join(",\n")).into_bytes()
}

fn validate(path: &Path) -> Outcome {
    let path = path.to_str().unwrap();
    let outcome = Outcome::of(&["validate", "10.0.1.0/24", "64497", "--vrps", path]);
    if outcome.code != Some(0) {
        assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(path), "{}", outcome.stderr);
    }
    outcome
}

#[test]
fn facts_that_are_cut_are_not_used() {
    let files = Files::new();
    let whole = vrps();
    let packed = compress("gz", &whole);
    for percent in 0..100 {
        let cut = files.write("vrps.json", &whole[..whole.len() * percent / 100]);
        assert_eq!(validate(&cut).code, Some(1), "{percent} %");
        let cut = files.write("vrps.json.gz", &packed[..packed.len() * percent / 100]);
        assert_eq!(validate(&cut).code, Some(1), "{percent} % gz");
    }
    assert_eq!(validate(&files.write("vrps.json", &whole)).code, Some(0));
}

#[test]
fn facts_with_flipped_bits() {
    let files = Files::new();
    let mut damage = Damage(0xdead_beef_cafe_f00d);
    for _ in 0..200 {
        let mut damaged = vrps();
        damage.flip(&mut damaged);
        validate(&files.write("vrps.json", &damaged));
    }
}

#[test]
fn facts_without_end_stop_at_a_limit() {
    let files = Files::new();
    let deep = [b"{\"roas\":".to_vec(), vec![b'['; 200_000]].concat();
    let long = [b"{\"roas\":[\"".to_vec(), vec![b'x'; 2 << 20]].concat();
    let blank = [b"{\"roas\":[".to_vec(), vec![b' '; BOMB_OCTETS]].concat();
    for (name, octets, says) in [
        ("deep", deep, "nested more than 32 deep"),
        ("long", long, "JSON string or number of more than 65536 octets"),
        ("blank", compress("gz", &blank), "decompression bomb"),
    ] {
        let outcome = validate(&files.write(name, &octets));
        assert_eq!(outcome.code, Some(1));
        assert!(outcome.stderr.contains(says), "{}", outcome.stderr);
    }
}

/// A target and its body.
type Target = (&'static str, fn(&[u8]));

#[test]
fn the_corpora_of_the_fuzz_targets() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let facts = |octets: &[u8]| {
        if let Some((&kind, file)) = octets.split_first() {
            routewarden_feeds::facts::fuzz::facts(kind, file);
        }
    };
    let targets: [Target; 5] = [
        ("mrt_record", routewarden_wire::fuzz::mrt_record),
        ("bgp_update", routewarden_wire::fuzz::bgp_update),
        ("bzip2", |octets| drop(routewarden_feeds::transport::fuzz::bzip2(octets))),
        ("facts", facts),
        ("scenario_toml", scenario::scenario),
    ];
    for (name, body) in targets {
        let mut inputs: Vec<PathBuf> =
            fs::read_dir(corpus.join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        inputs.sort();
        assert!(inputs.len() >= 10, "{name}");
        for input in inputs {
            body(&fs::read(input).unwrap());
        }
    }
}
