//! The bzip2 decoder against another one, and on files made to be hard.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    reason = "test code: helpers outside of #[test] functions"
)]

mod common;

use std::fs::File;
use std::io::{Cursor, Read, Write};
use std::num::NonZeroUsize;
use std::sync::Arc;

use proptest::prelude::*;
use routewarden_feeds::transport::{Limits, Transport, TransportFault};

const BLOCK_MAGIC: u64 = 0x3141_5926_5359;
const END_MAGIC: u64 = 0x1772_4538_5090;

fn compress(octets: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::new(level));
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

/// What the other decoder reads; `None` when it finds an error.
fn reference(packed: &[u8]) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    bzip2::read::MultiBzDecoder::new(packed).read_to_end(&mut all).ok().map(|_| all)
}

fn no_limits() -> Limits {
    Limits { ratio_max: u64::MAX, ..Limits::default() }
}

fn open(packed: Vec<u8>, threads: usize) -> Transport {
    let transport =
        Transport::from_reader(Box::new(Cursor::new(packed)), no_limits(), Arc::default());
    transport.unwrap().with_threads(NonZeroUsize::new(threads).unwrap())
}

fn drain(transport: &mut Transport, size: usize) -> (Vec<u8>, Option<TransportFault>) {
    let (mut all, mut buffer) = (Vec::new(), vec![0; size]);
    loop {
        match transport.read(&mut buffer) {
            Ok(0) => return (all, None),
            Ok(octets) => all.extend_from_slice(&buffer[..octets]),
            Err(fault) => return (all, Some(fault)),
        }
    }
}

/// What is read on one thread, and on two, which must be the same.
fn read(packed: &[u8]) -> (Vec<u8>, Option<&'static str>) {
    let (alone, fault) = drain(&mut open(packed.to_vec(), 1), 70_000);
    let (helped, fault_helped) = drain(&mut open(packed.to_vec(), 2), 4096);
    assert!(alone == helped, "{} and {} octets", alone.len(), helped.len());
    let kind = fault.map(|fault| fault.kind());
    assert_eq!(kind, fault_helped.map(|fault| fault.kind()));
    (alone, kind)
}

fn assert_reads(packed: &[u8], octets: &[u8], what: &str) {
    let (all, fault) = read(packed);
    assert_eq!(fault, None, "{what}");
    assert!(all == octets, "{what}: {} octets for {}", all.len(), octets.len());
}

/// Octets without structure, the same every time, below `bound`.
fn noise(count: usize, bound: u8) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8 % bound
    };
    (0..count).map(|_| next()).collect()
}

/// A stream as single bits.
struct Bits(Vec<bool>);

impl Bits {
    fn of(octets: &[u8]) -> Self {
        Bits(
            octets
                .iter()
                .flat_map(|octet| (0..8).rev().map(move |at| octet >> at & 1 == 1))
                .collect(),
        )
    }

    fn octets(&self) -> Vec<u8> {
        let octet = |bits: &[bool]| {
            let value = bits.iter().fold(0, |octet, bit| octet << 1 | u8::from(*bit));
            value << (8 - bits.len())
        };
        self.0.chunks(8).map(octet).collect()
    }

    fn get(&self, from: usize, count: usize) -> u64 {
        self.0[from..from + count].iter().fold(0, |bits, bit| bits << 1 | u64::from(*bit))
    }

    fn set(&mut self, from: usize, count: usize, value: u64) {
        for at in 0..count {
            self.0[from + at] = value >> (count - 1 - at) & 1 == 1;
        }
    }

    fn find(&self, magic: u64) -> usize {
        (0..self.0.len() - 48).rev().find(|at| self.get(*at, 48) == magic).unwrap()
    }
}

