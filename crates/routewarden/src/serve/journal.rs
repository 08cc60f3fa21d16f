//! What is decided goes into the store, and from its outbox into the log of reports: each report
//! is in the log once, whenever the program is killed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use routewarden_core::{Asn, Timestamp};
use routewarden_detect::Incident;
use routewarden_feeds::health::HealthChange;
use routewarden_store::{
    AsnRole, Change, GivenVerdict, IncidentFilter, IncidentVersion, IncidentsUnseen, Judged, Note,
    PAGE_MAX, PARTS_MAX, READINESS_MONTHS, ReportKey, RetentionPolicy, STORE_FILE, ServiceEvent,
    Store, StoreError, StoreReader, Tick, TrailWrite,
};
use serde::Serialize;
use serde_json::value::RawValue;
use tracing::{error, info};

use super::tidings::News;
use super::trail::Subject;
use crate::readiness::ToKeep;
use crate::status::Judgement;

/// Name of the log of reports.
pub(crate) const REPORTS_FILE: &str = "reports.jsonl";
/// Reports taken from the outbox at once.
const REPORTS_AT_ONCE: usize = 100;
/// Octets at the end of the log of reports that are looked at after a start: more than what may be
/// pending.
const TAIL_OCTETS: u64 = 512 << 20;
/// Longest line of the log.
const LINE_OCTETS_MAX: usize = 16 << 20;
/// After a failure, the store is tried again after so many seconds.
const RETRY_SECS: i64 = 2;
/// News that may wait for a store that fails, one for each incident; then the oldest go, counted.
const WAITING_MAX: usize = 100_000;

/// A line of the log of reports.
#[derive(Serialize)]
struct Line<'a> {
    /// `open`, `update`, `end` or `reopen`.
    report: &'static str,
    /// When it was written, by the program's clock.
    at: Timestamp,
    /// What tells the report from all others.
    key: String,
    /// Id of the incident in the store: it stays when the detector begins anew.
    id: &'a str,
    /// Number of the incident in the store.
    number: i64,
    /// The incident as it is told of.
    incident: &'a RawValue,
}

/// The store with its log of reports.
pub(crate) struct Journal {
    store: Store,
    reader: StoreReader,
    reports: File,
    path: PathBuf,
    /// Incidents of at least this confidence are reported.
    confidence_min: u8,
    /// What could not be recorded yet, by incident.
    waiting: BTreeMap<String, Told>,
    /// What was recorded and not taken yet.
    subjects: Vec<Subject>,
    failed_at: Option<Timestamp>,
    counts: Counts,
}

/// News of an incident.
pub(crate) struct Told {
    pub(crate) what: News,
    pub(crate) incident: Incident,
    /// Two-letter codes of the countries that it touches.
    pub(crate) countries: Vec<String>,
}

/// What was recorded and reported since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// Versions of incidents recorded.
    pub(crate) recorded: u64,
    /// Reports written.
    pub(crate) reports: u64,
    /// Failures of the store or the log of reports.
    pub(crate) failures: u64,
    /// News lost because too many waited.
    pub(crate) lost: u64,
    /// Versions that exceed a limit of the store.
    pub(crate) refused: u64,
}

impl Journal {
    /// Opens the store and the log in a folder, and reports what was recorded but not reported.
    pub(crate) fn open(data_dir: &Path, confidence_min: u8, now: Timestamp) -> Result<Self> {
        let store = Store::open(data_dir)
            .with_context(|| format!("cannot open the store in {}", data_dir.display()))?;
        let reader = store.reader().context("cannot read the store")?;
        let path = data_dir.join(REPORTS_FILE);
        let about = || format!("cannot open {}", path.display());
        let mut reports = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .with_context(about)?;
        let written = written_keys(&mut reports).with_context(about)?;
        let mut journal = Journal {
            store,
            reader,
            reports,
            path,
            confidence_min,
            waiting: BTreeMap::new(),
            subjects: Vec::new(),
            failed_at: None,
            counts: Counts::default(),
        };
        let done: Vec<ReportKey> = journal
            .store
            .pending_reports(REPORTS_AT_ONCE)?
            .into_iter()
            .filter(|key| written.contains(&key.to_string()))
            .collect();
        journal.store.mark_sent(&done, now)?;
        journal.send(now)?;
        Ok(journal)
    }

