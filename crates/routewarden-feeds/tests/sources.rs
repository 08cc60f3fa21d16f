//! Which files are found, under which collector, in which order.

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

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::mrt;
use routewarden_feeds::sources::{IgnoredReason, InputKind, Sources};
use routewarden_feeds::{Error, InputFile, tables_at};

fn put(directory: &Path, name: &str, octets: &[u8]) -> PathBuf {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, octets).unwrap();
    path
}

/// Names below the directory, in order.
fn names(files: &[InputFile], directory: &Path) -> Vec<String> {
    let name = |file: &InputFile| file.path.strip_prefix(directory).unwrap().display().to_string();
    files.iter().map(name).collect()
}

#[test]
fn the_list_does_not_depend_on_how_the_files_were_named() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let record = mrt::update(1_600_000_000, 1, &[1], &[]);
    let later = mrt::update(1_600_000_500, 1, &[1], &[]);
    let in_order = [
        "plain/later-named-but-first.mrt",
        "plain/a.mrt",
        "rrc00-x/updates.20200913.1225.gz",
        "rrc00-x/updates.20200913.1230.gz",
        "route-views.sg/updates.20200913.1215",
    ];
    let mut packed = flate2::read::GzEncoder::new(&record[..], flate2::Compression::fast());
    let mut gz = Vec::new();
    std::io::Read::read_to_end(&mut packed, &mut gz).unwrap();
    for (name, octets) in in_order.iter().zip([&record, &later, &gz, &gz, &record]) {
        put(directory, name, octets);
    }
    let expected = [in_order[0], in_order[1], in_order[4], in_order[2], in_order[3]];
    let collectors = ["plain", "plain", "route-views.sg", "rrc00", "rrc00"];

    let pattern = directory.join("*/updates.*");
    let reversed: Vec<PathBuf> = in_order.iter().rev().map(|name| directory.join(name)).collect();
    let listings = [
        vec![directory.to_owned()],
        reversed,
        vec![pattern, directory.join("plain")],
        vec![directory.join("rrc00-x"), directory.join("plain"), directory.join("**/*1215")],
    ];
    for inputs in listings {
        let files = common::files(&inputs);
        assert_eq!(names(&files, directory), expected, "{inputs:?}");
        let found: Vec<&str> = files.iter().map(|file| file.collector.as_str()).collect();
        assert_eq!(found, collectors);
        assert!(files.iter().all(|file| file.kind == Some(InputKind::Updates)));
        assert!(files.iter().all(|file| file.octets > 0 && file.starts.is_some()));
    }
}

#[test]
fn a_directory_gives_what_starts_like_mrt_and_says_what_it_leaves() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    put(directory, "table", &mrt::table(1_600_000_000, &[1]));
    put(directory, "notes.txt", b"nothing of the kind, but longer than a header");
    put(directory, "updates.20200913.1225.gz", b"named like one, but is none of it");
    put(directory, "updates.20200913.1230.gz.part", &[0x1f, 0x8b, 8, 0]);
    put(directory, ".hidden", &mrt::table(1_600_000_000, &[1]));
    put(directory, "empty", b"");
    let mut sources = Sources::default();
    sources.add(directory).unwrap();
    sources.add(&directory.join("table")).unwrap();
    let (files, ignored) = sources.finish();
    assert_eq!(names(&files, directory), ["table"]);
    assert_eq!(files[0].kind, Some(InputKind::Table));
    let reasons: Vec<(String, IgnoredReason)> = ignored
        .iter()
        .map(|file| (file.path.strip_prefix(directory).unwrap().display().to_string(), file.reason))
        .collect();
    let expected = [
        ("empty", IgnoredReason::NotMrt),
        ("notes.txt", IgnoredReason::NotMrt),
        ("table", IgnoredReason::Duplicate),
        ("updates.20200913.1225.gz", IgnoredReason::NotMrt),
        ("updates.20200913.1230.gz.part", IgnoredReason::Unfinished),
    ];
    assert_eq!(reasons, expected.map(|(name, reason)| (name.to_owned(), reason)));
}

#[test]
fn inputs_that_name_nothing_are_errors() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    fs::create_dir(directory.join("empty")).unwrap();
    let mut sources = Sources::default();
    for (input, kind) in [
        (directory.join("absent"), "no_file"),
        (directory.join("*.mrt"), "no_file"),
        (directory.join("empty"), "no_file"),
        (directory.join("a***b["), "pattern"),
    ] {
        let error = sources.add(&input).unwrap_err();
        assert_eq!(error.kind(), kind, "{}", input.display());
    }
    sources.add(Path::new("-")).unwrap();
    assert!(matches!(sources.add(Path::new("-")), Err(Error::StdinTwice)));
    let (files, _) = sources.finish();
    assert_eq!(files.len(), 1);
    assert!(files[0].is_stdin() && files[0].collector == "local");
}

#[test]
fn a_literal_name_with_pattern_characters_is_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = put(directory.path(), "a[1].mrt", &mrt::update(1_600_000_000, 1, &[1], &[]));
    assert_eq!(common::files(&[path]).len(), 1);
}

#[test]
fn one_table_per_collector_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    for name in
        ["rrc00/bview.20200913.0000", "rrc00/bview.20200913.0800", "rrc01/bview.20200913.1600"]
    {
        put(directory, name, &mrt::table(1_600_000_000, &[1]));
    }
    let files = common::files(&[directory.to_owned()]);
    let kept = |at: Option<&str>| {
        let (kept, left_out) = tables_at(files.clone(), at.map(|at| at.parse().unwrap()));
        assert_eq!(kept.len() + left_out.len(), 3);
        names(&kept, directory)
    };
    let (first, second, other) =
        ("rrc00/bview.20200913.0000", "rrc00/bview.20200913.0800", "rrc01/bview.20200913.1600");
    assert_eq!(kept(None), [second, other]);
    assert_eq!(kept(Some("2020-09-13T08:00Z")), [second, other]);
    assert_eq!(kept(Some("2020-09-13T07:59Z")), [first, other]);
}

#[test]
fn the_real_folder_is_sorted_into_tables_and_updates() {
    let Some(path) = common::data("mrt/EXPECTED.tsv") else { return };
    let mut sources = Sources::default();
    sources.add(path.parent().unwrap()).unwrap();
    let (files, ignored) = sources.finish();
    let expected = fs::read_to_string(&path).unwrap();
    for line in expected.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let file = files.iter().find(|file| file.path.ends_with(fields[0])).expect(fields[0]);
        let types = fields[11];
        let is_table = types.contains("(12,") || types.contains("(13,") || types.contains("(16,2)");
        let kind = if is_table { InputKind::Table } else { InputKind::Updates };
        assert_eq!(file.kind, Some(kind), "{}", fields[0]);
    }
    assert_eq!(files.len(), expected.lines().count() - 1);
    assert!(ignored.iter().all(|file| file.reason == IgnoredReason::NotMrt), "{ignored:?}");
}
