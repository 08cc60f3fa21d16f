//! Following archives and directories, and filling gaps, against a loopback server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test code: helpers outside of #[test] functions"
)]

mod common;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use common::http::{Answer, Server};
use common::live::{DEADLINE, context, next, next_lines, until};
use common::mrt;
use routewarden_core::Timestamp;
use routewarden_feeds::archive::Collector;
use routewarden_feeds::live::follow::{
    ARCHIVE_COLLECTORS_MAX, ArchiveConfig, BackFill, BackFilled, DirectoryConfig,
    GIVE_UP_AFTER_SECS, LATE_AFTER_SECS, follow_archive, follow_directory, newest_table,
    newest_table_in,
};
use routewarden_feeds::live::{Clock, LiveItem, LiveQueue, SourceContext, SourceKind, SourceState};
use tokio::task::JoinHandle;

/// 2026-01-01T00:00:00Z.
const START: u32 = 1_767_225_600;
const MONTH: &str = "/rrc04/2026.01/";

/// A clock that is set.
struct Set(AtomicI64);

impl Clock for Set {
    fn now(&self) -> Timestamp {
        t(self.0.load(Ordering::Relaxed))
    }
}

impl Set {
    fn to(&self, secs: i64) {
        self.0.store(secs, Ordering::Relaxed);
    }
}

fn t(secs: i64) -> Timestamp {
    Timestamp::from_secs(START).plus_secs(secs)
}

