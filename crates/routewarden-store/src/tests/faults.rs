//! What must not happen: a journal changed, a store written twice, a full disk, a bad backup.

use super::*;
use crate::schema::{check_integrity, pragma};
use crate::{STORE_FILE, StoreError, StoreReader, check_backup, restore};

fn versions(from: usize, count: usize) -> Vec<IncidentVersion> {
    let version = |n| IncidentVersion {
        key: format!("key{n}"),
        body: body(&"x".repeat(2_000)),
        ..hijack(&format!("id{n}"))
    };
    (from..from + count).map(version).collect()
}

#[test]
fn rows_of_the_journal_are_neither_changed_nor_deleted_nor_replaced() {
    let mut fixture = Fixture::new();
    fixture.record(versions(0, 3));
    let conn = &fixture.store.conn;
    for sql in [
        "UPDATE journal SET body = '{}' WHERE seq = 2",
        "DELETE FROM journal WHERE seq = 2",
        "DELETE FROM journal",
        "INSERT OR REPLACE INTO journal SELECT seq, 0, 0, kind, subject, '{}', hash FROM journal",
    ] {
        let error = conn.execute(sql, ()).unwrap_err();
        assert!(error.to_string().contains("append-only"), "{sql}: {error}");
    }
    assert_eq!(fixture.store.verify().unwrap().rows, 3);
}

#[test]
fn a_journal_that_was_tampered_with_is_told_with_the_row() {
    for (sql, seq) in [
        ("UPDATE journal SET body = '{}' WHERE seq = 2", 2),
        ("UPDATE journal SET at = at + 1 WHERE seq = 3", 3),
        ("UPDATE journal SET hash = zeroblob(32) WHERE seq = 1", 1),
        ("DELETE FROM journal WHERE seq = 2", 2),
        ("INSERT INTO journal_pruned VALUES (9, 9, zeroblob(32), zeroblob(32))", 9),
        (
            "DELETE FROM journal WHERE seq = 2; \
             INSERT INTO journal_pruned VALUES (2, 2, zeroblob(32), zeroblob(32))",
            2,
        ),
    ] {
        let mut fixture = Fixture::new();
        fixture.record(versions(0, 4));
        let drop_triggers =
            "DROP TRIGGER journal_is_never_changed; DROP TRIGGER journal_is_never_cut";
        fixture.store.conn.execute_batch(drop_triggers).unwrap();
        fixture.store.conn.execute_batch(sql).unwrap();
        let error = fixture.store.verify().unwrap_err();
        assert!(
            matches!(error, StoreError::ChainBroken { seq: at } if at == seq),
            "{sql}: {error}"
        );
    }
}

#[test]
fn a_row_that_cannot_be_read_is_told_and_one_of_an_unknown_kind_is_passed_over() {
    let mut fixture = Fixture::new();
    fixture.record(versions(0, 2));
    let before = dump(&fixture.store.conn);
    let put = |fixture: &Fixture, seq: i64, kind: &str| {
        let sql = "INSERT INTO journal VALUES (?1, 0, 0, ?2, 'x', '{\"a\":', zeroblob(32))";
        fixture.store.conn.execute(sql, rusqlite::params![seq, kind]).unwrap();
    };
    put(&fixture, 3, "of_a_later_program");
    assert_eq!(fixture.store.rebuild().unwrap(), 3);
    assert_eq!(dump(&fixture.store.conn), before);
    for (seq, kind) in [(4, "incident_updated"), (5, "feed_state"), (6, "report_sent")] {
        put(&fixture, seq, kind);
        let error = fixture.store.rebuild().unwrap_err();
        assert!(matches!(error, StoreError::UnreadableRow { seq: 4, .. }), "{error}");
        assert_eq!(dump(&fixture.store.conn), before);
    }
}

#[test]
fn a_store_has_one_writer() {
    let fixture = Fixture::new();
    assert!(matches!(Store::open(fixture.dir.path()), Err(StoreError::InUse)));
    let dir = fixture.dir.path().to_owned();
    assert!(matches!(restore(&dir.join("none"), &dir, true), Err(StoreError::InUse)));
    drop(fixture.reopened());
}