    /// The incidents that were told of and may still matter: open, or first seen since `since`.
    pub(crate) fn told(&self, since: Timestamp) -> Result<Vec<Incident>> {
        let open = IncidentFilter { is_open: Some(true), ..IncidentFilter::default() };
        let recent = IncidentFilter {
            is_open: Some(false),
            first_seen_from: Some(since),
            ..IncidentFilter::default()
        };
        let mut told = self.bodies(&open)?;
        told.extend(self.bodies(&recent)?);
        Ok(told)
    }

    fn bodies(&self, filter: &IncidentFilter) -> Result<Vec<Incident>> {
        let mut told = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.reader.list(filter, cursor, PAGE_MAX)?;
            for summary in &page.incidents {
                if let Some((_, stored)) = self.reader.get(&summary.id)?
                    && let Ok(incident) = serde_json::from_str(stored.body.get())
                {
                    told.push(incident);
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(told);
            }
        }
    }

    /// Something befell the service.
    pub(crate) fn service(&mut self, event: ServiceEvent, at: Timestamp) {
        self.note(Note::Service { event, at, detail: None }, at);
    }

    /// A source was not heard for a time, and whether that was made good.
    pub(crate) fn gap(
        &mut self,
        source: &str,
        (from, until): (Timestamp, Timestamp),
        filled: bool,
    ) {
        let feed = source.to_owned();
        let gap = Note::Gap { feed, from, to: Some(until), filled, detail: None };
        self.note(gap, until);
    }

    /// A version of facts is in use from now on.
    pub(crate) fn facts(&mut self, name: &str, version: &str, now: Timestamp) {
        let (name, version) = (name.to_owned(), version.to_owned());
        self.note(Note::FactsApplied { name, version, at: now, detail: None }, now);
    }

    /// A feed is better or worse than it was.
    pub(crate) fn feed_state(&mut self, change: &HealthChange) {
        let note = Note::FeedState {
            feed: change.collector.to_string(),
            state: change.after.name().to_owned(),
            at: change.at,
            detail: serde_json::value::to_raw_value(change).ok(),
        };
        self.note(note, change.at);
    }

    /// Remembers something; a failure is told and counted.
    pub(crate) fn note(&mut self, note: Note, now: Timestamp) {
        if let Err(failure) = self.store.note(&[note], now) {
            self.fail(&anyhow::Error::from(failure), now);
        }
    }

    /// Keeps something of the measurements; a failure is told and counted.
    pub(crate) fn keep(&mut self, kept: &ToKeep, now: Timestamp) {
        let done = match kept {
            ToKeep::Inputs(inputs, closes) => self.store.put_readiness_inputs(inputs, *closes, now),
            ToKeep::Scores(scores) => self.store.put_readiness_scores(scores, now),
            ToKeep::Routes(month, octets) => self.store.put_readiness_routes(*month, octets, now),
        };
        if let Err(failure) = done {
            self.fail(&anyhow::Error::from(failure), now);
        }
    }

    /// Records what somebody found of an incident.
    pub(crate) fn judge(
        &mut self,
        Judgement { id, by, verdict }: Judgement,
        now: Timestamp,
    ) -> Result<Judged, StoreError> {
        match verdict {
            Some((verdict, note)) => {
                self.store.put_verdict(&id, GivenVerdict { verdict, note, by, at: now }, now)
            }
            None => self.store.withdraw_verdict(&id, &by, now, now),
        }
    }

    /// The detector has begun anew and seen the tables: what it does not speak of has ended while
    /// nobody watched.
    pub(crate) fn end_unseen(&mut self, now: Timestamp) {
        let ended = self.store.end_unseen(IncidentsUnseen { ended_at: now, now });
        match ended.map_err(anyhow::Error::from).and_then(|tick| self.after(&tick, now)) {
            Ok(()) => {}
            Err(failure) => self.fail(&failure, now),
        }
    }

    /// Takes out of the store what ended so many days ago.
    pub(crate) fn forget(&mut self, days: u32, now: Timestamp) {
        let policy = RetentionPolicy {
            incident_days: days,
            journal_days: days,
            readiness_months: READINESS_MONTHS,
        };
        match self.store.retention(policy, now) {
            Ok(done) => info!(incidents = done.incidents, rows = done.journal_rows, "retention"),
            Err(failure) => self.fail(&anyhow::Error::from(failure), now),
        }
    }

