//! One run.

use std::collections::VecDeque;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use routewarden_bench::load::{
    BgpPlan, BmpPlan, Feeder, MARKERS_MAX, Plan, Protocol, Recording, RisPlan,
};
use routewarden_bench::program::{Program, free_port};
use serde_json::{Map, Value, json};

use super::cache::Cache;
use super::configuration::{Places, WARM_UP_SECS, configuration};
use super::disk::Disk;
use super::profile::{Act, Profile};
use super::reports::Reports;
use super::watch::{Counted, Watch, counted};

const ROUTERS: u8 = 4;
const NEIGHBOURS: u8 = 8;
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// From the start to an answer, and from a kill to the work going on.
const READY_WITHIN: Duration = Duration::from_mins(2);
/// From the last octet sent to the last one counted.
const COUNTED_WITHIN: Duration = Duration::from_mins(5);
/// From the withdrawal of the markers to the reports of their ends.
const ENDED_WITHIN: Duration = Duration::from_secs(10);
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(20);
/// Between two kills.
const KILL_AFTER_MILLIS: std::ops::Range<u64> = 1_000..12_000;
const SEED: u64 = 26;
/// The program is warm by then.
const MARKERS_FROM: Duration = Duration::from_secs(WARM_UP_SECS + 5);

/// What a run is made of.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) profile: Profile,
    pub(crate) binary: PathBuf,
    pub(crate) rate: f64,
    pub(crate) duration: Option<Duration>,
    pub(crate) files: Vec<PathBuf>,
    pub(crate) updates_max: usize,
    /// Where the program's log and reports go in the end.
    pub(crate) keep: Option<PathBuf>,
}

/// Recordings of two collectors: ten minutes of one, half an hour of the quieter one.
pub(crate) fn recordings(data: &Path) -> Result<Vec<PathBuf>> {
    let folder = |name: &str, count: usize| -> Result<Vec<PathBuf>> {
        let path = data.join("mrt").join(name);
        let entries = std::fs::read_dir(&path).with_context(|| path.display().to_string())?;
        let mut files: Vec<PathBuf> =
            entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        files.sort();
        files.truncate(count);
        Ok(files)
    };
    Ok([folder("rrc04-20210101", 6)?, folder("rrc12-20210101", 2)?].concat())
}

/// What a run is doing.
struct Run {
    program: Program,
    feeder: Feeder,
    cache: Option<Cache>,
    disk: Option<Disk>,
    watch: Watch,
    begun: Instant,
    /// Notes of what was done, for the summary.
    notes: Vec<Value>,
    /// The program's counters begin anew with every start.
    has_kills: bool,
    random: fastrand::Rng,
}

#[expect(clippy::disallowed_methods, reason = "measuring is what this program is for")]
fn now() -> Instant {
    Instant::now()
}

