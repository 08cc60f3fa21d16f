//! The service's measurements: made of what the table shows, what the store has, and the facts in use.

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use routewarden_core::facts::Sha256;
use routewarden_core::{Asn, Timestamp};
use routewarden_detect::Incident;
use routewarden_feeds::live::Clock;
use routewarden_measure::{
    DocumentError, EventTable, EventTableError, InputKind, NoData, PROFILE_DEFAULT, Period,
    PeriodError, Profile,
};
use routewarden_store::{
    GivenVerdict, IncidentVerdict, PeriodIncident, ROWS_MAX, ReadinessAbout, ReadinessInputs,
    ReadinessScores, StoreError, StoreReader, TimeSpan, Verdict,
};
use serde::Serialize;

use super::events::{EventSource, Events, unknown_events};
use super::inputs::References;
use super::record::{self, Frozen, Scored};
use super::survey::{Measured, Span, Survey, Surveyed, look_up};
use super::{Announced, Source};

/// Windows that may be asked for, in days.
pub(crate) const WINDOWS_DAYS: [u16; 3] = [7, 30, 90];
/// Most measurements kept; the one that was asked for longest ago goes.
const MEASURED_MAX: usize = 12;
/// A measurement is made anew when it is older than so many seconds and something was recorded since.
const FRESH_SECS: i64 = 60;

/// Profiles whose scores are kept of every month.
pub(crate) const KEPT_PROFILES: [&str; 2] = [PROFILE_DEFAULT, "routewarden-1"];

/// What is to be written into the store.
#[derive(Debug)]
pub(crate) enum ToKeep {
    /// Inputs of a period; `true` closes it.
    Inputs(ReadinessInputs, bool),
    /// Scores by a profile.
    Scores(ReadinessScores),
    /// Routes seen so far in the month that begins at a time.
    Routes(Timestamp, Vec<u8>),
}

/// What the table and the facts said when they were last looked at.
pub(crate) struct Base {
    pub(crate) references: References,
    pub(crate) announced: Announced,
    pub(crate) ases: Arc<Vec<Surveyed>>,
    pub(crate) at: Timestamp,
}

/// A month that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct MeasuredMonth {
    #[serde(flatten)]
    span: Span,
    measured_at: Timestamp,
}

impl MeasuredMonth {
    /// As `2026-10`.
    pub(crate) fn id(&self) -> &str {
        &self.span.id
    }
}

/// One period by one profile, and what it was made of.
pub(crate) struct Held {
    pub(crate) measured: Measured,
    pub(crate) base: Arc<Base>,
    /// Whether it is of what the base says; else of what was frozen.
    pub(crate) is_now: bool,
    made: Made,
}

