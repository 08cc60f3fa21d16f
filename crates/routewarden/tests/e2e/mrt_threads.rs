//! `mrt` on several threads writes what it writes on one.

use std::io::Write;
use std::path::Path;

use crate::program::{Ran, repository, routewarden};

const LAB: &str = "testdata/lab/plain/col/updates.mrt";
/// So many copies of the recording make a file of 7 MiB: more output than may be queued.
const COPIES: usize = 800;

fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

/// Small, large, cut, damaged and empty files; their paths, in the order to read them in.
fn files(folder: &Path, with_rubbish: bool) -> Vec<String> {
    let recording = std::fs::read(repository().join(LAB)).unwrap();
    let large = gzip(&recording.repeat(COPIES));
    let small = gzip(&recording);
    let mut damaged = large.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 8].fill(0x55);
    let mut contents = vec![
        large.clone(),
        small.clone(),
        recording.clone(),
        large[..large.len() * 2 / 3].to_vec(),
        damaged,
        recording[..recording.len() - 5].to_vec(),
        Vec::new(),
        [small.clone(), b"garbage".to_vec()].concat(),
    ];
    contents.extend(std::iter::repeat_n(small, 20));
    if with_rubbish {
        contents.insert(3, gzip(b"this is not MRT at all, however long one looks at it"));
        contents.push(b"nor is this".to_vec());
    }
    let write = |(number, octets): (usize, Vec<u8>)| {
        let path = folder.join(format!("{number:02}.mrt"));
        std::fs::write(&path, octets).unwrap();
        path.to_string_lossy().into_owned()
    };
    contents.into_iter().enumerate().map(write).collect()
}

fn run(flags: &[&str], threads: &str, files: &[String]) -> Ran {
    let flags = [&["mrt", "--threads", threads], flags].concat();
    let flags = flags.into_iter().map(str::to_owned);
    routewarden(flags.chain(files.iter().cloned()))
}

/// Asserts that any number of threads prints the same; what is printed.
fn same(flags: &[&str], files: &[String], code: i32) -> Ran {
    let one = run(flags, "1", files).expect(code);
    for threads in ["2", "5"] {
        let many = run(flags, threads, files).expect(code);
        assert!(one.stdout == many.stdout, "{flags:?}: other output on {threads} threads");
        assert_eq!(one.stderr, many.stderr, "{flags:?} on {threads} threads");
    }
    one
}

#[test]
fn any_number_of_threads_prints_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path(), false);
    let counted = same(&["--count"], &files, 3);
    assert_eq!(counted.stdout.lines().count(), files.len() + 1);
    // Faults are named with their file, in the files' order.
    let named: Vec<&str> = counted
        .stderr
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(file, _)| file)
        .collect();
    let faulty = [3, 4, 5, 6, 7].map(|place| files[place].as_str());
    assert!(named.starts_with(&faulty), "{}", counted.stderr);
    for format in ["table", "jsonl", "bgpdump"] {
        let printed = same(&["--format", format], &files, 3);
        assert!(printed.stdout.lines().count() > 2 * COPIES * 97, "{format}");
    }
}

#[test]
fn the_first_unreadable_file_ends_the_run_behind_those_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path(), true);
    for flags in [["-q", "--count"].as_slice(), &["-q", "--format", "bgpdump"]] {
        let stopped = same(flags, &files, 1);
        assert!(stopped.stderr.contains("03.mrt"), "{}", stopped.stderr);
        let before = run(flags, "1", &files[..3]).expect(0);
        assert_eq!(stopped.stdout, before.stdout);
        let kept_going = same(&[flags, &["--keep-going"]].concat(), &files, 3);
        let skipped: Vec<&str> = kept_going.stderr.lines().collect();
        assert_eq!(skipped.len(), 2, "{}", kept_going.stderr);
    }
}
