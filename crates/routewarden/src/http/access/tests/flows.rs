//! What users do: the first run, logging in and out, passwords, users, tokens.

use super::*;

async fn who(server: &Server, cookie: &str) -> Value {
    server.ask(Ask::get("/api/v1/session").cookie(cookie)).await.json()
}

fn link_of(server: &Server) -> String {
    std::fs::read_to_string(server.dir.path().join("setup-link")).unwrap().trim().to_owned()
}

#[tokio::test]
async fn the_first_user_is_made_with_the_link_and_only_once() {
    use std::os::unix::fs::PermissionsExt;
    let server = Server::empty();
    let file = server.dir.path().join("setup-link");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let link = link_of(&server);
    let token = link.strip_prefix("http://127.0.0.1:8080/setup#").unwrap();
    let before = server.ask(Ask::get("/api/v1/session")).await.json();
    assert_eq!(before, json!({ "user": null, "setup_needed": true, "mode": "users" }));
    for path in ["/api/v1/incidents", "/status", "/metrics", "/api/v1/openapi.json"] {
        assert_eq!(server.ask(Ask::get(path)).await.problem(), is(403, "setup_needed"), "{path}");
    }
    assert_eq!(server.ask(Ask::get("/healthz")).await.status, 200);
    let set_up = |token: &str, password: &str| json!({ "token": token, "name": "root", "password": password });
    let wrong = server.ask(Ask::post("/api/v1/setup", &set_up("x", PASSWORD))).await;
    assert_eq!(wrong.problem(), is(403, "setup_refused"));
    let short = server.ask(Ask::post("/api/v1/setup", &set_up(token, "short"))).await;
    assert_eq!(
        (short.problem(), &short.json()["parameter"]),
        (is(400, "bad_parameter"), &json!("password"))
    );

    let made = server.ask(Ask::post("/api/v1/setup", &set_up(token, PASSWORD))).await;
    let user = json!({ "name": "root", "role": "admin" });
    assert_eq!(made.json(), json!({ "user": user, "setup_needed": false, "mode": "users" }));
    assert_eq!(who(&server, &made.cookie()).await["user"], user);
    let again = server.ask(Ask::post("/api/v1/setup", &set_up(token, PASSWORD))).await;
    assert_eq!(again.problem(), is(403, "setup_refused"));
    assert!(!file.exists());
    assert_eq!(server.told_since(0), ["- set_up root ok", "root log_in root ok"]);
    assert!(!server.restarted().dir.path().join("setup-link").exists());
}

#[tokio::test]
async fn the_link_is_good_for_a_day_and_until_the_next_start() {
    let server = Server::configured(|config| {
        config.http.public_url = Some("https://a.example".parse().unwrap());
    });
    let old = link_of(&server);
    let server = server.restarted();
    let new = link_of(&server);
    assert_ne!(old, new);
    let body = |link: &str| {
        let token = link.strip_prefix("https://a.example/setup#").unwrap();
        json!({ "token": token, "name": "root", "password": PASSWORD })
    };
    let refused = server.ask(Ask::post("/api/v1/setup", &body(&old))).await;
    assert_eq!(refused.problem(), is(403, "setup_refused"));
    server.pass(SETUP_SECS_MAX);
    let late = server.ask(Ask::post("/api/v1/setup", &body(&new))).await;
    assert_eq!(late.problem(), is(403, "setup_refused"));
    server.pass(-1);
    // Meanwhile somebody makes the first user at the command line.
    let made = NewUser { name: name("cli"), role: Role::Admin, password: "x".to_owned() };
    server.file().add_user(&server.actor(), &made).unwrap();
    let second = server.ask(Ask::post("/api/v1/setup", &body(&new))).await;
    assert_eq!(second.problem(), is(409, "set_up_done"));
    assert_eq!(server.ask(Ask::get("/status")).await.problem(), is(401, "login_needed"));
}

