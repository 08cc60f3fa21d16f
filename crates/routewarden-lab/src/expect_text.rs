//! From expectations as written to [`Expectation`]s.

use routewarden_core::{Asn, Prefix, Timestamp};
use toml::Spanned;

use crate::document::{Document, Expect, LeakEntry};
use crate::error::Fault;
use crate::expect::{Expectation, Leak};
use crate::route_text::parse_prefix;
use crate::scenario::{Checked, at, fail, percent, time_of};

const ROLES: &[&str] = &["victim", "culprit", "on_path"];
const STATES: &[&str] = &["spreading", "ongoing", "mitigated", "ended"];

impl Expectation {
    /// The confidence from which a silent scenario tolerates no incident; `None` when it is not
    /// silent or does not say.
    pub(crate) fn silent_below(document: &Document) -> Checked<Option<u8>> {
        let Some(below) = document.expect.iter().find_map(|entry| entry.get_ref().below.as_ref())
        else {
            return Ok(None);
        };
        let is_silent = document.expect.iter().all(|entry| entry.get_ref().silent);
        if !is_silent || document.unexpected_confidence_min.is_some() {
            return fail(below, Fault::FieldUnused { field: "below" });
        }
        percent("below", Some(below))
    }

    pub(crate) fn all_of(document: &Document) -> Checked<Vec<Expectation>> {
        let Some(first) = document.expect.first() else {
            return fail(&document.format, Fault::NoExpectation);
        };
        let expectations = &document.expect;
        if let Some(silent) = expectations.iter().find(|entry| entry.get_ref().silent) {
            let is_alone = expectations.len() == 1 && is_bare(silent.get_ref());
            return if is_alone { Ok(Vec::new()) } else { fail(first, Fault::SilentNotAlone) };
        }
        let numbered = expectations.iter().enumerate();
        numbered.map(|(own, entry)| Expectation::of(entry, own, expectations.len())).collect()
    }

    /// The expectation at position `own` of `all`.
    fn of(entry: &Spanned<Expect>, own: usize, all: usize) -> Checked<Self> {
        let expect = entry.get_ref();
        let Some(kind) = expect.kind.clone() else {
            return fail(entry, Fault::ExpectationIncomplete);
        };
        if let (Some(role), None) = (&expect.role, &expect.member) {
            return fail(role, Fault::FieldUnused { field: "role without member" });
        }
        let other = |field: &'static str, number: Option<&Spanned<usize>>| match number {
            None => Ok(None),
            Some(number) => match number.get_ref().checked_sub(1) {
                Some(position) if position < all && position != own => Ok(Some(position)),
                _ => fail(number, Fault::OtherExpectation { field, max: all }),
            },
        };
        Ok(Expectation {
            kind,
            culprit: expect.culprit.map(Asn),
            victim: expect.victim.map(Asn),
            member: expect.member.clone(),
            role: word("role", ROLES, expect.role.as_ref())?,
            prefixes: prefixes_of(&expect.prefixes)?,
            prefix_count: expect.prefix_count,
            covering: prefixes_of(&expect.covering)?,
            propagators: expect.propagators.iter().copied().map(Asn).collect(),
            countermeasures: prefixes_of(&expect.countermeasures)?,
            leak: expect.leak.as_ref().map(leak_of).transpose()?,
            link: expect.link.as_ref().map(|link| (Asn(link.a), Asn(link.b))),
            artemis_class: expect.artemis_class.clone(),
            caused_by: other("caused_by", expect.caused_by.as_ref())?,
            not_caused_by: other("not_caused_by", expect.not_caused_by.as_ref())?,
            first_seen: expect.first_seen.as_ref().map(time_of).transpose()?,
            ended_at: period_of(expect)?,
            state: word("state", STATES, expect.state.as_ref())?,
            seen_min: expect.seen_min.unwrap_or(0),
            confidence: (
                percent("confidence_min", expect.confidence_min.as_ref())?.unwrap_or(0),
                percent("confidence_max", expect.confidence_max.as_ref())?.unwrap_or(100),
            ),
            severity: (
                percent("severity_min", expect.severity_min.as_ref())?.unwrap_or(0),
                percent("severity_max", expect.severity_max.as_ref())?.unwrap_or(100),
            ),
        })
    }
}

/// Whether it has no field but `silent` and `below`.
fn is_bare(expect: &Expect) -> bool {
    *expect == Expect { silent: true, below: expect.below.clone(), ..Expect::default() }
}

fn word(
    field: &'static str,
    known: &'static [&'static str],
    value: Option<&Spanned<String>>,
) -> Checked<Option<String>> {
    match value {
        Some(value) if !known.contains(&value.get_ref().as_str()) => {
            fail(value, Fault::Word { word: value.get_ref().clone(), field, known })
        }
        value => Ok(value.map(|value| value.get_ref().clone())),
    }
}

fn leak_of(entry: &LeakEntry) -> Checked<Leak> {
    if let Some(kind) = &entry.kind
        && !(1..=6).contains(kind.get_ref())
    {
        return fail(kind, Fault::LeakType);
    }
    Ok(Leak {
        rfc7908_type: entry.kind.as_ref().map(|kind| *kind.get_ref()),
        from: entry.from.map(Asn),
        by: Asn(entry.by),
        to: entry.to.map(Asn),
    })
}

fn period_of(expect: &Expect) -> Checked<Option<(Timestamp, Timestamp)>> {
    let Some(period) = &expect.ended_at else { return Ok(None) };
    let (from, until) = (&period.get_ref().from, &period.get_ref().until);
    let (from, until) = (time_of(from)?, time_of(until)?);
    if until < from { fail(period, Fault::PeriodReversed) } else { Ok(Some((from, until))) }
}

fn prefixes_of(texts: &[Spanned<String>]) -> Checked<Vec<Prefix>> {
    texts.iter().map(|text| at(text, parse_prefix(text.get_ref()))).collect()
}