#[test]
fn a_full_disk_is_told_and_nothing_is_lost_by_it() {
    let mut fixture = Fixture::new();
    fixture.record(versions(0, 10));
    let before = (fixture.store.head(), dump(&fixture.store.conn));
    let pages = pragma(&fixture.store.conn, "page_count").unwrap();
    fixture.store.conn.pragma_update(None, "max_page_count", pages + 4).unwrap();
    let error = fixture.store.record(versions(10, 500), at(1)).unwrap_err();
    assert!(matches!(error, StoreError::DiskFull), "{error}");
    assert_eq!(error.kind(), "disk_full");
    assert_eq!((fixture.store.head(), dump(&fixture.store.conn)), before);
    check_integrity(&fixture.store.conn).unwrap();
    // Nothing was claimed by what failed, and it is recorded in full when there is room.
    fixture.store.conn.pragma_update(None, "max_page_count", 1 << 20).unwrap();
    assert_eq!(fixture.record(versions(10, 500)).recorded.len(), 500);
    fixture.assert_rebuilds();
}

#[test]
fn a_backup_is_one_file_that_can_be_restored() {
    let mut fixture = Fixture::new();
    fixture.record(versions(0, 20));
    let path = fixture.dir.path().join("backup.db");
    let reader = fixture.store.reader().unwrap();
    let report = reader.backup(&path).unwrap();
    assert_eq!(report.journal, fixture.store.verify().unwrap());
    assert_eq!(check_backup(&path).unwrap(), report);
    let files: Vec<_> = std::fs::read_dir(fixture.dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("backup"))
        .collect();
    assert_eq!(files, ["backup.db"]);
    assert!(matches!(reader.backup(&path), Err(StoreError::WouldOverwrite)));

    let empty = TempDir::new().unwrap();
    drop(Store::open(empty.path()).unwrap());
    assert_eq!(restore(&path, empty.path(), false).unwrap(), report);
    let mut restored = Store::open(empty.path()).unwrap();
    assert_eq!(dump(&restored.conn), dump(&fixture.store.conn));
    assert_eq!(restored.record(versions(0, 20), at(0)).unwrap().unchanged, 20);
    restored.record(versions(20, 1), at(0)).unwrap();
    drop(restored);

    assert!(matches!(restore(&path, empty.path(), false), Err(StoreError::WouldOverwrite)));
    restore(&path, empty.path(), true).unwrap();
    assert_eq!(Store::open(empty.path()).unwrap().head(), report.journal.head);
    let replaced = check_backup(&empty.path().join("routewarden.db.replaced")).unwrap();
    assert_eq!(replaced.journal.rows, 21);
    assert_eq!(restore(&path, TempDir::new().unwrap().path(), false).unwrap(), report);
}

#[test]
fn a_bad_backup_is_refused_and_the_store_left_as_it_is() {
    let mut fixture = Fixture::new();
    fixture.record(versions(0, 50));
    let path = fixture.dir.path().join("backup.db");
    fixture.store.reader().unwrap().backup(&path).unwrap();
    let good = std::fs::read(&path).unwrap();
    let place = TempDir::new().unwrap();
    drop(Store::open(place.path()).unwrap());
    let store = std::fs::read(place.path().join(STORE_FILE)).unwrap();

    let half = &good[..good.len() / 2];
    let mut wrong = good.clone();
    for octet in wrong.iter_mut().skip(good.len() / 2).take(20_000) {
        *octet ^= 0x55;
    }
    for bad in [half, &wrong, b"", b"not a database"] {
        std::fs::write(&path, bad).unwrap();
        let error = restore(&path, place.path(), true).unwrap_err();
        assert!(["damaged", "not_a_store", "database"].contains(&error.kind()), "{error}");
        assert_eq!(std::fs::read(place.path().join(STORE_FILE)).unwrap(), store);
        assert!(!place.path().join("routewarden.db.partial").exists());
    }
    std::fs::write(&path, &good).unwrap();
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch("DROP TRIGGER journal_is_never_changed; UPDATE journal SET at = 0").unwrap();
    drop(conn);
    let error = restore(&path, place.path(), true).unwrap_err();
    assert!(matches!(error, StoreError::ChainBroken { seq: 1 }));
    let missing = restore(&place.path().join("none"), place.path(), true).unwrap_err();
    assert_eq!(missing.kind(), "io");
}

#[test]
fn readers_on_other_threads_see_whole_ticks_while_the_writer_goes_on() {
    let mut fixture = Fixture::new();
    let dir = fixture.dir.path().to_owned();
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let reader = StoreReader::open(&dir).unwrap();
            let mut count = 0;
            let backup = dir.join("backup.db");
            let copied = reader.backup(&backup).unwrap().journal.rows;
            assert!(copied.is_multiple_of(10), "{copied}");
            while count < 200 {
                let now = reader.list(&crate::IncidentFilter::default(), None, 1_000).unwrap();
                assert!(now.incidents.len() >= count && now.incidents.len().is_multiple_of(10));
                count = now.incidents.len();
            }
        });
        for tick in 0..20 {
            fixture.record(versions(tick * 10, 10));
        }
        reader.join().unwrap();
    });
}
