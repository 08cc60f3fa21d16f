use rusqlite::params;
use tempfile::TempDir;

use super::*;
use crate::journal::{self, Entry, Head, JournalKind};
use crate::tests::{Fixture, at, dump, ended, hijack};
use crate::{JournalRow, Store, StoreReader};

/// A store as a program of an older version left it, with the rows of a journal.
fn store_of_version(dir: &TempDir, version: i64, rows: &[JournalRow]) {
    let mut conn = Connection::open(dir.path().join(STORE_FILE)).unwrap();
    conn.pragma_update(None, "auto_vacuum", "INCREMENTAL").unwrap();
    conn.pragma_update(None, "journal_mode", "WAL").unwrap();
    migrate(&mut conn, &STORE, version).unwrap();
    let mut head = journal::head(&conn).unwrap();
    for row in rows {
        let entry = Entry {
            at: row.at,
            recorded_at: row.recorded_at,
            kind: JournalKind::from_name(&row.kind).unwrap(),
            subject: &row.subject,
            body: &row.body,
        };
        journal::append(&conn, &mut head, &entry).unwrap();
    }
}

#[test]
fn a_store_of_every_older_version_is_migrated() {
    let mut model = Fixture::new();
    model.record(vec![hijack("a")]);
    model.record(vec![ended(&hijack("a"), 60)]);
    let rows = model.store.reader().unwrap().journal(1, 10).unwrap();
    for version in 1..SCHEMA_VERSION {
        let dir = TempDir::new().unwrap();
        store_of_version(&dir, version, &rows);
        let older = StoreReader::open(dir.path()).err().unwrap();
        assert!(matches!(older, StoreError::Older { found, .. } if found == version));
        let mut store = Store::open(dir.path()).unwrap();
        assert_eq!(pragma(&store.conn, "user_version").unwrap(), SCHEMA_VERSION);
        assert_eq!(store.head(), model.store.head());
        assert_eq!(dump(&store.conn), dump(&model.store.conn));
        assert_eq!(store.record(vec![ended(&hijack("a"), 60)], at(0)).unwrap().unchanged, 1);
        assert!(StoreReader::open(dir.path()).is_ok());
    }
}

#[test]
fn the_versions_of_the_steps_ascend_by_one() {
    let versions: Vec<i64> = MIGRATIONS.iter().map(|step| step.0).collect();
    assert_eq!(versions, (1..=SCHEMA_VERSION).collect::<Vec<_>>());
}

#[test]
fn a_step_that_fails_leaves_the_version_before() {
    let dir = TempDir::new().unwrap();
    store_of_version(&dir, 1, &[]);
    let conn = Connection::open(dir.path().join(STORE_FILE)).unwrap();
    conn.execute_batch("CREATE TABLE gaps (other TEXT)").unwrap();
    assert!(matches!(Store::open(dir.path()), Err(StoreError::Database(_))));
    assert_eq!(pragma(&conn, "user_version").unwrap(), 1);
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'incidents'";
    assert_eq!(conn.query_row(sql, (), |row| row.get::<_, i64>(0)).unwrap(), 0);
    conn.execute_batch("DROP TABLE gaps").unwrap();
    assert!(Store::open(dir.path()).is_ok());
}

#[test]
fn a_newer_store_and_a_foreign_file_are_refused_and_left_alone() {
    let dir = TempDir::new().unwrap();
    drop(Store::open(dir.path()).unwrap());
    let path = dir.path().join(STORE_FILE);
    let conn = Connection::open(&path).unwrap();
    conn.pragma_update(None, "user_version", SCHEMA_VERSION + 1).unwrap();
    drop(conn);
    let known = SCHEMA_VERSION;
    let newer = |error| matches!(error, StoreError::Newer { found, known: k } if (found, k) == (known + 1, known));
    assert!(newer(Store::open(dir.path()).err().unwrap()));
    assert!(newer(StoreReader::open(dir.path()).err().unwrap()));

    let dir = TempDir::new().unwrap();
    let path = dir.path().join(STORE_FILE);
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch("CREATE TABLE theirs (a); PRAGMA application_id = 7").unwrap();
    conn.execute("INSERT INTO theirs VALUES (?1)", params![1]).unwrap();
    drop(conn);
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(Store::open(dir.path()), Err(StoreError::NotAStore { found: 7 })));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    std::fs::write(&path, "not a database, but long enough to be looked at as one: ".repeat(99))
        .unwrap();
    assert!(matches!(Store::open(dir.path()), Err(StoreError::Damaged)));
}

#[test]
fn the_settings_are_those_that_keep_what_is_committed() {
    let fixture = Fixture::new();
    let conn = &fixture.store.conn;
    let mode: String = conn.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    // 2 is FULL; 2 is INCREMENTAL.
    let numbers = [("synchronous", 2), ("auto_vacuum", 2), ("foreign_keys", 1)];
    for (name, value) in numbers.into_iter().chain([("application_id", APPLICATION_ID)]) {
        assert_eq!(pragma(conn, name).unwrap(), value, "{name}");
    }
    assert_eq!(journal::head(conn).unwrap(), Head { seq: 0, ..fixture.store.head() });
}