/// Puts selectors that are never used into the first block, which spell the magics.
fn with_magics_inside(packed: &[u8], magics: &[u64]) -> Vec<u8> {
    let mut bits = Bits::of(packed);
    let mut at = 32 + 48 + 32 + 1 + 24;
    at += 16 + 16 * bits.get(at, 16).count_ones() as usize;
    let tables = bits.get(at, 3);
    assert!(tables >= 4, "the magics need four tables");
    let count = bits.get(at + 3, 15);
    let mut end = at + 18;
    for _ in 0..count {
        while bits.0[end] {
            end += 1;
        }
        end += 1;
    }
    let mut more = Vec::new();
    for magic in magics {
        more.extend((0..48).rev().map(|at| magic >> at & 1 == 1));
        more.push(false);
    }
    let added = more.iter().filter(|bit| !**bit).count() as u64;
    bits.set(at + 3, 15, count + added);
    let behind = bits.0.split_off(end);
    // The padding at the end of the stream is made anew.
    let stream_end = Bits(behind.clone()).find(END_MAGIC) + 80;
    bits.0.extend(more);
    bits.0.extend(&behind[..stream_end]);
    bits.octets()
}

#[test]
fn lengths_around_every_limit_are_read() {
    let mut cases: Vec<Vec<u8>> = vec![vec![], vec![7], b"ab".to_vec(), b"abab".repeat(5000)];
    for run in (1..=12).chain(250..=264).chain([300, 515, 518, 519, 1000]) {
        cases.push(vec![b'x'; run]);
        let between = [&b"ab"[..], &vec![0; run], b"cd", &vec![255; run], &vec![0; run]].concat();
        cases.push(between);
    }
    for length in [99_970, 99_980, 99_981, 99_982, 100_000, 199_962, 199_963, 200_000] {
        cases.push(noise(length, 255));
        cases.push(b"abc".repeat(length / 3));
    }
    cases.push((0..=255).collect());
    cases.push(noise(1_000_000, 2));
    for octets in cases {
        assert_reads(&compress(&octets, 1), &octets, &format!("{} octets", octets.len()));
    }
}

#[test]
fn all_levels_are_read_alone_and_joined() {
    let octets = [noise(800_000, 60), vec![0; 300_000], noise(1_100_000, 7)].concat();
    let (mut joined, mut expected) = (Vec::new(), Vec::new());
    for level in 1..=9 {
        let packed = compress(&octets, level);
        assert_reads(&packed, &octets, &format!("level {level}"));
        joined.extend_from_slice(&compress(&octets[..level as usize * 1000], 10 - level));
        joined.extend_from_slice(&compress(&[], level));
        expected.extend_from_slice(&octets[..level as usize * 1000]);
    }
    joined.extend_from_slice(&compress(&octets, 9));
    assert_reads(&joined, &[expected, octets].concat(), "joined");
}

#[test]
fn a_block_longer_than_its_level_is_corrupt() {
    let octets = noise(150_000, 200);
    let mut packed = compress(&octets, 9);
    packed[3] = b'1';
    assert_eq!(read(&packed), (vec![], Some("corrupt")));
    assert_eq!(reference(&packed), None);
}

#[test]
fn randomised_blocks_are_read() {
    // Without runs of four, the octets that are inverted are those of the text itself.
    let octets: Vec<u8> = (0..90_000u32).flat_map(|n| [n as u8, (n >> 8) as u8 | 2, 9]).collect();
    let mut bits = Bits::of(&compress(&octets, 9));
    bits.set(32 + 48 + 32, 1, 1);
    let packed = bits.octets();
    // The CRC is not that of what comes out: any decoder refuses the block.
    assert_eq!(read(&packed), (vec![], Some("corrupt")));
    let randomised = randomised(&octets);
    let crc = Bits::of(&compress(&randomised, 9)).get(32 + 48, 32);
    bits.set(32 + 48, 32, crc);
    let end = bits.find(END_MAGIC);
    bits.set(end + 48, 32, crc);
    let packed = bits.octets();
    assert!(reference(&packed).unwrap() == randomised);
    assert_reads(&packed, &randomised, "randomised");
}

/// What the other decoder makes of a block that is marked as randomised, before it finds that the
/// CRC is wrong.
fn randomised(octets: &[u8]) -> Vec<u8> {
    let mut bits = Bits::of(&compress(octets, 9));
    bits.set(32 + 48 + 32, 1, 1);
    let mut all = octets.to_vec();
    // With the last octet it would find the CRC wrong; that octet is not one of those inverted.
    let most = all.len() - 1;
    let packed = bits.octets();
    bzip2::read::BzDecoder::new(packed.as_slice()).read_exact(&mut all[..most]).unwrap();
    assert!(all != octets);
    all
}