/// Runs, and gives the summary.
pub(crate) fn run(setup: &Setup) -> Result<Value> {
    let recording = Arc::new(Recording::read(&setup.files, setup.updates_max)?);
    let duration =
        setup.duration.unwrap_or_else(|| setup.profile.duration(recording.recorded_rate()));
    let folder = tempfile::Builder::new().prefix("routewarden-load").tempdir()?;
    let acts: VecDeque<(Duration, Act)> = setup.profile.acts().into();
    let disk = if acts.is_empty() { None } else { Disk::mount(folder.path()) };
    let cache = Cache::start(folder.path())?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let (bmp, bgp) = (free_port()?, free_port()?);
    let share = setup.rate / 3.0;
    let bgp_plan = BgpPlan { to: bgp, neighbours: NEIGHBOURS, rate: share };
    let places = Places {
        http: free_port()?,
        bmp,
        bgp,
        ris: listener.local_addr()?,
        rtr: cache.as_ref().map(|cache| cache.addr),
        neighbours: bgp_plan.neighbours(&recording),
        ended_kept: setup.profile.ended_kept(),
    };
    let configuration = configuration(folder.path(), &places);
    let program = Program::start(&setup.binary, folder.path(), places.http, &configuration)?;
    let plan = Plan {
        ris: Some(RisPlan { listener, rate: share }),
        bmp: Some(BmpPlan { to: bmp, routers: ROUTERS, rate: share }),
        bgp: Some(bgp_plan),
        duration,
        burst: Duration::from_secs(1),
        marker_every: marker_every(setup.rate, duration.saturating_sub(MARKERS_FROM)),
        markers_from: MARKERS_FROM,
        faults: setup.profile.faults(),
    };
    let begun = now();
    let feeder = Feeder::start(Arc::clone(&recording), plan)?;
    let random = fastrand::Rng::with_seed(SEED);
    let watch = Watch::new(begun);
    let notes = Vec::new();
    let has_kills = acts.iter().any(|(_, act)| matches!(act, Act::Kill(_)));
    let mut run = Run { program, feeder, cache, disk, watch, begun, notes, has_kills, random };
    let summary = run.run_out(acts).with_context(|| said(&run.program.log()));
    let described = json!({
        "profile": setup.profile.name(),
        "seconds": duration.as_secs_f64(),
        "rate": setup.rate,
        "recording": {"updates": recording.len(), "peers": recording.peers().len()},
    });
    let keep = setup.keep.as_deref();
    if let Some(keep) = keep {
        run.keep(keep)?;
    }
    summary.map(|summary| run.finish(described, summary))
}

/// So that all markers are sent, the last some time before the end.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative")]
fn marker_every(rate: f64, duration: Duration) -> u64 {
    const SENT_BY: f64 = 0.9;
    (rate * duration.as_secs_f64() * SENT_BY / f64::from(MARKERS_MAX)).max(1.0) as u64
}

/// The end of what the program said.
fn said(log: &Path) -> String {
    const LINES: usize = 20;
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default().join("\n")
}

impl Run {
    fn run_out(&mut self, mut acts: VecDeque<(Duration, Act)>) -> Result<Map<String, Value>> {
        let took = self.wait_until_ready()?;
        self.note("ready", &json!({"secs": took.as_secs_f64()}));
        while !self.feeder.is_done() {
            self.program.ensure_running()?;
            self.watch.look(&self.program, now());
            let elapsed = now().duration_since(self.begun);
            if let Some((_, act)) = acts.pop_front_if(|(at, _)| *at <= elapsed) {
                self.act(act)?;
            }
            thread::sleep(LOOK_EVERY);
        }
        let counts = self.wait_until_counted()?;
        // The ends of the markers are reported soon after; the reports are read once.
        thread::sleep(ENDED_WITHIN);
        self.watch.look(&self.program, now());
        Ok(counts)
    }

    fn note(&mut self, what: &str, how: &Value) {
        let at = now().duration_since(self.begun).as_secs_f64();
        self.notes.push(json!({"at_secs": at, "what": what, "how": how}));
    }

    fn act(&mut self, act: Act) -> Result<()> {
        match act {
            Act::RestartCache => {
                let Some(cache) = &mut self.cache else {
                    self.note("restart of the cache", &json!("skipped: stayrtr is not installed"));
                    return Ok(());
                };
                cache.restart()?;
                self.note("restart of the cache", &Value::Null);
            }
            Act::FillDisk(lasts) => {
                let Some(disk) = self.disk.take() else {
                    self.note("full disk", &json!("skipped: may not mount"));
                    return Ok(());
                };
                disk.fill()?;
                self.note("full disk", &Value::Null);
                let until = now() + lasts;
                while now() < until {
                    self.program.ensure_running()?;
                    self.watch.look(&self.program, now());
                    thread::sleep(LOOK_EVERY);
                }
                disk.free()?;
                self.note("room on the disk again", &Value::Null);
                self.disk = Some(disk);
            }
            Act::Kill(times) => {
                for _ in 0..times {
                    let wait = self.random.u64(KILL_AFTER_MILLIS);
                    thread::sleep(Duration::from_millis(wait));
                    self.program.kill_and_restart()?;
                    let took = self.wait_until_ready()?;
                    self.note("killed and resumed", &json!({"secs": took.as_secs_f64()}));
                    self.watch.look(&self.program, now());
                }
            }
        }
        Ok(())
    }

