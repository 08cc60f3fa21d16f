//! Archives and scenarios played through the service: what one sees of the `YouTube` incident.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::{repository, shared_data};

/// A table of 4.9 million entries is loaded, by a program that is not built for speed.
const PATIENCE: Duration = Duration::from_mins(10);

const HALVES: [&str; 2] = ["208.65.153.0/25", "208.65.153.128/25"];

/// The service playing; killed when dropped.
struct Playing {
    child: Child,
    http: SocketAddr,
    folder: tempfile::TempDir,
}

impl Drop for Playing {
    fn drop(&mut self) {
        let _gone = self.child.kill().is_ok();
        let _status = self.child.wait().is_ok();
    }
}

impl Playing {
    fn start(inputs: &[String], speed: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let http = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let config = folder.path().join("routewarden.toml");
        std::fs::write(&config, format!("[http]\nlisten = \"{http}\"\n[access]\nmode = \"off\"\n"))
            .unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let temporary = folder.path().join("temporary");
        std::fs::create_dir(&temporary).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_routewarden"))
            .arg("serve")
            .arg("--config")
            .arg(&config)
            .args(["--ephemeral", "--speed", speed, "--replay"])
            .args(inputs)
            .env("TMPDIR", &temporary)
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Playing { child, http, folder }
    }

