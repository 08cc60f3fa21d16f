//! A checked scenario.

use std::net::{IpAddr, Ipv6Addr};
use std::ops::Range;

use routewarden_core::{Asn, EventBatch, Peer, Timestamp};
use toml::Spanned;
use toml::value::Datetime;

use crate::document::Document;
use crate::error::{Error, Fault};
use crate::expect::Expectation;
use crate::facts::{Constituency, Facts};
use crate::facts_text::{constituency_of, facts_of};
use crate::replay::{Stage, Step};
use crate::{FORMAT, PEERS_MAX, SCENARIO_OCTETS_MAX};

/// An incident written as facts: what happened, what is known, what detection must report.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Scenario {
    /// Identifier, equal to the name of the scenario's folder.
    pub id: String,
    /// One line for a person.
    pub title: String,
    /// Name of the file beside the scenario that tells the story.
    pub story: String,
    /// Whether it was written from published facts rather than invented or recorded.
    pub is_reconstruction: bool,
    /// Where the facts come from.
    pub sources: Vec<String>,
    /// Related documents, as RFCs.
    pub refs: Vec<String>,
    /// Whether bogon checks apply; off for scenarios in documentation space.
    pub bogons: bool,
    /// Time of the table.
    pub start: Timestamp,
    /// End of observation: nothing happens later.
    pub end: Timestamp,
    /// The sessions of the collectors. Events name them by position.
    pub peers: Vec<Peer>,
    /// What is known beside BGP.
    pub facts: Facts,
    /// Whose networks are watched, if any.
    pub constituency: Option<Constituency>,
    /// The incidents that must be reported; empty when nothing may be.
    pub expectations: Vec<Expectation>,
    /// An incident of at least this confidence that no expectation names is a mismatch.
    pub unexpected_confidence_min: u8,
    table: EventBatch,
    steps: Vec<Step>,
}

impl Scenario {
    /// Reads and checks a scenario. Untrusted text is fine: see the limits of the crate.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > SCENARIO_OCTETS_MAX {
            return Err(Error::TooLong { octets: text.len() });
        }
        let document: Document = toml::from_str(text).map_err(|source| Error::Syntax {
            line: line_of(text, source.span().map_or(0, |span| span.start)),
            source: Box::new(source),
        })?;
        build(document).map_err(|located| Error::Invalid {
            line: line_of(text, located.span.start),
            fault: located.fault,
        })
    }

    /// The routes standing at the start, as entries of a table dump. A stream of its own: its
    /// first batch lists all peers.
    pub fn table_batch(&self) -> &EventBatch {
        &self.table
    }

    /// What happens, in the order in which the collectors record it. Its batches are a stream of
    /// their own: the first lists all peers. Appended to the table's stream it stays correct,
    /// since peer numbers are the same in both. Facts change where their step stands: after the
    /// batches before it and before those after it.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The batches of [`Scenario::steps`] alone.
    pub fn update_batches(&self) -> impl Iterator<Item = &EventBatch> {
        self.steps.iter().filter_map(|step| match step {
            Step::Events(batch) => Some(batch),
            Step::Facts(_) => None,
        })
    }
}

/// A fault and where it stands.
#[derive(Debug)]
pub(crate) struct Located {
    pub(crate) span: Range<usize>,
    pub(crate) fault: Fault,
}

pub(crate) type Checked<T> = Result<T, Located>;

/// Puts a fault where the value stands.
pub(crate) fn at<T, U>(value: &Spanned<T>, result: Result<U, Fault>) -> Checked<U> {
    result.map_err(|fault| Located { span: value.span(), fault })
}

pub(crate) fn fail<T, U>(value: &Spanned<T>, fault: Fault) -> Checked<U> {
    at(value, Err(fault))
}

/// A TOML date-time with an offset of zero, as `2008-02-24T18:47:57Z`.
pub(crate) fn time_of(value: &Spanned<Datetime>) -> Checked<Timestamp> {
    let text = value.get_ref().to_string();
    let parsed = match value.get_ref().offset {
        Some(_) => text.parse(),
        None => Err(routewarden_core::time::TimestampParseError::Malformed),
    };
    at(value, parsed.map_err(|source| Fault::Time { text, source }))
}

/// A number of 0 to 100.
pub(crate) fn percent(field: &'static str, value: Option<&Spanned<u8>>) -> Checked<Option<u8>> {
    match value {
        Some(value) if *value.get_ref() > 100 => fail(value, Fault::TooLarge { field, max: 100 }),
        value => Ok(value.map(|value| *value.get_ref())),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&octet| octet == b'\n').count() + 1
}

fn build(document: Document) -> Checked<Scenario> {
    let format = *document.format.get_ref();
    if format != FORMAT {
        return fail(&document.format, Fault::Format { found: format });
    }
    let (start, end) = (time_of(&document.start)?, time_of(&document.end)?);
    if end < start {
        return fail(&document.end, Fault::PeriodReversed);
    }
    let given = document.unexpected_confidence_min.as_ref();
    let unexpected_confidence_min = percent("unexpected_confidence_min", given)?;
    let silent_below = Expectation::silent_below(&document)?;
    let peers = peers_of(&document)?;
    let facts = facts_of(&document.facts)?;
    let constituency = document.constituency.as_ref().map(constituency_of).transpose()?;
    let expectations = Expectation::all_of(&document)?;
    let mut stage = Stage::new(&peers, (start, end), &facts);
    for entry in &document.table {
        stage.stand(entry)?;
    }
    let table = stage.table_batch();
    for event in &document.event {
        stage.schedule(event)?;
    }
    let steps = stage.play()?;
    Ok(Scenario {
        id: document.id,
        title: document.title,
        story: document.story,
        is_reconstruction: document.reconstruction,
        sources: document.sources,
        refs: document.refs,
        bogons: document.bogons,
        start,
        end,
        peers,
        facts,
        constituency,
        expectations,
        unexpected_confidence_min: silent_below.or(unexpected_confidence_min).unwrap_or(0),
        table,
        steps,
    })
}

fn peers_of(document: &Document) -> Checked<Vec<Peer>> {
    let mut peers: Vec<Peer> = Vec::new();
    let mut add = |peer: Peer, span: Range<usize>| {
        let fault = if peers.contains(&peer) {
            Fault::PeerTwice
        } else if peers.len() == PEERS_MAX {
            Fault::TooManyPeers
        } else {
            peers.push(peer);
            return Ok(());
        };
        Err(Located { span, fault })
    };
    if document.collector.len() > PEERS_MAX {
        return fail(&document.format, Fault::TooManyPeers);
    }
    for (number, collector) in (0u16..).zip(&document.collector) {
        for (ordinal, asn) in (1u16..).zip(&collector.peers) {
            // An address in documentation space (RFC 3849) for a peer whose own does not matter.
            let addr = Ipv6Addr::new(0x2001, 0xdb8, 0, number, 0, 0, 0, ordinal);
            let collector = collector.name.clone();
            let asn_number = Asn(*asn.get_ref());
            add(Peer { collector, asn: asn_number, addr: IpAddr::V6(addr) }, asn.span())?;
        }
    }
    for entry in &document.peer {
        let peer = entry.get_ref();
        if !document.collector.iter().any(|collector| collector.name == peer.collector) {
            return fail(entry, Fault::UnknownCollector { name: peer.collector.clone() });
        }
        let collector = peer.collector.clone();
        add(Peer { collector, asn: Asn(peer.asn), addr: peer.addr }, entry.span())?;
    }
    Ok(peers)
}