fn gz(octets: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

/// Five minutes of peer 1 that announces 198.51.`minute`.0/24 each minute, from `secs` on.
fn five_minutes(secs: u32) -> Vec<u8> {
    let minute = |at: u32| {
        let third = u8::try_from((secs + at) / 60 % 250).unwrap();
        mrt::update(START + secs + at, 1, &[], &[third])
    };
    (0..300).step_by(60).flat_map(minute).collect()
}

fn clocked(capacity: usize) -> (SourceContext, LiveQueue, Arc<Set>) {
    let (mut context, queue) = context(SourceKind::Archive, capacity);
    let clock = Arc::new(Set(AtomicI64::new(0)));
    context.clock = clock.clone();
    (context, queue, clock)
}

fn config(server: &Server, cache: &Path) -> ArchiveConfig {
    let toml = format!(
        "collectors = [\"rrc04\"]\ncache_dir = {:?}\nevery_secs = 1\nris_url = {:?}\nroute_views_url = {:?}",
        cache.to_str().unwrap(),
        server.url,
        server.url,
    );
    toml::from_str(&toml).unwrap()
}

async fn ended(context: &SourceContext, task: JoinHandle<()>) {
    context.cancel.cancel();
    tokio::time::timeout(DEADLINE, task).await.expect("it ends").unwrap();
    assert_eq!(context.status.snapshot().state, SourceState::Stopped);
}

#[tokio::test]
async fn new_files_are_read_when_they_appear_and_missing_ones_are_gaps() {
    let (server, cache) = (Server::start(), tempfile::tempdir().unwrap());
    let name = |clock: &str| format!("{MONTH}updates.20260101.{clock}.gz");
    server.put(&name("0000"), &[Answer::Whole(gz(&five_minutes(0)))]);
    // Published late: not there when first asked for.
    let late = [Answer::Status(404), Answer::Whole(gz(&five_minutes(300)))];
    server.put(&name("0005"), &late);
    let (context, mut queue, clock) = clocked(8);
    clock.to(299);
    let (config, source) = (config(&server, cache.path()), context.clone());
    let task = tokio::spawn(async move { follow_archive(source, &config, t(60)).await.unwrap() });
    until(|| context.status.snapshot().state == SourceState::Up).await;
    assert!(server.requests().is_empty(), "a file is not asked for before its time is over");
    clock.to(700);
    let lines = next_lines(&mut queue, 9).await;
    assert!(lines[0].starts_with("2026-01-01T00:01:00Z rrc04 AS64497 192.0.2.1 A 198.51.1.0/24"));
    assert!(lines[8].starts_with("2026-01-01T00:09:00Z"), "{lines:#?}");
    assert_eq!(lines.len(), 9, "what is before the start is left out");

    // The next one never comes, a later one does.
    server.put(&name("0015"), &[Answer::Whole(gz(&five_minutes(900)))]);
    server.index(MONTH, &["updates.20260101.0005.gz", "updates.20260101.0015.gz"]);
    clock.to(900 + LATE_AFTER_SECS);
    let LiveItem::Gap { from, until: to, .. } = next(&mut queue).await else { panic!("a gap") };
    assert_eq!((from, to), (t(600), t(900)));
    clock.to(1210 + LATE_AFTER_SECS);
    assert_eq!(next_lines(&mut queue, 5).await.len(), 5);

    // Nothing comes any more: given up after a while.
    clock.to(1500 + GIVE_UP_AFTER_SECS);
    let LiveItem::Gap { from, until: to, .. } = next(&mut queue).await else { panic!("a gap") };
    assert_eq!((from, to), (t(1200), t(1500)));
    assert_eq!(context.status.snapshot().faults["archive_file_missing"], 2);
    ended(&context, task).await;
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_a_gap_and_a_full_queue_makes_the_thread_wait() {
    let (server, cache) = (Server::start(), tempfile::tempdir().unwrap());
    server.put(&format!("{MONTH}updates.20260101.0000.gz"), &[Answer::Whole(gz(b"no MRT at all"))]);
    for (clock, secs) in [("0005", 300), ("0010", 600), ("0015", 900)] {
        let name = format!("{MONTH}updates.20260101.{clock}.gz");
        server.put(&name, &[Answer::Whole(gz(&five_minutes(secs)))]);
    }
    let (context, mut queue, clock) = clocked(1);
    clock.to(1200);
    let (config, source) = (config(&server, cache.path()), context.clone());
    let task = tokio::spawn(async move { follow_archive(source, &config, t(0)).await.unwrap() });
    until(|| queue.waiting() == 1 && server.requests().len() >= 2).await;
    let LiveItem::Gap { from, until: to, .. } = next(&mut queue).await else { panic!("a gap") };
    assert_eq!((from, to), (t(0), t(300)));
    assert_eq!(context.status.snapshot().faults["not_mrt"], 1);
    assert_eq!(next_lines(&mut queue, 15).await.len(), 15);
    // What was handed on is counted right after it.
    until(|| context.status.snapshot().elements.announcements == 15).await;
    ended(&context, task).await;
}

#[tokio::test]
async fn a_follower_that_waits_for_room_can_be_cancelled() {
    let (server, cache) = (Server::start(), tempfile::tempdir().unwrap());
    for (clock, secs) in [("0000", 0), ("0005", 300)] {
        let name = format!("{MONTH}updates.20260101.{clock}.gz");
        server.put(&name, &[Answer::Whole(gz(&five_minutes(secs)))]);
    }
    let (context, queue, clock) = clocked(1);
    clock.to(1000);
    let (config, source) = (config(&server, cache.path()), context.clone());
    let task = tokio::spawn(async move { follow_archive(source, &config, t(0)).await.unwrap() });
    until(|| queue.waiting() == 1 && server.requests().len() >= 2).await;
    ended(&context, task).await;
}

#[tokio::test]
async fn gaps_are_filled_from_the_archive() {
    let (server, cache) = (Server::start(), tempfile::tempdir().unwrap());
    let names = ["0000", "0005", "0010", "0015"].map(|c| format!("updates.20260101.{c}.gz"));
    server.index(MONTH, &names.each_ref().map(String::as_str));
    for (name, secs) in names.iter().zip([0, 300, 600]) {
        let answer = [Answer::Status(503), Answer::Whole(gz(&five_minutes(secs)))];
        server.put(&format!("{MONTH}{name}"), &answer);
    }
    let (context, mut queue, _clock) = clocked(16);
    let archive = Arc::new(server.archive(cache.path()));
    let fill = BackFill::new(archive, context.clone());
    let filled = fill.run("rrc04", (t(200), t(1000))).await.unwrap();
    let expected = BackFilled { events: 11, files: 3, missing: vec![t(900)], is_cancelled: false };
    assert_eq!(filled, expected);
    let lines = next_lines(&mut queue, 11).await;
    assert!(
        lines[0].starts_with("2026-01-01T00:04:00Z")
            && lines[10].starts_with("2026-01-01T00:14:00Z")
    );
    assert!(lines.is_sorted());
    assert_eq!(fill.run("RRC", (t(0), t(1))).await.unwrap_err().kind(), "archive_collector");
    assert_eq!(fill.run("rrc04", (t(1), t(1))).await.unwrap_err().kind(), "archive_window");
    context.cancel.cancel();
    assert!(fill.run("rrc04", (t(200), t(1000))).await.unwrap().is_cancelled);
}

#[tokio::test]
async fn the_newest_table_is_found() {
    let (server, cache) = (Server::start(), tempfile::tempdir().unwrap());
    server.index(MONTH, &["bview.20260101.0000.gz", "bview.20260101.0800.gz"]);
    let table = gz(&mrt::table(START, &[1]));
    server.put(&format!("{MONTH}bview.20260101.0000.gz"), &[Answer::Whole(table)]);
    let archive = server.archive(cache.path());
    let collector = Collector::new("rrc04").unwrap();
    let mut never = |_| panic!("must not wait");
    let found = newest_table(&archive, &collector, t(9 * 3600), &mut never).unwrap().unwrap();
    assert_eq!((found.starts, found.collector.as_str()), (Some(t(0)), "rrc04"));
    assert!(newest_table(&archive, &collector, t(-1), &mut never).unwrap().is_none());
    let in_cache = newest_table_in(cache.path(), t(9 * 3600)).unwrap();
    assert_eq!(in_cache, [found]);
}

#[tokio::test]
async fn files_of_a_directory_are_read_when_they_are_complete() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join("rrc04").join(name);
    std::fs::create_dir(directory.path().join("rrc04")).unwrap();
    let growing = path("updates.20260101.0000");
    std::fs::write(&growing, five_minutes(0)).unwrap();
    let (context, mut queue, clock) = clocked(16);
    clock.to(10_000);
    let config = DirectoryConfig {
        path: directory.path().to_owned(),
        every_secs: 1,
        settle_secs: 10,
        existing: false,
    };
    let source = context.clone();
    let task = tokio::spawn(async move { follow_directory(source, &config).await.unwrap() });
    until(|| context.status.snapshot().state == SourceState::Up).await;
    // Renamed when whole: complete at once. A table is no updates file.
    let part = path("updates.20260101.0005.gz.part");
    std::fs::write(&part, gz(&five_minutes(300))).unwrap();
    std::fs::write(path(".hidden"), b"x").unwrap();
    let looks = |context: &SourceContext| context.status.snapshot().faults.get("not_mrt").copied();
    // A file that is no MRT shows that the directory was looked at since.
    std::fs::write(path("garbage.1"), b"garbage").unwrap();
    settle(&clock, &context, || looks(&context) == Some(1)).await;
    std::fs::rename(&part, path("updates.20260101.0005.gz")).unwrap();
    let lines = next_lines(&mut queue, 5).await;
    assert!(lines[0].starts_with("2026-01-01T00:05:00Z rrc04 AS64497"), "{lines:#?}");
    // One that only appears must not change for a while.
    std::fs::write(path("updates.20260101.0010"), five_minutes(600)).unwrap();
    settle(&clock, &context, || queue.waiting() > 0).await;
    assert_eq!(next_lines(&mut queue, 5).await.len(), 5);
    // And when it grows, what is new is read.
    let mut file =
        std::fs::File::options().append(true).open(path("updates.20260101.0010")).unwrap();
    file.write_all(&five_minutes(900)).unwrap();
    drop(file);
    settle(&clock, &context, || queue.waiting() > 0).await;
    let lines = next_lines(&mut queue, 5).await;
    assert!(lines[0].starts_with("2026-01-01T00:15:00Z"), "{lines:#?}");
    // One of before the start: only what happens from the start on.
    let mut file = std::fs::File::options().append(true).open(&growing).unwrap();
    file.write_all(&five_minutes(12_000)).unwrap();
    drop(file);
    std::fs::write(path("bview.20260101.0000"), mrt::table(START, &[1])).unwrap();
    settle(&clock, &context, || queue.waiting() > 0).await;
    let lines = next_lines(&mut queue, 5).await;
    assert!(lines[0].starts_with("2026-01-01T03:20:00Z"), "{lines:#?}");
    let tables =
        |context: &SourceContext| context.status.snapshot().kinds.contains_key("table_passed_over");
    settle(&clock, &context, || tables(&context)).await;
    assert_eq!(queue.waiting(), 0);
    ended(&context, task).await;
}

/// Lets the clock run until something holds.
async fn settle(clock: &Set, context: &SourceContext, mut holds: impl FnMut() -> bool) {
    until(|| {
        clock.to(context.clock.now().secs_since(t(0)) + 1);
        holds()
    })
    .await;
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_waited_for() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("rrc04");
    let (context, mut queue, clock) = clocked(16);
    let config =
        DirectoryConfig { path: path.clone(), every_secs: 1, settle_secs: 1, existing: true };
    let source = context.clone();
    let task = tokio::spawn(async move { follow_directory(source, &config).await.unwrap() });
    until(|| context.status.snapshot().faults.contains_key("list_directory")).await;
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("updates.20260101.0000"), five_minutes(0)).unwrap();
    settle(&clock, &context, || queue.waiting() > 0).await;
    assert_eq!(next_lines(&mut queue, 5).await.len(), 5);
    ended(&context, task).await;
}

