//! Entries left out: counted by kind, the first ones kept as samples.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// Most samples kept of one file.
pub const SKIPPED_SAMPLES_MAX: usize = 20;
/// Most characters kept of one sample.
pub const SAMPLE_CHARS_MAX: usize = 120;

/// Why an entry was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SkipKind {
    /// The line is longer than [`LINE_OCTETS_MAX`](super::LINE_OCTETS_MAX).
    LineTooLong,
    /// The line is not UTF-8.
    NotUtf8,
    /// A field is missing, or the fields are not those of the format.
    Fields,
    /// Not a prefix.
    Prefix,
    /// A prefix with bits set beyond its length.
    HostBits,
    /// Not an ASN, or a set without one.
    Asn,
    /// A VRP's `maxLength` is no number, shorter than the prefix, or beyond its family's bits.
    MaxLength,
    /// An ASPA whose providers are no array of 1 to
    /// [`ASPA_PROVIDERS_MAX`](super::ASPA_PROVIDERS_MAX).
    Providers,
    /// Not a status of a delegation.
    Status,
    /// Not a time.
    Time,
    /// A registration of more ASes than
    /// [`REGISTRATION_ASES_MAX`](super::REGISTRATION_ASES_MAX).
    AsnRange,
    /// Not a relationship code: neither `-1` nor `0`; or an AS in relation to itself.
    Relation,
    /// A link given again with another relationship; the first counts.
    Conflict,
    /// A line that is no JSON object.
    Json,
    /// A record of a type not known.
    RecordType,
    /// No name.
    Name,
    /// An RPSL object larger than
    /// [`OBJECT_OCTETS_MAX`](super::rpsl::OBJECT_OCTETS_MAX).
    ObjectTooLong,
    /// Given before; of differing entries the last counts.
    Duplicate,
}

impl SkipKind {
    /// Stable name, the key in [`FactSource::skipped`](routewarden_core::facts::FactSource).
    pub const fn name(self) -> &'static str {
        match self {
            SkipKind::LineTooLong => "line_too_long",
            SkipKind::NotUtf8 => "not_utf8",
            SkipKind::Fields => "fields",
            SkipKind::Prefix => "prefix",
            SkipKind::HostBits => "host_bits",
            SkipKind::Asn => "asn",
            SkipKind::MaxLength => "max_length",
            SkipKind::Providers => "providers",
            SkipKind::Status => "status",
            SkipKind::Time => "time",
            SkipKind::AsnRange => "asn_range",
            SkipKind::Relation => "relation",
            SkipKind::Conflict => "conflict",
            SkipKind::Json => "json",
            SkipKind::RecordType => "record_type",
            SkipKind::Name => "name",
            SkipKind::ObjectTooLong => "object_too_long",
            SkipKind::Duplicate => "duplicate",
        }
    }
}

/// Where in a file an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Line, from 1.
    Line(u64),
    /// Entry of a JSON array or object, from 1.
    Entry(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line(number) => write!(f, "line {number}"),
            Place::Entry(number) => write!(f, "entry {number}"),
        }
    }
}

/// An entry left out, kept as a sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkippedEntry {
    /// Why it was left out.
    pub kind: SkipKind,
    /// Where it stands.
    pub place: Place,
    /// The beginning of the line: [`SAMPLE_CHARS_MAX`] characters, those that are not UTF-8
    /// replaced; empty for an entry of a JSON document.
    pub text: String,
}

impl fmt::Display for SkippedEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {:?}", self.place, self.kind.name(), self.text)
    }
}

/// What was left out of one file.
#[derive(Default)]
pub(super) struct SkipLog {
    counts: BTreeMap<&'static str, u64>,
    samples: Vec<SkippedEntry>,
}

impl SkipLog {
    /// Counts an entry and keeps it if it is among the first.
    pub(super) fn skip(&mut self, kind: SkipKind, place: Place, line: &[u8]) {
        self.count(kind, 1);
        if self.samples.len() < SKIPPED_SAMPLES_MAX {
            // Four octets are the most a character takes.
            let start = line.get(..SAMPLE_CHARS_MAX * 4).unwrap_or(line);
            let text = String::from_utf8_lossy(start).chars().take(SAMPLE_CHARS_MAX).collect();
            self.samples.push(SkippedEntry { kind, place, text });
        }
    }

    /// Counts entries without a place.
    pub(super) fn count(&mut self, kind: SkipKind, entries: u64) {
        if entries > 0 {
            *self.counts.entry(kind.name()).or_default() += entries;
        }
    }

    pub(super) fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    pub(super) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.counts.clone()
    }

    pub(super) fn into_samples(self) -> Vec<SkippedEntry> {
        self.samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_go_on_when_samples_are_full() {
        let mut log = SkipLog::default();
        for line in 1..=100 {
            log.skip(SkipKind::Asn, Place::Line(line), &[0xff; 1000]);
        }
        assert_eq!(log.counts(), BTreeMap::from([("asn", 100)]));
        let samples = log.into_samples();
        assert_eq!(samples.len(), SKIPPED_SAMPLES_MAX);
        assert_eq!(samples[0].text.chars().count(), SAMPLE_CHARS_MAX);
    }

    #[test]
    fn names_are_those_of_serde() {
        for kind in [SkipKind::LineTooLong, SkipKind::NotUtf8, SkipKind::RecordType] {
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("{:?}", kind.name()));
        }
    }
}
