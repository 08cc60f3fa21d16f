//! The RTR client against StayRTR, started and stopped here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test code: helpers outside of #[test] functions"
)]

mod common;
mod rtr_cache;

use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use routewarden_core::facts::RovState;
use routewarden_core::{Asn, Origin};
use routewarden_feeds::facts::rtr::RtrCache;
use routewarden_feeds::facts::{load_file, load_vrps};
use rtr_cache::Client;

/// Whether the program is installed. In CI it must be.
fn is_installed() -> bool {
    let mut program = Command::new("stayrtr");
    if program.arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok() {
        return true;
    }
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "CI must have stayrtr");
    eprintln!("skipped: no stayrtr");
    false
}

/// A StayRTR that ends with the test.
struct StayRtr {
    child: Child,
    port: u16,
}

impl StayRtr {
    fn start(file: &Path, port: u16, version: u8) -> Self {
        let metrics = free_port();
        let child = Command::new("stayrtr")
            .args(["-cache".as_ref(), file.as_os_str()])
            .args(["-checktime=false", "-refresh", "1", "-protocol", &version.to_string()])
            .args(["-bind", &format!("127.0.0.1:{port}")])
            .args(["-metrics.addr", &format!("127.0.0.1:{metrics}")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        StayRtr { child, port }
    }

    fn config(&self) -> RtrCache {
        RtrCache::new("stayrtr", &format!("127.0.0.1:{}", self.port))
    }
}

impl Drop for StayRtr {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn document(max_len: u8, providers: &str) -> String {
    format!(
        r#"{{"metadata":{{"buildtime":"2026-11-28T00:00:00Z"}},"roas":[
        {{"asn":64496,"prefix":"192.0.2.0/24","maxLength":{max_len},"ta":"test"}},
        {{"asn":"AS64497","prefix":"2001:db8::/32","maxLength":48,"ta":"test"}}],
        "provider_authorizations":{{
        "ipv4":[{{"customer_asid":64496,"providers":[{providers}]}}],
        "ipv6":[{{"customer_asid":64496,"providers":[64499]}}]}}}}"#
    )
}

/// A file is replaced, never half written.
fn write(path: &Path, text: &str) {
    let next = path.with_extension("next");
    std::fs::write(&next, text).unwrap();
    std::fs::rename(&next, path).unwrap();
}

#[tokio::test]
async fn vrps_and_aspas_arrive_change_and_survive_a_restart() {
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rpki.json");
    write(&file, &document(24, "64497,64498"));
    let server = StayRtr::start(&file, free_port(), 2);
    let mut client = Client::start(server.config());
    let state = |tables: &routewarden_feeds::facts::rtr::RtrTables| {
        let route = "192.0.2.0/25".parse().unwrap();
        tables.vrps.state(&route, Origin::As(Asn(64496))).0
    };
    let providers = |tables: &routewarden_feeds::facts::rtr::RtrTables| {
        tables.aspas.as_ref().unwrap().providers(Asn(64496)).unwrap_or_default().to_vec()
    };
    let tables = client.next().await;
    assert_eq!((tables.vrps.len(), tables.version), (2, 2));
    assert_eq!(providers(&tables), [64497, 64498, 64499].map(Asn));
    assert_eq!(state(&tables), RovState::Invalid);

    // StayRTR looks at its file every second here.
    let mut tables = tables;
    write(&file, &document(25, "64498"));
    while state(&tables) != RovState::Valid {
        tables = client.next().await;
    }
    assert_eq!(providers(&tables), [64498, 64499].map(Asn));

    // Another session; what is held stays meanwhile.
    let port = server.port;
    drop(server);
    client.until(|status| status.faults.contains_key("rtr_connect")).await;
    assert_eq!(client.snapshot().vrps, 2);
    write(&file, &document(24, "64500"));
    let server = StayRtr::start(&file, port, 2);
    // It may answer before it has read all of its file.
    let mut again = client.next().await;
    while providers(&again) != [64499, 64500].map(Asn) {
        again = client.next().await;
    }
    assert_ne!(again.session, tables.session);
    assert_eq!(state(&again), RovState::Invalid);
    client.stop().await;
    drop(server);
}

#[tokio::test]
async fn older_versions_are_agreed_upon() {
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rpki.json");
    write(&file, &document(24, "64497"));
    for version in [0, 1] {
        let server = StayRtr::start(&file, free_port(), version);
        let mut client = Client::start(server.config());
        let tables = client.next().await;
        assert_eq!((tables.vrps.len(), tables.version), (2, version));
        assert!(tables.aspas.is_none());
        client.stop().await;
    }
}

/// All VRPs of a day, over RTR and from the file: the same table.
#[tokio::test]
async fn real_vrps_are_those_of_the_file() {
    let Some(path) = common::data("rpki/rpkiclient_summary_20250720T093135Z.json.bz2") else {
        return;
    };
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rpki.json");
    // Written anew without the expiry of each VRP: StayRTR leaves out what has expired.
    let expected = load_file(&path, None, load_vrps).unwrap().facts.table;
    let mut text = r#"{"metadata":{"buildtime":"2026-11-28T00:00:00Z"},"roas":["#.to_owned();
    for (at, vrp) in expected.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let (prefix, max_len, asn) = (vrp.prefix, vrp.max_len, vrp.asn.0);
        write!(
            text,
            "{comma}\n{{\"asn\":{asn},\"prefix\":\"{prefix}\",\"maxLength\":{max_len},\"ta\":\"x\"}}"
        )
        .unwrap();
    }
    text.push_str("]}");
    write(&file, &text);
    let server = StayRtr::start(&file, free_port(), 2);
    let mut client = Client::start(server.config());
    let tables = client.next().await;
    let key = |vrp: routewarden_core::facts::Vrp| (vrp.prefix, vrp.asn, vrp.max_len);
    let mut expected: Vec<_> = expected.iter().map(key).collect();
    expected.dedup();
    let arrived: Vec<_> = tables.vrps.iter().map(key).collect();
    let missing: Vec<_> =
        expected.iter().filter(|vrp| arrived.binary_search(vrp).is_err()).collect();
    assert!(missing.is_empty(), "{} missing, as {:?}", missing.len(), missing.first());
    client.stop().await;
}