    /// Records news and reports what is to be reported. When the store fails, the news wait.
    pub(crate) fn record(&mut self, news: Vec<Told>, now: Timestamp) {
        for told in news {
            self.waiting.insert(told.incident.id.clone(), told);
        }
        while self.waiting.len() > WAITING_MAX {
            self.waiting.pop_first();
            self.counts.lost += 1;
        }
        self.retry(now);
    }

    /// Tries again what could not be recorded.
    pub(crate) fn retry(&mut self, now: Timestamp) {
        if self.is_too_soon(now) || (self.waiting.is_empty() && self.failed_at.is_none()) {
            return;
        }
        match self.try_record(now) {
            Ok(()) => {
                if self.failed_at.take().is_some() {
                    info!("the store works again");
                }
            }
            Err(failure) => self.fail(&failure, now),
        }
    }

    fn try_record(&mut self, now: Timestamp) -> Result<()> {
        let mut told: Vec<&Told> = self.waiting.values().collect();
        // Reports come in the order in which things began.
        told.sort_by_key(|told| (told.incident.first_seen, &told.incident.id));
        let confidence_min = self.confidence_min;
        let versions: Result<Vec<IncidentVersion>> =
            told.into_iter().map(|told| version(told, confidence_min)).collect();
        let tick = self.store.record(versions?, now)?;
        let mut told = std::mem::take(&mut self.waiting);
        for recorded in &tick.recorded {
            // What opened and ended at once is recorded twice.
            let Some(Told { incident, .. }) = told.remove(&recorded.detector_id) else { continue };
            let is_told = incident.confidence >= confidence_min;
            self.subjects.push(Subject { number: recorded.number, is_told, incident });
        }
        self.after(&tick, now)
    }

    /// What was recorded since it was asked last.
    pub(crate) fn take_subjects(&mut self) -> Vec<Subject> {
        std::mem::take(&mut self.subjects)
    }

    /// When an earlier trail of an incident ended.
    pub(crate) fn trail_ended_at(&self, number: i64) -> Option<Timestamp> {
        self.reader.trail(number).ok().flatten().and_then(|trail| trail.ended_at)
    }

    /// The position that the trails of the store have come to.
    pub(crate) fn trail_position(&self) -> Result<u64> {
        Ok(self.store.trail_position()?)
    }

    /// Trails that nobody adds to any more have ended.
    pub(crate) fn end_other_trails(&mut self, kept: &[i64], now: Timestamp) -> Result<()> {
        self.store.end_other_trails(kept, now)?;
        Ok(())
    }

    /// Writes what trails have; whether the store has it.
    pub(crate) fn write_trails(&mut self, writes: &[TrailWrite], now: Timestamp) -> bool {
        if self.is_too_soon(now) {
            return false;
        }
        let written = self.store.append_trails(writes);
        if let Err(failure) = written {
            self.fail(&anyhow::Error::from(failure), now);
            return false;
        }
        true
    }

    /// Whether the store failed only just.
    fn is_too_soon(&self, now: Timestamp) -> bool {
        self.failed_at.is_some_and(|at| now.secs_since(at) < RETRY_SECS)
    }

    fn after(&mut self, tick: &Tick, now: Timestamp) -> Result<()> {
        self.counts.recorded += tick.recorded.len() as u64;
        self.counts.refused += tick.refused.len() as u64;
        for refused in &tick.refused {
            error!(incident = %refused.detector_id, error = %refused.error, "not recorded");
        }
        self.send(now)
    }

    /// Writes the pending reports to the log, then says so in the store.
    fn send(&mut self, now: Timestamp) -> Result<()> {
        loop {
            let pending = self.store.pending_reports(REPORTS_AT_ONCE)?;
            if pending.is_empty() {
                return Ok(());
            }
            let mut lines = Vec::new();
            for key in &pending {
                self.line(key, now, &mut lines)?;
            }
            let end = self.reports.seek(SeekFrom::End(0))?;
            let written = self.reports.write_all(&lines).and_then(|()| self.reports.sync_data());
            if let Err(failure) = written {
                // Half a line would spoil the next.
                self.reports.set_len(end)?;
                return Err(failure)
                    .with_context(|| format!("cannot write {}", self.path.display()));
            }
            self.store.mark_sent(&pending, now)?;
            self.counts.reports += pending.len() as u64;
        }
    }