    /// Waits until the program answers and says that it is ready.
    fn wait_until_ready(&mut self) -> Result<Duration> {
        let start = now();
        while now().duration_since(start) < READY_WITHIN {
            self.program.ensure_running()?;
            let status = self.program.status();
            if status.is_ok_and(|status| status.get("ready").is_some_and(|ready| ready == true)) {
                return Ok(now().duration_since(start));
            }
            thread::sleep(ASK_AGAIN_AFTER);
        }
        bail!("not ready within {READY_WITHIN:?}: {:?}", self.program.status())
    }

    /// Waits until the program has counted all that was sent, or counts no more; by protocol what
    /// was sent, counted and lost.
    fn wait_until_counted(&mut self) -> Result<Map<String, Value>> {
        let sent = self.feeder.sent();
        let start = now();
        let mut status = self.program.status()?;
        loop {
            let is_counted = |protocol: Protocol| {
                let sent = sent.get(&protocol).copied().unwrap_or_default();
                let expected = Counted { announced: sent.announced, withdrawn: sent.withdrawn };
                counted(&status, protocol.name()) == expected
            };
            let all = Protocol::ALL.into_iter().all(is_counted);
            if all || now().duration_since(start) > COUNTED_WITHIN {
                break;
            }
            self.watch.look(&self.program, now());
            thread::sleep(LOOK_EVERY);
            let before = std::mem::replace(&mut status, self.program.status()?);
            let stands = |protocol: Protocol| {
                counted(&before, protocol.name()) == counted(&status, protocol.name())
            };
            let is_idle = status.get("queues") == before.get("queues");
            if is_idle && Protocol::ALL.into_iter().all(stands) {
                break;
            }
        }
        let drained = now().duration_since(start).as_secs_f64();
        self.note("all counted", &json!({"secs_after_the_last": drained}));
        let mut counts = Map::new();
        for (protocol, sent) in sent {
            let counted = counted(&status, protocol.name());
            let missing = |sent: u64, counted: u64| i128::from(sent) - i128::from(counted);
            let lost = json!({
                "announced": missing(sent.announced, counted.announced).to_string(),
                "withdrawn": missing(sent.withdrawn, counted.withdrawn).to_string(),
            });
            let row = json!({
                "sent": sent.to_json(),
                "counted": {"announced": counted.announced, "withdrawn": counted.withdrawn},
                "lost": if self.has_kills { Value::Null } else { lost },
            });
            counts.insert(protocol.name().to_owned(), row);
        }
        Ok(counts)
    }

    fn keep(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder)?;
        for file in [self.program.log(), self.program.reports()] {
            let name = file.file_name().context("a file without a name")?;
            std::fs::copy(&file, folder.join(name)).with_context(|| file.display().to_string())?;
        }
        Ok(())
    }

    fn finish(self, mut described: Value, counts: Map<String, Value>) -> Value {
        let markers = self.feeder.markers();
        let reports = Reports::read(&self.program.reports());
        let reports = match reports {
            Ok(reports) => reports.to_json(&markers),
            Err(error) => json!({"error": format!("{error:#}")}),
        };
        self.feeder.stop();
        let stopped = self.program.stop();
        if let Value::Object(described) = &mut described {
            described.insert("counts".into(), counts.into());
            described.insert("watch".into(), self.watch.to_json());
            described.insert("reports".into(), reports);
            described.insert("notes".into(), self.notes.into());
            described.insert("ended_with_success".into(), json!(stopped.is_ok_and(|ok| ok)));
        }
        described
    }
}
