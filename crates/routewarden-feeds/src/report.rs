//! What was read, and what was wrong with it: nothing is dropped without a count.

use std::collections::BTreeMap;
use std::path::PathBuf;

use routewarden_core::Timestamp;
use serde::Serialize;

use crate::Error;

/// Most faults of one file that are kept one by one; the others are counted.
pub const FAULT_SAMPLES_MAX: usize = 20;

/// Counters by stable kind name.
pub type Counters = BTreeMap<&'static str, u64>;

/// One fault, kept as a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Stable name of what was wrong.
    pub kind: &'static str,
    /// Number of the record in its file, from 0.
    pub record: u64,
    /// Octet of the decompressed file at which the record begins.
    pub octet: u64,
}

/// Route elements of a file by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ElementCounts {
    /// Announcements given as events.
    pub announcements: u64,
    /// Withdrawals given as events, those by RFC 7606 treat-as-withdraw included.
    pub withdrawals: u64,
    /// Table entries given as events.
    pub table_entries: u64,
    /// Changes to Established given as events.
    pub peer_ups: u64,
    /// Changes from Established given as events.
    pub peer_downs: u64,
    /// End-of-RIB markers given as events.
    pub end_of_ribs: u64,
    /// Announced, not given: multicast NLRI.
    pub multicast_announcements: u64,
    /// Withdrawn, not given: multicast NLRI.
    pub multicast_withdrawals: u64,
    /// Table entries not given: multicast.
    pub multicast_table_entries: u64,
    /// Not given: older than the table of their collector.
    pub before_table: u64,
    /// Not given: outside the time window asked for.
    pub outside_window: u64,
    /// Not given: table entries among updates, or updates among tables.
    pub other_kind: u64,
    /// Not given: attributes beyond the limits of an
    /// [`EventBatch`](routewarden_core::EventBatch).
    pub attributes_too_long: u64,
}

impl ElementCounts {
    /// Elements given as events.
    pub fn events(&self) -> u64 {
        self.announcements
            + self.withdrawals
            + self.table_entries
            + self.peer_ups
            + self.peer_downs
            + self.end_of_ribs
    }

    pub(crate) fn add(&mut self, other: &ElementCounts) {
        self.announcements += other.announcements;
        self.withdrawals += other.withdrawals;
        self.table_entries += other.table_entries;
        self.peer_ups += other.peer_ups;
        self.peer_downs += other.peer_downs;
        self.end_of_ribs += other.end_of_ribs;
        self.multicast_announcements += other.multicast_announcements;
        self.multicast_withdrawals += other.multicast_withdrawals;
        self.multicast_table_entries += other.multicast_table_entries;
        self.before_table += other.before_table;
        self.outside_window += other.outside_window;
        self.other_kind += other.other_kind;
        self.attributes_too_long += other.attributes_too_long;
    }
}

/// Counters that are kept per file and summed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Compressed octets read.
    pub compressed_octets: u64,
    /// Decompressed octets read.
    pub decompressed_octets: u64,
    /// MRT records read.
    pub records: u64,
    /// Time of the earliest record.
    pub first_time: Option<Timestamp>,
    /// Time of the latest record.
    pub last_time: Option<Timestamp>,
    /// Records earlier than the one before them.
    pub out_of_order: u64,
    /// Route elements.
    pub elements: ElementCounts,
    /// Records and entries used in spite of a fault, by its kind (RFC 7606).
    pub warnings: Counters,
    /// Records passed over because nothing is to be learned from them, by kind.
    pub skipped: Counters,
    /// Records, entries and rests of files lost, by kind.
    pub lost: Counters,
}

impl Counts {
    /// Notes a record's time.
    pub(crate) fn note_record(&mut self, time: Timestamp, previous: Option<Timestamp>) {
        self.records += 1;
        self.out_of_order += u64::from(previous.is_some_and(|previous| time < previous));
        self.first_time = Some(self.first_time.map_or(time, |first| first.min(time)));
        self.last_time = self.last_time.max(Some(time));
    }

    /// Adds the counters of another file.
    pub fn add(&mut self, other: &Counts) {
        self.compressed_octets += other.compressed_octets;
        self.decompressed_octets += other.decompressed_octets;
        self.records += other.records;
        self.first_time = match (self.first_time, other.first_time) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.last_time = self.last_time.max(other.last_time);
        self.out_of_order += other.out_of_order;
        self.elements.add(&other.elements);
        for (mine, theirs) in [
            (&mut self.warnings, &other.warnings),
            (&mut self.skipped, &other.skipped),
            (&mut self.lost, &other.lost),
        ] {
            for (&kind, &count) in theirs {
                *mine.entry(kind).or_default() += count;
            }
        }
    }
}

