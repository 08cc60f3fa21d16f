//! Everything that a measurement on the command line rests on.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use routewarden_core::facts::{Facts, Sha256};
use routewarden_core::{Asn, Prefix};
use routewarden_detect::Incident;
use routewarden_feeds::live::Clock as _;
use routewarden_measure::{
    DOCUMENT_OCTETS_MAX, EventTable, InputKind, NoData, PathSeen, PathsBuilder, PathsTold, Period,
    Profile,
};

use crate::cli::MeasureArgs;
use crate::exit::UsageError;
use crate::facts::{self, BesideFiles};
use crate::readiness::{
    Announced, EventSource, Events, References, Seen, Source, Span, Survey, look_up, sha256,
    unknown_events,
};
use crate::serve::SteadyClock;
use crate::tables::{self, Reading, SeenRoute};
use crate::{incidents, summary};

/// A survey, with what it was made of.
pub(super) struct Gathered {
    pub(super) survey: Survey,
    pub(super) references: References,
    pub(super) announced: Announced,
    pub(super) is_incomplete: bool,
}

/// Reads all that was named, and looks up every AS that it tells of, and those asked for.
pub(super) fn gather(args: &MeasureArgs, asked: &[Asn]) -> Result<Gathered> {
    let (profile, profile_sha256) = profile(&args.profile)?;
    let read = args.incidents.as_deref().map(incidents::read_with_digest).transpose()?;
    let (incidents, incidents_sha256) = read.unzip();
    let incidents = incidents.unwrap_or_default();
    let span = span(args, &incidents)?;
    let references = references(args)?;
    let (announced, is_incomplete) = announced(args, &references, &span)?;
    let events = events(args, &incidents, &references)?;
    let mut sources = Vec::new();
    if let Some(path) = &args.incidents {
        sources.push(incident_source(path, incidents.len(), incidents_sha256));
    }
    sources.extend(announced.sources());
    sources.extend(references.sources());
    let mut table = EventTable::new(span.period, events.list)?;
    for (kind, input) in
        unknown_events(args.incidents.is_some(), !references.facts.delegations.is_empty())
    {
        table = table.without(kind, NoData::InputMissing { input });
    }
    let named = table.asns().chain(asked.iter().copied());
    let asns: Vec<Asn> = announced.origins().chain(named).collect();
    let ases = look_up(&references, &announced, asns, span.period);
    let dismissed = events.dismissed;
    let survey = Survey {
        profile,
        profile_sha256,
        span,
        events: table,
        dismissed,
        ases: Arc::new(ases),
        sources,
        measured_at: None,
    };
    Ok(Gathered { survey, references, announced, is_incomplete })
}

/// A profile by name or file, with the digest of its text: its version.
fn profile(named: &str) -> Result<(Profile, Sha256)> {
    let text = match Profile::built_in_text(named) {
        Some(text) => text.to_owned(),
        None if Path::new(named).exists() => {
            let octets = fs::metadata(named)?.len();
            anyhow::ensure!(
                octets <= DOCUMENT_OCTETS_MAX as u64,
                "{named} is larger than {DOCUMENT_OCTETS_MAX} octets"
            );
            fs::read_to_string(named).with_context(|| format!("cannot read {named}"))?
        }
        None => {
            let known = Profile::built_in_ids().collect::<Vec<_>>().join(", ");
            let text = format!("no profile {named}: there are {known}, or name a file");
            return Err(UsageError(text).into());
        }
    };
    let profile =
        Profile::parse(&text).with_context(|| format!("cannot use the profile {named}"))?;
    Ok((profile, sha256(text.as_bytes())))
}

/// The time asked for; else the month of the newest incident.
fn span(args: &MeasureArgs, incidents: &[Incident]) -> Result<Span> {
    let newest = incidents.iter().map(|i| i.ended_at.unwrap_or(i.last_seen)).max();
    let begun = incidents.iter().map(|incident| incident.first_seen).max();
    if let Some(days) = args.window {
        let until = args
            .until
            .or(newest)
            .ok_or_else(|| UsageError("--window without --until needs incidents".to_owned()))?;
        let period = Period::rolling(days, until)?;
        return Ok(Span { id: format!("{days}d"), period, is_over: true });
    }
    let id = match (&args.month, begun) {
        (Some(month), _) => month.clone(),
        (None, Some(begun)) => begun.to_string().chars().take(7).collect(),
        (None, None) => {
            let text = "which time? Give --month, --window, or --incidents with any";
            return Err(UsageError(text.to_owned()).into());
        }
    };
    let period: Period =
        id.parse().map_err(|error| UsageError(format!("--month {id}: {error}")))?;
    let now = SteadyClock::of_machine().now();
    let is_over = period.until() <= now;
    let period = if is_over { period } else { period.up_to(now)? };
    Ok(Span { id, period, is_over })
}

