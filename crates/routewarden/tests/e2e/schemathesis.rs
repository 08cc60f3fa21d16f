//! The API against its own description: schemathesis asks for what it says may be asked for, and for
//! much that may not, and holds every answer against it.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use routewarden_detect::Incident;
use routewarden_store::{AsnRole, IncidentVersion, Store};

use crate::program::{repository, routewarden};
use crate::serve::{
    CULPRIT, PART, Service, announce, configure, connect, end_of_rib, free, has, is_ready, to_all,
    wait,
};

/// Questions to each route.
const EXAMPLES: &str = "40";
const SEED: &str = "20080224";
/// Events never end, and have tests of their own.
const UNENDING: &str = "/events";

/// The program; in CI it must be there. `make setup-test` puts it there.
fn schemathesis() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let program = target.join("schemathesis/bin/st");
    if !program.exists() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "CI must have schemathesis");
        eprintln!("skipped: no schemathesis; make setup-test installs it");
        return None;
    }
    Some(program)
}

/// An incident as the service records it.
fn version(incident: &Incident) -> IncidentVersion {
    let as_role =
        |asns: &[routewarden_core::Asn], role| asns.iter().map(|asn| (*asn, role)).collect();
    let roles: [Vec<_>; 3] = [
        as_role(&incident.culprits, AsnRole::Culprit),
        as_role(&incident.victims, AsnRole::Victim),
        as_role(&incident.propagators, AsnRole::Propagator),
    ];
    IncidentVersion {
        id: incident.id.clone(),
        key: incident.id.clone(),
        kind: incident.kind.name().to_owned(),
        state: incident.state.name().to_owned(),
        class: incident.severity_class.name().to_owned(),
        confidence: incident.confidence,
        severity: incident.severity,
        first_seen: incident.first_seen,
        last_seen: incident.last_seen,
        ended_at: incident.ended_at,
        asns: roles.concat(),
        prefixes: incident.prefixes.clone(),
        countries: vec!["NL".to_owned()],
        members: incident.constituency.iter().map(|touch| touch.member.clone()).collect(),
        report: true,
        is_withdrawn: false,
        body: serde_json::value::to_raw_value(incident).unwrap(),
    }
}

/// Records the incidents of all scenarios, so that there are some of many kinds.
fn record_scenarios(data: &Path) {
    let scenarios = std::fs::read_dir(repository().join("scenarios")).unwrap();
    let folders = scenarios.map(|entry| entry.unwrap().path());
    let folders = folders.filter(|folder| folder.join("scenario.toml").exists());
    let command = ["scenario", "run", "--format", "jsonl"].map(PathBuf::from);
    let incidents = routewarden(command.into_iter().chain(folders)).expect(0).incidents();
    let last = incidents.iter().map(|incident| incident.last_seen).max().unwrap();
    std::fs::create_dir_all(data).unwrap();
    let mut store = Store::open(data).unwrap();
    let tick = store.record(incidents.iter().map(version).collect(), last).unwrap();
    assert!(tick.refused.is_empty() && tick.recorded.len() >= 12, "{}", tick.recorded.len());
}

/// The token of an admin, made at the command line.
fn token(config: &Path, folder: &Path) -> String {
    let password = folder.join("password");
    std::fs::write(&password, "a password for a test\n").unwrap();
    let of_config = ["--config".into(), config.as_os_str().to_owned()];
    let user = ["user", "add", "root", "--role", "admin", "--password-file"].map(Into::into);
    let add = user.into_iter().chain([password.into_os_string()]).chain(of_config.clone());
    routewarden(add).expect(0);
    let token = ["token", "add", "root", "--label", "test", "--role", "admin"].map(Into::into);
    routewarden(token.into_iter().chain(of_config)).expect(0).stdout.trim().to_owned()
}

/// Whether networks can be measured: before, that is what is said of all of them.
fn is_surveyed(http: SocketAddr, token: &str) -> bool {
    let ask = ureq::get(format!("http://{http}/api/v1/readiness/groups/world"));
    ask.header("Authorization", format!("Bearer {token}")).call().is_ok()
}

/// Only what is read: what changes something has tests of its own, and would end the test's session.
fn check(program: &Path, http: SocketAddr, (folder, token): (&Path, &str)) {
    let hooks = repository().join("crates/routewarden/tests/e2e/schemathesis/hooks.py");
    let ran = Command::new(program)
        .env("SCHEMATHESIS_HOOKS", hooks)
        .args(["run", &format!("http://{http}/api/v1/openapi.json"), "--no-color"])
        .args(["--checks", "all", "--exclude-path", UNENDING, "--include-method", "GET"])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--seed", SEED, "--generation-deterministic"])
        .args(["--max-examples", EXAMPLES, "--continue-on-failure", "--workers", "1"])
        .current_dir(folder)
        .output()
        .unwrap();
    std::io::stderr().write_all(&ran.stderr).unwrap();
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{told}");
    eprintln!("{told}");
}

#[test]
fn the_api_is_as_its_description_says() {
    let Some(program) = schemathesis() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (http, bmp) = (free(), free());
    let (data, config) = configure(folder.path(), http, bmp);
    record_scenarios(&data);
    let text = std::fs::read_to_string(&config).unwrap();
    let text = text.replace("[http]\n", "[http]\nrequests_per_second_max = 1000000\n");
    let text = text.replace("mode = \"off\"", "mode = \"users\"");
    std::fs::write(&config, text).unwrap();
    let token = token(&config, folder.path());

    let service = Service::start(&config);
    let mut router = connect(bmp);
    to_all(&mut router, end_of_rib);
    wait("the tables", || is_ready(http));
    to_all(&mut router, |number| announce(number, PART, &[64511, CULPRIT]));
    wait("the report", || has(&data, "open"));
    wait("the survey of the table", || is_surveyed(http, &token).then_some(()));
    check(&program, http, (folder.path(), &token));
    assert_eq!(service.end(), Some(0));
}
