//! Users, sessions, tokens, the audit log, and the way back from a backup.

mod faults;

use routewarden_core::facts::Sha256;
use tempfile::TempDir;

use super::*;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_795_824_000).plus_secs(secs)
}

fn name(text: &str) -> UserName {
    text.parse().unwrap()
}

fn actor(secs: i64) -> Actor {
    Actor { user: Some(name("root")), token: None, address: "192.0.2.1".to_owned(), at: at(secs) }
}

fn hash(octet: u8) -> Sha256 {
    Sha256([octet; 32])
}

fn new_user(text: &str, role: Role) -> NewUser {
    NewUser { name: name(text), role, password: format!("hash of {text}") }
}

fn new_token(octet: u8, role: Role, expires_at: Timestamp) -> NewToken {
    NewToken { hash: hash(octet), label: "for a test".to_owned(), role, expires_at }
}

/// With an admin `root`, an analyst `anna` and a viewer `vera`.
fn filled() -> (TempDir, AccessFile) {
    let dir = TempDir::new().unwrap();
    let mut file = AccessFile::open(dir.path()).unwrap();
    file.set_up(&actor(0), name("root"), "hash of root".to_owned()).unwrap();
    file.add_user(&actor(0), &new_user("anna", Role::Analyst)).unwrap();
    file.add_user(&actor(0), &new_user("vera", Role::Viewer)).unwrap();
    (dir, file)
}

fn log_in(file: &mut AccessFile, text: &str, octet: u8, secs: i64) -> Result<(), AccessError> {
    let password = format!("hash of {text}");
    file.begin_session(&actor(secs), (&name(text), &password), &hash(octet))
}

/// Verb, object, detail and outcome of every row.
fn told(file: &AccessFile) -> Vec<String> {
    let rows = file.audit_from(1, AUDIT_ROWS_MAX).unwrap();
    let line =
        |row: &AuditRow| format!("{} {} {} {}", row.verb, row.object, row.detail, row.outcome);
    rows.iter().map(line).collect()
}

fn kind(result: Result<impl Sized, AccessError>) -> &'static str {
    result.map(drop).unwrap_err().kind()
}

#[test]
fn names_and_roles_are_of_a_form() {
    for right in ["a", "anna.b-c_9", &"x".repeat(USER_NAME_OCTETS_MAX)] {
        assert_eq!(name(right).to_string(), *right);
    }
    for wrong in ["", "Anna", "a b", "ä", "a\n", "a/b", &"x".repeat(USER_NAME_OCTETS_MAX + 1)] {
        assert!(wrong.parse::<UserName>().is_err(), "{wrong:?}");
    }
    for role in Role::ALL {
        assert_eq!(role.to_string().parse(), Ok(role));
    }
    assert!(
        "root".parse::<Role>().is_err()
            && Role::Viewer < Role::Analyst
            && Role::Analyst < Role::Admin
    );
}

#[test]
fn the_first_user_is_an_admin_and_made_once() {
    let dir = TempDir::new().unwrap();
    let mut file = AccessFile::open(dir.path()).unwrap();
    assert!(!file.has_users().unwrap());
    let made = file.set_up(&actor(0), name("root"), "h".to_owned()).unwrap();
    assert_eq!((made.role, made.created_at, made.login_at), (Role::Admin, at(0), None));
    assert!(file.has_users().unwrap());
    assert_eq!(kind(file.set_up(&actor(1), name("other"), "h".to_owned())), "set_up_done");
    assert_eq!(told(&file), ["set_up root admin ok"]);
}

#[test]
fn a_name_is_given_once_for_ever() {
    let (_dir, mut file) = filled();
    let off = UserChange { disabled: Some(true), ..UserChange::default() };
    file.change_user(&actor(1), &name("vera"), &off).unwrap();
    assert_eq!(kind(file.add_user(&actor(2), &new_user("vera", Role::Admin))), "name_taken");
    let names: Vec<_> =
        file.users().unwrap().into_iter().map(|user| user.name.to_string()).collect();
    assert_eq!(names, ["anna", "root", "vera"]);
    assert!(file.knows(&name("vera")).unwrap() && !file.knows(&name("nobody")).unwrap());
    assert_eq!(file.password_of(&name("vera")).unwrap(), None);
    assert_eq!(file.password_of(&name("anna")).unwrap().as_deref(), Some("hash of anna"));
}

