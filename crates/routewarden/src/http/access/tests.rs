//! Access, over a small store and a file of users.

mod flows;
mod hostile;
mod limits;
mod matrix;
mod streams;

use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request};
use axum::response::Response;
use hyper_util::service::TowerToHyperService;
use routewarden_store::Store;
use routewarden_store::access::{NewToken, NewUser, UserChange};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::access::{Secret, hash_password};
use crate::http::api::{Api, BASE};
use crate::http::rate::RateLimit;
use crate::status::tests::full;
use crate::status::{ServeStatus, Snapshot};

const T0: u32 = 1_795_824_000;
/// A password that is taken.
const PASSWORD: &str = "twelve chars of it";

/// A clock that is set by hand.
#[derive(Default)]
struct Hand {
    secs: AtomicI64,
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(T0).plus_secs(self.secs.load(Ordering::Relaxed))
    }
}

struct Fixed;

impl ServeStatus for Fixed {
    fn snapshot(&self) -> Snapshot {
        Snapshot { now: Timestamp::from_secs(T0), ..full() }
    }
}

fn listen() -> SocketAddr {
    "127.0.0.1:8080".parse().unwrap()
}

/// Access that is off, for tests of what is behind it.
pub(in crate::http) fn off() -> Arc<Access> {
    let mut config = Config::default();
    config.access.mode = AccessMode::Off;
    Arc::new(Access::open(&config, Arc::<Hand>::default(), listen()).unwrap())
}

/// The whole router over a store and users of its own.
struct Server {
    dir: TempDir,
    store: Store,
    config: Config,
    clock: Arc<Hand>,
    access: Arc<Access>,
    router: Router,
    cancel: CancellationToken,
}

/// What is asked.
struct Ask<'a> {
    method: Method,
    path: &'a str,
    headers: Vec<(&'a str, String)>,
    body: Body,
    peer: &'a str,
}

impl<'a> Ask<'a> {
    fn new(method: Method, path: &'a str) -> Self {
        let headers =
            if method.is_safe() { vec![] } else { vec![("x-routewarden", "1".to_owned())] };
        Ask { method, path, headers, body: Body::empty(), peer: "192.0.2.1" }
    }

    fn get(path: &'a str) -> Self {
        Ask::new(Method::GET, path)
    }

    fn post(path: &'a str, body: &Value) -> Self {
        Ask::new(Method::POST, path).json(body)
    }

    fn json(self, body: &Value) -> Self {
        let ask = self.with("content-type", "application/json");
        Ask { body: Body::from(body.to_string()), ..ask }
    }

    fn with(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn cookie(self, cookie: &str) -> Self {
        self.with("cookie", cookie)
    }

    fn bearer(self, token: &str) -> Self {
        self.with("authorization", format!("Bearer {token}"))
    }

    fn from(self, peer: &'a str) -> Self {
        Ask { peer, ..self }
    }
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|_| panic!("{}: {}", self.status, self.body))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Status and code of a problem.
    fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.body);
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        (self.status, problem["code"].as_str().unwrap().to_owned())
    }

    /// What the browser sends back.
    fn cookie(&self) -> String {
        self.header("set-cookie").split(';').next().unwrap().to_owned()
    }
}

fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

fn name(text: &str) -> UserName {
    text.parse().unwrap()
}

impl Server {
    /// With the file of users empty.
    fn empty() -> Self {
        Self::configured(|_| {})
    }

    fn configured(change: impl FnOnce(&mut Config)) -> Self {
        let dir = TempDir::new().unwrap();
        let mut config = Config { data_dir: dir.path().to_owned(), ..Config::default() };
        change(&mut config);
        let store = Store::open(dir.path()).unwrap();
        let clock = Arc::<Hand>::default();
        Self::over(dir, store, config, clock)
    }

