//! Users of the running service: made by the link of the first start, and at the command line.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::program::{Ran, routewarden};
use crate::serve::{Service, configure, free, wait};

const PASSWORD: &str = "a password for a test";

/// A service with users, its data and its configuration.
struct Place {
    _folder: tempfile::TempDir,
    http: SocketAddr,
    data: PathBuf,
    config: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (http, bmp) = (free(), free());
        let (data, config) = configure(folder.path(), http, bmp);
        let text = std::fs::read_to_string(&config).unwrap();
        let text = text.replace("mode = \"off\"", "mode = \"users\"");
        std::fs::write(&config, text).unwrap();
        Place { _folder: folder, http, data, config }
    }

    fn start(&self) -> Service {
        let service = Service::start(&self.config);
        wait("the service", || {
            let answer = ureq::get(format!("http://{}/healthz", self.http)).call().ok()?;
            (answer.status() == 200).then_some(())
        });
        service
    }

    /// A verb with the configuration.
    fn run(&self, args: &[&str]) -> Ran {
        let config = self.config.to_string_lossy().into_owned();
        routewarden(args.iter().copied().chain(["--config", &config]))
    }

    /// A verb that reads a password from standard input.
    fn run_with_password(&self, args: &[&str], password: &str) -> Option<i32> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_routewarden"));
        command.args(args).args(["--password-file", "-", "--config"]).arg(&self.config);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
        child.wait().unwrap().code()
    }

    /// Status and body of an answer; with a header that says who asks.
    fn ask(&self, path: &str, who: Option<(&str, &str)>) -> (u16, String) {
        let mut request = agent().get(format!("http://{}{path}", self.http));
        if let Some((name, value)) = who {
            request = request.header(name, value);
        }
        let mut answer = request.call().unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    }

    /// Status and cookie of an answer.
    fn post(&self, path: &str, body: &Value) -> (u16, String) {
        let request = agent().post(format!("http://{}{path}", self.http));
        let request =
            request.header("x-routewarden", "1").header("content-type", "application/json");
        let answer = request.send(body.to_string()).unwrap();
        let cookie =
            answer.headers().get("set-cookie").map_or("", |cookie| cookie.to_str().unwrap());
        (answer.status().as_u16(), cookie.split(';').next().unwrap().to_owned())
    }

    fn log_in(&self, name: &str, password: &str) -> (u16, String) {
        self.post("/api/v1/session", &json!({ "name": name, "password": password }))
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

fn link(data: &Path) -> String {
    std::fs::read_to_string(data.join("setup-link")).unwrap().trim().to_owned()
}

#[test]
fn the_first_user_is_made_with_the_link_of_the_log() {
    let place = Place::new();
    let service = place.start();
    let link = link(&place.data);
    let log = std::fs::read_to_string(place.config.with_extension("log")).unwrap();
    assert!(log.contains(&link), "{log}");
    let token = link.strip_prefix(&format!("http://{}/setup#", place.http)).unwrap();
    assert_eq!(place.ask("/status", None).0, 403);
    let body = json!({ "token": token, "name": "root", "password": PASSWORD });
    let (status, cookie) = place.post("/api/v1/setup", &body);
    assert_eq!((status, cookie.starts_with("rw_session=")), (200, true));
    assert_eq!(place.ask("/status", Some(("cookie", &cookie))).0, 200);
    assert!(!place.data.join("setup-link").exists());
    assert_eq!(service.end(), Some(0));
    let service = place.start();
    assert_eq!(place.ask("/status", Some(("cookie", &cookie))).0, 200, "a restart ends no session");
    let log = std::fs::read_to_string(place.config.with_extension("log")).unwrap();
    assert_eq!(log.matches("/setup#").count(), 1);
    assert!(!log.contains(PASSWORD) && !log.contains(&cookie));
    assert_eq!(service.end(), Some(0));
}

#[test]
fn users_and_tokens_are_managed_at_the_command_line_while_it_runs() {
    let place = Place::new();
    // Before the first start, too.
    let add = |name, role| ["user", "add", name, "--role", role];
    assert_eq!(place.run_with_password(&add("root", "admin"), &format!("{PASSWORD}\n")), Some(0));
    assert_eq!(place.run_with_password(&add("root", "admin"), PASSWORD), Some(1));
    assert_eq!(place.run_with_password(&add("vera", "viewer"), "short"), Some(1));
    assert_eq!(place.run_with_password(&add("Vera", "viewer"), PASSWORD), Some(2));
    let service = place.start();
    assert!(!place.data.join("setup-link").exists());
    assert_eq!(place.run_with_password(&add("vera", "viewer"), PASSWORD), Some(0));
    let (status, cookie) = place.log_in("vera", PASSWORD);
    assert_eq!(status, 200);
    let vera = Some(("cookie", cookie.as_str()));
    assert_eq!(place.ask("/api/v1/users", vera).0, 403);
    place.run(&["user", "role", "vera", "admin"]).expect(0);
    assert_eq!(place.ask("/api/v1/users", vera).0, 200);

    let made = place.run(&["token", "add", "vera", "--label", "prometheus"]).expect(0);
    assert!(made.stderr.contains("token 1, valid until "), "{}", made.stderr);
    let bearer = format!("Bearer {}", made.stdout.trim());
    let token = Some(("authorization", bearer.as_str()));
    let (status, metrics) = place.ask("/metrics", token);
    assert_eq!((status, metrics.contains("routewarden_program_ready")), (200, true));
    let list = place.run(&["token", "list"]).expect(0).stdout;
    assert!(list.contains("prometheus") && !list.contains(made.stdout.trim()), "{list}");

    place.run(&["user", "disable", "vera"]).expect(0);
    assert_eq!((place.ask("/metrics", token).0, place.ask("/status", vera).0), (401, 401));
    assert_eq!(place.log_in("vera", PASSWORD).0, 401);
    place.run(&["user", "enable", "vera"]).expect(0);
    assert_eq!((place.ask("/metrics", token).0, place.ask("/status", vera).0), (200, 401));
    place.run(&["token", "revoke", "1"]).expect(0);
    assert_eq!(place.ask("/metrics", token).0, 401);
    assert_eq!(place.run_with_password(&["user", "passwd", "vera"], "another password"), Some(0));
    assert_eq!(place.log_in("vera", "another password").0, 200);
    place.run(&["user", "role", "vera", "viewer"]).expect(0);
    assert!(place.run(&["user", "disable", "root"]).expect(1).stderr.contains("last active admin"));
    let users = place.run(&["user", "list"]).expect(0).stdout;
    assert!(
        users.contains("root") && users.contains("never") && users.contains("viewer"),
        "{users}"
    );
    let users = place.run(&["user", "list", "--format", "json"]).expect(0).stdout;
    let users: Value = serde_json::from_str(&users).unwrap();
    assert_eq!((&users[1]["name"], &users[1]["role"]), (&json!("vera"), &json!("viewer")));

    place.run(&["audit", "verify"]).expect(0);
    let log = place.run(&["audit", "export"]).expect(0).stdout;
    let rows: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let first = &rows[0];
    assert_eq!((&first["verb"], &first["address"]), (&json!("user_add"), &json!("command line")));
    let login = rows.iter().find(|row| row["verb"] == "log_in").unwrap();
    assert_eq!((&login["user"], &login["address"]), (&json!("vera"), &json!("127.0.0.1")));
    assert_eq!(place.run(&["audit", "export", "--since", "2100-01-01"]).expect(0).stdout, "");
    assert_eq!(service.end(), Some(0));
}

#[test]
fn users_are_in_the_backup_and_come_back() {
    let place = Place::new();
    let add = ["user", "add", "root", "--role", "admin"];
    assert_eq!(place.run_with_password(&add, PASSWORD), Some(0));
    let service = place.start();
    let (_, cookie) = place.log_in("root", PASSWORD);
    let backup = place.data.join("today.db").to_string_lossy().into_owned();
    let told = place.run(&["data", "backup", &backup, "--format", "json"]).expect(0).stdout;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["access"]["journal_rows"], 2);
    place.run(&["data", "verify", "--backup", &backup]).expect(0);
    assert_eq!(place.run_with_password(&["user", "passwd", "root"], "another password"), Some(0));
    let refused = place.run(&["data", "restore", "--force", &backup]).expect(1);
    assert!(refused.stderr.contains("in use"), "{}", refused.stderr);
    assert_eq!(service.end(), Some(0));

    place.run(&["data", "restore", "--force", &backup]).expect(0);
    assert!(place.data.join("access.db.replaced").exists());
    let service = place.start();
    assert_eq!(place.log_in("root", "another password").0, 401);
    assert_eq!(place.log_in("root", PASSWORD).0, 200);
    assert_eq!(
        place.ask("/status", Some(("cookie", &cookie))).0,
        401,
        "a restore ends all sessions"
    );
    let rows = place.run(&["audit", "export"]).expect(0).stdout;
    assert!(rows.contains("\"verb\":\"restore\""), "{rows}");
    assert_eq!(service.end(), Some(0));
}