fn references(args: &MeasureArgs) -> Result<References> {
    let beside = facts::beside(&BesideFiles {
        irr: args.irr.clone(),
        peering_db: args.peering_db.iter().cloned().collect(),
        participants: args.participants.clone(),
        spoofer: args.spoofer.clone(),
        contacts: args.contacts.clone(),
    })?;
    Ok(References::new(facts::load(&args.facts)?, beside))
}

/// What was announced, and whether the data is incomplete.
fn announced(
    args: &MeasureArgs,
    references: &References,
    span: &Span,
) -> Result<(Announced, bool)> {
    if args.routes.is_empty() {
        let origins = references.facts.origins.as_ref();
        return Ok((origins.map(Announced::of_origins).unwrap_or_default(), false));
    }
    let mut seen = Seen::default();
    let window = (Some(span.period.from()), Some(span.period.until()));
    let reading = Reading { quiet: args.quiet, window, ..Reading::default() };
    let read = tables::read_all(&args.routes, reading, |route| {
        if let Some(origin) = route.path.origin() {
            seen.add(route.peer, route.prefix, origin);
        }
    })?;
    let mut is_incomplete = summary::faults(&read.reports, args.quiet)?;
    if seen.over_limit() > 0 {
        is_incomplete = true;
        writeln!(io::stderr(), "LIMIT REACHED: {} routes not taken", seen.over_limit())?;
    }
    let facts = &references.facts;
    let (told, is_cut) = paths_told(args, facts, seen.invalid_origins(facts))?;
    let names: Vec<String> = args.routes.iter().map(|input| file_name(Path::new(input))).collect();
    let announced = seen.announced(&names.join(", "), usize::from(args.least_peers));
    Ok((announced.with_told(told), is_incomplete || is_cut))
}

/// What the paths of the tables tell, read once more for it: only then it is known whose paths matter. Whether
/// it is less than all.
fn paths_told(
    args: &MeasureArgs,
    facts: &Facts,
    invalid_origins: BTreeSet<Asn>,
) -> Result<(PathsTold, bool)> {
    if !PathsBuilder::can_tell(facts) {
        return Ok((PathsTold::default(), false));
    }
    let mut builder = PathsBuilder::new(facts, invalid_origins);
    let mut together = Together::default();
    // Faults of the inputs were told when they were read for their routes.
    let (entries, _) = tables::read_tables(&args.routes, true, |route| {
        together.add(&route, &mut builder);
    })?;
    if entries == 0 {
        return Ok((PathsTold::default(), false));
    }
    together.hand_over(&mut builder);
    let told = builder.finish();
    if told.over_limit > 0 {
        writeln!(io::stderr(), "LIMIT REACHED: {} paths not taken", told.over_limit)?;
    }
    let is_cut = told.over_limit > 0;
    Ok((told, is_cut))
}

/// Routes of one prefix that stand together in a table.
#[derive(Default)]
struct Together {
    prefix: Option<Prefix>,
    asns: Vec<Asn>,
    /// Each with the end of its ASNs, and its OTC.
    routes: Vec<(usize, Option<Asn>)>,
}

impl Together {
    fn add(&mut self, route: &SeenRoute<'_>, builder: &mut PathsBuilder<'_>) {
        if self.prefix != Some(route.prefix) {
            self.hand_over(builder);
            self.prefix = Some(route.prefix);
        }
        if let Some(path) = route.path.as_sequence() {
            self.asns.extend(path);
            self.routes.push((self.asns.len(), route.otc));
        }
    }

    fn hand_over(&mut self, builder: &mut PathsBuilder<'_>) {
        let mut start = 0;
        let seen = self.routes.iter().map(|&(end, otc)| {
            let path = self.asns.get(start..end).unwrap_or_default();
            start = end;
            PathSeen { path, otc }
        });
        let seen: Vec<PathSeen<'_>> = seen.collect();
        if let Some(prefix) = self.prefix {
            builder.add(prefix, &seen);
        }
        self.asns.clear();
        self.routes.clear();
    }
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| path.display().to_string())
}

fn events(args: &MeasureArgs, incidents: &[Incident], references: &References) -> Result<Events> {
    let known = |id: &&String| !incidents.iter().any(|incident| incident.id == **id);
    if let Some(unknown) = args.false_positive.iter().find(known) {
        let text = format!("--false-positive {unknown}: no incident of that id was given");
        return Err(UsageError(text).into());
    }
    let source = EventSource { facts: &references.facts, irr: references.irr.as_ref() };
    // What has not ended in the file lasts as long as the file knows of anything.
    let known_until = incidents.iter().map(|i| i.ended_at.unwrap_or(i.last_seen)).max();
    let mut events = Events::until(known_until);
    for incident in incidents {
        let is_false = args.false_positive.contains(&incident.id);
        let verdict = is_false.then(|| "found to be a false positive".to_owned());
        events.add(&incident.id, incident, verdict, &source);
    }
    Ok(events)
}

fn incident_source(path: &Path, entries: usize, sha256: Option<Sha256>) -> Source {
    Source {
        input: InputKind::Incidents,
        name: file_name(path),
        date: None,
        sha256,
        entries: entries as u64,
    }
}