#[tokio::test]
async fn a_session_begins_and_ends() {
    let server = Server::filled();
    let begun = server.log_in_as("analyst", PASSWORD).await;
    assert_eq!(begun.json()["user"], json!({ "name": "analyst", "role": "analyst" }));
    let cookie = begun.cookie();
    let attributes = begun.header("set-cookie").strip_prefix(&cookie).unwrap();
    assert_eq!(attributes, "; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict");
    assert_eq!(begun.header("cache-control"), "no-store");
    let other = server.log_in_as("analyst", PASSWORD).await.cookie();
    assert_ne!(other, cookie);
    assert_eq!(server.ask(Ask::get("/api/v1/feeds").cookie(&cookie)).await.status, 200);

    let seq = server.last_seq();
    let ended = server.ask(Ask::new(Method::DELETE, "/api/v1/session").cookie(&cookie)).await;
    assert_eq!((ended.status, ended.cookie().as_str()), (204, "rw_session="));
    assert!(ended.header("set-cookie").contains("; Max-Age=0;"));
    assert_eq!(server.told_since(seq), ["analyst log_out analyst ok"]);
    assert_eq!(who(&server, &cookie).await["user"], Value::Null);
    let refused = server.ask(Ask::get("/api/v1/feeds").cookie(&cookie)).await;
    assert_eq!(refused.problem(), is(401, "login_needed"));
    assert_eq!(refused.header("www-authenticate"), "Bearer");
    assert_eq!(who(&server, &other).await["user"]["name"], "analyst");
    let server = server.restarted();
    assert_eq!(who(&server, &other).await["user"]["name"], "analyst", "a restart ends no session");
    server.pass(routewarden_store::access::SESSION_IDLE_SECS_MAX);
    assert_eq!(who(&server, &other).await["user"], Value::Null);
}

#[tokio::test]
async fn use_keeps_a_session_alive() {
    let server = Server::filled();
    let cookie = server.log_in_as("viewer", PASSWORD).await.cookie();
    for _ in 0..5 {
        server.pass(4 * 3_600);
        assert_eq!(server.ask(Ask::get("/api/v1/feeds").cookie(&cookie)).await.status, 200);
    }
}

#[tokio::test]
async fn over_tls_the_cookie_is_bound_to_the_host() {
    let server = Server::filled_and_configured(|config| {
        config.http.public_url = Some("https://a.example".parse().unwrap());
    });
    let begun = server.log_in_as("viewer", PASSWORD).await;
    assert!(begun.cookie().starts_with("__Host-rw="), "{}", begun.cookie());
    assert!(
        begun
            .header("set-cookie")
            .ends_with("; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict; Secure")
    );
    assert_eq!(who(&server, &begun.cookie()).await["user"]["name"], "viewer");
    let plain = begun.cookie().replace("__Host-rw", "rw_session");
    assert_eq!(who(&server, &plain).await["user"], Value::Null);
}

#[tokio::test]
async fn a_password_is_changed_by_who_has_the_old_one() {
    let server = Server::filled();
    let cookie = server.log_in_as("viewer", PASSWORD).await.cookie();
    let other = server.log_in_as("viewer", PASSWORD).await.cookie();
    let change = |old: &str, new: &str| json!({ "old": old, "new": new });
    let ask = |body: &Value| Ask::post("/api/v1/password", body).cookie(&cookie);
    let wrong = server.ask(ask(&change("not the old one", "a new password"))).await;
    assert_eq!(wrong.problem(), is(401, "login_failed"));
    let plain = server.ask(ask(&change(PASSWORD, "viewerviewer"))).await;
    assert_eq!(
        (plain.problem(), &plain.json()["parameter"]),
        (is(400, "bad_parameter"), &json!("new"))
    );
    assert_eq!(server.ask(ask(&change(PASSWORD, "a new password"))).await.status, 204);
    assert_eq!(who(&server, &cookie).await["user"]["name"], "viewer");
    assert_eq!(who(&server, &other).await["user"], Value::Null);
    assert_eq!(server.log_in_as("viewer", PASSWORD).await.problem(), is(401, "login_failed"));
    assert_eq!(server.log_in_as("viewer", "a new password").await.status, 200);
}

