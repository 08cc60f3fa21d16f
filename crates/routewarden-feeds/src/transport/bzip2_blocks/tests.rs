use std::io::Write;

use super::*;
use crate::transport::Progress;

fn compress(octets: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::new(level));
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

/// Octets that compress badly, so that a stream has several blocks; the same every time.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[3] & 0x3f
    };
    (0..count).map(|_| next()).collect()
}

/// What is read until the end or an error, which is given by its kind.
fn read(compressed: Vec<u8>) -> (Vec<u8>, Option<io::ErrorKind>, u64) {
    let input = Input::new(Box::new(io::Cursor::new(compressed)), Arc::new(Progress::default()));
    let mut decoder = Bzip2Blocks::new(input, 2).unwrap();
    let mut octets = Vec::new();
    let error = decoder.read_to_end(&mut octets).err().map(|error| error.kind());
    let consumed = decoder.into_inner().consumed();
    (octets, error, consumed)
}

#[test]
fn streams_of_any_number_of_blocks_are_read_to_their_last_octet() {
    for count in [0, 1, 99_999, 100_000, 350_000] {
        let octets = noise(count);
        let compressed = compress(&octets, 1);
        let length = compressed.len() as u64;
        let mut with_tail = compressed;
        with_tail.extend_from_slice(b"tail");
        let (read, error, consumed) = read(with_tail);
        assert!(read == octets, "{count}");
        assert_eq!((error, consumed), (None, length), "{count}");
    }
}

#[test]
fn zeros_expand_within_the_bound_of_a_block() {
    let octets = vec![0; 60_000_000];
    let (read, error, _) = read(compress(&octets, 9));
    assert!(read == octets);
    assert_eq!(error, None);
}

#[test]
fn a_cut_stream_gives_its_whole_blocks_and_says_that_it_is_cut() {
    let octets = noise(350_000);
    let compressed = compress(&octets, 1);
    for percent in 0..100 {
        let cut = compressed.len() * percent / 100;
        let (read, error, _) = read(compressed[..cut].to_vec());
        assert!(octets.starts_with(&read), "{percent}");
        assert_eq!(error, Some(io::ErrorKind::UnexpectedEof), "{percent}");
        assert!(read.len() + 200_000 > octets.len() * percent / 100, "{percent}");
    }
}

#[test]
fn damage_is_an_error_and_what_stands_before_it_is_given() {
    let octets = noise(350_000);
    let compressed = compress(&octets, 1);
    for at in (0..compressed.len()).step_by(compressed.len() / 60) {
        let mut damaged = compressed.clone();
        damaged[at] ^= 0x10;
        let (read, error, _) = read(damaged);
        assert!(error.is_some(), "{at}");
        assert!(octets.starts_with(&read), "{at}");
    }
}

#[test]
fn a_magic_in_the_data_by_chance_is_no_boundary() {
    let octets = noise(150_000);
    let compressed = compress(&octets, 9);
    let input = Input::new(Box::new(io::Cursor::new(compressed)), Arc::new(Progress::default()));
    let mut scanner = Scanner::new(input);
    let Ok(Found::Block(block)) = scanner.next_block() else { panic!("a block") };
    assert!(matches!(scanner.next_block(), Ok(Found::End)));
    // As a scan would cut it at a chance magic: neither piece decodes, joined they do.
    for at in [1_000, 77_777] {
        let (first, second) = block.split_at(at);
        assert!(decode(&first).is_err());
        assert!(decode(&first.joined(&second)).unwrap() == octets);
    }
}
