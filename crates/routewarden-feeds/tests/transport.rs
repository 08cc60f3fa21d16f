//! Every compression, every cut, and bombs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    clippy::let_underscore_must_use,
    clippy::cast_possible_truncation,
    reason = "test code: helpers outside of #[test] functions"
)]

use std::io::{self, Cursor, Read, Write};
use std::sync::Arc;

use routewarden_feeds::transport::{Compression, Limits, Progress, Transport, TransportFault};

const ALL: [Compression; 5] =
    [Compression::Plain, Compression::Gzip, Compression::Bzip2, Compression::Xz, Compression::Zstd];

/// Text that compresses about as well as real dumps.
fn text(lines: u32) -> Vec<u8> {
    (0..lines)
        .flat_map(|n| format!("{n} {}\n", n.wrapping_mul(2_654_435_761)).into_bytes())
        .collect()
}

fn compress(compression: Compression, octets: &[u8]) -> Vec<u8> {
    match compression {
        Compression::Plain => octets.to_vec(),
        Compression::Gzip => {
            let level = flate2::Compression::fast();
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
            encoder.write_all(octets).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Bzip2 => {
            // Blocks of 100 kB, so that a cut leaves some of them whole.
            let level = bzip2::Compression::fast();
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), level);
            encoder.write_all(octets).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Xz => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
            encoder.write_all(octets).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Zstd => {
            let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
            encoder.include_checksum(true).unwrap();
            encoder.write_all(octets).unwrap();
            encoder.finish().unwrap()
        }
    }
}

fn open(octets: Vec<u8>, limits: Limits) -> Transport {
    Transport::from_reader(Box::new(Cursor::new(octets)), limits, Arc::default()).unwrap()
}

/// All that can be read, and why it ended.
fn drain(transport: &mut Transport) -> (Vec<u8>, Option<TransportFault>) {
    let mut all = Vec::new();
    let mut buffer = vec![0; 10_000];
    loop {
        match transport.read(&mut buffer) {
            Ok(0) => return (all, None),
            Ok(octets) => all.extend_from_slice(&buffer[..octets]),
            Err(fault) => {
                assert_eq!(transport.read(&mut buffer).unwrap(), 0, "a fault is the end");
                return (all, Some(fault));
            }
        }
    }
}

#[test]
fn every_compression_round_trips_whatever_the_size_of_reads() {
    let text = text(50_000);
    for compression in ALL {
        let packed = compress(compression, &text);
        let length = packed.len() as u64;
        let mut transport = open(packed, Limits::default());
        assert_eq!(transport.compression(), compression);
        let (all, fault) = drain(&mut transport);
        assert!(fault.is_none() && all == text, "{compression}: {fault:?}");
        assert_eq!(transport.decompressed_octets(), text.len() as u64);
        assert_eq!(transport.compressed_octets(), length, "{compression}");
        assert_eq!(transport.trailing_octets(), 0);
    }
}

#[test]
fn joined_members_are_one_stream() {
    let (first, second) = (text(3000), text(20));
    for compression in ALL {
        let mut packed = compress(compression, &first);
        packed.extend(compress(compression, &[]));
        packed.extend(compress(compression, &second));
        let mut transport = open(packed, Limits::default());
        let (all, fault) = drain(&mut transport);
        assert!(fault.is_none(), "{compression}: {fault:?}");
        assert_eq!(all, [first.as_slice(), &second].concat(), "{compression}");
        assert_eq!(transport.trailing_octets(), 0, "{compression}");
    }
}

#[test]
fn octets_after_the_last_member_are_passed_over_and_counted() {
    let text = text(500);
    for (garbage, trailing) in [(vec![0; 300_000], 300_000), (b"garbage".to_vec(), 7), (vec![0], 1)]
    {
        for compression in &ALL[1..] {
            let mut packed = compress(*compression, &text);
            packed.extend(&garbage);
            let mut transport = open(packed, Limits::default());
            let (all, fault) = drain(&mut transport);
            assert!(fault.is_none() && all == text, "{compression}: {fault:?}");
            let is_padding = *compression == Compression::Xz && garbage.len() == 300_000;
            let expected = if is_padding { 0 } else { trailing };
            assert_eq!(transport.trailing_octets(), expected, "{compression}");
        }
    }
}

#[test]
fn a_member_after_zero_padding_is_read() {
    let text = text(500);
    let mut packed = compress(Compression::Gzip, &text);
    packed.extend([0; 512]);
    packed.extend(compress(Compression::Gzip, b"more"));
    let mut transport = open(packed, Limits::default());
    let (all, fault) = drain(&mut transport);
    assert!(fault.is_none());
    assert!(all.ends_with(b"more") && all.len() == text.len() + 4);
    assert_eq!(transport.trailing_octets(), 512);
}

#[test]
fn a_cut_at_every_percent_gives_what_came_before_it() {
    let text = text(40_000);
    for compression in &ALL[1..] {
        let packed = compress(*compression, &text);
        let mut longest = 0;
        for percent in 1..100 {
            let cut = packed.len() * percent / 100;
            let mut transport = open(packed[..cut].to_vec(), Limits::default());
            let (all, fault) = drain(&mut transport);
            assert!(text.starts_with(&all), "{compression} at {percent} %");
            assert!(all.len() >= longest, "{compression} at {percent} %: less than with less");
            longest = all.len();
            let Some(TransportFault::Truncated { compressed_octets, decompressed_octets, .. }) =
                fault
            else {
                panic!("{compression} at {percent} %: {fault:?}");
            };
            assert_eq!(decompressed_octets, all.len() as u64);
            assert!(compressed_octets <= cut as u64);
            assert_eq!(transport.compressed_octets(), compressed_octets);
        }
        // A whole block may be lost, never more than the last one.
        let lost = text.len() - longest;
        let block = match compression {
            Compression::Bzip2 => 110_000,
            Compression::Zstd => 200_000,
            _ => 30_000,
        };
        assert!(lost < block, "{compression}: {lost} octets lost of {}", text.len());
    }
}