    fn temporary(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("temporary")).unwrap().count()
    }

    fn get(&self, path: &str) -> Option<Value> {
        let mut answer = ureq::get(format!("http://{}{path}", self.http)).call().ok()?;
        serde_json::from_str(&answer.body_mut().read_to_string().ok()?).ok()
    }

    /// Looks until there is something.
    #[expect(clippy::disallowed_methods, reason = "a deadline")]
    fn wait<T>(&mut self, what: &str, look: impl Fn(&Self) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            let ended = self.child.try_wait().unwrap();
            let log = || std::fs::read_to_string(self.folder.path().join("log")).unwrap();
            assert!(ended.is_none() && start.elapsed() < PATIENCE, "{what}: {}", log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// The hijack of AS17557, once it is over and its trail has ended.
    fn hijack(&mut self) -> String {
        let over = |this: &Self| {
            let all = this.get("/api/v1/incidents?asn=17557&role=culprit&open=false")?;
            let of = |item: &&Value| item["kind"] == "sub_prefix_hijack";
            let id = all["items"].as_array()?.iter().find(of)?["id"].as_str()?.to_owned();
            let now = this.get("/status")?["now"].as_str()?.to_owned();
            (now.as_str() >= "2008-02-24T21:15").then_some(id)
        };
        self.wait("the end of the hijack", over)
    }

    /// All updates, page by page.
    fn updates(&self, id: &str) -> Vec<Value> {
        let (mut all, mut after) = (Vec::new(), Value::from(0));
        while after != Value::Null {
            let path = format!("/api/v1/incidents/{id}/updates?limit=1000&after={after}");
            let page = self.get(&path).unwrap();
            all.extend(page["items"].as_array().unwrap().clone());
            after = page["next"].clone();
        }
        all
    }

    /// Asks it to end, as systemd does; nothing is left.
    fn end(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!((status.code(), self.temporary()), (Some(0), 0));
    }
}

/// What everybody can see of it: the victim's /22 of before, at so many vantage points, the hijack, the
/// two halves, which got to few.
fn check_youtube(replay: &Value, sources: usize, of_halves: usize) {
    assert_eq!(replay["query_starttime"], "2008-02-24T18:47:57Z");
    let origin = |route: &Value| route["path"].as_array().unwrap().last().unwrap().as_u64();
    let initial: Vec<&Value> = replay["initial_state"].as_array().unwrap().iter().collect();
    let of_block = || initial.iter().filter(|route| route["target_prefix"] == "208.65.152.0/22");
    assert_eq!(of_block().count(), sources);
    assert!(of_block().all(|route| origin(route) == Some(36561)));
    assert!(initial.iter().all(|route| route["target_prefix"] != "208.65.153.0/24"));
    let events = replay["events"].as_array().unwrap();
    assert!(events.iter().all(|event| event["inferred"] == false));
    let times: Vec<&str> = events.iter().map(|it| it["timestamp"].as_str().unwrap()).collect();
    assert!(times.is_sorted() && times[0] == "2008-02-24T18:47:57Z");
    assert_eq!(events[0]["attrs"]["target_prefix"], "208.65.153.0/24");
    assert_eq!(origin(&events[0]["attrs"]), Some(17557));
    for half in HALVES {
        let announced: Vec<&Value> = events
            .iter()
            .filter(|event| event["type"] == "A" && event["attrs"]["target_prefix"] == half)
            .collect();
        assert_eq!(announced[0]["timestamp"], "2008-02-24T20:18:43Z", "{half}");
        assert!(announced.iter().all(|event| origin(&event["attrs"]) == Some(36561)));
        let spread: BTreeSet<_> =
            announced.iter().map(|it| it["attrs"]["source_id"].as_str()).collect();
        assert_eq!(spread.len(), of_halves, "vantage points of {half}");
    }
}

#[test]
fn the_scenario_of_youtube_can_be_scrubbed() {
    let scenario = repository().join("scenarios/2008-02-24-youtube");
    let mut playing = Playing::start(&[scenario.to_string_lossy().into_owned()], "max");
    let id = playing.hijack();
    let replay = playing.get(&format!("/api/v1/incidents/{id}/replay")).unwrap();
    assert_eq!(replay["basis"]["complete"], true, "{}", replay["basis"]);
    check_youtube(&replay, 36, 4);
    let updates = playing.updates(&id);
    assert_eq!(updates.len() as u64, replay["basis"]["events"].as_u64().unwrap());
    let numbers: Vec<u64> = updates.iter().map(|it| it["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=updates.len() as u64).collect::<Vec<_>>());
    assert_eq!(playing.temporary(), 1);
    playing.end();
}

#[test]
fn the_archive_of_youtube_can_be_scrubbed() {
    let Some(rib) = shared_data("mrt/route-views2-20080224.1600.rib.bz2") else { return };
    let folder = shared_data("mrt/route-views2-20080224").unwrap();
    let mut inputs = vec![rib];
    let files = std::fs::read_dir(Path::new(&folder)).unwrap();
    let files = files.map(|file| file.unwrap().path().to_string_lossy().into_owned());
    // From ten minutes before the hijack on.
    inputs
        .extend(files.filter(|file| file.as_str() >= &*format!("{folder}/updates.20080224.1839")));
    let mut playing = Playing::start(&inputs, "max");
    let id = playing.hijack();
    let replay = playing.get(&format!("/api/v1/incidents/{id}/replay")).unwrap();
    // The collector wrote nothing from 20:24:11 to 20:26:18, and this is told.
    assert_eq!(replay["basis"]["reason"], "gap", "{}", replay["basis"]);
    let gaps = playing.get("/api/v1/feeds").unwrap()["gaps"].as_array().unwrap().clone();
    let is_it = |gap: &Value| {
        let starts = |end: &str, minute: &str| gap[end].as_str().unwrap().starts_with(minute);
        gap["feed"] == "route-views2"
            && starts("from", "2008-02-24T20:24")
            && starts("to", "2008-02-24T20:26")
    };
    assert!(gaps.iter().any(is_it), "{gaps:?}");
    check_youtube(&replay, 13, 5);
    playing.end();
}

#[test]
fn a_folder_with_data_is_refused_and_so_is_speed_without_a_replay() {
    let run = |args: &[&str]| crate::program::routewarden(args);
    let told = run(&["serve", "--speed", "2"]).expect(2).stderr;
    assert!(told.contains("--replay"), "{told}");
    let told = run(&["serve", "--speed", "0", "--replay", "x"]).expect(2).stderr;
    assert!(told.contains("max"), "{told}");
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("routewarden.toml");
    std::fs::write(&config, format!("data_dir = \"{}\"\n", folder.path().display())).unwrap();
    std::fs::write(folder.path().join("routewarden.db"), "").unwrap();
    let config = config.to_string_lossy().into_owned();
    let told = run(&["serve", "--config", &config, "--replay", "scenarios/forged-origin-exact"]);
    assert!(told.expect(1).stderr.contains("--ephemeral"));
}