    fn over(dir: TempDir, store: Store, config: Config, clock: Arc<Hand>) -> Self {
        let cancel = CancellationToken::new();
        let path = dir.path().to_owned();
        let api = Arc::new(Api::new(Arc::new(Fixed), path, 64, cancel.clone()));
        let access = Access::open(&config, Arc::<Hand>::clone(&clock), listen()).unwrap();
        let access = Arc::new(Access { recheck: Duration::from_millis(20), ..access });
        let before = (Arc::clone(&access), RateLimit::new(1_000_000));
        let router = crate::http::router(Arc::new(Fixed), api, before);
        Server { dir, store, config, clock, access, router, cancel }
    }

    /// As after a restart.
    fn restarted(self) -> Self {
        let Server { dir, store, config, clock, .. } = self;
        Self::over(dir, store, config, clock)
    }

    /// With a user of each role, named after it, all with the same password.
    fn filled() -> Self {
        Self::filled_and_configured(|_| {})
    }

    fn filled_and_configured(change: impl FnOnce(&mut Config)) -> Self {
        let server = Self::configured(change);
        let password = hash_password(PASSWORD).unwrap();
        let mut file = server.file();
        for role in Role::ALL {
            let new = NewUser { name: name(role.name()), role, password: password.clone() };
            file.add_user(&server.actor(), &new).unwrap();
        }
        server
    }

    /// The file of users, as another process has it.
    fn file(&self) -> AccessFile {
        AccessFile::open(self.dir.path()).unwrap()
    }

    fn actor(&self) -> Actor {
        Actor { user: None, token: None, address: "test".to_owned(), at: self.clock.now() }
    }

    fn pass(&self, secs: i64) {
        self.clock.secs.fetch_add(secs, Ordering::Relaxed);
    }

    async fn send(&self, ask: Ask<'_>) -> Response {
        let mut request = Request::builder().method(ask.method).uri(ask.path);
        for (name, value) in &ask.headers {
            request = request.header(*name, value.as_bytes());
        }
        let mut request = request.body(ask.body).unwrap();
        request.extensions_mut().insert(ClientAddress(ask.peer.parse().unwrap()));
        let service = TowerToHyperService::new(self.router.clone());
        hyper::service::Service::call(&service, request).await.unwrap()
    }

    async fn ask(&self, ask: Ask<'_>) -> Answer {
        let (head, body) = self.send(ask).await.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Answer { status: head.status.as_u16(), headers: head.headers, body }
    }

    async fn log_in_as(&self, user: &str, password: &str) -> Answer {
        let body = json!({ "name": user, "password": password });
        self.ask(Ask::post("/api/v1/session", &body)).await
    }

    /// The cookie of a session, begun without a login.
    fn session(&self, user: &str) -> String {
        let (mut file, secret) = (self.file(), Secret::random().unwrap());
        let hash = file.password_of(&name(user)).unwrap().unwrap();
        file.begin_session(&self.actor(), (&name(user), &hash), &secret.hash()).unwrap();
        format!("rw_session={}", secret.reveal())
    }

    fn token(&self, user: &str, role: Role, secs: i64) -> String {
        let secret = Secret::random_token().unwrap();
        let expires_at = self.clock.now().plus_secs(secs);
        let new = NewToken { hash: secret.hash(), label: "t".to_owned(), role, expires_at };
        self.file().add_token(&self.actor(), &name(user), &new).unwrap();
        secret.reveal().to_owned()
    }

    fn disable(&self, user: &str) {
        let off = UserChange { disabled: Some(true), ..UserChange::default() };
        self.file().change_user(&self.actor(), &name(user), &off).unwrap();
    }

    /// User, verb, object and outcome of what was done since a row.
    fn told_since(&self, seq: i64) -> Vec<String> {
        let rows = self.file().audit_from(seq + 1, 1_000).unwrap();
        let line = |row: &routewarden_store::access::AuditRow| {
            let user = row.user.as_deref().unwrap_or("-");
            format!("{user} {} {} {}", row.verb, row.object, row.outcome)
        };
        rows.iter().map(line).collect()
    }

    fn last_seq(&self) -> i64 {
        self.file().audit_before(i64::MAX, 1).unwrap().first().map_or(0, |row| row.seq)
    }
}