/// Of what a measurement was made.
#[derive(Clone, Copy)]
struct Made {
    when: Timestamp,
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
    Profile(#[from] DocumentError),
    /// No such period.
    #[error("{0}")]
    Period(PeriodError),
    /// Too much of it.
    #[error(transparent)]
    Events(#[from] EventTableError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was frozen cannot be read, or written.
    #[error(transparent)]
    Frozen(#[from] io::Error),
    /// As above.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// Measures, and keeps what was measured last.
pub struct Observatory {
    data_dir: PathBuf,
    clock: Arc<dyn Clock>,
    base: Mutex<Option<Arc<Base>>>,
    measured: Mutex<Vec<(Key, Arc<Held>)>>,
    /// One measures at a time: another would do the same work.
    turn: Mutex<()>,
    /// How often somebody judged.
    verdicts: AtomicU64,
    /// As above, when closed months were last looked through for it; at first they are.
    verdicts_kept: AtomicU64,
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
            verdicts_kept: AtomicU64::new(u64::MAX),
        }
    }

    /// Takes what the table and the facts say now. What was announced before in this month counts, too.
    /// Gives what is to be kept of it: to be handed to who writes the store.
    ///
    /// # Errors
    /// When the store cannot be read; then what was announced before is not known.
    pub(crate) fn renew(
        &self,
        references: References,
        mut announced: Announced,
        at: Timestamp,
    ) -> Result<Vec<ToKeep>, NotMeasured> {
        let reader = StoreReader::open(&self.data_dir)?;
        let month = Month::of(at).ok_or(NotMeasured::Period(PeriodError::NoMonth))?;
        if let Some((octets, _)) = reader.readiness_routes(month.period.from())? {
            announced.add(record::routes_of_octets(&octets)?);
        }
        let ases =
            Arc::new(look_up(&references, &announced, announced.origins().collect(), month.period));
        let base = Arc::new(Base { references, announced, ases, at });
        *lock(&self.base) = Some(Arc::clone(&base));
        let mut keep = self.close_before(&reader, month.period.from())?;
        keep.extend(self.judged_since(&reader)?);
        let routes = record::routes_octets(base.announced.routes())?;
        keep.push(ToKeep::Routes(month.period.from(), routes));
        let (frozen, sources) = freeze(&reader, &base, month.period)?;
        keep.extend(kept_of(&reader, (&month, at), &frozen, &sources, false)?);
        Ok(keep)
    }

    /// Closes the months that ended before a time and are not closed yet.
    fn close_before(
        &self,
        reader: &StoreReader,
        now: Timestamp,
    ) -> Result<Vec<ToKeep>, NotMeasured> {
        let mut keep = Vec::new();
        for known in reader.readiness_periods()? {
            let Some(month) = Month::that_is(known.period) else { continue };
            if known.is_closed || known.period.until > now {
                continue;
            }
            let Some((known, octets)) = reader.readiness_inputs(known.period)? else { continue };
            let frozen = Frozen::of_octets(&octets)?;
            // Incidents are known up to the end of the month now, whenever the last survey was.
            let lasting = self.events_of(reader, month.period, frozen)?;
            let sources: Vec<Source> = serde_json::from_str(&known.sources).unwrap_or_default();
            keep.extend(kept_of(reader, (&month, known.measured_at), &lasting, &sources, true)?);
        }
        Ok(keep)
    }

    /// The scores of closed months anew, where verdicts have changed what is counted.
    fn judged_since(&self, reader: &StoreReader) -> Result<Vec<ToKeep>, NotMeasured> {
        let verdicts_now = self.verdicts.load(Ordering::Acquire);
        if self.verdicts_kept.swap(verdicts_now, Ordering::AcqRel) == verdicts_now {
            return Ok(Vec::new());
        }
        let records = reader.readiness_records()?;
        let mut keep = Vec::new();
        for known in reader.readiness_periods()?.into_iter().filter(|known| known.is_closed) {
            let Some(month) = Month::that_is(known.period) else { continue };
            let Some((known, octets)) = reader.readiness_inputs(known.period)? else { continue };
            let counted = Frozen::without_ases(&octets)?.judged(&verdicts(reader, known.period)?);
            let counted = record::events_sha256(&counted.list);
            let mut scored = records.iter().filter(|record| record.about.period == known.period);
            if scored.any(|record| record.about.events_sha256 != counted) {
                let frozen = Frozen::of_octets(&octets)?;
                let sources: Vec<Source> = serde_json::from_str(&known.sources).unwrap_or_default();
                let made = MadeOf { sources: &sources, inputs_sha256: known.sha256, closes: true };
                keep.extend(scores_of(reader, (&month, known.measured_at), &frozen, made)?);
            }
        }
        Ok(keep)
    }

    /// A frozen month with all events of it that are known now, and the networks that they name. What the
    /// facts say of these is what they say now; that they announced nothing in that month is known.
    fn events_of(
        &self,
        reader: &StoreReader,
        period: Period,
        frozen: Frozen,
    ) -> Result<Frozen, NotMeasured> {
        let Some(base) = lock(&self.base).clone() else { return Ok(frozen) };
        let (events, _) = events(reader, period, &base.references)?;
        let silent = Announced::of_table(Vec::new(), period.until(), 0);
        let others = unknown(&frozen.ases, &events);
        let others = look_up(&base.references, &silent, others, period);
        let ases = joined(&frozen.ases, others);
        Ok(Frozen { events: events.list, dismissed: events.dismissed, ases, ..frozen })
    }

    /// Somebody has judged an incident: what was measured before does not hold any more.
    pub(crate) fn judged(&self) {
        self.verdicts.fetch_add(1, Ordering::AcqRel);
    }

    /// Now, by the program's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Months that were measured, newest first.
    pub(crate) fn months(&self) -> Result<Vec<MeasuredMonth>, NotMeasured> {
        let reader = StoreReader::open(&self.data_dir)?;
        let now = self.clock.now();
        let known = reader.readiness_periods()?.into_iter();
        let months = known.filter_map(|known| {
            let Month { id, period } = Month::that_is(known.period)?;
            let is_over = period.until() <= now;
            let span = Span { id, period, is_over };
            Some(MeasuredMonth { span, measured_at: known.measured_at })
        });
        Ok(months.collect())
    }

    /// A measurement, made now if it is not at hand. It takes a second or more of all networks: for threads
    /// that may block.
    pub(crate) fn measured(&self, profile: &str, period: &str) -> Result<Arc<Held>, NotMeasured> {
        let key = (profile.to_owned(), period.to_owned());
        let base = lock(&self.base).clone().ok_or(NotMeasured::Starting)?;
        let reader = StoreReader::open(&self.data_dir)?;
        let _turn = lock(&self.turn);
        let made = Made {
            when: self.clock.now(),
            verdicts: self.verdicts.load(Ordering::Acquire),
            last_seq: reader.last_seq()?,
        };
        if let Some(measured) = self.at_hand(&key, &base, made) {
            return Ok(measured);
        }
        let measured = Arc::new(self.measure(&key, base, (&reader, made))?);
        let mut kept = lock(&self.measured);
        if kept.len() >= MEASURED_MAX {
            kept.remove(0);
        }
        kept.push((key, Arc::clone(&measured)));
        Ok(measured)
    }

    /// What was measured already and still holds.
    fn at_hand(&self, key: &Key, base: &Arc<Base>, now: Made) -> Option<Arc<Held>> {
        let mut kept = lock(&self.measured);
        let at = kept.iter().position(|(held, _)| held == key)?;
        let (key, measured) = kept.remove(at);
        let Made { when, verdicts, last_seq } = measured.made;
        let is_fresh = last_seq == now.last_seq || now.when.secs_since(when) < FRESH_SECS;
        let is_of_base = measured.base.at == base.at;
        if !is_fresh || !is_of_base || verdicts != now.verdicts {
            return None;
        }
        // Those asked for last stand last.
        kept.push((key, Arc::clone(&measured)));
        Some(measured)
    }

    fn measure(
        &self,
        (profile, period): &Key,
        base: Arc<Base>,
        (reader, made): (&StoreReader, Made),
    ) -> Result<Held, NotMeasured> {
        let now = self.clock.now();
        let span = span(period, now)?;
        let times = time_span(span.period);
        if span.is_over {
            let found = reader.readiness_inputs(times)?;
            let (known, octets) = found.ok_or_else(|| NotMeasured::Never(period.clone()))?;
            let frozen = Frozen::of_octets(&octets)?;
            let sources = serde_json::from_str(&known.sources).unwrap_or_default();
            let verdicts = verdicts(reader, times)?;
            let survey = survey(profile, span, (&frozen, &verdicts), (sources, known.measured_at))?;
            return Ok(Held { measured: Measured::of(survey), base, is_now: false, made });
        }
        let (frozen, sources) = freeze(reader, &base, span.period)?;
        let verdicts = verdicts(reader, times)?;
        let survey = survey(profile, span, (&frozen, &verdicts), (sources, base.at))?;
        Ok(Held { measured: Measured::of(survey), base, is_now: true, made })
    }

    /// The month before a month; `None` of a window.
    pub(crate) fn month_before(span: &Span) -> Option<String> {
        let month = Month::of(span.period.from())?;
        let is_month = month.id == span.id;
        Some(Month::of(month.period.from().plus_secs(-1))?.id).filter(|_| is_month)
    }

    /// The scores of an AS in the months that were kept, oldest first.
    pub(crate) fn history(
        &self,
        asn: Asn,
        profile: &str,
    ) -> Result<Vec<(String, Scored)>, NotMeasured> {
        let reader = StoreReader::open(&self.data_dir)?;
        let rows = reader.readiness_of(asn, profile)?.into_iter();
        let months = rows.filter_map(|(record, json)| {
            let month = Month::that_is(record.about.period)?;
            Some((month.id, serde_json::from_str(&json).ok()?))
        });
        Ok(months.collect())
    }

    /// The scores of all networks in a month that was kept; `None` where there is none.
    pub(crate) fn kept(
        &self,
        profile: &str,
        month: &str,
    ) -> Result<Option<Vec<(Asn, Scored)>>, NotMeasured> {
        let period: Period = month.parse().map_err(NotMeasured::Period)?;
        let reader = StoreReader::open(&self.data_dir)?;
        let mut rows = Vec::new();
        let asked = (profile, time_span(period));
        let record = reader.visit_readiness(asked, None, |asn, json| {
            rows.extend(serde_json::from_str(json).ok().map(|scored| (asn, scored)));
            ControlFlow::Continue(())
        })?;
        Ok(record.map(|_| rows))
    }
}

/// What a period is measured from now.
fn freeze(
    reader: &StoreReader,
    base: &Base,
    period: Period,
) -> Result<(Frozen, Vec<Source>), NotMeasured> {
    let references = &base.references;
    let (events, entries) = events(reader, period, references)?;
    let others = unknown(&base.ases, &events);
    let others = look_up(references, &base.announced, others, period);
    let ases = with_tests(joined(&base.ases, others), references, period);
    let incidents = Source {
        input: InputKind::Incidents,
        name: "store".to_owned(),
        date: None,
        sha256: None,
        entries,
    };
    let mut sources = vec![incidents];
    sources.extend(base.announced.sources());
    sources.extend(references.sources());
    let has_delegations = !references.facts.delegations.is_empty();
    let frozen = Frozen {
        events: events.list,
        dismissed: events.dismissed,
        unknown: unknown_events(true, has_delegations).collect(),
        ases,
    };
    Ok((frozen, sources))
}

/// What is kept of a month: its inputs, and its scores.
fn kept_of(
    reader: &StoreReader,
    (month, at): (&Month, Timestamp),
    frozen: &Frozen,
    sources: &[Source],
    closes: bool,
) -> Result<Vec<ToKeep>, NotMeasured> {
    let json = record::sources_json(sources)?;
    let inputs = ReadinessInputs::new(time_span(month.period), frozen.octets()?, json, at)?;
    let made = MadeOf { sources, inputs_sha256: inputs.sha256(), closes };
    let mut keep = vec![ToKeep::Inputs(inputs, closes)];
    keep.extend(scores_of(reader, (month, at), frozen, made)?);
    Ok(keep)
}

/// Beside what is frozen.
#[derive(Clone, Copy)]
struct MadeOf<'a> {
    sources: &'a [Source],
    inputs_sha256: Sha256,
    /// Whether the month is over.
    closes: bool,
}

/// The scores of a month by each profile of [`KEPT_PROFILES`], as they are kept.
fn scores_of(
    reader: &StoreReader,
    (month, at): (&Month, Timestamp),
    frozen: &Frozen,
    MadeOf { sources, inputs_sha256, closes }: MadeOf<'_>,
) -> Result<Vec<ToKeep>, NotMeasured> {
    let period = time_span(month.period);
    let verdicts = verdicts(reader, period)?;
    let mut keep = Vec::new();
    for profile in KEPT_PROFILES {
        let until =
            if closes { month.period.until() } else { at.max(month.period.from().plus_secs(1)) };
        let span = Span {
            id: month.id.clone(),
            period: month.period.up_to(until).map_err(NotMeasured::Period)?,
            is_over: closes,
        };
        let survey = survey(profile, span, (frozen, &verdicts), (sources.to_vec(), at))?;
        let about = ReadinessAbout {
            profile: profile.to_owned(),
            period,
            profile_sha256: survey.profile_sha256,
            inputs_sha256,
            events_sha256: record::events_sha256(&frozen.judged(&verdicts).list),
            measured_at: at,
        };
        let scored = record::scored(&Measured::of(survey))?;
        keep.push(ToKeep::Scores(ReadinessScores::new(about, &scored)?));
    }
    Ok(keep)
}

/// A calendar month by its name.
struct Month {
    id: String,
    period: Period,
}

impl Month {
    /// That in which a time is.
    fn of(at: Timestamp) -> Option<Self> {
        let id: String = at.to_string().chars().take(7).collect();
        let period = id.parse().ok()?;
        Some(Month { id, period })
    }