    fn line(&self, key: &ReportKey, now: Timestamp, out: &mut Vec<u8>) -> Result<()> {
        let stored = self.reader.version_of(key)?;
        let stored = stored.with_context(|| format!("no version for the report {key}"))?;
        let report = match key.change {
            Change::Opened => "open",
            Change::Updated => "update",
            Change::Ended => "end",
            Change::Reopened => "reopen",
        };
        let line = Line {
            report,
            at: now,
            key: key.to_string(),
            id: &stored.id,
            number: stored.number,
            incident: &stored.body,
        };
        serde_json::to_writer(&mut *out, &line)?;
        out.push(b'\n');
        info!(report, id = %stored.id, kind = %stored.kind, confidence = stored.confidence, "report");
        Ok(())
    }

    fn fail(&mut self, failure: &anyhow::Error, now: Timestamp) {
        self.counts.failures += 1;
        if self.failed_at.is_none() {
            error!(error = format!("{failure:#}"), "the store fails; what is new waits");
        }
        self.failed_at = Some(now);
    }

    /// Octets of the store on the disk.
    pub(crate) fn octets(&self) -> u64 {
        let of = |name: &str| std::fs::metadata(self.path.with_file_name(name));
        let files = [STORE_FILE.to_owned(), format!("{STORE_FILE}-wal")];
        files.iter().filter_map(|name| Some(of(name).ok()?.len())).sum()
    }

    /// News that wait for the store.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Since when the store fails, at the latest try.
    pub(crate) fn failed_at(&self) -> Option<Timestamp> {
        self.failed_at
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// Ends in good order.
    pub(crate) fn close(mut self, now: Timestamp) -> Result<()> {
        self.failed_at = None;
        self.try_record(now).context("the last news cannot be recorded")?;
        self.service(ServiceEvent::Stopped, now);
        Ok(())
    }
}

/// An incident as the store takes it.
fn version(told: &Told, confidence_min: u8) -> Result<IncidentVersion> {
    let incident = &told.incident;
    let roles = [
        (&incident.culprits, AsnRole::Culprit),
        (&incident.victims, AsnRole::Victim),
        (&incident.propagators, AsnRole::Propagator),
    ];
    let asns: Vec<(Asn, AsnRole)> = roles
        .into_iter()
        .flat_map(|(asns, role)| asns.iter().map(move |&asn| (asn, role)))
        .take(PARTS_MAX)
        .collect();
    let list =
        |asns: &[Asn]| asns.iter().map(|asn| asn.0.to_string()).collect::<Vec<_>>().join(",");
    let key = format!(
        "{}|{}|{}",
        incident.kind.name(),
        list(&incident.culprits),
        list(&incident.victims)
    );
    Ok(IncidentVersion {
        id: incident.id.clone(),
        key,
        kind: incident.kind.name().to_owned(),
        state: incident.state.name().to_owned(),
        class: incident.severity_class.name().to_owned(),
        confidence: incident.confidence,
        severity: incident.severity,
        first_seen: incident.first_seen,
        last_seen: incident.last_seen,
        ended_at: incident.ended_at,
        asns,
        prefixes: incident.prefixes.iter().take(PARTS_MAX).copied().collect(),
        countries: told.countries.clone(),
        members: incident.constituency.iter().map(|touch| touch.member.clone()).collect(),
        report: incident.confidence >= confidence_min,
        is_withdrawn: told.what == News::Withdrawn,
        body: serde_json::value::to_raw_value(incident)?,
    })
}

/// Keys of the reports at the end of the log. A last line without its end is taken away.
fn written_keys(reports: &mut File) -> Result<BTreeSet<String>> {
    #[derive(serde::Deserialize)]
    struct Key {
        key: String,
    }
    let octets = reports.metadata()?.len();
    let from = octets.saturating_sub(TAIL_OCTETS);
    reports.seek(SeekFrom::Start(from))?;
    let mut keys = BTreeSet::new();
    let mut sound = from;
    let mut input = BufReader::new(&mut *reports);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = input.by_ref().take(LINE_OCTETS_MAX as u64).read_until(b'\n', &mut line)?;
        if line.last() != Some(&b'\n') {
            break;
        }
        sound += read as u64;
        // The first may be the rest of a line.
        if let Ok(Key { key }) = serde_json::from_slice(&line) {
            keys.insert(key);
        }
    }
    drop(input);
    reports.set_len(sound)?;
    Ok(keys)
}
