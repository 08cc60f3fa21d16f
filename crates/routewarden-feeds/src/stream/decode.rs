//! One file: from octets to batches of events.

use std::num::NonZeroUsize;
use std::sync::Arc;

use routewarden_core::{EventBatch, Timestamp};
use routewarden_wire::{
    Error as WireError, Limits as WireLimits, MrtDecoder, MrtReader, RawRecord,
};

use super::emit::Emitter;
use super::{BATCH_ARENA_OCTETS, BATCH_EVENTS, RECORD_OCTETS_MAX};
use crate::Error;
use crate::report::{Fault, FileReport};
use crate::sources::{InputFile, InputKind};
use crate::transport::{Limits, Progress, Transport, TransportFault};

/// Records read in one step, so that a stream without events can still be cancelled.
const STEP_RECORDS: usize = 1 << 16;
/// Threads of a stream with which a file is decompressed ahead: one decodes and one merges, and on
/// two cores a third one only takes turns with them.
const READ_AHEAD_THREADS_MIN: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);
/// Octets of an MRT header (RFC 6396 §2): with fewer, a file has no record at all.
const HEADER_OCTETS: u64 = 12;

/// A file to decode, and what to take of it.
pub(super) struct FileTask {
    pub(super) file: InputFile,
    /// Place among all files.
    pub(super) place: usize,
    pub(super) content: InputKind,
    pub(super) from: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    pub(super) table_time: Option<Timestamp>,
    pub(super) limits: Limits,
    /// Threads of the stream, for decompression to keep to.
    pub(super) threads: NonZeroUsize,
}

impl FileTask {
    /// A report with nothing in it yet.
    pub(super) fn report(&self) -> FileReport {
        FileReport {
            path: self.file.path.clone(),
            collector: self.file.collector.clone(),
            place: self.place,
            ..FileReport::default()
        }
    }
}

/// How a step of decoding ended.
pub(super) enum Step {
    /// There may be more.
    More,
    /// The file has ended; with an error when nothing at all could be read.
    End(Option<Error>),
}

/// A file being decoded.
pub(super) struct FileDecoder {
    task: Arc<FileTask>,
    reader: MrtReader<Transport>,
    decoder: MrtDecoder,
    emitter: Emitter,
}

impl FileDecoder {
    pub(super) fn open(task: &Arc<FileTask>, progress: Arc<Progress>) -> Result<Self, Error> {
        let opened = if task.file.is_stdin() {
            Transport::stdin(task.limits, progress)
        } else {
            Transport::open(&task.file.path, task.limits, progress)
        };
        let transport =
            opened.map_err(|source| Error::Open { path: task.file.path.clone(), source })?;
        let mut transport = transport.with_threads(task.threads);
        if task.threads < READ_AHEAD_THREADS_MIN {
            transport = transport.without_read_ahead();
        }
        let mut emitter = Emitter::new(task);
        emitter.report.compression = transport.compression().name();
        let limits = WireLimits { record_octets_max: RECORD_OCTETS_MAX };
        let reader = MrtReader::new(transport, limits);
        Ok(FileDecoder { task: Arc::clone(task), reader, decoder: MrtDecoder::new(), emitter })
    }

    /// Decodes until the batch is full or the file ends.
    pub(super) fn fill(&mut self, batch: &mut EventBatch) -> Step {
        for _ in 0..STEP_RECORDS {
            if batch.events.len() >= BATCH_EVENTS || batch.arena_octets() >= BATCH_ARENA_OCTETS {
                return Step::More;
            }
            match self.reader.next_record() {
                None => return Step::End(None),
                Some(Ok(raw)) => read_record(&mut self.decoder, &raw, &mut self.emitter, batch),
                Some(Err(error)) => {
                    if let Some(error) = self.note(error) {
                        return Step::End(Some(error));
                    }
                }
            }
        }
        Step::More
    }

    /// Counts what the reader could not give. An error when the file has nothing readable.
    fn note(&mut self, error: WireError) -> Option<Error> {
        let nothing_read = self.reader.record_count() == 0;
        let path = || self.task.file.path.clone();
        // Where the record begins that is lost, not where reading stopped.
        let (record, octet) = (self.reader.record_count(), self.reader.offset());
        let (record, octet) = match error {
            // The reader has passed these records when it tells of them.
            WireError::RecordTooLong { offset, .. } | WireError::Malformed { offset, .. } => {
                (record.saturating_sub(1), offset)
            }
            _ => (record, octet),
        };
        let kind = match error {
            WireError::Io { source, .. } => match source.downcast::<TransportFault>() {
                Ok(fault) if nothing_read => {
                    return Some(Error::Unreadable { path: path(), source: fault });
                }
                Ok(fault) => fault.kind(),
                Err(_) => "read_failed",
            },
            WireError::NotMrt { .. } if nothing_read => {
                return Some(Error::NotMrt { path: path() });
            }
            WireError::Truncated { present, .. } if nothing_read && present < HEADER_OCTETS => {
                return Some(Error::NotMrt { path: path() });
            }
            WireError::Truncated { .. } => "record_cut",
            other => other.kind(),
        };
        self.emitter.report.lose(Fault { kind, record, octet });
        None
    }

    /// What became of the file.
    pub(super) fn into_report(self, error: Option<&Error>) -> FileReport {
        let mut report = self.emitter.report;
        let transport = self.reader.into_inner();
        report.counts.compressed_octets = transport.compressed_octets();
        report.counts.decompressed_octets = transport.decompressed_octets();
        report.unreadable = error.map(Error::kind);
        let at = Fault {
            kind: "",
            record: report.counts.records,
            octet: report.counts.decompressed_octets,
        };
        if transport.trailing_octets() > 0 {
            report.warn(Fault { kind: "trailing_octets", ..at });
        }
        if error.is_none() && transport.compressed_octets() == 0 {
            report.lose(Fault { kind: "empty_file", ..at });
        }
        report
    }
}

fn read_record(
    decoder: &mut MrtDecoder,
    raw: &RawRecord<'_>,
    emitter: &mut Emitter,
    batch: &mut EventBatch,
) {
    emitter.begin(raw);
    decoder.visit(raw, |decoded| match decoded {
        Ok(decoded) => {
            emitter.warn(decoded.warnings);
            emitter.record(decoded.value, batch);
        }
        Err(error) => emitter.lose(&error),
    });
}
