//! How often somebody may try, and from where they come.

use super::*;
use crate::access::{ATTEMPT_WINDOW_SECS, ATTEMPTS_PER_NAME_MAX, ATTEMPTS_PER_PLACE_MAX};

fn log_in<'a>(user: &str, peer: &'a str) -> Ask<'a> {
    let body = json!({ "name": user, "password": "wrong, but long enough" });
    Ask::post("/api/v1/session", &body).from(peer)
}

#[tokio::test]
async fn names_that_are_known_and_unknown_are_answered_alike() {
    for user in ["viewer", "nobody"] {
        let server = Server::filled();
        let seq = server.last_seq();
        for n in 0..ATTEMPTS_PER_PLACE_MAX {
            let answer = server.ask(log_in(user, "192.0.2.7")).await;
            assert_eq!(answer.problem(), is(401, "login_failed"), "{user} {n}");
            assert_eq!(answer.json()["detail"], "the name or the password is wrong");
        }
        for _ in 0..3 {
            let answer = server.ask(log_in(user, "192.0.2.7")).await;
            assert_eq!(answer.problem(), is(429, "too_many_attempts"));
            assert_eq!(answer.header("retry-after"), ATTEMPT_WINDOW_SECS.to_string());
        }
        let told = server.told_since(seq);
        // Who it was is told when there is such a user; that others are refused, once.
        let object = if user == "viewer" { "viewer" } else { "" };
        assert_eq!(told.len(), 11, "{told:?}");
        assert_eq!(told[0], format!("- log_in {object} refused"));
        assert_eq!(told[10], format!("- log_in {object} limited"));
        server.pass(ATTEMPT_WINDOW_SECS);
        assert_eq!(server.ask(log_in(user, "192.0.2.7")).await.problem(), is(401, "login_failed"));
    }
}

#[tokio::test]
async fn who_was_there_before_is_not_locked_out_by_others() {
    let server = Server::filled();
    let right = || {
        let body = json!({ "name": "viewer", "password": PASSWORD });
        Ask::post("/api/v1/session", &body)
    };
    assert_eq!(server.ask(right().from("192.0.2.1")).await.status, 200);
    for n in 0..ATTEMPTS_PER_NAME_MAX {
        let peer = format!("198.51.100.{n}");
        assert_eq!(server.ask(log_in("viewer", &peer)).await.status, 401);
    }
    assert_eq!(server.ask(right().from("203.0.113.1")).await.status, 429);
    assert_eq!(server.ask(right().from("192.0.2.1")).await.status, 200);
}

#[tokio::test]
async fn the_password_of_a_session_left_open_cannot_be_guessed() {
    let server = Server::filled();
    let cookie = server.session("viewer");
    let body = json!({ "old": "wrong, but long enough", "new": "another password" });
    for _ in 0..ATTEMPTS_PER_PLACE_MAX {
        let answer = server.ask(Ask::post("/api/v1/password", &body).cookie(&cookie)).await;
        assert_eq!(answer.status, 401);
    }
    let answer = server.ask(Ask::post("/api/v1/password", &body).cookie(&cookie)).await;
    assert_eq!(answer.problem(), is(429, "too_many_attempts"));
}

#[tokio::test]
async fn clients_behind_proxies_are_told_apart() {
    let ranges = ["127.0.0.1", "192.0.2.0/24", "2001:db8::/32"];
    let server = Server::filled_and_configured(|config| {
        config.access.proxies = ranges.map(|range| range.parse().unwrap()).to_vec();
    });
    let address = |peer: &'static str, lists: Vec<&'static str>| {
        let mut headers = HeaderMap::new();
        for list in lists {
            headers.append("x-forwarded-for", list.parse().unwrap());
        }
        server.access.client(ClientAddress(peer.parse().unwrap()), &headers).0.to_string()
    };
    let local = "127.0.0.1";
    assert_eq!(address(local, vec![]), "127.0.0.1");
    assert_eq!(address(local, vec!["198.51.100.1"]), "198.51.100.1");
    assert_eq!(address("::ffff:127.0.0.1", vec!["2001:DB9::1"]), "2001:db9::1");
    // Who is no proxy says what it likes.
    assert_eq!(address("203.0.113.1", vec!["198.51.100.1"]), "203.0.113.1");
    assert_eq!(address(local, vec!["8.8.8.8, 198.51.100.1"]), "198.51.100.1");
    assert_eq!(address(local, vec!["8.8.8.8", "198.51.100.1 , 192.0.2.9"]), "198.51.100.1");
    assert_eq!(address(local, vec!["192.0.2.8,2001:db8::9"]), "192.0.2.8");
    for odd in ["unknown", "198.51.100.1:80", "", "198.51.100.1;x", ","] {
        assert_eq!(address(local, vec![odd]), "127.0.0.1", "{odd}");
    }
    assert_eq!(address(local, vec!["198.51.100.1, x"]), "127.0.0.1");
    server.ask(log_in("viewer", local).with("x-forwarded-for", "198.51.100.77")).await;
    let rows = server.file().audit_before(i64::MAX, 1).unwrap();
    assert_eq!(rows[0].address, "198.51.100.77");
}