/// What became of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FileReport {
    /// The file; `-` is standard input.
    pub path: PathBuf,
    /// Its collector.
    pub collector: String,
    /// Its place among all files.
    #[serde(skip)]
    pub(crate) place: usize,
    /// Its compression: `plain`, `gzip`, `bzip2`, `xz`, `zstd`; empty when it was not opened.
    pub compression: &'static str,
    /// Whether it was left unopened because it lies outside the time window by its name.
    pub outside_window: bool,
    /// Why nothing could be read from it: the kind of an [`Error`].
    pub unreadable: Option<&'static str>,
    /// The counters.
    pub counts: Counts,
    /// The first [`FAULT_SAMPLES_MAX`] faults: what stands in `warnings` and `lost`.
    pub faults: Vec<Fault>,
    /// Faults beyond those.
    pub faults_beyond: u64,
}

impl FileReport {
    /// Counts a record or entry used in spite of a fault.
    pub(crate) fn warn(&mut self, fault: Fault) {
        *self.counts.warnings.entry(fault.kind).or_default() += 1;
        self.sample(fault);
    }

    /// Counts a loss.
    pub(crate) fn lose(&mut self, fault: Fault) {
        *self.counts.lost.entry(fault.kind).or_default() += 1;
        self.sample(fault);
    }

    /// Counts a record that has nothing to say.
    pub(crate) fn skip(&mut self, kind: &'static str) {
        *self.counts.skipped.entry(kind).or_default() += 1;
    }

    fn sample(&mut self, fault: Fault) {
        if self.faults.len() < FAULT_SAMPLES_MAX {
            self.faults.push(fault);
        } else {
            self.faults_beyond += 1;
        }
    }
}

/// What became of all files.
#[derive(Debug, Default)]
pub struct Report {
    /// The files, by collector and time.
    pub files: Vec<FileReport>,
    /// Files that could not be read at all and were passed over, as the caller asked.
    pub errors: Vec<Error>,
}

impl Report {
    /// Puts the files in the order in which they are read.
    pub(crate) fn sort(&mut self) {
        self.files.sort_by_key(|file| file.place);
    }

    /// Adds what a further reading of the same files gave for the time window after this one's.
    pub fn add_window(&mut self, later: Report) {
        self.errors.extend(later.errors);
        for file in later.files {
            match self.files.iter_mut().find(|held| held.place == file.place) {
                Some(held) if held.counts.records > 0 => {
                    let before = held.counts.elements.events();
                    let (mine, theirs) = (&mut held.counts.elements, &file.counts.elements);
                    mine.announcements += theirs.announcements;
                    mine.withdrawals += theirs.withdrawals;
                    mine.peer_ups += theirs.peer_ups;
                    mine.peer_downs += theirs.peer_downs;
                    mine.end_of_ribs += theirs.end_of_ribs;
                    // What the earlier reading gave is outside the later window.
                    mine.outside_window = theirs.outside_window.saturating_sub(before);
                }
                Some(held) => *held = file,
                None => self.files.push(file),
            }
        }
    }

    /// The counters of all files summed.
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        for file in &self.files {
            total.add(&file.counts);
        }
        total
    }

    /// For every collector the time of the first record of its latest table. Updates before it
    /// are in the table already; those while the table was written may be in it or not.
    pub fn table_times(&self) -> BTreeMap<String, Timestamp> {
        let mut times = BTreeMap::new();
        for file in self.files.iter().filter(|file| file.counts.elements.table_entries > 0) {
            if let Some(first) = file.counts.first_time {
                let time = times.entry(file.collector.clone()).or_insert(first);
                *time = first.max(*time);
            }
        }
        times
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(announcements: u64, outside_window: u64) -> Report {
        let mut file = FileReport::default();
        file.counts.records = announcements + outside_window;
        file.counts.elements =
            ElementCounts { announcements, outside_window, ..ElementCounts::default() };
        Report { files: vec![file], errors: Vec::new() }
    }

    #[test]
    fn files_read_again_for_a_later_window_are_counted_once() {
        let mut all = report(3, 7);
        all.add_window(report(5, 5));
        let total = all.total();
        assert_eq!((total.records, total.elements.announcements), (10, 8));
        assert_eq!(total.elements.outside_window, 2);
    }
}