    /// The month that is this time; `None` where it is none.
    fn that_is(span: TimeSpan) -> Option<Self> {
        let month = Self::of(span.from)?;
        (time_span(month.period) == span).then_some(month)
    }
}

fn time_span(period: Period) -> TimeSpan {
    TimeSpan { from: period.from(), until: period.until() }
}

/// Makes a survey of what is frozen and what people found.
fn survey(
    profile: &str,
    span: Span,
    (frozen, verdicts): (&Frozen, &BTreeMap<String, String>),
    (sources, at): (Vec<Source>, Timestamp),
) -> Result<Survey, NotMeasured> {
    let text = Profile::built_in_text(profile).unwrap_or_default();
    let events = frozen.judged(verdicts);
    let mut table = EventTable::new(span.period, events.list)?;
    for &(kind, input) in &frozen.unknown {
        table = table.without(kind, NoData::InputMissing { input });
    }
    Ok(Survey {
        profile: Profile::built_in(profile)?,
        profile_sha256: record::sha256(text.as_bytes()),
        span,
        events: table,
        dismissed: events.dismissed,
        ases: Arc::clone(&frozen.ases),
        sources,
        measured_at: Some(at),
    })
}

/// Incidents of a period that people found to be false positives, with the reason.
fn verdicts(
    reader: &StoreReader,
    period: TimeSpan,
) -> Result<BTreeMap<String, String>, StoreError> {
    let (mut found, mut after) = (BTreeMap::new(), 0);
    loop {
        let page = reader.verdicts(period, after, ROWS_MAX)?;
        let Some(last) = page.last().map(|row| row.number) else { return Ok(found) };
        let is_false = |row: &IncidentVerdict| row.given.verdict == Verdict::FalsePositive;
        let page = page.into_iter().filter(is_false);
        found.extend(page.map(|row| (row.id, dismissal(&row.given))));
        after = last;
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
    if month.from() >= now {
        return Err(NotMeasured::Never(id.to_owned()));
    }
    let is_over = month.until() <= now;
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
    reader.visit_period(span, |PeriodIncident { summary, stored, .. }| {
        // One that an older program wrote may be none of ours.
        if let Ok(mut incident) = serde_json::from_str::<Incident>(stored.body.get()) {
            looked_at += 1;
            // The store knows more of its time: it may have gone on under another id.
            incident.first_seen = summary.first_seen;
            incident.ended_at = summary.ended_at;
            events.add(&summary.id, &incident, None, &source);
        }
        ControlFlow::Continue(())
    })?;
    Ok((events, looked_at))
}

/// Why an incident does not count, for people.
fn dismissal(given: &GivenVerdict) -> String {
    let note = if given.note.is_empty() { String::new() } else { format!(": {}", given.note) };
    format!("found to be a false positive by {} at {}{note}", given.by, given.at.to_the_second())
}

/// Networks that have a part in events and of which nothing is known yet.
fn unknown(known: &[Surveyed], events: &Events) -> Vec<Asn> {
    let named =
        events.list.iter().flat_map(|event| event.culprits.iter().chain(&event.accomplices));
    let is_known = |asn: &Asn| known.binary_search_by_key(asn, |surveyed| surveyed.asn).is_ok();
    named.copied().filter(|asn| !is_known(asn)).collect()
}

/// Networks, and others that are not among them, by ASN.
fn joined(known: &Arc<Vec<Surveyed>>, others: Vec<Surveyed>) -> Arc<Vec<Surveyed>> {
    if others.is_empty() {
        return Arc::clone(known);
    }
    let mut all = (**known).clone();
    all.extend(others);
    all.sort_by_key(|surveyed| surveyed.asn);
    Arc::new(all)
}

/// Networks with the tests for spoofing of the period: all else is of the month.
fn with_tests(
    ases: Arc<Vec<Surveyed>>,
    references: &References,
    period: Period,
) -> Arc<Vec<Surveyed>> {
    if references.beside.spoofer.is_empty() {
        return ases;
    }
    let mut all = Arc::unwrap_or_clone(ases);
    for surveyed in &mut all {
        surveyed.inputs.spoofing = references.spoofing(surveyed.asn, period);
    }
    Arc::new(all)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is inside is put in whole: a poisoned lock is as good as any.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