#[tokio::test]
async fn an_admin_manages_users() {
    let server = Server::filled();
    let cookie = server.session("admin");
    let add = |body: Value| Ask::post("/api/v1/users", &body).cookie(&cookie);
    let anna = json!({ "name": "anna", "role": "viewer", "password": PASSWORD });
    let made = server.ask(add(anna.clone())).await;
    assert_eq!((made.status, &made.json()["role"]), (201, &json!("viewer")));
    assert_eq!(server.ask(add(anna)).await.problem(), is(409, "name_taken"));
    let begun = server.log_in_as("anna", PASSWORD).await.cookie();
    let patch =
        |name: &'static str, body: Value| Ask::new(Method::PATCH, name).json(&body).cookie(&cookie);
    let raised = server.ask(patch("/api/v1/users/anna", json!({ "role": "analyst" }))).await;
    assert_eq!(raised.json()["role"], "analyst");
    assert_eq!(who(&server, &begun).await["user"]["role"], "analyst");
    let off = server.ask(patch("/api/v1/users/anna", json!({ "disabled": true }))).await;
    assert!(off.json()["disabled_at"].is_string());
    assert_eq!(who(&server, &begun).await["user"], Value::Null);
    assert_eq!(server.log_in_as("anna", PASSWORD).await.problem(), is(401, "login_failed"));
    let on = json!({ "disabled": false, "password": "another password" });
    assert_eq!(server.ask(patch("/api/v1/users/anna", on)).await.status, 200);
    assert_eq!(server.log_in_as("anna", "another password").await.status, 200);
    let nobody = server.ask(patch("/api/v1/users/nobody", json!({ "role": "viewer" }))).await;
    assert_eq!(nobody.problem(), is(404, "no_such_user"));
    for change in [json!({ "role": "viewer" }), json!({ "disabled": true })] {
        let last = server.ask(patch("/api/v1/users/admin", change)).await;
        assert_eq!(last.problem(), is(409, "last_admin"));
    }
    let list = server.ask(Ask::get("/api/v1/users").cookie(&cookie)).await;
    let list = list.json();
    let names: Vec<&str> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["admin", "analyst", "anna", "viewer"]);
    assert!(!list.to_string().contains("argon2"));
}

#[tokio::test]
async fn tokens_are_shown_once_and_are_their_owners() {
    let server = Server::filled();
    let (analyst, admin) = (server.session("analyst"), server.session("admin"));
    let end = server.clock.now().plus_secs(3_600).to_string();
    let new = |role: &str| json!({ "label": "prometheus", "role": role, "expires_at": end });
    let high = server.ask(Ask::post("/api/v1/tokens", &new("admin")).cookie(&analyst)).await;
    assert_eq!(
        (high.problem(), &high.json()["parameter"]),
        (is(400, "bad_parameter"), &json!("role"))
    );
    let made = server.ask(Ask::post("/api/v1/tokens", &new("viewer")).cookie(&analyst)).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    let (token, id) = (made["token"].as_str().unwrap().to_owned(), made["id"].as_i64().unwrap());
    assert!(crate::access::is_token(&token));

    let used = server.ask(Ask::get("/api/v1/session").bearer(&token)).await.json();
    assert_eq!(used["user"], json!({ "name": "analyst", "role": "viewer" }));
    let list = server.ask(Ask::get("/api/v1/tokens").bearer(&token)).await;
    assert!(!list.body.contains(&token), "{}", list.body);
    let item = &list.json()["items"][0];
    assert_eq!((&item["label"], &item["user"]), (&json!("prometheus"), &json!("analyst")));
    assert!(item["used_at"].is_string());
    let all = server.ask(Ask::get("/api/v1/tokens?all=true").cookie(&analyst)).await;
    assert_eq!(all.problem(), is(403, "not_allowed"));
    let all = server.ask(Ask::get("/api/v1/tokens?all=true").cookie(&admin)).await;
    assert_eq!(all.json()["items"].as_array().unwrap().len(), 1);
    let own = server.ask(Ask::get("/api/v1/tokens").cookie(&admin)).await;
    assert_eq!(own.json()["items"], json!([]));

    let path = format!("/api/v1/tokens/{id}");
    let gone = |cookie: &str| Ask::new(Method::DELETE, &path).cookie(cookie);
    let foreign = server.ask(gone(&server.session("viewer"))).await;
    assert_eq!(foreign.problem(), is(404, "no_such_token"));
    assert_eq!(server.ask(gone(&admin)).await.status, 204);
    let refused = server.ask(Ask::get("/api/v1/feeds").bearer(&token)).await;
    assert_eq!(refused.problem(), is(401, "login_needed"));
}