#[test]
fn a_session_ends_when_it_is_not_used_and_in_any_case() {
    let (_dir, mut file) = filled();
    log_in(&mut file, "anna", 1, 0).unwrap();
    let found = file.session(&hash(1), at(1)).unwrap().unwrap();
    let expected =
        Identity { user: name("anna"), role: Role::Analyst, token: None, is_to_note: false };
    assert_eq!(found, expected);
    assert_eq!(file.session(&hash(2), at(1)).unwrap(), None);
    assert!(file.session(&hash(1), at(USE_NOTED_SECS)).unwrap().unwrap().is_to_note);
    assert!(file.session(&hash(1), at(SESSION_IDLE_SECS_MAX - 1)).unwrap().is_some());
    assert_eq!(file.session(&hash(1), at(SESSION_IDLE_SECS_MAX)).unwrap(), None);
    let mut last = 0;
    while last < SESSION_SECS_MAX - 1 {
        assert!(file.session(&hash(1), at(last)).unwrap().is_some(), "{last}");
        file.note_session(&hash(1), at(last)).unwrap();
        last += SESSION_IDLE_SECS_MAX - 1;
    }
    assert_eq!(file.session(&hash(1), at(SESSION_SECS_MAX)).unwrap(), None);
    // The next login takes out what is over.
    log_in(&mut file, "vera", 2, SESSION_SECS_MAX).unwrap();
    let count = |file: &AccessFile| {
        let sql = "SELECT count(*) FROM sessions";
        file.conn.query_row(sql, (), |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(count(&file), 1);
    let actor = Actor { user: Some(name("vera")), ..actor(SESSION_SECS_MAX) };
    file.end_session(&actor, &hash(2)).unwrap();
    assert_eq!(count(&file), 0);
    assert_eq!(told(&file).last().unwrap(), "log_out vera  ok");
}

#[test]
fn only_who_has_the_password_still_and_is_not_disabled_logs_in() {
    let (_dir, mut file) = filled();
    let wrong = file.begin_session(&actor(1), (&name("anna"), "an old hash"), &hash(1));
    assert_eq!(kind(wrong), "no_such_user");
    assert_eq!(kind(log_in(&mut file, "nobody", 1, 1)), "no_such_user");
    let off = UserChange { disabled: Some(true), ..UserChange::default() };
    file.change_user(&actor(1), &name("anna"), &off).unwrap();
    assert_eq!(kind(log_in(&mut file, "anna", 1, 1)), "no_such_user");
    assert_eq!(file.session(&hash(1), at(1)).unwrap(), None);
}

#[test]
fn a_user_has_only_so_many_sessions() {
    let (_dir, mut file) = filled();
    let count = u8::try_from(SESSIONS_PER_USER_MAX).unwrap();
    log_in(&mut file, "vera", 200, 0).unwrap();
    for n in 0..=count {
        log_in(&mut file, "anna", n, i64::from(n)).unwrap();
    }
    let now = at(i64::from(count));
    assert_eq!(file.session(&hash(0), now).unwrap(), None);
    for n in (1..=count).chain([200]) {
        assert!(file.session(&hash(n), now).unwrap().is_some(), "{n}");
    }
}

#[test]
fn what_changes_a_user_ends_the_sessions() {
    let (_dir, mut file) = filled();
    for n in 1..=3 {
        log_in(&mut file, "anna", n, 0).unwrap();
    }
    let is_there = |file: &AccessFile, n| file.session(&hash(n), at(1)).unwrap().is_some();
    file.change_password(&actor(1), (&name("anna"), "new"), &hash(2)).unwrap();
    assert_eq!([1, 2, 3].map(|n| is_there(&file, n)), [false, true, false]);
    let role = UserChange { role: Some(Role::Viewer), ..UserChange::default() };
    file.change_user(&actor(1), &name("anna"), &role).unwrap();
    assert_eq!(file.session(&hash(2), at(1)).unwrap().unwrap().role, Role::Viewer);
    let password = UserChange { password: Some("newer".to_owned()), ..UserChange::default() };
    let changed = file.change_user(&actor(2), &name("anna"), &password).unwrap();
    assert_eq!((changed.password_at, is_there(&file, 2)), (at(2), false));
    assert_eq!(
        told(&file)[6..],
        ["user_password anna  ok", "user_role anna viewer ok", "user_password anna  ok"]
    );
    let missing = file.change_user(&actor(1), &name("nobody"), &role);
    assert_eq!(kind(missing), "no_such_user");
}

#[test]
fn what_changes_nothing_is_not_told() {
    let (_dir, mut file) = filled();
    let before = told(&file);
    let same =
        UserChange { role: Some(Role::Viewer), disabled: Some(false), ..UserChange::default() };
    file.change_user(&actor(1), &name("vera"), &same).unwrap();
    assert_eq!(told(&file), before);
}

#[test]
fn there_is_always_an_admin() {
    let (_dir, mut file) = filled();
    let lower = UserChange { role: Some(Role::Analyst), ..UserChange::default() };
    let off = UserChange { disabled: Some(true), ..UserChange::default() };
    let before = (file.users().unwrap(), told(&file));
    for change in [&lower, &off] {
        assert_eq!(kind(file.change_user(&actor(1), &name("root"), change)), "last_admin");
    }
    assert_eq!((file.users().unwrap(), told(&file)), before);
    let raise = UserChange { role: Some(Role::Admin), ..UserChange::default() };
    file.change_user(&actor(1), &name("anna"), &raise).unwrap();
    file.change_user(&actor(1), &name("root"), &off).unwrap();
    assert_eq!(kind(file.change_user(&actor(1), &name("anna"), &lower)), "last_admin");
    let on = UserChange { disabled: Some(false), ..UserChange::default() };
    assert_eq!(file.change_user(&actor(1), &name("root"), &on).unwrap().disabled_at, None);
}

#[test]
fn a_token_may_no_more_than_its_owner_and_expires() {
    let (_dir, mut file) = filled();
    let end = at(TOKEN_DAYS_MAX * 86_400);
    let anna = name("anna");
    for (new, why) in [
        (new_token(1, Role::Admin, end), "role_too_high"),
        (new_token(1, Role::Viewer, at(0)), "bad_expiry"),
        (new_token(1, Role::Viewer, end.plus_secs(1)), "bad_expiry"),
        (NewToken { label: String::new(), ..new_token(1, Role::Viewer, end) }, "bad_label"),
        (NewToken { label: "a\nb".to_owned(), ..new_token(1, Role::Viewer, end) }, "bad_label"),
        (NewToken { label: "x".repeat(65), ..new_token(1, Role::Viewer, end) }, "bad_label"),
    ] {
        assert_eq!(kind(file.add_token(&actor(0), &anna, &new)), why, "{new:?}");
    }
    let made = file.add_token(&actor(0), &anna, &new_token(1, Role::Analyst, end)).unwrap();
    let found = file.token(&hash(1), at(1)).unwrap().unwrap();
    assert_eq!((&found.user, found.role, found.token), (&anna, Role::Analyst, Some(made.id)));
    assert!(found.is_to_note && made.used_at.is_none());
    file.note_token(made.id, at(1)).unwrap();
    assert!(!file.token(&hash(1), at(2)).unwrap().unwrap().is_to_note);
    assert_eq!(file.tokens(Some(&anna)).unwrap()[0].used_at, Some(at(1)));
    assert_eq!(file.token(&hash(1), end).unwrap(), None);

    let lower = UserChange { role: Some(Role::Viewer), ..UserChange::default() };
    file.change_user(&actor(2), &anna, &lower).unwrap();
    assert_eq!(file.token(&hash(1), at(3)).unwrap().unwrap().role, Role::Viewer);
    let off = UserChange { disabled: Some(true), ..UserChange::default() };
    file.change_user(&actor(4), &anna, &off).unwrap();
    assert_eq!(file.token(&hash(1), at(5)).unwrap(), None);
    assert_eq!(
        kind(file.add_token(&actor(5), &anna, &new_token(2, Role::Viewer, end))),
        "no_such_user"
    );
}

#[test]
fn tokens_are_revoked_by_their_owner_or_by_one_who_may_all() {
    let (_dir, mut file) = filled();
    let (anna, vera, end) = (name("anna"), name("vera"), at(60));
    let mut made = Vec::new();
    for (n, owner) in [(1, &anna), (2, &vera), (3, &vera)] {
        made.push(file.add_token(&actor(0), owner, &new_token(n, Role::Viewer, end)).unwrap().id);
    }
    assert_eq!(file.tokens(None).unwrap().len(), 3);
    assert_eq!(kind(file.revoke_token(&actor(1), made[1], Some(&anna))), "no_such_token");
    file.revoke_token(&actor(1), made[1], Some(&vera)).unwrap();
    file.revoke_token(&actor(1), made[2], None).unwrap();
    assert_eq!(kind(file.revoke_token(&actor(1), made[2], None)), "no_such_token");
    assert_eq!(file.token(&hash(3), at(1)).unwrap(), None);
    // The number of the last one is not given again.
    let next = file.add_token(&actor(1), &vera, &new_token(4, Role::Viewer, end)).unwrap();
    assert_eq!(next.id, made[2] + 1);
    for n in 5..5 + u8::try_from(TOKENS_PER_USER_MAX).unwrap() - 1 {
        file.add_token(&actor(1), &vera, &new_token(n, Role::Viewer, end)).unwrap();
    }
    let surplus = file.add_token(&actor(1), &vera, &new_token(255, Role::Viewer, end));
    assert_eq!(kind(surplus), "over_limit");
}

#[test]
fn there_are_only_so_many_users() {
    let (_dir, mut file) = filled();
    let sql = "INSERT INTO users (name, role, password, password_at, created_at) \
               VALUES ('u' || ?1, 'viewer', 'x', 0, 0)";
    for n in 3..USERS_MAX - 1 {
        file.conn.execute(sql, [n]).unwrap();
    }
    file.add_user(&actor(1), &new_user("last", Role::Viewer)).unwrap();
    assert_eq!(kind(file.add_user(&actor(1), &new_user("surplus", Role::Viewer))), "over_limit");
}

#[test]
fn the_audit_log_is_read_from_both_ends() {
    let (_dir, mut file) = filled();
    let nobody = Actor { user: None, token: None, ..actor(7) };
    file.record(&nobody, (Verb::LogIn, "", ""), Outcome::Refused).unwrap();
    let by_token = Actor { token: Some(9), ..actor(8) };
    let what = (Verb::Export, "/api/v1/incidents", "format=csv");
    file.record(&by_token, what, Outcome::Ok).unwrap();
    let rows = file.audit_before(i64::MAX, 2).unwrap();
    assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), [5, 4]);
    assert_eq!((rows[0].token, rows[0].user.as_deref()), (Some(9), Some("root")));
    assert_eq!((rows[1].token, rows[1].user.as_deref()), (None, None));
    assert_eq!((rows[1].at, rows[1].outcome.as_str()), (at(7), "refused"));
    assert_eq!(file.audit_before(4, 1).unwrap()[0].seq, 3);
    assert_eq!(file.audit_from(2, 9).unwrap().len(), 4);
    let verified = file.verify().unwrap();
    assert_eq!((verified.rows, verified.head.hash), (5, rows[0].hash));
    let long = "x".repeat(AUDIT_TEXT_OCTETS_MAX + 1);
    assert_eq!(kind(file.record(&nobody, (Verb::Export, "", &long), Outcome::Ok)), "over_limit");
}
