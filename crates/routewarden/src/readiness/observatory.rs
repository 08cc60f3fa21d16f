//! The service's measurements: made of what the table shows, what the store has, and the facts in use.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use routewarden_core::facts::Sha256;
use routewarden_core::{Asn, Timestamp};
use routewarden_detect::Incident;
use routewarden_feeds::live::Clock;
use routewarden_measure::{
    EventTable, EventTableError, InputKind, NoData, Period, PeriodError, Profile, ProfileError,
};
use routewarden_store::{
    GivenVerdict, PeriodIncident, StoreError, StoreReader, TimeSpan, Verdict,
};
use serde::Serialize;
use sha2::Digest;

use super::events::{EventSource, Events, unknown_events};
use super::inputs::References;
use super::survey::{Measured, Span, Survey, Surveyed, look_up};
use super::{Announced, Source};

/// Windows that may be asked for, in days.
pub(crate) const WINDOWS_DAYS: [u16; 3] = [7, 30, 90];
/// Most measurements kept; the one that was asked for longest ago goes.
const MEASURED_MAX: usize = 12;
/// A measurement is made anew when it is older and something was recorded since.
const FRESH: Duration = Duration::from_secs(60);

/// What the table and the facts said when they were last looked at.
pub(crate) struct Base {
    pub(crate) references: References,
    pub(crate) announced: Announced,
    pub(crate) ases: Arc<Vec<Surveyed>>,
    pub(crate) at: Timestamp,
}

/// A month that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Month {
    #[serde(flatten)]
    span: Span,
    measured_at: Timestamp,
}

/// One period by one profile, and what it was made of.
pub(crate) struct Held {
    pub(crate) measured: Measured,
    pub(crate) base: Arc<Base>,
    made: Made,
}

/// Of what a measurement was made.
#[derive(Clone, Copy)]
struct Made {
    when: Instant,
    verdicts: u64,
    last_seq: i64,
}

