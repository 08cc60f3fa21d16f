//! The archives' layout, the cache and every fault of a download, against a loopback server.

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

use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

use common::http::{Answer, Server};

use routewarden_core::Timestamp;
use routewarden_feeds::archive::{
    ATTEMPTS_MAX, Archive, ArchiveError, ArchiveFile, ArchiveOptions, BACKOFF_MAX, Collector,
};
use routewarden_feeds::sources::Sources;

/// A gzip file of so many octets that cannot be compressed further.
fn gz(octets: usize) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    let noise: Vec<u8> = (0..octets).map(|at| (at * at / 7 % 251) as u8).collect();
    encoder.write_all(&noise).unwrap();
    encoder.finish().unwrap()
}

fn t(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn never(_: Duration) {
    panic!("must not wait");
}

const DIRECTORY: &str = "/rrc04/2021.01/";
const NAME: &str = "updates.20210101.0000.gz";

/// The one file of the one collector.
fn one(archive: &Archive) -> ArchiveFile {
    let collector = Collector::new("rrc04").unwrap();
    let window = (t("2021-01-01T00:00Z"), t("2021-01-01T00:05Z"));
    let mut files = archive.find_updates(&collector, window, &mut never).unwrap();
    assert_eq!(files.len(), 1);
    files.remove(0)
}

/// A server with one file, given by answers.
fn with_file(answers: &[Answer]) -> (Server, tempfile::TempDir, Archive, ArchiveFile) {
    let server = Server::start();
    server.index(DIRECTORY, &[NAME]);
    server.put(&format!("{DIRECTORY}{NAME}"), answers);
    let cache = tempfile::tempdir().unwrap();
    let archive = server.archive(cache.path());
    let file = one(&archive);
    (server, cache, archive, file)
}

#[test]
fn names_come_from_the_index_and_files_go_to_the_cache_once() {
    let server = Server::start();
    let directory = "/bgpdata/2008.02/UPDATES/";
    let names = ["1535", "1550", "1605", "1622", "1637"];
    let names: Vec<String> = names.iter().map(|n| format!("updates.20080224.{n}.bz2")).collect();
    server.index(directory, &names.iter().map(String::as_str).collect::<Vec<_>>());
    let cache = tempfile::tempdir().unwrap();
    let archive = server.archive(cache.path());
    let collector = Collector::new("route-views2").unwrap();
    let window = (t("2008-02-24T16:00Z"), t("2008-02-24T16:23Z"));
    let files = archive.find_updates(&collector, window, &mut never).unwrap();
    let found: Vec<&str> = files.iter().map(|f| f.url.rsplit('/').next().unwrap()).collect();
    assert_eq!(found, &names[1..4]);
    assert!(files.iter().all(|file| file.is_listed && !archive.is_cached(file)));

    let body = bz2();
    for name in &names {
        server.put(&format!("{directory}{name}"), &[Answer::Whole(body.clone())]);
    }
    for file in &files {
        for _ in 0..2 {
            let input = archive.fetch(file, &mut never).unwrap();
            assert_eq!(input.octets, body.len() as u64);
            assert_eq!(input.collector, "route-views2");
        }
        assert!(archive.is_cached(file));
    }
    let downloads = server.requests().iter().filter(|(path, _)| path.contains("/updates.")).count();
    assert_eq!(downloads, 3, "a complete file is not fetched again");

    // The cache is a directory like any other: same collector, same order, nothing left over.
    let mut sources = Sources::default();
    sources.add(cache.path()).unwrap();
    let (inputs, ignored) = sources.finish();
    assert!(ignored.is_empty(), "{ignored:?}");
    assert!(inputs.iter().all(|input| input.collector == "route-views2"));
    let starts: Vec<_> = inputs.iter().map(|input| input.starts.unwrap()).collect();
    assert_eq!(starts, files.iter().map(|file| file.starts).collect::<Vec<_>>());
}

fn bz2() -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(b"some octets").unwrap();
    encoder.finish().unwrap()
}

#[test]
fn without_an_index_the_grid_is_tried() {
    let server = Server::start();
    let cache = tempfile::tempdir().unwrap();
    let archive = server.archive(cache.path());
    let collector = Collector::new("rrc04").unwrap();
    let window = (t("2021-01-01T00:07Z"), t("2021-01-01T00:20Z"));
    let files = archive.find_updates(&collector, window, &mut never).unwrap();
    let names: Vec<&str> = files.iter().map(|f| f.url.rsplit('/').next().unwrap()).collect();
    assert_eq!(
        names,
        ["updates.20210101.0005.gz", "updates.20210101.0010.gz", "updates.20210101.0015.gz"]
    );
    assert!(files.iter().all(|file| !file.is_listed));
    let missing = archive.fetch(&files[0], &mut never);
    assert!(matches!(missing, Err(ArchiveError::NotFound { .. })), "{missing:?}");
    // The month before is asked for too: its last file may reach into the window.
    let asked: Vec<String> = server.requests().into_iter().map(|(path, _)| path).collect();
    assert!(asked.starts_with(&["/rrc04/2020.12/".to_owned(), "/rrc04/2021.01/".to_owned()]));
}