#[test]
fn configurations_that_cannot_be_followed_are_refused() {
    let config =
        |text: &str| toml::from_str::<ArchiveConfig>(&format!("cache_dir = \"x\"\n{text}"));
    let many: Vec<String> = (0..=ARCHIVE_COLLECTORS_MAX).map(|n| format!("\"x{n}\"")).collect();
    let many = format!("collectors = [{}]", many.join(","));
    for (text, kind) in [
        ("collectors = []", "follow_collectors"),
        (many.as_str(), "follow_collectors"),
        ("collectors = [\"RRC\"]", "archive_collector"),
        ("collectors = [\"rrc04\"]\nevery_secs = 0", "follow_times"),
    ] {
        assert_eq!(config(text).unwrap().check().unwrap_err().kind(), kind);
    }
    let good = config("collectors = [\"rrc04\"]").unwrap();
    assert!(good.check().is_ok());
    assert_eq!(good.ris_url, "https://data.ris.ripe.net");
    assert!(config("collectors = [\"rrc04\"]\nurl = \"x\"").is_err());
    let directory: DirectoryConfig = toml::from_str("path = \"x\"").unwrap();
    assert_eq!((directory.every_secs, directory.settle_secs, directory.existing), (5, 10, false));
    assert!(DirectoryConfig { every_secs: 0, ..directory }.check().is_err());
}
