//! Opens one input, whatever its compression, and reads it under limits.
//!
//! The compression is told by the magic octets, never by the name. Joined members (`cat a.gz
//! b.gz`, as mirrors and `pigz` make them) are one stream. Memory is bounded for every format,
//! and [`Limits`] stop a decompression bomb.

mod bzip2;
mod fault;
pub mod fuzz;
mod input;

use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use flate2::bufread::GzDecoder;
use liblzma::bufread::XzDecoder;

use bzip2::Bzip2;
pub use fault::{Compression, TransportFault};
use input::Input;
pub use input::Progress;

type ZstdDecoder = zstd::stream::read::Decoder<'static, Input>;

/// Octets that tell every compression apart.
const MAGIC_OCTETS: usize = 6;
/// Most memory the xz decoder may take: `xz -9` needs 65 MiB.
pub const XZ_MEMORY_OCTETS_MAX: u64 = 160 << 20;
/// Largest zstd window accepted, as a power of two: 128 MiB, what `zstd --ultra -22` writes.
pub const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// How much one input may decompress to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most octets one input may give.
    pub output_octets_max: u64,
    /// Most octets given per octet read, once past `ratio_free_octets`. Real dumps reach 9 in
    /// gzip, 15 in bzip2, 23 in xz; zeros reach 229 to 1,032 in gzip and 20,000 in bzip2.
    pub ratio_max: u64,
    /// Octets given before the ratio counts.
    pub ratio_free_octets: u64,
}

impl Default for Limits {
    /// 64 GiB in all, and 100 octets per octet after the first 64 MiB.
    fn default() -> Self {
        Limits { output_octets_max: 64 << 30, ratio_max: 100, ratio_free_octets: 64 << 20 }
    }
}

enum Decoder {
    Plain(Input),
    Gzip(Box<GzDecoder<Input>>),
    Bzip2(Box<Bzip2>),
    Xz(Box<XzDecoder<Input>>),
    Zstd(Box<ZstdDecoder>),
    Ended,
}

/// A decompressed input.
pub struct Transport {
    decoder: Decoder,
    compression: Compression,
    limits: Limits,
    given: u64,
    /// Octets consumed, kept for when the decoder is gone.
    consumed: u64,
    trailing: u64,
}

/// The fault stands inside the error ([`io::Error::get_ref`]).
impl Read for Transport {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        Transport::read(self, out).map_err(io::Error::other)
    }
}

impl Transport {
    /// Opens a file. `progress` counts its octets as they are read.
    pub fn open(path: &Path, limits: Limits, progress: Arc<Progress>) -> io::Result<Self> {
        // A directory opens on Unix and fails on the first read: say so here.
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Self::from_reader(Box::new(file), limits, progress)
    }

    /// Standard input.
    pub fn stdin(limits: Limits, progress: Arc<Progress>) -> io::Result<Self> {
        Self::from_reader(Box::new(io::stdin()), limits, progress)
    }

    /// Any reader. Reads the magic octets.
    pub fn from_reader(
        source: Box<dyn Read + Send>,
        limits: Limits,
        progress: Arc<Progress>,
    ) -> io::Result<Self> {
        let mut input = Input::new(source, progress);
        let compression = Compression::of(input.peek(MAGIC_OCTETS)?);
        let decoder = member(compression, input)?;
        Ok(Transport { decoder, compression, limits, given: 0, consumed: 0, trailing: 0 })
    }

    /// Decompresses on this many threads at most, the reading one among them. Without it, on as
    /// many as there are cores. Only bzip2 takes more than one, and only beyond its first block;
    /// the threads that help are one set for all inputs.
    #[must_use]
    pub fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        if let Decoder::Bzip2(decoder) = &mut self.decoder {
            decoder.set_threads(threads);
        }
        self
    }

    /// The compression found.
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// Decompressed octets given so far.
    pub fn decompressed_octets(&self) -> u64 {
        self.given
    }

    /// Compressed octets consumed so far.
    pub fn compressed_octets(&self) -> u64 {
        match &self.decoder {
            Decoder::Bzip2(decoder) => decoder.consumed(),
            _ => self.input().map_or(self.consumed, Input::consumed),
        }
    }

    /// Octets after the last complete member that belong to none: zero padding or garbage.
    /// They were passed over.
    pub fn trailing_octets(&self) -> u64 {
        self.trailing
    }

    /// Reads some octets into `out`; 0 at the end, or when `out` is empty. After a fault the
    /// input has ended.
    pub fn read(&mut self, out: &mut [u8]) -> Result<usize, TransportFault> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            match self.decode(out) {
                Ok(0) => match self.next_member() {
                    Ok(true) => {}
                    Ok(false) => return Ok(0),
                    Err(source) => return Err(self.fail(source)),
                },
                Ok(octets) => {
                    self.given += octets as u64;
                    self.check_limits()?;
                    return Ok(octets);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.fail(error)),
            }
        }
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

    fn check_limits(&mut self) -> Result<(), TransportFault> {
        let Limits { output_octets_max, ratio_max, ratio_free_octets } = self.limits;
        let compressed_octets = self.compressed_octets();
        if self.given > output_octets_max {
            self.end();
            return Err(TransportFault::OutputLimit { output_octets_max, compressed_octets });
        }
        let allowed = compressed_octets.saturating_mul(ratio_max).max(ratio_free_octets);
        if self.compression != Compression::Plain && self.given > allowed {
            let decompressed_octets = self.given;
            self.end();
            return Err(TransportFault::RatioLimit {
                ratio_max,
                compressed_octets,
                decompressed_octets,
            });
        }
        Ok(())
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