#[test]
fn tables_are_the_latest_before_the_time() {
    let server = Server::start();
    server.index(
        "/route-views.jinx/bgpdata/2014.05/RIBS/",
        &["rib.20140530.2000.bz2", "rib.20140530.2200.bz2", "rib.20140531.0000.bz2"],
    );
    let cache = tempfile::tempdir().unwrap();
    let archive = server.archive(cache.path());
    let collector = Collector::new("route-views.jinx").unwrap();
    let tables = archive.find_tables(&collector, t("2014-05-30T23:45Z"), &mut never).unwrap();
    let names: Vec<&str> = tables.iter().map(|f| f.url.rsplit('/').next().unwrap()).collect();
    assert_eq!(names, ["rib.20140530.2200.bz2", "rib.20140530.2000.bz2"]);
}

#[test]
fn a_cut_download_is_resumed_where_it_broke_off() {
    let body = gz(200_000);
    let cut = Answer::CutAfter(body.clone(), 70_000);
    let (server, _cache, archive, file) = with_file(&[cut, Answer::Whole(body.clone())]);
    let mut pauses = Vec::new();
    archive.fetch(&file, &mut |pause| pauses.push(pause)).unwrap();
    assert_eq!(std::fs::read(&file.path).unwrap(), body);
    assert_eq!(pauses.len(), 1);
    let ranges: Vec<_> = server.requests().into_iter().skip(2).map(|(_, range)| range).collect();
    assert_eq!(ranges, [None, Some("bytes=70000-".to_owned())]);
    let left: Vec<_> = std::fs::read_dir(file.path.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "only the file itself stays");
}

#[test]
fn a_download_is_resumed_by_the_next_run() {
    let body = gz(200_000);
    let (server, cache, archive, file) = with_file(&[Answer::CutAfter(body.clone(), 50_000)]);
    let mut attempts = 1;
    let broken = archive.fetch(&file, &mut |_| attempts += 1);
    // Each attempt of the broken server gives 50,000 octets more of the rest.
    assert!(broken.is_ok(), "{broken:?}");
    assert_eq!(attempts, 5);
    assert_eq!(std::fs::read(&file.path).unwrap(), body);

    std::fs::remove_file(&file.path).unwrap();
    server.put(&format!("{DIRECTORY}{NAME}"), &[Answer::CutAfter(body.clone(), 0)]);
    let mut part = file.path.clone().into_os_string();
    part.push(".part");
    std::fs::write(&part, &body[..1000]).unwrap();
    let mut validator = part.clone();
    validator.push(".validator");
    std::fs::write(validator, "\"v1\"").unwrap();
    let failed = archive.fetch(&file, &mut |_| {});
    assert!(matches!(failed, Err(ArchiveError::BrokenOff { octets: 1000, .. })), "{failed:?}");
    server.put(&format!("{DIRECTORY}{NAME}"), &[Answer::Whole(body.clone())]);
    server.archive(cache.path()).fetch(&file, &mut never).unwrap();
    assert_eq!(std::fs::read(&file.path).unwrap(), body);
    assert_eq!(server.requests().last().unwrap().1.as_deref(), Some("bytes=1000-"));
}

#[test]
fn two_processes_do_not_write_the_same_file() {
    let body = gz(1000);
    let (_server, _cache, archive, file) = with_file(&[Answer::Whole(body.clone())]);
    let mut part = file.path.clone().into_os_string();
    part.push(".part");
    std::fs::create_dir_all(file.path.parent().unwrap()).unwrap();
    let other = std::fs::File::create(part).unwrap();
    other.lock().unwrap();
    let error = archive.fetch(&file, &mut |_| {}).unwrap_err();
    assert!(matches!(error, ArchiveError::Busy { .. }), "{error:?}");
    // The other one finishes while we wait.
    archive.fetch(&file, &mut |_| std::fs::write(&file.path, &body).unwrap()).unwrap();
    drop(other);
    assert_eq!(std::fs::read(&file.path).unwrap(), body);
}