/// Why there is no measurement.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotMeasured {
    /// Nobody has looked at the table yet.
    #[error("the first survey of the table is not done yet")]
    Starting,
    /// There is nothing of that time.
    #[error("{0} was never measured")]
    Never(String),
    /// No such profile.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// No such period.
    #[error("{0}")]
    Period(PeriodError),
    /// Too much of it.
    #[error(transparent)]
    Events(#[from] EventTableError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Measures, and keeps what was measured last.
pub struct Observatory {
    data_dir: PathBuf,
    clock: Arc<dyn Clock>,
    base: Mutex<Option<Arc<Base>>>,
    measured: Mutex<Vec<(Key, Arc<Held>)>>,
    /// One measures at a time: another would do the same work.
    turn: Mutex<()>,
    verdicts: AtomicU64,
}

/// Profile and period, as they are asked for.
type Key = (String, String);

impl Observatory {
    /// Over the store in a folder; nothing is measured yet.
    pub(crate) fn new(data_dir: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Observatory {
            data_dir,
            clock,
            base: Mutex::default(),
            measured: Mutex::default(),
            turn: Mutex::default(),
            verdicts: AtomicU64::new(0),
        }
    }

    /// Takes what the table and the facts say now.
    pub(crate) fn renew(&self, references: References, announced: Announced, at: Timestamp) {
        let ases = Arc::new(look_up(&references, &announced, []));
        *lock(&self.base) = Some(Arc::new(Base { references, announced, ases, at }));
    }

    /// Somebody has judged an incident: what was measured before does not hold any more.
    pub(crate) fn judged(&self) {
        self.verdicts.fetch_add(1, Ordering::AcqRel);
    }

    /// Now, by the program's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Months that can be measured, newest first.
    pub(crate) fn months(&self) -> Result<Vec<Month>, NotMeasured> {
        let now = self.clock.now();
        let base = lock(&self.base).clone();
        let id: String = now.to_string().chars().take(7).collect();
        let span = span(&id, now)?;
        Ok(base.map(|base| Month { span, measured_at: base.at }).into_iter().collect())
    }

    /// A measurement, made now if it is not at hand. It takes a second or more of all networks: for threads
    /// that may block.
    pub(crate) fn measured(
        &self,
        profile: &str,
        period: &str,
    ) -> Result<Arc<Held>, NotMeasured> {
        let key = (profile.to_owned(), period.to_owned());
        let base = lock(&self.base).clone().ok_or(NotMeasured::Starting)?;
        let reader = StoreReader::open(&self.data_dir)?;
        let _turn = lock(&self.turn);
        let made = Made {
            when: Instant::now(),
            verdicts: self.verdicts.load(Ordering::Acquire),
            last_seq: reader.last_seq()?,
        };
        if let Some(measured) = self.at_hand(&key, &base, made) {
            return Ok(measured);
        }
        let measured = Arc::new(self.measure(&key, base, (&reader, made))?);
        let mut kept = lock(&self.measured);
        kept.retain(|(held, _)| *held != key);
        if kept.len() >= MEASURED_MAX {
            kept.remove(0);
        }
        kept.push((key, Arc::clone(&measured)));
        Ok(measured)
    }

    /// What was measured already and still holds.
    fn at_hand(&self, key: &Key, base: &Arc<Base>, now: Made) -> Option<Arc<Held>> {
        let kept = lock(&self.measured);
        let (_, measured) = kept.iter().find(|(held, _)| held == key)?;
        let Made { when, verdicts, last_seq } = measured.made;
        let is_fresh = last_seq == now.last_seq || now.when.duration_since(when) < FRESH;
        let is_of_base = measured.base.at == base.at;
        (is_fresh && is_of_base && verdicts == now.verdicts).then(|| Arc::clone(measured))
    }

    fn measure(
        &self,
        (profile, period): &Key,
        base: Arc<Base>,
        (reader, made): (&StoreReader, Made),
    ) -> Result<Held, NotMeasured> {
        let text = Profile::built_in_text(profile).unwrap_or_default();
        let profile = Profile::built_in(profile)?;
        let profile_sha256 = Sha256(sha2::Sha256::digest(text.as_bytes()).into());
        let span = span(period, self.clock.now())?;
        let references = &base.references;
        let (events, entries) = events(reader, span.period, references)?;
        let mut table = EventTable::new(span.period, events.events)?;
        for (kind, input) in unknown_events(true, !references.facts.delegations.is_empty()) {
            table = table.without(kind, NoData::InputMissing { input });
        }
        let ases = with(&base, table.asns());
        let incidents = Source {
            input: InputKind::Incidents,
            name: "store".to_owned(),
            date: None,
            sha256: None,
            entries,
        };
        let mut sources = vec![incidents];
        sources.extend(base.announced.source().cloned());
        sources.extend(references.sources());
        let survey = Survey {
            profile,
            profile_sha256,
            span,
            events: table,
            dismissed: events.dismissed,
            ases,
            sources,
            measured_at: Some(base.at),
        };
        Ok(Held { measured: Measured::of(survey), base, made })
    }
}

/// The time that a name stands for: a month up to now, or the days before now.
fn span(id: &str, now: Timestamp) -> Result<Span, NotMeasured> {
    let days = id.strip_suffix('d').and_then(|days| days.parse().ok());
    if let Some(days) = days.filter(|days| WINDOWS_DAYS.contains(days)) {
        let period = Period::rolling(days, now).map_err(NotMeasured::Period)?;
        return Ok(Span { id: id.to_owned(), period, is_over: false });
    }
    let month: Period = id.parse().map_err(NotMeasured::Period)?;
    let is_over = month.until() <= now;
    if is_over || month.from() >= now {
        return Err(NotMeasured::Never(id.to_owned()));
    }
    let period = month.up_to(now).map_err(NotMeasured::Period)?;
    Ok(Span { id: id.to_owned(), period, is_over })
}

/// The events of a period, and how many incidents were looked at.
fn events(
    reader: &StoreReader,
    period: Period,
    references: &References,
) -> Result<(Events, u64), StoreError> {
    let source = EventSource { facts: &references.facts, irr: references.irr.as_ref() };
    let mut events = Events::default();
    let mut looked_at = 0;
    let span = TimeSpan { from: period.from(), until: period.until() };
    reader.visit_period(span, |PeriodIncident { summary, stored, verdict }| {
        // One that an older program wrote may be none of ours.
        if let Ok(mut incident) = serde_json::from_str::<Incident>(stored.body.get()) {
            looked_at += 1;
            // The store knows more of its time: it may have gone on under another id.
            incident.first_seen = summary.first_seen;
            incident.ended_at = summary.ended_at;
            let is_false = |given: &GivenVerdict| given.verdict == Verdict::FalsePositive;
            let verdict = verdict.filter(is_false).map(|given| dismissal(&given));
            events.add(&summary.id, &incident, verdict, &source);
        }
        ControlFlow::Continue(())
    })?;
    Ok((events, looked_at))
}

/// Why an incident does not count, for people.
fn dismissal(given: &GivenVerdict) -> String {
    let note = if given.note.is_empty() { String::new() } else { format!(": {}", given.note) };
    format!("found to be a false positive by {} at {}{note}", given.by, given.at)
}

/// All that is known of the networks, and of those that events name beside them.
fn with(base: &Base, asns: impl Iterator<Item = Asn>) -> Arc<Vec<Surveyed>> {
    let is_known = |asn: &Asn| base.ases.binary_search_by_key(asn, |known| known.asn).is_ok();
    let others: Vec<Asn> = asns.filter(|asn| !is_known(asn)).collect();
    if others.is_empty() {
        return Arc::clone(&base.ases);
    }
    let mut all = (*base.ases).clone();
    all.extend(look_up(&base.references, &Announced::default(), others));
    all.sort_by_key(|surveyed| surveyed.asn);
    Arc::new(all)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is inside is put in whole: a poisoned lock is as good as any.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