#[test]
fn damage_is_told_from_a_cut() {
    let text = text(40_000);
    for compression in &ALL[1..] {
        let mut packed = compress(*compression, &text);
        let middle = packed.len() / 2;
        for octet in &mut packed[middle..middle + 16] {
            *octet ^= 0x55;
        }
        let (_, fault) = drain(&mut open(packed, Limits::default()));
        let fault = fault.unwrap();
        assert_eq!(fault.kind(), "corrupt", "{compression}: {fault:?}");
    }
}

#[test]
fn a_wrong_checksum_is_corrupt() {
    let mut packed = compress(Compression::Gzip, &text(100));
    let crc = packed.len() - 6;
    packed[crc] ^= 1;
    let (_, fault) = drain(&mut open(packed, Limits::default()));
    assert_eq!(fault.unwrap().kind(), "corrupt");
}

#[test]
fn a_bomb_is_stopped_early() {
    const MIB: usize = 1 << 20;
    let zeros = vec![0; MIB];
    for compression in &ALL[1..] {
        let member = compress(*compression, &zeros);
        // 64 MiB of zeros, joined; the limit lets 4 MiB pass before the ratio counts.
        let packed = member.repeat(64);
        let limits = Limits { ratio_max: 100, ratio_free_octets: 4 << 20, ..Limits::default() };
        let (all, fault) = drain(&mut open(packed.clone(), limits));
        assert!(
            matches!(fault, Some(TransportFault::RatioLimit { ratio_max: 100, .. })),
            "{compression}: {fault:?}"
        );
        assert!(all.len() <= 5 * MIB, "{compression} gave {} octets", all.len());

        let limits =
            Limits { output_octets_max: 3 << 20, ratio_max: u64::MAX, ratio_free_octets: u64::MAX };
        let (all, fault) = drain(&mut open(packed, limits));
        assert!(matches!(fault, Some(TransportFault::OutputLimit { .. })), "{compression}");
        assert!(all.len() <= 3 * MIB);
    }
}

#[test]
fn a_bomb_under_the_default_limits_ends_near_64_mib() {
    // One gzip member that would give 10 GB; it is made only as far as it is read.
    let encoder =
        flate2::read::GzEncoder::new(io::repeat(0).take(10 << 30), flate2::Compression::fast());
    let limits = Limits::default();
    let mut transport = Transport::from_reader(Box::new(encoder), limits, Arc::default()).unwrap();
    let mut buffer = vec![0; 1 << 20];
    let mut given = 0;
    let fault = loop {
        match transport.read(&mut buffer) {
            Ok(0) => panic!("the bomb went through"),
            Ok(octets) => given += octets as u64,
            Err(fault) => break fault,
        }
    };
    assert_eq!(fault.kind(), "ratio_limit");
    assert!(given <= limits.ratio_free_octets + (64 << 20), "{given}");
}

#[test]
fn an_xz_dictionary_beyond_the_memory_limit_is_refused() {
    // A stream header and a block header that asks for a dictionary of 1.5 GiB.
    let mut options = liblzma::stream::LzmaOptions::new_preset(0).unwrap();
    options.dict_size(1 << 29);
    let mut filters = liblzma::stream::Filters::new();
    filters.lzma2(&options);
    let stream =
        liblzma::stream::Stream::new_stream_encoder(&filters, liblzma::stream::Check::Crc32)
            .unwrap();
    let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
    encoder.write_all(b"small").unwrap();
    let packed = encoder.finish().unwrap();
    let (_, fault) = drain(&mut open(packed, Limits::default()));
    assert_eq!(fault.unwrap().kind(), "memory_limit");
}

#[test]
fn a_zstd_window_beyond_the_memory_limit_is_refused() {
    // Magic, descriptor (window follows, no checksum), window descriptor of 2^30 octets.
    let packed = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 20 << 3, 1, 0, 0];
    let (_, fault) = drain(&mut open(packed, Limits::default()));
    assert_eq!(fault.unwrap().kind(), "memory_limit");
}

/// Fails after so many octets.
struct FailingDisk(Vec<u8>, usize);

impl Read for FailingDisk {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = out.len().min(1000).min(self.0.len() - self.1);
        if count == 0 {
            return Err(io::Error::other("medium error"));
        }
        out[..count].copy_from_slice(&self.0[self.1..self.1 + count]);
        self.1 += count;
        Ok(count)
    }
}

#[test]
fn a_failing_disk_is_told_from_a_bad_file() {
    for compression in ALL {
        let mut packed = compress(compression, &text(40_000));
        packed.truncate(packed.len() - 100);
        let disk = FailingDisk(packed, 0);
        let mut transport =
            Transport::from_reader(Box::new(disk), Limits::default(), Arc::default()).unwrap();
        let (_, fault) = drain(&mut transport);
        assert_eq!(fault.unwrap().kind(), "read_failed", "{compression}");
    }
}

#[test]
fn progress_counts_compressed_octets() {
    let packed = compress(Compression::Gzip, &text(40_000));
    let length = packed.len() as u64;
    let progress = Arc::new(Progress::default());
    progress.expect(length);
    let mut transport = Transport::from_reader(
        Box::new(Cursor::new(packed)),
        Limits::default(),
        Arc::clone(&progress),
    )
    .unwrap();
    drain(&mut transport);
    assert_eq!((progress.read_octets(), progress.total_octets()), (length, length));
}