#[test]
fn without_a_validator_a_download_begins_anew() {
    let body = gz(1000);
    let (server, _cache, archive, file) = with_file(&[Answer::Plain(body.clone())]);
    let mut part = file.path.clone().into_os_string();
    part.push(".part");
    std::fs::create_dir_all(file.path.parent().unwrap()).unwrap();
    std::fs::write(&part, b"something of another version").unwrap();
    archive.fetch(&file, &mut never).unwrap();
    assert_eq!(std::fs::read(&file.path).unwrap(), body);
    assert_eq!(server.requests().last().unwrap().1, None);
}

#[test]
fn a_failing_server_is_tried_again_with_capped_pauses() {
    let body = gz(1000);
    let (_server, _cache, archive, file) =
        with_file(&[Answer::Status(500), Answer::Status(503), Answer::Whole(body.clone())]);
    let mut pauses = Vec::new();
    archive.fetch(&file, &mut |pause| pauses.push(pause)).unwrap();
    assert_eq!(pauses, [Duration::from_secs(1), Duration::from_secs(2)]);

    let (_server, _cache, archive, file) = with_file(&[Answer::Status(500)]);
    let mut pauses = Vec::new();
    let failed = archive.fetch(&file, &mut |pause| pauses.push(pause));
    assert!(matches!(failed, Err(ArchiveError::Status { status: 500, .. })), "{failed:?}");
    assert_eq!(pauses.len(), ATTEMPTS_MAX as usize - 1);
    assert!(pauses.iter().all(|&pause| pause <= BACKOFF_MAX));
}

#[test]
fn refusals_are_final() {
    for (status, kind) in [(404, "archive_not_found"), (403, "archive_status")] {
        let (_server, _cache, archive, file) = with_file(&[Answer::Status(status)]);
        assert_eq!(archive.fetch(&file, &mut never).unwrap_err().kind(), kind);
    }
    let page = b"<html>Please log in</html>".to_vec();
    let (_server, _cache, archive, file) = with_file(&[Answer::Whole(page)]);
    let error = archive.fetch(&file, &mut never).unwrap_err();
    assert!(matches!(error, ArchiveError::Content { .. }), "{error:?}");
    assert!(!file.path.exists());
}

#[test]
fn a_wrong_length_never_becomes_a_file() {
    let body = gz(1000);
    let longer = body.len() + 10;
    let (_server, _cache, archive, file) = with_file(&[Answer::Length(body.clone(), longer)]);
    let error = archive.fetch(&file, &mut |_| {}).unwrap_err();
    assert!(
        matches!(error, ArchiveError::BrokenOff { .. } | ArchiveError::Length { .. }),
        "{error:?}"
    );
    assert!(!file.path.exists());
}

#[test]
fn without_a_length_the_file_itself_tells_whether_it_is_whole() {
    let body = gz(1000);
    let answers =
        [Answer::Unbounded(body.clone(), 700), Answer::Unbounded(body.clone(), body.len())];
    let (_server, _cache, archive, file) = with_file(&answers);
    let mut pauses = 0;
    archive.fetch(&file, &mut |_| pauses += 1).unwrap();
    assert_eq!(pauses, 1);
    assert_eq!(std::fs::read(&file.path).unwrap(), body);
}

#[test]
fn a_file_that_is_too_long_is_refused() {
    let (server, cache, _archive, file) = with_file(&[Answer::Whole(gz(5000))]);
    let options = ArchiveOptions { file_octets_max: 4000, ..server.options(cache.path()) };
    let archive = Archive::new(options).unwrap();
    let error = archive.fetch(&file, &mut never).unwrap_err();
    assert!(matches!(error, ArchiveError::TooLarge { octets_max: 4000, .. }), "{error:?}");
}

#[test]
fn a_range_that_is_no_range_is_refused() {
    let server = Server::start();
    let cache = tempfile::tempdir().unwrap();
    let archive = server.archive(cache.path());
    let collector = Collector::new("rrc04").unwrap();
    for (from, until) in [("2021-01-02", "2021-01-01"), ("2020-01-01", "2022-01-01")] {
        let found = archive.find_updates(&collector, (t(from), t(until)), &mut never);
        assert!(matches!(found, Err(ArchiveError::Window { .. })));
    }
    assert!(server.requests().is_empty());
}

#[test]
fn no_server_is_a_named_error() {
    let cache = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let options = ArchiveOptions {
        route_views_url: url.clone(),
        ris_url: url,
        ..ArchiveOptions::new(cache.path())
    };
    let archive = Archive::new(options).unwrap();
    let collector = Collector::new("rrc04").unwrap();
    let mut pauses = 0;
    let window = (t("2021-01-01"), t("2021-01-02"));
    let error = archive.find_updates(&collector, window, &mut |_| pauses += 1).unwrap_err();
    assert_eq!(error.kind(), "archive_request");
    assert_eq!(pauses, ATTEMPTS_MAX - 1);
}
