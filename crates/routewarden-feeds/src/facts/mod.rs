//! Reads reference facts from files into the tables of [`routewarden_core::facts`].
//!
//! | facts | formats, told by content |
//! |---|---|
//! | VRPs, with ASPAs | JSON and CSV of rpki-client and Routinator |
//! | origins | pyasn `.dat`, CAIDA pfx2as, RIPE riswhois dump, `net,len,asn` CSV |
//! | organisations | CAIDA as-org2info in JSON lines |
//! | relations | CAIDA as-rel serial-1 and serial-2 |
//! | AS names | one JSON object of ASN to name, or lines of ASN and name |
//! | delegations | `delegated-REGISTRY-extended` of the registries |
//! | routing registries | RPSL dumps of RIPE and RADB |
//! | PeeringDB | answers of its API, dumps of several |
//! | participants | JSON of the MANRS Observatory, CSV |
//! | Spoofer | sessions of CAIDA Spoofer: CSV, JSON lines |
//! | contacts | RDAP answers about ASes |
//! | constituency | our own TOML: `docs/reference/constituency.md` |
//!
//! The `load_*` functions take decompressed octets; their `path` is a label for messages and the
//! date in its name, nothing is opened. [`load_file`] opens, decompresses and hashes a file.
//!
//! A bad line or entry is counted by kind in [`FactSource::skipped`] and the first
//! [`SKIPPED_SAMPLES_MAX`] are kept in [`Loaded::samples`]. A file that cannot be read to its
//! end, or holds nothing usable, is an error: half a table of VRPs would be a false statement.

mod as_names;
mod aspas;
mod config;
mod constituency;
mod csv;
mod date;
mod delegations;
mod error;
mod field;
mod file;
pub mod fuzz;
mod input;
mod json;
mod organisations;
mod origins;
mod participants;
mod peering_db;
mod rdap;
pub mod refresh;
mod relations;
pub mod rpki;
pub mod rpsl;
pub mod rtr;
mod skipped;
pub mod slurm;
mod spoofer;
mod vrps;

use std::io::BufRead;
use std::path::Path;

use routewarden_core::Timestamp;
use routewarden_core::facts::{FactKind, FactSource, Sourced};

pub use as_names::load_as_names;
pub use aspas::ASPA_PROVIDERS_MAX;
pub use config::FactsConfig;
pub use constituency::load_constituency;
pub use delegations::load_delegations;
pub use error::FactsError;
pub use file::{HashHandle, HashingReader, load_file};
pub use input::{
    CONSTITUENCY_OCTETS_MAX, ENTRIES_MAX, LINE_OCTETS_MAX, OCTETS_MAX, TEXT_FILE_OCTETS_MAX,
};
pub use json::{JSON_DEPTH_MAX, JSON_TOKEN_OCTETS_MAX};
pub use organisations::load_organisations;
pub use origins::load_origins;
pub use participants::load_participants;
pub use peering_db::{CONTACTS_MAX, EXCHANGES_MAX, VALUE_CHARS_MAX, load_peering_db};
pub use rdap::{REGISTRATION_ASES_MAX, load_contacts};
pub use relations::load_relations;
pub use rpsl::load_irr;
pub use skipped::{Place, SAMPLE_CHARS_MAX, SKIPPED_SAMPLES_MAX, SkipKind, SkippedEntry};
pub use spoofer::load_spoofer;
pub use vrps::{Rpki, load_rpki, load_vrps};

use input::Limits;
use skipped::SkipLog;

/// Facts of one file, with a sample of what was left out.
#[derive(Clone, Debug)]
pub struct Loaded<T> {
    /// The table and its source; the hash is set by [`load_file`] only.
    pub facts: Sourced<T>,
    /// The first [`SKIPPED_SAMPLES_MAX`] entries left out, in the order of the file.
    pub samples: Vec<SkippedEntry>,
}

/// Signature of the `load_*` functions: label, date when neither file nor name has one, octets.
pub type Load<T> = fn(&Path, Option<Timestamp>, &mut dyn BufRead) -> Result<Loaded<T>, FactsError>;

/// One file while it is read.
struct Reading<'p> {
    path: &'p Path,
    kind: FactKind,
    limits: Limits,
    /// Time found inside the file.
    date: Option<Timestamp>,
    skipped: SkipLog,
    /// Entries understood so far.
    entries: u64,
}

impl<'p> Reading<'p> {
    fn new(path: &'p Path, kind: FactKind) -> Self {
        let limits = Limits::of(kind);
        Reading { path, kind, limits, date: None, skipped: SkipLog::default(), entries: 0 }
    }

    /// Counts entries understood; fails beyond the limit.
    fn count(&mut self, entries: usize) -> Result<(), FactsError> {
        self.entries += entries as u64;
        let entries_max = self.limits.entries_max;
        if self.entries > entries_max {
            return Err(FactsError::TooManyEntries { path: self.path.into(), entries_max });
        }
        Ok(())
    }

    /// `distinct` of the entries understood are in the table; the others were given twice.
    fn finish<T>(
        self,
        table: T,
        distinct: usize,
        date_hint: Option<Timestamp>,
    ) -> Result<Loaded<T>, FactsError> {
        if self.entries == 0 {
            return Err(FactsError::NothingUsable {
                path: self.path.into(),
                expected: error::expected(self.kind),
                skipped: self.skipped.total(),
                first: self.skipped.into_samples().into_iter().next().map(Box::new),
            });
        }
        let (source, samples) = self.source(distinct, date_hint);
        Ok(Loaded { facts: Sourced { table, source }, samples })
    }

    /// As [`Reading::finish`], where nothing usable is no error.
    fn source(
        mut self,
        distinct: usize,
        date_hint: Option<Timestamp>,
    ) -> (FactSource, Vec<SkippedEntry>) {
        let distinct = distinct as u64;
        self.skipped.count(SkipKind::Duplicate, self.entries.saturating_sub(distinct));
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        let source = FactSource {
            kind: self.kind,
            sha256: None,
            date: self.date.or(date_hint).or_else(|| date::in_file_name(&name)),
            name,
            entries: distinct,
            skipped: self.skipped.counts(),
        };
        (source, self.skipped.into_samples())
    }
}