#[tokio::test]
async fn the_audit_log_has_who_did_what() {
    let server = Server::filled();
    let seq = server.last_seq();
    let token = server.token("viewer", Role::Viewer, 60);
    let cookie = server.log_in_as("admin", PASSWORD).await.cookie();
    let export = "/api/v1/incidents?format=csv&open=true";
    assert_eq!(server.ask(Ask::get(export).bearer(&token)).await.status, 200);
    for none in
        ["/api/v1/incidents?format=json", "/api/v1/incidents", "/api/v1/incidents?format=xml"]
    {
        server.ask(Ask::get(none).cookie(&cookie)).await;
    }
    assert_eq!(
        server.told_since(seq + 1),
        ["admin log_in admin ok", "viewer export /api/v1/incidents ok"]
    );
    let page = server.ask(Ask::get("/api/v1/audit?limit=2").cookie(&cookie)).await.json();
    let newest = &page["items"][0];
    assert_eq!((&newest["verb"], &newest["user"]), (&json!("export"), &json!("viewer")));
    assert_eq!(newest["detail"], "format=csv&open=true");
    assert_eq!((&newest["token"], &newest["address"]), (&json!(1), &json!("192.0.2.1")));
    let mut count = 2;
    let mut next = page["next"].as_i64();
    while let Some(cursor) = next {
        let path = format!("/api/v1/audit?limit=2&cursor={cursor}");
        let page = server.ask(Ask::get(&path).cookie(&cookie)).await.json();
        count += page["items"].as_array().unwrap().len();
        next = page["next"].as_i64();
    }
    assert_eq!(i64::try_from(count).unwrap(), server.last_seq());
    server.file().verify().unwrap();
}

#[tokio::test]
async fn without_users_everybody_on_this_machine_may_all() {
    let server = Server::configured(|config| config.access.mode = AccessMode::Off);
    let session = server.ask(Ask::get("/api/v1/session")).await.json();
    assert_eq!(session, json!({ "user": null, "setup_needed": false, "mode": "off" }));
    for host in ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "LOCALHOST"] {
        let answer = server.ask(Ask::get("/api/v1/incidents").with("host", host)).await;
        assert_eq!(answer.status, 200, "{host}");
    }
    for host in
        ["attacker.example", "attacker.example:8080", "localhost.attacker.example", "", "a b"]
    {
        let answer = server.ask(Ask::get("/api/v1/incidents").with("host", host)).await;
        assert_eq!(answer.problem(), is(421, "wrong_host"), "{host}");
    }
    for (method, path) in [
        (Method::POST, "/api/v1/session"),
        (Method::DELETE, "/api/v1/session"),
        (Method::POST, "/api/v1/password"),
        (Method::GET, "/api/v1/users"),
        (Method::GET, "/api/v1/tokens"),
        (Method::DELETE, "/api/v1/tokens/1"),
        (Method::GET, "/api/v1/audit"),
    ] {
        let body = json!({ "name": "a", "password": "b", "old": "c", "new": "d" });
        let body = match path {
            "/api/v1/session" => json!({ "name": body["name"], "password": body["password"] }),
            _ => json!({ "old": body["old"], "new": body["new"] }),
        };
        let answer = server.ask(Ask::new(method, path).json(&body)).await;
        assert_eq!(answer.problem(), is(409, "access_off"), "{path}");
    }
    assert!(!server.dir.path().join("access.db").exists());
}
