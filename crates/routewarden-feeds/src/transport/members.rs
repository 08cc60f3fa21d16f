//! The members of an input, one after the other, under limits.

use std::io::{self, Read};
use std::num::NonZeroUsize;

use flate2::bufread::GzDecoder;
use liblzma::bufread::XzDecoder;

use super::bzip2::Bzip2;
use super::input::Input;
use super::{Compression, Limits, TransportFault, XZ_MEMORY_OCTETS_MAX, ZSTD_WINDOW_LOG_MAX};

type ZstdDecoder = zstd::stream::read::Decoder<'static, Input>;

/// Octets that tell every compression apart.
const MAGIC_OCTETS: usize = 6;
/// Octets given between two looks at the ratio: it must not depend on how much is read at once.
const RATIO_STEP_OCTETS: u64 = 256 << 10;

enum Decoder {
    Plain(Input),
    Gzip(Box<GzDecoder<Input>>),
    Bzip2(Box<Bzip2>),
    Xz(Box<XzDecoder<Input>>),
    Zstd(Box<ZstdDecoder>),
    Ended,
}

/// A decompressed input, decompressed where it is read.
pub(super) struct Members {
    decoder: Decoder,
    compression: Compression,
    limits: Limits,
    given: u64,
    /// Octets consumed, kept for when the decoder is gone.
    consumed: u64,
    trailing: u64,
}

impl Members {
    /// Reads the magic octets.
    pub(super) fn new(mut input: Input, limits: Limits) -> io::Result<Self> {
        let compression = Compression::of(input.peek(MAGIC_OCTETS)?);
        let decoder = member(compression, input)?;
        Ok(Members { decoder, compression, limits, given: 0, consumed: 0, trailing: 0 })
    }

    /// The same input, with nothing left to read.
    pub(super) fn ended(&self) -> Self {
        let Members { compression, limits, given, trailing, .. } = *self;
        let consumed = self.compressed_octets();
        Members { decoder: Decoder::Ended, compression, limits, given, consumed, trailing }
    }

    /// Threads for bzip2.
    pub(super) fn set_threads(&mut self, threads: NonZeroUsize) {
        if let Decoder::Bzip2(decoder) = &mut self.decoder {
            decoder.set_threads(threads);
        }
    }

    pub(super) fn compression(&self) -> Compression {
        self.compression
    }

    pub(super) fn decompressed_octets(&self) -> u64 {
        self.given
    }

    pub(super) fn compressed_octets(&self) -> u64 {
        match &self.decoder {
            Decoder::Bzip2(decoder) => decoder.consumed(),
            _ => self.input().map_or(self.consumed, Input::consumed),
        }
    }

    pub(super) fn trailing_octets(&self) -> u64 {
        self.trailing
    }

    /// As [`Transport::read`](super::Transport::read). What is given does not depend on the sizes
    /// of the reads: the ratio is looked at every [`RATIO_STEP_OCTETS`] and at the end.
    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, TransportFault> {
        if out.is_empty() || matches!(self.decoder, Decoder::Ended) {
            return Ok(0);
        }
        if self.given.is_multiple_of(RATIO_STEP_OCTETS) {
            self.check_ratio()?;
        }
        let room = self.room(out);
        loop {
            match self.decode(room) {
                Ok(0) => match self.next_member() {
                    Ok(true) => {}
                    Ok(false) => {
                        self.check_ratio()?;
                        return Ok(0);
                    }
                    Err(source) => return Err(self.fail(source)),
                },
                Ok(octets) => {
                    self.count(octets as u64)?;
                    return Ok(octets);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.fail(error)),
            }
        }
    }

