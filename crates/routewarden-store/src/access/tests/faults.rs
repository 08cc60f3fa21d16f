//! What must not happen: a log changed, a file that others read, a full disk, a bad backup.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::{STORE_FILE, Store};

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn rows_of_the_audit_log_are_neither_changed_nor_deleted_nor_replaced() {
    let (_dir, file) = filled();
    for sql in [
        "UPDATE audit SET user = 'x' WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 2",
        "INSERT OR REPLACE INTO audit SELECT seq, 0, '', 0, '', '', '', '', '', hash FROM audit",
    ] {
        let error = file.conn.execute(sql, ()).unwrap_err();
        assert!(error.to_string().contains("append-only"), "{sql}: {error}");
    }
    assert_eq!(file.verify().unwrap().rows, 3);
}

#[test]
fn an_audit_log_that_was_tampered_with_is_told_with_the_row() {
    for (sql, seq) in [
        ("UPDATE audit SET user = 'x' WHERE seq = 2", 2),
        ("UPDATE audit SET at = at + 1 WHERE seq = 3", 3),
        ("UPDATE audit SET token = 1 WHERE seq = 1", 1),
        ("UPDATE audit SET outcome = 'refused' WHERE seq = 1", 1),
        // What is moved from one field to the next is another row, too.
        ("UPDATE audit SET object = 'ann', detail = 'aanalyst' WHERE seq = 2", 2),
        ("UPDATE audit SET hash = zeroblob(32) WHERE seq = 3", 3),
        ("DELETE FROM audit WHERE seq = 2", 2),
    ] {
        let (_dir, file) = filled();
        let drop = "DROP TRIGGER audit_is_never_changed; DROP TRIGGER audit_is_never_cut";
        file.conn.execute_batch(drop).unwrap();
        file.conn.execute_batch(sql).unwrap();
        let error = file.verify().unwrap_err();
        assert!(
            matches!(error, StoreError::ChainBroken { seq: at } if at == seq),
            "{sql}: {error}"
        );
    }
}

#[test]
fn what_cannot_be_recorded_is_not_done() {
    let (_dir, mut file) = filled();
    let refuse = "CREATE TRIGGER full BEFORE INSERT ON audit \
                  BEGIN SELECT RAISE(ABORT, 'no room'); END";
    file.conn.execute_batch(refuse).unwrap();
    let before = file.users().unwrap();
    assert!(file.add_user(&actor(1), &new_user("new", Role::Admin)).is_err());
    let off = UserChange { disabled: Some(true), ..UserChange::default() };
    assert!(file.change_user(&actor(1), &name("vera"), &off).is_err());
    assert!(log_in(&mut file, "anna", 1, 1).is_err());
    let token = new_token(1, Role::Viewer, at(60));
    assert!(file.add_token(&actor(1), &name("anna"), &token).is_err());
    assert_eq!(file.users().unwrap(), before);
    assert_eq!(file.session(&hash(1), at(1)).unwrap(), None);
    assert_eq!(file.token(&hash(1), at(1)).unwrap(), None);
}

#[test]
fn the_file_is_its_owners_alone_and_of_no_other_sort() {
    let (dir, file) = filled();
    for suffix in ["", "-wal", "-shm"] {
        let path = dir.path().join(format!("{ACCESS_FILE}{suffix}"));
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    drop(file);
    let other = TempDir::new().unwrap();
    drop(Store::open(other.path()).unwrap());
    std::fs::copy(other.path().join(STORE_FILE), other.path().join(ACCESS_FILE)).unwrap();
    assert!(matches!(AccessFile::open(other.path()), Err(StoreError::NotAStore { .. })));
    assert!(AccessFile::open_for_reading(TempDir::new().unwrap().path()).is_err());
}

#[test]
fn two_processes_write_in_turn() {
    let (dir, mut one) = filled();
    let mut other = AccessFile::open(dir.path()).unwrap();
    for n in 0..5 {
        one.add_user(&actor(n), &new_user(&format!("one{n}"), Role::Viewer)).unwrap();
        other.add_user(&actor(n), &new_user(&format!("other{n}"), Role::Viewer)).unwrap();
    }
    assert_eq!(AccessFile::open_for_reading(dir.path()).unwrap().verify().unwrap().rows, 13);
}

#[test]
fn many_open_a_new_file_at_once() {
    // They meet at another step each time.
    for _ in 0..5 {
        let dir = TempDir::new().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| drop(AccessFile::open(dir.path()).unwrap()));
            }
        });
    }
}

#[test]
fn a_backup_is_put_back_without_its_sessions() {
    let (dir, mut file) = filled();
    log_in(&mut file, "anna", 1, 0).unwrap();
    file.add_token(&actor(0), &name("anna"), &new_token(2, Role::Viewer, at(60))).unwrap();
    let of_store = dir.path().join("today.db");
    let backup = backup_beside(&of_store);
    assert_eq!(backup.file_name().unwrap(), "today.access.db");
    let report = back_up(dir.path(), &of_store).unwrap().unwrap();
    assert_eq!(back_up(TempDir::new().unwrap().path(), &of_store).unwrap(), None);
    assert_eq!((report.journal.rows, mode(&backup)), (5, 0o600));
    assert_eq!(check_backup(&backup).unwrap(), report);
    assert!(crate::check_backup(&backup).is_err(), "it is no backup of a store");

    let place = TempDir::new().unwrap();
    std::fs::set_permissions(&backup, Permissions::from_mode(0o644)).unwrap();
    assert_eq!(restore(&backup, place.path(), false, &actor(1)).unwrap(), report);
    let restored = AccessFile::open(place.path()).unwrap();
    assert_eq!(mode(&place.path().join(ACCESS_FILE)), 0o600);
    assert_eq!(restored.users().unwrap(), file.users().unwrap());
    assert_eq!(restored.session(&hash(1), at(1)).unwrap(), None);
    assert!(restored.token(&hash(2), at(1)).unwrap().is_some());
    assert_eq!(told(&restored).last().unwrap(), "restore   ok");
    drop(restored);

    assert_eq!(kind(restore(&backup, place.path(), false, &actor(1))), "would_overwrite");
    restore(&backup, place.path(), true, &actor(2)).unwrap();
    let replaced = place.path().join("access.db.replaced");
    assert_eq!(check_backup(&replaced).unwrap().journal.rows, 6);

    let store = Store::open(place.path()).unwrap();
    assert_eq!(kind(restore(&backup, place.path(), true, &actor(2))), "in_use");
    drop(store);
    std::fs::write(&backup, "no backup").unwrap();
    assert!(restore(&backup, place.path(), true, &actor(2)).is_err());
    assert_eq!(AccessFile::open(place.path()).unwrap().users().unwrap().len(), 3);
}
