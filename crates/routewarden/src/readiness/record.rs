//! What a month was measured from, frozen: the same scores can be made of it again, whatever the facts
//! say by then.
//!
//! JSON lines, compressed: first the events with the reasons for which some do not count, then one
//! network a line. Verdicts of people are not in it: they hold of closed months, too.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::Arc;

use routewarden_core::facts::Sha256;
use routewarden_core::{Asn, Prefix};
use routewarden_measure::{Event, EventKind, InputKind, Readiness, Score};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::Digest;

use super::Source;
use super::events::Events;
use super::survey::{Measured, Surveyed};

/// Longest frozen month when it is decompressed, in octets.
pub(crate) const FROZEN_OCTETS_MAX: u64 = 1 << 30;
/// Compression: months are written once and read seldom.
const LEVEL: i32 = 9;

/// Everything that scores of a month are made of, but for verdicts and the profile.
#[derive(Clone, Debug)]
pub(crate) struct Frozen {
    pub(crate) events: Vec<Event>,
    /// Reason by id, verdicts of people apart.
    pub(crate) dismissed: BTreeMap<String, String>,
    /// Kinds of events that could not be found out, each for want of an input.
    pub(crate) unknown: Vec<(EventKind, InputKind)>,
    pub(crate) ases: Arc<Vec<Surveyed>>,
}

/// The first line.
#[derive(Serialize, Deserialize)]
struct FirstLine {
    events: Vec<Event>,
    dismissed: BTreeMap<String, String>,
    unknown: Vec<(EventKind, InputKind)>,
}

impl Frozen {
    /// As octets for the store.
    pub(crate) fn octets(&self) -> io::Result<Vec<u8>> {
        let mut out = zstd::Encoder::new(Vec::new(), LEVEL)?;
        let first = FirstLine {
            events: self.events.clone(),
            dismissed: self.dismissed.clone(),
            unknown: self.unknown.clone(),
        };
        put_line(&mut out, &first)?;
        self.ases.iter().try_for_each(|surveyed| put_line(&mut out, surveyed))?;
        out.finish()
    }

    /// Of the octets of the store.
    ///
    /// # Errors
    /// When they are no frozen month, or a longer one than [`FROZEN_OCTETS_MAX`].
    pub(crate) fn of_octets(octets: &[u8]) -> io::Result<Self> {
        let mut lines = lines(octets)?;
        let frozen = Self::of_first(&mut lines)?;
        let mut ases = Vec::new();
        let mut line = String::new();
        while lines.read_line(&mut line)? > 0 {
            ases.push(serde_json::from_str(&line)?);
            line.clear();
        }
        if lines.into_inner().limit() == 0 {
            return Err(io::Error::other("a frozen month is too long"));
        }
        Ok(Frozen { ases: Arc::new(ases), ..frozen })
    }

    /// As above, and without looking at the networks.
    pub(crate) fn without_ases(octets: &[u8]) -> io::Result<Self> {
        Self::of_first(&mut lines(octets)?)
    }

    fn of_first(lines: &mut impl BufRead) -> io::Result<Self> {
        let mut line = String::new();
        lines.read_line(&mut line)?;
        let FirstLine { events, dismissed, unknown } = serde_json::from_str(&line)?;
        Ok(Frozen { events, dismissed, unknown, ases: Arc::default() })
    }

    /// The events with the verdicts of people, by id of the incident.
    pub(crate) fn judged(&self, verdicts: &BTreeMap<String, String>) -> Events {
        let mut events = Events::default();
        events.dismissed.clone_from(&self.dismissed);
        for event in &self.events {
            let verdict = verdicts.get(&event.id);
            if let Some(reason) = verdict {
                events.dismissed.insert(event.id.clone(), reason.clone());
            }
            let is_dismissed = event.is_dismissed || verdict.is_some();
            events.list.push(Event { is_dismissed, ..event.clone() });
        }
        events
    }
}

/// The lines of a frozen month, and of none longer than [`FROZEN_OCTETS_MAX`].
fn lines(octets: &[u8]) -> io::Result<BufReader<io::Take<impl Read>>> {
    Ok(BufReader::new(zstd::Decoder::new(octets)?.take(FROZEN_OCTETS_MAX)))
}

fn put_line(out: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// What the store keeps of the scores of one network.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Scored {
    /// Scores by name; those without data are null.
    pub(crate) scores: BTreeMap<String, Option<f64>>,
    /// Ids of the incidents that were counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) incidents: Vec<String>,
}

impl Scored {
    fn of(readiness: &Readiness) -> Self {
        let scores = readiness.actions.iter();
        let scores =
            scores.map(|action| (action.id.clone(), action.score.map(Score::fraction))).collect();
        let counted = readiness.metrics.iter().flat_map(|metric| &metric.incidents);
        let mut incidents: Vec<String> =
            counted.flat_map(|incident| incident.events.iter().cloned()).collect();
        incidents.sort_unstable();
        incidents.dedup();
        Scored { scores, incidents }
    }
}

/// The scores of all networks, as the store keeps them.
///
/// # Errors
/// When one cannot be written as JSON, which none of ours is.
pub(crate) fn scored(measured: &Measured) -> serde_json::Result<BTreeMap<Asn, Box<RawValue>>> {
    let survey = &measured.survey;
    let rows = survey.ases.iter().map(|surveyed| {
        let scored = Scored::of(&survey.readiness(surveyed));
        Ok((surveyed.asn, serde_json::value::to_raw_value(&scored)?))
    });
    rows.collect()
}

/// Digest of the events that were counted, verdicts included.
pub(crate) fn events_sha256(events: &[Event]) -> Sha256 {
    let mut sorted = events.to_vec();
    sorted.sort_unstable();
    let text = serde_json::to_vec(&sorted).unwrap_or_default();
    sha256(&text)
}

/// A digest, as sources and profiles have it.
pub(crate) fn sha256(octets: &[u8]) -> Sha256 {
    Sha256(sha2::Sha256::digest(octets).into())
}

/// Sources as the store keeps them.
pub(crate) fn sources_json(sources: &[Source]) -> serde_json::Result<Box<RawValue>> {
    serde_json::value::to_raw_value(sources)
}

/// Routes of a month as octets: one a line, compressed.
pub(crate) fn routes_octets(routes: &[(Asn, Prefix)]) -> io::Result<Vec<u8>> {
    let mut out = zstd::Encoder::new(Vec::new(), 3)?;
    routes.iter().try_for_each(|(asn, prefix)| writeln!(out, "{} {prefix}", asn.0))?;
    out.finish()
}

/// Of the octets of the store; lines that are none are left out.
pub(crate) fn routes_of_octets(octets: &[u8]) -> io::Result<Vec<(Asn, Prefix)>> {
    let mut text = String::new();
    zstd::Decoder::new(octets)?.take(FROZEN_OCTETS_MAX).read_to_string(&mut text)?;
    let routes = text.lines().filter_map(|line| {
        let (asn, prefix) = line.split_once(' ')?;
        Some((asn.parse().ok()?, prefix.parse().ok()?))
    });
    Ok(routes.collect())
}