#[test]
fn a_magic_by_chance_ends_no_block() {
    let octets = noise(350_000, 90);
    let packed = compress(&octets, 1);
    for magics in [
        &[BLOCK_MAGIC][..],
        &[END_MAGIC],
        &[BLOCK_MAGIC, END_MAGIC, BLOCK_MAGIC],
        &[BLOCK_MAGIC; 40],
        &[END_MAGIC; 300],
    ] {
        let hard = with_magics_inside(&packed, magics);
        assert!(reference(&hard).unwrap() == octets, "the file is good");
        assert_reads(&hard, &octets, &format!("{} magics", magics.len()));
        let joined = [&packed[..], &hard, &packed].concat();
        assert_reads(&joined, &octets.repeat(3), "between good ones");
        // Cut in the block that holds them.
        let (all, fault) = read(&hard[..40_000]);
        assert_eq!((all.len(), fault), (0, Some("truncated")));
    }
}

#[test]
fn a_cut_at_every_percent_gives_the_whole_blocks_before_it() {
    let octets = noise(450_000, 90);
    let packed = compress(&octets, 1);
    let bits = Bits::of(&packed);
    let starts: Vec<usize> = (0..bits.0.len() - 48)
        .filter(|at| matches!(bits.get(*at, 48), BLOCK_MAGIC | END_MAGIC))
        .collect();
    assert_eq!(starts.len(), 6);
    let near = starts.iter().flat_map(|start| (start / 8 - 3)..(start / 8 + 20));
    for cut in (4..100).map(|percent| packed.len() * percent / 100).chain(near) {
        let cut = cut.clamp(4, packed.len() - 1);
        let (all, fault) = read(&packed[..cut]);
        assert_eq!(fault, Some("truncated"), "{cut}");
        let whole = starts.iter().skip(1).filter(|start| cut * 8 >= **start).count();
        assert!(octets.starts_with(&all), "{cut}");
        assert_eq!(all.len().div_ceil(100_000), whole, "{cut}");
    }
}

#[test]
fn what_stands_before_damage_is_given() {
    let octets = noise(450_000, 90);
    let packed = compress(&octets, 1);
    for at in (0..packed.len())
        .step_by(packed.len() / 150)
        .chain(0..150)
        .chain(packed.len() - 20..packed.len())
    {
        for bit in [0, 3, 7] {
            let mut damaged = packed.clone();
            damaged[at] ^= 1 << bit;
            if at < 4 {
                continue;
            }
            let (all, fault) = read(&damaged);
            assert!(octets.starts_with(&all), "{at}");
            let is_harmless = all == octets && fault.is_none();
            assert!(
                is_harmless || matches!(fault, Some("corrupt" | "truncated")),
                "{at} {fault:?}"
            );
            let before = (at * 8 * 450_000 / packed.len() / 8).saturating_sub(220_000);
            assert!(all.len() >= before, "{at}: {} octets", all.len());
        }
    }
}

#[test]
fn a_wrong_crc_of_the_stream_is_corrupt() {
    let octets = noise(250_000, 90);
    let mut bits = Bits::of(&compress(&octets, 1));
    let crc = bits.find(END_MAGIC) + 48;
    bits.0[crc + 5] ^= true;
    let (all, fault) = read(&bits.octets());
    assert_eq!(fault, Some("corrupt"));
    assert!(all == octets);
}

#[test]
fn what_follows_the_last_member_is_passed_over() {
    let octets = noise(250_000, 90);
    let packed = compress(&octets, 1);
    let garbage = noise(9 << 20, 255);
    for (tail, trailing) in [
        (vec![0; 10 << 20], 10 << 20),
        (b"BZ".to_vec(), 2),
        (b"BZhx and more".to_vec(), 13),
        (garbage.clone(), garbage.len()),
        ([&[0; 5][..], &garbage].concat(), garbage.len() + 5),
    ] {
        for threads in [1, 2] {
            let whole = [&packed[..], &tail].concat();
            let length = whole.len() as u64;
            let mut transport = open(whole, threads);
            let (all, fault) = drain(&mut transport, 100_000);
            assert!(fault.is_none() && all == octets, "{fault:?}");
            assert_eq!(transport.trailing_octets(), trailing as u64);
            assert_eq!(transport.compressed_octets(), length);
        }
    }
    for (tail, kind) in
        [(&b"BZh9"[..], "truncated"), (b"BZh91AY", "truncated"), (b"BZh9xyzzyx", "corrupt")]
    {
        let (all, fault) = read(&[&packed[..], tail].concat());
        assert!(fault == Some(kind) && all == octets, "{tail:?} {fault:?}");
    }
    // A member behind long padding, wherever that ends.
    for zeros in ((4 << 20) - 40..(4 << 20) + 8).step_by(3) {
        let joined = [&packed[..], &vec![0; zeros], &packed].concat();
        let mut transport = open(joined, 1);
        let (all, fault) = drain(&mut transport, 100_000);
        assert!(fault.is_none() && all == octets.repeat(2), "{zeros} {fault:?}");
        assert_eq!(transport.trailing_octets(), zeros as u64);
    }
}

