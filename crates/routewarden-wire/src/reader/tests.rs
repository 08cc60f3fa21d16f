//! Framing of streams, whole and broken.

use std::io::{self, Cursor, Read};

use super::*;

fn record(mrt_type: u16, subtype: u16, length: u32, body: &[u8]) -> Vec<u8> {
    let mut out = 1_203_878_877_u32.to_be_bytes().to_vec();
    out.extend(mrt_type.to_be_bytes());
    out.extend(subtype.to_be_bytes());
    out.extend(length.to_be_bytes());
    out.extend(body);
    out
}

/// Offset and length of a record, or kind and offset of an error.
type Found = Result<(u64, usize), (&'static str, u64)>;

fn walk(read: impl Read, limits: Limits) -> Vec<Found> {
    let mut reader = MrtReader::new(read, limits);
    let mut found = Vec::new();
    while let Some(raw) = reader.next_record() {
        found.push(match raw {
            Ok(raw) => Ok((raw.offset, raw.body.len())),
            Err(error) => Err((error.kind(), error.offset())),
        });
    }
    assert!(reader.next_record().is_none());
    found
}

#[test]
fn records_come_one_by_one_whatever_the_reads() {
    struct OneByOne<R>(R);
    impl<R: Read> Read for OneByOne<R> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(&mut buffer[..1])
        }
    }
    let stream = [record(16, 4, 3, b"abc"), record(13, 1, 0, b""), record(99, 0, 2, b"de")];
    let stream = stream.concat();
    let expected = vec![Ok((0, 3)), Ok((15, 0)), Ok((27, 2))];
    assert_eq!(walk(stream.as_slice(), Limits::default()), expected);
    assert_eq!(walk(OneByOne(stream.as_slice()), Limits::default()), expected);
    assert_eq!(walk(io::empty(), Limits::default()), vec![]);
}

#[test]
fn rfc6396_3_extended_timestamps_have_microseconds() {
    let stream = record(17, 4, 6, &[0, 0, 0, 5, b'a', b'b']);
    let mut reader = MrtReader::new(stream.as_slice(), Limits::default());
    let raw = reader.next_record().unwrap().unwrap();
    assert_eq!(raw.header.time, Timestamp::from_secs_micros(1_203_878_877, 5));
    assert_eq!((raw.header.micros, raw.body), (Some(5), b"ab".as_slice()));
    let stream = [record(17, 4, 3, b"abc"), record(16, 4, 0, b"")].concat();
    let expected = vec![Err(("malformed_extended_timestamp", 0)), Ok((15, 0))];
    assert_eq!(walk(stream.as_slice(), Limits::default()), expected);
}

#[test]
fn a_cut_stream_gives_everything_before_the_cut() {
    let stream = [record(16, 4, 3, b"abc"), record(16, 4, 9, b"de")].concat();
    let expected = vec![Ok((0, 3)), Err(("truncated", 15))];
    assert_eq!(walk(stream.as_slice(), Limits::default()), expected);
    assert_eq!(walk(&stream[..20], Limits::default()), expected);
    let mut reader = MrtReader::new(&stream[15..], Limits::default());
    match reader.next_record() {
        Some(Err(Error::Truncated { expected: 21, present: 14, .. })) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_record_over_the_limit_is_reported_and_skipped() {
    let limits = Limits { record_octets_max: 8 };
    let big = vec![7; 600_000];
    let stream = [record(16, 4, 600_000, &big), record(16, 4, 3, b"abc")].concat();
    let expected = vec![Err(("record_too_long", 0)), Ok((600_012, 3))];
    assert_eq!(walk(stream.as_slice(), limits), expected);
    // The claim is longer than the stream.
    assert_eq!(walk(&stream[..100], limits), vec![Err(("truncated", 0))]);
}

#[test]
fn what_is_no_mrt_ends_the_stream_without_reading_on() {
    let stream = [record(16, 4, 3, b"abc"), b"<!DOCTYPE html><html>".to_vec()].concat();
    let expected = vec![Ok((0, 3)), Err(("not_mrt", 15))];
    assert_eq!(walk(stream.as_slice(), Limits::default()), expected);
    let lying = record(16, 4, u32::MAX, b"");
    assert_eq!(walk(lying.as_slice(), Limits::default()), vec![Err(("not_mrt", 0))]);
}

#[test]
fn an_error_of_the_reader_comes_after_the_records_before_it() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::InvalidData, "bad block"))
        }
    }
    let stream = [record(16, 4, 3, b"abc"), record(16, 4, 9, b"de")].concat();
    let expected = vec![Ok((0, 3)), Err(("io", 29))];
    assert_eq!(walk(Cursor::new(stream).chain(Broken), Limits::default()), expected);
}

/// `TABLE_DUMP` entry with one attribute of four octets.
fn table_dump_entry() -> Vec<u8> {
    let mut entry = vec![192, 0, 2, 0, 24, 1, 0, 0, 0, 0, 192, 0, 2, 1, 251, 240];
    entry.extend([0, 4, 0x40, 1, 1, 0]);
    entry
}

#[test]
fn early_batched_table_dumps_are_four_octets_longer_than_they_say() {
    let body = [vec![0; 4], table_dump_entry(), table_dump_entry()].concat();
    let short = u32::try_from(body.len()).unwrap() - 4;
    let one = record(12, 1, short, &body);
    let stream = [one.clone(), one.clone()].concat();
    let expected = vec![Ok((0, body.len())), Ok((one.len() as u64, body.len()))];
    assert_eq!(walk(stream.as_slice(), Limits::default()), expected);
    // Not when something else follows: then the record is what its length says.
    let stream = [one, record(16, 4, 0, b"")].concat();
    assert_eq!(walk(stream.as_slice(), Limits::default())[0], Ok((0, body.len() - 4)));
}
