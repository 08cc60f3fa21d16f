//! One MRT file, record by record, with its faults.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::sync::Arc;

use anyhow::{Context, Result};
use routewarden_feeds::InputFile;
use routewarden_feeds::report::FAULT_SAMPLES_MAX;
use routewarden_feeds::transport::{Limits, Progress, Transport, TransportFault};
use routewarden_wire::{
    Decoded, Error, Limits as WireLimits, MrtDecoder, MrtReader, RawRecord, Record, Warnings,
};

/// Counted faults of a file, the first of them with their place.
#[derive(Default)]
pub(super) struct Faults {
    pub(super) warnings: BTreeMap<&'static str, u64>,
    pub(super) losses: BTreeMap<&'static str, u64>,
    /// Whether the file ended before its end.
    pub(super) is_incomplete: bool,
    file: String,
    samples: Vec<(u64, u64, &'static str)>,
    beyond: u64,
}

impl Faults {
    /// Counts the warnings of a record that was decoded all the same.
    pub(super) fn warn(&mut self, raw: &RawRecord<'_>, warnings: Warnings) {
        if warnings.is_empty() {
            return;
        }
        for warning in warnings.iter() {
            *self.warnings.entry(warning.kind()).or_default() += 1;
            self.sample(raw.index, raw.offset, warning.kind());
        }
    }

    /// Counts a record or entry that was lost.
    pub(super) fn lose(&mut self, raw: &RawRecord<'_>, error: &Error) {
        *self.losses.entry(error.kind()).or_default() += 1;
        self.sample(raw.index, raw.offset, error.kind());
    }

    fn sample(&mut self, record: u64, octet: u64, kind: &'static str) {
        if self.samples.len() < FAULT_SAMPLES_MAX {
            self.samples.push((record, octet, kind));
        } else {
            self.beyond += 1;
        }
    }

    /// Names the faults and the places of the first of them.
    pub(super) fn write_samples(&self, out: &mut impl Write) -> io::Result<()> {
        let Faults { file, samples, beyond, .. } = self;
        for (record, octet, kind) in samples {
            writeln!(out, "{file}: record {record} at octet {octet}: {kind}")?;
        }
        if *beyond > 0 {
            writeln!(out, "{file}: {beyond} more faults")?;
        }
        Ok(())
    }
}

/// An open file.
pub(super) struct Source {
    reader: MrtReader<Transport>,
    decoder: MrtDecoder,
    faults: Faults,
    records: u64,
}

impl Source {
    /// `threads` are those for decompression.
    pub(super) fn open(file: &InputFile, threads: NonZeroUsize) -> Result<Self> {
        let progress = Arc::new(Progress::default());
        let name = file.path.display().to_string();
        let transport = if file.is_stdin() {
            Transport::stdin(Limits::default(), progress)
        } else {
            Transport::open(&file.path, Limits::default(), progress)
        };
        let transport =
            transport.with_context(|| format!("cannot open {name}"))?.with_threads(threads);
        let reader = MrtReader::new(transport, WireLimits::default());
        let faults = Faults { file: name, ..Faults::default() };
        Ok(Source { reader, decoder: MrtDecoder::new(), faults, records: 0 })
    }

    /// Gives every record with what decoding it gave. Faults of the stream itself are counted;
    /// only a file in which no record was found is an error.
    pub(super) fn for_each(
        &mut self,
        mut each: impl FnMut(
            &RawRecord<'_>,
            &Result<Decoded<Record<'_>>, Error>,
            &mut Faults,
        ) -> io::Result<()>,
    ) -> Result<()> {
        let Source { reader, decoder, faults, records } = self;
        while let Some(next) = reader.next_record() {
            match next {
                Ok(raw) => {
                    let decoded = decoder.decode(&raw);
                    each(&raw, &decoded, faults)?;
                    *records = raw.index + 1;
                }
                Err(error) => {
                    let (kind, is_end) = stream_fault(&error);
                    if is_end && *records == 0 {
                        return Err(error).with_context(|| format!("cannot read {}", faults.file));
                    }
                    faults.is_incomplete |= is_end;
                    *faults.losses.entry(kind).or_default() += 1;
                    faults.sample(*records, error.offset(), kind);
                }
            }
        }
        Ok(())
    }

    /// The faults.
    pub(super) fn finish(self) -> Faults {
        let Source { reader, mut faults, records, .. } = self;
        let transport = reader.into_inner();
        let octet = transport.decompressed_octets();
        if transport.trailing_octets() > 0 {
            *faults.warnings.entry("trailing_octets").or_default() += 1;
            faults.sample(records, octet, "trailing_octets");
        }
        if transport.compressed_octets() == 0 {
            *faults.losses.entry("empty_file").or_default() += 1;
            faults.sample(records, octet, "empty_file");
        }
        faults
    }
}

/// Kind of a fault of the stream, and whether it ends the stream.
fn stream_fault(error: &Error) -> (&'static str, bool) {
    match error {
        Error::Io { source, .. } => {
            let fault = source.get_ref().and_then(|inner| inner.downcast_ref::<TransportFault>());
            (fault.map_or("read_failed", TransportFault::kind), true)
        }
        Error::Truncated { .. } => ("record_cut", true),
        Error::NotMrt { .. } => (error.kind(), true),
        _ => (error.kind(), false),
    }
}