#[test]
fn readers_dropped_early_leave_room_for_others() {
    let octets = noise(1_500_000, 90);
    let packed = compress(&octets, 1);
    let mut held = Vec::new();
    for round in 0..60 {
        let mut transport = open(packed.clone(), 8);
        let mut buffer = vec![0; 200_000];
        for _ in 0..3 {
            assert!(transport.read(&mut buffer).unwrap() > 0);
        }
        if round % 2 == 0 {
            held.push(transport);
        }
    }
    // However many blocks the held ones have in flight, all are read to their end.
    for mut transport in held {
        let (all, fault) = drain(&mut transport, 1 << 20);
        assert!(fault.is_none() && octets.ends_with(&all));
    }
}

#[test]
fn many_readers_at_once() {
    let octets = Arc::new(noise(1_500_000, 90));
    let packed = compress(&octets, 1);
    let read = |packed: Vec<u8>, octets: Arc<Vec<u8>>| {
        move || {
            let (all, fault) = drain(&mut open(packed, 8), 50_000);
            assert!(fault.is_none() && all == *octets);
        }
    };
    let readers: Vec<_> =
        (0..6).map(|_| std::thread::spawn(read(packed.clone(), Arc::clone(&octets)))).collect();
    for reader in readers {
        reader.join().unwrap();
    }
}

/// Text of pieces: runs, noise, and repetitions.
fn shapes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        (any::<u8>(), 1usize..600).prop_map(|(octet, count)| vec![octet; count]),
        (0usize..3000, 1u8..=255).prop_map(|(count, bound)| noise(count, bound)),
        (prop::collection::vec(any::<u8>(), 1..40), 1usize..400)
            .prop_map(|(octets, times)| octets.repeat(times)),
        prop::collection::vec(0u8..3, 0..2000),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_was_compressed_comes_out(octets in shapes(), level in 1u32..=9, size in 1usize..5000) {
        let packed = compress(&octets, level);
        let (all, fault) = drain(&mut open(packed, 2), size);
        prop_assert!(fault.is_none() && all == octets);
    }

    #[test]
    fn damage_gives_an_error_or_what_the_other_decoder_reads(
        octets in shapes(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0u8..8), 1..4),
    ) {
        let mut packed = compress(&octets, 1);
        for (at, bit) in flips {
            let at = at.index(packed.len() - 4) + 4;
            packed[at] ^= 1 << bit;
        }
        let (all, fault) = read(&packed);
        prop_assert!(octets.starts_with(&all));
        if fault.is_none() {
            prop_assert!(all == octets);
        }
    }
}

#[test]
fn real_files_are_read_as_the_other_decoder_reads_them() {
    let mut count = 0;
    for folder in ["mrt", "mrt/route-views2-20080224", "rpki"] {
        let Some(folder) = common::data(folder) else { return };
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "bz2") {
                continue;
            }
            let mut other = bzip2::read::MultiBzDecoder::new(File::open(&path).unwrap());
            let mut ours = Transport::open(&path, Limits::default(), Arc::default()).unwrap();
            let (mut expected, mut given) = (vec![0; 1 << 20], vec![0; 1 << 20]);
            loop {
                let held = ours.read(&mut given).unwrap();
                if held == 0 {
                    break;
                }
                other.read_exact(&mut expected[..held]).unwrap();
                assert!(given[..held] == expected[..held], "{}", path.display());
            }
            assert_eq!(other.read(&mut expected).unwrap(), 0, "{}", path.display());
            count += 1;
        }
    }
    assert!(count >= 26, "{count} files");
}