    /// The part of `out` up to where a limit is looked at next; not empty unless `out` is.
    fn room<'a>(&self, out: &'a mut [u8]) -> &'a mut [u8] {
        let step = RATIO_STEP_OCTETS - self.given % RATIO_STEP_OCTETS;
        // At the limit, one octet tells whether there is more.
        let left = self.limits.output_octets_max.saturating_sub(self.given).max(1);
        let room = usize::try_from(step.min(left)).unwrap_or(usize::MAX).min(out.len());
        out.get_mut(..room).unwrap_or_default()
    }

    fn decode(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match &mut self.decoder {
            Decoder::Plain(input) => input.read(out),
            Decoder::Gzip(decoder) => decoder.read(out),
            Decoder::Bzip2(decoder) => decoder.read(out),
            Decoder::Xz(decoder) => decoder.read(out),
            Decoder::Zstd(decoder) => decoder.read(out),
            Decoder::Ended => Ok(0),
        }
    }

    fn input(&self) -> Option<&Input> {
        match &self.decoder {
            Decoder::Plain(input) => Some(input),
            Decoder::Gzip(decoder) => Some(decoder.get_ref()),
            Decoder::Xz(decoder) => Some(decoder.get_ref()),
            Decoder::Zstd(decoder) => Some(decoder.get_ref()),
            // Reads ahead of what it has given.
            Decoder::Bzip2(_) | Decoder::Ended => None,
        }
    }

    /// After a complete member: goes on with the next one, if there is one.
    fn next_member(&mut self) -> io::Result<bool> {
        if let Decoder::Zstd(decoder) = &mut self.decoder {
            // The last octets of a frame may still be unread when its output is complete.
            decoder.finish_frame()?;
        }
        self.consumed = self.compressed_octets();
        let mut input = match std::mem::replace(&mut self.decoder, Decoder::Ended) {
            Decoder::Plain(_) | Decoder::Ended => return Ok(false),
            Decoder::Gzip(decoder) => decoder.into_inner(),
            Decoder::Bzip2(decoder) => {
                self.trailing += decoder.trailing();
                decoder.into_inner()
            }
            Decoder::Xz(decoder) => decoder.into_inner(),
            Decoder::Zstd(decoder) => decoder.into_inner(),
        };
        let padding = input.skip_zeros()?;
        // Padding between xz streams is part of the format, in fours of zeros.
        if self.compression != Compression::Xz || !padding.is_multiple_of(4) {
            self.trailing += padding;
        }
        if Compression::of(input.peek(MAGIC_OCTETS)?) == self.compression {
            self.decoder = member(self.compression, input)?;
            return Ok(true);
        }
        self.trailing += input.skip_rest()?;
        self.consumed = input.consumed();
        Ok(false)
    }

    /// Counts octets to be given, unless they are too many.
    fn count(&mut self, octets: u64) -> Result<(), TransportFault> {
        let output_octets_max = self.limits.output_octets_max;
        if self.given + octets <= output_octets_max {
            self.given += octets;
            return Ok(());
        }
        self.end();
        let compressed_octets = self.consumed;
        Err(TransportFault::OutputLimit { output_octets_max, compressed_octets })
    }

    fn check_ratio(&mut self) -> Result<(), TransportFault> {
        let Limits { ratio_max, ratio_free_octets, .. } = self.limits;
        let (compressed_octets, decompressed_octets) = (self.compressed_octets(), self.given);
        let allowed = compressed_octets.saturating_mul(ratio_max).max(ratio_free_octets);
        if self.compression == Compression::Plain || decompressed_octets <= allowed {
            return Ok(());
        }
        self.end();
        Err(TransportFault::RatioLimit { ratio_max, compressed_octets, decompressed_octets })
    }

    fn fail(&mut self, source: io::Error) -> TransportFault {
        let source_failed = match &self.decoder {
            Decoder::Bzip2(decoder) => decoder.source_failed(),
            _ => self.input().is_some_and(Input::failed),
        };
        let at = (self.compressed_octets(), self.given);
        self.end();
        TransportFault::of(self.compression, source_failed, at, source)
    }

    fn end(&mut self) {
        self.consumed = self.compressed_octets();
        self.decoder = Decoder::Ended;
    }
}

/// A decoder of one member that starts at `input`.
fn member(compression: Compression, input: Input) -> io::Result<Decoder> {
    Ok(match compression {
        Compression::Plain => Decoder::Plain(input),
        Compression::Gzip => Decoder::Gzip(Box::new(GzDecoder::new(input))),
        Compression::Bzip2 => Decoder::Bzip2(Box::new(Bzip2::new(input))),
        Compression::Xz => {
            let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY_OCTETS_MAX, 0)?;
            Decoder::Xz(Box::new(XzDecoder::new_stream(input, stream)))
        }
        Compression::Zstd => {
            let mut decoder = ZstdDecoder::with_buffer(input)?.single_frame();
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            Decoder::Zstd(Box::new(decoder))
        }
    })
}
