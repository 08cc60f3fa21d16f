//! What an MRT stream holds, in numbers.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

use routewarden_core::{Prefix, Timestamp};

use crate::{
    Decoded, Element, ElementKind, Error, RawRecord, Record, Unsupported, Warnings,
    for_each_element,
};

/// Most distinct prefixes of a family that are counted; a hostile stream may hold any number.
/// Further ones are counted as `prefixes_over_limit` among the errors.
pub const PREFIXES_MAX: usize = 50_000_000;

/// Seeded anew in each process, so that no stream can be made for collisions. Only the number of
/// members is ever told.
type Hasher = foldhash::fast::RandomState;

/// Counts of a stream. Multicast routes are counted with the unicast ones and apart.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    mrt_records: u64,
    announcements: u64,
    withdrawals: u64,
    multicast: u64,
    state_changes: u64,
    rib_entries: u64,
    deprecated_entries: u64,
    /// Address and length in one: a hash of one number is the cheapest.
    ipv4: HashSet<u64, Hasher>,
    ipv6: HashSet<Prefix, Hasher>,
    /// The prefix counted before: tables name each one many times in a row.
    last: Option<Prefix>,
    times: Option<(Timestamp, Timestamp)>,
    warnings: BTreeMap<&'static str, u64>,
    errors: BTreeMap<&'static str, u64>,
    skipped: BTreeMap<&'static str, u64>,
}

impl Counts {
    /// Nothing counted yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a record and what decoding it gave.
    pub fn add(&mut self, raw: &RawRecord<'_>, decoded: &Result<Decoded<Record<'_>>, Error>) {
        self.mrt_records += 1;
        let time = raw.header.time;
        let (first, last) = self.times.unwrap_or((time, time));
        self.times = Some((first.min(time), last.max(time)));
        match decoded {
            Err(error) => self.add_error(error),
            Ok(decoded) => {
                self.add_warnings(decoded.warnings);
                if let Record::Unsupported(unsupported) = decoded.value {
                    self.add_skipped(unsupported);
                }
                let is_deprecated = raw.header.is_deprecated_entry();
                for_each_element(raw, &decoded.value, |element| match element {
                    Ok(_) if is_deprecated => self.deprecated_entries += 1,
                    Ok(element) => self.add_element(&element),
                    Err(error) => self.add_error(&error),
                });
            }
        }
    }

    /// Counts an error, of the reader for one.
    pub fn add_error(&mut self, error: &Error) {
        *self.errors.entry(error.kind()).or_default() += 1;
    }

    fn add_skipped(&mut self, unsupported: Unsupported) {
        *self.skipped.entry(unsupported.kind()).or_default() += 1;
    }

    fn add_warnings(&mut self, warnings: Warnings) {
        if warnings.is_empty() {
            return;
        }
        for warning in warnings.iter() {
            *self.warnings.entry(warning.kind()).or_default() += 1;
        }
    }

    fn add_element(&mut self, element: &Element<'_>) {
        match element.kind {
            ElementKind::Withdrawal { .. } => self.withdrawals += 1,
            ElementKind::Announcement { nlri, .. } => {
                self.announcements += 1;
                self.add_prefix(nlri.prefix);
            }
            ElementKind::TableEntry { nlri, attributes, .. } => {
                self.rib_entries += 1;
                self.add_prefix(nlri.prefix);
                self.add_warnings(attributes.warnings());
            }
            ElementKind::StateChange { .. } => self.state_changes += 1,
        }
        if element.kind.nlri().is_some_and(|nlri| nlri.safi == crate::Safi::Multicast) {
            self.multicast += 1;
        }
    }

    fn add_prefix(&mut self, prefix: Prefix) {
        if self.last == Some(prefix) {
            return;
        }
        self.last = Some(prefix);
        let is_counted = match prefix.addr() {
            IpAddr::V4(addr) => {
                insert(&mut self.ipv4, u64::from(u32::from(addr)) << 8 | u64::from(prefix.len()))
            }
            IpAddr::V6(_) => insert(&mut self.ipv6, prefix),
        };
        if !is_counted {
            // Told of every time.
            self.last = None;
            *self.errors.entry("prefixes_over_limit").or_default() += 1;
        }
    }

    /// MRT records, unreadable ones included.
    pub fn mrt_records(&self) -> u64 {
        self.mrt_records
    }

    /// Announcements in UPDATEs.
    pub fn announcements(&self) -> u64 {
        self.announcements
    }

    /// Withdrawals in UPDATEs.
    pub fn withdrawals(&self) -> u64 {
        self.withdrawals
    }

    /// Those of the announcements, withdrawals and table entries that are multicast.
    pub fn multicast(&self) -> u64 {
        self.multicast
    }

    /// State changes.
    pub fn state_changes(&self) -> u64 {
        self.state_changes
    }

    /// Entries of table dumps.
    pub fn rib_entries(&self) -> u64 {
        self.rib_entries
    }

    /// Table entries in records of the deprecated subtype `BGP4MP_ENTRY`, which other decoders
    /// pass over. They are read like any entry, but stand in no other count.
    pub fn deprecated_entries(&self) -> u64 {
        self.deprecated_entries
    }

    /// Different IPv4 prefixes announced or in a table.
    pub fn prefixes_v4(&self) -> u64 {
        u64::try_from(self.ipv4.len()).unwrap_or(u64::MAX)
    }

    /// Different IPv6 prefixes announced or in a table.
    pub fn prefixes_v6(&self) -> u64 {
        u64::try_from(self.ipv6.len()).unwrap_or(u64::MAX)
    }

    /// Lowest time of a record.
    pub fn first_time(&self) -> Option<Timestamp> {
        self.times.map(|(first, _)| first)
    }

    /// Highest time of a record.
    pub fn last_time(&self) -> Option<Timestamp> {
        self.times.map(|(_, last)| last)
    }

    /// Faults that records and table entries survived, by [`Warning::kind`](crate::Warning).
    pub fn warnings(&self) -> &BTreeMap<&'static str, u64> {
        &self.warnings
    }

    /// Records, entries and streams that could not be read, by [`Error::kind`].
    pub fn errors(&self) -> &BTreeMap<&'static str, u64> {
        &self.errors
    }

    /// Well-formed records of a kind that is not read, by [`Unsupported::kind`].
    pub fn skipped(&self) -> &BTreeMap<&'static str, u64> {
        &self.skipped
    }
}

/// Whether the set has the member now: it takes [`PREFIXES_MAX`].
fn insert<T: Eq + std::hash::Hash>(seen: &mut HashSet<T, Hasher>, member: T) -> bool {
    if seen.len() >= PREFIXES_MAX {
        return seen.contains(&member);
    }
    seen.insert(member);
    true
}
